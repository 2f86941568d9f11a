//! How values stand in a sentence: templates, articles, capitals.

use super::keys::Row;
use super::shape::{Shape, age, is_number, is_role, name_and_rest};
use super::word_lists::{holds, lowered};
use crate::extraction::word::capitalised;
use crate::extraction::{lexicon, verb};

/// The sentence that a row makes of its key and value.
pub(super) fn sentence(row: &Row, subject: &str, key: &str, value: &str) -> String {
    let value = value.strip_prefix("my ").unwrap_or(value);
    let value = match row.shape {
        Shape::Age => age(value).unwrap_or(value),
        Shape::Measure(_) => value.split(',').next().unwrap_or(value).trim(),
        _ => value,
    };
    let written = match row.shape {
        Shape::Name | Shape::Place => with_capitals(value),
        Shape::NameOf => with_the(value),
        _ => value.to_owned(),
    };
    fill(
        row.template,
        &[
            ("subject", &|| subject.to_owned()),
            ("key", &|| key.to_owned()),
            ("keys", &|| plural(key)),
            ("value", &|| written.clone()),
            ("a value", &|| with_article(value)),
            ("job", &|| job(value)),
            ("to value", &|| with_to(value)),
            ("named", &|| named(value)),
        ],
    )
}

/// The template with what stands for each name in braces.
fn fill(template: &str, parts: &[(&str, &dyn Fn() -> String)]) -> String {
    let mut out = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        out.push_str(before);
        let (name, after) = behind.split_once('}').unwrap_or((behind, ""));
        if let Some((_, part)) = parts.iter().find(|(known, _)| *known == name) {
            out.push_str(&part());
        }
        rest = after;
    }
    if out.ends_with('.') && rest == "." {
        return out;
    }
    out.push_str(rest);
    out
}

/// "welder" as "a welder", "Head of Baking" as "head of baking", "seismologist, Yerevan" as "a seismologist (Yerevan)".
pub(super) fn job(value: &str) -> String {
    let (title, rest) = value
        .split_once(", ")
        .map_or((value, ""), |(title, rest)| (title, rest.trim()));
    let title = with_article(&small_role(title.trim()));
    if rest.is_empty() {
        title
    } else {
        format!("{title} ({rest})")
    }
}

/// A post without the capitals of a heading: "Senior Welder" as "senior welder". Names keep theirs.
pub(super) fn small_role(title: &str) -> String {
    let words: Vec<String> = title
        .split(' ')
        .map(|word| {
            let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
            let lower = lowered(bare);
            let is_acronym = bare.len() > 1 && bare.chars().all(|c| !c.is_lowercase()) && bare.len() <= 4;
            let known = is_role(&lower)
                || lower
                    .split(['-', '/'])
                    .all(|part| is_role(part) || holds("role before", part))
                || holds("role before", &lower);
            let is_common = lower.len() > 5 && (verb::is_ing(&lower) || lower.ends_with("ic") || lower.ends_with("al"));
            if (known || is_common) && !is_acronym {
                word.to_lowercase()
            } else {
                word.to_owned()
            }
        })
        .collect();
    words.join(" ")
}

/// "ben ode" as "Ben Ode" and "porto, portugal" as "Porto, Portugal"; what has a capital, or is a phrase, stays.
fn with_capitals(name: &str) -> String {
    let words: Vec<&str> = name.split(' ').collect();
    let is_phrase = words.len() > 3 || words.iter().any(|word| lexicon::is_function(word));
    if is_phrase || name.chars().any(char::is_uppercase) {
        return name.to_owned();
    }
    words.into_iter().map(capitalised).collect::<Vec<_>>().join(" ")
}

