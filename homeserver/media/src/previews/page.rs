//! What a page says of itself.

use std::collections::HashMap;

use scraper::{ElementRef, Html};
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
}

impl Page {
    /// Computes for a while on large pages: off the async threads.
    pub(super) fn parse(text: &str, url: &Url) -> Self {
        let html = Html::parse_document(text);
        let mut findings = Findings::default();
        for element in html.tree.nodes().filter_map(ElementRef::wrap) {
            findings.look_at(element);
        }
        findings.into_page(url)
    }
}

impl Findings {
    fn look_at(&mut self, element: ElementRef<'_>) {
        let attribute = |name: &str| element.value().attr(name);
        match element.value().name() {
            "meta" => {
                let name = attribute("property").or_else(|| attribute("name"));
                if let (Some(name), Some(content)) = (name, attribute("content")) {
                    self.look_at_meta(name, content);
                }
            }
            "title" => first(&mut self.title, || text_of(element)),
            "p" => first(&mut self.paragraph, || {
                text_of(element).filter(|text| text.chars().count() >= PARAGRAPH_LETTERS_MIN)
            }),
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

fn text_of(element: ElementRef<'_>) -> Option<String> {
    // More letters than are kept need not be gathered.
    let mut text = String::new();
    for piece in element.text() {
        text.push_str(piece);
        if text.len() > 8 * VALUE_LETTERS_MAX {
            break;
        }
    }
    tidy(&text)
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
        let page = parse(&format!(
            "<title>Plain</title><base href='/files/'><link rel='image_src' href='x.gif'>
             <link rel=alternate type=application/json+oembed href=/oembed?x=1>
             <p>Menu</p><p>{words}</p>"
        ));
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
        assert!(parse(&"<div>".repeat(100_000)).properties.is_empty());
        assert_eq!(tidy(" \u{1} \n "), None);
    }
}
