//! The state file: the tenant, the step to resume from, and the changes after that step that are already handled.
//!
//! It is replaced as a whole, so however the program ends, the file has either the old or the new state. Only one program at a
//! time can use it. The step can't advance with each change: one part of the feed has several, and one that can't be read holds
//! it back.

use std::collections::VecDeque;
use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files::{self, Readers};
use crate::segment::{SegmentId, Step};

use super::super::failure::Failure;

const FORMAT_VERSION: u32 = 1;
/// Most handled changes that are remembered: enough for a burst, few enough to replace the file quickly.
const MAX_HANDLED: usize = 2_000;

/// The result of a change, by which it is recognised when it is delivered again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// The segment.
    pub id: SegmentId,
    /// A digest of its state after the change.
    pub digest: String,
}

/// The content of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Written {
    format_version: u32,
    tenant: String,
    host: String,
    step: i64,
    /// Changes handled after the step, earliest first. Older versions neither write nor need it.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    done: VecDeque<Outcome>,
}

/// An open state file.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    tenant: String,
    host: String,
    step: Option<Step>,
    /// At most one per segment, the last one.
    done: VecDeque<Outcome>,
    is_written: bool,
    /// Held for as long as the file is open.
    _lock: File,
}

impl StateFile {
    /// Opens the state file of a tenant. The file may not exist yet.
    pub fn open(path: &Path, tenant: &str, host: &str) -> Result<Self, Failure> {
        let lock = lock(path)?;
        let (step, done) = match files::read_text(path) {
            Ok(text) => read(&text, path, tenant, host).map(|(step, done)| (Some(step), done))?,
            Err(error) if error.kind() == ErrorKind::NotFound => (None, VecDeque::new()),
            Err(error) => {
                let failure = Failure::failed(format_args!(
                    "couldn't read the state {}: {}",
                    path.display(),
                    files::reason(&error)
                ));
                return Err(failure.hint("name another file with --state"));
            }
        };
        let (path, tenant, host) = (path.to_owned(), tenant.to_owned(), host.to_owned());
        Ok(Self { path, tenant, host, step, done, is_written: true, _lock: lock })
    }

    /// Returns the step to resume from, or `None` for a new file.
    pub const fn step(&self) -> Option<Step> {
        self.step
    }

    /// Whether this is the last handled change of its segment.
    pub fn is_handled(&self, outcome: &Outcome) -> bool {
        self.done.contains(outcome)
    }

    /// Records a handled change.
    pub fn mark_handled(&mut self, outcome: Outcome) {
        self.done.retain(|done| done.id != outcome.id);
        if self.done.len() == MAX_HANDLED {
            self.done.pop_front();
        }
        self.done.push_back(outcome);
        self.is_written = false;
    }

    /// Moves to a step and forgets the changes handled before it.
    pub fn move_to(&mut self, step: Step) {
        if self.step != Some(step) {
            self.step = Some(step);
            self.done.clear();
            self.is_written = false;
        }
    }

    /// Writes the state if it has changed. Without a step there is nothing to resume from, so nothing is written.
    pub fn save(&mut self) -> Result<(), Failure> {
        let Some(step) = self.step.filter(|_| !self.is_written) else { return Ok(()) };
        let (tenant, host) = (self.tenant.clone(), self.host.clone());
        let written = Written {
            format_version: FORMAT_VERSION,
            tenant,
            host,
            step: step.0,
            done: std::mem::take(&mut self.done),
        };
        let saved = serde_json::to_string(&written)
            .map_err(io::Error::from)
            .and_then(|json| files::replace_file(&self.path, Readers::AsBefore, |out| writeln!(out, "{json}")));
        self.done = written.done;
        saved.map_err(|error| {
            Failure::failed(format_args!("couldn't write the state {}: {}", self.path.display(), files::reason(&error)))
                .hint(format_args!("make room or name another file; all before step {step} is dealt with"))
        })?;
        self.is_written = true;
        Ok(())
    }
}

/// Takes the lock for a state file, which lasts as long as the program. It is a separate file, since the state file is replaced.
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

fn read(text: &str, path: &Path, tenant: &str, host: &str) -> Result<(Step, VecDeque<Outcome>), Failure> {
    let shown = path.display();
    let invalid = |what: String| Failure::usage(format_args!("couldn't use the state {shown}: {what}"));
    let read: Written = serde_json::from_str(text).map_err(|_| {
        invalid("it has another form".into())
            .hint("is it a file that `watch --state` wrote? Name another one, or remove it to begin now")
    })?;
    if read.format_version != FORMAT_VERSION {
        return Err(invalid(format!("a newer segtui wrote it (version {})", read.format_version)).hint("use that one"));
    }
    if (read.tenant.as_str(), read.host.as_str()) != (tenant, host) {
        let what = format!("it is that of {} at {}, not of {tenant} at {host}", read.tenant, read.host);
        return Err(invalid(what).hint("name another file for this tenant"));
    }
    Ok((Step(read.step), read.done))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_state_file_serves_one_tenant_and_one_program() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let mut state = StateFile::open(&path, "acme", "one.example").unwrap();
        assert_eq!(state.step(), None);
        state.move_to(Step(7));
        state.save().unwrap();
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
    fn handled_changes_are_remembered_until_the_step_moves_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let outcome = |id: &str, digest: &str| Outcome { id: SegmentId::new(id).unwrap(), digest: digest.into() };
        let mut state = StateFile::open(&path, "acme", "one.example").unwrap();
        state.move_to(Step(7));
        for (id, digest) in [("a", "1"), ("b", "1"), ("a", "2")] {
            state.mark_handled(outcome(id, digest));
            state.save().unwrap();
        }
        drop(state);
        let mut state = StateFile::open(&path, "acme", "one.example").unwrap();
        let known = |state: &StateFile| {
            [("a", "1"), ("a", "2"), ("b", "1")].map(|(id, digest)| state.is_handled(&outcome(id, digest)))
        };
        assert_eq!((state.step(), known(&state)), (Some(Step(7)), [false, true, true]));
        for at in 0..2 * MAX_HANDLED {
            state.mark_handled(outcome(&at.to_string(), "1"));
        }
        assert_eq!((state.done.len(), known(&state)), (MAX_HANDLED, [false; 3]));
        state.move_to(Step(8));
        state.save().unwrap();
        let text = "{\"format_version\":1,\"tenant\":\"acme\",\"host\":\"one.example\",\"step\":8}\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn an_invalid_state_file_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        for text in ["", "7", "{\"format_version\":2,\"tenant\":\"a\",\"host\":\"b\",\"step\":1}"] {
            fs::write(&path, text).unwrap();
            assert!(StateFile::open(&path, "a", "b").is_err(), "{text}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
