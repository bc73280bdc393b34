//! The endpoints of administration. Each is described where it stands; the description of all is made from that.

mod appservices;
mod audit;
mod bots;
mod calls;
mod directory;
mod directory_feed;
mod directory_groups;
mod federation;
mod hooks;
mod media;
mod memberships;
mod reports;
mod rooms;
mod server;
mod sessions;
mod user_acts;
mod users;

use axum::{Json, Router};
use echorift_web::{MatrixError, Session};
use serde::{Deserialize, Serialize};
use utoipa::{
    ToSchema,
    openapi::{
        ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref, ResponseBuilder,
        security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::Admin;

/// Where all endpoints are.
const BASE: &str = "/_echorift/admin/v1";

/// All endpoints of this crate. The server adds the token verifier as an extension.
pub fn router(admin: Admin) -> Router {
    let (router, openapi) = described().split_for_parts();
    let description = Json(openapi);
    router
        .route(
            &format!("{BASE}/openapi.json"),
            axum::routing::get(async move || description),
        )
        .with_state(admin)
}

/// The description of all endpoints (OpenAPI 3.1).
pub fn openapi() -> OpenApi {
    described().into_openapi()
}

fn described() -> OpenApiRouter<Admin> {
    let endpoints = OpenApiRouter::new()
        .routes(routes!(whoami))
        .merge(server::routes())
        .merge(users::routes())
        .merge(user_acts::routes())
        .merge(memberships::routes())
        .merge(sessions::routes())
        .merge(rooms::routes())
        .merge(federation::routes())
        .merge(media::routes())
        .merge(calls::routes())
        .merge(reports::routes())
        .merge(directory::routes())
        .merge(directory_feed::routes())
        .merge(directory_groups::routes())
        .merge(appservices::routes())
        .merge(bots::routes())
        .merge(hooks::routes())
        .merge(audit::routes());
    let described = OpenApiRouter::with_openapi(frame()).nest(BASE, endpoints);
    with_refusals(described)
}

/// What is common to all endpoints.
fn frame() -> OpenApi {
    let info = InfoBuilder::new()
        .title("EchoRift administration")
        .description(Some(
            "What administrators of a server see and do. Requests carry the access token of an administrator; each \
             change is remembered in the audit log, with the `reason` that the request may give.",
        ))
        .version("1")
        .license(Some(
            LicenseBuilder::new()
                .name("Apache-2.0")
                .identifier(Some("Apache-2.0"))
                .build(),
        ))
        .build();
    let mut openapi = OpenApiBuilder::new()
        .info(info)
        .security(Some([SecurityRequirement::new::<_, [&str; 0], &str>(
            "access_token",
            [],
        )]))
        .build();
    let mut components = openapi.components.take().unwrap_or_default();
    components.add_security_scheme(
        "access_token",
        SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
    );
    let refusal = <Refusal as utoipa::PartialSchema>::schema();
    components.schemas.insert("Refusal".to_owned(), refusal);
    openapi.components = Some(components);
    openapi
}

/// Says of every endpoint how it refuses.
fn with_refusals(mut router: OpenApiRouter<Admin>) -> OpenApiRouter<Admin> {
    for item in router.get_openapi_mut().paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            let content = ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("Refusal")))
                .build();
            let refused = ResponseBuilder::new()
                .description("Refused: 401 without a good token, 403 for who is no administrator, 400, 404.")
                .content("application/json", content)
                .build();
            operation
                .responses
                .responses
                .insert("default".to_owned(), refused.into());
        }
    }
    router
}

/// Why a request was refused (CS API § Standard error response).
#[derive(Serialize, ToSchema)]
struct Refusal {
    /// `M_FORBIDDEN`, `M_NOT_FOUND`, `M_INVALID_PARAM` and others.
    errcode: String,
    /// A sentence for people.
    error: String,
}

/// The body of an act that needs nothing but, perhaps, a reason.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ReasonBody {
    /// Kept in the audit log.
    reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Whoami {
    user_id: String,
    is_administrator: bool,
}

/// Tells anybody with a token whether they administer this server.
#[utoipa::path(get, path = "/whoami", tag = "server", responses((status = 200, body = Whoami)))]
async fn whoami(session: Session) -> Result<Json<Whoami>, MatrixError> {
    Ok(Json(Whoami {
        user_id: session.user_id.to_string(),
        is_administrator: session.is_admin,
    }))
}
