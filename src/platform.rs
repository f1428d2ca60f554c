//! What Unix and Windows do differently: shells and groups of processes, folders, the rights of files, limits of the process, modes of
//! the terminal. Both sides offer the same functions, so that no other module asks which system it is on; `tests/architecture.rs`
//! lists the few that still have to.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::path::{Path, PathBuf};

#[cfg(unix)]
pub use unix::*;
#[cfg(windows)]
pub use windows::*;

/// The folders below which programs have their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseFolders {
    /// For what a person writes.
    pub config: PathBuf,
    /// For what a program notes for itself, such as a log.
    pub state: PathBuf,
    /// For what a program keeps.
    pub data: PathBuf,
}

impl BaseFolders {
    /// Those of the XDG base directory specification for a home.
    #[must_use]
    pub fn below(home: &Path) -> Self {
        Self { config: home.join(".config"), state: home.join(".local/state"), data: home.join(".local/share") }
    }
}
