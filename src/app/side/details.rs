//! The details pane: everything about the selected row, as lines that fit the pane.

use crate::action::Action;
use crate::changes::is_provisional;
use crate::forest::{Heading, RowId};
use crate::segment::{Segment, SegmentId};

use crate::app::side::activity::{FieldChange, Originator};
use crate::app::side::words;
use crate::app::{Shape, State, grouped, in_words};
use crate::changes::PendingKind;

/// A line of the details pane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DetailLine {
    /// The title.
    Title(String),
    /// A label and its value; the label is empty on continuation lines.
    Field {
        /// The label.
        label: &'static str,
        /// The value, or part of it.
        value: String,
    },
    /// An anomaly or an error.
    Wrong(String),
    /// A sentence.
    Text(String),
    /// A heading over what follows.
    Heading(&'static str),
    /// The size of a child, relative to the largest one.
    Bar {
        /// The child's name.
        name: String,
        /// How many descendants it has.
        count: usize,
        /// How many descendants the largest child has.
        max_count: usize,
    },
    /// How many descendants there are at each level, nearest first.
    Levels(Vec<usize>),
    /// A blank line.
    Blank,
}

/// The width of the label column.
const LABEL_COLUMNS: u16 = 13;
/// Entries to list under the last changes.
const MAX_CHANGES: usize = 5;
/// Bars to show under the largest children.
const MAX_BARS: usize = 5;
/// Number of children above which they are not ranked, since that would slow down every frame.
const MAX_RANKED_CHILDREN: usize = 2_000;

/// Number of descendants above which they are not counted by level, for the same reason.
const MAX_COUNTED_BY_LEVEL: usize = 5_000;

/// Returns the lines for the selected row, wrapped to the width of its pane.
#[must_use]
pub fn details(state: &State) -> Vec<DetailLine> {
    let layout = state.layout();
    let Some(area) = layout.details else { return Vec::new() };
    let lines = || Lines { width: usize::from(area.width.saturating_sub(2)).max(1), lines: Vec::new() };
    match &state.tree.view.selected {
        None if state.filtered().is_some() => Vec::new(),
        None => lines().nothing(state),
        Some(RowId::Heading(heading)) => lines().heading(state, *heading),
        Some(RowId::Segment(id)) => match state.tree.forest.get(id) {
            Some(segment) if layout.shape == Shape::Column => lines().segment_aloud(state, segment),
            Some(segment) if layout.shape == Shape::Stacked => lines().segment_in_short(state, segment),
            Some(segment) => {
                let fits = |lines: &[DetailLine]| lines.len() <= usize::from(area.height);
                let mut ample = lines().segment(state, segment, Spacing::Ample);
                if !fits(&ample) {
                    ample.retain(|line| *line != DetailLine::Blank);
                }
                if fits(&ample) { ample } else { lines().segment(state, segment, Spacing::Tight) }
            }
            None => lines().missing(state, id),
        },
    }
}

/// How much room there is for the details of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spacing {
    /// Enough for everything.
    Ample,
    /// Not enough: blank lines are dropped and the path takes a single line.
    Tight,
}

struct Lines {
    width: usize,
    lines: Vec<DetailLine>,
}

impl Lines {
    fn nothing(mut self, state: &State) -> Vec<DetailLine> {
        if state.link.listed {
            self.lines.push(DetailLine::Title(words::NO_SEGMENTS.into()));
            self.text(&words::tenant_is_empty(state.key(Action::AddChild)));
        } else {
            self.text(words::WAITING);
        }
        self.lines
    }

    fn heading(mut self, state: &State, heading: Heading) -> Vec<DetailLine> {
        self.lines.push(DetailLine::Title(heading.to_string()));
        self.text(words::about(heading, state.link.listed));
        self.lines
    }

    fn missing(mut self, state: &State, id: &SegmentId) -> Vec<DetailLine> {
        self.lines.push(DetailLine::Title(words::MISSING_PARENT.into()));
        self.field("ID", &id.to_string());
        self.text(&words::missing_parent_of(state.tree.forest.child_count(id)));
        self.lines
    }

    fn segment_in_short(mut self, state: &State, segment: &Segment) -> Vec<DetailLine> {
        let external_id = segment.external_id.as_deref().unwrap_or("–");
        let below = match state.tree.forest.child_count(&segment.id) {
            0 => words::NO_CHILDREN.into(),
            _ => below(state, &segment.id),
        };
        self.cut_field("External ID", &format!("{external_id}    {below}"));
        let owner = state.session.safeguards().owner_of(segment);
        let owner = owner.map(|pattern| format!("    {}", words::managed_by(&pattern.owner())));
        self.cut_field("ID", &format!("{}{}", id(segment), owner.unwrap_or_default()));
        match state.tree.forest.anomalies(&segment.id).first() {
            Some(anomaly) => self.lines.push(DetailLine::Wrong(anomaly.to_string())),
            None => self.cut_field("Path", &path(state, &segment.id)),
        }
        self.lines
    }

