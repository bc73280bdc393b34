//! What a page says of itself.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use html5ever::TokenizerResult;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use serde_json::Value;
use url::Url;

use super::Properties;

/// Longest value that is passed on, in characters: more is not shown anywhere.
const VALUE_LETTERS_MAX: usize = 1_000;
const NAME_LETTERS_MAX: usize = 60;
const PROPERTIES_MAX: usize = 50;
/// A paragraph shorter than this is no description of a page.
const PARAGRAPH_LETTERS_MIN: usize = 50;

/// A page, read.
#[derive(Debug)]
pub(super) struct Page {
    /// `og:…`, without images.
    pub(super) properties: Properties,
    pub(super) image: Option<Url>,
    /// Where an oEmbed description is.
    pub(super) oembed: Option<Url>,
    /// What links are relative to.
    pub(super) base: Url,
}

/// A page is read for so long; one that is made to be slow is described by what has been seen by then.
const READING_MAX: Duration = Duration::from_millis(500);
/// The clock is looked at after so many bytes.
const STEP_BYTES: usize = 4 << 10;
/// What may stand within a paragraph without ending it.
const WITHIN_PARAGRAPHS: [&str; 16] = [
    "a", "abbr", "b", "br", "cite", "code", "em", "i", "mark", "q", "small", "span", "strong", "sub", "sup",
    "u",
];

/// What stands in the page, first of each.
#[derive(Default)]
struct Findings {
    /// `<meta>` by its `property` or `name`.
    meta: HashMap<String, String>,
    open_graph: Properties,
    title: Option<String>,
    paragraph: Option<String>,
    image: Option<String>,
    oembed: Option<String>,
    base: Option<String>,
    /// The text that is being read.
    reading: Option<(Text, String)>,
}

/// Texts that are of use.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    Title,
    Paragraph,
}

/// Hears of the page's tags and texts in turn. No tree is made of them: what takes long to put in order is made to.
struct Listener(RefCell<Findings>);

impl TokenSink for Listener {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) => self.0.borrow_mut().look_at(&tag),
            Token::CharacterTokens(text) => {
                self.0.borrow_mut().hear(&text);
                TokenSinkResult::Continue
            }
            _ => TokenSinkResult::Continue,
        }
    }
}

impl Page {
    /// Computes for a while: off the async threads.
    pub(super) fn parse(text: &str, url: &Url) -> Self {
        let tokenizer = Tokenizer::new(Listener(RefCell::default()), TokenizerOpts::default());
        let (started, input) = (Instant::now(), BufferQueue::default());
        let mut rest = text;
        while !rest.is_empty() && started.elapsed() < READING_MAX {
            let (step, more) = rest.split_at(rest.floor_char_boundary(STEP_BYTES));
            rest = more;
            input.push_back(StrTendril::from_slice(step));
            while !matches!(tokenizer.feed(&input), TokenizerResult::Done) {}
        }
        tokenizer.end();
        tokenizer.sink.0.into_inner().into_page(url)
    }
}

impl Findings {
    fn look_at(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name = &*tag.name;
        if !WITHIN_PARAGRAPHS.contains(&name) {
            self.end_text();
        }
        if tag.kind == TagKind::EndTag {
            return TokenSinkResult::Continue;
        }
        let attribute = |name: &str| {
            let found = tag.attrs.iter().find(|attribute| &*attribute.name.local == name);
            found.map(|attribute| &*attribute.value)
        };
        match name {
            "meta" => {
                let name = attribute("property").or_else(|| attribute("name"));
                if let (Some(name), Some(content)) = (name, attribute("content")) {
                    self.look_at_meta(name, content);
                }
            }
            "title" => self.begin_text(Text::Title),
            "p" => self.begin_text(Text::Paragraph),
            "base" => first(&mut self.base, || attribute("href").map(ToOwned::to_owned)),
            "link" => {
                let rel = attribute("rel").unwrap_or_default().to_ascii_lowercase();
                let href = || attribute("href").map(ToOwned::to_owned);
                let is = |word: &str| rel.split_ascii_whitespace().any(|part| part == word);
                if is("image_src") {
                    first(&mut self.image, href);
                } else if is("alternate") && attribute("type") == Some("application/json+oembed") {
                    first(&mut self.oembed, href);
                }
            }
            _ => {}
        }
        // In these the text is not markup.
        match name {
            "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
            "style" | "xmp" | "iframe" | "noembed" | "noframes" => TokenSinkResult::RawData(RawKind::Rawtext),
            "script" => TokenSinkResult::RawData(RawKind::ScriptData),
            "plaintext" => TokenSinkResult::Plaintext,
            _ => TokenSinkResult::Continue,
        }
    }

    fn begin_text(&mut self, text: Text) {
        let is_known = match text {
            Text::Title => self.title.is_some(),
            Text::Paragraph => self.paragraph.is_some(),
        };
        if !is_known {
            self.reading = Some((text, String::new()));
        }
    }

    fn hear(&mut self, piece: &str) {
        if let Some((_, text)) = &mut self.reading
            // More letters than are kept need not be gathered.
            && text.len() < 8 * VALUE_LETTERS_MAX
        {
            text.push_str(piece);
        }
    }

    fn end_text(&mut self) {
        match self.reading.take() {
            Some((Text::Title, text)) => self.title = tidy(&text),
            Some((Text::Paragraph, text)) => {
                self.paragraph = tidy(&text).filter(|text| text.chars().count() >= PARAGRAPH_LETTERS_MIN);
            }
            None => {}
        }
    }

