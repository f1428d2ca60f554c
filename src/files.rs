//! Replaces files atomically, without touching any other file.
//!
//! The new contents are first written to a temporary file in the same folder, with an unguessable name and accessible only to the
//! user. A symbolic link is kept, and its target is replaced. Only regular files are replaced: pipes and devices are written to,
//! like in a shell redirection, and a path that names an open descriptor (`/dev/stdout`, `/dev/fd/3`) is appended to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::platform;

/// Who may read a file that replaces another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// As before; only the user if there was no file.
    AsBefore,
    /// Only the user, whatever was before.
    PersonOnly,
}

/// Replaces a file with what `write` writes, all of it or nothing. A pipe, a device or an open descriptor is written to instead.
///
/// # Errors
///
/// An error of the system; the old file is then unchanged.
pub fn replace_file(
    path: &Path,
    readers: Readers,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let place = match place(path)? {
        Place::Descriptor(path) => return write_into(&path, write),
        Place::File(path) => path,
    };
    match fs::metadata(&place) {
        Ok(there) if there.is_dir() => Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder")),
        Ok(there) if !there.is_file() => write_into(&place, write),
        Ok(there) => put_in_place(&place, (readers == Readers::AsBefore).then(|| there.permissions()), write),
        Err(error) if error.kind() == io::ErrorKind::NotFound => put_in_place(&place, None, write),
        Err(error) => Err(error),
    }
}

/// Checks that [`replace_file`] would find a folder that it can write in, or something else that can be written to.
///
/// # Errors
///
/// The error that is to be expected, as far as it can be known without writing.
pub fn check_target(path: &Path) -> io::Result<()> {
    let Place::File(place) = place(path)? else { return Ok(()) };
    match fs::metadata(&place) {
        Ok(there) if there.is_dir() => Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder")),
        Ok(there) if there.is_file() => file_beside(&place).map(drop),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => file_beside(&place).map(drop),
        Err(error) => Err(error),
    }
}

/// Whether two paths lead to the same file through any links, so that writing to one would overwrite the other. Pipes and devices
/// such as `/dev/null` don't count, since they can't be overwritten.
#[must_use]
pub fn is_same_file(one: &Path, other: &Path) -> bool {
    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(of_one), Ok(of_other)) => of_one.is_file() && of_other.is_file() && platform::is_same_file(one, other),
        // Of files that don't exist yet, the future paths are compared.
        (Err(_), Err(_)) => match (future_place(one), future_place(other)) {
            (Some(one), Some(other)) => one == other,
            _ => one == other,
        },
        _ => false,
    }
}

/// The path of a file that doesn't exist yet, with its folder resolved.
fn future_place(path: &Path) -> Option<PathBuf> {
    let Place::File(place) = place(path).ok()? else { return None };
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(fs::canonicalize(folder).ok()?.join(place.file_name()?))
}

/// The message of a system error, without its number.
pub fn reason(error: &io::Error) -> String {
    match (error.raw_os_error(), error.kind()) {
        (None, _) => error.to_string(),
        (_, io::ErrorKind::NotFound) => "no such file or folder".into(),
        (_, kind) if kind.to_string() == UNSORTED => without_number(&error.to_string()),
        (_, kind) => kind.to_string(),
    }
}

/// The standard library's name for an error without a kind; that kind can't be named in a pattern.
const UNSORTED: &str = "uncategorized error";

/// Turns "No such device or address (os error 6)" into "no such device or address".
fn without_number(words: &str) -> String {
    let words = words.rsplit_once(" (os error ").map_or(words, |(words, _)| words);
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// The target of a path.
enum Place {
    /// The file at this path, which may not exist yet.
    File(PathBuf),
    /// An open descriptor, under this path.
    Descriptor(PathBuf),
}

/// Follows symbolic links, the last of which may be dangling.
fn place(path: &Path) -> io::Result<Place> {
    const LINKS: usize = 40;
    let mut place = path.to_owned();
    for _ in 0..LINKS {
        if is_descriptor(&place) {
            // Its link may lead to `pipe:[7]`, which is no path.
            return Ok(Place::Descriptor(place));
        }
        match fs::read_link(&place) {
            Ok(target) => place = place.parent().map_or_else(|| target.clone(), |folder| folder.join(&target)),
            // Not a symbolic link.
            Err(_) => return Ok(Place::File(place)),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// Whether a path is in the folder of a process's open descriptors.
fn is_descriptor(path: &Path) -> bool {
    let Some(Ok(folder)) = path.parent().map(fs::canonicalize) else { return false };
    folder == Path::new("/dev/fd") || (folder.starts_with("/proc") && folder.ends_with("fd"))
}

fn put_in_place(
    place: &Path,
    permissions: Option<fs::Permissions>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = BufWriter::new(file_beside(place)?);
    write(&mut out)?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    file.as_file().sync_all()?;
    file.persist(place)?;
    Ok(())
}

/// A temporary file in the folder of another.
fn file_beside(place: &Path) -> io::Result<NamedTempFile> {
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    NamedTempFile::new_in(folder).map_err(|error| {
        let why =
            if error.kind() == io::ErrorKind::NotFound { "it doesn't exist".into() } else { error.kind().to_string() };
        io::Error::new(error.kind(), format!("can't create a file in the folder {}: {why}", folder.display()))
    })
}

fn write_into(place: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    // A regular file only gets here as an open descriptor, so its contents are kept.
    let mut out = BufWriter::new(OpenOptions::new().append(true).open(place)?);
    write(&mut out)?;
    out.flush()
}

/// Creates one of the program's folders, with its parents, accessible only to the user. An existing folder is not changed.
///
/// # Errors
///
/// An error of the system.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    platform::make_folder_private(&mut builder).create(folder)
}

/// Larger than any text that a user writes for the program.
const LONGEST_TEXT: u64 = 16 << 20;

/// Reads a file as text. A pipe is only read through an open descriptor: opening any other could block forever.
///
/// # Errors
///
/// An error of the system, invalid UTF-8, or a file that is far too long.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read_bytes(path)?).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it isn't UTF-8 text"))
}

/// Reads a file as bytes, like [`read_text`].
///
/// # Errors
///
/// An error of the system, or a file that is far too long.
pub fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    refuse_pipe(path)?;
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST_TEXT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST_TEXT {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is longer than {} MiB", LONGEST_TEXT >> 20),
        ));
    }
    Ok(bytes)
}

