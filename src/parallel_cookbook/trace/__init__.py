"""The verb `trace`: record what a real run did, and say what it means."""
