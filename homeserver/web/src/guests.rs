use http::Method;

/// What guests may use (CS API § Guest access), without `/_matrix/client/` and the version. A star stands for one part
/// of the path.
const OPEN_TO_GUESTS: [(Method, &str); 40] = [
    // Events and media.
    (Method::GET, "rooms/*/state"),
    (Method::GET, "rooms/*/context/*"),
    (Method::GET, "rooms/*/event/*"),
    (Method::GET, "rooms/*/state/*"),
    (Method::GET, "rooms/*/state/*/*"),
    (Method::GET, "rooms/*/messages"),
    (Method::GET, "rooms/*/members"),
    (Method::GET, "rooms/*/initialSync"),
    (Method::GET, "sync"),
    (Method::GET, "events"),
    (Method::GET, "media/download/*/*"),
    (Method::GET, "media/download/*/*/*"),
    (Method::GET, "media/thumbnail/*/*"),
    // Sending.
    (Method::POST, "rooms/*/join"),
    // Not listed, and what clients use: where a guest may go is the room's to say, by whatever path.
    (Method::POST, "join/*"),
    (Method::POST, "rooms/*/leave"),
    (Method::PUT, "rooms/*/send/*/*"),
    (Method::PUT, "rooms/*/state/*"),
    (Method::PUT, "rooms/*/state/*/*"),
    (Method::PUT, "sendToDevice/*/*"),
    // Sending later (MSC4140 § Guest accounts), so that guests can take part in calls.
    (Method::PUT, "rooms/*/delayed_event/*/*"),
    (Method::GET, "delayed_events"),
    (Method::GET, "delayed_events/*"),
    (Method::POST, "delayed_events/*/*"),
    (Method::PUT, "org.matrix.msc4140/rooms/*/delayed_event/*/*"),
    (Method::GET, "org.matrix.msc4140/delayed_events"),
    (Method::GET, "org.matrix.msc4140/delayed_events/*"),
    (Method::POST, "org.matrix.msc4140/delayed_events/*"),
    (Method::POST, "org.matrix.msc4140/delayed_events/*/*"),
    // Their own account: of the profile no more than the name.
    (Method::PUT, "profile/*/displayname"),
    (Method::DELETE, "profile/*/displayname"),
    (Method::GET, "devices"),
    (Method::GET, "devices/*"),
    (Method::PUT, "devices/*"),
    (Method::GET, "account/whoami"),
    // Encryption.
    (Method::POST, "keys/upload"),
    (Method::POST, "keys/query"),
    (Method::POST, "keys/claim"),
    // Clients look there before anything else, with a token as well.
    (Method::GET, "versions"),
    // Not listed, and nothing but the end of the guest.
    (Method::POST, "logout"),
];

/// Whether a guest may make this request. The path is as it was sent: routes match it so, too.
pub(crate) fn is_open_to_guests(method: &Method, path: &str) -> bool {
    let Some(versioned) = path.strip_prefix("/_matrix/client/") else {
        return false;
    };
    // `versions` alone has no version.
    let path = versioned.split_once('/').map_or(versioned, |(_, rest)| rest);
    let method = if *method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    OPEN_TO_GUESTS
        .iter()
        .any(|(open, pattern)| open == method && fits(pattern, path))
}

fn fits(pattern: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    pattern
        .split('/')
        .all(|wanted| parts.next().is_some_and(|part| wanted == "*" || wanted == part))
        && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_reach_what_the_specification_lists_and_nothing_else() {
        for (method, path) in [
            (Method::GET, "/_matrix/client/v3/sync"),
            (Method::GET, "/_matrix/client/r0/rooms/!a:x/state/m.room.name/"),
            (Method::GET, "/_matrix/client/v1/media/download/x/y/z.png"),
            (Method::PUT, "/_matrix/client/v3/rooms/!a:x/send/m.room.message/1"),
            (Method::PUT, "/_matrix/client/v3/profile/@a:x/displayname"),
            (Method::POST, "/_matrix/client/v1/delayed_events/x/restart"),
            (
                Method::POST,
                "/_matrix/client/unstable/org.matrix.msc4140/delayed_events/x",
            ),
        ] {
            assert!(is_open_to_guests(&method, path), "{method} {path}");
        }
        for (method, path) in [
            (Method::POST, "/_matrix/client/v3/sync"),
            (Method::POST, "/_matrix/client/v3/createRoom"),
            (Method::POST, "/_matrix/client/v3/rooms/!a:x/invite"),
            (Method::PUT, "/_matrix/client/v3/profile/@a:x/avatar_url"),
            (Method::GET, "/_matrix/client/v3/devices/A/B"),
            (Method::DELETE, "/_matrix/client/v3/devices/A"),
            (Method::POST, "/_matrix/media/v3/upload"),
            (Method::GET, "/_synapse/admin/v1/register"),
        ] {
            assert!(!is_open_to_guests(&method, path), "{method} {path}");
        }
    }
}
