//! Rooms that other servers share: what they may ask of them, and how they are followed.

mod auth_chain;
