use echorift_tests::{Look as _, TestDirectory, User, refused, until, v3};
use serde_json::json;

use crate::{administrator, group, mirroring, person, profile, replace, sync};

#[tokio::test]
async fn who_is_hired_appears_before_logging_in() {
    let directory = TestDirectory::start();
    let server = mirroring(&directory).start().await;
    let root = administrator(&server).await;
    assert_eq!(profile(&root, "jonas.meyer", "displayname").await, "Jonas Meyer");
    assert_eq!(
        profile(&root, "jonas.meyer", "org.echorift.title").await,
        "Developer"
    );
    assert_eq!(
        profile(&root, "jonas.meyer", "org.echorift.department").await,
        "Engineering"
    );
    // In no group that may log in.
    assert!(profile(&root, "ines.gast", "displayname").await.is_null());

    let dn = person("nils.neu");
    directory.change(&format!(
        "dn: {dn}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: nils.neu\nsn: Neu\n\
         cn:: TmlscyDinaggPGI+IPCfpoo=\nmanager: {}\nuserPassword: nordlicht-nils\n\n\
         dn: {}\nchangetype: modify\nadd: member\nmember: {dn}\n\n",
        person("jonas.meyer"),
        group("engineering"),
    ));
    // The directory tells of it: nobody waits for the interval.
    until("the new colleague appears", async || {
        (profile(&root, "nils.neu", "displayname").await == "Nils ❨ <b> 🦊").then_some(())
    })
    .await;
    let manager = profile(&root, "nils.neu", "org.echorift.manager").await;
    assert_eq!(manager, "@jonas.meyer:test.example");
    let nils = User::logged_in(&server, "nils.neu", "nordlicht-nils")
        .await
        .unwrap();
    assert_eq!(nils.id, "@nils.neu:test.example");
}

#[tokio::test]
async fn who_is_renamed_keeps_the_account_and_is_shown_with_the_new_name() {
    let directory = TestDirectory::start();
    let server = mirroring(&directory).start().await;
    let root = administrator(&server).await;
    let sofia = User::logged_in(&server, "sofia.rossi", "nordlicht-sofia")
        .await
        .unwrap();
    let room = sofia.create_room_with(&[]).await;

    let old = person("sofia.rossi");
    directory.change(&format!(
        "dn: {old}\nchangetype: modrdn\nnewrdn: uid=sofia.bianchi\ndeleteoldrdn: 1\n\n{}\
         dn: {}\nchangetype: modify\nadd: member\nmember: {}\n\n",
        replace(&person("sofia.bianchi"), "cn", "Sofia Bianchi"),
        group("sales"),
        person("sofia.bianchi"),
    ));
    until("the room shows the new name", async || {
        let path = v3(["rooms", &room, "state", "m.room.member", &sofia.id]);
        let member = sofia.get(path).await.unwrap();
        (member["displayname"] == "Sofia Bianchi").then_some(())
    })
    .await;
    let again = User::logged_in(&server, "sofia.bianchi", "nordlicht-sofia")
        .await
        .unwrap();
    assert_eq!(again.id, sofia.id);
    assert!(profile(&root, "sofia.bianchi", "displayname").await.is_null());
}

