//! Bots: accounts that people make for programs. Nobody logs in to one: it acts by its tokens, and its maker answers for it.

use std::time::Duration;

use echorift_storage::{Change, Timestamp, UserNumber};
use ruma::{OwnedUserId, UserId};

use crate::{
    AccountError, Accounts,
    store::{self, accounts::NewAccount, bots::StoredBot},
};

/// The provider of such accounts. No password opens them: no directory has this name.
pub(crate) const PROVIDER: &str = "bot";
const DISPLAY_NAME_BYTES_MAX: usize = 1_024;

/// Who may make bots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BotMakers {
    #[default]
    Everyone,
    Admins,
    Nobody,
}

/// What the operator configures about programs' access (`[bots]`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BotOptions {
    pub makers: BotMakers,
    /// How many bots one person may have.
    pub per_person_max: u32,
    /// Whether people may make tokens for their own accounts.
    pub personal_tokens: bool,
    /// How many tokens an account may have.
    pub tokens_per_account_max: u32,
    /// How long a token may be good; without it, also for ever.
    pub token_lifetime_max: Option<Duration>,
}

impl Default for BotOptions {
    fn default() -> Self {
        Self {
            makers: BotMakers::Everyone,
            per_person_max: 10,
            personal_tokens: true,
            tokens_per_account_max: 25,
            token_lifetime_max: None,
        }
    }
}

/// A bot that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bot {
    pub number: UserNumber,
    pub user_id: OwnedUserId,
    pub owner: OwnedUserId,
    pub display_name: Option<String>,
    pub created: Timestamp,
}

/// Who wants a bot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Maker {
    pub(crate) number: UserNumber,
    pub(crate) is_admin: bool,
}

impl Accounts {
    /// Makes a bot that its maker answers for.
    ///
    /// Errors: `NotAllowed`, `Suspended`, `InvalidUsername`, `UserInUse`, `TooLarge`, `TooMany`.
    pub(crate) async fn make_bot(
        &self,
        maker: Maker,
        localpart: &str,
        display_name: Option<String>,
    ) -> Result<Bot, AccountError> {
        let options = &self.0.options.bots;
        let may_make = match options.makers {
            BotMakers::Everyone => true,
            BotMakers::Admins => maker.is_admin,
            BotMakers::Nobody => false,
        };
        if !may_make {
            return Err(AccountError::NotAllowed("You may not make bots on this server."));
        }
        if self.is_suspended(maker.number) {
            return Err(AccountError::Suspended);
        }
        let display_name = display_name.unwrap_or_else(|| localpart.to_owned());
        if display_name.len() > DISPLAY_NAME_BYTES_MAX {
            return Err(AccountError::TooLarge {
                what: "the display name",
                limit: DISPLAY_NAME_BYTES_MAX,
            });
        }
        let user_id = self.judge_new_name(Some(localpart)).await?;
        let number = UserNumber(self.0.users.intern(user_id.as_str()).await?);
        let new = NewAccount {
            number,
            localpart: user_id.localpart().to_owned(),
            password_hash: None,
            provider: Some(PROVIDER.to_owned()),
            external_id: None,
            mail: None,
            is_admin: false,
            is_guest: false,
            display_name: Some(display_name),
        };
        let (owner, limit, now) = (maker.number, options.per_person_max, self.0.clock.now());
        let made = self.0.database.writer().transact(move |tx| {
            Box::pin(async move {
                let others = store::bots::numbers_of_owner(tx, owner).await?;
                if u32::try_from(others.len()).unwrap_or(u32::MAX) >= limit {
                    return Err(AccountError::TooMany { what: "bots", limit });
                }
                store::accounts::insert(tx, &new, now).await?;
                store::bots::insert(tx, (number, owner), now).await?;
                Ok(())
            })
        });
        made.await?;
        self.load_bot(&user_id).await
    }

    /// A bot by its user ID. Errors: `NoSuchUser`, also for people.
    pub(crate) async fn load_bot(&self, user: &UserId) -> Result<Bot, AccountError> {
        let number = self.0.users.find(user.as_str()).await?.map(UserNumber);
        let stored = match number {
            Some(number) => store::bots::find(&self.0.database, number).await?,
            None => None,
        };
        let mut bots = self.bots_of(stored.into_iter().collect()).await?;
        bots.pop().ok_or(AccountError::NoSuchUser)
    }

    /// A bot that `owner` answers for. Errors: `NoSuchUser`, also for those of others.
    pub(crate) async fn own_bot(&self, owner: &UserId, bot: &UserId) -> Result<Bot, AccountError> {
        let found = self.load_bot(bot).await?;
        if found.owner == owner {
            Ok(found)
        } else {
            Err(AccountError::NoSuchUser)
        }
    }

    /// The bots of one person, in the order in which they were made.
    pub(crate) async fn bots_of_owner(&self, owner: UserNumber) -> Result<Vec<Bot>, AccountError> {
        let stored = store::bots::of_owner(&self.0.database, owner).await?;
        self.bots_of(stored).await
    }

    /// A page of all bots, by number, behind `after`. Three queries.
    pub async fn bots(&self, after: Option<UserNumber>, limit: u32) -> Result<Vec<Bot>, AccountError> {
        let after = after.unwrap_or(UserNumber(0));
        let stored = store::bots::page(&self.0.database, after, limit.into()).await?;
        self.bots_of(stored).await
    }

    /// Ends a bot for good, as any account is ended. Errors: `NoSuchUser`.
    pub(crate) async fn end_bot(&self, bot: &Bot) -> Result<(), AccountError> {
        self.deactivate(bot.number, &bot.user_id, false, Change::new())
            .await
    }

    async fn bots_of(&self, stored: Vec<StoredBot>) -> Result<Vec<Bot>, AccountError> {
        let ids = stored.iter().map(|bot| self.local_id(&bot.localpart));
        let ids = ids.collect::<Result<Vec<OwnedUserId>, _>>()?;
        let profiles = self.profiles(&ids).await?;
        let owners: Vec<i64> = stored.iter().map(|bot| bot.owner.0).collect();
        let owners = self.0.users.names(&owners).await?;
        let bots = stored.into_iter().zip(ids).zip(owners);
        let shown = bots.map(|((bot, user_id), owner)| {
            let owner = UserId::parse(&*owner)
                .map_err(|error| echorift_storage::StorageError::corrupt("user_numbers.user_id", error))?;
            let profile = profiles.get(&user_id);
            Ok(Bot {
                number: bot.user,
                display_name: profile.and_then(|profile| profile.display_name.clone()),
                user_id,
                owner,
                created: bot.created,
            })
        });
        shown.collect()
    }

    fn local_id(&self, localpart: &str) -> Result<OwnedUserId, AccountError> {
        UserId::parse_with_server_name(localpart, self.server_name())
            .map_err(|error| echorift_storage::StorageError::corrupt("accounts.localpart", error).into())
    }
}
