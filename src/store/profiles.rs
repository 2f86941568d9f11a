//! The tables `profiles` and `bio_versions`.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, Iterable, QueryOrder, QuerySelect};

use super::{Store, Transaction, db_error, persons};
use crate::error::{Error, Result};
use crate::model::{AccountId, MemoryId, Owner, PersonId};

/// Earlier biographies that are kept of a person.
const KEPT_VERSIONS: i64 = 50;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "profiles")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub person_id: String,
    pub bio: Option<Json>,
    pub sources: Json,
    pub is_manual: bool,
    pub settings: Json,
    pub memory_count: i64,
    pub version: i64,
    pub generated_at: Option<DateTimeUtc>,
    pub refreshed_at: Option<DateTimeUtc>,
    pub due_at: Option<DateTimeUtc>,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

mod versions {
    use super::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "bio_versions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: i64,
        pub bio: String,
        pub sources: Json,
        pub reason: String,
        pub changed_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A person's biography and its settings, as they are kept.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileRow {
    /// The biography, for the service to read; absent where it is to be written.
    pub bio: Option<serde_json::Value>,
    /// The memories behind it.
    pub sources: Vec<MemoryId>,
    /// Whether it was set by hand.
    pub is_manual: bool,
    /// Its settings, for the service to read.
    pub settings: serde_json::Value,
    /// Memories that it was made of.
    pub memory_count: i64,
    /// Counts biographies, from 1.
    pub version: i64,
    /// When it was written; absent where something was taken out since.
    pub generated_at: Option<DateTime<Utc>>,
    /// When somebody last asked for it to be written anew.
    pub refreshed_at: Option<DateTime<Utc>>,
    /// When it is to be written anew.
    pub due_at: Option<DateTime<Utc>>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A biography as it was from a time on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BioVersion {
    /// Counts biographies, from 1.
    pub version: i64,
    /// What it said.
    pub bio: String,
    /// The memories behind it.
    pub sources: Vec<MemoryId>,
    /// Why it became so: a word of the contract.
    pub reason: String,
    /// When it became so.
    pub changed_at: DateTime<Utc>,
}

impl ProfileRow {
    /// Takes out the sentences that rest on any of these memories, and has all of it written anew at `now`.
    pub fn forget(&mut self, gone: &[MemoryId], now: DateTime<Utc>) {
        let left = self.bio.take().and_then(|bio| without(bio, gone));
        (self.bio, self.sources) = left.map_or_else(Default::default, |(bio, sources)| (Some(bio), sources));
        self.generated_at = None;
        self.due_at = Some(now);
    }
}

/// A biography without the sentences that rest on any of these memories, and the memories behind it; nothing where nothing
/// is left to be said.
fn without(mut bio: Json, gone: &[MemoryId]) -> Option<(Json, Vec<MemoryId>)> {
    let is_gone = |id: &Json| gone.iter().any(|gone| id == gone.as_str());
    // The name can stand in any sentence, and an older biography does not tell whence it has it.
    let named_by = bio.get("named_by").filter(|id| !is_gone(id))?.clone();
    let sentences = bio.get_mut("sentences")?.as_array_mut()?;
    sentences.retain(|sentence| !behind(sentence).iter().any(is_gone));
    let all = sentences.iter().flat_map(behind).chain([&named_by]);
    let mut sources: Vec<MemoryId> = Vec::new();
    for id in all.filter_map(Json::as_str).map(MemoryId::from_stored) {
        if !sources.contains(&id) {
            sources.push(id);
        }
    }
    if sentences.is_empty() {
        return None;
    }
    // These are words of all memories.
    bio["themes"] = Json::Array(Vec::new());
    Some((bio, sources))
}

/// The memories behind a sentence.
fn behind(sentence: &Json) -> &[Json] {
    sentence["memories"].as_array().map_or(&[], Vec::as_slice)
}

impl Store {
    /// A person's biography and settings, where there are any.
    pub async fn profile(&self, account_id: &AccountId, person_id: &PersonId) -> Result<Option<ProfileRow>> {
        read(&self.read, account_id, person_id).await
    }

