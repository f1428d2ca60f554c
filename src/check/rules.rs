//! The rules by their names, and how grave it is to break each.

use std::fmt;
use std::str::FromStr;

/// What segments are looked at for. In the order in which findings are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A parent that does not exist.
    Orphan,
    /// Parents that lead back to where they began.
    Cycle,
    /// A segment that is its own parent.
    SelfParent,
    /// A name with nothing to read in it.
    BlankName,
    /// An external id that several segments bear.
    DuplicateExternalId,
    /// Siblings with the same name, whatever the case and the accents.
    SameNameSiblings,
    /// A name with spaces around it.
    PaddedName,
    /// Characters that nobody can see, in the name or the external id.
    InvisibleCharacters,
    /// A word of letters from several scripts.
    MixedScripts,
    /// A segment without an external id.
    MissingExternalId,
    /// A segment deeper than is wished.
    TooDeep,
}

impl Rule {
    /// Every rule, in their order.
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

    /// Its name in the configuration, on the command line and on the screen.
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

    /// What it looks for, in one line of help.
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

    /// Its level unless something else is wished. What the platform itself can't want is an error; what may be meant is a warning;
    /// what only some tenants mind is off.
    #[must_use]
    pub const fn usual_level(self) -> Level {
        match self {
            Self::Orphan | Self::Cycle | Self::SelfParent | Self::BlankName => Level::Error,
            Self::MissingExternalId | Self::TooDeep => Level::Off,
            _ => Level::Warning,
        }
    }

    /// Its place among all rules.
    const fn place(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How grave it is to break a rule. The graver one is the greater one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Nobody minds: it is not looked for.
    Off,
    /// It may be meant.
    Warning,
    /// It can't be meant.
    Error,
}

impl Level {
    /// Every level, the least grave first.
    pub const ALL: [Self; 3] = [Self::Off, Self::Warning, Self::Error];

    /// Its name.
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

/// A word that names no rule or no level.
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

/// How grave each rule is, and how deep a tree may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    levels: [Level; Rule::ALL.len()],
    /// The deepest level that is wished; those at the top are on the first.
    pub max_depth: u32,
}

/// Levels of a tree that is not too deep, unless something else is wished.
const USUAL_DEPTH: u32 = 10;

impl Default for Rules {
    fn default() -> Self {
        Self { levels: Rule::ALL.map(Rule::usual_level), max_depth: USUAL_DEPTH }
    }
}

impl Rules {
    /// How grave it is to break a rule.
    #[must_use]
    pub fn level(&self, rule: Rule) -> Level {
        self.levels[rule.place()]
    }

    /// Breaking a rule is that grave from now on.
    pub fn set(&mut self, rule: Rule, level: Level) {
        self.levels[rule.place()] = level;
    }

    /// The same with these rules only: each at its level, and as a warning where that is off.
    #[must_use]
    pub fn only(mut self, rules: &[Rule]) -> Self {
        for rule in Rule::ALL {
            let level = if rules.contains(&rule) { self.level(rule).max(Level::Warning) } else { Level::Off };
            self.set(rule, level);
        }
        self
    }
}
