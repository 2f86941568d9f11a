//! What the classifier looks at in a stretch of a message: its words, its layout, where it stands.

use super::super::{verb, word};
use super::classifier::Kinds;
use super::unit::{Break, Unit};
use super::word_lists::{is_listed, list};

/// Of a long stretch, so much of its beginning and its end is read for words.
const HEAD_BYTES: usize = 3_000;
const TAIL_BYTES: usize = 1_000;
/// What a message opens with says what comes after it: so many words, in so many bytes.
const HEAD_WORDS: usize = 8;
const LONGEST_HEAD: usize = 160;
/// Longer words say nothing.
const LONGEST_WORD: usize = 30;

/// The features of a stretch, for fitting: those with names, and the vector.
pub(crate) struct Features {
    pub(crate) named: Vec<(String, f32)>,
    pub(crate) vector: Vec<f32>,
}

/// Where a stretch stands in its message.
pub(crate) struct Setting<'a> {
    is_whole: bool,
    is_quotation: bool,
    is_last: bool,
    opens: Break,
    /// The unit before it.
    before: Option<&'a str>,
    /// The first unit of its message, where it is another.
    first: Option<&'a str>,
}

impl<'a> Setting<'a> {
    /// The whole message.
    pub(crate) fn whole() -> Self {
        Self {
            is_whole: true,
            is_quotation: false,
            is_last: true,
            opens: Break::Paragraph,
            before: None,
            first: None,
        }
    }

    /// One of a message's units.
    pub(crate) fn of(content: &'a str, units: &[Unit], at: usize) -> Self {
        let before = at.checked_sub(1).and_then(|before| units.get(before));
        Self {
            is_whole: false,
            is_quotation: units[at].is_quotation,
            is_last: at + 1 == units.len(),
            opens: units[at].opens,
            before: before.map(|unit| &content[unit.range.clone()]),
            first: units
                .first()
                .filter(|_| at > 0)
                .map(|unit| &content[unit.range.clone()]),
        }
    }
}

/// Names every feature of a text with its value, but for its vector's.
pub(crate) fn features(text: &str, setting: &Setting<'_>, add: &mut dyn FnMut(&str, f32)) {
    add("bias", 1.0);
    place(setting, add);
    layout(text, add);
    if text.len() <= HEAD_BYTES + TAIL_BYTES {
        of_words(text, setting.is_whole, add);
    } else {
        let tail = text.ceil_char_boundary(text.len() - TAIL_BYTES);
        let sample = format!("{} {}", &text[..text.floor_char_boundary(HEAD_BYTES)], &text[tail..]);
        of_words(&sample, setting.is_whole, add);
    }
}

fn place(setting: &Setting<'_>, add: &mut dyn FnMut(&str, f32)) {
    if setting.is_whole {
        add("whole", 1.0);
        return;
    }
    if setting.is_quotation {
        add("quotation", 1.0);
    }
    if setting.is_last {
        add("last", 1.0);
    }
    add(
        match setting.opens {
            Break::Sentence => "opens:sentence",
            Break::Line => "opens:line",
            Break::Paragraph => "opens:paragraph",
            Break::Edge => "opens:edge",
        },
        1.0,
    );
    let Some(before) = setting.before else {
        add("before:nothing", 1.0);
        return;
    };
    if before.ends_with(':') {
        add("before:colon", 1.0);
    } else if before.ends_with('?') {
        add("before:question", 1.0);
    }
    let tail = &before[before.ceil_char_boundary(before.len().saturating_sub(120))..];
    let points = tail
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| list("pointer").iter().any(|pointer| word.eq_ignore_ascii_case(pointer)));
    if points {
        add("before:points", 1.0);
    }
    let Some(first) = setting.first else {
        return;
    };
    if first.ends_with(':') {
        add("under:colon", 1.0);
    }
    let head = &first[..first.floor_char_boundary(LONGEST_HEAD)];
    let mut name = String::with_capacity(LONGEST_WORD + 8);
    for word in head.split_whitespace().take(HEAD_WORDS) {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        if !word.is_empty() && word.len() <= LONGEST_WORD {
            name.clear();
            name.push_str("under:");
            name.extend(word.chars().flat_map(char::to_lowercase));
            add(&name, 0.4);
        }
    }
}

