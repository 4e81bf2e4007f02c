use super::super::clock::TwinClock;
use super::super::command::Command;
use super::super::scene::OpenSite;
use super::super::telemetry::Inlet;
use super::*;
use crate::TwinPlugins;
use crate::quality::Quality;
use crate::site::point::Check;
use crate::site::project::{Broker, BrokerUrl, Ingest};
use crate::site::unit::Unit;
use crate::site::{Element, PointIndex, Site, Slot};
use crate::telemetry::broker::EmbeddedBroker;
use crate::telemetry::mqtt::Listener;
use crate::telemetry::{Arrival, Sample};
use std::sync::Mutex;

const DAY: i64 = 1_577_880_000_000;

fn site() -> Site {
    let element = Element { id: "GUID-1".into(), tag: "AHU-1".into(), ..Element::default() };
    let check = Check { warning_above: Some(30.0), critical_above: Some(35.0), hysteresis: 1.0, ..Check::default() };
    let point = Point {
        id: "AHU-1/supply".into(),
        asset: Slot(0),
        role: "supply".into(),
        name: "Supply is warm".into(),
        unit: Unit::parse("[degF]").unwrap(),
        expected: None,
        period_s: 5.0,
        stale_after_s: 3600.0,
        check: Some(check),
        source: PointSource::Topic { topic: "t".into(), key: String::new(), broker: None },
        remedy: "look".into(),
        watch: Default::default(),
    };
    Site { elements: vec![element], points: vec![point], ..Site::default() }
}

fn publish(topic: &str) -> Publish {
    Publish { topic: topic.into(), findings: true, kpis: true, residuals: true, every_s: 1.0, retain: true }
}

/// Topic and document of what was heard.
type Heard = Arc<Mutex<Vec<(String, Value)>>>;

struct Bench {
    app: App,
    wire: crossbeam_channel::Sender<Arrival>,
    heard: Heard,
    _listener: Listener,
    _broker: EmbeddedBroker,
}

