//! The in-memory indexes of recently used people: a bounded cache of what the database says.
//!
//! [`IndexCache::open`] gives it at the person's current revision: one small query, and only what changed is read. Of
//! people whose memories outgrow an instance it holds the newest; [`mod@super::candidates`] has the rest.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use moka::future::Cache;
use parking_lot::RwLock;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tracing::Instrument;

use super::cached_profile::CachedProfile;
use super::vectors::kept_or_made;
use crate::error::{Error, Result};
use crate::model::{Clock, Memory, MemoryId, Owner};
use crate::providers::Embedder;
use crate::search::PersonIndex;
use crate::services::cpu::on_cpu;
use crate::store::{MemoryRow, Person, Store};

/// Memories that are read at one time.
const PAGE: u64 = 2_000;
/// Memories that are held of a person whose others are in the database's care.
const WINDOW: usize = 10_000;
/// What an empty slot weighs, in KiB.
const SLOT_KIB: u32 = 2;

/// The cache.
#[derive(Clone)]
pub(in crate::services) struct IndexCache {
    pub(in crate::services) store: Store,
    clock: Clock,
    pub(in crate::services) embedder: Arc<dyn Embedder>,
    pub(in crate::services) max_memories_per_person: usize,
    slots: Cache<Owner, Arc<Slot>>,
}

/// How much of people is held in memory.
#[derive(Clone, Copy, Debug)]
pub struct IndexSettings {
    /// Bound of all indexes, in MiB; those that searches of the past make for themselves have a quarter of it.
    pub memory_mb: u64,
    /// Memories of a person from which on the database finds candidates, where it can.
    pub max_memories_per_person: usize,
}

impl IndexSettings {
    const fn cache_kib(self) -> u64 {
        self.memory_mb * 1024 - self.as_of_kib()
    }

    /// The share of indexes that searches of the past make for themselves.
    pub(in crate::services) const fn as_of_kib(self) -> u64 {
        self.memory_mb * 1024 / 4
    }
}

/// One person's index.
pub(in crate::services) struct Slot {
    changing: Arc<Mutex<()>>,
    state: RwLock<State>,
}

/// Held while the index is brought up to date or the person's memories are changed.
pub(in crate::services) type Guard = Arc<OwnedMutexGuard<()>>;

/// A memory as a committed transaction left it.
pub(in crate::services) struct Change {
    pub(in crate::services) memory: Arc<Memory>,
    pub(in crate::services) vector: Vec<f32>,
}

pub(in crate::services) struct State {
    /// Whom the index shows, at which revision; nobody before anything was stored. Somebody of the same name after an
    /// erasure is another person.
    person: Option<Person>,
    /// All of the person's memories, or the newest and the private ones.
    pub(in crate::services) index: PersonIndex,
    /// How many the person has beside those, when the index was read; none where it has all.
    beyond: Option<usize>,
    pub(in crate::services) profile: CachedProfile,
}

impl IndexCache {
    pub(in crate::services) fn new(
        store: Store,
        clock: Clock,
        embedder: Arc<dyn Embedder>,
        settings: IndexSettings,
    ) -> Self {
        let slots = Cache::builder()
            .max_capacity(settings.cache_kib())
            .weigher(|_, slot: &Arc<Slot>| slot.weight_kib())
            .build();
        Self {
            store,
            clock,
            embedder,
            max_memories_per_person: settings.max_memories_per_person,
            slots,
        }
    }

    /// The person's index, current as of now.
    pub(in crate::services) async fn open(&self, owner: &Owner) -> Result<Arc<Slot>> {
        let slot = self.slot(owner).await;
        let person = self.store.person(owner).await?;
        if !slot.read(|state| state.is_current(person.as_ref())) {
            let guard = slot.lock().await;
            self.refresh(owner, &slot, &guard).await?;
        }
        self.see_to_candidates(owner, &slot).await;
        Ok(slot)
    }

    /// The person's index, as it stands in memory; empty where it is not there.
    pub(in crate::services) async fn slot(&self, owner: &Owner) -> Arc<Slot> {
        let dimensions = self.embedder.dimensions();
        self.slots
            .get_with_by_ref(owner, async { Arc::new(Slot::new(dimensions)) })
            .await
    }

