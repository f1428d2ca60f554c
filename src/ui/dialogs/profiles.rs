//! The profile switcher: a filter line, then the matches with their warnings. A profile's colour only repeats what its name says.

use crate::ui::Canvas;
use crate::ui::dialogs::list::{self, ListRow};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::app::{Access, Choice, ListItem, ListWindow, ProfileLine, ProfileList, State};

use crate::printable::printable;
use crate::ui::Look;
use crate::ui::dialog;
use crate::ui::spoken::aloud;
use crate::ui::text::fitted;

/// Profiles shown at once.
const MAX_ROWS: usize = 10;
/// Lines besides the profiles and the keys: the filter and a blank.
const EXTRA_LINES: usize = 2;
/// Maximum cells for names.
const MAX_NAME_CELLS: usize = 24;
/// Cells for the bar, the colour, and the blanks between columns.
const NON_TEXT_CELLS: usize = 8;

pub(in crate::ui) fn draw(state: &State, list: &ProfileList, look: Look<'_>, frame: &mut Canvas<'_, '_>) -> Rect {
    let theme = look.theme;
    let profiles = &state.side.profiles;
    let found = list.matches(profiles);
    let keys = dialog::keys_wrapped(ProfileList::KEYS, dialog::usual_room(state));
    let max_rows = MAX_ROWS.min(dialog::usual_lines(state).saturating_sub(EXTRA_LINES + keys.len())).max(1);
    let is_accessible = theme.symbols.are_words();
    let here = Choice::SwitchTo(profiles.current.clone());
    let width = dialog::usual_room(state);
    let sentence = |choice: &Choice| {
        let profile = profiles.profile(choice);
        let about = profiles.description(choice);
        let parts = [profiles.title(choice).to_owned(), aloud(&about, theme).into_owned()];
        let marks = marks(profile, *choice == here);
        let parts = parts.into_iter().chain(marks.into_iter().map(str::to_owned));
        let parts = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
        let item = Some(ListItem::Profile(choice.clone()));
        ListRow { item, ..ListRow::from(Line::raw(format!("   {}", printable(&parts)))) }
    };
    let height = |at: usize| if is_accessible { sentence(&found[at]).height(width, theme) } else { 1 };
    let rows = list::lines(found.len(), max_rows, height).max(1);
    let names = found.iter().map(|choice| profiles.title(choice).width()).max().unwrap_or(0).min(MAX_NAME_CELLS);
    let needed_width = found.iter().map(|choice| {
        let marks = marks(profiles.profile(choice), *choice == here).join("  ");
        names + NON_TEXT_CELLS + profiles.description(choice).width() + marks.width()
    });
    let dialog::OpenedDialog { outer, inner } = dialog::open(
        state,
        "Switch profile",
        (rows + EXTRA_LINES + keys.len(), needed_width.max().unwrap_or(0)),
        look,
        frame,
    );
    if let Some(area) = dialog::line(inner, 0) {
        let indent = 2.min(area.width);
        frame.buffer_mut().set_stringn(area.x, area.y, "/", usize::from(area.width), theme.accent);
        let field = Rect { x: area.x + indent, width: area.width - indent, ..area };
        dialog::text_field(&list.filter, field, true, theme, frame);
    }
    let window = list::window(state, (list.list, found.len()), rows, height);
    let part = ListWindow { first: window.start, shown: window.len(), len: found.len() };
    let chosen = list.list.chosen.checked_sub(window.start);
    let lines = found[window].iter().map(|choice| {
        if is_accessible {
            return sentence(choice);
        }
        let profile = profiles.profile(choice);
        let marks = Line::styled(marks(profile, *choice == here).join("  "), theme.warning);
        let about = usize::from(inner.width).saturating_sub(names + NON_TEXT_CELLS + marks.width());
        let text = Line::from(vec![
            Span::raw("   "),
            Span::raw(padded(profiles.title(choice), names)),
            Span::styled(format!("  {}", fitted(&profiles.description(choice), about)), theme.quiet),
        ]);
        ListRow {
            text,
            right: Some(marks),
            colour: profile.and_then(|profile| profile.colour),
            item: Some(ListItem::Profile(choice.clone())),
        }
    });
    list::draw(lines, chosen, part, (inner, 1), theme, frame);
    if found.is_empty()
        && let Some(area) = dialog::line(inner, 1)
    {
        frame.render_widget(Line::styled("No matching profile", theme.quiet), area);
    }
    dialog::draw_rows(&keys, (inner, rows + EXTRA_LINES), theme, frame);
    outer
}

fn padded(name: &str, cells: usize) -> String {
    let name = fitted(name, cells);
    let blanks = cells.saturating_sub(name.width());
    format!("{name}{}", " ".repeat(blanks))
}

fn marks(profile: Option<&ProfileLine>, here: bool) -> Vec<&'static str> {
    let protected = profile.is_some_and(|profile| profile.protected).then_some("protected");
    let read_only = profile.is_some_and(|profile| profile.access == Access::ReadOnly).then_some("read-only");
    [protected, read_only, here.then_some("current")].into_iter().flatten().collect()
}
