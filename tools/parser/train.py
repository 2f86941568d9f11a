"""Trains the tagger and parser on a UD treebank; see README.md."""

import argparse
import pathlib
import random

import torch

from augmentation import augmented
from data import Labels, lower_cased, read_sentences
from features import Features, StaticTable
from model import Network, Sizes
from training import fit

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SEED = 7
# Words of a training sentence; longer ones are left out.
LONGEST = 80


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--treebank", type=pathlib.Path, required=True, help="folder of train.conllu and dev.conllu")
    parser.add_argument("--table", type=pathlib.Path, default=REPOSITORY / "assets/embedding")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="the checkpoint to write")
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


def passes(treebank, generator):
    while True:
        yield augmented(treebank, generator)


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    torch.manual_seed(SEED)
    generator = random.Random(SEED)
    treebank = [s for s in read_sentences(args.treebank / "train.conllu") if len(s) <= LONGEST]
    dev = read_sentences(args.treebank / "dev.conllu")
    if args.start:
        network, features, labels = load(args.start, args.table)
    else:
        labels, words = vocabularies(treebank)
        features = Features(words, StaticTable(args.table))
        sizes = Sizes(width=args.width, blocks=args.blocks)
        network = Network(sizes, len(words), labels, features.table.dimensions, args.dropout)
    count = sum(parameter.numel() for parameter in network.parameters())
    print(f"{len(treebank)} sentences, {len(features.words)} words, {count} parameters", flush=True)
    fit(
        network,
        features,
        labels,
        passes(treebank, generator),
        args.rate,
        args.minutes,
        generator,
        evaluate={"dev": dev, "lower-cased": [lower_cased(s) for s in dev]},
        save=lambda averaged: save(args.output, averaged, features.words, labels),
    )


def save(path, network, words, labels):
    stored = {
        "weights": network.state_dict(),
        "sizes": network.sizes._asdict(),
        "words": words,
        "labels": labels.lists,
    }
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
