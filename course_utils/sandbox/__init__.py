"""Running students' notebooks where they can do no harm and learn no answers."""
