"""Arguments come in from ./fillpath, an exit code goes out: 0 only on success."""

import sys

from cli.application import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
