//! The markup of Slack's messages (`mrkdwn`), as it is written into webhooks.

use ruma::{OwnedUserId, UserId};

use super::rich::{Rich, escape, is_link};

/// Within how many bytes a mark is closed. What is looked through for each mark has a bound by it.
const SPAN_BYTES_MAX: usize = 1_000;
/// How deep marks are nested: bold, italic and struck through at once.
const DEPTH_MAX: u8 = 3;

/// Reads a text with marks; adds whom it mentions.
pub(crate) fn read(text: &str, mentions: &mut Vec<OwnedUserId>) -> Rich {
    let mut rich = Rich::default();
    let mut is_code = false;
    for part in text.split("```") {
        if is_code {
            rich.push_block(&code_block(part));
        } else if !part.trim().is_empty() {
            read_lines(part.trim_matches('\n'), &mut rich, mentions);
        }
        is_code = !is_code;
    }
    rich
}

fn code_block(text: &str) -> Rich {
    let text = unescape(text.trim_matches('\n'));
    let mut html = String::from("<pre><code>");
    // Line breaks stay what they are in there.
    let mut lines = text.split('\n');
    if let Some(first) = lines.next() {
        escape(first, &mut html);
    }
    for line in lines {
        html.push('\n');
        escape(line, &mut html);
    }
    html.push_str("</code></pre>");
    Rich {
        plain: format!("{text}\n"),
        html,
    }
}

/// What the lines of a group are together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Text,
    Quote,
    Bullets,
    Numbers,
}

impl Group {
    /// What a line is, and what it holds behind its mark.
    fn of(line: &str) -> (Self, &str) {
        for mark in ["&gt;", ">"] {
            if let Some(rest) = line.strip_prefix(mark) {
                return (Self::Quote, rest.strip_prefix(' ').unwrap_or(rest));
            }
        }
        for mark in ["• ", "- ", "* "] {
            if let Some(rest) = line.trim_start().strip_prefix(mark) {
                return (Self::Bullets, rest);
            }
        }
        match line.trim_start().split_once(". ") {
            Some((number, rest))
                if (1..=3).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit()) =>
            {
                (Self::Numbers, rest)
            }
            _ => (Self::Text, line),
        }
    }
}

fn read_lines(text: &str, rich: &mut Rich, mentions: &mut Vec<OwnedUserId>) {
    let mut lines = text.split('\n').map(Group::of).peekable();
    let mut is_first_of_text = rich.is_empty() || rich.html.ends_with("</pre>");
    while let Some((group, line)) = lines.next() {
        let mut items = vec![read_inline(line, mentions)];
        while group != Group::Text
            && let Some((_, line)) = lines.next_if(|(next, _)| *next == group)
        {
            items.push(read_inline(line, mentions));
        }
        let block = match group {
            Group::Text => {
                if !is_first_of_text {
                    rich.break_line();
                }
                items.iter().for_each(|item| rich.push(item));
                is_first_of_text = false;
                continue;
            }
            Group::Quote => quoted(&items),
            Group::Bullets => list("ul", &items, |_| "• ".to_owned()),
            Group::Numbers => list("ol", &items, |index| format!("{}. ", index + 1)),
        };
        rich.push_block(&block);
        is_first_of_text = true;
    }
}

fn quoted(lines: &[Rich]) -> Rich {
    let plain = lines.iter().map(|line| format!("> {}\n", line.plain));
    let html: Vec<&str> = lines.iter().map(|line| line.html.as_str()).collect();
    Rich {
        plain: plain.collect(),
        html: format!("<blockquote>{}</blockquote>", html.join("<br>")),
    }
}

/// A list of these items, each of which begins with its mark where there is no HTML.
pub(crate) fn list(element: &str, items: &[Rich], mark: impl Fn(usize) -> String) -> Rich {
    let plain = items
        .iter()
        .enumerate()
        .map(|(index, item)| format!("{}{}\n", mark(index), item.plain));
    let html = items.iter().map(|item| format!("<li>{}</li>", item.html));
    Rich {
        plain: plain.collect(),
        html: format!("<{element}>{}</{element}>", html.collect::<String>()),
    }
}

