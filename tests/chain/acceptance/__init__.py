"""The suite for a real network: `make besu-acceptance`, told in docs/guides/operator.md."""
