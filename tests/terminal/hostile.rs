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
use server::{ApiRequest, Rule, ServerResponse, serve};

const KEY: &str = "first-half=of+it&x:second-half/of";
/// How long each kind is observed.
const OBSERVATION_TIME: Duration = Duration::from_secs(4);
/// The same for each response to one call, where what matters is how it is handled.
const SHORT_OBSERVATION_TIME: Duration = Duration::from_secs(2);
/// More than the first seconds of a healthy start take, spread over that time.
const MAX_REQUESTS: usize = 20 * 4 + 60;
const MAX_MEMORY_KB: usize = 300 * 1024;

/// A kind of server: its name, its response, `None` for a healthy server's, and the texts that must appear on the
/// screen.
type Kind = (&'static str, fn(ApiRequest) -> Option<ServerResponse>, &'static [&'static str]);

/// A call of the API: its name, the requests that are meant, the keys that cause it, and how a sentence about it
/// begins.
type Call = (&'static str, fn(ApiRequest) -> bool, &'static str, &'static str);

const CALLS: &[Call] = &[
    ("a page", page, "", "load page"),
    ("the feed", feed, "", "fetch changes"),
    ("a segment", |request| request == ApiRequest::One, "", "fetch segment a"),
    ("a create", |request| request == ApiRequest::Create, "ANeu\r", "create Neu"),
    ("a change", |request| request == ApiRequest::Change, "rx\r", "rename Alfa"),
    ("a deletion", |request| request == ApiRequest::Delete, "d\r", "delete Alfa"),
];

/// A response that may be given to each call, with its name.
type NamedResponse = (&'static str, fn() -> ServerResponse);

const ECHO: &str = r#"{"message":"first-half\u003dof\u002Bit\u0026x:second-half\/of"}"#;

const RESPONSES: &[NamedResponse] = &[
    ("silence", || ServerResponse::Silence),
    ("a closed connection", || ServerResponse::Hangup),
    ("half an answer", || ServerResponse::Half(r#"[{"id":"a","name":"Alfa"},"#)),
    ("a byte now and then", || ServerResponse::Drip(r#"[{"id":"a","name":"Alfa"},{"id":"b","name":"Beta"}]"#)),
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
    ("no UTF-8", || ServerResponse::Plain(200, "", b"[{\"id\":\"a\",\"name\":\"\xff\xfe\"}".to_vec())),
    ("a gzip bomb", || ServerResponse::Plain(200, "content-encoding: gzip\r\n", bomb())),
    ("500 MB", || ServerResponse::Endless(b"[{\"id\":\"a\"},", 500 << 20)),
    ("nested without end", || ServerResponse::Plain(200, "", b"[".repeat(3_000_000))),
    ("tiny objects without end", || ServerResponse::Plain(200, "", b"[{},[],{},[],".repeat(300_000))),
];

/// The text that must appear when a response is given to a call: a sentence about the call, or its outcome.
fn expected_texts(response_name: &str, call: &str, sentence: &'static str) -> Vec<&'static str> {
    const NOT_CHANGED: &str = "the server kept name Alfa";
    const NOT_DELETED: &str = "Couldn't delete Alfa: the server reported success, but nothing has changed";
    let refused =
        response_name.starts_with(['3', '4']) || response_name.starts_with("50") && !response_name.ends_with("MB");
    vec![match (response_name, call) {
        ("silence" | "a byte now and then", _) => "no response for",
        ("404", "a segment") => "Alfa was deleted",
        ("404", "a deletion") => NOT_DELETED,
        // A feed may report like this that nothing has happened.
        ("202" | "204" | "nothing at all" | "null", "the feed") => "● live",
        // The bodies of these responses are undocumented, so the program verifies the outcome.
        (_, "a change") if !refused && response_name != "a closed connection" => NOT_CHANGED,
        (_, "a deletion") if !refused && response_name != "a closed connection" => NOT_DELETED,
        _ => sentence,
    }]
}

fn plain(status: u16, headers: &'static str, body: &str) -> ServerResponse {
    ServerResponse::Plain(status, headers, body.into())
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
fn json(text: impl Into<Vec<u8>>) -> Option<ServerResponse> {
    Some(ServerResponse::Plain(200, "", text.into()))
}

#[expect(clippy::unnecessary_wraps, reason = "it is what a kind answers")]
fn status(status: u16, headers: &'static str, body: &str) -> Option<ServerResponse> {
    Some(ServerResponse::Plain(status, headers, body.into()))
}

const fn page(request: ApiRequest) -> bool {
    matches!(request, ApiRequest::Page(_))
}

const fn feed(request: ApiRequest) -> bool {
    matches!(request, ApiRequest::Feed(_))
}

const KINDS: &[Kind] = &[
    ("nothing is answered to a page", |request| page(request).then_some(ServerResponse::Silence), &["no response for"]),
    (
        "nothing is answered to the feed",
        |request| feed(request).then_some(ServerResponse::Silence),
        &["no response for"],
    ),
    ("every connection is closed", |_| Some(ServerResponse::Hangup), &["fetch changes", "offline"]),
    ("a page is empty text", |request| page(request).then(|| json("")).flatten(), &["load page"]),
    ("a page is null", |request| page(request).then(|| json("null")).flatten(), &["load page"]),
    ("a page is a login page", |request| page(request).then(|| json("<html>log in</html>")).flatten(), &["load page"]),
    ("the key is refused", |_| status(401, "", "no such key"), &["fetch changes"]),
    (
        "a page is refused with HTML",
        |request| page(request).then(|| status(403, "", "<h1>no</h1>")).flatten(),
        &["load page"],
    ),
    (
        "a page is to wait for ever",
        |request| page(request).then(|| status(429, "Retry-After: 9223372036854775807\r\n", "")).flatten(),
        &["load page"],
    ),
    (
        "the feed is to wait until the year 9999",
        |request| feed(request).then(|| status(503, "Retry-After: Fri, 24 Dec 9999 23:59:59 GMT\r\n", "")).flatten(),
        &["fetch changes"],
    ),
    (
        "the key is echoed with escapes",
        |request| {
            page(request)
                .then(|| status(400, "", r#"{"message":"first-half\u003dof\u002Bit\u0026x:second-half\/of"}"#))
                .flatten()
        },
        &["[API key]"],
    ),
    (
        "a page of 500 MB",
        |request| page(request).then_some(ServerResponse::Endless(b"[{\"id\":\"a\"},", 500 << 20)),
        &["load page"],
    ),
    (
        "a feed of 500 MB",
        |request| feed(request).then_some(ServerResponse::Endless(b"          ", 500 << 20)),
        &["fetch changes"],
    ),
    (
        "a page nested without end",
        |request| page(request).then(|| json("[".repeat(3_000_000))).flatten(),
        &["load page"],
    ),
    (
        "a name with a million marks",
        |request| match request {
            ApiRequest::Page(1) => {
                json(format!(r#"[{{"id":"a","name":"Alfa"}},{{"id":"b","name":"B{}"}}]"#, "\u{301}".repeat(1_000_000)))
            }
            _ => None,
        },
        &["Alfa"],
    ),
    (
        "half a surrogate pair after a byte order mark",
        |request| match request {
            ApiRequest::Page(1) => json("\u{feff}[{\"id\":\"a\",\"name\":\"Alfa \\ud800\"}]"),
            _ => None,
        },
        &["Alfa", "live"],
    ),
    (
        "a feed that always advances",
        |request| match request {
            ApiRequest::Feed(step) => json(format!(r#"{{"nextId":{},"events":[]}}"#, step + 1_000)),
            _ => None,
        },
        &["Alfa"],
    ),
    (
        "a feed that always advances and names what is not there",
        |request| match request {
            ApiRequest::Feed(step) => {
                json(format!(r#"{{"nextId":{0},"events":[{{"segmentId":"x{0}","type":"UPDATE"}}]}}"#, step + 1_000))
            }
            ApiRequest::One => status(404, "", ""),
            _ => None,
        },
        &["Alfa"],
    ),
    (
        "a segment that is always another one",
        |request| match request {
            ApiRequest::Feed(step) => {
                json(format!(r#"{{"nextId":{},"events":[{{"segmentId":"a","type":"UPDATE"}}]}}"#, step + 1_000))
            }
            ApiRequest::One => json(r#"{"id":"z","name":"Other"}"#),
            _ => None,
        },
        &["Alfa", "couldn't fetch segment a"],
    ),
    (
        "pages without an end that repeat each other",
        |request| match request {
            ApiRequest::Page(number) => {
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
fn screen_text(pty: &Pty) -> String {
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
        while !screen_text(&pty).contains(text) {
            if Instant::now() > until {
                return wrong(format!("“{text}” is not to be seen:\n{}", pty.lines().join("\n")));
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
    thread::sleep(case.observed.saturating_sub(began.elapsed()));
    let (request_count, elapsed) = (count.load(Ordering::SeqCst), began.elapsed());
    let seconds = usize::try_from(elapsed.as_secs() + 1).unwrap();
    if request_count > MAX_REQUESTS.max(20 * seconds) {
        return wrong(format!("{request_count} requests in {elapsed:?}"));
    }
    let status = fs::read_to_string(format!("/proc/{}/status", pty.process_id())).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let peak: usize = peak.trim().trim_end_matches(" kB").parse().unwrap_or(0);
    if peak > MAX_MEMORY_KB {
        return wrong(format!("{} MB of memory", peak / 1024));
    }
    let shown = pty.lines().join("\n");
    if shown.contains("second-half") || shown.contains("first-half") {
        return wrong(format!("the key is on the screen:\n{shown}"));
    }
    pty.type_text("?");
    pty.wait_for("Moving");
    pty.type_text("\x1b");
    pty.wait_until_gone("Moving");
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
        observed: OBSERVATION_TIME,
    });
    let on_each_call = CALLS.iter().flat_map(|&(call, matches_call, keys, sentence)| {
        RESPONSES.iter().map(move |&(response_name, answer)| Case {
            name: format!("{response_name} to {call}"),
            rule: Arc::new(move |request| matches_call(request).then(answer)),
            keys,
            seen: expected_texts(response_name, call, sentence),
            observed: SHORT_OBSERVATION_TIME,
        })
    });
    kinds.chain(on_each_call).collect()
}

#[test]
fn the_program_survives_hostile_servers_and_reports_failures() {
    const CONCURRENCY: usize = 24;
    let cases = cases();
    let next = AtomicUsize::new(0);
    let wrong: Vec<String> = thread::scope(|scope| {
        let observers: Vec<_> = (0..CONCURRENCY)
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
