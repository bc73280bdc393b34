//! A branch whose part of the tree is on a server of its own, to which the first one refers.

use echorift_tests::{Look as _, TestDirectory, User, v3};
use serde_json::json;

use crate::{admin, administrator, mirroring, profile, sync};

const BRANCH: &str = "ou=branch,dc=nordlicht,dc=example";

#[tokio::test]
async fn who_is_on_another_server_is_mirrored_and_logs_in_and_its_fall_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let people = format!(
        "dn: {BRANCH}\nobjectClass: organizationalUnit\nou: branch\n\n\
         dn: uid=bjarne,{BRANCH}\nobjectClass: inetOrgPerson\nuid: bjarne\ncn: Bjarne Lund\nsn: Lund\n\
         userPassword: branch-bjarne\n\n"
    );
    let mut branch = TestDirectory::start_with(&["--ldif", &file("branch.ldif", people)]);
    let port = branch.facts.text("/ldap").rsplit(':').next().unwrap().to_owned();
    let reference = format!(
        "dn: ou=branch,ou=people,dc=nordlicht,dc=example\nobjectClass: referral\nobjectClass: extensibleObject\n\
         ou: branch\nref: ldap://127.0.0.1:{port}/{BRANCH}\n\n"
    );
    let head = TestDirectory::start_with(&["--ldif", &file("head.ldif", reference)]);
    let authorities =
        [&head, &branch].map(|one| std::fs::read_to_string(one.facts.text("/ca_file")).unwrap());
    let server = mirroring(&head)
        .set("directory.login_group", "")
        .set("directory.ca_file", file("ca.pem", authorities.concat()))
        .set("directory.referrals", "follow")
        .set("directory.referral_hosts", json!(["127.0.0.1"]))
        .start()
        .await;
    let root = administrator(&server).await;
    assert_eq!(profile(&root, "bjarne", "displayname").await, "Bjarne Lund");
    assert_eq!(profile(&root, "jonas.meyer", "displayname").await, "Jonas Meyer");
    let bjarne = User::logged_in(&server, "bjarne", "branch-bjarne").await.unwrap();

    branch.stop();
    let last = sync(&root).await;
    assert_eq!(last["outcome"], "failed", "{last}");
    bjarne.get(v3(["account", "whoami"])).await.unwrap();
    User::logged_in(&server, "jonas.meyer", "nordlicht-jonas")
        .await
        .unwrap();
    branch.start_again();
    assert_eq!(sync(&root).await["outcome"], "done");

    // Who leaves there is out with the next sync.
    branch.change(&format!("dn: uid=bjarne,{BRANCH}\nchangetype: delete\n\n"));
    assert_eq!(sync(&root).await["outcome"], "done");
    assert_eq!(
        bjarne.get(v3(["account", "whoami"])).await.unwrap_err().status,
        401
    );
    assert_eq!(root.get(admin(&["plan"])).await.unwrap()["total"], 0);
}
