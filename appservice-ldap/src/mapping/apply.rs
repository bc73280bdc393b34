//! Carrying a plan out: through the one door of the rooms, in batches, each in one commit with what the directory owns
//! from then on. So a crash leaves nothing that looks as if people had done it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use echorift_accounts::{Act, ServiceAccount};
use echorift_rooms::{Entrant, Entry, JoinRequest, Room, RoomError, Rooms};
use echorift_storage::Change as Rows;
use ruma::{OwnedUserId, UserId};

use super::{
    change::{Change, Owned},
    config::RoomName,
    create,
    mapper::{Mapper, MappingError, Outcome, Plan, PlannedRoom},
    mark::{Mark, mark_after},
    store,
};

/// How many people enter or leave in one commit: the room is held for as long, some 50 ms.
const BATCH: usize = 50;
/// What those who are removed are told.
const REASON: &str = "You are in none of the directory's groups for this room any more.";

/// Makes the changes of a plan. What fails is logged and told, and keeps nothing else from being done.
pub(super) async fn run(mapper: &Mapper, plan: &Plan) -> Result<Outcome, MappingError> {
    let mut outcome = Outcome {
        drift: plan.drift().count(),
        stops: plan.stops().cloned().collect(),
        not_possible: plan.changes().filter(|change| !change.does_something()).count(),
        ..Outcome::default()
    };
    for stop in &outcome.stops {
        let room = stop.room.as_ref().map(ToString::to_string);
        let (removals, mirrored) = (stop.removals, stop.mirrored);
        tracing::error!(
            room,
            removals,
            mirrored,
            "the directory would remove so many people at once that nothing is done: look at `echorift directory plan`"
        );
    }
    if !plan.changes().any(Change::does_something) {
        return Ok(outcome);
    }
    let config = mapper.config();
    let account = ServiceAccount {
        localpart: &config.account,
        display_name: &config.account_name,
        avatar_url: None,
    };
    mapper.accounts().service_account(account).await?;
    for planned in &plan.rooms {
        let mut work = RoomWork {
            mapper,
            plan,
            planned,
            outcome: &mut outcome,
            kept_out: BTreeSet::new(),
        };
        if let Err(error) = work.run().await {
            work.failed(&error);
        }
    }
    for change in &plan.administrators.changes {
        if let Err(error) = administrate(mapper, plan, change).await {
            tracing::warn!(%error, %change, "an administrator of the directory could not be changed");
            outcome.failures.push(format!("{change}: {error}"));
        } else {
            outcome.done += 1;
        }
    }
    Ok(outcome)
}

/// The changes of one room, in the order of the plan.
struct RoomWork<'a> {
    mapper: &'a Mapper,
    plan: &'a Plan,
    planned: &'a PlannedRoom,
    outcome: &'a mut Outcome,
    /// Who could not be let in: nothing else is done for them.
    kept_out: BTreeSet<OwnedUserId>,
}

