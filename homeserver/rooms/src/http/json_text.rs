use axum::response::{IntoResponse, Response};
use http::header;

/// A body that is JSON already, for the lists that are too long to be parsed and written once more.
pub(super) struct JsonText(String);

impl JsonText {
    pub fn list(items: impl Iterator<Item = String>) -> Self {
        let mut text = String::from("[");
        for (index, item) in items.enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(&item);
        }
        text.push(']');
        Self(text)
    }

    /// An object with this as its one field.
    pub fn into_field(self, name: &str) -> Self {
        Self(format!("{{\"{name}\":{}}}", self.0))
    }
}

impl IntoResponse for JsonText {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], self.0).into_response()
    }
}
