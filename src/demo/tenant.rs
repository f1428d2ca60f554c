//! The segments of a tenant and the history of their changes.

use std::collections::{BTreeSet, HashMap};

use compact_str::CompactString;

use crate::segment::{Segment, SegmentId};

/// Who makes a change. The feed can be filtered by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The shop itself.
    Application,
    /// A person in the back office.
    Backoffice,
    /// The platform's internal processes.
    Internal,
    /// A client of the API.
    Integrations,
}

impl Actor {
    /// Returns the actor with this name in the feed's `contexts`.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "APPLICATION" => Some(Self::Application),
            "BACKOFFICE" => Some(Self::Backoffice),
            "INTERNAL" => Some(Self::Internal),
            "INTEGRATIONS" => Some(Self::Integrations),
            _ => None,
        }
    }
}

/// What happens to the children of a deleted segment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeletionPolicy {
    /// A segment with children can't be deleted.
    #[default]
    Refuse,
    /// All descendants are deleted too.
    Cascade,
    /// They become orphans, with a parent that no longer exists.
    Orphan,
    /// They become roots.
    Uproot,
}

/// A change to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeRequest {
    /// Creates a segment.
    Create(Fields),
    /// Replaces all fields of a segment.
    Update(SegmentId, Fields),
    /// Deletes a segment.
    Delete(SegmentId),
}

/// The fields of a segment as they are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    /// The name.
    pub name: CompactString,
    /// The external ID.
    pub external_id: Option<CompactString>,
    /// The parent.
    pub parent: Option<SegmentId>,
}

/// Why a change is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefused {
    /// The name is blank.
    #[error("name must not be blank")]
    BlankName,
    /// The parent does not exist.
    #[error("parent segment {0} does not exist")]
    NoSuchParent(SegmentId),
    /// The segment would become its own ancestor.
    #[error("segment {0} can not be moved into its own subtree")]
    OwnSubtree(SegmentId),
    /// The segment does not exist.
    #[error("segment {0} does not exist")]
    NoSuchSegment(SegmentId),
    /// It has children, and the policy forbids deleting it.
    #[error("segment {id} has {children} child segments and can not be deleted")]
    HasChildren {
        /// The segment.
        id: SegmentId,
        /// The number of its children.
        children: usize,
    },
}

/// One step of the feed.
#[derive(Debug, Clone)]
pub(super) struct FeedStep {
    pub id: SegmentId,
    pub kind: &'static str,
    pub actor: Actor,
}

/// A change to a segment since the server started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Who made it.
    pub actor: Actor,
    /// The segment's ID.
    pub id: SegmentId,
    /// The segment after the change; `None` if it was deleted.
    pub now: Option<Segment>,
}

/// A tenant's segments, in the order of their creation, and its feed.
#[derive(Debug)]
pub(super) struct Tenant {
    slots: Vec<Option<Segment>>,
    /// The indices of deleted segments, in ascending order.
    gaps: Vec<usize>,
    index: HashMap<SegmentId, usize>,
    children: HashMap<SegmentId, BTreeSet<SegmentId>>,
    feed: Vec<FeedStep>,
    history: Vec<Change>,
    deletion: DeletionPolicy,
    random: fastrand::Rng,
}

impl Tenant {
    pub fn new(segments: Vec<Segment>, deletion: DeletionPolicy) -> Self {
        let mut tenant = Self {
            slots: Vec::with_capacity(segments.len()),
            gaps: Vec::new(),
            index: HashMap::with_capacity(segments.len()),
            children: HashMap::new(),
            feed: Vec::new(),
            history: Vec::new(),
            deletion,
            random: fastrand::Rng::with_seed(1),
        };
        for segment in segments {
            let id = segment.id.clone();
            tenant.insert(segment);
            tenant.feed.push(FeedStep { id, kind: "CREATE", actor: Actor::Internal });
        }
        tenant
    }

    /// Seeds the generation of new IDs. It differs from the seed of generated segments, since the ID of a deleted segment must not
    /// be reused.
    pub fn seed(&mut self, seed: u64) {
        self.random = fastrand::Rng::with_seed(!seed);
    }

