//! People as the user directory finds them.

use std::collections::BTreeSet;

use echorift_storage::{RoomNumber, UserNumber};

use crate::{
    document::room_token,
    query::Query,
    store::people::Changed,
    text::{self, Script, Term},
};

/// Who can be found, and what everyone may see of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub user: UserNumber,
    pub user_id: String,
    pub display_name: Option<String>,
    pub avatar_url: Option<String>,
}

/// A person, ready to be stored.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PersonRow {
    pub person: Person,
    /// The tokens with blanks between them.
    pub tokens: String,
}

/// By so many of their rooms somebody can be found.
const ROOMS_MAX: usize = 5_000;
/// The pieces of a name that are looked at. Longer names are jokes.
const NAME_PIECES_MAX: usize = 32;
/// Stands between the words of a name in tokens of whole names.
const JOINT: char = '\u{B7}';
/// A part of a word has at least so many characters.
const PART_CHARS: usize = 3;

/// The token of people in rooms that are open to everyone.
pub(crate) const OPEN_TOKEN: &str = ":p";
/// The token of people with an account here.
pub(crate) const ACCOUNT_TOKEN: &str = ":l";

/// The row of somebody who changed; `None` if they cannot be found any more.
pub(crate) fn row_of(changed: Changed) -> Option<PersonRow> {
    let can_be_found = changed.is_account || (!changed.is_local && !changed.rooms.is_empty());
    if !can_be_found {
        return None;
    }
    let person = Person {
        user: changed.user,
        user_id: changed.user_id,
        display_name: changed.display_name,
        avatar_url: changed.avatar_url,
    };
    let mut tokens = name_tokens(&person);
    tokens.extend(
        changed
            .rooms
            .iter()
            .take(ROOMS_MAX)
            .map(|room: &RoomNumber| room_token(*room)),
    );
    if changed.is_in_open_room {
        tokens.insert(OPEN_TOKEN.to_owned());
    }
    if changed.is_account {
        tokens.insert(ACCOUNT_TOKEN.to_owned());
    }
    let tokens = tokens.into_iter().collect::<Vec<_>>().join(" ");
    Some(PersonRow { person, tokens })
}

/// `:b` whole names, by whose beginning people are found, their words, and `:t` parts of the words.
fn name_tokens(person: &Person) -> BTreeSet<String> {
    let mut tokens = BTreeSet::new();
    for name in person.names() {
        tokens.insert(format!(":b{}", name.join(&JOINT.to_string())));
    }
    for words in [Some(person.localpart()), person.display_name.as_deref()] {
        let words = words.unwrap_or_default();
        tokens.extend(text::tokens(words));
        for piece in text::pieces(words).take(NAME_PIECES_MAX) {
            if piece.script == Script::Spaced {
                tokens.extend(parts(&piece.folded).map(|part| format!(":t{part}")));
            }
        }
    }
    tokens
}

fn parts(word: &str) -> impl Iterator<Item = String> + '_ {
    let starts = word.char_indices().map(|(start, _)| start);
    starts.filter_map(|start| {
        let part: String = word.get(start..)?.chars().take(PART_CHARS).collect();
        (part.chars().count() == PART_CHARS).then_some(part)
    })
}

fn words_of(text: &str) -> Vec<String> {
    text::pieces(text)
        .take(NAME_PIECES_MAX)
        .map(|piece| piece.folded)
        .collect()
}

impl Person {
    fn localpart(&self) -> &str {
        let id = self.user_id.strip_prefix('@').unwrap_or(&self.user_id);
        id.split_once(':').map_or(id, |(localpart, _)| localpart)
    }

    /// All that somebody may type to name this person in full, as folded words.
    fn names(&self) -> Vec<Vec<String>> {
        let names = [
            words_of(self.localpart()),
            words_of(&self.user_id),
            words_of(self.display_name.as_deref().unwrap_or_default()),
        ];
        names.into_iter().filter(|name| !name.is_empty()).collect()
    }
}

/// How well a person fits what was typed, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    /// A whole name, local part or user ID.
    Exact,
    /// The beginning of one.
    Beginning,
    /// Every word begins a word of the names.
    Words,
    /// Every word is in a word of the names.
    Parts,
}

/// What somebody typed to find a person.
#[derive(Debug)]
pub(crate) struct Wanted {
    words: Vec<String>,
    terms: Vec<Term>,
}

impl Wanted {
    /// `None` if there is nothing to look for.
    pub fn new(typed: &str) -> Option<Self> {
        let words = words_of(typed);
        let terms = Term::all(typed, NAME_PIECES_MAX);
        (!words.is_empty()).then_some(Self { words, terms })
    }

    /// The queries that find all who fit, the best first; a later one finds those of the earlier ones as well.
    pub fn queries(&self) -> [Query; 4] {
        let whole = format!(":b{}", self.words.join(&JOINT.to_string()));
        let beginnings = self
            .terms
            .iter()
            .flat_map(|term| term.tokens().into_iter().map(Query::Prefix));
        let in_parts = self.terms.iter().map(part_query);
        [
            Query::Token(whole.clone()),
            Query::Prefix(whole),
            Query::All(beginnings.collect()),
            Query::All(in_parts.collect()),
        ]
    }

