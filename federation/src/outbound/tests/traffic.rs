//! What goes to whom while everybody answers.

use std::collections::HashSet;

use ruma::{server_name, user_id};

use crate::outbound::testing::{Manner, TestSender, on_both_databases, until};

on_both_databases! {
    async fn events_arrive_in_order_and_in_transactions_of_limited_size(server: &TestSender) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        let two = server_name!("two.example");
        server.join(&room, user_id!("@bob:two.example")).await;
        let bodies: Vec<String> = (0..130).map(|number| number.to_string()).collect();
        server.send_all(&room, &alice, &bodies).await;
        server.settled(two).await;
        assert_eq!(server.network.messages(two), bodies, "and not the join, which came from there");
        let received = server.network.received_by(two);
        let sizes: Vec<usize> = received.iter().map(|received| received.body["pdus"].as_array().unwrap().len()).collect();
        assert_eq!(sizes, [50, 50, 30], "what waits goes together");
        let ids: HashSet<_> = received.iter().map(|received| &received.transaction_id).collect();
        assert_eq!(ids.len(), received.len());
        assert_eq!(received[0].body["origin"], "one.example");
        assert!(received[0].body["origin_server_ts"].as_i64().unwrap() > 0);
    }

    async fn a_pdu_is_sent_as_it_is_stored(server: &TestSender) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        server.join(&room, user_id!("@bob:two.example")).await;
        let event = server.send(&room, &alice, "hello").await;
        server.settled(server_name!("two.example")).await;
        let received = server.network.received_by(server_name!("two.example"));
        let sent = &received[0].body["pdus"][0];
        assert_eq!(sent.to_string(), event.pdu.json());
    }

    async fn who_is_kicked_or_banned_hears_of_it_and_of_nothing_after_it(server: &TestSender) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        let (two, three) = (server_name!("two.example"), server_name!("three.example"));
        let (bob, carol) = (user_id!("@bob:two.example"), user_id!("@carol:three.example"));
        server.send(&room, &alice, "before anyone").await;
        server.join(&room, bob).await;
        server.send(&room, &alice, "to two").await;
        server.join(&room, carol).await;
        server.send(&room, &alice, "to both").await;
        server.member(&room, &alice, bob, "leave").await;
        server.send(&room, &alice, "to three").await;
        server.settled(two).await;
        server.settled(three).await;
        let expected = ["to two", "join @carol:three.example", "to both", "leave @bob:two.example"];
        assert_eq!(server.network.messages(two), expected);
        let expected = ["to both", "leave @bob:two.example", "to three"];
        assert_eq!(server.network.messages(three), expected);
    }

    async fn all_of_one_commit_goes_to_who_was_there_at_each_event(server: &TestSender) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        let bob = user_id!("@bob:two.example");
        let (two, three) = (server_name!("two.example"), server_name!("three.example"));
        server.join(&room, user_id!("@carol:three.example")).await;
        let member = |sender: &ruma::UserId, membership: &str| {
            let content = serde_json::json!({ "membership": membership });
            let content = serde_json::value::to_raw_value(&content).unwrap();
            echorift_rooms::EventDraft::state(sender, ruma::events::StateEventType::RoomMember, bob.as_str(), content)
        };
        let message = |body: &str| crate::outbound::testing::message(&alice, body);
        let drafts = vec![
            message("early"),
            member(bob, "join"),
            message("within"),
            member(&alice, "ban"),
            message("late"),
        ];
        server.rooms.append_all(&room, drafts).await.unwrap();
        server.settled(two).await;
        server.settled(three).await;
        assert_eq!(server.network.messages(two), ["within", "ban @bob:two.example"]);
        let expected = ["early", "join @bob:two.example", "within", "ban @bob:two.example", "late"];
        assert_eq!(server.network.messages(three), expected);
    }

    async fn an_invite_goes_to_who_is_there_and_its_retraction_to_the_invited_as_well(server: &TestSender) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        let bob = user_id!("@bob:two.example");
        server.join(&room, user_id!("@carol:three.example")).await;
        server.member(&room, &alice, bob, "invite").await;
        server.send(&room, &alice, "not for them").await;
        server.member(&room, &alice, bob, "leave").await;
        server.settled(server_name!("two.example")).await;
        server.settled(server_name!("three.example")).await;
        let messages = server.network.messages(server_name!("two.example"));
        assert_eq!(messages, ["leave @bob:two.example"]);
        let messages = server.network.messages(server_name!("three.example"));
        assert_eq!(messages[0], "invite @bob:two.example");
    }

    async fn a_refused_event_is_found_and_left_out_and_the_rest_arrives(server: &TestSender) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        let two = server_name!("two.example");
        server.join(&room, user_id!("@bob:two.example")).await;
        server.network.set(two, Manner::Refuses("poison"));
        let bodies: Vec<String> = (0..20).map(|number| if number == 7 { "poison".to_owned() } else { number.to_string() }).collect();
        server.send_all(&room, &alice, &bodies).await;
        server.send(&room, &alice, "afterwards").await;
        server.settled(two).await;
        let mut expected: Vec<String> = bodies.into_iter().filter(|body| body != "poison").collect();
        expected.push("afterwards".to_owned());
        assert_eq!(server.network.messages(two), expected);
    }

    async fn who_is_denied_gets_nothing(server: &TestSender) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        server.join(&room, user_id!("@mallory:denied.example")).await;
        server.join(&room, user_id!("@bob:two.example")).await;
        server.send(&room, &alice, "hello").await;
        server.outbound.send_typing(&room.id, &alice, true);
        server.settled(server_name!("two.example")).await;
        until(|| !server.network.edus(server_name!("two.example")).is_empty()).await;
        let destinations = server.outbound.destinations();
        assert_eq!(destinations.len(), 1, "{destinations:?}");
    }

    async fn while_members_are_missing_events_go_to_who_is_said_to_be_in_the_room(server: &TestSender) {
        let alice = server.register("alice").await;
        let room = server.public_room(&alice).await;
        server.join(&room, user_id!("@bob:two.example")).await;
        let number = room.number;
        let step = server.database.writer().transact(move |tx| {
            Box::pin(async move {
                let partial = "INSERT INTO partial_joins (room_number, join_number, resident, servers)
                    VALUES ($1, 1, 'two.example', '[\"one.example\",\"two.example\",\"three.example\"]')";
                tx.execute(partial, &[number.into()]).await?;
                let standing = "UPDATE rooms SET standing = 1 WHERE room_number = $1";
                tx.execute(standing, &[number.into()]).await?;
                Ok::<_, echorift_storage::StorageError>(())
            })
        });
        step.await.unwrap();
        let restarted = server.restart(true, None).await;
        let room = restarted.rooms.load(&[number]).await.unwrap().pop().unwrap();
        restarted.send(&room, &alice, "hello").await;
        for name in [server_name!("two.example"), server_name!("three.example")] {
            restarted.settled(name).await;
            assert_eq!(restarted.network.messages(name), ["hello"], "{name}");
        }
        assert_eq!(restarted.outbound.destinations().len(), 2);
        restarted.end().await;
    }
}
