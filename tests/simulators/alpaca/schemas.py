"""Alpaca's own schema of what is answered, trimmed to what is used."""

from pathlib import Path

from tests.simulators.schemas import Schemas

SCHEMAS = Schemas(Path(__file__).with_name("schema.json"))
