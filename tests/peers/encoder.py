"""encoder.py FOLDER TEXT TOKENS: the ids in TOKENS, a file of llm.c, are those of GPT-2's own way: its pattern in Python's regex,
its bytes' letters, the lowest merge first.  Bytes that are no UTF-8 are surrogates to the pattern, and themselves below it."""
import functools
import json
import struct
import sys

import regex

PATTERN = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
folder, text, tokens = sys.argv[1:]
with open(folder + "/vocab.json") as f:
    vocab = json.load(f)
with open(folder + "/merges.txt") as f:
    rank = {tuple(line.split()): i for i, line in enumerate(f) if i and line.strip()}
plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
letter = {b: chr(b) for b in plain} | {b: chr(256 + i) for i, b in enumerate(b for b in range(256) if b not in plain)}


@functools.cache
def ids(word):
    parts = [letter[b] for b in word]
    while len(parts) > 1:
        best = min(zip(parts, parts[1:]), key=lambda pair: rank.get(pair, len(rank) + 1))
        if best not in rank:
            break
        i = 0
        while i < len(parts) - 1:
            if (parts[i], parts[i + 1]) == best:
                parts[i:i + 2] = ["".join(best)]
            i += 1
    return [vocab[p] for p in parts]


with open(text, "rb") as f:
    whole = f.read().decode("utf-8", "surrogateescape")
want = []
for i, part in enumerate(whole.split("<|endoftext|>")):
    want += [vocab["<|endoftext|>"]] * (i > 0)
    for word in PATTERN.findall(part):
        want += ids(word.encode("utf-8", "surrogateescape"))
with open(tokens, "rb") as f:
    data = f.read()
print(f"regex {regex.__version__}: {len(want)} tokens")
if data[1024:] != struct.pack(f"<{len(want)}H", *want):
    sys.exit("they differ")
