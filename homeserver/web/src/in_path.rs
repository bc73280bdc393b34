use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::MatrixError;

/// The variable parts of a path, for endpoints that ruma has no type for. Error: `M_INVALID_PARAM`, where axum alone would
/// answer in plain text.
#[derive(Debug)]
pub struct InPath<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for InPath<T> {
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, MatrixError> {
        let path = Path::from_request_parts(parts, state).await;
        path.map(|Path(arguments)| Self(arguments))
            .map_err(|error| MatrixError::invalid_param(format!("The path does not fit: {error}.")))
    }
}
