//! Reading settings one by one, collecting what is wrong instead of stopping at it.
//!
//! A deserialiser would report the first fault only. Here every read of a key either gives its value or
//! notes a [`Fault`] and goes on with the default, and whatever was not asked for is noted as unknown.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use figment::Figment;
use figment::value::{Dict, Tag, Value};

use super::fault::Fault;
use super::reserved::is_reserved;
use super::secret::Secret;
use super::units::{parse_bytes, parse_duration};

/// A secret file larger than this is not one (they hold a password or a key).
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// What reading a configuration has brought to light so far.
#[derive(Debug)]
pub(crate) struct Notes<'f> {
    figment: &'f Figment,
    pub(crate) faults: Vec<Fault>,
    /// Every key that the server knows, as `listener.address`; the tests compare it with the documented file.
    pub(crate) known: BTreeSet<String>,
    /// Keys of features that this release does not have: they are accepted and have no effect.
    pub(crate) without_effect: Vec<String>,
}

impl<'f> Notes<'f> {
    pub(crate) fn new(figment: &'f Figment) -> Self {
        Self {
            figment,
            faults: Vec::new(),
            known: BTreeSet::new(),
            without_effect: Vec::new(),
        }
    }

    /// Names the file or variable that set the value with this tag.
    fn place(&self, tag: Tag, path: &str) -> String {
        match self.figment.get_metadata(tag) {
            Some(metadata) => match metadata.source.as_ref().and_then(figment::Source::file_path) {
                Some(file) => file.display().to_string(),
                None => format!("environment variable {}", variable_name(path)),
            },
            None => "default".to_owned(),
        }
    }
}

/// The environment variable that sets a key: `server.name` is `ECHORIFT__SERVER__NAME`.
pub(crate) fn variable_name(path: &str) -> String {
    format!("ECHORIFT__{}", path.replace('.', "__").to_uppercase())
}

/// One table of the configuration, for example `[server]`.
#[derive(Debug)]
pub(crate) struct Table<'n, 'f> {
    notes: &'n mut Notes<'f>,
    path: String,
    values: Dict,
    asked: BTreeSet<String>,
}

impl<'n, 'f> Table<'n, 'f> {
    pub(crate) fn root(notes: &'n mut Notes<'f>, values: Dict) -> Self {
        Self {
            notes,
            path: String::new(),
            values,
            asked: BTreeSet::new(),
        }
    }

    /// Notes every key that nobody asked for. To be called when the table has been read.
    pub(crate) fn finish(self) {
        for (key, value) in &self.values {
            if self.asked.contains(key) {
                continue;
            }
            let path = join(&self.path, key);
            if is_reserved(&path) {
                self.notes.without_effect.push(path);
                continue;
            }
            let fix = match nearest(key, &self.asked) {
                Some(similar) => format!("Did you mean `{similar}`?"),
                None => "Remove it; docs/configuration.md lists every key.".to_owned(),
            };
            let place = self.notes.place(value.tag(), &path);
            self.notes.faults.push(Fault {
                key: path,
                value: None,
                place,
                problem: "there is no such key".to_owned(),
                fix,
            });
        }
    }

    /// Reads a table below this one; where it is not written, all its settings take their defaults.
    pub(crate) fn table<T>(&mut self, key: &str, read: impl FnOnce(&mut Table<'_, 'f>) -> T) -> T {
        let values = self.dict(key).unwrap_or_default();
        self.nested(join(&self.path, key), values, read)
    }

