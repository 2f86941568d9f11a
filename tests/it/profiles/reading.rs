//! What the answers about a profile hold.

use serde_json::json;

use super::{LIFE, told};
use crate::support::{TestServer, conversation};

#[tokio::test(flavor = "multi_thread")]
async fn a_professional_style_is_a_formal_bio_of_work() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    told(&ada).await;
    let professional = json!({"style": "professional"});
    let changed = ada.patch("/v1/profile/bio", &professional).await.ok();
    let expected = json!({
        "bio": changed["bio"], "format": "professional", "style": "formal", "is_manual": false,
        "word_count": changed["word_count"], "character_count": changed["character_count"],
        "updated_at": changed["updated_at"],
    });
    assert_eq!(changed, expected);
    assert!(changed["bio"].as_str().unwrap().contains("carpenter"), "{changed}");
    let read = ada.get("/v1/profile/bio").await.ok();
    assert_eq!(
        (&read["format"], &read["style"]),
        (&json!("professional"), &json!("formal"))
    );
    let both = json!({"style": "professional", "format": "short"});
    let both = ada.patch("/v1/profile/bio", &both).await.ok();
    assert_eq!((&both["format"], &both["style"]), (&json!("short"), &json!("formal")));
    let once = ada.get("/v1/profile/bio?style=professional").await.ok();
    assert_eq!(
        (&once["format"], &once["style"]),
        (&json!("professional"), &json!("formal"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_names_nobody_who_has_no_name_and_every_list_is_there() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    told(&ada).await;
    let all = "include=bio,categories,insights,stats,traits";
    let own = ada.get(&format!("/v1/profile?{all}&category=finance")).await.ok();
    let names: Vec<&str> = own.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "bio",
        "categories",
        "insights",
        "last_updated",
        "privacy_settings",
        "stats",
        "traits",
    ];
    assert_eq!(names, expected);
    assert_eq!(
        (&own["insights"], &own["traits"], &own["categories"]),
        (&json!([]), &json!([]), &json!({}))
    );
    let mut other = conversation("life", &LIFE);
    other["user_id"] = "nora".into();
    ada.store(&other).await;
    let named = ada.get(&format!("/v1/profile?{all}&user_id=nora")).await.ok();
    assert_eq!(named["user_id"], "nora");
}
