"""The course's pictures and the bar of long loops: drawn for real, and in real kernels."""

from __future__ import annotations

import io
import itertools
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib
import numpy as np
import pytest
import torch
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from tiny import REPOSITORY

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from course_utils import plotting, training_bar
from course_utils.ground import cells as lab_cells
from course_utils.ground.lab import Lab
from course_utils.plotting import (
    bands,
    contours,
    depth_histograms,
    heatmap,
    image_grid,
    picture,
    trajectory,
    use_course_style,
)


@pytest.fixture(autouse=True)
def style() -> Iterator[None]:
    """The course's style for one test."""
    with matplotlib.rc_context():
        use_course_style()
        yield
    plt.close("all")


@pytest.fixture
def axes() -> Any:
    return plt.subplots()[1]


def test_no_line_is_told_by_its_colour_alone(axes: Any) -> None:
    drawn = [axes.plot([0, 1], [k, k], label=str(k))[0] for k in range(len(plotting.COLORS))]
    assert len({line.get_color() for line in drawn}) == len(plotting.COLORS)
    assert len({str(line._dash_pattern) for line in drawn}) == len(plotting.COLORS)
    assert len(set(plotting.MARKERS)) == len(set(plotting.HATCHES)) == len(plotting.COLORS)
    for text in axes.legend().get_texts():
        assert text.get_fontsize() >= 9


def test_letters_are_large_enough_and_small_numbers_plain(axes: Any) -> None:
    axes.plot([1, 2, 3], [0.06, 0.2, 0.7])
    axes.set(yscale="log", title="loss", xlabel="step")
    axes.figure.canvas.draw()
    texts = [axes.title, axes.xaxis.label, *axes.get_xticklabels(), *axes.get_yticklabels("both")]
    assert all(text.get_fontsize() >= 9 for text in texts)
    written = {text.get_text() for text in axes.get_yticklabels("both")}
    assert not any("times" in text for text in written), written


def test_a_picture_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[int] = []
    monkeypatch.setattr(plt, "show", lambda: shown.extend(plt.get_fignums()))
    with picture():
        plt.subplots()
    assert len(shown) == 1


def test_a_picture_of_a_stub_is_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    def sigmoid() -> None:
        raise NotImplementedError("lab01 · sigmoid is not written yet")

    with picture():
        plt.subplots()
        sigmoid()
    assert capsys.readouterr().out == "Nothing to show yet: lab01 · sigmoid is not written yet.\n"
    assert not plt.get_fignums()


def test_an_error_leaves_no_half_picture() -> None:
    with pytest.raises(ZeroDivisionError), picture():  # noqa: PT012
        plt.subplots()
        _ = 1 / 0
    assert not plt.get_fignums()


def test_bands_hold_every_run(axes: Any) -> None:
    runs = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 0.0]])
    line = bands(axes, [1, 2, 3], runs, "SGD", color="black")
    np.testing.assert_allclose(line.get_ydata(), [2.0, 2.0, 1.5])
    assert (line.get_label(), line.get_color()) == ("SGD", "black")
    corners = axes.collections[0].get_paths()[0].vertices
    assert {1.0, 3.0} <= set(corners[corners[:, 0] == 1][:, 1])
    assert {0.0, 3.0} <= set(corners[corners[:, 0] == 3][:, 1])


def test_bands_of_quartiles_are_about_the_median(axes: Any) -> None:
    runs = [torch.tensor([float(k), 0.0], requires_grad=True) for k in (0, 1, 2, 3, 100)]
    line = bands(axes, range(2), runs, "SGD", spread="quartiles")
    np.testing.assert_allclose(line.get_ydata(), [2, 0])
    corners = axes.collections[0].get_paths()[0].vertices
    assert (corners[:, 1].min(), corners[:, 1].max()) == (0, 3)


def test_bands_say_which_shape_they_need(axes: Any) -> None:
    with pytest.raises(ValueError, match=r"each run and 3 columns.*its shape is \(3, 2\)"):
        bands(axes, [1, 2, 3], np.zeros((3, 2)), "SGD")


