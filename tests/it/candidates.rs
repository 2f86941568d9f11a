//! People whose memories outgrow an instance are searched in PostgreSQL, with the same answers; nothing private and nothing
//! deleted is among what it searches.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{BOUND, Process, Rest, eventually, memsync};
use crate::support::{Postgres, conversation, field};

/// More than this is too much for memory, in these tests.
const MAX: &str = "20";

const SAID: [&str; 30] = [
    "I work as a marine biologist in Bergen.",
    "My sister Ingrid plays the cello.",
    "I am allergic to peanuts.",
    "We adopted a greyhound called Biscuit.",
    "I drive an old yellow Volvo.",
    "I am learning Portuguese with a tutor.",
    "My favourite author is Ursula Le Guin.",
    "I ran my first marathon last October.",
    "My brother Tomas owns a bakery.",
    "I collect antique maps of Scandinavia.",
    "I play chess every Thursday evening.",
    "My grandmother grew up in Trieste.",
    "I prefer tea to coffee.",
    "We are renovating a farmhouse.",
    "I studied oceanography at Southampton.",
    "My daughter Freya started kindergarten.",
    "I volunteer at the seal sanctuary.",
    "I want to sail around Svalbard.",
    "My boss is called Henrik.",
    "I hate horror films.",
    "I broke my wrist while climbing.",
    "My husband Pedro teaches mathematics.",
    "I bake sourdough bread on Sundays.",
    "I keep bees on the roof.",
    "My best friend Aiko moved to Osaka.",
    "I swim in the fjord every morning.",
    "I photograph northern lights in winter.",
    "I subscribe to a magazine about whales.",
    "My neighbour Olav repairs clocks.",
    "I was born in Porto.",
];
const SECRET: &str = "My password for the harbour office is Kingfisher-4711.";
const QUESTIONS: [&str; 6] = [
    "Where does the user work?",
    "What pets do they have?",
    "Who plays an instrument?",
    "What did she study?",
    "Which sports does the user do?",
    "What is the password for the harbour office?",
];

/// A server that holds few memories of a person, over a PostgreSQL with pgvector.
struct Place {
    server: Process,
    rest: Rest,
    settings: Vec<(&'static str, String)>,
    postgres: Postgres,
    _data: TempDir,
}

impl Place {
    fn start(max: &'static str) -> Self {
        let postgres = Postgres::start_with_vectors();
        let settings = vec![
            ("MEMSYNC_DATABASE__URL", postgres.url()),
            ("MEMSYNC_INDEX__MAX_MEMORIES_PER_PERSON", max.to_owned()),
            ("MEMSYNC_ENCRYPTION__MASTER_KEY", format!("{}=", "A".repeat(43))),
            (
                "MEMSYNC_AUTH__JWT_SECRET",
                "a secret of all instances, long enough".to_owned(),
            ),
        ];
        let data = tempfile::tempdir().unwrap();
        let server = Process::start_with(data.path(), &borrowed(&settings));
        let rest = Rest::new(server.url(), &server.first_key());
        Self {
            server,
            rest,
            settings,
            postgres,
            _data: data,
        }
    }

    async fn store(&self, thread: &str, said: &[&str]) {
        let (status, body) = self
            .rest
            .post("/v1/memories", &conversation(thread, said))
            .await
            .unwrap();
        assert_eq!(status, 200, "{body}");
    }

    /// Waits until the database finds candidates of everybody who needs that.
    async fn is_built(&self) {
        let wanted = "SELECT count(*) FILTER (WHERE candidates_since IS NULL) FROM persons \
                      WHERE candidate_model IS NOT NULL HAVING count(*) > 0";
        eventually("candidates", BOUND, async || {
            (self.postgres.sql(wanted).trim() == "0").then_some(())
        })
        .await;
    }

    fn count(&self, what: &str) -> u64 {
        let count = self.postgres.sql(&format!("SELECT count(*) FROM {what}"));
        count.trim().parse().unwrap()
    }

