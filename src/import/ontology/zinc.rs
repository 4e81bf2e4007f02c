//! Zinc, the table format of Haystack: a line of versions, a line of columns, then a line an entity.

use crate::problem::Problem;

/// A value of a tag, as far as mapping needs it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    /// The tag is there.
    Marker,
    /// Text, a reference without its `@`, a number, an address.
    Text(String),
    /// Something else.
    Other,
}

impl Cell {
    /// The text of a text.
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

/// Rows with their lines: names of tags and values.
pub(super) type Grid = Vec<(usize, Vec<(String, Cell)>)>;

/// Reads a grid; a line that cannot be read is told and left out.
pub(super) fn read(text: &str, file: &str) -> (Grid, Vec<Problem>) {
    let mut lines = text.lines().enumerate();
    let mut problems = Vec::new();
    let fault = |line: usize, why: String| {
        Problem::error(format!("{file}:{line}"), why, "write it anew with the program it came from")
    };
    if !lines.next().is_some_and(|(_, l)| l.trim_start().starts_with("ver:")) {
        problems.push(fault(1, "a Zinc file begins with ver:\"3.0\"".into()));
        return (Vec::new(), problems);
    }
    let Some((_, head)) = lines.next() else {
        problems.push(fault(2, "there is no line of columns".into()));
        return (Vec::new(), problems);
    };
    let columns: Vec<String> = match cells(head) {
        Ok(columns) => columns.iter().map(|c| c.split_whitespace().next().unwrap_or_default().to_owned()).collect(),
        Err(why) => {
            problems.push(fault(2, why));
            return (Vec::new(), problems);
        }
    };
    let mut grid = Vec::new();
    // An empty line ends the grid.
    for (i, line) in lines.take_while(|(_, l)| !l.trim().is_empty()) {
        match cells(line) {
            Ok(values) if values.len() > columns.len() => {
                problems.push(fault(i + 1, format!("{} values stand in {} columns", values.len(), columns.len())));
            }
            Ok(values) => {
                let row = columns.iter().zip(values).filter_map(|(k, v)| Some((k.clone(), value(v.trim())?)));
                grid.push((i + 1, row.collect()));
            }
            Err(why) => problems.push(fault(i + 1, why)),
        }
    }
    (grid, problems)
}

/// The pieces between commas, outside of quotes and brackets.
fn cells(line: &str) -> Result<Vec<&str>, String> {
    let mut out = Vec::new();
    let (mut from, mut depth, mut quoted, mut escaped) = (0, 0_i32, None, false);
    for (i, c) in line.char_indices() {
        match (quoted, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(q), c) if c == q => quoted = None,
            (Some(_), _) => {}
            (None, '"' | '`') => quoted = Some(c),
            (None, '(' | '[' | '{' | '<') => depth += 1,
            (None, ')' | ']' | '}' | '>') => depth -= 1,
            (None, ',') if depth <= 0 => {
                out.push(line.get(from..i).unwrap_or_default());
                from = i + 1;
            }
            _ => {}
        }
    }
    if quoted.is_some() {
        return Err("a text has no end".into());
    }
    out.push(line.get(from..).unwrap_or_default());
    Ok(out)
}

fn value(cell: &str) -> Option<Cell> {
    match cell {
        "" | "N" | "NA" | "R" => None,
        "M" | "✓" => Some(Cell::Marker),
        "T" | "F" | "NaN" | "INF" | "-INF" => Some(Cell::Other),
        _ => Some(match cell.chars().next() {
            Some('@') => {
                let id = cell.trim_start_matches('@');
                Cell::Text(id.split(|c: char| c.is_whitespace()).next().unwrap_or(id).to_owned())
            }
            Some('"') => Cell::Text(unquoted(cell)),
            Some('`') => Cell::Text(cell.trim_matches('`').to_owned()),
            Some(c) if c.is_ascii_digit() || c == '-' => Cell::Text(cell.to_owned()),
            _ => Cell::Other,
        }),
    }
}

fn unquoted(cell: &str) -> String {
    let inside = cell.strip_prefix('"').and_then(|c| c.strip_suffix('"')).unwrap_or(cell);
    let mut out = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_and_faults_by_line() {
        let text = "ver:\"3.0\" dis:\"x\"\nid,dis dis:\"Name\",list,uri,n\n@a,\"one, \\\"two\\\"\",[1,2],`http://x`,21.5°C\n@b,\"open\n@c,1,2,3,4,5\n\nignored\n";
        let (grid, problems) = read(text, "f.zinc");
        assert_eq!(grid.len(), 1, "{grid:#?}");
        let row = &grid[0].1;
        assert_eq!(row[1], ("dis".into(), Cell::Text("one, \"two\"".into())));
        assert_eq!((row[2].1.clone(), row[3].1.clone()), (Cell::Other, Cell::Text("http://x".into())));
        let places: Vec<&str> = problems.iter().map(|p| p.place.as_str()).collect();
        assert_eq!(places, ["f.zinc:4", "f.zinc:5"]);
        assert_eq!(read("nonsense", "f").1.len(), 1);
    }
}
