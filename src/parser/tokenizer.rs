//! Cuts a sentence into the words of English-EWT: punctuation and clitics stand alone, and so do the parts of compounds
//! with hyphens ("well-known" has three); addresses, times and amounts stay whole.

use std::ops::Range;

use super::contractions;

#[cfg(test)]
mod tests;

/// Abbreviations that keep their full stop.
const ABBREVIATIONS: &str = "mr mrs ms dr st jr sr vs etc inc co corp ltd gen lt rev gov sen rep capt sgt prof ave blvd ft \
    jan feb mar apr aug sept sep oct nov dec mon tue tues wed thu thur thurs fri sat approx est dept misc";
/// What a name with dots in it ends with; elsewhere a dot between words ends a sentence.
const ENDINGS: &str = "com org net edu gov io co uk ai app dev doc docx pdf txt xls xlsx csv html htm js ts py rs go exe \
    jpg jpeg png gif mp3 mp4 zip me tv us de fr";
/// Prefixes that stay with the word behind their hyphen.
const PREFIXES: &str =
    "e non pre anti re mid post co over pro multi ex sub semi neo un intra inter micro counter ultra";
/// What follows a number and is a word of its own: "5 km", "7 pm".
const UNITS: &str = "am pm k m b bn x mm cm km ft f c hz khz mhz ghz p kg g mg kb mb gb tb lb lbs oz ml l h hr hrs min mins \
    sec secs yr yrs yo mph kph kmh usd eur gbp percent degrees days weeks months years hours minutes";
const EMOTICONS: [&str; 34] = [
    ":-)", ":-(", ";-)", ":-D", ":-P", ":-p", ":-/", ":'(", ":')", "^_^", "-_-", "</3", "o_o", ">:(", ":))", ":((",
    "<33", ":)", ":(", ";)", ":D", ":P", ":p", ":/", ":o", ":O", ";P", ";D", "=)", "=(", "<3", "xD", "XD", ":|",
];
/// Letters behind an apostrophe that are a word of their own.
const CLITICS: [&str; 6] = ["s", "m", "re", "ve", "ll", "d"];
/// What is longer is cut here, so that a chunk of a megabyte costs no more than its words.
const LONGEST_BYTES: usize = 1024;
/// Words that begin with an apostrophe.
const APOSTROPHE_WORDS: &str = "em cause til till bout n tis twas";

/// The words of a sentence, as ranges of its bytes. White space is in no word, every other character in one.
pub fn tokenize(text: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut chunks = chunks(text).peekable();
    while let Some(chunk) = chunks.next() {
        let next = chunks.peek().map_or("", |next| &text[next.clone()]);
        let next: String = next.chars().take_while(|c| c.is_alphanumeric()).collect();
        let mut start = chunk.start;
        while start < chunk.end {
            let rest = &text[start..chunk.end];
            let near = &rest[..rest.floor_char_boundary(LONGEST_BYTES)];
            let length = piece(near, start == chunk.start, next.is_empty());
            split_clitics(
                &rest[..length],
                rest.len() == length,
                &next.to_lowercase(),
                start,
                &mut words,
            );
            start += length;
        }
    }
    words
}

/// The ranges between white space.
fn chunks(text: &str) -> impl Iterator<Item = Range<usize>> {
    let base = text.as_ptr().addr();
    text.split_whitespace().map(move |chunk| {
        let start = chunk.as_ptr().addr() - base;
        start..start + chunk.len()
    })
}

/// How many bytes of the rest of a chunk belong together; at least the first character.
fn piece(rest: &str, starts_chunk: bool, ends_text: bool) -> usize {
    let first = rest.chars().next().unwrap_or(' ');
    let found = address(rest)
        .or_else(|| emoticon(rest))
        .or_else(|| starts_chunk.then(|| mention(rest))?)
        .or_else(|| apostrophe_word(rest, starts_chunk));
    match found {
        Some(length) => length,
        None if first.is_ascii_digit() => number(rest),
        None if is_letter(first) => word(rest, ends_text),
        None => marks(rest, first),
    }
}

/// "https://…", "www.…", "someone@example.com", without punctuation behind.
fn address(rest: &str) -> Option<usize> {
    let is_link = ["http://", "https://", "www.", "mailto:"].iter().any(|start| {
        rest.get(..start.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(start))
            && rest.len() > start.len()
    });
    let trimmed = rest.trim_end_matches(['.', ',', ':', ';', '!', '?', '"', '\'', ')', '>', ']', '”', '’']);
    let is_mail = || {
        let (name, host) = trimmed.split_once('@')?;
        let plain = |part: &str| part.chars().all(|c| c.is_alphanumeric() || ".-_+%".contains(c));
        (!name.is_empty() && plain(name) && plain(host) && host.contains('.')).then_some(trimmed.len())
    };
    let length = if is_link { Some(trimmed.len()) } else { is_mail() };
    length.filter(|&length| length > 0)
}

