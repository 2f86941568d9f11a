//! What lists, key–value lines, forms, résumés and signatures say of whoever wrote them.
//!
//! [`read`] takes a stretch of a message and gives facts where a line and its place leave no doubt. Whatever is a
//! sentence or fragment of its own goes back as a [`ListItem`], for others to read.
//!
//! `line.rs` and `pair.rs` take lines apart. `form.rs` reads key–value lines by the table of `keys.rs`, `heading.rs` the
//! lists under headings by `opening.rs`, `resume.rs` posts and degrees, `signature.rs` the end of a letter. `whose.rs`
//! asks whether such a block is about the writer at all. `shape.rs` and `value.rs` look at values, `wording.rs` writes
//! the sentences. The table of keys and the lists of words are in `assets/english/`.

mod form;
mod heading;
mod keys;
mod line;
mod opening;
mod pair;
mod resume;
mod shape;
mod signature;
#[cfg(test)]
mod tests;
mod value;
mod whose;
mod word_lists;
mod wording;
mod years;

use std::ops::Range;

use crate::model::Category;
use line::Line;
use whose::{Owner, Owners};

/// A fact that a line states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LineFact {
    /// A sentence in the third person: "User is 31 years old."
    pub(super) text: String,
    /// The bytes of the message that it came from.
    pub(super) range: Range<usize>,
    /// What it is about, where its key says so.
    pub(super) category: Option<Category>,
}

/// A bullet, a numbered item or a fragment between semicolons that has to be read as a sentence of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ListItem {
    /// Its bytes, without the bullet.
    pub(super) range: Range<usize>,
    /// The heading that governs it, without marks and colon.
    pub(super) heading: Option<Range<usize>>,
    /// Whether it is about the writer: it stands in a form of theirs, its heading says so, or the stretch is nothing
    /// but the list.
    pub(super) is_writers: bool,
}

/// What the lines of a stretch say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lines {
    /// What the lines state, in the order of the message.
    pub(super) facts: Vec<LineFact>,
    /// The bytes that need no further reading, in order: those that made facts, and those that are material.
    pub(super) used: Vec<Range<usize>>,
    /// What is left to be read as sentences, in the order of the message.
    pub(super) items: Vec<ListItem>,
}

/// Reads the lines of `range`. `subject` is what the facts call the writer: "User", or a name.
pub(super) fn read(content: &str, range: Range<usize>, subject: &str) -> Lines {
    let mut reading = Reading::of(content, range, subject);
    signature::read(&mut reading);
    resume::read(&mut reading);
    form::read(&mut reading);
    heading::read(&mut reading);
    reading.finish()
}

/// A stretch while it is being read.
struct Reading<'a> {
    content: &'a str,
    subject: &'a str,
    lines: Vec<Line>,
    /// Of each line whether somebody has read it.
    taken: Vec<bool>,
    /// Of each line whether it stands in a form of the writer's.
    in_form: Vec<bool>,
    owners: Owners,
    /// Whether a résumé of the writer's was found.
    is_resume: bool,
    /// Whether a form or a list of the writer's was found.
    is_profile: bool,
    /// Whether the stretch says what an employer looks for.
    is_vacancy: bool,
    out: Lines,
}

impl<'a> Reading<'a> {
    fn of(content: &'a str, range: Range<usize>, subject: &'a str) -> Self {
        let lines = line::split(content, range);
        Self {
            content,
            subject,
            taken: vec![false; lines.len()],
            in_form: vec![false; lines.len()],
            owners: Owners::of(content, &lines),
            lines,
            is_resume: false,
            is_profile: false,
            is_vacancy: false,
            out: Lines::default(),
        }
    }

    /// The words of a line, without bullet and marks.
    fn text(&self, line: usize) -> &'a str {
        self.lines
            .get(line)
            .and_then(|line| self.content.get(line.range.clone()))
            .unwrap_or("")
    }

    /// Who the block from line `first` to line `last` is about.
    fn owner(&self, first: usize, last: usize) -> Owner {
        self.owners.owner(self.content, &self.lines, first, last)
    }

    /// Marks the line as read, with nothing left for the sentence splitter.
    fn take(&mut self, line: usize) {
        self.taken[line] = true;
        self.out.used.push(self.lines[line].range.clone());
    }

    fn state(&mut self, text: String, range: Range<usize>, category: Option<Category>) {
        self.out.facts.push(LineFact { text, range, category });
    }

    /// The place of `part`, which was cut from the message.
    fn range_of(&self, part: &str) -> Range<usize> {
        let start = (part.as_ptr() as usize).saturating_sub(self.content.as_ptr() as usize);
        start..start + part.len()
    }

    fn finish(mut self) -> Lines {
        self.out.facts.sort_by_key(|fact| fact.range.start);
        self.out.items.sort_by_key(|item| item.range.start);
        self.out.used.sort_by_key(|used| used.start);
        self.out.used.dedup();
        self.out
    }
}
