use echorift_tests::{Look as _, TestServer, User, fresh, v1, v3};

use crate::browser::Browser;
use crate::client::{Client, decide, parameter};

#[tokio::test]
async fn an_app_sends_new_people_to_make_an_account() {
    let server = TestServer::builder()
        .set("registration.enabled", true)
        .set("registration.token", "let me in")
        .start()
        .await;
    let metadata = server.anonymous().get(v1(["auth_metadata"])).await.unwrap();
    assert_eq!(metadata["prompt_values_supported"], serde_json::json!(["create"]));
    let client = Client::register(&server).await;
    let browser = Browser::new(&server);
    let path = browser
        .get(&client.request(&[("prompt", "create")]))
        .await
        .location();
    let page = browser.get(&path).await;
    let (csrf, onward) = (page.field("csrf"), page.field("continue"));
    let name = fresh("newcomer");
    let sign_up = async |name: &str, password: &str, token: &str| {
        let fields = [
            ("csrf", csrf.as_str()),
            ("continue", &onward),
            ("name", name),
            ("password", password),
            ("repeated", "a long password"),
            ("token", token),
        ];
        browser.post("/oauth2/sign-up", &fields).await
    };
    assert_eq!(sign_up(&name, "another password", "let me in").await.status, 400);
    assert_eq!(sign_up(&name, "a long password", "guess").await.status, 403);
    assert_eq!(
        sign_up("No Name", "a long password", "let me in").await.status,
        400
    );
    let onward = sign_up(&name, "a long password", "let me in").await.location();
    let page = browser.get(&onward).await;
    let location = decide(&browser, &page, "allow").await.location();
    let tokens = client
        .redeem(&parameter(&location, "code").unwrap())
        .await
        .unwrap();
    let app = server.with_token(tokens.text("/access_token"));
    let whoami = app.get(v3(["account", "whoami"])).await.unwrap();
    assert_eq!(whoami.text("/user_id"), format!("@{name}:{}", server.name()));
    User::logged_in(&server, &name, "a long password").await.unwrap();
}

#[tokio::test]
async fn where_nobody_registers_the_page_is_the_log_in() {
    let server = TestServer::shared().await;
    // An administrator ends the time in which the first one may register.
    server.register_admin().await;
    let client = Client::register(&server).await;
    let browser = Browser::new(&server);
    let path = browser
        .get(&client.request(&[("prompt", "create")]))
        .await
        .location();
    assert!(path.starts_with("/oauth2/login?"), "{path}");
    assert!(
        browser
            .get("/oauth2/sign-up")
            .await
            .location()
            .starts_with("/oauth2/login")
    );
}
