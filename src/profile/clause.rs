//! A memory's text as a clause that a biography can be made of: whom it is about, what is said, in which tense.
//!
//! Whatever would not read well on its own, is out of date, or nobody's business, makes no clause.

use std::sync::{Arc, LazyLock};

use chrono::{DateTime, TimeDelta, Utc};
use regex::Regex;

use super::text::{base, is_verb, words};
use crate::extraction;
use crate::model::{Category, Memory, MemoryType};

/// Words of a clause, at most: what is longer was not said to be summed up.
const MOST_WORDS: usize = 26;
/// After this a passing state has passed.
const STATE: TimeDelta = TimeDelta::days(45);
/// After this something under way has ended, one way or the other.
const PROGRESS: TimeDelta = TimeDelta::days(400);

/// Part of a biography, in the order in which they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Section {
    Identity,
    Career,
    Relationships,
    Interests,
    Learning,
    Travel,
    Health,
    Productivity,
    Finance,
    Goals,
}

/// Whom a clause is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// The person: what is said begins with a verb in the third person.
    Person,
    /// The person together with somebody.
    With(String),
    /// Someone or something of the person's: what is said begins with it, behind "their".
    Own,
    /// Nobody in front: the whole sentence, with the person as `{}`.
    Whole,
}

/// One fact, ready to be told.
#[derive(Clone, Debug)]
pub(super) struct Clause {
    pub(super) memory: Arc<Memory>,
    pub(super) subject: Subject,
    /// Without a stop at the end.
    pub(super) said: String,
    pub(super) section: Section,
    /// Whether it tells of something that is over.
    pub(super) is_past: bool,
}

/// What the person is called, where a memory says so.
pub(super) fn name(memories: &[Arc<Memory>]) -> Option<String> {
    let named = |memory: &&Arc<Memory>| NAME.is_match(&memory.text) && !memory.is_private();
    let newest = memories.iter().filter(named).max_by_key(|memory| memory.updated_at)?;
    let name = NAME.captures(&newest.text)?.get(1)?.as_str();
    Some(name.trim_end_matches(['.', ',']).to_owned())
}

static NAME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^User(?:'s (?:full |first )?name is| is (?:called|named)| goes by) (\p{Lu}[\p{L}'’-]*(?: \p{Lu}[\p{L}'’-]*){0,2})",
    )
});
/// A relative time with the label that says which it was.
static LABELLED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:yesterday|today|tonight|tomorrow|(?:on |in |at |since |from |until |by |for )?(?:last|this|next|the past|the coming|a few|a couple of|an?|one|two|three|four|five|six|seven|eight|nine|ten|\d+)? ?(?:\w+ )?\w+(?: ago| from now)?) \(([^()]*\d{4})\)",
    )
});
static SENSITIVE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)@|https?:|www\.|[$€£]\s?\d|\b\d[\d.,]*\s?(?:euros?|dollars?|pounds?|naira|yen|eur|usd|gbp)\b|\d{3}[\s.-]?\d{3,}|\b(?:salary|iban|born on \d|born on \p{Lu}\p{L}+ \d|wi-?fi|pin|pass(?:word|port|code))\b|\b\d+[a-z]?,? (?:\p{L}+ ){1,3}(?:street|st|road|rd|lane|avenue|ave|drive|close|court|square|place|terrace|crescent|boulevard|row|gardens|way|hill)\b|\b(?:rua|rue|via|calle|avenida|travessa)\b[^.]*\d|\p{L}+(?:stra(?:ß|ss)e|str\.) \d",
    )
});
/// What is said of an illness or its treatment.
static MEDICAL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:pain|tablets?|pills?|medic|surger|operat|replaced|tendonitis|asthma|migraine|diagnos|doctor|injur|therap|blood|allerg|intoleran|prescri|cholesterol|diabet|depress|anxi|disorder|sick|ill|illness|infection|sprain|broke|fractur|vitamin|symptom|hospital|dentist|physio|insomnia|weight|pregnan|arthrit|inhaler|hearing aid|glasses|fever|antihistamine)",
    )
});
static UNDATED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:yesterday|today|tonight|tomorrow|(?:last|this|next) (?:night|week|weekend|month|year|morning|evening|spring|summer|autumn|fall|winter|\w+day)|\w+ ago|right now|at the moment|later on)\b",
    )
});
static GOAL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:wants|hopes|plans|intends|aims|dreams|would (?:like|love)|is (?:saving|training|preparing|planning|aiming|hoping)|plan)\b|^(?:goal|dream|plan|ambition)\b",
    )
});
static UNDER_WAY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:is|has been) (?:learning|studying|training|saving|working|writing|building|restoring|preparing|planning|taking|practising|practicing)\b",
    )
});
static AHEAD: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:will|won't|is going to|is about to|plans|is planning)\b"));

