//! Carries out the tasks of the form for a new profile: tries a connection, stores the key, and writes the profile. All of it
//! happens in the background, one task at a time; a new task replaces the previous one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use crate::app::{Answer, FilledProfile, FormContext, FormEffect, KeySource, ProfileField, ProfileTask, TrialError};
use crate::config::{self, ExtraRoots, Flags, KeyEntry, KeyOwner, NewProfile, Paths, SavingFault, SessionKeys};
use crate::platform;
use crate::terminal::ProfileService;

use super::failure::Failure;
use super::link;

/// Tasks and answers that may queue up. The form waits for each answer, so a few are enough.
const WAITING: usize = 4;

/// Starts the service on the current tokio runtime. Keys that are not saved are held in `keys`. It ends when the form's channels
/// are dropped.
///
/// # Errors
///
/// Fails if the configuration is invalid, since no profile could be added to it.
pub(super) fn open<E>(
    flags: &Flags,
    environment: E,
    paths: &Paths,
    keys: SessionKeys,
) -> Result<ProfileService, Failure>
where
    E: Fn(&str) -> Option<String> + Copy + Send + Sync + 'static,
{
    let listed = config::list(flags, &environment, paths).map_err(|error| link::refusal(&error))?;
    let context = FormContext {
        file: for_reading(&listed.path, environment(platform::HOME)),
        taken: listed.profiles.into_iter().map(|profile| profile.name).collect(),
        insecure_http: flags.insecure_http.unwrap_or_default(),
        no_keyring: config::keyring_at_hand(environment("PATH").as_deref()).err().map(|fault| fault.to_string()),
    };
    let (tasks, waiting) = mpsc::channel(WAITING);
    let (answers, told) = mpsc::channel(WAITING);
    let names = config::interface(flags, &environment, paths).map_err(|error| link::refusal(&error))?.key_variables;
    // The form doesn't ask for it, so a new profile gets the one of this start.
    let ca_file = config::ca_file(flags, &environment);
    let start = Start { config: listed.path, ca_file, key_variables: Arc::from(names), keys };
    tokio::spawn(serve(start, environment, waiting, answers));
    Ok(ProfileService { tasks, answers: told, context })
}

fn for_reading(path: &Path, home: Option<String>) -> String {
    let below = home.and_then(|home| path.strip_prefix(home).ok().map(|below| format!("~/{}", below.display())));
    below.unwrap_or_else(|| path.display().to_string())
}

/// What all tasks share.
#[derive(Clone)]
struct Start {
    /// The configuration file.
    config: PathBuf,
    /// CA certificates to trust besides the system's.
    ca_file: Option<PathBuf>,
    /// The environment variables that hold keys of profiles.
    key_variables: Arc<[String]>,
    /// Keys that are not saved anywhere.
    keys: SessionKeys,
}

async fn serve<E>(
    start: Start,
    environment: E,
    mut tasks: mpsc::Receiver<FormEffect>,
    answers: mpsc::Sender<(u64, Answer)>,
) where
    E: Fn(&str) -> Option<String> + Copy + Send + Sync + 'static,
{
    let mut wanted = CancellationToken::new();
    while let Some(wish) = tasks.recv().await {
        wanted.cancel();
        wanted = CancellationToken::new();
        let FormEffect::Task { number, task } = wish else { continue };
        let (start, answers, wanted) = (start.clone(), answers.clone(), wanted.clone());
        tokio::spawn(async move {
            let answer = match task {
                ProfileTask::Try(entry) => {
                    let tried = try_out(&entry, &start, environment);
                    match wanted.run_until_cancelled(tried).await {
                        Some(Ok(())) => Answer::Connected,
                        Some(Err(hindrance)) => Answer::NotConnected(hindrance),
                        None => return,
                    }
                }
                ProfileTask::Save(entry) => match save(&start, &entry, &wanted).await {
                    Ok(()) => held(&entry, &start.keys),
                    Err((field, reason)) => Answer::NotSaved { field, reason },
                },
                ProfileTask::Hold(entry) => held(&entry, &start.keys),
            };
            // The receiver may be gone.
            let _left = answers.send((number, answer)).await;
        });
    }
    wanted.cancel();
}

