//! Whether a message is English, cheaply, and which other language it is in.
//!
//! Other languages are kept in their own words by `foreign.rs`. What it knows of each is in `assets/languages/`; a
//! further language is a further file there and a line here.

use std::collections::HashSet;
use std::sync::LazyLock;

use whatlang::{Detector, Lang};

use super::lexicon::is_function;
use super::verb;
use super::word::Word;
use super::word_lists::{Found, Phrases, WordLists};
use crate::model::Category;

/// No more of a message decides which language it is in.
const LONGEST_SAMPLE_BYTES: usize = 2_000;

macro_rules! languages {
    ($($lang:ident $file:literal)*) => {
        [$((Lang::$lang, include_str!(concat!("../../assets/languages/", $file, ".tsv")))),*]
    };
}

static LANGUAGES: LazyLock<Vec<Language>> = LazyLock::new(|| {
    languages! {
        Deu "de" Spa "es" Fra "fr" Por "pt" Ita "it" Nld "nl" Pol "pl" Rus "ru" Cmn "zh" Jpn "ja" Kor "ko" Hin "hi"
        Ara "ar"
    }
    .into_iter()
    .map(|(lang, text)| Language::parse(lang, text))
    .collect()
});

static DETECTOR: LazyLock<Detector> =
    LazyLock::new(|| Detector::with_allowlist(LANGUAGES.iter().map(|language| language.lang).collect()));

/// What is known of a language: the words of `assets/languages/`.
pub(super) struct Language {
    lang: Lang,
    split: fn(&str) -> Vec<String>,
    phrases: Phrases,
}

impl Language {
    fn parse(lang: Lang, text: &'static str) -> Self {
        let lists = WordLists::parse(text);
        let split = if lists.holds("written", "without blanks") {
            letters
        } else {
            blank_separated
        };
        Self {
            lang,
            split,
            phrases: lists.phrases(split),
        }
    }

    /// A sentence with the entries found in it; of two of a layer that overlap the longer one counts.
    pub(super) fn read(&self, sentence: &str) -> Reading {
        let words = (self.split)(sentence);
        let mut found = self.phrases.find(&words);
        let mut longest = vec![[0; LAYERS]; words.len()];
        for entry in &found {
            for covered in &mut longest[entry.at..entry.at + entry.length] {
                let longest = &mut covered[layer(entry.group)];
                *longest = entry.length.max(*longest);
            }
        }
        found.retain(|entry| {
            longest[entry.at..entry.at + entry.length]
                .iter()
                .all(|covered| covered[layer(entry.group)] <= entry.length)
        });
        Reading { words, found }
    }
}

/// What a sentence does, what it is about, and when.
const LAYERS: usize = 3;

fn layer(group: &str) -> usize {
    match group {
        "marks" | "first person" | "about speaker" | "polite" | "request" | "request end" | "question"
        | "question end" => 0,
        _ if group.starts_with("private") || Category::ALL.iter().any(|category| category.as_str() == group) => 1,
        _ => 2,
    }
}

/// A sentence of a language.
pub(super) struct Reading {
    /// Its words, or its letters in a language that is written without blanks.
    pub(super) words: Vec<String>,
    /// Entries of the language's lists.
    pub(super) found: Vec<Found>,
}

impl Reading {
    /// The entries of one group.
    pub(super) fn of<'r>(&'r self, group: &'r str) -> impl Iterator<Item = &'r Found> + 'r {
        self.found.iter().filter(move |found| found.group == group)
    }

    pub(super) fn holds(&self, group: &str) -> bool {
        self.of(group).next().is_some()
    }

    /// The words that the language's lists know.
    fn known(&self) -> impl Iterator<Item = usize> {
        let known: HashSet<usize> = self
            .found
            .iter()
            .flat_map(|found| found.at..found.at + found.length)
            .collect();
        known.into_iter()
    }

    /// What the entry of a group at `at` stands for, and how many words it has.
    pub(super) fn meaning(&self, group: &str, at: usize) -> Option<(&'static str, usize)> {
        self.of(group)
            .find(|found| found.at == at)
            .map(|found| (found.meaning, found.length))
    }
}

