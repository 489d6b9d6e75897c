"""Judging submissions and classes, and telling nbgrader's world about it."""
