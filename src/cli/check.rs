//! `segtui check`: lists what is wrong with the data of a tenant or a file, one finding per line or as a JSON object.

use std::collections::HashMap;
use std::fmt::{self, Write};
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use crate::check::{Finding, Level, Rule, Rules, check};
use crate::forest::Forest;
use crate::formats::rows::{Column, RowSegment, Rows};
use crate::numbers::{Noun, counted};
use crate::printable::{printable, printable_json};
use crate::segment::{Segment, SegmentId};

use super::arguments::{CheckArguments, RuleChoice, TextOrJson};
use super::exit::Exit;
use super::failure::{Detail, Failure};
use super::load::load_segments;
use super::output::{self, Content, Target};
use super::paint::Paint;
use super::source::{self, Input, Purpose, Source};
use super::surroundings::CommandContext;

pub(super) async fn run(arguments: CheckArguments, context: CommandContext) -> Result<Exit, Failure> {
    let (subject, rules) = if let Some(file) = arguments.file.clone() {
        refuse_profile_source(&file)?;
        let reading = arguments.reading.clone();
        let subject =
            output::blocking(move |_| Subject::of_file(source::read_from(&file, &reading, Purpose::Inspecting)?))
                .await?;
        let rules = subject.applicable(context.rules()?);
        (subject, rules)
    } else {
        let link = context.link().await?;
        let loaded = load_segments(&link, context.notes).await?;
        let (exit, forest) = (loaded.exit(), loaded.forest);
        let from = CheckedSource::Tenant { tenant: loaded.tenant, host: loaded.host };
        (Subject { from, forest, exit }, link.connection.rules.clone())
    };
    let rules = selected_rules(rules, &arguments);
    let paint = context.paint;
    output::blocking(move |cancelled| {
        let segments: Vec<Arc<Segment>> = subject.forest.iter().cloned().collect();
        let findings = check(&segments, &rules);
        drop(segments);
        let output_kind = if arguments.output == TextOrJson::Json { Content::Data } else { Content::HumanReadable };
        Target::Stdout.write(output_kind, cancelled, |out| match arguments.output {
            TextOrJson::Text => write_text(out, &subject, &findings, paint),
            TextOrJson::Json => write_json(out, &subject, &findings),
        })?;
        Ok(match subject.exit {
            Exit::Done if arguments.exit_code && !findings.is_empty() => Exit::Differences,
            exit => exit,
        })
    })
    .await
}

/// Refuses an argument that names a tenant in other commands, unless there is a file of that name.
fn refuse_profile_source(file: &Path) -> Result<(), Failure> {
    let text = file.to_str().unwrap_or_default();
    match ["profile:", "store:"].into_iter().find_map(|kind| text.strip_prefix(kind)) {
        Some(profile) if !file.exists() => Err(Failure::usage(format_args!("check takes a file, and {text} is none"))
            .hint(format_args!("check the tenant of a profile with --profile {profile}"))),
        _ => Ok(()),
    }
}

/// Applies the flags to the rules. If rules are named without a level, only those are checked.
fn selected_rules(mut rules: Rules, arguments: &CheckArguments) -> Rules {
    let named: Vec<_> =
        arguments.rules.iter().filter(|choice| choice.level.is_none()).map(|choice| choice.rule).collect();
    if !named.is_empty() {
        rules = rules.only(&named);
    }
    for RuleChoice { rule, level } in &arguments.rules {
        if let Some(level) = level {
            rules.set(*rule, *level);
        }
    }
    rules.max_depth = arguments.max_depth.unwrap_or(rules.max_depth);
    rules
}

/// What is checked.
struct Subject {
    from: CheckedSource,
    forest: Forest,
    /// The exit code if there are no findings.
    exit: Exit,
}

/// Where the segments are from.
enum CheckedSource {
    Tenant {
        tenant: String,
        host: String,
    },
    File {
        name: String,
        columns: Vec<Column>,
        /// The line of each segment, and whether its id is in the file.
        lines: HashMap<SegmentId, (usize, bool)>,
    },
}

impl Subject {
    fn of_file(input: Input) -> Result<Self, Failure> {
        let Input::Rows(Source { name, rows, .. }) = input else {
            return Err(Failure::usage("this file is a plan, and only segments can be checked")
                .hint("name the file that the plan was made of"));
        };
        let segments = segments(&name, &rows)?;
        let own = rows.rows.iter().map(|row| row.value(Column::Id).is_some());
        let lines = segments.iter().zip(own).map(|(row, own)| (row.segment.id.clone(), (row.line, own))).collect();
        let count = segments.len();
        let forest = Forest::from_segments(count, segments.into_iter().map(|row| row.segment));
        Ok(Self { from: CheckedSource::File { name, columns: rows.columns, lines }, forest, exit: Exit::Done })
    }

    /// Turns off the rules that don't apply to a file without the column that they are about.
    fn applicable(&self, mut rules: Rules) -> Rules {
        if let CheckedSource::File { columns, .. } = &self.from {
            if !columns.contains(&Column::Name) && !columns.contains(&Column::Path) {
                rules.set(Rule::BlankName, Level::Off);
            }
            if !columns.contains(&Column::ExternalId) {
                rules.set(Rule::MissingExternalId, Level::Off);
            }
        }
        rules
    }

