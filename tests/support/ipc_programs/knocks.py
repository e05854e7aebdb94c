"""Connects to a socket, as another user if it is told one, and tells whether it was turned away."""

import os
import socket
import sys

name = sys.argv[1]
if len(sys.argv) > 2:
    os.setgroups([])
    os.setgid(int(sys.argv[2]))
    os.setuid(int(sys.argv[2]))
with socket.socket(socket.AF_UNIX) as client:
    client.connect(name)
    print("connected", flush=True)
    try:
        answer = client.recv(1)
    except ConnectionResetError:
        answer = b""
    print(f"got {answer!r}", flush=True)
