use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    response::{Html, IntoResponse, Response},
};
use echorift_web::MatrixError;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use minijinja::{Value, context};
use subtle::ConstantTimeEq as _;
use url::{Host, Url};

use crate::{
    Accounts,
    oauth::{
        form::Fields,
        pages::{Language, STYLE},
    },
    secret,
};

/// `SHA-256` in base64url, as all our secrets are.
const COOKIE_BYTES: usize = 43;
/// Where a person goes who was going nowhere.
const HOME: &str = "/account";
/// Longer than any request for authorisation that a browser would send.
const ONWARD_BYTES_MAX: usize = 8 * 1024;

/// Whoever asks for a page. The cookie is theirs before they sign in: it keeps the forms of other sites out.
pub(super) struct Browser {
    pub(super) cookie: String,
    is_new: bool,
    is_sent_by_others: bool,
    pub(super) language: Language,
}

impl FromRequestParts<Accounts> for Browser {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, accounts: &Accounts) -> Result<Self, Infallible> {
        let headers = &parts.headers;
        let known = find_cookie(headers, cookie_name(accounts));
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let site = text(HeaderName::from_static("sec-fetch-site"));
        Ok(Self {
            is_new: known.is_none(),
            cookie: known.unwrap_or_else(secret::random_secret),
            is_sent_by_others: !matches!(site, None | Some("same-origin" | "none")),
            language: Language::choose(text(header::ACCEPT_LANGUAGE).unwrap_or_default()),
        })
    }
}

impl Browser {
    /// What a form of ours holds and a form of another site cannot know.
    pub(super) fn csrf(&self) -> String {
        secret::hash(&format!("csrf {}", self.cookie))
    }

    /// Whether a form that was posted is one of ours, filled in by this browser.
    pub(super) fn sent(&self, fields: &Fields) -> bool {
        let presented = fields.text("csrf").as_bytes();
        !self.is_new && !self.is_sent_by_others && bool::from(presented.ct_eq(self.csrf().as_bytes()))
    }
}

fn cookie_name(accounts: &Accounts) -> &'static str {
    // The prefix has browsers refuse it from anywhere but this very host.
    if accounts.0.oauth.pages.is_https && accounts.0.oauth.pages.base_path.is_empty() {
        "__Host-echorift"
    } else {
        "echorift"
    }
}

fn find_cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let cookies = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    cookies
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(known, value)| *known == name && value.len() == COOKIE_BYTES && value.bytes().all(allowed))
        .map(|(_, value)| value.to_owned())
}

fn set_cookie(accounts: &Accounts, value: &str, lives_on: bool) -> String {
    let pages = &accounts.0.oauth.pages;
    let name = cookie_name(accounts);
    let base = pages.base_path.as_str();
    let secure = if pages.is_https { "; Secure" } else { "" };
    let age = if lives_on {
        let lifetime = accounts.0.options.oauth.browser_session_lifetime;
        format!("; Max-Age={}", lifetime.as_secs())
    } else {
        String::new()
    };
    format!("{name}={value}; Path={base}/; HttpOnly; SameSite=Lax{secure}{age}")
}

/// A page of ours.
pub(super) struct Page<'a> {
    accounts: &'a Accounts,
    browser: &'a Browser,
    template: &'static str,
    page: Value,
    status: StatusCode,
    form_target: Option<&'a Url>,
}

impl<'a> Page<'a> {
    /// `page` is what the template sees under that name.
    pub(super) fn new(
        accounts: &'a Accounts,
        browser: &'a Browser,
        template: &'static str,
        page: Value,
    ) -> Self {
        Self {
            accounts,
            browser,
            template,
            page,
            status: StatusCode::OK,
            form_target: None,
        }
    }

    /// A page that says one thing: the names of its heading and its sentence among the texts.
    pub(super) fn message(
        accounts: &'a Accounts,
        browser: &'a Browser,
        title: &'static str,
        sentence: &'static str,
    ) -> Self {
        let page = context! { title, sentence };
        Self::new(accounts, browser, "message.html", page)
    }

    /// A form that was not filled in on this server's page, or too long ago.
    pub(super) fn stale_form(accounts: &'a Accounts, browser: &'a Browser) -> Self {
        Self::message(accounts, browser, "stale_title", "stale_text").status(StatusCode::FORBIDDEN)
    }

    pub(super) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The form's answer sends the browser on to this address of a client, which the policy has to allow: browsers
    /// apply `form-action` to the whole chain.
    pub(super) fn leads_to(mut self, url: &'a Url) -> Self {
        self.form_target = Some(url);
        self
    }

