//! Reads a file of wanted segments, or a saved plan, as a whole; a faulty one is refused with all its faults.
//!
//! Nothing is guessed: the format is that of the extension or a flag, and the encoding is that of a byte order mark, UTF-8 or a
//! flag.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::files;
use crate::formats::csv::{self, ReadOptions};
use crate::formats::rows::{self, Reading, RowFault, Rows, Undecodable};
use crate::numbers::{Noun, counted};
use crate::planning::{self, Invalid, Key, PlanFault, SavedPlan};

use super::arguments::{ReadingArguments, SourceArguments, SourceFormat};
use super::exit::Exit;
use super::failure::{Detail, Failure};
use super::origin::TenantName;

/// The content of a file.
#[derive(Debug)]
pub(super) struct Source {
    /// Its name in messages.
    pub name: String,
    /// Its text without a byte order mark.
    pub text: String,
    /// Its format.
    pub format: SourceFormat,
    /// The wanted segments.
    pub rows: Rows,
    /// Whether it has a byte order mark, or another encoding than UTF-8.
    pub is_marked: bool,
    /// The tenant that the segments are from, if not from a file.
    pub tenant: Option<TenantName>,
    /// The key to match rows by unless a flag sets one; `None` if it depends on the rows.
    pub key: Option<Key>,
}

/// What was read: wanted segments, or a plan.
#[derive(Debug)]
pub(super) enum Input {
    Rows(Source),
    Plan(Box<SavedPlan>),
}

/// The longest file that is read, in bytes. A million segments take about a fifth of it.
const MAX_BYTES: u64 = 512 << 20;

/// Refuses to overwrite the source file, to write two outputs to one file, and to mix an output into stdout.
pub(super) fn refuse_overwriting(
    arguments: &SourceArguments,
    outputs: &[(&str, Option<&Path>)],
) -> Result<(), Failure> {
    let source = match arguments.source.to_str() {
        Some("-") => Some(Path::new("/dev/stdin")),
        _ => arguments.is_file().then_some(arguments.source.as_path()),
    };
    let outputs: Vec<(&str, &Path)> = outputs.iter().filter_map(|(flag, path)| Some((*flag, (*path)?))).collect();
    for (at, (flag, path)) in outputs.iter().enumerate() {
        if *path == Path::new("-") {
            return Err(Failure::usage(format_args!("{flag} - would mix with what else goes to stdout"))
                .hint(format_args!("name a file for {flag}, such as /dev/stderr")));
        }
        if source.is_some_and(|source| files::is_same_file(source, path)) {
            let error = format_args!("{flag} {} would overwrite the file that is read", path.display());
            return Err(Failure::usage(error).hint(format_args!("name another file for {flag}")));
        }
        if let Some((other, _)) = outputs[..at].iter().find(|(_, other)| files::is_same_file(other, path)) {
            let error = format_args!("{other} and {flag} name the same file, {}", path.display());
            return Err(Failure::usage(error).hint("name a file for each of them"));
        }
    }
    Ok(())
}

/// What a file is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be shown or checked as it is.
    Inspecting,
    /// To plan from: inconsistent rows are faults too.
    Planning {
        /// The key to match rows by, if a flag sets one.
        key: Option<Key>,
        /// Whether to accept external ids that look damaged.
        ids_as_written: bool,
    },
}

/// Reads a file as the flags say. Reports all its faults at once.
pub(super) fn read_from(path: &Path, reading: &ReadingArguments, purpose: Purpose) -> Result<Input, Failure> {
    let name = name(path);
    let bytes = bytes(path)
        .map_err(|error| Failure::usage(format_args!("couldn't read {name}: {}", files::reason(&error))))
        .map_err(|failure| failure.hint("name a file, or `-` for stdin"))?;
    let text = rows::decode(&bytes, reading.encoding).map_err(|fault| undecodable(&name, &fault))?;
    let is_marked = std::str::from_utf8(&bytes).ok() != Some(text.as_str());
    drop(bytes);
    if matches!(reading.format, None | Some(SourceFormat::Json)) && starts_like_plan(&text) {
        return plan(&name, &text).map(Input::Plan);
    }
    let format = format(path, reading, &name)?;
    let names = reading.columns.clone().unwrap_or_default();
    let read = match format {
        SourceFormat::Csv => csv::read(&text, &ReadOptions { delimiter: reading.delimiter, columns: names }),
        SourceFormat::Json => rows::read_json(&text, &names),
        SourceFormat::Ndjson => rows::read_ndjson(&text, &names),
        SourceFormat::Outline => rows::read_outline(&text),
    };
    let faults = faults(&read, purpose);
    if !faults.is_empty() {
        let failure = file_failure(&name, faults);
        return Err(if read.rows.by_number {
            failure.hint("correct the file and run it again; several objects are on one line, so lines count objects")
        } else {
            failure
        });
    }
    Ok(Input::Rows(Source { name, text, format, rows: read.rows, is_marked, tenant: None, key: None }))
}

