//! Taking memories in: cut into records, checked, stored batch by batch. What is stored before a break stays, and the
//! same import again goes on from there.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{Read, Seek, SeekFrom, Write};
use std::str::FromStr;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::mpsc;

use super::line::{self, Fault};
use super::{Imported, PortabilityService, items, mem0, zep};
use crate::error::{Error, Result, Violation};
use crate::model::{AccountId, Grant, Memory, MemoryId, Owner};
use crate::services::Actor;
use crate::services::person_store::{encode_documents, new_embeddings, texts};
use crate::store::NewMemory;

/// Records that are stored at one time.
const BATCH: usize = 500;
/// Bytes of records that are held until they are stored, at most.
const BATCH_BYTES: usize = 8 << 20;
/// Bytes of a line, at most.
const MAX_LINE_BYTES: usize = 4 << 20;
/// Faults that are reported one by one.
const MAX_ERRORS: usize = 1_000;
/// Memories that a dry run shows.
const PREVIEW: usize = 10;
/// Some programs begin a file with a byte order mark.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// Records of a foreign export that are read ahead.
const READ_AHEAD: usize = 64;

/// What an import is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImportFormat {
    /// Lines as an export writes them.
    #[default]
    Memsync,
    /// What mem0 gives.
    Mem0,
    /// What Zep and Graphiti give.
    Zep,
}

impl FromStr for ImportFormat {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "memsync" => Ok(Self::Memsync),
            "mem0" => Ok(Self::Mem0),
            "zep" => Ok(Self::Zep),
            _ => Err("must be memsync, mem0 or zep"),
        }
    }
}

/// What to do with what comes.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// The account that takes it.
    pub account_id: AccountId,
    /// The person whose memories they become; those that the records name when absent.
    pub user_id: Option<String>,
    /// What whoever imports may touch.
    pub grant: Grant,
    /// What it is written in.
    pub format: ImportFormat,
    /// Store nothing.
    pub is_dry_run: bool,
}

/// What an import did.
#[derive(Clone, Debug, Default)]
pub struct ImportReport {
    /// Memories that are new.
    pub imported: u64,
    /// Memories that were here already.
    pub skipped: u64,
    /// How many records could not be taken in.
    pub failed: u64,
    /// The first 1,000 of them: line or item, from 1, and why.
    pub errors: Vec<(u64, String)>,
    /// In a dry run, the first memories that would be stored.
    pub preview: Vec<Memory>,
}

/// An import under way: [`Import::feed`] it pieces, then [`Import::finish`].
#[derive(Debug)]
pub struct Import {
    service: Arc<PortabilityService>,
    options: ImportOptions,
    report: ImportReport,
    /// Lines that were read.
    lines: u64,
    /// The line that has not ended yet.
    line: Vec<u8>,
    /// Whether the line is too long and thrown away.
    is_too_long: bool,
    batch: Vec<(u64, Imported)>,
    batch_bytes: usize,
    /// Ids of a dry run, which finds none of its own in the database.
    seen: HashSet<MemoryId>,
    /// A foreign export, whole; its parts do not end where lines do.
    spool: Option<std::fs::File>,
}

impl Import {
    /// Nothing is taken in yet.
    pub fn new(service: Arc<PortabilityService>, options: ImportOptions) -> Result<Self> {
        if let Some(fault) = options.user_id.as_deref().and_then(line::user_id_fault) {
            return Err(Error::Invalid(vec![Violation::new("user_id", fault)]));
        }
        let spool = match options.format {
            ImportFormat::Memsync => None,
            ImportFormat::Mem0 | ImportFormat::Zep => Some(tempfile::tempfile().map_err(away)?),
        };
        Ok(Self {
            service,
            options,
            report: ImportReport::default(),
            lines: 0,
            line: Vec::new(),
            is_too_long: false,
            batch: Vec::new(),
            batch_bytes: 0,
            seen: HashSet::new(),
            spool,
        })
    }

    /// How many records were taken in so far, or passed over.
    pub const fn done(&self) -> u64 {
        self.report.imported + self.report.skipped + self.report.failed
    }

