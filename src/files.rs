//! Putting a file in the place of another, so that no moment has half of it and nothing else than that file is touched.
//!
//! What is written first has a name that nobody can guess, in the same folder, and belongs to the person only. A link goes on
//! pointing where it did, and what it points to is replaced. Only regular files are: what is a pipe or a device is written to, as
//! a shell's redirection would, and a path that names an open descriptor (`/dev/stdout`, `/dev/fd/3`) means what that is open
//! for, at its end.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::platform;

/// Who may read a file that is put in the place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Whoever could read the one before; the person only, when there was none.
    AsBefore,
    /// The person only, whatever was before.
    PersonOnly,
}

/// Puts what is written in the place of a file, all of it or nothing. What is no regular file, or an open descriptor, is written
/// to instead.
///
/// # Errors
///
/// What the system refuses; the former file is as it was then.
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

/// Whether [`replace_file`] would find a folder to write in, or something else that can be written to.
///
/// # Errors
///
/// What the system would refuse, as far as can be told without writing.
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

/// Whether two paths lead to one file, through whatever links, so that writing to one of them would overwrite the other. What is no
/// regular file, such as a pipe or `/dev/null`, is nobody's to be overwritten.
#[must_use]
pub fn is_same_file(one: &Path, other: &Path) -> bool {
    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(of_one), Ok(of_other)) => of_one.is_file() && of_other.is_file() && platform::is_same_file(one, other),
        // What isn't there yet is where it will be.
        (Err(_), Err(_)) => match (future_place(one), future_place(other)) {
            (Some(one), Some(other)) => one == other,
            _ => one == other,
        },
        _ => false,
    }
}

/// Where a file will be that isn't there yet.
fn future_place(path: &Path) -> Option<PathBuf> {
    let Place::File(place) = place(path).ok()? else { return None };
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(fs::canonicalize(folder).ok()?.join(place.file_name()?))
}

/// What the system said, in words without numbers.
pub fn reason(error: &io::Error) -> String {
    match (error.raw_os_error(), error.kind()) {
        (None, _) => error.to_string(),
        (_, io::ErrorKind::NotFound) => "no such file or folder".into(),
        (_, kind) if kind.to_string() == UNSORTED => without_number(&error.to_string()),
        (_, kind) => kind.to_string(),
    }
}

/// What the standard library calls what it has no kind for; the kind itself has no name that can be written.
const UNSORTED: &str = "uncategorized error";

/// "No such device or address (os error 6)" says no more than "no such device or address".
fn without_number(words: &str) -> String {
    let words = words.rsplit_once(" (os error ").map_or(words, |(words, _)| words);
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// Where a path leads.
enum Place {
    /// To what is at this path, or to nothing yet.
    File(PathBuf),
    /// To a descriptor that is open already, under this path.
    Descriptor(PathBuf),
}

/// Follows links, which may lead to nothing yet.
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
            // What is no link.
            Err(_) => return Ok(Place::File(place)),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// Whether a path stands among the open descriptors of a process.
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

/// A new file in the folder of another.
fn file_beside(place: &Path) -> io::Result<NamedTempFile> {
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    NamedTempFile::new_in(folder).map_err(|error| {
        let why =
            if error.kind() == io::ErrorKind::NotFound { "it doesn't exist".into() } else { error.kind().to_string() };
        io::Error::new(error.kind(), format!("can't create a file in the folder {}: {why}", folder.display()))
    })
}

fn write_into(place: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    // A regular file can only come here as an open descriptor, and what stands in it stays.
    let mut out = BufWriter::new(OpenOptions::new().append(true).open(place)?);
    write(&mut out)?;
    out.flush()
}

/// Creates a folder of the program's own, with those above it. It is nobody else's business; one that is there stays as it is.
///
/// # Errors
///
/// What the system refuses.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    platform::make_folder_private(&mut builder).create(folder)
}

/// More than any text that a person writes for the program.
const LONGEST_TEXT: u64 = 16 << 20;

/// The text of a file. A pipe is read where it is open already: any other could be waited for without end.
///
/// # Errors
///
/// What the system refuses, what is no text, and what is far too long.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read_bytes(path)?).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it isn't UTF-8 text"))
}

/// The bytes of a file, as [`read_text`] reads its text.
///
/// # Errors
///
/// What the system refuses, and what is far too long.
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

/// The rights of a file if others than its owner can read or write it and the person could change that, as ssh judges the files
/// of keys: it belongs to the person, and not to a file system that can't be written to, as where a container's secrets are.
#[must_use]
pub fn open_to_others(path: &Path) -> Option<u32> {
    platform::open_to_others(path)
}

/// A pipe at a path of its own is opened only when somebody else opens its other end.
fn refuse_pipe(path: &Path) -> io::Result<()> {
    if let Ok(there) = fs::metadata(path)
        && platform::is_pipe(there.file_type())
        && matches!(place(path)?, Place::File(_))
    {
        return Err(io::Error::other("it is a pipe"));
    }
    Ok(())
}

/// Takes the rights of others from a file or folder of the program's own, if they have any. What is not there needs none.
///
/// # Errors
///
/// What the system refuses.
pub fn keep_private(path: &Path) -> io::Result<()> {
    platform::keep_private(path)
}

/// For opening files: a new one is readable by nobody else.
#[must_use]
pub fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    platform::make_private(&mut options);
    options
}

/// A new or present file for writing at its end, readable by nobody else if it is new. A pipe is written to where it is open already.
///
/// # Errors
///
/// What the system refuses.
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
    fn a_file_keeps_its_readers_and_a_new_one_has_none_but_the_person() {
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
    fn a_link_goes_on_pointing_where_it_did() {
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
    fn an_open_descriptor_is_written_to_at_its_end_whatever_it_is_open_for() {
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
    fn a_pipe_that_nobody_writes_into_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(read_text(&pipe).unwrap_err().to_string().contains("pipe"));
        assert!(append_privately(&pipe).unwrap_err().to_string().contains("pipe"));
    }

    #[test]
    fn what_others_could_read_before_they_can_not_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        keep_private(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        keep_private(folder.path()).unwrap();
        assert_eq!(mode(folder.path()), 0o700);
        keep_private(&folder.path().join("nothing")).unwrap();
    }

    #[test]
    fn a_text_without_end_is_not_read_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long");
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(read_text(&path).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_folder_and_a_failure_leave_everything_as_it_was() {
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
