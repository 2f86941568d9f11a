"""Turns sentences of the treebank into what people type into a chat.

Each change takes a sentence (a list of `Word`) and a random generator, and gives a sentence; where it does not apply,
the same one. `chat` applies a random selection.
"""

from contractions import is_ambiguous, is_cut
from data import Word, delete, lower_cased

CLITICS = {"n't": "nt", "'m": "m", "'s": "s", "'re": "re", "'ve": "ve", "'ll": "ll", "'d": "d"}
FINAL_MARKS = {".", "!", "?", "...", "!!", ";"}
# How chat spells words; by lower-cased form.
SPELLINGS = {
    "you": ["u", "u", "ya"], "your": ["ur"], "are": ["r"], "with": ["w/", "w"], "without": ["w/o"],
    "because": ["bc", "cuz", "coz", "cause", "b/c"], "and": ["n", "&"], "about": ["abt"], "please": ["pls", "plz"],
    "though": ["tho"], "through": ["thru"], "before": ["b4"], "tomorrow": ["tmrw", "tmr"], "people": ["ppl"],
    "really": ["rly", "rlly"], "thanks": ["thx", "thnx"], "thank": ["thx"], "probably": ["prob", "prolly"],
    "something": ["smth", "sth"], "okay": ["ok", "k"], "ok": ["k"], "for": ["4"], "to": ["2"], "love": ["luv"],
    "boyfriend": ["bf"], "girlfriend": ["gf"], "birthday": ["bday"], "minutes": ["mins"], "message": ["msg"],
    "favorite": ["fav", "fave"], "know": ["kno"], "what": ["wat"], "them": ["em"], "yes": ["yep", "yeah", "ya"],
    "never": ["nvr"], "should": ["shud"], "would": ["wud"], "could": ["cud"], "right": ["rite"], "night": ["nite"],
    "the": ["da", "teh"], "this": ["dis"], "that": ["dat"], "have": ["hav"], "just": ["jus", "jst"], "years": ["yrs"],
    "year": ["yr"], "hours": ["hrs"], "weeks": ["wks"], "days": ["dys"], "is": ["iz"], "why": ["y"],
}
# What chat begins sentences with: tag, relation and words.
OPENERS = (
    ("ADV", "advmod", ("so", "btw", "also", "actually", "honestly", "tbh")),
    ("CCONJ", "cc", ("and", "but")),
    ("INTJ", "discourse", ("oh", "well", "yeah", "lol", "ok", "hey", "haha", "hi", "omg", "yes", "no")),
)


def respell(word, form):
    """The word in another spelling, with the capital it had."""
    capital = word.form[:1].isupper() and word.form != "I"
    return word._replace(form=form[:1].upper() + form[1:] if capital else form)


def without_apostrophes(sentence, random):
    """ "do n't" → "do nt", "mom 's" → "moms": see `contractions.py` for what stays two words."""
    changed, fused = list(sentence), []
    for index, word in enumerate(sentence):
        clitic = CLITICS.get(word.form.lower().replace("’", "'"))
        if clitic is None or index == 0:
            changed[index] = word._replace(form=word.form.replace("'", "").replace("’", "") or word.form)
            continue
        host = changed[index - 1]
        name = host.form.lower()
        apart = is_cut(name, clitic) or is_ambiguous(name, clitic) and random.random() < 0.6
        if apart or word.head == 0:
            changed[index] = word._replace(form=clitic)
        elif host.head != index + 1:
            changed[index - 1] = host._replace(form=host.form + clitic)
            fused.append(index)
    return delete(changed, fused) or sentence


def without_commas(sentence, random):
    share = random.choice((0.4, 1.0, 1.0))
    commas = [i for i, word in enumerate(sentence) if word.form == "," and random.random() < share]
    return delete(sentence, commas) or sentence


def without_final_mark(sentence, random):
    if len(sentence) > 1 and sentence[-1].form in FINAL_MARKS:
        return delete(sentence, [len(sentence) - 1]) or sentence
    return sentence


def other_final_mark(sentence, random):
    last = sentence[-1]
    if len(sentence) > 1 and last.form in FINAL_MARKS:
        return sentence[:-1] + [last._replace(form=random.choice(("!", "!!", "!!!", "...", "..", ":)")))]
    return sentence


def chat_spellings(sentence, random):
    share = random.choice((0.2, 0.5, 0.9))
    result = []
    for word in sentence:
        spellings = SPELLINGS.get(word.form.lower())
        if spellings and random.random() < share:
            word = respell(word, random.choice(spellings))
        elif word.upos == "VERB" and word.form.endswith("ing") and len(word.form) > 5 and random.random() < share / 6:
            word = word._replace(form=word.form[:-1])
        result.append(word)
    return result


FUSED = {
    ("going", "to"): ("gon", "na"), ("want", "to"): ("wan", "na"), ("got", "to"): ("got", "ta"),
    ("let", "me"): ("lem", "me"), ("give", "me"): ("gim", "me"), ("sort", "of"): ("sort", "a"),
    ("out", "of"): ("out", "ta"), ("should", "have"): ("should", "a"), ("would", "have"): ("would", "a"),
    ("could", "have"): ("could", "a"),
}


def fused_words(sentence, random):
    """ "going to leave" → "gon na leave", "give me" → "gim me", cut as the treebank does."""
    result = list(sentence)
    for index in range(len(sentence) - 1):
        first, second = sentence[index], sentence[index + 1]
        parts = FUSED.get((first.form.lower(), second.form.lower()))
        if parts and (parts[1] != "na" or second.relation == "mark"):
            result[index], result[index + 1] = respell(first, parts[0]), second._replace(form=parts[1])
    return result


