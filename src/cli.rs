//! Entry point of the command line: parses the arguments, runs the command and ends with its exit code.
//!
//! Text for people goes to stderr, output for programs to stdout. Exit codes are in `exit`; errors are in `failure`: a message
//! with a hint, or a JSON object when the output is JSON.

mod apply;
mod arguments;
mod browse;
mod check;
mod columns;
mod completing;
mod configuration;
mod diff;
mod doctor;
mod exit;
mod export;
mod failure;
mod find;
mod get;
mod history;
mod link;
mod listing;
mod load;
mod logging;
mod look;
mod manual;
mod notes;
mod origin;
mod output;
mod paint;
mod places;
mod plan;
mod profile_service;
mod profiles;
mod reference;
mod sending;
mod serve_demo;
mod source;
mod surroundings;
mod table;
mod tree;
mod undo;
mod watch;

use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use color_eyre::eyre::{Report, WrapErr};
use tokio::runtime::Runtime;

use crate::config::Paths;
use crate::platform;
use crate::printable::printable_report;
use crate::terminal;

use arguments::{Arguments, Command, ConnectionArguments, LogArguments, LookArguments, ReportArguments};
use exit::Exit;
use failure::{ErrorForm, Failure};
use logging::Screen;
use notes::Notes;
use paint::Paint;
use surroundings::CommandContext;

/// Runs the program with the process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    if completing::complete_if_requested() {
        return Exit::Done.into();
    }
    let form = arguments::error_form(std::env::args_os());
    let result = match Arguments::try_parse() {
        Ok(arguments) => run(arguments, form),
        Err(error) => match failure::from_clap_error(&error, std::env::args_os()) {
            Some(failure) => Err(failure),
            None => output::on_stdout(error.print()).map(|()| Exit::Done),
        },
    };
    let exit = result.unwrap_or_else(|failure| {
        terminal::restore();
        failure.report(form);
        failure.exit()
    });
    exit.into()
}

fn run(arguments: Arguments, form: ErrorForm) -> Result<Exit, Failure> {
    let (panic_hook, error_hook) = color_eyre::config::HookBuilder::default().display_env_section(false).into_hooks();
    error_hook.install().wrap_err("couldn't install the error reporter")?;
    // color_eyre's own panic hook panics itself if stderr is closed.
    terminal::restore_on_panic(move |panic| {
        terminal::write_line(printable_report(&panic_hook.panic_report(panic).to_string()));
    });
    disable_core_dumps();
    raise_open_file_limit()?;
    let paths = match Paths::of(&environment) {
        Some(paths) => paths,
        None if arguments.command.is_some() => Paths::nowhere(&environment),
        None => {
            let failure = Failure::usage("no home folder for the configuration and the cache");
            return Err(failure.hint("set HOME, or XDG_CONFIG_HOME, XDG_STATE_HOME and XDG_DATA_HOME"));
        }
    };
    let screen = if arguments.command.is_none() { Screen::Interface } else { Screen::Lines };
    let _log = logging::begin(&arguments.log, screen, &paths)?;
    let Arguments { command, connection, look, report, log } = arguments;
    let Some(command) = command else {
        let color = report.color;
        return browse::run(&connection, &look, move |name| color.lookup(name, environment), &paths);
    };
    dispatch(command, &Common { connection, look, report, log, form, paths })
}

/// What every command shares: the global options, the form of errors and the paths.
struct Common {
    connection: ConnectionArguments,
    look: LookArguments,
    report: ReportArguments,
    log: LogArguments,
    form: ErrorForm,
    paths: Paths,
}

impl Common {
    /// Builds the surroundings of a command from its own connection flags and the global ones.
    fn context_for(&self, own: &ConnectionArguments) -> Result<CommandContext, Failure> {
        let connection = own.clone().or(self.connection.clone())?;
        let Self { report, form, look, paths, .. } = self;
        Ok(CommandContext::new(connection, report, *form, look.ascii, environment, paths.clone()))
    }

    fn paint(&self) -> Paint {
        Paint::of_stdout(self.report.color, &environment)
    }

    fn notes(&self) -> Notes {
        Notes::new(&self.report, self.form)
    }

