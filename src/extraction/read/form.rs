//! Stretches of a message that are known by their form: code in fences, JSON, logs, mail, quoted lines, memory blocks,
//! the talk of a channel.

use std::ops::Range;

use super::MessageKind;
use super::prefix::{self, Speaker};
use super::word_lists::{list, opening, stands_in};

/// The stretches, whole lines each, in the order of the text.
pub(super) fn forms(content: &str, body: Range<usize>) -> Vec<(Range<usize>, MessageKind)> {
    let mut lines = Vec::new();
    let mut at = body.start;
    for line in content[body.clone()].split_inclusive('\n') {
        lines.push(at..at + line.len());
        at += line.len();
    }
    let text = Text { content, lines: &lines };
    let mut found: Vec<(Range<usize>, MessageKind)> = Vec::new();
    let mut state = Bounds::default();
    let mut at = 0;
    while at < lines.len() {
        let Some((after, kind)) = text.form(at, &mut state) else {
            at += 1;
            continue;
        };
        let mut range = lines[at].start..lines[after - 1].end;
        if kind == MessageKind::Memory {
            range.end -= after_tag(&content[range.clone()]);
        }
        match found.last_mut() {
            Some((last, own)) if *own == kind && last.end == range.start => last.end = range.end,
            _ => found.push((range, kind)),
        }
        at = after;
    }
    found
}

/// What keeps the search linear: from here on a thing was looked for in vain.
#[derive(Default)]
struct Bounds {
    json: usize,
    tag: usize,
    bracket: usize,
    talk: usize,
}

struct Text<'a> {
    content: &'a str,
    lines: &'a [Range<usize>],
}

