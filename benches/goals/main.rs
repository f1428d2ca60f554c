//! Speed and memory at a million segments, compared with goals and with what users would otherwise write.
//!
//! `cargo bench --bench goals` measures what takes seconds; `cargo bench --bench goals -- --long` everything. A word
//! added to that selects the groups whose names contain it. Both sides of a ratio are measured in the same run.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a benchmark that meets the unexpected is to fail")]

mod in_process;
mod in_terminal;
mod peers;
mod pty;
mod report;
mod server;
mod tenants;
mod transfer;
mod under_fire;

use std::process::ExitCode;

use report::Report;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [first, peer @ ..] = arguments.as_slice()
        && first == "--peer"
    {
        peers::run(peer);
        return ExitCode::SUCCESS;
    }
    let long = arguments.iter().any(|argument| argument == "--long");
    let mut report = Report::on(arguments.into_iter().find(|argument| !argument.starts_with("--")));
    in_process::measure(&mut report);
    under_fire::measure(&mut report);
    in_terminal::measure(&mut report);
    if long {
        in_terminal::measure_long(&mut report);
        transfer::measure(&mut report);
    }
    if report.print() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
