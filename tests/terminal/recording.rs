//! The recording in the README, and the pictures of the themes: the real program in a terminal, as SVG. To regenerate
//! them:
//!
//! ```sh
//! cargo test --test terminal -- --ignored recording::
//! ```
//!
//! A frame is the screen at rest after a key. How long it is shown is part of the script below, so the recording can be
//! followed however fast the machine is.

mod svg;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use segtui::demo::{ChangeRequest, Fields};
use segtui::theme::Name;

use super::pty::Pty;
use super::{Demo, ENTER};

use svg::{Ground, Recording};

const COLUMNS: u16 = 100;
const ROWS: u16 = 26;
/// Milliseconds between two typed letters, and those in which a screen is read.
const LETTER: u64 = 130;
const READ: u64 = 1_700;

/// A session that is being recorded.
struct Camera {
    pty: Pty,
    recording: Recording,
}

impl Camera {
    /// Adds the screen as a frame of so many milliseconds, once it holds a text and has come to rest.
    fn take(&mut self, caption: &str, text: &str, milliseconds: u64) {
        self.pty.wait_for(text);
        self.pty.wait_until_quiet();
        let recording = &mut self.recording;
        self.pty.with_screen(|screen| recording.add(screen, caption, milliseconds));
    }

    /// Types a text, one frame per letter.
    fn types(&mut self, caption: &str, text: &str) {
        for letter in text.chars() {
            self.pty.type_text(&letter.to_string());
            thread::sleep(Duration::from_millis(30));
            self.take(caption, "", LETTER);
        }
    }

    fn press(&mut self, key: &str, caption: &str, text: &str) {
        self.pty.type_text(key);
        self.take(caption, text, READ);
    }
}

fn record(theme: &str, ground: Ground) -> String {
    let demo = Demo::start();
    let mut environment = demo.variables().to_vec();
    environment.extend([("COLORTERM", "truecolor".to_owned()), ("LANG", "C.UTF-8".to_owned())]);
    let pty = Pty::start(COLUMNS, ROWS, &["--theme", theme, "--poll", "0.2"], &environment);
    let mut camera = Camera { pty, recording: Recording::new(COLUMNS, ROWS, ground) };
    camera.take("The whole tree, live", "290 segments   ● live", READ);
    camera.types("/  filter as you type", "/lodz");
    camera.take("/  filter as you type", "Łódź Bałuty", READ);
    camera.press(ENTER, "enter  keep the filter", "/ lodz · ");
    camera.press("r", "r  rename in place", "enter save");
    camera.types("r  rename in place", " 2");
    camera.press(ENTER, "enter  saved on the server", "Renamed ");
    camera.press("u", "u  undo", "undid: rename");
    camera.press("\x1b", "esc  clear the filter", "Akcje sezonowe");
    let client = demo.named("Branże").unwrap();
    let fields = Fields { name: "Branże i kanały".into(), ..Fields::of(&client) };
    demo.change(ChangeRequest::Update(client.id, fields));
    camera.take("A colleague renames a segment", "was Branże", 2_200);
    camera.press("d", "d  delete: it asks first", "What should happen to ");
    camera.press("\x1b", "esc  changes nothing", "Akcje sezonowe");
    camera.types(":  every command by its name", ":sort");
    camera.take(":  every command by its name", "Sort by size", READ);
    camera.pty.type_text("\x1b");
    camera.pty.wait_until_gone("Commands");
    camera.pty.type_text("q");
    assert_eq!(camera.pty.exit_code(), 0);
    camera.recording.into_svg()
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(name)
}

const RECORDINGS: [(&str, &str, Ground); 2] =
    [("recording-dark.svg", "dark", Ground::Dark), ("recording-light.svg", "light", Ground::Light)];

#[test]
#[ignore = "it writes the recordings in assets/"]
fn the_recordings_are_regenerated() {
    for (name, theme, ground) in RECORDINGS {
        fs::write(file(name), record(theme, ground)).unwrap();
    }
}

/// The picture of a theme that the page about themes shows.
fn still(theme: Name) -> String {
    let demo = Demo::start();
    let mut environment = demo.variables().to_vec();
    environment.extend([("COLORTERM", "truecolor".to_owned()), ("LANG", "C.UTF-8".to_owned())]);
    let mut pty = Pty::start(COLUMNS, 20, &["--theme", theme.text(), "--poll", "0.2"], &environment);
    pty.wait_for("290 segments   ● live");
    pty.type_text("/lodz\r");
    pty.wait_for("/ lodz · ");
    pty.type_text("kr 2\r");
    pty.wait_for("Renamed ");
    pty.type_text("jjd");
    pty.wait_for("enter delete");
    pty.wait_until_quiet();
    let ground = if theme == Name::Light { Ground::Light } else { Ground::Dark };
    let mut picture = Recording::new(COLUMNS, 20, ground);
    pty.with_screen(|screen| picture.add(screen, theme.text(), 1));
    picture.into_svg()
}

#[test]
#[ignore = "it writes the pictures in assets/"]
fn the_picture_of_every_theme_is_regenerated() {
    for theme in Name::ALL {
        fs::write(file(&format!("theme-{}.svg", theme.text())), still(theme)).unwrap();
    }
}

#[test]
fn the_picture_of_every_theme_is_on_the_page_about_themes() {
    let page = include_str!("../../docs/themes.md");
    for theme in Name::ALL {
        let name = format!("theme-{}.svg", theme.text());
        assert!(page.contains(&format!("../assets/{name}")), "{name}");
        assert!(fs::metadata(file(&name)).unwrap().len() < 50_000, "{name}");
    }
}

#[test]
fn the_recordings_are_small_and_shown_in_the_readme() {
    let readme = include_str!("../../README.md");
    for (name, ..) in RECORDINGS {
        assert!(readme.contains(&format!("assets/{name}")), "{name}");
        let svg = fs::read_to_string(file(name)).unwrap();
        assert!(svg.len() < 500_000, "{name} has {} bytes", svg.len());
        assert!(svg.contains("prefers-reduced-motion"), "it stands still where a person wants that");
        assert!(!svg.contains("<script") && !svg.contains("http://127") && !svg.contains("href"), "it loads nothing");
    }
}
