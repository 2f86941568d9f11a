"""The network: word features, an encoder of convolutions and attention, heads for tags, arcs and labels.

Every step is a matrix product over all words of a batch, a layer norm, a maximum or a small softmax, so that
`src/parser/network.rs` can run it on a plain matrix product.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from features import AFFIX_ROWS, SHAPES, Features

# Static vectors have length 1: brought to the scale of the other inputs.
STATIC_SCALE = 8.0
# Distances between words beyond this count as this.
FARTHEST = 16


class Sizes(NamedTuple):
    """The network's shape; stored in the asset's header."""

    width: int = 160
    blocks: str = "conv,conv,attn,conv,attn"
    heads: int = 4
    word: int = 64
    affix: int = 32
    shape: int = 16
    arc: int = 128
    label: int = 160


class ConvBlock(nn.Module):
    """x + the larger of two convolutions over three neighbouring words of norm(x)."""

    def __init__(self, sizes, dropout):
        super().__init__()
        self.norm = nn.LayerNorm(sizes.width)
        self.mix = nn.Linear(3 * sizes.width, 2 * sizes.width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, mask):
        padded = F.pad(self.norm(x) * mask[..., None], (0, 0, 1, 1))
        window = torch.cat([padded[:, :-2], padded[:, 1:-1], padded[:, 2:]], -1)
        a, b = self.mix(window).chunk(2, -1)
        return x + self.dropout(torch.maximum(a, b))


class AttentionBlock(nn.Module):
    """Self-attention with a bias for each distance, then a feed-forward layer; both residual."""

    def __init__(self, sizes, dropout):
        super().__init__()
        self.heads = sizes.heads
        self.norm = nn.LayerNorm(sizes.width)
        self.qkv = nn.Linear(sizes.width, 3 * sizes.width)
        self.out = nn.Linear(sizes.width, sizes.width)
        self.distance = nn.Parameter(torch.zeros(sizes.heads, 2 * FARTHEST + 1))
        self.norm2 = nn.LayerNorm(sizes.width)
        self.up = nn.Linear(sizes.width, 2 * sizes.width)
        self.down = nn.Linear(2 * sizes.width, sizes.width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, mask):
        batch, length, width = x.shape
        q, k, v = (
            part.view(batch, length, self.heads, -1).transpose(1, 2) for part in self.qkv(self.norm(x)).chunk(3, -1)
        )
        scores = q @ k.transpose(-1, -2) * (width // self.heads) ** -0.5
        scores = scores + self.distance[:, distances(length, length)]
        scores = scores.masked_fill(~mask[:, None, None, :].bool(), -1e9)
        attended = self.dropout(scores.softmax(-1)) @ v
        x = x + self.dropout(self.out(attended.transpose(1, 2).reshape(batch, length, width)))
        return x + self.dropout(self.down(F.relu(self.up(self.norm2(x)))))


BLOCKS = {"conv": ConvBlock, "attn": AttentionBlock}


def distances(rows, columns, first=0):
    """Row and column numbers subtracted, cut at `FARTHEST`, counted from 0."""
    gap = torch.arange(first, first + columns)[None, :] - torch.arange(rows)[:, None]
    return gap.clamp(-FARTHEST, FARTHEST) + FARTHEST


class Output(NamedTuple):
    """Scores for every word of a batch. `arcs[b, d, h]`: h counts from the root at 0."""

    upos: torch.Tensor
    features: torch.Tensor
    lemma: torch.Tensor
    arcs: torch.Tensor
    dependent: torch.Tensor
    governor: torch.Tensor


class Network(nn.Module):
    def __init__(self, sizes, words, labels, static, dropout=0.3):
        super().__init__()
        self.sizes = sizes
        width = sizes.width
        self.word = nn.Embedding(words + 1, sizes.word)
        self.affix = nn.Embedding(AFFIX_ROWS, sizes.affix)
        self.shape = nn.Embedding(SHAPES, sizes.shape)
        for table in (self.word, self.affix, self.shape):
            nn.init.normal_(table.weight, std=0.5)
        affixes = Features.NUMBERS - 2
        self.input = nn.Linear(static + sizes.word + affixes * sizes.affix + sizes.shape, width)
        self.blocks = nn.ModuleList(BLOCKS[name](sizes, dropout) for name in sizes.blocks.split(","))
        self.norm = nn.LayerNorm(width)
        self.root = nn.Parameter(torch.randn(width) * 0.1)
        self.upos = nn.Linear(width, len(labels.lists["upos"]))
        self.features = nn.Linear(width, len(labels.lists["features"]))
        self.lemma = nn.Linear(width, len(labels.lists["lemma"]))
        self.arc_dependent, self.arc_governor = nn.Linear(width, sizes.arc), nn.Linear(width, sizes.arc)
        self.arc = nn.Linear(sizes.arc, sizes.arc)
        self.arc_distance = nn.Parameter(torch.zeros(2 * FARTHEST + 1))
        self.label_dependent = nn.Linear(width, sizes.label)
        self.label_governor = nn.Linear(width, sizes.label, bias=False)
        self.label = nn.Linear(sizes.label, len(labels.lists["relation"]))
        self.dropout = nn.Dropout(dropout)

    def forward(self, numbers, static, mask):
        affixes = self.affix(numbers[..., 1:-1]).flatten(-2)
        parts = [static * STATIC_SCALE, self.word(numbers[..., 0]), affixes, self.shape(numbers[..., -1])]
        x = self.input(self.dropout(torch.cat(parts, -1)))
        for step in self.blocks:
            x = step(x, mask)
        x = self.dropout(self.norm(x))
        rooted = torch.cat([self.root.expand(len(x), 1, -1), x], 1)
        dependent = self.dropout(F.relu(self.arc_dependent(x)))
        governor = self.dropout(F.relu(self.arc_governor(rooted)))
        arcs = self.arc(dependent) @ governor.transpose(1, 2)
        arcs = arcs + self.arc_distance[distances(x.shape[1], rooted.shape[1], first=-1)]
        present = torch.cat([torch.ones_like(mask[:, :1]), mask], 1)
        arcs = arcs.masked_fill(~present[:, None, :].bool(), -1e9)
        return Output(
            self.upos(x), self.features(x), self.lemma(x), arcs, self.label_dependent(x), self.label_governor(rooted)
        )

    def relations(self, output, heads):
        """Label scores of every word under the head given for it."""
        governor = output.governor.gather(1, heads[..., None].expand(-1, -1, output.governor.shape[-1]))
        return self.label(self.dropout(F.relu(output.dependent + governor)))
