//! The number of keys that daily tasks take, from the main screen and back to it, and the result on the server.

use segtui::segment::{Segment, SegmentId};

use crate::pty::{Pty, eventually};
use crate::{CTRL_U, Demo, ENTER};

/// The program with its keys counted. Typed text doesn't count: a name takes what it takes.
struct KeyCounter {
    pty: Pty,
    keys: usize,
}

impl KeyCounter {
    fn at(demo: &Demo) -> Self {
        Self { pty: demo.open(&["--poll", "0.2"]), keys: 0 }
    }

    /// Presses one key, which may be several bytes.
    fn key(&mut self, key: &str) {
        let bytes = key.len();
        assert!(bytes == 1 || key.starts_with('\x1b'), "{key:?} is more than one key");
        self.pty.type_text(key);
        self.keys += 1;
    }

    fn text(&mut self, text: &str) {
        assert!(text.chars().all(|character| !character.is_control()), "{text:?} has keys in it");
        self.pty.type_text(text);
    }

    /// Selects the segment with exactly this external ID.
    fn go_to(&mut self, external_id: &str, name: &str) {
        self.key("f");
        self.text(external_id);
        self.key(ENTER);
        self.pty.wait_for(&format!("│ {name}"));
    }

    /// Asserts that the screen reports the result after at most so many keys, and resets the count.
    #[track_caller]
    fn assert_at_most(&mut self, max_keys: usize, message: &str) {
        self.pty.wait_for(message);
        assert!(self.keys <= max_keys, "{} keys instead of {max_keys}", self.keys);
        self.keys = 0;
    }

    fn leave(mut self) {
        self.pty.type_text("q");
        assert_eq!(self.pty.exit_code(), 0);
    }
}

/// The only segment with this external ID.
fn with_external_id(demo: &Demo, external_id: &str) -> Segment {
    let mut found = demo.server.segments();
    found.retain(|segment| segment.external_id.as_deref() == Some(external_id));
    assert_eq!(found.len(), 1, "{external_id}: {found:?}");
    found.remove(0)
}

fn below(demo: &Demo, parent: &SegmentId) -> usize {
    demo.server.segments().iter().filter(|segment| segment.parent.as_ref() == Some(parent)).count()
}

#[test]
fn finding_and_renaming_a_segment_takes_at_most_ten_keys() {
    let demo = Demo::start();
    let before = with_external_id(&demo, "BR-APT");
    let mut counter = KeyCounter::at(&demo);
    counter.go_to("BR-APT", "Apteki");
    counter.key("r");
    counter.key(CTRL_U);
    counter.text("Farmacja");
    counter.key(ENTER);
    counter.assert_at_most(10, "Renamed Apteki → Farmacja");
    assert_eq!(with_external_id(&demo, "BR-APT"), Segment { name: "Farmacja".into(), ..before });
    counter.leave();
}

#[test]
fn finding_and_moving_a_segment_takes_at_most_eight_keys() {
    let demo = Demo::start();
    let before = with_external_id(&demo, "BR-APT");
    let mut counter = KeyCounter::at(&demo);
    counter.go_to("BR-APT", "Apteki");
    counter.key("m");
    counter.text("VIP Client");
    counter.key(ENTER);
    counter.assert_at_most(8, "Moved Apteki to VIP Client");
    let parent = Some(with_external_id(&demo, "VIP").id);
    assert_eq!(with_external_id(&demo, "BR-APT"), Segment { parent, ..before.clone() });
    assert_eq!(below(&demo, &before.id), 3, "what stands below came along");
    counter.leave();
}

#[test]
fn creating_a_child_takes_at_most_three_keys() {
    let demo = Demo::start();
    let mut counter = KeyCounter::at(&demo);
    counter.go_to("BR-APT", "Apteki");
    counter.keys = 0;
    counter.key("a");
    counter.text("Apteki nocne");
    counter.key("\t");
    counter.text("BR-APT-04");
    counter.key(ENTER);
    counter.assert_at_most(3, "Created Apteki nocne");
    let created = with_external_id(&demo, "BR-APT-04");
    assert_eq!((created.name.as_str(), created.parent), ("Apteki nocne", Some(with_external_id(&demo, "BR-APT").id)));
    assert_eq!(demo.server.segments().len(), 290 + 1);
    counter.leave();
}