    fn look_at_meta(&mut self, name: &str, content: &str) {
        let name = name.trim().to_ascii_lowercase();
        let is_known = self.meta.contains_key(&name);
        let is_room = self.meta.len() < PROPERTIES_MAX;
        let Some(value) = tidy(content).filter(|_| !is_known && is_room && name.len() <= NAME_LETTERS_MAX)
        else {
            return;
        };
        if name.starts_with("og:") && !name.starts_with("og:image") {
            self.open_graph.insert(name.clone(), Value::from(value.clone()));
        }
        self.meta.insert(name, value);
    }

    fn into_page(mut self, url: &Url) -> Page {
        self.end_text();
        let base = self.base.as_deref().and_then(|base| url.join(base).ok());
        let base = base.unwrap_or_else(|| url.clone());
        let title = self.meta.remove("twitter:title").or_else(|| self.title.take());
        let description = ["twitter:description", "description"]
            .iter()
            .find_map(|name| self.meta.remove(*name))
            .or_else(|| self.paragraph.take());
        for (property, fallback) in [("og:title", title), ("og:description", description)] {
            if let Some(value) = fallback {
                self.open_graph
                    .entry(property)
                    .or_insert_with(|| Value::from(value));
            }
        }
        let image = [
            "og:image:secure_url",
            "og:image",
            "og:image:url",
            "twitter:image",
            "twitter:image:src",
        ]
        .iter()
        .find_map(|name| self.meta.remove(*name))
        .or_else(|| self.image.take());
        if let Some(alt) = self.meta.remove("og:image:alt").filter(|_| image.is_some()) {
            self.open_graph
                .insert("og:image:alt".to_owned(), Value::from(alt));
        }
        let join = |link: Option<String>| base.join(&link?).ok();
        Page {
            properties: self.open_graph,
            image: join(image),
            oembed: join(self.oembed),
            base,
        }
    }
}

fn first<T>(place: &mut Option<T>, value: impl FnOnce() -> Option<T>) {
    if place.is_none() {
        *place = value();
    }
}

/// One line, of bounded length; `None` if nothing is left.
pub(super) fn tidy(text: &str) -> Option<String> {
    let mut tidied = String::new();
    let mut letters = 0;
    for word in text.split_whitespace() {
        if letters >= VALUE_LETTERS_MAX {
            break;
        }
        if letters > 0 {
            tidied.push(' ');
            letters += 1;
        }
        let room = VALUE_LETTERS_MAX.saturating_sub(letters);
        for letter in word.chars().filter(|letter| !letter.is_control()).take(room) {
            tidied.push(letter);
            letters += 1;
        }
    }
    (!tidied.is_empty()).then_some(tidied)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Page {
        Page::parse(text, &Url::parse("https://example.org/a/b").unwrap())
    }

    fn property<'a>(page: &'a Page, name: &str) -> Option<&'a str> {
        page.properties.get(name).and_then(Value::as_str)
    }

    #[test]
    fn open_graph_goes_before_cards_and_the_page_itself() {
        let page = parse(
            r#"<html><head><title>Page</title>
            <meta name="twitter:title" content="Card">
            <meta property="og:title" content="  Open
               Graph  "><meta property="og:title" content="second">
            <meta property="og:site_name" content="Site &amp; more">
            <meta property="og:image" content="../pic.png?a=1&amp;b=2">
            <meta property="og:image:alt" content="A picture">
            <meta property="og:image:width" content="999999">
            <meta name="description" content="What it is about">"#,
        );
        assert_eq!(property(&page, "og:title"), Some("Open Graph"));
        assert_eq!(property(&page, "og:site_name"), Some("Site & more"));
        assert_eq!(property(&page, "og:description"), Some("What it is about"));
        assert_eq!(property(&page, "og:image:alt"), Some("A picture"));
        assert_eq!(
            property(&page, "og:image:width"),
            None,
            "the server measures itself"
        );
        assert_eq!(
            page.image.unwrap().as_str(),
            "https://example.org/pic.png?a=1&b=2"
        );
    }

    #[test]
    fn a_page_without_any_marks_has_its_title_and_its_first_paragraph() {
        let words = "These are enough words to stand for what the page is about.";
        let page = parse(
            "<title>Plain</title><base href='/files/'><link rel='image_src' href='x.gif'>
             <link rel=alternate type=application/json+oembed href=/oembed?x=1>
             <script>'<p>'</script><p>Menu</p><p>These are <b>enough</b> words to stand
             for what the page is about.</p>",
        );
        assert_eq!(property(&page, "og:title"), Some("Plain"));
        assert_eq!(property(&page, "og:description"), Some(words));
        assert_eq!(page.image.unwrap().path(), "/files/x.gif");
        assert_eq!(page.oembed.unwrap().as_str(), "https://example.org/oembed?x=1");
    }

    #[test]
    fn what_a_page_says_is_bounded() {
        let many: String = (0..500)
            .map(|n| format!("<meta property='og:x{n}' content='{}'>", "y".repeat(5_000)))
            .collect();
        let page = parse(&many);
        assert_eq!(page.properties.len(), PROPERTIES_MAX);
        assert!(
            page.properties
                .values()
                .all(|value| value.as_str().unwrap().len() <= VALUE_LETTERS_MAX)
        );
        assert!(parse(&"<div>".repeat(200_000)).properties.is_empty());
        // Each name is compared with all before it.
        let attributes: String = (0..100_000).map(|n| format!(" a{n:x}")).collect();
        assert!(parse(&format!("<div{attributes}")).properties.is_empty());
        assert_eq!(tidy(" \u{1} \n "), None);
    }
}
