//! Showing the selected segment in the browser, at the address that the profile tells. Where no browser can be opened, the address
//! is shown and copied instead, so that it can be opened wherever there is one.

use crate::remote::UrlTemplate;
use crate::segment::Segment;

use super::{Effect, State, words};

/// What became of an address that was to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Browsed {
    /// A browser was asked to show it.
    Opened,
    /// There is no browser that the person would see, such as over SSH.
    NoBrowser,
    /// What was to open it failed, in the system's words.
    Failed(String),
}

/// The address of the selected segment.
///
/// # Errors
///
/// Why there is none, and what to do.
pub(super) fn address(state: &State, segment: &Segment) -> Result<String, String> {
    let Some(template) = &state.session.open else {
        return Err(words::set_open(state.session.profile.as_deref()));
    };
    filled(template, segment, &state.session.tenant)
}

fn filled(template: &UrlTemplate, segment: &Segment, tenant: &str) -> Result<String, String> {
    template.fill(segment, tenant).ok_or_else(|| match &segment.external_id {
        None => words::no_external_id_to_open(&segment.name),
        Some(_) => words::no_url(&segment.name),
    })
}

pub(super) fn open(state: &mut State) -> Vec<Effect> {
    let Some(segment) = state.selected_segment().cloned() else { return Vec::new() };
    match address(state, &segment) {
        Ok(url) => vec![Effect::Browse(url)],
        Err(reason) => {
            state.warn(reason);
            Vec::new()
        }
    }
}

/// Takes in what became of an address.
pub(super) fn on_browsed(state: &mut State, url: String, browsed: Browsed) -> Vec<Effect> {
    match browsed {
        Browsed::Opened => {
            state.inform(words::opened(&url));
            return Vec::new();
        }
        Browsed::NoBrowser => state.warn(words::no_browser(&url)),
        Browsed::Failed(reason) => state.warn(words::browser_failed(&reason, &url)),
    }
    vec![Effect::Copy(url)]
}