impl RoomWork<'_> {
    async fn run(&mut self) -> Result<(), MappingError> {
        let changes = &self.planned.plan.changes;
        if !changes.iter().any(Change::does_something) {
            return Ok(());
        }
        let mut room = self.planned.room().cloned();
        if let Some(Change::Create {
            kind,
            blueprint,
            within,
            ..
        }) = changes
            .iter()
            .find(|change| matches!(change, Change::Create { .. }))
        {
            let space = match within {
                Some(name) => find(self.mapper.rooms(), name).await?,
                None => None,
            };
            room = Some(create::room(self.mapper, *kind, blueprint, space.as_deref()).await?);
            self.outcome.done += 1;
        }
        let Some(room) = room else {
            return self.enter_elsewhere().await;
        };
        for change in changes {
            match change {
                Change::AddChild { space, .. } => self.add_child(space, &room).await,
                Change::Enter { .. } => {
                    let request = JoinRequest::default();
                    let (rooms, accounts) = (self.mapper.rooms(), self.mapper.accounts());
                    rooms
                        .join(accounts, &room, self.mapper.account(), request)
                        .await?;
                    self.outcome.done += 1;
                }
                _ => {}
            }
        }
        let is = |test: fn(&Change) -> bool| {
            changes
                .iter()
                .filter(move |change| test(change))
                .collect::<Vec<_>>()
        };
        for batch in is(|change| matches!(change, Change::Join { .. })).chunks(BATCH) {
            self.in_batch(&room, batch, Batch::Joins).await;
        }
        let mut powers = is(|change| matches!(change, Change::SetPower { .. } | Change::ResetPower { .. }));
        powers.retain(|change| change.users().iter().all(|user| !self.kept_out.contains(user)));
        if !powers.is_empty() {
            let set = self.set_power(&room, &powers).await;
            self.note(set, powers.len());
        }
        for batch in is(|change| matches!(change, Change::Remove { .. })).chunks(BATCH) {
            self.in_batch(&room, batch, Batch::Removals).await;
        }
        let forgotten = is(|change| matches!(change, Change::Forget { .. }));
        if !forgotten.is_empty() {
            let mut rows = Rows::new();
            self.mark(&room, &forgotten, &mut rows);
            self.mapper.rooms().database().writer().commit(rows).await?;
            self.outcome.done += forgotten.len();
        }
        Ok(())
    }

    /// Moves several people at once; if one of them may not, each alone.
    async fn in_batch(&mut self, room: &Arc<Room>, changes: &[&Change], batch: Batch) {
        let moved = self.move_people(room, changes, batch).await;
        match moved {
            Err(RoomError::Refused(_) | RoomError::Forbidden(_)) if changes.len() > 1 => {
                for change in changes {
                    let moved = self.move_people(room, &[*change], batch).await;
                    self.moved(moved, &[*change]);
                }
            }
            moved => self.moved(moved, changes),
        }
    }

    fn moved(&mut self, moved: Result<(), RoomError>, changes: &[&Change]) {
        if moved.is_err() {
            self.kept_out
                .extend(changes.iter().flat_map(|change| change.users()).cloned());
        }
        self.note(moved, changes.len());
    }

    async fn move_people(
        &self,
        room: &Arc<Room>,
        changes: &[&Change],
        batch: Batch,
    ) -> Result<(), RoomError> {
        let rooms = self.mapper.rooms();
        let also = |rows: &mut Rows, _: &ruma::EventId| self.mark(room, changes, rows);
        match batch {
            Batch::Joins => {
                let entrants: Vec<Entrant> = changes.iter().filter_map(|change| entrant(change)).collect();
                rooms.let_in(self.mapper.accounts(), room, &entrants, also).await
            }
            Batch::Removals => {
                let users: Vec<OwnedUserId> = changes
                    .iter()
                    .flat_map(|change| change.users())
                    .cloned()
                    .collect();
                rooms.lead_out(room, &users, REASON, also).await
            }
        }
    }

    async fn set_power(&self, room: &Arc<Room>, changes: &[&Change]) -> Result<(), RoomError> {
        let levels: BTreeMap<OwnedUserId, Option<i64>> = changes
            .iter()
            .filter_map(|change| match change {
                Change::SetPower { user, to, .. } => Some((user.clone(), Some(*to))),
                Change::ResetPower { user, .. } => Some((user.clone(), None)),
                _ => None,
            })
            .collect();
        let also = |rows: &mut Rows, _: &ruma::EventId| self.mark(room, changes, rows);
        let rooms = self.mapper.rooms();
        rooms
            .set_user_levels(room, self.mapper.account(), &levels, also)
            .await
    }

    async fn add_child(&mut self, space: &RoomName, channel: &Room) {
        let rooms = self.mapper.rooms();
        let added = match find(rooms, space).await {
            Ok(Some(space)) => create::add_child(rooms, self.mapper.account(), &space, &channel.id).await,
            Ok(None) => Err(RoomError::NotFound(format!("There is no space {space}."))),
            Err(error) => Err(error),
        };
        self.note(added, 1);
    }

    /// Has people join a room that only other servers are in. The first one brings it here; what is owned is written after
    /// each, for the join itself is another server's commit.
    async fn enter_elsewhere(&mut self) -> Result<(), MappingError> {
        let joins = self.planned.plan.changes.iter();
        for change in joins.filter(|change| matches!(change, Change::Join { .. })) {
            let Some(user) = change.users().first() else {
                continue;
            };
            let joined = self.join_elsewhere(user).await;
            if let Ok(room) = &joined {
                let mut rows = Rows::new();
                self.mark(room, &[change], &mut rows);
                self.mapper.rooms().database().writer().commit(rows).await?;
            }
            let was_refused = joined.is_err();
            self.note(joined.map(drop), 1);
            if was_refused {
                // The others would be refused alike, each after as long a wait.
                break;
            }
        }
        Ok(())
    }

    async fn join_elsewhere(&self, user: &UserId) -> Result<Arc<Room>, RoomError> {
        let (rooms, accounts) = (self.mapper.rooms(), self.mapper.accounts());
        let super::place::Place::Elsewhere { id, .. } = &self.planned.place else {
            return Err(RoomError::NotFound("The room is nowhere.".to_owned()));
        };
        let request = JoinRequest::default();
        match rooms.find_enterable(id).await? {
            Some(room) => {
                rooms.join(accounts, &room, user, request).await?;
                Ok(room)
            }
            None => {
                rooms
                    .join_elsewhere(accounts, id, self.planned.via(), user, request)
                    .await
            }
        }
    }

    /// Writes what the directory owns after these changes, which follow all earlier ones of the plan about these people.
    fn mark(&self, room: &Room, changes: &[&Change], rows: &mut Rows) {
        let now = self.mapper.rooms().clock().now();
        let provider = self.mapper.provider();
        let concerned = changes.iter().flat_map(|change| change.users());
        let mut marks: BTreeMap<&OwnedUserId, Option<Mark>> = concerned
            .map(|user| (user, self.planned.marks.get(user).cloned()))
            .collect();
        let last = changes.last().copied();
        for change in self
            .planned
            .plan
            .changes
            .iter()
            .filter(|change| change.does_something())
        {
            for user in change.users() {
                if let Some(mark) = marks.get_mut(user) {
                    *mark = mark_after(mark.as_ref(), change);
                }
            }
            if last.is_some_and(|last| std::ptr::eq(last, change)) {
                break;
            }
        }
        for (user, mark) in marks {
            if let Some(number) = self.plan.numbers.get(user) {
                store::put(rows, provider, (room.number, *number), mark.as_ref(), now);
            }
        }
    }

    fn note(&mut self, done: Result<(), RoomError>, count: usize) {
        match done {
            Ok(()) => self.outcome.done += count,
            Err(error) => self.failed(&error.into()),
        }
    }

    fn failed(&mut self, error: &MappingError) {
        let room = &self.planned.name;
        tracing::warn!(%room, %error, "the directory's groups could not be carried over to a room; the next run tries again");
        self.outcome.failures.push(format!("{room}: {error}"));
    }
}

