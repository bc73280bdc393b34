//! Canonical JSON (appendices § Canonical JSON): the one form in which events are hashed, signed and stored.
//!
//! A number is kept as its canonical text, so that rooms of versions 1 to 5, which may hold floats and
//! integers of any size, are re-written digit for digit.

mod parse;
mod write;

use std::collections::BTreeMap;

pub(crate) use parse::{Numbers, parse_object, parse_value};
pub(crate) use write::{write_object, write_object_without, write_string, write_value};

use crate::EventError;

/// The largest integer that canonical JSON may hold: 2^53 - 1.
pub(crate) const INTEGER_MAX: i64 = (1 << 53) - 1;

/// A JSON object, keys in code point order.
pub(crate) type Object = BTreeMap<String, Json>;

/// A JSON value that can be written canonically.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// The canonical text of the number.
    Number(Box<str>),
    String(String),
    Array(Vec<Json>),
    Object(Object),
}

impl Json {
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_array(&self) -> Option<&[Json]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The number as an integer; `None` for floats and for integers beyond 64 bits.
    pub(crate) fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(text) => text.parse().ok(),
            _ => None,
        }
    }
}

/// Rewrites a JSON text in canonical form.
///
/// Errors: [`EventError::BadJson`] for malformed text, floats, integers outside ±(2^53 - 1) and nesting beyond
/// the parser's bound. Of keys that appear twice, the last one counts.
pub fn canonical_json(text: &str) -> Result<String, EventError> {
    let value = parse_value(text, Numbers::Strict)?;
    let mut canonical = String::with_capacity(text.len());
    write_value(&mut canonical, &value);
    Ok(canonical)
}

#[cfg(test)]
mod tests;
