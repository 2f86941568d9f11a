//! A sentence with its tree: the questions that splitting asks of it.

use std::ops::Range;

use super::words::kin;
use crate::parser::{Relation, Tree, Upos, Word};

const MODALS: &[&str] = &[
    "can", "could", "will", "would", "shall", "should", "may", "might", "must", "ca", "wo", "'ll", "'d", "ll", "d",
    "’ll", "’d",
];

/// A sentence of a message, parsed.
#[derive(Debug)]
pub(crate) struct ParsedSentence<'a> {
    pub(crate) text: &'a str,
    /// Where the text begins in the message.
    pub(super) start: usize,
    /// Whether it is one of several pieces without a subject: "jo, 41, welder".
    pub(super) is_piece: bool,
    pub(super) tree: Tree,
    pub(super) lower: Vec<String>,
    children: Vec<Vec<usize>>,
}

/// "My name's Ana" may be parsed as somebody's Ana: where the sentence has no verb, "'s" is one.
fn mend_contracted_copula(text: &str, tree: &mut Tree) {
    let has_verb = tree
        .words
        .iter()
        .any(|word| matches!(word.upos, Upos::Verb | Upos::Aux));
    let Some(root) = tree.root().filter(|_| !has_verb) else {
        return;
    };
    for at in 1..root {
        let form = text.get(tree.words[at].range.clone()).unwrap_or("");
        let is_owner = tree.words[at - 1].relation.is("nmod:poss") && tree.words[at - 1].head == Some(root);
        if matches!(form, "'s" | "’s") && is_owner && tree.words[at].head == Some(at - 1) {
            tree.words[at - 1].relation = Relation::NSUBJ;
            tree.words[at].relation = Relation::COP;
            tree.words[at].head = Some(root);
            tree.words[at].upos = Upos::Aux;
            return;
        }
    }
}

/// "My friend Anna" may be parsed as one who is addressed: a name directly behind a word for kin is theirs.
fn mend_names_of_kin(text: &str, tree: &mut Tree) {
    for at in 1..tree.words.len() {
        let form = |at: usize| text.get(tree.words[at].range.clone()).unwrap_or("");
        let is_name = tree.words[at].upos == Upos::Propn && form(at).starts_with(char::is_uppercase);
        let is_kin = kin(&form(at - 1).to_lowercase()).is_some() && tree.words[at - 1].head != Some(at);
        let is_loose = ["parataxis", "vocative", "obl:unmarked", "list", "discourse", "ccomp"]
            .iter()
            .any(|name| tree.words[at].relation.is(name));
        if is_name && is_kin && is_loose {
            tree.words[at].head = Some(at - 1);
            tree.words[at].relation = Relation::APPOS;
        }
    }
}

impl<'a> ParsedSentence<'a> {
    pub(crate) fn new(text: &'a str, start: usize, is_piece: bool, mut tree: Tree) -> Self {
        mend_contracted_copula(text, &mut tree);
        mend_names_of_kin(text, &mut tree);
        let mut children = vec![Vec::new(); tree.words.len()];
        for (at, word) in tree.words.iter().enumerate() {
            if let Some(list) = word.head.and_then(|head| children.get_mut(head)) {
                list.push(at);
            }
        }
        let lower = tree
            .words
            .iter()
            .map(|word| {
                text.get(word.range.clone())
                    .unwrap_or("")
                    .to_lowercase()
                    .replace('’', "'")
            })
            .collect();
        Self {
            text,
            start,
            is_piece,
            tree,
            lower,
            children,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.tree.words.len()
    }

    pub(super) fn word(&self, at: usize) -> &Word {
        &self.tree.words[at]
    }

    pub(super) fn form(&self, at: usize) -> &'a str {
        self.text.get(self.word(at).range.clone()).unwrap_or("")
    }

    pub(super) fn lower(&self, at: usize) -> &str {
        self.lower.get(at).map_or("", String::as_str)
    }

    pub(super) fn lemma(&self, at: usize) -> &str {
        &self.word(at).lemma
    }

    pub(super) fn upos(&self, at: usize) -> Upos {
        self.word(at).upos
    }

    pub(super) fn has(&self, at: usize, feature: &str, value: &str) -> bool {
        self.word(at).features.has(feature, value)
    }

    pub(super) fn is_relation(&self, at: usize, names: &[&str]) -> bool {
        names.iter().any(|name| self.word(at).relation.is(name))
    }

    pub(super) fn children(&self, at: usize) -> &[usize] {
        self.children.get(at).map_or(&[], Vec::as_slice)
    }

