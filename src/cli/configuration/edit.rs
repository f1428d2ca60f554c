//! `segtui config edit`: edits a copy, which replaces the file once it has no faults.
//!
//! The copy contains the file's keys, so an unchanged one is never kept. A changed one is the user's work: it is named, and
//! offered the next time. Its name depends on the text that it is a copy of, so it never replaces a later version.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};

use crate::config::{self, Environment, Flags, Paths};
use crate::files::{self, Readers};
use crate::terminal;

use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::notes::Notes;
use super::{fault_count, require_home};

/// The content of a new file: only comments.
const TEMPLATE: &str = "\
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
    require_home(&path)?;
    // A file with faults, which may be the reason to edit it, doesn't say which variables hold keys.
    let key_variables =
        config::interface(flags, environment, paths).map(|interface| interface.key_variables).unwrap_or_default();
    let before = text_of(&path)?;
    let initial_text = before.as_deref().unwrap_or(TEMPLATE);
    let draft = match find_leftover_draft(&path, initial_text, notes) {
        Some(draft) => draft,
        None => create_draft(&path, initial_text)?,
    };
    loop {
        if let Err(fault) = terminal::edit_file(&draft, &key_variables).await {
            let is_unedited = files::read_text(&draft).is_ok_and(|text| text == initial_text);
            let failure = Failure::failed(fault);
            return Err(if is_unedited {
                remove(&draft, notes);
                failure.hint("set VISUAL or EDITOR")
            } else {
                failure.hint(format_args!("set VISUAL or EDITOR; what was edited is {}", draft.display()))
            });
        }
        let text = files::read_text(&draft).map_err(|error| {
            Failure::failed(format_args!("couldn't read {}: {}", draft.display(), files::reason(&error)))
                .hint("edit the file again")
        })?;
        // An editor that was interrupted may leave an empty file; nobody wants to lose all profiles that way.
        if text == initial_text || text.trim().is_empty() {
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
        if !confirm_edit_again() {
            let what = format!("{} is unchanged: the edited copy has {}", path.display(), fault_count(&faults));
            let hint =
                format_args!("run `segtui config edit` in a terminal to go on with the copy, {}", draft.display());
            return Err(Failure::usage(what).hint(hint));
        }
    }
}

/// Returns the content of a file, or `None` if it doesn't exist.
fn text_of(path: &Path) -> Result<Option<String>, Failure> {
    match files::read_text(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::failed(format_args!("couldn't read {}: {}", path.display(), files::reason(&error)))
            .hint("name another file with --config")),
    }
}

/// Returns the copy that an earlier edit of the same text left, if the user wants to continue with it. Without a terminal it is
/// only named: a script starts from the file.
fn find_leftover_draft(path: &Path, initial_text: &str, notes: Notes) -> Option<PathBuf> {
    let prefix = prefix(path, initial_text);
    let entries = fs::read_dir(folder(path)).ok()?.flatten();
    let drafts = entries.filter(|entry| {
        let name = entry.file_name();
        name.to_str().is_some_and(|name| name.starts_with(&prefix) && name.ends_with(DRAFT_SUFFIX))
    });
    let changed = |entry: &fs::DirEntry| entry.metadata().and_then(|metadata| metadata.modified()).ok();
    let draft = drafts.max_by_key(changed)?.path();
    if !is_interactive() {
        notes.note(format_args!("an earlier edit left {}, which isn't used", draft.display()));
        return None;
    }
    if confirm(&format!("An earlier edit left {}. Go on with it? `n` deletes it. [Y/n] ", draft.display())) {
        return Some(draft);
    }
    remove(&draft, notes);
    None
}

const DRAFT_SUFFIX: &str = ".toml";

/// Returns the start of a copy's name.
fn prefix(path: &Path, initial_text: &str) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let mut hasher = DefaultHasher::new();
    initial_text.hash(&mut hasher);
    // Enough to tell one version from the next, and too little to reveal anything about its keys.
    format!("{stem}-edit-{:04x}-", hasher.finish() & 0xffff)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Creates a copy next to the file, readable only by its owner, with an extension by which editors recognise the language.
fn create_draft(path: &Path, text: &str) -> Result<PathBuf, Failure> {
    let folder = folder(path);
    let write = || -> io::Result<PathBuf> {
        files::create_folder(folder)?;
        let mut file = tempfile::Builder::new().prefix(&prefix(path, text)).suffix(DRAFT_SUFFIX).tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        let (_closed, path) = file.keep()?;
        Ok(path)
    };
    write().map_err(|error| {
        Failure::failed(format_args!("couldn't write a copy into {}: {}", folder.display(), files::reason(&error)))
            .hint("make the folder writable, or name a file elsewhere with --config")
    })
}

/// Replaces the file with the copy, unless another program has changed the file meanwhile.
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

/// Asks whether to edit again; the answer is no without a terminal.
fn confirm_edit_again() -> bool {
    is_interactive() && confirm("Edit again? [Y/n] ")
}

fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn confirm(question: &str) -> bool {
    terminal::prompt(question);
    let mut answer = String::new();
    match io::stdin().lock().read_line(&mut answer) {
        Ok(1..) => !answer.trim_start().starts_with(['n', 'N']),
        _ => false,
    }
}
