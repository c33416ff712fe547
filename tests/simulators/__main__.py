"""python -m tests.simulators VENUE [--port N] [--json] [--strict]: serve one venue until Ctrl-C."""

import argparse
import sys

from tests.simulators.server import main

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.simulators", description="Serve a simulated venue on this machine.")
    parser.add_argument("venue", help="which one; an unknown one tells those there are")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; a free one without it")
    parser.add_argument("--json", action="store_true", help="print one JSON line: venue, url, credentials")
    parser.add_argument("--strict", action="store_true", help="check every reply against the venue's schema")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end when standard input does")
    wanted = parser.parse_args()
    sys.exit(
        main(
            wanted.venue,
            wanted.port,
            as_json=wanted.json,
            strict=wanted.strict,
            until_stdin_closes=wanted.until_stdin_closes,
        )
    )