#[tokio::test]
async fn what_the_directory_owns_is_read_only() {
    let directory = TestDirectory::start();
    let server = mirroring(&directory).start().await;
    let root = administrator(&server).await;
    let jonas = User::logged_in(&server, "jonas.meyer", "nordlicht-jonas")
        .await
        .unwrap();
    refused(jonas.set_display_name("The Boss").await, 403, "M_FORBIDDEN");
    let title = v3(["profile", &jonas.id, "org.echorift.title"]);
    refused(
        jonas.put(&title, json!({ "org.echorift.title": "Boss" })).await,
        403,
        "M_FORBIDDEN",
    );
    refused(jonas.delete(&title).await, 403, "M_FORBIDDEN");
    let zone = v3(["profile", &jonas.id, "m.tz"]);
    jonas
        .put(&zone, json!({ "m.tz": "Europe/Berlin" }))
        .await
        .unwrap();
    let capabilities = jonas.get(v3(["capabilities"])).await.unwrap();
    assert_eq!(
        capabilities["capabilities"]["m.set_displayname"]["enabled"],
        false
    );
    let disallowed = capabilities["capabilities"]["m.profile_fields"]["disallowed"].clone();
    assert!(
        disallowed
            .as_array()
            .unwrap()
            .contains(&json!("org.echorift.title")),
        "{disallowed}"
    );

    // Local accounts are their owners'.
    root.put(
        v3(["profile", "@root:test.example", "displayname"]),
        json!({ "displayname": "Root" }),
    )
    .await
    .unwrap();
    // What stands in the directory comes back, and a sync that finds nothing to do does nothing.
    let last = sync(&root).await;
    assert_eq!(
        (
            &last["outcome"],
            &last["created"],
            &last["updated"],
            &last["locked"]
        ),
        (&json!("done"), &json!(0), &json!(0), &json!(0))
    );
}

#[tokio::test]
async fn photos_become_avatars() {
    let directory = TestDirectory::start_with(&["--people", "12", "--groups", "40"]);
    let server = mirroring(&directory)
        .set("directory.login_group", "")
        .start()
        .await;
    let root = administrator(&server).await;
    let avatar = until("there is a picture", async || {
        let avatar = profile(&root, "p00001", "avatar_url").await;
        (!avatar.is_null()).then_some(avatar)
    })
    .await;
    let id = avatar
        .as_str()
        .unwrap()
        .strip_prefix("mxc://test.example/")
        .unwrap()
        .to_owned();
    let path = echorift_tests::path("/_matrix/client/v1/media/download", &["test.example", &id]);
    let answer = root.request(reqwest::Method::GET, path).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "image/jpeg");
    assert!(profile(&root, "p00012", "avatar_url").await.is_null());

    // Each photo is taken over once, and who has chosen a picture keeps it.
    let p1 = User::logged_in(&server, "p00001", "nordlicht-00001")
        .await
        .unwrap();
    p1.put(
        v3(["profile", &p1.id, "avatar_url"]),
        json!({ "avatar_url": "mxc://test.example/own" }),
    )
    .await
    .unwrap();
    assert_eq!(sync(&root).await.number("/updated"), 0);
    assert_eq!(
        profile(&root, "p00001", "avatar_url").await,
        "mxc://test.example/own"
    );
}

#[tokio::test]
async fn names_that_cannot_be_told_apart_make_no_account() {
    let directory = TestDirectory::start();
    let server = mirroring(&directory)
        .set("directory.login_group", "")
        .start()
        .await;
    let root = administrator(&server).await;
    for number in [1, 2] {
        directory.change(&format!(
            "dn: cn=Twin {number},ou=people,dc=nordlicht,dc=example\nchangetype: add\nobjectClass: inetOrgPerson\n\
             uid: twin\nsn: Twin\ncn: Twin {number}\n\n"
        ));
    }
    let mut last = sync(&root).await;
    if last["troubles"] != 2 {
        // The first of the two may have come alone.
        last = sync(&root).await;
    }
    assert_eq!(last["outcome"], "done");
    let plan = root.get(crate::admin(&["plan"])).await.unwrap();
    assert_eq!(plan.list("/changes"), [] as [serde_json::Value; 0]);
}

#[tokio::test]
async fn accounts_can_wait_for_the_first_log_in() {
    let directory = TestDirectory::start();
    let server = mirroring(&directory)
        .set("directory.create_accounts", "login")
        .start()
        .await;
    let root = administrator(&server).await;
    assert_eq!(sync(&root).await.number("/created"), 0);
    User::logged_in(&server, "jonas.meyer", "nordlicht-jonas")
        .await
        .unwrap();
    assert_eq!(sync(&root).await.number("/updated"), 1);
    assert_eq!(
        profile(&root, "jonas.meyer", "org.echorift.title").await,
        "Developer"
    );
}
