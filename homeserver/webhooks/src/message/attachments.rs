//! Attachments of a payload: an older shape that most senders still use.

use serde_json::{Map, Value};

use super::{
    compose::{NoMessage, Writer, list, text_in},
    mrkdwn,
    rich::{Rich, is_link},
};

/// Reads one attachment; what it is called if it shows nothing else.
pub(super) fn read(attachment: &Map<String, Value>, writer: &mut Writer) -> Result<Rich, NoMessage> {
    let mut inner = Rich::default();
    if let Some(author) = text_in(attachment, "author_name") {
        let author = linked(attachment, "author_link", writer.plain(author)?);
        inner.push(&author);
    }
    if let Some(title) = text_in(attachment, "title") {
        let title = linked(attachment, "title_link", writer.marked_line(title)?);
        begin_line(&mut inner);
        inner.push_in("strong", &title);
    }
    if let Some(text) = text_in(attachment, "text") {
        begin_line(&mut inner);
        inner.push(&writer.marked(text)?);
    }
    let mut fields = Vec::new();
    for field in list(attachment, "fields") {
        fields.push(read_field(field, writer)?);
    }
    if !fields.is_empty() {
        inner.push_block(&mrkdwn::list("ul", &fields, |_| "• ".to_owned()));
    }
    if let Some(image) = text_in(attachment, "image_url").filter(|url| is_link(url)) {
        begin_line(&mut inner);
        inner.push_link(image, &writer.plain(image)?);
    }
    if let Some(footer) = text_in(attachment, "footer") {
        begin_line(&mut inner);
        inner.push_in("em", &writer.marked_line(footer)?);
    }
    for block in list(attachment, "blocks") {
        let block = super::blocks::read(block, writer)?;
        begin_line(&mut inner);
        inner.push(&block);
    }
    let mut rich = Rich::default();
    if let Some(pretext) = text_in(attachment, "pretext") {
        rich.push_in("p", &writer.marked(pretext)?);
    }
    if inner.is_empty() {
        if let Some(fallback) = text_in(attachment, "fallback").filter(|_| rich.is_empty()) {
            rich.push_block(&writer.plain(fallback)?);
        }
        return Ok(rich);
    }
    let bar = colour_of(attachment).map(|colour| format!("<span data-mx-color=\"{colour}\">▌</span> "));
    let html = format!(
        "<blockquote>{}{}</blockquote>",
        bar.unwrap_or_default(),
        inner.html
    );
    rich.push_block(&Rich {
        plain: inner.plain,
        html,
    });
    Ok(rich)
}

fn read_field(field: &Map<String, Value>, writer: &mut Writer) -> Result<Rich, NoMessage> {
    let mut rich = Rich::default();
    if let Some(title) = text_in(field, "title") {
        let mut title = writer.plain(title)?;
        title.push_text(":");
        rich.push_in("strong", &title);
        rich.push_text(" ");
    }
    match field.get("value") {
        Some(Value::String(value)) => rich.push(&writer.marked(value)?),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => rich.push_text(&value.to_string()),
        _ => {}
    }
    Ok(rich)
}

/// Begins a new line; an element that stands in lines of its own has ended the one before.
fn begin_line(rich: &mut Rich) {
    let has_ended = ["</ul>", "</ol>", "</pre>", "</blockquote>", "<hr>", "</h4>"];
    if has_ended.iter().any(|end| rich.html.ends_with(end)) {
        rich.push_block(&Rich::default());
    } else {
        rich.break_line();
    }
}

fn linked(attachment: &Map<String, Value>, key: &str, label: Rich) -> Rich {
    match text_in(attachment, key).filter(|address| is_link(address)) {
        Some(address) => {
            let mut link = Rich::default();
            link.push_link(address, &label);
            link
        }
        None => label,
    }
}

/// Slack's three names, or six hexadecimal digits.
fn colour_of(attachment: &Map<String, Value>) -> Option<String> {
    let colour = text_in(attachment, "color")?;
    match colour {
        "good" => Some("#2eb67d".to_owned()),
        "warning" => Some("#daa038".to_owned()),
        "danger" => Some("#a30200".to_owned()),
        other => {
            let digits = other.strip_prefix('#').unwrap_or(other);
            let is_colour = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit());
            is_colour.then(|| format!("#{digits}"))
        }
    }
}
