use std::time::Duration;

use axum::extract::State;
use echorift_web::{ClientAddress, LimitKind, MatrixError, MaybeSession, Ruma};
use http::{HeaderMap, HeaderName, StatusCode};
use ruma::api::client::rendezvous::{
    create_rendezvous_session::unstable_msc4388 as create, delete_rendezvous_session as delete,
    discover_rendezvous as discover, get_rendezvous_session as get, update_rendezvous_session as update,
};

use crate::{
    Accounts,
    oauth::rendezvous::{DATA_BYTES_MAX, Meeting, MeetingRefusal},
};

/// `GET …/unstable/io.element.msc4388/rendezvous`: anyone may meet here, as a new device has no account yet.
pub(super) async fn discover(
    State(accounts): State<Accounts>,
    address: ClientAddress,
    _: MaybeSession,
    _: Ruma<discover::unstable::Request>,
) -> Result<Ruma<discover::unstable::Response>, MatrixError> {
    limit(&accounts, address)?;
    Ok(Ruma(discover::unstable::Response::new(true)))
}

/// `POST …/unstable/io.element.msc4388/rendezvous`.
pub(super) async fn open(
    State(accounts): State<Accounts>,
    address: ClientAddress,
    _: MaybeSession,
    Ruma(request): Ruma<create::Request>,
) -> Result<Ruma<create::Response>, MatrixError> {
    limit(&accounts, address)?;
    judge_size(&request.data)?;
    let now = accounts.0.clock.now();
    let (id, meeting) = accounts
        .0
        .oauth
        .rendezvous
        .open(request.data, None, now)
        .map_err(|refusal| refuse(&refusal))?;
    let expires_in = remaining(&accounts, &meeting);
    Ok(Ruma(create::Response {
        id,
        sequence_token: meeting.sequence_token,
        expires_in,
    }))
}

/// `GET …/unstable/io.element.msc4388/rendezvous/{id}`.
pub(super) async fn read(
    State(accounts): State<Accounts>,
    address: ClientAddress,
    headers: HeaderMap,
    Ruma(request): Ruma<get::unstable::Request>,
) -> Result<Ruma<get::unstable::Response>, MatrixError> {
    limit(&accounts, address)?;
    refuse_navigation(&headers)?;
    let now = accounts.0.clock.now();
    let meeting = accounts.0.oauth.rendezvous.find(&request.id, now);
    let meeting = meeting.ok_or_else(|| refuse(&MeetingRefusal::NotFound))?;
    let expires_in = remaining(&accounts, &meeting);
    Ok(Ruma(get::unstable::Response {
        sequence_token: meeting.sequence_token,
        data: meeting.data,
        expires_in,
    }))
}

/// `PUT …/unstable/io.element.msc4388/rendezvous/{id}`.
pub(super) async fn write(
    State(accounts): State<Accounts>,
    address: ClientAddress,
    Ruma(request): Ruma<update::unstable::Request>,
) -> Result<Ruma<update::unstable::Response>, MatrixError> {
    limit(&accounts, address)?;
    judge_size(&request.data)?;
    let now = accounts.0.clock.now();
    let (id, token) = (&request.id, &request.sequence_token);
    let written = accounts
        .0
        .oauth
        .rendezvous
        .write(id, token, request.data, None, true, now);
    Ok(Ruma(update::unstable::Response {
        sequence_token: written.map_err(|refusal| refuse(&refusal))?.sequence_token,
    }))
}

/// `DELETE …/unstable/io.element.msc4388/rendezvous/{id}`.
pub(super) async fn close(
    State(accounts): State<Accounts>,
    address: ClientAddress,
    Ruma(request): Ruma<delete::unstable::Request>,
) -> Result<Ruma<delete::unstable::Response>, MatrixError> {
    limit(&accounts, address)?;
    if accounts
        .0
        .oauth
        .rendezvous
        .close(&request.id, accounts.0.clock.now())
    {
        Ok(Ruma(delete::unstable::Response::new()))
    } else {
        Err(refuse(&MeetingRefusal::NotFound))
    }
}

pub(super) fn limit(accounts: &Accounts, address: ClientAddress) -> Result<(), MatrixError> {
    accounts.0.limits.check(LimitKind::Oauth, &address.key())
}

pub(super) fn judge_size(data: &str) -> Result<(), MatrixError> {
    if data.len() > DATA_BYTES_MAX {
        Err(MatrixError::too_large(
            "A message at a rendezvous has 4096 bytes at most.",
        ))
    } else {
        Ok(())
    }
}

/// What strangers have written is nothing that a browser should open as a page (MSC4388 § Unsafe content).
pub(super) fn refuse_navigation(headers: &HeaderMap) -> Result<(), MatrixError> {
    let mode = headers.get(HeaderName::from_static("sec-fetch-mode"));
    if mode.is_some_and(|mode| mode.as_bytes() == b"navigate") {
        Err(MatrixError::forbidden("This is not for browsers to open."))
    } else {
        Ok(())
    }
}

pub(super) fn refuse(refusal: &MeetingRefusal) -> MatrixError {
    match refusal {
        MeetingRefusal::NotFound => MatrixError::not_found("There is no such rendezvous, or it is over."),
        MeetingRefusal::ConcurrentWrite(_) => MatrixError::new(
            StatusCode::CONFLICT,
            "M_CONCURRENT_WRITE",
            "The other device has written meanwhile.",
        ),
        MeetingRefusal::Full => MatrixError::limit_exceeded(Duration::from_secs(60)),
    }
}

fn remaining(accounts: &Accounts, meeting: &Meeting) -> Duration {
    let left = meeting.expires.0.saturating_sub(accounts.0.clock.now().0);
    Duration::from_millis(u64::try_from(left).unwrap_or_default())
}
