//! Biographies and profiles: written from memories, kept, set by hand, kept back.
//!
//! A biography is written where nobody waits for it ([`ProfileService::write_next`]), or by whoever reads it first.
//! Everything else of a profile is derived from the memories as they are and kept for as long as they stay so.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};

use super::cpu::on_cpu;
use super::indexes::Slot;
use super::memories::{ATTEMPTS, MemoryService};
use crate::error::{Error, RateLimited, Result};
use crate::model::{AccountId, Caller, Category, MemoryId, Owner, PersonId, Scope};
use crate::profile::{self, Bio, BioFormat, BioRequest, BioStyle, Derived, Sentence};
use crate::store::{BioVersion, ProfileRow};

/// How long a biography stays.
const STALE: TimeDelta = TimeDelta::days(7);
/// New memories after which it is written anew: so many, or a fifth of those it was made of if that is more.
const ENOUGH_NEW: usize = 10;
/// How long a biography waits that could not be written.
const FAILED_PAUSE: TimeDelta = TimeDelta::minutes(5);
/// How long after somebody asked for a new one nobody can again.
const REFRESH_PAUSE: TimeDelta = TimeDelta::minutes(10);
/// Characters of a biography by hand, at most.
pub const MAX_BIO_CHARS: usize = 500;
/// People whose derived profiles are kept in memory.
const KEPT_DERIVED: u64 = 2_000;

/// The profiles of people.
pub struct ProfileService {
    memories: Arc<MemoryService>,
    derived: Cache<(AccountId, PersonId), DerivedAt>,
}

/// What was derived from a person's memories at a revision.
#[derive(Clone)]
struct DerivedAt {
    revision: i64,
    at: DateTime<Utc>,
    /// When a memory expires, or it has become stale.
    holds_until: DateTime<Utc>,
    /// When a memory last changed; absent where there are too few.
    last_updated: Option<DateTime<Utc>>,
    derived: Arc<Derived>,
}

/// What is given to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Privacy {
    /// Whether the biography is for everyone who may read the profile.
    pub bio_public: bool,
    /// Whether summaries of categories are.
    pub categories_public: bool,
    /// Whether insights are derived.
    pub insights_enabled: bool,
    /// Whether traits are.
    pub trait_analysis_enabled: bool,
}

impl Default for Privacy {
    fn default() -> Self {
        Self {
            bio_public: true,
            categories_public: true,
            insights_enabled: true,
            trait_analysis_enabled: true,
        }
    }
}

/// A change of [`Privacy`]; what is absent stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct PrivacyChange {
    /// See [`Privacy`].
    pub bio_public: Option<bool>,
    /// See [`Privacy`].
    pub categories_public: Option<bool>,
    /// See [`Privacy`].
    pub insights_enabled: Option<bool>,
    /// See [`Privacy`].
    pub trait_analysis_enabled: Option<bool>,
}

/// How a biography is to be written, as the database keeps it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Settings {
    format: Option<String>,
    style: Option<String>,
    include: Vec<String>,
    exclude: Vec<String>,
    /// A biography by hand stays.
    manual_override: bool,
    privacy: Privacy,
}

/// A biography, as the database keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct StoredBio {
    sentences: Vec<StoredSentence>,
    format: String,
    style: String,
    confidence: f32,
    categories: Vec<String>,
    themes: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct StoredSentence {
    text: String,
    memories: Vec<String>,
}

