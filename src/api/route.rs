//! Inspects the connection to a server: the proxy that requests go through, and the certificate that the server presents.
//!
//! Uses the same proxies and the same trust as a [`Client`](super::Client); sends neither the key nor anything else about the
//! tenant.

use std::env;
use std::fmt;
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
use url::{Host, Url};
use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::settings::SettingsFault;
use super::{exchange, obstacle};
use crate::remote::{BaseUrl, ConnectError, ObstacleKind};

/// A proxy that requests to a server go through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Its address, without user name and password.
    pub address: String,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The environment variable that sets it; `None` if the system's settings do.
    pub variable: Option<&'static str>,
    /// Who resolves the server's name.
    pub name_resolution: NameResolution,
}

/// Who resolves a server's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameResolution {
    /// This machine.
    Local,
    /// The proxy.
    Proxy,
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {}", self.address, self.variable.unwrap_or("the system's settings"))
    }
}

/// The proxy for requests to a server, if there is one.
#[must_use]
pub fn proxy(base_url: &BaseUrl) -> Option<Proxy> {
    proxy_to(&base_url.segments())
}

/// The proxy for requests to a URL, if there is one.
#[must_use]
pub fn proxy_to(url: &Url) -> Option<Proxy> {
    if is_loopback(url) {
        return None;
    }
    let found = Matcher::from_system().intercept(&url.as_str().parse().ok()?)?;
    let address = found.uri();
    let scheme = address.scheme_str().unwrap_or("http");
    let default_port = match scheme {
        "https" => 443,
        "http" => 80,
        _ => 1080,
    };
    let (host, port) = (address.host().unwrap_or_default().to_owned(), address.port_u16().unwrap_or(default_port));
    Some(Proxy {
        address: format!("{scheme}://{host}:{port}"),
        host,
        port,
        variable: variables(url).into_iter().find(|name| env::var_os(name).is_some_and(|value| !value.is_empty())),
        name_resolution: if matches!(scheme, "socks5" | "socks4") {
            NameResolution::Local
        } else {
            NameResolution::Proxy
        },
    })
}

/// An environment variable that does not name a usable proxy. Its value is not repeated: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} names no proxy that can be used: {reason}")]
pub struct ProxyFault {
    /// The variable.
    pub variable: &'static str,
    reason: String,
}

/// Rejects an unusable value of the proxy variables that apply to a URL. The HTTP library would ignore it and connect directly,
/// bypassing the proxy that was configured.
///
/// # Errors
///
/// The variable whose value is no usable proxy.
pub fn check_proxy_to(url: &Url) -> Result<(), ProxyFault> {
    let Some(target) = url.as_str().parse().ok().filter(|_| !is_loopback(url)) else { return Ok(()) };
    let no_proxy = ["NO_PROXY", "no_proxy"].into_iter().find_map(|name| env::var(name).ok()).unwrap_or_default();
    let is_excepted = Matcher::builder().all(EXAMPLE_PROXY).no(no_proxy).build().intercept(&target).is_none();
    // CGI programs ignore proxy variables, since a request can set them.
    if is_excepted || env::var_os("REQUEST_METHOD").is_some() {
        return Ok(());
    }
    let [specific, specific_lowercase, all, all_lowercase] = variables(url);
    let value = |name: &'static str| Some((name, env::var(name).ok()?));
    let mut set = [[specific, specific_lowercase], [all, all_lowercase]]
        .into_iter()
        .filter_map(|names| names.into_iter().find_map(value));
    let Some((variable, value)) = set.find(|(_, value)| !value.is_empty()) else { return Ok(()) };
    if Matcher::builder().all(value.as_str()).build().intercept(&target).is_some() {
        return Ok(());
    }
    let scheme = value.split_once("://").map(|(scheme, _)| scheme);
    let reason = match scheme.filter(|scheme| scheme.bytes().all(|byte| byte.is_ascii_alphabetic())) {
        Some(scheme) if !matches!(scheme, "http" | "https") => format!("`{scheme}:` is not supported"),
        _ => "it is no address".into(),
    };
    Err(ProxyFault { variable, reason })
}

/// A valid proxy, to test whether `NO_PROXY` excludes a URL.
const EXAMPLE_PROXY: &str = "http://proxy.invalid";

