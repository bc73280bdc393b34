use echorift_tests::{Look as _, refused, v3};
use serde_json::{Value, json};

use crate::service::Service;

fn as_user(path: &str, user: &str) -> String {
    format!("{path}?user_id={user}")
}

#[tokio::test]
async fn a_service_acts_as_the_users_of_its_namespaces_and_as_nobody_else() {
    let service = Service::start().await;
    let server = service.server(&json!({})).start().await;
    let [alice] = server.register(["alice"]).await;
    let caller = service.caller(&server);
    let whoami = v3(["account", "whoami"]);
    let own = caller.get(&whoami).await.unwrap();
    assert_eq!(own.text("/user_id"), service.bot(&server));
    assert!(own.get("device_id").is_none());

    let ghost = service.make_user("ghost", &server).await;
    let seen = caller.get(as_user(&whoami, &ghost)).await.unwrap();
    assert_eq!(seen.text("/user_id"), ghost);
    let unmade = service.user("unmade", &server);
    refused(caller.get(as_user(&whoami, &unmade)).await, 403, "M_FORBIDDEN");
    refused(caller.get(as_user(&whoami, &alice.id)).await, 403, "M_FORBIDDEN");
    refused(
        server.with_token("nobody's").get(&whoami).await,
        401,
        "M_UNKNOWN_TOKEN",
    );
    // For people the parameters mean nothing.
    let alices = alice.get(as_user(&whoami, &ghost)).await.unwrap();
    assert_eq!(alices.text("/user_id"), alice.id);

    // Its users are users: they have profiles, and write as themselves.
    let profile = format!("{}?user_id={ghost}", v3(["profile", &ghost, "displayname"]));
    caller
        .put(profile, json!({ "displayname": "Ghost" }))
        .await
        .unwrap();
    let room = alice.create_public_room().await;
    caller
        .post(as_user(&v3(["join", &room]), &ghost), json!({}))
        .await
        .unwrap();
    let send = v3(["rooms", &room, "send", "m.room.message", "txn1"]);
    let hello = json!({ "msgtype": "m.text", "body": "boo" });
    let sent = caller.put(as_user(&send, &ghost), hello.clone()).await.unwrap();
    let again = caller.put(as_user(&send, &ghost), hello).await.unwrap();
    assert_eq!(sent, again, "a transaction ID is good once");
    let event = alice.event(&room, sent.text("/event_id")).await.unwrap();
    assert_eq!(event.text("/sender"), ghost);
    let shown = server.anonymous().get(v3(["profile", &ghost])).await.unwrap();
    assert_eq!(shown.text("/displayname"), "Ghost");
}

#[tokio::test]
async fn a_service_dates_its_events_and_people_do_not() {
    let service = Service::start().await;
    let server = service.server(&json!({})).start().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_public_room().await;
    let caller = service.caller(&server);
    caller.post(v3(["join", &room]), json!({})).await.unwrap();
    let send = |txn: &str| {
        format!(
            "{}?ts=1000000",
            v3(["rooms", &room, "send", "m.room.message", txn])
        )
    };
    let hello = json!({ "msgtype": "m.text", "body": "from long ago" });
    let sent = caller.put(send("a"), hello.clone()).await.unwrap();
    let event = alice.event(&room, sent.text("/event_id")).await.unwrap();
    assert_eq!(event["origin_server_ts"], 1_000_000);
    let sent = alice.put(send("b"), hello.clone()).await.unwrap();
    let event = alice.event(&room, sent.text("/event_id")).await.unwrap();
    assert!(event["origin_server_ts"].as_i64().unwrap() > 1_000_000_000);
    let bad = format!("{}?ts=-5", v3(["rooms", &room, "send", "m.room.message", "c"]));
    assert_eq!(caller.put(bad, hello).await.unwrap_err().status, 400);
}

#[tokio::test]
async fn a_namespace_that_is_exclusive_is_closed_to_people_and_a_service_is_confined_to_its_own() {
    let service = Service::start().await;
    let other = Service::start().await;
    let own = json!({ "namespaces": { "users": [{ "exclusive": true, "regex": "@bridged-.*" }] } });
    let files = json!([service.register(&own), other.register(&json!({}))]);
    let server = service.server(&own).set("application_services.files", files);
    let server = server
        .set("registration.enabled", true)
        .set("registration.without_verification", true)
        .start()
        .await;
    let register = |name: &str| json!({ "username": name, "password": "a good long password", "auth": { "type": "m.login.dummy" } });
    let people = server.anonymous();
    refused(
        people.post(v3(["register"]), register("bridged-ann")).await,
        400,
        "M_EXCLUSIVE",
    );
    refused(
        people
            .get("/_matrix/client/v3/register/available?username=bridged-ann")
            .await,
        400,
        "M_EXCLUSIVE",
    );
    people.post(v3(["register"]), register("ann")).await.unwrap();

    let by_service = |name: &str| json!({ "type": "m.login.application_service", "username": name, "inhibit_login": true });
    let caller = service.caller(&server);
    let made = caller
        .post(v3(["register"]), by_service("bridged-ann"))
        .await
        .unwrap();
    assert!(made.get("access_token").is_none());
    refused(
        caller.post(v3(["register"]), by_service("bridged-ann")).await,
        400,
        "M_USER_IN_USE",
    );
    refused(
        caller.post(v3(["register"]), by_service("ben")).await,
        400,
        "M_EXCLUSIVE",
    );
    refused(
        other
            .caller(&server)
            .post(v3(["register"]), by_service("bridged-bea"))
            .await,
        400,
        "M_EXCLUSIVE",
    );
    refused(
        people.post(v3(["register"]), by_service("bridged-bea")).await,
        401,
        "M_MISSING_TOKEN",
    );
    let stranger = server.with_token("wrong");
    refused(
        stranger.post(v3(["register"]), by_service("bridged-bea")).await,
        401,
        "M_UNKNOWN_TOKEN",
    );

    // No password opens such an account, but the service logs in.
    refused(
        people.log_in("bridged-ann", "", json!({})).await,
        403,
        "M_FORBIDDEN",
    );
    let log_in = |user: &str| json!({ "type": "m.login.application_service", "identifier": { "type": "m.id.user", "user": user } });
    let session = caller.post(v3(["login"]), log_in("bridged-ann")).await.unwrap();
    let ghost = server.with_token(session.text("/access_token"));
    let seen = ghost.get(v3(["account", "whoami"])).await.unwrap();
    assert_eq!(seen.text("/device_id"), session.text("/device_id"));
    refused(
        caller.post(v3(["login"]), log_in("ann")).await,
        400,
        "M_EXCLUSIVE",
    );
    let flows = people.get(v3(["login"])).await.unwrap();
    assert!(
        flows["flows"]
            .as_array()
            .unwrap()
            .contains(&json!({ "type": "m.login.application_service" }))
    );
}

