//! The program: everything is in the library.

use std::process::ExitCode;

/// The system's allocator rounds a segment up by a seventh and keeps what it took for a moment; this one does neither.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    segtui::cli::main()
}
