//! `segtui serve-demo`: runs the demo server on its own.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use color_eyre::eyre::WrapErr;
use serde_json::error::Category;

use crate::demo::{ListForm, Options, Server};
use crate::files;
use crate::formats;
use crate::printable::printable;
use crate::segment::Segment;
use crate::terminal;

use super::arguments::{ReadingArguments, ServeDemoArguments};
use super::check::segments;
use super::exit::Exit;
use super::failure::Failure;
use super::notes::Notes;
use super::output::on_stdout;
use super::source::{self, Input, Purpose, Source};

pub(super) async fn run(arguments: ServeDemoArguments, notes: Notes) -> Result<Exit, Failure> {
    let port = arguments.port;
    let load = arguments.load.as_deref().map(load).transpose()?;
    let options = Options {
        port,
        load,
        tenant: arguments.tenant,
        api_key: arguments.api_key,
        segments: arguments.segments,
        latency: Duration::from_millis(arguments.latency),
        churn: arguments.churn,
        trouble: arguments.trouble,
        seed: arguments.seed,
        deletion: arguments.children.into(),
        page_cap: arguments.page_cap,
        list_form: if arguments.envelope { ListForm::Envelope } else { ListForm::Array },
        ..Options::default()
    };
    let server = Server::start(options).await.map_err(|error| {
        Failure::failed(format_args!("couldn't serve on port {port}: {}", files::reason(&error)))
            .hint("choose another --port; 0, as without it, is a free one")
    })?;
    let (url, tenant, key) = (server.base_url(), server.tenant(), server.api_key());
    // A reader of the address may end the program at once, so listen for signals first.
    let mut signal = std::pin::pin!(terminal::until_signalled());
    let polled = futures_util::poll!(signal.as_mut());
    // The address comes first, on a line of its own, for scripts that read one line.
    on_stdout(writeln!(io::stdout(), "{url}"))?;
    let message = format!(
        "\nA demo tenant of {} segments. ctrl-c ends it. To look at it:\n\n  \
         segtui --base-url {url} --tenant {tenant} --api-key {key}\n\n  \
         curl -H 'one-tenant: {tenant}' -H 'ApiAuth: {key}' \\\n    \
         '{url}/api/v1/account/integrations/auth-required/segments?pageNumber=1&pageSize=10'\n",
        server.count()
    );
    if !notes.is_quiet() {
        terminal::write_line(message);
    }
    let signal = match polled {
        Poll::Ready(signal) => signal,
        Poll::Pending => signal.await,
    };
    let signal = signal.wrap_err("couldn't wait for a signal")?;
    tracing::info!(?signal, "the demo server ends");
    server.stop().await;
    Ok(Exit::Done)
}

/// Reads the segments of a file that `export` has written; without a known extension, it is read as JSON.
fn load(path: &Path) -> Result<Vec<Segment>, Failure> {
    let name = if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() };
    let failed = |why: String| {
        Failure::usage(format_args!("couldn't load the segments of {name}: {why}")).hint(
            "name a file that `segtui export` has written as JSON, NDJSON, CSV or an outline, or leave --load out",
        )
    };
    let segments = if is_row_format(path) {
        let Input::Rows(Source { rows, .. }) =
            source::read_from(path, &ReadingArguments::default(), Purpose::Inspecting)?
        else {
            return Err(failed("it is a plan".into()));
        };
        segments(&name, &rows)?.into_iter().map(|row| Arc::unwrap_or_clone(row.segment)).collect()
    } else {
        let text = read_text(path).map_err(|error| failed(files::reason(&error)))?;
        formats::json::read(&text).map_err(|error| failed(fault(&error)))?
    };
    let mut ids = HashSet::new();
    if let Some(duplicate) = segments.iter().find(|segment| !ids.insert(&segment.id)) {
        return Err(failed(format!("the ID {} is in it twice", printable(&duplicate.id.text()))));
    }
    Ok(segments)
}

/// Whether the extension is of a file of rows, as `plan` reads them.
fn is_row_format(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    matches!(extension.as_deref(), Some("csv" | "tsv" | "ndjson" | "jsonl" | "outline"))
}

fn read_text(path: &Path) -> io::Result<String> {
    if path == Path::new("-") { io::read_to_string(io::stdin()) } else { fs::read_to_string(path) }
}

/// Describes what is wrong with a JSON file, and where.
fn fault(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        Category::Eof => format!("it ends too early, on line {line}"),
        Category::Data => format!("at line {line} column {column}, it is no array of segments with an ID and a name"),
        Category::Syntax | Category::Io => format!("it is not valid JSON at line {line} column {column}"),
    }
}
