//! What is to be done so that the accounts are as the directory says: decided here, by comparing, and nowhere else.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use echorift_accounts::{LockOwner, MirroredPerson};
use echorift_storage::UserNumber;
use ruma::ServerName;
use serde_json::Value;

use super::settings::{MirrorConfig, field};
use super::snapshot::{Dn, ImmutableId, Person, Snapshot, Standing};

/// However few people there are, so many may be locked by one sync: a small company loses somebody, too.
const LOCKED_FLOOR: usize = 5;

/// What decides beside the snapshot and the accounts.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    pub config: &'a MirrorConfig,
    pub server_name: &'a ServerName,
    /// Who may log in; `None` for everybody.
    pub may_log_in: Option<&'a BTreeSet<ImmutableId>>,
}

/// Who is looked at.
#[derive(Debug, Clone, Copy)]
pub enum About<'a> {
    Everybody,
    /// These, and nobody else. The accounts are then those of these people, of their managers, and of whoever has one of
    /// their names.
    People(&'a BTreeSet<ImmutableId>),
}

impl About<'_> {
    fn includes(self, id: &ImmutableId) -> bool {
        match self {
            Self::Everybody => true,
            Self::People(people) => people.contains(id),
        }
    }
}

/// Why an account is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaving {
    Missing,
    NotInLoginGroup,
    Standing(Standing),
}

impl Leaving {
    /// Its name in logs, plans and the administration API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::NotInLoginGroup => "not_in_login_group",
            Self::Standing(standing) => standing.as_str(),
        }
    }
}

/// A field of a profile before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldChange {
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// One thing to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Make an account.
    Create {
        external_id: String,
        localpart: String,
        mail: Option<String>,
        fields: BTreeMap<String, Value>,
    },
    /// Write what has changed about somebody.
    Update {
        user: UserNumber,
        localpart: String,
        mail: Option<Option<String>>,
        fields: BTreeMap<String, FieldChange>,
    },
    /// Fetch the photo of the person at `dn` and make it the avatar, or without a digest take that back.
    Photo {
        id: ImmutableId,
        user: UserNumber,
        localpart: String,
        dn: Dn,
        digest: Option<String>,
    },
    Lock {
        user: UserNumber,
        localpart: String,
        why: Leaving,
    },
    Unlock {
        user: UserNumber,
        localpart: String,
    },
}

/// Somebody whom the plan leaves as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    pub who: String,
    pub what: &'static str,
}

/// Everything that is to be done; empty if the accounts are as the directory says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    pub changes: Vec<Change>,
    pub troubles: Vec<Trouble>,
    /// Accounts of the directory that are neither locked nor deactivated at present.
    pub active: usize,
}

impl Plan {
    /// How many it would lock.
    pub fn locks(&self) -> usize {
        let is_lock = |change: &&Change| matches!(change, Change::Lock { .. });
        self.changes.iter().filter(is_lock).count()
    }

    /// Without the accounts whose names somebody has whom the directory does not know.
    #[must_use]
    pub fn without_taken(mut self, taken: &HashSet<String>) -> Self {
        let changes = std::mem::take(&mut self.changes).into_iter();
        let (refused, kept): (Vec<Change>, _) = changes.partition(|change| match change {
            Change::Create { localpart, .. } => taken.contains(localpart),
            _ => false,
        });
        self.changes = kept;
        self.troubles
            .extend(refused.into_iter().filter_map(|change| match change {
                Change::Create { localpart, .. } => Some(Trouble {
                    who: localpart,
                    what: "an account that is not the directory's has this name",
                }),
                _ => None,
            }));
        self
    }

    /// The names of accounts that it would make.
    pub fn new_names(&self) -> Vec<&str> {
        let names = self.changes.iter().filter_map(|change| match change {
            Change::Create { localpart, .. } => Some(localpart.as_str()),
            _ => None,
        });
        names.collect()
    }

