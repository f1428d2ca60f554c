//! The list of destinations to switch to: the configured profiles, the demo, and a new profile.
//!
//! Nothing is opened here. A choice ends the session as quitting does, with the same question if changes are unfinished, and
//! names the next destination.

use crate::app::FormContext;
use crate::app::dialogs::key_result::KeyResult;
use crate::app::dialogs::list::{List, ListKeys};
use crate::app::dialogs::new_profile;

use crate::keymap::Key;
use crate::theme::Color;

use crate::app::dialogs::closeness::Closeness;
use crate::app::dialogs::{user_commands, words};
use crate::app::{Access, Effect, Layer, State, TextField};

/// Something that a session can be opened for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Destination {
    /// The settings from flags and environment variables at startup.
    #[default]
    Start,
    /// A configured profile.
    Profile(String),
    /// The built-in demo.
    Demo,
}

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Switch to a destination.
    SwitchTo(Destination),
    /// Open the form for a new profile.
    New,
}

/// A profile as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileLine {
    /// Its name.
    pub name: String,
    /// The tenant.
    pub tenant: String,
    /// The host.
    pub host: String,
    /// Whether changes are allowed.
    pub access: Access,
    /// Whether it is protected, such as a production tenant.
    pub protected: bool,
    /// The colour of its frame, where colours are shown.
    pub colour: Option<Color>,
}

/// The known destinations, and the current one.
#[derive(Debug, Clone, Default)]
pub struct Profiles {
    /// The destination of this session.
    pub current: Destination,
    /// The context for the new-profile form.
    pub context: FormContext,
    /// Tenant and host from the startup settings, if those are not a profile.
    pub start: Option<(String, String)>,
    /// The configured profiles.
    pub configured: Vec<ProfileLine>,
}

impl Profiles {
    fn line(&self, name: &str) -> Option<&ProfileLine> {
        self.configured.iter().find(|line| line.name == name)
    }

    fn choices(&self) -> impl Iterator<Item = Choice> {
        let start = self.start.iter().map(|_| Destination::Start);
        let profiles = self.configured.iter().map(|line| Destination::Profile(line.name.clone()));
        start.chain(profiles).chain([Destination::Demo]).map(Choice::SwitchTo).chain([Choice::New])
    }

    /// Returns the title of a choice.
    #[must_use]
    pub fn title<'a>(&self, choice: &'a Choice) -> &'a str {
        match choice {
            Choice::SwitchTo(Destination::Profile(name)) => name,
            Choice::SwitchTo(Destination::Start) => words::STARTUP_SETTINGS,
            Choice::SwitchTo(Destination::Demo) => words::DEMO,
            Choice::New => words::NEW_PROFILE,
        }
    }

    /// Returns the text after the title of a choice.
    #[must_use]
    pub fn description(&self, choice: &Choice) -> String {
        match choice {
            Choice::SwitchTo(Destination::Profile(name)) => {
                let line = self.line(name);
                line.map_or_else(String::new, |line| format!("{} · {}", line.tenant, line.host))
            }
            Choice::SwitchTo(Destination::Start) => {
                let (tenant, host) = self.start.clone().unwrap_or_default();
                format!("{tenant} · {host}")
            }
            Choice::SwitchTo(Destination::Demo) => words::SAMPLE_TENANT.into(),
            Choice::New => words::ANOTHER_TENANT.into(),
        }
    }

    /// Returns the profile of a choice.
    #[must_use]
    pub fn profile(&self, choice: &Choice) -> Option<&ProfileLine> {
        match choice {
            Choice::SwitchTo(Destination::Profile(name)) => self.line(name),
            _ => None,
        }
    }
}

/// The open list: its filter and selection.
#[derive(Debug, Clone, Default)]
pub struct ProfileList {
    /// The filter text.
    pub filter: TextField,
    /// The selected line among the matches.
    pub list: List,
}

