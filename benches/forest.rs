//! The cost of the tree: building, changing, unfolding, sorting, finding.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use segtui::forest::{Change, Forest, Order, Query, SearchKind};
use segtui::segment::{Segment, SegmentId};

const BRANCHING: u32 = 10;

fn segments(count: u32) -> Vec<Arc<Segment>> {
    let id = |number: u32| SegmentId::new(&format!("{number:08x}-0000-4000-8000-000000000000"));
    let segment = |number: u32| {
        let parent = number.checked_sub(BRANCHING).map(|number| number / BRANCHING).and_then(id);
        let external_id = Some(format!("S-{number}").into());
        Some(Arc::new(Segment { id: id(number)?, name: format!("Oddział {number}").into(), external_id, parent }))
    };
    (0..count).filter_map(segment).collect()
}

fn forest(criterion: &mut Criterion) {
    for (count, name) in [(100_000, "forest of 100,000"), (1_000_000, "forest of 1,000,000")] {
        measure(criterion, &segments(count), name);
    }
}

fn measure(criterion: &mut Criterion, segments: &[Arc<Segment>], name: &str) {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(10);
    group.bench_function("build from a list", |bencher| {
        bencher.iter_batched(
            || segments.to_vec(),
            |segments| segments.into_iter().collect::<Forest>(),
            BatchSize::LargeInput,
        );
    });
    let mut forest: Forest = segments.iter().cloned().collect();
    let mut turn = 0;
    group.bench_function("apply one change, folded", |bencher| {
        bencher.iter(|| {
            turn += 1;
            let changed = Segment { name: format!("Oddział {turn} bis").into(), ..Segment::clone(&segments[5_000]) };
            forest.apply(vec![Change::Upsert(Arc::new(changed))]);
        });
    });
    group.bench_function("unfold everything", |bencher| bencher.iter(|| forest.fold_to_level(None)));
    group.bench_function("apply one change, unfolded", |bencher| {
        bencher.iter(|| {
            turn += 1;
            let changed = Segment { name: format!("Oddział {turn} bis").into(), ..Segment::clone(&segments[5_000]) };
            forest.apply(vec![Change::Upsert(Arc::new(changed))]);
        });
    });
    group.bench_function("apply ten thousand changes in one batch, unfolded", |bencher| {
        bencher.iter_batched(
            || {
                turn += 1;
                let changed = segments.iter().step_by(segments.len() / 10_000).map(|segment| {
                    let name = format!("{} {turn}", segment.name).into();
                    Change::Upsert(Arc::new(Segment { name, ..Segment::clone(segment) }))
                });
                changed.collect::<Vec<_>>()
            },
            |changes| forest.apply(changes),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("fold everything and unfold it again", |bencher| {
        bencher.iter(|| {
            forest.fold_to_level(Some(1));
            forest.fold_to_level(None);
        });
    });
    group.bench_function("sort by another order, unfolded", |bencher| {
        let mut orders = [Order::ExternalId, Order::Name].into_iter().cycle();
        bencher.iter(|| forest.set_order(orders.next().unwrap_or_default()));
    });
    group.bench_function("find a rare name", |bencher| {
        let Some(query) = Query::parse("oddzial 9999") else { return };
        bencher.iter(|| {
            let job = forest.search(SearchKind::Tree, query.clone());
            job.for_each(|finds| forest.apply_search_batch(finds));
            black_box(forest.match_count(SearchKind::Tree))
        });
    });
    group.finish();
}

criterion_group!(benches, forest);
criterion_main!(benches);
