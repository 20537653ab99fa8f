"""gpt2_torch.py - a small GPT-2 in PyTorch, in the layout of Hugging Face's folders.

    make DIR [prefix] [untied] [dtype]   a folder with random weights; DIR/../batch.safetensors: tokens and targets
    compare DIR BATCH PASS               logits, loss and gradients of PASS (model_pass.c) against PyTorch's
    same DIR DIR2                        the tensors are equal, bit for bit
    gguf DIR FILE                        FILE is a GGUF of them: keys, dims, alignment, and every bit of the data
    eval DIR TEXT JSON                   the loss that hlxt eval --json tells is that of the text, a token a byte

Exit status 1 and a line for what differs.
"""
import json
import math
import struct
import sys

import torch

from gguf_read import Gguf

VOCAB, WIDTH, LAYERS, HEADS, INNER, SEQ = 131, 48, 3, 4, 100, 21
TYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I32": torch.int32}


def save(path, tensors):
    header, data = {}, b""
    for name, t in tensors.items():
        raw = bytes(t.contiguous().view(torch.uint8).flatten().tolist()) if t.dim() else b""
        kind = next(k for k, v in TYPES.items() if v == t.dtype)
        header[name] = {"dtype": kind, "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def load(path):
    with open(path, "rb") as f:
        raw = f.read()
    n = struct.unpack("<Q", raw[:8])[0]
    out = {}
    for name, t in json.loads(raw[8:8 + n]).items():
        if name != "__metadata__":
            a, b = t["data_offsets"]
            out[name] = torch.frombuffer(bytearray(raw[8 + n + a:8 + n + b]), dtype=TYPES[t["dtype"]]).reshape(t["shape"])
    return out


def make(where, prefix="transformer.", tied=True, dtype="F32"):
    torch.manual_seed(5)
    sizes = {"wte.weight": (VOCAB, WIDTH), "wpe.weight": (SEQ, WIDTH), "ln_f.weight": (WIDTH,), "ln_f.bias": (WIDTH,)}
    for i in range(LAYERS):
        for name, shape in (("ln_1.weight", (WIDTH,)), ("ln_1.bias", (WIDTH,)), ("attn.c_attn.weight", (WIDTH, 3 * WIDTH)),
                            ("attn.c_attn.bias", (3 * WIDTH,)), ("attn.c_proj.weight", (WIDTH, WIDTH)),
                            ("attn.c_proj.bias", (WIDTH,)), ("ln_2.weight", (WIDTH,)), ("ln_2.bias", (WIDTH,)),
                            ("mlp.c_fc.weight", (WIDTH, INNER)), ("mlp.c_fc.bias", (INNER,)),
                            ("mlp.c_proj.weight", (INNER, WIDTH)), ("mlp.c_proj.bias", (WIDTH,))):
            sizes[f"h.{i}.{name}"] = shape
    tensors = {prefix + n: torch.randn(s) * 0.15 + (1 if "ln_" in n and n.endswith("weight") else 0) for n, s in sizes.items()}
    if not tied:
        tensors["lm_head.weight"] = torch.randn(VOCAB, WIDTH) * 0.15
    tensors = {n: t.to(TYPES[dtype]) for n, t in tensors.items()}
    if dtype == "F32":  # what no memory of ours holds: 3 values become +0
        tensors[prefix + "h.1.mlp.c_fc.weight"][2, 3] = 2.0 ** -51
        tensors[prefix + "h.0.ln_2.bias"][7] = -0.0
        tensors[prefix + "wpe.weight"][SEQ - 1, 5] = -1e-40
        tensors[prefix + "h.0.attn.bias"] = torch.tril(torch.ones(SEQ, SEQ)).view(1, 1, SEQ, SEQ)  # a mask, as old files have
    save(f"{where}/model.safetensors", tensors)
    config = {"model_type": "gpt2", "vocab_size": VOCAB, "n_positions": SEQ, "n_embd": WIDTH, "n_layer": LAYERS,
              "n_head": HEADS, "n_inner": INNER, "activation_function": "gelu_new", "layer_norm_epsilon": 2e-5}
    if not tied:
        config["tie_word_embeddings"] = False
    with open(f"{where}/config.json", "w") as f:
        json.dump(config, f)


def batch(path):
    torch.manual_seed(6)
    text = torch.randint(0, VOCAB, (2, SEQ + 1), dtype=torch.int32)
    save(path, {"tokens": text[:, :-1], "targets": text[:, 1:]})


def norm(x, w, b, eps):
    return torch.nn.functional.layer_norm(x, (x.shape[-1],), w, b, eps)


def forward(p, config, tokens):
    """What transformers' GPT2LMHeadModel computes: Conv1D is x W + b."""
    heads, eps = config["n_head"], config["layer_norm_epsilon"]
    x = p["wte.weight"][tokens] + p["wpe.weight"][:tokens.shape[1]]
    for i in range(config["n_layer"]):
        q = {n[len(f"h.{i}."):]: t for n, t in p.items() if n.startswith(f"h.{i}.")}
        a = norm(x, q["ln_1.weight"], q["ln_1.bias"], eps) @ q["attn.c_attn.weight"] + q["attn.c_attn.bias"]
        a, k, v = (t.view(*t.shape[:2], heads, -1).transpose(1, 2) for t in a.split(x.shape[-1], -1))
        score = a @ k.transpose(-1, -2) / math.sqrt(a.shape[-1])
        hidden = torch.ones(score.shape[-2:], dtype=torch.bool).triu(1)
        a = score.masked_fill(hidden, -math.inf).softmax(-1) @ v
        x = x + a.transpose(1, 2).reshape(x.shape) @ q["attn.c_proj.weight"] + q["attn.c_proj.bias"]
        m = norm(x, q["ln_2.weight"], q["ln_2.bias"], eps) @ q["mlp.c_fc.weight"] + q["mlp.c_fc.bias"]
        m = 0.5 * m * (1 + torch.tanh(math.sqrt(2 / math.pi) * (m + 0.044715 * m ** 3)))
        x = x + m @ q["mlp.c_proj.weight"] + q["mlp.c_proj.bias"]
    return norm(x, p["ln_f.weight"], p["ln_f.bias"], eps) @ p.get("lm_head.weight", p["wte.weight"]).T


OURS = {"embed.x.token": "wte.weight", "embed.x.position": "wpe.weight", "head.n.gamma": "ln_f.weight",
        "head.n.beta": "ln_f.bias", "head.logits.weight": "lm_head.weight"}
NODES = {"n1": "ln_1", "n2": "ln_2", "qkv": "attn.c_attn", "proj": "attn.c_proj", "fc": "mlp.c_fc", "mlp": "mlp.c_proj"}
SLOTS = {"gamma": "weight", "beta": "bias", "weight": "weight", "bias": "bias"}


def theirs(name):
    if name in OURS:
        return OURS[name]
    _, i, node, slot = name.split(".")
    return f"h.{i}.{NODES[node]}.{SLOTS[slot]}"


def compare(where, batch_path, pass_path):
    with open(f"{where}/config.json") as f:
        config = json.load(f)
    p = {n.replace("transformer.", ""): t.float().requires_grad_() for n, t in load(f"{where}/model.safetensors").items()}
    text, ours = load(batch_path), load(pass_path)
    logits = forward(p, config, text["tokens"].long())
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), text["targets"].long().flatten())
    loss.backward()
    far = (ours.pop("logits") - logits).abs().max().item()
    print(f"logits: {far:.2e} apart at most, of {logits.abs().max():.3g}")
    apart = abs(ours.pop("loss").item() - loss.item()) / loss.item()
    print(f"loss: {apart:.2e} of {loss:.5f}")
    worst = 0
    for name, g in ours.items():
        t = p[theirs(name)].grad
        t = t.T if "h." in theirs(name) and t.dim() == 2 else t
        worst = max(worst, ((g - t).abs().max() / t.abs().max()).item())
    print(f"gradients: {worst:.2e} of each tensor's largest, in {len(ours)} tensors")
    return far <= 1e-4 and apart <= 1e-3 and worst <= 1e-3


