//! `segtui plan`: plans and shows what a file would change, and saves the plan if asked to. Sends nothing.

mod scope;
mod text;

use std::fmt::Write;

use hashbrown::{HashMap, HashSet};

use crate::clock;
use crate::forest::Forest;
use crate::planning::{self, Fuses, PlanMetadata, PlanRefusal, Planned, Request, SavedPlan};
use crate::printable::printable_json_lines;
use crate::segment::{Pattern, SegmentId};

use super::arguments::{MatchingArguments, PlanArguments, ScopeQuery, TextOrJson};
use super::exit::Exit;
use super::failure::{Detail, Failure};
use super::load::{Loaded, load_complete};
use super::origin;
use super::output::{self, Content, Target};
use super::source::{self, Input, Source};
use super::surroundings::CommandContext;

pub(super) use scope::PlanOptions;
pub(super) use text::{resolution_hint, write_heading, write_operations, write_plan};

pub(super) async fn run(arguments: PlanArguments, context: CommandContext) -> Result<Exit, Failure> {
    let PlanArguments { source: reading, mut matching, out, output, exit_code, .. } = arguments;
    check(&matching)?;
    source::refuse_overwriting(&reading, &[("--out", out.as_deref())])?;
    let out = out.map(|path| Target::of(Some(path)));
    out.as_ref().map_or(Ok(()), Target::check)?;
    let ids_as_written = reading.ids_as_written;
    let link = context.target(&reading).await?;
    let Input::Rows(source) = origin::input(&reading, &matching, &link, &context).await? else {
        return Err(Failure::usage("this file is a plan already").hint("apply it with `segtui apply`"));
    };
    matching.key = matching.key.or(source.key);
    let mut loaded = load_complete(&link, context.notes, NOT_PLANNED).await?;
    let (connection, owned) = (link.connection.clone(), link.connection.owned.clone());
    let paint = context.paint;
    output::blocking(move |cancelled| {
        let options = PlanOptions::of(&matching, ids_as_written, &mut loaded, &source.rows)?;
        let planned = planned(&source, &options, &loaded, &owned)?;
        let refusals = fuses(&matching).refusals(&planned, &loaded.forest);
        let saved = saved(&planned, &options, &loaded, &refusals);
        let output_kind = if output == TextOrJson::Json { Content::Data } else { Content::HumanReadable };
        Target::Stdout.write(output_kind, cancelled, |text| match output {
            TextOrJson::Json => write_json(text, &saved),
            TextOrJson::Text => {
                write_heading(text, Some(&source), &connection, paint)?;
                write_plan(text, &planned, &loaded, paint)
            }
        })?;
        guard(&refusals)?;
        if let Some(out) = out {
            out.write(Content::Data, cancelled, |text| write_json(text, &saved))?;
        }
        Ok(if exit_code && !planned.is_empty() { Exit::Differences } else { Exit::Done })
    })
    .await
}

/// Refuses flags that contradict each other or are dangerous together.
pub(super) fn check(matching: &MatchingArguments) -> Result<(), Failure> {
    let scoped = matching.all || matching.root.is_some() || matching.r#match.is_some();
    if matching.prune && !scoped {
        return Err(Failure::usage("--prune without a scope would delete whatever the file doesn't know")
            .hint("say what the file speaks for: --root REF, --match QUERY, or --all"));
    }
    if let Some(ScopeQuery { text, query }) = matching.r#match.as_ref().filter(|_| matching.prune)
        && query.is_loose()
    {
        return Err(Failure::usage(format_args!("--match {text} also finds names with other letters between"))
            .hint("with --prune, quote each word: --match 'ext:\"PL-\"'"));
    }
    Ok(())
}

/// Returns the limits on changes that the flags set.
pub(super) const fn fuses(matching: &MatchingArguments) -> Fuses {
    Fuses { deletes: matching.max_deletes, changes: matching.max_changes }
}

/// The consequence of an incomplete list: segments that it lacks would be created again.
pub(super) const NOT_PLANNED: &str = "nothing was planned";

/// Plans the changes that turn what a tenant has into what a file wants.
pub(super) fn planned(
    source: &Source,
    options: &PlanOptions,
    loaded: &Loaded,
    owned: &[Pattern],
) -> Result<Planned, Failure> {
    loaded.require_all(NOT_PLANNED)?;
    planning::plan(&request(source, options, &loaded.forest, owned))
        .map_err(|faults| source::faulty_plan(&source.name, faults))
}

fn request<'a>(source: &'a Source, options: &PlanOptions, forest: &'a Forest, owned: &'a [Pattern]) -> Request<'a> {
    let (renamed, recreate): (HashMap<usize, SegmentId>, HashSet<SegmentId>) =
        (options.renamed.clone(), options.recreate.clone());
    Request {
        rows: &source.rows,
        forest,
        key: options.key,
        scope: options.scope.clone(),
        prune: options.prune,
        renamed,
        recreate,
        owned,
        tolerant: source.tenant.is_some(),
        ids_as_written: options.ids_as_written,
    }
}

/// Refuses a plan that changes more than anyone is likely to want.
pub(super) fn guard(refusals: &[PlanRefusal]) -> Result<(), Failure> {
    let Some(first) = refusals.first() else { return Ok(()) };
    let failure = Failure::new(Exit::Guarded, format_args!("nothing was sent: {first}")).hint(first.hint());
    let others = refusals.iter().skip(1).map(|other| Detail { line: None, text: format!("also: {other}") });
    Err(failure.details(others.collect()))
}

/// Returns a plan in the form in which it is saved and printed.
fn saved(planned: &Planned, options: &PlanOptions, loaded: &Loaded, refusals: &[PlanRefusal]) -> SavedPlan {
    let metadata = PlanMetadata {
        tenant: &loaded.tenant,
        host: &loaded.host,
        at: &clock::now().to_string(),
        step: loaded.step.map(|step| step.0),
        scope: &options.scope_text,
        refused: refusals,
    };
    SavedPlan::of(planned, &loaded.forest, metadata)
}

fn write_json(out: &mut dyn Write, saved: &SavedPlan) -> std::fmt::Result {
    let text = serde_json::to_string_pretty(saved).map_err(|_| std::fmt::Error)?;
    writeln!(out, "{}", printable_json_lines(&text))
}
