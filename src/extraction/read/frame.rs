//! Frames: words that say what the text after them is, "Correct this text:", "She wrote:", "Pretend that".

use super::MessageKind;
use super::foreign_text;
use super::object;
use super::unit::{Break, Unit};
use super::word_lists::{is_listed, list, opening, stands_in};

/// Longer units are no frame.
const LONGEST_FRAME: usize = 300;
/// A verb of saying stands so near to the colon.
const NEAR_WORDS: usize = 12;
/// A quotation of so many words is more than a remark.
const LONG_WORDS: usize = 14;

/// Fixes the kinds of units that follow a frame.
pub(super) fn mark(content: &str, units: &mut Vec<Unit>) {
    split_requests(content, units);
    about_the_text_before(content, units);
    let mut at = 0;
    while at < units.len() {
        if is_paragraph_start(content, units, at) {
            let end = paragraph_end(content, units, at);
            let text = &content[units[at].range.start..units[end - 1].range.end];
            let is_whole =
                at == 0 && foreign_text::is_foreign(&content[units[0].range.start..units[units.len() - 1].range.end]);
            if is_whole || foreign_text::is_foreign(text) {
                fix(
                    if is_whole { &mut units[..] } else { &mut units[at..end] },
                    MessageKind::Quoted,
                );
            }
        }
        at = frame(content, units, at).unwrap_or(at).max(at + 1);
    }
}

/// Fixes what the unit at `at` frames; where the search goes on.
fn frame(content: &str, units: &mut [Unit], at: usize) -> Option<usize> {
    let unit = &units[at];
    if unit.fixed.is_some() {
        return None;
    }
    let text = &content[unit.range.clone()];
    if unit.is_quotation {
        let is_long = text.split_whitespace().take(LONG_WORDS).count() >= LONG_WORDS;
        if is_long {
            fix(&mut units[at..=at], MessageKind::Quoted);
        }
        return None;
    }
    if foreign_text::is_of_the_user(text) {
        fix(&mut units[at..=at], MessageKind::Memory);
        return None;
    }
    let lower = text[..text.floor_char_boundary(LONGEST_FRAME)]
        .to_lowercase()
        .replace('’', "'");
    if let Some(end) = request(content, units, at, &lower) {
        return Some(end);
    }
    if let Some(end) = fiction(content, units, at, &lower) {
        fix(&mut units[at..end], MessageKind::Fiction);
        return Some(end);
    }
    if at == 0
        && text.len() + 1 < content.len()
        && opening("foreign", &lower).is_some_and(|opened| is_heading(opened, content, units))
    {
        fix(units, MessageKind::Quoted);
        return Some(units.len());
    }
    report(content, units, at, &lower)
}

/// Cuts units in two where a request goes over into its text: at a dash, after a language.
fn split_requests(content: &str, units: &mut Vec<Unit>) {
    let mut at = 0;
    while at < units.len() {
        let unit = &units[at];
        if unit.fixed.is_none()
            && !unit.is_quotation
            && let Some(from) = object::start(&content[unit.range.clone()])
        {
            let mut text = unit.clone();
            text.range.start += from;
            text.opens = Break::Edge;
            units[at].range.end = text.range.start - 1;
            units[at].range.end -=
                content[units[at].range.clone()].len() - content[units[at].range.clone()].trim_end().len();
            units.insert(at + 1, text);
            fix(&mut units[at..=at], MessageKind::Request);
            fix(&mut units[at + 1..at + 2], MessageKind::Transform);
            at += 1;
        }
        at += 1;
    }
}

/// A text with the request under it: "… \n\nCan you shorten this?"
fn about_the_text_before(content: &str, units: &mut [Unit]) {
    let Some((last, before)) = units.split_last_mut() else {
        return;
    };
    let text = content[last.range.clone()].to_lowercase();
    let is_apart = last.opens != Break::Sentence && !last.is_quotation && last.fixed.is_none();
    let Some(above) = before.last().filter(|_| is_apart && text.len() <= LONGEST_FRAME) else {
        return;
    };
    let is_vague = opening("vague verb", object::without_politeness(&text)).is_some()
        && !stands_in("wording", &text)
        && !text
            .split(|c: char| !c.is_alphanumeric())
            .any(|word| is_listed("text noun", word));
    if !object::commands(&text) || is_vague || text.ends_with(':') || content[above.range.clone()].ends_with(':') {
        return;
    }
    let from = if above.is_quotation { before.len() - 1 } else { 0 };
    fix(&mut before[from..], MessageKind::Transform);
    last.fixed = Some(MessageKind::Request);
}

