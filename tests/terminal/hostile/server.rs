//! A server that follows the rules of HTTP or breaks them; where no rule applies, a healthy tenant of two segments.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    Page(u32),
    One,
    Feed(u64),
    Create,
    Change,
    Delete,
}

/// A response.
pub enum Answer {
    /// A status, further headers, and a body.
    Plain(u16, &'static str, Vec<u8>),
    /// No response; the connection stays open.
    Silence,
    /// No response; the connection is closed.
    Hangup,
    /// A body that repeats this part up to so many bytes.
    Endless(&'static [u8], usize),
    /// Half of a body, after which the connection is closed.
    Half(&'static str),
    /// A body that comes byte by byte, two per second.
    Drip(&'static str),
}

/// The response to a request, or `None` for the healthy server's.
pub type Rule = Arc<dyn Fn(Asked) -> Option<Answer> + Send + Sync>;

/// Time from the end of the first list to the first change in the feed; any earlier, the list would already have it.
const FIRST_CHANGE: Duration = Duration::from_millis(500);
/// When the end of the list was first requested.
type Listed = Arc<OnceLock<Instant>>;

/// Starts a server with a rule, and returns its URL and the number of its requests.
pub fn serve(rule: Rule) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, count) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&count);
    let listed = Listed::default();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (counter, rule, listed) = (Arc::clone(&counter), Arc::clone(&rule), Arc::clone(&listed));
            // Clients that go away in the middle are part of the tests.
            thread::spawn(move || drop(converse(stream, &rule, &counter, &listed)));
        }
    });
    (format!("http://{address}"), count)
}

fn converse(stream: TcpStream, rule: &Rule, count: &AtomicUsize, listed: &Listed) -> std::io::Result<()> {
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
        match rule(asked).unwrap_or_else(|| healthy(asked, listed)) {
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
            Answer::Half(body) => {
                write!(stream, "HTTP/1.1 200 X\r\ncontent-length: {}\r\n\r\n{body}", 2 * body.len())?;
                return Ok(());
            }
            Answer::Drip(body) => {
                write!(stream, "HTTP/1.1 200 X\r\ncontent-length: {}\r\n\r\n", body.len())?;
                for byte in body.bytes() {
                    stream.write_all(&[byte])?;
                    thread::sleep(Duration::from_millis(500));
                }
            }
        }
    }
}

fn asked(line: &str) -> Asked {
    let number = |name: &str| {
        let value = line.split(name).nth(1)?;
        value.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<u64>().ok()
    };
    match line.split(' ').next() {
        Some("POST") => return Asked::Create,
        Some("PUT") => return Asked::Change,
        Some("DELETE") => return Asked::Delete,
        _ => {}
    }
    match (number("pageNumber="), number("startId=")) {
        (Some(number), _) => Asked::Page(u32::try_from(number).unwrap()),
        (_, Some(step)) => Asked::Feed(step),
        _ => Asked::One,
    }
}

/// The response of a healthy server with two segments, one of which is reported as changed after a moment. It applies
/// no writes.
fn healthy(asked: Asked, listed: &Listed) -> Answer {
    if matches!(asked, Asked::Page(2..)) {
        listed.get_or_init(Instant::now);
    }
    let has_changed = listed.get().is_some_and(|listed| listed.elapsed() >= FIRST_CHANGE);
    let text = match asked {
        Asked::Page(1) => r#"[{"id":"a","name":"Alfa"},{"id":"b","name":"Beta"}]"#,
        Asked::Page(_) => "[]",
        Asked::One => r#"{"id":"a","name":"Alfa"}"#,
        Asked::Feed(1) if has_changed => r#"{"nextId":2,"events":[{"segmentId":"a","type":"UPDATE"}]}"#,
        Asked::Feed(_) => r#"{"nextId":null,"events":[]}"#,
        Asked::Create => r#"{"id":"n"}"#,
        Asked::Change | Asked::Delete => "",
    };
    Answer::Plain(200, "", text.into())
}
