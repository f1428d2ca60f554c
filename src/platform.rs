//! What differs between Unix and Windows: shells and process groups, folders, file permissions, process limits, terminal modes.
//! Both sides offer the same functions, so that other modules need no platform checks; `tests/architecture.rs` lists the few that
//! still do.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::path::{Path, PathBuf};

#[cfg(unix)]
pub use unix::*;
#[cfg(windows)]
pub use windows::*;

/// The base folders for the folders of programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseFolders {
    /// For configuration.
    pub config: PathBuf,
    /// For state, such as logs.
    pub state: PathBuf,
    /// For data.
    pub data: PathBuf,
}

impl BaseFolders {
    /// Returns the XDG base directories of a home.
    #[must_use]
    pub fn below(home: &Path) -> Self {
        Self { config: home.join(".config"), state: home.join(".local/state"), data: home.join(".local/share") }
    }
}
