"""Writes a trained parser into the files that the service compiles in: `assets/parser`. See README.md.

Tables and matrices become signed bytes with a scale for each row; `src/inference/tensors.rs` describes the file. The
reference trees are what the network gives with exactly those weights, for the tests of `src/parser`.
"""

import argparse
import pathlib
import struct

import numpy as np
import torch

from data import Labels, Word
from evaluation import predict
from train import REPOSITORY, load

MAGIC = b"MSTENSR1"
FLOATS, BYTES = 0, 1
SENTENCES = pathlib.Path(__file__).with_name("reference_sentences.txt")


def is_rounded(name, value):
    return name.endswith(".weight") and value.dim() == 2


def round_weights(network):
    """Rounds every matrix to bytes with a scale for each row, in place. Gives scale and bytes by name."""
    rounded = {}
    for name, value in network.state_dict().items():
        if is_rounded(name, value):
            scale = (value.abs().amax(1) / 127).clamp(min=1e-12).float()
            steps = (value / scale[:, None]).round().clamp(-127, 127)
            value.copy_(steps * scale[:, None])
            rounded[name] = (scale.numpy().astype("<f4"), steps.numpy().astype(np.int8))
    return rounded


def write_tensors(path, network, rounded):
    directory, data = b"", b""
    tensors = network.state_dict()
    for name, value in tensors.items():
        rows, columns = value.shape if value.dim() == 2 else (1, len(value))
        kind = BYTES if name in rounded else FLOATS
        directory += struct.pack("<BIIB", kind, rows, columns, len(name)) + name.encode()
        if kind == BYTES:
            data += b"".join(part.tobytes() for part in rounded[name])
        else:
            data += value.numpy().astype("<f4").tobytes()
    path.write_bytes(MAGIC + struct.pack("<I", len(tensors)) + directory + data)


def write_trees(path, trees):
    """A line for each word: form, tag, features, lemma, head, relation; an empty line behind each sentence."""
    lines = []
    for tree in trees:
        for w in tree:
            lines.append("\t".join((w.form, w.upos, w.features, w.lemma, str(w.head), w.relation)))
        lines.append("")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("--table", type=pathlib.Path, default=REPOSITORY / "assets/embedding")
    parser.add_argument("--output", type=pathlib.Path, default=REPOSITORY / "assets/parser")
    args = parser.parse_args()
    torch.set_num_threads(1)
    network, features, labels = load(args.checkpoint, args.table)
    args.output.mkdir(parents=True, exist_ok=True)
    write_tensors(args.output / "weights.bin", network, round_weights(network))
    (args.output / "words.txt").write_text("".join(f"{word}\n" for word in features.words), encoding="utf-8")
    lines = [f"{kind}\t{label}\n" for kind in Labels.KINDS for label in labels.lists[kind]]
    (args.output / "labels.tsv").write_text("".join(lines), encoding="utf-8")
    sentences = [
        [Word(form, "", "", "", 0, "") for form in line.split()]
        for line in SENTENCES.read_text(encoding="utf-8").splitlines()
    ]
    write_trees(args.output / "reference.tsv", predict(network, features, labels, sentences))


if __name__ == "__main__":
    main()
