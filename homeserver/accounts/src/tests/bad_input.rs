use http::Method;
use serde_json::json;

use super::databases::on_both_databases;

/// Every endpoint that needs a token.
const AUTHENTICATED: &[(&str, &str)] = &[
    ("POST", "/_matrix/client/v1/login/get_token"),
    ("POST", "/_matrix/client/v3/logout"),
    ("POST", "/_matrix/client/v3/logout/all"),
    ("GET", "/_matrix/client/v3/account/whoami"),
    ("POST", "/_matrix/client/v3/account/password"),
    ("POST", "/_matrix/client/v3/account/deactivate"),
    ("GET", "/_matrix/client/v3/account/3pid"),
    ("POST", "/_matrix/client/v3/account/3pid/add"),
    ("POST", "/_matrix/client/v3/account/3pid/bind"),
    ("POST", "/_matrix/client/v3/account/3pid/delete"),
    ("POST", "/_matrix/client/v3/account/3pid/unbind"),
    ("GET", "/_matrix/client/v3/capabilities"),
    ("GET", "/_matrix/client/v3/devices"),
    ("GET", "/_matrix/client/v3/devices/D"),
    ("PUT", "/_matrix/client/v3/devices/D"),
    ("DELETE", "/_matrix/client/v3/devices/D"),
    ("POST", "/_matrix/client/v3/delete_devices"),
    ("PUT", "/_matrix/client/v3/profile/@a:b/displayname"),
    ("DELETE", "/_matrix/client/v3/profile/@a:b/displayname"),
    ("GET", "/_matrix/client/v3/user/@a:b/account_data/x"),
    ("PUT", "/_matrix/client/v3/user/@a:b/account_data/x"),
    ("GET", "/_matrix/client/v3/user/@a:b/rooms/!r:b/account_data/x"),
    ("PUT", "/_matrix/client/v3/user/@a:b/rooms/!r:b/account_data/x"),
    ("GET", "/_matrix/client/v3/user/@a:b/rooms/!r:b/tags"),
    ("PUT", "/_matrix/client/v3/user/@a:b/rooms/!r:b/tags/t"),
    ("DELETE", "/_matrix/client/v3/user/@a:b/rooms/!r:b/tags/t"),
    ("POST", "/_matrix/client/v3/user/@a:b/filter"),
    ("GET", "/_matrix/client/v3/user/@a:b/filter/f"),
    ("POST", "/_matrix/client/v3/user/@a:b/openid/request_token"),
    ("GET", "/_matrix/client/v3/admin/whois/@a:b"),
    ("GET", "/_matrix/client/v1/admin/lock/@a:b"),
    ("PUT", "/_matrix/client/v1/admin/lock/@a:b"),
    ("GET", "/_matrix/client/v1/admin/suspend/@a:b"),
    ("PUT", "/_matrix/client/v1/admin/suspend/@a:b"),
];

/// Endpoints with a body, some with and some without a token.
const WITH_BODY: &[(&str, &str)] = &[
    ("POST", "/_matrix/client/v3/login"),
    ("POST", "/_matrix/client/v3/register"),
    ("POST", "/_matrix/client/v3/refresh"),
    ("POST", "/_synapse/admin/v1/register"),
    ("POST", "/_matrix/client/v1/login/get_token"),
    ("POST", "/_matrix/client/v3/account/password"),
    ("POST", "/_matrix/client/v3/account/deactivate"),
    ("PUT", "/_matrix/client/v3/devices/D"),
    ("POST", "/_matrix/client/v3/delete_devices"),
    ("PUT", "/_matrix/client/v3/profile/@alice:example.org/displayname"),
    ("PUT", "/_matrix/client/v3/user/@alice:example.org/account_data/x"),
    (
        "PUT",
        "/_matrix/client/v3/user/@alice:example.org/rooms/!r:b/account_data/x",
    ),
    (
        "PUT",
        "/_matrix/client/v3/user/@alice:example.org/rooms/!r:b/tags/t",
    ),
    ("POST", "/_matrix/client/v3/user/@alice:example.org/filter"),
    ("PUT", "/_matrix/client/v1/admin/lock/@a:b"),
    ("PUT", "/_matrix/client/v1/admin/suspend/@a:b"),
];

fn method(name: &str) -> Method {
    name.parse().unwrap()
}

