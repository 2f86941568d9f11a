//! A biography: sentences made of clauses, each with the memories behind it.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::clause::{self, Clause, Section, Subject};
use super::select::{self, Ranked, as_f32, freshness};
use super::text::{listed, plural, sentence, words};
use super::{BioFormat, BioRequest, BioStyle};
use crate::model::{Category, Memory, MemoryId};

/// Clauses about the person that one sentence may join, and words that it may have.
const MOST_JOINED: usize = 3;
const MOST_WORDS: usize = 28;
/// Verbs whose objects can be listed behind one of them.
const LISTING: [&str; 10] = [
    "wants", "loves", "likes", "enjoys", "collects", "prefers", "dislikes", "hates", "speaks", "plays",
];
/// What "they" does not go with.
const GENDERED: [&str; 8] = [
    "is a woman",
    "is a man",
    "is a girl",
    "is a boy",
    "is a mother",
    "is a father",
    "is a mum",
    "is a dad",
];
/// Sentences after which the person is named again.
const OFTEN: usize = 4;
/// How many recent memories tell whether what is known is fresh.
const RECENT: usize = 20;

/// A biography.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bio {
    /// What it says, sentence by sentence or point by point.
    pub sentences: Vec<Sentence>,
    /// How far it can be relied on, 0 to 1; see `confidence`.
    pub confidence: f32,
    /// Categories of the memories behind it.
    pub categories: Vec<Category>,
    /// What comes up most in them, most first.
    pub themes: Vec<String>,
    /// The memory that says what the person is called, which any sentence may do after it.
    pub named_by: Option<MemoryId>,
}

/// One sentence of a biography.
#[derive(Clone, Debug, PartialEq)]
pub struct Sentence {
    /// What it says.
    pub text: String,
    /// The memories that say so.
    pub memories: Vec<MemoryId>,
}

impl Bio {
    /// All of it: one text, or with [`BioFormat::Bullets`] a point a line.
    pub fn text(&self, format: BioFormat) -> String {
        let sentences: Vec<&str> = self.sentences.iter().map(|sentence| sentence.text.as_str()).collect();
        match format {
            BioFormat::Bullets => sentences
                .iter()
                .map(|s| format!("- {s}"))
                .collect::<Vec<_>>()
                .join("\n"),
            BioFormat::Full | BioFormat::Short | BioFormat::Professional => sentences.join(" "),
        }
    }

    /// The memories behind it, each once.
    pub fn sources(&self) -> Vec<MemoryId> {
        let mut ids: Vec<MemoryId> = Vec::new();
        let told = self.sentences.iter().flat_map(|sentence| &sentence.memories);
        for id in told.chain(&self.named_by) {
            if !ids.contains(id) {
                ids.push(id.clone());
            }
        }
        ids
    }
}

/// Words that a format has, at least (where there is enough to say) and at most.
const fn bounds(format: BioFormat) -> (usize, usize) {
    match format {
        BioFormat::Full => (150, 200),
        BioFormat::Short => (30, 50),
        BioFormat::Bullets => (60, 140),
        BioFormat::Professional => (60, 110),
    }
}

/// How many clauses of a section a format tells at most, `pass` by pass until there is enough to read.
fn quota(format: BioFormat, pass: usize) -> impl Fn(Section) -> usize {
    move |section| {
        let first = match (format, section) {
            (BioFormat::Short, Section::Identity | Section::Career | Section::Interests) => 1,
            (BioFormat::Short, Section::Relationships | Section::Goals) => usize::from(pass > 0),
            (BioFormat::Short, _) => usize::from(pass > 1),
            (BioFormat::Professional, Section::Career) => 4,
            (
                BioFormat::Professional,
                Section::Identity | Section::Learning | Section::Productivity | Section::Goals,
            ) => 1,
            (BioFormat::Professional, _) => return 0,
            (_, Section::Identity | Section::Career | Section::Relationships | Section::Interests) => 3,
            (_, Section::Learning | Section::Goals | Section::Travel | Section::Health | Section::Productivity) => 1,
            (_, Section::Finance) => 0,
        };
        first + pass
    }
}

