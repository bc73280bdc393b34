//! Ids that lead nowhere, ids of others, and parameters out of range.

use echorift_tests::{TestServer, fresh, refused};
use reqwest::Method;
use serde_json::{Value, json};

/// Who asks, what, with which body, and which refusals are right.
struct Case {
    method: &'static str,
    path: String,
    body: Option<Value>,
    status: u16,
    errcodes: &'static [&'static str],
}

fn case(
    method: &'static str,
    path: impl Into<String>,
    body: Option<Value>,
    status: u16,
    errcodes: &'static [&'static str],
) -> Case {
    Case {
        method,
        path: path.into(),
        body,
        status,
        errcodes,
    }
}

#[tokio::test]
async fn ids_that_lead_nowhere_and_values_out_of_range_are_refused() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice
        .create_room(json!({ "preset": "private_chat" }))
        .await
        .unwrap();
    let event = alice.send_text(&room, "x").await.unwrap();
    let mine = format!("rooms/{room}");
    let me = &bob.id;
    let empty = || Some(json!({}));
    let forbidden: &[&str] = &["M_FORBIDDEN"];
    let not_found: &[&str] = &["M_NOT_FOUND"];
    let invalid: &[&str] = &["M_INVALID_PARAM", "M_BAD_JSON", "M_MISSING_PARAM", "M_UNKNOWN"];
    const NOWHERE: &str = "rooms/!nowhere:test.example";

    // Bob is not in Alice's private room, and nobody is in the other one: he learns no difference.
    let mut cases = Vec::new();
    for room in [mine.as_str(), NOWHERE] {
        for (method, path, body) in [
            ("GET", "state", None),
            ("GET", "state/m.room.create", None),
            ("GET", "members", None),
            ("GET", "joined_members", None),
            ("GET", "messages?dir=b", None),
            ("PUT", "send/m.room.message/t", empty()),
            ("PUT", "state/org.example.x/k", empty()),
            ("POST", "invite", Some(json!({ "user_id": alice.id }))),
            ("POST", "kick", Some(json!({ "user_id": alice.id }))),
            ("POST", "ban", Some(json!({ "user_id": alice.id }))),
            ("POST", "unban", Some(json!({ "user_id": alice.id }))),
            ("POST", "upgrade", Some(json!({ "new_version": "11" }))),
            ("POST", "receipt/m.read/$none", empty()),
            ("POST", "read_markers", Some(json!({ "m.read": "$none" }))),
        ] {
            let is_hidden: &[&str] = &["M_FORBIDDEN", "M_NOT_FOUND"];
            cases.push(case(
                method,
                format!("{room}/{path}"),
                body,
                if room == NOWHERE { 0 } else { 403 },
                is_hidden,
            ));
        }
        for path in ["event/$none", "context/$none"] {
            cases.push(case(
                "GET",
                format!("{room}/{path}"),
                None,
                0,
                &["M_NOT_FOUND", "M_FORBIDDEN"],
            ));
        }
        cases.push(case(
            "PUT",
            format!("{room}/typing/{me}"),
            Some(json!({ "typing": true, "timeout": 1 })),
            403,
            forbidden,
        ));
    }
    cases.extend([
        case("GET", format!("{mine}/event/{event}"), None, 404, not_found),
        case("GET", "profile/@nobody-at-all:test.example", None, 404, not_found),
        case("GET", "devices/NONE", None, 404, not_found),
        case("PUT", "devices/NONE", empty(), 404, not_found),
        case("GET", format!("user/{me}/filter/none"), None, 404, not_found),
        case(
            "GET",
            format!("user/{me}/account_data/none"),
            None,
            404,
            not_found,
        ),
        case("GET", "directory/room/%23none:test.example", None, 404, not_found),
        case(
            "DELETE",
            "directory/room/%23none:test.example",
            None,
            404,
            not_found,
        ),
        case("GET", "directory/room/none", None, 400, invalid),
        case(
            "GET",
            "directory/list/room/!nowhere:test.example",
            None,
            404,
            not_found,
        ),
        case("POST", "join/!nowhere:test.example", empty(), 404, not_found),
        case("POST", "join/%23none:test.example", empty(), 404, not_found),
        case("POST", "join/nothing", empty(), 400, invalid),
        case("POST", "knock/!nowhere:test.example", empty(), 404, not_found),
        case(
            "POST",
            "createRoom",
            Some(json!({ "invite": ["no id"] })),
            400,
            invalid,
        ),
        case(
            "POST",
            "createRoom",
            Some(json!({ "preset": "cosy" })),
            400,
            invalid,
        ),
        case(
            "POST",
            "createRoom",
            Some(json!({ "room_version": "0" })),
            400,
            &["M_UNSUPPORTED_ROOM_VERSION"],
        ),
        case("GET", "sync?timeout=soon", None, 400, invalid),
        case("GET", "sync?since=nonsense", None, 400, invalid),
        case("GET", "publicRooms?limit=-1", None, 400, invalid),
        case(
            "PUT",
            format!("presence/{me}/status"),
            Some(json!({ "presence": "asleep" })),
            400,
            invalid,
        ),
        case(
            "POST",
            "refresh",
            Some(json!({ "refresh_token": fresh("none") })),
            401,
            &["M_UNKNOWN_TOKEN"],
        ),
        case(
            "POST",
            "login",
            Some(json!({ "type": "m.login.password" })),
            400,
            invalid,
        ),
        case("POST", "login", empty(), 400, invalid),
    ]);
    let mut findings = Vec::new();
    for case in cases {
        let method = Method::from_bytes(case.method.as_bytes()).unwrap();
        let answer = bob
            .call(method, format!("/_matrix/client/v3/{}", case.path), case.body)
            .await;
        let is_right = matches!(&answer, Err(refusal)
            if (case.status == 0 || refusal.status == case.status)
                && (400..500).contains(&refusal.status)
                && case.errcodes.contains(&refusal.errcode.as_str()));
        if !is_right {
            let Case {
                method,
                path,
                status,
                errcodes,
                ..
            } = case;
            findings.push(format!(
                "{method} {path}: expected {status} {errcodes:?}, got {answer:?}"
            ));
        }
    }
    assert!(
        findings.is_empty(),
        "{} findings:\n{}",
        findings.len(),
        findings.join("\n")
    );
}