    /// Biographies of a person, newest first.
    pub async fn bio_versions(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        limit: u64,
    ) -> Result<Vec<BioVersion>> {
        let rows = versions::Entity::find()
            .filter(versions::Column::AccountId.eq(account_id.as_str()))
            .filter(versions::Column::PersonId.eq(person_id.as_str()))
            .order_by_desc(versions::Column::Version)
            .limit(limit)
            .all(&self.read)
            .await
            .map_err(db_error)?;
        rows.into_iter()
            .map(|row| {
                Ok(BioVersion {
                    version: row.version,
                    bio: row.bio,
                    sources: ids(row.sources)?,
                    reason: row.reason,
                    changed_at: row.changed_at,
                })
            })
            .collect()
    }

    /// People whose biography is to be written by now, at most `limit`.
    pub async fn due_profiles(&self, now: DateTime<Utc>, limit: u64) -> Result<Vec<(Owner, PersonId)>> {
        let due: Vec<(String, String)> = Entity::find()
            .select_only()
            .columns([Column::AccountId, Column::PersonId])
            .filter(Column::DueAt.lte(now))
            .order_by_asc(Column::DueAt)
            .limit(limit)
            .into_tuple()
            .all(&self.read)
            .await
            .map_err(db_error)?;
        let mut people = Vec::with_capacity(due.len());
        for key in due {
            let person = persons::Entity::find_by_id(key)
                .one(&self.read)
                .await
                .map_err(db_error)?;
            people.extend(person.map(|person| {
                let owner = Owner {
                    account_id: AccountId::from_stored(person.account_id),
                    user_id: person.user_id,
                };
                (owner, PersonId::from_stored(person.id))
            }));
        }
        Ok(people)
    }

    /// Puts a biography off that could not be written now.
    pub async fn postpone_profile(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        until: DateTime<Utc>,
    ) -> Result<()> {
        Entity::update_many()
            .col_expr(Column::DueAt, Expr::value(until))
            .filter(Column::AccountId.eq(account_id.as_str()))
            .filter(Column::PersonId.eq(person_id.as_str()))
            .exec(&self.write)
            .await
            .map_err(db_error)?;
        Ok(())
    }
}

impl Transaction {
    /// A person's biography and settings, where there are any.
    pub async fn profile(&self, account_id: &AccountId, person_id: &PersonId) -> Result<Option<ProfileRow>> {
        read(&self.0, account_id, person_id).await
    }

