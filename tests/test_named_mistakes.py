"""A student's notebook, in a folder that holds only what students receive: mistakes are named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from tiny import REPOSITORY

from course_utils.gate.filled_in import solved
from course_utils.ground.lab import Lab

LAB = "lab02_softmax_nll"

# Written as a student would, not as the catalogue has them.
MISTAKES = {
    "softmax": (
        "def softmax(x, axis=-1):\n"
        "    return np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)",
        "no max shift",
    ),
    "cross_entropy": (
        "def cross_entropy(logits, targets, reduction='mean', ignore_index=-100,\n"
        "                  label_smoothing=0.0):\n"
        "    def soft(x):\n"
        "        e = np.exp(x - x.max(axis=1, keepdims=True))\n"
        "        return e / e.sum(axis=1, keepdims=True)\n"
        "    log_h = np.log(soft(soft(logits)))\n"
        "    n, k = logits.shape\n"
        "    keep = np.ones(n, dtype=bool)\n"
        "    if targets.ndim == 1:\n"
        "        keep = targets != ignore_index\n"
        "        targets = np.eye(k, dtype=logits.dtype)[np.where(keep, targets, 0)]\n"
        "    targets = (1 - label_smoothing) * targets + label_smoothing / k\n"
        "    losses = np.where(keep, -(targets * log_h).sum(axis=1), 0)\n"
        "    if reduction == 'none':\n"
        "        return losses\n"
        "    return losses.sum() / (keep.sum() if reduction == 'mean' else 1)",
        "softmax applied twice",
    ),
}
GRADIENT = (
    "def softmax_nll_grad(logits, targets, reduction='mean'):\n"
    "    e = np.exp(logits - logits.max(axis=1, keepdims=True))\n"
    "    h = e / e.sum(axis=1, keepdims=True)\n"
    "    y = np.eye(logits.shape[1], dtype=h.dtype)[targets] if targets.ndim == 1 else targets\n"
    "    return {}"
)
GRADIENTS = {
    "(y - h) / (len(h) if reduction == 'mean' else 1)": "sign flipped",
    "h - y": "one over n missing",
}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What ``check`` shows for each planted mistake, run in a real kernel."""
    folder = tmp_path_factory.mktemp("student") / LAB
    shutil.copytree(REPOSITORY / "labs" / LAB, folder)
    lab = Lab.find(LAB, REPOSITORY)
    sources = {name: source for name, (source, _) in MISTAKES.items()}
    notebook = solved(lab, folder / lab.notebook_path.name, sources)
    for body in GRADIENTS:
        for code in (GRADIENT.format(body), 'check("softmax_nll_grad")'):
            notebook["cells"].append(
                {"cell_type": "code", "id": f"x{len(notebook['cells'])}", "metadata": {},
                 "source": code, "outputs": [], "execution_count": None}
            )  # fmt: skip
    node = nbformat.reads(json.dumps(notebook), as_version=4)
    node.cells = [c for c in node.cells if "explore" not in c.metadata.get("tags", [])]
    place = {"metadata": {"path": str(folder)}}
    NotebookClient(node, timeout=120, allow_errors=True, resources=place).execute()
    texts: dict[str, str] = {}
    for before, cell in zip(node.cells, node.cells[1:], strict=False):
        if cell.source.startswith("check("):
            texts[before.source] = "".join(
                output.get("data", {}).get("text/plain", "") for output in cell.outputs
            )
    return texts


@pytest.mark.parametrize(
    ("source", "name"),
    [*MISTAKES.values(), *((GRADIENT.format(b), name) for b, name in GRADIENTS.items())],
    ids=[*MISTAKES, *GRADIENTS.values()],
)
def test_mistake_is_named(shown: dict[str, str], source: str, name: str) -> None:
    assert f"Most likely mistake: {name}" in shown[source]


def test_the_folder_holds_only_what_students_receive() -> None:
    names = {path.name for path in Path(REPOSITORY / "labs" / LAB).iterdir()}
    assert names == {"softmax_nll.ipynb", "test_public.py", "traces.msgpack"}
