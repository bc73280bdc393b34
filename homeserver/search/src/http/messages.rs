use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use axum::{
    Json, Router,
    extract::{Query, State},
    routing::post,
};
use echorift_rooms::{Event, EventMatcher, Reader, Rooms};
use echorift_storage::EventNumber;
use echorift_web::{Body, MatrixError, Session};
use ruma::{OwnedEventId, OwnedRoomId, OwnedUserId, api::client::filter::RoomEventFilter};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use super::SearchApi;
use crate::{
    document::{Field, text_of},
    find::{Hit, Order, Page, Wanted, find},
    rank::highlights,
    surroundings::{Profile, SidesWanted, Surroundings, present, states, surroundings},
    text::Term,
    token::{Group, PageToken},
};

/// So many terms of what is searched for count.
const TERMS_MAX: usize = 32;
/// How many results a page has if nobody says.
const PAGE: usize = 10;
/// How many events on either side of a result if nobody says (CS API § Server Side Search).
const SIDE: u64 = 5;

pub(super) fn routes() -> Router<SearchApi> {
    Router::new()
        .route("/_matrix/client/v3/search", post(search))
        .route("/_matrix/client/r0/search", post(search))
}

// The request and the answer are types of our own: ruma's leave out what is empty, which clients do not expect, and
// cannot tell surroundings that were asked for with `{}` from those that were not.

#[derive(Deserialize)]
struct Paging {
    next_batch: Option<String>,
}

#[derive(Deserialize)]
struct Request {
    search_categories: Categories,
}

#[derive(Deserialize)]
struct Categories {
    room_events: Option<Criteria>,
}

#[derive(Deserialize)]
struct Criteria {
    search_term: String,
    keys: Option<Vec<Key>>,
    #[serde(default)]
    filter: RoomEventFilter,
    order_by: Option<OrderBy>,
    event_context: Option<ContextWanted>,
    #[serde(default)]
    include_state: bool,
    #[serde(default)]
    groupings: Groupings,
}

#[derive(Deserialize)]
enum Key {
    #[serde(rename = "content.body")]
    Body,
    #[serde(rename = "content.name")]
    Name,
    #[serde(rename = "content.topic")]
    Topic,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum OrderBy {
    Recent,
    Rank,
}

#[derive(Deserialize)]
struct ContextWanted {
    #[serde(default = "side")]
    before_limit: u64,
    #[serde(default = "side")]
    after_limit: u64,
    #[serde(default)]
    include_profile: bool,
}

fn side() -> u64 {
    SIDE
}

#[derive(Default, Deserialize)]
struct Groupings {
    #[serde(default)]
    group_by: Vec<Grouping>,
}

#[derive(Deserialize)]
struct Grouping {
    key: GroupKey,
}

#[derive(Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum GroupKey {
    RoomId,
    Sender,
}

#[derive(Serialize)]
struct Response {
    search_categories: BTreeMap<&'static str, Results>,
}

#[derive(Serialize)]
struct Results {
    count: usize,
    highlights: Vec<String>,
    results: Vec<OneResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_batch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<BTreeMap<OwnedRoomId, Vec<Box<RawValue>>>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    groups: BTreeMap<GroupKey, BTreeMap<String, OneGroup>>,
}

#[derive(Serialize)]
struct OneResult {
    rank: f64,
    result: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Context>,
}

#[derive(Serialize)]
struct Context {
    start: String,
    end: String,
    events_before: Vec<Box<RawValue>>,
    events_after: Vec<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile_info: Option<BTreeMap<OwnedUserId, Profile>>,
}

#[derive(Serialize)]
struct OneGroup {
    /// Groups come in the order of their first result.
    order: usize,
    results: Vec<OwnedEventId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_batch: Option<String>,
}

/// `POST /_matrix/client/v3/search` (CS API § Server Side Search).
async fn search(
    State(api): State<SearchApi>,
    session: Session,
    Query(paging): Query<Paging>,
    Body(request): Body<Request>,
) -> Result<Json<Response>, MatrixError> {
    let mut answer = Response {
        search_categories: BTreeMap::new(),
    };
    if let Some(criteria) = request.search_categories.room_events {
        let from = match paging.next_batch.as_deref().map(str::parse) {
            None => PageToken::START,
            Some(Ok(token)) => token,
            Some(Err(_)) => {
                return Err(MatrixError::invalid_param(
                    "next_batch is not a token of this server.",
                ));
            }
        };
        let reader = Reader::of_session(&session, &api.accounts).await?;
        let results = room_events(&api.rooms, &reader, &criteria, from).await?;
        answer.search_categories.insert("room_events", results);
    }
    Ok(Json(answer))
}

