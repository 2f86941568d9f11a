//! The built-in embedder: one row of numbers for each word piece, compiled into the binary.
//!
//! A text is split into word pieces; its vector is the sum of their rows, brought to length 1. How much a piece counts
//! is in the length of its row. `tools/embedding` makes the table and says how. The composition root calls
//! [`StaticTable::built_in`] and hands the result on as an [`Embedder`].

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{DecoderWrapper, Model, PostProcessorWrapper, TokenizerImpl};

use super::embedder::normalise;
use super::{EmbedError, Embedder};

/// Starts the table's file; changes with its layout.
const MAGIC: &[u8; 8] = b"MSTABLE1";
const NAME_BYTES: usize = 32;
const HEADER_BYTES: usize = 8 + 4 + 4 + NAME_BYTES;
/// Pieces of a text that count; what follows them is left out.
const MAX_PIECES: usize = 512;
/// Bytes of a text that are looked at: more than [`MAX_PIECES`] need, few enough that a huge text costs milliseconds.
const MAX_BYTES: usize = 16 * 1024;

/// Texts that are encoded before others get their turn, each in microseconds.
const TEXTS_AT_ONCE: usize = 64;

static TABLE: &[u8] = include_bytes!("../../assets/embedding/table.bin");
static VOCABULARY: &str = include_str!("../../assets/embedding/vocab.txt");

static BUILT_IN: LazyLock<Arc<StaticTable>> = LazyLock::new(|| {
    let table = StaticTable::load(TABLE, VOCABULARY);
    Arc::new(table.expect("invariant: the compiled-in table fits its vocabulary; a test loads the same bytes"))
});

type Pieces = TokenizerImpl<WordPiece, BertNormalizer, BertPreTokenizer, PostProcessorWrapper, DecoderWrapper>;

/// A table of word-piece vectors that is read where it lies, without a copy.
///
/// English, lower-cased, accents stripped. Word order does not count. A text is read up to its first 512 pieces, within
/// its first 16 KiB.
pub struct StaticTable {
    model: &'static str,
    dimensions: usize,
    /// One little-endian `f32` a row: what a step of the row's bytes is worth.
    scales: &'static [[u8; 4]],
    /// Signed bytes, row after row, `dimensions` each.
    rows: &'static [u8],
    pieces: Pieces,
}

impl StaticTable {
    /// The table that comes with the binary. The first call builds the map of pieces, which takes some tens of
    /// milliseconds; every call shares it.
    pub fn built_in() -> Arc<Self> {
        Arc::clone(&BUILT_IN)
    }

    /// Reads the layout that `tools/embedding/build_table.py` writes: magic, rows and dimensions as little-endian
    /// `u32`, the model's name in 32 bytes filled up with zeros, the scales, the rows.
    fn load(table: &'static [u8], vocabulary: &'static str) -> Result<Self, String> {
        let (header, body) = table.split_at_checked(HEADER_BYTES).ok_or("no header")?;
        let (magic, header) = header.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err("not a table".to_owned());
        }
        let (sizes, name) = header.as_chunks::<4>().0.split_at(2);
        let [rows, dimensions] = [sizes[0], sizes[1]].map(|bytes| u32::from_le_bytes(bytes) as usize);
        let name = str::from_utf8(name.as_flattened()).map_err(|error| error.to_string())?;
        let (scales, values) = body.split_at_checked(4 * rows).ok_or("too short for its scales")?;
        if dimensions == 0 || Some(values.len()) != rows.checked_mul(dimensions) {
            return Err(format!("{} bytes for {rows} rows of {dimensions}", values.len()));
        }
        Ok(Self {
            model: name.trim_end_matches('\0'),
            dimensions,
            scales: scales.as_chunks().0,
            rows: values,
            pieces: pieces(vocabulary, rows)?,
        })
    }

    /// The vector of a text; all zeros where nothing in it is known.
    pub fn encode(&self, text: &str) -> Vec<f32> {
        self.vector(text).unwrap_or_else(|_| vec![0.0; self.dimensions])
    }

    /// Adds up the rows of the text's pieces.
    fn vector(&self, text: &str) -> Result<Vec<f32>, EmbedError> {
        let ids = self.piece_ids(text).map_err(|error| EmbedError {
            model: self.model.to_owned(),
            reason: error.to_string(),
        })?;
        let mut sum = vec![0.0; self.dimensions];
        for id in ids {
            self.add_row(id as usize, &mut sum);
        }
        normalise(&mut sum);
        Ok(sum)
    }

    /// The first pieces of the text, word by word: the tokenizer's own path tracks where every byte came from, which
    /// costs ten times the rest, so plain words go straight to its model.
    fn piece_ids(&self, text: &str) -> Result<Vec<u32>, tokenizers::Error> {
        let text = &text[..text.floor_char_boundary(MAX_BYTES)];
        let mut ids = Vec::with_capacity((text.len() / 4).min(MAX_PIECES));
        let mut plain = String::new();
        for word in text.split(parts_words).filter(|word| !word.is_empty()) {
            if word.is_ascii() {
                plain.clear();
                plain.extend(
                    word.chars()
                        .filter(|c| !c.is_ascii_control())
                        .map(|c| c.to_ascii_lowercase()),
                );
                for run in punctuation_apart(&plain) {
                    ids.extend(self.pieces.get_model().tokenize(run)?.iter().map(|piece| piece.id));
                }
            } else {
                ids.extend(self.pieces.encode_fast(word, false)?.get_ids());
            }
            if ids.len() >= MAX_PIECES {
                ids.truncate(MAX_PIECES);
                break;
            }
        }
        Ok(ids)
    }

    fn add_row(&self, id: usize, sum: &mut [f32]) {
        let scale = f32::from_le_bytes(self.scales[id]);
        let row = &self.rows[id * self.dimensions..][..self.dimensions];
        for (total, &step) in sum.iter_mut().zip(row) {
            *total += scale * f32::from(step.cast_signed());
        }
    }
}

