//! Posts JSON to a URL of the user's choice, signed with a shared secret, so that the receiver can verify the sender.
//!
//! The signature covers the time and the body, so a recorded request can't be replayed with another body, nor much later. Neither
//! the API key nor the secret is sent. One call is one request; retrying is up to the caller.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::redirect;
use ring::hmac;
use rustls::pki_types::CertificateDer;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::exchange::{self, parse_retry_after};
use super::obstacle;
use super::route::{self, is_loopback};
use super::settings::USER_AGENT;
use crate::clock;
use crate::remote::InsecureHttp;

/// The header with the time in seconds since 1970, and the signature in hexadecimal: `t=1764147600,v1=5257a8…`.
pub const SIGNATURE_HEADER: &str = "segtui-signature";
/// The header whose value stays the same when a delivery is posted again.
pub const DELIVERY_HEADER: &str = "segtui-delivery";

/// A URL to post to. Displayed without what may be secret in it: a password, the path and the query.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(Url);

impl std::fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WebhookUrl({self})")
    }
}

impl std::fmt::Display for WebhookUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
}

/// Why a URL can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookUrlFault {
    /// It is not a URL.
    #[error("expected an address such as https://one.example/hook")]
    NoAddress,
    /// Plain http to another machine, which anybody on the way can read.
    #[error("http to other machines can be read by others; use https, or allow it with --insecure-http")]
    Insecure,
}

impl WebhookUrl {
    /// Parses a URL: https, or http to this machine, or http to any machine if `insecure_http` allows it.
    ///
    /// # Errors
    ///
    /// Any [`WebhookUrlFault`]. None repeats the URL.
    pub fn parse(text: &str, insecure_http: InsecureHttp) -> Result<Self, WebhookUrlFault> {
        let url = Url::parse(text.trim()).map_err(|_| WebhookUrlFault::NoAddress)?;
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if is_loopback(&url) || insecure_http == InsecureHttp::Allowed => Ok(Self(url)),
            "http" => Err(WebhookUrlFault::Insecure),
            _ => Err(WebhookUrlFault::NoAddress),
        }
    }
}

/// A client that posts to one webhook.
#[derive(Debug)]
pub struct Webhook {
    url: WebhookUrl,
    secret: Option<SecretString>,
    timeout: Duration,
    http: reqwest::Client,
}

/// Why a delivery was not accepted. Reads as a continuation of the webhook's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct DeliveryError {
    /// What happened.
    pub what: String,
    /// How long the receiver asks to wait before the next try.
    pub retry_after: Option<Duration>,
}

impl Webhook {
    /// Prepares to post; nothing is sent yet. Each request takes no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// A problem on this machine, such as no certificates to verify an https server with, or an unusable proxy.
    pub fn new(
        url: WebhookUrl,
        secret: Option<SecretString>,
        extra_roots: &[CertificateDer<'static>],
        timeout: Duration,
    ) -> Result<Self, String> {
        // Another part of the program may have installed a provider before; any will do.
        let _already_installed = rustls::crypto::ring::default_provider().install_default().err();
        route::check_proxy_to(&url.0).map_err(|fault| fault.to_string())?;
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .referer(false)
            .timeout(timeout);
        if url.0.scheme() == "http" {
            builder = builder.tls_certs_only([]);
        }
        for root in extra_roots {
            let root = reqwest::Certificate::from_der(root).map_err(|error| exchange::root_cause_message(&error))?;
            builder = builder.tls_certs_merge([root]);
        }
        if is_loopback(&url.0) {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| exchange::root_cause_message(&error))?;
        Ok(Self { url, secret, timeout, http })
    }

    /// The URL it posts to, displayed without its secrets.
    #[must_use]
    pub fn url(&self) -> &WebhookUrl {
        &self.url
    }

    /// Posts a JSON text. Only a 2xx response is a success.
    ///
    /// # Errors
    ///
    /// Anything else. The receiver may still have processed the request.
    pub async fn post(&self, json: String, delivery: &str) -> Result<(), DeliveryError> {
        let mut request = self.http.post(self.url.0.clone()).header(CONTENT_TYPE, "application/json");
        request = request.header(DELIVERY_HEADER, delivery);
        if let Some(secret) = &self.secret {
            request = request.header(SIGNATURE_HEADER, signature(secret, clock::now().as_second(), &json));
        }
        let response = request.body(json).send().await.map_err(|error| DeliveryError {
            what: if error.is_timeout() {
                "didn't answer in time".into()
            } else if error.is_connect() {
                format!("can't be reached: {}", obstacle::classify(&error, &self.url.0, self.timeout))
            } else {
                format!("ended the connection: {}", exchange::root_cause_message(&error))
            },
            retry_after: None,
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let note = if status.is_redirection() { "; redirects are not followed" } else { "" };
        let what = format!("answered {status}{note}");
        Err(DeliveryError { what, retry_after: retry_after(response.headers()) })
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    parse_retry_after(headers.get(RETRY_AFTER)?.to_str().ok()?, clock::now())
}

/// HMAC-SHA256 of the time, a dot and the body.
fn signature(secret: &SecretString, time: i64, json: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
    let tag = hmac::sign(&key, format!("{time}.{json}").as_bytes());
    let digits: Vec<String> = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={time},v1={}", digits.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, WebhookUrlFault> {
        WebhookUrl::parse(text, InsecureHttp::Refused).map(|url| url.to_string())
    }

    #[test]
    fn secrets_in_a_url_are_not_shown() {
        assert_eq!(
            parse("https://me:hunter2@one.example:8443/hunter3?token=hunter4"),
            Ok("https://one.example:8443".into())
        );
        assert_eq!(parse("http://127.0.0.1:80/x"), Ok("http://127.0.0.1".into()));
        assert_eq!(parse("http://one.example"), Err(WebhookUrlFault::Insecure));
        for text in ["", "one.example/hook", "ftp://one.example", "file:///etc/passwd"] {
            assert_eq!(parse(text), Err(WebhookUrlFault::NoAddress), "{text}");
        }
        assert!(WebhookUrl::parse("http://one.example", InsecureHttp::Allowed).is_ok());
    }

    /// Computed with `printf '7.{"a":1}' | openssl dgst -sha256 -hmac hunter2`.
    #[test]
    fn the_signature_matches_the_one_of_openssl() {
        let expected = "8a44b4b87f6872f341e45970b21e640fcd1653e42396be872d02a769feb5affd";
        assert_eq!(signature(&"hunter2".to_owned().into(), 7, "{\"a\":1}"), format!("t=7,v1={expected}"));
    }
}