    /// How many it may lock without somebody's word, after so many were locked a moment ago.
    pub fn locks_max(&self, percent: u32, lately: usize) -> usize {
        let percent = usize::try_from(percent).unwrap_or(usize::MAX);
        let active = self.active.saturating_add(lately);
        let all = (active.saturating_mul(percent) / 100).max(LOCKED_FLOOR);
        all.saturating_sub(lately)
    }
}

/// One line for people.
impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { localpart, .. } => write!(formatter, "create {localpart}"),
            Self::Update {
                localpart,
                mail,
                fields,
                ..
            } => {
                write!(formatter, "update {localpart}:")?;
                for (name, change) in fields {
                    let shown =
                        |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), Value::to_string);
                    write!(
                        formatter,
                        " {name} {} -> {};",
                        shown(&change.before),
                        shown(&change.after)
                    )?;
                }
                match mail {
                    Some(_) => formatter.write_str(" the mail address;"),
                    None => Ok(()),
                }
            }
            Self::Photo {
                localpart, digest, ..
            } => {
                let act = if digest.is_some() { "take over" } else { "remove" };
                write!(formatter, "{act} the photo of {localpart}")
            }
            Self::Lock { localpart, why, .. } => write!(formatter, "lock {localpart} ({})", why.as_str()),
            Self::Unlock { localpart, .. } => write!(formatter, "unlock {localpart}"),
        }
    }
}

/// Compares the directory with the accounts that it owns. Accounts of people whom the directory does not know any more
/// are locked and never removed.
pub fn plan(snapshot: &Snapshot, accounts: &[MirroredPerson], policy: Policy<'_>, about: About<'_>) -> Plan {
    let mut plan = Plan {
        active: accounts
            .iter()
            .filter(|account| account.lock.is_none() && !account.is_deactivated)
            .count(),
        ..Plan::default()
    };
    let known = Known::new(accounts);
    let place = |person: &Person| match (person.standing, policy.may_log_in) {
        (Standing::Active, Some(members)) if !members.contains(&person.id) => Err(Leaving::NotInLoginGroup),
        (Standing::Active, _) => Ok(()),
        (standing, _) => Err(Leaving::Standing(standing)),
    };
    let manager = |person: &Person| {
        let manager = snapshot.person_at(person.manager.as_ref()?)?;
        let localpart = known.localpart(manager)?;
        Some(format!("@{localpart}:{}", policy.server_name))
    };
    let doubles = LazyCell::new(|| doubles(snapshot));
    let people: Vec<&Person> = match about {
        About::Everybody => snapshot.people.values().map(Arc::as_ref).collect(),
        About::People(ids) => ids
            .iter()
            .filter_map(|id| snapshot.people.get(id).map(Arc::as_ref))
            .collect(),
    };
    for person in people {
        let place = place(person);
        let Some(account) = known.account(person) else {
            if place.is_ok() && policy.config.creates_ahead {
                create(
                    &mut plan,
                    person,
                    &known,
                    &doubles,
                    values(person, manager(person)),
                );
            }
            continue;
        };
        if account.is_deactivated {
            continue;
        }
        match (place, account.lock) {
            (Err(why), None) => plan.changes.push(Change::Lock {
                user: account.user,
                localpart: account.localpart.clone(),
                why,
            }),
            (Ok(()), Some(LockOwner::Directory)) => plan.changes.push(Change::Unlock {
                user: account.user,
                localpart: account.localpart.clone(),
            }),
            _ => {}
        }
        if place.is_ok() {
            update(
                &mut plan,
                person,
                account,
                policy.config,
                values(person, manager(person)),
            );
        }
    }
    for account in accounts {
        let id = account.external_id.as_deref().map(ImmutableId::new);
        let is_gone = id.is_some_and(|id| about.includes(&id) && !snapshot.people.contains_key(&id));
        if is_gone && account.lock.is_none() && !account.is_deactivated {
            plan.changes.push(Change::Lock {
                user: account.user,
                localpart: account.localpart.clone(),
                why: Leaving::Missing,
            });
        }
    }
    plan
}

/// The accounts by what they are looked for with.
struct Known<'a> {
    by_id: HashMap<&'a str, &'a MirroredPerson>,
    names: HashSet<&'a str>,
}

