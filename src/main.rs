//! The `segtui` binary: everything is in the library.

use std::process::ExitCode;

/// The system allocator rounds each segment's memory up by a seventh and keeps memory that was needed only briefly; mimalloc does
/// neither.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    segtui::cli::main()
}
