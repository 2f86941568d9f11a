//! Texts that are plainly not the user's own talk by how they are written: verse, letters, press, notes about "the user".

use super::quotation::quotations;
use super::word_lists::{list, opening, stands_in};

/// Fewer lines are no poem.
const LEAST_VERSES: usize = 4;
/// A line of verse is so long, in bytes.
const VERSE_BYTES: std::ops::RangeInclusive<usize> = 12..=75;
/// A line that closes a letter, or a name under it, is no longer.
const LONGEST_CLOSING: usize = 45;
/// What is looked for in the wording is looked for so far.
const LONGEST_LOOK: usize = 2_000;

/// Whether a text is of somebody else.
pub(super) fn is_foreign(text: &str) -> bool {
    is_verse(text) || is_letter(text) || is_press(text)
}

/// "The user is a nurse."
pub(super) fn is_of_the_user(text: &str) -> bool {
    let bare = text.trim_start_matches(|c: char| !c.is_alphabetic());
    let after = ["the user ", "user "].iter().find_map(|subject| {
        let head = bare.get(..subject.len())?;
        head.eq_ignore_ascii_case(subject).then(|| &bare[subject.len()..])
    });
    let verb = after.and_then(|rest| rest.split(|c: char| !c.is_alphanumeric()).next());
    verb.is_some_and(|verb| list("user verb").contains(&verb))
}

/// Short lines that rhyme.
fn is_verse(text: &str) -> bool {
    let text = &text[..text.floor_char_boundary(LONGEST_LOOK)];
    let lines: Vec<&str> = if text.contains('\n') {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
    } else {
        text.split(" / ").map(str::trim).collect()
    };
    let is_marked =
        |line: &&&str| line.starts_with(['-', '*', '•', '#', '>', '<', '|', '{', '[']) || line.contains(": ");
    if lines.len() < LEAST_VERSES
        || lines.iter().filter(is_marked).count() * 4 > lines.len()
        || lines.iter().filter(|line| VERSE_BYTES.contains(&line.len())).count() * 5 < lines.len() * 4
    {
        return false;
    }
    let endings: Vec<String> = lines.iter().map(|line| ending(line)).collect();
    let rhymes = |at: &usize| {
        let near = [at.checked_sub(1), at.checked_sub(2), Some(at + 1), Some(at + 2)];
        near.into_iter().flatten().any(|other| {
            endings
                .get(other)
                .is_some_and(|other| *other == endings[*at] && other.len() > 1)
        })
    };
    (0..endings.len()).filter(rhymes).count() * 2 >= endings.len()
}

/// The last two letters of a line.
fn ending(line: &str) -> String {
    let letters = line
        .trim_end_matches(|c: char| !c.is_alphanumeric())
        .chars()
        .rev()
        .take(2);
    letters.flat_map(char::to_lowercase).collect()
}

/// A greeting line, a closing line and a name.
fn is_letter(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let Some(first) = lines.next() else { return false };
    let is_to_somebody = opening("greeting", first).is_some_and(|greeting| {
        let name = first[greeting.len()..].trim_matches(|c: char| !c.is_alphanumeric());
        !name.is_empty() && !list("not a name").iter().any(|word| word.eq_ignore_ascii_case(name))
    });
    let is_greeting = is_to_somebody && first.len() <= LONGEST_CLOSING && first.ends_with([',', '!', ':']);
    let closing = lines
        .rev()
        .take(3)
        .filter(|line| line.len() <= LONGEST_CLOSING && line.split_whitespace().count() <= 5);
    is_greeting
        && closing.into_iter().any(|line| {
            let lower = line.to_lowercase();
            lower
                .split(|c: char| !c.is_alphabetic())
                .any(|word| list("closing").contains(&word))
        })
}

/// Somebody's quoted words with what the press writes around them.
fn is_press(text: &str) -> bool {
    let head = &text[..text.floor_char_boundary(LONGEST_LOOK)];
    let quotations = quotations(head);
    let mut from = 0;
    for quotation in &quotations {
        if super::names_user(&head[from..quotation.start]) {
            return false;
        }
        from = quotation.end;
    }
    if super::names_user(&head[from..]) {
        return false;
    }
    let lower = head.to_lowercase();
    if stands_in("press", &lower) {
        return quotations.len() + lower.matches(" said").count() > 0;
    }
    // "…," said the captain
    let Some(first) = quotations.into_iter().next().filter(|range| range.start == 0) else {
        return false;
    };
    let mut after = head[first.end..].split_whitespace();
    let (Some(verb), Some(subject)) = (after.next(), after.next()) else {
        return false;
    };
    list("reported").contains(&verb) && !matches!(subject, "me" | "to" | "it")
}
