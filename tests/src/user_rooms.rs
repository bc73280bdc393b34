use serde_json::{Value, json};

use crate::{Answer, Look as _, Refusal, User, fresh, query_json, v1, v3};

/// What people do with rooms.
impl User {
    /// `POST /createRoom`; the room id.
    pub async fn create_room(&self, request: Value) -> Result<String, Refusal> {
        let answer = self.post(v3(["createRoom"]), request).await?;
        Ok(answer.text("/room_id").to_owned())
    }

    /// A private room that these people have joined.
    pub async fn create_room_with(&self, others: &[&User]) -> String {
        let invite: Vec<&str> = others.iter().map(|other| other.id.as_str()).collect();
        let request = json!({ "preset": "private_chat", "invite": invite });
        let room = self.create_room(request).await.expect("a room can be made");
        for other in others {
            other.join(&room).await.expect("who is invited may join");
        }
        room
    }

    /// A room that anybody may join and whose history every member may read.
    pub async fn create_public_room(&self) -> String {
        self.create_room(json!({ "preset": "public_chat" }))
            .await
            .expect("a room can be made")
    }

    /// Joins by id or alias.
    pub async fn join(&self, room: &str) -> Answer {
        self.post(v3(["join", room]), json!({})).await
    }

    pub async fn leave(&self, room: &str) -> Answer {
        self.post(v3(["rooms", room, "leave"]), json!({})).await
    }

    pub async fn forget(&self, room: &str) -> Answer {
        self.post(v3(["rooms", room, "forget"]), json!({})).await
    }

    pub async fn knock(&self, room: &str) -> Answer {
        self.post(v3(["knock", room]), json!({ "reason": "let me in" }))
            .await
    }

    pub async fn invite(&self, room: &str, whom: &User) -> Answer {
        self.act_on(room, "invite", whom).await
    }

    pub async fn kick(&self, room: &str, whom: &User) -> Answer {
        self.act_on(room, "kick", whom).await
    }

    pub async fn ban(&self, room: &str, whom: &User) -> Answer {
        self.act_on(room, "ban", whom).await
    }

    pub async fn unban(&self, room: &str, whom: &User) -> Answer {
        self.act_on(room, "unban", whom).await
    }

    async fn act_on(&self, room: &str, act: &str, whom: &User) -> Answer {
        self.post(v3(["rooms", room, act]), json!({ "user_id": whom.id }))
            .await
    }

    /// The content of a state event.
    pub async fn state(&self, room: &str, kind: &str, state_key: &str) -> Answer {
        self.get(v3(["rooms", room, "state", kind, state_key])).await
    }

    /// Sets a state event; its id.
    pub async fn set_state(
        &self,
        room: &str,
        kind: &str,
        state_key: &str,
        content: Value,
    ) -> Result<String, Refusal> {
        let answer = self
            .put(v3(["rooms", room, "state", kind, state_key]), content)
            .await?;
        Ok(answer.text("/event_id").to_owned())
    }

    /// Changes some keys of a state event's content and keeps the others.
    pub async fn change_state(&self, room: &str, kind: &str, changes: Value) -> Result<String, Refusal> {
        let mut content = self.state(room, kind, "").await?;
        for (key, value) in changes.as_object().into_iter().flatten() {
            content[key] = value.clone();
        }
        self.set_state(room, kind, "", content).await
    }

    /// This user's membership in the room's current state, as `viewer` sees it.
    pub async fn membership_seen_by(&self, viewer: &User, room: &str) -> String {
        let member = viewer
            .state(room, "m.room.member", &self.id)
            .await
            .expect("a member event");
        member.text("/membership").to_owned()
    }

    /// `GET /rooms/{room}/messages`; `query` as `dir=b&limit=10`.
    pub async fn messages(&self, room: &str, query: &str) -> Answer {
        self.get(format!("{}?{query}", v3(["rooms", room, "messages"])))
            .await
    }

    /// The newest messages, newest first.
    pub async fn newest(&self, room: &str, limit: usize) -> Value {
        self.messages(room, &format!("dir=b&limit={limit}"))
            .await
            .expect("the timeline can be read")
    }

    /// Everything that this user may read of the room, oldest first, by pages of `limit`.
    pub async fn whole_timeline(&self, room: &str, limit: usize) -> Vec<Value> {
        let mut events = Vec::new();
        let mut from = String::new();
        loop {
            let start = if from.is_empty() {
                String::new()
            } else {
                format!("&from={}", query_text(&from))
            };
            let page = self
                .messages(room, &format!("dir=f&limit={limit}{start}"))
                .await
                .expect("a page");
            events.extend(page.events("/chunk"));
            match page["end"].as_str() {
                Some(end) if end != from => from = end.to_owned(),
                _ => return events,
            }
        }
    }

    pub async fn event(&self, room: &str, event_id: &str) -> Answer {
        self.get(v3(["rooms", room, "event", event_id])).await
    }

    /// `GET /rooms/{room}/relations/{event}` with all its events, newest first.
    pub async fn relations(&self, room: &str, event_id: &str) -> Answer {
        self.get(v1(["rooms", room, "relations", event_id])).await
    }

    pub async fn type_for(&self, room: &str, timeout_ms: u64) -> Answer {
        let body = json!({ "typing": true, "timeout": timeout_ms });
        self.put(v3(["rooms", room, "typing", &self.id]), body).await
    }

    /// A message in the thread below `root`.
    pub async fn send_in_thread(&self, room: &str, root: &str, body: &str) -> Result<String, Refusal> {
        let content = json!({
            "msgtype": "m.text", "body": body,
            "m.relates_to": { "rel_type": "m.thread", "event_id": root },
        });
        self.send_event(room, "m.room.message", content).await
    }

    pub async fn edit(&self, room: &str, event_id: &str, body: &str) -> Result<String, Refusal> {
        let content = json!({
            "msgtype": "m.text", "body": format!("* {body}"),
            "m.new_content": { "msgtype": "m.text", "body": body },
            "m.relates_to": { "rel_type": "m.replace", "event_id": event_id },
        });
        self.send_event(room, "m.room.message", content).await
    }

    pub async fn react(&self, room: &str, event_id: &str, key: &str) -> Result<String, Refusal> {
        let relation = json!({ "rel_type": "m.annotation", "event_id": event_id, "key": key });
        self.send_event(room, "m.reaction", json!({ "m.relates_to": relation }))
            .await
    }

    /// An alias of this server that nobody has.
    pub fn fresh_alias(&self, word: &str) -> String {
        format!("#{}:{}", fresh(word), self.server.name())
    }

    /// A filter as a query parameter of `/messages` and the like.
    pub fn filter_query(filter: &Value) -> String {
        format!("filter={}", query_json(filter))
    }
}

fn query_text(text: &str) -> String {
    crate::json::percent_encode(text)
}
