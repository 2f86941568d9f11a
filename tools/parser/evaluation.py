"""Predicts with a trained network, and scores against a treebank."""

import numpy as np
import torch

from data import Word, apply_lemma_script
from decoding import best_heads

BATCH = 64


class Batch:
    """Sentences as tensors: features, mask and, where asked for, labels (-100 for none)."""

    def __init__(self, sentences, features, labels=None, unknown=0.0, random=None):
        count, longest = len(sentences), max(map(len, sentences))
        numbers = np.zeros((count, longest, features.NUMBERS), np.int64)
        static = np.zeros((count, longest, features.table.dimensions), np.float32)
        mask = np.zeros((count, longest), np.float32)
        gold = np.full((count, longest, 5), -100, np.int64)
        for i, sentence in enumerate(sentences):
            mask[i, : len(sentence)] = 1
            for j, word in enumerate(sentence):
                numbers[i, j], static[i, j] = features.of(word.form)
                if unknown and random.random() < unknown:
                    numbers[i, j, 0] = 0
                if labels:
                    upos, kept, lemma, relation = labels.of_word(word)
                    found = (upos, kept, lemma, relation, word.head)
                    gold[i, j] = [-100 if number is None else number for number in found]
        self.numbers, self.static, self.mask = (torch.from_numpy(x) for x in (numbers, static, mask))
        self.gold = torch.from_numpy(gold)
        self.lengths = [len(sentence) for sentence in sentences]


@torch.no_grad()
def predict(network, features, labels, sentences):
    """The sentences with the network's labels in place of their own."""
    network.eval()
    order = sorted(range(len(sentences)), key=lambda i: len(sentences[i]))
    result = [None] * len(sentences)
    for start in range(0, len(order), BATCH):
        places = order[start : start + BATCH]
        batch = Batch([sentences[i] for i in places], features)
        output = network(batch.numbers, batch.static, batch.mask)
        heads = torch.zeros(batch.mask.shape, dtype=torch.long)
        for row, length in enumerate(batch.lengths):
            heads[row, :length] = torch.tensor(best_heads(output.arcs[row, :length, : length + 1].double().numpy()))
        relations = network.relations(output, heads)
        root = labels.numbers["relation"]["root"]
        is_root = torch.arange(relations.shape[-1]) == root
        relations = relations.masked_fill(is_root & (heads > 0)[..., None], -1e9).argmax(-1)
        best = [scores.argmax(-1).numpy() for scores in (output.upos, output.features, output.lemma)]
        for row, place in enumerate(places):
            words = []
            for j, word in enumerate(sentences[place]):
                upos, kept, lemma = (labels.lists[k][b[row, j]] for k, b in zip(("upos", "features", "lemma"), best))
                head = int(heads[row, j])
                relation = labels.lists["relation"][relations[row, j]] if head else "root"
                lemma = word.form if upos == "PROPN" else apply_lemma_script(word.form, lemma)
                words.append(Word(word.form, lemma, upos, kept, head, relation))
            result[place] = words
    return result


def score(network, features, labels, gold):
    """Percent of words that are right. LAS is head and relation without subtype; `full` is head and whole relation."""
    right = dict.fromkeys(("UPOS", "feats", "lemma", "UAS", "LAS", "full"), 0)
    words = 0
    for expected, actual in zip(gold, predict(network, features, labels, gold)):
        for e, a in zip(expected, actual):
            words += 1
            attached = e.head == a.head
            right["UPOS"] += e.upos == a.upos
            right["feats"] += e.features == a.features
            right["lemma"] += e.lemma.lower() == a.lemma.lower()
            right["UAS"] += attached
            right["LAS"] += attached and e.relation.partition(":")[0] == a.relation.partition(":")[0]
            right["full"] += attached and e.relation == a.relation
    return {name: round(100 * count / words, 2) for name, count in right.items()}
