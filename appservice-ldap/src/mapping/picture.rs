//! Reading a room as far as it concerns a plan: from memory, with a query or two for those who are not in it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use echorift_events::{Level, PowerLevels};
use echorift_rooms::{Entry, Room, RoomError, Rooms, View};
use echorift_storage::{RoomNumber, UserNumber};
use ruma::{OwnedRoomId, OwnedUserId, events::room::member::MembershipState};
use serde::Deserialize;

use super::{
    change::Obstacle,
    config::RoomName,
    plan::{Account, Person, Picture, Power},
    target::RoomKind,
};

/// Whoever makes a room without creators that stand above all levels has this one.
const MAKER_LEVEL: i64 = 100;

/// Somebody whom a plan looks at.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub number: UserNumber,
    pub user_id: OwnedUserId,
}

/// Who is wished in a room, where members of it may join others.
pub(crate) type WishedIn = HashMap<OwnedRoomId, BTreeSet<OwnedUserId>>;

/// A room that is yet to be made: the account makes it, and may do everything in it.
pub(crate) fn of_missing(name: &RoomName, account: &OwnedUserId, subjects: &[Subject]) -> Picture {
    let person = Person {
        membership: None,
        power: Power::Usual,
        door: Ok(Some(Entry::InvitedBy(account.clone()))),
    };
    Picture {
        name: name.clone(),
        people: everybody(subjects, &person),
        users_default: 0,
        account: Account {
            user_id: account.clone(),
            is_joined: true,
            can_enter: true,
            power: Power::Creator,
            needs: MAKER_LEVEL,
        },
        mirrored: 0,
    }
}

/// A room that only other servers know: those who are wished in it try to enter by way of them.
pub(crate) fn of_elsewhere(name: &RoomName, account: &OwnedUserId, subjects: &[Subject]) -> Picture {
    let person = Person {
        membership: None,
        power: Power::Usual,
        door: Ok(None),
    };
    Picture {
        name: name.clone(),
        people: everybody(subjects, &person),
        users_default: 0,
        account: Account {
            user_id: account.clone(),
            is_joined: false,
            can_enter: false,
            power: Power::Usual,
            needs: MAKER_LEVEL,
        },
        mirrored: 0,
    }
}

fn everybody(subjects: &[Subject], person: &Person) -> BTreeMap<OwnedUserId, Person> {
    let people = subjects
        .iter()
        .map(|subject| (subject.user_id.clone(), person.clone()));
    people.collect()
}

/// A room that this server is in, or that is its own.
pub(crate) struct Reader<'a> {
    rooms: &'a Rooms,
    room: &'a Arc<Room>,
    view: Arc<View>,
    levels: PowerLevels,
    /// What everybody joins by, or what those need who are invited.
    gate: Gate,
    account: Account,
}

/// How people enter who are not invited.
enum Gate {
    Open,
    /// Members of these rooms may, if somebody vouches for them.
    Conditions {
        allowed: Vec<Arc<Room>>,
        voucher: OwnedUserId,
    },
    Closed,
}

impl<'a> Reader<'a> {
    pub async fn new(
        rooms: &'a Rooms,
        room: &'a Arc<Room>,
        account: &OwnedUserId,
    ) -> Result<Self, RoomError> {
        let view = room.view();
        let (levels, _) = rooms.power_levels(room, &view.state).await?;
        let rules = rooms.join_rules(&view.state).await?;
        let gate = if rules.join_rule == "public" {
            Gate::Open
        } else if rules.is_restricted()
            && let Some(voucher) = rooms.find_voucher(room).await?
        {
            let numbers = rooms.room_numbers(&rules.allowed_rooms()).await?;
            Gate::Conditions {
                allowed: rooms.load(&numbers).await?,
                voucher,
            }
        } else {
            Gate::Closed
        };
        let number = rooms.users().find(account.as_str()).await?.map(UserNumber);
        let is_invited = number.is_some_and(|number| view.members.invited.contains(&number));
        let account = Account {
            is_joined: number.is_some_and(|number| view.members.joined.contains(&number)),
            can_enter: is_invited || matches!(gate, Gate::Open),
            power: power_of(&levels, account),
            needs: levels.level_for_state("m.room.power_levels"),
            user_id: account.clone(),
        };
        Ok(Self {
            rooms,
            room,
            view,
            levels,
            gate,
            account,
        })
    }

