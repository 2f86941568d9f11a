//! What an index keeps of a person's profile.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::stored_profile::{STALE, settings, stored, text_of};
use crate::error::Result;
use crate::model::MemoryId;
use crate::profile;
use crate::store::ProfileRow;

/// New memories after which it is written anew: so many, or a fifth of those it was made of if that is more.
const ENOUGH_NEW: usize = 10;

/// What an index keeps of a person's profile, so that reads and searches need not ask for it.
#[derive(Clone, Debug, Default)]
pub(in crate::services) struct CachedProfile {
    pub(in crate::services) row: Option<Arc<ProfileRow>>,
    /// The biography, where it may be given with searches.
    pub(in crate::services) bio: Option<Arc<str>>,
    /// Whether it is to be written already.
    is_due: bool,
}

impl CachedProfile {
    pub(in crate::services) fn of(row: Option<ProfileRow>) -> Result<Self> {
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

    /// What the database keeps of the profile.
    pub(in crate::services) fn row(&self) -> Option<ProfileRow> {
        self.row.as_deref().cloned()
    }

    /// Whether so many memories call for a biography, or for another one.
    pub(in crate::services) fn wants_another(&self, memories: usize) -> bool {
        let known = self.row.as_ref().and_then(|row| usize::try_from(row.memory_count).ok());
        let needed = match known.unwrap_or(0) {
            0 => profile::LEAST_MEMORIES,
            known => known + ENOUGH_NEW.max(known / 5),
        };
        !self.is_due && memories >= needed
    }

    /// As the database has it: the biography is due at `now`.
    pub(in crate::services) fn mark_due(&mut self, now: DateTime<Utc>) {
        self.is_due = true;
        if let Some(row) = &mut self.row {
            Arc::make_mut(row).due_at = Some(now);
        }
    }

    /// A memory changed at `now`: what rests on it of the biography is not to be shown any more.
    pub(in crate::services) fn memory_changed(&mut self, id: &MemoryId, now: DateTime<Utc>) {
        let Some(row) = self.row.as_mut().filter(|row| row.sources.contains(id)) else {
            return;
        };
        let row = Arc::make_mut(row);
        row.forget(std::slice::from_ref(id), now);
        let left = stored(row).ok().flatten().filter(|_| self.bio.is_some());
        self.bio = left.map(|bio| text_of(&bio).into());
        self.is_due = true;
    }
}

#[cfg(test)]
mod tests {
    use super::super::stored_profile::{StoredBio, new_row, to_json};
    use super::*;
    use crate::profile::{Bio, BioRequest, Sentence};

    fn id(id: &str) -> MemoryId {
        MemoryId::from_stored(id)
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).expect("a time")
    }

    fn written() -> ProfileRow {
        let sentence = |text: &str, memories: &[&str]| Sentence {
            text: text.to_owned(),
            memories: memories.iter().copied().map(id).collect(),
        };
        let bio = Bio {
            sentences: vec![
                sentence("Nora works at Fjord Boats and builds a boat.", &["job", "boat"]),
                sentence("They love rowing.", &["rowing"]),
            ],
            themes: vec!["fjord".to_owned()],
            named_by: Some(id("name")),
            ..Bio::default()
        };
        ProfileRow {
            bio: Some(to_json(&StoredBio::of(&bio, &BioRequest::default())).expect("JSON")),
            sources: bio.sources(),
            generated_at: Some(now()),
            due_at: Some(now() + STALE),
            ..new_row(now())
        }
    }

    fn after_a_change_of(memory: &str) -> CachedProfile {
        let mut profile = CachedProfile::of(Some(written())).expect("a profile");
        profile.memory_changed(&id(memory), now());
        profile
    }

    #[test]
    fn the_sentences_of_a_changed_memory_go_and_the_others_stay_until_all_is_written_anew() {
        let profile = after_a_change_of("boat");
        assert_eq!(profile.bio.as_deref(), Some("They love rowing."));
        let row = profile.row.as_deref().expect("a row");
        assert_eq!(row.sources, [id("rowing"), id("name")]);
        assert_eq!((row.due_at, row.generated_at), (Some(now()), None));
        let kept = row.bio.as_ref().expect("a bio").to_string();
        assert!(!kept.contains("jord"), "{kept}");
        assert!(!profile.wants_another(1_000), "it is due already");
    }

    #[test]
    fn nothing_is_left_where_the_name_goes_or_may_be_in_any_sentence() {
        let profile = after_a_change_of("name");
        assert_eq!(profile.bio, None);
        assert_eq!(profile.row.expect("a row").bio, None);
        let mut older = written();
        let bio = older.bio.as_mut().and_then(serde_json::Value::as_object_mut);
        bio.expect("an object").remove("named_by");
        older.forget(&[id("rowing")], now());
        assert_eq!((older.bio, older.sources), (None, Vec::new()));
    }

    #[test]
    fn a_memory_that_is_not_behind_it_changes_nothing() {
        let profile = after_a_change_of("other");
        assert_eq!(profile.row.as_deref(), Some(&written()));
    }
}
