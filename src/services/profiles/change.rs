//! Changing what is kept of a profile, and writing biographies.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::{BioQuery, ProfileService};
use crate::error::{Error, RateLimited, Result};
use crate::model::{Category, Owner};
use crate::profile::{self, Bio, BioFormat, BioStyle};
use crate::services::cpu::on_cpu;
use crate::services::person_store::{
    ATTEMPTS, BioView, CachedProfile, Privacy, STALE, Slot, StoredBio, new_row, set_by_hand, settings, stored, text_of,
    to_json,
};
use crate::store::{BioVersion, ProfileRow};

/// How long a biography waits that could not be written.
const FAILED_PAUSE: TimeDelta = TimeDelta::minutes(5);
/// How long after somebody asked for a new one nobody can again.
const REFRESH_PAUSE: TimeDelta = TimeDelta::minutes(10);

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

impl ProfileService {
    /// Writes a biography anew for somebody who asks for it. [`Error::RateLimited`] within 10 minutes of the last time.
    pub(super) async fn refresh(&self, owner: &Owner) -> Result<()> {
        let now = self.people.clock.now();
        if self.people.store.person(owner).await?.is_none() {
            return Err(Error::BioNotFound {
                current_memory_count: 0,
            });
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
        let now = self.people.clock.now();
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
            Err(Error::BioNotFound { .. }) if text.is_empty() => Ok((None, self.people.clock.now())),
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

    /// Returns when a biography became due here.
    pub async fn wait_for_due(&self) {
        self.people.profile_is_due.notified().await;
    }

    /// Writes the biography that has been due longest; false where none is.
    pub async fn write_next(&self) -> Result<bool> {
        let now = self.people.clock.now();
        let due = self.people.store.due_profiles(now, 1).await?;
        let Some((owner, person_id)) = due.first() else {
            return Ok(false);
        };
        let written = self.write(owner, "memories", |_| Ok(())).await;
        if written.is_err() {
            // The next one must not wait for this one.
            let later = now + FAILED_PAUSE;
            self.people
                .store
                .postpone_profile(&owner.account_id, person_id, later)
                .await?;
        }
        written.map(|()| true)
    }

    /// Changes what is kept of a person's profile, and writes the biography where it is due then.
    pub(super) async fn write(
        &self,
        owner: &Owner,
        why: &str,
        mut change: impl FnMut(&mut ProfileRow) -> Result<()>,
    ) -> Result<()> {
        let people = &self.people;
        let slot = people.indexes.slot(owner).await;
        let guard = slot.lock().await;
        for _ in 0..ATTEMPTS {
            let now = people.clock.now();
            people.indexes.refresh(owner, &slot, &guard).await?;
            // As it is at the revision that the index shows; whoever changes it makes another one.
            let mut row = slot.read(|state| state.profile.row()).unwrap_or_else(|| new_row(now));
            // What a change of memories left of one is no version of its own.
            let is_whole = row.generated_at.is_some();
            let before = stored(&row)?.filter(|_| is_whole).map(|bio| text_of(&bio));
            let reason = match why {
                "memories" => reason(&row, now),
                other => other,
            };
            change(&mut row)?;
            let is_due = row.bio.is_none() || row.due_at.is_none_or(|due| due <= now);
            if is_due && !(row.is_manual && settings(&row)?.manual_override) {
                self.write_into(&slot, &mut row, now).await?;
            } else if is_due {
                // One by hand that stays is never due.
                row.due_at = None;
            }
            // Nobody else waits for the database while a biography is written.
            let transaction = people.store.begin().await?;
            let person = transaction.advance_person(owner, now).await?;
            if !slot.read(|state| state.precedes(&person)) {
                continue;
            }
            let account = &owner.account_id;
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
            slot.set_profile(CachedProfile::of(Some(row))?, &guard);
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
            Ok((bio, memories.len()))
        })
        .await?;
        row.is_manual = false;
        row.memory_count = match bio {
            Some(_) => i64::try_from(count).unwrap_or(i64::MAX),
            None => 0,
        };
        // Where nothing could be said, the next time is when there are more memories, or in a week.
        row.generated_at = bio.is_some().then_some(now);
        row.due_at = bio.is_some().then_some(now + STALE);
        let bio = bio.filter(|bio| !bio.sentences.is_empty());
        row.sources = bio.as_ref().map(Bio::sources).unwrap_or_default();
        row.bio = bio.map(|bio| to_json(&StoredBio::of(&bio, &request))).transpose()?;
        Ok(())
    }
}

/// Why a biography that is kept is written anew.
fn reason(row: &ProfileRow, now: DateTime<Utc>) -> &'static str {
    match row.generated_at {
        None if row.version == 0 => "first",
        Some(at) if row.bio.is_some() && now - at >= STALE => "stale",
        None | Some(_) => "memories",
    }
}
