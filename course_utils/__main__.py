"""The ``course`` command, also as ``python -m course_utils``: nothing but its way in.

It is a module of its own, since an installation without the extra ``grading`` lacks what
``course_utils.commands.cli`` imports, and that is to be a sentence.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; an import that fails, now or later, is a sentence and exit code 2."""
    try:
        from course_utils.commands.cli import main as run

        run()
    except ImportError as error:
        from course_utils.ground.requirements import explained

        print(f"error: {explained(error)}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
