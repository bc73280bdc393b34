//! The tree of rooms under a space (CS API § Querying the rooms in a space).
//!
//! Rooms that nobody of this server is in are asked for at the servers that the tree names, a bounded number of them.

mod child;
#[cfg(test)]
mod remote_tests;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use echorift_storage::UserNumber;
use futures_util::{StreamExt as _, stream};
use ruma::{
    OwnedRoomId, OwnedServerName, RoomId,
    room::{RoomSummary, RoomType},
};
use serde_json::Value;

use self::child::read_children;
pub(crate) use self::child::{Child, home_of};
use crate::{
    PeerRoom, Room, RoomError, Rooms,
    summary::{Onlooker, SummarisedRoom},
};

/// How deep the tree is followed, whatever the client asks for.
const DEPTH_MAX: u64 = 50;
/// How many rooms of one tree are visited. What lies beyond is not shown.
const VISITED_MAX: usize = 5_000;
/// How many rooms other servers are asked about for one answer, and how many at a time. Their answers are kept for a
/// while, so that the next page does not ask again.
const ASKED_MAX: usize = 50;
const ASKED_AT_A_TIME: usize = 8;

/// Which part of a tree is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HierarchyQuery {
    /// How many rooms of the tree to leave out at its start.
    pub skip: usize,
    pub limit: usize,
    pub depth_max: Option<u64>,
    pub is_suggested_only: bool,
}

/// A room in the tree, with its children as stripped events that have their `origin_server_ts`.
#[derive(Debug, Clone)]
pub struct HierarchyRoom {
    pub summary: RoomSummary,
    pub children: Vec<Value>,
}

impl Rooms {
    /// A part of the tree under the room with this ID, whether this server is in that room or not.
    ///
    /// Errors: `UnknownRoom` if no server that can be asked shows it to us, `Forbidden` if the user may not see it.
    pub async fn hierarchy_of(
        &self,
        id: &RoomId,
        user: UserNumber,
        query: HierarchyQuery,
    ) -> Result<(Vec<HierarchyRoom>, bool), RoomError> {
        let known = match self.room(id).await {
            Ok(room) if self.is_followed(&room) => return self.hierarchy(&room, user, query).await,
            Ok(room) => Some(room),
            Err(RoomError::UnknownRoom(_)) => None,
            Err(error) => return Err(error),
        };
        let mut via: Vec<OwnedServerName> = home_of(id).into_iter().collect();
        if let Some(room) = &known {
            if let Some((event, ..)) = self.own_membership(room, user).await? {
                // Who invites knows the room.
                via.push(self.event(event).await?.pdu.sender.server_name().to_owned());
            }
            via.extend(self.servers_in(room));
        }
        let Some(root) = self.peer_room(id, &via, query.is_suggested_only).await? else {
            return Err(RoomError::UnknownRoom(id.to_owned()));
        };
        let onlooker = self.onlooker(Some(user)).await?;
        if !onlooker.may_see_peer_room(known.as_deref(), &root.summary) {
            return Err(RoomError::Forbidden("You may not see this room.".to_owned()));
        }
        Walk::new(self, onlooker, query).from(Node::Peer(root)).await
    }

    /// A part of the tree under `root`, depth first, and whether there is more of it.
    ///
    /// The tree is walked anew for each part, so that no node keeps anything between two requests; rooms that come or
    /// go meanwhile shift what follows.
    /// Errors: `Forbidden` if the user may not see the root.
    pub async fn hierarchy(
        &self,
        root: &Arc<Room>,
        user: UserNumber,
        query: HierarchyQuery,
    ) -> Result<(Vec<HierarchyRoom>, bool), RoomError> {
        let onlooker = self.onlooker(Some(user)).await?;
        let summary = self.summaries(std::slice::from_ref(root)).await?.pop();
        let summary = summary.filter(|summary| onlooker.may_see(summary));
        let root = summary.ok_or_else(|| RoomError::Forbidden("You may not see this room.".to_owned()))?;
        Walk::new(self, onlooker, query)
            .from(Node::Ours(Box::new(root)))
            .await
    }

