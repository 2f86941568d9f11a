//! Words and verbs of English sentences in the third person.

use std::collections::HashSet;
use std::sync::LazyLock;

use unicode_segmentation::UnicodeSegmentation;

use crate::extraction::verbs;

/// Words that carry nothing by themselves.
const FUNCTION: &str = "a an the and or but nor so yet of in on at to for from by with without about into onto over under between \
through during before after since until till as than that which who whom whose what when where while if because is are was \
were be been being am has have had having do does did done will would can could may might must shall should not no never \
they them their theirs themselves he she him her his hers it its this these those there here very also too just only \
already still often usually always sometimes mostly currently now then once each every all any some most more much many few \
both other another such own same up down out off again isn't aren't wasn't weren't doesn't don't didn't hasn't haven't can't \
won't wouldn't cannot they're they've user user's used";
static FUNCTION_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| FUNCTION.split_whitespace().collect());

/// Forms that say nothing of their base by their ending.
const IRREGULAR: [(&str, &str); 10] = [
    ("is", "are"),
    ("was", "were"),
    ("has", "have"),
    ("does", "do"),
    ("goes", "go"),
    ("isn't", "aren't"),
    ("wasn't", "weren't"),
    ("hasn't", "haven't"),
    ("doesn't", "don't"),
    ("hadn't", "hadn't"),
];
const UNCHANGING: [&str; 16] = [
    "can", "can't", "cannot", "could", "couldn't", "will", "won't", "would", "wouldn't", "may", "might", "must",
    "should", "used", "didn't", "had",
];

/// The lower-case words of a text.
pub(super) fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.unicode_words().map(|word| word.to_lowercase().replace('’', "'"))
}

/// The lower-case words that carry meaning.
pub(super) fn content(text: &str) -> Vec<String> {
    words(text)
        .filter(|word| !FUNCTION_SET.contains(word.as_str()))
        .collect()
}

/// Whether the word may be the verb of a sentence in the third person.
pub(super) fn is_verb(word: &str) -> bool {
    let lower = word.to_lowercase();
    let lower = lower.trim_end_matches(',');
    UNCHANGING.contains(&lower)
        || IRREGULAR.iter().any(|(third, _)| *third == lower)
        || is_past(lower)
        || word.starts_with(char::is_lowercase) && singular_base(lower).is_some()
}

/// Whether a verb tells of the past.
pub(super) fn is_past(word: &str) -> bool {
    let lower = word.to_lowercase();
    [
        "was", "were", "had", "used", "did", "didn't", "wasn't", "hadn't", "couldn't",
    ]
    .contains(&lower.as_str())
        || verbs::is_past(&lower)
        || lower.len() > 4 && lower.ends_with("ed") && lower.chars().all(|c| c.is_ascii_lowercase())
}

/// The form that goes with "they"; none where the word is no verb of the third person.
pub(super) fn base(word: &str) -> Option<String> {
    if let Some((_, plural)) = IRREGULAR.iter().find(|(third, _)| *third == word) {
        return Some((*plural).to_owned());
    }
    if UNCHANGING.contains(&word) || is_past(word) {
        return Some(word.to_owned());
    }
    singular_base(word)
}

/// The form that goes with a name, of one that goes with "they".
pub(super) fn third_person(word: &str) -> Option<String> {
    if let Some((third, _)) = IRREGULAR.iter().find(|(_, plural)| *plural == word) {
        return Some((*third).to_owned());
    }
    if UNCHANGING.contains(&word) || is_past(word) {
        return Some(word.to_owned());
    }
    verbs::is_base(word).then(|| verbs::third_person(word))
}

fn singular_base(word: &str) -> Option<String> {
    let mut candidates = Vec::new();
    if let Some(stem) = word.strip_suffix("ies") {
        candidates.push(format!("{stem}y"));
    }
    let hisses = |stem: &&str| ["ss", "x", "zz", "ch", "sh"].iter().any(|end| stem.ends_with(end));
    if let Some(stem) = word.strip_suffix("es").filter(hisses) {
        candidates.push(stem.to_owned());
    }
    if let Some(stem) = word.strip_suffix('s').filter(|stem| !stem.ends_with('s')) {
        candidates.push(stem.to_owned());
    }
    let plausible = |stem: &String| stem.len() > 1 && verbs::third_person(stem) == word;
    let known = candidates.iter().find(|stem| verbs::is_base(stem)).cloned();
    known.or_else(|| candidates.into_iter().find(plausible))
}

/// The words of a predicate behind "they": "works as a nurse and has two cats" → "work as a nurse and have two cats".
pub(super) fn plural(said: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut wants_verb = true;
    for (at, word) in said.split(' ').enumerate() {
        let is_irregular = IRREGULAR.iter().any(|(third, _)| *third == word);
        let is_known = at == 0 || is_irregular || base(word).is_some_and(|base| verbs::is_base(&base));
        match base(word).filter(|_| wants_verb && is_known) {
            Some(base) => {
                out.push(base);
                wants_verb = false;
            }
            None => {
                out.push(word.to_owned());
                // An adverb may stand before the verb.
                wants_verb = wants_verb && at == 0;
            }
        }
        wants_verb |= ["and", "but", "or"].contains(&word);
    }
    out.join(" ")
}

/// Whether the word carries nothing by itself.
pub(super) fn is_function(lower: &str) -> bool {
    FUNCTION_SET.contains(lower)
}

pub(super) fn is_kin(word: &str) -> bool {
    verbs::is_kin(word)
}

/// A sentence that begins with a capital and ends with a stop.
pub(super) fn sentence(text: &str) -> String {
    let text = text.trim_end_matches(['.', '!', ',', ' ']);
    let mut chars = text.chars();
    let first = chars
        .next()
        .map(|c| c.to_uppercase().collect::<String>())
        .unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

/// "a", "a and b", "a, b and c"; a comma also before the last "and" where a part before it has an "and" or a comma itself.
pub(super) fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => {
            let is_heavy = first.iter().any(|part| part.contains(" and ") || part.contains(','));
            format!("{}{} and {last}", first.join(", "), if is_heavy { "," } else { "" })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_agree_with_they() {
        for (third, plural_form) in [
            ("works as a nurse and has two cats", "work as a nurse and have two cats"),
            ("studies law", "study law"),
            ("visualises and misses goals", "visualise and miss goals"),
            ("teaches and watches films", "teach and watch films"),
            (
                "cherishes old maps but is no sailor",
                "cherish old maps but are no sailor",
            ),
            ("is learning German", "are learning German"),
            ("often goes hiking", "often go hiking"),
            ("doesn't like crowds", "don't like crowds"),
            ("moved to Berlin", "moved to Berlin"),
            ("loves cats and dogs", "love cats and dogs"),
            ("can't stand noise", "can't stand noise"),
            (
                "lives in Lisbon and moved there in 2024",
                "live in Lisbon and moved there in 2024",
            ),
        ] {
            assert_eq!(plural(third), plural_form);
        }
    }

    #[test]
    fn lists_end_with_and() {
        let list = |parts: &[&str]| listed(&parts.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>());
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(list(&["a and b", "c"]), "a and b, and c");
    }
}
