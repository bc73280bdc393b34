//! What users report to the administrators (CS API § Reporting content).

use echorift_accounts::Accounts;
use echorift_storage::{Change, UserNumber};
use ruma::{EventId, RoomId, UserId};

use crate::{
    RoomError, Rooms,
    store::reports::{self, Reported},
};

/// How long a reason may be: a page of text.
const REASON_BYTES_MAX: usize = 4_096;

impl Rooms {
    /// Keeps a report about an event. Errors: `NotFound` unless the reporter is in the room and the event exists.
    pub async fn report_event(
        &self,
        (reporter, number): (&UserId, UserNumber),
        (room_id, event_id): (&RoomId, &EventId),
        reason: &str,
    ) -> Result<(), RoomError> {
        let not_found =
            || RoomError::NotFound("There is no such event, or you are not in its room.".to_owned());
        let hide = |error| match error {
            RoomError::UnknownRoom(_) | RoomError::UnknownEvent(_) | RoomError::NotJoined { .. } => {
                not_found()
            }
            error => error,
        };
        let room = self.room(room_id).await.map_err(hide)?;
        self.check_joined(&room, reporter).await.map_err(hide)?;
        let event = self.event_by_id(&room, event_id).await.map_err(hide)?;
        self.keep_report(number, Reported::Event(room.number, &event.pdu.event_id), reason)
            .await
    }

    /// Keeps a report about a room. Errors: `NotFound`.
    pub async fn report_room(
        &self,
        reporter: UserNumber,
        room_id: &RoomId,
        reason: &str,
    ) -> Result<(), RoomError> {
        let room = self.room(room_id).await.map_err(|error| match error {
            RoomError::UnknownRoom(_) => RoomError::NotFound("There is no such room.".to_owned()),
            error => error,
        })?;
        self.keep_report(reporter, Reported::Room(room.number), reason)
            .await
    }

    /// Keeps a report about a user, of this server or seen in one of its rooms. Errors: `NotFound`.
    pub async fn report_user(
        &self,
        accounts: &Accounts,
        reporter: UserNumber,
        user: &UserId,
        reason: &str,
    ) -> Result<(), RoomError> {
        let is_known = if self.is_local(user) {
            accounts.user_exists(user).await?
        } else {
            self.users().find(user.as_str()).await?.is_some()
        };
        if !is_known {
            return Err(RoomError::NotFound("There is no such user.".to_owned()));
        }
        self.keep_report(reporter, Reported::User(user), reason).await
    }

    async fn keep_report(
        &self,
        reporter: UserNumber,
        reported: Reported<'_>,
        reason: &str,
    ) -> Result<(), RoomError> {
        if reason.len() > REASON_BYTES_MAX {
            return Err(RoomError::BadRequest(format!(
                "A reason has {REASON_BYTES_MAX} bytes at most."
            )));
        }
        let mut change = Change::new();
        let number = self.0.report_numbers.next().await?;
        reports::insert(
            &mut change,
            number,
            reporter,
            reported,
            (reason, self.clock().now()),
        );
        self.database().writer().commit(change).await?;
        tracing::info!(report = number, "a user reported something to the administrators");
        Ok(())
    }
}
