"""A proxy that connects the hosts of public indexes to fakes on loopback."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer

from servers.threads import running


@dataclass
class Proxy:
    """The loopback port for each host, and the hosts that were requested."""

    ports: Mapping[str, int]
    requested: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def address(self) -> str:
        """The address for HTTPS_PROXY."""
        return f"http://127.0.0.1:{self.port}"


class _Handler(StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        """Open a tunnel (CONNECT, RFC 9110) to a known host."""
        method, target, _ = self.rfile.readline().decode().split(" ", 2)
        while self.rfile.readline() not in {b"\r\n", b""}:
            pass
        host = target.rpartition(":")[0]
        self.server.proxy.requested.append(host)
        port = self.server.proxy.ports.get(host)
        if method != "CONNECT" or port is None:
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", port)) as inner:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with suppress(OSError):
                _copy(self.connection, inner)


def _copy(client: socket.socket, server: socket.socket) -> None:
    partners = {client: server, server: client}
    while True:
        ready, _, _ = select.select(list(partners), [], [], 30)
        if not ready:
            return
        for source in ready:
            data = source.recv(65536)
            if not data:
                return
            partners[source].sendall(data)


class _Server(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, proxy: Proxy) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy


@contextmanager
def proxying(proxy: Proxy) -> Iterator[Proxy]:
    """Run the proxy in a thread, on loopback."""
    with running(_Server(proxy)) as proxy.port:
        yield proxy
