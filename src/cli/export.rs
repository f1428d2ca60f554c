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

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use color_eyre::eyre::{Report, WrapErr};

use crate::config::Paths;

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
    let mut forest = everything(&link).await.wrap_err("could not load the segments")?;
    let part = Part::of(&mut forest, arguments.root.as_deref()).map_err(Report::new)?;
    let title = title(&part, &link.connection.tenant, arguments.root.as_deref());
    let write = |out: &mut dyn Write| match arguments.format {
        ExportFormat::Json => json::write(out, &part),
        ExportFormat::Mermaid => mermaid::write(out, &part),
        ExportFormat::Dot => dot::write(out, &part),
        ExportFormat::Svg => svg::write(out, &part, &title),
        ExportFormat::Html => html::write(out, &part, &title),
    };
    match &arguments.output {
        Some(path) => write_file(path, write)?,
        None => write_out(write)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What a picture or a page says it shows.
fn title(part: &Part<'_>, tenant: &str, root: Option<&str>) -> String {
    match part.entries(0).next().filter(|_| root.is_some()) {
        Some(top) => format!("{} of {tenant}", top.name()),
        None => format!("Segments of {tenant}"),
    }
}

/// Writes beside the file and then puts the result in its place, so that a failure leaves the former file as it was.
fn write_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Report> {
    let beside = beside(path);
    let written = File::create(&beside).and_then(|file| {
        let mut out = BufWriter::new(file);
        write(&mut out)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    });
    let moved = written.and_then(|()| fs::rename(&beside, path));
    if moved.is_err()
        && let Err(error) = fs::remove_file(&beside)
    {
        tracing::debug!(%error, "there is no half-written file to remove");
    }
    moved.wrap_err_with(|| format!("could not write {}", path.display()))
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    path.with_file_name(name)
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