impl ProfileList {
    /// Returns the choices whose title or text contains every typed word, best matches first.
    #[must_use]
    pub fn matches(&self, profiles: &Profiles) -> Vec<Choice> {
        let query = self.filter.text().to_lowercase();
        let matches = |choice: &Choice| {
            let line = format!("{} {}", profiles.title(choice), profiles.description(choice)).to_lowercase();
            query.split_whitespace().all(|word| line.contains(word))
        };
        let mut found: Vec<Choice> = profiles.choices().filter(matches).collect();
        // Equally good matches keep their order, but once something is typed, protected profiles come last among them.
        found.sort_by_key(|choice| {
            let protected = profiles.profile(choice).is_some_and(|line| line.protected);
            (Closeness::of(&query, [profiles.title(choice)]), protected && !query.is_empty())
        });
        found
    }
}

/// Opens the list with the first destination selected that is not the current one.
pub(in crate::app) fn open(state: &mut State) {
    let mut list = ProfileList::default();
    let found = list.matches(&state.side.profiles);
    let here = Choice::SwitchTo(state.side.profiles.current.clone());
    list.list.chosen = found.iter().position(|choice| *choice != here).unwrap_or(0);
    state.screen.layers.push(Layer::Profiles(list));
}

pub(in crate::app) fn press(state: &mut State, list: &mut ProfileList, key: Key) -> KeyResult {
    let found = list.matches(&state.side.profiles);
    match key.to_string().as_str() {
        "esc" | "ctrl-c" => return KeyResult::Close,
        "enter" => match found.get(list.list.chosen) {
            Some(Choice::New) => {
                return KeyResult::replace(Layer::NewProfile(Box::new(new_profile::open_another(state))));
            }
            Some(Choice::SwitchTo(destination)) if *destination == state.side.profiles.current => {
                state.inform(words::ALREADY_THERE);
                return KeyResult::Close;
            }
            Some(Choice::SwitchTo(destination)) => {
                return KeyResult::CloseAndDo(switch_if_idle(state, destination.clone()));
            }
            None => {}
        },
        "tab" => list.list.go(1, found.len()),
        "backtab" => list.list.go(-1, found.len()),
        text if list.list.press(text, found.len(), ListKeys::BesideText) => {}
        _ => {
            if list.filter.press(key) {
                list.list = List::default();
            }
        }
    }
    KeyResult::Stay
}

/// Switches to a destination; asks first if changes are unfinished, and refuses while a command runs.
fn switch_if_idle(state: &mut State, destination: Destination) -> Vec<Effect> {
    if state.side.commands.running().is_some() {
        user_commands::warn_still_running(state);
        return Vec::new();
    }
    if state.changes.counts().unfinished() > 0 {
        state.screen.layers.push(Layer::Switching(destination));
        return Vec::new();
    }
    switch(state, destination)
}

pub(in crate::app) fn press_switching(state: &mut State, destination: &Destination, key: Key) -> KeyResult {
    match key.to_string().as_str() {
        "s" => KeyResult::CloseAndDo(switch(state, destination.clone())),
        "esc" | "n" | "ctrl-c" => KeyResult::Close,
        _ => KeyResult::Stay,
    }
}

fn switch(state: &mut State, destination: Destination) -> Vec<Effect> {
    let choice = Choice::SwitchTo(destination.clone());
    state.inform(words::opening(state.side.profiles.title(&choice)));
    vec![Effect::Switch(destination)]
}

