"""Benchmarks: they print figures and judge nothing. `./fillpath bench NAME`, or `python -m tests.benchmarks NAME --json`."""
