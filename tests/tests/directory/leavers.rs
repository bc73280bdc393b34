use echorift_tests::{Look as _, TestDirectory, TestServer, User, refused, until, v3};
use serde_json::json;

use crate::{account_control, admin, administrator, group, mirroring, person, replace, sync};

async fn is_out(server: &TestServer, user: &User) {
    until("the token is refused", async || {
        let refusal = user.get(v3(["account", "whoami"])).await.err()?;
        assert_eq!(refusal.status, 401, "{refusal}");
        Some(())
    })
    .await;
    let login = User::logged_in(server, &user.localpart, &user.password).await;
    assert!(login.is_err());
}

async fn is_back(server: &TestServer, user: &User, room: &str) -> User {
    let again = until("they can log in", async || {
        User::logged_in(server, &user.localpart, &user.password)
            .await
            .ok()
    })
    .await;
    assert_eq!(again.id, user.id);
    let rooms = again.get(v3(["joined_rooms"])).await.unwrap();
    assert_eq!(rooms.list("/joined_rooms"), [json!(room)]);
    again
}

#[tokio::test]
async fn who_leaves_is_out_at_once_and_gets_everything_back_on_return() {
    let directory = TestDirectory::start();
    let server = mirroring(&directory).start().await;
    let root = administrator(&server).await;
    until("the directory tells of changes", async || {
        let status = root.get(admin(&[])).await.unwrap();
        (status["sync"]["is_told"] == true).then_some(())
    })
    .await;
    let jonas = User::logged_in(&server, "jonas.meyer", "nordlicht-jonas")
        .await
        .unwrap();
    let pusher = json!({
        "kind": "http", "app_id": "org.example", "pushkey": "key", "app_display_name": "A", "device_display_name": "B",
        "lang": "en", "data": { "url": "https://push.example/_matrix/push/v1/notify" },
    });
    jonas.post(v3(["pushers", "set"]), pusher).await.unwrap();
    let room = jonas.create_room_with(&[]).await;

    // Disabled.
    directory.change(&account_control(&person("jonas.meyer"), 514));
    is_out(&server, &jonas).await;
    directory.change(&account_control(&person("jonas.meyer"), 512));
    let jonas = is_back(&server, &jonas, &room).await;
    assert_eq!(
        jonas.get(v3(["pushers"])).await.unwrap().list("/pushers"),
        [] as [serde_json::Value; 0]
    );

    // Out of the group that may log in, which holds the one that he is in.
    let members = |change: &str, name: &str| {
        let (group, member) = (group(name), person("jonas.meyer"));
        format!("dn: {group}\nchangetype: modify\n{change}: member\nmember: {member}\n\n")
    };
    directory.change(&members("delete", "engineering"));
    is_out(&server, &jonas).await;
    directory.change(&members("add", "engineering"));
    let jonas = is_back(&server, &jonas, &room).await;

    // Expired.
    directory.change(&replace(
        &person("jonas.meyer"),
        "accountExpires",
        "133485408000000000",
    ));
    is_out(&server, &jonas).await;
    directory.change(&replace(&person("jonas.meyer"), "accountExpires", "0"));
    let jonas = is_back(&server, &jonas, &room).await;

    // Gone for good.
    directory.change(&format!("dn: {}\nchangetype: delete\n\n", person("jonas.meyer")));
    is_out(&server, &jonas).await;
    let path = v3(["profile", &jonas.id, "displayname"]);
    assert_eq!(root.get(path).await.unwrap().text("/displayname"), "Jonas Meyer");
}

