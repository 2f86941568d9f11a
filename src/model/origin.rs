//! Where a request came from, as the socket saw it.

use std::net::IpAddr;
use std::sync::OnceLock;

use super::AccountId;

/// Where a request came from. The server puts one, in an `Arc`, into every request's extensions.
#[derive(Debug, Default)]
pub struct Origin {
    /// The client's address: the peer's, or the one that a trusted proxy forwards for.
    pub address: Option<IpAddr>,
    /// Whether the client's connection is encrypted, here or at a trusted proxy.
    pub secure: bool,
    /// The host that the client named, with its port where there is one; absent where that can't be a host.
    pub host: Option<String>,
    /// The request's id, as the answer carries it.
    pub request_id: String,
    /// The account, once it is known; for the request log.
    pub account_id: OnceLock<AccountId>,
    /// The pattern of the route, once one is found; for the request log, which must name no person.
    pub route: OnceLock<Box<str>>,
}

/// In a request's extensions: only judge whether the caller may make this call; do not make it. The health check asks so
/// for the credentials that it is given.
#[derive(Clone, Copy, Debug)]
pub struct JudgeOnly;

/// In a request's extensions: serve no RPC that needs no credentials. Those give out tokens, and the dashboard keeps
/// tokens away from its pages.
#[derive(Clone, Copy, Debug)]
pub struct SignedInOnly;

/// In an answer's extensions: the request was taken on, and what it asks for is done later.
#[derive(Clone, Copy, Debug)]
pub struct Accepted;
