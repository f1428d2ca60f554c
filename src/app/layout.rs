//! The layout of the screen: computed from the terminal's size and the wanted panes.
//!
//! It belongs to the state and not to the drawing, so that a page, a click and a scroll mean the same whether or not a frame was
//! drawn. Any size is valid, including zero.

use super::panes::{Pane, Panes};

/// A rectangle of cells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Area {
    /// The leftmost column.
    pub x: u16,
    /// The topmost row.
    pub y: u16,
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl Area {
    const fn new(x: u16, y: u16, width: u16, height: u16) -> Self {
        Self { x, y, width, height }
    }

    /// Whether the area contains a cell.
    #[must_use]
    pub const fn contains(&self, column: u16, row: u16) -> bool {
        column >= self.x && column < self.x + self.width && row >= self.y && row < self.y + self.height
    }
}

/// How the panes are arranged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Only the tree and the footer: the screen is too small for more.
    TreeOnly,
    /// Short details, and the activity if asked for, below the tree.
    Stacked,
    /// All panes below each other at full width, with longer details: for screen readers.
    Column,
    /// Details above the activity, to the right of the tree.
    Beside,
    /// Tree, details and activity side by side.
    Wide,
}

/// The areas of the screen. Adjacent panes are separated by one row or column for a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// How the panes are arranged.
    pub shape: Shape,
    /// The whole screen.
    pub screen: Area,
    /// The header line.
    pub header: Option<Area>,
    /// The column headings of the tree, if there is room for them.
    pub headings: Option<Area>,
    /// The tree.
    pub tree: Area,
    /// The details.
    pub details: Option<Area>,
    /// The activity; its title is in the line above.
    pub activity: Option<Area>,
    /// The footer line.
    pub footer: Area,
}

const MIN_COLUMNS: u16 = 60;
const MIN_ROWS: u16 = 15;
/// The minimum height of the screen at which the tree has column headings.
const MIN_HEADINGS_ROWS: u16 = 20;
const MIN_BESIDE_COLUMNS: u16 = 100;
const MIN_WIDE_COLUMNS: u16 = 160;
/// External id, id and path.
const SHORT_DETAILS_ROWS: u16 = 3;
const SHORT_ACTIVITY_ROWS: u16 = 5;
/// The minimum body height at which the details of a single column get half of it.
const MIN_ROOMY_BODY_ROWS: u16 = 30;
/// Below this body height, a single column has short details.
const MIN_MEDIUM_BODY_ROWS: u16 = 16;
/// Name, external id, id, parent, path, and children.
const COLUMN_DETAILS_ROWS: u16 = 6;
/// The minimum height of the tree in a single column.
const MIN_TREE_ROWS: u16 = 4;

impl Layout {
    /// Computes the layout of these panes.
    #[must_use]
    pub fn of(panes: &Panes) -> Self {
        let (columns, rows) = (panes.columns, panes.rows);
        if columns < MIN_COLUMNS || rows < MIN_ROWS {
            return Self::tree_only(columns, rows);
        }
        let body = Area::new(0, 2, columns, rows - 4);
        let (tree, details, activity, shape) = if panes.accessible {
            column(panes, body)
        } else if columns < MIN_BESIDE_COLUMNS {
            stacked(panes, body)
        } else if columns < MIN_WIDE_COLUMNS {
            beside(panes, body)
        } else {
            wide(panes, body)
        };
        let (headings, tree) = if rows < MIN_HEADINGS_ROWS || panes.accessible {
            (None, tree)
        } else {
            (Some(Area { height: 1, ..tree }), Area { y: tree.y + 1, height: tree.height.saturating_sub(1), ..tree })
        };
        Self {
            shape,
            screen: Area::new(0, 0, columns, rows),
            header: Some(Area::new(0, 0, columns, 1)),
            headings,
            tree,
            details,
            activity,
            footer: Area::new(0, rows - 1, columns, 1),
        }
    }

    const fn tree_only(columns: u16, rows: u16) -> Self {
        let tree_rows = rows.saturating_sub(1);
        Self {
            shape: Shape::TreeOnly,
            screen: Area::new(0, 0, columns, rows),
            header: None,
            headings: None,
            tree: Area::new(0, 0, columns, tree_rows),
            details: None,
            activity: None,
            footer: Area::new(0, tree_rows, columns, if rows == 0 { 0 } else { 1 }),
        }
    }

