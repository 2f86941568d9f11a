//! Biographies and profiles: written from memories, kept, set by hand, kept back.
//!
//! A biography is written where nobody waits for it ([`ProfileService::write_next`]), or by whoever reads it first.
//! Everything else of a profile is derived from the memories as they are and kept for as long as they stay so.

mod change;

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use moka::sync::Cache;

use super::cpu::on_cpu;
use super::person_store::{BioView, PersonStore, Privacy, STALE, Slot, settings, view};
use crate::error::{Error, Result};
use crate::model::{AccountId, Caller, Category, Owner, PersonId, Scope};
use crate::profile::{self, BioFormat, BioRequest, BioStyle, Derived};
use crate::store::BioVersion;

pub use change::{BioChange, PrivacyChange};

/// People whose derived profiles are kept in memory.
const KEPT_DERIVED: u64 = 2_000;

/// The profiles of people.
pub struct ProfileService {
    people: Arc<PersonStore>,
    derived: Cache<(AccountId, PersonId), DerivedAt>,
}

/// What was derived from a person's memories at a revision.
#[derive(Clone)]
struct DerivedAt {
    revision: i64,
    at: DateTime<Utc>,
    /// When a memory expires, or it has become stale.
    holds_until: DateTime<Utc>,
    /// When a memory last changed.
    last_updated: DateTime<Utc>,
    derived: Arc<Derived>,
}

/// Which biography is wanted.
#[derive(Clone, Debug, Default)]
pub struct BioQuery {
    /// How long; as set when absent.
    pub format: Option<BioFormat>,
    /// How worded; as set when absent.
    pub style: Option<BioStyle>,
    /// Nothing of these categories.
    pub exclude: Vec<Category>,
    /// Write it anew first.
    pub refresh: bool,
}

/// A whole profile.
#[derive(Clone, Debug)]
pub struct ProfileView {
    /// The biography, where there is one and the caller may see it.
    pub bio: Option<BioView>,
    /// Everything else, as far as the settings allow.
    pub derived: Arc<Derived>,
    /// Whether summaries of categories may be shown to the caller.
    pub shows_categories: bool,
    /// What is given to whom.
    pub privacy: Privacy,
    /// When it was derived.
    pub derived_at: DateTime<Utc>,
    /// When a memory last changed.
    pub last_updated: DateTime<Utc>,
}

impl ProfileService {
    /// The profiles of these people.
    pub fn new(people: Arc<PersonStore>) -> Self {
        let derived = Cache::builder().max_capacity(KEPT_DERIVED).build();
        Self { people, derived }
    }

