//! The clauses of a sentence.

use super::fragment;
use super::nouns;
use super::sentence::ParsedSentence;
use super::words::{LONGEST_FILLER, is_distributive, is_filler, is_idle, is_role, is_transparent};
use crate::parser::Upos;

/// Variants of one clause: "I like a, b and c".
const MOST_VARIANTS: usize = 12;

/// A word of a clause: one of the sentence, or one that completes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A word of the sentence.
    Word(usize),
    /// A word that the clause shares with another one, or that was left out.
    Text(String),
    /// The speaker, who is left out.
    Speaker,
    /// "my", where it is left out.
    Speakers,
}

/// What a clause is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It tells something.
    Tells,
    /// It asks, or tells somebody to do something: nothing to keep, on purpose.
    Asks,
    /// An order to the assistant.
    Orders,
}

/// A clause.
#[derive(Clone, Debug)]
pub(crate) struct Clause {
    /// Its words in the order in which they are said.
    pub(crate) pieces: Vec<Piece>,
    /// The word that it hangs on.
    pub(crate) head: usize,
    /// The words of the sentence that are this clause's own.
    pub(crate) own: Vec<usize>,
    /// The verb that agrees with a speaker who was put in front; none where all agree already.
    pub(crate) agrees: Option<usize>,
    /// What it is good for.
    pub(crate) fate: Fate,
    /// Whether it is finished: a noun phrase's fact in the third person.
    pub(crate) is_finished: bool,
}

/// Verbs that say nothing without an object.
const INCOMPLETE: &[&str] = &[
    "hate", "like", "love", "have", "want", "need", "prefer", "know", "own", "use", "get", "be", "make", "do",
];

/// Nouns that mean something of the chat itself.
const VAGUE: &[&str] = &[
    "idea",
    "question",
    "point",
    "thing",
    "things",
    "way",
    "one",
    "time",
    "problem",
    "sense",
    "help",
    "answer",
    "suggestion",
    "info",
    "response",
    "minutes",
    "minute",
    "sec",
    "second",
    "moment",
    "lot",
    "bit",
    "right",
    "fine",
    "good",
    "great",
    "ok",
    "okay",
    "sure",
    "stuff",
    "reply",
    "work",
    "works",
    "mean",
    "glad",
    "happy",
    "sorry",
    "excited",
    "nice",
    "best",
    "thanks",
    "luck",
];

impl Clause {
    /// Whether it has a verb, of its own or given to it, or says enough without.
    pub(crate) fn is_complete(&self, s: &ParsedSentence<'_>) -> bool {
        let is_given = self
            .pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Text(_) | Piece::Speaker));
        let topics = s.topics();
        let says = self
            .own
            .iter()
            .filter(|word| topics.contains(word) && s.upos(**word) != Upos::Num)
            .count();
        is_given || says > 1 || s.subject(self.head).is_some() || self.pieces.len() > self.own.len()
    }

    /// "I hate": the object is elsewhere.
    pub(crate) fn says_nothing(&self, s: &ParsedSentence<'_>) -> bool {
        !self.is_finished
            && INCOMPLETE.contains(&s.lemma(self.head))
            && s.kid(self.head, &["cop", "aux:pass"]).is_none()
            && self.own.iter().all(|word| {
                *word == self.head
                    || matches!(
                        s.upos(*word),
                        Upos::Pron | Upos::Aux | Upos::Punct | Upos::Adv | Upos::Part | Upos::Intj
                    )
            })
    }

    /// Whether it stands beside another clause: "I fell and broke a tooth".
    pub(crate) fn is_joined_to(&self, s: &ParsedSentence<'_>, before: usize) -> bool {
        self.head > before && s.word(self.head).head == Some(before) && s.is_relation(self.head, &["conj"])
    }

    /// What holds only for the moment: "I'm lost", "I'm getting an error".
    pub(crate) fn is_idle(&self, s: &ParsedSentence<'_>) -> bool {
        let head = self.head;
        let is_of_speaker = s.subject(head).is_some_and(|subject| s.lower(subject) == "i")
            || self.pieces.first() == Some(&Piece::Speaker);
        let is_now = s
            .kids(head, &["cop", "aux"])
            .any(|word| matches!(s.lower(word), "am" | "'m" | "m"))
            || self.pieces.contains(&Piece::Text("is".to_owned()));
        let topics = s.topics();
        let others = self
            .own
            .iter()
            .filter(|word| **word != head && topics.contains(word) && s.lower(**word) != "bed")
            .count();
        let is_plan = s.lower(head) == "going" && s.kid(head, &["xcomp"]).is_some();
        let is_with_error = s.kids(head, &["obj"]).any(|object| {
            matches!(
                s.lower(object),
                "error" | "errors" | "warning" | "message" | "issue" | "problem" | "question"
            )
        });
        !self.is_finished
            && is_of_speaker
            && is_now
            && is_idle(s.lower(head))
            && !is_plan
            && (others == 0 || is_with_error)
            || self.is_unreal(s)
    }

    /// "I would have studied law", "I'm obviously a millionaire", "sure, because I enjoy taxes"
    fn is_unreal(&self, s: &ParsedSentence<'_>) -> bool {
        let auxiliaries: Vec<&str> = s.kids(self.head, &["aux"]).map(|word| s.lower(word)).collect();
        let would_have = auxiliaries.iter().any(|word| matches!(*word, "would" | "'d"))
            && auxiliaries.iter().any(|word| matches!(*word, "have" | "'ve"));
        let is_mocked = s.kid(self.head, &["cop"]).is_some()
            && matches!(s.upos(self.head), Upos::Noun | Upos::Propn)
            && s.kids(self.head, &["advmod"])
                .any(|word| matches!(s.lower(word), "obviously" | "basically" | "clearly" | "totally"));
        would_have && !self.is_finished || is_mocked
    }

    /// A truth about the world: "sheep have rectangular pupils".
    pub(crate) fn is_of_the_world(&self, s: &ParsedSentence<'_>) -> bool {
        let Some(subject) = s.subject(self.head) else {
            return false;
        };
        let is_general = matches!(s.upos(subject), Upos::Noun | Upos::Propn)
            && s.kids(subject, &["det", "nmod:poss"])
                .all(|det| matches!(s.lower(det), "a" | "an" | "every" | "most" | "all"))
            && s.kid(subject, &["nmod:poss"]).is_none();
        let is_present = s
            .finite(self.head)
            .is_some_and(|verb| s.has(verb, "Tense", "Pres") || matches!(s.lower(verb), "is" | "are" | "'s"));
        let names_anybody =
            s.upos(subject) == Upos::Propn || self.own.iter().any(|word| s.is_speaker(*word) || s.is_speakers(*word));
        let is_kin = super::words::kin(s.lower(subject)).is_some();
        is_general && is_present && !names_anybody && !is_kin
    }

    /// What is said of the chat itself: "I love this answer", "I pasted that twice".
    pub(crate) fn is_of_the_chat(&self, s: &ParsedSentence<'_>) -> bool {
        let object = s.kids(self.head, &["obj"]).next();
        let is_pointed = object.is_some_and(|object| {
            matches!(s.lower(object), "this" | "that" | "these" | "those")
                || VAGUE.contains(&s.lower(object))
                    && s.kids(object, &["det"])
                        .any(|det| matches!(s.lower(det), "this" | "that" | "your" | "the"))
        });
        let topics = s.topics();
        let says_more = self
            .own
            .iter()
            .filter(|word| topics.contains(word) && **word != self.head && Some(**word) != object)
            .count()
            > 0;
        is_pointed && !says_more && !self.is_finished
    }

    /// Whether it tells something of somebody, however plain its words: "I love my job", "Kaja is vegan".
    pub(crate) fn tells_of_somebody(&self, s: &ParsedSentence<'_>) -> bool {
        let subject = s.subject(self.head);
        let is_somebody = self.pieces.first() == Some(&Piece::Speaker)
            || subject.is_some_and(|subject| {
                s.is_speaker(subject)
                    || s.is_of_speaker(subject)
                    || s.upos(subject) == Upos::Propn && s.kid(subject, &["det"]).is_none()
            });
        let below: Vec<usize> = subject.map(|subject| s.subtree(subject)).unwrap_or_default();
        let says = |word: usize| {
            matches!(s.upos(word), Upos::Noun | Upos::Propn | Upos::Num | Upos::Adj)
                && !below.contains(&word)
                && !VAGUE.contains(&s.lower(word))
                && s.kids(word, &["det"])
                    .all(|det| !matches!(s.lower(det), "that" | "this" | "those" | "these"))
        };
        is_somebody && self.own.iter().copied().any(says)
    }
}

