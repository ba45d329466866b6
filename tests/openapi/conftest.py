"""Starts one server for all tests, before the tests are collected: its document says which there are.

It serves the alerts of tests/fixtures with everything on that can be, and with a receiver of
notifications on this machine, so that requests which are right get the replies that they should get.
"""

import os
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("TENANTWATCH_BIN", str(ROOT / "target/release/tenantwatch"))
# The example `serve` of crates/graph instead: the Graph surface alone, built in a minute.
EXAMPLE = os.environ.get("TENANTWATCH_EXAMPLE")
READ_WRITE = "PartnerSecurity.ReadWrite.All"
SETTINGS = """\
public_url = "https://alerts.partner.example/"
allow_receivers_on_loopback = true
"""


class Server:
    """A running server on a free port of the loopback interface."""

    def __init__(self, folder: Path):
        if EXAMPLE:
            command = [EXAMPLE]
        else:
            folder.mkdir()
            (folder / "tenantwatch.toml").write_text(SETTINGS)
            self.run("alerts", "import", "--data-dir", folder, ROOT / "tests/fixtures/alerts.ndjson")
            command = [BINARY, "serve", "--listen", "127.0.0.1:0", "--data-dir", str(folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=sys.stderr, text=True)
        line = self.line()
        assert line.startswith("http://127.0.0.1:"), f"the server printed {line!r} instead of its URL"
        self.url = line.rstrip("/")
        self.token = self.line() if EXAMPLE else self.token_of(folder)

    def line(self) -> str:
        return self.process.stdout.readline().strip()

    def run(self, *arguments) -> str:
        done = subprocess.run([BINARY, *arguments], check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout.strip()

    def token_of(self, folder: Path) -> str:
        return self.run("token", "--data-dir", folder, "--scope", READ_WRITE, "--user", "ann@partner.example")

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)


class Receiver(BaseHTTPRequestHandler):
    """Takes notifications: sends the token back with which a server asks whether they are wanted."""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token = parse_qs(urlsplit(self.path).query).get("validationToken", [""])[0].encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(token)))
        self.end_headers()
        # Who sends a notification does not wait for more than the status.
        if token:
            self.wfile.write(token)

    def log_message(self, format, *arguments):
        pass


def pytest_configure(config):
    config.folder = tempfile.TemporaryDirectory()
    config.server = Server(Path(config.folder.name) / "data")
    config.receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=config.receiver.serve_forever, daemon=True).start()
    os.environ["SERVER_URL"] = config.server.url
    os.environ["SERVER_TOKEN"] = config.server.token
    os.environ["RECEIVER_URL"] = f"http://127.0.0.1:{config.receiver.server_port}/notifications"


def pytest_unconfigure(config):
    if hasattr(config, "receiver"):
        config.receiver.shutdown()
    if hasattr(config, "server"):
        config.server.stop()
        config.folder.cleanup()
