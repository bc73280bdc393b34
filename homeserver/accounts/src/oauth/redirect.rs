use url::{Host, Url};

/// What a client says it is (CS API § Redirect URI validation).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ApplicationType {
    Web,
    Native,
}

/// Why a URI of a client cannot be used; a sentence for its developer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadUri(pub(crate) &'static str);

/// The web address that a client belongs to; all its other addresses are on the same host or below it.
#[derive(Debug, Clone)]
pub(crate) struct ClientHome(Url);

impl ClientHome {
    /// Errors: anything but an `https` address without user and password.
    pub(crate) fn parse(uri: &str) -> Result<Self, BadUri> {
        let url = parse(uri)?;
        judge_https(&url)?;
        Ok(Self(url))
    }

    /// Checks another web address of the client (`tos_uri` and the like).
    pub(crate) fn judge_page(&self, uri: &str) -> Result<(), BadUri> {
        let url = parse(uri)?;
        judge_https(&url)?;
        if self.covers(&url) {
            Ok(())
        } else {
            Err(BadUri("is neither on the host of client_uri nor on one below it"))
        }
    }

    /// Checks where the browser may be sent with a code (CS API § Redirect URI validation).
    pub(crate) fn judge_redirect(&self, uri: &str, kind: ApplicationType) -> Result<(), BadUri> {
        let url = parse(uri)?;
        if url.fragment().is_some() {
            return Err(BadUri("has a fragment"));
        }
        match (url.scheme(), kind) {
            ("https", _) => self.judge_page(uri),
            ("http", ApplicationType::Native) if !is_loopback(&url) => Err(BadUri(
                "is http, and its host is not localhost, 127.0.0.1 or [::1]",
            )),
            ("http", ApplicationType::Native) if has_port(uri) => {
                Err(BadUri("names a port; any port is accepted later"))
            }
            ("http", ApplicationType::Native) => judge_no_user(&url),
            (_, ApplicationType::Web) => Err(BadUri("is not https")),
            (scheme, ApplicationType::Native) => self.judge_private_scheme(scheme, uri),
        }
    }

    /// `com.example.app:/callback` for `https://example.com/`.
    fn judge_private_scheme(&self, scheme: &str, uri: &str) -> Result<(), BadUri> {
        let Some(Host::Domain(domain)) = self.0.host() else {
            return Err(BadUri("has a scheme that does not follow from client_uri"));
        };
        let labels: Vec<&str> = domain.split('.').rev().collect();
        let reversed = labels.join(".");
        let below = scheme.strip_prefix(reversed.as_str());
        if labels.len() < 2 || !below.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
            return Err(BadUri(
                "has a scheme that is not the host of client_uri in reverse order",
            ));
        }
        let after = uri.get(scheme.len() + 1..).unwrap_or_default();
        if after.starts_with("//") {
            return Err(BadUri("has an authority behind its private scheme"));
        }
        Ok(())
    }

    /// Whether `url` is on the client's host or a host below it. Addresses and single words have nothing below them.
    fn covers(&self, url: &Url) -> bool {
        match (self.0.host(), url.host()) {
            (Some(Host::Domain(own)), Some(Host::Domain(other))) => {
                let below = other
                    .strip_suffix(own)
                    .is_some_and(|rest| rest.ends_with('.') && own.contains('.'));
                own == other || below
            }
            (Some(own), Some(other)) => own == other,
            _ => false,
        }
    }
}

/// Whether `presented` is the registered `uri`: letter by letter, but for the port of a native client's loopback
/// address, which its system chooses (RFC 8252 § 7.3).
pub(crate) fn matches(uri: &str, presented: &str, kind: ApplicationType) -> bool {
    if uri == presented {
        return true;
    }
    let (Ok(registered), Ok(mut url)) = (parse(uri), parse(presented)) else {
        return false;
    };
    kind == ApplicationType::Native
        && registered.scheme() == "http"
        && is_loopback(&registered)
        && judge_no_user(&url).is_ok()
        && url.fragment().is_none()
        && url.set_port(None).is_ok()
        && url == registered
}

/// The parser mends much that browsers mend too; what needs mending is refused, so that nobody reads it otherwise.
fn parse(uri: &str) -> Result<Url, BadUri> {
    let is_plain = |c: char| c.is_ascii_graphic() && !"\\\"<>^`{|}".contains(c);
    if !uri.chars().all(is_plain) {
        return Err(BadUri("holds characters that a URI has not"));
    }
    Url::parse(uri).map_err(|_| BadUri("is not a URI"))
}

fn judge_https(url: &Url) -> Result<(), BadUri> {
    if url.scheme() != "https" {
        return Err(BadUri("is not https"));
    }
    judge_no_user(url)
}

