//! The program killed at any moment: its store is intact, and the next session ends up equal to the server.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use segtui::demo::{Options, Server};
use segtui::segment::Segment;
use segtui::store::{self, Snapshot};

use super::pty::{Pty, eventually};

const SEED: u64 = 11;
const KILLS: usize = 12;
/// The limit when none of the first ones got as far as storing anything.
const MOST_KILLS: usize = 60;
/// From before the first request to well into following the feed.
const MOMENTS_MS: std::ops::Range<u64> = 20..900;

#[test]
fn after_any_kill_the_store_is_intact_and_catches_up() {
    println!("seed {SEED}");
    let mut random = fastrand::Rng::with_seed(SEED);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let options = Options {
        segments: Some(3_000),
        churn: 100.0,
        latency: Duration::from_millis(5),
        page_cap: 100,
        feed_cap: 20,
        seed: SEED,
        ..Options::default()
    };
    let mut server = runtime.block_on(Server::start(options)).unwrap();
    let home = tempfile::tempdir().unwrap();
    let environment = [
        ("SEGTUI_BASE_URL", server.base_url()),
        ("SEGTUI_TENANT", server.tenant().to_owned()),
        ("SEGTUI_API_KEY", server.api_key().to_owned()),
        ("HOME", home.path().to_str().unwrap().to_owned()),
    ];
    let start = || Pty::start(100, 30, &["--poll", "0.2"], &environment);
    let folder = home.path().join(".local/share/segtui");
    let stored = || -> Option<Snapshot> {
        let files = std::fs::read_dir(&folder).ok()?.map(|entry| entry.unwrap().path());
        let file = files.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "db"))?;
        let opened = store::open(&file).unwrap();
        assert_eq!(opened.moved_aside, None, "what was stored is damaged");
        opened.snapshot
    };

    let mut with_something = 0;
    for kill in 0..MOST_KILLS {
        if kill >= KILLS && with_something > 0 {
            break;
        }
        let pty = start();
        // On a slow machine, it takes longer until something is stored.
        let slower = u64::try_from(kill / KILLS).unwrap() + 1;
        thread::sleep(Duration::from_millis(random.u64(MOMENTS_MS) * slower));
        pty.kill();
        with_something += usize::from(stored().is_some());
    }
    assert!(with_something > 0, "no run came so far as to store anything");

    server.stop_churn();
    let mut there: Vec<Arc<Segment>> = server.segments().into_iter().map(Arc::new).collect();
    sort(&mut there);
    let mut pty = start();
    // By then it has the store open; opening the store earlier could get in its way.
    pty.wait_for("● live");
    eventually(|| {
        // Whether the next session may rely on it isn't tested here: a list is doubted for a minute, which the tests of
        // sync cover with paused time.
        let Snapshot { mut segments, .. } = stored()?;
        sort(&mut segments);
        (segments == there).then_some(())
    });
    pty.type_text("q");
    assert_eq!(pty.exit_code(), 0);
}

fn sort(segments: &mut [Arc<Segment>]) {
    segments.sort_unstable_by(|one, other| one.id.cmp(&other.id));
}
