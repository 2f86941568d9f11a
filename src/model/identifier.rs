//! Which texts can be ids: those that no reader and no program takes for another.

use std::sync::LazyLock;

use regex::Regex;

/// Characters that show nothing, or change how others show, and white space but plain spaces.
static UNSEEN: LazyLock<Regex> = LazyLock::new(|| {
    // The last three are blank and no property says so: a Braille pattern, a note and a filler.
    const PATTERN: &str = r"(?x)[ \p{Cc} \p{Cf} \p{Zl} \p{Zp} [\p{Zs}--\x20]
        \p{Default_Ignorable_Code_Point} \p{Noncharacter_Code_Point} \u{2800} \u{1D159} \u{16FE4} ]";
    Regex::new(PATTERN).expect("invariant: the pattern is constant")
});

/// What is wrong with a text as an id; nothing where it can be one. How long it may be, the caller says.
pub fn id_fault(text: &str) -> Option<&'static str> {
    if has_unseen(text) {
        Some("must have no control or invisible characters")
    } else if text.starts_with(' ') || text.ends_with(' ') {
        Some("must not begin or end with white space")
    } else if has_dot_segment(text) {
        Some("must not be . or .., nor a path with one of them")
    } else {
        None
    }
}

/// Whether a text has characters that show nothing, or white space but plain spaces.
pub fn has_unseen(text: &str) -> bool {
    if text.is_ascii() {
        text.bytes().any(|byte| byte.is_ascii_control())
    } else {
        UNSEEN.is_match(text)
    }
}

/// Libraries take `.` and `..` out of URLs, also where they are written with `%2e` and where `\` stands for `/`. What is
/// left can be another route.
fn has_dot_segment(text: &str) -> bool {
    let is_dots = |segment: &str| {
        let segment = segment.to_ascii_lowercase().replace("%2e", ".");
        segment == "." || segment == ".."
    };
    text.split(['/', '\\']).any(is_dots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_call_themselves_can_be_an_id() {
        for id in [
            "alice",
            "a",
            "user 42",
            "Zoë",
            "Дмитрий",
            "李小龙",
            "नेहा",
            "a.b",
            "...",
            ".hidden",
            "x..y",
            "a/b",
            "50%",
            "🦊",
            "o'neil@example.com",
            "%2f",
            "auth0|5f7c",
        ] {
            assert_eq!(id_fault(id), None, "{id}");
        }
        assert_eq!(id_fault(""), None, "how long an id is, is another rule");
    }

    #[test]
    fn what_reads_like_another_can_not() {
        let unseen = [
            '\0',
            '\n',
            '\u{7f}',
            '\u{85}',
            '\u{a0}',
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{1160}',
            '\u{1680}',
            '\u{17b4}',
            '\u{180b}',
            '\u{180e}',
            '\u{2003}',
            '\u{200b}',
            '\u{200d}',
            '\u{200e}',
            '\u{2028}',
            '\u{2029}',
            '\u{202e}',
            '\u{202f}',
            '\u{205f}',
            '\u{2060}',
            '\u{2064}',
            '\u{2066}',
            '\u{206f}',
            '\u{2800}',
            '\u{3000}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fff0}',
            '\u{fff9}',
            '\u{fffe}',
            '\u{16fe4}',
            '\u{1d159}',
            '\u{1d173}',
            '\u{e0001}',
            '\u{e0041}',
            '\u{e0100}',
        ];
        for c in unseen {
            let fault = id_fault(&format!("ali{c}ce"));
            assert_eq!(
                fault,
                Some("must have no control or invisible characters"),
                "U+{:04X}",
                c as u32
            );
        }
        for id in [" alice", "alice ", " "] {
            assert_eq!(id_fault(id), Some("must not begin or end with white space"), "{id:?}");
        }
        for id in [
            ".", "..", "%2e", ".%2E", "%2e%2E", "a/../b", "../data", "a/.", "..\\data", "/..",
        ] {
            assert_eq!(
                id_fault(id),
                Some("must not be . or .., nor a path with one of them"),
                "{id}"
            );
        }
    }
}
