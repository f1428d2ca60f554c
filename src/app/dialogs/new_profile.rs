//! The form for a new profile: where the server is, which tenant, its key, and where the key is kept. And the same form for a
//! profile whose key is kept nowhere: there only the key is asked for.
//!
//! It is there before any tenant is known, so it changes by itself: [`NewProfile::take`] is told what [happened](Happening), and a
//! [`FormEffect`] may come of it. In a session it is a dialog like the others ([`press`]). Nothing is
//! written before the server has answered, or the person has said that it is to be written all the same. The key shows in no
//! debug text.

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
use crate::app::dialogs::keys::is_named;
use crate::app::dialogs::{profiles, words};
use crate::app::{Effect, FieldName, Layer, ProfileLine, State, Target, TextField};

pub use entry::{FilledProfile, KeySource};
pub use message::{Answer, FormEffect, FormEvent, ProfileTask, TrialError};

/// What is typed into the form, and what is said about it.
#[derive(Debug, Clone)]
pub struct NewProfile {
    /// What it is opened for.
    pub occasion: OpenedFrom,
    /// What it finds around it.
    pub context: FormContext,
    /// The address as typed.
    pub base_url: TextField,
    /// The tenant as typed.
    pub tenant: TextField,
    /// The profile's name as typed; blank stands for the tenant's.
    pub name: TextField,
    /// The key as typed.
    pub key: Masked,
    /// Where the key is kept.
    pub keeping: KeyLocation,
    /// The variable as typed.
    pub variable: TextField,
    /// The command as typed.
    pub command: TextField,
    /// The field that has the keys.
    pub focus: ProfileField,
    /// What is wrong with a field, or came of the last try, until it is edited.
    pub faults: BTreeMap<ProfileField, String>,
    /// How far it is.
    pub stage: Stage,
    /// Of the task that was begun last.
    number: u64,
}

/// What the form is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenedFrom {
    /// Nothing is configured yet.
    FirstRun,
    /// Another profile beside others.
    Another,
    /// The key of a profile that is written already and keeps none.
    WithoutKey,
}

/// What the form finds around it.
#[derive(Debug, Clone, Default)]
pub struct FormContext {
    /// The file that the profile goes into, as a person reads it.
    pub file: String,
    /// Names that are taken.
    pub taken: Vec<String>,
    /// Whether http to another machine is allowed.
    pub insecure_http: InsecureHttp,
    /// Why the system's keyring can't be used, as far as that is known without asking it.
    pub no_keyring: Option<String>,
}

/// A field of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProfileField {
    /// Where the server is.
    BaseUrl,
    /// Which tenant.
    Tenant,
    /// The profile's name.
    Name,
    /// The key.
    Key,
    /// Where the key is kept.
    KeyLocation,
    /// The variable or the command that the key comes from.
    Source,
}

impl ProfileField {
    /// Every field from top to bottom.
    pub const ALL: [Self; 6] = [Self::BaseUrl, Self::Tenant, Self::Name, Self::Key, Self::KeyLocation, Self::Source];
}

/// Where the key is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyLocation {
    /// In the system's keyring.
    Keyring,
    /// In memory until the program ends.
    Session,
    /// In a variable of the environment.
    Variable,
    /// Where a command has it from.
    Command,
    /// In the configuration file itself.
    File,
}

impl KeyLocation {
    /// Every place, the safest first.
    pub const ALL: [Self; 5] = [Self::Keyring, Self::Session, Self::Variable, Self::Command, Self::File];

    /// The place in words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        words::key_location(self)
    }

    /// Whether it is the key itself that is typed, rather than where it comes from.
    #[must_use]
    pub const fn takes_key(self) -> bool {
        matches!(self, Self::Keyring | Self::Session | Self::File)
    }
}

/// How far the form is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The person types.
    Filling,
    /// The server is asked.
    Trying,
    /// The try has failed and nothing was typed since: it can be saved all the same.
    Failed,
    /// It is being written.
    Saving,
}

