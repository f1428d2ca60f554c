//! The first line: program, tenant and warnings at the left, the connection to the server at the right.

use crate::numbers::{Noun, counted};
use std::time::Duration;

use crate::ui::Canvas;
use jiff::{SignedDuration, Timestamp};
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::action::Action;
use crate::app::{Access, LinkState, Session, State, Target, grouped};
use crate::changes::QueueCounts;
use crate::printable::printable;
use crate::sync::{ListProgress, Phase};

use super::Look;
use super::gauge::{gauge, time_left};
use super::spoken::aloud;
use super::text::{draw_right, fitted, rect};
use super::theme::{HeaderTextColour, Symbols, Theme};

/// The optional parts of the header. The tenant, the warnings and the connection symbol are always shown. A part is shown whole or
/// not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The connection in one word.
    Word,
    /// The noun after the number of problems.
    ProblemNoun,
    Profile,
    /// The connection in detail: since when, how much, how long.
    Detail,
    SlowWrites,
    /// The age of a live tree.
    Age,
    Program,
    /// The number of segments.
    Segments,
    Host,
    /// The age of a tree that is not live.
    DataAge,
}

/// Parts in order of priority: one that does not fit beside those before it is dropped. The tenant's name is cut only if it doesn't
/// fit by itself.
const PARTS_BY_PRIORITY: [Part; 10] = [
    Part::Word,
    Part::ProblemNoun,
    Part::Profile,
    Part::Detail,
    Part::SlowWrites,
    Part::Age,
    Part::Program,
    Part::Segments,
    Part::Host,
    Part::DataAge,
];

/// Minimum blanks between the left and the right side.
const GAP: usize = 2;

pub(super) fn draw(state: &State, look: Look<'_>, frame: &mut Canvas<'_, '_>) {
    let Some(area) = state.layout().header.map(rect) else { return };
    let theme = look.theme;
    let header = Header::fitted(state, theme, usize::from(area.width));
    // First, so that words without a colour of their own get the header's.
    frame.buffer_mut().set_style(area, theme.header);
    let right = Line::from(header.right());
    if theme.symbols.are_words() {
        return draw_aloud(&header, &right, area, frame);
    }
    let room = usize::from(area.width).saturating_sub(right.width() + GAP);
    draw_right(right, area, frame);
    // The left side may run over the right one: warnings are never cut.
    let left = Line::from(header.left(room));
    mark_warnings(&header.warnings(), left.width(), area, frame);
    frame.render_widget(left, area);
    if theme.header_text == HeaderTextColour::LikeHeader {
        frame.buffer_mut().set_style(area, theme.header);
    }
}

/// Draws one sentence: the right side follows the left one.
fn draw_aloud(header: &Header<'_>, right: &Line<'_>, area: Rect, frame: &mut Canvas<'_, '_>) {
    let right_text = format!(", {}", right.to_string().trim_end());
    let left = Line::from(header.left(usize::from(area.width).saturating_sub(right_text.width())));
    mark_warnings(&header.warnings(), left.width(), area, frame);
    let mut spans = left.spans;
    spans.push(Span::raw(right_text));
    frame.render_widget(Line::from(spans), area);
}

/// The header with the parts that fit.
struct Header<'a> {
    state: &'a State,
    theme: &'a Theme,
    parts: Vec<Part>,
}

impl<'a> Header<'a> {
    /// The header with as many parts as fit into `width` cells.
    fn fitted(state: &'a State, theme: &'a Theme, width: usize) -> Self {
        let mut header = Self { state, theme, parts: Vec::new() };
        for part in PARTS_BY_PRIORITY {
            header.parts.push(part);
            if header.width() > width {
                header.parts.pop();
            }
        }
        header
    }

    fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    fn width(&self) -> usize {
        Line::from(self.left(usize::MAX)).width() + GAP + Line::from(self.right()).width()
    }

