//! What a connection is made of, and the HTTP client that follows from it.

use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect;
use rustls::pki_types::CertificateDer;
use secrecy::{ExposeSecret, SecretString};

use super::exchange;
use super::retry::Policy;
use super::route::{self, ProxyFault};
use crate::remote::{BaseUrl, Context, ContextsForm, fits_into_a_header};

pub(super) const USER_AGENT: &str = concat!("segtui/", env!("CARGO_PKG_VERSION"));
const TENANT: HeaderName = HeaderName::from_static("one-tenant");
const KEY: HeaderName = HeaderName::from_static("apiauth");

/// An HTTP/2 connection that a laptop slept through looks alive until it is asked. Asking while requests wait, and giving up
/// before they do, lets the next request open a new one instead of waiting on the dead one as well.
const PING_AFTER: Duration = Duration::from_secs(10);
const PING_ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// What a connection to a tenant is made of. [`Settings::new`] fills in what is usual.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the API lives.
    pub base_url: BaseUrl,
    /// The tenant's name, sent as `one-tenant`.
    pub tenant: String,
    /// The API key, sent as `ApiAuth`.
    pub key: SecretString,
    /// Certificates that are trusted besides the system's.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// When and how often to try again.
    pub retries: Policy,
    /// Whose changes the feed is asked for; none and all four mean everybody's.
    pub contexts: Vec<Context>,
    /// How several contexts are written.
    pub contexts_form: ContextsForm,
}

impl Settings {
    /// The usual settings for a tenant: everybody's changes, usual timeouts and retries.
    #[must_use]
    pub fn new(base_url: BaseUrl, tenant: impl Into<String>, key: SecretString) -> Self {
        Self {
            base_url,
            tenant: tenant.into(),
            key,
            extra_roots: Vec::new(),
            timeouts: Timeouts::default(),
            retries: Policy::default(),
            contexts: Vec::new(),
            contexts_form: ContextsForm::default(),
        }
    }

    /// An HTTP client that bears the headers of every call and talks to nobody but the host it is told.
    pub(super) fn http_client(&self) -> Result<reqwest::Client, SettingsFault> {
        // Another part of the program may have installed one before; any will do.
        let _already_installed = rustls::crypto::ring::default_provider().install_default().err();
        route::check_proxy_to(&self.base_url.segments())?;
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(self.headers()?)
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(self.timeouts.connect)
            .timeout(self.timeouts.request)
            .http2_keep_alive_interval(PING_AFTER)
            .http2_keep_alive_timeout(PING_ANSWERED_WITHIN);
        if self.base_url.is_plain_http() {
            // Without this a machine that has no certificates could not even try the demo, which needs none.
            builder = builder.tls_certs_only([]);
        }
        let no_tls = |error: reqwest::Error| SettingsFault::NoTls { reason: exchange::innermost(&error) };
        for root in &self.extra_roots {
            builder = builder.tls_certs_merge([reqwest::Certificate::from_der(root).map_err(no_tls)?]);
        }
        if self.base_url.is_loopback() {
            builder = builder.no_proxy();
        }
        builder.build().map_err(no_tls)
    }

    fn headers(&self) -> Result<HeaderMap, SettingsFault> {
        let tenant = header_value(&self.tenant).ok_or(SettingsFault::Tenant)?;
        let mut key = header_value(self.key.expose_secret()).ok_or(SettingsFault::Key)?;
        key.set_sensitive(true);
        Ok(HeaderMap::from_iter([(TENANT, tenant), (KEY, key), (ACCEPT, HeaderValue::from_static("*/*"))]))
    }
}

fn header_value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).ok().filter(|_| fits_into_a_header(text))
}

/// How long to wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection stands, TLS included.
    pub connect: Duration,
    /// Until the last byte of an answer is there, connecting included.
    pub request: Duration,
}

impl Default for Timeouts {
    /// A server farther than ten seconds away is not there; a page of thousands over a slow line takes its time.
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), request: Duration::from_secs(30) }
    }
}

/// Why no connection can be made of the settings. Never repeats the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsFault {
    /// The tenant can't be sent.
    #[error("the tenant is empty or has characters that can't be sent in a header; use letters, digits and hyphens")]
    Tenant,
    /// The key can't be sent.
    #[error("the API key is empty or has characters that can't be sent in a header, such as a line break or an accent")]
    Key,
    /// The proxy can't be used.
    #[error(transparent)]
    Proxy(#[from] ProxyFault),
    /// No way to check who an https server is.
    #[error("can't verify TLS certificates: {reason}; install ca-certificates or set SSL_CERT_FILE")]
    NoTls {
        /// The words of the TLS library.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::InsecureHttp;

    fn settings(tenant: &str, key: &str) -> Settings {
        let base_url = BaseUrl::parse("http://localhost:1", InsecureHttp::Refused).unwrap();
        Settings::new(base_url, tenant, key.into())
    }

    #[test]
    fn what_no_header_can_hold_is_refused_without_repeating_it() {
        for tenant in ["", "  ", "ac\nme", "ącme"] {
            assert_eq!(settings(tenant, "k").headers().unwrap_err(), SettingsFault::Tenant, "{tenant}");
        }
        for key in ["", "hunter2\n", "hunter2\u{7f}", "hunter2ł"] {
            let fault = settings("acme", key).headers().unwrap_err();
            assert_eq!(fault, SettingsFault::Key);
            assert!(!fault.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn the_key_shows_in_no_debug_text() {
        let settings = settings("acme", "first:hunter2");
        let client = super::super::Client::new(settings.clone()).unwrap();
        let texts = format!("{settings:?} {client:?} {:?}", settings.headers().unwrap());
        assert!(texts.contains("acme"));
        assert!(!texts.contains("hunter2"), "{texts}");
    }
}
