//! `segtui config`: shows where the configuration is and which settings are in force and why, checks it, and edits it.

mod edit;

use std::io::{self, ErrorKind, Write};
use std::path::Path;

use serde::Serialize;
use serde_json::json;

use crate::config::{self, Effective, EffectiveSetting, FaultInFile, Flags, Origin, Paths};
use crate::files;
use crate::numbers::{Noun, counted};
use crate::printable::{printable, printable_json};

use super::arguments::{ConfigArguments, ConfigCommand, ConnectionArguments, TextOrJson};
use super::columns::aligned;
use super::exit::Exit;
use super::failure::Failure;
use super::link;
use super::notes::Notes;
use super::output::on_stdout;

/// Version of the JSON formats described in docs/contract.md.
pub(super) const FORMAT_VERSION: u32 = 1;

pub(super) async fn run(
    arguments: ConfigArguments,
    connection: ConnectionArguments,
    environment: impl Fn(&str) -> Option<String>,
    paths: Paths,
    notes: Notes,
) -> Result<Exit, Failure> {
    let flags_for = |config| Flags { config, ..Flags::default() };
    let global = connection.flags().config;
    match arguments.command {
        ConfigCommand::Path(options) => {
            let (path, _) = config::config_path(&flags_for(options.config.or(global)), &environment, &paths);
            require_home(&path)?;
            print(&format!("{}\n", path.display()))
        }
        ConfigCommand::Show(options) => {
            let flags = options.connection.or(connection)?.flags();
            let effective =
                config::effective(&flags, &environment, &paths).map_err(|error| link::config_failure(&error))?;
            print(&match options.output {
                TextOrJson::Text => text(&effective),
                TextOrJson::Json => json_of(&effective),
            })
        }
        ConfigCommand::Check(options) => {
            let path_flag = options.file.or(options.config).or(global);
            let (path, is_explicit) = config::config_path(&flags_for(path_flag), &environment, &paths);
            check(&path, is_explicit, options.output, notes)
        }
        ConfigCommand::Edit(options) => {
            edit::run(&flags_for(options.config.or(global)), &environment, &paths, notes).await
        }
        ConfigCommand::Schema => schema(),
    }
}

/// Fails if there is no home folder, and so no default path.
fn require_home(path: &Path) -> Result<(), Failure> {
    if !Paths::is_nowhere(path) {
        return Ok(());
    }
    Err(Failure::usage("no home folder for the configuration").hint("set HOME or XDG_CONFIG_HOME, or use --config"))
}

/// Returns the path of the file, or `None` if there is no place for it.
pub(super) fn known_path(path: &Path) -> Option<String> {
    (!Paths::is_nowhere(path)).then(|| path.display().to_string())
}

/// Shown instead of the path if there is no place for the file.
pub(super) const NO_HOME: &str = "none: there is no home folder (set HOME or XDG_CONFIG_HOME, or use --config)";

fn schema() -> Result<Exit, Failure> {
    print(&format!("{:#}\n", config::schema()))
}

pub(super) fn print(text: &str) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    on_stdout(out.write_all(text.as_bytes()).and_then(|()| out.flush()))?;
    Ok(Exit::Done)
}

/// Returns an object as a line of JSON, with invisible characters escaped.
pub(super) fn json_line(object: &impl Serialize) -> Result<String, Failure> {
    let json = serde_json::to_string(object)
        .map_err(|error| Failure::failed(format_args!("couldn't write the result as JSON: {error}")))?;
    Ok(printable_json(&json) + "\n")
}

fn text(effective: &Effective) -> String {
    let state = if effective.file_exists { "" } else { " (not there)" };
    let profile = effective.profile.as_deref().unwrap_or("none");
    let rows = effective.settings.iter().map(|setting| {
        let EffectiveSetting { key, value, origin } = setting;
        [(*key).to_owned(), value_text(setting, value.as_ref()), origin.to_string()]
    });
    let file = match known_path(&effective.file) {
        Some(file) => format!("{}{state}", printable(&file)),
        None => NO_HOME.to_owned(),
    };
    format!("file     {file}\nprofile  {}\n\n{}", printable(profile), aligned(&rows.collect::<Vec<_>>()))
}

