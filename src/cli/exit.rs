//! The exit codes of the program. Scripts rely on these numbers, so they are a contract, also documented in docs/contract.md.

use std::process::ExitCode;

use crate::terminal::Signal;

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// Done, or there was nothing to do.
    Done,
    /// It couldn't do what it was asked.
    Failed,
    /// It was called or configured wrongly, or an input file has faults.
    Usage,
    /// There are differences or findings, and `--exit-code` was given.
    Differences,
    /// The server rejected the API key or the tenant.
    KeyRefused,
    /// Only a part of the changes was applied.
    Partly,
    /// A safeguard refused, and nothing was sent.
    Guarded,
    /// The server can't be reached, or can't respond now.
    Unreachable,
    /// There is a result, but it may be incomplete.
    Incomplete,
    /// A signal ended it.
    Signalled(Signal),
}

impl Exit {
    /// Every exit except those by a signal, and its meaning.
    pub const TABLE: [(Self, &'static str); 9] = [
        (Self::Done, "done, or nothing to do"),
        (Self::Failed, "failed"),
        (Self::Usage, "invalid usage or configuration, or a faulty file"),
        (Self::Differences, "differences or findings (only with --exit-code)"),
        (Self::KeyRefused, "the server rejected the API key or the tenant"),
        (Self::Partly, "done in part; see the report"),
        (Self::Guarded, "a safeguard refused; nothing was sent"),
        (Self::Unreachable, "the server is unreachable or overloaded; try again later"),
        (Self::Incomplete, "incomplete: the tenant kept changing, or its list has holes"),
    ];

    /// Returns the exit code for the shell.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Differences => 3,
            Self::KeyRefused => 4,
            Self::Partly => 5,
            Self::Guarded => 6,
            Self::Unreachable => 7,
            Self::Incomplete => 8,
            Self::Signalled(signal) => signal.exit_code(),
        }
    }

    /// Returns the list of exit codes for `--help`.
    pub fn help() -> String {
        let lines = Self::TABLE.map(|(exit, meaning)| format!("  {}  {meaning}", exit.code()));
        format!("Exit codes:\n{}\n  128+N  stopped by signal N", lines.join("\n"))
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exit_has_its_own_number_in_the_table() {
        let codes = Exit::TABLE.map(|(exit, _)| exit.code());
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(Exit::Signalled(Signal::Terminate).code(), 128 + 15);
        assert_eq!(Exit::Signalled(Signal::Interrupt).code(), 128 + 2);
    }

    #[test]
    fn the_contract_has_every_exit_code_with_its_meaning() {
        let contract = include_str!("../../docs/contract.md");
        for (exit, meaning) in Exit::TABLE {
            let line = format!("| {} | {meaning} |", exit.code());
            assert!(contract.contains(&line), "docs/contract.md should have: {line}");
        }
    }
}
