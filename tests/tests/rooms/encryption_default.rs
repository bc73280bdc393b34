use echorift_tests::{TestServer, User};
use serde_json::{Value, json};

async fn algorithm(user: &User, request: Value) -> Value {
    let room = user.create_room(request).await.unwrap();
    match user.state(&room, "m.room.encryption", "").await {
        Ok(content) => content["algorithm"].clone(),
        Err(refusal) => {
            assert_eq!(refusal.status, 404, "{refusal}");
            Value::Null
        }
    }
}

#[tokio::test]
async fn rooms_are_encrypted_where_the_operator_says_so() {
    let megolm = json!("m.megolm.v1.aes-sha2");
    let space = json!({ "creation_content": { "type": "m.space" } });
    for (setting, private, public) in [
        ("off", false, false),
        ("private", true, false),
        ("all", true, true),
    ] {
        let server = TestServer::builder()
            .set("rooms.encryption_by_default", setting)
            .start()
            .await;
        let [alice] = server.register(["alice"]).await;
        let expected = |is_encrypted: bool| if is_encrypted { megolm.clone() } else { Value::Null };
        for (preset, is_encrypted) in [
            ("private_chat", private),
            ("trusted_private_chat", private),
            ("public_chat", public),
        ] {
            let found = algorithm(&alice, json!({ "preset": preset })).await;
            assert_eq!(found, expected(is_encrypted), "{setting} {preset}");
        }
        assert_eq!(algorithm(&alice, space.clone()).await, Value::Null);
        // What a client asks for goes first.
        let own = json!({ "initial_state": [
            { "type": "m.room.encryption", "content": { "algorithm": "org.example.other" } },
        ] });
        assert_eq!(algorithm(&alice, own).await, "org.example.other");

        let versions = server.anonymous().get("/_matrix/client/versions").await.unwrap();
        let forced = |preset: &str| {
            let flag = &versions["unstable_features"][format!("io.element.e2ee_forced.{preset}")];
            flag.as_bool().unwrap_or_else(|| panic!("{versions:#}"))
        };
        assert_eq!(
            (forced("private"), forced("trusted_private"), forced("public")),
            (private, private, public),
            "{setting}"
        );
    }
}