/// What a clause takes from the one above it.
#[derive(Clone, Default)]
struct Inherited {
    subject: Vec<usize>,
    auxiliaries: Vec<usize>,
}

/// Marks before a clause that stands for itself.
const SEPARATE: &[&str] = &[
    "because", "since", "so", "although", "though", "but", "while", "whereas", "bc", "cuz", "coz", "cos", "cause",
    "as", "even",
];

/// The clauses of a sentence, in the order of the text.
pub(crate) fn clauses(sentence: &ParsedSentence<'_>) -> Vec<Clause> {
    let mut walk = Walk {
        sentence,
        out: Vec::new(),
        taken: vec![false; sentence.len()],
    };
    if fragment::is_pronouns(sentence.text) {
        walk.push(
            0,
            fragment::pronouns(sentence.len()),
            (0..sentence.len()).collect(),
            None,
        );
    } else if let Some(root) = sentence.tree.root() {
        walk.clause(root, &Inherited::default());
    }
    let mut out = walk.out;
    nouns::facts(sentence, &mut out);
    out.sort_by_key(|clause| clause.own.first().copied().unwrap_or(0));
    out
}

/// Whether each clause of a sentence has a subject of its own and all its words, so that it can't be part of a name or secret.
pub(crate) fn are_whole_clauses(sentence: &ParsedSentence<'_>) -> bool {
    let clauses: Vec<Clause> = clauses(sentence)
        .into_iter()
        .filter(|clause| !clause.is_finished)
        .collect();
    let is_whole = |clause: &Clause| {
        let gaps = clause
            .own
            .windows(2)
            .any(|pair| pair[1] != pair[0] + 1 && (pair[0] + 1..pair[1]).any(|at| sentence.is_spoken(at)));
        sentence.subject(clause.head).is_some() && !gaps
    };
    let held: usize = clauses
        .iter()
        .map(|clause| clause.own.iter().filter(|at| sentence.is_spoken(**at)).count())
        .sum();
    let spoken = (0..sentence.len())
        .filter(|at| sentence.is_spoken(*at) && !sentence.is_relation(*at, &["cc", "discourse", "mark"]))
        .count();
    clauses.iter().all(is_whole) && held >= spoken
}

struct Walk<'s, 'a> {
    sentence: &'s ParsedSentence<'a>,
    out: Vec<Clause>,
    /// Heads that were visited: a bound whatever the tree is.
    taken: Vec<bool>,
}

