//! The deletion dialog, and the confirmations to quit or switch with unsent changes.

use std::borrow::Cow;

use crate::app::Layer;
use crate::numbers::{Agreeing, Noun, counted};
use crate::ui::Canvas;
use ratatui::layout::Rect;
use ratatui::text::Line;
use unicode_width::UnicodeWidthStr;

use crate::action::Action;
use crate::app::{Deletion, State, grouped};

use crate::ui::Look;
use crate::ui::dialog::{self, Row};
use crate::ui::text::fitted;
use crate::ui::theme::Theme;

/// Cells before the text of a choice.
const CHOICE_INDENT: usize = 5;
/// Maximum names listed for several segments.
const MAX_NAMES: usize = 4;

pub(in crate::ui) fn draw(state: &State, deletion: &Deletion, look: Look<'_>, frame: &mut Canvas<'_, '_>) -> Rect {
    let theme = look.theme;
    let title = format!("Delete {}", deletion.title());
    let lines = dialog::fitted_to_height(lines(state, deletion, theme), state);
    let needed_width = dialog::widest_row(&lines, theme);
    let dialog::OpenedDialog { outer, inner } = dialog::open(state, &title, (lines.len(), needed_width), look, frame);
    dialog::draw_rows(&lines, (inner, 0), theme, frame);
    outer
}

fn lines(state: &State, deletion: &Deletion, theme: &Theme) -> Vec<Row<'static>> {
    let room = dialog::usual_room(state);
    let mut lines: Vec<Row<'static>> = Vec::new();
    if let [_, _, ..] = deletion.roots.as_slice() {
        for segment in deletion.roots.iter().take(MAX_NAMES) {
            lines.push(Line::raw(format!("  {}", fitted(&segment.name, room.saturating_sub(2)))).into());
        }
        if deletion.roots.len() > MAX_NAMES {
            lines.push(Line::raw(format!("  and {} more", deletion.roots.len() - MAX_NAMES)).into());
        }
        lines.push(Line::default().into());
    }
    let keys = deletion.keys();
    let undo = state.key(Action::Undo);
    if deletion.descendants == 0 {
        let text = format!("It has no children. You can undo this ({undo}); it will get a new ID.");
        let wrapped = textwrap::wrap(&text, room.max(8)).into_iter().map(Cow::into_owned);
        lines.extend(wrapped.map(Line::raw).chain([Line::default()]).map(Row::Text));
        lines.extend(dialog::keys_wrapped(&keys, room));
        return lines;
    }
    if let [only] = deletion.roots.as_slice() {
        let names = state.tree.forest.children(&only.id);
        let more = names.len().saturating_sub(MAX_NAMES);
        let names: Vec<&str> = names.iter().take(MAX_NAMES).map(|child| child.name.as_str()).collect();
        let more = if more > 0 { format!(" and {} more", grouped(more)) } else { String::new() };
        let names = fitted(&names.join(", "), room.saturating_sub(more.width())).into_owned();
        lines.push(Line::styled(format!("{names}{more}"), theme.quiet).into());
    }
    let (below, children) = (deletion.descendants, deletion.children);
    let descendants = counted(below, Noun::Descendant);
    let all = grouped(below + deletion.roots.len());
    let moved = counted(children, Noun::Child);
    let roots = deletion.roots.len();
    let have = format!("{} {} {descendants}", Agreeing::They.with(roots), Agreeing::Have.with(roots));
    let question = format!("{have}. What should happen to {}?", Agreeing::Them.with(below));
    lines.extend([Line::raw(question), Line::default()].map(Row::Text));
    let only = Agreeing::These.with(roots);
    let whole = format!("delete only {only} and let the server decide (can't be undone)");
    // With less room, the warning that it can't be undone matters most.
    let fits = room >= whole.width() + CHOICE_INDENT;
    let only = if fits { whole } else { format!("delete only {only} (can't be undone)") };
    let up = format!("keep the {moved}: move {} up {}", Agreeing::Them.with(children), place_above(state, deletion));
    let up = fitted(&up, room.saturating_sub(CHOICE_INDENT)).into_owned();
    let mut keys = keys.into_iter();
    // The first keys get a sentence each; the remaining one cancels.
    let sentences = [format!("delete all {all}"), up, only];
    lines.extend(sentences.into_iter().zip(keys.by_ref()).map(|(sentence, key)| Row::Choice(key, sentence)));
    let undone = Line::styled(format!("You can undo s and p ({undo}); segments get new IDs."), theme.quiet);
    lines.extend([Line::default(), undone].map(Row::Text));
    lines.extend(dialog::keys_wrapped(&keys.collect::<Vec<_>>(), room));
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

/// What happens to unsent changes when the session ends.
enum Unsent {
    /// They are lost: there is no journal.
    Lost,
    /// All are staged.
    Staged,
    /// Some are staged.
    Mixed,
    /// None is staged.
    UnderWay,
}

const LOST: &str = "Unsent changes will be lost.";

fn unsent(state: &State) -> Unsent {
    let staged = state.changes.counts().staged;
    match staged {
        _ if !state.session.journalled => Unsent::Lost,
        0 => Unsent::UnderWay,
        staged if staged == state.changes.counts().unfinished() => Unsent::Staged,
        _ => Unsent::Mixed,
    }
}

/// Draws the confirmation to quit with unsent changes.
pub(in crate::ui) fn draw_leaving(state: &State, look: Look<'_>, frame: &mut Canvas<'_, '_>) -> Rect {
    let outcome = match unsent(state) {
        Unsent::Lost => LOST,
        Unsent::Staged => "Staged changes are kept for next time.",
        Unsent::Mixed => "Staged changes are kept; the rest is checked at next start.",
        Unsent::UnderWay => &they_will(state, "be checked at next start."),
    };
    draw_exit_confirmation(state, "Quit?", outcome, &Layer::Leaving, look, frame)
}

fn they_will(state: &State, rest: &str) -> String {
    format!("{} will {rest}", Agreeing::They.with(state.changes.counts().unfinished()))
}

/// Draws the confirmation to switch profiles with unsent changes.
pub(in crate::ui) fn draw_switching(state: &State, layer: &Layer, look: Look<'_>, frame: &mut Canvas<'_, '_>) -> Rect {
    let outcome = match unsent(state) {
        Unsent::Lost => LOST,
        Unsent::Staged => "Staged changes are kept until you come back.",
        Unsent::Mixed => "Staged changes are kept; the rest is checked when you come back.",
        Unsent::UnderWay => &they_will(state, "be checked when you come back."),
    };
    draw_exit_confirmation(state, "Switch?", outcome, layer, look, frame)
}

fn draw_exit_confirmation(
    state: &State,
    title: &str,
    outcome: &str,
    layer: &Layer,
    look: Look<'_>,
    frame: &mut Canvas<'_, '_>,
) -> Rect {
    let waiting = state.changes.counts().unfinished();
    let what = format!("{} {}", counted(waiting, Noun::Change), Agreeing::HaveNot.with(waiting));
    let lines = [
        Line::raw(format!("{what} been sent.")).into(),
        Line::raw(outcome.to_owned()).into(),
        Line::default().into(),
        Row::Keys(layer.keys(state, look.keymap)),
    ];
    let needed_width = dialog::widest_row(&lines, look.theme);
    let dialog::OpenedDialog { outer, inner } = dialog::open(state, title, (lines.len(), needed_width), look, frame);
    dialog::draw_rows(&lines, (inner, 0), look.theme, frame);
    outer
}
