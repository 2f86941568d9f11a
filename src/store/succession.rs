//! What took the place of what, kept right where memories are deleted and brought back.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{QuerySelect, Select};

use super::deletions::DeletedMemories;
use super::memories::{self, Column};
use super::{Transaction, db_error};
use crate::error::Result;
use crate::model::{AccountId, MemoryId, PersonId};

/// A statement takes 32,766 bound values on SQLite.
const IDS_PER_STATEMENT: usize = 10_000;
/// How far back a backup knows what a memory took the place of.
const MAX_GENERATIONS: usize = 64;

/// A change of one person's memories: in which revision, by whom, when.
#[derive(Clone, Copy, Debug)]
pub struct PersonChange<'a> {
    /// The account.
    pub account_id: &'a AccountId,
    /// The person.
    pub person_id: &'a PersonId,
    /// The person's revision with this change.
    pub revision: i64,
    /// The key or session that makes it.
    pub changed_by: &'a str,
    /// When.
    pub now: DateTime<Utc>,
}

/// A memory's place in the order of what replaced what.
#[derive(Debug)]
struct Link {
    id: String,
    version: i64,
    superseded_by: Option<String>,
    expires_at: Option<DateTime<Utc>>,
}

/// Id, person, version, successor and end.
type LinkRow = (String, String, i64, Option<String>, Option<DateTime<Utc>>);

impl Transaction {
    /// Sees to what the memories taken out had replaced. Where something newer than those is left, that took its place;
    /// where nothing is, it holds again, if `restore` says so. Gives what holds again.
    pub async fn settle_predecessors(
        &self,
        change: &PersonChange<'_>,
        taken: &DeletedMemories,
        restore: bool,
    ) -> Result<Vec<MemoryId>> {
        let gone: HashMap<&str, Option<&str>> = taken
            .memories
            .iter()
            .map(|memory| (memory.id.as_str(), memory.superseded_by.as_deref()))
            .collect();
        let mut restored = Vec::new();
        for link in self.replaced_by(change, gone.keys().copied()).await? {
            let successor = link.superseded_by.as_deref().and_then(|by| living(&gone, by));
            let is_over = link.expires_at.is_some_and(|at| at <= change.now);
            match successor {
                Some(successor) => self.relink(change, &link.id, successor).await?,
                None if restore && !is_over => {
                    self.change_link(change, "restored", &link, None).await?;
                    restored.push(MemoryId::from_stored(link.id));
                }
                None => {}
            }
        }
        Ok(restored)
    }

    /// What each memory that was taken out had replaced, and what that had replaced, and so on: for its backup. To be asked
    /// before [`Self::settle_predecessors`].
    pub async fn lineages(
        &self,
        change: &PersonChange<'_>,
        taken: &DeletedMemories,
    ) -> Result<HashMap<String, Vec<String>>> {
        let mut replaced: HashMap<String, Vec<String>> = HashMap::new();
        for memory in &taken.memories {
            if let Some(by) = &memory.superseded_by {
                replaced.entry(by.clone()).or_default().push(memory.id.clone());
            }
        }
        let gone: HashSet<String> = taken.memories.iter().map(|memory| memory.id.clone()).collect();
        let mut seen = gone.clone();
        let mut generation: Vec<String> = gone.iter().cloned().collect();
        for _ in 0..MAX_GENERATIONS {
            let links = self.replaced_by(change, generation.iter().map(String::as_str)).await?;
            generation = Vec::new();
            for link in links {
                let Some(by) = link.superseded_by else { continue };
                replaced.entry(by).or_default().push(link.id.clone());
                if seen.insert(link.id.clone()) {
                    generation.push(link.id);
                }
            }
            if generation.is_empty() {
                break;
            }
        }
        let lineage = |id: &String| {
            let (mut found, mut open, mut seen) = (Vec::new(), vec![id], HashSet::from([id]));
            while let Some(id) = open.pop() {
                for older in replaced.get(id).into_iter().flatten() {
                    if seen.insert(older) {
                        open.push(older);
                        if !gone.contains(older) {
                            found.push(older.clone());
                        }
                    }
                }
            }
            found
        };
        Ok(gone.iter().map(|id| (id.clone(), lineage(id))).collect())
    }

