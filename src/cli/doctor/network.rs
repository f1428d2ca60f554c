//! Checks of the connection to the server, step by step: proxy, DNS, TCP, TLS; then one page of segments and one part of the
//! feed.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use color_eyre::eyre::Report as Cause;
use serde_json::json;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::api::route::{self, NameResolution, Proxy, ServerCertificate};
use crate::clock;
use crate::config::Connection;
use crate::files;
use crate::numbers::{Noun, counted, grouped};
use crate::remote::{ConnectError, Fault, ObstacleKind, Remote, RemoteError};
use crate::segment::Step;
use crate::sync::BEYOND_ANY_STEP;

use super::super::exit::Exit;
use super::super::failure::{Failure, advice};
use super::super::link::{TRIAL_PAGE, TRIAL_TIMEOUTS, client_failure, trial_client};
use super::report::{Check, Report};

/// Timeout of each step.
const STEP_TIMEOUT: Duration = TRIAL_TIMEOUTS.connect;
/// A certificate with fewer days left than this is a warning: they are usually renewed earlier.
const EXPIRY_WARNING_DAYS: i64 = 14;

/// Checks the connection step by step. Returns whether the server can be reached.
pub async fn check_connection(report: &mut Report, connection: &Connection) -> bool {
    let url = connection.base_url.segments();
    if let Err(fault) = route::check_proxy_to(&url) {
        report.add(Check::failed("proxy", &client_failure(fault.into())));
        return skip_unreached(report, &["dns", "tcp", "tls"]);
    }
    let proxy = route::proxy(&connection.base_url);
    report.add(proxy_check(proxy.as_ref(), connection));
    if let Some(proxy) = proxy.as_ref().filter(|proxy| proxy.name_resolution == NameResolution::Local) {
        tracing::debug!(address = proxy.address, "the server's name is looked up here for the proxy");
        if resolve_host(report, url.host_str().unwrap_or_default(), url.port_or_known_default(), "").await.is_empty() {
            return skip_unreached(report, &["tcp", "tls"]);
        }
    }
    let (host, port, suffix) = match &proxy {
        Some(proxy) => (proxy.host.clone(), Some(proxy.port), " (the proxy)"),
        None => (url.host_str().unwrap_or_default().to_owned(), url.port_or_known_default(), ""),
    };
    let addresses = resolve_host(report, &host, port, suffix).await;
    if addresses.is_empty() {
        return skip_unreached(report, &["tcp", "tls"]);
    }
    if !connect_tcp(report, &addresses, proxy.as_ref()).await {
        return skip_unreached(report, &["tls"]);
    }
    if connection.base_url.is_plain_http() {
        report.skip(&["tls"], "http is not encrypted");
        return true;
    }
    check_tls(report, connection).await
}

