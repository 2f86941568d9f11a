//! Résumés: posts with their years, degrees, and the skills, languages and certificates under headings of their own.

use std::ops::Range;

use super::Reading;
use super::keys;
use super::line::LineKind;
use super::shape;
use super::value;
use super::whose::{self, Signs};
use super::word_lists::{holds, lowered, tokens};
use super::wording;
use super::years::{Years, years};
use crate::model::Category;

/// A longer line is prose.
const LONGEST_ENTRY: usize = 140;
const MOST_HEADING_WORDS: usize = 4;
/// An entry goes over at most so many lines before its years.
const MOST_PENDING: usize = 2;
/// Without a heading, so many posts make a résumé.
const FEWEST_POSTS: usize = 2;
/// Lines of prose that are asked whose résumé it is.
const MOST_PROSE: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Work,
    Education,
    /// By the key of that name.
    Listed(&'static str),
}

/// A sentence that the résumé states if it is the writer's.
struct Statement {
    text: String,
    range: Range<usize>,
    lines: Range<usize>,
    category: Option<Category>,
    is_dated: bool,
}

/// Reads the résumé in the stretch, if there is one and it is the writer's.
pub(super) fn read(reading: &mut Reading<'_>) {
    let mut scan = Scan::default();
    for at in 0..reading.lines.len() {
        scan.line(reading, at);
    }
    let dated = scan.statements.iter().filter(|statement| statement.is_dated).count();
    let is_vacancy = (0..reading.lines.len()).any(|at| holds("vacancy", &title(reading.text(at))));
    reading.is_vacancy = is_vacancy;
    let (prose, is_titled) = prose(reading, &scan);
    let signs = prose
        .iter()
        .fold(Signs::default(), |signs, text| signs.and(Signs::of(text)));
    let is_resume = dated > 0 && (!scan.headings.is_empty() || dated >= FEWEST_POSTS || signs.own)
        || is_titled && !scan.statements.is_empty();
    if !is_resume {
        return;
    }
    let is_writers = !signs.speak_of_others() && !is_vacancy;
    reading.is_resume = is_writers;
    for statement in scan.statements {
        for line in statement.lines {
            if !reading.taken[line] {
                reading.take(line);
            }
        }
        if is_writers {
            reading.state(statement.text, statement.range, statement.category);
        }
    }
    for line in scan.headings {
        reading.take(line);
    }
}

/// The lines of prose beside the entries, and whether one of them says that it is all about the writer.
fn prose(reading: &Reading<'_>, scan: &Scan) -> (Vec<String>, bool) {
    let mut is_entry = vec![false; reading.lines.len()];
    let lines = scan.statements.iter().flat_map(|statement| statement.lines.clone());
    for line in lines.chain(scan.headings.iter().copied()) {
        is_entry[line] = true;
    }
    let rest: Vec<usize> = (0..is_entry.len())
        .filter(|&at| !is_entry[at] && matches!(reading.lines[at].kind, LineKind::Text | LineKind::Heading))
        .collect();
    let ends = rest
        .iter()
        .take(MOST_PROSE / 2)
        .chain(rest.iter().rev().take(MOST_PROSE / 2));
    let prose: Vec<String> = ends
        .map(|&at| whose::prose(reading.content, &reading.lines[at]))
        .collect();
    let is_titled = prose.iter().any(|text| whose::is_about_writer(text));
    (prose, is_titled)
}

/// A walk down the lines of a résumé.
#[derive(Default)]
struct Scan {
    section: Option<Section>,
    /// Lines of an entry whose years have not come yet.
    pending: Vec<usize>,
    /// Years on a line of their own, with that line.
    years: Option<(Years, usize)>,
    headings: Vec<usize>,
    statements: Vec<Statement>,
}

impl Scan {
    fn line(&mut self, reading: &Reading<'_>, at: usize) {
        let text = reading.text(at);
        let kind = reading.lines[at].kind;
        if kind == LineKind::Blank {
            self.pending.clear();
            self.years = None;
            if matches!(self.section, Some(Section::Listed(_))) && self.headings.last() != Some(&at.saturating_sub(1)) {
                self.section = None;
            }
            return;
        }
        if reading.taken[at] || matches!(kind, LineKind::Foreign | LineKind::Task) || text.len() > LONGEST_ENTRY {
            self.section = None;
            return;
        }
        if kind != LineKind::Item
            && let Some(section) = section(&title(text))
        {
            self.section = Some(section);
            self.pending.clear();
            self.headings.push(at);
            return;
        }
        if let Some(Section::Listed(key)) = self.section {
            self.list(reading, at, key);
            return;
        }
        let Some((span, years)) = years(text) else {
            self.without_years(reading, at);
            return;
        };
        let rest = [text[..span.start].trim(), text[span.end..].trim()];
        let mut parts: Vec<&str> = rest.iter().flat_map(|part| parts(part)).collect();
        if parts.is_empty() && self.pending.is_empty() {
            self.years = Some((years, at));
            return;
        }
        let mut first = at;
        if !self.pending.is_empty()
            && (parts.is_empty() || !parts.iter().any(|part| holds_role(part) || holds_degree(part)))
        {
            first = self.pending[0];
            let before: Vec<&str> = self
                .pending
                .iter()
                .flat_map(|&line| self::parts(reading.text(line)))
                .collect();
            parts = before.into_iter().chain(parts).collect();
        }
        self.pending.clear();
        self.entry(reading, first..at + 1, &parts, years);
    }

