//! What the words of a heading make of the items below it.

use super::keys::{self, Rows, Stands};
use super::pair;
use super::word_lists::{holds, lowered};
use super::wording;
use crate::extraction::{lexicon, verb};
use crate::model::Category;

/// A longer line is no heading.
pub(super) const LONGEST_HEADING: usize = 90;
/// Of "Foods that I can't eat", how many words may stand before "I".
const MOST_WORDS_BEFORE_I: usize = 4;
const MOST_WORDS_BEHIND_I: usize = 7;

/// What a heading makes of its items.
pub(super) enum Opening {
    /// By the readings of a key.
    Key {
        rows: &'static Rows,
        name: String,
        /// Whether the heading needs no other beside it.
        is_sure: bool,
    },
    /// "My goals for 2026".
    Tailed {
        rows: &'static Rows,
        name: String,
        tail: String,
    },
    /// Words before and behind the item: "is allergic to", "has read … this year".
    Clause { head: String, tail: String },
}

impl Opening {
    /// Whether a key alone makes the sentence.
    pub(super) fn is_key(&self) -> bool {
        matches!(self, Self::Key { .. })
    }

    pub(super) fn is_sure_key(&self) -> bool {
        matches!(self, Self::Key { is_sure: true, .. })
    }
}

/// What the words of a heading make of items.
pub(super) fn opening(text: &str) -> Option<Opening> {
    if text.len() > LONGEST_HEADING || text.ends_with('?') {
        return None;
    }
    let lower = lowered(text.trim_end_matches([':', '：', ' ', '*', '.']));
    if let Some((head, tail)) = clause(&lower) {
        return Some(Opening::Clause { head, tail });
    }
    let is_own = lower.starts_with("my ");
    let name = pair::name(&lower);
    if let Some(rows) = keys::rows(&name) {
        let stands = rows[0].stands;
        let is_sure = stands == Stands::Alone || is_own;
        return (stands != Stands::Thing).then_some(Opening::Key { rows, name, is_sure });
    }
    if !is_own {
        return None;
    }
    let cut = [" for ", " of ", " in ", " at ", " this ", " next ", " when ", " until "]
        .iter()
        .filter_map(|word| name.find(word))
        .min()?;
    let (head, tail) = name.split_at(cut);
    let rows = keys::rows(head).filter(|rows| rows[0].stands != Stands::Thing)?;
    Some(Opening::Tailed {
        rows,
        name: head.to_owned(),
        tail: tail.trim().to_owned(),
    })
}

/// "is allergic to" of "I'm allergic to" and "hates" of "Things I hate", with the time behind it.
fn clause(lower: &str) -> Option<(String, String)> {
    let words: Vec<&str> = lower.split_whitespace().collect();
    let at = words
        .iter()
        .position(|word| matches!(*word, "i" | "i'm" | "im" | "i've" | "ive"))?;
    let behind = &words[at + 1..];
    let (rest, tail) = behind.split_at(behind.len() - time_at_end(behind));
    let asks = words[..at]
        .iter()
        .any(|word| matches!(*word, "which" | "why" | "how" | "should" | "do" | "can" | "if" | "when"));
    if at > MOST_WORDS_BEFORE_I || rest.len() > MOST_WORDS_BEHIND_I || asks {
        return None;
    }
    let (lead, rest) = match words[at] {
        "i'm" | "im" => ("is".to_owned(), rest),
        "i've" | "ive" => ("has".to_owned(), rest),
        _ => third_person(rest)?,
    };
    let is_open = !rest.is_empty() || lead != "is" && lead != "has";
    let content = rest.iter().any(|word| holds("open", word)) || holds("open", base(&words[at + 1..]));
    let is_known = rest
        .iter()
        .all(|word| holds("open", word) || holds("open with", word) || verb::is_ing(word) && !holds("open not", word));
    (is_open && content && is_known).then(|| {
        let head = [&[lead.as_str()], rest].concat().join(" ");
        let tail = tail.iter().map(|word| format!(" {word}")).collect();
        (head, tail)
    })
}

/// How many of the last words say when: "this year", "so far".
fn time_at_end(words: &[&str]) -> usize {
    let is_time = match words {
        [.., "so", "far"] => true,
        [.., "this" | "last" | "next", span] => matches!(
            *span,
            "year" | "month" | "week" | "season" | "spring" | "summer" | "autumn" | "fall" | "winter"
        ),
        [.., "in", year] => year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit()),
        _ => false,
    };
    if is_time { 2 } else { 0 }
}

/// The first verb behind "I" in the third person, and what follows it.
fn third_person<'w, 's>(rest: &'s [&'w str]) -> Option<(String, &'s [&'w str])> {
    let adverbs = rest
        .iter()
        .take_while(|word| lexicon::is_adverb(word) || **word == "most")
        .count();
    let lead = rest[..adverbs].iter().filter(|word| !matches!(**word, "just" | "most"));
    let word = *rest.get(adverbs)?;
    let behind = &rest[adverbs + 1..];
    let verb = match word {
        "am" => "is".to_owned(),
        "was" | "can" | "can't" | "cannot" | "won't" | "would" | "used" | "could" => word.to_owned(),
        "don't" | "dont" => "doesn't".to_owned(),
        _ if verb::is_base(word) => verb::third_person(word),
        _ if verb::is_past(word) => word.to_owned(),
        _ => return None,
    };
    let words: Vec<&str> = lead.copied().chain([verb.as_str()]).collect();
    Some((words.join(" "), behind))
}

fn base<'w>(rest: &[&'w str]) -> &'w str {
    rest.iter()
        .find(|word| verb::is_base(word) || verb::is_past(word))
        .copied()
        .unwrap_or("")
}

pub(super) fn sentence(opening: &Opening, subject: &str, item: &str) -> Option<(String, Option<Category>)> {
    match opening {
        Opening::Clause { head, tail } => Some((format!("{subject} {head} {}{tail}.", small_verb(item)), None)),
        Opening::Key { rows, name, .. } => {
            // Of a list each item is a part, so the readings of a part come before those of a whole.
            let row = rows
                .iter()
                .filter(|row| row.each)
                .chain(rows.iter())
                .find(|row| row.shape.fits(item))?;
            Some((wording::sentence(row, subject, name, item), row.category))
        }
        Opening::Tailed { rows, name, tail } => {
            let category = rows[0].category;
            let with_to = wording::with_to(item);
            if rows[0].template.contains("{to value}") {
                let one = name.strip_suffix('s').unwrap_or(name);
                return Some((format!("{subject}'s {one} {tail} is {with_to}."), category));
            }
            Some((format!("{subject}'s {name} {tail} include {item}."), category))
        }
    }
}

/// An item without the capital that only its place gave it: "Run early" as "run early".
fn small_verb(item: &str) -> String {
    let (first, rest) = item.split_at(item.find(' ').unwrap_or(item.len()));
    let lower = lowered(first);
    let is_small = verb::is_base(&lower) && !rest.trim_start().starts_with(char::is_uppercase) || verb::is_ing(&lower);
    if is_small {
        format!("{lower}{rest}")
    } else {
        item.to_owned()
    }
}
