//! A question and its answer into what the answerer says with it: "How old is Pim?", "ten months" → "Pim is ten months old".
//!
//! Works on the question's tree. The statement is in the first person, so that it is read like any sentence.

use super::sentence::ParsedSentence;
use crate::extraction::verb;
use crate::extraction::word::capitalised;
use crate::parser::Upos;

/// An answer has at most so many words.
const LONGEST_ANSWER: usize = 14;

/// Whether a sentence may be an answer that means nothing alone.
pub(crate) fn is_fragment(s: &ParsedSentence<'_>) -> bool {
    let Some(root) = s.tree.root() else {
        return false;
    };
    let has_subject = |at: usize| {
        s.subject(at)
            .is_some_and(|subject| !matches!(s.lower(subject), "what" | "who"))
    };
    let tells = has_subject(root) && s.is_finite(root)
        || (0..s.len())
            .any(|at| s.is_relation(at, &["parataxis", "ccomp", "conj"]) && has_subject(at) && s.is_finite(at));
    let spoken = (0..s.len()).filter(|at| s.is_spoken(*at)).count();
    let speaks =
        (0..s.len().min(3)).any(|at| matches!(s.lower(at), "i" | "we" | "im") && s.is_relation(at, &["nsubj"]));
    !tells && !speaks && spoken <= LONGEST_ANSWER && spoken > 0 && !s.text.trim_end().ends_with('?')
}

/// An answer as it stands in a sentence: "A nurse." → "a nurse".
pub(crate) fn text(s: &ParsedSentence<'_>) -> String {
    let first = (0..s.len()).find(|at| s.is_spoken(*at));
    let is_name = first.is_some_and(|first| s.upos(first) == Upos::Propn || s.lower(first) == "i");
    if is_name {
        s.text.to_owned()
    } else {
        crate::extraction::person::lower_first(s.text)
    }
}

/// What is said with an answer to this question.
pub(crate) fn statement(q: &ParsedSentence<'_>, answer: &str) -> Option<String> {
    let answer = answer.trim().trim_end_matches(['.', '!', ',', ';']).trim();
    let answer = without_lead(answer);
    if answer.is_empty() {
        return None;
    }
    // What the asker does is not what the answerer says of themselves.
    let main = q.tree.root()?;
    if q.subject(main)
        .is_some_and(|subject| matches!(q.lower(subject), "i" | "we"))
    {
        return None;
    }
    alternative(q, answer)
        .or_else(|| any(q, answer))
        .or_else(|| open(q, answer))
}

/// The answer without "oh", "just", "um" before it.
fn without_lead(answer: &str) -> &str {
    let mut rest = answer;
    for _ in 0..3 {
        let Some((first, after)) = rest.split_once(|c: char| c.is_whitespace() || c == ',') else {
            break;
        };
        let lower = first.trim_end_matches([',', '!', '.']).to_lowercase();
        if !matches!(
            lower.as_str(),
            "oh" | "um"
                | "uh"
                | "well"
                | "so"
                | "haha"
                | "lol"
                | "hmm"
                | "er"
                | "ok"
                | "okay"
                | "still"
                | "just"
                | "probably"
                | "honestly"
        ) {
            break;
        }
        rest = after.trim_start_matches([',', ' ', '!']);
    }
    rest
}

/// A phrase of the question from the answerer's side.
fn turned(q: &ParsedSentence<'_>, words: &[usize]) -> String {
    let mut out = String::new();
    let mut last: Option<usize> = None;
    for at in words.iter().copied() {
        let form = match q.lower(at) {
            "you" if q.is_relation(at, &["nsubj", "nsubj:pass"]) => "I".to_owned(),
            "you" => "me".to_owned(),
            "your" => "my".to_owned(),
            "yours" => "mine".to_owned(),
            "yourself" => "myself".to_owned(),
            _ => q.form(at).to_owned(),
        };
        let joined = last.is_some_and(|last| last + 1 == at && q.word(last).range.end == q.word(at).range.start);
        if !out.is_empty() && !joined {
            out.push(' ');
        }
        out.push_str(&form);
        last = Some(at);
    }
    out
}

