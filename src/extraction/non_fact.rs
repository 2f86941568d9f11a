//! What of a message is no fact: greetings, thanks, reactions, questions, instructions, hypotheticals.
//!
//! Says what a sentence is, once `opening.rs` has taken its small talk off; keeping or dropping is `fact.rs`'s.

use super::lexicon::{is_adverb, is_feeling, is_function, is_reaction};
use super::non_fact_words;
use super::opening::{Listeners, starts_with};
use super::verb;
use super::word::Word;

/// What a sentence is, as far as keeping it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SentenceKind {
    /// Tells something.
    Fact,
    /// Only how the speaker feels: worth keeping beside a fact.
    Feeling,
    /// Asks.
    Question,
    /// Greeting, thanks, praise, agreement.
    Reaction,
    /// Tells the listener to do something.
    Instruction,
    /// Supposes what isn't.
    Hypothetical,
}

/// What the trimmed sentence is. `asks` tells that it ends with a question mark.
pub(super) fn classify(words: &[Word<'_>], asks: bool, listeners: Listeners<'_>) -> SentenceKind {
    if words.is_empty() {
        return SentenceKind::Reaction;
    }
    if asks || is_unmarked_question(words) {
        return SentenceKind::Question;
    }
    if is_hypothetical(words) {
        return SentenceKind::Hypothetical;
    }
    if is_instruction(words, listeners) {
        return SentenceKind::Instruction;
    }
    let content = words.iter().filter(|w| carries_topic(w)).count();
    let has_number = words.iter().any(|w| w.core.contains(|c: char| c.is_ascii_digit()));
    let speaker_is_subject = words.iter().take(3).any(|w| {
        w.is_one_of(&[
            "i", "i'm", "i've", "i'd", "i'll", "im", "my", "we", "we're", "we've", "our",
        ])
    });
    if has_number && (content > 0 || words.len() > 1) {
        return SentenceKind::Fact;
    }
    if content == 0 {
        let of_speaker = speaker_is_subject
            || words
                .iter()
                .any(|w| w.is_one_of(&["me", "my", "i", "us", "i'm", "i've"]));
        let tells = of_speaker && words.len() > 3 && !is_social(words);
        let feels = words.iter().take(6).any(|w| is_feeling(&w.lower));
        return if tells || (feels && words.len() > 1 && !is_about_listener(words)) {
            SentenceKind::Feeling
        } else {
            SentenceKind::Reaction
        };
    }
    let names_speaker = words
        .iter()
        .any(|w| w.is_one_of(&["i", "i'm", "i've", "i'd", "my", "me", "we", "our", "us"]));
    if is_social(words) && (content <= 1 || is_wish(words) && !names_speaker) {
        return SentenceKind::Reaction;
    }
    if is_evaluation(words) && (content <= 1 && words.len() <= 8 || content <= 2 && words.len() <= 10 && !names_speaker)
    {
        return SentenceKind::Reaction;
    }
    if is_about_listener(words) && (!listeners.are_people || content <= 1 && words.len() <= 9) {
        return SentenceKind::Reaction;
    }
    let praises = words.len() <= 3
        && content <= 1
        && !names_speaker
        && words.iter().any(|w| is_reaction(&w.lower))
        && !words.iter().any(|w| verb::is_past(&w.lower));
    if praises || words.len() == 1 || is_glad_for_listener(words) && content <= 2 {
        return SentenceKind::Reaction;
    }
    SentenceKind::Fact
}

/// Whether a word says what a sentence is about.
pub(super) fn carries_topic(word: &Word<'_>) -> bool {
    !word.core.is_empty()
        && word.core.len() <= 60
        && word.core.chars().any(char::is_alphabetic)
        && !is_function(&word.lower)
        && !is_reaction(&word.lower)
        && !is_adverb(&word.lower)
        && !is_drawn_out(&word.lower)
}

/// "aaaaah", "hahaha": at most two different letters in a long word.
fn is_drawn_out(lower: &str) -> bool {
    let mut seen = ['\0'; 3];
    let mut kinds = 0;
    for c in lower.chars() {
        if seen[..kinds].contains(&c) {
            continue;
        }
        if kinds == 2 {
            return false;
        }
        seen[kinds] = c;
        kinds += 1;
    }
    lower.len() > 3
}

fn is_unmarked_question(words: &[Word<'_>]) -> bool {
    if words.len() < 3 {
        return false;
    }
    let wh = words[0].is_one_of(&["what", "where", "when", "why", "how", "who", "which"]);
    let inverted = words[1].is_one_of(&[
        "do", "does", "did", "are", "is", "was", "were", "have", "has", "can", "could", "would", "should", "will",
        "about",
    ]);
    let asks_you = words[0].is_one_of(&["do", "did", "are", "have", "can", "could", "would", "will", "were"])
        && words[1].is_one_of(&["you", "your", "we"]);
    (wh && inverted && words[2].is_one_of(&["you", "your", "i", "we", "he", "she", "they", "it", "that", "the", "my"]))
        || asks_you
}

fn is_hypothetical(words: &[Word<'_>]) -> bool {
    if starts_with(words, &["what", "if"])
        || words[0].is_one_of(&["suppose", "imagine", "hypothetically", "supposing"])
        || starts_with(words, &["let's", "say"])
        || starts_with(words, &["let", "us", "say"])
    {
        return true;
    }
    let would = words
        .iter()
        .any(|w| w.is_one_of(&["would", "i'd", "we'd", "could", "you'd", "wouldn't", "it'd", "might"]));
    let at_if = words.iter().position(|w| w.lower == "if");
    let unreal = at_if.is_some_and(|at| {
        words[at + 1..]
            .first()
            .is_some_and(|w| w.is_one_of(&["i", "we", "you"]))
            && words[at + 2..]
                .iter()
                .take(2)
                .any(|w| w.is_one_of(&["were", "was", "had", "won", "could", "lived", "got"]))
    });
    would && unreal
}

fn is_instruction(words: &[Word<'_>], listeners: Listeners<'_>) -> bool {
    let first = &words[0];
    if first.lower == "please" {
        return true;
    }
    let wanting = [
        "i want you to",
        "i need you to",
        "i'd like you to",
        "i would like you to",
        "can you",
        "could you",
        "would you",
        "i was wondering if you",
        "feel free to",
        "let me know",
        "let me see",
        "keep me",
        "i'd like to know",
        "i want to know",
        "i'd love to hear",
        "i would love to hear",
        "can't wait to hear",
        "let me ask",
    ];
    if wanting.iter().any(|phrase| phrase_starts(words, phrase)) {
        return true;
    }
    if !non_fact_words::is_command(&first.lower) || first.pauses() && words.len() > 1 {
        return false;
    }
    let speaks_of_self = words.iter().skip(1).any(|w| w.is_one_of(&["i", "i'm", "i've"]));
    if listeners.are_people {
        // Advice to a friend is worth keeping when it says something: "try the bakery by the harbour".
        let content = words.iter().filter(|w| carries_topic(w)).count();
        return content < 3 && !speaks_of_self || first.is_one_of(&["let", "keep", "don't"]) && content < 4;
    }
    // "Love", "Need" and the like speak of the user; the verbs above speak to the assistant.
    !speaks_of_self
        || first.is_one_of(&[
            "write",
            "tell",
            "give",
            "show",
            "explain",
            "help",
            "make",
            "summarize",
            "translate",
            "draft",
            "generate",
            "suggest",
            "recommend",
            "let",
        ])
}

fn phrase_starts(words: &[Word<'_>], phrase: &str) -> bool {
    phrase
        .split(' ')
        .enumerate()
        .all(|(at, want)| words.get(at).is_some_and(|w| w.lower == want))
}

/// Small talk around a conversation: seeing, hearing, wishing, parting.
fn is_social(words: &[Word<'_>]) -> bool {
    non_fact_words::social_phrases()
        .iter()
        .any(|phrase| starts_with(words, phrase))
}

/// "Happy new year, if one may still say so!"
fn is_wish(words: &[Word<'_>]) -> bool {
    [
        "happy new year",
        "happy birthday",
        "happy anniversary",
        "merry christmas",
    ]
    .iter()
    .any(|wish| phrase_starts(words, wish))
}

/// "That's so lovely", "It sounds like fun", "Sounds good", "What a trip".
fn is_evaluation(words: &[Word<'_>]) -> bool {
    let mut at = 0;
    if words[0].is_one_of(&["what", "such"]) && words.get(1).is_some_and(|w| w.is_one_of(&["a", "an"])) {
        return true;
    }
    if words[0].is_one_of(&[
        "sounds", "looks", "seems", "must", "so", "how", "very", "really", "pretty",
    ]) {
        return true;
    }
    if words[at].is_one_of(&["that's", "it's", "this's", "thats"]) {
        at += 1;
    } else if words[at].is_one_of(&["that", "this", "it", "those", "these", "they"])
        && words.get(1).is_some_and(|w| {
            w.is_one_of(&[
                "is", "was", "sounds", "looks", "seems", "are", "must", "look", "sound", "really", "does", "sure",
            ])
        })
    {
        at += 2;
    } else {
        return false;
    }
    words[at..].iter().take(3).any(|w| is_reaction(&w.lower))
}

fn is_about_listener(words: &[Word<'_>]) -> bool {
    let you = words
        .iter()
        .take(4)
        .any(|w| w.is_one_of(&["you", "you're", "you've", "you'll", "you'd", "your", "ur", "yours"]));
    let speaker = words.iter().any(|w| {
        w.is_one_of(&[
            "i", "i'm", "i've", "i'd", "i'll", "my", "me", "we", "we're", "we've", "our", "us",
        ])
    });
    you && !speaker
}

/// "I'm glad you tried it", "So happy it went well".
fn is_glad_for_listener(words: &[Word<'_>]) -> bool {
    let feeling_at = words.iter().take(4).position(|w| {
        w.is_one_of(&[
            "glad", "happy", "proud", "excited", "sorry", "jealous", "thrilled", "stoked",
        ])
    });
    feeling_at.is_some_and(|at| {
        words[at + 1..]
            .iter()
            .take(2)
            .any(|w| w.is_one_of(&["you", "you're", "you've", "your", "it", "that", "for", "we're", "of"]))
            && words[at + 1..]
                .iter()
                .any(|w| w.is_one_of(&["you", "you're", "you've", "your", "it", "we're"]))
    })
}

/// For a question, the words before it that state something: "I'm moving to Lyon next month, any tips?".
pub(super) fn statement_before_question(words: &[Word<'_>]) -> Option<usize> {
    let states = words.first().is_some_and(|w| {
        w.is_one_of(&[
            "i", "i'm", "i've", "i'd", "i'll", "my", "we", "we're", "we've", "our", "im", "since", "as",
        ])
    }) || words.first().is_some_and(|w| {
        verb::is_past(&w.lower)
            && !w.is_one_of(&[
                "did", "had", "was", "were", "could", "didn't", "wasn't", "weren't", "hadn't",
            ])
    });
    if !states {
        return None;
    }
    let asking = |w: &Word<'_>| {
        w.is_one_of(&[
            "what", "where", "when", "why", "how", "who", "which", "do", "does", "did", "are", "is", "can", "could",
            "would", "should", "will", "have", "any", "right", "got", "you", "wanna", "want", "remember", "isn't",
            "don't", "eh", "huh", "guess", "was", "were", "have", "haven't", "yes", "correct", "ok", "okay", "has",
        ])
    };
    let cut = (3..words.len()).rev().find(|&at| {
        let before = &words[at - 1];
        let joined = words[at].is_one_of(&["and", "so", "but"]) && words.get(at + 1).is_some_and(asking);
        before.pauses() && (asking(&words[at]) || joined)
    })?;
    (words[..cut].iter().filter(|w| carries_topic(w)).count() >= 1).then_some(cut)
}

#[cfg(test)]
mod tests {
    use super::super::opening::trim;
    use super::super::word::words;
    use super::*;

    const CHAT: Listeners<'_> = Listeners {
        names: &["Priya", "Thomas"],
        are_people: true,
    };
    const ASSISTANT: Listeners<'_> = Listeners {
        names: &[],
        are_people: false,
    };

    fn kind(text: &str, listeners: Listeners<'_>) -> SentenceKind {
        let all = words(text);
        let range = trim(&all, listeners);
        classify(&all[range], text.trim_end().ends_with('?'), listeners)
    }

    #[test]
    fn small_talk_is_no_fact() {
        for text in [
            "Hey Priya!",
            "Thanks, Tom!",
            "Wow, that's so cool!",
            "Good to see you!",
            "That sounds amazing, Priya.",
            "No problem.",
            "Haha, true!",
            "Congrats!",
            "Have a great weekend!",
            "You're the best!",
            "What a lovely day!",
            "Talk to you soon, Tom!",
            "Take care!",
            "Yep, exactly.",
            "Bye!",
        ] {
            assert!(
                matches!(kind(text, CHAT), SentenceKind::Reaction | SentenceKind::Instruction),
                "{text}: {:?}",
                kind(text, CHAT)
            );
        }
    }

    #[test]
    fn orders_to_the_assistant_are_no_fact() {
        for text in [
            "Write me a poem about spring.",
            "Please summarise this article.",
            "Explain monads to me like I'm five.",
            "I want you to act as a pirate.",
            "Help me plan a trip to Rome.",
        ] {
            assert_eq!(kind(text, ASSISTANT), SentenceKind::Instruction, "{text}");
        }
    }

    #[test]
    fn suppositions_are_no_fact() {
        for text in [
            "If I won the lottery, I would buy an island.",
            "Imagine I was a dragon.",
            "What if we moved to Mars",
        ] {
            assert_eq!(kind(text, ASSISTANT), SentenceKind::Hypothetical, "{text}");
        }
    }

    #[test]
    fn statements_stay_facts() {
        for text in [
            "Thanks, I moved to Oslo.",
            "I like jazz.",
            "My cat is ill.",
            "If it rains I take the bus.",
            "Wow, I finally passed the bar exam!",
            "Remember that I'm allergic to nuts.",
            "Hiked up Ben Nevis.",
            "I would love to see Japan.",
        ] {
            assert_eq!(kind(text, ASSISTANT), SentenceKind::Fact, "{text}");
        }
    }

    #[test]
    fn a_statement_before_a_question_is_found() {
        let all = words("I'm moving to Lyon next month, any tips?");
        assert_eq!(statement_before_question(&all), Some(6));
        assert_eq!(statement_before_question(&words("Do you like tea, or coffee?")), None);
    }
}
