//! `[server_notices]`: what the server itself writes to people.

use echorift_rooms::NoticeOptions;
use ruma::OwnedMxcUri;

use super::table::Table;

/// Reads `[server_notices]`.
pub(super) fn read(table: &mut Table<'_, '_>) -> NoticeSettings {
    let fix = "Write a name of a-z, 0-9 and ._=-/+ that nobody has, for example \"notices\".";
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._=-/+".contains(c);
    let parse_name = |text: &str| {
        let is_name = !text.is_empty() && !text.starts_with('_') && text.chars().all(is_letter);
        is_name.then(|| text.to_owned())
    };
    let localpart = table.parsed("localpart", "notices", parse_name, fix);
    let fix = "Write the mxc:// address of a picture that was uploaded, or nothing.";
    let parse_picture = |text: &str| {
        let url = OwnedMxcUri::from(text);
        if text.is_empty() {
            Some(None)
        } else {
            url.is_valid().then_some(Some(url))
        }
    };
    NoticeSettings {
        localpart: localpart.unwrap_or_default(),
        display_name: table.text("display_name", "Server notices"),
        avatar_url: table.parsed("avatar_url", "", parse_picture, fix).flatten(),
        room_name: table.text("room_name", "Server notices"),
    }
}

/// As whom the server writes, and where.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NoticeSettings {
    localpart: String,
    display_name: String,
    avatar_url: Option<OwnedMxcUri>,
    room_name: String,
}

impl NoticeSettings {
    pub(crate) fn options(&self) -> NoticeOptions {
        NoticeOptions {
            localpart: self.localpart.clone(),
            display_name: self.display_name.clone(),
            avatar_url: self.avatar_url.clone(),
            room_name: self.room_name.clone(),
        }
    }
}
