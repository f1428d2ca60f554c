//! The form for a new profile: server URL, tenant, API key, and where the key is stored. The same form asks only for the key of
//! an existing profile that stores none.
//!
//! It works before any tenant is known, so it has an update function of its own: [`NewProfile::handle`] applies a [`FormEvent`] and
//! may return a [`FormEffect`]. In a session it is a dialog like the others ([`press`]). Nothing is saved before the server has
//! responded as expected, or the user has chosen to save anyway. The key never appears in debug output.

mod diagnosis;
mod entry;
mod message;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use secrecy::SecretString;

use crate::keymap::Key;
use crate::remote::{Access, BaseUrl, InsecureHttp};

use crate::app::dialogs::key_result::KeyResult;
use crate::app::dialogs::keys::is_listed;
use crate::app::dialogs::{profiles, words};
use crate::app::{Effect, FieldName, Layer, ProfileLine, State, Target, TextField};

pub use entry::{FilledProfile, KeySource};
pub use message::{FormEffect, FormEvent, ProfileTask, TaskResult, TrialError};

/// The input of the form, and the messages about it.
#[derive(Debug, Clone)]
pub struct NewProfile {
    /// Why it was opened.
    pub opened_from: OpenedFrom,
    /// What it needs to know about the configuration and the system.
    pub context: FormContext,
    /// The server URL as typed.
    pub base_url: TextField,
    /// The tenant as typed.
    pub tenant: TextField,
    /// The profile's name as typed; if blank, the tenant is used.
    pub name: TextField,
    /// The API key as typed.
    pub key: Masked,
    /// Where the key is stored.
    pub key_location: KeyLocation,
    /// The environment variable as typed.
    pub variable: TextField,
    /// The command as typed.
    pub command: TextField,
    /// The focused field.
    pub focus: ProfileField,
    /// The error at each field, from validation or the last test, until the field is edited.
    pub faults: BTreeMap<ProfileField, String>,
    /// The stage that the form is in.
    pub stage: Stage,
    /// The number of the last task.
    number: u64,
}

/// Why the form was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenedFrom {
    /// Nothing is configured yet.
    FirstRun,
    /// The user adds another profile.
    Another,
    /// An existing profile has no stored key.
    WithoutKey,
}

/// What the form needs to know about the configuration and the system.
#[derive(Debug, Clone, Default)]
pub struct FormContext {
    /// The configuration file for the profile, as shown to the user.
    pub file: String,
    /// Names of existing profiles.
    pub taken: Vec<String>,
    /// Whether plain http to another machine is allowed.
    pub insecure_http: InsecureHttp,
    /// Why the system keyring can't be used, as far as that is known without accessing it.
    pub no_keyring: Option<String>,
}

/// A field of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProfileField {
    /// The server URL.
    BaseUrl,
    /// The tenant.
    Tenant,
    /// The profile's name.
    Name,
    /// The API key.
    Key,
    /// Where the key is stored.
    KeyLocation,
    /// The environment variable or the command that supplies the key.
    Source,
}

impl ProfileField {
    /// All fields, from top to bottom.
    pub const ALL: [Self; 6] = [Self::BaseUrl, Self::Tenant, Self::Name, Self::Key, Self::KeyLocation, Self::Source];
}

/// Where the key is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyLocation {
    /// In the system keyring.
    Keyring,
    /// In memory until the program ends.
    Session,
    /// In an environment variable.
    Variable,
    /// In the output of a command.
    Command,
    /// In the configuration file itself.
    File,
}

impl KeyLocation {
    /// All locations, the safest first.
    pub const ALL: [Self; 5] = [Self::Keyring, Self::Session, Self::Variable, Self::Command, Self::File];

    /// Returns the name of the location.
    #[must_use]
    pub const fn title(self) -> &'static str {
        words::key_location(self)
    }

    /// Whether the key itself is typed, rather than where it comes from.
    #[must_use]
    pub const fn takes_key(self) -> bool {
        matches!(self, Self::Keyring | Self::Session | Self::File)
    }
}

/// The stage of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The user fills in the form.
    Filling,
    /// The connection is being tested.
    Trying,
    /// The test failed and nothing was edited since: the profile can be saved anyway.
    Failed,
    /// The profile is being saved.
    Saving,
}

