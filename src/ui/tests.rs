//! Pictures of the screens, and every size with every dialog.

use std::sync::Arc;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::action::Action;
use crate::app::harness::{Harness, command, exchange, named, segment, wholesale};
use crate::app::{
    Access, Answer, Destination, Edited, Event, Ground, Happening, Hindrance, NewProfile, Occasion, ProfileLine,
    Profiles, RunEnd, RunNews, RunOutcome, Wish,
};
use crate::mirror::{self, ListProgress, Phase, WriteError};
use crate::remote::{Call, Context, Excerpt, Exchange, Fault, RemoteError};
use crate::segment::{Field, Pattern, Segment, Step};

use super::{Look, Symbols, Theme, ThemeName, draw, draw_new_profile};

fn terminal(harness: &Harness, theme: &Theme) -> Terminal<TestBackend> {
    let panes = &harness.state.panes;
    let mut terminal = Terminal::new(TestBackend::new(panes.columns, panes.rows)).unwrap();
    terminal.draw(|frame| draw(&harness.state, Look { theme, keymap: &harness.keymap }, frame)).unwrap();
    terminal
}

fn picture(harness: &Harness) -> String {
    picture_in(harness, &Theme::new(ThemeName::Dark, Symbols::UNICODE))
}

fn picture_in(harness: &Harness, theme: &Theme) -> String {
    let terminal = terminal(harness, theme);
    if terminal.backend().buffer().area.is_empty() { String::new() } else { terminal.backend().to_string() }
}

/// The tenant with something of everything going on.
fn busy(columns: u16, rows: u16) -> Harness {
    let mut harness = Harness::live(columns, rows, wholesale());
    harness.press("z 3");
    let before = named("vip", "VIP Klient", None);
    harness.changed(Some(&before), Some(&named("vip", "VIP Client", None)));
    harness.wait(2);
    harness.changed(None, Some(&named("cz", "Česko", Some("export"))));
    harness.press("j r");
    harness.type_text("u");
    harness.press("enter");
    harness.press("j j j j space k k");
    harness
}

#[test]
fn the_main_screen_beside() {
    insta::assert_snapshot!(picture(&busy(100, 26)));
}

#[test]
fn the_main_screen_at_80_columns() {
    insta::assert_snapshot!(picture(&busy(80, 24)));
}

#[test]
fn the_main_screen_when_wide() {
    insta::assert_snapshot!(picture(&busy(170, 24)));
}

#[test]
fn who_made_a_change_is_told_where_the_feed_says_so() {
    let mut harness = Harness::live(110, 20, wholesale());
    let before = named("vip", "VIP Klient", None);
    let now = named("vip", "VIP Client", None);
    harness.changed_by(&[Context::Backoffice, Context::Integrations], Some(&before), Some(&now));
    harness.press("G k k k");
    insta::assert_snapshot!(picture(&harness));
}

#[test]
fn the_tree_alone_on_a_small_screen() {
    insta::assert_snapshot!(picture(&busy(44, 10)));
}

#[test]
fn the_main_screen_in_ascii() {
    let picture = picture_in(&busy(100, 26), &Theme::colourless(Symbols::ASCII));
    let strange: Vec<char> =
        picture.chars().filter(|character| !character.is_ascii() && !character.is_alphabetic()).collect();
    assert!(strange.is_empty(), "{strange:?} in {picture}");
}

#[test]
fn loading_tells_how_far_it_is() {
    let mut harness = Harness::new(100, 16);
    let progress = ListProgress { segments: 41_500, pages: 83, elapsed: Duration::from_millis(3_350), total: None };
    harness.tell(mirror::Event::Gathered(wholesale()));
    harness.tell(mirror::Event::PhaseChanged(Phase::Loading(progress)));
    insta::assert_snapshot!(picture(&harness));
}

#[test]
fn offline_tells_since_when_and_until_when() {
    let mut harness = Harness::live(100, 16, wholesale());
    harness.state.session.access = Access::ReadOnly;
    let error =
        RemoteError { call: Call::Changes(Step(7)), fault: Fault::Unreachable { reason: "connection refused".into() } };
    harness.tell(mirror::Event::PhaseChanged(Phase::Offline { error, retry_in: Duration::from_secs(8) }));
    insta::assert_snapshot!(picture(&harness));
}

