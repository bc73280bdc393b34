//! A company on two servers: the first has the head office, and refers to the second for the branch.

use std::io::Write as _;
use std::net::TcpListener;

use echorift_appservice_ldap::mirror::{Dn, Reading};
use echorift_appservice_ldap::{DirectoryConfig, LoginRefusal, Referrals, Severity, Whose};
use tempfile::NamedTempFile;

use crate::slapd::{GROUPS, Slapd, directory, group};

const SUFFIX: &str = "dc=nordlicht,dc=example";
const BRANCH: &str = "ou=branch,dc=nordlicht,dc=example";

/// Two running servers.
struct Company {
    head: Slapd,
    branch: Slapd,
}

fn ldif(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// An entry in whose place the server refers to others.
fn referral(dn: &str, to: &str) -> String {
    let (name, value) = dn.split(',').next().unwrap().split_once('=').unwrap();
    format!("dn: {dn}\nobjectClass: referral\nobjectClass: extensibleObject\n{name}: {value}\nref: {to}\n\n")
}

fn person(uid: &str, name: &str) -> String {
    format!(
        "dn: uid={uid},{BRANCH}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {name}\nsn: {name}\nuserPassword: branch-{uid}\n\n"
    )
}

fn group_of(name: &str, member: &str) -> String {
    format!(
        "dn: {}\nobjectClass: groupOfNames\ncn: {name}\nmember: {member}\n\n",
        group(name)
    )
}

impl Company {
    /// `url` says by which of the branch's addresses the head office knows it.
    fn start(url: &str) -> Self {
        Self::start_on(url, "", &[])
    }

    /// With more in the branch's tree, and the head office on a port of its own.
    fn start_on(url: &str, more: &str, options: &[&str]) -> Self {
        let people = format!(
            "dn: {BRANCH}\nobjectClass: organizationalUnit\nou: branch\n\n{}{}{}",
            person("bjarne", "Bjarne Lund"),
            person("runa", "Runa Holm"),
            group_of("branch-leads", &format!("uid=runa,{BRANCH}")),
        );
        let tree = ldif(&(people + more));
        let branch = Slapd::start_bare(&["--ldif", tree.path().to_str().unwrap()]);
        // An address with a scheme is of TLS or not, as a real one would be.
        let port = branch.text(url).rsplit(':').next().unwrap();
        let known_as = format!("ldap://127.0.0.1:{port}");
        let tree = ldif(
            &[
                referral(
                    &format!("ou=branch,ou=people,{SUFFIX}"),
                    &format!("{known_as}/{BRANCH}"),
                ),
                referral(
                    &group("branch-leads"),
                    &format!("{known_as}/{}", group("branch-leads")),
                ),
                group_of("abroad", &format!("uid=bjarne,{BRANCH}")),
                group_of("travellers", &group("abroad")),
            ]
            .concat(),
        );
        let tree = tree.path().to_str().unwrap();
        let head = Slapd::start(&[&["--ldif", tree], options].concat());
        Self { head, branch }
    }

    fn config(&self, referrals: Referrals, hosts: &[&str]) -> DirectoryConfig {
        DirectoryConfig {
            referrals,
            referral_hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            ..self.head.config()
        }
    }

    fn following(&self) -> DirectoryConfig {
        self.config(Referrals::Follow, &["127.0.0.1"])
    }
}

fn has(reading: &Reading, localpart: &str) -> bool {
    let mut people = reading.snapshot.people.values();
    people.any(|person| person.localpart == localpart)
}

#[tokio::test]
async fn people_and_groups_of_both_servers_are_read() {
    let company = Company::start("ldap");
    let reading = directory(company.following()).read().await.unwrap();
    for name in ["bjarne", "runa", "anna.weber"] {
        assert!(has(&reading, name), "{name}");
    }
    let members = |name: &str| {
        reading
            .snapshot
            .people_of(&Dn::parse(&group(name)).unwrap())
            .len()
    };
    // Of a group of the head office within another one, and of a group of the branch.
    assert_eq!((members("travellers"), members("branch-leads")), (1, 1));
}

#[tokio::test]
async fn people_of_the_other_server_log_in_there() {
    let company = Company::start("ldap");
    let config = DirectoryConfig {
        login_group: group("travellers"),
        admin_group: group("branch-leads"),
        ..company.following()
    };
    let one = directory(config.clone());
    let bjarne = one.authenticate("bjarne", "branch-bjarne").await.unwrap();
    assert_eq!((bjarne.localpart.as_str(), bjarne.is_admin), ("bjarne", false));
    assert_eq!(one.find_by_id(&bjarne.immutable_id).await, Ok(bjarne));
    for (name, password, refusal) in [
        ("bjarne", "guess", LoginRefusal::WrongPassword),
        ("nobody", "guess", LoginRefusal::UnknownUser),
        ("runa", "branch-runa", LoginRefusal::NotInLoginGroup),
        ("anna.weber", "nordlicht-anna", LoginRefusal::NotInLoginGroup),
    ] {
        assert_eq!(one.authenticate(name, password).await, Err(refusal), "{name}");
    }
    let open = directory(DirectoryConfig {
        login_group: String::new(),
        ..config
    });
    assert!(open.authenticate("runa", "branch-runa").await.unwrap().is_admin);
    assert!(
        !open
            .authenticate("anna.weber", "nordlicht-anna")
            .await
            .unwrap()
            .is_admin
    );
}

#[tokio::test]
async fn only_servers_that_are_listed_are_asked() {
    let company = Company::start("ldap");
    let stranger = directory(company.config(Referrals::Follow, &["dc2.example.org"]));
    let refusal = stranger.read().await.unwrap_err().to_string();
    assert!(refusal.contains("referral_hosts"), "{refusal}");
    let login = stranger.authenticate("bjarne", "branch-bjarne").await;
    assert!(matches!(login, Err(LoginRefusal::Unavailable(_))), "{login:?}");
    assert!(
        stranger
            .authenticate("anna.weber", "nordlicht-anna")
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn without_following_the_branch_is_missing_or_ignored() {
    let company = Company::start("ldap");
    let (refusing, ignoring) = (
        directory(company.config(Referrals::Refuse, &[])),
        directory(company.config(Referrals::Ignore, &[])),
    );
    let refusal = refusing.read().await.unwrap_err().to_string();
    assert!(refusal.contains("refers to"), "{refusal}");
    let reading = ignoring.read().await.unwrap();
    assert!(has(&reading, "anna.weber") && !has(&reading, "bjarne"));
    for one in [refusing, ignoring] {
        let login = one.authenticate("bjarne", "branch-bjarne").await;
        assert_eq!(login, Err(LoginRefusal::UnknownUser));
        assert!(one.authenticate("anna.weber", "nordlicht-anna").await.is_ok());
    }
}

#[tokio::test]
async fn a_dead_branch_is_no_empty_one_and_keeps_nobody_else_out() {
    let mut company = Company::start("ldap");
    let one = directory(DirectoryConfig {
        login_group: group("everyone"),
        ..company.following()
    });
    assert!(has(&one.read().await.unwrap(), "bjarne"));
    company.branch.stop();
    let refusal = one.read().await.unwrap_err().to_string();
    assert!(refusal.contains("cannot be reached"), "{refusal}");
    let login = one.authenticate("bjarne", "branch-bjarne").await;
    assert!(matches!(login, Err(LoginRefusal::Unavailable(_))), "{login:?}");
    assert!(one.authenticate("anna.weber", "nordlicht-anna").await.is_ok());
    company.branch.start_again();
    assert!(has(&one.read().await.unwrap(), "bjarne"));
}

#[tokio::test]
async fn servers_that_refer_to_each_other_are_each_asked_once() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let back = |below: &str, to: &str| referral(below, &format!("ldap://127.0.0.1:{port}/{to}"));
    let more = [
        back(&format!("ou=people,{BRANCH}"), &format!("ou=people,{SUFFIX}")),
        back(&format!("ou=all,{BRANCH}"), SUFFIX),
        back(&format!("ou=groups,{BRANCH}"), GROUPS),
    ];
    let company = Company::start_on("ldap", &more.concat(), &["--port", &port.to_string()]);
    let one = directory(company.following());
    let reading = one.read().await.unwrap();
    assert!(has(&reading, "bjarne") && has(&reading, "anna.weber"));
    assert!(one.authenticate("bjarne", "branch-bjarne").await.is_ok());
    let login = one.authenticate("nobody", "guess").await;
    assert_eq!(login, Err(LoginRefusal::UnknownUser));
}

#[tokio::test]
async fn other_servers_are_asked_with_the_encryption_of_the_first() {
    let encrypted = |company: &Company| {
        let ca = NamedTempFile::new().unwrap();
        let both = [&company.head, &company.branch].map(|one| std::fs::read(one.ca_file()).unwrap());
        std::fs::write(ca.path(), both.concat()).unwrap();
        let config = DirectoryConfig {
            urls: vec![company.head.text("ldaps").to_owned()],
            ca_file: ca.path().to_owned(),
            password_change: true,
            ..company.following()
        };
        (ca, config)
    };
    let by_tls = Company::start("ldaps");
    let (_ca, config) = encrypted(&by_tls);
    let one = directory(config);
    assert!(has(&one.read().await.unwrap(), "bjarne"));
    one.replace_password(Whose::Login("bjarne"), "branch-bjarne", "a new word for it")
        .await
        .unwrap();
    assert!(one.authenticate("bjarne", "a new word for it").await.is_ok());

    // A port that speaks in clear hears no password.
    let in_clear = Company::start("ldap");
    let (_ca, config) = encrypted(&in_clear);
    let one = directory(config.clone());
    assert!(one.read().await.is_err());
    assert!(one.authenticate("bjarne", "branch-bjarne").await.is_err());
    let start_tls = directory(DirectoryConfig {
        urls: vec![in_clear.head.text("ldap").to_owned()],
        start_tls: true,
        ..config
    });
    assert!(start_tls.authenticate("bjarne", "branch-bjarne").await.is_ok());
}

#[tokio::test]
async fn the_check_tells_what_becomes_of_references() {
    let mut company = Company::start("ldap");
    let found = async |config: DirectoryConfig| {
        let findings = directory(config).check().await;
        let found = findings.into_iter().find(|found| found.finding.contains("refer"));
        let found = found.unwrap();
        (found.severity, found.advice)
    };
    let severity = async |config| found(config).await.0;
    assert_eq!(severity(company.following()).await, Severity::Good);
    assert_eq!(
        severity(company.config(Referrals::Ignore, &[])).await,
        Severity::Good
    );
    assert_eq!(
        severity(company.config(Referrals::Refuse, &[])).await,
        Severity::Warning
    );
    let (severe, advice) = found(company.config(Referrals::Follow, &["dc2.example.org"])).await;
    assert_eq!(severe, Severity::Failure);
    assert!(advice.contains("referral_hosts"), "{advice}");
    company.branch.stop();
    let failures = directory(company.following()).check().await;
    assert!(failures.iter().any(|found| found.severity == Severity::Failure));
    let good = directory(crate::slapd::company().config()).check().await;
    assert!(!good.iter().any(|found| found.finding.contains("refers to")));
}