def test_paths_on_contours_differ_in_more_than_colour(axes: Any) -> None:
    contours(axes, lambda x, y: torch.as_tensor(x**2 + y**2), (-2, 2), (-1, 1), levels=[0.5, 1])
    assert axes.get_xlim() == (-2, 2) and axes.get_ylim() == (-1, 1)
    points = torch.tensor([[-2.0, 0.0], [0.0, 1.0], [1.0, 0.0]], requires_grad=True)
    paths = [trajectory(axes, points, name) for name in ("a", "b", "c")]
    assert len({path.get_marker() for path in paths}) == 3
    assert len({path.get_color() for path in paths}) == 3
    assert [text.get_text() for text in axes.legend().get_texts()] == ["a", "b", "c"]
    np.testing.assert_allclose(paths[0].get_xydata(), points.detach().numpy())


def test_a_heatmap_can_be_read(axes: Any) -> None:
    values = np.array([[50, 0, 3], [0, 20, 1]])
    heatmap(axes, values, "d", label="images")
    drawn = {text.get_position(): text for text in axes.texts}
    assert {place: text.get_text() for place, text in drawn.items()} == {
        (0, 0): "50", (2, 0): "3", (1, 1): "20", (2, 1): "1",
    }  # fmt: skip
    assert drawn[0, 0].get_color() == "white" and drawn[2, 1].get_color() == "black"
    assert len(axes.figure.axes) == 2  # the colour bar's


def test_signed_numbers_are_white_at_0(axes: Any) -> None:
    image = heatmap(axes, [[-1.0, 4.0]], "+.1f", signed=True)
    assert image.get_clim() == (-4, 4)
    assert [text.get_text() for text in axes.texts] == ["-1.0", "+4.0"]
    assert heatmap(axes, np.zeros((2, 2)), signed=True).get_clim() == (-1, 1)


@pytest.mark.parametrize("smooth", [False, True])
def test_images_share_one_scale(smooth: bool) -> None:
    images = torch.linspace(0, 1, 7 * 64).reshape(7, 1, 8, 8)
    titles = [f"digit {k}" for k in range(7)]
    figure = image_grid(images, titles, row_labels=["first", "second"], smooth=smooth)
    panels = figure.axes
    assert [axes.get_title() for axes in panels] == [*titles, "", "", ""]
    assert {image.get_clim() for axes in panels for image in axes.images} == {(0, 1)}
    assert [axes.get_ylabel() for axes in panels if axes.get_ylabel()] == ["first", "second"]
    assert not any(axes.spines["left"].get_visible() for axes in panels[7:])
    np.testing.assert_allclose(
        panels[6].images[0].get_array()[1:-1, 1:-1] if smooth else panels[6].images[0].get_array(),
        images[6, 0],
    )


def test_weights_have_a_colour_bar() -> None:
    weights = np.random.default_rng(0).normal(size=(3, 4, 4))
    figure = image_grid(weights, columns=3, signed=True, label="weight")
    low, high = figure.axes[0].images[0].get_clim()
    assert low == -high == -np.abs(weights).max()
    assert figure.axes[-1].get_ylabel() == "weight"


def test_histograms_by_depth_count_every_number() -> None:
    rng = np.random.default_rng(0)
    networks = {
        name: [torch.tensor(rng.normal(size=(50, 20)) * scale**depth) for depth in range(4)]
        for name, scale in (("small", 0.5), ("large", 2.0))
    }
    figure = depth_histograms(networks, (-1, 1), bins=20)
    for axes, (name, layers) in zip(figure.axes, networks.items(), strict=True):
        assert axes.get_title() == name and axes.get_xlabel() == "activation"
        assert [text.get_text() for text in axes.texts] == [
            f"std\n{layer.numpy().std():.2g}" for layer in layers
        ]
        steps = [patch for patch in axes.patches if hasattr(patch, "get_data")]
        heights = [np.asarray(s.get_data().values) - s.get_data().baseline for s in steps]
        for layer, height in zip(layers, heights, strict=True):
            inside = np.histogram(np.clip(layer.numpy(), -1, 1), 20, (-1, 1))[0]
            np.testing.assert_allclose(height, 0.85 * inside / inside.max())
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["layer 4", "layer 3", "layer 2", "layer 1"]


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_histograms_of_equal_numbers_have_a_width(value: float) -> None:
    figure = depth_histograms({"dead": [np.full(10, value)]})
    assert figure.axes[0].get_xlim() == (value - 0.5, value + 0.5)


