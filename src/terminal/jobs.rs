//! Work that would hold up the screen, on threads of its own or in other programs: what it comes to is an event like any other.

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use crate::app::{Event, RunRequest};
use crate::check::CheckJob;
use crate::forest::{SearchJob, SearchKind, SortJob};

use super::variables::Variables;
use super::{browser, programs};

/// The work under way.
#[derive(Debug)]
pub(super) struct Jobs {
    outcomes: mpsc::Receiver<Event>,
    sender: mpsc::Sender<Event>,
    tree_search: CancellationToken,
    parent_search: CancellationToken,
    program: CancellationToken,
}

/// Outcomes that may wait for the screen before whoever found them has to.
const WAITING: usize = 16;
/// Threads that search at a time.
const SEARCHERS: usize = 2;
/// Parts that the first of them looks at alone.
const ALONE: usize = 8;

impl Jobs {
    pub fn new() -> Self {
        let (sender, outcomes) = mpsc::channel(WAITING);
        Self {
            outcomes,
            sender,
            tree_search: CancellationToken::new(),
            parent_search: CancellationToken::new(),
            program: CancellationToken::new(),
        }
    }

    /// The next outcome; waits for ever while nothing is under way.
    pub async fn next(&mut self) -> Event {
        match self.outcomes.recv().await {
            Some(outcome) => outcome,
            // There always is a sender.
            None => std::future::pending().await,
        }
    }

    /// An outcome that has come already.
    pub fn ready(&mut self) -> Option<Event> {
        self.outcomes.try_recv().ok()
    }

    /// Searches. An earlier search for the same purpose ends: nobody waits for it any more.
    pub fn search(&mut self, job: SearchJob) {
        let current = match job.kind() {
            SearchKind::Tree => &mut self.tree_search,
            SearchKind::Parents => &mut self.parent_search,
        };
        let wanted = CancellationToken::new();
        std::mem::replace(current, wanted.clone()).cancel();
        let mut shares = job.in_shares(SEARCHERS);
        if let Some(first) = shares.next() {
            search(first, shares.collect(), self.sender.clone(), wanted);
        }
    }

    /// Runs a program of the person's own. An earlier one ends: nobody waits for it any more.
    pub fn run(&mut self, order: RunRequest, variables: Variables) {
        let wanted = CancellationToken::new();
        std::mem::replace(&mut self.program, wanted.clone()).cancel();
        tokio::spawn(programs::run(order, variables, self.sender.clone(), wanted));
    }

    /// Stops the program that runs.
    pub fn stop_program(&self) {
        self.program.cancel();
    }

    /// Shows an address in the browser.
    pub fn browse(&self, url: String, key_variables: Vec<String>) {
        let sender = self.sender.clone();
        tokio::spawn(async move {
            let outcome = browser::show(&url, &key_variables).await;
            if sender.send(Event::Browsed { url, outcome }).await.is_err() {
                tracing::debug!("nobody waits for the browser");
            }
        });
    }

    /// Looks for what is wrong.
    pub fn check(&mut self, job: Box<CheckJob>) {
        let sender = self.sender.clone();
        spawn_blocking(move || {
            if sender.blocking_send(Event::Checked(job.carried_out())).is_err() {
                tracing::debug!("nobody waits for what was found");
            }
        });
    }

    /// Sorts.
    pub fn sort(&mut self, job: SortJob) {
        let sender = self.sender.clone();
        spawn_blocking(move || {
            if sender.blocking_send(Event::Sorted(job.carried_out())).is_err() {
                tracing::debug!("nobody waits for what was sorted");
            }
        });
    }
}

/// Carries out a share of a search on a thread of its own. The others begin some milliseconds later, so that nothing stands in
/// the way of the first frame that shows any matches.
fn search(share: SearchJob, mut others: Vec<SearchJob>, sender: mpsc::Sender<Event>, wanted: CancellationToken) {
    spawn_blocking(move || {
        for (part, finds) in (1..).zip(share) {
            // An error means that the screen is gone.
            if wanted.is_cancelled() || sender.blocking_send(Event::Found(finds)).is_err() {
                return;
            }
            if part == ALONE {
                for other in others.drain(..) {
                    search(other, Vec::new(), sender.clone(), wanted.clone());
                }
            }
        }
        for other in others {
            search(other, Vec::new(), sender.clone(), wanted.clone());
        }
    });
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.tree_search.cancel();
        self.parent_search.cancel();
        self.program.cancel();
    }
}
