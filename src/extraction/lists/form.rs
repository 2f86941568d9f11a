//! Key–value lines: which blocks of them are about the writer, and the facts they state.

use std::collections::HashMap;
use std::ops::Range;

use super::keys::{self, Rows, Stands};
use super::line::LineKind;
use super::pair::{self, Pair};
use super::shape::{self, Shape};
use super::value;
use super::whose::Owner;
use super::word_lists::{lowered, stands_in, tokens};
use super::wording;
use super::{ListItem, Reading};
use crate::extraction::{lexicon, verb};

/// A line without a pair that is no longer than this may stand inside a form.
const LONGEST_REMARK: usize = 60;
/// For one known key a form may have so many unknown ones.
const UNKNOWN_FOR_KNOWN: usize = 3;
/// A key of a thing outweighs one and a half that stand alone.
const THINGS_WEIGH: usize = 3;
/// An unknown key's value is a few words.
const MOST_VALUE_WORDS: usize = 8;
const MOST_UNKNOWN_KEY_WORDS: usize = 4;
const LONGEST_ABBREVIATION: usize = 4;
/// The letters of European languages end here.
const LAST_LATIN: char = '\u{250}';

/// A pair of a block.
struct Entry {
    line: usize,
    key: Range<usize>,
    value: Range<usize>,
    name: String,
    /// Whether the key says "my".
    is_own: bool,
    /// Whether the key is a question: "Pets? 1 cat".
    is_asked: bool,
    rows: Option<&'static Rows>,
}

impl Entry {
    fn whole(&self) -> Range<usize> {
        self.key.start..self.value.end
    }
}

/// What speaks for and against a block's being about a person.
#[derive(Default)]
struct Evidence {
    alone: usize,
    among: usize,
    beside: usize,
    things: usize,
    unknown: usize,
}

/// Reads the key–value lines that nobody has read yet.
pub(super) fn read(reading: &mut Reading<'_>) {
    let (blocks, people) = blocks(reading);
    for block in blocks {
        read_block(reading, &block, people > 1);
    }
}

/// The blocks, and how many people's names or ages stand in them.
fn blocks(reading: &Reading<'_>) -> (Vec<Vec<Entry>>, usize) {
    let mut blocks: Vec<Vec<Entry>> = vec![Vec::new()];
    let (mut names, mut ages) = (0, 0);
    let mut at = 0;
    while at < reading.lines.len() {
        let line = &reading.lines[at];
        let table = if line.kind == LineKind::Row {
            table(reading, at)
        } else {
            None
        };
        let (entries, next) = match table {
            Some((entries, next)) => (entries, next),
            None if reading.taken[at] || line.kind == LineKind::Foreign || line.kind == LineKind::Task => {
                (Vec::new(), at + 1)
            }
            None => (entries(reading, at), at + 1),
        };
        let is_remark = matches!(line.kind, LineKind::Blank | LineKind::Item | LineKind::Row)
            || line.kind == LineKind::Text
                && line.range.len() <= LONGEST_REMARK
                && !reading.text(at).ends_with([':', '：', '.', '!', '?']);
        if entries.is_empty() && (!is_remark || reading.taken[at]) {
            blocks.push(Vec::new());
        }
        for entry in &entries {
            names += usize::from(entry.name == "name" || entry.name == "full name");
            ages += usize::from(entry.name == "age");
        }
        if let Some(block) = blocks.last_mut() {
            block.extend(entries);
        }
        at = next;
    }
    blocks.retain(|block| !block.is_empty());
    (blocks, names.max(ages))
}

fn entries(reading: &Reading<'_>, line: usize) -> Vec<Entry> {
    let start = reading.lines[line].range.start;
    let text = reading.text(line);
    pair::of_line(text)
        .into_iter()
        .map(|pair| entry(text, start, line, pair))
        .collect()
}

fn entry(text: &str, start: usize, line: usize, pair: Pair) -> Entry {
    let written = &text[pair.key.clone()];
    let name = pair::name(written);
    Entry {
        line,
        key: start + pair.key.start..start + pair.key.end,
        value: start + pair.value.start..start + pair.value.end,
        is_own: lowered(written).starts_with("my "),
        is_asked: pair.is_asked,
        rows: keys::rows(&name),
        name,
    }
}

