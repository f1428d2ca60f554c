//! A keyboard-driven terminal browser and editor for the segment tree of a tenant of the ONe B2B commerce platform.
//!
//! # Layers
//!
//! One package, in layers. A module uses what is below it, never what is above or beside it; `tests/architecture.rs` keeps it so.
//! The core (marked ○) does no I/O, reads no clock and spawns nothing: time, randomness and answers come in as values.
//! `docs/architecture.md` tells more, and `docs/glossary.md` explains the terms.
//!
//! | layer | module | owns |
//! | --- | --- | --- |
//! | 0 | [`segment`] ○ | one segment: fields, identity, validity; a position in the feed |
//! | 0 | [`action`] ○ | what a person can ask for: the one table of actions |
//! | 0 | [`theme`] ○ | styles by what they mean, and the themes that are built in |
//! | 0 | `collation` | the order of a language in which names are sorted |
//! | 0 | `numbers` ○ | numbers, the nouns that follow them and the words that agree with them |
//! | 0 | `printable` ○ | what others wrote, made safe for a terminal |
//! | 0 | `clock` | what time it is |
//! | 0 | `platform` | what Unix and Windows do differently |
//! | 1 | `files` | putting a file in the place of another, and making private ones |
//! | 1 | [`forest`] ○ | the tree of all segments, its visible rows, finding |
//! | 1 | [`remote`] ○ | the port to the server, and how calls fail |
//! | 1 | [`keymap`] ○ | from keys to actions and back |
//! | 2 | `formats` ○ | segments as text: JSON, HTML, SVG, Mermaid, DOT, outline |
//! | 2 | [`api`] | the port over HTTP |
//! | 2 | [`check`] ○ | rules that segments may break, and what breaks them |
//! | 3 | `config` | profiles, keys and looks, flags' defaults, where files live |
//! | 3 | [`changes`] ○ | the life of a change: operations, plans, the queue, undo, the journal's entries |
//! | 4 | `planning` ○ | from what a file wants and what a tenant has to operations; saved plans |
//! | 4 | [`store`] | what was last known of a tenant, and the journal, in a file |
//! | 5 | [`sync`] | an actor that keeps a client's picture equal to the server and executes single operations |
//! | 6 | [`app`] ○ | the state of the interface and the only function that changes it |
//! | 7 | [`ui`] ○ | drawing that state |
//! | 8 | `terminal` | the terminal, the event loop, carrying out effects |
//! | 8 | [`demo`] | an HTTP server that implements the API in memory; it shares only [`segment`] with the client |
//! | 9 | [`cli`] | arguments, subcommands, exit codes |
//!
//! # The way of a key, and the way of a change
//!
//! ```text
//! key, paste, mouse, resize ─┐                                    ┌─> ui::draw(&State)   once per batch; answers what can be clicked
//! sync event ────────────────┼─> Event ─> app::update(&mut State)─┤
//! request made ──────────────┤                                    │
//! time ──────────────────────┘                                    └─> Effect ─> sync command, clipboard, suspend, quit
//!                                                                        │   └─> searching, sorting: on threads of their own
//! server <── api <── sync <──────────────────────────────────────────────┘       what they come to is an event again
//! ```
//!
//! # A million segments
//!
//! What a key costs depends on the screen, and what a change costs on the change; neither depends on the tree. The visible rows
//! are a list in pieces ([`forest`]), of which a frame shows a window. Whatever has to look at everything (searching, sorting,
//! building the tree from a file) is plain data that any thread can carry out, on a copy that shares its memory with the tree.
//! The network has its own threads, and a list that comes again is compared as it arrives, so only differences reach the screen.

pub mod action;
pub mod api;
pub mod app;
pub mod changes;
pub mod check;
pub mod cli;
pub(crate) mod clock;
pub(crate) mod collation;
pub(crate) mod config;
pub mod demo;
pub(crate) mod files;
pub mod forest;
pub(crate) mod formats;
pub mod keymap;
pub(crate) mod numbers;
pub(crate) mod planning;
pub(crate) mod platform;
pub(crate) mod printable;
pub mod remote;
pub mod segment;
pub mod store;
pub mod sync;
pub(crate) mod terminal;
pub mod theme;
pub mod ui;
