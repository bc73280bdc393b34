//! Passwords: right, wrong, empty, over each kind of connection, and accounts that may not be used.

use std::io::Write;
use std::sync::{Arc, Mutex};

use echorift_appservice_ldap::{Directory, DirectoryConfig, DirectoryError, LoginRefusal};
use echorift_storage::Clock;

use crate::slapd::{PEOPLE, Slapd, company, directory};

async fn assert_anna_logs_in(config: DirectoryConfig) {
    let anna = directory(config)
        .authenticate("anna.weber", "nordlicht-anna")
        .await
        .unwrap();
    assert_eq!(anna.localpart, "anna.weber");
    assert_eq!(anna.display_name.as_deref(), Some("Anna Weber"));
    assert_eq!(anna.mail.as_deref(), Some("anna.weber@nordlicht.example"));
    assert_eq!(
        anna.immutable_id.len(),
        "00000000-0000-0000-0000-000000000000".len()
    );
    assert!(!anna.is_admin);
}

#[tokio::test]
async fn a_person_logs_in_over_ldap() {
    assert_anna_logs_in(company().config()).await;
}

#[tokio::test]
async fn a_person_logs_in_over_ldaps() {
    let company = company();
    let urls = vec![company.text("ldaps").to_owned()];
    assert_anna_logs_in(DirectoryConfig {
        urls,
        ca_file: company.ca_file(),
        ..company.config()
    })
    .await;
}

