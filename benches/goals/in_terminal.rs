//! What a user feels: the real program in a pseudo-terminal, from a key to the last byte of the response, compared with
//! what others would have written.

use std::time::{Duration, Instant};

use super::pty::{KeyResponse, Pty, memory, processor_time};
use super::report::{Report, median, millis, number, percentile};
use super::server::Server;

const MILLION: u32 = 1_000_000;

pub fn measure(report: &mut Report) {
    if report.wants("first screen") {
        first_screen(report);
    }
    if report.wants("naive") {
        against_naive(report);
    }
    if report.wants("million") {
        million(report);
    }
    if report.wants("flood") {
        flood(report);
    }
}

pub fn measure_long(report: &mut Report) {
    if report.wants("idle") {
        idle(report);
    }
    if report.wants("churn") {
        churn(report);
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn press_all(pty: &mut Pty, keys: &[&str], times: usize) -> Vec<KeyResponse> {
    let keys = keys.iter().cycle().take(times * keys.len());
    keys.filter_map(|key| pty.press(key)).collect()
}

fn durations(answers: &[KeyResponse]) -> Vec<Duration> {
    answers.iter().map(|answer| answer.after).collect()
}

fn first_screen(report: &mut Report) {
    let server = Server::start(300, &[]);
    // Earlier measurements in this process have left the system gigabytes to clear away.
    std::thread::sleep(SETTLING);
    let starts: Vec<Duration> = (0..20)
        .map(|_| {
            let mut pty = Pty::segtui(&[], &server.url, folder());
            let shown = pty.wait_until("any screen", |screen| screen.contains("segtui"));
            pty.end();
            shown
        })
        .collect();
    report.at_most("start to the first screen, nothing stored", millis(median(&starts)), 30.0, "ms");
}

fn minimal() -> Duration {
    let mut pty = Pty::peer(&["minimal"]);
    pty.wait_for("Sklep 1");
    pty.drain(Duration::from_millis(200));
    let median = median(&durations(&press_all(&mut pty, &["j", "j", "j", "k", "k"], 60)));
    pty.end();
    median
}

fn against_naive(report: &mut Report) {
    for (rows, goal, times) in [(10_000, 4.0, 60), (100_000, 40.0, 10)] {
        let mut pty = Pty::peer(&["naive", &rows.to_string()]);
        pty.wait_for("Sklep");
        pty.drain(Duration::from_millis(500));
        let naive: Vec<Duration> = (0..times)
            .filter_map(|turn| {
                let answer = pty.time_to_first_output(if turn % 4 < 2 { "j" } else { "k" });
                pty.drain(Duration::from_millis(30));
                answer
            })
            .collect();
        pty.end();
        let server = Server::start(rows, &[]);
        let mut pty = Pty::segtui(&["--no-store"], &server.url, folder());
        pty.wait_for("● live");
        pty.press("z");
        pty.press("0");
        pty.drain(Duration::from_millis(500));
        let ours = durations(&press_all(&mut pty, &["j", "j", "k", "k"], 30));
        pty.end();
        report.note(format!("a key, the widget with all {rows} rows"), millis(median(&naive)), "ms");
        report.note(format!("a key, {rows} rows unfolded"), millis(median(&ours)), "ms");
        let faster = median(&naive).as_secs_f64() / median(&ours).as_secs_f64();
        report.at_least(format!("… faster at {rows} rows"), faster, goal, "times");
    }
}

/// After this time, memory that was only needed for loading is back with the system; the peak is measured as well.
const SETTLING: Duration = Duration::from_secs(12);

fn million(report: &mut Report) {
    let server = Server::start(MILLION, &[]);
    let arguments = ["--page-size", "1000", "--concurrency", "8"];
    let minimal = minimal();
    report.note("a key, minimal program with a list", millis(minimal), "ms");

    let mut pty = Pty::segtui(&arguments, &server.url, folder());
    let mut peak = 0.0_f64;
    pty.wait_for("● live");
    pty.drain(SETTLING);
    let loaded = memory(pty.process(), "VmRSS:");
    peak = peak.max(memory(pty.process(), "VmHWM:"));
    report.at_most("memory with 1,000,000 loaded", loaded, 250.0, "MB");
    report.at_most("… peak while loading", peak / loaded, 1.3, "times");

    folding(report, &mut pty);
    keys(report, &mut pty, minimal);
    sorting(report, &mut pty);
    finding(report, &mut pty);
    report.note("memory after all that, everything unfolded", memory(pty.process(), "VmRSS:"), "MB");

    // The next start finds the tree folded, as most are.
    pty.press("z");
    pty.press("1");
    let home = pty.quit().unwrap();
    let mut pty = Pty::segtui(&arguments, &server.url, home);
    let shown = pty.wait_for("1,000,000 segments");
    report.at_most("warm start of 1,000,000", millis(shown), 900.0, "ms");
    pty.wait_for("● live");
    pty.drain(SETTLING);
    report.at_most("memory after a warm start of 1,000,000", memory(pty.process(), "VmRSS:"), 250.0, "MB");
    pty.end();

    let server = Server::start(100_000, &[]);
    let mut pty = Pty::segtui(&arguments, &server.url, folder());
    pty.wait_for("● live");
    pty.drain(Duration::from_secs(1));
    let mut home = pty.quit();
    let mut starts = Vec::new();
    for _ in 0..5 {
        let mut pty = Pty::segtui(&arguments, &server.url, home.take().unwrap());
        starts.push(pty.wait_for("100,000 segments"));
        pty.wait_for("● live");
        home = pty.quit();
    }
    report.at_most("warm start of 100,000", millis(median(&starts)), 150.0, "ms");
}

fn folding(report: &mut Report, pty: &mut Pty) {
    let unfolded: Vec<Duration> = (0..5)
        .filter_map(|_| {
            pty.press("z");
            pty.press("1");
            pty.press("z");
            pty.press("0").map(|answer| answer.after)
        })
        .collect();
    report.at_most("unfold all, 1,000,000", millis(median(&unfolded)), 60.0, "ms");
    let folded: Vec<Duration> = (0..5)
        .filter_map(|_| {
            pty.press("z");
            let answer = pty.press("1");
            pty.press("z");
            pty.press("0");
            answer.map(|answer| answer.after)
        })
        .collect();
    report.at_most("fold all, 1,000,000", millis(median(&folded)), 10.0, "ms");
}

fn keys(report: &mut Report, pty: &mut Pty, minimal: Duration) {
    pty.press("g");
    pty.press("g");
    press_all(pty, &["j"], 10);
    let inside = press_all(pty, &["j", "j", "k", "k"], 50);
    let most = inside.iter().map(|answer| answer.bytes).max().unwrap_or_default();
    report.at_most("bytes for one j inside the screen, the most of 200", number(most), 600.0, "bytes");
    let mut all = durations(&inside);
    report.at_most("a key inside the screen, against the minimal program", ratio(median(&all), minimal), 1.5, "times");
    // Page down and up, to the end and back, fold and unfold.
    all.extend(durations(&press_all(pty, &["\x1b[6~", "\x1b[6~", "\x1b[5~"], 20)));
    all.extend(durations(&press_all(pty, &["G", "g", "g"], 20)));
    all.extend(durations(&press_all(pty, &["j", "h", "l", "j", "\r", "\r"], 20)));
    report.note("a key of all kinds, 1,000,000 unfolded", millis(median(&all)), "ms");
    report.at_most("… median against the minimal program", ratio(median(&all), minimal), 1.5, "times");
    report.at_most("… of a hundred, the slowest but one", millis(percentile(&all, 99)), 5.0, "ms");
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

/// The time until the screen shows that an operation is over, and the longest that another key waits during it.
fn measure_keys_until(pty: &mut Pty, until: &str) -> (Duration, Duration) {
    let started = Instant::now();
    let mut longest = Duration::ZERO;
    let mut turn = 0;
    while !pty.screen().contains(until) {
        turn += 1;
        longest = longest.max(pty.time_to_first_output(if turn % 2 == 0 { "k" } else { "j" }).unwrap_or_default());
        pty.drain(Duration::from_millis(10));
        assert!(started.elapsed() < Duration::from_secs(60), "no {until}:\n{}", pty.screen());
    }
    (started.elapsed(), longest)
}

fn sorting(report: &mut Report, pty: &mut Pty) {
    let (mut sorted, mut waited) = (Vec::new(), Duration::ZERO);
    for (key, until) in [("e", "Sorted by external ID"), ("s", "Sorted by size"), ("n", "Sorted by name")] {
        pty.press("s");
        pty.send(key);
        let (took, longest) = measure_keys_until(pty, until);
        sorted.push(took);
        waited = waited.max(longest);
        pty.drain(Duration::from_millis(100));
    }
    report.at_most(
        "sort by another order, 1,000,000, the slowest of three",
        millis(percentile(&sorted, 100)),
        600.0,
        "ms",
    );
    report.at_most("… the longest that another key waited", millis(waited), 50.0, "ms");
}

/// Types searches key by key, and measures the echo of each key, the first match, and the number of all matches.
fn finding(report: &mut Report, pty: &mut Pty) {
    pty.press("g");
    pty.press("g");
    let (mut first, mut all, mut echoed) = (Vec::new(), Vec::new(), Vec::new());
    for text in ["sklep 99", "s-7", "großhandel", "4f1"] {
        pty.press("/");
        for character in text.chars() {
            let pressed = Instant::now();
            echoed.push(pty.time_to_first_output(&character.to_string()).unwrap());
            let status = |screen: &str| screen.lines().last().map(str::to_owned).unwrap_or_default();
            pty.wait_until("a match", |screen| !status(screen).contains("searching"));
            first.push(pressed.elapsed());
            pty.wait_until("all matches", |screen| {
                let status = status(screen);
                !status.contains('…') && (status.contains(" of ") || status.contains("found"))
            });
            all.push(pressed.elapsed());
            pty.drain(Duration::from_millis(30));
        }
        pty.press("\x1b");
        pty.drain(Duration::from_millis(100));
    }
    report.at_most(
        "search 1,000,000: first matches, per key typed, the slowest",
        millis(percentile(&first, 100)),
        30.0,
        "ms",
    );
    report.at_most("… all matches, the slowest", millis(percentile(&all, 100)), 250.0, "ms");
    report.at_most("… the key on the screen, the slowest", millis(percentile(&echoed, 100)), 16.0, "ms");
}

/// 500 keys at once: few frames, the right end, and a prompt response to the next key.
fn flood(report: &mut Report) {
    let server = Server::start(100_000, &[]);
    let mut pty = Pty::segtui(&["--no-store"], &server.url, folder());
    pty.wait_for("● live");
    pty.press("z");
    pty.press("0");
    pty.press("g");
    pty.press("g");
    pty.drain(Duration::from_millis(300));
    let started = Instant::now();
    pty.send(&"j".repeat(500));
    let pieces = pty.drain(Duration::from_millis(100));
    let (last, _) = *pieces.last().unwrap();
    let took = last - started;
    assert!(pty.screen().contains("501 of 100,000"), "it is elsewhere:\n{}", pty.screen());
    report.note("500 j at once: until the last frame", millis(took), "ms");
    let frames_due = (millis(took) / 8.0).ceil() + 1.0;
    report.at_most("… pieces written, against one frame each 8 ms", number(pieces.len()) / frames_due, 1.0, "times");
    pty.send(&"k".repeat(500));
    let next = pty.time_to_first_output("j").unwrap();
    report.at_most("… the next key answered", millis(next), 20.0, "ms");
    pty.end();
}

fn idle(report: &mut Report) {
    let server = Server::start(MILLION, &[]);
    let mut pty = Pty::segtui(&["--no-store", "--page-size", "1000"], &server.url, folder());
    pty.wait_for("● live");
    // The pauses between polls of the feed grow to their longest.
    pty.drain(Duration::from_secs(30));
    let used = processor_time(pty.process());
    let started = Instant::now();
    let mut bytes = 0;
    while started.elapsed() < Duration::from_secs(60) {
        bytes += pty.drain(Duration::from_secs(5)).iter().map(|(_, bytes)| bytes).sum::<usize>();
    }
    let share = processor_time(pty.process()).saturating_sub(used).as_secs_f64() / started.elapsed().as_secs_f64();
    report.at_most("idle, live, 1,000,000: share of a core in a minute", share * 100.0, 0.3, "%");
    report.at_most("… bytes written", number(bytes), 0.0, "bytes");
    pty.end();
}

fn churn(report: &mut Report) {
    let server = Server::start(100_000, &["--churn", "1000"]);
    let mut pty = Pty::segtui(&["--no-store", "--page-size", "1000", "--concurrency", "8"], &server.url, folder());
    pty.wait_until("a tree", |screen| screen.contains(" segments"));
    pty.drain(Duration::from_millis(200));
    pty.press("z");
    pty.press("0");
    let mut waits = Vec::new();
    let started = Instant::now();
    let mut backlog = Vec::new();
    while started.elapsed() < Duration::from_secs(30) {
        // Frames come all the time, so the next one after the key counts as its response: as late as any.
        waits.push(pty.time_to_first_output(if waits.len() % 2 == 0 { "j" } else { "k" }).unwrap());
        pty.drain(Duration::from_millis(1));
        if waits.len() % 100 == 0 {
            backlog.push(behind(&pty.screen()));
        }
        std::thread::sleep(Duration::from_millis(13));
    }
    report.at_most(
        "1,000 changes a second over 100,000: a key answered, p99",
        millis(percentile(&waits, 99)),
        20.0,
        "ms",
    );
    let half = backlog.len() / 2;
    let worst = |part: &[usize]| number(part.iter().copied().max().unwrap_or_default());
    // The backlog grows until everything is listed again, then falls. It is sampled every 1.4 s, so that a peak may be missed by
    // the changes of that time; a backlog that grows from list to list would exceed this by far.
    report.note("… behind by at most, first half", worst(&backlog[..half]), "changes");
    report.at_most("… and second half", worst(&backlog[half..]), worst(&backlog[..half]) + 2_000.0, "changes");
    pty.end();
}

/// The number before the words “changes behind” on the screen, or 0 without them.
fn behind(screen: &str) -> usize {
    let Some((before, _)) = screen.split_once(" changes behind") else { return 0 };
    let digits = before.rsplit(|other: char| !other.is_ascii_digit() && other != ',').next().unwrap_or_default();
    digits.replace(',', "").parse().unwrap_or(0)
}
