//! Invented people, what they did, and what is asked about it: the same for the same numbers each time.

use serde_json::json;

/// What the assistant says to all of them.
pub const ANSWER: &str = "That sounds like quite a day! What happened next?";

const VERBS: [&str; 12] = [
    "bought",
    "painted",
    "repaired",
    "lost",
    "borrowed",
    "sold",
    "cleaned",
    "photographed",
    "carried",
    "found",
    "built",
    "hid",
];
const THINGS: [&str; 24] = [
    "a violin",
    "a kayak",
    "a lantern",
    "an anchor",
    "a saddle",
    "a novel",
    "a basket",
    "a puzzle",
    "a telescope",
    "a kettle",
    "a bicycle",
    "a tent",
    "a carpet",
    "a clock",
    "a drum",
    "a map",
    "a mirror",
    "a pillow",
    "a radio",
    "a scarf",
    "a stamp",
    "a teapot",
    "a vase",
    "a wheelbarrow",
];
const PLACES: [&str; 20] = [
    "Oslo", "Lima", "Porto", "Kyoto", "Accra", "Quito", "Turin", "Cork", "Perth", "Dakar", "Malmö", "Basel", "Graz",
    "Leeds", "Tampa", "Varna", "Zadar", "Nantes", "Osaka", "Bergen",
];
const PEOPLE: [&str; 16] = [
    "my sister",
    "my brother",
    "my neighbour",
    "my cousin",
    "my boss",
    "my aunt",
    "my uncle",
    "my teacher",
    "my dentist",
    "my landlord",
    "my niece",
    "my nephew",
    "my colleague",
    "my roommate",
    "my grandmother",
    "my coach",
];

/// The `n`th of very many different sentences.
pub fn sentence(n: usize) -> String {
    let of = |list: &[&'static str], n: usize| list[n % list.len()];
    let (verb, thing) = (of(&VERBS, n), of(&THINGS, n / 12));
    let (place, person) = (of(&PLACES, n / 288), of(&PEOPLE, n / 5_760));
    format!("I {verb} {thing} in {place} for {person} on day {}.", n % 997)
}

/// A question that the `n`th sentence answers.
pub fn question(n: usize) -> String {
    format!("What did I do with {}?", sentence(n))
}

/// The `user_id` of a person.
pub fn person_name(person: usize) -> String {
    format!("bench-{person}")
}

/// The id of a person's `n`th memory.
pub fn memory_id(person: usize, n: usize) -> String {
    format!("mem_{person:016x}{n:016x}")
}

/// A person's `n`th memory as a line of `docs/EXPORT_FORMAT.md`, with its line feed.
pub fn memory_line(person: usize, n: usize) -> String {
    let thread = format!("thread-{}", n / 50);
    let line = json!({"format": 1, "memory": {
        "id": memory_id(person, n), "memory": sentence(n).replacen('I', "User", 1),
        "type": "episodic", "categories": ["interests"], "importance": 0.5, "source": "bench",
        "agent_id": "bench", "thread_id": thread, "user_id": person_name(person),
        "source_message_ids": [format!("{thread}#{}", n % 50)],
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "version": 1}});
    format!("{line}\n")
}
