use echorift_storage::Position;

use super::*;
use crate::{Access, ContextRequest, EventMatcher, HistoryGap, Order, PageRequest, TimelineToken};

/// A room that bob of the other server has been in, has left, and has come back to: the room there, and what was said in
/// it before, meanwhile and since.
struct Return {
    other: Other,
    there: Arc<Room>,
    old: Arc<Event>,
    meanwhile: Vec<Arc<Event>>,
    since: Arc<Event>,
}

impl Return {
    async fn after(server: &TestRooms, room: &Arc<Room>, alice: &UserId, count: usize) -> Self {
        let other = Other::start().await;
        let there = other.join(server, room, false).await;
        let old = say(server, room, alice, "old").await;
        take(&other.server, &there, &old.pdu, false).await;
        let bob = other.user.clone();
        other.server.rooms.leave(&there, &bob, None).await.unwrap();
        let left = timeline(&other.server, &there).await.pop().unwrap();
        assert_eq!(take(server, room, &left.pdu, false).await, Outcome::Accepted);
        let mut meanwhile = Vec::new();
        for index in 0..count {
            meanwhile.push(say(server, room, alice, &format!("meanwhile {index}")).await);
        }
        let there = other.join(server, room, false).await;
        let since = say(server, room, alice, "since").await;
        assert_eq!(
            take(&other.server, &there, &since.pdu, false).await,
            Outcome::Accepted
        );
        Self {
            other,
            there,
            old,
            meanwhile,
            since,
        }
    }

    fn gap(&self) -> HistoryGap {
        self.there
            .gap_from(Position(i64::MAX), Order::NewestFirst)
            .unwrap()
    }

    fn part(&self) -> HistoryPart {
        HistoryPart::Gap(self.gap().lower)
    }

    async fn restart(self) -> Self {
        let server = self.other.server.restart().await;
        let there = server.rooms.room(&self.there.id).await.unwrap();
        let other = Other {
            server,
            user: self.other.user,
        };
        Self { other, there, ..self }
    }

    async fn bodies(&self) -> Vec<String> {
        bodies(&timeline(&self.other.server, &self.there).await)
    }

    /// What a page from the newest event backwards has, and where it ends.
    async fn newest_page(&self, limit: usize) -> (Vec<String>, Option<TimelineToken>, Option<HistoryGap>) {
        let rooms = &self.other.server.rooms;
        let reader = self.other.server.reader(&self.other.user).await;
        let request = PageRequest {
            from: None,
            to: None,
            order: Order::NewestFirst,
            limit,
        };
        let page = rooms
            .page(
                &self.there,
                &reader,
                Access::Joined,
                request,
                &EventMatcher::default(),
            )
            .await
            .unwrap();
        (bodies(&page.events), page.end, page.gap)
    }
}

fn bodies(events: &[Arc<Event>]) -> Vec<String> {
    let body = |event: &Arc<Event>| {
        event.pdu.content_as::<Value>().ok()?["body"]
            .as_str()
            .map(ToOwned::to_owned)
    };
    events.iter().filter_map(body).collect()
}

