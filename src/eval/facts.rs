//! Gold facts of invented chats against what is remembered of them: found, atomic, of the right type, time and privacy.
//!
//! `tests/quality/facts/README.md` describes the format. Words are compared by their stems, without those that carry no
//! topic, so that "has worked as a nurse" and "is a nurse" are near each other.

use std::collections::HashSet;
use std::fmt;
use std::path::Path;

use chrono::{DateTime, FixedOffset, NaiveDate, TimeZone, Utc};
use rust_stemmers::{Algorithm, Stemmer};
use serde::{Deserialize, Serialize};

use super::SentenceError;
use crate::extraction::{self, CandidateFact, Turn};
use crate::model::{Category, Role};
use crate::providers::StaticTable;

/// The share of a gold fact's words that a memory must hold to carry it.
const CARRIES: f64 = 0.5;

/// The share of a memory's words that a gold fact must hold for the memory to say that alone.
const IS_ALONE: f64 = 0.5;

/// Words that carry no topic in either.
const STOP: &str = "a an the of to in on at for with by from as and or but that this these those it its is are was were be \
been being am has have had do does did will would can could should may might must not user users they their them he she his \
her him who which what when where there here very really just also so too about into than then up out some any s t m re ve ll d";

/// An invented chat.
#[derive(Clone, Debug, Deserialize)]
pub struct Chat {
    id: String,
    kind: String,
    messages: Vec<Message>,
    facts: Vec<Gold>,
}

#[derive(Clone, Debug, Deserialize)]
struct Message {
    role: String,
    content: String,
    timestamp: Option<DateTime<FixedOffset>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Gold {
    text: String,
    r#type: String,
    categories: Vec<String>,
    date: Option<NaiveDate>,
    precision: Option<String>,
    private: bool,
    instruction: bool,
    required: bool,
}

/// Figures of a set of chats.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FactFigures {
    /// Chats.
    pub chats: usize,
    /// Required gold facts.
    pub gold: usize,
    /// Memories.
    pub memories: usize,
    /// Share of required gold facts that some memory holds.
    pub found: f64,
    /// Share of required gold facts that some memory says, and nothing else.
    pub atomic: f64,
    /// Share of memories that carry a gold fact.
    pub carrying: f64,
    /// Share of the chats without a gold fact that left nothing.
    pub silence: f64,
    /// Of the facts that were found atomic: share of the right type.
    pub memory_type: f64,
    /// Of the same, those not private: share with an accepted category.
    pub category: f64,
    /// Of the same, where the gold has a date: share with that day, and its precision.
    pub dates: f64,
    /// Of the same, where the gold has none: share without one.
    pub undated: f64,
    /// Of the found facts that are private: share in memories marked so.
    pub private: f64,
    /// Of the facts found atomic that are not: share not marked so.
    pub public: f64,
    /// Of the instructions that were found: share marked so.
    pub instructions: f64,
}

/// What was made of one chat, for reading.
#[derive(Clone, Debug, Serialize)]
pub struct ChatResult {
    /// Which chat.
    pub id: String,
    /// What it tries.
    pub kind: String,
    /// The messages.
    pub messages: Vec<String>,
    /// Gold facts: `+` atomic, `~` found, `-` lost; in brackets where not required.
    pub gold: Vec<String>,
    /// Memories: a mark `!` where they carry no gold fact.
    pub memories: Vec<String>,
    /// What of the facts found atomic was judged otherwise.
    pub wrong: Vec<String>,
}

#[derive(Default)]
struct Count {
    right: usize,
    all: usize,
}

impl Count {
    fn add(&mut self, is_right: bool) {
        self.right += usize::from(is_right);
        self.all += 1;
    }

    fn share(&self) -> f64 {
        if self.all == 0 {
            return 0.0;
        }
        self.right as f64 / self.all as f64
    }
}

