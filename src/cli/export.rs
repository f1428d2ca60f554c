//! Writing the tree, or a part of it, to a file or to stdout.

use std::fmt;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use color_eyre::eyre::{Report, WrapErr};

use crate::config::Paths;
use crate::files::{self, Readers};
use crate::formats::{self, Part};

use super::arguments::{ConnectionArguments, ExportArguments, ExportFormat, LookArguments};
use super::exit::Exit;
use super::failure::Failure;
use super::link::Link;
use super::load::everything;

pub(super) async fn run(
    arguments: ExportArguments,
    connection: ConnectionArguments,
    environment: impl Fn(&str) -> Option<String>,
    paths: Paths,
) -> Result<Exit, Failure> {
    let link = Link::open(&connection, &LookArguments::default(), &environment, &paths).await?;
    let mut gathered = everything(&link).await.wrap_err("couldn't load the segments")?;
    let part = Part::of(&mut gathered.forest, arguments.root.as_deref()).map_err(Report::new)?;
    let title = title(&part, &link.connection.tenant, arguments.root.as_deref());
    let write = |out: &mut dyn Write| {
        written(out, |out| match arguments.format {
            ExportFormat::Json => formats::json::write(out, &part),
            ExportFormat::Mermaid => formats::mermaid::write(out, &part),
            ExportFormat::Dot => formats::dot::write(out, &part),
            ExportFormat::Svg => formats::svg::write(out, &part, &title),
            ExportFormat::Html => formats::html::write(out, &part, &title),
        })
    };
    match arguments.output.as_deref().filter(|path| *path != Path::new("-")) {
        Some(path) => write_file(path, write)?,
        None => write_out(write)?,
    }
    Ok(gathered.exit())
}

/// What a picture or a page says it shows.
fn title(part: &Part<'_>, tenant: &str, root: Option<&str>) -> String {
    match part.entries(0).next().filter(|_| root.is_some()) {
        Some(top) => format!("{} of {tenant}", top.name()),
        None => format!("Segments of {tenant}"),
    }
}

/// Writes text to bytes. What stood in the way is told as it was.
fn written(out: &mut dyn Write, write: impl FnOnce(&mut dyn fmt::Write) -> fmt::Result) -> io::Result<()> {
    let mut text = Utf8 { out, fault: None };
    let written = write(&mut text);
    match text.fault {
        Some(fault) => Err(fault),
        None => written.map_err(|_| io::Error::other("couldn't write the segments in this format")),
    }
}

/// Text on its way to bytes.
struct Utf8<'a> {
    out: &'a mut dyn Write,
    fault: Option<io::Error>,
}

impl fmt::Write for Utf8<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.out.write_all(text.as_bytes()).map_err(|fault| {
            self.fault = Some(fault);
            fmt::Error
        })
    }
}

/// Writes a file, or what else there is at that path, so that a failure leaves the former file as it was.
fn write_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Report> {
    files::replace_file(path, Readers::AsBefore, write).wrap_err_with(|| format!("couldn't write {}", path.display()))
}

/// Writes to stdout. A reader who has seen enough is no failure.
pub(super) fn write_out(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Report> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            // Dropping the writer would try to write the rest.
            let (_, _unwritten) = out.into_parts();
            Ok(())
        }
        result => result.wrap_err("couldn't write to stdout"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_that_can_not_be_written_is_named_and_nothing_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("is-a-folder");
        fs::create_dir(&path).unwrap();
        let error = write_file(&path, |out| out.write_all(b"[]")).unwrap_err().to_string();
        assert!(error.contains("is-a-folder"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
