//! Segments as an indented text that the user edits in their own editor, and the plan that the edited text amounts to.
//!
//! An [`Outline`] holds the segments as they were when the text was written. It always holds whole subtrees, so a line that is
//! deleted or moved never takes along a descendant that the user can't see. All faults in a text are reported together, each with
//! its line; a text with a fault yields no plan.

mod diff;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::forest::Forest;
use crate::segment::{Segment, SegmentId};

use super::model::Plan;
use crate::formats::outline::{Fault, read, written};

/// The segments that were written into a text.
///
/// ```
/// use std::sync::Arc;
///
/// use segtui::changes::{OpId, Operation, Outline};
/// use segtui::forest::Forest;
/// use segtui::segment::{Segment, SegmentId};
///
/// let vip = Segment { id: SegmentId::new("vip").unwrap(), name: "VIP".into(), external_id: None, parent: None };
/// let vip = Arc::new(vip);
/// let forest: Forest = [Arc::clone(&vip)].into_iter().collect();
/// let outline = Outline::of(&forest, &[vip]).unwrap();
///
/// // A line indented below another is a new child of that segment.
/// let text = outline.text() + "  Gold\n";
/// let plan_id = segtui::changes::ChangeQueue::new(0, 6).next_plan_id();
/// let (plan, _) = outline.plan(&text, |index| OpId { plan_id, index }.provisional_id()).unwrap();
/// let [Operation::Create { draft }] = plan.operations.as_slice() else { panic!("one create") };
/// assert_eq!(draft.name.as_str(), "Gold");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    lines: Vec<Line>,
    top: Top,
}

/// One segment of an outline.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    /// Indentation level, 0 at the top.
    level: usize,
    segment: Arc<Segment>,
    /// The shortened id between braces.
    tag: String,
}

/// The parent of unindented lines, except for segments that were at the top already.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Top {
    Under(Option<SegmentId>),
    /// The topmost segments have different parents.
    Unclear,
}

/// The selection is too large to edit by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Too many segments (over {LINES}) or too deep; select fewer")]
pub struct TooLarge;

/// Maximum number of segments in a text.
const LINES: usize = 50_000;
/// Maximum sum of the levels of all lines: in a deep chain, most of the text would be indentation.
const LEVELS: usize = 2_000_000;

/// Why an operation is in the plan: the edit that caused it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A new line.
    New {
        /// Line number, from 1.
        line: usize,
    },
    /// A line was edited, moved, or both.
    Edited {
        /// Line number, from 1.
        line: usize,
        /// Whether the name or the external id was changed.
        retyped: bool,
        /// Whether the parent was changed.
        moved: bool,
    },
    /// The line was removed.
    Gone,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New { line } => write!(f, "line {line}: new"),
            Self::Edited { line, retyped: true, moved: true } => {
                write!(f, "line {line}: edited and moved")
            }
            Self::Edited { line, moved: true, .. } => write!(f, "line {line}: moved"),
            Self::Edited { line, .. } => write!(f, "line {line}: edited"),
            Self::Gone => f.write_str("line removed"),
        }
    }
}

impl Outline {
    /// Returns the outline of segments and all their descendants, in tree order. A root below another root is not listed twice.
    /// Without roots, the outline holds everything.
    ///
    /// # Errors
    ///
    /// [`TooLarge`] if there are too many segments, or they are nested too deeply.
    pub fn of(forest: &Forest, roots: &[Arc<Segment>]) -> Result<Self, TooLarge> {
        if roots.is_empty() {
            return Self::written(forest.preorder().map(|(_, segment)| segment), Top::Under(None), forest);
        }
        let chosen: std::collections::HashSet<&SegmentId> = roots.iter().map(|root| &root.id).collect();
        let is_topmost = |root: &&Arc<Segment>| forest.ancestors(&root.id).all(|above| !chosen.contains(&above.id));
        let topmost: Vec<&Arc<Segment>> = roots.iter().filter(is_topmost).collect();
        let segments = topmost
            .iter()
            .flat_map(|root| std::iter::once(*root).chain(forest.descendants(&root.id).map(|(_, segment)| segment)));
        Self::written(segments, top_of(forest, &topmost), forest)
    }

