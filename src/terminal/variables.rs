//! The environment of a custom command: the segments, the tenant, and the API key only if it is configured to get it.

use secrecy::{ExposeSecret, SecretString};
use tokio::process::Command;

use crate::app::{RunRequest, Session};
use crate::config::{self, KEY_FILE_VARIABLE, KEY_VARIABLE};

/// Linux limits a variable to 128 KiB; longer lists of names and IDs are on stdin only.
const MAX_VARIABLE_LEN: usize = 100 * 1024;

/// The variables to set for a program and those to remove.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Variables {
    pub set: Vec<(&'static str, String)>,
    pub removed: Vec<String>,
}

/// Removes the variables that hold API keys from a program's environment. `secret_names` are those of profiles.
pub fn without_keys<'a>(command: &'a mut Command, secret_names: &[String]) -> &'a mut Command {
    config::without_keys(command.as_std_mut(), secret_names);
    command
}

/// The variables for a run. `secret_names` are those that hold API keys of profiles.
pub(super) fn variables(
    request: &RunRequest,
    session: &Session,
    api_key: &SecretString,
    secret_names: &[String],
) -> Variables {
    let mut set = vec![
        ("SEGTUI_COMMAND", request.command.name.clone()),
        ("SEGTUI_COUNT", request.subjects.len().to_string()),
        ("SEGTUI_TENANT", session.tenant.clone()),
        ("SEGTUI_BASE_URL", session.base_url.to_string()),
    ];
    let mut removed = vec![KEY_VARIABLE.to_owned(), KEY_FILE_VARIABLE.to_owned()];
    removed.extend(secret_names.iter().cloned());
    match &session.profile {
        Some(profile) => set.push(("SEGTUI_PROFILE", profile.clone())),
        None => removed.push("SEGTUI_PROFILE".into()),
    }
    let ids = request.subjects.iter().map(|segment| segment.id.to_string());
    let names = request.subjects.iter().map(|segment| segment.name.to_string());
    for (variable, text) in [("SEGTUI_IDS", lines(ids)), ("SEGTUI_NAMES", lines(names))] {
        match text {
            Some(text) => set.push((variable, text)),
            None => removed.push(variable.into()),
        }
    }
    if request.command.api_key {
        set.push((KEY_VARIABLE, api_key.expose_secret().to_owned()));
    }
    Variables { set, removed }
}

/// One text per line, without control characters; `None` if that is too long for a variable.
fn lines(texts: impl Iterator<Item = String>) -> Option<String> {
    let mut lines = String::new();
    for (at, text) in texts.enumerate() {
        if at > 0 {
            lines.push('\n');
        }
        // A line break would look like another segment, and a variable can't contain NUL.
        lines.push_str(&text.replace(char::is_control, " "));
        if lines.len() > MAX_VARIABLE_LEN {
            return None;
        }
    }
    Some(lines)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::action::{Output, Subjects, UserCommand};
    use crate::app::Access;
    use crate::remote::{BaseUrl, InsecureHttp};
    use crate::segment::{Segment, SegmentId};

    fn session() -> Session {
        Session {
            tenant: "acme".into(),
            host: "one.example".into(),
            base_url: BaseUrl::parse("https://one.example", InsecureHttp::Refused).unwrap(),
            profile: None,
            access: Access::ReadWrite,
            journalled: true,
            protected: false,
            owned: Vec::new(),
            open: None,
            concurrency: 6,
        }
    }

    fn request(api_key: bool, count: usize) -> RunRequest {
        let command = UserCommand {
            name: "Report".into(),
            program: "report".into(),
            arguments: Vec::new(),
            on: Subjects::default(),
            confirm: false,
            api_key,
            output: Output::Pane,
            timeout: None,
        };
        let segment = |at: usize| {
            let id = SegmentId::new(&format!("id-{at}")).unwrap();
            Arc::new(Segment { id, name: format!("Łódź\n{at}").as_str().into(), external_id: None, parent: None })
        };
        RunRequest { run: 1, command, subjects: (0..count).map(segment).collect() }
    }

    fn value(variables: &Variables, name: &str) -> Option<String> {
        variables.set.iter().find(|(other, _)| *other == name).map(|(_, value)| value.clone())
    }

    #[test]
    fn a_program_gets_the_segments_and_the_tenant() {
        let variables = variables(&request(false, 2), &session(), &"secret".to_owned().into(), &[]);
        assert_eq!(value(&variables, "SEGTUI_IDS").as_deref(), Some("id-0\nid-1"));
        assert_eq!(value(&variables, "SEGTUI_NAMES").as_deref(), Some("Łódź 0\nŁódź 1"));
        assert_eq!(value(&variables, "SEGTUI_TENANT").as_deref(), Some("acme"));
        assert_eq!(value(&variables, "SEGTUI_BASE_URL"), Some(session().base_url.to_string()));
        assert_eq!(value(&variables, "SEGTUI_COUNT").as_deref(), Some("2"));
        assert!(variables.removed.contains(&"SEGTUI_PROFILE".to_owned()));
    }

    #[test]
    fn the_api_key_is_passed_only_if_configured() {
        let secret_names = ["ACME_KEY".to_owned()];
        let without = variables(&request(false, 1), &session(), &"secret".to_owned().into(), &secret_names);
        assert!(!without.set.iter().any(|(_, value)| value.contains("secret")));
        assert!(without.removed.contains(&KEY_VARIABLE.to_owned()) && without.removed.contains(&"ACME_KEY".to_owned()));
        let with = variables(&request(true, 1), &session(), &"secret".to_owned().into(), &secret_names);
        assert_eq!(value(&with, KEY_VARIABLE).as_deref(), Some("secret"));
        assert!(with.removed.contains(&"ACME_KEY".to_owned()));
    }

    #[test]
    fn a_list_too_long_for_a_variable_is_left_out() {
        let variables = variables(&request(false, 20_000), &session(), &"secret".to_owned().into(), &[]);
        assert_eq!(value(&variables, "SEGTUI_IDS"), None);
        assert!(variables.removed.contains(&"SEGTUI_IDS".to_owned()));
        assert_eq!(value(&variables, "SEGTUI_COUNT").as_deref(), Some("20000"));
    }
}
