//! Names that break careless clients: filter and DN characters, umlauts, binary ids, one address for two.

use echorift_appservice_ldap::{DirectoryConfig, LoginRefusal};

use crate::slapd::{company, directory};

#[tokio::test]
async fn unusual_names_log_in_and_become_matrix_localparts() {
    let company = company();
    let directory = directory(company.config());
    for (username, password, localpart, display_name) in [
        (
            "jürgen.müller",
            "nordlicht-juergen",
            "j=c3=bcrgen.m=c3=bcller",
            "Jürgen Müller",
        ),
        (
            "j=c3=bcrgen.m=c3=bcller",
            "nordlicht-juergen",
            "j=c3=bcrgen.m=c3=bcller",
            "Jürgen Müller",
        ),
        ("greta.boehm", "nordlicht-greta", "greta.boehm", "Böhm, Greta"),
        ("o'neil", "nordlicht-sinead", "o=27neil", "Sinéad O'Neil"),
        ("(star)*", "nordlicht-robin", "=28star=29=2a", "Robin Star"),
        ("Tove.Berg", "nordlicht-tove", "tove.berg", "Tove Berg"),
        ("ANNA.WEBER", "nordlicht-anna", "anna.weber", "Anna Weber"),
    ] {
        let user = directory.authenticate(username, password).await.unwrap();
        assert_eq!(
            (user.localpart.as_str(), user.display_name.as_deref()),
            (localpart, Some(display_name))
        );
    }
}

#[tokio::test]
async fn filter_characters_in_a_name_find_nobody() {
    let company = company();
    let directory = directory(company.config());
    for username in [
        "*",
        "anna*",
        "admin)(uid=*",
        "anna.weber)(|(uid=*",
        "anna.weber)(userPassword=nordlicht-anna",
        "\\61nna.weber",
        "=2a",
    ] {
        let outcome = directory.authenticate(username, "nordlicht-anna").await;
        assert_eq!(outcome, Err(LoginRefusal::UnknownUser), "{username}");
    }
}

#[tokio::test]
async fn what_can_be_no_name_is_not_sent_to_the_directory() {
    // Nothing listens there: a refusal other than `Unavailable` was decided before asking.
    let urls = vec!["ldap://127.0.0.1:9".to_owned()];
    let directory = directory(DirectoryConfig {
        urls,
        ..company().config()
    });
    for username in ["", "  ", "anna\0weber", "anna\nweber", &"a".repeat(257)] {
        let outcome = directory.authenticate(username, "nordlicht-anna").await;
        assert_eq!(outcome, Err(LoginRefusal::BadUsername), "{username:?}");
    }
}

#[tokio::test]
async fn an_address_that_two_people_share_is_ambiguous() {
    let company = company();
    let user_filter = "(&(objectClass=person)(|(uid={username})(mail={username})))".to_owned();
    let directory = directory(DirectoryConfig {
        user_filter,
        ..company.config()
    });
    let anna = directory
        .authenticate("anna.weber@nordlicht.example", "nordlicht-anna")
        .await
        .unwrap();
    assert_eq!(anna.localpart, "anna.weber");
    for password in ["nordlicht-lars", "nordlicht-lena"] {
        let outcome = directory.authenticate("hansen@nordlicht.example", password).await;
        assert_eq!(outcome, Err(LoginRefusal::Ambiguous));
    }
    assert!(
        directory
            .authenticate("lars.hansen", "nordlicht-lars")
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn entries_like_those_of_active_directory_are_read() {
    let company = company();
    let directory = directory(DirectoryConfig {
        user_filter: "(&(objectClass=person)(sAMAccountName={username}))".to_owned(),
        attribute_uid: "samaccountname".to_owned(),
        attribute_id: "objectGUID".to_owned(),
        ..company.config()
    });
    let wanda = directory
        .authenticate("wfenster", "nordlicht-wanda")
        .await
        .unwrap();
    assert_eq!(wanda.localpart, "wfenster");
    assert_eq!(wanda.immutable_id, "03020100-0504-0706-0809-0a0b0c0d0eff");
    assert_eq!(directory.find_by_id(&wanda.immutable_id).await, Ok(wanda));
}

#[tokio::test]
async fn an_entry_without_the_wanted_id_is_refused_by_name_of_the_attribute() {
    let company = company();
    let directory = directory(DirectoryConfig {
        attribute_id: "objectGUID".to_owned(),
        ..company.config()
    });
    assert_eq!(
        directory.authenticate("anna.weber", "nordlicht-anna").await,
        Err(LoginRefusal::IncompleteEntry {
            attribute: "objectGUID".to_owned()
        })
    );
}
