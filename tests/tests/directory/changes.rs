//! What the directory tells of is worked in by itself, and leaves what a reading of all of it would have left.

use base64::Engine as _;
use echorift_tests::{Caller, Look as _, TestDirectory, TestServer, User, until, v3};
use serde_json::{Value, json};

use crate::{admin, administrator, group, mirroring, person, profile, replace, runs, sync};

/// The large company's people, of whom all may log in, in a company of this size.
async fn company(directory: &TestDirectory) -> (TestServer, Caller) {
    let server = mirroring(directory)
        .set("directory.login_group", group("chat-users"))
        .set(
            "directory.mapping",
            json!([
                { "group": group("department-sales"), "channel": "#sales", "create": true },
                { "group": group("division-1"), "channel": "#division", "create": true },
                { "group": group("posix-1"), "channel": "#posix", "create": true },
            ]),
        )
        .start()
        .await;
    let root = administrator(&server).await;
    until(
        "the directory tells of changes, and photos are taken over",
        async || {
            let status = root.get(admin(&[])).await.unwrap();
            let has_photo = !profile(&root, "p00001", "avatar_url").await.is_null();
            (status["sync"]["is_told"] == true && has_photo).then_some(())
        },
    )
    .await;
    (server, root)
}

/// Nothing is left that a whole sync would do, in accounts or rooms.
async fn is_in_step(root: &Caller) {
    let plan = root.get(admin(&["plan"])).await.unwrap();
    assert_eq!(plan.list("/changes"), [] as [Value; 0]);
    assert_eq!(plan["rooms"]["changes"], json!([]));
}

async fn is_in(root: &Caller, room: &str, localpart: &str) -> bool {
    let found = root
        .get(v3(["directory", "room", &format!("#{room}:test.example")]))
        .await;
    let id = found.unwrap().text("/room_id").to_owned();
    let members = echorift_tests::path("/_echorift/admin/v1/rooms", &[&id, "members"]);
    let members = root.get(members).await.unwrap();
    members
        .to_string()
        .contains(&format!("\"@{localpart}:test.example\""))
}

async fn comes_into(root: &Caller, room: &str, localpart: &str) {
    until("they are let in", async || {
        is_in(root, room, localpart).await.then_some(())
    })
    .await;
}

async fn goes_out_of(root: &Caller, room: &str, localpart: &str) {
    until("they are out", async || {
        (!is_in(root, room, localpart).await).then_some(())
    })
    .await;
}

fn member(change: &str, of: &str, dn: &str) -> String {
    format!(
        "dn: {}\nchangetype: modify\n{change}: member\nmember: {dn}\n\n",
        group(of)
    )
}

#[tokio::test]
async fn changes_are_worked_in_one_by_one_and_leave_what_a_whole_sync_would() {
    let directory = TestDirectory::start_with(&["--people", "60", "--groups", "60"]);
    let (server, root) = company(&directory).await;
    for (room, who) in [("sales", "p00001"), ("division", "p00027"), ("posix", "p00020")] {
        comes_into(&root, room, who).await;
    }
    let whole = runs(&root, "whole").await;

    // Between groups, of which one is in a group that is mapped as well.
    let p1 = person("p00001");
    directory.change(&(member("add", "department-people", &p1) + &member("delete", "department-sales", &p1)));
    goes_out_of(&root, "sales", "p00001").await;
    comes_into(&root, "division", "p00002").await;
    is_in_step(&root).await;

    // A group comes into another one, and leaves it.
    let support = group("department-support");
    directory.change(&member("add", "department-sales", &support));
    comes_into(&root, "sales", "p00008").await;
    directory.change(&member("delete", "department-sales", &support));
    goes_out_of(&root, "sales", "p00008").await;
    is_in_step(&root).await;

    // A profile, and the manager's new name, which nobody tells of.
    directory.change(&replace(&p1, "title", "Chairwoman"));
    until("the title is known", async || {
        (profile(&root, "p00001", "org.echorift.title").await == "Chairwoman").then_some(())
    })
    .await;
    let rename = |from: &str, to: &str| {
        format!(
            "dn: {}\nchangetype: modrdn\nnewrdn: uid={to}\ndeleteoldrdn: 1\n\n",
            person(from)
        )
    };
    directory.change(&rename("p00002", "p00002.renamed"));
    until("the manager of that name is gone", async || {
        profile(&root, "p00010", "org.echorift.manager")
            .await
            .is_null()
            .then_some(())
    })
    .await;
    is_in_step(&root).await;
    directory.change(&rename("p00002.renamed", "p00002"));
    until("the manager is back", async || {
        (profile(&root, "p00010", "org.echorift.manager").await == "@p00002:test.example").then_some(())
    })
    .await;
    is_in_step(&root).await;

    // Somebody new, with a photo, whom a group of logins names; somebody else who gets a leaver's name.
    let p27 = User::logged_in(&server, "p00027", "nordlicht-00027")
        .await
        .unwrap();
    directory.change(&format!("dn: {}\nchangetype: delete\n\n", person("p00027")));
    until("the leaver's token is refused", async || {
        let refusal = p27.get(v3(["account", "whoami"])).await.err()?;
        assert_eq!(refusal.status, 401, "{refusal}");
        Some(())
    })
    .await;
    goes_out_of(&root, "division", "p00027").await;
    is_in_step(&root).await;
    let dn = person("p00027");
    let photo = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/ldap/photos/1.jpg");
    let photo = std::fs::read(photo).unwrap();
    directory.change(
        &(format!(
            "dn: {dn}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: p00027\nsn: Neu\ncn: Neu\n\n\
         dn: {}\nchangetype: modify\nadd: memberUid\nmemberUid: nina.neu\n\n\
         dn: {}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: nina.neu\nsn: Neu\ncn: Nina Neu\n\
         jpegPhoto:: {}\n\n",
            group("posix-1"),
            person("nina.neu"),
            base64::engine::general_purpose::STANDARD.encode(photo),
        ) + &member("add", "all-staff", &person("nina.neu"))),
    );
    comes_into(&root, "posix", "nina.neu").await;
    until("the photo is taken over", async || {
        (!profile(&root, "nina.neu", "avatar_url").await.is_null()).then_some(())
    })
    .await;
    assert!(!is_in(&root, "division", "p00027").await);
    is_in_step(&root).await;

    assert_eq!(runs(&root, "whole").await, whole);
    assert!(runs(&root, "changes").await > 5);
    let last = sync(&root).await;
    assert_eq!(
        (
            &last["reach"],
            &last["created"],
            &last["updated"],
            &last["locked"],
            &last["unlocked"]
        ),
        (&json!("whole"), &json!(0), &json!(0), &json!(0), &json!(0))
    );
}
