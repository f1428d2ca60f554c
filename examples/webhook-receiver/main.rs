//! A receiver of what `segtui watch --post` sends: it checks the signature, keeps what each segment is now, and prints what is new.
//!
//! ```sh
//! export SEGTUI_POST_SECRET=$(head -c 32 /dev/urandom | base64)
//! cargo run --example webhook-receiver -- 127.0.0.1:8043 segments.json &
//! segtui watch --state watch.state --post http://127.0.0.1:8043/
//! ```
//!
//! Three rules make a receiver that loses nothing and does nothing twice:
//!
//! 1. Answer 2xx only once the change is dealt with: whatever else is answered, it comes again.
//! 2. Take a change for what the segment is now, not for what to do: the same one may come twice, and then nothing is new. The
//!    `step` doesn't tell them apart, since several changes may have the same one.
//! 3. Refuse what isn't signed, and what was signed long ago: somebody may have recorded it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use ring::hmac;
use serde::Deserialize;
use serde_json::Value;

/// Older posts are refused. Clocks may differ a little.
const OLDEST: Duration = Duration::from_secs(300);

/// What is needed of a change. There is more in it: see docs/contract.md.
#[derive(Deserialize)]
struct Change {
    kind: String,
    id: String,
    /// What it is now; nothing when it was deleted.
    segment: Option<Value>,
}

/// What is known of each segment that a change came for, by its ID.
type Known = BTreeMap<String, Option<Value>>;

struct Receiver {
    key: hmac::Key,
    /// The file with what is known.
    file: PathBuf,
    known: Mutex<Known>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(file)) = (arguments.next(), arguments.next()) else {
        return Err("usage: webhook-receiver ADDRESS FILE".into());
    };
    let secret = std::env::var("SEGTUI_POST_SECRET").map_err(|_| "SEGTUI_POST_SECRET is not set")?;
    let file = PathBuf::from(file);
    let known = if file.exists() { serde_json::from_str(&fs::read_to_string(&file)?)? } else { Known::new() };
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let receiver = Arc::new(Receiver { key, file, known: Mutex::new(known) });
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
    let Ok(mut known) = receiver.known.lock() else { return StatusCode::INTERNAL_SERVER_ERROR };
    if known.get(&change.id) == Some(&change.segment) {
        return StatusCode::OK;
    }
    let mut next = known.clone();
    next.insert(change.id.clone(), change.segment);
    if save(&receiver.file, &next).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    *known = next;
    // A real receiver does its work here, in one transaction with what it keeps.
    match writeln!(std::io::stdout(), "{} {}", change.kind, change.id) {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Writes beside the file first, so that no moment has half of it.
fn save(file: &Path, known: &Known) -> std::io::Result<()> {
    let beside = file.with_extension("new");
    fs::write(&beside, serde_json::to_vec(known)?)?;
    fs::rename(beside, file)
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
