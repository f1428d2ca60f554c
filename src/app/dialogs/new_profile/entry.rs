//! Validation of the form: from the typed text to a profile, or to the errors at its fields.

use secrecy::SecretString;

use crate::app::dialogs::words;
use crate::remote::{BaseUrl, InsecureHttp};

use super::{KeyLocation, NewProfile, ProfileField};

/// A valid profile from the form. Whether it works is for the server to tell.
#[derive(Debug, Clone)]
pub struct FilledProfile {
    /// The profile's name.
    pub name: String,
    /// The server URL.
    pub base_url: BaseUrl,
    /// The URL as text, as it was typed but with a scheme.
    pub address: String,
    /// The tenant.
    pub tenant: String,
    /// The key or its source.
    pub key: KeySource,
    /// Whether the profile allows plain http to another machine.
    pub insecure_http: InsecureHttp,
}

/// A key with the place to store it, or the source of the key.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// This key, to be stored in the system keyring.
    Keyring(SecretString),
    /// This key, to be held in memory until the program ends.
    Session(SecretString),
    /// This key, to be stored in the configuration file.
    File(SecretString),
    /// The environment variable of that name.
    Variable(String),
    /// The first line of a command's output: the program and its arguments.
    Command(Vec<String>),
}

/// Adds the scheme to a URL that was typed as a host or `host:port`: https, or http for this machine.
pub(super) fn with_scheme(address: &str) -> String {
    let address = address.trim();
    if address.is_empty() || address.contains("://") {
        return address.to_owned();
    }
    let plain = format!("http://{address}");
    let is_local = BaseUrl::parse(&plain, InsecureHttp::Allowed).is_ok_and(|url| url.is_loopback());
    if is_local { plain } else { format!("https://{address}") }
}

impl NewProfile {
    /// Returns the filled-in profile. If a field is invalid, sets the error at each such field and returns `None`.
    pub(super) fn entry(&mut self) -> Option<FilledProfile> {
        self.faults.clear();
        let address = with_scheme(self.base_url.text());
        let base_url = match address.as_str() {
            "" | "https://" | "http://" => Err(words::ENTER_URL.into()),
            _ => BaseUrl::parse(&address, self.context.insecure_http).map_err(|fault| fault.to_string()),
        };
        let base_url = self.record_fault(ProfileField::BaseUrl, base_url);
        let tenant = self.record_fault(ProfileField::Tenant, header_value(self.tenant.text(), words::THE_TENANT));
        let name = self.record_fault(ProfileField::Name, self.checked_name());
        let key_field = if self.key_location.takes_key() { ProfileField::Key } else { ProfileField::Source };
        let key = self.record_fault(key_field, self.key_source());
        let (base_url, tenant, name, key) = (base_url?, tenant?, name?, key?);
        let needs_permission = base_url.is_plain_http() && !base_url.is_loopback();
        let insecure_http = if needs_permission { InsecureHttp::Allowed } else { InsecureHttp::Refused };
        Some(FilledProfile { name, base_url, address, tenant, key, insecure_http })
    }

    fn record_fault<T>(&mut self, field: ProfileField, result: Result<T, String>) -> Option<T> {
        result.map_err(|fault| self.faults.insert(field, fault)).ok()
    }

    fn checked_name(&self) -> Result<String, String> {
        let name = self.name_text();
        if self.context.taken.iter().any(|taken| taken == name) {
            return Err(words::profile_exists(name));
        }
        // A blank tenant is reported at the tenant field.
        Ok(name.to_owned())
    }

    fn key_source(&self) -> Result<KeySource, String> {
        match self.key_location {
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
        header_value(self.key.0.text(), words::THE_API_KEY).map(|_| self.secret())
    }
}

/// Returns the trimmed text if it is valid in an HTTP header. The error doesn't repeat the text, which may be a key.
fn header_value(text: &str, field: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(words::enter(field));
    }
    let is_printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if is_printable { Ok(text.to_owned()) } else { Err(words::not_for_a_header(field)) }
}
