//! What a token that somebody made for a program may do: one table of all paths, asked wherever a session is made of a
//! token. What no line of it names takes the scope `account`, so a new endpoint is closed until it is put here.

use std::collections::BTreeSet;

use http::Method;
use percent_encoding::percent_decode_str;
use ruma::{OwnedRoomId, RoomId};

use crate::MatrixError;

/// A class of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Reading: rooms, their history, people, files.
    Read,
    /// Sending: events, redactions of one's own, receipts, typing, messages to devices, uploads.
    Send,
    /// Rooms as such: making, entering and leaving them, their state, who is in them, their webhooks.
    Manage,
    /// One's own account: profile, devices, account data, keys, push rules.
    Account,
    /// Telling what the company's directory holds, for a process that reads it; of administrators.
    Directory,
    /// Administration of the server, for administrators; all of [`Scope::Directory`] as well.
    Admin,
}

impl Scope {
    const ALL: [(&'static str, Self); 6] = [
        ("read", Self::Read),
        ("send", Self::Send),
        ("manage", Self::Manage),
        ("account", Self::Account),
        ("directory", Self::Directory),
        ("admin", Self::Admin),
    ];

    fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, scope)| *scope == self);
        found.map_or("", |(name, _)| name)
    }
}

/// What one token may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scopes {
    allowed: BTreeSet<Scope>,
    /// Only these rooms; all of them if empty.
    rooms: BTreeSet<OwnedRoomId>,
}

/// Why a list of scopes is none.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NoScopes {
    #[error("`{0}` is not a scope: they are read, send, manage, account, directory, admin and rooms:!ROOM")]
    Unknown(String),
    #[error("a token needs at least one of the scopes read, send, manage, account, directory, admin")]
    Nothing,
    #[error("a token for certain rooms cannot have the scopes account, directory and admin")]
    TooWide,
    #[error("a token can name {0} rooms at most")]
    TooManyRooms(usize),
}

/// How many rooms one token can name.
const ROOMS_MAX: usize = 50;

impl Scopes {
    /// Reads `["read", "rooms:!abc:example.org"]`.
    pub fn parse(names: &[String]) -> Result<Self, NoScopes> {
        let mut scopes = Self {
            allowed: BTreeSet::new(),
            rooms: BTreeSet::new(),
        };
        for name in names {
            if let Some((_, scope)) = Scope::ALL.iter().find(|(known, _)| known == name) {
                scopes.allowed.insert(*scope);
                continue;
            }
            let room = name.strip_prefix("rooms:").and_then(|id| RoomId::parse(id).ok());
            scopes
                .rooms
                .insert(room.ok_or_else(|| NoScopes::Unknown(name.clone()))?);
        }
        if scopes.allowed.is_empty() {
            return Err(NoScopes::Nothing);
        }
        let wide = [Scope::Account, Scope::Directory, Scope::Admin];
        let is_wide = wide.into_iter().any(|scope| scopes.allows(scope));
        if is_wide && !scopes.rooms.is_empty() {
            return Err(NoScopes::TooWide);
        }
        if scopes.rooms.len() > ROOMS_MAX {
            return Err(NoScopes::TooManyRooms(ROOMS_MAX));
        }
        Ok(scopes)
    }

    /// As [`Scopes::parse`] reads them, in one order.
    pub fn names(&self) -> Vec<String> {
        let scopes = self.allowed.iter().map(|scope| scope.name().to_owned());
        let rooms = self.rooms.iter().map(|room| format!("rooms:{room}"));
        scopes.chain(rooms).collect()
    }

    pub fn allows(&self, scope: Scope) -> bool {
        self.allowed.contains(&scope) || (scope == Scope::Directory && self.allowed.contains(&Scope::Admin))
    }

    /// Whether an administrator stays one in a request that takes this scope.
    pub(crate) fn administer(&self, needed: Option<Scope>) -> bool {
        self.allows(match needed {
            Some(Scope::Directory) => Scope::Directory,
            _ => Scope::Admin,
        })
    }