    /// The panes that can have the focus, in Tab order.
    pub fn panes(&self) -> impl Iterator<Item = Pane> + use<> {
        let details = self.details.filter(|_| self.shape != Shape::Stacked).map(|_| Pane::Details);
        [Some(Pane::Tree), details, self.activity.map(|_| Pane::Activity)].into_iter().flatten()
    }

    /// Returns the columns of the tree.
    #[must_use]
    pub fn tree_columns(&self) -> TreeColumns {
        TreeColumns::of(self.tree)
    }
}

type PaneAreas = (Area, Option<Area>, Option<Area>, Shape);

fn stacked(panes: &Panes, body: Area) -> PaneAreas {
    let mut rest = TreeRemainder { remaining: body, min_tree_rows: 8 };
    let activity = rest.take_rows(panes.activity_when_narrow, SHORT_ACTIVITY_ROWS);
    let details = rest.take_rows(panes.details, SHORT_DETAILS_ROWS);
    (rest.remaining, details, activity, Shape::Stacked)
}

fn column(panes: &Panes, body: Area) -> PaneAreas {
    let rows = match body.height {
        rows @ MIN_ROOMY_BODY_ROWS.. => rows / 2,
        ..MIN_MEDIUM_BODY_ROWS => SHORT_DETAILS_ROWS,
        _ => COLUMN_DETAILS_ROWS,
    };
    let mut rest = TreeRemainder { remaining: body, min_tree_rows: MIN_TREE_ROWS };
    let activity = rest.take_rows(panes.activity_when_narrow, SHORT_ACTIVITY_ROWS);
    let details = rest.take_rows(panes.details, rows);
    (rest.remaining, details, activity, Shape::Column)
}

/// The area that is left for the tree while panes are placed below it.
struct TreeRemainder {
    remaining: Area,
    /// The minimum height that the tree keeps.
    min_tree_rows: u16,
}

impl TreeRemainder {
    /// Takes the lowest rows for a pane, and one line above it, if the tree keeps enough.
    const fn take_rows(&mut self, wanted: bool, rows: u16) -> Option<Area> {
        if !wanted || self.remaining.height <= rows + self.min_tree_rows {
            return None;
        }
        self.remaining.height -= rows + 1;
        Some(Area::new(self.remaining.x, self.remaining.y + self.remaining.height + 1, self.remaining.width, rows))
    }
}

fn beside(panes: &Panes, body: Area) -> PaneAreas {
    if !panes.details && !panes.activity {
        return (body, None, None, Shape::Beside);
    }
    let tree_width = percent_of(body.width, panes.tree_share);
    let tree = Area { width: tree_width, ..body };
    let right = Area::new(tree_width + 1, body.y, body.width - tree_width - 1, body.height);
    let (details, activity) = match (panes.details, panes.activity) {
        (true, true) => {
            let upper = percent_of(right.height, 58);
            let lower = Area::new(right.x, right.y + upper + 1, right.width, right.height - upper - 1);
            (Some(Area { height: upper, ..right }), Some(lower))
        }
        (true, false) => (Some(right), None),
        (false, _) => (None, Some(right)),
    };
    (tree, details, activity, Shape::Beside)
}

fn wide(panes: &Panes, body: Area) -> PaneAreas {
    // With three columns the tree gets a little less than with two, and the same keys resize it.
    let tree_width = match (panes.details, panes.activity) {
        (false, false) => return (body, None, None, Shape::Wide),
        (true, true) => percent_of(body.width, panes.tree_share.saturating_sub(16).max(30)),
        _ => percent_of(body.width, panes.tree_share),
    };
    let right_x = tree_width + 1;
    let right_width = body.width - right_x;
    let tree = Area { width: tree_width, ..body };
    let column = |x: u16, width: u16| Area::new(x, body.y, width, body.height);
    match (panes.details, panes.activity) {
        (true, true) => {
            let half = right_width / 2;
            let activity = column(right_x + half + 1, right_width - half - 1);
            (tree, Some(column(right_x, half)), Some(activity), Shape::Wide)
        }
        (true, false) => (tree, Some(column(right_x, right_width)), None, Shape::Wide),
        _ => (tree, None, Some(column(right_x, right_width)), Shape::Wide),
    }
}

