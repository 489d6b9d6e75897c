#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the image that submissions are graded in.
set -euo pipefail
cd "$(dirname "$0")"
root="${AUTOGRADER_ROOT:-/autograder}"

export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends bubblewrap libseccomp2 python3 python3-venv

python=""
for one in python3.13 python3.12 python3.11 python3; do
  if "$one" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python="$one"
    break
  fi
done
if [ -z "$python" ]; then  # Ubuntu 22.04 has 3.10, and this beside it
  apt-get install -y --no-install-recommends python3.11 python3.11-venv
  python=python3.11
fi

"$python" -m venv "$root/venv"
# torch for the CPU: a tenth of the size of the one with CUDA.
"$root/venv/bin/python" -m pip install --no-cache-dir --disable-pip-version-check \
  --extra-index-url https://download.pytorch.org/whl/cpu \
  --constraint package/constraints.txt './package[grading]'

# Hidden tests are for root, who grades; in the sandbox student code is somebody else.
chmod -R go-rwx .
# What mistakes look like is computed now and kept in the image, not for each submission anew.
export XDG_CACHE_HOME="$root/cache"
"$root/venv/bin/python" -m course_utils.grading.gradescope.run --warm-up
