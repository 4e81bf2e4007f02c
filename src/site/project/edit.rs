//! Changes a project file in place: whole or not at all, and with everything else in it as it was.

use crate::problem::Problem;
use std::io::Write;
use std::path::Path;
use toml_edit::DocumentMut;

/// Lets `change` work on the document of a project file, and writes it beside and moves it there. `what` is what the
/// messages call it: `the view`.
///
/// # Errors
/// When the file cannot be read or written or is not TOML, and what `change` says.
pub(super) fn rewrite<T>(
    file: &Path,
    what: &str,
    change: impl FnOnce(&mut DocumentMut) -> Result<T, String>,
) -> Result<T, Problem> {
    let place = file.display().to_string();
    let refuse = |message: String, remedy: &str| Problem::error(place.clone(), message, remedy);
    let text = std::fs::read_to_string(file)
        .map_err(|e| refuse(format!("cannot be read: {e}"), "check path and rights, and that it is text in UTF-8"))?;
    // What some editors put in front of a text.
    let (mark, body) = match text.strip_prefix('\u{feff}') {
        Some(rest) => ("\u{feff}", rest),
        None => ("", text.as_str()),
    };
    let mend = format!("mend the file, then save {what} again");
    let mut document: DocumentMut =
        body.parse().map_err(|e: toml_edit::TomlError| refuse(format!("not TOML: {}", e.message().trim()), &mend))?;
    let done = change(&mut document).map_err(|message| refuse(message, &mend))?;
    let new = format!("{mark}{document}");
    if new == text {
        return Ok(done);
    }
    let unwritable = |e: std::io::Error| {
        refuse(
            format!("{what} cannot be written: {e}"),
            "check the rights of the file and its folder, and the space left",
        )
    };
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A file that nobody may write is not replaced behind its owner's back.
    std::fs::OpenOptions::new().append(true).open(file).map_err(unwritable)?;
    let mut beside =
        tempfile::Builder::new().prefix(".twin-").suffix(".toml").tempfile_in(folder).map_err(unwritable)?;
    beside.write_all(new.as_bytes()).map_err(unwritable)?;
    let rights = std::fs::metadata(file).map_err(unwritable)?.permissions();
    beside.as_file().set_permissions(rights).map_err(unwritable)?;
    beside.as_file().sync_all().map_err(unwritable)?;
    beside.persist(file).map_err(|e| unwritable(e.error))?;
    Ok(done)
}
