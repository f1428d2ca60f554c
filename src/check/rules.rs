//! The rules, their names and their levels.

use std::fmt;
use std::str::FromStr;

/// A rule that segments are checked against. The order is that of the findings within a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A parent that does not exist.
    Orphan,
    /// Ancestors that form a cycle.
    Cycle,
    /// A segment that is its own parent.
    SelfParent,
    /// A name that is empty or blank.
    BlankName,
    /// An external id that several segments share.
    DuplicateExternalId,
    /// Siblings with the same name, ignoring case and accents.
    SameNameSiblings,
    /// A name with leading or trailing spaces.
    PaddedName,
    /// Invisible characters in the name or the external id.
    InvisibleCharacters,
    /// A word that mixes letters of several scripts.
    MixedScripts,
    /// A segment without an external id.
    MissingExternalId,
    /// A segment deeper than [`Rules::max_depth`].
    TooDeep,
}

impl Rule {
    /// Every rule, in order.
    pub const ALL: [Self; 11] = [
        Self::Orphan,
        Self::Cycle,
        Self::SelfParent,
        Self::BlankName,
        Self::DuplicateExternalId,
        Self::SameNameSiblings,
        Self::PaddedName,
        Self::InvisibleCharacters,
        Self::MixedScripts,
        Self::MissingExternalId,
        Self::TooDeep,
    ];

    /// Returns its name in the configuration, on the command line and on the screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Orphan => "orphan",
            Self::Cycle => "cycle",
            Self::SelfParent => "self-parent",
            Self::BlankName => "blank-name",
            Self::DuplicateExternalId => "duplicate-external-id",
            Self::SameNameSiblings => "same-name-siblings",
            Self::PaddedName => "padded-name",
            Self::InvisibleCharacters => "invisible-characters",
            Self::MixedScripts => "mixed-scripts",
            Self::MissingExternalId => "missing-external-id",
            Self::TooDeep => "too-deep",
        }
    }

    /// Returns what the rule looks for, as one line of help.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::Orphan => "the parent doesn't exist",
            Self::Cycle => "the ancestors form a loop",
            Self::SelfParent => "a segment is its own parent",
            Self::BlankName => "the name is empty or only spaces",
            Self::DuplicateExternalId => "several segments have the same external ID",
            Self::SameNameSiblings => "siblings have the same name, ignoring case, accents and extra spaces",
            Self::PaddedName => "the name begins or ends with a space",
            Self::InvisibleCharacters => "the name or external ID has a character that can't be seen",
            Self::MixedScripts => "a word of the name mixes letters of several scripts, such as Latin and Cyrillic",
            Self::MissingExternalId => "there is no external ID",
            Self::TooDeep => "the segment is on a deeper level than max-depth",
        }
    }

    /// Returns the default level: an error if it can't be intended, a warning if it may be, off if only some tenants mind.
    #[must_use]
    pub const fn default_level(self) -> Level {
        match self {
            Self::Orphan | Self::Cycle | Self::SelfParent | Self::BlankName => Level::Error,
            Self::MissingExternalId | Self::TooDeep => Level::Off,
            _ => Level::Warning,
        }
    }

    /// Returns its index in [`ALL`](Self::ALL).
    const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How serious it is to break a rule. More serious levels are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The rule is not checked.
    Off,
    /// It may be intended.
    Warning,
    /// It can't be intended.
    Error,
}

impl Level {
    /// Every level, the least serious first.
    pub const ALL: [Self; 3] = [Self::Off, Self::Warning, Self::Error];

    /// Returns its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A word that is not the name of a rule or a level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleFault {
    /// There is no such rule.
    #[error("there is no rule `{text}`; the rules are {}", names(Rule::ALL.map(Rule::name)))]
    UnknownRule {
        /// The word.
        text: String,
    },
    /// There is no such level.
    #[error("`{text}` is not a level; use {}", names(Level::ALL.map(Level::name)))]
    UnknownLevel {
        /// The word.
        text: String,
    },
}

fn names<const N: usize>(names: [&'static str; N]) -> String {
    names.join(", ")
}

impl FromStr for Rule {
    type Err = RuleFault;

    fn from_str(text: &str) -> Result<Self, RuleFault> {
        let named = Self::ALL.into_iter().find(|rule| rule.name() == text);
        named.ok_or_else(|| RuleFault::UnknownRule { text: text.to_owned() })
    }
}

impl FromStr for Level {
    type Err = RuleFault;

    fn from_str(text: &str) -> Result<Self, RuleFault> {
        let named = Self::ALL.into_iter().find(|level| level.name() == text);
        named.ok_or_else(|| RuleFault::UnknownLevel { text: text.to_owned() })
    }
}

/// The level of each rule, and how deep a tree may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    levels: [Level; Rule::ALL.len()],
    /// The deepest level allowed; roots are on level 1.
    pub max_depth: u32,
}

/// The default of [`Rules::max_depth`].
const DEFAULT_MAX_DEPTH: u32 = 10;

impl Default for Rules {
    fn default() -> Self {
        Self { levels: Rule::ALL.map(Rule::default_level), max_depth: DEFAULT_MAX_DEPTH }
    }
}

impl Rules {
    /// Returns the level of a rule.
    #[must_use]
    pub fn level(&self, rule: Rule) -> Level {
        self.levels[rule.index()]
    }

    /// Sets the level of a rule.
    pub fn set(&mut self, rule: Rule, level: Level) {
        self.levels[rule.index()] = level;
    }

    /// Restricts the check to these rules: each keeps its level, or becomes a warning if it is off.
    #[must_use]
    pub fn only(mut self, rules: &[Rule]) -> Self {
        for rule in Rule::ALL {
            let level = if rules.contains(&rule) { self.level(rule).max(Level::Warning) } else { Level::Off };
            self.set(rule, level);
        }
        self
    }
}
