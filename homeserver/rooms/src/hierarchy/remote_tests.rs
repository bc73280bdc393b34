#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::unimplemented,
    reason = "tests"
)]

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use echorift_storage::Timestamp;
use ruma::{
    OwnedEventId, OwnedRoomId, OwnedServerName, RoomAliasId, RoomId, ServerName, UserId,
    room::{JoinRuleSummary, RoomSummary, RoomType},
    room_id,
};
use serde_json::{Value, json, value::RawValue};

use crate::{
    Backfilled, HierarchyQuery, HistoryPart, Order, PeerDirectory, PeerDirectoryRequest, PeerFuture,
    PeerRoom, Peers, Room, RoomError, testing::on_both_databases,
};

const ALL: HierarchyQuery = HierarchyQuery {
    skip: 0,
    limit: 100,
    depth_max: None,
    is_suggested_only: false,
};

/// Other servers that know a few rooms.
#[derive(Default)]
struct Others {
    rooms: HashMap<OwnedRoomId, Arc<PeerRoom>>,
    asked: AtomicUsize,
}

fn summary(id: &RoomId, name: &str, rule: JoinRuleSummary, is_space: bool) -> RoomSummary {
    let mut summary = RoomSummary::new(id.to_owned(), rule, false, ruma::uint!(1), false);
    summary.name = Some(name.to_owned());
    summary.room_type = is_space.then_some(RoomType::Space);
    summary
}

impl Others {
    fn know(&mut self, summary: RoomSummary, told: &[RoomSummary], inaccessible: &[&RoomId]) {
        let ids = told
            .iter()
            .map(|child| &*child.room_id)
            .chain(inaccessible.iter().copied());
        let event = |id: &RoomId| -> Value {
            json!({ "type": "m.space.child", "state_key": id, "sender": "@bob:two.example", "origin_server_ts": 1,
                    "content": { "via": ["two.example"] } })
        };
        let room = PeerRoom {
            children_state: ids.map(event).collect(),
            children: told.to_vec(),
            inaccessible: inaccessible
                .iter()
                .map(|id| (*id).to_owned())
                .collect::<HashSet<_>>(),
            summary,
        };
        self.rooms.insert(room.summary.room_id.clone(), Arc::new(room));
    }
}

impl Peers for Others {
    fn join<'a>(
        &'a self,
        _: &'a RoomId,
        _: &'a [OwnedServerName],
        _: &'a UserId,
        _: Box<RawValue>,
    ) -> PeerFuture<'a, Arc<Room>> {
        unreachable!("nothing else is asked for here")
    }

    fn knock<'a>(
        &'a self,
        _: &'a RoomId,
        _: &'a [OwnedServerName],
        _: &'a UserId,
        _: Box<RawValue>,
    ) -> PeerFuture<'a, ()> {
        unreachable!("nothing else is asked for here")
    }

    fn leave<'a>(&'a self, _: &'a Arc<Room>, _: &'a UserId, _: Box<RawValue>) -> PeerFuture<'a, ()> {
        unreachable!("nothing else is asked for here")
    }

    fn invite<'a>(
        &'a self,
        _: &'a Arc<Room>,
        _: &'a UserId,
        _: &'a UserId,
        _: Box<RawValue>,
    ) -> PeerFuture<'a, ()> {
        unreachable!("nothing else is asked for here")
    }

    fn recommend<'a>(
        &'a self,
        _: &'a Arc<Room>,
        pdu: echorift_events::Pdu,
    ) -> PeerFuture<'a, echorift_events::Pdu> {
        Box::pin(async move { Ok(pdu) })
    }

    fn resolve_alias<'a>(
        &'a self,
        alias: &'a RoomAliasId,
    ) -> PeerFuture<'a, Option<(OwnedRoomId, Vec<OwnedServerName>)>> {
        let known = alias.as_str() == "#far:two.example";
        let server = alias.server_name().to_owned();
        Box::pin(async move { Ok(known.then(|| (room_id!("!far:two.example").to_owned(), vec![server]))) })
    }

    fn backfill<'a>(&'a self, _: &'a Arc<Room>, _: HistoryPart, _: usize) -> PeerFuture<'a, Backfilled> {
        unreachable!("nothing else is asked for here")
    }

    fn hierarchy<'a>(
        &'a self,
        room_id: &'a RoomId,
        via: &'a [OwnedServerName],
        _: bool,
    ) -> PeerFuture<'a, Option<Arc<PeerRoom>>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let found = self
            .rooms
            .get(room_id)
            .filter(|_| via.iter().any(|server| server == "two.example"));
        let answer = match room_id.as_str() {
            "!away:two.example" => Err(RoomError::Unreachable("away".to_owned())),
            _ => Ok(found.cloned()),
        };
        Box::pin(async move { answer })
    }

    fn public_rooms<'a>(
        &'a self,
        _: &'a ServerName,
        _: PeerDirectoryRequest<'a>,
    ) -> PeerFuture<'a, PeerDirectory> {
        unreachable!("nothing else is asked for here")
    }

    fn event_by_time<'a>(
        &'a self,
        _: &'a Arc<Room>,
        _: Timestamp,
        _: Order,
    ) -> PeerFuture<'a, Option<(OwnedEventId, Timestamp)>> {
        unreachable!("nothing else is asked for here")
    }
}

