"""The server under test, started on its own data and a free port."""

import contextlib
import os
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

NAME = "bots.example"
PATIENCE_SECONDS = 30


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def server(registrations):
    """Serves with these registration files, `name → text`; gives the address."""
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for name, text in registrations.items():
            file = Path(folder, f"{name}.yaml")
            file.write_text(text)
            files.append(str(file))
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        config = Path(folder, "echorift.toml")
        config.write_text(f"""
[server]
name = "{NAME}"
data_dir = "{folder}/data"
public_base_url = "{address}"
[[listener]]
address = "127.0.0.1:{port}"
[registration]
enabled = true
without_verification = true
[passwords]
hash_memory_kib = 64
hash_iterations = 1
[rate_limits]
enabled = false
[calls.livekit]
mode = "off"
[application_services]
files = {files!r}
""")
        process = subprocess.Popen([os.environ["ECHORIFT_BIN"], "serve", "--config", str(config)])
        try:
            wait_until_ready(process, address)
            yield address
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def wait_until_ready(process, address):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            with urllib.request.urlopen(f"{address}/_matrix/client/versions") as answer:
                if answer.status == 200:
                    return
        time.sleep(0.05)
    raise RuntimeError("the server does not answer")