/// A table whose first row holds the keys and whose only other row the values, with the line behind it.
fn table(reading: &Reading<'_>, at: usize) -> Option<(Vec<Entry>, usize)> {
    let rows: Vec<usize> = (at..reading.lines.len())
        .take_while(|&row| reading.lines[row].kind == LineKind::Row)
        .take(4)
        .collect();
    let [head, rule, values] = rows[..] else {
        return None;
    };
    let is_rule = reading
        .text(rule)
        .chars()
        .all(|c| matches!(c, '|' | '-' | ':' | ' ' | '='));
    let (keys, cells) = (pair::cells(reading.text(head)), pair::cells(reading.text(values)));
    let keys_start = reading.lines[head].range.start;
    let start = reading.lines[values].range.start;
    let known = keys
        .iter()
        .filter(|key| keys::rows(&pair::name(&reading.text(head)[(*key).clone()])).is_some())
        .count();
    if !is_rule || keys.len() != cells.len() || keys.len() < 2 || known < 2 {
        return None;
    }
    let entries = keys
        .into_iter()
        .zip(cells)
        .filter(|(_, cell)| !cell.is_empty())
        .map(|(key, cell)| {
            let name = pair::name(&reading.text(head)[key.clone()]);
            Entry {
                line: values,
                // The value's cell alone: between the two stand other keys.
                key: start + cell.start..start + cell.start,
                value: start + cell.start..start + cell.end,
                is_own: lowered(
                    reading
                        .content
                        .get(keys_start + key.start..keys_start + key.end)
                        .unwrap_or(""),
                )
                .starts_with("my "),
                is_asked: false,
                rows: keys::rows(&name),
                name,
            }
        })
        .collect();
    Some((entries, values + 1))
}

fn read_block(reading: &mut Reading<'_>, block: &[Entry], names_several: bool) {
    let (Some(first), Some(last)) = (block.first(), block.last()) else {
        return;
    };
    let owner = reading.owner(first.line, last.line);
    let evidence = weigh(reading, block);
    let known = evidence.alone + evidence.among + evidence.beside;
    let is_titled = reading.is_resume || matches!(owner, Owner::Writer | Owner::Kin(_));
    let repeats = repeats(block) || names_several && !is_titled;
    let is_others = owner == Owner::Other || repeats || reading.is_vacancy && !is_titled;
    if is_others && known + evidence.things < 1 {
        return;
    }
    let score = 2 * evidence.alone + evidence.among + if is_titled { 2 } else { 0 };
    let stands = !is_others && known > 0 && score >= 2 + THINGS_WEIGH * evidence.things;
    if stands {
        reading.is_profile = true;
        mark(reading, first.line, last.line);
    }
    let takes_unknown = stands && evidence.things == 0 && (is_titled || evidence.unknown <= UNKNOWN_FOR_KNOWN * known);
    let subject = match owner {
        Owner::Kin(kin) => format!("{}'s {kin}", reading.subject),
        Owner::Writer | Owner::Unsaid | Owner::Other => reading.subject.to_owned(),
    };
    let mut skip_next = false;
    for (at, entry) in block.iter().enumerate() {
        if std::mem::take(&mut skip_next) {
            continue;
        }
        if is_others {
            leave(reading, entry);
            continue;
        }
        if stands
            && let Some(next) = block.get(at + 1)
            && let Some(name) = joined_name(reading, entry, next)
        {
            let category = keys::rows("name").and_then(|rows| rows[0].category);
            let range = entry.key.start..next.value.end;
            reading.state(format!("{subject}'s name is {name}."), range, category);
            use_up(reading, entry);
            use_up(reading, next);
            skip_next = true;
            continue;
        }
        match entry.rows {
            Some(rows) if is_thing(reading, entry, rows) => leave(reading, entry),
            Some(rows) if stands || entry.is_own => state_known(reading, entry, rows, &subject),
            None if takes_unknown || entry.is_own => state_unknown(reading, entry, &subject),
            _ => {}
        }
    }
}

