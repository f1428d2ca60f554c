//! The settings of a connection, and the HTTP client built from them.

use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect;
use rustls::pki_types::CertificateDer;
use secrecy::{ExposeSecret, SecretString};

use super::exchange;
use super::retry::Policy;
use super::route::{self, ProxyFault};
use crate::remote::{BaseUrl, Context, ContextsForm, is_valid_header_value};

pub(super) const USER_AGENT: &str = concat!("segtui/", env!("CARGO_PKG_VERSION"));
const TENANT_HEADER: HeaderName = HeaderName::from_static("one-tenant");
const KEY_HEADER: HeaderName = HeaderName::from_static("apiauth");

/// An HTTP/2 connection that a laptop slept through seems alive until it is pinged. Pinging while requests wait, and giving up
/// before they time out, lets the next request open a new connection instead of waiting on the dead one too.
const PING_INTERVAL: Duration = Duration::from_secs(10);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// The settings of a connection to a tenant. [`Settings::new`] fills in the defaults.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The base URL of the API.
    pub base_url: BaseUrl,
    /// The tenant's name, sent as `one-tenant`.
    pub tenant: String,
    /// The API key, sent as `ApiAuth`.
    pub key: SecretString,
    /// Certificates that are trusted in addition to the system's.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// The timeouts.
    pub timeouts: Timeouts,
    /// When and how often a failed request is retried.
    pub retries: Policy,
    /// Whose changes the feed is asked for; none or all four mean everybody's.
    pub contexts: Vec<Context>,
    /// How several contexts are written in the query.
    pub contexts_form: ContextsForm,
}

impl Settings {
    /// The default settings for a tenant: everybody's changes, default timeouts and retries.
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

    /// An HTTP client with the headers of every call. It doesn't follow redirects.
    pub(super) fn http_client(&self) -> Result<reqwest::Client, SettingsFault> {
        // Another part of the program may have installed a provider before; any will do.
        let _already_installed = rustls::crypto::ring::default_provider().install_default().err();
        route::check_proxy_to(&self.base_url.segments())?;
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(self.headers()?)
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(self.timeouts.connect)
            .timeout(self.timeouts.request)
            .http2_keep_alive_interval(PING_INTERVAL)
            .http2_keep_alive_timeout(PING_TIMEOUT);
        if self.base_url.is_plain_http() {
            // Otherwise a machine without certificates could not even try the demo, which needs none.
            builder = builder.tls_certs_only([]);
        }
        let no_tls = |error: reqwest::Error| SettingsFault::NoTls { reason: exchange::root_cause_message(&error) };
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
        Ok(HeaderMap::from_iter([
            (TENANT_HEADER, tenant),
            (KEY_HEADER, key),
            (ACCEPT, HeaderValue::from_static("*/*")),
        ]))
    }
}

fn header_value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).ok().filter(|_| is_valid_header_value(text))
}

/// The timeouts of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection is established, TLS included.
    pub connect: Duration,
    /// Until the last byte of the response has arrived, connecting included.
    pub request: Duration,
}

impl Default for Timeouts {
    /// A server that takes longer than ten seconds to connect counts as down; a page of thousands of segments over a slow line
    /// takes a while.
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), request: Duration::from_secs(30) }
    }
}

/// Why the settings can't be used for a connection. Never repeats the key.
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
    /// There is no way to verify the certificate of an https server.
    #[error("can't verify TLS certificates: {reason}; install ca-certificates or set SSL_CERT_FILE")]
    NoTls {
        /// The message of the TLS library.
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
    fn an_invalid_header_value_is_refused_without_showing_the_key() {
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
    fn the_key_is_not_in_debug_output() {
        let settings = settings("acme", "first:hunter2");
        let client = super::super::Client::new(settings.clone()).unwrap();
        let texts = format!("{settings:?} {client:?} {:?}", settings.headers().unwrap());
        assert!(texts.contains("acme"));
        assert!(!texts.contains("hunter2"), "{texts}");
    }
}
