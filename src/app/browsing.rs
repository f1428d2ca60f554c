//! Opening the selected segment in the browser, at the URL that the profile configures. Without a browser, the URL is shown and
//! copied instead, so that it can be opened elsewhere.

use crate::remote::UrlTemplate;
use crate::segment::Segment;

use super::{Effect, State, words};

/// The result of opening a URL in the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BrowserOutcome {
    /// A browser was started or told to open it.
    Opened,
    /// There is no browser that the user would see, such as over SSH.
    NoBrowser,
    /// The program that opens URLs failed, with the system's message.
    Failed(String),
}

/// Returns the URL of a segment.
///
/// # Errors
///
/// Why there is none, and what to do about it.
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

/// Reports the result; a URL that could not be opened is copied.
pub(super) fn on_browsed(state: &mut State, url: String, browsed: BrowserOutcome) -> Vec<Effect> {
    match browsed {
        BrowserOutcome::Opened => {
            state.inform(words::opened(&url));
            return Vec::new();
        }
        BrowserOutcome::NoBrowser => state.warn(words::no_browser(&url)),
        BrowserOutcome::Failed(reason) => state.warn(words::browser_failed(&reason, &url)),
    }
    vec![Effect::Copy(url)]
}
