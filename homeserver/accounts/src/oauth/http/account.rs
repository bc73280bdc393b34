use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use echorift_web::MatrixError;
use http::StatusCode;
use minijinja::{Value, context};
use ruma::DeviceId;

use super::browser::{Browser, Page, go_to_login};
use crate::{
    AccountError, Accounts,
    oauth::{browsers::SignedIn, form::Fields},
    store::devices::StoredDevice,
};

/// What the account page offers (CS API § Account management URL actions), also by the names of before (MSC4191).
pub(super) const ACTIONS: [&str; 12] = [
    "org.matrix.profile",
    "org.matrix.devices_list",
    "org.matrix.device_view",
    "org.matrix.device_delete",
    "org.matrix.account_deactivate",
    "org.matrix.cross_signing_reset",
    "org.matrix.sessions_list",
    "org.matrix.session_view",
    "org.matrix.session_end",
    "sessions_list",
    "session_view",
    "session_end",
];

/// A part of the account page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// The profile, the devices, and the way to everything else.
    Overview,
    Device,
    DeleteDevice,
    Password,
    ResetCrossSigning,
    Deactivate,
}

impl View {
    /// Unknown actions lead to the overview.
    fn of(action: &str) -> Self {
        match action {
            "org.matrix.device_view" | "org.matrix.session_view" | "session_view" => Self::Device,
            "org.matrix.device_delete" | "org.matrix.session_end" | "session_end" => Self::DeleteDevice,
            "org.matrix.account_deactivate" => Self::Deactivate,
            "org.matrix.cross_signing_reset" => Self::ResetCrossSigning,
            "password" => Self::Password,
            _ => Self::Overview,
        }
    }

    /// Whether whoever does it has to prove once more who they are (MSC4191 § Security considerations).
    pub(super) fn needs_proof(self) -> bool {
        !matches!(self, Self::Overview | Self::Device)
    }
}

/// `GET /account` (CS API § Account management).
pub(super) async fn show(
    State(accounts): State<Accounts>,
    browser: Browser,
    RawQuery(query): RawQuery,
) -> Result<Response, MatrixError> {
    let fields = Fields::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let view = View::of(fields.text("action"));
    let signed_in = match accounts.find_signed_in(&browser.cookie).await? {
        Some(signed_in) if !view.needs_proof() || signed_in.is_fresh(accounts.0.clock.now()) => signed_in,
        known => {
            let onward = format!("/account?{}", fields.query_without("id_token_hint"));
            let hint = known.map(|known| known.user_id.to_string());
            return Ok(go_to_login(&accounts, &onward, hint.as_deref()));
        }
    };
    show_view(&accounts, &browser, &signed_in, view, &fields, "").await
}

/// A view, with the name of a sentence about what was wrong with what was entered in it.
pub(super) async fn show_view(
    accounts: &Accounts,
    browser: &Browser,
    signed_in: &SignedIn,
    view: View,
    fields: &Fields,
    error: &'static str,
) -> Result<Response, MatrixError> {
    let status = if error.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    let common = context! { csrf => browser.csrf(), user_id => signed_in.user_id.as_str(), error };
    let (template, page) = match view {
        View::Overview => ("account.html", overview(accounts, signed_in).await?),
        View::Device | View::DeleteDevice => {
            let id: &DeviceId = fields.text("device_id").into();
            let Some(device) = accounts.find_device(signed_in.account.number, id).await? else {
                return Page::message(accounts, browser, "no_device_title", "no_device_text")
                    .status(StatusCode::NOT_FOUND)
                    .respond();
            };
            let is_deleting = view == View::DeleteDevice;
            ("device.html", context! { device => shown(device), is_deleting })
        }
        View::Password => (
            "password.html",
            context! { of_directory => signed_in.account.provider.is_some() },
        ),
        View::ResetCrossSigning => ("confirm.html", context! { what => "reset" }),
        View::Deactivate => ("confirm.html", context! { what => "deactivate" }),
    };
    Page::new(accounts, browser, template, context! { ..page, ..common })
        .status(status)
        .respond()
}

async fn overview(accounts: &Accounts, signed_in: &SignedIn) -> Result<Value, AccountError> {
    let profile = accounts.profile(&signed_in.user_id).await?.unwrap_or_default();
    let devices = accounts.devices(signed_in.account.number).await?;
    let devices: Vec<Value> = devices.into_iter().map(shown).collect();
    Ok(context! {
        name => profile.display_name.unwrap_or_default(),
        devices,
        has_password => accounts.may_change_password(&signed_in.account),
    })
}

fn shown(device: StoredDevice) -> Value {
    context! {
        id => device.device_id,
        name => device.display_name,
        last_seen => device.last_seen.map(|time| minutes(time.0)),
        address => device.last_seen_ip,
    }
}

/// `2026-11-23 14:05 UTC`: pages without scripts know no time zone but this.
fn minutes(milliseconds: i64) -> String {
    let minutes = milliseconds.div_euclid(60_000);
    let (days, minute) = (minutes.div_euclid(1440), minutes.rem_euclid(1440));
    // Days are counted from 1 March of year 0, so that leap days come last (Howard Hinnant, `civil_from_days`).
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02} UTC",
        minute / 60,
        minute % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_dates() {
        for (milliseconds, date) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_399_999, "2000-02-28 23:59 UTC"),
            (951_825_600_000, "2000-02-29 12:00 UTC"),
            (1_796_083_500_000, "2026-12-01 00:05 UTC"),
        ] {
            assert_eq!(minutes(milliseconds), date);
        }
    }

    #[test]
    fn every_action_has_its_view() {
        let views = ACTIONS.map(View::of);
        let counted = |view| views.iter().filter(|known| **known == view).count();
        assert_eq!(counted(View::Device), 3);
        assert_eq!(counted(View::DeleteDevice), 3);
        assert_eq!(counted(View::Overview), 4);
        assert!(View::Deactivate.needs_proof() && !View::Overview.needs_proof());
    }
}
