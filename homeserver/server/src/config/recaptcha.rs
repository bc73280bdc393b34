//! `[registration.recaptcha]`: a challenge for people who register.

use reqwest::Url;

use super::secret::Secret;
use super::table::Table;

/// Where challenges of the usual kind are checked.
const VERIFY_URL: &str = "https://www.google.com/recaptcha/api/siteverify";

/// Both keys, and where answers are checked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RecaptchaSettings {
    pub(crate) public_key: String,
    pub(crate) private_key: Secret,
    pub(crate) verify_url: Url,
}

impl RecaptchaSettings {
    /// `None` where neither key is set.
    pub(super) fn read(table: &mut Table<'_, '_>) -> Option<Self> {
        let public_key = table.text("public_key", "");
        let private_key = table.secret("private_key");
        let fix = "Write the http or https address at which answers are checked.";
        let parse = |text: &str| Url::parse(text).ok().filter(Url::has_host);
        let verify_url = table.parsed("verify_url", VERIFY_URL, parse, fix);
        match (public_key.is_empty(), private_key) {
            (true, None) => None,
            (false, Some(private_key)) => verify_url.map(|verify_url| Self {
                public_key,
                private_key,
                verify_url,
            }),
            (true, Some(_)) => {
                table.refuse(
                    "public_key",
                    "is needed beside the private key",
                    "Write both keys, or none.",
                );
                None
            }
            (false, None) => {
                let fix = "Write both keys, or none.";
                table.refuse_hidden("private_key", "is needed beside the public key", fix);
                None
            }
        }
    }
}
