//! A log file of limited size: a full file is renamed to `.1`, an earlier `.1` to `.2` and so on, and the oldest is dropped.
//!
//! Several programs can write to the same log. One that finds it full locks it to rename it; the next one then sees that the path
//! leads to a new file, and continues there. Anything but a regular file is written to and otherwise left alone.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::files;
use crate::platform;

/// How much of a log is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes from which a file is full. The message that fills it is written whole.
    pub max_bytes: u64,
    /// Number of full files that are kept.
    pub max_rotated: u32,
}

impl Default for Limits {
    /// Enough for weeks at the default level; 32 MiB in total.
    fn default() -> Self {
        Self { max_bytes: 8 << 20, max_rotated: 3 }
    }
}

/// A log file, open for appending.
#[derive(Debug)]
pub(super) struct RotatingFile {
    /// The file's path with links resolved; `None` if the file is not to be rotated.
    path: Option<PathBuf>,
    file: File,
    limits: Limits,
}

impl RotatingFile {
    /// Opens a log. A new file is readable only by its owner.
    pub fn open(path: &Path, limits: Limits) -> io::Result<Self> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            files::create_folder(folder)?;
        }
        let file = files::append_privately(path)?;
        // Files there are already open and belong to whoever opened them.
        let is_special_file = ["/dev", "/proc"].iter().any(|system| path.starts_with(system));
        let is_own = file.metadata()?.is_file() && !is_special_file;
        let path = if is_own { Some(fs::canonicalize(path)?) } else { None };
        Ok(Self { path, file, limits })
    }

    /// Rotates a full file. If that fails, the full file is used: a log that is too long is better than none.
    fn rotate_if_full(&mut self) {
        let Some(path) = self.path.clone() else { return };
        if self.file.metadata().is_ok_and(|metadata| metadata.len() < self.limits.max_bytes) {
            return;
        }
        if let Ok(file) = self.rotate(&path).and_then(|()| files::append_privately(&path)) {
            self.file = file;
        }
    }

    /// Renames the full file, unless another program already has.
    fn rotate(&self, path: &Path) -> io::Result<()> {
        self.file.lock()?;
        let result = if platform::is_file_at(&self.file, path)? { self.shift(path) } else { Ok(()) };
        self.file.unlock()?;
        result
    }

    fn shift(&self, path: &Path) -> io::Result<()> {
        for number in (1..self.limits.max_rotated).rev() {
            match fs::rename(numbered(path, number), numbered(path, number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(path, numbered(path, 1))
    }
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{number}"));
    name.into()
}

impl Write for RotatingFile {
    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        self.rotate_if_full();
        self.file.write_all(message)?;
        Ok(message.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::thread;

    use super::*;

    const SMALL: Limits = Limits { max_bytes: 40, max_rotated: 2 };

    fn files(folder: &Path) -> Vec<(String, String)> {
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap()))
            .collect();
        files.sort();
        files
    }

    #[test]
    fn a_full_file_is_renamed_and_the_oldest_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = RotatingFile::open(&folder.path().join("log"), SMALL).unwrap();
        for number in 0..10 {
            log.write_all(format!("message {number} of twenty.\n").as_bytes()).unwrap();
        }
        let message = |number| format!("message {number} of twenty.\n");
        let expected = [("log", [8, 9]), ("log.1", [6, 7]), ("log.2", [4, 5])];
        let expected = expected.map(|(name, [one, two])| (name.to_owned(), message(one) + &message(two)));
        assert_eq!(files(folder.path()), expected);
    }

    #[test]
    fn several_writers_of_one_log_lose_no_message() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let many = Limits { max_bytes: 400, max_rotated: 200 };
        thread::scope(|scope| {
            for writer in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    let mut log = RotatingFile::open(path, many).unwrap();
                    for number in 0..250 {
                        log.write_all(format!("{writer} {number}\n").as_bytes()).unwrap();
                    }
                });
            }
        });
        let lines: BTreeSet<String> =
            files(folder.path()).iter().flat_map(|(_, text)| text.lines().map(str::to_owned)).collect();
        assert_eq!(lines.len(), 4 * 250);
    }

    #[cfg(unix)]
    #[test]
    fn the_target_of_a_link_is_rotated() {
        let folder = tempfile::tempdir().unwrap();
        let (kept, link) = (folder.path().join("kept"), folder.path().join("link"));
        fs::create_dir(&kept).unwrap();
        std::os::unix::fs::symlink(kept.join("log"), &link).unwrap();
        let mut log = RotatingFile::open(&link, SMALL).unwrap();
        for _ in 0..4 {
            log.write_all(b"a message of some length\n").unwrap();
        }
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(files(&kept).len(), 2);
    }
}
