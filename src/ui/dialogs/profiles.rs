//! The places to switch to: a line to type in, and what matches, with what is to be minded there. A profile's colour only repeats
//! what its name says.

use crate::ui::Canvas;
use crate::ui::dialogs::list::{self, ListRow};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::app::{Access, Choice, ListItem, ListWindow, ProfileLine, ProfileList, State};

use crate::ui::Look;
use crate::ui::dialog;
use crate::ui::text::fitted;

/// Places shown at once.
const SHOWN: usize = 10;
/// Lines beside the places and the keys: what is typed, and a blank.
const BESIDE: usize = 2;
/// Cells for names at most.
const NAMES: usize = 24;
/// Cells for the bar, the colour, and the blanks between what is told.
const AROUND: usize = 8;

pub(in crate::ui) fn draw(state: &State, list: &ProfileList, look: Look<'_>, frame: &mut Canvas<'_, '_>) -> Rect {
    let theme = look.theme;
    let profiles = &state.side.profiles;
    let found = list.found(profiles);
    let keys = dialog::keys_wrapped(ProfileList::KEYS, dialog::usual_room(state));
    let most = SHOWN.min(dialog::usual_lines(state).saturating_sub(BESIDE + keys.len())).max(1);
    let rows = found.len().clamp(1, most);
    let names = found.iter().map(|choice| profiles.title(choice).width()).max().unwrap_or(0).min(NAMES);
    let wanted = found.iter().map(|choice| {
        let marks = marks(profiles.profile(choice), *choice == Choice::Go(profiles.here.clone()));
        names + AROUND + profiles.about(choice).width() + marks.width()
    });
    let dialog::Opened { outer, inner } =
        dialog::open(state, "Switch profile", (rows + BESIDE + keys.len(), wanted.max().unwrap_or(0)), look, frame);
    if let Some(area) = dialog::line(inner, 0) {
        let indent = 2.min(area.width);
        frame.buffer_mut().set_stringn(area.x, area.y, "/", usize::from(area.width), theme.accent);
        let field = Rect { x: area.x + indent, width: area.width - indent, ..area };
        dialog::text_field(&list.filter, field, true, theme, frame);
    }
    let window = state.screen.window(list.list, found.len(), rows);
    let part = ListWindow { first: window.start, shown: window.len(), len: found.len() };
    let chosen = list.list.chosen.checked_sub(window.start);
    let lines = found[window].iter().map(|choice| {
        let profile = profiles.profile(choice);
        let marks = Line::styled(marks(profile, *choice == Choice::Go(profiles.here.clone())), theme.warning);
        let about = usize::from(inner.width).saturating_sub(names + AROUND + marks.width());
        let text = Line::from(vec![
            Span::raw("   "),
            Span::raw(padded(profiles.title(choice), names)),
            Span::styled(format!("  {}", fitted(&profiles.about(choice), about)), theme.quiet),
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
    dialog::draw_rows(&keys, (inner, rows + BESIDE), theme, frame);
    outer
}

fn padded(name: &str, cells: usize) -> String {
    let name = fitted(name, cells);
    let blanks = cells.saturating_sub(name.width());
    format!("{name}{}", " ".repeat(blanks))
}

fn marks(profile: Option<&ProfileLine>, here: bool) -> String {
    let protected = profile.is_some_and(|profile| profile.protected).then_some("protected");
    let read_only = profile.is_some_and(|profile| profile.access == Access::ReadOnly).then_some("read-only");
    let marks: Vec<_> = [protected, read_only, here.then_some("current")].into_iter().flatten().collect();
    marks.join("  ")
}
