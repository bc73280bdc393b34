"""A directory and a server of a test's own: the real binaries, on free ports, with temporary data."""

import contextlib
import json
import os
import pathlib
import subprocess
import tempfile

RUN_SLAPD = pathlib.Path(__file__).resolve().parents[2] / "fixtures/ldap/run-slapd"
SETTINGS = """
[server]
name = "nordlicht.example"
data_dir = {folder}
[[listener]]
address = "127.0.0.1:0"
serves = ["client", "web", "health"]
[rate_limits]
enabled = false
[calls.livekit]
mode = "off"
[directory]
urls = [{ldap}]
start_tls = true
ca_file = {ca_file}
bind_dn = {bind_dn}
bind_password = {bind_password}
base_dn = {people_dn}
user_filter = "(&(objectClass=inetOrgPerson)(uid={{username}}))"
"""


@contextlib.contextmanager
def company():
    """Gives the address of a server whose people come from the sample company's directory."""
    binary = os.environ.get("ECHORIFT_BIN")
    assert binary, "ECHORIFT_BIN is to name the server's binary: cargo build -p echorift"
    with tempfile.TemporaryDirectory(prefix="echorift-py-") as folder, contextlib.ExitStack() as stack:
        directory = stack.enter_context(running([RUN_SLAPD, f"{folder}/ldap", "--until-stdin-closes"]))
        facts = json.loads(line_with(directory, "ldap://"))
        configuration = pathlib.Path(folder, "echorift.toml")
        # Texts are written alike in JSON and TOML.
        texts = {key: json.dumps(value) for key, value in facts.items()}
        configuration.write_text(SETTINGS.format(folder=json.dumps(folder), **texts))
        server = stack.enter_context(running([binary, "serve", "--config", configuration]))
        yield "http://" + line_with(server, "answers on http://").split("http://")[1]


@contextlib.contextmanager
def running(command):
    """A process that is asked to end, and waited for, when its context does."""
    process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.stdin.close()
        process.wait(timeout=30)
        process.stdout.close()


def line_with(process, part):
    """The first line of the process's output that holds `part`."""
    for line in process.stdout:
        if part in line:
            return line.strip()
    raise AssertionError(f"{process.args[0]} ended with {process.wait()}")
