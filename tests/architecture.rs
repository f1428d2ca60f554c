//! The layers: a module uses only modules below it, none above or beside it, and the core does no I/O, reads no clock,
//! spawns nothing and knows no terminal. The interface is divided into parts, each of which may use few others. The
//! source is read as text, so that a forbidden name is found wherever it appears.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected is to fail")]

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// A module, its layer, and the lower modules that it may use.
struct Module {
    name: &'static str,
    layer: u8,
    uses: Uses,
    purity: Purity,
}

enum Uses {
    /// Every module of a lower layer.
    AllBelow,
    /// These only.
    Only(&'static [&'static str]),
}

#[derive(PartialEq, Eq)]
enum Purity {
    /// No I/O, no clock, no tasks, no terminal.
    Pure,
    /// As `Pure`, except for the terminal library's types of keys, styles and frames.
    Drawing,
    Free,
}

const fn module(name: &'static str, layer: u8, uses: Uses, purity: Purity) -> Module {
    Module { name, layer, uses, purity }
}

const LAYERS: &[Module] = &[
    module("segment", 0, Uses::Only(&[]), Purity::Pure),
    module("action", 0, Uses::Only(&[]), Purity::Pure),
    module("theme", 0, Uses::Only(&[]), Purity::Drawing),
    module("collation", 0, Uses::Only(&[]), Purity::Free),
    module("numbers", 0, Uses::Only(&[]), Purity::Pure),
    module("printable", 0, Uses::Only(&[]), Purity::Pure),
    module("platform", 0, Uses::Only(&[]), Purity::Free),
    module("files", 1, Uses::Only(&["platform"]), Purity::Free),
    module("clock", 0, Uses::Only(&[]), Purity::Free),
    module("forest", 1, Uses::Only(&["segment", "collation"]), Purity::Pure),
    module("remote", 1, Uses::Only(&["segment"]), Purity::Pure),
    module("keymap", 1, Uses::Only(&["action"]), Purity::Drawing),
    module("formats", 2, Uses::Only(&["segment", "numbers", "printable", "forest"]), Purity::Pure),
    module("check", 2, Uses::Only(&["segment", "numbers", "printable", "forest"]), Purity::Pure),
    module("changes", 3, Uses::Only(&["segment", "numbers", "forest", "remote", "formats"]), Purity::Pure),
    module("api", 2, Uses::Only(&["segment", "printable", "clock", "remote"]), Purity::Free),
    module("planning", 4, Uses::Only(&["segment", "forest", "formats", "changes"]), Purity::Pure),
    module("store", 4, Uses::Only(&["segment", "files", "clock", "remote", "changes"]), Purity::Free),
    module(
        "config",
        3,
        Uses::Only(&[
            "segment",
            "collation",
            "platform",
            "files",
            "remote",
            "action",
            "keymap",
            "theme",
            "check",
            "formats",
        ]),
        Purity::Free,
    ),
    module(
        "sync",
        5,
        Uses::Only(&["segment", "numbers", "clock", "forest", "remote", "changes", "store"]),
        Purity::Free,
    ),
    module(
        "app",
        6,
        Uses::Only(&[
            "segment",
            "action",
            "theme",
            "numbers",
            "printable",
            "forest",
            "remote",
            "keymap",
            "formats",
            "check",
            "changes",
            "sync",
        ]),
        Purity::Pure,
    ),
    module(
        "ui",
        7,
        Uses::Only(&[
            "segment",
            "action",
            "theme",
            "numbers",
            "printable",
            "forest",
            "remote",
            "keymap",
            "check",
            "changes",
            "sync",
            "app",
        ]),
        Purity::Drawing,
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
    "dbg!",
    "fastrand",
    "static mut",
    "thread_local!",
    "OnceLock",
];

/// Crates that access the terminal.
const TERMINAL: &[&str] = &["ratatui", "crossterm"];

/// The parts of the interface, in `app` and in `ui`, and the other parts that each may use.
const PARTS: &[(&str, &str, &[&str])] = &[
    ("app", "tree", &["dialogs"]),
    ("app", "edit", &["tree", "side", "changes", "dialogs"]),
    ("app", "changes", &["tree", "side", "dialogs"]),
    ("app", "dialogs", &["tree", "side"]),
    ("app", "side", &["dialogs"]),
    ("ui", "tree", &[]),
    ("ui", "edit", &["dialogs"]),
    ("ui", "changes", &["dialogs"]),
    ("ui", "dialogs", &[]),
    ("ui", "side", &[]),
];

/// Folders and files that hold tests.
const TESTS: &[&str] = &["tests", "tests.rs", "harness", "harness.rs", "scripted.rs"];

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

/// All faults in the sources below a folder.
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
            add(1, format!("the module `{name}` has no layer"));
            continue;
        };
        let is_test_file = relative.iter().any(|part| TESTS.iter().any(|test| part == *test));
        let part = part_of(name, &relative);
        if let Some(unknown) = part.filter(|part| !is_test_file && parts(name).all(|known| known != *part)) {
            add(1, format!("`{unknown}` is no part of `{name}`"));
        }
        let others = part.into_iter().flat_map(|part| forbidden_parts(name, part)).collect::<Vec<_>>();
        for (line, other) in named_parts(&text, name).into_iter().filter(|(_, other)| others.contains(other)) {
            if !is_test_file {
                add(line, format!("`{name}/{}` must not use `{name}/{other}`", part.unwrap_or_default()));
            }
        }
        for (line, code) in code_lines(&text) {
            for used in uses(code) {
                if used != name && !may_use(module, used) {
                    add(line, format!("`{name}` must not use `{used}`"));
                }
            }
            let forbidden: &[&[&str]] = match module.purity {
                _ if is_test_file => &[],
                Purity::Pure => &[IMPURE, TERMINAL],
                Purity::Drawing => &[IMPURE],
                Purity::Free => &[],
            };
            for impure in forbidden.iter().copied().flatten().filter(|impure| code.contains(**impure)) {
                add(line, format!("`{name}` is pure and must not name `{}`", impure.trim()));
            }
        }
    }
    faults
}

