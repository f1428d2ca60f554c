//! User-visible texts use common words, not retired private ones.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected is to fail")]

use std::fs;
use std::path::{Path, PathBuf};

/// Retired phrases, each with what to say instead.
const RETIRED: &[(&str, &str)] = &[
    ("a name is expected", "expected a name"),
    ("all the same", "anyway"),
    ("an address is expected", "expected a URL"),
    ("anew", "again"),
    ("as started", "startup settings"),
    ("at leisure", ""),
    ("came about", "happened"),
    ("carried out", "applied"),
    ("carry out", "apply, send"),
    ("come about", "happen"),
    ("comes to nothing", ""),
    ("could not", "couldn't"),
    ("counted up to", "not counted above"),
    ("does nothing here", "is not bound"),
    ("drop all", "discard all"),
    ("drop it", "discard it"),
    ("drops it", "discards it"),
    ("drops the", "discards the"),
    ("esc leave", "esc cancel, esc close"),
    ("esc stay", "esc cancel"),
    ("garbled", "invalid"),
    ("gather", "stage"),
    ("give up", "discard, cancel"),
    ("given up", "discarded, cancelled"),
    ("gives up", "discards, cancels"),
    ("goes on", "continues, resumes"),
    ("held back", "on hold"),
    ("in a circle", "a cycle"),
    ("in vain", "no matches"),
    ("is called so", "no matching …"),
    ("is no action", "unknown, invalid"),
    ("is no bookmark", "no bookmark x"),
    ("is no colour", "invalid colour"),
    ("is no context", "unknown context"),
    ("is no key", "invalid key"),
    ("is no place", "is not a placeholder"),
    ("is no table", "is not a table"),
    ("is no theme", "unknown theme"),
    ("is there already", "is already here"),
    ("is told", "is shown, is reported"),
    ("is to be", ""),
    ("is to stand", "new parent"),
    ("it can't be asked for", "invalid request"),
    ("last run", "last session"),
    ("look again", "review again"),
    ("look at the plan", "review"),
    ("look first", "review"),
    ("makes no sense", "unexpected, invalid"),
    ("meanwhile", ""),
    ("no action is", "no matching command"),
    ("no connection to the server", "server unreachable"),
    ("not done again", "couldn't redo"),
    ("not undone", "couldn't undo"),
    ("nothing stands", "no children"),
    ("nothing was asked", "no requests yet"),
    ("nought", "0"),
    ("on the way", "sending"),
    ("os error 1", ""),
    ("put off", "postponed"),
    ("retyped", "edited"),
    ("sets back", "reverts"),
    ("settled", "resolved"),
    ("somebody", "someone"),
    ("stand below", "descendants"),
    ("stand under", "be a child of"),
    ("stands below", "descendants"),
    ("stands under", "is a child of"),
    ("take back", "undo"),
    ("taken back", "undone"),
    ("taken out", "excluded"),
    ("take one out", "exclude"),
    ("takes back", "undoes"),
    ("tells the", "shows the"),
    ("the server kept the", "the server kept name"),
    ("there now", "on the server"),
    ("this run", "this session"),
    ("too late and was", ""),
    ("was not renamed", "couldn't rename"),
    ("what is told", ""),
    ("which profile?", "no profile selected"),
    ("whoever", "anyone who"),
    ("without a word", "no output"),
    ("without their parent", "orphans"),
    ("you saw", "before"),
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

/// The string literals of a source with their lines, except those of its unit tests, of attributes and of the log.
fn texts(source: &str) -> Vec<(usize, String)> {
    let end = source.find("#[cfg(test)]\nmod tests {").unwrap_or(source.len());
    let mut texts = Vec::new();
    let mut characters = source[..end].char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let line = || source[..at].matches('\n').count() + 1;
        match character {
            '/' if source[at..].starts_with("//") => {
                while characters.next_if(|(_, character)| *character != '\n').is_some() {}
            }
            // A character literal; a lifetime has no second quote this close.
            '\'' if source[at + 1..].starts_with('\\') || source[at + 1..].chars().nth(1) == Some('\'') => {
                let escaped = characters.next().is_some_and(|(_, character)| character == '\\');
                if escaped {
                    characters.next();
                }
                while characters.next_if(|(_, character)| *character != '\'').is_some() {}
                characters.next();
            }
            'r' if is_raw(&source[..at], &source[at + 1..]) => {
                let marks = source[at + 1..].chars().take_while(|mark| *mark == '#').count();
                let begin = at + marks + 2;
                let end =
                    source[begin..].find(&format!("\"{}", "#".repeat(marks))).map_or(source.len(), |end| begin + end);
                texts.push((line(), source[begin..end].to_owned()));
                while characters.next_if(|(at, _)| *at < end + marks + 1).is_some() {}
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

/// Whether an `r` begins a raw string: a quote follows it, and it isn't the end of a word.
fn is_raw(before: &str, after: &str) -> bool {
    let is_word = before.chars().next_back().is_some_and(|last| last.is_alphanumeric() || last == '_');
    !is_word && after.trim_start_matches('#').starts_with('"')
}

/// The doc comments of files that derive clap's traits: the command line shows them as its help.
fn help(source: &str) -> Vec<(usize, &str)> {
    let derives = |line: &str| {
        line.contains("derive(") && ["Parser", "Args", "Subcommand", "ValueEnum"].iter().any(|name| line.contains(name))
    };
    if !source.lines().any(derives) {
        return Vec::new();
    }
    let lines = source.lines().enumerate();
    lines.filter_map(|(at, line)| Some((at + 1, line.trim().strip_prefix("///")?))).collect()
}

/// Each line with the first words of the next one, since a phrase may wrap anywhere.
fn overlapping<'a>(lines: impl Iterator<Item = (usize, &'a str)>) -> Vec<(usize, String)> {
    let lines: Vec<_> = lines.collect();
    let next =
        |at: usize| lines.get(at + 1).map(|(_, next)| next.split_whitespace().take(4).collect::<Vec<_>>().join(" "));
    let joined = |(at, (line, text)): (usize, &(usize, &str))| {
        (*line, format!("{} {}", text.trim(), next(at).unwrap_or_default()))
    };
    lines.iter().enumerate().map(joined).collect()
}

/// The snapshots of drawn screens, where sentences are assembled from pieces.
fn pictures(root: &Path) -> Vec<PathBuf> {
    let folder = fs::read_dir(root.join("src/ui/tests/snapshots")).unwrap().map(|entry| entry.unwrap().path());
    folder.filter(|file| file.extension().is_some_and(|ending| ending == "snap")).collect()
}

/// The pages that users read, and the manifest.
fn pages(root: &Path) -> Vec<PathBuf> {
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let named =
        ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "Cargo.toml"].map(|page| root.join(page));
    named.into_iter().chain(docs).collect()
}

fn faults(place: &str, line: usize, text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let matches = RETIRED.iter().filter(|(retired, _)| text.contains(retired));
    matches.map(|(retired, instead)| format!("{place}:{line}: “{retired}” ({instead}): {text}")).collect()
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
        let help = overlapping(help(&source).into_iter());
        found.extend(help.into_iter().flat_map(|(line, text)| faults(&place, line, &text)));
    }
    for page in pages(root).into_iter().chain(pictures(root)) {
        let text = fs::read_to_string(&page).unwrap();
        let place = page.strip_prefix(root).unwrap().display().to_string();
        let lines = overlapping(text.lines().enumerate().map(|(at, line)| (at + 1, line)));
        found.extend(lines.into_iter().flat_map(|(line, text)| faults(&place, line, &text)));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Retired phrases that comments don't use either.
const RETIRED_IN_COMMENTS: &[&str] = &[
    "all the same",
    "anew",
    "carried out",
    "gathered",
    "in a circle",
    "in vain",
    "is told",
    "somebody",
    "stand below",
    "stands below",
    "taken back",
    "what is told",
    "without their parent",
];

/// All Rust files, tests included.
fn all_rust_files(root: &Path) -> Vec<PathBuf> {
    fn below(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                below(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    for folder in ["src", "tests", "benches"] {
        below(&root.join(folder), &mut found);
    }
    assert!(found.len() > 300, "the files are found");
    found
}

#[test]
fn comments_have_no_retired_word() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for file in all_rust_files(root) {
        let source = fs::read_to_string(&file).unwrap();
        let comments = source.lines().enumerate().filter_map(|(at, line)| Some((at, line.trim().strip_prefix("//")?)));
        for (line, text) in overlapping(comments) {
            let text = text.to_lowercase();
            let retired = RETIRED_IN_COMMENTS.iter().filter(|retired| text.contains(*retired));
            found.extend(retired.map(|retired| format!("{}:{}: “{retired}”", file.display(), line + 1)));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn test_names_are_short() {
    const MAX_NAME_LEN: usize = 60;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut count, mut found) = (0, Vec::new());
    for file in all_rust_files(root) {
        let source = fs::read_to_string(&file).unwrap();
        let tests = source.split("test]\n").skip(1).filter_map(|rest| rest.split_once("fn ")?.1.split('(').next());
        for name in tests {
            count += 1;
            if name.len() > MAX_NAME_LEN {
                found.push(format!("{}: {name}", file.display()));
            }
        }
    }
    assert!(count > 1_000, "the tests are found");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Words whose choice depends on a number.
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

/// Calls that take a sentence for the user: a message, an activity entry, a reason.
const MESSAGE_CALLS: &[&str] = &["inform(", "warn(", "inform_about(", "warn_about(", "activity.add(", "Err("];

/// Files that are tables of displayed text: the keys of dialogs, the commands with an argument, other names of
/// commands.
const TABLES: &[&str] = &["src/app/dialogs/keys.rs", "src/app/dialogs/palette.rs", "src/app/named_commands.rs"];

/// Labels of more than one word, each shown next to its value.
const LABELS: &[&str] =
    &["By depth", "External ID", "Largest children", "Last changes", "Managed by", "Request body", "Response body"];

/// The beginning of a source up to the bracket that closes one opened before it.
fn in_brackets(source: &str) -> &str {
    let (mut depth, mut is_text, mut is_escaped) = (1, false, false);
    for (at, character) in source.char_indices() {
        let is_quoted = source[..at].ends_with('\'') && source[at..].chars().nth(1) == Some('\'');
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_text => is_escaped = true,
            '"' if !is_quoted => is_text = !is_text,
            '(' if !is_text && !is_quoted => depth += 1,
            ')' if !is_text && !is_quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &source[..at];
        }
    }
    source
}

/// Whether a text has two words in a row outside its placeholders.
fn is_sentence(text: &str) -> bool {
    let filled = text.split('{').map(|piece| piece.split_once('}').map_or(piece, |(_, rest)| rest));
    // A time format begins with `%`.
    let is_word = |word: &str| !word.starts_with('%') && word.chars().filter(|c| c.is_alphabetic()).count() > 1;
    filled.into_iter().any(|piece| {
        let words: Vec<&str> = piece.split(' ').collect();
        words.windows(2).any(|pair| pair.iter().all(|word| is_word(word)))
    })
}

/// The sentences that a source of the interface contains, each with its line: string literals in the calls of `MESSAGE_CALLS`,
/// and any other text of several words except error messages and labels.
fn own_sentences(source: &str) -> Vec<(usize, String)> {
    let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let mut found = Vec::new();
    for call in MESSAGE_CALLS {
        for (at, _) in code.match_indices(call) {
            let is_longer = code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
            let is_comment = code[..at].lines().next_back().is_some_and(|line| line.contains("//"));
            if is_longer || is_comment {
                continue;
            }
            let sentences = texts(in_brackets(&code[at + call.len()..])).into_iter().map(|(_, text)| text);
            let line = code[..at].matches('\n').count() + 1;
            found.extend(sentences.filter(|text| text.contains(char::is_alphabetic)).map(|text| (line, text)));
        }
    }
    let lines: Vec<&str> = code.lines().collect();
    let is_error = |line: usize| lines[line - 1].trim_start().starts_with("#[error(");
    let others = texts(code).into_iter().filter(|(line, text)| is_sentence(text) && !is_error(*line));
    found.extend(others.filter(|(_, text)| !LABELS.contains(&text.as_str())));
    found.sort();
    found.dedup();
    found
}

/// The sources of the interface that must not contain sentences.
fn sentence_free_sources(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    sources(&root.join("src/app"), &mut files);
    files.retain(|file| !file.ends_with("words.rs") && !TABLES.iter().any(|table| file.ends_with(table)));
    files
}

#[test]
fn the_interface_keeps_its_sentences_in_its_words_modules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = sentence_free_sources(root);
    assert!(files.len() > 60, "the sources are found");
    let mut found = Vec::new();
    for file in files {
        let place = file.strip_prefix(root).unwrap().display().to_string();
        for (line, text) in own_sentences(&fs::read_to_string(&file).unwrap()) {
            found.push(format!("{place}:{line}: “{text}”: belongs into words.rs of its part"));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_planted_sentence_is_found_in_every_source() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let planted = [
        "state.inform(\"Done\");",
        "state.warn(format!(\"{name}: {}\", (1)));",
        "state.warn_about(Topic::Of(')'), \"Failed\");",
        "state.side.activity.add(\n    now, kind, None, \"Lost\".to_owned());",
        "return Err(\"Nothing\".into());",
        "let text = format!(\"{count} were lost\");",
        "let title = Title { imperative: \"delete it\".into(), done, failed };",
    ];
    for file in sentence_free_sources(root) {
        let source = fs::read_to_string(&file).unwrap();
        for line in planted {
            // At the front, since reading stops at the test module.
            let with = format!("fn planted() {{ {line} }}\n{source}");
            let found = own_sentences(&with).len();
            assert!(found > own_sentences(&source).len(), "{}: {line}", file.display());
        }
    }
    let fine = "state.warn(words::none(\"/\"));\n// Err(\"no\")\n#[error(\"not so\")]\nlet a = (\"{a} · {b}\", \"External ID\");";
    assert_eq!(own_sentences(fine), []);
    assert!(is_sentence("{count} were lost") && !is_sentence("{} · {host}") && !is_sentence("  {at}  {}"));
}

/// The texts between pairs of marks, in order.
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
        // The types in brackets right after the term.
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

#[test]
fn raw_texts_and_the_help_of_every_command_are_read() {
    let source = "let a = r#\"the \"first\" one\"#; let for_r = b; let c = r\"two\"; let d = \"three\";";
    assert_eq!(texts(source), [(1, "the \"first\" one".into()), (1, "two".into()), (1, "three".into())]);
    let source = "/// Not shown.\nstruct A;\n";
    assert_eq!(help(source), []);
    let source = "/// Shown.\n#[derive(Debug, clap::Args)]\nstruct A;\n";
    assert_eq!(help(source), [(1, " Shown.")]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = fs::read_to_string(root.join("src/cli/arguments/reading.rs")).unwrap();
    assert!(help(&source).len() > 10, "the help of the commands that read is there");
    assert!(pages(root).len() > 6 && pictures(root).len() > 100);
    let broken = overlapping("it was carried\n  out at once".lines().enumerate());
    assert_eq!(faults("x", broken[0].0, &broken[0].1).len(), 1);
}
