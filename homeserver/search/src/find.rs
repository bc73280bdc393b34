//! Finding events by their texts.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use echorift_rooms::{Event, EventMatcher, Reader, Room, RoomError, Rooms};
use echorift_storage::{EventNumber, Position, RoomNumber, UserNumber};
use ruma::{
    UserId,
    api::client::filter::{RoomEventFilter, UrlFilter},
};

use crate::{
    document::{Field, URL_TOKEN, room_token, sender_token},
    query::Query,
    rank::rank,
    scope::Scope,
    store::{self, texts::FoundText},
    text::Term,
    token::{Group, PageToken},
};

/// The newest so many texts with the tokens are ranked together; behind them the next as many.
const WINDOW: usize = 1_000;
/// So many windows are looked at for one page when a reader may see few of the texts in them.
const WINDOWS_MAX: usize = 5;
/// The most results of one page.
pub(crate) const PAGE_MAX: usize = 100;

/// In which order results come (CS API § Server Side Search § Ordering).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Recent,
    Rank,
}

/// What is searched for.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    pub terms: &'a [Term],
    pub fields: &'a [Field],
    pub filter: &'a RoomEventFilter,
    pub order: Order,
    /// At most [`PAGE_MAX`] count.
    pub limit: usize,
    pub from: PageToken,
}

/// An event that was found.
#[derive(Clone)]
pub(crate) struct Hit {
    pub room: Arc<Room>,
    pub event: Arc<Event>,
    /// The event that the text is from.
    pub source: Arc<Event>,
    pub rank: f64,
}

/// A page of results.
#[derive(Default)]
pub(crate) struct Page {
    /// In the order asked for.
    pub hits: Vec<Hit>,
    /// How many there are, as far as was looked.
    pub count: usize,
    pub next: Option<PageToken>,
    /// For each room and sender on the page, where the group goes on, if it does.
    pub groups: BTreeMap<Group, Option<PageToken>>,
}

/// A text that the reader may see, with its rank.
#[derive(Debug, Clone)]
struct Ranked {
    text: FoundText,
    rank: f64,
}

/// Texts of one part of the log.
struct Window {
    /// In the order asked for.
    texts: Vec<Ranked>,
    /// `after < position <= to`.
    to: Position,
    after: Position,
    /// Whether there may be more before it.
    has_more: bool,
}

/// Finds the next page. Events that the reader may not see are neither shown nor counted.
pub(crate) async fn find(rooms: &Rooms, reader: &Reader, wanted: &Wanted<'_>) -> Result<Page, RoomError> {
    let mut scope = Scope::of(rooms, reader, wanted.filter).await?;
    if let Some(Group::Room(room)) = wanted.from.group {
        scope.rooms.retain(|number, _| *number == room);
    }
    let Some(query) = query_of(rooms, reader, wanted, &scope).await? else {
        return Ok(Page::default());
    };
    let search = Search {
        rooms,
        reader,
        wanted,
        scope,
        query,
        sees_until: HashMap::new(),
    };
    search.page().await
}

struct Search<'a> {
    rooms: &'a Rooms,
    reader: &'a Reader,
    wanted: &'a Wanted<'a>,
    scope: Scope,
    query: Query,
    /// Up to where the reader sees everything, for the rooms that came up so far.
    sees_until: HashMap<RoomNumber, Option<Position>>,
}

