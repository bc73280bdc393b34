//! Calls with people of other servers: their OpenID tokens, tokens from server to server, and the operator's policy.

use echorift_tests::{
    Answer, Look as _, Peer, PeerRoom, Reply, ScriptedSfu, ServerBuilder, TestAuthority, TestServer, User,
    refused, until,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::caller::service;

const PEER_PATH: &str = "/_matrix/federation/unstable/io.element.msc4195/rtc/livekit/get_token";
const OWN_PATH: &str = "/_matrix/client/unstable/io.element.msc4195/rtc/livekit/get_token";

/// A public room of Alice's that Mallory, of a scripted server, has joined, and an SFU for its calls.
struct Scene {
    server: TestServer,
    sfu: ScriptedSfu,
    alice: User,
    peer: Peer,
    room: PeerRoom,
    room_id: String,
}

impl Scene {
    async fn start() -> Self {
        Self::with(|server| server).await
    }

    async fn with(builder: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        let authority = TestAuthority::new();
        let sfu = ScriptedSfu::start().await;
        let server = sfu.of(TestServer::builder()).federating(&authority, "ours.test");
        let server = builder(server.set("outbound.request_timeout", "5s"))
            .start()
            .await;
        let [alice] = server.register(["alice"]).await;
        let peer = Peer::start(&authority).await;
        let request = json!({ "preset": "public_chat", "room_version": "11" });
        let room_id = alice.create_room(request).await.unwrap();
        let room = peer.join(&server, &room_id, "mallory").await.unwrap();
        let mallory = peer.user("mallory");
        alice
            .sees_state(&room_id, "m.room.member", &mallory, "/membership", "join")
            .await;
        let user = mallory.clone();
        peer.when("/openid/userinfo", move |heard| {
            match heard.query.contains("access_token=good") {
                true => Reply::Json(200, json!({ "sub": user })),
                false => Reply::Json(401, json!({ "errcode": "M_UNKNOWN_TOKEN", "error": "unknown" })),
            }
        });
        Self {
            server,
            sfu,
            alice,
            peer,
            room,
            room_id,
        }
    }

    /// `/sfu/get` with a token that the peer is asked about.
    async fn sfu_get(&self, token: &str) -> Answer {
        let body = json!({
            "room": self.room_id, "device_id": "FARDEVICE",
            "openid_token": { "access_token": token, "token_type": "Bearer", "matrix_server_name": self.peer.name() },
        });
        self.server.anonymous().post(service("sfu/get"), body).await
    }

    /// What the peer asks on behalf of its user.
    fn request(&self, localpart: &str) -> Value {
        json!({
            "user_id": self.peer.user(localpart), "url": self.sfu.url(), "room_id": self.room_id,
            "slot_id": "m.call#ROOM", "member": { "id": "0b9c", "claimed_device_id": "FARDEVICE" },
        })
    }

    async fn ask(&self, request: Value) -> Answer {
        self.peer
            .ask(&self.server, Method::POST, PEER_PATH, Some(request))
            .await
    }
}

#[tokio::test]
async fn members_of_other_servers_get_in_by_openid() {
    let scene = Scene::start().await;
    let answer = scene.sfu_get("good").await.unwrap();
    let claims = ScriptedSfu::claims(answer.text("/jwt"));
    assert_eq!(claims.sub, format!("{}:FARDEVICE", scene.peer.user("mallory")));
    assert!(claims.video.can_publish());
    // Their server is asked without a signature, and believed for a while.
    assert!(scene.peer.heard("/openid/userinfo")[0].authorization.is_empty());
    scene.sfu_get("good").await.unwrap();
    assert_eq!(scene.peer.heard("/openid/userinfo").len(), 1);
    refused(scene.sfu_get("bad").await, 401, "M_UNAUTHORIZED");
    // A token that is not known says nothing about the server: others of its users are let in all the same.
    scene.sfu_get("good").await.unwrap();
}

#[tokio::test]
async fn where_only_local_users_may_publish_others_listen() {
    let scene = Scene::with(|server| server.set("calls.publish", "local")).await;
    let answer = scene.sfu_get("good").await.unwrap();
    let claims = ScriptedSfu::claims(answer.text("/jwt"));
    assert!(!claims.video.can_publish() && claims.video.can_subscribe());
    // They do not open calls: the SFU says that there is none.
    assert!(scene.sfu.rooms().await.is_empty());
    // Their delayed events are kept elsewhere, so that nobody here can send them.
    let mut body = scene.request("mallory");
    let openid = json!({ "access_token": "good", "matrix_server_name": scene.peer.name() });
    let fields = [
        ("openid_token", openid),
        ("delay_id", json!("x")),
        ("delay_timeout", json!(1_000)),
    ];
    body.as_object_mut()
        .unwrap()
        .extend(fields.map(|(name, value)| (name.to_owned(), value)));
    body["member"]["claimed_user_id"] = scene.peer.user("mallory").into();
    let anyone = scene.server.anonymous();
    let delegated = anyone.post(service("delegate_delayed_leave"), body.clone()).await;
    refused(delegated, 403, "M_FORBIDDEN");
    refused(
        scene.server.anonymous().post(service("get_token"), body).await,
        400,
        "M_BAD_JSON",
    );
}

#[tokio::test]
async fn a_server_is_not_believed_about_users_of_others() {
    let scene = Scene::start().await;
    let alice = scene.alice.id.clone();
    scene.peer.when("/openid/userinfo", move |_| {
        Reply::Json(200, json!({ "sub": alice }))
    });
    refused(scene.sfu_get("good").await, 401, "M_UNAUTHORIZED");
    for answer in [
        json!({}),
        json!({ "sub": 7 }),
        json!({ "sub": "mallory" }),
        json!([]),
    ] {
        scene
            .peer
            .when("/openid/userinfo", move |_| Reply::Json(200, answer.clone()));
        refused(scene.sfu_get("other").await, 401, "M_UNAUTHORIZED");
    }
    assert!(scene.sfu.rooms().await.is_empty());
}

#[tokio::test]
async fn the_room_must_know_them() {
    let scene = Scene::start().await;
    let stranger = scene.peer.user("stranger");
    scene.peer.when("/openid/userinfo", move |_| {
        Reply::Json(200, json!({ "sub": stranger }))
    });
    refused(scene.sfu_get("good").await, 403, "M_FORBIDDEN");
}

#[tokio::test]
async fn servers_ask_for_users_who_listen() {
    let scene = Scene::start().await;
    let answer = scene.ask(scene.request("mallory")).await.unwrap();
    let claims = ScriptedSfu::claims(answer.text("/jwt"));
    assert!(!claims.video.can_publish() && claims.video.can_subscribe());
    // The room is opened for them: whom they want to hear is on their way.
    assert_eq!(scene.sfu.rooms().await, [claims.video.room]);
    let mut newest = scene.request("mallory");
    newest.as_object_mut().unwrap().remove("member");
    newest["member_id"] = "0b9c".into();
    scene.ask(newest).await.unwrap();

    refused(scene.ask(scene.request("stranger")).await, 403, "M_FORBIDDEN");
    let changed = |field: &str, value: &str| {
        let mut request = scene.request("mallory");
        request[field] = value.into();
        request
    };
    refused(
        scene.ask(changed("user_id", &scene.alice.id)).await,
        403,
        "M_FORBIDDEN",
    );
    refused(
        scene.ask(changed("room_id", "!nowhere:ours.test")).await,
        403,
        "M_FORBIDDEN",
    );
    refused(
        scene.ask(changed("url", "wss://elsewhere.example")).await,
        400,
        "M_INVALID_PARAM",
    );
    refused(scene.ask(changed("member", "x")).await, 400, "M_BAD_JSON");
    let unsigned = scene
        .server
        .anonymous()
        .post(PEER_PATH, scene.request("mallory"))
        .await;
    refused(unsigned, 401, "M_UNAUTHORIZED");
}

#[tokio::test]
async fn who_is_kicked_is_put_out_wherever_they_are_from() {
    let scene = Scene::start().await;
    let jwt = scene.sfu_get("good").await.unwrap().text("/jwt").to_owned();
    scene.sfu.join(&scene.server, &jwt, "PA_far").await;
    let kick = json!({ "user_id": scene.peer.user("mallory") });
    let path = echorift_tests::v3(["rooms", &scene.room_id, "kick"]);
    scene.alice.post(path, kick).await.unwrap();
    until("Mallory is put out", async || {
        scene.sfu.participant(&jwt).await.is_none().then_some(())
    })
    .await;
    refused(scene.sfu_get("good").await, 403, "M_FORBIDDEN");
    let _ = &scene.room;
}

#[tokio::test]
async fn users_get_tokens_for_the_sfus_of_others_from_their_own_server() {
    let scene = Scene::start().await;
    let request = |server: &str| {
        json!({
            "server_name": server, "url": "wss://far.example/sfu", "room_id": scene.room_id,
            "slot_id": "m.call#ROOM", "member": { "id": "0b9c", "claimed_device_id": scene.alice.device_id },
        })
    };
    scene.peer.when("/rtc/livekit/get_token", |_| {
        Reply::Json(200, json!({ "jwt": "a.far.token" }))
    });
    let answer = scene
        .alice
        .post(OWN_PATH, request(scene.peer.name()))
        .await
        .unwrap();
    assert_eq!(answer.text("/jwt"), "a.far.token");
    let heard = &scene.peer.heard("/rtc/livekit/get_token")[0];
    assert_eq!(heard.body.text("/user_id"), scene.alice.id);
    assert_eq!(heard.body.text("/member/id"), "0b9c");
    assert!(heard.body.get("server_name").is_none());
    assert!(heard.authorization.starts_with("X-Matrix"));

    for (status, errcode, seen) in [
        (403, "M_FORBIDDEN", 403),
        (400, "M_INVALID_PARAM", 400),
        (404, "M_NOT_FOUND", 502),
    ] {
        let body = json!({ "errcode": errcode, "error": "no" });
        scene.peer.when("/rtc/livekit/get_token", move |_| {
            Reply::Json(status, body.clone())
        });
        let refusal = scene
            .alice
            .post(OWN_PATH, request(scene.peer.name()))
            .await
            .unwrap_err();
        assert_eq!(refusal.status, seen, "{refusal}");
    }
    scene.peer.when("/rtc/livekit/get_token", |_| {
        Reply::Json(200, json!({ "token": 7 }))
    });
    refused(
        scene.alice.post(OWN_PATH, request(scene.peer.name())).await,
        502,
        "M_UNKNOWN",
    );
    // A server that is not in the room is not asked at all.
    refused(
        scene.alice.post(OWN_PATH, request("other.test")).await,
        403,
        "M_FORBIDDEN",
    );
}

#[tokio::test]
async fn the_operator_decides_with_whom_there_are_calls() {
    let scene = Scene::with(|server| {
        server.set(
            "federation.partner",
            json!([{ "server": "127.*", "calls": false }]),
        )
    })
    .await;
    refused(scene.sfu_get("good").await, 403, "M_FORBIDDEN");
    refused(scene.ask(scene.request("mallory")).await, 403, "M_FORBIDDEN");
    assert!(scene.peer.heard("/openid/userinfo").is_empty());
}