/// Returns a value as it would be written in the file.
pub(super) fn value_text(setting: &EffectiveSetting, value: Option<&toml::Value>) -> String {
    match value {
        Some(value) => value.to_string(),
        None if setting.origin != Origin::Unset => "(hidden)".into(),
        None => "-".into(),
    }
}

fn json_of(effective: &Effective) -> String {
    let object = json!({
        "format_version": FORMAT_VERSION,
        "file": known_path(&effective.file),
        "file_exists": effective.file_exists,
        "profile": effective.profile,
        "settings": settings_json(effective),
    });
    printable_json(&object.to_string()) + "\n"
}

/// Returns the settings with their origins; the value is null if it is not set or not shown.
pub(super) fn settings_json(effective: &Effective) -> Vec<serde_json::Value> {
    let setting = |setting: &EffectiveSetting| {
        let origin = match &setting.origin {
            Origin::Flag(name) => json!({ "kind": "flag", "name": name }),
            Origin::Variable(name) => json!({ "kind": "variable", "name": name }),
            Origin::File { line } => json!({ "kind": "file", "line": line }),
            Origin::Default => json!({ "kind": "default" }),
            Origin::Unset => json!({ "kind": "unset" }),
        };
        let value = setting.value.as_ref().and_then(|value| serde_json::to_value(value).ok());
        json!({ "key": setting.key, "value": value, "origin": origin })
    };
    effective.settings.iter().map(setting).collect()
}

/// A file and its faults.
#[derive(Serialize)]
struct Checked {
    format_version: u32,
    file: String,
    faults: Vec<Fault>,
}

#[derive(Serialize)]
struct Fault {
    line: usize,
    column: usize,
    message: String,
}

fn check(path: &Path, is_explicit: bool, form: TextOrJson, notes: Notes) -> Result<Exit, Failure> {
    let text = match files::read_text(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && !is_explicit => {
            require_home(path)?;
            notes.note(format_args!("{} doesn't exist, so the defaults are in force", path.display()));
            String::new()
        }
        Err(error) => {
            let failure = Failure::usage(format_args!("couldn't read {}: {}", path.display(), files::reason(&error)));
            return Err(failure.hint("name another file, or create it with `segtui config edit`"));
        }
    };
    let faults = config::faults(&text, path);
    if let Some(mode) = exposed_key_mode(path, &text) {
        notes.note(exposed_key_note(path, mode));
    }
    print(&match form {
        TextOrJson::Text if faults.is_empty() => format!("{}: no faults\n", printable(&path.display().to_string())),
        TextOrJson::Text => faults.iter().map(|fault| printable(&fault.to_string()).into_owned() + "\n").collect(),
        TextOrJson::Json => {
            let fault =
                |fault: &FaultInFile| Fault { line: fault.line, column: fault.column, message: fault.what.clone() };
            let file = path.display().to_string();
            json_line(&Checked { format_version: FORMAT_VERSION, file, faults: faults.iter().map(fault).collect() })?
        }
    })?;
    Ok(if faults.is_empty() { Exit::Done } else { Exit::Usage })
}

/// Returns the note that a file with a key is accessible to others. It is not a fault of the file's content.
pub(super) fn exposed_key_note(path: &Path, mode: u32) -> String {
    let path = path.display();
    format!("{path} has an API key and others can access it (mode {mode:04o}); run `chmod 600 {path}`")
}

/// Returns the mode of a file that contains a key and is accessible to others.
pub(super) fn exposed_key_mode(path: &Path, text: &str) -> Option<u32> {
    let has_key = config::File::read(text, path).is_ok_and(|file| file.has_key());
    files::exposed_mode(path).filter(|_| has_key)
}

/// Returns the number of faults in words.
fn fault_count(faults: &[FaultInFile]) -> String {
    counted(faults.len(), Noun::Fault)
}
