//! Who gets into a call, as what, and with which rights: tokens for SFUs (MSC4195, in its three dialects).

mod claim;
mod issue;
mod openid;
mod permission;
mod token;

pub use self::claim::{MemberClaim, MemberParts, SeatClaim};
pub(crate) use self::{claim::OpenIdToken, openid::OpenIdCache, permission::Standing};