@pytest.mark.parametrize("lab", Lab.all_in(REPOSITORY), ids=lambda lab: lab.name)
def test_every_lab_draws_in_the_style(lab: Lab) -> None:
    cells = [cell for cell in lab.notebook["cells"] if cell["cell_type"] == "code"]
    setup, *others = (lab_cells.source(cell) for cell in cells)
    assert "use_course_style()" in setup
    assert "import torch" not in setup or "torch.set_num_threads(1)" in setup
    for code in others:
        if "plt." in code:
            assert "with picture(" in code or "sliders(" in code, code  # which draws inside one
            assert "tight_layout" not in code and "plt.show()" not in code, code
            assert all(float(size) >= 9 for size in re.findall(r"font_?size=([\d.]+)", code)), code


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class _Loss:
    """Like a tensor on a GPU: asking for its number takes time, so it is counted."""

    asked = 0

    def detach(self) -> _Loss:
        return self

    def __float__(self) -> float:
        _Loss.asked += 1
        return 0.25


def test_a_terminal_gets_a_text_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    bar = training_bar(3000, "digits")
    for _ in bar:
        bar.set(loss=_Loss())
    last = terminal.getvalue().rpartition("\r")[2]
    assert last.startswith("digits: 100%") and "3000/3000" in last and "loss 0.25" in last
    assert 1 <= _Loss.asked < 100


def test_a_loop_that_is_left_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    for letter in training_bar(["a", "b", "c", "d"]):
        if letter == "c":
            break
    assert "training: 100%" in terminal.getvalue() and "2/2" in terminal.getvalue()


def test_a_loop_that_never_came_round_leaves_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    for _ in training_bar(3):
        break
    assert terminal.getvalue().rpartition("\r")[0].endswith(" ")  # written over with spaces


def test_of_an_endless_loop_only_the_count_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    assert [n for n, _ in zip(training_bar(itertools.count()), "ab", strict=False)] == [0, 1]
    assert "%" not in terminal.getvalue()


@pytest.mark.parametrize("reason", ["a pipe", "grading"])
def test_without_anybody_there_is_no_bar(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], reason: str
) -> None:
    if reason == "grading":
        monkeypatch.setenv("COURSE_UTILS_GRADING", "1")
        monkeypatch.setattr("sys.stderr", _Terminal())
    bar = training_bar(3)
    for step in bar:
        bar.set(loss=torch.tensor(float(step)))
    assert capsys.readouterr() == ("", "")


SETUP = """
import matplotlib.pyplot as plt
import numpy as np
from course_utils import training_bar
from course_utils.plotting import picture, use_course_style

use_course_style()
"""
CURVE = """
def curve(x):
    return x**2

with picture():
    plt.plot(curve(np.arange(5)))
"""
STUB = 'def curve(x):\n    raise NotImplementedError("lab99 · curve is not written yet")\n'
LOOP = """
bar = training_bar(400, "digits")
for step in bar:
    bar.set(loss=1 / (step + 1))
print("done")
"""


def test_a_notebook_run_by_a_program_has_pictures_and_no_bars() -> None:
    sources = [SETUP, CURVE, STUB + CURVE.partition("\n\n")[2], LOOP]
    book = new_notebook(cells=[new_code_cell(source.strip()) for source in sources])
    NotebookClient(book, timeout=60).execute()
    setup, curve, stub, loop = ([dict(o) for o in cell.outputs] for cell in book.cells)
    assert setup == []
    (shown,) = curve
    assert "image/png" in shown["data"]
    assert shown["metadata"]["image/png"]["width"] < 700  # sharp: twice as many pixels as points
    assert [o["text"] for o in stub] == ["Nothing to show yet: lab99 · curve is not written yet.\n"]
    assert [o["text"] for o in loop] == ["done\n"]


