//! Passwords that a policy is not content with, and new ones in their place.

use echorift_appservice_ldap::{
    Directory, DirectoryConfig, LoginRefusal, PasswordChangeRefusal, PasswordWarning, Whose,
};

use crate::slapd::{Slapd, company, directory};

/// A directory that lets people change their passwords, over each kind of encryption.
fn changing(slapd: &Slapd) -> [Directory; 2] {
    let config = DirectoryConfig {
        ca_file: slapd.ca_file(),
        password_change: true,
        ..slapd.config()
    };
    let ldaps = DirectoryConfig {
        urls: vec![slapd.text("ldaps").to_owned()],
        ..config.clone()
    };
    let start_tls = DirectoryConfig {
        start_tls: true,
        ..config
    };
    [directory(ldaps), directory(start_tls)]
}

async fn log_in(directory: &Directory, name: &str, password: &str) -> Result<(), LoginRefusal> {
    directory.authenticate(name, password).await.map(drop)
}

#[tokio::test]
async fn the_policy_is_told_to_the_right_password_alone() {
    let company = company();
    let directory = directory(company.config());
    let expired = LoginRefusal::PasswordExpired { is_changeable: false };
    for (name, password, refusal) in [
        ("emil.alt", "nordlicht-emil", expired),
        ("nele.neu", "nordlicht-nele", LoginRefusal::PasswordMustChange),
    ] {
        assert_eq!(log_in(&directory, name, password).await, Err(refusal), "{name}");
        assert_eq!(
            log_in(&directory, name, "guess").await,
            Err(LoginRefusal::WrongPassword),
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_policy_warns_of_passwords_that_will_not_last() {
    let slapd = Slapd::start(&[]);
    let directory = directory(slapd.config());
    let warning = async |name, password| directory.log_in(name, password).await.map(|(_, warning)| warning);
    assert_eq!(
        warning("gero.gnade", "nordlicht-gero").await,
        Ok(Some(PasswordWarning::GraceLogins(1)))
    );
    assert_eq!(
        warning("gero.gnade", "nordlicht-gero").await,
        Ok(Some(PasswordWarning::GraceLogins(0)))
    );
    assert_eq!(
        warning("gero.gnade", "nordlicht-gero").await,
        Err(LoginRefusal::PasswordExpired { is_changeable: false })
    );
    let willa = warning("willa.bald", "nordlicht-willa").await;
    assert!(
        matches!(willa, Ok(Some(PasswordWarning::ExpiresIn(seconds))) if seconds > 1_000_000),
        "{willa:?}"
    );
    assert_eq!(warning("anna.weber", "nordlicht-anna").await, Ok(None));
}

#[tokio::test]
async fn a_person_changes_the_password_over_ldaps_and_start_tls() {
    let slapd = Slapd::start(&[]);
    let mut password = "nordlicht-anna".to_owned();
    for (number, directory) in changing(&slapd).iter().enumerate() {
        let anna = directory.authenticate("anna.weber", &password).await.unwrap();
        let new = format!("ein neues Paßwort {number}");
        let changed = directory
            .replace_password(Whose::Login("anna.weber"), &password, &new)
            .await;
        assert_eq!(changed, Ok(anna.immutable_id.clone()));
        assert_eq!(
            log_in(directory, "anna.weber", &password).await,
            Err(LoginRefusal::WrongPassword)
        );
        let newer = format!("{new}!");
        directory
            .replace_password(Whose::ImmutableId(&anna.immutable_id), &new, &newer)
            .await
            .unwrap();
        log_in(directory, "anna.weber", &newer).await.unwrap();
        password = newer;
    }
}

#[tokio::test]
async fn whoever_must_change_the_password_can_and_then_comes_in() {
    let slapd = Slapd::start(&[]);
    let [directory, _] = changing(&slapd);
    let change = async |old, new| {
        directory
            .replace_password(Whose::Login("nele.neu"), old, new)
            .await
            .map(drop)
    };
    assert_eq!(
        change("guess", "long enough now").await,
        Err(LoginRefusal::WrongPassword.into())
    );
    for weak in ["short", "nordlicht-nele", "", "nul\0inside of it"] {
        let refusal = change("nordlicht-nele", weak).await;
        assert!(
            matches!(refusal, Err(PasswordChangeRefusal::Weak(_))),
            "{weak}: {refusal:?}"
        );
    }
    assert_eq!(
        change("nordlicht-nele", "short").await,
        Err(PasswordChangeRefusal::Weak(
            "The new password is too short.".to_owned()
        ))
    );
    change("nordlicht-nele", "long enough now").await.unwrap();
    log_in(&directory, "nele.neu", "long enough now").await.unwrap();
}

#[tokio::test]
async fn an_expired_password_that_openldap_does_not_take_is_not_exchanged() {
    let company = company();
    let [directory, _] = changing(&company);
    let refusal = directory
        .replace_password(Whose::Login("emil.alt"), "nordlicht-emil", "long enough now")
        .await;
    let expired = LoginRefusal::PasswordExpired { is_changeable: false };
    assert_eq!(refusal, Err(expired.into()));
}

#[tokio::test]
async fn nothing_is_changed_where_it_is_off() {
    let company = company();
    let refusal = directory(company.config())
        .replace_password(Whose::Login("anna.weber"), "nordlicht-anna", "long enough now")
        .await;
    assert_eq!(refusal, Err(PasswordChangeRefusal::Off));
}
