//! Escapes untrusted texts in XML and HTML.

use std::fmt;

/// A text escaped for use between tags and in attributes with either kind of quotes. Characters that XML does not allow, such as
/// control characters, are left out.
pub(super) struct EscapedXml<'a>(pub &'a str);

impl fmt::Display for EscapedXml<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            '\n' | '\t' => f.write_str(" "),
            '\u{fffe}' | '\u{ffff}' => Ok(()),
            _ if character.is_control() => Ok(()),
            _ => write!(f, "{character}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_escaped_and_invalid_characters_are_left_out() {
        assert_eq!(
            EscapedXml("<a b=\"c\" d='e'>&amp;").to_string(),
            "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp;"
        );
        assert_eq!(EscapedXml("\u{0}a\n\u{1b}\u{85}\u{7f}b\u{fffe}\u{ffff}Ł").to_string(), "a bŁ");
    }
}
