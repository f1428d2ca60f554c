//! Turns connection errors of the network libraries into [`ConnectError`]s with a kind and plain words. The original error is
//! logged.

use std::error::Error;
use std::io;
use std::time::Duration;

use rustls::{AlertDescription, CertificateError, InvalidMessage};
use url::Url;

use super::{exchange, route};
use crate::remote::{ConnectError, ObstacleKind};

/// Why a connection to `url` failed; `timeout` applies to connecting.
pub fn classify(error: &reqwest::Error, url: &Url, timeout: Duration) -> ConnectError {
    tracing::debug!(?error, "no connection");
    let proxy = route::proxy_to(url);
    let connect_error = if error.is_timeout() {
        let words = format!("connection timed out after {} s", timeout.as_secs_f64());
        ConnectError::new(ObstacleKind::TimedOut, words)
    } else {
        // If a proxy resolves the server's name, this machine only looked up the proxy's.
        let host = match &proxy {
            Some(proxy) if proxy.name_resolution == route::NameResolution::Proxy => &proxy.host,
            _ => url.host_str().unwrap_or_default(),
        };
        // A cause of a known type says more than the message of the proxy library, so it is preferred.
        let known = causes(error).find_map(|cause| classify_cause(cause, host));
        let known = known.or_else(|| causes(error).find_map(|cause| classify_proxy_message(&cause.to_string())));
        known.unwrap_or_else(|| ConnectError::from(exchange::root_cause_message(error).as_str()))
    };
    connect_error.with_proxy(proxy.map(|proxy| proxy.to_string()))
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let source = |cause: &&'a (dyn Error + 'static)| -> Option<&'a (dyn Error + 'static)> { (*cause).source() };
    std::iter::successors(Some(error), source)
}

fn classify_cause(cause: &(dyn Error + 'static), host: &str) -> Option<ConnectError> {
    if let Some(error) = cause.downcast_ref::<rustls::Error>() {
        return Some(classify_tls(error));
    }
    if let Some(error) = cause.downcast_ref::<io::Error>() {
        // The error inside an `io::Error` is not in its `source` chain.
        let inner = error.get_ref().and_then(|inner| classify_cause(inner, host));
        return inner.or_else(|| match error.kind() {
            io::ErrorKind::ConnectionRefused => Some(ConnectError::new(ObstacleKind::Refused, "connection refused")),
            io::ErrorKind::UnexpectedEof if error.to_string() == "tls handshake eof" => {
                Some(ConnectError::new(ObstacleKind::Tls, "the server ended the connection instead of encrypting it"))
            }
            _ => None,
        });
    }
    // The connector's own error type is private; this text is all that marks a failed name lookup.
    let words = cause.to_string();
    (words == "dns error").then(|| ConnectError::no_such_host(host, &exchange::root_cause_message(cause)))
}

/// Why a TLS handshake failed.
pub fn classify_tls(error: &rustls::Error) -> ConnectError {
    let (kind, words) = match error {
        rustls::Error::InvalidCertificate(fault) => return classify_certificate(fault),
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            (ObstacleKind::NotTls, "what answers there is not encrypted (http and not https)")
        }
        rustls::Error::AlertReceived(AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure)
        | rustls::Error::PeerIncompatible(_) => {
            (ObstacleKind::Tls, "the server offers no way of encrypting that is safe")
        }
        rustls::Error::AlertReceived(_) => (ObstacleKind::Tls, "the server refused to encrypt the connection"),
        rustls::Error::NoCertificatesPresented => (ObstacleKind::Tls, "the server showed no certificate"),
        _ => (ObstacleKind::Tls, "the server and this program couldn't agree on encryption"),
    };
    ConnectError::new(kind, words)
}

fn classify_certificate(fault: &CertificateError) -> ConnectError {
    let (kind, words) = match fault {
        CertificateError::UnknownIssuer => {
            (ObstacleKind::UnknownIssuer, "the certificate's issuer isn't trusted".into())
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            (ObstacleKind::Expired, "the certificate has expired".into())
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            (ObstacleKind::Expired, "the certificate isn't valid yet".into())
        }
        CertificateError::NotValidForName => (ObstacleKind::WrongName, "the certificate is for another name".into()),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<&str> = presented.iter().map(|name| bare_name(name)).collect();
            let names = if names.is_empty() { "no name".to_owned() } else { names.join(", ") };
            (ObstacleKind::WrongName, format!("the certificate is for {names}, not for {}", expected.to_str()))
        }
        CertificateError::Revoked => (ObstacleKind::Tls, "the certificate was revoked".into()),
        _ => (ObstacleKind::Tls, "the certificate isn't valid".into()),
    };
    ConnectError::new(kind, words)
}

/// Strips the library's notation from a name: `DnsName("one.example")` becomes `one.example`.
fn bare_name(name: &str) -> &str {
    let inside = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
    inside.trim_matches('"')
}

/// What a proxy reported. The library that talks to it gives no typed cause, only its own messages.
fn classify_proxy_message(words: &str) -> Option<ConnectError> {
    let other = |words: &str| Some(ConnectError::from(words));
    if let Some(words) = words.strip_prefix("SOCKS error: ") {
        return match words {
            "failed to create underlying connection" => other("it can't be reached"),
            "io error during SOCKS handshake" => other("it ended the connection"),
            "failed parsing server response" => other("it is no SOCKS proxy"),
            message => other(&format!("it says: {message}")),
        };
    }
    match words.strip_prefix("tunnel error: ")? {
        "proxy authorization required" => {
            Some(ConnectError::new(ObstacleKind::ProxyLogin, "it wants a user name and a password"))
        }
        "unsuccessful" => other("it refused to connect to the server"),
        "failed to create underlying connection" => other("it can't be reached"),
        "unexpected end of file" => other("it ended the connection"),
        message => other(message),
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::ServerName;

    use super::*;

    #[test]
    fn a_certificate_for_another_name_shows_both_names() {
        let fault = CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("one.example").unwrap(),
            presented: vec!["DnsName(\"other.example\")".into(), "IpAddress(127.0.0.1)".into()],
        };
        let error = classify_tls(&rustls::Error::InvalidCertificate(fault));
        assert_eq!(error.kind, ObstacleKind::WrongName);
        assert_eq!(error.message, "the certificate is for other.example, 127.0.0.1, not for one.example");
    }
}
