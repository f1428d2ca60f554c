//! The invariants of the arena, for tests.

use super::{Arena, Kind, NodeIndex};

impl Arena {
    /// Number of links followed upwards in the last batch of changes.
    pub fn climbed(&self) -> usize {
        self.climbed
    }

    /// Panics if the links contradict each other.
    pub fn check(&self) {
        let mut attached = 0;
        for at in (0..self.nodes.len()).map(NodeIndex::at) {
            assert_eq!(self.has_children(at), self.children(at).next().is_some(), "{at:?} has a family of nobody");
            assert_eq!(self.child_count(at), self.children(at).count());
            let below: u32 = self.children(at).map(|child| self.subtree_size(child)).sum();
            let below = if at == NodeIndex::TOP { 0 } else { below };
            assert_eq!(self.descendants(at), below, "{at:?} counts wrong");
            for child in self.children(at) {
                assert_eq!(self.parent(child), Some(at), "{child:?} hangs elsewhere");
                assert!(self.place_of_child(child).is_some(), "{child:?} is not found among its siblings");
                attached += 1;
            }
            match self.kind(at) {
                Kind::Segment => assert!(self.segment(at).is_some()),
                Kind::Ghost => assert!(self.has_children(at) && self.contents.id(at).is_some()),
                Kind::Top | Kind::Heading(_) | Kind::Free => assert!(self.contents.id(at).is_none()),
            }
            if let Some(id) = self.contents.id(at) {
                assert_eq!(self.find(id), Some(at));
            }
        }
        assert_eq!(attached, self.ordinary().count());
        assert_eq!(self.segments().count(), self.segments);
        assert_eq!(
            self.families.len() - self.free_families.len(),
            (0..self.nodes.len()).filter(|at| self.has_children(NodeIndex::at(*at))).count()
        );
    }
}