on_both_databases! {
    async fn what_was_said_meanwhile_goes_between_what_is_known(server: &TestRooms) {
        let (alice, room) = room_of(server).await;
        let story = Return::after(server, &room, &alice, 30).await;
        assert_eq!(story.newest_page(50).await, (vec!["since".to_owned()], Some(story.gap().edge(Order::NewestFirst)), Some(story.gap())));
        let rooms = &story.other.server.rooms;
        let last = &story.meanwhile[29].pdu.event_id;
        assert_eq!(rooms.history_ends(&story.there, story.part()).await.unwrap(), std::slice::from_ref(last));
        // From before the first time here nothing of it is asked.
        let earlier = rooms.history_ends(&story.there, HistoryPart::Beginning).await.unwrap();
        assert!(!earlier.is_empty() && !earlier.contains(last));

        let to = (&story.other.server, &story.there);
        assert_eq!(prepend(server, to, story.part(), &story.meanwhile[20..]).await, (1, 10));
        // Memory was cut where the database has more.
        assert_eq!(story.newest_page(3).await.0, ["since", "meanwhile 29"], "the join stands between them");
        assert_eq!(story.bodies().await.len(), 12);
        let story = story.restart().await;
        assert_eq!(rooms_gap(&story.there), Some(story.gap()));
        let to = (&story.other.server, &story.there);
        // Another server goes on to what is known here, and to what was before our time.
        let all = timeline(server, &room).await;
        let until = all.iter().position(|event| event.number == story.meanwhile[19].number).unwrap();
        assert_eq!(prepend(server, to, story.part(), &all[..=until]).await, (0, 20));
        assert!(story.other.server.rooms.history_ends(&story.there, story.part()).await.unwrap().is_empty());
        story.other.server.rooms.close_gap(&story.there, story.gap().lower).await.unwrap();

        let mut expected = vec!["old".to_owned()];
        expected.extend((0..30).map(|index| format!("meanwhile {index}")));
        expected.push("since".to_owned());
        assert_eq!(story.bodies().await, expected);
        let (mut page, _, gap) = story.newest_page(100).await;
        page.reverse();
        assert_eq!((page, gap), (expected.clone(), None));
        let other = story.other.server.restart().await;
        let there = other.rooms.room(&room.id).await.unwrap();
        assert_eq!(rooms_gap(&there), None);
        assert_eq!(bodies(&timeline(&other, &there).await), expected);
        other.end().await;
    }

    async fn the_surroundings_of_an_event_end_at_a_gap(server: &TestRooms) {
        let (alice, room) = room_of(server).await;
        let story = Return::after(server, &room, &alice, 5).await;
        let rooms = &story.other.server.rooms;
        let reader = story.other.server.reader(&story.other.user).await;
        let matcher = EventMatcher::default();
        let around = async |event: &Event| {
            let request = ContextRequest { limit: 20, matcher: &matcher, lazy_members: true };
            rooms.context(&story.there, &reader, &event.pdu.event_id, request).await.unwrap()
        };
        let since = around(&story.since).await;
        assert_eq!((bodies(&since.before), since.before.len()), (vec![], 1), "the join");
        assert_eq!(since.start, story.gap().edge(Order::NewestFirst));
        let old = around(&story.old).await;
        assert_eq!(old.after.len(), 1, "the leaving");
        assert!(old.end.0 <= story.gap().lower);
        let request = PageRequest { from: Some(old.end), to: None, order: Order::OldestFirst, limit: 20 };
        let page = rooms.page(&story.there, &reader, Access::Joined, request, &matcher).await.unwrap();
        assert_eq!((page.events.len(), page.end), (0, Some(story.gap().edge(Order::OldestFirst))));
        story.other.server.end().await;
    }

    async fn there_is_no_gap_where_nothing_happened_or_nothing_was_known(server: &TestRooms) {
        let (alice, room) = room_of(server).await;
        say(server, &room, &alice, "before the first join").await;
        let other = Other::start().await;
        let there = other.join(server, &room, false).await;
        assert_eq!(rooms_gap(&there), None);
        let bob = other.user.clone();
        other.server.rooms.leave(&there, &bob, None).await.unwrap();
        let left = timeline(&other.server, &there).await.pop().unwrap();
        take(server, &room, &left.pdu, false).await;
        let before = other.server.rooms.database().log().visible();
        let there = other.join(server, &room, false).await;
        assert_eq!(rooms_gap(&there), None);
        let after = other.server.rooms.database().log().visible();
        assert!(after.0 - before.0 < 100, "no positions are left free: {before:?} {after:?}");
        other.server.end().await;
    }

    async fn a_redaction_in_a_gap_reaches_what_is_older_than_the_gap(server: &TestRooms) {
        let (alice, room) = room_of(server).await;
        let story = Return::after(server, &room, &alice, 0).await;
        let bob = story.other.user.clone();
        let rooms = &story.other.server.rooms;
        rooms.leave(&story.there, &bob, None).await.unwrap();
        let left = timeline(&story.other.server, &story.there).await.pop().unwrap();
        take(server, &room, &left.pdu, false).await;
        let content = serde_json::value::to_raw_value(&json!({ "redacts": story.old.pdu.event_id })).unwrap();
        let redaction = EventDraft {
            redacts: Some(story.old.pdu.event_id.clone()),
            ..EventDraft::message(&alice, "m.room.redaction".into(), content)
        };
        let redaction = server.rooms.append(&room, redaction).await.unwrap();
        let there = story.other.join(server, &room, false).await;
        let story = Return { there, ..story };
        assert_eq!(find(&story.other.server, &story.old.pdu.event_id).await.redacted_by, None);
        let to = (&story.other.server, &story.there);
        assert_eq!(prepend(server, to, story.part(), std::slice::from_ref(&redaction)).await, (0, 1));
        let removed = find(&story.other.server, &story.old.pdu.event_id).await;
        assert!(removed.redacted_by.is_some() && removed.pdu.content.get() == "{}");
        let story = story.restart().await;
        let removed = find(&story.other.server, &story.old.pdu.event_id).await;
        assert_eq!(removed.pdu.content.get(), "{}");
        story.other.server.end().await;
    }
}

fn rooms_gap(room: &Room) -> Option<HistoryGap> {
    room.gap_from(Position(i64::MAX), Order::NewestFirst)
}
