use std::process::Command;

use echorift_tests::{Look as _, refused, until, v1, v3};
use serde_json::{Value, json};

use crate::service::Service;

#[tokio::test]
async fn a_service_asks_to_be_pinged_and_hears_what_is_wrong() {
    let service = Service::start().await;
    let deaf = Service::start().await;
    let files = json!([
        service.register(&json!({})),
        deaf.register(&json!({ "url": null }))
    ]);
    let server = service
        .server(&json!({}))
        .set("application_services.files", files)
        .start()
        .await;
    let ping = v1(["appservice", &service.id, "ping"]);
    let body = json!({ "transaction_id": "meow" });
    let answer = service.caller(&server).post(&ping, body.clone()).await.unwrap();
    assert!(answer["duration_ms"].is_u64());
    assert_eq!(service.asked(), ["\"meow\""]);

    service.set_down(true);
    let refusal = refused(
        service.caller(&server).post(&ping, body.clone()).await,
        502,
        "M_BAD_STATUS",
    );
    assert_eq!(refusal.body["status"], 500);
    refused(
        deaf.caller(&server).post(&ping, body.clone()).await,
        403,
        "M_FORBIDDEN",
    );
    let own = v1(["appservice", &deaf.id, "ping"]);
    refused(
        deaf.caller(&server).post(own, body.clone()).await,
        400,
        "M_URL_NOT_SET",
    );
    let [alice] = server.register(["alice"]).await;
    refused(alice.post(&ping, body.clone()).await, 403, "M_FORBIDDEN");

    let port = echorift_tests::free_port();
    service.register(&json!({ "url": format!("http://127.0.0.1:{port}") }));
    let admin = server.register_admin().await;
    admin
        .post("/_echorift/admin/v1/appservices/reload", json!({}))
        .await
        .unwrap();
    refused(
        service.caller(&server).post(&ping, body).await,
        502,
        "M_CONNECTION_FAILED",
    );
}

#[tokio::test]
async fn registrations_are_read_again_without_a_restart() {
    let service = Service::start().await;
    let late = Service::start().await;
    let file = late.register(&json!({}));
    let placeholder = Service::start().await;
    // The file is there from the start, and its service is another one.
    std::fs::write(&file, placeholder.registration(&json!({})).to_string()).unwrap();
    let files = json!([service.register(&json!({})), file]);
    let server = service
        .server(&json!({}))
        .set("application_services.files", files)
        .start()
        .await;
    let admin = server.register_admin().await;
    let whoami = v3(["account", "whoami"]);
    refused(late.caller(&server).get(&whoami).await, 401, "M_UNKNOWN_TOKEN");

    // Wrong ones change nothing, and are told.
    std::fs::write(&file, "id: [").unwrap();
    let reload = "/_echorift/admin/v1/appservices/reload";
    let refusal = refused(admin.post(reload, json!({})).await, 400, "M_INVALID_PARAM");
    assert!(
        refusal.body.text("/error").contains("is not valid YAML"),
        "{refusal}"
    );
    placeholder.caller(&server).get(&whoami).await.unwrap();

    late.register(&json!({}));
    let answer = admin.post(reload, json!({})).await.unwrap();
    assert_eq!(answer["appservices"], 2);
    late.caller(&server).get(&whoami).await.unwrap();
    refused(
        placeholder.caller(&server).get(&whoami).await,
        401,
        "M_UNKNOWN_TOKEN",
    );
    let room = admin.create_public_room().await;
    late.caller(&server)
        .post(v3(["join", &room]), json!({}))
        .await
        .unwrap();
    let sent = admin.send_text(&room, "to the late one").await.unwrap();
    late.wait_for_event(&sent).await;

    // By a signal as well.
    std::fs::write(&file, placeholder.registration(&json!({})).to_string()).unwrap();
    let hangup = Command::new("kill")
        .args(["-HUP", &server.pid().to_string()])
        .status();
    assert!(hangup.unwrap().success());
    until("the registrations are read again", async || {
        placeholder.caller(&server).get(&whoami).await.ok()
    })
    .await;
}

#[tokio::test]
async fn operators_see_how_far_behind_a_service_is() {
    let service = Service::start().await;
    let server = service.server(&json!({})).start().await;
    let admin = server.register_admin().await;
    let [alice] = server.register(["alice"]).await;
    let list = "/_echorift/admin/v1/appservices";
    refused(alice.get(list).await, 403, "M_FORBIDDEN");
    let room = alice.create_public_room().await;
    service
        .caller(&server)
        .post(v3(["join", &room]), json!({}))
        .await
        .unwrap();
    let sent = alice.send_text(&room, "hello").await.unwrap();
    service.wait_for_event(&sent).await;
    let own = async || admin.get(list).await.unwrap()["appservices"][0].clone();
    until("nothing waits", async || {
        (own().await["lag_positions"] == 0).then_some(())
    })
    .await;
    let shown = own().await;
    assert_eq!(shown.text("/id"), service.id);
    assert_eq!(shown["failing_since_ts"], Value::Null);
    assert!(shown["transactions"].as_u64().unwrap() > 0 && shown["last_success_ts"].is_i64());

    service.set_down(true);
    alice.send_text(&room, "unheard").await.unwrap();
    until("it fails", async || {
        own().await["attempts"].as_u64().filter(|attempts| *attempts > 1)
    })
    .await;
    let shown = own().await;
    assert!(shown["lag_positions"].as_i64().unwrap() > 0 && shown["failing_since_ts"].is_i64());
    assert_eq!(shown.text("/last_error"), "it answered 500");
}

#[tokio::test]
async fn a_wrong_registration_keeps_the_server_from_starting_and_check_says_why() {
    let service = Service::start().await;
    let server = service.server(&json!({})).start().await;
    server.stop().await;
    let file = service.register(&json!({ "as_token": "", "namespaces": { "users": [{ "regex": "@(" }] } }));
    let config = server.config_file();
    let output = echorift_tests::run_cli(["check", "--config", config.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success(), "{text}");
    for told in [&*file, "as_token: is missing", "namespaces.users[0].regex = @("] {
        assert!(text.contains(told), "{told} in {text}");
    }
}
