//! E-mail: one SMTP transport and the letters that are sent.
//!
//! [`Mailer`] sends a [`Letter`] to an [`Address`]. Who is written to, when and why is decided by those who call it;
//! the texts stand together in [`letters`].

mod address;
mod letters;
mod mailer;

pub use self::{
    address::Address,
    letters::{DigestMessage, DigestRoom, Letter},
    mailer::{MailError, MailOptions, Mailer},
};