    /// Keeps a person's biography and settings in place of those until now.
    pub async fn save_profile(&self, account_id: &AccountId, person_id: &PersonId, profile: &ProfileRow) -> Result<()> {
        let row = ActiveModel {
            account_id: Set(account_id.to_string()),
            person_id: Set(person_id.to_string()),
            bio: Set(profile.bio.clone()),
            sources: Set(ids_to_json(&profile.sources)),
            is_manual: Set(profile.is_manual),
            settings: Set(profile.settings.clone()),
            memory_count: Set(profile.memory_count),
            version: Set(profile.version),
            generated_at: Set(profile.generated_at),
            refreshed_at: Set(profile.refreshed_at),
            due_at: Set(profile.due_at),
            updated_at: Set(profile.updated_at),
        };
        let columns = Column::iter().filter(|column| !matches!(column, Column::AccountId | Column::PersonId));
        let again = OnConflict::columns([Column::AccountId, Column::PersonId])
            .update_columns(columns)
            .to_owned();
        Entity::insert(row)
            .on_conflict(again)
            .exec_without_returning(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }

    /// Has a person's biography written soon.
    pub async fn make_profile_due(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let row = ActiveModel {
            account_id: Set(account_id.to_string()),
            person_id: Set(person_id.to_string()),
            bio: Set(None),
            sources: Set(ids_to_json(&[])),
            is_manual: Set(false),
            settings: Set(Json::Object(serde_json::Map::new())),
            memory_count: Set(0),
            version: Set(0),
            generated_at: Set(None),
            refreshed_at: Set(None),
            due_at: Set(Some(now)),
            updated_at: Set(now),
        };
        let again = OnConflict::columns([Column::AccountId, Column::PersonId])
            .update_column(Column::DueAt)
            .to_owned();
        Entity::insert(row)
            .on_conflict(again)
            .exec_without_returning(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }

    /// Keeps a biography in the history, and forgets what is too old there.
    pub async fn insert_bio_version(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        version: &BioVersion,
    ) -> Result<()> {
        let row = versions::ActiveModel {
            account_id: Set(account_id.to_string()),
            person_id: Set(person_id.to_string()),
            version: Set(version.version),
            bio: Set(version.bio.clone()),
            sources: Set(ids_to_json(&version.sources)),
            reason: Set(version.reason.clone()),
            changed_at: Set(version.changed_at),
        };
        versions::Entity::insert(row)
            .exec_without_returning(&self.0)
            .await
            .map_err(db_error)?;
        versions::Entity::delete_many()
            .filter(versions::Column::AccountId.eq(account_id.as_str()))
            .filter(versions::Column::PersonId.eq(person_id.as_str()))
            .filter(versions::Column::Version.lte(version.version - KEPT_VERSIONS))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }

    /// Takes out what the biography says by any of these memories, has it written anew, and with `history` takes out the
    /// earlier ones that rest on them. Says how many were changed or taken out.
    pub async fn forget_bios_of(
        &self,
        account_id: &AccountId,
        person_id: &PersonId,
        memory_ids: &[MemoryId],
        history: bool,
        now: DateTime<Utc>,
    ) -> Result<u64> {
        let Some(mut profile) = self.profile(account_id, person_id).await? else {
            return Ok(0);
        };
        let rests = |sources: &[MemoryId]| sources.iter().any(|id| memory_ids.contains(id));
        let mut forgotten = 0;
        if rests(&profile.sources) {
            profile.forget(memory_ids, now);
            self.save_profile(account_id, person_id, &profile).await?;
            forgotten += 1;
        }
        if history {
            let earlier = versions::Entity::find()
                .filter(versions::Column::AccountId.eq(account_id.as_str()))
                .filter(versions::Column::PersonId.eq(person_id.as_str()))
                .all(&self.0)
                .await
                .map_err(db_error)?;
            for row in earlier {
                if rests(&ids(row.sources)?) {
                    versions::Entity::delete_by_id((row.account_id, row.person_id, row.version))
                        .exec(&self.0)
                        .await
                        .map_err(db_error)?;
                    forgotten += 1;
                }
            }
        }
        Ok(forgotten)
    }

    /// How many biographies of a person are kept, the current one included.
    pub(super) async fn count_bios(&self, account_id: &str, person_id: &str) -> Result<u64> {
        let current = Entity::find()
            .filter(Column::AccountId.eq(account_id))
            .filter(Column::PersonId.eq(person_id))
            .filter(Column::Bio.is_not_null())
            .count(&self.0)
            .await
            .map_err(db_error)?;
        let earlier = versions::Entity::find()
            .filter(versions::Column::AccountId.eq(account_id))
            .filter(versions::Column::PersonId.eq(person_id))
            .count(&self.0)
            .await
            .map_err(db_error)?;
        Ok(current.max(earlier))
    }
}

async fn read(
    connection: &impl ConnectionTrait,
    account_id: &AccountId,
    person_id: &PersonId,
) -> Result<Option<ProfileRow>> {
    let row = Entity::find_by_id((account_id.to_string(), person_id.to_string()))
        .one(connection)
        .await
        .map_err(db_error)?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(ProfileRow {
        bio: row.bio,
        sources: ids(row.sources)?,
        is_manual: row.is_manual,
        settings: row.settings,
        memory_count: row.memory_count,
        version: row.version,
        generated_at: row.generated_at,
        refreshed_at: row.refreshed_at,
        due_at: row.due_at,
        updated_at: row.updated_at,
    }))
}

fn ids(json: Json) -> Result<Vec<MemoryId>> {
    let ids: Vec<String> = serde_json::from_value(json).map_err(|e| Error::Internal(Box::new(e)))?;
    Ok(ids.into_iter().map(MemoryId::from_stored).collect())
}

fn ids_to_json(ids: &[MemoryId]) -> Json {
    ids.iter().map(|id| Json::from(id.as_str())).collect()
}
