//! Unix: process groups and signals, file modes, `termios`.

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

/// The variable with the user's home.
pub const HOME: &str = "HOME";
/// The fallback editor, available on practically every system with a terminal.
pub const DEFAULT_EDITOR: &str = "vi";
/// The separator between the programs in `$BROWSER`.
pub const BROWSER_SEPARATOR: char = ':';
/// Whether terminals ignore unknown sequences, unless `$TERM` says otherwise.
pub const IGNORES_UNKNOWN_SEQUENCES: bool = true;

/// Returns the base folders; `None` without a home in the environment.
pub fn base_folders(environment: &dyn Fn(&str) -> Option<String>) -> Option<BaseFolders> {
    let home = environment(HOME).map(PathBuf::from).filter(|home| home.is_absolute())?;
    Some(BaseFolders::below(&home))
}

/// Splits a command line like a shell; `None` if a quote is not closed.
pub fn words(line: &str) -> Option<Vec<String>> {
    shell_words::split(line).ok()
}

/// Returns a shell that runs a command line.
pub fn shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line]);
    command
}

/// Makes a program the leader of a [`ProcessGroup`], so that it can be ended together with its child processes and gets no
/// signals from the terminal's keys.
pub fn new_process_group(command: &mut Command) {
    command.process_group(0);
}

/// Returns this program's stderr for use as a child's stdout.
///
/// # Errors
///
/// The descriptor can't be duplicated.
pub fn stderr_for_child() -> io::Result<Stdio> {
    Ok(io::stderr().as_fd().try_clone_to_owned()?.into())
}

/// Returns the command that opens a URL, without the URL; `None` if the user would not see the result.
pub fn opener(environment: &dyn Fn(&str) -> Option<String>) -> Option<&'static [&'static str]> {
    let is_set = |name: &str| environment(name).is_some_and(|value| !value.trim().is_empty());
    if cfg!(target_os = "macos") {
        Some(&["open"])
    } else {
        (is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")).then_some(&["xdg-open"])
    }
}

/// A program and its child processes. Dropping it kills what is left of them.
pub struct ProcessGroup(Option<u32>);

impl ProcessGroup {
    /// Returns the group of a child that was started with [`new_process_group`].
    #[must_use]
    pub fn of(child: &Child) -> Self {
        Self(child.id())
    }

    /// Asks the group to end. Stopped processes are continued, or they would not react.
    pub fn terminate(&mut self) {
        self.send(Signal::TERM);
        self.send(Signal::CONT);
    }

    /// Kills the group.
    pub fn kill(&mut self) {
        self.send(Signal::KILL);
    }

    /// Releases the group after the program has exited; remaining processes can stay.
    pub fn release(&mut self) {
        self.0 = None;
    }

    fn send(&self, signal: Signal) {
        let process = self.0.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(Err(error)) = process.map(|process| kill_process_group(process, signal)) {
            tracing::debug!(%error, "nothing of the program is left");
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Makes a new file accessible only to the user.
pub fn make_private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

/// Makes a new folder accessible only to the user.
pub fn make_folder_private(builder: &mut DirBuilder) -> &mut DirBuilder {
    builder.mode(0o700)
}

/// Returns the mode of a file that others can access, if the user can change that: it must be the user's own, and not on a
/// read-only file system, as a container's secrets are.
pub fn exposed_mode(path: &Path) -> Option<u32> {
    let metadata = fs::metadata(path).ok()?;
    let is_own = metadata.uid() == rustix::process::geteuid().as_raw();
    let is_fixed =
        rustix::fs::statvfs(path).is_ok_and(|system| system.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY));
    let mode = metadata.mode() & 0o777;
    (metadata.is_file() && is_own && !is_fixed && mode & 0o077 != 0).then_some(mode)
}

/// Removes access for group and others from a file or folder. A path that can't be examined is left alone.
///
/// # Errors
///
/// The permissions can't be changed.
pub fn restrict_to_owner(path: &Path) -> io::Result<()> {
    let Ok(metadata) = fs::metadata(path) else { return Ok(()) };
    let mode = metadata.permissions().mode();
    if mode & 0o077 != 0 {
        return fs::set_permissions(path, Permissions::from_mode(mode & 0o7700));
    }
    Ok(())
}

/// Whether it is a named pipe, where opening blocks until the other end is opened too.
pub fn is_pipe(kind: FileType) -> bool {
    kind.is_fifo()
}

/// Whether a path leads to an open file.
///
/// # Errors
///
/// The file or the path can't be examined.
pub fn is_file_at(file: &File, path: &Path) -> io::Result<bool> {
    let own = file.metadata()?;
    match fs::metadata(path) {
        Ok(metadata) => Ok((metadata.dev(), metadata.ino()) == (own.dev(), own.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Disables core dumps.
///
/// # Errors
///
/// The limit can't be set.
pub fn disable_core_dumps() -> io::Result<()> {
    Ok(setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?)
}

/// Raises the limit of open files to at least `wanted`.
///
/// # Errors
///
/// The highest possible limit, if it can't be raised that far.
pub fn raise_open_file_limit(wanted: u64) -> Result<(), u64> {
    let limit = getrlimit(Resource::Nofile);
    let (allowed, max) = (limit.current.unwrap_or(u64::MAX), limit.maximum.unwrap_or(u64::MAX));
    if allowed >= wanted {
        return Ok(());
    }
    let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
    if max < wanted || setrlimit(Resource::Nofile, raised).is_err() { Err(max) } else { Ok(()) }
}

/// Whether both paths lead to the same existing file.
#[must_use]
pub fn is_same_file(one: &std::path::Path, other: &std::path::Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |path| std::fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()));
    matches!((identity(one), identity(other)), (Ok(one), Ok(other)) if one == other)
}

/// The line modes of the terminal.
pub struct LineModes(Termios);

impl LineModes {
    /// Returns the current modes; `None` if stdin is not a terminal.
    pub fn current() -> Option<Self> {
        tcgetattr(io::stdin()).ok().map(Self)
    }

    /// Restores the modes.
    ///
    /// # Errors
    ///
    /// The terminal refuses them.
    pub fn restore(&self) -> io::Result<()> {
        Ok(tcsetattr(io::stdin(), OptionalActions::Drain, &self.0)?)
    }
}
