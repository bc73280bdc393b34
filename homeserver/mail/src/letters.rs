//! Every text that the server writes to people by mail.

use minijinja::{Environment, Value, context};

/// What a letter says, and about what.
#[derive(Debug)]
pub enum Letter<'a> {
    /// Asks the owner of an address to confirm it, before it is added to an account or used to register.
    ConfirmAddress { link: &'a str },
    /// Lets the owner of an account choose a new password.
    ResetPassword { user_id: &'a str, link: &'a str },
    /// Somebody wants to register with the address of an account that exists.
    AlreadyRegistered { user_id: &'a str },
    /// Somebody wants to reset the password of an account that does not exist.
    NoAccount,
    /// Somebody wants to reset a password that the company's directory keeps.
    PasswordInDirectory { user_id: &'a str },
    /// What somebody has not read for a while.
    Digest {
        reader: &'a str,
        rooms: &'a [DigestRoom],
    },
}

/// The unread messages of one room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestRoom {
    pub name: String,
    /// Where to read on.
    pub link: String,
    /// The latest of them, oldest first.
    pub messages: Vec<DigestMessage>,
    /// How many there are before those.
    pub more: usize,
}

/// One unread message as the letter shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestMessage {
    pub sender: String,
    /// `None` where the text is not to leave the server or cannot be read by it.
    pub text: Option<String>,
}

impl DigestRoom {
    fn value(&self) -> Value {
        let messages = self.messages.iter().map(|message| {
            context! { sender => message.sender.as_str(), text => message.text.as_deref() }
        });
        context! {
            name => self.name.as_str(),
            link => self.link.as_str(),
            messages => messages.collect::<Value>(),
            more => self.more,
        }
    }
}

/// A letter in words.
pub(crate) struct Text {
    pub(crate) subject: String,
    pub(crate) plain: String,
    pub(crate) html: String,
}

/// The subject, the plain and the HTML form of each kind of letter. Names that end in `.html` are escaped.
const TEMPLATES: [(&str, &str); 15] = [
    ("page.html", include_str!("letters/page.html")),
    ("digest.txt", include_str!("letters/digest.txt")),
    ("digest.html", include_str!("letters/digest.html")),
    ("confirm.txt", include_str!("letters/confirm.txt")),
    ("confirm.html", include_str!("letters/confirm.html")),
    ("reset.txt", include_str!("letters/reset.txt")),
    ("reset.html", include_str!("letters/reset.html")),
    ("registered.txt", include_str!("letters/registered.txt")),
    ("registered.html", include_str!("letters/registered.html")),
    ("no_account.txt", include_str!("letters/no_account.txt")),
    ("no_account.html", include_str!("letters/no_account.html")),
    ("directory.txt", include_str!("letters/directory.txt")),
    ("directory.html", include_str!("letters/directory.html")),
    ("signature.txt", include_str!("letters/signature.txt")),
    ("signature.html", include_str!("letters/signature.html")),
];

/// The letters, ready to be filled in.
pub(crate) struct Letters {
    templates: Environment<'static>,
    server_name: String,
}

impl Letters {
    /// Errors if a template is broken, which the tests of this module would have told.
    pub(crate) fn new(server_name: &str) -> Result<Self, minijinja::Error> {
        let mut templates = Environment::new();
        for (name, text) in TEMPLATES {
            templates.add_template(name, text)?;
        }
        Ok(Self {
            templates,
            server_name: server_name.to_owned(),
        })
    }

    pub(crate) fn write(&self, letter: &Letter<'_>) -> Result<Text, minijinja::Error> {
        let server = self.server_name.as_str();
        let (name, subject, values) = match letter {
            Letter::ConfirmAddress { link } => (
                "confirm",
                format!("Confirm your e-mail address for {server}"),
                context! { server, link => *link },
            ),
            Letter::ResetPassword { user_id, link } => (
                "reset",
                format!("Choose a new password for {server}"),
                context! { server, user_id => *user_id, link => *link },
            ),
            Letter::AlreadyRegistered { user_id } => (
                "registered",
                format!("You have an account on {server} already"),
                context! { server, user_id => *user_id },
            ),
            Letter::NoAccount => (
                "no_account",
                format!("No account on {server} has this address"),
                context! { server },
            ),
            Letter::PasswordInDirectory { user_id } => (
                "directory",
                format!("Your password for {server}"),
                context! { server, user_id => *user_id },
            ),
            Letter::Digest { reader, rooms } => {
                let subject = digest_subject(rooms, server);
                let rooms: Value = rooms.iter().map(DigestRoom::value).collect();
                ("digest", subject, context! { server, reader => *reader, rooms })
            }
        };
        let render = |form: &str| {
            self.templates
                .get_template(&format!("{name}.{form}"))?
                .render(&values)
        };
        Ok(Text {
            subject: one_line(&subject),
            plain: render("txt")?,
            html: render("html")?,
        })
    }
}

fn digest_subject(rooms: &[DigestRoom], server: &str) -> String {
    match rooms {
        [only] => format!("Unread messages in {}", only.name),
        [first, rest @ ..] => format!("Unread messages in {} and {} more", first.name, rest.len()),
        [] => format!("Unread messages on {server}"),
    }
}

/// A subject is one line of a length that mail programs show.
fn one_line(text: &str) -> String {
    const CHARACTERS_MAX: usize = 120;
    let visible = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter });
    visible.take(CHARACTERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(letter: &Letter<'_>) -> Text {
        Letters::new("example.org").unwrap().write(letter).unwrap()
    }

    #[test]
    fn every_letter_can_be_written_and_names_the_server() {
        let (user_id, link) = ("@alice:example.org", "https://example.org/confirm?a=1&b=2");
        for letter in [
            Letter::ConfirmAddress { link },
            Letter::ResetPassword { user_id, link },
            Letter::AlreadyRegistered { user_id },
            Letter::NoAccount,
            Letter::PasswordInDirectory { user_id },
            Letter::Digest {
                reader: "Alice",
                rooms: &[],
            },
        ] {
            let text = written(&letter);
            for form in [&text.plain, &text.html] {
                assert!(form.contains("example.org"), "{letter:?}: {form}");
            }
        }
    }

    #[test]
    fn links_are_whole_in_both_forms() {
        let link = "https://example.org/confirm?sid=1&token=2";
        let text = written(&Letter::ConfirmAddress { link });
        assert!(text.plain.contains(link), "{}", text.plain);
        let escaped = "confirm?sid=1&amp;token=2";
        assert!(text.html.contains(escaped), "{}", text.html);
    }

    #[test]
    fn what_people_write_is_text_and_not_markup() {
        let message = DigestMessage {
            sender: "<b>Bob</b>".to_owned(),
            text: Some("<script>alert(1)</script>".to_owned()),
        };
        let room = DigestRoom {
            name: "R&D".to_owned(),
            link: "https://example.org/".to_owned(),
            messages: vec![message],
            more: 3,
        };
        let text = written(&Letter::Digest {
            reader: "Alice",
            rooms: &[room],
        });
        assert!(
            !text.html.contains("<script>") && !text.html.contains("<b>Bob"),
            "{}",
            text.html
        );
        assert!(text.html.contains("R&amp;D"), "{}", text.html);
        assert!(text.plain.contains("<script>alert(1)</script>"), "{}", text.plain);
        assert_eq!(text.subject, "Unread messages in R&D");
    }
}
