//! Shell completion: flags and commands from the clap definition, profiles from the configuration, and segments from the stored
//! snapshot of the tenant.
//!
//! The user waits for it at each press of tab, in the middle of a line. So it sends no request and runs no command, and if
//! something can't be read, it completes nothing and reports nothing.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::{Arg, Command, CommandFactory, ValueHint};
use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter};
use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, Shell};

use crate::check::{Level, Rule};
use crate::config::{self, Effective, Flags, Paths};
use crate::formats::rows::Encoding;
use crate::printable::{is_printable, printable};
use crate::remote::{BaseUrl, Context, InsecureHttp};
use crate::segment::Segment;
use crate::store;

use super::arguments::{Arguments, CompletionsArguments};
use super::configuration::print;
use super::exit::Exit;
use super::failure::Failure;

/// The environment variable by which the scripts request completions.
const VARIABLE: &str = "SEGTUI_COMPLETE";
const NAME: &str = "segtui";
/// Most segments that are offered.
const MAX_CANDIDATES: usize = 200;

/// Answers a shell's request for completions. Returns `false` if there is none.
pub(super) fn complete_if_requested() -> bool {
    let folder = env::current_dir().ok();
    let completion = CompleteEnv::with_factory(Arguments::command).var(VARIABLE);
    // An error message would end up in the line that is being typed.
    completion.try_complete(env::args_os(), folder.as_deref()).unwrap_or(true)
}

/// Prints the completion script of a shell.
pub(super) fn run(options: &CompletionsArguments) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    if options.r#static {
        clap_complete::generate(options.shell, &mut without_files(Arguments::command()), NAME, &mut script);
    } else {
        let shells = Shells::builtins();
        let failed = |why: &dyn std::fmt::Display| {
            Failure::failed(format_args!("couldn't write the script: {why}")).hint("use --static")
        };
        let completer = shells.completer(name(options.shell)).ok_or_else(|| failed(&"unknown shell"))?;
        completer.write_registration(VARIABLE, NAME, NAME, NAME, &mut script).map_err(|error| failed(&error))?;
    }
    let script = String::from_utf8_lossy(&script);
    print(&if options.shell == Shell::Bash && !options.r#static { rejoined(&script) } else { script.into_owned() })
}

/// Stops a static script from completing files for values that aren't files: it knows only the kinds of values, and takes a value
/// of unknown kind for a file.
fn without_files(command: Command) -> Command {
    let is_unknown = |arg: &Arg| arg.get_action().takes_values() && arg.get_value_hint() == ValueHint::Unknown;
    command
        .mut_args(|arg| if is_unknown(&arg) { arg.value_hint(ValueHint::Other) } else { arg })
        .mut_subcommands(without_files)
}

/// Patches the script for bash to rejoin words: bash splits them at `=` and `:`, which references and sources contain, and
/// replaces only what follows the last one.
fn rejoined(script: &str) -> String {
    script
        .replace(BASH_WORDS, BASH_REJOINED)
        .replace("local _CLAP_COMPLETE_INDEX=${COMP_CWORD}\n", "local _CLAP_COMPLETE_INDEX\n")
        .replace(BASH_FAILED, &format!("{BASH_TRIMMED}{BASH_FAILED}"))
}

const BASH_WORDS: &str = r#"    local words=("${COMP_WORDS[@]}")
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        words[COMP_CWORD]="$2"
    fi
"#;

const BASH_REJOINED: &str = r#"    local words=() line="${COMP_LINE:0:COMP_POINT}" last=-1 at piece word
    for ((at = 0; at <= COMP_CWORD; at++)); do
        piece="${COMP_WORDS[at]}" word="$piece"
        if ((at == COMP_CWORD)) && [[ "$piece" != [=:] ]]; then
            word="$2"
        fi
        if ((last >= 0)) && [[ "$line" != [[:space:]]* ]]; then
            words[last]+="$word"
        else
            words[++last]="$word"
        fi
        line="${line#*"$piece"}"
    done
    local before="${words[last]%"$2"}"
    _CLAP_COMPLETE_INDEX=$last
"#;

const BASH_FAILED: &str = r"    if [[ $? != 0 ]]; then
        unset COMPREPLY
";

const BASH_TRIMMED: &str = r#"    local ended=$?
    COMPREPLY=("${COMPREPLY[@]#"$before"}")
    (exit $ended)
"#;

const fn name(shell: Shell) -> &'static str {
    match shell {
        Shell::Elvish => "elvish",
        Shell::Fish => "fish",
        Shell::PowerShell => "powershell",
        Shell::Zsh => "zsh",
        _ => "bash",
    }
}

