//! `segtui diff`: compares two sets of segments from any sources, and shows what would make the first like the second.

use std::fmt::{self, Write};

use hashbrown::{HashMap, HashSet};
use serde::Serialize;

use crate::forest::Forest;
use crate::formats::rows::Column;
use crate::numbers::grouped;
use crate::planning::{
    self, Key, PlanMetadata, Planned, Request, SavedConflict, SavedOperation, SavedPlan, Scope, Sums,
};
use crate::printable::{printable, printable_json_lines};
use crate::segment::{Pattern, SegmentId};

use super::arguments::{DiffArguments, MatchingArguments, TextOrJson};
use super::check::segments;
use super::exit::Exit;
use super::failure::Failure;
use super::origin::{Origin, TenantName};
use super::output::{self, Content, Target};
use super::paint::Paint;
use super::plan::write_operations;
use super::source::{self, Input, Purpose, Source};
use super::surroundings::CommandContext;

pub(super) async fn run(arguments: DiffArguments, context: CommandContext) -> Result<Exit, Failure> {
    context.without_tenant_flags("diff")?;
    let (from, to) = (Origin::of(&arguments.from)?, Origin::of(&arguments.to)?);
    let stdin = Origin::File("-".into());
    if from == stdin && to == stdin {
        return Err(Failure::usage("stdin can be read only once").hint("name a file for one of the two"));
    }
    let from = rows(&from, &arguments, &context).await?;
    let to = rows(&to, &arguments, &context).await?;
    let paint = context.paint;
    output::blocking(move |cancelled| {
        let key = arguments.key.or_else(|| default_key(from.tenant.as_ref(), to.tenant.as_ref()));
        let before: Forest = segments(&from.name, &from.rows)?.into_iter().map(|row| row.segment).collect();
        let planned = plan_differences(&before, &to, key)?;
        let (output_kind, form) = match arguments.output {
            TextOrJson::Text => (Content::HumanReadable, TextOrJson::Text),
            TextOrJson::Json => (Content::Data, TextOrJson::Json),
        };
        let comparison = Comparison { from: &from, to: &to, before: &before, planned: &planned };
        Target::Stdout.write(output_kind, cancelled, |out| match form {
            TextOrJson::Text => comparison.write_text(out, paint),
            TextOrJson::Json => comparison.write_json(out),
        })?;
        Ok(if arguments.exit_code && !planned.is_empty() { Exit::Differences } else { Exit::Done })
    })
    .await
}

async fn rows(origin: &Origin, arguments: &DiffArguments, context: &CommandContext) -> Result<Source, Failure> {
    match origin.input(&arguments.reading, &MatchingArguments::default(), Purpose::Inspecting, context).await? {
        Input::Rows(source) => Ok(source),
        Input::Plan(_) => Err(Failure::usage(format_args!("{origin} is a plan, and only segments can be compared"))
            .hint("name the file that the plan was made of")),
    }
}

/// Ids are only valid in their own tenant, so two tenants are matched by external id. For files, the key depends on the rows.
fn default_key(from: Option<&TenantName>, to: Option<&TenantName>) -> Option<Key> {
    let (from, to) = (from?, to?);
    ((&from.tenant, &from.host) != (&to.tenant, &to.host)).then_some(Key::ExternalId)
}

fn plan_differences(before: &Forest, to: &Source, key: Option<Key>) -> Result<Planned, Failure> {
    // If the two share ids, an id that is only in the second one is of a new segment.
    let ids = || to.rows.rows.iter().filter_map(|row| row.value(Column::Id)).filter_map(SegmentId::new);
    let in_common = ids().any(|id| before.get(&id).is_some_and(|segment| !Pattern::BUILT_IN.matches(segment)));
    let recreate = if in_common { ids().filter(|id| !before.contains(id)).collect() } else { HashSet::new() };
    let request = Request {
        rows: &to.rows,
        forest: before,
        key,
        scope: Scope::All,
        prune: true,
        renamed: HashMap::new(),
        recreate,
        owned: &[],
        tolerant: true,
        ids_as_written: true,
    };
    planning::plan(&request).map_err(|faults| source::faulty_plan(&to.name, faults))
}

/// Two sets of segments, and the changes from one to the other.
struct Comparison<'a> {
    from: &'a Source,
    to: &'a Source,
    before: &'a Forest,
    planned: &'a Planned,
}

/// Version of the JSON format. Adding fields doesn't change it, anything else does.
const FORMAT_VERSION: u32 = 1;

#[derive(Serialize)]
struct Written {
    format_version: u32,
    kind: &'static str,
    from: String,
    to: String,
    matched_by: String,
    differences: Vec<SavedOperation>,
    unclear: Vec<SavedConflict>,
}

impl Comparison<'_> {
    fn write_text(&self, out: &mut dyn Write, paint: Paint) -> fmt::Result {
        let Self { from, to, before, planned } = self;
        write_operations(out, &planned.operations, before, paint)?;
        for conflict in &planned.conflicts {
            let place = conflict.of_tenant.as_ref();
            let place = place.map_or_else(|| format!("line {}", conflict.line), |id| format!("id={id}"));
            let words = format!("! unclear {}: {} ({place} of {})", conflict.name, conflict.reason, to.name);
            writeln!(out, "{}", paint.warning(&words))?;
        }
        for kept in &planned.kept {
            let path = planning::path_now(before, &kept.segment.id);
            writeln!(out, "{}", paint.removed(&format!("- delete  {path}  ({})", kept.reason)))?;
        }
        let Sums { creates, updates, moves, deletes } = Sums::of(planned.operations.iter().map(|one| &one.operation));
        let counts = [
            (creates, "created"),
            (updates, "updated"),
            (moves, "moved"),
            (deletes + planned.kept.len(), "deleted"),
            (planned.conflicts.len(), "unclear"),
        ];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        let summary: Vec<String> = counts.map(|(count, what)| format!("{} {what}", grouped(count))).collect();
        let summary = if summary.is_empty() { "no differences".into() } else { summary.join(", ") };
        writeln!(out, "{}", printable(&format!("{} → {}: {summary}, matched by {}", from.name, to.name, planned.key)))
    }

    fn write_json(&self, out: &mut dyn Write) -> fmt::Result {
        let metadata = PlanMetadata { tenant: "", host: "", at: "", step: None, scope: "", refused: &[] };
        let saved = SavedPlan::of(self.planned, self.before, metadata);
        let written = Written {
            format_version: FORMAT_VERSION,
            kind: "segtui-diff",
            from: self.from.name.clone(),
            to: self.to.name.clone(),
            matched_by: saved.matched_by,
            differences: saved.operations,
            unclear: saved.conflicts,
        };
        let text = serde_json::to_string_pretty(&written).map_err(|_| fmt::Error)?;
        writeln!(out, "{}", printable_json_lines(&text))
    }
}
