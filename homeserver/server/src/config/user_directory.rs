use echorift_search::Visible;

use super::table::Table;

/// `[user_directory]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct UserDirectorySettings {
    /// Whom people can find.
    pub(crate) visible: Visible,
}

impl UserDirectorySettings {
    pub(super) fn read(table: &mut Table<'_, '_>) -> Self {
        Self {
            visible: table.choice(
                "visible",
                ("shared_rooms", Visible::SharedRooms),
                &[("everyone", Visible::Everyone)],
            ),
        }
    }
}
