use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher as _, PasswordVerifier as _, Version,
    password_hash::SaltString,
};
use rand::Rng as _;
use tokio::sync::Semaphore;

use crate::{AccountError, PasswordOptions};

/// More than this is no password but an attempt to keep the server hashing.
const PASSWORD_BYTES_MAX: usize = 1024;

/// Makes and checks argon2id hashes, away from the async workers.
pub(crate) struct Passwords {
    params: Params,
    /// Each hash takes its memory and a core for tens of milliseconds: not more of them at once than there are cores.
    running: std::sync::Arc<Semaphore>,
    /// The hash of no password, checked for unknown users so that they take as long as known ones.
    dummy: String,
}

impl Passwords {
    pub(crate) fn new(options: &PasswordOptions) -> Result<Self, AccountError> {
        let params = Params::new(options.hash_memory_kib, options.hash_iterations, 1, None)
            .map_err(|error| AccountError::Hash(error.to_string()))?;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let dummy = hash(&params, &crate::secret::random_secret())?;
        Ok(Self {
            params,
            running: std::sync::Arc::new(Semaphore::new(cores)),
            dummy,
        })
    }

    /// Errors: `BadPassword` if it is empty or too long.
    pub(crate) async fn hash(&self, password: &str) -> Result<String, AccountError> {
        if password.is_empty() {
            return Err(AccountError::BadPassword("The password is empty."));
        }
        if password.len() > PASSWORD_BYTES_MAX {
            return Err(AccountError::BadPassword(
                "The password is longer than 1024 bytes.",
            ));
        }
        let (params, password) = (self.params.clone(), password.to_owned());
        self.run(move || hash(&params, &password)).await?
    }

    /// Whether `password` is the one that was hashed. Takes as long without a hash to compare with.
    pub(crate) async fn verify(&self, password: &str, stored: Option<&str>) -> Result<bool, AccountError> {
        if password.len() > PASSWORD_BYTES_MAX {
            return Ok(false);
        }
        let exists = stored.is_some();
        let (stored, password) = (stored.unwrap_or(&self.dummy).to_owned(), password.to_owned());
        let matches = self.run(move || verify(&password, &stored)).await??;
        Ok(exists && matches)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AccountError> {
        let failed = |reason: &str| AccountError::Hash(reason.to_owned());
        let place = std::sync::Arc::clone(&self.running)
            .acquire_owned()
            .await
            .map_err(|_| failed("shutting down"))?;
        let work = tokio::task::spawn_blocking(move || {
            // Held here and not by the caller: a request that is given up does not free the core.
            let _place = place;
            work()
        });
        work.await.map_err(|error| AccountError::Hash(error.to_string()))
    }
}

fn hash(params: &Params, password: &str) -> Result<String, AccountError> {
    let failed = |error: argon2::password_hash::Error| AccountError::Hash(error.to_string());
    let salt = SaltString::encode_b64(&rand::rng().random::<[u8; 16]>()).map_err(failed)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    Ok(argon2
        .hash_password(password.as_bytes(), &salt)
        .map_err(failed)?
        .to_string())
}

/// The hash carries its own parameters, so that passwords outlive a change of the settings.
fn verify(password: &str, stored: &str) -> Result<bool, AccountError> {
    let stored = PasswordHash::new(stored).map_err(|error| AccountError::Hash(error.to_string()))?;
    Ok(Argon2::default()
        .verify_password(password.as_bytes(), &stored)
        .is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_that_was_hashed_is_accepted() -> Result<(), AccountError> {
        let options = PasswordOptions {
            local_accounts: true,
            hash_memory_kib: 64,
            hash_iterations: 1,
        };
        let passwords = Passwords::new(&options)?;
        let stored = passwords.hash("correct horse").await?;
        assert!(passwords.verify("correct horse", Some(&stored)).await?);
        assert!(!passwords.verify("correct horse ", Some(&stored)).await?);
        assert!(!passwords.verify("correct horse", None).await?);
        assert!(passwords.hash("").await.is_err());
        assert!(passwords.hash(&"a".repeat(1025)).await.is_err());
        Ok(())
    }
}