static ON_A_DAY: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bon \d{1,2} \p{Lu}\p{L}+ \d{4}"));

fn pattern(pattern: &str) -> Regex {
    #[expect(clippy::expect_used, reason = "a constant, which every test compiles")]
    Regex::new(pattern).expect("a valid pattern")
}

impl Clause {
    /// The clause that a memory makes, as of `now`.
    pub(super) fn of(memory: &Arc<Memory>, now: DateTime<Utc>) -> Option<Self> {
        let is_medical = memory.categories.contains(&Category::Health) && MEDICAL.is_match(&memory.text);
        if memory.is_private() || is_medical || extraction::is_private(&memory.text) || SENSITIVE.is_match(&memory.text)
        {
            return None;
        }
        let text = first_sentence(&memory.text);
        if text.contains(['"', '?', '“', '(']) && !LABELLED.is_match(text) || text.contains("[shares") {
            return None;
        }
        let text = dated(text);
        if UNDATED.is_match(&text) || text.contains(['"', '?', '“', '(', ':', '…']) {
            return None;
        }
        let (subject, said) = read(text.trim_end_matches(['.', '!', ' ']))?;
        let count = words(&said).count();
        if !(2..=MOST_WORDS).contains(&count) || said.contains("User") || dangles(&subject, &said) {
            return None;
        }
        let verb = match &subject {
            Subject::Own => said.split(' ').skip(1).find(|word| is_verb(word)),
            Subject::Person | Subject::With(_) | Subject::Whole => said.split(' ').find(|word| is_verb(word)),
        }?;
        let is_past = super::text::is_past(verb);
        if !is_past && is_stale(memory, &said, now) || said.starts_with("is male") || said.starts_with("is female") {
            return None;
        }
        let is_work = memory.categories.contains(&Category::Career) && said.starts_with("works ");
        let section = match GOAL.is_match(&said) {
            true => Section::Goals,
            false if is_work => Section::Career,
            false => section(memory.categories.first().copied()?)?,
        };
        Some(Self {
            memory: Arc::clone(memory),
            subject,
            said,
            section,
            is_past,
        })
    }

    /// The lower-case words that carry what it says.
    pub(super) fn content(&self) -> Vec<String> {
        super::text::content(&self.said)
    }
}

fn is_stale(memory: &Memory, said: &str, now: DateTime<Utc>) -> bool {
    let age = now - memory.updated_at;
    if AHEAD.is_match(said) {
        let due = memory.event_time.unwrap_or(memory.updated_at + PROGRESS);
        return due < now;
    }
    if ON_A_DAY.is_match(said)
        && memory
            .event_time
            .or_else(|| extraction::event_time(said, memory.created_at))
            .is_some_and(|time| time < now)
    {
        return true;
    }
    let lasts = if UNDER_WAY.is_match(said) || GOAL.is_match(said) {
        PROGRESS
    } else {
        STATE
    };
    let is_over = memory.event_time.is_some_and(|time| time < now - STATE);
    memory.memory_type == MemoryType::Episodic && (is_over || age > lasts)
}

const fn section(category: Category) -> Option<Section> {
    Some(match category {
        Category::Identity => Section::Identity,
        Category::Career => Section::Career,
        Category::Relationships => Section::Relationships,
        Category::Interests => Section::Interests,
        Category::Learning => Section::Learning,
        Category::Travel => Section::Travel,
        Category::Health => Section::Health,
        Category::Productivity => Section::Productivity,
        Category::Finance => Section::Finance,
        Category::Private => return None,
    })
}

fn first_sentence(text: &str) -> &str {
    let end = text.match_indices(". ").map(|(at, _)| at).find(|at| {
        let next = text[at + 2..].chars().next();
        let last_word = text[..*at].rsplit(' ').next().unwrap_or_default();
        next.is_some_and(char::is_uppercase) && last_word.chars().count() > 2
    });
    end.map_or(text, |at| &text[..at])
}