    fn written<'a>(
        segments: impl Iterator<Item = &'a Arc<Segment>>,
        top: Top,
        forest: &Forest,
    ) -> Result<Self, TooLarge> {
        let mut levels: HashMap<&SegmentId, usize> = HashMap::new();
        let (mut lines, mut sum) = (Vec::new(), 0);
        for segment in segments {
            // The displayed position counts: an orphan and the cut segment of a cycle are at the top.
            let above = forest.parent(&segment.id).and_then(|parent| levels.get(&parent.id));
            let level = above.map_or(0, |above| above + 1);
            levels.insert(&segment.id, level);
            sum += level;
            if lines.len() >= LINES || sum > LEVELS {
                return Err(TooLarge);
            }
            lines.push(Line { level, segment: Arc::clone(segment), tag: String::new() });
        }
        give_tags(&mut lines);
        Ok(Self { lines, top })
    }

    /// Number of segments.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether the outline holds no segment.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Returns the text to edit, which starts with short instructions in comments.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::from(HOW);
        for line in &self.lines {
            let Segment { name, external_id, .. } = &*line.segment;
            text.push_str(&written(line.level, name, external_id.as_deref(), Some(&line.tag)));
        }
        text
    }

    /// Returns the plan that an edited text amounts to, and a reason for each operation. A new segment is identified by the
    /// provisional id of its place in the plan.
    ///
    /// # Errors
    ///
    /// Every fault in the text.
    pub fn plan(
        &self,
        text: &str,
        provisional: impl Fn(usize) -> SegmentId,
    ) -> Result<(Plan, Vec<Reason>), Vec<Fault>> {
        diff::plan(self, read(text), &provisional)
    }
}

/// The instructions at the start of the text.
const HOW: &str = "\
# One segment per line: name  [external ID]  {ID}, two spaces per level.
# Edit names or external IDs. Move or indent lines to move segments. Delete lines to
# delete. Add lines without {ID} to create. The order of siblings is ignored. In a name,
# write \\ before [ ] { } \\ and before a leading #. You review everything before it is sent.
";

/// Returns the parent for new unindented lines.
fn top_of(forest: &Forest, topmost: &[&Arc<Segment>]) -> Top {
    let place = |segment: &Arc<Segment>| {
        let shown = forest.parent(&segment.id).map(|parent| &parent.id);
        (segment.parent.as_ref() == shown).then(|| shown.cloned())
    };
    let mut places = topmost.iter().map(|segment| place(segment));
    match places.next().flatten() {
        Some(first) if places.all(|other| other.as_ref() == Some(&first)) => Top::Under(first),
        _ => Top::Unclear,
    }
}

/// Minimum number of characters of a UUID in a tag.
const SHORTEST_TAG: usize = 8;

/// Gives each line the shortest prefix of its id that is unique in the outline. An id that is not a UUID is written in full.
fn give_tags(lines: &mut [Line]) {
    let texts: Vec<String> = lines.iter().map(|line| line.segment.id.to_string()).collect();
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_unstable_by(|one, other| texts[*one].cmp(&texts[*other]));
    let common = |one: usize, other: usize| {
        texts[one].bytes().zip(texts[other].bytes()).take_while(|(one, other)| one == other).count()
    };
    for (at, line) in order.iter().enumerate() {
        let text = &texts[*line];
        // The longest common prefix is with a neighbour in sorted order.
        let before = at.checked_sub(1).map_or(0, |before| common(order[before], *line));
        let after = order.get(at + 1).map_or(0, |after| common(*after, *line));
        let length = (before.max(after) + 1).max(SHORTEST_TAG);
        let short = text.get(..length).filter(|_| lines[*line].segment.id.is_uuid());
        short.unwrap_or(text).clone_into(&mut lines[*line].tag);
    }
}