/// A text field whose content is hidden on the screen and in debug output.
#[derive(Clone, Default)]
pub struct Masked(pub TextField);

impl fmt::Debug for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Masked")
    }
}

impl NewProfile {
    /// Creates an empty form. The default location is the keyring if there is one, else memory for this session; never plain
    /// text.
    #[must_use]
    pub fn new(opened_from: OpenedFrom, context: FormContext) -> Self {
        let key_location = if context.no_keyring.is_none() { KeyLocation::Keyring } else { KeyLocation::Session };
        Self {
            opened_from,
            context,
            base_url: TextField::default(),
            tenant: TextField::default(),
            name: TextField::default(),
            key: Masked::default(),
            key_location,
            variable: TextField::default(),
            command: TextField::default(),
            focus: ProfileField::BaseUrl,
            faults: BTreeMap::new(),
            stage: Stage::Filling,
            number: 0,
        }
    }

    /// Creates the form for the key of an existing profile, whose other fields are given.
    #[must_use]
    pub fn for_key(context: FormContext, profile: &str, base_url: &str, tenant: &str) -> Self {
        // The URL was already checked for plain http when the profile was opened.
        let context = FormContext { taken: Vec::new(), insecure_http: InsecureHttp::Allowed, ..context };
        Self {
            base_url: TextField::new(base_url),
            tenant: TextField::new(tenant),
            name: TextField::new(profile),
            key_location: KeyLocation::Session,
            focus: ProfileField::Key,
            ..Self::new(OpenedFrom::WithoutKey, context)
        }
    }

    /// Applies an event, and returns the effect to carry out if there is one.
    pub fn handle(&mut self, event: FormEvent) -> Option<FormEffect> {
        match event {
            FormEvent::Key(key) => self.press(key),
            FormEvent::Paste(text) => {
                self.paste(&text);
                None
            }
            FormEvent::Clicked(Target::Field { name: FieldName::Profile(field), cell }) => {
                self.point(field, cell);
                None
            }
            FormEvent::Clicked(Target::Key(key)) if is_listed(&self.keys(), key) => {
                Key::parse(key.0).ok().and_then(|key| self.press(key))
            }
            FormEvent::TaskEnded { number, result } if number == self.number => self.on_task_result(result),
            // The result of a cancelled task, or a click on something that the form no longer has.
            FormEvent::TaskEnded { .. } | FormEvent::Clicked(_) => None,
        }
    }

    /// Returns the name that the profile would get.
    #[must_use]
    pub fn name_text(&self) -> &str {
        let name = self.name.text().trim();
        if name.is_empty() { self.tenant.text().trim() } else { name }
    }

    /// The visible fields, from top to bottom.
    pub fn fields(&self) -> impl Iterator<Item = ProfileField> {
        let last = (!self.key_location.takes_key()).then_some(ProfileField::Source);
        ProfileField::ALL[..ProfileField::ALL.len() - 1].iter().copied().chain(last)
    }

    /// Whether a field can be filled in: the key can't if it comes from elsewhere, and for an existing profile only the key can.
    #[must_use]
    pub fn is_editable(&self, field: ProfileField) -> bool {
        match field {
            ProfileField::Key => self.key_location.takes_key(),
            _ => self.opened_from != OpenedFrom::WithoutKey,
        }
    }

    /// The available key locations: the keyring only if there is one.
    pub fn locations(&self) -> impl Iterator<Item = KeyLocation> {
        let has_keyring = self.context.no_keyring.is_none();
        KeyLocation::ALL.into_iter().filter(move |location| has_keyring || *location != KeyLocation::Keyring)
    }

    /// Returns the profile as a line of the list of profiles.
    #[must_use]
    pub fn line(&self) -> ProfileLine {
        let host =
            BaseUrl::parse(&entry::with_scheme(self.base_url.text()), InsecureHttp::Allowed).map(|url| url.host());
        ProfileLine {
            name: self.name_text().to_owned(),
            tenant: self.tenant.text().trim().to_owned(),
            host: host.unwrap_or_default(),
            access: Access::ReadWrite,
            protected: false,
            colour: None,
        }
    }

