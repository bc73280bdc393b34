use echorift_storage::{Change, UserNumber};
use ruma::UserId;

use crate::{
    AccountError, Accounts,
    marks::Mark,
    store::{self, accounts::Farewell},
};

impl Accounts {
    /// Ends an account for good (CS API § Account deactivation): its sessions, devices, profile and account data are
    /// gone, its name is never given out again, and the observer takes it out of its rooms. `remember` is written with it.
    pub(crate) async fn deactivate(
        &self,
        user: UserNumber,
        user_id: &UserId,
        erase: bool,
        remember: Change,
    ) -> Result<(), AccountError> {
        let farewell = if erase {
            Farewell::LeaveAndErase
        } else {
            Farewell::Leave
        };
        let now = self.0.clock.now();
        let ended = self
            .0
            .database
            .writer()
            .transact(move |tx| {
                Box::pin(async move {
                    tx.apply(remember).await?;
                    store::devices::tell_of_lost_keys(tx, user, None).await?;
                    store::accounts::deactivate(tx, user, farewell, now).await?;
                    let mut ended = store::sessions::revoke_all(tx, user, None, now).await?;
                    // Nobody answers for their bots any more.
                    for bot in store::bots::numbers_of_owner(tx, user).await? {
                        ended.extend(store::sessions::revoke_all(tx, bot, None, now).await?);
                    }
                    Ok::<_, AccountError>(ended)
                })
            })
            .await?;
        self.0.checks.revoke(&ended);
        self.0.marks.set(user.0, Mark::default());
        self.0.account_data.forget(user);
        self.say_farewell(user, user_id, farewell).await
    }

    /// Says the farewells that were under way when the server stopped.
    pub(crate) async fn resume_farewells(&self) {
        let farewells = match store::accounts::farewells(&self.0.database).await {
            Ok(farewells) => farewells,
            Err(error) => {
                tracing::error!(%error, "deactivated accounts could not be taken out of their rooms");
                return;
            }
        };
        for (user, localpart, farewell) in farewells {
            let Ok(user_id) = UserId::parse_with_server_name(localpart, self.server_name()) else {
                continue;
            };
            if let Err(error) = self.say_farewell(user, &user_id, farewell).await {
                tracing::error!(%user_id, %error, "a deactivated account could not be taken out of its rooms");
            }
        }
    }

    async fn say_farewell(
        &self,
        user: UserNumber,
        user_id: &UserId,
        farewell: Farewell,
    ) -> Result<(), AccountError> {
        let Some(observer) = self.0.account_observer.get() else {
            return Ok(());
        };
        // An account that ends just while those of the server's last life are taken leave of is met by both.
        let _one_at_a_time = self.0.farewells.lock().await;
        if !store::accounts::has_farewell(&self.0.database, user).await? {
            return Ok(());
        }
        observer
            .deactivated(user_id, farewell == Farewell::LeaveAndErase)
            .await;
        let done = self
            .0
            .database
            .writer()
            .transact(move |tx| Box::pin(async move { store::accounts::end_farewell(tx, user).await }));
        Ok(done.await?)
    }
}
