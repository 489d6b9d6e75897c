"""The student's side, inside the kernel: ``check``, ``hint``, ``progress``, ``device``, bars.

It needs neither nbgrader nor a sandbox, and runs wherever Jupyter does. Nothing here decides a
mark: in grading these functions return at once, and the grader judges from outside.
"""
