//! Against a real mosquitto on loopback: TLS, passwords, client certificates, a restart in the middle.
//!
//! Without mosquitto installed these tests skip, and say so; `scripts/test` installs it.

// A test says what is wrong by panicking, its helpers too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod mqtt_common;

use mqtt_common::*;
use plenum::site::project::{Broker, BrokerUrl, Ingest, Secret};
use plenum::telemetry::{self, Address, Connection, ConnectionStatus, Publisher};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// mosquitto and mosquitto_passwd; none where they are not installed.
fn installed() -> Option<(PathBuf, PathBuf)> {
    let find = |name: &str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let usual = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin", r"C:\Program Files\mosquitto"];
        (std::env::split_paths(&path).chain(usual.map(PathBuf::from)))
            .map(|folder| folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
            .find(|file| file.is_file())
    };
    let found = find("mosquitto").zip(find("mosquitto_passwd"));
    if found.is_none() {
        eprintln!("SKIPPED: mosquitto is not installed (apt-get install mosquitto), so nothing was tested here");
    }
    found
}

/// An authority of our own, with a certificate for the broker and one for a client.
struct Certificates {
    folder: tempfile::TempDir,
}

impl Certificates {
    fn make() -> Self {
        Self::of_server(&["localhost", "127.0.0.1"])
    }

