//! [`BaseUrl`]: where the API of a tenant's platform lives, checked once, so that nobody sends a key to an address that was
//! mistyped or that anybody on the way could read.

use std::fmt;

use url::{Host, Url, form_urlencoded};

use crate::segment::SegmentId;

/// What stands between the host and `/segments`, from the platform's documentation.
pub(super) const API_PATH: &str = "/api/v1/account/integrations/auth-required";

/// The collection every call goes to.
const SEGMENTS: &str = "/segments";

/// The feed of changes, below the segments.
const FEED: &str = "/synchronization";

/// Whether plain http may be used with a host that is not this machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InsecureHttp {
    /// The key would travel readable for everybody on the way.
    #[default]
    Refused,
    /// A person decided that the way is safe, such as inside a container network.
    Allowed,
}

/// The address of the segments, with the API's path and without a slash at its end.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl {
    segments: Url,
}

/// Why a text is no base URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlFault {
    /// Nothing that reads as an address. The text itself is not repeated: it may hold a password.
    #[error("not a valid URL ({reason}); start it with https://")]
    NotAnAddress {
        /// What is wrong with it.
        reason: String,
    },
    /// Neither http nor https.
    #[error("`{scheme}:` is not supported; start it with https://")]
    WrongScheme {
        /// What it begins with.
        scheme: String,
    },
    /// Plain http to another machine.
    #[error("http would expose your API key on the network; use https, or start segtui with --insecure-http")]
    Insecure {
        /// Which machine.
        host: String,
    },
    /// A user or password in the address.
    #[error("remove the user name and password before the @")]
    Credentials,
    /// A `?` or `#` part.
    #[error("remove the part after ? or #")]
    QueryOrFragment,
}

impl BaseUrl {
    /// Reads an address as people copy it: the host alone, or with the API's path, with or without `/segments` and slashes at
    /// the end. A path before the API's own, as behind a gateway, is kept.
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
        let path = path.strip_suffix(SEGMENTS).unwrap_or(path).trim_end_matches('/');
        let before = path.strip_suffix(API_PATH).unwrap_or(path).trim_end_matches('/');
        url.set_path(&format!("{before}{API_PATH}{SEGMENTS}"));

        let base = Self { segments: url };
        if base.is_plain_http() && !base.is_loopback() && insecure_http == InsecureHttp::Refused {
            return Err(BaseUrlFault::Insecure { host: base.host() });
        }
        Ok(base)
    }

    /// The host, and the port where it is not the usual one: what tells two systems apart at a glance.
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

    /// The address of the list of segments.
    #[must_use]
    pub fn segments(&self) -> Url {
        self.segments.clone()
    }

    /// The address of the feed of changes.
    #[must_use]
    pub fn feed(&self) -> Url {
        let mut url = self.segments();
        url.set_path(&format!("{}{FEED}", url.path()));
        url
    }

    /// The address of one segment.
    ///
    /// Answers `None` for an id that no address can name: `.` and `..` are dropped from an address in every notation, which
    /// would leave that of the whole list, and the feed's own name is taken.
    #[must_use]
    pub fn segment(&self, id: &SegmentId) -> Option<Url> {
        let id = id.text();
        if matches!(&*id, "." | "..") || FEED.strip_prefix('/') == Some(&id) {
            return None;
        }
        // `Url::path_segments_mut` drops tabs and line breaks without a word, which would name another segment. Form encoding
        // covers every byte that means something in a path, and differs from a path's own only in its plus for a space.
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

/// `localhost:8080` reads as an address with the scheme `localhost`; whoever wrote it forgot the scheme.
fn wrong_scheme(text: &str, url: &Url) -> BaseUrlFault {
    if text.contains("://") {
        BaseUrlFault::WrongScheme { scheme: url.scheme().to_owned() }
    } else {
        BaseUrlFault::NotAnAddress { reason: "https:// is missing".to_owned() }
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.segments.as_str().strip_suffix(SEGMENTS).unwrap_or_default())
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
    fn every_way_of_copying_the_address_leads_to_the_same_place() {
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
    fn plain_http_is_for_this_machine_or_for_who_insists() {
        for text in ["http://localhost:8080", "http://127.0.0.1", "http://127.9.9.9:1", "http://[::1]:8080"] {
            assert!(parse(text).unwrap().is_loopback(), "{text}");
        }
        for text in ["http://10.0.0.1", "http://localhost.example", "http://127.0.0.1.example", "http://[::2]"] {
            assert!(matches!(parse(text), Err(BaseUrlFault::Insecure { .. })), "{text}");
            assert!(!BaseUrl::parse(text, InsecureHttp::Allowed).unwrap().is_loopback(), "{text}");
        }
    }

    #[test]
    fn a_refusal_says_what_to_do_and_repeats_no_password() {
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
    fn whatever_an_id_holds_it_names_one_thing_below_the_segments() {
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