/// Adds a profile that was just saved, and switches to it.
pub(in crate::app) fn add_saved(state: &mut State, line: ProfileLine) -> Vec<Effect> {
    let name = line.name.clone();
    state.side.profiles.configured.push(line);
    switch_if_idle(state, Destination::Profile(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Event;
    use crate::app::harness::{Harness, wholesale};
    use crate::app::{FormEffect, TaskResult};

    fn line(name: &str, tenant: &str) -> ProfileLine {
        ProfileLine {
            name: name.into(),
            tenant: tenant.into(),
            host: "one.example".into(),
            access: Access::ReadWrite,
            protected: false,
            colour: None,
        }
    }

    /// Returns a session in `preprod`, with two other profiles.
    fn session() -> Harness {
        let mut harness = Harness::with_segments(100, 30, wholesale());
        harness.state.side.profiles = Profiles {
            context: FormContext::default(),
            current: Destination::Profile("preprod".into()),
            start: None,
            configured: vec![line("preprod", "acme"), line("prod", "acme"), line("test", "other")],
        };
        harness
    }

    fn profile(name: &str) -> Effect {
        Effect::Switch(Destination::Profile(name.into()))
    }

    #[test]
    fn a_profile_is_found_by_part_of_its_name_tenant_or_host() {
        let mut harness = session();
        harness.press("P");
        harness.type_text("one oth");
        harness.press("enter");
        assert_eq!(harness.effects, [profile("test")]);
    }

    #[test]
    fn an_exact_name_wins_over_profiles_that_contain_it() {
        let mut harness = session();
        harness.state.side.profiles.configured.push(line("ro", "acme"));
        harness.press("P");
        harness.type_text("ro");
        harness.press("enter");
        assert_eq!(harness.effects, [profile("ro")]);
    }

    #[test]
    fn the_current_profile_is_not_preselected() {
        let mut harness = session();
        harness.press("P enter");
        assert_eq!(harness.effects, [profile("prod")]);
    }

    #[test]
    fn choosing_the_current_profile_changes_nothing() {
        let mut harness = session();
        harness.press("P up enter");
        assert!(harness.effects.is_empty());
        assert_eq!(harness.message(), "Already there");
        assert!(harness.state.screen.layers.is_empty());
    }

    #[test]
    fn the_demo_and_a_new_profile_are_in_the_list() {
        let mut harness = session();
        harness.press("P");
        harness.type_text("demo");
        harness.press("enter P");
        harness.type_text("new");
        harness.press("enter");
        assert_eq!(harness.effects, [Effect::Switch(Destination::Demo)]);
        assert!(matches!(harness.state.screen.layers.as_slice(), [Layer::NewProfile(_)]));
        harness.press("esc");
        assert!(harness.state.screen.layers.is_empty());
    }

    #[test]
    fn switching_with_unsent_changes_asks_first() {
        let mut harness = session();
        harness.press("j r");
        harness.type_text("!");
        harness.press("enter");
        harness.effects.clear();
        harness.press("P enter");
        assert!(harness.effects.is_empty());
        harness.press("x esc");
        assert!(harness.effects.is_empty() && harness.state.screen.layers.is_empty());
        harness.press("P enter s");
        assert_eq!(harness.effects, [profile("prod")]);
    }

    #[test]
    fn a_newly_saved_profile_is_opened() {
        let mut harness = session();
        harness.press("P");
        harness.type_text("new");
        harness.press("enter");
        harness.type_text("one.example");
        harness.press("tab");
        harness.type_text("acme");
        harness.press("tab");
        harness.type_text("fresh");
        harness.press("tab");
        harness.event(Event::Paste("KEY".into()));
        for result in [TaskResult::Connected, TaskResult::Saved] {
            if matches!(result, TaskResult::Connected) {
                harness.press("enter");
            }
            let Some(Effect::Profile(FormEffect::Task { number, .. })) = harness.effects.pop() else {
                panic!("{:?}", harness.state.screen.layers)
            };
            // The tree still receives changes, and keys typed into the form don't reach it.
            harness.changed(None, Some(&crate::app::harness::segment("late", None)));
            harness.event(Event::Profile { number, result });
        }
        assert_eq!(harness.effects, [profile("fresh")]);
        assert!(
            harness.state.screen.layers.is_empty()
                && harness.state.tree.forest.contains(&crate::app::harness::id("late"))
        );
    }
}
