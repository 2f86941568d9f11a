//! What somebody may send who means harm: it costs them a refusal, and everybody else nothing.

mod as_of;
mod store;
