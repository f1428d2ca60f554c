//! [`ConnectError`]: why no connection came about, as plain data, so that a person can be told what to do about it.

use std::fmt;

/// What stood between this machine and the server. Reads as the network's own words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectError {
    /// Of which kind it is.
    pub kind: ObstacleKind,
    /// The network's words.
    pub words: String,
}

/// The kinds of obstacles that a person mends in different ways.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ObstacleKind {
    /// No machine has that name, or names can't be looked up.
    NoSuchHost,
    /// The machine is there, and nothing listens at that port.
    Refused,
    /// The two sides could not agree on how to encrypt, or the certificate is not to be trusted.
    Tls,
    /// It took too long.
    TimedOut,
    /// Anything else.
    #[default]
    Other,
}

impl ConnectError {
    /// An obstacle of a kind in the network's words.
    #[must_use]
    pub fn new(kind: ObstacleKind, words: impl Into<String>) -> Self {
        Self { kind, words: words.into() }
    }
}

impl From<&str> for ConnectError {
    /// Words of no particular kind.
    fn from(words: &str) -> Self {
        Self::new(ObstacleKind::Other, words)
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}
