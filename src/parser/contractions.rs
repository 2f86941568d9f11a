//! Words that are cut in two without an apostrophe to tell where: "dont", "im", "gonna", "cannot".
//!
//! The cuts are those of English-EWT, on which the parser is trained; `tools/parser/contractions.py` holds the same
//! lists of hosts. Where a contraction without its apostrophe is another word ("its", "ill"), the next word decides.

/// Verbs whose negation may lack its apostrophe; "nt" is cut off.
const NEGATED: &str = "do does did wo ca is are was were have has had could would should ai must need";
/// Pronouns and the like before a clitic that may lack its apostrophe.
const HOSTS: [(&str, &str); 6] = [
    ("m", "i"),
    ("ve", "i you we they could would should must might"),
    ("re", "you they"),
    ("s", "he she that there what here where how who"),
    ("ll", "you they it that"),
    ("d", "you they"),
];
/// Two words that are written as one; the first part's length decides the cut.
const FUSED: [(&str, &str); 12] = [
    ("can", "not"),
    ("gon", "na"),
    ("wan", "na"),
    ("got", "ta"),
    ("out", "ta"),
    ("gim", "me"),
    ("lem", "me"),
    ("sort", "a"),
    ("should", "a"),
    ("would", "a"),
    ("could", "a"),
    ("must", "a"),
];
/// Words that are contractions only before some words: where to cut, and before which.
const BEFORE: [(&str, usize, &str); 4] = [
    (
        "its",
        2,
        "a an the not so too very really just been gonna going pretty like all ok okay also always never still only my \
         your his her our their me you because about for in on at almost getting raining snowing super kinda now time \
         hard easy good great nice bad weird fine cold hot called worth more what that this how why where when no \
         possible important true cool funny crazy annoying",
    ),
    (
        "ill",
        1,
        "be have get take do go call see let try need make tell give just probably never always also come send ask \
         check stay keep want put start work think find use definitely still look wait pay buy bring meet",
    ),
    (
        "id",
        1,
        "like love rather prefer say be have never go really want appreciate probably need still just also do get take \
         guess think hate recommend suggest",
    ),
    (
        "lets",
        3,
        "go see do get make try talk say take start be have just not meet use play eat keep move look call find hope \
         face discuss assume",
    ),
];

/// Where a word without apostrophe is cut, if it is. `next` is the word after it, in lower case.
pub(super) fn cut(word: &str, next: &str) -> Option<usize> {
    let short_capitals = word.len() < 3 && word.chars().all(char::is_uppercase);
    if !word.is_ascii() || short_capitals {
        return None;
    }
    let word = word.to_ascii_lowercase();
    let word = word.as_str();
    if let Some(verb) = word.strip_suffix("nt")
        && lists(NEGATED, verb)
    {
        return Some(verb.len());
    }
    let host = HOSTS.iter().find_map(|(clitic, hosts)| {
        let host = word.strip_suffix(clitic)?;
        lists(hosts, host).then_some(host.len())
    });
    let fused = || {
        let parts = FUSED
            .iter()
            .find(|(first, second)| word.strip_prefix(first) == Some(second));
        parts.map(|(first, _)| first.len())
    };
    let before = || {
        let found = BEFORE.iter().find(|(known, ..)| *known == word)?;
        lists(found.2, next).then_some(found.1)
    };
    host.or_else(fused).or_else(before)
}

fn lists(words: &str, word: &str) -> bool {
    words.split_ascii_whitespace().any(|known| known == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contractions_are_cut_as_in_the_treebank() {
        let cases = [
            ("dont", 2),
            ("Wont", 2),
            ("im", 1),
            ("theyre", 4),
            ("thats", 4),
            ("cannot", 3),
            ("gonna", 3),
            ("shouldve", 6),
        ];
        for (word, place) in cases {
            assert_eq!(cut(word, ""), Some(place), "{word}");
        }
    }

    #[test]
    fn other_words_stay_whole() {
        for word in [
            "want", "went", "well", "were", "hell", "IM", "ID", "moms", "Nt", "dönt", "", "s", "nt",
        ] {
            assert_eq!(cut(word, "a"), None, "{word}");
        }
    }

    #[test]
    fn the_next_word_decides_where_there_are_two_readings() {
        assert_eq!((cut("its", "raining"), cut("its", "name")), (Some(2), None));
        assert_eq!((cut("ill", "call"), cut("ill", "today")), (Some(1), None));
        assert_eq!((cut("id", "love"), cut("id", "card")), (Some(1), None));
        assert_eq!((cut("Lets", "go"), cut("lets", "me")), (Some(3), None));
    }
}
