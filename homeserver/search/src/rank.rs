//! How well a text answers a search, and what to point out in it.

use crate::text::{self, Term};

/// What a beginning counts beside a whole word.
const PART: f64 = 0.5;
/// How soon more of the same word stops to matter, and a text of how many pieces is of usual length. The formula is the
/// one of BM25 without the rarity of words: it asks for nothing but the text, so a rank never changes.
const SATURATION: f64 = 1.2;
const USUAL_PIECES: f64 = 16.0;
/// What terms that follow each other as they were typed add at most.
const IN_ORDER: f64 = 0.5;
/// So many words are pointed out at most.
const HIGHLIGHTS_MAX: usize = 50;

/// How closely a folded text matches, above 0 and at most 1.5; `None` unless all terms are in it.
pub(crate) fn rank(terms: &[Term], words: &str) -> Option<f64> {
    let pieces: Vec<&str> = words.split(' ').collect();
    let length = float(pieces.len()) / USUAL_PIECES;
    let mut sum = 0.0;
    for term in terms {
        let (mut whole, mut part) = (0, 0);
        for piece in &pieces {
            let matches = term.matches(piece);
            whole += matches.whole;
            part += matches.part;
        }
        if whole + part == 0 {
            return None;
        }
        let often = float(whole) + PART * float(part);
        sum += often / (often + SATURATION * (0.25 + 0.75 * length));
    }
    let in_order = terms.windows(2).filter(|pair| follow(pair, &pieces)).count();
    let bonus = IN_ORDER * float(in_order) / float(terms.len().saturating_sub(1).max(1));
    Some(sum / float(terms.len().max(1)) + bonus)
}

/// Whether somewhere in the text the terms stand side by side.
fn follow(pair: &[Term], pieces: &[&str]) -> bool {
    let [first, second] = pair else { return false };
    pieces.windows(2).any(|neighbours| match neighbours {
        [left, right] => first.matches(left).any() && second.matches(right).any(),
        _ => false,
    })
}

fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The words of the found texts that matched, as they were written but in lower case, and what was typed itself.
pub(crate) fn highlights<'a>(terms: &[Term], texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut found: Vec<String> = terms.iter().map(|term| term.folded().to_owned()).collect();
    for text in texts {
        for piece in text::pieces(text) {
            let is_found = terms.iter().any(|term| term.matches(&piece.folded).any());
            // A sentence without blanks is not a word: there the term itself is what to point out.
            if !is_found || piece.script == text::Script::Unspaced {
                continue;
            }
            let word = piece.source.to_lowercase();
            if found.len() < HIGHLIGHTS_MAX && !found.contains(&word) {
                found.push(word);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn rank_of(typed: &str, text: &str) -> Option<f64> {
        rank(&Term::all(typed, 20), &text::folded_text(text))
    }

    #[test]
    fn better_answers_have_higher_ranks() {
        for (typed, better, worse) in [
            ("cat", "cat", "category"),
            ("cat", "cat cat", "cat dog"),
            (
                "cat",
                "a cat",
                "a cat among the many other animals that live in this large and noisy city",
            ),
            ("red cat", "the red cat sleeps", "the cat saw red"),
            ("会议", "会议 会议", "会议 明天"),
        ] {
            assert!(
                rank_of(typed, better).unwrap() > rank_of(typed, worse).unwrap(),
                "{typed}"
            );
        }
    }

    #[test]
    fn all_terms_are_needed() {
        assert_eq!(rank_of("red cat", "a red dog"), None);
        assert_eq!(rank_of("东西京", "东西 西京"), None);
    }

    #[test]
    fn matched_words_are_pointed_out_as_they_were_written() {
        let terms = Term::all("creme cat", 20);
        let words = highlights(&terms, ["Crème for Cats", "CAT"]);
        assert_eq!(words, ["creme", "cat", "crème", "cats"]);
    }
}
