//! Brick (Turtle) and Haystack (JSON, Zinc): what a file says of points and their equipment, for mapping.

mod haystack;
mod turtle;
mod zinc;

use super::Limits;
use crate::problem::Problem;
use crate::site::mapping::Described;
use std::path::Path;

/// Reads the points that a file describes, by its extension: `.ttl` is Brick, `.json` and `.zinc` are Haystack.
///
/// # Errors
/// The file cannot be read, is too large, no text, or of another kind.
pub fn read(path: &Path, limits: &Limits) -> Result<(Vec<Described>, Vec<Problem>), Problem> {
    let place = path.display().to_string();
    let refuse = |message: String, remedy: &str| Problem::error(place.clone(), message, remedy);
    let size =
        std::fs::metadata(path).map_err(|e| refuse(format!("cannot be read: {e}"), "check path and rights"))?.len();
    if size > limits.max_bytes {
        return Err(refuse(format!("{size} bytes are more than are read"), "split the file"));
    }
    let text = std::fs::read_to_string(path)
        .map_err(|e| refuse(format!("cannot be read: {e}"), "check path and rights, and that it is text in UTF-8"))?;
    let name = path.file_name().map_or(place.clone(), |n| n.to_string_lossy().into_owned());
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    match path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("ttl" | "turtle") => Ok(turtle::read(text, &name)),
        Some("zinc" | "zn") => Ok(haystack::points(zinc::read(text, &name), &name)),
        Some("json" | "hayson") => Ok(haystack::points(haystack::json(text, &name), &name)),
        _ => Err(refuse("this is neither Turtle nor Haystack".into(), "Brick as .ttl, Haystack as .json or .zinc")),
    }
}
