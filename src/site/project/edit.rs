//! Writing into a project file without harming what people wrote there.

use super::replace::replace;
use crate::problem::Problem;
use std::path::Path;
use toml_edit::DocumentMut;

/// Changes a project file; comments and all that `change` does not touch stay as they are. `what` is what is
/// written, as a message would call it: `the view`.
///
/// # Errors
/// When the file cannot be read or written or is not TOML, or what `change` says. The file is written whole or not
/// at all.
pub(super) fn edit<T>(
    file: &Path,
    what: &str,
    change: impl FnOnce(&mut DocumentMut) -> Result<T, String>,
) -> Result<T, Problem> {
    let refuse = |message: String, remedy: &str| Problem::error(file.display().to_string(), message, remedy);
    let text = std::fs::read_to_string(file)
        .map_err(|e| refuse(format!("cannot be read: {e}"), "check path and rights, and that it is text in UTF-8"))?;
    let (new, done) = changed(&text, change).map_err(|message| refuse(message, "correct this, then try again"))?;
    if new == text {
        return Ok(done);
    }
    let unwritable = |e: std::io::Error| {
        refuse(
            format!("{what} cannot be written: {e}"),
            "check the rights of the file and its folder, and the space left",
        )
    };
    replace(file, &new).map_err(unwritable)?;
    Ok(done)
}

/// The text of a project file after a change, and what the change says.
pub(super) fn changed<T>(
    text: &str,
    change: impl FnOnce(&mut DocumentMut) -> Result<T, String>,
) -> Result<(String, T), String> {
    // What some editors put in front of a text.
    let (mark, text) = match text.strip_prefix('\u{feff}') {
        Some(rest) => ("\u{feff}", rest),
        None => ("", text),
    };
    let mut document: DocumentMut =
        text.parse().map_err(|e: toml_edit::TomlError| format!("not TOML: {}", e.message().trim()))?;
    let done = change(&mut document)?;
    Ok((format!("{mark}{document}"), done))
}
