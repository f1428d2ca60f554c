//! The speed of loading everything, compared with a bare loop that fetches the same pages and discards them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::pty::Pty;
use super::report::{Report, median, millis};
use super::server::Server;

const PAGE_SIZE: u32 = 1_000;
const IN_FLIGHT: u32 = 8;

pub fn measure(report: &mut Report) {
    if report.wants("loading") {
        million(report);
        with_latency(report);
    }
}

/// Fetches all pages up to the empty one, several at a time, and discards them.
fn fetch_without_program(url: &str) -> Duration {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    // The HTTP client requires it, even for plain HTTP.
    drop(rustls::crypto::ring::default_provider().install_default());
    let started = Instant::now();
    runtime.block_on(async {
        let client = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
        let next = Arc::new(AtomicU32::new(1));
        let address =
            format!("{url}/api/v1/account/integrations/auth-required/segments?pageSize={PAGE_SIZE}&pageNumber=");
        let fetchers = (0..IN_FLIGHT).map(|_| {
            let (client, next, address) = (client.clone(), Arc::clone(&next), address.clone());
            tokio::spawn(async move {
                loop {
                    let page = next.fetch_add(1, Ordering::SeqCst);
                    let request = client.get(format!("{address}{page}")).header("one-tenant", "demo-wholesale");
                    let response = request.header("ApiAuth", "demo-key:not-a-secret").send().await.unwrap();
                    if response.bytes().await.unwrap().len() <= 2 {
                        return;
                    }
                }
            })
        });
        for fetcher in fetchers.collect::<Vec<_>>() {
            fetcher.await.unwrap();
        }
    });
    started.elapsed()
}

/// How long the program took to load everything.
struct LoadTimes {
    /// From its start until everything was on the screen.
    total: Duration,
    /// From the first page that it requested to the last, according to its log. Before that it searches for the end of
    /// the feed, which takes a number of requests that hardly depends on the tenant.
    pages: Duration,
}

fn load_in_program(url: &str, segments: &str) -> LoadTimes {
    let (page_size, in_flight) = (PAGE_SIZE.to_string(), IN_FLIGHT.to_string());
    let home = tempfile::tempdir().unwrap();
    let log = home.path().join("log").to_str().unwrap().to_owned();
    let arguments = ["--page-size", &page_size, "--concurrency", &in_flight, "--log-file", &log, "--log-level", "info"];
    let mut pty = Pty::segtui(&arguments, url, home);
    let total = pty.wait_until("everything", |screen| screen.contains(&format!("{segments} segments")));
    pty.drain(Duration::from_millis(300));
    let log_text = std::fs::read_to_string(&log).unwrap();
    let elapsed =
        log_text.lines().find(|line| line.contains("listed segments=")).unwrap().rsplit("elapsed=").next().unwrap();
    let pages = match elapsed.trim().strip_suffix("ms") {
        Some(millis) => millis.parse::<f64>().unwrap() / 1_000.0,
        None => elapsed.trim().trim_end_matches('s').parse().unwrap(),
    };
    pty.end();
    LoadTimes { total, pages: Duration::from_secs_f64(pages) }
}

fn million(report: &mut Report) {
    let server = Server::start(1_000_000, &[]);
    // In turns, so that the machine's other work affects both.
    let (mut bare_loops, mut loads) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        bare_loops.push(fetch_without_program(&server.url));
        loads.push(load_in_program(&server.url, "1,000,000").total);
    }
    let (baseline, loading) = (median(&bare_loops), median(&loads));
    report.note("fetching 1,000,000 and throwing them away", millis(baseline), "ms");
    report.note("loading 1,000,000, from the start to the screen", millis(loading), "ms");
    report.at_least("… rate against the bare loop", baseline.as_secs_f64() / loading.as_secs_f64(), 0.7, "times");
}

fn with_latency(report: &mut Report) {
    const LATENCY: Duration = Duration::from_millis(50);
    const TIMES: usize = 3;
    let (near, far) = (Server::start(100_000, &[]), Server::start(100_000, &["--latency", "50"]));
    let loads = |url: &str| (0..TIMES).map(|_| load_in_program(url, "100,000")).collect::<Vec<LoadTimes>>();
    let pages = |loads: &[LoadTimes]| median(&loads.iter().map(|load| load.pages).collect::<Vec<_>>());
    let (near, far) = (loads(&near.url), loads(&far.url));
    let rounds = 100_000_u32.div_ceil(PAGE_SIZE).div_ceil(IN_FLIGHT);
    let bound = 1.15 * f64::from(rounds) * LATENCY.as_secs_f64() + pages(&near).as_secs_f64();
    report.note("loading 100,000 from a local server", millis(pages(&near)), "ms");
    report.at_most("loading 100,000 at 50 ms latency, 8 in flight", millis(pages(&far)), bound * 1_000.0, "ms");
    let total = median(&far.iter().map(|load| load.total).collect::<Vec<_>>());
    report.note("… from the start, the end of the feed included", millis(total), "ms");
}
