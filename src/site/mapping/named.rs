//! The project's naming rules at work: a regular expression over the topic, and what its captures mean.

use super::described::roles;
use super::index::Index;
use super::tokens::tokens;
use super::{By, Candidate, Heard, Verdict, chosen};
use crate::site::project::TopicRule;
use regex::Captures;

/// What the first rule that matches says of a topic; none where no rule does.
pub(super) fn find(index: &Index<'_>, rules: &[TopicRule], heard: &Heard) -> Option<Verdict> {
    if rules.is_empty() {
        return None;
    }
    // No topic has a `#`, so the two cannot be mixed up.
    let whole = if heard.key.is_empty() { heard.topic.clone() } else { format!("{}#{}", heard.topic, heard.key) };
    let (rule, captures) = rules.iter().find_map(|r| Some((r, r.topic.captures(&whole)?)))?;
    let at = format!("the naming rule in line {}", rule.line);
    if rule.ignore {
        return Some(Verdict::Nobody(format!("{at} leaves it out"), Vec::new()));
    }
    let (asset, point) = (filled(&rule.asset, &captures), filled(&rule.point, &captures));
    let by_id = index.site.find(&asset);
    let slot = match (by_id, index.called(&asset)) {
        (Some(slot), _) => slot,
        (None, [one]) => *one,
        (None, []) => {
            return Some(Verdict::Nobody(format!("{at} names `{asset}`, and no element is called so"), Vec::new()));
        }
        (None, several) => {
            let why = format!("{at} names `{asset}`, and {} elements are called so", several.len());
            return Some(Verdict::Nobody(why, Vec::new()));
        }
    };
    let stated = rule.roles.iter().find(|(word, _)| word.eq_ignore_ascii_case(&point)).map(|(_, role)| role);
    let wanted = stated.unwrap_or(&point);
    let all = index.roles(slot);
    if let Some(role) = all.iter().find(|r| r.name == *wanted) {
        return Some(Verdict::Sure(Candidate { slot, role: role.name.clone(), score: 1.0 }, By::Rule));
    }
    let candidates = roles(index, slot, &tokens(wanted), heard.unit);
    Some(chosen(candidates, By::Rule, || {
        let template = index.template(slot).map_or("no template".to_owned(), |t| format!("the template `{t}`"));
        format!("{at} names the point `{wanted}` of `{asset}`, which has {template}: no role is meant for sure")
    }))
}

/// A text with `{name}` and `{1}` replaced by what was captured.
fn filled(text: &str, captures: &Captures<'_>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        let found = name.parse().ok().and_then(|i: usize| captures.get(i)).or_else(|| captures.name(name));
        out.push_str(found.map_or("", |m| m.as_str()));
        rest = tail;
    }
    out + rest
}
