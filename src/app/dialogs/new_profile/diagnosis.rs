//! What is wrong with a connection, in words, and at which field it can be mended.
//!
//! The service documents no form of its errors, so whether it minds the key or the tenant is told from the server's own
//! words, which are always shown with it.

use crate::app::words::sentence;
use crate::remote::{BaseUrl, ConnectError, Fault, InsecureHttp, ObstacleKind};

use super::{ProfileField, TrialError};

/// The field to look at, and what to read.
pub(super) fn of(hindrance: &TrialError, address: &str, tenant: &str) -> (ProfileField, String) {
    match hindrance {
        TrialError::Fault(fault) => of_fault(fault, &host(address), tenant),
        TrialError::NoKey(words) => (ProfileField::Key, words.clone()),
        TrialError::InvalidRequest(field, words) => (*field, words.clone()),
    }
}

fn host(address: &str) -> String {
    BaseUrl::parse(address, InsecureHttp::Allowed).map_or_else(|_| "the server".into(), |url| url.host())
}

fn of_fault(fault: &Fault, host: &str, tenant: &str) -> (ProfileField, String) {
    match fault {
        Fault::Unreachable { reason } => (ProfileField::BaseUrl, of_obstacle(reason, host)),
        Fault::Refused { status, words, .. } => of_refusal(*status, words, host, tenant),
        Fault::TimedOut { after } => {
            let after = after.as_secs();
            let words = format!("{host} accepted the connection but didn't reply within {after} s. Try again later");
            (ProfileField::BaseUrl, words)
        }
        Fault::InvalidResponse { reason } => {
            let words =
                format!("{host} replied, but this isn't the segment API ({reason}). Usually the host alone is enough");
            (ProfileField::BaseUrl, words)
        }
        Fault::Redirected { .. }
        | Fault::TooLong { .. }
        | Fault::Broken { .. }
        | Fault::InvalidRequest { .. }
        | Fault::ReadOnly => (ProfileField::BaseUrl, sentence(&fault.to_string())),
    }
}

fn of_obstacle(obstacle: &ConnectError, host: &str) -> String {
    let words = &obstacle.words;
    match obstacle.kind {
        ObstacleKind::NoSuchHost => format!("Host not found: {host}. Check the spelling, your connection and VPN"),
        ObstacleKind::Refused => {
            format!("Connection refused: nothing is listening at {host}. Check host and port")
        }
        // What rustls says of an answer that is not TLS at all.
        ObstacleKind::Tls if words.contains("InvalidContentType") => {
            format!("TLS failed at {host}: it seems to speak plain http. Check the scheme and the port")
        }
        ObstacleKind::Tls => {
            format!("TLS failed at {host}: {words}. Behind a corporate proxy, set SSL_CERT_FILE")
        }
        ObstacleKind::TimedOut => {
            format!("Couldn't connect to {host}: {words}. Check the URL and your VPN")
        }
        ObstacleKind::Other => format!("Couldn't connect to {host}: {words}"),
    }
}

fn of_refusal(status: u16, words: &str, host: &str, tenant: &str) -> (ProfileField, String) {
    let said = if words.is_empty() { format!("({status})") } else { format!("({status}: {words})") };
    match (status, minded(words)) {
        (400 | 401 | 403 | 404 | 422, Some(ProfileField::Tenant)) => {
            (ProfileField::Tenant, format!("{host} rejected tenant {tenant} {said}"))
        }
        (401 | 403, Some(_)) => (ProfileField::Key, format!("{host} rejected the key {said}")),
        (401 | 403, None) => {
            let text = format!("{host} rejected this key for this tenant {said}. Check both");
            (ProfileField::Key, text)
        }
        (404 | 405 | 410, _) => {
            let text = format!(
                "There is a server at {host}, but no segment API at this path {said}. Usually the host alone is enough"
            );
            (ProfileField::BaseUrl, text)
        }
        (500.., _) => (ProfileField::BaseUrl, format!("{host} reported an internal error {said}. Try again later")),
        (429, _) => (ProfileField::BaseUrl, format!("{host} is rate-limiting requests {said}. Try again later")),
        _ => (ProfileField::BaseUrl, format!("{host} rejected the request {said}")),
    }
}

/// What a refusal is about: of tenant and key, what the server names first.
fn minded(words: &str) -> Option<ProfileField> {
    let words = words.to_lowercase();
    let first = |names: &[&str]| names.iter().filter_map(|name| words.find(name)).min();
    match (first(&["tenant"]), first(&["key", "apiauth", "token", "credential"])) {
        (Some(tenant), Some(key)) if key < tenant => Some(ProfileField::Key),
        (Some(_), _) => Some(ProfileField::Tenant),
        (None, Some(_)) => Some(ProfileField::Key),
        (None, None) => None,
    }
}
