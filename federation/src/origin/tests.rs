#![allow(clippy::unwrap_used, reason = "tests")]

use axum::Router;
use echorift_web::RateLimit;
use http::{HeaderValue, Request, header};
use ruma::server_name;

use super::*;
use crate::{
    FederationMode, Glob, PolicyOptions,
    testing::{Network, Node, key_route, signing_key},
};

const PATH: &str = "/_matrix/federation/v1/send/1?x=%20y";
const BODY: &str = "{ \"pdus\": [], \"a\": 1 }";

struct World {
    _network: Network,
    node: Node,
    limits: RateLimits,
}

async fn world(policy: PolicyOptions) -> World {
    let mut network = Network::new();
    let keys = key_route("peer.example", Vec::new(), network.clock.clone());
    network.serve("peer.example", "peer.example", keys).await;
    network.serve("mute.example", "mute.example", Router::new()).await;
    let node = network.node_with("us.example", &[], policy).await;
    let limit = RateLimit {
        per_second: 0.001,
        burst: 3,
    };
    World {
        _network: network,
        node,
        limits: RateLimits::new([(LimitKind::Federation, limit)]),
    }
}

impl World {
    async fn admit(&self, request: Request<&'static str>) -> Result<String, (u16, String)> {
        let gate = Gate {
            own_name: &self.node.server_name,
            policy: &self.node.policy,
            keys: &self.node.keys,
            limits: &self.limits,
            destinations: &self.node.destinations,
        };
        let (parts, body) = request.into_parts();
        let admitted = gate.admit(&parts, &Bytes::from(body)).await;
        admitted
            .map(|origin| origin.to_string())
            .map_err(|error| (error.status().as_u16(), error.errcode().to_owned()))
    }
}

fn authorization(origin: &'static str, destination: &'static str) -> HeaderValue {
    let content = CanonicalBody::from_json(BODY.as_bytes()).unwrap();
    let to_sign = RequestToSign {
        method: "PUT",
        uri: PATH,
        origin: origin.try_into().unwrap(),
        destination: destination.try_into().unwrap(),
        content: Some(&content),
    };
    to_sign.sign(&signing_key(origin)).unwrap()
}

fn request(authorizations: &[HeaderValue]) -> Request<&'static str> {
    let mut request = Request::builder().method("PUT").uri(PATH).body(BODY).unwrap();
    for value in authorizations {
        request.headers_mut().append(header::AUTHORIZATION, value.clone());
    }
    request
}

fn unauthorised() -> Result<String, (u16, String)> {
    Err((401, "M_UNAUTHORIZED".to_owned()))
}

#[tokio::test]
async fn a_signed_request_is_its_origin_s_and_ends_its_back_off() {
    let world = world(PolicyOptions::default()).await;
    let peer = server_name!("peer.example");
    world.node.destinations.note_failure(peer, None).await;
    let good = authorization("peer.example", "us.example");
    assert_eq!(
        world.admit(request(std::slice::from_ref(&good))).await,
        Ok("peer.example".to_owned())
    );
    assert!(world.node.destinations.is_due(peer));

    // Without a destination, as older servers have it, and with one right signature among several.
    let text = good.to_str().unwrap().replace("destination=\"us.example\",", "");
    let older = HeaderValue::try_from(text).unwrap();
    let text = good.to_str().unwrap().replace("ed25519:1", "ed25519:other");
    let other = HeaderValue::try_from(text).unwrap();
    assert_eq!(
        world.admit(request(&[other, older])).await,
        Ok("peer.example".to_owned())
    );
}

#[tokio::test]
async fn what_is_not_signed_as_it_stands_is_refused() {
    let world = world(PolicyOptions::default()).await;
    let good = authorization("peer.example", "us.example");
    let mut other_method = request(std::slice::from_ref(&good));
    *other_method.method_mut() = http::Method::POST;
    let mut other_path = request(std::slice::from_ref(&good));
    *other_path.uri_mut() = "/_matrix/federation/v1/send/1?x=%20z".parse().unwrap();
    let mut other_body = request(std::slice::from_ref(&good));
    *other_body.body_mut() = "{\"pdus\":[],\"a\":2}";
    let mut no_body = request(std::slice::from_ref(&good));
    *no_body.body_mut() = "";
    for refused in [
        request(&[]),
        request(&[HeaderValue::from_static("Bearer abc")]),
        request(&[authorization("peer.example", "them.example")]),
        request(&[authorization("mute.example", "us.example")]),
        request(&[authorization("nowhere.example", "us.example")]),
        request(&[authorization("us.example", "us.example")]),
        other_method,
        other_path,
        other_body,
        no_body,
    ] {
        let shown = format!("{refused:?}");
        assert_eq!(world.admit(refused).await, unauthorised(), "{shown}");
    }
    // Nothing of this counted against the server that did not send it.
    for _ in 0..3 {
        assert!(world.admit(request(std::slice::from_ref(&good))).await.is_ok());
    }
    let refusal = world.admit(request(&[good])).await;
    assert_eq!(refusal, Err((429, "M_LIMIT_EXCEEDED".to_owned())));
}

#[tokio::test]
async fn the_policy_keeps_a_server_out() {
    let policy = PolicyOptions {
        mode: FederationMode::Closed,
        allow: vec![Glob::new("friend.example")],
        ..PolicyOptions::default()
    };
    let world = world(policy).await;
    let refusal = world
        .admit(request(&[authorization("peer.example", "us.example")]))
        .await;
    assert_eq!(refusal, Err((403, "M_FORBIDDEN".to_owned())));
}