#[tokio::test]
async fn what_an_administrator_has_locked_stays_locked() {
    let directory = TestDirectory::start();
    let server = mirroring(&directory).start().await;
    let root = administrator(&server).await;
    let path =
        |act: &str| echorift_tests::path("/_echorift/admin/v1/users", &["@jonas.meyer:test.example", act]);
    root.post(path("lock"), json!({})).await.unwrap();
    assert_eq!(sync(&root).await["outcome"], "done");
    let login = User::logged_in(&server, "jonas.meyer", "nordlicht-jonas").await;
    assert_eq!(login.unwrap_err().errcode, "M_USER_LOCKED");
    root.post(path("unlock"), json!({})).await.unwrap();
    User::logged_in(&server, "jonas.meyer", "nordlicht-jonas")
        .await
        .unwrap();
}

#[tokio::test]
async fn a_refresh_finds_out_who_has_left_where_nothing_is_mirrored() {
    let directory = TestDirectory::start();
    let server = directory.server().start().await;
    let more = json!({ "refresh_token": true });
    let session = server
        .anonymous()
        .log_in("jonas.meyer", "nordlicht-jonas", more)
        .await
        .unwrap();
    let token = json!({ "refresh_token": session.text("/refresh_token") });
    let next = server.anonymous().post(v3(["refresh"]), token).await.unwrap();

    directory.change(&account_control(&person("jonas.meyer"), 514));
    let token = json!({ "refresh_token": next.text("/refresh_token") });
    refused(
        server.anonymous().post(v3(["refresh"]), token).await,
        401,
        "M_USER_LOCKED",
    );
    let jonas = server.with_token(next.text("/access_token"));
    assert_eq!(
        jonas.get(v3(["account", "whoami"])).await.unwrap_err().status,
        401
    );

    directory.change(&account_control(&person("jonas.meyer"), 512));
    User::logged_in(&server, "jonas.meyer", "nordlicht-jonas")
        .await
        .unwrap();
}

#[tokio::test]
async fn when_too_many_would_leave_nobody_does_before_an_administrator_approves() {
    let directory = TestDirectory::start();
    let server = mirroring(&directory).start().await;
    let root = administrator(&server).await;
    let jonas = User::logged_in(&server, "jonas.meyer", "nordlicht-jonas")
        .await
        .unwrap();
    let everyone = group("everyone");
    directory.change(&replace(&everyone, "member", &person("anna.weber")));
    let last = sync(&root).await;
    assert_eq!(
        (&last["outcome"], &last["locks_max"]),
        (&json!("stopped"), &json!(5))
    );
    jonas.get(v3(["account", "whoami"])).await.unwrap();
    let plan = root.get(admin(&["plan"])).await.unwrap();
    let line = json!("lock jonas.meyer (not_in_login_group)");
    assert!(plan.list("/changes").contains(&line), "{plan}");
    assert!(
        server
            .logs()
            .iter()
            .any(|line| line.contains("before an administrator approves"))
    );

    let status = root.post(admin(&["approve"]), json!({})).await.unwrap();
    assert_eq!(status["last"]["outcome"], "done");
    assert_eq!(
        jonas.get(v3(["account", "whoami"])).await.unwrap_err().status,
        401
    );
    // The word holds for one sync.
    assert_eq!(root.get(admin(&[])).await.unwrap()["sync"]["is_approved"], false);
    let anyone = server.anonymous();
    assert!(anyone.get(admin(&[])).await.is_err());
}

