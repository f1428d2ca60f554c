//! A server that follows the rules of HTTP or breaks them; where no rule applies, a healthy tenant of two segments.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiRequest {
    Page(u32),
    One,
    Feed(u64),
    Create,
    Change,
    Delete,
}

/// A response.
pub enum ServerResponse {
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
pub type Rule = Arc<dyn Fn(ApiRequest) -> Option<ServerResponse> + Send + Sync>;

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
            thread::spawn(move || drop(serve_connection(stream, &rule, &counter, &listed)));
        }
    });
    (format!("http://{address}"), count)
}

fn serve_connection(stream: TcpStream, rule: &Rule, count: &AtomicUsize, listed: &Listed) -> std::io::Result<()> {
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
        let request = parse_request(&first);
        match rule(request).unwrap_or_else(|| healthy(request, listed)) {
            ServerResponse::Plain(status, headers, body) => {
                write!(stream, "HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n", body.len())?;
                stream.write_all(&body)?;
            }
            ServerResponse::Silence => thread::sleep(Duration::from_secs(3_600)),
            ServerResponse::Hangup => return Ok(()),
            ServerResponse::Endless(part, bytes) => {
                write!(stream, "HTTP/1.1 200 X\r\ncontent-length: {bytes}\r\n\r\n")?;
                let block = part.repeat(64 * 1024 / part.len());
                for _ in 0..bytes / block.len() {
                    stream.write_all(&block)?;
                }
                return Ok(());
            }
            ServerResponse::Half(body) => {
                write!(stream, "HTTP/1.1 200 X\r\ncontent-length: {}\r\n\r\n{body}", 2 * body.len())?;
                return Ok(());
            }
            ServerResponse::Drip(body) => {
                write!(stream, "HTTP/1.1 200 X\r\ncontent-length: {}\r\n\r\n", body.len())?;
                for byte in body.bytes() {
                    stream.write_all(&[byte])?;
                    thread::sleep(Duration::from_millis(500));
                }
            }
        }
    }
}

fn parse_request(line: &str) -> ApiRequest {
    let number = |name: &str| {
        let value = line.split(name).nth(1)?;
        value.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<u64>().ok()
    };
    match line.split(' ').next() {
        Some("POST") => return ApiRequest::Create,
        Some("PUT") => return ApiRequest::Change,
        Some("DELETE") => return ApiRequest::Delete,
        _ => {}
    }
    match (number("pageNumber="), number("startId=")) {
        (Some(number), _) => ApiRequest::Page(u32::try_from(number).unwrap()),
        (_, Some(step)) => ApiRequest::Feed(step),
        _ => ApiRequest::One,
    }
}

/// The response of a healthy server with two segments, one of which is reported as changed after a moment. It applies
/// no writes.
fn healthy(request: ApiRequest, listed: &Listed) -> ServerResponse {
    if matches!(request, ApiRequest::Page(2..)) {
        listed.get_or_init(Instant::now);
    }
    let has_changed = listed.get().is_some_and(|listed| listed.elapsed() >= FIRST_CHANGE);
    let text = match request {
        ApiRequest::Page(1) => r#"[{"id":"a","name":"Alfa"},{"id":"b","name":"Beta"}]"#,
        ApiRequest::Page(_) => "[]",
        ApiRequest::One => r#"{"id":"a","name":"Alfa"}"#,
        ApiRequest::Feed(1) if has_changed => r#"{"nextId":2,"events":[{"segmentId":"a","type":"UPDATE"}]}"#,
        ApiRequest::Feed(_) => r#"{"nextId":null,"events":[]}"#,
        ApiRequest::Create => r#"{"id":"n"}"#,
        ApiRequest::Change | ApiRequest::Delete => "",
    };
    ServerResponse::Plain(200, "", text.into())
}