impl Walk<'_, '_> {
    fn clause(&mut self, head: usize, inherited: &Inherited) {
        let s = self.sentence;
        if std::mem::replace(&mut self.taken[head], true) {
            return;
        }
        let subject = s.subject(head);
        let parts = self.parts(head);
        if let Some(told) = self.told_behind(head, subject) {
            // "I think …": the telling is what comes behind it.
            self.clause(told, &Inherited::default());
            let beside = self.inherited(head, subject, inherited);
            for part in parts.into_iter().filter(|part| *part != told) {
                self.part(part, &beside);
            }
            return;
        }
        let mut own = s.subtree(head);
        for part in parts.iter().chain(&self.dropped(head)) {
            let below = s.subtree(*part);
            own.retain(|word| below.binary_search(word).is_err());
        }
        if s.is_relation(head, &["advcl"]) {
            // "because", "mostly since": why it is said is not part of what is said.
            let first_mark = s.kids(head, &["mark"]).find(|mark| SEPARATE.contains(&s.lower(*mark)));
            if let Some(mark) = first_mark {
                own.retain(|word| *word > mark || *word == head);
            }
        }
        if s.is_relation(head, &["ccomp"]) {
            let that = s.kids(head, &["mark"]).find(|mark| s.lower(*mark) == "that");
            own.retain(|word| that.is_none_or(|that| *word > that));
        }
        let relatives = self.relatives(&own);
        for (_, relative) in &relatives {
            let below = s.subtree(*relative);
            own.retain(|word| below.binary_search(word).is_err());
        }
        self.trim(&mut own, head);
        self.emit(head, subject, own, inherited);
        for (noun, relative) in relatives {
            self.relative(noun, relative);
        }
        let beside = self.inherited(head, subject, inherited);
        for part in parts {
            self.part(part, &beside);
        }
    }

    fn part(&mut self, part: usize, beside: &Inherited) {
        let s = self.sentence;
        let mut given = beside.clone();
        if s.subject(part).is_some() {
            given.subject.clear();
            given.auxiliaries.clear();
        } else if s.is_relation(part, &["parataxis", "list"]) && !s.is_clausal(part) {
            given = Inherited::default();
        } else if s.is_relation(part, &["advcl", "acl"]) || s.is_finite(part) {
            given.auxiliaries.clear();
        }
        self.clause(part, &given);
    }

    /// What a clause lends to those beside it.
    fn inherited(&self, head: usize, subject: Option<usize>, above: &Inherited) -> Inherited {
        let s = self.sentence;
        let auxiliaries: Vec<usize> = s.kids(head, &["aux", "cop"]).collect();
        let subject = match subject {
            Some(subject) => {
                let mut words = s.noun_phrase(subject);
                for kid in s.kids(subject, &["conj"]) {
                    words.extend(s.subtree(kid));
                }
                words.sort_unstable();
                words.dedup();
                words
            }
            None => above.subject.clone(),
        };
        Inherited {
            subject,
            auxiliaries: if auxiliaries.is_empty() {
                above.auxiliaries.clone()
            } else {
                auxiliaries
            },
        }
    }

    /// The clause that a verb of saying, thinking or remembering only leads to.
    fn told_behind(&self, head: usize, subject: Option<usize>) -> Option<usize> {
        let s = self.sentence;
        // "I'd like you to remember that …"
        if matches!(s.lemma(head), "like" | "want" | "need")
            && let Some(verb) = s
                .kid(head, &["xcomp", "ccomp"])
                .filter(|verb| is_transparent(s.lemma(*verb)))
            && let Some(told) = s.kid(verb, &["ccomp"])
        {
            return Some(told);
        }
        let told = s.kid(head, &["ccomp"])?;
        let is_by_speaker = subject.is_none_or(|subject| s.is_speaker(subject) || s.lower(subject) == "you");
        // "I told my boss I'd quit": what somebody else was told is not the telling.
        let is_to_others = s.lemma(head) == "tell"
            && s.kids(head, &["obj", "iobj"])
                .any(|whom| !matches!(s.lower(whom), "you" | "u" | "me"));
        if is_to_others && s.kids(head, &["aux"]).next().is_none() && !s.text.trim_end().ends_with('?') {
            return None;
        }
        let is_denied = s
            .kids(head, &["advmod"])
            .any(|kid| matches!(s.lower(kid), "n't" | "not" | "nt" | "never"));
        let is_asked = s.kids(told, &["mark", "advmod", "obj", "nsubj", "obl"]).any(|kid| {
            matches!(
                s.lower(kid),
                "if" | "whether" | "how" | "why" | "what" | "which" | "who" | "where" | "when"
            )
        });
        let is_wide = s.is_finite(told) && s.subject(told).is_some();
        // "Suppose I moved": what is not said to be so.
        let is_supposed = subject.is_none()
            && !matches!(
                s.lemma(head),
                "remember"
                    | "note"
                    | "know"
                    | "remind"
                    | "save"
                    | "store"
                    | "keep"
                    | "forget"
                    | "tell"
                    | "mention"
                    | "add"
                    | "mean"
            );
        (is_transparent(s.lemma(head)) && !is_supposed && is_by_speaker && !is_denied && !is_asked && is_wide)
            .then_some(told)
    }

