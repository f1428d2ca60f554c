//! Parses paths: `/Name/Name`, with `//` for a `/` that is part of a name. If one name ends with a `/` and the next begins with
//! one, the path is ambiguous.

use crate::forest::path_names;

/// The names of a path, from the root down; `None` for an invalid path.
#[must_use]
pub(super) fn names(path: &str) -> Option<Vec<String>> {
    let path = path.trim();
    let trimmed = path
        .starts_with('/')
        .then(|| path_names(path).iter().map(|name| name.trim().to_owned()).collect::<Vec<_>>())?;
    trimmed.iter().all(|name| !name.is_empty()).then_some(trimmed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forest::path_text;

    #[test]
    fn a_path_is_read_back_as_it_was_written() {
        for path in [vec!["A"], vec!["A", "B/C", "D"], vec!["A/", "B"], vec!["Łódź", "a b"]] {
            assert_eq!(names(&path_text(path.iter().copied())).unwrap(), path, "{path:?}");
        }
        for text in ["A/B", "", "/", "/A/", "/ /B"] {
            assert_eq!(names(text), None, "{text}");
        }
    }
}
