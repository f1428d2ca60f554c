//! The form for a new profile. It has the whole screen: it is there before any tree, and what shows beside it belongs to another
//! tenant.

use std::borrow::Cow;

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::app::{KeyLocation, NewProfile, OpenedFrom, ProfileField, Stage, TextField};

use crate::ui::dialog;
use crate::ui::text::fitted;
use crate::ui::theme::{Symbols, Theme};
use crate::ui::{Look, spell_in_ascii};

const LABELS: u16 = 15;
const WIDEST: u16 = 78;
/// Lines that one sentence may take.
const SENTENCE: usize = 6;

/// Draws the form on an empty screen.
pub fn draw_new_profile(form: &NewProfile, look: Look<'_>, frame: &mut Frame<'_>) {
    let screen = frame.area();
    if screen.is_empty() {
        return;
    }
    let theme = look.theme;
    let header = Rect { height: 1, ..screen };
    frame.buffer_mut().set_style(header, theme.header);
    let title = Line::styled(" segtui", theme.accent.patch(theme.strong));
    frame.render_widget(title, header);
    let width = screen.width.min(WIDEST);
    let room = usize::from(width.saturating_sub(4));
    let most = usize::from(screen.height.saturating_sub(3));
    let rows = rows(form, theme, room, most);
    let height = u16::try_from(rows.len()).unwrap_or(u16::MAX).saturating_add(2).min(screen.height.saturating_sub(1));
    let area = Rect {
        x: (screen.width - width) / 2,
        y: (screen.height - height).div_ceil(2).max(1.min(screen.height - height)),
        width,
        height,
    };
    let inner = dialog::framed(area, heading(form), look, frame);
    // The last line tells the keys, so it is the one that stays.
    let cut = rows.len().saturating_sub(usize::from(inner.height));
    for (at, row) in rows.into_iter().skip(cut).enumerate() {
        let Some(line) = dialog::line(inner, at) else { break };
        match row {
            Row::Text(text) => frame.render_widget(text, line),
            Row::Field(field) => draw_field(form, field, line, theme, frame),
        }
    }
    if theme.symbols == Symbols::ASCII {
        spell_in_ascii(frame);
    }
}

fn heading(form: &NewProfile) -> &'static str {
    match form.occasion {
        OpenedFrom::FirstRun => "Connect to your tenant",
        OpenedFrom::Another => "New profile",
    }
}

enum Row {
    Text(Line<'static>),
    Field(ProfileField),
}

/// All lines; where there is not enough room, without what only explains.
fn rows(form: &NewProfile, theme: &Theme, room: usize, most: usize) -> Vec<Row> {
    let mut fields = Vec::new();
    for field in ProfileField::ALL {
        fields.push(Row::Field(field));
        if let Some(fault) = form.faults.get(&field) {
            let indent = usize::from(LABELS);
            fields.extend(sentence(theme.symbols.wrong, fault, theme.bad, indent, room));
        } else if field == ProfileField::KeyLocation {
            let hint = keeping_hint(form, theme);
            fields.push(Row::Text(Line::styled(format!("{:LABELS$}{hint}", "", LABELS = LABELS.into()), theme.quiet)));
        }
    }
    let blank = || Row::Text(Line::default());
    let mut rest = vec![blank()];
    if let Some((symbol, text, style)) = standing(form, theme) {
        rest.extend(sentence(symbol, &text, style, 0, room));
        rest.push(blank());
    }
    rest.push(Row::Text(dialog::keys(&form.keys(), theme)));
    let mut intro: Vec<Row> = wrapped(&intro(form), room).map(|line| Row::Text(Line::raw(line))).collect();
    intro.push(blank());
    if intro.len() + fields.len() + rest.len() > most {
        intro.clear();
    }
    intro.into_iter().chain(fields).chain(rest).collect()
}

fn intro(form: &NewProfile) -> String {
    let file = &form.context.file;
    match form.occasion {
        OpenedFrom::FirstRun => {
            format!("Let's connect to your tenant. Settings are tested first, then saved to {file}. Esc saves nothing.")
        }
        OpenedFrom::Another => format!("The connection is tested, then the profile is added to {file}."),
    }
}

fn keeping_hint(form: &NewProfile, theme: &Theme) -> String {
    let text = match form.keeping {
        KeyLocation::Keyring => match &form.context.no_keyring {
            Some(reason) => return format!("{} {reason}", theme.symbols.wrong),
            None => "the file only stores how to look it up",
        },
        KeyLocation::Variable => "must be set whenever you run segtui",
        KeyLocation::Command => "e.g. a password manager; its first output line is used",
        KeyLocation::File => "anyone who can read the file has the key (permissions are set to 600)",
    };
    text.to_owned()
}

/// What is going on, or what came of it.
fn standing(form: &NewProfile, theme: &Theme) -> Option<(&'static str, String, Style)> {
    match form.stage {
        Stage::Trying => Some((theme.symbols.working, "Testing the connection…".into(), theme.pending)),
        Stage::Saving => Some((theme.symbols.working, "Saving…".into(), theme.pending)),
        Stage::Filling | Stage::Failed => {
            let remark = form.remark.clone()?;
            Some((theme.symbols.failed, remark, theme.bad))
        }
    }
}

fn wrapped(text: &str, room: usize) -> impl Iterator<Item = String> {
    let lines = textwrap::wrap(text, room.max(8)).into_iter().take(SENTENCE);
    lines.map(Cow::into_owned).collect::<Vec<_>>().into_iter()
}

fn sentence(symbol: &'static str, text: &str, style: Style, indent: usize, room: usize) -> Vec<Row> {
    let lines = wrapped(text, room.saturating_sub(indent + 2));
    let row = |(at, line): (usize, String)| {
        let lead = if at == 0 { symbol } else { " " };
        let line = fitted(&line, room).into_owned();
        Row::Text(Line::from(vec![Span::raw(" ".repeat(indent)), Span::styled(format!("{lead} {line}"), style)]))
    };
    lines.enumerate().map(row).collect()
}

fn label(form: &NewProfile, field: ProfileField) -> &'static str {
    match field {
        ProfileField::BaseUrl => "Base URL",
        ProfileField::Tenant => "Tenant",
        ProfileField::Name => "Profile",
        ProfileField::KeyLocation => "Key stored in",
        ProfileField::Key => match form.keeping {
            KeyLocation::Keyring | KeyLocation::File => "API key",
            KeyLocation::Variable => "Variable",
            KeyLocation::Command => "Command",
        },
    }
}

