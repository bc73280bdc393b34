use std::{collections::BTreeMap, sync::Arc};

use echorift_storage::{Cells, Change, Position, Record, RoomNumber, StorageError, Tx, UserNumber};
use ruma::{
    UserId,
    push::{Action, ConditionalPushRule, EventMatchConditionData, PushCondition, Ruleset},
};
use serde_json::{
    Value, json,
    value::{RawValue, to_raw_value},
};

use crate::{
    AccountError, Accounts,
    account_data_cache::put,
    store::account_data::{PUT, PUT_FOR_ROOM, find_in_room, load_global, load_rooms},
};

/// Of one piece of account data. `m.direct` of a busy user takes some 100 KB.
const CONTENT_BYTES_MAX: usize = 512 * 1024;
const TYPE_BYTES_MAX: usize = 255;
/// How many types a user may have globally, and how many pieces for all rooms together; more is a client gone wild.
const TYPES_MAX: usize = 1_000;
const ROOM_PIECES_MAX: usize = 50_000;
/// Of all that a user keeps globally, and for rooms: it is all in memory while they are about.
const GLOBAL_BYTES_MAX: usize = 16 * 1024 * 1024;
const ROOM_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Content of account data, and the position at which it became visible.
#[derive(Debug, Clone)]
pub struct AccountDatum {
    pub content: Arc<RawValue>,
    pub position: Position,
}

/// Account data by its type.
pub type TypedAccountData = BTreeMap<Arc<str>, AccountDatum>;
/// The global account data of a user.
pub type GlobalAccountData = TypedAccountData;
/// A user's account data for rooms, by room. Cloning and changing one room's shares the others.
pub type RoomAccountDataOfUser = imbl::HashMap<RoomNumber, Arc<TypedAccountData>>;

/// The push rules of a user who has not changed any (CS API § Push rules): what `m.push_rules` holds at first.
pub fn default_push_rules(user: &UserId) -> Ruleset {
    let mut rules = Ruleset::server_default(user);
    // Clients that decide for themselves what to show of encrypted events switch it on (MSC4028). Behind the rule that
    // silences everything, and so behind what users add.
    let encrypted = EventMatchConditionData::new("type".to_owned(), "m.room.encrypted".to_owned());
    let (at, _) = rules.override_.insert_full(ConditionalPushRule {
        actions: vec![Action::Notify],
        default: true,
        enabled: false,
        rule_id: ".org.matrix.msc4028.encrypted_event".to_owned(),
        conditions: vec![PushCondition::EventMatch(encrypted)],
    });
    rules.override_.move_index(at, 1);
    rules
}

/// What `m.push_rules` holds for these rules. Kinds without a rule are there as well: not all clients look before they
/// read one. Errors: of the serialisation, which this type cannot meet.
pub fn push_rules_content(rules: &Ruleset) -> Result<Value, serde_json::Error> {
    let mut global = serde_json::to_value(rules)?;
    if let Some(kinds) = global.as_object_mut() {
        for kind in ["override", "content", "room", "sender", "underride"] {
            kinds.entry(kind).or_insert_with(|| json!([]));
        }
    }
    Ok(json!({ "global": global }))
}

impl Accounts {
    /// All global account data of a user; from memory after the first call.
    pub async fn global_account_data(
        &self,
        user: UserNumber,
    ) -> Result<Arc<GlobalAccountData>, AccountError> {
        let database = &self.0.database;
        Ok(self
            .0
            .account_data
            .global
            .get(user, async || load_global(database, user).await)
            .await?)
    }

    /// All account data that a user has for rooms, tags and fully-read markers included; from memory after the
    /// first call.
    pub async fn room_account_data(
        &self,
        user: UserNumber,
    ) -> Result<Arc<RoomAccountDataOfUser>, AccountError> {
        let database = &self.0.database;
        Ok(self
            .0
            .account_data
            .rooms
            .get(user, async || load_rooms(database, user).await)
            .await?)
    }

    /// Writes global account data; the position at which it is visible. Errors: `TooLarge`, `Storage`.
    pub async fn set_global_account_data(
        &self,
        user: UserNumber,
        data_type: &str,
        content: Box<RawValue>,
    ) -> Result<(), AccountError> {
        judge_size(data_type, &content)?;
        let existing = self.global_account_data(user).await?;
        let others = existing.iter().filter(|(known, _)| ***known != *data_type);
        judge_total(others.map(|(_, datum)| datum), &content, GLOBAL_BYTES_MAX)?;
        if existing.len() >= TYPES_MAX && !existing.contains_key(data_type) {
            return Err(AccountError::TooLarge {
                what: "the number of account data types",
                limit: TYPES_MAX,
            });
        }
        let mut change = Change::new();
        let record = change.record(Record::AccountData { user });
        let cells = Cells::new().with(user).with(data_type).with(content.get());
        change.write_at(&PUT, cells, record);
        let (cache, data_type, content) = (
            self.0.account_data.global.clone(),
            Arc::from(data_type),
            content.into(),
        );
        change.on_commit(move |position| {
            let datum = AccountDatum { content, position };
            cache.apply(user, move |data| put(data, &data_type, &datum));
        });
        Ok(self.0.database.writer().commit(change).await?)
    }

    /// Writes account data for a room. Errors: `TooLarge`, `Storage`.
    pub async fn set_room_account_data(
        &self,
        user: UserNumber,
        room: RoomNumber,
        data_type: &str,
        content: Box<RawValue>,
    ) -> Result<(), AccountError> {
        judge_size(data_type, &content)?;
        self.judge_room_pieces(user, room, data_type, Some(&content))
            .await?;
        let change = self.room_account_data_change(user, room, data_type, content);
        Ok(self.0.database.writer().commit(change).await?)
    }

