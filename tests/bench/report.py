"""Writes docs/performance.md from measurements."""

# What a figure is to reach: (row, what is compared, target, unit). Lower is better but for rates.
HEAD = """# Performance

Written by `make bench` ({machine}, {cpus} cores shared by server and load generator; release build). CPU time of the
server per operation is what to compare between machines and versions; times and rates depend on what else a machine
does. SQLite with `synchronous=FULL`: an answer means that the event is on the disk. Presence is on, rate limits are
off. The scenarios are those of `tests/loadgen`. The
sending rows include the indexing for search and the reading for pushers, which follow the log in the same process.

"""

FEDERATION = """
## Federation

Two servers of ours on one machine, by TLS on loopback; then one with 500 scripted servers (`tests/examples/federation_scale.rs`).

| what | time | CPU of the server | aim |
| --- | --- | --- | --- |
"""

CALLS = """
## Calls

A thousand people in one room, and an SFU that costs nothing (`tests/examples/calls_load.rs`).

| what | rate | CPU of the server each | aim |
| --- | --- | --- | --- |
"""


def page(results, machine, cpus):
    text = HEAD.format(machine=machine, cpus=cpus)
    text += table(results)
    idle, start = results.get("idle"), results.get("start")
    if idle:
        per_poll = (idle["during_mib"] - idle["before_mib"]) * 1024 / idle["polls"]
        text += "\n## Waiting and starting\n\n| what | measured | aim |\n| --- | --- | --- |\n"
        text += f"| memory with {idle['polls']} idle long polls | {idle['during_mib']:.0f} MiB | 100 MiB |\n"
        text += f"| of that for each poll | {per_poll:.1f} KiB | 20 KiB |\n"
        text += f"| CPU of a sync with nothing new | {idle['cpu_us']:.0f} µs | 30 µs |\n"
        text += f"| database reads by 2,000 such syncs | {idle['reads']:.0f} | 0 |\n"
    if start:
        text += f"| start to ready with {start['rooms']} rooms | {start['seconds']:.2f} s | 1 s |\n"
    keys, search = results.get("keys"), results.get("search")
    if keys and search:
        text += "\n## Asking\n\n| what | time | CPU | aim |\n| --- | --- | --- | --- |\n"
        rows = {
            f"the keys of {keys['users']} users, one request": (keys, "50 ms"),
            f"a rare word among {search['messages']:,} messages": (search["rare"], "100 ms"),
            f"two common words among {search['messages']:,} messages": (search["common"], "100 ms"),
        }
        for what, (figure, aim) in rows.items():
            text += f"| {what} | {figure['wall_ms']:.1f} ms | {figure['cpu_ms']:.1f} ms | {aim} |\n"
    federation = results.get("federation")
    if federation:
        text += FEDERATION + "\n".join(federation["rows"]) + "\n"
    calls = results.get("calls")
    if calls:
        text += CALLS + "\n".join(calls["rows"]) + "\n"
    return text


AIMS = {
    "send c=64": "150 µs, 3,000/s",
    "send c=1": "p50 3 ms",
    "fanout 20x50": "60 µs a delivery, p99 200 ms",
    "fanout 1x500": "20 messages/s in full",
    "join 500": "1 ms",
    "history page": "1 ms",
    "/members": "1 ms",
    "sync initial": "250 ms",
    "sync nothing new": "30 µs",
    "sliding first 20": "100 ms",
    "media upload": "300 MB/s",
    "media download": "300 MB/s",
}


def table(results):
    text = "| scenario | row | operations/s | CPU/operation | p50 | p99 | peak memory | errors | aim |\n"
    text += "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
    for scenario, rows in results.items():
        if not isinstance(rows, list):
            continue
        for row in rows:
            aim = next((aim for name, aim in AIMS.items() if row["name"].startswith(name)), "")
            micros = row["cpu_s_per_1000"] * 1000
            cpu = f"{micros:.0f} µs" if micros < 10_000 else f"{micros / 1000:.0f} ms"
            if not micros:
                # The clock of a process ticks a hundred times a second.
                cpu = "too little to tell"
            megabytes = row.get("extra", {}).get("mb_per_s")
            rate = f"{megabytes:,.0f} MB/s" if megabytes else f"{row['per_second']:,.0f}"
            text += (
                f"| {scenario} | {row['name']} | {rate} | {cpu} | {row['p50_ms']:.1f} ms"
                f" | {row['p99_ms']:.1f} ms | {row['rss_peak_mib']:.0f} MiB | {row['errors']} | {aim} |\n"
            )
    return text
