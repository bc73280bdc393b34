//! A company of several domains, each mirrored by itself.

use echorift_tests::{Look as _, TestDirectory, User, refused, until, v3};
use serde_json::json;

use crate::{admin, administrator, metric, mirroring, profile};

#[tokio::test]
async fn each_domain_has_its_own_people_groups_and_syncs() {
    let (main, windows) = (
        TestDirectory::start(),
        TestDirectory::start_with(&["--shape", "active-directory", "--people", "20", "--groups", "40"]),
    );
    let groups = windows.facts.text("/groups_dn");
    let server = mirroring(&main)
        .set(
            "directory.domains.corp",
            json!({
                "urls": [windows.facts.text("/ldaps")],
                "ca_file": windows.facts.text("/ca_file"),
                "bind_dn": windows.facts.text("/bind_dn"),
                "bind_password": windows.facts.text("/bind_password"),
                "base_dn": windows.facts.text("/people_dn"),
                "netbios_name": "CORP",
                "uid_suffix": ".corp",
                "user_filter": "(&(objectClass=user)(sAMAccountName={username}))",
                "attribute_uid": "sAMAccountName",
                "attribute_name": "displayName",
                "attribute_id": "objectGUID",
                "attribute_group_id": "objectGUID",
                "attribute_department": "department",
                "attribute_photo": "thumbnailPhoto",
                "owned_fields": ["org.echorift.title"],
                "sync": true,
                "mapping": [{ "group": format!("CN=department-sales,{groups}"), "channel": "#corp-sales", "create": true }],
            }),
        )
        .start()
        .await;
    let root = administrator(&server).await;
    until("both domains are mirrored", async || {
        let status = root.get(admin(&[])).await.unwrap();
        let domain = status.list("/domains").first().cloned().unwrap();
        let ended = domain["sync"]["last"]["outcome"] == "done" && domain["groups"]["done"] != 0;
        (domain["name"] == "corp" && domain["sync"]["is_told"] == true && ended).then_some(())
    })
    .await;
    assert_eq!(profile(&root, "jonas.meyer", "displayname").await, "Jonas Meyer");
    assert_eq!(
        profile(&root, "p00001.corp", "org.echorift.department").await,
        "Sales"
    );
    let guest = User::logged_in(&server, "CORP\\p00001", "nordlicht-00001")
        .await
        .unwrap();
    assert_eq!(guest.id, "@p00001.corp:test.example");
    until("the group's room is theirs", async || {
        let rooms = guest.get(v3(["joined_rooms"])).await.unwrap();
        (rooms.list("/joined_rooms").len() == 1).then_some(())
    })
    .await;

    // What is a domain's own to say is nobody else's.
    guest.set_display_name("Number One").await.unwrap();
    let title = v3(["profile", &guest.id, "org.echorift.title"]);
    refused(
        guest.put(&title, json!({ "org.echorift.title": "Boss" })).await,
        403,
        "M_FORBIDDEN",
    );
    let jonas = User::logged_in(&server, "jonas.meyer", "nordlicht-jonas")
        .await
        .unwrap();
    refused(jonas.set_display_name("The Boss").await, 403, "M_FORBIDDEN");

    let dn = windows.facts.text("/people_dn");
    windows.change(&format!(
        "dn: CN=Nora,{dn}\nchangetype: add\nobjectClass: user\ncn: Nora\nsn: Nora\nsAMAccountName: nora\n\
         objectGUID:: AAECAwQFBgcICQoLDA0ODw==\n\n"
    ));
    until("the new colleague appears", async || {
        let path = v3(["profile", "@nora.corp:test.example"]);
        root.get(path).await.ok()
    })
    .await;
    let of_corp = |act: &str| format!("{}?domain=corp", admin(&[act]));
    let synced = root.post(of_corp("sync"), json!({})).await.unwrap();
    assert_eq!(
        (&synced["last"]["outcome"], &synced["last"]["people"]),
        (&json!("done"), &json!(21))
    );
    let people = metric(&root, "echorift_directory_people", "domain=\"corp\"").await;
    assert_eq!(people, 21);
    let plan = root.get(of_corp("plan")).await.unwrap();
    assert_eq!((&plan["total"], &plan["rooms"]["total"]), (&json!(0), &json!(0)));
    assert_eq!(root.get(of_corp("drift")).await.unwrap()["total"], 0);
    let nowhere = format!("{}?domain=nowhere", admin(&["plan"]));
    refused(root.get(nowhere).await, 404, "M_NOT_FOUND");
    refused(root.get(admin(&["drift"])).await, 404, "M_NOT_FOUND");
}