/// "University of Gent" as "the University of Gent".
pub(super) fn with_the(name: &str) -> String {
    let words: Vec<String> = name.split(',').next().unwrap_or(name).split(' ').map(lowered).collect();
    let of = words.iter().position(|word| word == "of");
    let is_of = of.is_some_and(|at| words[..at].iter().any(|word| holds("organisation", word)));
    if is_of && words.first().is_none_or(|word| word != "the") {
        format!("the {name}")
    } else {
        name.to_owned()
    }
}

/// With "a" or "an" in front, where one is due.
pub(super) fn with_article(phrase: &str) -> String {
    let lower = lowered(phrase);
    let words: Vec<&str> = lower.split_whitespace().collect();
    let first = words.first().copied().unwrap_or("");
    let two = words.iter().take(2).copied().collect::<Vec<_>>().join(" ");
    let has_one = matches!(
        first,
        "a" | "an" | "the" | "my" | "his" | "her" | "our" | "no" | "some" | "many" | "several"
    ) || is_number(first)
        || holds("without article", first)
        || holds("without article", &two);
    // The noun is the last word before "of", "with", "at" and their like.
    let head = words
        .iter()
        .take_while(|word| {
            !word.starts_with('(')
                && !matches!(
                    **word,
                    "of" | "with" | "at" | "for" | "in" | "named" | "called" | "from" | "who"
                )
        })
        .last()
        .map_or("", |word| word.trim_end_matches(|c: char| !c.is_alphanumeric()));
    let is_plural = head.ends_with('s')
        && !head.ends_with("ss")
        && !head.ends_with("us")
        && !head.ends_with("is")
        && !head.ends_with("'s")
        && !is_role(head)
        && !head.contains('.');
    if has_one || is_plural {
        phrase.to_owned()
    } else {
        format!("{} {phrase}", article(phrase))
    }
}

/// "a" or "an", by the sound of what follows.
fn article(phrase: &str) -> &'static str {
    let word = phrase.split([' ', '-']).next().unwrap_or("");
    let lower = lowered(word);
    let first = word.chars().next().unwrap_or(' ');
    let second = word.chars().nth(1).unwrap_or(' ');
    let is_spelt = first.is_uppercase() && (second.is_uppercase() || second == '.') && word.len() <= 5;
    let has_vowel = if is_spelt {
        "AEFHILMNORSX".contains(first)
    } else if first.is_ascii_digit() {
        lower.starts_with('8') || lower == "11" || lower == "18"
    } else if ["uni", "use", "usu", "eu", "one", "ufo", "ukr", "uti", "ura"]
        .iter()
        .any(|start| lower.starts_with(start))
    {
        lower.starts_with("unin") || lower.starts_with("unim") || lower.starts_with("unid")
    } else {
        "aeiouàáâäåæèéêëìíîïòóôöøùúûü".contains(lower.chars().next().unwrap_or(' '))
            || ["hour", "honest", "honour", "honor", "heir"]
                .iter()
                .any(|start| lower.starts_with(start))
    };
    if has_vowel { "an" } else { "a" }
}

/// "Run a marathon" as "to run a marathon"; what is no verb stays.
pub(super) fn with_to(value: &str) -> String {
    let (first, rest) = value.split_once(' ').unwrap_or((value, ""));
    let lower = lowered(first);
    if lower == "to" {
        return format!("to {rest}");
    }
    if verb::is_base(&lower) {
        return format!("to {lower} {rest}").trim_end().to_owned();
    }
    value.to_owned()
}

/// "Kompot, beagle, 5" as "Kompot (beagle, 5)".
fn named(value: &str) -> String {
    let (name, rest) = name_and_rest(value);
    let rest = rest.trim_matches(|c: char| matches!(c, '(' | ')' | ',' | ' '));
    if rest.is_empty() {
        name.to_owned()
    } else {
        format!("{name} ({rest})")
    }
}

/// "hobby" as "hobbies".
fn plural(key: &str) -> String {
    if key.ends_with('s') {
        key.to_owned()
    } else if let Some(stem) = key.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o'])) {
        format!("{stem}ies")
    } else {
        format!("{key}s")
    }
}
