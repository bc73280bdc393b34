use echorift_events::Pdu;
use serde::Deserialize;

use crate::hook::Outgoing;

/// Whether the hook wants this event.
pub(super) fn fits(settings: &Outgoing, pdu: &Pdu) -> bool {
    #[derive(Deserialize)]
    struct Content {
        body: Option<String>,
    }
    let event_type = pdu.event_type.to_string();
    if !wants_type(&settings.event_types, &event_type) {
        return false;
    }
    if settings.keywords.is_empty() {
        return true;
    }
    let content: Option<Content> = pdu.content_as().ok();
    content
        .and_then(|content| content.body)
        .is_some_and(|body| holds_any(&body, &settings.keywords))
}

fn wants_type(wanted: &[String], event_type: &str) -> bool {
    wanted.iter().any(|wanted| wanted == "*" || wanted == event_type)
}

fn holds_any(body: &str, keywords: &[String]) -> bool {
    let body = body.to_lowercase();
    keywords
        .iter()
        .any(|keyword| body.contains(&keyword.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_fit_whole_and_keywords_in_any_case() {
        let list = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>();
        assert!(wants_type(&list(&["*"]), "m.reaction"));
        assert!(wants_type(&list(&["m.room.message"]), "m.room.message"));
        assert!(!wants_type(&list(&["m.room"]), "m.room.message"));
        assert!(holds_any("The BUILD is done", &list(&["x", "build"])));
        assert!(!holds_any("nothing", &list(&["build"])));
    }
}