#[tokio::test]
async fn a_person_logs_in_over_start_tls() {
    let company = company();
    let config = DirectoryConfig {
        start_tls: true,
        ca_file: company.ca_file(),
        ..company.config()
    };
    assert_anna_logs_in(config).await;
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let (company, stranger) = (company(), Slapd::start(&[]));
    let ldaps = || DirectoryConfig {
        urls: vec![company.text("ldaps").to_owned()],
        ..company.config()
    };
    let start_tls = || DirectoryConfig {
        start_tls: true,
        ..company.config()
    };
    for ca_file in [std::path::PathBuf::new(), stranger.ca_file()] {
        for config in [ldaps(), start_tls()] {
            let directory = directory(DirectoryConfig {
                ca_file: ca_file.clone(),
                ..config
            });
            let refusal = directory
                .authenticate("anna.weber", "nordlicht-anna")
                .await
                .unwrap_err();
            assert!(
                matches!(&refusal, LoginRefusal::Unavailable(cause) if cause.contains("encryption")),
                "{refusal}"
            );
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let company = company();
    let directory = directory(company.config());
    for password in ["nordlicht-Anna", "*", "nordlicht-sofia", &"x".repeat(5_000)] {
        assert_eq!(
            directory.authenticate("anna.weber", password).await,
            Err(LoginRefusal::WrongPassword)
        );
    }
}

#[tokio::test]
async fn an_empty_password_is_refused_although_the_server_would_take_it() {
    let company = company();
    let with_account = directory(company.config());
    assert_eq!(
        with_account.authenticate("anna.weber", "").await,
        Err(LoginRefusal::EmptyPassword)
    );
    let bind_dn = format!("uid={{username}},{PEOPLE}");
    let direct = directory(DirectoryConfig {
        bind_dn,
        ..company.config()
    });
    assert_eq!(
        direct.authenticate("anna.weber", "").await,
        Err(LoginRefusal::EmptyPassword)
    );
}

#[tokio::test]
async fn accounts_that_may_not_be_used_are_refused_by_reason() {
    let company = company();
    let directory = directory(company.config());
    for (username, password, refusal) in [
        ("mats.olsen", "nordlicht-mats", LoginRefusal::Disabled),
        ("peter.alt", "nordlicht-peter", LoginRefusal::Expired),
        (
            "paula.lang",
            "nordlicht-paula",
            LoginRefusal::Unproved(Box::new(LoginRefusal::Locked)),
        ),
        ("nobody", "nordlicht-nobody", LoginRefusal::UnknownUser),
    ] {
        assert_eq!(
            directory.authenticate(username, password).await,
            Err(refusal),
            "{username}"
        );
    }
}

#[tokio::test]
async fn the_state_of_an_account_shows_only_to_its_password() {
    let company = company();
    let directory = directory(company.config());
    assert_eq!(
        directory.authenticate("mats.olsen", "guess").await,
        Err(LoginRefusal::WrongPassword)
    );
}

#[tokio::test]
async fn direct_bind_needs_no_service_account() {
    let bind_dn = format!("uid={{username}},{PEOPLE}");
    let company = company();
    let config = DirectoryConfig {
        bind_dn,
        bind_password: String::new(),
        ..company.config()
    };
    assert_anna_logs_in(config.clone()).await;
    let directory = directory(config);
    assert_eq!(
        directory.authenticate("anna.weber", "guess").await,
        Err(LoginRefusal::WrongPassword)
    );
    assert_eq!(
        directory
            .authenticate("anna.weber,ou=people", "nordlicht-anna")
            .await,
        Err(LoginRefusal::WrongPassword)
    );
    assert!(matches!(
        directory.find("anna.weber").await,
        Err(LoginRefusal::Unavailable(_))
    ));
}

#[tokio::test]
async fn people_are_found_without_a_password_by_name_and_by_id() {
    let company = company();
    let directory = directory(company.config());
    let anna = directory
        .authenticate("anna.weber", "nordlicht-anna")
        .await
        .unwrap();
    assert_eq!(directory.find("anna.weber").await.as_ref(), Ok(&anna));
    assert_eq!(directory.find_by_id(&anna.immutable_id).await.as_ref(), Ok(&anna));
    assert_eq!(directory.find("mats.olsen").await, Err(LoginRefusal::Disabled));
    assert_eq!(directory.find("paula.lang").await, Err(LoginRefusal::Locked));
    let nobodys_id = "00000000-0000-0000-0000-000000000000";
    assert_eq!(
        directory.find_by_id(nobodys_id).await,
        Err(LoginRefusal::UnknownUser)
    );
    assert_eq!(directory.find_by_id("*").await, Err(LoginRefusal::UnknownUser));
}

#[tokio::test]
async fn a_mistake_in_the_settings_is_not_blamed_on_the_person() {
    let company = company();
    let mistakes = [
        DirectoryConfig {
            bind_password: "guess".to_owned(),
            ..company.config()
        },
        DirectoryConfig {
            base_dn: "ou=staff,dc=nordlicht,dc=example".to_owned(),
            ..company.config()
        },
        DirectoryConfig {
            bind_dn: String::new(),
            bind_password: String::new(),
            ..company.config()
        },
    ];
    for mistake in mistakes {
        let outcome = directory(mistake.clone())
            .authenticate("anna.weber", "nordlicht-anna")
            .await;
        assert!(
            matches!(outcome, Err(LoginRefusal::Unavailable(_))),
            "{mistake:?}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_at_the_start() {
    let error = Directory::new(DirectoryConfig::default(), Clock::system()).unwrap_err();
    assert!(
        matches!(&error, DirectoryError::Config(faults) if faults.len() == 2),
        "{error}"
    );
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_refusal_is_one_line_with_the_reason_and_without_secrets() {
    let company = company();
    let directory = directory(company.config());
    // Once beforehand: whichever test first comes to a line decides for good whether somebody listens there, and another one's
    // thread has nobody who does.
    directory
        .authenticate("anna.weber", "an-early-secret")
        .await
        .unwrap_err();
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let watched = tracing::subscriber::set_default(subscriber);
    directory
        .authenticate("anna.weber", "a-wrong-secret")
        .await
        .unwrap_err();
    directory
        .authenticate("mats.olsen", "nordlicht-mats")
        .await
        .unwrap_err();
    drop(watched);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].contains("reason=\"wrong_password\"") && lines[0].contains("username=\"anna.weber\""));
    assert!(lines[1].contains("reason=\"disabled\"") && lines[1].contains("username=\"mats.olsen\""));
    for secret in [
        "a-wrong-secret",
        "nordlicht-mats",
        "nordlicht-service",
        "@nordlicht.example",
    ] {
        assert!(!text.contains(secret), "{text}");
    }
}
