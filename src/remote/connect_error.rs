//! [`ConnectError`]: why a connection failed, as plain data, with advice for the user.
//!
//! Commands, `doctor` and the interface all report it with this type, so that one problem has one name and one remedy.

use std::fmt;

/// Why the server could not be reached. Displayed as a phrase.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectError {
    /// The kind of problem.
    pub kind: ObstacleKind,
    /// What happened.
    pub message: String,
    /// The proxy that was involved, and where it is configured; `None` if no proxy was involved.
    pub proxy: Option<String>,
}

/// The kinds of problems, by how they are solved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ObstacleKind {
    /// No host has that name, or the name can't be looked up.
    NoSuchHost,
    /// The host is reachable, but nothing listens on that port.
    Refused,
    /// The certificate's issuer is not trusted.
    UnknownIssuer,
    /// The certificate is no longer valid, or not yet.
    Expired,
    /// The certificate is for another name.
    WrongName,
    /// The server on that port doesn't speak TLS.
    NotTls,
    /// The TLS handshake failed, or the certificate is rejected for another reason.
    Tls,
    /// The proxy requires a login.
    ProxyLogin,
    /// It took too long.
    TimedOut,
    /// Anything else.
    #[default]
    Other,
}

impl ObstacleKind {
    /// Whether it occurred during the TLS handshake, behind any proxy.
    #[must_use]
    pub const fn is_tls(self) -> bool {
        matches!(self, Self::UnknownIssuer | Self::Expired | Self::WrongName | Self::NotTls | Self::Tls)
    }

    /// Whether it stays until someone mends it. A name server, a port or a handshake that fails may be back in a moment.
    #[must_use]
    pub const fn is_permanent(self) -> bool {
        matches!(self, Self::UnknownIssuer | Self::Expired | Self::WrongName | Self::NotTls | Self::ProxyLogin)
    }
}

impl ConnectError {
    /// An error of a kind, without a proxy.
    #[must_use]
    pub fn new(kind: ObstacleKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), proxy: None }
    }

    /// Adds the proxy of the connection. A TLS problem is the server's, so no proxy is named for it.
    #[must_use]
    pub fn with_proxy(self, proxy: Option<String>) -> Self {
        Self { proxy: proxy.filter(|_| !self.kind.is_tls()), ..self }
    }

    /// A host whose name can't be looked up; `resolver_message` is the resolver's message.
    #[must_use]
    pub fn no_such_host(host: &str, resolver_message: &str) -> Self {
        let resolver_message = resolver_message.to_ascii_lowercase();
        let message = if resolver_message.contains("temporary") || resolver_message.contains("try again") {
            format!("{host} can't be looked up: the name server doesn't answer")
        } else {
            format!("no host is called {host}")
        };
        Self::new(ObstacleKind::NoSuchHost, message)
    }

    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self.kind {
            ObstacleKind::ProxyLogin => PROXY_LOGIN,
            ObstacleKind::UnknownIssuer => {
                "if a company or a proxy signs the certificate, trust its CA with --ca-file or `ca_file` in the profile"
            }
            ObstacleKind::Expired => "the server needs a new certificate; check this machine's clock too",
            ObstacleKind::WrongName => "check the host in the base URL: the server's certificate is for other names",
            ObstacleKind::NotTls => "check that the base URL is https on the right port",
            ObstacleKind::Tls => {
                "check the port in the base URL; the server needs TLS 1.2 or later and a valid certificate"
            }
            _ if self.proxy.is_some() => {
                "check the proxy and the variable that names it; NO_PROXY excepts hosts from it"
            }
            ObstacleKind::NoSuchHost => "check the host name, the network and the name server; a VPN may be needed",
            ObstacleKind::Refused => "check the port, firewalls, and whether a proxy (HTTPS_PROXY) or a VPN is needed",
            ObstacleKind::TimedOut => "check the network and firewalls, or try again later",
            ObstacleKind::Other => "check the network and the base URL, or try again later",
        }
    }
}

/// What to do about a proxy that requires a login.
pub const PROXY_LOGIN: &str =
    "put the user name and password into the variable that names the proxy: http://USER:PASSWORD@HOST:PORT";

impl From<&str> for ConnectError {
    /// An error of no particular kind.
    fn from(message: &str) -> Self {
        Self::new(ObstacleKind::Other, message)
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.proxy {
            Some(proxy) => write!(f, "through the proxy {proxy}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_named_only_if_it_is_involved() {
        let proxy = || Some("http://127.0.0.1:1 from HTTPS_PROXY".to_owned());
        let refused = ConnectError::new(ObstacleKind::Refused, "connection refused").with_proxy(proxy());
        assert_eq!(refused.to_string(), "through the proxy http://127.0.0.1:1 from HTTPS_PROXY: connection refused");
        assert!(refused.hint().contains("NO_PROXY"), "{}", refused.hint());
        let expired = ConnectError::new(ObstacleKind::Expired, "the certificate has expired").with_proxy(proxy());
        assert_eq!(expired.to_string(), "the certificate has expired");
    }

    #[test]
    fn a_silent_name_server_is_not_reported_as_an_unknown_host() {
        let message = |resolver_message| ConnectError::no_such_host("one.example", resolver_message).message;
        assert_eq!(message("Name or service not known"), "no host is called one.example");
        assert_eq!(message("nodename nor servname provided, or not known"), "no host is called one.example");
        let silent = "one.example can't be looked up: the name server doesn't answer";
        assert_eq!(message("Temporary failure in name resolution"), silent);
    }
}
