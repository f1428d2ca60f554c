//! Segments as an indented text that a person edits in their own editor, and what the edited text asks for.
//!
//! An [`Outline`] is the segments as they were when the text was written. It holds whole subtrees: whatever stands below one
//! of its segments is in it too, so nothing that the person can't see goes or moves with what they delete or move. Everything
//! that is wrong with a text is told at once, each with its line; a text with a fault in it asks for nothing.

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

/// Segments as they were when they were written into a text.
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
/// // A line that is indented below another one is a new segment below that.
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
    /// 0 for the topmost.
    level: usize,
    segment: Arc<Segment>,
    /// What stands for its id.
    tag: String,
}

/// Where a line belongs that is not indented, unless its segment was there already.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Top {
    Under(Option<SegmentId>),
    /// The topmost segments stand under different ones.
    Unclear,
}

/// More than anybody edits by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Too many segments (over {LINES}) or too deep; select fewer")]
pub struct TooLarge;

/// Segments that a text holds at most.
const LINES: usize = 50_000;
/// Levels of all lines together: in a chain, the indentation is what most of the text would be.
const LEVELS: usize = 2_000_000;

/// Why an operation is in a plan: what was done to the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A line is new.
    New {
        /// Its number, from 1.
        line: usize,
    },
    /// A line is another one, or stands below another one.
    Edited {
        /// Its number, from 1.
        line: usize,
        /// Whether what stands in it is something else.
        retyped: bool,
        /// Whether it stands elsewhere.
        moved: bool,
    },
    /// The line is not there any more.
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
    /// Segments and all that stands below them, in the order of the tree. What stands below another one of them is not
    /// listed twice. Without any: everything.
    ///
    /// # Errors
    ///
    /// More segments than are edited by hand.
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
            // Where it is shown counts: a missing parent and a circle leave a segment at the top.
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

    /// How many segments it holds.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether it holds no segment.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The text to be edited, with a few words in front of it on how that is done.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::from(HOW);
        for line in &self.lines {
            let Segment { name, external_id, .. } = &*line.segment;
            text.push_str(&written(line.level, name, external_id.as_deref(), Some(&line.tag)));
        }
        text
    }

    /// What an edited text asks for, and why: a reason for each operation. New segments are known by the provisional id for their place in the plan.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn plan(
        &self,
        text: &str,
        provisional: impl Fn(usize) -> SegmentId,
    ) -> Result<(Plan, Vec<Reason>), Vec<Fault>> {
        diff::plan(self, read(text), &provisional)
    }
}

/// What the first lines tell.
const HOW: &str = "\
# One segment per line: name  [external ID]  {ID}, two spaces per level.
# Edit names or external IDs. Move or indent lines to move segments. Delete lines to
# delete. Add lines without {ID} to create. The order of siblings is ignored. In a name,
# write \\ before [ ] { } \\ and before a leading #. You review everything before it is sent.
";

/// Where new lines at the top belong.
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

/// Characters of a UUID that are always written.
const SHORTEST_TAG: usize = 8;

/// Gives each line the shortest beginning of its id that no other id of the outline has. What is no UUID is written whole.
fn give_tags(lines: &mut [Line]) {
    let texts: Vec<String> = lines.iter().map(|line| line.segment.id.to_string()).collect();
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_unstable_by(|one, other| texts[*one].cmp(&texts[*other]));
    let common = |one: usize, other: usize| {
        texts[one].bytes().zip(texts[other].bytes()).take_while(|(one, other)| one == other).count()
    };
    for (at, line) in order.iter().enumerate() {
        let text = &texts[*line];
        // Of all others, a neighbour has most in common with it.
        let before = at.checked_sub(1).map_or(0, |before| common(order[before], *line));
        let after = order.get(at + 1).map_or(0, |after| common(*after, *line));
        let length = (before.max(after) + 1).max(SHORTEST_TAG);
        let short = text.get(..length).filter(|_| lines[*line].segment.id.is_uuid());
        short.unwrap_or(text).clone_into(&mut lines[*line].tag);
    }
}