    /// Takes a piece, cut anywhere.
    pub async fn feed(&mut self, mut piece: &[u8]) -> Result<()> {
        if let Some(spool) = &mut self.spool {
            return spool.write_all(piece).map_err(away);
        }
        while let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
            self.take(&piece[..end]);
            piece = &piece[end + 1..];
            self.end_line();
            if self.batch.len() >= BATCH || self.batch_bytes >= BATCH_BYTES {
                self.store().await?;
            }
        }
        self.take(piece);
        Ok(())
    }

    /// Takes what is left, and tells what became of all.
    pub async fn finish(mut self, actor: &Actor) -> Result<ImportReport> {
        match self.spool.take() {
            None => self.end_line(),
            Some(spool) => self.take_foreign(spool).await?,
        }
        self.store().await?;
        if !self.options.is_dry_run {
            let now = self.service.people.clock.now();
            let event = actor.did("memories.imported", None, &self.options.account_id, now);
            let transaction = self.service.people.store.begin().await?;
            transaction.insert_audit_event(&event).await?;
            transaction.commit().await?;
        }
        Ok(self.report)
    }

    fn take(&mut self, part: &[u8]) {
        self.is_too_long |= self.line.len() + part.len() > MAX_LINE_BYTES;
        if self.is_too_long {
            self.line.clear();
        } else {
            self.line.extend_from_slice(part);
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.lines += 1;
        if std::mem::take(&mut self.is_too_long) {
            self.fail(self.lines, format!("must be at most {MAX_LINE_BYTES} bytes"));
            return;
        }
        let line = match line.strip_prefix(BYTE_ORDER_MARK) {
            Some(unmarked) if self.lines == 1 => unmarked,
            _ => line.as_slice(),
        };
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        self.add(self.lines, line.len(), line::read(line));
    }

    async fn take_foreign(&mut self, mut spool: std::fs::File) -> Result<()> {
        let mut mark = [0; BYTE_ORDER_MARK.len()];
        spool.seek(SeekFrom::Start(0)).map_err(away)?;
        let is_marked = spool.read_exact(&mut mark).is_ok() && mark == BYTE_ORDER_MARK;
        let start = if is_marked { BYTE_ORDER_MARK.len() as u64 } else { 0 };
        spool.seek(SeekFrom::Start(start)).map_err(away)?;
        let (sender, mut records) = mpsc::channel::<Value>(READ_AHEAD);
        // It waits for whoever takes the records, and must keep no core from them.
        let reading = tokio::task::spawn_blocking(move || items::read(std::io::BufReader::new(spool), &sender));
        let table = self.service.people.table();
        while let Some(record) = records.recv().await {
            self.lines += 1;
            let now = self.service.people.clock.now();
            let read = match self.options.format {
                ImportFormat::Zep => zep::read(&record, &table, now),
                ImportFormat::Mem0 | ImportFormat::Memsync => mem0::read(&record, &table, now),
            };
            self.add(self.lines, 1_000, read);
            if self.batch.len() >= BATCH {
                self.store().await?;
            }
        }
        let read = reading.await.map_err(|e| Error::Internal(Box::new(e)))?;
        if let Err(fault) = read {
            self.fail(self.lines + 1, fault.to_string());
        }
        Ok(())
    }

    fn add(&mut self, line: u64, bytes: usize, read: Result<Imported, Fault>) {
        match read {
            Ok(mut imported) => {
                if let Some(user_id) = &self.options.user_id {
                    imported.user_id.clone_from(user_id);
                }
                if let Some(fault) = line::user_id_fault(&imported.user_id) {
                    self.fail(line, format!("memory.user_id: {fault}"));
                    return;
                }
                if !self.options.grant.covers_person(&imported.user_id) {
                    self.fail(line, "user_id: this key may not access that person".to_owned());
                    return;
                }
                self.batch_bytes += bytes;
                self.batch.push((line, imported));
            }
            Err(fault) => self.fail(line, fault.into_owned()),
        }
    }

    fn fail(&mut self, line: u64, reason: String) {
        self.report.failed += 1;
        if self.report.errors.len() < MAX_ERRORS {
            self.report.errors.push((line, reason));
        }
    }

    /// Stores the batch: all that is new of it, or nothing where the database fails.
    async fn store(&mut self) -> Result<()> {
        self.batch_bytes = 0;
        let batch = std::mem::take(&mut self.batch);
        if batch.is_empty() {
            return Ok(());
        }
        let account = self.options.account_id.clone();
        let ids: Vec<MemoryId> = batch
            .iter()
            .map(|(_, imported)| imported.row.memory.id.clone())
            .collect();
        let known = self.service.people.store.owners_of(&account, &ids).await?;
        let mut new: BTreeMap<String, Vec<Imported>> = BTreeMap::new();
        let mut fresh = HashSet::new();
        let now = self.service.people.clock.now();
        for (line, imported) in batch {
            let memory = &imported.row.memory;
            let is_known = known.get(&memory.id);
            if is_known.is_some_and(|user_id| *user_id != imported.user_id) {
                self.fail(line, "memory.id: belongs to another person".to_owned());
            } else if is_known.is_some()
                || memory.is_expired(now)
                || self.seen.contains(&memory.id)
                || !fresh.insert(memory.id.clone())
            {
                self.report.skipped += 1;
            } else {
                new.entry(imported.user_id.clone()).or_default().push(imported);
            }
        }
        if self.options.is_dry_run {
            for imported in new.into_values().flatten() {
                self.report.imported += 1;
                self.seen.insert(imported.row.memory.id.clone());
                if self.report.preview.len() < PREVIEW {
                    let user_id = Some(imported.user_id).filter(|user_id| !user_id.is_empty());
                    self.report.preview.push(Memory {
                        user_id,
                        ..imported.row.memory
                    });
                }
            }
            return Ok(());
        }
        for (user_id, imported) in new {
            let owner = Owner {
                account_id: account.clone(),
                user_id,
            };
            let count = imported.len() as u64;
            let stored = self.service.take_in(&owner, imported).await?;
            self.report.imported += stored;
            self.report.skipped += count - stored;
        }
        Ok(())
    }
}