#[tokio::test]
async fn aliases_of_a_namespace_are_the_services() {
    let service = Service::start().await;
    let server = service.server(&json!({})).start().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_public_room().await;
    let caller = service.caller(&server);
    let directory = |name: &str| v3(["directory", "room", &format!("#{name}:{}", server.name())]);
    caller.post(v3(["join", &room]), json!({})).await.unwrap();
    let (inside, outside) = (directory(&format!("{}a", service.prefix)), directory("free"));
    let put = json!({ "room_id": room });
    refused(alice.put(&inside, put.clone()).await, 400, "M_EXCLUSIVE");
    let named = json!({ "room_alias_name": format!("{}b", service.prefix) });
    assert_eq!(alice.create_room(named).await.unwrap_err().errcode, "M_EXCLUSIVE");
    refused(caller.put(&outside, put.clone()).await, 400, "M_EXCLUSIVE");
    alice.put(&outside, put.clone()).await.unwrap();
    caller.put(&inside, put).await.unwrap();
    refused(alice.delete(&inside).await, 400, "M_EXCLUSIVE");
    caller.delete(&inside).await.unwrap();
}

#[tokio::test]
async fn a_service_makes_and_deletes_devices_and_acts_on_them() {
    let service = Service::start().await;
    let server = service.server(&json!({})).start().await;
    let ghost = service.make_user("ghost", &server).await;
    let caller = service.caller(&server);
    let device = |id: &str| as_user(&v3(["devices", id]), &ghost);
    let response = caller
        .request(reqwest::Method::PUT, device("PHONE"))
        .json(&json!({ "display_name": "Phone" }))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 201);
    caller
        .put(device("PHONE"), json!({ "display_name": "Telephone" }))
        .await
        .unwrap();
    let shown = caller.get(device("PHONE")).await.unwrap();
    assert_eq!(shown.text("/display_name"), "Telephone");

    let whoami = as_user(&v3(["account", "whoami"]), &ghost);
    for name in ["device_id", "org.matrix.msc3202.device_id"] {
        let seen = caller.get(format!("{whoami}&{name}=PHONE")).await.unwrap();
        assert_eq!(seen.text("/device_id"), "PHONE");
    }
    refused(
        caller.get(format!("{whoami}&device_id=NONE")).await,
        400,
        "M_UNKNOWN_DEVICE",
    );
    let upload = as_user(&v3(["keys", "upload"]), &ghost);
    refused(caller.post(&upload, json!({})).await, 400, "M_MISSING_PARAM");
    caller
        .post(format!("{upload}&device_id=PHONE"), json!({}))
        .await
        .unwrap();

    caller.delete(device("PHONE")).await.unwrap();
    refused(caller.get(device("PHONE")).await, 404, "M_NOT_FOUND");
    // Nobody is asked for a password that there is none of.
    let delete = as_user(&v3(["delete_devices"]), &ghost);
    caller
        .post(delete, json!({ "devices": ["PHONE"] }))
        .await
        .unwrap();
    // A person has to log in for a device.
    let [alice] = server.register(["alice"]).await;
    refused(
        alice.put(v3(["devices", "NEW"]), json!({})).await,
        404,
        "M_NOT_FOUND",
    );
}

#[tokio::test]
async fn limits_are_for_people_unless_the_registration_says_otherwise() {
    let (free, limited) = (Service::start().await, Service::start().await);
    let files = json!([
        free.register(&json!({})),
        limited.register(&json!({ "rate_limited": true }))
    ]);
    let server = free
        .server(&json!({}))
        .set("application_services.files", files)
        .set("rate_limits.enabled", true)
        .set("rate_limits.messages.per_second", 0.001)
        .set("rate_limits.messages.burst", 3)
        .start()
        .await;
    let room = |caller: echorift_tests::Caller| async move {
        let made = caller
            .post("/_matrix/client/v3/createRoom", json!({}))
            .await
            .unwrap();
        let room = made.text("/room_id").to_owned();
        let mut answers: Vec<Value> = Vec::new();
        for number in 0..5 {
            let send = v3(["rooms", &room, "send", "m.room.message", &number.to_string()]);
            let answer = caller
                .put(send, json!({ "msgtype": "m.text", "body": "x" }))
                .await;
            answers.push(answer.map_or_else(|refusal| refusal.errcode.into(), |_| Value::Null));
        }
        answers
    };
    assert_eq!(room(free.caller(&server)).await, vec![Value::Null; 5]);
    let answers = room(limited.caller(&server)).await;
    assert_eq!(answers[4], "M_LIMIT_EXCEEDED");
}