impl Bench {
    fn new() -> Self {
        let broker = EmbeddedBroker::start(0, 1 << 20).unwrap();
        let address = Address::embedded(broker.address());
        let heard: Heard = Arc::default();
        let to = Arc::clone(&heard);
        let listener = Listener::start(&address, "ears", &["plenum/#".into()], move |topic, payload| {
            to.lock().unwrap().push((topic.to_owned(), serde_json::from_slice(payload).unwrap()));
        })
        .unwrap();
        assert!(listener.wait_connected(Duration::from_secs(60)));
        let (wire, arrivals) = crossbeam_channel::unbounded();
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, TwinPlugins))
            .insert_resource(TwinClock::of_site(true))
            .insert_resource(OpenSite(Arc::new(site())))
            .insert_resource(Inlet(arrivals))
            .insert_resource(Outlet::start(&address, "twin", publish("plenum/twin/x")).unwrap());
        app.update();
        Self { app, wire, heard, _listener: listener, _broker: broker }
    }

    fn sample(&mut self, second: i64, value: f64) {
        let device_time = Time(DAY + second * 1000);
        let (point, quality) = (PointIndex(0), Quality::Good);
        self.wire
            .send(Arrival::Sample(Sample { point, device_time, arrival: wall_clock(), value, quality, code: 0 }))
            .unwrap();
        self.wire.send(Arrival::Clock(device_time)).unwrap();
        self.app.update();
    }

    /// The first document on a topic that is as asked.
    fn until(&mut self, topic: &str, is: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            self.app.update();
            let heard = self.heard.lock().unwrap();
            if let Some((_, found)) = heard.iter().find(|(t, d)| t == topic && is(d)) {
                return found.clone();
            }
            assert!(Instant::now() < deadline, "{topic}: {heard:#?}");
            drop(heard);
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

#[test]
fn findings_and_counts_go_out_as_they_change() {
    let mut bench = Bench::new();
    bench.until("plenum/twin/x/status", |d| d["state"] == "online");
    let list = bench.until("plenum/twin/x/findings", |_| true);
    assert_eq!((&list["count"], &list["findings"]), (&json!(0), &json!([])));
    let kpis = bench.until("plenum/twin/x/kpis", |_| true);
    assert_eq!(kpis["points"]["unknown"], 1);

    for second in 0..400 {
        bench.sample(second * 5, 40.0);
    }
    let found = bench.until("plenum/twin/x/finding", |d| d["severity"] == "high");
    assert_eq!(found["name"], "Supply is warm");
    assert_eq!(
        (&found["asset"], &found["tag"], &found["point"]),
        (&json!("GUID-1"), &json!("AHU-1"), &json!("AHU-1/supply"))
    );
    assert_eq!(
        (&found["state"], &found["unit"], &found["rule"]),
        (&json!("unacknowledged"), &json!("[degF]"), &Value::Null)
    );
    // As the point is read: 40 °C are 104 °F.
    assert!((found["value"].as_f64().unwrap() - 104.0).abs() < 1e-6);
    let since = Time::parse(found["since"].as_str().unwrap()).unwrap();
    assert!(since.0 >= DAY && since.0 < DAY + 2_000_000, "{since}");
    assert!(found["returned_at"].is_null() && found["remedy"] == "look", "{found}");
    bench.until("plenum/twin/x/findings", |d| d["count"] == 1 && d["findings"][0]["id"] == found["id"]);
    let kpis = bench.until("plenum/twin/x/kpis", |d| d["findings"]["high"] == 1);
    assert_eq!((&kpis["points"]["critical"], &kpis["assets"]["critical"]), (&json!(1), &json!(1)));

    let id = bench.app.world().resource::<Alarms>().0.all()[0].id;
    bench.app.world_mut().write_message(Command::Acknowledge(id));
    bench.until("plenum/twin/x/finding", |d| d["state"] == "acknowledged" && !d["acknowledged_at"].is_null());
    for second in 400..800 {
        bench.sample(second * 5, 20.0);
    }
    let over = bench.until("plenum/twin/x/finding", |d| d["state"] == "normal");
    assert_eq!(over["id"], found["id"]);
    let over = Time::parse(over["returned_at"].as_str().unwrap()).unwrap();
    assert!(over > since);
    let told = |state: &str| {
        let heard = bench.heard.lock().unwrap();
        heard.iter().filter(|(t, d)| t.ends_with("/finding") && d["state"] == state).count()
    };
    assert_eq!((told("acknowledged"), told("normal")), (1, 1), "each change once");
    let outlet = bench.app.world().resource::<Outlet>().clone();
    assert!(outlet.finish(Duration::from_secs(60)));
    bench.until("plenum/twin/x/status", |d| d["state"] == "offline");
}

#[test]
fn a_residual_is_a_payload_with_units() {
    let site = site();
    let residual =
        Residual { point: PointIndex(0), measured: 21.0, simulated: 20.0, residual: 1.0, relative: f64::INFINITY };
    let document = compared(&residual, &site.points[0], Time(DAY));
    assert_eq!(document["values"], json!({"measured": 21.0, "simulated": 20.0, "residual": 1.0, "relative": null}));
    assert_eq!(document["units"]["measured"], "Cel");
    assert_eq!(document["units"]["residual"], "K");
    assert_eq!(below("residuals", "A#1/+x"), "residuals/A_1/_x");
    // What another twin makes of it.
    let mut payload = crate::telemetry::payload::Payload::default();
    payload.read(document.to_string().as_bytes(), |key| if key == "residual" { 0..1 } else { 0..0 }).unwrap();
    let object = &payload.objects[0];
    let value = payload.values.iter().find(|v| !v.found.is_empty()).unwrap();
    assert_eq!(value.wire, crate::telemetry::payload::Wire::Number(1.0));
    assert_eq!(object.unit_of(value), crate::telemetry::payload::PayloadUnit::Known(Unit::parse("K").unwrap()));
}

/// A twin that hears everything at its broker does not hear itself.
#[test]
fn a_twin_does_not_listen_to_itself() {
    let broker = Broker { url: BrokerUrl::Embedded { port: 0 }, subscribe: vec!["#".into()], ..Broker::default() };
    let ingest = Ingest { own: Some("plenum/twin/x".into()), ..Ingest::default() };
    let points = site().points;
    let connection = crate::telemetry::connect(&broker, &ingest, None, &points, "x").unwrap();
    let outlet = Outlet::start(&connection.address, "twin", publish("plenum/twin/x")).unwrap();
    assert!(outlet.say("kpis", &json!({"ts": 1, "v": 1}), true));
    assert!(outlet.publisher.flush(Duration::from_secs(60)));
    outlet.publisher.publish("t", b"{\"v\":70}".to_vec()).unwrap();
    // What comes after it has come, so it would have come.
    let arrival = connection.arrivals.recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(matches!(arrival, Arrival::Sample(_)));
    let stats = connection.subscriber.stats();
    assert_eq!((stats.messages, stats.unmatched, stats.rejected), (1, 0, 0));
    assert!(connection.subscriber.unmatched().examples().is_empty());
}
