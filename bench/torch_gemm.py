"""What the same products take in PyTorch's fp32 without TF32: cuBLAS on a GPU.

A product is MxNxK, or COUNTxMxNxK for that many of them, and after it :nn, :nt or :tn (B, or A, stored transposed).  Prints
TFLOP/s, the better of 7 samples of 20 products that one CUDA graph holds; on a CPU, where it is only tried, of one.

usage: torch_gemm.py PRODUCT... [--device cuda|cpu]        torch_gemm.py 4096x4096x4096 1024x768x256:nt 32x128x128x64:nt
"""
import argparse
import time

import torch

REPEATS, SAMPLES = 20, 7


def operands(product, device):
    shape, _, form = product.partition(":")
    *count, m, n, k = (int(w) for w in shape.split("x"))
    a, b = torch.randn(*count, m, k, device=device), torch.randn(*count, k, n, device=device)
    if form == "tn":
        a = a.mT.contiguous().mT
    elif form == "nt":
        b = b.mT.contiguous().mT
    elif form not in ("", "nn"):
        raise SystemExit(f"{product}: want :nn, :nt or :tn after the sizes")
    return a, b, 2e-12 * m * n * k * (count[0] if count else 1)


def seconds_on_device(a, b):
    c, graph = a @ b, torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(REPEATS):
            torch.matmul(a, b, out=c)
    times = []
    for _ in range(1 + SAMPLES):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        graph.replay()
        end.record()
        torch.cuda.synchronize()
        times.append(begin.elapsed_time(end) / 1e3 / REPEATS)
    return min(times[1:])


def seconds_on_wall(a, b):
    begin = time.perf_counter()
    torch.matmul(a, b)
    return time.perf_counter() - begin


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("products", nargs="+", metavar="PRODUCT")
    args.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    args = args.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = False
    print(f"PyTorch {torch.__version__}, {torch.cuda.get_device_name() if args.device == 'cuda' else 'CPU'}")
    for product in args.products:
        a, b, work = operands(product, args.device)
        seconds = (seconds_on_device if args.device == "cuda" else seconds_on_wall)(a, b)
        print(f"{product}: {seconds * 1e6:.1f} us, {work / seconds:.3f} TFLOP/s", flush=True)


if __name__ == "__main__":
    main()