/// Completes the profiles of the configuration.
pub(super) fn profiles() -> Vec<CompletionCandidate> {
    let Some(paths) = Paths::of(&environment) else { return Vec::new() };
    let listed = config::list(&typed_flags(&typed_words()), &environment, &paths);
    let profiles = listed.map(|listed| listed.profiles).unwrap_or_default();
    let candidate = |profile: config::KnownProfile| {
        let help = format!("{} at {}", printable(&profile.tenant), profile.host);
        CompletionCandidate::new(profile.name).help(Some(help.into()))
    };
    profiles.into_iter().map(candidate).collect()
}

/// Completes files, and the tenants of profiles, current (`profile:`) and stored (`store:`).
pub(super) fn sources(current: &OsStr) -> Vec<CompletionCandidate> {
    let mut found = PathCompleter::any().stdio().complete(current);
    let typed_text = current.to_string_lossy();
    for kind in ["profile:", "store:"] {
        let tenants = profiles().into_iter().map(|profile| profile.add_prefix(kind));
        found.extend(tenants.filter(|tenant| tenant.get_value().to_string_lossy().starts_with(&*typed_text)));
    }
    found
}

/// Completes the rules of `check`, and the levels of a rule once it is typed in full.
pub(super) fn rules(current: &OsStr) -> Vec<CompletionCandidate> {
    let typed_text = current.to_string_lossy();
    let rules = Rule::ALL.into_iter().flat_map(|rule| {
        let alone = CompletionCandidate::new(rule.name()).help(Some(rule.help().into()));
        let level = move |level: Level| CompletionCandidate::new(format!("{}={}", rule.name(), level.name()));
        let levels = [Level::Off, Level::Warning, Level::Error].map(level);
        if typed_text.contains('=') { levels.into() } else { vec![alone] }
    });
    rules.filter(|rule| rule.get_value().to_string_lossy().starts_with(&*typed_text)).collect()
}

/// Completes the encodings of files.
pub(super) fn encodings() -> Vec<CompletionCandidate> {
    Encoding::ALL.into_iter().map(|encoding| CompletionCandidate::new(encoding.text())).collect()
}

/// Completes the keys by which rows name their segments.
pub(super) fn keys() -> Vec<CompletionCandidate> {
    ["id", "ext", "path"].into_iter().map(CompletionCandidate::new).collect()
}

/// Completes the subcommands of the command typed after `man`.
pub(super) fn commands() -> Vec<CompletionCandidate> {
    let typed_words = typed_words();
    let words = typed_words.iter().skip_while(|word| *word != "man").skip(1);
    let mut command = Arguments::command();
    for word in words {
        if let Some(subcommand) = command.find_subcommand(word) {
            command = subcommand.clone();
        }
    }
    let names = command.get_subcommands().filter(|command| !command.is_hide_set());
    names.map(|command| CompletionCandidate::new(command.get_name())).collect()
}

/// Completes segments by external id and id, or by only one of them after `ext=` or `id=`.
pub(super) fn segments(current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str() else { return Vec::new() };
    let segments = cached_segments(&typed_words()).unwrap_or_default();
    candidates(current, segments.iter().map(AsRef::as_ref))
}

fn candidates<'a>(current: &str, segments: impl Iterator<Item = &'a Segment>) -> Vec<CompletionCandidate> {
    let prefix = ["ext=", "ext:", "id=", "id:"].into_iter().find(|prefix| current.starts_with(prefix)).unwrap_or("");
    let typed_text = &current[prefix.len()..];
    let (by_external_id, by_id) = (!prefix.starts_with("id"), !prefix.starts_with("ext"));
    let mut found: Vec<(u8, String, &Segment)> = Vec::new();
    for segment in segments {
        let external_id = segment.external_id.as_ref().filter(|_| by_external_id).map(ToString::to_string);
        let texts = [(0, external_id), (1, by_id.then(|| segment.id.text().into_owned()))];
        let texts = texts.into_iter().filter_map(|(order, text)| Some((order, text?)));
        found.extend(
            texts
                .filter(|(_, text)| text.starts_with(typed_text) && is_shell_safe(text))
                .map(|(order, text)| (order, text, segment)),
        );
    }
    found.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
    found.dedup_by(|one, other| one.1 == other.1);
    let candidate = |(at, (_, text, segment)): (usize, (u8, String, &Segment))| {
        CompletionCandidate::new(format!("{prefix}{text}"))
            .help(Some(printable(&segment.name).into_owned().into()))
            .display_order(Some(at))
    };
    found.into_iter().take(MAX_CANDIDATES).enumerate().map(candidate).collect()
}

