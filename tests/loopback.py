"""A server on this machine that answers like the Hugging Face Hub and like a release page."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Shelf:
    """What the server has, and how it misbehaves."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.claimed: dict[str, str] = {}  # checksum told instead of the true one
        self.cut_after: int | None = None  # bytes after which the connection breaks, once
        self.ranges: list[str] = []  # what was asked to be resumed
        self.gets = 0


@contextmanager
def serving() -> Iterator[tuple[str, Shelf]]:
    shelf = Shelf()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_args) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            shelf.gets += 1
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            content = shelf.files.get(self.path)
            if content is None:
                self.send_response(404)
                self.send_header("X-Error-Code", "EntryNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            checksum = shelf.claimed.get(self.path) or hashlib.sha256(content).hexdigest()
            asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            start = int(asked[1]) if asked else 0
            if asked:
                shelf.ranges.append(self.headers["Range"])
            self.send_response(206 if asked else 200)
            if asked:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - start))
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("ETag", f'"{checksum}"')
            # As the Hub does for large files.
            self.send_header("X-Repo-Commit", "0" * 40)
            self.send_header("X-Linked-Etag", f'"{checksum}"')
            self.send_header("X-Linked-Size", str(len(content)))
            self.end_headers()
            if not body:
                return
            if shelf.cut_after is not None:
                content, shelf.cut_after = content[: shelf.cut_after], None
                self.wfile.write(content[start:])
                self.wfile.flush()
                self.close_connection = True
                self.connection.shutdown(2)
                return
            self.wfile.write(content[start:])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", shelf
    finally:
        server.shutdown()
        server.server_close()