/// Marks the form's lines, with the items that stand right before and behind it.
fn mark(reading: &mut Reading<'_>, first: usize, last: usize) {
    let is_item = |line: &usize| reading.lines.get(*line).is_some_and(|line| line.kind == LineKind::Item);
    let before = (0..first).rev().take_while(is_item).count();
    let behind = (last + 1..reading.lines.len()).take_while(is_item).count();
    for line in first - before..=last + behind {
        reading.in_form[line] = true;
    }
}

/// Whether the key, with this value, is no person's.
fn is_thing(reading: &Reading<'_>, entry: &Entry, rows: &'static Rows) -> bool {
    let value = reading.content.get(entry.value.clone()).and_then(value::filled_in);
    let row = value.and_then(|value| keys::fitting(rows, value));
    row.unwrap_or(&rows[0]).stands == Stands::Thing
}

/// What the keys of a block, with values that suit them, say of its being about a person.
fn weigh(reading: &Reading<'_>, block: &[Entry]) -> Evidence {
    let mut evidence = Evidence::default();
    for entry in block {
        let Some(rows) = entry.rows else {
            evidence.unknown += 1;
            continue;
        };
        let value = reading.content.get(entry.value.clone()).and_then(value::filled_in);
        let row = value.and_then(|value| keys::fitting(rows, value));
        match row.map(|row| row.stands) {
            Some(Stands::Thing) => evidence.things += 1,
            None if rows[0].stands == Stands::Thing => evidence.things += 1,
            Some(_) if entry.is_asked => evidence.among += 1,
            Some(Stands::Alone)
                if row.is_some_and(|row| row.shape != Shape::Name) || value.is_some_and(shape::is_full_name) =>
            {
                evidence.alone += 1;
            }
            Some(Stands::Alone | Stands::Among) => evidence.among += 1,
            Some(Stands::Beside) => evidence.beside += 1,
            None => {}
        }
    }
    evidence
}

/// Whether a key that a person has one of comes twice: the block lists several people.
fn repeats(block: &[Entry]) -> bool {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    block
        .iter()
        .filter(|entry| {
            ["name", "full name", "age", "job", "occupation", "city", "email"].contains(&entry.name.as_str())
        })
        .any(|entry| {
            let count = seen.entry(&entry.name).or_default();
            *count += 1;
            *count > 1
        })
}

/// "Budiman Tjandra" of "Surname: Tjandra" and "Given name: Budiman".
fn joined_name(reading: &Reading<'_>, one: &Entry, other: &Entry) -> Option<String> {
    let part = |entry: &Entry| {
        reading
            .content
            .get(entry.value.clone())
            .and_then(value::filled_in)
            .filter(|value| shape::is_name(value))
    };
    let is_first = |entry: &Entry| ["first name", "given name", "forename"].contains(&entry.name.as_str());
    let is_last = |entry: &Entry| ["last name", "surname", "family name"].contains(&entry.name.as_str());
    if is_first(one) && is_last(other) {
        Some(format!("{} {}", part(one)?, part(other)?))
    } else if is_last(one) && is_first(other) {
        Some(format!("{} {}", part(other)?, part(one)?))
    } else {
        None
    }
}

fn state_known(reading: &mut Reading<'_>, entry: &Entry, rows: &'static Rows, subject: &str) {
    let content = reading.content;
    let Some(value) = content.get(entry.value.clone()).and_then(value::filled_in) else {
        use_up(reading, entry);
        return;
    };
    if value::speaks_of_self(value.strip_prefix("my ").unwrap_or(value)) {
        let heading = Some(entry.key.clone()).filter(|key| !key.is_empty());
        reading.taken[entry.line] = true;
        reading.out.items.push(ListItem {
            range: reading.range_of(value),
            heading,
            is_writers: true,
        });
        return;
    }
    let range = entry.key.start..reading.range_of(value).end;
    let with_unit = content
        .get(entry.key.clone())
        .and_then(pair::unit)
        .filter(|_| value.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b','))
        .map(|unit| format!("{value} {unit}"));
    let value = with_unit.as_deref().unwrap_or(value);
    let whole = rows.iter().find(|row| !row.each && row.shape.fits(value));
    if let Some(row) = whole {
        if row.template == "-" {
            use_up(reading, entry);
            return;
        }
        reading.state(wording::sentence(row, subject, &entry.name, value), range, row.category);
        use_up(reading, entry);
        return;
    }
    for item in value::items(value) {
        if let Some(row) = rows.iter().find(|row| row.each && row.shape.fits(item)) {
            reading.state(
                wording::sentence(row, subject, &entry.name, item),
                range.clone(),
                row.category,
            );
            use_up(reading, entry);
        }
    }
}

