//! Every client endpoint of this server, as a table to be gone over.

/// One endpoint.
pub(crate) struct Endpoint {
    pub(crate) method: &'static str,
    /// With `{room}`, `{event}`, `{user}`, `{device}`, `{alias}`, `{filter}` to be filled in; no prefix means v3.
    pub(crate) path: &'static str,
    pub(crate) needs_token: bool,
    /// A JSON object that is wrong in the type of a field; `None` if the endpoint reads no body.
    pub(crate) wrong: Option<&'static str>,
}

const fn open(method: &'static str, path: &'static str, wrong: Option<&'static str>) -> Endpoint {
    Endpoint {
        method,
        path,
        needs_token: false,
        wrong,
    }
}

const fn get(path: &'static str) -> Endpoint {
    Endpoint {
        method: "GET",
        path,
        needs_token: true,
        wrong: None,
    }
}

const fn bodiless(method: &'static str, path: &'static str) -> Endpoint {
    Endpoint {
        method,
        path,
        needs_token: true,
        wrong: None,
    }
}

const fn takes(method: &'static str, path: &'static str, wrong: &'static str) -> Endpoint {
    Endpoint {
        method,
        path,
        needs_token: true,
        wrong: Some(wrong),
    }
}

/// Endpoints whose body may be any JSON object: only another kind of JSON is wrong.
const NO_OBJECT: &str = "[]";

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    // Coming in.
    open("GET", "login", None),
    open("POST", "login", Some(r#"{"type": 7}"#)),
    takes("POST", "/v1/login/get_token", r#"{"auth": 7}"#),
    open("POST", "refresh", Some(r#"{"refresh_token": 7}"#)),
    open("POST", "register", Some(r#"{"username": 7}"#)),
    bodiless("POST", "logout"),
    bodiless("POST", "logout/all"),
    get("account/whoami"),
    get("capabilities"),
    get("devices"),
    get("devices/{device}"),
    takes("PUT", "devices/{device}", r#"{"display_name": 7}"#),
    takes("DELETE", "devices/{device}", r#"{"auth": 7}"#),
    takes("POST", "delete_devices", r#"{"devices": 7}"#),
    takes("POST", "account/password", r#"{"new_password": 7}"#),
    takes("POST", "account/deactivate", r#"{"erase": 7}"#),
    get("account/3pid"),
    takes("POST", "account/3pid/delete", r#"{"medium": 7}"#),
    takes("POST", "account/3pid/unbind", r#"{"medium": 7}"#),
    takes("POST", "account/3pid/add", r#"{"sid": 7}"#),
    // Where people want to hear of things.
    get("pushers"),
    takes(
        "POST",
        "pushers/set",
        r#"{"app_id": 7, "pushkey": "k", "kind": null}"#,
    ),
    get("notifications"),
    get("admin/whois/{user}"),
    // What people keep.
    takes("PUT", "profile/{user}/displayname", NO_OBJECT),
    bodiless("DELETE", "profile/{user}/displayname"),
    get("user/{user}/account_data/org.example.x"),
    takes("PUT", "user/{user}/account_data/org.example.x", NO_OBJECT),
    get("user/{user}/rooms/{room}/account_data/org.example.x"),
    takes(
        "PUT",
        "user/{user}/rooms/{room}/account_data/org.example.x",
        NO_OBJECT,
    ),
    get("user/{user}/rooms/{room}/tags"),
    takes("PUT", "user/{user}/rooms/{room}/tags/u.x", r#"{"order": []}"#),
    bodiless("DELETE", "user/{user}/rooms/{room}/tags/u.x"),
    takes("POST", "user/{user}/filter", r#"{"room": 7}"#),
    get("user/{user}/filter/{filter}"),
    // Its body is reserved for later and not looked at.
    bodiless("POST", "user/{user}/openid/request_token"),
    // Rooms and who is in them.
    takes("POST", "createRoom", r#"{"invite": 7}"#),
    takes("POST", "join/{room}", r#"{"reason": 7}"#),
    takes("POST", "knock/{room}", r#"{"reason": 7}"#),
    get("joined_rooms"),
    takes("POST", "rooms/{room}/invite", r#"{"user_id": 7}"#),
    takes("POST", "rooms/{room}/join", r#"{"reason": 7}"#),
    takes("POST", "rooms/{room}/leave", r#"{"reason": 7}"#),
    bodiless("POST", "rooms/{room}/forget"),
    takes("POST", "rooms/{room}/kick", r#"{"user_id": 7}"#),
    takes("POST", "rooms/{room}/ban", r#"{"user_id": 7}"#),
    takes("POST", "rooms/{room}/unban", r#"{"user_id": 7}"#),
    takes("POST", "rooms/{room}/upgrade", r#"{"new_version": 7}"#),
    takes("POST", "rooms/{room}/report", r#"{"reason": 7}"#),
    takes("POST", "rooms/{room}/report/{event}", r#"{"reason": 7}"#),
    takes("POST", "users/{user}/report", r#"{"reason": 7}"#),
    get("rooms/{room}/members"),
    get("rooms/{room}/joined_members"),
    // Finding them.
    takes("PUT", "directory/room/{alias}", r#"{"room_id": 7}"#),
    bodiless("DELETE", "directory/room/{alias}"),
    get("rooms/{room}/aliases"),
    takes("PUT", "directory/list/room/{room}", r#"{"visibility": 7}"#),
    get("publicRooms"),
    takes("POST", "publicRooms", r#"{"limit": "many"}"#),
    get("/v1/rooms/{room}/hierarchy"),
    // Talking.
    takes("PUT", "rooms/{room}/send/m.room.message/txn", NO_OBJECT),
    takes("PUT", "rooms/{room}/redact/{event}/txn", r#"{"reason": 7}"#),
    takes("PUT", "rooms/{room}/state/org.example.x/key", NO_OBJECT),
    takes("PUT", "rooms/{room}/state/org.example.x", NO_OBJECT),
    get("rooms/{room}/state"),
    get("rooms/{room}/state/m.room.create"),
    get("rooms/{room}/state/m.room.member/{user}"),
    takes("PUT", "rooms/{room}/typing/{user}", r#"{"typing": 7}"#),
    takes("POST", "rooms/{room}/receipt/m.read/{event}", NO_OBJECT),
    takes("POST", "rooms/{room}/read_markers", r#"{"m.read": 7}"#),
    takes("PUT", "presence/{user}/status", r#"{"presence": 7}"#),
    get("presence/{user}/status"),
    // Reading.
    get("sync"),
    takes("POST", "/v4/sync", r#"{"lists": 7}"#),
    takes(
        "POST",
        "/unstable/org.matrix.simplified_msc3575/sync",
        r#"{"room_subscriptions": 7}"#,
    ),
    get("/unstable/io.element.msc4306/rooms/{room}/thread/{event}/subscription"),
    takes(
        "PUT",
        "/unstable/io.element.msc4306/rooms/{room}/thread/{event}/subscription",
        r#"{"automatic": 7}"#,
    ),
    bodiless(
        "DELETE",
        "/unstable/io.element.msc4306/rooms/{room}/thread/{event}/subscription",
    ),
    get("/unstable/io.element.msc4308/thread_subscriptions?dir=b"),
    get("rooms/{room}/messages?dir=b"),
    get("rooms/{room}/event/{event}"),
    get("rooms/{room}/context/{event}"),
    get("/v1/rooms/{room}/relations/{event}"),
    get("/v1/rooms/{room}/relations/{event}/m.thread"),
    get("/v1/rooms/{room}/relations/{event}/m.thread/m.room.message"),
    get("/v1/rooms/{room}/threads"),
    get("/v1/rooms/{room}/timestamp_to_event?ts=0&dir=f"),
    get("/v1/mutual_rooms?user_id={user}"),
    // Media.
    get("/v1/media/config"),
    get("/v1/media/download/test.example/nothing"),
    get("/v1/media/download/test.example/nothing/name"),
    get("/v1/media/thumbnail/test.example/nothing?width=32&height=32"),
    get("/v1/media/preview_url?url=http://127.0.0.1/"),
    // What was there before `/sync`, and what is not there yet.
    get("events"),
    get("events/{event}"),
    get("initialSync"),
    get("rooms/{room}/initialSync"),
    get("voip/turnServer"),
    get("thirdparty/protocols"),
    get("thirdparty/protocol/irc"),
    takes("POST", "/v1/appservice/bridge/ping", r#"{"transaction_id": 7}"#),
    takes(
        "PUT",
        "directory/list/appservice/network/{room}",
        r#"{"visibility": 7}"#,
    ),
    // Encryption.
    takes("POST", "keys/upload", r#"{"one_time_keys": 7}"#),
    takes("POST", "keys/query", r#"{"device_keys": 7}"#),
    takes("POST", "keys/claim", r#"{"one_time_keys": 7}"#),
    get("keys/changes?from=s1.1&to=s1.1"),
    takes("POST", "keys/device_signing/upload", r#"{"auth": 7}"#),
    takes(
        "POST",
        "keys/signatures/upload",
        r#"{"@somebody:test.example": 7}"#,
    ),
    takes("PUT", "sendToDevice/m.test/txn", r#"{"messages": 7}"#),
    get("room_keys/version"),
    takes("POST", "room_keys/version", r#"{"algorithm": 7}"#),
    get("room_keys/version/1"),
    takes("PUT", "room_keys/version/1", r#"{"algorithm": 7}"#),
    bodiless("DELETE", "room_keys/version/1"),
    get("room_keys/keys?version=1"),
    get("room_keys/keys/{room}?version=1"),
    get("room_keys/keys/{room}/session?version=1"),
    takes("PUT", "room_keys/keys?version=1", r#"{"rooms": 7}"#),
    takes("PUT", "room_keys/keys/{room}?version=1", r#"{"sessions": 7}"#),
    takes(
        "PUT",
        "room_keys/keys/{room}/session?version=1",
        r#"{"first_message_index": "none"}"#,
    ),
    bodiless("DELETE", "room_keys/keys?version=1"),
    bodiless("DELETE", "room_keys/keys/{room}?version=1"),
    bodiless("DELETE", "room_keys/keys/{room}/session?version=1"),
    get("/unstable/org.matrix.msc3814.v1/dehydrated_device"),
    takes(
        "PUT",
        "/unstable/org.matrix.msc3814.v1/dehydrated_device",
        r#"{"device_id": 7}"#,
    ),
    bodiless("DELETE", "/unstable/org.matrix.msc3814.v1/dehydrated_device"),
    get("/unstable/org.matrix.msc3814.v1/dehydrated_device/DEVICE/events"),
    takes(
        "POST",
        "/unstable/org.matrix.msc3814.v1/dehydrated_device/DEVICE/events",
        r#"{"next_batch": 7}"#,
    ),
    // Finding.
    takes("POST", "search", r#"{"search_categories": 7}"#),
    takes("POST", "user_directory/search", r#"{"search_term": 7}"#),
];