    /// A line that waits for its years, or has had them before.
    fn without_years(&mut self, reading: &Reading<'_>, at: usize) {
        let text = reading.text(at);
        let is_item = reading.lines[at].kind == LineKind::Item;
        if let Some((years, line)) = self.years.take() {
            let parts = parts(text);
            self.entry(reading, line..at + 1, &parts, years);
            return;
        }
        if self.section == Some(Section::Education)
            && parts(text).first().is_some_and(|part| holds_degree(part))
            && !text.ends_with(['.', '?', '!'])
        {
            let next_is_year = reading.lines.get(at + 1).is_some_and(|line| {
                line.kind == LineKind::Text
                    && reading
                        .content
                        .get(line.range.clone())
                        .is_some_and(|text| years(text).is_some())
            });
            if !next_is_year {
                let parts = parts(text);
                self.state_degree(reading, at..at + 1, &parts, None);
                return;
            }
        }
        if self.section.is_some() && !is_item && !text.ends_with(['.', '?', '!']) && self.pending.len() < MOST_PENDING {
            self.pending.push(at);
        }
    }

    fn list(&mut self, reading: &Reading<'_>, at: usize, key: &'static str) {
        let text = reading.text(at);
        let Some(rows) = keys::rows(key) else { return };
        if value::speaks_of_self(text) || text.ends_with(['?', '.']) {
            self.section = None;
            return;
        }
        let range = reading.lines[at].range.clone();
        // "Tools: Rust, Go": the words before the colon only group.
        let listed = text.split_once(": ").map_or(text, |(_, listed)| listed);
        for item in value::items(listed) {
            let Some(row) = rows.iter().find(|row| row.each && row.shape.fits(item)) else {
                continue;
            };
            self.statements.push(Statement {
                text: wording::sentence(row, reading.subject, key, item),
                range: range.clone(),
                lines: at..at + 1,
                category: row.category,
                is_dated: false,
            });
        }
    }

    fn entry(&mut self, reading: &Reading<'_>, lines: Range<usize>, parts: &[&str], years: Years) {
        let is_school = self.section == Some(Section::Education)
            || self.section.is_none()
                && parts.iter().any(|part| holds_degree(part))
                && !parts.iter().any(|part| holds_role(part));
        if is_school {
            self.state_degree(reading, lines, parts, Some(years));
        } else {
            self.state_post(reading, lines, parts, &years);
        }
    }

    fn state_post(&mut self, reading: &Reading<'_>, lines: Range<usize>, parts: &[&str], years: &Years) {
        let named = parts.iter().position(|part| holds_role(part));
        let Some(at) = named.or_else(|| (self.section == Some(Section::Work) && parts.len() > 1).then_some(0)) else {
            return;
        };
        let employer: Vec<&str> = parts
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != at)
            .map(|(_, part)| *part)
            .collect();
        if self.section.is_none() && (employer.is_empty() || matches!(years, Years::In(_)) || lines.len() > 1) {
            return;
        }
        let post = wording::with_article(&wording::small_role(parts[at]));
        let place = if employer.is_empty() {
            String::new()
        } else {
            format!(" at {}", wording::with_the(&employer.join(", ")))
        };
        let subject = reading.subject;
        let text = match years {
            Years::In(year) => format!("{subject} worked as {post}{place} in {year}."),
            Years::FromTo(from, to) => format!("{subject} worked as {post}{place} from {from} to {to}."),
            Years::Since(from) => format!("{subject} has worked as {post}{place} since {from}."),
        };
        self.push(reading, lines, text, Category::Career);
    }

    fn state_degree(&mut self, reading: &Reading<'_>, lines: Range<usize>, parts: &[&str], years: Option<Years>) {
        let subject = reading.subject;
        let at = parts.iter().position(|part| holds_degree(part));
        let others: Vec<&str> = parts
            .iter()
            .enumerate()
            .filter(|(other, _)| Some(*other) != at)
            .map(|(_, part)| *part)
            .collect();
        let Some(at) = at else {
            let Some(years) = years.filter(|_| parts.iter().any(|part| is_organisation(part))) else {
                return;
            };
            let school = wording::with_the(&parts.join(", "));
            let text = match years {
                Years::In(year) => format!("{subject} studied at {school} ({year})."),
                Years::FromTo(from, to) => format!("{subject} studied at {school} from {from} to {to}."),
                Years::Since(from) => format!("{subject} has studied at {school} since {from}."),
            };
            self.push(reading, lines, text, Category::Learning);
            return;
        };
        let is_bare = tokens(parts[at]).len() == 1;
        // "PhD, Physics, ETH": the field stands apart from the degree.
        let (degree, school) = match others.split_first() {
            Some((field, school)) if is_bare && !school.is_empty() && !is_organisation(field) => {
                (format!("{} in {field}", parts[at]), school.join(", "))
            }
            _ => (with_in(parts[at]), others.join(", ")),
        };
        let degree = wording::with_article(&degree);
        let (from, place) = if school.is_empty() {
            (String::new(), String::new())
        } else {
            let school = wording::with_the(&school);
            (format!(" from {school}"), format!(" at {school}"))
        };
        let text = match years {
            None => format!("{subject} has {degree}{from}."),
            Some(Years::In(year)) => format!("{subject} has {degree}{from} ({year})."),
            Some(Years::FromTo(start, end)) => format!("{subject} has {degree}{from} ({start}–{end})."),
            Some(Years::Since(start)) => format!("{subject} has been studying for {degree}{place} since {start}."),
        };
        self.push(reading, lines, text, Category::Learning);
    }

    fn push(&mut self, reading: &Reading<'_>, lines: Range<usize>, text: String, category: Category) {
        let start = reading.lines[lines.start].range.start;
        let end = lines.clone().last().map_or(start, |line| reading.lines[line].range.end);
        self.statements.push(Statement {
            text,
            range: start..end,
            lines,
            category: Some(category),
            is_dated: true,
        });
    }
}

