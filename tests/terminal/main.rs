//! The real program in a pseudo-terminal, on the demo server over real HTTP.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected is to fail")]
#![cfg(unix)]

use std::ops::Deref;

mod accessible;
mod agreeing;
mod closing;
mod commands;
mod finding;
mod hostile;
mod keys_counted;
mod killed;
mod left_undone;
mod meant_elsewhere;
mod mouse;
mod outline;
mod profiles;
mod programs;
mod pty;
mod recording;
mod sharing;
#[path = "../common/site.rs"]
mod site;
mod stored;

use segtui::demo::{Actor, ChangeRequest, Fields, Options};
use segtui::segment::{Segment, SegmentId};

use pty::{Pty, eventually};
use site::ServerRuntime;

/// A demo server, and ways to open the program on it.
struct Demo {
    site: ServerRuntime,
}

impl Deref for Demo {
    type Target = ServerRuntime;

    fn deref(&self) -> &ServerRuntime {
        &self.site
    }
}

impl Demo {
    fn start() -> Self {
        Self::with(Options::default())
    }

    fn with(options: Options) -> Self {
        Self { site: ServerRuntime::with(options) }
    }

    fn named(&self, name: &str) -> Option<Segment> {
        self.server.segments().into_iter().find(|segment| segment.name == name)
    }

    /// Starts the program on this server and waits until it is live.
    fn open(&self, arguments: &[&str]) -> Pty {
        let pty = Pty::start(120, 40, arguments, &self.variables());
        pty.wait_for("290 segments   ● live");
        pty
    }

    fn change(&self, wish: ChangeRequest) -> SegmentId {
        let _guard = self.runtime.enter();
        self.server.change(Actor::Backoffice, wish).unwrap()
    }
}

const CTRL_U: &str = "\x15";
const ENTER: &str = "\r";
const TAB: &str = "\t";

