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

/// The memory that says what the person is called.
pub(super) fn naming(memories: &[Arc<Memory>]) -> Option<&Arc<Memory>> {
    let named = |memory: &&Arc<Memory>| NAME.is_match(&memory.text) && !memory.is_private();
    memories.iter().filter(named).max_by_key(|memory| memory.updated_at)
}

/// What the person is called, where a memory says so.
pub(super) fn name(memories: &[Arc<Memory>]) -> Option<String> {
    let name = NAME.captures(&naming(memories)?.text)?.get(1)?.as_str();
    Some(name.trim_end_matches(['.', ',']).to_owned())
}

static NAME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^User(?:'s (?:full |first )?name is| is (?:called|named)| goes by) (\p{Lu}[\p{L}'’-]*(?: \p{Lu}[\p{L}'’-]*){0,2})",
    )
});
/// A relative time with the label that says which it was.
static LABELLED: LazyLock<Regex> = LazyLock::new(|| {
    const COUNT: &str = r"(?:an?|a few|a couple of|several|one|two|three|four|five|six|seven|eight|nine|ten|\d+)";
    pattern(&format!(
        r"(?i)\b(?:yesterday|today|tonight|tomorrow|(?:(?:on|in|at|since|from|until|by|for) )?(?:last|this|next|the past|the coming) (?:\w+ )?\w+|{COUNT} \w+ ago|in {COUNT} \w+(?: from now)?|(?:on|in|at|since|from|until|by|for) (?:early |late |mid-|the )?\w+|\w+day(?: \w+)?) \(([^()]*\d{{4}})\)"
    ))
});
/// A second thing said of the person: "and they love …".
static AND_THEY: LazyLock<Regex> = LazyLock::new(|| pattern(r" (and|but) they (\p{Ll}[\p{Ll}']*)"));
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

/// How people talk: asides, moods, exclamations, and sentences run together.
static CHATTY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?xi)
        \s[-–—]|[-–—]\s|;|\.\.|/|\#|&
        |\b(?:it's|that's|they're|let's|you|your|yours|i|my|we|our|us|'cause|gonna|lol|wow|guys?|folks?|stuff|thing|things|awesome|amazing|super|the\sassistant|totally|definitely|kinda|anyway|though|too|else|everything|something|anything|here|then|this|these|those|such|so|pic|pics|photo|photos|fam|talked|chatted|catch(?:ing)?\sup|for\ssure|a\sfew\sdays|no\smatter\swhat|hyped|glad|lucky|thankful|grateful|thrilled|stoked|sorry)\b
        |,\s(?:so|but|they|it|and\sthey|which\slooks|always)\b
        |\b(?:so|but|because|when|if|whatever|that)\sthey\s(?:can|could|will|get|got)\b
        |^(?:(?:is|was|has\sbeen|feels|felt)\s(?:really|very|quite|always|just|pretty|a\sbit|all|not|definitely|still|happy|excited|proud|keen|sure|ready|impressed|inspired|curious|busy|swamped|off|back|here|there|over|after|drawn|ages|a\s(?:busy|mix|while|great|good))
            |(?:guesses|thinks|feels|felt|wishes|remembers|realizes|realises|gets|got|can|could|couldn't|might|may|must|should|sees|saw|knows|knew|hears|heard|says|said|asks|asked|suggests|answered|thought|agrees|agreed|replied|made|makes|believes\sthat|seems|looks|looked|sounds|appreciates|supposes|means|meant|figures|figured|lets|let|has\sto|had\sto|needs|needed|bets|admires|imagines|understands)\b
            |(?:stands|keeps|stays)\smotivated|has\s(?:got|always|never|just)\b|(?:is|was)\s\w+ing\s[^,]*\b(?:is|are|was|were|has|really|matters|need)\b)",
    )
});
/// "is doing", "has been doing", "was doing".
static CONTINUOUS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:is|was|has been) (?:\w+ly |also |still |now )?\w+ing\b"));
static PERFECT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^has (?:been|had|\w+ed|\w+en|gone|done|made|met|found|felt|won|seen|read|run|taught|built|kept|spent|come)\b",
    )
});
static SINCE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:since (?:\p{Lu}|\d|childhood|school)|for (?:over |about |more than |almost |nearly )?(?:\d+|an?|two|three|four|five|six|seven|eight|nine|ten|many|several|twenty|thirty) (?:years?|decades?|months?)|for years|\d+ times|all their life)\b",
    )
});
/// What one is, and not how one is.
static STATES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:is (?:now |also |originally |currently )?(?:an?|the|from|of|one of|\d+)|(?:is|has been) (?:now |also |originally |currently )?(?:married|single|divorced|engaged|widowed|separated|retired|vegetarian|vegan|pescatarian|passionate about|interested in|into|fond of|afraid of|fluent in|proficient in|left-handed|based|allergic|self-employed|freelance|head|mother|father|named|called|known|deaf|blind|bilingual|in charge|on the board|responsible for|close to|proud of their|good at|new to|married to|active in|involved in))\b",
    )
});
static ON_A_DAY: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bon \d{1,2} \p{Lu}\p{L}+ \d{4}"));

fn pattern(pattern: &str) -> Regex {
    #[expect(clippy::expect_used, reason = "a constant, which every test compiles")]
    Regex::new(pattern).expect("the patterns of this file are regular expressions")
}

