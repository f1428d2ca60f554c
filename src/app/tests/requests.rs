//! The list of requests: what it keeps, how it is read while more arrive, and what is copied.

use std::time::Duration;

use crate::app::harness::{Harness, exchange, wholesale};
use crate::app::request_lines;
use crate::app::{DetailLine, Effect, Event, Layer, RequestsPage, RequestsPane};
use crate::remote::{Excerpt, Exchange, Fault};

fn asked(paths: &[&str]) -> Harness {
    let mut harness = Harness::with_segments(120, 40, wholesale());
    for path in paths {
        harness.request_finished(exchange(path));
    }
    harness
}

fn pane(harness: &Harness) -> &RequestsPane {
    match harness.state.screen.layers.last() {
        Some(Layer::Requests(pane)) => pane,
        other => panic!("{other:?} is open"),
    }
}

/// Returns the listed targets, the selected one marked with `>`.
fn listed(harness: &Harness) -> Vec<String> {
    let listed = pane(harness).listed(&harness.state.side.requests);
    let at = pane(harness).position(&listed);
    let bar = |index| if index == at { ">" } else { "" };
    listed.iter().enumerate().map(|(index, logged)| format!("{}{}", bar(index), logged.exchange.target())).collect()
}

#[test]
fn the_newest_is_first_and_the_selection_stays_on_its_request() {
    let mut harness = asked(&["/a", "/b"]);
    harness.press("L");
    assert_eq!(listed(&harness), [">/b", "/a"]);
    harness.request_finished(exchange("/c"));
    assert_eq!(listed(&harness), [">/c", "/b", "/a"], "the top follows");
    harness.press("j");
    harness.request_finished(exchange("/d"));
    assert_eq!(listed(&harness), ["/d", "/c", ">/b", "/a"]);
    harness.press("G");
    assert_eq!(listed(&harness), ["/d", "/c", "/b", ">/a"]);
    harness.press("g esc");
    assert!(harness.state.screen.layers.is_empty());
}

#[test]
fn only_the_latest_are_kept_and_missed_ones_are_counted() {
    let mut harness = asked(&["/first", "/second"]);
    harness.press("L G");
    for number in 0..499 {
        harness.request_finished(Exchange { dropped: u64::from(number == 7) * 3, ..exchange(&format!("/{number}")) });
    }
    // The selected request was dropped; the nearest remaining one takes its place.
    let left = listed(&harness);
    assert_eq!((left.len(), left.last().unwrap().as_str()), (500, ">/second"));
    harness.request_finished(exchange("/last"));
    assert_eq!(listed(&harness).last().unwrap(), ">/0");
    assert_eq!((harness.state.side.requests.logged_count, harness.state.side.requests.dropped), (502, 3));
}

#[test]
fn the_filter_matches_words_of_method_path_status_and_fault() {
    let mut harness = asked(&["/segments/vip", "/segments?pageNumber=1"]);
    let fault = Some(Fault::TimedOut { after: Duration::from_secs(30) });
    harness.request_finished(Exchange { status: None, fault, method: "PUT".into(), ..exchange("/segments/vip") });
    harness.press("L /");
    harness.type_text("VIP get");
    assert_eq!(listed(&harness), [">/segments/vip"]);
    harness.press("enter ctrl-u /");
    assert_eq!(pane(&harness).filter.text(), "VIP get");
    harness.press("ctrl-u");
    harness.type_text("no response");
    assert_eq!(listed(&harness), [">/segments/vip"]);
    harness.press("ctrl-u");
    harness.event(Event::Paste("timeout nobody".into()));
    assert!(listed(&harness).is_empty());
    harness.press("enter y");
    assert_eq!((harness.message(), harness.effects.len()), ("No request selected", 0));
    harness.press("esc");
    assert_eq!(listed(&harness).len(), 3);
    harness.press("esc");
    assert!(harness.state.screen.layers.is_empty());
}

#[test]
fn a_request_is_copied_as_a_curl_command() {
    let mut harness = Harness::with_segments(120, 40, wholesale());
    let sent = Some(Excerpt { text: r#"{"name":"O'Neill"}"#.into(), bytes: 18, cut: 0 });
    harness.request_finished(Exchange { method: "PUT".into(), sent, ..exchange("/segments/vip") });
    let expected = "curl -X PUT 'https://one.unity.pl/api/v1/account/integrations/auth-required/segments/vip' \
                    -H 'one-tenant: acme' -H \"ApiAuth: $SEGTUI_API_KEY\" -H 'accept: */*' \
                    -H 'content-type: application/json' --data-raw '{\"name\":\"O'\\''Neill\"}'";
    for keys in ["L y", "enter y"] {
        harness.press(keys);
        assert_eq!(harness.effects.pop(), Some(Effect::Copy(expected.into())));
        assert_eq!(harness.message(), "Copied the request as a curl command");
    }
    let sent = Some(Excerpt { text: "{".into(), bytes: 20_000, cut: 19_999 });
    harness.request_finished(Exchange { method: "PUT".into(), sent, ..exchange("/segments/vip") });
    harness.press("esc g y");
    assert!(harness.message().contains("Body too large to keep"), "{}", harness.message());
    assert_eq!(harness.effects, []);
}

#[test]
fn an_open_request_stays_and_scrolls_to_its_end() {
    let mut harness = Harness::with_segments(60, 12, wholesale());
    let text = format!("[{}1]", "1,".repeat(100));
    let response = Excerpt { bytes: text.len(), text, cut: 0 };
    harness.request_finished(Exchange { response, ..exchange("/segments/long") });
    harness.press("L enter j j G");
    let open = pane(&harness).open.clone().unwrap();
    let place = RequestsPage::of(&harness.state.screen.panes);
    let lines = request_lines(&open.exchange, &harness.state.screen.panes, &harness.state.clock.zone);
    assert_eq!(open.line, lines.len() - place.rows);
    assert_eq!(lines.last(), Some(&DetailLine::Text("]".into())));
    for _ in 0..500 {
        harness.request_finished(exchange("/segments/other"));
    }
    assert_eq!(pane(&harness).open.as_ref().unwrap().exchange.target(), "/segments/long");
    harness.press("k");
    assert_eq!(pane(&harness).open.as_ref().unwrap().line, open.line - 1);
    harness.press("esc esc");
    assert!(harness.state.screen.layers.is_empty());
}
