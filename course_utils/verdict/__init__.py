"""What was found of a student's work, what it is worth, and how it is shown."""
