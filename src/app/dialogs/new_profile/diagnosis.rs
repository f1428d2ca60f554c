//! Messages about failed connections, and the field where each can be fixed.
//!
//! The API's error format is undocumented, so whether the key or the tenant was rejected is inferred from the server's message,
//! which is always shown too.

use crate::app::dialogs::words;
use crate::app::words::sentence;
use crate::remote::{BaseUrl, ConnectError, Fault, InsecureHttp, ObstacleKind};

use super::{ProfileField, TrialError};

/// Returns the field to fix and the message.
pub(super) fn of(error: &TrialError, address: &str, tenant: &str) -> (ProfileField, String) {
    match error {
        TrialError::Fault(fault) => of_fault(fault, &host(address), tenant),
        TrialError::NoKey(reason) => (ProfileField::Key, reason.clone()),
        TrialError::InvalidRequest(field, reason) => (*field, reason.clone()),
    }
}

fn host(address: &str) -> String {
    BaseUrl::parse(address, InsecureHttp::Allowed).map_or_else(|_| words::THE_SERVER.into(), |url| url.host())
}

fn of_fault(fault: &Fault, host: &str, tenant: &str) -> (ProfileField, String) {
    match fault {
        Fault::Unreachable { reason } => (ProfileField::BaseUrl, of_connect_error(reason, host)),
        Fault::Refused { status, message, .. } => of_refusal(*status, message, host, tenant),
        Fault::TimedOut { after } => (ProfileField::BaseUrl, words::no_reply(host, after.as_secs())),
        Fault::InvalidResponse { reason } => (ProfileField::BaseUrl, words::not_the_segment_api(host, reason)),
        Fault::Redirected { .. }
        | Fault::TooLong { .. }
        | Fault::Broken { .. }
        | Fault::InvalidRequest { .. }
        | Fault::ReadOnly => (ProfileField::BaseUrl, sentence(&fault.to_string())),
    }
}

fn of_connect_error(error: &ConnectError, host: &str) -> String {
    let reason = &error.to_string();
    match error.kind {
        // It is the proxy that can't be reached, not the host.
        _ if error.proxy.is_some() => words::no_connection(host, reason),
        ObstacleKind::NoSuchHost => words::host_not_found(host),
        ObstacleKind::Refused => words::connection_refused(host),
        ObstacleKind::NotTls => words::plain_http(host),
        ObstacleKind::UnknownIssuer | ObstacleKind::Expired | ObstacleKind::WrongName | ObstacleKind::Tls => {
            words::tls_failed(host, reason)
        }
        ObstacleKind::TimedOut => words::connection_timed_out(host, reason),
        ObstacleKind::ProxyLogin | ObstacleKind::Other => words::no_connection(host, reason),
    }
}

fn of_refusal(status: u16, message: &str, host: &str, tenant: &str) -> (ProfileField, String) {
    let response = words::status_text(status, message);
    match (status, rejected_field(message)) {
        (400 | 401 | 403 | 404 | 422, Some(ProfileField::Tenant)) => {
            (ProfileField::Tenant, words::tenant_rejected(host, tenant, &response))
        }
        (401 | 403, Some(_)) => (ProfileField::Key, words::key_rejected(host, &response)),
        (401 | 403, None) => (ProfileField::Key, words::key_or_tenant_rejected(host, &response)),
        (404 | 405 | 410, _) => (ProfileField::BaseUrl, words::no_api_at_path(host, &response)),
        (500.., _) => (ProfileField::BaseUrl, words::internal_error(host, &response)),
        (429, _) => (ProfileField::BaseUrl, words::rate_limited(host, &response)),
        _ => (ProfileField::BaseUrl, words::request_rejected(host, &response)),
    }
}

/// Returns what a refusal is about, tenant or key: whichever the server's message mentions first.
fn rejected_field(words: &str) -> Option<ProfileField> {
    let words = words.to_lowercase();
    let first = |names: &[&str]| names.iter().filter_map(|name| words.find(name)).min();
    match (first(&["tenant"]), first(&["key", "apiauth", "token", "credential"])) {
        (Some(tenant), Some(key)) if key < tenant => Some(ProfileField::Key),
        (Some(_), _) => Some(ProfileField::Tenant),
        (None, Some(_)) => Some(ProfileField::Key),
        (None, None) => None,
    }
}