    /// Checks that exactly the memories that are not private have candidates; how many that are.
    #[track_caller]
    fn candidates(&self) -> u64 {
        let without = "memories m LEFT JOIN candidates_256 c ON c.account_id = m.account_id AND c.memory_id = m.id \
                       WHERE (c.memory_id IS NULL) <> (m.sealed IS NOT NULL)";
        assert_eq!(self.count(without), 0);
        self.count("candidates_256")
    }
}

fn borrowed<'a>(settings: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    settings.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

async fn search(rest: &Rest, search: &Value) -> Vec<Value> {
    let (status, body) = rest.post("/v1/memories/search", search).await.unwrap();
    assert_eq!(status, 200, "{body}");
    body["memories"].as_array().unwrap().clone()
}

fn ids(memories: &[Value]) -> Vec<String> {
    field(memories, "id").into_iter().map(str::to_owned).collect()
}

async fn answers(rest: &Rest) -> Vec<Vec<String>> {
    let mut answers = Vec::new();
    for question in QUESTIONS {
        for rerank in [true, false] {
            let asked = json!({"query": question, "limit": 5, "rerank": rerank});
            answers.push(ids(&search(rest, &asked).await));
        }
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_who_outgrows_memory_gets_the_same_answers_from_the_database() {
    let place = Place::start(MAX);
    place.store("t", &SAID).await;
    place.store("t", &[SECRET]).await;
    // Answered from memory: this search is what finds that there are too many.
    let before = answers(&place.rest).await;
    place.is_built().await;
    assert_eq!(
        place.candidates() + 1,
        place.count("memories"),
        "the private one has none"
    );
    assert_eq!(answers(&place.rest).await, before);

    // Another instance has nothing in memory to answer from but the newest.
    let data = tempfile::tempdir().unwrap();
    let other = Process::start_with(data.path(), &borrowed(&place.settings));
    let other = Rest::new(other.url(), place.rest.key());
    assert_eq!(answers(&other).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lacks_a_vector_is_found_all_the_same() {
    let place = Place::start("0");
    place.store("t", &SAID).await;
    place.store("t", &[SECRET]).await;
    let before = answers(&place.rest).await;
    assert!(before.iter().all(|found| found.len() == 5), "{before:?}");
    place.postgres.sql("DELETE FROM embeddings");
    assert_eq!(answers(&place.rest).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_shows_in_the_next_search_of_every_instance() {
    let place = Place::start("0");
    let data = tempfile::tempdir().unwrap();
    let other = Process::start_with(data.path(), &borrowed(&place.settings));
    let other = Rest::new(other.url(), place.rest.key());
    place.store("t", &SAID).await;
    let asked = json!({"query": "Who plays an instrument?", "limit": 1, "rerank": true});
    let found = search(&other, &asked).await.remove(0);
    assert!(found["memory"].as_str().unwrap().contains("cello"), "{found}");
    let id = found["id"].as_str().unwrap().to_owned();

    let path = format!("/v1/memories/{id}");
    let patch = reqwest::Client::new().patch(format!("{}{path}", place.server.url()));
    let patch = patch.header("x-api-key", place.rest.key());
    let changed = patch.json(&json!({"content": "Ingrid conducts a choir in Hamar."}));
    assert_eq!(changed.send().await.unwrap().status(), 200);
    let asked = json!({"query": "Who conducts a choir?", "limit": 1, "rerank": true});
    assert_eq!(search(&other, &asked).await[0]["id"], id.as_str());
    let count = place.candidates();

    // What was said again is not stored again, also where only the database knows what was said.
    place.store("u", &["I am allergic to peanuts."]).await;
    assert_eq!(place.candidates(), count);

    assert_eq!(place.rest.delete(&path).await.unwrap().0, 200);
    assert_eq!(place.candidates(), count - 1);
    let found = ids(&search(&other, &asked).await);
    assert!(!found.contains(&id), "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_hold_for_candidates_as_for_memories_in_memory() {
    let place = Place::start(MAX);
    place.store("first", &SAID[..15]).await;
    place.store("second", &SAID[15..]).await;
    let filters = [
        json!({"thread_id": "second"}),
        json!({"type": "semantic"}),
        json!({"instruction": true}),
        json!({"categories": ["relationships", "health"]}),
        json!({"min_importance": 0.5}),
        json!({"agent_id": "nobody"}),
        json!({"created_before": "2020-01-01T00:00:00Z"}),
    ];
    let ask = async || {
        let mut found = Vec::new();
        for filter in &filters {
            let mut asked = json!({"query": "What does the family do?", "limit": 8, "rerank": true});
            asked
                .as_object_mut()
                .unwrap()
                .extend(filter.as_object().unwrap().clone());
            found.push(ids(&search(&place.rest, &asked).await));
        }
        found
    };
    let before = ask().await;
    place.is_built().await;
    assert_eq!(ask().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erasing_a_person_erases_their_candidates() {
    let place = Place::start("0");
    let mut said = conversation("t", &SAID);
    said["user_id"] = json!("ada");
    assert_eq!(place.rest.post("/v1/memories", &said).await.unwrap().0, 200);
    assert_ne!(place.candidates(), 0);
    let (status, body) = place.rest.delete("/v1/users/ada/data").await.unwrap();
    assert_eq!(status, 200, "{body}");
    assert_eq!(place.candidates(), 0);
}

/// How many of the best ten that stand in the database the engine finds, as `memsync eval recall` counts.
#[test]
fn recall_through_the_database_is_that_in_memory() {
    let postgres = Postgres::start_with_vectors();
    let data = tempfile::tempdir().unwrap();
    let recall = |database: &[&str], max: &str| {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/quality/conversations.json");
        let arguments = [&["eval", "recall", "--json", "--data", file], database].concat();
        let settings = [("MEMSYNC_INDEX__MAX_MEMORIES_PER_PERSON", max)];
        let report = memsync(data.path(), &settings, &arguments).expect_success("eval");
        let report: Value = serde_json::from_str(&report.stdout).unwrap();
        report["figures"].as_array().unwrap().last().unwrap()["recall"][1]
            .as_f64()
            .unwrap()
    };
    let in_memory = recall(&[], "200000");
    let in_database = recall(&["--database-url", &postgres.url()], "0");
    assert!(
        (in_memory - in_database).abs() <= 0.02,
        "{in_memory:.3} in memory, {in_database:.3} in the database"
    );
    assert_ne!(postgres.sql("SELECT count(*) FROM candidates_256").trim(), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_extension_everybody_is_searched_in_memory() {
    let postgres = Postgres::start();
    let url = postgres.url();
    let settings = [
        ("MEMSYNC_DATABASE__URL", url.as_str()),
        ("MEMSYNC_INDEX__MAX_MEMORIES_PER_PERSON", "0"),
    ];
    let data = tempfile::tempdir().unwrap();
    let server = Process::start_with(data.path(), &settings);
    server.wait_for_log("can't find candidates");
    let rest = Rest::new(server.url(), &server.first_key());
    let stored = rest.post("/v1/memories", &conversation("t", &SAID)).await.unwrap();
    assert_eq!(stored.0, 200);
    let asked = json!({"query": QUESTIONS[0], "limit": 1, "rerank": true});
    let found = search(&rest, &asked).await;
    assert!(found[0]["memory"].as_str().unwrap().contains("biologist"), "{found:?}");
}
