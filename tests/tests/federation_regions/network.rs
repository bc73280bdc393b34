use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use echorift_tests::{DatabaseKind, Link, PATIENCE, TestAuthority, TestServer, User, Weather};
use futures_util::future::join_all;
use serde_json::json;
use tokio::task::JoinHandle;

/// Servers each of which reaches each other by a wire of its own.
pub(crate) struct Network {
    pub(crate) servers: Vec<TestServer>,
    /// `links[from][to]`; one's own is not used.
    links: Vec<Vec<Link>>,
}

impl Network {
    /// So many servers, on alternating databases.
    pub(crate) async fn start(count: usize) -> Self {
        let authority = TestAuthority::new();
        let names: Vec<String> = (0..count).map(|index| format!("region{index}.test")).collect();
        let mut links: Vec<Vec<Link>> = Vec::new();
        for _ in 0..count {
            links.push(join_all((0..count).map(|_| Link::open())).await);
        }
        let servers = (0..count).map(|from| {
            let hosts: Vec<(&str, u16)> = (0..count)
                .map(|to| (names[to].as_str(), links[from][to].port()))
                .collect();
            let database = match from % 2 {
                0 => DatabaseKind::usual(),
                _ => DatabaseKind::other(),
            };
            let builder = TestServer::builder().federating(&authority, &names[from]);
            builder
                .hosts(&hosts)
                .on(database)
                .set("outbound.request_timeout", "5s")
                .start()
        });
        let servers = join_all(servers).await;
        for row in &links {
            for (to, link) in row.iter().enumerate() {
                link.lead_to(servers[to].federation_port());
            }
        }
        Self { servers, links }
    }

    fn between(&self, is_meant: impl Fn(usize, usize) -> bool, weather: Weather) {
        for (from, row) in self.links.iter().enumerate() {
            for (to, link) in row.iter().enumerate() {
                if from != to && is_meant(from, to) {
                    link.set(weather);
                }
            }
        }
    }

    pub(crate) fn everywhere(&self, weather: Weather) {
        self.between(|_, _| true, weather);
    }

    pub(crate) fn heal(&self) {
        self.everywhere(Weather::default());
    }

    /// Nothing passes between this server and the others.
    pub(crate) fn cut_off(&self, alone: usize) {
        let cut = Weather {
            is_cut: true,
            ..Weather::default()
        };
        self.between(|from, to| (from == alone) != (to == alone), cut);
    }

    /// Somebody on each server.
    pub(crate) async fn people(&self) -> Vec<User> {
        join_all(self.servers.iter().map(|server| async {
            let [user] = server.register(["user"]).await;
            user
        }))
        .await
    }
}

/// A public room of the first one's that all have joined and that everybody may change.
pub(crate) async fn common_room(people: &[User]) -> String {
    let levels = json!({ "state_default": 0, "kick": 0, "ban": 0, "redact": 0, "events": {} });
    let request = json!({ "preset": "public_chat", "power_level_content_override": levels });
    let room = people[0].create_room(request).await.unwrap();
    for person in &people[1..] {
        person.join_via(&room, &people[0].server).await.unwrap();
    }
    for (one, other) in people
        .iter()
        .flat_map(|one| people.iter().map(move |other| (one, other)))
    {
        one.sees_membership(&room, other, "join").await;
    }
    room
}

/// People who write, each as fast as the answers come, until they are told to stop.
pub(crate) struct Chatter {
    writers: Vec<JoinHandle<Vec<String>>>,
    acknowledged: Arc<AtomicUsize>,
    has_ended: Arc<AtomicBool>,
}

impl Chatter {
    pub(crate) fn start(people: &[User], room: &str) -> Self {
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let has_ended = Arc::new(AtomicBool::new(false));
        let writers = people.iter().map(|person| {
            let writing = write(
                person.clone(),
                room.to_owned(),
                Arc::clone(&acknowledged),
                Arc::clone(&has_ended),
            );
            tokio::spawn(writing)
        });
        Self {
            writers: writers.collect(),
            acknowledged,
            has_ended,
        }
    }

    /// Waits until so many more have been acknowledged.
    pub(crate) async fn goes_on(&self, more: usize) {
        let aim = self.acknowledged.load(Ordering::SeqCst) + more;
        let waiting = async {
            while self.acknowledged.load(Ordering::SeqCst) < aim {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .expect("what is sent is acknowledged");
    }

    /// Ends it; the ids of all acknowledged events.
    pub(crate) async fn end(self) -> BTreeSet<String> {
        self.has_ended.store(true, Ordering::SeqCst);
        let mut all = BTreeSet::new();
        for writer in self.writers {
            all.extend(writer.await.unwrap());
        }
        all
    }
}

async fn write(
    writer: User,
    room: String,
    acknowledged: Arc<AtomicUsize>,
    has_ended: Arc<AtomicBool>,
) -> Vec<String> {
    let mut ids = Vec::new();
    while !has_ended.load(Ordering::SeqCst) {
        let body = format!("{}:{}", writer.localpart, ids.len());
        let content = json!({ "msgtype": "m.text", "body": body });
        let id = loop {
            let sent = writer
                .send_in_transaction(&room, "m.room.message", &body, content.clone())
                .await;
            match sent {
                Ok(id) => break id,
                // The server is down or going down: the client does not know, and asks again.
                Err(refusal) if refusal.is_no_answer() => {
                    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                }
                Err(refusal) => panic!("{body} was refused: {refusal}"),
            }
        };
        ids.push(id);
        acknowledged.fetch_add(1, Ordering::SeqCst);
        // As people do who read what the others write.
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    ids
}

/// Asserts that within 30 seconds everybody has everything that was acknowledged, and that they agree on the room.
pub(crate) async fn assert_whole(room: &str, people: &[User], acknowledged: &BTreeSet<String>) {
    let people: Vec<&User> = people.iter().collect();
    echorift_tests::assert_agreement(room, &people).await;
    for person in people {
        let history = person.whole_history(room).await.unwrap();
        let ids: Vec<&str> = history
            .iter()
            .filter_map(|event| event["event_id"].as_str())
            .collect();
        let distinct: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(distinct.len(), ids.len(), "{} has an event twice", person.id);
        let lost: Vec<&String> = acknowledged
            .iter()
            .filter(|id| !distinct.contains(id.as_str()))
            .collect();
        assert!(
            lost.is_empty(),
            "{} lacks {} acknowledged events: {lost:?}",
            person.id,
            lost.len()
        );
    }
}
