//! Biographies of invented people, kept as they were read and found good.

use std::collections::HashSet;
use std::path::PathBuf;

use chrono::NaiveDate;

use super::text::{base, content};
use super::*;
use crate::model::{MemoryId, MemoryType, TimePrecision};

const PEOPLE: [&str; 5] = ["maya", "joao", "robin", "kenji", "amara"];

fn now() -> DateTime<Utc> {
    time("2025-10-01")
}

fn time(day: &str) -> DateTime<Utc> {
    let day: NaiveDate = day.parse().unwrap();
    day.and_hms_opt(12, 0, 0).unwrap().and_utc()
}

fn people_file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/profile/people")
        .join(name)
}

/// The first `count` memories of an invented person.
fn memories(person: &str, count: usize) -> Vec<Arc<Memory>> {
    let text = std::fs::read_to_string(people_file(&format!("{person}.tsv"))).unwrap();
    let line = |(at, line): (usize, &str)| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [created, kind, categories, importance, event, text] = fields[..] else {
            panic!("{line}")
        };
        Arc::new(Memory {
            id: MemoryId::from_stored(format!("mem_{at}")),
            text: text.to_owned(),
            memory_type: kind.parse::<MemoryType>().unwrap(),
            categories: categories.split(',').map(|word| word.parse().unwrap()).collect(),
            importance: importance.parse().unwrap(),
            source: "s".to_owned(),
            agent_id: "a".to_owned(),
            thread_id: "t".to_owned(),
            user_id: None,
            metadata: None,
            event_time: (event != "-").then(|| time(event)),
            event_time_precision: (event != "-").then_some(TimePrecision::Day),
            is_instruction: false,
            sources: Vec::new(),
            expires_at: None,
            superseded_by: None,
            reinforced: 0,
            context: None,
            version: 1,
            created_at: time(created),
            updated_at: time(created),
        })
    };
    text.lines().enumerate().map(line).take(count).collect()
}

fn written(person: &str, count: usize) -> String {
    let of = memories(person, count);
    let mut text = String::new();
    for format in BioFormat::ALL {
        let request = BioRequest {
            format,
            ..BioRequest::default()
        };
        let bio = bio(&of, &request, 0, now());
        text += &format!("## {}\n\n{}\n\n", format.as_str(), bio.text(format));
    }
    for style in [BioStyle::Factual, BioStyle::Casual, BioStyle::Formal] {
        let request = BioRequest {
            style,
            ..BioRequest::default()
        };
        let bio = bio(&of, &request, 0, now());
        text += &format!("## {}\n\n{}\n\n", style.as_str(), bio.text(BioFormat::Full));
    }
    text
}

/// A change that was read and found good is accepted with `INSTA_UPDATE=always`, or one by one with `cargo insta review`.
#[test]
fn biographies_are_those_that_were_read_and_found_good() {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(people_file("../bios"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (person, count) in PEOPLE
            .into_iter()
            .flat_map(|person| [10, 50, 200].map(|count| (person, count)))
        {
            insta::assert_snapshot!(format!("{person}-{count}"), written(person, count));
        }
    });
}

/// Words that biographies may use without a memory saying them.
const CONNECTIVES: [&str; 6] = ["free", "time", "looking", "ahead", "fun", "together"];

#[test]
fn every_word_of_a_biography_is_in_the_memories_behind_it() {
    let form = |word: &str| base(word).unwrap_or_else(|| word.to_owned());
    for person in PEOPLE {
        let of = memories(person, 200);
        let name = clause::name(&of).unwrap_or_default();
        for (format, style) in BioFormat::ALL.into_iter().flat_map(|f| BioStyle::ALL.map(|s| (f, s))) {
            let request = BioRequest {
                format,
                style,
                ..BioRequest::default()
            };
            let bio = bio(&of, &request, 0, now());
            assert!(!bio.sentences.is_empty(), "{person}");
            for sentence in &bio.sentences {
                let behind = of.iter().filter(|memory| sentence.memories.contains(&memory.id));
                let said: Vec<String> = behind.map(|memory| memory.text.clone()).collect();
                let mut known: HashSet<String> = content(&format!("{name} {}", said.join(" "))).into_iter().collect();
                known.extend(known.clone().iter().map(|word| form(word)));
                for word in content(&sentence.text) {
                    let is_known =
                        known.contains(&word) || known.contains(&form(&word)) || CONNECTIVES.contains(&word.as_str());
                    assert!(is_known, "{word:?} in {:?} from {said:?}", sentence.text);
                }
            }
        }
    }
}

