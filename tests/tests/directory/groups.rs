use echorift_tests::{
    Caller, Look as _, TestAuthority, TestDirectory, TestServer, User, free_port, path, refused, run_cli,
    until, v3,
};
use serde_json::{Value, json};

use crate::{admin, administrator, group, mirroring, person, sync};

/// The room behind an alias of the server; waits until there is one.
async fn room(caller: &Caller, alias: &str) -> String {
    until("the room is made", async || {
        let found = caller.get(v3(["directory", "room", alias])).await.ok()?;
        Some(found.text("/room_id").to_owned())
    })
    .await
}

async fn is_in(user: &User, room: &str) -> bool {
    let rooms = user.get(v3(["joined_rooms"])).await.unwrap();
    rooms.list("/joined_rooms").contains(&json!(room))
}

async fn comes_into(user: &User, room: &str) {
    until("they are let in", async || is_in(user, room).await.then_some(())).await;
}

async fn goes_out_of(user: &User, room: &str) {
    until("they are out", async || (!is_in(user, room).await).then_some(())).await;
}

async fn level(viewer: &User, room: &str, whom: &User) -> Value {
    let levels = viewer.state(room, "m.room.power_levels", "").await.unwrap();
    levels["users"][&whom.id].clone()
}

/// People of the sample company, whose passwords are made of their first names.
async fn log_in<const N: usize>(server: &TestServer, names: [&str; N]) -> [User; N] {
    let mut users = Vec::with_capacity(N);
    for name in names {
        let first = name.split('.').next().unwrap();
        let password = format!("nordlicht-{first}");
        users.push(User::logged_in(server, name, &password).await.unwrap());
    }
    users.try_into().unwrap()
}

/// LDIF by which a person comes into a group (`add`) or goes out of it (`delete`).
fn member(change: &str, of: &str, who: &str) -> String {
    format!(
        "dn: {}\nchangetype: modify\n{change}: member\nmember: {}\n\n",
        group(of),
        person(who)
    )
}

/// A group of these people.
fn new_group(name: &str, people: &[&str]) -> String {
    let members: String = people
        .iter()
        .map(|who| format!("member: {}\n", person(who)))
        .collect();
    format!(
        "dn: {}\nchangetype: add\nobjectClass: groupOfNames\n{members}\n",
        group(name)
    )
}

async fn drift(root: &Caller) -> Vec<(String, String)> {
    let found = root.get(admin(&["drift"])).await.unwrap();
    let items = found.list("/items").iter();
    items
        .map(|item| (item.text("/kind").to_owned(), item.text("/user_id").to_owned()))
        .collect()
}

/// In the engineers' channel, to which Sofia was invited.
async fn members_see_who_was_brought(outsider: &Caller, talk: &str, [jonas, sofia, anna]: [&User; 3]) {
    let part = |user: Option<&User>| {
        let room = ["rooms", talk, "directory"];
        let user = user.map(|user| user.id.as_str());
        path("/_echorift/v1", &room.into_iter().chain(user).collect::<Vec<_>>())
    };
    let groups = sofia.get(part(None)).await.unwrap();
    assert_eq!(groups["groups"][0]["name"], "engineering");
    assert!(groups["groups"][0]["people"].as_i64().unwrap() >= 2, "{groups}");
    let of_jonas = sofia.get(part(Some(jonas))).await.unwrap();
    assert_eq!(of_jonas, json!({ "is_member": true, "group": "engineering" }));
    assert_eq!(
        anna.get(part(Some(sofia))).await.unwrap(),
        json!({ "is_member": false })
    );
    for path in [part(None), part(Some(jonas))] {
        refused(outsider.get(path).await, 403, "M_FORBIDDEN");
    }
}

