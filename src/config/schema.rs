//! The JSON schema of the configuration file, for editors that complete and check TOML. It is generated from the table of
//! settings.

use serde_json::{Map, Value, json};

use super::check::{DEPTHS, MAX_DEPTH};
use super::file::COLOURS;
use super::settings::{COMMAND, Kind, PROFILE, REQUIRED, STYLE, Setting, TOP};
use crate::action::TABLE;
use crate::check::{Level, Rule};
use crate::theme::STYLES;

/// The schema, in the draft that TOML editors support.
#[must_use]
pub fn schema() -> Value {
    let mut properties = settings_schema(TOP);
    let theme = properties.remove("theme");
    properties.insert("theme".into(), theme_schema(theme));
    properties.insert(
        "profiles".into(),
        json!({
            "type": "object",
            "description": "Tenants and how to reach them, each by its name.",
            "additionalProperties": object_schema(settings_schema(PROFILE)),
        }),
    );
    let keys = TABLE.iter().map(|entry| (entry.name.to_owned(), described(kind_schema(&Kind::Keys), entry.help)));
    let mut keys = object_schema(keys.collect());
    keys["description"] = "Keys of actions; an empty list removes them.".into();
    properties.insert("keys".into(), keys);
    let mut command = object_schema(settings_schema(COMMAND));
    command["required"] = REQUIRED.as_slice().into();
    properties.insert(
        "command".into(),
        json!({
            "type": "array",
            "description": "Programs that run on segments.",
            "items": command,
        }),
    );
    let mut schema = object_schema(properties);
    schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    schema["title"] = "segtui configuration".into();
    schema
}

/// The schema of a theme: a name, or a table with a name and changes.
fn theme_schema(name: Option<Value>) -> Value {
    let name = name.unwrap_or_default();
    let styles = STYLES
        .iter()
        .map(|(style, meaning)| ((*style).to_owned(), described(object_schema(settings_schema(STYLE)), meaning)));
    let mut properties = Map::new();
    properties.insert("name".into(), name.clone());
    properties.insert("styles".into(), object_schema(styles.collect()));
    let description = name["description"].clone();
    json!({ "description": description, "oneOf": [name, object_schema(properties)] })
}

fn object_schema(properties: Map<String, Value>) -> Value {
    json!({ "type": "object", "additionalProperties": false, "properties": Value::Object(properties) })
}

fn settings_schema(settings: &[Setting]) -> Map<String, Value> {
    settings.iter().map(|setting| (setting.key.to_owned(), setting_schema(setting))).collect()
}

fn setting_schema(setting: &Setting) -> Value {
    let mut schema = described(kind_schema(&setting.kind), setting.help);
    // The default as JSON, if there is one.
    let default = toml::from_str::<toml::Table>(&format!("default = {}", setting.default)).ok();
    if let Some(default) = default.and_then(|mut table| table.remove("default")) {
        schema["default"] = serde_json::to_value(default).unwrap_or_default();
    }
    schema
}

fn described(mut schema: Value, help: &str) -> Value {
    schema["description"] = help.into();
    schema
}

fn kind_schema(kind: &Kind) -> Value {
    let text = || json!({ "type": "string" });
    let list = |item: Value| json!({ "type": "array", "items": item });
    match kind {
        Kind::Text | Kind::Secret | Kind::Language | Kind::Template => text(),
        Kind::Path => json!({ "type": "string", "pattern": "\\S" }),
        Kind::Colour => colour(&[]),
        Kind::Ink => colour(&["default"]),
        Kind::Texts => list(json!({ "type": "string", "minLength": 1 })),
        Kind::Words => json!({ "type": "array", "items": text(), "minItems": 1 }),
        Kind::Command => json!({ "oneOf": [text(), { "type": "array", "items": text(), "minItems": 1 }] }),
        Kind::Keys => json!({ "oneOf": [text(), list(text())] }),
        Kind::Switch => json!({ "type": "boolean" }),
        Kind::Number(range) => json!({ "type": "number", "minimum": range.start(), "maximum": range.end() }),
        Kind::Whole(range) => json!({ "type": "integer", "minimum": range.start(), "maximum": range.end() }),
        Kind::Rules => rules(),
        Kind::Columns => columns(),
        Kind::OneOf(names) => json!({ "enum": names }),
        Kind::SomeOf(names) => list(json!({ "enum": names })),
    }
}

/// The schema of the rules and their levels, and of the depth.
fn rules() -> Value {
    let levels = Level::ALL.map(Level::name);
    let rule = |rule: Rule| {
        let schema = json!({ "enum": levels, "default": rule.default_level().name() });
        (rule.name().to_owned(), described(schema, rule.help()))
    };
    let mut properties: Map<String, Value> = Rule::ALL.into_iter().map(rule).collect();
    let depth = json!({ "type": "integer", "minimum": DEPTHS.start(), "maximum": DEPTHS.end() });
    properties.insert(MAX_DEPTH.into(), described(depth, "The deepest level that too-deep allows."));
    object_schema(properties)
}

/// The schema of the columns and their headings.
fn columns() -> Value {
    let column = |name: &str| (name.to_owned(), json!({ "type": "string", "pattern": "\\S" }));
    object_schema(["id", "name", "ext", "parent-id", "parent-ext", "path"].into_iter().map(column).collect())
}

/// The schema of a colour: editors complete the listed names, and other spellings of them are accepted too.
fn colour(extra_names: &[&str]) -> Value {
    let names: Vec<&str> = COLOURS.iter().map(|(name, _)| *name).chain(extra_names.iter().copied()).collect();
    json!({ "anyOf": [{ "enum": names }, { "type": "string", "pattern": "^(#[0-9A-Fa-f]{6}|[A-Za-z_ -]+)$" }] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_describes_the_file() {
        insta::assert_snapshot!(serde_json::to_string_pretty(&schema()).unwrap());
    }

    #[test]
    fn nothing_unknown_is_allowed_anywhere() {
        fn check(schema: &Value, at: &str) {
            if schema["type"] == "object" && at != "/profiles" {
                assert_eq!(schema["additionalProperties"], false, "{at}");
            }
            if let Some(object) = schema.as_object() {
                for (key, value) in object.iter().filter(|(key, _)| *key != "additionalProperties") {
                    let at = if key == "properties" { at.to_owned() } else { format!("{at}/{key}") };
                    check(value, &at);
                }
            }
        }
        check(&schema(), "");
        check(&schema()["properties"]["profiles"]["additionalProperties"], "/profiles/*");
    }
}
