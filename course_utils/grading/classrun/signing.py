"""A signature under what a course keeps for itself, so that only its own is believed."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

from course_utils.grading.own_file import own_file

_FILE = "signing_key"
_BYTES = 32


class Signer:
    """Signs lists of texts with a key that only the course's own user can read.

    Args:
        folder: where the key lies; it is made where there is none.
        reading: no key is to be made; without one nothing is believed.

    Raises:
        OSError: the key cannot be read or made.
    """

    def __init__(self, folder: Path, *, reading: bool = False) -> None:
        path = folder / _FILE
        known = not reading or path.exists()
        self._key = own_file(path, lambda: secrets.token_hex(_BYTES)).encode() if known else b""

    def sign(self, *texts: str) -> str:
        """The signature under some texts."""
        made = hmac.new(self._key, digestmod=hashlib.sha256)
        for text in texts:
            data = text.encode("utf-8", "surrogatepass")
            made.update(len(data).to_bytes(8, "big") + data)  # so that no two lists read the same
        return made.hexdigest()

    def is_ours(self, signature: str, *texts: str) -> bool:
        """Whether a signature is this course's own."""
        return bool(self._key) and hmac.compare_digest(signature, self.sign(*texts))