    pub fn number(&self) -> RoomNumber {
        self.room.number
    }

    /// Those of this server who are in the room.
    pub fn joined(&self) -> impl Iterator<Item = UserNumber> + '_ {
        self.view.members.joined_local.iter().copied()
    }

    /// What kind of room it is.
    pub async fn kind(&self) -> Result<RoomKind, RoomError> {
        #[derive(Deserialize)]
        struct Create {
            #[serde(rename = "type")]
            room_type: Option<String>,
        }
        let create: Option<Create> = self
            .rooms
            .state_content(&self.view.state, "m.room.create")
            .await?;
        let is_space = create.and_then(|create| create.room_type).as_deref() == Some("m.space");
        Ok(if is_space {
            RoomKind::Space
        } else {
            RoomKind::Channel
        })
    }

    /// Whether the room, a space, was ever said to hold the other one, or to hold it no more.
    pub fn knows_child(&self, child: &OwnedRoomId) -> bool {
        self.view.state.get("m.space.child", child.as_str()).is_some()
    }

    /// Whether the account may add rooms to this space. Errors: the level that it takes.
    pub fn may_add_children(&self) -> Result<(), Obstacle> {
        let needs = self.levels.level_for_state("m.space.child");
        if self.account.is_joined && self.own_level().reaches(needs) {
            return Ok(());
        }
        Err(Obstacle::MayNotAddChildren {
            account: self.account.user_id.clone(),
            level: needs,
        })
    }

    fn own_level(&self) -> Level {
        self.levels.user_level(&self.account.user_id)
    }

    pub async fn picture(
        self,
        name: &RoomName,
        subjects: &[Subject],
        wished_in: &WishedIn,
        mirrored: usize,
    ) -> Result<Picture, RoomError> {
        let members = &self.view.members;
        let outside: Vec<UserNumber> = subjects
            .iter()
            .map(|subject| subject.number)
            .filter(|number| !members.joined.contains(number) && !members.invited.contains(number))
            .collect();
        let outside = match outside.is_empty() {
            true => HashMap::new(),
            false => self.rooms.memberships_among(self.room, &outside).await?,
        };
        let mut people = BTreeMap::new();
        for subject in subjects {
            let membership = if members.joined.contains(&subject.number) {
                Some(MembershipState::Join)
            } else if members.invited.contains(&subject.number) {
                Some(MembershipState::Invite)
            } else {
                outside.get(&subject.number).cloned()
            };
            let person = Person {
                door: self.door(subject, membership.as_ref(), wished_in),
                power: power_of(&self.levels, &subject.user_id),
                membership,
            };
            people.insert(subject.user_id.clone(), person);
        }
        Ok(Picture {
            name: name.clone(),
            people,
            users_default: self.levels.users_default(),
            account: self.account,
            mirrored,
        })
    }

    fn door(
        &self,
        subject: &Subject,
        membership: Option<&MembershipState>,
        wished_in: &WishedIn,
    ) -> Result<Option<Entry>, Obstacle> {
        if membership == Some(&MembershipState::Invite) {
            return Ok(Some(Entry::Alone));
        }
        match &self.gate {
            Gate::Open => return Ok(Some(Entry::Alone)),
            Gate::Conditions { allowed, voucher } => {
                let is_in = |room: &Arc<Room>| {
                    let is_wished = wished_in.get(&room.id);
                    room.view().members.joined.contains(&subject.number)
                        || is_wished.is_some_and(|wished| wished.contains(&subject.user_id))
                };
                if allowed.iter().any(is_in) {
                    return Ok(Some(Entry::VouchedBy(voucher.clone())));
                }
            }
            Gate::Closed => {}
        }
        let Account {
            user_id,
            is_joined,
            can_enter,
            ..
        } = &self.account;
        if (*is_joined || *can_enter) && self.levels.can_invite(user_id) {
            return Ok(Some(Entry::InvitedBy(user_id.clone())));
        }
        Err(Obstacle::MayNotInvite {
            account: user_id.clone(),
            level: self.levels.invite(),
        })
    }
}

fn power_of(levels: &PowerLevels, user: &OwnedUserId) -> Power {
    if levels.user_level(user) == Level::Creator {
        return Power::Creator;
    }
    levels
        .users()
        .get(user)
        .map_or(Power::Usual, |level| Power::Given(*level))
}