    /// Reads a table below this one only if it is written.
    pub(crate) fn optional_table<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&mut Table<'_, 'f>) -> T,
    ) -> Option<T> {
        let values = self.dict(key)?;
        Some(self.nested(join(&self.path, key), values, read))
    }

    /// Reads an array of tables, or `None` if it is not written. A single table counts as an array of one,
    /// for environment variables cannot write more (`ECHORIFT__LISTENER__ADDRESS`).
    pub(crate) fn tables<T>(
        &mut self,
        key: &str,
        mut read: impl FnMut(&mut Table<'_, 'f>) -> T,
    ) -> Option<Vec<T>> {
        let items = match self.take_unlisted(key)? {
            Value::Array(_, items) => items,
            single => vec![single],
        };
        let mut tables = Vec::with_capacity(items.len());
        for item in items {
            let Value::Dict(_, values) = item else {
                self.refuse(
                    key,
                    "must be an array of tables",
                    &format!("Write it as [[{key}]]."),
                );
                return None;
            };
            tables.push(self.nested(join(&self.path, key), values, &mut read));
        }
        Some(tables)
    }

    /// Reads a table whose keys are names that the operator chooses, and whose values are tables, in the order of their
    /// names. Names are lower-case letters, digits, `-` and `_`.
    pub(crate) fn named_tables<T>(
        &mut self,
        key: &str,
        mut read: impl FnMut(&str, &mut Table<'_, 'f>) -> T,
    ) -> Vec<T> {
        let mut tables = Vec::new();
        for (name, value) in self.dict(key).unwrap_or_default() {
            let path = format!("{}.{name}", join(&self.path, key));
            let is_plain = name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte));
            let Value::Dict(_, values) = value else {
                let problem = format!("holds something else than a table named {name}");
                self.refuse(key, &problem, &format!("Write [{path}] above its keys."));
                continue;
            };
            if !is_plain {
                let problem = format!("holds the name {name:?}");
                self.refuse(key, &problem, "Write names of a-z, 0-9, - and _ alone.");
            }
            tables.push(self.nested(path, values, |table| read(&name, table)));
        }
        tables
    }

    /// Reads a text. Numbers count as texts, because `ECHORIFT__SERVER__NAME=10.0` should not surprise.
    pub(crate) fn text(&mut self, key: &str, default: &str) -> String {
        match self.take(key) {
            None => default.to_owned(),
            Some(value) => match scalar_text(&value) {
                Some(text) => text,
                None => {
                    self.refuse(
                        key,
                        "must be a text",
                        &format!("Write {key} = \"{default}\" or the like."),
                    );
                    default.to_owned()
                }
            },
        }
    }

    /// Reads a text and parses it; `fix` says what is accepted.
    pub(crate) fn parsed<T>(
        &mut self,
        key: &str,
        default: &str,
        parse: impl Fn(&str) -> Option<T>,
        fix: &str,
    ) -> Option<T> {
        let text = self.text(key, default);
        let parsed = parse(&text);
        if parsed.is_none() {
            self.refuse(key, "cannot be understood", fix);
        }
        parsed
    }

    pub(crate) fn flag(&mut self, key: &str, default: bool) -> bool {
        match self.take(key) {
            None => default,
            Some(Value::Bool(_, flag)) => flag,
            Some(_) => {
                self.refuse(key, "must be true or false", &format!("Write {key} = {default}."));
                default
            }
        }
    }

    /// Reads a whole number in the given range.
    pub(crate) fn whole(&mut self, key: &str, default: u32, range: std::ops::RangeInclusive<u32>) -> u32 {
        let fix = format!("The default is {default}.");
        self.whole_or(key, range, &fix).unwrap_or(default)
    }

    /// Reads a whole number in the given range where it is written.
    pub(crate) fn optional_whole(&mut self, key: &str, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
        self.whole_or(key, range, "Correct or remove it.")
    }

    fn whole_or(&mut self, key: &str, range: std::ops::RangeInclusive<u32>, fix: &str) -> Option<u32> {
        let value = self.take(key)?;
        let number = whole_number(&value).and_then(|number| u32::try_from(number).ok());
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let problem = format!("must be a whole number from {} to {}", range.start(), range.end());
            self.refuse(key, &problem, fix);
        }
        number
    }

    /// Reads a number above zero, with or without a fraction.
    pub(crate) fn rate(&mut self, key: &str, default: f64) -> f64 {
        let Some(value) = self.take(key) else {
            return default;
        };
        let number = match &value {
            Value::Num(_, number) => number.to_f64().or_else(|| {
                whole_number(&value)
                    .and_then(|whole| u32::try_from(whole).ok())
                    .map(f64::from)
            }),
            _ => None,
        };
        match number {
            Some(number) if number.is_finite() && number > 0.0 && number <= 1e6 => number,
            _ => {
                self.refuse(
                    key,
                    "must be a number above 0",
                    &format!("The default is {default}."),
                );
                default
            }
        }
    }

    pub(crate) fn duration(&mut self, key: &str, default: &str) -> Duration {
        let fix = format!("Write a number and a unit (ms, s, m, h, d), for example \"{default}\".");
        self.parsed(key, default, parse_duration, &fix)
            .or_else(|| parse_duration(default))
            .unwrap_or_default()
    }

    pub(crate) fn bytes(&mut self, key: &str, default: &str) -> u64 {
        let fix = format!("Write a number and a unit (B, KiB, MiB, GiB), for example \"{default}\".");
        self.parsed(key, default, parse_bytes, &fix)
            .or_else(|| parse_bytes(default))
            .unwrap_or_default()
    }

    /// Reads one of a few words; the first is the default.
    pub(crate) fn choice<T: Copy>(&mut self, key: &str, first: (&str, T), others: &[(&str, T)]) -> T {
        let text = self.text(key, first.0);
        if text == first.0 {
            return first.1;
        }
        if let Some((_, chosen)) = others.iter().find(|(word, _)| *word == text) {
            return *chosen;
        }
        let words: Vec<&str> = std::iter::once(first.0)
            .chain(others.iter().map(|(word, _)| *word))
            .collect();
        self.refuse(
            key,
            "is not one of the choices",
            &format!("Write one of: {}.", words.join(", ")),
        );
        first.1
    }

    /// Reads a list of texts.
    pub(crate) fn list(&mut self, key: &str, default: &[&str]) -> Vec<String> {
        let Some(value) = self.take(key) else {
            return default.iter().map(|text| (*text).to_owned()).collect();
        };
        let items = match &value {
            Value::Array(_, items) => items.iter().map(scalar_text).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        items.unwrap_or_else(|| {
            self.refuse(
                key,
                "must be a list of texts",
                &format!("Write {key} = [\"…\", \"…\"]."),
            );
            Vec::new()
        })
    }

    /// Reads a list of texts, or one text, which is a list of one; an empty text is an empty list.
    pub(crate) fn text_or_list(&mut self, key: &str) -> Vec<String> {
        match self.values.get(key) {
            Some(Value::Array(..)) => self.list(key, &[]),
            _ => {
                let text = self.text(key, "");
                if text.is_empty() { Vec::new() } else { vec![text] }
            }
        }
    }

    /// Reads a list of texts where it is written: an empty list is not the same as none.
    pub(crate) fn optional_list(&mut self, key: &str) -> Option<Vec<String>> {
        let is_written = self.values.contains_key(key);
        let list = self.list(key, &[]);
        is_written.then_some(list)
    }

    /// Reads a table whose keys are names that the operator chooses, and whose values are texts.
    pub(crate) fn entries(&mut self, key: &str) -> Vec<(String, String)> {
        let values = self.dict(key).unwrap_or_default();
        let mut entries = Vec::with_capacity(values.len());
        for (name, value) in values {
            match scalar_text(&value) {
                Some(text) => entries.push((name, text)),
                None => self.refuse(
                    key,
                    &format!("holds something else than a text for {name}"),
                    "Write the value in quotes.",
                ),
            }
        }
        entries
    }

    /// Reads a secret from `key`, or from the file that `<key>_file` names. Empty counts as not set.
    ///
    /// One line break at the end of the file is not part of the secret.
    pub(crate) fn secret(&mut self, key: &str) -> Option<Secret> {
        let file_key = format!("{key}_file");
        let direct = match self.take(key) {
            None => String::new(),
            Some(value) => scalar_text(&value).unwrap_or_else(|| {
                self.refuse_hidden(key, "must be a text", "Write it in quotes.");
                String::new()
            }),
        };
        let file = self.text(&file_key, "");
        match (direct.is_empty(), file.is_empty()) {
            (true, true) => None,
            (false, true) => Some(Secret::new(direct)),
            (false, false) => {
                let fix = format!("Remove `{key}` and keep the file.");
                self.refuse_hidden(key, &format!("is written here and in `{file_key}`"), &fix);
                None
            }
            (true, false) => match read_secret_file(Path::new(&file)) {
                Ok(secret) => Some(secret),
                Err(problem) => {
                    self.refuse(
                        &file_key,
                        &problem,
                        "Name a readable file that holds the secret and nothing else.",
                    );
                    None
                }
            },
        }
    }

    /// Notes a fault of a key of this table, showing its value.
    pub(crate) fn refuse(&mut self, key: &str, problem: &str, fix: &str) {
        let shown = self.values.get(key).map(shown_value);
        self.note(key, shown, problem, fix);
    }

    /// Notes a fault of a key of this table, hiding its value.
    pub(crate) fn refuse_hidden(&mut self, key: &str, problem: &str, fix: &str) {
        self.note(key, None, problem, fix);
    }

    fn note(&mut self, key: &str, value: Option<String>, problem: &str, fix: &str) {
        let path = join(&self.path, key);
        let place = match self.values.get(key) {
            Some(value) => self.notes.place(value.tag(), &path),
            None => "not set".to_owned(),
        };
        let (problem, fix) = (problem.to_owned(), fix.to_owned());
        self.notes.faults.push(Fault {
            key: path,
            value,
            place,
            problem,
            fix,
        });
    }

    fn nested<T>(&mut self, path: String, values: Dict, read: impl FnOnce(&mut Table<'_, 'f>) -> T) -> T {
        let mut table = Table {
            notes: &mut *self.notes,
            path,
            values,
            asked: BTreeSet::new(),
        };
        let result = read(&mut table);
        table.finish();
        result
    }

    fn dict(&mut self, key: &str) -> Option<Dict> {
        match self.take_unlisted(key)? {
            Value::Dict(_, values) => Some(values),
            _ => {
                self.refuse(
                    key,
                    "must be a table",
                    &format!("Write [{}] above its keys.", join(&self.path, key)),
                );
                None
            }
        }
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        self.notes.known.insert(join(&self.path, key));
        self.take_unlisted(key)
    }

    /// As `take`, for tables: their keys are listed, they themselves are not.
    fn take_unlisted(&mut self, key: &str) -> Option<Value> {
        self.asked.insert(key.to_owned());
        self.values.get(key).cloned()
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(_, text) => Some(text.clone()),
        Value::Char(_, letter) => Some(letter.to_string()),
        Value::Num(_, number) => whole_number(value)
            .map(|n| n.to_string())
            .or_else(|| number.to_f64().map(|n| n.to_string())),
        _ => None,
    }
}

