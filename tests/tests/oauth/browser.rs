use std::sync::Mutex;

use echorift_tests::{TestServer, User};
use reqwest::Method;
use reqwest::header::HeaderMap;

/// A browser without JavaScript: it keeps one cookie, shows pages and sends forms.
pub(crate) struct Browser {
    base_url: String,
    http: reqwest::Client,
    pub(crate) cookie: Mutex<Option<String>>,
}

/// What a browser gets. Redirects are not followed.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
}

impl Page {
    /// Where the browser is sent.
    #[track_caller]
    pub(crate) fn location(&self) -> String {
        assert_eq!(self.status, 303, "{}", self.html);
        self.headers["location"].to_str().unwrap().to_owned()
    }

    /// The value of a field that the page has filled in.
    #[track_caller]
    pub(crate) fn field(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let (_, rest) = self
            .html
            .split_once(&mark)
            .unwrap_or_else(|| panic!("no field {name} in {}", self.html));
        let (value, _) = rest.split_once('"').unwrap();
        [
            ("&#x2f;", "/"),
            ("&quot;", "\""),
            ("&#x27;", "'"),
            ("&lt;", "<"),
            ("&gt;", ">"),
            ("&amp;", "&"),
        ]
        .iter()
        .fold(value.to_owned(), |text, (from, to)| text.replace(from, to))
    }
}

impl Browser {
    pub(crate) fn new(server: &TestServer) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            base_url: server.base_url(),
            http,
            cookie: Mutex::new(None),
        }
    }

    /// A browser in which somebody is signed in.
    pub(crate) async fn signed_in(server: &TestServer, user: &User) -> Self {
        let browser = Self::new(server);
        let page = browser.get("/oauth2/login").await;
        let answer = browser.log_in(&page, &user.localpart, &user.password).await;
        assert_eq!(answer.location(), "/account");
        browser
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        self.send(Method::GET, path, None, &[]).await
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.send(Method::POST, path, Some(fields), &[]).await
    }

    /// Fills in the log-in form of `page` and sends it.
    pub(crate) async fn log_in(&self, page: &Page, name: &str, password: &str) -> Page {
        let (csrf, onward) = (page.field("csrf"), page.field("continue"));
        let fields = [
            ("csrf", csrf.as_str()),
            ("continue", &onward),
            ("name", name),
            ("password", password),
        ];
        self.post("/oauth2/login", &fields).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        form: Option<&[(&str, &str)]>,
        headers: &[(&str, &str)],
    ) -> Page {
        let mut request = self.http.request(method, format!("{}{path}", self.base_url));
        if let Some(cookie) = self.cookie.lock().unwrap().as_ref() {
            request = request.header("cookie", cookie);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(form) = form {
            request = request.form(form);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        if let Some(set) = headers.get("set-cookie") {
            let cookie = set.to_str().unwrap().split(';').next().unwrap().to_owned();
            *self.cookie.lock().unwrap() = Some(cookie);
        }
        Page {
            status,
            headers,
            html: response.text().await.unwrap(),
        }
    }
}
