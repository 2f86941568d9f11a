//! Who stands beside whom in a conversation: memories by thread and place.

use std::collections::BTreeMap;

use crate::model::Memory;

use super::filter::key;

/// How far a conversation's turns lend each other their scores.
pub(super) const REACH: i64 = 4;

/// One message of one conversation.
pub(super) type Place = (u64, i64);

/// Slots by the messages that they were taken from.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    slots: BTreeMap<Place, Vec<u32>>,
}

impl Neighbours {
    pub(super) fn insert(&mut self, slot: usize, places: &[Place]) {
        let slot = u32::try_from(slot).unwrap_or(u32::MAX);
        for place in places {
            self.slots.entry(*place).or_default().push(slot);
        }
    }

    pub(super) fn remove(&mut self, slot: usize, places: &[Place]) {
        for place in places {
            if let Some(slots) = self.slots.get_mut(place) {
                slots.retain(|held| *held as usize != slot);
                if slots.is_empty() {
                    self.slots.remove(place);
                }
            }
        }
    }

    /// Calls `visit` with the slot and the offset in turns, −[`REACH`] to [`REACH`], of every memory around `places`;
    /// 0 is a memory of the same turn.
    pub(super) fn visit(&self, places: &[Place], mut visit: impl FnMut(usize, i64)) {
        for &(thread, position) in places {
            let around = (thread, position.saturating_sub(REACH))..=(thread, position.saturating_add(REACH));
            for (place, slots) in self.slots.range(around) {
                for slot in slots {
                    visit(*slot as usize, place.1 - position);
                }
            }
        }
    }

    /// Bytes held, estimated.
    pub(super) fn size_bytes(&self) -> usize {
        self.slots.len() * 80
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
