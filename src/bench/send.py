#!/usr/bin/env python3
"""Sends a CSV over TCP to 127.0.0.1:PORT, its rows TIMES times under one header.  usage: send.py PORT FILE.csv [TIMES]"""
import socket, sys, time

port, path, times = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1
for _ in range(600):
    try:
        receiver = socket.create_connection(("127.0.0.1", port))
        break
    except ConnectionRefusedError:
        time.sleep(0.05)
with receiver, open(path, "rb") as rows:
    receiver.sendfile(rows)
    rows.seek(0)
    header = len(rows.readline())
    for _ in range(times - 1):
        receiver.sendfile(rows, header)
    receiver.shutdown(socket.SHUT_WR)
    receiver.recv(1)  # until the receiver has read all
