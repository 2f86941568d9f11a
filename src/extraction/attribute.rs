//! Single-valued attributes read from a fact's text: employer, title, city, diet, relationship, age, skills.
//!
//! Reads the third person that this room writes. `reconcile.rs` compares what it finds.

use super::lexicon::is_adverb;
use super::verb;
use super::word::{Word, words};
use crate::model::Category;

/// What an attribute is of. Of each a subject has one value at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Attribute {
    /// Where they work.
    Employer,
    /// What they work as.
    Title,
    /// Where they live.
    Home,
    /// Vegetarian, vegan, …
    Diet,
    /// Married, single, …
    Relationship,
    /// In years.
    Age,
    /// How well they master this.
    Skill(String),
    /// Their favourite of this kind; also "name", "birthday", "email".
    Possession(String),
}

/// One attribute with its value, both in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AttributeValue {
    /// Whose: "user", "user's sister".
    pub(super) subject: String,
    /// Of what.
    pub(super) attribute: Attribute,
    /// The value.
    pub(super) value: String,
    /// Whether it is said to hold no more.
    pub(super) is_over: bool,
}

/// The subject of what the user says of themselves, in lower case.
const USER: &str = "user";
const DIETS: &[&str] = &[
    "vegetarian",
    "vegan",
    "pescatarian",
    "keto",
    "carnivore",
    "omnivore",
    "flexitarian",
];
const BONDS: &[&str] = &[
    "single",
    "married",
    "engaged",
    "divorced",
    "widowed",
    "separated",
    "dating",
];
const TITLES: &[&str] = &[
    "engineer",
    "developer",
    "manager",
    "nurse",
    "teacher",
    "doctor",
    "designer",
    "analyst",
    "scientist",
    "chef",
    "lawyer",
    "director",
    "consultant",
    "programmer",
    "architect",
    "accountant",
    "assistant",
    "writer",
    "journalist",
    "editor",
    "pilot",
    "driver",
    "waiter",
    "barista",
    "cashier",
    "electrician",
    "plumber",
    "professor",
    "researcher",
    "therapist",
    "counselor",
    "pharmacist",
    "dentist",
    "veterinarian",
    "receptionist",
    "photographer",
    "baker",
    "mechanic",
    "officer",
    "technician",
    "coach",
    "lead",
    "cto",
    "ceo",
    "intern",
    "president",
    "carpenter",
    "welder",
    "librarian",
];

impl Attribute {
    /// The category that a fact about this belongs to, where it is always the same one.
    pub(super) const fn category(&self) -> Option<Category> {
        match self {
            Self::Employer | Self::Title => Some(Category::Career),
            Self::Diet => Some(Category::Health),
            Self::Relationship => Some(Category::Relationships),
            Self::Age => Some(Category::Identity),
            Self::Skill(_) => Some(Category::Learning),
            Self::Home | Self::Possession(_) => None,
        }
    }
}

