//! Blocks of a payload. What one presses or fills in has no place in a message and is passed over.

use ruma::UserId;
use serde_json::{Map, Value};

use super::{
    compose::{NoMessage, Writer, list, text_in},
    mrkdwn,
    rich::{Rich, escape, is_link},
};

pub(super) fn read(block: &Map<String, Value>, writer: &mut Writer) -> Result<Rich, NoMessage> {
    match text_in(block, "type") {
        Some("header") => {
            let mut rich = Rich::default();
            rich.push_in("h4", &text_object(block, "text", writer)?);
            Ok(rich)
        }
        Some("section") => section(block, writer),
        Some("divider") => Ok(Rich {
            plain: "———".to_owned(),
            html: "<hr>".to_owned(),
        }),
        Some("context") => context(block, writer),
        Some("image") => image(block, writer),
        Some("rich_text") => rich_text(block, writer),
        Some("markdown") => match text_in(block, "text") {
            Some(text) => writer.plain(text),
            None => Ok(Rich::default()),
        },
        _ => Ok(Rich::default()),
    }
}

fn section(block: &Map<String, Value>, writer: &mut Writer) -> Result<Rich, NoMessage> {
    let mut rich = text_object(block, "text", writer)?;
    let mut fields = Vec::new();
    for field in list(block, "fields") {
        fields.push(text_of(field, writer)?);
    }
    if !fields.is_empty() {
        rich.push_block(&mrkdwn::list("ul", &fields, |_| "• ".to_owned()));
    }
    Ok(rich)
}

fn context(block: &Map<String, Value>, writer: &mut Writer) -> Result<Rich, NoMessage> {
    let mut inner = Rich::default();
    for element in list(block, "elements") {
        let element = match text_in(element, "alt_text") {
            Some(alternative) => writer.plain(alternative)?,
            None => text_of(element, writer)?,
        };
        if !inner.is_empty() {
            inner.push_text(" ");
        }
        inner.push(&element);
    }
    let mut rich = Rich::default();
    if !inner.is_empty() {
        rich.push_in("em", &inner);
    }
    Ok(rich)
}

/// A link to it: pictures of strangers are not fetched for everybody in the room.
fn image(block: &Map<String, Value>, writer: &mut Writer) -> Result<Rich, NoMessage> {
    let Some(address) = text_in(block, "image_url").filter(|address| is_link(address)) else {
        return Ok(Rich::default());
    };
    let title = block.get("title").and_then(Value::as_object);
    let title = title.and_then(|title| text_in(title, "text"));
    let label = title.or_else(|| text_in(block, "alt_text")).unwrap_or(address);
    let mut rich = Rich::default();
    rich.push_link(address, &writer.plain(label)?);
    Ok(rich)
}

fn text_object(block: &Map<String, Value>, key: &str, writer: &mut Writer) -> Result<Rich, NoMessage> {
    match block.get(key).and_then(Value::as_object) {
        Some(object) => text_of(object, writer),
        None => Ok(Rich::default()),
    }
}

fn text_of(object: &Map<String, Value>, writer: &mut Writer) -> Result<Rich, NoMessage> {
    match (text_in(object, "text"), text_in(object, "type")) {
        (Some(text), Some("mrkdwn")) => writer.marked(text),
        (Some(text), _) => writer.plain(text),
        (None, _) => Ok(Rich::default()),
    }
}

fn rich_text(block: &Map<String, Value>, writer: &mut Writer) -> Result<Rich, NoMessage> {
    let mut rich = Rich::default();
    for element in list(block, "elements") {
        let part = match text_in(element, "type") {
            Some("rich_text_section") => inline(element, writer)?,
            Some("rich_text_list") => {
                let mut items = Vec::new();
                for item in list(element, "elements") {
                    items.push(inline(item, writer)?);
                }
                match text_in(element, "style") {
                    Some("ordered") => mrkdwn::list("ol", &items, |index| format!("{}. ", index + 1)),
                    _ => mrkdwn::list("ul", &items, |_| "• ".to_owned()),
                }
            }
            Some("rich_text_quote") => {
                let mut quote = Rich::default();
                quote.push_in("blockquote", &inline(element, writer)?);
                quote
            }
            Some("rich_text_preformatted") => preformatted(element, writer)?,
            _ => continue,
        };
        rich.push_block(&part);
    }
    Ok(rich)
}

fn preformatted(element: &Map<String, Value>, writer: &mut Writer) -> Result<Rich, NoMessage> {
    let mut text = String::new();
    for part in list(element, "elements") {
        if let Some(written) = text_in(part, "text") {
            writer.plain(written)?;
            text.push_str(written);
        }
    }
    let mut html = String::from("<pre><code>");
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            html.push('\n');
        }
        escape(line, &mut html);
    }
    html.push_str("</code></pre>");
    Ok(Rich { plain: text, html })
}

fn inline(element: &Map<String, Value>, writer: &mut Writer) -> Result<Rich, NoMessage> {
    let mut rich = Rich::default();
    let parts = element
        .get("elements")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    for part in parts.filter_map(Value::as_object) {
        match text_in(part, "type") {
            Some("text") => {
                let text = part.get("text").and_then(Value::as_str).unwrap_or_default();
                rich.push(&styled(writer.plain(text)?, part));
            }
            Some("link") => {
                let Some(address) = text_in(part, "url").filter(|address| is_link(address)) else {
                    continue;
                };
                let label = writer.plain(text_in(part, "text").unwrap_or(address))?;
                rich.push_link(address, &label);
            }
            Some("emoji") => rich.push(&emoji(part, writer)?),
            Some("user") => {
                let user = text_in(part, "user_id").unwrap_or_default();
                let label = writer.plain(&format!("@{}", user.trim_start_matches('@')))?;
                rich.push(&label);
                if let Ok(user) = UserId::parse(user) {
                    writer.mention(user);
                }
            }
            Some("broadcast") => {
                let range = text_in(part, "range").unwrap_or("channel");
                rich.push(&writer.plain(&format!("@{range}"))?);
            }
            _ => {}
        }
    }
    Ok(rich)
}

fn styled(text: Rich, part: &Map<String, Value>) -> Rich {
    let style = part.get("style").and_then(Value::as_object);
    let has = |name: &str| style.is_some_and(|style| style.get(name) == Some(&Value::Bool(true)));
    let mut text = text;
    for (name, element) in [
        ("code", "code"),
        ("strike", "del"),
        ("italic", "em"),
        ("bold", "strong"),
    ] {
        if has(name) {
            let mut outer = Rich::default();
            outer.push_in(element, &text);
            text = outer;
        }
    }
    text
}

/// The letters that an emoji is made of, or its name between colons.
fn emoji(part: &Map<String, Value>, writer: &mut Writer) -> Result<Rich, NoMessage> {
    let letters = text_in(part, "unicode").and_then(|codes| {
        let letters = codes.split('-').map(|code| {
            let code = u32::from_str_radix(code, 16).ok()?;
            char::from_u32(code)
        });
        letters.collect::<Option<String>>()
    });
    match (letters, text_in(part, "name")) {
        (Some(letters), _) => writer.plain(&letters),
        (None, Some(name)) => writer.plain(&format!(":{name}:")),
        (None, None) => Ok(Rich::default()),
    }
}