/// A biography as it is given.
#[derive(Clone, Debug, PartialEq)]
pub struct BioView {
    /// What it says.
    pub text: String,
    /// Its sentences, where it was written from memories.
    pub sentences: Vec<Sentence>,
    /// How long.
    pub format: BioFormat,
    /// How worded.
    pub style: BioStyle,
    /// How far it can be relied on.
    pub confidence: f32,
    /// Categories of the memories behind it.
    pub categories: Vec<Category>,
    /// What comes up most.
    pub themes: Vec<String>,
    /// When it was written.
    pub generated_at: DateTime<Utc>,
    /// When it is written anew; never by itself when absent.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether it was set by hand.
    pub is_manual: bool,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
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

/// A change of a biography; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct BioChange {
    /// By hand.
    pub text: Option<String>,
    /// How long it is to be.
    pub format: Option<BioFormat>,
    /// How worded.
    pub style: Option<BioStyle>,
    /// Write it anew, in place of one by hand.
    pub regenerate: bool,
    /// Whether one by hand stays.
    pub manual_override: Option<bool>,
    /// Only of these categories.
    pub include: Vec<Category>,
    /// Nothing of these categories.
    pub exclude: Vec<Category>,
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

/// What an index keeps of a person's profile, so that reads and searches need not ask for it.
#[derive(Clone, Debug, Default)]
pub(super) struct ProfileNote {
    row: Option<Arc<ProfileRow>>,
    /// The biography, where it may be given with searches.
    bio: Option<Arc<str>>,
    /// Whether it is to be written already.
    is_due: bool,
}

impl ProfileNote {
    pub(super) fn of(row: Option<ProfileRow>) -> Result<Self> {
        let Some(row) = row else { return Ok(Self::default()) };
        let is_public = settings(&row)?.privacy.bio_public;
        Ok(Self {
            bio: stored(&row)?.filter(|_| is_public).map(|bio| text_of(&bio).into()),
            is_due: row
                .due_at
                .is_some_and(|due| row.generated_at.is_none_or(|at| due < at + STALE)),
            row: Some(Arc::new(row)),
        })
    }

    /// Whether so many memories call for a biography, or for another one.
    pub(super) fn wants_another(&self, memories: usize) -> bool {
        let known = self.row.as_ref().and_then(|row| usize::try_from(row.memory_count).ok());
        let needed = match known.unwrap_or(0) {
            0 => profile::LEAST_MEMORIES,
            known => known + ENOUGH_NEW.max(known / 5),
        };
        !self.is_due && memories >= needed
    }

    pub(super) const fn mark_due(&mut self) {
        self.is_due = true;
    }

    /// A memory changed: a biography that rests on it is not to be shown any more.
    pub(super) fn memory_changed(&mut self, id: &MemoryId) {
        if let Some(row) = self.row.as_mut().filter(|row| row.sources.contains(id)) {
            let row = Arc::make_mut(row);
            row.bio = None;
            row.sources.clear();
            self.bio = None;
            self.is_due = true;
        }
    }
}

impl ProfileService {
    /// Profiles over these memories.
    pub fn new(memories: Arc<MemoryService>) -> Self {
        let derived = Cache::builder().max_capacity(KEPT_DERIVED).build();
        Self { memories, derived }
    }

