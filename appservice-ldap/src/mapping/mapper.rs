//! From the directory to the rooms: what is planned when, and by whom it is carried out.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use echorift_accounts::{AccountError, Accounts, PasswordProvider as _, ProvidedAccount};
use echorift_rooms::{Room, RoomError, Rooms};
use echorift_storage::{RoomNumber, StorageError, Timestamp, UserNumber};
use ruma::{OwnedServerName, OwnedUserId, UserId};
use tokio::sync::Mutex;

use super::{
    apply,
    change::{Change, Drift},
    config::{GroupsConfig, RoomName},
    mark::Mark,
    picture::WishedIn,
    place::{self, Place},
    plan::{RoomPlan, Stop},
    planner::{MarksOfRooms, Planner, concerns},
    roster::{Members, Roster, members_of},
    store,
    target::{Target, targets},
};
use crate::directory::{self, Directory};
use crate::mirror::{Dn, ImmutableId, Snapshot};

/// What the mapping is built with.
pub struct MapperParts {
    pub config: GroupsConfig,
    /// Whether members of a member group are members.
    pub nested_groups: bool,
    /// Whose people these are: the name of the password provider.
    pub provider: &'static str,
    pub rooms: Rooms,
    pub accounts: Accounts,
}

/// Why a plan could not be made or carried out.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    #[error(transparent)]
    Room(#[from] RoomError),
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error("what the directory owns could not be read or written: {0}")]
    Storage(#[from] StorageError),
    #[error("{0:?} cannot be the name of an account")]
    BadAccount(String),
}

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// Every room that a mapping names.
    Everything,
    /// These people, and whoever came into a mapped group or went out of it since the last run.
    People(BTreeSet<ImmutableId>),
}

/// Whether somebody has looked at a plan that looks like a mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    Missing,
    Given,
}

/// Turns groups into membership, roles and administration. Cheap to clone.
#[derive(Clone)]
pub struct Mapper(Arc<Inner>);

struct Inner {
    parts: MapperParts,
    account: OwnedUserId,
    targets: Vec<Target>,
    groups: BTreeSet<Dn>,
    /// Who was in the groups when they were last carried over. Held for a whole run, so that runs do not meet; nobody else
    /// waits for it.
    last: Mutex<Option<Members>>,
}

/// What there is to do. Made from one snapshot and one moment of the rooms.
#[derive(Default)]
pub struct Plan {
    pub(super) rooms: Vec<PlannedRoom>,
    pub(super) administrators: RoomPlan,
    pub(super) numbers: HashMap<OwnedUserId, UserNumber>,
    /// How many of the people in mapped groups have no account yet.
    pub without_account: usize,
}

pub(super) struct PlannedRoom {
    pub name: RoomName,
    pub place: Place,
    pub plan: RoomPlan,
    pub marks: BTreeMap<OwnedUserId, Mark>,
}

impl PlannedRoom {
    pub fn room(&self) -> Option<&Arc<Room>> {
        match &self.place {
            Place::Here(room) => Some(room),
            _ => None,
        }
    }

    pub fn via(&self) -> &[OwnedServerName] {
        match &self.place {
            Place::Elsewhere { via, .. } => via,
            _ => &[],
        }
    }
}

impl Plan {
    fn parts(&self) -> impl Iterator<Item = &RoomPlan> {
        let rooms = self.rooms.iter().map(|room| &room.plan);
        rooms.chain(std::iter::once(&self.administrators))
    }

    /// Every change, in the order in which they are made.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.parts().flat_map(|plan| &plan.changes)
    }

    /// Where people have made it different from what the directory wishes.
    pub fn drift(&self) -> impl Iterator<Item = &Drift> {
        self.parts().flat_map(|plan| &plan.drift)
    }

    /// Where nothing is done because it looks like a mistake.
    pub fn stops(&self) -> impl Iterator<Item = &Stop> {
        self.parts().filter_map(|plan| plan.stop.as_ref())
    }
}

