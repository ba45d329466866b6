"""Starts one demo server for all tests, and makes SDK clients for it.

The SDK is Microsoft's own, unmodified: only the base URL and the source of the token are ours.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from kiota_abstractions.authentication import AccessTokenProvider, AllowedHostsValidator
from kiota_abstractions.authentication import BaseBearerTokenAuthenticationProvider
from msgraph_beta import GraphServiceClient
from msgraph_beta.graph_request_adapter import GraphRequestAdapter

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("TENANTWATCH_BIN", str(ROOT / "target/release/tenantwatch"))
READ = "PartnerSecurity.Read.All"
READ_WRITE = "PartnerSecurity.ReadWrite.All"


class Server:
    """A running `tenantwatch demo` on a free port."""

    def __init__(self, data_dir: Path):
        self.data_dir = data_dir
        self.process = subprocess.Popen(
            [BINARY, "demo", "--listen", "127.0.0.1:0", "--data-dir", str(data_dir),
             "--seed", "1", "--customers", "20", "--days", "40"],
            stdout=subprocess.PIPE, stderr=sys.stderr, text=True,
        )
        line = self.process.stdout.readline().strip()
        assert line.startswith("http://127.0.0.1:"), f"the demo printed {line!r} instead of its URL"
        self.url = line.rstrip("/")

    def token(self, *arguments: str) -> str:
        """What `tenantwatch token` prints."""
        done = subprocess.run(
            [BINARY, "token", "--data-dir", str(self.data_dir), *arguments],
            check=True, capture_output=True, text=True,
        )
        return done.stdout.strip()

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)


class Imported(Server):
    """A running `tenantwatch serve` over the alerts of tests/fixtures."""

    def __init__(self, data_dir: Path, settings: str = ""):
        self.data_dir = data_dir
        data_dir.mkdir(parents=True)
        (data_dir / "tenantwatch.toml").write_text(settings + "\n")
        alerts = ROOT / "tests/fixtures/alerts.ndjson"
        subprocess.run([BINARY, "alerts", "import", "--data-dir", str(data_dir), str(alerts)], check=True)
        self.process = subprocess.Popen(
            [BINARY, "serve", "--listen", "127.0.0.1:0", "--data-dir", str(data_dir)],
            stdout=subprocess.PIPE, stderr=sys.stderr, text=True,
        )
        self.url = self.process.stdout.readline().strip().rstrip("/")


class FixedToken(AccessTokenProvider):
    """Hands one token to the SDK, for every host."""

    def __init__(self, token: str):
        self.token = token
        self.allowed = AllowedHostsValidator([])

    async def get_authorization_token(self, uri, additional_authentication_context={}):
        return self.token

    def get_allowed_hosts_validator(self):
        return self.allowed


def make_client(server: Server, token: str) -> GraphServiceClient:
    adapter = GraphRequestAdapter(BaseBearerTokenAuthenticationProvider(FixedToken(token)))
    adapter.base_url = f"{server.url}/beta"
    return GraphServiceClient(request_adapter=adapter)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("demo") / "data")
    yield running
    running.stop()


@pytest.fixture
def writer(server):
    """A client in the name of a user who may change alerts."""
    return make_client(server, server.token("--scope", READ_WRITE, "--user", "ann@partner.example"))


@pytest.fixture
def reader(server):
    """A client in the name of an application that may only read."""
    return make_client(server, server.token("--scope", READ, "--app"))