fn fix(units: &mut [Unit], kind: MessageKind) {
    for unit in units.iter_mut().filter(|unit| unit.fixed.is_none()) {
        unit.fixed = Some(kind);
    }
}

/// The end of the paragraph of the unit at `at`.
fn paragraph_end(content: &str, units: &[Unit], at: usize) -> usize {
    let opens_paragraph = |next: &usize| {
        content[units[*next - 1].range.end..units[*next].range.start]
            .matches('\n')
            .count()
            > 1
    };
    (at + 1..units.len()).find(opens_paragraph).unwrap_or(units.len())
}

fn is_paragraph_start(content: &str, units: &[Unit], at: usize) -> bool {
    at == 0
        || content[units[at - 1].range.end..units[at].range.start]
            .matches('\n')
            .count()
            > 1
}

/// Whether a line ends between a unit and the next.
fn breaks_after(content: &str, units: &[Unit], at: usize) -> bool {
    units
        .get(at + 1)
        .is_some_and(|next| content[units[at].range.end..next.range.start].contains('\n'))
}

/// "Correct this text:", "translate to english pls" with the text behind it.
fn request(content: &str, units: &mut [Unit], at: usize, lower: &str) -> Option<usize> {
    let text = &content[units[at].range.clone()];
    let next = units.get(at + 1)?;
    let leads = text.ends_with(':') || next.is_quotation;
    if text.len() > LONGEST_FRAME
        || !(object::commands(lower) || object::refers(lower) || leads && object::commands_inside(lower))
    {
        return None;
    }
    let is_framed = text.ends_with(':') || next.is_quotation || breaks_after(content, units, at);
    if !is_framed || next.fixed.is_some() {
        return None;
    }
    let end = if next.is_quotation {
        at + 2
    } else {
        object_end(content, units, at + 1)
    };
    if object::commands(lower) {
        fix(&mut units[at..=at], MessageKind::Request);
    }
    fix(&mut units[at + 1..end], MessageKind::Transform);
    Some(end)
}

/// A text goes on to the end of the message, but for a last paragraph about it.
fn object_end(content: &str, units: &[Unit], from: usize) -> usize {
    let mut end = paragraph_end(content, units, from);
    while end < units.len() {
        let next = paragraph_end(content, units, end);
        let text = &content[units[end].range.clone()];
        if next == units.len() && opening("about", text).is_some() || units[end].fixed.is_some() {
            break;
        }
        end = next;
    }
    end
}

/// The end of the fiction that a unit opens.
fn fiction(content: &str, units: &[Unit], at: usize, lower: &str) -> Option<usize> {
    let bare = object::without_politeness(lower);
    let opened = |name: &str| opens_with(name, bare) || opens_with(name, lower);
    let tells_of_others = lower.contains(" my ") && !lower.contains(" where i") && !lower.contains(" in which i");
    if opened("fiction message")
        || opened("fiction request") && !tells_of_others
        || is_action(&content[units[at].range.clone()])
    {
        return Some(object_end(content, units, at));
    }
    if opened("fiction paragraph") || at == 0 && (casts(lower) || plays_part(bare)) {
        let is_adviser = plays_part(bare)
            && lower
                .split(|c: char| !c.is_alphanumeric())
                .any(|word| is_listed("adviser", word));
        return Some(if is_adviser {
            at + 1
        } else {
            paragraph_end(content, units, at)
        });
    }
    if opened("fiction sentence") {
        return Some(at + 1);
    }
    None
}

/// Whether a text begins with an entry that ends with a word.
fn opens_with(name: &str, text: &str) -> bool {
    list(name).iter().any(|entry| {
        text.strip_prefix(entry)
            .is_some_and(|rest| entry.ends_with([':', '.']) || !rest.starts_with(|c: char| c.is_alphanumeric()))
    })
}

/// "i'm the baker and you are a customer"
fn casts(lower: &str) -> bool {
    let me = [
        "i'm a ",
        "i'm the ",
        "i am a ",
        "i am the ",
        "im a ",
        "im the ",
        "i'm your ",
        "im ur ",
        "i am your ",
    ];
    let you = list("part").iter().any(|part| {
        let after = lower.find(part).map(|at| &lower[at..]);
        after.is_some_and(plays_part)
    });
    you && me.iter().any(|part| lower.contains(part))
}

