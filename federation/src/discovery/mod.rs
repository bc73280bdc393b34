//! Where a server is to be found (SS API § Server discovery).
