//! Room aliases of this server (CS API § Room aliases).

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
};

use dashmap::DashSet;
use echorift_storage::{Change, RoomNumber, StorageError, UserNumber};
use ruma::{OwnedRoomAliasId, OwnedRoomId, OwnedServerName, RoomAliasId, RoomId, RoomOrAliasId, UserId};

use crate::{Room, RoomError, Rooms, facts::CanonicalAlias, store};

/// How many servers of a room are named with its alias.
const SERVERS_MAX: usize = 50;

/// The aliases that somebody is about to make or delete: between looking and writing nobody else may.
#[derive(Default)]
pub(crate) struct AliasClaims(Arc<DashSet<OwnedRoomAliasId>>);

/// Ends the claim when dropped.
pub(crate) struct AliasClaim {
    claims: Arc<DashSet<OwnedRoomAliasId>>,
    alias: OwnedRoomAliasId,
}

impl Drop for AliasClaim {
    fn drop(&mut self) {
        self.claims.remove(&self.alias);
    }
}

/// Is told of every alias of this server, before what it does is visible to anybody.
pub trait AliasObserver: Send + Sync {
    /// The alias stands for this room from now on, and for no other.
    fn alias_made(&self, alias: &RoomAliasId, room: &RoomId);

    fn alias_gone(&self, alias: &RoomAliasId);
}

impl Rooms {
    /// Says who is told of aliases, once.
    pub fn observe_aliases(&self, observer: Arc<dyn AliasObserver>) -> bool {
        self.0.alias_observer.set(observer).is_ok()
    }

    /// Every alias of this server and the room that it stands for.
    pub async fn all_aliases(&self) -> Result<Vec<(OwnedRoomAliasId, OwnedRoomId)>, StorageError> {
        store::aliases::all(self.database()).await
    }

    pub(crate) fn tell_alias_made(&self, alias: &RoomAliasId, room: &RoomId) {
        self.0.alias_changes.fetch_add(1, Ordering::AcqRel);
        if let Some(observer) = self.0.alias_observer.get() {
            observer.alias_made(alias, room);
        }
    }

    pub(crate) fn tell_alias_gone(&self, alias: &RoomAliasId) {
        self.0.alias_changes.fetch_add(1, Ordering::AcqRel);
        if let Some(observer) = self.0.alias_observer.get() {
            observer.alias_gone(alias);
        }
    }

    /// The room that an alias of this server stands for. Errors: `NotFound`, `RemoteAlias`.
    pub async fn room_by_alias(&self, alias: &RoomAliasId) -> Result<Arc<Room>, RoomError> {
        let room = match self.find_alias(alias).await? {
            Some(found) => self.load(&[found.room]).await?.pop(),
            None => None,
        };
        room.ok_or_else(|| unknown(alias))
    }

    /// The room that an alias stands for, on whatever server, and servers that are in it.
    ///
    /// Errors: `NotFound`, and what asking the alias's server meets.
    pub async fn resolve_alias(
        &self,
        alias: &RoomAliasId,
    ) -> Result<(OwnedRoomId, Vec<OwnedServerName>), RoomError> {
        if alias.server_name() == self.server_name() {
            let room = match self.room_by_alias(alias).await {
                Err(RoomError::NotFound(_)) if self.ask_services_for(alias).await => {
                    self.room_by_alias(alias).await?
                }
                found => found?,
            };
            let mut servers = self.servers_in(&room);
            // Who asks here is best served here; a room that nobody is in is still known here.
            servers.retain(|server| server != self.server_name());
            servers.insert(0, self.server_name().to_owned());
            servers.truncate(SERVERS_MAX);
            return Ok((room.id.clone(), servers));
        }
        let found = self.peers()?.resolve_alias(alias).await?;
        found.ok_or_else(|| unknown(alias))
    }