    /// The whole profile. [`Error::ProfileNotFound`] where there are too few memories.
    pub async fn profile(&self, caller: &Caller, owner: &Owner, refresh: bool) -> Result<ProfileView> {
        if refresh {
            self.refresh(owner).await?;
        }
        let sees_all = caller.may(Scope::ProfileWrite);
        let bio = match self.read_bio(owner, &BioQuery::default(), sees_all).await {
            Ok(bio) => Some(bio),
            Err(Error::BioNotFound(_)) => None,
            Err(error) => return Err(error),
        };
        // As it was read just now: a change since shows with the next call.
        let slot = self.memories.indexes.slot(owner).await;
        let now = self.memories.clock.now();
        let (person, row) = slot.read(|state| (state.person().cloned(), state.profile.row.clone()));
        let Some(person) = person else {
            return Err(Error::ProfileNotFound(0));
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
        let Some(last_updated) = derived.last_updated else {
            return Err(Error::ProfileNotFound(derived.derived.stats.total_memories));
        };
        Ok(ProfileView {
            bio,
            derived: derived.derived,
            shows_categories: privacy.categories_public || sees_all,
            privacy,
            derived_at: derived.at,
            last_updated,
        })
    }

    async fn derive(&self, slot: Arc<Slot>, revision: i64, now: DateTime<Utc>) -> Result<DerivedAt> {
        on_cpu(move || {
            let (memories, _) = slot.read(|state| state.index.current(now));
            let last = memories.iter().map(|memory| memory.updated_at).max();
            let ends = memories.iter().filter_map(|memory| memory.expires_at);
            Ok(DerivedAt {
                revision,
                at: now,
                holds_until: ends.min().map_or(now + STALE, |end| end.min(now + STALE)),
                last_updated: last.filter(|_| profile::is_enough(&memories)),
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
            let slot = self.memories.indexes.open(owner).await?;
            let now = self.memories.clock.now();
            let (is_known, row) = slot.read(|state| (state.person().is_some(), state.profile.row.clone()));
            if !is_known {
                return Err(Error::BioNotFound(0));
            }
            let settings = row.as_deref().map(settings).transpose()?.unwrap_or_default();
            if !settings.privacy.bio_public && !sees_all {
                return Err(Error::BioNotFound(enough(&slot, now).1));
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
            if !is_enough && !is_manual {
                return Err(Error::BioNotFound(count));
            }
            self.write(owner, "memories", |row| {
                row.due_at = Some(now);
                Ok(())
            })
            .await?;
        }
        let slot = self.memories.indexes.open(owner).await?;
        Err(Error::BioNotFound(enough(&slot, self.memories.clock.now()).1))
    }

    /// A biography that nobody keeps.
    async fn write_for_once(&self, slot: Arc<Slot>, request: BioRequest, now: DateTime<Utc>) -> Result<BioView> {
        on_cpu(move || {
            let (memories, superseded) = slot.read(|state| state.index.current(now));
            let bio = profile::bio(&memories, &request, superseded, now);
            if !profile::is_enough(&memories) || bio.sentences.is_empty() {
                return Err(Error::BioNotFound(memories.len()));
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

    /// Writes a biography anew for somebody who asks for it. [`Error::RateLimited`] within 10 minutes of the last time.
    async fn refresh(&self, owner: &Owner) -> Result<()> {
        let now = self.memories.clock.now();
        if self.memories.store.person(owner).await?.is_none() {
            return Err(Error::BioNotFound(0));
        }
        self.write(owner, "refresh", |row| {
            let next = row.refreshed_at.map(|at| at + REFRESH_PAUSE).filter(|next| *next > now);
            if let Some(next) = next {
                return Err(Error::RateLimited(RateLimited {
                    limit: 1,
                    reset_time: next.timestamp(),
                    retry_after: (next - now).to_std().unwrap_or_default(),
                }));
            }
            row.refreshed_at = Some(now);
            row.due_at = Some(now);
            Ok(())
        })
        .await
    }

    /// Changes the biography or how it is written. [`Error::BioNotFound`] where none can be.
    pub async fn update_bio(&self, owner: &Owner, change: BioChange) -> Result<BioView> {
        let now = self.memories.clock.now();
        let is_manual = change.text.is_some();
        self.write(owner, if is_manual { "manual" } else { "settings" }, |row| {
            let mut settings = settings(row)?;
            if let Some(format) = change.format {
                settings.format = Some(format.as_str().to_owned());
            }
            if let Some(style) = change.style {
                settings.style = Some(style.as_str().to_owned());
            }
            let words = |categories: &[Category]| categories.iter().map(|c| c.as_str().to_owned()).collect::<Vec<_>>();
            if !change.include.is_empty() {
                settings.include = words(&change.include);
                settings.exclude.retain(|word| !settings.include.contains(word));
            }
            if !change.exclude.is_empty() {
                settings.exclude = words(&change.exclude);
                settings.include.retain(|word| !settings.exclude.contains(word));
            }
            settings.manual_override = change.manual_override.unwrap_or(settings.manual_override || is_manual);
            if change.regenerate {
                settings.manual_override = false;
                row.is_manual = false;
            }
            let stays = row.is_manual && settings.manual_override;
            row.settings = to_json(&settings)?;
            if let Some(text) = &change.text {
                set_by_hand(row, text, &settings, now)?;
            } else if !stays {
                row.bio = None;
                row.is_manual = false;
                row.due_at = Some(now);
            }
            Ok(())
        })
        .await?;
        self.read_bio(owner, &BioQuery::default(), true).await
    }

    /// Sets the biography by hand, or has it written from memories again; gives what it is then, where there is one.
    pub async fn set_user_bio(&self, owner: &Owner, text: &str) -> Result<(Option<BioView>, DateTime<Utc>)> {
        let change = match text.is_empty() {
            true => BioChange {
                regenerate: true,
                ..BioChange::default()
            },
            false => BioChange {
                text: Some(text.to_owned()),
                ..BioChange::default()
            },
        };
        match self.update_bio(owner, change).await {
            Ok(bio) => {
                let at = bio.updated_at;
                Ok((Some(bio), at))
            }
            Err(Error::BioNotFound(_)) if text.is_empty() => Ok((None, self.memories.clock.now())),
            Err(error) => Err(error),
        }
    }

    /// Changes what is given to whom.
    pub async fn update_privacy(&self, owner: &Owner, change: PrivacyChange) -> Result<Privacy> {
        let mut now_is = Privacy::default();
        self.write(owner, "settings", |row| {
            let mut settings = settings(row)?;
            let privacy = &mut settings.privacy;
            privacy.bio_public = change.bio_public.unwrap_or(privacy.bio_public);
            privacy.categories_public = change.categories_public.unwrap_or(privacy.categories_public);
            privacy.insights_enabled = change.insights_enabled.unwrap_or(privacy.insights_enabled);
            privacy.trait_analysis_enabled = change.trait_analysis_enabled.unwrap_or(privacy.trait_analysis_enabled);
            now_is = *privacy;
            row.settings = to_json(&settings)?;
            Ok(())
        })
        .await?;
        Ok(now_is)
    }

    /// Biographies until now, newest first.
    pub async fn history(&self, owner: &Owner, limit: u64) -> Result<Vec<BioVersion>> {
        let Some(person) = self.memories.store.person(owner).await? else {
            return Ok(Vec::new());
        };
        self.memories
            .store
            .bio_versions(&owner.account_id, &person.id, limit)
            .await
    }

    /// Writes the biography that has been due longest; false where none is.
    pub async fn write_next(&self) -> Result<bool> {
        let now = self.memories.clock.now();
        let due = self.memories.store.due_profiles(now, 1).await?;
        let Some((owner, person_id)) = due.first() else {
            return Ok(false);
        };
        let written = self.write(owner, "memories", |_| Ok(())).await;
        if written.is_err() {
            // The next one must not wait for this one.
            let later = now + FAILED_PAUSE;
            self.memories
                .store
                .postpone_profile(&owner.account_id, person_id, later)
                .await?;
        }
        written.map(|()| true)
    }

    /// Changes what is kept of a person's profile, and writes the biography where it is due then.
    async fn write(
        &self,
        owner: &Owner,
        why: &str,
        mut change: impl FnMut(&mut ProfileRow) -> Result<()>,
    ) -> Result<()> {
        let memories = &self.memories;
        let slot = memories.indexes.slot(owner).await;
        let guard = slot.lock().await;
        for _ in 0..ATTEMPTS {
            let now = memories.clock.now();
            memories.indexes.refresh(owner, &slot, &guard).await?;
            let transaction = memories.store.begin().await?;
            let person = transaction.advance_person(owner, now).await?;
            if !slot.read(|state| state.precedes(&person)) {
                continue;
            }
            let account = &owner.account_id;
            let known = transaction.profile(account, &person.id).await?;
            let mut row = known.unwrap_or_else(|| new_row(now));
            let before = stored(&row)?.map(|bio| text_of(&bio));
            let reason = match why {
                "memories" => reason(&row, now),
                other => other,
            };
            change(&mut row)?;
            let is_due = row.bio.is_none() || row.due_at.is_some_and(|due| due <= now);
            if is_due && !(row.is_manual && settings(&row)?.manual_override) {
                self.write_into(&slot, &mut row, now).await?;
            } else if is_due {
                row.due_at = None;
            }
            let after = stored(&row)?.map(|bio| text_of(&bio));
            if let Some(text) = after.filter(|after| before.as_ref() != Some(after)) {
                row.version += 1;
                row.updated_at = now;
                let version = BioVersion {
                    version: row.version,
                    bio: text,
                    sources: row.sources.clone(),
                    reason: reason.to_owned(),
                    changed_at: now,
                };
                transaction.insert_bio_version(account, &person.id, &version).await?;
            }
            transaction.save_profile(account, &person.id, &row).await?;
            transaction.commit().await?;
            slot.apply(person, [], &guard);
            slot.note(ProfileNote::of(Some(row))?, &guard);
            return Ok(());
        }
        Err(Error::Unavailable("other instances keep changing this person".into()))
    }

    /// Puts a biography of the memories as they are into `row`; none where there are too few.
    async fn write_into(&self, slot: &Arc<Slot>, row: &mut ProfileRow, now: DateTime<Utc>) -> Result<()> {
        let request = settings(row)?.request();
        let (slot, asked) = (Arc::clone(slot), request.clone());
        let (bio, count) = on_cpu(move || {
            let (memories, superseded) = slot.read(|state| state.index.current(now));
            let bio = profile::is_enough(&memories).then(|| profile::bio(&memories, &asked, superseded, now));
            Ok((bio.filter(|bio| !bio.sentences.is_empty()), memories.len()))
        })
        .await?;
        row.is_manual = false;
        row.memory_count = i64::try_from(count).unwrap_or(i64::MAX);
        match bio {
            Some(bio) => {
                row.sources = bio.sources();
                row.bio = Some(to_json(&StoredBio::of(&bio, &request))?);
                row.generated_at = Some(now);
                row.due_at = Some(now + STALE);
            }
            None => {
                row.sources.clear();
                row.bio = None;
                row.generated_at = None;
                row.due_at = None;
            }
        }
        Ok(())
    }
}

impl MemoryService {
    /// The biography that a search gives with its answer, as the index of the person knows it.
    pub async fn user_bio(&self, owner: &Owner) -> Option<Arc<str>> {
        let slot = self.indexes.slot(owner).await;
        let now = self.clock.now();
        slot.read(|state| {
            let ProfileNote { bio, row, .. } = &state.profile;
            let sources = row.as_ref().map_or(&[][..], |row| &row.sources);
            bio.clone().filter(|_| state.index.holds_current(sources, now))
        })
    }

    /// How many insights and traits rest on any of these memories.
    pub async fn insights_on(&self, owner: &Owner, ids: &[MemoryId]) -> Result<usize> {
        let slot = self.indexes.open(owner).await?;
        let (ids, now) = (ids.to_vec(), self.clock.now());
        on_cpu(move || {
            let (memories, _) = slot.read(|state| state.index.current(now));
            let derived = profile::derive(&memories, now);
            let insights = derived.insights.iter().map(|insight| &insight.memories);
            let traits = derived.traits.iter().map(|one| &one.memories);
            let rests = |of: &&Vec<MemoryId>| of.iter().any(|id| ids.contains(id));
            Ok(insights.chain(traits).filter(rests).count())
        })
        .await
    }
}

impl Settings {
    fn request(&self) -> BioRequest {
        let parsed = |words: &[String]| words.iter().filter_map(|word| word.parse().ok()).collect();
        BioRequest {
            format: self
                .format
                .as_ref()
                .and_then(|word| word.parse().ok())
                .unwrap_or_default(),
            style: self
                .style
                .as_ref()
                .and_then(|word| word.parse().ok())
                .unwrap_or_default(),
            include: parsed(&self.include),
            exclude: parsed(&self.exclude),
        }
    }
}

impl StoredBio {
    fn of(bio: &Bio, request: &BioRequest) -> Self {
        let sentence = |sentence: &Sentence| StoredSentence {
            text: sentence.text.clone(),
            memories: sentence.memories.iter().map(|id| id.as_str().to_owned()).collect(),
        };
        Self {
            sentences: bio.sentences.iter().map(sentence).collect(),
            format: request.format.as_str().to_owned(),
            style: request.style.as_str().to_owned(),
            confidence: bio.confidence,
            categories: bio
                .categories
                .iter()
                .map(|category| category.as_str().to_owned())
                .collect(),
            themes: bio.themes.clone(),
        }
    }

    fn bio(&self) -> Bio {
        let sentence = |sentence: &StoredSentence| Sentence {
            text: sentence.text.clone(),
            memories: sentence.memories.iter().map(MemoryId::from_stored).collect(),
        };
        Bio {
            sentences: self.sentences.iter().map(sentence).collect(),
            confidence: self.confidence,
            categories: self.categories.iter().filter_map(|word| word.parse().ok()).collect(),
            themes: self.themes.clone(),
        }
    }

    fn format(&self) -> BioFormat {
        self.format.parse().unwrap_or_default()
    }
}

/// Whether the memories are enough for a profile, and how many there are.
fn enough(slot: &Slot, now: DateTime<Utc>) -> (bool, usize) {
    let (memories, _) = slot.read(|state| state.index.current(now));
    (profile::is_enough(&memories), memories.len())
}

/// Why a biography that is kept is written anew.
fn reason(row: &ProfileRow, now: DateTime<Utc>) -> &'static str {
    match row.generated_at {
        None if row.version == 0 => "first",
        Some(at) if row.bio.is_some() && now - at >= STALE => "stale",
        None | Some(_) => "memories",
    }
}

fn new_row(now: DateTime<Utc>) -> ProfileRow {
    ProfileRow {
        bio: None,
        sources: Vec::new(),
        is_manual: false,
        settings: serde_json::Value::Object(serde_json::Map::new()),
        memory_count: 0,
        version: 0,
        generated_at: None,
        refreshed_at: None,
        due_at: None,
        updated_at: now,
    }
}

fn set_by_hand(row: &mut ProfileRow, text: &str, settings: &Settings, now: DateTime<Utc>) -> Result<()> {
    let request = settings.request();
    let bio = Bio {
        sentences: vec![Sentence {
            text: text.to_owned(),
            memories: Vec::new(),
        }],
        confidence: 1.0,
        ..Bio::default()
    };
    row.bio = Some(to_json(&StoredBio {
        format: BioFormat::Full.as_str().to_owned(),
        ..StoredBio::of(&bio, &request)
    })?);
    row.sources.clear();
    row.is_manual = true;
    row.generated_at = Some(now);
    row.updated_at = now;
    row.due_at = (!settings.manual_override).then(|| now + STALE);
    Ok(())
}

fn settings(row: &ProfileRow) -> Result<Settings> {
    serde_json::from_value(row.settings.clone()).map_err(|e| Error::Internal(Box::new(e)))
}

fn stored(row: &ProfileRow) -> Result<Option<StoredBio>> {
    let bio = row.bio.clone().map(serde_json::from_value).transpose();
    bio.map_err(|e| Error::Internal(Box::new(e)))
}

fn text_of(bio: &StoredBio) -> String {
    bio.bio().text(bio.format())
}

fn view(row: &ProfileRow) -> Result<Option<BioView>> {
    let Some(stored) = stored(row)? else { return Ok(None) };
    let (bio, format) = (stored.bio(), stored.format());
    Ok(Some(BioView {
        text: bio.text(format),
        sentences: if row.is_manual { Vec::new() } else { bio.sentences },
        format,
        style: stored.style.parse().unwrap_or_default(),
        confidence: bio.confidence,
        categories: bio.categories,
        themes: bio.themes,
        generated_at: row.generated_at.unwrap_or(row.updated_at),
        expires_at: row.due_at,
        is_manual: row.is_manual,
        updated_at: row.updated_at,
    }))
}

fn to_json(value: &impl Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(value).map_err(|e| Error::Internal(Box::new(e)))
}

impl fmt::Debug for ProfileService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProfileService")
    }
}