    pub(super) fn kids<'s>(&'s self, at: usize, names: &'s [&'s str]) -> impl DoubleEndedIterator<Item = usize> + 's {
        self.children(at)
            .iter()
            .copied()
            .filter(|kid| self.is_relation(*kid, names))
    }

    pub(super) fn kid(&self, at: usize, names: &[&str]) -> Option<usize> {
        self.kids(at, names).next()
    }

    /// The word and all below it, in the order of the text.
    pub(super) fn subtree(&self, at: usize) -> Vec<usize> {
        let mut all = vec![at];
        let mut next = 0;
        while let Some(word) = all.get(next).copied() {
            all.extend_from_slice(self.children(word));
            next += 1;
        }
        all.sort_unstable();
        all
    }

    /// A clause's subject: its main word.
    pub(super) fn subject(&self, at: usize) -> Option<usize> {
        self.kid(at, &["nsubj", "csubj"]).or_else(|| self.kid(at, &["expl"]))
    }

    fn is_modal(&self, at: usize) -> bool {
        MODALS.contains(&self.lower(at))
    }

    /// The word of a clause that agrees with its subject: its first auxiliary, or its verb.
    pub(super) fn finite(&self, at: usize) -> Option<usize> {
        let auxiliary = self.kids(at, &["aux", "cop"]).next();
        auxiliary.or_else(|| {
            let is_bare =
                self.has(at, "VerbForm", "Ger") || self.has(at, "VerbForm", "Part") && self.has(at, "Tense", "Pres");
            (matches!(self.upos(at), Upos::Verb | Upos::Aux) && !is_bare).then_some(at)
        })
    }

    /// Whether a clause has a verb that says a time.
    pub(super) fn is_finite(&self, at: usize) -> bool {
        let says_time = |word: usize| self.has(word, "VerbForm", "Fin") || self.is_modal(word);
        says_time(at) || self.kids(at, &["aux", "cop"]).any(says_time)
    }

    /// Whether a word is the head of a clause.
    pub(super) fn is_clausal(&self, at: usize) -> bool {
        self.subject(at).is_some()
            || self.is_finite(at)
            || self.kid(at, &["cop"]).is_some()
            || self.upos(at) == Upos::Verb
    }

    /// "I", "we", in whatever case.
    pub(super) fn is_speaker(&self, at: usize) -> bool {
        self.upos(at) != Upos::Propn && matches!(self.lower(at), "i" | "we" | "me" | "us" | "myself" | "ourselves")
            || self.lower(at) == "i" && self.form(at) == "I"
    }

    /// "my", "our".
    pub(super) fn is_speakers(&self, at: usize) -> bool {
        matches!(self.lower(at), "my" | "our" | "mine" | "ours")
    }

    /// Whether a noun phrase names something of the speaker's: "my wife", "my brother Tom".
    pub(super) fn is_of_speaker(&self, noun: usize) -> bool {
        self.kids(noun, &["nmod:poss", "det"]).any(|kid| self.is_speakers(kid))
            || self
                .kids(noun, &["compound", "nmod:poss", "nmod", "amod", "flat"])
                .any(|kid| kid < noun && self.kids(kid, &["nmod:poss"]).any(|kid| self.is_speakers(kid)))
    }

    /// A noun phrase without the clauses and appositions that hang on it.
    pub(super) fn noun_phrase(&self, noun: usize) -> Vec<usize> {
        let mut all = vec![noun];
        let mut next = 0;
        while let Some(word) = all.get(next).copied() {
            let kids = self.children(word).iter().copied().filter(|kid| {
                !self.is_relation(
                    *kid,
                    &["acl", "advcl", "conj", "cc", "parataxis", "punct", "list", "discourse"],
                ) && (word != noun
                    || !self.is_relation(*kid, &["appos", "case", "cop", "nsubj", "aux", "mark", "advmod"]))
            });
            all.extend(kids);
            next += 1;
        }
        all.sort_unstable();
        all
    }

    /// The place of words in the message.
    pub(crate) fn span(&self, words: &[usize]) -> Range<usize> {
        let start = words.iter().map(|at| self.word(*at).range.start).min().unwrap_or(0);
        let end = words.iter().map(|at| self.word(*at).range.end).max().unwrap_or(0);
        self.start + start..self.start + end
    }

    /// The place of words in the message, with the stop behind them where they end the sentence.
    pub(crate) fn quoted(&self, words: &[usize]) -> Range<usize> {
        let span = self.span(words);
        let last = words.iter().copied().max().unwrap_or(0);
        let ends = (last + 1..self.len()).all(|at| !self.is_spoken(at));
        if ends {
            span.start..self.start + self.text.len()
        } else {
            span
        }
    }

    /// The words that say what the sentence is about.
    pub(crate) fn topics(&self) -> Vec<usize> {
        let carries = |at: &usize| {
            matches!(
                self.upos(*at),
                Upos::Noun | Upos::Propn | Upos::Verb | Upos::Adj | Upos::Num
            ) && self.is_spoken(*at)
                && !self.is_relation(*at, &["discourse", "vocative"])
        };
        (0..self.len()).filter(carries).collect()
    }

    /// Whether it names the speaker or anything of theirs, or may leave the speaker out.
    pub(crate) fn speaks_of_speaker(&self) -> bool {
        let root = self.tree.root().unwrap_or(0);
        (0..self.len()).any(|at| self.is_speaker(at) || self.is_speakers(at))
            || self.is_piece
            || self.len() > 0 && self.subject(root).is_none() && self.upos(root) == Upos::Verb
            || (0..self.len()).any(|at| self.is_relation(at, &["nsubj"]) && self.upos(at) == Upos::Propn)
    }

    /// Whether a word may be said of: it has a letter or digit.
    pub(super) fn is_spoken(&self, at: usize) -> bool {
        self.form(at).chars().any(char::is_alphanumeric)
    }
}
