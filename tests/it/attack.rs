//! What a stranger, or an account that means harm, tries against the whole service. Each attack is bounded in number and
//! time, and ends by itself. `just attack` runs these alone.

mod as_of;
mod bodies;
mod connections;
mod hosts;
mod signing_in;
mod store;
