"""Idle long polls, held open by plain sockets so that they cost this side next to nothing."""

import contextlib
import socket
from urllib.parse import urlparse


@contextlib.contextmanager
def hold_polls(url, tokens, since, count):
    """Opens `count` polls, shared out over the tokens, and holds them until the block ends."""
    address = urlparse(url)
    polls = []
    try:
        for number in range(count):
            token, position = tokens[number % len(tokens)], since[number % len(since)]
            poll = socket.create_connection((address.hostname, address.port))
            request = (
                f"GET /_matrix/client/v3/sync?timeout=60000&set_presence=offline&since={position} HTTP/1.1\r\n"
                f"Host: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
            )
            poll.sendall(request.encode())
            polls.append(poll)
        # The first polls answer what happened since their token; all others wait. A request on one more connection
        # is answered after those before it were read.
        with socket.create_connection((address.hostname, address.port)) as last:
            last.sendall(b"GET /_matrix/client/versions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            while last.recv(65536):
                pass
        yield polls
    finally:
        for poll in polls:
            poll.close()
