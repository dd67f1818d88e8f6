"""A server on loopback that answers with any bytes, for answers that no HTTP library would write."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import cast

Reply = Callable[[str], bytes | Iterable[bytes]]


class _Handler(StreamRequestHandler):
    def handle(self) -> None:
        request = self.rfile.readline(65536).decode("latin-1").split(" ")
        length = 0
        while line := self.rfile.readline(65536).strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        self.rfile.read(length)
        path = request[1] if len(request) > 1 else ""
        with suppress(OSError):  # the client may have gone
            answer = cast("_Server", self.server).reply(path)
            for piece in [answer] if isinstance(answer, bytes) else answer:
                self.wfile.write(piece)


class _Server(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    reply: Reply


@contextmanager
def serving(reply: Reply) -> Iterator[str]:
    """Answer each connection with ``reply(path)``, bytes or their pieces, and yield the server's address."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.reply = reply
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
