use echorift_web::outbound::{Outbound, OutboundError, Redirects, read_limited};
use http::Method;
use serde::Deserialize;
use url::Url;

/// An answer is one small object.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// A challenge for people who register (`m.login.recaptcha`, `[registration.recaptcha]`).
#[derive(Clone)]
pub struct Recaptcha {
    /// Given to clients, who show the challenge by it.
    pub public_key: String,
    pub private_key: String,
    /// Where answers are checked.
    pub verify_url: Url,
    /// To an address that the operator names.
    pub outbound: Outbound,
}

impl std::fmt::Debug for Recaptcha {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recaptcha")
            .field("public_key", &self.public_key)
            .finish_non_exhaustive()
    }
}

impl Recaptcha {
    /// Whether the challenge was solved (reCAPTCHA's `siteverify`).
    pub(crate) async fn is_solved(&self, response: &str) -> Result<bool, OutboundError> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default)]
            success: bool,
        }
        let form = [("secret", self.private_key.as_str()), ("response", response)];
        let url = self.verify_url.clone();
        let request = self.outbound.request(Method::POST, url, Redirects::Never)?;
        let answer = self.outbound.send(request.form(&form)).await?;
        let body = read_limited(answer, ANSWER_BYTES_MAX).await?;
        // Whatever is not a clear yes is a no.
        Ok(serde_json::from_slice::<Answer>(&body).is_ok_and(|answer| answer.success))
    }
}
