//! The file that keeps how far the changes were dealt with: the step to resume from, and of which tenant.
//!
//! It is replaced whole each time, so that whatever ends the program, one step or the other stands there. One program at a time has it.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files::{self, Readers};
use crate::segment::Step;

use super::super::failure::Failure;

const FORMAT_VERSION: u32 = 1;

/// What stands in the file.
#[derive(Debug, Serialize, Deserialize)]
struct Written {
    format_version: u32,
    tenant: String,
    host: String,
    step: i64,
}

/// An open file.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    tenant: String,
    host: String,
    step: Option<Step>,
    /// Held for as long as the file is written here.
    _lock: File,
}

impl StateFile {
    /// Opens a file, which need not be there yet, for a tenant.
    pub fn open(path: &Path, tenant: &str, host: &str) -> Result<Self, Failure> {
        let lock = lock(path)?;
        let step = match files::read_text(path) {
            Ok(text) => Some(read(&text, path, tenant, host)?),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                let failure = Failure::failed(format_args!(
                    "couldn't read the state {}: {}",
                    path.display(),
                    files::reason(&error)
                ));
                return Err(failure.hint("name another file with --state"));
            }
        };
        Ok(Self { path: path.to_owned(), tenant: tenant.to_owned(), host: host.to_owned(), step, _lock: lock })
    }

    /// The step to resume from, `None` for a new file.
    pub const fn step(&self) -> Option<Step> {
        self.step
    }

    /// Moves it on.
    pub fn save(&mut self, step: Step) -> Result<(), Failure> {
        if self.step == Some(step) {
            return Ok(());
        }
        let (tenant, host) = (self.tenant.clone(), self.host.clone());
        let written = Written { format_version: FORMAT_VERSION, tenant, host, step: step.0 };
        let saved = serde_json::to_string(&written)
            .map_err(io::Error::from)
            .and_then(|json| files::replace_file(&self.path, Readers::AsBefore, |out| writeln!(out, "{json}")));
        saved.map_err(|error| {
            Failure::failed(format_args!("couldn't write the state {}: {}", self.path.display(), files::reason(&error)))
                .hint(format_args!("make room or name another file; all before step {step} is dealt with"))
        })?;
        self.step = Some(step);
        Ok(())
    }
}

/// The right to write a file, which lasts as long as the program. The file itself is replaced, so another one stands for it.
fn lock(path: &Path) -> Result<File, Failure> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let failed = |error: io::Error| {
        Failure::failed(format_args!("couldn't lock the state {}: {}", path.display(), files::reason(&error)))
            .hint("name a file in a folder that exists and that you can write to")
    };
    let file = files::append_privately(Path::new(&name)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Failure::failed(format_args!("another segtui is using the state {}", path.display()))
                .hint("stop it first, or name another file with --state"))
        }
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn read(text: &str, path: &Path, tenant: &str, host: &str) -> Result<Step, Failure> {
    let shown = path.display();
    let faulty = |what: String| Failure::usage(format_args!("couldn't use the state {shown}: {what}"));
    let read: Written = serde_json::from_str(text).map_err(|_| {
        faulty("it has another form".into())
            .hint("is it a file that `watch --state` wrote? Name another one, or remove it to begin now")
    })?;
    if read.format_version != FORMAT_VERSION {
        return Err(faulty(format!("a newer segtui wrote it (version {})", read.format_version)).hint("use that one"));
    }
    if (read.tenant.as_str(), read.host.as_str()) != (tenant, host) {
        let what = format!("it is that of {} at {}, not of {tenant} at {host}", read.tenant, read.host);
        return Err(faulty(what).hint("name another file for this tenant"));
    }
    Ok(Step(read.step))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_keeps_the_step_of_one_tenant_and_one_program_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let mut state = StateFile::open(&path, "acme", "one.example").unwrap();
        assert_eq!(state.step(), None);
        state.save(Step(7)).unwrap();
        let text = "{\"format_version\":1,\"tenant\":\"acme\",\"host\":\"one.example\",\"step\":7}\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        let second = StateFile::open(&path, "acme", "one.example").unwrap_err();
        assert!(second.to_string().contains("another segtui is using the state"), "{second}");
        drop(state);
        assert_eq!(StateFile::open(&path, "acme", "one.example").unwrap().step(), Some(Step(7)));
        for (tenant, host) in [("acme", "other.example"), ("other", "one.example")] {
            let other = StateFile::open(&path, tenant, host).unwrap_err().to_string();
            assert!(other.contains("it is that of acme at one.example"), "{other}");
        }
    }

    #[test]
    fn what_is_no_state_is_refused_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        for text in ["", "7", "{\"format_version\":2,\"tenant\":\"a\",\"host\":\"b\",\"step\":1}"] {
            fs::write(&path, text).unwrap();
            assert!(StateFile::open(&path, "a", "b").is_err(), "{text}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
