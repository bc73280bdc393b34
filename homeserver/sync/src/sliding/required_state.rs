use std::{collections::BTreeMap, sync::Arc};

use echorift_rooms::State;
use echorift_storage::EventNumber;
use serde::{Deserialize, Serialize};

const MEMBER: &str = "m.room.member";

/// Which state one rule of a client wants (MSC4186 § `RequiredStateRequest`).
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct RequiredState {
    #[serde(rename = "i", default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<Element>,
    #[serde(rename = "x", default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<Element>,
    /// Members only as the timeline speaks of them, and those that are named one by one.
    #[serde(rename = "l", default)]
    pub lazy_members: bool,
}

/// A type and a state key, each `None` for any.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Element(pub Option<String>, pub Option<String>);

impl Element {
    fn matches(&self, event_type: &str, state_key: &str) -> bool {
        let fits =
            |wanted: &Option<String>, text: &str| wanted.as_deref().is_none_or(|wanted| wanted == text);
        fits(&self.0, event_type) && fits(&self.1, state_key)
    }

    /// Whether everything that `other` matches is matched.
    fn covers(&self, other: &Self) -> bool {
        let covers = |own: &Option<String>, other: &Option<String>| own.is_none() || own == other;
        covers(&self.0, &other.0) && covers(&self.1, &other.1)
    }

    /// Whether one member is named by it, whom lazy loading does not leave out.
    fn is_one_member(&self) -> bool {
        self.0.as_deref() == Some(MEMBER) && self.1.is_some()
    }

    fn may_be_member(&self) -> bool {
        self.0.as_deref().is_none_or(|event_type| event_type == MEMBER)
    }
}

impl RequiredState {
    /// Brings the rule into one form, so that equal ones are recognised.
    pub fn normalised(mut self) -> Self {
        for elements in [&mut self.include, &mut self.exclude] {
            elements.sort_unstable();
            elements.dedup();
        }
        self
    }

    pub fn matches(&self, event_type: &str, state_key: &str) -> bool {
        let is_lazy = self.lazy_members && event_type == MEMBER;
        let includes = |element: &Element| {
            element.matches(event_type, state_key) && (!is_lazy || element.is_one_member())
        };
        self.include.iter().any(includes)
            && !self
                .exclude
                .iter()
                .any(|element| element.matches(event_type, state_key))
    }

    fn has_all_members(&self) -> bool {
        let has_all = |element: &Element| element.covers(&Element(Some(MEMBER.to_owned()), None));
        !self.lazy_members && self.exclude.is_empty() && self.include.iter().any(has_all)
    }

    /// Whether everything that the element matches is matched here, as far as that can be told without a state.
    fn covers(&self, element: &Element) -> bool {
        let covers = |own: &Element| {
            let is_whole = !self.lazy_members || !element.may_be_member() || own.is_one_member();
            own.covers(element) && is_whole
        };
        self.exclude.is_empty() && self.include.iter().any(covers)
    }
}

/// What all rules that a room matches want of its state together (MSC4186 § Combining room configs).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Combined(Vec<Arc<RequiredState>>);

impl Combined {
    pub fn new(mut rules: Vec<Arc<RequiredState>>) -> Self {
        rules.sort_unstable();
        rules.dedup();
        Self(rules)
    }

    pub fn matches(&self, event_type: &str, state_key: &str) -> bool {
        self.0.iter().any(|rule| rule.matches(event_type, state_key))
    }

    /// Whether members come as the timeline speaks of them.
    pub fn lazy_members(&self) -> bool {
        self.0.iter().any(|rule| rule.lazy_members) && !self.0.iter().any(|rule| rule.has_all_members())
    }

    /// Whether nothing can match `other` that does not match here.
    pub fn covers(&self, other: &Self) -> bool {
        let covers_rule = |rule: &Arc<RequiredState>| {
            self.0.contains(rule)
                || rule
                    .include
                    .iter()
                    .all(|element| self.0.iter().any(|own| own.covers(element)))
        };
        other.0.iter().all(covers_rule)
    }