#[async_trait]
impl Embedder for StaticTable {
    fn model(&self) -> &str {
        self.model
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    async fn encode_documents(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let mut vectors = Vec::with_capacity(texts.len());
        for (at, text) in texts.iter().enumerate() {
            if at % TEXTS_AT_ONCE == TEXTS_AT_ONCE - 1 {
                tokio::task::yield_now().await;
            }
            vectors.push(self.vector(text)?);
        }
        Ok(vectors)
    }

    async fn encode_query(&self, text: &str) -> Result<Vec<f32>, EmbedError> {
        self.vector(text)
    }
}

impl std::fmt::Debug for StaticTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StaticTable")
            .field("model", &self.model)
            .field("rows", &self.scales.len())
            .finish()
    }
}

/// Splits text as BERT's uncased models do; piece number `n` is line `n` of the vocabulary, counted from 0.
fn pieces(vocabulary: &str, rows: usize) -> Result<Pieces, String> {
    let ids = WordPiece::read_bytes(vocabulary.as_bytes()).map_err(|error| error.to_string())?;
    // Every id below `rows`, each once: then no piece can point outside the table.
    if ids.len() != rows || vocabulary.lines().count() != rows {
        return Err(format!("{} pieces for {rows} rows", ids.len()));
    }
    let model = WordPiece::builder()
        .vocab(ids)
        .build()
        .map_err(|error| error.to_string())?;
    let mut pieces = Pieces::new(model);
    pieces.with_normalizer(Some(BertNormalizer::new(true, true, None, true)));
    pieces.with_pre_tokenizer(Some(BertPreTokenizer));
    Ok(pieces)
}

/// White space as BERT sees it: three of Unicode's spaces count as control characters, which vanish.
fn parts_words(c: char) -> bool {
    c.is_whitespace() && !matches!(c, '\u{b}' | '\u{c}' | '\u{85}')
}

