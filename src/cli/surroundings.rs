//! What a command needs besides its own arguments: the connection, the environment, and how to report.

use std::cell::Cell;
use std::path::PathBuf;

use crate::check::Rules;
use crate::config::{self, Paths, ProfileTenant};

use super::arguments::{ConnectionArguments, LookArguments, ReportArguments, SourceArguments};
use super::failure::{ErrorForm, Failure};
use super::link::{Link, config_failure};
use super::notes::Notes;
use super::paint::Paint;
use super::tree::{Guides, TreeOptions};

/// The surroundings of one command.
pub(super) struct CommandContext {
    connection: ConnectionArguments,
    environment: fn(&str) -> Option<String>,
    paths: Paths,
    guides: Guides,
    /// Whether the note that others can read the key was shown.
    key_noted: Cell<bool>,
    pub notes: Notes,
    pub paint: Paint,
}

impl CommandContext {
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
        let (notes, key_noted) = (Notes::new(report, form), Cell::new(false));
        Self { connection, environment, paths, guides, key_noted, notes, paint }
    }

    /// Opens the link to the tenant.
    pub async fn link(&self) -> Result<Link, Failure> {
        let link = Link::open(&self.connection, &LookArguments::default(), &self.environment, &self.paths).await?;
        self.note_key(&link);
        Ok(link)
    }

    /// Opens the link to the tenant that a source is compared with. If the source is itself a tenant, the target has to be named.
    pub async fn target(&self, arguments: &SourceArguments) -> Result<Link, Failure> {
        match &arguments.to {
            Some(profile) => {
                if let Some(flag) = self.connection.tenant_flags().first() {
                    let error =
                        format_args!("--to {profile} and {flag} both name the tenant to compare with or to change");
                    return Err(Failure::usage(error).hint("leave out one of the two"));
                }
                self.link_of(profile)
            }
            None if arguments.is_file() || self.connection.names_a_tenant() => self.link().await,
            None => Err(Failure::usage(format_args!("{} says no target", arguments.source.display()))
                .hint("name the profile to compare with or to change: --to NAME")),
        }
    }

    /// Refuses tenant flags if a command's own arguments name the tenants, so that no flag is silently ignored.
    pub fn without_tenant_flags(&self, command: &str) -> Result<(), Failure> {
        let Some(flag) = self.connection.tenant_flags().first().copied() else { return Ok(()) };
        Err(Failure::usage(format_args!("{flag} has no effect on {command}, whose arguments name what it reads"))
            .hint(format_args!("leave out {flag}; a tenant is named as profile:NAME")))
    }

    /// Opens the link to the tenant of a profile.
    pub fn link_of(&self, profile: &str) -> Result<Link, Failure> {
        let link = Link::of_profile(profile, &self.connection, &self.environment, &self.paths)?;
        self.note_key(&link);
        Ok(link)
    }

    /// Warns that others can read the key, once: all profiles of a command are in one file.
    fn note_key(&self, link: &Link) {
        if let Some(note) = link.key_note().filter(|_| !self.key_noted.replace(true)) {
            self.notes.note(note);
        }
    }

    /// Returns the check rules of the chosen profile.
    pub fn rules(&self) -> Result<Rules, Failure> {
        let rules = config::rules(&self.connection.flags(), &self.environment, &self.paths);
        rules.map_err(|error| config_failure(&error))
    }

    /// Returns the tenant of a profile and the path of its store.
    pub fn store_of(&self, profile: &str) -> Result<(ProfileTenant, PathBuf), Failure> {
        let location = config::profile_tenant(profile, &self.connection.flags(), &self.environment, &self.paths);
        let location = location.map_err(|error| config_failure(&error))?;
        let file = self.paths.store_file(&location.base_url, &location.tenant, &location.contexts);
        Ok((location, file))
    }

    /// Returns the journal of the commands that change a tenant; `None` for the demo, whose tenant is a new one each time.
    pub fn journal_of(&self, link: &Link) -> Result<Option<PathBuf>, Failure> {
        let file = self.runs_file(link);
        if file.as_deref().is_some_and(Paths::is_nowhere) {
            let error = "nothing was sent: there is no home folder for the journal, without which an interrupted run can't be continued";
            return Err(Failure::usage(error).hint("set HOME, or XDG_DATA_HOME to a folder that is kept"));
        }
        Ok(file)
    }

    fn runs_file(&self, link: &Link) -> Option<PathBuf> {
        let is_demo = link.is_demo();
        (!is_demo).then(|| self.paths.runs_file(&link.connection.base_url, &link.connection.tenant))
    }

    /// Returns the files with the history of a tenant.
    pub fn histories_of(&self, link: &Link) -> Vec<PathBuf> {
        let connection = &link.connection;
        let interface = self.paths.store_file(&connection.base_url, &connection.tenant, &connection.contexts);
        self.runs_file(link).into_iter().chain((!link.is_demo()).then_some(interface)).collect()
    }

    /// Returns how a tree is written.
    pub fn tree_options(&self) -> TreeOptions {
        TreeOptions { guides: self.guides, paint: self.paint, ids: false, depth: None, query: None }
    }
}
