//! The registered services of one moment, compiled.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use echorift_accounts::ApplicationService;
use regex::{RegexSet, RegexSetBuilder};
use ruma::{OwnedServerName, OwnedUserId, RoomAliasId, RoomId, ServerName, UserId};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::{
    keys::KeyPauses,
    registration::{Namespace, Registration, anchored},
};

/// How large the patterns of one kind may be, compiled: 4,000 usual ones are some 10 MB.
const PATTERNS_BYTES_MAX: usize = 256 * 1024 * 1024;
/// How much of the automaton is kept that is built while matching.
const AUTOMATON_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Which of the services: its place in the registry.
pub(crate) type ServiceIndex = u16;

/// Some of the services, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ServiceSet(Option<Arc<[ServiceIndex]>>);

impl ServiceSet {
    pub fn contains(&self, index: ServiceIndex) -> bool {
        self.iter().any(|known| known == index)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub fn iter(&self) -> impl Iterator<Item = ServiceIndex> {
        self.0.iter().flat_map(|indexes| indexes.iter().copied())
    }

    /// Those of either; nothing is copied where one holds nothing.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        match (self.is_empty(), other.is_empty()) {
            (true, _) => other.clone(),
            (_, true) => self.clone(),
            (false, false) => self.iter().chain(other.iter()).collect(),
        }
    }
}

impl FromIterator<ServiceIndex> for ServiceSet {
    fn from_iter<I: IntoIterator<Item = ServiceIndex>>(indexes: I) -> Self {
        let sorted: BTreeSet<ServiceIndex> = indexes.into_iter().collect();
        let indexes: Arc<[ServiceIndex]> = sorted.into_iter().collect();
        Self(Some(indexes).filter(|indexes| !indexes.is_empty()))
    }
}

/// One service and what it may be.
pub(crate) struct Service {
    pub index: ServiceIndex,
    pub registration: Registration,
    id: Arc<str>,
    pub sender: OwnedUserId,
    users: RegexSet,
    aliases: RegexSet,
    pub key_pauses: KeyPauses,
}

impl Service {
    /// Whether the user is its own to be, or in one of its namespaces.
    pub fn has_user(&self, user: &UserId) -> bool {
        user.server_name() == self.sender.server_name()
            && (user == self.sender || self.users.is_match(user.as_str()))
    }
}

impl ApplicationService for Service {
    fn id(&self) -> &Arc<str> {
        &self.id
    }

    fn sender(&self) -> &UserId {
        &self.sender
    }

    fn is_rate_limited(&self) -> bool {
        self.registration.is_rate_limited
    }

    fn may_be(&self, user: &UserId) -> bool {
        self.has_user(user)
    }
}

/// The patterns of one kind of all services.
struct Patterns {
    set: RegexSet,
    /// Whose each pattern is, and whether it is exclusive.
    owners: Vec<(ServiceIndex, bool)>,
}

impl Patterns {
    fn new<'a>(
        services: &'a [Registration],
        of: impl Fn(&'a Registration) -> &'a [Namespace],
    ) -> Result<Self, regex::Error> {
        let mut owners = Vec::new();
        let mut texts = Vec::new();
        for (index, service) in (0..).zip(services) {
            for namespace in of(service) {
                owners.push((index, namespace.is_exclusive));
                texts.push(anchored(&namespace.regex));
            }
        }
        Ok(Self {
            set: compile(&texts)?,
            owners,
        })
    }

    /// Whose patterns match, and whether the pattern is exclusive.
    fn matching<'a>(&'a self, text: &str) -> impl Iterator<Item = (ServiceIndex, bool)> + 'a {
        let matches = self.set.matches(text);
        self.owners
            .iter()
            .enumerate()
            .filter(move |(place, _)| matches.matched(*place))
            .map(|(_, owner)| *owner)
    }
}

fn compile(texts: &[String]) -> Result<RegexSet, regex::Error> {
    RegexSetBuilder::new(texts)
        .size_limit(PATTERNS_BYTES_MAX)
        .dfa_size_limit(AUTOMATON_BYTES_MAX)
        .build()
}

fn compile_namespaces(namespaces: &[Namespace]) -> Result<RegexSet, regex::Error> {
    let texts: Vec<String> = namespaces
        .iter()
        .map(|namespace| anchored(&namespace.regex))
        .collect();
    compile(&texts)
}