    /// Runs a command that ends by itself, for at most `--timeout`.
    fn run_with_timeout(&self, command: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
        block_on(until_signal_or_timeout(self.report.timeout, command))?
    }
}

fn dispatch(command: Command, common: &Common) -> Result<Exit, Failure> {
    let context = |own: &ConnectionArguments| common.context_for(own);
    let (connection, paths, timeout) = (common.connection.clone(), common.paths.clone(), common.report.timeout);
    match command {
        Command::Find(find) => common.run_with_timeout(find::run(find.clone(), context(&find.connection)?)),
        Command::Get(get) => common.run_with_timeout(get::run(get.clone(), context(&get.connection)?)),
        Command::Tree(tree) => common.run_with_timeout(tree::run(tree.clone(), context(&tree.connection)?)),
        Command::Export(export) => common.run_with_timeout(export::run(export.clone(), context(&export.connection)?)),
        Command::Check(check) => common.run_with_timeout(check::run(check.clone(), context(&check.connection)?)),
        Command::Diff(diff) => common.run_with_timeout(diff::run(diff.clone(), context(&diff.connection)?)),
        Command::Plan(plan) => common.run_with_timeout(plan::run(plan.clone(), context(&plan.connection)?)),
        Command::History(history) => {
            common.run_with_timeout(history::run(history.clone(), context(&history.connection)?))
        }
        Command::Apply(apply) => block_on(apply::run(apply.clone(), context(&apply.connection)?, timeout))?,
        Command::Undo(undo) => block_on(undo::run(undo.clone(), context(&undo.connection)?, timeout))?,
        Command::Completions(options) => completing::run(&options),
        Command::Man(options) => manual::run(&options),
        Command::ServeDemo(options) => block_on(serve_demo::run(options, common.notes()))?,
        Command::Watch(watch) => {
            let connection = watch.connection.clone().or(connection)?;
            block_on(watch::run(watch, connection, environment, paths, common.notes()))?
        }
        Command::Profiles(options) => {
            profiles::run(options, &connection, &environment, &paths, common.notes(), common.paint())
        }
        Command::Config(options) => {
            block_on(configuration::run(options, connection, environment, paths, common.notes()))?
        }
        Command::Doctor(options) => {
            let log_file = common.log.log_file.clone();
            common.run_with_timeout(doctor::run(options, connection, log_file, environment, paths, common.paint()))
        }
    }
}

/// Returns an environment variable, or `None` if it is unset or empty.
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Runs a command until it ends, a signal arrives or `timeout` has passed. Whichever comes first decides the exit code.
async fn until_signal_or_timeout(
    timeout: Option<Duration>,
    command: impl Future<Output = Result<Exit, Failure>>,
) -> Result<Exit, Failure> {
    let timed_out = async {
        match timeout {
            Some(timeout) => tokio::time::sleep(timeout).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        signal = terminal::until_signalled() => {
            let signal = signal.wrap_err("couldn't wait for a signal")?;
            tracing::info!(?signal, "stopped");
            Ok(Exit::Signalled(signal))
        }
        result = command => result,
        () = timed_out => {
            let seconds = timeout.unwrap_or_default().as_secs_f64();
            Err(Failure::new(Exit::Unreachable, format_args!("not done within {seconds} s")).hint("try again, or with a longer --timeout"))
        }
    }
}

/// Disables core dumps, which would contain the API key and the tenant's data.
fn disable_core_dumps() {
    if let Err(error) = platform::disable_core_dumps() {
        tracing::debug!(%error, "core dumps can't be switched off");
    }
}

/// Files that may be open at the same time: connections, the store, the log, the terminal and programs started in it.
const MIN_OPEN_FILES: u64 = 64;

/// Makes sure that [`MIN_OPEN_FILES`] files may be open at once: some dependencies panic without them.
fn raise_open_file_limit() -> Result<(), Failure> {
    platform::raise_open_file_limit(MIN_OPEN_FILES).map_err(|max| {
        let error = format!("only {max} files may be open at once and {MIN_OPEN_FILES} are needed");
        Failure::failed(error).hint("raise `ulimit -n`")
    })
}

/// How long tasks that are still running at exit get to finish.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(500);

/// Builds the runtime: two worker threads besides the main thread, one for the network and one in case the first is busy parsing.
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
    runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
    Ok(result)
}