    /// Returns the path of a segment, or its name if it is too deep for a path.
    fn path_or_name(&self, id: &SegmentId) -> String {
        let name = || self.forest.get(id).map(|segment| segment.name.to_string()).unwrap_or_default();
        self.forest.path_text(id).unwrap_or_else(name)
    }

    /// Returns the line of a segment in a file, and its id unless that only stands for the line.
    fn line_and_id<'a>(&self, id: &'a SegmentId) -> (Option<usize>, Option<&'a SegmentId>) {
        match &self.from {
            CheckedSource::Tenant { .. } => (None, Some(id)),
            CheckedSource::File { lines, .. } => {
                let line = lines.get(id);
                (line.map(|(line, _)| *line), Some(id).filter(|_| line.is_none_or(|(_, own)| *own)))
            }
        }
    }
}

/// Converts the rows of a file to segments.
pub(super) fn segments(name: &str, rows: &Rows) -> Result<Vec<RowSegment>, Failure> {
    rows.segments().map_err(|faults| {
        let details = faults.iter().map(|fault| Detail { line: Some(fault.line), text: fault.to_string() });
        let error = format_args!("{name} has {}", counted(faults.len(), Noun::Fault));
        Failure::usage(error).details(details.collect()).hint("give each row an ID of its own, or none")
    })
}

fn write_text(out: &mut dyn Write, subject: &Subject, findings: &[Finding], paint: Paint) -> fmt::Result {
    for finding in findings {
        let Finding { rule, level, segment, .. } = finding;
        let (line, id) = subject.line_and_id(&segment.id);
        if let (CheckedSource::File { name, .. }, Some(line)) = (&subject.from, line) {
            write!(out, "{}:{line}: ", printable(name))?;
        }
        let kind = format!("{level}[{rule}]");
        let kind = if *level == Level::Error { paint.error(&kind) } else { paint.warning(&kind) };
        let id = id.map(|id| format!(" {}", paint.dim(&format!("(id={id})")))).unwrap_or_default();
        let path_or_name = subject.path_or_name(&segment.id);
        writeln!(out, "{kind} {}{id}: {}", printable(&path_or_name), printable(&finding.to_string()))?;
    }
    let [errors, warnings] = counts(findings);
    let found = match (errors, warnings) {
        (0, 0) => "no problems found".to_owned(),
        _ => format!("{}, {}", counted(errors, Noun::Error), counted(warnings, Noun::Warning)),
    };
    writeln!(out, "{}: {found}", counted(subject.forest.len(), Noun::Segment))
}

/// Returns the numbers of errors and warnings.
fn counts(findings: &[Finding]) -> [usize; 2] {
    [Level::Error, Level::Warning].map(|level| findings.iter().filter(|finding| finding.level == level).count())
}

/// Version of the JSON format. Adding fields doesn't change it, anything else does.
const FORMAT_VERSION: u32 = 1;
/// How many of the other segments that break a rule together with one are listed.
const MAX_OTHERS: usize = 10;

#[derive(Serialize)]
struct Head<'a> {
    format_version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    complete: bool,
    segments: usize,
    errors: usize,
    warnings: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    level: &'static str,
    rule: &'static str,
    #[serde(rename = "line", skip_serializing_if = "Option::is_none")]
    at: Option<usize>,
    id: Option<&'a SegmentId>,
    name: &'a str,
    external_id: Option<&'a str>,
    path: Option<String>,
    message: String,
    others: Vec<&'a SegmentId>,
    other_count: usize,
}

/// Writes one object, with a finding per line.
fn write_json(out: &mut dyn Write, subject: &Subject, findings: &[Finding]) -> fmt::Result {
    let (tenant, host, file) = match &subject.from {
        CheckedSource::Tenant { tenant, host } => (Some(tenant.as_str()), Some(host.as_str()), None),
        CheckedSource::File { name, .. } => (None, None, Some(name.as_str())),
    };
    let ([errors, warnings], complete) = (counts(findings), subject.exit == Exit::Done);
    let segments = subject.forest.len();
    let head = Head { format_version: FORMAT_VERSION, tenant, host, file, complete, segments, errors, warnings };
    let head = printable_json(&serde_json::to_string(&head).map_err(|_| fmt::Error)?);
    out.write_str(head.strip_suffix('}').unwrap_or(&head))?;
    out.write_str(",\"findings\":[")?;
    let mut separator = "\n";
    for finding in findings {
        let entry = serde_json::to_string(&entry(subject, finding)).map_err(|_| fmt::Error)?;
        write!(out, "{separator}{}", printable_json(&entry))?;
        separator = ",\n";
    }
    out.write_str(if separator == "\n" { "]}\n" } else { "\n]}\n" })
}

fn entry<'a>(subject: &Subject, finding: &'a Finding) -> Entry<'a> {
    let Finding { rule, level, segment, evidence } = finding;
    let together = evidence.involved_segments();
    let others = together.iter().map(|other| &other.id).filter(|id| **id != segment.id).take(MAX_OTHERS).collect();
    let (at, id) = subject.line_and_id(&segment.id);
    Entry {
        level: level.name(),
        rule: rule.name(),
        at,
        id,
        name: &segment.name,
        external_id: segment.external_id.as_deref(),
        path: subject.forest.path_text(&segment.id),
        message: finding.to_string(),
        others,
        other_count: together.len().saturating_sub(1),
    }
}
