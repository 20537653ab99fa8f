"""Does hlxt's loss follow PyTorch's?  The specification's last step: compare the loss curve to a CUDA baseline.

Takes a run's folder, starts from its checkpoint of step 0, feeds PyTorch the same batches (bench/batches prints where
each sequence starts) with the same learning rates, and compares the loss of every step with metrics.jsonl.

usage: batches RUN STEPS | torch_curve.py RUN STEPS [--device cuda|cpu]
Exit status 1 where a loss differs by more than 1e-3.
"""
import argparse
import json
import math
import struct
import sys

import torch
import torch.nn.functional as F


def read_safetensors(path):
    """{name: tensor}; the format is an 8-byte length, a JSON header, the bytes."""
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = bytearray(f.read())
    out = {}
    for name, t in header.items():
        if name == "__metadata__":
            continue
        begin, end = t["data_offsets"]
        out[name] = torch.frombuffer(data[begin:end], dtype=torch.float32).reshape(t["shape"]).clone()
    return out


class Model:
    """The wiring of models/*.ini; p holds parameters by their path."""

    def __init__(self, p, layers, heads):
        self.p, self.layers, self.heads = p, layers, heads

    def norm(self, x, name):
        return F.layer_norm(x, x.shape[-1:], self.p[name + ".gamma"], self.p[name + ".beta"], 1e-5)

    def linear(self, x, name):
        return F.linear(x, self.p[name + ".weight"], self.p.get(name + ".bias"))

    def attention(self, x, l):
        b, t, d = x.shape
        q, k, v = self.linear(x, l + ".qkv").view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        mask = torch.ones(t, t, dtype=torch.bool, device=x.device).tril()
        score = (q @ k.transpose(-1, -2)) * (1 / math.sqrt(d // self.heads))
        context = score.masked_fill(~mask, -math.inf).softmax(-1) @ v
        return self.linear(context.transpose(1, 2).reshape(b, t, d), l + ".proj")

    def loss(self, tokens, targets):
        x = self.p["embed.x.token"][tokens] + self.p["embed.x.position"][: tokens.shape[1]]
        for i in range(self.layers):
            l = f"layer.{i}"
            x = x + self.attention(self.norm(x, l + ".n1"), l)
            h = F.gelu(self.linear(self.norm(x, l + ".n2"), l + ".fc"), approximate="tanh")
            x = x + self.linear(h, l + ".mlp")
        logits = self.linear(self.norm(x, "head.n"), "head.logits")
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def read_starts(f):
    """A line a step: where each sequence of its batch starts; the first line is the sequence length and the corpus files."""
    head = f.readline().split()
    return int(head[0]), head[1:], [[int(w) for w in line.split()] for line in f]


def read_config(run):
    """The [model] and [train] numbers of run.ini."""
    out, section = {}, ""
    for line in open(f"{run}/run.ini"):
        line = line.split(";")[0].strip()
        if line.startswith("["):
            section = line[1:-1]
        elif "=" in line:
            key, value = (w.strip() for w in line.split("=", 1))
            out[section, key] = value
    return out


def main():
    args = argparse.ArgumentParser()
    args.add_argument("run")
    args.add_argument("steps", type=int)
    args.add_argument("--device", default="cuda")
    args = args.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    seq_len, files, starts = read_starts(sys.stdin)
    corpus = torch.frombuffer(bytearray(b"".join(open(f, "rb").read() for f in files)), dtype=torch.uint8).long()
    config = read_config(args.run)
    p = read_safetensors(f"{args.run}/checkpoints/step-0/model.safetensors")
    p = {k: v.to(args.device).requires_grad_() for k, v in p.items()}
    model = Model(p, int(config["model", "num_layers"]), int(config["model", "num_heads"]))
    adam = torch.optim.Adam(p.values(), lr=3e-4, betas=(0.9, 0.999), eps=1e-8)
    ours = [json.loads(line) for line in open(f"{args.run}/metrics.jsonl")]
    worst = 0.0
    for step in range(args.steps):
        for group in adam.param_groups:
            group["lr"] = ours[step]["lr"]
        tokens = torch.stack([corpus[s:s + seq_len + 1] for s in starts[step]]).to(args.device)
        adam.zero_grad()
        loss = model.loss(tokens[:, :-1], tokens[:, 1:])
        loss.backward()
        adam.step()
        difference = abs(loss.item() - ours[step]["loss"])
        worst = max(worst, difference)
        if step < 3 or (step + 1) % 20 == 0:
            print(f"step {step + 1:4d}  hlxt {ours[step]['loss']:.6f}  torch {loss.item():.6f}  difference {difference:.2e}")
    device = torch.cuda.get_device_name() if args.device == "cuda" else "cpu"
    print(f"worst difference over {args.steps} steps: {worst:.2e}  (torch {torch.__version__}, {device})")
    return 1 if worst > 1e-3 else 0


if __name__ == "__main__":
    sys.exit(main())
