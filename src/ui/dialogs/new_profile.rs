//! The form for a new profile. It takes the whole screen: it can come before any tree, and a tree beside it would belong to another
//! tenant.

use std::borrow::Cow;
use std::ops::Range;

use crate::ui::Canvas;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::app::{DialogKey, FieldName, KeyLocation, NewProfile, OpenedFrom, ProfileField, Stage, Target, TextField};

use crate::ui::dialog;
use crate::ui::spoken::dialog_in_words;
use crate::ui::text::fitted;
use crate::ui::theme::{Symbols, Theme};
use crate::ui::{Look, spell_in_ascii};

const LABEL_COLUMNS: u16 = 15;
const MAX_WIDTH: u16 = 78;
/// Maximum lines of one sentence.
const MAX_SENTENCE_LINES: usize = 6;

/// Draws the form on an empty screen.
pub(in crate::ui) fn draw(form: &NewProfile, look: Look<'_>, frame: &mut Canvas<'_, '_>) {
    let screen = frame.area();
    if screen.is_empty() {
        return;
    }
    let theme = look.theme;
    let header = Rect { height: 1, ..screen };
    frame.buffer_mut().set_style(header, theme.header);
    let title = Line::styled(" segtui", theme.accent.patch(theme.strong));
    frame.render_widget(title, header);
    let width = screen.width.min(MAX_WIDTH);
    let room = usize::from(width.saturating_sub(4));
    let max_lines = usize::from(screen.height.saturating_sub(if theme.symbols.are_words() { 4 } else { 3 }));
    let Rows { lines: mut rows, focused_rows } = rows(form, theme, room, max_lines);
    // In screen-reader mode, the last line gives the focused field.
    let is_accessible = theme.symbols.are_words();
    let left = screen.height.saturating_sub(1 + u16::from(is_accessible));
    let height = u16::try_from(rows.len()).unwrap_or(u16::MAX).saturating_add(2).min(left);
    let middle = (screen.height - height).div_ceil(2).max(1.min(screen.height - height));
    let y = if is_accessible { 1.min(screen.height - height) } else { middle };
    let area = Rect { x: (screen.width - width) / 2, y, width, height };
    let inner = dialog::framed(area, &heading(form), look, frame);
    let keys = rows.pop();
    // The last line, with the keys, always stays; of the rest, the focused field and its message stay in view.
    let room = usize::from(inner.height).saturating_sub(1);
    let cut = focused_rows.end.saturating_sub(room).min(focused_rows.start).min(rows.len().saturating_sub(room));
    for (at, row) in rows.into_iter().skip(cut).take(room).chain(keys).enumerate() {
        let Some(line) = dialog::line(inner, at) else { break };
        match row {
            Row::Text(text) => frame.render_widget(text, line),
            Row::Field(field) => draw_field(form, field, line, theme, frame),
            Row::Keys(keys) => dialog::draw_keys(&keys, line, theme, frame),
        }
    }
    if is_accessible {
        let last = Rect { y: screen.bottom() - 1, height: 1, ..screen };
        let room = usize::from(last.width).saturating_sub(1);
        let text = dialog_in_words(frame.title(), frame.chosen_line(), room);
        frame.render_widget(Line::raw(fitted(&format!(" {text}"), usize::from(last.width)).into_owned()), last);
    }
    if theme.symbols == Symbols::ASCII {
        spell_in_ascii(frame);
    }
}

fn heading(form: &NewProfile) -> Cow<'static, str> {
    match form.opened_from {
        OpenedFrom::FirstRun => "Connect to your tenant".into(),
        OpenedFrom::Another => "New profile".into(),
        OpenedFrom::WithoutKey => format!("API key for {}", form.name_text()).into(),
    }
}

