use echorift_tests::{PATIENCE, TestAuthority, TestServer};
use reqwest::{Client, StatusCode};

use crate::PAGE_WANTED;

#[tokio::test]
async fn an_address_for_other_servers_has_no_client() {
    let authority = TestAuthority::new();
    let server = TestServer::builder()
        .federating(&authority, "border.test")
        .start()
        .await;
    let trusted = reqwest::Certificate::from_pem(authority.pem().as_bytes()).unwrap();
    let browser = Client::builder()
        .no_proxy()
        .tls_certs_only([trusted])
        .timeout(PATIENCE)
        .build()
        .unwrap();
    let url = format!("https://127.0.0.1:{}", server.federation_port());
    for path in ["/", "/config.json", "/login"] {
        let answer = browser
            .get(format!("{url}{path}"))
            .header("accept", PAGE_WANTED)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert!(answer.text().await.unwrap().contains("M_UNRECOGNIZED"), "{path}");
    }
    let version = browser
        .get(format!("{url}/_matrix/federation/v1/version"))
        .send()
        .await
        .unwrap();
    assert_eq!(version.status(), StatusCode::OK);
}
