//! How much is taken on at one time: places for requests that are being worked on, and memory for the bytes that have
//! arrived. What goes beyond is refused at once, before memory grows.
//!
//! The server makes an [`Arrival`] for each request and wraps its body; `grpc` says whose request it is. A request holds
//! a place only while this server has something to do for it: one that waits for its client's bytes holds none, so that
//! unfinished bodies keep nobody out.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::model::{AccountId, Origin};

mod body;
mod memory;

pub use body::drain;
use memory::{Holder, Memory};

/// What a request takes while it is answered, as a multiple of its body: JSON, message, texts, facts.
const COPIES: u64 = 4;
/// No body is held that is longer; it is refused, or read as a stream.
const LONGEST_HELD_BYTES: u64 = 4 << 20;
/// The longest body of a request without credentials, such as a sign-in.
const LONGEST_UNIDENTIFIED_BYTES: u64 = 64 << 10;
/// What a request takes beside its body.
const BASE_KIB: u32 = 8;

/// The bounds on what is taken on at one time.
#[derive(Clone, Copy, Debug)]
pub struct CapacityLimits {
    /// Requests being worked on.
    pub requests: usize,
    /// Memory for their bodies, in MiB.
    pub memory_mb: u32,
    /// How long a client may leave a body unfinished, beside the time that its length takes at 8 KiB/s.
    pub body_timeout: Duration,
}

/// What a server takes on at one time. Clones share it.
#[derive(Clone, Debug)]
pub struct Capacity {
    places: Arc<Semaphore>,
    /// For requests that take a stream, which hold their places for as long as they wish.
    streams: Arc<Semaphore>,
    memory: Arc<Memory>,
    body_timeout: Duration,
}

/// Why a request was not taken on, or not to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is no place, or no memory.
    #[error("too many requests at one time")]
    Full,
    /// The body did not arrive in time.
    #[error("the body did not arrive in time")]
    TooSlow,
    /// The body is longer than it may be without credentials, in bytes.
    #[error("the body is longer than {0} bytes")]
    TooLarge(u64),
}

impl Capacity {
    /// For this much at one time.
    pub fn new(limits: CapacityLimits) -> Self {
        let places = limits.requests.min(Semaphore::MAX_PERMITS);
        Self {
            places: Arc::new(Semaphore::new(places)),
            streams: Arc::new(Semaphore::new(places.div_ceil(4))),
            memory: Arc::new(Memory::new(limits.memory_mb.saturating_mul(1024))),
            body_timeout: limits.body_timeout,
        }
    }

    /// Takes on a request that came from there.
    pub fn arrive(&self, origin: &Origin) -> Result<Arrival, Fault> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| Fault::Full)?;
        let holder = Holder::unidentified(origin.address);
        if !self.memory.take(&holder, BASE_KIB) {
            return Err(Fault::Full);
        }
        Ok(Arrival(Arc::new(Shared {
            capacity: self.clone(),
            state: Mutex::new(State {
                place: Some(place),
                place_since: Instant::now(),
                stream: None,
                holder,
                kib: BASE_KIB,
                received_bytes: 0,
                is_discarded: false,
                fault: None,
            }),
        })))
    }
}

/// A request that was taken on: its place and its memory, which are free again when the last clone is dropped. The
/// server puts one into every request's extensions.
#[derive(Clone, Debug)]
pub struct Arrival(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    capacity: Capacity,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// `None` while the client's bytes are waited for.
    place: Option<OwnedSemaphorePermit>,
    place_since: Instant,
    stream: Option<OwnedSemaphorePermit>,
    holder: Holder,
    kib: u32,
    received_bytes: u64,
    /// Whether the body is read only to be thrown away.
    is_discarded: bool,
    fault: Option<Fault>,
}

impl Arrival {
    /// Says whose request it is: from here on its memory is the account's.
    pub fn identify(&self, account_id: &AccountId) -> Result<(), Fault> {
        let mut state = self.0.state.lock();
        let memory = &self.0.capacity.memory;
        let account = Holder::Account(account_id.clone());
        if !memory.take(&account, state.kib) {
            state.fault = Some(Fault::Full);
            return Err(Fault::Full);
        }
        memory.give_back(&state.holder, state.kib);
        state.holder = account;
        Ok(())
    }

    /// Says that the request takes a stream: it keeps its place for as long as that takes, and its memory is that of the
    /// latest piece.
    pub fn keep_place(&self) -> Result<(), Fault> {
        let permit = Arc::clone(&self.0.capacity.streams).try_acquire_owned();
        let mut state = self.0.state.lock();
        state.stream = permit.ok();
        if state.stream.is_none() {
            state.fault = Some(Fault::Full);
            return Err(Fault::Full);
        }
        Ok(())
    }

    /// What is still to come of the body takes no more memory. What has come may be held until the request ends.
    fn refuse(&self) {
        self.0.state.lock().is_discarded = true;
    }

    /// Says that what is left of the body is read only to be thrown away, and that nothing of it is held.
    pub fn discard(&self) {
        let mut state = self.0.state.lock();
        state.is_discarded = true;
        self.0.resize(&mut state, BASE_KIB);
    }

    /// What went wrong while the body was read.
    pub fn fault(&self) -> Option<Fault> {
        self.0.state.lock().fault
    }

