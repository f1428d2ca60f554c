//! From what was typed to a profile that makes sense, or to what is wrong at which field.

use secrecy::SecretString;

use crate::app::dialogs::words;
use crate::remote::{BaseUrl, InsecureHttp};

use super::{KeyLocation, NewProfile, ProfileField};

/// A profile as it was filled in. Whether it works, the server tells.
#[derive(Debug, Clone)]
pub struct FilledProfile {
    /// The profile's name.
    pub name: String,
    /// Where the server is.
    pub base_url: BaseUrl,
    /// The same as the person wrote it.
    pub address: String,
    /// The tenant.
    pub tenant: String,
    /// The key, or what leads to it.
    pub key: KeySource,
    /// Whether http to another machine was allowed.
    pub insecure_http: InsecureHttp,
}

/// A key and where it is to be kept, or what leads to it.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// This key, to be kept in the system's keyring.
    Keyring(SecretString),
    /// This key, to be held in memory until the program ends.
    Session(SecretString),
    /// This key, to be kept in the file.
    File(SecretString),
    /// The environment variable of that name.
    Variable(String),
    /// The first line of what a command prints: the program and its arguments.
    Command(Vec<String>),
}

/// An address as a person may shorten it: a host or `host:port` is reached by https, and by http on this machine.
pub(super) fn completed(address: &str) -> String {
    let address = address.trim();
    if address.is_empty() || address.contains("://") {
        return address.to_owned();
    }
    let plain = format!("http://{address}");
    let is_local = BaseUrl::parse(&plain, InsecureHttp::Allowed).is_ok_and(|url| url.is_loopback());
    if is_local { plain } else { format!("https://{address}") }
}

impl NewProfile {
    /// What was filled in. Otherwise every fault is noted at its field.
    pub(super) fn entry(&mut self) -> Option<FilledProfile> {
        self.faults.clear();
        let address = completed(self.base_url.text());
        let base_url = match address.as_str() {
            "" | "https://" | "http://" => Err(words::ENTER_URL.into()),
            _ => BaseUrl::parse(&address, self.context.insecure_http).map_err(|fault| fault.to_string()),
        };
        let base_url = self.noted(ProfileField::BaseUrl, base_url);
        let tenant = self.noted(ProfileField::Tenant, sendable(self.tenant.text(), words::THE_TENANT));
        let name = self.noted(ProfileField::Name, self.checked_name());
        let key_field = if self.keeping.takes_key() { ProfileField::Key } else { ProfileField::Source };
        let key = self.noted(key_field, self.key_source());
        let (base_url, tenant, name, key) = (base_url?, tenant?, name?, key?);
        let needs_leave = base_url.is_plain_http() && !base_url.is_loopback();
        let insecure_http = if needs_leave { InsecureHttp::Allowed } else { InsecureHttp::Refused };
        Some(FilledProfile { name, base_url, address, tenant, key, insecure_http })
    }

    fn noted<T>(&mut self, field: ProfileField, result: Result<T, String>) -> Option<T> {
        result.map_err(|fault| self.faults.insert(field, fault)).ok()
    }

    fn checked_name(&self) -> Result<String, String> {
        let name = self.name_text();
        if self.context.taken.iter().any(|taken| taken == name) {
            return Err(words::profile_exists(name));
        }
        // A blank tenant is a fault of its own, which is told there.
        Ok(name.to_owned())
    }

    fn key_source(&self) -> Result<KeySource, String> {
        match self.keeping {
            KeyLocation::Keyring => self.typed_key().map(KeySource::Keyring),
            KeyLocation::Session => self.typed_key().map(KeySource::Session),
            KeyLocation::File => self.typed_key().map(KeySource::File),
            KeyLocation::Variable => {
                let name = self.variable.text().trim();
                match name {
                    "" => Err(words::ENTER_VARIABLE.into()),
                    _ if name.contains(['=', '$', ' ']) => Err(words::ENTER_ONLY_THE_NAME.into()),
                    _ => Ok(KeySource::Variable(name.to_owned())),
                }
            }
            KeyLocation::Command => match shell_words::split(self.command.text()) {
                Ok(words) if words.is_empty() => Err(words::ENTER_COMMAND.into()),
                Ok(words) => Ok(KeySource::Command(words)),
                Err(_) => Err(words::UNCLOSED_QUOTE.into()),
            },
        }
    }

    fn typed_key(&self) -> Result<SecretString, String> {
        sendable(self.key.0.text(), words::THE_API_KEY).map(|_| self.secret())
    }
}

/// As a header takes it. The text itself is not repeated.
fn sendable(text: &str, what: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(words::enter(what));
    }
    let is_printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if is_printable { Ok(text.to_owned()) } else { Err(words::not_for_a_header(what)) }
}
