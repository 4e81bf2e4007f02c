//! Short texts: expressions, patterns, durations, colours, addresses, units.

use crate::engine::{Fuzz, outcome_of, then};
use crate::search::is_an_order;
use plenum::analytics::expression::{Expression, Input, Name, Outcome};
use plenum::import::colour;
use plenum::simulation::emulator::FaultSpec;
use plenum::site::PointIndex;
use plenum::site::ids::Pattern;
use plenum::site::project::BrokerUrl;
use plenum::site::search::lower;
use plenum::site::unit::{UNITS, Unit};
use plenum::time::{Time, parse_seconds};

pub fn expression() {
    let seeds = [
        "if(running > 0.5, mean(flow / prop.NominalFlow, 60), hold)",
        "max(mean(if(running > 0.5, 9.5 * (a * 2.718^(17.6 * t / (t + 243)) - b), 0), 300), 0)",
        "abs(command - position)",
        "-2^2^-3 + +4 * (1 - host.prop.Name) / host.flow",
        "not a and b or c == d != e",
        "rises(running, 3600) >= 3",
        "min(1, 2, 3, sqrt(x), abs(-1.5e-3))",
        "(((((((((((((((((((((((((((((((1)))))))))))))))))))))))))))))))",
    ];
    let words = [
        "(",
        ")",
        ",",
        "+",
        "-",
        "*",
        "/",
        "^",
        "<",
        "<=",
        ">",
        ">=",
        "==",
        "!=",
        "and ",
        "or ",
        "not ",
        "if(",
        "mean(",
        "rises(",
        "min(",
        "max(",
        "abs(",
        "sqrt(",
        "hold",
        "host.",
        "prop.",
        "flow",
        "0",
        "1e308",
        "1e-320",
        "60",
        " ",
        ".",
        "host.prop.",
    ];
    Fuzz::new("expression").longest(5000).seeds(seeds).words(&words).run(|input| {
        let text = String::from_utf8_lossy(input);
        let compiled = match Expression::compile(&text) {
            Ok(compiled) => compiled,
            Err(e) => {
                assert!(!e.message.is_empty() && !e.remedy.is_empty());
                assert!((1..=text.chars().count() + 1).contains(&e.column), "column {}", e.column);
                return outcome_of([e.message.as_str(), e.remedy.as_str()]);
            }
        };
        // Every other name is a number of the element.
        let meaning = |name: &Name| {
            let at = compiled.names().iter().position(|n| n == name)?;
            Some(if at % 2 == 0 { Input::Point(PointIndex(at as u32)) } else { Input::Constant(1.0 / at as f64) })
        };
        let mut bound = compiled.bind(meaning).unwrap();
        let values = [0.0, 1.0, -1.0, f64::NAN, 1e308, -1e308, 5e-324, 0.5];
        let times = [0, 1, 1000, -5, 60_000, 60_000, 3_600_000, i64::MAX, i64::MIN, 7_200_000];
        let mut outcome = compiled.names().len() as u64;
        for (n, time) in times.iter().enumerate() {
            let given: Vec<f64> = (0..bound.inputs().len()).map(|i| values[(i + n) % values.len()]).collect();
            let result = match bound.evaluate(&given, Time(*time)) {
                Outcome::Value(value) => {
                    assert!(value.is_finite(), "a result that is no number");
                    1
                }
                Outcome::Hold => 2,
                Outcome::NotReady => 0,
            };
            outcome = then(outcome, result);
        }
        assert!(compiled.bind(|_| None).is_err() || compiled.names().is_empty());
        outcome
    });
}