/// A text that is not to be read by whoever looks at the screen, nor in any debug text.
#[derive(Clone, Default)]
pub struct Masked(pub TextField);

impl fmt::Debug for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Masked")
    }
}

impl NewProfile {
    /// An empty form. The keyring is proposed where there is one, and to keep the key nowhere otherwise; plain text never is.
    #[must_use]
    pub fn new(occasion: OpenedFrom, context: FormContext) -> Self {
        let keeping = if context.no_keyring.is_none() { KeyLocation::Keyring } else { KeyLocation::Session };
        Self {
            occasion,
            context,
            base_url: TextField::default(),
            tenant: TextField::default(),
            name: TextField::default(),
            key: Masked::default(),
            keeping,
            variable: TextField::default(),
            command: TextField::default(),
            focus: ProfileField::BaseUrl,
            faults: BTreeMap::new(),
            stage: Stage::Filling,
            number: 0,
        }
    }

    /// The form for the key of a profile that keeps none. Everything else is what the profile says.
    #[must_use]
    pub fn for_key(context: FormContext, profile: &str, base_url: &str, tenant: &str) -> Self {
        // Whether the way is safe was decided when the profile was opened.
        let context = FormContext { taken: Vec::new(), insecure_http: InsecureHttp::Allowed, ..context };
        Self {
            base_url: TextField::new(base_url),
            tenant: TextField::new(tenant),
            name: TextField::new(profile),
            keeping: KeyLocation::Session,
            focus: ProfileField::Key,
            ..Self::new(OpenedFrom::WithoutKey, context)
        }
    }

    /// Brings the form up to date with what happened.
    pub fn take(&mut self, happening: FormEvent) -> Option<FormEffect> {
        match happening {
            FormEvent::Key(key) => self.press(key),
            FormEvent::Paste(text) => {
                self.paste(&text);
                None
            }
            FormEvent::Clicked(Target::Field { name: FieldName::Profile(field), cell }) => {
                self.point(field, cell);
                None
            }
            FormEvent::Clicked(Target::Key(key)) if is_named(&self.keys(), key) => {
                Key::parse(key.0).ok().and_then(|key| self.press(key))
            }
            FormEvent::Answered { number, answer } if number == self.number => self.on_answer(answer),
            // Of a task that was given up, or of what the form does not have by now.
            FormEvent::Answered { .. } | FormEvent::Clicked(_) => None,
        }
    }

    /// The name that the profile would get.
    #[must_use]
    pub fn name_text(&self) -> &str {
        let name = self.name.text().trim();
        if name.is_empty() { self.tenant.text().trim() } else { name }
    }

    /// The fields that are shown, from top to bottom.
    pub fn fields(&self) -> impl Iterator<Item = ProfileField> {
        let last = (!self.keeping.takes_key()).then_some(ProfileField::Source);
        ProfileField::ALL[..ProfileField::ALL.len() - 1].iter().copied().chain(last)
    }

    /// Whether a field can be filled in: the key can't where it comes from elsewhere, and of a profile that is written already
    /// nothing but the key can.
    #[must_use]
    pub fn takes(&self, field: ProfileField) -> bool {
        match field {
            ProfileField::Key => self.keeping.takes_key(),
            _ => self.occasion != OpenedFrom::WithoutKey,
        }
    }

    /// Where the key can be kept: in the keyring only where there is one.
    pub fn locations(&self) -> impl Iterator<Item = KeyLocation> {
        let has_keyring = self.context.no_keyring.is_none();
        KeyLocation::ALL.into_iter().filter(move |location| has_keyring || *location != KeyLocation::Keyring)
    }

