"""Reads treebanks in CoNLL-U, and the plain values that the rest of the tools pass around."""

import pathlib
from collections import Counter
from typing import NamedTuple

# Features that help to rewrite a sentence; the treebank's others are dropped.
KEPT_FEATURES = {
    "Case", "Gender", "Mood", "Number", "Person", "Polarity", "Poss", "PronType", "Reflex", "Tense", "VerbForm",
    "Voice",
}
# A label that occurs less often in training is replaced: a relation by its part before the colon, others by a default.
RAREST_RELATION, RAREST_FEATURES, RAREST_LEMMA = 5, 4, 3


class Word(NamedTuple):
    """A word of a treebank's sentence. Words count from 1; `head` 0 is the root."""

    form: str
    lemma: str
    upos: str
    features: str
    head: int
    relation: str


def read_sentences(path):
    """The sentences of a CoNLL-U file. Multiword tokens and empty nodes are skipped: their parts are words."""
    sentences, words = [], []
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        if not line:
            if words:
                sentences.append(words)
            words = []
        elif not line.startswith("#"):
            number, form, lemma, upos, _, features, head, relation = line.split("\t")[:8]
            if number.isdigit():
                words.append(Word(form, lemma, upos, kept(features), int(head), relation))
    if words:
        sentences.append(words)
    return sentences


def kept(features):
    """The part of a FEATS column that the parser predicts, in the treebank's order."""
    parts = [part for part in features.split("|") if part.partition("=")[0] in KEPT_FEATURES]
    return "|".join(parts) or "_"


def lower_cased(sentence):
    """The sentence as somebody types it who never presses shift."""
    return [word._replace(form=word.form.lower()) for word in sentence]


def delete(sentence, indices):
    """The sentence without the words at these indices (from 0). Their dependents move to the next head that stays.

    Returns None where the root would go.
    """
    gone = set(indices)
    if any(sentence[index].head == 0 for index in gone):
        return None
    place, number = {0: 0}, 0
    for index in range(len(sentence)):
        if index not in gone:
            number += 1
            place[index + 1] = number

    def staying(head):
        while head - 1 in gone:
            head = sentence[head - 1].head
        return place[head]

    return [word._replace(head=staying(word.head)) for index, word in enumerate(sentence) if index not in gone]


# ---------------------------------------------------------------- lemmas


def lemma_script(form, lemma):
    """How to get from a word to its lemma: `CUT+APPEND`, counted in characters of the lower-cased form.

    "moved" → "move" is `1+`, "cities" → "city" is `3+y`.
    """
    form, lemma = form.lower(), lemma.lower()
    shared = 0
    while shared < min(len(form), len(lemma)) and form[shared] == lemma[shared]:
        shared += 1
    return f"{len(form) - shared}+{lemma[shared:]}"


def apply_lemma_script(form, script):
    """The lemma that a script gives. A script that cuts more than there is leaves the word as it is."""
    cut, _, ending = script.partition("+")
    form = form.lower()
    if int(cut) > len(form):
        return form
    return form[: len(form) - int(cut)] + ending or form


# ---------------------------------------------------------------- labels


class Labels:
    """The label vocabularies: a list for each kind, the most common label first."""

    KINDS = ("upos", "features", "relation", "lemma")

    def __init__(self, lists):
        self.lists = {kind: list(lists[kind]) for kind in self.KINDS}
        self.numbers = {kind: {label: i for i, label in enumerate(labels)} for kind, labels in self.lists.items()}

    @classmethod
    def of(cls, sentences):
        counts = {kind: Counter() for kind in cls.KINDS}
        for sentence in sentences:
            for word in sentence:
                counts["upos"][word.upos] += 1
                counts["features"][word.features] += 1
                counts["relation"][word.relation] += 1
                counts["lemma"][lemma_script(word.form, word.lemma)] += 1
        least = {"upos": 1, "features": RAREST_FEATURES, "relation": RAREST_RELATION, "lemma": RAREST_LEMMA}
        lists = {}
        for kind, count in counts.items():
            common = [(-n, label) for label, n in count.items() if n >= least[kind]]
            lists[kind] = [label for _, label in sorted(common)]
        return cls(lists)

    def relation(self, label):
        """The number of a relation, or of its universal part where the subtype is too rare to have one; else None."""
        numbers = self.numbers["relation"]
        return numbers.get(label, numbers.get(label.partition(":")[0]))

    def of_word(self, word):
        """The numbers of a word's labels; None where the vocabulary lacks one, which training then leaves out."""
        return (
            self.numbers["upos"].get(word.upos),
            self.numbers["features"].get(word.features),
            self.numbers["lemma"].get(lemma_script(word.form, word.lemma)),
            self.relation(word.relation),
        )
