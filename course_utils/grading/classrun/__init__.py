"""A class run: plan, preflight, journal, results, what changed. It begins in ``run``."""
