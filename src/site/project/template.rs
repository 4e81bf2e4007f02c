//! `[templates]` and `[[bindings]]`.

use super::super::binding::nearest;
use super::super::point::{Check, Watching};
use super::super::unit::Unit;
use super::sheet::{Field, Sheet, Table};
use super::{Binding, PointTemplate, Template};
use crate::analytics::expression::{Expression, Name};

/// How often a device reports where the project does not say, seconds.
const PERIOD_S: f64 = 10.0;

/// A point is not stale before this, however often it reports, seconds.
const STALE_S: f64 = 60.0;

/// What may stand in braces in a topic.
const PLACEHOLDERS: [&str; 5] = ["tag", "id", "name", "template", "role"];

pub(super) fn read_all(table: Table<'_>) -> Vec<Template> {
    table.named("template").into_iter().map(|(name, table)| read(name, table)).collect()
}

fn read(name: String, table: Table<'_>) -> Template {
    let sheet = table.sheet;
    let mut template = Template { name, line: table.line, ..Template::default() };
    template.description = table.text("description").map(|d| d.value).unwrap_or_default();
    if let Some(matching) = table.table("match") {
        template.class = matching.word("class").map(|c| c.value).unwrap_or_default();
        template.predefined_type = matching.word("predefined_type").map(|p| p.value);
        template.tag = matching.word("tag").map(|t| t.value);
        if !matching.has("class") {
            sheet.error(
                matching.line,
                format!("`match` in {} has no `class`", table.title),
                "write the IFC class: IfcPump",
            );
        }
        matching.finish();
    }
    for (role, point) in table.table("points").map(|t| t.named("point")).unwrap_or_default() {
        template.points.extend(read_point(role, point, false));
    }
    for (role, rule) in table.table("rules").map(|t| t.named("rule")).unwrap_or_default() {
        if template.points.iter().any(|p| p.role == role) {
            let message = format!("`{role}` is a point and a rule of {}", table.title);
            sheet.error(rule.line, message, "give one of them another name");
            continue;
        }
        template.points.extend(read_point(role, rule, true));
    }
    for role in table.texts("panel").unwrap_or_default() {
        if !template.points.iter().any(|p| p.role == role.value) {
            let message = format!("`panel` in {} shows `{}`, which is none of its points", table.title, role.value);
            let near = nearest(&role.value, template.points.iter().map(|p| p.role.as_str()));
            sheet.error(role.line, message, did_you_mean(near, "name a point or a rule of this template"));
        }
        template.panel.push(role.value);
    }
    template.panel.retain(|role| template.points.iter().any(|p| p.role == *role));
    table.finish();
    template
}

/// One point; none when its unit or its expression is missing or wrong.
fn read_point(role: String, table: Table<'_>, rule: bool) -> Option<PointTemplate> {
    let sheet = table.sheet;
    check_role_name(sheet, table.line, &role);
    let expression = if rule { Some(read_expression(&table)) } else { None };
    if !table.has("unit") {
        sheet.error(
            table.line,
            format!("{} has no `unit`", table.title),
            "write its UCUM code; \"1\" for a pure number",
        );
    }
    let unit = table.unit("unit");
    let base = PointTemplate {
        name: in_words(&role),
        role,
        unit: unit.unwrap_or(Unit::ONE),
        expected: None,
        period_s: PERIOD_S,
        stale_after_s: STALE_S,
        check: None,
        expression: None,
        remedy: String::new(),
        watch: Default::default(),
        line: table.line,
    };
    let mut point = read_details(base, &table);
    table.finish();
    unit?;
    if let Some(expression) = expression {
        point.expression = Some(expression?);
    }
    Some(point)
}

