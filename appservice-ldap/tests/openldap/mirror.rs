//! Reading the whole directory: all of it, or nothing.

use echorift_appservice_ldap::DirectoryConfig;
use echorift_appservice_ldap::mirror::{Dn, ImmutableId, MirrorConfig, Reading, Standing};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::slapd::{Slapd, company, directory, group};

const PEOPLE: usize = 300;

fn members(reading: &Reading, group: &str) -> usize {
    reading.snapshot.people_of(&Dn::parse(group).unwrap()).len()
}

#[tokio::test]
async fn everybody_and_every_group_is_read_over_several_pages() {
    let slapd = Slapd::start(&["--people", "300", "--groups", "60"]);
    let reading = directory(slapd.config()).read().await.unwrap();
    let people = &reading.snapshot.people;
    let of_the_company = || {
        people
            .values()
            .filter(|person| person.localpart.starts_with("p00"))
    };
    assert_eq!(of_the_company().count(), PEOPLE);
    let with_photo = of_the_company().filter(|person| person.photo_digest.is_some());
    assert_eq!(with_photo.count(), 9);
    // Through groups in groups, and in circles.
    assert_eq!(members(&reading, &group("chat-users")), PEOPLE);
    assert_eq!(members(&reading, &group("ring-1")), 5);
    assert_eq!(members(&reading, &group("snake")), 1);
    // People who are named by their login.
    assert_eq!(members(&reading, &group("posix-1")), 20);
    let by_name = |localpart: &str| {
        people
            .values()
            .find(|person| person.localpart == localpart)
            .unwrap()
    };
    assert_eq!(by_name("mats.olsen").standing, Standing::Disabled);
    assert_eq!(by_name("peter.alt").standing, Standing::Expired);
    assert_eq!(by_name("=28star=29=2a").standing, Standing::Active);
    let manager = by_name("p00010").manager.clone().unwrap();
    assert_eq!(reading.snapshot.person_at(&manager).unwrap().localpart, "p00002");
}

#[tokio::test]
async fn a_tree_of_active_directory_is_read() {
    let slapd = Slapd::start_bare(&["--shape", "active-directory", "--people", "40", "--groups", "40"]);
    let config = DirectoryConfig {
        base_dn: slapd.text("people_dn").to_owned(),
        user_filter: "(&(objectClass=user)(sAMAccountName={username}))".to_owned(),
        attribute_uid: "sAMAccountName".to_owned(),
        attribute_name: "displayName".to_owned(),
        attribute_id: "objectGUID".to_owned(),
        mirror: MirrorConfig {
            attribute_department: "department".to_owned(),
            attribute_photo: "thumbnailPhoto".to_owned(),
            attribute_group_id: "objectGUID".to_owned(),
            ..MirrorConfig::default()
        },
        ..slapd.config()
    };
    let reading = directory(config).read().await.unwrap();
    assert_eq!(reading.snapshot.people.len(), 40);
    let is_guid = |id: &ImmutableId| id.as_str().len() == 36 && id.as_str().matches('-').count() == 4;
    assert!(reading.snapshot.people.keys().all(is_guid));
    assert!(
        reading
            .snapshot
            .people
            .values()
            .all(|person| person.department.is_some())
    );
    let groups = slapd.text("groups_dn");
    assert_eq!(members(&reading, &format!("cn=chat-users,{groups}")), 40);
    assert!(
        reading
            .snapshot
            .groups
            .values()
            .all(|group| group.id.as_ref().is_some_and(is_guid))
    );
}

/// Passes `bytes` of what the server says on, and then hangs up; where it listens.
async fn server_that_breaks_off_after(url: &str, bytes: usize) -> String {
    let server = url.strip_prefix("ldap://").unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let Ok(behind) = TcpStream::connect(&server).await else {
                continue;
            };
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = behind.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
            tokio::spawn(async move {
                let (mut left, mut buffer) = (bytes, [0; 512]);
                while left > 0 {
                    let some = left.min(buffer.len());
                    match from_server.read(&mut buffer[..some]).await {
                        Ok(read) if read > 0 && to_client.write_all(&buffer[..read]).await.is_ok() => {
                            left -= read;
                        }
                        _ => return,
                    }
                }
            });
        }
    });
    format!("ldap://{address}")
}

#[tokio::test]
async fn an_answer_that_breaks_off_anywhere_is_no_snapshot() {
    let company = company();
    let whole = directory(company.config()).read().await.unwrap().snapshot;
    let mut broken = 0;
    // Some 10 KB are said in all.
    for bytes in (0..40_000).step_by(1_999) {
        let url = server_that_breaks_off_after(company.text("ldap"), bytes).await;
        let config = DirectoryConfig {
            urls: vec![url],
            ..company.config()
        };
        match directory(config).read().await {
            Ok(reading) => assert_eq!(reading.snapshot, whole, "after {bytes} bytes"),
            Err(_) => broken += 1,
        }
    }
    assert!((2..20).contains(&broken), "{broken} of 20");
}

#[tokio::test]
async fn a_size_limit_is_told_from_the_end() {
    let slapd = Slapd::start(&["--people", "300", "--groups", "40", "--size-limit", "280"]);
    let refusal = directory(slapd.config()).read().await.unwrap_err().to_string();
    assert!(refusal.contains("sizeLimitExceeded"), "{refusal}");
}