/// The language of a text that is not English, where its lists are here.
pub(super) fn of(text: &str) -> Option<&'static Language> {
    let end = super::sentence::floor_boundary(text, LONGEST_SAMPLE_BYTES);
    let sample = &text[..end];
    let detected = DETECTOR.detect_lang(sample);
    let best = LANGUAGES
        .iter()
        .map(|language| (language, language.read(sample)))
        // What marks it counts twice.
        .map(|(language, reading)| (language, reading.known().count() + reading.of("marks").count()))
        .max_by_key(|(language, known)| (*known, detected == Some(language.lang)))
        .filter(|(_, known)| *known > 0);
    best.map(|(language, _)| language)
        .or_else(|| LANGUAGES.iter().find(|language| Some(language.lang) == detected))
}

/// Whether a text that shows no English reads as a language of the lists.
fn is_listed(text: &str, english_verbs: usize) -> bool {
    LANGUAGES.iter().any(|language| {
        let reading = language.read(text);
        let is_marked = ["marks", "first person", "polite", "past"]
            .iter()
            .any(|group| reading.holds(group));
        let known = reading.known().filter(|at| !is_function(&reading.words[*at])).count();
        // "Odio madrugar."
        let is_short = reading.words.len() <= 3 && english_verbs == 0;
        let is_told = reading
            .of("first person")
            .any(|found| reading.words[found.at].len() >= 4);
        is_marked && known >= 2 && known > english_verbs && 3 * known > reading.words.len()
            || is_short && is_told && known > 0
    })
}

/// Words parted by blanks and marks; an apostrophe parts them too.
fn blank_separated(text: &str) -> Vec<String> {
    // Signs that belong to the letter before them.
    let is_joined = |c: char| matches!(c, '\u{300}'..='\u{36f}' | '\u{93c}' | '\u{94d}' | '\u{64b}'..='\u{65f}' | '\u{200c}' | '\u{200d}');
    text.to_lowercase()
        .split(|c: char| !c.is_alphanumeric() && !is_joined(c))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Single letters, and numbers whole.
fn letters(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut in_word = false;
    for c in text.to_lowercase().chars() {
        // Digits and Latin letters as wide as a Chinese one.
        let c = match c {
            '０'..='９' | 'ａ'..='ｚ' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
            _ => c,
        };
        if !c.is_alphanumeric() {
            in_word = false;
            continue;
        }
        match out.last_mut() {
            Some(last)
                if c.is_ascii() && in_word && last.ends_with(|l: char| l.is_ascii_digit() == c.is_ascii_digit()) =>
            {
                last.push(c);
            }
            _ => out.push(c.to_string()),
        }
        in_word = c.is_ascii();
    }
    out
}

const ENGLISH: &[&str] = &[
    "the", "and", "i", "my", "is", "of", "for", "it", "was", "with", "that", "this", "i'm", "you", "we", "to", "have",
    "are", "be", "at", "from", "but", "just", "it's", "not", "your", "so", "they", "she", "a", "in", "on", "an",
    "been", "has", "by", "our",
];

const OTHER: &[&str] = &[
    "el", "la", "los", "las", "que", "es", "y", "con", "por", "mi", "una", "un", "en", "soy", "muy", "para", "ich",
    "und", "der", "die", "das", "ist", "nicht", "ein", "eine", "mein", "meine", "bin", "habe", "wir", "mit", "für",
    "auf", "je", "et", "le", "les", "des", "est", "mon", "ma", "suis", "une", "dans", "pour", "avec", "j'ai", "sur",
    "il", "di", "che", "sono", "per", "mio", "mia", "della", "og", "jeg", "er", "det", "och", "jag", "är", "att",
    "som", "på", "nie", "się", "jest", "na", "w", "z", "mam", "o", "não", "com", "uma", "meu", "minha", "os", "de",
    "do", "da", "ik", "het", "een", "van", "niet", "mijn", "ben", "en", "ve", "bir", "ben", "ja", "minä", "olen", "on",
    "että", "jsem", "je", "se", "vivo", "trabajo", "como", "al", "du", "au", "zu", "im", "nach", "seit", "tinggal",
    "saya", "di", "yang", "dan", "tôi", "là", "ở",
];

static ENGLISH_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| ENGLISH.iter().copied().collect());
static OTHER_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| OTHER.iter().copied().collect());

