"""gguf_read.py - reads GGUF 3, from the format's description.

    gguf_read.py FILE TOKENIZER   the tokens and merges in FILE are those of a tokenizer.json
"""
import json
import math
import struct
import sys


class Gguf:
    """Reads GGUF 3, from the format's description."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.raw = f.read()
        self.at, self.keys, self.tensors = 4, {}, {}
        assert self.raw[:4] == b"GGUF" and self.one("<I") == 3
        n_tensors, n_keys = self.one("<Q"), self.one("<Q")
        for _ in range(n_keys):
            key = self.text()
            self.keys[key] = self.value(self.one("<I"))
        infos = [(self.text(), [self.one("<Q") for _ in range(self.one("<I"))], self.one("<I"), self.one("<Q"))
                 for _ in range(n_tensors)]
        align = self.keys["general.alignment"]
        end = self.at + -self.at % align
        assert not any(self.raw[self.at:end])
        for name, dims, kind, offset in infos:  # one after the other, each aligned, zeros between
            size = 4 * math.prod(dims)
            assert kind == 0 and offset % align == 0 and not any(self.raw[end:self.data(align, infos, offset)])
            start = self.data(align, infos, offset)
            self.tensors[name] = dims, self.raw[start:start + size]
            end = start + size
        assert end + -end % align == len(self.raw) and not any(self.raw[end:])

    def data(self, align, infos, offset):
        return self.at + -self.at % align + offset

    def one(self, form):
        self.at += struct.calcsize(form)
        return struct.unpack(form, self.raw[self.at - struct.calcsize(form):self.at])[0]

    def text(self):
        n = self.one("<Q")
        self.at += n
        return self.raw[self.at - n:self.at].decode()

    def value(self, kind):
        if kind == 9:
            item, n = self.one("<I"), self.one("<Q")
            return [self.value(item) for _ in range(n)]
        return self.text() if kind == 8 else self.one({4: "<I", 5: "<i", 6: "<f", 7: "<?"}[kind])


def same_tokens(g, path):
    with open(path) as f:
        whole = json.load(f)
    tokens, types, model = g.keys["tokenizer.ggml.tokens"], g.keys["tokenizer.ggml.token_type"], whole["model"]
    special = {t["content"]: t["id"] for t in whole["added_tokens"]}
    assert len(tokens) == len(types) == len(set(tokens))
    assert all(tokens[i] == t and types[i] == (3 if t in special else 1) for t, i in {**model["vocab"], **special}.items())
    assert all(types[i] == 5 for i in set(range(len(tokens))) - set(model["vocab"].values()) - set(special.values()))
    assert g.keys["tokenizer.ggml.merges"] == [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    assert g.keys["tokenizer.ggml.eos_token_id"] == special["<|endoftext|>"]


if __name__ == "__main__":
    same_tokens(Gguf(sys.argv[1]), sys.argv[2])