/// The shape of a text: its marks and lines.
fn layout(text: &str, add: &mut dyn FnMut(&str, f32)) {
    let mut counts = Counts::default();
    for c in text.chars() {
        counts.add(c);
    }
    let length = counts.chars.max(1.0);
    add("share:digits", 4.0 * counts.digits / length);
    add("share:marks", 10.0 * counts.marks / length);
    add("share:capitals", 4.0 * counts.capitals / length);
    add("share:other", 2.0 * counts.other / length);
    for (name, count) in [
        ("has:question", counts.questions),
        ("has:exclamation", counts.exclamations),
        ("has:star", counts.stars),
        ("has:double", counts.doubles),
        ("has:semicolon", counts.semicolons),
        ("has:colon", counts.colons),
        ("has:bracket", counts.brackets),
        ("has:equals", counts.equals),
        ("has:underscore", counts.underscores),
        ("has:dash", counts.dashes),
    ] {
        if count > 0.0 {
            add(name, 0.5 + 0.5 * (count / 3.0).min(1.0));
        }
    }
    let first = text.chars().next().unwrap_or(' ');
    let last = text.trim_end().chars().next_back().unwrap_or(' ');
    let is_quote = |c: char| matches!(c, '"' | '“' | '”' | '«' | '»' | '‘' | '\'');
    if is_quote(first) {
        add("first:quote", 1.0);
        if is_quote(last) {
            add("all:quote", 1.0);
        }
    } else if first.is_lowercase() {
        add("first:lowercase", 1.0);
    } else if !first.is_alphanumeric() {
        named(add, "first:", first.encode_utf8(&mut [0; 4]), 1.0);
    }
    if is_quote(last) {
        add("end:quote", 1.0);
    } else if last.is_alphanumeric() {
        add("end:none", 1.0);
    } else if last.is_ascii() {
        named(add, "end:", last.encode_utf8(&mut [0; 4]), 1.0);
    } else {
        add("end:other", 1.0);
    }
    lines(text, add);
}

#[derive(Default)]
struct Counts {
    chars: f32,
    digits: f32,
    marks: f32,
    capitals: f32,
    other: f32,
    questions: f32,
    exclamations: f32,
    stars: f32,
    doubles: f32,
    semicolons: f32,
    colons: f32,
    brackets: f32,
    equals: f32,
    underscores: f32,
    dashes: f32,
}

impl Counts {
    fn add(&mut self, c: char) {
        self.chars += 1.0;
        match c {
            '0'..='9' => self.digits += 1.0,
            'A'..='Z' => self.capitals += 1.0,
            '?' => self.questions += 1.0,
            '!' => self.exclamations += 1.0,
            '"' | '“' | '”' => self.doubles += 1.0,
            ':' => self.colons += 1.0,
            '—' | '–' => self.dashes += 1.0,
            '*' => {
                self.stars += 1.0;
                self.marks += 1.0;
            }
            ';' => {
                self.semicolons += 1.0;
                self.marks += 1.0;
            }
            '{' | '}' | '[' | ']' => {
                self.brackets += 1.0;
                self.marks += 1.0;
            }
            '=' => {
                self.equals += 1.0;
                self.marks += 1.0;
            }
            '_' => {
                self.underscores += 1.0;
                self.marks += 1.0;
            }
            '<' | '>' | '|' | '\\' | '/' | '$' | '#' | '@' | '^' | '~' | '+' | '(' | ')' => self.marks += 1.0,
            c if !c.is_ascii() && !c.is_alphabetic() => self.other += 1.0,
            _ => {}
        }
    }
}

fn lines(text: &str, add: &mut dyn FnMut(&str, f32)) {
    #[expect(clippy::cast_precision_loss, reason = "a length")]
    let size = (text.len() as f32).ln();
    add("length", size / 4.0);
    for (at, limit) in [12, 40, 120, 400, 1_200].into_iter().enumerate() {
        if text.len() >= limit {
            named(add, "length:", &at.to_string(), 0.5);
        }
    }
    let (mut all, mut short, mut keyed, mut marked, mut indented, mut blank) = (0.0_f32, 0.0, 0.0, 0.0, 0.0, 0.0);
    for line in text.lines() {
        if line.trim().is_empty() {
            blank += 1.0;
            continue;
        }
        all += 1.0;
        short += f32::from(u8::from(line.len() < 45));
        indented += f32::from(u8::from(line.starts_with([' ', '\t'])));
        marked += f32::from(u8::from(
            line.trim_start().starts_with(['-', '*', '•', '#', '>', '<', '|']),
        ));
        let head = &line[..line.floor_char_boundary(30)];
        keyed += f32::from(u8::from(head.contains([':', '='])));
    }
    if all < 2.0 {
        add("line", 1.0);
        return;
    }
    if blank > 0.0 {
        add("paragraphs", 1.0);
    }
    add("lines", (all / 8.0).min(1.0));
    add("lines:short", short / all);
    add("lines:indented", indented / all);
    add("lines:marked", marked / all);
    add("lines:keyed", keyed / all);
    let last = text.trim_end().lines().next_back().unwrap_or_default();
    if last.len() < 30 && !last.trim_end().ends_with(['.', '?', '!', ';', '}']) {
        add("last line:short", 1.0);
    }
}

