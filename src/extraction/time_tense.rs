//! Which way the clause around a time looks: back, ahead, or to what happens again and again.
//!
//! Part of the reading in `time.rs`, by the verb nearest to the time; the words are in `assets/english/time.tsv`.

use super::lexicon::is_adverb;
use super::time::{LISTS, Reader, Unit, unit};
use super::verb;
use super::word::Word;

/// No verb further away decides.
const FARTHEST: usize = 40;

/// How the clause around a time tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tense {
    /// It happened then.
    Past,
    /// "has been made": over, unless the time bounds what follows from it.
    Perfect,
    /// It is fixed or wished for.
    Ahead,
    /// The simple present of what comes back.
    Habit,
}

/// Words that open a clause.
const OPENERS: [&str; 14] = [
    "and", "but", "so", "then", "because", "which", "where", "when", "while", "or", "though", "although", "if", "cause",
];

/// Words between a noun and its determiner's left: what follows is a noun.
const DETERMINERS: [&str; 22] = [
    "a", "an", "the", "my", "our", "your", "his", "her", "their", "this", "that", "these", "for", "of", "in", "at",
    "on", "with", "from", "by", "no", "each",
];

const PRONOUNS: [&str; 8] = ["i", "we", "you", "they", "he", "she", "it", "who"];

