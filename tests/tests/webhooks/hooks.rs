use echorift_tests::{Look as _, User, path};
use serde_json::{Value, json};

/// `/_echorift/v1/rooms/{room}/hooks/…`.
pub(crate) fn hooks(room: &str, parts: &[&str]) -> String {
    let all: Vec<&str> = ["rooms", room, "hooks"]
        .into_iter()
        .chain(parts.iter().copied())
        .collect();
    path("/_echorift/v1", &all)
}

/// A hook as it was shown when it was made.
pub(crate) struct MadeHook {
    pub(crate) id: String,
    pub(crate) user_id: String,
    pub(crate) shown: Value,
}

impl MadeHook {
    /// What of the address stands behind the server's.
    pub(crate) fn path(&self) -> &str {
        let address = self.shown.text("/post_url");
        let start = address.find("/_echorift/").expect("an address of this server");
        &address[start..]
    }

    pub(crate) fn key(&self) -> &str {
        self.shown.text("/signing_key")
    }
}

/// Makes a hook; `more` is added to what describes it.
pub(crate) async fn make(user: &User, room: &str, direction: &str, more: Value) -> MadeHook {
    let mut body = json!({ "direction": direction, "name": "Build" });
    for (key, value) in more.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    let shown = user.post(hooks(room, &[]), body).await.unwrap();
    MadeHook {
        id: shown.text("/id").to_owned(),
        user_id: shown.text("/user_id").to_owned(),
        shown,
    }
}

/// The newest event of a room, as this member sees it.
pub(crate) async fn newest(user: &User, room: &str) -> Value {
    user.newest(room, 1).await["chunk"][0].clone()
}
