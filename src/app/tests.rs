//! Tests of the interface as the user meets it, without a terminal or a server.

mod activity;
mod browsing;
mod checking;
mod copying;
mod deciding;
mod editing;
mod finding;
mod living;
mod messages;
mod outline;
mod own;
mod queueing;
mod requests;
mod tasks;
mod undoing;
mod weighing;
