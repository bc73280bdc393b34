//! Text as it is compared: split into words, folded, and cut into the tokens of the index.
//!
//! The same for both databases, for what is searched and for what is searched for. Case and accents make no
//! difference (`Crème` is `creme`), nor do the widths and ligatures that Unicode keeps for old character sets.
//! Scripts that write without blanks between words, Chinese, Japanese, Korean and Thai among them, are indexed by
//! single characters and pairs, so that any part of a text is found.

use std::collections::BTreeSet;

use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// Longer words are cut: nobody types more, and PostgreSQL's lexemes are short.
const WORD_CHARS_MAX: usize = 64;
/// So many words of a text are looked at; an event has 64 KiB at most, so only word lists are longer.
const PIECES_MAX: usize = 8_000;
/// Words of at least so many characters also find the longer words that they begin.
const PREFIX_CHARS_MIN: usize = 3;

/// A part of a text between blanks and punctuation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    /// As it was written.
    pub source: &'a str,
    /// As it is compared; never empty.
    pub folded: String,
    pub script: Script,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    /// With blanks between words: the piece is a word.
    Spaced,
    /// Without: the piece may be a whole sentence.
    Unspaced,
    /// A pictograph, alone.
    Symbol,
}

/// The pieces of a text, in order.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    Sources { rest: text }
        .filter_map(|(source, script)| {
            let folded = fold(source);
            (!folded.is_empty()).then_some(Piece {
                source,
                folded,
                script,
            })
        })
        .take(PIECES_MAX)
}

/// A text as it is stored beside the index: the folded pieces with blanks between them.
pub(crate) fn folded_text(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for piece in pieces(text) {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(&piece.folded);
    }
    folded
}

/// The tokens under which a text is found.
pub(crate) fn tokens(text: &str) -> BTreeSet<String> {
    let mut tokens = BTreeSet::new();
    for piece in pieces(text) {
        match piece.script {
            Script::Unspaced => {
                tokens.extend(piece.folded.chars().map(String::from));
                tokens.extend(pairs(&piece.folded));
            }
            Script::Spaced | Script::Symbol => {
                tokens.insert(piece.folded);
            }
        }
    }
    tokens
}

/// Each two neighbouring characters.
fn pairs(text: &str) -> impl Iterator<Item = String> + '_ {
    text.chars()
        .zip(text.chars().skip(1))
        .map(|(first, second)| String::from_iter([first, second]))
}

/// One part of what is searched for. A text has to have all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    folded: String,
    script: Script,
}

impl Term {
    /// The terms of what somebody typed, each once; at most `limit`.
    pub fn all(text: &str, limit: usize) -> Vec<Self> {
        let mut terms: Vec<Self> = Vec::new();
        for piece in pieces(text) {
            let term = Self {
                folded: piece.folded,
                script: piece.script,
            };
            if !terms.contains(&term) && terms.len() < limit {
                terms.push(term);
            }
        }
        terms
    }

    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// The tokens that a text with this term has.
    pub fn tokens(&self) -> Vec<String> {
        let pairs: Vec<String> = match self.script {
            Script::Unspaced => pairs(&self.folded).collect(),
            Script::Spaced | Script::Symbol => Vec::new(),
        };
        if pairs.is_empty() {
            return vec![self.folded.clone()];
        }
        pairs
    }

    /// Whether longer words that begin with this one are meant as well.
    pub fn is_prefix(&self) -> bool {
        self.script == Script::Spaced && self.folded.chars().count() >= PREFIX_CHARS_MIN
    }

    /// How often the piece of a text holds this term: as a whole, or as a part of it.
    pub fn matches(&self, piece: &str) -> Matches {
        match self.script {
            Script::Unspaced => Matches {
                whole: piece.matches(self.folded.as_str()).count(),
                part: 0,
            },
            Script::Spaced | Script::Symbol if piece == self.folded => Matches { whole: 1, part: 0 },
            Script::Spaced if self.is_prefix() && piece.starts_with(self.folded.as_str()) => {
                Matches { whole: 0, part: 1 }
            }
            Script::Spaced | Script::Symbol => Matches::default(),
        }
    }
}

/// How often a term was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Matches {
    pub whole: usize,
    /// As the beginning of a longer word.
    pub part: usize,
}

impl Matches {
    pub fn any(self) -> bool {
        self.whole + self.part > 0
    }
}

/// Splits a text where the kind of character changes.
struct Sources<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Sources<'a> {
    type Item = (&'a str, Script);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let first = self.rest.chars().next()?;
            let Some(script) = script_of(first) else {
                self.rest = self.rest.get(first.len_utf8()..)?;
                continue;
            };
            let end = match script {
                Script::Symbol => first.len_utf8(),
                script => self
                    .rest
                    .find(|c: char| script_of(c) != Some(script) && !is_combining_mark(c))
                    .unwrap_or(self.rest.len()),
            };
            let (source, rest) = self.rest.split_at_checked(end)?;
            self.rest = rest;
            return Some((source, script));
        }
    }
}