    /// The scope that the request takes, which is among these. The path is as it was sent: routes match it so, too.
    ///
    /// Errors: `M_FORBIDDEN`, which names what is missing.
    pub(crate) fn check(&self, method: &Method, path: &str) -> Result<Option<Scope>, MatrixError> {
        let Some(needed) = needed_for(method, path) else {
            return Ok(None);
        };
        if !self.allows(needed) {
            return Err(MatrixError::forbidden(format!(
                "This access token does not have the scope `{}`.",
                needed.name()
            )));
        }
        if self.rooms.is_empty() || is_for_any_room(path) {
            return Ok(Some(needed));
        }
        let is_named = room_in(path).is_some_and(|room| self.rooms.iter().any(|known| *known == room));
        if is_named {
            Ok(Some(needed))
        } else {
            Err(MatrixError::forbidden(
                "This access token is for other rooms only.",
            ))
        }
    }
}

/// A line of the table: a star stands for one part of the path, two stars at its end for all that follows.
type Line = (Method, &'static str);

/// What every token may ask, of `/_matrix/client/` and without the version.
const OPEN: [Line; 5] = [
    (Method::GET, "versions"),
    (Method::GET, "account/whoami"),
    (Method::GET, "capabilities"),
    (Method::GET, "profile/*"),
    (Method::GET, "profile/*/*"),
];

const READING: [Line; 27] = [
    (Method::GET, "sync"),
    (Method::POST, "sync"),
    (Method::POST, "org.matrix.simplified_msc3575/sync"),
    (Method::GET, "events"),
    (Method::GET, "initialSync"),
    (Method::GET, "joined_rooms"),
    (Method::GET, "rooms/**"),
    (Method::GET, "room_summary/*"),
    (Method::GET, "directory/**"),
    (Method::GET, "publicRooms"),
    (Method::POST, "publicRooms"),
    (Method::POST, "search"),
    (Method::POST, "user_directory/search"),
    (Method::GET, "user/*/filter/*"),
    (Method::POST, "user/*/filter"),
    (Method::GET, "user/*/account_data/*"),
    (Method::GET, "user/*/rooms/**"),
    (Method::GET, "presence/*/status"),
    (Method::GET, "notifications"),
    (Method::GET, "delayed_events"),
    (Method::GET, "delayed_events/*"),
    (Method::GET, "keys/changes"),
    (Method::POST, "keys/query"),
    (Method::POST, "keys/claim"),
    (Method::GET, "media/**"),
    (Method::GET, "voip/turnServer"),
    (Method::GET, "thirdparty/**"),
];

const SENDING: [Line; 12] = [
    (Method::PUT, "rooms/*/send/*/*"),
    (Method::PUT, "rooms/*/redact/*/*"),
    (Method::PUT, "rooms/*/typing/*"),
    (Method::POST, "rooms/*/receipt/*/*"),
    (Method::POST, "rooms/*/read_markers"),
    (Method::PUT, "rooms/*/delayed_event/*/*"),
    (Method::PUT, "org.matrix.msc4140/rooms/*/delayed_event/*/*"),
    (Method::POST, "delayed_events/*/*"),
    (Method::PUT, "sendToDevice/*/*"),
    (Method::PUT, "presence/*/status"),
    (Method::POST, "keys/upload"),
    (Method::POST, "media/create"),
];

const MANAGING: [Line; 16] = [
    (Method::POST, "createRoom"),
    (Method::POST, "join/*"),
    (Method::POST, "knock/*"),
    (Method::POST, "rooms/*/join"),
    (Method::POST, "rooms/*/leave"),
    (Method::POST, "rooms/*/forget"),
    (Method::POST, "rooms/*/invite"),
    (Method::POST, "rooms/*/kick"),
    (Method::POST, "rooms/*/ban"),
    (Method::POST, "rooms/*/unban"),
    (Method::POST, "rooms/*/upgrade"),
    (Method::PUT, "rooms/*/state/*"),
    (Method::PUT, "rooms/*/state/*/*"),
    (Method::PUT, "directory/room/*"),
    (Method::DELETE, "directory/room/*"),
    (Method::PUT, "directory/list/room/*"),
];

/// The scope that a request takes; `None` where any token will do.
fn needed_for(method: &Method, path: &str) -> Option<Scope> {
    let method = if *method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    if let Some(path) = path.strip_prefix("/_echorift/admin/v1/directory/")
        && (path == "feed" || path.starts_with("feed/"))
    {
        return Some(Scope::Directory);
    }
    if path.starts_with("/_echorift/admin/") || path.starts_with("/_synapse/") {
        return Some(Scope::Admin);
    }
    if let Some(path) = path.strip_prefix("/_echorift/v1/rooms/") {
        return Some(if fits("*/hooks", path) || fits("*/hooks/**", path) {
            Scope::Manage
        } else {
            Scope::Account
        });
    }
    if let Some(path) = path.strip_prefix("/_matrix/media/") {
        let path = path.split_once('/').map_or("", |(_, rest)| rest);
        return Some(match *method {
            Method::GET => Scope::Read,
            Method::POST if matches!(path, "upload" | "create") => Scope::Send,
            Method::PUT if path.starts_with("upload/") => Scope::Send,
            _ => Scope::Account,
        });
    }
    let Some(path) = versionless(path) else {
        return Some(Scope::Account);
    };
    if path.starts_with("admin/") {
        return Some(Scope::Admin);
    }
    let is_in = |lines: &[Line]| {
        lines
            .iter()
            .any(|(open, line)| open == method && fits(line, path))
    };
    if is_in(&OPEN) {
        return None;
    }
    let found = [
        (Scope::Read, &READING[..]),
        (Scope::Send, &SENDING),
        (Scope::Manage, &MANAGING),
    ];
    let found = found.into_iter().find(|(_, lines)| is_in(lines));
    Some(found.map_or(Scope::Account, |(scope, _)| scope))
}

/// What is behind `/_matrix/client/` and the version; `versions` alone has none.
fn versionless(path: &str) -> Option<&str> {
    let versioned = path.strip_prefix("/_matrix/client/")?;
    Some(versioned.split_once('/').map_or(versioned, |(_, rest)| rest))
}

/// Whether a request concerns files, which belong to no room, or itself.
fn is_for_any_room(path: &str) -> bool {
    path.starts_with("/_matrix/media/") || versionless(path).is_some_and(|path| path.starts_with("media/"))
}

/// The room that the path names by its ID.
fn room_in(path: &str) -> Option<OwnedRoomId> {
    let of_ours = path.strip_prefix("/_echorift/v1/");
    let mut parts = of_ours.or_else(|| versionless(path))?.split('/');
    let first = parts.next()?;
    let first = if first == "org.matrix.msc4140" {
        parts.next()?
    } else {
        first
    };
    if !matches!(first, "rooms" | "join" | "knock") {
        return None;
    }
    let id = percent_decode_str(parts.next()?).decode_utf8().ok()?;
    RoomId::parse(&*id).ok()
}

fn fits(line: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    for wanted in line.split('/') {
        match (wanted, parts.next()) {
            ("**", Some(_)) => return true,
            ("*", Some(_)) => {}
            (wanted, Some(part)) if wanted == part => {}
            _ => return false,
        }
    }
    parts.next().is_none()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn scopes(names: &[&str]) -> Scopes {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Scopes::parse(&names).unwrap()
    }

    fn refused(names: &[&str]) -> NoScopes {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Scopes::parse(&names).unwrap_err()
    }

    #[test]
    fn each_request_takes_the_scope_of_its_class() {
        for (method, path, needed) in [
            ("GET", "/_matrix/client/versions", None),
            ("GET", "/_matrix/client/v3/account/whoami", None),
            ("GET", "/_matrix/client/v3/sync", Some(Scope::Read)),
            ("HEAD", "/_matrix/client/v1/media/download/x/y", Some(Scope::Read)),
            ("GET", "/_matrix/client/v3/rooms/!a:x/messages", Some(Scope::Read)),
            (
                "PUT",
                "/_matrix/client/v3/rooms/!a:x/send/m.room.message/1",
                Some(Scope::Send),
            ),
            ("POST", "/_matrix/media/v3/upload", Some(Scope::Send)),
            ("PUT", "/_matrix/media/v3/upload/x/y", Some(Scope::Send)),
            (
                "PUT",
                "/_matrix/client/v3/rooms/!a:x/state/m.room.name/",
                Some(Scope::Manage),
            ),
            ("POST", "/_matrix/client/v3/rooms/!a:x/kick", Some(Scope::Manage)),
            (
                "POST",
                "/_echorift/v1/rooms/!a:x/hooks/h/rotate",
                Some(Scope::Manage),
            ),
            (
                "POST",
                "/_matrix/client/v3/account/password",
                Some(Scope::Account),
            ),
            (
                "PUT",
                "/_matrix/client/v3/profile/@a:x/displayname",
                Some(Scope::Account),
            ),
            ("GET", "/_matrix/client/v3/devices", Some(Scope::Account)),
            ("POST", "/_matrix/client/v3/logout", Some(Scope::Account)),
            ("POST", "/_echorift/v1/tokens", Some(Scope::Account)),
            ("GET", "/_echorift/admin/v1/users", Some(Scope::Admin)),
            ("POST", "/_echorift/admin/v1/directory/sync", Some(Scope::Admin)),
            (
                "POST",
                "/_echorift/admin/v1/directory/feed/readings",
                Some(Scope::Directory),
            ),
            ("GET", "/_matrix/client/v1/admin/lock/@a:x", Some(Scope::Admin)),
            ("GET", "/something/new", Some(Scope::Account)),
        ] {
            let method = Method::try_from(method).unwrap();
            assert_eq!(needed_for(&method, path), needed, "{method} {path}");
        }
    }

    #[test]
    fn a_token_for_certain_rooms_reaches_no_other() {
        let here = scopes(&["read", "send", "rooms:!a:x"]);
        for (path, is_allowed) in [
            ("/_matrix/client/v3/rooms/!a:x/messages", true),
            ("/_matrix/client/v3/rooms/%21a%3Ax/messages", true),
            ("/_matrix/client/v3/rooms/!b:x/messages", false),
            ("/_matrix/client/v3/sync", false),
            ("/_matrix/client/v3/joined_rooms", false),
            ("/_matrix/client/v1/media/download/x/y", true),
            ("/_matrix/client/v3/account/whoami", true),
        ] {
            assert_eq!(here.check(&Method::GET, path).is_ok(), is_allowed, "{path}");
        }
        let path = "/_matrix/client/v3/rooms/!a:x/kick";
        assert!(here.check(&Method::POST, path).is_err(), "that takes `manage`");
    }

    #[test]
    fn who_feeds_the_directory_does_nothing_else() {
        let feed = "/_echorift/admin/v1/directory/feed";
        for (names, is_allowed) in [(["directory"], true), (["admin"], true), (["manage"], false)] {
            assert_eq!(scopes(&names).check(&Method::GET, feed).is_ok(), is_allowed);
        }
        for path in ["/_echorift/admin/v1/users", "/_matrix/client/v3/sync"] {
            assert!(scopes(&["directory"]).check(&Method::GET, path).is_err());
        }
        let both = scopes(&["directory", "manage"]);
        let administers = |method, path| both.administer(both.check(&method, path).unwrap());
        assert!(administers(Method::GET, feed));
        assert!(!administers(
            Method::DELETE,
            "/_matrix/client/v3/directory/room/%23a:x"
        ));
    }

    #[test]
    fn scopes_are_read_as_they_are_written() {
        let names = ["read", "manage", "rooms:!a:x"];
        assert_eq!(scopes(&names).names(), names);
        assert_eq!(refused(&["write"]), NoScopes::Unknown("write".to_owned()));
        assert_eq!(refused(&["rooms:!a:x"]), NoScopes::Nothing);
        assert_eq!(refused(&["account", "rooms:!a:x"]), NoScopes::TooWide);
    }
}