/// TOML's integers are signed, a variable's need not be.
fn whole_number(value: &Value) -> Option<i128> {
    value
        .to_i128()
        .or_else(|| value.to_u128().and_then(|number| i128::try_from(number).ok()))
}

fn shown_value(value: &Value) -> String {
    match value {
        Value::String(_, text) => format!("{text:?}"),
        Value::Bool(_, flag) => flag.to_string(),
        Value::Array(_, items) => {
            format!(
                "[{}]",
                items.iter().map(shown_value).collect::<Vec<_>>().join(", ")
            )
        }
        Value::Dict(..) => "{ … }".to_owned(),
        Value::Empty(..) => "nothing".to_owned(),
        other => scalar_text(other).unwrap_or_else(|| "a number".to_owned()),
    }
}

fn read_secret_file(path: &Path) -> Result<Secret, String> {
    let length = std::fs::metadata(path)
        .map_err(|error| format!("cannot be read: {error}"))?
        .len();
    if length > SECRET_BYTES_MAX {
        return Err(format!("is larger than {SECRET_BYTES_MAX} bytes"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))?;
    let secret = text
        .strip_suffix('\n')
        .map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if secret.is_empty() {
        Err("is empty".to_owned())
    } else {
        Ok(Secret::new(secret.to_owned()))
    }
}

/// The known key that a misspelt one most likely meant: at most a third of its letters differ.
fn nearest<'k>(key: &str, known: &'k BTreeSet<String>) -> Option<&'k str> {
    let allowed = (key.chars().count() / 3).max(1);
    known
        .iter()
        .map(|candidate| (edit_distance(key, candidate), candidate.as_str()))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance, one row at a time.
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, (b, pair)) in right.iter().zip(row.windows(2)).enumerate() {
            let (diagonal, above) = (
                pair.first().copied().unwrap_or(j),
                pair.last().copied().unwrap_or(j),
            );
            let before = next.last().copied().unwrap_or(i);
            next.push((diagonal + usize::from(a != *b)).min(above + 1).min(before + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edit_distance_counts_changes() {
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("same", "same"), 0);
    }

    #[test]
    fn a_far_off_key_gets_no_suggestion() {
        let known = BTreeSet::from(["max_connections".to_owned(), "url".to_owned()]);
        assert_eq!(nearest("max_conections", &known), Some("max_connections"));
        assert_eq!(nearest("colour", &known), None);
    }
}