    /// The whole profile. [`Error::ProfileNotFound`] where there are too few memories.
    pub async fn profile(&self, caller: &Caller, owner: &Owner, refresh: bool) -> Result<ProfileView> {
        if refresh {
            self.refresh(owner).await.map_err(|error| match error {
                Error::BioNotFound { current_memory_count } => Error::ProfileNotFound { current_memory_count },
                other => other,
            })?;
        }
        let sees_all = caller.may(Scope::ProfileWrite);
        let bio = match self.read_bio(owner, &BioQuery::default(), sees_all).await {
            Ok(bio) => Some(bio),
            Err(Error::BioNotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        // As it was read just now: a change since shows with the next call.
        let slot = self.people.indexes.slot(owner).await;
        let now = self.people.clock.now();
        let (person, row) = slot.read(|state| (state.person().cloned(), state.profile.row.clone()));
        let Some(person) = person else {
            return Err(Error::ProfileNotFound {
                current_memory_count: 0,
            });
        };
        let privacy = row.as_deref().map(settings).transpose()?.unwrap_or_default().privacy;
        let key = (owner.account_id.clone(), person.id.clone());
        let known = self.derived.get(&key);
        let known = known.filter(|known| known.revision == person.revision && now < known.holds_until);
        let derived = match known {
            Some(known) => known,
            None => {
                let derived = self.derive(slot, person.revision, now).await?;
                self.derived.insert(key, derived.clone());
                derived
            }
        };
        Ok(ProfileView {
            bio,
            derived: derived.derived,
            shows_categories: privacy.categories_public || sees_all,
            privacy,
            derived_at: derived.at,
            last_updated: derived.last_updated,
        })
    }

    async fn derive(&self, slot: Arc<Slot>, revision: i64, now: DateTime<Utc>) -> Result<DerivedAt> {
        on_cpu(move || {
            let (memories, _) = slot.read(|state| state.index.current(now));
            if !profile::is_enough(&memories) {
                return Err(Error::ProfileNotFound {
                    current_memory_count: memories.len(),
                });
            }
            let last = memories.iter().map(|memory| memory.updated_at).max();
            let ends = memories.iter().filter_map(|memory| memory.expires_at);
            Ok(DerivedAt {
                revision,
                at: now,
                holds_until: ends.min().map_or(now + STALE, |end| end.min(now + STALE)),
                last_updated: last.unwrap_or(now),
                derived: Arc::new(profile::derive(&memories, now)),
            })
        })
        .await
    }

    /// A biography. [`Error::BioNotFound`] where there are too few memories, or the caller may not see it.
    pub async fn bio(&self, caller: &Caller, owner: &Owner, query: &BioQuery) -> Result<BioView> {
        if query.refresh {
            self.refresh(owner).await?;
        }
        self.read_bio(owner, query, caller.may(Scope::ProfileWrite)).await
    }

    /// The biography for anyone who may read profiles. [`Error::BioNotFound`] as above, and where it is not public.
    pub async fn public_bio(&self, owner: &Owner) -> Result<BioView> {
        self.read_bio(owner, &BioQuery::default(), false).await
    }

    async fn read_bio(&self, owner: &Owner, query: &BioQuery, sees_all: bool) -> Result<BioView> {
        for _ in 0..2 {
            let slot = self.people.indexes.open(owner).await?;
            let now = self.people.clock.now();
            let (is_known, row) = slot.read(|state| (state.person().is_some(), state.profile.row.clone()));
            if !is_known {
                return Err(Error::BioNotFound {
                    current_memory_count: 0,
                });
            }
            let settings = row.as_deref().map(settings).transpose()?.unwrap_or_default();
            if !settings.privacy.bio_public && !sees_all {
                return Err(Error::BioNotFound {
                    current_memory_count: enough(&slot, now).1,
                });
            }
            let asked = settings.request();
            let wanted = BioRequest {
                format: query.format.unwrap_or(asked.format),
                style: query.style.unwrap_or(asked.style),
                include: asked.include.clone(),
                exclude: [asked.exclude.as_slice(), query.exclude.as_slice()].concat(),
            };
            if let Some(row) = &row
                && (row.is_manual && settings.manual_override || wanted == asked)
                && row.due_at.is_none_or(|due| due > now)
                && slot.read(|state| state.index.holds_current(&row.sources, now))
                && let Some(bio) = view(row)?
            {
                return Ok(bio);
            }
            let is_manual = row.as_ref().is_some_and(|row| row.is_manual) && settings.manual_override;
            if wanted != asked && !is_manual {
                return self.write_for_once(slot, wanted, now).await;
            }
            let (is_enough, count) = enough(&slot, now);
            let was_tried = row.is_some_and(|row| {
                row.bio.is_none()
                    && row.due_at.is_some_and(|due| due > now)
                    && usize::try_from(row.memory_count) == Ok(count)
            });
            if !is_manual && (!is_enough || was_tried) {
                return Err(Error::BioNotFound {
                    current_memory_count: count,
                });
            }
            self.write(owner, "memories", |row| {
                row.due_at = Some(now);
                Ok(())
            })
            .await?;
        }
        let slot = self.people.indexes.open(owner).await?;
        Err(Error::BioNotFound {
            current_memory_count: enough(&slot, self.people.clock.now()).1,
        })
    }

    /// A biography that nobody keeps.
    async fn write_for_once(&self, slot: Arc<Slot>, request: BioRequest, now: DateTime<Utc>) -> Result<BioView> {
        on_cpu(move || {
            let (memories, superseded) = slot.read(|state| state.index.current(now));
            let bio = profile::bio(&memories, &request, superseded, now);
            if !profile::is_enough(&memories) || bio.sentences.is_empty() {
                return Err(Error::BioNotFound {
                    current_memory_count: memories.len(),
                });
            }
            Ok(BioView {
                text: bio.text(request.format),
                sentences: bio.sentences,
                format: request.format,
                style: request.style,
                confidence: bio.confidence,
                categories: bio.categories,
                themes: bio.themes,
                generated_at: now,
                expires_at: Some(now + STALE),
                is_manual: false,
                updated_at: now,
            })
        })
        .await
    }

    /// Biographies until now, newest first.
    pub async fn history(&self, owner: &Owner, limit: u64) -> Result<Vec<BioVersion>> {
        let Some(person) = self.people.store.person(owner).await? else {
            return Ok(Vec::new());
        };
        self.people
            .store
            .bio_versions(&owner.account_id, &person.id, limit)
            .await
    }
}

/// Whether the memories are enough for a profile, and how many there are.
fn enough(slot: &Slot, now: DateTime<Utc>) -> (bool, usize) {
    let (memories, _) = slot.read(|state| state.index.current(now));
    (profile::is_enough(&memories), memories.len())
}

impl fmt::Debug for ProfileService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProfileService")
    }
}