    /// The clauses below a clause that stand for themselves.
    fn parts(&self, head: usize) -> Vec<usize> {
        let s = self.sentence;
        let has_cop = s.kid(head, &["cop"]).is_some();
        let mut parts = Vec::new();
        for kid in s.children(head).iter().copied() {
            let is_part = if s.is_relation(kid, &["conj"]) && self.is_alternative(kid) {
                false
            } else if s.is_relation(kid, &["conj"]) {
                s.is_clausal(kid) && !self.is_bare_verb_of_phrase(head, kid)
                    || has_cop && self.is_predicate(kid)
                    || !s.is_clausal(head) && !s.is_clausal(kid) && head == s.tree.root().unwrap_or(0)
            } else if s.is_relation(kid, &["parataxis", "list"]) {
                // "locker 12": what no mark parts from the words before it.
                s.is_clausal(kid) && s.subject(kid).is_some() || !s.is_clausal(head) || self.is_parted(kid)
            } else if s.is_relation(kid, &["appos"]) {
                !s.is_clausal(head) && head == s.tree.root().unwrap_or(0)
                    || s.is_finite(kid) && s.subject(kid).is_some()
                    || has_cop && kid > head && self.is_predicate(kid)
            } else if has_cop
                && kid > head
                && s.is_relation(kid, &["amod", "acl", "advmod"])
                && !s.is_relation(kid, &["acl:relcl"])
            {
                self.follows_comma(kid) && (self.is_predicate(kid) || s.upos(kid) == Upos::Verb)
            } else if s.is_relation(kid, &["ccomp"]) {
                // "I'm a nurse, my wife is a teacher": a complement that stands before or without a verb of saying.
                s.kid(kid, &["mark"]).is_none()
                    && s.subject(kid).is_some()
                    && s.is_finite(kid)
                    && s.upos(head) != Upos::Verb
            } else if s.is_relation(kid, &["advcl"]) {
                self.is_separate(head, kid)
            } else if s.is_relation(kid, &["acl"]) {
                !s.is_clausal(head)
                    && head == s.tree.root().unwrap_or(0)
                    && s.upos(kid) == Upos::Verb
                    && s.kid(kid, &["mark"]).is_none()
            } else {
                false
            };
            if is_part {
                parts.push(kid);
            }
        }
        parts
    }

    /// Whether a word can say alone what somebody is: "a nurse", "vegan", "34".
    fn is_predicate(&self, word: usize) -> bool {
        let s = self.sentence;
        match s.upos(word) {
            Upos::Adj => true,
            Upos::Num => s.lower(word).parse::<u8>().is_ok(),
            Upos::Noun => {
                is_role(s.lower(word))
                    || s.kids(word, &["det"])
                        .any(|det| matches!(s.lower(det), "a" | "an" | "the"))
            }
            _ => false,
        }
    }

    /// "whether to sell it or let it out": neither is said to be so. With a subject of its own, it is another matter.
    fn is_alternative(&self, kid: usize) -> bool {
        let s = self.sentence;
        s.kids(kid, &["cc"]).any(|cc| matches!(s.lower(cc), "or" | "nor")) && s.subject(kid).is_none()
    }

    /// Whether a mark or conjunction stands before a word's phrase.
    fn is_parted(&self, word: usize) -> bool {
        let s = self.sentence;
        let first = s.subtree(word)[0];
        // A hyphen inside a word parts nothing: "left-handed".
        let is_hyphen =
            |at: usize| matches!(s.form(at), "-" | "‐") && s.word(at).range.end == s.word(at + 1).range.start;
        first == 0
            || !s.is_spoken(first) && !is_hyphen(first)
            || !s.is_spoken(first - 1) && !is_hyphen(first - 1)
            || s.upos(first - 1) == Upos::Cconj
            || s.upos(first) == Upos::Cconj
    }

    fn follows_comma(&self, word: usize) -> bool {
        let s = self.sentence;
        let first = s.subtree(word)[0];
        first > 0 && matches!(s.form(first - 1), "," | "-" | "–" | "—") || s.form(first) == ","
    }

    /// "I want to cook and clean": the second verb has the same "to".
    fn is_bare_verb_of_phrase(&self, head: usize, kid: usize) -> bool {
        let s = self.sentence;
        s.is_relation(head, &["xcomp"]) && s.subject(kid).is_none() && !s.is_finite(kid)
    }

    fn is_separate(&self, head: usize, clause: usize) -> bool {
        let s = self.sentence;
        let mark = s
            .kid(clause, &["mark"])
            .or_else(|| s.kid(clause, &["advmod", "cc"]).filter(|kid| *kid < clause));
        let starts = |words: &[&str]| mark.is_some_and(|mark| words.contains(&s.lower(mark)));
        if s.subject(clause).is_some() && s.is_finite(clause) {
            let is_purpose = starts(&["so"])
                && s.kids(clause, &["aux"])
                    .any(|aux| matches!(s.lower(aux), "can" | "could" | "ca"));
            // "top of my list since I was a boy": when, not why.
            let is_age = starts(&["since", "as", "while"])
                && s.kids(clause, &["cop"])
                    .any(|cop| matches!(s.lower(cop), "was" | "were"));
            // "Obsidian is where I keep my notes"
            let is_asked_for = matches!(s.lower(head), "where" | "what" | "how" | "why" | "when" | "who");
            return (starts(SEPARATE) && !is_purpose && !is_age || mark.is_none()) && !is_asked_for;
        }
        let is_participle = s.has(clause, "VerbForm", "Ger")
            || s.has(clause, "VerbForm", "Part")
            || s.lower(clause).ends_with("ing")
            || s.kids(clause, &["cop"]).any(|cop| s.lower(cop) == "being");
        let below = s.subtree(clause);
        let (first, last) = (below[0], below[below.len() - 1]);
        let pauses = first > 0 && s.form(first - 1) == ","
            || s.form(first) == ","
            || s.form(last) == "," && last < head
            || last + 1 < s.len() && s.form(last + 1) == "," && last < head;
        mark.is_none() && is_participle && pauses && s.is_clausal(head)
    }

    /// Words of a clause that say nothing.
    fn dropped(&self, head: usize) -> Vec<usize> {
        let s = self.sentence;
        let stands_apart = |kid: usize| {
            let below = s.subtree(kid);
            let (first, last) = (below[0], below[below.len() - 1]);
            s.is_relation(kid, &["discourse"])
                || first == 0
                || s.form(first) == ","
                || s.form(first - 1) == ","
                || s.form(last) == ","
        };
        s.kids(head, &["discourse", "vocative"])
            .filter(|kid| s.children(*kid).len() < 4 && stands_apart(*kid))
            .collect()
    }

