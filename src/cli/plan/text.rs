//! A plan for reading: an operation per line, by path, and the counts at the end.

use std::fmt::{self, Write};

use crate::changes::Operation;
use crate::config::Connection;
use crate::forest::Forest;
use crate::numbers::{Noun, counted, grouped};
use crate::planning::{Conflict, ConflictReason, Description, Planned, PlannedOperation, Sums, describe, path_now};
use crate::printable::printable;

use super::super::load::Loaded;
use super::super::origin::TenantName;
use super::super::paint::Paint;
use super::super::source::Source;

/// Writes which tenant is compared with which, if the source is a tenant, and marks a protected one so that production stands
/// out.
pub(in crate::cli) fn write_heading(
    out: &mut dyn Write,
    source: Option<&Source>,
    connection: &Connection,
    paint: Paint,
) -> fmt::Result {
    let Connection { tenant, base_url, profile, protected, .. } = connection;
    let within = |profile: &str| format!(" (profile {profile})");
    let target = format!("{tenant} on {}{}", base_url.host(), profile.as_deref().map(within).unwrap_or_default());
    if *protected {
        writeln!(out, "{}", paint.alarm(&format!("PROTECTED TENANT: {target}")))?;
    }
    if let Some(TenantName { tenant, host, profile }) = source.and_then(|source| source.tenant.as_ref()) {
        writeln!(out, "{}", printable(&format!("from  {tenant} on {host}{}", within(profile))))?;
        writeln!(out, "{}", printable(&format!("to    {target}")))?;
    }
    Ok(())
}

/// Writes a plan.
pub(in crate::cli) fn write_plan(out: &mut dyn Write, planned: &Planned, loaded: &Loaded, paint: Paint) -> fmt::Result {
    write_operations(out, &planned.operations, &loaded.forest, paint)?;
    for conflict in &planned.conflicts {
        write_conflict(out, conflict, loaded, paint)?;
    }
    for kept in &planned.kept {
        let path = path_now(&loaded.forest, &kept.segment.id);
        writeln!(out, "{}", paint.dim(&format!("  keep    {path}  ({})", kept.reason)))?;
    }
    write_summary(out, planned, loaded)
}

/// Writes operations by path.
pub(in crate::cli) fn write_operations(
    out: &mut dyn Write,
    operations: &[PlannedOperation],
    forest: &Forest,
    paint: Paint,
) -> fmt::Result {
    for description in describe(operations, forest) {
        write_operation(out, &description, &operations[description.index].operation, paint)?;
    }
    Ok(())
}

fn write_operation(out: &mut dyn Write, description: &Description, operation: &Operation, paint: Paint) -> fmt::Result {
    let Description { path, new_path, below, fields, .. } = description;
    let with = if *below == 0 { String::new() } else { format!("  (with {})", counted(*below, Noun::Descendant)) };
    let line = match operation {
        Operation::Create { draft } => {
            let external_id = draft.external_id.as_ref().map(|external_id| format!("  [{}]", external_id.as_str()));
            paint.added(&format!("+ create  {path}{}", external_id.unwrap_or_default()))
        }
        Operation::Update { .. } => match new_path {
            Some(new_path) => printable(&format!("> move    {path} → {new_path}{with}")).into_owned(),
            None => printable(&format!("~ update  {path}")).into_owned(),
        },
        Operation::Delete { .. } => paint.removed(&format!("- delete  {path}{with}")),
    };
    writeln!(out, "{line}")?;
    for (field, before, after) in fields {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "(none)".into());
        writeln!(out, "{}", printable(&format!("            {field}: {} → {}", shown(before), shown(after))))?;
    }
    Ok(())
}

fn write_conflict(out: &mut dyn Write, conflict: &Conflict, loaded: &Loaded, paint: Paint) -> fmt::Result {
    let Conflict { line, of_tenant, name, segment, reason } = conflict;
    let row = of_tenant.as_ref().map_or_else(|| format!("line {line}: {name}"), |id| format!("{name} (id={id})"));
    let other = segment.as_ref().map_or_else(String::new, |segment| {
        format!("; the segment is {} (id={})", path_now(&loaded.forest, &segment.id), segment.id)
    });
    writeln!(out, "{}", paint.warning(&format!("! conflict  {row}: {reason}{other}")))?;
    if let Some(hint) = resolution_hint(conflict) {
        writeln!(out, "{}", printable(&format!("            {}", hint.trim_start_matches("; "))))?;
    }
    Ok(())
}

/// Returns the flags that settle a possible rename, as the end of a sentence.
pub(in crate::cli) fn resolution_hint(conflict: &Conflict) -> Option<String> {
    let Conflict { line, of_tenant, segment, reason, .. } = conflict;
    let is_open =
        !matches!(reason, ConflictReason::Below { .. } | ConflictReason::BelowHeld | ConflictReason::Faulty(_));
    let id = &segment.as_ref().filter(|_| is_open)?.id;
    let row = of_tenant.as_ref().map_or_else(|| format!("line={line}"), |id| format!("id={id}"));
    Some(format!("; --renamed id={id}={row} if it is the same, --recreate id={id} if it is another one"))
}

fn write_summary(out: &mut dyn Write, planned: &Planned, loaded: &Loaded) -> fmt::Result {
    let Sums { creates, updates, moves, deletes } =
        Sums::of(planned.operations.iter().map(|planned| &planned.operation));
    let counts = [
        (creates, "to create"),
        (updates, "to update"),
        (moves, "to move"),
        (deletes, "to delete"),
        (planned.conflicts.len(), "in conflict"),
        (planned.kept.len(), "kept"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let summary: Vec<String> = counts.map(|(count, what)| format!("{} {what}", grouped(count))).collect();
    let summary = if summary.is_empty() { "nothing to do".into() } else { summary.join(", ") };
    writeln!(out, "{} on {}: {summary}", loaded.tenant, loaded.host)?;
    if planned.foreign_ids {
        writeln!(out, "none of the IDs exists here, so rows are matched by external ID")?;
    }
    if planned.by_number {
        writeln!(out, "several objects are on one line, so lines count objects")?;
    }
    if let Some((first, others)) = planned.ignored_paths.split_first() {
        let lines = match others.len() {
            0 => format!("line {first}"),
            more => format!("line {first} and {} more", grouped(more)),
        };
        writeln!(out, "the path in {lines} differs from what name and parent say, and was ignored")?;
    }
    Ok(())
}