    fn segment(mut self, state: &State, segment: &Segment, spacing: Spacing) -> Vec<DetailLine> {
        let is_tight = spacing == Spacing::Tight;
        self.lines.push(DetailLine::Title(segment.name.to_string()));
        self.lines.push(DetailLine::Blank);
        self.field("External ID", segment.external_id.as_deref().unwrap_or("–"));
        self.field("ID", &id(segment));
        self.field("Parent", &parent(state, segment));
        if is_tight {
            self.cut_field("Path", &path(state, &segment.id));
        } else {
            self.field("Path", &path(state, &segment.id));
        }
        self.field("Descendants", &below(state, &segment.id));
        if !is_tight {
            self.levels(state, &segment.id);
        }
        self.field("Changed", &changed(state, &segment.id));
        if let Some(pattern) = state.session.safeguards().owner_of(segment) {
            self.field("Managed by", &pattern.owner());
        }
        self.status(state, &segment.id);
        self.anomalies(state, &segment.id);
        self.history(state, &segment.id);
        if is_tight {
            self.levels(state, &segment.id);
        }
        self.bars(state, &segment.id);
        if is_tight {
            self.lines.retain(|line| *line != DetailLine::Blank);
        }
        self.lines
    }

    /// Returns everything, one fact per line, with problems first.
    fn segment_aloud(mut self, state: &State, segment: &Segment) -> Vec<DetailLine> {
        let (forest, id) = (&state.tree.forest, &segment.id);
        for line in textwrap::wrap(&words::details_of(&segment.name), self.width) {
            self.lines.push(DetailLine::Title(line.into_owned()));
        }
        for anomaly in forest.anomalies(id) {
            self.lines.extend(error_aloud(&anomaly.to_string(), self.width));
        }
        self.status(state, id);
        if let Some(pattern) = state.session.safeguards().owner_of(segment) {
            self.field("Managed by", &pattern.owner());
        }
        self.field("External ID", segment.external_id.as_deref().unwrap_or(words::NONE));
        self.field("ID", &self::id(segment));
        let parent = if segment.parent.is_some() { parent(state, segment) } else { words::NO_PARENT_ALOUD.into() };
        self.field("Parent", &parent);
        self.field("Path", &path(state, id).replace(PATH_SEPARATOR, ", "));
        let (children, descendants) = (forest.child_count(id), forest.descendant_count(id));
        self.field("Children", &grouped(children));
        self.field("Descendants", &grouped(descendants));
        if descendants > MAX_COUNTED_BY_LEVEL {
            self.field("By depth", &words::not_counted_above(MAX_COUNTED_BY_LEVEL));
        } else if descendants > children {
            self.field("By depth", &words::by_depth_aloud(&forest.levels(id)));
        }
        self.field("Changed", &changed(state, id));
        self.history(state, id);
        self.bars(state, id);
        // A screen reader gets nothing out of a blank line.
        self.lines.retain(|line| *line != DetailLine::Blank);
        self.lines
    }

    /// Adds the state of the segment's pending changes.
    fn status(&mut self, state: &State, id: &SegmentId) {
        let Some(pending) = state.changes.queue.pending(id) else { return };
        let failed = words::failed(state.key(Action::Resolve));
        self.field(
            "Status",
            match pending {
                _ if state.changes.queue.is_staged(id) => words::STAGED,
                PendingKind::Creating => words::CREATING,
                PendingKind::Changing => words::SAVING,
                PendingKind::Deleting => words::DELETING,
                PendingKind::Failed => &failed,
            },
        );
    }

    /// Adds the segment's anomalies.
    fn anomalies(&mut self, state: &State, id: &SegmentId) {
        let anomalies = state.tree.forest.anomalies(id);
        if !anomalies.is_empty() {
            self.lines.push(DetailLine::Blank);
        }
        for anomaly in anomalies {
            for line in textwrap::wrap(&anomaly.to_string(), self.width.saturating_sub(2).max(1)) {
                self.lines.push(DetailLine::Wrong(line.into_owned()));
            }
        }
    }

    /// Adds the number of descendants at each level. Omitted when there is only one level, whose count is shown elsewhere; above
    /// the limit, a note says so.
    fn levels(&mut self, state: &State, id: &SegmentId) {
        let all = state.tree.forest.descendant_count(id);
        if all > MAX_COUNTED_BY_LEVEL {
            return self.field("By depth", &words::not_counted_above(MAX_COUNTED_BY_LEVEL));
        }
        if all > state.tree.forest.child_count(id) {
            self.lines.push(DetailLine::Levels(state.tree.forest.levels(id)));
        }
    }