    /// Whether the connection is being tested or the profile saved.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self.stage, Stage::Trying | Stage::Saving)
    }

    /// Handles a click on a field, at a cell of its text. A second click on the key location changes it.
    pub(in crate::app) fn point(&mut self, field: ProfileField, cell: usize) {
        if self.is_busy() || !self.is_editable(field) {
            return;
        }
        if field == ProfileField::KeyLocation && self.focus == field {
            self.step_key_location(Direction::Forward);
        }
        self.focus = field;
        if let Some(text) = self.text_field() {
            text.move_cursor_to(cell);
        }
    }

    fn press(&mut self, key: Key) -> Option<FormEffect> {
        let name = key.to_string();
        if self.is_busy() {
            // Input at this stage would differ from what is being tested or saved.
            let is_cancelled = matches!(name.as_str(), "esc" | "ctrl-c");
            return if is_cancelled { Some(self.cancel_task()) } else { None };
        }
        match name.as_str() {
            "esc" | "ctrl-c" => return Some(FormEffect::Close),
            "ctrl-t" if self.opened_from == OpenedFrom::FirstRun => return Some(FormEffect::OpenDemo),
            "enter" => return self.task(ProfileTask::Try),
            "ctrl-s" if self.stage == Stage::Failed => return self.save(),
            "tab" | "down" => self.step(Direction::Forward),
            "backtab" | "up" => self.step(Direction::Back),
            "right" | "space" if self.focus == ProfileField::KeyLocation => self.step_key_location(Direction::Forward),
            "left" if self.focus == ProfileField::KeyLocation => self.step_key_location(Direction::Back),
            _ => {
                let pressed = self.text_field().is_some_and(|field| field.press(key));
                if pressed {
                    self.on_changed();
                }
            }
        }
        None
    }

    fn paste(&mut self, text: &str) {
        if self.is_busy() {
            return;
        }
        let Some(field) = self.text_field() else { return };
        field.paste(text);
        self.on_changed();
    }

    fn on_task_result(&mut self, result: TaskResult) -> Option<FormEffect> {
        match result {
            TaskResult::Connected => return self.save(),
            TaskResult::NotConnected(error) => {
                let (field, words) = diagnosis::of(&error, self.base_url.text(), self.tenant.text().trim());
                self.refuse(field, words);
                // Without a usable key the profile could not be opened afterwards.
                let has_key = matches!(error, TrialError::Fault(_));
                self.stage = if has_key { Stage::Failed } else { Stage::Filling };
            }
            TaskResult::Saved => return Some(FormEffect::Open(self.name_text().to_owned())),
            TaskResult::NotSaved { field, reason } => {
                self.refuse(field, reason);
                self.stage = Stage::Filling;
            }
        }
        None
    }

    /// Sets an error at the field where it can be fixed, and focuses that field if it can be edited.
    fn refuse(&mut self, field: ProfileField, reason: String) {
        let field =
            if field == ProfileField::Key && !self.key_location.takes_key() { ProfileField::Source } else { field };
        if self.is_editable(field) {
            self.focus = field;
        }
        self.faults.insert(field, reason);
    }

    fn save(&mut self) -> Option<FormEffect> {
        match self.opened_from {
            OpenedFrom::WithoutKey => self.task(ProfileTask::Hold),
            OpenedFrom::FirstRun | OpenedFrom::Another => self.task(ProfileTask::Save),
        }
    }

    /// Starts a task, unless the form has invalid fields: those get errors instead.
    fn task(&mut self, task: impl FnOnce(FilledProfile) -> ProfileTask) -> Option<FormEffect> {
        let Some(entry) = self.entry() else {
            let reachable = self.faults.keys().find(|field| self.is_editable(**field));
            self.focus = reachable.copied().unwrap_or(self.focus);
            self.stage = Stage::Filling;
            return None;
        };
        let task = task(entry);
        self.stage = if matches!(task, ProfileTask::Try(_)) { Stage::Trying } else { Stage::Saving };
        self.number += 1;
        Some(FormEffect::Task { number: self.number, task })
    }

    /// Cancels the running task. A test is dropped at once; a save stays until its result arrives, as something may already be
    /// written.
    fn cancel_task(&mut self) -> FormEffect {
        if self.stage == Stage::Trying {
            self.number += 1;
            self.stage = Stage::Filling;
        }
        FormEffect::CancelTask
    }

    fn step(&mut self, direction: Direction) {
        let fields: Vec<ProfileField> = self.fields().filter(|field| self.is_editable(*field)).collect();
        self.focus = direction.from(self.focus, &fields);
    }

    fn step_key_location(&mut self, direction: Direction) {
        let locations: Vec<KeyLocation> = self.locations().collect();
        self.key_location = direction.from(self.key_location, &locations);
        self.faults.retain(|field, _| !matches!(field, ProfileField::Key | ProfileField::Source));
        self.on_changed();
    }

    /// Clears the error of the focused field: the result of the last test no longer applies.
    fn on_changed(&mut self) {
        self.faults.remove(&self.focus);
        self.stage = Stage::Filling;
    }

    fn text_field(&mut self) -> Option<&mut TextField> {
        match self.focus {
            ProfileField::BaseUrl => Some(&mut self.base_url),
            ProfileField::Tenant => Some(&mut self.tenant),
            ProfileField::Name => Some(&mut self.name),
            ProfileField::Key => Some(&mut self.key.0),
            ProfileField::KeyLocation => None,
            ProfileField::Source if self.key_location == KeyLocation::Command => Some(&mut self.command),
            ProfileField::Source => Some(&mut self.variable),
        }
    }

    fn secret(&self) -> SecretString {
        self.key.0.text().trim().to_owned().into()
    }
}

