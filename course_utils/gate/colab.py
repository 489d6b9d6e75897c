"""A lab's notebook for Google Colab: a badge that opens it there, and a cell that prepares it.

Colab opens one file of a public GitHub repository, in a machine that has neither this package nor
the files that lie beside the notebook. Everywhere else the cell does nothing, so that students on
Colab and others hand in the same notebook.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from course_utils.ground.errors import LabError

_BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
_PLACE = re.compile(r"([\w.-]+/[\w.-]+?)(?:@([\w./-]+))?(?::([\w./-]+))?")
_CELL = '''# On Colab: installs the package and fetches the files that belong to this notebook.
import sys

if "google.colab" in sys.modules:
    from urllib.request import urlretrieve

    %pip install --quiet {package}
    for name in {files}:
        urlretrieve(f"{raw}/{{name}}", name)'''


@dataclass(frozen=True)
class Place:
    """A folder of a public GitHub repository.

    Attributes:
        repository: as ORGANISATION/REPOSITORY.
        branch: its branch.
        folder: where the hand-outs are unpacked; empty for the top.
    """

    repository: str
    branch: str = "main"
    folder: str = ""

    @classmethod
    def parsed(cls, text: str) -> Place:
        """From ``ORGANISATION/REPOSITORY``, ``…@BRANCH``, ``…:FOLDER`` or both, in this order.

        Raises:
            LabError: it is something else.
        """
        found = _PLACE.fullmatch(text)
        if found is None or {".", ".."} & set(text.replace("@", "/").replace(":", "/").split("/")):
            raise LabError(
                f"{text!r} names no place on GitHub; that looks like ORGANISATION/REPOSITORY, or "
                "like ORGANISATION/REPOSITORY@BRANCH:FOLDER"
            )
        repository, branch, folder = found.groups()
        return cls(repository, branch or "main", (folder or "").strip("/"))

    def at(self, lab: str) -> str:
        """A lab's folder there, as a path in an address."""
        return "/".join(filter(None, (self.branch, self.folder, lab)))


def for_colab(
    notebook: dict[str, Any], name: str, lab: str, place: Place, package: str, files: Sequence[str]
) -> dict[str, Any]:
    """A copy of a released notebook with badge and first cell.

    Args:
        notebook, name: the notebook, and its file's name.
        lab: its folder's name.
        place: where the hand-out will lie.
        package: what pip is to install: a wheel that lies beside the notebook, or as it takes it.
        files: what else lies there, for the notebook to use.
    """
    address = f"https://colab.research.google.com/github/{place.repository}/blob/{place.at(lab)}"
    raw = f"https://raw.githubusercontent.com/{place.repository}/{place.at(lab)}"
    package = f"{raw}/{package}" if package.endswith(".whl") and "/" not in package else package
    source = _CELL.format(package=package, files=tuple(files), raw=raw)
    made = copy.deepcopy(notebook)
    made["cells"][:0] = [
        {
            "cell_type": "markdown", "id": "colab-badge", "metadata": {},
            "source": f"[![Open in Colab]({_BADGE})]({address}/{quote(name)})",
        },
        {
            "cell_type": "code", "id": "colab-setup", "metadata": {"cellView": "form"},
            "source": source, "outputs": [], "execution_count": None,
        },
    ]  # fmt: skip
    return made