fn read_expression(table: &Table<'_>) -> Option<String> {
    let expression = table.text("expression");
    if !table.has("expression") {
        let remedy = "write what it computes: expression = \"abs(command - position)\"";
        table.sheet.error(table.line, format!("{} has no `expression`", table.title), remedy);
    }
    let expression = expression?;
    if let Err(e) = Expression::compile(&expression.value) {
        let message = format!("the expression of {} is wrong at character {}: {}", table.title, e.column, e.message);
        table.sheet.error(expression.line, message, e.remedy);
        return None;
    }
    Some(expression.value)
}

/// Everything of a point but its role and unit, over what `point` has already.
fn read_details(mut point: PointTemplate, table: &Table<'_>) -> PointTemplate {
    let (sheet, unit) = (table.sheet, point.unit);
    if let Some(name) = table.word("name") {
        point.name = name.value;
    }
    if let Some(remedy) = table.text("remedy") {
        point.remedy = remedy.value;
    }
    if let Some(range) = table.numbers::<2>("expected") {
        match range.value {
            [least, most] if least < most => point.expected = Some([unit.to_si(least), unit.to_si(most)]),
            [least, most] => {
                let message = format!("`expected` in {} goes from {least} to {most}", table.title);
                sheet.error(range.line, message, "write the least value first");
            }
        }
    }
    let period = table.number_in("period_s", 0.001, 604_800.0);
    if let Some(period) = &period {
        point.period_s = period.value;
        point.stale_after_s = (3.0 * period.value).max(STALE_S);
    }
    if let Some(stale) = table.number_in("stale_after_s", 0.001, 31_622_400.0) {
        if stale.value < point.period_s {
            let message = format!("{} is stale after {} s, sooner than its next sample", table.title, stale.value);
            sheet.error(stale.line, message, format!("make it longer than its period, {} s", point.period_s));
        } else {
            point.stale_after_s = stale.value;
        }
    }
    point.check = read_check(point.check, unit, table);
    read_watching(&mut point.watch, unit, table);
    point
}

/// What samples of the point should be like.
fn read_watching(watch: &mut Watching, unit: Unit, table: &Table<'_>) {
    if let Some(range) = table.numbers::<2>("possible") {
        match range.value {
            [least, most] if least < most => watch.possible = Some([unit.to_si(least), unit.to_si(most)]),
            [least, most] => {
                let message = format!("`possible` in {} goes from {least} to {most}", table.title);
                table.sheet.error(range.line, message, "write the least value first");
            }
        }
    }
    if let Some(rate) = table.number_in("max_per_min", 1e-9, f64::MAX) {
        watch.rate_per_s = Some(unit.interval_to_si(rate.value) / 60.0);
    }
    if let Some(spike) = table.number_in("spike", 1e-9, f64::MAX) {
        watch.spike = Some(unit.interval_to_si(spike.value));
    }
    if let Some(flat) = table.number_in("flat_after_s", 1.0, 31_622_400.0) {
        watch.flat_s = Some(flat.value);
    }
    if let Some(counter) = table.truth("counter") {
        watch.counter = Some(counter);
    }
    if let Some(end) = table.number_in("rolls_at", 1e-9, f64::MAX) {
        watch.rolls_at = Some(unit.to_si(end.value));
    }
}

