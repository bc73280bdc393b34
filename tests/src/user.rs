use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use serde_json::{Value, json};
use sha1::Sha1;

use crate::{Answer, Look as _, Refusal, SHARED_SECRET, TestServer, fresh, v3};

/// Whoever sends requests: with a token or without.
#[derive(Debug, Clone)]
pub struct Caller {
    pub server: TestServer,
    pub token: Option<String>,
}

impl Caller {
    pub(crate) fn new(server: TestServer, token: Option<String>) -> Self {
        Self { server, token }
    }

    /// A request that is not sent yet, for those that need more than JSON.
    pub fn request(&self, method: Method, path: impl AsRef<str>) -> reqwest::RequestBuilder {
        let url = format!("{}{}", self.server.base_url(), path.as_ref());
        let request = self.server.http.request(method, url);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn call(&self, method: Method, path: impl AsRef<str>, body: Option<Value>) -> Answer {
        let request = self.request(method, path);
        send(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    pub async fn get(&self, path: impl AsRef<str>) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub async fn post(&self, path: impl AsRef<str>, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    pub async fn put(&self, path: impl AsRef<str>, body: Value) -> Answer {
        self.call(Method::PUT, path, Some(body)).await
    }

    pub async fn delete(&self, path: impl AsRef<str>) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    /// Sends bytes as they are, said to be JSON.
    pub async fn send_bytes(
        &self,
        method: Method,
        path: impl AsRef<str>,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        send(
            self.request(method, path)
                .header("content-type", "application/json")
                .body(body),
        )
        .await
    }

    /// `POST /login` with a password; `more` is added to the body.
    pub async fn log_in(&self, user: &str, password: &str, more: Value) -> Answer {
        let mut body = json!({
            "type": "m.login.password",
            "identifier": { "type": "m.id.user", "user": user },
            "password": password,
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            body[key] = value.clone();
        }
        self.post(v3(["login"]), body).await
    }
}

pub(crate) async fn send(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.map_err(|cause| Refusal::no_answer(&cause))?;
    let status = response.status();
    let bytes = response
        .bytes()
        .await
        .map_err(|cause| Refusal::no_answer(&cause))?;
    let body = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&bytes).into_owned()));
    if status.is_success() {
        return Ok(body);
    }
    let errcode = body["errcode"].as_str().unwrap_or_default().to_owned();
    Err(Refusal {
        status: status.as_u16(),
        errcode,
        body,
    })
}

/// Somebody with an account, on one device.
#[derive(Debug, Clone)]
pub struct User {
    pub caller: Caller,
    /// `@localpart:server`.
    pub id: String,
    pub localpart: String,
    pub password: String,
    pub device_id: String,
}

impl std::ops::Deref for User {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl User {
    /// Makes an account by the operators' shared secret.
    pub async fn register(server: &TestServer, localpart: &str, is_admin: bool) -> Self {
        let password = format!("password of {localpart}");
        let answer = register_by_secret(server, SHARED_SECRET, localpart, &password, is_admin).await;
        let answer = answer.expect("operators may register accounts");
        Self::of(server, &answer, localpart, &password)
    }

    fn of(server: &TestServer, answer: &Value, localpart: &str, password: &str) -> Self {
        Self {
            caller: server.with_token(answer.text("/access_token")),
            id: answer.text("/user_id").to_owned(),
            localpart: localpart.to_owned(),
            password: password.to_owned(),
            device_id: answer.text("/device_id").to_owned(),
        }
    }

    /// Logs an account in that exists already.
    pub async fn logged_in(server: &TestServer, localpart: &str, password: &str) -> Result<Self, Refusal> {
        let answer = server.anonymous().log_in(localpart, password, json!({})).await?;
        Ok(Self::of(server, &answer, localpart, password))
    }

    /// The same person on one more device.
    pub async fn on_another_device(&self) -> Self {
        Self::logged_in(&self.server, &self.localpart, &self.password)
            .await
            .expect("the password is right")
    }

    /// What `auth` of a request has to hold so that this user confirms it with the password.
    pub fn password_stage(&self, session: &str) -> Value {
        json!({
            "type": "m.login.password",
            "identifier": { "type": "m.id.user", "user": self.localpart },
            "password": self.password,
            "session": session,
        })
    }

    /// Sends a request that asks for the password, first without and then with it.
    pub async fn confirm(&self, method: Method, path: impl AsRef<str>, mut body: Value) -> Answer {
        let refusal = match self.call(method.clone(), path.as_ref(), Some(body.clone())).await {
            Err(refusal) if refusal.status == 401 && refusal.errcode.is_empty() => refusal,
            other => panic!("expected to be asked for the password: {other:?}"),
        };
        body["auth"] = self.password_stage(refusal.body.text("/session"));
        self.call(method, path, Some(body)).await
    }

    /// `/_matrix/client/v3/user/{me}/…`.
    pub fn own_path(&self, parts: &[&str]) -> String {
        crate::path(&v3(["user", &self.id]), parts)
    }

    pub async fn set_display_name(&self, name: &str) -> Answer {
        self.put(
            v3(["profile", &self.id, "displayname"]),
            json!({ "displayname": name }),
        )
        .await
    }

    pub async fn set_account_data(&self, kind: &str, content: Value) -> Answer {
        self.put(self.own_path(&["account_data", kind]), content).await
    }

    /// Sends an event under a transaction id of its own; the event id.
    pub async fn send_event(&self, room: &str, kind: &str, content: Value) -> Result<String, Refusal> {
        self.send_in_transaction(room, kind, &fresh("txn"), content).await
    }

    pub async fn send_in_transaction(
        &self,
        room: &str,
        kind: &str,
        txn: &str,
        content: Value,
    ) -> Result<String, Refusal> {
        let answer = self.put(v3(["rooms", room, "send", kind, txn]), content).await?;
        Ok(answer.text("/event_id").to_owned())
    }

    pub async fn send_text(&self, room: &str, body: &str) -> Result<String, Refusal> {
        self.send_event(
            room,
            "m.room.message",
            json!({ "msgtype": "m.text", "body": body }),
        )
        .await
    }

    pub async fn redact(&self, room: &str, event_id: &str) -> Result<String, Refusal> {
        let path = v3(["rooms", room, "redact", event_id, &fresh("txn")]);
        let answer = self.put(path, json!({ "reason": "a slip" })).await?;
        Ok(answer.text("/event_id").to_owned())
    }

    pub async fn send_receipt(&self, room: &str, kind: &str, event_id: &str) -> Answer {
        self.post(v3(["rooms", room, "receipt", kind, event_id]), json!({}))
            .await
    }
}

/// `POST /_synapse/admin/v1/register`, signed with `secret`.
pub async fn register_by_secret(
    server: &TestServer,
    secret: &str,
    localpart: &str,
    password: &str,
    is_admin: bool,
) -> Answer {
    const PATH: &str = "/_synapse/admin/v1/register";
    let anyone = server.anonymous();
    let answer = anyone.get(PATH).await?;
    let nonce = answer.text("/nonce");
    let role = if is_admin { "admin" } else { "notadmin" };
    let mut hmac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("any key length will do");
    hmac.update([nonce, localpart, password, role].join("\0").as_bytes());
    let mac: String = hmac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let body = json!({
        "nonce": nonce, "username": localpart, "password": password, "admin": is_admin, "mac": mac,
    });
    anyone.post(PATH, body).await
}