/// The attributes that the text's first sentence states for the present.
pub(super) fn read(text: &str) -> Vec<AttributeValue> {
    let sentence = first_sentence(text);
    let all: Vec<Word<'_>> = words(sentence).into_iter().filter(|w| !w.is_empty()).collect();
    let Some((subject, verb_at)) = subject(&all) else {
        return Vec::new();
    };
    let mut out = Vec::new();
    let mut add = |attribute, value: String, is_over| {
        if !value.is_empty() {
            out.push(AttributeValue {
                subject: subject.clone(),
                attribute,
                value,
                is_over,
            });
        }
    };
    let rest = &all[verb_at..];
    if rest.iter().any(|w| {
        w.is_one_of(&[
            "also", "if", "would", "might", "wants", "want", "hopes", "plans", "used", "was",
        ])
    }) && !rest.iter().any(|w| w.lower == "promoted")
    {
        return Vec::new();
    }
    let is_over = has_pair(rest, "no", "longer")
        || has_pair(rest, "any", "more")
        || rest
            .iter()
            .any(|w| w.is_one_of(&["anymore", "not", "isn't", "doesn't", "stopped"]));
    let verb = rest[0].lower.as_str();
    let content: Vec<&Word<'_>> = rest
        .iter()
        .filter(|w| !is_adverb(&w.lower) && !w.is_one_of(&["no", "longer", "any", "more", "anymore", "not"]))
        .collect();
    let at = |i: usize| content.get(i).map_or("", |w| w.lower.as_str());
    for i in 0..content.len() {
        let (here, next) = (at(i), at(i + 1));
        match (here, next) {
            ("works" | "work" | "working", "at" | "for") | ("job", "at") | ("started", "at") => {
                let employer = name_from(&content, i + 2);
                // "works at Acme as a nurse"
                let after = i + 2 + employer.split(' ').count();
                if at(after) == "as" {
                    add(Attribute::Title, title_from(&content, after + 1), is_over);
                }
                add(Attribute::Employer, employer, is_over);
            }
            ("joined", _) if content.get(i + 1).is_some_and(|w| w.is_capitalised()) => {
                add(Attribute::Employer, name_from(&content, i + 1), is_over)
            }
            ("works" | "work" | "working", "as") => add(Attribute::Title, title_from(&content, i + 2), is_over),
            ("promoted", "to") => add(Attribute::Title, title_from(&content, i + 2), is_over),
            ("lives" | "live" | "living" | "moved" | "relocated", "in" | "to")
                if content.get(i + 2).is_some_and(|w| w.is_capitalised()) =>
            {
                add(Attribute::Home, name_from(&content, i + 2), is_over);
            }
            ("learning" | "studying" | "practicing", skill) if !skill.is_empty() && verb != "hates" => {
                let from = i + 1 + usize::from(["how", "to", "the"].contains(&skill));
                add(Attribute::Skill(at(from).to_owned()), "learning".to_owned(), is_over);
            }
            ("proficient" | "fluent" | "expert" | "experienced" | "skilled", "in" | "at" | "with") => {
                add(Attribute::Skill(at(i + 2).to_owned()), "proficient".to_owned(), is_over)
            }
            ("mastered" | "knows", skill) if !skill.is_empty() => {
                add(Attribute::Skill(skill.to_owned()), "proficient".to_owned(), is_over)
            }
            ("years", "old") if i > 0 => add(Attribute::Age, at(i - 1).to_owned(), false),
            _ if DIETS.contains(&here) && i <= 3 => add(Attribute::Diet, here.to_owned(), is_over),
            ("eats" | "eating", "meat") => add(Attribute::Diet, "omnivore".to_owned(), is_over),
            _ if BONDS.contains(&here) && i <= 2 && matches!(verb, "is" | "got" | "has" | "are" | "became") => {
                add(Attribute::Relationship, here.to_owned(), is_over)
            }
            _ => {}
        }
    }
    // "is a data analyst at Acme"
    if verb == "is" && matches!(at(1), "a" | "an" | "the") {
        let title = title_from(&content, 1);
        if TITLES.iter().any(|t| title.split(' ').any(|w| w == *t)) {
            add(Attribute::Title, title, is_over);
        }
    }
    if out.iter().any(|r| r.attribute == Attribute::Title)
        && let Some(i) = content.iter().position(|w| w.lower == "at")
    {
        let value = name_from(&content, i + 1);
        if content.get(i + 1).is_some_and(|w| w.is_capitalised())
            && !out.iter().any(|r| r.attribute == Attribute::Employer)
        {
            out.push(AttributeValue {
                subject: subject.clone(),
                attribute: Attribute::Employer,
                value,
                is_over,
            });
        }
    }
    possession(&all, &mut out);
    out
}

