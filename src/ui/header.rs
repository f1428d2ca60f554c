//! The first line: what this is at the left, the relation to the server at the right.

use crate::numbers::{Noun, counted};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::action::Action;
use crate::app::{Access, Changes, LinkState, Session, State, grouped};
use crate::changes::QueueCounts;
use crate::sync::{ListProgress, Phase};

use super::Look;
use super::gauge::{gauge, time_left};
use super::text::{draw_right, fitted, rect};
use super::theme::{HeaderWords, Symbols, Theme};

pub(super) fn draw(state: &State, look: Look<'_>, frame: &mut Frame<'_>) {
    let Some(area) = state.layout().header.map(rect) else { return };
    let theme = look.theme;
    let right = Line::from(relation(state, theme));
    let right_width = u16::try_from(right.width()).unwrap_or(area.width).min(area.width);
    let guards = guards(&state.session, &state.changes) + &slow_writes(state);
    // What is to be minded gets its room before everything else.
    let least = u16::try_from(guards.len()).unwrap_or(area.width).min(area.width);
    let blank = u16::from(least > 0 && least < area.width);
    // First, so that words without a colour of their own have the header's.
    frame.buffer_mut().set_style(area, theme.header);
    let left_area = Rect { width: area.width.saturating_sub(right_width + 2).max(least), ..area };
    frame.render_widget(place(state, guards, theme, usize::from(left_area.width)), left_area);
    draw_right(right, Rect { x: area.x + least + blank, width: area.width - least - blank, ..area }, frame);
    if theme.header_words == HeaderWords::AsHeader {
        frame.buffer_mut().set_style(area, theme.header);
    }
}

/// How long changes have been under way, once that is longer than usual.
fn slow_writes(state: &State) -> String {
    let counts = state.changes.counts();
    let elapsed = state.changes.pace.so_far(counts.done, state.clock.now).map_or(0, |(_, elapsed)| elapsed.as_secs());
    if counts.queued == 0 || elapsed < SLOW {
        String::new()
    } else {
        format!("  {} pending · {elapsed} s", grouped(counts.queued))
    }
}

/// Seconds that changes may be under way before the header says so.
const SLOW: u64 = 5;

/// What is to be minded here.
fn guards(session: &Session, changes: &Changes) -> String {
    let protected = if session.protected { "  protected" } else { "" };
    let access = if session.access == Access::ReadOnly { "  read-only" } else { "" };
    let QueueCounts { staged, failed, .. } = changes.counts();
    let staging = match staged {
        _ if !changes.is_staging() => String::new(),
        0 => "  STAGING".into(),
        some => format!("  STAGING {}", grouped(some)),
    };
    let problems = if failed == 0 { String::new() } else { format!("  ! {}", counted(failed, Noun::Problem)) };
    format!("{protected}{access}{staging}{problems}")
}

const PROGRAM: &str = " segtui  ";

/// Program, tenant, host, profile, and what is to be minded. That is never cut for the rest; of the rest, the tenant is cut
/// last.
fn place(state: &State, guards: String, theme: &Theme, width: usize) -> Line<'static> {
    let session = &state.session;
    let mut rest = format!(" · {}", session.host);
    if let Some(profile) = &session.profile {
        rest.push_str(" · ");
        rest.push_str(profile);
    }
    let program = if width < PROGRAM.len() + guards.len() { "" } else { PROGRAM };
    let room = width.saturating_sub(program.len() + guards.len());
    let tenant = fitted(&session.tenant, room).into_owned();
    let used = Span::raw(tenant.as_str()).width();
    let rest = fitted(&rest, room.saturating_sub(used)).into_owned();
    Line::from(vec![
        Span::styled(program, theme.accent.patch(theme.strong)),
        Span::styled(tenant, theme.strong),
        Span::raw(rest),
        Span::styled(guards, theme.warning),
    ])
}

/// Columns below which the number of segments and the age of the tree give way.
const TIGHT: u16 = 100;
/// From this age on the last answer is no longer called live without a doubt.
const OLD: SignedDuration = SignedDuration::from_mins(1);

fn relation(state: &State, theme: &Theme) -> Vec<Span<'static>> {
    let link = &state.link;
    let symbols = &theme.symbols;
    let (symbol, style) = match link.state() {
        LinkState::Live if link.lacking.is_some() => (symbols.wrong, theme.warning),
        LinkState::Live if link.age(state.clock.now).is_some_and(|age| age >= OLD) => (symbols.working, theme.pending),
        LinkState::Live => (symbols.fresh, theme.good),
        LinkState::Working => (symbols.working, theme.pending),
        LinkState::Offline => (symbols.offline, theme.bad),
        LinkState::Stalled => (symbols.wrong, theme.bad),
    };
    let mut spans = Vec::new();
    // Where there is little room, what is wrong goes before how much there is.
    let is_tight = state.screen.panes.columns < TIGHT && link.state() != LinkState::Live;
    if link.listed && !is_tight {
        let count = state.tree.forest.len();
        spans.push(Span::raw(format!("{}   ", counted(count, Noun::Segment))));
    }
    spans.push(Span::styled(format!("{symbol} "), style));
    spans.push(Span::styled(words(state, symbols), style));
    if let Some(age) = link.age(state.clock.now).filter(|_| !is_tight) {
        let as_of = if link.state() == LinkState::Live { "" } else { "data from " };
        spans.push(Span::styled(format!(" · {as_of}{} ago", duration(age)), Style::new()));
    }
    spans.push(Span::raw(" "));
    spans
}

