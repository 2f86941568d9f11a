//! Closed word classes of English that several files of this room share.
//!
//! Verbs have a file of their own (`verb.rs`), topics too (`category.rs`).

use std::collections::HashSet;
use std::sync::LazyLock;

/// Words that carry no topic.
const FUNCTION: &str = "a an the this that these those i you he she it we they me him her us them my your his its our their mine \
yours hers ours theirs myself yourself himself herself itself ourselves themselves who whom whose which what when where why how \
and or but so nor yet for of in on at to from by with about into onto over under up down out off as than then if because \
while although though until since after before during through between among against without within along across around \
am is are was were be been being have has had having do does did doing done will would shall should can could may might must \
not no n't ain't isn't aren't wasn't weren't haven't hasn't hadn't don't doesn't didn't won't wouldn't can't couldn't shouldn't \
i'm i've i'd i'll you're you've you'd you'll he's she's it's we're we've we'd we'll they're they've they'd they'll that's there's \
here's what's who's where's let's im ive id ill dont cant there here just really very so too also even still only quite pretty much many \
more most some any all both each every few lot lots bit well now then again ever never always often sometimes usually maybe \
perhaps probably actually definitely certainly totally absolutely honestly literally basically simply already yet soon \
one two thing things something anything everything nothing someone anyone everyone stuff way kind sort like gonna wanna gotta \
get got getting go going gone come coming make makes making made take takes let lets say says said tell told \
yes yeah yep yup nope ok okay oh ah wow hey hi hello well sure please gosh man haha lol hmm um uh aw aww yay woah whoa omg \
own ya ur other another same such else rather else able";

/// Words of praise, feeling and politeness: alone they tell nothing about anybody.
const REACTION: &str = "awesome cool great amazing nice wonderful fantastic sweet lovely beautiful gorgeous stunning impressive \
incredible inspiring inspirational inspired exciting excited fun funny interesting good better best glad happy sad sorry congrats congratulations \
luck lucky proud pumped stoked thrilled psyched hyped sounds sound sounding looks look looking seems seem hear heard hearing see seeing seen wait know knows \
agree agreed understand appreciate appreciated thank thanks thankful grateful thx ty cheers hope hoping feel feels feeling \
love loved believe guess think mean means meant keep kept deal right true exactly indeed perfect brilliant superb terrific \
neat rad dope sick epic lit delightful delicious adorable cute pretty awful terrible bad sucks rough tough hard crazy wild \
insane unreal wonderfully bravo kudos wow welcome problem worries worry course point idea totally super big huge real such \
kindness support supportive care talk chat later soon bye goodbye goodnight night morning afternoon evening day today tomorrow weekend \
miss missed catch meet nice friend friends mate buddy pal dude bro girl man guys time times moment share shared sharing job work done work \
enjoy enjoyed try help helps want need check imagine forward touching heartwarming powerful special admirable admire worth great-sounding \
vibes vibe happiness joy blast stay tuned posted update updates updated rock rocks killing nailed killed nailing deserve deserved hit bet doing \
pleasure honor honest everything anytime always relatable blessed blessing yummy delish tasty yum cozy fab fabulous divine spectacular magical breathtaking dreamy peaceful relaxing refreshing hilarious shame pity bummer heart goals mind blown tell told remember said chance lookin' thinkin'";

/// Adverbs that may stand between subject and verb.
const ADVERBS: &str = "really just always never often usually sometimes also still currently recently finally actually definitely \
certainly totally absolutely honestly literally probably already even only almost now then once occasionally rarely mostly mainly \
generally normally typically regularly frequently constantly truly deeply simply kinda quite soon lately today first sorta too ever \
def legit hardly barely nearly both all especially particularly no longer not seriously personally highly sadly unfortunately thankfully";

/// People that "we" may stand for, in the form that follows "their".
const KIN: &str = "family kids children wife husband partner girlfriend boyfriend fiancé fiancee fiancée fiance friends friend team \
teammates colleagues coworkers mom mum dad mother father parents brother sister siblings son daughter roommate roommates flatmate \
cousin cousins grandma grandmother grandpa grandfather grandparents aunt uncle niece nephew sons daughters band bandmates \
neighbors neighbours neighbor neighbour boss class club group classmates buddies pals crew spouse baby dog dogs";

fn set(words: &'static str) -> HashSet<&'static str> {
    words.split_whitespace().collect()
}

static FUNCTION_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| set(FUNCTION));
static REACTION_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| set(REACTION));
static ADVERB_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| set(ADVERBS));
static KIN_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| set(KIN));

/// Whether the word carries no topic.
pub(super) fn is_function(lower: &str) -> bool {
    FUNCTION_SET.contains(lower)
}

/// Whether the word is praise, feeling or politeness.
pub(super) fn is_reaction(lower: &str) -> bool {
    REACTION_SET.contains(lower)
}

/// Whether the word may stand between subject and verb.
pub(super) fn is_adverb(lower: &str) -> bool {
    ADVERB_SET.contains(lower)
        || (lower.len() > 4
            && lower.ends_with("ly")
            && ![
                "family", "apply", "supply", "reply", "rely", "multiply", "assembly", "comply",
            ]
            .contains(&lower))
}

/// Whether the word names people that belong to somebody.
pub(crate) fn is_kin(lower: &str) -> bool {
    KIN_SET.contains(lower)
}

/// Determiners, prepositions and pronouns: what follows a verb more often than a noun.
pub(super) fn follows_verb(lower: &str) -> bool {
    const WORDS: &[&str] = &[
        "a", "an", "the", "my", "our", "your", "his", "her", "their", "this", "that", "some", "to", "in", "on", "at",
        "for", "with", "from", "about", "into", "as", "it", "them", "him", "me", "us", "out", "up", "every", "all",
        "most", "lots", "two", "three", "four", "both", "there", "it's", "by", "i", "over", "off", "back",
    ];
    WORDS.contains(&lower)
}

/// Feelings that follow "I'm" or "I feel".
pub(super) fn is_feeling(lower: &str) -> bool {
    const WORDS: &[&str] = &[
        "excited",
        "happy",
        "glad",
        "sad",
        "thrilled",
        "stoked",
        "pumped",
        "psyched",
        "nervous",
        "proud",
        "sorry",
        "grateful",
        "thankful",
        "tired",
        "exhausted",
        "swamped",
        "jealous",
        "relieved",
        "scared",
        "worried",
        "anxious",
        "upset",
        "angry",
        "hopeful",
        "curious",
        "surprised",
        "bummed",
        "amazed",
        "blessed",
        "lucky",
        "inspired",
        "motivated",
        "determined",
        "speechless",
        "overwhelmed",
        "stressed",
        "confident",
        "interested",
        "eager",
        "ready",
        "honored",
        "ecstatic",
        "delighted",
        "disappointed",
        "devastated",
        "heartbroken",
        "frustrated",
        "keen",
        "addicted",
        "obsessed",
        "impressed",
        "touched",
    ];
    WORDS.contains(&lower)
}
