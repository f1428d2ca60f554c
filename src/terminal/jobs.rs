//! Background work, on threads or in other programs; each outcome is an event.

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use crate::app::{Event, RunRequest};
use crate::check::CheckJob;
use crate::forest::{SearchJob, SearchKind, SortJob};

use super::variables::Variables;
use super::{browser, programs};

/// The jobs in progress.
#[derive(Debug)]
pub(super) struct Jobs {
    outcomes: mpsc::Receiver<Event>,
    sender: mpsc::Sender<Event>,
    tree_search: CancellationToken,
    parent_search: CancellationToken,
    program: CancellationToken,
}

/// Outcomes that can queue up before jobs have to wait.
const CHANNEL_CAPACITY: usize = 16;
/// Threads for one search.
const SEARCH_THREADS: usize = 2;
/// Parts that the first thread searches before the others start.
const PARTS_BEFORE_SPLIT: usize = 8;

impl Jobs {
    pub fn new() -> Self {
        let (sender, outcomes) = mpsc::channel(CHANNEL_CAPACITY);
        Self {
            outcomes,
            sender,
            tree_search: CancellationToken::new(),
            parent_search: CancellationToken::new(),
            program: CancellationToken::new(),
        }
    }

    /// Waits for the next outcome; for ever if no job is running.
    pub async fn next(&mut self) -> Event {
        match self.outcomes.recv().await {
            Some(outcome) => outcome,
            // `self` holds a sender, so the channel never closes.
            None => std::future::pending().await,
        }
    }

    /// An outcome that is ready.
    pub fn try_next(&mut self) -> Option<Event> {
        self.outcomes.try_recv().ok()
    }

    /// Starts a search and cancels the previous one of the same kind, which nobody needs any more.
    pub fn search(&mut self, job: SearchJob) {
        let current = match job.kind() {
            SearchKind::Tree => &mut self.tree_search,
            SearchKind::Parents => &mut self.parent_search,
        };
        let cancellation = CancellationToken::new();
        std::mem::replace(current, cancellation.clone()).cancel();
        let mut shares = job.in_shares(SEARCH_THREADS);
        if let Some(first) = shares.next() {
            search(first, shares.collect(), self.sender.clone(), cancellation);
        }
    }

    /// Runs a custom command and stops the previous one.
    pub fn run(&mut self, request: RunRequest, variables: Variables) {
        let cancellation = CancellationToken::new();
        std::mem::replace(&mut self.program, cancellation.clone()).cancel();
        tokio::spawn(programs::run(request, variables, self.sender.clone(), cancellation));
    }

    /// Stops the running program.
    pub fn stop_program(&self) {
        self.program.cancel();
    }

    /// Opens a URL in the browser.
    pub fn browse(&self, url: String, key_variables: Vec<String>) {
        let sender = self.sender.clone();
        tokio::spawn(async move {
            let outcome = browser::open_url(&url, &key_variables).await;
            if sender.send(Event::Browsed { url, outcome }).await.is_err() {
                tracing::debug!("nobody waits for the browser");
            }
        });
    }

    /// Checks the tree for problems.
    pub fn check(&mut self, job: Box<CheckJob>) {
        let sender = self.sender.clone();
        spawn_blocking(move || {
            if sender.blocking_send(Event::Checked(job.run())).is_err() {
                tracing::debug!("nobody waits for what was found");
            }
        });
    }

    /// Sorts the tree.
    pub fn sort(&mut self, job: SortJob) {
        let sender = self.sender.clone();
        spawn_blocking(move || {
            if sender.blocking_send(Event::Sorted(job.run())).is_err() {
                tracing::debug!("nobody waits for what was sorted");
            }
        });
    }
}

/// Searches one share on a thread of its own. The others start some milliseconds later, so that they don't delay the first frame
/// with matches.
fn search(share: SearchJob, mut others: Vec<SearchJob>, sender: mpsc::Sender<Event>, cancellation: CancellationToken) {
    spawn_blocking(move || {
        for (part, finds) in (1..).zip(share) {
            // An error means that the interface is gone.
            if cancellation.is_cancelled() || sender.blocking_send(Event::Found(finds)).is_err() {
                return;
            }
            if part == PARTS_BEFORE_SPLIT {
                for other in others.drain(..) {
                    search(other, Vec::new(), sender.clone(), cancellation.clone());
                }
            }
        }
        for other in others {
            search(other, Vec::new(), sender.clone(), cancellation.clone());
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
