//! What is wrong, or probably wrong, with a set of segments: rules with names and levels, and what they find.
//!
//! It takes segments as they come, from a server or a file, in any order, and what it finds depends on that order in nothing. Its
//! cost grows with the number of segments and no faster, however many share a name or stand in one loop; since it looks at all of
//! them, it belongs on a thread of its own. Nothing recurses.

mod duplicates;
mod job;
mod names;
mod rules;
mod structure;

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use crate::numbers::{Noun, counted};
use crate::segment::{Field, Segment, SegmentId};

pub use job::{CheckJob, Checked};
pub use names::mended_name;
pub use rules::{Level, Rule, RuleFault, Rules};

/// One segment that breaks one rule. Reads as a short sentence, without the name of the segment.
///
/// The sentence has names and ids in it as they came: it is to be made printable before it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// How grave that is.
    pub level: Level,
    /// The segment as it was when it was looked at.
    pub segment: Arc<Segment>,
    /// What breaks the rule.
    pub evidence: Evidence,
}

/// What breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// The parent that it names is not there.
    ParentMissing(SegmentId),
    /// It names itself as its parent.
    OwnParent,
    /// The segments whose parents lead from one to the next and back to the first, from the one with the smallest id on.
    Cycle(Arc<[Arc<Segment>]>),
    /// There is nothing to read in the name.
    BlankName,
    /// All that bear the same external id, sorted by id.
    SameExternalId(Arc<[Arc<Segment>]>),
    /// All children of one parent whose names are the same but for case, accents and spaces, sorted by id.
    SameName(Arc<[Arc<Segment>]>),
    /// The name begins or ends with a space.
    PaddedName,
    /// The first character of a field that nobody can see.
    Invisible(Field, char),
    /// The first word of the name with letters of several scripts, and those.
    MixedScripts {
        /// The word.
        word: String,
        /// English names of its scripts.
        scripts: String,
    },
    /// It has no external id.
    NoExternalId,
    /// It stands deeper than is wished.
    Depth {
        /// Its level; those at the top are on the first.
        level: u32,
        /// The deepest level that is wished.
        most: u32,
    },
}

impl Evidence {
    /// The segments that break the rule together, this one included; none where it breaks it by itself.
    #[must_use]
    pub fn together(&self) -> &[Arc<Segment>] {
        match self {
            Self::Cycle(all) | Self::SameExternalId(all) | Self::SameName(all) => all,
            _ => &[],
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.evidence {
            Evidence::ParentMissing(parent) => write!(f, "parent {parent} doesn't exist"),
            Evidence::OwnParent => f.write_str("it is its own parent"),
            Evidence::Cycle(all) => write!(f, "its ancestors form a loop of {}", counted(all.len(), Noun::Segment)),
            Evidence::BlankName => f.write_str("no name"),
            Evidence::SameExternalId(all) => {
                let external_id = self.segment.external_id.as_deref().unwrap_or_default();
                write!(f, "external ID {external_id} is used by {}", counted(all.len(), Noun::Segment))
            }
            Evidence::SameName(all) => {
                write!(f, "same name as {}", counted(all.len().saturating_sub(1), Noun::Sibling))
            }
            Evidence::PaddedName => f.write_str("the name begins or ends with a space"),
            Evidence::Invisible(field, character) => {
                let field = if *field == Field::ExternalId { "external ID" } else { "name" };
                write!(f, "invisible character U+{:04X} in the {field}", u32::from(*character))
            }
            Evidence::MixedScripts { word, scripts } => write!(f, "“{word}” mixes {scripts} letters"),
            Evidence::NoExternalId => f.write_str("no external ID"),
            Evidence::Depth { level, most } => write!(f, "on level {level}, deeper than {most}"),
        }
    }
}

/// Looks at segments by all rules that are not off. The gravest come first, then the rules in their order, and what breaks a rule
/// together stands together.
#[must_use]
pub fn check(segments: &[Arc<Segment>], rules: &Rules) -> Vec<Finding> {
    let mut found = Found { rules, findings: Vec::new() };
    structure::check(segments, &mut found);
    names::check(segments, &mut found);
    duplicates::check(segments, &mut found);
    let mut findings = found.findings;
    // Of those that belong together, the first one stands for all.
    let leader = |finding: &Finding| finding.evidence.together().first().cloned().unwrap_or(finding.segment.clone());
    findings.sort_by_cached_key(|finding| {
        let leader = leader(finding);
        let place = (Reverse(finding.level), finding.rule);
        (place, leader.name.clone(), leader.id.clone(), finding.segment.id.clone())
    });
    findings
}

/// What was found so far, and by which rules.
struct Found<'a> {
    rules: &'a Rules,
    findings: Vec<Finding>,
}

impl Found<'_> {
    /// Whether anybody wants to know.
    fn wants(&self, rule: Rule) -> bool {
        self.rules.level(rule) != Level::Off
    }

    fn add(&mut self, rule: Rule, segment: &Arc<Segment>, evidence: Evidence) {
        let level = self.rules.level(rule);
        if level != Level::Off {
            self.findings.push(Finding { rule, level, segment: Arc::clone(segment), evidence });
        }
    }
}
