use echorift_storage::{Change, UserNumber};

use super::{UpstreamError, provider::Person};
use crate::{
    AccountError, Accounts, StandingAnswer,
    oauth::{browsers::admit, options::DirectoryClaim},
    store::{
        self,
        accounts::{Account, NewAccount},
    },
    username::judge_localpart,
};

impl Accounts {
    /// The account of a person whom a provider vouches for, made when they first come.
    ///
    /// Errors: `BadName`, `NameTaken`: an account is never given to whoever has the same name elsewhere. `Locked` and
    /// `Deactivated` accounts.
    pub(super) async fn admit_from_upstream(
        &self,
        issuer: &str,
        person: Person,
    ) -> Result<Account, UpstreamError> {
        // Whatever the provider is called here, who it speaks of is told by its issuer.
        let provider = format!("oidc:{issuer}");
        let database = &self.0.database;
        let find = async || store::accounts::find_by_external_id(database, &provider, &person.subject).await;
        if let Some(account) = find().await.map_err(AccountError::Storage)? {
            return Ok(admit(account)?);
        }
        let named = person.localpart.clone().unwrap_or_default();
        let localpart = localpart_from(&named);
        let user_id =
            judge_localpart(&localpart, self.server_name()).map_err(|_| UpstreamError::BadName(named))?;
        let new = NewAccount {
            number: UserNumber(
                self.0
                    .users
                    .intern(user_id.as_str())
                    .await
                    .map_err(AccountError::Storage)?,
            ),
            localpart: localpart.clone(),
            password_hash: None,
            provider: Some(provider.clone()),
            external_id: Some(person.subject.clone()),
            mail: None,
            is_admin: false,
            is_guest: false,
            display_name: Some(person.display_name.clone().unwrap_or_else(|| localpart.clone())),
        };
        match self.insert_account(new, Change::new()).await {
            Ok(()) => tracing::info!(%user_id, issuer, "made the account of a person at their first sign-in"),
            // Two first sign-ins at once, or somebody else's name.
            Err(AccountError::UserInUse) => {}
            Err(error) => return Err(error.into()),
        }
        match find().await.map_err(AccountError::Storage)? {
            Some(account) => Ok(admit(account)?),
            None => Err(UpstreamError::NameTaken(localpart)),
        }
    }

    /// The account of the directory's that belongs to a person whom a provider vouches for. None is made: the directory
    /// alone says who is to have one.
    ///
    /// Errors: `Untrusted` without a readable ID of the directory's; `NotInDirectory`, also of those who are there no
    /// longer; `Locked` and `Deactivated` accounts, also if the directory says so only now.
    pub(super) async fn admit_from_directory(
        &self,
        directory: &DirectoryClaim,
        person: Person,
    ) -> Result<Account, UpstreamError> {
        let DirectoryClaim {
            provider: name,
            claim,
        } = directory;
        let untrusted = |problem: &str| UpstreamError::Untrusted(format!("{problem} the claim {claim:?}"));
        let told = person.directory_id.ok_or_else(|| untrusted("it leaves out"))?;
        let provider = self.0.providers.iter().find(|provider| provider.name() == *name);
        let provider = provider.ok_or(AccountError::DirectoryUnavailable)?;
        let id = provider
            .external_id_of(&told)
            .ok_or_else(|| untrusted("no ID of the directory is in"))?;
        let account = store::accounts::find_by_external_id(&self.0.database, name, &id).await;
        let Some(account) = account.map_err(AccountError::Storage)? else {
            return Err(UpstreamError::NotInDirectory(id));
        };
        if self.look_up_standing(account.number).await? == StandingAnswer::Missing {
            return Err(UpstreamError::NotInDirectory(id));
        }
        Ok(admit(self.load_account(account.number).await?)?)
    }
}

/// A user name like the one that somebody has elsewhere: small letters, what stands before an `@`, and a hyphen for
/// each character that user names have not.
fn localpart_from(name: &str) -> String {
    let name = name.split('@').next().unwrap_or_default().to_lowercase();
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._=-/+".contains(c);
    let mended: String = name.chars().map(|c| if allowed(c) { c } else { '-' }).collect();
    mended.trim_matches(['-', '_']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_elsewhere_become_user_names() {
        for (name, localpart) in [
            ("Alice", "alice"),
            ("alice.smith@example.org", "alice.smith"),
            ("_bridge", "bridge"),
            ("Jürgen Groß", "j-rgen-gro"),
            ("@alice:evil.org", ""),
            ("😀", ""),
        ] {
            assert_eq!(localpart_from(name), localpart, "{name}");
        }
    }
}