/// "Shoe size: 43" in a form as "User's shoe size is 43."
fn state_unknown(reading: &mut Reading<'_>, entry: &Entry, subject: &str) {
    let content = reading.content;
    let Some(value) = content.get(entry.value.clone()).and_then(value::filled_in) else {
        return;
    };
    let words = tokens(&entry.name);
    let lower = lowered(value);
    let opens = lower.split_whitespace().next().unwrap_or("");
    let is_bare = |word: &&str| lexicon::is_function(word) || words.len() == 1 && verb::is_ing(word);
    let is_noun = words.len() <= MOST_UNKNOWN_KEY_WORDS
        && words.first().is_some_and(|word| !is_bare(word))
        && words.last().is_some_and(|word| !is_bare(word))
        && entry.name.chars().all(|c| !matches!(c, '/' | '.') && c < LAST_LATIN);
    let is_value = value.split_whitespace().count() <= MOST_VALUE_WORDS
        && !value::speaks_of_self(value)
        && !Shape::Yes.fits(value)
        && !Shape::No.fits(value)
        && !verb::is_past(opens)
        && (!verb::is_base(opens) || opens == value)
        && !lexicon::is_adverb(opens)
        && (!lexicon::is_function(opens) || matches!(opens, "a" | "an" | "the"));
    if !is_noun || !is_value || stands_in("stranger", &entry.name) {
        return;
    }
    let last = words.last().copied().unwrap_or("");
    let is_plural = last.ends_with('s') && !["ss", "us", "is"].iter().any(|end| last.ends_with(end));
    let (count, verb) = match (is_plural, Shape::Number.fits(value)) {
        (true, true) => ("number of ", "is"),
        (true, false) => ("", "are"),
        (false, _) => ("", "is"),
    };
    let range = entry.key.start..reading.range_of(value).end;
    let key = shown(reading, entry);
    reading.state(format!("{subject}'s {count}{key} {verb} {value}."), range, None);
    use_up(reading, entry);
}

/// An unknown key as it stands in a sentence: in lower case, but for abbreviations.
fn shown(reading: &Reading<'_>, entry: &Entry) -> String {
    let written = reading.content.get(entry.key.clone()).unwrap_or("");
    let is_abbreviation = |word: &&str| {
        word.len() > 1
            && word.len() <= LONGEST_ABBREVIATION
            && word.chars().all(|c| c.is_uppercase() || c.is_ascii_digit())
    };
    entry
        .name
        .split(' ')
        .map(|word| {
            tokens(written)
                .into_iter()
                .find(|kept| is_abbreviation(kept) && lowered(kept) == word)
                .unwrap_or(word)
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// Material that is nobody's fact, unless the writer speaks of themselves in it.
fn leave(reading: &mut Reading<'_>, entry: &Entry) {
    if entry.rows.is_some()
        && !reading
            .content
            .get(entry.value.clone())
            .is_some_and(value::speaks_of_self)
    {
        use_up(reading, entry);
    }
}

fn use_up(reading: &mut Reading<'_>, entry: &Entry) {
    reading.taken[entry.line] = true;
    let whole = entry.whole();
    let value = reading.content.get(entry.value.clone()).unwrap_or("");
    let end = value::filled_in(value).map_or(whole.end, |filled| reading.range_of(filled).end);
    reading.out.used.push(whole.start..end);
}
