use serde_json::Value;

use super::page::{Page, tidy};

/// Takes from an oEmbed description (oembed.com § Response parameters) what the page itself does not say.
pub(super) fn fill(page: &mut Page, document: &Value) {
    let text = |field: &str| document.get(field).and_then(Value::as_str).and_then(tidy);
    for (property, value) in [
        ("og:title", text("title").or_else(|| text("author_name"))),
        ("og:site_name", text("provider_name")),
    ] {
        if let Some(value) = value {
            page.properties
                .entry(property)
                .or_insert_with(|| Value::from(value));
        }
    }
    let is_photo = document.get("type").and_then(Value::as_str) == Some("photo");
    let image = text("thumbnail_url").or_else(|| if is_photo { text("url") } else { None });
    if page.image.is_none()
        && let Some(image) = image
    {
        page.image = page.base.join(&image).ok();
    }
}
