//! What a caller of the index may rely on: here the order of results, and what the other tests share.

mod changes;
mod filters;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use super::{Hit, PersonIndex, Query};
use crate::model::{Category, Filter, Memory, MemoryId, MemoryType, Source};

const DIMENSIONS: usize = 4;

fn now() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2024-03-15T12:00:00Z").unwrap().to_utc()
}

fn id(name: &str) -> MemoryId {
    MemoryId::from_stored(name)
}

fn memory(name: &str, text: &str) -> Memory {
    Memory {
        id: id(name),
        text: text.into(),
        memory_type: MemoryType::Semantic,
        categories: vec![Category::Interests],
        importance: 0.5,
        source: "chat".into(),
        agent_id: "agent".into(),
        thread_id: "thread".into(),
        user_id: None,
        metadata: None,
        event_time: None,
        event_time_precision: None,
        is_instruction: false,
        sources: vec![Source {
            message_id: name.into(),
            position: 0,
            quote: text.into(),
        }],
        expires_at: None,
        superseded_by: None,
        reinforced: 0,
        context: None,
        version: 1,
        created_at: now(),
        updated_at: now(),
    }
}

fn superseded(name: &str, text: &str) -> Memory {
    Memory {
        superseded_by: Some(id("newer")),
        ..memory(name, text)
    }
}

/// Adds a memory whose vector points `angle` radians away from the first axis.
fn add(index: &mut PersonIndex, memory: Memory, angle: f32) {
    index.upsert(Arc::new(memory), &[angle.cos(), angle.sin(), 0.0, 0.0]);
}

fn search(index: &PersonIndex, text: &str, filter: &Filter, rerank: bool) -> Vec<Hit> {
    index.search(&Query {
        text,
        vector: &[1.0, 0.0, 0.0, 0.0],
        filter,
        limit: 10,
        rerank,
        explain: true,
        now: now(),
    })
}

fn ids(hits: &[Hit]) -> Vec<&str> {
    hits.iter().map(|hit| hit.memory.id.as_str()).collect()
}

