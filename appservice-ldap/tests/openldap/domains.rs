//! The names that people type, and several domains: trees shaped like OpenLDAP's and like Active Directory's.

use echorift_appservice_ldap::{DirectoryConfig, LoginRefusal};

use crate::slapd::{Slapd, company, directory};

/// A tree with the names and attributes of Windows.
fn windows() -> Slapd {
    Slapd::start_bare(&["--shape", "active-directory", "--people", "600"])
}

fn windows_config(slapd: &Slapd) -> DirectoryConfig {
    DirectoryConfig {
        domain: "corp".to_owned(),
        netbios_name: "CORP".to_owned(),
        upn_suffixes: vec!["corp.nordlicht.example".to_owned()],
        login_by_mail: true,
        base_dn: slapd.text("people_dn").to_owned(),
        user_filter: "(&(objectClass=user)(sAMAccountName={username}))".to_owned(),
        attribute_uid: "sAMAccountName".to_owned(),
        attribute_name: "displayName".to_owned(),
        attribute_id: "objectGUID".to_owned(),
        ..slapd.config()
    }
}

#[tokio::test]
async fn people_of_windows_log_in_by_all_their_names() {
    let slapd = windows();
    let directory = directory(windows_config(&slapd));
    for name in [
        "p00007",
        "P00007",
        "CORP\\p00007",
        "corp\\P00007",
        "p00007@corp.nordlicht.example",
        "p00007@CORP.nordlicht.example",
        "p00007@nordlicht.example",
    ] {
        let user = directory.authenticate(name, "nordlicht-00007").await;
        assert_eq!(
            user.as_ref().map(|user| user.localpart.as_str()),
            Ok("p00007"),
            "{name}"
        );
        assert_eq!(
            directory.authenticate(name, "nordlicht-00008").await,
            Err(LoginRefusal::WrongPassword),
            "{name}"
        );
    }
    for name in ["SALES\\p00007", "p00007@elsewhere.example", "*@nordlicht.example"] {
        assert_eq!(
            directory.authenticate(name, "nordlicht-00007").await,
            Err(LoginRefusal::UnknownUser),
            "{name}"
        );
    }
    // Every 500th is disabled, and told so after the right password alone.
    assert_eq!(
        directory.authenticate("p00500", "nordlicht-00500").await,
        Err(LoginRefusal::Disabled)
    );
    assert_eq!(
        directory.authenticate("p00500", "guess").await,
        Err(LoginRefusal::WrongPassword)
    );
}

#[tokio::test]
async fn groups_of_windows_and_circles_among_them_are_followed() {
    let slapd = windows();
    let directory = directory(DirectoryConfig {
        login_group: format!("cn=chat-users,{}", slapd.text("groups_dn")),
        admin_group: format!("cn=ring-1,{}", slapd.text("groups_dn")),
        ..windows_config(&slapd)
    });
    let boss = directory.authenticate("p00001", "nordlicht-00001").await.unwrap();
    assert!(!boss.is_admin);
    // Person 11 is in ring-1 itself, person 15 by way of four others.
    for name in ["11", "15"] {
        let password = format!("nordlicht-000{name}");
        let user = directory.authenticate(&format!("p000{name}"), &password).await;
        assert!(user.unwrap().is_admin, "{name}");
    }
}

#[tokio::test]
async fn a_suffix_keeps_the_people_of_domains_apart() {
    let company = company();
    let sales = directory(DirectoryConfig {
        domain: "sales".to_owned(),
        uid_suffix: ".sales".to_owned(),
        ..company.config()
    });
    for name in ["anna.weber", "anna.weber.sales"] {
        let user = sales.authenticate(name, "nordlicht-anna").await.unwrap();
        assert_eq!(user.localpart, "anna.weber.sales", "{name}");
    }
    let user = sales
        .authenticate("j=c3=bcrgen.m=c3=bcller.sales", "nordlicht-juergen")
        .await
        .unwrap();
    assert_eq!(user.localpart, "j=c3=bcrgen.m=c3=bcller.sales");
}

#[tokio::test]
async fn an_address_is_a_name_only_where_it_may_be() {
    let company = company();
    let by_mail = directory(DirectoryConfig {
        login_by_mail: true,
        ..company.config()
    });
    let anna = by_mail
        .authenticate("Anna.Weber@nordlicht.example", "nordlicht-anna")
        .await
        .unwrap();
    assert_eq!(anna.localpart, "anna.weber");
    assert_eq!(
        directory(company.config())
            .authenticate("anna.weber@nordlicht.example", "nordlicht-anna")
            .await,
        Err(LoginRefusal::UnknownUser)
    );
}
