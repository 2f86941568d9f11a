"""Writes `reference.json`: a few texts with the vectors that all-MiniLM-L6-v2 gives them, computed with numpy alone.

    pip install numpy==2.4.6 safetensors==0.8.0 tokenizers==0.23.3
    python reference.py MODEL_DIRECTORY > reference.json

`mean` is the model's own pooling. `first_token` is what a directory with the pooling of `[CLS]` gives.
"""

import json
import math
import pathlib
import sys

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

# Each with how often it is repeated. The last is longer than the model's input.
TEXTS = [
    ("The violin lesson moved to Thursday afternoon.", 1, True),
    ("tea", 1, False),
    ("Zoë paid 12.50 € for crème brûlée 🍮 in Kraków (quite naïve)!", 1, True),
    ("The river was high again this morning, and the ferry did not run. ", 40, False),
]

erf = np.vectorize(math.erf, otypes=[np.float64])


def linear(weights, name, x):
    return x @ weights[name + ".weight"].T + weights[name + ".bias"]


def layer_norm(weights, name, x, epsilon):
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon)
    return scaled * weights[name + ".weight"] + weights[name + ".bias"]


def attention(weights, layer, x, heads):
    def split(name):
        y = linear(weights, f"{layer}.attention.self.{name}", x)
        return y.reshape(len(x), heads, -1).transpose(1, 0, 2)

    query, key, value = split("query"), split("key"), split("value")
    scores = query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[-1])
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    scores /= scores.sum(-1, keepdims=True)
    return linear(weights, f"{layer}.attention.output.dense", (scores @ value).transpose(1, 0, 2).reshape(x.shape))


def hidden_states(weights, config, ids):
    epsilon = config["layer_norm_eps"]
    x = weights["embeddings.word_embeddings.weight"][ids]
    x = x + weights["embeddings.position_embeddings.weight"][: len(ids)]
    x = x + weights["embeddings.token_type_embeddings.weight"][0]
    x = layer_norm(weights, "embeddings.LayerNorm", x, epsilon)
    for number in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{number}"
        attended = x + attention(weights, layer, x, config["num_attention_heads"])
        x = layer_norm(weights, f"{layer}.attention.output.LayerNorm", attended, epsilon)
        inner = linear(weights, f"{layer}.intermediate.dense", x)
        inner = inner * 0.5 * (1 + erf(inner / math.sqrt(2)))
        x = layer_norm(weights, f"{layer}.output.LayerNorm", x + linear(weights, f"{layer}.output.dense", inner), epsilon)
    return x


def unit(vector):
    return [round(float(x), 6) for x in vector / np.linalg.norm(vector)]


def main():
    directory = pathlib.Path(sys.argv[1])
    config = json.loads((directory / "config.json").read_text())
    tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
    tokenizer.enable_truncation(json.loads((directory / "sentence_bert_config.json").read_text())["max_seq_length"])
    tokenizer.no_padding()
    weights = load_file(directory / "model.safetensors")
    weights = {name: weight.astype(np.float64) for name, weight in weights.items() if weight.dtype == np.float32}
    entries = []
    for text, repeat, with_first_token in TEXTS:
        x = hidden_states(weights, config, tokenizer.encode(text * repeat).ids)
        entry = {"text": text, "repeat": repeat, "mean": unit(x.mean(0))}
        if with_first_token:
            entry["first_token"] = unit(x[0])
        entries.append(json.dumps(entry, ensure_ascii=False))
    print("[\n" + ",\n".join(entries) + "\n]")


main()