/// The mode of a file that others than its owner can access, if the user could change that, by the rules of ssh for key files:
/// the user owns the file, and it is not on a read-only file system, as a container's secrets are.
#[must_use]
pub fn exposed_mode(path: &Path) -> Option<u32> {
    platform::exposed_mode(path)
}

/// Opening a named pipe blocks until someone opens the other end.
fn refuse_pipe(path: &Path) -> io::Result<()> {
    if let Ok(there) = fs::metadata(path)
        && platform::is_pipe(there.file_type())
        && matches!(place(path)?, Place::File(_))
    {
        return Err(io::Error::other("it is a pipe"));
    }
    Ok(())
}

/// Removes the permissions of others from one of the program's files or folders, if there are any. A missing file is no error.
///
/// # Errors
///
/// An error of the system.
pub fn restrict_to_owner(path: &Path) -> io::Result<()> {
    platform::restrict_to_owner(path)
}

/// Options for opening files. A new file is accessible only to the user.
#[must_use]
pub fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    platform::make_private(&mut options);
    options
}

/// Opens a file for appending; a new one is accessible only to the user. A pipe is only written to through an open descriptor.
///
/// # Errors
///
/// An error of the system.
pub fn append_privately(path: &Path) -> io::Result<File> {
    refuse_pipe(path)?;
    private().create(true).append(true).open(path)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};

    use super::*;

    fn put(path: &Path, text: &str) -> io::Result<()> {
        replace_file(path, Readers::AsBefore, |out| out.write_all(text.as_bytes()))
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_file_keeps_its_readers_and_a_new_one_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.json");
        put(&path, "1").unwrap();
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        put(&path, "2").unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("2", 0o640));
        replace_file(&path, Readers::PersonOnly, |out| out.write_all(b"3")).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_symbolic_link_is_kept_and_its_target_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        symlink("target", &link).unwrap();
        put(&link, "through a link to nothing").unwrap();
        put(&link, "through a link").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&target).unwrap(), "through a link");
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        symlink(&one, &other).unwrap();
        symlink(&other, &one).unwrap();
        assert!(put(&one, "x").is_err());
    }

    #[test]
    fn a_pipe_is_written_to_and_stays_a_pipe() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = {
            let pipe = pipe.clone();
            std::thread::spawn(move || {
                let mut text = String::new();
                File::open(pipe).unwrap().read_to_string(&mut text).unwrap();
                text
            })
        };
        put(&pipe, "into the pipe").unwrap();
        assert_eq!(reader.join().unwrap(), "into the pipe");
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_open_descriptor_is_appended_to() {
        use std::os::fd::AsRawFd;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::write(&path, "before\n").unwrap();
        let log = OpenOptions::new().append(true).open(&path).unwrap();
        let link = folder.path().join("link");
        symlink(format!("/proc/self/fd/{}", log.as_raw_fd()), &link).unwrap();
        for path in [format!("/dev/fd/{}", log.as_raw_fd()).into(), link] {
            put(&path, "more\n").unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "before\nmore\nmore\n");

        let (mut reader, writer) = io::pipe().unwrap();
        put(format!("/dev/fd/{}", writer.as_raw_fd()).as_ref(), "into the pipe").unwrap();
        drop(writer);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "into the pipe");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left beside it");
    }

    #[test]
    fn a_named_pipe_is_refused_instead_of_blocking() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(read_text(&pipe).unwrap_err().to_string().contains("pipe"));
        assert!(append_privately(&pipe).unwrap_err().to_string().contains("pipe"));
    }

    #[test]
    fn permissions_of_others_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        restrict_to_owner(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        restrict_to_owner(folder.path()).unwrap();
        assert_eq!(mode(folder.path()), 0o700);
        restrict_to_owner(&folder.path().join("nothing")).unwrap();
    }

    #[test]
    fn a_file_that_is_too_long_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long");
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(read_text(&path).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(put(folder.path(), "x").unwrap_err().kind(), io::ErrorKind::IsADirectory);
        let path = folder.path().join("out");
        put(&path, "before").unwrap();
        let failed = replace_file(&path, Readers::AsBefore, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("broken"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "before");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