    /// Leaves the place to others until the client goes on.
    fn wait(&self) {
        let mut state = self.0.state.lock();
        if state.stream.is_none() {
            state.place = None;
        }
    }

    /// Since when it has been worked on; `None` while it waits for its client.
    pub fn worked_on_since(&self) -> Option<Instant> {
        let state = self.0.state.lock();
        state.place.is_some().then_some(state.place_since)
    }

    fn is_stream(&self) -> bool {
        self.0.state.lock().stream.is_some()
    }

    /// Accounts for this much more of the body.
    fn received(&self, bytes: usize) -> Result<(), Fault> {
        let mut state = self.0.state.lock();
        if state.is_discarded {
            return Ok(());
        }
        state.received_bytes += bytes as u64;
        let held = match state.stream {
            Some(_) => bytes as u64,
            None => state.received_bytes.min(LONGEST_HELD_BYTES),
        };
        let is_too_large = matches!(state.holder, Holder::Address(_)) && held > LONGEST_UNIDENTIFIED_BYTES;
        let kib = u32::try_from((held * COPIES).div_ceil(1024)).unwrap_or(u32::MAX);
        let outcome = if is_too_large {
            Err(Fault::TooLarge(LONGEST_UNIDENTIFIED_BYTES))
        } else if self.0.resize(&mut state, kib.saturating_add(BASE_KIB)) {
            Ok(())
        } else {
            Err(Fault::Full)
        };
        state.fault = outcome.err().or(state.fault);
        outcome
    }

    /// The body is there: the request needs a place again.
    fn complete(&self) -> Result<(), Fault> {
        let mut state = self.0.state.lock();
        if state.place.is_none() && !state.is_discarded {
            state.place = Arc::clone(&self.0.capacity.places).try_acquire_owned().ok();
            state.place_since = Instant::now();
            if state.place.is_none() {
                state.fault = Some(Fault::Full);
                return Err(Fault::Full);
            }
        }
        Ok(())
    }

    /// The client's time is over.
    fn expire(&self) -> Fault {
        let mut state = self.0.state.lock();
        if !state.is_discarded {
            state.fault = Some(Fault::TooSlow);
        }
        Fault::TooSlow
    }
}

impl Shared {
    /// Holds this much from now on, if there is as much.
    fn resize(&self, state: &mut State, kib: u32) -> bool {
        let kib = self.capacity.memory.at_most(kib);
        let fits = match kib.checked_sub(state.kib) {
            Some(0) => true,
            Some(more) => self.capacity.memory.take(&state.holder, more),
            None => {
                self.capacity.memory.give_back(&state.holder, state.kib - kib);
                true
            }
        };
        if fits {
            state.kib = kib;
        }
        fits
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let state = self.state.get_mut();
        self.capacity.memory.give_back(&state.holder, state.kib);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn capacity(requests: usize) -> Capacity {
        Capacity::new(CapacityLimits {
            requests,
            memory_mb: 64,
            body_timeout: Duration::from_secs(30),
        })
    }

    fn from(last: u8) -> Origin {
        Origin {
            address: Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))),
            ..Origin::default()
        }
    }

    fn account(name: &str) -> AccountId {
        AccountId::from_stored(name)
    }

    #[test]
    fn a_request_that_waits_for_its_client_leaves_its_place_to_others() {
        let capacity = capacity(1);
        let waiting = capacity.arrive(&from(1)).expect("there is a place");
        assert_eq!(capacity.arrive(&from(2)).err(), Some(Fault::Full));
        waiting.wait();
        let other = capacity.arrive(&from(2)).expect("the place is free");
        assert_eq!(waiting.complete(), Err(Fault::Full));
        drop(other);
        assert_eq!(waiting.complete(), Ok(()));
    }

    #[test]
    fn an_account_can_fill_half_of_the_memory_and_the_rest_is_left_to_others() {
        let capacity = capacity(1000);
        let hold = |account_id: &str| {
            let arrival = capacity.arrive(&from(1)).expect("there is a place");
            arrival.identify(&account(account_id)).expect("there is memory");
            arrival.received(3 << 20).map(|()| arrival)
        };
        let mut held = Vec::new();
        let full = loop {
            match hold("user_greedy") {
                Ok(arrival) => held.push(arrival),
                Err(fault) => break fault,
            }
        };
        assert_eq!((full, held.len()), (Fault::Full, 2));
        hold("user_other").expect("there is memory for others");
        held.pop();
        hold("user_greedy").expect("there is memory again");
    }

    #[test]
    fn strangers_share_little_memory_and_send_no_large_bodies() {
        let capacity = capacity(100_000);
        let arrival = capacity.arrive(&from(1)).expect("there is a place");
        assert_eq!(arrival.received(65 << 10), Err(Fault::TooLarge(64 << 10)));
        let from_one: Vec<_> = std::iter::from_fn(|| capacity.arrive(&from(1)).ok())
            .take(100_000)
            .collect();
        assert!((10..1000).contains(&from_one.len()), "{}", from_one.len());
        capacity
            .arrive(&from(2))
            .expect("another address has a share of its own");
    }

    #[test]
    fn what_is_thrown_away_takes_no_memory() {
        let capacity = capacity(10);
        let arrival = capacity.arrive(&from(1)).expect("there is a place");
        arrival.discard();
        for _ in 0..100 {
            assert_eq!(arrival.received(1 << 20), Ok(()));
        }
        assert_eq!(arrival.fault(), None);
    }
}