fn draw_field(form: &NewProfile, field: ProfileField, area: Rect, theme: &Theme, frame: &mut Frame<'_>) {
    let focused = form.focus == field && !form.is_busy();
    let style = if focused { theme.accent } else { theme.quiet };
    frame.buffer_mut().set_stringn(area.x, area.y, label(form, field), usize::from(area.width.min(LABELS)), style);
    let indent = LABELS.min(area.width);
    let value = Rect { x: area.x + indent, width: area.width - indent, ..area };
    match field {
        ProfileField::BaseUrl => {
            dialog::text_field(&form.base_url, value, focused, theme, frame);
            if form.base_url.text().is_empty() {
                let (hint, x) = ("host, host:port or URL", value.x + u16::from(focused));
                frame.buffer_mut().set_stringn(x, value.y, hint, usize::from(value.width), theme.quiet);
            }
        }
        ProfileField::Tenant => dialog::text_field(&form.tenant, value, focused, theme, frame),
        ProfileField::Name => {
            dialog::text_field(&form.name, value, focused, theme, frame);
            if form.name.text().is_empty() {
                let proposed = form.name_text();
                let text = if proposed.is_empty() { "defaults to the tenant name" } else { proposed };
                frame.buffer_mut().set_stringn(value.x, value.y, text, usize::from(value.width), theme.quiet);
            }
        }
        ProfileField::KeyLocation => {
            let text = if focused { format!("< {} >", form.keeping.title()) } else { form.keeping.title().into() };
            let style = if focused { theme.accent } else { Style::new() };
            frame.buffer_mut().set_stringn(value.x, value.y, text, usize::from(value.width), style);
        }
        ProfileField::Key => match form.keeping {
            KeyLocation::Keyring | KeyLocation::File => draw_masked(form.key_field(), value, focused, theme, frame),
            KeyLocation::Variable | KeyLocation::Command => {
                dialog::text_field(form.key_field(), value, focused, theme, frame);
            }
        },
    }
}

/// As many signs as the text has cells, so that one sees that, but not what, one types.
fn draw_masked(field: &TextField, area: Rect, focused: bool, theme: &Theme, frame: &mut Frame<'_>) {
    let Some(room) = area.width.checked_sub(1).map(usize::from) else { return };
    let sign = if theme.symbols == Symbols::ASCII { "*" } else { "•" };
    let scroll = field.scroll(room);
    let shown = field.text().width().saturating_sub(scroll).min(room);
    let style = if focused { theme.accent } else { Style::new() };
    frame.buffer_mut().set_stringn(area.x, area.y, sign.repeat(shown), room, style);
    if focused {
        let column = u16::try_from(field.cursor_column().saturating_sub(scroll)).unwrap_or(u16::MAX);
        frame.set_cursor_position(Position::new(area.x + column.min(area.width - 1), area.y));
    }
}
