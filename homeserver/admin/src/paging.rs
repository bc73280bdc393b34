//! Lists in pages: how many items, from where, and where the next page begins.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use echorift_web::MatrixError;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How many items a page has if nobody says, and at most.
const LIMIT_DEFAULT: u32 = 50;
const LIMIT_MAX: u32 = 500;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// What `from` is for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
    /// How many items there are in all, on first pages of lists that know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total: Option<i64>,
}

impl<T> Page<T> {
    /// A page of up to `limit` items, made of one more if there are any after it. `place` says behind which item the next
    /// page begins.
    pub(crate) fn cut(mut items: Vec<T>, limit: u32, place: impl Fn(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| has_more).map(|last| token(&place(last)));
        Self {
            items,
            next,
            total: None,
        }
    }

    #[must_use]
    pub(crate) fn with_total(mut self, total: Option<i64>) -> Self {
        self.total = total;
        self
    }

    /// The page with its items in another form.
    pub(crate) fn map<U>(self, form: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(form).collect(),
            next: self.next,
            total: self.total,
        }
    }
}

/// Which page of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// How many items at most: 50 if left out, never more than 500.
    pub(crate) limit: Option<u32>,
    /// The `next` of the page before.
    pub(crate) from: Option<String>,
}

/// How many items this page may have.
pub(crate) fn limit_of(limit: Option<u32>) -> u32 {
    limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX)
}

/// Where a page begins. Error: `M_INVALID_PARAM` for what no page has given.
pub(crate) fn place_of(from: Option<&str>) -> Result<Option<String>, MatrixError> {
    let Some(from) = from else { return Ok(None) };
    let bytes = URL_SAFE_NO_PAD.decode(from).ok();
    let place = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    place.map(Some).ok_or_else(unknown_page)
}

/// As [`place_of`], where a number is the place.
pub(crate) fn number_of(from: Option<&str>) -> Result<Option<i64>, MatrixError> {
    let place = place_of(from)?;
    place
        .map(|place| place.parse().map_err(|_| unknown_page()))
        .transpose()
}

pub(crate) fn unknown_page() -> MatrixError {
    MatrixError::invalid_param("`from` is not the `next` of a page of this list.")
}

fn token(place: &str) -> String {
    URL_SAFE_NO_PAD.encode(place)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_page_says_where_the_next_one_begins() {
        let page = Page::cut(vec![1, 2, 3], 2, ToString::to_string);
        assert_eq!(page.items, [1, 2]);
        assert_eq!(number_of(page.next.as_deref()).unwrap(), Some(2));
        assert!(Page::cut(vec![1, 2], 2, ToString::to_string).next.is_none());
    }

    #[test]
    fn what_no_page_has_given_is_refused() {
        for from in ["!", "YQ"] {
            assert!(number_of(Some(from)).is_err(), "{from}");
        }
        assert_eq!(limit_of(Some(0)), 1);
        assert_eq!(limit_of(Some(9_999)), LIMIT_MAX);
    }
}
