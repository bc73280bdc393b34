//! A JSON parser that keeps numbers exactly, which generic value types do not.

use ruma::room_version_rules::RoomVersionRules;

use super::{INTEGER_MAX, Json, Object};
use crate::EventError;

/// How deep arrays and objects may nest, far above any real event, far below what the stack holds.
const NESTING_MAX: usize = 100;

/// Which numbers are acceptable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// Integers within ±(2^53 - 1) only: what clients may send, and room versions 6 and up.
    Strict,
    /// Whatever JSON allows: room versions 1 to 5 (appendices § Canonical JSON, warning box).
    Lenient,
}

impl Numbers {
    /// What the room version accepts (rooms § Canonical JSON).
    pub(crate) fn of(rules: &RoomVersionRules) -> Self {
        if rules.authorization.strict_canonical_json {
            Self::Strict
        } else {
            Self::Lenient
        }
    }
}

/// Parses a text that holds one JSON value and nothing else.
pub(crate) fn parse_value(text: &str, numbers: Numbers) -> Result<Json, EventError> {
    let mut parser = Parser { text, at: 0, numbers };
    let value = parser.value(0)?;
    parser.skip_whitespace();
    if parser.at == text.len() {
        Ok(value)
    } else {
        Err(parser.fail("trailing characters"))
    }
}

/// Parses a text that holds one JSON object and nothing else.
pub(crate) fn parse_object(text: &str, numbers: Numbers) -> Result<Object, EventError> {
    match parse_value(text, numbers)? {
        Json::Object(object) => Ok(object),
        _ => Err(EventError::BadJson("expected an object".to_owned())),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    numbers: Numbers,
}

impl<'a> Parser<'a> {
    fn fail(&self, what: &str) -> EventError {
        EventError::BadJson(format!("{what} at byte {}", self.at))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The text from `start` to the current place. Both always stand at ASCII bytes, hence at character borders.
    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn skip_whitespace(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, EventError> {
        if self
            .text
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(word))
        {
            self.at += word.len();
            Ok(value)
        } else {
            Err(self.fail("unexpected character"))
        }
    }

    fn value(&mut self, nesting: usize) -> Result<Json, EventError> {
        if nesting > NESTING_MAX {
            return Err(self.fail("nesting too deep"));
        }
        self.skip_whitespace();
        match self.peek() {
            Some(b'{') => self.object(nesting),
            Some(b'[') => self.array(nesting),
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(_) => Err(self.fail("unexpected character")),
            None => Err(self.fail("unexpected end")),
        }
    }

    fn object(&mut self, nesting: usize) -> Result<Json, EventError> {
        self.at += 1;
        let mut object = Object::new();
        self.skip_whitespace();
        if self.take(b'}') {
            return Ok(Json::Object(object));
        }
        loop {
            self.skip_whitespace();
            if self.peek() != Some(b'"') {
                return Err(self.fail("expected a key"));
            }
            let key = self.string()?;
            self.skip_whitespace();
            if !self.take(b':') {
                return Err(self.fail("expected ':'"));
            }
            let value = self.value(nesting + 1)?;
            object.insert(key, value);
            self.skip_whitespace();
            if self.take(b'}') {
                return Ok(Json::Object(object));
            }
            if !self.take(b',') {
                return Err(self.fail("expected ',' or '}'"));
            }
        }
    }

    fn array(&mut self, nesting: usize) -> Result<Json, EventError> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_whitespace();
        if self.take(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(nesting + 1)?);
            self.skip_whitespace();
            if self.take(b']') {
                return Ok(Json::Array(items));
            }
            if !self.take(b',') {
                return Err(self.fail("expected ',' or ']'"));
            }
        }
    }

    fn string(&mut self) -> Result<String, EventError> {
        let quoted_from = self.at;
        self.at += 1;
        let start = self.at;
        let mut has_escapes = false;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    has_escapes = true;
                    // The escaped byte may be a quotation mark, and must not end the string.
                    self.at += 2;
                }
                Some(0..=0x1f) => return Err(self.fail("control character in a string")),
                Some(_) => self.at += 1,
                None => return Err(self.fail("unterminated string")),
            }
        }
        let plain = self.since(start);
        self.at += 1;
        if has_escapes {
            serde_json::from_str(self.since(quoted_from)).map_err(|_| self.fail("bad escape in a string"))
        } else {
            Ok(plain.to_owned())
        }
    }

    fn digits(&mut self) -> Result<&'a str, EventError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            Err(self.fail("expected a digit"))
        } else {
            Ok(self.since(start))
        }
    }

    fn number(&mut self) -> Result<Json, EventError> {
        let start = self.at;
        self.take(b'-');
        let integer = self.digits()?;
        if integer.len() > 1 && integer.starts_with('0') {
            return Err(self.fail("number with a leading zero"));
        }
        let mut is_integer = true;
        if self.take(b'.') {
            is_integer = false;
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            is_integer = false;
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        let text = self.since(start);
        match self.numbers {
            Numbers::Strict => {
                let in_range = text
                    .parse::<i64>()
                    .is_ok_and(|number| number.unsigned_abs() <= INTEGER_MAX.unsigned_abs());
                if !is_integer || !in_range || text == "-0" {
                    return Err(self.fail("number that is not an integer within ±(2^53 - 1)"));
                }
                Ok(Json::Number(text.into()))
            }
            Numbers::Lenient if text == "-0" => Ok(Json::Number("0".into())),
            Numbers::Lenient if is_integer => Ok(Json::Number(text.into())),
            Numbers::Lenient => self.float(text),
        }
    }

    /// Rooms of versions 1 to 5 were written by a Python server: floats are hashed as Python prints them,
    /// with the fewest digits that read back the same, and an exponent only outside 1e-4 to 1e16.
    fn float(&self, text: &str) -> Result<Json, EventError> {
        let number: f64 = text.parse().map_err(|_| self.fail("bad number"))?;
        if !number.is_finite() {
            return Err(self.fail("number out of range"));
        }
        let magnitude = number.abs();
        // An integer in scientific notation is still an integer (appendices § Canonical JSON, last example).
        let canonical = if !text.contains('.') && magnitude < 1e16 && number.fract() == 0.0 {
            format!("{:.0}", number + 0.0)
        } else if magnitude == 0.0 || (1e-4..1e16).contains(&magnitude) {
            format!("{number:?}")
        } else {
            let scientific = format!("{number:e}");
            match scientific.split_once('e') {
                Some((digits, exponent)) => {
                    let (sign, exponent) = exponent
                        .strip_prefix('-')
                        .map_or(('+', exponent), |exponent| ('-', exponent));
                    format!("{digits}e{sign}{exponent:0>2}")
                }
                None => scientific,
            }
        };
        Ok(Json::Number(canonical.into()))
    }
}
