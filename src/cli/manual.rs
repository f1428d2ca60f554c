//! `segtui man`: the manual, made of the same table of arguments as `--help`.

use std::fs;
use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;

use crate::files;

use super::arguments::{Arguments, ManArguments};
use super::configuration::print;
use super::exit::Exit;
use super::failure::Failure;

/// Prints a page, or writes all of them into a folder, which is made if it isn't there.
pub(super) fn run(options: &ManArguments) -> Result<Exit, Failure> {
    match &options.dir {
        Some(folder) => write_all(folder),
        None => print(&page(&options.command)?),
    }
}

fn write_all(folder: &Path) -> Result<Exit, Failure> {
    let written = fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Arguments::command(), folder));
    written.map_err(|error| {
        Failure::failed(format_args!("couldn't write the manual into {}: {}", folder.display(), files::reason(&error)))
            .hint("name a folder that you can write to")
    })?;
    Ok(Exit::Done)
}

/// The page of the program, or of a command.
fn page(words: &[String]) -> Result<String, Failure> {
    let mut program = Arguments::command().disable_help_subcommand(true);
    program.build();
    let mut command = &program;
    for word in words {
        command = command.find_subcommand(word).ok_or_else(|| {
            let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            Failure::usage(format_args!("there is no command {word}")).hint(format_args!("commands: {known}"))
        })?;
    }
    let mut page = Vec::new();
    Man::new(command.clone())
        .source(concat!("segtui ", env!("CARGO_PKG_VERSION")))
        .render(&mut page)
        .map_err(|error| Failure::failed(format_args!("couldn't write the manual: {error}")))?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_with_its_flags() {
        assert!(page(&[]).unwrap().contains("segtui\\-watch(1)"));
        let watch = page(&["watch".into()]).unwrap();
        assert!(watch.contains(".TH segtui-watch 1") && watch.contains("\\-\\-since"), "{watch}");
        assert!(page(&["config".into(), "show".into()]).unwrap().contains("\\-\\-output"));
        assert!(page(&["config".into(), "nothing".into()]).unwrap_err().hint_text().contains("path, show"));
    }
}