/// "last week (week of 3 March 2025)" → "in the week of 3 March 2025".
fn dated(text: &str) -> String {
    LABELLED
        .replace_all(text, |found: &regex::Captures<'_>| {
            let label = &found[1];
            let given = found[0].split(' ').next().unwrap_or_default().to_lowercase();
            let kept = ["since", "from", "until", "by", "for"]
                .into_iter()
                .find(|word| *word == given);
            let is_day = label.starts_with(|c: char| c.is_ascii_digit()) && label.split(' ').count() >= 3;
            match (kept, label) {
                (Some(word), label) => format!("{word} {label}"),
                (None, label) if label.starts_with("week of") => format!("in the {label}"),
                (None, label) if label.starts_with("since") || label.starts_with("around") => label.to_owned(),
                (None, label) if is_day => format!("on {label}"),
                (None, label) => format!("in {label}"),
            }
        })
        .into_owned()
}

fn read(text: &str) -> Option<(Subject, String)> {
    if let Some(found) = NAME.find(text) {
        let rest = text[found.end()..].trim_start();
        let rest = rest.strip_prefix("and they ")?;
        let (verb, rest) = rest.split_once(' ')?;
        let verb = super::text::third_person(verb)?;
        return Some((Subject::Person, format!("{verb} {rest}")));
    }
    if let Some(rest) = text.strip_prefix("User's ") {
        return Some((Subject::Own, rest.to_owned()));
    }
    if let Some(rest) = text.strip_prefix("User and ") {
        let at = rest.split(' ').position(|word| {
            word.chars().all(char::is_lowercase) && is_verb(word) && !["their", "his", "her"].contains(&word)
        })?;
        let parts: Vec<&str> = rest.split(' ').collect();
        let with = parts[..at].join(" ");
        if at == 0 || at > 5 || with.contains(',') || with.contains(" and ") || with == "others" {
            return None;
        }
        return Some((Subject::With(with), parts[at..].join(" ")));
    }
    if let Some(rest) = text.strip_prefix("It matters to User that ") {
        return Some((Subject::Whole, format!("it matters to {{}} that {rest}")));
    }
    let rest = text.strip_prefix("User ")?;
    let mut parts: Vec<&str> = rest.split(' ').collect();
    while parts
        .first()
        .is_some_and(|word| ["also", "just", "now", "really", "recently", "actually", "still"].contains(word))
    {
        parts.remove(0);
    }
    let frequency = usize::from(parts.first().is_some_and(|word| {
        [
            "often",
            "usually",
            "always",
            "never",
            "mostly",
            "sometimes",
            "currently",
            "regularly",
            "only",
            "already",
        ]
        .contains(word)
    }));
    parts
        .get(frequency)
        .filter(|word| is_verb(word) && base(word).is_some())?;
    Some((Subject::Person, parts.join(" ")))
}

/// Whether it speaks of something that only its conversation knew.
fn dangles(subject: &Subject, said: &str) -> bool {
    let all: Vec<String> = words(said).collect();
    let vague = [
        "it",
        "this",
        "these",
        "those",
        "there",
        "here",
        "then",
        "that's",
        "it's",
        "one",
        "ones",
        "too",
        "though",
        "anyway",
        "everything",
        "something",
        "stuff",
    ];
    let someone = [
        "he", "she", "him", "his", "her", "hers", "you", "your", "i", "my", "we", "our", "us",
    ];
    let named_before = |at: usize| {
        *subject != Subject::Person
            || said
                .split(' ')
                .take(at)
                .skip(1)
                .any(|word| word.starts_with(char::is_uppercase))
            || all[..at].iter().any(|word| super::text::is_kin(word))
    };
    let speaks = [
        "says", "said", "asked", "asks", "suggests", "answered", "thinks", "thought", "agrees", "agreed", "replied",
    ];
    all.first().is_some_and(|word| speaks.contains(&word.as_str()))
        || all.iter().enumerate().any(|(at, word)| {
            let word = word.as_str();
            vague.contains(&word) && at < 4 && !matches!(subject, Subject::Whole)
                || ["you", "your", "i", "my", "we", "our", "us"].contains(&word)
                || someone.contains(&word) && !named_before(at)
        })
}
