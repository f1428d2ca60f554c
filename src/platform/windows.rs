//! The Windows side: `cmd`, job objects, the known folders. Rights of files are left to the person's profile folder, which the system
//! keeps from other people; `docs/windows.md` says what else is different.

use std::fs::{DirBuilder, File, FileType, OpenOptions};
use std::io;
use std::os::windows::io::AsHandle;
use std::path::Path;
use std::process::Stdio;

use etcetera::BaseStrategy;
use tokio::process::{Child, Command};
use win32job::{ExtendedLimitInfo, Job, JobError};

use super::BaseFolders;

/// The variable that names a person's home.
pub const HOME: &str = "USERPROFILE";
/// The editor where no other is chosen: there on every system, and waited for.
pub const LAST_EDITOR: &str = "notepad";
/// What stands between the programs in `$BROWSER`: a colon follows the letter of a drive.
pub const BROWSER_SEPARATOR: char = ';';
/// Whether a terminal ignores the sequences that it doesn't know: the older console prints them.
pub const IGNORES_UNKNOWN_SEQUENCES: bool = false;

/// `CREATE_NEW_PROCESS_GROUP`: ctrl-c at the console doesn't reach it.
const NEW_PROCESS_GROUP: u32 = 0x200;

/// The known folders. What a program keeps stays on this machine, and what a person writes goes along to others.
pub fn base_folders(_: &dyn Fn(&str) -> Option<String>) -> Option<BaseFolders> {
    let known = etcetera::base_strategy::Windows::new().ok()?;
    Some(BaseFolders { config: known.config_dir(), state: known.cache_dir(), data: known.cache_dir() })
}

/// The words of a command line, as programs here take it apart: `\` is part of a path.
#[expect(clippy::unnecessary_wraps, reason = "a quote may stay open on other systems")]
pub fn words(line: &str) -> Option<Vec<String>> {
    Some(winsplit::split(line))
}

/// `cmd` with a command line. With `/S`, it takes off the outer quotes and nothing else; `/D` keeps it from running what the registry
/// says first.
pub fn shell(line: &str) -> Command {
    let mut command = Command::new("cmd");
    command.raw_arg(format!("/D /S /C \"{line}\""));
    command
}

/// Has no key of the console reach a program. Its [`Group`] begins when it has started.
pub fn lead_group(command: &mut Command) {
    command.creation_flags(NEW_PROCESS_GROUP);
}

/// This program's stderr, as the stdout of another.
///
/// # Errors
///
/// What the system refuses.
pub fn stderr_for_child() -> io::Result<Stdio> {
    Ok(io::stderr().as_handle().try_clone_to_owned()?.into())
}

/// The program that shows an address, with what comes before the address.
#[expect(clippy::unnecessary_wraps, reason = "there may be none on other systems")]
pub fn opener(_: &dyn Fn(&str) -> Option<String>) -> Option<&'static [&'static str]> {
    // `cmd /C start` would take a `&` in the address for the end of the command.
    Some(&["rundll32", "url.dll,FileProtocolHandler"])
}

/// A program and all that it started, in a job that the system ends when its handle is closed: by [`Group::end`], or however this
/// program ends. What the program started before it was put into the job is not in it.
pub struct Group(Option<Job>);

impl Group {
    /// That of a child.
    #[must_use]
    pub fn of(child: &Child) -> Self {
        let Some(handle) = child.raw_handle() else { return Self(None) };
        let job = Job::create_with_limit_info(ExtendedLimitInfo::new().limit_kill_on_job_close())
            .and_then(|job| job.assign_process(handle as isize).map(|()| job));
        Self(job.inspect_err(|error: &JobError| tracing::warn!(%error, "only the program itself can be ended")).ok())
    }

    /// There is no signal to ask with: ends it.
    pub fn ask(&mut self) {
        self.end();
    }

    /// Ends it.
    pub fn end(&mut self) {
        self.0 = None;
    }

    /// It has ended, and what it left behind may stay.
    pub fn let_go(&mut self) {
        if let Some(job) = self.0.take()
            && let Err(error) = job.set_extended_limit_info(&ExtendedLimitInfo::new())
        {
            tracing::warn!(%error, "what the program left behind is ended");
        }
    }
}

/// Rights come from the folder.
pub fn make_private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Rights come from the folder above.
pub fn make_folder_private(builder: &mut DirBuilder) -> &mut DirBuilder {
    builder
}

/// Not known here.
pub fn open_to_others(_: &Path) -> Option<u32> {
    None
}

/// Rights come from the folder.
///
/// # Errors
///
/// None here.
#[expect(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
pub fn keep_private(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Named pipes have no place among files.
pub fn is_pipe(_: FileType) -> bool {
    false
}

/// Whether a path leads to an open file.
///
/// # Errors
///
/// What the system refuses.
pub fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let own = same_file::Handle::from_file(file.try_clone()?)?;
    match same_file::Handle::from_path(path) {
        Ok(there) => Ok(there == own),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// No core is dumped here unless somebody has set that up for the whole system.
///
/// # Errors
///
/// None here.
#[expect(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
pub fn leave_no_core() -> io::Result<()> {
    Ok(())
}

/// There is no such limit here.
///
/// # Errors
///
/// None here.
#[expect(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
pub fn allow_open_files(_: u64) -> Result<(), u64> {
    Ok(())
}

/// The modes of the console, which other programs set back by themselves.
pub struct LineModes;

impl LineModes {
    /// There are none to keep.
    pub fn now() -> Option<Self> {
        None
    }

    /// Nothing to set.
    ///
    /// # Errors
    ///
    /// None here.
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "it is the same on other systems")]
    pub fn restore(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether two paths lead to one file that is there.
#[must_use]
pub fn is_same_file(one: &std::path::Path, other: &std::path::Path) -> bool {
    let place = |path| std::fs::canonicalize(path);
    matches!((place(one), place(other)), (Ok(one), Ok(other)) if one == other)
}