impl PortabilityService {
    /// Stores memories of a person as they are; gives how many were not there yet.
    async fn take_in(&self, owner: &Owner, imported: Vec<Imported>) -> Result<u64> {
        let now = self.people.clock.now();
        let account = &owner.account_id;
        let memories: Vec<Memory> = imported.iter().map(|imported| imported.row.memory.clone()).collect();
        let vectors = encode_documents(&*self.people.embedder, &texts(&memories)).await?;
        let transaction = self.people.store.begin().await?;
        self.people.hold_quota(&transaction, account).await?;
        let person = transaction.advance_person(owner, now).await?;
        let ids: Vec<MemoryId> = memories.iter().map(|memory| memory.id.clone()).collect();
        // Another import of the same may have come first.
        let known = transaction.known_ids(account, &ids).await?;
        let is_new = |memory: &&Memory| !known.contains(&memory.id);
        let rows: Vec<NewMemory<'_>> = imported
            .iter()
            .filter(|imported| is_new(&&imported.row.memory))
            .map(|imported| NewMemory {
                memory: &imported.row.memory,
                operation: &imported.row.operation,
                changed_by: &imported.row.changed_by,
            })
            .collect();
        if rows.is_empty() {
            return Ok(0);
        }
        let quotas = self.people.quotas(&transaction, account, &person.id).await?;
        quotas.admit(rows.len())?;
        transaction
            .insert_memories(account, &person.id, person.revision, &rows)
            .await?;
        let versions: Vec<_> = imported
            .iter()
            .filter(|imported| is_new(&&imported.row.memory))
            .map(|imported| (&imported.row.memory, imported.versions.as_slice()))
            .collect();
        transaction.insert_versions(account, &versions).await?;
        let embeddings: Vec<_> = new_embeddings(&memories, &vectors)
            .into_iter()
            .filter(|embedding| is_new(&embedding.memory))
            .collect();
        self.people
            .write_embeddings(&transaction, owner, &person, &embeddings)
            .await?;
        for (thread_id, next) in next_positions(&memories) {
            transaction
                .raise_conversation(account, &person.id, thread_id, next)
                .await?;
        }
        transaction.commit().await?;
        Ok(rows.len() as u64)
    }
}

/// Where conversations go on, so that no message of a later store takes an imported one's place.
fn next_positions(memories: &[Memory]) -> HashMap<&str, i64> {
    let mut next = HashMap::new();
    for memory in memories.iter().filter(|memory| !memory.thread_id.is_empty()) {
        for source in &memory.sources {
            let after = next.entry(memory.thread_id.as_str()).or_insert(0);
            *after = source.position.saturating_add(1).max(*after);
        }
    }
    next
}

fn away(error: std::io::Error) -> Error {
    Error::Unavailable(Box::new(error))
}
