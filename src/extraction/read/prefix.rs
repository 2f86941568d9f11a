//! What is before and behind the words of a message: a channel's prefixes, commands, marks of a device.

use std::ops::Range;

use super::word_lists::{list, opening};

/// Longer words before a colon are no name.
const LONGEST_NAME: usize = 36;
/// A line's prefix is looked for so far.
const LONGEST_PREFIX: usize = 100;

/// Who a line is from, as a channel writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Speaker<'a> {
    /// Empty where the prefix has only a time.
    pub(super) name: &'a str,
    /// The length of the prefix.
    pub(super) length: usize,
}

/// A message without what is before its first and behind its last words.
pub(super) fn body(content: &str) -> Range<usize> {
    let mut start = content.len() - content.trim_start().len();
    for _ in 0..3 {
        let line = content[start..].split('\n').next().unwrap_or_default();
        let skipped = of_line(line).max(command(line));
        if skipped == 0 {
            break;
        }
        start += skipped;
        start += content[start..].len() - content[start..].trim_start().len();
    }
    let mut end = start + content[start..].trim_end().len();
    while let Some(line) = content[start..end].rsplit('\n').next() {
        let is_mark = opening("device", line.trim()).is_some() && line.len() <= LONGEST_PREFIX
            || !line.is_empty() && line.trim().chars().all(|c| matches!(c, '-' | '–' | '—' | '_'));
        if !is_mark {
            break;
        }
        end -= line.len();
        end = start + content[start..end].trim_end().len();
    }
    start..end
}

/// The length of a command or a call at the start.
fn command(line: &str) -> usize {
    let entry = list("command").iter().filter(|entry| {
        line.get(..entry.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(entry))
    });
    entry
        .map(|entry| entry.len())
        .max()
        .filter(|length| line[*length..].contains(char::is_alphanumeric))
        .unwrap_or(0)
}

/// The length of a channel's prefix of a line.
pub(super) fn of_line(line: &str) -> usize {
    mention(line)
        .or_else(|| speaker(line).map(|speaker| speaker.length))
        .unwrap_or(0)
}

/// "<@U123> "
fn mention(line: &str) -> Option<usize> {
    let inner = line.strip_prefix("<@")?;
    let close = inner.find('>').filter(|close| *close <= LONGEST_NAME)?;
    let rest = &inner[close + 1..];
    Some(line.len() - rest.trim_start_matches([' ', ':', ',']).len())
}

/// The speaker that a line names with a time, or in angle brackets.
pub(super) fn speaker(line: &str) -> Option<Speaker<'_>> {
    let head = &line[..line.floor_char_boundary(LONGEST_PREFIX)];
    let stamped = bracketed_time(head).or_else(|| bare_time(head));
    let (rest, is_stamped) = stamped.map_or((head, false), |rest| (rest, true));
    let named = if let Some(inner) = rest.strip_prefix('<') {
        let (name, after) = inner.split_once('>')?;
        let name = name.trim_start_matches(['@', '+', '~', ' ']);
        let is_tag = !is_stamped && (line.contains("</") || name.contains(['=', '/', '"', '!', ':']));
        (after.starts_with(' ') && is_name(name) && !is_tag).then_some((name, after))
    } else if is_stamped {
        rest.split_once(": ").filter(|(name, _)| is_name(name))
    } else {
        let (before, after) = rest.split_once(": ")?;
        // "Ana (10:02): ", "Ana, 07:55: "
        let (name, time) = before.rsplit_once([',', '('])?;
        let time = time.trim_end_matches(')').trim();
        (is_clock(time) && is_name(name.trim())).then_some((name.trim(), after))
    };
    match named {
        Some((name, after)) => {
            let skipped = head.len() - after.trim_start().len();
            Some(Speaker {
                name: name.trim(),
                length: skipped,
            })
        }
        None => {
            let rest = stamped.filter(|_| head.starts_with('['))?;
            Some(Speaker {
                name: "",
                length: head.len() - rest.len(),
            })
        }
    }
}

fn is_name(name: &str) -> bool {
    let name = name.trim();
    !name.is_empty()
        && name.len() <= LONGEST_NAME
        && name.split_whitespace().count() <= 4
        && !name.contains(['.', '?', '!', ';', '"', '=', '{', '<', '>', '[', ']', '/', '\t'])
        && !name
            .split_whitespace()
            .any(|word| list("level").iter().any(|level| level.trim() == word))
        && name.contains(char::is_alphanumeric)
}

/// What follows `[10:02] `.
fn bracketed_time(line: &str) -> Option<&str> {
    let (inside, rest) = line.strip_prefix('[')?.split_once(']')?;
    let mut tokens = inside.split([',', ' ', 'T']).filter(|token| !token.is_empty());
    let is_time = inside.len() <= 40
        && tokens.clone().any(is_clock)
        && tokens.all(|token| is_time_word(token) || is_clock(token));
    is_time.then(|| rest.trim_start())
}

/// What follows "2026-03-01 10:02 " or "14/02/2025, 20:11 - ".
fn bare_time(line: &str) -> Option<&str> {
    let mut rest = line;
    let mut has_clock = false;
    for _ in 0..4 {
        let (token, after) = rest.split_once(' ')?;
        let bare = token.trim_end_matches(',');
        if is_clock(bare) {
            has_clock = true;
        } else if !(is_time_word(bare) || has_clock && matches!(token, "-" | "–" | "|")) {
            break;
        }
        rest = after.trim_start();
    }
    (has_clock && rest.starts_with(|c: char| c == '<' || c == '@' || c.is_uppercase() || !c.is_ascii())).then_some(rest)
}

/// "10:02", "09:41:22", "10:02am"
fn is_clock(token: &str) -> bool {
    let token = token.trim_end_matches(['Z', 'z']);
    let token = ["am", "pm", "AM", "PM"]
        .iter()
        .find_map(|half| token.strip_suffix(half))
        .unwrap_or(token);
    let mut fields = token.split([':', '.']);
    let hour = fields.next().unwrap_or_default();
    token.contains(':')
        && matches!(hour.len(), 1 | 2)
        && hour.bytes().all(|b| b.is_ascii_digit())
        && fields.all(|field| (2..=6).contains(&field.len()) && field.bytes().all(|b| b.is_ascii_digit()))
}

/// Digits and marks of a date, a day or a half of the day.
fn is_time_word(token: &str) -> bool {
    let is_date = token.len() >= 4
        && token.contains(['/', '-', '.'])
        && token
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'/' | b'-' | b'.'));
    is_date
        || matches!(
            token,
            "AM" | "PM" | "am" | "pm" | "a.m." | "p.m." | "UTC" | "Today" | "Yesterday" | "at"
        )
        || matches!(
            token.trim_end_matches('.'),
            "Mon" | "Tue" | "Wed" | "Thu" | "Fri" | "Sat" | "Sun"
        )
}