async fn try_out(
    entry: &FilledProfile,
    start: &Start,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<(), TrialError> {
    let key = match &entry.key {
        KeySource::Keyring(key) | KeySource::Session(key) | KeySource::File(key) => key.clone(),
        KeySource::Variable(name) => environment(name).map(SecretString::from).ok_or_else(|| {
            let text = format!(
                "{name} isn't set in this shell. Set it and start segtui again, or choose another place for the key"
            );
            TrialError::NoKey(text)
        })?,
        KeySource::Command(words) => first_line_of(words.clone(), Arc::clone(&start.key_variables)).await?,
    };
    let extra_roots = start.ca_file.as_deref().map(ExtraRoots::read).transpose();
    let extra_roots =
        extra_roots.map_err(|fault| TrialError::InvalidRequest(ProfileField::BaseUrl, fault.to_string()))?;
    link::try_out(entry, key, extra_roots.unwrap_or_default()).await
}

async fn first_line_of(words: Vec<String>, names: Arc<[String]>) -> Result<SecretString, TrialError> {
    let run = spawn_blocking(move || match words.split_first() {
        Some((program, arguments)) => {
            config::first_line_of(program, arguments, &names).map_err(|fault| fault.to_string())
        }
        None => Err("enter a command".into()),
    });
    run.await.map_err(|error| error.to_string()).flatten().map_err(TrialError::NoKey)
}

/// Holds a key that is not saved, before the form reports that its profile can be opened.
fn held(entry: &FilledProfile, keys: &SessionKeys) -> Answer {
    if let KeySource::Session(key) = &entry.key {
        keys.hold(&entry.name, &entry.base_url, &entry.tenant, key.clone());
    }
    Answer::Saved
}

/// Stores the key and then the profile: a profile without its key is worse than none.
async fn save(start: &Start, entry: &FilledProfile, wanted: &CancellationToken) -> Result<(), (ProfileField, String)> {
    let key = match &entry.key {
        KeySource::Keyring(key) => {
            let owner = KeyOwner { tenant: entry.tenant.clone(), host: entry.base_url.host() };
            let stored = wanted.run_until_cancelled(config::keyring_store(&owner, key, &start.key_variables)).await;
            let given_up = || (ProfileField::KeyLocation, "Cancelled; nothing was saved".to_owned());
            let elsewhere = |fault| {
                (ProfileField::KeyLocation, format!("{fault}. Nothing was saved; choose another place for the key"))
            };
            stored.ok_or_else(given_up)?.map_err(elsewhere)?;
            KeyEntry::Command(config::keyring_lookup(&owner))
        }
        KeySource::Session(_) => KeyEntry::Unstored,
        KeySource::File(key) => KeyEntry::Plain(key.clone()),
        KeySource::Variable(name) => KeyEntry::Variable(name.clone()),
        KeySource::Command(words) => KeyEntry::Command(words.clone()),
    };
    let FilledProfile { name, address, tenant, insecure_http, .. } = entry.clone();
    let ca_file = start.ca_file.clone();
    let profile = NewProfile { name, base_url: address, tenant, key, ca_file, insecure_http };
    let path = start.config.clone();
    let written = spawn_blocking(move || config::add_profile(&path, &profile)).await;
    let broken = |error: tokio::task::JoinError| (ProfileField::Name, error.to_string());
    written.map_err(broken)?.map_err(|fault| (field_of(&fault), fault.to_string()))
}

const fn field_of(fault: &SavingFault) -> ProfileField {
    match fault {
        SavingFault::NameTaken { .. } => ProfileField::Name,
        SavingFault::Unwritable { .. } | SavingFault::Unreadable { .. } | SavingFault::Invalid(_) => {
            ProfileField::KeyLocation
        }
    }
}
