//! `segtui profiles`: lists the configured tenants and marks the default one. Sends no request and needs no key.

use serde::Serialize;

use crate::config::{self, Environment, Flags, KnownProfile, Paths};
use crate::remote::Access;

use super::arguments::{ConnectionArguments, ProfilesArguments, TextOrJson};
use super::columns::painted;
use super::configuration::{FORMAT_VERSION, NO_HOME, json_line, known_path, print};
use super::exit::Exit;
use super::failure::Failure;
use super::link;
use super::notes::Notes;
use super::paint::Paint;

/// The JSON object.
#[derive(Serialize)]
struct List {
    format_version: u32,
    /// `None` if there is no home folder.
    file: Option<String>,
    profiles: Vec<Profile>,
}

#[derive(Serialize)]
struct Profile {
    name: String,
    /// `None` if the profile leaves it to flags or variables.
    tenant: Option<String>,
    host: Option<String>,
    read_only: bool,
    protected: bool,
    /// Whether it is used if no other profile is chosen.
    used: bool,
}

pub(super) fn run(
    options: ProfilesArguments,
    connection: &ConnectionArguments,
    environment: Environment<'_>,
    paths: &Paths,
    notes: Notes,
    paint: Paint,
) -> Result<Exit, Failure> {
    let flags = connection.flags();
    let flags = Flags { config: options.config.or(flags.config.clone()), ..flags };
    let refused = |error| link::config_failure(&error);
    let listed = config::list(&flags, environment, paths).map_err(refused)?;
    let used = config::used_profile(&flags, environment, paths).map_err(refused)?;
    let profile = |known: KnownProfile| Profile {
        used: used.as_deref() == Some(&known.name),
        name: known.name,
        tenant: Some(known.tenant).filter(|text| !text.is_empty()),
        host: Some(known.host).filter(|text| !text.is_empty()),
        read_only: known.access == Access::ReadOnly,
        protected: known.protected,
    };
    let profiles: Vec<Profile> = listed.profiles.into_iter().map(profile).collect();
    let file = known_path(&listed.path);
    match options.output {
        TextOrJson::Json => print(&json_line(&List { format_version: FORMAT_VERSION, file, profiles })?),
        TextOrJson::Text if profiles.is_empty() => {
            match file {
                Some(file) => {
                    notes.note(format_args!("there are no profiles in {file}; start segtui in a terminal to add one"));
                }
                None => notes.note(format_args!("configuration: {NO_HOME}")),
            }
            Ok(Exit::Done)
        }
        TextOrJson::Text => print(&text(&profiles, paint)),
    }
}

const PROTECTED: &str = "protected";

fn text(profiles: &[Profile], paint: Paint) -> String {
    let row = |profile: &Profile| {
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
        let notes =
            [(profile.read_only, "read-only"), (profile.protected, PROTECTED), (profile.used, "used by default")];
        let notes: Vec<&str> = notes.into_iter().filter_map(|(holds, note)| holds.then_some(note)).collect();
        [profile.name.clone(), or_dash(&profile.tenant), or_dash(&profile.host), notes.join(", ")]
    };
    painted(&profiles.iter().map(row).collect::<Vec<_>>(), |column, text| match column {
        0 => paint.bold(text),
        3 if text.contains(PROTECTED) => paint.error(text),
        _ => text.to_owned(),
    })
}
