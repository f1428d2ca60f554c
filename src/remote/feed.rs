//! What the feed tells, who made it happen, and where to read on.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::segment::{SegmentId, Step};

/// A part of the feed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Where to ask next, as the server said it. `None` when it said nothing usable.
    pub next: Option<Step>,
    /// What happened, oldest first.
    pub events: Vec<FeedEvent>,
}

/// One entry of the feed: *that* a segment changed, never what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEvent {
    /// The segment it speaks of.
    pub id: SegmentId,
    /// What happened to it.
    pub kind: FeedEventKind,
}

/// What an entry of the feed says has happened. A kind that is not known counts as an update: looking is always right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FeedEventKind {
    /// The segment is new.
    Created,
    /// Some of its fields changed.
    Updated,
    /// It is gone.
    Deleted,
}

/// Who made a change, as the feed's `contexts` names them. A feed can be asked for some of them only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Context {
    /// The shop itself.
    Application,
    /// A person in the back office.
    Backoffice,
    /// The platform's own doing.
    Internal,
    /// An external system such as an ERP, through this API.
    Integrations,
}

impl Context {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Application, Self::Backoffice, Self::Internal, Self::Integrations];

    /// The name on the wire.
    #[must_use]
    pub const fn wire_name(self) -> &'static str {
        match self {
            Self::Application => "APPLICATION",
            Self::Backoffice => "BACKOFFICE",
            Self::Internal => "INTERNAL",
            Self::Integrations => "INTEGRATIONS",
        }
    }

    /// The context of that name on the wire.
    #[must_use]
    pub fn of_wire_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|context| context.wire_name() == name)
    }
}

/// The name for a person.
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

/// Some of the contexts: several may have changed one segment between two looks at the feed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Contexts {
    among: [bool; Context::ALL.len()],
}

impl Contexts {
    /// Those that are in it, in their usual order.
    pub fn iter(self) -> impl Iterator<Item = Context> {
        Context::ALL.into_iter().filter(move |context| self.among[*context as usize])
    }

    /// Whether there is none, since nobody asked.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        let [application, backoffice, internal, integrations] = self.among;
        !(application || backoffice || internal || integrations)
    }
}

impl Extend<Context> for Contexts {
    fn extend<I: IntoIterator<Item = Context>>(&mut self, contexts: I) {
        for context in contexts {
            self.among[context as usize] = true;
        }
    }
}

impl FromIterator<Context> for Contexts {
    fn from_iter<I: IntoIterator<Item = Context>>(contexts: I) -> Self {
        let mut among = Self::default();
        among.extend(contexts);
        among
    }
}

/// A list of the names on the wire.
impl Serialize for Contexts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Context::wire_name))
    }
}

/// The names for a person, joined by "and".
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

/// How several contexts are written in the address, which the platform's documentation leaves open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ContextsForm {
    /// `contexts=A&contexts=B`.
    #[default]
    Repeated,
    /// `contexts=A,B`.
    Comma,
}

/// How a part of the feed is recognised later: asked from the same step, it names these segments. A feed that doesn't is another
/// one, such as that of a server that was put back to an earlier state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landmark {
    /// Whose changes were asked for; those of the profile's contexts without one.
    pub only: Option<Context>,
    /// The step it was asked from.
    pub from: Step,
    /// The step that it called the next one.
    pub next: Step,
    /// The segments that it named first, each once.
    pub named: Vec<SegmentId>,
}

/// Where to read on in the feed: at one step for what anybody does, or at one for each of some contexts by itself, so that
/// each change is known to be somebody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Never empty. Either one for anybody (`None`) or each context once.
    places: Vec<(Option<Context>, Step)>,
}

impl Position {
    /// The same step for each of `apart`; for anybody, when that is empty.
    #[must_use]
    pub fn at(step: Step, apart: &[Context]) -> Self {
        let contexts: Contexts = apart.iter().copied().collect();
        let each: Vec<_> = contexts.iter().map(|context| (Some(context), step)).collect();
        Self { places: if each.is_empty() { vec![(None, step)] } else { each } }
    }

    /// A position from its parts; `None` when there are none.
    #[must_use]
    pub fn of(mut places: Vec<(Option<Context>, Step)>) -> Option<Self> {
        places.sort_unstable_by_key(|(context, _)| *context);
        (!places.is_empty()).then_some(Self { places })
    }

    /// Each part: whose changes, and from which step on.
    pub fn places(&self) -> impl Iterator<Item = (Option<Context>, Step)> {
        self.places.iter().copied()
    }

    /// The step from which on nothing is missed, whoever did it.
    #[must_use]
    pub fn earliest(&self) -> Step {
        self.places.iter().map(|(_, step)| *step).min().unwrap_or(Step::FIRST)
    }

    /// The same position for other parts. Those that were not followed so far begin where nothing is missed.
    #[must_use]
    pub fn regrouped(&self, apart: &[Context]) -> Self {
        let mut other = Self::at(self.earliest(), apart);
        for (context, step) in &mut other.places {
            if let Some((_, known)) = self.places.iter().find(|(followed, _)| followed == context) {
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
    fn whoever_is_followed_apart_from_now_on_begins_where_nothing_is_missed() {
        let together = Position::at(Step(7), &[]);
        assert_eq!(together.places().collect::<Vec<_>>(), [(None, Step(7))]);
        let apart = together.regrouped(&[Context::Backoffice, Context::Internal]);
        assert_eq!(
            apart.places().collect::<Vec<_>>(),
            [(Some(Context::Backoffice), Step(7)), (Some(Context::Internal), Step(7))]
        );
        let places = vec![(Some(Context::Backoffice), Step(9)), (Some(Context::Internal), Step(12))];
        let apart = Position::of(places).unwrap();
        assert_eq!(apart.regrouped(&[]), Position::at(Step(9), &[]));
        let more: Vec<_> = apart.regrouped(&Context::ALL).places().map(|(_, step)| step.0).collect();
        assert_eq!(more, [9, 9, 12, 9]);
        assert_eq!(Position::of(Vec::new()), None);
    }
}
