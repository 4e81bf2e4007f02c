use super::*;
use crate::site::ElementKind;
use proptest::prelude::*;

fn ok(text: &str) -> Expr {
    parse(text).unwrap_or_else(|e| panic!("{text}: {e:?}")).expr
}

fn word(text: &str) -> Expr {
    Expr::Term(Term::Word(Pattern::Contains(text.into())))
}

fn not(expr: Expr) -> Expr {
    Expr::Not(Box::new(expr))
}

fn key(key: Key, pattern: Pattern) -> Expr {
    Expr::Term(Term::Key(key, pattern))
}

fn comparison(text: &str) -> Comparison {
    match ok(text) {
        Expr::Term(Term::Property(p)) => p.comparison,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn words_are_joined_by_and_unless_told_otherwise() {
    assert_eq!(ok("Pump"), word("pump"));
    assert_eq!(ok("  a   b "), Expr::All(vec![word("a"), word("b")]));
    assert_eq!(ok("a AND b"), ok("a b"));
    assert_eq!(ok("a b OR c"), Expr::Any(vec![Expr::All(vec![word("a"), word("b")]), word("c")]));
    assert_eq!(ok("a (b OR c)"), Expr::All(vec![word("a"), Expr::Any(vec![word("b"), word("c")])]));
    assert_eq!(ok("-a NOT b -(c d)"), {
        let both = Expr::All(vec![word("c"), word("d")]);
        Expr::All(vec![not(word("a")), not(word("b")), not(both)])
    });
    assert_eq!(ok("NOT(a)"), not(word("a")));
    assert_eq!(ok("VAV-1-03 ORDER"), Expr::All(vec![word("vav-1-03"), word("order")]));
    assert_eq!(ok("\"level 2\" \"OR\""), Expr::All(vec![word("level 2"), word("or")]));
    assert_eq!(ok("P-*-1"), Expr::Term(Term::Word(Pattern::Parts(vec!["p-".into(), "-1".into()]))));
    assert_eq!(ok("\"say \"\"hi\"\"\""), word("say \"hi\""));
    assert_eq!(ok("\"\"\"quoted\"\"\""), word("\"quoted\""));
    assert_eq!(ok("\u{201c}level 2\u{201d}"), word("level 2"));
}

#[test]
fn lower_case_joints_are_words_and_said_so() {
    let query = parse("pump or fan").unwrap();
    assert_eq!(query.expr, Expr::All(vec![word("pump"), word("or"), word("fan")]));
    assert!(query.hints[0].contains("OR"), "{:?}", query.hints);
    assert_eq!(parse("pump \"or\" fan").unwrap().hints, Vec::<String>::new());
}

#[test]
fn keys() {
    let whole = |t: &str| Pattern::Whole(t.into());
    let part = |t: &str| Pattern::Contains(t.into());
    for (text, expected) in [
        ("class:IfcPump", key(Key::Class, whole("ifcpump"))),
        ("CLASS: pump", key(Key::Class, whole("pump"))),
        ("class:*segment", key(Key::Class, Pattern::Parts(vec!["".into(), "segment".into()]))),
        ("storey:\"Level 2\"", key(Key::Storey, whole("level 2"))),
        ("level:Roof", key(Key::Storey, whole("roof"))),
        ("system:\"Chilled water\"", key(Key::System, part("chilled water"))),
        ("system:=\"Chilled water\"", key(Key::System, whole("chilled water"))),
        ("room:R.01", key(Key::Space, part("r.01"))),
        ("classification:Uniclass:Ss_65", key(Key::Classification, part("uniclass:ss_65"))),
        ("id:2Yz$k", Expr::Term(Term::Id(Pattern::Whole("2Yz$k".into())))),
        ("guid:2Y*", Expr::Term(Term::Id(Pattern::Parts(vec!["2Y".into(), "".into()])))),
        ("kind:Space", Expr::Term(Term::Kind(ElementKind::Space))),
        ("health:critical", Expr::Term(Term::Health(HealthWord::Critical))),
        ("has:points", Expr::Term(Term::Has(Thing::Points))),
        ("no:storey", not(Expr::Term(Term::Has(Thing::Storey)))),
    ] {
        assert_eq!(ok(text), expected, "{text}");
    }
    assert!(parse("pump health:good").unwrap().asks_for_health() && !parse("pump").unwrap().asks_for_health());
}

#[test]
fn properties() {
    let number = |value, code: Option<&str>| Number { value, unit: code.and_then(Unit::parse) };
    for (text, side, expected) in [
        ("A.B>0.01", Side::Above, number(0.01, None)),
        ("A >= -1.5e3", Side::AtLeast, number(-1500.0, None)),
        ("A<50mm", Side::Below, number(50.0, Some("mm"))),
        ("A <= 10 kW x", Side::AtMost, number(10.0, Some("kW"))),
        ("A>3m³/h", Side::Above, number(3.0, Some("m3/h"))),
        ("A>\"21 °C\"", Side::Above, number(21.0, Some("Cel"))),
    ] {
        let found = match ok(text) {
            Expr::All(list) => list[0].clone(),
            other => other,
        };
        let Expr::Term(Term::Property(p)) = found else { panic!("{text}") };
        assert_eq!(p.comparison, Comparison::Compares(side, expected), "{text}");
    }
    let Expr::Term(Term::Property(p)) = ok("Pset_PumpTypeCommon.\"Flow Rate\">1") else { panic!() };
    assert_eq!(p.set, Some(Pattern::Whole("pset_pumptypecommon".into())));
    assert_eq!(p.name, Pattern::Whole("flow rate".into()));
    assert_eq!(p.whole, Some(Pattern::Whole("pset_pumptypecommon.flow rate".into())));
    assert_eq!(p.written, "Pset_PumpTypeCommon.Flow Rate");
    assert_eq!(comparison("A~Steel"), Comparison::Has("steel".into()));
    assert_eq!(comparison("A=*"), Comparison::IsThere);
    let is = |text: &str, truth, number| Comparison::Is { text: Pattern::Whole(text.into()), truth, number };
    assert_eq!(comparison("A=Steel"), is("steel", None, None));
    assert_eq!(comparison("A=true"), is("true", Some(true), None));
    assert_eq!(comparison("A=60"), is("60", None, Some(number(60.0, None))));
    assert_eq!(comparison("A=\"60\""), is("60", None, None));
    assert_eq!(comparison("A=60 min"), is("60 min", None, Some(number(60.0, Some("min")))));
    assert_eq!(comparison("A=60furlong"), is("60furlong", None, None));
    assert!(matches!(ok("A!=1"), Expr::All(list) if list.len() == 2));
    assert!(matches!(ok("A!=*"), Expr::Not(_)));
}

#[test]
fn what_is_wrong_has_its_column_and_a_remedy() {
    for (text, column, message, remedy) in [
        ("", 1, "nothing to look for", "word"),
        ("   ", 1, "nothing to look for", "word"),
        ("clas:IfcPump", 1, "`clas` is no key", "did you mean `class:`?"),
        ("pump colour:red", 6, "`colour` is no key", "class, storey"),
        ("Basic:Wall", 1, "no key", "in quotes"),
        ("class:", 7, "a value is expected", "class:NAME"),
        ("class: OR", 8, "", ""),
        ("pump \"level", 6, "never closed", "twice"),
        ("a \"\"", 3, "nothing between", ""),
        ("(a b", 1, "never closed", ")"),
        ("a)", 2, "closes nothing", "("),
        ("()", 2, "before this `)`", ""),
        ("a OR", 5, "expected after this", "quotes"),
        ("OR a", 1, "before `OR`", "quotes"),
        ("a AND OR b", 7, "before `OR`", ""),
        ("NOT", 4, "expected after this", ""),
        ("a - b", 3, "nothing is not wanted", "\"-\""),
        (">3", 1, "a name is expected before this `>`", "quotes"),
        (":x", 1, "a name is expected", ""),
        ("A>", 3, "a value is expected after `A`", "A>0.5"),
        ("A>warm", 3, "a number is expected here, not `warm`", "A=warm"),
        ("A>3furlong", 4, "`furlong` is no unit", "kW"),
        ("A>0,01", 4, "`,01` is no unit", "0.01"),
        ("A=f(x)", 4, "within a value", "quotes"),
        ("health:bad", 8, "`bad` is nothing that `health:` knows", "critical"),
        ("health:criticl", 8, "", "health:critical"),
        ("has:storry", 5, "", "has:storey"),
        ("kind:wall", 6, "", "element, space, feature"),
    ] {
        if text == "class: OR" {
            // A value like any other: no class is called so.
            assert_eq!(ok(text), key(Key::Class, Pattern::Whole("or".into())));
            continue;
        }
        let wrong = parse(text).expect_err(text);
        assert_eq!(wrong.column, column, "{text}: {wrong:?}");
        assert!(wrong.message.contains(message) && wrong.remedy.contains(remedy), "{text}: {wrong:?}");
        assert!(!wrong.remedy.is_empty(), "{text}");
        let caret = wrong.caret(text);
        let (line, below) = caret.split_once('\n').unwrap();
        assert_eq!(line, text);
        assert_eq!(below, format!("{}^", " ".repeat(column - 1)));
    }
    assert!(parse(&"(".repeat(5_000)).unwrap_err().message.contains("characters at most"));
    for deep in ["(".repeat(500), "-".repeat(500) + "a", "NOT ".repeat(500)] {
        assert!(parse(&deep).unwrap_err().message.contains("deep"), "{deep}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_line_makes_it_panic(text in "\\PC{0,60}") {
        if let Err(wrong) = parse(&text) {
            prop_assert!(wrong.column >= 1 && wrong.column <= text.chars().count() + 1, "{wrong:?}");
        }
    }

    #[test]
    fn no_line_of_the_languages_own_signs_makes_it_panic(
        parts in prop::collection::vec(prop::sample::select(vec![
            "class", "health", "no", "has", ":", "=", "!=", ">", "<=", "~", "\"", "\"\"", "(", ")", "-", "*", ".",
            " ", " ", "OR", "AND", "NOT", "pump", "A.B", "0.01", "3m", "1e999", "é", "storey", "critical", "\t", "!",
        ]), 0..16)
    ) {
        let text = parts.concat();
        if let Err(wrong) = parse(&text) {
            prop_assert!(wrong.column >= 1 && wrong.column <= text.chars().count() + 1, "{wrong:?}");
            prop_assert!(!wrong.message.is_empty() && !wrong.remedy.is_empty());
        }
    }
}
