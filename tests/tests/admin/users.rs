use echorift_tests::{Look as _, TestServer, User, fresh, refused, v3};
use serde_json::{Value, json};

use crate::admin;

#[tokio::test]
async fn everybody_is_told_whether_they_administer() {
    let server = TestServer::shared().await;
    let root = server.register_admin().await;
    let [bob] = server.register(["bob"]).await;
    for (user, is_administrator) in [(&root, true), (&bob, false)] {
        assert_eq!(
            user.get(admin(["whoami"])).await.unwrap(),
            json!({ "user_id": user.id, "is_administrator": is_administrator })
        );
    }
    refused(
        server.anonymous().get(admin(["whoami"])).await,
        401,
        "M_MISSING_TOKEN",
    );
}

#[tokio::test]
async fn nobody_else_gets_in() {
    let server = TestServer::shared().await;
    let [bob] = server.register(["bob"]).await;
    for path in [
        admin(["users"]),
        admin(["users", &bob.id]),
        admin(["rooms"]),
        admin(["audit"]),
        admin(["server"]),
        admin(["server", "health"]),
        admin(["server", "series"]),
        admin(["media", "usage"]),
        admin(["reports"]),
        admin(["calls"]),
        admin(["federation", "destinations"]),
    ] {
        refused(bob.get(&path).await, 403, "M_FORBIDDEN");
        refused(server.anonymous().get(&path).await, 401, "M_MISSING_TOKEN");
    }
    refused(
        bob.post(
            admin(["users", &bob.id, "administrator"]),
            json!({ "is_administrator": true }),
        )
        .await,
        403,
        "M_FORBIDDEN",
    );
}