    /// How well the person fits; `None` if not at all.
    pub fn fit(&self, person: &Person) -> Option<Fit> {
        let names = person.names();
        let typed = self.words.join(" ");
        let whole: Vec<String> = names.iter().map(|name| name.join(" ")).collect();
        if whole.contains(&typed) {
            return Some(Fit::Exact);
        }
        if whole.iter().any(|name| name.starts_with(&typed)) {
            return Some(Fit::Beginning);
        }
        let own = || words_of(person.localpart()).into_iter();
        let words: Vec<String> = own()
            .chain(words_of(person.display_name.as_deref().unwrap_or_default()))
            .collect();
        let each = |fits: &dyn Fn(&str, &str) -> bool| {
            self.words
                .iter()
                .all(|typed| words.iter().any(|word| fits(word, typed)))
        };
        if each(&|word, typed| word.starts_with(typed)) {
            return Some(Fit::Words);
        }
        each(&|word, typed| word.contains(typed)).then_some(Fit::Parts)
    }
}

/// People with this term in one of their words, and perhaps some more: [`Wanted::fit`] looks closer.
fn part_query(term: &Term) -> Query {
    let parts: Vec<Query> = parts(term.folded())
        .map(|part| Query::Token(format!(":t{part}")))
        .collect();
    if parts.is_empty() || !term.is_prefix() {
        return Query::All(term.tokens().into_iter().map(Query::Prefix).collect());
    }
    Query::All(parts)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn person(id: &str, name: Option<&str>) -> Person {
        Person {
            user: UserNumber(1),
            user_id: id.to_owned(),
            display_name: name.map(ToOwned::to_owned),
            avatar_url: None,
        }
    }

    fn fit(typed: &str, person: &Person) -> Option<Fit> {
        Wanted::new(typed).unwrap().fit(person)
    }

    #[test]
    fn names_fit_from_whole_to_part() {
        let zoe = person("@zoe.mueller:test.example", Some("Zoë Müller (Sales)"));
        for (typed, expected) in [
            ("@zoe.mueller:test.example", Some(Fit::Exact)),
            ("zoe.mueller", Some(Fit::Exact)),
            ("zoe muller sales", Some(Fit::Exact)),
            ("ZO", Some(Fit::Beginning)),
            ("zoe mull", Some(Fit::Beginning)),
            ("@zoe.mueller:te", Some(Fit::Beginning)),
            ("sales", Some(Fit::Words)),
            ("müller zoe", Some(Fit::Words)),
            ("uelle", Some(Fit::Parts)),
            ("example", None),
            ("zoe marketing", None),
        ] {
            assert_eq!(fit(typed, &zoe), expected, "{typed}");
        }
        assert_eq!(fit("京", &person("@x:y", Some("東京 太郎"))), Some(Fit::Parts));
        assert!(Wanted::new(" @ ").is_none());
    }

    #[test]
    fn every_fit_is_found_by_the_index() {
        let people = [
            person("@zoe.mueller:test.example", Some("Zoë Müller (Sales)")),
            person("@a:test.example", Some("東京 太郎")),
            person("@bo:test.example", None),
        ];
        for typed in [
            "zo", "z", "muller", "uelle", "京太", "京", "東京", "太郎", "bo", "b", "@bo:test", "ales",
            "zoe sal",
        ] {
            let wanted = Wanted::new(typed).unwrap();
            for person in &people {
                let tokens = name_tokens(person);
                let found = wanted.queries().iter().any(|query| holds(query, &tokens));
                assert!(
                    found || wanted.fit(person).is_none(),
                    "{typed} misses {}",
                    person.user_id
                );
            }
        }
    }

    fn holds(query: &Query, tokens: &BTreeSet<String>) -> bool {
        match query {
            Query::Token(token) => tokens.contains(token),
            Query::Prefix(start) => tokens.iter().any(|token| token.starts_with(start)),
            Query::All(parts) => parts.iter().all(|part| holds(part, tokens)),
            Query::Any(parts) => parts.iter().any(|part| holds(part, tokens)),
            Query::Except(first, others) => {
                holds(first, tokens) && !others.iter().any(|other| holds(other, tokens))
            }
        }
    }

    #[test]
    fn accounts_are_found_while_they_last_and_others_while_they_are_in_a_room() {
        let changed = |is_account: bool, is_local: bool, rooms: &[i64]| Changed {
            user: UserNumber(1),
            user_id: "@ann:x".to_owned(),
            is_account,
            is_local,
            display_name: None,
            avatar_url: None,
            rooms: rooms.iter().map(|room| RoomNumber(*room)).collect(),
            is_in_open_room: false,
        };
        let alone = row_of(changed(true, true, &[])).unwrap();
        assert_eq!(alone.tokens, ":bann :bann\u{B7}x :l :tann ann");
        assert_eq!(row_of(changed(false, true, &[4])), None, "an account that ended");
        assert_eq!(
            row_of(changed(false, false, &[])),
            None,
            "a stranger without rooms"
        );
        let stranger = row_of(changed(false, false, &[4])).unwrap();
        assert!(stranger.tokens.contains(":r4") && !stranger.tokens.contains(ACCOUNT_TOKEN));
    }
}
