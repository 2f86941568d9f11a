//! What "their", "there" and "we" stand for, where it is safe to say; and which sentences lean on another one.
//!
//! Where it is not safe, `fact.rs` keeps the leaning sentence together with the one that it leans on.

use super::lexicon::is_kin;
use super::verb;
use super::word::Word;

/// What a speaker spoke of last.
#[derive(Clone, Debug, Default)]
pub(super) struct Antecedents {
    organisation: Option<String>,
    place: Option<String>,
}

impl Antecedents {
    /// Takes note of the organisation and the place that a sentence names.
    pub(super) fn note(&mut self, words: &[Word<'_>]) {
        for at in 1..words.len() {
            if !words[at].is_capitalised() || words[at - 1].pauses() {
                continue;
            }
            let before = words[at - 1].lower.as_str();
            let name = proper_name(words, at);
            let works = words.iter().any(|w| {
                w.is_one_of(&[
                    "work",
                    "working",
                    "works",
                    "job",
                    "promoted",
                    "hired",
                    "position",
                    "role",
                    "engineer",
                    "intern",
                    "joined",
                    "joining",
                    "interview",
                    "internship",
                    "offer",
                    "employee",
                    "manager",
                    "developer",
                    "company",
                    "team",
                    "started",
                ])
            });
            let goes = words.iter().any(|w| {
                w.is_one_of(&[
                    "moved",
                    "moving",
                    "live",
                    "living",
                    "lived",
                    "went",
                    "going",
                    "trip",
                    "visited",
                    "visit",
                    "visiting",
                    "flew",
                    "flying",
                    "travel",
                    "traveled",
                    "travelled",
                    "been",
                    "vacation",
                    "holiday",
                    "born",
                    "grew",
                    "studied",
                    "stayed",
                ])
            });
            match before {
                "at" | "for" | "with" | "joined" | "joining"
                    if works && super::calendar::month_by_name(&words[at].lower).is_none() =>
                {
                    self.organisation = Some(name)
                }
                "to" | "in" | "visited" | "visit" | "visiting"
                    if goes && super::calendar::month_by_name(&words[at].lower).is_none() =>
                {
                    self.place = Some(name)
                }
                _ => {}
            }
        }
    }

    /// Words of the sentence that can be replaced by what they stand for.
    pub(super) fn resolve(&self, words: &[Word<'_>]) -> Vec<(usize, String)> {
        let mut fixed = Vec::new();
        for (at, word) in words.iter().enumerate() {
            match word.lower.as_str() {
                "their" => {
                    let people = words[..at].iter().enumerate().any(|(i, w)| may_own(words, i, w));
                    if let Some(name) = self.organisation.as_ref().filter(|_| !people && is_work(words)) {
                        fixed.push((at, format!("{name}'s")));
                    }
                }
                "there" if at > 0 => {
                    let next = words.get(at + 1).map_or("", |w| w.lower.as_str());
                    let is_existential = ["is", "are", "was", "were", "will", "for", "when", "with"].contains(&next)
                        || words[at - 1].is_one_of(&["out", "been", "hang", "in", "over", "up", "down", "is", "was"]);
                    let named_here = words[..at]
                        .iter()
                        .skip(1)
                        .any(|w| w.is_capitalised() && !w.lower.starts_with('i'));
                    let before = &words[at - 1];
                    let placed = before.is_one_of(&[
                        "live", "lived", "living", "work", "worked", "working", "studied", "study", "stayed", "stay",
                        "met", "home", "born", "up", "moved", "moving", "go", "went", "going",
                    ]);
                    if let Some(place) = self.place.as_ref().filter(|_| !is_existential && !named_here && placed) {
                        let preposition = if before.is_one_of(&["moved", "moving", "go", "went", "going"]) {
                            "to"
                        } else {
                            "in"
                        };
                        fixed.push((at, format!("{preposition} {place}")));
                    }
                }
                _ => {}
            }
        }
        fixed
    }
}

fn is_work(words: &[Word<'_>]) -> bool {
    words.iter().any(|w| {
        w.is_one_of(&[
            "team",
            "systems",
            "system",
            "office",
            "product",
            "products",
            "infrastructure",
            "platform",
            "engineers",
            "department",
            "group",
            "headquarters",
            "backend",
            "frontend",
            "app",
            "project",
            "projects",
            "store",
            "branch",
            "sales",
            "marketing",
            "working",
            "lead",
            "leading",
        ])
    })
}

/// Whether a word may be whom "their" means.
fn may_own(words: &[Word<'_>], at: usize, word: &Word<'_>) -> bool {
    let of_team = words[..at].iter().rev().take(3).any(|w| w.lower == "of");
    let plural = word.lower.ends_with('s')
        && word.lower.len() > 3
        && !word.lower.ends_with("ss")
        && !word.lower.contains('\'')
        && !of_team
        && !verb::is_base(word.lower.trim_end_matches('s'))
        && !super::lexicon::is_function(&word.lower)
        && !word.lower.ends_with("ous");
    plural
        || is_kin(&word.lower) && !word.is_one_of(&["team", "crew", "class", "group", "club", "band", "boss"])
        || word.is_one_of(&["they", "people", "everyone", "someone", "who"])
}

/// The capitalised words from `at` on.
fn proper_name(words: &[Word<'_>], at: usize) -> String {
    let mut name = words[at].core.to_owned();
    for i in at + 1..words.len().min(at + 4) {
        if !words[i].is_capitalised() || words[i - 1].pauses() || words[i].lower == "i" {
            break;
        }
        name.push(' ');
        name.push_str(words[i].core);
    }
    name.strip_suffix("'s").map_or(name.clone(), str::to_owned)
}

/// Whom "we" means beside the speaker, from all words of the turn: the first people that are "my …" or "the …".
pub(super) fn company<'w, 'a: 'w>(words: impl Iterator<Item = &'w Word<'a>>) -> Option<String> {
    let (mut before, mut before_that) = ("", "");
    for word in words {
        let accompanied = [
            "with", "took", "take", "taking", "brought", "bring", "and", "visited", "met", "joined",
        ]
        .contains(&before_that);
        if ["my", "our", "the"].contains(&before)
            && (accompanied
                || before == "my"
                    && [
                        "family",
                        "husband",
                        "wife",
                        "partner",
                        "girlfriend",
                        "boyfriend",
                        "fiancé",
                        "fiancée",
                    ]
                    .contains(&word.lower.as_str()))
            && is_kin(&word.lower)
            && !["dog", "dogs", "class", "club", "group", "boss", "baby"].contains(&word.lower.as_str())
        {
            return Some(word.lower.clone()).filter(|w| !w.contains('\''));
        }
        before_that = before;
        before = word.lower.as_str();
    }
    None
}

/// Whether the sentence begins with something that only the sentence before explains.
pub(super) fn leans_back(words: &[Word<'_>]) -> bool {
    let Some(first) = words.first() else {
        return true;
    };
    let second = words.get(1).map_or("", |w| w.lower.as_str());
    match first.lower.as_str() {
        "it" | "it's" | "it'll" | "it'd" | "that" | "that's" | "that'll" | "thats" | "they" | "they're" | "they've"
        | "they'll" | "he" | "he's" | "she" | "she's" | "he'll" | "she'll" | "his" | "her" | "their" | "these"
        | "those" | "its" | "them" | "which" | "also" | "then" | "otherwise" | "both" | "each" | "one" | "this"
        | "such" | "another" | "especially" | "because" | "afterwards" | "hence" | "either" | "neither" | "even" => {
            let is_time = super::calendar::weekday_by_name(second).is_some()
                || ["week", "weekend", "year", "month", "morning", "summer"].contains(&second);
            first.lower != "this" || !is_time
        }
        "there" | "there's" | "here" | "here's" => false,
        "the" => ["best", "whole", "other", "others", "rest", "first", "last", "same"].contains(&second),
        _ => false,
    }
}

/// Whether a pronoun inside the sentence has nothing in it to refer to: "I mended it in March".
pub(super) fn holds_loose_pronoun(words: &[Word<'_>]) -> bool {
    words.iter().enumerate().any(|(at, w)| {
        let object = w.is_one_of(&[
            "it", "them", "him", "that", "they", "he", "she", "her", "one", "there", "this",
        ]);
        if !object || at == 0 {
            return false;
        }
        let next = words.get(at + 1).map_or("", |n| n.lower.as_str());
        let ends = w.pauses()
            || next.is_empty()
            || [
                "is",
                "was",
                "for",
                "to",
                "with",
                "and",
                "all",
                "some",
                "a",
                "the",
                "how",
                "that",
                "so",
                "in",
                "on",
                "at",
                "too",
                "up",
                "out",
                "since",
                "when",
                "last",
                "yesterday",
                "as",
            ]
            .contains(&next);
        let explained = words[..at].iter().any(|b| {
            super::non_fact::carries_topic(b)
                && !verb::is_past(&b.lower)
                && !verb::is_base(&b.lower)
                && !verb::is_ing(&b.lower)
        });
        ends && !explained && !(w.lower == "it" && next == "to")
    })
}

#[cfg(test)]
mod tests {
    use super::super::word::words;
    use super::*;

    #[test]
    fn their_means_the_employer_where_nobody_else_can_be_meant() {
        let mut antecedents = Antecedents::default();
        antecedents.note(&words("I got a job at Siemens Energy last week."));
        let all = words("I'll be on their wind turbine team.");
        assert_eq!(antecedents.resolve(&all), [(3, "Siemens Energy's".to_owned())]);
        assert!(antecedents.resolve(&words("My parents sold their office.")).is_empty());
    }

    #[test]
    fn there_means_the_last_place() {
        let mut antecedents = Antecedents::default();
        antecedents.note(&words("I moved to Cape Town in May."));
        assert_eq!(
            antecedents.resolve(&words("I work there as a diver."))[0].1,
            "in Cape Town"
        );
        assert!(antecedents.resolve(&words("I know there is a beach.")).is_empty());
    }

    #[test]
    fn company_is_read_from_the_turn() {
        let all = words("I met my kids by the lake.");
        assert_eq!(company(all.iter()).as_deref(), Some("kids"));
    }
}
