"""The release gate: a lab proves itself before students see it."""
