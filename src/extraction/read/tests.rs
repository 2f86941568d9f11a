use std::time::Instant;

use super::{MessageKind, Part, read};
use MessageKind::*;

fn encode(_: &str) -> Vec<f32> {
    Vec::new()
}

/// The parts of a message, with their words.
fn parts(text: &str) -> Vec<(MessageKind, &str)> {
    let of_part = |part: Part| (part.kind, &text[part.range]);
    read(text, &encode).into_iter().map(of_part).collect()
}

fn kept(text: &str) -> String {
    let kept = parts(text).into_iter().filter(|(kind, _)| !kind.is_dropped());
    kept.map(|(_, words)| words).collect::<Vec<_>>().join(" | ")
}

#[test]
fn a_quoted_line_is_nobodys_fact() {
    let text = "> we sold the barn\n\nI rent a room in Graz.";
    assert_eq!(
        parts(text),
        [(Quoted, "> we sold the barn"), (Telling, "I rent a room in Graz.")]
    );
}

#[test]
fn several_sentences_that_somebody_said_are_theirs() {
    assert_eq!(
        parts("My aunt told us: I'm leaving Oslo. I found a flat."),
        [
            (Telling, "My aunt told us:"),
            (Quoted, "I'm leaving Oslo. I found a flat.")
        ]
    );
    assert_eq!(
        parts("He wrote: \"I have the flu. I stay in bed.\""),
        [(Telling, "He wrote:"), (Quoted, "\"I have the flu. I stay in bed.\"")]
    );
}

#[test]
fn one_short_sentence_that_somebody_said_stays_with_its_speaker() {
    assert_eq!(
        kept("My uncle told me \"you are brave\" on Monday."),
        "My uncle told me \"you are brave\" on Monday."
    );
}

#[test]
fn a_mail_with_its_headers_is_quoted_to_its_signature() {
    let text = "From: Marek\nSubject: Leave\n\nHi team,\nI am getting married in June.\nMarek";
    assert_eq!(parts(text), [(Quoted, text)]);
}

#[test]
fn a_story_that_is_asked_for_is_fiction() {
    for text in [
        "Write a story where I own a lighthouse and have six cats.",
        "Pretend you are my landlord. I owe you two months.",
        "Let's say I'm divorced and have a son.",
        "In the game I'm a blacksmith and I live by the lake.",
        "You are talking to a user who is a dentist from Turin.",
    ] {
        assert_eq!(parts(text), [(Fiction, text)]);
    }
}

#[test]
fn imagining_a_surprise_is_no_fiction() {
    let text = "Imagine my joy when the letter came. I got the job in Lyon.";
    assert_eq!(kept(text), text);
}

#[test]
fn the_object_of_a_request_is_parted_from_it() {
    assert_eq!(
        parts("Correct this sentence: I has a sister in Minsk."),
        [
            (Request, "Correct this sentence:"),
            (Transform, "I has a sister in Minsk.")
        ]
    );
    assert_eq!(
        parts("Translate to Italian: I have worked in a bakery for years"),
        [
            (Request, "Translate to Italian:"),
            (Transform, "I have worked in a bakery for years")
        ]
    );
    let text = "Translate this: \"I am a baker\". I moved to Rome.";
    let read = parts(text);
    assert_eq!(
        read[..2],
        [(Request, "Translate this:"), (Transform, "\"I am a baker\".")]
    );
    assert_eq!(read[2].1, "I moved to Rome.");
    assert!(!read[2].0.is_dropped());
}

#[test]
fn the_words_of_a_phrase_to_say_are_not_the_users() {
    let object: Vec<_> = parts("How do I say \"I am allergic to fish\" in Greek?")
        .into_iter()
        .filter(|part| part.0 == Transform)
        .collect();
    assert_eq!(object, [(Transform, "\"I am allergic to fish\"")]);
}

#[test]
fn a_text_above_its_request_is_its_object() {
    let text = "I were at the school since 2010.\nI teaches maths.\n\nCan you fix the grammar?";
    assert_eq!(
        parts(text),
        [
            (Transform, "I were at the school since 2010.\nI teaches maths."),
            (Request, "Can you fix the grammar?")
        ]
    );
}