/// What a run has done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Changes that were made.
    pub done: usize,
    /// Wished, and out of reach.
    pub not_possible: usize,
    pub drift: usize,
    pub stops: Vec<Stop>,
    /// What failed, in a sentence each; the next run tries again.
    pub failures: Vec<String>,
}

/// Which part of the mappings a plan is about.
pub(super) enum Scope<'a> {
    Everything,
    /// These people in the rooms of these groups.
    People {
        people: BTreeSet<ImmutableId>,
        groups: BTreeSet<&'a Dn>,
    },
}

impl Scope<'_> {
    fn covers(&self, id: &ImmutableId) -> bool {
        match self {
            Scope::Everything => true,
            Scope::People { people, .. } => people.contains(id),
        }
    }
}

impl Directory {
    /// How often the directory is read although nothing is told of it.
    pub fn sync_interval(&self) -> Duration {
        self.inner.config.mirror.interval
    }

    /// What the groups of this directory are carried over with.
    pub fn mapper_parts(&self, rooms: &Rooms, accounts: &Accounts) -> MapperParts {
        let config = &self.inner.config;
        MapperParts {
            config: config.groups.clone(),
            nested_groups: config.nested_groups,
            provider: self.name(),
            rooms: rooms.clone(),
            accounts: accounts.clone(),
        }
    }
}

impl Mapper {
    /// Errors: `BadAccount`.
    pub fn new(parts: MapperParts) -> Result<Self, MappingError> {
        let (server, config) = (parts.rooms.server_name(), &parts.config);
        let account = UserId::parse_with_server_name(config.account.as_str(), server)
            .map_err(|_| MappingError::BadAccount(config.account.clone()))?;
        Ok(Self(Arc::new(Inner {
            account,
            targets: targets(&config.mappings, server),
            groups: config
                .mappings
                .iter()
                .map(|mapping| mapping.group.clone())
                .collect(),
            last: Mutex::new(None),
            parts,
        })))
    }

    /// Whether there is anything to map.
    pub fn is_empty(&self) -> bool {
        self.0.parts.config.mappings.is_empty()
    }

    pub(super) fn config(&self) -> &GroupsConfig {
        &self.0.parts.config
    }

