#!/usr/bin/env python3
"""Keeps docs/conformance.md: one row for each endpoint of the Matrix specification.

    tests/conformance.py                 rewrite the page from docs/conformance.json
    tests/conformance.py --check         fail if that would change it
    tests/conformance.py --spec FOLDER   first read the endpoints anew from a copy of the specification
                                         (its folder data/api), keeping every status and test

docs/conformance.json holds the endpoints, and by hand for each a `status` (works, not yet, refused), the
`test` that shows it, and a `note`. Endpoints that leave the specification leave the file.
"""

import argparse
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = ROOT / "docs" / "conformance.json"
PAGE = ROOT / "docs" / "conformance.md"
METHODS = ("get", "put", "post", "delete", "patch", "head")
STATUSES = ("works", "not yet", "refused")
APIS = {"client-server": "Client-server API", "server-server": "Server-server API"}
# Kept by hand altogether: what is not in the specification's own lists.
BY_HAND = {"proposals": "Proposals and OAuth 2.0"}


def cell(text):
    """Text for a cell of a table, which a bar would end even within code."""
    return text.replace("|", "\\|")


def endpoints_of(text):
    """The endpoints of one OpenAPI file.

    Reads the few lines that matter by their indentation, so that no YAML library is needed: the server's base
    path, the paths (two blanks), their methods (four) and the operation's own keys (six).
    """
    # The base path stands below `servers`: as the default of the variable `basePath`, or in the URL itself.
    base = re.search(r"basePath:\s*\n\s+default:\s*(\S+)", text)
    if base is None:
        base = re.search(r"^\s+(?:- )?url: [\"']?\S*?(/[_.]\S*?)[\"']?$", text, re.MULTILINE)
    prefix = base.group(1).rstrip("/") if base else ""
    found, path, operation, in_paths = [], None, None, False
    for line in text.splitlines():
        if re.match(r"\S", line):
            in_paths = line.startswith("paths:")
            continue
        if not in_paths:
            continue
        if match := re.match(r"  [\"']?(/[^\"']*?)[\"']?:\s*$", line):
            # Two paths end in a blank, so that they may stand in the specification a second time.
            path = prefix + match.group(1).strip()
        elif (match := re.match(r"    (\w+):\s*$", line)) and match.group(1) in METHODS:
            operation = {"method": match.group(1).upper(), "path": path, "operation": "", "deprecated": False}
            found.append(operation)
        elif operation and (match := re.match(r"      operationId:\s*(\S+)", line)):
            operation["operation"] = match.group(1)
        elif operation and re.match(r"      deprecated:\s*true", line):
            operation["deprecated"] = True
    return found


def read_specification(folder, known):
    """All endpoints of both APIs, with what was kept by hand about them."""
    kept = {(row["method"], row["path"], row["operation"]): row for rows in known.values() for row in rows}
    result = {}
    for api in APIS:
        rows = []
        for file in sorted((folder / api).glob("*.yaml")):
            for row in endpoints_of(file.read_text(encoding="utf-8")):
                old = kept.get((row["method"], row["path"], row["operation"]), {})
                row["status"] = old.get("status", "not yet")
                row["test"] = old.get("test", "")
                row["note"] = old.get("note", "")
                rows.append(row)
        rows.sort(key=lambda row: (row["path"], row["method"], row["operation"]))
        result[api] = rows
    return result | {group: known.get(group, []) for group in BY_HAND}


def page_of(known):
    lines = [
        "# Conformance",
        "",
        "One row for each endpoint of the Matrix specification, v1.19. The list is generated; status, test and note",
        "are kept by hand in `conformance.json`, and `make docs` writes this page.",
        "",
        "- **works**: as specified, shown by the named test.",
        "- **not yet**: unknown to the server: 404 `M_UNRECOGNIZED`.",
        "- **refused**: answered with the error that the specification provides, because the feature does not exist here.",
    ]
    for api, title in (APIS | BY_HAND).items():
        rows = known[api]
        counts = ", ".join(
            f"{sum(row['status'] == status for row in rows)} {status}" for status in STATUSES
        )
        lines += ["", f"## {title}", "", f"{len(rows)} endpoints: {counts}.", ""]
        lines += ["| Endpoint | Operation | Status | Test | Note |", "| --- | --- | --- | --- | --- |"]
        for row in rows:
            operation = row["operation"] + (" (deprecated)" if row["deprecated"] else "")
            test = f"`{row['test']}`" if row["test"] else ""
            lines.append(
                f"| `{row['method']} {row['path']}` | {operation} | {row['status']} | {test} | {cell(row['note'])} |"
            )
    return "\n".join(line.rstrip() for line in lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description="Keeps docs/conformance.md.")
    parser.add_argument("--spec", type=pathlib.Path, help="the specification's folder data/api")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if the page is out of date")
    options = parser.parse_args()
    known = json.loads(DATA.read_text(encoding="utf-8")) if DATA.exists() else {api: [] for api in APIS}
    if options.spec:
        known = read_specification(options.spec, known)
        DATA.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    unknown = {row["status"] for rows in known.values() for row in rows} - set(STATUSES)
    if unknown:
        sys.exit(f"docs/conformance.json: unknown status {', '.join(sorted(unknown))}")
    page = page_of(known)
    if options.check:
        if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page:
            sys.exit("docs/conformance.md is out of date: run `make docs`.")
        return
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
