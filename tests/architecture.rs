//! The floors of the house: a module uses what stands below it, never what stands above or beside, and the core does no I/O,
//! reads no clock and spawns nothing. The source is read as text, so that a forbidden name is found wherever it stands.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected is to fail")]

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// A module, its floor, and what of the lower floors it may use; `&[]` with a floor means everything below.
struct Module {
    name: &'static str,
    floor: u8,
    uses: Uses,
    purity: Purity,
}

enum Uses {
    /// Every module on a lower floor.
    AllBelow,
    /// These only.
    Only(&'static [&'static str]),
}

#[derive(PartialEq, Eq)]
enum Purity {
    /// No I/O, no clock, no tasks.
    Pure,
    Free,
}

const fn module(name: &'static str, floor: u8, uses: Uses, purity: Purity) -> Module {
    Module { name, floor, uses, purity }
}

const LAYERS: &[Module] = &[
    module("segment", 0, Uses::Only(&[]), Purity::Pure),
    module("action", 0, Uses::Only(&[]), Purity::Pure),
    module("theme", 0, Uses::Only(&[]), Purity::Pure),
    module("printable", 0, Uses::Only(&[]), Purity::Pure),
    module("files", 0, Uses::Only(&[]), Purity::Free),
    module("clock", 0, Uses::Only(&[]), Purity::Free),
    module("forest", 1, Uses::Only(&["segment"]), Purity::Pure),
    module("remote", 1, Uses::Only(&["segment"]), Purity::Pure),
    module("keymap", 1, Uses::Only(&["action"]), Purity::Pure),
    module("formats", 2, Uses::Only(&["segment", "printable", "forest"]), Purity::Pure),
    module("changes", 3, Uses::Only(&["segment", "forest", "remote", "formats"]), Purity::Pure),
    module("api", 2, Uses::Only(&["segment", "printable", "clock", "remote"]), Purity::Free),
    module("store", 4, Uses::Only(&["segment", "files", "clock", "remote", "changes"]), Purity::Free),
    module("config", 2, Uses::Only(&["segment", "files", "remote", "action", "keymap", "theme"]), Purity::Free),
    module("sync", 5, Uses::Only(&["segment", "clock", "forest", "remote", "changes", "store"]), Purity::Free),
    module(
        "app",
        6,
        Uses::Only(&["segment", "action", "printable", "forest", "remote", "keymap", "formats", "changes", "sync"]),
        Purity::Pure,
    ),
    module(
        "ui",
        7,
        Uses::Only(&[
            "segment",
            "action",
            "theme",
            "printable",
            "forest",
            "remote",
            "keymap",
            "changes",
            "sync",
            "app",
        ]),
        Purity::Pure,
    ),
    // It shares only `segment` with the client, so that each checks the other.
    module("demo", 8, Uses::Only(&["segment"]), Purity::Free),
    module("terminal", 8, Uses::AllBelow, Purity::Free),
    module("cli", 9, Uses::AllBelow, Purity::Free),
];

/// What a pure module must not name.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::env",
    "std::thread",
    "Instant",
    "SystemTime",
    "now()",
    "tokio",
    "reqwest",
    "axum",
    "async ",
    ".await",
    "spawn",
    "println!",
    "eprintln!",
    "dbg!",
    "fastrand",
    "static mut",
    "thread_local!",
    "OnceLock",
];

#[derive(PartialEq, Eq)]
struct Fault {
    file: PathBuf,
    line: usize,
    what: String,
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.what)
    }
}

