//! The vocabulary of small talk: openers, set phrases, verbs that order. `non_fact.rs` reads sentences with it.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Words that open a sentence without belonging to it.
const OPENERS: &str = "wow oh yeah yea yep yup yes hey hi hello hiya howdy well ok okay haha hahaha lol aww aw awww ah um uh hmm hm \
sure totally absolutely definitely thanks exactly right anyway anyways btw man gosh omg yay woah whoa cool \
nice awesome great no nope nah true agreed indeed congrats congratulations cheers sorry and so alright dang \
damn ooh oooh phew yikes ugh welcome perfect sweet lovely amazing certainly fyi actually honestly seriously \
but plus ha heh hehe anytime gotcha thx obviously basically fine good whew yo sup bye goodbye goodnight \
woohoo wohoo yess ahh ooo phenomenal fantastic wonderful brilliant incredible excellent beautiful gorgeous \
impressive anyhow jeez whoops oops understood greetings speaking";

/// Openers that go even without a comma behind them.
const LOOSE_OPENERS: &str = "honestly actually seriously wow oh yeah yea yep yup haha hahaha lol aww aw awww um uh hmm hey hi hello omg btw yay woah whoa ah ooh \
anyway anyways fyi and but so plus well okay ok yes";

/// Openers of several words.
const OPENING_PHRASES: &str = "by the way|thank you so much|thanks so much|thanks a lot|thank you|of course|for sure|no problem|no worries|\
you know what|you know|i mean|to be honest|guess what|you're right|you're welcome|that's right|that's true|\
i agree|totally agree|good to hear|just so you know|did i tell you that|did i tell you|did i mention that|\
did i mention|have i told you that|have i told you|did you know that|did you know|for your information|\
good morning|good evening|good afternoon|remember that|please remember that|please remember|note that|\
please note that|keep in mind that|don't forget that|in fact|as you know|like i said|good question|\
great question|not really|not yet|good idea|great idea|my bad|long time no see|you bet|good point|got it|\
i see|that's great|that's awesome|me too|same here|oh my god|well done|good for you|it's true";

/// Verbs that order something done when they stand first.
const COMMANDS: &str = "write tell give show explain help make list summarize summarise translate find create draft generate suggest \
recommend describe compare fix rewrite convert calculate let please check look take keep don't try have be \
stay remember never go enjoy send come put use add remove get do hang hold wait think watch read listen feel \
proofread review analyze analyse debug implement refactor continue stop set open run play search answer \
trust believe hit drop chin format correct outline plan ask call start follow ignore provide act pretend say \
speak turn shorten expand improve edit remind";

/// Seeing, hearing, wishing, parting: the small talk around a conversation.
const SOCIAL_PHRASES: &str = "good to see|great to see|nice to see|good to hear|great to hear|nice to hear|glad to hear|happy to hear|\
sorry to hear|good luck|best of luck|take care|talk to you|talk soon|see you|see ya|talk later|bye|catch you|\
have fun|have a|hope you|i hope you|i'm glad you|i'm so glad you|so glad you|glad you|i'm happy for|\
so happy for|happy for|i'm proud of you|so proud of you|proud of you|i'm so proud of you|can't wait to see|\
can't wait to hear|keep up|way to go|it was great|it was nice|nice talking|i'm here for|i'm always here|\
here for you|i can imagine|i bet|i can tell|thanks for|thank you for|cheers for|congrats on|\
congratulations on|welcome back|hope to|i appreciate|appreciate|looking forward|how about|no way|you too|\
same to you|long time|it's great to|it's been a while|been a while|hope all|hope things|hope everything|\
that must have|that must be|must have been|must be|must've been|i totally agree|i agree|i completely agree|\
i understand|i hear you|i get it|i get that|happy birthday|happy anniversary|merry christmas|happy new year";

fn word_set(words: &'static str) -> HashSet<&'static str> {
    words.split_whitespace().collect()
}

fn phrase_list(phrases: &'static str) -> Vec<Vec<&'static str>> {
    phrases
        .split('|')
        .map(|phrase| phrase.split_whitespace().collect())
        .collect()
}

static OPENER_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| word_set(OPENERS));
static LOOSE_OPENER_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| word_set(LOOSE_OPENERS));
static COMMAND_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| word_set(COMMANDS));
static OPENING_PHRASE_LIST: LazyLock<Vec<Vec<&str>>> = LazyLock::new(|| phrase_list(OPENING_PHRASES));
static SOCIAL_PHRASE_LIST: LazyLock<Vec<Vec<&str>>> = LazyLock::new(|| phrase_list(SOCIAL_PHRASES));

/// Whether the word may open a sentence without belonging to it.
pub(super) fn is_opener(lower: &str) -> bool {
    OPENER_SET.contains(lower)
}

/// Whether it does so even without a comma.
pub(super) fn is_loose_opener(lower: &str) -> bool {
    LOOSE_OPENER_SET.contains(lower)
}

/// Whether the verb orders something when it stands first.
pub(super) fn is_command(lower: &str) -> bool {
    COMMAND_SET.contains(lower)
}

/// Openers of several words.
pub(super) fn opening_phrases() -> &'static [Vec<&'static str>] {
    &OPENING_PHRASE_LIST
}

/// Beginnings of small talk.
pub(super) fn social_phrases() -> &'static [Vec<&'static str>] {
    &SOCIAL_PHRASE_LIST
}
