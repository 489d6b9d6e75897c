#!/usr/bin/env bash
# Gradescope runs this for each submission; what it prints is for instructors.
set -euo pipefail
root="${AUTOGRADER_ROOT:-/autograder}"
export XDG_CACHE_HOME="${XDG_CACHE_HOME:-$root/cache}"
exec "${AUTOGRADER_PYTHON:-$root/venv/bin/python}" -m course_utils.grading.gradescope.run
