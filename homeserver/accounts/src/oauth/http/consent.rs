use minijinja::{Value, context};

use super::browser::Browser;
use crate::oauth::{browsers::SignedIn, client::ClientMetadata};

/// The question whether a client may use an account.
pub(super) struct Question<'a> {
    pub(super) client: &'a ClientMetadata,
    pub(super) signed_in: &'a SignedIn,
    pub(super) device_id: &'a str,
    /// Where the answer is posted, and the hidden field that says what it is about.
    pub(super) action: &'static str,
    pub(super) field: (&'static str, &'a str),
    /// Where the person goes on who takes another account.
    pub(super) onward: String,
}

impl Question<'_> {
    /// What `consent.html` shows.
    pub(super) fn page(&self, browser: &Browser) -> Value {
        let client = self.client;
        let (field, value) = self.field;
        context! {
            action => self.action,
            field,
            value => value.to_owned(),
            onward => self.onward.as_str(),
            csrf => browser.csrf(),
            user_id => self.signed_in.user_id.as_str(),
            device_id => self.device_id,
            client => context! {
                name => client.shown_name(),
                host => client.host(),
                uri => client.client_uri.as_str(),
                tos_uri => client.tos_uri.as_deref(),
                policy_uri => client.policy_uri.as_deref(),
            },
        }
    }
}