#[tokio::test]
async fn accounts_are_listed_by_pages_and_found_by_what_people_call_them() {
    let server = TestServer::start().await;
    let root = server.register_admin().await;
    let users = server.register(["ada", "bob", "cleo", "dora"]).await;
    let [ada, bob, cleo, _] = &users;
    ada.set_display_name("Ärztin Ada").await.unwrap();
    bob.set_display_name("100 % \"Bob\"").await.unwrap();
    root.post(admin(["users", &cleo.id, "lock"]), json!({}))
        .await
        .unwrap();

    let first = root.get(admin(["users"]) + "?limit=3").await.unwrap();
    assert_eq!((first.list("/items").len(), first.number("/total")), (3, 5));
    let rest = root
        .get(format!(
            "{}?limit=3&from={}",
            admin(["users"]),
            first.text("/next")
        ))
        .await
        .unwrap();
    assert_eq!((rest.list("/items").len(), &rest["next"]), (2, &Value::Null));
    let mut seen: Vec<&str> = first
        .list("/items")
        .iter()
        .chain(rest.list("/items"))
        .map(|user| user.text("/user_id"))
        .collect();
    seen.dedup();
    let mut all: Vec<&str> = users.iter().map(|user| &*user.id).chain([&*root.id]).collect();
    all.sort_unstable();
    assert_eq!(seen, all);

    let found = async |query: &str| {
        let page = root.get(format!("{}?{query}", admin(["users"]))).await.unwrap();
        let ids = page
            .list("/items")
            .iter()
            .map(|user| user.text("/user_id").to_owned());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(found("search=%C3%A4RZTIN").await, [&*ada.id]);
    assert_eq!(found("search=%25%20%22bob").await, [&*bob.id]);
    assert_eq!(
        found(&format!("search={}", cleo.id.replace(':', "%3A"))).await,
        [&*cleo.id]
    );
    assert_eq!(found("search=nobody").await, Vec::<String>::new());
    assert_eq!(found("state=locked").await, [&*cleo.id]);
    assert_eq!(found("state=administrator").await, [&*root.id]);
    assert_eq!(found("state=active").await.len(), 4);
    refused(
        root.get(admin(["users"]) + "?state=odd").await,
        400,
        "M_INVALID_PARAM",
    );
    refused(
        root.get(admin(["users"]) + "?from=odd!").await,
        400,
        "M_INVALID_PARAM",
    );
}

#[tokio::test]
async fn an_account_is_made_and_shown_with_all_that_is_known() {
    let server = TestServer::shared().await;
    let root = server.register_admin().await;
    let name = fresh("eve");
    let password = "a good long password";
    let made = root
        .post(
            admin(["users"]),
            json!({ "localpart": name, "password": password, "displayname": "Eve", "reason": "a new colleague" }),
        )
        .await
        .unwrap();
    let id = made.text("/user_id").to_owned();
    assert_eq!(
        (made.text("/displayname"), made.text("/source")),
        ("Eve", "local")
    );
    assert_eq!(made["is_administrator"], false);

    let eve = User::logged_in(&server, &name, password).await.unwrap();
    let room = eve.create_room_with(&[&root]).await;
    let shown = root.get(admin(["users", &id])).await.unwrap();
    assert_eq!((shown.number("/rooms"), shown.number("/devices")), (1, 1));
    assert_eq!(shown.text("/sessions/0/device_id"), eve.device_id);
    assert!(shown.number("/sessions/0/last_seen_ts") > 0);
    assert_eq!(shown["emails"], json!([]));
    let rooms = root.get(admin(["users", &id, "rooms"])).await.unwrap();
    assert_eq!(
        rooms["items"],
        json!([{ "room_id": room, "name": null, "membership": "join" }])
    );

    refused(
        root.post(
            admin(["users"]),
            json!({ "localpart": name, "password": password }),
        )
        .await,
        400,
        "M_USER_IN_USE",
    );
    refused(
        root.get(admin(["users", "@nobody:test.example"])).await,
        404,
        "M_NOT_FOUND",
    );
    refused(
        root.get(admin(["users", "nonsense"])).await,
        400,
        "M_INVALID_PARAM",
    );
}

#[tokio::test]
async fn a_locked_account_waits_and_a_suspended_one_looks_on() {
    let server = TestServer::shared().await;
    let root = server.register_admin().await;
    let [bob] = server.register(["bob"]).await;
    let act = async |act: &str| {
        root.post(admin(["users", &bob.id, act]), json!({ "reason": "a test" }))
            .await
    };

    assert_eq!(act("lock").await.unwrap()["is_locked"], true);
    refused(bob.get(v3(["account", "whoami"])).await, 401, "M_USER_LOCKED");
    assert_eq!(act("unlock").await.unwrap()["is_locked"], false);
    assert_eq!(act("suspend").await.unwrap()["is_suspended"], true);
    refused(bob.set_display_name("B").await, 403, "M_USER_SUSPENDED");
    assert_eq!(act("unsuspend").await.unwrap()["is_suspended"], false);
    bob.set_display_name("B").await.unwrap();

    for act in ["lock", "suspend", "deactivate"] {
        refused(
            root.post(admin(["users", &root.id, act]), json!({})).await,
            400,
            "M_INVALID_PARAM",
        );
    }
    refused(
        root.post(
            admin(["users", &root.id, "administrator"]),
            json!({ "is_administrator": false }),
        )
        .await,
        400,
        "M_INVALID_PARAM",
    );
}

#[tokio::test]
async fn sessions_end_when_administrators_say_so() {
    let server = TestServer::shared().await;
    let root = server.register_admin().await;
    let [bob] = server.register(["bob"]).await;
    let phone = bob.on_another_device().await;

    root.delete(admin(["users", &bob.id, "sessions", &phone.device_id]))
        .await
        .unwrap();
    refused(phone.get(v3(["account", "whoami"])).await, 401, "M_UNKNOWN_TOKEN");
    bob.get(v3(["account", "whoami"])).await.unwrap();
    refused(
        root.delete(admin(["users", &bob.id, "sessions", &phone.device_id]))
            .await,
        404,
        "M_NOT_FOUND",
    );

    let after = root
        .post(admin(["users", &bob.id, "logout"]), json!({}))
        .await
        .unwrap();
    assert_eq!(after.number("/devices"), 0);
    refused(bob.get(v3(["account", "whoami"])).await, 401, "M_UNKNOWN_TOKEN");

    let bob = User::logged_in(&server, &bob.localpart, &bob.password)
        .await
        .unwrap();
    let new = "another good password";
    root.post(admin(["users", &bob.id, "password"]), json!({ "password": new }))
        .await
        .unwrap();
    refused(bob.get(v3(["account", "whoami"])).await, 401, "M_UNKNOWN_TOKEN");
    assert!(
        User::logged_in(&server, &bob.localpart, &bob.password)
            .await
            .is_err()
    );
    User::logged_in(&server, &bob.localpart, new).await.unwrap();
}

#[tokio::test]
async fn administrators_come_and_go_without_a_new_token() {
    let server = TestServer::shared().await;
    let root = server.register_admin().await;
    let [bob] = server.register(["bob"]).await;
    let path = admin(["users", &bob.id, "administrator"]);
    root.post(&path, json!({ "is_administrator": true }))
        .await
        .unwrap();
    bob.get(admin(["audit"])).await.unwrap();
    root.post(&path, json!({ "is_administrator": false }))
        .await
        .unwrap();
    refused(bob.get(admin(["audit"])).await, 403, "M_FORBIDDEN");
}

#[tokio::test]
async fn an_ended_account_is_shown_and_left_alone() {
    let server = TestServer::shared().await;
    let root = server.register_admin().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let ended = root
        .post(admin(["users", &bob.id, "deactivate"]), json!({ "erase": true }))
        .await
        .unwrap();
    assert_eq!(
        (&ended["is_deactivated"], ended.number("/devices")),
        (&json!(true), 0)
    );
    let joined = alice.get(v3(["rooms", &room, "joined_members"])).await.unwrap();
    assert!(joined["joined"].get(&bob.id).is_none(), "{joined}");
    for act in ["lock", "logout", "deactivate"] {
        refused(
            root.post(admin(["users", &bob.id, act]), json!({})).await,
            403,
            "M_USER_DEACTIVATED",
        );
    }
}
