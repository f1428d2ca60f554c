//! Hostile servers, one kind of response at a time: the screen stays alive, `q` ends the program, memory and requests
//! stay bounded, and failures are reported.

mod server;

use std::fs;
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::pty::Pty;
use server::{Answer, Asked, Rule, serve};

const KEY: &str = "first-half=of+it&x:second-half/of";
/// How long each kind is observed.
const OBSERVED: Duration = Duration::from_secs(4);
/// The same for each response to one call, where what matters is how it is handled.
const OBSERVED_SHORTLY: Duration = Duration::from_secs(2);
/// More than the first seconds of a healthy start take, spread over that time.
const MOST_REQUESTS: usize = 20 * 4 + 60;
const MOST_MEMORY: usize = 300 * 1024;

/// A kind of server: its name, its response, `None` for a healthy server's, and the texts that must appear on the
/// screen.
type Kind = (&'static str, fn(Asked) -> Option<Answer>, &'static [&'static str]);

/// A call of the API: its name, the requests that are meant, the keys that cause it, and how a sentence about it
/// begins.
type Call = (&'static str, fn(Asked) -> bool, &'static str, &'static str);

const CALLS: &[Call] = &[
    ("a page", page, "", "load page"),
    ("the feed", feed, "", "fetch changes"),
    ("a segment", |asked| asked == Asked::One, "", "fetch segment a"),
    ("a create", |asked| asked == Asked::Create, "ANeu\r", "create Neu"),
    ("a change", |asked| asked == Asked::Change, "rx\r", "rename Alfa"),
    ("a deletion", |asked| asked == Asked::Delete, "d\r", "delete Alfa"),
];

/// A response that may be given to each call, with its name.
type Given = (&'static str, fn() -> Answer);

const ECHO: &str = r#"{"message":"first-half\u003dof\u002Bit\u0026x:second-half\/of"}"#;

const ANSWERS: &[Given] = &[
    ("silence", || Answer::Silence),
    ("a closed connection", || Answer::Hangup),
    ("half an answer", || Answer::Half(r#"[{"id":"a","name":"Alfa"},"#)),
    ("a byte now and then", || Answer::Drip(r#"[{"id":"a","name":"Alfa"},{"id":"b","name":"Beta"}]"#)),
    ("202", || plain(202, "", "")),
    ("204", || plain(204, "", "")),
    ("301", || plain(301, "location: https://elsewhere.example/\r\n", "")),
    ("401", || plain(401, "", "no such key")),
    ("403 in HTML", || plain(403, "", "<h1>no</h1>")),
    ("404", || plain(404, "", "")),
    ("408", || plain(408, "", "")),
    ("409", || plain(409, "", "taken")),
    ("429 for ever", || plain(429, "retry-after: 9223372036854775807\r\n", "")),
    ("500 with the key", || plain(500, "", ECHO)),
    ("503 until the year 9999", || plain(503, "retry-after: Fri, 24 Dec 9999 23:59:59 GMT\r\n", "")),
    ("nothing at all", || plain(200, "", "")),
    ("null", || plain(200, "", "null")),
    ("a login page", || plain(200, "", "<html>log in</html>")),
    ("no UTF-8", || Answer::Plain(200, "", b"[{\"id\":\"a\",\"name\":\"\xff\xfe\"}".to_vec())),
    ("a gzip bomb", || Answer::Plain(200, "content-encoding: gzip\r\n", bomb())),
    ("500 MB", || Answer::Endless(b"[{\"id\":\"a\"},", 500 << 20)),
    ("nested without end", || Answer::Plain(200, "", b"[".repeat(3_000_000))),
    ("tiny objects without end", || Answer::Plain(200, "", b"[{},[],{},[],".repeat(300_000))),
];

/// The text that must appear when a response is given to a call: a sentence about the call, or its outcome.
fn seen(given: &str, call: &str, sentence: &'static str) -> Vec<&'static str> {
    const NOT_CHANGED: &str = "the server kept name Alfa";
    const NOT_DELETED: &str = "Couldn't delete Alfa: the server reported success, but nothing has changed";
    let refused = given.starts_with(['3', '4']) || given.starts_with("50") && !given.ends_with("MB");
    vec![match (given, call) {
        ("silence" | "a byte now and then", _) => "no response for",
        ("404", "a segment") => "Alfa was deleted",
        ("404", "a deletion") => NOT_DELETED,
        // A feed may report like this that nothing has happened.
        ("202" | "204" | "nothing at all" | "null", "the feed") => "● live",
        // The bodies of these responses are undocumented, so the program verifies the outcome.
        (_, "a change") if !refused && given != "a closed connection" => NOT_CHANGED,
        (_, "a deletion") if !refused && given != "a closed connection" => NOT_DELETED,
        _ => sentence,
    }]
}

fn plain(status: u16, headers: &'static str, body: &str) -> Answer {
    Answer::Plain(status, headers, body.into())
}

/// Many blanks, which compress well.
fn bomb() -> Vec<u8> {
    static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        let blanks = vec![b' '; 1 << 20];
        for _ in 0..512 {
            packed.write_all(&blanks).unwrap();
        }
        packed.finish().unwrap()
    });
    BOMB.clone()
}

#[expect(clippy::unnecessary_wraps, reason = "it is what a kind answers")]
fn json(text: impl Into<Vec<u8>>) -> Option<Answer> {
    Some(Answer::Plain(200, "", text.into()))
}

#[expect(clippy::unnecessary_wraps, reason = "it is what a kind answers")]
fn status(status: u16, headers: &'static str, body: &str) -> Option<Answer> {
    Some(Answer::Plain(status, headers, body.into()))
}

const fn page(asked: Asked) -> bool {
    matches!(asked, Asked::Page(_))
}

const fn feed(asked: Asked) -> bool {
    matches!(asked, Asked::Feed(_))
}

const KINDS: &[Kind] = &[
    ("nothing is answered to a page", |asked| page(asked).then_some(Answer::Silence), &["no response for"]),
    ("nothing is answered to the feed", |asked| feed(asked).then_some(Answer::Silence), &["no response for"]),
    ("every connection is closed", |_| Some(Answer::Hangup), &["fetch changes", "offline"]),
    ("a page is empty text", |asked| page(asked).then(|| json("")).flatten(), &["load page"]),
    ("a page is null", |asked| page(asked).then(|| json("null")).flatten(), &["load page"]),
    ("a page is a login page", |asked| page(asked).then(|| json("<html>log in</html>")).flatten(), &["load page"]),
    ("the key is refused", |_| status(401, "", "no such key"), &["fetch changes"]),
    (
        "a page is refused with HTML",
        |asked| page(asked).then(|| status(403, "", "<h1>no</h1>")).flatten(),
        &["load page"],
    ),
    (
        "a page is to wait for ever",
        |asked| page(asked).then(|| status(429, "Retry-After: 9223372036854775807\r\n", "")).flatten(),
        &["load page"],
    ),
    (
        "the feed is to wait until the year 9999",
        |asked| feed(asked).then(|| status(503, "Retry-After: Fri, 24 Dec 9999 23:59:59 GMT\r\n", "")).flatten(),
        &["fetch changes"],
    ),
    (
        "the key is echoed with escapes",
        |asked| {
            page(asked)
                .then(|| status(400, "", r#"{"message":"first-half\u003dof\u002Bit\u0026x:second-half\/of"}"#))
                .flatten()
        },
        &["[API key]"],
    ),
    (
        "a page of 500 MB",
        |asked| page(asked).then_some(Answer::Endless(b"[{\"id\":\"a\"},", 500 << 20)),
        &["load page"],
    ),
    ("a feed of 500 MB", |asked| feed(asked).then_some(Answer::Endless(b"          ", 500 << 20)), &["fetch changes"]),
    ("a page nested without end", |asked| page(asked).then(|| json("[".repeat(3_000_000))).flatten(), &["load page"]),
    (
        "a name with a million marks",
        |asked| match asked {
            Asked::Page(1) => {
                json(format!(r#"[{{"id":"a","name":"Alfa"}},{{"id":"b","name":"B{}"}}]"#, "\u{301}".repeat(1_000_000)))
            }
            _ => None,
        },
        &["Alfa"],
    ),
    (
        "half a surrogate pair after a byte order mark",
        |asked| match asked {
            Asked::Page(1) => json("\u{feff}[{\"id\":\"a\",\"name\":\"Alfa \\ud800\"}]"),
            _ => None,
        },
        &["Alfa", "live"],
    ),
    (
        "a feed that always advances",
        |asked| match asked {
            Asked::Feed(step) => json(format!(r#"{{"nextId":{},"events":[]}}"#, step + 1_000)),
            _ => None,
        },
        &["Alfa"],
    ),
    (
        "a feed that always advances and names what is not there",
        |asked| match asked {
            Asked::Feed(step) => {
                json(format!(r#"{{"nextId":{0},"events":[{{"segmentId":"x{0}","type":"UPDATE"}}]}}"#, step + 1_000))
            }
            Asked::One => status(404, "", ""),
            _ => None,
        },
        &["Alfa"],
    ),
    (
        "a segment that is always another one",
        |asked| match asked {
            Asked::Feed(step) => {
                json(format!(r#"{{"nextId":{},"events":[{{"segmentId":"a","type":"UPDATE"}}]}}"#, step + 1_000))
            }
            Asked::One => json(r#"{"id":"z","name":"Other"}"#),
            _ => None,
        },
        &["Alfa", "couldn't fetch segment a"],
    ),
    (
        "pages without an end that repeat each other",
        |asked| match asked {
            Asked::Page(number) => {
                let entries: Vec<String> =
                    (0..500).map(|at| format!(r#"{{"id":"{}","name":"Alfa"}}"#, (at * 7 + number) % 700)).collect();
                json(format!("[{}]", entries.join(",")))
            }
            _ => None,
        },
        &["only repeats earlier ones"],
    ),
];

/// The text on the screen: its lines, and then those of the right panes joined.
fn told(pty: &Pty) -> String {
    let lines = pty.lines();
    let right = lines.iter().filter_map(|line| line.rsplit_once(['│', '├'])).map(|(_, right)| right.trim());
    format!("{}\n{}", lines.join("\n"), right.collect::<Vec<_>>().join(" "))
}

/// A server's rule, the keys to type, and the texts that must appear then.
struct Case {
    name: String,
    rule: Rule,
    keys: &'static str,
    seen: Vec<&'static str>,
    observed: Duration,
}

/// Observes the program at work with such a server, and returns what is wrong as the error.
fn observe(case: &Case) -> Result<(), String> {
    let (url, count) = serve(Arc::clone(&case.rule));
    let environment =
        [("SEGTUI_BASE_URL", url), ("SEGTUI_TENANT", "acme".to_owned()), ("SEGTUI_API_KEY", KEY.to_owned())];
    let began = Instant::now();
    let mut pty = Pty::start(100, 30, &["--no-store", "--poll", "0.2"], &environment);
    let wrong = |what: String| Err(format!("{}: {what}", case.name));
    if !case.keys.is_empty() {
        pty.wait_for("● live");
        pty.type_text(case.keys);
    }
    for text in &case.seen {
        // Overdue responses and failed retries are reported only after some seconds.
        let until = Instant::now() + Duration::from_secs(25);
        while !told(&pty).contains(text) {
            if Instant::now() > until {
                return wrong(format!("“{text}” is not to be seen:\n{}", pty.lines().join("\n")));
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
    thread::sleep(case.observed.saturating_sub(began.elapsed()));
    let (asked, watched) = (count.load(Ordering::SeqCst), began.elapsed());
    let seconds = usize::try_from(watched.as_secs() + 1).unwrap();
    if asked > MOST_REQUESTS.max(20 * seconds) {
        return wrong(format!("{asked} requests in {watched:?}"));
    }
    let status = fs::read_to_string(format!("/proc/{}/status", pty.process_id())).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let peak: usize = peak.trim().trim_end_matches(" kB").parse().unwrap_or(0);
    if peak > MOST_MEMORY {
        return wrong(format!("{} MB of memory", peak / 1024));
    }
    let shown = pty.lines().join("\n");
    if shown.contains("second-half") || shown.contains("first-half") {
        return wrong(format!("the key is on the screen:\n{shown}"));
    }
    pty.type_text("?");
    pty.wait_for("Moving");
    pty.type_text("\x1b");
    pty.wait_gone("Moving");
    let left = Instant::now();
    pty.type_text("q");
    // Pending changes are asked about first.
    while pty.exited().is_none() && left.elapsed() < Duration::from_secs(5) {
        if pty.contains("Quit?") {
            pty.type_text("q");
        }
        thread::sleep(Duration::from_millis(50));
    }
    match pty.exited() {
        Some(0) => Ok(()),
        code => wrong(format!("it ends with {code:?} after {:?}:\n{}", left.elapsed(), pty.lines().join("\n"))),
    }
}

/// The kinds, which concern several calls, and each response to each call.
fn cases() -> Vec<Case> {
    let kinds = KINDS.iter().map(|&(name, answer, seen)| Case {
        name: name.to_owned(),
        rule: Arc::new(answer),
        keys: "",
        seen: seen.to_vec(),
        observed: OBSERVED,
    });
    let on_each_call = CALLS.iter().flat_map(|&(call, is_it, keys, sentence)| {
        ANSWERS.iter().map(move |&(given, answer)| Case {
            name: format!("{given} to {call}"),
            rule: Arc::new(move |asked| is_it(asked).then(answer)),
            keys,
            seen: seen(given, call, sentence),
            observed: OBSERVED_SHORTLY,
        })
    });
    kinds.chain(on_each_call).collect()
}

#[test]
fn the_program_survives_hostile_servers_and_reports_failures() {
    const AT_ONCE: usize = 24;
    let cases = cases();
    let next = AtomicUsize::new(0);
    let wrong: Vec<String> = thread::scope(|scope| {
        let observers: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                scope.spawn(|| {
                    let mut wrong = Vec::new();
                    while let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                        wrong.extend(observe(case).err());
                    }
                    wrong
                })
            })
            .collect();
        observers.into_iter().flat_map(|observer| observer.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