#[test]
fn what_machines_write_is_code() {
    for text in [
        "{\"owner\": \"Lena\", \"town\": \"Trier\"}",
        "2025-01-09 08:00:01 INFO boot done\n2025-01-09 08:00:02 ERROR my disk failed",
        "commit 9ab31\nAuthor: Kim\n\n    I moved my parser",
        "```\nlet me = \"a nurse\";\n```",
        "Traceback (most recent call last):\n  File \"b.py\", line 3\nKeyError: 'my_town'",
    ] {
        assert_eq!(parts(text), [(Code, text)]);
    }
}

#[test]
fn memory_made_for_a_model_is_not_told_again() {
    assert_eq!(
        parts("<memory>User is from Cork. User likes jazz.</memory> Where can I hear some?")[0],
        (Memory, "<memory>User is from Cork. User likes jazz.</memory>")
    );
    let text = "Context from previous conversations:\nUser is a vet.\n---\nI bought a boat.";
    assert_eq!(
        parts(text),
        [
            (Memory, "Context from previous conversations:\nUser is a vet.\n---"),
            (Telling, "I bought a boat.")
        ]
    );
    assert_eq!(
        parts("[System: the user likes short answers]"),
        [(Memory, "[System: the user likes short answers]")]
    );
}

#[test]
fn a_wish_to_forget_holds_for_the_whole_message() {
    for text in [
        "Don't save this, but I lost my job.",
        "I failed the exam. Off the record, please.",
        "Forget my phone number.",
        "Stop remembering my meals.",
        "Do not remember my rent, it's 900.",
        "This must not be stored: I am ill.",
    ] {
        assert_eq!(parts(text), [(Forget, text)]);
    }
}

#[test]
fn forgetting_of_ones_own_is_telling() {
    for text in [
        "I forgot my umbrella in Basel.",
        "I don't remember my grandfather, he died young.",
    ] {
        assert_eq!(kept(text), text);
    }
}

#[test]
fn prefixes_of_a_channel_and_marks_of_a_device_belong_to_no_part() {
    for (text, said) in [
        ("[09:15] Ivo: I sold my car today.", "I sold my car today."),
        ("2026-05-02 09:15 Ivo: I sold my car today.", "I sold my car today."),
        ("<@U77> I am a vegan cook", "I am a vegan cook"),
        ("/remember I am a vegan cook", "I am a vegan cook"),
        ("ok google, my name is Ilse", "my name is Ilse"),
        ("PS: I play the oboe", "I play the oboe"),
        ("I live in Ghent now.\n\nSent from my iPhone", "I live in Ghent now."),
    ] {
        assert_eq!(kept(text), said);
    }
}

#[test]
fn somebody_who_tells_and_asks_is_not_lost() {
    for text in [
        "I'm 41 and live in Gdansk with two sons. Which bike should I buy?",
        "I work as an editor and I translate novels. My wife teaches.",
        "Please correct me when I make mistakes in Dutch, I'm learning it.",
    ] {
        assert_eq!(kept(text), text);
    }
}

#[test]
fn parts_are_in_order_and_a_long_message_takes_linear_time() {
    let pieces = [
        "I am. ",
        "\"",
        "{\"a\":",
        "[",
        "<memory>",
        "> x\n",
        "said: ",
        "\n\n",
        "é’“",
        "Translate this: ",
        "*sighs* ",
        "$ ls\n",
        "10:02 A: b\n",
        "From: a\n",
    ];
    for piece in pieces {
        let text = piece.repeat(100_000 / piece.len());
        let started = Instant::now();
        let parts = read(&text, &encode);
        assert!(parts.is_sorted_by(|a, b| a.range.end <= b.range.start), "{piece:?}");
        assert!(
            started.elapsed().as_secs() < 5,
            "{piece:?} took {:?}",
            started.elapsed()
        );
    }
}
