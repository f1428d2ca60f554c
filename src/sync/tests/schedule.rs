//! Random schedules: whatever happens on the server, on the network and here, both are equal once everything is quiet.

use std::env;
use std::time::Duration;

use crate::changes::{Operation, Plan};
use crate::remote::Context;
use crate::segment::{Draft, SegmentId, Step};
use crate::sync::{Command, Pace, Settings};

use super::client::Client;
use super::segment;
use super::server::{Model, Server};

/// Schedules in a normal run; `SEGTUI_SEEDS` asks for more.
const SEEDS: u64 = 200;

#[test]
fn after_any_schedule_the_picture_equals_the_server() {
    let number = |name| env::var(name).ok().and_then(|number| number.parse().ok());
    let only: Option<u64> = number("SEGTUI_SEED");
    let seeds = only.map_or(0..number("SEGTUI_SEEDS").unwrap_or(SEEDS), |seed| seed..seed + 1);
    for seed in seeds {
        // Printed by the test runner when the schedule fails.
        println!("seed {seed}");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(schedule(seed));
    }
}

async fn schedule(seed: u64) {
    fastrand::seed(seed);
    let folder = tempfile::tempdir().unwrap();
    let mut random = fastrand::Rng::with_seed(seed);
    let server = Server::new((0..random.usize(0..60)).map(|at| segment(&format!("old{at}"), "old", None)));
    {
        let mut model = server.model();
        model.random = random.fork();
        model.latency = *random.choice(&[1, 20, 300, 3_000]).unwrap();
        model.fault_percent = *random.choice(&[0, 0, 5, 20]).unwrap();
        model.page_cap = random.usize(1..20);
        model.feed_cap = random.usize(1..10);
        model.quirks.reports_total = random.bool();
        model.quirks.cascades = random.bool();
        model.quirks.next_when_quiet = match random.u8(0..3) {
            0 => None,
            1 => Some(|end| end),
            _ => Some(|_| Step::FIRST),
        };
        model.quirks.max_concurrent_pages = random.bool().then_some(3);
        model.quirks.duplicates_events = random.u8(0..4) == 0;
        model.quirks.feed_lag = Duration::from_secs(*random.choice(&[0, 0, 0, 3, 20]).unwrap());
        model.quirks.follows = (random.u8(0..5) == 0).then_some(Context::Backoffice);
    }
    let partial_feed = server.model().quirks.follows.is_some();
    let settings = Settings {
        page_size: random.u32(1..20),
        concurrency: random.usize(1..8),
        poll: Pace { shortest: Duration::from_millis(random.u64(200..2_000)), longest: Duration::from_secs(5) },
        store: random.bool().then(|| folder.path().join("tenant.db")),
        origins: if random.bool() && !partial_feed { Context::ALL.into() } else { Vec::new() },
        partial_feed,
        ..Settings::default()
    };
    let mut client = Client::start(&server, settings.clone());
    for _ in 0..random.usize(20..120) {
        if random.u8(0..30) == 0 {
            // Abort everything under way, at whatever point it is.
            drop(client);
            client = Client::start(&server, settings.clone());
        }
        for _ in 0..random.usize(0..6) {
            client.next_event().await;
        }
        random_event(&mut random, &server, &mut client).await;
    }
    {
        let mut model = server.model();
        model.fault_percent = 0;
        model.quirks.max_concurrent_pages = None;
    }
    client.send(Command::PollNow).await;
    client.run_until(Client::has_written).await;
    // By then, late events of the feed have been reported.
    client.run_for(Duration::from_secs(60)).await;
    if partial_feed {
        // Only a list shows what others did.
        let lists = client.lists;
        client.send(Command::Reload).await;
        client.run_until(|client| client.lists > lists).await;
    }
    client.settle().await;
    client.assert_equals(&server);
    let twice: Vec<_> =
        server.model().created_counts.iter().filter(|(_, times)| **times > 1).map(|(name, _)| name.clone()).collect();
    assert!(twice.is_empty(), "created twice: {twice:?}");
}

async fn random_event(random: &mut fastrand::Rng, server: &Server, client: &mut Client) {
    match random.u32(0..12) {
        0..=5 => change(random, &mut server.model()),
        6 => {
            for _ in 0..random.usize(0..20) {
                change(random, &mut server.model());
            }
        }
        7 => client.send(Command::PollNow).await,
        8 => client.send(Command::Reload).await,
        _ => {
            let operation = operation(random, client);
            if let Some(operation) = operation {
                client.begin(Plan::single(operation));
            }
        }
    }
}

fn change(random: &mut fastrand::Rng, model: &mut Model) {
    let ids: Vec<SegmentId> = model.segments.keys().cloned().collect();
    let any = random.choice(&ids).cloned();
    let parent = random.choice(&ids).map(ToString::to_string);
    model.actor = *random.choice(&Context::ALL).unwrap();
    match (random.u32(0..6), any) {
        (0, _) | (_, None) => {
            model.create(&Draft::of(&segment("any", &format!("new {}", random.u8(..)), parent.as_deref())));
        }
        (1, Some(id)) => model.delete(&id),
        (2, Some(id)) => model.put(segment(&id.text(), "moved", parent.as_deref())),
        (_, Some(id)) => model.put(segment(&id.text(), &format!("Renamed {}", random.u8(..)), None)),
    }
}

fn operation(random: &mut fastrand::Rng, client: &Client) -> Option<Operation> {
    let shown: Vec<_> = client.view.values().collect();
    let parent = random.choice(&shown).map(|parent| parent.id.to_string());
    // Names are unique.
    let draft = Draft::of(&segment("any", &format!("mine {}", random.u64(..)), parent.as_deref()));
    match random.u32(0..3) {
        0 => Some(Operation::Create { draft }),
        1 => Some(Operation::Update { base: (*random.choice(&shown)?).clone(), draft }),
        _ => {
            let base = (*random.choice(&shown)?).clone();
            let children = shown.iter().filter(|child| child.parent.as_ref() == Some(&base.id));
            let leaving = children.map(|child| child.id.clone()).collect();
            Some(Operation::Delete { base, leaving })
        }
    }
}