    /// The ID of the room that somebody names by its ID or by an alias, and servers to reach it by.
    ///
    /// Errors: as [`Rooms::resolve_alias`], and `BadRequest`.
    pub async fn locate(
        &self,
        name: &RoomOrAliasId,
        via: &[OwnedServerName],
    ) -> Result<(OwnedRoomId, Vec<OwnedServerName>), RoomError> {
        if let Ok(alias) = <&RoomAliasId>::try_from(name) {
            let (id, mut servers) = self.resolve_alias(alias).await?;
            servers.extend(
                via.iter()
                    .filter(|server| !servers.contains(server))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
            return Ok((id, servers));
        }
        let id =
            <&RoomId>::try_from(name).map_err(|_| RoomError::BadRequest("This is no room ID.".to_owned()))?;
        let mut servers = via.to_vec();
        servers.extend(crate::hierarchy::home_of(id).filter(|home| !via.contains(home)));
        Ok((id.to_owned(), servers))
    }

    async fn find_alias(
        &self,
        alias: &RoomAliasId,
    ) -> Result<Option<store::aliases::StoredAlias>, RoomError> {
        if alias.server_name() != self.server_name() {
            return Err(RoomError::RemoteAlias(alias.to_owned()));
        }
        Ok(store::aliases::find(self.database(), alias).await?)
    }

    /// The aliases of these rooms on this server, sorted. One query.
    pub async fn aliases_of(
        &self,
        rooms: &[RoomNumber],
    ) -> Result<HashMap<RoomNumber, Vec<OwnedRoomAliasId>>, StorageError> {
        let mut aliases: HashMap<RoomNumber, Vec<OwnedRoomAliasId>> = HashMap::new();
        for (room, alias) in store::aliases::of_rooms(self.database(), rooms).await? {
            aliases.entry(room).or_default().push(alias);
        }
        Ok(aliases)
    }

    /// The aliases of a room, for its members; everyone may see those of a world-readable room. Errors: `NotJoined`.
    pub async fn aliases_seen_by(
        &self,
        room: &Room,
        user: &UserId,
    ) -> Result<Vec<OwnedRoomAliasId>, RoomError> {
        let state = room.view().state.clone();
        if !self.is_world_readable(&state).await? {
            self.check_joined(room, user).await?;
        }
        Ok(self
            .aliases_of(&[room.number])
            .await?
            .remove(&room.number)
            .unwrap_or_default())
    }

    /// Keeps an alias for the caller while it writes. Errors: `AliasTaken`, `RemoteAlias`.
    pub(crate) async fn claim_alias(&self, alias: &RoomAliasId) -> Result<AliasClaim, RoomError> {
        let claims = Arc::clone(&self.0.alias_claims.0);
        if !claims.insert(alias.to_owned()) {
            return Err(RoomError::AliasTaken(alias.to_owned()));
        }
        let claim = AliasClaim {
            claims,
            alias: alias.to_owned(),
        };
        match self.find_alias(alias).await? {
            Some(_) => Err(RoomError::AliasTaken(alias.to_owned())),
            None => Ok(claim),
        }
    }

    /// Gives a room an alias of this server. Any member of the room may. Errors: `AliasTaken`, `RemoteAlias`,
    /// `NotJoined`.
    pub async fn create_alias(
        &self,
        alias: &RoomAliasId,
        room: &Room,
        creator: &UserId,
    ) -> Result<(), RoomError> {
        self.check_joined(room, creator).await?;
        let _claim = self.claim_alias(alias).await?;
        let mut change = Change::new();
        store::aliases::insert(&mut change, alias, room.number, self.user_number(creator).await?);
        self.tell_alias_made(alias, &room.id);
        Ok(self.database().writer().commit(change).await?)
    }

    /// Takes an alias away, and the room's canonical alias with it if it was that one.
    ///
    /// It takes whoever made it, someone who may set the room's canonical alias, or an administrator.
    /// Errors: `NotFound`, `RemoteAlias`, `Forbidden`.
    pub async fn delete_alias(
        &self,
        alias: &RoomAliasId,
        user: &UserId,
        is_admin: bool,
    ) -> Result<(), RoomError> {
        let found = self.find_alias(alias).await?.ok_or_else(|| unknown(alias))?;
        let room = self
            .load(&[found.room])
            .await?
            .pop()
            .ok_or_else(|| unknown(alias))?;
        if !is_admin && !self.may_delete_alias(&room, user, found.creator).await? {
            return Err(RoomError::Forbidden("You may not delete this alias.".to_owned()));
        }
        let mut change = Change::new();
        store::aliases::delete(&mut change, alias);
        self.database().writer().commit(change).await?;
        self.tell_alias_gone(alias);
        self.drop_from_canonical(&room, alias, user).await
    }

    async fn may_delete_alias(
        &self,
        room: &Room,
        user: &UserId,
        creator: UserNumber,
    ) -> Result<bool, RoomError> {
        let number = self.user_number(user).await?;
        if number == creator {
            return Ok(true);
        }
        let view = room.view();
        let (levels, _) = self.power_levels(room, &view.state).await?;
        Ok(view.members.joined.contains(&number) && levels.can_send_state(user, "m.room.canonical_alias"))
    }

    /// Takes a deleted alias out of the room's `m.room.canonical_alias`, where its deleter may do so.
    async fn drop_from_canonical(
        &self,
        room: &Arc<Room>,
        alias: &RoomAliasId,
        user: &UserId,
    ) -> Result<(), RoomError> {
        let state = room.view().state.clone();
        let Some(mut canonical) = self
            .state_content::<CanonicalAlias>(&state, "m.room.canonical_alias")
            .await?
        else {
            return Ok(());
        };
        if !canonical.remove(alias) {
            return Ok(());
        }
        let draft = canonical.draft(user)?;
        match self.append(room, draft).await {
            // The alias is gone either way; whoever may change the room's canonical alias will.
            Ok(_) | Err(RoomError::Refused(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What a new `m.room.canonical_alias` must hold: aliases that it adds are well-formed and stand for this room
    /// (CS API § Room aliases).
    ///
    /// Errors: `BadRequest` for what is no alias, `BadAlias` for one of another room or of none.
    pub async fn check_canonical_alias(&self, room: &Room, content: &str) -> Result<(), RoomError> {
        let new: serde_json::Value =
            serde_json::from_str(content).map_err(|error| RoomError::BadRequest(error.to_string()))?;
        let state = room.view().state.clone();
        let old: Option<serde_json::Value> = self.state_content(&state, "m.room.canonical_alias").await?;
        let old = old
            .as_ref()
            .map(named_aliases)
            .transpose()
            .ok()
            .flatten()
            .unwrap_or_default();
        for alias in named_aliases(&new)? {
            if old.contains(&alias) {
                continue;
            }
            let alias = RoomAliasId::parse(alias)
                .map_err(|error| RoomError::BadRequest(format!("{alias:?} is not an alias: {error}.")))?;
            match self.find_alias(&alias).await {
                Ok(Some(found)) if found.room == room.number => {}
                Ok(_) | Err(RoomError::RemoteAlias(_)) => return Err(RoomError::BadAlias(alias)),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Every alias that the content of an `m.room.canonical_alias` names. Errors: `BadRequest` if there is something else.
fn named_aliases(content: &serde_json::Value) -> Result<Vec<&str>, RoomError> {
    use serde_json::Value;
    let not_text = || RoomError::BadRequest("Aliases must be texts.".to_owned());
    let mut named = Vec::new();
    match content.get("alias") {
        // An empty alias unsets it.
        None | Some(Value::Null) => {}
        Some(alias) => {
            named.extend(Some(alias.as_str().ok_or_else(not_text)?).filter(|alias| !alias.is_empty()));
        }
    }
    match content.get("alt_aliases") {
        None | Some(Value::Null) => {}
        Some(aliases) => {
            for alias in aliases.as_array().ok_or_else(not_text)? {
                named.push(alias.as_str().ok_or_else(not_text)?);
            }
        }
    }
    Ok(named)
}

fn unknown(alias: &RoomAliasId) -> RoomError {
    RoomError::NotFound(format!("The alias {alias} stands for no room."))
}