    /// Relative clauses that tell something more of what they hang on, with that.
    fn relatives(&self, own: &[usize]) -> Vec<(usize, usize)> {
        let s = self.sentence;
        let mut found = Vec::new();
        for word in own.iter().copied() {
            let Some(noun) = s.word(word).head else { continue };
            if !s.is_relation(word, &["acl:relcl"]) || own.binary_search(&noun).is_err() {
                continue;
            }
            let first = s.subtree(word)[0];
            let pauses = first > 0 && matches!(s.form(first - 1), "," | "(" | "-" | "–" | "—") || s.form(first) == ",";
            let is_somebody = s.is_of_speaker(noun) || s.upos(noun) == Upos::Propn;
            let is_new = s.kids(noun, &["det"]).any(|det| matches!(s.lower(det), "a" | "an"));
            if is_somebody || pauses && s.upos(noun) == Upos::Noun || is_new && s.upos(noun) == Upos::Noun {
                found.push((noun, word));
            }
        }
        found
    }

    /// "my wife, who loves orchids" → "my wife loves orchids"; "a dog I adopted" → "I adopted the dog".
    fn relative(&mut self, noun: usize, relative: usize) {
        let s = self.sentence;
        if std::mem::replace(&mut self.taken[relative], true) {
            return;
        }
        let pronoun = s
            .subtree(relative)
            .into_iter()
            .find(|word| matches!(s.lower(*word), "who" | "which" | "that" | "whom") && s.upos(*word) == Upos::Pron);
        let subject = s.subject(relative);
        let parts = self.parts(relative);
        let mut own = s.subtree(relative);
        for part in &parts {
            let below = s.subtree(*part);
            own.retain(|word| below.binary_search(word).is_err());
        }
        own.retain(|word| Some(*word) != pronoun);
        self.trim(&mut own, relative);
        let named = s.noun_phrase(noun);
        let given = Inherited {
            subject: named.clone(),
            auxiliaries: Vec::new(),
        };
        match subject {
            Some(subject) if Some(subject) != pronoun => {
                let is_loose = s.kids(relative, &["case"]).next().is_some() || matches!(s.lower(subject), "whose");
                if !is_loose {
                    let after = relative.max(s.kid(relative, &["compound:prt"]).unwrap_or(0));
                    let mut pieces = Vec::new();
                    for word in own.iter().copied() {
                        pieces.push(Piece::Word(word));
                        if word == after {
                            pieces.extend(definite(s, &named));
                        }
                    }
                    self.push_told(relative, pieces, own.clone());
                }
                let beside = self.inherited(relative, Some(subject), &Inherited::default());
                for part in parts {
                    self.part(part, &beside);
                }
            }
            _ => {
                let mut pieces = definite(s, &named);
                pieces.extend(own.iter().copied().map(Piece::Word));
                self.push_told(relative, pieces, own);
                for part in parts {
                    self.part(part, &given);
                }
            }
        }
    }

    /// Takes fillers, conjunctions and punctuation off both ends.
    fn trim(&self, own: &mut Vec<usize>, head: usize) {
        let s = self.sentence;
        loop {
            let before = own.len();
            if own.len() > 2 && s.form(own[0]) == "(" && s.form(own[own.len() - 1]) == ")" {
                own.remove(0);
                own.pop();
            }
            while let Some(first) = own.first().copied() {
                let opens = matches!(s.form(first), "\"" | "$" | "€" | "£" | "#")
                    || s.form(first) == "(" && own.iter().any(|w| s.form(*w) == ")");
                if first != head && !opens && (!s.is_spoken(first) || s.upos(first) == Upos::Cconj) {
                    own.remove(0);
                } else {
                    break;
                }
            }
            for length in (1..=LONGEST_FILLER.min(own.len())).rev() {
                let phrase: Vec<&str> = own[..length].iter().map(|word| s.lower(*word)).collect();
                let is_joined = own[..length].windows(2).all(|pair| pair[1] == pair[0] + 1);
                let holds_head = own[..length].contains(&head);
                let is_subject = s.is_relation(own[0], &["nsubj"]) && length == 1;
                // "no kids": what denies stays.
                let denies = phrase == ["no"] && s.is_relation(own[0], &["det"]);
                let means = matches!(phrase.as_slice(), ["still"] | ["maybe"] | ["also"])
                    && !matches!(phrase.as_slice(), ["also"]);
                let is_aside = length == 1
                    && s.upos(own[0]) == Upos::Adv
                    && own.get(1).is_some_and(|next| s.form(*next) == ",")
                    && s.lower(own[0]) == "now";
                if is_aside {
                    own.drain(..2);
                    break;
                }
                if is_joined && !holds_head && !is_subject && !denies && !means && is_filler(&phrase.join(" ")) {
                    own.drain(..length);
                    break;
                }
            }
            for length in 2..=LONGEST_FILLER.min(own.len().saturating_sub(1)) {
                let tail = &own[own.len() - length..];
                let phrase: Vec<&str> = tail.iter().map(|word| s.lower(*word)).collect();
                if !tail.contains(&head) && is_filler(&phrase.join(" ")) {
                    own.truncate(own.len() - length);
                    break;
                }
            }
            while let Some(last) = own.last().copied() {
                let closes = matches!(s.form(last), ")" | "\"" | "%" | "°" | "€" | "$" | "£") && own.len() > 1;
                let is_filler_word = s.upos(last) != Upos::Propn
                    && last != head
                    && (s.is_relation(last, &["discourse"]) && s.lower(last) != "no"
                        || matches!(
                            s.lower(last),
                            "lol"
                                | "haha"
                                | "tho"
                                | "though"
                                | "btw"
                                | "and"
                                | "but"
                                | "so"
                                | "lmao"
                                | "tbh"
                                | "please"
                                | "pls"
                                | "plz"
                                | "thanks"
                                | "actually"
                                | "honestly"
                                | "or"
                                | "yeah"
                                | "right"
                                | "ok"
                                | "okay"
                        ));
                if last != head && !closes && (!s.is_spoken(last) || is_filler_word) {
                    own.pop();
                } else {
                    break;
                }
            }
            if own.len() == before {
                return;
            }
        }
    }

