//! A stretch of a message into lines, each without its bullet, number and marks of emphasis.
//!
//! What a line means is read elsewhere.

use std::ops::Range;

/// A number of more digits than this in front of a line is no item's number.
const LONGEST_NUMBER: usize = 3;

/// What a line looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineKind {
    Blank,
    Text,
    /// With "#" in front, or in bold as a whole.
    Heading,
    /// With a bullet or number in front.
    Item,
    /// An item with an empty or ticked box.
    Task,
    /// A row of a table.
    Row,
    /// Code, or somebody's words that are quoted.
    Foreign,
}

/// A line and where its words stand.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Its words, without bullet and marks.
    pub(super) range: Range<usize>,
    pub(super) kind: LineKind,
    /// How many blanks stand in front.
    pub(super) indent: usize,
}

/// The lines of `range`.
pub(super) fn split(content: &str, range: Range<usize>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut in_code = false;
    // The first line of a block in braces that is still open.
    let mut opened: Option<usize> = None;
    let mut at = range.start;
    for raw in content.get(range).unwrap_or("").split_inclusive('\n') {
        let start = at;
        at += raw.len();
        let fences = raw.trim_start().starts_with("```");
        let mut line = line(raw, start);
        if fences || in_code {
            line.kind = LineKind::Foreign;
        }
        match raw.trim_end().chars().next_back() {
            _ if closes_braces(raw) => {
                let first = opened.take().unwrap_or(lines.len());
                for line in lines.iter_mut().skip(first) {
                    line.kind = LineKind::Foreign;
                }
            }
            Some('{' | '[' | '(') if opened.is_none() => opened = Some(lines.len()),
            _ => {}
        }
        in_code ^= fences && raw.matches("```").count() == 1;
        lines.push(line);
    }
    lines
}

/// Whether the line ends a block of code that an earlier one opened.
fn closes_braces(raw: &str) -> bool {
    let text = raw.trim();
    text.len() <= 4 && text.starts_with(['}', ']', ')'])
}

fn line(raw: &str, start: usize) -> Line {
    let text = raw.trim_start();
    let indent = raw.len() - text.len();
    let place = |part: &str, offset: usize| {
        let from = start + offset;
        from..from + part.len()
    };
    let text = text.trim_end();
    if text.is_empty() {
        return Line {
            range: place("", indent),
            kind: LineKind::Blank,
            indent,
        };
    }
    if text.starts_with('>') || text.starts_with(['{', '}', '<', '"', '$']) {
        return Line {
            range: place(text, indent),
            kind: LineKind::Foreign,
            indent,
        };
    }
    if text.starts_with('|') {
        return Line {
            range: place(text, indent),
            kind: LineKind::Row,
            indent,
        };
    }
    let (mut kind, skipped) = match after_bullet(text) {
        Some((skipped, true)) => (LineKind::Task, skipped),
        Some((skipped, false)) => (LineKind::Item, skipped),
        None => (LineKind::Text, 0),
    };
    let body = &text[skipped..];
    let inner = body.trim_start_matches(is_mark);
    let is_marked = body.starts_with('#') || (body.starts_with("**") && body.trim_end_matches(':').ends_with("**"));
    if kind == LineKind::Text && is_marked && inner.len() < body.len() {
        kind = LineKind::Heading;
    }
    let offset = indent + skipped + body.len() - inner.len();
    let inner = inner.trim_end_matches(is_mark);
    if inner.is_empty() {
        kind = LineKind::Blank;
    }
    Line {
        range: place(inner, offset),
        kind,
        indent,
    }
}

/// "#", "*" and "_" around words, and the blanks between.
fn is_mark(c: char) -> bool {
    matches!(c, '#' | '*' | '_') || c.is_whitespace()
}

/// How many bytes of the line are its bullet or number, and whether a box belongs to it.
fn after_bullet(text: &str) -> Option<(usize, bool)> {
    let first = text.chars().next()?;
    let mark = if matches!(
        first,
        '•' | '◦' | '‣' | '▪' | '●' | '○' | '·' | '✓' | '✔' | '👉' | '➡' | '➤'
    ) {
        first.len_utf8()
    } else if matches!(first, '-' | '*' | '+' | '–' | '—') {
        blank_after(text, first.len_utf8())?
    } else {
        let open = usize::from(first == '(');
        let rest = &text[open..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let letters = usize::from(digits == 0 && rest.starts_with(|c: char| c.is_ascii_lowercase()));
        let length = digits + letters;
        if length == 0 || digits > LONGEST_NUMBER {
            return None;
        }
        let closes = match rest.as_bytes().get(length)? {
            b')' => true,
            b'.' => digits > 0 && open == 0,
            _ => false,
        };
        if !closes {
            return None;
        }
        blank_after(text, open + length + 1)?
    };
    let body = text[mark..].trim_start();
    let skipped = text.len() - body.len();
    let has_box = ["[ ]", "[x]", "[X]", "[]", "☐", "☑"]
        .iter()
        .any(|mark| body.starts_with(mark));
    Some((skipped, has_box))
}

fn blank_after(text: &str, at: usize) -> Option<usize> {
    text.get(at..)?.starts_with(char::is_whitespace).then_some(at)
}