/// A face, unless letters go on behind it.
fn emoticon(rest: &str) -> Option<usize> {
    let face = EMOTICONS.iter().find(|face| rest.starts_with(**face))?;
    let after = rest[face.len()..].chars().next();
    (!after.is_some_and(char::is_alphanumeric)).then_some(face.len())
}

/// "@someone".
fn mention(rest: &str) -> Option<usize> {
    let name = rest.strip_prefix('@')?;
    let length = run(name, |c| c.is_alphanumeric() || c == '_');
    (length > 0).then_some(length + 1)
}

/// "'em", "'cause", "'90s".
fn apostrophe_word(rest: &str, starts_chunk: bool) -> Option<usize> {
    let mark = rest.chars().next().filter(|c| is_apostrophe(*c) && starts_chunk)?;
    let after = &rest[mark.len_utf8()..];
    let length = run(after, char::is_alphanumeric);
    let known = lists(APOSTROPHE_WORDS, &after[..length]);
    let decade = after.starts_with(|c: char| c.is_ascii_digit());
    (known || decade).then_some(mark.len_utf8() + length)
}

/// "7:30", "1,200.50", "11/28/2000", "713-853-3989", "20th", "4x4"; a unit behind it is left.
fn number(rest: &str) -> usize {
    let digits = |at: usize| run(&rest[at..], |c| c.is_ascii_digit());
    let mut length = digits(0);
    while rest[length..].starts_with(['.', ',', ':', '/']) && digits(length + 1) > 0 {
        length += 1 + digits(length + 1);
    }
    let mut phone = length;
    let mut groups = vec![length];
    while rest[phone..].starts_with('-') && digits(phone + 1) > 0 {
        groups.push(digits(phone + 1));
        phone += 1 + digits(phone + 1);
    }
    if groups.len() > 2 || groups == [3, 4] {
        return phone;
    }
    let letters = run(&rest[length..], char::is_alphanumeric);
    if letters > 0 && !lists(UNITS, &rest[length..length + letters]) {
        length += letters;
    }
    length
}

/// A word with its clitics, or an abbreviation, or a name with dots or ampersands.
fn word(rest: &str, ends_text: bool) -> usize {
    if let Some(length) = initials(rest) {
        return length;
    }
    let core = run(rest, is_letter);
    let (name, after) = rest.split_at(core);
    let follows = |mark: &str| after.strip_prefix(mark).filter(|behind| behind.starts_with(is_letter));
    if let Some(behind) = after.strip_prefix('.') {
        let initial =
            core == 1 && name != "I" && name.starts_with(char::is_uppercase) && behind.is_empty() && !ends_text;
        let known = lists(ABBREVIATIONS, name) && !behind.starts_with(is_letter);
        // At the end of a sentence, "etc." ends it.
        let ends_sentence = name == "etc" && behind.is_empty() && ends_text;
        if known && !ends_sentence || initial {
            return core + 1;
        }
    }
    if follows(".").is_some() {
        let dotted = run(rest, |c| is_letter(c) || matches!(c, '.' | '-'));
        let dotted = rest[..dotted].trim_end_matches(['.', '-']);
        if dotted.rsplit('.').next().is_some_and(|ending| lists(ENDINGS, ending)) {
            return dotted.len();
        }
    }
    if let Some(behind) = follows("-")
        && lists(PREFIXES, name)
    {
        return core + 1 + run(behind, is_letter);
    }
    if let Some(behind) = follows("&")
        && core < 4
        && run(behind, is_letter) < 4
    {
        return core + 1 + run(behind, is_letter);
    }
    for slashed in ["w/o", "b/c", "w/"] {
        let ends = !rest.get(slashed.len()..).unwrap_or("").starts_with(is_letter);
        let fits = rest
            .get(..slashed.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(slashed));
        if fits && (ends || slashed == "w/") {
            return slashed.len();
        }
    }
    for language in ["c++", "c#", "f#"] {
        if core == 1
            && rest
                .get(..language.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(language))
        {
            return language.len();
        }
    }
    core + apostrophes(name, after)
}

