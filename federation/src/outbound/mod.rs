//! Sending what is ours to those who share a room with it.