    /// Refuses one piece too many, or one that makes the whole too large; with `None` only the pieces count.
    async fn judge_room_pieces(
        &self,
        user: UserNumber,
        room: RoomNumber,
        data_type: &str,
        content: Option<&RawValue>,
    ) -> Result<(), AccountError> {
        let existing = self.room_account_data(user).await?;
        if let Some(content) = content {
            let pieces = existing
                .iter()
                .flat_map(|(of, data)| data.iter().map(move |piece| (of, piece)));
            let others = pieces.filter(|(of, (known, _))| **of != room || ***known != *data_type);
            judge_total(others.map(|(_, (_, datum))| datum), content, ROOM_BYTES_MAX)?;
        }
        let is_new = existing
            .get(&room)
            .is_none_or(|data| !data.contains_key(data_type));
        if is_new && existing.values().map(|data| data.len()).sum::<usize>() >= ROOM_PIECES_MAX {
            return Err(AccountError::TooLarge {
                what: "the account data for rooms",
                limit: ROOM_PIECES_MAX,
            });
        }
        Ok(())
    }

    /// Refuses to keep data for yet another room that this server does not know. Error: `TooLarge`.
    pub(crate) async fn judge_new_room(&self, user: UserNumber) -> Result<(), AccountError> {
        if self.room_account_data(user).await?.len() >= ROOM_PIECES_MAX {
            return Err(AccountError::TooLarge {
                what: "the account data for rooms",
                limit: ROOM_PIECES_MAX,
            });
        }
        Ok(())
    }

    fn room_account_data_change(
        &self,
        user: UserNumber,
        room: RoomNumber,
        data_type: &str,
        content: Box<RawValue>,
    ) -> Change {
        let mut change = Change::new();
        let record = change.record(Record::RoomAccountData { user, room });
        let cells = Cells::new()
            .with(user)
            .with(room)
            .with(data_type)
            .with(content.get());
        change.write_at(&PUT_FOR_ROOM, cells, record);
        let cache = self.0.account_data.rooms.clone();
        let (data_type, content): (Arc<str>, Arc<RawValue>) = (data_type.into(), content.into());
        change.on_commit(move |position| {
            let datum = AccountDatum { content, position };
            cache.apply(user, move |rooms| {
                let data = rooms.entry(room).or_default();
                put(Arc::make_mut(data), &data_type, &datum);
            });
        });
        change
    }

    /// Changes one piece of a room's account data from what it is (`None` if absent) to what `edit` makes of it; with
    /// `None` nothing is written. Two edits at once happen one after the other.
    pub async fn edit_room_account_data<F>(
        &self,
        user: UserNumber,
        room: RoomNumber,
        data_type: &'static str,
        edit: F,
    ) -> Result<(), AccountError>
    where
        F: FnOnce(Option<serde_json::Value>) -> Result<Option<serde_json::Value>, AccountError>
            + Send
            + 'static,
    {
        self.judge_room_pieces(user, room, data_type, None).await?;
        let accounts = self.clone();
        let step = async move |tx: &mut Tx| {
            let stored = find_in_room(tx, user, room, data_type).await?;
            let Some(edited) = edit(stored)? else {
                return Ok(());
            };
            let content = to_raw_value(&edited)
                .map_err(|error| StorageError::corrupt("room_account_data.content", error))?;
            judge_size(data_type, &content)?;
            tx.apply(accounts.room_account_data_change(user, room, data_type, content))
                .await?;
            Ok::<_, AccountError>(())
        };
        self.0
            .database
            .writer()
            .transact(move |tx| Box::pin(step_once(step, tx)))
            .await
    }
}

/// Names the future, so that it is known to be `Send`.
async fn step_once<S>(step: S, tx: &mut Tx) -> Result<(), AccountError>
where
    S: AsyncFnOnce(&mut Tx) -> Result<(), AccountError>,
{
    step(tx).await
}

/// Refuses what, with the others, would be more than `limit` bytes.
fn judge_total<'a>(
    others: impl Iterator<Item = &'a AccountDatum>,
    content: &RawValue,
    limit: usize,
) -> Result<(), AccountError> {
    let others: usize = others.map(|datum| datum.content.get().len()).sum();
    if others.saturating_add(content.get().len()) > limit {
        return Err(AccountError::TooLarge {
            what: "all account data together",
            limit,
        });
    }
    Ok(())
}

fn judge_size(data_type: &str, content: &RawValue) -> Result<(), AccountError> {
    if data_type.len() > TYPE_BYTES_MAX {
        return Err(AccountError::TooLarge {
            what: "the account data type",
            limit: TYPE_BYTES_MAX,
        });
    }
    if content.get().len() > CONTENT_BYTES_MAX {
        return Err(AccountError::TooLarge {
            what: "the account data",
            limit: CONTENT_BYTES_MAX,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn all_pieces_together_have_a_bound() {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let datum = |text: &str| AccountDatum {
            content: raw(text).into(),
            position: Position(1),
        };
        let others = [datum("[1]"), datum("[2]")];
        assert!(judge_total(others.iter(), &raw("[34]"), 10).is_ok());
        assert!(matches!(
            judge_total(others.iter(), &raw("[345]"), 10),
            Err(AccountError::TooLarge { limit: 10, .. })
        ));
    }
}