/// The ids that `filter` lets through; both ways of ranking must agree.
fn allowed(index: &PersonIndex, filter: &Filter) -> Vec<String> {
    let [mut plain, mut ranked] = [false, true].map(|rerank| {
        ids(&search(index, "tea", filter, rerank))
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    plain.sort();
    ranked.sort();
    assert_eq!(plain, ranked);
    plain
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn an_empty_index_finds_nothing() {
    let index = PersonIndex::new(DIMENSIONS);
    assert!(index.is_empty());
    assert!(allowed(&index, &Filter::default()).is_empty());
    assert!(index.nearest(&[1.0, 0.0, 0.0, 0.0], 5, now()).is_empty());
}

#[test]
fn without_rerank_results_ascend_by_distance_and_the_limit_holds() {
    let mut index = PersonIndex::new(DIMENSIONS);
    for (name, angle) in [("far", 1.4), ("near", 0.1), ("middle", 0.7)] {
        add(&mut index, memory(name, "Likes tea"), angle);
    }
    let filter = Filter::default();
    let hits = search(&index, "", &filter, false);
    assert_eq!(ids(&hits), ["near", "middle", "far"]);
    assert!(
        hits.iter()
            .all(|hit| (0.0..=1.0).contains(&hit.vector_distance) && hit.rerank_score.is_none())
    );
    for rerank in [false, true] {
        for limit in 0..5 {
            let query = Query {
                text: "tea",
                vector: &[1.0, 0.0, 0.0, 0.0],
                filter: &filter,
                limit,
                rerank,
                explain: true,
                now: now(),
            };
            assert_eq!(index.search(&query).len(), limit.min(3));
        }
    }
}

#[test]
fn equal_distances_come_newest_first_then_by_id() {
    let mut index = PersonIndex::new(DIMENSIONS);
    for (name, age_days) in [("c", 1), ("old", 9), ("a", 1), ("b", 1)] {
        let created_at = now() - TimeDelta::days(age_days);
        add(
            &mut index,
            Memory {
                created_at,
                ..memory(name, "Likes tea")
            },
            0.3,
        );
    }
    assert_eq!(
        ids(&search(&index, "", &Filter::default(), false)),
        ["a", "b", "c", "old"]
    );
}

#[test]
fn with_rerank_scores_descend_within_zero_and_one() {
    let mut index = PersonIndex::new(DIMENSIONS);
    for (at, text) in [
        "Anna likes green tea",
        "Anna likes green tea",
        "Ben moved to Oslo",
        "Anna sails",
    ]
    .iter()
    .enumerate()
    {
        add(&mut index, memory(&format!("m{at}"), text), at as f32 * 0.2);
    }
    let hits = search(&index, "What tea does Anna like?", &Filter::default(), true);
    let scores: Vec<f32> = hits.iter().filter_map(|hit| hit.rerank_score).collect();
    assert_eq!(scores.len(), 4);
    assert!(scores.is_sorted_by(|a, b| a >= b) && scores.iter().all(|score| (0.0..=1.0).contains(score)));
}

#[test]
fn words_of_the_question_outweigh_a_slightly_nearer_vector() {
    let mut index = PersonIndex::new(DIMENSIONS);
    add(&mut index, memory("near", "Ben moved to Oslo"), 0.1);
    add(&mut index, memory("right", "Anna plays the violin"), 0.2);
    add(&mut index, memory("other", "Carla bakes bread"), 1.0);
    assert_eq!(
        ids(&search(&index, "Who plays violins?", &Filter::default(), true))[0],
        "right"
    );
}

#[test]
fn the_turn_beside_a_match_comes_before_an_unrelated_one() {
    let mut index = PersonIndex::new(DIMENSIONS);
    let at = |name: &str, text: &str, thread: &str, position| {
        let sources = vec![Source {
            message_id: name.into(),
            position,
            quote: text.into(),
        }];
        Memory {
            thread_id: thread.into(),
            sources,
            ..memory(name, text)
        }
    };
    add(&mut index, at("match", "Anna adopted a puppy", "t", 4), 0.2);
    add(&mut index, at("beside", "Calls him Max and adores him", "t", 6), 1.0);
    add(&mut index, at("elsewhere", "Calls him Max and adores him", "u", 6), 1.0);
    let hits = search(&index, "Which puppy did Anna adopt?", &Filter::default(), true);
    assert_eq!(ids(&hits), ["match", "beside", "elsewhere"]);
}

#[test]
fn an_explanation_adds_up_to_the_score_and_to_the_relevance() {
    let mut index = PersonIndex::new(DIMENSIONS);
    for (name, text) in [
        ("a", "Anna plays the cello"),
        ("b", "Anna loves hiking in May"),
        ("c", "Ben is a nurse"),
    ] {
        add(&mut index, memory(name, text), 0.3);
    }
    let hits = search(&index, "What does Anna play?", &Filter::default(), true);
    assert!(!hits.is_empty());
    for hit in hits {
        let explained = hit.explanation.unwrap();
        let sum: f32 = explained.parts.iter().map(|part| part.value * part.weight).sum();
        assert!(
            (sum - explained.repetition - explained.score).abs() < 1e-4,
            "{explained:?}"
        );
        let odds = explained.strength - super::calibration::BEHIND * explained.behind;
        assert!((1.0 / (1.0 + (-odds).exp()) - hit.rerank_score.unwrap()).abs() < 1e-4);
    }
}

#[test]
fn many_memories_of_one_turn_do_not_fill_the_answer() {
    let mut index = PersonIndex::new(DIMENSIONS);
    for at in 0..5 {
        let sources = vec![Source {
            message_id: "one".into(),
            position: 0,
            quote: "…".into(),
        }];
        add(
            &mut index,
            Memory {
                sources,
                ..memory(&format!("same{at}"), "Anna likes hiking trips")
            },
            0.2,
        );
    }
    let sources = vec![Source {
        message_id: "two".into(),
        position: 40,
        quote: "…".into(),
    }];
    add(
        &mut index,
        Memory {
            sources,
            ..memory("apart", "Anna likes hiking boots")
        },
        0.3,
    );
    assert!(ids(&search(&index, "What hiking does Anna like?", &Filter::default(), true))[..2].contains(&"apart"));
}
