//! Rewrites the messages of the TOML library for people who know TOML but not Rust. Values are not repeated: they may be keys.

/// A message of the library in plain words.
pub(super) fn plain(message: &str) -> String {
    if let Some((found, expected)) =
        message.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected "))
    {
        return format!("expected {}, not {}", expectation(expected), kind(found));
    }
    if let Some((_, expected)) =
        message.strip_prefix("invalid value: ").and_then(|rest| rest.rsplit_once(", expected "))
    {
        return format!("expected {}", expectation(expected));
    }
    if let Some(field) = message.strip_prefix("missing field ") {
        return format!("{field} is missing");
    }
    match message {
        "string values must be quoted, expected literal string" => "a text has to be in quotes".into(),
        other => other.to_owned(),
    }
}

/// The name of a Rust type in terms of the file.
fn expectation(expected: &str) -> &str {
    match expected {
        "f32" | "f64" => "a number",
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number",
        "a boolean" => "true or false",
        "a string" => "a text in quotes",
        "a sequence" => "a list",
        "a map" => "a table",
        other if other.starts_with("struct ") => "a table",
        other => other,
    }
}

/// The type of a value, without the value.
fn kind(found: &str) -> &str {
    let kinds = [
        ("string", "a text"),
        ("integer", "a whole number"),
        ("floating point", "a number with a fraction"),
        ("boolean", "true or false"),
        ("sequence", "a list"),
        ("map", "a table"),
        ("datetime", "a date"),
    ];
    kinds.into_iter().find(|(name, _)| found.starts_with(name)).map_or("this", |(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn types_have_plain_names_and_values_are_not_repeated() {
        assert_eq!(plain("invalid type: string \"a, expected b\", expected f64"), "expected a number, not a text");
        assert_eq!(plain("invalid type: string \"hunter2\", expected a boolean"), "expected true or false, not a text");
        assert_eq!(plain("invalid type: map, expected a sequence"), "expected a list, not a table");
        assert_eq!(plain("invalid value: integer `-1`, expected u32"), "expected a whole number");
        assert_eq!(plain("missing field `run`"), "`run` is missing");
        assert_eq!(plain("string values must be quoted, expected literal string"), "a text has to be in quotes");
        assert_eq!(plain("unclosed table, expected `]`"), "unclosed table, expected `]`");
    }
}