impl<'a> Text<'a> {
    fn line(&self, at: usize) -> &'a str {
        self.lines
            .get(at)
            .map_or("", |range| self.content[range.clone()].trim_end())
    }

    /// The first line at or after `from` for which something holds.
    fn find(&self, from: usize, holds: impl Fn(&str) -> bool) -> Option<usize> {
        (from..self.lines.len()).find(|at| holds(self.line(*at)))
    }

    /// The first line that is not part of a run from here.
    fn run(&self, from: usize, holds: impl Fn(&str) -> bool) -> usize {
        self.find(from, |line| !holds(line)).unwrap_or(self.lines.len())
    }

    /// A form that begins at a line, and the line after it.
    fn form(&self, at: usize, bounds: &mut Bounds) -> Option<(usize, MessageKind)> {
        let line = self.line(at);
        let trimmed = line.trim_start();
        if trimmed.is_empty() {
            return None;
        }
        if let Some(fence) = ["```", "~~~"].into_iter().find(|fence| trimmed.starts_with(fence)) {
            let closed_at_once = trimmed[3..].contains(fence);
            let end = if closed_at_once {
                Some(at)
            } else {
                self.find(at + 1, |line| line.trim_start().starts_with(fence))
            };
            return Some((end.map_or(self.lines.len(), |end| end + 1), MessageKind::Code));
        }
        self.tagged(at, trimmed, bounds)
            .or_else(|| self.memory(at, trimmed))
            .or_else(|| self.json(at, trimmed, bounds))
            .or_else(|| self.mail(at, trimmed))
            .or_else(|| self.quoted(at, trimmed))
            .or_else(|| self.machine(at))
            .or_else(|| self.talk(at, bounds))
    }

    /// `<memory> … </memory>`, `[memory] … [/memory]`, `--- begin retrieved --- … --- end retrieved ---`, `[System: … ]`
    fn tagged(&self, at: usize, line: &str, bounds: &mut Bounds) -> Option<(usize, MessageKind)> {
        if self.lines[at].start < bounds.tag {
            return None;
        }
        if let Some(close) = ["<", "["]
            .iter()
            .zip([">", "]"])
            .find_map(|(open, close)| line.strip_prefix(open).map(|_| close))
        {
            let inside = &line[1..line.find(close).unwrap_or(line.len())];
            let name: &str = inside
                .trim_start_matches(['!', '-', ' '])
                .split([' ', '='])
                .next()
                .unwrap_or_default();
            let name = name.trim_end_matches(['-', ' ']);
            if !name.is_empty()
                && name.len() <= 40
                && inside.len() <= 200
                && stands_in("memory", &inside.to_ascii_lowercase())
            {
                let end_tag = format!("/{name}").to_ascii_lowercase();
                let open = &line[..1];
                let closes = |line: &str| {
                    let lower = line.to_ascii_lowercase();
                    lower.contains(&end_tag) && lower.contains(open)
                };
                if let Some(end) = self.find(at, closes) {
                    return Some((end + 1, MessageKind::Memory));
                }
                bounds.tag = self.lines[at].end;
            }
        }
        if line.starts_with('[') && opening("bracket", &line[1..]).is_some() && self.lines[at].start >= bounds.bracket {
            if let Some(end) = self.find(at, |line| line.ends_with(']')) {
                return Some((end + 1, MessageKind::Memory));
            }
            bounds.bracket = self.content.len();
        }
        let ruled = line.starts_with("---") || line.starts_with("===") || line.starts_with("***");
        if ruled && line.len() <= 100 && line.contains(char::is_alphanumeric) {
            let lower = line.to_ascii_lowercase();
            let is_end = |line: &str| line.starts_with(&lower[..3]) && line.to_ascii_lowercase().contains("end");
            if stands_in("memory", &lower) && !is_end(line) {
                let end = self.find(at + 1, is_end)?;
                return Some((end + 1, MessageKind::Memory));
            }
        }
        None
    }

    /// "Relevant memories:" with what is under it, up to a blank line or a rule.
    fn memory(&self, at: usize, line: &str) -> Option<(usize, MessageKind)> {
        let bare = line.trim_start_matches(['#', '*', '-', '=', '[', '(', ' ']);
        let heading = opening("heading", bare)?;
        let after = &bare[heading.len()..];
        let rest = after
            .split_once(':')
            .filter(|(between, _)| between.len() <= 60)
            .map(|(_, rest)| rest);
        let is_marked = line.starts_with("##") || rest.is_some();
        if !is_marked || after.starts_with(|c: char| c.is_alphanumeric() || c == '\'') {
            return None;
        }
        let under = self
            .find(at + 1, |line| is_rule(line.trim()) || line.trim().is_empty())
            .unwrap_or(self.lines.len());
        let is_users = !["memor", "user", "convers", "retriev"]
            .iter()
            .any(|word| heading.contains(word));
        if is_users && rest.is_some_and(super::names_user) {
            return None;
        }
        if rest.is_some_and(|rest| !rest.trim().is_empty()) && under == at + 1 {
            // All on one line, which only a rule or the end closes.
            return Some((at + 1, MessageKind::Memory));
        }
        let ruled = self.find(at + 1, |line| is_rule(line.trim()));
        let end = match ruled {
            Some(rule) => rule + 1,
            // A blank line right below the heading.
            None if under == at + 1 => self
                .find(at + 2, |line| line.trim().is_empty())
                .unwrap_or(self.lines.len()),
            None => under,
        };
        Some((end, MessageKind::Memory))
    }

    /// A whole JSON value that ends with its line.
    fn json(&self, at: usize, line: &str, bounds: &mut Bounds) -> Option<(usize, MessageKind)> {
        let start = self.lines[at].start;
        if start < bounds.json || !line.starts_with(['{', '[']) {
            return None;
        }
        let second = line[1..].trim_start();
        if !(second.is_empty() || second.starts_with(['"', '{', '[', '}', ']'])) {
            return None;
        }
        let end_of_text = self.lines.last().map_or(0, |last| last.end);
        let Some(length) = balanced(&self.content[start..end_of_text]) else {
            bounds.json = end_of_text;
            return None;
        };
        let end = start + length;
        bounds.json = end;
        let last = self.lines.partition_point(|range| range.end < end).max(at);
        let value = &self.content[start..end];
        let is_alone = self.content[end..self.lines[last].end].trim().is_empty();
        if !is_alone || !value.contains("\":") && !value.contains("\" :") {
            return None;
        }
        let keys = value[..value.floor_char_boundary(200)].to_ascii_lowercase();
        let kind = if keys.contains("memor") || keys.contains("fact") || keys.contains("profile") {
            MessageKind::Memory
        } else {
            MessageKind::Code
        };
        Some((last + 1, kind))
    }

    /// Header lines with the letter up to the end or a rule, and what a mail program writes over a quoted mail.
    fn mail(&self, at: usize, line: &str) -> Option<(usize, MessageKind)> {
        let is_header = |line: &str| opening("header", line.trim_start().trim_start_matches('*')).is_some();
        let is_attribution =
            line.ends_with("wrote:") && line.contains(|c: char| c.is_ascii_digit()) && line.len() <= 200;
        if is_attribution && self.line(at + 1).trim_start().starts_with('>') {
            return Some((at + 1, MessageKind::Quoted));
        }
        if opening("forward", line).is_some() {
            return Some((self.lines.len(), MessageKind::Quoted));
        }
        let after = self.run(at, is_header);
        (after >= at + 2).then(|| (self.end_of_mail(after), MessageKind::Quoted))
    }

    /// A mail goes on to a rule or the end, but for a last paragraph about it under its signature.
    fn end_of_mail(&self, from: usize) -> usize {
        let end = self.find(from, is_rule).unwrap_or(self.lines.len());
        let Some(gap) = (from + 2..end).rev().find(|at| self.line(*at).trim().is_empty()) else {
            return end;
        };
        let above = self.line(gap - 1).trim();
        let is_signed = !above.is_empty() && above.len() <= 45 && !above.ends_with([',', ':']);
        let is_about = opening("about", self.line(gap + 1).trim_start()).is_some();
        if is_signed && is_about { gap } else { end }
    }

    fn quoted(&self, at: usize, line: &str) -> Option<(usize, MessageKind)> {
        let is_quoted = |line: &str| {
            let line = line.trim_start();
            line.starts_with('>') && !line.starts_with(">>>")
        };
        is_quoted(line).then(|| (self.run(at, is_quoted), MessageKind::Quoted))
    }

    fn machine(&self, at: usize) -> Option<(usize, MessageKind)> {
        if is_commit(self.line(at)) {
            let is_of_commit = |line: &str| {
                line.is_empty()
                    || line.starts_with([' ', '\t'])
                    || opening("commit", line).is_some()
                    || is_commit(line)
                    || is_machine(line)
            };
            return Some((self.run(at, is_of_commit), MessageKind::Code));
        }
        let after = self.run(at, is_machine);
        (after > at).then_some((after, MessageKind::Code))
    }

    /// Lines of two or more people, as a channel writes them.
    fn talk(&self, at: usize, bounds: &mut Bounds) -> Option<(usize, MessageKind)> {
        if self.lines[at].start < bounds.talk {
            return None;
        }
        let first = self.speaker(at)?;
        let mut others = false;
        let mut after = at + 1;
        let mut last_said = at;
        while after < self.lines.len() {
            match self.speaker(after) {
                Some(speaker) => {
                    others |= !speaker.name.is_empty() && speaker.name != first.name;
                    last_said = after;
                }
                None if self.line(after).trim().is_empty() || after - last_said > 3 => break,
                None => {}
            }
            after += 1;
        }
        bounds.talk = self.lines[last_said].end;
        others.then_some((last_said + 1, MessageKind::Chat))
    }

    /// The first line's prefix may be outside the body.
    fn speaker(&self, at: usize) -> Option<Speaker<'a>> {
        let start = self.lines[at].start;
        if at == 0 {
            let from = self.content[..start].rfind('\n').map_or(0, |at| at + 1);
            return prefix::speaker(&self.content[from..self.lines[at].end]);
        }
        prefix::speaker(self.line(at))
    }
}

