//! Receipts, typing and presence between servers.
