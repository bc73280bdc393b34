//! Stages that are taken on a page of the server, for clients that do not know them.

use echorift_tests::{Answer, Look as _, TestServer, fresh, v3};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

async fn register(server: &TestServer, name: &str, auth: Option<Value>) -> Answer {
    let mut body = json!({ "username": name, "password": "a long password", "inhibit_login": true });
    if let Some(auth) = auth {
        body["auth"] = auth;
    }
    server.anonymous().post(v3(["register"]), body).await
}

fn page(stage: &str, session: &str) -> String {
    format!("{}?session={session}", v3(["auth", stage, "fallback", "web"]))
}

/// Opens the page, or with a form sends it: the status and the text.
async fn browse(
    server: &TestServer,
    stage: &str,
    session: &str,
    form: Option<&[(&str, &str)]>,
) -> (StatusCode, String) {
    let anyone = server.anonymous();
    let request = match form {
        None => anyone.request(Method::GET, page(stage, session)),
        Some(form) => anyone.request(Method::POST, page(stage, session)).form(form),
    };
    let response = request.send().await.unwrap();
    let headers = response.headers();
    if response.status() == StatusCode::OK {
        assert_eq!(headers["x-frame-options"], "DENY");
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'"), "{policy}");
    }
    (response.status(), response.text().await.unwrap())
}

#[tokio::test]
async fn a_registration_token_is_given_on_the_page() {
    let server = TestServer::builder()
        .set("registration.enabled", true)
        .set("registration.token", "the company picnic")
        .start()
        .await;
    let name = fresh("carol");
    let asked = register(&server, &name, None).await.unwrap_err();
    let session = asked.body.text("/session");
    let stage = "m.login.registration_token";
    let (status, text) = browse(&server, stage, session, None).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        text.contains("name=\"token\"") && !text.contains("authDone"),
        "{text}"
    );
    let (_, text) = browse(&server, stage, session, Some(&[("token", "<a guess>")])).await;
    assert!(
        text.contains("not valid") && !text.contains("<a guess>"),
        "{text}"
    );
    let again = json!({ "session": session });
    assert_eq!(
        register(&server, &name, Some(again.clone()))
            .await
            .unwrap_err()
            .status,
        401
    );

    let form = [("token", "the company picnic")];
    let (_, text) = browse(&server, stage, session, Some(&form)).await;
    assert!(text.contains("window.onAuthDone()"), "{text}");
    register(&server, &name, Some(again.clone())).await.unwrap();
    // The attempt is used up.
    assert_eq!(
        browse(&server, stage, session, None).await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        browse(&server, "m.login.sso", session, None).await.0,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_password_is_given_on_the_page_by_its_owner() {
    let server = TestServer::shared().await;
    let [alice, mallory] = server.register(["alice", "mallory"]).await;
    let laptop = alice.on_another_device().await;
    let path = v3(["devices", &laptop.device_id]);
    let delete = |body: Value| alice.call(Method::DELETE, &path, Some(body));
    let asked = delete(json!({})).await.unwrap_err();
    let session = asked.body.text("/session");
    let stage = "m.login.password";
    let hers = [
        ("user", alice.localpart.as_str()),
        ("password", alice.password.as_str()),
    ];
    let theirs = [
        ("user", mallory.localpart.as_str()),
        ("password", mallory.password.as_str()),
    ];
    let again = json!({ "auth": { "session": session } });
    for wrong in [theirs, [hers[0], ("password", "a guess")]] {
        let (_, text) = browse(&server, stage, session, Some(&wrong)).await;
        assert!(!text.contains("authDone"), "{text}");
    }
    assert_eq!(delete(again.clone()).await.unwrap_err().status, 401);
    let (_, text) = browse(&server, stage, session, Some(&hers)).await;
    assert!(text.contains("authDone"), "{text}");
    delete(again).await.unwrap();
    assert_eq!(alice.get(&path).await.unwrap_err().status, 404);
}

/// Checks challenges: `solved` is right. Gives its address.
async fn checker() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            let mut piece = [0; 4096];
            while !String::from_utf8_lossy(&request).contains("response=") {
                match stream.read(&mut piece).await {
                    Ok(read @ 1..) => request.extend_from_slice(&piece[..read]),
                    _ => break,
                }
            }
            let request = String::from_utf8_lossy(&request).into_owned();
            let is_right = request.contains("response=solved") && request.contains("secret=between+us");
            let body = json!({ "success": is_right }).to_string();
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
            let answer = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    format!("http://{address}/siteverify")
}

#[tokio::test]
async fn people_who_register_solve_a_challenge() {
    let server = TestServer::builder()
        .set("registration.enabled", true)
        .set("registration.without_verification", true)
        .set("registration.recaptcha.public_key", "for everyone")
        .set("registration.recaptcha.private_key", "between us")
        .set("registration.recaptcha.verify_url", checker().await)
        .start()
        .await;
    let name = fresh("dave");
    let asked = register(&server, &name, None).await.unwrap_err();
    assert_eq!(
        asked.body.pointer("/params/m.login.recaptcha/public_key"),
        Some(&json!("for everyone"))
    );
    let stages = json!(["m.login.recaptcha"]);
    assert!(
        asked
            .body
            .list("/flows")
            .iter()
            .any(|flow| flow["stages"] == stages),
        "{asked}"
    );
    let session = asked.body.text("/session");
    let answer = |response: &str| {
        Some(json!({ "type": "m.login.recaptcha", "response": response, "session": session }))
    };
    let dummy = Some(json!({ "type": "m.login.dummy", "session": session }));
    assert_eq!(register(&server, &name, dummy).await.unwrap_err().status, 401);
    assert_eq!(
        register(&server, &name, answer("guess"))
            .await
            .unwrap_err()
            .status,
        401
    );
    register(&server, &name, answer("solved")).await.unwrap();

    let name = fresh("erin");
    let asked = register(&server, &name, None).await.unwrap_err();
    let session = asked.body.text("/session");
    let stage = "m.login.recaptcha";
    let (_, text) = browse(&server, stage, session, None).await;
    assert!(text.contains("data-sitekey=\"for everyone\""), "{text}");
    let form = [("g-recaptcha-response", "solved")];
    let (_, text) = browse(&server, stage, session, Some(&form)).await;
    assert!(text.contains("authDone"), "{text}");
    register(&server, &name, Some(json!({ "session": session })))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_stage_that_is_done_is_not_tried_again() {
    let server = TestServer::builder()
        .set("registration.enabled", true)
        .set("registration.token", "the company picnic")
        .set("registration.recaptcha.public_key", "for everyone")
        .set("registration.recaptcha.private_key", "between us")
        .set("registration.recaptcha.verify_url", checker().await)
        .start()
        .await;
    let name = fresh("frank");
    let asked = register(&server, &name, None).await.unwrap_err();
    let session = asked.body.text("/session");
    let solve = |response: &str| {
        Some(json!({ "type": "m.login.recaptcha", "response": response, "session": session }))
    };
    // A solution is good for one check, so a client that asks again has none.
    for response in ["solved", "used up"] {
        let on_the_way = register(&server, &name, solve(response)).await.unwrap_err();
        assert_eq!(on_the_way.status, 401);
        assert_eq!(on_the_way.body["completed"], json!(["m.login.recaptcha"]));
        assert_eq!(on_the_way.body.get("errcode"), None, "{on_the_way}");
    }
    let token =
        json!({ "type": "m.login.registration_token", "token": "the company picnic", "session": session });
    register(&server, &name, Some(token)).await.unwrap();
}
