//! Keys that a service keeps itself (MSC3983, MSC3984).

use echorift_tests::{Caller, TestServer, v3};
use serde_json::{Value, json};

use crate::{
    encryption::{device_keys, one_time_key},
    service::Service,
};

pub(crate) async fn claim(caller: &Caller, user: &str) -> Value {
    let wanted = json!({ "one_time_keys": { user: { "GHOST": "signed_curve25519" } } });
    let answer = caller.post(v3(["keys", "claim"]), wanted).await.unwrap();
    answer["one_time_keys"][user]["GHOST"].clone()
}

pub(crate) async fn query(caller: &Caller, users: &[&str]) -> Value {
    let wanted: Value = users.iter().map(|user| ((*user).to_owned(), json!([]))).collect();
    let body = json!({ "device_keys": wanted });
    caller.post(v3(["keys", "query"]), body).await.unwrap()
}

/// Uploads keys for the ghost's device.
async fn upload(service: &Service, server: &TestServer, ghost: &str, keys: Value) {
    let caller = service.caller(server);
    let device = format!("{}?user_id={ghost}", v3(["devices", "GHOST"]));
    caller.put(device, json!({})).await.unwrap();
    let path = format!("{}?user_id={ghost}&device_id=GHOST", v3(["keys", "upload"]));
    caller.post(path, keys).await.unwrap();
}

#[tokio::test]
async fn keys_are_claimed_from_the_service_before_the_fallback_key_is_used() {
    let service = Service::start().await;
    let server = service.server(&json!({})).start().await;
    let [alice] = server.register(["alice"]).await;
    let ghost = service.make_user("ghost", &server).await;
    let key = one_time_key(&ghost, "GHOST");
    let keys = json!({
        "one_time_keys": { "signed_curve25519:UPLOADED": key },
        "fallback_keys": { "signed_curve25519:FALLBACK": key },
    });
    upload(&service, &server, &ghost, keys).await;
    let told = |id: &str| json!({ &ghost: { "GHOST": { id: key } }, &alice.id: { "GHOST": { id: key } } });
    service.keeps_keys("claim", told("signed_curve25519:TOLD"));

    let uploaded = claim(&alice, &ghost).await;
    assert!(uploaded["signed_curve25519:UPLOADED"].is_object(), "{uploaded}");
    assert!(service.wanted_keys().is_empty());
    let of_service = claim(&alice, &ghost).await;
    assert_eq!(of_service["signed_curve25519:TOLD"], key, "{of_service}");
    let asked = json!({ &ghost: { "GHOST": ["signed_curve25519"] } });
    assert_eq!(service.wanted_keys(), [asked]);
    // It speaks for its own users alone.
    assert!(claim(&alice, &alice.id).await.is_null());

    // Away, and of no use: an algorithm that was not asked for.
    service.set_down(true);
    let fallback = claim(&alice, &ghost).await;
    assert!(fallback["signed_curve25519:FALLBACK"].is_object(), "{fallback}");
    service.set_down(false);
    service.keeps_keys("claim", told("curve25519:TOLD"));
    let fallback = claim(&alice, &ghost).await;
    assert!(fallback["signed_curve25519:FALLBACK"].is_object(), "{fallback}");
}

#[tokio::test]
async fn devices_of_the_service_stand_beside_those_that_it_has_uploaded() {
    let service = Service::start().await;
    let server = service.server(&json!({})).start().await;
    let [alice] = server.register(["alice"]).await;
    let ghost = service.make_user("ghost", &server).await;
    let other = service.make_user("other", &server).await;
    let uploaded = device_keys(&ghost, "GHOST");
    upload(&service, &server, &ghost, json!({ "device_keys": uploaded })).await;
    // It does not know the request: asked once, and not again until it is heard of.
    for _ in 0..2 {
        let answer = query(&alice, &[&ghost, &other, &alice.id]).await;
        assert_eq!(answer["device_keys"][&ghost]["GHOST"]["keys"], uploaded["keys"]);
    }
    assert_eq!(service.wanted_keys(), [json!({ &ghost: [], &other: [] })]);

    let mut changed = device_keys(&ghost, "GHOST");
    changed["keys"]["curve25519:GHOST"] = json!("zKbLg+NrIjpnagy+pIY6uPL4ZwEG2v+8F9lmgsnlZzs");
    service.keeps_keys("query", json!({ "device_keys": {
        &ghost: { "GHOST": changed, "SECOND": device_keys(&ghost, "SECOND"), "WRONG": device_keys(&ghost, "THIRD") },
        &alice.id: { "FORGED": device_keys(&alice.id, "FORGED") },
    } }));
    let ping = format!("/_matrix/client/v1/appservice/{}/ping", service.id);
    service.caller(&server).post(ping, json!({})).await.unwrap();
    let answer = query(&alice, &[&ghost, &alice.id]).await;
    let devices = &answer["device_keys"][&ghost];
    assert_eq!(devices["GHOST"]["keys"], changed["keys"], "{devices}");
    assert!(
        devices["SECOND"].is_object() && devices["WRONG"].is_null(),
        "{devices}"
    );
    assert!(
        answer["device_keys"][&alice.id]["FORGED"].is_null(),
        "it speaks for its own users alone"
    );
    service.set_down(true);
    let answer = query(&alice, &[&ghost]).await;
    assert_eq!(answer["device_keys"][&ghost]["GHOST"]["keys"], uploaded["keys"]);
}
