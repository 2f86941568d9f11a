"""The best tree for a matrix of arc scores. `src/parser/decoding.rs` does the same."""

import numpy as np

IMPOSSIBLE = -1e9
# How many words are tried as the root where the best arcs have several or none.
ROOTS_TRIED = 3


def best_heads(scores):
    """Heads of the best tree with a single root. `scores[d, h]`: word d (from 0) under h (root 0, words from 1)."""
    heads = best_arborescence(scores)
    if sum(head == 0 for head in heads) == 1:
        return heads
    best = None
    for root in np.argsort(-scores[:, 0], kind="stable")[:ROOTS_TRIED]:
        single = scores.copy()
        single[:, 0] = IMPOSSIBLE
        single[root, 0] = scores[root, 0]
        heads = best_arborescence(single)
        total = sum(single[d, h] for d, h in enumerate(heads))
        if best is None or total > best[0]:
            best = (total, heads)
    return best[1]


def best_arborescence(scores):
    """Chu-Liu-Edmonds: greedy heads, and each cycle contracted to one node until none is left."""
    count = len(scores)
    matrix = np.full((count + 1, count + 1), IMPOSSIBLE)
    matrix[1:] = scores
    np.fill_diagonal(matrix, IMPOSSIBLE)
    return contract(matrix)[1:]


def contract(matrix):
    count = len(matrix)
    heads = [0] + [int(h) for h in matrix[1:].argmax(1)]
    cycle = find_cycle(heads)
    if not cycle:
        return heads
    inside = set(cycle)
    outside = [node for node in range(count) if node not in inside]
    new = len(outside)
    smaller = np.full((new + 1, new + 1), IMPOSSIBLE)
    enters, leaves = {}, {}
    for i, node in enumerate(outside):
        enters[i] = max(cycle, key=lambda c: matrix[c, node] - matrix[c, heads[c]])
        smaller[new, i] = matrix[enters[i], node] - matrix[enters[i], heads[enters[i]]]
        if node:
            leaves[i] = max(cycle, key=lambda c: matrix[node, c])
            smaller[i, new] = matrix[node, leaves[i]]
            for j, other in enumerate(outside):
                if i != j:
                    smaller[i, j] = matrix[node, other]
    small_heads = contract(smaller)
    for i in range(1, new):
        heads[outside[i]] = leaves[i] if small_heads[i] == new else outside[small_heads[i]]
    heads[enters[small_heads[new]]] = outside[small_heads[new]]
    return heads


def find_cycle(heads):
    """The nodes of one cycle, or an empty list."""
    state = [0] * len(heads)
    state[0] = 2
    for start in range(1, len(heads)):
        path, node = [], start
        while state[node] == 0:
            state[node] = 1
            path.append(node)
            node = heads[node]
        if state[node] == 1:
            return path[path.index(node):]
        for seen in path:
            state[seen] = 2
    return []
