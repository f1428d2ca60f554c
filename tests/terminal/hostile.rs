//! Servers that do their worst, one kind of answer at a time: the screen stays alive, `q` ends the program, memory and requests stay
//! within bounds, and what could not be done is said.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::pty::Pty;

const KEY: &str = "first-half=of+it&x:second-half/of";
/// How long each kind is looked at.
const OBSERVED: Duration = Duration::from_secs(4);
/// More than what the first seconds of a healthy start take, spread over that time.
const MOST_REQUESTS: usize = 20 * 4 + 60;
const MOST_MEMORY: usize = 300 * 1024;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Page(u32),
    One,
    Feed(u64),
}

/// What is answered.
enum Answer {
    /// A status, more headers, and a body.
    Plain(u16, &'static str, Vec<u8>),
    /// Nothing, and the connection stays open.
    Silence,
    /// The connection is closed.
    Hangup,
    /// A body of this part, over and over, so many bytes of it.
    Endless(&'static [u8], usize),
}

/// A kind of answer: its name, what it answers, `None` for what a healthy server would, and what is to be seen on the screen.
type Kind = (&'static str, fn(Asked) -> Option<Answer>, &'static [&'static str]);

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
    ("nothing is answered to a page", |asked| page(asked).then_some(Answer::Silence), &["no answer for"]),
    ("nothing is answered to the feed", |asked| feed(asked).then_some(Answer::Silence), &["no answer for"]),
    ("every connection is closed", |_| Some(Answer::Hangup), &["read the changes since step 1", "offline"]),
    ("a page is empty text", |asked| page(asked).then(|| json("")).flatten(), &["load page"]),
    ("a page is null", |asked| page(asked).then(|| json("null")).flatten(), &["load page"]),
    ("a page is a login page", |asked| page(asked).then(|| json("<html>log in</html>")).flatten(), &["load page"]),
    ("the key is refused", |_| status(401, "", "no such key"), &["read the changes since step 1"]),
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
        &["read the changes"],
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
    (
        "a feed of 500 MB",
        |asked| feed(asked).then_some(Answer::Endless(b"          ", 500 << 20)),
        &["read the changes"],
    ),
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
            Asked::Page(_) => None,
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
            Asked::Page(_) => None,
        },
        &["Alfa", "could not read segment a"],
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
        &["twice"],
    ),
];

/// A server of a kind, and how often it was asked.
fn serve(answer: fn(Asked) -> Option<Answer>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, count) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&count);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let counter = Arc::clone(&counter);
            // A client that goes away in the middle is what is tried.
            thread::spawn(move || drop(converse(stream, answer, &counter)));
        }
    });
    (format!("http://{address}"), count)
}

fn converse(stream: TcpStream, answer: fn(Asked) -> Option<Answer>, count: &AtomicUsize) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? <= 2 {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        reader.read_exact(&mut vec![0; length])?;
        count.fetch_add(1, Ordering::SeqCst);
        let asked = asked(&first);
        match answer(asked).unwrap_or_else(|| healthy(asked)) {
            Answer::Plain(status, headers, body) => {
                write!(stream, "HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n", body.len())?;
                stream.write_all(&body)?;
            }
            Answer::Silence => thread::sleep(Duration::from_secs(3_600)),
            Answer::Hangup => return Ok(()),
            Answer::Endless(part, bytes) => {
                write!(stream, "HTTP/1.1 200 X\r\ncontent-length: {bytes}\r\n\r\n")?;
                let block = part.repeat(64 * 1024 / part.len());
                for _ in 0..bytes / block.len() {
                    stream.write_all(&block)?;
                }
                return Ok(());
            }
        }
    }
}

fn asked(line: &str) -> Asked {
    let number = |name: &str| {
        let value = line.split(name).nth(1)?;
        value.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<u64>().ok()
    };
    match (number("pageNumber="), number("startId=")) {
        (Some(number), _) => Asked::Page(u32::try_from(number).unwrap()),
        (_, Some(step)) => Asked::Feed(step),
        _ => Asked::One,
    }
}

fn healthy(asked: Asked) -> Answer {
    let text = match asked {
        Asked::Page(1) => r#"[{"id":"a","name":"Alfa"},{"id":"b","name":"Beta"}]"#,
        Asked::Page(_) => "[]",
        Asked::One => r#"{"id":"a","name":"Alfa"}"#,
        Asked::Feed(_) => r#"{"nextId":null,"events":[]}"#,
    };
    Answer::Plain(200, "", text.into())
}

/// What the screen says, the lines as they are and then those of the right panes as one.
fn told(pty: &Pty) -> String {
    let lines = pty.lines();
    let right = lines.iter().filter_map(|line| line.rsplit_once(['│', '├'])).map(|(_, right)| right.trim());
    format!("{}\n{}", lines.join("\n"), right.collect::<Vec<_>>().join(" "))
}

/// Looks at the program at work with a server of a kind. Answers what is wrong.
fn observe((name, answer, seen): Kind) -> Result<(), String> {
    let (url, count) = serve(answer);
    let environment =
        [("SEGTUI_BASE_URL", url), ("SEGTUI_TENANT", "acme".to_owned()), ("SEGTUI_API_KEY", KEY.to_owned())];
    let began = Instant::now();
    let mut pty = Pty::start(100, 30, &["--no-store", "--poll", "0.2"], &environment);
    let wrong = |what: String| Err(format!("{name}: {what}"));
    for text in seen {
        // What is overdue is told after some seconds, and what is tried again after as many.
        let until = Instant::now() + Duration::from_secs(25);
        while !told(&pty).contains(text) {
            if Instant::now() > until {
                return wrong(format!("“{text}” is not to be seen:\n{}", pty.lines().join("\n")));
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
    thread::sleep(OBSERVED.saturating_sub(began.elapsed()));
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
    pty.type_text("q");
    thread::sleep(Duration::from_millis(300));
    let left = Instant::now();
    pty.type_text("q");
    let code = pty.exit_code();
    if code != 0 || left.elapsed() > Duration::from_secs(5) {
        return wrong(format!("it ends with {code} after {:?}", left.elapsed()));
    }
    Ok(())
}

#[test]
fn whatever_a_server_answers_the_program_lives_and_says_what_is_wrong() {
    const AT_ONCE: usize = 5;
    let next = AtomicUsize::new(0);
    let wrong: Vec<String> = thread::scope(|scope| {
        let observers: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                scope.spawn(|| {
                    let mut wrong = Vec::new();
                    while let Some(kind) = KINDS.get(next.fetch_add(1, Ordering::SeqCst)) {
                        wrong.extend(observe(*kind).err());
                    }
                    wrong
                })
            })
            .collect();
        observers.into_iter().flat_map(|observer| observer.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
