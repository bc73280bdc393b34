//! Search in messages and in the user directory.