/// When it is tried again, after a failure.
fn next_try(state: &State) -> String {
    let wait = state.link.retry_in(state.clock.now).unwrap_or_default();
    if wait < SignedDuration::from_secs(1) { "now".into() } else { format!("in {}", duration(wait)) }
}

fn words(state: &State, symbols: &Symbols) -> String {
    match &state.link.phase {
        Phase::Starting => "connecting".into(),
        Phase::Loading(progress) => loading(progress, symbols),
        Phase::Resyncing(progress) => resyncing(progress, state.tree.forest.len(), symbols),
        Phase::Replaying => "catching up".into(),
        Phase::Live if state.link.lacking.is_some() => "live · incomplete".into(),
        Phase::Live => "live".into(),
        Phase::Silent { .. } => {
            format!("no response for {}", duration(state.link.silent_for(state.clock.now).unwrap_or_default()))
        }
        Phase::Behind { waiting } => format!("{} changes behind", grouped(*waiting)),
        Phase::Offline { .. } => {
            format!("offline since {} · retrying {}", time_of_day(state, state.link.since), next_try(state))
        }
        Phase::Stalled { progress, .. } => {
            let segments = grouped(progress.segments);
            format!("incomplete: {segments} segments loaded · retrying {}", next_try(state))
        }
        Phase::Paused(progress) => {
            let again = state.key(Action::Refresh);
            format!("incomplete: {} segments loaded · {again} to continue", grouped(progress.segments))
        }
    }
}

fn loading(progress: &ListProgress, symbols: &Symbols) -> String {
    let rate = grouped(rate(progress.segments, progress.elapsed));
    if let Some(all) = progress.total.and_then(|total| usize::try_from(total).ok()) {
        return format!("loading {} · {rate}/s{}", so_far(progress, "", all, symbols), left(progress, all));
    }
    let elapsed = duration(SignedDuration::try_from(progress.elapsed).unwrap_or(SignedDuration::MAX));
    format!("loading {} · {} · {rate}/s · {elapsed}", grouped(progress.segments), pages(progress))
}

/// Shorter than [`loading`]: the tree is there, and nobody waits for this. How many there are to come is known from the tree.
fn resyncing(progress: &ListProgress, known: usize, symbols: &Symbols) -> String {
    let told = progress.total.and_then(|total| usize::try_from(total).ok());
    let (about, all) = told.map_or(("about ", known), |all| ("", all));
    if progress.segments > all {
        return format!("resyncing {} · {}", grouped(progress.segments), pages(progress));
    }
    format!("resyncing {}{}", so_far(progress, about, all, symbols), left(progress, all))
}

/// Cells of a gauge.
const GAUGE: usize = 8;

fn so_far(progress: &ListProgress, about: &str, all: usize, symbols: &Symbols) -> String {
    let gauge = gauge(progress.segments, all, GAUGE, symbols);
    format!("{gauge} {} of {about}{}", grouped(progress.segments), grouped(all))
}

fn left(progress: &ListProgress, all: usize) -> String {
    time_left(progress.segments, all, progress.elapsed).map_or_else(String::new, |left| format!(" · {left}"))
}

fn pages(progress: &ListProgress) -> String {
    counted(usize::try_from(progress.pages).unwrap_or(usize::MAX), Noun::Page)
}

fn rate(segments: usize, elapsed: Duration) -> usize {
    let millis = elapsed.as_millis().max(1);
    usize::try_from(segments as u128 * 1000 / millis).unwrap_or(usize::MAX)
}

/// A duration in its largest unit, cut, not rounded: an age is never told too old.
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
    fn the_progress_tells_segments_pages_rate_and_time() {
        let elapsed = Duration::from_millis(3_350);
        let progress = ListProgress { segments: 41_500, pages: 83, elapsed, total: None };
        assert_eq!(loading(&progress, &Symbols::UNICODE), "loading 41,500 · 83 pages · 12,388/s · 3 s");
        let progress = ListProgress { total: Some(100_000), ..progress };
        let told = "loading ███░░░░░ 41,500 of 100,000 · 12,388/s · 5 s left";
        assert_eq!(loading(&progress, &Symbols::UNICODE), told);
    }

    #[test]
    fn a_list_behind_the_tree_is_told_in_few_words_and_measured_by_the_tree() {
        let elapsed = Duration::from_secs(3);
        let progress = ListProgress { segments: 41_500, pages: 83, elapsed, total: None };
        let told = |known| resyncing(&progress, known, &Symbols::ASCII);
        assert_eq!(told(100_000), "resyncing ===..... 41,500 of about 100,000 · 5 s left");
        assert_eq!(told(40_000), "resyncing 41,500 · 83 pages");
    }

    #[test]
    fn durations_are_told_in_their_largest_unit() {
        assert_eq!(duration(SignedDuration::from_secs(59)), "59 s");
        assert_eq!(duration(SignedDuration::from_secs(3_599)), "59 min");
        assert_eq!(duration(SignedDuration::from_hours(25)), "1 d");
    }
}
