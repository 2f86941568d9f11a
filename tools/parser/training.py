"""The training loop and its loss."""

import copy
import math
import time

import torch
import torch.nn.functional as F

from evaluation import Batch, score

BATCH_WORDS = 1200
WARM_UP = 300
# How many known words are shown as unknown, so that the network learns to do without.
UNKNOWN = 0.12
# The weights that are kept are an average over about the last 1 / (1 - AVERAGED) steps.
AVERAGED = 0.998
# After how many passes the network is scored and saved.
EVALUATED = 3
# How much each task counts beside the arcs and the labels.
UPOS, FEATURES, LEMMA = 0.6, 0.4, 0.3


def batches(sentences, generator):
    """Sentences of like length together, at most `BATCH_WORDS` words with padding, in random order."""
    order = sorted(sentences, key=lambda sentence: len(sentence) + generator.random() * 3)
    result, current = [], []
    for sentence in order:
        if current and (len(current) + 1) * len(sentence) > BATCH_WORDS:
            result.append(current)
            current = []
        current.append(sentence)
    result.append(current)
    generator.shuffle(result)
    return result


def loss_of(network, batch):
    """The weighted sum of the tasks' losses; labels are scored under the gold heads."""
    output = network(batch.numbers, batch.static, batch.mask)
    upos, kept, lemma, relation, heads = batch.gold.unbind(-1)
    relations = network.relations(output, heads.clamp(min=0))
    tasks = (
        (1.0, output.arcs, heads),
        (1.0, relations, relation),
        (UPOS, output.upos, upos),
        (FEATURES, output.features, kept),
        (LEMMA, output.lemma, lemma),
    )
    return sum(
        weight * F.cross_entropy(scores.flatten(0, 1), right.flatten(), ignore_index=-100)
        for weight, scores, right in tasks
    )


@torch.no_grad()
def average(averaged, network, step):
    """Moves the averaged weights towards the current ones; faster at first."""
    share = min(AVERAGED, (1 + step) / (10 + step))
    for old, new in zip(averaged.parameters(), network.parameters()):
        old.lerp_(new, 1 - share)


def fit(network, features, labels, passes, rate, minutes, generator, evaluate, save):
    """Trains for some minutes, while the learning rate falls to zero as a cosine; evaluates and saves now and then.

    `passes` yields, without end, a pass over the data. `evaluate` has the sentences to score, by name. What is
    scored and saved is the average of the weights.
    """
    averaged = copy.deepcopy(network)
    optimizer = torch.optim.AdamW(network.parameters(), betas=(0.9, 0.98), weight_decay=0.01)
    start, step, progress = time.time(), 0, 0.0
    for epoch, sentences in enumerate(passes, 1):
        total, first_step = 0.0, step
        for group in batches(sentences, generator):
            progress = (time.time() - start) / (60 * minutes)
            if progress >= 1:
                break
            step += 1
            for part in optimizer.param_groups:
                part["lr"] = rate * min(step / WARM_UP, 1) * 0.5 * (1 + math.cos(math.pi * progress))
            network.train()
            loss = loss_of(network, Batch(group, features, labels, UNKNOWN, generator))
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
            optimizer.step()
            average(averaged, network, step)
            total += loss.item()
        report = f"epoch {epoch}, {time.time() - start:.0f} s, loss {total / max(step - first_step, 1):.3f}"
        if epoch % EVALUATED == 0 or progress >= 1:
            for name, gold in evaluate.items():
                report += f", {name} {score(averaged, features, labels, gold)}"
            save(averaged)
        print(report, flush=True)
        if progress >= 1:
            return
