use std::collections::BTreeMap;

use minijinja::{Environment, Value, context};
use url::Url;

use crate::AccountError;

/// The server's own pages: templates, texts, style.
pub(crate) struct Pages {
    templates: Environment<'static>,
    english: Value,
    german: Value,
    /// The path before all of ours, where the public address has one: empty, or with a slash in front only.
    pub(crate) base_path: String,
    /// Whether browsers speak TLS to us, perhaps by way of a proxy.
    pub(crate) is_https: bool,
}

pub(crate) const STYLE: &str = include_str!("../../pages/style.css");

/// The languages of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    German,
}

impl Language {
    /// The first language of an `Accept-Language` header that we have. Browsers list them by preference, whatever
    /// weights they add.
    pub(crate) fn choose(header: &str) -> Self {
        let mut tags = header.split(',').map(str::trim);
        tags.find_map(|tag| {
            let primary = tag.split(['-', ';']).next().unwrap_or_default();
            match primary.to_ascii_lowercase().as_str() {
                "de" => Some(Self::German),
                "en" => Some(Self::English),
                _ => None,
            }
        })
        .unwrap_or(Self::English)
    }

    fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }
}

impl Pages {
    /// Error: `Page` if a template is broken.
    pub(crate) fn new(public_base_url: &str) -> Result<Self, AccountError> {
        let mut templates = Environment::new();
        for (name, source) in [
            ("base.html", include_str!("../../pages/base.html")),
            ("login.html", include_str!("../../pages/login.html")),
            ("sign_up.html", include_str!("../../pages/sign_up.html")),
            ("consent.html", include_str!("../../pages/consent.html")),
            ("link.html", include_str!("../../pages/link.html")),
            ("message.html", include_str!("../../pages/message.html")),
            ("account.html", include_str!("../../pages/account.html")),
            ("device.html", include_str!("../../pages/device.html")),
            ("confirm.html", include_str!("../../pages/confirm.html")),
            ("password.html", include_str!("../../pages/password.html")),
        ] {
            templates.add_template(name, source)?;
        }
        let url = Url::parse(public_base_url).ok();
        Ok(Self {
            templates,
            english: texts(include_str!("../../pages/texts.en.json"))?,
            german: texts(include_str!("../../pages/texts.de.json"))?,
            base_path: url
                .as_ref()
                .map(|url| url.path().trim_end_matches('/').to_owned())
                .unwrap_or_default(),
            is_https: url.is_some_and(|url| url.scheme() == "https"),
        })
    }

    /// Renders a template, whose `page` is what the handler says, and `t` the texts. Everything is escaped.
    pub(crate) fn render(
        &self,
        template: &str,
        language: Language,
        server: &str,
        page: &Value,
    ) -> Result<String, AccountError> {
        let t = match language {
            Language::English => &self.english,
            Language::German => &self.german,
        };
        let template = self.templates.get_template(template)?;
        let base = self.base_path.as_str();
        Ok(template.render(context! { lang => language.code(), base, server, t, page })?)
    }
}

fn texts(json: &str) -> Result<Value, AccountError> {
    let texts: BTreeMap<String, String> = serde_json::from_str(json)
        .map_err(|error| minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, error.to_string()))?;
    Ok(Value::from(texts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reader_s_language_is_chosen() {
        for (header, language) in [
            ("de-DE,de;q=0.9,en;q=0.8", Language::German),
            ("fr, de;q=0.5, en;q=0.4", Language::German),
            ("en-US,de;q=0.9", Language::English),
            ("fr", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(Language::choose(header), language, "{header}");
        }
    }

    #[test]
    fn both_languages_say_everything() {
        let read = |json: &str| serde_json::from_str::<BTreeMap<String, String>>(json).unwrap();
        let english = read(include_str!("../../pages/texts.en.json"));
        let german = read(include_str!("../../pages/texts.de.json"));
        assert!(english.keys().eq(german.keys()));
    }

    #[test]
    fn what_strangers_write_is_shown_as_text() {
        let pages = Pages::new("https://chat.example.org/matrix/").unwrap();
        assert_eq!((pages.base_path.as_str(), pages.is_https), ("/matrix", true));
        let page =
            context! { error => "", name => "\"><script>alert(1)</script>", onward => "'<", csrf => "c" };
        let html = pages
            .render("login.html", Language::English, "example.org", &page)
            .unwrap();
        assert!(!html.contains("<script") && !html.contains("'<"), "{html}");
        assert!(html.contains("href=\"&#x2f;matrix/oauth2/style.css\""), "{html}");
    }
}
