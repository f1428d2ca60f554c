//! The `[[command]]` tables of the configuration file: the user's own programs and the keys that run them.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use toml::Spanned;

use crate::action::{Action, Output, Subjects, UserCommand};
use crate::platform;

use super::file::{FaultInFile, Source};
use super::keys::{ConfiguredKeys, Sequences};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCommand {
    name: Spanned<String>,
    key: Option<Spanned<Sequences>>,
    run: Spanned<Run>,
    on: Option<Spanned<String>>,
    #[serde(default)]
    confirm: bool,
    #[serde(default)]
    api_key: bool,
    output: Option<Spanned<String>>,
    timeout: Option<Spanned<f64>>,
}

/// A program and its arguments, as a list or as a shell would split them.
#[derive(Debug)]
enum Run {
    Text(String),
    List(Vec<String>),
}

impl<'de> Deserialize<'de> for Run {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RunVisitor)
    }
}

struct RunVisitor;

impl<'de> Visitor<'de> for RunVisitor {
    type Value = Run;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a program and its arguments, such as \"report --all\" or a list of them")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Run, E> {
        Ok(Run::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Run, A::Error> {
        let mut words = Vec::new();
        while let Some(word) = list.next_element()? {
            words.push(word);
        }
        Ok(Run::List(words))
    }
}

pub(super) const TIMEOUT_SECONDS: RangeInclusive<f64> = 0.1..=86_400.0;
const ON: [(&str, Subjects); 2] = [("selected", Subjects::Selected), ("marked", Subjects::Marked)];
const OUTPUTS: [(&str, Output); 3] = [("pane", Output::Pane), ("message", Output::Message), ("none", Output::Nothing)];

impl Source<'_> {
    /// The commands in the order of the file, and their keys.
    pub(super) fn commands(
        &self,
        raw: Vec<RawCommand>,
    ) -> Result<(Vec<UserCommand>, Vec<ConfiguredKeys>), FaultInFile> {
        let (mut commands, mut keys) = (Vec::<UserCommand>::new(), Vec::new());
        for (number, mut command) in (0_u16..).zip(raw) {
            if commands.iter().any(|other| other.name == *command.name.get_ref()) {
                let what = format!("duplicate command `{}`", command.name.get_ref());
                return Err(self.fault(command.name.span(), what));
            }
            keys.extend(command.key.take().map(|keys| ConfiguredKeys::new(Action::UserCommands(number), keys)));
            commands.push(self.command(command)?);
        }
        Ok((commands, keys))
    }

    fn command(&self, raw: RawCommand) -> Result<UserCommand, FaultInFile> {
        let name = raw.name.get_ref().trim();
        if name.is_empty() || name.contains(char::is_control) {
            return Err(self.fault(raw.name.span(), "expected a name to list the command under"));
        }
        let span = raw.run.span();
        let words = match raw.run.into_inner() {
            Run::List(words) => words,
            Run::Text(text) => platform::words(&text)
                .ok_or_else(|| self.fault(span.clone(), format!("`{text}` has an unclosed quote")))?,
        };
        let mut words = words.into_iter();
        let Some(program) = words.next().filter(|program| !program.is_empty()) else {
            return Err(self.fault(span, "expected a program, such as \"report --all\" or [\"report\", \"--all\"]"));
        };
        Ok(UserCommand {
            name: name.to_owned(),
            program,
            arguments: words.collect(),
            on: self.choice("on", raw.on, &ON)?,
            confirm: raw.confirm,
            api_key: raw.api_key,
            output: self.choice("output", raw.output, &OUTPUTS)?,
            timeout: self.within("timeout", raw.timeout, TIMEOUT_SECONDS)?.map(Duration::from_secs_f64),
        })
    }

    fn choice<T: Copy + Default>(
        &self,
        key: &str,
        value: Option<Spanned<String>>,
        known: &[(&str, T)],
    ) -> Result<T, FaultInFile> {
        let Some(value) = value else { return Ok(T::default()) };
        let found = known.iter().find(|(name, _)| name == value.get_ref());
        found.map(|(_, choice_value)| *choice_value).ok_or_else(|| {
            let names: Vec<_> = known.iter().map(|(name, _)| format!("`{name}`")).collect();
            self.fault(value.span(), format!("`{key}` is `{}`; expected {}", value.get_ref(), names.join(" or ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{File, Interface};
    use super::*;

    fn read(text: &str) -> Result<Interface, String> {
        File::read(text, Path::new("config.toml")).map(|file| file.interface).map_err(|fault| fault.to_string())
    }

    #[test]
    fn every_setting_of_a_command_is_read() {
        let interface = read(
            r#"
[[command]]
name = "Send to ERP"
key = "g e"
run = "erp-sync --mode 'full update'"
on = "marked"
confirm = true
api_key = true
output = "message"
timeout = 2.5

[[command]]
name = "Report"
run = ["sh", "-c", "jq . | less"]
"#,
        )
        .unwrap();
        let [sync, report] = interface.commands.as_slice() else { unreachable!("two were configured") };
        let expected = UserCommand {
            name: "Send to ERP".into(),
            program: "erp-sync".into(),
            arguments: vec!["--mode".into(), "full update".into()],
            on: Subjects::Marked,
            confirm: true,
            api_key: true,
            output: Output::Message,
            timeout: Some(Duration::from_millis(2_500)),
        };
        assert_eq!(*sync, expected);
        assert_eq!((report.arguments.len(), report.on, report.output), (2, Subjects::default(), Output::Pane));
        assert!(!report.confirm && !report.api_key);
        let keys = |number| interface.keymap.keys(Action::UserCommands(number)).collect::<Vec<_>>();
        assert_eq!((keys(0), keys(1)), (vec!["g e".to_owned()], Vec::new()));
    }

    #[test]
    fn a_command_takes_a_default_key_but_not_a_configured_one() {
        let command = "[[command]]\nname = \"Report\"\nrun = \"report\"\nkey = \"f\"\n";
        let interface = read(command).unwrap();
        assert_eq!(interface.keymap.keys(Action::Jump).next(), None);
        let text = read(&format!("{command}[keys]\nfind = [\"/\", \"f\"]\n")).unwrap_err();
        assert_eq!(text, "config.toml:6:14: `f` (find) conflicts with `f` (the command “Report”)");
        let text = read(&format!("[keys]\nfind = \"f\"\n{command}")).unwrap_err();
        assert_eq!(text, "config.toml:6:7: `f` (the command “Report”) conflicts with `f` (find)");
        let text = read(&command.replace("\"f\"", "\"q\"")).unwrap_err();
        let expected = "the command “Report” takes the only key of `quit`; bind `quit` to another";
        assert_eq!(text, format!("config.toml:4:7: {expected}"));
    }

    #[test]
    fn an_invalid_command_is_refused_with_its_place() {
        let fault = |line: &str| read(&format!("[[command]]\nname = \"Report\"\n{line}\n")).unwrap_err();
        assert_eq!(fault(""), "config.toml:1:1: `run` is missing");
        assert!(fault("run = \"\"").starts_with("config.toml:3:7: expected a program"));
        assert!(fault("run = []").starts_with("config.toml:3:7: expected a program"));
        assert!(fault("run = \"x 'y\"").starts_with("config.toml:3:7: `x 'y` has an unclosed quote"));
        assert!(fault("run = 7").contains("expected a program and its arguments"));
        assert_eq!(
            fault("run = \"x\"\non = \"all\""),
            "config.toml:4:6: `on` is `all`; expected `selected` or `marked`"
        );
        assert!(fault("run = \"x\"\noutput = \"file\"").contains("expected `pane` or `message` or `none`"));
        assert_eq!(fault("run = \"x\"\ntimeout = 0"), "config.toml:4:11: `timeout` is 0; expected 0.1 to 86400");
        assert!(fault("run = \"x\"\nshell = true").starts_with("config.toml:4:1: unknown field `shell`"));
        assert!(fault("run = \"x\"\nkey = \"hyperdrive\"").starts_with("config.toml:4:7: invalid key `hyperdrive`"));
        let two = "run = \"x\"\n[[command]]\nname = \"Report\"\nrun = \"y\"";
        assert_eq!(fault(two), "config.toml:5:8: duplicate command `Report`");
    }
}
