"""Scores a checkpoint, with its weights rounded as they ship, on a treebank file: as is, lower-cased, and as chat."""

import argparse
import pathlib
import random

import torch

from augmentation import chat
from data import lower_cased, read_sentences
from evaluation import predict, score
from export import round_weights, write_trees
from train import REPOSITORY, SEED, load


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("treebank", type=pathlib.Path, help="a CoNLL-U file")
    parser.add_argument("--table", type=pathlib.Path, default=REPOSITORY / "assets/embedding")
    parser.add_argument("--write", type=pathlib.Path, help="write the trees too, as the Rust test reads them")
    args = parser.parse_args()
    torch.set_num_threads(1)
    network, features, labels = load(args.checkpoint, args.table)
    print(f"{sum(p.numel() for p in network.parameters())} parameters")
    round_weights(network)
    gold = read_sentences(args.treebank)
    generator = random.Random(SEED)
    first_person = [sentence for sentence in gold if any("Person=1" in word.features for word in sentence)]
    variants = {
        "as is": gold,
        "lower-cased": [lower_cased(sentence) for sentence in gold],
        "as chat": [chat(sentence, generator) for sentence in gold],
        "first person": first_person,
    }
    for name, sentences in variants.items():
        print(name, score(network, features, labels, sentences), flush=True)
    if args.write:
        write_trees(args.write, predict(network, features, labels, gold))


if __name__ == "__main__":
    main()