/// "You are a grumpy innkeeper", but not "you are a star".
fn plays_part(lower: &str) -> bool {
    let Some(rest) = list("part")
        .iter()
        .find_map(|part| lower.strip_prefix(part)?.strip_prefix(' '))
    else {
        return false;
    };
    let is_praise = |word: &str| list("praise").contains(&word.trim_matches(|c: char| !c.is_alphanumeric()));
    !rest.split_whitespace().take(2).any(is_praise)
}

/// "*hides arm*"
fn is_action(text: &str) -> bool {
    let Some((action, _)) = text.strip_prefix('*').and_then(|rest| rest.split_once('*')) else {
        return false;
    };
    action.len() >= 4
        && action.starts_with(|c: char| c.is_ascii_lowercase())
        && action.split_whitespace().next().is_some_and(|word| word.ends_with('s'))
}

/// A heading of a foreign text stands over or before some of it.
fn is_heading(opened: &str, content: &str, units: &[Unit]) -> bool {
    let first = &content[units[0].range.clone()];
    let is_address = opened.ends_with(' ') && opened.contains("dear");
    if is_address {
        // "Dear Tom,"
        let name = first
            .get(opened.len()..)
            .unwrap_or_default()
            .split([',', '\n'])
            .next()
            .unwrap_or_default();
        if list("not a name")
            .iter()
            .any(|word| word.eq_ignore_ascii_case(name.trim()))
        {
            return false;
        }
        return first
            .split('\n')
            .next()
            .is_some_and(|line| line.len() < 40 || first.contains(','));
    }
    let rest = first.get(opened.len()..).unwrap_or_default();
    let is_closed =
        |rest: &str| rest.is_empty() || rest.trim_start().starts_with([':', '.', ',', '\n', '–', '-', ']', '!']);
    let is_titled = opened.ends_with([':', ' ']) && !opened.starts_with(|c: char| c.is_alphabetic());
    let line = first.split('\n').next().unwrap_or_default();
    units.len() > 1
        && (is_closed(rest) || is_titled || line.len() <= 60 && line.ends_with(':') || breaks_after(content, units, 0))
}

/// For each unit, whether it is the user's own talk about a text: it leads up to it in the first paragraph, "… and
/// then I got this:", or is an aside in the last, "That's from my sister, I live with her."
pub(super) fn own(content: &str, units: &[Unit]) -> Vec<bool> {
    let mut own = vec![false; units.len()];
    let Some(last) = (0..units.len())
        .rev()
        .find(|at| is_paragraph_start(content, units, *at))
    else {
        return own;
    };
    let first = paragraph_end(content, units, 0);
    let leads = |at: &usize| {
        let is_before_text =
            breaks_after(content, units, *at) || units.get(at + 1).is_some_and(|next| next.is_quotation);
        is_before_text && content[units[*at].range.clone()].ends_with(':')
    };
    if let Some(lead) = (0..first).rev().find(leads) {
        own[..=lead].fill(true);
    }
    if last > 0 && opening("aside", &content[units[last].range.clone()]).is_some() {
        own[last..].fill(true);
    }
    own
}

/// "My mum said:" before several sentences.
fn report(content: &str, units: &mut [Unit], at: usize, lower: &str) -> Option<usize> {
    let text = &content[units[at].range.clone()];
    if !text.ends_with(':') || text.len() > LONGEST_FRAME || units.get(at + 1)?.fixed.is_some() {
        return None;
    }
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
        .collect();
    let near = &words[words.len().saturating_sub(NEAR_WORDS)..];
    let reports = near.iter().enumerate().any(|(at, word)| {
        let before = at.checked_sub(1).map(|before| near[before]);
        list("reported").contains(word)
            && !matches!(
                before,
                Some("i" | "just" | "also" | "and" | "i've" | "i'd" | "have" | "we" | "like")
            )
    });
    let next = &units[at + 1];
    let breaks = breaks_after(content, units, at);
    let names_text = (breaks || next.is_quotation) && near.iter().any(|word| is_listed("reported text", word));
    if !reports && !names_text {
        return None;
    }
    let end = if next.is_quotation {
        at + 2
    } else {
        paragraph_end(content, units, at + 1)
    };
    let said = &content[next.range.start..units[end - 1].range.end];
    let is_long = said.split_whitespace().take(LONG_WORDS).count() >= LONG_WORDS;
    let sentences = said.matches(['.', '!', '?']).take(2).count();
    if !(breaks || sentences > 1 || is_long) {
        return None;
    }
    fix(&mut units[at..=at], MessageKind::Telling);
    fix(&mut units[at + 1..end], MessageKind::Quoted);
    Some(end)
}
