//! What `echorift check` finds.

use echorift_appservice_ldap::{CheckFinding, DirectoryConfig, Severity};

use crate::slapd::{PEOPLE, company, directory, group};

/// Findings that are not good.
async fn complaints(config: DirectoryConfig) -> Vec<CheckFinding> {
    let findings = directory(config).check().await;
    findings
        .into_iter()
        .filter(|finding| finding.severity != Severity::Good)
        .collect()
}

#[tokio::test]
async fn good_settings_have_no_complaints() {
    let company = company();
    let config = DirectoryConfig {
        urls: vec![company.text("ldaps").to_owned()],
        ca_file: company.ca_file(),
        login_group: group("everyone"),
        admin_group: group("chat-admins"),
        ..company.config()
    };
    assert_eq!(complaints(config.clone()).await, []);
    assert!(directory(config).check().await.len() >= 5);
}

#[tokio::test]
async fn passwords_in_clear_are_a_warning() {
    let found = complaints(company().config()).await;
    assert_eq!(
        found.iter().map(|finding| finding.severity).collect::<Vec<_>>(),
        [Severity::Warning]
    );
}

#[tokio::test]
async fn each_mistake_is_found_with_advice() {
    let company = company();
    let good = company.config();
    let mistakes = [
        (
            "bind_password",
            DirectoryConfig {
                bind_password: "guess".to_owned(),
                ..good.clone()
            },
        ),
        (
            "base_dn",
            DirectoryConfig {
                base_dn: format!("ou=staff,{PEOPLE}"),
                ..good.clone()
            },
        ),
        (
            "user_filter",
            DirectoryConfig {
                user_filter: "(gidNumber={username})".to_owned(),
                ..good.clone()
            },
        ),
        (
            "attribute_id",
            DirectoryConfig {
                attribute_id: "objectSid".to_owned(),
                ..good.clone()
            },
        ),
        (
            "login_group",
            DirectoryConfig {
                login_group: group("nobody"),
                ..good.clone()
            },
        ),
        (
            "admin_group",
            DirectoryConfig {
                admin_group: group("nobody"),
                ..good.clone()
            },
        ),
        (
            "ca_file",
            DirectoryConfig {
                start_tls: true,
                ..good.clone()
            },
        ),
        (
            "port",
            DirectoryConfig {
                urls: vec!["ldap://127.0.0.1:9".to_owned()],
                ..good
            },
        ),
    ];
    for (key, config) in mistakes {
        let found = complaints(config).await;
        let failure = found.iter().find(|finding| finding.severity == Severity::Failure);
        assert!(
            failure.is_some_and(|failure| failure.advice.contains(key)),
            "{key}: {found:?}"
        );
    }
}

#[tokio::test]
async fn every_server_is_checked() {
    let company = company();
    let dead = "ldap://127.0.0.1:9";
    let urls = vec![dead.to_owned(), company.text("ldap").to_owned()];
    let findings = directory(DirectoryConfig {
        urls,
        ..company.config()
    })
    .check()
    .await;
    for url in [dead, company.text("ldap")] {
        assert!(
            findings.iter().any(|finding| finding.finding.contains(url)),
            "{url}: {findings:?}"
        );
    }
}
