//! Parts of a request, refused in Matrix's form.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Query, Request},
};
use echorift_web::{MatrixError, parse_body};
use http::request::Parts;
use serde::de::DeserializeOwned;

/// The arguments behind the question mark.
pub(crate) struct InQuery<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for InQuery<T> {
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, MatrixError> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query
            .map(|Query(arguments)| Self(arguments))
            .map_err(|error| MatrixError::invalid_param(format!("A query parameter does not fit: {error}.")))
    }
}

/// A JSON body, which may be left out altogether: it is then taken for an empty object.
pub(crate) struct Told<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Told<T> {
    type Rejection = MatrixError;

    async fn from_request(request: Request, state: &S) -> Result<Self, MatrixError> {
        let (_, body): (_, Bytes) = echorift_web::read_body(request, state).await?;
        let body = if body.is_empty() { b"{}" } else { &*body };
        parse_body(body).map(Self)
    }
}
