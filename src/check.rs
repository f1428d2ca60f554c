//! Checks a set of segments for errors and probable mistakes, by rules that have names and levels.
//!
//! Segments may come from a server or a file, in any order; the order doesn't affect the findings. The cost grows with
//! the number of segments and hardly faster, even if many share a name or form a cycle. As every segment is visited, run a check
//! on a thread of its own. Nothing recurses.

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

pub use job::{CheckJob, CheckResult};
pub use names::mended_name;
pub use rules::{Level, Rule, RuleFault, Rules};

/// One segment that breaks one rule. Displays as a short sentence without the segment's name.
///
/// The sentence contains names and ids as received: make it printable before you show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule that is broken.
    pub rule: Rule,
    /// The level of the rule at the time of the check.
    pub level: Level,
    /// The segment as of the check.
    pub segment: Arc<Segment>,
    /// How the segment breaks the rule.
    pub evidence: Evidence,
}

/// How a segment breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// Its parent, named here, does not exist.
    ParentMissing(SegmentId),
    /// It is its own parent.
    OwnParent,
    /// Segments that form a cycle, each followed by its parent, beginning with the smallest id.
    Cycle(Arc<[Arc<Segment>]>),
    /// The name is empty or blank.
    BlankName,
    /// All segments with this external id, sorted by id.
    SameExternalId(Arc<[Arc<Segment>]>),
    /// All children of one parent whose names differ at most in case, accents, spaces and invisible characters, sorted by id.
    SameName(Arc<[Arc<Segment>]>),
    /// The name begins or ends with a space.
    PaddedName,
    /// The first invisible character, and the field it is in.
    Invisible(Field, char),
    /// The first word of the name that mixes letters of several scripts.
    MixedScripts {
        /// The word.
        word: String,
        /// English names of its scripts, joined with "and".
        scripts: String,
    },
    /// It has no external id.
    NoExternalId,
    /// It is deeper than allowed.
    Depth {
        /// Its level; roots are on level 1.
        level: u32,
        /// The deepest level allowed.
        max_depth: u32,
    },
}

impl Evidence {
    /// Returns the segments that break the rule together, this one included, or none if it breaks the rule alone.
    #[must_use]
    pub fn involved_segments(&self) -> &[Arc<Segment>] {
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
            Evidence::Depth { level, max_depth } => write!(f, "on level {level}, deeper than {max_depth}"),
        }
    }
}

/// Checks segments against all rules that are not off. Findings are sorted by level (errors first), then by rule; segments that
/// break a rule together are adjacent.
#[must_use]
pub fn check(segments: &[Arc<Segment>], rules: &Rules) -> Vec<Finding> {
    let mut collector = FindingCollector { rules, findings: Vec::new() };
    structure::check(segments, &mut collector);
    names::check(segments, &mut collector);
    duplicates::check(segments, &mut collector);
    let mut findings = collector.findings;
    // A group is sorted by its first segment.
    let leader =
        |finding: &Finding| finding.evidence.involved_segments().first().cloned().unwrap_or(finding.segment.clone());
    findings.sort_by_cached_key(|finding| {
        let leader = leader(finding);
        let rank = (Reverse(finding.level), finding.rule);
        (rank, leader.name.clone(), leader.id.clone(), finding.segment.id.clone())
    });
    findings
}

/// Collects findings, at the levels that the rules have.
struct FindingCollector<'a> {
    rules: &'a Rules,
    findings: Vec<Finding>,
}

impl FindingCollector<'_> {
    /// Whether a rule is on.
    fn is_enabled(&self, rule: Rule) -> bool {
        self.rules.level(rule) != Level::Off
    }

    fn add(&mut self, rule: Rule, segment: &Arc<Segment>, evidence: Evidence) {
        let level = self.rules.level(rule);
        if level != Level::Off {
            self.findings.push(Finding { rule, level, segment: Arc::clone(segment), evidence });
        }
    }
}
