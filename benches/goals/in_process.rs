//! The cost of the tree and of a frame by themselves.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use segtui::app::{Access, Clock, Effect, Event, Layer, Session, State, update};
use segtui::forest::{Change, Forest, Order, Query, SearchKind, SortJob};
use segtui::keymap::{Key, Keymap};
use segtui::remote::{BaseUrl, InsecureHttp};
use segtui::segment::Segment;
use segtui::sync;
use segtui::ui::{Look, Symbols, Theme, ThemeName, draw, draw_tree};
use tui_tree_widget::Tree;

use super::report::{Report, median, millis};
use super::{peers, tenants};

const MILLION: u32 = 1_000_000;

pub fn measure(report: &mut Report) {
    if report.wants("frame") {
        frame(report);
    }
    if report.wants("tree alone") {
        tree_alone(report);
    }
    if report.wants("changes") {
        changes(report);
    }
    if report.wants("shapes") {
        shapes(report);
    }
}

/// A screen with everything unfolded.
pub struct Screen {
    state: State,
    keymap: Keymap,
    theme: Theme,
    terminal: Terminal<TestBackend>,
}

impl Screen {
    pub fn of(segments: Vec<Arc<Segment>>) -> Self {
        let session = Session {
            tenant: "acme".into(),
            host: "localhost".into(),
            base_url: BaseUrl::parse("http://localhost", InsecureHttp::Refused).unwrap(),
            profile: None,
            access: Access::ReadWrite,
            journalled: true,
            protected: false,
            owned: Vec::new(),
            open: None,
            concurrency: 6,
        };
        let clock = Clock { now: Timestamp::UNIX_EPOCH, zone: TimeZone::UTC };
        let mut state = State::new(session, clock, 120, 40);
        let keymap = Keymap::standard().unwrap();
        update(&mut state, &keymap, Event::Sync(sync::Event::PageReceived(segments)));
        update(&mut state, &keymap, Event::Sync(sync::Event::Listed { different: Vec::new() }));
        state.tree.forest.fold_to_level(None);
        let theme = Theme::new(ThemeName::Dark, Symbols::UNICODE);
        let Ok(terminal) = Terminal::new(TestBackend::new(120, 40));
        Self { state, keymap, theme, terminal }
    }

    pub fn press(&mut self, key: &str) {
        self.update(Event::Key(Key::parse(key).unwrap()));
    }

    pub fn update(&mut self, event: Event) -> Vec<Effect> {
        update(&mut self.state, &self.keymap, event)
    }

    pub fn layers(&self) -> &[Layer] {
        &self.state.screen.layers
    }

    pub fn frame(&mut self) {
        let look = Look { theme: &self.theme, keymap: &self.keymap };
        let Ok(_) = self.terminal.draw(|frame| {
            draw(&self.state, look, frame);
        });
    }

    fn tree(&mut self) {
        let look = Look { theme: &self.theme, keymap: &self.keymap };
        draw_tree(&self.state, look, &mut self.terminal.get_frame());
    }
}

/// The median time of an action that is repeated.
fn repeated(times: usize, mut act: impl FnMut()) -> Duration {
    act();
    let durations: Vec<Duration> = (0..times)
        .map(|_| {
            let started = Instant::now();
            act();
            started.elapsed()
        })
        .collect();
    median(&durations)
}

fn once<T>(act: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    let outcome = act();
    (outcome, started.elapsed())
}

fn frame(report: &mut Report) {
    let frame_after_key = |rows: u32| {
        let mut screen = Screen::of(tenants::shuffled(rows));
        let mut keys = ["j", "k"].into_iter().cycle();
        repeated(2_000, || {
            screen.press(keys.next().unwrap_or("j"));
            screen.frame();
        })
    };
    let (few, many) = (frame_after_key(1_000), frame_after_key(MILLION));
    report.note("a key and its frame, 120x40, 1,000 rows", millis(few), "ms");
    report.at_most("a key and its frame, 120x40, 1,000,000 rows", millis(many), 0.3, "ms");
    report.at_most("… against 1,000 rows", many.as_secs_f64() / few.as_secs_f64(), 1.2, "times");
}

