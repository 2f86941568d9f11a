//! Standing wishes about how the assistant behaves: "always use metric units", "call me Bo", "keep your answers short".
//!
//! An order for this once is none of them: what makes it stand is a word such as "always", or that it speaks of the manner
//! of answers.

use super::render::Speaker;
use super::sentence::ParsedSentence;
use super::words::{is_filler, is_manner_verb, is_of_style, stands};
use crate::parser::Upos;

/// Not names, behind "call me".
const NOT_CALLED: &[&str] = &[
    "later",
    "back",
    "tomorrow",
    "today",
    "tonight",
    "when",
    "if",
    "at",
    "on",
    "crazy",
    "old",
    "a",
    "an",
    "the",
    "now",
    "out",
    "again",
    "soon",
    "asap",
    "in",
    "before",
    "after",
    "whatever",
    "naive",
    "cynical",
    "old-fashioned",
    "weird",
    "silly",
];

/// A standing wish: the text in the third person, and the words that it rests on.
pub(crate) struct Instruction {
    /// The wish as a sentence, without stop.
    pub(crate) text: String,
    /// Its words.
    pub(crate) own: Vec<usize>,
    /// The verb of what is wanted.
    pub(crate) verb: usize,
}

/// The standing wish that a sentence holds.
pub(crate) fn instruction(s: &ParsedSentence<'_>, speaker: Speaker<'_>) -> Option<Instruction> {
    if s.text.trim_end().ends_with('?') {
        return None;
    }
    name(s, speaker).or_else(|| order(s, speaker))
}

/// "call me Bo", "I go by Bo", "my friends call me Bo"
fn name(s: &ParsedSentence<'_>, speaker: Speaker<'_>) -> Option<Instruction> {
    let call = (0..s.len()).find(|at| matches!(s.lower(*at), "call" | "address") && s.lower(*at + 1) == "me")?;
    let name = call + 2;
    if name >= s.len() || NOT_CALLED.contains(&s.lower(name)) || !s.is_spoken(name) {
        return None;
    }
    let is_name = s.form(name).chars().next().is_some_and(char::is_uppercase) || s.upos(name) == Upos::Propn;
    if !is_name {
        return None;
    }
    let mut last = name;
    while last + 1 < s.len()
        && s.upos(last + 1) == Upos::Propn
        && s.form(last + 1).chars().next().is_some_and(char::is_uppercase)
    {
        last += 1;
    }
    let is_denied = (0..call).any(|at| matches!(s.lower(at), "n't" | "not" | "dont" | "never" | "don't" | "nt"));
    let called: Vec<&str> = (name..=last).map(|at| s.form(at)).collect();
    let verb = if is_denied { "doesn't want" } else { "wants" };
    Some(Instruction {
        text: format!("{} {verb} to be called {}", speaker.name, called.join(" ")),
        own: (call..=last).collect(),
        verb: call,
    })
}