/// A pattern in the first line, texts in the others.
pub fn pattern() {
    let seeds = [
        "[A-Z]{2,3}-\\d+\nAB-1\nab-1\n",
        "(a|b)*c+d?\nabc\n",
        "[a-z-[aeiou]]+\nxyz\nabc\n",
        "\\i\\c*:\\p{Lu}\\P{N}\\s\\S\\w\\W.\n_a:Ä \n",
        "\\p{IsBasicLatin}{1,40}|[^\\-\\]^]\nx\n",
        "((((a*)*)*)*)*b\naaaaaaaaaaaaaaaaaaaaaaaa\n",
    ];
    let words = [
        "(",
        ")",
        "[",
        "]",
        "-[",
        "[^",
        "{",
        "}",
        "{2,}",
        "{0,1000}",
        "{1000}",
        "*",
        "+",
        "?",
        "|",
        ".",
        "\\",
        "\\p{L}",
        "\\P{Nd}",
        "\\p{IsGreek}",
        "\\i",
        "\\c",
        "\\d",
        "\\w",
        "^",
        "$",
        "&&",
        "~~",
        "--",
        "(?i)",
        "\\b",
        "a-z",
        "\n",
    ];
    Fuzz::new("pattern").longest(2000).seeds(seeds).words(&words).run(|input| {
        let text = String::from_utf8_lossy(input);
        let (source, texts) = text.split_once('\n').unwrap_or((&text, ""));
        match Pattern::parse(source) {
            Ok(pattern) => {
                assert_eq!(pattern.source(), source);
                texts.lines().take(20).map(|t| u64::from(pattern.matches(t))).fold(1, |a, b| (a * 2 + b) % 64)
            }
            Err(why) => {
                assert!(!why.is_empty());
                outcome_of([why.as_str()])
            }
        }
    });
}

/// Words that people give on the command line, in a project file or in a table; one a line.
pub fn word() {
    let seeds = [
        "60s\n1.5m\n250ms\n2h\n3d\n-1s\n1e300d\n",
        "#8a2\n#12ab3f\n#\n#+ff\n",
        "stuck-valve@20s\npump-wear:CHWP-1=0.8@5m\n@\n",
        "mqtts://broker.example:8883\nmqtt://[::1]:1883/\nembedded\nmqtt://127.0.0.1\n",
        "2026-05-11T06:00:00Z\n2026-05-11T06:00:00.123456789+02:00\n-009999-01-01T00:00:00Z\n",
        "m3/h\nCel\n[ppm]\nkW\n%\n",
        "VAV-2\nVAV-10\nvav-02\nİ-1\nß\n",
    ];
    let words =
        ["s", "ms", "@", "=", ":", "#", "://", "[", "]", "mqtt", "Z", "T", "+", "-", ".", "e", "\n", "0", "/", "%"];
    Fuzz::new("word").longest(600).seeds(seeds).words(&words).run(|input| {
        let text = String::from_utf8_lossy(input);
        let lines: Vec<&str> = text.lines().take(8).collect();
        let mut outcome = 0_u64;
        for line in &lines {
            let seconds = parse_seconds(line);
            assert!(seconds.is_none_or(|s| s >= 0.0), "{seconds:?}");
            if let Some(s) = seconds {
                let _ = std::time::Duration::try_from_secs_f64(s);
                let _ = Time(0).plus_seconds(s).plus_seconds(-s).to_string();
            }
            let time = Time::parse(line);
            if let Some(time) = time {
                assert_eq!(Time::parse(&time.to_string()), Some(time), "{line:?}");
            }
            let colour = colour::from_hex(line);
            assert!(colour.is_none_or(|c| c.iter().all(|v| (0.0..=1.0).contains(v))), "{colour:?}");
            let fault = FaultSpec::parse(line);
            let url = BrokerUrl::parse(line);
            assert!(url.as_ref().err().is_none_or(|(message, remedy)| !message.is_empty() && !remedy.is_empty()));
            let unit = Unit::parse(line);
            assert!(unit.is_none_or(|u| UNITS.contains(&u) && u.from_si(u.to_si(1.0)).is_finite()));
            assert_eq!(lower(&lower(line)), lower(line), "{line:?}");
            let kinds =
                [seconds.is_some(), time.is_some(), colour.is_some(), fault.is_ok(), url.is_ok(), unit.is_some()];
            let why = fault.err().map(|p| p.message).unwrap_or_default();
            outcome = kinds.iter().fold(outcome, |o, k| then(o, u64::from(*k)));
            outcome = then(outcome, outcome_of([why.as_str()]));
        }
        is_an_order(&lines);
        outcome
    });
}