/// Reads one line.
pub(crate) fn read_inline(line: &str, mentions: &mut Vec<OwnedUserId>) -> Rich {
    let mut rich = Rich::default();
    read_marks(line, DEPTH_MAX, &mut rich, mentions);
    rich
}

fn read_marks(text: &str, depth: u8, rich: &mut Rich, mentions: &mut Vec<OwnedUserId>) {
    let mut before = None;
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let (_, behind) = rest.split_at(letter.len_utf8());
        let taken = match letter {
            '`' => code(behind, rich),
            '*' | '_' | '~' if depth > 0 && !before.is_some_and(char::is_alphanumeric) => {
                marked(letter, behind, depth, rich, mentions)
            }
            '<' => angled(behind, rich, mentions),
            '&' => entity(rest).map(|(letter, behind)| {
                rich.push_text(letter);
                behind
            }),
            _ => None,
        };
        before = Some(letter);
        rest = taken.unwrap_or_else(|| {
            rich.push_text(letter.encode_utf8(&mut [0; 4]));
            behind
        });
    }
}

/// `` `code` ``; what is behind it.
fn code<'a>(behind: &'a str, rich: &mut Rich) -> Option<&'a str> {
    let (inner, _) = within_span(behind).split_once('`')?;
    if inner.is_empty() {
        return None;
    }
    rich.push_in("code", &Rich::text(&unescape(inner)));
    behind.get(inner.len() + 1..)
}

/// `*bold*`, `_italic_`, `~struck through~`; what is behind it.
fn marked<'a>(
    mark: char,
    behind: &'a str,
    depth: u8,
    rich: &mut Rich,
    mentions: &mut Vec<OwnedUserId>,
) -> Option<&'a str> {
    if behind.starts_with(char::is_whitespace) || behind.starts_with(mark) {
        return None;
    }
    let span = within_span(behind);
    let closes = |(index, _): &(usize, &str)| {
        // What follows may lie behind the span.
        let (inner, rest) = behind.split_at(*index);
        let after = rest.chars().nth(1);
        !inner.ends_with(char::is_whitespace) && !after.is_some_and(char::is_alphanumeric)
    };
    let (end, _) = span.match_indices(mark).find(closes)?;
    let mut inner = Rich::default();
    read_marks(span.get(..end)?, depth - 1, &mut inner, mentions);
    let element = match mark {
        '*' => "strong",
        '_' => "em",
        _ => "del",
    };
    rich.push_in(element, &inner);
    behind.get(end + 1..)
}

/// `<address|label>`, `<@user>`, `<#channel|name>`, `<!here>`; what is behind it.
fn angled<'a>(behind: &'a str, rich: &mut Rich, mentions: &mut Vec<OwnedUserId>) -> Option<&'a str> {
    let end = within_span(behind).find('>')?;
    let inner = behind.get(..end)?;
    let (target, label) = match inner.split_once('|') {
        Some((target, label)) => (target, Some(label)),
        None => (inner, None),
    };
    let target = unescape(target);
    let label = label.map(unescape).filter(|label| !label.trim().is_empty());
    if let Some(user) = target.strip_prefix('@') {
        // Matrix knows its users by whole IDs; other systems' numbers stand for nobody here.
        let user_id = UserId::parse(format!("@{}", user.trim_start_matches('@'))).ok();
        let name = format!("@{}", label.as_deref().unwrap_or(user).trim_start_matches('@'));
        match user_id {
            Some(user_id) => {
                rich.plain.push_str(&name);
                let address = user_id.matrix_to_uri().to_string();
                let mut link = Rich::default();
                link.push_link(&address, &Rich::text(&name));
                rich.html.push_str(&link.html);
                mentions.push(user_id);
            }
            None => rich.push_text(&name),
        }
    } else if let Some(channel) = target.strip_prefix('#') {
        rich.push_text(&format!("#{}", label.as_deref().unwrap_or(channel)));
    } else if let Some(command) = target.strip_prefix('!') {
        let name = command.split('^').next().unwrap_or(command);
        match label {
            Some(label) => rich.push_text(&label),
            None => rich.push_text(&format!("@{name}")),
        }
    } else if is_link(&target) {
        let label = label.unwrap_or_else(|| target.trim_start_matches("mailto:").to_owned());
        rich.push_link(&target, &Rich::text(&label));
    } else {
        return None;
    }
    behind.get(end + 1..)
}