fn order(s: &ParsedSentence<'_>, speaker: Speaker<'_>) -> Option<Instruction> {
    let verb = ordered(s)?;
    let words = order_words(s, verb);
    let spoken: Vec<&str> = words.iter().map(|at| s.lower(*at)).collect();
    let is_denied = (0..verb).any(|at| matches!(s.lower(at), "n't" | "not" | "dont" | "don't" | "nt") && at + 4 > verb);
    let stands = stands(&spoken.join(" "));
    let is_of_style = words
        .iter()
        .filter(|at| **at > verb)
        .take(8)
        .any(|at| is_of_style(s.lower(*at)));
    let is_condition = words.iter().copied().any(|at| {
        matches!(s.lower(at), "when" | "if" | "whenever") && matches!(s.lower(at + 1), "i" | "we" | "im" | "i'm")
    });
    let is_manner = is_manner_verb(s.lemma(verb));
    let is_habit = matches!(s.lower(verb), "stop" | "quit" | "avoid" | "skip" | "keep")
        && (is_of_style || s.lower(verb + 1).ends_with("ing"));
    let is_short = spoken.len() <= 14;
    let holds = stands && (is_manner || is_of_style)
        || is_manner && is_condition
        || is_habit
        || is_manner && is_of_style && is_short && is_denied
        || matches!(
            s.lemma(verb),
            "use" | "keep" | "answer" | "reply" | "respond" | "talk" | "speak" | "be"
        ) && is_of_style
            && is_short
            && !refers_to_text(s, verb);
    if !holds {
        return None;
    }
    // What stands before the order moves behind it: "when I ask for code, skip the explanations".
    let start = (0..verb).rev().take_while(|at| is_lead(s, *at)).last().unwrap_or(verb);
    let mut body: Vec<usize> = words.iter().copied().filter(|at| *at >= verb).collect();
    while body.last().is_some_and(|last| {
        !s.is_spoken(*last) && !matches!(s.form(*last), "\"" | ")" | "”") || is_filler(s.lower(*last))
    }) {
        body.pop();
    }
    let before: Vec<usize> = words.iter().copied().filter(|at| *at < start).collect();
    let never = (start..verb).any(|at| s.lower(at) == "never");
    let always = (start..verb).any(|at| s.lower(at) == "always");
    let mut text = format!(
        "{} {} the assistant to {}{}",
        speaker.name,
        if never {
            "never wants"
        } else if is_denied {
            "doesn't want"
        } else {
            "wants"
        },
        if always { "always " } else { "" },
        written(s, &body)
    );
    let lead = written(s, &before);
    let lead = lead.trim_matches(|c: char| !c.is_alphanumeric() && c != '"');
    let is_wish = (0..start).any(|at| matches!(s.lower(at), "want" | "like" | "need" | "prefer"));
    if !lead.is_empty() && !is_wish && !is_filler(&lead.to_lowercase()) && lead.split(' ').count() > 1 {
        text = format!(
            "{text}, {}{}",
            lead.chars()
                .next()
                .map_or(String::new(), |c| c.to_lowercase().collect()),
            lead.chars().skip(1).collect::<String>()
        );
    }
    let mut own = words;
    own.extend(start..verb);
    own.sort_unstable();
    own.dedup();
    Some(Instruction { text, own, verb })
}

/// The words of an order: what hangs on its verb, without what is told beside it.
fn order_words(s: &ParsedSentence<'_>, verb: usize) -> Vec<usize> {
    let mut words = s.subtree(verb);
    for kid in s.children(verb).iter().copied() {
        let tells = s
            .subject(kid)
            .is_some_and(|subject| !matches!(s.lower(subject), "you" | "u"));
        let is_beside = s.is_relation(kid, &["conj", "parataxis", "ccomp", "advcl"])
            && tells
            && !s.kids(kid, &["mark", "advmod"]).any(|mark| {
                matches!(
                    s.lower(mark),
                    "if" | "when" | "whenever" | "unless" | "that" | "until" | "like" | "even"
                )
            });
        if is_beside || s.is_relation(kid, &["discourse", "vocative"]) {
            let below = s.subtree(kid);
            words.retain(|word| below.binary_search(word).is_err());
        }
    }
    let lead: Vec<usize> = (0..verb)
        .rev()
        .take_while(|at| is_lead(s, *at) || s.form(*at) == ",")
        .collect();
    // "from now on" may hang elsewhere.
    if let Some(head) = s.word(verb).head.filter(|head| *head < verb) {
        words.extend(
            s.kids(head, &["obl", "advmod", "advcl"])
                .filter(|kid| *kid < head)
                .flat_map(|kid| s.subtree(kid)),
        );
    }
    words.extend(lead);
    words.sort_unstable();
    words.dedup();
    words
}

/// "use this recipe", "keep the file": an order about a thing at hand.
fn refers_to_text(s: &ParsedSentence<'_>, verb: usize) -> bool {
    (verb + 1..s.len().min(verb + 4))
        .any(|at| matches!(s.lower(at), "this" | "that" | "these" | "following" | "above" | "below"))
}

