//! Words of a sentence with the punctuation around them, and putting them back together.
//!
//! No grammar lives here. Every other file of this room reads sentences through these words.

/// One blank-separated piece of a sentence: punctuation before, the word, punctuation after.
#[derive(Clone, Debug)]
pub(super) struct Word<'a> {
    /// Punctuation in front, e.g. an opening quotation mark.
    pub(super) lead: &'a str,
    /// The word as written.
    pub(super) core: &'a str,
    /// Punctuation behind, e.g. a comma.
    pub(super) trail: &'a str,
    /// The word in lower case with plain apostrophes.
    pub(super) lower: String,
}

impl Word<'_> {
    /// Whether a pause follows (comma, stop, dash, colon).
    pub(super) fn pauses(&self) -> bool {
        self.trail
            .contains([',', '.', '!', '?', ';', ':', '-', '–', '—', '…', ')'])
    }

    /// Whether the word starts with a capital letter.
    pub(super) fn is_capitalised(&self) -> bool {
        self.core.chars().next().is_some_and(char::is_uppercase)
    }

    /// Whether this is one of `words`.
    pub(super) fn is_one_of(&self, words: &[&str]) -> bool {
        words.contains(&self.lower.as_str())
    }

    /// Whether the piece holds only punctuation.
    pub(super) fn is_empty(&self) -> bool {
        self.core.is_empty()
    }
}

/// Splits a sentence into words. Dashes that stand between two words without blanks part them.
pub(super) fn words(sentence: &str) -> Vec<Word<'_>> {
    let mut out = Vec::with_capacity(sentence.len() / 5 + 1);
    for piece in sentence.split_whitespace() {
        push_piece(piece, &mut out);
    }
    out
}

fn push_piece<'a>(piece: &'a str, out: &mut Vec<Word<'a>>) {
    if !piece.contains(['—', '–']) && !piece.contains("--") && !piece.contains("...") {
        out.push(word(piece));
        return;
    }
    let mut rest = piece;
    loop {
        let cut = ["—", "–", "--", "..."]
            .iter()
            .filter_map(|dash| rest.find(dash).map(|at| (at, at + dash.len())))
            .filter(|&(at, end)| {
                at > 0
                    && rest[end..].starts_with(|c: char| c.is_alphabetic() || c == '(')
                    && rest[..at].ends_with(|c: char| c.is_alphabetic() || c == '"' || c == ',')
            })
            .min();
        match cut {
            Some((_, end)) => {
                out.push(word(&rest[..end]));
                rest = &rest[end..];
            }
            None => {
                out.push(word(rest));
                return;
            }
        }
    }
}

fn word(piece: &str) -> Word<'_> {
    let is_inner = |c: char| c.is_alphanumeric() || matches!(c, '$' | '€' | '£' | '#' | '@' | '%' | '+' | '&');
    let start = piece.find(is_inner).unwrap_or(piece.len());
    let end = piece
        .rfind(is_inner)
        .map_or(start, |at| at + piece[at..].chars().next().map_or(1, char::len_utf8));
    let (lead, core, trail) = (&piece[..start], &piece[start..end], &piece[end..]);
    let lower = if core.is_ascii() {
        core.to_ascii_lowercase()
    } else {
        core.to_lowercase().replace('’', "'")
    };
    Word {
        lead,
        core,
        trail,
        lower,
    }
}

/// Joins words that were rewritten: `cores[i]` stands for `words[i]`, an empty one drops the word.
pub(super) fn join(words: &[Word<'_>], cores: &[String]) -> String {
    let mut out = String::with_capacity(cores.iter().map(|core| core.len() + 2).sum());
    for (word, core) in words.iter().zip(cores) {
        if core.is_empty() && !word.core.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word.lead);
        out.push_str(core);
        out.push_str(word.trail);
    }
    out
}

/// The text with its first letter in upper case.
pub(super) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_is_parted_from_the_word() {
        let all = words("\"Well,\" she said—quietly—(it's 3.5%)!");
        let cores: Vec<_> = all.iter().map(|w| w.core).collect();
        assert_eq!(cores, ["Well", "she", "said", "quietly", "it's", "3.5%"]);
        assert_eq!(all[5].trail, ")!");
    }

    #[test]
    fn joining_unchanged_words_gives_the_sentence_back() {
        let all = words("Tom's  (old) dog, \"Rex\", sleeps.");
        let cores: Vec<_> = all.iter().map(|w| w.core.to_owned()).collect();
        assert_eq!(join(&all, &cores), "Tom's (old) dog, \"Rex\", sleeps.");
    }
}