/// The beginning of a text in which a mark has to be closed.
fn within_span(text: &str) -> &str {
    let mut end = text.len().min(SPAN_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

/// The three letters that are escaped in such texts.
fn entity(text: &str) -> Option<(&'static str, &str)> {
    let known = [("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")];
    let found = known.into_iter();
    let mut found = found.filter_map(|(entity, letter)| Some((letter, text.strip_prefix(entity)?)));
    found.next()
}

/// The text without escapes.
pub(crate) fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> String {
        read(text, &mut Vec::new()).html
    }

    fn plain(text: &str) -> String {
        read(text, &mut Vec::new()).plain
    }

    #[test]
    fn marks_become_elements() {
        assert_eq!(
            html("*bold* _it_ ~no~ `a*b*` *_both_*"),
            "<strong>bold</strong> <em>it</em> <del>no</del> <code>a*b*</code> <strong><em>both</em></strong>"
        );
        for text in [
            "2*3*4",
            "snake_case_name",
            "a * not bold * b",
            "a ~ b ~ c",
            "`",
            "**",
            "``",
        ] {
            assert_eq!(html(text), text, "stays what it is");
        }
    }

    #[test]
    fn links_show_their_label_and_lead_to_no_script() {
        assert_eq!(
            html("see <https://x.example/?a=1&amp;b=2|the *page*>"),
            "see <a href=\"https://x.example/?a=1&amp;b=2\">the *page*</a>"
        );
        assert_eq!(plain("<https://x.example|page>"), "page (https://x.example)");
        assert_eq!(plain("<https://x.example>"), "https://x.example");
        assert_eq!(
            html("<javascript:alert(1)|click>"),
            "&lt;javascript:alert(1)|click&gt;"
        );
        assert_eq!(
            html("<https://x.example/\"onclick=\"x|a>"),
            "<a href=\"https://x.example/&quot;onclick=&quot;x\">a</a>"
        );
    }

    #[test]
    fn html_in_texts_is_text() {
        assert_eq!(
            html("&lt;b&gt; <b> & \"q\""),
            "&lt;b&gt; &lt;b&gt; &amp; &quot;q&quot;"
        );
        assert_eq!(plain("a &amp;lt; b"), "a &lt; b");
    }

    #[test]
    fn lines_become_lists_quotes_and_code() {
        let text =
            "Result:\n• one\n• two\n1. first\n2. second\n&gt; said\n> twice\nend\n```let a = 1;\n<x>```";
        assert_eq!(
            html(text),
            "Result:<ul><li>one</li><li>two</li></ul><ol><li>first</li><li>second</li></ol>\
             <blockquote>said<br>twice</blockquote>end<pre><code>let a = 1;\n&lt;x&gt;</code></pre>"
        );
        assert_eq!(
            plain(text),
            "Result:\n• one\n• two\n1. first\n2. second\n> said\n> twice\nend\nlet a = 1;\n<x>\n"
        );
    }

    #[test]
    fn people_are_mentioned_by_their_whole_id() {
        let mut mentions = Vec::new();
        let rich = read("<@alice:x.example> <@U123> <!here> <#C1|general>", &mut mentions);
        assert_eq!(rich.plain, "@alice:x.example @U123 @here #general");
        assert_eq!(mentions, ["@alice:x.example"]);
        assert!(rich.html.contains("https://matrix.to/#/@alice:x.example"));
    }

    #[test]
    fn many_open_marks_cost_little() {
        let text = "*a".repeat(20_000);
        assert_eq!(html(&text), text);
    }
}
