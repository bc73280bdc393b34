use echorift_tests::TestServer;
use serde_json::{Value, json};

use super::{UNSTABLE, V4};

#[tokio::test]
async fn what_is_out_of_bounds_is_refused() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let plain = json!({ "timeline_limit": 1, "required_state": [] });
    let many = |name: &dyn Fn(usize) -> String| -> Value {
        (0..101)
            .map(|number| (name(number), plain.clone()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let pairs: Vec<Value> = (0..2_001)
        .map(|number| json!(["x", number.to_string()]))
        .collect();
    let one = |field: &str, value: Value| {
        let mut list = plain.clone();
        list[field] = value;
        json!({ "lists": { "a": list } })
    };
    let cases = [
        (
            json!({ "lists": many(&|number| format!("l{number}")) }),
            "M_INVALID_PARAM",
        ),
        (
            json!({ "room_subscriptions": many(&|number| format!("!r{number}:test.example")) }),
            "M_INVALID_PARAM",
        ),
        (one("required_state", json!(pairs)), "M_INVALID_PARAM"),
        (
            one("required_state", json!([["x".repeat(256), ""]])),
            "M_INVALID_PARAM",
        ),
        (one("ranges", json!([[5, 1]])), "M_INVALID_PARAM"),
        (one("ranges", json!(vec![[0, 1]; 21])), "M_INVALID_PARAM"),
        (one("ranges", json!([[-1, 1]])), "M_BAD_JSON"),
        (one("ranges", json!([[0]])), "M_BAD_JSON"),
        (one("timeline_limit", json!("all")), "M_BAD_JSON"),
        (one("filters", json!({ "is_dm": "maybe" })), "M_BAD_JSON"),
        (
            json!({ "room_subscriptions": { "not a room": &plain } }),
            "M_BAD_JSON",
        ),
        (json!({ "conn_id": "x".repeat(300) }), "M_INVALID_PARAM"),
        (json!({ "set_presence": "asleep" }), "M_INVALID_PARAM"),
        (json!({ "pos": "s1" }), "M_UNKNOWN_POS"),
    ];
    for path in [UNSTABLE, V4] {
        for (body, errcode) in &cases {
            let refusal = alice.post(path, body.clone()).await.unwrap_err();
            assert_eq!(
                (refusal.status, refusal.errcode.as_str()),
                (400, *errcode),
                "{body}"
            );
        }
        let refusal = alice
            .post(format!("{path}?timeout=soon"), json!({}))
            .await
            .unwrap_err();
        assert_eq!(refusal.errcode, "M_INVALID_PARAM");
        let huge = one("ranges", json!([[0, u64::MAX]]));
        alice.post(path, huge).await.unwrap();
        let refusal = server.anonymous().post(path, json!({})).await.unwrap_err();
        assert_eq!(refusal.errcode, "M_MISSING_TOKEN");
    }
}
