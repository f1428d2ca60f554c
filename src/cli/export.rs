//! Writing everything to a file or to stdout.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use color_eyre::eyre::{Report, WrapErr};

use crate::config::Paths;
use crate::forest::Forest;
use crate::segment::Segment;

use super::Failure;
use super::arguments::{ConnectionArguments, ExportArguments, ExportFormat, LookArguments};
use super::gather::everything;
use super::link::Link;

pub(super) async fn run(
    arguments: ExportArguments,
    connection: ConnectionArguments,
    environment: impl Fn(&str) -> Option<String>,
    paths: Paths,
) -> Result<ExitCode, Failure> {
    let ExportFormat::Json = arguments.format;
    let link = Link::open(&connection, &LookArguments::default(), &environment, &paths).await?;
    let forest = everything(&link).await.wrap_err("could not load the segments")?;
    match &arguments.output {
        Some(path) => write_file(path, &forest)?,
        None => write_out(|out| write_json(out, &forest))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// An array with one segment a line, parents before their children.
fn write_json(out: &mut dyn Write, forest: &Forest) -> io::Result<()> {
    let mut separator = "[\n  ";
    for (_, segment) in forest.preorder() {
        out.write_all(separator.as_bytes())?;
        serde_json::to_writer(&mut *out, AsRef::<Segment>::as_ref(segment))?;
        separator = ",\n  ";
    }
    out.write_all(if forest.is_empty() { b"[]\n" } else { b"\n]\n" })
}

/// Writes beside the file and then puts the result in its place, so that a failure leaves the former file as it was.
fn write_file(path: &Path, forest: &Forest) -> Result<(), Report> {
    let beside = beside(path);
    let written = File::create(&beside).and_then(|file| {
        let mut out = BufWriter::new(file);
        write_json(&mut out, forest)?;
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
    use std::sync::Arc;

    use super::*;
    use crate::segment::SegmentId;

    fn forest() -> Forest {
        let segment = |id: &str, parent: Option<&str>| {
            let id = SegmentId::new(id).unwrap();
            Arc::new(Segment { name: id.text().into(), id, external_id: None, parent: parent.and_then(SegmentId::new) })
        };
        [segment("b", Some("a")), segment("a", None), segment("orphan", Some("x"))].into_iter().collect()
    }

    #[test]
    fn the_array_has_all_four_fields_and_parents_come_first() {
        let mut out = Vec::new();
        write_json(&mut out, &forest()).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "[\n  \
             {\"id\":\"a\",\"name\":\"a\",\"externalId\":null,\"parentSegmentId\":null},\n  \
             {\"id\":\"b\",\"name\":\"b\",\"externalId\":null,\"parentSegmentId\":\"a\"},\n  \
             {\"id\":\"orphan\",\"name\":\"orphan\",\"externalId\":null,\"parentSegmentId\":\"x\"}\n]\n"
        );
        let mut out = Vec::new();
        write_json(&mut out, &Forest::new()).unwrap();
        assert_eq!(out, b"[]\n");
    }

    #[test]
    fn a_file_that_can_not_be_written_is_named_and_nothing_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("is-a-folder");
        fs::create_dir(&path).unwrap();
        let error = write_file(&path, &forest()).unwrap_err().to_string();
        assert!(error.contains("is-a-folder"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