/// The part of `app` or `ui` that a file in one of their folders belongs to.
fn part_of<'a>(name: &str, relative: &'a Path) -> Option<&'a str> {
    let has_parts = PARTS.iter().any(|(module, ..)| *module == name);
    let mut components = relative.iter().skip(1);
    let folder = components.next().filter(|_| has_parts && components.next().is_some());
    folder.and_then(|folder| folder.to_str())
}

fn parts(name: &str) -> impl Iterator<Item = &str> {
    PARTS.iter().filter(move |(module, ..)| *module == name).map(|(_, part, _)| *part)
}

/// The parts that a part must not use.
fn forbidden_parts<'a>(name: &'a str, part: &'a str) -> impl Iterator<Item = &'a str> {
    let allowed = PARTS.iter().find(|(module, known, _)| *module == name && *known == part);
    let allowed = allowed.map_or(&[] as &[&str], |(.., allowed)| allowed);
    parts(name).filter(move |other| *other != part && !allowed.contains(other))
}

/// The parts of a module that a file names in paths from the crate's root, alone or in braces, each with its line. What
/// a module exports at its top, such as `State`, belongs to all of its parts.
fn named_parts<'a>(source: &'a str, name: &str) -> Vec<(usize, &'a str)> {
    let code = source.split("mod tests {").next().unwrap();
    let prefix = format!("crate::{name}::");
    let is_known = |part: &&str| PARTS.iter().any(|(module, known, _)| *module == name && known == part);
    let mut found = Vec::new();
    for (at, _) in code.match_indices(&prefix) {
        let line = code[..at].matches('\n').count() + 1;
        let is_comment = code[..at].lines().next_back().is_some_and(|line| line.contains("//"));
        let rest = &code[at + prefix.len()..];
        let names = match rest.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap(),
            None => rest.split(|character: char| !character.is_alphanumeric() && character != '_').next().unwrap(),
        };
        let first = |piece: &'a str| piece.trim().split("::").next().unwrap();
        let names = names.split(',').map(first).filter(is_known).filter(|_| !is_comment);
        found.extend(names.map(|part| (line, part)));
    }
    found
}