/// Writes a biography of the person whose memories these are, as of `now`; empty where nothing can be said.
pub(super) fn write(memories: &[Arc<Memory>], request: &BioRequest, superseded: usize, now: DateTime<Utc>) -> Bio {
    let wanted = |memory: &&Arc<Memory>| request.covers(memory);
    let memories: Vec<Arc<Memory>> = memories.iter().filter(wanted).cloned().collect();
    let (read, name) = super::told_of(super::weightiest(&memories));
    let clauses: Vec<Clause> = read.iter().filter_map(|memory| Clause::of(memory, now)).collect();
    let ranked = select::rank(clauses, now);
    let (least, most) = bounds(request.format);
    let (mut chosen, mut sentences) = (Vec::new(), Vec::new());
    for pass in 0..8 {
        chosen = select::choose(&ranked, quota(request.format, pass));
        sentences = compose(&chosen, name.as_deref(), request);
        if length(&sentences) >= least || chosen.len() == ranked.len() {
            break;
        }
    }
    // The least worthy goes first where it has become too long.
    while length(&sentences) > most && chosen.len() > 1 {
        let least = chosen.iter().map(|one| one.score).fold(f32::INFINITY, f32::min);
        chosen.retain(|one| one.score > least);
        sentences = compose(&chosen, name.as_deref(), request);
    }
    let told: Vec<MemoryId> = sentences.iter().flat_map(|s: &Sentence| s.memories.clone()).collect();
    let behind = |category: &Category| {
        let mut behind = memories.iter().filter(|memory| told.contains(&memory.id));
        behind.any(|memory| memory.categories.contains(category))
    };
    Bio {
        categories: Category::ALL.into_iter().filter(behind).collect(),
        themes: super::insight::themes(&read, 5),
        confidence: confidence(&memories, superseded, now),
        named_by: clause::naming(&read).map(|memory| memory.id.clone()),
        sentences,
    }
}

/// 0.5 × coverage + 0.3 × agreement + 0.2 × recency, each 0 to 1: how many of the nine categories have two memories (one
/// counts half) and whether there are thirty of them, halved together; the share of memories that no newer one replaced;
/// the mean freshness of the twenty newest, which halves in 180 days.
pub(super) fn confidence(memories: &[Arc<Memory>], superseded: usize, now: DateTime<Utc>) -> f32 {
    if memories.is_empty() {
        return 0.0;
    }
    let count = |category: Category| memories.iter().filter(|m| m.categories.contains(&category)).count();
    let open = Category::ALL
        .into_iter()
        .filter(|category| *category != Category::Private);
    let breadth = open.map(|category| as_f32(count(category).min(2)) / 2.0).sum::<f32>() / 9.0;
    let coverage = (breadth + (as_f32(memories.len()) / 30.0).min(1.0)) / 2.0;
    let agreement = as_f32(memories.len()) / as_f32(memories.len() + superseded);
    let mut newest: Vec<&Arc<Memory>> = memories.iter().collect();
    newest.sort_by_key(|memory| std::cmp::Reverse(memory.updated_at));
    newest.truncate(RECENT);
    let recency = newest.iter().map(|memory| freshness(memory, now)).sum::<f32>() / as_f32(newest.len());
    0.5 * coverage + 0.3 * agreement + 0.2 * recency
}

fn length(sentences: &[Sentence]) -> usize {
    sentences.iter().map(|sentence| words(&sentence.text).count()).sum()
}

/// A few clauses as flowing text, without openers: for summaries of one category.
pub(super) fn summary(chosen: &[&Ranked], name: Option<&str>) -> Vec<Sentence> {
    let request = BioRequest {
        style: BioStyle::Factual,
        ..BioRequest::default()
    };
    compose(chosen, name, &request)
}

