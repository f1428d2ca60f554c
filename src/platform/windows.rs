//! Windows: `cmd`, job objects, known folders. File permissions are left to the user's profile folder, which is closed to other
//! users; `docs/windows.md` has the other differences.

use std::fs::{DirBuilder, File, FileType, OpenOptions};
use std::io;
use std::os::windows::io::AsHandle;
use std::path::Path;
use std::process::Stdio;

use etcetera::BaseStrategy;
use tokio::process::{Child, Command};
use win32job::{ExtendedLimitInfo, Job, JobError};

use super::BaseFolders;

/// The variable with the user's home.
pub const HOME: &str = "USERPROFILE";
/// The fallback editor, available on every system; it runs until the file is closed.
pub const DEFAULT_EDITOR: &str = "notepad";
/// The separator between the programs in `$BROWSER`; a colon would be ambiguous with drive letters.
pub const BROWSER_SEPARATOR: char = ';';
/// Whether terminals ignore unknown sequences: the older console prints them.
pub const IGNORES_UNKNOWN_SEQUENCES: bool = false;

/// `CREATE_NEW_PROCESS_GROUP`: keeps ctrl-c at the console from reaching the program.
const NEW_PROCESS_GROUP: u32 = 0x200;

/// Returns the known folders. State and data stay on this machine; configuration roams.
pub fn base_folders(_: &dyn Fn(&str) -> Option<String>) -> Option<BaseFolders> {
    let known = etcetera::base_strategy::Windows::new().ok()?;
    Some(BaseFolders { config: known.config_dir(), state: known.cache_dir(), data: known.cache_dir() })
}

/// Splits a command line like Windows programs do: `\` is part of a path.
#[expect(clippy::unnecessary_wraps, reason = "a quote may stay open on other systems")]
pub fn words(line: &str) -> Option<Vec<String>> {
    Some(winsplit::split(line))
}

/// Returns `cmd` with a command line. `/S` makes it strip only the outer quotes; `/D` skips the registry's `AutoRun` commands.
pub fn shell(line: &str) -> Command {
    let mut command = Command::new("cmd");
    command.raw_arg(format!("/D /S /C \"{line}\""));
    command
}

/// Keeps ctrl-c at the console from a program. Its [`ProcessGroup`] is created after it has started.
pub fn new_process_group(command: &mut Command) {
    command.creation_flags(NEW_PROCESS_GROUP);
}

/// Returns this program's stderr for use as a child's stdout.
///
/// # Errors
///
/// The handle can't be duplicated.
pub fn stderr_for_child() -> io::Result<Stdio> {
    Ok(io::stderr().as_handle().try_clone_to_owned()?.into())
}

/// Returns the command that opens a URL, without the URL.
#[expect(clippy::unnecessary_wraps, reason = "there may be none on other systems")]
pub fn opener(_: &dyn Fn(&str) -> Option<String>) -> Option<&'static [&'static str]> {
    // `cmd /C start` would end the command at an `&` in the URL.
    Some(&["rundll32", "url.dll,FileProtocolHandler"])
}

/// A program and its child processes, in a job that the system kills when its handle is closed: by [`ProcessGroup::kill`], or
/// however this program ends. Processes started before the program was added to the job are not part of it.
pub struct ProcessGroup(Option<Job>);

impl ProcessGroup {
    /// Creates the group of a child.
    #[must_use]
    pub fn of(child: &Child) -> Self {
        let Some(handle) = child.raw_handle() else { return Self(None) };
        let job = Job::create_with_limit_info(ExtendedLimitInfo::new().limit_kill_on_job_close())
            .and_then(|job| job.assign_process(handle as isize).map(|()| job));
        Self(job.inspect_err(|error: &JobError| tracing::warn!(%error, "only the program itself can be ended")).ok())
    }

    /// Kills the group, since there is no signal to ask it to end.
    pub fn terminate(&mut self) {
        self.kill();
    }

    /// Kills the group.
    pub fn kill(&mut self) {
        self.0 = None;
    }

    /// Releases the group after the program has exited; remaining processes can stay.
    pub fn release(&mut self) {
        if let Some(job) = self.0.take()
            && let Err(error) = job.set_extended_limit_info(&ExtendedLimitInfo::new())
        {
            tracing::warn!(%error, "what the program left behind is ended");
        }
    }
}

/// Does nothing: permissions come from the folder.
pub fn make_private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Does nothing: permissions come from the parent folder.
pub fn make_folder_private(builder: &mut DirBuilder) -> &mut DirBuilder {
    builder
}

/// Unknown on Windows.
pub fn exposed_mode(_: &Path) -> Option<u32> {
    None
}

/// Does nothing: permissions come from the folder.
///
/// # Errors
///
/// Never fails on Windows.
#[expect(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
pub fn restrict_to_owner(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Named pipes are not in the file system on Windows.
pub fn is_pipe(_: FileType) -> bool {
    false
}

/// Whether a path leads to an open file.
///
/// # Errors
///
/// The file or the path can't be opened.
pub fn is_file_at(file: &File, path: &Path) -> io::Result<bool> {
    let own = same_file::Handle::from_file(file.try_clone()?)?;
    match same_file::Handle::from_path(path) {
        Ok(at_path) => Ok(at_path == own),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Does nothing: Windows dumps no core unless that is set up for the whole system.
///
/// # Errors
///
/// Never fails on Windows.
#[expect(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
pub fn disable_core_dumps() -> io::Result<()> {
    Ok(())
}

/// Does nothing: Windows has no such limit.
///
/// # Errors
///
/// Never fails on Windows.
#[expect(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
pub fn raise_open_file_limit(_: u64) -> Result<(), u64> {
    Ok(())
}

/// The modes of the console, which other programs reset by themselves.
pub struct LineModes;

impl LineModes {
    /// There are none to keep.
    pub fn current() -> Option<Self> {
        None
    }

    /// Does nothing.
    ///
    /// # Errors
    ///
    /// Never fails on Windows.
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "it is the same on other systems")]
    pub fn restore(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether both paths lead to the same existing file.
#[must_use]
pub fn is_same_file(one: &std::path::Path, other: &std::path::Path) -> bool {
    let identity = |path| std::fs::canonicalize(path);
    matches!((identity(one), identity(other)), (Ok(one), Ok(other)) if one == other)
}