/// The length of what stands behind the closing tag of a memory's last line.
fn after_tag(memory: &str) -> usize {
    let trimmed = memory.trim_end();
    let line = trimmed.rfind('\n').map_or(0, |at| at + 1);
    let closed = trimmed[line..]
        .rfind("</")
        .and_then(|at| Some(line + at + trimmed[line + at..].find('>')? + 1));
    closed.map_or(0, |end| memory.len() - end)
}

/// "---"
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 3 && line.chars().all(|c| matches!(c, '-' | '=' | '*' | '_'))
}

/// "commit 4f2a9c1"
fn is_commit(line: &str) -> bool {
    line.strip_prefix("commit ").is_some_and(|hash| {
        (4..=40).contains(&hash.len())
            && hash.bytes().all(|b| b.is_ascii_hexdigit())
            && hash.bytes().any(|b| b.is_ascii_digit())
    })
}

/// The length of the brackets that a text opens with; none where they don't close.
fn balanced(text: &str) -> Option<usize> {
    let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        if in_string {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether a line is surely no prose: of a shell, a log, a stack trace, a program.
fn is_machine(line: &str) -> bool {
    let trimmed = line.trim();
    if trimmed.len() < 3 {
        return false;
    }
    if opening("machine", trimmed).is_some_and(|opened| is_surely(opened, trimmed)) {
        return true;
    }
    // "    at Main.run(Main.java:9)"
    if trimmed.starts_with("at ") && trimmed.ends_with(')') && trimmed.contains('(') && trimmed.contains([':', '.']) {
        return true;
    }
    let head = &trimmed[..trimmed.floor_char_boundary(60)];
    let is_log = list("level").iter().any(|level| head.contains(level))
        && (head.starts_with('[')
            || head.starts_with(|c: char| c.is_ascii_digit())
            || head.starts_with(char::is_uppercase));
    if is_log && (head.starts_with('[') || head.bytes().filter(u8::is_ascii_digit).count() >= 6) {
        return true;
    }
    let closes = trimmed.ends_with([';', '{', '}']) || trimmed.ends_with("=>") || trimmed.ends_with(");");
    let marks = trimmed
        .matches(['(', ')', '{', '}', '=', '[', ']', '<', '>', ';', '$'])
        .count();
    closes && marks >= 3 && !trimmed.contains(". ")
}

/// Words of machines that may open prose too must be followed by what only machines write.
fn is_surely(opened: &str, line: &str) -> bool {
    let rest = &line[opened.len()..];
    match opened.trim() {
        "$" | "..." => {
            rest.starts_with(|c: char| c.is_ascii_lowercase()) && opened.ends_with(' ') && !line.starts_with("... ")
        }
        "commit" => false,
        "index" => rest.contains(".."),
        "file \"" => rest.contains("\", line"),
        _ => true,
    }
}
