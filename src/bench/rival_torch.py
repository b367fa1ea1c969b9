#!/usr/bin/env python3
"""The rival: CSV rows over one TCP connection, standardised, test-then-train, in PyTorch. Prints a JSON line.

Rows are 54 integers and a class 1 to 7 under a header. A thread reads and parses (numpy, a decimal place at a time: faster
than pandas and pyarrow for such rows), the main thread trains. usage: rival_torch.py PORT [--model mlp|softmax] [--batch N]
"""
import argparse, json, queue, socket, threading, time
import numpy as np
import torch

FEATURES, CLASSES = 54, 7


def parse(text):
    """Whole lines of decimal integers to float32 rows."""
    b = np.frombuffer(text, np.uint8)
    stop = np.flatnonzero(b < 45).astype(np.int32)  # ',' and line ends
    start = np.concatenate(([0], stop[:-1] + 1))
    digits = stop - start
    value = np.zeros(len(stop), np.float32)
    for place in range(int(digits.max())):
        has = np.flatnonzero(digits > place)
        value[has] += np.float32(10.0**place) * (b[stop[has] - 1 - place] - np.uint8(48))
    return torch.from_numpy(value.reshape(-1, FEATURES + 1))


def read(connection, tables, chunk=1 << 20):
    stream, rest, header = connection.makefile("rb", buffering=0), b"", True
    while data := stream.read(chunk):
        data = rest + data
        end = data.rfind(b"\n") + 1
        begin = data.find(b"\n") + 1 if header else 0
        header, rest = False, data[end:]
        if end > begin:
            tables.put(parse(data[begin:end]))
    tables.put(None)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("port", type=int)
    p.add_argument("--model", choices=["mlp", "softmax"], default="mlp")
    p.add_argument("--batch", type=int, default=256)
    a = p.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    nn = torch.nn
    hidden = nn.Sequential(nn.Linear(FEATURES, 64), nn.ReLU(), nn.Linear(64, CLASSES))
    model = hidden if a.model == "mlp" else nn.Linear(FEATURES, CLASSES)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    count, mean, squares = 0, torch.zeros(FEATURES, dtype=torch.float64), torch.zeros(FEATURES, dtype=torch.float64)
    right = torch.zeros((), dtype=torch.int64)
    connection, _ = socket.create_server(("127.0.0.1", a.port)).accept()
    began, tables, rows, rest = time.perf_counter(), queue.Queue(4), 0, None
    threading.Thread(target=read, args=(connection, tables), daemon=True).start()
    while (table := tables.get()) is not None:
        table = table if rest is None else torch.cat((rest, table))
        whole = len(table) // a.batch * a.batch
        for i in range(0, whole, a.batch):
            x, y = table[i:i + a.batch, :FEATURES], table[i:i + a.batch, FEATURES].long() - 1
            centre = x.mean(0)
            apart = x - centre
            delta = centre.double() - mean
            total = count + len(x)
            squares += (apart * apart).sum(0).double() + delta * delta * (count * len(x) / total)
            mean += delta * (len(x) / total)
            count = total
            scores = model((x - mean.float()) / (squares / total).sqrt().clamp_min(1e-6).float())
            right += (scores.argmax(1) == y).sum()
            optimizer.zero_grad(set_to_none=True)
            nn.functional.cross_entropy(scores, y).backward()
            optimizer.step()
        rows, rest = rows + whole, table[whole:]
    seconds = time.perf_counter() - began
    print(json.dumps({"peer": "torch " + torch.__version__, "model": a.model, "batch": a.batch, "rows": rows,
                      "seconds": round(seconds, 3), "rowsPerSecond": round(rows / seconds),
                      "accuracy": round(right.item() / max(rows, 1), 4)}), flush=True)


main()
