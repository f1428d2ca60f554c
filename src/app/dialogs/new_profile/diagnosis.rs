//! What is wrong with a connection, in words, and at which field it can be mended.
//!
//! The service documents no form of its errors, so whether it minds the key or the tenant is told from the server's own
//! words, which are always shown with it.

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
            let words = format!("{host} took the question and has not answered within {after} s; try again, or later");
            (ProfileField::BaseUrl, words)
        }
        Fault::InvalidResponse { reason } => {
            let words = format!(
                "something answers at {host}, but it is not the segment API: {reason}. Check the path of the base URL; the \
                 host alone is enough"
            );
            (ProfileField::BaseUrl, words)
        }
        Fault::Redirected { .. }
        | Fault::TooLong { .. }
        | Fault::Broken { .. }
        | Fault::InvalidRequest { .. }
        | Fault::ReadOnly => (ProfileField::BaseUrl, fault.to_string()),
    }
}

fn of_obstacle(obstacle: &ConnectError, host: &str) -> String {
    let words = &obstacle.words;
    match obstacle.kind {
        ObstacleKind::NoSuchHost => format!(
            "no such host: the name {host} can't be looked up. Check how it is written, and whether this machine is online \
             or needs a VPN"
        ),
        ObstacleKind::Refused => {
            format!("connection refused: at {host} nothing listens. Check the port, and that it is the right machine")
        }
        ObstacleKind::Tls => format!(
            "no encrypted connection to {host}: {words}. If a proxy of your company is in between, name its certificates in \
             SSL_CERT_FILE; a server that speaks plain http is no https"
        ),
        ObstacleKind::TimedOut => {
            format!("no connection to {host}: {words}. Check the address, and whether it needs a VPN")
        }
        ObstacleKind::Other => format!("no connection to {host}: {words}"),
    }
}

fn of_refusal(status: u16, words: &str, host: &str, tenant: &str) -> (ProfileField, String) {
    let said = if words.is_empty() { format!("({status})") } else { format!("({status}: {words})") };
    match (status, minded(words)) {
        (400 | 401 | 403 | 404 | 422, Some(ProfileField::Tenant)) => {
            (ProfileField::Tenant, format!("wrong tenant: {host} does not take {tenant} {said}"))
        }
        (401 | 403, Some(_)) => (ProfileField::Key, format!("wrong key: {host} does not take it {said}")),
        (401 | 403, None) => {
            let text = format!("{host} does not take this key for this tenant {said}. Check both");
            (ProfileField::Key, text)
        }
        (404 | 405 | 410, _) => {
            let text = format!(
                "wrong path: there is a server at {host}, but no segment API at this address {said}. The host alone is \
                 enough as base URL"
            );
            (ProfileField::BaseUrl, text)
        }
        (500.., _) => {
            (ProfileField::BaseUrl, format!("{host} is there and in trouble of its own {said}; try again later"))
        }
        (429, _) => (ProfileField::BaseUrl, format!("{host} is asked too much at the moment {said}; try again later")),
        _ => (ProfileField::BaseUrl, format!("{host} refuses the question {said}")),
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
