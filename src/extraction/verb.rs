//! English verb forms: which form a word is, and making the third person, the past and the negative.
//!
//! Knows words only, no sentences; `person.rs` and `dialogue.rs` ask it.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Base, past and participle of verbs that don't take -ed.
const IRREGULAR: &[(&str, &str, &str)] = &[
    ("be", "was", "been"),
    ("become", "became", "become"),
    ("begin", "began", "begun"),
    ("bite", "bit", "bitten"),
    ("blow", "blew", "blown"),
    ("break", "broke", "broken"),
    ("bring", "brought", "brought"),
    ("build", "built", "built"),
    ("burn", "burnt", "burnt"),
    ("buy", "bought", "bought"),
    ("catch", "caught", "caught"),
    ("choose", "chose", "chosen"),
    ("come", "came", "come"),
    ("deal", "dealt", "dealt"),
    ("dig", "dug", "dug"),
    ("do", "did", "done"),
    ("draw", "drew", "drawn"),
    ("dream", "dreamt", "dreamt"),
    ("drink", "drank", "drunk"),
    ("drive", "drove", "driven"),
    ("eat", "ate", "eaten"),
    ("fall", "fell", "fallen"),
    ("feed", "fed", "fed"),
    ("feel", "felt", "felt"),
    ("fight", "fought", "fought"),
    ("find", "found", "found"),
    ("fly", "flew", "flown"),
    ("forget", "forgot", "forgotten"),
    ("forgive", "forgave", "forgiven"),
    ("freeze", "froze", "frozen"),
    ("get", "got", "gotten"),
    ("give", "gave", "given"),
    ("go", "went", "gone"),
    ("grow", "grew", "grown"),
    ("hang", "hung", "hung"),
    ("have", "had", "had"),
    ("hear", "heard", "heard"),
    ("hide", "hid", "hidden"),
    ("hold", "held", "held"),
    ("keep", "kept", "kept"),
    ("know", "knew", "known"),
    ("lead", "led", "led"),
    ("learn", "learnt", "learnt"),
    ("leave", "left", "left"),
    ("lend", "lent", "lent"),
    ("lie", "lay", "lain"),
    ("lose", "lost", "lost"),
    ("make", "made", "made"),
    ("mean", "meant", "meant"),
    ("meet", "met", "met"),
    ("pay", "paid", "paid"),
    ("ride", "rode", "ridden"),
    ("ring", "rang", "rung"),
    ("rise", "rose", "risen"),
    ("run", "ran", "run"),
    ("say", "said", "said"),
    ("see", "saw", "seen"),
    ("sell", "sold", "sold"),
    ("send", "sent", "sent"),
    ("shake", "shook", "shaken"),
    ("shine", "shone", "shone"),
    ("shoot", "shot", "shot"),
    ("show", "showed", "shown"),
    ("sing", "sang", "sung"),
    ("sink", "sank", "sunk"),
    ("sit", "sat", "sat"),
    ("sleep", "slept", "slept"),
    ("speak", "spoke", "spoken"),
    ("spend", "spent", "spent"),
    ("stand", "stood", "stood"),
    ("steal", "stole", "stolen"),
    ("stick", "stuck", "stuck"),
    ("strike", "struck", "struck"),
    ("swear", "swore", "sworn"),
    ("sweep", "swept", "swept"),
    ("swim", "swam", "swum"),
    ("take", "took", "taken"),
    ("teach", "taught", "taught"),
    ("tear", "tore", "torn"),
    ("tell", "told", "told"),
    ("think", "thought", "thought"),
    ("throw", "threw", "thrown"),
    ("understand", "understood", "understood"),
    ("wake", "woke", "woken"),
    ("wear", "wore", "worn"),
    ("win", "won", "won"),
    ("write", "wrote", "written"),
    ("overcome", "overcame", "overcome"),
    ("withdraw", "withdrew", "withdrawn"),
    ("seek", "sought", "sought"),
    ("undergo", "underwent", "undergone"),
    ("rewrite", "rewrote", "rewritten"),
    ("outgrow", "outgrew", "outgrown"),
    ("light", "lit", "lit"),
    ("slide", "slid", "slid"),
    ("spin", "spun", "spun"),
    ("weave", "wove", "woven"),
    ("knit", "knitted", "knitted"),
    ("sneak", "snuck", "snuck"),
    ("lay", "laid", "laid"),
    ("bend", "bent", "bent"),
    ("bind", "bound", "bound"),
    ("creep", "crept", "crept"),
    ("flee", "fled", "fled"),
    ("lean", "leant", "leant"),
    ("mow", "mowed", "mown"),
    ("saw", "sawed", "sawn"),
    ("sew", "sewed", "sewn"),
    ("spill", "spilt", "spilt"),
    ("spoil", "spoilt", "spoilt"),
    ("swing", "swung", "swung"),
    ("weep", "wept", "wept"),
    ("wind", "wound", "wound"),
];

