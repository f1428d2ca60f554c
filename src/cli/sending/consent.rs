//! Consent to send a plan: asked for at the terminal as in the interface, or given by flags.

use std::io::{self, BufRead, IsTerminal};

use tokio::task::spawn_blocking;

use crate::changes::{Operation, Safeguards, TypedPhrase, confirmation};
use crate::config::Connection;
use crate::forest::Forest;
use crate::numbers::{Noun, counted};
use crate::planning::PlannedOperation;
use crate::sync::SyncHandle;
use crate::terminal;

use super::super::arguments::SendingArguments;
use super::super::exit::Exit;
use super::super::failure::Failure;

/// The consent that the flags give.
#[derive(Debug, Clone)]
pub(in crate::cli) enum Consent {
    /// Send without asking.
    Given,
    /// Ask at the terminal.
    Prompt,
}

impl Consent {
    /// Returns the consent for a tenant. Fails if `--approve` names another tenant, `--yes` lacks `--approve` for a protected
    /// tenant, or there is no terminal to ask at.
    pub fn of(arguments: &SendingArguments, connection: &Connection) -> Result<Self, Failure> {
        let Connection { tenant, protected, .. } = connection;
        let refused = |why: String| Failure::new(Exit::Guarded, format_args!("nothing was sent: {why}"));
        if let Some(approved) = arguments.approve.as_ref().filter(|approved| *approved != tenant) {
            return Err(refused(format!("--approve {approved} is another tenant than {tenant}"))
                .hint("check the profile and the tenant"));
        }
        if arguments.yes && *protected && arguments.approve.is_none() {
            return Err(
                refused(format!("{tenant} is protected")).hint(format_args!("if it is meant, add --approve {tenant}"))
            );
        }
        if arguments.yes {
            return Ok(Self::Given);
        }
        if !io::stdin().is_terminal() {
            return Err(
                refused("there is no terminal to ask at".into()).hint("run it in a terminal to be asked, or add --yes")
            );
        }
        Ok(Self::Prompt)
    }
}

/// Asks whether to send operations. Fails unless the answer confirms it.
pub(in crate::cli) async fn confirm(
    operations: &[PlannedOperation],
    connection: &Connection,
    forest: &Forest,
    sync: &mut SyncHandle,
) -> Result<(), Failure> {
    let safeguards =
        Safeguards { tenant: &connection.tenant, protected: connection.protected, owned: &connection.owned };
    let sent: Vec<&Operation> = operations.iter().map(|planned| &planned.operation).collect();
    let mut phrases = confirmation(&safeguards, forest, &sent);
    let changes = counted(operations.len(), Noun::Change);
    while let Some(phrase) = phrases.next() {
        let wanted = match phrase {
            TypedPhrase::Tenant(_) => "the tenant's name".to_owned(),
            TypedPhrase::Name { owner, .. } => format!("the name of the segment managed by {owner}"),
            TypedPhrase::Count(_) => "how many segments managed by other systems it changes".to_owned(),
        };
        let typed =
            prompt(format!("Apply {changes} to {}? Type {wanted} ({}): ", connection.tenant, phrase.text()), sync)
                .await?;
        if !phrases.submit_phrase(&typed) {
            return Err(declined());
        }
        if phrases.next().is_none() {
            return Ok(());
        }
    }
    let typed = prompt(format!("Apply {changes} to {}? [y/N] ", connection.tenant), sync).await?;
    if matches!(typed.trim().to_lowercase().as_str(), "y" | "yes") { Ok(()) } else { Err(declined()) }
}

fn declined() -> Failure {
    Failure::new(Exit::Guarded, "nothing was sent: it wasn't confirmed").hint("run it again to be asked again")
}

/// Asks for a line. Reads the tenant's events in the meantime.
async fn prompt(question: String, sync: &mut SyncHandle) -> Result<String, Failure> {
    terminal::prompt(&question);
    let mut reading = spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    loop {
        tokio::select! {
            line = &mut reading => {
                let line = line.map_err(|error| Failure::failed(format_args!("internal error: {error}")))?;
                return line.map_err(|error| Failure::failed(format_args!("couldn't read the answer: {error}")));
            }
            event = sync.events.recv() => {
                if event.is_none() {
                    return Err(super::sync_stopped());
                }
            }
        }
    }
}