fn read_check(base: Option<Check>, unit: Unit, table: &Table<'_>) -> Option<Check> {
    let mut check = base.unwrap_or_default();
    let mut any = base.is_some();
    for (key, limit) in [
        ("critical_below", &mut check.critical_below),
        ("warning_below", &mut check.warning_below),
        ("warning_above", &mut check.warning_above),
        ("critical_above", &mut check.critical_above),
    ] {
        if let Some(value) = table.number(key) {
            *limit = Some(unit.to_si(value.value));
            any = true;
        }
    }
    let hysteresis = table.number_in("hysteresis", 0.0, f64::MAX);
    let confirm = table.number_in("confirm_s", 0.0, 604_800.0);
    if let Some(h) = &hysteresis {
        check.hysteresis = unit.interval_to_si(h.value);
    }
    if let Some(c) = &confirm {
        check.confirm_s = c.value;
    }
    if !any {
        for (field, key) in [(hysteresis, "hysteresis"), (confirm, "confirm_s")] {
            if let Some(field) = field {
                let message = format!("`{key}` in {} does nothing without a limit", table.title);
                table.sheet.warning(field.line, message, "add warning_above, say, or leave it out");
            }
        }
        return None;
    }
    let limits = [check.critical_below, check.warning_below, check.warning_above, check.critical_above];
    let limits: Vec<f64> = limits.into_iter().flatten().collect();
    if limits.windows(2).any(|w| w[0] > w[1]) {
        let remedy = "from low to high: critical_below, warning_below, warning_above, critical_above";
        table.sheet.error(table.line, format!("the limits of {} are out of order", table.title), remedy);
        return None;
    }
    let inner = (
        check.warning_below.or(check.critical_below).map(|l| l + check.hysteresis),
        check.warning_above.or(check.critical_above).map(|l| l - check.hysteresis),
    );
    if let (Some(low), Some(high)) = inner
        && low > high
    {
        let message = format!("the hysteresis of {} leaves no value at which it clears", table.title);
        table.sheet.error(table.line, message, "make it less than half the distance of its limits");
    }
    Some(check)
}

/// A role must be a name in expressions too.
fn check_role_name(sheet: &Sheet, line: usize, role: &str) {
    let own = Name::Role { host: false, role: role.to_owned() };
    if !Expression::compile(role).is_ok_and(|e| e.names() == [own]) {
        let message = format!("`{role}` cannot be the name of a point");
        sheet.error(line, message, "use letters, digits and _, and none of the words of expressions");
    }
}

pub(super) fn read_bindings(tables: Vec<Table<'_>>, templates: &[Template]) -> Vec<Binding> {
    tables.into_iter().filter_map(|table| read_binding(table, templates)).collect()
}

fn read_binding(table: Table<'_>, templates: &[Template]) -> Option<Binding> {
    let sheet = table.sheet;
    let topic = table.word("topic");
    if !table.has("topic") {
        sheet.error(table.line, "the binding has no `topic`", "write topic = \"site/{tag}\"");
    }
    let by_rule = table.has("templates");
    if by_rule == table.has("asset") {
        let message = "a binding is either for `templates` or for one `asset` and `point`";
        sheet.error(table.line, message, "write one of the two");
        return None;
    }
    let binding =
        if by_rule { rule_binding(&table, topic, templates) } else { point_binding(&table, topic, templates) };
    table.finish();
    binding
}

fn rule_binding(table: &Table<'_>, topic: Option<Field<String>>, templates: &[Template]) -> Option<Binding> {
    let sheet = table.sheet;
    let mut names: Vec<String> = Vec::new();
    for name in table.texts("templates").unwrap_or_default() {
        if !templates.iter().any(|t| t.name == name.value) {
            let near = nearest(&name.value, templates.iter().map(|t| t.name.as_str()));
            let remedy = did_you_mean(near, "add [templates.…], or leave it out");
            sheet.error(name.line, format!("there is no template `{}`", name.value), remedy);
        } else if names.contains(&name.value) {
            sheet.warning(name.line, format!("template `{}` is named twice", name.value), "leave one of them out");
        } else {
            names.push(name.value);
        }
    }
    let key = table.text("key");
    let topic = topic?;
    let mut fine = check_topic(sheet, &topic, &PLACEHOLDERS);
    if let Some(key) = &key {
        fine &= check_placeholders(sheet, key, &PLACEHOLDERS);
    }
    if fine && !["{tag}", "{id}", "{name}"].iter().any(|p| topic.value.contains(p)) {
        let message = format!("`{}` is one topic for every element", topic.value);
        sheet.error(topic.line, message, "put {tag}, {id} or {name} in it");
        fine = false;
    }
    let key = key.map(|k| k.value);
    fine.then_some(Binding::Rule { templates: names, topic: topic.value, key, line: table.line })
}

