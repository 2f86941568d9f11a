//! Lists under a heading: the facts that heading and item state together, and the items that are left to others.

use std::ops::Range;

use super::line::LineKind;
use super::opening::{self, LONGEST_HEADING, Opening};
use super::pair;
use super::shape::Shape;
use super::value;
use super::whose::{self, Owner};
use super::word_lists::{lowered, tokens};
use super::{ListItem, Reading};

/// A longer item is a sentence.
const LONGEST_ITEM: usize = 90;
const MOST_ITEM_WORDS: usize = 10;
/// A longer line without a bullet is no item.
const LONGEST_PLAIN_ITEM: usize = 40;
/// A line with fewer semicolons is an ordinary sentence.
const FEWEST_SEMICOLONS: usize = 2;

/// Reads the items that nobody has read yet.
pub(super) fn read(reading: &mut Reading<'_>) {
    // "Dislikes:" makes "Likes:" beside it sure.
    reading.is_profile |= (0..reading.lines.len()).any(|at| {
        is_heading(reading, at) && opening::opening(reading.text(at)).is_some_and(|opening| opening.is_sure_key())
    });
    let mut walk = Walk::default();
    for at in 0..reading.lines.len() {
        match reading.lines[at].kind {
            LineKind::Blank => walk.blank(),
            LineKind::Item | LineKind::Task => walk.item(reading, at),
            LineKind::Text | LineKind::Heading => walk.text(reading, at),
            LineKind::Row | LineKind::Foreign => walk = Walk::default(),
        }
    }
}

/// A walk down the lines, with what governs the next item.
#[derive(Default)]
struct Walk {
    heading: Option<usize>,
    opening: Option<Opening>,
    /// The items that the next one may belong to, each with its indent.
    parents: Vec<(usize, usize)>,
    /// How many blank lines there have been.
    gap: usize,
    /// Whether plain lines follow the heading without a break.
    runs: bool,
}

impl Walk {
    fn blank(&mut self) {
        self.gap += 1;
        self.runs = false;
        if self.gap > 1 {
            self.heading = None;
            self.opening = None;
        }
    }

    fn item(&mut self, reading: &mut Reading<'_>, at: usize) {
        self.gap = 0;
        self.runs = false;
        let line = reading.lines[at].clone();
        while self.parents.last().is_some_and(|&(indent, _)| indent >= line.indent) {
            self.parents.pop();
        }
        let parent = self.parents.last().map(|&(_, line)| line);
        self.parents.push((line.indent, at));
        if reading.taken[at] {
            return;
        }
        let text = reading.text(at);
        if line.kind == LineKind::Task && !value::speaks_of_self(text) {
            reading.take(at);
            return;
        }
        let has_children = reading
            .lines
            .get(at + 1)
            .is_some_and(|next| next.kind == LineKind::Item && next.indent > line.indent);
        if has_children && opening_of(reading, at).is_some() {
            reading.take(at);
            return;
        }
        let of_parent = parent.and_then(|parent| opening_of(reading, parent));
        let opening = if parent.is_some() { &of_parent } else { &self.opening };
        let is_stated = line.kind == LineKind::Item
            && opening
                .as_ref()
                .is_some_and(|opening| state(reading, opening, line.range.clone()));
        if is_stated {
            reading.take(at);
        } else if !text.ends_with(':') {
            let is_writers = reading.in_form[at] || is_writers(reading, self.heading);
            let heading = parent.or(self.heading).map(|line| bare(reading, line));
            reading.out.items.push(ListItem {
                range: line.range,
                heading,
                is_writers,
            });
        }
    }

    fn text(&mut self, reading: &mut Reading<'_>, at: usize) {
        self.gap = 0;
        self.parents.clear();
        if self.runs
            && is_plain_item(reading, at)
            && let Some(opening) = &self.opening
        {
            if state(reading, opening, reading.lines[at].range.clone()) {
                reading.take(at);
            }
            return;
        }
        self.opening = None;
        self.runs = false;
        if reading.taken[at] {
            fragments(reading, at);
            // A post of a résumé governs what was done there.
            if reading.is_resume {
                self.heading = Some(at);
            }
            return;
        }
        inline(reading, at);
        self.heading = is_heading(reading, at).then_some(at);
        self.opening = self.heading.and_then(|at| opening_of(reading, at));
        self.runs = self.opening.is_some() && reading.text(at).ends_with([':', '：']);
        if self.heading.is_some() && (self.opening.is_some() || whose::is_about_writer(&lowered(reading.text(at)))) {
            reading.take(at);
        }
    }
}

/// Whether the line stands over a list: it ends in a colon, is marked as a heading, or is short with an item behind it.
fn is_heading(reading: &Reading<'_>, at: usize) -> bool {
    let text = reading.text(at);
    let behind = reading.lines.get(at + 1).map(|line| line.kind);
    let has_items = matches!(behind, Some(LineKind::Item | LineKind::Task));
    text.len() <= LONGEST_HEADING
        && (text.ends_with([':', '：'])
            || reading.lines[at].kind == LineKind::Heading
            || has_items && !text.ends_with(['.', '!', '?', ',']))
}

