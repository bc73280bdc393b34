//! The client's page.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Stands in the page where the nonce of its styles belongs.
const PLACE_OF_NONCE: &str = "__CSP_NONCE__";

/// Told to who opens the server's address while it has no client.
pub(crate) const WITHOUT_CLIENT: &str = "<!doctype html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width\">
<title>EchoRift</title>
<h1>EchoRift is running</h1>
<p>This server was built without its web client. To have it here, run <code>make client</code> in EchoRift's source (it needs
Node.js 20.19 or later and npm), build the server again and restart it; or name a folder with a built client in the setting
<code>server.client_dir</code>.</p>
<p>Any other Matrix client can use this address as its homeserver.</p>
</html>
";

/// A word that nobody can foresee, for one answer.
pub(crate) fn fresh_nonce() -> String {
    STANDARD.encode(rand::random::<[u8; 16]>())
}

/// The page with the nonce of this answer.
pub(crate) fn filled_in(page: &str, nonce: &str) -> String {
    page.replace(PLACE_OF_NONCE, nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_has_a_nonce_of_its_own() {
        let page = "<meta property=\"csp-nonce\" nonce=\"__CSP_NONCE__\">";
        let (one, other) = (fresh_nonce(), fresh_nonce());
        assert_ne!(one, other);
        assert_eq!(
            filled_in(page, &one),
            format!("<meta property=\"csp-nonce\" nonce=\"{one}\">")
        );
    }
}
