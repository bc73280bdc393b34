use axum::http::StatusCode;
use echorift_tests::{Webhook, sign, tell, until};
use livekit_api::access_token::AccessToken;
use std::time::Duration;

use crate::caller::{server_with_calls, token};

#[tokio::test]
async fn forged_webhooks_have_no_effect() {
    let (server, sfu) = server_with_calls().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let jwt = token(&server, &bob, &room).await;
    sfu.join(&server, &jwt, "PA_one").await;
    alice.kick(&room, &bob).await.unwrap();
    until("Bob is put out", async || {
        sfu.participant(&jwt).await.is_none().then_some(())
    })
    .await;

    // Who is not let in by a webhook that counts is not put out by it either.
    let body = Webhook::of(&jwt, "participant_joined", "PA_two").body();
    let right = "a secret of the tests that is long enough";
    let refused = StatusCode::UNAUTHORIZED;
    sfu.admit(&jwt, "PA_two").await;
    assert_eq!(
        tell(
            &server,
            &body,
            &sign("scripted", "another secret of enough characters", &body)
        )
        .await,
        refused
    );
    assert_eq!(
        tell(&server, &body, &sign("unknown", right, &body)).await,
        refused
    );
    assert_eq!(
        tell(&server, &format!("{body} "), &sign("scripted", right, &body)).await,
        refused
    );
    assert_eq!(
        tell(
            &server,
            &body,
            &format!("Bearer {}", sign("scripted", right, &body))
        )
        .await,
        refused
    );
    assert_eq!(tell(&server, &body, "nonsense").await, refused);
    // A token for a call is signed with the same key.
    assert_eq!(tell(&server, &body, &jwt).await, refused);
    let unhashed = AccessToken::with_api_key("scripted", right).to_jwt().unwrap();
    assert_eq!(tell(&server, &body, &unhashed).await, refused);
    assert!(sfu.participant(&jwt).await.is_some());

    assert_eq!(
        tell(&server, &body, &sign("scripted", right, &body)).await,
        StatusCode::OK
    );
    assert!(sfu.participant(&jwt).await.is_none());
}

#[tokio::test]
async fn an_old_webhook_is_refused() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use sha2::{Digest as _, Sha256};

    let (server, _sfu) = server_with_calls().await;
    let body = r#"{"event":"room_started","id":"EV_1"}"#;
    let hash = STANDARD.encode(Sha256::digest(body));
    let token =
        AccessToken::with_api_key("scripted", "a secret of the tests that is long enough").with_sha256(&hash);
    let fresh = token.clone().with_ttl(Duration::from_secs(60)).to_jwt().unwrap();
    assert_eq!(tell(&server, body, &fresh).await, StatusCode::OK);
    // Clocks may differ by a minute.
    let claims = livekit_api::access_token::Claims::from_unverified(&fresh).unwrap();
    let old = old_token(claims.exp - 600, &hash);
    assert_eq!(tell(&server, body, &old).await, StatusCode::UNAUTHORIZED);
}

/// A token that ended at this second, which the library has no way to make.
fn old_token(exp: usize, hash: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use hmac::{Hmac, KeyInit as _, Mac as _};

    let claims = serde_json::json!({ "iss": "scripted", "exp": exp, "nbf": exp - 300, "sha256": hash });
    let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let secret = b"a secret of the tests that is long enough";
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn a_repeated_webhook_counts_once() {
    let (server, sfu) = server_with_calls().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[&bob]).await;
    let jwt = token(&server, &bob, &room).await;
    sfu.join(&server, &jwt, "PA_one").await;
    let webhook = Webhook::of(&jwt, "participant_joined", "PA_one");
    alice.kick(&room, &bob).await.unwrap();
    until("Bob is put out", async || {
        sfu.participant(&jwt).await.is_none().then_some(())
    })
    .await;
    sfu.admit(&jwt, "PA_two").await;
    assert_eq!(sfu.tell(&server, &webhook).await, StatusCode::OK);
    assert!(sfu.participant(&jwt).await.is_none());
    sfu.admit(&jwt, "PA_two").await;
    assert_eq!(sfu.tell(&server, &webhook).await, StatusCode::OK);
    assert!(sfu.participant(&jwt).await.is_some());
}