/// The clause that each word stands in.
pub(super) fn clauses(words: &[Word<'_>]) -> Vec<usize> {
    let mut clause = 0;
    words
        .iter()
        .enumerate()
        .map(|(at, word)| {
            let breaks = at > 0
                && words[at - 1]
                    .trail
                    .contains([',', '.', '!', '?', ';', ':', '–', '—', ')']);
            if breaks || at > 0 && (OPENERS.contains(&word.lower.as_str()) || word.lead.contains('(')) {
                clause += 1;
            }
            clause
        })
        .collect()
}

impl Reader<'_, '_> {
    /// How the clause around the time from `first` to `last` tells.
    pub(super) fn tense(&self, first: usize, last: usize) -> Tense {
        let own = self.clauses.get(first).copied().unwrap_or(0);
        let before = || (first.saturating_sub(FARTHEST)..first).rev();
        let behind = || last + 1..self.words.len().min(last + FARTHEST);
        let in_clause = |at: &usize| self.clauses[*at] == own;
        let found = before()
            .take_while(in_clause)
            .find_map(|at| self.verb_at(at))
            .or_else(|| behind().take_while(in_clause).find_map(|at| self.verb_at(at)))
            .or_else(|| {
                // "party's": a verb where there is no other.
                before()
                    .take_while(in_clause)
                    .chain([first])
                    .any(|at| self.words[at].lower.ends_with("'s"))
                    .then_some(Tense::Ahead)
            })
            .or_else(|| before().find_map(|at| self.verb_at(at)))
            .or_else(|| behind().find_map(|at| self.verb_at(at)));
        found.unwrap_or(Tense::Ahead)
    }

    /// Whether the time at `first` lies ahead, by its clause and the word before it.
    pub(super) fn is_ahead(&self, first: usize, last: usize) -> bool {
        let lead = self.lead(first);
        let tense = self.tense(first, last);
        if LISTS.holds("moved to", lead) && self.moves_a_date(first) {
            return true;
        }
        match tense {
            Tense::Ahead | Tense::Habit => true,
            Tense::Perfect => is_passive(self, first) || ["from", "by", "until", "for"].contains(&lead),
            Tense::Past => false,
        }
    }

    pub(super) fn moves_a_date(&self, first: usize) -> bool {
        (first.saturating_sub(8)..first).any(|at| LISTS.holds("moves a date", self.lower(at)))
    }

    /// What the word says of its clause, if it is a finite verb.
    fn verb_at(&self, at: usize) -> Option<Tense> {
        let word = self.words[at].lower.as_str();
        let next = (at + 1..self.words.len())
            .take(4)
            .map(|at| self.words[at].lower.as_str())
            .find(|lower| !is_adverb(lower) && *lower != "not")
            .unwrap_or("");
        if LISTS.holds("past", word) {
            return Some(Tense::Past);
        }
        if LISTS.holds("perfect", word) || LISTS.holds("be", word) && next == "been" {
            return Some(Tense::Perfect);
        }
        if LISTS.holds("have", word) {
            let is_perfect = next != "got" && (verb::is_participle(next) || verb::is_past(next) || next == "been");
            return Some(if is_perfect { Tense::Perfect } else { Tense::Ahead });
        }
        if word.ends_with("'d") {
            let is_past = verb::is_participle(next) && !verb::is_base(next) || next == "been";
            return Some(if is_past { Tense::Past } else { Tense::Ahead });
        }
        if LISTS.holds("be", word) || LISTS.holds("ahead", word) || word.ends_with("'ll") {
            return Some(Tense::Ahead);
        }
        let before = (at.saturating_sub(3)..at)
            .rev()
            .map(|at| self.words[at].lower.as_str())
            .find(|lower| !is_adverb(lower) && !["not", "never", "also"].contains(lower))
            .unwrap_or("");
        if word == "got" && LISTS.holds("have", before) {
            return Some(Tense::Ahead);
        }
        if verb::is_past(word) || verb::is_unchanging(word) && PRONOUNS.contains(&before) && self.tells_past() {
            if DETERMINERS.contains(&before) || ["getting", "get", "gets", "be", "being"].contains(&before) {
                return None;
            }
            let is_passive = LISTS.holds("be", before) || before.ends_with("'s") && !PRONOUNS.contains(&before);
            if LISTS.holds("have", before) || before == "been" {
                return Some(Tense::Perfect);
            }
            return Some(if is_passive { Tense::Ahead } else { Tense::Past });
        }
        if before == "to" || DETERMINERS.contains(&before) {
            return None;
        }
        let third = ["ies", "es", "s"].into_iter().find_map(|ending| {
            let stem = word.strip_suffix(ending)?;
            let base = if ending == "ies" {
                format!("{stem}y")
            } else {
                stem.to_owned()
            };
            verb::is_base(&base).then_some(base)
        });
        if let Some(base) = third {
            return Some(if LISTS.holds("once", &base) {
                Tense::Ahead
            } else {
                Tense::Habit
            });
        }
        if PRONOUNS[4..].contains(&before) && word.ends_with('s') && !word.ends_with("'s") {
            return Some(Tense::Habit);
        }
        if verb::is_base(word) {
            let has_subject = PRONOUNS.contains(&before) || before.len() > 3 && before.ends_with('s');
            return Some(if has_subject && !LISTS.holds("once", word) {
                Tense::Habit
            } else {
                Tense::Ahead
            });
        }
        None
    }

    /// "I quit", "I hit": past where another verb of the sentence is.
    fn tells_past(&self) -> bool {
        !self
            .words
            .iter()
            .take(FARTHEST)
            .any(|word| LISTS.holds("be", &word.lower) || LISTS.holds("ahead", &word.lower))
    }

    /// The word that a time hangs on: before it, "the" and "about" left out.
    pub(super) fn lead(&self, first: usize) -> &str {
        let lead = (first.saturating_sub(3)..first)
            .rev()
            .map(|at| self.lower(at))
            .find(|lower| !["the", "about", "this", "coming"].contains(lower));
        lead.unwrap_or("")
    }

    /// Whether the time at `at` comes back: "every Friday", "usually in May", "twice a week".
    pub(super) fn recurs(&self, at: usize) -> bool {
        let own = self.clauses.get(at).copied().unwrap_or(0);
        let clause = || {
            (at.saturating_sub(FARTHEST)..self.words.len().min(at + FARTHEST))
                .filter(move |other| self.clauses[*other] == own)
        };
        let close = (at.saturating_sub(4)..at)
            .filter(|before| self.clauses[*before] == own)
            .any(|before| LISTS.holds("each", self.lower(before)));
        close
            || LISTS.holds("one of many", self.lower_before(at))
            || clause().any(|other| LISTS.holds("habits", self.lower(other)))
            || clause().any(|other| {
                ["every", "each"].contains(&self.lower(other)) && unit(self.lower(other + 1)) == Some(Unit::Year)
            })
            || self.is_counted_per_time
    }
}

/// "has been invited": what follows from it may lie ahead.
fn is_passive(reader: &Reader<'_, '_>, first: usize) -> bool {
    (first.saturating_sub(10)..first).any(|at| reader.lower(at) == "been" && verb::is_participle(reader.lower(at + 1)))
}

/// "twice a week", "3 days a week".
pub(super) fn is_counted_per_time(words: &[Word<'_>]) -> bool {
    words.windows(3).any(|three| {
        LISTS.holds("frequency", &three[0].lower)
            && ["a", "per", "each", "every"].contains(&three[1].lower.as_str())
            && unit(&three[2].lower).is_some()
    })
}