fn tree_alone(report: &mut Report) {
    for (rows, goal) in [(10_000, 10.0), (100_000, 150.0)] {
        let mut screen = Screen::of(tenants::regular(rows));
        let ours = repeated(1_000, || screen.tree());
        let (items, mut state) = peers::whole_forest(rows);
        state.select_first();
        let naive = repeated(30, || {
            let mut frame = screen.terminal.get_frame();
            let area = frame.area();
            frame.render_stateful_widget(Tree::new(&items).unwrap(), area, &mut state);
        });
        report.note(format!("drawing the tree alone, {rows} rows"), millis(ours), "ms");
        let faster = naive.as_secs_f64() / ours.as_secs_f64();
        report.at_least(format!("… faster than the widget with all {rows} rows"), faster, goal, "times");
    }
}

/// A change that gives the segment another name.
fn renamed(segment: &Arc<Segment>, turn: usize) -> Change {
    let name = format!("{} {turn}", segment.name).into();
    Change::Upsert(Arc::new(Segment { name, ..Segment::clone(segment) }))
}

fn changes(report: &mut Report) {
    let segments = tenants::shuffled(MILLION);
    let mut random = fastrand::Rng::with_seed(1);
    let (mut forest, built) = once(|| segments.iter().cloned().collect::<Forest>());
    report.note("building the tree, 1,000,000", millis(built), "ms");
    forest.fold_to_level(None);
    let mut turn = 0;
    for order in [Order::Name, Order::Descendants] {
        forest.set_order(order);
        let changes: Vec<Change> =
            (0..1_000).map(|turn| renamed(&segments[random.usize(..segments.len())], turn)).collect();
        let each: Vec<Duration> = changes.into_iter().map(|change| once(|| forest.apply(vec![change])).1).collect();
        let what = format!("one rename, 1,000,000 unfolded, sorted by {order:?}");
        report.at_most(what, millis(median(&each)) * 1_000.0, 50.0, "µs");
        let place = |at: usize| segments[at].id.clone();
        let moves: Vec<Change> = (0..1_000)
            .map(|_| {
                let moved = &segments[random.usize(segments.len() / 2..segments.len())];
                let parent = Some(place(random.usize(..1_000)));
                Change::Upsert(Arc::new(Segment { parent, ..Segment::clone(moved) }))
            })
            .collect();
        let each: Vec<Duration> = moves.into_iter().map(|change| once(|| forest.apply(vec![change])).1).collect();
        let what = format!("one move, 1,000,000 unfolded, sorted by {order:?}");
        report.at_most(what, millis(median(&each)) * 1_000.0, 50.0, "µs");
    }
    forest.set_order(Order::Name);
    let mut batch = || {
        turn += 1;
        (0..10_000).map(|_| renamed(&segments[random.usize(..segments.len())], turn)).collect::<Vec<_>>()
    };
    let batches: Vec<Duration> = (0..5).map(|_| batch()).map(|batch| once(|| forest.apply(batch)).1).collect();
    report.at_most("10,000 changes in one batch", millis(median(&batches)), 80.0, "ms");
}