/// `None` for what stands between words.
fn script_of(c: char) -> Option<Script> {
    match u32::from(c) {
        // Thai, Lao, Myanmar, Khmer; kana, ideographs and Hangul; their wide and half-width forms.
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF => is_letter(c).then_some(Script::Unspaced),
        0x1100..=0x11FF | 0x2E80..=0x2FDF | 0x3005..=0x3007 | 0x3031..=0x318F | 0x31A0..=0x31FF => {
            is_letter(c).then_some(Script::Unspaced)
        }
        0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xA960..=0xA97F | 0xAC00..=0xD7FF | 0xF900..=0xFAFF => {
            Some(Script::Unspaced)
        }
        0xFF66..=0xFFDC | 0x1_B000..=0x1_B16F | 0x2_0000..=0x3_FFFF => {
            is_letter(c).then_some(Script::Unspaced)
        }
        0x2600..=0x27BF | 0x1_F000..=0x1_FAFF => Some(Script::Symbol),
        _ => is_letter(c).then_some(Script::Spaced),
    }
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}

/// Lower case, without accents, in the one form that Unicode prefers.
fn fold(source: &str) -> String {
    if source.is_ascii() {
        let mut folded = source.to_ascii_lowercase();
        folded.truncate(WORD_CHARS_MAX);
        return folded;
    }
    let lower = source.to_lowercase();
    let without_accents = lower.nfkd().filter(|c| !is_accent(*c)).flat_map(plain).nfc();
    // Some compatibility forms fold to blanks and marks between letters; those would be separators.
    let letters = without_accents.filter(|c| is_letter(*c) || script_of(*c).is_some());
    if script_of(source.chars().next().unwrap_or(' ')) == Some(Script::Unspaced) {
        letters.collect()
    } else {
        letters.take(WORD_CHARS_MAX).collect()
    }
}

/// Marks of Latin, Greek and Cyrillic letters, and what chooses between the pictures of a symbol. The marks of other
/// scripts are vowels and tones, and stay.
fn is_accent(c: char) -> bool {
    matches!(
        u32::from(c),
        0x0300..=0x036F | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0xFE00..=0xFE0F | 0xFE20..=0xFE2F
    )
}

/// Letters that people replace when they have no key for them, and that Unicode does not take apart.
fn plain(c: char) -> impl Iterator<Item = char> {
    let (first, second) = match c {
        'ß' => ('s', Some('s')),
        'æ' => ('a', Some('e')),
        'œ' => ('o', Some('e')),
        'ø' => ('o', None),
        'ł' => ('l', None),
        'đ' | 'ð' => ('d', None),
        'þ' => ('t', Some('h')),
        'ı' => ('i', None),
        'ς' => ('σ', None),
        c => (c, None),
    };
    std::iter::once(first).chain(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, query: &str) -> bool {
        let have = tokens(text);
        let has = |term: &Term, token: &String| {
            have.contains(token) || (term.is_prefix() && have.iter().any(|have| have.starts_with(token)))
        };
        let terms = Term::all(query, 20);
        let by_tokens = terms
            .iter()
            .all(|term| term.tokens().iter().all(|token| has(term, token)));
        let folded = folded_text(text);
        let by_text = terms
            .iter()
            .all(|term| folded.split(' ').any(|piece| term.matches(piece).any()));
        assert!(by_tokens || !by_text, "the index lacks {query} of {text}");
        by_text && !terms.is_empty()
    }

    #[test]
    fn case_accents_and_widths_make_no_difference() {
        for (text, query) in [
            ("Crème brûlée", "creme BRULEE"),
            ("creme", "Crème"),
            ("Straße", "strasse"),
            ("ÅNGSTRÖM", "ångström"),
            ("Ｆｕｌｌ ｗｉｄｔｈ", "full width"),
            ("Łódź", "lodz"),
            ("ΟΔΟΣ", "οδος"),
            ("Ёлка", "елка"),
            ("ﬁle", "file"),
        ] {
            assert!(found(text, query), "{query} in {text}");
        }
    }

    #[test]
    fn short_words_and_scripts_without_blanks_are_found() {
        for (text, query) in [
            ("go to it", "to"),
            ("a b c", "b"),
            ("x-ray", "x"),
            ("我们明天在会议室开会", "会议"),
            ("我们明天在会议室开会", "室"),
            ("明日の会議は東京で", "会議"),
            ("カタカナ", "ﾀｶ"),
            ("ガス", "ｶﾞ"),
            ("회의는 내일입니다", "내일"),
            ("สวัสดีครับ", "ครับ"),
            ("नमस्ते दुनिया", "दुनिया"),
            ("Tag 2026-11-23", "2026"),
            ("well done 👍", "👍"),
            ("日本語とEnglish", "english"),
        ] {
            assert!(found(text, query), "{query} in {text}");
        }
    }

    #[test]
    fn other_words_are_not_found() {
        for (text, query) in [
            ("category", "at"),
            ("category", "gory"),
            ("go", "goes"),
            ("会议室", "议会"),
            // All pairs are there, but not one after the other.
            ("abc 东西 西京 京东西", "东西京"),
            ("nothing", "..."),
            ("", "x"),
        ] {
            assert!(!found(text, query), "{query} in {text}");
        }
        assert!(
            found("category", "cat"),
            "a longer word is found by its beginning"
        );
    }

    #[test]
    fn pieces_keep_what_was_written() {
        let seen: Vec<_> = pieces("Don't ÉTÉ—東京").map(|piece| piece.source).collect();
        assert_eq!(seen, ["Don", "t", "ÉTÉ", "東京"]);
    }

    #[test]
    fn everything_is_bounded() {
        let long = "a".repeat(10_000);
        assert!(tokens(&long).iter().all(|token| token.len() <= WORD_CHARS_MAX));
        assert!(found(&long, &long));
        assert!(pieces(&"x ".repeat(20_000)).count() <= PIECES_MAX);
        assert_eq!(Term::all("a b c d", 3).len(), 3);
    }
}
