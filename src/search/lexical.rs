//! BM25 postings over memory text and, at a lower weight, the words said just before it.
//!
//! Scores follow Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), with the two
//! fields joined before saturation (BM25F, section 3.6 there). Used by [`super::rank`].

use std::collections::HashMap;
use std::sync::Arc;

/// Term frequency saturation.
const K1: f32 = 0.9;
/// How much a long text is marked down, 0 (not) to 1 (fully).
const B: f32 = 0.4;

/// Terms of one memory.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// Own words in order: text and date.
    pub(super) own: Vec<String>,
    /// Words of the turn before.
    pub(super) context: Vec<String>,
}

/// How often a term stands in one memory.
#[derive(Clone, Copy, Debug)]
struct Posting {
    slot: u32,
    own: u8,
    context: u8,
}

/// A term and the memories that it stands in.
#[derive(Debug)]
struct Term {
    word: Arc<str>,
    postings: Vec<Posting>,
}

/// The terms of a slot, by number.
#[derive(Debug, Default)]
struct Entry {
    own: Box<[u32]>,
    context: Box<[u32]>,
}

/// Inverted index by slot.
#[derive(Debug, Default)]
pub(super) struct Lexical {
    numbers: HashMap<Arc<str>, u32>,
    /// By number; `None` where no memory has the term any more.
    terms: Vec<Option<Term>>,
    free_numbers: Vec<u32>,
    entries: Vec<Entry>,
    documents: usize,
    own_words: usize,
    context_words: usize,
    posting_count: usize,
    whole: Option<Whole>,
}

/// What is known of all memories of a person by an index that holds some of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Whole {
    /// How many there are.
    pub(super) documents: usize,
    /// Words of one on average: own ones, and those before it.
    pub(super) mean_words: (f32, f32),
    /// In how many each term of the question stands; a term that is not here, in as many as are held.
    pub(super) frequencies: HashMap<String, usize>,
}

/// A term of a question with how much it counts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct QueryTerm {
    pub(super) term: String,
    pub(super) weight: f32,
}

