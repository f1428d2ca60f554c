//! The `theme` of the configuration file: a name, or a table with a name and changes to styles.

use std::collections::BTreeMap;
use std::fmt;

use ratatui::style::Color;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use toml::Spanned;

use crate::theme::{Name, STYLES, StyleChange};

use super::file::{FaultInFile, Source};
use super::keys::unknown;

/// `theme = "light"`, or a `[theme]` table.
#[derive(Debug)]
pub(super) enum RawTheme {
    Name(String),
    Table(RawTable),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTable {
    name: Option<Spanned<String>>,
    #[serde(default)]
    styles: BTreeMap<Spanned<String>, RawStyle>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStyle {
    fg: Option<Spanned<String>>,
    bg: Option<Spanned<String>>,
    bold: Option<bool>,
    italic: Option<bool>,
    underlined: Option<bool>,
    reversed: Option<bool>,
}

impl<'de> Deserialize<'de> for RawTheme {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ThemeVisitor)
    }
}

/// Written by hand, because an untagged enum would lose the positions.
struct ThemeVisitor;

impl<'de> Visitor<'de> for ThemeVisitor {
    type Value = RawTheme;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a theme, or a table with `name` and `styles`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<RawTheme, E> {
        Ok(RawTheme::Name(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawTheme, A::Error> {
        RawTable::deserialize(MapAccessDeserializer::new(map)).map(RawTheme::Table)
    }
}

/// The configured appearance: the theme, if set, and changes to styles.
pub(super) type ThemeSettings = (Option<Name>, Vec<(String, StyleChange)>);

/// The name of the terminal's default colour.
const DEFAULT_COLOUR: &str = "default";

impl Source<'_> {
    pub(super) fn theme_settings(&self, raw: Option<Spanned<RawTheme>>) -> Result<ThemeSettings, FaultInFile> {
        let Some(raw) = raw else { return Ok(ThemeSettings::default()) };
        let span = raw.span();
        match raw.into_inner() {
            RawTheme::Name(name) => Ok((Some(self.theme(&Spanned::new(span, name))?), Vec::new())),
            RawTheme::Table(table) => {
                let name = table.name.map(|name| self.theme(&name)).transpose()?;
                let styles = table.styles.into_iter().map(|(name, style)| self.style(name, &style));
                Ok((name, styles.collect::<Result<_, _>>()?))
            }
        }
    }

    fn theme(&self, name: &Spanned<String>) -> Result<Name, FaultInFile> {
        Name::parse(name.get_ref())
            .ok_or_else(|| self.fault(name.span(), format!("unknown theme `{}`; expected {}", name.get_ref(), names())))
    }

    fn style(&self, name: Spanned<String>, raw: &RawStyle) -> Result<(String, StyleChange), FaultInFile> {
        let known = STYLES.iter().map(|(known, _)| *known);
        if !known.clone().any(|known| known == name.get_ref()) {
            return Err(self.fault(name.span(), unknown("style", name.get_ref(), known)));
        }
        let change = StyleChange {
            fg: raw.fg.as_ref().map(|colour| self.parse_colour(colour)).transpose()?,
            bg: raw.bg.as_ref().map(|colour| self.parse_colour(colour)).transpose()?,
            bold: raw.bold,
            italic: raw.italic,
            underlined: raw.underlined,
            reversed: raw.reversed,
        };
        Ok((name.into_inner(), change))
    }

    fn parse_colour(&self, colour: &Spanned<String>) -> Result<Color, FaultInFile> {
        if colour.get_ref() == DEFAULT_COLOUR { Ok(Color::Reset) } else { self.colour(colour, ", or default") }
    }
}

/// The names of the built-in themes, for messages.
pub(super) fn names() -> String {
    Name::ALL.map(Name::text).join(", ")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{File, Interface};
    use super::*;

    fn interface(text: &str) -> Result<Interface, String> {
        File::read(text, Path::new("config.toml")).map(|file| file.interface).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_theme_is_a_name_or_a_table() {
        assert_eq!(interface("").unwrap().theme, Name::Dark);
        for name in Name::ALL {
            let text = name.text();
            assert_eq!(interface(&format!("theme = \"{text}\"\n")).unwrap().theme, name);
            assert_eq!(interface(&format!("[theme]\nname = \"{text}\"\n")).unwrap().theme, name);
        }
        let text = interface("theme = \"neon\"\n").unwrap_err();
        assert_eq!(
            text,
            "config.toml:1:9: unknown theme `neon`; expected dark, light, high-contrast, colour-blind, mono"
        );
    }

    #[test]
    fn single_styles_can_be_changed() {
        let text = "[theme.styles]\nselected = { fg = \"black\", bg = \"#ffcc00\", bold = true }\n\
                    quiet = { fg = \"default\", italic = true }\n";
        let styles = interface(text).unwrap().styles;
        let selected = StyleChange {
            fg: Some(Color::Black),
            bg: Some(Color::Rgb(0xff, 0xcc, 0)),
            bold: Some(true),
            ..StyleChange::default()
        };
        let quiet = StyleChange { fg: Some(Color::Reset), italic: Some(true), ..StyleChange::default() };
        assert_eq!(styles, [("quiet".into(), quiet), ("selected".into(), selected)]);
    }

    #[test]
    fn a_theme_can_not_be_both_a_name_and_a_table() {
        let text = interface("theme = \"dark\"\n[theme.styles]\nbad = { bold = true }\n").unwrap_err();
        assert!(text.starts_with("config.toml:2:"), "{text}");
        assert!(text.ends_with("with [theme.styles], set `name` in [theme]"), "{text}");
    }

    #[test]
    fn every_style_can_be_changed() {
        for (name, _) in STYLES {
            assert!(interface(&format!("[theme.styles]\n{name} = {{ bold = true }}\n")).is_ok(), "{name}");
        }
    }

    #[test]
    fn an_invalid_style_is_refused_with_its_place() {
        let text = interface("[theme.styles]\nselectd = { bold = true }\n").unwrap_err();
        assert_eq!(text, "config.toml:2:1: unknown style `selectd`; did you mean `selected`?");
        let text = interface("[theme.styles]\nbad = { fg = \"crimson\" }\n").unwrap_err();
        assert!(text.starts_with("config.toml:2:14: invalid colour `crimson`; expected black, "), "{text}");
        assert!(text.ends_with("white, or #rrggbb, or default"), "{text}");
        let text = interface("[theme.styles]\nbad = { fgg = \"red\" }\n").unwrap_err();
        assert!(text.starts_with("config.toml:2:9: unknown field `fgg`, expected one of `fg`"), "{text}");
        let text = interface("[theme.styles]\nbad = { bold = 1 }\n").unwrap_err();
        assert!(text.starts_with("config.toml:2:16: expected "), "{text}");
        let text = interface("theme = 7\n").unwrap_err();
        assert!(text.starts_with("config.toml:1:9: ") && text.contains("the name of a theme"), "{text}");
    }
}