    fn emit(&mut self, head: usize, subject: Option<usize>, own: Vec<usize>, inherited: &Inherited) {
        let s = self.sentence;
        if own.iter().all(|word| !s.is_spoken(*word)) {
            return;
        }
        let mut pieces: Vec<Piece> = Vec::new();
        let mut agrees = None;
        let mut body = own.clone();
        match subject {
            Some(subject) if self.is_name_of_speaker(head, subject) => {
                pieces.push(Piece::Speakers);
                pieces.push(Piece::Text("name is".to_owned()));
                body.retain(|word| {
                    *word >= head
                        && s.is_relation(*word, &["flat", "root", "conj", "parataxis", "ccomp", "compound"])
                            | (*word == head)
                });
            }
            Some(subject) => {
                // "my wife and I" → "I and my wife": the speaker is named first.
                if let Some(speaker) = s.kids(subject, &["conj"]).find(|kid| s.is_speaker(*kid)) {
                    let all = s.subtree(subject);
                    let rest: Vec<usize> = all
                        .iter()
                        .copied()
                        .filter(|word| *word < speaker && !s.is_relation(*word, &["cc", "punct"]))
                        .collect();
                    pieces.push(Piece::Word(speaker));
                    pieces.push(Piece::Text("and".to_owned()));
                    pieces.extend(rest.iter().copied().map(Piece::Word));
                    body.retain(|word| all.binary_search(word).is_err() || *word > speaker);
                }
            }
            None if !inherited.subject.is_empty() => {
                pieces.extend(inherited.subject.iter().copied().map(Piece::Word));
                let has_own = s.kid(head, &["aux", "cop"]).is_some()
                    && !s
                        .kids(head, &["aux", "cop"])
                        .all(|kid| s.lower(kid) == "being" || s.lower(kid) == "been");
                body.retain(|word| s.lower(*word) != "being" || !s.is_relation(*word, &["cop"]));
                let is_speaker = inherited.subject.iter().any(|word| s.is_speaker(*word));
                let only_been = s
                    .kids(head, &["aux", "cop"])
                    .next()
                    .is_some_and(|aux| s.lower(aux) == "been");
                if only_been {
                    pieces.push(Piece::Text(if is_speaker { "have" } else { "has" }.to_owned()));
                } else if !has_own && !s.is_finite(head) && !inherited.auxiliaries.is_empty() && needs(s, head) {
                    pieces.extend(
                        inherited
                            .auxiliaries
                            .iter()
                            .copied()
                            .filter(|word| !body.contains(word))
                            .map(Piece::Word),
                    );
                    agrees = if is_speaker {
                        inherited.auxiliaries.first().copied()
                    } else {
                        None
                    };
                } else if !has_own && (s.upos(head) != Upos::Verb || s.lower(head).ends_with("ing")) {
                    // "living in Leeds", "vegan": what is said of somebody without a verb.
                    let participle = s.lower(head).ends_with("ing") && s.upos(head) == Upos::Verb;
                    let been = body.iter().any(|word| s.lower(*word) == "been");
                    let verb = match (is_speaker, been) {
                        (_, true) => "has",
                        (true, _) => "is",
                        (false, _) if subject_is_plural(s, &inherited.subject) => "are",
                        (false, _) => "is",
                    };
                    let _ = participle;
                    pieces.push(Piece::Text(verb.to_owned()));
                } else {
                    agrees = if is_speaker { s.finite(head) } else { None };
                }
            }
            None => {
                if let Some(complete) = fragment::complete(s, head, &body) {
                    pieces = complete.before;
                    agrees = complete.agrees;
                }
            }
        }
        pieces.extend(body.iter().copied().map(Piece::Word));
        let variants = self.distributed(head, &body);
        if variants.is_empty() {
            self.push(head, pieces, own, agrees);
            return;
        }
        let lead = pieces.len() - body.len();
        for variant in variants {
            let mut all = pieces[..lead].to_vec();
            all.extend(variant.iter().copied().map(Piece::Word));
            self.push(head, all, variant, agrees);
        }
    }

    /// "I'm Ana"
    fn is_name_of_speaker(&self, head: usize, subject: usize) -> bool {
        let s = self.sentence;
        s.lower(subject) == "i"
            && s.upos(head) == Upos::Propn
            && s.kids(head, &["cop"])
                .any(|cop| matches!(s.lower(cop), "am" | "'m" | "m"))
            && s.kid(head, &["det", "case", "amod", "nummod", "advmod"]).is_none()
            && (s.form(head).chars().next().is_some_and(char::is_uppercase)
                || s.text.chars().all(|c| !c.is_uppercase()))
            && !["ish", "an", "ese", "ic"]
                .iter()
                .any(|ending| s.lower(head).ends_with(ending) && s.lower(head).len() > 6)
    }

    /// What is told of something by the way, be it in a question.
    fn push_told(&mut self, head: usize, pieces: Vec<Piece>, own: Vec<usize>) {
        self.out.push(Clause {
            pieces,
            head,
            own,
            agrees: None,
            fate: Fate::Tells,
            is_finished: false,
        });
    }