fn of_words(text: &str, is_whole: bool, add: &mut dyn FnMut(&str, f32)) {
    let all = word::words(text);
    let said: Vec<(&str, bool)> = all
        .iter()
        .filter(|word| !word.is_empty())
        .map(|word| {
            let ends = word.trail.contains(['.', '!', '?', ':', '…']);
            let is_number = word.lower.bytes().any(|b| b.is_ascii_digit());
            (if is_number { "#" } else { word.lower.as_str() }, ends)
        })
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "a count of words")]
    let share = 1.5 / (said.len().max(1) as f32).sqrt();
    let mut name = String::with_capacity(80);
    let mut put = |parts: [&str; 3], value: f32| {
        name.clear();
        for part in parts {
            name.push_str(part);
        }
        if name.len() <= 2 * LONGEST_WORD + 8 {
            add(&name, value);
        }
    };
    let (mut i, mut you, mut they, mut past, mut begins_i, mut begins) =
        (0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32, 0.0, 0.0_f32);
    let mut opens = true;
    for (at, (word, ends)) in said.iter().enumerate() {
        put(["w:", word, ""], share);
        if let Some((next, _)) = said.get(at + 1).filter(|_| !ends) {
            put([word, " ", next], share);
        }
        let stem = word.split(['\'', '’']).next().unwrap_or(word);
        let is_i = matches!(
            stem,
            "i" | "im" | "ive" | "my" | "me" | "mine" | "myself" | "ill" | "id"
        );
        if is_i {
            i += 1.0;
        } else if matches!(stem, "you" | "your" | "u" | "ur" | "yours") {
            you += 1.0;
        } else if matches!(stem, "he" | "she" | "they" | "his" | "her" | "their" | "him" | "them") {
            they += 1.0;
        } else if is_whole && verb::is_past(word) {
            past += 1.0;
        }
        if opens {
            begins += 1.0;
            begins_i += f32::from(u8::from(is_i));
            put(["begins:", word, ""], share);
        }
        opens = *ends;
    }
    let count = 2.25 / (share * share);
    put(["i", "", ""], 4.0 * i / count);
    put(["you", "", ""], 4.0 * you / count);
    put(["they", "", ""], 4.0 * they / count);
    put(["past", "", ""], 4.0 * past / count);
    if begins > 0.0 {
        put(["begins i", "", ""], begins_i / begins);
    }
    if i == 0.0 {
        put(["no i", "", ""], 1.0);
    }
    if you > 0.0 && i == 0.0 {
        put(["you only", "", ""], 1.0);
    }
    for (at, (word, _)) in said.iter().take(3).enumerate() {
        put([["1:", "2:", "3:"][at], word, ""], 0.7);
    }
    if let [(one, _), (two, _), ..] = said.as_slice() {
        put(["12:", one, &format!(" {two}")], 0.7);
        if verb::is_base(one) {
            put(["imperative", "", ""], 1.0);
        }
    }
    if is_whole {
        // The first sentence says what the message is for, the last what is asked.
        for (word, ends) in said.iter().take(12) {
            put(["head:", word, ""], 0.4);
            if *ends {
                break;
            }
        }
        for (at, (word, ends)) in said.iter().rev().take(10).enumerate() {
            if *ends && at > 0 {
                break;
            }
            put(["tail:", word, ""], 0.4);
        }
    }
    for class in ["fantasy", "published"] {
        let members = said.iter().filter(|(word, _)| is_listed(class, word)).take(4).count();
        if members > 0 {
            put(["class:", class, ""], [0.0, 0.6, 0.9, 1.1, 1.2][members]);
        }
    }
    let closing = list("closing");
    if said.iter().rev().take(5).any(|(word, _)| closing.contains(word)) {
        put(["closing", "", ""], 1.0);
    }
}

fn named(add: &mut dyn FnMut(&str, f32), prefix: &str, name: &str, value: f32) {
    add(&format!("{prefix}{name}"), value);
}

/// The features of a text, kept.
pub(crate) fn kept(text: &str, setting: &Setting<'_>, vector: Vec<f32>) -> Features {
    let mut all = Vec::new();
    features(text, setting, &mut |name, value| all.push((name.to_owned(), value)));
    Features { named: all, vector }
}

/// A weight for each kind, for each named feature and each dimension of the vector.
pub(super) fn sum(text: &str, setting: &Setting<'_>, weights: impl Fn(&str) -> Option<Kinds>) -> Kinds {
    let mut sums = Kinds::default();
    features(text, setting, &mut |name, value| {
        if let Some(weights) = weights(name) {
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum += weight * value;
            }
        }
    });
    sums
}