    /// The left side, fitted to `width` cells: program, tenant, host, profile, and warnings.
    fn left(&self, width: usize) -> Vec<Span<'static>> {
        let Session { tenant, host, profile, .. } = &self.state.session;
        let (after, between) = if self.theme.symbols.are_words() { (", ", ", ") } else { ("  ", " · ") };
        let program = if self.has(Part::Program) { format!(" segtui{after}") } else { " ".into() };
        let mut rest = String::new();
        rest.extend(self.has(Part::Host).then(|| format!("{between}{host}")));
        rest.extend(profile.as_ref().filter(|_| self.has(Part::Profile)).map(|profile| format!("{between}{profile}")));
        let warnings: String = self.warnings().into_iter().map(|warning| warning.text).collect();
        let room = width.saturating_sub(program.len() + rest.width() + warnings.width());
        vec![
            Span::styled(program, self.theme.accent.patch(self.theme.strong)),
            Span::styled(fitted(tenant, room).into_owned(), self.theme.strong),
            Span::raw(printable(&rest).into_owned()),
            Span::styled(warnings, self.theme.warning),
        ]
    }

    fn warnings(&self) -> Vec<HeaderWarning> {
        warnings(self.state, self.has(Part::ProblemNoun), self.has(Part::SlowWrites))
    }

    /// The right side: the connection to the server.
    fn right(&self) -> Vec<Span<'static>> {
        let State { link, clock, tree, .. } = self.state;
        let (symbol, style) = sign(self.state, self.theme);
        let mut spans = Vec::new();
        if self.theme.symbols.are_words() {
            let count = counted(tree.forest.len(), Noun::Segment);
            let count = if link.listed && self.has(Part::Segments) { format!("{count}, ") } else { String::new() };
            return vec![Span::raw(format!("{count}{} ", aloud(&word(self.state), self.theme)))];
        }
        if link.listed && self.has(Part::Segments) {
            spans.push(Span::raw(format!("{}   ", counted(tree.forest.len(), Noun::Segment))));
        }
        let (word, words) = words(self.state, &self.theme.symbols);
        spans.push(Span::styled(symbol, style));
        if self.has(Part::Detail) {
            spans.push(Span::styled(format!(" {words}"), style));
        } else if self.has(Part::Word) {
            spans.push(Span::styled(format!(" {word}"), style));
        }
        let (part, as_of) = match link.state() {
            LinkState::Live => (Part::Age, ""),
            _ => (Part::DataAge, "data from "),
        };
        if let Some(age) = link.age(clock.now).filter(|_| self.has(part)) {
            spans.push(Span::raw(format!(" · {as_of}{} ago", duration(age))));
        }
        spans.push(Span::raw(" "));
        spans
    }
}

/// A warning in the header, and the action of a click on it.
struct HeaderWarning {
    text: String,
    action: Option<Action>,
}

/// Makes the warnings clickable; they are at the end of a line `line` cells long.
fn mark_warnings(warnings: &[HeaderWarning], line: usize, area: Rect, frame: &mut Canvas<'_, '_>) {
    let mut end = line;
    for warning in warnings.iter().rev() {
        let begin = end.saturating_sub(warning.text.trim_start_matches([' ', ',']).width());
        let (Ok(x), Ok(width)) = (u16::try_from(begin), u16::try_from(end - begin)) else { return };
        if let Some(action) = warning.action
            && x + width <= area.width
        {
            frame.add_target(Rect { x: area.x + x, width, height: 1, ..area }, Target::Action(action));
        }
        end = end.saturating_sub(warning.text.width());
    }
}

/// The warnings for this session.
fn warnings(state: &State, problems_in_words: bool, slow_writes: bool) -> Vec<HeaderWarning> {
    let State { session, changes, .. } = state;
    let is_accessible = state.screen.panes.accessible;
    let protected = if session.protected { "  protected" } else { "" };
    let access = if session.access == Access::ReadOnly { "  read-only" } else { "" };
    let QueueCounts { staged, failed, .. } = changes.counts();
    let staging = match staged {
        _ if !changes.is_staging() => String::new(),
        0 => "  STAGING".into(),
        some => format!("  STAGING {}", grouped(some)),
    };
    let problems = match failed {
        0 => String::new(),
        some if is_accessible => format!("  {}", counted(some, Noun::Problem)),
        some if problems_in_words => format!("  ! {}", counted(some, Noun::Problem)),
        some => format!("  ! {}", grouped(some)),
    };
    let slow = if slow_writes && !is_accessible { self::slow_writes(state) } else { String::new() };
    // With nothing staged, the stage action would turn staging off; a click on the word shouldn't.
    let staged_action = if staged == 0 { Action::ShowPending } else { Action::Stage };
    let warnings = [
        (protected.to_owned(), None),
        (access.to_owned(), None),
        (staging, Some(staged_action)),
        (problems, Some(Action::Resolve)),
        (slow, Some(Action::ShowPending)),
    ];
    let warnings = warnings.into_iter().filter(|(text, _)| !text.is_empty());
    let spoken = |text: String| if is_accessible { text.replacen("  ", ", ", 1) } else { text };
    warnings.map(|(text, action)| HeaderWarning { text: spoken(text), action }).collect()
}