    /// What tells the profile from others.
    #[must_use]
    pub fn line(&self) -> ProfileLine {
        let host = BaseUrl::parse(&entry::completed(self.base_url.text()), InsecureHttp::Allowed).map(|url| url.host());
        ProfileLine {
            name: self.name_text().to_owned(),
            tenant: self.tenant.text().trim().to_owned(),
            host: host.unwrap_or_default(),
            access: Access::ReadWrite,
            protected: false,
            colour: None,
        }
    }

    /// Whether the server is asked or the profile is written.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self.stage, Stage::Trying | Stage::Saving)
    }

    /// A field was clicked, at a cell of its text. Where the key is kept changes with the second click.
    pub(in crate::app) fn point(&mut self, field: ProfileField, cell: usize) {
        if self.is_busy() || !self.takes(field) {
            return;
        }
        if field == ProfileField::KeyLocation && self.focus == field {
            self.keep_elsewhere(Direction::On);
        }
        self.focus = field;
        if let Some(text) = self.text_field() {
            text.point(cell);
        }
    }

    fn press(&mut self, key: Key) -> Option<FormEffect> {
        let name = key.to_string();
        if self.is_busy() {
            // What is typed meanwhile would not be what is tried or written.
            let over = matches!(name.as_str(), "esc" | "ctrl-c");
            return if over { Some(self.give_up()) } else { None };
        }
        match name.as_str() {
            "esc" | "ctrl-c" => return Some(FormEffect::Leave),
            "ctrl-t" if self.occasion == OpenedFrom::FirstRun => return Some(FormEffect::OpenDemo),
            "enter" => return self.task(ProfileTask::Try),
            "ctrl-s" if self.stage == Stage::Failed => return self.save(),
            "tab" | "down" => self.step(Direction::On),
            "backtab" | "up" => self.step(Direction::Back),
            "right" | "space" if self.focus == ProfileField::KeyLocation => self.keep_elsewhere(Direction::On),
            "left" if self.focus == ProfileField::KeyLocation => self.keep_elsewhere(Direction::Back),
            _ => {
                let pressed = self.text_field().is_some_and(|field| field.press(key));
                if pressed {
                    self.changed();
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
        self.changed();
    }

    fn on_answer(&mut self, answer: Answer) -> Option<FormEffect> {
        match answer {
            Answer::Connected => return self.save(),
            Answer::NotConnected(hindrance) => {
                let (field, words) = diagnosis::of(&hindrance, self.base_url.text(), self.tenant.text().trim());
                self.refuse(field, words);
                // Without a key there is nothing that could be opened afterwards.
                let has_key = matches!(hindrance, TrialError::Fault(_));
                self.stage = if has_key { Stage::Failed } else { Stage::Filling };
            }
            Answer::Saved => return Some(FormEffect::Open(self.name_text().to_owned())),
            Answer::NotSaved { field, reason } => {
                self.refuse(field, reason);
                self.stage = Stage::Filling;
            }
        }
        None
    }

    /// Puts the reason at the field where it can be mended, and the cursor there if it can get there.
    fn refuse(&mut self, field: ProfileField, reason: String) {
        let field = if field == ProfileField::Key && !self.keeping.takes_key() { ProfileField::Source } else { field };
        if self.takes(field) {
            self.focus = field;
        }
        self.faults.insert(field, reason);
    }

    fn save(&mut self) -> Option<FormEffect> {
        match self.occasion {
            OpenedFrom::WithoutKey => self.task(ProfileTask::Hold),
            OpenedFrom::FirstRun | OpenedFrom::Another => self.task(ProfileTask::Save),
        }
    }

    /// Begins a task, unless something in the form makes no sense: that is said at its field.
    fn task(&mut self, task: impl FnOnce(FilledProfile) -> ProfileTask) -> Option<FormEffect> {
        let Some(entry) = self.entry() else {
            let reachable = self.faults.keys().find(|field| self.takes(**field));
            self.focus = reachable.copied().unwrap_or(self.focus);
            self.stage = Stage::Filling;
            return None;
        };
        let task = task(entry);
        self.stage = if matches!(task, ProfileTask::Try(_)) { Stage::Trying } else { Stage::Saving };
        self.number += 1;
        Some(FormEffect::Task { number: self.number, task })
    }

    /// A try is forgotten at once. Whether something was written is only known when that is answered.
    fn give_up(&mut self) -> FormEffect {
        if self.stage == Stage::Trying {
            self.number += 1;
            self.stage = Stage::Filling;
        }
        FormEffect::GiveUp
    }

    fn step(&mut self, direction: Direction) {
        let fields: Vec<ProfileField> = self.fields().filter(|field| self.takes(*field)).collect();
        self.focus = direction.from(self.focus, &fields);
    }

    fn keep_elsewhere(&mut self, direction: Direction) {
        let locations: Vec<KeyLocation> = self.locations().collect();
        self.keeping = direction.from(self.keeping, &locations);
        self.faults.retain(|field, _| !matches!(field, ProfileField::Key | ProfileField::Source));
        self.changed();
    }

    /// What the last try came to is no longer about what stands here.
    fn changed(&mut self) {
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
            ProfileField::Source if self.keeping == KeyLocation::Command => Some(&mut self.command),
            ProfileField::Source => Some(&mut self.variable),
        }
    }

    fn secret(&self) -> SecretString {
        self.key.0.text().trim().to_owned().into()
    }
}

/// Which way a key goes, through fields and choices that have no end.
#[derive(Debug, Clone, Copy)]
enum Direction {
    On,
    Back,
}

impl Direction {
    /// The one beside `here`; the first when `here` is none of them.
    fn from<T: Copy + PartialEq>(self, here: T, all: &[T]) -> T {
        let by = match self {
            Self::On => 1,
            Self::Back => all.len() - 1,
        };
        match all.iter().position(|one| *one == here) {
            Some(at) => all[(at + by) % all.len()],
            None => all.first().copied().unwrap_or(here),
        }
    }
}

/// The form for another profile beside those that are known.
pub(in crate::app) fn another(state: &State) -> NewProfile {
    let mut context = state.side.profiles.context.clone();
    context.taken.extend(state.side.profiles.known.iter().map(|line| line.name.clone()));
    NewProfile::new(OpenedFrom::Another, context)
}

pub(in crate::app) fn press(state: &mut State, form: &mut NewProfile, key: Key) -> KeyResult {
    let wish = form.take(FormEvent::Key(key));
    after(state, form, wish)
}

pub(in crate::app) fn paste(state: &mut State, form: &mut NewProfile, text: &str) -> KeyResult {
    let wish = form.take(FormEvent::Paste(text.to_owned()));
    after(state, form, wish)
}

/// What a task of the form came to, wherever it is among what is open.
pub(in crate::app) fn answered(state: &mut State, number: u64, answer: Answer) -> Vec<Effect> {
    let is_form = |layer: &Layer| matches!(layer, Layer::NewProfile(_));
    let Some(place) = state.screen.layers.iter().rposition(is_form) else { return Vec::new() };
    let Layer::NewProfile(mut form) = state.screen.layers.remove(place) else { return Vec::new() };
    let wish = form.take(FormEvent::Answered { number, answer });
    let result = after(state, &form, wish);
    result.settle(state, Layer::NewProfile(form), place)
}

fn after(state: &mut State, form: &NewProfile, wish: Option<FormEffect>) -> KeyResult {
    match wish {
        None => KeyResult::Stay,
        Some(FormEffect::Leave | FormEffect::OpenDemo) => KeyResult::Close,
        Some(FormEffect::Open(_)) => KeyResult::Do(profiles::take_saved(state, form.line())),
        Some(task @ (FormEffect::Task { .. } | FormEffect::GiveUp)) => {
            KeyResult::StayAndDo(vec![Effect::Profile(task)])
        }
    }
}
