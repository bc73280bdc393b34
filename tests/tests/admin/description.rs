use std::path::Path;

use echorift_tests::TestServer;
use serde_json::Value;

use crate::admin;

#[tokio::test]
async fn the_description_is_the_one_in_the_handbook() {
    let server = TestServer::shared().await;
    let told = server.anonymous().get(admin(["openapi.json"])).await.unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/admin-api.json");
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert!(
        told == kept,
        "docs/admin-api.json is not what the server tells: run `make docs`"
    );
    assert!(told["openapi"].as_str().unwrap().starts_with("3.1"));
}