/// Verbs whose base and past look alike.
const UNCHANGING: &[&str] = &[
    "bet", "burst", "cast", "cost", "cut", "fit", "hit", "hurt", "let", "put", "quit", "read", "rid", "set", "shut",
    "split", "spread", "upset", "beat",
];

/// Common regular verbs in their base form.
const REGULAR: &str = "accept ache achieve act adapt add admire admit adopt advise agree aim allow amaze annoy answer \
apologize appear apply appreciate approach argue arrange arrive ask assemble assist attempt attend avoid bake bathe battle \
believe belong bike block blog boil book borrow bother brew brush cancel capture care carry carve cause celebrate change \
charge chat check cheer chill choose clean climb close coach code collect color combine commute compare compete complain \
complete compose concentrate confess confirm connect consider consult contact continue contribute cook cope copy count cover \
craft crash crave create crochet cry cycle damage dance date debate decide decorate dedicate deliver depend describe deserve \
design desire destroy develop devote die diet disagree discover discuss dislike divorce donate doubt download dread dress drop \
dye earn edit educate embrace emigrate encourage end engage enjoy enroll enter entertain escape establish exercise expand \
expect experience experiment explain explore express face fail fast fear figure fill film finish fish fix focus follow force \
foster found garden gather glue graduate greet grill guess guide handle happen harvest hate head heal help hesitate hike hire \
hope host hug hunt hurry identify ignore imagine immigrate improve include increase inherit inspire install intend interview \
introduce invest invite iron jog join joke journal juggle jump kayak kick kill knock lack land last laugh launch lift like \
limit listen live load look love maintain manage mark marry master match meditate mentor mind miss mix move name need \
nurture notice observe offer open order organise organize own pack paint parent park participate pass perform photograph pick \
plan plant play polish post practice practise pray prefer prepare present press prevent process produce program promise \
promote propose protect prove publish pull push question raise reach react realise realize recall receive recommend record \
recover recycle reduce refuse regret reject relate relax relocate remain remember remind remodel remove renew renovate rent \
repair repeat replace request rescue research resign respect rest restart restore retire return review roast roll row sail save schedule \
score search secure seem separate serve settle sew share shop shower sign skate sketch ski skip smile smoke solve sort \
sound specialise specialize sponsor spot start stay step stop store stream stress stretch struggle study succeed suffer \
suggest supply support suppose surf surprise survive suspect switch talk taste tend test text thank tie touch tour track \
trade train transfer translate travel treasure treat trust try tutor type unwind update upgrade use value visit volunteer vote \
wait walk want warn wash waste watch water weigh welcome wish wonder work worry worship wrap yell";

/// Auxiliaries and modals, which the third person leaves alone or maps by table.
pub(super) const MODALS: &[&str] = &[
    "can",
    "could",
    "will",
    "would",
    "should",
    "must",
    "might",
    "may",
    "shall",
    "can't",
    "cannot",
    "couldn't",
    "won't",
    "wouldn't",
    "shouldn't",
    "mustn't",
    "mightn't",
    "cant",
    "wont",
];

static PAST: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    IRREGULAR
        .iter()
        .map(|v| v.1)
        .chain(["were", "wasn't", "weren't", "didn't", "hadn't", "couldn't"])
        .collect()
});
static PARTICIPLES: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    IRREGULAR
        .iter()
        .map(|v| v.2)
        .chain(UNCHANGING.iter().copied())
        .chain(["got"])
        .collect()
});
static BASES: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    IRREGULAR
        .iter()
        .map(|v| v.0)
        .chain(UNCHANGING.iter().copied())
        .chain(REGULAR.split_whitespace())
        .collect()
});
static PAST_OF: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| IRREGULAR.iter().map(|v| (v.0, v.1)).collect());

/// Whether `lower` can only be (or nearly always is) a past form.
pub(crate) fn is_past(lower: &str) -> bool {
    PAST.contains(lower) || is_regular_past(lower)
}

