//! What a command has besides its own arguments: where to connect to, the environment, and how to say what.

use crate::config::Paths;

use super::arguments::{ConnectionArguments, LookArguments, ReportArguments};
use super::failure::{ErrorForm, Failure};
use super::link::Link;
use super::notes::Notes;
use super::paint::Paint;
use super::tree::{Guides, Look};

/// The surroundings of one command.
pub(super) struct Surroundings {
    connection: ConnectionArguments,
    environment: fn(&str) -> Option<String>,
    paths: Paths,
    guides: Guides,
    pub notes: Notes,
    pub paint: Paint,
}

impl Surroundings {
    pub fn new(
        connection: ConnectionArguments,
        report: &ReportArguments,
        form: ErrorForm,
        ascii: bool,
        environment: fn(&str) -> Option<String>,
        paths: Paths,
    ) -> Self {
        let guides = if ascii { Guides::ASCII } else { Guides::UNICODE };
        let paint = Paint::of_stdout(report.color, &environment);
        Self { connection, environment, paths, guides, notes: Notes::new(report, form), paint }
    }

    /// The way to the server.
    pub async fn link(&self) -> Result<Link, Failure> {
        Link::open(&self.connection, &LookArguments::default(), &self.environment, &self.paths).await
    }

    /// How a tree is written.
    pub fn look(&self) -> Look {
        Look { guides: self.guides, paint: self.paint, ids: false, depth: None, query: None }
    }
}