#[tokio::test]
async fn parameters_of_the_timeline_are_checked() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let room = alice.create_room_with(&[]).await;
    let event = alice.send_text(&room, "x").await.unwrap();
    let mut findings = Vec::new();
    for path in [
        format!("v3/rooms/{room}/messages"),
        format!("v3/rooms/{room}/messages?dir=sideways"),
        format!("v3/rooms/{room}/messages?dir=b&from=nonsense"),
        format!("v3/rooms/{room}/messages?dir=b&limit=many"),
        format!("v3/rooms/{room}/messages?dir=b&filter=%7Bbroken"),
        format!("v3/rooms/{room}/context/{event}?limit=-1"),
        format!("v3/rooms/{room}/members?at=nonsense"),
        format!("v1/rooms/{room}/relations/{event}?from=nonsense"),
        format!("v1/rooms/{room}/threads?include=some"),
        format!("v1/rooms/{room}/timestamp_to_event?dir=f"),
        format!("v1/rooms/{room}/timestamp_to_event?ts=0&dir=up"),
        format!("v1/rooms/{room}/hierarchy?max_depth=deep"),
    ] {
        let answer = alice.get(format!("/_matrix/client/{path}")).await;
        let is_refused =
            matches!(&answer, Err(refusal) if refusal.status == 400 && !refusal.errcode.is_empty());
        if !is_refused {
            findings.push(format!("{path}: {answer:?}"));
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
    // A page has a largest size, whatever is asked for.
    alice.messages(&room, "dir=b&limit=1000000000").await.unwrap();
}

/// Endpoints of this server's own, whose paths no type of the specification reads.
#[tokio::test]
async fn paths_that_do_not_fit_are_refused_as_everything_is() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    for (method, path) in [
        ("GET", "/_echorift/v1/rooms/nonsense/hooks"),
        ("DELETE", "/_echorift/v1/rooms/nonsense/hooks/x"),
        ("DELETE", "/_echorift/v1/bots/nonsense"),
        ("GET", "/_echorift/v1/rooms/%ff/hooks"),
        ("GET", "/_matrix/client/v3/rooms/%ff/initialSync"),
        ("GET", "/_matrix/client/v3/events/%ff"),
        ("GET", "/_matrix/client/v3/user/%ff/filter/1"),
    ] {
        let answer = alice.call(method.parse().unwrap(), path, None).await;
        let refusal = refused(answer, 400, "M_INVALID_PARAM");
        assert!(refusal.body["error"].is_string(), "{method} {path}: {refusal}");
    }
}
