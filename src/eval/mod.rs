//! Measuring recall: the conversations of a data set through the real pipeline, then its questions.
//!
//! Called by the command line. It judges by `source_message_ids`: a question counts as answered when the messages that
//! its evidence names are among the sources of the best memories.

mod dataset;
mod facts;
mod fit;
mod metrics;
mod reader;
mod sentences;
mod study;
mod train;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde::Serialize;

use study::Stored;

use crate::model::{AccountId, ApiKeyId, AuthMethod, Caller, Filter, Grant, Owner, Role};
use crate::services::{ConversationMessage, MemoryService, SearchRequest, StoreRequest};

pub use dataset::{Conversation, DataError, Question, Session, load};
pub use facts::{Chat, ChatResult, FactFigures, facts, load_chats};
pub use metrics::{Band, CategoryFigures, Figures};
pub use reader::{LabelledMessage, ReaderFigures, cross_validate_reader, judge_reader, load_messages, train_reader};
pub use sentences::{ExtractFigures, ExtractReport, Sentence, SentenceError, extract, load_sentences};
pub use study::{LeaveOneOut, Step};
pub use train::{cross_validate, load_training, train};

/// Memories looked at for a question; recall is reported at up to this many.
const DEPTH: usize = 20;

/// What came of an evaluation.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Conversations.
    pub conversations: usize,
    /// Messages stored.
    pub messages: usize,
    /// Memories made of them.
    pub memories: usize,
    /// Share of the answerable questions' evidence messages that some memory names as its source.
    pub coverage: f64,
    /// Figures by the data set's question category, then of all answerable ones.
    pub figures: Vec<CategoryFigures>,
    /// Probability that an answerable question's best score beats an unanswerable one's; absent without such.
    pub auroc: Option<f64>,
    /// How `rerank_score` relates to evidence.
    pub reliability: Vec<Band>,
    /// Time to store a session, in milliseconds: median and 95th percentile.
    pub store_ms: [f64; 2],
    /// Time to search, in milliseconds: median and 95th percentile.
    pub search_ms: [f64; 2],
    /// What each step of the ranking adds; only where it was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ablation: Vec<Step>,
    /// The same questions under weights fitted on the other conversations; only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leave_one_out: Option<LeaveOneOut>,
}

/// What is to be measured besides recall.
#[derive(Clone, Copy, Debug, Default)]
pub struct Studies {
    /// What each step of the ranking adds.
    pub ablation: bool,
    /// How the ranking does on conversations that its weights were not fitted on.
    pub leave_one_out: bool,
}

/// Stores every conversation for a person of its own and asks its questions. `progress` is told of each conversation.
pub async fn recall(
    memories: &MemoryService,
    account_id: &AccountId,
    conversations: &[Conversation],
    studies: Studies,
    mut progress: impl FnMut(&str),
) -> crate::error::Result<Report> {
    let caller = Caller {
        account_id: account_id.clone(),
        email: String::new(),
        method: AuthMethod::ApiKey(ApiKeyId::generate()),
        grant: Grant::everything(),
    };
    let mut figures = Figures::default();
    let (mut messages, mut stored, mut wanted, mut covered) = (0, 0, 0, 0);
    let (mut store_times, mut search_times) = (Vec::new(), Vec::new());
    for conversation in conversations {
        progress(&conversation.id);
        let owner = owner(account_id, conversation);
        let mut named = HashSet::new();
        for session in &conversation.sessions {
            messages += session.messages.len();
            let started = Instant::now();
            let outcome = memories.store(&caller, store_request(&owner, session)).await?;
            store_times.push(started.elapsed());
            stored += outcome.memories.len();
            let sources = outcome
                .memories
                .into_iter()
                .flat_map(|(memory, _)| memory.sources.clone());
            named.extend(sources.map(|source| source.message_id));
        }
        let answerable = conversation
            .questions
            .iter()
            .filter(|question| question.is_answerable());
        let evidence: HashSet<&String> = answerable.flat_map(|question| &question.evidence).collect();
        wanted += evidence.len();
        covered += evidence.iter().filter(|id| named.contains(**id)).count();
        for question in &conversation.questions {
            let started = Instant::now();
            let answer = memories.search(search_request(&owner, question, DEPTH)).await?;
            search_times.push(started.elapsed());
            figures.add_hits(question, &answer.hits);
        }
    }
    let stored_ones = Stored {
        memories,
        account_id,
        conversations,
    };
    let ablation = match studies.ablation {
        true => stored_ones.ablation().await?,
        false => Vec::new(),
    };
    let leave_one_out = match studies.leave_one_out {
        true => Some(stored_ones.leave_one_out(progress).await?),
        false => None,
    };
    Ok(Report {
        conversations: conversations.len(),
        messages,
        memories: stored,
        coverage: if wanted == 0 {
            0.0
        } else {
            covered as f64 / wanted as f64
        },
        auroc: figures.auroc(),
        reliability: figures.reliability(),
        figures: figures.by_category(),
        store_ms: percentiles(store_times),
        search_ms: percentiles(search_times),
        ablation,
        leave_one_out,
    })
}

fn owner(account_id: &AccountId, conversation: &Conversation) -> Owner {
    Owner {
        account_id: account_id.clone(),
        user_id: conversation.id.clone(),
    }
}

fn search_request(owner: &Owner, question: &Question, limit: usize) -> SearchRequest {
    SearchRequest {
        owner: owner.clone(),
        query: question.text.clone(),
        limit,
        rerank: true,
        explain: false,
        include_bio: false,
        filter: Filter::default(),
        as_of: None,
    }
}

fn store_request(owner: &Owner, session: &Session) -> StoreRequest {
    StoreRequest {
        owner: owner.clone(),
        messages: session
            .messages
            .iter()
            .map(|message| ConversationMessage {
                role: Role::User,
                content: message.content.clone(),
                id: Some(message.id.clone()),
                name: Some(message.name.clone()),
                said_at: Some(session.held_at),
                utc_offset: None,
            })
            .collect(),
        agent_id: "eval".to_owned(),
        thread_id: session.id.clone(),
        source: "eval".to_owned(),
        metadata: None,
        said_at: None,
        expires_at: None,
        idempotency: None,
    }
}

fn percentiles(mut times: Vec<Duration>) -> [f64; 2] {
    times.sort_unstable();
    [50, 95].map(|percent| {
        let place = (times.len() * percent / 100).min(times.len().saturating_sub(1));
        times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    })
}