/// The variables that may name the proxy for a URL, in order of precedence.
fn variables(url: &Url) -> [&'static str; 4] {
    match url.scheme() {
        "https" => ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
        _ => ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
    }
}

/// Whether requests to an address never leave this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The result of asking a server for its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandshakeResult {
    /// The certificate that was presented, trusted or not; `None` if the handshake did not get that far.
    pub certificate: Option<ServerCertificate>,
    /// From the first attempt to connect to the verdict on the certificate, including name lookups and proxies.
    pub elapsed: Duration,
    /// Why the server is not trusted, or why the handshake did not get that far.
    pub fault: Option<ConnectError>,
}

/// The contents of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerCertificate {
    /// Whom it was issued to.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// When it expires.
    pub expires: Timestamp,
}

/// Connects to an https server and asks for its certificate. Takes no longer than `timeout`.
///
/// # Errors
///
/// This machine has no way to verify certificates.
pub async fn handshake(
    base_url: &BaseUrl,
    extra_roots: &[CertificateDer<'static>],
    timeout: Duration,
) -> Result<HandshakeResult, SettingsFault> {
    let no_tls = |reason: String| SettingsFault::NoTls { reason };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let inner = Verifier::new_with_extra_roots(extra_roots.iter().cloned(), Arc::clone(&provider))
        .map_err(|error| no_tls(error.to_string()))?;
    let presented = Arc::new(OnceLock::new());
    let client = client(base_url, provider, RecordingVerifier { inner, presented: Arc::clone(&presented) }, timeout)?;
    let mut origin = base_url.segments();
    origin.set_path("/");
    let start = Instant::now();
    let response = client.head(origin).send().await;
    let elapsed = start.elapsed();
    // Later failures, such as a response that isn't HTTP, are reported by the API calls themselves.
    if let Some(PresentedCertificate { certificate, at, fault }) = presented.get() {
        let took = at.duration_since(start);
        return Ok(HandshakeResult { certificate: certificate.clone(), elapsed: took, fault: fault.clone() });
    }
    let fault = match response {
        Err(error) if error.is_connect() => obstacle::classify(&error, &base_url.segments(), timeout),
        Err(error) => ConnectError::from(exchange::root_cause_message(&error).as_str()),
        Ok(_) => ConnectError::new(ObstacleKind::Tls, "the server showed no certificate"),
    };
    Ok(HandshakeResult { certificate: None, elapsed, fault: Some(fault) })
}

fn client(
    base_url: &BaseUrl,
    provider: Arc<CryptoProvider>,
    verifier: RecordingVerifier,
    timeout: Duration,
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
        .timeout(timeout);
    if base_url.is_loopback() {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| SettingsFault::NoTls { reason: exchange::root_cause_message(&error) })
}

/// The first certificate that was presented, and the verdict on it.
#[derive(Debug)]
struct PresentedCertificate {
    certificate: Option<ServerCertificate>,
    at: Instant,
    fault: Option<ConnectError>,
}

/// Records the certificate that a server presents. Whether it is trusted is left to the usual verifier.
#[derive(Debug)]
struct RecordingVerifier {
    inner: Verifier,
    presented: Arc<OnceLock<PresentedCertificate>>,
}

impl ServerCertVerifier for RecordingVerifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verdict = self.inner.verify_server_cert(certificate, intermediates, name, ocsp, now);
        let fault = verdict.as_ref().err().map(obstacle::classify_tls);
        self.presented.get_or_init(|| PresentedCertificate {
            certificate: parse_certificate(certificate),
            at: Instant::now(),
            fault,
        });
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

fn parse_certificate(certificate: &CertificateDer<'_>) -> Option<ServerCertificate> {
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
    fn the_issuer_and_expiry_are_read_from_a_certificate() {
        let pem = include_bytes!("../../tests/connection/server.pem");
        let parsed = parse_certificate(&CertificateDer::from_pem_slice(pem).unwrap()).unwrap();
        assert!(parsed.issuer.starts_with("CN="), "{parsed:?}");
        assert!(parsed.expires > Timestamp::UNIX_EPOCH);
        assert_eq!(super::parse_certificate(&CertificateDer::from(vec![0x30, 0x80])), None);
    }
}
