//! What programs write, as a Matrix message: Slack's JSON with its texts, blocks and attachments.

mod attachments;
mod blocks;
mod compose;
mod mrkdwn;
mod rich;

pub(crate) use self::compose::{Composed, NoMessage, compose};
