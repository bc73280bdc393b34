use echorift_tests::{Look as _, TestServer, refused, v1};

#[tokio::test]
async fn clients_find_every_endpoint() {
    let server = TestServer::builder()
        .set("server.public_base_url", "https://chat.example.org/")
        .start()
        .await;
    // Until there is an administrator, the first one may register.
    server.register_admin().await;
    let anyone = server.anonymous();
    let metadata = anyone.get(v1(["auth_metadata"])).await.unwrap();
    assert_eq!(metadata.text("/issuer"), "https://chat.example.org/");
    assert_eq!(
        metadata.text("/token_endpoint"),
        "https://chat.example.org/oauth2/token"
    );
    assert_eq!(
        metadata.text("/account_management_uri"),
        "https://chat.example.org/account"
    );
    assert_eq!(
        metadata["code_challenge_methods_supported"],
        serde_json::json!(["S256"])
    );
    assert_eq!(metadata["prompt_values_supported"], serde_json::json!([]));
    for path in [
        "/_matrix/client/unstable/org.matrix.msc2965/auth_metadata",
        "/.well-known/oauth-authorization-server",
    ] {
        assert_eq!(anyone.get(path).await.unwrap(), metadata, "{path}");
    }
}

#[tokio::test]
async fn a_server_without_it_says_so() {
    let server = TestServer::builder().set("oauth.enabled", false).start().await;
    refused(
        server.anonymous().get(v1(["auth_metadata"])).await,
        404,
        "M_UNRECOGNIZED",
    );
    refused(
        server.anonymous().get("/oauth2/login").await,
        404,
        "M_UNRECOGNIZED",
    );
}
