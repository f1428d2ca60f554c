//! Several sessions at once on one tenant: one of them writes the store and the journal, and all of them work.

use segtui::store;

use crate::Demo;
use crate::pty::{Pty, eventually};

#[test]
fn two_programs_share_a_store_and_only_one_has_the_journal() {
    let demo = Demo::start();
    let home = tempfile::tempdir().unwrap();
    let mut environment = demo.variables().to_vec();
    environment.push(("HOME", home.path().to_str().unwrap().to_owned()));
    let start = || Pty::start(120, 30, &["--poll", "0.2"], &environment);
    let mut first = start();
    first.wait_for("● live");
    let mut others: Vec<Pty> = (0..3).map(|_| start()).collect();
    for other in &others {
        other.wait_for("Another segtui");
        other.wait_for("● live");
    }
    // A session without a journal can still change something, and the others see it.
    others[0].type_text("ANowy wspólny\r");
    eventually(|| demo.named("Nowy wspólny"));
    first.wait_for("Nowy wspólny");
    first.type_text("q");
    assert_eq!(first.exit_code(), 0);
    for other in &mut others {
        other.type_text("q");
        assert_eq!(other.exit_code(), 0);
    }
    let folder = home.path().join(".local/share/segtui");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let file = files.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "db")).unwrap();
    let opened = store::open(&file).unwrap();
    assert_eq!((opened.moved_aside.is_none(), opened.journal.len(), opened.unreadable), (true, 0, 0));
    let snapshot = opened.snapshot.unwrap();
    assert!(snapshot.segments.iter().any(|segment| segment.name == "Nowy wspólny"));
}
