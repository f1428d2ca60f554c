//! A keyboard-driven terminal browser and editor for the segment tree of a tenant of the ONe B2B commerce platform.
//!
//! # Layers
//!
//! One package, in layers. A module uses the modules below it, never those above or beside it; `tests/architecture.rs` checks this.
//! The core (marked ○) does no I/O, reads no clock and spawns nothing: time, randomness and responses are passed in as values.
//! `docs/architecture.md` has the details, and `docs/glossary.md` explains the terms.
//!
//! | layer | module | owns |
//! | --- | --- | --- |
//! | 0 | [`segment`] ○ | one segment: fields, identity, validity; a position in the feed |
//! | 0 | [`action`] ○ | user actions: the one table of actions |
//! | 0 | [`theme`] ○ | styles by meaning, and the built-in themes |
//! | 0 | `collation` | the sort order of names in a language |
//! | 0 | `numbers` ○ | numbers in messages, with the nouns after them and the words that agree with them |
//! | 0 | `printable` ○ | untrusted texts, made safe for a terminal |
//! | 0 | `clock` | the current time |
//! | 0 | `platform` | the differences between Unix and Windows |
//! | 1 | `files` | atomic file replacement, and private files |
//! | 1 | [`forest`] ○ | the tree of all segments, its visible rows, search |
//! | 1 | [`remote`] ○ | the port to the server, and how calls fail |
//! | 1 | [`keymap`] ○ | mapping from keys to actions and back |
//! | 2 | `formats` ○ | segments as text: JSON, NDJSON, CSV, HTML, SVG, Mermaid, DOT, outline |
//! | 2 | [`api`] | the port over HTTP |
//! | 2 | [`check`] ○ | rules for segments, and what breaks them |
//! | 3 | `config` | profiles, keys, appearance, defaults of flags, file locations |
//! | 3 | [`changes`] ○ | the life cycle of a change: operations, plans, the queue, undo, journal entries |
//! | 4 | `planning` ○ | from the rows of a file and a tenant to operations; saved plans |
//! | 4 | [`store`] | the cache of a tenant, and the journal, in a file |
//! | 5 | [`sync`] | an actor that keeps a client's tree equal to the server's and executes single operations |
//! | 6 | [`app`] ○ | the state of the interface and the only function that changes it |
//! | 7 | [`ui`] ○ | drawing that state |
//! | 8 | `terminal` | the terminal, the event loop, executing effects |
//! | 8 | [`demo`] | an HTTP server that implements the API in memory; it shares only [`segment`] with the client |
//! | 9 | [`cli`] | arguments, subcommands, exit codes |
//!
//! # The path of a key press and of a change
//!
//! ```text
//! key, paste, mouse, resize ─┐                                    ┌─> ui::draw(&State)   once per batch; returns the clickable areas
//! sync event ────────────────┼─> Event ─> app::update(&mut State)─┤
//! request made ──────────────┤                                    │
//! time ──────────────────────┘                                    └─> Effect ─> sync command, clipboard, suspend, quit
//!                                                                        │   └─> searching, sorting: on separate threads
//! server <── api <── sync <──────────────────────────────────────────────┘       whose results are events again
//! ```
//!
//! # A million segments
//!
//! The cost of a key press depends on the screen, and the cost of a change on the change; neither depends on the size of the tree.
//! The visible rows are a chunked list ([`forest`]), of which a frame shows a window. Work that has to visit everything (searching,
//! sorting, building the tree from a file) is plain data that any thread can process, on a copy that shares its memory with the tree.
//! The network has its own threads, and a repeated list is compared as it arrives, so only differences reach the screen.

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
