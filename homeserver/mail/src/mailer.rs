use std::{fmt, sync::Arc, time::Duration};

use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, MultiPart},
    transport::smtp::{AsyncSmtpTransportBuilder, PoolConfig, authentication::Credentials},
};
use tokio::sync::Semaphore;

use crate::{Address, Letter, letters::Letters};

/// How many letters are handed over at the same moment, each on a connection of its own.
const CONNECTIONS_MAX: u32 = 4;
/// How long a letter may wait for its turn and take to be handed over, all in all.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the mail server may be silent.
const SILENCE_MAX: Duration = Duration::from_secs(15);

/// What the operator configures (`[email]`).
#[derive(Clone, PartialEq, Eq)]
pub struct MailOptions {
    /// `smtp://host:25`, `smtps://host:465`, `smtp://host:587?tls=required` (STARTTLS).
    pub smtp: String,
    /// User name and password, where the mail server wants them.
    pub credentials: Option<(String, String)>,
    /// Who the letters are from: `EchoRift <echorift@example.org>`.
    pub from: String,
    /// How the server calls itself in the letters.
    pub server_name: String,
}

/// Hands letters to the company's mail server. Cheap to clone.
#[derive(Clone)]
pub struct Mailer(Arc<Inner>);

struct Inner {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    letters: Letters,
    turns: Semaphore,
}

/// Why a letter was not sent, or cannot be.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error("the address of the mail server cannot be used: {0}")]
    Server(String),
    #[error("the sender is not written as `Name <name@example.org>`")]
    Sender,
    #[error("the letter could not be written: {0}")]
    Text(#[from] minijinja::Error),
    #[error("the letter could not be put together: {0}")]
    Message(String),
    #[error("the mail server did not take the letter: {0}")]
    Refused(#[from] lettre::transport::smtp::Error),
    #[error("the mail server did not take the letter within {} seconds", SEND_TIMEOUT.as_secs())]
    TimedOut,
}

impl MailOptions {
    /// Errors: `Server`, `Sender`. Asks nobody.
    pub fn judge(&self) -> Result<(), MailError> {
        self.server().map(drop)?;
        self.sender().map(drop)
    }

    fn server(&self) -> Result<AsyncSmtpTransportBuilder, MailError> {
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(&self.smtp)
            .map_err(|error| MailError::Server(describe(&error)))?;
        let server = server.timeout(Some(SILENCE_MAX));
        Ok(match &self.credentials {
            Some((user, password)) => server.credentials(Credentials::new(user.clone(), password.clone())),
            None => server,
        })
    }

    fn sender(&self) -> Result<Mailbox, MailError> {
        self.from.parse().map_err(|_| MailError::Sender)
    }
}

impl Mailer {
    /// Errors: `Server`, `Sender`. No connection is made yet.
    pub fn new(options: &MailOptions) -> Result<Self, MailError> {
        let pool = PoolConfig::new().max_size(CONNECTIONS_MAX);
        Ok(Self(Arc::new(Inner {
            transport: options.server()?.pool_config(pool).build(),
            from: options.sender()?,
            letters: Letters::new(&options.server_name)?,
            turns: Semaphore::new(usize::try_from(CONNECTIONS_MAX).unwrap_or(1)),
        })))
    }

    /// Sends one letter, and returns when the mail server has taken it, within half a minute at most.
    ///
    /// Errors: `Refused`, `TimedOut`; none of them names the address.
    pub async fn send(&self, to: &Address, letter: &Letter<'_>) -> Result<(), MailError> {
        let message = self.compose(to, letter)?;
        let sent = tokio::time::timeout(SEND_TIMEOUT, async {
            // Never closed, so this fails only together with the process.
            let _turn = self.0.turns.acquire().await;
            self.0.transport.send(message).await
        });
        sent.await.map_err(|_| MailError::TimedOut)??;
        Ok(())
    }

    fn compose(&self, to: &Address, letter: &Letter<'_>) -> Result<Message, MailError> {
        let text = self.0.letters.write(letter)?;
        let to = to
            .as_str()
            .parse()
            .map_err(|_| MailError::Message("the address cannot be written to".to_owned()))?;
        Message::builder()
            .from(self.0.from.clone())
            .to(Mailbox::new(None, to))
            .message_id(None)
            .subject(text.subject)
            .multipart(MultiPart::alternative_plain_html(text.plain, text.html))
            .map_err(|error| MailError::Message(error.to_string()))
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailer")
    }
}

impl fmt::Debug for MailOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password, and the credentials do.
        f.debug_struct("MailOptions")
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

/// What lettre says about a URL, without the URL itself.
fn describe(error: &lettre::transport::smtp::Error) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> MailOptions {
        MailOptions {
            smtp: "smtp://localhost:25".to_owned(),
            credentials: None,
            from: "EchoRift <echorift@example.org>".to_owned(),
            server_name: "example.org".to_owned(),
        }
    }

    #[tokio::test]
    async fn what_cannot_work_is_found_before_the_first_letter() {
        assert!(Mailer::new(&options()).is_ok());
        let starttls = "smtp://mail.example.org:587?tls=required".to_owned();
        assert!(
            Mailer::new(&MailOptions {
                smtp: starttls,
                ..options()
            })
            .is_ok()
        );
        let web = "https://mail.example.org".to_owned();
        let refused = Mailer::new(&MailOptions {
            smtp: web,
            ..options()
        });
        assert!(matches!(refused, Err(MailError::Server(_))));
        let nobody = "nobody".to_owned();
        let refused = Mailer::new(&MailOptions {
            from: nobody,
            ..options()
        });
        assert!(matches!(refused, Err(MailError::Sender)));
    }

    #[tokio::test]
    async fn a_letter_has_both_forms_and_no_header_of_its_readers_making() {
        let mailer = Mailer::new(&options()).unwrap();
        let to = Address::parse("alice@example.org").unwrap();
        let room = crate::DigestRoom {
            name: "a\r\nBcc: all@example.org".to_owned(),
            link: "https://example.org/#/room".to_owned(),
            messages: Vec::new(),
            more: 0,
        };
        let letter = Letter::Digest {
            reader: "Alice",
            rooms: &[room],
        };
        let message = mailer.compose(&to, &letter).unwrap().formatted();
        let message = String::from_utf8(message).unwrap();
        let (head, body) = message.split_once("\r\n\r\n").unwrap();
        assert!(!head.contains("\nBcc:"), "{head}");
        assert!(
            body.contains("text/plain") && body.contains("text/html"),
            "{body}"
        );
    }
}
