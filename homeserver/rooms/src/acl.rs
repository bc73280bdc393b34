//! Which servers a room keeps out (`m.room.server_acl`, CS API § Server access control lists).

use std::{collections::HashSet, sync::Arc};

use echorift_storage::StorageError;
use ruma::ServerName;
use serde_json::{Value, value::RawValue};

use crate::{Room, RoomError, Rooms};

/// How many rooms' lists are kept in their compiled form; most rooms have none.
pub(crate) const CACHED_ACLS: usize = 1_000;

/// A room's list in the form that servers are held against.
#[derive(Debug, Default)]
pub(crate) struct ServerAcl {
    denies_ip_literals: bool,
    allow: HostPatterns,
    deny: HostPatterns,
}

impl ServerAcl {
    /// Reads an event's content. What is not of its type counts as missing: a list that allows nobody keeps all out.
    fn new(content: &Value) -> Self {
        Self {
            denies_ip_literals: content.get("allow_ip_literals") == Some(&Value::Bool(false)),
            allow: HostPatterns::new(content.get("allow")),
            deny: HostPatterns::new(content.get("deny")),
        }
    }

    /// Whether the list keeps this server out, whatever its port.
    fn denies(&self, server: &ServerName) -> bool {
        let host = server.host().to_ascii_lowercase();
        if self.denies_ip_literals && server.is_ip_literal() {
            return true;
        }
        self.deny.matches(&host) || !self.allow.matches(&host)
    }
}

/// Hosts in lower case, some with wildcards.
#[derive(Debug, Default)]
struct HostPatterns {
    exact: HashSet<String>,
    globs: Vec<String>,
}

impl HostPatterns {
    fn new(list: Option<&Value>) -> Self {
        let mut patterns = Self::default();
        let texts = list.and_then(Value::as_array).into_iter().flatten();
        for pattern in texts.filter_map(Value::as_str) {
            let pattern = pattern.to_lowercase();
            if pattern.contains(['*', '?']) {
                patterns.globs.push(pattern);
            } else {
                patterns.exact.insert(pattern);
            }
        }
        patterns
    }

    fn matches(&self, host: &str) -> bool {
        self.exact.contains(host) || self.globs.iter().any(|glob| glob_matches(glob, host))
    }
}

/// Glob-style matching (appendices § Glob-style matching): `*` is any text, `?` one character, and all of `text` must be
/// covered. Goes back to the last star only, so that no pattern takes longer than the product of both lengths.
fn glob_matches(glob: &str, text: &str) -> bool {
    let (mut glob, mut text) = (glob.chars(), text.chars());
    // What follows the last star, and the text from where that star ends.
    let mut last_star = None;
    loop {
        let before = text.clone();
        match (glob.next(), text.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                text = before;
                last_star = Some((glob.clone(), text.clone()));
            }
            (Some('?'), Some(_)) => {}
            (Some(wanted), Some(found)) if wanted == found => {}
            // The text is at its end, and a star that took more of it would not help.
            (Some(_), None) => return false,
            (_, Some(_)) => {
                let Some((after_star, end)) = last_star.as_mut() else {
                    return false;
                };
                end.next();
                (glob, text) = (after_star.clone(), end.clone());
            }
        }
    }
}

impl Rooms {
    /// Whether the room's current `m.room.server_acl` keeps this server from taking part: its PDUs, EDUs and requests
    /// about the room are to be refused.
    pub async fn is_denied(&self, room: &Room, server: &ServerName) -> Result<bool, StorageError> {
        let view = room.view();
        let Some(event) = self.state_event(&view.state, "m.room.server_acl", "").await? else {
            return Ok(false);
        };
        // A redaction takes the lists away, and with them everybody's permission.
        let key = (event.number, event.redacted_by.is_some());
        let acl = match self.0.acls.get(&key) {
            Some(acl) => acl,
            None => {
                let acl = Arc::new(ServerAcl::new(&event.pdu.content_as().unwrap_or_default()));
                self.0.acls.insert(key, Arc::clone(&acl));
                acl
            }
        };
        Ok(acl.denies(server))
    }

