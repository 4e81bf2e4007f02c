use super::*;
use proptest::prelude::*;

/// Evaluates a text whose names are roles with the given values.
fn value(text: &str, roles: &[(&str, f64)]) -> Outcome {
    let expression = Expression::compile(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    let mut bound = bind(&expression, roles).unwrap();
    let values: Vec<f64> = bound.inputs().iter().map(|p| roles[p.0 as usize].1).collect();
    bound.evaluate(&values, Time(0))
}

fn bind(expression: &Expression, roles: &[(&str, f64)]) -> Result<Bound, Name> {
    expression.bind(|name| {
        let at = roles.iter().position(|(role, _)| *role == name.to_string())?;
        Some(Input::Point(PointIndex(at as u32)))
    })
}

fn number(text: &str) -> f64 {
    match value(text, &[]) {
        Outcome::Value(v) => v,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn arithmetic() {
    for (text, is) in [
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("10 - 4 - 3", 3.0),
        ("2^3^2", 512.0),
        ("-2^2", -4.0),
        ("2^-1", 0.5),
        ("--3", 3.0),
        ("1e3 + .5", 1000.5),
        ("8 / 4 / 2", 1.0),
        ("abs(-3) + sqrt(16) + min(5, 2, 9) + max(1, 7)", 16.0),
        ("1 < 2 and 2 <= 2 and 3 > 2 and 3 >= 3 and 1 == 1 and 1 != 2", 1.0),
        ("not 1 < 2", 0.0),
        ("not not 5", 1.0),
        ("0 or 0.5", 1.0),
        ("1 or 0 and 0", 1.0),
        ("if(2 > 1, 10, 20)", 10.0),
        ("if(2 < 1, 10, if(1, 30, 40)) + 1", 31.0),
    ] {
        assert_eq!(number(text), is, "{text}");
    }
}

#[test]
fn names_of_points_and_properties() {
    let e = Expression::compile("flow + host.flow * prop.Nominal / host.prop.Size - flow").unwrap();
    let names: Vec<String> = e.names().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["flow", "host.flow", "prop.Nominal", "host.prop.Size"]);
    let missing = e.bind(|n| matches!(n, Name::Role { host: false, .. }).then_some(Input::Constant(1.0))).unwrap_err();
    assert_eq!(missing.to_string(), "host.flow");
    let mut bound = e
        .bind(|n| match n {
            Name::Role { .. } => Some(Input::Point(PointIndex(7))),
            Name::Property { .. } => Some(Input::Constant(4.0)),
        })
        .unwrap();
    assert_eq!(bound.inputs(), [PointIndex(7)]);
    assert_eq!(bound.evaluate(&[3.0], Time(0)), Outcome::Value(3.0));
}

#[test]
fn only_what_is_read_must_be_known() {
    let roles = [("a", f64::NAN), ("b", 2.0)];
    assert_eq!(value("if(b > 1, b, a)", &roles), Outcome::Value(2.0));
    assert_eq!(value("if(b < 1, b, a)", &roles), Outcome::NotReady);
    assert_eq!(value("if(b > 1, hold, a)", &roles), Outcome::Hold);
    assert_eq!(value("1 + hold", &roles), Outcome::Hold);
    assert_eq!(value("b / 0", &roles), Outcome::NotReady);
    assert_eq!(value("if(0 / 0 > 1, 1, 2)", &roles), Outcome::NotReady);
    assert_eq!(value("sqrt(-b)", &roles), Outcome::NotReady);
    assert_eq!(value("10^400", &roles), Outcome::NotReady);
}

#[test]
fn a_mean_forgets_what_is_older_than_its_window() {
    let mut bound = bind(&Expression::compile("mean(x, 64)").unwrap(), &[("x", 0.0)]).unwrap();
    assert_eq!(bound.evaluate(&[10.0], Time(0)), Outcome::Value(10.0));
    assert_eq!(bound.evaluate(&[20.0], Time(30_000)), Outcome::Value(15.0));
    assert_eq!(bound.evaluate(&[30.0], Time(63_000)), Outcome::Value(20.0));
    assert_eq!(bound.evaluate(&[30.0], Time(64_500)), Outcome::Value(80.0 / 3.0));
    assert_eq!(bound.evaluate(&[1.0], Time(1_000_000)), Outcome::Value(1.0));
    // A clock that goes back does not bring the past back.
    assert_eq!(bound.evaluate(&[3.0], Time(5)), Outcome::Value(2.0));
}

#[test]
fn a_mean_inside_an_if_sees_only_what_was_chosen() {
    let e = Expression::compile("if(on, mean(x, 600), hold)").unwrap();
    let mut bound = bind(&e, &[("on", 0.0), ("x", 0.0)]).unwrap();
    assert_eq!(bound.evaluate(&[1.0, 4.0], Time(0)), Outcome::Value(4.0));
    assert_eq!(bound.evaluate(&[0.0, 999.0], Time(10_000)), Outcome::Hold);
    assert_eq!(bound.evaluate(&[1.0, 6.0], Time(20_000)), Outcome::Value(5.0));
}

#[test]
fn rises_are_counted_and_forgotten() {
    let mut bound = bind(&Expression::compile("rises(x, 3600)").unwrap(), &[("x", 0.0)]).unwrap();
    let mut at = |minute: i64, x: f64| bound.evaluate(&[x], Time(minute * 60_000));
    assert_eq!(at(0, 1.0), Outcome::Value(0.0), "running when first seen is no start");
    assert_eq!(at(1, 0.0), Outcome::Value(0.0));
    assert_eq!(at(2, 1.0), Outcome::Value(1.0));
    assert_eq!(at(3, 1.0), Outcome::Value(1.0));
    assert_eq!(at(4, 0.4), Outcome::Value(1.0));
    assert_eq!(at(5, 0.6), Outcome::Value(2.0));
    assert_eq!(at(61, 0.6), Outcome::Value(2.0));
    assert_eq!(at(62, 0.6), Outcome::Value(1.0));
    assert_eq!(at(300, 0.6), Outcome::Value(0.0));
}

#[test]
fn rises_have_a_bound() {
    let mut bound = bind(&Expression::compile("rises(x, 86400)").unwrap(), &[("x", 0.0)]).unwrap();
    let mut last = Outcome::NotReady;
    for i in 0..10_000_i64 {
        last = bound.evaluate(&[(i % 2) as f64], Time(i));
    }
    assert_eq!(last, Outcome::Value(256.0));
}

#[test]
fn mistakes_say_where_and_what_to_do() {
    for (text, column, word) in [
        ("", 1, "a value is expected"),
        ("1 +", 4, "a value is expected"),
        ("1 + * 2", 5, "a value is expected"),
        ("(1 + 2", 7, "`)` expected"),
        ("1 2", 3, "does not belong here"),
        ("a = b", 3, "has no meaning"),
        ("a & b", 3, "has no meaning"),
        ("foo(1)", 1, "not a function"),
        ("abs + 1", 1, "is a function"),
        ("abs(1, 2)", 6, "`)` expected"),
        ("min(1)", 6, "`,` expected"),
        ("if(1, 2)", 8, "`,` expected"),
        ("mean(x)", 7, "`,` expected"),
        ("mean(x, y)", 9, "window"),
        ("mean(x, 0)", 9, "window"),
        ("1 < 2 < 3", 7, "do not chain"),
        ("a.b.c", 1, "no name"),
        ("host.prop", 1, "no name"),
        ("and 1", 1, "stands where"),
        ("größe + 20 %", 12, "has no meaning"),
    ] {
        let e = Expression::compile(text).expect_err(text);
        assert_eq!(e.column, column, "{text}: {e}");
        assert!(e.message.contains(word), "{text}: {e}");
        assert!(!e.remedy.is_empty(), "{text}");
    }
    let deep = "(".repeat(5000);
    assert!(Expression::compile(&deep).is_err());
    let deep = format!("{}1{}", "(".repeat(500), ")".repeat(500));
    assert!(Expression::compile(&deep).unwrap_err().message.contains("too deep"));
    assert!(Expression::compile(&format!("1{}", "^1".repeat(500))).unwrap_err().message.contains("too deep"));
    assert_eq!(number(&format!("{}1", "-".repeat(2000))), 1.0);
}

/// An arithmetic tree, its text and its value computed directly.
fn tree() -> impl Strategy<Value = (String, f64)> {
    let leaf = (-50.0..50.0_f64).prop_map(|v| (format!("({v})"), v));
    leaf.prop_recursive(5, 48, 2, |inner| {
        (inner.clone(), inner, 0..7_u8).prop_map(|((at, a), (bt, b), op)| match op {
            0 => (format!("({at} + {bt})"), a + b),
            1 => (format!("({at} - {bt})"), a - b),
            2 => (format!("({at} * {bt})"), a * b),
            3 => (format!("({at} / {bt})"), a / b),
            4 => (format!("max({at}, {bt})"), a.max(b)),
            5 => (format!("if({at} < {bt}, -{at}, abs({bt}))"), if a < b { -a } else { b.abs() }),
            _ => (format!("-{at}"), -a),
        })
    })
}

proptest! {
    #[test]
    fn any_text_is_taken_or_refused(text in "\\PC{0,80}") {
        let _ = Expression::compile(&text);
    }

    #[test]
    fn any_words_are_taken_or_refused(words in prop::collection::vec(
        prop::sample::select(vec!["(", ")", ",", "if", "not", "and", "or", "-", "+", "^", "*", "/", "<", "==", "1",
            "mean", "rises", "hold", "x", "host.x", "prop.X", "max", "60"]), 0..40)) {
        if let Ok(e) = Expression::compile(&words.join(" ")) {
            let mut bound = e.bind(|_| Some(Input::Constant(0.7))).unwrap();
            for t in 0..4 {
                if let Outcome::Value(v) = bound.evaluate(&[], Time(t)) {
                    prop_assert!(v.is_finite());
                }
            }
        }
    }

    #[test]
    fn arithmetic_agrees_with_the_language_it_is_written_in((text, is) in tree()) {
        match value(&text, &[]) {
            Outcome::Value(v) => prop_assert!(v == is, "{text}: {v} is not {is}"),
            other => prop_assert!(other == Outcome::NotReady, "{text}: {other:?}"),
        }
    }

    #[test]
    fn chains_without_brackets_go_from_left_to_right(values in prop::collection::vec(-9.0..9.0_f64, 1..30)) {
        let text = values.iter().map(|v| format!("({v})")).collect::<Vec<_>>().join(" - ");
        let is = values.iter().copied().reduce(|a, b| a - b).unwrap();
        prop_assert_eq!(value(&text, &[]), Outcome::Value(is));
    }
}