fn judge_no_user(url: &Url) -> Result<(), BadUri> {
    if url.username().is_empty() && url.password().is_none() {
        Ok(())
    } else {
        Err(BadUri("holds a user name or a password"))
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(domain)) => domain == "localhost",
        Some(Host::Ipv4(address)) => address == std::net::Ipv4Addr::LOCALHOST,
        Some(Host::Ipv6(address)) => address == std::net::Ipv6Addr::LOCALHOST,
        None => false,
    }
}

/// The parsed form leaves out `:80`, so the text is looked at.
fn has_port(uri: &str) -> bool {
    let authority = uri.split_once("//").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    match authority.rsplit_once(']') {
        Some((_, behind)) => behind.contains(':'),
        None => authority.contains(':'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> ClientHome {
        ClientHome::parse("https://example.com/").unwrap()
    }

    #[test]
    fn web_clients_are_sent_to_https_below_their_home() {
        let judge = |uri: &str| home().judge_redirect(uri, ApplicationType::Web).is_ok();
        for good in [
            "https://example.com/callback",
            "https://app.example.com/callback",
            "https://example.com:5173/?query=value",
        ] {
            assert!(judge(good), "{good}");
        }
        for bad in [
            "https://example.com/callback#fragment",
            "https://example.com/callback#",
            "http://example.com/callback",
            "http://localhost/",
            "https://user@example.com/",
            "https://evilexample.com/",
            "https://example.com.evil.org/",
            "https://evil.org\\@example.com/",
            "https://example.com/\u{a0}",
            "https://exa\tmple.com/",
            "com.example.app:/callback",
            "javascript:alert(1)",
            "data:text/html,x",
            "/callback",
            "",
        ] {
            assert!(!judge(bad), "{bad}");
        }
    }

    #[test]
    fn native_clients_are_sent_to_their_scheme_or_their_machine() {
        let judge = |uri: &str| home().judge_redirect(uri, ApplicationType::Native).is_ok();
        for good in [
            "com.example.app:/callback",
            "com.example:/",
            "com.example:callback",
            "http://localhost/callback",
            "http://127.0.0.1/callback",
            "http://[::1]/callback",
            "https://app.example.com/callback",
        ] {
            assert!(judge(good), "{good}");
        }
        for bad in [
            "example:/callback",
            "com.example.app://callback",
            "com.examples:/callback",
            "com.exampleapp:/callback",
            "https://localhost/callback",
            "http://localhost:1234/callback",
            "http://localhost:80/callback",
            "http://[::1]:80/callback",
            "http://localhost.example.com/",
            "http://user@localhost/callback",
            "http://127.0.0.2/",
            "javascript:alert(1)",
        ] {
            assert!(!judge(bad), "{bad}");
        }
    }

    #[test]
    fn a_home_of_one_word_or_an_address_has_nothing_below_it() {
        let word = ClientHome::parse("https://com/").unwrap();
        assert!(word.judge_page("https://com/terms").is_ok());
        assert!(word.judge_page("https://evil.com/").is_err());
        assert!(word.judge_redirect("com:/x", ApplicationType::Native).is_err());
        let address = ClientHome::parse("https://10.0.0.1/").unwrap();
        assert!(address.judge_page("https://10.0.0.1:8443/").is_ok());
        assert!(address.judge_page("https://10.0.0.2/").is_err());
    }

    #[test]
    fn only_the_port_of_a_native_loopback_address_is_free() {
        let native = |uri, presented| matches(uri, presented, ApplicationType::Native);
        assert!(native("http://127.0.0.1/cb?a=b", "http://127.0.0.1:49152/cb?a=b"));
        assert!(native("http://[::1]/cb", "http://[::1]:49152/cb"));
        for (uri, presented) in [
            ("http://127.0.0.1/cb", "http://127.0.0.1:49152/other"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb#x"),
            ("http://127.0.0.1/cb", "http://evil@127.0.0.1:49152/cb"),
            ("http://127.0.0.1/cb", "http://localhost:49152/cb"),
            ("http://127.0.0.1/cb", "https://127.0.0.1:49152/cb"),
            ("https://example.com/cb", "https://example.com:8443/cb"),
            ("https://example.com/cb", "https://example.com/cb/"),
            ("https://example.com/cb", "https://example.com/cb?x=y"),
            ("https://example.com/cb", "https://EXAMPLE.com/cb"),
        ] {
            assert!(!native(uri, presented), "{uri} {presented}");
        }
        assert!(!matches(
            "http://localhost/",
            "http://localhost:1/",
            ApplicationType::Web
        ));
    }
}