impl Lexical {
    /// Indexes `document` under `slot`, which must be free.
    pub(super) fn insert(&mut self, slot: usize, document: &Document) {
        if self.entries.len() <= slot {
            self.entries.resize_with(slot + 1, Entry::default);
        }
        let own: Box<[u32]> = document.own.iter().map(|term| self.number(term)).collect();
        let context: Box<[u32]> = document.context.iter().map(|term| self.number(term)).collect();
        let mut counts: Vec<(u32, u8, u8)> = Vec::with_capacity(own.len() + context.len());
        counts.extend(own.iter().map(|n| (*n, 1, 0)));
        counts.extend(context.iter().map(|n| (*n, 0, 1)));
        counts.sort_unstable();
        counts.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = kept.1.saturating_add(next.1);
                kept.2 = kept.2.saturating_add(next.2);
            }
            same
        });
        let slot_number = u32::try_from(slot).unwrap_or(u32::MAX);
        for (number, own, context) in &counts {
            if let Some(term) = &mut self.terms[*number as usize] {
                term.postings.push(Posting {
                    slot: slot_number,
                    own: *own,
                    context: *context,
                });
            }
        }
        self.posting_count += counts.len();
        self.documents += 1;
        self.own_words += own.len();
        self.context_words += context.len();
        self.entries[slot] = Entry { own, context };
    }

    /// Takes `slot` out of every posting list, and forgets the terms that stood nowhere else.
    pub(super) fn remove(&mut self, slot: usize) {
        let Some(entry) = self.entries.get_mut(slot).map(std::mem::take) else {
            return;
        };
        self.documents -= 1;
        self.own_words -= entry.own.len();
        self.context_words -= entry.context.len();
        let mut numbers: Vec<u32> = entry.own.iter().chain(&entry.context).copied().collect();
        numbers.sort_unstable();
        numbers.dedup();
        for number in numbers {
            let place = &mut self.terms[number as usize];
            let Some(term) = place else { continue };
            if let Some(at) = term.postings.iter().position(|posting| posting.slot as usize == slot) {
                term.postings.swap_remove(at);
                self.posting_count -= 1;
            }
            if term.postings.is_empty() {
                self.numbers.remove(&term.word);
                *place = None;
                self.free_numbers.push(number);
            }
        }
    }

    /// Adds every document's BM25 score to `scores` (by slot), context words counting `context_weight` of own ones.
    /// Linear in the number of postings of the question's terms.
    pub(super) fn score(&self, terms: &[QueryTerm], context_weight: f32, scores: &mut [f32]) {
        let (own, context) = self.mean_words();
        let mean = own + context_weight * context;
        let norm_of = |entry: &Entry| {
            let length = as_f32(entry.own.len()) + context_weight * as_f32(entry.context.len());
            K1 * (1.0 - B + B * length / mean.max(1.0))
        };
        for QueryTerm { term, weight } in terms {
            let factor = weight * self.idf(self.frequency(term)) * (K1 + 1.0);
            for posting in self.postings(term) {
                let slot = posting.slot as usize;
                let frequency = f32::from(posting.own) + context_weight * f32::from(posting.context);
                scores[slot] += factor * frequency / (frequency + norm_of(&self.entries[slot]));
            }
        }
    }

    /// What a memory of average length scores that has every term once; a term that nobody ever said counts as one
    /// said once. The measure of how much of a question is answered.
    pub(super) fn attainable(&self, terms: &[QueryTerm]) -> f32 {
        terms.iter().map(|t| t.weight * self.idf(self.frequency(&t.term))).sum()
    }

    /// Number of memories with `term`.
    pub(super) fn frequency(&self, term: &str) -> usize {
        let whole = self.whole.as_ref();
        whole
            .and_then(|whole| whole.frequencies.get(term).copied())
            .unwrap_or_else(|| self.postings(term).len())
    }

    /// Words of a memory on average: own ones, and those before it.
    pub(super) fn mean_words(&self) -> (f32, f32) {
        let count = as_f32(self.documents.max(1));
        let held = (as_f32(self.own_words) / count, as_f32(self.context_words) / count);
        self.whole.as_ref().map_or(held, |whole| whole.mean_words)
    }

    /// Scores from now on as an index of all memories would.
    pub(super) fn stand_for(&mut self, whole: Whole) {
        self.whole = Some(whole);
    }

    fn documents(&self) -> usize {
        self.whole
            .as_ref()
            .map_or(self.documents, |whole| whole.documents)
            .max(1)
    }

    /// Inverse document frequency of a term in `frequency` documents; never negative (Lucene's variant).
    pub(super) fn idf(&self, frequency: usize) -> f32 {
        let frequency = as_f32(frequency.max(1));
        (1.0 + (as_f32(self.documents()) - frequency + 0.5).max(0.0) / (frequency + 0.5)).ln()
    }

    /// The number of `term`, if a memory has it.
    pub(super) fn find(&self, term: &str) -> Option<u32> {
        self.numbers.get(term).copied()
    }

    /// Numbers of the own terms of the memory at `slot`, in order, repeats kept.
    pub(super) fn own(&self, slot: usize) -> &[u32] {
        &self.entries[slot].own
    }

    /// Bytes held, estimated.
    pub(super) fn size_bytes(&self) -> usize {
        self.numbers.len() * 80
            + self.terms.len() * (size_of::<Option<Term>>() + size_of::<u32>())
            + self.posting_count * size_of::<Posting>() * 3 / 2
            + (self.own_words + self.context_words) * size_of::<u32>()
            + self.entries.len() * size_of::<Entry>()
    }

    fn postings(&self, term: &str) -> &[Posting] {
        let term = self.find(term).and_then(|number| self.terms[number as usize].as_ref());
        term.map_or(&[], |term| &term.postings)
    }

    fn number(&mut self, word: &str) -> u32 {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let number = self.free_numbers.pop().unwrap_or_else(|| {
            self.terms.push(None);
            u32::try_from(self.terms.len() - 1).unwrap_or(u32::MAX)
        });
        let word: Arc<str> = word.into();
        self.numbers.insert(Arc::clone(&word), number);
        self.terms[number as usize] = Some(Term {
            word,
            postings: Vec::new(),
        });
        number
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of words need no more than 24 bits")]
pub(super) const fn as_f32(count: usize) -> f32 {
    count as f32
}
