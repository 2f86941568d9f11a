//! The guarantees of the whole room, on conversations of our own.

use chrono::{TimeZone, Utc};

use super::{CandidateFact, Turn, extract};
use crate::model::{Category, MemoryType, Role};
use crate::providers::StaticTable;

/// A conversation sent on Monday 8 May 2023: (role, name, words).
pub(super) fn told(turns: &[(Role, Option<&str>, &str)]) -> Vec<CandidateFact> {
    let sent_at = Utc.with_ymd_and_hms(2023, 5, 8, 13, 56, 0).unwrap().fixed_offset();
    let turns: Vec<Turn<'_>> = turns
        .iter()
        .map(|(role, name, content)| Turn {
            role: *role,
            name: *name,
            content,
            sent_at,
        })
        .collect();
    let found = extract(&turns, &|text| StaticTable::built_in().encode(text)).facts;
    for candidate in &found {
        assert!(
            !candidate.text.trim().is_empty() && !candidate.quotes.is_empty(),
            "{candidate:?}"
        );
        assert!((1..=3).contains(&candidate.categories.len()), "{candidate:?}");
        assert!((0.0..=1.0).contains(&candidate.importance), "{candidate:?}");
        assert!(
            candidate.context.as_ref().is_none_or(|c| c.chars().count() <= 300),
            "{candidate:?}"
        );
        for quote in &candidate.quotes {
            assert!(turns[quote.turn].content.contains(&quote.text), "{candidate:?}");
        }
    }
    found
}

fn user(text: &str) -> Vec<CandidateFact> {
    told(&[(Role::User, None, text)])
}

fn texts(found: &[CandidateFact]) -> Vec<&str> {
    found.iter().map(|c| c.text.as_str()).collect()
}

fn one(text: &str) -> String {
    let found = user(text);
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].text.clone()
}

#[test]
fn a_promotion_told_in_two_messages_makes_four_career_memories() {
    let found = told(&[
        (
            Role::User,
            None,
            "I just got promoted to Senior Software Engineer at Google! I'll be working on their ML infrastructure team.",
        ),
        (
            Role::Assistant,
            None,
            "Congratulations on your promotion! That's a big step. What will you be doing?",
        ),
        (
            Role::User,
            None,
            "Thanks! I'm really excited. I'll be leading a team of 5 engineers and working on scaling their recommendation systems.",
        ),
    ]);
    assert_eq!(
        texts(&found),
        [
            "User just got promoted to Senior Software Engineer at Google.",
            "User will be working on Google's ML infrastructure team.",
            "User will be leading a team of 5 engineers.",
            "User will be working on scaling Google's recommendation systems.",
        ]
    );
    assert_eq!(found[0].memory_type, MemoryType::Episodic);
    assert!(
        found.iter().all(|c| c.categories.contains(&Category::Career)),
        "{found:?}"
    );
    assert!(found[2].quotes.iter().all(|q| q.turn == 2));
}

#[test]
fn work_and_each_pastime_are_lasting_facts() {
    let found = user(
        "I'm a software engineer at Google working on machine learning projects. I love hiking and photography in my free time.",
    );
    assert_eq!(
        texts(&found),
        [
            "User is a software engineer at Google working on machine learning projects.",
            "User loves hiking in their free time.",
            "User loves photography in their free time."
        ]
    );
    assert!(found.iter().all(|c| c.memory_type == MemoryType::Semantic));
    assert_eq!(found[0].categories[0], Category::Career);
    assert_eq!(found[1].categories[0], Category::Interests);
}

#[test]
fn nothing_worth_keeping_yields_nothing() {
    for text in [
        "Hi there!",
        "Thanks so much!",
        "What's the capital of Peru?",
        "Write me a haiku about rain.",
        "Can you explain recursion?",
        "lol",
        "Ok, great.",
        "",
        "   \n",
        "!!!",
        "👍👍",
        "Please translate this into French.",
        "That's awesome, thank you!",
        "Good morning",
        "If I won the lottery I would buy a castle.",
        "You're very helpful.",
        "How do I boil an egg?",
        "Sounds good!",
    ] {
        assert!(user(text).is_empty(), "{text}: {:?}", texts(&user(text)));
    }
}

