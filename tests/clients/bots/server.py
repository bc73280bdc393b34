"""The servers under test, started on their own data and free ports: the bots' own, and another that it federates with."""

import contextlib
import os
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from authority import Authority

NAME, FAR = "bots.example", "far.example"
PATIENCE_SECONDS = 30


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def servers(registrations):
    """Serves with these registration files, `name → text`; gives the addresses of both servers."""
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(folder)
        ports = {NAME: free_port(), FAR: free_port()}
        files = []
        for name, text in registrations.items():
            file = Path(folder, f"{name}.yaml")
            file.write_text(text)
            files.append(str(file))
        with run(NAME, folder, authority, ports, files) as near, run(FAR, folder, authority, ports, []) as far:
            yield near, far


@contextlib.contextmanager
def run(name, folder, authority, federation_ports, files):
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    certificate, key = authority.certify(name)
    hosts = ", ".join(f'"{other}" = "127.0.0.1:{other_port}"' for other, other_port in federation_ports.items())
    config = Path(folder, f"{name}.toml")
    config.write_text(f"""
[server]
name = "{name}"
data_dir = "{folder}/{name}"
public_base_url = "{address}"
[[listener]]
address = "127.0.0.1:{port}"
[[listener]]
address = "127.0.0.1:{federation_ports[name]}"
serves = ["federation", "media"]
tls = true
tls_certificate = "{certificate}"
tls_private_key = "{key}"
[federation]
hosts = {{ {hosts} }}
[outbound]
extra_ca_files = ["{authority.file}"]
denied_ip_ranges = []
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
