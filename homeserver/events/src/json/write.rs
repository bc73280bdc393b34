//! Writing canonical JSON: keys sorted, no white space, the shortest escapes.

use super::{Json, Object};

/// Appends the canonical form of `value`.
pub(crate) fn write_value(out: &mut String, value: &Json) {
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(true) => out.push_str("true"),
        Json::Bool(false) => out.push_str("false"),
        Json::Number(text) => out.push_str(text),
        Json::String(text) => write_string(out, text),
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Json::Object(object) => write_object(out, object),
    }
}

/// Appends the canonical form of `object`.
pub(crate) fn write_object(out: &mut String, object: &Object) {
    write_object_without(out, object, &[]);
}

/// Appends the canonical form of `object`, leaving out the given top-level keys.
pub(crate) fn write_object_without(out: &mut String, object: &Object, left_out: &[&str]) {
    out.push('{');
    let mut is_first = true;
    for (key, value) in object {
        if left_out.contains(&key.as_str()) {
            continue;
        }
        if !is_first {
            out.push(',');
        }
        is_first = false;
        write_string(out, key);
        out.push(':');
        write_value(out, value);
    }
    out.push('}');
}

/// Appends `text` as a JSON string (appendices § Canonical JSON, Grammar).
pub(crate) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(index) = rest
        .bytes()
        .position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\')
    {
        // Both cuts stand at an ASCII byte, hence at character borders.
        let (plain, from_escaped) = rest.split_at(index);
        out.push_str(plain);
        let mut characters = from_escaped.chars();
        match characters.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\u{8}') => out.push_str("\\b"),
            Some('\t') => out.push_str("\\t"),
            Some('\n') => out.push_str("\\n"),
            Some('\u{c}') => out.push_str("\\f"),
            Some('\r') => out.push_str("\\r"),
            Some(control) => {
                let code = u32::from(control);
                out.push_str(if code < 0x10 { "\\u000" } else { "\\u001" });
                out.extend(char::from_digit(code & 0xf, 16));
            }
            None => {}
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}
