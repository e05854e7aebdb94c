"""What a child in another language has: a socket, and bytes that it packs itself."""

import os
import socket
import sys

INLINE_HELLO = b"\x83\xa7tui-ipc\x01\xa3pid\xce" + os.getpid().to_bytes(4, "big") + b"\xa4name\xa7by-hand"


def connect() -> socket.socket:
    """Connect to the server named in the last argument."""
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.connect(sys.argv[-1].removeprefix("channel_name:"))
    return client


def text(value: str) -> bytes:
    """A str of up to 255 bytes, packed."""
    data = value.encode()
    return b"\xd9" + bytes([len(data)]) + data


def read_text(client: socket.socket) -> str:
    """The next message, a str of up to 31 bytes; empty at the end."""
    header = client.recv(1)
    return client.recv(header[0] & 0x1F, socket.MSG_WAITALL).decode() if header else ""
