//! Whether a block of lines is about the writer, somebody of theirs, or is material about others.
//!
//! Judged by the lines of prose around it: what is asked for, and what is said to be the writer's own.

use super::line::{Line, LineKind};
use super::pair;
use super::word_lists::{holds, lowered, stands_in, tokens};
use crate::extraction::lexicon;
use crate::extraction::sentence::floor_boundary;

/// Of a line of prose no more than this is looked at.
const LONGEST_PROSE: usize = 300;
/// A line that names the block's owner has at most so many words.
const LONGEST_TITLE: usize = 6;

/// Who a block is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// The writer, by a heading such as "About me".
    Writer,
    /// The writer, unless the block speaks against it.
    Unsaid,
    /// One of the writer's own: "sister".
    Kin(String),
    /// Somebody else or nobody.
    Other,
}

/// What a line of prose says about whose the material beside it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Signs {
    /// It speaks of "I" or "my".
    pub(super) own: bool,
    /// It may be about somebody else, or asks for work on a text.
    other: bool,
    /// It is about somebody else, or nobody.
    stranger: bool,
}

impl Signs {
    pub(super) fn of(lower: &str) -> Self {
        Self {
            own: stands_in("own", lower),
            other: stands_in("other", lower) || names_another(lower),
            stranger: stands_in("stranger", lower) || is_of_kin(lower),
        }
    }

    /// What several lines say together.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            own: self.own || other.own,
            other: self.other || other.other,
            stranger: self.stranger || other.stranger,
        }
    }

    /// Whether the material is about others.
    pub(super) fn speak_of_others(self) -> bool {
        self.stranger || self.other && !self.own
    }
}

/// The lines of prose of a stretch, for judging the blocks between them.
#[derive(Debug)]
pub(super) struct Owners {
    /// Of each line what it says, if it is prose.
    signs: Vec<Option<Signs>>,
    /// Of each line, the nearest line of prose before it.
    before: Vec<Option<usize>>,
    /// Of each line, the nearest line of prose behind it.
    behind: Vec<Option<usize>>,
    first: Option<usize>,
    last: Option<usize>,
}

impl Owners {
    pub(super) fn of(content: &str, lines: &[Line]) -> Self {
        let signs: Vec<Option<Signs>> = lines
            .iter()
            .map(|line| {
                let is_text = matches!(line.kind, LineKind::Text | LineKind::Heading);
                let text = content.get(line.range.clone()).filter(|_| is_text)?;
                pair::of_line(text).is_empty().then(|| Signs::of(&prose(content, line)))
            })
            .collect();
        let mut nearest = None;
        let mut pass = |at: usize| {
            let found = nearest;
            nearest = signs[at].map_or(nearest, |_| Some(at));
            found
        };
        let before = (0..lines.len()).map(&mut pass).collect();
        nearest = None;
        let mut pass = |at: usize| {
            let found = nearest;
            nearest = signs[at].map_or(nearest, |_| Some(at));
            found
        };
        let mut behind: Vec<Option<usize>> = (0..lines.len()).rev().map(&mut pass).collect();
        behind.reverse();
        Self {
            before,
            behind,
            first: signs.iter().position(Option::is_some),
            last: signs.iter().rposition(Option::is_some),
            signs,
        }
    }

    pub(super) fn is_without_prose(&self) -> bool {
        self.first.is_none()
    }

    /// Who the block from line `first` to line `last` is about.
    pub(super) fn owner(&self, content: &str, lines: &[Line], first: usize, last: usize) -> Owner {
        let signs = |at: Option<usize>| {
            at.and_then(|at| self.signs.get(at).copied().flatten())
                .unwrap_or_default()
        };
        let before = self.before.get(first).copied().flatten();
        if let Some(at) = before.filter(|&at| adjacent(lines, at, first)) {
            let title = prose(content, &lines[at]);
            let is_told = self.first == Some(at) || !signs(self.first).stranger;
            if is_about_writer(&title) {
                return if is_told { Owner::Writer } else { Owner::Other };
            }
            if is_others_name(content.get(lines[at].range.clone()).unwrap_or("")) {
                return Owner::Other;
            }
            if let Some(kin) = kin(&title) {
                return if is_told { Owner::Kin(kin) } else { Owner::Other };
            }
        }
        let around = [
            self.first,
            before,
            Some(first),
            self.behind.get(last).copied().flatten(),
            self.last,
        ];
        let said = around
            .into_iter()
            .fold(Signs::default(), |said, at| said.and(signs(at)));
        if said.speak_of_others() {
            Owner::Other
        } else {
            Owner::Unsaid
        }
    }
}