fn spoken(q: &ParsedSentence<'_>, words: impl IntoIterator<Item = usize>) -> Vec<usize> {
    words.into_iter().filter(|at| q.is_spoken(*at)).collect()
}

/// "Is it for commuting or for sport?" – "the first one"
fn alternative(q: &ParsedSentence<'_>, answer: &str) -> Option<String> {
    let or = (0..q.len()).find(|at| q.lower(*at) == "or")?;
    let last = q.word(or).head?;
    let first = q.word(last).head.filter(|_| q.is_relation(last, &["conj"]))?;
    let mut options = vec![first];
    options.extend(q.kids(first, &["conj"]));
    options.sort_unstable();
    let option_words = |nth: usize| -> Vec<usize> {
        let mut words = q.subtree(options[nth]);
        for other in options.iter().filter(|other| **other != options[nth]) {
            let below = q.subtree(*other);
            if !below.contains(&options[nth]) {
                words.retain(|word| !below.contains(word));
            }
        }
        words.retain(|word| {
            !q.is_relation(*word, &["cc", "punct", "nsubj", "aux", "cop", "discourse"]) || *word == options[nth]
        });
        words
    };
    let lower = format!(" {} ", answer.to_lowercase());
    let ordinal = [
        (" first ", 0),
        (" former ", 0),
        (" second ", 1),
        (" third ", 2),
        (" latter ", options.len() - 1),
        (" last ", options.len() - 1),
        (" later ", options.len() - 1),
    ]
    .iter()
    .find(|(word, _)| lower.contains(word))
    .map(|(_, nth)| *nth);
    let named = (0..options.len()).find(|nth| {
        let word = q.lower(options[*nth]);
        let stem = &word[..word.char_indices().nth(5).map_or(word.len(), |(at, _)| at)];
        lower.contains(&format!(" {stem}"))
    });
    let nth = named.or(ordinal).filter(|nth| *nth < options.len())?;
    let chosen = option_words(nth);
    let all: Vec<usize> = options.iter().flat_map(|option| q.subtree(*option)).collect();
    let is_predicate = q.word(first).head.is_none();
    let root = if is_predicate { options[nth] } else { q.tree.root()? };
    let main = q.tree.root()?;
    let subject = q.subject(main)?;
    let subject_words = q.noun_phrase(subject);
    let auxiliary = q.kids(main, &["aux", "cop"]).next();
    let mut rest: Vec<usize> = if is_predicate {
        chosen.clone()
    } else {
        let mut words: Vec<usize> = q.subtree(main).into_iter().filter(|word| !all.contains(word)).collect();
        words.extend(chosen.iter().copied());
        words.sort_unstable();
        words
    };
    rest.retain(|word| {
        !subject_words.contains(word)
            && Some(*word) != auxiliary
            && q.is_spoken(*word)
            && !q.is_relation(*word, &["cc"])
    });
    // What stands before the verb, such as "which".
    rest.retain(|word| *word > subject || chosen.contains(word));
    let said = turned(q, &spoken(q, subject_words));
    let _ = root;
    let predicate = turned(q, &rest);
    Some(declarative(q, &said, auxiliary, &predicate, main))
}

/// Subject, auxiliary and predicate in the order of a statement.
fn declarative(
    q: &ParsedSentence<'_>,
    subject: &str,
    auxiliary: Option<usize>,
    predicate: &str,
    main: usize,
) -> String {
    let is_first = subject == "I";
    match auxiliary.map(|at| q.lower(at)) {
        Some("do") => format!("{subject} {predicate}"),
        Some("does") => format!("{subject} {}", first_word(predicate, verb::third_person)),
        Some("did") => format!("{subject} {}", first_word(predicate, verb::past)),
        Some("are" | "is" | "'s" | "'re" | "am") if is_first => format!("I am {predicate}"),
        Some("'s" | "s") => format!("{subject} is {predicate}"),
        Some("were") if is_first => format!("I was {predicate}"),
        Some("would" | "should" | "can" | "could") if q.upos(main) == Upos::Verb && !is_first => {
            format!("{subject} {} {predicate}", q.lower(auxiliary.unwrap_or(0)))
        }
        Some(other) => format!("{subject} {other} {predicate}"),
        None => format!("{subject} {predicate}"),
    }
}