fn point_binding(table: &Table<'_>, topic: Option<Field<String>>, templates: &[Template]) -> Option<Binding> {
    let sheet = table.sheet;
    let asset = table.word("asset");
    let role = table.word("point");
    if !table.has("point") {
        sheet.error(table.line, "the binding names no `point`", "write point = \"zone_temperature\"");
    }
    let template = table.word("template");
    if let Some(name) = template.as_ref().filter(|n| !templates.iter().any(|t| t.name == n.value)) {
        let near = nearest(&name.value, templates.iter().map(|t| t.name.as_str()));
        sheet.error(name.line, format!("there is no template `{}`", name.value), did_you_mean(near, "leave it out"));
    }
    let key = table.text("key").map(|k| k.value).unwrap_or_default();
    let base = role.as_ref().and_then(|role| base_point(table, role, template.as_ref(), templates));
    let point = base.map(|base| Box::new(read_details(base, table)));
    let (asset, point, topic) = (asset?, point?, topic?);
    let fine = check_topic(sheet, &topic, &[]);
    fine.then_some(Binding::Point { asset: asset.value, point, topic: topic.value, key, line: table.line })
}

/// What a point bound by hand starts from: its template's, else one with a unit of its own.
fn base_point(
    table: &Table<'_>,
    role: &Field<String>,
    template: Option<&Field<String>>,
    templates: &[Template],
) -> Option<PointTemplate> {
    let sheet = table.sheet;
    check_role_name(sheet, role.line, &role.value);
    let own_unit = table.unit("unit");
    let of = |t: &'_ Template| t.points.iter().find(|p| p.role == role.value && p.expression.is_none()).cloned();
    let asked_for = |t: &&Template| template.is_none_or(|name| name.value == t.name);
    let found: Vec<(&str, PointTemplate)> =
        templates.iter().filter(asked_for).filter_map(|t| Some((t.name.as_str(), of(t)?))).collect();
    let same = |a: &PointTemplate, b: &PointTemplate| {
        (a.unit, a.expected, a.period_s, a.stale_after_s, a.check, &a.name, &a.remedy, a.watch)
            == (b.unit, b.expected, b.period_s, b.stale_after_s, b.check, &b.name, &b.remedy, b.watch)
    };
    let base = match (found.as_slice(), own_unit) {
        ([], None) => {
            if !table.has("unit") {
                let roles = templates.iter().filter(asked_for).flat_map(|t| &t.points).map(|p| p.role.as_str());
                let remedy = did_you_mean(nearest(&role.value, roles), "give the binding a `unit` of its own");
                sheet.error(role.line, format!("no template has a point `{}`", role.value), remedy);
            }
            return None;
        }
        ([(_, first), rest @ ..], None) if rest.iter().any(|(_, other)| !same(first, other)) => {
            let names: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
            let message = format!("`{}` is a point of several templates: {}", role.value, names.join(", "));
            sheet.error(role.line, message, "write which one is meant, template = \"…\", or a `unit` of its own");
            return None;
        }
        ([(_, first), ..], _) if own_unit.is_none() || template.is_some() => first.clone(),
        _ => PointTemplate {
            role: role.value.clone(),
            name: in_words(&role.value),
            unit: Unit::ONE,
            expected: None,
            period_s: PERIOD_S,
            stale_after_s: STALE_S,
            check: None,
            expression: None,
            remedy: String::new(),
            watch: Default::default(),
            line: 0,
        },
    };
    Some(PointTemplate { unit: own_unit.unwrap_or(base.unit), line: table.line, ..base })
}

fn check_topic(sheet: &Sheet, topic: &Field<String>, placeholders: &[&str]) -> bool {
    if topic.value.contains(['#', '+', '\0']) {
        let message = format!("`{}` has a wildcard: a point has one topic", topic.value);
        sheet.error(topic.line, message, "write the whole topic; {tag} stands for the element's tag");
        return false;
    }
    check_placeholders(sheet, topic, placeholders)
}

