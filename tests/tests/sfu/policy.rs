use echorift_tests::{TestServer, User, refused, v3};
use serde_json::{Value, json};

const PATH: &str = "/_echorift/client/v1/rtc/policy";

fn path_of(room: &str) -> String {
    format!("{PATH}?room_id={}", room.replace('!', "%21").replace(':', "%3A"))
}

async fn limit(user: &User, room: &str, content: Value) {
    let path = v3(["rooms", room, "state", "org.echorift.call.media_policy", ""]);
    user.put(path, content).await.unwrap();
}

#[tokio::test]
async fn everybody_reads_the_policy_of_the_server() {
    let server = TestServer::shared().await;
    let [alice] = server.register(["alice"]).await;
    let policy = alice.get(PATH).await.unwrap();
    let expected = json!({
        "audio": {
            "codec": "opus", "sample_rate": 48_000, "channels": 2, "max_bitrate": 32_000, "fec": true, "dtx": true,
        },
        "video": {
            "enabled": true,
            "layers": [
                { "width": 320, "height": 180, "max_bitrate": 150_000, "max_framerate": 15 },
                { "width": 640, "height": 360, "max_bitrate": 500_000, "max_framerate": 24 },
                { "width": 1280, "height": 720, "max_bitrate": 1_500_000, "max_framerate": 30 },
            ],
            "codec": "vp8", "other_codecs": ["h264", "av1"], "off_below_bitrate": 200_000,
        },
        "screen_share": {
            "enabled": true, "width": 1920, "height": 1080, "max_bitrate": 1_500_000, "max_framerate": 15,
            "codec": "vp9", "other_codecs": ["h264", "av1"],
        },
        "priority": ["audio", "screen_share", "video"],
        "limited_by": [],
    });
    assert_eq!(policy, expected);
    refused(server.anonymous().get(PATH).await, 401, "M_MISSING_TOKEN");
}

#[tokio::test]
async fn a_room_lowers_the_policy_for_its_members_and_raises_nothing() {
    let server = TestServer::shared().await;
    let [alice, bob] = server.register(["alice", "bob"]).await;
    let room = alice.create_room_with(&[]).await;
    let everywhere = alice.get(PATH).await.unwrap();
    assert_eq!(alice.get(path_of(&room)).await.unwrap(), everywhere);

    let content = json!({
        "audio": { "max_bitrate": 24_000 }, "video": { "max_height": 360, "max_bitrate": 9_000_000 },
        "screen_share": { "enabled": false, "max_framerate": 60 },
    });
    limit(&alice, &room, content).await;
    let policy = alice.get(path_of(&room)).await.unwrap();
    assert_eq!(policy["limited_by"], json!(["room"]));
    assert_eq!(policy["audio"]["max_bitrate"], 24_000);
    assert_eq!(policy["video"]["layers"].as_array().unwrap().len(), 2);
    assert_eq!(policy["video"]["layers"][1], everywhere["video"]["layers"][1]);
    assert_eq!(policy["screen_share"]["enabled"], false);
    assert_eq!(policy["screen_share"]["max_framerate"], 15);
    assert_eq!(
        alice.get(PATH).await.unwrap(),
        everywhere,
        "elsewhere nothing has changed"
    );

    limit(
        &alice,
        &room,
        json!({ "audio": "low", "video": { "enabled": "off" } }),
    )
    .await;
    assert_eq!(
        alice.get(path_of(&room)).await.unwrap(),
        everywhere,
        "nonsense limits nothing"
    );

    refused(bob.get(path_of(&room)).await, 403, "M_FORBIDDEN");
    refused(
        alice.get(path_of("!nowhere:test.example")).await,
        403,
        "M_FORBIDDEN",
    );
    refused(alice.get(path_of("general")).await, 400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn a_thin_line_lowers_the_policy_for_those_behind_it() {
    let network = |range: &str, more: Value| {
        let mut network = json!({ "ranges": [range] });
        for (key, value) in more.as_object().unwrap() {
            network[key] = value.clone();
        }
        network
    };
    let networks = json!([
        network("127.0.0.0/8", json!({ "video": false, "audio_kbps": 24 })),
        network(
            "127.0.0.1",
            json!({ "audio_kbps": 16, "video_off_below_kbps": 400 })
        ),
        network("192.0.2.0/24", json!({ "audio_kbps": 8 })),
    ]);
    let server = TestServer::builder()
        .set("calls.media.network", networks)
        .set("server.trusted_proxies", json!(["127.0.0.1"]))
        .start()
        .await;
    let [alice] = server.register(["alice"]).await;
    let policy = alice.get(PATH).await.unwrap();
    assert_eq!(policy["limited_by"], json!(["network"]));
    assert_eq!(policy["audio"]["max_bitrate"], 16_000);
    assert_eq!(policy["video"]["enabled"], false);
    assert_eq!(policy["video"]["off_below_bitrate"], 400_000);

    let ask_from = async |address: &str| -> Value {
        let request = alice.request(reqwest::Method::GET, PATH);
        let answer = request.header("x-forwarded-for", address).send().await.unwrap();
        answer.json().await.unwrap()
    };
    assert_eq!(ask_from("192.0.2.9").await["audio"]["max_bitrate"], 8_000);
    let elsewhere = ask_from("198.51.100.1").await;
    assert_eq!(elsewhere["audio"]["max_bitrate"], 32_000);
    assert_eq!(elsewhere["limited_by"], json!([]));

    let room = alice.create_room_with(&[]).await;
    limit(
        &alice,
        &room,
        json!({ "audio": { "max_bitrate": 12_000 }, "video": { "enabled": true } }),
    )
    .await;
    let policy = alice.get(path_of(&room)).await.unwrap();
    assert_eq!(policy["limited_by"], json!(["network", "room"]));
    assert_eq!(policy["audio"]["max_bitrate"], 12_000);
    assert_eq!(
        policy["video"]["enabled"], false,
        "a room cannot turn on what a network has turned off"
    );
}
