use axum::{Router, extract::State};
use echorift_web::{MatrixError, Routes as _, Ruma};
use ruma::{
    api::federation::query::{get_custom_information, get_profile_information},
    profile::ProfileFieldName,
};

use crate::{Federation, Signed, policy::Crossing};

pub(super) fn routes() -> Router<Federation> {
    Router::new()
        .ruma::<get_profile_information::v1::Request, _, _>(profile)
        .ruma::<get_custom_information::v1::Request, _, _>(other)
}

/// `GET /_matrix/federation/v1/query/profile` (SS API § Querying for information): of users of this server, the fields
/// that the operator lets cross the border.
async fn profile(
    State(federation): State<Federation>,
    Signed { origin, request }: Signed<get_profile_information::v1::Request>,
) -> Result<Ruma<get_profile_information::v1::Response>, MatrixError> {
    let is_allowed = |field: &str| federation.may_cross(&origin, Crossing::ProfileField(field));
    let wanted = request.field.as_ref().map(ProfileFieldName::as_str);
    if wanted.is_some_and(|field| !is_allowed(field)) {
        return Err(MatrixError::forbidden(
            "This field of profiles is not shown to your server.",
        ));
    }
    let unknown = || MatrixError::not_found("There is no such user on this server.");
    if !federation
        .policy()
        .allows(&origin, Crossing::User(&request.user_id))
    {
        return Err(unknown());
    }
    let profile = federation
        .accounts()
        .profile(&request.user_id)
        .await?
        .ok_or_else(unknown)?;
    let fields = profile.fields.into_iter();
    let shown =
        fields.filter(|(field, _)| wanted.map_or_else(|| is_allowed(field), |wanted| wanted == field));
    Ok(Ruma(shown.collect()))
}

/// `GET /_matrix/federation/v1/query/{queryType}` (SS API § Querying for information), of any other type.
async fn other(
    State(_): State<Federation>,
    Signed { request, .. }: Signed<get_custom_information::v1::Request>,
) -> Result<Ruma<get_custom_information::v1::Response>, MatrixError> {
    Err(MatrixError::unrecognized(format!(
        "There is no query of the type {:?} here.",
        request.query_type
    )))
}