    /// The name of the password provider whose people these are.
    pub(super) fn provider(&self) -> &'static str {
        self.0.parts.provider
    }

    /// What metrics call the domain.
    pub(super) fn label(&self) -> &str {
        let (_, domain) = self.provider().split_once(':').unwrap_or_default();
        directory::label(domain)
    }

    pub(super) fn rooms(&self) -> &Rooms {
        &self.0.parts.rooms
    }

    pub(super) fn accounts(&self) -> &Accounts {
        &self.0.parts.accounts
    }

    pub(super) fn now(&self) -> Timestamp {
        self.0.parts.rooms.clock().now()
    }

    pub(super) fn targets(&self) -> &[Target] {
        &self.0.targets
    }

    pub(super) fn account(&self) -> &OwnedUserId {
        &self.0.account
    }

    /// Everything that there is to do, without doing it.
    pub async fn plan(&self, snapshot: &Snapshot) -> Result<Plan, MappingError> {
        let members = self.members(snapshot);
        self.plan_scope(snapshot, &members, &Scope::Everything, Approval::Missing)
            .await
    }

    /// Carries a new snapshot over to the rooms. Only what `changed` is looked at, except in the first run.
    ///
    /// A room that fails keeps nothing from the others; it is tried again at the next run that looks at everything.
    pub async fn on_snapshot(
        &self,
        snapshot: &Snapshot,
        changed: &Changed,
        approval: Approval,
    ) -> Result<Outcome, MappingError> {
        let mut last = self.0.last.lock().await;
        let members = self.members(snapshot);
        // If this run fails, the next one looks at everything.
        let before = last.take();
        let scope = match (changed, before.as_ref()) {
            (Changed::People(people), Some(before)) => self.changed_since(before, &members, people),
            _ => Scope::Everything,
        };
        if matches!(&scope, Scope::People { people, .. } if people.is_empty()) {
            *last = before;
            return Ok(Outcome::default());
        }
        let plan = self.plan_scope(snapshot, &members, &scope, approval).await?;
        let outcome = apply::run(self, &plan).await?;
        // Until all is done, everything is looked at again.
        *last = (outcome.failures.is_empty() && outcome.stops.is_empty()).then_some(members);
        Ok(outcome)
    }

    fn members(&self, snapshot: &Snapshot) -> Members {
        members_of(snapshot, &self.0.groups, self.0.parts.nested_groups)
    }

    /// The people who came into a mapped group or went out of it, those in one who changed themselves, and these groups.
    fn changed_since<'a>(
        &self,
        last: &Members,
        members: &'a Members,
        changed: &BTreeSet<ImmutableId>,
    ) -> Scope<'a> {
        let nobody = BTreeSet::new();
        let mut people = BTreeSet::new();
        let mut groups = BTreeSet::new();
        for (group, now) in members {
            let before = last.get(group);
            if before.is_some_and(|before| before.is_some() != now.is_some()) {
                // A group that came or went concerns all of its rooms.
                return Scope::Everything;
            }
            let now = now.as_ref().unwrap_or(&nobody);
            let before = before.and_then(Option::as_ref).unwrap_or(&nobody);
            let moved = before.symmetric_difference(now);
            let touched: Vec<_> = moved.chain(changed.intersection(now)).cloned().collect();
            if !touched.is_empty() {
                groups.insert(group);
                people.extend(touched);
            }
        }
        Scope::People { people, groups }
    }

    async fn plan_scope(
        &self,
        snapshot: &Snapshot,
        members: &Members,
        scope: &Scope<'_>,
        approval: Approval,
    ) -> Result<Plan, MappingError> {
        let accounts = self.load_accounts(scope).await?;
        let roster = Roster::new(accounts, snapshot);
        let targets: Vec<&Target> = self
            .0
            .targets
            .iter()
            .filter(|target| concerns(scope, target))
            .collect();
        let places = place::find(&self.0.parts.rooms, &targets).await?;
        let mut planner = Planner {
            mapper: self,
            members,
            scope,
            roster: &roster,
            approval,
            marks: self.load_marks(&places).await?,
            wishes: HashMap::new(),
            wished_in: WishedIn::new(),
            places: &places,
            numbers: HashMap::new(),
        };
        planner.wish(&targets);
        let mut rooms = Vec::with_capacity(targets.len());
        for target in targets {
            rooms.push(planner.plan(target).await?);
        }
        let administrators = planner.administrators().await?;
        let numbers = std::mem::take(&mut planner.numbers);
        let everybody: HashSet<&ImmutableId> = members.values().flatten().flatten().collect();
        let is_waiting = |id: &&&ImmutableId| scope.covers(id) && roster.account(id).is_none();
        Ok(Plan {
            rooms,
            administrators,
            numbers,
            without_account: everybody.iter().filter(is_waiting).count(),
        })
    }

    async fn load_accounts(&self, scope: &Scope<'_>) -> Result<Vec<ProvidedAccount>, MappingError> {
        let provider = self.0.parts.provider;
        let found = match scope {
            Scope::Everything => self.0.parts.accounts.provided_accounts(provider, None).await,
            Scope::People { people, .. } => {
                let ids: Vec<&str> = people.iter().map(ImmutableId::as_str).collect();
                self.0
                    .parts
                    .accounts
                    .provided_accounts(provider, Some(&ids))
                    .await
            }
        };
        Ok(found?)
    }

    async fn load_marks(&self, places: &HashMap<RoomName, Place>) -> Result<MarksOfRooms, MappingError> {
        let here = places.values().filter_map(|place| match place {
            Place::Here(room) => Some(room.number),
            _ => None,
        });
        let numbers: Vec<RoomNumber> = here.collect();
        let provider = self.0.parts.provider;
        Ok(store::of_rooms(self.0.parts.rooms.database(), provider, &numbers).await?)
    }
}
