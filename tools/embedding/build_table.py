"""Builds the static embedding table that MemSync ships: one int8 vector for each word piece.

A text's vector is the normalised sum of its pieces' rows, so the whole model is a table. It is distilled from a small
sentence transformer (the teacher) in four steps, see README.md:

1. `piece_table`: each piece alone through the teacher, centred, PCA, damped by how common the piece is.
2. `training_texts`: definitions and example sentences of WordNet; the teacher embeds them.
3. `fit_table`: the table is rotated into the teacher's space and corrected until pooled rows give the teacher's vectors.
4. `write_assets`: int8 with a scale for each row, the vocabulary, a manifest, reference vectors for the tests.
"""

import os

# One thread and one order of additions: the same machine gives the same bytes.
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "TOKENIZERS_PARALLELISM"):
    os.environ[variable] = "false" if variable.startswith("TOKENIZERS") else "1"

import argparse
import collections
import hashlib
import importlib.util
import json
import pathlib
import random
import re
import struct
import sys
import time
import zipfile

import numpy as np
import scipy.linalg
import scipy.sparse
import scipy.special
import tokenizers

MODEL = "memsync-static-v1-256"
TEACHER_PACKAGE = "all_minilm_l6_v2"
DIMENSIONS = 256
SEED = 20231
EXAMPLES, DEFINITIONS = 20_000, 20_000
DAMPING = 1e-4
RIDGE, PENALTY, ITERATIONS, ROUNDS = 1e-3, 0.3, 30, 2
TOLERANCE = 0.02
MAGIC = b"MSTABLE1"
CLS, SEP = 101, 102
# The vocabulary lists specials and unused slots first, then characters, then words, the most common first.
FIRST_CHARACTER = 999
REFERENCE_TEXTS = [
    "Priya adopted a kitten on 4 July 2021",
    "I just got promoted to Senior Engineer at Google.",
    "What does she like to eat?",
    "Où est-ce que j'ai rangé le café naïve?",
    "unbelievably electroencephalographic",
    "Tom's dog 🐶 barks!",
]


# ---------------------------------------------------------------- the teacher


class Teacher:
    """all-MiniLM-L6-v2: six BERT layers of width 384, mean of the outputs, unit length. Plain numpy, float32."""

    LAYERS, HEADS, WIDTH = 6, 12, 384

    def __init__(self):
        folder = pathlib.Path(importlib.util.find_spec(TEACHER_PACKAGE).origin).parent
        with zipfile.ZipFile(folder / "model.zip") as model:
            self.weights = read_safetensors(model.read("model.safetensors"))
            self.vocabulary = vocabulary_of(json.loads(model.read("tokenizer.json")))
        self.tokenizer = wordpiece_tokenizer(self.vocabulary)

    def pieces(self, texts):
        """The pieces of each text, at most 126, without [CLS] and [SEP]."""
        return [encoding.ids[:126] for encoding in self.tokenizer.encode_batch(texts, add_special_tokens=False)]

    def embed(self, piece_lists, batch=128, log=None):
        """Unit vectors of texts given as pieces. Only texts of one length share a batch, so nothing is masked."""
        by_length = collections.defaultdict(list)
        for index, ids in enumerate(piece_lists):
            by_length[len(ids)].append(index)
        vectors = np.zeros((len(piece_lists), self.WIDTH), np.float32)
        done, started = 0, time.time()
        for length in sorted(by_length):
            members = by_length[length]
            for start in range(0, len(members), batch):
                chosen = members[start : start + batch]
                ids = np.array([[CLS, *piece_lists[index], SEP] for index in chosen])
                pooled = self._forward(ids).mean(axis=1)
                vectors[chosen] = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
                done += len(chosen)
            if log:
                print(f"  {log}: {done} of {len(piece_lists)}, {time.time() - started:.0f} s", file=sys.stderr)
        return vectors

    def _forward(self, ids):
        count, length = ids.shape
        w = self.weights
        x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][:length]
        x = x + w["embeddings.token_type_embeddings.weight"][0]
        x = self._layer_norm(x, "embeddings.LayerNorm").reshape(count * length, self.WIDTH)
        size = self.WIDTH // self.HEADS
        for layer in range(self.LAYERS):
            name = f"encoder.layer.{layer}."
            query, key, value = (
                self._linear(x, f"{name}attention.self.{part}")
                .reshape(count, length, self.HEADS, size)
                .transpose(0, 2, 1, 3)
                for part in ("query", "key", "value")
            )
            scores = query @ key.transpose(0, 1, 3, 2) / np.float32(size**0.5)
            scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
            scores /= scores.sum(axis=-1, keepdims=True)
            mixed = (scores @ value).transpose(0, 2, 1, 3).reshape(count * length, self.WIDTH)
            mixed = self._linear(mixed, name + "attention.output.dense")
            x = self._layer_norm(x + mixed, name + "attention.output.LayerNorm")
            inner = self._linear(x, name + "intermediate.dense")
            inner *= np.float32(0.5) * (1 + scipy.special.erf(inner * np.float32(0.5**0.5)))
            x = self._layer_norm(x + self._linear(inner, name + "output.dense"), name + "output.LayerNorm")
        return x.reshape(count, length, self.WIDTH)

    def _linear(self, x, name):
        return x @ self.weights[name + ".weight"].T + self.weights[name + ".bias"]

    def _layer_norm(self, x, name):
        x = x - x.mean(axis=-1, keepdims=True)
        x /= np.sqrt((x * x).mean(axis=-1, keepdims=True) + np.float32(1e-12))
        return x * self.weights[name + ".weight"] + self.weights[name + ".bias"]


