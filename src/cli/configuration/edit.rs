//! Editing the configuration: a copy, which takes the file's place when nothing is wrong with it.

use std::fs;
use std::io::{self, BufRead, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};

use crate::config::{self, Environment, Flags, Paths};
use crate::files::{self, Readers};
use crate::terminal;

use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::notes::Notes;
use super::{number_of, somewhere};

/// What a new file begins with: it says nothing.
const NEW: &str = "\
# Configuration of segtui. `segtui config show` lists all settings, `segtui config schema` prints a schema for editors.
#
# default_profile = \"acme\"
#
# [profiles.acme]
# base_url = \"https://one.example\"
# tenant = \"acme\"
# api_key_command = [\"pass\", \"show\", \"one/acme\"]   # or api_key_file, api_key_env, api_key
";

pub(super) async fn run(
    flags: &Flags,
    environment: Environment<'_>,
    paths: &Paths,
    notes: Notes,
) -> Result<Exit, Failure> {
    let (path, _) = config::config_path(flags, environment, paths);
    somewhere(&path)?;
    // A file with faults, which is what is to be mended, doesn't say which variables hold keys.
    let key_variables =
        config::interface(flags, environment, paths).map(|interface| interface.key_variables).unwrap_or_default();
    let before = text_of(&path)?;
    let begun_with = before.as_deref().unwrap_or(NEW);
    let draft = draft(&path, begun_with)?;
    loop {
        terminal::edit_file(&draft, &key_variables).await.map_err(|fault| {
            Failure::failed(fault).hint(format_args!("set VISUAL or EDITOR; what was edited is {}", draft.display()))
        })?;
        let text = files::read_text(&draft).map_err(|error| {
            Failure::failed(format_args!("couldn't read {}: {}", draft.display(), files::reason(&error)))
                .hint("edit the file again")
        })?;
        if text == begun_with {
            remove(&draft, notes);
            notes.note("nothing was changed");
            return Ok(Exit::Done);
        }
        let faults = config::faults(&text, &path);
        if faults.is_empty() {
            replace(&path, before.as_deref(), &text, &draft)?;
            remove(&draft, notes);
            return Ok(Exit::Done);
        }
        for fault in &faults {
            terminal::write_line(crate::printable::printable(&fault.to_string()));
        }
        if !goes_on() {
            let what = format!("{} is unchanged: the edited copy has {}", path.display(), number_of(&faults));
            return Err(Failure::usage(what).hint(format_args!("the copy is {}", draft.display())));
        }
    }
}

/// What the file says, `None` when it is not there.
fn text_of(path: &Path) -> Result<Option<String>, Failure> {
    match files::read_text(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::failed(format_args!("couldn't read {}: {}", path.display(), files::reason(&error)))
            .hint("name another file with --config")),
    }
}

/// A copy beside the file, as private as the folder of the configuration, with an ending by which editors know the language.
fn draft(path: &Path, text: &str) -> Result<PathBuf, Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> io::Result<PathBuf> {
        files::create_folder(folder)?;
        let mut file = tempfile::Builder::new().prefix("config-edit-").suffix(".toml").tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        let (_closed, path) = file.keep()?;
        Ok(path)
    };
    write().map_err(|error| {
        Failure::failed(format_args!("couldn't write a copy into {}: {}", folder.display(), files::reason(&error)))
            .hint("make the folder writable, or name a file elsewhere with --config")
    })
}

/// Puts the copy in the place of the file, unless that has been changed by somebody else.
fn replace(path: &Path, before: Option<&str>, text: &str, draft: &Path) -> Result<(), Failure> {
    if text_of(path)?.as_deref() != before {
        let what = format!("{} was changed by another program while you edited it", path.display());
        return Err(Failure::failed(what).hint(format_args!("merge your copy into it: {}", draft.display())));
    }
    files::replace_file(path, Readers::AsBefore, |out| out.write_all(text.as_bytes())).map_err(|error| {
        Failure::failed(format_args!("couldn't write {}: {}", path.display(), files::reason(&error)))
            .hint(format_args!("what you edited is {}", draft.display()))
    })
}

fn remove(draft: &Path, notes: Notes) {
    if let Err(error) = fs::remove_file(draft) {
        notes.note(format_args!("couldn't remove {}: {}", draft.display(), files::reason(&error)));
    }
}

/// Whether the person wants to go on editing. Where nobody can be asked, nobody does.
fn goes_on() -> bool {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return false;
    }
    terminal::ask("Edit again? [Y/n] ");
    let mut answer = String::new();
    match io::stdin().lock().read_line(&mut answer) {
        Ok(1..) => !answer.trim_start().starts_with(['n', 'N']),
        _ => false,
    }
}
