//! A receiver of what `segtui watch --post` sends: it checks the signature, takes each change once, and prints it.
//!
//! ```sh
//! export SEGTUI_POST_SECRET=$(head -c 32 /dev/urandom | base64)
//! cargo run --example webhook-receiver -- 127.0.0.1:8043 receiver.step &
//! segtui watch --state watch.state --post http://127.0.0.1:8043/
//! ```
//!
//! Three rules make a receiver that loses nothing and does nothing twice:
//!
//! 1. Answer 2xx only once the change is dealt with: whatever else is answered, it comes again.
//! 2. Remember the `step` of the last change together with what it did, since the same one may come twice.
//! 3. Refuse what isn't signed, and what was signed long ago: somebody may have recorded it.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use ring::hmac;
use serde::Deserialize;

/// Older posts are refused. Clocks may differ a little.
const OLDEST: Duration = Duration::from_secs(300);

/// What is needed of a change. There is more in it: see docs/contract.md.
#[derive(Deserialize)]
struct Change {
    kind: String,
    id: String,
    step: i64,
}

struct Receiver {
    key: hmac::Key,
    /// The file with the step of the last change that was dealt with.
    file: PathBuf,
    last: Mutex<i64>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(file)) = (arguments.next(), arguments.next()) else {
        return Err("usage: webhook-receiver ADDRESS FILE".into());
    };
    let secret = std::env::var("SEGTUI_POST_SECRET").map_err(|_| "SEGTUI_POST_SECRET is not set")?;
    let file = PathBuf::from(file);
    let last = fs::read_to_string(&file).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let receiver = Arc::new(Receiver { key, file, last: Mutex::new(last) });
    let listener = tokio::net::TcpListener::bind(&address).await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, Router::new().route("/", post(receive)).with_state(receiver)).await?;
    Ok(())
}

async fn receive(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers.get("segtui-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !is_genuine(&receiver.key, signature, &body) {
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(change) = serde_json::from_slice::<Change>(&body) else { return StatusCode::BAD_REQUEST };
    // One at a time, so that the step always belongs to what was printed last.
    let Ok(mut last) = receiver.last.lock() else { return StatusCode::INTERNAL_SERVER_ERROR };
    if change.step <= *last {
        return StatusCode::OK;
    }
    // A real receiver does its work here, in one transaction with the step.
    let told = writeln!(std::io::stdout(), "{} {} {}", change.step, change.kind, change.id);
    if told.and_then(|()| fs::write(&receiver.file, change.step.to_string())).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    *last = change.step;
    StatusCode::OK
}

/// Whether a post was signed with the secret, and not long ago. The header is `t=SECONDS,v1=HEX`.
fn is_genuine(key: &hmac::Key, header: &str, body: &[u8]) -> bool {
    let part = |name: &str| header.split(',').find_map(|part| part.strip_prefix(name));
    let (Some(time), Some(signature)) = (part("t="), part("v1=").and_then(bytes)) else { return false };
    let signed = [time.as_bytes(), b".", body].concat();
    hmac::verify(key, &signed, &signature).is_ok() && is_recent(time)
}

fn is_recent(time: &str) -> bool {
    let Ok(time) = time.parse::<u64>() else { return false };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    now.abs_diff(time) <= OLDEST.as_secs()
}

/// The bytes of a hexadecimal text.
fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = hex.chars().map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] * 16 + pair[1]).collect())
}