#[tokio::test]
async fn people_move_between_servers_and_channels_with_their_groups_and_guests_stay() {
    let directory = TestDirectory::start();
    let server = mirroring(&directory)
        .set(
            "directory.mapping",
            json!([
                {
                    "group": group("engineering"), "space": "#eng", "channel": ["#eng-talk"], "create": true,
                    "name": "Engineering", "topic": "What we build", "visibility": "space",
                },
                { "group": group("sales"), "channel": "#sales", "create": true, "name": "Sales" },
            ]),
        )
        .start()
        .await;
    let root = administrator(&server).await;
    let [jonas, sofia, anna] = log_in(&server, ["jonas.meyer", "sofia.rossi", "anna.weber"]).await;
    let space = room(&root, "#eng:test.example").await;
    let (talk, sales) = (
        room(&root, "#eng-talk:test.example").await,
        room(&root, "#sales:test.example").await,
    );
    for (user, room) in [(&jonas, &space), (&jonas, &talk), (&sofia, &sales)] {
        comes_into(user, room).await;
    }
    assert!(!is_in(&sofia, &talk).await);
    // What was made is what was described.
    assert_eq!(
        jonas.state(&space, "m.room.name", "").await.unwrap()["name"],
        "Engineering"
    );
    assert_eq!(
        jonas.state(&talk, "m.room.name", "").await.unwrap()["name"],
        "eng-talk"
    );
    let child = jonas.state(&space, "m.space.child", &talk).await.unwrap();
    assert_eq!(child["via"], json!(["test.example"]));
    let rules = jonas.state(&talk, "m.room.join_rules", "").await.unwrap();
    assert_eq!(rules["allow"][0]["room_id"], json!(space));

    // Somebody whom a colleague invites is none of the directory's business.
    comes_into(&anna, &talk).await;
    anna.invite(&talk, &sofia).await.unwrap();
    sofia.join(&talk).await.unwrap();
    members_see_who_was_brought(&root, &talk, [&jonas, &sofia, &anna]).await;

    // In this order, so that he is in a group that may log in all the time.
    let moves = member("add", "sales", "jonas.meyer") + &member("delete", "engineering", "jonas.meyer");
    directory.change(&moves);
    comes_into(&jonas, &sales).await;
    goes_out_of(&jonas, &talk).await;
    goes_out_of(&jonas, &space).await;
    assert!(is_in(&sofia, &talk).await && is_in(&anna, &talk).await);
    assert_eq!(
        drift(&root).await,
        [("added_by_hand".to_owned(), sofia.id.clone())]
    );
}

#[tokio::test]
async fn roles_follow_groups_and_what_people_decide_stays() {
    let directory = TestDirectory::start();
    directory.change(&new_group("leads", &["jonas.meyer", "anna.weber"]));
    let server = mirroring(&directory)
        .set(
            "directory.mapping",
            json!([
                { "group": group("everyone"), "channel": "#all", "create": true },
                { "group": group("leads"), "channel": "#all", "role": "moderator" },
                { "group": group("sales"), "channel": "#all", "role": "admin" },
            ]),
        )
        .start()
        .await;
    let root = administrator(&server).await;
    let [jonas, sofia, anna] = log_in(&server, ["jonas.meyer", "sofia.rossi", "anna.weber"]).await;
    let all = room(&root, "#all:test.example").await;
    comes_into(&sofia, &all).await;
    until("all have their levels", async || {
        let levels = sofia.state(&all, "m.room.power_levels", "").await.ok()?;
        (levels["users"][&sofia.id] == 100 && levels["users"][&anna.id] == 50).then_some(())
    })
    .await;
    assert_eq!(level(&sofia, &all, &jonas).await, 50);

    // Who was raised by hand keeps that, and who was removed by hand stays out.
    let mut raised = sofia.state(&all, "m.room.power_levels", "").await.unwrap();
    raised["users"][&anna.id] = json!(75);
    sofia
        .set_state(&all, "m.room.power_levels", "", raised)
        .await
        .unwrap();
    let o_neil = User::logged_in(&server, "o'neil", "nordlicht-sinead")
        .await
        .unwrap();
    sofia.kick(&all, &o_neil).await.unwrap();
    directory.change(&member("delete", "leads", "jonas.meyer"));
    until("the level is taken back", async || {
        level(&sofia, &all, &jonas).await.is_null().then_some(())
    })
    .await;
    sync(&root).await;
    assert_eq!(level(&sofia, &all, &anna).await, 75);
    assert!(is_in(&jonas, &all).await && !is_in(&o_neil, &all).await);
    let mut found = drift(&root).await;
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("left".to_owned(), o_neil.id.clone()),
            ("power".to_owned(), anna.id.clone())
        ]
    );
}