def same(a, b):
    """b has every tensor of a that is a parameter, bit for bit; flushed ones excepted, which are +0 there."""
    a = {n.replace("transformer.", ""): t for n, t in load(f"{a}/model.safetensors").items() if not n.endswith(".attn.bias")}
    b = {n.replace("transformer.", ""): t for n, t in load(f"{b}/model.safetensors").items()}
    flushed = 0
    for name, t in a.items():
        x, y = t.float().view(torch.int32), b[name].view(torch.int32)
        gone = (x != y) & (t.float().abs() < 2.0 ** -50) & (y == 0)
        flushed += int(gone.sum())
        if x.shape != y.shape or not bool(((x == y) | gone).all()):
            print(f"{name} differs")
            return False
    print(f"{len(a)} tensors, {flushed} flushed")
    return a.keys() == b.keys()


BLOCK = {"ln_1": "attn_norm", "attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output", "ln_2": "ffn_norm", "mlp.c_fc": "ffn_up",
         "mlp.c_proj": "ffn_down"}
WHOLE = {"wte": "token_embd", "wpe": "position_embd", "ln_f": "output_norm", "lm_head": "output"}


def gguf(where, path):
    with open(f"{where}/config.json") as f:
        config = json.load(f)
    g = Gguf(path)
    want = {"general.architecture": "gpt2", "gpt2.context_length": SEQ, "gpt2.embedding_length": WIDTH,
            "gpt2.feed_forward_length": INNER, "gpt2.block_count": LAYERS, "gpt2.attention.head_count": HEADS,
            "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "gpt-2", "tokenizer.ggml.merges": []}
    assert all(g.keys[k] == v for k, v in want.items()), g.keys
    assert g.keys["gpt2.attention.layer_norm_epsilon"] == struct.unpack("f", struct.pack("f", config["layer_norm_epsilon"]))[0]
    tokens = g.keys["tokenizer.ggml.tokens"]
    assert len(set(tokens)) == VOCAB == len(g.keys["tokenizer.ggml.token_type"])
    assert tokens[65] == "A" and tokens[32] == "\u0120" and tokens[10] == "\u010a" and tokens[127] == "\u0121"
    theirs = load(f"{where}/model.safetensors")
    for name, t in theirs.items():
        name, slot = name.replace("transformer.", "").rsplit(".", 1)
        if name in WHOLE:
            name = WHOLE[name]
        else:
            _, i, name = name.split(".", 2)
            t = t.T if name.count(".") and slot == "weight" else t
            name = f"blk.{i}.{BLOCK[name]}"
        dims, data = g.tensors.pop(f"{name}.{slot}")
        mine = torch.frombuffer(bytearray(data), dtype=torch.float32).reshape(dims[::-1])
        assert mine.shape == t.shape and bool((mine.view(torch.int32) == t.contiguous().view(torch.int32)).all()), name
    print(f"{len(theirs)} tensors, {len(g.keys)} keys")
    return not g.tensors


def evaluate(where, text_path, json_path):
    with open(f"{where}/config.json") as f:
        config = json.load(f)
    with open(text_path, "rb") as f:
        text = torch.tensor(list(f.read()))
    with open(json_path) as f:
        said = json.load(f)
    p = {n.replace("transformer.", ""): t for n, t in load(f"{where}/model.safetensors").items()}
    total = 0.0
    for i in range(0, len(text) - 1, SEQ):
        targets = text[i + 1:i + 1 + SEQ]
        logits = forward(p, config, text[None, i:i + len(targets)])[0]
        total += torch.nn.functional.cross_entropy(logits, targets, reduction="sum").item()
    loss = total / (len(text) - 1)
    print(f"loss {loss:.6f}, hlxt says {said['loss']:.6f}")
    return (said["tokens"] == said["bytes"] == len(text) - 1 and abs(said["loss"] - loss) < 1e-5 * loss and
            abs(said["perplexity"] - math.exp(loss)) < 1e-4 * math.exp(loss) and
            abs(said["bits_per_byte"] - loss / math.log(2)) < 1e-4)


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    if command == "make":
        make(rest[0], "" if "bare" in rest else "transformer.", "untied" not in rest, rest[-1] if rest[-1] in TYPES else "F32")
    elif command == "batch":
        batch(rest[0])
    else:
        sys.exit(not {"compare": compare, "same": same, "gguf": gguf, "eval": evaluate}[command](*rest))
