//! [`BaseUrl`]: the URL of the segment API, validated once, so that the key is never sent to a mistyped address or over a
//! connection that anybody could read.

use std::fmt;

use url::{Host, Url, form_urlencoded};

use crate::segment::SegmentId;

/// The path between the host and `/segments`, from the platform's documentation.
pub(super) const API_PATH: &str = "/api/v1/account/integrations/auth-required";

/// The collection that every call goes to.
const SEGMENTS_PATH: &str = "/segments";

/// The feed of changes, under the segments.
const FEED_PATH: &str = "/synchronization";

/// Whether plain http is allowed to a host other than this machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InsecureHttp {
    /// No: the key would be readable for everybody on the way.
    #[default]
    Refused,
    /// Yes: the user decided that the network is safe, such as inside a container network.
    Allowed,
}

/// The URL of the segments, with the API's path and without a trailing slash.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl {
    segments: Url,
}

/// Why a text is not a base URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlFault {
    /// Not a URL. The text itself is not repeated: it may hold a password.
    #[error("not a valid URL ({reason}); start it with https://")]
    NotAnAddress {
        /// What is wrong with it.
        reason: String,
    },
    /// Neither http nor https.
    #[error("`{scheme}:` is not supported; start it with https://")]
    WrongScheme {
        /// Its scheme.
        scheme: String,
    },
    /// Plain http to another machine.
    #[error("http would expose your API key on the network; use https, or start segtui with --insecure-http")]
    Insecure {
        /// The host.
        host: String,
    },
    /// A user name or password in the URL.
    #[error("remove the user name and password before the @")]
    Credentials,
    /// A `?` or `#` part.
    #[error("remove the part after ? or #")]
    QueryOrFragment,
}

impl BaseUrl {
    /// Parses a URL as people copy it: the host alone, or with the API's path, with or without `/segments` and trailing slashes.
    /// A path before the API's own, as behind a gateway, is kept.
    ///
    /// # Errors
    ///
    /// Any [`BaseUrlFault`]; each says what to do about it.
    pub fn parse(text: &str, insecure_http: InsecureHttp) -> Result<Self, BaseUrlFault> {
        let mut url = Url::parse(text.trim()).map_err(|error| not_an_address(text, error))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(wrong_scheme(text, &url));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlFault::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlFault::QueryOrFragment);
        }
        let path = url.path().trim_end_matches('/');
        let path = path.strip_suffix(SEGMENTS_PATH).unwrap_or(path).trim_end_matches('/');
        let before = path.strip_suffix(API_PATH).unwrap_or(path).trim_end_matches('/');
        url.set_path(&format!("{before}{API_PATH}{SEGMENTS_PATH}"));

        let base = Self { segments: url };
        if base.is_plain_http() && !base.is_loopback() && insecure_http == InsecureHttp::Refused {
            return Err(BaseUrlFault::Insecure { host: base.host() });
        }
        Ok(base)
    }

    /// The host, and the port if it is not the default: enough to tell two systems apart at a glance.
    #[must_use]
    pub fn host(&self) -> String {
        let host = self.segments.host_str().unwrap_or_default();
        self.segments.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Whether requests never leave this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self.segments.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// Whether requests travel unencrypted.
    #[must_use]
    pub fn is_plain_http(&self) -> bool {
        self.segments.scheme() == "http"
    }

    /// The URL of the list of segments.
    #[must_use]
    pub fn segments(&self) -> Url {
        self.segments.clone()
    }

    /// The URL of the feed of changes.
    #[must_use]
    pub fn feed(&self) -> Url {
        let mut url = self.segments();
        url.set_path(&format!("{}{FEED_PATH}", url.path()));
        url
    }

    /// The URL of one segment.
    ///
    /// Returns `None` for an id that no URL can name: `.` and `..` are removed from a path in every encoding, which would leave
    /// the URL of the whole list, and `synchronization` is the feed.
    #[must_use]
    pub fn segment(&self, id: &SegmentId) -> Option<Url> {
        let id = id.text();
        if matches!(&*id, "." | "..") || FEED_PATH.strip_prefix('/') == Some(&id) {
            return None;
        }
        // `Url::path_segments_mut` silently drops tabs and line breaks, which would name another segment. Form encoding covers
        // every byte with a meaning in a path, and differs from path encoding only in writing a space as `+`.
        let encoded: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
        let mut url = self.segments();
        url.set_path(&format!("{}/{}", url.path(), encoded.replace('+', "%20")));
        Some(url)
    }
}