/// Words that no English sentence has and no name either: one tells of another language.
const MARKS: &[&str] = &[
    "ich", "und", "nicht", "habe", "wir", "bin", "ist", "je", "suis", "j'ai", "nous", "c'est", "soy", "estoy", "tengo",
    "vivo", "trabajo", "muy", "não", "sou", "moro", "tenho", "sono", "abito", "lavoro", "ik", "niet", "heb", "jestem",
    "nie", "się", "hai", "hoon", "mein", "mera", "meri", "nahi", "nahin", "jag", "jeg", "ikke", "inte", "benim",
    "değil", "saya", "tidak", "olen", "minulla", "gusta", "quiero", "también", "todos", "hago",
];

/// English words that other languages have too.
const SHARED: &[&str] = &[
    "a", "i", "in", "an", "on", "was", "is", "so", "be", "it", "at", "of", "just", "has",
];

static MARK_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| MARKS.iter().copied().collect());

/// Whether the words read as English (or as too little to tell, which counts as English).
pub(super) fn is_english<'w, 'a: 'w>(words: impl Iterator<Item = &'w Word<'a>>) -> bool {
    let (mut letters, mut foreign_letters) = (0_usize, 0_usize);
    let (mut english, mut other, mut accented) = (0_usize, 0_usize, 0_usize);
    let (mut surely_english, mut marks, mut verbs) = (0_usize, 0_usize, 0_usize);
    let mut text = String::new();
    for word in words.take(400) {
        for c in word.core.chars().take(40).filter(|c| c.is_alphabetic()) {
            letters += 1;
            if !c.is_ascii() && c as u32 > 0x24F && !(0x1E00..0x1F00).contains(&(c as u32)) {
                foreign_letters += 1;
            }
        }
        let lower = word.lower.as_str();
        english += usize::from(ENGLISH_SET.contains(lower));
        surely_english += usize::from(ENGLISH_SET.contains(lower) && !SHARED.contains(&lower));
        other += usize::from(OTHER_SET.contains(lower));
        marks += usize::from(MARK_SET.contains(lower));
        verbs += usize::from(verb::is_base(lower) || verb::is_past(lower) || verb::is_ing(lower));
        // Not "Misérables": a name.
        let is_name = word.is_capitalised() && letters > word.core.chars().filter(|c| c.is_alphabetic()).count();
        let is_accented = lower.chars().any(|c| c.is_alphabetic() && !c.is_ascii());
        accented += usize::from(is_accented && !is_name);
        if text.len() < LONGEST_SAMPLE_BYTES && word.core.len() < 40 {
            text.push_str(word.core);
            text.push(' ');
        }
    }
    if foreign_letters * 10 > letters * 3 {
        return false;
    }
    // "I live in Berlin und ich liebe Käse", "shaadi december User hai"
    if marks * 3 >= english && (marks >= 2) || marks == 1 && surely_english == 0 {
        return false;
    }
    // "on", "do", "die" are words of both: a foreign message shows clearly more foreign words.
    if other + accented >= 2 && other + accented > english {
        return false;
    }
    if surely_english > 0 || letters == 0 {
        return true;
    }
    // Nothing English in it: words of another language, or a detector that is sure of one.
    let is_unknown = english == 0 && verbs == 0 && other + accented > 0;
    let is_detected = || {
        DETECTOR_OF_ALL
            .detect(&text)
            .is_some_and(|found| found.is_reliable() && found.lang() != Lang::Eng)
    };
    !(is_unknown && is_detected() || is_listed(&text, verbs))
}

static DETECTOR_OF_ALL: LazyLock<Detector> = LazyLock::new(Detector::new);

#[cfg(test)]
mod tests {
    use super::super::word::words;
    use super::*;

    #[test]
    fn other_languages_are_told_apart() {
        for text in [
            "Vivo en Sevilla con mi hermana y dos gatos",
            "Ich arbeite seit 2019 als Lehrer in Graz und habe zwei Kinder",
            "Мне тридцать лет, я работаю врачом",
            "私は東京に住んでいます。",
            "J'habite à Lyon avec ma femme et je suis boulanger",
        ] {
            assert!(!is_english(words(text).iter()), "{text}");
        }
    }

    #[test]
    fn english_with_foreign_names_stays_english() {
        for text in [
            "I work at Café de la Paix in Lyon",
            "Moved to São Paulo with José",
            "Vegetarian since 2019",
            "Currently reading Les Misérables",
            "shoe: EU 44",
            "Hotel Alpina in Davos",
            "Yoga studio manager",
            "",
        ] {
            assert!(is_english(words(text).iter()), "{text}");
        }
    }
}