/// Every fault of the source below a folder.
fn faults(source: &Path) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in rust_files(source) {
        let relative = file.strip_prefix(source).unwrap().to_owned();
        let name = relative.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs");
        if matches!(name, "lib" | "main") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let mut add = |line: usize, what: String| faults.push(Fault { file: relative.clone(), line, what });
        let Some(module) = LAYERS.iter().find(|other| other.name == name) else {
            add(1, format!("the module `{name}` has no place in the house"));
            continue;
        };
        let is_test_file = relative
            .iter()
            .any(|part| ["tests", "tests.rs", "harness.rs", "scripted.rs"].iter().any(|test| part == *test));
        for (line, code) in code_lines(&text) {
            for used in uses(code) {
                if used != name && !may_use(module, used) {
                    add(line, format!("`{name}` must not use `{used}`"));
                }
            }
            if module.purity == Purity::Pure && !is_test_file {
                for impure in IMPURE.iter().filter(|impure| code.contains(**impure)) {
                    add(line, format!("`{name}` is pure and must not name `{}`", impure.trim()));
                }
            }
        }
    }
    faults
}

fn may_use(module: &Module, used: &str) -> bool {
    match module.uses {
        Uses::Only(names) => names.contains(&used),
        Uses::AllBelow => {
            LAYERS.iter().any(|other| other.name == used && (other.floor < module.floor || other.name == "demo"))
        }
    }
}

/// The modules of this crate that a line names.
fn uses(line: &str) -> impl Iterator<Item = &str> {
    let after_crate = line.split("crate::").skip(1).flat_map(|rest| match rest.strip_prefix('{') {
        Some(group) => group.split([',', '}']).collect::<Vec<_>>(),
        None => vec![rest],
    });
    after_crate
        .map(|rest| {
            rest.trim_start().split(|character: char| !character.is_alphanumeric() && character != '_').next().unwrap()
        })
        .filter(|name| LAYERS.iter().any(|module| module.name == *name))
}

/// The lines that are code, counted from 1, up to the unit tests at the end of a file: those may use what they like.
fn code_lines(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let before_tests = source.lines().zip(1..).take_while(|(line, _)| !line.starts_with("mod tests {"));
    before_tests
        .map(|(line, number)| (number, line.split("//").next().unwrap_or(line)))
        .filter(|(_, line)| !line.trim().is_empty())
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

#[test]
fn nothing_uses_what_stands_above_or_beside_it_and_the_core_is_pure() {
    let faults = faults(&source());
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_room_of_the_house_exists() {
    let files = rust_files(&source());
    for module in LAYERS {
        assert!(files.contains(&source().join(format!("{}.rs", module.name))), "{} is missing", module.name);
    }
}

/// A client of its own is a way around `remote::Guarded`, which is what keeps reading only.
#[test]
fn the_client_is_built_in_one_place_where_it_gets_its_guard() {
    let names_client = |file: &&PathBuf| {
        let text = fs::read_to_string(file).unwrap();
        code_lines(&text).any(|(_, code)| code.contains("api::Client") || code.contains("api::{"))
    };
    let files = rust_files(&source());
    let naming: Vec<_> = files.iter().filter(names_client).collect();
    assert_eq!(naming, [&source().join("cli/link.rs")]);
}

#[test]
fn a_planted_fault_is_found() {
    let house = tempfile::tempdir().unwrap();
    let plant = |file: &str, text: &str| {
        let path = house.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    plant("segment.rs", "//! crate::app is only named in a comment here.\nuse std::fmt;\n");
    plant("forest.rs", "use crate::segment::Segment;\nuse crate::ui::draw;\n");
    plant(
        "app/keys.rs",
        "use crate::forest::Forest;\n\nfn late() -> u64 {\n    Instant::now().elapsed().as_secs()\n}\n",
    );
    plant("sync.rs", "use crate::{changes::Plan, api::Client};\n");
    plant("changes.rs", "#[cfg(test)]\nmod tests {\n    use crate::api::Client;\n}\n");
    plant("attic.rs", "fn nothing() {}\n");
    let found: Vec<String> = faults(house.path()).iter().map(|fault| format!("{fault:?}")).collect();
    assert_eq!(
        found,
        [
            "app/keys.rs:4: `app` is pure and must not name `Instant`",
            "app/keys.rs:4: `app` is pure and must not name `now()`",
            "attic.rs:1: the module `attic` has no place in the house",
            "forest.rs:2: `forest` must not use `ui`",
            "sync.rs:1: `sync` must not use `api`",
        ]
    );
}