def read_safetensors(data):
    """Name → float32 array. The format: a length, a JSON header with offsets, the bytes."""
    (length,) = struct.unpack_from("<Q", data)
    body, tensors = 8 + length, {}
    for name, entry in json.loads(data[8:body]).items():
        if entry.get("dtype") == "F32":
            begin, end = entry["data_offsets"]
            tensors[name] = np.frombuffer(data[body + begin : body + end], "<f4").reshape(entry["shape"])
    return tensors


def vocabulary_of(tokenizer_json):
    """The pieces in the order of their ids."""
    by_piece = tokenizer_json["model"]["vocab"]
    pieces = sorted(by_piece, key=by_piece.get)
    assert [by_piece[piece] for piece in pieces] == list(range(len(pieces)))
    return pieces


def wordpiece_tokenizer(vocabulary):
    """The same rules as `src/providers/static_table.rs`."""
    ids = {piece: index for index, piece in enumerate(vocabulary)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    return tokenizer


# ---------------------------------------------------------------- step 1: pieces alone


def piece_frequency(size):
    """A guess at how often each piece occurs, from Zipf's law over its place in the vocabulary."""
    rank = np.arange(size) - FIRST_CHARACTER + 1.0
    share = np.where(rank > 0, 1 / np.maximum(rank, 1), 0)
    return share / share.sum()


def piece_table(teacher):
    """One weighted vector for each piece: the teacher's vector, centred, PCA, times a / (a + p)."""
    size = len(teacher.vocabulary)
    vectors = np.zeros((size, Teacher.WIDTH), np.float64)
    real = np.arange(FIRST_CHARACTER, size)
    vectors[real] = teacher.embed([[piece] for piece in real], log="pieces")
    vectors[real] -= vectors[real].mean(axis=0)
    table = vectors @ principal_axes(vectors[real])
    return table * (DAMPING / (DAMPING + piece_frequency(size)))[:, None]


def principal_axes(centred):
    """The axes of most variance as columns, each turned so that its largest entry is positive."""
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :DIMENSIONS]
    largest = np.abs(axes).argmax(axis=0)
    return axes * np.sign(axes[largest, np.arange(axes.shape[1])])


# ---------------------------------------------------------------- step 2: texts


def wordnet_texts(folder):
    """Definitions and example sentences of WordNet, sorted, each once."""
    definitions, examples = set(), set()
    for part in ("adj", "adv", "noun", "verb"):
        for line in (folder / f"data.{part}").read_text("utf-8", "replace").splitlines():
            if line.startswith(" ") or " | " not in line:
                continue
            gloss = line.split(" | ", 1)[1].strip()
            examples.update(quote.strip(" ;,") for quote in re.findall(r'"([^"]+)"', gloss))
            definitions.add(re.sub(r'\s*[;:,]?\s*"[^"]*"?(\s*-[^;]*)?', "", gloss).strip(" ;,"))
    return sorted(t for t in definitions if " " in t), sorted(t for t in examples if " " in t)


def training_texts(folder):
    """The texts that the teacher embeds."""
    chance = random.Random(SEED)
    definitions, examples = wordnet_texts(folder)
    return chance.sample(examples, EXAMPLES) + chance.sample(definitions, DEFINITIONS)


# ---------------------------------------------------------------- step 3: the fit


def pooling(piece_lists, size):
    """One row a text: how often each piece occurs in it, over the number of its pieces."""
    starts = np.cumsum([0, *map(len, piece_lists)])
    values = np.concatenate([np.full(len(ids), 1 / max(len(ids), 1)) for ids in piece_lists])
    columns = np.concatenate([np.array(ids, int) for ids in piece_lists])
    matrix = scipy.sparse.csr_matrix((values, columns, starts), shape=(len(piece_lists), size))
    matrix.sum_duplicates()
    return matrix


def fit_table(table, pools, targets):
    """Rotates the table into the targets' space, then adds the smallest correction that the texts ask for.

    Only directions count in the end, so a second round weighs each text such that its vector has its target's length.
    """
    wanted = np.linalg.norm(targets, axis=1)
    for round_number in range(ROUNDS):
        start = pools @ table
        gram = start.T @ start
        gram += RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
        table = table @ scipy.linalg.solve(gram, start.T @ targets, assume_a="pos")
        table = table + conjugate_gradients(pools, pools.T @ (targets - pools @ table))
        reached = np.linalg.norm(pools @ table, axis=1)
        pools = (scipy.sparse.diags_array(np.minimum(wanted / np.maximum(reached, 1e-3), 5)) @ pools).tocsr()
        print(f"  fit: round {round_number + 1} of {ROUNDS}", file=sys.stderr)
    return table