/// All services of a moment.
pub(crate) struct Registry {
    server_name: OwnedServerName,
    pub services: Vec<Arc<Service>>,
    by_token: HashMap<[u8; 32], ServiceIndex>,
    senders: HashMap<OwnedUserId, ServiceIndex>,
    users: Patterns,
    aliases: Patterns,
    rooms: Patterns,
}

impl Registry {
    /// Compiles the namespaces. Errors: patterns that are too large together.
    pub fn new(registrations: &[Registration], server_name: &ServerName) -> Result<Self, regex::Error> {
        let mut services = Vec::with_capacity(registrations.len());
        for (index, registration) in (0..).zip(registrations) {
            let sender = format!("@{}:{server_name}", registration.sender_localpart);
            // The localpart was checked when the file was read.
            let Ok(sender) = UserId::parse(sender) else {
                continue;
            };
            services.push(Arc::new(Service {
                index,
                id: registration.id.as_str().into(),
                sender,
                users: compile_namespaces(&registration.users)?,
                aliases: compile_namespaces(&registration.aliases)?,
                key_pauses: KeyPauses::default(),
                registration: registration.clone(),
            }));
        }
        let tokens = services
            .iter()
            .map(|service| (hash(&service.registration.as_token), service.index));
        let senders = services
            .iter()
            .map(|service| (service.sender.clone(), service.index));
        Ok(Self {
            server_name: server_name.to_owned(),
            by_token: tokens.collect(),
            senders: senders.collect(),
            users: Patterns::new(registrations, |service| &service.users)?,
            aliases: Patterns::new(registrations, |service| &service.aliases)?,
            rooms: Patterns::new(registrations, |service| &service.rooms)?,
            services,
        })
    }

    pub fn get(&self, index: ServiceIndex) -> Option<&Arc<Service>> {
        self.services.get(usize::from(index))
    }

    pub fn by_id(&self, id: &str) -> Option<&Arc<Service>> {
        self.services.iter().find(|service| &*service.id == id)
    }

    /// The service whose token this is. Found by a hash, which tells nothing of tokens that are nearly right, and then
    /// compared in constant time.
    pub fn of_token(&self, token: &str) -> Option<&Arc<Service>> {
        let service = self.get(*self.by_token.get(&hash(token))?)?;
        let known = service.registration.as_token.as_bytes();
        bool::from(known.ct_eq(token.as_bytes())).then_some(service)
    }

    /// The services in whose namespaces a user is, and whose sender the user is. Users of other servers are in none (AS API
    /// § Registration).
    pub fn of_user(&self, user: &UserId) -> ServiceSet {
        if user.server_name() != self.server_name {
            return ServiceSet::default();
        }
        let matching = self.users.matching(user.as_str()).map(|(index, _)| index);
        matching.chain(self.senders.get(user).copied()).collect()
    }

    /// Whether the user is for one service alone to make.
    pub fn is_exclusive_user(&self, user: &UserId) -> bool {
        self.senders.contains_key(user)
            || self
                .users
                .matching(user.as_str())
                .any(|(_, is_exclusive)| is_exclusive)
    }

    /// The services that a user belongs to, rather than being also of interest.
    pub fn owners_of_user(&self, user: &UserId) -> ServiceSet {
        let matching = self.users.matching(user.as_str());
        let owners = matching
            .filter(|(_, is_exclusive)| *is_exclusive)
            .map(|(index, _)| index);
        owners.chain(self.senders.get(user).copied()).collect()
    }

    /// The service that answers for a user, who is its alone.
    pub fn keeper_of(&self, user: &UserId) -> Option<&Arc<Service>> {
        if user.server_name() != self.server_name {
            return None;
        }
        let owners = self.owners_of_user(user);
        let mut owners = owners.iter().filter_map(|index| self.get(index));
        owners.find(|service| service.registration.url.is_some())
    }

    pub fn of_alias(&self, alias: &RoomAliasId) -> ServiceSet {
        self.aliases
            .matching(alias.as_str())
            .map(|(index, _)| index)
            .collect()
    }

    pub fn has_aliases(&self) -> bool {
        !self.aliases.owners.is_empty()
    }

    pub fn of_room(&self, room: &RoomId) -> ServiceSet {
        self.rooms
            .matching(room.as_str())
            .map(|(index, _)| index)
            .collect()
    }

