//! `[publish]`: what the twin tells others over MQTT.

use super::sheet::Table;

/// What a twin publishes of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Publish {
    /// Everything goes out below this topic, no slash at its end.
    pub topic: String,
    /// Alarms: each change of one, and the list of those that are not over.
    pub findings: bool,
    /// Counts of health, scores of flow networks.
    pub kpis: bool,
    /// Measured less solved, of each point that is compared.
    pub residuals: bool,
    /// How often what has no moment of its own goes out, seconds.
    pub every_s: f64,
    /// The broker keeps the last of each topic for who comes later.
    pub retain: bool,
}

pub(super) fn read(table: Table<'_>) -> Option<Publish> {
    let (sheet, line) = (table.sheet, table.line);
    if !table.has("topic") {
        sheet.error(line, "[publish] has no `topic`", "write topic = \"plenum/twin/NAME\"");
    }
    let topic = table.word("topic").and_then(|t| {
        let below = t.value.trim_end_matches('/');
        if below.is_empty() || below.contains(['#', '+', '\0']) || below.starts_with('$') {
            let message = format!("`{}` is no topic that others can stand below", t.value);
            sheet.error(t.line, message, "write it without # and +: \"plenum/twin/NAME\"");
            return None;
        }
        Some(below.to_owned())
    });
    let what = table.texts("what");
    let mut wanted = [what.is_none(), what.is_none(), false];
    for word in what.unwrap_or_default() {
        let known = ["findings", "kpis", "residuals"].iter().position(|w| *w == word.value);
        match known.and_then(|at| wanted.get_mut(at)) {
            Some(wanted) => *wanted = true,
            None => {
                let message = format!("`{}` is nothing that a twin publishes", word.value);
                sheet.error(word.line, message, "name some of findings, kpis, residuals");
            }
        }
    }
    let [findings, kpis, residuals] = wanted;
    let every_s = table.number_in("every_s", 1.0, 86_400.0).map_or(60.0, |n| n.value);
    let retain = table.truth("retain").unwrap_or(true);
    table.finish();
    Some(Publish { topic: topic?, findings, kpis, residuals, every_s, retain })
}

#[cfg(test)]
mod tests {
    use super::super::load;
    use super::*;

    fn of(lines: &str) -> (Option<Publish>, Option<String>, Vec<(String, String)>) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("twin.toml"), format!("name = \"x\"\nmodels = []\n{lines}")).unwrap();
        let (project, problems) = load(folder.path()).unwrap();
        let problems = problems.into_iter().map(|p| (p.place, p.message)).collect();
        (project.publish, project.ingest.own, problems)
    }

    #[test]
    fn nothing_goes_out_unless_somebody_asks() {
        assert_eq!(of(""), (None, None, vec![]));
        let (publish, own, problems) = of("[publish]\ntopic = \"plenum/twin/x/\"\n");
        let expected = Publish {
            topic: "plenum/twin/x".into(),
            findings: true,
            kpis: true,
            residuals: false,
            every_s: 60.0,
            retain: true,
        };
        assert_eq!((publish, own.as_deref()), (Some(expected), Some("plenum/twin/x")));
        assert_eq!(problems, []);
        let text = "[publish]\ntopic = \"t\"\nwhat = [\"residuals\"]\nevery_s = 5\nretain = false\n";
        let (Some(publish), _, _) = of(text) else { panic!("it is asked for") };
        assert!(publish.residuals && !publish.findings && !publish.kpis && !publish.retain && publish.every_s == 5.0);
    }

    #[test]
    fn what_is_wrong_has_its_line() {
        for (lines, line, words) in [
            ("[publish]\nretain = true\n", 3, "has no `topic`"),
            ("[publish]\ntopic = \"a/#\"\n", 4, "no topic that others"),
            ("[publish]\ntopic = \"a\"\nwhat = [\"alarms\"]\n", 5, "`alarms` is nothing"),
            ("[publish]\ntopic = \"a\"\nevery_s = 0\n", 5, "every_s"),
            ("[publish]\ntopic = \"a\"\nqos = 2\n", 5, "`qos` is no key"),
            (
                "[publish]\ntopic = \"a\"\n[[bindings]]\nasset = \"B\"\npoint = \"p\"\nunit = \"1\"\ntopic = \"a/b\"\n",
                5,
                "publishes itself",
            ),
        ] {
            let (_, _, problems) = of(lines);
            let place = format!("twin.toml:{line}");
            assert!(problems.iter().any(|(p, m)| *p == place && m.contains(words)), "{lines}: {problems:?}");
        }
    }
}
