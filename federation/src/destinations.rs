//! Which servers answer, and when the others are due again.
