//! E-mail: one SMTP transport and the texts that are sent.