    /// The events of a state that match here, and do not match `known`, in the order of type and state key.
    pub fn select(&self, state: &State, known: Option<&Self>) -> Vec<EventNumber> {
        let is_wanted = |event_type: &str, state_key: &str| {
            self.matches(event_type, state_key)
                && !known.is_some_and(|known| known.matches(event_type, state_key))
        };
        let elements = || self.0.iter().flat_map(|rule| &rule.include);
        if elements().any(|element| element.0.is_none()) {
            return state
                .iter()
                .filter(|(event_type, state_key, _)| is_wanted(event_type, state_key))
                .map(|(_, _, event)| event)
                .collect();
        }
        // Without wildcards of types there are fewer elements than state events.
        let mut found = BTreeMap::new();
        for Element(event_type, state_key) in elements() {
            let Some(event_type) = event_type.as_deref() else {
                continue;
            };
            let mut add = |state_key: &str, event: EventNumber| {
                if is_wanted(event_type, state_key) {
                    found.insert((event_type, state_key.to_owned()), event);
                }
            };
            match state_key.as_deref() {
                Some(state_key) => {
                    if let Some(event) = state.get(event_type, state_key) {
                        add(state_key, event);
                    }
                }
                None => state
                    .of_type(event_type)
                    .for_each(|(state_key, event)| add(state_key, event)),
            }
        }
        found.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(event_type: &str, state_key: &str) -> Element {
        let part = |text: &str| (text != "*").then(|| text.to_owned());
        Element(part(event_type), part(state_key))
    }

    fn rule(include: &[(&str, &str)], exclude: &[(&str, &str)], lazy_members: bool) -> RequiredState {
        let elements = |pairs: &[(&str, &str)]| pairs.iter().map(|(t, k)| element(t, k)).collect();
        RequiredState {
            include: elements(include),
            exclude: elements(exclude),
            lazy_members,
        }
        .normalised()
    }

    fn combined(rules: Vec<RequiredState>) -> Combined {
        Combined::new(rules.into_iter().map(Arc::new).collect())
    }

    #[test]
    fn wildcards_take_all_but_what_is_excluded() {
        let rule = rule(&[("*", "*")], &[("m.room.create", "")], false);
        assert!(rule.matches("m.room.topic", ""));
        assert!(!rule.matches("m.room.create", ""));
    }

    #[test]
    fn lazy_loading_leaves_members_out_that_are_not_named() {
        let lazy = rule(&[("*", "*"), (MEMBER, "@me:x")], &[], true);
        assert!(lazy.matches(MEMBER, "@me:x"));
        assert!(!lazy.matches(MEMBER, "@you:x"));
        let both = combined(vec![lazy.clone(), rule(&[(MEMBER, "*")], &[], false)]);
        assert!(!both.lazy_members(), "all members are wanted anyway");
        assert!(combined(vec![lazy]).lazy_members());
    }

    #[test]
    fn a_wider_rule_covers_a_narrower_one() {
        let narrow = combined(vec![rule(&[("a", ""), ("b", "k")], &[], true)]);
        let wide = combined(vec![rule(&[("a", "*"), ("b", "*")], &[], true)]);
        let all = combined(vec![rule(&[("*", "*")], &[], false)]);
        let lazy = combined(vec![rule(&[("*", "*")], &[], true)]);
        assert!(wide.covers(&narrow) && !narrow.covers(&wide));
        assert!(all.covers(&lazy) && !lazy.covers(&all));
        let without = combined(vec![rule(&[("*", "*")], &[("a", "")], false)]);
        assert!(!without.covers(&narrow), "what is excluded may be missing");
    }

    #[test]
    fn a_state_is_searched_by_key_by_type_or_whole() {
        let mut state = State::default();
        for (number, (event_type, key)) in (1..).zip([("a", ""), ("b", "1"), ("b", "2"), ("c", "1")]) {
            state.insert(event_type, key, EventNumber(number));
        }
        let select = |include: &[(&str, &str)]| -> Vec<i64> {
            let wanted = combined(vec![rule(include, &[], false)]);
            wanted
                .select(&state, None)
                .into_iter()
                .map(|event| event.0)
                .collect()
        };
        assert_eq!(select(&[("a", ""), ("b", "2"), ("d", "")]), [1, 3]);
        assert_eq!(select(&[("b", "*")]), [2, 3]);
        assert_eq!(select(&[("*", "1")]), [2, 4]);
        let (wide, known) = (
            combined(vec![rule(&[("b", "*")], &[], false)]),
            combined(vec![rule(&[("b", "1")], &[], false)]),
        );
        assert_eq!(wide.select(&state, Some(&known)), [EventNumber(3)]);
    }
}
