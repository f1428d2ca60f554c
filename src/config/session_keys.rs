//! API keys that were entered for this session only, kept in memory and nowhere else.
//!
//! A new profile stores its key here, and opening a profile looks it up here. A key is only used for the server and the tenant
//! that it was entered for, even if the profile with that name has been changed since.

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
    /// Stores the key of a profile, replacing an earlier one.
    pub fn insert(&self, profile: &str, base_url: &BaseUrl, tenant: &str, key: SecretString) {
        let entry =
            SessionKey { profile: profile.to_owned(), base_url: base_url.clone(), tenant: tenant.to_owned(), key };
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.retain(|other| other.profile != profile);
        keys.push(entry);
    }

    /// The key that was entered for a profile, if the profile still has the same server and tenant.
    #[must_use]
    pub fn get(&self, profile: &str, base_url: &BaseUrl, tenant: &str) -> Option<SecretString> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let is_match =
            |entry: &&SessionKey| entry.profile == profile && entry.base_url == *base_url && entry.tenant == tenant;
        keys.iter().find(is_match).map(|entry| entry.key.clone())
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
    fn a_key_is_used_only_for_its_profile_server_and_tenant() {
        let keys = SessionKeys::default();
        let one = url("https://one.example");
        keys.clone().insert("acme", &one, "acme", "hunter2".to_owned().into());
        assert_eq!(keys.get("acme", &one, "acme").unwrap().expose_secret(), "hunter2");
        assert!(keys.get("other", &one, "acme").is_none());
        assert!(keys.get("acme", &url("https://two.example"), "acme").is_none());
        assert!(keys.get("acme", &one, "other").is_none());
        assert!(!format!("{keys:?}").contains("hunter2"));
    }

    #[test]
    fn a_key_that_is_entered_again_replaces_the_first() {
        let keys = SessionKeys::default();
        let one = url("https://one.example");
        for key in ["first", "second"] {
            keys.insert("acme", &one, "acme", key.to_owned().into());
        }
        assert_eq!(keys.get("acme", &one, "acme").unwrap().expose_secret(), "second");
    }
}
