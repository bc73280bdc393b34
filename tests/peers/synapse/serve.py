"""Runs Synapse until its standard input closes, that is, until the test process has ended, however it ended.

    serve.py CONFIG FOLDER

FOLDER is removed at the end.
"""

import os
import shutil
import sys
import threading


def end_with_stdin(folder: str) -> None:
    while os.read(0, 1):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    # At once: there is nobody left for whom an orderly end would matter.
    os._exit(0)


def main() -> None:
    config, folder = sys.argv[1:]
    os.chdir(folder)
    threading.Thread(target=end_with_stdin, args=(folder,), daemon=True).start()
    sys.argv = ["synapse", "--config-path", config]
    from synapse.app import homeserver

    homeserver.main()


if __name__ == "__main__":
    main()
