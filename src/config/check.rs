//! The `check` table of a profile: the level of each rule, and the maximum depth.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use super::FaultInFile;
use super::file::Source;
use crate::check::{Level, Rule, Rules};

/// The rules by name, and the depth.
pub(super) type RawCheck = BTreeMap<Spanned<String>, Spanned<RawValue>>;

/// A level, or a depth.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum RawValue {
    Level(String),
    Depth(i64),
    Other(IgnoredAny),
}

/// The key of the maximum depth.
pub(super) const MAX_DEPTH: &str = "max-depth";
pub(super) const DEPTHS: RangeInclusive<i64> = 1..=1_000_000;

impl Source<'_> {
    /// The default rules, changed by the levels of a table.
    pub(super) fn rules(&self, raw: RawCheck) -> Result<Rules, FaultInFile> {
        let mut rules = Rules::default();
        for (key, value) in raw {
            let span = value.span();
            match (key.get_ref().as_str(), value.into_inner()) {
                (MAX_DEPTH, RawValue::Depth(depth)) if DEPTHS.contains(&depth) => {
                    rules.max_depth = u32::try_from(depth).unwrap_or(u32::MAX);
                }
                (MAX_DEPTH, _) => {
                    let what = format!("`{MAX_DEPTH}` is a number from {} to {}", DEPTHS.start(), DEPTHS.end());
                    return Err(self.fault(span, what));
                }
                (name, value) => {
                    let rule: Rule = name.parse().map_err(|fault| {
                        self.fault(key.span(), format!("{fault}; `{MAX_DEPTH}` sets the depth for too-deep"))
                    })?;
                    let RawValue::Level(level) = value else {
                        let names = Level::ALL.map(Level::name).join(", ");
                        return Err(self.fault(span, format!("`{name}` is a level in quotes; use {names}")));
                    };
                    rules.set(
                        rule,
                        level.parse().map_err(|fault: crate::check::RuleFault| self.fault(span, fault.to_string()))?,
                    );
                }
            }
        }
        Ok(rules)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::File;

    fn rules(table: &str) -> Result<Rules, String> {
        let text = format!("[profiles.a]\n[profiles.a.check]\n{table}\n");
        let file = File::read(&text, Path::new("config.toml")).map_err(|fault| fault.to_string())?;
        Ok(file.profiles["a"].check.clone())
    }

    #[test]
    fn configured_levels_are_read_and_others_are_default() {
        let read = rules("orphan = \"off\"\nmissing-external-id = \"error\"\nmax-depth = 4").unwrap();
        assert_eq!(read.level(Rule::Orphan), Level::Off);
        assert_eq!(read.level(Rule::MissingExternalId), Level::Error);
        assert_eq!(read.level(Rule::Cycle), Level::Error);
        assert_eq!(read.max_depth, 4);
        assert_eq!(rules("").unwrap(), Rules::default());
    }

    #[test]
    fn an_invalid_rule_level_or_depth_is_refused_with_its_place() {
        for (table, fault) in [
            ("orfan = \"off\"", "config.toml:3:1: there is no rule `orfan`; the rules are orphan, "),
            ("orphan = \"fatal\"", "config.toml:3:10: `fatal` is not a level; use off, warning, error"),
            ("orphan = false", "config.toml:3:10: `orphan` is a level in quotes; use off, warning, error"),
            ("orphan = 3", "config.toml:3:10: `orphan` is a level in quotes; use off, warning, error"),
            ("max-depth = 0", "config.toml:3:13: `max-depth` is a number from 1 to 1000000"),
            ("max-depth = \"4\"", "config.toml:3:13: `max-depth` is a number from 1 to 1000000"),
        ] {
            let told = rules(table).unwrap_err();
            assert!(told.starts_with(fault), "{told}");
        }
    }
}