/// Whether a shell takes a text literally: the scripts don't quote.
fn is_shell_safe(text: &str) -> bool {
    is_printable(text) && text.chars().all(|character| character.is_alphanumeric() || "-_./+@%,".contains(character))
}

/// Returns the stored segments of the tenant that the line is about.
fn cached_segments(typed_words: &[String]) -> Option<Vec<std::sync::Arc<Segment>>> {
    let paths = Paths::of(&environment)?;
    let effective = config::effective(&typed_flags(typed_words), &environment, &paths).ok()?;
    let base_url = BaseUrl::parse(text(&effective, "base_url")?, InsecureHttp::Allowed).ok()?;
    let contexts: Vec<Context> = value(&effective, "contexts")
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|name| Context::of_wire_name(name.as_str()?))
        .collect();
    let path = paths.store_file(&base_url, text(&effective, "tenant")?, &contexts);
    Some(store::inspect(&path).ok()??.snapshot?.segments)
}

fn value<'a>(effective: &'a Effective, key: &str) -> Option<&'a toml::Value> {
    effective.settings.iter().find(|setting| setting.key == key)?.value.as_ref()
}

fn text<'a>(effective: &'a Effective, key: &str) -> Option<&'a str> {
    value(effective, key)?.as_str()
}

/// Returns the words of the line so far, which the scripts pass after `--`.
fn typed_words() -> Vec<String> {
    let words = env::args_os().skip_while(|word| word != "--").skip(1);
    words.map(OsString::into_string).map(Result::unwrap_or_default).collect()
}

/// Returns the flags among the words that determine the tenant.
fn typed_flags(typed_words: &[String]) -> Flags {
    let flag = |name: &str| {
        let joined = format!("{name}=");
        let separate = typed_words.iter().position(|word| word == name).and_then(|at| typed_words.get(at + 1)).cloned();
        separate.or_else(|| typed_words.iter().find_map(|word| word.strip_prefix(&joined)).map(str::to_owned))
    };
    let flag = |name: &str| flag(name).filter(|value| !value.is_empty());
    Flags {
        config: flag("--config").map(PathBuf::from),
        profile: flag("--to").or_else(|| flag("--profile")),
        base_url: flag("--base-url"),
        tenant: flag("--tenant"),
        ..Flags::default()
    }
}

fn environment(name: &str) -> Option<String> {
    super::environment(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::SegmentId;

    fn segment(id: &str, external_id: Option<&str>) -> Segment {
        Segment {
            id: SegmentId::new(id).unwrap(),
            name: "Łódź\u{1b}".into(),
            external_id: external_id.map(Into::into),
            parent: None,
        }
    }

    fn completed(current: &str, segments: &[Segment]) -> Vec<String> {
        let candidates = candidates(current, segments.iter());
        candidates.iter().map(|candidate| candidate.get_value().to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn external_ids_come_first_and_a_prefix_selects_one_kind() {
        let segments =
            [segment("b7", Some("PL-2")), segment("P9", Some("PL-1")), segment("c", None), segment("d", Some("PL-1"))];
        assert_eq!(completed("P", &segments), ["PL-1", "PL-2", "P9"]);
        assert_eq!(completed("ext=PL-2", &segments), ["ext=PL-2"]);
        assert_eq!(completed("id=", &segments), ["id=P9", "id=b7", "id=c", "id=d"]);
        assert_eq!(completed("x", &segments), Vec::<String>::new());
    }

    #[test]
    fn text_that_a_shell_would_interpret_is_not_offered() {
        let odd = ["a b", "$(rm)", "a;b", "`x`", "a\u{202e}b", "a'b", "a\nb", "ł-ok"];
        let segments: Vec<Segment> = odd.iter().map(|text| segment("id", Some(text))).collect();
        assert_eq!(completed("ext=", &segments), ["ext=ł-ok"]);
    }

    #[test]
    fn the_number_of_completions_is_limited() {
        let segments: Vec<Segment> = (0..1_000).map(|number| segment(&format!("i{number}"), None)).collect();
        assert_eq!(completed("i", &segments).len(), MAX_CANDIDATES);
    }

    #[test]
    fn the_flags_typed_so_far_select_the_tenant() {
        let typed_words = ["segtui", "--profile", "prod", "get", "--tenant=acme", "--config", ""].map(str::to_owned);
        let flags = typed_flags(&typed_words);
        assert_eq!((flags.profile.as_deref(), flags.tenant.as_deref()), (Some("prod"), Some("acme")));
        assert!(flags.config.is_none() && flags.base_url.is_none());
    }
}
