"""Contractions without apostrophe: which the service's tokenizer cuts in two, and which it leaves whole.

`src/parser/contractions.rs` holds the same lists. English-EWT cuts "don't" into "do" and "n't", "dont" into "do" and
"nt", "im" into "i" and "m", "gonna" into "gon" and "na", "cannot" into "can" and "not". Without its apostrophe a
contraction can be another word. The tokenizer cuts "its", "ill", "id" and "lets" only where the next word tells, so
training shows them both cut and whole. It never cuts "were", "well", "shed" and the like, nor the "s" of any other
word: "my moms car" has three words. Such a word has the place in the tree that it has with its apostrophe.
"""

# What stands before a clitic that lost its apostrophe: cut there.
HOSTS = {
    "m": {"i"},
    "ve": {"i", "you", "we", "they", "could", "would", "should", "must", "might"},
    "re": {"you", "they"},
    "s": {"he", "she", "that", "there", "what", "here", "where", "how", "who"},
    "ll": {"you", "they", "it", "that"},
    "d": {"you", "they"},
}
# Other words without the apostrophe; the tokenizer decides by the next word.
AMBIGUOUS = {"its", "ill", "id", "lets"}


def is_cut(host, clitic):
    """Whether the tokenizer always cuts this host (lower case) from this clitic without apostrophe."""
    return clitic == "nt" or host in HOSTS.get(clitic, ())


def is_ambiguous(host, clitic):
    return host + clitic in AMBIGUOUS