/// A chain and a parent of a million, which must be no slower than any other tree.
fn shapes(report: &mut Report) {
    let shapes = [
        ("ten below each, 1,000,000", tenants::shuffled(MILLION)),
        ("a chain of 100,000", tenants::chain(100_000)),
        ("1,000,000 below one", tenants::fan(MILLION)),
    ];
    for (name, segments) in shapes {
        let below = |segment: &&Arc<Segment>| segment.parent.is_some();
        let first = segments.iter().find(|segment| segment.parent.is_none()).unwrap().clone();
        let last = segments.iter().rfind(below).unwrap().clone();
        let (mut forest, built) = once(|| segments.iter().cloned().collect::<Forest>());
        report.note(format!("{name}: building"), millis(built), "ms");
        for order in [Order::Name, Order::ExternalId] {
            let (job, started) = once(|| forest.arrange(order));
            let (job, sorted) = once(|| job.map(SortJob::run));
            let ((), taken) = once(|| assert!(job.is_none_or(|job| forest.take_sorted(job))));
            report.at_most(format!("{name}: beginning to sort by {order:?}"), millis(started), 50.0, "ms");
            report.note(format!("{name}: sorting elsewhere by {order:?}"), millis(sorted), "ms");
            report.at_most(format!("{name}: taking in what was sorted"), millis(taken), 50.0, "ms");
        }
        let (sorted_again, unfolded) = once(|| {
            forest.fold_to_level(None);
            forest.arrange(Order::Name)
        });
        assert!(sorted_again.is_none_or(|job| forest.take_sorted(job.run())));
        report.at_most(format!("{name}: unfolding all"), millis(unfolded), 60.0, "ms");
        assert_eq!(forest.descendant_count(&first.id) + 1, forest.descendants(&first.id).count() + 1);
        let (job, started) = once(|| forest.arrange(Order::Descendants));
        let job = job.map(SortJob::run);
        let ((), taken) = once(|| assert!(job.is_none_or(|job| forest.take_sorted(job))));
        report.at_most(format!("{name}: beginning to sort, all unfolded"), millis(started), 50.0, "ms");
        report.at_most(format!("{name}: taking in what was sorted, all unfolded"), millis(taken), 50.0, "ms");
        forest.set_order(Order::Name);
        let rename = repeated(100, || forest.apply(vec![renamed(&last, 1), renamed(&last, 2)])) / 2;
        report.at_most(format!("{name}: one rename"), millis(rename) * 1_000.0, 50.0, "µs");
        let mut turn = 0;
        let created = repeated(100, || {
            turn += 1;
            let id = segtui::segment::SegmentId::new(&format!("new {turn}")).unwrap();
            forest.apply(vec![Change::Upsert(Arc::new(Segment { id, ..Segment::clone(&first) }))]);
        });
        report.at_most(format!("{name}: one create at the top"), millis(created) * 1_000.0, 50.0, "µs");
        let created = repeated(20, || {
            turn += 1;
            let id = segtui::segment::SegmentId::new(&format!("new {turn}")).unwrap();
            let parent = Some(last.parent.clone().unwrap_or_else(|| last.id.clone()));
            forest.apply(vec![Change::Upsert(Arc::new(Segment { id, parent, ..Segment::clone(&last) }))]);
        });
        report.note(format!("{name}: one create at the bottom"), millis(created) * 1_000.0, "µs");
        let ((), found) = once(|| {
            let job = forest.search(SearchKind::Tree, Query::parse("sklep").unwrap());
            job.for_each(|finds| forest.apply_search_batch(finds));
        });
        report.at_most(format!("{name}: searching all"), millis(found), 250.0, "ms");
        let ((), stepped) = once(|| {
            let next = forest
                .match_after(SearchKind::Tree, Some(&segtui::forest::RowId::Segment(last.parent.clone().unwrap())));
            black_box(next);
        });
        report.at_most(format!("{name}: to the next match"), millis(stepped), 5.0, "ms");
        let (written, exported) = once(|| {
            forest.preorder().map(|(_, segment)| serde_json::to_string(&**segment).unwrap().len()).sum::<usize>()
        });
        black_box(written);
        report.note(format!("{name}: writing all as JSON"), millis(exported), "ms");
        let mut screen = Screen::of(segments);
        screen.press("G");
        let frame = repeated(500, || {
            screen.press("k");
            screen.press("j");
            screen.frame();
        });
        report.at_most(format!("{name}: two keys and a frame at the end"), millis(frame), 0.5, "ms");
        let ((), dropped) = once(|| drop((forest, screen)));
        report.note(format!("{name}: letting two of it go"), millis(dropped), "ms");
    }
}
