//! How clients name a room that has no name (CS API § Calculating the display name for a room).

use echorift_rooms::{Reader, RoomError, Rooms, View};
use echorift_storage::UserNumber;
use ruma::{UInt, api::client::sync::sync_events::v3::RoomSummary};

/// How many members stand for a room.
const HEROES: usize = 5;

/// The numbers of members, and for a room without a name those members who stand for it: the first who came, the
/// reader not among them, joined ones before invited ones.
pub(crate) async fn summary_of(
    rooms: &Rooms,
    view: &View,
    reader: &Reader,
) -> Result<RoomSummary, RoomError> {
    let count = |number: usize| UInt::try_from(number).ok();
    let mut summary = RoomSummary::new();
    summary.joined_member_count = count(view.members.joined.len());
    summary.invited_member_count = count(view.members.invited.len());
    let is_named = ["m.room.name", "m.room.canonical_alias"]
        .iter()
        .any(|name| view.state.get(name, "").is_some());
    if !is_named {
        summary.heroes = rooms.user_ids(&heroes(view, reader)).await?;
    }
    Ok(summary)
}

/// Those members who stand for a room without a name.
pub(crate) fn heroes(view: &View, reader: &Reader) -> Vec<UserNumber> {
    let others = view.members.joined.iter().chain(&view.members.invited).copied();
    others.filter(|user| *user != reader.user).take(HEROES).collect()
}
