//! The form for a new profile: where the server is, which tenant, and where the key is kept.
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
use crate::app::dialogs::profiles;
use crate::app::{Effect, Layer, ProfileLine, State, TextField};

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
    /// Where the key is kept.
    pub keeping: KeyLocation,
    /// The key as typed.
    pub key: Masked,
    /// The variable as typed.
    pub variable: TextField,
    /// The command as typed.
    pub command: TextField,
    /// The field that has the keys.
    pub focus: ProfileField,
    /// What is wrong with a field.
    pub faults: BTreeMap<ProfileField, String>,
    /// What came of the last try, or of saving.
    pub remark: Option<String>,
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
    /// Where the key is kept.
    KeyLocation,
    /// The key, or what leads to it.
    Key,
}

impl ProfileField {
    /// Every field from top to bottom.
    pub const ALL: [Self; 5] = [Self::BaseUrl, Self::Tenant, Self::Name, Self::KeyLocation, Self::Key];
}

/// Where the key is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyLocation {
    /// In the system's keyring.
    Keyring,
    /// In a variable of the environment.
    Variable,
    /// Where a command has it from.
    Command,
    /// In the configuration file itself.
    File,
}

impl KeyLocation {
    /// Every place, the safest first.
    pub const ALL: [Self; 4] = [Self::Keyring, Self::Variable, Self::Command, Self::File];

    /// The place in words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Keyring => "system keyring",
            Self::Variable => "environment variable",
            Self::Command => "command output",
            Self::File => "config file (plain text)",
        }
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
    /// An empty form. The keyring is proposed where there is one; plain text never is.
    #[must_use]
    pub fn new(occasion: OpenedFrom, context: FormContext) -> Self {
        let keeping = if context.no_keyring.is_none() { KeyLocation::Keyring } else { KeyLocation::Variable };
        Self {
            occasion,
            context,
            base_url: TextField::default(),
            tenant: TextField::default(),
            name: TextField::default(),
            keeping,
            key: Masked::default(),
            variable: TextField::default(),
            command: TextField::default(),
            focus: ProfileField::BaseUrl,
            faults: BTreeMap::new(),
            remark: None,
            stage: Stage::Filling,
            number: 0,
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
            FormEvent::Answered { number, answer } if number == self.number => self.on_answer(answer),
            // Of a task that was given up.
            FormEvent::Answered { .. } => None,
        }
    }

    /// The name that the profile would get.
    #[must_use]
    pub fn name_text(&self) -> &str {
        let name = self.name.text().trim();
        if name.is_empty() { self.tenant.text().trim() } else { name }
    }

    /// The field of what leads to the key.
    #[must_use]
    pub fn key_field(&self) -> &TextField {
        match self.keeping {
            KeyLocation::Keyring | KeyLocation::File => &self.key.0,
            KeyLocation::Variable => &self.variable,
            KeyLocation::Command => &self.command,
        }
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
            "ctrl-s" if self.stage == Stage::Failed => return self.task(ProfileTask::Save),
            "tab" | "down" => self.step(1),
            "backtab" | "up" => self.step(ProfileField::ALL.len() - 1),
            "right" | "space" if self.focus == ProfileField::KeyLocation => self.keep_elsewhere(1),
            "left" if self.focus == ProfileField::KeyLocation => self.keep_elsewhere(KeyLocation::ALL.len() - 1),
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
            Answer::Connected => return self.task(ProfileTask::Save),
            Answer::NotConnected(hindrance) => {
                let (field, words) = diagnosis::of(&hindrance, self.base_url.text(), self.tenant.text().trim());
                self.focus = field;
                self.remark = Some(words);
                // Without a key there is nothing that could be opened afterwards.
                let has_key = matches!(hindrance, TrialError::Fault(_));
                self.stage = if has_key { Stage::Failed } else { Stage::Filling };
            }
            Answer::Saved => return Some(FormEffect::Open(self.name_text().to_owned())),
            Answer::NotSaved { field, reason } => {
                self.focus = field;
                self.remark = Some(reason);
                self.stage = Stage::Filling;
            }
        }
        None
    }

    /// Begins a task, unless something in the form makes no sense: that is said at its field.
    fn task(&mut self, task: impl FnOnce(FilledProfile) -> ProfileTask) -> Option<FormEffect> {
        self.remark = None;
        let Some(entry) = self.entry() else {
            self.focus = self.faults.keys().next().copied().unwrap_or(self.focus);
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

    fn step(&mut self, by: usize) {
        let all = ProfileField::ALL;
        let at = all.iter().position(|field| *field == self.focus).unwrap_or(0);
        self.focus = all[(at + by) % all.len()];
    }

    fn keep_elsewhere(&mut self, by: usize) {
        let all = KeyLocation::ALL;
        let at = all.iter().position(|keeping| *keeping == self.keeping).unwrap_or(0);
        self.keeping = all[(at + by) % all.len()];
        self.faults.remove(&ProfileField::Key);
        self.changed();
    }

    /// What the last try came to is no longer about what stands here.
    fn changed(&mut self) {
        self.faults.remove(&self.focus);
        self.stage = Stage::Filling;
    }

    fn text_field(&mut self) -> Option<&mut TextField> {
        Some(match (self.focus, self.keeping) {
            (ProfileField::BaseUrl, _) => &mut self.base_url,
            (ProfileField::Tenant, _) => &mut self.tenant,
            (ProfileField::Name, _) => &mut self.name,
            (ProfileField::KeyLocation, _) => return None,
            (ProfileField::Key, KeyLocation::Keyring | KeyLocation::File) => &mut self.key.0,
            (ProfileField::Key, KeyLocation::Variable) => &mut self.variable,
            (ProfileField::Key, KeyLocation::Command) => &mut self.command,
        })
    }

    fn secret(&self) -> SecretString {
        self.key.0.text().trim().to_owned().into()
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