    pub fn len(&self) -> usize {
        self.index.len()
    }

    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.slots.iter().flatten()
    }

    /// Returns a page of the list: at most `limit` segments after the first `offset`.
    pub fn page(&self, offset: usize, limit: usize) -> impl Iterator<Item = &Segment> {
        // Counts the gaps before the page: those with at most `offset` segments before them.
        let mut gaps_before = 0;
        let (mut low, mut high) = (0, self.gaps.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.gaps[middle] - middle <= offset {
                low = middle + 1;
                gaps_before = low;
            } else {
                high = middle;
            }
        }
        let start = (offset + gaps_before).min(self.slots.len());
        self.slots[start..].iter().flatten().take(limit)
    }

    pub fn get(&self, id: &SegmentId) -> Option<&Segment> {
        self.index.get(id).and_then(|index| self.slots.get(*index)?.as_ref())
    }

    pub fn has_children(&self, id: &SegmentId) -> bool {
        self.children.contains_key(id)
    }

    /// Returns all steps of the feed, oldest first. Steps count from 1.
    pub fn feed(&self) -> &[FeedStep] {
        &self.feed
    }

    /// Returns all changes since the start.
    pub fn history(&self) -> &[Change] {
        &self.history
    }

    /// Makes a change, or refuses it. Returns the ID of the segment concerned.
    pub fn apply(&mut self, actor: Actor, change: ChangeRequest) -> Result<SegmentId, ChangeRefused> {
        match change {
            ChangeRequest::Create(fields) => {
                self.check(None, &fields)?;
                let id = self.new_id();
                self.insert(fields.into_segment(id.clone()));
                self.record(id.clone(), "CREATE", actor);
                Ok(id)
            }
            ChangeRequest::Update(id, fields) => {
                let known = self.get(&id).ok_or_else(|| ChangeRefused::NoSuchSegment(id.clone()))?;
                // An unchanged parent is accepted, even if it does not exist.
                if known.parent != fields.parent {
                    self.check(Some(&id), &fields)?;
                } else if fields.name.trim().is_empty() {
                    return Err(ChangeRefused::BlankName);
                }
                self.insert(fields.into_segment(id.clone()));
                self.record(id.clone(), "UPDATE", actor);
                Ok(id)
            }
            ChangeRequest::Delete(id) => {
                self.get(&id).ok_or_else(|| ChangeRefused::NoSuchSegment(id.clone()))?;
                self.delete(&id, actor)?;
                Ok(id)
            }
        }
    }

    fn check(&self, id: Option<&SegmentId>, fields: &Fields) -> Result<(), ChangeRefused> {
        if fields.name.trim().is_empty() {
            return Err(ChangeRefused::BlankName);
        }
        let Some(parent) = &fields.parent else { return Ok(()) };
        if self.get(parent).is_none() {
            return Err(ChangeRefused::NoSuchParent(parent.clone()));
        }
        let Some(id) = id else { return Ok(()) };
        let mut ancestor = Some(parent);
        // No chain of ancestors has more steps than there are segments, so this also ends for a cycle in the loaded data.
        for _ in 0..=self.len() {
            match ancestor {
                Some(at) if at == id => return Err(ChangeRefused::OwnSubtree(id.clone())),
                Some(at) => ancestor = self.get(at).and_then(|segment| segment.parent.as_ref()),
                None => break,
            }
        }
        Ok(())
    }

    fn delete(&mut self, id: &SegmentId, actor: Actor) -> Result<(), ChangeRefused> {
        let children: Vec<SegmentId> = self.children.get(id).into_iter().flatten().cloned().collect();
        match self.deletion {
            DeletionPolicy::Refuse if !children.is_empty() => {
                return Err(ChangeRefused::HasChildren { id: id.clone(), children: children.len() });
            }
            DeletionPolicy::Refuse | DeletionPolicy::Orphan => self.remove(id, actor),
            DeletionPolicy::Uproot => {
                self.remove(id, actor);
                for child in children {
                    if let Some(segment) = self.get(&child).cloned() {
                        self.insert(Segment { parent: None, ..segment });
                        self.record(child, "UPDATE", Actor::Internal);
                    }
                }
            }
            DeletionPolicy::Cascade => {
                let mut pending = vec![id.clone()];
                while let Some(id) = pending.pop() {
                    pending.extend(self.children.get(&id).into_iter().flatten().cloned());
                    self.remove(&id, actor);
                }
            }
        }
        Ok(())
    }

    fn remove(&mut self, id: &SegmentId, actor: Actor) {
        let Some(index) = self.index.remove(id) else { return };
        if let Some(segment) = self.slots[index].take() {
            self.unlink(&segment);
        }
        self.gaps.insert(self.gaps.partition_point(|gap| *gap < index), index);
        self.record(id.clone(), "DELETE", actor);
    }

    /// Replaces a segment, or appends it if it is new.
    fn insert(&mut self, segment: Segment) {
        if let Some(parent) = &segment.parent {
            self.children.entry(parent.clone()).or_default().insert(segment.id.clone());
        }
        let index = *self.index.entry(segment.id.clone()).or_insert(self.slots.len());
        if index == self.slots.len() {
            self.slots.push(Some(segment));
            return;
        }
        let parent = segment.parent.clone();
        if let Some(previous) = self.slots[index].replace(segment)
            && previous.parent != parent
        {
            self.unlink(&previous);
        }
    }

    fn unlink(&mut self, segment: &Segment) {
        let Some(parent) = &segment.parent else { return };
        if let Some(siblings) = self.children.get_mut(parent) {
            siblings.remove(&segment.id);
            if siblings.is_empty() {
                self.children.remove(parent);
            }
        }
    }

    fn record(&mut self, id: SegmentId, kind: &'static str, actor: Actor) {
        self.history.push(Change { actor, id: id.clone(), now: self.get(&id).cloned() });
        self.feed.push(FeedStep { id, kind, actor });
    }

    fn new_id(&mut self) -> SegmentId {
        loop {
            if let Some(id) = super::starters::random_id(&mut self.random)
                && !self.index.contains_key(&id)
            {
                return id;
            }
        }
    }
}

