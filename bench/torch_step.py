"""What the same training step takes in PyTorch, at its best in fp32: torch.compile, and the step replayed as one CUDA graph.

Reads the model's sizes from models/*.ini; random tokens; forward, backward and Adam, without TF32.  Prints a line an INI:
parameters, ms a step (median and least of 20 samples by CUDA events, each of as many steps as take 50 ms), the peak of the
allocated memory, and the loss of the first step.  On a CPU, where it is only tried, the step is timed on the wall and neither compiled nor replayed.

usage: torch_step.py INI[:BATCH_SIZE]... [--device cuda|cpu]
"""
import argparse
import configparser
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

WARM_UP, SAMPLES = 8, 20
IDLE = 0.5  # seconds that a card takes to leave its idle clock


def attention(q, k, v):
    """Causal, of (batch, heads, seq, d_head); PyTorch 2 has it in one kernel."""
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    seq = q.shape[-2]
    hidden = torch.ones(seq, seq, dtype=torch.bool, device=q.device).triu(1)
    score = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
    return score.masked_fill(hidden, float("-inf")).softmax(-1) @ v


class Layer(nn.Module):
    """[layer] of models/*.ini."""

    def __init__(self, d, heads, ffn):
        super().__init__()
        self.heads = heads
        self.n1, self.n2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.qkv, self.proj, self.fc, self.mlp = nn.Linear(d, 3 * d), nn.Linear(d, d), nn.Linear(d, ffn), nn.Linear(ffn, d)

    def forward(self, x):
        q, k, v = self.qkv(self.n1(x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        x = x + self.proj(attention(q, k, v).transpose(1, 2).flatten(2))
        return x + self.mlp(F.gelu(self.fc(self.n2(x)), approximate="tanh"))


class Model(nn.Module):
    """[embed], the layers and [head]; returns the loss."""

    def __init__(self, size):
        super().__init__()
        d = size["d_model"]
        self.token, self.position = nn.Embedding(size["vocab_size"], d), nn.Embedding(size["max_seq_len"], d)
        self.layers = nn.Sequential(*(Layer(d, size["num_heads"], size["ffn_dim"]) for _ in range(size["num_layers"])))
        self.n, self.logits = nn.LayerNorm(d), nn.Linear(d, size["vocab_size"], bias=False)
        for p in self.parameters():
            if p.dim() > 1:
                nn.init.normal_(p, std=0.02)

    def forward(self, tokens, targets):
        x = self.layers(self.token(tokens) + self.position.weight)
        return F.cross_entropy(self.logits(self.n(x)).flatten(0, 1), targets.flatten())


def read_ini(path):
    ini = configparser.ConfigParser(inline_comment_prefixes=";", strict=False)
    if not ini.read(path):
        raise SystemExit(f"{path}: cannot be read")
    return {k: int(v) for k, v in ini["model"].items()}, int(ini["train"]["batch_size"])


def make_step(size, batch, device):
    torch.manual_seed(0)
    model = Model(size).to(device)
    adam = torch.optim.Adam(model.parameters(), lr=3e-4, **({"fused": True, "capturable": True} if device == "cuda" else {}))
    forward = torch.compile(model) if device == "cuda" else model
    tokens, targets = torch.randint(size["vocab_size"], (2, batch, size["max_seq_len"]), device=device)

    def step():
        adam.zero_grad(set_to_none=True)
        loss = forward(tokens, targets)
        loss.backward()
        adam.step()
        return loss

    return model, step


def replayed(step):
    """The step as one CUDA graph, and the loss of the first.  What it captures has to have run before, on a stream of its own;
    each further stream that has seen a product keeps a workspace of cuBLAS's."""
    side, graph = torch.cuda.Stream(), torch.cuda.CUDAGraph()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        loss = step().item()
        for _ in range(WARM_UP):
            step()
    torch.cuda.current_stream().wait_stream(side)
    with torch.cuda.graph(graph):
        step()
    return graph.replay, loss


def time_on_device(go, times=1):
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    begin.record()
    for _ in range(times):
        go()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end) / times


def sample_on_device(go):
    begin = time.perf_counter()
    while time.perf_counter() - begin < IDLE:
        one = time_on_device(go)
    return [time_on_device(go, max(1, int(50 / one))) for _ in range(SAMPLES)]


def time_on_wall(go):
    begin = time.perf_counter()
    go()
    return (time.perf_counter() - begin) * 1e3


def measure(path, batch, device):
    size, default = read_ini(path)
    batch = batch or default
    model, step = make_step(size, batch, device)
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        go, loss = replayed(step)
        ms = sample_on_device(go)
        peak = f"{torch.cuda.max_memory_allocated() / 2**30:.2f} GiB"
    else:
        loss, peak = step().item(), "-"
        ms = [time_on_wall(step) for _ in range(3)]
    print(f"{path} {batch}x{size['max_seq_len']}: {sum(p.numel() for p in model.parameters()):,} parameters, "
          f"{statistics.median(ms):.3f} ms a step, least {min(ms):.3f}, peak {peak}, first loss {loss:.3f}", flush=True)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("models", nargs="+", metavar="INI[:BATCH_SIZE]")
    args.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    args = args.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    print(f"PyTorch {torch.__version__}, {torch.cuda.get_device_name() if args.device == 'cuda' else 'CPU'}")
    for model in args.models:
        path, _, batch = model.partition(":")
        measure(path, int(batch or 0), args.device)
        if args.device == "cuda":
            torch.compiler.reset()
            torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
