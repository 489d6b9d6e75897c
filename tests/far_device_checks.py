"""Solutions, variants and tests on a device that is not the CPU: what a GPU needs them to say.

They are run by ``test_far_device``, in processes of their own.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import numpy as np
import pytest
import torch
from far_device import Far, far_device
from tiny import REPOSITORY

from course_utils.calls.backend import NamespaceBackend
from course_utils.diagnosis.rewriting import Namespace, Original, Originals
from course_utils.ground import wire
from course_utils.ground.lab import Lab
from course_utils.testing.catalogue import Entry
from course_utils.testing.run import run_tests
from course_utils.verdict.outcome import TestOutcome

# The labs whose tensors live on `device`; the others compute in NumPy.
LABS = [lab for lab in Lab.all_in(REPOSITORY) if "torch" in lab.imports]
# Labs' own tests of placement tag tensors by a class of their own, which these cannot take.
OWN_PRETENCE = {
    *(f"test_{name}_device" for name in ("momentum", "sgd", "adagrad", "rmsprop", "adam", "adamw")),
    *(f"test_{name}_on_device" for name in (
        "glorot_uniform", "glorot_normal", "he_normal", "torch_default", "batch_norm",
        "batch_norm_backward", "layer_norm", "layer_norm_backward",
    )),
    "test_epoch_moves_batches", "test_evaluate_moves_batches",
}  # fmt: skip
# A checkpoint holds the CPU's and every CUDA device's random numbers, and not a pretended one's.
OF_CUDA = {
    "test_resume_with_dropout", "test_resume_everything", "test_fit_resumes",
    "test_fit_resumes_after_a_power_cut",
}  # fmt: skip
# Pretended tensors have no memory of their own whose addresses could be compared.
OF_MEMORY = {"test_average_is_its_own_memory"}
# torch.nn.init hands itself on to what overrides its functions, with the generator as it is.
OF_TORCH = {"torch_kaiming_uniform"}
# What these say of a device is where positions lie, which tensors take from the CPU as well.
OF_POSITIONS = {"train_tabular", "train_digits"}

_known: dict[str, Originals] = {}


@pytest.fixture
def far() -> Iterator[str]:
    with far_device() as name:
        yield name


def originals(lab: Lab) -> Originals:
    if lab.name not in _known:
        _known[lab.name] = Originals(lab)
    return _known[lab.name]


def failures(
    lab: Lab, device: str, namespaces: dict[str, Namespace], *, forbid: bool = True
) -> list[str]:
    """What fails of these exercises' tests, each with its own definitions."""
    backends = {name: NamespaceBackend(namespace) for name, namespace in namespaces.items()}
    outcomes = run_tests(
        lab.test_files, lambda mark: backends[mark.name], exercises=list(backends), device=device,
        enforce_forbid=forbid,
    )  # fmt: skip
    assert {outcome.exercise for outcome in outcomes} == set(backends)
    left_out = OWN_PRETENCE | OF_CUDA | OF_MEMORY
    return [_said(o) for o in outcomes if not o.passed and o.test not in left_out]


def _said(outcome: TestOutcome) -> str:
    return f"{outcome.exercise}, {outcome.test}: {outcome.message}"


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.name)
def test_solutions_say_where_their_tensors_live(lab: Lab, far: str) -> None:
    base = originals(lab).base
    assert not failures(lab, far, {exercise.name: base for exercise in lab.exercises})


def rounds(lab: Lab, *, built_in: bool) -> Iterator[dict[str, Entry]]:
    """Variants, one of each exercise at a time: exercises do not touch each other."""
    by_exercise: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in originals(lab).variants:
        if entry.built_in is built_in and entry.name not in OF_TORCH:
            by_exercise[entry.exercise].append(entry)
    for group in zip_longest(*by_exercise.values()):
        yield {entry.exercise: entry for entry in group if entry is not None}


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.name)
def test_variants_say_where_their_tensors_live(lab: Lab, far: str) -> None:
    for built_in in (False, True):
        for entries in rounds(lab, built_in=built_in):
            namespaces = {name: originals(lab).with_entry(e) for name, e in entries.items()}
            found = failures(lab, far, namespaces, forbid=not built_in)
            assert not found, [entry.name for entry in entries.values()]