impl Fields {
    fn into_segment(self, id: SegmentId) -> Segment {
        Segment { id, name: self.name, external_id: self.external_id, parent: self.parent }
    }

    /// Returns the fields of a segment.
    #[must_use]
    pub fn of(segment: &Segment) -> Self {
        let Segment { name, external_id, parent, .. } = segment.clone();
        Self { name, external_id, parent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(deletion: DeletionPolicy) -> Tenant {
        let edges = [("a", None), ("b", Some("a")), ("c", Some("b")), ("d", Some("a"))];
        let segment = |(id, parent): (&str, Option<&str>)| Segment {
            id: SegmentId::new(id).unwrap(),
            name: id.into(),
            external_id: None,
            parent: parent.and_then(SegmentId::new),
        };
        Tenant::new(edges.into_iter().map(segment).collect(), deletion)
    }

    fn delete(tenant: &mut Tenant, id: &str) -> Result<SegmentId, ChangeRefused> {
        tenant.apply(Actor::Backoffice, ChangeRequest::Delete(SegmentId::new(id).unwrap()))
    }

    fn left(tenant: &Tenant) -> Vec<String> {
        let record = |segment: &Segment| {
            format!("{}<{}", segment.id, segment.parent.as_ref().map_or("-".into(), ToString::to_string))
        };
        tenant.segments().map(record).collect()
    }

    #[test]
    fn deleting_a_parent_follows_the_policy() {
        let mut refusing = tenant(DeletionPolicy::Refuse);
        assert!(matches!(delete(&mut refusing, "b"), Err(ChangeRefused::HasChildren { children: 1, .. })));
        assert!(delete(&mut refusing, "c").is_ok() && delete(&mut refusing, "b").is_ok());

        let mut cascading = tenant(DeletionPolicy::Cascade);
        delete(&mut cascading, "b").unwrap();
        assert_eq!(left(&cascading), ["a<-", "d<a"]);

        let mut orphaning = tenant(DeletionPolicy::Orphan);
        delete(&mut orphaning, "b").unwrap();
        assert_eq!(left(&orphaning), ["a<-", "c<b", "d<a"]);

        let mut uprooting = tenant(DeletionPolicy::Uproot);
        delete(&mut uprooting, "b").unwrap();
        assert_eq!(left(&uprooting), ["a<-", "c<-", "d<a"]);
        assert_eq!(uprooting.feed().len(), 6);
    }

    #[test]
    fn pages_skip_deleted_segments() {
        let mut tenant = tenant(DeletionPolicy::Orphan);
        for id in ["c", "a"] {
            delete(&mut tenant, id).unwrap();
            for offset in 0..5 {
                for limit in 0..3 {
                    let expected: Vec<_> = tenant.segments().skip(offset).take(limit).collect();
                    assert_eq!(tenant.page(offset, limit).collect::<Vec<_>>(), expected);
                }
            }
        }
    }

    #[test]
    fn nothing_can_be_moved_into_its_own_subtree() {
        let mut tenant = tenant(DeletionPolicy::Refuse);
        let id = SegmentId::new("a").unwrap();
        let fields = Fields { name: "a".into(), external_id: None, parent: SegmentId::new("c") };
        assert_eq!(
            tenant.apply(Actor::Backoffice, ChangeRequest::Update(id.clone(), fields)),
            Err(ChangeRefused::OwnSubtree(id))
        );
    }
}
