use axum::extract::{FromRequestParts, Query};
use echorift_web::MatrixError;
use http::request::Parts;
use serde::{Deserialize, de::DeserializeOwned};

/// The query parameter `filter` as it was sent, for the fields that ruma's types do not have.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct FilterText {
    filter: Option<String>,
}

impl FilterText {
    /// The text, if there is one and it is a filter itself rather than the ID of one.
    pub fn json(&self) -> Option<&str> {
        self.filter
            .as_deref()
            .filter(|text| text.trim_start().starts_with('{'))
    }

    /// What of the filter `T` is interested in; its default without a filter. Error: `M_INVALID_PARAM`.
    pub fn read<T: DeserializeOwned + Default>(&self) -> Result<T, MatrixError> {
        let bad = |error| MatrixError::invalid_param(format!("This is no filter: {error}."));
        self.json().map_or_else(
            || Ok(T::default()),
            |text| serde_json::from_str(text).map_err(bad),
        )
    }
}

impl<S: Send + Sync> FromRequestParts<S> for FilterText {
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, MatrixError> {
        // What does not fit at all is refused by the request's own type, in its words.
        let query = Query::<Self>::try_from_uri(&parts.uri);
        Ok(query.map(|Query(text)| text).unwrap_or_default())
    }
}
