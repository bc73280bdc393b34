//! The redaction algorithm (rooms § Redactions of each version): what of an event survives, is signed and gives
//! the event its ID.

use ruma::room_version_rules::RedactionRules;

use crate::json::{Json, Object};

/// Strips from the event, in place, everything that its room version does not protect.
pub(crate) fn redact(event: &mut Object, rules: &RedactionRules) {
    let event_type = event
        .get("type")
        .and_then(Json::as_str)
        .unwrap_or_default()
        .to_owned();
    event.retain(|key, _| is_protected_key(key, rules));
    if let Some(Json::Object(content)) = event.get_mut("content") {
        redact_content(&event_type, content, rules);
    }
}

fn is_protected_key(key: &str, rules: &RedactionRules) -> bool {
    match key {
        "event_id" | "type" | "room_id" | "sender" | "state_key" | "content" | "hashes" | "signatures"
        | "depth" | "prev_events" | "auth_events" | "origin_server_ts" => true,
        "origin" | "membership" | "prev_state" => rules.keep_origin_membership_prev_state,
        _ => false,
    }
}

/// Strips from the content of an event of this type what its room version does not protect.
pub(crate) fn redact_content(event_type: &str, content: &mut Object, rules: &RedactionRules) {
    if event_type == "m.room.create" && rules.keep_room_create_content {
        return;
    }
    content.retain(|key, _| is_protected_content_key(event_type, key, rules));
    if event_type == "m.room.member" {
        keep_only_signed_of_third_party_invite(content);
    }
}

fn is_protected_content_key(event_type: &str, key: &str, rules: &RedactionRules) -> bool {
    match (event_type, key) {
        ("m.room.member", "membership")
        | ("m.room.create", "creator")
        | ("m.room.join_rules", "join_rule")
        | ("m.room.history_visibility", "history_visibility")
        | (
            "m.room.power_levels",
            "ban" | "events" | "events_default" | "kick" | "redact" | "state_default" | "users"
            | "users_default",
        ) => true,
        ("m.room.member", "join_authorised_via_users_server") => {
            rules.keep_room_member_join_authorised_via_users_server
        }
        ("m.room.member", "third_party_invite") => rules.keep_room_member_third_party_invite_signed,
        ("m.room.join_rules", "allow") => rules.keep_room_join_rules_allow,
        ("m.room.power_levels", "invite") => rules.keep_room_power_levels_invite,
        ("m.room.aliases", "aliases") => rules.keep_room_aliases_aliases,
        ("m.room.redaction", "redacts") => rules.keep_room_redaction_redacts,
        _ => false,
    }
}

/// Of `third_party_invite` only the key `signed` is protected; anything that is not an object holds no such key.
fn keep_only_signed_of_third_party_invite(content: &mut Object) {
    match content.get_mut("third_party_invite") {
        Some(Json::Object(invite)) => invite.retain(|key, _| key == "signed"),
        Some(_) => {
            content.remove("third_party_invite");
        }
        None => {}
    }
}

#[cfg(test)]
mod tests;