def conjugate_gradients(pools, right):
    """D with (X'X + PENALTY) D = right, every column at once."""
    transposed = pools.T.tocsr()
    solution, residual, direction = np.zeros_like(right), right, right
    square = (residual * residual).sum(axis=0)
    for _ in range(ITERATIONS):
        image = transposed @ (pools @ direction) + PENALTY * direction
        step = square / (direction * image).sum(axis=0)
        solution = solution + step * direction
        residual = residual - step * image
        before, square = square, (residual * residual).sum(axis=0)
        direction = residual + square / before * direction
    return solution


# ---------------------------------------------------------------- step 4: files


def quantise(table):
    """int8 rows and one scale a row, so that a rare piece keeps as many steps as a common one."""
    scales = (np.abs(table).max(axis=1) / 127).astype(np.float32)
    steps = np.where(scales > 0, scales, 1).astype(np.float64)
    return scales, np.rint(table / steps[:, None]).astype(np.int8)


def table_bytes(scales, rows):
    """Little-endian: magic (8), rows u32, dimensions u32, model name (32, zero-padded), f32 scales, int8 rows."""
    header = MAGIC + struct.pack("<II32s", *rows.shape, MODEL.encode())
    return header + scales.astype("<f4").tobytes() + rows.tobytes()


def read_table(data):
    """The table that `table_bytes` wrote, as float64."""
    rows, dimensions = struct.unpack_from("<II", data, 8)
    scales = np.frombuffer(data, "<f4", rows, 48).astype(np.float64)
    return np.frombuffer(data, np.int8, rows * dimensions, 48 + 4 * rows).reshape(rows, dimensions) * scales[:, None]


def embed_with(table, piece_lists):
    """What the Rust side computes: the sum of the rows, to unit length; zeros where nothing is known."""
    vectors = np.stack([table[np.array(ids[:512], int)].sum(axis=0) for ids in piece_lists])
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(norms > 0, norms, 1)


def write_assets(folder, teacher, table):
    """Writes the table, the vocabulary, the manifest and the reference vectors; returns the table's SHA-256."""
    data = table_bytes(*quantise(table))
    digest = hashlib.sha256(data).hexdigest()
    vocabulary = ("\n".join(teacher.vocabulary) + "\n").encode()
    manifest = {
        "model": MODEL,
        "dimensions": DIMENSIONS,
        "pieces": len(teacher.vocabulary),
        "table_sha256": digest,
        "vocabulary_sha256": hashlib.sha256(vocabulary).hexdigest(),
    }
    vectors = embed_with(read_table(data), teacher.pieces(REFERENCE_TEXTS))
    reference = [{"text": t, "vector": [round(x, 5) for x in v]} for t, v in zip(REFERENCE_TEXTS, vectors.tolist())]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table.bin").write_bytes(data)
    (folder / "vocab.txt").write_bytes(vocabulary)
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) for entry in reference)
    (folder / "reference.json").write_text(f"[\n{lines}\n]\n", "utf-8")
    return digest


# ---------------------------------------------------------------- the whole


def build(wordnet, teacher):
    """The finished table, float64."""
    alone = piece_table(teacher)
    pieces = teacher.pieces(training_texts(wordnet))
    targets = teacher.embed(pieces, log="texts").astype(np.float64)
    targets -= targets.mean(axis=0)
    table = fit_table(alone, pooling(pieces, len(alone)), targets @ principal_axes(targets))
    table[:FIRST_CHARACTER] = 0  # specials and unused slots say nothing
    return table


def compare(built, committed, teacher):
    """Largest differences of table entries, relative to the largest entry, and of cosines between reference texts."""
    entries = np.abs(built - committed).max() / np.abs(committed).max()
    ours, theirs = (embed_with(table, teacher.pieces(REFERENCE_TEXTS)) for table in (built, committed))
    return entries, np.abs(ours @ ours.T - theirs @ theirs.T).max()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wordnet", type=pathlib.Path, default=pathlib.Path("/usr/share/wordnet"))
    parser.add_argument("--output", type=pathlib.Path, required=True, help="folder for the four files")
    parser.add_argument(
        "--check", type=pathlib.Path, metavar="TABLE", help="compare with this table.bin, within TOLERANCE"
    )
    arguments = parser.parse_args()
    teacher = Teacher()
    print(write_assets(arguments.output, teacher, build(arguments.wordnet, teacher)))
    if arguments.check:
        built = read_table((arguments.output / "table.bin").read_bytes())
        entries, cosines = compare(built, read_table(arguments.check.read_bytes()), teacher)
        print(f"entries differ by at most {entries:.2e} of the largest, cosines by at most {cosines:.2e}")
        sys.exit(1 if max(entries, cosines) > TOLERANCE else 0)


if __name__ == "__main__":
    main()
