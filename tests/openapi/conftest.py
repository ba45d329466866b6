"""Starts one server for all tests, before the tests are collected: its document says which there are."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("TENANTWATCH_BIN", str(ROOT / "target/release/tenantwatch"))
# The example `serve` of crates/graph instead: the Graph surface alone, built in a minute.
EXAMPLE = os.environ.get("TENANTWATCH_EXAMPLE")
READ_WRITE = "PartnerSecurity.ReadWrite.All"


class Server:
    """A running server on a free port of the loopback interface."""

    def __init__(self, folder: Path):
        demo = [BINARY, "demo", "--listen", "127.0.0.1:0", "--data-dir", str(folder),
                "--seed", "1", "--customers", "20", "--days", "40"]
        command = [EXAMPLE] if EXAMPLE else demo
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=sys.stderr, text=True)
        line = self.line()
        assert line.startswith("http://127.0.0.1:"), f"the server printed {line!r} instead of its URL"
        self.url = line.rstrip("/")
        self.token = self.line() if EXAMPLE else self.token_of(folder)

    def line(self) -> str:
        return self.process.stdout.readline().strip()

    def token_of(self, folder: Path) -> str:
        arguments = ["token", "--data-dir", str(folder), "--scope", READ_WRITE, "--user", "ann@partner.example"]
        return subprocess.run([BINARY, *arguments], check=True, capture_output=True, text=True).stdout.strip()

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)


def pytest_configure(config):
    config.folder = tempfile.TemporaryDirectory()
    config.server = Server(Path(config.folder.name) / "data")
    os.environ["SERVER_URL"] = config.server.url
    os.environ["SERVER_TOKEN"] = config.server.token


def pytest_unconfigure(config):
    if hasattr(config, "server"):
        config.server.stop()
        config.folder.cleanup()