    /// Sees to it that of what a backup brought back and what holds by now, one value holds: the newest.
    pub(super) async fn settle_restored(&self, change: &PersonChange<'_>, taken: &DeletedMemories) -> Result<()> {
        let together: HashSet<&str> = taken.memories.iter().map(|memory| memory.id.as_str()).collect();
        for memory in &taken.memories {
            let Some(lineage) = taken.lineages.get(&memory.id) else {
                continue;
            };
            let links = self.links(change, lineage.iter().map(String::as_str)).await?;
            let back = Link {
                id: memory.id.clone(),
                version: memory.version,
                superseded_by: memory.superseded_by.clone(),
                expires_at: memory.expires_at,
            };
            let holding = links.iter().filter(|link| link.superseded_by.is_none());
            if let Some(by) = &memory.superseded_by {
                for link in links.iter().filter(|link| link.superseded_by.as_ref() == Some(by)) {
                    self.relink(change, &link.id, &memory.id).await?;
                }
                if together.contains(by.as_str()) {
                    for link in holding {
                        self.change_link(change, "superseded", link, Some(&memory.id)).await?;
                    }
                }
                continue;
            }
            // Whatever took the place of what this deletion had brought back is newer.
            let newer = links
                .iter()
                .filter_map(|link| link.superseded_by.as_deref())
                .find(|by| *by != memory.id && !together.contains(by) && !lineage.iter().any(|older| older == by));
            let newer = match newer {
                Some(newer) => self.links(change, [newer].into_iter()).await?.pop(),
                None => None,
            };
            if let Some(newer) = &newer {
                for link in links
                    .iter()
                    .filter(|link| link.superseded_by.as_ref() == Some(&newer.id))
                {
                    self.relink(change, &link.id, &memory.id).await?;
                }
            }
            let holds = newer.as_ref().map_or(&memory.id, |newer| &newer.id);
            for link in holding.chain(newer.is_some().then_some(&back)) {
                self.change_link(change, "superseded", link, Some(holds)).await?;
            }
        }
        Ok(())
    }

    /// The memories whose place any of these took.
    async fn replaced_by(
        &self,
        change: &PersonChange<'_>,
        ids: impl Iterator<Item = &str> + Send,
    ) -> Result<Vec<Link>> {
        self.links_where(change, Column::SupersededBy, ids).await
    }

    /// Those of these memories that are there.
    async fn links(&self, change: &PersonChange<'_>, ids: impl Iterator<Item = &str> + Send) -> Result<Vec<Link>> {
        self.links_where(change, Column::Id, ids).await
    }

    async fn links_where(
        &self,
        change: &PersonChange<'_>,
        column: Column,
        ids: impl Iterator<Item = &str> + Send,
    ) -> Result<Vec<Link>> {
        let ids: Vec<&str> = ids.collect();
        let mut links = Vec::new();
        for chunk in ids.chunks(IDS_PER_STATEMENT) {
            let rows: Vec<LinkRow> = links_of(change.account_id)
                .filter(column.is_in(chunk.iter().copied()))
                .into_tuple()
                .all(&self.0)
                .await
                .map_err(db_error)?;
            // Ids lead SQLite to few rows; with the person beside them it would read all of the person's.
            let rows = rows
                .into_iter()
                .filter(|(_, person, ..)| person == change.person_id.as_str());
            links.extend(rows.map(|(id, _, version, superseded_by, expires_at)| Link {
                id,
                version,
                superseded_by,
                expires_at,
            }));
        }
        Ok(links)
    }

    /// Closes a memory, or has it hold again, keeping the version until now.
    async fn change_link(
        &self,
        change: &PersonChange<'_>,
        operation: &'static str,
        link: &Link,
        successor: Option<&String>,
    ) -> Result<()> {
        let id = MemoryId::from_stored(&link.id);
        self.replace_memory(change, operation, &id, link.version + 1, successor.map(String::as_str))
            .await
    }

    /// Corrects what took the place of a memory.
    async fn relink(&self, change: &PersonChange<'_>, id: &str, successor: &str) -> Result<()> {
        memories::Entity::update_many()
            .col_expr(Column::Revision, Expr::value(change.revision))
            .col_expr(Column::SupersededBy, Expr::value(successor))
            .filter(Column::AccountId.eq(change.account_id.as_str()))
            .filter(Column::PersonId.eq(change.person_id.as_str()))
            .filter(Column::Id.eq(id))
            .exec(&self.0)
            .await
            .map_err(db_error)?;
        Ok(())
    }
}

fn links_of(account_id: &AccountId) -> Select<memories::Entity> {
    memories::Entity::find()
        .select_only()
        .columns([
            Column::Id,
            Column::PersonId,
            Column::Version,
            Column::SupersededBy,
            Column::ExpiresAt,
        ])
        .filter(Column::AccountId.eq(account_id.as_str()))
}

/// What of the living took the place of a memory that `by` had replaced, where `by` itself is gone.
fn living<'g>(gone: &HashMap<&'g str, Option<&'g str>>, by: &str) -> Option<&'g str> {
    let mut at = by;
    for _ in 0..gone.len() {
        match gone.get(at).copied().flatten() {
            Some(next) if gone.contains_key(next) => at = next,
            successor => return successor,
        }
    }
    None
}