    /// Whether what is stored of a room is all that there is to know: we are in it, or there are no others to ask.
    pub(crate) fn is_followed(&self, room: &Room) -> bool {
        !self.is_elsewhere(room) || self.peers().is_err()
    }

    /// A room as one of these servers tells of it; `None` if there is none to ask, or none that shows it to us.
    pub(crate) async fn peer_room(
        &self,
        id: &RoomId,
        via: &[OwnedServerName],
        is_suggested_only: bool,
    ) -> Result<Option<Arc<PeerRoom>>, RoomError> {
        let via: Vec<OwnedServerName> = via
            .iter()
            .filter(|server| *server != self.server_name())
            .cloned()
            .collect();
        let Ok(peers) = self.peers() else { return Ok(None) };
        if via.is_empty() {
            return Ok(None);
        }
        peers.hierarchy(id, &via, is_suggested_only).await
    }
}

/// A room of the tree, by who told of it.
enum Node {
    Ours(Box<SummarisedRoom>),
    Peer(Arc<PeerRoom>),
    /// A room without children of its own, as its parent's server tells of it.
    Leaf(Box<RoomSummary>),
}

impl Node {
    fn into_summary(self) -> RoomSummary {
        match self {
            Self::Ours(room) => room.summary,
            Self::Peer(room) => room.summary.clone(),
            Self::Leaf(summary) => *summary,
        }
    }
}

struct Walk<'a> {
    rooms: &'a Rooms,
    onlooker: Onlooker,
    query: HierarchyQuery,
    /// Each room is shown where it comes first, which also ends circles.
    seen: HashSet<OwnedRoomId>,
    /// How many rooms other servers may still be asked about.
    asks_left: usize,
}

impl<'a> Walk<'a> {
    fn new(rooms: &'a Rooms, onlooker: Onlooker, query: HierarchyQuery) -> Self {
        Self {
            rooms,
            onlooker,
            query,
            seen: HashSet::new(),
            asks_left: ASKED_MAX,
        }
    }

    async fn from(mut self, root: Node) -> Result<(Vec<HierarchyRoom>, bool), RoomError> {
        let wanted = self.query.skip.saturating_add(self.query.limit);
        let depth_max = self.query.depth_max.unwrap_or(DEPTH_MAX).min(DEPTH_MAX);
        self.seen.insert(match &root {
            Node::Ours(room) => room.room.id.clone(),
            Node::Peer(room) => room.summary.room_id.clone(),
            Node::Leaf(summary) => summary.room_id.clone(),
        });
        let mut stack = vec![(root, 0_u64)];
        let (mut visited, mut found) = (0_usize, Vec::new());
        while let Some((room, depth)) = stack.pop() {
            if visited == wanted || visited == VISITED_MAX {
                return Ok((found, visited == wanted));
            }
            let children = self.children(&room).await?;
            if depth < depth_max {
                let next = self.open(&room, &children).await?;
                stack.extend(
                    next.into_iter()
                        .rev()
                        .map(|child| (child, depth.saturating_add(1))),
                );
            }
            visited = visited.saturating_add(1);
            if visited > self.query.skip {
                found.push(HierarchyRoom {
                    summary: room.into_summary(),
                    children: children.into_iter().map(|child| child.event).collect(),
                });
            }
        }
        Ok((found, false))
    }

    async fn children(&self, parent: &Node) -> Result<Vec<Child>, RoomError> {
        let is_suggested_only = self.query.is_suggested_only;
        match parent {
            Node::Ours(room) => self.rooms.children_of_space(room, is_suggested_only).await,
            Node::Peer(room) => Ok(read_children(
                room.children_state.iter().cloned(),
                is_suggested_only,
            )),
            Node::Leaf(_) => Ok(Vec::new()),
        }
    }