fn skip_unreached(report: &mut Report, rest: &[&'static str]) -> bool {
    report.skip(rest, "there is no connection");
    false
}

fn proxy_check(proxy: Option<&Proxy>, connection: &Connection) -> Check {
    match proxy {
        None if connection.base_url.is_loopback() => Check::ok("proxy", "none: the server is on this machine"),
        None => Check::ok("proxy", "none"),
        Some(proxy) => {
            let Proxy { address, variable, .. } = proxy;
            let origin = variable.map_or_else(|| "the system's settings".to_owned(), str::to_owned);
            let names = match proxy.name_resolution {
                NameResolution::Local => "names are resolved here",
                NameResolution::Proxy => "names are resolved there",
            };
            let details = json!({ "address": address, "variable": variable });
            Check::ok("proxy", format!("{address}, from {origin}; {names}")).details(details)
        }
    }
}

/// Looks up the addresses of a host and reports the result. Returns none if that fails.
async fn resolve_host(report: &mut Report, host: &str, port: Option<u16>, suffix: &str) -> Vec<SocketAddr> {
    let host = host.trim_matches(['[', ']']);
    let port = port.unwrap_or_default();
    if let Ok(address) = host.parse::<IpAddr>() {
        report.add(Check::ok("dns", format!("not needed for {host}{suffix}")));
        return vec![SocketAddr::new(address, port)];
    }
    let start = Instant::now();
    let found = timeout(STEP_TIMEOUT, lookup_host((host, port))).await;
    let took = start.elapsed();
    let failed = |why: ConnectError| Failure::new(Exit::Unreachable, format_args!("{why}{suffix}")).hint(why.hint());
    let not_resolved =
        |why: String| ConnectError::new(ObstacleKind::NoSuchHost, format!("couldn't look up {host}: {why}"));
    let failure = match found {
        Ok(Ok(addresses)) => {
            let addresses: Vec<SocketAddr> = addresses.collect();
            if !addresses.is_empty() {
                let ips: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
                let details = json!({ "host": host, "addresses": ips });
                let message = format!("{host}{suffix}: {}", ips.join(", "));
                report.add(Check::ok("dns", message).with_elapsed(took).details(details));
                return addresses;
            }
            failed(not_resolved("it has no address".into()))
        }
        Ok(Err(error)) => failed(ConnectError::no_such_host(host, &error.to_string())),
        Err(_) => failed(not_resolved(format!("no answer in {} s", STEP_TIMEOUT.as_secs()))),
    };
    report.add(Check::failed("dns", &failure).with_elapsed(took));
    Vec::new()
}

/// Checks whether one of the addresses accepts a connection.
async fn connect_tcp(report: &mut Report, addresses: &[SocketAddr], proxy: Option<&Proxy>) -> bool {
    let suffix = if proxy.is_some() { " (the proxy)" } else { "" };
    let mut errors = Vec::new();
    for address in addresses {
        let start = Instant::now();
        let outcome = timeout(STEP_TIMEOUT, TcpStream::connect(address)).await;
        match outcome {
            Ok(Ok(_)) => {
                let message = format!("connected to {address}{suffix}");
                let details = json!({ "address": address.to_string(), "refused": errors });
                report.add(Check::ok("tcp", message).with_elapsed(start.elapsed()).details(details));
                return true;
            }
            Ok(Err(error)) => errors.push(format!("{address}: {}", files::reason(&error))),
            Err(_) => errors.push(format!("{address}: no answer in {} s", STEP_TIMEOUT.as_secs())),
        }
    }
    let obstacle = ConnectError::new(ObstacleKind::Refused, "").with_proxy(proxy.map(ToString::to_string));
    let to = proxy.map(|proxy| format!(" to the proxy {proxy}")).unwrap_or_default();
    let failure = Failure::new(Exit::Unreachable, format_args!("couldn't connect{to}: {}", errors.join("; ")))
        .hint(obstacle.hint());
    report.add(Check::failed("tcp", &failure));
    false
}

/// Checks the server's certificate.
async fn check_tls(report: &mut Report, connection: &Connection) -> bool {
    let roots = &connection.extra_roots.certificates;
    let handshake = match route::handshake(&connection.base_url, roots, STEP_TIMEOUT).await {
        Ok(handshake) => handshake,
        Err(fault) => {
            report.add(Check::failed("tls", &Failure::failed(fault).hint("install the package ca-certificates")));
            return false;
        }
    };
    let extra = connection.extra_roots.path.as_ref().map(|path| format!("; also trusted: {}", path.display()));
    let shown = handshake.certificate.as_ref();
    let details = shown.map_or_else(
        || json!(null),
        |certificate| {
            let ServerCertificate { subject, issuer, expires } = certificate;
            json!({ "subject": subject, "issuer": issuer, "expires": expires, "days_left": days_left(certificate) })
        },
    );
    let Some(fault) = handshake.fault else {
        let certificate_text = shown.map_or_else(|| "trusted".to_owned(), certificate_text);
        let message = format!("{certificate_text}{}", extra.unwrap_or_default());
        let check = match shown.map(days_left) {
            Some(days) if days < EXPIRY_WARNING_DAYS => Check::warning("tls", message, "have the certificate renewed"),
            _ => Check::ok("tls", message),
        };
        report.add(check.with_elapsed(handshake.elapsed).details(details));
        return true;
    };
    let certificate = shown.map(|certificate| format!("; the certificate shown: {}", certificate_text(certificate)));
    let failure = Failure::new(
        Exit::Unreachable,
        format_args!("{fault}{}{}", certificate.unwrap_or_default(), extra.unwrap_or_default()),
    );
    report.add(Check::failed("tls", &failure.hint(fault.hint())).with_elapsed(handshake.elapsed).details(details));
    false
}

fn days_left(certificate: &ServerCertificate) -> i64 {
    let left = certificate.expires.duration_since(clock::now());
    left.as_hours().div_euclid(24)
}

fn certificate_text(certificate: &ServerCertificate) -> String {
    let days = days_left(certificate);
    let validity = if days < 0 { "expired".to_owned() } else { format!("{days} days left") };
    let ServerCertificate { subject, issuer, expires } = certificate;
    format!("{subject}, issued by {issuer}, {validity} (until {})", expires.strftime("%Y-%m-%d"))
}

/// Fetches one page and one part of the feed, each once.
pub async fn check_api(report: &mut Report, connection: &Connection) {
    let client = match trial_client(connection) {
        Ok(client) => client,
        Err(fault) => {
            report.add(Check::failed("page", &client_failure(fault)));
            return report.skip(&["feed"], "no request can be made");
        }
    };
    let start = Instant::now();
    let page = client.page(1, TRIAL_PAGE).await;
    let took = start.elapsed();
    report.add(match page {
        Ok(page) => {
            let of = page.total.map(|total| format!(" of {}", grouped(usize::try_from(total).unwrap_or(usize::MAX))));
            let seen = counted(page.segments.len(), Noun::Segment);
            let details = json!({ "segments": page.segments.len(), "total": page.total });
            Check::ok("page", format!("{seen}{}", of.unwrap_or_default())).with_elapsed(took).details(details)
        }
        Err(error) => request_failed("page", error).with_elapsed(took),
    });
    // A step beyond the end of any feed gets the shortest response.
    let start = Instant::now();
    let changes = client.changes(Step(BEYOND_ANY_STEP), None).await;
    let took = start.elapsed();
    report.add(match changes {
        Ok(_) => Check::ok("feed", "it answers").with_elapsed(took),
        Err(RemoteError { fault, .. })
            if fault.rejects_step() && !matches!(fault, Fault::Refused { status: 404, .. }) =>
        {
            Check::ok("feed", "it answers, and rejects steps that don't exist yet").with_elapsed(took)
        }
        Err(error) => request_failed("feed", error).with_elapsed(took),
    });
}

fn request_failed(name: &'static str, error: RemoteError) -> Check {
    let (exit, hint) = advice(&error.fault);
    Check::failed(name, &Failure::new(exit, format_args!("{:#}", Cause::new(error))).hint(hint))
}
