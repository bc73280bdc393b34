//! A text in two forms that grow together: plain, and HTML as Matrix has it (CS API § m.room.message msgtypes).

/// Text as clients without HTML show it, and as those with it do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rich {
    pub(crate) plain: String,
    pub(crate) html: String,
}

impl Rich {
    pub(crate) fn text(text: &str) -> Self {
        let mut rich = Self::default();
        rich.push_text(text);
        rich
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.plain.trim().is_empty() && self.html.is_empty()
    }

    /// Adds text as it is; a line break stays one.
    pub(crate) fn push_text(&mut self, text: &str) {
        self.plain.push_str(text);
        escape(text, &mut self.html);
    }

    pub(crate) fn push(&mut self, other: &Self) {
        self.plain.push_str(&other.plain);
        self.html.push_str(&other.html);
    }

    /// Adds a text inside of an element.
    pub(crate) fn push_in(&mut self, element: &str, inner: &Self) {
        self.plain.push_str(&inner.plain);
        self.html
            .push_str(&format!("<{element}>{}</{element}>", inner.html));
    }

    /// Adds a link. The address stands in the plain text, too, unless it is the label already.
    pub(crate) fn push_link(&mut self, address: &str, label: &Self) {
        self.plain.push_str(&label.plain);
        if label.plain != address {
            self.plain.push_str(&format!(" ({address})"));
        }
        self.html.push_str("<a href=\"");
        escape(address, &mut self.html);
        self.html.push_str(&format!("\">{}</a>", label.html));
    }

    /// Begins a new line, unless at the very beginning.
    pub(crate) fn break_line(&mut self) {
        if !self.plain.is_empty() {
            self.plain.push('\n');
        }
        if !self.html.is_empty() {
            self.html.push_str("<br>");
        }
    }

    /// Adds something that stands in lines of its own.
    pub(crate) fn push_block(&mut self, block: &Self) {
        if !self.plain.is_empty() && !self.plain.ends_with('\n') {
            self.plain.push('\n');
        }
        self.push(block);
    }
}

/// Adds the text with what means something in HTML escaped.
pub(crate) fn escape(text: &str, html: &mut String) {
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\n' => html.push_str("<br>"),
            letter => html.push(letter),
        }
    }
}

/// Whether an address is one that people may be led to.
pub(crate) fn is_link(address: &str) -> bool {
    let scheme = address.split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| {
        let known = ["http", "https", "mailto", "tel", "matrix"];
        known.iter().any(|known| scheme.eq_ignore_ascii_case(known))
    }) && !address.contains(char::is_whitespace)
}