impl Search<'_> {
    async fn page(mut self) -> Result<Page, RoomError> {
        let limit = self.wanted.limit.clamp(1, PAGE_MAX);
        let mut at = self.wanted.from;
        let mut taken: Vec<Ranked> = Vec::new();
        let mut next = None;
        let mut groups = BTreeMap::new();
        let mut count = at.counted;
        for _ in 0..WINDOWS_MAX {
            let window = self.window(at).await?;
            count = at.counted + window.texts.len();
            let end = (at.skipped + limit - taken.len()).min(window.texts.len());
            taken.extend(window.texts.iter().take(end).skip(at.skipped).cloned());
            groups = groups_of(&taken, &window, end, at);
            let is_used_up = end == window.texts.len();
            next = match (is_used_up, window.has_more) {
                (false, _) => Some(PageToken {
                    to: window.to,
                    after: window.after,
                    skipped: end,
                    ..at
                }),
                (true, true) => Some(PageToken {
                    to: window.after,
                    after: PageToken::START.after,
                    skipped: 0,
                    counted: count,
                    group: at.group,
                }),
                (true, false) => None,
            };
            match next {
                Some(next) if is_used_up && taken.len() < limit => at = next,
                _ => break,
            }
        }
        Ok(Page {
            hits: self.load(taken).await?,
            count,
            next,
            groups,
        })
    }

    async fn window(&mut self, at: PageToken) -> Result<Window, RoomError> {
        let database = self.rooms.database();
        let limit = i64::try_from(WINDOW).unwrap_or(i64::MAX);
        // The window of a first page begins at a place, so that later pages find the same one.
        let to = at.to.min(database.log().visible());
        let found = store::texts::find(database, &self.query, (at.after, to), limit).await?;
        let is_full = found.len() >= WINDOW;
        let after = match found.last() {
            Some(last) if is_full => Position(last.position.0.saturating_sub(1)),
            _ => at.after,
        };
        let ranked = found.into_iter().filter_map(|text| {
            let rank = rank(self.wanted.terms, &text.words)?;
            Some(Ranked { text, rank })
        });
        let mut texts = self.keep_visible(ranked.collect()).await?;
        if self.wanted.order == Order::Rank {
            // Stable: of the same rank the newer comes first.
            texts.sort_by(|one, other| other.rank.total_cmp(&one.rank));
        }
        Ok(Window {
            texts,
            to,
            after,
            has_more: is_full || at.after > PageToken::START.after,
        })
    }

    /// Those texts that the reader may see, in their order. Events are loaded only where it depends on them.
    async fn keep_visible(&mut self, texts: Vec<Ranked>) -> Result<Vec<Ranked>, RoomError> {
        let fresh: HashSet<RoomNumber> = texts
            .iter()
            .map(|ranked| ranked.text.room)
            .filter(|room| !self.sees_until.contains_key(room))
            .collect();
        let fresh: Vec<Arc<Room>> = fresh
            .iter()
            .filter_map(|room| self.scope.rooms.get(room).cloned())
            .collect();
        self.rooms.prepare_visibility(&fresh).await?;
        for room in &fresh {
            let until = self.rooms.sees_all_until(room, self.reader).await?;
            self.sees_until.insert(room.number, until);
        }
        let is_settled = |ranked: &Ranked| {
            let until = self.sees_until.get(&ranked.text.room).copied().flatten();
            until.is_some_and(|until| ranked.text.position <= until)
        };
        let mut open: BTreeMap<RoomNumber, Vec<EventNumber>> = BTreeMap::new();
        for ranked in texts.iter().filter(|ranked| !is_settled(ranked)) {
            open.entry(ranked.text.room).or_default().push(ranked.text.event);
        }
        let numbers: Vec<EventNumber> = open.values().flatten().copied().collect();
        let mut by_room: HashMap<RoomNumber, Vec<Arc<Event>>> = HashMap::new();
        for event in self.rooms.events(&numbers).await? {
            by_room.entry(event.room).or_default().push(event);
        }
        let mut visible: HashSet<EventNumber> = HashSet::new();
        for (number, events) in by_room {
            if let Some(room) = self.scope.rooms.get(&number) {
                let seen = self.rooms.visible(room, self.reader, events).await?;
                visible.extend(seen.iter().map(|event| event.number));
            }
        }
        let kept = texts
            .into_iter()
            .filter(|ranked| is_settled(ranked) || visible.contains(&ranked.text.event));
        Ok(kept.collect())
    }

    /// The events of a page. What was redacted since it was indexed is left out.
    async fn load(&self, texts: Vec<Ranked>) -> Result<Vec<Hit>, RoomError> {
        let numbers = texts
            .iter()
            .flat_map(|ranked| [ranked.text.event, ranked.text.source]);
        let numbers: HashSet<EventNumber> = numbers.collect();
        let numbers: Vec<EventNumber> = numbers.into_iter().collect();
        let events = self.rooms.events(&numbers).await?;
        let events: HashMap<EventNumber, Arc<Event>> =
            events.into_iter().map(|event| (event.number, event)).collect();
        let filter = RoomEventFilter {
            rooms: None,
            ..self.wanted.filter.clone()
        };
        let matcher = EventMatcher::new(&filter);
        let hits = texts.into_iter().filter_map(|ranked| {
            let event = events.get(&ranked.text.event)?;
            let is_wanted =
                event.redacted_by.is_none() && matcher.matches(event) && !self.reader.ignored.hides(event);
            is_wanted.then_some(Hit {
                room: Arc::clone(self.scope.rooms.get(&ranked.text.room)?),
                event: Arc::clone(event),
                source: Arc::clone(events.get(&ranked.text.source)?),
                rank: ranked.rank,
            })
        });
        Ok(hits.collect())
    }
}

