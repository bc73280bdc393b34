use ruma::OwnedUserId;
use serde_json::{Map, Value, json};

use super::{attachments, blocks, mrkdwn, rich::Rich};

/// How many bytes of text one message may have, as Slack counts its letters. An event takes 64 KiB, with the text twice.
const TEXT_BYTES_MAX: usize = 40_000;
/// How many blocks and attachments are looked at; Slack takes half of the former and the same of the latter.
pub(super) const PARTS_MAX: usize = 100;
const PROFILE_NAME_BYTES_MAX: usize = 200;

/// Why a payload is no message.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NoMessage {
    #[error("the payload is not a JSON object")]
    NoObject,
    #[error("the message has no text")]
    Empty,
    #[error("the message has more than {TEXT_BYTES_MAX} bytes of text")]
    TooLong,
}

/// The name under which one message is shown, where the hook allows that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) name: String,
}

/// A message before it is an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Composed {
    text: Rich,
    mentions: Vec<OwnedUserId>,
    /// What the payload would like to be called.
    pub(crate) wanted: Option<Profile>,
}

/// Reads a payload. `icon_emoji`, `icon_url`, `channel` and the like are passed over: the hook's account has its own.
pub(crate) fn compose(payload: &Value) -> Result<Composed, NoMessage> {
    let payload = payload.as_object().ok_or(NoMessage::NoObject)?;
    let mut writer = Writer::default();
    let mut text = Rich::default();
    for block in list(payload, "blocks") {
        let block = blocks::read(block, &mut writer)?;
        join(&mut text, &block);
    }
    // Beside blocks the text is for notifications only.
    if text.is_empty() {
        let is_plain = payload.get("mrkdwn") == Some(&Value::Bool(false));
        if let Some(written) = text_in(payload, "text") {
            text = if is_plain {
                writer.plain(written)?
            } else {
                writer.marked(written)?
            };
        }
    }
    for attachment in list(payload, "attachments") {
        let attachment = attachments::read(attachment, &mut writer)?;
        join(&mut text, &attachment);
    }
    if text.plain.trim().is_empty() {
        return Err(NoMessage::Empty);
    }
    text.plain.truncate(text.plain.trim_end().len());
    let name = text_in(payload, "username").filter(|name| name.len() <= PROFILE_NAME_BYTES_MAX);
    Ok(Composed {
        text,
        mentions: writer.mentions,
        wanted: name.map(|name| Profile {
            name: name.trim().to_owned(),
        }),
    })
}

impl Composed {
    pub(crate) fn plain(text: &str) -> Result<Self, NoMessage> {
        compose(&json!({ "text": text, "mrkdwn": false }))
    }

    /// The content of the message (CS API § `m.text`), under a name of its own if there is one (MSC4144). Nobody is mentioned but who
    /// is named by their ID: a text from outside wakes no whole room.
    pub(crate) fn content(&self, profile: Option<&Profile>) -> Map<String, Value> {
        let mut text = self.text.clone();
        let mut content = Map::new();
        if let Some(profile) = profile {
            // For clients that show the account's name only.
            let mut named = Rich {
                plain: format!("{}: ", profile.name),
                html: "<strong data-mx-profile-fallback>".to_owned(),
            };
            super::rich::escape(&profile.name, &mut named.html);
            named.html.push_str(": </strong>");
            named.push(&text);
            text = named;
            let described = json!({ "id": profile.name, "displayname": profile.name, "has_fallback": true });
            content.insert("com.beeper.per_message_profile".to_owned(), described);
        }
        let escaped = Rich::text(&text.plain).html;
        content.insert("msgtype".to_owned(), json!("m.text"));
        content.insert("body".to_owned(), json!(text.plain));
        if text.html != escaped {
            content.insert("format".to_owned(), json!("org.matrix.custom.html"));
            content.insert("formatted_body".to_owned(), json!(text.html));
        }
        let mentions = match self.mentions.is_empty() {
            true => json!({}),
            false => json!({ "user_ids": self.mentions }),
        };
        content.insert("m.mentions".to_owned(), mentions);
        content
    }
}

/// Reads texts and counts what they take.
#[derive(Debug, Default)]
pub(super) struct Writer {
    bytes: usize,
    mentions: Vec<OwnedUserId>,
}

impl Writer {
    pub(super) fn marked(&mut self, text: &str) -> Result<Rich, NoMessage> {
        self.count(text)?;
        Ok(mrkdwn::read(text, &mut self.mentions))
    }

    pub(super) fn marked_line(&mut self, text: &str) -> Result<Rich, NoMessage> {
        self.count(text)?;
        Ok(mrkdwn::read_inline(text, &mut self.mentions))
    }

    pub(super) fn plain(&mut self, text: &str) -> Result<Rich, NoMessage> {
        self.count(text)?;
        Ok(Rich::text(text))
    }

    pub(super) fn mention(&mut self, user: OwnedUserId) {
        self.mentions.push(user);
    }

    fn count(&mut self, text: &str) -> Result<(), NoMessage> {
        self.bytes = self.bytes.saturating_add(text.len());
        if self.bytes > TEXT_BYTES_MAX {
            return Err(NoMessage::TooLong);
        }
        Ok(())
    }
}

/// Adds a part in lines of its own.
fn join(text: &mut Rich, part: &Rich) {
    if part.is_empty() {
        return;
    }
    let is_inline = |html: &str, at: fn(&str, &str) -> bool, ends: &[&str]| {
        !html.is_empty() && !ends.iter().any(|end| at(html, end))
    };
    let ends = [
        "</p>",
        "</blockquote>",
        "</pre>",
        "</ul>",
        "</ol>",
        "<hr>",
        "</h4>",
    ];
    let begins = ["<p>", "<blockquote>", "<pre>", "<ul>", "<ol>", "<hr>", "<h4>"];
    if is_inline(&text.html, |html, end| html.ends_with(end), &ends)
        && is_inline(&part.html, |html, begin| html.starts_with(begin), &begins)
    {
        text.html.push_str("<br>");
    }
    text.push_block(part);
}