fn is_regular_past(lower: &str) -> bool {
    lower.len() > 3
        && lower.ends_with("ed")
        && ![
            "need", "feed", "speed", "exceed", "proceed", "succeed", "embed", "breed", "bleed", "seed", "weed",
            "indeed", "hundred", "naked", "wicked", "rugged", "kindred",
        ]
        .contains(&lower)
}

/// Whether `lower` is a past participle.
pub(super) fn is_participle(lower: &str) -> bool {
    PARTICIPLES.contains(lower) || is_regular_past(lower)
}

/// Whether `lower` is the base form of a common verb.
pub(crate) fn is_base(lower: &str) -> bool {
    BASES.contains(lower)
}

/// Whether base and past look the same.
pub(super) fn is_unchanging(lower: &str) -> bool {
    UNCHANGING.contains(&lower)
}

/// "working", "swimming": an -ing form (and not "thing", "morning", …).
pub(super) fn is_ing(lower: &str) -> bool {
    lower.len() > 4
        && lower.ends_with("ing")
        && ![
            "thing",
            "something",
            "anything",
            "nothing",
            "everything",
            "morning",
            "evening",
            "during",
            "spring",
            "string",
            "king",
            "ceiling",
            "sibling",
            "amazing",
            "interesting",
            "boring",
            "inspiring",
            "exciting",
        ]
        .contains(&lower)
}

/// The finite form that a singular subject takes: "work" → "works", "am" → "is"; past forms and modals stay.
pub(crate) fn third_person(lower: &str) -> String {
    match lower {
        "am" | "are" | "be" => return "is".to_owned(),
        "were" => return "was".to_owned(),
        "weren't" => return "wasn't".to_owned(),
        "aren't" | "ain't" => return "isn't".to_owned(),
        "have" | "'ve" => return "has".to_owned(),
        "haven't" | "havent" => return "hasn't".to_owned(),
        "do" => return "does".to_owned(),
        "don't" | "dont" => return "doesn't".to_owned(),
        "didnt" => return "didn't".to_owned(),
        "gotta" => return "has to".to_owned(),
        "wanna" => return "wants to".to_owned(),
        "gonna" => return "is going to".to_owned(),
        "used" | "ought" | "has" | "is" | "does" | "isn't" | "doesn't" | "hasn't" | "better" => {
            return lower.to_owned();
        }
        _ => {}
    }
    if MODALS.contains(&lower) || is_past(lower) {
        return lower.to_owned();
    }
    with_s(lower)
}

fn with_s(base: &str) -> String {
    let before_y = base
        .strip_suffix('y')
        .filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
    if let Some(stem) = before_y {
        return format!("{stem}ies");
    }
    let hisses = ["s", "x", "z", "ch", "sh"].iter().any(|end| base.ends_with(end)) || base == "go" || base == "do";
    if hisses {
        format!("{base}es")
    } else {
        format!("{base}s")
    }
}

/// The simple past: "visit" → "visited", "go" → "went".
pub(super) fn past(base: &str) -> String {
    if let Some(past) = PAST_OF.get(base) {
        return (*past).to_owned();
    }
    if is_unchanging(base) {
        return base.to_owned();
    }
    if base.ends_with('e') {
        return format!("{base}d");
    }
    let before_y = base
        .strip_suffix('y')
        .filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
    if let Some(stem) = before_y {
        return format!("{stem}ied");
    }
    if [
        "plan", "stop", "drop", "skip", "shop", "chat", "hug", "jog", "step", "wrap", "prefer", "admit", "pet", "grab",
    ]
    .contains(&base)
    {
        let last = base.chars().last().unwrap_or('t');
        return format!("{base}{last}ed");
    }
    format!("{base}ed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn present_verbs_take_the_third_person() {
        for (base, third) in [
            ("work", "works"),
            ("study", "studies"),
            ("watch", "watches"),
            ("go", "goes"),
            ("play", "plays"),
            ("am", "is"),
            ("have", "has"),
            ("don't", "doesn't"),
            ("need", "needs"),
        ] {
            assert_eq!(third_person(base), third);
        }
    }

    #[test]
    fn past_forms_and_modals_stay() {
        for word in ["went", "painted", "can't", "would", "had", "found"] {
            assert_eq!(third_person(word), word);
        }
    }

    #[test]
    fn the_past_is_made_from_the_base() {
        for (base, made) in [
            ("visit", "visited"),
            ("move", "moved"),
            ("study", "studied"),
            ("plan", "planned"),
            ("go", "went"),
            ("cut", "cut"),
        ] {
            assert_eq!(past(base), made);
        }
    }
}