impl<'a> Known<'a> {
    fn new(accounts: &'a [MirroredPerson]) -> Self {
        let by_id = accounts
            .iter()
            .filter_map(|account| Some((account.external_id.as_deref()?, account)));
        Self {
            by_id: by_id.collect(),
            names: accounts
                .iter()
                .map(|account| account.localpart.as_str())
                .collect(),
        }
    }

    fn account(&self, person: &Person) -> Option<&'a MirroredPerson> {
        self.by_id.get(person.id.as_str()).copied()
    }

    /// What the person is called here: as their account is, though their name in the directory is another by now.
    fn localpart<'p>(&'p self, person: &'p Person) -> Option<&'p str> {
        let name = self
            .account(person)
            .map_or(&person.localpart, |account| &account.localpart);
        (!name.is_empty()).then_some(name)
    }
}

/// Names that several people have.
fn doubles(snapshot: &Snapshot) -> HashSet<&str> {
    let mut once = HashSet::new();
    let names = snapshot.people.values().map(|person| person.localpart.as_str());
    names.filter(|name| !once.insert(*name)).collect()
}

/// What the directory says of a profile: a field without a value is known to be empty.
fn values(person: &Person, manager: Option<String>) -> BTreeMap<&'static str, Option<Value>> {
    let text = |text: &Option<String>| text.clone().map(Value::from);
    let mut values = BTreeMap::from([
        (field::TITLE, text(&person.title)),
        (field::DEPARTMENT, text(&person.department)),
        (field::MANAGER, manager.map(Value::from)),
        (field::PHONE, text(&person.phone)),
    ]);
    // Nobody is left without a name because the directory has none.
    if person.display_name.is_some() {
        values.insert(field::DISPLAY_NAME, text(&person.display_name));
    }
    values
}

fn create(
    plan: &mut Plan,
    person: &Person,
    known: &Known<'_>,
    doubles: &HashSet<&str>,
    values: BTreeMap<&'static str, Option<Value>>,
) {
    let name = person.localpart.as_str();
    let what = if name.is_empty() {
        "their name cannot become a user name"
    } else if doubles.contains(name) {
        "several people of the directory have this name"
    } else if known.names.contains(name) {
        "the account of this name belongs to somebody who had the name before"
    } else {
        let fields = values
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        plan.changes.push(Change::Create {
            external_id: person.id.to_string(),
            localpart: name.to_owned(),
            mail: person.mail.clone(),
            fields: fields.collect(),
        });
        return;
    };
    plan.troubles.push(Trouble {
        who: person.dn.to_string(),
        what,
    });
}

fn update(
    plan: &mut Plan,
    person: &Person,
    account: &MirroredPerson,
    config: &MirrorConfig,
    values: BTreeMap<&'static str, Option<Value>>,
) {
    let changed = values.into_iter().filter_map(|(name, after)| {
        let before = account.fields.get(name).cloned();
        let differs = config.owned_fields.contains(name) && before != after;
        differs.then(|| (name.to_owned(), FieldChange { before, after }))
    });
    let fields: BTreeMap<_, _> = changed.collect();
    let mail = person.mail.as_ref().map(|mail| mail.to_lowercase());
    let mail = (mail != account.mail).then_some(mail);
    if mail.is_some() || !fields.is_empty() {
        plan.changes.push(Change::Update {
            user: account.user,
            localpart: account.localpart.clone(),
            mail,
            fields,
        });
    }
    let owns_avatar = config.owned_fields.contains(field::AVATAR_URL);
    let may_set = owns_avatar || !account.fields.contains_key(field::AVATAR_URL);
    // A photo that is taken back takes only an avatar with it that was made of it.
    let is_wanted = match person.photo_digest {
        Some(_) => may_set,
        None => owns_avatar,
    };
    if is_wanted && person.photo_digest != account.photo_digest {
        plan.changes.push(Change::Photo {
            id: person.id.clone(),
            user: account.user,
            localpart: account.localpart.clone(),
            dn: person.dn.clone(),
            digest: person.photo_digest.clone(),
        });
    }
}

#[cfg(test)]
mod tests;
