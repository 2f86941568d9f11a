//! Profiles as a user meets them.

mod reading;
mod replacing;

use serde_json::{Value, json};

use crate::process::{BOUND, eventually};
use crate::support::{Hand, Rest, TestServer, conversation};

const LIFE: [&str; 8] = [
    "My name is Nora Lind and I live in Bergen.",
    "I work as a carpenter at Fjord Boats.",
    "I love rowing on the fjord.",
    "My sister Anna lives in Oslo.",
    "I want to build a wooden boat of my own.",
    "I am learning Finnish.",
    "I play the cello in a string quartet.",
    "My password is sesame-77-orchard.",
];

async fn told(ada: &Rest) -> Vec<Value> {
    let stored = ada.store(&conversation("life", &LIFE)).await;
    stored["memories"].as_array().unwrap().clone()
}

async fn bio(ada: &Rest) -> String {
    let answer = ada.get("/v1/profile/bio").await.ok();
    answer["bio"].as_str().unwrap().to_owned()
}

async fn reasons(ada: &Rest) -> Vec<String> {
    let history = ada.get("/v1/profile/history").await.ok();
    let snapshots = history["snapshots"].as_array().unwrap();
    snapshots
        .iter()
        .map(|s| s["reason"].as_str().unwrap().to_owned())
        .collect()
}