    fn push(&mut self, head: usize, pieces: Vec<Piece>, own: Vec<usize>, agrees: Option<usize>) {
        let fate = self.fate(head, &pieces, &own);
        self.out.push(Clause {
            pieces,
            head,
            own,
            agrees,
            fate,
            is_finished: false,
        });
    }

    /// "I like tea and cake" → "I like tea", "I like cake".
    fn distributed(&self, head: usize, body: &[usize]) -> Vec<Vec<usize>> {
        let s = self.sentence;
        let holds = |word: &usize| body.binary_search(word).is_ok();
        let shared = body.iter().copied().find(|word| {
            *word != head
                && s.is_relation(*word, &["obj", "obl", "xcomp", "nmod"])
                && s.kids(*word, &["conj"]).any(|kid| holds(&kid))
                && !s.subtree(*word).iter().any(|below| {
                    matches!(
                        s.lower(*below),
                        "or" | "nor" | "between" | "both" | "either" | "than" | "/"
                    )
                })
        });
        let Some(first) = shared else {
            return Vec::new();
        };
        let mut members = vec![first];
        let mut next = 0;
        while let Some(member) = members.get(next).copied().filter(|_| members.len() <= MOST_VARIANTS) {
            members.extend(s.kids(member, &["conj"]).filter(|kid| holds(kid)));
            members.extend(s.kids(member, &["appos"]).filter(|kid| {
                holds(kid)
                    && s.kid(*kid, &["det"])
                        .is_some_and(|det| matches!(s.lower(det), "a" | "an"))
                    && s.kid(*kid, &["cc"]).is_none()
            }));
            next += 1;
        }
        members.sort_unstable();
        let is_full = |member: &usize| {
            s.kids(
                *member,
                &[
                    "det",
                    "nummod",
                    "nmod:poss",
                    "acl",
                    "amod",
                    "nmod",
                    "case",
                    "mark",
                    "obj",
                    "obl",
                    "xcomp",
                ],
            )
            .next()
            .is_some()
        };
        let lemma = s.lemma(head);
        let governor = s.word(first).head.unwrap_or(head);
        // "bad Norwegian", parsed as two
        let merged: Vec<usize> = members
            .windows(2)
            .filter(|pair| s.upos(pair[0]) == Upos::Adj && pair[1] == pair[0] + 1 && pair[0] != first)
            .map(|pair| pair[0])
            .collect();
        members.retain(|member| !merged.contains(member));
        let is_place = s.is_relation(first, &["obl", "nmod"]);
        let is_alike = members.iter().all(|member| {
            s.subject(*member).is_none()
                && (!is_place
                    || (s.upos(*member) == Upos::Propn) == (s.upos(members[0]) == Upos::Propn)
                        && (*member == first || s.kids(*member, &["case"]).next().is_none()))
        });
        // "five cats and dogs" are five together, and "damp and all" is one expression.
        let is_counted_together = s.kid(first, &["nummod"]).is_some()
            && members
                .iter()
                .filter(|member| **member != first)
                .all(|member| s.kid(*member, &["det", "nummod", "nmod:poss"]).is_none());
        let is_expression = members
            .iter()
            .any(|member| matches!(s.upos(*member), Upos::Pron | Upos::Det));
        if !is_alike || is_counted_together || is_expression {
            return Vec::new();
        }
        let splits = is_distributive(lemma)
            || is_distributive(s.lemma(governor))
            || members.len() > 2
            || members.iter().all(is_full);
        if !splits || members.len() > MOST_VARIANTS || s.is_relation(first, &["nmod"]) && !members.iter().all(is_full) {
            return Vec::new();
        }
        let conjuncts: Vec<Vec<usize>> = members[1..]
            .iter()
            .map(|member| {
                let mut words = s.subtree(*member);
                words.extend(merged.iter().copied().filter(|adjective| adjective + 1 == *member));
                words.sort_unstable();
                for other in members.iter().filter(|other| *other != member) {
                    let below = s.subtree(*other);
                    if below.binary_search(member).is_err() {
                        words.retain(|word| below.binary_search(word).is_err());
                    }
                }
                words
            })
            .collect();
        let in_conjunct = |word: usize| conjuncts.iter().any(|all| all.binary_search(&word).is_ok());
        let whole = s.subtree(first);
        let lead: Vec<usize> = s.kids(first, &["case", "mark"]).filter(|word| *word < first).collect();
        members
            .iter()
            .enumerate()
            .map(|(nth, member)| {
                let mut words: Vec<usize> = if nth == 0 {
                    body.iter().copied().filter(|word| !in_conjunct(*word)).collect()
                } else {
                    let own = &conjuncts[nth - 1];
                    let is_marked = s.kids(*member, &["case", "mark"]).next().is_some();
                    body.iter()
                        .copied()
                        .filter(|word| {
                            if whole.binary_search(word).is_err() {
                                return true;
                            }
                            own.binary_search(word).is_ok()
                                && !s.is_relation(*word, &["cc"])
                                && (s.is_spoken(*word)
                                    || !s.is_relation(*word, &["punct"])
                                    || own.first() != Some(word))
                                || lead.contains(word) && !is_marked
                        })
                        .collect()
                };
                while words
                    .last()
                    .is_some_and(|last| !s.is_spoken(*last) && !matches!(s.form(*last), ")" | "%" | "\""))
                {
                    words.pop();
                }
                words
            })
            .collect()
    }

