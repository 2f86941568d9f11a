//! Lasting (semantic) or of a time (episodic), by tense, aspect, time words and verb class.

use super::lexicon::{is_adverb, is_feeling};
use super::time::TimeMention;
use super::verb;
use super::word::Word;
use crate::model::MemoryType;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tense {
    Present,
    Progressive,
    Perfect,
    Past,
    Future,
    Wish,
    None,
}

/// Whether a sentence tells something lasting or of a time.
pub(super) fn of(words: &[Word<'_>], times: &[TimeMention]) -> MemoryType {
    if lasts(words) {
        return MemoryType::Semantic;
    }
    let awaited = words.first().is_some_and(|w| w.is_one_of(&["if", "when", "once"]))
        && words.iter().any(|w| w.lower == "will" || w.lower.ends_with("'ll"));
    if awaited {
        return MemoryType::Episodic;
    }
    let dated = times.iter().any(|t| t.stretch.is_some());
    let now = words.iter().any(|w| {
        w.is_one_of(&[
            "currently",
            "recently",
            "lately",
            "just",
            "upcoming",
            "nowadays",
            "tonight",
            "today",
            "almost",
        ])
    }) || pair(words, "right", "now")
        || pair(words, "these", "days")
        || pair(words, "at", "moment")
        || pair(words, "so", "far");
    let passing = words.iter().any(|w| {
        w.is_one_of(&[
            "appointment",
            "interview",
            "meeting",
            "deadline",
            "exam",
            "flu",
            "cold",
            "headache",
            "fever",
            "hangover",
            "sick",
            "party",
            "tournament",
            "trip",
            "audition",
        ])
    }) && words
        .iter()
        .take(4)
        .any(|w| w.is_one_of(&["have", "i've", "has", "is", "am", "i'm", "there's"]))
        && !habitual(words);
    match tense(words) {
        Tense::Past | Tense::Future => MemoryType::Episodic,
        Tense::Progressive if holds_on(words) && !dated => MemoryType::Semantic,
        Tense::Progressive => MemoryType::Episodic,
        Tense::Perfect if stands_since(words) => MemoryType::Semantic,
        Tense::Perfect => MemoryType::Episodic,
        Tense::Present | Tense::Wish | Tense::None if dated || passing => MemoryType::Episodic,
        Tense::Present if now && !habitual(words) => MemoryType::Episodic,
        Tense::Present | Tense::Wish => MemoryType::Semantic,
        Tense::None if now || words.iter().any(|w| verb::is_past(&w.lower)) => MemoryType::Episodic,
        Tense::None => MemoryType::Semantic,
    }
}

fn pair(words: &[Word<'_>], first: &str, second: &str) -> bool {
    words.windows(2).any(|w| w[0].lower == first && w[1].lower == second)
}

/// Background that is told in the past and still holds.
fn lasts(words: &[Word<'_>]) -> bool {
    pair(words, "used", "to") && !words.iter().any(|w| w.is_one_of(&["getting", "get", "got"]))
        || pair(words, "grew", "up")
        || pair(words, "born", "in")
        || pair(words, "born", "and")
        || pair(words, "born", "on")
        || pair(words, "raised", "in")
        || pair(words, "always", "been")
        || pair(words, "always", "loved")
        || pair(words, "always", "wanted")
        || pair(words, "years", "old")
}

fn habitual(words: &[Word<'_>]) -> bool {
    words.iter().any(|w| {
        w.is_one_of(&[
            "every",
            "always",
            "usually",
            "often",
            "never",
            "sometimes",
            "regularly",
            "weekly",
            "daily",
            "typically",
            "each",
        ])
    })
}

/// "working as", "living in": a progressive that says where life stands.
fn holds_on(words: &[Word<'_>]) -> bool {
    ["as", "at", "for"].iter().any(|p| pair(words, "working", p))
        || pair(words, "living", "in")
        || pair(words, "living", "with")
        || habitual(words)
}

fn stands_since(words: &[Word<'_>]) -> bool {
    let lasting_verb = words.iter().any(|w| {
        w.is_one_of(&[
            "lived",
            "worked",
            "known",
            "had",
            "been",
            "loved",
            "owned",
            "played",
            "wanted",
            "living",
            "working",
            "playing",
            "practicing",
            "teaching",
            "studied",
            "always",
            "never",
            "married",
        ])
    });
    let span = words
        .iter()
        .any(|w| w.is_one_of(&["since", "for", "always", "years", "never", "decades"]));
    lasting_verb && span
}

/// The tense of the first finite verb.
fn tense(words: &[Word<'_>]) -> Tense {
    for (at, word) in words.iter().enumerate() {
        let lower = word.lower.as_str();
        if ["think", "guess", "believe", "suppose"].contains(&lower) && at > 0 && words.len() > at + 3 {
            continue;
        }
        let next = words[at + 1..]
            .iter()
            .find(|w| !is_adverb(&w.lower) && !w.is_one_of(&["not", "so", "all", "both"]));
        let next = next.map_or("", |w| w.lower.as_str());
        let pronoun = [
            "i", "you", "we", "they", "he", "she", "it", "that", "there", "who", "what",
        ];
        let stem = lower.split_once('\'').map_or(lower, |(stem, _)| stem);
        let ending = lower.split_once('\'').map_or("", |(_, ending)| ending);
        let is_be = matches!(lower, "am" | "is" | "are" | "isn't" | "aren't" | "im")
            || (matches!(ending, "m" | "re" | "s") && pronoun.contains(&stem));
        if is_be {
            return match next {
                "going" | "gonna" | "about" | "planning" | "hoping" | "supposed" => Tense::Future,
                "used" | "married" | "engaged" | "divorced" | "retired" => Tense::Present,
                "been" => Tense::Perfect,
                _ if is_feeling(next) && words.first().is_some_and(|w| w.is_one_of(&["i'm", "i", "im", "we're"])) => {
                    // A feeling passes, an inclination stays.
                    if ["keen", "interested", "obsessed", "addicted"].contains(&next) {
                        Tense::Present
                    } else {
                        Tense::Progressive
                    }
                }
                _ if verb::is_ing(next) => Tense::Progressive,
                _ => Tense::Present,
            };
        }
        if matches!(lower, "have" | "has" | "haven't" | "hasn't") || ending == "ve" {
            let is_perfect = verb::is_participle(next)
                && (next != "got" || words.iter().any(|w| w.is_one_of(&["just", "back"])))
                && !is_feeling(next);
            return if is_perfect { Tense::Perfect } else { Tense::Present };
        }
        if matches!(lower, "will" | "won't" | "gonna") || ending == "ll" {
            return Tense::Future;
        }
        if ending == "d" || lower == "would" {
            return if ["love", "like", "prefer", "never"].contains(&next) {
                Tense::Wish
            } else {
                Tense::Future
            };
        }
        if matches!(
            lower,
            "want" | "wanna" | "need" | "plan" | "hope" | "intend" | "gotta" | "wants" | "needs" | "plans" | "hopes"
        ) && (next == "to"
            || lower == "gotta"
            || lower == "wanna"
            || lower.starts_with("plan")
            || lower.starts_with("hope"))
        {
            return Tense::Future;
        }
        if ["can't", "cant"].contains(&lower) && next == "wait" {
            return Tense::Future;
        }
        if matches!(
            lower,
            "was" | "were" | "did" | "didn't" | "had" | "wasn't" | "weren't" | "couldn't"
        ) || (verb::is_past(lower) && !is_modifier(words, at))
        {
            return Tense::Past;
        }
        if verb::is_unchanging(lower)
            && at > 0
            && words[at - 1].is_one_of(&["i", "we"])
            && !habitual(words)
            && lower != "read"
        {
            return Tense::Past;
        }
        if at == 0
            && verb::is_ing(lower)
            && !words
                .iter()
                .any(|w| w.is_one_of(&["is", "was", "helps", "makes", "has"]))
        {
            return Tense::Progressive;
        }
        let after_subject =
            at > 0 && (words[at - 1].is_one_of(&["i", "we", "you", "they"]) || is_adverb(&words[at - 1].lower));
        if verb::is_base(lower) && (after_subject || at == 0)
            || matches!(lower, "can" | "can't" | "don't" | "doesn't" | "does" | "do")
        {
            return Tense::Present;
        }
        let third = lower.strip_suffix('s').is_some_and(verb::is_base)
            && at > 0
            && !words[at - 1].is_one_of(&[
                "the", "my", "a", "of", "some", "his", "her", "our", "their", "two", "these", "those",
            ]);
        if third && at > 1 {
            return Tense::Present;
        }
    }
    Tense::None
}

/// "my retired boss", "a used car": a past form that describes a noun.
fn is_modifier(words: &[Word<'_>], at: usize) -> bool {
    at > 0
        && words[at - 1].is_one_of(&[
            "a", "an", "the", "my", "our", "his", "her", "their", "of", "some", "very", "so",
        ])
        && words.len() > at + 1
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::super::time::mentions;
    use super::super::word::words;
    use super::*;

    fn kind(text: &str) -> MemoryType {
        let all = words(text);
        let sent_on = NaiveDate::from_ymd_opt(2023, 5, 8).unwrap();
        of(&all, &mentions(&all, sent_on))
    }

    #[test]
    fn lasting_facts_are_semantic() {
        for text in [
            "I'm a software engineer at Google working on machine learning projects.",
            "I love hiking and photography in my free time.",
            "My sister lives in Oslo.",
            "I'm allergic to nuts.",
            "I grew up in Ghana.",
            "I've lived here since 2010.",
            "I'm married.",
            "I usually get up at six.",
            "I speak Dutch.",
            "I don't eat meat.",
            "I have two cats.",
            "I used to play the cello.",
            "I can drive a truck.",
            "I'm 34 years old.",
            "I would love to see Peru one day.",
            "I've always wanted a boat.",
            "I'm working as a nurse.",
        ] {
            assert_eq!(kind(text), MemoryType::Semantic, "{text}");
        }
    }

    #[test]
    fn events_plans_and_states_are_episodic() {
        for text in [
            "I just got promoted to Senior Software Engineer at Google!",
            "I'll be leading a team of 5.",
            "I'm learning React.",
            "We went to Rome last week.",
            "I have a dentist appointment tomorrow.",
            "I'm going to quit.",
            "I've finished my thesis.",
            "Just moved to Lyon.",
            "I want to learn the piano.",
            "I'm really tired.",
            "I quit smoking.",
            "My car broke down.",
            "I have the flu.",
            "Can't wait for the concert.",
        ] {
            assert_eq!(kind(text), MemoryType::Episodic, "{text}");
        }
    }
}
