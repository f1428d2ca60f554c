//! How much a person has to do before something is sent: the more it could damage, the more.

use crate::plan::Operation;

use super::State;

/// What has to be typed before something is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Demand {
    /// Nothing: a key is enough.
    Key,
    /// The tenant, since the profile is protected or since so many go.
    Tenant(String),
    /// The name of what belongs to another system.
    Name {
        /// The name.
        name: String,
        /// Whose it is.
        owner: String,
    },
}

/// More deletions than these want a word typed.
pub(super) const MANY: usize = 50;

impl Demand {
    /// The word that has to be typed, if any.
    #[must_use]
    pub fn word(&self) -> Option<&str> {
        match self {
            Self::Key => None,
            Self::Tenant(word) | Self::Name { name: word, .. } => Some(word),
        }
    }

    /// Whether what was typed is enough.
    #[must_use]
    pub fn is_met(&self, typed: &str) -> bool {
        self.word().is_none_or(|word| word.trim() == typed.trim())
    }
}

/// What has to be typed before operations are sent.
pub(super) fn demand(state: &State, operations: &[&Operation]) -> Demand {
    let deletions = operations.iter().filter(|operation| matches!(operation, Operation::Delete { .. })).count();
    let segments = operations.iter().filter_map(|operation| match operation {
        Operation::Update { base, .. } | Operation::Delete { base, .. } => Some(base),
        Operation::Create { .. } => None,
    });
    let mut segments = segments;
    let owned = segments.find_map(|segment| Some((segment, state.session.owner_of(segment)?)));
    if state.session.protected || deletions > MANY {
        return Demand::Tenant(state.session.tenant.clone());
    }
    match owned {
        Some((segment, pattern)) => Demand::Name { name: segment.name.to_string(), owner: pattern.owner() },
        None => Demand::Key,
    }
}
