"""Fault simulation: the real use cases on in-memory fakes under virtual time, and a checker that judges what came of it."""