    fn fate(&self, head: usize, pieces: &[Piece], own: &[usize]) -> Fate {
        let s = self.sentence;
        let words: Vec<usize> = own.iter().copied().filter(|word| s.is_spoken(*word)).collect();
        let Some(first) = words.first().copied() else {
            return Fate::Asks;
        };
        let asks = s.text.trim_end_matches(['"', '”', ')', '!', '.', ' ']).ends_with('?');
        let is_last = words.last().is_some_and(|last| {
            s.tree.words[last + 1..].iter().all(|word| {
                !s.text
                    .get(word.range.clone())
                    .unwrap_or("")
                    .chars()
                    .any(char::is_alphanumeric)
            })
        });
        let subject = s.subject(head);
        let is_wh = |at: usize| {
            matches!(
                s.lower(at),
                "what"
                    | "which"
                    | "how"
                    | "when"
                    | "where"
                    | "who"
                    | "why"
                    | "whats"
                    | "hows"
                    | "wheres"
                    | "whos"
                    | "whose"
            )
        };
        let auxiliary = s.kids(head, &["aux", "cop"]).next();
        let inverts = auxiliary
            .zip(subject)
            .is_some_and(|(auxiliary, subject)| auxiliary < subject && !matches!(s.lower(subject), "there"));
        let wh = words.iter().take(3).copied().find(|word| is_wh(*word));
        if let Some(wh) = wh {
            let starts_question = wh == first
                || words
                    .iter()
                    .take_while(|word| **word != wh)
                    .all(|word| s.upos(*word) == Upos::Adp);
            let is_relative = s
                .word(wh)
                .head
                .is_some_and(|above| s.is_relation(above, &["acl", "advcl", "csubj"]))
                && wh != head;
            if starts_question
                && (inverts
                    || subject == Some(wh)
                    || wh == head
                    || asks && is_last
                    || s.word(wh).head == Some(head)
                        && !is_relative
                        && auxiliary.is_some_and(|a| a < head && a > wh && subject.is_none_or(|subject| subject > a)))
            {
                return Fate::Asks;
            }
        }
        if inverts
            && (asks
                || matches!(
                    s.lower(auxiliary.unwrap_or(0)),
                    "do" | "does" | "did" | "can" | "could" | "would" | "should" | "will"
                ))
        {
            return Fate::Asks;
        }
        if let Some(subject) = subject {
            if matches!(s.lower(subject), "you" | "u" | "y'all" | "ya") {
                return Fate::Asks;
            }
            if asks
                && is_last
                && !s.is_speaker(subject)
                && !s.is_of_speaker(subject)
                && pieces.iter().all(|piece| *piece != Piece::Speaker)
            {
                return Fate::Asks;
            }
            return Fate::Tells;
        }
        let is_inherited = !matches!(pieces.first(), Some(Piece::Word(word)) if *word == own[0]);
        let is_bare = s.upos(head) == Upos::Verb
            && s.lower(head) == s.lemma(head)
            && !s.is_finite(head) | s.has(head, "Mood", "Imp");
        if is_inherited {
            // "I'm an actuary so don't ask me": the speaker does nothing to "me".
            let by_speaker = pieces.iter().any(|piece| {
                *piece == Piece::Speaker
                    || matches!(piece, Piece::Word(word) if s.is_speaker(*word) && own.binary_search(word).is_err())
            });
            let to_speaker = own.iter().any(|word| {
                matches!(s.lower(*word), "me" | "us")
                    && s.is_relation(*word, &["obj", "iobj", "obl"])
                    && s.word(*word).head == Some(head)
            });
            let is_verb =
                s.upos(head) == Upos::Verb && s.lower(head) == s.lemma(head) && s.kid(head, &["cop"]).is_none();
            let has_auxiliary = s
                .kids(head, &["aux"])
                .any(|aux| !matches!(s.lower(aux), "do" | "dont" | "don't"));
            let is_asked = s
                .subtree(head)
                .into_iter()
                .any(|word| word < head && matches!(s.lower(word), "please" | "pls" | "plz"));
            // "I'm 43, not 34"
            if s.lower(first) == "not" && s.kid(head, &["aux", "cop"]).is_none() {
                return Fate::Asks;
            }
            if is_verb && !has_auxiliary && (is_asked || by_speaker && to_speaker || !by_speaker && is_bare) {
                return Fate::Orders;
            }
            return Fate::Tells;
        }
        if asks && is_last {
            return Fate::Asks;
        }
        let is_order = s.upos(head) == Upos::Verb
            && s.lower(head) == s.lemma(head)
            && s.kid(head, &["aux"])
                .is_none_or(|aux| matches!(s.lower(aux), "do" | "don't" | "dont"));
        if is_order { Fate::Orders } else { Fate::Tells }
    }
}

/// Whether the main word of a subject is plural, or there are several.
fn subject_is_plural(s: &ParsedSentence<'_>, subject: &[usize]) -> bool {
    let inside = |word: usize| s.word(word).head.is_some_and(|head| subject.contains(&head));
    subject
        .iter()
        .any(|word| s.is_relation(*word, &["conj"]) && inside(*word))
        || subject
            .iter()
            .any(|word| !inside(*word) && s.has(*word, "Number", "Plur"))
}

/// Whether the head can't stand without the auxiliaries of the clause before it.
fn needs(s: &ParsedSentence<'_>, head: usize) -> bool {
    s.upos(head) != Upos::Verb
        || s.has(head, "VerbForm", "Inf")
        || s.has(head, "VerbForm", "Ger")
        || s.has(head, "VerbForm", "Part")
        || s.lower(head).ends_with("ing")
}

/// A noun phrase, "the" where it was "a".
fn definite(s: &ParsedSentence<'_>, words: &[usize]) -> Vec<Piece> {
    words
        .iter()
        .map(|word| match s.lower(*word) {
            "a" | "an" => Piece::Text("the".to_owned()),
            _ => Piece::Word(*word),
        })
        .collect()
}
