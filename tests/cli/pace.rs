//! The cost of applying many changes: requests, time relative to the latency alone, and memory.
//!
//! These run for minutes, so only on request: `cargo test --release --test cli pace:: -- --ignored --nocapture`.

use std::fs;
use std::process::{Command as Process, Stdio};
use std::time::{Duration, Instant};

use segtui::demo::Options;

use crate::desk::{Fixture, tenant_of};

const LATENCY: Duration = Duration::from_millis(50);
/// The usual number of concurrent requests.
const CONCURRENCY: f64 = 6.0;
const MAX_TIME_RATIO: f64 = 1.2;
const MAX_MEMORY_MB: u64 = 200;

/// The cost of one run.
#[derive(Debug)]
struct Cost {
    requests: usize,
    time: Duration,
    memory_mb: u64,
}

impl Cost {
    /// The time relative to the least that so many requests take.
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    fn ratio(&self) -> f64 {
        self.time.as_secs_f64() / (self.requests as f64 / CONCURRENCY * LATENCY.as_secs_f64())
    }
}

fn apply(fixture: &Fixture, text: &str, flags: &[&str]) -> Cost {
    let path = fixture.workspace.home.path().join("groups.csv");
    fs::write(&path, text).unwrap();
    let before = fixture.server.requests().len();
    let begun = Instant::now();
    let mut command = Process::new(env!("CARGO_BIN_EXE_segtui"));
    command.env_clear().env("HOME", fixture.workspace.home.path()).envs(fixture.variables());
    command.args(["apply", path.to_str().unwrap(), "--yes"]).args(flags).stdin(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut memory_mb = 0;
    let status = loop {
        memory_mb = memory_mb.max(peak_memory_mb(child.id()));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(status.success(), "{status}");
    Cost { requests: fixture.server.requests().len() - before, time: begun.elapsed(), memory_mb }
}

/// The peak memory of a process so far, as Linux reports it.
fn peak_memory_mb(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or_default() / 1024
}

fn row(at: usize, name: &str) -> String {
    let parent = if at < 20 { String::new() } else { format!("X{}", at / 20) };
    format!("X{at},{name} {at},{parent}\n")
}

fn measured(count: usize, changes: usize) {
    let fixture = Fixture::with(Options { latency: LATENCY, ..tenant_of(&[]) });
    let file = |name: &dyn Fn(usize) -> &'static str| {
        let rows: String = (0..count).flat_map(|at| [row(at, name(at))]).collect();
        format!("externalId,name,parentExternalId\n{rows}")
    };
    let first = apply(&fixture, &file(&|_| "Segment"), &[]);
    report("into an empty tenant", count, &first);
    assert_eq!(fixture.server.count(), count);
    let every = count / changes;
    let second = apply(&fixture, &file(&|at| if at % every == 0 { "Changed" } else { "Segment" }), &[]);
    report("changes among them", changes, &second);
    let third = apply(&fixture, &file(&|at| if at % every == 0 { "Changed" } else { "Segment" }), &[]);
    report("nothing to do", 0, &third);
    for cost in [&first, &second] {
        assert!(cost.ratio() <= MAX_TIME_RATIO, "{cost:?}: {:.2}", cost.ratio());
    }
    for cost in [&first, &second, &third] {
        assert!(cost.memory_mb < MAX_MEMORY_MB, "{cost:?}");
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts")]
fn report(what: &str, operations: usize, cost: &Cost) {
    let each = cost.requests as f64 / operations.max(1) as f64;
    println!(
        "{operations} {what}: {} requests ({each:.2} each), {:.1} s, {:.2} of what the latency takes, {} MB",
        cost.requests,
        cost.time.as_secs_f64(),
        cost.ratio(),
        cost.memory_mb
    );
}

#[test]
#[ignore = "runs for minutes"]
fn applying_twenty_thousand_creates_takes_what_latency_takes() {
    measured(20_000, 500);
}

#[test]
#[ignore = "runs for a minute"]
fn applying_two_thousand_creates_takes_what_latency_takes() {
    measured(2_000, 500);
}