    /// Reads what changed since the index was last current. That goes on, under the guard, where whoever asked for it goes
    /// away: the next one finds it done, and nobody finds half of it.
    pub(in crate::services) async fn refresh(&self, owner: &Owner, slot: &Arc<Slot>, guard: &Guard) -> Result<()> {
        let person = self.store.person(owner).await?;
        if slot.read(|state| state.is_current(person.as_ref())) {
            return Ok(());
        }
        let (indexes, owner) = (self.clone(), owner.clone());
        let (slot, guard) = (Arc::clone(slot), Arc::clone(guard));
        let reading = async move {
            let _guard = guard;
            indexes.read(&owner, &slot, person).await
        };
        let read = tokio::spawn(reading.in_current_span()).await;
        read.map_err(|e| Error::Internal(Box::new(e)))?
    }

    async fn read(&self, owner: &Owner, slot: &Arc<Slot>, person: Option<Person>) -> Result<()> {
        let Some(person) = person else {
            *slot.state.write() = State::new(self.embedder.dimensions());
            return Ok(());
        };
        let has_candidates = self.has_candidates(&person);
        let known = match &*slot.state.read() {
            state if state.is_window() != has_candidates || state.is_too_large() => 0,
            State {
                person: Some(known), ..
            } if known.id == person.id => known.revision,
            _ => 0,
        };
        let replica = self.store.replica_with(owner, &person).await;
        let is_read = match &replica {
            Some(replica) => self.catch_up(replica, owner, slot, &person, known).await.is_ok(),
            None => false,
        };
        if !is_read {
            self.catch_up(&self.store, owner, slot, &person, known).await?;
        }
        let profile = self.store.profile(&owner.account_id, &person.id).await?;
        let profile = CachedProfile::of(profile)?;
        {
            let mut state = slot.state.write();
            state.profile = profile;
            state.person = Some(person);
        }
        self.reweigh(owner, slot).await;
        Ok(())
    }

    /// Reads from `source` what changed after the revision `known`.
    async fn catch_up(
        &self,
        source: &Store,
        owner: &Owner,
        slot: &Arc<Slot>,
        person: &Person,
        known: i64,
    ) -> Result<()> {
        if known == 0 {
            return match self.has_candidates(person) {
                true => self.load_newest(source, owner, slot, person).await,
                false => self.load(source, owner, slot, person).await,
            };
        }
        let account = &owner.account_id;
        let deleted = source.deletions_since(account, &person.id, known).await?;
        // What was deleted and brought back since is among the rows.
        let limit = slot.read(State::is_window).then_some(WINDOW as u64);
        let rows = source
            .memories_since(account, &person.id, &owner.user_id, known, limit)
            .await?;
        if limit == Some(rows.len() as u64) {
            return self.load_newest(source, owner, slot, person).await;
        }
        self.show(source, owner, slot, deleted, rows).await
    }

    /// Reads everything, page by page. What another instance changes meanwhile is read again with the next refresh,
    /// because its revision is later than the person's was.
    async fn load(&self, source: &Store, owner: &Owner, slot: &Arc<Slot>, person: &Person) -> Result<()> {
        *slot.state.write() = State::new(self.embedder.dimensions());
        let (mut last, now) = (None, self.clock.now());
        loop {
            let rows = source
                .memories_after(owner, &person.id, last.as_ref(), PAGE, now)
                .await?;
            let Some(row) = rows.last() else { return Ok(()) };
            last = Some(row.memory.id.clone());
            self.show(source, owner, slot, Vec::new(), rows).await?;
        }
    }

    /// Reads the newest memories of a person whose others are in the database's care.
    async fn load_newest(&self, source: &Store, owner: &Owner, slot: &Arc<Slot>, person: &Person) -> Result<()> {
        let (rows, total) = source
            .newest_memories(owner, &person.id, WINDOW as u64, self.clock.now())
            .await?;
        let beyond = usize::try_from(total).unwrap_or(usize::MAX).saturating_sub(rows.len());
        *slot.state.write() = State {
            beyond: Some(beyond),
            ..State::new(self.embedder.dimensions())
        };
        self.show(source, owner, slot, Vec::new(), rows).await
    }

