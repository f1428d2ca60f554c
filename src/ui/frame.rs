//! The lines between panes, and the titles that stand in them.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

use crate::app::{Pane, Shape, State};

use super::Look;
use super::text::{fitted, fitted_end, rect};

pub(super) fn draw(state: &State, look: Look<'_>, frame: &mut Frame<'_>) {
    let layout = state.layout();
    if layout.shape == Shape::TreeOnly {
        return;
    }
    let (screen, footer) = (rect(layout.screen), rect(layout.footer));
    let (top, bottom) = (1, footer.y.saturating_sub(1));
    let mut pen = Pen { look, frame };
    pen.across(0, top, screen.width);
    pen.across(0, bottom, screen.width);
    let right_of_tree = [layout.details, layout.activity].into_iter().flatten().map(rect);
    for pane in right_of_tree {
        if pane.x > 0 {
            pen.down(pane.x - 1, top, bottom);
        }
    }
    if let Some(details) = layout.details.map(rect).filter(|_| layout.shape == Shape::Stacked) {
        pen.across(details.x, details.y - 1, details.width);
    }
    if let Some(activity) = layout.activity.map(rect) {
        if activity.y - 1 > top {
            pen.across(activity.x, activity.y - 1, activity.width);
            if activity.x > 0 {
                pen.join(activity.x - 1, activity.y - 1, look.theme.symbols.lines.right_from);
            }
        }
        pen.activity_title(state, activity);
    }
    pen.breadcrumb(state, top, rect(layout.tree));
}

struct Pen<'a, 'b, 'c> {
    look: Look<'a>,
    frame: &'b mut Frame<'c>,
}

impl Pen<'_, '_, '_> {
    fn across(&mut self, x: u16, y: u16, width: u16) {
        let line = self.look.theme.symbols.lines.across.repeat(usize::from(width));
        self.frame.buffer_mut().set_stringn(x, y, line, usize::from(width), self.look.theme.line);
    }

    fn down(&mut self, x: u16, top: u16, bottom: u16) {
        let lines = self.look.theme.symbols.lines;
        self.join(x, top, lines.down_from);
        for y in top + 1..bottom {
            self.join(x, y, lines.down);
        }
        self.join(x, bottom, lines.up_from);
    }

    fn join(&mut self, x: u16, y: u16, symbol: &str) {
        self.frame.buffer_mut().set_stringn(x, y, symbol, 1, self.look.theme.line);
    }

    /// `─ Activity ─────── 14/min ─`
    fn activity_title(&mut self, state: &State, activity: Rect) {
        let theme = self.look.theme;
        let title = if state.panes.focus == Pane::Activity { theme.accent.patch(theme.strong) } else { theme.strong };
        let y = activity.y - 1;
        self.label(activity.x + 1, y, " Activity ", title, activity);
        let rate = state.activity.changes_a_minute(state.clock.now);
        if rate > 0 {
            let text = format!(" {rate} a minute ");
            let width = u16::try_from(text.len()).unwrap_or(0);
            let right = (activity.x + activity.width).saturating_sub(width + 1);
            if right > activity.x + 12 {
                self.label(right, y, &text, theme.quiet, activity);
            }
        }
    }

    /// What the selected row stands below, where the parent has been scrolled out of sight.
    fn breadcrumb(&mut self, state: &State, y: u16, tree: Rect) {
        let Some(path) = state.path_out_of_sight() else { return };
        let room = usize::from(tree.width).saturating_sub(4);
        if room > 8 {
            let text = format!(" {} ", fitted_end(&path, room));
            self.label(tree.x + 1, y, &text, self.look.theme.quiet, tree);
        }
    }

    fn label(&mut self, x: u16, y: u16, text: &str, style: Style, within: Rect) {
        let room = usize::from((within.x + within.width).saturating_sub(x));
        // The line below has a colour of its own, which a title does not take over.
        let style = Style::new().fg(Color::Reset).patch(style);
        self.frame.buffer_mut().set_stringn(x, y, fitted(text, room), room, style);
    }
}