/// What apostrophes and letters follow a word: "'clock" of "o'clock", "'ve" of "we've".
fn apostrophes(name: &str, mut after: &str) -> usize {
    let mut length = 0;
    while let Some(mark) = after.chars().next().filter(|c| is_apostrophe(*c)) {
        let behind = &after[mark.len_utf8()..];
        let letters = run(behind, is_letter);
        // The mark of "cookin'" belongs to the word, that of "dogs'" does not.
        let dropped_g = name.len() > 4 && name.ends_with("in") && length == 0;
        if letters == 0 {
            return length + if dropped_g { mark.len_utf8() } else { 0 };
        }
        length += mark.len_utf8() + letters;
        after = &behind[letters..];
    }
    length
}

/// "U.S.", "e.g.", "p.m": single letters with a dot behind each but perhaps the last.
fn initials(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let letter = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphabetic);
    let mut length = 0;
    while letter(length) && bytes.get(length + 1) == Some(&b'.') {
        length += 2;
    }
    if letter(length) && !letter(length + 1) && bytes.get(length + 1) != Some(&b'\'') {
        length += 1;
    }
    let ends = !rest[length..].starts_with(is_letter);
    (length > 2 && ends).then_some(length)
}

/// A run of marks that belong together, such as "..." or "?!", or one mark, or one emoji.
fn marks(rest: &str, first: char) -> usize {
    match first {
        '!' | '?' => run(rest, |c| matches!(c, '!' | '?')),
        '.' | '-' | '*' | '=' | '_' | '~' | '+' | '<' | '>' => run(rest, |c| c == first),
        '\'' | '`' | '’' | '‘' if rest[first.len_utf8()..].starts_with(first) => 2 * first.len_utf8(),
        _ if first.is_ascii() || is_single(first) => first.len_utf8(),
        // An emoji with what modifies it: joiners, skin tones, variation selectors, a second half of a flag.
        _ => {
            let joined = |c: char| matches!(c, '\u{200d}' | '\u{fe0f}' | '\u{20e3}' | '\u{1f3fb}'..='\u{1f3ff}');
            let mut length = first.len_utf8();
            let flag = |c: char| matches!(c, '\u{1f1e6}'..='\u{1f1ff}');
            if flag(first) {
                length += rest[length..]
                    .chars()
                    .next()
                    .filter(|c| flag(*c))
                    .map_or(0, char::len_utf8);
            }
            loop {
                let extra = run(&rest[length..], joined);
                if extra == 0 {
                    return length;
                }
                let bound = rest[..length + extra].ends_with('\u{200d}');
                length += extra;
                if bound {
                    length += rest[length..]
                        .chars()
                        .next()
                        .filter(|c| !c.is_ascii())
                        .map_or(0, char::len_utf8);
                }
            }
        }
    }
}

/// Cuts "n't", "'s", "'ve" off a piece, and contractions without apostrophe.
fn split_clitics(piece: &str, ends_chunk: bool, next: &str, start: usize, words: &mut Vec<Range<usize>>) {
    if piece.chars().all(is_letter) {
        let next = if ends_chunk { next } else { "" };
        let cut = contractions::cut(piece, next).unwrap_or(0);
        words.extend((cut > 0).then_some(start..start + cut));
        words.push(start + cut..start + piece.len());
        return;
    }
    let mut clitics = Vec::new();
    let mut end = piece.len();
    while let Some(cut) = clitic(&piece[..end]) {
        clitics.push(start + cut..start + end);
        end = cut;
    }
    words.push(start..start + end);
    words.extend(clitics.into_iter().rev());
}

/// Where the clitic at the end of a word begins, if there is one and something before it.
fn clitic(word: &str) -> Option<usize> {
    let (at, mark) = word.char_indices().rev().find(|(_, c)| is_apostrophe(*c))?;
    let (host, letters) = (&word[..at], &word[at + mark.len_utf8()..]);
    if !host.ends_with(|c: char| c.is_alphanumeric()) {
        return None;
    }
    if letters.eq_ignore_ascii_case("t") && host.len() > 1 && host.ends_with(['n', 'N']) {
        return Some(at - 1);
    }
    CLITICS
        .iter()
        .any(|clitic| letters.eq_ignore_ascii_case(clitic))
        .then_some(at)
}

fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || matches!(c, '\u{300}'..='\u{36f}')
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '`' | '´')
}

/// Marks beyond ASCII that stand alone.
fn is_single(c: char) -> bool {
    matches!(c, '\u{a1}'..='\u{bf}' | '\u{2010}'..='\u{205e}' | '\u{3000}'..='\u{303f}')
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

fn lists(words: &str, word: &str) -> bool {
    words
        .split_ascii_whitespace()
        .any(|known| known.eq_ignore_ascii_case(word))
}