#[derive(Default)]
struct Tally {
    memories: usize,
    found: Count,
    atomic: Count,
    carrying: Count,
    silence: Count,
    memory_type: Count,
    category: Count,
    dates: Count,
    undated: Count,
    private: Count,
    public: Count,
    instructions: Count,
    /// What of the facts found atomic was judged otherwise.
    wrong: Vec<String>,
}

/// Reads chats with gold facts.
pub fn load_chats(path: &Path) -> Result<Vec<Chat>, SentenceError> {
    let text = std::fs::read_to_string(path)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| serde_json::from_str(line).map_err(|e| SentenceError::Line(at + 1, e.to_string())))
        .collect()
}

/// Runs every chat through the extractor, and compares.
pub fn facts(chats: &[Chat]) -> (FactFigures, Vec<ChatResult>) {
    let stemmer = Stemmer::create(Algorithm::English);
    let mut tally = Tally::default();
    let results = chats.iter().map(|chat| tally.add(chat, &stemmer)).collect();
    (tally.figures(chats.len()), results)
}

fn remembered(chat: &Chat) -> Vec<CandidateFact> {
    let mut now = Utc
        .with_ymd_and_hms(2026, 3, 14, 12, 0, 0)
        .single()
        .unwrap_or_default()
        .fixed_offset();
    let mut turns = Vec::new();
    for message in &chat.messages {
        now = message.timestamp.unwrap_or(now);
        turns.push(Turn {
            role: message.role.parse().unwrap_or(Role::System),
            name: None,
            content: &message.content,
            sent_at: now,
        });
    }
    extraction::extract(&turns, &|text| StaticTable::built_in().encode(text)).facts
}

/// The stems of a text's words that carry a topic.
fn stems(text: &str, stemmer: &Stemmer) -> HashSet<String> {
    let stop: HashSet<&str> = STOP.split_whitespace().collect();
    let lower = text.to_lowercase().replace('’', "'");
    let words = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty() && !stop.contains(word));
    let stems: HashSet<String> = words.map(|word| stemmer.stem(word).into_owned()).collect();
    if stems.is_empty() {
        return lower.split_whitespace().map(str::to_owned).collect();
    }
    stems
}

fn share_of(part: &HashSet<String>, whole: &HashSet<String>) -> f64 {
    part.intersection(whole).count() as f64 / part.len().max(1) as f64
}

impl Tally {
    fn add(&mut self, chat: &Chat, stemmer: &Stemmer) -> ChatResult {
        let memories = remembered(chat);
        self.memories += memories.len();
        let texts: Vec<HashSet<String>> = memories.iter().map(|memory| stems(&memory.text, stemmer)).collect();
        let mut carries = vec![false; memories.len()];
        let mut gold_lines = Vec::new();
        for gold in &chat.facts {
            let wanted = stems(&gold.text, stemmer);
            for (at, text) in texts.iter().enumerate() {
                carries[at] |= share_of(&wanted, text) >= CARRIES;
            }
            let holds = |at: &usize| share_of(&wanted, &texts[*at]) >= CARRIES;
            let best = (0..texts.len())
                .filter(holds)
                .max_by(|a, b| share_of(&texts[*a], &wanted).total_cmp(&share_of(&texts[*b], &wanted)));
            let alone = best.filter(|at| share_of(&texts[*at], &wanted) >= IS_ALONE);
            let mark = match (alone, best) {
                (Some(_), _) => '+',
                (None, Some(_)) => '~',
                (None, None) => '-',
            };
            gold_lines.push(if gold.required {
                format!("{mark} {}", gold.text)
            } else {
                format!("{mark} ({})", gold.text)
            });
            if gold.required {
                self.found.add(best.is_some());
                self.atomic.add(alone.is_some());
            }
            if let Some(at) = best {
                if gold.private {
                    self.private.add(memories[at].categories.contains(&Category::Private));
                }
                if gold.instruction {
                    self.instructions.add(memories[at].is_instruction);
                }
            }
            if let Some(at) = alone {
                self.judge(gold, &memories[at]);
            }
        }
        for is_carrying in &carries {
            self.carrying.add(*is_carrying);
        }
        if chat.facts.is_empty() {
            self.silence.add(memories.is_empty());
        }
        ChatResult {
            id: chat.id.clone(),
            kind: chat.kind.clone(),
            messages: chat
                .messages
                .iter()
                .map(|m| format!("{}: {}", m.role, m.content))
                .collect(),
            gold: gold_lines,
            memories: memories
                .iter()
                .zip(carries)
                .map(|(memory, carries)| line(memory, carries))
                .collect(),
            wrong: std::mem::take(&mut self.wrong),
        }
    }

