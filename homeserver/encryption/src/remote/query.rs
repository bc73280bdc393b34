//! Local clients ask for the keys of users of other servers (CS API § Key management API).

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use echorift_storage::{StorageError, UserNumber};
use futures_util::{StreamExt as _, stream};
use ruma::{
    OwnedDeviceId, OwnedServerName, OwnedUserId, UserId,
    api::federation::keys::{
        claim_keys::{self, v1::OneTimeKeyClaims, v1::OneTimeKeys},
        get_keys,
    },
};
use serde_json::{Value, json};

use super::{
    RemoteFailure,
    answers::{RemoteUser, judge_claimed},
    lists::{RemoteUserId, publish_judged},
    within,
};
use crate::{Encryption, store, user_keys::PublishedKeys};

/// How long servers are waited for if the client does not say so, as the specification recommends.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);
/// How long servers are waited for at most, whatever the client says.
const TIMEOUT_MAX: Duration = Duration::from_secs(30);
/// How many servers one request asks at a time.
const SERVERS_AT_ONCE: usize = 16;
/// How many users' lists of one server are fetched one by one for one request. The others are asked for all at once,
/// and their lists are fetched later.
const LISTS_AT_ONCE: usize = 20;

/// By server name, as clients are told of the servers that did not answer.
pub(crate) type ServerFailures = BTreeMap<String, Value>;

/// What other servers said of users.
#[derive(Debug, Default)]
pub(crate) struct RemoteAnswers {
    pub(crate) published: HashMap<OwnedUserId, Arc<PublishedKeys>>,
    pub(crate) failures: ServerFailures,
}

/// What is to be asked of one server.
#[derive(Debug, Default)]
struct ServerQuestion {
    /// Users whose whole lists are to be kept.
    lists: Vec<RemoteUserId>,
    /// Users of whom nothing is kept, or who are too many, with the devices that are wanted.
    query: BTreeMap<OwnedUserId, Vec<OwnedDeviceId>>,
}

/// How long to wait for other servers.
pub(crate) fn timeout_of(wanted: Option<Duration>) -> Duration {
    wanted.unwrap_or(TIMEOUT).min(TIMEOUT_MAX)
}

impl Encryption {
    /// The published keys of users of other servers: from what is kept of those who share a room with a local user, as
    /// long as it is known to be current; from their servers for all others.
    pub(crate) async fn remote_keys(
        &self,
        wanted: BTreeMap<OwnedUserId, Vec<OwnedDeviceId>>,
        timeout: Duration,
    ) -> Result<RemoteAnswers, StorageError> {
        let mut answers = RemoteAnswers::default();
        if wanted.is_empty() {
            return Ok(answers);
        }
        let mut questions: BTreeMap<OwnedServerName, ServerQuestion> = BTreeMap::new();
        let kept = self.kept_lists(&wanted).await?;
        let mut too_many = Vec::new();
        for (user, devices) in wanted {
            let number = match kept.get(&user) {
                Some(Kept::Current(keys)) => {
                    answers.published.insert(user, Arc::clone(keys));
                    continue;
                }
                Some(Kept::Outdated { number, .. }) => Some(*number),
                None => None,
            };
            let question = questions.entry(user.server_name().to_owned()).or_default();
            match number {
                Some(number) if question.lists.len() < LISTS_AT_ONCE => {
                    question.lists.push(RemoteUserId { number, id: user });
                }
                _ => {
                    too_many.extend(number.map(|number| (number, user.server_name().to_owned())));
                    question.query.insert(user, devices);
                }
            }
        }
        if !too_many.is_empty() {
            self.fetch_later(too_many).await?;
        }
        let asked = questions
            .into_iter()
            .map(|(server, question)| self.ask(server, question, timeout));
        let mut asked = stream::iter(asked).buffer_unordered(SERVERS_AT_ONCE);
        while let Some((server, published, failure)) = asked.next().await {
            answers.published.extend(published);
            if let Some(failure) = failure {
                answers.failures.insert(server.to_string(), told(&failure));
            }
        }
        // What was last known of those who could not be asked is better than nothing: the failure stands beside it.
        for (user, kept) in kept {
            if let Kept::Outdated { last: Some(keys), .. } = kept {
                answers.published.entry(user).or_insert(keys);
            }
        }
        Ok(answers)
    }

    async fn ask(
        &self,
        server: OwnedServerName,
        question: ServerQuestion,
        timeout: Duration,
    ) -> (
        OwnedServerName,
        Vec<(OwnedUserId, Arc<PublishedKeys>)>,
        Option<RemoteFailure>,
    ) {
        let lists = question.lists.into_iter().map(|user| async move {
            let fetched = within(timeout, self.fetch_list(user.number, &user.id)).await;
            fetched.map(|keys| vec![(user.id, keys)])
        });
        let lists = futures_util::future::join_all(lists);
        let query = within(timeout, self.ask_for_all(&server, question.query));
        let (lists, query) = futures_util::future::join(lists, query).await;
        let mut published = Vec::new();
        let mut failure = None;
        for answer in lists.into_iter().chain([query]) {
            match answer {
                Ok(answer) => published.extend(answer),
                Err(error) => failure = Some(error),
            }
        }
        (server, published, failure)
    }

