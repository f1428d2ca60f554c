//! `segtui man`: man pages, generated from the same clap definition as `--help`.

use std::path::Path;
use std::{fs, io};

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::files;

use super::arguments::{Arguments, ManArguments};
use super::configuration::print;
use super::exit::Exit;
use super::failure::Failure;

/// Prints a page, or writes all pages into a folder, which is created if necessary.
pub(super) fn run(options: &ManArguments) -> Result<Exit, Failure> {
    match &options.dir {
        Some(folder) => write_all(folder),
        None => print(&page(&options.command)?),
    }
}

fn write_all(folder: &Path) -> Result<Exit, Failure> {
    let written = fs::create_dir_all(folder).and_then(|()| write_pages(&program(), folder));
    written.map_err(|error| {
        Failure::failed(format_args!("couldn't write the manual into {}: {}", folder.display(), files::reason(&error)))
            .hint("name a folder that you can write to")
    })?;
    Ok(Exit::Done)
}

/// Writes the page of a command and of all its subcommands.
fn write_pages(command: &Command, folder: &Path) -> io::Result<()> {
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        write_pages(subcommand, folder)?;
    }
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    fs::write(folder.join(format!("{name}.1")), rendered(command)?)
}

fn program() -> Command {
    let mut program = Arguments::command().disable_help_subcommand(true);
    program.build();
    program
}

/// Returns the page of the program or of a command.
fn page(words: &[String]) -> Result<String, Failure> {
    let program = program();
    let mut command = &program;
    for word in words {
        command = command.find_subcommand(word).ok_or_else(|| {
            let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            Failure::usage(format_args!("there is no command {word}")).hint(format_args!("commands: {known}"))
        })?;
    }
    rendered(command).map_err(|error| Failure::failed(format_args!("couldn't write the manual: {error}")))
}

fn rendered(command: &Command) -> io::Result<String> {
    let more = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let mut page = Vec::new();
    Man::new(command.clone().after_help(None::<&str>))
        .source(concat!("segtui ", env!("CARGO_PKG_VERSION")))
        .render(&mut page)?;
    let mut page = String::from_utf8_lossy(&page).into_owned();
    let end = page.find(".SH VERSION").unwrap_or(page.len());
    page.insert_str(end, &sections(&more));
    Ok(page)
}

/// Converts the text after the flags in the help to sections of a page. A block with a heading becomes a section in which
/// indented lines (commands and tables) keep their line breaks. All other blocks become notes.
fn sections(help: &str) -> String {
    let (mut sections, mut notes) = (String::new(), String::new());
    for block in help.split("\n\n").map(|block| block.trim_matches('\n')).filter(|block| !block.is_empty()) {
        let heading = block.lines().next().and_then(|line| line.strip_suffix(':'));
        if let Some(heading) = heading.filter(|_| block.lines().nth(1).is_some_and(is_indented)) {
            let title = match heading {
                "Exit codes" => "EXIT STATUS".to_owned(),
                other => other.to_uppercase(),
            };
            sections.extend([".SH \"", &escaped(&title), "\"\n"]);
            paragraphs(&mut sections, block.lines().skip(1));
        } else {
            notes.push_str(".PP\n");
            paragraphs(&mut notes, block.lines());
        }
    }
    if !notes.is_empty() {
        sections.extend([".SH NOTES\n", &notes]);
    }
    sections
}

fn paragraphs<'a>(out: &mut String, lines: impl Iterator<Item = &'a str>) {
    let mut is_preformatted = false;
    for line in lines {
        if is_indented(line) != is_preformatted {
            is_preformatted = !is_preformatted;
            out.push_str(if is_preformatted { ".PP\n.nf\n" } else { ".fi\n.PP\n" });
        }
        out.extend([&escaped(line), "\n"]);
    }
    if is_preformatted {
        out.push_str(".fi\n");
    }
}

fn is_indented(line: &str) -> bool {
    line.starts_with("  ")
}

/// Escapes a line for roff, including characters that roff would replace with typographic ones.
fn escaped(line: &str) -> String {
    let mut escaped = if line.starts_with('.') { "\\&".to_owned() } else { String::new() };
    for character in line.chars() {
        match character {
            '\\' => escaped.push_str("\\e"),
            '-' => escaped.push_str("\\-"),
            '\'' => escaped.push_str("\\(aq"),
            '"' => escaped.push_str("\\(dq"),
            '`' => escaped.push_str("\\(ga"),
            '~' => escaped.push_str("\\(ti"),
            '^' => escaped.push_str("\\(ha"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_and_tables_are_sections_with_line_breaks() {
        let help = "Examples:\n  segtui x 'a-b'\n  .y \\\n\nNothing \"else\".\n\nExit codes:\n  0  done\n'Q' is more.";
        let expected = ".SH \"EXAMPLES\"\n.PP\n.nf\n  segtui x \\(aqa\\-b\\(aq\n  .y \\e\n.fi\n\
                        .SH \"EXIT STATUS\"\n.PP\n.nf\n  0  done\n.fi\n.PP\n\\(aqQ\\(aq is more.\n\
                        .SH NOTES\n.PP\nNothing \\(dqelse\\(dq.\n";
        assert_eq!(sections(help), expected);
    }

    #[test]
    fn every_command_has_a_page_with_its_flags() {
        assert!(page(&[]).unwrap().contains("segtui\\-watch(1)"));
        let watch = page(&["watch".into()]).unwrap();
        assert!(watch.contains(".TH segtui-watch 1") && watch.contains("\\-\\-since"), "{watch}");
        assert!(page(&["config".into(), "show".into()]).unwrap().contains("\\-\\-output"));
        assert!(page(&["config".into(), "nothing".into()]).unwrap_err().hint_text().contains("path, show"));
    }
}
