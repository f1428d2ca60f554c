//! The events of the feed, who caused them, and the position to read on from.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::segment::{SegmentId, Step};

/// A part of the feed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The step to ask from next, as reported by the server; `None` if it reported nothing usable.
    pub next: Option<Step>,
    /// The events, oldest first.
    pub events: Vec<FeedEvent>,
}

/// One event of the feed: *that* a segment changed, not what changed in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEvent {
    /// The segment.
    pub id: SegmentId,
    /// What happened to it.
    pub kind: FeedEventKind,
}

/// The kind of an event. An unknown kind counts as an update, so the segment is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FeedEventKind {
    /// The segment is new.
    Created,
    /// Some of its fields changed.
    Updated,
    /// The segment is gone.
    Deleted,
}

/// Who made a change, as named by the feed's `contexts`. The feed can be limited to some of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Context {
    /// The shop itself.
    Application,
    /// A person in the back office.
    Backoffice,
    /// The platform itself.
    Internal,
    /// An external system such as an ERP, through this API.
    Integrations,
}

impl Context {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Application, Self::Backoffice, Self::Internal, Self::Integrations];

    /// The name in the API.
    #[must_use]
    pub const fn wire_name(self) -> &'static str {
        match self {
            Self::Application => "APPLICATION",
            Self::Backoffice => "BACKOFFICE",
            Self::Internal => "INTERNAL",
            Self::Integrations => "INTEGRATIONS",
        }
    }

    /// The context with that name in the API.
    #[must_use]
    pub fn of_wire_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|context| context.wire_name() == name)
    }
}

/// The displayed name.
impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Application => "application",
            Self::Backoffice => "back office",
            Self::Internal => "internal",
            Self::Integrations => "integrations",
        })
    }
}

/// A set of contexts: several may have changed one segment between two polls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Contexts {
    included: [bool; Context::ALL.len()],
}

impl Contexts {
    /// The contexts in the set, in their usual order.
    pub fn iter(self) -> impl Iterator<Item = Context> {
        Context::ALL.into_iter().filter(move |context| self.included[*context as usize])
    }

    /// Whether the set is empty, as when the feed was not asked per context.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        let [application, backoffice, internal, integrations] = self.included;
        !(application || backoffice || internal || integrations)
    }
}

impl Extend<Context> for Contexts {
    fn extend<I: IntoIterator<Item = Context>>(&mut self, contexts: I) {
        for context in contexts {
            self.included[context as usize] = true;
        }
    }
}

impl FromIterator<Context> for Contexts {
    fn from_iter<I: IntoIterator<Item = Context>>(contexts: I) -> Self {
        let mut included = Self::default();
        included.extend(contexts);
        included
    }
}

/// A list of the names in the API.
impl Serialize for Contexts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Context::wire_name))
    }
}

/// The displayed names, joined by "and".
impl fmt::Display for Contexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, context) in self.iter().enumerate() {
            if at > 0 {
                f.write_str(" and ")?;
            }
            write!(f, "{context}")?;
        }
        Ok(())
    }
}

/// How several contexts are written in the query, which the platform's documentation leaves open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ContextsForm {
    /// `contexts=A&contexts=B`.
    #[default]
    Repeated,
    /// `contexts=A,B`.
    Comma,
}

/// Identifies a part of the feed: asked again from the same step, the feed must name these segments. If it doesn't, it is another
/// feed, such as that of a server that was reset to an earlier state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landmark {
    /// The context that was asked for; `None` for the profile's contexts.
    pub only: Option<Context>,
    /// The step it was asked from.
    pub from: Step,
    /// The next step, as reported with that part.
    pub next: Step,
    /// The segments that it named first, each once.
    pub named: Vec<SegmentId>,
}

/// Where to read on in the feed: one step for everybody, or one step per context, so that each change can be attributed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Never empty. Either a single entry for everybody (`None`), or each context once.
    entries: Vec<(Option<Context>, Step)>,
}

impl Position {
    /// The same step for each context of `separate_contexts`, or for everybody if that is empty.
    #[must_use]
    pub fn at(step: Step, separate_contexts: &[Context]) -> Self {
        let contexts: Contexts = separate_contexts.iter().copied().collect();
        let each: Vec<_> = contexts.iter().map(|context| (Some(context), step)).collect();
        Self { entries: if each.is_empty() { vec![(None, step)] } else { each } }
    }

    /// A position from its entries; `None` if there are none.
    #[must_use]
    pub fn from_entries(mut entries: Vec<(Option<Context>, Step)>) -> Option<Self> {
        entries.sort_unstable_by_key(|(context, _)| *context);
        (!entries.is_empty()).then_some(Self { entries })
    }

    /// The entries: whose changes, and from which step on.
    pub fn entries(&self) -> impl Iterator<Item = (Option<Context>, Step)> {
        self.entries.iter().copied()
    }

    /// The step from which nothing is missed, whoever caused it.
    #[must_use]
    pub fn earliest(&self) -> Step {
        self.entries.iter().map(|(_, step)| *step).min().unwrap_or(Step::FIRST)
    }

    /// The same position for other contexts. A context that was not followed before starts at the earliest step.
    #[must_use]
    pub fn regrouped(&self, separate_contexts: &[Context]) -> Self {
        let mut other = Self::at(self.earliest(), separate_contexts);
        for (context, step) in &mut other.entries {
            if let Some((_, known)) = self.entries.iter().find(|(followed, _)| followed == context) {
                *step = *known;
            }
        }
        other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_contexts_read_as_one_phrase() {
        let both: Contexts = [Context::Integrations, Context::Backoffice, Context::Backoffice].into_iter().collect();
        assert_eq!(both.to_string(), "back office and integrations");
        assert!(!both.is_empty() && Contexts::default().is_empty());
        assert_eq!(Contexts::default().to_string(), "");
    }

    #[test]
    fn a_newly_followed_context_starts_at_the_earliest_step() {
        let together = Position::at(Step(7), &[]);
        assert_eq!(together.entries().collect::<Vec<_>>(), [(None, Step(7))]);
        let separate_contexts = together.regrouped(&[Context::Backoffice, Context::Internal]);
        assert_eq!(
            separate_contexts.entries().collect::<Vec<_>>(),
            [(Some(Context::Backoffice), Step(7)), (Some(Context::Internal), Step(7))]
        );
        let entries = vec![(Some(Context::Backoffice), Step(9)), (Some(Context::Internal), Step(12))];
        let separate_contexts = Position::from_entries(entries).unwrap();
        assert_eq!(separate_contexts.regrouped(&[]), Position::at(Step(9), &[]));
        let more: Vec<_> = separate_contexts.regrouped(&Context::ALL).entries().map(|(_, step)| step.0).collect();
        assert_eq!(more, [9, 9, 12, 9]);
        assert_eq!(Position::from_entries(Vec::new()), None);
    }
}
