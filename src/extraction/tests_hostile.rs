//! Input that nobody meant well: it must neither panic nor take more than its share of time.

use super::tests::told;
use crate::model::Role;

/// A small generator, so that a failure is found again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % sides
    }
}

#[test]
fn garbage_never_panics() {
    const PIECES: &[&str] = &[
        "I",
        "I'm",
        "my",
        "you",
        "we",
        "'",
        "’",
        "\"",
        "“",
        ".",
        "...",
        "…",
        "?",
        "!",
        "\u{0}",
        "\u{7}",
        "\u{202e}",
        "\n",
        "\t",
        " ",
        "—",
        "--",
        "(",
        ")",
        "[shares a photo: ",
        "]",
        "```",
        ">",
        "-",
        "*",
        "May",
        "7",
        "31st",
        "of",
        "0000",
        "9999-99-99",
        "2/30/2023",
        "in",
        "99999999999999999999",
        "weeks",
        "ago",
        "last",
        "next",
        "Friday",
        "é",
        "ß",
        "İ",
        "ﬁ",
        "שלום",
        "مرحبا",
        "你好",
        "👩‍👩‍👧",
        "a",
        "the",
        "and I",
        "there",
        "their",
        "at Google",
        "password is",
        "4111",
        "DE89",
        "$",
        "%",
        "yes",
        "no",
        "do",
        "don't",
        "love",
        "been",
        "gonna",
        ":",
        ";",
        "\u{feff}",
        "\u{200b}",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ];
    let mut dice = Dice(7);
    for _ in 0..3_000 {
        let make = |dice: &mut Dice| {
            let mut text = String::new();
            for _ in 0..dice.roll(24) {
                text.push_str(PIECES[dice.roll(PIECES.len())]);
                if dice.roll(3) > 0 {
                    text.push(' ');
                }
            }
            text
        };
        let (first, second, third) = (make(&mut dice), make(&mut dice), make(&mut dice));
        told(&[
            (Role::User, Some("Ana"), &first),
            (Role::Assistant, None, &second),
            (Role::User, Some("Ben"), &third),
            (Role::User, None, &first),
        ]);
    }
}

#[test]
fn huge_messages_take_time_in_proportion() {
    for unit in [
        "a",
        "é",
        " ",
        "\n",
        "I ",
        "?",
        ". ",
        "\"",
        "I went to Rome. ",
        "yes ",
        "字",
        "👍",
        "a-",
        "—",
        "1",
        "my dog and ",
        "[shares a photo: ",
        "1 ",
        "DE89 ",
        "if ",
    ] {
        let text = unit.repeat(32 * 1024 / unit.len());
        told(&[(Role::Assistant, None, &text), (Role::User, None, &text)]);
    }
}
