//! A simulated colleague in the back office who makes occasional changes and keeps the tree in order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::segment::{Segment, SegmentId};

use super::routes::Shared;
use super::tenant::{Actor, ChangeRequest, Fields, Tenant};

/// Maximum number of existing segments that the colleague created.
const MAX_OWN_SEGMENTS: usize = 12;
/// Maximum delay that is caught up on.
const MAX_LAG: Duration = Duration::from_millis(100);
/// Attempts before a turn is skipped.
const MAX_ATTEMPTS: usize = 8;
/// Suffixes that a renaming adds to a name, or removes if there is one.
const NAME_SUFFIXES: [&str; 5] = [" (2026)", " – nowe warunki", " *", " / do weryfikacji", " – key account"];
const NEW_NAMES: [&str; 10] = [
    "Nowa grupa",
    "Klienci z targów",
    "Polecenia",
    "Próbki i degustacje",
    "Zwroty Q4",
    "Odbiór osobisty",
    "Dropshipping",
    "Klub Kupca",
    "Płatność przy odbiorze",
    "Pilotaż B2B",
];

/// Makes about `churn` changes per second for as long as the server runs.
pub(super) async fn run(shared: Arc<Shared>, churn: f64) {
    let mut colleague = Colleague { random: fastrand::Rng::with_seed(shared.options.seed), created: VecDeque::new() };
    let mut due = Instant::now();
    loop {
        let pause = (0.5 + colleague.random.f64()) / churn;
        // The pause includes the time the work takes.
        due = (due + Duration::try_from_secs_f64(pause).unwrap_or(Duration::from_secs(3_600)))
            .max(Instant::now() - MAX_LAG);
        tokio::time::sleep_until(due).await;
        colleague.make_change(&mut shared.tenant());
    }
}

struct Colleague {
    random: fastrand::Rng,
    /// Segments created by the colleague, oldest first.
    created: VecDeque<SegmentId>,
}

impl Colleague {
    /// Makes one change; if one is not possible, it tries another.
    fn make_change(&mut self, tenant: &mut Tenant) {
        for _ in 0..MAX_ATTEMPTS {
            let Some(change) = self.random_change(tenant) else { continue };
            let creates = matches!(change, ChangeRequest::Create(_));
            match tenant.apply(Actor::Backoffice, change) {
                Ok(id) => {
                    if creates {
                        self.created.push_back(id);
                    }
                    return;
                }
                Err(refusal) => tracing::debug!(%refusal, "the colleague was refused"),
            }
        }
    }

    fn random_change(&mut self, tenant: &Tenant) -> Option<ChangeRequest> {
        match self.random.u32(0..10) {
            0 | 1 if self.created.len() < MAX_OWN_SEGMENTS => self.create(tenant),
            2 => {
                let created = self.created.pop_front()?;
                (tenant.get(&created).is_some() && !tenant.has_children(&created))
                    .then_some(ChangeRequest::Delete(created))
            }
            3 => self.change_external_id(tenant),
            4 | 5 => self.relocate_leaf(tenant),
            _ => self.rename(tenant),
        }
    }

    fn any(&mut self, tenant: &Tenant) -> Option<Segment> {
        let count = tenant.len();
        if count == 0 {
            return None;
        }
        tenant.segments().nth(self.random.usize(..count)).cloned()
    }

    fn create(&mut self, tenant: &Tenant) -> Option<ChangeRequest> {
        let parent = Some(self.any(tenant)?.id).filter(|parent| !self.created.contains(parent))?;
        let name = self.random.choice(NEW_NAMES)?.into();
        let external_id = Some(format!("BO-{}", self.random.u32(1_000..10_000)).into());
        Some(ChangeRequest::Create(Fields { name, external_id, parent: Some(parent) }))
    }

    fn rename(&mut self, tenant: &Tenant) -> Option<ChangeRequest> {
        let segment = self.any(tenant)?;
        let bare = NAME_SUFFIXES.iter().find_map(|suffix| segment.name.strip_suffix(suffix));
        let name = match bare {
            Some(bare) => bare.into(),
            None => format!("{}{}", segment.name, self.random.choice(NAME_SUFFIXES)?).into(),
        };
        Some(ChangeRequest::Update(segment.id.clone(), Fields { name, ..Fields::of(&segment) }))
    }

    fn change_external_id(&mut self, tenant: &Tenant) -> Option<ChangeRequest> {
        let segment = self.any(tenant)?;
        let external_id = segment.external_id.as_ref()?;
        let external_id = match external_id.strip_suffix("/26") {
            Some(bare) => bare.into(),
            None => format!("{external_id}/26").into(),
        };
        Some(ChangeRequest::Update(
            segment.id.clone(),
            Fields { external_id: Some(external_id), ..Fields::of(&segment) },
        ))
    }

    /// Moves a leaf under a sibling of its parent.
    fn relocate_leaf(&mut self, tenant: &Tenant) -> Option<ChangeRequest> {
        let segment = self.any(tenant).filter(|segment| !tenant.has_children(&segment.id))?;
        let parent = tenant.get(segment.parent.as_ref()?)?;
        let aunts: Vec<&Segment> =
            tenant.segments().filter(|aunt| aunt.parent == parent.parent && tenant.has_children(&aunt.id)).collect();
        let aunt = self.random.choice(aunts)?;
        let fields = Fields { parent: Some(aunt.id.clone()), ..Fields::of(&segment) };
        (aunt.id != parent.id).then(|| ChangeRequest::Update(segment.id.clone(), fields))
    }
}

#[cfg(test)]
mod tests {
    use super::super::starters;
    use super::super::tenant::DeletionPolicy;
    use super::*;

    #[test]
    fn many_changes_by_the_colleague_keep_the_tree_in_order() {
        let segments = starters::demo_wholesale().unwrap();
        let count = segments.len();
        let mut tenant = Tenant::new(segments, DeletionPolicy::Refuse);
        let mut colleague = Colleague { random: fastrand::Rng::with_seed(3), created: VecDeque::new() };
        for _ in 0..20_000 {
            colleague.make_change(&mut tenant);
        }
        assert!((count..=count + 2 * MAX_OWN_SEGMENTS).contains(&tenant.len()), "{} of {count}", tenant.len());
        assert!(tenant.feed().len() > count + 10_000, "something happened most of the time");
        let longest = tenant.segments().map(|segment| segment.name.chars().count()).max();
        assert!(longest < Some(60), "names don't grow and grow");
    }
}