fn compose(chosen: &[&Ranked], name: Option<&str>, request: &BioRequest) -> Vec<Sentence> {
    let mut sections: Vec<Section> = chosen.iter().map(|one| one.clause.section).collect();
    sections.sort_unstable();
    sections.dedup();
    let mut writer = Writer {
        name,
        request,
        since_name: usize::MAX,
        sentences: Vec::new(),
    };
    for section in sections {
        let clauses: Vec<&Clause> = chosen
            .iter()
            .map(|one| &one.clause)
            .filter(|c| c.section == section)
            .collect();
        if request.format == BioFormat::Bullets {
            clauses.iter().for_each(|clause| writer.bullet(clause));
        } else {
            writer.section(section, clauses);
        }
    }
    writer.sentences
}

struct Writer<'a> {
    name: Option<&'a str>,
    request: &'a BioRequest,
    /// Sentences since the person was last named.
    since_name: usize,
    sentences: Vec<Sentence>,
}

impl Writer<'_> {
    fn bullet(&mut self, clause: &Clause) {
        let text = match &clause.subject {
            Subject::Person => clause.said.clone(),
            Subject::With(other) => format!("with {other}, {}", clause.said),
            Subject::Own => format!("their {}", clause.said),
            Subject::Whole => clause.said.replace("{}", "them"),
        };
        self.push(&text, &[clause]);
    }

    fn section(&mut self, section: Section, clauses: Vec<&Clause>) {
        // What holds now before what is over, and what is said of the person before what is said of others.
        let of_person = |clause: &&Clause, past: bool| clause.subject == Subject::Person && clause.is_past == past;
        let mut opener = self.opener(section);
        for is_past in [false, true] {
            let same_tense: Vec<&Clause> = clauses.iter().copied().filter(|c| of_person(c, is_past)).collect();
            for group in self.groups(&same_tense) {
                self.of_person(&group, std::mem::take(&mut opener));
            }
            if is_past {
                break;
            }
            let others: Vec<&Clause> = clauses.iter().copied().filter(|c| c.subject == Subject::Own).collect();
            for pair in others.chunks(2) {
                self.of_others(pair);
            }
        }
        for clause in clauses.iter().copied() {
            match &clause.subject {
                Subject::With(other) => {
                    let subject = self.subject();
                    let said = self.agreeing(&subject, &clause.said);
                    self.push(&format!("together with {other}, {subject} {said}"), &[clause]);
                }
                Subject::Whole => self.push(&clause.said.replace("{}", "them"), &[clause]),
                Subject::Person | Subject::Own => {}
            }
        }
    }

    /// Clauses that one sentence can join.
    fn groups<'c>(&self, clauses: &[&'c Clause]) -> Vec<Vec<&'c Clause>> {
        let at_once = match self.request.style {
            BioStyle::Factual => 1,
            BioStyle::Narrative | BioStyle::Casual | BioStyle::Formal => MOST_JOINED,
        };
        let mut groups: Vec<Vec<&Clause>> = Vec::new();
        let mut count = 0;
        for clause in clauses.iter().copied() {
            let added = words(&clause.said).count();
            let is_heavy = |c: &&Clause| c.said.contains(" and ") || c.said.contains(", ");
            let fits = groups.last().is_some_and(|group| {
                group.len() < at_once
                    && count + added <= MOST_WORDS
                    && !(is_heavy(&clause) && group.iter().any(is_heavy))
            });
            match groups.last_mut().filter(|_| fits) {
                Some(group) => {
                    group.push(clause);
                    count += added;
                }
                None => {
                    groups.push(vec![clause]);
                    count = added;
                }
            }
        }
        groups
    }

    fn of_person(&mut self, clauses: &[&Clause], opener: &str) {
        let is_gendered = |c: &&Clause| GENDERED.iter().any(|start| c.said.starts_with(start));
        if clauses.iter().any(is_gendered) {
            self.since_name = self.since_name.max(OFTEN);
        }
        let named = self.subject();
        let subject = match self.name {
            None if clauses.iter().any(is_gendered) => "the user".to_owned(),
            _ => named,
        };
        let mut parts: Vec<(String, Vec<String>)> = Vec::new();
        for clause in clauses {
            let said = self.agreeing(&subject, &clause.said);
            let (verb, object) = said.split_once(' ').unwrap_or((&said, ""));
            let is_plain = |object: &str| !object.contains(" and ") && !object.contains(',');
            let lists = is_plain(object)
                && LISTING
                    .iter()
                    .any(|listing| clause.said.starts_with(&format!("{listing} ")));
            let known = parts
                .iter_mut()
                .find(|(known, objects)| lists && known == verb && objects.iter().all(|o| is_plain(o)));
            match known {
                Some((_, objects)) => objects.push(object.to_owned()),
                None => parts.push((verb.to_owned(), vec![object.to_owned()])),
            }
        }
        let parts: Vec<String> = parts
            .into_iter()
            .map(|(verb, objects)| format!("{verb} {}", listed(&objects)))
            .collect();
        self.push(&format!("{opener}{subject} {}", listed(&parts)), clauses);
    }

    fn of_others(&mut self, clauses: &[&Clause]) {
        let mut whose = match self.sentences.is_empty() {
            true => format!("{}'s", self.subject()),
            false => "their".to_owned(),
        };
        let told: Vec<String> = clauses
            .iter()
            .map(|clause| format!("{} {}", std::mem::replace(&mut whose, "their".to_owned()), clause.said))
            .collect();
        match (self.request.style, told.as_slice()) {
            (BioStyle::Narrative | BioStyle::Casual, [first, second])
                if words(first).count() + words(second).count() <= MOST_WORDS =>
            {
                self.push(&format!("{first}, and {second}"), clauses);
            }
            _ => {
                for (text, clause) in told.iter().zip(clauses) {
                    self.push(text, &[clause]);
                }
            }
        }
    }

    fn opener(&self, section: Section) -> &'static str {
        match (self.request.style, section) {
            _ if self.sentences.is_empty() => "",
            (BioStyle::Narrative, Section::Interests) => "in their free time, ",
            (BioStyle::Casual, Section::Interests) => "for fun, ",
            (BioStyle::Narrative | BioStyle::Casual, Section::Goals) => "looking ahead, ",
            _ => "",
        }
    }

    /// The name at first and from time to time, else "they".
    fn subject(&mut self) -> String {
        let rarely = match self.request.style {
            BioStyle::Formal => 1,
            BioStyle::Narrative | BioStyle::Factual | BioStyle::Casual => OFTEN,
        };
        if self.since_name < rarely {
            return "they".to_owned();
        }
        let is_first = self.since_name == usize::MAX;
        self.since_name = 0;
        match self.name {
            Some(name) if is_first || self.request.style == BioStyle::Formal => name.to_owned(),
            Some(name) => name.split(' ').next().unwrap_or(name).to_owned(),
            None if is_first => "the user".to_owned(),
            None => "they".to_owned(),
        }
    }

    fn agreeing(&self, subject: &str, said: &str) -> String {
        if subject == "they" {
            plural(said)
        } else {
            said.to_owned()
        }
    }

    fn push(&mut self, text: &str, clauses: &[&Clause]) {
        let text = match self.request.style {
            BioStyle::Formal => spelled_out(text),
            BioStyle::Casual => contracted(text),
            BioStyle::Narrative | BioStyle::Factual => text.to_owned(),
        };
        self.since_name = self.since_name.saturating_add(1);
        self.sentences.push(Sentence {
            text: sentence(&text),
            memories: clauses.iter().map(|clause| clause.memory.id.clone()).collect(),
        });
    }
}

const CONTRACTIONS: [(&str, &str); 12] = [
    ("don't", "do not"),
    ("doesn't", "does not"),
    ("didn't", "did not"),
    ("isn't", "is not"),
    ("aren't", "are not"),
    ("wasn't", "was not"),
    ("hasn't", "has not"),
    ("haven't", "have not"),
    ("can't", "cannot"),
    ("won't", "will not"),
    ("couldn't", "could not"),
    ("wouldn't", "would not"),
];

fn spelled_out(text: &str) -> String {
    CONTRACTIONS
        .iter()
        .fold(text.to_owned(), |text, (short, long)| text.replace(short, long))
}

fn contracted(text: &str) -> String {
    let text = CONTRACTIONS
        .iter()
        .fold(text.to_owned(), |text, (short, long)| text.replace(long, short));
    text.replace("they are ", "they're ")
        .replace("they have been ", "they've been ")
}
