pub(crate) mod hooks;
pub(crate) mod signatures;
