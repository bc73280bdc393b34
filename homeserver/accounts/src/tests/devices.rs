use serde_json::json;

use super::{
    databases::on_both_databases,
    server::{TestUser, password_auth},
};

on_both_databases! {
    async fn devices_are_listed_renamed_and_deleted(server: &TestServer) {
        let alice = server.register("alice").await;
        let named = json!({ "device_id": "PHONE", "initial_device_display_name": "Phone" });
        let phone = TestUser::from_answer(&server.log_in("alice", "pw-alice", named).await.ok());
        server.whoami(&phone.token).await.ok();
        let path = "/_matrix/client/v3/devices/PHONE";
        let shown = server.get(path, &alice.token).await.ok();
        let now = server.clock.now().0;
        let expected = json!({
            "device_id": "PHONE", "display_name": "Phone", "last_seen_ip": "192.0.2.7", "last_seen_ts": now,
        });
        assert_eq!(shown, expected);
        server.put(path, &alice.token, json!({ "display_name": "Old phone" })).await.ok();
        server.put(path, &alice.token, json!({})).await.ok();
        assert_eq!(server.get(path, &alice.token).await.ok()["display_name"], "Old phone");
        let long = json!({ "display_name": "a".repeat(1025) });
        assert_eq!(server.put(path, &alice.token, long).await.refusal(), (413, "M_TOO_LARGE"));
        let absent = "/_matrix/client/v3/devices/NONE";
        assert_eq!(server.put(absent, &alice.token, json!({})).await.refusal(), (404, "M_NOT_FOUND"));
        assert_eq!(server.get(absent, &alice.token).await.refusal(), (404, "M_NOT_FOUND"));

        let challenge = server.delete(path, &alice.token, None).await;
        assert_eq!(challenge.status.as_u16(), 401);
        let auth = password_auth("alice", &challenge.body["session"]);
        server.delete(path, &alice.token, Some(json!({ "auth": auth }))).await.ok();
        assert_eq!(server.whoami(&phone.token).await.refusal(), (401, "M_UNKNOWN_TOKEN"));
        let left = server.get("/_matrix/client/v3/devices", &alice.token).await.ok();
        assert_eq!(left["devices"].as_array().unwrap().len(), 1);
    }

    async fn devices_of_others_are_out_of_reach(server: &TestServer) {
        let alice = server.register("alice").await;
        let bob = server.register("bob").await;
        let path = format!("/_matrix/client/v3/devices/{}", alice.device_id);
        assert_eq!(server.get(&path, &bob.token).await.refusal(), (404, "M_NOT_FOUND"));
        let body = json!({ "devices": [alice.device_id], "auth": password_auth("bob", &json!(null)) });
        server.post("/_matrix/client/v3/delete_devices", &bob.token, body).await.ok();
        server.whoami(&alice.token).await.ok();
        server.get(&path, &alice.token).await.ok();
    }
}
