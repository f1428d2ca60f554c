//! Arguments, subcommands, exit codes.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage, configuration included; 8 done with a part of what there is, since the tenant kept
//! changing or the server's list has holes; 128 and the signal's number when the system asked to end. What a person should read goes to stderr, what a program should read to stdout.

mod arguments;
mod browse;
mod export;
mod link;
mod load;
mod logging;
mod look;
mod places;
mod profile_service;
mod serve_demo;
mod tree;
mod watch;

use std::fmt::{self, Display, Formatter};
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use clap::error::ErrorKind;
use color_eyre::eyre::{Report, WrapErr, eyre};
use tokio::runtime::Runtime;

use crate::config::Paths;
use crate::printable::printable_report;
use crate::terminal;

use arguments::{Arguments, Command};

/// Why the program does not end well.
#[derive(Debug)]
enum Failure {
    /// It was called or configured wrongly. Exit code 2.
    Usage(String),
    /// It could not do what it was asked. Exit code 1.
    Failed(Report),
}

impl From<Report> for Failure {
    fn from(report: Report) -> Self {
        Self::Failed(report)
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) => f.write_str(text),
            Self::Failed(report) => write!(f, "{report:#}"),
        }
    }
}

impl Failure {
    fn usage(error: impl Display) -> Self {
        Self::Usage(error.to_string())
    }
}

/// Runs the program with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return explained(&error),
    };
    match run(arguments) {
        Ok(code) => code,
        Err(failure) => {
            terminal::restore();
            match failure {
                Failure::Usage(words) => {
                    terminal::explain(words);
                    ExitCode::from(2)
                }
                Failure::Failed(report) => {
                    terminal::complain(format_args!("{report:#}"));
                    ExitCode::FAILURE
                }
            }
        }
    }
}

/// Help and version are no errors.
fn explained(error: &clap::Error) -> ExitCode {
    if error.print().is_err() {
        return ExitCode::FAILURE;
    }
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
        _ => ExitCode::from(2),
    }
}

fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let (panic_hook, error_hook) = color_eyre::config::HookBuilder::default().display_env_section(false).into_hooks();
    error_hook.install().wrap_err("couldn't install the error reporter")?;
    // Its own way to report one panics itself where stderr is gone.
    terminal::restore_on_panic(move |panic| {
        terminal::write_line(printable_report(&panic_hook.panic_report(panic).to_string()));
    });
    leave_no_core();
    allow_open_files()?;
    let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let paths = Paths::of(&environment)
        .ok_or_else(|| Failure::usage("no home folder: set HOME, or XDG_CONFIG_HOME and XDG_STATE_HOME"))?;
    let _log = logging::begin(&arguments.log, &paths)?;
    match arguments.command {
        None => browse::run(&arguments.connection, &arguments.look, environment, &paths),
        Some(Command::Export(export)) => {
            let connection = export.connection.clone().or(arguments.connection);
            block_on(export::run(export, connection, environment, paths))?
        }
        Some(Command::Tree(tree)) => {
            let connection = tree.connection.or(arguments.connection);
            block_on(tree::run(connection, arguments.look.ascii, environment, paths))?
        }
        Some(Command::Watch(watch)) => {
            let connection = watch.connection.clone().or(arguments.connection);
            block_on(watch::run(watch, connection, environment, paths))?
        }
        Some(Command::ServeDemo(options)) => block_on(serve_demo::run(options))?,
    }
}

/// A core dump would hold the key and the tenant's data.
fn leave_no_core() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        if let Err(error) = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }) {
            tracing::debug!(%error, "core dumps can't be switched off");
        }
    }
}

/// Files that may have to be open at once: connections, the store, the log, the terminal and what runs in it.
const OPEN_FILES: u64 = 64;

/// Makes sure that enough files may be open at once: some of what the program stands on panics without them.
fn allow_open_files() -> Result<(), Report> {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let (allowed, most) = (limit.current.unwrap_or(u64::MAX), limit.maximum.unwrap_or(u64::MAX));
        if allowed >= OPEN_FILES {
            return Ok(());
        }
        if most < OPEN_FILES {
            return Err(eyre!("only {most} files may be open at once and {OPEN_FILES} are needed: raise `ulimit -n`"));
        }
        setrlimit(Resource::Nofile, Rlimit { current: Some(OPEN_FILES), maximum: limit.maximum })
            .wrap_err("couldn't raise the limit of open files; raise `ulimit -n`")?;
    }
    Ok(())
}

/// How long tasks that still run at the end may take to notice it.
const PATIENCE: Duration = Duration::from_millis(500);

/// Two threads beside this one: one for the network and one in case it is busy reading.
fn runtime() -> Result<Runtime, Report> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .wrap_err("couldn't start the async runtime")
}

fn block_on<T>(task: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = runtime()?;
    let result = runtime.block_on(task);
    runtime.shutdown_timeout(PATIENCE);
    Ok(result)
}
