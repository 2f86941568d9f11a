"""A larger parser to learn from: all-MiniLM-L6-v2, fine-tuned under the same heads.

The small network is trained on the treebank's labels and on what this one thinks of the same sentences, which is worth
about a point of LAS. Nothing of the teacher ships.
"""

import importlib.util
import json
import pathlib
import zipfile

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from model import Network, Sizes

PACKAGE = "all_minilm_l6_v2"
# MiniLM has six layers; the upper ones say more of the topic than of the syntax.
LAYERS, HEADS, WIDTH = 4, 12, 384
CLS, SEP, UNKNOWN = 101, 102, 100
LONGEST_WORD = 6
# Of the layers above MiniLM.
SIZES = Sizes(width=256, blocks="conv", arc=192, label=192)


class MiniLM(nn.Module):
    """The lower BERT layers; weights under the names of the published model."""

    def __init__(self):
        super().__init__()
        folder = pathlib.Path(importlib.util.find_spec(PACKAGE).origin).parent
        with zipfile.ZipFile(folder / "model.zip") as model:
            tensors = read_safetensors(model.read("model.safetensors"))
        self.embedding = nn.Parameter(tensors["embeddings.word_embeddings.weight"], requires_grad=False)
        self.weights = nn.ParameterDict(
            {name.replace(".", "/"): nn.Parameter(tensor) for name, tensor in tensors.items() if is_used(name)}
        )

    def linear(self, x, name):
        return F.linear(x, self.weights[f"{name}/weight"], self.weights[f"{name}/bias"])

    def norm(self, x, name):
        return F.layer_norm(x, (WIDTH,), self.weights[f"{name}/weight"], self.weights[f"{name}/bias"], 1e-12)

    def forward(self, pieces, mask):
        batch, length = pieces.shape
        x = self.embedding[pieces] + self.weights["embeddings/position_embeddings/weight"][:length]
        x = self.norm(x + self.weights["embeddings/token_type_embeddings/weight"][0], "embeddings/LayerNorm")
        for layer in range(LAYERS):
            at = f"encoder/layer/{layer}"
            q, k, v = (
                self.linear(x, f"{at}/attention/self/{part}").view(batch, length, HEADS, -1).transpose(1, 2)
                for part in ("query", "key", "value")
            )
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :].bool())
            mixed = self.linear(mixed.transpose(1, 2).reshape(batch, length, WIDTH), f"{at}/attention/output/dense")
            x = self.norm(x + F.dropout(mixed, 0.1, self.training), f"{at}/attention/output/LayerNorm")
            inner = F.gelu(self.linear(x, f"{at}/intermediate/dense"))
            inner = F.dropout(self.linear(inner, f"{at}/output/dense"), 0.1, self.training)
            x = self.norm(x + inner, f"{at}/output/LayerNorm")
        return x


def is_used(name):
    parts = name.split(".")
    return int(parts[2]) < LAYERS if parts[0] == "encoder" else "word_embeddings" not in name


class Teacher(nn.Module):
    """MiniLM's vector of each word in its sentence in the place of the static one."""

    def __init__(self, words, labels, tokenizer, dropout=0.3):
        super().__init__()
        self.tokenizer = tokenizer
        self.minilm = MiniLM()
        self.network = Network(SIZES, words, labels, WIDTH, dropout)
        self.pieces_of = {}

    def pieces(self, form):
        found = self.pieces_of.get(form)
        if found is None:
            ids = self.tokenizer.encode(form, add_special_tokens=False).ids[:LONGEST_WORD]
            found = self.pieces_of[form] = ids or [UNKNOWN]
        return found

    def run(self, sentences, batch):
        """The outputs for a batch made of these sentences."""
        rows, spans = [], []
        for sentence in sentences:
            row = [CLS]
            for word in sentence:
                ids = self.pieces(word.form)
                spans.append((len(row), len(ids)))
                row += ids
            rows.append(row + [SEP])
        longest = max(map(len, rows))
        pieces = np.zeros((len(rows), longest), np.int64)
        mask = np.zeros((len(rows), longest), np.float32)
        # `pool[b, w, p]`: how much of piece p is in word w.
        pool = np.zeros((len(rows), batch.mask.shape[1], longest), np.float32)
        span = iter(spans)
        for b, (row, sentence) in enumerate(zip(rows, sentences)):
            pieces[b, : len(row)], mask[b, : len(row)] = row, 1
            for w in range(len(sentence)):
                start, count = next(span)
                pool[b, w, start : start + count] = 1 / count
        with torch.autocast("cpu", torch.bfloat16):
            hidden = self.minilm(torch.from_numpy(pieces), torch.from_numpy(mask))
        # The network scales static vectors up; these have their scale already.
        words = torch.from_numpy(pool) @ hidden.float() / 8
        return self.network(batch.numbers, words, batch.mask)

    def relations(self, output, heads):
        return self.network.relations(output, heads)


def read_safetensors(data):
    """Name → tensor. The format: a length, a JSON header with offsets, the bytes."""
    length = int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if entry.get("dtype") == "F32" and "pooler" not in name:
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            values = np.frombuffer(data[begin:end], "<f4").reshape(entry["shape"])
            tensors[name] = torch.tensor(values)
    return tensors
