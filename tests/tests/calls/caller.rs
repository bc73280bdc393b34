use echorift_tests::{Answer, Look as _, ScriptedSfu, TestServer, User, v3};
use serde_json::{Value, json};

/// A server whose calls go to a scripted SFU.
pub async fn server_with_calls() -> (TestServer, ScriptedSfu) {
    let sfu = ScriptedSfu::start().await;
    let server = sfu.of(TestServer::builder()).start().await;
    (server, sfu)
}

/// Where the service's endpoints stand.
pub fn service(path: &str) -> String {
    format!("/livekit/jwt/{path}")
}

/// What a user shows to services: the answer of `openid/request_token` as it is.
pub async fn openid(user: &User) -> Value {
    let path = v3(["user", &user.id, "openid", "request_token"]);
    user.post(path, json!({})).await.unwrap()
}

/// `/sfu/get` as Element Call asks it.
pub async fn sfu_get(server: &TestServer, user: &User, room: &str) -> Answer {
    let body = json!({ "room": room, "openid_token": openid(user).await, "device_id": user.device_id });
    server.anonymous().post(service("sfu/get"), body).await
}

/// A token by `/sfu/get`.
pub async fn token(server: &TestServer, user: &User, room: &str) -> String {
    sfu_get(server, user, room).await.unwrap().text("/jwt").to_owned()
}

/// The body of `/get_token` and of the delegation.
pub async fn member_request(user: &User, room: &str, member_id: &str) -> Value {
    json!({
        "room_id": room, "slot_id": "m.call#ROOM", "openid_token": openid(user).await,
        "member": { "id": member_id, "claimed_user_id": user.id, "claimed_device_id": user.device_id },
    })
}

/// The content with these fields beside.
pub fn with(mut body: Value, more: &Value) -> Value {
    let fields = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    body
}