fn first_word(text: &str, change: impl Fn(&str) -> String) -> String {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    let adverb = matches!(first, "usually" | "also" | "still" | "mostly" | "currently" | "ever");
    if adverb && !rest.is_empty() {
        return format!("{first} {}", first_word(rest, change));
    }
    format!("{} {rest}", change(first)).trim_end().to_owned()
}

/// "Any allergies?" – "peanuts"
fn any(q: &ParsedSentence<'_>, answer: &str) -> Option<String> {
    let any = (0..q.len()).find(|at| matches!(q.lower(*at), "any" | "anything" | "anyone"))?;
    let noun = q.word(any).head.filter(|_| q.is_relation(any, &["det"]))?;
    let root = q.tree.root()?;
    let is_asked =
        noun == root || q.subject(root).is_some_and(|subject| q.lower(subject) == "you") || q.subject(root).is_none();
    if !is_asked || q.upos(noun) != Upos::Noun {
        return None;
    }
    let phrase: Vec<usize> = q.noun_phrase(noun).into_iter().filter(|at| *at != any).collect();
    let named = turned(q, &spoken(q, phrase));
    if q.lemma(noun) == "allergy" {
        return Some(format!("I am allergic to {answer}"));
    }
    let is_plural = q.has(noun, "Number", "Plur");
    if is_plural
        && q.upos(root) == Upos::Verb
        && matches!(q.lemma(root), "have" | "own" | "take" | "speak" | "play" | "use")
    {
        return Some(format!("I {} {answer}", q.lemma(root)));
    }
    Some(format!("my {named} {} {answer}", if is_plural { "are" } else { "is" }))
}

