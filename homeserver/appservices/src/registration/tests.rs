use std::path::PathBuf;

use ruma::server_name;

use super::{RegistrationFault, files::read_files};

const GOOD: &str = r##"
id: "IRC Bridge"
url: "http://127.0.0.1:1234"
as_token: 30c05ae90a248a4188e620216fa72e34
hs_token: "312df522183efd404ec1cd22d2ffa4bb"
sender_localpart: "_irc_bot" # Will result in @_irc_bot:example.org
namespaces:
  users:
    - exclusive: true
      regex: "@_irc_bridge_.*"
  aliases:
    - exclusive: false
      regex: "#_irc_bridge_.*"
  rooms: []
rate_limited: false
de.sorunome.msc2409.push_ephemeral: true
protocols: [irc]
"##;

fn files(texts: &[&str]) -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let write = |(index, text): (usize, &&str)| {
        let path = folder.path().join(format!("{index}.yaml"));
        std::fs::write(&path, text).unwrap();
        path
    };
    let paths = texts.iter().enumerate().map(write).collect();
    (folder, paths)
}

fn faults(texts: &[&str]) -> Vec<RegistrationFault> {
    let (_folder, paths) = files(texts);
    let read = read_files(&paths, server_name!("example.org"));
    read.map(|_| ()).unwrap_err().0
}

#[test]
fn the_specifications_own_example_is_read() {
    let (_folder, paths) = files(&[GOOD]);
    let read = read_files(&paths, server_name!("example.org")).unwrap();
    let [service] = &read[..] else {
        panic!("one service")
    };
    assert_eq!(service.id, "IRC Bridge");
    assert_eq!(service.users[0].regex, "@_irc_bridge_.*");
    assert!(service.users[0].is_exclusive && !service.aliases[0].is_exclusive);
    assert!(!service.is_rate_limited && service.wants_ephemeral && !service.wants_encryption);
    assert_eq!(service.protocols, ["irc"]);
}

#[test]
fn every_fault_is_told_at_once_with_its_key_and_without_secrets() {
    let bad = r##"
id: ""
url: "ftp://somewhere"
as_token: secret
sender_localpart: "Not A Name"
namespaces:
  users:
    - exclusive: perhaps
      regex: "@a.*"
    - regex: "@(unclosed"
"##;
    let told = faults(&[bad]);
    let mut keys: Vec<&str> = told.iter().map(|fault| fault.key.as_str()).collect();
    keys.sort_unstable();
    let wrong = [
        "hs_token",
        "id",
        "namespaces.users[0].exclusive",
        "namespaces.users[1].regex",
        "sender_localpart",
        "url",
    ];
    assert_eq!(keys, wrong);
    assert!(told.iter().all(|fault| !fault.to_string().contains("secret")));
}

#[test]
fn two_services_share_neither_id_nor_token() {
    let told = faults(&[GOOD, GOOD]);
    let mut keys: Vec<&str> = told.iter().map(|fault| fault.key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["as_token", "id", "sender_localpart"]);
    assert!(!told.iter().any(|fault| fault.to_string().contains("30c05ae9")));
}

#[test]
fn a_file_that_is_missing_or_no_yaml_is_named() {
    let told = faults(&["a: [1", "just a text"]);
    assert_eq!(told.len(), 2);
    assert!(told[0].file.ends_with("0.yaml") && told[0].key.is_empty());
    let missing = read_files(&[PathBuf::from("/nowhere.yaml")], server_name!("example.org"));
    assert!(
        missing
            .unwrap_err()
            .to_string()
            .contains("/nowhere.yaml: cannot be read")
    );
}