/// A heading's words in lower case.
fn title(text: &str) -> String {
    if text.len() > LONGEST_ENTRY {
        return String::new();
    }
    let words = lowered(text.trim_end_matches([':', '：', ' ', '*']));
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn section(title: &str) -> Option<Section> {
    if title.split(' ').count() > MOST_HEADING_WORDS {
        return None;
    }
    let is = |list: &str| holds(list, title);
    if is("work") {
        Some(Section::Work)
    } else if is("education") {
        Some(Section::Education)
    } else {
        ["skills", "languages", "certifications"]
            .into_iter()
            .find(|list| is(list))
            .map(Section::Listed)
    }
}

/// The parts of an entry: "Senior Welder, Acme GmbH".
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let cut = [
            " | ", "|", " – ", " — ", " - ", ", ", " at ", " @ ", "\t", " · ", " • ", "; ",
        ]
        .iter()
        .filter_map(|mark| rest.find(mark).map(|at| (at, at + mark.len())))
        .min_by_key(|&(at, end)| (at, usize::MAX - end));
        let (part, behind) = cut.map_or((rest, ""), |(at, end)| (&rest[..at], &rest[end..]));
        parts.push(part);
        rest = behind;
        if cut.is_none() {
            break;
        }
    }
    parts
        .into_iter()
        .map(|part| {
            part.trim_matches(|c: char| {
                c.is_whitespace() || matches!(c, ',' | '|' | '–' | '—' | '-' | '*' | '_' | ':' | ';')
            })
        })
        .map(|part| {
            let is_unpaired = part.matches('(').count() != part.matches(')').count();
            if is_unpaired {
                part.trim_matches(['(', ')', ' ', ','])
            } else {
                part
            }
        })
        .filter(|part| part.chars().any(char::is_alphabetic))
        .collect()
}

pub(super) fn holds_role(part: &str) -> bool {
    tokens(&lowered(part)).iter().any(|word| shape::is_role(word)) && !is_organisation(part)
}

fn holds_degree(part: &str) -> bool {
    let lower = lowered(part);
    lower
        .split_whitespace()
        .next()
        .is_some_and(|word| holds("degree", word.trim_end_matches([',', ':'])))
}

pub(super) fn is_organisation(part: &str) -> bool {
    tokens(&lowered(part)).iter().any(|word| holds("organisation", word))
        && part.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit())
}

/// "B.Sc. Chemistry" as "B.Sc. in Chemistry".
fn with_in(degree: &str) -> String {
    let degree = &small_degree(degree);
    // "BSc (Hons)" is one title.
    let cut = match degree.find(" (") {
        Some(open) => degree.find(") ").filter(|&close| close > open).map(|close| close + 1),
        None => degree.find(' '),
    };
    let Some((title, field)) = cut.map(|at| degree.split_at(at)) else {
        return degree.to_owned();
    };
    let field = field.trim_start();
    let is_joined = ["in ", "of ", "degree", "from "]
        .iter()
        .any(|word| lowered(field).starts_with(word));
    if is_joined || title.split(' ').count() > 2 {
        degree.to_owned()
    } else {
        format!("{title} in {field}")
    }
}

/// "Diploma in horticulture" as "diploma in horticulture".
fn small_degree(degree: &str) -> String {
    let lower = lowered(degree);
    let is_common = ["diploma", "certificate", "apprenticeship", "degree"]
        .iter()
        .any(|word| lower.starts_with(word));
    match degree.get(1..) {
        Some(rest) if is_common => format!("{}{rest}", &lower[..1]),
        _ => degree.to_owned(),
    }
}
