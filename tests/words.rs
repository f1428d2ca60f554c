//! Plain words: nothing that people read says with a private word what has a usual one.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected is to fail")]

use std::fs;
use std::path::{Path, PathBuf};

/// What is not to be said, and what is said instead.
const RETIRED: &[(&str, &str)] = &[
    ("anew", "again"),
    ("carried out", "applied"),
    ("carry out", "apply, send"),
    ("could not", "couldn't"),
    ("drop all", "discard all"),
    ("gather", "stage"),
    ("given up", "discarded"),
    ("goes on", "continues, resumes"),
    ("held back", "on hold"),
    ("in a circle", "a cycle"),
    ("is no key", "invalid key"),
    ("last run", "last session"),
    ("look again", "review again"),
    ("look first", "review"),
    ("meanwhile", ""),
    ("nothing stands", "no children"),
    ("os error 1", ""),
    ("somebody", "someone"),
    ("stand under", "be a child of"),
    ("stands below", "descendants"),
    ("take back", "undo"),
    ("takes back", "undoes"),
    ("taken back", "undone"),
    ("take one out", "exclude"),
    ("this run", "this session"),
    ("without their parent", "orphans"),
    ("whoever", "anyone who"),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !matches!(name.as_str(), "tests" | "snapshots" | "harness") {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|ending| ending == "rs")
            && !matches!(name.as_str(), "tests.rs" | "harness.rs")
        {
            found.push(path);
        }
    }
}

/// The texts in quotation marks of a source, with their lines; not those of its tests, of attributes and of the log.
fn texts(source: &str) -> Vec<(usize, String)> {
    let end = source.find("#[cfg(test)]\nmod tests").unwrap_or(source.len());
    let mut texts = Vec::new();
    let mut characters = source[..end].char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let line = || source[..at].matches('\n').count() + 1;
        match character {
            '/' if source[at..].starts_with("//") => {
                while characters.next_if(|(_, character)| *character != '\n').is_some() {}
            }
            // A character; a lifetime has no second mark so near.
            '\'' if source[at + 1..].starts_with('\\') || source[at + 1..].chars().nth(1) == Some('\'') => {
                let escaped = characters.next().is_some_and(|(_, character)| character == '\\');
                if escaped {
                    characters.next();
                }
                while characters.next_if(|(_, character)| *character != '\'').is_some() {}
                characters.next();
            }
            '"' => {
                let mut text = String::new();
                while let Some((_, character)) = characters.next() {
                    match character {
                        '"' => break,
                        '\\' => match characters.next() {
                            Some((_, '\n')) => {
                                while characters.next_if(|(_, character)| character.is_whitespace()).is_some() {}
                            }
                            Some((_, escaped)) => text.push(escaped),
                            None => {}
                        },
                        other => text.push(other),
                    }
                }
                let before = source[..at].trim_end();
                let is_attribute = before.ends_with("reason =") || before.ends_with("expect(");
                let is_logged = source[..at].lines().last().is_some_and(|line| line.contains("tracing::"));
                if !is_attribute && !is_logged {
                    texts.push((line(), text));
                }
            }
            _ => {}
        }
    }
    texts
}

fn faults(place: &str, line: usize, text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let said = RETIRED.iter().filter(|(retired, _)| text.contains(retired));
    said.map(|(retired, instead)| format!("{place}:{line}: “{retired}” ({instead}): {text}")).collect()
}

#[test]
fn no_text_for_people_has_a_retired_word() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    assert!(files.len() > 100, "the sources are found");
    let mut found = Vec::new();
    for file in files {
        let source = fs::read_to_string(&file).unwrap();
        let place = file.strip_prefix(root).unwrap().display().to_string();
        for (line, text) in texts(&source) {
            found.extend(faults(&place, line, &text));
        }
        if place.ends_with("cli/arguments.rs") {
            let help = source.lines().enumerate().filter_map(|(at, line)| Some((at, line.trim().strip_prefix("///")?)));
            found.extend(help.flat_map(|(at, line)| faults(&place, at + 1, line)));
        }
    }
    for page in ["README.md", "CHANGELOG.md"] {
        let text = fs::read_to_string(root.join(page)).unwrap();
        found.extend(text.lines().enumerate().flat_map(|(at, line)| faults(page, at + 1, line)));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Words of which a sentence has one or the other by how many there are.
const AGREEING: &[&str] = &[
    "is", "are", "was", "were", "has", "have", "hasn't", "haven't", "its", "their", "it", "them", "this one", "these",
];

#[test]
fn only_numbers_knows_which_words_agree_with_a_number() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !file.ends_with("src/numbers.rs")) {
        let place = file.strip_prefix(root).unwrap().display().to_string();
        for (line, text) in texts(&fs::read_to_string(file).unwrap()) {
            if AGREEING.contains(&text.as_str()) {
                found.push(format!("{place}:{line}: “{text}”: use `numbers::Agreeing`"));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The words between two marks, one after another.
fn between<'t>(text: &'t str, open: &str, close: &str) -> Vec<&'t str> {
    text.split(open).skip(1).filter_map(|rest| rest.split_once(close)).map(|(inside, _)| inside).collect()
}

#[test]
fn each_term_of_the_glossary_is_in_the_file_that_it_names() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let glossary = fs::read_to_string(root.join("docs/glossary.md")).unwrap();
    let entries: Vec<&str> = glossary.split("\n- **").skip(1).collect();
    assert!(entries.len() > 60, "the entries are found");
    let mut found = Vec::new();
    for entry in entries {
        let (term, rest) = entry.split_once("**").unwrap();
        let entry = rest.split("\n\n").next().unwrap().replace("\n  ", " ");
        let named = between(&entry, "[", "]").join(" ");
        let files: Vec<&str> = named.split([' ', ',', ';']).filter(|word| word.starts_with("src/")).collect();
        let sources: Vec<String> = files.iter().filter_map(|file| fs::read_to_string(root.join(file)).ok()).collect();
        if sources.len() != files.len() {
            found.push(format!("{term}: not all of {files:?} exist"));
        }
        // What stands right behind the term, in brackets.
        let types =
            entry.trim_start().strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or("", |(types, _)| types);
        for path in types.split('`').skip(1).step_by(2) {
            let name = path.rsplit("::").next().unwrap();
            if !files.is_empty() && !sources.iter().any(|source| source.contains(name)) {
                found.push(format!("{term}: `{path}` is not in {files:?}"));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn texts_are_read_past_comments_characters_and_broken_lines() {
    let source = "// \"no\"\nlet a = '\"'; let b = '\\''; f(\"one \\\n    two\", \"th\\\"ree\");\n#[expect(x, reason = \"no\")]\n";
    assert_eq!(texts(source), [(2, "one two".into()), (3, "th\"ree".into())]);
    assert_eq!(faults("x", 1, "Nothing was Gathered").len(), 1);
}
