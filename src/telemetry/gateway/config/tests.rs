use super::read::read;
use super::*;
use crate::problem::{Problem, Severity};
use crate::telemetry::gateway::aggregate::Take;
use crate::telemetry::gateway::device::modbus::{Area, Format};
use std::path::Path;

fn of(text: &str) -> Result<(Config, Vec<Problem>), (Problem, Vec<Problem>)> {
    let folder = std::env::temp_dir();
    read(&folder.join("gateway.toml"), text)
}

const HEAD: &str = "id = 'gw'\n[broker]\nurl = 'mqtt://127.0.0.1'\n";

#[test]
fn the_example_is_what_it_says() {
    let (config, problems) = of(EXAMPLE).unwrap();
    assert_eq!(problems, []);
    assert_eq!((config.id.as_str(), config.devices.len(), config.points()), ("gw-1", 3, 4));
    assert_eq!(config.pace, Pace::default());
    assert_eq!(config.options.limit_bytes, 2_000_000_000);
    let ahu = &config.devices[0];
    assert!(matches!(&ahu.kind, Kind::Modbus { host, port: 502, unit: 1, rtu: false, .. } if host == "192.0.2.10"));
    assert_eq!((ahu.points[0].topic.as_str(), ahu.points[0].key.as_str()), ("site/AHU-1", "supply_temperature"));
    assert_eq!(ahu.points[0].rule, Rule::Period { length_ms: 60_000, take: Take::Mean });
    let Source::Modbus(register) = &ahu.points[0].source else { panic!() };
    assert_eq!((register.area, register.address, register.format), (Area::Holding, 100, Format::F32));
    let flow = &config.devices[1].points[0];
    assert_eq!((flow.topic.as_str(), flow.key.as_str(), flow.unit.code), ("site/CH-1/flow", "", "m3/h"));
    assert_eq!(flow.rule, Rule::Change { deadband: 0.5, at_least_ms: Some(300_000) });
    assert_eq!(config.devices[2].points[0].topic, "gw-1/SIM-1");
    assert!(config.spool.is_absolute());
}

#[test]
fn what_is_wrong_has_its_line() {
    let devices = "[[devices]]\nname = 'A'\nkind = 'modbus-tcp'\naddress = '10.0.0.1'\n";
    let good = "[[devices.points]]\nname = 'good'\nregister = 1\n";
    // Lines 8 to 10 are the good point; what is wrong stands behind it.
    let cases: &[(&str, usize, &str)] = &[
        ("[[devices.points]]\nname = 'x'\n", 11, "no `register`"),
        ("[[devices.points]]\nname = 'x'\nregister = 70000\n", 13, "`register`"),
        ("[[devices.points]]\nname = 'x'\nregister = 65535\ntype = 'f32'\n", 13, "behind the last register"),
        ("[[devices.points]]\nname = 'x'\nregister = 1\ntype = 'float'\n", 14, "no type of a register"),
        ("[[devices.points]]\nname = 'x'\nregister = 1\nread = 'coils'\n", 14, "no table"),
        ("[[devices.points]]\nname = 'x'\nregister = 1\nread = 'coil'\ntype = 'u32'\n", 15, "single bits"),
        ("[[devices.points]]\nname = 'x'\nregister = 1\nunit = 'furlong'\n", 14, "no known unit"),
        ("[[devices.points]]\nname = 'x'\nregister = 1\ntake = 'median'\n", 14, "no way to make samples"),
        ("[[devices.points]]\nname = 'x'\nregister = 1\ntake = 'mean'\n", 11, "needs a period"),
        ("[[devices.points]]\nname = 'good'\nregister = 1\n", 11, "two points would be published"),
        ("[[devices.points]]\nname = 'x/y'\nregister = 1\n", 12, "no name for a topic"),
        ("[[devices.points]]\nname = 'x'\nregister = 1\ntopic = 'a/{tag}'\n", 14, "placeholder"),
        ("[[devices.points]]\nname = 'x'\nregister = 1\ntopic = 'a/#'\n", 14, "no topic to publish to"),
        ("[[devices.points]]\nname = 'x'\nregister = 1\nobject = 'analog-input,1'\n", 14, "`object` is no key"),
        ("[[devices.points]]\nname = 'x'\nregister = 1\nword_order = 'middle'\n", 14, "no order"),
        ("[[devices.points]]\nname = 'x'\nregister = 1\nevery_s = 60\n", 14, "means nothing with take"),
        (
            "[[devices]]\nname = 'A'\nkind = 'simulated'\n[[devices.points]]\nname = 'q'\ntopic = 'q'\n",
            12,
            "two devices",
        ),
        ("[[devices]]\nname = 'B'\nkind = 'profibus'\n[[devices.points]]\nname = 'q'\n", 13, "no kind of device"),
        ("[[devices]]\nname = 'B'\nkind = 'bacnet-ip'\n[[devices.points]]\nname = 'q'\n", 11, "no `address`"),
        ("[[devices]]\nname = 'B'\nkind = 'bacnet-ip'\naddress = 'h:x'\n", 14, "is no address"),
        ("[[devices]]\nname = 'B'\nkind = 'bacnet-ip'\naddress = 'h'\nmac = '0C'\n", 11, "belong together"),
        (
            "[[devices]]\nname = 'B'\nkind = 'bacnet-ip'\naddress = 'h'\n[[devices.points]]\nname='q'\nobject = 'ai3'\n",
            17,
            "no object",
        ),
        ("[[devices]]\nname = 'B'\nkind = 'simulated'\naddress = 'h'\n", 14, "means nothing for a device"),
        ("[spool]\nmax_gb = 1\n", 12, "`max_gb` is no key"),
        ("[spool]\nwhen_full = 'stop'\n", 12, "what a full spool loses"),
        ("[pace]\nin_flight = 1\n", 12, "`in_flight`"),
        ("[status]\ntopic = 'a/+'\n", 12, "no topic"),
        ("[historian]\nconfirm = true\n", 12, "did you mean `confirms`?"),
    ];
    for (text, line, words) in cases {
        let (config, problems) = of(&format!("{HEAD}{devices}{good}{text}")).unwrap();
        assert_eq!(config.devices[0].points[0].name, "good", "what is right is read");
        let place = format!("gateway.toml:{line}");
        let found = problems.iter().any(|p| {
            p.place == place && (p.message.contains(words) || p.remedy.contains(words)) && !p.remedy.is_empty()
        });
        assert!(found, "{words} on line {line} of {text}: {problems:#?}");
    }
}

#[test]
fn without_id_broker_or_points_there_is_no_gateway() {
    for (text, words) in [
        ("", "no id or no broker"),
        ("{}}}", "no id or no broker"),
        ("id = 'gw'\n", "no id or no broker"),
        ("[broker]\nurl = 'mqtt://127.0.0.1'\n", "no id or no broker"),
        ("id = 'gw'\n[broker]\n", "no id or no broker"),
        ("id = 'gw'\n[broker]\nurl = 'embedded'\n", "no id or no broker"),
        (HEAD, "nothing to read"),
    ] {
        let (problem, more) = of(text).unwrap_err();
        assert!(problem.message.contains(words) && !problem.remedy.is_empty(), "{text}: {problem}");
        assert!(text == HEAD || !more.is_empty(), "{text}");
    }
    let (_, problems) = of(&EXAMPLE.replace("mqtts://broker.example:8883", "mqtt://broker.example")).unwrap();
    assert!(problems.iter().any(|p| p.severity == Severity::Error && p.message.contains("in the clear")));
    assert!(load(Path::new("there/is/none.toml")).is_err());
}
