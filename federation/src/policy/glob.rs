use std::fmt;

/// A pattern over names: `*` stands for any characters, `?` for one. ASCII letters match in either case.
#[derive(Clone, PartialEq, Eq)]
pub struct Glob(Box<[u8]>);

impl Glob {
    pub fn new(pattern: &str) -> Self {
        Self(pattern.to_ascii_lowercase().into_bytes().into())
    }

    /// Whether the whole text matches. Its cost is at most the product of the lengths, whatever the pattern.
    pub fn matches(&self, text: &str) -> bool {
        let (pattern, text) = (&*self.0, text.as_bytes());
        let (mut at, mut seen) = (0, 0);
        // Where to go on after the last star, if what follows it turns out not to match.
        let mut retry: Option<(usize, usize)> = None;
        while let Some(letter) = text.get(seen) {
            match pattern.get(at) {
                Some(b'*') => {
                    at += 1;
                    retry = Some((at, seen));
                }
                Some(wanted) if *wanted == b'?' || *wanted == letter.to_ascii_lowercase() => {
                    at += 1;
                    seen += 1;
                }
                _ => match retry {
                    None => return false,
                    Some((after_star, from)) => {
                        retry = Some((after_star, from + 1));
                        (at, seen) = (after_star, from + 1);
                    }
                },
            }
        }
        pattern.iter().skip(at).all(|byte| *byte == b'*')
    }

    /// Whether the pattern is about aliases of rooms.
    pub(super) fn is_alias(&self) -> bool {
        self.0.first() == Some(&b'#')
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_match() {
        for (pattern, text) in [
            ("a.example", "a.example"),
            ("*", ""),
            ("*", "anything"),
            ("*.example.org", "a.b.example.org"),
            ("A.Example", "a.eXample"),
            ("a?c", "abc"),
            ("#joint-*:example.org", "#joint-one:example.org"),
            ("*a*a*", "bananas"),
            ("a**b", "ab"),
        ] {
            assert!(Glob::new(pattern).matches(text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("*.example.org", "example.org"),
            ("*.example.org", "a.example.org.evil"),
            ("a?c", "ac"),
            ("", "a"),
            ("a*b", "a"),
            ("ab", "a"),
        ] {
            assert!(!Glob::new(pattern).matches(text), "{pattern} {text}");
        }
    }
}
