//! Vectors of the model in `MEMSYNC_TEST_MODEL`, which is all-MiniLM-L6-v2; `tests/run-local-embedder` fetches it.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use memsync::config::EmbedderConfig;
use memsync::model::Clock;
use memsync::providers::{Embedder, LocalModel};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{TestServer, conversation, field};

/// Names and contents.
type Files<'a> = &'a [(&'a str, &'a [u8])];

static MODEL: LazyLock<LocalModel> = LazyLock::new(|| LocalModel::load(&model_directory()).unwrap());
/// A model's configuration that says all it must.
const CONFIG: &str = r#"{"model_type": "bert", "vocab_size": 10, "hidden_size": 4, "num_hidden_layers": 1,
    "num_attention_heads": 2, "intermediate_size": 8, "hidden_act": "gelu", "hidden_dropout_prob": 0.1,
    "max_position_embeddings": 16, "type_vocab_size": 2, "initializer_range": 0.02, "layer_norm_eps": 1e-12,
    "pad_token_id": 0}"#;

fn model_directory() -> PathBuf {
    let directory = std::env::var_os("MEMSYNC_TEST_MODEL");
    PathBuf::from(directory.expect("MEMSYNC_TEST_MODEL is not set; tests/run-local-embedder fetches the model"))
}

/// The model with some of its files changed.
fn changed(files: Files<'_>) -> TempDir {
    let place = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(model_directory()).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_file() {
            std::os::unix::fs::symlink(entry.path(), place.path().join(entry.file_name())).unwrap();
        }
    }
    write(place.path(), files);
    place
}