    fn of_server(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, "Test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        std::fs::write(folder.path().join("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        let authority = Issuer::new(params, key);
        let names = names.iter().map(|n| (*n).to_owned()).collect();
        for (name, names, usage) in [
            ("server", names, ExtendedKeyUsagePurpose::ServerAuth),
            ("client", vec!["a-client".to_owned()], ExtendedKeyUsagePurpose::ClientAuth),
        ] {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(names).unwrap();
            params.distinguished_name.push(rcgen::DnType::CommonName, name);
            params.extended_key_usages = vec![usage];
            let certificate = params.signed_by(&key, &authority).unwrap();
            std::fs::write(folder.path().join(format!("{name}.pem")), certificate.pem()).unwrap();
            std::fs::write(folder.path().join(format!("{name}.key")), key.serialize_pem()).unwrap();
        }
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// A mosquitto that ends with the test.
struct Mosquitto {
    child: Option<Child>,
    program: PathBuf,
    port: u16,
    folder: tempfile::TempDir,
}

const USER: &str = "plenum";
const PASSWORD: &str = "correct horse";

impl Mosquitto {
    /// `more` are further lines of its configuration.
    fn start(programs: &(PathBuf, PathBuf), more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let passwords = folder.path().join("passwords");
        std::fs::write(&passwords, "").unwrap();
        let made = Command::new(&programs.1).arg("-b").arg(&passwords).args([USER, PASSWORD]).status().unwrap();
        assert!(made.success(), "mosquitto_passwd");
        let port = free_port();
        // `user root` matters only where root starts it: else it would give up reading our files.
        let config = format!(
            "listener {port} 127.0.0.1\nuser root\nallow_anonymous false\npassword_file {}\n\
             max_queued_messages 100000\n{more}\n",
            passwords.display()
        );
        std::fs::write(folder.path().join("mosquitto.conf"), config).unwrap();
        let mut broker = Self { child: None, program: programs.0.clone(), port, folder };
        broker.run();
        broker
    }

    fn run(&mut self) {
        let config: &Path = &self.folder.path().join("mosquitto.conf");
        let child = Command::new(&self.program)
            .arg("-c")
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        wait_for("mosquitto to listen", || std::net::TcpStream::connect(("127.0.0.1", self.port)).ok());
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn project(&self, tls: Option<&Certificates>) -> Broker {
        let password = self.folder.path().join("password");
        std::fs::write(&password, format!("{PASSWORD}\n")).unwrap();
        Broker {
            url: BrokerUrl::Remote { host: "localhost".into(), port: self.port, tls: tls.is_some() },
            user: Some(USER.into()),
            password: Some(Secret::File(password)),
            ca: tls.map(|c| c.file("ca.pem")),
            subscribe: vec!["t/#".into()],
            keep_alive_s: 5,
            ..Broker::default()
        }
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.kill();
    }
}

fn tls_lines(certificates: &Certificates) -> String {
    format!(
        "cafile {}\ncertfile {}\nkeyfile {}\n",
        certificates.file("ca.pem").display(),
        certificates.file("server.pem").display(),
        certificates.file("server.key").display()
    )
}

fn connect(broker: &Broker) -> Connection {
    telemetry::connect(broker, &Ingest::default(), Some("t/clock"), &[point("t/a", "")], "mosquitto test").unwrap()
}

fn refusal(broker: &Broker) -> String {
    let connection = connect(broker);
    let said = wait_for("a refusal", || match connection.subscriber.status() {
        ConnectionStatus::Refused { reason } => Some(reason),
        _ => None,
    });
    let publisher = Address::resolve(broker, None).and_then(|a| Publisher::connect(&a, "test-publisher"));
    assert!(publisher.is_err());
    assert!(!said.contains(PASSWORD), "{said}");
    said
}

fn publish_and_take(connection: &Connection, count: usize) {
    let publisher = Publisher::connect(&connection.address, "test-publisher").unwrap();
    for i in 0..count {
        publisher.publish("t/a", format!(r#"{{"v":{i},"pub":"p","seq":{i}}}"#).into_bytes()).unwrap();
    }
    for (i, sample) in samples(&connection.arrivals, count).iter().enumerate() {
        assert_eq!(sample.value, i as f64);
    }
    assert!(publisher.flush(LONG));
    let stats = connection.subscriber.stats();
    assert_eq!((stats.publishers.lost(), stats.samples), (Some(0), count as u64));
}

#[test]
fn tls_with_a_password() {
    let Some(programs) = installed() else { return };
    let certificates = Certificates::make();
    let mosquitto = Mosquitto::start(&programs, &tls_lines(&certificates));
    let connection = connect(&mosquitto.project(Some(&certificates)));
    assert!(connection.subscriber.wait_connected(LONG), "{:?}", connection.subscriber.status());
    assert_eq!(connection.broker, format!("mqtts://localhost:{}", mosquitto.port));
    publish_and_take(&connection, 1000);
}

#[test]
fn tls_with_a_client_certificate() {
    let Some(programs) = installed() else { return };
    let certificates = Certificates::make();
    let mosquitto = Mosquitto::start(&programs, &format!("{}require_certificate true\n", tls_lines(&certificates)));
    let mut broker = mosquitto.project(Some(&certificates));
    assert!(refusal(&broker).contains("client certificate"), "without one");
    broker.cert = Some(certificates.file("client.pem"));
    broker.key = Some(certificates.file("server.key"));
    assert!(Address::resolve(&broker, None).is_err(), "a key of another certificate");
    broker.key = Some(certificates.file("client.key"));
    let connection = connect(&broker);
    assert!(connection.subscriber.wait_connected(LONG), "{:?}", connection.subscriber.status());
    publish_and_take(&connection, 100);
}

#[test]
fn what_does_not_let_us_in_is_said() {
    let Some(programs) = installed() else { return };
    let certificates = Certificates::make();
    let plain = Mosquitto::start(&programs, "");
    let mut broker = plain.project(None);
    let wrong = plain.folder.path().join("wrong");
    std::fs::write(&wrong, "wrong").unwrap();
    broker.password = Some(Secret::File(wrong));
    assert!(refusal(&broker).contains("wrong user or password"));
    broker.user = None;
    broker.password = None;
    assert!(refusal(&broker).contains("asks for a user and password"));

    let secure = Mosquitto::start(&programs, &tls_lines(&certificates));
    let mut broker = secure.project(Some(&certificates));
    let others = Certificates::make();
    broker.ca = Some(others.file("ca.pem"));
    let said = refusal(&broker);
    assert!(said.contains("not from the authority"), "{said}");

    let elsewhere = Certificates::of_server(&["elsewhere.example"]);
    let other_name = Mosquitto::start(&programs, &tls_lines(&elsewhere));
    assert!(refusal(&other_name.project(Some(&elsewhere))).contains("another host name"));
}

#[test]
fn a_restart_in_the_middle_is_survived() {
    let Some(programs) = installed() else { return };
    let certificates = Certificates::make();
    let mut mosquitto = Mosquitto::start(&programs, &tls_lines(&certificates));
    let connection = connect(&mosquitto.project(Some(&certificates)));
    assert!(connection.subscriber.wait_connected(LONG));
    let publisher = Publisher::connect(&connection.address, "test-publisher").unwrap();
    let mut seq = 0;
    let mut publish = |count: usize| {
        for _ in 0..count {
            publisher.publish("t/a", format!(r#"{{"v":{seq},"pub":"p","seq":{seq}}}"#).into_bytes()).unwrap();
            seq += 1;
        }
        seq
    };
    let sent = publish(200);
    assert_eq!(samples(&connection.arrivals, 200).last().unwrap().value, 199.0);
    assert_eq!(sent, 200);

    mosquitto.kill();
    wait_for("the loss", || matches!(connection.subscriber.status(), ConnectionStatus::Lost { .. }).then_some(()));
    // Published while there is no broker: kept, and sent when it is back.
    publish(300);
    std::thread::sleep(Duration::from_millis(500));
    mosquitto.run();
    assert!(connection.subscriber.wait_connected(LONG), "{:?}", connection.subscriber.status());
    let sent = publish(100);
    assert!(publisher.flush(LONG), "{:?}", publisher.stats());
    wait_for("the last sample", || {
        connection.arrivals.try_iter().find(|a| match a {
            telemetry::Arrival::Sample(s) => s.value == f64::from(sent - 1),
            telemetry::Arrival::Clock(_) => false,
        })
    });
    let stats = connection.subscriber.stats();
    let p = stats.publishers.get("p").unwrap();
    // Messages may come twice over a restart, which is no loss and no gain.
    assert_eq!((p.lost, p.next), (0, u64::from(sent as u32)), "{p:?}");
    assert_eq!(stats.samples, u64::from(sent as u32) + p.duplicate);
}

#[test]
fn what_came_while_we_were_away_is_there_when_we_are_back() {
    let Some(programs) = installed() else { return };
    let mosquitto = Mosquitto::start(&programs, "");
    let broker = mosquitto.project(None);
    let connection = connect(&broker);
    assert!(connection.subscriber.wait_connected(LONG));
    let publisher = Publisher::connect(&connection.address, "test-publisher").unwrap();
    drop(connection);
    for i in 0..500 {
        publisher.publish("t/a", format!(r#"{{"v":{i}}}"#).into_bytes()).unwrap();
    }
    assert!(publisher.flush(LONG));
    let connection = connect(&broker);
    for (i, sample) in samples(&connection.arrivals, 500).iter().enumerate() {
        assert_eq!(sample.value, i as f64);
    }
}