impl Clause {
    /// The clause that a memory makes, as of `now`.
    pub(super) fn of(memory: &Arc<Memory>, now: DateTime<Utc>) -> Option<Self> {
        let is_medical = memory.categories.contains(&Category::Health) && MEDICAL.is_match(&memory.text);
        if memory.is_private() || is_medical || extraction::is_private(&memory.text) || SENSITIVE.is_match(&memory.text)
        {
            return None;
        }
        sentences(&memory.text).find_map(|text| Self::of_sentence(memory, text, now))
    }

    fn of_sentence(memory: &Arc<Memory>, text: &str, now: DateTime<Utc>) -> Option<Self> {
        if text.contains(['"', '?', '“', '(']) && !LABELLED.is_match(text) || text.contains("[shares") {
            return None;
        }
        let text = AND_THEY
            .replace_all(&dated(text), |found: &regex::Captures<'_>| {
                let verb = super::text::third_person(&found[2]);
                verb.map_or_else(|| found[0].to_owned(), |verb| format!(" {} {verb}", &found[1]))
            })
            .into_owned();
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
        if matches!(subject, Subject::Person | Subject::With(_)) && !tells_of_a_life(memory, &said, is_past) {
            return None;
        }
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

/// Whether what the person does or is belongs in a biography: what lasts, what is under way for long, what happened at a
/// time or place; not what people are up to as they chat.
fn tells_of_a_life(memory: &Memory, said: &str, is_past: bool) -> bool {
    let has_name = said.split(' ').any(|word| word.starts_with(char::is_uppercase));
    let is_lasting = memory.memory_type == MemoryType::Semantic;
    if CONTINUOUS.is_match(said) {
        return UNDER_WAY.is_match(said) || SINCE.is_match(said) && said.starts_with("has been ");
    }
    if said.starts_with("is ") || said.starts_with("has been ") {
        return STATES.is_match(said);
    }
    if said.starts_with("has ") && PERFECT.is_match(said) {
        return SINCE.is_match(said);
    }
    if AHEAD.is_match(said) {
        return said.contains(|c: char| c.is_ascii_digit());
    }
    if GOAL.is_match(said) {
        return super::text::content(said).len() >= 4;
    }
    if is_past {
        return has_name && (is_lasting || memory.event_time.is_some() || said.contains(|c: char| c.is_ascii_digit()))
            || is_lasting && super::text::content(said).len() >= 4;
    }
    let is_of_a_moment = [
        "loves the ",
        "loves that ",
        "loves and ",
        "likes the ",
        "enjoys the ",
        "loves how ",
    ];
    is_lasting && (has_name || !is_of_a_moment.iter().any(|start| said.starts_with(start)))
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
            .or_else(|| Some(extraction::event_time(said, memory.created_at)?.0))
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

/// The sentences of a text; "St. Ives" is in one of them.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        let ends = text.match_indices(['.', '!']).map(|(at, _)| at);
        let end = ends.into_iter().find(|at| {
            let next = text[at + 1..].strip_prefix(' ').and_then(|next| next.chars().next());
            let last_word = text[..*at].rsplit(' ').next().unwrap_or_default();
            next.is_some_and(char::is_uppercase) && last_word.chars().count() > 2
        });
        match end {
            Some(at) => {
                rest = Some(&text[at + 2..]);
                Some(&text[..at])
            }
            None => Some(text),
        }
    })
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
        if at == 0
            || at == 1 && parts[0] == "their"
            || at > 5
            || with.contains(',')
            || with.contains(" and ")
            || with == "others"
        {
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

/// Whether it speaks of something that only its conversation knew, or as people talk and not as one writes.
fn dangles(subject: &Subject, said: &str) -> bool {
    if CHATTY.is_match(said) || *subject == Subject::Own && !is_known_thing(said) {
        return true;
    }
    let all: Vec<String> = words(said).collect();
    let someone = ["he", "she", "him", "his", "her", "hers"];
    let named_before = |at: usize| {
        said.split(' ')
            .take(at)
            .skip(usize::from(*subject == Subject::Person))
            .any(|word| word.starts_with(char::is_uppercase))
            || all[..at].iter().any(|word| super::text::is_kin(word))
    };
    // "loves it" after "plays the drums and", "moved there" after a place.
    let refers_back = |at: usize| {
        let joined = at >= 2 && ["and", "but"].contains(&all[at - 2].as_str());
        joined && at > 3 || all.get(at - 1).is_some_and(|word| word == "moved") && named_before(at)
    };
    all.iter().enumerate().any(|(at, word)| match word.as_str() {
        "it" | "there" => *subject != Subject::Whole && (at < 2 || !refers_back(at)),
        "them" => *subject == Subject::Person,
        word => someone.contains(&word) && !named_before(at),
    })
}

/// Whether something of the person's can be told of without more: family, pets and what has a name, favourites, goals.
fn is_known_thing(said: &str) -> bool {
    let all: Vec<&str> = said.split(' ').collect();
    let first = all.iter().take_while(|word| !is_verb(word) || word.ends_with("'s"));
    let first: Vec<&str> = first.copied().collect();
    let is_named = first.iter().any(|word| word.starts_with(char::is_uppercase));
    let known = [
        "favourite",
        "favorite",
        "main",
        "usual",
        "goal",
        "dream",
        "ambition",
        "best",
        "hometown",
    ];
    is_named
        || first
            .iter()
            .any(|word| known.contains(word) || super::text::is_kin(&word.to_lowercase()))
}