fn percent_of(whole: u16, percent: u16) -> u16 {
    // At most `whole`, so it fits.
    u16::try_from(u32::from(whole) * u32::from(percent.min(100)) / 100).unwrap_or(whole)
}

/// The columns of the tree: name with its indentation, external id, number of descendants, state mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeColumns {
    /// Names with their indentation, to the right of the selection bar.
    pub names: Area,
    /// External ids; zero width if there is no room.
    pub external_ids: Area,
    /// Numbers of descendants.
    pub counts: Area,
    /// State marks.
    pub marks: Area,
}

/// The selection bar at the left edge of a row, and a space.
const BAR_COLUMNS: u16 = 2;
const COUNT_COLUMNS: u16 = 8;
const MARK_COLUMNS: u16 = 3;

impl TreeColumns {
    fn of(tree: Area) -> Self {
        let external = if tree.width >= 90 {
            18
        } else if tree.width >= 56 {
            12
        } else if tree.width >= 44 {
            8
        } else {
            0
        };
        let counts = if tree.width >= 32 { COUNT_COLUMNS } else { 0 };
        let marks = if tree.width >= 12 { MARK_COLUMNS } else { 0 };
        let bar = if tree.width >= BAR_COLUMNS { BAR_COLUMNS } else { tree.width };
        let names = tree.width.saturating_sub(bar + external + counts + marks);
        let at = |x: u16, width: u16| Area::new(tree.x + x, tree.y, width, tree.height);
        Self {
            names: at(bar, names),
            external_ids: at(bar + names, external),
            counts: at(bar + names + external, counts),
            marks: at(bar + names + external + counts, marks),
        }
    }
}

/// Returns how many levels a row is indented in a name column of that width; each level is two cells.
///
/// Deeper rows stay at the last level and show their depth as a number, so that a chain of any depth fits any pane.
#[must_use]
pub fn shown_depth(depth: u32, names_width: u16) -> u16 {
    u16::try_from(depth).unwrap_or(u16::MAX).min(names_width / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(columns: u16, rows: u16) -> Layout {
        Layout::of(&Panes::new(columns, rows))
    }

    #[test]
    fn small_screens_keep_the_tree_and_one_line() {
        let small = layout(59, 24);
        assert_eq!(small.shape, Shape::TreeOnly);
        assert_eq!((small.tree.height, small.footer.height), (23, 1));
    }

    #[test]
    fn eighty_columns_put_the_details_under_the_tree() {
        let narrow = layout(80, 24);
        assert_eq!(narrow.shape, Shape::Stacked);
        assert_eq!(narrow.details.map(|area| area.height), Some(3));
        assert_eq!(narrow.activity, None);
    }

    #[test]
    fn accessible_details_grow_with_the_screen_height() {
        let details = |rows| {
            let panes = Panes { accessible: true, ..Panes::new(80, rows) };
            Layout::of(&panes).details.map(|area| area.height)
        };
        assert_eq!([14, 15, 24, 40].map(details), [None, Some(3), Some(6), Some(18)]);
    }

    #[test]
    fn every_size_keeps_every_area_on_the_screen_and_apart() {
        for columns in 0..210 {
            for rows in 0..60 {
                for bits in 0..16 {
                    let mut panes = Panes::new(columns, rows);
                    panes.details = bits & 1 != 0;
                    panes.activity = bits & 2 != 0;
                    panes.activity_when_narrow = bits & 4 != 0;
                    panes.accessible = bits & 8 != 0;
                    let layout = Layout::of(&panes);
                    let columns_of_tree = layout.tree_columns();
                    assert!(columns_of_tree.marks.x + columns_of_tree.marks.width <= layout.tree.x + layout.tree.width);
                    let areas: Vec<Area> = [Some(layout.tree), layout.details, layout.activity, layout.header]
                        .into_iter()
                        .flatten()
                        .chain([layout.footer])
                        .collect();
                    for (at, area) in areas.iter().enumerate() {
                        assert!(
                            area.x + area.width <= columns && area.y + area.height <= rows,
                            "{columns}x{rows} {area:?}"
                        );
                        assert!(
                            areas[at + 1..].iter().all(|other| are_disjoint(*area, *other)),
                            "{columns}x{rows} {layout:?}"
                        );
                    }
                }
            }
        }
    }

    fn are_disjoint(a: Area, b: Area) -> bool {
        a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y
    }
}