enum Row {
    Text(Line<'static>),
    Field(ProfileField),
    Keys(Vec<DialogKey>),
}

/// The lines of the form; the keys come last.
struct Rows {
    lines: Vec<Row>,
    /// Those of the focused field and its message.
    focused_rows: Range<usize>,
}

/// All lines; the introduction is dropped if there is not enough room.
fn rows(form: &NewProfile, theme: &Theme, room: usize, max_lines: usize) -> Rows {
    let mut fields = Vec::new();
    let mut focused_rows = 0..0;
    for field in form.fields() {
        let start = fields.len();
        fields.push(Row::Field(field));
        let indent = usize::from(LABEL_COLUMNS);
        if let Some(fault) = form.faults.get(&field) {
            fields.extend(sentence(theme.symbols.wrong, fault, theme.bad, indent, room));
        } else if field == ProfileField::KeyLocation {
            fields.extend(explanation(&key_location_hint(form), theme.quiet, indent, room));
        }
        if field == form.focus {
            focused_rows = start..fields.len();
        }
    }
    let blank = || Row::Text(Line::default());
    let mut rest = vec![blank()];
    if let Some(text) = busy_text(form) {
        rest.extend(sentence(theme.symbols.working, text, theme.pending, 0, room));
        rest.push(blank());
    }
    rest.push(Row::Keys(form.keys()));
    let mut intro: Vec<Row> = wrapped(&intro(form), room).map(|line| Row::Text(Line::raw(line))).collect();
    intro.push(blank());
    if intro.len() + fields.len() + rest.len() > max_lines {
        intro.clear();
    }
    let focused_rows = focused_rows.start + intro.len()..focused_rows.end + intro.len();
    Rows { lines: intro.into_iter().chain(fields).chain(rest).collect(), focused_rows }
}

fn intro(form: &NewProfile) -> String {
    let file = &form.context.file;
    match form.opened_from {
        OpenedFrom::FirstRun => {
            format!("Let's connect to your tenant. Settings are tested first, then saved to {file}. Esc saves nothing.")
        }
        OpenedFrom::Another => format!("The connection is tested, then the profile is added to {file}."),
        OpenedFrom::WithoutKey => {
            "Enter the API key of this profile. It is tested, then kept in memory until you quit.".into()
        }
    }
}

fn key_location_hint(form: &NewProfile) -> String {
    match (form.key_location, &form.context.no_keyring) {
        (KeyLocation::Session, _) if form.opened_from == OpenedFrom::WithoutKey => {
            format!("to store it, set api_key_command or api_key_env of this profile in {}", form.context.file)
        }
        (KeyLocation::Session, Some(reason)) => {
            format!("kept in memory until you quit; the next start asks for it again; {reason}")
        }
        (KeyLocation::Session, None) => "kept in memory until you quit; the next start asks for it again".into(),
        (KeyLocation::Keyring, _) => "the file only stores how to look it up".into(),
        (KeyLocation::Variable, _) => "must be set whenever you run segtui".into(),
        (KeyLocation::Command, _) => "e.g. a password manager; its first output line is used".into(),
        (KeyLocation::File, _) => "anyone who can read the file has the key (permissions are set to 600)".into(),
    }
}

/// What the form is busy with.
const fn busy_text(form: &NewProfile) -> Option<&'static str> {
    match (form.stage, form.opened_from) {
        (Stage::Trying, _) => Some("Testing the connection…"),
        (Stage::Saving, OpenedFrom::WithoutKey) => Some("Opening…"),
        (Stage::Saving, _) => Some("Saving…"),
        (Stage::Filling | Stage::Failed, _) => None,
    }
}

fn wrapped(text: &str, room: usize) -> impl Iterator<Item = String> {
    let lines = textwrap::wrap(text, room.max(8)).into_iter().take(MAX_SENTENCE_LINES);
    lines.map(Cow::into_owned).collect::<Vec<_>>().into_iter()
}

fn sentence(symbol: &'static str, text: &str, style: Style, indent: usize, room: usize) -> Vec<Row> {
    let lines = wrapped(text, room.saturating_sub(indent + symbol.width() + 1));
    let rest = if symbol.is_empty() { "" } else { " " };
    let row = |(at, line): (usize, String)| {
        let line = fitted(&line, room).into_owned();
        let line = Symbols::prefixed(if at == 0 { symbol } else { rest }, &line);
        Row::Text(Line::from(vec![Span::raw(" ".repeat(indent)), Span::styled(line, style)]))
    };
    lines.enumerate().map(row).collect()
}

/// A paragraph without a symbol.
fn explanation(text: &str, style: Style, indent: usize, room: usize) -> Vec<Row> {
    let line = |line: String| Row::Text(Line::styled(format!("{:indent$}{line}", ""), style));
    wrapped(text, room.saturating_sub(indent)).map(line).collect()
}

fn label(form: &NewProfile, field: ProfileField) -> &'static str {
    match field {
        ProfileField::BaseUrl => "Base URL",
        ProfileField::Tenant => "Tenant",
        ProfileField::Name => "Profile",
        ProfileField::Key => "API key",
        ProfileField::KeyLocation => "Store key in",
        ProfileField::Source if form.key_location == KeyLocation::Command => "Command",
        ProfileField::Source => "Variable",
    }
}

