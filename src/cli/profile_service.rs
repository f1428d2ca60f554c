//! Carries out the tasks of the form for a new profile: tries a connection, stores the key, and writes the profile. All of it
//! happens in the background, one task at a time; a new task replaces the previous one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use crate::app::{
    FilledProfile, FormContext, FormEffect, KeySource, ProfileField, ProfileTask, TaskResult, TrialError,
};
use crate::config::{self, ExtraRoots, Flags, KeyEntry, KeyOwner, NewProfile, Paths, SavingFault, SessionKeys};
use crate::platform;
use crate::terminal::ProfileService;

use super::failure::Failure;
use super::link;

/// Tasks and answers that may queue up. The form waits for each answer, so a few are enough.
const CHANNEL_CAPACITY: usize = 4;

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
    let listed = config::list(flags, &environment, paths).map_err(|error| link::config_failure(&error))?;
    let context = FormContext {
        file: display_path(&listed.path, environment(platform::HOME)),
        taken: listed.profiles.into_iter().map(|profile| profile.name).collect(),
        insecure_http: flags.insecure_http.unwrap_or_default(),
        no_keyring: config::keyring_at_hand(environment("PATH").as_deref()).err().map(|fault| fault.to_string()),
    };
    let (tasks, task_receiver) = mpsc::channel(CHANNEL_CAPACITY);
    let (results, answer_receiver) = mpsc::channel(CHANNEL_CAPACITY);
    let names =
        config::interface(flags, &environment, paths).map_err(|error| link::config_failure(&error))?.key_variables;
    // The form doesn't ask for it, so a new profile gets the one of this start.
    let ca_file = config::ca_file(flags, &environment);
    let settings = ServiceSettings { config: listed.path, ca_file, key_variables: Arc::from(names), keys };
    tokio::spawn(serve(settings, environment, task_receiver, results));
    Ok(ProfileService { tasks, results: answer_receiver, context })
}

fn display_path(path: &Path, home: Option<String>) -> String {
    let below = home.and_then(|home| path.strip_prefix(home).ok().map(|below| format!("~/{}", below.display())));
    below.unwrap_or_else(|| path.display().to_string())
}

/// What all tasks share.
#[derive(Clone)]
struct ServiceSettings {
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
    settings: ServiceSettings,
    environment: E,
    mut tasks: mpsc::Receiver<FormEffect>,
    results: mpsc::Sender<(u64, TaskResult)>,
) where
    E: Fn(&str) -> Option<String> + Copy + Send + Sync + 'static,
{
    let mut cancellation = CancellationToken::new();
    while let Some(effect) = tasks.recv().await {
        cancellation.cancel();
        cancellation = CancellationToken::new();
        let FormEffect::Task { number, task } = effect else { continue };
        let (settings, results, cancellation) = (settings.clone(), results.clone(), cancellation.clone());
        tokio::spawn(async move {
            let result = match task {
                ProfileTask::Try(entry) => {
                    let attempt = try_connection(&entry, &settings, environment);
                    match cancellation.run_until_cancelled(attempt).await {
                        Some(Ok(())) => TaskResult::Connected,
                        Some(Err(error)) => TaskResult::NotConnected(error),
                        None => return,
                    }
                }
                ProfileTask::Save(entry) => match save(&settings, &entry, &cancellation).await {
                    Ok(()) => hold_key(&entry, &settings.keys),
                    Err((field, reason)) => TaskResult::NotSaved { field, reason },
                },
                ProfileTask::Hold(entry) => hold_key(&entry, &settings.keys),
            };
            // The receiver may be gone.
            let _sent = results.send((number, result)).await;
        });
    }
    cancellation.cancel();
}

async fn try_connection(
    entry: &FilledProfile,
    settings: &ServiceSettings,
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
        KeySource::Command(words) => key_from_command(words.clone(), Arc::clone(&settings.key_variables)).await?,
    };
    let extra_roots = settings.ca_file.as_deref().map(ExtraRoots::read).transpose();
    let extra_roots =
        extra_roots.map_err(|fault| TrialError::InvalidRequest(ProfileField::BaseUrl, fault.to_string()))?;
    link::try_connection(entry, key, extra_roots.unwrap_or_default()).await
}

async fn key_from_command(words: Vec<String>, names: Arc<[String]>) -> Result<SecretString, TrialError> {
    let run = spawn_blocking(move || match words.split_first() {
        Some((program, arguments)) => {
            config::first_line_of(program, arguments, &names).map_err(|fault| fault.to_string())
        }
        None => Err("enter a command".into()),
    });
    run.await.map_err(|error| error.to_string()).flatten().map_err(TrialError::NoKey)
}

/// Holds a key that is not saved, before the form reports that its profile can be opened.
fn hold_key(entry: &FilledProfile, keys: &SessionKeys) -> TaskResult {
    if let KeySource::Session(key) = &entry.key {
        keys.insert(&entry.name, &entry.base_url, &entry.tenant, key.clone());
    }
    TaskResult::Saved
}

/// Stores the key and then the profile: a profile without its key is worse than none.
async fn save(
    settings: &ServiceSettings,
    entry: &FilledProfile,
    cancellation: &CancellationToken,
) -> Result<(), (ProfileField, String)> {
    let key = match &entry.key {
        KeySource::Keyring(key) => {
            let owner = KeyOwner { tenant: entry.tenant.clone(), host: entry.base_url.host() };
            let stored =
                cancellation.run_until_cancelled(config::keyring_store(&owner, key, &settings.key_variables)).await;
            let cancelled = || (ProfileField::KeyLocation, "Cancelled; nothing was saved".to_owned());
            let store_failed = |fault| {
                (ProfileField::KeyLocation, format!("{fault}. Nothing was saved; choose another place for the key"))
            };
            stored.ok_or_else(cancelled)?.map_err(store_failed)?;
            KeyEntry::Command(config::keyring_lookup(&owner))
        }
        KeySource::Session(_) => KeyEntry::Unstored,
        KeySource::File(key) => KeyEntry::Plain(key.clone()),
        KeySource::Variable(name) => KeyEntry::Variable(name.clone()),
        KeySource::Command(words) => KeyEntry::Command(words.clone()),
    };
    let FilledProfile { name, address, tenant, insecure_http, .. } = entry.clone();
    let ca_file = settings.ca_file.clone();
    let profile = NewProfile { name, base_url: address, tenant, key, ca_file, insecure_http };
    let path = settings.config.clone();
    let written = spawn_blocking(move || config::add_profile(&path, &profile)).await;
    let join_error = |error: tokio::task::JoinError| (ProfileField::Name, error.to_string());
    written.map_err(join_error)?.map_err(|fault| (field_of(&fault), fault.to_string()))
}

const fn field_of(fault: &SavingFault) -> ProfileField {
    match fault {
        SavingFault::NameTaken { .. } => ProfileField::Name,
        SavingFault::Unwritable { .. } | SavingFault::Unreadable { .. } | SavingFault::Invalid(_) => {
            ProfileField::KeyLocation
        }
    }
}
