//! What would go, and how; and whether to leave although writes are under way.

use std::borrow::Cow;

use crate::app::Layer;
use crate::numbers::{Agreeing, Noun, counted};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::action::Action;
use crate::app::{Deletion, State, grouped};

use crate::ui::Look;
use crate::ui::dialog;
use crate::ui::text::fitted;
use crate::ui::theme::Theme;

/// Cells before the text of a choice.
const CHOICE: usize = 5;
/// Names listed of several segments.
const NAMES: usize = 4;

pub(in crate::ui) fn draw(state: &State, deletion: &Deletion, look: Look<'_>, frame: &mut Frame<'_>) -> Rect {
    let theme = look.theme;
    let title = format!("Delete {}", deletion.title());
    let lines = dialog::tightened(lines(state, deletion, theme), state);
    let dialog::Opened { outer, inner } =
        dialog::open(state, &title, (lines.len(), dialog::widest(&lines)), look, frame);
    dialog::draw_lines(lines, (inner, 0), frame);
    outer
}

fn lines(state: &State, deletion: &Deletion, theme: &Theme) -> Vec<Line<'static>> {
    let room = dialog::usual_room(state);
    let mut lines = Vec::new();
    if let [_, _, ..] = deletion.roots.as_slice() {
        for segment in deletion.roots.iter().take(NAMES) {
            lines.push(Line::raw(format!("  {}", fitted(&segment.name, room.saturating_sub(2)))));
        }
        if deletion.roots.len() > NAMES {
            lines.push(Line::raw(format!("  and {} more", deletion.roots.len() - NAMES)));
        }
        lines.push(Line::default());
    }
    let keys = deletion.keys();
    let undo = state.key(Action::Undo);
    if deletion.descendants == 0 {
        let text = format!("It has no children. You can undo this ({undo}); it will get a new ID.");
        let wrapped = textwrap::wrap(&text, room.max(8)).into_iter().map(Cow::into_owned);
        lines.extend(wrapped.map(Line::raw));
        lines.push(Line::default());
        lines.extend(dialog::keys_wrapped(&keys, room, theme));
        return lines;
    }
    if let [only] = deletion.roots.as_slice() {
        let names = state.tree.forest.children(&only.id);
        let more = names.len().saturating_sub(NAMES);
        let names: Vec<&str> = names.iter().take(NAMES).map(|child| child.name.as_str()).collect();
        let more = if more > 0 { format!(" and {} more", grouped(more)) } else { String::new() };
        let names = fitted(&names.join(", "), room.saturating_sub(more.width())).into_owned();
        lines.push(Line::styled(format!("{names}{more}"), theme.quiet));
    }
    let (below, children) = (deletion.descendants, deletion.children);
    let stand = counted(below, Noun::Descendant);
    let all = grouped(below + deletion.roots.len());
    let moved = counted(children, Noun::Child);
    let roots = deletion.roots.len();
    let have = format!("{} {} {stand}", Agreeing::They.with(roots), Agreeing::Have.with(roots));
    lines.push(Line::raw(format!("{have}. What should happen to {}?", Agreeing::Them.with(below))));
    lines.push(Line::default());
    lines.push(choice("s", &format!("delete all {all}"), theme));
    let up = format!("keep the {moved}: move {} up {}", Agreeing::Them.with(children), place_above(state, deletion));
    lines.push(choice("p", &fitted(&up, room.saturating_sub(CHOICE)), theme));
    let only = Agreeing::These.with(roots);
    let whole = format!("delete only {only} and let the server decide (can't be undone)");
    // Where there is less room, that it can't be undone is what has to be read.
    let fits = room >= whole.width() + CHOICE;
    let only = if fits { whole } else { format!("delete only {only} (can't be undone)") };
    lines.push(choice("o", &only, theme));
    lines.push(Line::default());
    lines.push(Line::styled(format!("You can undo s and p ({undo}); segments get new IDs."), theme.quiet));
    // The others stand above, each with its sentence.
    lines.push(dialog::keys(keys.last_chunk::<1>().map_or(&[], |last| last), theme));
    lines
}

fn place_above(state: &State, deletion: &Deletion) -> String {
    match deletion.roots.as_slice() {
        [only] => match state.tree.forest.parent(&only.id) {
            Some(parent) => format!("to {}", parent.name),
            None => "to top level".into(),
        },
        _ => "one level".into(),
    }
}

fn choice(key: &'static str, text: &str, theme: &Theme) -> Line<'static> {
    Line::from(vec![
        Span::raw("  "),
        Span::styled(key, theme.accent.patch(theme.strong)),
        Span::raw(format!("  {text}")),
    ])
}

/// What becomes of work that is not carried out when the session ends.
enum Unsent {
    /// There is no journal.
    Lost,
    /// None of it was to be sent yet.
    Staged,
    /// Some of it was to be sent.
    Mixed,
    /// All of it was.
    UnderWay,
}

const LOST: &str = "Unsent changes will be lost.";

fn unsent(state: &State) -> Unsent {
    let gathered = state.changes.counts().staged;
    match gathered {
        _ if !state.session.journalled => Unsent::Lost,
        0 => Unsent::UnderWay,
        gathered if gathered == state.changes.counts().unfinished() => Unsent::Staged,
        _ => Unsent::Mixed,
    }
}

/// Whether to leave although writes are under way.
pub(in crate::ui) fn draw_leaving(state: &State, look: Look<'_>, frame: &mut Frame<'_>) -> Rect {
    let kept = match unsent(state) {
        Unsent::Lost => LOST,
        Unsent::Staged => "Staged changes are kept for next time.",
        Unsent::Mixed => "Staged changes are kept; the rest is checked at next start.",
        Unsent::UnderWay => &they_will(state, "be checked at next start."),
    };
    draw_parting(state, "Quit?", kept, &Layer::Leaving, look, frame)
}

fn they_will(state: &State, rest: &str) -> String {
    format!("{} will {rest}", Agreeing::They.with(state.changes.counts().unfinished()))
}

/// Whether to go elsewhere although writes are under way.
pub(in crate::ui) fn draw_switching(state: &State, layer: &Layer, look: Look<'_>, frame: &mut Frame<'_>) -> Rect {
    let kept = match unsent(state) {
        Unsent::Lost => LOST,
        Unsent::Staged => "Staged changes are kept until you come back.",
        Unsent::Mixed => "Staged changes are kept; the rest is checked when you come back.",
        Unsent::UnderWay => &they_will(state, "be checked when you come back."),
    };
    draw_parting(state, "Switch?", kept, layer, look, frame)
}

fn draw_parting(state: &State, title: &str, kept: &str, layer: &Layer, look: Look<'_>, frame: &mut Frame<'_>) -> Rect {
    let waiting = state.changes.counts().unfinished();
    let what = format!("{} {}", counted(waiting, Noun::Change), Agreeing::HaveNot.with(waiting));
    let lines = [
        Line::raw(format!("{what} been sent.")),
        Line::raw(kept.to_owned()),
        Line::default(),
        dialog::keys(&layer.keys(state, look.keymap), look.theme),
    ];
    let dialog::Opened { outer, inner } =
        dialog::open(state, title, (lines.len(), dialog::widest(&lines)), look, frame);
    dialog::draw_lines(lines, (inner, 0), frame);
    outer
}
