use echorift_tests::{Caller, TestServer, refused};

use crate::{Raw, download, get, images, upload};

const PATHS: [&str; 2] = ["/_matrix/media/v3", "/_matrix/media/r0"];

async fn fetch(who: &Caller, prefix: &str, media: &str) -> [Raw; 3] {
    [
        get(who, format!("{prefix}/download/{media}")).await,
        get(who, format!("{prefix}/download/{media}/name.png")).await,
        get(
            who,
            format!("{prefix}/thumbnail/{media}?width=32&height=32&method=crop"),
        )
        .await,
    ]
}

#[tokio::test]
async fn without_a_token_there_is_nothing() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let media = upload(&alice, "image/png", images::png(64, 64)).await;
    for prefix in PATHS {
        for answer in fetch(&server.anonymous(), prefix, &media).await {
            refused(answer.into_answer(), 404, "M_NOT_FOUND");
        }
        refused(
            get(&server.anonymous(), format!("{prefix}/config"))
                .await
                .into_answer(),
            401,
            "M_MISSING_TOKEN",
        );
        assert!(get(&alice, format!("{prefix}/config")).await.status.is_success());
    }
}

#[tokio::test]
async fn what_was_uploaded_before_the_freeze_stays_reachable() {
    let server = TestServer::builder()
        .set("media.unauthenticated_downloads", true)
        .start()
        .await;
    let [alice] = server.register(["alice"]).await;
    let before = upload(&alice, "image/png", images::png(64, 64)).await;
    for prefix in PATHS {
        for answer in fetch(&server.anonymous(), prefix, &before).await {
            assert!(answer.status.is_success(), "{answer:?}");
            assert!(answer.header("cache-control").starts_with("public"));
        }
    }
    assert!(server.stop().await);
    server.set("media.unauthenticated_downloads", false);
    server.restart().await;
    let after = upload(&alice, "image/png", images::png(64, 64)).await;
    for answer in fetch(&server.anonymous(), PATHS[0], &before).await {
        assert!(answer.status.is_success(), "{answer:?}");
    }
    for answer in fetch(&server.anonymous(), PATHS[0], &after).await {
        refused(answer.into_answer(), 404, "M_NOT_FOUND");
    }
    assert!(download(&alice, &after).await.status.is_success());
}
