"""How fast the grader is, measured beside others in one run: ``make bench``."""