#[tokio::test]
async fn leavers_one_by_one_are_stopped_like_many_at_once() {
    let directory = TestDirectory::start();
    let server = mirroring(&directory).start().await;
    let root = administrator(&server).await;
    let leave = async |names: &[&str]| {
        let before = root.get(admin(&[])).await.unwrap()["sync"]["last"]["ended_ts"].clone();
        let gone: String = names
            .iter()
            .map(|name| account_control(&person(name), 514))
            .collect();
        directory.change(&gone);
        until("a sync has seen them go", async || {
            let last = root.get(admin(&[])).await.unwrap()["sync"]["last"].clone();
            (last["ended_ts"] != before).then_some(last)
        })
        .await
    };
    until("the directory tells of changes", async || {
        let status = root.get(admin(&[])).await.unwrap();
        (status["sync"]["is_told"] == true).then_some(())
    })
    .await;
    for name in ["sofia.rossi", "lars.hansen", "lena.hansen"] {
        assert_eq!(leave(&[name]).await["outcome"], "done");
    }
    // Two of five are left of this interval.
    let last = leave(&["Tove.Berg", "o'neil", "anna.weber"]).await;
    assert_eq!(
        (
            &last["reach"],
            &last["outcome"],
            &last["locks"],
            &last["locks_max"]
        ),
        (&json!("changes"), &json!("stopped"), &json!(3), &json!(2))
    );
    let anna = User::logged_in(&server, "anna.weber", "nordlicht-anna").await;
    assert!(anna.is_err());

    // The next sync reads everything, and stops as well; an administrator's word ends that.
    let last = sync(&root).await;
    assert_eq!(
        (&last["reach"], &last["outcome"]),
        (&json!("whole"), &json!("stopped"))
    );
    let status = root.post(admin(&["approve"]), json!({})).await.unwrap();
    assert_eq!(
        (&status["last"]["outcome"], &status["last"]["locked"]),
        (&json!("done"), &json!(3))
    );
    assert_eq!(leave(&["jonas.meyer"]).await["outcome"], "done");
}

#[tokio::test]
async fn a_restart_forgets_nobody_who_was_locked() {
    let directory = TestDirectory::start();
    let server = mirroring(&directory).start().await;
    let root = administrator(&server).await;
    let disable = |names: &[&str]| {
        let gone: Vec<String> = names
            .iter()
            .map(|name| account_control(&person(name), 514))
            .collect();
        directory.change(&gone.concat());
    };
    // One run or more, as they come.
    disable(&["sofia.rossi", "lars.hansen", "lena.hansen"]);
    assert_eq!(sync(&root).await["outcome"], "done");
    server.stop().await;
    // Two of five are left. All go before anybody looks.
    disable(&["Tove.Berg", "o'neil", "anna.weber"]);
    server.restart().await;
    let stopped = (json!("stopped"), json!(3), json!(2));
    let last = sync(&root).await;
    assert_eq!(
        (&last["outcome"], &last["locks"], &last["locks_max"]),
        (&stopped.0, &stopped.1, &stopped.2)
    );
    let plan = root.get(admin(&["plan"])).await.unwrap();
    assert_eq!(plan["locks_max"], 2, "{plan}");
    directory.change(&account_control(&person("anna.weber"), 512));
    let last = sync(&root).await;
    assert_eq!((&last["outcome"], &last["locked"]), (&json!("done"), &json!(2)));
}

#[tokio::test]
async fn whoever_is_in_one_of_the_groups_that_may_log_in_does() {
    let directory = TestDirectory::start();
    let server = mirroring(&directory)
        .set("directory.login_group", group("sales"))
        .set(
            "directory.mapping",
            json!([{ "group": group("engineering"), "login": true }]),
        )
        .start()
        .await;
    let root = administrator(&server).await;
    let names = ["sofia.rossi", "jonas.meyer", "tove.berg"];
    for (name, is_there) in names.into_iter().zip([true, true, false]) {
        let field = crate::profile(&root, name, "displayname").await;
        assert_eq!(!field.is_null(), is_there, "{name}");
    }
    let sofia = User::logged_in(&server, "sofia.rossi", "nordlicht-sofia")
        .await
        .unwrap();
    let jonas = User::logged_in(&server, "jonas.meyer", "nordlicht-jonas")
        .await
        .unwrap();
    let tove = User::logged_in(&server, "Tove.Berg", "nordlicht-tove").await;
    assert_eq!(tove.unwrap_err().status, 403);
    directory.change(&format!(
        "dn: {}\nchangetype: modify\ndelete: member\nmember: {}\n\n",
        group("engineering"),
        person("jonas.meyer")
    ));
    is_out(&server, &jonas).await;
    sofia.get(v3(["account", "whoami"])).await.unwrap();
}
