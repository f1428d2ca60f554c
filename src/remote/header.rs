//! Which texts fit into an HTTP header.

/// Whether a text can be sent as a header: printable ASCII only, since anything else is interpreted differently by different
/// servers (RFC 9110, section 5.5). A blank value is refused too: it counts as no header, and the server's response to that would
/// be confusing.
#[must_use]
pub fn is_valid_header_value(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~')) && !text.trim().is_empty()
}