fn faults(Reading { rows, faults }: &Reading, purpose: Purpose) -> Vec<Detail> {
    let mut all: Vec<Detail> = faults.iter().map(row_detail).collect();
    // If a heading can't be read, the rows lack its column.
    if let Purpose::Planning { key, ids_as_written } = purpose
        && faults.iter().all(|fault| fault.problem.is_of_one_line())
    {
        all.extend(planning::faults_among(rows, key, ids_as_written).into_iter().map(plan_detail));
    }
    all.sort_by_key(|detail| detail.line);
    all
}

fn name(path: &Path) -> String {
    if path == Path::new("-") { "stdin".into() } else { path.display().to_string() }
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut bytes)
    } else {
        File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)
    };
    read?;
    if bytes.len() as u64 > MAX_BYTES {
        let words = format!("it is longer than {} MiB", MAX_BYTES >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, words));
    }
    Ok(bytes)
}

fn format(path: &Path, reading: &ReadingArguments, name: &str) -> Result<SourceFormat, Failure> {
    if let Some(format) = reading.format {
        return Ok(format);
    }
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("csv" | "tsv") => Ok(SourceFormat::Csv),
        Some("json") => Ok(SourceFormat::Json),
        Some("ndjson" | "jsonl") => Ok(SourceFormat::Ndjson),
        Some("outline") => Ok(SourceFormat::Outline),
        _ => Err(Failure::usage(format_args!("the format of {name} isn't clear from its name"))
            .hint("say it with --format csv, json, ndjson or outline")),
    }
}

/// The failure for bytes that are not valid in the expected encoding, with their text in others.
fn undecodable(name: &str, fault: &Undecodable) -> Failure {
    let Undecodable { line, expected, readings } = fault;
    let shown = readings
        .iter()
        .map(|(encoding, text)| Detail { line: Some(*line), text: format!("as {}: {text}", encoding.text()) });
    let flags: Vec<String> = readings.iter().map(|(encoding, _)| format!("--encoding {}", encoding.text())).collect();
    Failure::usage(format_args!(
        "{name} isn't {}: line {line} has bytes that don't occur in it",
        expected.text().to_uppercase()
    ))
    .details(shown.collect())
    .hint(match flags.as_slice() {
        [only] => format!("pass {only} if that shows the letters right"),
        several => format!("pass {}, whichever shows the letters right", several.join(" or ")),
    })
}

/// Characters at the start of a file in which a plan is recognised: its kind is the second field.
const PLAN_HEAD_LEN: usize = 300;

/// Whether a file is meant as a plan, whatever its name is and even if it is cut off.
fn starts_like_plan(text: &str) -> bool {
    let text = text.trim_start();
    let head: String = text.chars().take(PLAN_HEAD_LEN).filter(|character| !character.is_whitespace()).collect();
    (head.starts_with('{') && head.contains(r#""kind":"segtui-plan""#)) || SavedPlan::is_plan(text)
}

fn plan(name: &str, text: &str) -> Result<Box<SavedPlan>, Failure> {
    let unusable = |why: &dyn std::fmt::Display| {
        Failure::usage(format_args!("couldn't use the plan {name}: {why}"))
            .hint("make the plan again with `segtui plan … --out`")
    };
    SavedPlan::read(text).map(Box::new).map_err(|fault| match fault {
        Invalid::NotAPlan => unusable(&"it is no whole plan; it may have been cut off or edited"),
        fault => unusable(&fault),
    })
}

pub(super) fn faulty_rows(name: &str, faults: &[RowFault]) -> Failure {
    file_failure(name, faults.iter().map(row_detail).collect())
}

/// The failure for faults found by planning.
pub(super) fn faulty_plan(name: &str, faults: Vec<PlanFault>) -> Failure {
    file_failure(name, faults.into_iter().map(plan_detail).collect())
}

fn row_detail(RowFault { line, problem }: &RowFault) -> Detail {
    Detail { line: Some(*line), text: problem.to_string() }
}

fn plan_detail(PlanFault { line, problem }: PlanFault) -> Detail {
    Detail { line, text: problem.to_string() }
}

fn file_failure(name: &str, details: Vec<Detail>) -> Failure {
    let count = counted(details.len(), Noun::Fault);
    let in_lines = details.iter().all(|detail| detail.line.is_some());
    let what = if in_lines { "the file" } else { "the file or the flags" };
    Failure::new(Exit::Usage, format_args!("{name} has {count}"))
        .details(details)
        .hint(format_args!("correct {what} and run it again"))
}
