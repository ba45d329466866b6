"""The document against the linter's rules; a warning is a failure."""

import os
import subprocess
from pathlib import Path
from urllib.request import urlopen

HERE = Path(__file__).parent


def test_the_linter_finds_nothing(tmp_path):
    document = tmp_path / "openapi.json"
    with urlopen(f"{os.environ['SERVER_URL']}/beta/openapi.json") as reply:
        document.write_bytes(reply.read())
    spectral = HERE / "node_modules/.bin/spectral"
    command = [spectral, "lint", document, "--ruleset", HERE / ".spectral.yaml", "--fail-severity", "hint"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
