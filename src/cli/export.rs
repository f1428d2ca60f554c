//! Writing the tree, or a part of it, to a file or to stdout.

mod circles;
mod dot;
mod html;
mod json;
mod mermaid;
mod part;
#[cfg(test)]
mod samples;
mod svg;
mod xml;

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use color_eyre::eyre::{Report, WrapErr};

use crate::config::Paths;
use crate::files::{self, Readers};

use super::Failure;
use super::arguments::{ConnectionArguments, ExportArguments, ExportFormat, LookArguments};
use super::gather::everything;
use super::link::Link;

use part::Part;

pub(super) async fn run(
    arguments: ExportArguments,
    connection: ConnectionArguments,
    environment: impl Fn(&str) -> Option<String>,
    paths: Paths,
) -> Result<ExitCode, Failure> {
    let link = Link::open(&connection, &LookArguments::default(), &environment, &paths).await?;
    let mut gathered = everything(&link).await.wrap_err("could not load the segments")?;
    let part = Part::of(&mut gathered.forest, arguments.root.as_deref()).map_err(Report::new)?;
    let title = title(&part, &link.connection.tenant, arguments.root.as_deref());
    let write = |out: &mut dyn Write| match arguments.format {
        ExportFormat::Json => json::write(out, &part),
        ExportFormat::Mermaid => mermaid::write(out, &part),
        ExportFormat::Dot => dot::write(out, &part),
        ExportFormat::Svg => svg::write(out, &part, &title),
        ExportFormat::Html => html::write(out, &part, &title),
    };
    match arguments.output.as_deref().filter(|path| *path != Path::new("-")) {
        Some(path) => write_file(path, write)?,
        None => write_out(write)?,
    }
    Ok(gathered.code())
}

/// What a picture or a page says it shows.
fn title(part: &Part<'_>, tenant: &str, root: Option<&str>) -> String {
    match part.entries(0).next().filter(|_| root.is_some()) {
        Some(top) => format!("{} of {tenant}", top.name()),
        None => format!("Segments of {tenant}"),
    }
}

/// Writes a file, or what else there is at that path, so that a failure leaves the former file as it was.
fn write_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Report> {
    files::replace_file(path, Readers::AsBefore, write).wrap_err_with(|| format!("could not write {}", path.display()))
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
        result => result.wrap_err("could not write to stdout"),
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
