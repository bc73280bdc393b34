"""What the load generator has no scenario for: key queries of many users, and search in many messages."""

import base64
import secrets
import time
from concurrent.futures import ThreadPoolExecutor

CLIENT = "/_matrix/client/v3"
# Words that messages are made of; `needle` is searched for, and stands in one message of a hundred.
WORDS = "the release notes of last week say that every team moved its standup to the new channel before noon".split()


def key(length=32):
    return base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=")


def device_keys(user, device):
    return {
        "user_id": user,
        "device_id": device,
        "algorithms": ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
        "keys": {f"curve25519:{device}": key(), f"ed25519:{device}": key()},
        "signatures": {user: {f"ed25519:{device}": key(64)}},
    }


def timed(server, count, operation):
    """Milliseconds of wall and of server CPU that one of `count` operations takes."""
    operation()
    cpu, began = server.cpu_seconds(), time.monotonic()
    for _ in range(count):
        operation()
    wall = time.monotonic() - began
    return {"wall_ms": wall / count * 1e3, "cpu_ms": (server.cpu_seconds() - cpu) / count * 1e3}


def query_keys(bench, server, users):
    """One `keys/query` for as many users, each with one device."""

    def join(number):
        token = bench.register(server, f"keys{number}")
        me = server.call("GET", f"{CLIENT}/account/whoami", token=token)
        body = {"device_keys": device_keys(me["user_id"], me["device_id"])}
        server.call("POST", f"{CLIENT}/keys/upload", body, token)
        return me["user_id"], token

    with ThreadPoolExecutor(8) as pool:
        people = list(pool.map(join, range(users)))
    token = people[0][1]
    wanted = {user: [] for user, _ in people}

    def query():
        answer = server.call("POST", f"{CLIENT}/keys/query", {"device_keys": wanted}, token)
        assert len(answer["device_keys"]) == users, "keys are missing"

    return {"users": users, **timed(server, 20, query)}


def search(bench, server, messages):
    """Searches for a word and for two among as many messages of one reader."""
    token = bench.register(server, "searcher")
    room = server.call("POST", f"{CLIENT}/createRoom", {"preset": "private_chat"}, token)["room_id"]

    def send(number):
        words = [WORDS[(number * step + step) % len(WORDS)] for step in range(3, 11)]
        if number % 100 == 0:
            words.append("needle")
        body = {"msgtype": "m.text", "body": " ".join(words)}
        server.call("PUT", f"{CLIENT}/rooms/{room}/send/m.room.message/bench{number}", body, token)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(send, range(messages)))

    def find(term):
        body = {"search_categories": {"room_events": {"search_term": term, "order_by": "recent"}}}
        return server.call("POST", f"{CLIENT}/search", body, token)["search_categories"]["room_events"]

    deadline = time.monotonic() + 120
    while find("needle").get("count", 0) < messages // 100:
        assert time.monotonic() < deadline, "the index does not catch up"
        time.sleep(0.2)
    rare = timed(server, 20, lambda: find("needle"))
    common = timed(server, 20, lambda: find("release notes"))
    return {"messages": messages, "rare": rare, "common": common}