/// Where the groups of the texts on a page go on: `end` is the place in the window where the page ends.
fn groups_of(
    taken: &[Ranked],
    window: &Window,
    end: usize,
    at: PageToken,
) -> BTreeMap<Group, Option<PageToken>> {
    let mut groups: BTreeMap<Group, Option<PageToken>> = BTreeMap::new();
    for ranked in taken {
        for group in [Group::Room(ranked.text.room), Group::Sender(ranked.text.sender)] {
            groups.entry(group).or_default();
        }
    }
    for (group, token) in &mut groups {
        let is_member = |ranked: &&Ranked| match group {
            Group::Room(room) => ranked.text.room == *room,
            Group::Sender(sender) => ranked.text.sender == *sender,
        };
        let shown = window.texts.iter().take(end).filter(is_member).count();
        let all = window.texts.iter().filter(is_member).count();
        let rest = PageToken {
            to: window.to,
            after: window.after,
            skipped: shown,
            counted: 0,
            group: Some(*group),
        };
        // Of a page that is itself of one group, the other kind of group is a part that has no name.
        let is_whole = at.group.is_none() || at.group == Some(*group);
        *token = (is_whole && (shown < all || window.has_more)).then_some(rest);
    }
    groups
}

/// The conditions on the texts; `None` if none can satisfy them.
async fn query_of(
    rooms: &Rooms,
    reader: &Reader,
    wanted: &Wanted<'_>,
    scope: &Scope,
) -> Result<Option<Query>, RoomError> {
    let filter = wanted.filter;
    let in_rooms = Query::any_token(scope.rooms.keys().map(|room| room_token(*room)));
    let of_fields = Query::any_token(wanted.fields.iter().map(|field| field.token()));
    let (Some(in_rooms), Some(of_fields)) = (in_rooms, of_fields) else {
        return Ok(None);
    };
    let mut conditions: Vec<Query> = wanted.terms.iter().map(term_query).collect();
    conditions.push(in_rooms);
    if !Field::ALL.iter().all(|field| wanted.fields.contains(field)) {
        conditions.push(of_fields);
    }
    if let Some(senders) = &filter.senders {
        let senders: Vec<&UserId> = senders.iter().map(|sender| &**sender).collect();
        let numbers = numbers_of(rooms, &senders).await?;
        let Some(senders) = Query::any_token(numbers.into_iter().map(sender_token)) else {
            return Ok(None);
        };
        conditions.push(senders);
    }
    if let Some(Group::Sender(sender)) = wanted.from.group {
        conditions.push(Query::Token(sender_token(sender)));
    }
    let unwanted: Vec<&UserId> = filter
        .not_senders
        .iter()
        .map(|sender| &**sender)
        .chain(reader.ignored.iter())
        .collect();
    let mut exceptions: Vec<Query> = numbers_of(rooms, &unwanted)
        .await?
        .into_iter()
        .map(|sender| Query::Token(sender_token(sender)))
        .collect();
    let url = || Query::Token(URL_TOKEN.to_owned());
    match &filter.url_filter {
        Some(UrlFilter::EventsWithUrl) => conditions.push(url()),
        Some(UrlFilter::EventsWithoutUrl) => exceptions.push(url()),
        None => {}
    }
    let query = Query::All(conditions);
    if exceptions.is_empty() {
        return Ok(Some(query));
    }
    Ok(Some(Query::Except(Box::new(query), exceptions)))
}

fn term_query(term: &Term) -> Query {
    let tokens = term.tokens().into_iter();
    if term.is_prefix() {
        return Query::All(tokens.map(Query::Prefix).collect());
    }
    Query::All(tokens.map(Query::Token).collect())
}

/// The numbers of these users; those who never did anything here have none.
async fn numbers_of(rooms: &Rooms, users: &[&UserId]) -> Result<Vec<UserNumber>, RoomError> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&str> = users.iter().map(|user| user.as_str()).collect();
    let numbers = rooms.users().find_all(&ids).await?;
    Ok(numbers.into_iter().map(UserNumber).collect())
}
