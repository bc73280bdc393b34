use echorift_tests::{Look as _, refused, until};
use serde_json::json;

use crate::caller::{server_with_calls, token};

#[tokio::test]
async fn moderators_mute_and_put_out() {
    let (server, sfu) = server_with_calls().await;
    let [alice, bob, carol] = server.register(["alice", "bob", "carol"]).await;
    let room = alice.create_room_with(&[&bob, &carol]).await;
    let jwt = token(&server, &bob, &room).await;
    sfu.join(&server, &jwt, "PA_bob").await;
    let base = format!("/_echorift/client/v1/rooms/{room}/call/participants");

    let shown = carol.get(&base).await.unwrap();
    assert_eq!(shown["participants"].as_array().unwrap().len(), 1);
    assert_eq!(shown.text("/participants/0/user_id"), bob.id);
    assert_eq!(
        shown["participants"][0]["tracks"],
        json!([{ "source": "microphone", "muted": false }])
    );

    let mute = format!("{base}/{}/mute", bob.id);
    refused(carol.post(&mute, json!({})).await, 403, "M_FORBIDDEN");
    let camera = json!({ "sources": ["camera"] });
    assert_eq!(alice.post(&mute, camera).await.unwrap()["muted_tracks"], 0);
    assert_eq!(alice.post(&mute, json!({})).await.unwrap()["muted_tracks"], 1);
    assert!(sfu.participant(&jwt).await.unwrap().tracks[0].muted);

    let remove = format!("{base}/{}/remove", bob.id);
    refused(carol.post(&remove, json!({})).await, 403, "M_FORBIDDEN");
    alice.post(&remove, json!({})).await.unwrap();
    until("Bob is put out", async || {
        sfu.participant(&jwt).await.is_none().then_some(())
    })
    .await;
    sfu.join(&server, &jwt, "PA_again").await;
    assert!(sfu.participant(&jwt).await.is_none());
    refused(alice.post(&remove, json!({})).await, 404, "M_NOT_FOUND");
    // It is no ban: whoever is in the room may ask again.
    let jwt = token(&server, &bob, &room).await;
    sfu.join(&server, &jwt, "PA_new").await;
    assert!(sfu.participant(&jwt).await.is_some());

    let [outsider] = server.register(["outsider"]).await;
    refused(outsider.get(&base).await, 403, "M_FORBIDDEN");
}
