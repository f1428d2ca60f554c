//! Paths as texts: `/Name/Name`, with `//` for a `/` that is part of a name. Where a name ends with one and the next begins with
//! one, the path can't say which has it.

/// The names of a path, from the top down; `None` for what is no path.
#[must_use]
pub(super) fn names(path: &str) -> Option<Vec<String>> {
    let mut names = vec![String::new()];
    let mut characters = path.trim().strip_prefix('/')?.chars().peekable();
    while let Some(character) = characters.next() {
        let ends_name = character == '/' && characters.next_if_eq(&'/').is_none();
        match names.last_mut() {
            Some(name) if !ends_name => name.push(character),
            _ => names.push(String::new()),
        }
    }
    let trimmed: Vec<String> = names.into_iter().map(|name| name.trim().to_owned()).collect();
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
