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
    top: TopParent,
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
enum TopParent {
    Under(Option<SegmentId>),
    /// The topmost segments have different parents.
    Ambiguous,
}

/// The selection is too large to edit by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Too many segments (over {MAX_LINES}) or too deep; select fewer")]
pub struct TooLarge;

/// Maximum number of segments in a text.
const MAX_LINES: usize = 50_000;
/// Maximum sum of the levels of all lines: in a deep chain, most of the text would be indentation.
const MAX_LEVEL_SUM: usize = 2_000_000;

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
        fields_changed: bool,
        /// Whether the parent was changed.
        moved: bool,
    },
    /// The line was removed.
    Removed,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New { line } => write!(f, "line {line}: new"),
            Self::Edited { line, fields_changed: true, moved: true } => {
                write!(f, "line {line}: edited and moved")
            }
            Self::Edited { line, moved: true, .. } => write!(f, "line {line}: moved"),
            Self::Edited { line, .. } => write!(f, "line {line}: edited"),
            Self::Removed => f.write_str("line removed"),
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
            return Self::from_segments(forest.preorder().map(|(_, segment)| segment), TopParent::Under(None), forest);
        }
        let root_ids: std::collections::HashSet<&SegmentId> = roots.iter().map(|root| &root.id).collect();
        let is_topmost = |root: &&Arc<Segment>| forest.ancestors(&root.id).all(|above| !root_ids.contains(&above.id));
        let topmost: Vec<&Arc<Segment>> = roots.iter().filter(is_topmost).collect();
        let segments = topmost
            .iter()
            .flat_map(|root| std::iter::once(*root).chain(forest.descendants(&root.id).map(|(_, segment)| segment)));
        Self::from_segments(segments, top_parent_of(forest, &topmost), forest)
    }

    fn from_segments<'a>(
        segments: impl Iterator<Item = &'a Arc<Segment>>,
        top: TopParent,
        forest: &Forest,
    ) -> Result<Self, TooLarge> {
        let mut levels: HashMap<&SegmentId, usize> = HashMap::new();
        let (mut lines, mut level_sum) = (Vec::new(), 0);
        for segment in segments {
            // The displayed position counts: an orphan and the cut segment of a cycle are at the top.
            let parent_level = forest.parent(&segment.id).and_then(|parent| levels.get(&parent.id));
            let level = parent_level.map_or(0, |parent_level| parent_level + 1);
            levels.insert(&segment.id, level);
            level_sum += level;
            if lines.len() >= MAX_LINES || level_sum > MAX_LEVEL_SUM {
                return Err(TooLarge);
            }
            lines.push(Line { level, segment: Arc::clone(segment), tag: String::new() });
        }
        assign_tags(&mut lines);
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
        let mut text = String::from(INSTRUCTIONS);
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
const INSTRUCTIONS: &str = "\
# One segment per line: name  [external ID]  {ID}, two spaces per level.
# Edit names or external IDs. Move or indent lines to move segments. Delete lines to
# delete. Add lines without {ID} to create. The order of siblings is ignored. In a name,
# write \\ before [ ] { } \\ and before a leading #. You review everything before it is sent.
";

/// Returns the parent for new unindented lines.
fn top_parent_of(forest: &Forest, topmost: &[&Arc<Segment>]) -> TopParent {
    let parent_of = |segment: &Arc<Segment>| {
        let displayed_parent = forest.parent(&segment.id).map(|parent| &parent.id);
        (segment.parent.as_ref() == displayed_parent).then(|| displayed_parent.cloned())
    };
    let mut parents = topmost.iter().map(|segment| parent_of(segment));
    match parents.next().flatten() {
        Some(first) if parents.all(|other| other.as_ref() == Some(&first)) => TopParent::Under(first),
        _ => TopParent::Ambiguous,
    }
}

/// Minimum number of characters of a UUID in a tag.
const MIN_TAG_LEN: usize = 8;

/// Gives each line the shortest prefix of its id that is unique in the outline. An id that is not a UUID is written in full.
fn assign_tags(lines: &mut [Line]) {
    let ids: Vec<String> = lines.iter().map(|line| line.segment.id.to_string()).collect();
    let mut order: Vec<usize> = (0..ids.len()).collect();
    order.sort_unstable_by(|one, other| ids[*one].cmp(&ids[*other]));
    let common_prefix_len = |one: usize, other: usize| {
        ids[one].bytes().zip(ids[other].bytes()).take_while(|(one, other)| one == other).count()
    };
    for (at, line) in order.iter().enumerate() {
        let text = &ids[*line];
        // The longest common prefix is with a neighbour in sorted order.
        let before = at.checked_sub(1).map_or(0, |before| common_prefix_len(order[before], *line));
        let after = order.get(at + 1).map_or(0, |after| common_prefix_len(*after, *line));
        let length = (before.max(after) + 1).max(MIN_TAG_LEN);
        let short = text.get(..length).filter(|_| lines[*line].segment.id.is_uuid());
        short.unwrap_or(text).clone_into(&mut lines[*line].tag);
    }
}
