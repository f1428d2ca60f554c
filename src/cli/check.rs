//! What is wrong with the data of a tenant: one line for each finding, or an object for programs.

use std::fmt::{self, Write};
use std::sync::Arc;

use serde::Serialize;

use crate::check::{Finding, Level, Rules, check};
use crate::forest::Forest;
use crate::numbers::{Noun, counted};
use crate::printable::printable;
use crate::segment::{Segment, SegmentId};

use super::arguments::{CheckArguments, RuleChoice, TextOrJson};
use super::exit::Exit;
use super::failure::Failure;
use super::load::{Loaded, everything};
use super::output::{self, Content, Target};
use super::paint::Paint;
use super::surroundings::Surroundings;

pub(super) async fn run(arguments: CheckArguments, surroundings: Surroundings) -> Result<Exit, Failure> {
    let link = surroundings.link().await?;
    let rules = rules(link.connection.rules.clone(), &arguments);
    let loaded = everything(&link, surroundings.notes).await?;
    let paint = surroundings.paint;
    output::blocking(move |cancelled| {
        let segments: Vec<Arc<Segment>> = loaded.forest.iter().cloned().collect();
        let findings = check(&segments, &rules);
        drop(segments);
        let content = match arguments.output {
            TextOrJson::Text => Content::Reading,
            TextOrJson::Json => Content::Data,
        };
        Target::Stdout.write(content, cancelled, |out| match arguments.output {
            TextOrJson::Text => write_text(out, &loaded, &findings, paint),
            TextOrJson::Json => write_json(out, &loaded, &findings),
        })?;
        Ok(match loaded.exit() {
            Exit::Done if arguments.exit_code && !findings.is_empty() => Exit::Differences,
            exit => exit,
        })
    })
    .await
}

/// The rules of the profile with what the flags say of them. Rules that are only named are the only ones that are looked at.
fn rules(mut rules: Rules, arguments: &CheckArguments) -> Rules {
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

fn write_text(out: &mut dyn Write, loaded: &Loaded, findings: &[Finding], paint: Paint) -> fmt::Result {
    for finding in findings {
        let Finding { rule, level, segment, .. } = finding;
        let kind = format!("{level}[{rule}]");
        let kind = if *level == Level::Error { paint.error(&kind) } else { paint.warning(&kind) };
        let place = place(&loaded.forest, &segment.id);
        let (id, words) = (segment.id.to_string(), finding.to_string());
        writeln!(out, "{kind} {} {}: {}", printable(&place), paint.dim(&format!("(id={id})")), printable(&words))?;
    }
    let [errors, warnings] = counts(findings);
    let found = match (errors, warnings) {
        (0, 0) => "no problems found".to_owned(),
        _ => format!("{}, {}", counted(errors, Noun::Error), counted(warnings, Noun::Warning)),
    };
    writeln!(out, "{}: {found}", counted(loaded.forest.len(), Noun::Segment))
}

/// Errors and warnings.
fn counts(findings: &[Finding]) -> [usize; 2] {
    [Level::Error, Level::Warning].map(|level| findings.iter().filter(|finding| finding.level == level).count())
}

/// The path of a segment, or what it is called where that is too deep for a path.
fn place(forest: &Forest, id: &SegmentId) -> String {
    forest.path_text(id).unwrap_or_else(|| forest.get(id).map(|segment| segment.name.to_string()).unwrap_or_default())
}

/// What is in the JSON object. Fields may be added; anything else makes another version.
const FORMAT_VERSION: u32 = 1;
/// Others that break a rule together with a segment, of which so many are named.
const OTHERS: usize = 10;

#[derive(Serialize)]
struct Head<'a> {
    format_version: u32,
    tenant: &'a str,
    host: &'a str,
    complete: bool,
    segments: usize,
    errors: usize,
    warnings: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    level: &'static str,
    rule: &'static str,
    id: &'a SegmentId,
    name: &'a str,
    external_id: Option<&'a str>,
    path: Option<String>,
    message: String,
    others: Vec<&'a SegmentId>,
    other_count: usize,
}

/// One object, with a finding a line.
fn write_json(out: &mut dyn Write, loaded: &Loaded, findings: &[Finding]) -> fmt::Result {
    let Loaded { tenant, host, forest, .. } = loaded;
    let [errors, warnings] = counts(findings);
    let (complete, segments) = (loaded.is_complete(), forest.len());
    let head = Head { format_version: FORMAT_VERSION, tenant, host, complete, segments, errors, warnings };
    let head = serde_json::to_string(&head).map_err(|_| fmt::Error)?;
    out.write_str(head.strip_suffix('}').unwrap_or(&head))?;
    out.write_str(",\"findings\":[")?;
    let mut separator = "\n";
    for finding in findings {
        write!(out, "{separator}{}", serde_json::to_string(&line(forest, finding)).map_err(|_| fmt::Error)?)?;
        separator = ",\n";
    }
    out.write_str(if separator == "\n" { "]}\n" } else { "\n]}\n" })
}

fn line<'a>(forest: &Forest, finding: &'a Finding) -> Line<'a> {
    let Finding { rule, level, segment, evidence } = finding;
    let together = evidence.together();
    let others = together.iter().map(|other| &other.id).filter(|id| **id != segment.id).take(OTHERS).collect();
    Line {
        level: level.name(),
        rule: rule.name(),
        id: &segment.id,
        name: &segment.name,
        external_id: segment.external_id.as_deref(),
        path: forest.path_text(&segment.id),
        message: finding.to_string(),
        others,
        other_count: together.len().saturating_sub(1),
    }
}
