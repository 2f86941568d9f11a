//! What goes into the parser and what comes out.

use std::ops::Range;

use super::labels::{Features, Relation, Upos};
use super::tokenizer::tokenize;

/// A sentence and its words.
#[derive(Clone, Debug)]
pub struct Sentence<'a> {
    text: &'a str,
    words: Vec<Range<usize>>,
}

impl<'a> Sentence<'a> {
    /// Cuts a sentence into words with [`tokenize`].
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            words: tokenize(text),
        }
    }

    /// A sentence whose words are known. Ranges that are not part of the text are left out.
    pub fn with_words(text: &'a str, words: impl IntoIterator<Item = Range<usize>>) -> Self {
        let words = words.into_iter().filter(|word| text.get(word.clone()).is_some());
        Self {
            text,
            words: words.collect(),
        }
    }

    /// The text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// How many words it has.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether it has no words.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// A word as it is written; empty beyond the last.
    pub fn form(&self, word: usize) -> &'a str {
        &self.text[self.range(word)]
    }

    /// A word's bytes in the text.
    pub fn range(&self, word: usize) -> Range<usize> {
        self.words.get(word).cloned().unwrap_or(0..0)
    }
}

/// A word of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Its bytes in the sentence's text.
    pub range: Range<usize>,
    /// Its part of speech.
    pub upos: Upos,
    /// Its features.
    pub features: Features,
    /// Its dictionary form: in lower case, but a name stays as it is written.
    pub lemma: String,
    /// The place of the word that it depends on; `None` for the sentence's main word.
    pub head: Option<usize>,
    /// How it relates to that word.
    pub relation: Relation,
}

/// A sentence's words, each under its head; one has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// The words in the order of the text.
    pub words: Vec<Word>,
}

impl Tree {
    /// The place of the main word.
    pub fn root(&self) -> Option<usize> {
        self.words.iter().position(|word| word.head.is_none())
    }

    /// The places of the words that depend on this one, from left to right.
    pub fn children(&self, place: usize) -> impl Iterator<Item = usize> + '_ {
        let words = self.words.iter().enumerate();
        words
            .filter(move |(_, word)| word.head == Some(place))
            .map(|(child, _)| child)
    }

    /// Appends a window of a long sentence; its main word hangs beside that of the first window.
    pub(super) fn append(&mut self, words: Vec<Word>) {
        let root = self.root();
        self.words.extend(words);
        if let Some(root) = root {
            for word in &mut self.words[root + 1..] {
                if word.head.is_none() {
                    word.head = Some(root);
                    word.relation = Relation::PARATAXIS;
                }
            }
        }
    }
}