#[test]
fn what_the_assistant_or_the_system_says_is_no_source() {
    let found = told(&[
        (Role::System, None, "The user lives in Paris and works as a baker."),
        (Role::User, None, "How long does sourdough take?"),
        (
            Role::Assistant,
            None,
            "I bake mine for an hour. You should try rye flour.",
        ),
        (Role::User, None, "Ok thanks!"),
    ]);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn what_the_user_confirms_becomes_a_fact() {
    let found = told(&[
        (Role::Assistant, None, "So you work at a bakery in Lyon?"),
        (Role::User, None, "Yes, since 2019."),
    ]);
    assert_eq!(texts(&found), ["User works at a bakery in Lyon since 2019."]);
    assert_eq!(found[0].quotes.iter().map(|q| q.turn).collect::<Vec<_>>(), [1, 0]);
    let found = told(&[(Role::Assistant, None, "Do you eat meat?"), (Role::User, None, "No.")]);
    assert_eq!(texts(&found), ["User doesn't eat meat."]);
    let found = told(&[
        (
            Role::Assistant,
            None,
            "It seems you live in Oslo with two cats. Your sister is a nurse.",
        ),
        (Role::User, None, "Exactly!"),
    ]);
    assert_eq!(texts(&found), ["User's sister is a nurse."]);
}

#[test]
fn coordinated_clauses_are_facts_with_their_subjects() {
    for (text, want) in [
        (
            "I'm vegan and I live near the harbour.",
            &["User is vegan.", "User lives near the harbour."][..],
        ),
        (
            "My salary is 84k and I put a tenth into a fund.",
            &["User's salary is 84k.", "User puts a tenth into a fund."],
        ),
        (
            "I no longer work at Kestrel Labs.",
            &["User no longer works at Kestrel Labs."],
        ),
        ("My aunt and I run a bakery.", &["User and their aunt run a bakery."]),
        (
            "I'm 34, an architect and live in Porto.",
            &["User is 34.", "User is an architect.", "User lives in Porto."],
        ),
    ] {
        assert_eq!(texts(&user(text)), want);
    }
}

#[test]
fn a_short_answer_takes_its_meaning_from_the_question() {
    for (question, answer, want) in [
        ("Where do you live?", "Berlin.", "User lives in Berlin."),
        ("What do you do for work?", "A nurse", "User works as a nurse."),
        (
            "What's your favourite dish?",
            "Ramen!",
            "User's favourite dish is Ramen.",
        ),
        ("How many children do you have?", "Three", "User has three children."),
        ("Are you vegetarian?", "Yes!", "User is vegetarian."),
    ] {
        let found = told(&[(Role::Assistant, None, question), (Role::User, None, answer)]);
        assert_eq!(texts(&found), [want]);
    }
}

#[test]
fn two_named_people_each_get_their_own_facts() {
    let found = told(&[
        (Role::User, Some("Priya"), "Hey Tomas! How was your week?"),
        (
            Role::User,
            Some("Tomas"),
            "Hi Priya! I won a rowing cup last Saturday. My sister cheered for me.",
        ),
        (Role::User, Some("Priya"), "Wow, that's great! I'm learning the cello."),
        (
            Role::User,
            Some("Tomas"),
            "You'd make a fine cellist, you have patient hands.",
        ),
    ]);
    assert_eq!(
        texts(&found),
        [
            "Tomas won a rowing cup last Saturday.",
            "Tomas's sister cheered for them.",
            "Priya is learning the cello.",
            "Tomas said: Priya would make a fine cellist, Priya has patient hands.",
        ]
    );
    assert_eq!(
        found[0].event_time,
        Some(Utc.with_ymd_and_hms(2023, 5, 6, 0, 0, 0).unwrap())
    );
    assert_eq!(found[0].quotes[0].turn, 1);
}

#[test]
fn he_and_she_are_named() {
    assert_eq!(
        texts(&user("My brother lives in Cork. He repairs boats.")),
        ["User's brother lives in Cork.", "User's brother repairs boats."]
    );
}

#[test]
fn a_place_named_before_is_meant_by_there() {
    let found = user("I moved to Valencia in March. I work there as a diver.");
    assert!(
        found
            .iter()
            .any(|c| c.text.ends_with("User works in Valencia as a diver.")),
        "{found:?}"
    );
}

#[test]
fn a_shared_picture_is_kept_with_its_fact() {
    let found = told(&[
        (
            Role::User,
            Some("Ana"),
            "We finally built the treehouse! [shares a photo: a photo of a wooden hut in an oak]",
        ),
        (Role::User, Some("Ben"), "Wow! [shares a photo: a dog on a raft]"),
    ]);
    assert_eq!(found.len(), 2);
    assert!(
        found[0].text.ends_with("Ana shares a photo of a wooden hut in an oak."),
        "{found:?}"
    );
    assert_eq!(found[1].text, "Ben shares a photo of a dog on a raft.");
}

#[test]
fn a_statement_is_kept_where_a_question_follows() {
    assert_eq!(
        one("I'm moving to Lyon next month, any tips?"),
        "User is moving to Lyon next month."
    );
    assert_eq!(
        one("Remember that I'm allergic to peanuts."),
        "User is allergic to peanuts."
    );
}

#[test]
fn what_is_told_inside_a_question_is_kept() {
    assert_eq!(
        texts(&user("Did I tell you my brother got engaged?")),
        ["User's brother got engaged."]
    );
}

#[test]
fn each_item_of_a_list_is_a_fact_with_its_heading() {
    assert_eq!(
        texts(&user(
            "My goals for this year:\n- run a half marathon\n- save 5000 euros"
        )),
        [
            "User's goal for this year is to run a half marathon.",
            "User's goal for this year is to save 5000 euros."
        ]
    );
}

#[test]
fn sensitive_data_is_marked_private() {
    for text in [
        "My bank password is hunter22.",
        "I was diagnosed with epilepsy.",
        "My card is 4111 1111 1111 1111.",
        "I live at 12 Elm Street in Dover.",
    ] {
        assert!(
            user(text).iter().all(|c| c.categories.contains(&Category::Private)),
            "{text}: {:?}",
            user(text)
        );
        assert!(!user(text).is_empty(), "{text}");
    }
}

#[test]
fn other_languages_are_kept_in_their_own_words() {
    assert_eq!(
        one("Vivo en Sevilla con mi hermana y dos gatos."),
        "Vivo en Sevilla con mi hermana y dos gatos."
    );
    let found = told(&[(Role::User, Some("Юлия"), "Я работаю врачом в Риге.")]);
    assert_eq!(texts(&found), ["Юлия: Я работаю врачом в Риге."]);
    assert_eq!(user("私は東京で医者をしています。").len(), 1);
}

#[test]
fn the_same_fact_twice_is_one_memory() {
    let found = told(&[
        (Role::User, None, "I have two cats."),
        (Role::Assistant, None, "Nice!"),
        (Role::User, None, "As I said, I have two cats."),
    ]);
    assert!(found.len() <= 2);
    let found = told(&[
        (Role::User, None, "I have two cats."),
        (Role::User, None, "I have two cats!"),
    ]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].quotes.len(), 2);
}

#[test]
fn context_is_the_end_of_the_turn_before() {
    let long = "word ".repeat(200);
    let found = told(&[(Role::Assistant, None, &long), (Role::User, None, "I collect stamps.")]);
    let context = found[0].context.as_deref().unwrap_or_default();
    assert!(context.chars().count() <= 300 && context.len() > 250 && context.starts_with("word"));
}

#[test]
fn a_present_verb_behind_a_past_one_agrees_and_another_part_of_life_is_a_fact_of_its_own() {
    let found = user("I just moved to Ghent and work as a data engineer. I love climbing.");
    assert_eq!(
        texts(&found),
        [
            "User just moved to Ghent.",
            "User works as a data engineer.",
            "User loves climbing."
        ]
    );
    assert_eq!(found[2].categories, [Category::Interests]);
}

#[test]
fn a_wish_is_no_fact_and_what_names_nobody_stays_as_it_is() {
    let two = |text| told(&[(Role::User, Some("Mira"), text), (Role::User, Some("Oskar"), "Hello!")]);
    assert!(two("Happy new year, if one can still say that on the seventeenth!").is_empty());
    assert_eq!(
        texts(&two("Rent is 890 a month these days.")),
        ["Rent is 890 a month these days."]
    );
}
