use std::fmt;

use serde_json::Value;

/// What the server said: the body of a 2xx answer, or the refusal.
pub type Answer = Result<Value, Refusal>;

/// Any answer but 2xx.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The HTTP status; 0 if the connection broke before there was one.
    pub status: u16,
    /// The body's `errcode`, empty if it has none.
    pub errcode: String,
    /// The whole body; a string if it is not JSON.
    pub body: Value,
}

impl Refusal {
    pub(crate) fn no_answer(cause: &reqwest::Error) -> Self {
        Self {
            status: 0,
            errcode: String::new(),
            body: Value::from(format!("{cause:?}")),
        }
    }

    /// Whether the server was gone rather than unwilling.
    pub fn is_no_answer(&self) -> bool {
        self.status == 0
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status, self.errcode, self.body)
    }
}

/// Asserts a refusal with this status and errcode, and gives it for a closer look.
#[track_caller]
pub fn refused(answer: Answer, status: u16, errcode: &str) -> Refusal {
    match answer {
        Ok(body) => panic!("expected {status} {errcode}, but it was done: {body}"),
        Err(refusal) => {
            assert_eq!(
                (refusal.status, refusal.errcode.as_str()),
                (status, errcode),
                "{refusal}"
            );
            refusal
        }
    }
}