/// Cuts an ASCII word so that every punctuation mark stands alone.
fn punctuation_apart(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let end = match rest.find(|c: char| c.is_ascii_punctuation()) {
            Some(0) => 1,
            Some(mark) => mark,
            None => rest.len(),
        };
        let (run, after) = rest.split_at(end);
        rest = after;
        (!run.is_empty()).then_some(run)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dot(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(x, y)| x * y).sum()
    }

    fn vector(text: &str) -> Vec<f32> {
        StaticTable::built_in().encode(text)
    }

    #[test]
    fn vectors_are_those_that_the_training_script_wrote_down() {
        let reference = include_str!("../../assets/embedding/reference.json");
        let reference: serde_json::Value = serde_json::from_str(reference).expect("valid JSON");
        for entry in reference.as_array().expect("a list") {
            let text = entry["text"].as_str().expect("a text");
            let expected = entry["vector"].as_array().expect("a vector");
            let actual = vector(text);
            assert_eq!(actual.len(), expected.len());
            for (a, e) in actual.iter().zip(expected) {
                assert!(
                    (f64::from(*a) - e.as_f64().expect("a number")).abs() < 1e-3,
                    "{text}: {a} is not {e}"
                );
            }
        }
    }

    #[test]
    fn the_manifest_names_the_model_and_the_table_that_are_compiled_in() {
        let manifest = include_str!("../../assets/embedding/manifest.json");
        let manifest: serde_json::Value = serde_json::from_str(manifest).expect("valid JSON");
        let table = StaticTable::built_in();
        assert_eq!(manifest["model"], table.model());
        assert_eq!(manifest["dimensions"], table.dimensions());
        assert_eq!(manifest["pieces"], table.scales.len());
    }

    #[test]
    fn every_vector_has_length_one() {
        for text in ["dog", "I moved to Berlin in March.", "!?", "1234567", "Zürich"] {
            let v = vector(text);
            assert_eq!(v.len(), StaticTable::built_in().dimensions());
            assert!((dot(&v, &v) - 1.0).abs() < 1e-5, "{text}");
        }
    }

    #[test]
    fn a_text_without_known_pieces_gives_zeros() {
        for text in ["", "   \n\t", "\u{0}\u{200b}", "🦤🪿"] {
            assert!(vector(text).iter().all(|&x| x == 0.0), "{text:?}");
        }
    }

    #[tokio::test]
    async fn many_texts_at_once_give_what_each_gives_alone() {
        let texts = ["I like tea", "", "She plays the cello", "I like tea"];
        let together = StaticTable::built_in()
            .encode_documents(&texts)
            .await
            .expect("the built-in table embeds every text");
        assert_eq!(together, texts.map(vector));
        assert_eq!(StaticTable::built_in().encode_documents(&[]).await, Ok(Vec::new()));
    }

    #[test]
    fn paraphrases_are_nearer_than_other_sentences() {
        let cases = [
            (
                "I got a new job at a bank",
                "She started working for a financial company",
                "The soup needs more salt",
            ),
            (
                "What does he like to eat?",
                "His favourite food is pizza",
                "The train leaves at nine",
            ),
            (
                "My dog is called Rex",
                "I have a pet puppy",
                "We signed the mortgage papers",
            ),
            (
                "I am allergic to peanuts",
                "Nuts make me ill",
                "He flew to Tokyo last week",
            ),
        ];
        for (text, near, far) in cases {
            let (text, near, far) = (vector(text), vector(near), vector(far));
            assert!(dot(&text, &near) > dot(&text, &far) + 0.1);
        }
    }

    #[test]
    fn case_accents_and_spaces_do_not_count() {
        assert_eq!(vector("  CAFÉ\u{a0}crème\r\n"), vector("cafe creme"));
    }

    #[test]
    fn odd_texts_are_embedded_too() {
        let long_word = "a".repeat(1_000_000);
        let long_text = "héllo 🐶 wörld ".repeat(100_000);
        let odd = [
            "\u{0}\u{1}\u{1b}[31m hello\u{7f}",
            "👨‍👩‍👧‍👦🏳️‍🌈",
            "\u{202e}abc\u{feff}",
            "漢字かな交じり文",
            "नमस्ते",
        ];
        for text in odd.iter().copied().chain([long_word.as_str(), long_text.as_str()]) {
            assert!(vector(text).iter().all(|x| x.is_finite()));
        }
    }

    #[test]
    fn the_path_word_by_word_gives_the_tokenizers_own_pieces() {
        let table = StaticTable::built_in();
        let every_ascii: String = (0..=127).map(char::from).chain("aB".chars()).collect();
        let every_space =
            "a\u{9}b\u{a}c\u{b}d\u{c}e\u{d}f\u{85}g\u{a0}h\u{1680}i\u{2003}j\u{2028}k\u{2029}l\u{3000}m\u{200b}n";
        let long_word = format!("{} {}", "x".repeat(100), "x".repeat(101));
        let texts = [
            "It's a so-called \"test\", isn't it?! Well... e-mail me@example.com (#1)",
            "Don’t mix “quotes” – naïve café, ΣΊΣΥΦΟΣ, İstanbul, e\u{301}te\u{301} 漢字a字",
            "[CLS] ##ing [UNK] unaffable electroencephalographically",
            "a\u{7}b\u{1b}c \u{7f} Q\u{0}",
            &every_ascii,
            every_space,
            &long_word,
        ];
        for text in texts {
            let expected = table
                .pieces
                .encode_fast(text, false)
                .expect("the tokenizer takes every text");
            let actual = table.piece_ids(text).expect("the tokenizer takes every text");
            assert_eq!(actual, expected.get_ids(), "{text:?}");
        }
    }

    #[test]
    fn pieces_beyond_the_limit_do_not_count() {
        let start = "dog ".repeat(MAX_PIECES);
        assert_eq!(vector(&format!("{start}cat")), vector(&start));
        assert_ne!(vector(&format!("{}cat", &start[4..])), vector(&start));
    }

    #[test]
    fn damaged_tables_are_refused() {
        for (table, vocabulary) in [
            (&TABLE[..20], VOCABULARY),
            (&TABLE[1..], VOCABULARY),
            (&TABLE[..TABLE.len() - 1], VOCABULARY),
            (TABLE, "one\ntwo\n"),
        ] {
            assert!(StaticTable::load(table, vocabulary).is_err());
        }
    }
}
