"""The adapters where their port's contract does not reach: lost answers, the client, the wire form."""