    async fn show(
        &self,
        source: &Store,
        owner: &Owner,
        slot: &Arc<Slot>,
        gone: Vec<MemoryId>,
        rows: Vec<MemoryRow>,
    ) -> Result<()> {
        let ids = rows.iter().map(|row| &row.memory.id);
        let kept = source
            .embeddings_of(&owner.account_id, self.embedder.model(), ids)
            .await?;
        let vectors = kept_or_made(&*self.embedder, rows.iter().map(|row| &row.memory), kept).await?;
        let slot = Arc::clone(slot);
        on_cpu(move || {
            let mut state = slot.state.write();
            for id in &gone {
                state.index.remove(id);
            }
            for (row, vector) in rows.into_iter().zip(vectors) {
                state.index.upsert(Arc::new(row.memory), &vector);
            }
            Ok(())
        })
        .await
    }

    /// Tells the cache that an index has grown.
    pub(in crate::services) async fn reweigh(&self, owner: &Owner, slot: &Arc<Slot>) {
        self.slots.insert(owner.clone(), Arc::clone(slot)).await;
    }
}

impl Slot {
    fn new(dimensions: usize) -> Self {
        Self {
            changing: Arc::default(),
            state: RwLock::new(State::new(dimensions)),
        }
    }

    pub(in crate::services) async fn lock(&self) -> Guard {
        Arc::new(Arc::clone(&self.changing).lock_owned().await)
    }

    pub(in crate::services) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.state.read())
    }

    /// Shows what a committed transaction stored.
    pub(in crate::services) fn apply(&self, person: Person, changes: impl IntoIterator<Item = Change>, _: &Guard) {
        let mut state = self.state.write();
        for change in changes {
            let Memory {
                id,
                version,
                updated_at,
                ..
            } = &*change.memory;
            // One that was only confirmed says what it said.
            if state.index.get(id).is_none_or(|known| known.version != *version) {
                state.profile.memory_changed(id, *updated_at);
            }
            state.index.upsert(change.memory, &change.vector);
        }
        state.person = Some(person);
    }

    /// Shows what a committed transaction keeps of the profile.
    pub(in crate::services) fn set_profile(&self, profile: CachedProfile, _: &Guard) {
        self.state.write().profile = profile;
    }

    /// Notes that the biography is to be written.
    pub(in crate::services) fn mark_profile_due(&self, now: DateTime<Utc>, _: &Guard) {
        self.state.write().profile.mark_due(now);
    }

    fn weight_kib(&self) -> u32 {
        let kib = self.state.read().index.size_bytes() / 1024;
        u32::try_from(kib).unwrap_or(u32::MAX).saturating_add(SLOT_KIB)
    }
}

impl State {
    /// Whether the index shows this person as they were before this revision.
    pub(in crate::services) fn precedes(&self, person: &Person) -> bool {
        match &self.person {
            Some(known) => known.id == person.id && known.revision + 1 == person.revision,
            None => person.revision == 1,
        }
    }

    /// Whether the index holds the newest and the private memories only.
    pub(in crate::services) const fn is_window(&self) -> bool {
        self.beyond.is_some()
    }

    /// How many memories the person has, superseded ones included; about so many where the index is a window.
    pub(in crate::services) fn total(&self) -> usize {
        self.index.len() + self.beyond.unwrap_or_default()
    }

    /// Whether the index shows the person as the database has them.
    fn is_current(&self, person: Option<&Person>) -> bool {
        self.person.as_ref() == person && !self.is_too_large()
    }

    fn is_too_large(&self) -> bool {
        self.is_window() && self.index.len() > 3 * WINDOW
    }

    /// Whom the index shows.
    pub(in crate::services) const fn person(&self) -> Option<&Person> {
        self.person.as_ref()
    }

    fn new(dimensions: usize) -> Self {
        Self {
            person: None,
            index: PersonIndex::new(dimensions),
            beyond: None,
            profile: CachedProfile::default(),
        }
    }
}

impl fmt::Debug for IndexCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IndexCache")
    }
}