    fn judge(&mut self, gold: &Gold, memory: &CandidateFact) {
        let type_is_right = memory.memory_type.as_str() == gold.r#type;
        self.memory_type.add(type_is_right);
        if !type_is_right {
            self.wrong.push(format!("type not {}: {}", gold.r#type, memory.text));
        }
        let first = memory.categories.first().map_or("", |category| category.as_str());
        // A private fact is private first; that is counted on its own.
        if !gold.private && !memory.categories.contains(&Category::Private) {
            let is_right = memory
                .categories
                .iter()
                .any(|given| gold.categories.iter().any(|category| category == given.as_str()));
            self.category.add(is_right);
            if !is_right {
                self.wrong
                    .push(format!("category {first} not {:?}: {}", gold.categories, memory.text));
            }
        }
        if !gold.private {
            self.public.add(!memory.categories.contains(&Category::Private));
        }
        match gold.date {
            Some(date) => {
                let precision = memory.event_time_precision.map(|precision| precision.as_str());
                let is_right = memory.event_time.is_some_and(|time| time.date_naive() == date)
                    && gold.precision.as_deref().is_none_or(|wanted| precision == Some(wanted));
                self.dates.add(is_right);
                if !is_right {
                    self.wrong.push(format!(
                        "date {:?} {precision:?} not {date} {:?}: {}",
                        memory.event_time.map(|time| time.date_naive()),
                        gold.precision,
                        memory.text
                    ));
                }
            }
            None => self.undated.add(memory.event_time.is_none()),
        }
    }

    fn figures(self, chats: usize) -> FactFigures {
        FactFigures {
            chats,
            gold: self.found.all,
            memories: self.memories,
            found: self.found.share(),
            atomic: self.atomic.share(),
            carrying: self.carrying.share(),
            silence: self.silence.share(),
            memory_type: self.memory_type.share(),
            category: self.category.share(),
            dates: self.dates.share(),
            undated: self.undated.share(),
            private: self.private.share(),
            public: self.public.share(),
            instructions: self.instructions.share(),
        }
    }
}

fn line(memory: &CandidateFact, carries: bool) -> String {
    let mark = if carries { ' ' } else { '!' };
    let categories: Vec<&str> = memory.categories.iter().map(|category| category.as_str()).collect();
    let mut line = format!(
        "{mark} {} [{}, {}",
        memory.text,
        memory.memory_type.as_str(),
        categories.join(" ")
    );
    if let (Some(time), Some(precision)) = (memory.event_time, memory.event_time_precision) {
        line += &format!(", {} {}", time.date_naive(), precision.as_str());
    }
    if memory.is_instruction {
        line += ", instruction";
    }
    line + "]"
}

impl fmt::Display for FactFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} chats, {} required facts, {} memories",
            self.chats, self.gold, self.memories
        )?;
        for (name, figure) in [
            ("found", self.found),
            ("atomic", self.atomic),
            ("memories that carry one", self.carrying),
            ("silence where nothing is", self.silence),
            ("type", self.memory_type),
            ("category", self.category),
            ("date", self.dates),
            ("no date where none is", self.undated),
            ("private", self.private),
            ("not private", self.public),
            ("instructions", self.instructions),
        ] {
            writeln!(f, "{name:<26} {figure:.3}")?;
        }
        Ok(())
    }
}
