"""The audit explorer: records with their proofs, one correlation id followed, digests resolved."""
