use echorift_web::BoxFuture;
use ruma::{OwnedRoomId, OwnedUserId, ServerName};

use crate::{CallError, authorisation::MemberClaim};

/// What calls need of other servers; implemented by federation.
pub trait CallPeers: Send + Sync {
    /// Whether people here and there may call each other.
    fn may_call(&self, server: &ServerName) -> bool;

    /// Whether the operator names the server as a partner.
    fn is_partner(&self, server: &ServerName) -> bool;

    /// Who an OpenID token of `server` belongs to, in that server's words; `None` if it does not know the token
    /// (SS API § OpenID). Errors: `Peer`.
    fn openid_user<'a>(
        &'a self,
        server: &'a ServerName,
        token: &'a str,
    ) -> BoxFuture<'a, Result<Option<OwnedUserId>, CallError>>;

    /// Asks another server for a token for its SFU (MSC4195). Errors: `PeerRefused`, `Peer`.
    fn livekit_token<'a>(
        &'a self,
        server: &'a ServerName,
        request: PeerTokenRequest,
    ) -> BoxFuture<'a, Result<String, CallError>>;
}

/// What a server is asked for a token with.
#[derive(Debug, Clone)]
pub struct PeerTokenRequest {
    pub user_id: OwnedUserId,
    /// Of the SFU.
    pub url: String,
    pub room_id: OwnedRoomId,
    pub slot_id: String,
    pub member: MemberClaim,
}