/// The beginning of a line of prose, in lower case.
pub(super) fn prose(content: &str, line: &Line) -> String {
    let text = content.get(line.range.clone()).unwrap_or("");
    lowered(&text[..floor_boundary(text, LONGEST_PROSE)])
}

/// Whether nothing but one blank line stands between a title and its block.
fn adjacent(lines: &[Line], title: usize, block: usize) -> bool {
    block <= title + 2 && lines[title + 1..block].iter().all(|line| line.kind == LineKind::Blank)
}

/// "About me", "Some facts about me:", "Here are my details:".
pub(super) fn is_about_writer(title: &str) -> bool {
    let words = tokens(title);
    if words.len() > 2 * LONGEST_TITLE || title.trim_end().ends_with('?') {
        return false;
    }
    let joined = words.join(" ");
    let bare = [
        "here's ",
        "here is ",
        "here are ",
        "this is ",
        "these are ",
        "some ",
        "more ",
    ]
    .iter()
    .find_map(|lead| joined.strip_prefix(lead))
    .unwrap_or(&joined);
    holds("about", bare) || joined.ends_with(" about me") || joined.ends_with(" about myself")
}

/// "sister" of "My sister:" and "my sister's details".
pub(super) fn kin(title: &str) -> Option<String> {
    let words = tokens(title);
    let at = words.iter().position(|word| *word == "my")?;
    if at > 2 || words.len() > LONGEST_TITLE || title.ends_with('?') {
        return None;
    }
    let noun = words.get(at + 1)?;
    let owner = noun.strip_suffix("'s").unwrap_or(noun);
    let is_owned = owner.len() < noun.len() && !words[at + 2..].iter().any(|word| word.ends_with("'s"));
    let ends_there = words.len() == at + 2 || is_owned;
    (ends_there && is_somebody(owner)).then(|| owner.to_owned())
}

/// "my sister's", "for my boss": the material belongs to one of the writer's own.
fn is_of_kin(text: &str) -> bool {
    tokens(text).windows(3).any(|three| {
        let owned = three[0] == "my" && three[1].ends_with("'s") && !is_no_owner(three[1]);
        owned || ["for", "of", "about"].contains(&three[0]) && three[1] == "my" && is_somebody(three[2])
    })
}

fn is_somebody(word: &str) -> bool {
    (lexicon::is_kin(word) || holds("animal", word))
        && !["family", "kids", "children", "team", "friends", "band"].contains(&word)
}

/// "Tom's profile".
fn names_another(text: &str) -> bool {
    tokens(text)
        .iter()
        .any(|word| word.ends_with("'s") && !is_no_owner(word))
}

/// "it's", "today's", "driver's licence": no person's.
fn is_no_owner(word: &str) -> bool {
    lexicon::is_function(word)
        || [
            "year's",
            "today's",
            "world's",
            "driver's",
            "life's",
            "bachelor's",
            "master's",
        ]
        .contains(&word)
}

/// "Ben Ode:" and "What I know about Ann:", the titles of blocks about others.
fn is_others_name(title: &str) -> bool {
    let Some(name) = title.strip_suffix(':').filter(|title| title.len() <= LONGEST_PROSE) else {
        return false;
    };
    let words = tokens(name);
    let is_capital = |word: &&str| word.starts_with(char::is_uppercase) && word.chars().skip(1).any(char::is_lowercase);
    let about = words
        .windows(2)
        .any(|two| lowered(two[0]) == "about" && is_capital(&two[1]));
    let is_sheet = words.last().is_some_and(|word| {
        let last = lowered(word);
        last.ends_with('s')
            || [
                "info",
                "data",
                "profile",
                "sheet",
                "form",
                "card",
                "history",
                "information",
                "file",
                "summary",
            ]
            .contains(&last.as_str())
    });
    about || (2..=3).contains(&words.len()) && words.iter().all(is_capital) && !is_sheet
}