async fn room_events(
    rooms: &Rooms,
    reader: &Reader,
    criteria: &Criteria,
    from: PageToken,
) -> Result<Results, MatrixError> {
    let terms = Term::all(&criteria.search_term, TERMS_MAX);
    let page = match terms.is_empty() {
        true => Page::default(),
        false => find_page(rooms, reader, criteria, &terms, from).await?,
    };
    let around = match &criteria.event_context {
        Some(wanted) => surroundings(rooms, reader, &page.hits, sides(wanted)).await?,
        None => Vec::new(),
    };
    let written = present(rooms, reader, &page.hits, &around).await?;
    let mut around = around.into_iter();
    let mut results = Vec::with_capacity(page.hits.len());
    for hit in &page.hits {
        let wants_profiles = criteria
            .event_context
            .as_ref()
            .is_some_and(|wanted| wanted.include_profile);
        let context = around
            .next()
            .map(|around| context(around, wants_profiles, &written));
        if let Some(result) = written.get(&hit.event.number).cloned() {
            results.push(OneResult {
                rank: hit.rank,
                result,
                context,
            });
        }
    }
    let texts: Vec<String> = page.hits.iter().filter_map(shown_text).collect();
    Ok(Results {
        count: page.count,
        highlights: highlights(&terms, texts.iter().map(String::as_str)),
        results,
        next_batch: page.next.map(|token| token.to_string()),
        state: match criteria.include_state {
            true => Some(present_states(rooms, reader, &page.hits, &criteria.filter).await?),
            false => None,
        },
        groups: groups(criteria, &page),
    })
}

async fn find_page(
    rooms: &Rooms,
    reader: &Reader,
    criteria: &Criteria,
    terms: &[Term],
    from: PageToken,
) -> Result<Page, MatrixError> {
    let keys = criteria.keys.as_ref();
    let mut fields: Vec<Field> = match keys {
        None => Field::ALL.to_vec(),
        Some(keys) => keys.iter().map(Key::field).collect(),
    };
    let matcher = EventMatcher::new(&criteria.filter);
    fields.retain(|field| matcher.matches_type(field.event_type()));
    let limit = criteria.filter.limit.map(u64::from);
    let wanted = Wanted {
        terms,
        fields: &fields,
        filter: &criteria.filter,
        order: match criteria.order_by {
            Some(OrderBy::Recent) => Order::Recent,
            Some(OrderBy::Rank) | None => Order::Rank,
        },
        limit: limit.map_or(PAGE, |limit| usize::try_from(limit).unwrap_or(usize::MAX)),
        from,
    };
    Ok(find(rooms, reader, &wanted).await?)
}

impl Key {
    fn field(&self) -> Field {
        match self {
            Self::Body => Field::Body,
            Self::Name => Field::Name,
            Self::Topic => Field::Topic,
        }
    }
}

fn sides(wanted: &ContextWanted) -> SidesWanted {
    let side = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
    SidesWanted {
        before: side(wanted.before_limit),
        after: side(wanted.after_limit),
        profiles: wanted.include_profile,
    }
}

fn context(
    around: Surroundings,
    wants_profiles: bool,
    written: &HashMap<EventNumber, Box<RawValue>>,
) -> Context {
    let write = |events: &[Arc<Event>]| {
        events
            .iter()
            .filter_map(|event| written.get(&event.number).cloned())
            .collect()
    };
    Context {
        start: around.start.to_string(),
        end: around.end.to_string(),
        events_before: write(&around.before),
        events_after: write(&around.after),
        profile_info: wants_profiles.then_some(around.profiles),
    }
}

/// The text of a result as it was written.
fn shown_text(hit: &Hit) -> Option<String> {
    let event_type = hit.event.pdu.event_type.to_string();
    let field = Field::ALL
        .into_iter()
        .find(|field| field.event_type() == event_type)?;
    let content: Value = hit.source.pdu.content_as().ok()?;
    let edited = content
        .get("m.new_content")
        .filter(|_| hit.source.number != hit.event.number);
    text_of(field, edited.unwrap_or(&content))
}

async fn present_states(
    rooms: &Rooms,
    reader: &Reader,
    hits: &[Hit],
    filter: &RoomEventFilter,
) -> Result<BTreeMap<OwnedRoomId, Vec<Box<RawValue>>>, MatrixError> {
    let lazy_members = !filter.lazy_load_options.is_disabled();
    let states = states(rooms, reader, hits, lazy_members).await?;
    let write = |events: &Vec<Arc<Event>>| events.iter().map(|event| rooms.present_plain(event)).collect();
    Ok(states
        .iter()
        .map(|(room, events)| (room.clone(), write(events)))
        .collect())
}

fn groups(criteria: &Criteria, page: &Page) -> BTreeMap<GroupKey, BTreeMap<String, OneGroup>> {
    let mut groups: BTreeMap<GroupKey, BTreeMap<String, OneGroup>> = BTreeMap::new();
    for Grouping { key } in &criteria.groupings.group_by {
        if groups.contains_key(key) {
            continue;
        }
        let mut of_key: BTreeMap<String, OneGroup> = BTreeMap::new();
        for hit in &page.hits {
            let (group, name) = match key {
                GroupKey::RoomId => (Group::Room(hit.room.number), hit.room.id.to_string()),
                GroupKey::Sender => (Group::Sender(hit.event.sender), hit.event.pdu.sender.to_string()),
            };
            let order = of_key.len() + 1;
            let rest = page.groups.get(&group).copied().flatten();
            let found = of_key.entry(name).or_insert_with(|| OneGroup {
                order,
                results: Vec::new(),
                next_batch: rest.map(|token| token.to_string()),
            });
            found.results.push(hit.event.pdu.event_id.clone());
        }
        groups.insert(*key, of_key);
    }
    groups
}