    /// Whether an alias is for `service`, or (`None`) for people, to make and delete.
    pub fn may_manage_alias(&self, alias: &RoomAliasId, service: Option<&str>) -> bool {
        match service {
            Some(id) => self
                .by_id(id)
                .is_some_and(|service| service.aliases.is_match(alias.as_str())),
            None => !self
                .aliases
                .matching(alias.as_str())
                .any(|(_, is_exclusive)| is_exclusive),
        }
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use ruma::{room_alias_id, server_name, user_id};

    use super::*;

    fn service(id: &str, users: &[(&str, bool)], aliases: &[(&str, bool)]) -> Registration {
        let namespaces = |patterns: &[(&str, bool)]| {
            let namespace = |(regex, is_exclusive): &(&str, bool)| Namespace {
                regex: (*regex).to_owned(),
                is_exclusive: *is_exclusive,
            };
            patterns.iter().map(namespace).collect()
        };
        Registration {
            id: id.to_owned(),
            url: None,
            as_token: format!("token of {id}"),
            hs_token: format!("server token of {id}"),
            sender_localpart: format!("{id}bot"),
            users: namespaces(users),
            aliases: namespaces(aliases),
            rooms: Vec::new(),
            is_rate_limited: true,
            wants_ephemeral: false,
            wants_encryption: false,
            protocols: Vec::new(),
        }
    }

    #[test]
    fn users_are_found_from_the_start_of_their_id_and_on_this_server_only() {
        let services = [
            service("irc", &[("@_irc_.*", true)], &[]),
            service("log", &[("@.*", false)], &[("#log_.*", true)]),
        ];
        let registry = Registry::new(&services, server_name!("example.org")).unwrap();
        let of = |user: &UserId| registry.of_user(user).iter().collect::<Vec<_>>();
        assert_eq!(of(user_id!("@_irc_ann:example.org")), [0, 1]);
        assert_eq!(of(user_id!("@ann_irc_:example.org")), [1]);
        assert_eq!(of(user_id!("@_irc_ann:elsewhere.org")), [0; 0]);
        assert_eq!(of(user_id!("@ircbot:example.org")), [0, 1]);
        assert!(registry.is_exclusive_user(user_id!("@_irc_ann:example.org")));
        assert!(!registry.is_exclusive_user(user_id!("@ann:example.org")));
    }

    #[test]
    fn aliases_of_an_exclusive_namespace_are_the_services_alone() {
        let services = [
            service("log", &[], &[("#log_.*", true)]),
            service("irc", &[], &[]),
        ];
        let registry = Registry::new(&services, server_name!("example.org")).unwrap();
        let alias = room_alias_id!("#log_today:example.org");
        assert!(registry.may_manage_alias(alias, Some("log")));
        assert!(!registry.may_manage_alias(alias, None) && !registry.may_manage_alias(alias, Some("irc")));
        let free = room_alias_id!("#free:example.org");
        assert!(registry.may_manage_alias(free, None));
        assert!(
            !registry.may_manage_alias(free, Some("log")),
            "a service is confined to its namespaces"
        );
    }

    #[test]
    fn a_token_is_its_services() {
        let registry = Registry::new(&[service("irc", &[], &[])], server_name!("example.org")).unwrap();
        assert!(registry.of_token("token of irc").is_some());
        assert!(registry.of_token("token of ir").is_none() && registry.of_token("").is_none());
    }

    /// So many patterns are one look: this is a test of the time it takes, as a bound that only another order breaks.
    #[test]
    fn two_hundred_services_of_twenty_patterns_are_one_look() {
        let patterns = |service: usize| -> Vec<(String, bool)> {
            (0..20)
                .map(|n| (format!("@_service{service}_{n}_.*"), true))
                .collect()
        };
        let services: Vec<Registration> = (0..200)
            .map(|index| {
                let patterns = patterns(index);
                let patterns: Vec<(&str, bool)> = patterns
                    .iter()
                    .map(|(text, exclusive)| (text.as_str(), *exclusive))
                    .collect();
                service(&format!("s{index}"), &patterns, &[])
            })
            .collect();
        let registry = Registry::new(&services, server_name!("example.org")).unwrap();
        let user = user_id!("@_service123_7_ann:example.org");
        assert_eq!(registry.of_user(user).iter().collect::<Vec<_>>(), [123]);
        assert!(registry.of_user(user_id!("@ann:example.org")).is_empty());
    }
}