    pub(super) fn respond(self) -> Result<Response, MatrixError> {
        let pages = &self.accounts.0.oauth.pages;
        let server = self.accounts.server_name().as_str();
        let html = pages.render(self.template, self.browser.language, server, &self.page)?;
        let target = self.form_target.map(source_of).unwrap_or_default();
        let policy = format!(
            "default-src 'none'; style-src 'self'; form-action 'self'{target}; base-uri 'none'; frame-ancestors 'none'"
        );
        let mut response = (self.status, Html(html)).into_response();
        let headers = response.headers_mut();
        if let Ok(policy) = HeaderValue::try_from(policy) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        if self.browser.is_new {
            add_cookie(headers, &set_cookie(self.accounts, &self.browser.cookie, false));
        }
        harden(headers);
        Ok(response)
    }
}

/// A client's address as a source of a content security policy.
fn source_of(url: &Url) -> String {
    let has_name = matches!(url.host(), Some(Host::Domain(_) | Host::Ipv4(_)));
    match url.scheme() {
        "http" | "https" if has_name => format!(" {}", url.origin().ascii_serialization()),
        // Policies cannot name IPv6 addresses.
        scheme => format!(" {scheme}:"),
    }
}

fn add_cookie(headers: &mut HeaderMap, cookie: &str) {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        headers.append(header::SET_COOKIE, cookie);
    }
}

/// What all answers to browsers have: nobody keeps them, and nobody learns where the person was.
fn harden(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Sends the browser to another page of ours.
pub(super) fn go(accounts: &Accounts, path: &str) -> Response {
    leave(&format!("{}{path}", accounts.0.oauth.pages.base_path))
}

/// Sends the browser to another page of ours with a new cookie; without one it forgets the old.
pub(super) fn go_with_cookie(accounts: &Accounts, path: &str, cookie: Option<&str>) -> Response {
    let mut response = go(accounts, path);
    let cookie = match cookie {
        Some(cookie) => set_cookie(accounts, cookie, true),
        None => format!("{}; Max-Age=0", set_cookie(accounts, "", false)),
    };
    add_cookie(response.headers_mut(), &cookie);
    response
}

/// Sends the browser anywhere; 303, so that no form goes with it.
pub(super) fn leave(location: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    match HeaderValue::try_from(location) {
        Ok(location) => {
            headers.insert(header::LOCATION, location);
        }
        // Every address was parsed and serialised, so it is plain ASCII.
        Err(error) => return MatrixError::internal(error).into_response(),
    }
    harden(headers);
    response
}

/// Sends the browser to the log-in page, and from there on to `onward`.
pub(super) fn go_to_login(accounts: &Accounts, onward: &str, hint: Option<&str>) -> Response {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("continue", onward);
    if let Some(hint) = hint {
        query.append_pair("login_hint", hint);
    }
    go(accounts, &format!("/oauth2/login?{}", query.finish()))
}

/// Where a person was going: a path of ours and nothing else, whatever the request says.
pub(super) fn onward(fields: &Fields) -> &str {
    let path = fields.text("continue");
    let is_ours = ["/oauth2/auth", "/oauth2/link", HOME].iter().any(|page| {
        path.strip_prefix(page)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('?'))
    });
    let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic());
    if is_ours && is_plain && path.len() <= ONWARD_BYTES_MAX {
        path
    } else {
        HOME
    }
}

/// `GET /oauth2/style.css`: the one file that the pages load.
pub(super) async fn style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, STYLE).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn onward_of(path: &str) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("continue", path)
            .finish();
        onward(&Fields::parse(query.as_bytes()).unwrap()).to_owned()
    }

    #[test]
    fn nobody_is_led_away_from_this_server() {
        for good in ["/oauth2/auth?client_id=x", "/oauth2/link", "/account?action=a"] {
            assert_eq!(onward_of(good), good);
        }
        for bad in [
            "",
            "https://evil.org/",
            "//evil.org/",
            "/\\evil.org",
            "/oauth2/auth/../../evil",
            "/oauth2/auth@evil.org",
            "/account.evil.org",
            "/oauth2/auth?a\r\nSet-Cookie: x",
            "javascript:alert(1)",
        ] {
            assert_eq!(onward_of(bad), HOME, "{bad}");
        }
    }

    #[test]
    fn policies_name_where_a_form_leads() {
        for (url, source) in [
            (
                "https://app.example.org:8443/cb?x",
                " https://app.example.org:8443",
            ),
            ("http://127.0.0.1:4000/cb", " http://127.0.0.1:4000"),
            ("http://[::1]:4000/cb", " http:"),
            ("org.example.app:/cb", " org.example.app:"),
        ] {
            assert_eq!(source_of(&Url::parse(url).unwrap()), source);
        }
    }

    #[test]
    fn only_whole_cookies_of_ours_count() {
        let value = secret::random_secret();
        let mut headers = HeaderMap::new();
        let find = |headers: &HeaderMap| find_cookie(headers, "echorift");
        assert_eq!(find(&headers), None);
        headers.append(
            header::COOKIE,
            format!("xechorift={value}; echorift=short").parse().unwrap(),
        );
        assert_eq!(find(&headers), None);
        headers.append(header::COOKIE, format!("a=b; echorift={value}").parse().unwrap());
        assert_eq!(find(&headers), Some(value));
    }
}
