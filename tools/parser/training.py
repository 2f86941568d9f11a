"""The training loop that the small network and its teacher share, and their losses."""

import copy
import math
import time
from typing import NamedTuple

import torch
import torch.nn.functional as F

from evaluation import Batch, score

BATCH_WORDS = 1200
WARM_UP = 300
# How many known words are shown as unknown, so that the network learns to do without.
UNKNOWN = 0.12
# The weights that are kept are an average over about the last 1 / (1 - AVERAGED) steps.
AVERAGED = 0.998
# How much each task counts beside the arcs and the labels.
UPOS, FEATURES, LEMMA = 0.6, 0.4, 0.3
# How much the teacher's opinion counts against the treebank's labels.
TAUGHT = 0.5


class Opinion(NamedTuple):
    """A teacher's scores for the words of one sentence, in half precision. Label scores are those under the gold head."""

    arcs: torch.Tensor
    relation: torch.Tensor
    upos: torch.Tensor
    features: torch.Tensor
    lemma: torch.Tensor


def batches(items, length, generator):
    """Items of like length together, at most `BATCH_WORDS` words with padding, in random order."""
    order = sorted(items, key=lambda item: length(item) + generator.random() * 3)
    result, current = [], []
    for item in order:
        if current and (len(current) + 1) * length(item) > BATCH_WORDS:
            result.append(current)
            current = []
        current.append(item)
    result.append(current)
    generator.shuffle(result)
    return result


def scores_of(network, sentences, batch):
    """Arc, label (under the gold heads), tag, feature and lemma scores, and the gold numbers in the same order."""
    output = network.run(sentences, batch)
    upos, kept, lemma, relation, heads = batch.gold.unbind(-1)
    relations = network.relations(output, heads.clamp(min=0))
    scores = (output.arcs, relations, output.upos, output.features, output.lemma)
    return scores, (heads, relation, upos, kept, lemma)


def loss_of(network, sentences, batch, opinions=None):
    """The weighted sum of the tasks' losses; half of each against the teacher's opinions where there are some."""
    scores, gold = scores_of(network, sentences, batch)
    total = 0.0
    for task, weight in enumerate((1.0, 1.0, UPOS, FEATURES, LEMMA)):
        loss = F.cross_entropy(scores[task].flatten(0, 1), gold[task].flatten(), ignore_index=-100)
        if opinions:
            present = batch.mask.bool()
            taught = padded([opinion[task] for opinion in opinions], scores[task].shape)
            soft = F.cross_entropy(scores[task][present], taught[present].softmax(-1))
            loss = (1 - TAUGHT) * loss + TAUGHT * soft
        total = total + weight * loss
    return total


def padded(parts, shape):
    """The scores of single sentences as one batch; what is beyond a sentence cannot be chosen."""
    result = torch.full(shape, -1e4)
    for row, part in enumerate(parts):
        result[row, : part.shape[0], : part.shape[1]] = part.float()
    return result


@torch.no_grad()
def opinions_of(teacher, features, labels, sentences, generator):
    """The sentences, each with the teacher's opinion of it."""
    teacher.eval()
    result = []
    for group in batches(sentences, len, generator):
        scores, _ = scores_of(teacher, group, Batch(group, features, labels))
        for row, sentence in enumerate(group):
            n = len(sentence)
            arcs, *others = (task[row, :n].half() for task in scores)
            result.append((sentence, Opinion(arcs[:, : n + 1].clone(), *(task.clone() for task in others))))
    return result


@torch.no_grad()
def average(averaged, network, step):
    """Moves the averaged weights towards the current ones; faster at first."""
    share = min(AVERAGED, (1 + step) / (10 + step))
    for old, new in zip(averaged.parameters(), network.parameters()):
        old.lerp_(new, 1 - share)


def fit(network, groups, features, labels, passes, minutes, generator, evaluate, evaluate_every, save):
    """Trains for some minutes; the learning rates of `groups` fall to zero as a cosine. Gives the averaged network.

    `passes` yields, without end, a pass over the data: sentences, each with a teacher's opinion or None.
    """
    averaged = copy.deepcopy(network)
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.01)
    rates = [group["lr"] for group in optimizer.param_groups]
    start, step, progress = time.time(), 0, 0.0
    for epoch, items in enumerate(passes, 1):
        total = 0.0
        first_step = step
        for group in batches(items, lambda item: len(item[0]), generator):
            progress = (time.time() - start) / (60 * minutes)
            if progress >= 1:
                break
            step += 1
            share = min(step / WARM_UP, 1) * 0.5 * (1 + math.cos(math.pi * progress))
            for part, rate in zip(optimizer.param_groups, rates):
                part["lr"] = rate * share
            network.train()
            sentences, opinions = zip(*group)
            batch = Batch(sentences, features, labels, UNKNOWN, generator)
            loss = loss_of(network, sentences, batch, opinions if opinions[0] else None)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
            optimizer.step()
            average(averaged, network, step)
            total += loss.item()
        report = f"epoch {epoch}, {time.time() - start:.0f} s, loss {total / max(step - first_step, 1):.3f}"
        if epoch % evaluate_every == 0 or progress >= 1:
            for name, sentences in evaluate.items():
                report += f", {name} {score(averaged, features, labels, sentences)}"
            save(averaged)
        print(report, flush=True)
        if progress >= 1:
            return averaged
    return averaged
