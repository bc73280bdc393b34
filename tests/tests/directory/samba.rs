//! A domain of Active Directory, which tells of nothing and is asked: `cargo test --test directory -- --ignored`, as root.

use echorift_tests::{Caller, Look as _, TestDirectory, TestServer, User, until, v3};
use serde_json::json;

use crate::{admin, administrator, mirroring_with, profile, replace, runs, sync};

async fn mirrored(domain: &TestDirectory) -> (TestServer, Caller) {
    mirrored_by(domain, "echorift").await
}

/// With this service account.
async fn mirrored_by(domain: &TestDirectory, account: &str) -> (TestServer, Caller) {
    let facts = &domain.facts;
    let title = account.get(..1).unwrap().to_uppercase() + account.get(1..).unwrap();
    let server = mirroring_with(TestServer::builder())
        .set("directory.urls", json!([facts.text("/ldaps")]))
        .set("directory.ca_file", facts.text("/ca_file"))
        .set(
            "directory.bind_dn",
            format!("CN={title} Nordlicht,{}", facts.text("/people_dn")),
        )
        .set("directory.bind_password", format!("Nordlicht-{account}-1"))
        .set("directory.base_dn", facts.text("/people_dn"))
        .set(
            "directory.user_filter",
            "(&(objectCategory=person)(objectClass=user)(sAMAccountName={username}))",
        )
        .set("directory.attribute_uid", "sAMAccountName")
        .set("directory.attribute_name", "displayName")
        .set("directory.attribute_id", "objectGUID")
        .set("directory.attribute_group_id", "objectGUID")
        .set(
            "directory.login_group",
            format!("CN=chat,{}", facts.text("/groups_dn")),
        )
        .start()
        .await;
    let root = administrator(&server).await;
    until("the domain is asked for changes", async || {
        let status = root.get(admin(&[])).await.unwrap();
        (status["sync"]["is_told"] == true).then_some(())
    })
    .await;
    (server, root)
}

async fn is_out(user: &User) {
    until("the token is refused", async || {
        let refusal = user.get(v3(["account", "whoami"])).await.err()?;
        assert_eq!(refusal.status, 401, "{refusal}");
        Some(())
    })
    .await;
}

async fn logged_in(server: &TestServer, name: &str) -> User {
    let password = format!("Nordlicht-{name}-1");
    until("they can log in", async || {
        User::logged_in(server, name, &password).await.ok()
    })
    .await
}

#[tokio::test]
#[ignore = "needs Samba, and root for its ports"]
async fn what_changes_in_a_domain_of_windows_is_worked_in() {
    let domain = TestDirectory::samba();
    let (server, root) = mirrored(&domain).await;
    let (people, groups) = (domain.facts.text("/people_dn"), domain.facts.text("/groups_dn"));
    let person = |name: &str| format!("CN={name} Nordlicht,{people}");
    assert_eq!(profile(&root, "anna", "displayname").await, "Anna Nordlicht");
    assert!(profile(&root, "mats", "displayname").await.is_null());
    let whole = runs(&root, "whole").await;

    domain.change(&replace(&person("Anna"), "title", "Captain"));
    until("the title is known", async || {
        (profile(&root, "anna", "org.echorift.title").await == "Captain").then_some(())
    })
    .await;

    // Of people in a group that changes, nothing is counted as changed.
    let member = |change: &str| {
        format!(
            "dn: CN=inner,{groups}\nchangetype: modify\n{change}: member\nmember: {}\n\n",
            person("Mats")
        )
    };
    domain.change(&(replace(&person("Mats"), "userAccountControl", "512") + &member("add")));
    until("who is enabled appears", async || {
        (!profile(&root, "mats", "displayname").await.is_null()).then_some(())
    })
    .await;
    let mats = logged_in(&server, "mats").await;
    domain.change(&member("delete"));
    is_out(&mats).await;
    domain.change(&member("add"));
    let mats = logged_in(&server, "mats").await;

    // The group names who is renamed by the new name, without being counted as changed.
    let anna = logged_in(&server, "anna").await;
    domain.change(&format!(
        "dn: {}\nchangetype: modrdn\nnewrdn: CN=Anna Andersson\ndeleteoldrdn: 1\n\n{}",
        person("Anna"),
        replace(
            &format!("CN=Anna Andersson,{people}"),
            "displayName",
            "Anna Andersson"
        ),
    ));
    until("the new name is known", async || {
        (profile(&root, "anna", "displayname").await == "Anna Andersson").then_some(())
    })
    .await;
    domain.change(&replace(&person("Mats"), "userAccountControl", "514"));
    is_out(&mats).await;
    anna.get(v3(["account", "whoami"])).await.unwrap();
    assert_eq!(runs(&root, "whole").await, whole);

    let plan = root.get(admin(&["plan"])).await.unwrap();
    assert_eq!(plan["total"], 0, "{plan}");
    domain.change(&format!("dn: CN=Anna Andersson,{people}\nchangetype: delete\n\n"));
    assert_eq!(sync(&root).await["locked"], 1);
    is_out(&anna).await;
}

#[tokio::test]
#[ignore = "needs Samba, and root for its ports"]
async fn who_is_deleted_from_a_domain_of_windows_is_out_at_once_where_that_may_be_seen() {
    let domain = TestDirectory::samba();
    let (server, root) = mirrored_by(&domain, "watcher").await;
    let (people, groups) = (domain.facts.text("/people_dn"), domain.facts.text("/groups_dn"));
    let anna = logged_in(&server, "anna").await;
    let whole = runs(&root, "whole").await;
    // By another name than the server knows, within the time between two questions.
    domain.change(&format!(
        "dn: CN=Anna Nordlicht,{people}\nchangetype: modrdn\nnewrdn: CN=Anna (left)\ndeleteoldrdn: 1\n\n\
         dn: CN=Anna (left),{people}\nchangetype: delete\n\n"
    ));
    is_out(&anna).await;
    assert_eq!(runs(&root, "whole").await, whole);
    let plan = root.get(admin(&["plan"])).await.unwrap();
    assert_eq!(plan["total"], 0, "{plan}");

    // Who may log in by a group that is gone: everything is read, and that is refused.
    domain.change(&format!("dn: CN=chat,{groups}\nchangetype: delete\n\n"));
    until("everything is read", async || {
        let last = root.get(admin(&[])).await.unwrap()["sync"]["last"].clone();
        (last["reach"] == "whole" && last["outcome"] == "failed").then_some(())
    })
    .await;
}