#[test]
fn the_demo_starts_by_itself_and_shows_its_tree() {
    let mut pty = Pty::start(100, 30, &["--demo"], &[]);
    pty.wait_for("● live");
    pty.wait_for("▾ Akcje sezonowe");
    pty.wait_for("demo-wholesale · 127.0.0.1");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn a_segment_is_created_edited_moved_and_deleted_by_keys() {
    let demo = Demo::start();
    let before = demo.server.segments();
    let mut pty = demo.open(&["--poll", "0.2"]);

    pty.type_text("/podhurt\r");
    pty.wait_for("/ podhurt · 1 of");
    pty.type_text(&format!("aNowy oddział{TAB}NO-1{ENTER}"));
    pty.wait_for("Created Nowy oddział");
    let created = eventually(|| demo.named("Nowy oddział"));
    assert_eq!(created.external_id.as_deref(), Some("NO-1"));
    assert_eq!(created.parent, demo.named("Podhurt").map(|parent| parent.id));

    pty.type_text(&format!("r{CTRL_U}Oddział Łódź{ENTER}"));
    pty.wait_for("Renamed Nowy oddział → Oddział Łódź");
    assert_eq!(demo.named("Oddział Łódź").unwrap(), Segment { name: "Oddział Łódź".into(), ..created.clone() });

    pty.type_text(&format!("e{TAB}{CTRL_U}ODD-2{ENTER}"));
    pty.wait_for("Updated Oddział Łódź");
    assert_eq!(demo.named("Oddział Łódź").unwrap().external_id.as_deref(), Some("ODD-2"));

    pty.type_text("mVIP Client\r");
    pty.wait_for("Moved Oddział Łódź to VIP Client");
    assert_eq!(demo.named("Oddział Łódź").unwrap().parent, demo.named("VIP Client").map(|parent| parent.id));

    pty.type_text("\x1b");
    pty.wait_until_gone("/ podhurt");
    pty.type_text("gg/ODD-2");
    pty.type_text(ENTER);
    pty.wait_for("/ ODD-2 · 1 of 1");
    pty.type_text("x\x1b");
    pty.wait_until_gone("/ ODD-2");
    pty.type_text("g");
    pty.type_text("g");
    pty.type_text("p");
    pty.wait_for("Moved Oddział Łódź to Akcje sezonowe");
    assert_eq!(demo.named("Oddział Łódź").unwrap().parent, demo.named("Akcje sezonowe").map(|parent| parent.id));

    pty.type_text("/ODD-2\r");
    pty.wait_for("/ ODD-2 · 1 of 1");
    pty.type_text("d");
    pty.wait_for("Delete Oddział Łódź");
    pty.type_text(ENTER);
    pty.wait_for("Deleted Oddział Łódź");
    assert_eq!(demo.server.segments(), before);
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn a_subtree_is_deleted_whole_or_its_children_move_up() {
    let demo = Demo::start();
    let mut pty = demo.open(&["--poll", "0.2"]);
    let below = |name: &str| {
        let parent = demo.named(name).map(|parent| parent.id);
        demo.server.segments().into_iter().filter(|segment| segment.parent == parent).count()
    };
    let under_branches = below("Branże");
    pty.type_text("/br-apt\r");
    pty.wait_for("/ br-apt · 1 of");
    pty.type_text("d");
    pty.wait_for("keep the 3 children: move them up to Branże");
    pty.type_text("p");
    pty.wait_for("Deleted Apteki; its children moved up");
    assert_eq!(below("Branże"), under_branches - 1 + 3);

    pty.type_text("/Eksport\r");
    pty.wait_for("/ Eksport · 1 of");
    pty.type_text("d");
    pty.wait_for("delete all 63");
    pty.type_text("s");
    pty.wait_for("delete 63");
    // Deleting so many requires the confirmation phrase.
    pty.type_text(&format!("demo-wholesale{ENTER}"));
    pty.wait_for("Deleted Eksport and its 62 descendants");
    assert_eq!(demo.server.segments().len(), 290 - 1 - 63);
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn a_colleagues_changes_appear_by_themselves() {
    let demo = Demo::start();
    let mut pty = demo.open(&["--poll", "0.2"]);
    let season = demo.named("Akcje sezonowe").unwrap();
    let fields = Fields { name: "Akcje całoroczne".into(), ..Fields::of(&season) };
    demo.change(ChangeRequest::Update(season.id.clone(), fields));
    pty.wait_for("▾ Akcje całoroczne");
    pty.wait_for("was Akcje sezonowe");
    let new = Fields { name: "Promocje nocne".into(), external_id: None, parent: Some(season.id) };
    let new = demo.change(ChangeRequest::Create(new));
    pty.wait_for("+ created  Promocje nocne");
    demo.change(ChangeRequest::Delete(new));
    pty.wait_for("− deleted  Promocje nocne");
    pty.wait_for("290 segments   ● live");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn a_refused_create_shows_the_reason_and_keeps_its_input() {
    let demo = Demo::start();
    let mut pty = demo.open(&["--poll", "30"]);
    pty.type_text("/podhurt spo\r");
    pty.wait_for("/ podhurt spo · 1 of 1");
    // The parent is deleted without this program having seen it.
    let gone = demo.named("Podhurt spożywczy").unwrap();
    demo.change(ChangeRequest::Delete(gone.id.clone()));
    pty.type_text(&format!("aNowość{ENTER}"));
    pty.wait_for("press ! to resolve");
    pty.type_text("!");
    pty.wait_for("New segment in");
    pty.wait_for("the server responded 422: parent");
    pty.wait_for(&gone.id.text()[..8]);
    pty.wait_for("does not exist");
    pty.wait_for("Nowość");
    pty.type_text("\x1b");
    pty.wait_until_gone("New segment in");
    // It stays in the queue, so quitting asks first.
    pty.type_text("q");
    pty.wait_for("Quit?");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn a_colleagues_change_is_never_overwritten_unseen() {
    let demo = Demo::start();
    let mut pty = demo.open(&["--poll", "30"]);
    pty.type_text("/podhurt spo\r");
    pty.wait_for("/ podhurt spo · 1 of 1");
    let seen = demo.named("Podhurt spożywczy").unwrap();
    let rename = |name: &str| ChangeRequest::Update(seen.id.clone(), Fields { name: name.into(), ..Fields::of(&seen) });
    demo.change(rename("Podhurt ogólny"));

    // The same field: reported, and nothing is sent.
    pty.type_text(&format!("e{CTRL_U}Podhurt mój{ENTER}"));
    pty.wait_for("press ! to resolve");
    pty.type_text("!");
    pty.wait_for("Podhurt spożywczy was changed by someone else");
    pty.wait_for("Podhurt ogólny");
    pty.wait_for("Podhurt mój");
    assert_eq!(demo.named("Podhurt mój"), None);
    // Saving once more overwrites it knowingly.
    pty.type_text(ENTER);
    pty.wait_for("Renamed Podhurt ogólny → Podhurt mój");
    assert_eq!(demo.named("Podhurt mój").map(|segment| segment.id), Some(seen.id.clone()));

    // Another field: both changes are kept.
    demo.change(rename("Podhurt wspólny"));
    pty.type_text(&format!("e{TAB}{CTRL_U}PW{ENTER}"));
    pty.wait_for("Podhurt wspólny: kept someone");
    let both = demo.named("Podhurt wspólny").unwrap();
    assert_eq!((both.id, both.external_id.as_deref()), (seen.id.clone(), Some("PW")));
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn a_conflict_of_two_fields_is_resolved_field_by_field() {
    let demo = Demo::start();
    let mut pty = demo.open(&["--poll", "30"]);
    pty.type_text("/podhurt spo\r");
    pty.wait_for("/ podhurt spo · 1 of 1");
    let seen = demo.named("Podhurt spożywczy").unwrap();
    let fields = Fields { name: "Podhurt ogólny".into(), external_id: Some("THEIRS".into()), ..Fields::of(&seen) };
    demo.change(ChangeRequest::Update(seen.id.clone(), fields));

    pty.type_text(&format!("e{CTRL_U}Podhurt mój{TAB}{CTRL_U}MINE{ENTER}"));
    // No dialog opens by itself.
    pty.wait_for("press ! to resolve");
    pty.type_text("!");
    pty.wait_for("Podhurt spożywczy was changed by someone else");
    pty.wait_for("THEIRS");
    // Their name, and the external ID that was typed.
    pty.type_text("hjl");
    pty.type_text(ENTER);
    let both = eventually(|| demo.named("Podhurt ogólny").filter(|it| it.external_id.as_deref() == Some("MINE")));
    assert_eq!((both.id, both.parent), (seen.id, seen.parent));
    pty.wait_for("Updated Podhurt ogólny");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn fifty_marked_segments_are_moved_and_one_key_undoes_it() {
    const MANY: usize = 50;
    let demo = Demo::start();
    let create = |name: &str, parent: Option<&SegmentId>| {
        demo.change(ChangeRequest::Create(Fields { name: name.into(), external_id: None, parent: parent.cloned() }))
    };
    let hall = create("Hala", None);
    let yard = create("Plac", None);
    for number in 1..=MANY {
        create(&format!("Paleta {number:02}"), Some(&hall));
    }
    let below = |parent: &SegmentId| {
        demo.server.segments().iter().filter(|segment| segment.parent.as_ref() == Some(parent)).count()
    };
    let mut pty = Pty::start(120, 40, &["--poll", "0.2"], &demo.variables());
    pty.wait_for("342 segments   ● live");
    pty.type_text("/paleta 01\r");
    pty.wait_for("/ paleta 01 · 1 of 1");
    // In the whole tree the other rows are below it.
    pty.type_text(ENTER);
    pty.wait_for("“paleta 01” 1 of 1");
    pty.type_text(&format!("V{}V", "j".repeat(MANY - 1)));
    pty.wait_for("Marked 50");
    pty.type_text("m");
    pty.wait_for("Move 50 segments to");
    pty.type_text(&format!("Plac{ENTER}"));
    pty.wait_until_gone("Move 50 segments to");
    pty.type_text("y");
    eventually(|| (below(&yard) == MANY).then_some(()));
    pty.wait_for("Moved 50 segments to Plac");
    assert_eq!(below(&hall), 0);
    pty.type_text("u");
    eventually(|| (below(&hall) == MANY).then_some(()));
    pty.wait_for("Undid: move 50 segments to Plac");
    assert_eq!(below(&yard), 0);
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn the_last_sessions_tree_is_shown_when_the_server_is_down() {
    let demo = Demo::start();
    let home = tempfile::tempdir().unwrap();
    let mut environment = demo.variables().to_vec();
    environment.push(("HOME", home.path().to_str().unwrap().to_owned()));
    let mut pty = Pty::start(120, 40, &["--poll", "0.2"], &environment);
    pty.wait_for("290 segments   ● live");
    demo.change(ChangeRequest::Delete(demo.named("Zgierz").unwrap().id));
    pty.wait_for("289 segments   ● live");
    pty.type_text("z1Gkkk");
    pty.wait_for("▌ ▸ segment");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);

    let ServerRuntime { runtime, server } = demo.site;
    runtime.block_on(server.stop());
    let mut pty = Pty::start(120, 40, &[], &environment);
    pty.wait_for("289 segments   ");
    pty.wait_for("▸ Akcje sezonowe");
    pty.wait_for("▌ ▸ segment");
    pty.wait_for("offline since");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);

    let mut pty = Pty::start(120, 40, &["--no-store"], &environment);
    pty.wait_for("offline since");
    pty.wait_until_gone("segments   ");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn every_terminal_size_is_survived() {
    let demo = Demo::start();
    let mut pty = demo.open(&[]);
    for (columns, rows) in [(80, 24), (59, 14), (20, 4), (1, 1), (2, 60), (250, 70), (100, 26)] {
        pty.resize(columns, rows);
        pty.type_text("jjl");
    }
    pty.wait_for("● live");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn a_key_that_is_typed_while_the_size_changes_is_not_lost() {
    let demo = Demo::start();
    let mut pty = demo.open(&[]);
    for round in 0..50 {
        pty.resize(100 + round % 2, 30);
        pty.type_text("?");
        pty.wait_for(" Keys ");
        pty.resize(102 + round % 2, 30);
        pty.type_text("q");
        pty.wait_until_gone(" Keys ");
    }
}

#[test]
fn quitting_restores_the_terminal() {
    let demo = Demo::start();
    let mut pty = Pty::start_in_shell(100, 30, &[], &demo.variables());
    pty.wait_for("● live");
    assert!(pty.is_terminal_taken_over());
    pty.type_text("q");
    pty.wait_for("exit code 0");
    pty.assert_terminal_restored();
}

#[test]
fn ctrl_c_quits_and_restores_the_terminal() {
    let demo = Demo::start();
    let mut pty = Pty::start_in_shell(100, 30, &[], &demo.variables());
    pty.wait_for("● live");
    pty.type_text("\x03");
    pty.wait_for("exit code 0");
    pty.assert_terminal_restored();
}

#[test]
fn a_panic_restores_the_terminal_before_it_is_reported() {
    let demo = Demo::start();
    let mut pty = Pty::start_in_shell(100, 30, &["--panic-on-key"], &demo.variables());
    pty.wait_for("● live");
    pty.type_text("j");
    pty.wait_for("asked to panic at the first key");
    pty.wait_for("exit code 101");
    pty.assert_terminal_restored();
    let output = pty.output();
    let left = output.find("\x1b[?1049l").unwrap();
    assert!(left < output.find("asked to panic").unwrap(), "the report went to the screen that was left");
}

#[test]
fn signals_restore_the_terminal() {
    for (signal, code) in [("TERM", "143"), ("HUP", "129"), ("INT", "130")] {
        let demo = Demo::start();
        let mut pty = Pty::start_in_shell(100, 30, &[], &demo.variables());
        pty.wait_for("● live");
        pty.signal_program(signal);
        pty.wait_for(&format!("exit code {code}"));
        pty.assert_terminal_restored();
    }
}

#[test]
fn an_error_at_the_start_leaves_the_terminal_alone() {
    let mut pty = Pty::start(100, 30, &[], &[("SEGTUI_TENANT", "acme".to_owned())]);
    pty.wait_for("the base URL is not set");
    assert_eq!(pty.exit_code(), 2);
    assert!(!pty.output().contains("\x1b[?1049h"));
}

#[test]
fn ctrl_z_suspends_and_fg_brings_it_back() {
    let demo = Demo::start();
    let mut pty = Pty::start_interactive_shell(100, 30, &demo.variables());
    pty.type_text(&format!("{}\n", pty::program()));
    pty.wait_for("● live");
    pty.type_text("\x1a");
    pty.wait_for_main_screen();
    pty.wait_for_prompt();
    pty.type_text("echo in the' 'shell\n");
    pty.wait_for("in the shell");
    pty.wait_for_prompt();
    pty.type_text("fg\n");
    pty.wait_for("● live");
    assert!(pty.is_terminal_taken_over());
    pty.type_text("j");
    pty.type_text("q");
    pty.wait_for_main_screen();
    pty.wait_for_prompt();
    pty.type_text("exit 7\n");
    assert_eq!(pty.exit_code(), 7);
}

#[test]
fn a_program_continued_after_a_stop_retakes_the_terminal() {
    let demo = Demo::start();
    for signal in ["STOP", "TSTP"] {
        let mut pty = Pty::start_in_shell(100, 30, &[], &demo.variables());
        pty.wait_for("● live");
        pty.signal_program(signal);
        pty.run_on_terminal("stty sane; printf '\\033[?1049l\\033[?2004l\\033[2Jsomething else'");
        pty.wait_for("something else");
        pty.signal_program("CONT");
        pty.wait_for("● live");
        assert!(pty.is_terminal_taken_over());
        // No Enter is needed: the terminal is in raw mode again.
        pty.type_text("?");
        pty.wait_for(" Keys ");
        pty.type_text("\x1b");
        pty.wait_until_gone(" Keys ");
        pty.type_text("q");
        pty.wait_for("exit code 0");
        pty.assert_terminal_restored();
    }
}

#[test]
fn terminal_reports_are_not_taken_for_keys() {
    let demo = Demo::start();
    let mut pty = Pty::start(100, 30, &[], &demo.variables());
    pty.wait_for("● live");
    // The screen is complete.
    pty.wait_for("1 of 69");
    let before = pty.lines();
    // As keys, these would delete, quit and move.
    for answer in [
        "\x1b[?2026;2$y",
        "\x1b[?997;1n",
        "\x1b[24;80R",
        "\x1b]11;rgb:dddd/dddd/dddd\x1b\\",
        "\x1b]10;dddd\x07",
        "\x1bPdqdq\x1b\\",
        "\x1b_Gq=1;d\x1b\\",
    ] {
        pty.type_text(answer);
    }
    // A truncated response is waited for, but not forever.
    pty.type_text("\x1b]11;rgb:ddd");
    std::thread::sleep(std::time::Duration::from_millis(1_300));
    assert_eq!(pty.lines()[1..], before[1..]);
    pty.type_text("?");
    pty.wait_for(" Keys ");
    pty.type_text("\x1b");
    pty.wait_until_gone(" Keys ");
    // The keypad's Enter, as tmux sends it.
    pty.type_text("r2\x1bOM");
    pty.wait_for("Renamed");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn copied_text_is_sent_as_osc_52_outside_any_frame() {
    let demo = Demo::start();
    let mut pty = demo.open(&["--poll", "30"]);
    pty.type_text("/vip client\r");
    pty.wait_for("/ vip client · 1 of");
    pty.type_text("yn");
    pty.wait_for("Copied the name of VIP Client");
    // `VIP Client` in base64, in a write of its own.
    let output = pty.output();
    assert!(output.contains("\x1b[?2026h\x1b]52;c;VklQIENsaWVudA==\x1b\\\x1b[?2026l"), "{output:?}");
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn the_list_of_requests_never_shows_the_key() {
    let demo = Demo::start();
    let mut pty = demo.open(&["--poll", "30"]);
    pty.type_text("/vip client\r");
    pty.wait_for("/ vip client · 1 of");
    pty.type_text("r!\r");
    pty.wait_for("Renamed VIP Client");
    pty.type_text("L");
    pty.wait_for("Requests (");
    pty.wait_for("/segments?pageNumber=1");
    pty.type_text("/put\r");
    pty.wait_for("1 match “put”");
    pty.type_text("\r");
    pty.wait_for("\"name\": \"VIP Client!\"");
    pty.type_text("y");
    pty.wait_for("Copied the request as a curl command");
    assert!(pty.output().contains("\x1b]52;c;Y3VybCAtWCBQVVQg"), "it begins with `curl -X PUT `");
    assert!(!pty.output().contains(demo.server.api_key()));
    pty.type_text("\x1b");
    pty.wait_for("copy as curl · / filter");
    pty.type_text("Lq");
    assert_eq!(pty.exit_code(), 0);
}

/// Prefixes of 24-bit foreground and background colours.
const TRUE_COLOURS: [&str; 2] = ["38;2;", "48;2;"];

#[test]
fn a_theme_sends_only_colours_that_the_terminal_knows() {
    let demo = Demo::start();
    for (colorterm, expected) in [("truecolor", true), ("", false)] {
        let mut environment = demo.variables().to_vec();
        environment.extend([("SEGTUI_THEME", "colour-blind".to_owned()), ("COLORTERM", colorterm.to_owned())]);
        let pty = Pty::start(120, 40, &[], &environment);
        pty.wait_for("● live");
        let output = pty.output();
        assert!(TRUE_COLOURS.iter().all(|start| output.contains(start) == expected), "{output:?}");
    }
}

#[test]
fn without_colours_the_selected_row_is_reversed() {
    let demo = Demo::start();
    for (variable, theme) in [("NO_COLOR", "high-contrast"), ("COLORTERM", "mono")] {
        let mut environment = demo.variables().to_vec();
        environment.extend([(variable, "truecolor".to_owned()), ("SEGTUI_THEME", theme.to_owned())]);
        let pty = Pty::start(120, 40, &[], &environment);
        pty.wait_for("● live");
        let output = pty.output();
        assert!(
            ["38;2;", "38;5;", "48;2;", "48;5;"].iter().all(|colour| !output.contains(colour)),
            "{theme}: {output:?}"
        );
        // Instead of a colour, crossterm may write what terminals read as a reset of all attributes.
        assert!(pty.is_reversed(3), "{theme}: {output:?}");
        assert!(!pty.is_reversed(4), "{theme}: {output:?}");
    }
}

#[test]
fn ctrl_i_goes_forward_where_the_terminal_tells_it_from_tab() {
    let demo = Demo::start();
    let mut pty = Pty::start_in_shell(120, 40, &[], &demo.variables());
    pty.wait_for("290 segments   ● live");
    assert!(pty.output().contains("\x1b[>1u"), "the terminal is asked to tell them apart");
    pty.type_text("/Zgierz\r");
    pty.wait_for("/ Zgierz · 1 of");
    pty.type_text(ENTER);
    pty.wait_for("“Zgierz” 1 of");
    pty.type_text("\x1b[27u");
    pty.wait_for("│ Zgierz");
    pty.type_text("\x0f");
    pty.wait_for("│ Akcje sezonowe");
    pty.type_text("\x1b[105;5u");
    pty.wait_for("│ Zgierz");
    // Tab and Escape work as before.
    pty.type_text("\tj");
    pty.type_text("\x1b[27uq");
    pty.wait_for("exit code 0");
    assert!(pty.output().contains("\x1b[<1u"), "and then no longer");
    pty.assert_terminal_restored();
}
