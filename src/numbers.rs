//! Formats numbers, the nouns after them and the words that agree with them: the only place that knows how plurals are formed.

/// A noun that is counted in a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noun {
    /// A change of a segment.
    Change,
    /// A segment directly under another one.
    Child,
    /// A command line of curl.
    CurlCommand,
    /// A segment anywhere under another one.
    Descendant,
    /// Something that is certainly wrong.
    Error,
    /// Something that is wrong with a file.
    Fault,
    /// An external ID.
    ExternalId,
    /// An ID.
    Id,
    /// A segment that was known before.
    KnownSegment,
    /// A line of a text.
    Line,
    /// A result of a search.
    Match,
    /// The name of a segment.
    Name,
    /// A page of the list of segments.
    Page,
    /// The names from the root down to a segment.
    Path,
    /// A change that is being sent or waits to be.
    PendingChange,
    /// A change that failed.
    Problem,
    /// A segment.
    Segment,
    /// A segment with the same parent.
    Sibling,
    /// Something that is probably wrong.
    Warning,
    /// A segment in JSON.
    SegmentAsJson,
    /// A segment and its descendants.
    Subtree,
}

impl Noun {
    /// The noun after a number. English has two forms.
    const fn after(self, count: usize) -> &'static str {
        let (one, many) = match self {
            Self::Change => ("change", "changes"),
            Self::Child => ("child", "children"),
            Self::CurlCommand => ("curl command", "curl commands"),
            Self::Descendant => ("descendant", "descendants"),
            Self::Error => ("error", "errors"),
            Self::Fault => ("fault", "faults"),
            Self::ExternalId => ("external ID", "external IDs"),
            Self::Id => ("ID", "IDs"),
            Self::KnownSegment => ("known segment", "known segments"),
            Self::Line => ("line", "lines"),
            Self::Match => ("match", "matches"),
            Self::Name => ("name", "names"),
            Self::Path => ("path", "paths"),
            Self::Page => ("page", "pages"),
            Self::PendingChange => ("pending change", "pending changes"),
            Self::Problem => ("problem", "problems"),
            Self::Segment => ("segment", "segments"),
            Self::Sibling => ("sibling", "siblings"),
            Self::Warning => ("warning", "warnings"),
            Self::SegmentAsJson => ("segment as JSON", "segments as JSON"),
            Self::Subtree => ("subtree", "subtrees"),
        };
        if count == 1 { one } else { many }
    }
}

/// A word of a sentence that agrees with a number elsewhere in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreeing {
    /// "is", "are".
    Are,
    /// "was", "were".
    Were,
    /// "has", "have".
    Have,
    /// "hasn't", "haven't".
    HaveNot,
    /// "refers", "refer".
    Refer,
    /// "It", "They": the beginning of a sentence.
    They,
    /// "it", "them".
    Them,
    /// "its", "their".
    Their,
    /// "this one", "these".
    These,
    /// "an error", "errors".
    Errors,
    /// "new ID", "new IDs".
    NewIds,
}

impl Agreeing {
    /// The form of the word for a count.
    #[must_use]
    pub const fn with(self, count: usize) -> &'static str {
        let (one, many) = match self {
            Self::Are => ("is", "are"),
            Self::Were => ("was", "were"),
            Self::Have => ("has", "have"),
            Self::HaveNot => ("hasn't", "haven't"),
            Self::Refer => ("refers", "refer"),
            Self::They => ("It", "They"),
            Self::Them => ("it", "them"),
            Self::Their => ("its", "their"),
            Self::These => ("this one", "these"),
            Self::Errors => ("an error", "errors"),
            Self::NewIds => ("new ID", "new IDs"),
        };
        if count == 1 { one } else { many }
    }
}

/// A number with a noun: "1 segment", "1,200 segments".
#[must_use]
pub fn counted(count: usize, noun: Noun) -> String {
    format!("{} {}", grouped(count), noun.after(count))
}

/// A number with thousands separators.
#[must_use]
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut text = digits[..first].to_owned();
    for group in digits.as_bytes()[first..].chunks(3) {
        if !text.is_empty() {
            text.push(',');
        }
        text.extend(group.iter().map(|digit| char::from(*digit)));
    }
    text
}

/// A number of bytes, in short form.
#[must_use]
pub fn size(bytes: usize) -> String {
    const KB: usize = 1024;
    const MB: usize = KB * KB;
    match bytes {
        0..KB => format!("{bytes} B"),
        KB..MB => format!("{} KB", bytes.div_ceil(KB)),
        _ => format!("{}.{} MB", grouped(bytes / MB), bytes % MB * 10 / MB),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(312), "312");
        assert_eq!(grouped(41_500), "41,500");
        assert_eq!(grouped(1_000_000), "1,000,000");
    }

    #[test]
    fn nouns_and_verbs_agree_with_a_number() {
        assert_eq!([0, 1, 2].map(|count| counted(count, Noun::Child)), ["0 children", "1 child", "2 children"]);
        assert_eq!(counted(41_500, Noun::Segment), "41,500 segments");
        assert_eq!([0, 1, 2].map(|count| Agreeing::Are.with(count)), ["are", "is", "are"]);
    }

    #[test]
    fn a_size_is_short() {
        assert_eq!([0, 812, 1024, 1025].map(size), ["0 B", "812 B", "1 KB", "2 KB"]);
        assert_eq!(size(3 * 1024 * 1024 + 512 * 1024), "3.5 MB");
    }
}