#[test]
fn deleting_a_subtree_takes_three_keys_and_undo_one() {
    let demo = Demo::start();
    let before = with_external_id(&demo, "BR-APT");
    let mut counter = KeyCounter::at(&demo);
    counter.go_to("BR-APT", "Apteki");
    counter.keys = 0;
    counter.key("d");
    counter.pty.wait_for("It has 3 descendants");
    counter.key("s");
    counter.assert_at_most(3, "Deleted Apteki and its 3 descendants");
    let left = demo.server.segments();
    assert_eq!(left.len(), 290 - 4);
    assert!(left.iter().all(|segment| segment.external_id.as_ref().is_none_or(|it| !it.starts_with("BR-APT"))));

    counter.key("u");
    counter.assert_at_most(1, "Undid: delete Apteki + 3 descendants");
    let back = eventually(|| Some(with_external_id(&demo, "BR-APT")).filter(|it| below(&demo, &it.id) == 3));
    assert_ne!(back.id, before.id, "the server gives an id once");
    assert_eq!((back.name, back.parent), (before.name, before.parent));
    assert_eq!(demo.server.segments().len(), 290);
    counter.leave();
}

#[test]
fn renaming_twenty_segments_in_the_editor_takes_two_keys() {
    let demo = Demo::start();
    let subtree = with_external_id(&demo, "EXP");
    let mut environment = demo.variables().to_vec();
    // The lines below the instructions and the segment's own line.
    environment.push(("EDITOR", "sed -i -e '7,26s/^\\( *\\)/\\1Nowo /'".to_owned()));
    let pty = Pty::start(120, 40, &["--poll", "0.2"], &environment);
    pty.wait_for("290 segments   ● live");
    let mut counter = KeyCounter { pty, keys: 0 };
    counter.go_to("EXP", "Eksport");
    counter.keys = 0;
    let before = demo.server.segments();
    counter.key("E");
    counter.pty.wait_for("update 20");
    assert_eq!(demo.server.segments(), before, "nothing is sent unseen");
    counter.key("y");
    counter.assert_at_most(2, "Applied 20 changes from text edit");
    let renamed = |segment: &Segment| {
        let former = before.iter().find(|former| former.id == segment.id).unwrap();
        *segment == Segment { name: format!("Nowo {}", former.name).as_str().into(), ..former.clone() }
    };
    let now = demo.server.segments();
    assert_eq!(now.iter().filter(|segment| renamed(segment)).count(), 20);
    assert_eq!(now.iter().filter(|segment| !before.contains(segment)).count(), 20, "and nothing else has changed");
    assert!(now.contains(&subtree));
    counter.leave();
}

#[test]
fn moving_twenty_segments_takes_nine_keys_and_undo_one() {
    let demo = Demo::start();
    let vip = with_external_id(&demo, "VIP").id;
    let (before, at_vip) = (demo.server.segments(), below(&demo, &vip));
    let mut counter = KeyCounter::at(&demo);
    counter.go_to("EXP", "Eksport");
    counter.keys = 0;
    for key in ["*", "j", "V", "1", "9", "j"] {
        counter.key(key);
    }
    counter.pty.wait_for("20 marked");
    counter.key("m");
    counter.text("VIP Client");
    counter.pty.wait_for("Move 20 segments to");
    counter.key(ENTER);
    counter.pty.wait_for("move 20");
    assert_eq!(demo.server.segments(), before, "nothing is sent unseen");
    counter.key("y");
    counter.assert_at_most(9, "Moved 20 segments to VIP Client");
    assert_eq!(below(&demo, &vip), at_vip + 20);
    counter.key("u");
    counter.assert_at_most(1, "Undid: move 20 segments to VIP Client");
    let sorted = |mut segments: Vec<Segment>| {
        segments.sort_by(|one, other| one.id.cmp(&other.id));
        segments
    };
    assert_eq!(sorted(demo.server.segments()), sorted(before));
    counter.leave();
}
