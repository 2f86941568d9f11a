//! What adding, replacing and removing leave behind, and that nothing breaks the index.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::*;

#[test]
fn remove_forgets_and_its_place_is_used_again() {
    let mut index = PersonIndex::new(DIMENSIONS);
    for name in ["a", "b", "c"] {
        add(&mut index, memory(name, &format!("Zebra {name}")), 0.2);
    }
    index.remove(&id("b"));
    index.remove(&id("b"));
    index.remove(&id("never"));
    assert_eq!(index.len(), 2);
    assert!(index.get(&id("b")).is_none());
    assert_eq!(allowed(&index, &Filter::default()), ["a", "c"]);
    let size = index.size_bytes();
    for _ in 0..1_000 {
        add(&mut index, memory("d", "Zebra d"), 0.4);
        index.remove(&id("d"));
    }
    assert!(index.size_bytes() < size + 2_000);
    add(&mut index, memory("e", "Lives in Lisbon"), 0.4);
    assert_eq!(
        ids(&search(&index, "Who lives in Lisbon?", &Filter::default(), true))[0],
        "e"
    );
}

#[test]
fn words_of_removed_memories_are_held_no_longer() {
    let mut index = PersonIndex::new(DIMENSIONS);
    add(&mut index, memory("a", "Lives in Lisbon"), 0.0);
    let invented = |n: usize| format!("Zebra{n:03} quagga{n:03} okapi{n:03}");
    add(&mut index, memory("b", &invented(0)), 0.4);
    let size = index.size_bytes();
    for n in 1..1_000 {
        add(&mut index, memory("b", &invented(n)), 0.4);
        assert_eq!(index.size_bytes(), size, "after {n} texts");
    }
    index.remove(&id("b"));
    let held = format!("{:?}", index.lexical);
    assert!(held.contains("lisbon") && !held.contains("quagga"), "{held}");
}

#[test]
fn upsert_replaces_by_id() {
    let mut index = PersonIndex::new(DIMENSIONS);
    add(&mut index, memory("a", "Lives in Lisbon"), 0.0);
    add(&mut index, memory("b", "Plays chess"), 0.4);
    add(&mut index, memory("a", "Lives in Oslo"), 1.2);
    assert_eq!(index.len(), 2);
    assert_eq!(index.get(&id("a")).unwrap().text, "Lives in Oslo");
    assert_eq!(ids(&search(&index, "", &Filter::default(), false)), ["b", "a"]);
    add(&mut index, superseded("a", "Lives in Oslo"), 0.0);
    assert_eq!(allowed(&index, &Filter::default()), ["b"]);
}

#[test]
fn a_fresh_index_and_a_much_changed_one_rank_alike() {
    let texts = [
        "Anna likes tea",
        "Ben likes coffee",
        "Anna moved to Oslo in May",
        "Carla bakes bread",
        "Ben sails",
    ];
    let (mut fresh, mut changed) = (PersonIndex::new(DIMENSIONS), PersonIndex::new(DIMENSIONS));
    for round in 0..3 {
        for (at, text) in texts.iter().enumerate().rev() {
            add(
                &mut changed,
                memory(&format!("m{at}"), if round < 2 { "Dora swims" } else { text }),
                at as f32 * 0.2,
            );
        }
        changed.remove(&id("m3"));
    }
    add(&mut changed, memory("m3", texts[3]), 0.6);
    for (at, text) in texts.iter().enumerate() {
        add(&mut fresh, memory(&format!("m{at}"), text), at as f32 * 0.2);
    }
    for question in ["What does Anna like?", "Who moved in May?", "bread", "Dora"] {
        let [a, b] = [&fresh, &changed].map(|index| search(index, question, &Filter::default(), true));
        assert_eq!(ids(&a), ids(&b), "{question}");
        for (a, b) in a.iter().zip(&b) {
            assert!((a.rerank_score.unwrap() - b.rerank_score.unwrap()).abs() < 1e-4);
        }
    }
}

#[test]
fn garbage_never_panics_and_never_gives_nan() {
    let mut index = PersonIndex::new(DIMENSIONS);
    let vectors: [&[f32]; 7] = [
        &[],
        &[0.0; 4],
        &[f32::NAN; 4],
        &[f32::INFINITY, 0.0, 0.0, 0.0],
        &[f32::MAX; 4],
        &[1e-40; 4],
        &[1.0; 9],
    ];
    let long = "tea ".repeat(2_000);
    let texts = [
        "",
        " ",
        "\0\u{feff}",
        "¿?!…",
        "日本語のお茶",
        "🫖🫖",
        "'''…’’",
        "May 99th 0000 31 February",
        long.as_str(),
    ];
    for (at, vector) in vectors.iter().enumerate() {
        for (n, text) in texts.iter().enumerate() {
            let strange = Memory {
                importance: f32::NAN,
                context: Some((*text).into()),
                event_time: Some(DateTime::<Utc>::MAX_UTC),
                created_at: if n % 2 == 0 { DateTime::<Utc>::MIN_UTC } else { now() },
                sources: [i64::MIN, i64::MAX, -1, 0]
                    .map(|position| Source {
                        message_id: String::new(),
                        position,
                        quote: String::new(),
                    })
                    .to_vec(),
                superseded_by: (n % 3 == 0).then(|| id("newer")),
                ..memory(&format!("{at}-{n}"), text)
            };
            index.upsert(Arc::new(strange), vector);
        }
    }
    let filter = Filter {
        min_importance: Some(f32::NAN),
        ..Filter::default()
    };
    for text in texts
        .iter()
        .copied()
        .chain(["today", "last week", "Tea in 2022", "when recently"])
    {
        for vector in vectors {
            for (rerank, filter) in [(false, &Filter::default()), (true, &Filter::default()), (true, &filter)] {
                for limit in [0, 1, 100, usize::MAX] {
                    for hit in index.search(&Query {
                        text,
                        vector,
                        filter,
                        limit,
                        rerank,
                        explain: true,
                        now: DateTime::<Utc>::MAX_UTC,
                    }) {
                        assert!((0.0..=1.0).contains(&hit.vector_distance));
                        assert!(hit.rerank_score.is_none_or(|score| (0.0..=1.0).contains(&score)));
                    }
                }
            }
            index.nearest(vector, usize::MAX, DateTime::<Utc>::MAX_UTC);
        }
    }
}