#[test]
fn the_form_with_faults_and_a_warning() {
    let mut harness = Harness::live(100, 26, wholesale());
    harness.press("j e ctrl-u tab ctrl-u");
    harness.type_text("X-vip");
    harness.press("enter");
    insta::assert_snapshot!(picture(&harness));
}

#[test]
fn the_form_with_the_servers_words() {
    let mut harness = Harness::live(100, 26, wholesale());
    harness.press("j a");
    harness.type_text("Niemcy");
    harness.press("enter");
    harness.refuse("a segment named Niemcy exists already in this tenant and names have to be unique per parent");
    insta::assert_snapshot!(picture(&harness));
}

#[test]
fn renaming_happens_in_the_row() {
    let mut harness = Harness::live(100, 16, wholesale());
    harness.press("j r");
    harness.type_text("owy");
    insta::assert_snapshot!(picture(&harness));
}

#[test]
fn the_choice_of_a_parent_tells_why_some_are_not_possible() {
    let mut harness = Harness::live(100, 26, wholesale());
    harness.press("j j m");
    harness.type_text("z");
    insta::assert_snapshot!(picture(&harness));
}

#[test]
fn a_deletion_asks_about_what_is_below() {
    let mut harness = Harness::live(100, 26, wholesale());
    harness.press("j j d");
    insta::assert_snapshot!(picture(&harness));
}

#[test]
fn a_search_is_typed_in_the_last_line() {
    let mut harness = Harness::live(100, 16, wholesale());
    harness.press("/");
    harness.type_text("lod");
    insta::assert_snapshot!(picture(&harness));
}

#[test]
fn the_help_lists_every_action() {
    let mut harness = Harness::live(200, 60, wholesale());
    harness.press("?");
    let picture = picture(&harness);
    for (_, _, help) in harness.keymap.help() {
        assert!(picture.contains(help), "{help} is missing");
    }
    insta::assert_snapshot!(picture);
}

#[test]
fn the_footer_and_the_help_name_the_keys_that_hold() {
    let keys = [("f1", Action::Help), ("ctrl-x a", Action::AddChild), ("f5", Action::PollNow)];
    let mut harness = Harness::live(200, 60, wholesale()).with_keys(&keys);
    let main = picture(&harness);
    assert!(main.contains("ctrl-x a add  "), "{main}");
    assert!(main.contains("f1 help"), "{main}");
    harness.press("f1");
    let help = picture(&harness);
    assert!(help.contains("f1            show all keys"), "{help}");
    assert!(help.contains("ctrl-x a      create a segment below this one"), "{help}");
    assert!(!help.contains("ctrl-r"), "{help}");
}

#[test]
fn no_theme_tells_the_selected_row_by_colour_alone() {
    for name in ThemeName::ALL {
        let harness = busy(100, 26);
        let picture = picture_in(&harness, &Theme::new(name, Symbols::UNICODE));
        assert_eq!(picture, self::picture(&harness), "{}", name.text());
        assert!(picture.contains("▌"));
    }
}

#[test]
fn the_selected_row_is_found_without_colour() {
    let harness = Harness::live(100, 26, wholesale());
    assert!(picture(&harness).contains("▌"));
}

#[test]
fn the_details_tell_whose_a_segment_is() {
    for (columns, rows) in [(100, 26), (80, 24)] {
        let root = named("segment", "segment", None);
        let erp = named("ERP-7", "Hurtownie", None);
        let mut harness = Harness::live(columns, rows, vec![erp, named("vip", "VIP", None), root]);
        harness.state.session.owned = Pattern::new("ERP-*").into_iter().collect();
        let owned = picture(&harness);
        assert!(owned.to_lowercase().contains("owned by"), "{owned}");
        assert!(owned.contains("(pattern ERP-*)"), "{owned}");
        harness.press("j");
        assert!(picture(&harness).contains("the platform"), "{}", picture(&harness));
        harness.press("j");
        assert!(!picture(&harness).to_lowercase().contains("owned by"), "{}", picture(&harness));
    }
}

