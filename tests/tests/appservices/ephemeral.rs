use echorift_tests::{Look as _, v3};
use serde_json::{Value, json};

use crate::service::Service;

#[tokio::test]
async fn typing_receipts_and_presence_are_told_to_services_that_want_them() {
    let (curious, plain) = (Service::start().await, Service::start().await);
    let wish = json!({ "receive_ephemeral": true });
    let files = json!([curious.register(&wish), plain.register(&json!({}))]);
    let server = curious
        .server(&wish)
        .set("application_services.files", files)
        .start()
        .await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let (room, elsewhere) = (alice.create_public_room().await, bob.create_public_room().await);
    for service in [&curious, &plain] {
        service
            .caller(&server)
            .post(v3(["join", &room]), json!({}))
            .await
            .unwrap();
    }
    let sent = alice.send_text(&room, "hello").await.unwrap();
    curious.wait_for_event(&sent).await;

    bob.type_for(&elsewhere, 20_000).await.unwrap();
    alice.type_for(&room, 20_000).await.unwrap();
    let typing = curious
        .wait_for_ephemeral(|event| event["type"] == "m.typing")
        .await;
    assert_eq!(typing.text("/room_id"), room);
    assert_eq!(typing["content"]["user_ids"], json!([alice.id]));

    alice
        .post(
            v3(["rooms", &room, "receipt", "m.read.private", &sent]),
            json!({}),
        )
        .await
        .unwrap();
    alice
        .post(v3(["rooms", &room, "receipt", "m.read", &sent]), json!({}))
        .await
        .unwrap();
    let receipt = curious
        .wait_for_ephemeral(|event| event["type"] == "m.receipt")
        .await;
    assert_eq!(receipt.text("/room_id"), room);
    assert!(receipt["content"][&sent]["m.read"][&alice.id]["ts"].is_i64());

    let status = v3(["presence", &alice.id, "status"]);
    alice
        .put(status, json!({ "presence": "online", "status_msg": "about" }))
        .await
        .unwrap();
    let presence = curious
        .wait_for_ephemeral(|event| {
            event["type"] == "m.presence" && event["content"]["status_msg"] == "about"
        })
        .await;
    assert_eq!(presence.text("/sender"), alice.id);

    // What is private stays so, other rooms are none of its business, and who has not asked is not told.
    let all = curious.all("ephemeral");
    assert!(
        !all.iter()
            .any(|event| event.to_string().contains("m.read.private"))
    );
    assert!(!all.iter().any(|event| event["room_id"] == elsewhere.as_str()));
    plain.wait_for_event(&sent).await;
    assert_eq!(plain.all("ephemeral"), Vec::<Value>::new());
}
