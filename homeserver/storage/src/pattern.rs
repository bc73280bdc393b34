/// Patterns for `lower(column) LIKE $1 ESCAPE '!'` that find whatever contains the text, in any case of letters: two,
/// because neither database makes other letters small than those of ASCII. The second finds words that begin with a
/// capital of another alphabet; further capitals in them are not found.
pub fn containing(text: &str) -> [String; 2] {
    let small = text.to_lowercase();
    let mut letters = small.chars();
    let capital: String = match letters.next() {
        Some(first) if !first.is_ascii() => first.to_uppercase().chain(letters).collect(),
        _ => small.clone(),
    };
    [small, capital].map(|text| pattern(&text))
}

fn pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_takes_its_text_literally_and_in_small_letters() {
        assert_eq!(containing("50%_A!"), ["%50!%!_a!!%", "%50!%!_a!!%"]);
        assert_eq!(containing("ÄRGER"), ["%ärger%", "%Ärger%"]);
    }
}
