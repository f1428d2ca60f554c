//! The look of a session: the user's theme, the profile's colour, and what the terminal can show of both.

use ratatui::style::Color;

use crate::config::{Environment, Interface};
use crate::terminal::PanicTest;
use crate::theme::{Depth, Name, Symbols, Theme};

use super::arguments::LookArguments;

/// Returns the theme to use. `NO_COLOR`, as on <https://no-color.org>, turns off all colours if it is set to anything, including
/// those of the profile and the user's styles. The theme without colours ignores the profile's colour too.
pub(super) fn theme(
    look: &LookArguments,
    interface: &Interface,
    frame: Option<Color>,
    environment: Environment<'_>,
) -> Theme {
    let symbols = match look.ascii {
        _ if interface.accessible => Symbols::WORDS,
        true => Symbols::ASCII,
        false => Symbols::UNICODE,
    };
    if environment("NO_COLOR").is_some() {
        return Theme::colourless(symbols);
    }
    let changes = interface.styles.iter().map(|(name, change)| (name.as_str(), *change));
    let theme = Theme::new(interface.theme, symbols).with(changes);
    let theme = match frame {
        Some(colour) if interface.theme != Name::Mono => theme.framed_in(colour),
        _ => theme,
    };
    theme.within(Depth::of_terminal(environment))
}

/// Returns all themes that can be selected.
pub(super) fn themes(
    look: &LookArguments,
    interface: &Interface,
    frame: Option<Color>,
    environment: Environment<'_>,
) -> Vec<(Name, Theme)> {
    let shown = |name: Name| theme(look, &Interface { theme: name, ..interface.clone() }, frame, environment);
    Name::ALL.into_iter().map(|name| (name, shown(name))).collect()
}

/// Returns the colour that a list shows for a profile, or `None` if colours are off.
pub(super) fn frame_colour(
    look: &LookArguments,
    interface: &Interface,
    colour: Color,
    environment: Environment<'_>,
) -> Option<Color> {
    let colourless = environment("NO_COLOR").is_some() || interface.theme == Name::Mono;
    if colourless { None } else { theme(look, interface, Some(colour), environment).line.fg }
}

#[cfg(debug_assertions)]
pub(super) fn panic_test(look: &LookArguments) -> PanicTest {
    if look.panic_on_key { PanicTest::OnFirstKey } else { PanicTest::Off }
}

#[cfg(not(debug_assertions))]
pub(super) fn panic_test(_: &LookArguments) -> PanicTest {
    PanicTest::Off
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::StyleChange;

    fn in_true_colour(name: &str) -> Option<String> {
        (name == "COLORTERM").then(|| "truecolor".into())
    }

    #[test]
    fn no_color_overrides_profile_and_user_colours() {
        let look = LookArguments::default();
        let change = StyleChange { fg: Some(Color::Rgb(255, 135, 0)), ..StyleChange::default() };
        let interface = Interface { styles: vec![("bad".into(), change)], ..Interface::default() };
        let plain = Theme::new(Name::Dark, Symbols::UNICODE).with([("bad", change)]);
        assert_eq!(theme(&look, &interface, None, &in_true_colour), plain);
        let framed = plain.framed_in(Color::Red);
        assert_eq!(theme(&look, &interface, Some(Color::Red), &in_true_colour), framed);
        let no_color = |name: &str| (name == "NO_COLOR").then(|| "1".into());
        assert_eq!(theme(&look, &interface, Some(Color::Red), &no_color), Theme::colourless(Symbols::UNICODE));
    }

    #[test]
    fn accessible_mode_uses_words_even_with_ascii() {
        let interface = Interface { accessible: true, ..Interface::default() };
        for ascii in [false, true] {
            let look = LookArguments { ascii, ..LookArguments::default() };
            assert_eq!(theme(&look, &interface, None, &|_| None).symbols, Symbols::WORDS);
            let no_color = |name: &str| (name == "NO_COLOR").then(|| "1".into());
            assert_eq!(theme(&look, &interface, None, &no_color), Theme::colourless(Symbols::WORDS));
        }
    }

    #[test]
    fn a_list_shows_a_profiles_colour_unless_colours_are_off() {
        let look = LookArguments::default();
        let shown = |interface: &Interface, environment: Environment<'_>| {
            frame_colour(&look, interface, Color::Rgb(255, 135, 0), environment)
        };
        assert_eq!(shown(&Interface::default(), &in_true_colour), Some(Color::Rgb(255, 135, 0)));
        assert_eq!(shown(&Interface::default(), &|_| None), Some(Color::Yellow));
        assert_eq!(shown(&Interface::default(), &|name| (name == "NO_COLOR").then(|| "1".into())), None);
        assert_eq!(shown(&Interface { theme: Name::Mono, ..Interface::default() }, &in_true_colour), None);
    }

    #[test]
    fn colours_are_reduced_to_what_the_terminal_supports() {
        let change = StyleChange { fg: Some(Color::Rgb(255, 135, 0)), ..StyleChange::default() };
        let interface = Interface { styles: vec![("bad".into(), change)], ..Interface::default() };
        let bad = |term: &'static str| {
            let environment = |name: &str| (name == "TERM").then(|| term.into());
            theme(&LookArguments::default(), &interface, None, &environment).bad.fg
        };
        assert_eq!(bad("tmux-256color"), Some(Color::Indexed(208)));
        assert_eq!(bad("linux"), Some(Color::Yellow));
    }

    #[test]
    fn the_mono_theme_ignores_the_profiles_colour() {
        let interface = Interface { theme: Name::Mono, ..Interface::default() };
        let theme = theme(&LookArguments::default(), &interface, Some(Color::Red), &in_true_colour);
        assert_eq!(theme, Theme::new(Name::Mono, Symbols::UNICODE));
    }
}