#[test]
fn a_biography_has_the_length_of_its_format_and_nothing_that_is_nobodys_business() {
    let address = regex::Regex::new(r"@|\d{3}[ -]?\d{3,}|\d+ \p{L}+ (?:Lane|Road|Street|Terrace|Close)").unwrap();
    for person in PEOPLE {
        let of = memories(person, 200);
        for (format, least, most) in [(BioFormat::Full, 150, 200), (BioFormat::Short, 30, 50)] {
            let request = BioRequest {
                format,
                ..BioRequest::default()
            };
            let count = bio(&of, &request, 0, now()).text(format).split_whitespace().count();
            assert!((least..=most).contains(&count), "{person}: {count} words");
        }
        let derived = derive(&of, now());
        let mut all = written(person, 200);
        for profile in derived.categories.values() {
            all += &format!(
                "\n{}\n{}\n{:?}",
                profile.summary,
                profile.key_items.join("\n"),
                profile.leanings
            );
        }
        for insight in &derived.insights {
            all += &format!("\n{}: {}", insight.title, insight.description);
        }
        let private = of.iter().filter(|memory| memory.is_private());
        for memory in private {
            assert!(
                !all.contains(memory.text.trim_start_matches("User ").trim_end_matches('.')),
                "{}",
                memory.text
            );
        }
        assert!(!address.is_match(&all), "{:?}", address.find(&all));
    }
}

#[test]
fn what_was_planned_for_a_time_that_is_over_is_not_told_as_a_plan() {
    let of = |text: &str, event: Option<&str>| {
        let mut memory = (*memories("maya", 1)[0]).clone();
        memory.text = text.to_owned();
        if event.is_some() {
            memory.memory_type = MemoryType::Episodic;
        }
        memory.event_time = event.map(time);
        Clause::of(&Arc::new(memory), now()).is_some()
    };
    assert!(of("User moved to Lisbon in April 2024.", Some("2024-04-01")));
    assert!(!of("User will move to Lisbon in April 2024.", Some("2024-04-01")));
    assert!(of("User will move to Oslo in April 2026.", Some("2026-04-01")));
    assert!(of("User is so excited! User plays the clarinet.", None));
    assert!(!of("User says it is great.", None));
    assert!(!of("Asked \"Where?\", User says in Oslo.", None));
}

#[test]
fn counts_are_true_and_traits_name_their_evidence() {
    let of = memories("amara", 200);
    let derived = derive(&of, now());
    assert_eq!(derived.stats.total_memories, 200);
    assert_eq!(derived.stats.by_type.values().sum::<usize>(), 200);
    let runs = derived.traits.iter().find(|one| one.name == "active").unwrap();
    assert!(runs.memories.len() >= 3 && runs.strength < 1.0);
    assert!(derived.insights.iter().all(|insight| insight.memories.len() >= 2));
    assert!(derive(&of[..2], now()).traits.is_empty());
    assert!(!derived.categories.contains_key(&Category::Private));
}

#[test]
fn where_everybody_has_a_name_the_person_is_who_has_the_name_of_the_user_id() {
    let of = |user_id: Option<&str>| {
        let mut all: Vec<Arc<Memory>> = Vec::new();
        for (person, name) in [("maya", "Maya"), ("robin", "Robin")] {
            all.extend(memories(person, 40).into_iter().skip(1).map(|memory| {
                Arc::new(Memory {
                    text: memory.text.replace("User", name),
                    user_id: user_id.map(str::to_owned),
                    ..Memory::clone(&memory)
                })
            }));
        }
        bio(&all, &BioRequest::default(), 0, now()).text(BioFormat::Full)
    };
    let (maya, robin) = (of(Some("maya")), of(Some("robin")));
    assert!(
        maya.starts_with("Maya ") && maya.contains("Farol Health") && !maya.contains("Llanwenfro"),
        "{maya}"
    );
    assert!(
        robin.starts_with("Robin ") && robin.contains("Llanwenfro") && !robin.contains("Farol"),
        "{robin}"
    );
    assert!(!of(None).is_empty());
}