#[test]
fn without_colour_no_cell_has_one() {
    use ratatui::style::Color;
    let terminal = terminal(&busy(100, 26), &Theme::colourless(Symbols::UNICODE));
    let cells = terminal.backend().buffer().content();
    assert!(cells.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
}

fn protected(columns: u16, rows: u16) -> Harness {
    let mut harness = busy(columns, rows);
    harness.state.session.protected = true;
    harness
}

#[test]
fn a_protected_profile_has_its_whole_header_and_its_lines_in_one_colour_and_says_so() {
    use ratatui::style::Color;
    let harness = protected(100, 26);
    let terminal = terminal(&harness, &Theme::new(ThemeName::Dark, Symbols::UNICODE).framed_in(Color::Red));
    let row = |y: u16| (0..100).map(move |x| (x, y));
    let buffer = terminal.backend().buffer();
    assert!(row(0).all(|at| buffer[at].bg == Color::Red && buffer[at].fg == Color::White));
    assert!(row(1).all(|at| buffer[at].fg == Color::Red));
    assert!(terminal.backend().to_string().contains("preprod  protected"));
}

#[test]
fn protected_is_told_without_colour_and_on_every_screen() {
    for (columns, rows) in [(170, 24), (100, 26), (60, 15), (44, 10)] {
        let mut harness = protected(columns, rows);
        harness.state.session.access = Access::ReadOnly;
        let error = RemoteError { call: Call::Changes(Step(7)), fault: Fault::Unreachable { reason: "no".into() } };
        harness.tell(mirror::Event::PhaseChanged(Phase::Offline { error, retry_in: Duration::from_secs(8) }));
        harness.press("esc");
        let picture = picture_in(&harness, &Theme::colourless(Symbols::ASCII));
        assert!(picture.contains("  protected") || picture.contains("- protected"), "{picture}");
    }
}

#[test]
fn escape_sequences_from_the_server_never_reach_the_terminal() {
    let evil = named("evil\u{1b}[2J", "\u{1b}]0;owned\u{7}name\r\n", None);
    let mut harness = Harness::live(100, 26, vec![evil]);
    for keys in ["e", "esc r", "esc d", "esc m", "esc /"] {
        harness.press(keys);
        let picture = picture(&harness);
        assert!(
            !picture.chars().any(|character| character.is_control() && character != '\n'),
            "after {keys}: {picture:?}"
        );
    }
}

/// Requests of every kind.
fn asked(columns: u16, rows: u16) -> Harness {
    let mut harness = Harness::live(columns, rows, wholesale());
    let answer = Excerpt { text: "[{\"id\":\"a".into(), bytes: 101_000, cut: 100_990 };
    harness.requested(Exchange { answer, ..exchange("/segments?pageNumber=1&pageSize=500") });
    harness.requested(exchange("/segments/vip"));
    let refused = |status, words: &str| Some(Fault::Refused { status, words: words.into(), retry_after: None });
    let text = "{\"detail\":\"the name \\u001b[31m is taken\"}";
    harness.requested(Exchange {
        method: "PUT".into(),
        sent: Some(Excerpt { text: r#"{"name":"VIP","externalId":null}"#.into(), bytes: 33, cut: 0 }),
        status: Some(409),
        fault: refused(409, "the name is taken"),
        answer: Excerpt { text: text.into(), bytes: text.len(), cut: 0 },
        ..exchange("/segments/vip")
    });
    let after = Duration::from_secs(30);
    harness.requested(Exchange {
        status: None,
        fault: Some(Fault::TimedOut { after }),
        answer: Excerpt::default(),
        took: after,
        attempt: 2,
        missed: 12,
        ..exchange("/segments/synchronization?startId=290")
    });
    harness
}

#[test]
fn the_requests_are_listed_the_newest_first() {
    let mut harness = asked(100, 22);
    harness.press("L");
    insta::assert_snapshot!(picture(&harness));
}

#[test]
fn a_request_is_read_with_both_bodies() {
    let mut harness = asked(100, 32);
    harness.press("L j enter");
    insta::assert_snapshot!(picture(&harness));
}

#[test]
fn what_a_server_answers_is_never_obeyed() {
    let mut harness = Harness::live(100, 30, wholesale());
    let text = "\u{1b}[2J\u{1b}]52;c;AAAA\u{7}\r\nplain";
    let answer = Excerpt { text: text.into(), bytes: text.len(), cut: 0 };
    harness.requested(Exchange { answer, ..exchange("/segments/\u{1b}[2J") });
    for keys in ["L", "enter", "j"] {
        harness.press(keys);
        let picture = picture(&harness);
        assert!(!picture.chars().any(|character| character.is_control() && character != '\n'), "{picture:?}");
    }
}

#[test]
fn every_dialog_survives_every_size() {
    let mut chain: Vec<_> = wholesale();
    chain.extend((0..60).map(|at| segment(&format!("deep {at}"), Some(&format!("deep {}", at - 1)))));
    let sizes = [
        (0, 0),
        (1, 1),
        (10, 2),
        (3, 40),
        (200, 1),
        (12, 5),
        (59, 14),
        (60, 15),
        (80, 24),
        (99, 30),
        (100, 15),
        (160, 15),
        (300, 80),
    ];
    for (columns, rows) in sizes {
        for keys in [
            "",
            "?",
            "a",
            "A",
            "e",
            "r",
            "m",
            "d",
            "/",
            "j d",
            "j j d",
            "z",
            "space x",
            "G k",
            "* G",
            "R",
            "f12",
            "tab",
            ": u n",
            "L",
            "L enter",
            "L / x",
            "Q",
            "P",
            "S",
            "space space e",
            "space space e x enter",
            "space space d",
            "V j j V m",
        ] {
            let mut harness = Harness::live(columns, rows, chain.clone());
            harness.press("z 0");
            harness.state.profiles = some_profiles();
            harness.requested(exchange("/segments/vip"));
            if !keys.is_empty() {
                harness.press(keys);
            }
            picture(&harness);
            harness.event(Event::Resized(rows, columns));
            picture(&harness);
        }
        let mut harness = Harness::live(columns, rows, chain.clone());
        harness.press("E");
        picture(&harness);
        harness.event(Event::TextEdited(Edited::Saved { text: "A {x}\n".repeat(60), file: "/tmp/one".into() }));
        picture(&harness);
    }
}

#[test]
fn rows_deeper_than_the_pane_stay_in_it_and_tell_their_depth() {
    let mut chain = vec![segment("deep 0", None)];
    chain.extend((1..200).map(|at| segment(&format!("deep {at}"), Some(&format!("deep {}", at - 1)))));
    let mut harness = Harness::live(100, 26, chain);
    harness.press("* G");
    insta::assert_snapshot!(picture(&harness));
}

#[test]
fn a_message_too_long_for_the_last_line_takes_more() {
    let mut harness = Harness::live(80, 24, wholesale());
    let error = RemoteError {
        call: Call::Update(crate::app::harness::id("bea69b98-8e6c-4914-8558-3427e8dda86d")),
        fault: Fault::Unreachable { reason: "connection refused by the gateway of the other data centre".into() },
    };
    let progress = ListProgress { segments: 3, pages: 1, ..ListProgress::default() };
    harness.tell(mirror::Event::PhaseChanged(Phase::Stalled { error, progress }));
    insta::assert_snapshot!(picture(&harness));
}

#[test]
fn a_conflict_shows_what_was_seen_what_is_there_and_what_is_wanted() {
    let mut harness = Harness::live(100, 26, wholesale());
    harness.press("j e");
    harness.type_text(" 2");
    harness.press("enter");
    let theirs = Segment { external_id: Some("EXP".into()), ..(*named("export", "Eksport", Some("vip"))).clone() };
    harness.fail(WriteError::Conflict { theirs: Some(Arc::new(theirs)), fields: vec![Field::Name, Field::Parent] });
    insta::assert_snapshot!(picture(&harness));
}

#[test]
fn a_plan_is_looked_at_before_it_is_sent() {
    let mut harness = Harness::live(100, 26, wholesale());
    harness.press("j space space e");
    harness.type_text(" {n}");
    harness.press("enter");
    insta::assert_snapshot!(picture(&harness));
}

#[test]
fn a_protected_plan_wants_the_tenant_typed() {
    let mut harness = Harness::live(80, 24, wholesale());
    harness.state.session.protected = true;
    harness.press("j j d s");
    harness.type_text("ac");
    insta::assert_snapshot!(picture(&harness));
}

#[test]
fn the_queue_tells_what_waits_and_why_something_failed() {
    let mut harness = Harness::live(100, 26, wholesale());
    harness.press("j r");
    harness.type_text("!");
    harness.press("enter j");
    harness.refuse("names are frozen");
    harness.press("r");
    harness.type_text("?");
    harness.press("enter Q");
    insta::assert_snapshot!(picture(&harness));
}

#[test]
fn all_that_is_marked_has_a_form_of_its_own() {
    let mut harness = Harness::live(80, 24, wholesale());
    harness.press("j space space e");
    insta::assert_snapshot!(picture(&harness));
}

#[test]
fn every_action_is_found_by_name_with_its_key_or_why_it_can_not_act() {
    let mut harness = Harness::live(100, 26, wholesale());
    harness.press(":");
    harness.type_text("undo");
    insta::assert_snapshot!(picture(&harness));
}

#[test]
fn what_the_selected_row_stands_below_is_told_when_it_is_out_of_sight() {
    let mut many = wholesale();
    many.extend((0..60).map(|at| segment(&format!("below {at:02}"), Some("pl"))));
    let mut harness = Harness::live(100, 20, many);
    harness.press("* G k k k k");
    let picture = picture(&harness);
    assert!(picture.lines().nth(1).unwrap().contains("Hurtownie › Polska"), "{picture}");
}

#[test]
fn a_text_that_can_not_be_read_says_where_and_what_was_expected() {
    let mut harness = Harness::live(80, 24, wholesale());
    harness.press("j E");
    let text = "Eksport {export}\n   Nowe\nA {x}\n".to_owned();
    harness.event(Event::TextEdited(Edited::Saved { text, file: "/tmp/segtui-1.txt".into() }));
    insta::assert_snapshot!(picture(&harness));
}

fn some_profiles() -> Profiles {
    let line = |name: &str, tenant: &str, host: &str| ProfileLine {
        name: name.into(),
        tenant: tenant.into(),
        host: host.into(),
        access: Access::ReadWrite,
        protected: false,
        colour: None,
    };
    let prod = ProfileLine {
        access: Access::ReadOnly,
        protected: true,
        colour: Some(ratatui::style::Color::Red),
        ..line("production of the north", "acme", "one.example")
    };
    Profiles {
        here: Destination::Profile("preprod".into()),
        start: None,
        known: vec![line("preprod", "acme", "api-preprod.one.unity.pl"), prod],
    }
}

#[test]
fn the_places_to_switch_to_tell_what_is_to_be_minded_there() {
    let mut harness = Harness::live(100, 26, wholesale());
    harness.state.profiles = some_profiles();
    harness.press("P");
    insta::assert_snapshot!(picture(&harness));
}

#[test]
fn switching_with_unsent_work_says_what_becomes_of_it() {
    let mut harness = Harness::live(80, 24, wholesale());
    harness.state.profiles = some_profiles();
    harness.press("j r");
    harness.type_text("!");
    harness.press("enter P enter");
    insta::assert_snapshot!(picture(&harness));
}

fn form() -> NewProfile {
    let file = "~/.config/segtui/config.toml".into();
    NewProfile::new(Occasion::FirstRun, Ground { file, ..Ground::default() })
}

/// Types into the form, and carries out keys: a word of each, by turns.
fn fill_in(form: &mut NewProfile, steps: &[(&str, &str)]) -> Option<Wish> {
    let mut wish = None;
    for (text, keys) in steps {
        form.take(Happening::Paste((*text).into()));
        for key in crate::keymap::parse_sequence(keys).unwrap() {
            wish = form.take(Happening::Key(key));
        }
    }
    wish
}

fn form_picture(form: &NewProfile, columns: u16, rows: u16, symbols: &Symbols) -> String {
    let harness = Harness::new(columns, rows);
    let theme = Theme::new(ThemeName::Dark, *symbols);
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    let look = Look { theme: &theme, keymap: &harness.keymap };
    terminal.draw(|frame| draw_new_profile(form, look, frame)).unwrap();
    if terminal.backend().buffer().area.is_empty() { String::new() } else { terminal.backend().to_string() }
}

const FILLED: [(&str, &str); 3] =
    [("https://one.example", "tab"), ("acme", "tab tab tab"), ("first-half:second-half", "enter")];

/// A form whose try was refused.
fn failed() -> NewProfile {
    let mut form = form();
    let Some(Wish::Order { number, .. }) = fill_in(&mut form, &FILLED) else { panic!("nothing was ordered") };
    let words = "the key in the header ApiAuth is not valid for this tenant".into();
    let fault = Fault::Refused { status: 401, words, retry_after: None };
    let answer = Answer::NotConnected(Hindrance::Fault(fault));
    form.take(Happening::Answered { number, answer });
    form
}

#[test]
fn the_form_for_a_first_profile() {
    insta::assert_snapshot!(form_picture(&form(), 80, 24, &Symbols::UNICODE));
}

#[test]
fn a_try_that_failed_says_what_is_wrong_and_what_can_be_done() {
    insta::assert_snapshot!(form_picture(&failed(), 80, 24, &Symbols::UNICODE));
}

#[test]
fn the_form_for_a_profile_shows_no_key_at_any_size() {
    for (columns, rows) in [(0, 0), (1, 1), (10, 2), (20, 8), (44, 10), (80, 24), (200, 50)] {
        for symbols in [&Symbols::UNICODE, &Symbols::ASCII] {
            for form in [form(), failed()] {
                let picture = form_picture(&form, columns, rows, symbols);
                assert!(!picture.contains("second-half"), "{picture}");
            }
        }
    }
    let plain = form_picture(&failed(), 80, 24, &Symbols::ASCII);
    assert!(plain.contains(&"*".repeat("first-half:second-half".len())), "{plain}");
    assert!(plain.is_ascii(), "{plain}");
}

/// A command has run and has written more than fits.
fn with_output(columns: u16, rows: u16) -> Harness {
    let mut harness =
        Harness::live(columns, rows, wholesale()).with_commands(vec![("g r", command("Report for the ERP"))]);
    harness.press("space space g r");
    let lines: Vec<String> = (1..=60).map(|at| format!("{at:>4}  Łódź\tdone")).collect();
    harness.event(Event::Ran(1, RunNews::Wrote(lines.join("\n"))));
    harness
}

#[test]
fn a_command_of_ones_own_shows_what_it_writes_while_it_runs() {
    let mut harness = with_output(80, 24);
    harness.wait(3);
    insta::assert_snapshot!(picture(&harness));
}

#[test]
fn a_command_that_failed_says_how_and_after_what_time() {
    let mut harness = with_output(120, 40);
    let end = RunEnd { outcome: RunOutcome::Exited(3), took: Duration::from_millis(1_340), dropped: 12_345_678 };
    harness.event(Event::Ran(1, RunNews::Ended(end)));
    harness.press("/");
    harness.type_text("łódź");
    harness.press("enter G");
    insta::assert_snapshot!(picture(&harness));
}

#[test]
fn a_command_that_is_to_be_confirmed_shows_what_would_run_on_what() {
    let asking = crate::action::OwnCommand { confirm: true, api_key: true, ..command("Report for the ERP") };
    let mut harness = Harness::live(80, 24, wholesale()).with_commands(vec![("g r", asking)]);
    harness.press("z 0 space space space space space space g r");
    insta::assert_snapshot!(picture(&harness));
}

#[test]
fn a_command_has_no_sign_that_ascii_lacks() {
    let mut harness = with_output(80, 24);
    harness.event(Event::Ran(1, RunNews::Wrote("plain\n".into())));
    harness.press("G");
    let picture = picture_in(&harness, &Theme::colourless(Symbols::ASCII));
    let strange: Vec<char> =
        picture.chars().filter(|character| !character.is_ascii() && !character.is_alphabetic()).collect();
    assert!(strange.is_empty(), "{strange:?} in {picture}");
}

#[test]
fn the_output_of_a_command_survives_every_size() {
    for (columns, rows) in [(0, 0), (1, 1), (10, 2), (3, 40), (200, 1), (12, 5), (59, 14), (80, 24), (300, 80)] {
        for keys in ["j", "/ x", "l l", "esc esc", "G"] {
            let mut harness = with_output(columns, rows);
            harness.press(keys);
            terminal(&harness, &Theme::colourless(Symbols::ASCII));
        }
    }
}

#[test]
fn what_changed_in_the_last_minutes_is_drawn_by_kind() {
    for (columns, rows) in [(80, 24), (120, 40)] {
        let mut harness = Harness::live(columns, rows, wholesale());
        harness.press("t a");
        if columns > 80 {
            harness.press("t a");
        }
        for minute in 0..6 {
            for at in 0..minute * minute {
                let before = named("vip", &format!("VIP {at}"), None);
                harness.changed(Some(&before), Some(&named("vip", &format!("VIP {}", at + 1), None)));
            }
            harness.changed(None, Some(&segment(&format!("new {minute}"), Some("vip"))));
            harness.wait(60);
        }
        harness.changed(Some(&segment("new 1", Some("vip"))), None);
        insta::assert_snapshot!(format!("the_pulse_at_{columns}"), picture(&harness));
        let ascii = picture_in(&harness, &Theme::colourless(Symbols::ASCII));
        assert!(ascii.contains(" - "), "{ascii}");
    }
}

#[test]
fn the_details_draw_how_many_stand_at_each_level() {
    let mut many = wholesale();
    many.extend((0..40).map(|at| segment(&format!("branch {at}"), Some("lodz"))));
    let mut harness = Harness::live(120, 40, many.clone());
    assert!(picture(&harness).contains("By level     ▂▂▂█ 2 · 2 · 2 · 40"), "{}", picture(&harness));
    let ascii = picture_in(&harness, &Theme::colourless(Symbols::ASCII));
    assert!(ascii.contains("By level     ...# 2 - 2 - 2 - 40"), "{ascii}");
    many.extend((0..5_000).map(|at| segment(&format!("customer {at}"), Some("export"))));
    harness = Harness::live(120, 40, many);
    assert!(picture(&harness).contains("By level     counted up to 5,000 below"), "{}", picture(&harness));
}

#[test]
fn what_takes_long_tells_how_far_it_is_and_what_is_left() {
    for (columns, rows) in [(80, 24), (120, 40)] {
        let mut harness = Harness::new(columns, rows);
        let elapsed = Duration::from_millis(3_350);
        let progress = ListProgress { segments: 41_500, pages: 83, elapsed, total: Some(100_000) };
        harness.tell(mirror::Event::PhaseChanged(Phase::Loading(progress)));
        harness.tell(mirror::Event::Gathered(wholesale()));
        insta::assert_snapshot!(format!("a_gauge_of_loading_at_{columns}"), picture(&harness));
    }
    let mut harness = Harness::live(80, 24, wholesale());
    harness.press("z 0 j j space space space space space e");
    harness.type_text("x");
    harness.press("enter y");
    let (ticket, plan) = harness.last_write();
    assert!(plan.operations.len() >= 5, "{plan:?}");
    harness.wait(1);
    harness.succeed_with_first(2, |_| unreachable!("only names change"));
    harness.wait(1);
    let picture = picture(&harness);
    assert!(picture.contains("███░░░░░ 2 of 5 done · 2 s left"), "{picture}");
    harness.press("esc esc esc");
    let held = crate::app::Effect::Mirror(mirror::Command::Hold(ticket));
    assert!(harness.effects.contains(&held), "{:?}", harness.effects);
}

#[test]
fn a_dialog_grows_where_its_names_ask_for_it_and_the_screen_has_room() {
    for (columns, rows) in [(80, 24), (120, 40), (200, 50)] {
        let long = "Hurtownie elektro";
        let mut harness = Harness::live(columns, rows, vec![named("vip", long, None)]);
        harness.press("e");
        harness.type_text(" i zachód");
        harness.press("enter");
        let theirs = named("vip", &format!("{long} i wschód"), None);
        harness.fail(WriteError::Conflict { theirs: Some(theirs), fields: vec![Field::Name] });
        let picture = picture(&harness);
        let is_whole = picture.contains("elektro i wschód ") && picture.contains("elektro i zachód ");
        assert_eq!(is_whole, columns > 80, "{picture}");
    }
}
