//! The end of a letter: who signed it, as what, and where they work.

use super::Reading;
use super::keys;
use super::line::LineKind;
use super::resume::{holds_role, is_organisation};
use super::shape::is_name;
use super::whose;
use super::word_lists::{holds, lowered, stands_in};
use super::wording;
use crate::model::Category;

/// A signature goes over at most so many lines, blank ones included.
const MOST_LINES: usize = 10;
const LONGEST_LINE: usize = 80;
/// So many lines at the beginning may say what the letter is.
const MOST_INTRO: usize = 6;

/// Reads the signature at the end of the stretch, if the letter is the writer's own.
pub(super) fn read(reading: &mut Reading<'_>) {
    let lines: Vec<usize> = (0..reading.lines.len())
        .rev()
        .take(MOST_LINES + 1)
        .filter(|&at| {
            reading.lines[at].kind != LineKind::Blank && !lowered(reading.text(at)).starts_with("sent from my")
        })
        .collect();
    match lines.iter().position(|&at| closes(reading.text(at))) {
        Some(depth) => read_block(reading, &lines[..=depth]),
        None => read_line(reading, &lines),
    }
}

/// A closing with the lines behind it; `lines` begin with the last one.
fn read_block(reading: &mut Reading<'_>, lines: &[usize]) {
    let Some((&closing, signed)) = lines.split_last() else {
        return;
    };
    let is_short = |at: usize| reading.text(at).len() <= LONGEST_LINE && !reading.text(at).ends_with('?');
    let is_block = signed
        .iter()
        .all(|&at| reading.lines[at].kind == LineKind::Text && is_short(at));
    let signed: Vec<usize> = signed.iter().rev().copied().collect();
    let Some((&first, below)) = signed.split_first().filter(|_| is_block) else {
        return;
    };
    let name = without_honorific(reading.text(first));
    if !is_signed_name(name) {
        return;
    }
    let is_own = is_own_letter(reading, closing);
    reading.take(closing);
    for &at in &signed {
        reading.take(at);
    }
    if is_own {
        // "Ben" may stand in full below.
        let in_full = below
            .iter()
            .map(|&at| without_honorific(reading.text(at)))
            .find(|other| is_signed_name(other) && other.len() > name.len() && other.split(' ').next() == Some(name));
        state_name(reading, in_full.unwrap_or(name));
        state_post(reading, below);
    }
}

/// "Best, Ben" as the last of several lines.
fn read_line(reading: &mut Reading<'_>, lines: &[usize]) {
    let Some(&last) = lines.first().filter(|_| lines.len() > 1) else {
        return;
    };
    let Some(name) = name_behind_closing(reading.text(last)) else {
        return;
    };
    let is_own = is_own_letter(reading, last);
    reading.take(last);
    if is_own {
        state_name(reading, name);
    }
}

fn closes(text: &str) -> bool {
    text.len() <= LONGEST_LINE && holds("closing", &lowered(text.trim_end_matches([',', '!', '.', ' ', '-'])))
}

/// "Ben" of "Best, Ben".
fn name_behind_closing(text: &str) -> Option<&str> {
    let (closing, name) = text.split_once(", ").filter(|_| text.len() <= LONGEST_LINE)?;
    let name = without_honorific(name.trim().trim_end_matches('.'));
    // "Thanks, Ben" may as well be said to Ben.
    let closing = lowered(closing);
    (holds("closing", &closing) && !holds("thanks", &closing) && is_signed_name(name) && name.split(' ').count() <= 3)
        .then_some(name)
}

fn without_honorific(name: &str) -> &str {
    let name = name.split(',').next().unwrap_or(name).trim();
    match name.split_once(' ') {
        Some((title, rest)) if holds("honorific", &lowered(title)) => rest.trim(),
        _ => name,
    }
}

fn is_signed_name(name: &str) -> bool {
    is_name(name)
        && name.starts_with(char::is_uppercase)
        && name.split(' ').count() <= 4
        && !holds_role(name)
        && !is_organisation(name)
        && !["your", "the", "my", "you", "everyone", "all", "team"]
            .contains(&lowered(name).split(' ').next().unwrap_or(""))
}

/// Whether nothing says that the letter came from, or is to be written for, somebody else.
fn is_own_letter(reading: &Reading<'_>, closing: usize) -> bool {
    let intro: Vec<String> = (0..closing)
        .filter(|&at| reading.lines[at].kind != LineKind::Blank)
        .take(MOST_INTRO)
        .map(|at| whose::prose(reading.content, &reading.lines[at]))
        .collect();
    let is_salutation = |line: &String| {
        let first = line.split([',', ' ']).next().unwrap_or("");
        line.len() <= LONGEST_LINE && holds("salutation", first) && line.ends_with([',', ':', '!', '-'])
    };
    let said_before = intro.iter().position(is_salutation).unwrap_or(1).min(intro.len());
    let is_mine = intro.iter().any(|line| stands_in("letter of mine", line));
    let is_embedded = intro.iter().position(is_salutation).is_some_and(|at| at > 0);
    let has_head = intro
        .iter()
        .any(|line| line.starts_with("from:") || line.starts_with("to:"));
    let is_anothers = intro[..said_before].iter().any(|line| stands_in("letter", line));
    is_mine || !(is_embedded || has_head || is_anothers)
}

fn state_name(reading: &mut Reading<'_>, name: &str) {
    // A speaker with a name is known by it already.
    if reading.subject.split(' ').next() == name.split(' ').next() {
        return;
    }
    let text = format!("{}'s name is {name}.", reading.subject);
    let category = keys::rows("name").and_then(|rows| rows[0].category);
    reading.state(text, reading.range_of(name), category);
}

/// The post and the employer below the name.
fn state_post(reading: &mut Reading<'_>, lines: &[usize]) {
    let Some(at) = lines
        .iter()
        .position(|&at| holds_role(reading.text(at).split([',', '|', '@']).next().unwrap_or("")))
    else {
        return;
    };
    let line = lines[at];
    let text = reading.text(line);
    let (title, rest) = [", ", " | ", " at ", " @ ", " – ", " - "]
        .iter()
        .filter_map(|mark| text.split_once(mark))
        .min_by_key(|(title, _)| title.len())
        .unwrap_or((text, ""));
    let below = lines
        .get(at + 1)
        .map(|&line| (line, reading.text(line)))
        .filter(|(_, text)| {
            text.starts_with(char::is_uppercase)
                && !text.contains(['@', ':', '+'])
                && !text.bytes().any(|b| b.is_ascii_digit())
        });
    let is_below = below.is_some_and(|(_, text)| is_organisation(text) || rest.is_empty());
    let employer = if is_below && !is_organisation(rest) {
        below.map(|(_, text)| text)
    } else {
        Some(rest).filter(|rest| !rest.is_empty())
    };
    let title = if employer == Some(rest) { title } else { text };
    let subject = reading.subject;
    let range = reading.range_of(title);
    let job = format!("{subject} works as {}.", wording::job(title.trim()));
    reading.state(job, range, Some(Category::Career));
    if let Some(employer) = employer {
        let range = reading.range_of(employer);
        reading.state(
            format!("{subject} works at {}.", wording::with_the(employer)),
            range,
            Some(Category::Career),
        );
    }
}
