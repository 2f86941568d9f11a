//! What everyday questions ask for in one word and memories state in others: "Where does she work?", "joined Acme".
//!
//! A table of common knowledge; [`super::question`] reads it, [`super::features`] makes a feature of it.

/// Words of a question, and words of a memory that states what they ask for. Both in lower case, before stemming.
const ATTRIBUTES: &[(&[&str], &[&str])] = &[
    (
        &[
            "work",
            "works",
            "working",
            "job",
            "jobs",
            "employer",
            "employed",
            "profession",
            "occupation",
            "career",
        ],
        &[
            "works",
            "working",
            "job",
            "joined",
            "hired",
            "promoted",
            "employed",
            "career",
            "retired",
            "freelance",
            "intern",
            "boss",
        ],
    ),
    (
        &["live", "lives", "living", "reside", "resides", "residence"],
        &[
            "lives",
            "living",
            "moved",
            "relocated",
            "settled",
            "apartment",
            "house",
            "flat",
            "rents",
        ],
    ),
    (
        &[
            "hometown",
            "origin",
            "originally",
            "native",
            "nationality",
            "grow",
            "country",
        ],
        &["born", "grew", "raised", "hometown", "originally", "native", "country"],
    ),
    (
        &[
            "married",
            "marital",
            "single",
            "spouse",
            "partner",
            "relationship",
            "dating",
        ],
        &[
            "married",
            "single",
            "wife",
            "husband",
            "partner",
            "spouse",
            "engaged",
            "divorced",
            "fiancé",
            "fiancée",
            "girlfriend",
            "boyfriend",
            "dating",
            "breakup",
        ],
    ),
    (
        &["children", "child", "kids", "kid"],
        &["son", "daughter", "kids", "children", "baby", "twins", "toddler"],
    ),
    (&["sibling", "siblings"], &["brother", "sister", "twin"]),
    (
        &["family", "relatives"],
        &[
            "mother",
            "father",
            "mom",
            "dad",
            "parents",
            "brother",
            "sister",
            "grandmother",
            "grandfather",
            "cousin",
            "aunt",
            "uncle",
            "son",
            "daughter",
        ],
    ),
    (
        &["pet", "pets", "animal", "animals"],
        &[
            "dog", "cat", "puppy", "kitten", "hamster", "parrot", "rabbit", "turtle", "snake", "horse", "fish", "pet",
        ],
    ),
    (
        &["diet", "dietary", "eat", "eats", "food", "foods"],
        &[
            "vegetarian",
            "vegan",
            "pescatarian",
            "eats",
            "allergic",
            "gluten",
            "dairy",
            "intolerant",
            "diet",
            "cooks",
            "recipe",
            "meal",
        ],
    ),
    (
        &["allergy", "allergies", "allergic"],
        &["allergic", "allergy", "intolerant", "intolerance"],
    ),
    (
        &["age", "old", "birthday"],
        &["age", "old", "turned", "birthday", "born"],
    ),
    (
        &[
            "study",
            "studies",
            "studying",
            "degree",
            "major",
            "education",
            "university",
            "college",
            "school",
        ],
        &[
            "studies",
            "studied",
            "degree",
            "graduated",
            "enrolled",
            "university",
            "college",
            "school",
            "course",
            "class",
            "thesis",
        ],
    ),
    (
        &[
            "hobby",
            "hobbies",
            "pastime",
            "pastimes",
            "interests",
            "activities",
            "fun",
        ],
        &[
            "hobby",
            "enjoys",
            "loves",
            "plays",
            "paints",
            "hikes",
            "hiking",
            "running",
            "reading",
            "cooking",
            "gardening",
            "pottery",
            "painting",
            "camping",
            "swimming",
            "yoga",
            "dancing",
            "photography",
            "chess",
            "knitting",
            "cycling",
        ],
    ),
    (
        &["instrument", "instruments"],
        &[
            "guitar",
            "piano",
            "violin",
            "drums",
            "clarinet",
            "flute",
            "cello",
            "saxophone",
            "trumpet",
            "ukulele",
            "bass",
            "banjo",
        ],
    ),
    (
        &["language", "languages"],
        &[
            "speaks",
            "fluent",
            "language",
            "english",
            "spanish",
            "french",
            "german",
            "italian",
            "portuguese",
            "mandarin",
            "japanese",
            "korean",
            "arabic",
            "hindi",
            "russian",
        ],
    ),
    (
        &["vehicle", "vehicles", "car", "drive"],
        &["car", "drives", "truck", "van", "motorcycle", "bike", "prius", "tesla"],
    ),
    (
        &["injury", "illness", "sick", "health", "condition"],
        &[
            "injured",
            "broke",
            "sprained",
            "diagnosed",
            "surgery",
            "doctor",
            "hospital",
            "pain",
            "asthma",
            "diabetes",
            "migraine",
            "therapy",
            "flu",
        ],
    ),
    (
        &["sport", "sports", "exercise"],
        &[
            "soccer",
            "football",
            "basketball",
            "tennis",
            "running",
            "marathon",
            "swimming",
            "yoga",
            "gym",
            "cycling",
            "climbing",
            "volleyball",
            "baseball",
            "hockey",
            "golf",
            "surfing",
            "skiing",
        ],
    ),
];

/// The words of memories that state what these words of a question ask for; none where they ask for nothing common.
pub(super) fn stated(words: &[String]) -> impl Iterator<Item = &'static str> {
    ATTRIBUTES
        .iter()
        .filter(move |(asked, _)| words.iter().any(|word| asked.contains(&word.as_str())))
        .flat_map(|(_, stated)| stated.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_where_someone_works_is_told_whom_they_joined() {
        let words = ["where", "does", "she", "work"].map(str::to_owned);
        assert!(stated(&words).any(|word| word == "joined"));
        assert_eq!(stated(&["why".to_owned()]).count(), 0);
    }
}