fn others() -> Others {
    let mut others = Others::default();
    let space = summary(
        room_id!("!space:two.example"),
        "space",
        JoinRuleSummary::Public,
        true,
    );
    let leaf = summary(
        room_id!("!leaf:two.example"),
        "leaf",
        JoinRuleSummary::Public,
        false,
    );
    let closed = summary(
        room_id!("!closed:two.example"),
        "closed",
        JoinRuleSummary::Invite,
        false,
    );
    let inner = summary(
        room_id!("!inner:two.example"),
        "inner",
        JoinRuleSummary::Knock,
        true,
    );
    let far = summary(
        room_id!("!far:two.example"),
        "far",
        JoinRuleSummary::Public,
        false,
    );
    others.know(
        space,
        &[leaf, closed, inner.clone()],
        &[room_id!("!secret:two.example")],
    );
    others.know(inner, &[], &[]);
    others.know(far, &[], &[]);
    others
}

on_both_databases! {
    async fn a_tree_goes_on_in_rooms_of_other_servers(server: &TestRooms) {
        let alice = server.register("alice").await;
        let others = Arc::new(others());
        assert!(server.rooms.federate(Arc::clone(&others) as Arc<dyn Peers>));
        let request = json!({ "name": "root", "preset": "public_chat", "creation_content": { "type": "m.space" } });
        let root = server.create(&alice, request).await.unwrap();
        for child in ["!space:two.example", "!away:two.example", "!unknown:two.example"] {
            server.clock.advance_ms(1);
            let content = json!({ "via": ["two.example"] });
            server.set(&root, &alice, ("m.space.child", child), content).await.unwrap();
        }
        let user = server.number(&alice).await;
        let (rooms, _) = server.rooms.hierarchy_of(&root.id, user, ALL).await.unwrap();
        let names: Vec<&str> = rooms.iter().filter_map(|room| room.summary.name.as_deref()).collect();
        assert_eq!(names, ["root", "space", "inner", "leaf"]);
        // The three children of ours, and the inner space: leaves and secrets were told of by their parent.
        assert_eq!(others.asked.load(Ordering::SeqCst), 4);
        assert_eq!(rooms[1].children.len(), 4);

        let (rooms, _) = server.rooms.hierarchy_of(room_id!("!space:two.example"), user, ALL).await.unwrap();
        assert_eq!(rooms[0].summary.name.as_deref(), Some("space"));
        let refusal = server.rooms.hierarchy_of(room_id!("!unknown:two.example"), user, ALL).await.map(|_| ());
        assert!(matches!(refusal, Err(RoomError::UnknownRoom(_))));
    }

    async fn a_room_elsewhere_is_summarised_for_who_has_an_account(server: &TestRooms) {
        let alice = server.register("alice").await;
        let others = Arc::new(others());
        assert!(server.rooms.federate(Arc::clone(&others) as Arc<dyn Peers>));
        let alice = server.rooms.onlooker(Some(server.number(&alice).await)).await.unwrap();
        let nobody = server.rooms.onlooker(None).await.unwrap();
        let alias = <&ruma::RoomOrAliasId>::try_from("#far:two.example").unwrap();
        let (found, membership) = server.rooms.summary_of(alias, &[], &alice).await.unwrap();
        assert_eq!((found.name.as_deref(), membership), (Some("far"), None));
        let id = <&ruma::RoomOrAliasId>::try_from("!far:two.example").unwrap();
        assert!(server.rooms.summary_of(id, &[], &alice).await.is_ok());
        let asked = others.asked.load(Ordering::SeqCst);
        assert!(matches!(server.rooms.summary_of(id, &[], &nobody).await, Err(RoomError::NotFound(_))));
        assert!(server.rooms.summary_of(alias, &[], &nobody).await.is_err());
        assert_eq!(others.asked.load(Ordering::SeqCst), asked, "nobody is asked for strangers");
        let unknown = RoomAliasId::parse("#nothing:two.example").unwrap();
        assert!(matches!(server.rooms.resolve_alias(&unknown).await, Err(RoomError::NotFound(_))));
    }
}
