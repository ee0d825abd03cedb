"""A web server on this machine that can be told to misbehave."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Server:
    """What the server does, and what it was asked."""

    url: str = ""
    content: bytes = b""
    knows_ranges: bool = True
    cuts_after: list[int] = field(default_factory=list)  # bytes of the answers that break off
    status: int | None = None
    ranges: list[str | None] = field(default_factory=list)


@contextlib.contextmanager
def serve(content: bytes) -> Iterator[Server]:
    """One file under every path, for as long as the block lasts."""
    state = Server(content=content)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.ranges.append(wanted)
            start = int(wanted[6:-1]) if wanted and state.knows_ranges else 0
            if state.status is not None or (start and start >= len(state.content)):
                self.send_error(state.status or 416)
                return
            body = state.content[start:]
            self.send_response(206 if start else 200)
            if start:
                last = len(state.content) - 1
                self.send_header("Content-Range", f"bytes {start}-{last}/{len(state.content)}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # when the client has heard enough
                self.wfile.write(body[: state.cuts_after.pop(0)] if state.cuts_after else body)

        def log_message(self, format: str, *args: object) -> None:
            """Tests keep stderr clean."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http_server:
        thread = threading.Thread(target=http_server.serve_forever, args=(0.01,))
        thread.start()
        state.url = f"http://127.0.0.1:{http_server.server_port}"
        yield state
        http_server.shutdown()
        thread.join()
