use echorift_storage::UserNumber;
use ruma::UserId;
use serde_json::json;

use super::databases::on_both_databases;

const DAY_MS: i64 = 24 * 3_600_000;
const REGISTER: &str = "/_matrix/client/v3/register?kind=guest";

on_both_databases! {
    async fn a_guest_who_can_never_come_back_is_taken_leave_of(server: &TestServer) {
        let open = server.restart(vec![], |options| options.registration.allow_guests = true).await;
        let alice = open.register("alice").await;
        let guest = open.post_open(REGISTER, json!({})).await.ok();
        let guest = UserId::parse(guest["user_id"].as_str().unwrap()).unwrap();
        let number = open.accounts.find_account(&guest).await.unwrap().unwrap().number;
        let (there, is_guest) = (async || open.accounts.user_exists(&guest).await.unwrap(), |user: UserNumber| {
            open.accounts.is_guest(user)
        });

        open.clock.advance_ms(DAY_MS);
        open.accounts.end_stale_guests().await.unwrap();
        assert!(there().await && is_guest(number));
        // It is known again after a restart.
        let again = open.restart(vec![], |options| options.registration.allow_guests = true).await;
        assert!(again.accounts.is_guest(number));

        open.clock.advance_ms(7 * DAY_MS);
        open.accounts.end_stale_guests().await.unwrap();
        assert!(!there().await && !is_guest(number));
        assert!(open.accounts.user_exists(&UserId::parse(&alice.id).unwrap()).await.unwrap());
    }
}
