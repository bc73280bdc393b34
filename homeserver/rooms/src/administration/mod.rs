//! What administrators see of rooms, whoever is in them, and do to them.

mod closing;
mod listing;
mod members;
mod reports;

pub(crate) use self::listing::PlaceKey;
pub use self::{
    closing::ClosedRoom,
    listing::{NoPlace, RoomOrder, RoomOverview, RoomPlace, RoomsQuery},
    members::{MemberOverview, MembersQuery},
    reports::{ReportOverview, ReportsQuery, Resolution},
};
