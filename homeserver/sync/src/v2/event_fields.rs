use serde_json::{Map, Value, value::RawValue};

/// Which fields of events a client wants (CS API § Filtering, `event_fields`): paths of keys.
#[derive(Debug)]
pub(crate) struct EventFields(Vec<Vec<String>>);

impl EventFields {
    /// Reads entries like `content.body`; a backslash takes the meaning from a dot, or from a backslash, behind it.
    pub fn new(entries: &[String]) -> Self {
        Self(entries.iter().map(|entry| path_of(entry)).collect())
    }

    /// The event without what was not asked for; as it is if it is no object.
    pub fn keep(&self, event: Box<RawValue>) -> Box<RawValue> {
        let Ok(whole) = serde_json::from_str::<Map<String, Value>>(event.get()) else {
            return event;
        };
        let mut kept = Map::new();
        for path in &self.0 {
            copy(&whole, &mut kept, path);
        }
        serde_json::value::to_raw_value(&kept).unwrap_or(event)
    }
}

fn path_of(entry: &str) -> Vec<String> {
    let mut path = vec![String::new()];
    let mut letters = entry.chars();
    while let Some(letter) = letters.next() {
        let letter = match letter {
            '.' => {
                path.push(String::new());
                continue;
            }
            '\\' => match letters.next() {
                Some(escaped @ ('.' | '\\')) => escaped,
                other => {
                    push(&mut path, '\\');
                    match other {
                        Some(other) => other,
                        None => break,
                    }
                }
            },
            letter => letter,
        };
        push(&mut path, letter);
    }
    path
}

fn push(path: &mut [String], letter: char) {
    if let Some(key) = path.last_mut() {
        key.push(letter);
    }
}

/// Copies what stands at the path, and the objects around it.
fn copy(from: &Map<String, Value>, to: &mut Map<String, Value>, path: &[String]) {
    let Some((key, rest)) = path.split_first() else {
        return;
    };
    let Some(value) = from.get(key) else { return };
    if rest.is_empty() {
        to.insert(key.clone(), value.clone());
        return;
    }
    let Value::Object(inner) = value else { return };
    let place = to
        .entry(key.as_str())
        .or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(place) = place {
        copy(inner, place, rest);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::{json, value::to_raw_value};

    use super::*;

    fn kept(fields: &[&str], event: &Value) -> Value {
        let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
        let event = EventFields::new(&fields).keep(to_raw_value(event).unwrap());
        serde_json::from_str(event.get()).unwrap()
    }

    #[test]
    fn only_the_named_fields_stay() {
        let event = json!({
            "type": "m.room.message", "sender": "@a:x",
            "content": { "body": "hello", "msgtype": "m.text", "m.relates_to": { "rel_type": "m.thread" }, "a\\b": 1 },
        });
        assert_eq!(
            kept(&["content.body", "type"], &event),
            json!({ "type": "m.room.message", "content": { "body": "hello" } })
        );
        assert_eq!(
            kept(&["content.m\\.relates_to.rel_type", "content.a\\\\b"], &event),
            json!({ "content": { "m.relates_to": { "rel_type": "m.thread" }, "a\\b": 1 } })
        );
        assert_eq!(
            kept(&["content.body", "content"], &event)["content"],
            event["content"]
        );
        assert_eq!(
            kept(&["content", "content.body"], &event)["content"],
            event["content"]
        );
        assert_eq!(kept(&["sender.x", "nothing", ""], &event), json!({}));
    }
}
