use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::{Look as _, ServerBuilder, TestServer};

const SLAPD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/ldap/run-slapd");
const SAMBA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/ldap/run-samba");

/// A real OpenLDAP with the sample company, or Samba; it ends with this value, and with the test process in any case.
#[derive(Debug)]
pub struct TestDirectory {
    process: Child,
    program: &'static str,
    /// What `tests/fixtures/ldap/run-slapd` says about it: `ldap`, `ldaps`, `ca_file`, `base_dn` and so on.
    pub facts: Value,
    folder: tempfile::TempDir,
    port: Option<u16>,
    options: Vec<String>,
}

impl TestDirectory {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// With further options of the script: `--people 5000`, `--shape active-directory`.
    pub fn start_with(options: &[&str]) -> Self {
        Self::run(SLAPD, options)
    }

    /// Samba as the controller of an Active Directory domain, with the few people of `tests/fixtures/ldap/run-samba`. Takes
    /// root, and there is one at a time: another one waits for its turn.
    pub fn samba() -> Self {
        Self::run(SAMBA, &[])
    }

    fn run(program: &'static str, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
        let (process, facts) = launch(program, &data(folder.path()), &options);
        let port = facts
            .text("/ldap")
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok());
        Self {
            process,
            program,
            facts,
            folder,
            port,
            options,
        }
    }

    /// The directory goes away; its data stay.
    pub fn stop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }

    /// The directory is back under its old address.
    pub fn start_again(&mut self) {
        let port = self.port.expect("slapd had a port").to_string();
        let port = ["--port".to_owned(), port];
        let options = [&self.options, &port[..]].concat();
        (self.process, self.facts) = launch(self.program, &data(self.folder.path()), &options);
    }

    /// As [`TestDirectory::start`], with accounts that may not be used and passwords that may not be used for long
    /// (`tests/fixtures/ldap/troubles.ldif`).
    pub fn with_troubles() -> Self {
        Self::start_with(&[
            "--ldif",
            concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/ldap/troubles.ldif"),
        ])
    }

    /// Changes the directory, in the words of LDIF (RFC 2849).
    pub fn change(&self, ldif: &str) {
        let mut ldapmodify = Command::new("ldapmodify")
            .env("LDAPTLS_CACERT", self.facts.text("/ca_file"))
            .args(["-x", "-H", self.facts.text("/ldaps")])
            .args([
                "-D",
                self.facts.text("/root_dn"),
                "-w",
                self.facts.text("/root_password"),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("ldap-utils are installed");
        let mut input = ldapmodify.stdin.take().expect("the input is piped");
        input.write_all(ldif.as_bytes()).expect("ldapmodify reads");
        drop(input);
        let status = ldapmodify.wait().expect("ldapmodify ends");
        assert!(status.success(), "the directory refused this: {ldif}");
    }

    /// The value of an entry's attribute, also of one that only the directory sets.
    pub fn value(&self, dn: &str, attribute: &str) -> String {
        let found = Command::new("ldapsearch")
            .env("LDAPTLS_CACERT", self.facts.text("/ca_file"))
            .args([
                "-x",
                "-LLL",
                "-o",
                "ldif-wrap=no",
                "-H",
                self.facts.text("/ldaps"),
            ])
            .args([
                "-D",
                self.facts.text("/root_dn"),
                "-w",
                self.facts.text("/root_password"),
            ])
            .args(["-s", "base", "-b", dn, attribute])
            .output()
            .expect("ldap-utils are installed");
        let text = String::from_utf8_lossy(&found.stdout);
        let mark = format!("{attribute}: ");
        let value = text.lines().find_map(|line| line.strip_prefix(&mark));
        value
            .unwrap_or_else(|| panic!("{dn} has no {attribute}: {text}"))
            .to_owned()
    }

    /// A server whose people come from this directory, over TLS.
    pub fn server(&self) -> ServerBuilder {
        let groups = self.facts.text("/groups_dn");
        TestServer::builder()
            .set("directory.urls", json!([self.facts.text("/ldap")]))
            .set("directory.start_tls", true)
            .set("directory.ca_file", self.facts.text("/ca_file"))
            .set("directory.bind_dn", self.facts.text("/bind_dn"))
            .set("directory.bind_password", self.facts.text("/bind_password"))
            .set("directory.base_dn", self.facts.text("/people_dn"))
            .set(
                "directory.user_filter",
                "(&(objectClass=inetOrgPerson)(uid={username}))",
            )
            .set("directory.login_group", format!("cn=everyone,{groups}"))
            .set("directory.admin_group", format!("cn=chat-admins,{groups}"))
            .set("directory.connect_timeout", "2s")
    }
}

impl Drop for TestDirectory {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Where the directory's data are. The scripts make the folder, and Samba wants it to be its own.
fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn launch(program: &str, folder: &Path, more: &[String]) -> (Child, Value) {
    let mut process = Command::new(program)
        .arg(folder)
        .arg("--until-stdin-closes")
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 and the directory's packages are installed");
    let mut line = String::new();
    let output = process.stdout.take().expect("the output is piped");
    BufReader::new(output)
        .read_line(&mut line)
        .expect("the directory starts");
    let facts = serde_json::from_str(&line).expect("the directory describes itself");
    (process, facts)
}
