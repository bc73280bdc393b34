use echorift_tests::{Look as _, TestServer, refused, v3};

use crate::browser::Browser;
use crate::client::{Client, REDIRECT, decide, parameter};

#[tokio::test]
async fn a_person_lets_an_app_in() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let client = Client::register(&server).await;
    let browser = Browser::new(&server);

    let login = browser.get(&client.request(&[])).await.location();
    let page = browser.get(&login).await;
    assert_eq!(page.status, 200);
    let wrong = browser.log_in(&page, &alice.localpart, "wrong").await;
    assert_eq!(wrong.status, 403);
    let onward = browser
        .log_in(&page, &alice.localpart, &alice.password)
        .await
        .location();
    let page = browser.get(&onward).await;
    for shown in [
        "My &lt;App&gt;",
        "app.example.com",
        "example.com",
        alice.id.as_str(),
        client.device_id.as_str(),
    ] {
        assert!(page.html.contains(shown), "{shown} is missing in {}", page.html);
    }
    let location = decide(&browser, &page, "allow").await.location();
    assert!(location.starts_with(&format!("{REDIRECT}?")), "{location}");
    assert_eq!(parameter(&location, "state").as_deref(), Some("the state & more"));

    let answer = client
        .redeem(&parameter(&location, "code").unwrap())
        .await
        .unwrap();
    assert_eq!(answer.text("/token_type"), "Bearer");
    assert!(answer.number("/expires_in") > 0);
    let scope = format!(
        "urn:matrix:client:api:* urn:matrix:client:device:{}",
        client.device_id
    );
    assert_eq!(answer.text("/scope"), scope);
    let app = server.with_token(answer.text("/access_token"));
    let whoami = app.get(v3(["account", "whoami"])).await.unwrap();
    assert_eq!(whoami.text("/user_id"), alice.id);
    assert_eq!(whoami.text("/device_id"), client.device_id);
    let device = alice.get(v3(["devices", &client.device_id])).await.unwrap();
    assert_eq!(device.text("/display_name"), "My <App>");
}

#[tokio::test]
async fn the_answer_can_stand_in_the_fragment() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let client = Client::register(&server).await;
    let browser = Browser::signed_in(&server, &alice).await;
    let page = browser
        .get(&client.request(&[("response_mode", "fragment")]))
        .await;
    let location = decide(&browser, &page, "allow").await.location();
    assert!(location.starts_with(&format!("{REDIRECT}#")), "{location}");
    assert_eq!(parameter(&location, "state").as_deref(), Some("the state & more"));
    client
        .redeem(&parameter(&location, "code").unwrap())
        .await
        .unwrap();
    let refused = decide(&browser, &page, "deny").await.location();
    assert!(refused.starts_with(&format!("{REDIRECT}#")), "{refused}");
    assert_eq!(parameter(&refused, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&refused, "state").as_deref(), Some("the state & more"));
}

#[tokio::test]
async fn a_code_is_good_once_for_its_client_its_address_and_its_verifier() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let client = Client::register(&server).await;
    let mut metadata = crate::client::metadata();
    metadata["client_name"] = "Another".into();
    let other = Client::register_as(&server, metadata).await;
    let browser = Browser::signed_in(&server, &alice).await;
    let code = client.code(&browser).await;
    let wrong_verifier = "A".repeat(43);
    refused(
        client
            .redeem_with(&code, &[("code_verifier", &wrong_verifier)])
            .await,
        400,
        "invalid_grant",
    );
    refused(other.redeem(&code).await, 400, "invalid_grant");
    let address = "https://app.example.com/other";
    refused(
        client.redeem_with(&code, &[("redirect_uri", address)]).await,
        400,
        "invalid_grant",
    );
    refused(client.redeem("made-up").await, 400, "invalid_grant");

    let answer = client.redeem(&code).await.unwrap();
    let app = server.with_token(answer.text("/access_token"));
    app.get(v3(["account", "whoami"])).await.unwrap();
    // Somebody else has the code too: nobody can tell who of them is the thief.
    refused(client.redeem(&code).await, 400, "invalid_grant");
    refused(app.get(v3(["account", "whoami"])).await, 401, "M_UNKNOWN_TOKEN");
    refused(
        client.refresh(answer.text("/refresh_token")).await,
        400,
        "invalid_grant",
    );
}

#[tokio::test]
async fn two_redemptions_at_once_leave_no_session() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let client = Client::register(&server).await;
    let browser = Browser::signed_in(&server, &alice).await;
    let code = client.code(&browser).await;
    let (one, two) = tokio::join!(client.redeem(&code), client.redeem(&code));
    let tokens = [one, two].into_iter().flatten().collect::<Vec<_>>();
    assert!(tokens.len() <= 1);
    for token in &tokens {
        let app = server.with_token(token.text("/access_token"));
        refused(app.get(v3(["account", "whoami"])).await, 401, "M_UNKNOWN_TOKEN");
    }
}

#[tokio::test]
async fn a_client_that_may_show_nothing_learns_what_is_missing() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let client = Client::register(&server).await;
    let silent = client.request(&[("prompt", "none")]);
    let error = |location: &str| parameter(location, "error").unwrap_or_default();
    let nobody = Browser::new(&server).get(&silent).await.location();
    assert_eq!(error(&nobody), "login_required");
    let browser = Browser::signed_in(&server, &alice).await;
    assert_eq!(error(&browser.get(&silent).await.location()), "consent_required");
    // Whoever is to log in anew does, and then is asked.
    let login = browser
        .get(&client.request(&[("prompt", "login")]))
        .await
        .location();
    assert!(login.starts_with("/oauth2/login?"), "{login}");
    let page = browser.get(&login).await;
    let onward = browser
        .log_in(&page, &alice.localpart, &alice.password)
        .await
        .location();
    assert_eq!(browser.get(&onward).await.status, 200);
}
