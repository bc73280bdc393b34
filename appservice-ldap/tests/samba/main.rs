//! The directory client against Samba as the controller of an Active Directory domain
//! (`tests/fixtures/ldap/run-samba`), which needs root: `cargo test --test samba -- --ignored`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests state their expectations"
)]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use echorift_appservice_ldap::{
    Directory, DirectoryConfig, LoginRefusal, PasswordChangeRefusal, Severity, Whose,
};
use echorift_storage::Clock;
use serde_json::Value;

/// The domain, which ends with this process: its standard input closes then.
struct Samba {
    about: Value,
    _process: Child,
    _folder: tempfile::TempDir,
}

static SAMBA: LazyLock<Samba> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let mut process =
        Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/ldap/run-samba"))
            .arg(folder.path().join("domain"))
            .arg("--until-stdin-closes")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 starts run-samba");
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    Samba {
        about: serde_json::from_str(&line).expect("Samba runs: it says above why it does not"),
        _process: process,
        _folder: folder,
    }
});

fn text(key: &str) -> String {
    SAMBA.about[key].as_str().unwrap().to_owned()
}

fn config() -> DirectoryConfig {
    DirectoryConfig {
        urls: vec![text("ldaps")],
        ca_file: PathBuf::from(text("ca_file")),
        bind_dn: text("bind_dn"),
        bind_password: text("bind_password"),
        base_dn: text("people_dn"),
        user_filter: "(&(objectCategory=person)(objectClass=user)(sAMAccountName={username}))".to_owned(),
        attribute_uid: "sAMAccountName".to_owned(),
        attribute_name: "displayName".to_owned(),
        attribute_id: "objectGUID".to_owned(),
        netbios_name: text("netbios_name"),
        upn_suffixes: vec![text("upn_suffix")],
        password_change: true,
        ..DirectoryConfig::default()
    }
}

fn directory(config: DirectoryConfig) -> Directory {
    Directory::new(config, Clock::system()).unwrap()
}

#[tokio::test]
#[ignore = "needs Samba, and root for its ports"]
async fn people_log_in_by_all_their_names_and_through_nested_groups() {
    let start_tls = DirectoryConfig {
        urls: vec![text("ldap")],
        start_tls: true,
        ..config()
    };
    for config in [config(), start_tls] {
        let directory = directory(DirectoryConfig {
            login_group: format!("CN=chat,{}", text("groups_dn")),
            ..config
        });
        for name in ["mats", "CORP\\mats", "mats@corp.nordlicht.example"] {
            assert_eq!(
                directory.authenticate(name, "Nordlicht-mats-1").await,
                Err(LoginRefusal::Disabled),
                "{name}"
            );
        }
        assert_eq!(
            directory.authenticate("echorift", "Nordlicht-echorift-1").await,
            Err(LoginRefusal::NotInLoginGroup)
        );
        let findings = directory.check().await;
        assert!(
            findings
                .iter()
                .all(|finding| finding.severity != Severity::Failure),
            "{findings:?}"
        );
    }
}

#[tokio::test]
#[ignore = "needs Samba, and root for its ports"]
async fn the_state_of_an_account_is_told_to_its_password_alone() {
    let directory = directory(config());
    for (name, refusal) in [
        ("mats", LoginRefusal::Disabled),
        ("peter", LoginRefusal::Expired),
        ("nele", LoginRefusal::PasswordMustChange),
    ] {
        let right = format!("Nordlicht-{name}-1");
        assert_eq!(directory.authenticate(name, &right).await, Err(refusal), "{name}");
        assert_eq!(
            directory.authenticate(name, "guess").await,
            Err(LoginRefusal::WrongPassword),
            "{name}"
        );
    }
}

#[tokio::test]
#[ignore = "needs Samba, and root for its ports"]
async fn a_person_changes_the_password_as_themselves() {
    let directory = directory(DirectoryConfig {
        login_group: format!("CN=chat,{}", text("groups_dn")),
        ..config()
    });
    let anna = directory.authenticate("anna", "Nordlicht-anna-1").await.unwrap();
    let change = async |old, new| {
        directory
            .replace_password(Whose::ImmutableId(&anna.immutable_id), old, new)
            .await
            .map(drop)
    };
    assert_eq!(
        change("guess", "Ein neues Paßwort 2").await,
        Err(LoginRefusal::WrongPassword.into())
    );
    let weak = change("Nordlicht-anna-1", "simple").await;
    assert!(matches!(weak, Err(PasswordChangeRefusal::Weak(_))), "{weak:?}");
    change("Nordlicht-anna-1", "Ein neues Paßwort 2").await.unwrap();
    let again = directory.authenticate("CORP\\anna", "Ein neues Paßwort 2").await;
    assert_eq!(again, Ok(anna));
}

#[tokio::test]
#[ignore = "needs Samba, and root for its ports"]
async fn whoever_must_change_the_password_does_so_through_the_service_account() {
    let directory = directory(config());
    let change = directory
        .replace_password(Whose::Login("nina"), "Nordlicht-nina-1", "Ein neues Paßwort 3")
        .await;
    assert!(change.is_ok(), "{change:?}");
    directory
        .authenticate("nina", "Ein neues Paßwort 3")
        .await
        .unwrap();
}

#[tokio::test]
#[ignore = "needs Samba, and root for its ports"]
async fn the_check_tells_whether_deletions_are_seen() {
    let severity = async |account: &str| {
        let mut config = DirectoryConfig {
            bind_dn: format!("CN={account} Nordlicht,{}", text("people_dn")),
            bind_password: format!("Nordlicht-{}-1", account.to_lowercase()),
            ..config()
        };
        config.mirror.is_enabled = true;
        let findings = directory(config).check().await;
        let found = findings.iter().find(|found| found.finding.contains("deleted"));
        found.unwrap_or_else(|| panic!("{findings:?}")).severity
    };
    assert_eq!(severity("Echorift").await, Severity::Warning);
    assert_eq!(severity("Watcher").await, Severity::Good);
}
