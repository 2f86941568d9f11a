//! The quotations of a text: pairs of quotation marks that belong together.

use std::ops::Range;

/// Longer ones in single marks are two apostrophes.
const LONGEST_SINGLE: usize = 400;

/// The outermost quotations with their marks, in their order.
pub(super) fn quotations(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut open: Option<(usize, char)> = None;
    let mut before: Option<char> = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let after = chars.peek().map(|(_, c)| *c);
        let starts = before.is_none_or(|c| c.is_whitespace() || matches!(c, '(' | '[' | ':' | '—' | '–' | '=' | '*'))
            && after.is_some_and(|c| !c.is_whitespace());
        let ends = before.is_some_and(|c| !c.is_whitespace()) && after.is_none_or(|c| !c.is_alphanumeric());
        match open {
            // An apostrophe opened nothing: a line or a stretch too long has passed.
            Some((start, '\'' | '’')) if c == '\n' || at - start > LONGEST_SINGLE => open = None,
            Some((start, close)) if c == close && ends => {
                found.push(start..at + c.len_utf8());
                open = None;
            }
            Some((_, '\'' | '’')) if c == '"' || c == '“' => {
                open = closing(c).filter(|_| starts).map(|close| (at, close))
            }
            Some(_) => {}
            None => {
                open = closing(c)
                    .filter(|_| starts || c == '“' || c == '«')
                    .map(|close| (at, close))
            }
        }
        before = Some(c);
    }
    found
}

fn closing(open: char) -> Option<char> {
    Some(match open {
        '"' => '"',
        '“' | '„' => '”',
        '«' => '»',
        '\'' => '\'',
        '‘' => '’',
        _ => return None,
    })
}