def forgetful(original: Original) -> Iterator[str]:
    """The source without one of its ``device=…``, for each of them."""
    count = sum(isinstance(node, ast.keyword) and node.arg == "device"
                for node in ast.walk(ast.parse(original.text)))  # fmt: skip
    for number in range(count):
        tree = ast.parse(original.text)
        calls = [
            (node, keyword) for node in ast.walk(tree) if isinstance(node, ast.Call)
            for keyword in node.keywords if keyword.arg == "device"
        ]  # fmt: skip
        call, keyword = calls[number]
        call.keywords.remove(keyword)
        yield ast.unparse(tree)


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.name)
def test_a_forgotten_device_is_seen(lab: Lab, far: str) -> None:
    """Every ``device=`` of a solution is needed, and the lab's tests see to it."""
    known = originals(lab)
    for exercise in lab.exercises:
        if exercise.name in OF_POSITIONS:
            continue
        solution = known.of(exercise.name)[0]
        for text in forgetful(solution):
            namespace = solution.define(known.base, text)
            assert failures(lab, far, {exercise.name: namespace}), text


# -- the far device itself


def test_values_and_gradients_stay_on_it(far: str) -> None:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], device=far)
    w = torch.nn.Parameter(torch.ones(2, 2, device=far))
    loss = (torch.tanh(x @ w.T) * torch.arange(2.0, device=far)).sum()
    loss.backward()  # type: ignore[no-untyped-call]
    near = torch.ones(2, 2, requires_grad=True)
    same = (torch.tanh(x.cpu() @ near.T) * torch.arange(2.0)).sum()
    same.backward()  # type: ignore[no-untyped-call]
    assert isinstance(w, torch.nn.Parameter)
    assert w.grad is not None and near.grad is not None
    assert (w.grad.device.type, loss.device.type) == (far, far)
    assert torch.equal(w.grad.cpu(), near.grad)
    assert loss.item() > 0


def test_views_and_changes_in_place_are_those_of_one_memory(far: str) -> None:
    x = torch.zeros(3, 4, device=far)
    x[1:].T[0].add_(2.0)
    x.view(-1)[0] = 7.0
    torch.add(x, 1.0, out=x)
    assert x.tolist() == [[8.0, 1, 1, 1], [3, 1, 1, 1], [3, 1, 1, 1]]
    p = torch.nn.Parameter(x)
    p.data = p.data - 1.0
    p.data[0] += 1.0
    assert p.tolist() == [[8.0, 1, 1, 1], [2, 0, 0, 0], [2, 0, 0, 0]]


def test_models_move_and_keep_their_parameters(far: str) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(3, 3))
    model[1].weight = model[0].weight
    kept = list(model.parameters())
    model.to(far)
    assert all(a is b for a, b in zip(kept, model.parameters(), strict=True))
    assert {p.device.type for p in model.parameters()} == {far}
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(2, 3, device=far)).sum().backward()
    optimizer.step()


def test_what_crosses_the_wire_is_on_it_again(far: str) -> None:
    x = torch.tensor([1.0, 2.0], device=far, requires_grad=True)
    back = wire.loads(wire.dumps(x))
    assert isinstance(back, Far)
    assert (back.tolist(), back.requires_grad) == ([1.0, 2.0], True)
    generator = torch.Generator(device=far).manual_seed(3)
    again = wire.loads(wire.dumps(generator))
    drawn = [torch.rand(4, generator=g, device=far).tolist() for g in (generator, again)]
    assert drawn[0] == drawn[1]


MIXTURES: dict[str, Any] = {
    "add": lambda x, far: x + torch.ones(3),
    "in place": lambda x, far: torch.ones(3).add_(x),
    "where": lambda x, far: torch.where(torch.ones(3) > 0, x, 0.0),
    "stack": lambda x, far: torch.stack([x[0], torch.tensor(1.0)]),
    "layer": lambda x, far: torch.nn.Linear(3, 2)(x),
    "generator": lambda x, far: torch.rand(3, generator=torch.Generator(), device=far),
    "generator in place": lambda x, far: x.uniform_(generator=torch.Generator()),
    "numpy": lambda x, far: x.numpy(),
    "asarray": lambda x, far: np.asarray(x),
}


@pytest.mark.parametrize("mix", MIXTURES.values(), ids=MIXTURES)
def test_it_mixes_with_no_other(mix: Any, far: str) -> None:
    with pytest.raises((RuntimeError, TypeError), match=r"same device|generator|to numpy"):
        mix(torch.ones(3, device=far), far)


ALLOWED: dict[str, Any] = {
    "number": lambda x, far: x * torch.tensor(2.0) + 1,
    "copy": lambda x, far: torch.empty(3, device=far).copy_(torch.ones(3)),
    "indices": lambda x, far: x[torch.tensor([0, 2])],
    "like": lambda x, far: x + torch.zeros_like(x) + x.new_ones(3),
    "moved": lambda x, far: x + torch.ones(3).to(x),
}


@pytest.mark.parametrize("use", ALLOWED.values(), ids=ALLOWED)
def test_it_takes_what_a_gpu_takes(use: Any, far: str) -> None:
    assert use(torch.ones(3, device=far), far).device.type == far
