//! What the index is asked, in the languages of both databases.

use std::fmt::Write as _;

use echorift_storage::Dialect;

/// A condition on the tokens of a text or a person.
///
/// Tokens hold letters, digits, colons and characters beyond ASCII: whoever makes one from what a user typed has
/// taken it through [`crate::text`]. Nothing in them means anything in either query language, once quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Query {
    Token(String),
    /// Any token that begins so.
    Prefix(String),
    /// At least one condition each.
    All(Vec<Query>),
    Any(Vec<Query>),
    /// The first condition, and none of the others.
    Except(Box<Query>, Vec<Query>),
}

impl Query {
    /// Any of these tokens; `None` for none at all, which nothing satisfies.
    pub fn any_token(tokens: impl IntoIterator<Item = String>) -> Option<Self> {
        let tokens: Vec<Self> = tokens.into_iter().map(Self::Token).collect();
        (!tokens.is_empty()).then_some(Self::Any(tokens))
    }

    /// The text for `MATCH` of SQLite, or for the cast to `tsquery` of PostgreSQL.
    pub fn text(&self, dialect: Dialect) -> String {
        let mut text = String::new();
        match dialect {
            Dialect::Sqlite => self.write_fts5(&mut text),
            Dialect::Postgres => self.write_tsquery(&mut text),
        }
        text
    }

    fn write_fts5(&self, out: &mut String) {
        match self {
            Self::Token(token) => write_quoted(out, token, '"'),
            Self::Prefix(token) => {
                write_quoted(out, token, '"');
                out.push_str(" *");
            }
            Self::All(parts) => write_joined(out, parts, " AND ", Self::write_fts5),
            Self::Any(parts) => write_joined(out, parts, " OR ", Self::write_fts5),
            Self::Except(first, others) => {
                out.push('(');
                first.write_fts5(out);
                out.push_str(" NOT ");
                write_joined(out, others, " OR ", Self::write_fts5);
                out.push(')');
            }
        }
    }

    fn write_tsquery(&self, out: &mut String) {
        match self {
            Self::Token(token) => write_quoted(out, token, '\''),
            Self::Prefix(token) => {
                write_quoted(out, token, '\'');
                out.push_str(":*");
            }
            Self::All(parts) => write_joined(out, parts, " & ", Self::write_tsquery),
            Self::Any(parts) => write_joined(out, parts, " | ", Self::write_tsquery),
            Self::Except(first, others) => {
                out.push('(');
                first.write_tsquery(out);
                out.push_str(" & !");
                write_joined(out, others, " | ", Self::write_tsquery);
                out.push(')');
            }
        }
    }
}

fn write_joined(out: &mut String, parts: &[Query], between: &str, write: impl Fn(&Query, &mut String)) {
    out.push('(');
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            out.push_str(between);
        }
        write(part, out);
    }
    out.push(')');
}

/// Doubles what would end the string. Tokens have none of that; this keeps a slip elsewhere from becoming an injection.
fn write_quoted(out: &mut String, token: &str, quote: char) {
    out.push(quote);
    for c in token.chars() {
        if c == quote || (quote == '\'' && c == '\\') {
            out.push(c);
        }
        let _ = write!(out, "{c}");
    }
    out.push(quote);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_the_same() {
        let token = |text: &str| Query::Token(text.to_owned());
        let query = Query::Except(
            Box::new(Query::All(vec![
                Query::Prefix("foo".to_owned()),
                Query::Any(vec![token(":r1"), token(":r2")]),
            ])),
            vec![token(":s3"), token("it's \"\\")],
        );
        assert_eq!(
            query.text(Dialect::Sqlite),
            r#"(("foo" * AND (":r1" OR ":r2")) NOT (":s3" OR "it's ""\"))"#
        );
        assert_eq!(
            query.text(Dialect::Postgres),
            r#"(('foo':* & (':r1' | ':r2')) & !(':s3' | 'it''s "\\'))"#
        );
        assert_eq!(Query::any_token([]), None);
    }
}