    /// Adds the last changes of this session, newest first.
    fn history(&mut self, state: &State, id: &SegmentId) {
        let entries = state.side.activity.entries().filter(|entry| entry.subject.as_ref() == Some(id));
        let is_accessible = state.screen.panes.accessible;
        let line =
            |at: &str, text: &str| if is_accessible { format!("{at}, {text}") } else { format!("  {at}  {text}") };
        let mut lines = Vec::new();
        for entry in entries.take(MAX_CHANGES) {
            let at = entry.at.to_zoned_datetime(state.clock.zone.clone()).strftime("%H:%M:%S").to_string();
            if entry.fields.is_empty() {
                let summary = entry.summary();
                lines.push(line(&at, &if is_accessible { in_words(summary) } else { summary.into() }));
            }
            for change in &entry.fields {
                let FieldChange { field, before, now } = change;
                let aloud = is_accessible.then(|| words::change_of_field_aloud(change));
                lines.push(line(&at, &aloud.unwrap_or_else(|| words::change_of_field(*field, before, now))));
            }
        }
        if !lines.is_empty() {
            self.lines.extend([DetailLine::Blank, DetailLine::Heading("Last changes")]);
            for line in lines.into_iter().take(2 * MAX_CHANGES) {
                // Text for a screen reader is wrapped, never cut.
                if is_accessible { self.text(&line) } else { self.lines.push(DetailLine::Text(line)) }
            }
        }
    }

    fn bars(&mut self, state: &State, id: &SegmentId) {
        if state.tree.forest.child_count(id) > MAX_RANKED_CHILDREN {
            return;
        }
        let children = state.tree.forest.children(id).into_iter();
        let mut sized: Vec<(usize, &str)> =
            children.map(|child| (state.tree.forest.descendant_count(&child.id), child.name.as_str())).collect();
        sized.retain(|(count, _)| *count > 0);
        sized.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        let Some((max_count, _)) = sized.first().copied() else { return };
        self.lines.extend([DetailLine::Blank, DetailLine::Heading("Largest children")]);
        self.lines.extend(sized.into_iter().take(MAX_BARS).map(|(count, name)| DetailLine::Bar {
            name: name.into(),
            count,
            max_count,
        }));
    }

    fn field(&mut self, label: &'static str, value: &str) {
        let width = self.width.saturating_sub(usize::from(LABEL_COLUMNS)).max(1);
        for (at, line) in textwrap::wrap(value, width).into_iter().enumerate() {
            let label = if at == 0 { label } else { "" };
            self.lines.push(DetailLine::Field { label, value: line.into_owned() });
        }
    }

    fn cut_field(&mut self, label: &'static str, value: &str) {
        self.lines.push(DetailLine::Field { label, value: value.to_owned() });
    }

    fn text(&mut self, text: &str) {
        let wrapped = textwrap::wrap(text, self.width).into_iter().map(|line| DetailLine::Text(line.into_owned()));
        self.lines.extend(wrapped.collect::<Vec<_>>());
    }
}

fn id(segment: &Segment) -> String {
    if is_provisional(&segment.id) { words::NO_ID_YET.into() } else { segment.id.to_string() }
}

fn parent(state: &State, segment: &Segment) -> String {
    match &segment.parent {
        None => words::NO_PARENT.into(),
        Some(id) => state.tree.forest.get(id).map_or_else(|| id.to_string(), |parent| parent.name.to_string()),
    }
}

/// Ancestors to name in a path. A longer path is not more helpful.
const MAX_PATH_NAMES: usize = 24;

/// Returns the names from the root to a segment; of a long path, only the last ones.
pub(in crate::app) fn path(state: &State, id: &SegmentId) -> String {
    let mut names: Vec<&str> =
        state.tree.forest.ancestors(id).take(MAX_PATH_NAMES).map(|segment| segment.name.as_str()).collect();
    if names.len() == MAX_PATH_NAMES {
        names.push("…");
    }
    names.reverse();
    names.extend(state.tree.forest.get(id).map(|segment| segment.name.as_str()));
    names.join(PATH_SEPARATOR)
}

/// Separates the names of a path.
const PATH_SEPARATOR: &str = " › ";

/// Columns of the word that precedes an error for a screen reader.
const ERROR_PREFIX_COLUMNS: usize = 9;

/// Wraps an error for a screen reader. Only the first line is labeled as an error.
pub(in crate::app) fn error_aloud(text: &str, width: usize) -> Vec<DetailLine> {
    let lines = textwrap::wrap(text, width.saturating_sub(ERROR_PREFIX_COLUMNS).max(1)).into_iter().enumerate();
    lines
        .map(|(at, line)| match at {
            0 => DetailLine::Wrong(line.into_owned()),
            _ => DetailLine::Text(line.into_owned()),
        })
        .collect()
}

fn below(state: &State, id: &SegmentId) -> String {
    let children = state.tree.forest.child_count(id);
    let all = state.tree.forest.descendant_count(id);
    words::below(children, all)
}

fn changed(state: &State, id: &SegmentId) -> String {
    state.side.activity.last_change(id).map_or_else(
        || words::NOT_THIS_SESSION.into(),
        |last| {
            let at = last.at.to_zoned_datetime(state.clock.zone.clone()).strftime("%H:%M:%S");
            match last.by {
                Originator::You => words::by_you(at),
                Originator::Somebody(contexts) => words::by_another(at, contexts),
            }
        },
    )
}
