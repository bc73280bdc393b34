//! `[email]`: letters to people.

use std::time::Duration;

use echorift_mail::{MailError, MailOptions};
use ruma::ServerName;

use super::table::Table;

/// `[email]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EmailSettings {
    /// `None` without `smtp`: no letters are sent then.
    pub(crate) mail: Option<MailOptions>,
    /// How long something is unread before a letter says so.
    pub(crate) digest_delay: Duration,
    /// How long after a letter the next one may follow; doubled for who does not read, up to the longest.
    pub(crate) digest_pause: Duration,
    pub(crate) digest_pause_max: Duration,
}

impl EmailSettings {
    pub(super) fn read(table: &mut Table<'_, '_>, server_name: &ServerName) -> Self {
        let smtp = table.text("smtp", "");
        let from = table.text("from", &format!("EchoRift <echorift@{}>", server_name.host()));
        let username = table.text("username", "");
        let password = table.secret("password");
        let credentials = password.map(|password| (username.clone(), password.reveal().to_owned()));
        if !username.is_empty() && credentials.is_none() {
            table.refuse(
                "username",
                "has no password",
                "Set email.password or email.password_file.",
            );
        }
        let mail = (!smtp.is_empty()).then(|| MailOptions {
            smtp,
            credentials,
            from,
            server_name: server_name.to_string(),
        });
        match mail.as_ref().map_or(Ok(()), MailOptions::judge) {
            Ok(()) => {}
            Err(MailError::Sender) => table.refuse(
                "from",
                "cannot be understood",
                "Write a name and an address, for example \"EchoRift <echorift@example.org>\".",
            ),
            // The URL may hold a password.
            Err(error) => table.refuse_hidden(
                "smtp",
                &error.to_string(),
                "Write smtp://host:25, smtps://host:465 or smtp://host:587?tls=required.",
            ),
        }
        Self {
            mail,
            digest_delay: table.duration("digest_delay", "10m"),
            digest_pause: table.duration("digest_pause", "1h"),
            digest_pause_max: table.duration("digest_pause_max", "24h"),
        }
    }
}
