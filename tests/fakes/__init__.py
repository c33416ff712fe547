"""In-memory stand-ins of every port. They pass the same contract tests as the adapters, and cost microseconds."""
