#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use echorift_storage::Clock;
use echorift_web::outbound::AddressPolicy;
use ruma::ServerName;

use super::*;
use crate::testing::{NOW, Names};

struct World {
    discovery: Discovery,
    clock: Clock,
    asked: Arc<parking_lot::Mutex<Vec<String>>>,
    pages: Arc<Names>,
}

/// Pages that can be changed while discovery has them.
struct Shared(Arc<Names>);

impl Pages for Shared {
    fn page<'a>(&'a self, host: &'a str) -> echorift_web::BoxFuture<'a, Result<Page, String>> {
        self.0.page(host)
    }
}

fn page(body: &str, cache_control: &str) -> Page {
    let mut page = Page {
        body: Bytes::from(body.to_owned()),
        ..Page::default()
    };
    page.headers
        .insert("cache-control", cache_control.parse().unwrap());
    page
}

fn service(priority: u16, port: u16, target: &str) -> Service {
    Service {
        priority,
        weight: 0,
        port,
        target: target.to_owned(),
    }
}

fn world() -> World {
    let asked = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let mut dns = Names {
        asked: Arc::clone(&asked),
        ..Names::default()
    };
    for (host, addresses) in [
        ("plain.example", vec!["1.1.1.1"]),
        ("hs.delegated.example", vec!["1.1.1.2", "2606:4700::2", "1.1.1.3"]),
        ("target.example", vec!["1.1.1.4"]),
        ("old.example", vec!["1.1.1.5"]),
        ("inside.example", vec!["10.0.0.1", "127.0.0.1"]),
        ("halfway.example", vec!["10.0.0.1", "1.1.1.6"]),
        ("private.example", vec!["10.9.9.9"]),
    ] {
        let addresses = addresses
            .into_iter()
            .map(|address| address.parse().unwrap())
            .collect();
        dns.addresses.insert(host.to_owned(), addresses);
    }
    dns.services.insert(
        "_matrix-fed._tcp.srv.example".to_owned(),
        vec![
            service(2, 2000, "plain.example"),
            service(1, 1000, "target.example"),
        ],
    );
    dns.services.insert(
        "_matrix._tcp.srv.example".to_owned(),
        vec![service(0, 1, "old.example")],
    );
    dns.services.insert(
        "_matrix._tcp.older.example".to_owned(),
        vec![service(0, 3000, "old.example")],
    );
    dns.services.insert(
        "_matrix-fed._tcp.closed.example".to_owned(),
        vec![service(0, 1, "")],
    );
    let pages = Arc::new(Names {
        asked: Arc::clone(&asked),
        ..Names::default()
    });
    for (host, body) in [
        ("delegating.example", r#"{"m.server":"hs.delegated.example:443"}"#),
        ("tosrv.example", r#"{"m.server":"srv.example"}"#),
        ("toip.example", r#"{"m.server":"1.1.1.9"}"#),
        ("broken.example", "{"),
    ] {
        pages
            .pages
            .lock()
            .insert(host.to_owned(), page(body, "max-age=7200"));
    }
    let hosts = [
        ("region.example", "127.0.0.1:9001"),
        ("region.example:8448", "[::1]:9002"),
        ("named.example", "private.example:9003"),
        ("1.2.3.4:8448", "127.0.0.1:9004"),
    ];
    let hosts = hosts.into_iter().map(|(name, host)| {
        (
            ServerName::parse(name).unwrap(),
            HostAndPort::parse(host).unwrap(),
        )
    });
    let clock = Clock::manual(NOW);
    World {
        discovery: Discovery::new(
            hosts.collect(),
            AddressPolicy::default(),
            Box::new(dns),
            Box::new(Shared(Arc::clone(&pages))),
            clock.clone(),
        ),
        clock,
        asked,
        pages,
    }
}

impl World {
    /// The `Host`, and the addresses in the order in which they are tried.
    async fn find(&self, name: &str) -> (String, Vec<String>) {
        let authority = self
            .discovery
            .authority_of(&ServerName::parse(name).unwrap())
            .await;
        let addresses = match self.discovery.locate(&authority).await {
            Ok(location) => location.addresses.iter().map(SocketAddr::to_string).collect(),
            Err(error) => vec![format!("{error:?}")],
        };
        (authority.to_string(), addresses)
    }
}

#[tokio::test]
async fn servers_are_found_in_the_order_of_the_specification() {
    let world = world();
    for (name, host, addresses) in [
        // 1. Literals.
        ("1.1.1.7", "1.1.1.7", vec!["1.1.1.7:8448"]),
        ("1.1.1.7:5", "1.1.1.7:5", vec!["1.1.1.7:5"]),
        ("[2606:4700::7]", "[2606:4700::7]", vec!["[2606:4700::7]:8448"]),
        ("[2606:4700::7]:5", "[2606:4700::7]:5", vec!["[2606:4700::7]:5"]),
        // 2. Ports: neither page nor SRV.
        ("plain.example:5", "plain.example:5", vec!["1.1.1.1:5"]),
        // 3. Pages.
        (
            "delegating.example",
            "hs.delegated.example:443",
            vec!["[2606:4700::2]:443", "1.1.1.2:443", "1.1.1.3:443"],
        ),
        ("toip.example", "1.1.1.9", vec!["1.1.1.9:8448"]),
        (
            "tosrv.example",
            "srv.example",
            vec!["1.1.1.4:1000", "1.1.1.1:2000"],
        ),
        // 4. and 5. SRV records, of the registered name first.
        ("srv.example", "srv.example", vec!["1.1.1.4:1000", "1.1.1.1:2000"]),
        ("older.example", "older.example", vec!["1.1.1.5:3000"]),
        ("closed.example", "closed.example", vec!["NoService"]),
        // 6. The name itself.
        ("plain.example", "plain.example", vec!["1.1.1.1:8448"]),
        ("broken.example", "broken.example", vec!["Dns(\"no such host\")"]),
        // What the operator says goes before all that.
        ("region.example", "region.example", vec!["127.0.0.1:9001"]),
        ("region.example:8448", "region.example:8448", vec!["[::1]:9002"]),
        ("named.example", "named.example", vec!["10.9.9.9:9003"]),
        ("1.2.3.4:8448", "1.2.3.4:8448", vec!["127.0.0.1:9004"]),
        // Nobody else leads us into our own network.
        ("127.0.0.1:80", "127.0.0.1:80", vec!["DeniedAddress"]),
        ("inside.example", "inside.example", vec!["DeniedAddress"]),
        ("halfway.example", "halfway.example", vec!["1.1.1.6:8448"]),
    ] {
        let found = world.find(name).await;
        assert_eq!(
            (found.0.as_str(), found.1.len()),
            (host, addresses.len()),
            "{name}: {found:?}"
        );
        assert_eq!(found.1, addresses, "{name}");
    }
    let asked = world.asked.lock().clone();
    for never in [
        "page plain.example:5",
        "page region.example",
        "SRV _matrix-fed._tcp.hs.delegated.example",
    ] {
        assert!(!asked.iter().any(|question| question == never), "{never}");
    }
}

#[tokio::test]
async fn a_certificate_is_for_the_host_of_the_authority() {
    let world = world();
    for (authority, expected) in [
        ("srv.example", "srv.example"),
        ("plain.example:5", "plain.example"),
        ("[2606:4700::7]:5", "2606:4700::7"),
        ("region.example", "region.example"),
    ] {
        let location = world
            .discovery
            .locate(&ServerName::parse(authority).unwrap())
            .await
            .unwrap();
        assert_eq!(location.certificate_name.to_str(), expected, "{authority}");
    }
}

#[tokio::test]
async fn pages_hold_as_long_as_they_say_and_failures_for_minutes() {
    let world = world();
    let count = |of: &str| {
        world
            .asked
            .lock()
            .iter()
            .filter(|question| *question == of)
            .count()
    };
    let page_of_delegating = "page delegating.example";
    let ask = async || world.find("delegating.example").await.0;
    assert_eq!(ask().await, "hs.delegated.example:443");
    world.clock.advance_ms(7_199_000);
    ask().await;
    assert_eq!(count(page_of_delegating), 1);

    // The page moves on once it is over, and is believed for a while when it vanishes.
    let body = r#"{"m.server":"target.example:1"}"#;
    world
        .pages
        .pages
        .lock()
        .insert("delegating.example".to_owned(), page(body, "no-store"));
    world.clock.advance_ms(2_000);
    assert_eq!(ask().await, "target.example:1");
    assert_eq!(count(page_of_delegating), 2);
    world.pages.pages.lock().clear();
    world.clock.advance_ms(301_000);
    assert_eq!(ask().await, "target.example:1");
    assert_eq!(count(page_of_delegating), 3);
    for _ in 0..60 {
        world.clock.advance_ms(3_601_000);
        ask().await;
    }
    assert_eq!(ask().await, "delegating.example");

    // Failures are asked again after 5, 10, 20, 40, then 60 minutes.
    let page_of_none = "page plain.example";
    for minutes in [5, 10, 20, 40, 60, 60] {
        world.find("plain.example").await;
        let before = count(page_of_none);
        world.clock.advance_ms(minutes * 60_000 - 1);
        world.find("plain.example").await;
        assert_eq!(count(page_of_none), before, "{minutes}");
        world.clock.advance_ms(1);
    }
}