    /// Refuses a list that keeps this server out itself: other servers would take nothing from it any more, not even a
    /// better list. Error: `BadRequest`.
    pub(crate) fn check_keeps_us_in(&self, content: &RawValue) -> Result<(), RoomError> {
        let content: Value = serde_json::from_str(content.get()).unwrap_or_default();
        if ServerAcl::new(&content).denies(self.server_name()) {
            return Err(RoomError::BadRequest(
                "This list would keep out your own server, and nobody of it could act in the room any more."
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;
    use crate::testing::on_both_databases;

    fn denied(content: &Value, server: &str) -> bool {
        ServerAcl::new(content).denies(<&ServerName>::try_from(server).unwrap())
    }

    #[test]
    fn the_example_of_the_specification_is_judged_as_described() {
        let content = json!({
            "allow_ip_literals": false,
            "allow": ["*"],
            "deny": ["*.evil.com", "evil.com"],
        });
        for (server, expected) in [
            ("evil.com", true),
            ("evil.com:8448", true),
            ("evil.com:1234", true),
            ("EVIL.com", true),
            ("a.b.Evil.Com:1", true),
            ("notevil.com", false),
            ("evil.com.example", false),
            ("good.example", false),
            ("1.2.3.4", true),
            ("1.2.3.4:8448", true),
            ("[::1]", true),
            ("[2001:db8::1]:8448", true),
        ] {
            assert_eq!(denied(&content, server), expected, "{server}");
        }
    }

    #[test]
    fn without_a_rule_that_allows_everyone_is_denied() {
        for content in [
            json!({}),
            json!(null),
            json!("nonsense"),
            json!({ "allow": [] }),
            json!({ "allow": "*" }),
            json!({ "allow": [1, null, ["*"]] }),
            json!({ "deny": [] }),
            json!({ "allow": ["other.example"] }),
            json!({ "allow": ["*"], "deny": ["*"] }),
        ] {
            assert!(denied(&content, "one.example"), "{content}");
        }
    }

    #[test]
    fn address_literals_are_allowed_unless_it_says_false() {
        for flag in [json!(null), json!(true), json!("false"), json!(0)] {
            let content = json!({ "allow_ip_literals": flag, "allow": ["*"] });
            assert!(!denied(&content, "10.0.0.1:8448"), "{flag}");
        }
        let listed = json!({ "allow": ["*"], "deny": ["10.0.0.*", "[::1]"] });
        assert!(denied(&listed, "10.0.0.1"));
        assert!(denied(&listed, "[::1]:8448"));
        assert!(!denied(&listed, "10.0.1.1"));
    }

    #[test]
    fn stars_stand_for_any_text_and_question_marks_for_one_character() {
        for (glob, text, expected) in [
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("?", "", false),
            ("?", "ab", false),
            ("a?c", "abc", true),
            ("*.example", "one.example", true),
            ("*.example", "example", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*bc*c", "abc", false),
            ("**a?*", "bab", true),
            ("*a?", "aab", true),
            ("ex?mple.*", "example.org", true),
        ] {
            assert_eq!(glob_matches(glob, text), expected, "{glob} {text}");
        }
        assert!(!glob_matches(
            &"*a".repeat(500),
            &"a".repeat(255).replace('a', "ab")
        ));
    }

    on_both_databases! {
        async fn the_current_list_counts(server: &TestRooms) {
            let alice = server.register("alice").await;
            let room = server.public_room(&alice).await;
            let [evil, good] = ["evil.example:8448", "good.example"].map(|name| <&ServerName>::try_from(name).unwrap());
            assert!(!server.rooms.is_denied(&room, evil).await.unwrap());
            let key = ("m.room.server_acl", "");
            server.set(&room, &alice, key, json!({ "allow": ["*"], "deny": ["evil.example"] })).await.unwrap();
            assert!(server.rooms.is_denied(&room, evil).await.unwrap());
            assert!(!server.rooms.is_denied(&room, good).await.unwrap());
            server.set(&room, &alice, key, json!({ "allow": ["*"] })).await.unwrap();
            assert!(!server.rooms.is_denied(&room, evil).await.unwrap());
        }
    }
}
