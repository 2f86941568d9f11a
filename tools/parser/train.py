"""Trains the tagger and parser, or its teacher, on a UD treebank; see README.md."""

import argparse
import itertools
import pathlib
import random

import torch

from augmentation import augmented
from data import Labels, lower_cased, read_sentences
from features import Features, StaticTable
from model import Network, Sizes
from teacher import Teacher
from training import fit, opinions_of

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SEED = 7
LONGEST = 80
# How many different augmented passes the teacher labels; the student sees them in turn.
TAUGHT_PASSES = 8
# The teacher's layers are trained already: they move more slowly than what is new above them.
MINILM_RATE = 2e-4


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--treebank", type=pathlib.Path, required=True, help="folder of train.conllu and dev.conllu")
    parser.add_argument("--table", type=pathlib.Path, default=REPOSITORY / "assets/embedding")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="the checkpoint to write")
    parser.add_argument("--what", choices=("parser", "teacher"), default="parser")
    parser.add_argument("--teacher", type=pathlib.Path, help="a teacher's checkpoint, for the parser to learn from")
    parser.add_argument("--start", type=pathlib.Path, help="a parser's checkpoint to go on from")
    parser.add_argument("--minutes", type=float, default=60, help="the learning rate falls to zero over this time")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--dropout", type=float, default=0.3)
    parser.add_argument("--width", type=int, default=Sizes().width)
    parser.add_argument("--blocks", default=Sizes().blocks)
    return parser.parse_args()


def vocabularies(treebank):
    """The labels and the words of the treebank, and of chat made from it."""
    wide = treebank + augmented(treebank, random.Random(SEED))
    return Labels.of(wide), Features.vocabulary(wide)


def plain_passes(treebank, generator):
    while True:
        yield [(sentence, None) for sentence in augmented(treebank, generator)]


def taught_passes(treebank, features, labels, path, generator):
    """Passes with a teacher's opinions, made once and then repeated."""
    stored = torch.load(path)
    teacher = Teacher(len(features.words), labels, features.table.tokenizer)
    teacher.load_state_dict(stored["weights"])
    made = []
    for number in range(TAUGHT_PASSES):
        made.append(opinions_of(teacher, features, labels, augmented(treebank, generator), generator))
        print(f"pass {number + 1} of {TAUGHT_PASSES} labelled by the teacher", flush=True)
    return itertools.cycle(made)


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    torch.manual_seed(SEED)
    generator = random.Random(SEED)
    treebank = [s for s in read_sentences(args.treebank / "train.conllu") if len(s) <= LONGEST]
    dev = read_sentences(args.treebank / "dev.conllu")
    begun = torch.load(args.start) if args.start else None
    labels, words = (Labels(begun["labels"]), begun["words"]) if begun else vocabularies(treebank)
    features = Features(words, StaticTable(args.table))
    sizes = Sizes(width=args.width, blocks=args.blocks)
    if args.what == "teacher":
        network = Teacher(len(words), labels, features.table.tokenizer, args.dropout)
        groups = [
            {"params": network.minilm.weights.parameters(), "lr": MINILM_RATE},
            {"params": network.network.parameters(), "lr": args.rate},
        ]
    else:
        network = Network(sizes, len(words), labels, features.table.dimensions, args.dropout)
        if begun:
            network.load_state_dict(begun["weights"])
        groups = [{"params": network.parameters(), "lr": args.rate}]
    groups = [{**group, "params": list(group["params"])} for group in groups]
    count = sum(parameter.numel() for group in groups for parameter in group["params"])
    print(f"{len(treebank)} sentences, {len(words)} words, {count} parameters", flush=True)
    if args.teacher:
        passes = taught_passes(treebank, features, labels, args.teacher, generator)
    else:
        passes = plain_passes(treebank, generator)
    fit(
        network,
        groups,
        features,
        labels,
        passes,
        args.minutes,
        generator,
        evaluate={"dev": dev, "lower": [lower_cased(s) for s in dev]},
        evaluate_every=1 if args.what == "teacher" else 3,
        save=lambda averaged: save(args.output, averaged, sizes, words, labels),
    )


def save(path, network, sizes, words, labels):
    stored = {"weights": network.state_dict(), "sizes": sizes._asdict(), "words": words, "labels": labels.lists}
    torch.save(stored, path)


def load(path, table):
    """A parser's checkpoint: its network, its features and its labels."""
    stored = torch.load(path)
    labels, sizes = Labels(stored["labels"]), Sizes(**stored["sizes"])
    features = Features(stored["words"], StaticTable(table))
    network = Network(sizes, len(features.words), labels, features.table.dimensions)
    network.load_state_dict(stored["weights"])
    return network.eval(), features, labels


if __name__ == "__main__":
    main()