#[derive(Debug, Clone, Copy)]
enum Batch {
    Joins,
    Removals,
}

fn entrant(change: &Change) -> Option<Entrant> {
    let Change::Join { user, entry, .. } = change else {
        return None;
    };
    Some(Entrant {
        user_id: user.clone(),
        entry: entry.clone().unwrap_or(Entry::Alone),
    })
}

/// The room of this name, if it is here by now.
async fn find(rooms: &Rooms, name: &RoomName) -> Result<Option<Arc<Room>>, RoomError> {
    let id = match name {
        RoomName::Id(id) => id.clone(),
        RoomName::Alias(alias) => match rooms.resolve_alias(alias).await {
            Ok((id, _)) => id,
            Err(RoomError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error),
        },
    };
    rooms.find_enterable(&id).await
}

async fn administrate(mapper: &Mapper, plan: &Plan, change: &Change) -> Result<(), MappingError> {
    let (user, group) = match change {
        Change::GrantAdministrator { user, group } => (user, Some(group)),
        Change::RevokeAdministrator { user }
        | Change::Forget {
            user,
            what: Owned::Administration,
            ..
        } => (user, None),
        _ => return Ok(()),
    };
    let Some(number) = plan.numbers.get(user).copied() else {
        return Ok(());
    };
    let now = mapper.rooms().clock().now();
    if matches!(change, Change::Forget { .. }) {
        let mut rows = Rows::new();
        store::put_administrator(&mut rows, mapper.provider(), number, None, now);
        mapper.rooms().database().writer().commit(rows).await?;
        return Ok(());
    }
    let mut details = serde_json::Map::new();
    details.extend(group.map(|group| ("group".to_owned(), group.as_str().into())));
    let act = Act {
        administrator: mapper.account().clone(),
        action: match group {
            Some(_) => "directory.grant_administrator",
            None => "directory.revoke_administrator",
        },
        target: user.to_string(),
        reason: None,
        details,
    };
    let mut remember = mapper.accounts().audit(act).await?;
    store::put_administrator(&mut remember, mapper.provider(), number, group, now);
    mapper
        .accounts()
        .set_administrator(user, group.is_some(), remember)
        .await?;
    Ok(())
}