fn may_use(module: &Module, used: &str) -> bool {
    match module.uses {
        Uses::Only(names) => names.contains(&used),
        Uses::AllBelow => {
            LAYERS.iter().any(|other| other.name == used && (other.layer < module.layer || other.name == "demo"))
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

/// The lines with code, numbered from 1, up to the unit tests at the end of a file, which may use anything.
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
fn modules_use_only_lower_layers_and_the_core_is_pure() {
    let faults = faults(&source());
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_module_and_every_part_exists() {
    let files = rust_files(&source());
    for module in LAYERS {
        assert!(files.contains(&source().join(format!("{}.rs", module.name))), "{} is missing", module.name);
    }
    for (module, part, _) in PARTS {
        let has_files = files.iter().any(|file| file.starts_with(source().join(module).join(part)));
        assert!(
            has_files || files.contains(&source().join(format!("{module}/{part}.rs"))),
            "{module}/{part} is missing"
        );
    }
}

/// A client built elsewhere would bypass `remote::Guarded`, which enforces read-only access.
#[test]
fn the_client_is_built_only_where_it_is_guarded() {
    let names_client = |file: &&PathBuf| {
        let text = fs::read_to_string(file).unwrap();
        code_lines(&text).any(|(_, code)| code.contains("api::Client") || code.contains("api::{"))
    };
    let files = rust_files(&source());
    let naming: Vec<_> = files.iter().filter(names_client).collect();
    assert_eq!(naming, [&source().join("cli/link.rs")]);
}

#[test]
fn a_planted_fault_is_found_in_every_module_and_part() {
    let folder = tempfile::tempdir().unwrap();
    let plant = |file: &str, text: &str| {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let found = || faults(folder.path()).iter().map(|fault| format!("{fault:?}")).collect::<Vec<_>>();
    let planted = |file: &str, text: &str, fault: &str| {
        plant(file, text);
        assert_eq!(found(), [format!("{file}{fault}")], "{text}");
        fs::remove_file(folder.path().join(file)).unwrap();
    };
    for Module { name, purity, .. } in LAYERS {
        let file = format!("{name}/planted.rs");
        // Every module is below `cli`, so none may use it.
        if *name != "cli" {
            planted(&file, "\nuse crate::cli::run;\n", &format!(":2: `{name}` must not use `cli`"));
        }
        if *purity != Purity::Free {
            for impure in IMPURE {
                planted(&file, impure, &format!(":1: `{name}` is pure and must not name `{}`", impure.trim()));
            }
        }
        for terminal in TERMINAL.iter().filter(|_| *purity == Purity::Pure) {
            let text = format!("use {terminal}::Any;\n");
            planted(&file, &text, &format!(":1: `{name}` is pure and must not name `{terminal}`"));
        }
    }
    for (module, part, _) in PARTS {
        let file = format!("{module}/{part}/planted.rs");
        for other in forbidden_parts(module, part) {
            let fault = format!(":1: `{module}/{part}` must not use `{module}/{other}`");
            planted(&file, &format!("use crate::{module}::{other}::Any;\n"), &fault);
            planted(&file, &format!("use crate::{module}::{{State, {other}::Any}};\n"), &fault);
            planted(&file, &format!("use crate::{module}::{{\n    State,\n    {other},\n}};\n"), &fault);
        }
    }
    planted("app/attic/planted.rs", "fn nothing() {}\n", ":1: `attic` is no part of `app`");
    planted("attic.rs", "fn nothing() {}\n", ":1: the module `attic` has no layer");
    // Names in comments and in unit tests are no fault.
    plant("segment.rs", "//! crate::app is only named in a comment here.\nuse std::fmt;\n");
    plant("changes.rs", "#[cfg(test)]\nmod tests {\n    use crate::api::Client;\n}\n");
    plant("sync.rs", "use crate::{changes::Plan, store::Store};\n");
    assert!(found().is_empty(), "{:?}", found());
}

/// A value that differs in tests is passed in, so that tests can cover both.
/// The pages for people who change the code.
const PAGES: &[&str] = &["CONTRIBUTING.md", "docs/architecture.md", "docs/glossary.md"];

/// The names of the code in a page's inline code: paths of files, types, and functions with an underscore.
fn named_in(page: &str) -> Vec<&str> {
    let prose = page.split("```").step_by(2);
    let spans = prose.flat_map(|part| part.split('`').skip(1).step_by(2));
    let words = spans.flat_map(|span| span.split(|other: char| !(other.is_alphanumeric() || "_./".contains(other))));
    let is_name = |word: &&str| {
        let is_file = ["src/", "tests/", "benches/", "docs/", "assets/"].iter().any(|folder| word.starts_with(folder));
        let is_type = word.starts_with(char::is_uppercase) && word.contains(char::is_lowercase) && !word.contains('.');
        is_file
            || is_type
            || word.contains('_') && word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')
    };
    words.filter(is_name).collect()
}

#[test]
fn the_pages_about_the_code_name_what_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut code = String::new();
    for folder in ["src", "tests", "benches"] {
        for file in rust_files(&root.join(folder)) {
            code += &fs::read_to_string(file).unwrap();
        }
    }
    code += &fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let words: HashSet<&str> = code.split(|other: char| !(other.is_alphanumeric() || other == '_')).collect();
    let mut missing = Vec::new();
    for page in PAGES {
        let text = fs::read_to_string(root.join(page)).unwrap();
        let names = named_in(&text);
        assert!(names.len() > 10, "the names of {page} are found");
        for name in names {
            let exists = if name.contains('/') { root.join(name).exists() } else { words.contains(name) };
            if !exists {
                missing.push(format!("{page}: {name}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn no_value_depends_on_cfg_test() {
    let differs = |file: &&PathBuf| fs::read_to_string(file).unwrap().contains("cfg!(test)");
    let files = rust_files(&source());
    let differing: Vec<_> = files.iter().filter(differs).collect();
    assert!(differing.is_empty(), "{differing:?}");
}

/// The only files that may depend on the target system, so that a port has few places to change.
const ASKING_THE_SYSTEM: &[&str] = &[
    "platform.rs",
    "platform/unix.rs",
    "platform/windows.rs",
    // Each system has its own file or module.
    "terminal/events.rs",
    "terminal/events/reader.rs",
    "terminal/signals.rs",
    // The keyring tools of each system.
    "config/keyring.rs",
];

fn asks_the_system(text: &str) -> bool {
    let program = text.split("#[cfg(test)]").next().unwrap_or_default();
    let conditions = program.lines().filter(|line| ["cfg(", "cfg!(", "cfg_attr("].iter().any(|cfg| line.contains(cfg)));
    let mut named = conditions.map(|line| ["unix", "windows", "target_os"].iter().any(|system| line.contains(system)));
    named.any(|named| named) || program.contains("std::os::")
}

#[test]
fn system_specific_code_is_in_few_files() {
    assert!(asks_the_system("#[cfg(unix)]\nfn a() {}") && asks_the_system("if cfg!(windows) {}"));
    assert!(asks_the_system("use std::os::fd::AsFd;") && !asks_the_system("#[cfg(test)]\nuse std::os::fd::AsFd;"));
    let files = rust_files(&source());
    let name = |file: &PathBuf| file.strip_prefix(source()).unwrap().to_string_lossy().into_owned();
    let mut asking: Vec<String> =
        files.iter().filter(|file| asks_the_system(&fs::read_to_string(file).unwrap())).map(name).collect();
    asking.retain(|file| !ASKING_THE_SYSTEM.contains(&file.as_str()));
    assert!(asking.is_empty(), "{asking:?} should leave it to `platform`");
}