on_both_databases! {
    async fn a_token_is_asked_for_where_one_is_needed(server: &TestServer) {
        for (name, path) in AUTHENTICATED {
            let none = server.send(method(name), path, None, Some(json!({}))).await;
            assert_eq!(none.refusal(), (401, "M_MISSING_TOKEN"), "{name} {path}");
            let forged = server.send(method(name), path, Some("forged"), Some(json!({}))).await;
            assert_eq!(forged.refusal(), (401, "M_UNKNOWN_TOKEN"), "{name} {path}");
        }
    }

    async fn bodies_that_do_not_fit_are_refused(server: &TestServer) {
        let alice = server.register("alice").await;
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        for (name, path) in WITH_BODY {
            let send = async |body: &[u8]| server.send_bytes(method(name), path, Some(&alice.token), body.into()).await;
            for broken in [&b"{"[..], b"nonsense", b"{\"a\":\"\xff"] {
                let answer = send(broken).await;
                assert_eq!(answer.refusal(), (400, "M_NOT_JSON"), "{name} {path} {broken:?}");
            }
            let answer = send(b"[1]").await;
            assert_eq!(answer.refusal(), (400, "M_BAD_JSON"), "{name} {path}");
            let answer = send(deep.as_bytes()).await;
            assert!(answer.status.is_client_error(), "{name} {path} {}", answer.status);
            let large = server.send(method(name), path, Some(&alice.token), Some(json!({ "a": "x".repeat(3 << 20) }))).await;
            assert_eq!(large.refusal(), (413, "M_TOO_LARGE"), "{name} {path}");
        }
    }

    async fn what_a_log_in_lacks_is_named(server: &TestServer) {
        for (body, expected) in [
            (json!({}), (400, "M_BAD_JSON")),
            (json!({ "type": 3 }), (400, "M_BAD_JSON")),
            (json!({ "type": "m.login.unheard" }), (400, "M_UNKNOWN")),
            (json!({ "type": "m.login.password" }), (400, "M_MISSING_PARAM")),
            (json!({ "type": "m.login.password", "password": "x" }), (400, "M_MISSING_PARAM")),
            (json!({ "type": "m.login.token" }), (400, "M_MISSING_PARAM")),
            (json!({ "type": "m.login.token", "token": "x" }), (403, "M_FORBIDDEN")),
            (
                json!({ "type": "m.login.password", "password": "x", "identifier": { "type": "m.id.unheard" } }),
                (400, "M_UNKNOWN"),
            ),
        ] {
            assert_eq!(server.post_open("/_matrix/client/v3/login", body.clone()).await.refusal(), expected, "{body}");
        }
        for token in ["", "x", "a.b"] {
            let refusal = server.post_open("/_matrix/client/v3/refresh", json!({ "refresh_token": token })).await;
            assert_eq!(refusal.refusal(), (401, "M_UNKNOWN_TOKEN"));
        }
    }

    async fn ids_that_are_none_are_refused(server: &TestServer) {
        let alice = server.register("alice").await;
        for path in [
            "/_matrix/client/v3/profile/alice",
            "/_matrix/client/v3/user/alice/account_data/x",
            "/_matrix/client/v3/user/@alice:example.org/rooms/room/account_data/x",
            "/_matrix/client/v3/user/alice/filter/x",
            "/_matrix/client/v3/admin/whois/alice",
            "/_matrix/client/v3/profile/%ff",
        ] {
            assert_eq!(server.get(path, &alice.token).await.refusal(), (400, "M_INVALID_PARAM"), "{path}");
        }
        let elsewhere = server.get("/_matrix/client/v3/profile/@bob:elsewhere.org", &alice.token).await;
        assert_eq!(elsewhere.refusal(), (404, "M_NOT_FOUND"));
    }

    async fn without_mail_third_party_identifiers_cannot_be_changed(server: &TestServer) {
        let alice = server.register("alice").await;
        assert_eq!(server.get("/_matrix/client/v3/account/3pid", &alice.token).await.ok(), json!({ "threepids": [] }));
        let body = json!({
            "medium": "email", "address": "alice@example.org", "email": "alice@example.org",
            "country": "DE", "phone_number": "0301234", "client_secret": "secret", "sid": "1", "send_attempt": 1,
        });
        for path in [
            "account/3pid/add",
            "account/3pid/delete",
            "account/3pid/email/requestToken",
            "account/3pid/msisdn/requestToken",
            "account/password/email/requestToken",
            "account/password/msisdn/requestToken",
            "register/email/requestToken",
            "register/msisdn/requestToken",
        ] {
            let answer = server.post(&format!("/_matrix/client/v3/{path}"), &alice.token, body.clone()).await;
            assert_eq!(answer.refusal(), (403, "M_THREEPID_DENIED"), "{path}");
        }
        let bound = server.post("/_matrix/client/v3/account/3pid/bind", &alice.token, body).await;
        assert_eq!(bound.refusal(), (400, "M_SERVER_NOT_TRUSTED"));
    }

    async fn openid_tokens_name_their_user_for_an_hour(server: &TestServer) {
        let alice = server.register("alice").await;
        let bob = server.register("bob").await;
        let path = "/_matrix/client/v3/user/@alice:example.org/openid/request_token";
        assert_eq!(server.post(path, &bob.token, json!({})).await.refusal(), (403, "M_FORBIDDEN"));
        let made = server.post(path, &alice.token, json!({})).await.ok();
        assert_eq!(made["matrix_server_name"], "example.org");
        assert_eq!((&made["expires_in"], &made["token_type"]), (&json!(3600), &json!("Bearer")));
        let token = made["access_token"].as_str().unwrap();
        let user = server.accounts.openid_user(token).await.unwrap();
        assert_eq!(user.as_ref().map(|user| user.as_str()), Some("@alice:example.org"));
        server.clock.advance_ms(3_600_000);
        assert_eq!(server.accounts.openid_user(token).await.unwrap(), None);
        assert_eq!(server.whoami(token).await.refusal(), (401, "M_UNKNOWN_TOKEN"));
    }
}
