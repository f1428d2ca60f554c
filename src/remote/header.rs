//! What a header of a request can say.

/// Whether a text can be sent as a header: printable ASCII only, since beyond it, what a header says depends on who reads it (RFC 9110,
/// section 5.5). A blank header is as good as none, and the server's answer to it would puzzle.
#[must_use]
pub fn fits_into_a_header(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~')) && !text.trim().is_empty()
}
