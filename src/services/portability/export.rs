//! Reading every memory of people, page by page.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::stream::{Stream, try_unfold};

use super::{ExportedMemory, PortabilityService};
use crate::error::Result;
use crate::model::{AccountId, MemoryId, Owner};
use crate::services::Actor;
use crate::store::Person;

/// Memories, or people, that are read at one time.
const PAGE: u64 = 500;

/// Where an export is.
struct Export {
    service: Arc<PortabilityService>,
    account_id: AccountId,
    /// Whether everybody of the account is wanted.
    is_whole: bool,
    /// People still to be read; the first is under way.
    people: VecDeque<(Person, Owner)>,
    /// The last person that was found.
    last_person: Option<String>,
    last_memory: Option<MemoryId>,
    page: VecDeque<ExportedMemory>,
}

impl PortabilityService {
    /// How many memories an export gives; of everybody of the account where no person is named.
    pub async fn count_exported(&self, account_id: &AccountId, user_id: Option<&str>) -> Result<u64> {
        self.people
            .store
            .count_memories(account_id, user_id, self.people.clock.now())
            .await
    }

    /// Every memory of a person, or of everybody of the account where none is named, oldest first, superseded ones too.
    pub async fn export(
        self: Arc<Self>,
        actor: &Actor,
        account_id: AccountId,
        user_id: Option<String>,
    ) -> Result<impl Stream<Item = Result<ExportedMemory>> + Send + use<>> {
        let event = actor.did("memories.exported", None, &account_id, self.people.clock.now());
        let transaction = self.people.store.begin().await?;
        transaction.insert_audit_event(&event).await?;
        transaction.commit().await?;
        let mut people = VecDeque::new();
        let is_whole = user_id.is_none();
        if let Some(user_id) = user_id {
            let owner = Owner {
                account_id: account_id.clone(),
                user_id,
            };
            people.extend(self.people.store.person(&owner).await?.map(|person| (person, owner)));
        }
        let export = Export {
            service: self,
            account_id,
            is_whole,
            people,
            last_person: None,
            last_memory: None,
            page: VecDeque::new(),
        };
        Ok(try_unfold(export, |mut export| async move {
            let next = export.next().await?;
            Ok(next.map(|memory| (memory, export)))
        }))
    }
}

impl Export {
    async fn next(&mut self) -> Result<Option<ExportedMemory>> {
        loop {
            if let Some(memory) = self.page.pop_front() {
                return Ok(Some(memory));
            }
            if self.people.is_empty() && !self.find_people().await? {
                return Ok(None);
            }
            self.read_page().await?;
        }
    }

    async fn find_people(&mut self) -> Result<bool> {
        if !self.is_whole {
            return Ok(false);
        }
        let store = &self.service.people.store;
        let found = store
            .persons_after(&self.account_id, &[], self.last_person.as_deref(), PAGE)
            .await?;
        self.last_person = found.last().map(|(_, owner)| owner.user_id.clone());
        self.people.extend(found);
        Ok(!self.people.is_empty())
    }

    async fn read_page(&mut self) -> Result<()> {
        let Some((person, owner)) = self.people.front() else {
            return Ok(());
        };
        let (store, now) = (&self.service.people.store, self.service.people.clock.now());
        let rows = store
            .memories_after(owner, &person.id, self.last_memory.as_ref(), PAGE, now)
            .await?;
        let ids: Vec<MemoryId> = rows.iter().map(|row| row.memory.id.clone()).collect();
        let mut earlier = store.versions_of(&owner.account_id, &ids).await?;
        self.last_memory = ids.into_iter().next_back();
        if self.last_memory.is_none() {
            self.people.pop_front();
        }
        self.page = rows
            .into_iter()
            .map(|row| {
                let mut versions = earlier.remove(&row.memory.id).unwrap_or_default();
                // A change between the two reads is of the next export.
                versions.retain(|version| version.version < row.memory.version);
                let memory = row.memory.clone();
                versions.push(row.into());
                ExportedMemory { memory, versions }
            })
            .collect();
        Ok(())
    }
}
