//! Who may log in and who administers, by groups and groups in groups.

use echorift_appservice_ldap::{Directory, DirectoryConfig, LoginRefusal};

use crate::slapd::{PEOPLE, Slapd, company, directory, group};

/// Whether each of these people is let in when only members of the group are.
async fn let_in<const N: usize>(directory: &Directory, usernames: [&str; N]) -> [bool; N] {
    let mut are_in = [false; N];
    for (username, is_in) in usernames.iter().zip(&mut are_in) {
        *is_in = match directory.find(username).await {
            Ok(_) => true,
            Err(LoginRefusal::NotInLoginGroup) => false,
            Err(other) => panic!("{username}: {other}"),
        };
    }
    are_in
}

fn only_members_of(slapd: &Slapd, name: &str) -> Directory {
    directory(DirectoryConfig {
        login_group: group(name),
        ..slapd.config()
    })
}

#[tokio::test]
async fn members_of_members_may_log_in() {
    let company = company();
    let everyone = only_members_of(&company, "everyone");
    // Through engineering; through platform and engineering; through a groupOfUniqueNames; by a name with a comma.
    let people = [
        "anna.weber",
        "o'neil",
        "Tove.Berg",
        "greta.boehm",
        "jürgen.müller",
        "ines.gast",
    ];
    assert_eq!(
        let_in(&everyone, people).await,
        [true, true, true, true, true, false]
    );
    assert!(everyone.authenticate("o'neil", "nordlicht-sinead").await.is_ok());
    assert_eq!(
        everyone.authenticate("ines.gast", "nordlicht-ines").await,
        Err(LoginRefusal::NotInLoginGroup)
    );
}

#[tokio::test]
async fn without_nesting_only_direct_members_may_log_in() {
    let company = company();
    let config = DirectoryConfig {
        nested_groups: false,
        ..company.config()
    };
    let everyone = directory(DirectoryConfig {
        login_group: group("everyone"),
        ..config.clone()
    });
    assert_eq!(let_in(&everyone, ["anna.weber"]).await, [false]);
    let engineering = directory(DirectoryConfig {
        login_group: group("engineering"),
        ..config
    });
    assert_eq!(
        let_in(&engineering, ["anna.weber", "o'neil"]).await,
        [true, false]
    );
}

#[tokio::test]
async fn groups_that_contain_each_other_are_no_trap() {
    let company = company();
    let snake = only_members_of(&company, "snake");
    assert_eq!(
        let_in(&snake, ["lars.hansen", "ines.gast", "anna.weber"]).await,
        [true, false, false]
    );
    // Engineering and platform contain each other, so that both hold everybody of the other.
    let platform = only_members_of(&company, "platform");
    assert_eq!(
        let_in(&platform, ["anna.weber", "o'neil", "sofia.rossi"]).await,
        [true, true, false]
    );
}

#[tokio::test]
async fn a_group_may_list_logins() {
    let company = company();
    let support = only_members_of(&company, "support");
    assert_eq!(
        let_in(&support, ["(star)*", "jonas.meyer", "anna.weber"]).await,
        [true, true, false]
    );
}

#[tokio::test]
async fn members_of_the_admin_group_administer() {
    let company = company();
    let directory = directory(DirectoryConfig {
        admin_group: group("chat-admins"),
        ..company.config()
    });
    for (username, is_admin) in [
        ("anna.weber", true),
        ("greta.boehm", true),
        ("jonas.meyer", false),
    ] {
        assert_eq!(
            directory.find(username).await.unwrap().is_admin,
            is_admin,
            "{username}"
        );
    }
}

#[tokio::test]
async fn both_groups_are_decided_together() {
    let company = company();
    let directory = directory(DirectoryConfig {
        login_group: group("everyone").to_uppercase(),
        admin_group: group("chat-admins"),
        ..company.config()
    });
    assert!(directory.find("greta.boehm").await.unwrap().is_admin);
    assert!(!directory.find("sofia.rossi").await.unwrap().is_admin);
    assert_eq!(
        directory.find("ines.gast").await,
        Err(LoginRefusal::NotInLoginGroup)
    );
}

#[tokio::test]
async fn a_group_that_does_not_exist_has_no_members() {
    let company = company();
    let config = DirectoryConfig {
        admin_group: group("nobody"),
        ..company.config()
    };
    assert!(!directory(config).find("anna.weber").await.unwrap().is_admin);
    assert_eq!(
        let_in(&only_members_of(&company, "nobody"), ["anna.weber"]).await,
        [false]
    );
}

#[tokio::test]
async fn direct_bind_reads_groups_as_the_person() {
    let company = company();
    let directory = directory(DirectoryConfig {
        bind_dn: format!("uid={{username}},{PEOPLE}"),
        bind_password: String::new(),
        login_group: group("everyone"),
        ..company.config()
    });
    assert!(directory.authenticate("o'neil", "nordlicht-sinead").await.is_ok());
    assert_eq!(
        directory.authenticate("ines.gast", "nordlicht-ines").await,
        Err(LoginRefusal::NotInLoginGroup)
    );
}

#[tokio::test]
async fn a_server_that_keeps_member_of_gives_the_same_answers() {
    let slapd = Slapd::start(&["--member-of"]);
    let everyone = only_members_of(&slapd, "everyone");
    let people = ["anna.weber", "o'neil", "Tove.Berg", "ines.gast"];
    assert_eq!(let_in(&everyone, people).await, [true, true, true, false]);
    let sales = only_members_of(&slapd, "sales");
    assert_eq!(let_in(&sales, ["sofia.rossi", "anna.weber"]).await, [true, false]);
}
