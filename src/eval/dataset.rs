//! Reading a data set in LoCoMo's shape: conversations of two people in dated sessions, and questions with evidence.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use chrono::{DateTime, NaiveDateTime, Utc};
use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

/// A conversation of a data set.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// Its id.
    pub id: String,
    /// Its sessions in order.
    pub sessions: Vec<Session>,
    /// What is asked about it.
    pub questions: Vec<Question>,
}

/// One sitting of a conversation.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// When it was held.
    pub held_at: DateTime<Utc>,
    /// Its messages in order.
    pub messages: Vec<ChatMessage>,
}

/// What one person said.
#[derive(Clone, Debug)]
pub struct ChatMessage {
    /// Its id.
    pub id: String,
    /// Who said it.
    pub name: String,
    /// The words, and the caption of a photo where one was shared.
    pub content: String,
}

/// A question about a conversation.
#[derive(Clone, Debug)]
pub struct Question {
    /// The question.
    pub text: String,
    /// LoCoMo's category: 1 multi-hop, 2 temporal, 3 open-domain, 4 single-hop, 5 without an answer.
    pub category: u8,
    /// Ids of the messages that hold the answer; never empty.
    pub evidence: Vec<String>,
}

impl Question {
    /// Whether the conversation holds an answer.
    pub const fn is_answerable(&self) -> bool {
        self.category != 5
    }
}

/// The data set can't be read.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The file can't be read.
    #[error("{0}")]
    Read(#[from] std::io::Error),
    /// The file is not of LoCoMo's shape.
    #[error("not a LoCoMo data set: {0}")]
    Parse(#[from] serde_json::Error),
    /// A session has no date of the form `1:56 pm on 8 May, 2023`.
    #[error("{0}: the date of {1} can't be read")]
    Date(String, String),
}

#[derive(Deserialize)]
struct Sample {
    sample_id: String,
    conversation: BTreeMap<String, Value>,
    qa: Vec<Qa>,
}

#[derive(Deserialize)]
struct Qa {
    question: String,
    #[serde(default)]
    evidence: Vec<String>,
    category: u8,
}

#[derive(Deserialize)]
struct Turn {
    speaker: String,
    dia_id: String,
    text: String,
    blip_caption: Option<String>,
}

/// Reads a data set: a JSON list of conversations, or one after the other (JSONL).
pub fn load(path: &Path) -> Result<Vec<Conversation>, DataError> {
    let bytes = std::fs::read(path)?;
    let is_list = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let samples: Vec<Sample> = if is_list {
        serde_json::from_slice(&bytes)?
    } else {
        let lines = serde_json::Deserializer::from_slice(&bytes).into_iter();
        lines.collect::<Result<_, _>>()?
    };
    samples.into_iter().map(conversation).collect()
}

fn conversation(sample: Sample) -> Result<Conversation, DataError> {
    let mut sessions = Vec::new();
    for number in 1.. {
        let id = format!("session_{number}");
        let date = sample.conversation.get(&format!("{id}_date_time"));
        let (Some(date), turns) = (date, sample.conversation.get(&id)) else {
            break;
        };
        let Some(turns) = turns else { continue };
        let held_at = date
            .as_str()
            .and_then(date_of)
            .ok_or_else(|| DataError::Date(sample.sample_id.clone(), id.clone()))?;
        let turns: Vec<Turn> = serde_json::from_value(turns.clone())?;
        let messages = turns.into_iter().map(message).collect();
        sessions.push(Session { id, held_at, messages });
    }
    let known = |id: &String| sessions.iter().any(|s| s.messages.iter().any(|m| m.id == *id));
    let question = |qa: Qa| {
        let mut evidence: Vec<String> = qa.evidence.iter().flat_map(|text| ids_in(text)).filter(known).collect();
        evidence.sort_unstable();
        evidence.dedup();
        (!evidence.is_empty()).then_some(Question {
            text: qa.question,
            category: qa.category,
            evidence,
        })
    };
    let questions = sample.qa.into_iter().filter_map(question).collect();
    Ok(Conversation {
        id: sample.sample_id,
        sessions,
        questions,
    })
}

fn message(turn: Turn) -> ChatMessage {
    let content = match turn.blip_caption {
        Some(caption) => format!("{} [shares a photo: {caption}]", turn.text),
        None => turn.text,
    };
    ChatMessage {
        id: turn.dia_id,
        name: turn.speaker,
        content,
    }
}

fn date_of(text: &str) -> Option<DateTime<Utc>> {
    NaiveDateTime::parse_from_str(text, "%I:%M %p on %d %B, %Y")
        .ok()
        .map(|time| time.and_utc())
}

/// Evidence is written by hand: several ids in one string, stray signs, leading zeros.
fn ids_in(text: &str) -> Vec<String> {
    static ID: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"D:?(\d+):0*(\d+)").ok());
    ID.as_ref()
        .map(|id| {
            id.captures_iter(text)
                .map(|found| format!("D{}:{}", &found[1], &found[2]))
                .collect()
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_read_through_slips_of_the_pen() {
        assert_eq!(ids_in("D8:6; D9:17"), ["D8:6", "D9:17"]);
        assert_eq!(ids_in("D:11:26"), ["D11:26"]);
        assert_eq!(ids_in("D30:05"), ["D30:5"]);
        assert!(ids_in("D").is_empty());
    }

    #[test]
    fn a_session_date_is_read() {
        let date = date_of("1:56 pm on 8 May, 2023").map(|d| d.to_rfc3339());
        assert_eq!(date.as_deref(), Some("2023-05-08T13:56:00+00:00"));
    }
}
