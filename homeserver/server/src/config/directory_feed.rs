//! `[directory.feed]`: the server that `echorift directory feed` tells what the directory holds.

use url::Url;

use super::secret::Secret;
use super::table::Table;

/// Where the process that reads the directory sends what it read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FeedSettings {
    /// Where clients reach the server.
    pub(crate) server: Url,
    /// An administrator's access token with the scope `directory`.
    pub(crate) token: Secret,
}

impl FeedSettings {
    /// `None` where the table names no server.
    pub(super) fn read(table: &mut Table<'_, '_>) -> Option<Self> {
        let server = table.text("server", "");
        let token = table.secret("token");
        if server.is_empty() {
            return None;
        }
        let url = Url::parse(&server).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if url.is_none() {
            table.refuse(
                "server",
                "is no address of a server",
                "Write where clients reach it, such as https://chat.example.org.",
            );
        }
        if token.is_none() {
            table.refuse(
                "token",
                "is not set: the server takes nothing from strangers",
                "Make an access token with the scope directory, and name its file in token_file.",
            );
        }
        let (server, token) = url.zip(token)?;
        Some(Self { server, token })
    }
}