    /// Asks for users of whom nothing is kept.
    async fn ask_for_all(
        &self,
        server: &ruma::ServerName,
        query: BTreeMap<OwnedUserId, Vec<OwnedDeviceId>>,
    ) -> Result<Vec<(OwnedUserId, Arc<PublishedKeys>)>, RemoteFailure> {
        if query.is_empty() {
            return Ok(Vec::new());
        }
        let users: Vec<OwnedUserId> = query.keys().cloned().collect();
        let request = get_keys::v1::Request::new(query);
        let answer = self.0.remote.keys()?.query(server, request).await?;
        // Users who were not asked for are passed over with their keys.
        let judged = users.into_iter().filter_map(|user| {
            let published = judge_queried(&user, &answer)?;
            Some((user, published))
        });
        Ok(judged.collect())
    }

    async fn fetch_later(&self, users: Vec<(UserNumber, OwnedServerName)>) -> Result<(), StorageError> {
        let step =
            self.0.database.writer().transact(move |tx| {
                Box::pin(async move { store::remote_lists::begin_all(tx, &users).await })
            });
        step.await?;
        self.0.remote.stale.notify_one();
        Ok(())
    }

    /// What is kept, or to be kept, of those of these users who share a room with a local user.
    async fn kept_lists(
        &self,
        wanted: &BTreeMap<OwnedUserId, Vec<OwnedDeviceId>>,
    ) -> Result<HashMap<OwnedUserId, Kept>, StorageError> {
        let numbers = self.known_users(wanted.keys().map(|user| &**user)).await?;
        let all: Vec<UserNumber> = numbers.values().copied().collect();
        let shared = self.0.rooms.shared_since(&all).await?;
        let sharing: Vec<UserNumber> = shared.keys().copied().collect();
        let lists = store::remote_lists::of_users(&self.0.database, &sharing).await?;
        let known: Vec<(UserNumber, OwnedUserId)> = numbers
            .iter()
            .filter(|(_, number)| lists.contains_key(number))
            .map(|(user, number)| (*number, (*user).to_owned()))
            .collect();
        let published = self.published_keys(&known).await?;
        let mut kept = HashMap::new();
        for (user, number) in numbers {
            let Some(since) = shared.get(&number) else {
                continue;
            };
            let list = lists.get(&number);
            let is_current = list
                .is_some_and(|list| list.stream_id.is_some() && !list.is_stale && *since <= list.position);
            let last = list
                .filter(|list| list.stream_id.is_some())
                .and_then(|_| published.get(&number).cloned());
            let state = match last {
                Some(keys) if is_current => Kept::Current(keys),
                last => Kept::Outdated { number, last },
            };
            kept.insert(user.to_owned(), state);
        }
        Ok(kept)
    }

    /// Claims one-time keys of other servers' devices.
    pub(crate) async fn claim_remote(
        &self,
        wanted: OneTimeKeyClaims,
        timeout: Duration,
    ) -> (OneTimeKeys, ServerFailures) {
        let mut by_server: BTreeMap<OwnedServerName, OneTimeKeyClaims> = BTreeMap::new();
        for (user, devices) in wanted {
            let of_server = by_server.entry(user.server_name().to_owned()).or_default();
            of_server.insert(user, devices);
        }
        let asked = by_server.into_iter().map(|(server, wanted)| async move {
            let claimed = within(timeout, async {
                let request = claim_keys::v1::Request::new(wanted.clone());
                let answer = self.0.remote.keys()?.claim(&server, request).await?;
                Ok(judge_claimed(&wanted, answer.one_time_keys))
            });
            let claimed = claimed.await;
            (server, claimed)
        });
        let (mut keys, mut failures) = (OneTimeKeys::new(), ServerFailures::new());
        let mut asked = stream::iter(asked).buffer_unordered(SERVERS_AT_ONCE);
        while let Some((server, claimed)) = asked.next().await {
            match claimed {
                Ok(claimed) => keys.extend(claimed),
                Err(failure) => drop(failures.insert(server.to_string(), told(&failure))),
            }
        }
        (keys, failures)
    }
}

/// What an answer says of one user, as far as it is well-formed; `None` if it says nothing.
pub(crate) fn judge_queried(user: &UserId, answer: &get_keys::v1::Response) -> Option<Arc<PublishedKeys>> {
    let judged = RemoteUser::of_query((UserNumber(0), user), answer)?;
    publish_judged(user, &judged).ok()
}

/// What is kept of a user who shares a room with a local user.
enum Kept {
    Current(Arc<PublishedKeys>),
    Outdated {
        number: UserNumber,
        last: Option<Arc<PublishedKeys>>,
    },
}

fn told(failure: &RemoteFailure) -> Value {
    json!({ "errcode": failure.errcode, "error": failure.error })
}
