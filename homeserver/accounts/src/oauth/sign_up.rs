use crate::{AccountError, Accounts, secret, store::accounts::Account};

impl Accounts {
    /// Whether people can make an account on the server's own pages.
    pub(crate) async fn offers_registration(&self) -> Result<bool, AccountError> {
        let options = &self.0.options.registration;
        // These pages set no challenge, and are no way around it.
        let has_token = options.enabled && options.token.is_some() && options.recaptcha.is_none();
        let is_open = self.registers_freely() || has_token;
        Ok(is_open || self.awaits_first_admin().await?)
    }

    /// Whether nobody has to show a token for an account.
    pub(crate) fn registers_freely(&self) -> bool {
        let options = &self.0.options.registration;
        options.enabled && options.without_verification && options.recaptcha.is_none()
    }

    /// Makes an account for whoever may have one, by the same rules as `/register`: a registration token, or the
    /// first administrator's, unless registration is free.
    ///
    /// Errors: `InvalidUsername`, `UserInUse`, `BadPassword`, and `UnknownToken` for a token that opens nothing.
    pub(crate) async fn sign_up(
        &self,
        name: &str,
        password: &str,
        token: Option<&str>,
    ) -> Result<Account, AccountError> {
        let user_id = self.judge_new_name(Some(name)).await?;
        let token = token.map(str::trim);
        if let Some(token) = token
            && self.is_first_admin_token(token).await?
        {
            return self
                .register_first_admin(&user_id, password, secret::hash(token))
                .await;
        }
        let has_challenge = self.0.options.registration.recaptcha.is_some();
        let opens = |token: &str| !has_challenge && self.is_registration_token(token);
        if !self.registers_freely() && !token.is_some_and(opens) {
            return Err(AccountError::UnknownToken { soft_logout: false });
        }
        self.register(&user_id, password, false).await
    }
}
