//! Changing a memory.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::MemoryService;
use crate::error::{Error, Result, Violation};
use crate::extraction;
use crate::model::{Caller, Category, MAX_CATEGORIES, MAX_METADATA_BYTES, Memory, MemoryId, MemoryType, Owner};
use crate::services::person_store::{ATTEMPTS, Change, encode_documents};
use crate::store::NewEmbedding;

/// What to change in a memory, checked; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct MemoryChange {
    /// The new text.
    pub text: Option<String>,
    /// Merged into the metadata; null removes a key.
    pub metadata: Option<Map<String, Value>>,
    /// The new category, or the first of [`Self::categories`].
    pub first_category: Option<Category>,
    /// One to three categories.
    pub categories: Option<Vec<Category>>,
    /// The new type.
    pub memory_type: Option<MemoryType>,
    /// Whether it is a standing wish about how the assistant behaves.
    pub is_instruction: Option<bool>,
    /// The new importance.
    pub importance: Option<f32>,
    /// When it is forgotten; `Some(None)` for never.
    pub expires_at: Option<Option<DateTime<Utc>>>,
    /// Fail with [`Error::Conflict`] unless this is the current version.
    pub expected_version: Option<i64>,
}

impl MemoryService {
    /// Changes a memory, keeping the version until now. Gives the memory and, where its text changed, its new vector.
    /// [`Error::MemoryNotFound`] where the person has no such memory.
    pub async fn update(
        &self,
        caller: &Caller,
        owner: &Owner,
        id: &MemoryId,
        change: MemoryChange,
    ) -> Result<(Memory, Option<Vec<f32>>)> {
        let now = self.people.clock.now();
        // A request that changes nothing must not make a row for a person without memories.
        self.get(owner, id).await?;
        let slot = self.people.indexes.slot(owner).await;
        let guard = slot.lock().await;
        for _ in 0..ATTEMPTS {
            self.people.indexes.refresh(owner, &slot, &guard).await?;
            let text = match &change.text {
                Some(text) => text.clone(),
                None => self.get(owner, id).await?.text,
            };
            let vectors = encode_documents(&*self.people.embedder, &[&text]).await?;
            let vector = vectors.into_iter().next().unwrap_or_default();
            let transaction = self.people.store.begin().await?;
            let person = transaction.advance_person(owner, now).await?;
            if !slot.read(|state| state.precedes(&person)) {
                continue;
            }
            let account = &owner.account_id;
            let row = transaction.memory(account, &person.id, &owner.user_id, id).await?;
            let row = row.ok_or(Error::MemoryNotFound)?;
            let old = row.memory;
            if old.is_expired(now) {
                return Err(Error::MemoryNotFound);
            }
            if change.expected_version.is_some_and(|version| version != old.version) {
                return Err(Error::Conflict("The memory has changed in the meantime"));
            }
            let Some((new, operation)) = changed(&old, &change, now)? else {
                return Ok((old, None));
            };
            transaction
                .update_memory(
                    account,
                    &person.id,
                    person.revision,
                    operation,
                    caller.credential(),
                    &new,
                )
                .await?;
            let text_changed = new.text != old.text;
            // Vectors of private memories are kept sealed.
            if text_changed || new.is_private() != old.is_private() {
                let embedding = NewEmbedding {
                    memory: &new,
                    vector: &vector,
                };
                self.people
                    .rewrite_embedding(&transaction, owner, &person, embedding)
                    .await?;
            }
            transaction.commit().await?;
            let change = Change {
                memory: Arc::new(new.clone()),
                vector: vector.clone(),
            };
            slot.apply(person, [change], &guard);
            self.people.indexes.reweigh(owner, &slot).await;
            return Ok((new, text_changed.then_some(vector)));
        }
        Err(Error::Unavailable("other instances keep changing this person".into()))
    }
}

/// The memory after a change, and the word for it; nothing where the change changes nothing.
fn changed(old: &Memory, change: &MemoryChange, now: DateTime<Utc>) -> Result<Option<(Memory, &'static str)>> {
    let mut new = old.clone();
    if let Some(text) = change.text.as_ref().filter(|text| **text != old.text) {
        (new.event_time, new.event_time_precision) = extraction::event_time(text, now).unzip();
        new.text.clone_from(text);
    }
    if let Some(metadata) = &change.metadata {
        new.metadata = merged(old.metadata.as_ref(), metadata)?;
    }
    new.importance = change.importance.unwrap_or(old.importance);
    new.expires_at = change.expires_at.unwrap_or(old.expires_at);
    new.memory_type = change.memory_type.unwrap_or(old.memory_type);
    new.is_instruction = change.is_instruction.unwrap_or(old.is_instruction);
    match (change.first_category, &change.categories) {
        (Some(only), None) => new.categories = vec![only],
        (first, Some(categories)) => {
            new.categories.clone_from(categories);
            if let Some(first) = first {
                put_first(&mut new.categories, first);
            }
        }
        (None, None) => {}
    }
    if extraction::is_private(&new.text) && !new.categories.contains(&Category::Private) {
        new.categories.truncate(MAX_CATEGORIES - 1);
        new.categories.push(Category::Private);
    }
    let same_class = new.memory_type == old.memory_type
        && new.categories == old.categories
        && new.is_instruction == old.is_instruction;
    let same_content = new.text == old.text
        && new.metadata == old.metadata
        && new.importance == old.importance
        && new.expires_at == old.expires_at;
    let operation = match (same_content, same_class) {
        (true, true) => return Ok(None),
        (true, false) => "reclassified",
        (false, _) => "updated",
    };
    new.version += 1;
    new.updated_at = now;
    Ok(Some((new, operation)))
}

fn put_first(categories: &mut Vec<Category>, first: Category) {
    categories.retain(|category| *category != first);
    categories.insert(0, first);
    categories.truncate(MAX_CATEGORIES);
}

/// A JSON merge of the first level (RFC 7396): null removes.
fn merged(old: Option<&Map<String, Value>>, patch: &Map<String, Value>) -> Result<Option<Map<String, Value>>> {
    let mut merged = old.cloned().unwrap_or_default();
    for (key, value) in patch {
        if value.is_null() {
            merged.remove(key);
        } else {
            merged.insert(key.clone(), value.clone());
        }
    }
    let bytes = serde_json::to_vec(&merged).map_or(usize::MAX, |json| json.len());
    if bytes > MAX_METADATA_BYTES {
        let reason = format!("must be at most {} KiB as JSON when merged", MAX_METADATA_BYTES >> 10);
        return Err(Error::Invalid(vec![Violation::new("metadata", reason)]));
    }
    Ok((!merged.is_empty()).then_some(merged))
}
