#!/usr/bin/env python3
"""The rival of `penstock bench gpu`: one training step of an MLP in PyTorch (forward, cross entropy, backward, fused Adam), the whole
step compiled by torch.compile and replayed as one CUDA graph, on minibatches that are on the GPU already.

It answers lines on its input, so that both sides can be timed by turns on one GPU. Each line is JSON:
  {"dims": [54, 64, 7], "batch": 256, "precision": "float32", "seconds": 0.3}
and so is each answer, with "stepMicros" between events on the stream, or "error". A new shape is compiled when first asked for, and
the one before is let go. The first line it prints says what it is: {"peer": "torch 2.9.0", "device": "NVIDIA H100"}.

usage: rival_torch_steps.py [--device cuda|cpu] [--eager]      (cpu, without graphs, only tries the script out)
"""
import argparse, json, sys, time
import torch

MINIBATCHES = 16
MOST_BYTES = 1 << 29
PRECISIONS = {"float32": ("highest", None), "tf32": ("high", None), "bf16": ("high", torch.bfloat16)}


def network(dims):
    layers = []
    for i in range(len(dims) - 1):
        layers.append(torch.nn.Linear(dims[i], dims[i + 1]))
        if i < len(dims) - 2:
            layers.append(torch.nn.ReLU())
    return torch.nn.Sequential(*layers)


class Step:
    """A shape's step on `count` minibatches, each with a graph of its own where there is CUDA."""

    def __init__(self, dims, batch, precision, device, compiled):
        torch.manual_seed(1)
        matmul, self.autocast = PRECISIONS[precision]
        torch.set_float32_matmul_precision(matmul)
        self.device = device
        self.model = network(dims).to(device)
        cuda = device == "cuda"
        self.optimizer = torch.optim.Adam(self.model.parameters(), 1e-3, fused=True, capturable=cuda)
        count = max(1, min(MINIBATCHES, MOST_BYTES // (4 * batch * dims[0])))
        self.x = torch.randn(count, batch, dims[0], device=device)
        self.y = torch.randint(0, dims[-1], (count, batch), device=device)
        self.loss = torch.compile(self.loss_of, dynamic=False) if compiled else self.loss_of
        self.runs = [self.captured(i) if cuda else (lambda i=i: self.train(i)) for i in range(count)]

    def loss_of(self, x, y):
        with torch.autocast(self.device, dtype=self.autocast, enabled=self.autocast is not None, cache_enabled=False):
            return torch.nn.functional.cross_entropy(self.model(x), y)

    def train(self, i):
        self.optimizer.zero_grad(set_to_none=False)
        self.loss(self.x[i], self.y[i]).backward()
        self.optimizer.step()

    def captured(self, i):
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self.train(i)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.train(i)
        return graph.replay

    def round(self, steps):
        """Microseconds a step."""
        if self.device == "cuda":
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            begin.record()
            for i in range(steps):
                self.runs[i % len(self.runs)]()
            end.record()
            end.synchronize()
            return begin.elapsed_time(end) * 1e3 / steps
        begin = time.perf_counter()
        for i in range(steps):
            self.runs[i % len(self.runs)]()
        return (time.perf_counter() - begin) * 1e6 / steps

    def measure(self, seconds):
        """The median of some rounds."""
        micros = self.round(10)
        steps = max(4, min(2000, int(seconds / 5 * 1e6 / micros)))
        return sorted(self.round(steps) for _ in range(5))[2]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--device", default="cuda")
    p.add_argument("--eager", action="store_true")
    a = p.parse_args()
    if a.device == "cuda" and not torch.cuda.is_available():
        print(json.dumps({"error": "torch %s finds no CUDA GPU" % torch.__version__}), flush=True)
        return 1
    name = torch.cuda.get_device_name() if a.device == "cuda" else "cpu"
    how = "eager" if a.eager else "compiled"
    how += ", CUDA graphs" if a.device == "cuda" else ""
    print(json.dumps({"peer": "torch %s (%s)" % (torch.__version__, how), "device": name}), flush=True)
    key = step = None
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            shape = (tuple(asked["dims"]), asked["batch"], asked["precision"])
            if shape != key:
                key = step = None
                torch.compiler.reset()
                if a.device == "cuda":
                    torch.cuda.empty_cache()
                step = Step(list(shape[0]), shape[1], shape[2], a.device, not a.eager)
                key = shape
            answer = {"stepMicros": round(step.measure(asked["seconds"]), 2)}
        except Exception as e:  # one shape's failure is not the others'
            answer = {"error": "%s: %s" % (type(e).__name__, str(e).splitlines()[0] if str(e) else "")}
        print(json.dumps(answer), flush=True)
    return 0


sys.exit(main())