fn id_of(memories: &[Value], word: &str) -> String {
    let memory = memories.iter().find(|m| m["memory"].as_str().unwrap().contains(word));
    memory.unwrap()["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bio_needs_five_memories_in_two_categories_and_says_so_until_then() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    ada.store(&conversation("t", &["I live in Bergen.", "I work as a carpenter."]))
        .await;
    let missing = ada.get("/v1/profile/bio").await.failure(404, "BIO_NOT_FOUND");
    assert_eq!(missing["current_memory_count"], 2);
    assert!(missing["suggestion"].as_str().unwrap().contains("at least 5 memories"));
    let missing = ada.get("/v1/profile").await.failure(404, "PROFILE_NOT_FOUND");
    assert_eq!(missing["current_memory_count"], 2);
    ada.get("/v1/users/profile").await.failure(404, "PROFILE_NOT_FOUND");
    ada.get("/v1/users/bio").await.failure(404, "BIO_NOT_FOUND");
    let found = ada.post("/v1/memories/search", &json!({"query": "work"})).await.ok();
    assert!(found.get("user_bio").is_none(), "{found}");
    let formats = ada
        .get("/v1/profile/bio?format=haiku")
        .await
        .failure(400, "INVALID_FORMAT");
    assert_eq!(
        formats["valid_formats"],
        json!(["full", "short", "bullets", "professional"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_says_what_the_memories_say_and_names_them() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    let memories = told(&ada).await;
    let shown = ada.get("/v1/profile/bio?include=sources").await.ok();
    let text = shown["bio"].as_str().unwrap();
    for words in [
        "Nora Lind",
        "carpenter at Fjord Boats",
        "rowing",
        "Anna lives in Oslo",
        "a wooden boat",
        "Finnish",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
    assert!(!text.contains("sesame"), "{text}");
    assert_eq!(
        (
            shown["format"].as_str(),
            shown["style"].as_str(),
            shown["is_manual"].as_bool()
        ),
        (Some("full"), Some("narrative"), Some(false))
    );
    let sentences = shown["sources"].as_array().unwrap();
    let joined: Vec<&str> = sentences.iter().map(|s| s["text"].as_str().unwrap()).collect();
    assert_eq!(joined.join(" "), text);
    let work = sentences
        .iter()
        .find(|s| s["text"].as_str().unwrap().contains("carpenter"))
        .unwrap();
    assert!(
        work["memory_ids"]
            .as_array()
            .unwrap()
            .contains(&id_of(&memories, "carpenter").into())
    );

    let profile = ada
        .get("/v1/profile?include=bio,categories,insights,stats,traits")
        .await
        .ok();
    assert_eq!(profile["bio"]["summary"], text);
    assert_eq!(profile["stats"]["total_memories"], memories.len());
    assert_eq!(profile["categories"]["career"]["title"], "carpenter");
    assert!(profile["categories"].get("private").is_none());
    assert!(!profile.to_string().contains("sesame"), "{profile}");
    let compact = ada.get("/v1/users/profile").await.ok();
    assert_eq!(compact["user_bio"], text);
    assert!(compact["profiles"]["career"].as_str().unwrap().contains("Fjord Boats"));
    let likes = &compact["insights"]["interests"]["insights"]["likes"];
    assert!(likes.to_string().contains("rowing"), "{compact}");
    for (format, style) in [("short", "factual"), ("bullets", "casual"), ("professional", "formal")] {
        let other = ada
            .get(&format!("/v1/profile/bio?format={format}&style={style}"))
            .await
            .ok();
        assert_eq!(
            (other["format"].as_str(), other["style"].as_str()),
            (Some(format), Some(style))
        );
        assert_eq!(other["character_count"], other["bio"].as_str().unwrap().chars().count());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bio_is_written_in_the_background_and_comes_with_searches() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    told(&ada).await;
    let search = json!({"query": "What does she do?"});
    let with_bio = async || {
        let found = ada.post("/v1/memories/search", &search).await.ok();
        found["user_bio"].as_str().map(str::to_owned)
    };
    let first = eventually("a bio", BOUND, with_bio).await;
    assert!(first.contains("Fjord Boats"), "{first}");
    let without = json!({"query": "What does she do?", "include_bio": false});
    assert!(
        ada.post("/v1/memories/search", &without)
            .await
            .ok()
            .get("user_bio")
            .is_none()
    );
    let key = server.create_key("ada@example.com", &["memories:read"]).await;
    let blind = server.rest(&key.secret).post("/v1/memories/search", &search).await.ok();
    assert!(blind.get("user_bio").is_none(), "profile:read is needed: {blind}");

    let places = [
        "Rome", "Lima", "Oslo", "Cork", "Graz", "Turin", "Quito", "Perth", "Dakar", "Basel", "Porto", "Kyoto",
    ];
    let trips: Vec<String> = places
        .iter()
        .map(|place| format!("I lived in {place} as a student of engineering."))
        .collect();
    ada.store(&conversation(
        "more",
        &trips.iter().map(String::as_str).collect::<Vec<_>>(),
    ))
    .await;
    let again = eventually("another bio", BOUND, async || {
        with_bio().await.filter(|bio| *bio != first)
    })
    .await;
    assert!(again.contains("student"), "{again}");
    assert_eq!(reasons(&ada).await, ["memories", "first"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_changed_or_superseded_leaves_the_bio_at_once_and_deleted_things_its_history_too() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    let memories = told(&ada).await;
    assert!(bio(&ada).await.contains("cello"));
    let cello = id_of(&memories, "cello");
    let deleted = ada
        .delete(&format!("/v1/memories/{cello}?cascade=true&backup=false"))
        .await
        .ok();
    // The bio and its snapshot.
    assert_eq!(deleted["cascade_deletions"]["profile_updates"], 2);
    assert!(!bio(&ada).await.contains("cello"));
    let history = ada.get("/v1/profile/history").await.ok();
    assert!(!history.to_string().contains("cello"), "{history}");
    assert_eq!(server.traces_of("cello"), 0, "not in the database's files either");

    ada.store(&conversation("later", &["I joined Harbour Yachts as a carpenter."]))
        .await;
    let now = bio(&ada).await;
    assert!(now.contains("Harbour Yachts") && !now.contains("Fjord Boats"), "{now}");
    let sister = id_of(&memories, "Anna");
    ada.patch(&format!("/v1/memories/{sister}"), &json!({"category": "private"}))
        .await
        .ok();
    assert!(!bio(&ada).await.contains("Anna"));
    let history = ada.get("/v1/profile/history").await.ok();
    assert!(!history.to_string().contains("Anna"), "{history}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_excluded_category_leaves_the_bio_at_once_and_a_bio_by_hand_stays() {
    let hand = Hand::new();
    let server = TestServer::start_with(|_| {}, hand.clock()).await;
    let ada = server.ada().await;
    told(&ada).await;
    assert!(bio(&ada).await.contains("Fjord Boats"));
    let without = ada
        .patch("/v1/profile/bio", &json!({"exclude_categories": ["career"]}))
        .await
        .ok();
    assert!(!without["bio"].as_str().unwrap().contains("Fjord"), "{without}");
    let found = ada.post("/v1/memories/search", &json!({"query": "boats"})).await.ok();
    assert!(!found["user_bio"].as_str().unwrap().contains("Fjord"), "{found}");

    let by_hand = ada
        .patch("/v1/profile/bio", &json!({"bio": "Nora builds boats."}))
        .await
        .ok();
    assert_eq!(
        (by_hand["bio"].as_str(), by_hand["is_manual"].as_bool()),
        (Some("Nora builds boats."), Some(true))
    );
    hand.forward(60 * 86_400);
    assert_eq!(bio(&ada).await, "Nora builds boats.");
    let shown = ada.get("/v1/profile/bio?refresh=true").await.ok();
    assert_eq!(shown["bio"], "Nora builds boats.");
    let too_long = ada
        .patch("/v1/profile/bio", &json!({"bio": "é".repeat(501)}))
        .await
        .failure(400, "BIO_TOO_LONG");
    assert_eq!(
        (too_long["length"].as_i64(), too_long["max_length"].as_i64()),
        (Some(501), Some(500))
    );
    ada.patch("/v1/profile/bio", &json!({"bio": "é".repeat(500)}))
        .await
        .ok();
    let written = ada.patch("/v1/profile/bio", &json!({"regenerate": true})).await.ok();
    assert_eq!(written["is_manual"], false);
    assert!(written["bio"].as_str().unwrap().contains("rowing"), "{written}");
    let set = ada
        .call("PUT", "/v1/users/bio", &json!({"user_bio": "Sails."}))
        .await
        .ok();
    assert_eq!(set["user_bio"], "Sails.");
    assert_eq!(ada.get("/v1/users/bio").await.ok(), json!({"user_bio": "Sails."}));
    assert_eq!(
        reasons(&ada).await,
        ["manual", "settings", "manual", "manual", "settings", "first"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bio_is_written_anew_after_a_week_and_on_request_once_in_ten_minutes() {
    let hand = Hand::new();
    let server = TestServer::start_with(|_| {}, hand.clock()).await;
    let ada = server.ada().await;
    told(&ada).await;
    let first = ada.get("/v1/profile/bio?refresh=true").await.ok();
    let limited = ada.get("/v1/profile?refresh=true").await;
    let details = limited.failure(429, "RATE_LIMIT_EXCEEDED");
    assert_eq!(
        (details["limit"].as_i64(), limited.header("retry-after")),
        (Some(1), Some("600"))
    );
    hand.forward(599);
    ada.get("/v1/profile/bio?refresh=true")
        .await
        .failure(429, "RATE_LIMIT_EXCEEDED");
    hand.forward(1);
    let second = ada.get("/v1/profile/bio?refresh=true").await.ok();
    assert!(second["generated_at"].as_str() > first["generated_at"].as_str());
    assert_eq!(reasons(&ada).await.len(), 1, "the same words are no other bio");
    hand.forward(7 * 86_400);
    let stale = ada.get("/v1/profile/bio").await.ok();
    assert!(stale["generated_at"].as_str() > second["generated_at"].as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_public_is_for_those_who_may_change_it_only() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    told(&ada).await;
    bio(&ada).await;
    let key = server
        .create_key("ada@example.com", &["memories:read", "profile:read"])
        .await;
    let reader = server.rest(&key.secret);
    reader.get("/v1/profile/bio").await.ok();
    reader
        .patch("/v1/profile/privacy", &json!({"bio_public": false}))
        .await
        .failure(403, "PERMISSION_DENIED");
    let closed = json!({"bio_public": false, "categories_public": false, "insights_enabled": false, "trait_analysis_enabled": false});
    assert_eq!(ada.patch("/v1/profile/privacy", &closed).await.ok(), closed);
    reader.get("/v1/profile/bio").await.failure(404, "BIO_NOT_FOUND");
    reader.get("/v1/users/bio").await.failure(404, "BIO_NOT_FOUND");
    let found = reader
        .post("/v1/memories/search", &json!({"query": "boats"}))
        .await
        .ok();
    assert!(found.get("user_bio").is_none(), "{found}");
    let everything = "/v1/profile?include=bio,categories,insights,stats,traits";
    let seen = reader.get(everything).await.ok();
    assert!(
        seen.get("bio").is_none() && seen["categories"] == json!({}) && seen["insights"] == json!([]),
        "{seen}"
    );
    let own = ada.get(everything).await.ok();
    assert!(
        own["bio"]["summary"].as_str().is_some() && own["categories"]["career"].is_object(),
        "{own}"
    );
    assert!(
        own["insights"] == json!([]) && own["traits"] == json!([]),
        "off is off for everyone: {own}"
    );
    assert_eq!(
        ada.get("/v1/users/profile").await.ok(),
        json!({"user_bio": "", "profiles": {}, "insights": {}})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn erasing_a_person_erases_the_bio_and_counts_it() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    let mut life = conversation("life", &LIFE);
    life["user_id"] = "nora".into();
    ada.store(&life).await;
    ada.get("/v1/profile/bio?user_id=nora").await.ok();
    ada.get("/v1/profile/bio").await.failure(404, "BIO_NOT_FOUND");
    let erased = ada.delete("/v1/users/nora/data").await.ok();
    assert_eq!(erased["erased"]["profiles"], 1);
    ada.get("/v1/profile/bio?user_id=nora")
        .await
        .failure(404, "BIO_NOT_FOUND");
    assert_eq!(
        ada.get("/v1/profile/history?user_id=nora").await.ok(),
        json!({"snapshots": []})
    );
    assert_eq!(server.traces_of("Fjord Boats"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_the_profile_of_somebody_elses_person() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    let mut life = conversation("life", &LIFE);
    life["user_id"] = "nora".into();
    ada.store(&life).await;
    ada.get("/v1/profile/bio?user_id=nora").await.ok();
    let scopes = ["memories:read", "memories:write", "profile:read", "profile:write"];
    let mallory = server.rest(&server.create_key("mallory@example.com", &scopes).await.secret);
    for path in ["profile/bio", "users/bio"] {
        let path = format!("/v1/{path}?user_id=nora");
        let missing = mallory.get(&path).await.failure(404, "BIO_NOT_FOUND");
        assert_eq!(missing["current_memory_count"], 0, "{path}");
    }
    mallory
        .get("/v1/profile?user_id=nora")
        .await
        .failure(404, "PROFILE_NOT_FOUND");
    mallory
        .get("/v1/users/profile?user_id=nora")
        .await
        .failure(404, "PROFILE_NOT_FOUND");
    let history = mallory.get("/v1/profile/history?user_id=nora").await.ok();
    assert_eq!(history, json!({"snapshots": []}));
    mallory
        .patch("/v1/profile/bio", &json!({"bio": "Mine.", "user_id": "nora"}))
        .await
        .ok();
    let hers = ada.get("/v1/profile/bio?user_id=nora").await.ok();
    assert!(hers["bio"].as_str().unwrap().contains("Fjord Boats"), "{hers}");
    let bound = server.rest(&server.key_bound_to("ada@example.com", "someone").await.secret);
    bound
        .get("/v1/profile?user_id=nora")
        .await
        .failure(403, "PERMISSION_DENIED");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expires_is_in_no_bio_any_more_at_that_moment() {
    let hand = Hand::new();
    let server = TestServer::start_with(|_| {}, hand.clock()).await;
    let ada = server.ada().await;
    let mut passing = conversation("passing", &["I am the treasurer of the Viking Rowing Club in Bergen."]);
    passing["expires_at"] = "2027-01-15T09:00:00Z".into();
    ada.store(&passing).await;
    ada.store(&conversation("life", &LIFE)).await;
    let search = json!({"query": "boats"});
    let of_search = async || ada.post("/v1/memories/search", &search).await.ok()["user_bio"].to_string();
    assert!(bio(&ada).await.contains("Viking"), "{}", bio(&ada).await);
    assert!(of_search().await.contains("Viking"));
    hand.forward(3600);
    assert!(!of_search().await.contains("Viking"));
    assert!(!bio(&ada).await.contains("Viking"));
    let profile = ada
        .get("/v1/profile?include=bio,categories,insights,stats,traits")
        .await
        .ok();
    assert!(!profile.to_string().contains("Viking"), "{profile}");
}