/// How long changes have been pending, if that is unusually long.
fn slow_writes(state: &State) -> String {
    let counts = state.changes.counts();
    let elapsed =
        state.changes.write_rate.progress(counts.done, state.clock.now).map_or(0, |(_, elapsed)| elapsed.as_secs());
    if counts.queued == 0 || elapsed < SLOW_WRITE_SECONDS {
        String::new()
    } else {
        format!("  {} pending · {elapsed} s", grouped(counts.queued))
    }
}

/// Seconds that changes can be pending before the header shows it.
const SLOW_WRITE_SECONDS: u64 = 5;
/// From this age on, the last response no longer counts as certainly live.
const MAX_LIVE_AGE: SignedDuration = SignedDuration::from_mins(1);

fn sign(state: &State, theme: &Theme) -> (&'static str, Style) {
    let (link, symbols) = (&state.link, &theme.symbols);
    match link.state() {
        LinkState::Live if link.incomplete_reason.is_some() => (symbols.wrong, theme.warning),
        LinkState::Live if link.age(state.clock.now).is_some_and(|age| age >= MAX_LIVE_AGE) => {
            (symbols.working, theme.pending)
        }
        LinkState::Live => (symbols.fresh, theme.good),
        LinkState::Working => (symbols.working, theme.pending),
        LinkState::Offline => (symbols.offline, theme.bad),
        LinkState::Stalled => (symbols.wrong, theme.bad),
    }
}

/// When the next retry is due.
fn next_retry(state: &State) -> String {
    let wait = state.link.retry_in(state.clock.now).unwrap_or_default();
    if wait < SignedDuration::from_secs(1) { "now".into() } else { format!("in {}", duration(wait)) }
}

/// The connection in words that change only when its state changes.
pub(super) fn word(state: &State) -> String {
    match &state.link.phase {
        Phase::Offline { .. } => format!("offline since {}", time_of_day(state, state.link.since)),
        Phase::Paused(_) => format!("incomplete, {} to continue", state.key(Action::Refresh)),
        _ => words(state, &Symbols::WORDS).0.to_owned(),
    }
}

/// The connection in a word and in detail.
fn words(state: &State, symbols: &Symbols) -> (&'static str, String) {
    let alone = |word: &'static str| (word, word.to_owned());
    match &state.link.phase {
        Phase::Starting => alone("connecting"),
        Phase::Loading(progress) => ("loading", loading(progress, symbols)),
        Phase::Resyncing(progress) => ("resyncing", resyncing(progress, state.tree.forest.len(), symbols)),
        Phase::Replaying => alone("catching up"),
        Phase::Live if state.link.has_unreached_write => alone("unreachable"),
        Phase::Live if state.link.incomplete_reason.is_some() => alone("live · incomplete"),
        Phase::Live => alone("live"),
        Phase::Silent { .. } => {
            let silent = state.link.silent_for(state.clock.now).unwrap_or_default();
            ("no response", format!("no response for {}", duration(silent)))
        }
        Phase::Behind { waiting } => ("behind", format!("{} behind", counted(*waiting, Noun::Change))),
        Phase::Offline { .. } => {
            let since = time_of_day(state, state.link.since);
            ("offline", format!("offline since {since} · retrying {}", next_retry(state)))
        }
        Phase::Stalled { progress, .. } => {
            let segments = counted(progress.segments, Noun::Segment);
            ("incomplete", format!("incomplete: {segments} loaded · retrying {}", next_retry(state)))
        }
        Phase::Paused(progress) => {
            let (segments, again) = (counted(progress.segments, Noun::Segment), state.key(Action::Refresh));
            ("incomplete", format!("incomplete: {segments} loaded · {again} to continue"))
        }
    }
}

