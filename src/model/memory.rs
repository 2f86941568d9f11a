//! A memory and what it is made of.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::{Category, MemoryId, UnknownWord};

/// Whether a memory holds for long or belongs to a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MemoryType {
    /// A lasting fact, trait, preference or relation.
    Semantic,
    /// An event, a plan, a current state.
    Episodic,
}

impl MemoryType {
    /// The lower-case word used in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Semantic => "semantic",
            Self::Episodic => "episodic",
        }
    }
}

impl FromStr for MemoryType {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "semantic" => Ok(Self::Semantic),
            "episodic" => Ok(Self::Episodic),
            _ => Err(UnknownWord(word.to_owned())),
        }
    }
}

/// How exactly words say when something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TimePrecision {
    /// The day.
    Day,
    /// Some day of the week of the one given, such as a weekend's.
    Week,
    /// Some day of the month that begins with the one given.
    Month,
    /// Some day of the season that begins with the one given.
    Season,
    /// Some day of the year that begins with the one given.
    Year,
}

impl TimePrecision {
    /// The lower-case word used in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Season => "season",
            Self::Year => "year",
        }
    }
}

impl FromStr for TimePrecision {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "day" => Ok(Self::Day),
            "week" => Ok(Self::Week),
            "month" => Ok(Self::Month),
            "season" => Ok(Self::Season),
            "year" => Ok(Self::Year),
            _ => Err(UnknownWord(word.to_owned())),
        }
    }
}

/// Why a message left no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SkipReason {
    /// It asks, and tells nothing of the person.
    Question,
    /// It asks for something to be done, and tells nothing of the person.
    Request,
    /// It says that it is not to be remembered.
    NotToBeRemembered,
    /// Its words are somebody else's: quoted, pasted, forwarded.
    Quoted,
    /// It is fiction or role play.
    Fiction,
    /// It is text to translate, rewrite or summarise.
    TextToTransform,
    /// It is code, a log, data or a command.
    Code,
    /// It repeats memories that were given to the model.
    GivenMemories,
    /// Greetings, thanks, reactions, passing remarks.
    SmallTalk,
    /// Nothing in it is worth keeping.
    NothingToKeep,
}

impl SkipReason {
    /// The lower-case word used in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Question => "question",
            Self::Request => "request",
            Self::NotToBeRemembered => "not_to_be_remembered",
            Self::Quoted => "quoted",
            Self::Fiction => "fiction",
            Self::TextToTransform => "text_to_transform",
            Self::Code => "code",
            Self::GivenMemories => "given_memories",
            Self::SmallTalk => "small_talk",
            Self::NothingToKeep => "nothing_to_keep",
        }
    }
}

impl FromStr for SkipReason {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "question" => Ok(Self::Question),
            "request" => Ok(Self::Request),
            "not_to_be_remembered" => Ok(Self::NotToBeRemembered),
            "quoted" => Ok(Self::Quoted),
            "fiction" => Ok(Self::Fiction),
            "text_to_transform" => Ok(Self::TextToTransform),
            "code" => Ok(Self::Code),
            "given_memories" => Ok(Self::GivenMemories),
            "small_talk" => Ok(Self::SmallTalk),
            "nothing_to_keep" => Ok(Self::NothingToKeep),
            _ => Err(UnknownWord(word.to_owned())),
        }
    }
}

/// Who wrote a message of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The person whose memory this is, or, with a name, a person of the conversation.
    User,
    /// The application or its model.
    Assistant,
    /// Instructions; never a source of memories.
    System,
}

impl Role {
    /// The lower-case word used in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::System => "system",
        }
    }
}

impl FromStr for Role {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "user" => Ok(Self::User),
            "assistant" => Ok(Self::Assistant),
            "system" => Ok(Self::System),
            _ => Err(UnknownWord(word.to_owned())),
        }
    }
}

/// What storing a conversation did to one memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// It is new.
    Added,
    /// It replaced an older value of the same thing.
    Updated,
    /// It was known already; the conversation confirmed it.
    Unchanged,
}

impl Operation {
    /// The lower-case word used in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
        }
    }
}

impl FromStr for Operation {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        [Self::Added, Self::Updated, Self::Unchanged]
            .into_iter()
            .find(|o| o.as_str() == word)
            .ok_or_else(|| UnknownWord(word.to_owned()))
    }
}

/// The words that a memory was taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The client's `messages[].id`, else `"{thread_id}#{position}"`.
    pub message_id: String,
    /// Place of the message in its thread, from 0; neighbours in a conversation differ by 1.
    pub position: i64,
    /// The sentence or sentences of the message, as written.
    pub quote: String,
}

/// One memory in its current version.
#[derive(Clone, Debug, PartialEq)]
pub struct Memory {
    /// Its id.
    pub id: MemoryId,
    /// One self-standing fact in the third person.
    pub text: String,
    /// Lasting or of a time.
    pub memory_type: MemoryType,
    /// One to three, the most fitting first.
    pub categories: Vec<Category>,
    /// 0.0 (trivial) to 1.0 (defines the person).
    pub importance: f32,
    /// The system that the conversation came from, as the client named it.
    pub source: String,
    /// The agent that the conversation was held with.
    pub agent_id: String,
    /// The conversation.
    pub thread_id: String,
    /// The contract's `user_id`; absent for the account's own person.
    pub user_id: Option<String>,
    /// Free data of the client, given with the conversation or by an update.
    pub metadata: Option<Map<String, Value>>,
    /// When the thing happened or will happen, where the text says so.
    pub event_time: Option<DateTime<Utc>>,
    /// How exactly that is known; never without `event_time`, absent of times stored before it was kept.
    pub event_time_precision: Option<TimePrecision>,
    /// Whether it is a standing wish about how the assistant behaves.
    pub is_instruction: bool,
    /// The words that it was taken from; empty only where it was imported without them.
    pub sources: Vec<Source>,
    /// When it is forgotten; never when absent.
    pub expires_at: Option<DateTime<Utc>>,
    /// The newer memory that took its place. Its id is empty where it is not known.
    pub superseded_by: Option<MemoryId>,
    /// How often it was told again.
    pub reinforced: u32,
    /// Words said just before it that help to find it (the question that it answers); never shown.
    pub context: Option<String>,
    /// Starts at 1 and grows with every change.
    pub version: i64,
    /// When it was first stored.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Memory {
    /// Whether it is in the category `private`.
    pub fn is_private(&self) -> bool {
        self.categories.contains(&Category::Private)
    }

    /// Whether its time is over.
    pub fn is_expired(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}