/// The direction of a move through fields or choices, which wraps around.
#[derive(Debug, Clone, Copy)]
enum Direction {
    Forward,
    Back,
}

impl Direction {
    /// Returns the neighbour of `current`, or the first one if `current` is not among them.
    fn from<T: Copy + PartialEq>(self, current: T, all: &[T]) -> T {
        let by = match self {
            Self::Forward => 1,
            Self::Back => all.len() - 1,
        };
        match all.iter().position(|one| *one == current) {
            Some(at) => all[(at + by) % all.len()],
            None => all.first().copied().unwrap_or(current),
        }
    }
}

/// Creates the form for another profile.
pub(in crate::app) fn open_another(state: &State) -> NewProfile {
    let mut context = state.side.profiles.context.clone();
    context.taken.extend(state.side.profiles.configured.iter().map(|line| line.name.clone()));
    NewProfile::new(OpenedFrom::Another, context)
}

pub(in crate::app) fn press(state: &mut State, form: &mut NewProfile, key: Key) -> KeyResult {
    let effect = form.handle(FormEvent::Key(key));
    carry_out(state, form, effect)
}

pub(in crate::app) fn paste(state: &mut State, form: &mut NewProfile, text: &str) -> KeyResult {
    let effect = form.handle(FormEvent::Paste(text.to_owned()));
    carry_out(state, form, effect)
}

/// Passes the result of a task to the form, wherever it is among the open dialogs.
pub(in crate::app) fn on_task_ended(state: &mut State, number: u64, result: TaskResult) -> Vec<Effect> {
    let is_form = |layer: &Layer| matches!(layer, Layer::NewProfile(_));
    let Some(index) = state.screen.layers.iter().rposition(is_form) else { return Vec::new() };
    let Layer::NewProfile(mut form) = state.screen.layers.remove(index) else { return Vec::new() };
    let effect = form.handle(FormEvent::TaskEnded { number, result });
    let key_result = carry_out(state, &form, effect);
    key_result.apply(state, Layer::NewProfile(form), index)
}

fn carry_out(state: &mut State, form: &NewProfile, effect: Option<FormEffect>) -> KeyResult {
    match effect {
        None => KeyResult::Stay,
        Some(FormEffect::Close | FormEffect::OpenDemo) => KeyResult::Close,
        Some(FormEffect::Open(_)) => KeyResult::CloseAndDo(profiles::add_saved(state, form.line())),
        Some(task @ (FormEffect::Task { .. } | FormEffect::CancelTask)) => {
            KeyResult::StayAndDo(vec![Effect::Profile(task)])
        }
    }
}
