"""What the network sees of a word. `src/parser/features.rs` computes the same; change both together."""

import struct
from collections import Counter

import numpy as np
import tokenizers

# Rows of the hashed table of prefixes and suffixes, of the table of shapes.
AFFIX_ROWS, SHAPES = 4096, 24
# A word of the vocabulary occurs at least this often in training. Row 0 is for all others.
RAREST_WORD = 3
CURLY = str.maketrans({"’": "'", "‘": "'", "`": "'", "“": '"', "”": '"'})


def key(form):
    """What words are looked up by: lower case, straight quotes, every ASCII digit a 0."""
    return "".join("0" if "0" <= c <= "9" else c for c in form.lower().translate(CURLY))


def fnv1a(text):
    """The 32-bit FNV-1a hash of a text's UTF-8 bytes."""
    value = 0x811C9DC5
    for byte in text.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def affixes(word):
    """Rows of the hashed table for a key's last two, three and four characters and its first three."""
    parts = (f"2{word[-2:]}", f"3{word[-3:]}", f"4{word[-4:]}", f"p{word[:3]}")
    return [fnv1a(part) % AFFIX_ROWS for part in parts]


def shape(form):
    """A number below `SHAPES` for how the word is written: its case, whether it has digits, ASCII punctuation."""
    upper, lower = sum(c.isupper() for c in form), sum(c.islower() for c in form)
    if upper == 0:
        case = 1 if lower else 0
    elif upper == 1 and form[0].isupper():
        case = 2 if lower else 3
    else:
        case = 4 if lower == 0 else 5
    digit = any("0" <= c <= "9" for c in form)
    mark = any(c.isascii() and c.isprintable() and not c.isalnum() and c != " " for c in form)
    return case * 4 + digit * 2 + mark


class StaticTable:
    """The service's built-in embedding table: a word's vector is the sum of its pieces' rows, brought to length 1."""

    HEADER = 8 + 4 + 4 + 32

    def __init__(self, folder):
        data = (folder / "table.bin").read_bytes()
        if data[:8] != b"MSTABLE1":
            raise ValueError(f"{folder}/table.bin is not an embedding table")
        rows, self.dimensions = struct.unpack("<II", data[8:16])
        scales = np.frombuffer(data, "<f4", rows, self.HEADER)
        values = np.frombuffer(data, np.int8, rows * self.dimensions, self.HEADER + 4 * rows)
        self.rows = values.reshape(rows, self.dimensions).astype(np.float32) * scales[:, None]
        pieces = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
        model = tokenizers.models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]")
        self.tokenizer = tokenizers.Tokenizer(model)
        self.tokenizer.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True, strip_accents=None)
        self.tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()

    def vector(self, form):
        """The word's unit vector; zeros where no piece is known."""
        total = self.rows[self.tokenizer.encode(form, add_special_tokens=False).ids].sum(0)
        length = np.sqrt((total * total).sum())
        return total / length if length > 0 else total


class Features:
    """Turns words into the network's inputs, and remembers words it has seen."""

    # Columns of the numbers: the word's row, four affixes, the shape.
    NUMBERS = 6

    def __init__(self, words, table):
        self.words = words
        self.numbers = {word: i + 1 for i, word in enumerate(words)}
        self.table = table
        self.seen = {}

    @staticmethod
    def vocabulary(sentences):
        counts = Counter(key(word.form) for sentence in sentences for word in sentence)
        return sorted((w for w, n in counts.items() if n >= RAREST_WORD), key=lambda w: (-counts[w], w))

    def of(self, form):
        """The word's numbers and its static vector."""
        found = self.seen.get(form)
        if found is None:
            word = key(form)
            numbers = np.array([self.numbers.get(word, 0), *affixes(word), shape(form)], np.int64)
            found = self.seen[form] = (numbers, self.table.vector(form))
        return found