fn check_placeholders(sheet: &Sheet, text: &Field<String>, known: &[&str]) -> bool {
    let mut fine = true;
    for part in text.value.split('{').skip(1) {
        let word = part.split('}').next().unwrap_or_default();
        if part.contains('}') && known.contains(&word) {
            continue;
        }
        fine = false;
        let remedy = if known.is_empty() {
            "a point bound by hand has its whole topic written out".to_owned()
        } else {
            let all: Vec<String> = known.iter().map(|k| format!("{{{k}}}")).collect();
            let near = nearest(word, known.iter().copied()).map(|n| format!("{{{n}}}"));
            did_you_mean(near.as_deref(), &format!("known are {}", all.join(" ")))
        };
        sheet.error(text.line, format!("`{{{word}}}` in `{}` stands for nothing", text.value), remedy);
    }
    fine
}

/// Roles that rules read and nothing brings.
pub(super) fn check_roles(sheet: &Sheet, templates: &[Template], bindings: &[Binding]) {
    let by_hand = || {
        bindings.iter().filter_map(|b| match b {
            Binding::Point { point, .. } => Some(point.role.as_str()),
            Binding::Rule { .. } => None,
        })
    };
    let anywhere = || templates.iter().flat_map(|t| &t.points).map(|p| p.role.as_str()).chain(by_hand());
    for template in templates {
        let here = || template.points.iter().map(|p| p.role.as_str()).chain(by_hand());
        for rule in &template.points {
            let Some(Ok(expression)) = rule.expression.as_deref().map(Expression::compile) else { continue };
            for name in expression.names() {
                let Name::Role { host, role } = name else { continue };
                let known = if *host { anywhere().any(|r| r == role) } else { here().any(|r| r == role) };
                if known {
                    continue;
                }
                let near = if *host { nearest(role, anywhere()) } else { nearest(role, here()) };
                let place = if *host { "any template" } else { "this template" };
                let message = format!("rule `{}` reads `{name}`, which is no point of {place}", rule.role);
                sheet.error(rule.line, message, did_you_mean(near, "add the point, or mend the expression"));
            }
        }
    }
}

fn did_you_mean(near: Option<&str>, otherwise: &str) -> String {
    near.map_or_else(|| otherwise.to_owned(), |near| format!("did you mean `{near}`?"))
}

/// `zone_co2` → `Zone CO₂`.
fn in_words(role: &str) -> String {
    let words: Vec<&str> =
        role.split('_').filter(|w| !w.is_empty()).map(|w| if w == "co2" { "CO₂" } else { w }).collect();
    let text = words.join(" ");
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::testing::told;
    use crate::site::point::Watching;

    #[test]
    fn what_samples_should_be_like_in_their_own_unit() {
        let points = "[templates.a.points]\nx = { unit = \"[degF]\", possible = [-40, 212], max_per_min = 18, spike = 9, \
                      flat_after_s = 7200 }\nm = { unit = \"kW.h\", counter = true, rolls_at = 1000 }\n";
        let project = told(points, &[]);
        let of = |role: &str| project.templates[0].points.iter().find(|p| p.role == role).unwrap().watch;
        let (x, m) = (of("x"), of("m"));
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        let [low, high] = x.possible.unwrap();
        assert!(near(low, -40.0) && near(high, 100.0) && near(x.rate_per_s.unwrap(), 10.0 / 60.0), "{x:?}");
        assert!(near(x.spike.unwrap(), 5.0) && x.flat_s == Some(7200.0) && x.counter.is_none());
        assert_eq!(m, Watching { counter: Some(true), rolls_at: Some(3.6e9), ..Watching::default() });
        told("[templates.a.points]\nx = { unit = \"1\", possible = [2, 1] }\n", &[(5, "goes from 2 to 1")]);
        told("[templates.a.points]\nx = { unit = \"1\", spike = 0 }\n", &[(5, "`spike`")]);
    }
}
