use echorift_tests::PeerEvent;
use serde_json::{Value, json};

use crate::Scene;

const VERSIONS: [&str; 3] = ["6", "11", "12"];

async fn levels(scene: &Scene) -> Value {
    scene
        .alice
        .state(&scene.room.id, "m.room.power_levels", "")
        .await
        .unwrap()
}

fn at(mut draft: Value, origin_server_ts: u64) -> Value {
    draft["origin_server_ts"] = origin_server_ts.into();
    draft
}

fn set(scene: &Scene, kind: &str, state_key: &str, content: &Value) -> Value {
    scene.room.draft("mallory", kind, Some(state_key), content)
}

#[tokio::test]
async fn of_two_power_levels_the_later_one_counts_whichever_came_first() {
    for version in VERSIONS {
        for is_later_first in [true, false] {
            let scene = Scene::of_version(version).await;
            scene.empower_mallory(100).await;
            let now = echorift_tests::now_ms();
            let (mut one, mut two) = (levels(&scene).await, levels(&scene).await);
            one["users"]["@one:one.test"] = json!(10);
            two["users"]["@two:two.test"] = json!(20);
            // From the same point of the room.
            let earlier = scene
                .room
                .seal(&at(set(&scene, "m.room.power_levels", "", &one), now));
            let later = scene
                .room
                .seal(&at(set(&scene, "m.room.power_levels", "", &two), now + 1_000));
            let (first, second) = match is_later_first {
                true => (&later, &earlier),
                false => (&earlier, &later),
            };
            for event in [first, second] {
                scene.room.append(event);
                scene.room.send(&scene.server, &[event]).await;
            }
            // Follows both.
            scene.still_works().await;
            let levels = levels(&scene).await;
            assert_eq!(
                levels, two,
                "version {version}, the later first: {is_later_first}"
            );
        }
    }
}

#[tokio::test]
async fn a_demotion_undoes_what_is_done_meanwhile() {
    for version in VERSIONS {
        let scene = Scene::of_version(version).await;
        let [bob] = scene.server.register(["bob"]).await;
        bob.join(&scene.room.id).await.unwrap();
        scene.empower_mallory(50).await;
        // What mallory does before she knows that her power is gone …
        let ban = set(&scene, "m.room.member", &bob.id, &json!({ "membership": "ban" }));
        let name = set(&scene, "m.room.name", "", &json!({ "name": "Mallory's" }));
        let (ban, name) = (scene.room.seal(&ban), scene.room.seal(&name));
        // … which alice takes first.
        scene.empower_mallory(0).await;
        scene.room.send(&scene.server, &[&ban, &name]).await;
        scene.room.append(&ban);
        scene.room.append(&name);
        scene.still_works().await;
        assert_eq!(
            bob.membership_seen_by(&scene.alice, &scene.room.id).await,
            "join",
            "version {version}"
        );
        assert!(
            scene
                .alice
                .state(&scene.room.id, "m.room.name", "")
                .await
                .is_err()
        );
        bob.send_text(&scene.room.id, "I am still here").await.unwrap();
        assert_eq!(levels(&scene).await["users"][scene.peer.user("mallory")], 0);
    }
}

#[tokio::test]
async fn who_is_banned_cannot_go_on_from_before_the_ban() {
    for version in VERSIONS {
        let scene = Scene::of_version(version).await;
        scene.empower_mallory(50).await;
        let (_, oscars) = scene.another_peer("oscar").await;
        let mallory = scene.peer.user("mallory");
        let (message, name): (PeerEvent, PeerEvent) = (
            scene
                .room
                .seal(&scene.room.message("mallory", "before you banned me")),
            scene
                .room
                .seal(&set(&scene, "m.room.name", "", &json!({ "name": "Mallory's" }))),
        );
        let path = echorift_tests::v3(["rooms", &scene.room.id, "ban"]);
        scene
            .alice
            .post(&path, json!({ "user_id": mallory }))
            .await
            .unwrap();
        let _ = scene.peer.send(&scene.server, &[&message, &name], &[]).await;
        // Rejoining by old right is no way either.
        let join = set(
            &scene,
            "m.room.member",
            &mallory,
            &json!({ "membership": "join" }),
        );
        let join = scene.room.seal(&join);
        let _ = scene.peer.send(&scene.server, &[&join], &[]).await;

        let said = oscars.say(&scene.server, "oscar", "is she gone?").await;
        scene.alice.sees(&scene.room.id, &said.id).await;
        let timeline = scene.alice.timeline_ids(&scene.room.id).await.unwrap();
        assert!(
            !timeline.contains(&message.id),
            "a soft-failed message is shown in version {version}"
        );
        let member = scene
            .alice
            .state(&scene.room.id, "m.room.member", &mallory)
            .await
            .unwrap();
        assert_eq!(member["membership"], "ban", "version {version}");
        assert!(
            scene
                .alice
                .state(&scene.room.id, "m.room.name", "")
                .await
                .is_err()
        );
    }
}

#[tokio::test]
async fn names_given_at_the_same_time_are_settled_by_their_time() {
    for version in VERSIONS {
        let scene = Scene::of_version(version).await;
        scene.empower_mallory(50).await;
        let now = echorift_tests::now_ms();
        let names: Vec<PeerEvent> = [3, 1, 2, 0]
            .into_iter()
            .map(|number| {
                let name = set(&scene, "m.room.name", "", &json!({ "name": number.to_string() }));
                scene.room.seal(&at(name, now + number))
            })
            .collect();
        for name in &names {
            scene.room.append(name);
            scene.room.send(&scene.server, &[name]).await;
        }
        scene.still_works().await;
        scene
            .alice
            .sees_state(&scene.room.id, "m.room.name", "", "/name", "3")
            .await;
    }
}

#[tokio::test]
async fn twenty_branches_become_one_room() {
    let scene = Scene::new().await;
    let branches: Vec<PeerEvent> = (0..20)
        .map(|number| {
            scene
                .room
                .seal(&scene.room.message("mallory", &format!("branch {number}")))
        })
        .collect();
    for branch in &branches {
        scene.room.append(branch);
    }
    scene
        .room
        .send(&scene.server, &branches.iter().collect::<Vec<_>>())
        .await;
    for branch in &branches {
        scene.alice.sees(&scene.room.id, &branch.id).await;
    }
    let answer = scene
        .alice
        .send_text(&scene.room.id, "one room again")
        .await
        .unwrap();
    scene.peer_knows(&answer).await;
    scene.still_works().await;
    assert!(scene.room.heads().len() <= 2, "{:?}", scene.room.heads());
}
