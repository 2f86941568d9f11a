//! What filters let through and what they hide.

use chrono::TimeDelta;
use serde_json::json;

use super::*;

#[test]
fn each_filter_lets_through_only_what_it_names() {
    let mut index = PersonIndex::new(DIMENSIONS);
    let base = || memory("plain", "Likes tea");
    let later = now() + TimeDelta::days(2);
    add(&mut index, base(), 0.1);
    add(
        &mut index,
        Memory {
            id: id("work"),
            categories: vec![Category::Career, Category::Learning],
            ..base()
        },
        0.2,
    );
    add(
        &mut index,
        Memory {
            id: id("event"),
            memory_type: MemoryType::Episodic,
            ..base()
        },
        0.3,
    );
    add(
        &mut index,
        Memory {
            id: id("agent"),
            agent_id: "other".into(),
            ..base()
        },
        0.4,
    );
    add(
        &mut index,
        Memory {
            id: id("thread"),
            thread_id: "other".into(),
            ..base()
        },
        0.5,
    );
    add(
        &mut index,
        Memory {
            id: id("later"),
            created_at: later,
            ..base()
        },
        0.6,
    );
    add(
        &mut index,
        Memory {
            id: id("weighty"),
            importance: 0.9,
            ..base()
        },
        0.7,
    );
    add(
        &mut index,
        Memory {
            id: id("wish"),
            is_instruction: true,
            ..base()
        },
        0.8,
    );

    let categories = Category::Learning.bit() | Category::Health.bit();
    assert_eq!(
        allowed(
            &index,
            &Filter {
                categories,
                ..Filter::default()
            }
        ),
        ["work"]
    );
    assert_eq!(
        allowed(
            &index,
            &Filter {
                memory_type: Some(MemoryType::Episodic),
                ..Filter::default()
            }
        ),
        ["event"]
    );
    assert_eq!(
        allowed(
            &index,
            &Filter {
                agent_id: Some("other".into()),
                ..Filter::default()
            }
        ),
        ["agent"]
    );
    assert_eq!(
        allowed(
            &index,
            &Filter {
                thread_id: Some("other".into()),
                ..Filter::default()
            }
        ),
        ["thread"]
    );
    assert_eq!(
        allowed(
            &index,
            &Filter {
                created_after: Some(later),
                ..Filter::default()
            }
        ),
        ["later"]
    );
    assert_eq!(
        allowed(
            &index,
            &Filter {
                created_before: Some(now()),
                ..Filter::default()
            }
        )
        .len(),
        7
    );
    let wishes = |is_instruction| Filter {
        is_instruction: Some(is_instruction),
        ..Filter::default()
    };
    assert_eq!(allowed(&index, &wishes(true)), ["wish"]);
    assert_eq!(allowed(&index, &wishes(false)).len(), 7);
    assert_eq!(
        allowed(
            &index,
            &Filter {
                min_importance: Some(0.9),
                ..Filter::default()
            }
        ),
        ["weighty"]
    );
    let both = Filter {
        agent_id: Some("other".into()),
        thread_id: Some("other".into()),
        ..Filter::default()
    };
    assert!(allowed(&index, &both).is_empty());
}

#[test]
fn metadata_matches_by_whole_values_and_numbers_by_worth() {
    let mut index = PersonIndex::new(DIMENSIONS);
    let metadata = Some(object(
        json!({"n": 1, "big": 9_007_199_254_740_993_i64, "tag": "x", "deep": {"a": [1, 2], "b": null}}),
    ));
    add(
        &mut index,
        Memory {
            metadata,
            ..memory("rich", "Likes tea")
        },
        0.1,
    );
    add(&mut index, memory("bare", "Likes tea"), 0.2);
    let finds = |wanted: Value| {
        !allowed(
            &index,
            &Filter {
                metadata: object(wanted),
                ..Filter::default()
            },
        )
        .is_empty()
    };
    assert!(finds(json!({"n": 1.0})));
    assert!(finds(json!({"n": 1, "tag": "x"})));
    assert!(finds(json!({"deep": {"b": null, "a": [1.0, 2]}})));
    for wanted in [
        json!({"n": 2}),
        json!({"n": "1"}),
        json!({"n": true}),
        json!({"absent": null}),
        json!({"deep": {"a": [1, 2]}}),
        json!({"deep": {"a": [1], "b": null}}),
        json!({"tag": "x", "n": 3}),
    ] {
        assert!(!finds(wanted.clone()), "{wanted}");
    }
}

#[test]
fn expired_memories_are_found_by_no_filter() {
    let mut index = PersonIndex::new(DIMENSIONS);
    for (name, seconds) in [("over", 0), ("lasting", 1)] {
        let expires_at = Some(now() + TimeDelta::seconds(seconds));
        let memory = Memory {
            expires_at,
            ..memory(name, "Works at Meta")
        };
        add(&mut index, memory, 0.0);
    }
    let everything = Filter {
        include_superseded: true,
        ..Filter::default()
    };
    assert_eq!(allowed(&index, &everything), ["lasting"]);
    assert_eq!(index.nearest(&[1.0, 0.0, 0.0, 0.0], 5, now()).len(), 1);
}

#[test]
fn superseded_memories_are_hidden_unless_asked_for() {
    let mut index = PersonIndex::new(DIMENSIONS);
    add(&mut index, superseded("old", "Works at Google"), 0.0);
    add(&mut index, memory("new", "Works at Meta"), 0.5);
    assert_eq!(allowed(&index, &Filter::default()), ["new"]);
    assert_eq!(
        allowed(
            &index,
            &Filter {
                include_superseded: true,
                ..Filter::default()
            }
        ),
        ["new", "old"]
    );
    let nearest = index.nearest(&[1.0, 0.0, 0.0, 0.0], 5, now());
    assert_eq!(
        nearest.iter().map(|(memory, _)| memory.id.as_str()).collect::<Vec<_>>(),
        ["new"]
    );
    assert!(index.get(&id("old")).is_some());
}
