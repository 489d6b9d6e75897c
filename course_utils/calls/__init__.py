"""One call of a student's function: what is sent, who carries it out, what is kept of it."""