/// Questions for a thing, a place, a time or a number.
fn open(q: &ParsedSentence<'_>, answer: &str) -> Option<String> {
    let wh = (0..q.len()).find(|at| {
        matches!(
            q.lower(*at),
            "what" | "which" | "who" | "where" | "when" | "how" | "whats" | "what's"
        )
    })?;
    let root = q.tree.root()?;
    let kind = q.lower(wh);
    // "How are you?", "How was the trip?" ask for no name of a thing.
    if kind == "how" && !matches!(q.lower(wh + 1), "old" | "many" | "much" | "long" | "often" | "far") {
        return None;
    }
    let subject = q.subject(root).filter(|subject| *subject != wh);
    let auxiliary = q.kids(root, &["aux", "cop"]).next();
    let has_preposition = answer.split_whitespace().next().is_some_and(|first| {
        matches!(
            first.to_lowercase().as_str(),
            "in" | "at"
                | "on"
                | "near"
                | "from"
                | "to"
                | "with"
                | "by"
                | "for"
                | "since"
                | "around"
                | "about"
                | "under"
                | "over"
                | "outside"
                | "next"
                | "as"
        )
    });
    let be = |subject: &str| match auxiliary.map(|at| q.lower(at)) {
        Some("was") => "was",
        Some("were") if subject != "I" => "were",
        Some("were") => "was",
        Some("will") => "will be",
        _ if subject == "I" => "am",
        Some("are") => "are",
        _ => "is",
    };
    let named = |at: usize| turned(q, &spoken(q, q.noun_phrase(at)));
    // "How old is Pim?"
    let says_number = answer.contains(|c: char| c.is_ascii_digit())
        || answer
            .split_whitespace()
            .any(|word| crate::extraction::calendar::number(&word.to_lowercase()).is_some());
    if kind == "how" && matches!(q.lower(wh + 1), "old" | "many" | "much" | "long") && !says_number {
        return None;
    }
    if kind == "how" && q.lower(wh + 1) == "old" {
        let subject = named(subject.or_else(|| q.subject(wh + 1))?);
        let is_bare = answer.chars().all(|c| c.is_ascii_digit()) || !answer.contains(' ');
        let is_short = answer.split_whitespace().count() == 2 && !answer.contains("old") && answer.ends_with('s');
        let unit = if is_bare {
            " years old"
        } else if is_short {
            " old"
        } else {
            ""
        };
        return Some(format!("{subject} {} {answer}{unit}", be(&subject)));
    }
    // "What is your budget?", "Where was he from?", "Who's Niall?"
    let is_copular = auxiliary.is_some_and(|at| q.is_relation(at, &["cop"])) || q.lemma(root) == "be";
    if is_copular && (root == wh || q.word(wh).head == Some(root)) {
        let subject = subject.or(Some(root).filter(|root| *root != wh))?;
        let said = if subject == root {
            turned(q, &spoken(q, q.noun_phrase(root).into_iter().filter(|at| *at != wh)))
        } else {
            named(subject)
        };
        if said.is_empty() {
            return None;
        }
        let from = (0..q.len()).any(|at| q.lower(at) == "from" && at > wh);
        let place = match kind {
            "where" if from && !has_preposition => "from ",
            "where" if !has_preposition => "in ",
            _ => "",
        };
        return Some(format!("{said} {} {place}{answer}", be(&said)));
    }
    if q.upos(root) != Upos::Verb {
        return None;
    }
    let subject = subject?;
    let said = named(subject);
    let is_do = auxiliary.is_some_and(|at| matches!(q.lower(at), "do" | "does" | "did"));
    // "What do you do?"
    if q.lemma(root) == "do"
        && said == "I"
        && kind == "what"
        && is_do
        && auxiliary.is_some_and(|at| q.lower(at) == "do")
    {
        return Some(if has_preposition {
            format!("I work {answer}")
        } else {
            format!("I work as {answer}")
        });
    }
    let asked: Vec<usize> = if q.word(wh).head == Some(root) {
        q.subtree(wh)
    } else {
        let mut phrase = q.word(wh).head.unwrap_or(wh);
        while let Some(above) = q.word(phrase).head.filter(|above| *above != root && phrase != root) {
            phrase = above;
        }
        q.subtree(phrase)
    };
    let mut tail: Vec<usize> = q
        .subtree(root)
        .into_iter()
        .filter(|at| *at > root && !asked.contains(at) && q.is_spoken(*at))
        .collect();
    tail.retain(|at| !q.is_relation(*at, &["discourse", "cc"]));
    if tail.len() > 8 {
        return None;
    }
    let ends_open = tail.last().is_some_and(|last| q.upos(*last) == Upos::Adp);
    let head = turned(q, &[root]);
    let tail = turned(q, &tail);
    let measured = match (kind, q.lower(wh + 1)) {
        ("how", "many" | "much") => {
            let noun: Vec<usize> = spoken(q, asked.iter().copied().filter(|at| *at > wh + 1));
            format!("{answer} {}", turned(q, &noun))
        }
        ("how", "long") if !has_preposition => format!("for {answer}"),
        ("where", _) if !has_preposition => format!(
            "{} {answer}",
            if matches!(q.lemma(root), "go" | "move" | "travel" | "fly") {
                "to"
            } else if q.lemma(root) == "work" {
                "at"
            } else {
                "in"
            }
        ),
        ("when", _) if !has_preposition && answer.starts_with(|c: char| c.is_ascii_digit()) => format!("on {answer}"),
        _ => answer.to_owned(),
    };
    let predicate = if ends_open || q.lower(wh + 1) == "long" || kind == "when" || kind == "where" {
        format!("{head} {tail} {measured}")
    } else {
        format!("{head} {measured} {tail}")
    };
    let predicate = predicate.split_whitespace().collect::<Vec<_>>().join(" ");
    let adverbs: Vec<usize> = q
        .kids(root, &["advmod"])
        .filter(|at| *at > subject && *at < root)
        .collect();
    let predicate = format!("{} {predicate}", turned(q, &adverbs));
    Some(declarative(q, &said, auxiliary, predicate.trim_start(), root))
}

/// The statement as a sentence.
pub(crate) fn as_sentence(statement: &str) -> String {
    format!("{}.", capitalised(statement.trim()))
}
