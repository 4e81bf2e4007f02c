//! `[naming]`: how the elements of a class are called.

use super::sheet::Table;
use regex::{Regex, RegexBuilder};

/// Compiled expressions may take this much memory, bytes.
const MAX_SIZE: usize = 1 << 20;

/// The naming standard of one class.
#[derive(Clone, Debug)]
pub struct NamingRule {
    /// `IfcPump`.
    pub class: String,
    /// What the tag must match; the name of an element without a tag.
    pub pattern: Regex,
    /// Line in `twin.toml`.
    pub line: usize,
}

impl NamingRule {
    /// True when something may be called so.
    pub fn allows(&self, text: &str) -> bool {
        self.pattern.is_match(text)
    }
}

/// Reads `[naming]`: class and regular expression, line by line.
pub(super) fn read(table: Table<'_>) -> Vec<NamingRule> {
    let sheet = table.sheet;
    let mut rules: Vec<NamingRule> = Vec::new();
    for (class, expression) in table.words("naming rule") {
        if !class.starts_with("Ifc") {
            sheet.error(
                expression.line,
                format!("`{class}` in [naming] is no IFC class"),
                "write it as the model does: IfcPump = \"^P-[0-9]{2}$\"",
            );
            continue;
        }
        match RegexBuilder::new(&expression.value).size_limit(MAX_SIZE).build() {
            Ok(pattern) => rules.push(NamingRule { class, pattern, line: expression.line }),
            Err(e) => {
                let why = e.to_string();
                let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                sheet.error(
                    expression.line,
                    format!("`{}` in [naming] is no regular expression: {why}", expression.value),
                    "mend it, or leave the class out; ^ is the start and $ the end of a name",
                );
            }
        }
    }
    rules
}