pub(super) fn text_in<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    object
        .get(key)
        .and_then(Value::as_str)
        .filter(|text| !text.trim().is_empty())
}

pub(super) fn list<'a>(
    object: &'a Map<String, Value>,
    key: &str,
) -> impl Iterator<Item = &'a Map<String, Value>> + use<'a> {
    let items = object.get(key).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_object).take(PARTS_MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn content(payload: &Value) -> Value {
        Value::Object(compose(payload).unwrap().content(None))
    }

    #[test]
    fn a_text_is_a_message() {
        let expected = json!({ "msgtype": "m.text", "body": "It works.", "m.mentions": {} });
        assert_eq!(content(&json!({ "text": "It works." })), expected);
        let marked = content(&json!({ "text": "*It* works." }));
        assert_eq!(marked["formatted_body"], "<strong>It</strong> works.");
        let plain = content(&json!({ "text": "*It* works.", "mrkdwn": false }));
        assert_eq!(
            (&plain["body"], plain.get("format")),
            (&json!("*It* works."), None)
        );
    }

    #[test]
    fn an_attachment_shows_title_fields_and_colour() {
        let payload = json!({ "text": "Build", "attachments": [{
            "color": "danger", "pretext": "On main", "title": "Build 7", "title_link": "https://ci.example/7",
            "text": "It *failed*.", "footer": "CI",
            "fields": [{ "title": "Branch", "value": "main", "short": true }, { "title": "Took", "value": 7 }],
        }] });
        let content = content(&payload);
        assert_eq!(
            content["formatted_body"],
            "Build<p>On main</p><blockquote><span data-mx-color=\"#a30200\">▌</span> \
             <strong><a href=\"https://ci.example/7\">Build 7</a></strong><br>It <strong>failed</strong>.\
             <ul><li><strong>Branch:</strong> main</li><li><strong>Took:</strong> 7</li></ul><em>CI</em></blockquote>"
        );
        assert_eq!(
            content["body"],
            "Build\nOn main\nBuild 7 (https://ci.example/7)\nIt failed.\n• Branch: main\n• Took: 7\nCI"
        );
    }

    #[test]
    fn blocks_take_the_place_of_the_text() {
        let payload = json!({ "text": "for notifications", "blocks": [
            { "type": "header", "text": { "type": "plain_text", "text": "*Deploy*" } },
            { "type": "section", "text": { "type": "mrkdwn", "text": "*v2* is <https://x.example|live>" },
              "fields": [{ "type": "mrkdwn", "text": "*Env*\nprod" }] },
            { "type": "divider" },
            { "type": "context", "elements": [{ "type": "mrkdwn", "text": "by _alice_" }] },
            { "type": "actions", "elements": [] },
        ] });
        let content = content(&payload);
        assert_eq!(
            content["formatted_body"],
            "<h4>*Deploy*</h4><strong>v2</strong> is <a href=\"https://x.example\">live</a>\
             <ul><li><strong>Env</strong><br>prod</li></ul><hr><em>by <em>alice</em></em>"
        );
        assert_eq!(
            content["body"],
            "*Deploy*\nv2 is live (https://x.example)\n• Env\nprod\n———\nby alice"
        );
    }

    #[test]
    fn rich_text_is_read_element_by_element() {
        let payload = json!({ "blocks": [{ "type": "rich_text", "elements": [
            { "type": "rich_text_section", "elements": [
                { "type": "text", "text": "Hi ", "style": { "bold": true } },
                { "type": "link", "url": "https://x.example", "text": "there" },
                { "type": "emoji", "name": "wave", "unicode": "1f44b" } ] },
            { "type": "rich_text_list", "style": "ordered", "elements": [
                { "type": "rich_text_section", "elements": [{ "type": "text", "text": "one" }] } ] },
            { "type": "rich_text_preformatted", "elements": [{ "type": "text", "text": "a < b" }] },
        ] }] });
        assert_eq!(
            content(&payload)["formatted_body"],
            "<strong>Hi </strong><a href=\"https://x.example\">there</a>👋<ol><li>one</li></ol>\
             <pre><code>a &lt; b</code></pre>"
        );
    }

    #[test]
    fn a_name_of_its_own_has_a_fallback() {
        let composed =
            compose(&json!({ "text": "up", "username": "<Monitor>", "icon_emoji": ":x:" })).unwrap();
        let content = composed.content(composed.wanted.as_ref());
        assert_eq!(content["body"], "<Monitor>: up");
        assert_eq!(
            content["formatted_body"],
            "<strong data-mx-profile-fallback>&lt;Monitor&gt;: </strong>up"
        );
        assert_eq!(
            content["com.beeper.per_message_profile"]["displayname"],
            "<Monitor>"
        );
    }

    #[test]
    fn nothing_and_too_much_are_refused() {
        assert_eq!(compose(&json!([])), Err(NoMessage::NoObject));
        for empty in [
            json!({}),
            json!({ "text": " \n" }),
            json!({ "text": 7 }),
            json!({ "blocks": [7], "attachments": {} }),
        ] {
            assert_eq!(compose(&empty), Err(NoMessage::Empty), "{empty}");
        }
        let long = "x".repeat(TEXT_BYTES_MAX);
        assert!(compose(&json!({ "text": long })).is_ok());
        let more = json!({ "text": long, "attachments": [{ "text": "y" }] });
        assert_eq!(compose(&more), Err(NoMessage::TooLong));
    }
}
