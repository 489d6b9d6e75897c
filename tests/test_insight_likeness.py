"""Code that is much alike: found under other names and layout, and not where all write the same."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
from tiny import TINY_LAB, as_bytes, cell, tiny_notebook, write_tiny_lab

from course_utils.grading.insight.code import MOST, Given, written
from course_utils.grading.insight.fingerprints import K, W, checksums, winnowed
from course_utils.grading.insight.likeness import Code, alike
from course_utils.grading.insight.tokens import tokens
from course_utils.grading.submissions import Submission
from course_utils.ground.lab import Lab

ONE = '''def softmax(x, axis=-1):
    """What it does."""
    shifted = x - x.max(axis=axis, keepdims=True)  # stable
    e = np.exp(shifted)
    return e / e.sum(axis=axis, keepdims=True)
'''
RENAMED = '''def softmax(x, axis=-1):
    # mine

    moved = (x
      - x.max(axis=axis, keepdims=True))
    powers = np.exp(moved)
    return powers / powers.sum(axis=axis, keepdims=True)
'''


def test_names_comments_and_layout_are_nothing() -> None:
    given = {"softmax", "x", "axis", "np"}
    one, other = tokens(ONE, given), tokens(RENAMED, given)
    assert "(" in other and [t for t in other if t not in "()"] == [t for t in one if t not in "()"]
    assert "shifted" not in one and "exp" in one and "What it does." not in " ".join(one)


def test_what_is_called_stays() -> None:
    assert tokens("y = np.exp(x)") != tokens("y = np.log(x)")
    assert tokens("y = sum(x)") != tokens("y = max(x)")
    assert tokens("a = f(b)") == tokens("c = g(d)")


@pytest.mark.parametrize(
    "code", ["def f(:\n  '''", "\x00", "  if\n x", "(" * 3000, "%%bash\nls", "x = 'é\ud800'", "\\"]
)
def test_what_is_no_python_breaks_nothing(code: str) -> None:
    assert len(winnowed(checksums(tokens(f"a = 1\n{code}")))) < 3000


def test_a_shared_run_shares_a_fingerprint_wherever_it_stands() -> None:
    """The guarantee of the paper, for runs of K + W − 1 tokens."""
    generator = random.Random(7)
    word = [f"t{generator.randrange(50)}" for _ in range(K + W - 1)]
    for _ in range(50):
        texts = []
        for _ in range(2):
            around = [[f"u{generator.randrange(10**6)}" for _ in range(generator.randrange(40))]
                      for _ in range(2)]  # fmt: skip
            texts.append(winnowed(checksums([*around[0], *word, *around[1]])))
        assert len(np.intersect1d(texts[0], texts[1])) >= 1


def test_few_of_many_checksums_are_kept() -> None:
    sums = checksums([f"t{number}" for number in range(5000)])
    assert len(sums) / W < len(winnowed(sums)) < 3 * len(sums) / W


def made_up(count: int, size: int = 120, common: int = 40) -> dict[str, Code]:
    """Students with code of their own, and some that everybody writes."""
    generator = np.random.default_rng(3)
    shared = generator.integers(0, 2**63, common).astype(np.uint64)
    return {
        f"s{number}": {"a": np.unique(np.concatenate([
            shared, generator.integers(0, 2**63, size).astype(np.uint64)
        ]))}
        for number in range(count)
    }  # fmt: skip


def test_two_are_found_among_many() -> None:
    codes = made_up(40)
    copied = codes["s7"]["a"]
    codes["other"] = {"a": np.unique(np.concatenate([copied[:-10], codes["s9"]["a"][:10]]))}
    (group,) = alike(codes)
    assert set(group.students) == {"s7", "other"}
    assert 0.8 <= group.low == group.high < 1 and group.where == ("a",)


def test_what_everybody_writes_says_nothing() -> None:
    """Ten fingerprints of one's own beside two hundred that the whole class has."""
    assert alike(made_up(40, size=10, common=200)) == []


def test_the_very_same_code_is_listed_however_many_have_it() -> None:
    codes = made_up(30)
    same = {f"same{number}": codes["s0"] for number in range(25)}
    (group,) = alike(codes | same)
    assert len(group.students) == 26 and group.low == 1


@pytest.mark.parametrize("count", [0, 1])
def test_who_is_alone_is_like_nobody(count: int) -> None:
    assert alike(made_up(count)) == []


def test_nobody_is_like_an_empty_notebook() -> None:
    nothing: dict[str, Code] = {"a": {}, "b": {"x": np.zeros(0, np.uint64)}}
    assert alike(nothing | made_up(3)) == []


@pytest.fixture
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab.load(write_tiny_lab(tmp_path_factory.mktemp("solutions")))


def own(lab: Lab, *codes: str) -> Code:
    notebook = tiny_notebook()
    notebook["cells"] = [
        *(one for one in notebook["cells"] if one["id"] == "setup"),
        *(cell(code, "softmax" if number == 0 else "", solution=True)
          for number, code in enumerate(codes)),
    ]  # fmt: skip
    return Given.by(lab).own(as_bytes(notebook))


def test_what_the_lab_gives_is_nobodys(lab: Lab) -> None:
    notebook = tiny_notebook()
    for one in notebook["cells"]:
        if one["metadata"].get("nbgrader", {}).get("solution") and one["cell_type"] == "code":
            signature = one["source"].splitlines()[0]
            one["source"] = (
                f'{signature}\n    # YOUR CODE HERE\n    raise NotImplementedError("'
                f'{TINY_LAB.partition("_")[0]} · {one["id"]} is not written yet")'
            )
    code = Given.by(lab).own(as_bytes(notebook))
    assert sum(map(len, code.values())) == 0


def test_code_is_known_by_its_exercise(lab: Lab) -> None:
    code = own(lab, ONE, "\n".join(f"v{n} = {n} * w + {n} - z" for n in range(9)))
    assert len(code["softmax"]) > 0 and len(code[""]) > 0
    renamed = own(lab, RENAMED.replace("(x\n      - ", "x - ").replace("True))\n", "True)\n", 1))
    assert set(renamed["softmax"].tolist()) == set(code["softmax"].tolist())


def test_a_flood_of_code_is_cut(lab: Lab) -> None:
    line = "a = b + c * d - e\n"
    code = own(lab, ONE, line * (2 * MOST // len(line)), ONE.replace("max", "min"))
    assert code[""].size < MOST


def test_what_cannot_be_read_is_passed_over(lab: Lab, tmp_path_factory: pytest.TempPathFactory,
                                            ) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("in")
    (folder / "bad.ipynb").write_bytes(b"{")
    (folder / "good.ipynb").write_bytes(as_bytes(tiny_notebook()))
    some = [
        Submission("bad", f"{folder}/bad.ipynb"), Submission("gone", f"{folder}/none.ipynb"),
        Submission("good", f"{folder}/good.ipynb"), Submission("fault", None, fault="a disk"),
    ]  # fmt: skip
    assert list(written(lab, some)) == ["good"]


def test_a_thousand_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    codes = made_up(1000, size=250, common=60)
    codes["twin"] = {"a": codes["s3"]["a"]}
    started = time.perf_counter()
    (group,) = alike(codes)
    with capsys.disabled():
        print(f"\n1,001 sets of 310 fingerprints compared in {time.perf_counter() - started:.2f} s")
    assert set(group.students) == {"s3", "twin"}
