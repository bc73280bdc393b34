//! Signing in at the company's OpenID Connect provider where a directory makes the accounts.

use echorift_tests::{OpenIdProvider, TestDirectory, TestServer, until};
use serde_json::{Value, json};

use crate::browser::{Browser, Page};

/// Signs in at the provider, as whom it says, with a browser that never was here.
async fn sign_in(server: &TestServer) -> (Browser, Page) {
    let browser = Browser::new(server);
    browser.get("/oauth2/login").await;
    let leaving = browser.get("/oauth2/upstream?place=0&continue=%2Faccount").await;
    let url = reqwest::Url::parse(&leaving.location()).unwrap();
    let asked = |name: &str| {
        let found = url.query_pairs().find(|(known, _)| known == name);
        found.unwrap().1.into_owned()
    };
    let path = format!(
        "/oauth2/callback?code={}&state={}",
        asked("nonce"),
        asked("state")
    );
    let back = browser.get(&path).await;
    (browser, back)
}

fn claims(id: &str) -> Value {
    json!({ "sub": "s-1", "preferred_username": "jonas.meyer@nordlicht.example", "oid": id })
}

#[tokio::test]
async fn people_of_the_directory_sign_in_elsewhere_and_have_the_accounts_that_it_made() {
    let directory = TestDirectory::start();
    let provider = OpenIdProvider::start().await;
    let server = directory
        .server()
        .set("directory.sync", true)
        .set(
            "oauth.upstream",
            provider.settings(&json!({ "claim_directory_id": "oid" })),
        )
        .start()
        .await;
    let jonas = "uid=jonas.meyer,ou=people,dc=nordlicht,dc=example";
    let id = directory.value(jonas, "entryUUID");

    provider.says(claims(&id.to_uppercase()), json!({}));
    let (browser, _) = until("the directory has made the account", async || {
        let (browser, back) = sign_in(&server).await;
        assert!([303, 403].contains(&back.status), "{}", back.html);
        (back.status == 303).then_some((browser, back))
    })
    .await;
    let account = browser.get("/account").await;
    let user_id = format!("@jonas.meyer:{}", server.name());
    assert!(account.html.contains(&user_id), "{}", account.html);

    // The ID token need not hold the claim; what another person's userinfo says counts for nothing.
    let mut silent = claims(&id);
    silent.as_object_mut().unwrap().remove("oid");
    provider.says(silent.clone(), claims(&id));
    assert_eq!(sign_in(&server).await.1.location(), "/account");
    provider.says(silent.clone(), json!({ "sub": "s-2", "oid": id }));
    assert_eq!(sign_in(&server).await.1.status, 403);

    // Nobody else gets in, and nobody gets an account that the directory has not made.
    for id_token in [
        silent,
        claims("0f0f0f0f-0000-0000-0000-000000000000"),
        claims("*"),
    ] {
        provider.says(id_token.clone(), json!({ "sub": "s-1" }));
        let back = sign_in(&server).await.1;
        assert_eq!(back.status, 403, "{id_token}");
    }

    // Whoever leaves the company is refused, though the provider still knows them.
    provider.says(claims(&id), json!({}));
    directory.change(&format!("dn: {jonas}\nchangetype: delete\n\n"));
    let refused = sign_in(&server).await.1;
    assert_eq!(refused.status, 403, "{}", refused.html);
}
