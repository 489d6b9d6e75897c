"""Green proofs are remembered, as long as nothing changes that they rest on."""