#[tokio::test]
async fn a_dry_run_lists_every_change_and_makes_none() {
    let directory = TestDirectory::start();
    let server = mirroring(&directory).start().await;
    let root = administrator(&server).await;
    let [anna] = log_in(&server, ["anna.weber"]).await;
    let before = anna.get(v3(["joined_rooms"])).await.unwrap();
    let mapping = json!([
        { "group": group("platform"), "channel": "#platform", "create": true, "role": "moderator" },
    ]);
    let table = format!(
        "\n[[directory.mapping]]\ngroup = {}\nchannel = \"#platform\"\ncreate = true\nrole = \"moderator\"\n",
        mapping[0]["group"]
    );
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("echorift.toml");
    std::fs::write(
        &config,
        std::fs::read_to_string(server.config_file()).unwrap() + &table,
    )
    .unwrap();
    let look = |what: &str| {
        let output = run_cli(["directory", what, "--config", config.to_str().unwrap()]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let plan = look("plan");
    for line in [
        "make the channel #platform:test.example (platform)",
        "join @anna.weber:test.example to #platform:test.example",
        "level of @anna.weber:test.example in #platform:test.example: 0 to 50",
    ] {
        assert!(plan.contains(line), "{plan}");
    }
    assert_eq!(anna.get(v3(["joined_rooms"])).await.unwrap(), before);
    assert!(
        root.get(v3(["directory", "room", "#platform:test.example"]))
            .await
            .is_err()
    );

    // Platform and engineering hold each other: that is no reason not to end.
    assert!(server.stop().await);
    server.set("directory.mapping", mapping);
    server.restart().await;
    let platform = room(&root, "#platform:test.example").await;
    comes_into(&anna, &platform).await;
    until("nothing is left to do", async || {
        look("plan").contains("\n0 changes to rooms").then_some(())
    })
    .await;
    assert!(look("drift").contains("0 differences."));
}

#[tokio::test]
async fn a_group_that_is_emptied_or_gone_by_mistake_removes_nobody_until_somebody_agrees() {
    let directory = TestDirectory::start();
    let people = [
        "anna.weber",
        "jonas.meyer",
        "sofia.rossi",
        "lars.hansen",
        "lena.hansen",
        "Tove.Berg",
        "o'neil",
    ];
    directory.change(&(new_group("crew", &people) + &new_group("pair", &["anna.weber", "jonas.meyer"])));
    let server = mirroring(&directory)
        .set(
            "directory.mapping",
            json!([
                { "group": group("crew"), "channel": "#crew", "create": true },
                { "group": group("pair"), "channel": "#pair", "create": true },
            ]),
        )
        .start()
        .await;
    let root = administrator(&server).await;
    let [jonas, sofia] = log_in(&server, ["jonas.meyer", "sofia.rossi"]).await;
    let (crew, pair) = (
        room(&root, "#crew:test.example").await,
        room(&root, "#pair:test.example").await,
    );
    comes_into(&sofia, &crew).await;
    comes_into(&jonas, &pair).await;

    let emptied = format!(
        "dn: {}\nchangetype: modify\nreplace: member\nmember: {}\n\n",
        group("crew"),
        person("anna.weber")
    );
    directory.change(&format!("{emptied}dn: {}\nchangetype: delete\n\n", group("pair")));
    let stopped = until("the run is stopped", async || {
        let status = root.get(admin(&[])).await.unwrap();
        let stops = status.list("/groups/stops").to_vec();
        (!stops.is_empty()).then_some(stops)
    })
    .await;
    assert_eq!(stopped[0]["room"], "#crew:test.example");
    assert_eq!(
        (&stopped[0]["removals"], &stopped[0]["mirrored"]),
        (&json!(6), &json!(7))
    );
    assert!(is_in(&sofia, &crew).await && is_in(&jonas, &pair).await);

    root.post(admin(&["approve"]), json!({})).await.unwrap();
    goes_out_of(&sofia, &crew).await;
    goes_out_of(&jonas, &pair).await;
}

#[tokio::test]
async fn a_room_of_another_server_is_entered_where_it_is_open_and_what_takes_power_is_told() {
    let directory = TestDirectory::start();
    let authority = TestAuthority::new();
    let ports = [free_port(), free_port()];
    let hosts = json!({ "ours.test": format!("127.0.0.1:{}", ports[0]), "theirs.test": format!("127.0.0.1:{}", ports[1]) });
    let theirs = TestServer::builder()
        .federating_at(&authority, "theirs.test", ports[1])
        .set("federation.hosts", hosts.clone())
        .start()
        .await;
    let [bob] = theirs.register(["bob"]).await;
    let request = json!({ "preset": "public_chat", "room_alias_name": "joint" });
    let joint = bob.create_room(request).await.unwrap();
    let server = mirroring(&directory)
        .federating_at(&authority, "ours.test", ports[0])
        .set("federation.hosts", hosts)
        .set(
            "directory.mapping",
            json!([{ "group": group("sales"), "channel": "#joint:theirs.test", "role": "moderator" }]),
        )
        .start()
        .await;
    let root = administrator(&server).await;
    let [sofia] = log_in(&server, ["sofia.rossi"]).await;
    comes_into(&sofia, &joint).await;
    until("the other server knows of it", async || {
        let member = bob.state(&joint, "m.room.member", &sofia.id).await.ok()?;
        (member["membership"] == "join").then_some(())
    })
    .await;
    let plan = until("the levels are told to be out of reach", async || {
        let plan = root.get(admin(&["plan"])).await.unwrap();
        let changes = plan.list("/rooms/changes").to_vec();
        changes
            .iter()
            .any(|change| change["kind"] == "not_possible")
            .then_some(changes)
    })
    .await;
    let told = plan
        .iter()
        .find(|change| change["kind"] == "not_possible")
        .unwrap();
    assert!(told.text("/sentence").contains("@directory:ours.test"), "{told}");
    assert!(told.list("/user_ids").contains(&json!(sofia.id)), "{told}");
}
