use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use echorift_web::MatrixError;
use http::StatusCode;
use minijinja::context;
use url::Url;

use super::{
    browser::{Browser, Page, go, go_to_login, leave},
    consent::Question,
    posted::Posted,
};
use crate::{
    Accounts,
    oauth::{
        authorization::{AuthorizationRefusal, AuthorizationRequest, Prompt},
        browsers::SignedIn,
        error::OAuthError,
        form::Fields,
    },
};

/// `GET /oauth2/auth` (CS API § Authorisation code flow): asks whoever is signed in whether to let the client in.
pub(super) async fn ask(
    State(accounts): State<Accounts>,
    browser: Browser,
    RawQuery(query): RawQuery,
) -> Result<Response, MatrixError> {
    let Some(fields) = Fields::parse(query.unwrap_or_default().as_bytes()) else {
        return refuse(&accounts, &browser, AuthorizationRefusal::Shown("bad_request"));
    };
    let request = match accounts.judge_authorization(&fields).await {
        Ok(request) => request,
        Err(refusal) => return refuse(&accounts, &browser, refusal),
    };
    let signed_in = accounts.find_signed_in(&browser.cookie).await?;
    // What was asked for is done when the person comes back.
    let query = fields.query_without("prompt");
    let onward = format!("/oauth2/auth?{query}");
    match (request.prompt, signed_in) {
        (Prompt::None, None) => Ok(leave(
            request.refused("login_required", "nobody is signed in").as_str(),
        )),
        (Prompt::None, Some(_)) => Ok(leave(
            request
                .refused("consent_required", "the person has to be asked")
                .as_str(),
        )),
        (Prompt::Create, _) if accounts.offers_registration().await? => {
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("continue", &onward)
                .finish();
            Ok(go(&accounts, &format!("/oauth2/sign-up?{query}")))
        }
        (Prompt::LogIn, _) | (_, None) => Ok(go_to_login(&accounts, &onward, fields.get("login_hint"))),
        (Prompt::Usual | Prompt::Create, Some(signed_in)) => {
            show(&accounts, &browser, &request, &signed_in, &query)
        }
    }
}

/// `POST /oauth2/auth`: what the person said.
pub(super) async fn decide(
    State(accounts): State<Accounts>,
    browser: Browser,
    posted: Result<Posted, OAuthError>,
) -> Result<Response, MatrixError> {
    let fields = match posted {
        Ok(Posted(fields)) if browser.sent(&fields) => fields,
        _ => return Page::stale_form(&accounts, &browser).respond(),
    };
    let query = fields.text("request");
    let Some(request_fields) = Fields::parse(query.as_bytes()) else {
        return refuse(&accounts, &browser, AuthorizationRefusal::Shown("bad_request"));
    };
    let request = match accounts.judge_authorization(&request_fields).await {
        Ok(request) => request,
        Err(refusal) => return refuse(&accounts, &browser, refusal),
    };
    let Some(signed_in) = accounts.find_signed_in(&browser.cookie).await? else {
        let onward = format!("/oauth2/auth?{}", request_fields.query_without("prompt"));
        return Ok(go_to_login(&accounts, &onward, None));
    };
    let location = match fields.text("decision") {
        "allow" => accounts.allow_client(&request, signed_in.account.number).await?,
        _ => request.refused("access_denied", "the person has refused"),
    };
    Ok(leave(location.as_str()))
}

fn show(
    accounts: &Accounts,
    browser: &Browser,
    request: &AuthorizationRequest,
    signed_in: &SignedIn,
    query: &str,
) -> Result<Response, MatrixError> {
    let question = Question {
        client: &request.client.metadata,
        signed_in,
        device_id: request.scope.device_id.as_str(),
        action: "/oauth2/auth",
        field: ("request", query),
        onward: format!("/oauth2/auth?{query}"),
    };
    let page = context! { target => target_of(request.redirect_uri()), ..question.page(browser) };
    Page::new(accounts, browser, "consent.html", page)
        .leads_to(request.redirect_uri())
        .respond()
}

/// The host that the person will be sent to; `None` for an app on their own device.
fn target_of(url: &Url) -> Option<String> {
    match url.scheme() {
        "https" => url.host_str().map(ToOwned::to_owned),
        _ => None,
    }
}

fn refuse(
    accounts: &Accounts,
    browser: &Browser,
    refusal: AuthorizationRefusal,
) -> Result<Response, MatrixError> {
    match refusal {
        AuthorizationRefusal::Shown(sentence) => {
            Page::message(accounts, browser, "bad_request_title", sentence)
                .status(StatusCode::BAD_REQUEST)
                .respond()
        }
        AuthorizationRefusal::Redirected(url) => Ok(leave(url.as_str())),
        AuthorizationRefusal::Failed(error) => Err(error.into()),
    }
}