fn write(place: &Path, files: Files<'_>) {
    for (name, bytes) in files {
        let file = place.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        if file.is_symlink() {
            std::fs::remove_file(&file).unwrap();
        }
        std::fs::write(file, bytes).unwrap();
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Waits for what comes of `work`.
fn now<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(work)
}

fn vector(text: &str) -> Vec<f32> {
    now(MODEL.encode_query(text)).unwrap()
}

/// Holds the vectors of a model against those that another implementation computed.
#[track_caller]
fn check_reference(model: &LocalModel, pooling: &str) {
    let reference: Value = serde_json::from_str(include_str!("../../local_embedder/reference.json")).unwrap();
    let mut compared = 0;
    for entry in reference.as_array().unwrap() {
        let Some(expected) = entry[pooling].as_array() else {
            continue;
        };
        let expected: Vec<f32> = expected.iter().map(|x| x.as_f64().unwrap() as f32).collect();
        let repeat = usize::try_from(entry["repeat"].as_u64().unwrap()).unwrap();
        let text = entry["text"].as_str().unwrap().repeat(repeat);
        let actual = now(model.encode_query(&text)).unwrap();
        assert_eq!(actual.len(), expected.len());
        let cosine = dot(&actual, &expected);
        assert!(cosine > 0.9999, "{text}: {cosine}");
        compared += 1;
    }
    assert!(compared >= 2);
}

#[test]
fn vectors_are_those_that_another_implementation_computes() {
    check_reference(&MODEL, "mean");
}

#[test]
fn a_directory_can_ask_for_the_first_tokens_vector() {
    let place = changed(&[("1_Pooling/config.json", br#"{"pooling_mode_cls_token": true}"#)]);
    check_reference(&LocalModel::load(place.path()).unwrap(), "first_token");
}

#[test]
fn the_name_tells_the_directory_and_what_is_in_it() {
    let directory = model_directory().canonicalize().unwrap();
    let name = directory.file_name().unwrap().to_str().unwrap();
    let (shown, hash) = MODEL.model().rsplit_once('@').unwrap();
    assert_eq!(shown, name);
    assert!(
        hash.len() == 12 && hash.bytes().all(|b| b.is_ascii_hexdigit()),
        "{hash}"
    );
    assert_eq!(LocalModel::load(&model_directory()).unwrap().model(), MODEL.model());
    assert_eq!(MODEL.dimensions(), 384);
    // The same weights, read otherwise, are another model.
    let shorter = changed(&[("sentence_bert_config.json", br#"{"max_seq_length": 128}"#)]);
    let shorter = LocalModel::load(shorter.path()).unwrap();
    assert!(!shorter.model().ends_with(hash), "{}", shorter.model());
}

#[test]
fn paraphrases_are_nearer_than_other_sentences() {
    let cases = [
        (
            "I got a new job at a bank",
            "She started working for a financial company",
            "The soup needs more salt",
        ),
        (
            "What does he like to eat?",
            "His favourite food is pizza",
            "The train leaves at nine",
        ),
        (
            "I am allergic to peanuts",
            "Nuts make me ill",
            "He flew to Tokyo last week",
        ),
        (
            "The flight was cancelled because of fog",
            "Bad weather kept the plane on the ground",
            "My cousin sings in a choir",
        ),
    ];
    for (text, near, far) in cases {
        let (text, near, far) = (vector(text), vector(near), vector(far));
        assert!(dot(&text, &near) > dot(&text, &far) + 0.1);
    }
}

#[test]
fn many_texts_at_once_give_what_each_gives_alone() {
    let sentence = "Before the harbour froze, the boats were brought ashore and their sails dried in the loft. ";
    let mut texts: Vec<String> = (0..24).map(|n| sentence.repeat(1 + n * 3 % 10)).collect();
    texts.extend(["", "tea", "🦤", "I like tea", "tea"].map(str::to_owned));
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let together = now(MODEL.encode_documents(&texts)).unwrap();
    assert_eq!(together.len(), texts.len());
    for (text, batched) in texts.iter().zip(&together) {
        for (a, b) in vector(text).iter().zip(batched) {
            assert!((a - b).abs() < 1e-5, "{text}: {a} and {b}");
        }
    }
    assert_eq!(now(MODEL.encode_documents(&texts)).unwrap(), together, "twice the same");
    assert_eq!(now(MODEL.encode_documents(&[])), Ok(Vec::new()));
}

#[test]
fn a_text_in_which_the_model_knows_nothing_gives_zeros() {
    for text in ["", "   \n\t", "\u{0}\u{200b}", "🦤🪿"] {
        assert!(vector(text).iter().all(|&x| x == 0.0), "{text:?}");
    }
}

#[test]
fn hostile_texts_are_embedded_too() {
    let long = [
        "a".repeat(1_000_000),
        "héllo 🐶 wörld ".repeat(60_000),
        " ".repeat(1_000_000),
        "[SEP][CLS][PAD][MASK]".repeat(50_000),
        "e\u{301}".repeat(300_000),
    ];
    let odd = [
        "\u{0}\u{1}\u{1b}[31m hello\u{7f}",
        "nul \u{0} within",
        "👨‍👩‍👧‍👦🏳️‍🌈",
        "\u{202e}abc\u{feff}",
        "漢字かな交じり文",
        "नमस्ते",
    ];
    for text in odd.iter().copied().chain(long.iter().map(String::as_str)) {
        let v = vector(text);
        let length = dot(&v, &v);
        let shown: String = text.chars().take(20).collect();
        assert!(length == 0.0 || (length - 1.0).abs() < 1e-4, "{shown:?}: {length}");
    }
}

#[test]
fn a_text_longer_than_the_models_input_is_read_up_to_there() {
    let known = "The kettle whistles. ".repeat(200);
    let longer = format!("{known}A volcano erupted in Iceland.");
    assert_eq!(vector(&known), vector(&longer));
}

#[test]
fn a_directory_that_gives_no_embedder_is_refused_with_the_reason() {
    let config = ("config.json", CONFIG.as_bytes());
    let dense = br#"[{"idx": 2, "path": "2_Dense", "type": "sentence_transformers.models.Dense"}]"#;
    let cases: [(Files<'_>, &str); 7] = [
        (&[], "config.json can't be read"),
        (&[("config.json", b"{")], "config.json is damaged or of another kind"),
        (
            &[("config.json", br#"{"model_type": "mpnet"}"#)],
            "config.json: model_type must be bert, not mpnet",
        ),
        (
            &[config, ("modules.json", dense)],
            "the module sentence_transformers.models.Dense is not supported",
        ),
        (
            &[
                config,
                ("1_Pooling/config.json", br#"{"pooling_mode_max_tokens": true}"#),
            ],
            r#"must be cls_token or mean_tokens, not ["max_tokens"]"#,
        ),
        (&[config], "tokenizer.json can't be read"),
        (
            &[config, ("tokenizer.json", b"{}")],
            "tokenizer.json is damaged or of another kind",
        ),
    ];
    for (files, expected) in cases {
        let place = tempfile::tempdir().unwrap();
        write(place.path(), files);
        let said = LocalModel::load(place.path()).unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_model_whose_files_do_not_fit_each_other_is_refused() {
    for (file, bytes, expected) in [
        ("config.json", CONFIG, "has tokens beyond the vocab_size"),
        (
            "sentence_bert_config.json",
            r#"{"max_seq_length": 2}"#,
            "max_seq_length must be more than 2",
        ),
        ("model.safetensors", "not weights", "model.safetensors is damaged"),
    ] {
        let place = changed(&[(file, bytes.as_bytes())]);
        let said = LocalModel::load(place.path()).unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
    }
}

#[tokio::test]
async fn a_server_with_a_local_model_stores_and_finds_and_keeps_what_another_model_stored() {
    let server = TestServer::start().await;
    let ada = server.ada().await;
    ada.store(&conversation("thread-1", &["I am allergic to peanuts."]))
        .await;

    let local = |config: &mut memsync::config::Config| config.embedder = EmbedderConfig::Local(model_directory());
    let server = server.restart_with(local, Clock::system()).await;
    let ada = server.ada().await;
    let words = [
        "I play the cello in an orchestra.",
        "My brother repairs old motorcycles.",
    ];
    ada.store(&conversation("thread-2", &words)).await;
    for (query, expected) in [
        ("Which instrument do I practise?", "cello"),
        ("Who fixes vehicles?", "motorcycles"),
        ("Which foods make me ill?", "peanuts"),
    ] {
        for rerank in [false, true] {
            let found = ada.search(&json!({"query": query, "rerank": rerank})).await;
            let texts = field(&found, "memory");
            assert!(texts[0].contains(expected), "{query}: {texts:?}");
        }
    }
}