/// Whether the items of a heading are about the writer. Without one they are if nothing else is said.
fn is_writers(reading: &Reading<'_>, heading: Option<usize>) -> bool {
    match heading {
        Some(at) => {
            let title = whose::prose(reading.content, &reading.lines[at]);
            let names_writer = tokens(&title)
                .iter()
                .any(|word| matches!(*word, "me" | "my" | "myself" | "i'm" | "im"));
            let is_others = whose::kin(&title).is_some() || reading.owner(at, at) == Owner::Other;
            whose::is_about_writer(&title) || names_writer && !is_others
        }
        None => reading.owners.is_without_prose(),
    }
}

fn is_plain_item(reading: &Reading<'_>, at: usize) -> bool {
    let text = reading.text(at);
    !reading.taken[at]
        && text.len() <= LONGEST_PLAIN_ITEM
        && !text.ends_with(['.', '!', '?', ':'])
        && pair::of_line(text).is_empty()
}

/// The heading's bytes without the colon.
fn bare(reading: &Reading<'_>, at: usize) -> Range<usize> {
    let text = reading.text(at).trim_end_matches([':', '：', ' ', '*']);
    let start = reading.lines[at].range.start;
    start..start + text.len()
}

fn opening_of(reading: &Reading<'_>, at: usize) -> Option<Opening> {
    let opening = opening::opening(reading.text(at))?;
    let is_sure = !opening.is_key() || opening.is_sure_key() || reading.is_profile;
    (is_sure && reading.owner(at, at) != Owner::Other).then_some(opening)
}

/// States what heading and item say together. Whether they say anything.
fn state(reading: &mut Reading<'_>, opening: &Opening, range: Range<usize>) -> bool {
    let content = reading.content;
    let Some(item) = content.get(range).and_then(value::filled_in) else {
        return false;
    };
    let words = tokens(item);
    let is_item = item.len() <= LONGEST_ITEM
        && words.len() <= MOST_ITEM_WORDS
        && !value::speaks_of_self(item)
        && !item.ends_with([':', '?'])
        && !Shape::Yes.fits(item);
    if !is_item {
        return false;
    }
    let Some((text, category)) = opening::sentence(opening, reading.subject, item) else {
        return false;
    };
    let range = reading.range_of(item);
    reading.state(text, range, category);
    true
}

/// "I'm allergic to: nuts, soy" and "My goals for 2026: run more, sleep".
fn inline(reading: &mut Reading<'_>, at: usize) {
    let text = reading.text(at);
    if let Some((head, tail)) = text.split_once(": ")
        && !tail.trim().is_empty()
        && let Some(opening) = opening::opening(head).filter(|opening| !opening.is_key())
        && reading.owner(at, at) != Owner::Other
    {
        let parts: Vec<Range<usize>> = value::items(tail)
            .into_iter()
            .map(|item| reading.range_of(item))
            .collect();
        let stated = parts
            .into_iter()
            .filter(|part| state(reading, &opening, part.clone()))
            .count();
        if stated > 0 {
            reading.take(at);
        }
        return;
    }
    if !introduction(reading, at) {
        fragments(reading, at);
    }
}

/// "About me: nurse, 41, two kids": each part is an item. Whether the line is of that kind.
fn introduction(reading: &mut Reading<'_>, at: usize) -> bool {
    let Some((head, tail)) = reading
        .text(at)
        .split_once(": ")
        .filter(|(head, _)| head.len() <= LONGEST_HEADING)
    else {
        return false;
    };
    let parts = value::items(tail);
    let are_fragments = parts.len() > 1
        && parts
            .iter()
            .all(|part| part.len() <= LONGEST_PLAIN_ITEM && !part.contains(". "));
    if !are_fragments || value::speaks_of_self(tail) || !whose::is_about_writer(&lowered(head)) {
        return false;
    }
    let heading = reading.range_of(head);
    for part in parts {
        let range = reading.range_of(part);
        reading.out.items.push(ListItem {
            range,
            heading: Some(heading.clone()),
            is_writers: true,
        });
    }
    reading.out.used.push(heading);
    true
}

/// "Facts about me; born in Lyon; hate cilantro": each fragment is an item.
fn fragments(reading: &mut Reading<'_>, at: usize) {
    let text = reading.text(at);
    if text.matches(';').count() < FEWEST_SEMICOLONS {
        return;
    }
    let parts: Vec<&str> = text.split(';').map(str::trim).filter(|part| !part.is_empty()).collect();
    if parts.iter().any(|part| part.len() > LONGEST_ITEM) {
        return;
    }
    let heading = parts
        .first()
        .filter(|first| whose::is_about_writer(&lowered(first)))
        .map(|first| reading.range_of(first.trim_end_matches(':')));
    let skipped = usize::from(heading.is_some());
    // Pairs among the fragments have been read as such.
    for part in parts[skipped..].iter().filter(|part| pair::of_line(part).is_empty()) {
        let range = reading.range_of(part);
        reading.out.items.push(ListItem {
            range,
            heading: heading.clone(),
            is_writers: heading.is_some(),
        });
    }
    reading.out.used.extend(heading);
}
