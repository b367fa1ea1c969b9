#!/usr/bin/env python3
"""Sends a CSV file to Penstock so that every row is trained on exactly once, whoever crashes on the way.

    python3 producer.py HOST PORT NAME FILE.csv [--token-file FILE]

It speaks src/docs/tcp-protocol.md and needs nothing but Python 3. The file is read again from its beginning for as long as the
receiver asks for rows of it; a source that cannot be read again keeps the rows between "durable" and "sent" instead.
"""
import argparse
import itertools
import pathlib
import socket
import sys
import time


def lines(path):
    with open(path, "rb") as file:
        for line in file:
            if line.strip(b"\r\n"):  # an empty line would say: that was all
                yield line.rstrip(b"\n") + b"\n"


def hear(answers):
    words = answers.readline().split()
    if not words or words[0] == "rewind" or words[:2] == ["error", "over"]:
        raise ConnectionError("to be continued with the next handshake")
    if words[0] in ("fenced", "error"):
        sys.exit(" ".join(words))
    return words


def send(address, introduction, path, epoch):
    """Sends what the receiver lacks; returns when it has taken care of all rows."""
    with socket.create_connection(address, timeout=60) as connection:
        answers, out = connection.makefile("r"), connection.makefile("wb")
        rows = lines(path)
        known = f" epoch={epoch[0]}" if epoch else ""
        out.write(f"{introduction}{known}\n".encode() + next(rows))
        out.flush()
        welcome = dict(pair.split("=") for pair in hear(answers)[1:])
        epoch[:] = [welcome["epoch"]]
        first, window = int(welcome["next"]), int(welcome["window"])
        durable = 0 if welcome["durable"] == "no" else int(welcome["durable"])
        out.write(b"rows %d\n" % first)
        for number, row in enumerate(itertools.islice(rows, first, None), first):
            while window and number - durable >= window:
                out.flush()
                word, value = hear(answers)
                durable = int(value) if word == "durable" else durable
            out.write(row)
        out.write(b"\n")  # that was all
        out.flush()
        while hear(answers)[0] != "ended":
            pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("host", "port", "name", "file"):
        parser.add_argument(name)
    parser.add_argument("--token-file", type=pathlib.Path, help="holds what source.tcp.token asks for")
    args = parser.parse_args()
    introduction = f"penstock/1 producer={args.name}"
    if args.token_file:
        introduction += f" token={args.token_file.read_text().strip()}"
    epoch = []
    for attempt in range(60):
        try:
            return send((args.host, int(args.port)), introduction, args.file, epoch)
        except OSError as broken:
            print(f"{broken}; connecting again", file=sys.stderr)
            time.sleep(min(0.1 * 2**attempt, 2))
    sys.exit("given up")


if __name__ == "__main__":
    main()