/// "User's favorite color is green", "User's name is …".
fn possession(all: &[Word<'_>], out: &mut Vec<AttributeValue>) {
    let Some(is_at) = all
        .iter()
        .position(|w| w.is_one_of(&["is", "isn't"]))
        .filter(|at| (2..=5).contains(at))
    else {
        return;
    };
    let owner = &all[0];
    let single = all[1].is_one_of(&["favorite", "favourite"])
        || (is_at == 2
            && all[1].is_one_of(&[
                "name", "birthday", "email", "phone", "address", "nickname", "job", "goal", "salary", "weight",
                "height", "age",
            ]));
    if owner.lower.ends_with("'s") && single {
        let key = all[1..is_at]
            .iter()
            .map(|w| w.lower.replace("favourite", "favorite"))
            .collect::<Vec<_>>()
            .join(" ");
        let value = all[is_at + 1..]
            .iter()
            .map(|w| w.lower.clone())
            .collect::<Vec<_>>()
            .join(" ");
        out.push(AttributeValue {
            subject: owner.lower.trim_end_matches("'s").to_owned(),
            attribute: Attribute::Possession(key),
            value,
            is_over: all[is_at].lower == "isn't",
        });
    }
}

fn first_sentence(text: &str) -> &str {
    text.find(". ").map_or(text, |at| &text[..at])
}

/// The subject in lower case and where the verb stands. A text that begins with its verb, as people write when they
/// edit a memory ("Works at Acme"), is about the user.
pub(super) fn subject(all: &[Word<'_>]) -> Option<(String, usize)> {
    let limit = all.len().min(6);
    let Some(verb_at) =
        (1..limit).find(|&i| is_verb(&all[i]) && !(is_third_person(&all[i]) && all[i].is_capitalised()))
    else {
        return all.first().filter(|first| is_verb(first)).map(|_| (USER.to_owned(), 0));
    };
    let subject = all[..verb_at]
        .iter()
        .filter(|w| !is_adverb(&w.lower) && !w.is_one_of(&["no", "longer"]))
        .map(|w| w.lower.as_str())
        .collect::<Vec<_>>()
        .join(" ");
    Some((subject, verb_at))
}

fn is_verb(word: &Word<'_>) -> bool {
    let auxiliary = [
        "is", "has", "was", "does", "doesn't", "isn't", "hasn't", "are", "will", "can", "can't", "would",
    ];
    word.is_one_of(&auxiliary) || is_third_person(word) || verb::is_past(&word.lower)
}

fn is_third_person(word: &Word<'_>) -> bool {
    let base = word.lower.strip_suffix('s');
    base.is_some_and(|base| verb::is_base(base) || verb::is_base(base.trim_end_matches('e')))
}

fn has_pair(words: &[Word<'_>], first: &str, second: &str) -> bool {
    words.windows(2).any(|w| w[0].lower == first && w[1].lower == second)
}

/// A proper name from `at` on.
fn name_from(content: &[&Word<'_>], at: usize) -> String {
    let mut name: Vec<&str> = Vec::new();
    for word in content.iter().skip(at).take(4) {
        let is_small_name = name.is_empty() && !word.is_one_of(&["a", "the", "an", "my", "their"]);
        if !word.is_capitalised() && !is_small_name {
            break;
        }
        name.push(&word.lower);
        if word.pauses() || !word.is_capitalised() {
            break;
        }
    }
    name.join(" ")
}

/// A job title from `at` on, without its article.
fn title_from(content: &[&Word<'_>], at: usize) -> String {
    let mut title: Vec<&str> = Vec::new();
    for word in content.iter().skip(at).take(6) {
        if word.is_one_of(&["a", "an", "the"]) && title.is_empty() {
            continue;
        }
        if word.is_one_of(&["at", "for", "in", "with", "and", "who", "working", "on", "of"]) {
            break;
        }
        title.push(&word.lower);
        if word.pauses() {
            break;
        }
    }
    title.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(Attribute, String)> {
        read(text).into_iter().map(|r| (r.attribute, r.value)).collect()
    }

    #[test]
    fn attributes_are_read_from_facts() {
        assert_eq!(found("User works at Acme."), [(Attribute::Employer, "acme".to_owned())]);
        assert_eq!(
            found("User works at Acme Labs as a nurse."),
            [
                (Attribute::Title, "nurse".to_owned()),
                (Attribute::Employer, "acme labs".to_owned())
            ]
        );
        assert!(found("User is a data analyst at Acme Labs.").contains(&(Attribute::Employer, "acme labs".to_owned())));
        assert!(found("User is a data analyst at Acme Labs.").contains(&(Attribute::Title, "data analyst".to_owned())));
        assert_eq!(
            found("Priya moved to Cape Town last week."),
            [(Attribute::Home, "cape town".to_owned())]
        );
        assert_eq!(
            found("User is learning React."),
            [(Attribute::Skill("react".to_owned()), "learning".to_owned())]
        );
        assert_eq!(
            found("User is proficient in React."),
            [(Attribute::Skill("react".to_owned()), "proficient".to_owned())]
        );
        assert_eq!(found("User's favorite color is green.")[0].1, "green");
        assert_eq!(found("User is 34 years old."), [(Attribute::Age, "34".to_owned())]);
    }

    #[test]
    fn wishes_and_the_past_state_nothing_present() {
        for text in [
            "User would love to live in Rome.",
            "User used to work at Acme.",
            "User wants to be a nurse.",
        ] {
            assert!(read(text).is_empty(), "{text}: {:?}", read(text));
        }
    }
}
