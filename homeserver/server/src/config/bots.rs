//! `[bots]`: access for programs, by accounts made for them and by tokens.

use echorift_accounts::{BotMakers, BotOptions};

use super::table::Table;

pub(super) fn read(table: &mut Table<'_, '_>) -> BotOptions {
    let defaults = BotOptions::default();
    let lifetime = table.duration("token_lifetime_max", "0s");
    BotOptions {
        makers: table.choice(
            "makers",
            ("everyone", BotMakers::Everyone),
            &[("admins", BotMakers::Admins), ("nobody", BotMakers::Nobody)],
        ),
        per_person_max: table.whole("per_person", defaults.per_person_max, 1..=10_000),
        personal_tokens: table.flag("personal_tokens", defaults.personal_tokens),
        tokens_per_account_max: table.whole("tokens_per_account", defaults.tokens_per_account_max, 1..=1_000),
        token_lifetime_max: Some(lifetime).filter(|lifetime| !lifetime.is_zero()),
    }
}