fn not_an_address(text: &str, error: url::ParseError) -> BaseUrlFault {
    let reason = match error {
        url::ParseError::RelativeUrlWithoutBase if text.trim().is_empty() => "it is empty".to_owned(),
        url::ParseError::RelativeUrlWithoutBase => "https:// is missing".to_owned(),
        other => other.to_string(),
    };
    BaseUrlFault::NotAnAddress { reason }
}

/// `localhost:8080` parses as a URL with the scheme `localhost`; the scheme is really missing.
fn wrong_scheme(text: &str, url: &Url) -> BaseUrlFault {
    if text.contains("://") {
        BaseUrlFault::WrongScheme { scheme: url.scheme().to_owned() }
    } else {
        BaseUrlFault::NotAnAddress { reason: "https:// is missing".to_owned() }
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.segments.as_str().strip_suffix(SEGMENTS_PATH).unwrap_or_default())
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<BaseUrl, BaseUrlFault> {
        BaseUrl::parse(text, InsecureHttp::Refused)
    }

    #[test]
    fn every_copied_form_of_the_url_gives_the_same_base_url() {
        for text in [
            "https://api-preprod.one.unity.pl",
            "https://api-preprod.one.unity.pl/",
            " https://API-preprod.one.unity.pl:443/api/v1/account/integrations/auth-required ",
            "https://api-preprod.one.unity.pl/api/v1/account/integrations/auth-required/",
            "https://api-preprod.one.unity.pl/api/v1/account/integrations/auth-required/segments//",
        ] {
            let base = parse(text).unwrap();
            assert_eq!(
                base.segments().as_str(),
                "https://api-preprod.one.unity.pl/api/v1/account/integrations/auth-required/segments"
            );
            assert_eq!(base.host(), "api-preprod.one.unity.pl");
            assert_eq!(parse(&base.to_string()), Ok(base), "{text}");
        }
    }

    #[test]
    fn a_gateways_own_path_is_kept() {
        let base = parse("https://gateway.example:8443/one/").unwrap();
        assert_eq!(base.segments().path(), format!("/one{API_PATH}/segments"));
        assert_eq!(base.host(), "gateway.example:8443");
    }

    #[test]
    fn plain_http_is_refused_for_other_hosts_unless_allowed() {
        for text in ["http://localhost:8080", "http://127.0.0.1", "http://127.9.9.9:1", "http://[::1]:8080"] {
            assert!(parse(text).unwrap().is_loopback(), "{text}");
        }
        for text in ["http://10.0.0.1", "http://localhost.example", "http://127.0.0.1.example", "http://[::2]"] {
            assert!(matches!(parse(text), Err(BaseUrlFault::Insecure { .. })), "{text}");
            assert!(!BaseUrl::parse(text, InsecureHttp::Allowed).unwrap().is_loopback(), "{text}");
        }
    }

    #[test]
    fn an_error_says_what_to_do_and_shows_no_password() {
        for (text, expected) in [
            ("", "it is empty"),
            ("api.example", "https:// is missing"),
            ("localhost:8080", "https:// is missing"),
            ("ftp://api.example", "`ftp:` is not supported"),
            ("https://", "empty host"),
            ("https://me:hunter2@api.example", "before the @"),
            ("https://me:hunter2@exa mple", "not a valid URL"),
            ("https://api.example?x=1", "remove the part after"),
            ("http://api.example", "--insecure-http"),
        ] {
            let message = parse(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn every_id_is_encoded_as_one_path_segment() {
        let base = parse("https://h").unwrap();
        for (id, encoded) in [
            ("segment", "segment"),
            ("a/b", "a%2Fb"),
            ("a?b#c", "a%3Fb%23c"),
            ("a b+c", "a%20b%2Bc"),
            ("50%", "50%25"),
            ("%2e%2e", "%252e%252e"),
            ("a\tb\n", "a%09b%0A"),
            ("..\\x", "..%5Cx"),
            ("Łódź", "%C5%81%C3%B3d%C5%BA"),
        ] {
            let url = base.segment(&SegmentId::new(id).unwrap()).unwrap();
            assert_eq!(url.path(), format!("{API_PATH}/segments/{encoded}"), "{id}");
        }
        for id in [".", "..", "synchronization"] {
            assert_eq!(base.segment(&SegmentId::new(id).unwrap()), None, "{id}");
        }
    }
}
