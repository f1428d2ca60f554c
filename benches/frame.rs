//! The cost of a frame, with few rows unfolded and with many: it should depend on the screen only.

use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use segtui::app::{Access, Clock, Event, Session, State, update};
use segtui::keymap::{Key, Keymap};
use segtui::remote::{BaseUrl, InsecureHttp};
use segtui::segment::{Segment, SegmentId};
use segtui::sync;
use segtui::ui::{Look, Symbols, Theme, ThemeName, draw};

fn state(rows: u32, base_url: BaseUrl, keymap: &Keymap) -> State {
    let session = Session {
        tenant: "acme".into(),
        host: "localhost".into(),
        base_url,
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
    let segment = |number: u32| {
        let id = SegmentId::new(&format!("{number:08x}-0000-4000-8000-000000000000"))?;
        let parent = number
            .checked_sub(10)
            .and_then(|number| SegmentId::new(&format!("{:08x}-0000-4000-8000-000000000000", number / 10)));
        Some(Arc::new(Segment { id, name: format!("Oddział {number}").into(), external_id: None, parent }))
    };
    let segments = (0..rows).filter_map(segment).collect();
    update(&mut state, keymap, Event::Sync(sync::Event::PageReceived(segments)));
    state.tree.forest.fold_to_level(None);
    state
}

fn frame(criterion: &mut Criterion) {
    let Ok(keymap) = Keymap::standard() else { return };
    let Ok(base_url) = BaseUrl::parse("http://localhost", InsecureHttp::Refused) else { return };
    let theme = Theme::new(ThemeName::Dark, Symbols::UNICODE);
    let mut group = criterion.benchmark_group("a frame of 120x40 after a key");
    for rows in [1_000, 100_000, 1_000_000] {
        let mut state = state(rows, base_url.clone(), &keymap);
        let Ok(mut terminal) = Terminal::new(TestBackend::new(120, 40));
        let keys: Vec<Key> = ["j", "k"].into_iter().filter_map(|key| Key::parse(key).ok()).collect();
        let mut keys = keys.into_iter().cycle();
        group.bench_function(BenchmarkId::from_parameter(rows), |bencher| {
            bencher.iter(|| {
                if let Some(key) = keys.next() {
                    update(&mut state, &keymap, Event::Key(key));
                }
                let drawn = terminal.draw(|frame| {
                    draw(&state, Look { theme: &theme, keymap: &keymap }, frame);
                });
                drawn.is_ok()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, frame);
criterion_main!(benches);