fn loading(progress: &ListProgress, symbols: &Symbols) -> String {
    let rate = grouped(rate(progress.segments, progress.elapsed));
    if let Some(all) = progress.total.and_then(|total| usize::try_from(total).ok()) {
        return format!(
            "loading {} · {rate}/s{}",
            progress_text(progress, "", all, symbols),
            time_left_text(progress, all)
        );
    }
    let elapsed = duration(SignedDuration::try_from(progress.elapsed).unwrap_or(SignedDuration::MAX));
    format!("loading {} · {} · {rate}/s · {elapsed}", grouped(progress.segments), pages(progress))
}

/// Shorter than [`loading`]: the tree is already shown, and nobody waits for this. If the server gives no total, the tree's size is
/// the estimate.
fn resyncing(progress: &ListProgress, known: usize, symbols: &Symbols) -> String {
    let reported_total = progress.total.and_then(|total| usize::try_from(total).ok());
    let (about, all) = reported_total.map_or(("about ", known), |all| ("", all));
    if progress.segments > all {
        return format!("resyncing {} · {}", grouped(progress.segments), pages(progress));
    }
    format!("resyncing {}{}", progress_text(progress, about, all, symbols), time_left_text(progress, all))
}

/// Cells of the gauge.
const GAUGE_CELLS: usize = 8;

fn progress_text(progress: &ListProgress, about: &str, all: usize, symbols: &Symbols) -> String {
    let gauge = gauge(progress.segments, all, GAUGE_CELLS, symbols);
    format!("{gauge} {} of {about}{}", grouped(progress.segments), grouped(all))
}

fn time_left_text(progress: &ListProgress, all: usize) -> String {
    time_left(progress.segments, all, progress.elapsed).map_or_else(String::new, |left| format!(" · {left}"))
}

fn pages(progress: &ListProgress) -> String {
    counted(usize::try_from(progress.pages).unwrap_or(usize::MAX), Noun::Page)
}

fn rate(segments: usize, elapsed: Duration) -> usize {
    let millis = elapsed.as_millis().max(1);
    usize::try_from(segments as u128 * 1000 / millis).unwrap_or(usize::MAX)
}

/// A duration in its largest unit, truncated, so that an age is never overstated.
pub(super) fn duration(duration: SignedDuration) -> String {
    match duration.as_secs() {
        seconds @ ..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds @ 3600..86_400 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

fn time_of_day(state: &State, at: Timestamp) -> String {
    at.to_zoned_datetime(state.clock.zone.clone()).strftime("%H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_shows_segments_pages_rate_and_time() {
        let elapsed = Duration::from_millis(3_350);
        let progress = ListProgress { segments: 41_500, pages: 83, elapsed, total: None };
        assert_eq!(loading(&progress, &Symbols::UNICODE), "loading 41,500 · 83 pages · 12,388/s · 3 s");
        let progress = ListProgress { total: Some(100_000), ..progress };
        let reported_total = "loading ███░░░░░ 41,500 of 100,000 · 12,388/s · 5 s left";
        assert_eq!(loading(&progress, &Symbols::UNICODE), reported_total);
    }

    #[test]
    fn a_resync_is_short_and_measured_against_the_tree() {
        let elapsed = Duration::from_secs(3);
        let progress = ListProgress { segments: 41_500, pages: 83, elapsed, total: None };
        let reported_total = |known| resyncing(&progress, known, &Symbols::ASCII);
        assert_eq!(reported_total(100_000), "resyncing ===..... 41,500 of about 100,000 · 5 s left");
        assert_eq!(reported_total(40_000), "resyncing 41,500 · 83 pages");
    }

    #[test]
    fn durations_are_shown_in_their_largest_unit() {
        assert_eq!(duration(SignedDuration::from_secs(59)), "59 s");
        assert_eq!(duration(SignedDuration::from_secs(3_599)), "59 min");
        assert_eq!(duration(SignedDuration::from_hours(25)), "1 d");
    }
}