def small_first_letter(sentence, random):
    first = sentence[0]
    return [first._replace(form=first.form[:1].lower() + first.form[1:])] + sentence[1:]


def small_i(sentence, random):
    return [word._replace(form="i") if word.form == "I" else word for word in sentence]


def upper_cased(sentence, random):
    return [word._replace(form=word.form.upper()) for word in sentence]


PRONOUNS = {"he": "I", "she": "I", "him": "me", "his": "my", "her": None, "himself": "myself", "herself": "myself"}


def first_person(sentence, random):
    """ "She lives with her mother" → "I live with my mother": every "he" and "she" becomes "I", and verbs agree."""
    subjects = {w.head for w in sentence if w.form.lower() in ("he", "she") and w.relation.startswith("nsubj")}
    if not subjects:
        return sentence
    result = []
    for index, word in enumerate(sentence):
        name = word.form.lower()
        governs = word.head if word.relation.startswith(("aux", "cop")) else index + 1
        if word.upos == "PRON" and name in PRONOUNS:
            form = PRONOUNS[name] or ("my" if "Poss=Yes" in word.features else "me")
            features = "|".join(part for part in word.features.split("|") if not part.startswith("Gender"))
            features = features.replace("Person=3", "Person=1")
            word = respell(word, form)._replace(lemma="I" if form in ("I", "me") else form, features=features)
        elif governs in subjects and "Person=3" in word.features and "Tense=Pres" in word.features:
            form = {"is": "am", "'s": "'m", "’s": "’m"}.get(name)
            if word.lemma == "have" and name in ("'s", "’s"):
                form = "'ve"
            word = word._replace(form=form or word.lemma, features=word.features.replace("Person=3", "Person=1"))
        elif governs in subjects and "Person=3" in word.features and name == "was":
            word = word._replace(features=word.features.replace("Person=3", "Person=1"))
        result.append(word)
    return result


def without_subject(sentence, random):
    """ "I 'm thinking about it" → "thinking about it"."""
    first = sentence[0]
    if first.form.lower() != "i" or first.relation != "nsubj" or len(sentence) < 4:
        return sentence
    gone = [0]
    if sentence[1].form.lower() in ("'m", "am", "’m", "m", "'ve", "have") and sentence[1].relation == "aux":
        gone.append(1)
    return delete(sentence, gone) or sentence


def with_opener(sentence, random):
    """Puts "so", "lol", "btw" … before a sentence."""
    upos, relation, forms = random.choice(OPENERS)
    form = random.choice(forms)
    root = next(i for i, word in enumerate(sentence) if word.head == 0) + 2
    opener = Word(form, form, upos, "_", root, relation)
    rest = [word._replace(head=word.head + 1 if word.head else 0) for word in small_first_letter(sentence, random)]
    if sentence[0].upos == "PROPN" or sentence[0].form == "I":
        rest[0] = rest[0]._replace(form=sentence[0].form)
    return [opener] + rest


def joined(first, second, random):
    """Two sentences written as one, the second under the first's root as parataxis."""
    first = without_final_mark(first, random)
    root = next(i for i, word in enumerate(first) if word.head == 0) + 1
    mark = random.choice((None, None, None, ",", "...", "-"))
    if mark:
        first = first + [Word(mark, mark, "PUNCT", "_", 0, "punct")]
    shift = len(first)
    if second[0].upos != "PROPN" and second[0].form != "I":
        second = small_first_letter(second, random)
    moved = [
        word._replace(head=word.head + shift) if word.head else word._replace(head=root, relation="parataxis")
        for word in second
    ]
    if mark:
        second_root = next(i for i, word in enumerate(second) if word.head == 0) + 1 + shift
        first[-1] = first[-1]._replace(head=second_root)
    return first + moved


# Each change with how often chat makes it.
CHANGES = (
    (first_person, 0.12), (without_subject, 0.12), (with_opener, 0.06), (fused_words, 0.4), (chat_spellings, 0.35),
    (without_commas, 0.45), (without_final_mark, 0.5), (other_final_mark, 0.06), (without_apostrophes, 0.45),
    (small_first_letter, 0.3), (small_i, 0.4), (upper_cased, 0.02),
)
LOWER_CASED = 0.55


def chat(sentence, random):
    """One sentence as chat might have it."""
    for change, share in CHANGES:
        if random.random() < share:
            sentence = change(sentence, random)
    return lower_cased(sentence) if random.random() < LOWER_CASED else sentence


# For one pass over the treebank: how many sentences stay as they are, are only lower-cased, are joined to another.
AS_IS, ONLY_LOWER, JOINED, LONGEST_JOINED = 0.45, 0.15, 0.1, 25


def augmented(sentences, random):
    """A pass over the treebank: some sentences as they are, some as chat, some short ones run together."""
    result = []
    for sentence in sentences:
        draw = random.random()
        if draw < AS_IS:
            result.append(sentence)
            continue
        if draw < AS_IS + ONLY_LOWER:
            result.append(lower_cased(sentence))
            continue
        if random.random() < JOINED / (1 - AS_IS - ONLY_LOWER):
            other = random.choice(sentences)
            if len(sentence) + len(other) <= LONGEST_JOINED:
                sentence = joined(sentence, other, random)
        result.append(chat(sentence, random))
    return result
