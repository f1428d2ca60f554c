//! The program's subcommands, run as they are: exit codes, what goes to stdout and what to stderr.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected is to fail")]

mod apply;
mod check;
mod configuration;
mod desk;
mod doctor;
mod documented;
mod export;
mod forests;
mod forms;
mod history;
mod log;
mod messages;
mod output;
mod pace;
mod plan;
mod process;
mod refusals;
mod round_trip;
mod serve_demo;
mod server;
mod setup;
mod shell;
#[path = "../common/site.rs"]
mod site;
mod tenants;
mod tree;
