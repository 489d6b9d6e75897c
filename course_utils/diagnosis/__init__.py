"""From what was seen to what went wrong: named mistakes by their traces, else a look."""
