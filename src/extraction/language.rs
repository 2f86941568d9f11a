//! Whether a message is English, cheaply. Other languages are kept in their own words, not rewritten.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::word::Word;

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
    "som", "på", "nie", "się", "jest", "na", "w", "z", "mam", "o", "eu", "não", "com", "uma", "meu", "minha", "os",
    "de", "do", "da", "ik", "het", "een", "van", "niet", "mijn", "ben", "en", "ve", "bir", "ben", "ja", "minä", "olen",
    "on", "että", "jsem", "je", "se", "vivo", "trabajo", "como", "al", "du", "au", "zu", "im", "nach", "seit",
    "tinggal", "saya", "di", "yang", "dan", "tôi", "là", "ở",
];

static ENGLISH_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| ENGLISH.iter().copied().collect());
static OTHER_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| OTHER.iter().copied().collect());

/// Whether the words read as English (or as too little to tell, which counts as English).
pub(super) fn is_english<'w, 'a: 'w>(words: impl Iterator<Item = &'w Word<'a>>) -> bool {
    let (mut letters, mut foreign_letters) = (0_usize, 0_usize);
    let (mut english, mut other, mut accented) = (0_usize, 0_usize, 0_usize);
    for word in words.take(400) {
        for c in word.core.chars().take(40).filter(|c| c.is_alphabetic()) {
            letters += 1;
            if !c.is_ascii() && c as u32 > 0x24F && !(0x1E00..0x1F00).contains(&(c as u32)) {
                foreign_letters += 1;
            }
        }
        let lower = word.lower.as_str();
        english += usize::from(ENGLISH_SET.contains(lower));
        other += usize::from(OTHER_SET.contains(lower));
        accented += usize::from(!lower.is_ascii() && lower.chars().any(|c| c.is_alphabetic() && !c.is_ascii()));
    }
    if foreign_letters * 10 > letters * 3 {
        return false;
    }
    // "on", "do", "die" are words of both: a foreign message shows clearly more foreign words.
    !(other + accented >= 2 && other + accented > english)
}

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
            "",
        ] {
            assert!(is_english(words(text).iter()), "{text}");
        }
    }
}
