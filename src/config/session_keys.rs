//! API keys that were typed for this session only: in memory, and nowhere else.
//!
//! Whoever writes profiles puts them in, and whoever opens a profile finds them here. A key goes only to the server and the tenant
//! that it was typed for, whatever the profile of that name says by then.

use std::sync::{Arc, Mutex, PoisonError};

use secrecy::SecretString;

use crate::remote::BaseUrl;

/// The keys of this session. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct SessionKeys {
    keys: Arc<Mutex<Vec<SessionKey>>>,
}

#[derive(Debug)]
struct SessionKey {
    profile: String,
    base_url: BaseUrl,
    tenant: String,
    key: SecretString,
}

impl SessionKeys {
    /// Holds the key of a profile, in the place of an earlier one.
    pub fn hold(&self, profile: &str, base_url: &BaseUrl, tenant: &str, key: SecretString) {
        let held =
            SessionKey { profile: profile.to_owned(), base_url: base_url.clone(), tenant: tenant.to_owned(), key };
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.retain(|other| other.profile != profile);
        keys.push(held);
    }

    /// The key that was typed for a profile, if it still leads to the same server and tenant.
    #[must_use]
    pub fn of(&self, profile: &str, base_url: &BaseUrl, tenant: &str) -> Option<SecretString> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let is_meant =
            |held: &&SessionKey| held.profile == profile && held.base_url == *base_url && held.tenant == tenant;
        keys.iter().find(is_meant).map(|held| held.key.clone())
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::remote::InsecureHttp;

    fn url(text: &str) -> BaseUrl {
        BaseUrl::parse(text, InsecureHttp::Refused).unwrap()
    }

    #[test]
    fn a_key_goes_only_to_the_profile_server_and_tenant_it_was_typed_for() {
        let keys = SessionKeys::default();
        let one = url("https://one.example");
        keys.clone().hold("acme", &one, "acme", "hunter2".to_owned().into());
        assert_eq!(keys.of("acme", &one, "acme").unwrap().expose_secret(), "hunter2");
        assert!(keys.of("other", &one, "acme").is_none());
        assert!(keys.of("acme", &url("https://two.example"), "acme").is_none());
        assert!(keys.of("acme", &one, "other").is_none());
        assert!(!format!("{keys:?}").contains("hunter2"));
    }

    #[test]
    fn a_key_that_is_typed_again_takes_the_place_of_the_first() {
        let keys = SessionKeys::default();
        let one = url("https://one.example");
        for key in ["first", "second"] {
            keys.hold("acme", &one, "acme", key.to_owned().into());
        }
        assert_eq!(keys.of("acme", &one, "acme").unwrap().expose_secret(), "second");
    }
}