    /// Those of the children that were not met before and may be shown, in their order.
    async fn open(&mut self, parent: &Node, children: &[Child]) -> Result<Vec<Node>, RoomError> {
        let new: Vec<&Child> = children
            .iter()
            .filter(|child| !self.seen.contains(&child.room_id))
            .collect();
        let ids: Vec<OwnedRoomId> = new.iter().map(|child| child.room_id.clone()).collect();
        let numbers = self.rooms.room_numbers(&ids).await?;
        let known = self.rooms.load(&numbers).await?;
        let summaries = self.rooms.summaries(&known).await?;
        let mut ours: HashMap<OwnedRoomId, SummarisedRoom> = summaries
            .into_iter()
            .map(|summary| (summary.room.id.clone(), summary))
            .collect();
        let is_foreign = |child: &&&Child| {
            ours.get(&child.room_id)
                .is_none_or(|known| !self.rooms.is_followed(&known.room))
        };
        let foreign: Vec<&Child> = new.iter().filter(is_foreign).copied().collect();
        let mut theirs = self.told_by_parent(parent, &foreign);
        let unknown = foreign
            .into_iter()
            .filter(|child| !theirs.contains_key(&child.room_id));
        let unknown: Vec<&Child> = unknown.collect();
        theirs.extend(
            self.ask(&unknown)
                .await?
                .into_iter()
                .map(|(id, node)| (id, Some(node))),
        );

        let mut opened = Vec::new();
        for child in new {
            let known = ours.remove(&child.room_id);
            let node = match theirs.remove(&child.room_id) {
                Some(Some(node)) => {
                    let room = known.as_ref().map(|known| &*known.room);
                    let summary = match &node {
                        Node::Peer(peer) => &peer.summary,
                        Node::Leaf(summary) => summary,
                        Node::Ours(room) => &room.summary,
                    };
                    self.onlooker.may_see_peer_room(room, summary).then_some(node)
                }
                // Closed to all of us.
                Some(None) => None,
                None => known
                    .filter(|known| self.onlooker.may_see(known))
                    .map(|known| Node::Ours(Box::new(known))),
            };
            // An event names a room once in a state, so that no child stands here twice.
            if let Some(node) = node {
                self.seen.insert(child.room_id.clone());
                opened.push(node);
            }
        }
        Ok(opened)
    }

    /// What the server that told of the parent has said of these children already: spaces are asked for all the same,
    /// because their own children are needed. `None` for those that are closed to us.
    fn told_by_parent(&self, parent: &Node, children: &[&Child]) -> HashMap<OwnedRoomId, Option<Node>> {
        let Node::Peer(parent) = parent else {
            return HashMap::new();
        };
        let told = children.iter().filter_map(|child| {
            if parent.inaccessible.contains(&child.room_id) {
                return Some((child.room_id.clone(), None));
            }
            let summary = parent
                .children
                .iter()
                .find(|summary| summary.room_id == child.room_id)?;
            let is_leaf = summary.room_type != Some(RoomType::Space);
            is_leaf.then(|| (child.room_id.clone(), Some(Node::Leaf(Box::new(summary.clone())))))
        });
        told.collect()
    }

    /// Asks other servers about rooms that we are not in. Who cannot be reached tells nothing, and the tree goes on.
    async fn ask(&mut self, children: &[&Child]) -> Result<Vec<(OwnedRoomId, Node)>, RoomError> {
        if children.is_empty() || self.rooms.peers().is_err() {
            return Ok(Vec::new());
        }
        let is_suggested_only = self.query.is_suggested_only;
        let asks = children.iter().take(self.asks_left).map(|child| {
            let (rooms, id, via) = (self.rooms.clone(), child.room_id.clone(), child.servers());
            async move {
                let answer = rooms.peer_room(&id, &via, is_suggested_only).await;
                (id, answer)
            }
        });
        let asks: Vec<_> = asks.collect();
        self.asks_left = self.asks_left.saturating_sub(asks.len());
        let answers: Vec<_> = stream::iter(asks).buffered(ASKED_AT_A_TIME).collect().await;
        let mut found = Vec::new();
        for (id, answer) in answers {
            match answer {
                Ok(Some(room)) => found.push((id, Node::Peer(room))),
                Ok(None) | Err(RoomError::Unreachable(_) | RoomError::PeerRefused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }
}
