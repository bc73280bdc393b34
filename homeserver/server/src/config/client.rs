//! `[client]`: what the web client shows.

use super::table::Table;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ClientSettings {
    /// The name that it goes by.
    pub(crate) brand: String,
    pub(crate) help_url: Option<String>,
}

impl ClientSettings {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Self {
        let brand = table.text("brand", "EchoRift");
        if brand.trim().is_empty() {
            table.refuse("brand", "is empty", "Write a name, or remove it.");
        }
        let fix = "Write an address that begins with https:// or http://, or nothing.";
        let parse = |text: &str| match text {
            "" => Some(None),
            text => {
                let url = reqwest::Url::parse(text).ok()?;
                matches!(url.scheme(), "https" | "http").then(|| Some(text.to_owned()))
            }
        };
        Self {
            brand,
            help_url: table.parsed("help_url", "", parse, fix).flatten(),
        }
    }
}
