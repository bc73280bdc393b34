//! `multipart/mixed` (RFC 2046 § 5.1) as media travels in it: metadata in JSON, then the file or where it is.

mod read;
#[cfg(test)]
mod tests;
mod write;

pub(super) use self::{
    read::{Bad, boundary_of, read},
    write::answer,
};
