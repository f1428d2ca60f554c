//! How fast everything is loaded, against a bare loop that fetches the same pages and throws them away.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::pty::Pty;
use super::report::{Report, millis};
use super::server::Server;

const PAGE_SIZE: u32 = 1_000;
const IN_FLIGHT: u32 = 8;

pub fn measure(report: &mut Report) {
    if report.wants("loading") {
        million(report);
        with_latency(report);
    }
}

/// Fetches all pages up to the empty one, several at a time, and throws them away.
fn bare(url: &str) -> Duration {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    // The client asks for it, also for plain http.
    drop(rustls::crypto::ring::default_provider().install_default());
    let begun = Instant::now();
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
    begun.elapsed()
}

/// From the start of the program until everything is there.
fn ours(url: &str, segments: &str) -> Duration {
    let (page_size, in_flight) = (PAGE_SIZE.to_string(), IN_FLIGHT.to_string());
    let arguments = ["--page-size", &page_size, "--concurrency", &in_flight];
    let mut pty = Pty::segtui(&arguments, url, tempfile::tempdir().unwrap());
    let loaded = pty.wait_until("everything", |screen| screen.contains(&format!("{segments} segments")));
    pty.end();
    loaded
}

fn million(report: &mut Report) {
    let server = Server::start(1_000_000, &[]);
    bare(&server.url);
    let (bare, ours) = (bare(&server.url), ours(&server.url, "1,000,000"));
    report.note("fetching 1,000,000 and throwing them away", millis(bare), "ms");
    report.note("loading 1,000,000", millis(ours), "ms");
    report.at_least("… rate against the bare loop", bare.as_secs_f64() / ours.as_secs_f64(), 0.7, "times");
}

fn with_latency(report: &mut Report) {
    const LATENCY: Duration = Duration::from_millis(50);
    let local = ours(&Server::start(100_000, &[]).url, "100,000");
    let far = ours(&Server::start(100_000, &["--latency", "50"]).url, "100,000");
    let pages = 100_000_u32.div_ceil(PAGE_SIZE);
    let bound = 1.15 * f64::from(pages.div_ceil(IN_FLIGHT)) * LATENCY.as_secs_f64() + local.as_secs_f64();
    report.note("loading 100,000 from a local server", millis(local), "ms");
    report.at_most("loading 100,000 at 50 ms latency, 8 in flight", millis(far), bound * 1_000.0, "ms");
}
