//! The way to a server, looked at from this end: the proxy that requests take, and the certificate that the server shows.
//!
//! It is the same way that a [`Client`](super::Client) takes, with the same proxies and the same trust; nothing of the tenant is
//! sent on it, and no key.

use std::env;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use hyper_util::client::proxy::matcher::Matcher;
use jiff::Timestamp;
use reqwest::redirect;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_platform_verifier::Verifier;
use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::exchange;
use super::settings::SettingsFault;
use crate::remote::BaseUrl;

/// A proxy that requests to a server go through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Its address, without a name or password.
    pub address: String,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The variable that names it, as far as one does.
    pub variable: Option<&'static str>,
    /// Who looks up the server's name.
    pub resolves: Resolves,
}

/// Who looks up a server's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolves {
    /// This machine.
    Here,
    /// The proxy.
    Proxy,
}

/// The proxy on the way to a server, if there is one.
#[must_use]
pub fn proxy(base_url: &BaseUrl) -> Option<Proxy> {
    if base_url.is_loopback() {
        return None;
    }
    let server = base_url.segments();
    let found = Matcher::from_system().intercept(&server.as_str().parse().ok()?)?;
    let address = found.uri();
    let scheme = address.scheme_str().unwrap_or("http");
    let usual = match scheme {
        "https" => 443,
        "http" => 80,
        _ => 1080,
    };
    let variables = match server.scheme() {
        "https" => ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
        _ => ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
    };
    let (host, port) = (address.host().unwrap_or_default().to_owned(), address.port_u16().unwrap_or(usual));
    Some(Proxy {
        address: format!("{scheme}://{host}:{port}"),
        host,
        port,
        variable: variables.into_iter().find(|name| env::var_os(name).is_some_and(|value| !value.is_empty())),
        resolves: if matches!(scheme, "socks5" | "socks4") { Resolves::Here } else { Resolves::Proxy },
    })
}

/// What came of asking a server who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    /// The certificate that was shown, also one that is not trusted; `None` where it did not come to that.
    pub certificate: Option<ServerCertificate>,
    /// From the first attempt to connect up to the verdict on the certificate, names and proxies included.
    pub took: Duration,
    /// Why the server is not trusted, or why it did not come to that, in the network's words.
    pub fault: Option<String>,
}

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerCertificate {
    /// Whose it is.
    pub subject: String,
    /// Who says so.
    pub issuer: String,
    /// When it expires.
    pub expires: Timestamp,
}

/// Connects to an https server and asks who it is. Takes no longer than `patience`.
///
/// # Errors
///
/// This machine has no way to check certificates.
pub async fn greet(
    base_url: &BaseUrl,
    extra_roots: &[CertificateDer<'static>],
    patience: Duration,
) -> Result<Greeting, SettingsFault> {
    let no_tls = |reason: String| SettingsFault::NoTls { reason };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let trust = Verifier::new_with_extra_roots(extra_roots.iter().cloned(), Arc::clone(&provider))
        .map_err(|error| no_tls(error.to_string()))?;
    let shown = Arc::new(OnceLock::new());
    let client = client(base_url, provider, Noting { trust, shown: Arc::clone(&shown) }, patience)?;
    let mut origin = base_url.segments();
    origin.set_path("/");
    let start = Instant::now();
    let answer = client.head(origin).send().await;
    let ended = start.elapsed();
    // What comes after it, such as an answer in other words than HTTP, is for the calls to find out.
    if let Some(Shown { certificate, at, fault }) = shown.get() {
        let took = at.duration_since(start);
        return Ok(Greeting { certificate: certificate.clone(), took, fault: fault.clone() });
    }
    let words = answer.err().map(|error| exchange::innermost(&error));
    let fault = words.unwrap_or_else(|| "the server showed no certificate".into());
    Ok(Greeting { certificate: None, took: ended, fault: Some(fault) })
}

fn client(
    base_url: &BaseUrl,
    provider: Arc<CryptoProvider>,
    verifier: Noting,
    patience: Duration,
) -> Result<reqwest::Client, SettingsFault> {
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SettingsFault::NoTls { reason: error.to_string() })?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .http1_only()
        .redirect(redirect::Policy::none())
        .timeout(patience);
    if base_url.is_loopback() {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| SettingsFault::NoTls { reason: exchange::innermost(&error) })
}

/// The certificate that was shown first, and the verdict on it.
#[derive(Debug)]
struct Shown {
    certificate: Option<ServerCertificate>,
    at: Instant,
    fault: Option<String>,
}

/// Takes note of what a server shows. Whether it is trusted is decided elsewhere, and as ever.
#[derive(Debug)]
struct Noting {
    trust: Verifier,
    shown: Arc<OnceLock<Shown>>,
}

impl ServerCertVerifier for Noting {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verdict = self.trust.verify_server_cert(certificate, between, name, ocsp, now);
        let fault = verdict.as_ref().err().map(ToString::to_string);
        self.shown.get_or_init(|| Shown { certificate: read(certificate), at: Instant::now(), fault });
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.trust.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.trust.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trust.supported_verify_schemes()
    }
}

fn read(certificate: &CertificateDer<'_>) -> Option<ServerCertificate> {
    let certificate = Certificate::from_der(certificate).ok()?.tbs_certificate;
    let expires = certificate.validity.not_after.to_unix_duration().as_secs();
    Some(ServerCertificate {
        subject: certificate.subject.to_string(),
        issuer: certificate.issuer.to_string(),
        expires: Timestamp::from_second(i64::try_from(expires).ok()?).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject;

    use super::*;

    #[test]
    fn a_certificate_says_who_issued_it_and_how_long_it_is_good() {
        let pem = include_bytes!("../../tests/connection/server.pem");
        let read = read(&CertificateDer::from_pem_slice(pem).unwrap()).unwrap();
        assert!(read.issuer.starts_with("CN="), "{read:?}");
        assert!(read.expires > Timestamp::UNIX_EPOCH);
        assert_eq!(super::read(&CertificateDer::from(vec![0x30, 0x80])), None);
    }
}
