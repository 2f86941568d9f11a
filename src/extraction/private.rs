//! Secrets and sensitive data: what must carry `private` wherever it is stored.
//!
//! Found by pattern, with checksums where they exist, and by topic. What to do with it is decided elsewhere.

use std::sync::LazyLock;

use regex::Regex;

static SECRET: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(?:password|passcode|passphrase|pass code|pin(?: code| number)?|api[ -]?key|secret key|private key|access token|recovery (?:code|phrase)|seed phrase|security code|cvv|cvc|door code|alarm code|combination|login)\b[^.!?]{0,40}?(?:\bis\b|\bwas\b|:|=|\bto\b)\s*\S",
    )
    .ok()
});

static GOVERNMENT_ID: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b\d{3}-\d{2}-\d{4}\b|\b(?:ssn|social security|passport|national insurance|driver'?s? licen[cs]e|driving licen[cs]e|tax (?:id|number)|id card|identity card|visa number|personnummer|steuer-?id|nhs number|medicare)\b[^.!?]{0,30}?\b[a-z]{0,3}\d[\da-z -]{4,}",
    )
    .ok()
});

static ACCOUNT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:account|routing|sort code|swift|bic|card|policy|member(?:ship)?|phone|mobile|cell)\b[^.!?]{0,24}?\+?\d[\d -]{4,}\d").ok()
});

static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(?:live|lives|living|address|home|house|apartment|flat|moved|residing|reside)\b[^.!?]{0,60}?(?:\b\d{1,5}[a-z]?,?\s+(?:\p{L}[\p{L}'.-]*\s+){1,4}(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|way|court|ct|place|pl|terrace|close|square|crescent|row|parkway)\b|\b\p{L}+(?:straße|strasse|weg|gasse|gatan|laan|straat)\s+\d{1,4}\b|\b\d{1,4},?\s+(?:rue|avenue|via|calle|rua)\s+\p{L}+)",
    )
    .ok()
});

/// Words that make a sentence about health a diagnosis.
const CONDITIONS: &[&str] = &[
    "diagnosed",
    "diagnosis",
    "hiv",
    "cancer",
    "tumor",
    "tumour",
    "leukemia",
    "diabetes",
    "diabetic",
    "bipolar",
    "schizophrenia",
    "depression",
    "depressed",
    "ptsd",
    "adhd",
    "autism",
    "autistic",
    "epilepsy",
    "epileptic",
    "parkinson",
    "alzheimer",
    "dementia",
    "anorexia",
    "bulimia",
    "miscarriage",
    "abortion",
    "infertility",
    "herpes",
    "hepatitis",
    "crohn",
    "lupus",
    "sclerosis",
    "psychosis",
    "anorexic",
    "asthma",
    "arthritis",
    "endometriosis",
    "hypertension",
    "ocd",
    "alcoholic",
    "addiction",
    "rehab",
    "suicidal",
    "biopsy",
    "chemotherapy",
    "antidepressants",
];

/// Words without which no secret is told; the patterns run only where one stands.
const SECRET_WORDS: &[&str] = &[
    "password",
    "passcode",
    "passphrase",
    "pass",
    "pin",
    "api",
    "key",
    "token",
    "recovery",
    "seed",
    "security",
    "cvv",
    "cvc",
    "code",
    "combination",
    "login",
    "passwords",
];

/// Whether a sentence holds secrets or sensitive data.
pub(super) fn is_private(text: &str) -> bool {
    let (mut condition, mut secret, mut has_digit) = (false, false, false);
    for word in text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty() && w.len() <= 20)
    {
        if word.as_bytes()[0].is_ascii_digit() || word.bytes().any(|b| b.is_ascii_digit()) {
            has_digit = true;
            continue;
        }
        let lower = word.to_ascii_lowercase();
        condition |= CONDITIONS.contains(&lower.as_str());
        secret |= SECRET_WORDS.contains(&lower.as_str());
    }
    has_digit |= !has_digit && text.bytes().any(|b| b.is_ascii_digit());
    condition
        || secret && matches(&SECRET, text)
        || has_digit
            && (holds_card(text)
                || holds_iban(text)
                || matches(&GOVERNMENT_ID, text)
                || matches(&ACCOUNT, text)
                || matches(&ADDRESS, text))
}

fn matches(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|regex| regex.is_match(text))
}

/// 13 to 19 digits in groups, with a right Luhn check digit.
fn holds_card(text: &str) -> bool {
    digit_runs(text).any(|digits| (13..=19).contains(&digits.len()) && luhn(&digits))
}

/// Runs of digits, parted by single blanks or hyphens only.
fn digit_runs(text: &str) -> impl Iterator<Item = Vec<u8>> + '_ {
    text.split(|c: char| !c.is_ascii_digit() && c != ' ' && c != '-')
        .flat_map(|run| {
            // Two blanks, or a lone hyphen, end a number.
            run.split("  ")
                .map(|part| {
                    part.bytes()
                        .filter(u8::is_ascii_digit)
                        .map(|b| b - b'0')
                        .collect::<Vec<_>>()
                })
                .collect::<Vec<_>>()
        })
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let value = u32::from(*digit) * if at % 2 == 1 { 2 } else { 1 };
            if value > 9 { value - 9 } else { value }
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|d| *d != 0)
}

/// An IBAN with a right checksum, blanks allowed.
fn holds_iban(text: &str) -> bool {
    let pieces: Vec<&str> = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|p| !p.is_empty())
        .collect();
    (0..pieces.len()).any(|start| {
        let head = pieces[start].as_bytes();
        let opens = head.len() >= 4
            && head[..2].iter().all(u8::is_ascii_uppercase)
            && head[2..4].iter().all(u8::is_ascii_digit);
        if !opens {
            return false;
        }
        let mut joined = String::new();
        for piece in pieces[start..].iter().take(10) {
            joined.push_str(piece);
            if joined.len() > 34 {
                return false;
            }
            if joined.len() >= 15 && iban_checks(&joined) {
                return true;
            }
        }
        false
    })
}

fn iban_checks(iban: &str) -> bool {
    let (head, body) = iban.split_at(4);
    let mut remainder = 0_u32;
    for c in body.chars().chain(head.chars()) {
        remainder = match c.to_digit(36) {
            Some(value) if value >= 10 => (remainder * 100 + value) % 97,
            Some(value) => (remainder * 10 + value) % 97,
            None => return false,
        };
    }
    remainder == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_sensitive_data_are_found() {
        for text in [
            "My wifi password is hunter2",
            "The PIN for my card is 4921.",
            "My card number is 4111 1111 1111 1111.",
            "Use 5500-0000-0000-0004 for the booking",
            "My IBAN is DE89 3704 0044 0532 0130 00",
            "IBAN: GB82WEST12345698765432",
            "My SSN is 078-05-1120.",
            "My passport number is X1234567.",
            "My account number is 0012345678",
            "I was diagnosed with sarcoidosis.",
            "I have bipolar disorder",
            "I live at 12 Elm Street, Springfield.",
            "My home address is Lindenweg 4, Graz",
            "My phone number is +44 7700 900123",
        ] {
            assert!(is_private(text), "{text}");
        }
    }

    #[test]
    fn harmless_numbers_and_words_are_not() {
        for text in [
            "I ran 10 kilometres in 55 minutes",
            "Order 4111 1111 1111 1112 arrived",
            "I forgot my keys again",
            "I live in a house with 3 cats",
            "He scored 40 points in 12 games",
            "The film made 1234567890123 people laugh",
            "I pinned a note to the board",
            "I have a passport and love to use it",
        ] {
            assert!(!is_private(text), "{text}");
        }
    }
}
