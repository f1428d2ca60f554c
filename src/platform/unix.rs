//! The Unix side: process groups and signals, modes of files, `termios`.

use std::fs::{self, DirBuilder, File, FileType, OpenOptions, Permissions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process_group, setrlimit};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::process::{Child, Command};

use super::BaseFolders;

/// The variable that names a person's home.
pub const HOME: &str = "HOME";
/// The editor where no other is chosen: there on every system that has a terminal to speak of.
pub const LAST_EDITOR: &str = "vi";
/// What stands between the programs in `$BROWSER`.
pub const BROWSER_SEPARATOR: char = ':';
/// Whether a terminal ignores the sequences that it doesn't know, unless `$TERM` says otherwise.
pub const IGNORES_UNKNOWN_SEQUENCES: bool = true;

/// Where programs have their folders, as far as the environment tells a home.
pub fn base_folders(environment: &dyn Fn(&str) -> Option<String>) -> Option<BaseFolders> {
    let home = environment(HOME).map(PathBuf::from).filter(|home| home.is_absolute())?;
    Some(BaseFolders::below(&home))
}

/// The words of a command line, as a shell takes it apart; `None` for one with an unclosed quote.
pub fn words(line: &str) -> Option<Vec<String>> {
    shell_words::split(line).ok()
}

/// A shell that runs a command line.
pub fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line]);
    command
}

/// Has a program begin a [`Group`], so that it can be ended with all that it started, and no key of the terminal reaches it.
pub fn lead_group(command: &mut Command) {
    command.process_group(0);
}

/// This program's stderr, as the stdout of another.
///
/// # Errors
///
/// What the system refuses.
pub fn stderr_for_child() -> io::Result<Stdio> {
    Ok(io::stderr().as_fd().try_clone_to_owned()?.into())
}

/// The program that shows an address, with what comes before the address; `None` where nobody would see it.
pub fn opener(environment: &dyn Fn(&str) -> Option<String>) -> Option<&'static [&'static str]> {
    let is_set = |name: &str| environment(name).is_some_and(|value| !value.trim().is_empty());
    if cfg!(target_os = "macos") {
        Some(&["open"])
    } else {
        (is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")).then_some(&["xdg-open"])
    }
}

/// A program and all that it started. What is left of it goes when it is dropped.
pub struct Group(Option<u32>);

impl Group {
    /// That of a child that was started with [`lead_group`].
    #[must_use]
    pub fn of(child: &Child) -> Self {
        Self(child.id())
    }

    /// Asks it to end. What is stopped has to be woken to hear that.
    pub fn ask(&mut self) {
        self.send(Signal::TERM);
        self.send(Signal::CONT);
    }

    /// Ends it.
    pub fn end(&mut self) {
        self.send(Signal::KILL);
    }

    /// It has ended, and what it left behind may stay.
    pub fn let_go(&mut self) {
        self.0 = None;
    }

    fn send(&self, signal: Signal) {
        let process = self.0.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(Err(error)) = process.map(|process| kill_process_group(process, signal)) {
            tracing::debug!(%error, "nothing of the program is left");
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

/// Has a new file be readable by nobody else.
pub fn make_private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

/// Has a new folder be nobody else's business.
pub fn make_folder_private(builder: &mut DirBuilder) -> &mut DirBuilder {
    builder.mode(0o700)
}

/// The rights of a file if others than its owner can read or write it and the person could change that: it belongs to the person,
/// and not to a file system that can't be written to, as where a container's secrets are.
pub fn open_to_others(path: &Path) -> Option<u32> {
    let there = fs::metadata(path).ok()?;
    let is_own = there.uid() == rustix::process::geteuid().as_raw();
    let is_fixed =
        rustix::fs::statvfs(path).is_ok_and(|system| system.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY));
    let mode = there.mode() & 0o777;
    (there.is_file() && is_own && !is_fixed && mode & 0o077 != 0).then_some(mode)
}

/// Takes the rights of others from a file or folder, if they have any. What is not there needs none.
///
/// # Errors
///
/// What the system refuses.
pub fn keep_private(path: &Path) -> io::Result<()> {
    let Ok(there) = fs::metadata(path) else { return Ok(()) };
    let mode = there.permissions().mode();
    if mode & 0o077 != 0 {
        return fs::set_permissions(path, Permissions::from_mode(mode & 0o7700));
    }
    Ok(())
}

/// Whether it is a pipe, which is opened only when somebody else opens its other end.
pub fn is_pipe(kind: FileType) -> bool {
    kind.is_fifo()
}

/// Whether a path leads to an open file.
///
/// # Errors
///
/// What the system refuses.
pub fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let own = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (own.dev(), own.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Has no core be dumped when the program crashes.
///
/// # Errors
///
/// What the system refuses.
pub fn leave_no_core() -> io::Result<()> {
    Ok(setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?)
}

/// Lets at least so many files be open at once.
///
/// # Errors
///
/// How many may be open at most, if that is less.
pub fn allow_open_files(wanted: u64) -> Result<(), u64> {
    let limit = getrlimit(Resource::Nofile);
    let (allowed, most) = (limit.current.unwrap_or(u64::MAX), limit.maximum.unwrap_or(u64::MAX));
    if allowed >= wanted {
        return Ok(());
    }
    let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
    if most < wanted || setrlimit(Resource::Nofile, raised).is_err() { Err(most) } else { Ok(()) }
}

/// Whether two paths lead to one file that is there.
#[must_use]
pub fn is_same_file(one: &std::path::Path, other: &std::path::Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = |path| std::fs::metadata(path).map(|there| (there.dev(), there.ino()));
    matches!((place(one), place(other)), (Ok(one), Ok(other)) if one == other)
}

/// The modes of the terminal's line.
pub struct LineModes(Termios);

impl LineModes {
    /// Those of now; `None` where there are none to ask for.
    pub fn now() -> Option<Self> {
        tcgetattr(io::stdin()).ok().map(Self)
    }

    /// Sets them again.
    ///
    /// # Errors
    ///
    /// What the system refuses.
    pub fn restore(&self) -> io::Result<()> {
        Ok(tcsetattr(io::stdin(), OptionalActions::Drain, &self.0)?)
    }
}
