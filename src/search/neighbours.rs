//! Who stands beside whom in a conversation: memories by thread and place.

use std::collections::{BTreeMap, HashMap};

use crate::model::Memory;

use super::filter::key;

/// How far a conversation's turns lend each other their scores.
pub(super) const REACH: i64 = 4;

/// One message of one conversation.
pub(super) type Place = (u64, i64);

/// Slots by the messages that they were taken from.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    threads: HashMap<u64, BTreeMap<i64, Vec<u32>>>,
    places: usize,
}

impl Neighbours {
    pub(super) fn insert(&mut self, slot: usize, places: &[Place]) {
        let slot = u32::try_from(slot).unwrap_or(u32::MAX);
        for (thread, position) in places {
            let slots = self.threads.entry(*thread).or_default().entry(*position).or_default();
            self.places += usize::from(slots.is_empty());
            slots.push(slot);
        }
    }

    pub(super) fn remove(&mut self, slot: usize, places: &[Place]) {
        for (thread, position) in places {
            let Some(positions) = self.threads.get_mut(thread) else {
                continue;
            };
            let Some(slots) = positions.get_mut(position) else {
                continue;
            };
            slots.retain(|held| *held as usize != slot);
            if slots.is_empty() {
                positions.remove(position);
                self.places -= 1;
            }
            if positions.is_empty() {
                self.threads.remove(thread);
            }
        }
    }

    /// Calls `visit` with the slot and the offset in turns, −[`REACH`] to [`REACH`], of every memory around `places`;
    /// 0 is a memory of the same turn.
    pub(super) fn visit(&self, places: &[Place], mut visit: impl FnMut(usize, i64)) {
        for &(thread, position) in places {
            let Some(positions) = self.threads.get(&thread) else {
                continue;
            };
            for (near, slots) in positions.range(position.saturating_sub(REACH)..=position.saturating_add(REACH)) {
                for slot in slots {
                    visit(*slot as usize, near - position);
                }
            }
        }
    }

    /// Bytes held, estimated.
    pub(super) fn size_bytes(&self) -> usize {
        self.places * 64 + self.threads.len() * 96
    }
}

/// The messages that a memory was taken from, each once.
pub(super) fn places(memory: &Memory) -> Box<[Place]> {
    let thread = key(&memory.thread_id) ^ key(&memory.agent_id).rotate_left(1);
    let mut places: Vec<Place> = memory.sources.iter().map(|source| (thread, source.position)).collect();
    places.sort_unstable();
    places.dedup();
    places.into()
}
