//! The parts of a start from what an earlier session has stored: reading the file, what sync does with it, and building
//! the tree.

#![expect(clippy::unwrap_used, reason = "a benchmark that meets the unexpected is to fail")]

use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use segtui::api::{Client, Settings as ClientSettings};
use segtui::forest::Forest;
use segtui::remote::{BaseUrl, InsecureHttp, Position};
use segtui::segment::{Segment, SegmentId, Step};
use segtui::store::{self, Completeness, Segments, StoreUpdate};
use segtui::sync::{self, Event, Settings};

const SEGMENTS: u32 = 1_000_000;

/// One root and ten children for each segment, with IDs as the platform makes them.
fn segments() -> Vec<Arc<Segment>> {
    let mut random = fastrand::Rng::with_seed(1);
    let ids: Vec<SegmentId> = (0..SEGMENTS).map(|_| SegmentId::new(&uuid(random.u128(..))).unwrap()).collect();
    let segment = |at: u32| {
        let parent = (at > 0).then(|| ids[(at as usize - 1) / 10].clone());
        let name = format!("Segment {at} klientów");
        Arc::new(Segment {
            id: ids[at as usize].clone(),
            name: name.into(),
            external_id: Some(format!("EXT-{at}").into()),
            parent,
        })
    };
    (0..SEGMENTS).map(segment).collect()
}

fn uuid(number: u128) -> String {
    let digits = format!("{number:032x}");
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

fn start(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tenant.db");
    let mut written = store::open(&path).unwrap().store.unwrap();
    let position = Some(Position::at(Step(1), &[]));
    let record = StoreUpdate {
        segments: Segments::All(segments()),
        position,
        landmarks: Vec::new(),
        at: Timestamp::now(),
        completeness: Completeness::Complete,
    };
    written.write(&record).unwrap();
    drop(written);

    let mut group = criterion.benchmark_group("start with 1,000,000 stored");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    group.bench_function("reading the store", |bencher| bencher.iter(|| store::open(&path).unwrap().snapshot));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    group.bench_function("until sync reports them", |bencher| {
        bencher.to_async(&runtime).iter(|| async {
            let nowhere = BaseUrl::parse("http://127.0.0.1:9", InsecureHttp::Refused).unwrap();
            let client = Client::new(ClientSettings::new(nowhere, "acme", "key".to_owned().into())).unwrap();
            let settings = Settings { store: Some(path.clone()), ..Settings::default() };
            let mut sync = sync::start(Arc::new(client), settings);
            while !matches!(sync.events.recv().await, Some(Event::Restored { .. })) {}
        });
    });
    let listed = segments();
    group.bench_function("building the tree", |bencher| {
        bencher.iter_batched(
            || listed.clone(),
            |listed| listed.into_iter().collect::<Forest>(),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, start);
criterion_main!(benches);