Run = Callable[[str], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def in_notebook() -> Iterator[Run]:
    """A kernel with a person in front of it: cells may ask for input."""
    manager = KernelManager()
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)

    def run(source: str) -> list[dict[str, Any]]:
        seen: list[dict[str, Any]] = []
        reply = client.execute_interactive(
            textwrap.dedent(source), allow_stdin=True, timeout=60, output_hook=seen.append
        )
        assert reply["content"]["status"] == "ok", reply["content"]["traceback"]
        return seen

    try:
        yield run
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _streams(messages: list[dict[str, Any]], name: str) -> str:
    contents = [m["content"] for m in messages if m["msg_type"] == "stream"]
    return "".join(c["text"] for c in contents if c["name"] == name)


def test_a_notebook_gets_the_notebooks_bar(in_notebook: Run) -> None:
    seen = in_notebook(SETUP + LOOP)
    shown = [m["content"]["data"] for m in seen if m["msg_type"] == "display_data"]
    assert len(shown) == 1 and "application/vnd.jupyter.widget-view+json" in shown[0]
    updates = str([m["content"] for m in seen if m["msg_type"] == "comm_msg"])
    updates = updates.replace("\\u2007", " ")  # tqdm's spaces are as wide as a digit
    assert "loss 0.0025" in updates and "400/400" in updates
    assert "'success'" in updates and "'danger'" not in updates
    assert (_streams(seen, "stdout"), _streams(seen, "stderr")) == ("done\n", "")


def test_a_notebook_without_widgets_gets_a_text_bar_and_no_complaint(in_notebook: Run) -> None:
    hidden = 'import sys\nsys.modules["ipywidgets"] = None\n'
    shown = 'del sys.modules["ipywidgets"]'
    seen = in_notebook(hidden + SETUP + LOOP + shown)
    assert {m["msg_type"] for m in seen} <= {"status", "execute_input", "stream"}
    assert "digits: 100%" in _streams(seen, "stdout") and "loss 0.0025" in _streams(seen, "stdout")
    assert _streams(seen, "stderr") == ""


SLIDERS = """
from course_utils.plotting import sliders

drawn = []

def temperature(T):
    drawn.append(T)
    plt.subplots()[1].bar(range(3), np.exp(np.arange(3) / T))

sliders(temperature, T=(0.5, 5, 1))
"""
MOVED = """
import ipywidgets

(slider,) = (w for w in ipywidgets.Widget.widgets.values() if isinstance(w, ipywidgets.FloatSlider))
slider.value = 2.75
print(drawn, slider.min, slider.max, slider.description)
"""


def test_a_slider_draws_the_picture_anew_and_leaves_the_first(in_notebook: Run) -> None:
    seen = in_notebook(SETUP + SLIDERS)
    still, widget = (m["content"]["data"] for m in seen if m["msg_type"] == "display_data")
    assert "image/png" in still and "application/vnd.jupyter.widget-view+json" in widget
    moved = in_notebook(MOVED)
    assert _streams(moved, "stdout") == "[1, 2.75] 0.5 5.0 T\n"
    assert [m for m in moved if m["msg_type"] == "display_data"]


def test_a_program_gets_the_still_picture_of_a_slider_and_a_stub_one_line() -> None:
    stub = SLIDERS.replace("    drawn.append(T)", '    raise NotImplementedError("lab99 · T")')
    book = new_notebook(cells=[new_code_cell(source) for source in (SETUP, SLIDERS, stub)])
    NotebookClient(book, timeout=60).execute()
    (shown,) = book.cells[1].outputs
    assert "image/png" in shown["data"]
    (line,) = book.cells[2].outputs
    assert line["text"] == "Nothing to show yet: lab99 · T.\n"