/// The value of a field for a screen reader; the API key is hidden.
fn value_aloud(form: &NewProfile, field: ProfileField) -> &str {
    let value = match field {
        ProfileField::BaseUrl => form.base_url.text(),
        ProfileField::Tenant => form.tenant.text(),
        ProfileField::Name => form.name_text(),
        ProfileField::Key if form.key.0.text().is_empty() => "",
        ProfileField::Key => "hidden",
        ProfileField::KeyLocation => form.key_location.title(),
        ProfileField::Source if form.key_location == KeyLocation::Command => form.command.text(),
        ProfileField::Source => form.variable.text(),
    };
    if value.is_empty() { "blank" } else { value }
}

fn draw_field(form: &NewProfile, field: ProfileField, area: Rect, theme: &Theme, frame: &mut Canvas<'_, '_>) {
    let focused = form.focus == field && !form.is_busy();
    let style = if focused { theme.accent } else { theme.quiet };
    let value = dialog::label(label(form, field), LABEL_COLUMNS, area, (style, theme), frame);
    if focused {
        frame.set_chosen_line(format!("{}: {}", label(form, field), value_aloud(form, field)));
    }
    let name = FieldName::Profile(field);
    dialog::label_target(name, area, frame);
    match field {
        ProfileField::BaseUrl => {
            draw_text_field(&form.base_url, name, "host, host:port or URL", value, focused, theme, frame);
        }
        ProfileField::Tenant => dialog::named_field(&form.tenant, name, value, focused, theme, frame),
        ProfileField::Name => {
            let proposed = form.name_text();
            let hint = if proposed.is_empty() { "defaults to the tenant name" } else { proposed };
            draw_text_field(&form.name, name, hint, value, focused, theme, frame);
        }
        ProfileField::Key => match form.key_location {
            KeyLocation::Variable => draw_hint("comes from the variable below", value, theme, frame),
            KeyLocation::Command => draw_hint("comes from the command below", value, theme, frame),
            KeyLocation::Keyring | KeyLocation::Session | KeyLocation::File => {
                draw_masked(&form.key.0, value, focused, theme, frame);
                if form.key.0.text().is_empty() && form.is_editable(ProfileField::KeyLocation) {
                    let value = behind_cursor(value, focused);
                    draw_hint("leave blank for a variable or command", value, theme, frame);
                }
            }
        },
        ProfileField::KeyLocation => {
            if focused {
                frame.point_at_line(value.x, value.y);
            }
            let arrows = focused && !theme.symbols.are_words();
            let text =
                if arrows { format!("< {} >", form.key_location.title()) } else { form.key_location.title().into() };
            let style = if focused { theme.accent } else { Style::new() };
            frame.buffer_mut().set_stringn(value.x, value.y, text, usize::from(value.width), style);
        }
        ProfileField::Source if form.key_location == KeyLocation::Command => {
            dialog::named_field(&form.command, name, value, focused, theme, frame);
        }
        ProfileField::Source => dialog::named_field(&form.variable, name, value, focused, theme, frame),
    }
}

/// Draws a text field, with a hint while it is empty.
fn draw_text_field(
    field: &TextField,
    name: FieldName,
    hint: &str,
    area: Rect,
    focused: bool,
    theme: &Theme,
    frame: &mut Canvas<'_, '_>,
) {
    dialog::named_field(field, name, area, focused, theme, frame);
    if field.text().is_empty() {
        draw_hint(hint, behind_cursor(area, focused), theme, frame);
    }
}

fn behind_cursor(area: Rect, focused: bool) -> Rect {
    let cursor = u16::from(focused).min(area.width);
    Rect { x: area.x + cursor, width: area.width - cursor, ..area }
}

fn draw_hint(text: &str, area: Rect, theme: &Theme, frame: &mut Canvas<'_, '_>) {
    frame.buffer_mut().set_stringn(
        area.x,
        area.y,
        fitted(text, usize::from(area.width)),
        usize::from(area.width),
        theme.quiet,
    );
}

/// Draws one mask character per cell of the text, so that the key itself is never shown.
fn draw_masked(field: &TextField, area: Rect, focused: bool, theme: &Theme, frame: &mut Canvas<'_, '_>) {
    let Some(room) = area.width.checked_sub(1).map(usize::from) else { return };
    let sign = if theme.symbols == Symbols::UNICODE { "•" } else { "*" };
    let scroll = field.scroll(room);
    frame.add_target(area, Target::Field { name: FieldName::Profile(ProfileField::Key), cell: scroll });
    let shown = field.text().width().saturating_sub(scroll).min(room);
    let style = if focused { theme.accent } else { Style::new() };
    frame.buffer_mut().set_stringn(area.x, area.y, sign.repeat(shown), room, style);
    if focused {
        let column = u16::try_from(field.cursor_column().saturating_sub(scroll)).unwrap_or(u16::MAX);
        frame.point_at_field(area.x + column.min(area.width - 1), area.y);
    }
}
