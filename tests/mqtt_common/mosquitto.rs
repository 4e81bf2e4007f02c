//! A real mosquitto that a test may start, kill and start again, and certificates of our own for it.

use crate::common::{free_port, wait_for};
use plenum::site::project::{Broker, BrokerUrl, Secret};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// mosquitto and mosquitto_passwd; none where they are not installed.
pub fn installed() -> Option<(PathBuf, PathBuf)> {
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
pub struct Certificates {
    folder: tempfile::TempDir,
}

impl Certificates {
    /// For this machine by its usual names.
    pub fn make() -> Self {
        Self::of_server(&["localhost", "127.0.0.1"])
    }

    pub fn of_server(names: &[&str]) -> Self {
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

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// A mosquitto that ends with the test.
pub struct Mosquitto {
    child: Option<Child>,
    program: PathBuf,
    pub port: u16,
    pub folder: tempfile::TempDir,
}

pub const USER: &str = "plenum";
pub const PASSWORD: &str = "correct horse";

impl Mosquitto {
    /// `more` are further lines of its configuration.
    pub fn start(programs: &(PathBuf, PathBuf), more: &str) -> Self {
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

    pub fn run(&mut self) {
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

    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub fn project(&self, tls: Option<&Certificates>) -> Broker {
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

pub fn tls_lines(certificates: &Certificates) -> String {
    format!(
        "cafile {}\ncertfile {}\nkeyfile {}\n",
        certificates.file("ca.pem").display(),
        certificates.file("server.pem").display(),
        certificates.file("server.key").display()
    )
}
