//! [`UrlTemplate`]: the URL where the browser shows a segment, with placeholders for the segment's fields.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::segment::Segment;

/// A URL with placeholders such as `{id}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlTemplate {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Placeholder(Placeholder),
}

/// A placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placeholder {
    Id,
    Name,
    ExternalId,
    Tenant,
}

const PLACEHOLDERS: [(&str, Placeholder); 4] = [
    ("id", Placeholder::Id),
    ("name", Placeholder::Name),
    ("external_id", Placeholder::ExternalId),
    ("tenant", Placeholder::Tenant),
];

/// Why a text is not a URL template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateFault {
    /// An unknown placeholder, or one without a closing brace.
    #[error("`{{{0}` is not a placeholder; expected {{id}}, {{name}}, {{external_id}} or {{tenant}}")]
    Placeholder(String),
    /// Not a web address.
    #[error("expected a URL that starts with https:// or http://, such as https://one.example/segments/{{id}}")]
    NoAddress,
}

/// Everything but the unreserved characters of RFC 3986.
const ENCODE_SET: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl UrlTemplate {
    /// Parses a URL with placeholders.
    ///
    /// # Errors
    ///
    /// An unknown placeholder, or a text that is no web address.
    pub fn parse(text: &str) -> Result<Self, TemplateFault> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) = after.split_once('}').ok_or_else(|| TemplateFault::Placeholder(after.to_owned()))?;
            let placeholder =
                PLACEHOLDERS.iter().find(|(known, _)| *known == name).map(|(_, placeholder)| *placeholder);
            let placeholder = placeholder.ok_or_else(|| TemplateFault::Placeholder(format!("{name}}}")))?;
            parts.extend([Part::Text(before.to_owned()), Part::Placeholder(placeholder)]);
            rest = behind;
        }
        parts.push(Part::Text(rest.to_owned()));
        let template = Self { parts };
        let example = template.fill_with(|_| Some("x")).ok_or(TemplateFault::NoAddress)?;
        if is_web_url(&example) { Ok(template) } else { Err(TemplateFault::NoAddress) }
    }

    /// The URL of a segment; `None` if the template needs an external id and the segment has none, or if the filled-in values
    /// make no valid URL.
    #[must_use]
    pub fn fill(&self, segment: &Segment, tenant: &str) -> Option<String> {
        let id = segment.id.to_string();
        let filled = self.fill_with(|placeholder| match placeholder {
            Placeholder::Id => Some(&id),
            Placeholder::Name => Some(&segment.name),
            Placeholder::ExternalId => segment.external_id.as_deref().filter(|text| !text.is_empty()),
            Placeholder::Tenant => Some(tenant),
        });
        filled.filter(|url| is_web_url(url))
    }

    fn fill_with<'a>(&self, value: impl Fn(Placeholder) -> Option<&'a str>) -> Option<String> {
        let parts = self.parts.iter().map(|part| match part {
            Part::Text(text) => Some(text.clone()),
            Part::Placeholder(placeholder) => Some(utf8_percent_encode(value(*placeholder)?, ENCODE_SET).to_string()),
        });
        parts.collect()
    }
}

/// Whether it is a web address. Nothing else, such as a file or a script, is handed to the program that opens it.
fn is_web_url(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::SegmentId;

    fn segment(external_id: Option<&str>) -> Segment {
        let id = SegmentId::new("a/b?c").unwrap();
        Segment { id, name: "Łódź & Co".into(), external_id: external_id.map(Into::into), parent: None }
    }

    #[test]
    fn filled_in_values_are_encoded() {
        let template =
            UrlTemplate::parse("https://{tenant}.one.example/s/{id}?name={name}&x={external_id}#top").unwrap();
        assert_eq!(
            template.fill(&segment(Some("E-1 #2")), "acme").as_deref(),
            Some("https://acme.one.example/s/a%2Fb%3Fc?name=%C5%81%C3%B3d%C5%BA%20%26%20Co&x=E-1%20%232#top")
        );
        assert_eq!(template.fill(&segment(None), "acme"), None);
        assert_eq!(template.fill(&segment(Some("E")), "no host"), None);
    }

    #[test]
    fn unknown_placeholders_and_other_schemes_are_refused() {
        let fault = |text: &str| UrlTemplate::parse(text).unwrap_err().to_string();
        let expected = "`{ident}` is not a placeholder; expected {id}, {name}, {external_id} or {tenant}";
        assert_eq!(fault("https://one.example/{ident}"), expected);
        assert!(fault("https://one.example/{id").starts_with("`{id` is not a placeholder"));
        for text in ["one.example/{id}", "file:///etc/{id}", "javascript:alert({id})", "", "https://"] {
            assert!(fault(text).starts_with("expected a URL"), "{text}");
        }
    }
}
