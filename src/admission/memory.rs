//! Who holds how much of the memory for bodies.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use parking_lot::Mutex;

use super::{BASE_KIB, COPIES, LONGEST_HELD_BYTES, LONGEST_UNIDENTIFIED_BYTES};
use crate::model::AccountId;

/// Who memory is accounted to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Holder {
    /// Somebody at this address who has not shown credentials, or not yet.
    Address(IpAddr),
    /// An account.
    Account(AccountId),
}

impl Holder {
    /// Whoever has an IPv6 address has 2^64 of them.
    pub(super) fn unidentified(address: Option<IpAddr>) -> Self {
        Self::Address(match address {
            Some(IpAddr::V6(v6)) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
            Some(v4) => v4,
            None => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        })
    }
}

/// Memory, in KiB.
#[derive(Debug)]
pub(super) struct Memory {
    per_request: u32,
    per_account: u32,
    per_address: u32,
    /// Of all addresses.
    unidentified: u32,
    total: u32,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    by_holder: HashMap<Holder, u32>,
    unidentified: u32,
    total: u32,
}

impl Memory {
    /// An account may hold half of it, strangers an eighth, an address an eighth of that; and always one request of the
    /// longest kind.
    pub(super) fn new(total_kib: u32) -> Self {
        let request_of = |bytes: u64| u32::try_from(bytes * COPIES / 1024).unwrap_or(u32::MAX) + BASE_KIB;
        let longest = request_of(LONGEST_HELD_BYTES);
        let unidentified = request_of(LONGEST_UNIDENTIFIED_BYTES);
        Self {
            per_request: longest.min(total_kib),
            per_account: (total_kib / 2).max(longest).min(total_kib),
            per_address: (total_kib / 64).max(unidentified * 4).min(total_kib),
            unidentified: (total_kib / 8).max(unidentified * 8).min(total_kib),
            total: total_kib,
            held: Mutex::default(),
        }
    }

    /// What a request that wants this much is accounted: the largest fits alone, however little there is.
    pub(super) fn at_most(&self, kib: u32) -> u32 {
        kib.min(self.per_request)
    }

    /// Takes this much for them, if there is as much.
    pub(super) fn take(&self, holder: &Holder, kib: u32) -> bool {
        let mut held = self.held.lock();
        let (share, unidentified) = match holder {
            Holder::Address(_) => (self.per_address, held.unidentified + kib),
            Holder::Account(_) => (self.per_account, held.unidentified),
        };
        let theirs = held.by_holder.get(holder).copied().unwrap_or_default();
        let fits = theirs + kib <= share && unidentified <= self.unidentified && held.total + kib <= self.total;
        if fits {
            held.total += kib;
            held.unidentified = unidentified;
            match held.by_holder.get_mut(holder) {
                Some(theirs) => *theirs += kib,
                None => drop(held.by_holder.insert(holder.clone(), kib)),
            }
        }
        fits
    }

    /// Gives back what they had taken.
    pub(super) fn give_back(&self, holder: &Holder, kib: u32) {
        let mut held = self.held.lock();
        held.total = held.total.saturating_sub(kib);
        if matches!(holder, Holder::Address(_)) {
            held.unidentified = held.unidentified.saturating_sub(kib);
        }
        if let Some(theirs) = held.by_holder.get_mut(holder) {
            *theirs = theirs.saturating_sub(kib);
            if *theirs == 0 {
                held.by_holder.remove(holder);
            }
        }
    }
}
