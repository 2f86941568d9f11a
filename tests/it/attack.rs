//! What an attacker tries against a running server.

mod hosts;
mod signing_in;