/// Words that stand directly before an order.
fn is_lead(s: &ParsedSentence<'_>, at: usize) -> bool {
    matches!(
        s.lower(at),
        "please"
            | "pls"
            | "plz"
            | "do"
            | "n't"
            | "not"
            | "dont"
            | "don't"
            | "never"
            | "always"
            | "just"
            | "nt"
            | "you"
            | "u"
            | "to"
            | "and"
            | "also"
            | "kindly"
    )
}

/// The verb of an order to the assistant.
fn ordered(s: &ParsedSentence<'_>) -> Option<usize> {
    let is_base = |at: usize| {
        matches!(s.upos(at), Upos::Verb | Upos::Aux) && (s.lower(at) == s.lemma(at) || is_manner_verb(s.lower(at)))
    };
    for at in 0..s.len() {
        if !is_base(at) || matches!(s.lower(at), "do" | "want" | "need" | "like") || s.is_relation(at, &["aux"]) {
            continue;
        }
        // "I want you to …", "I'd like you to …", "you should always …"
        let to = (0..at)
            .rev()
            .find(|before| !matches!(s.lower(*before), "always" | "never" | "only" | "just"));
        let by_wish = to.is_some_and(|to| to > 0 && s.lower(to) == "to" && matches!(s.lower(to - 1), "you" | "u"));
        let subject = s.subject(at);
        let free =
            subject.is_none_or(|subject| matches!(s.lower(subject), "you" | "u")) && s.kid(at, &["mark"]).is_none();
        let heads = s.word(at).head.is_none() || s.is_relation(at, &["conj", "parataxis", "ccomp", "advcl"]) && free;
        let auxiliary = s
            .kids(at, &["aux"])
            .any(|aux| !matches!(s.lower(aux), "do" | "should" | "must" | "dont" | "don't"));
        let told_of_self = at > 0
            && (0..at).any(|before| {
                matches!(s.lower(before), "i" | "we" | "he" | "she" | "they") && s.word(before).head == Some(at)
            });
        let has_nominative = s
            .kids(at, &["nsubj", "nsubj:pass"])
            .any(|kid| !matches!(s.lower(kid), "you" | "u"));
        if has_nominative {
            continue;
        }
        if by_wish || free && heads && !auxiliary && !told_of_self && !follows_subject(s, at) {
            return Some(at);
        }
    }
    None
}

/// Whether a verb shares the subject of the verb that it is joined to.
fn follows_subject(s: &ParsedSentence<'_>, at: usize) -> bool {
    let Some(head) = s.word(at).head.filter(|_| s.is_relation(at, &["conj"])) else {
        return false;
    };
    s.subject(head)
        .is_some_and(|subject| !matches!(s.lower(subject), "you" | "u"))
        && head < at
}

fn written(s: &ParsedSentence<'_>, words: &[usize]) -> String {
    let mut out = String::new();
    let mut last: Option<usize> = None;
    for at in words.iter().copied() {
        let form = match s.lower(at) {
            "me" | "us" => "them".to_owned(),
            "i" | "we" => "they".to_owned(),
            "my" | "our" => "their".to_owned(),
            "mine" | "ours" => "theirs".to_owned(),
            "your" | "ur" => "its".to_owned(),
            "you" | "u" => "it".to_owned(),
            "'m" | "m" | "'re" if s.upos(at) == Upos::Aux => "are".to_owned(),
            "am" => "are".to_owned(),
            "'ve" => "have".to_owned(),
            "please" | "pls" | "plz" => continue,
            _ if at == words[0] && s.upos(at) == Upos::Verb => s.lower(at).to_owned(),
            lower => match super::words::meant(lower).filter(|_| s.upos(at) != Upos::Propn) {
                Some(meant) => meant.to_owned(),
                None => s.form(at).to_owned(),
            },
        };
        let joined = last.is_some_and(|last| last + 1 == at && s.word(last).range.end == s.word(at).range.start)
            && !(out.ends_with(char::is_alphanumeric) && form.starts_with(char::is_alphanumeric));
        if !out.is_empty() && !joined {
            out.push(' ');
        }
        out.push_str(&form);
        last = Some(at);
    }
    out
}
