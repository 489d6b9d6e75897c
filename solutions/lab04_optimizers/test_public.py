"""Public tests of lab 04: optimizers, held step by step against ``torch.optim``.

An optimizer is handed tensors of different shapes and dtypes. Claims about its main idea keep the
details out of sight: eps is tiny beside the gradients, lr stays the same, every parameter has a
gradient. Each detail has a claim of its own, with a setting exaggerated on purpose: with eps = 1e-8
nobody sees where eps stands.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from course_utils.testing import (
    Mismatch,
    Walk,
    agree,
    assert_close,
    assert_parameters_close,
    assert_unmodified,
    both_paths,
    exercise,
    follow,
    optimizer_path,
    probe,
    relative_error,
)

TINY = 1e-12  # an eps of which gradients of ordinary size show nothing, wherever it stands

OPTIMIZERS = (
    "torch.optim.SGD",
    "torch.optim.Adagrad",
    "torch.optim.RMSprop",
    "torch.optim.Adam",
    "torch.optim.AdamW",
    "torch.optim.sgd.sgd",
    "torch.optim.adagrad.adagrad",
    "torch.optim.rmsprop.rmsprop",
    "torch.optim.adam.adam",
    "torch.optim.adamw.adamw",
)
SCHEDULERS = tuple(
    f"torch.optim.lr_scheduler.{name}"
    for name in ("LinearLR", "PolynomialLR", "ExponentialLR", "CosineAnnealingLR", "LambdaLR")
)
CLIPPERS = (
    "torch.nn.utils.clip_grad_norm_",
    "torch.nn.utils.clip_grad_value_",
    "torch.nn.utils.clip_grads_with_norm_",
    "torch.nn.utils.get_total_norm",
    "torch.nn.utils.clip_grad.clip_grad_norm_",
    "torch.nn.utils.clip_grad.clip_grad_value_",
)


# -- the reference


class _TorchOptimizer:
    """One of torch's optimizers with this lab's handles: ``lr`` is a plain attribute."""

    kind: type[torch.optim.Optimizer]

    def __init__(self, params: Any, lr: float, **options: Any) -> None:
        self._inner = self.kind(list(params), lr=lr, **options)

    @property
    def lr(self) -> float:
        return float(self._inner.param_groups[0]["lr"])

    @lr.setter
    def lr(self, lr: float) -> None:
        for group in self._inner.param_groups:
            group["lr"] = lr

    def step(self) -> None:
        self._inner.step()

    def zero_grad(self) -> None:
        self._inner.zero_grad()


def _number(value: float) -> torch.nn.Parameter:
    return torch.nn.Parameter(torch.tensor(float(value), dtype=torch.float64))


def _first_moment(gradients: list[float], beta: float) -> float:
    """What torch's Adam holds as first moment after these gradients."""
    p = _number(0.0)
    adam = torch.optim.Adam([p], betas=(beta, 0.9))
    for gradient in gradients:
        p.grad = torch.full_like(p, gradient)
        adam.step()
    return float(adam.state[p]["exp_avg"])


def _first_step(
    kind: Any, phi: float, g: float, eta: float, lam: float, eps: float
) -> float:
    p = _number(phi)
    p.grad = torch.full_like(p, g)
    kind([p], lr=eta, eps=eps, weight_decay=lam).step()
    return p.item()


def _dialect_end(dialect: str, lr: float, momentum: float, gradients: list[float]) -> float:
    """Where one of the three dialects of momentum ends, each driven through torch's SGD."""
    p = _number(0.0)
    options = {
        "torch": {"lr": lr},
        "classical": {"lr": 1.0},  # lr is inside the velocity: scale the gradients instead
        "ema": {"lr": lr, "dampening": momentum},
    }[dialect]
    sgd = torch.optim.SGD([p], momentum=momentum, **options)
    # torch does not dampen the first step; a gradient of zero before it starts the average at 0.
    for gradient in [0.0, *gradients]:
        p.grad = torch.full_like(p, gradient * (lr if dialect == "classical" else 1.0))
        sgd.step()
    return p.item()


def _rates(schedule: Any, lr0: float, steps: int) -> list[float]:
    """The learning rates that a torch scheduler sets at t = 0, 1, …"""
    sgd = torch.optim.SGD([_number(0.0)], lr=lr0)
    scheduler = schedule(sgd)
    rates = []
    for _ in range(steps + 1):
        rates.append(float(sgd.param_groups[0]["lr"]))
        sgd.step()
        scheduler.step()
    return rates


class Reference:
    """torch, executed, with the signatures of the lab's exercises."""

    class PlainSGD(_TorchOptimizer):
        kind = torch.optim.SGD

    class Momentum(_TorchOptimizer):
        kind = torch.optim.SGD

    class SGD(_TorchOptimizer):
        kind = torch.optim.SGD

    class Adagrad(_TorchOptimizer):
        kind = torch.optim.Adagrad

    class RMSprop(_TorchOptimizer):
        kind = torch.optim.RMSprop

    class Adam(_TorchOptimizer):
        kind = torch.optim.Adam

    class AdamW(_TorchOptimizer):
        kind = torch.optim.AdamW

    @staticmethod
    def decay_factor(eta: float, lam: float) -> float:
        p = _number(1.0)
        p.grad = torch.zeros_like(p)
        torch.optim.SGD([p], lr=eta, weight_decay=lam).step()
        return p.item()

    @staticmethod
    def velocity_after(g: float, mu: float, t: int) -> float:
        p = _number(0.0)
        sgd = torch.optim.SGD([p], lr=1.0, momentum=mu)
        for _ in range(t):
            before = p.item()
            p.grad = torch.full_like(p, g)
            sgd.step()
        return before - p.item()

    @staticmethod
    def effective_rate(eta: float, mu: float) -> float:
        return eta * Reference.velocity_after(1.0, mu, 400)

    @staticmethod
    def momentum_dialects(lr: float, momentum: float, source: str, target: str) -> float:
        there = _dialect_end(source, lr, momentum, [1.0, -0.3, 0.7])
        unit = _dialect_end(target, 1.0, momentum, [1.0, -0.3, 0.7])
        return there / unit  # the weights are proportional to a constant lr in every dialect

    @staticmethod
    def ema_weight(beta: float, i: int, t: int) -> float:
        return _first_moment([float(s == i) for s in range(1, t + 1)], beta)

    @staticmethod
    def ema_mean(beta: float, t: int, mean: float) -> float:
        return _first_moment([mean] * t, beta)

    @staticmethod
    def adam_l2_first_step(phi: float, g: float, eta: float, lam: float, eps: float) -> float:
        return _first_step(torch.optim.Adam, phi, g, eta, lam, eps)

    @staticmethod
    def adamw_first_step(phi: float, g: float, eta: float, lam: float, eps: float) -> float:
        return _first_step(torch.optim.AdamW, phi, g, eta, lam, eps)

    clip_grad_norm = staticmethod(torch.nn.utils.clip_grad_norm_)
    clip_grad_value = staticmethod(torch.nn.utils.clip_grad_value_)

    @staticmethod
    def linear_schedule(steps: int, lr0: float, lr_end: float, total: int) -> list[float]:
        top = max(lr0, lr_end)  # torch wants factors between 0 and 1
        return _rates(
            lambda sgd: torch.optim.lr_scheduler.LinearLR(sgd, lr0 / top, lr_end / top, total),
            top, steps,
        )

    @staticmethod
    def power_schedule(steps: int, lr0: float, scale: float, power: float) -> list[float]:
        return _rates(
            lambda sgd: torch.optim.lr_scheduler.LambdaLR(sgd, lambda t: (1 + t / scale) ** power),
            lr0, steps,
        )

    @staticmethod
    def exponential_schedule(steps: int, lr0: float, factor: float, scale: float) -> list[float]:
        return _rates(
            lambda sgd: torch.optim.lr_scheduler.ExponentialLR(sgd, factor ** (1 / scale)),
            lr0, steps,
        )

    @staticmethod
    def cosine_schedule(steps: int, lr0: float, lr_end: float, total: int) -> list[float]:
        return _rates(
            lambda sgd: torch.optim.lr_scheduler.CosineAnnealingLR(sgd, total, lr_end), lr0, steps
        )

    @staticmethod
    def noam_schedule(steps: int, d_model: int, warmup: int) -> list[float]:
        """Rising like LinearLR from 0 to the peak, then falling like t^(−1/2)."""
        peak = 1.0 / float(torch.sqrt(torch.tensor(float(d_model * warmup), dtype=torch.float64)))
        rise = _rates(
            lambda sgd: torch.optim.lr_scheduler.LinearLR(sgd, 1.0 / warmup, 1.0, warmup - 1),
            peak, warmup - 1,
        )
        late = torch.arange(warmup + 1, steps + 1, dtype=torch.float64)
        fall = (late * d_model).rsqrt()
        return (rise + fall.tolist())[:steps]


# -- data


def make_walk(
    rng: np.random.Generator,
    device: torch.device,
    *,
    absent: Any = lambda parameter, step: False,
    shapes: tuple[tuple[int, ...], ...] = ((3, 4), (5,)),
    steps: int = 6,
    scheduled: bool = False,
) -> Walk:
    """A random walk plan: dtypes alternate float32, float64; the lr changes where ``scheduled``.

    No gradient has mean zero or is smaller than 0.3, and no value than 1, so that every mistake
    in the place of eps, the decay or the mean shows under every seed.
    """

    def draw(shape: tuple[int, ...], low: float, high: float, number: int) -> torch.Tensor:
        sizes = rng.uniform(low, high, shape)
        signs = np.where(rng.random(shape) < 0.25, -1.0, 1.0)
        signs.flat[0], signs.flat[-1] = 1.0, -1.0
        dtype = torch.float64 if number % 2 else torch.float32
        return torch.as_tensor(signs * sizes, dtype=dtype, device=device)

    values = [draw(shape, 1.0, 3.0, i) for i, shape in enumerate(shapes)]
    gradients: list[list[torch.Tensor | None]] = [
        [None if absent(i, t) else draw(shape, 0.3, 2.0, i) for i, shape in enumerate(shapes)]
        for t in range(steps)
    ]
    pattern = [0.1, 0.2, 0.05, 0.15, 0.1, 0.2] if scheduled else [0.1]
    rate = float(rng.uniform(0.9, 1.1))
    lrs = [rate * pattern[t % len(pattern)] for t in range(steps)]
    return Walk(values, gradients, lrs)


def _sometimes_absent(parameter: int, step: int) -> bool:
    """The second parameter has no gradient at t = 0, 2 and 3; the fourth never has one."""
    return parameter == 3 or (parameter == 1 and step in (0, 2, 3))


@pytest.fixture
def walk(rng: np.random.Generator, device: torch.device) -> Walk:
    return make_walk(rng, device)


@pytest.fixture
def scheduled(rng: np.random.Generator, device: torch.device) -> Walk:
    return make_walk(rng, device, scheduled=True)


@pytest.fixture
def gaps(rng: np.random.Generator, device: torch.device) -> Walk:
    return make_walk(
        rng, device, absent=_sometimes_absent, shapes=((3, 4), (5,), (2, 3), (4,)), steps=7
    )


# -- probes: what runs next to the student's code


def _gradients_after(student, name, values, gradients, lr, **options):
    """Let an optimizer step; what each parameter's gradient is after each step."""
    params = [torch.nn.Parameter(value.clone()) for value in values]
    optimizer = getattr(student, name)(params, lr=lr, **options)
    after = []
    for row in gradients:
        for p, g in zip(params, row, strict=True):
            p.grad = g.clone()
        optimizer.step()
        after.append([p.grad.clone() for p in params])
    return after


def _path_in_one_memory(student, name, values, gradients, lr, **options):
    """Step on gradients whose memory is filled anew each time; the parameters at the end."""
    params = [torch.nn.Parameter(value.clone()) for value in values]
    for p in params:
        p.grad = torch.zeros_like(p)
    optimizer = getattr(student, name)(params, lr=lr, **options)
    for row in gradients:
        for p, g in zip(params, row, strict=True):
            p.grad.copy_(g)
        optimizer.step()
    return [p.detach().clone() for p in params]


def _on_one_device(student, name, values, gradients, lr, **options):
    """Step on a pretend accelerator: its tensors carry a tag, and it refuses to mix with others.

    Tensors made like a tagged one, or with a device given, are tagged too; those made without a
    device are not. On a GPU the same difference ends in torch's own error.
    """
    from torch.overrides import TorchFunctionMode
    from torch.utils._pytree import tree_leaves

    here = values[0].device.type
    moves = ("to", "cuda", "cpu", "copy_", "type_as", "__set__")

    class Tagged(torch.Tensor):
        pass

    class Accelerator(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            leaves = tree_leaves((args, kwargs or {}))
            tagged = {
                isinstance(leaf, Tagged)
                for leaf in leaves
                if isinstance(leaf, torch.Tensor) and leaf.ndim > 0
            }
            name = getattr(func, "__name__", "")
            if len(tagged) > 1 and name not in moves:
                raise RuntimeError(f"{name}: expected all tensors to be on the same device")
            result = func(*args, **(kwargs or {}))
            named = [str(x).split(":")[0] for x in leaves if isinstance(x, (str, torch.device))]
            if isinstance(result, torch.Tensor) and here in named:
                return result.as_subclass(Tagged)
            return result

    params = [torch.nn.Parameter(value.clone().as_subclass(Tagged)) for value in values]
    try:
        with Accelerator():
            optimizer = getattr(student, name)(params, lr=lr, **options)
            for row in gradients:
                for p, g in zip(params, row, strict=True):
                    p.grad = g.clone().as_subclass(Tagged)
                optimizer.step()
    except RuntimeError as error:
        if "same device" not in str(error):
            raise
        return {"on one device": False}
    return {"on one device": True}


def _minibatch_facts(student, n, batch_size, seed):
    """What can be said of two epochs without naming an index, so that it is the same every run."""
    generator = torch.Generator().manual_seed(seed)
    epochs = [
        [torch.as_tensor(batch).tolist() for batch in student.minibatches(n, batch_size, generator)]
        for _ in range(2)
    ]
    again = torch.Generator().manual_seed(seed)
    repeated = [
        torch.as_tensor(batch).tolist() for batch in student.minibatches(n, batch_size, again)
    ]
    first, second = ([i for batch in epoch for i in batch] for epoch in epochs)
    return {
        "sizes": [len(batch) for batch in epochs[0]],
        "different indices": [len(set(first)) == len(first), len(set(second)) == len(second)],
        "indices handed out": len(first),
        "within 0…n−1": all(0 <= index < n for index in first),
        "in order": first == sorted(first),
        "second epoch like the first": first == second,
        "batches are runs of neighbours": all(
            max(batch, default=-1) - min(batch, default=0) == len(batch) - 1
            for batch in epochs[0]
        ),
        "same seed, same batches": repeated == epochs[0],
    }


def _expression(student, name, symbols, numbers):
    """Call a checkpoint's function with SymPy symbols and put numbers in for them."""
    import sympy

    given = [
        sympy.Symbol(s, integer=True, positive=True)
        if isinstance(number, int)
        else sympy.Symbol(s, positive=True) if s not in ("phi", "g", "mean", "m")
        else sympy.Symbol(s, real=True)
        for s, number in zip(symbols.split(), numbers, strict=True)
    ]
    written = sympy.sympify(getattr(student, name)(*given))
    return float(written.subs(dict(zip(given, numbers, strict=True))).doit())


def _groups(student, kind, weight_decay, device):
    """What parameter_groups does with a model: how often each parameter is handed over, and the
    factor by which a step of AdamW on gradients of zero shrinks it.
    """
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.kernel = nn.Parameter(torch.ones(4, 4))
            self.weight_of_skip = nn.Parameter(torch.ones(4))
            self.bias = nn.Parameter(torch.ones(3, 3))  # one for each pair: a matrix
            self.scale = nn.Parameter(torch.ones(()))
            self.inner = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4))

    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(6, 4)
            self.norm = nn.LayerNorm(4)
            self.decode = nn.Linear(4, 6)
            self.decode.weight = self.embed.weight

    models = {
        "mlp": lambda: nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)),
        "nested": lambda: nn.Sequential(nn.Conv1d(2, 4, 3), Block(), nn.Linear(4, 1, bias=False)),
        "tied": Tied,
        "frozen": lambda: nn.Sequential(
            nn.Linear(3, 4).requires_grad_(False), nn.LayerNorm(4), nn.Linear(4, 2)
        ),
    }
    model = models[kind]().to(device)
    with torch.no_grad():
        for p in model.parameters():
            p.fill_(1.0)
    groups = [dict(group) for group in student.parameter_groups(model, weight_decay)]
    for group in groups:
        group["params"] = list(group["params"])
    handed = [id(p) for group in groups for p in group["params"]]
    for p in model.parameters():
        p.grad = torch.zeros_like(p) if p.requires_grad else None
    if len(set(handed)) == len(handed):  # torch refuses a parameter in two groups
        torch.optim.AdamW([group for group in groups if group["params"]], lr=0.5).step()
    return {
        name: {
            "times handed over": handed.count(id(p)),
            "factor of a decay step": float(p.mean()),
            "dimensions": p.ndim,
            "trained": p.requires_grad,
        }
        for name, p in model.named_parameters()
    }


def _clipped(student, name, gradients, limit, once=False):
    """The gradients after clipping; with ``once`` the parameters can be walked only once."""
    params = [
        torch.nn.Parameter(torch.zeros(2) if g is None else torch.zeros_like(g)) for g in gradients
    ]
    for p, g in zip(params, gradients, strict=True):
        p.grad = None if g is None else g.clone()
    getattr(student, name)((p for p in params) if once else params, limit)
    return [p.grad for p in params]


def _returned_norm(student, gradients, limit):
    """What clip_grad_norm returns, as a number."""
    params = [torch.nn.Parameter(torch.zeros_like(g)) for g in gradients]
    for p, g in zip(params, gradients, strict=True):
        p.grad = g.clone()
    returned = student.clip_grad_norm(params, limit)
    return None if returned is None else float(returned)


def _curve(student, name, steps, *settings):
    """A schedule's learning rates at the given steps."""
    return [float(getattr(student, name)(t, *settings)) for t in steps]


path_in_one_memory = probe(values=True)(_path_in_one_memory)
gradients_after = probe(_gradients_after)
on_one_device = probe(_on_one_device)
minibatch_facts = probe(_minibatch_facts)
expression = probe(values=True)(_expression)
groups = probe(_groups)
clipped = probe(values=True)(_clipped)
returned_norm = probe(values=True)(_returned_norm)
curve = probe(values=True)(_curve)


# -- what the tests have in common


def leave_gradients(student: Any, name: str, plan: Walk, **options: Any) -> None:
    """Assert that gradients are as they were after each step, whatever the steps are."""
    seen = student.run(
        gradients_after, name, plan.values, plan.gradients, plan.lrs[0], **options
    )
    for step, (row, given) in enumerate(zip(seen, plan.gradients, strict=True), start=1):
        for number, (after, before) in enumerate(zip(row, given, strict=True), start=1):
            if before is not None and not torch.equal(torch.as_tensor(after), before):
                raise Mismatch(
                    f"the gradient of parameter {number} is not what it was after step {step}: "
                    "p.grad is changed in place",
                    kind="modified",
                )


def stay_on_device(student: Any, name: str, plan: Walk, **options: Any) -> None:
    """Assert that no state is made on the default device."""
    seen = student.run(on_one_device, name, plan.values, plan.gradients, plan.lrs[0], **options)
    assert seen["on one device"], (
        f"{name} mixes tensors of two devices: a tensor is made without saying where, so on a GPU "
        "it would lie on the CPU. torch.zeros_like(p) makes it on p's device, in p's dtype"
    )


def keep_precision(student: Any, reference: Any, name: str, memory: float, **options: Any) -> None:
    """Assert that the state is as precise as the parameter.

    The second gradient all but cancels what the memory holds of the first: in float64 what is left
    is 1 (times the news' share), in float32 it is off in the third digit. The first step has
    lr = 0. Values that are off by more are off for another reason.
    """
    value = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64, device=options.pop("device"))
    first = 2e4 * torch.tensor([1.2345678, -3.1415926, 2.7182818], dtype=torch.float64)
    rows = [[first.to(value.device)], [(1.0 - memory * first).to(value.device)]]
    rate = options.pop("rate")
    walk = Walk([value], rows, [0.0, rate])
    seen_path, torch_path = both_paths(student, reference, name, walk, **options)
    (seen,), (expected,) = seen_path[1], torch_path[1]
    assert_close(seen, expected, name="a float64 parameter after two steps", rtol=1e-2)
    digits = relative_error(torch.as_tensor(seen).cpu().numpy(), expected.cpu().numpy())
    assert digits <= 1e-9, (
        f"a float64 parameter is right to {digits:.0e} only after two steps: what the optimizer "
        "keeps for it is in float32. torch.zeros_like(p) has p's dtype"
    )


def check_expression(
    student: Any, reference: Any, name: str, symbols: str, numbers: list[Any]
) -> None:
    """Assert that a checkpoint's expression has torch's value at these numbers."""
    seen = student.run(expression, name, symbols, numbers)
    where = ", ".join(f"{s} = {n:.3g}" for s, n in zip(symbols.split(), numbers, strict=True))
    assert_close(seen, getattr(reference, name)(*numbers), name=f"{name} at {where}")


# -- 1 · minibatches


@exercise("minibatches", stated="together every index 0 … n−1 once")
def test_every_index_once_an_epoch(student):
    """In an epoch every index 0 … n−1 is handed out, and none of them twice."""
    facts = student.run(minibatch_facts, 24, 6, 3)
    assert all(facts["different indices"]), "some index is handed out twice in an epoch"
    assert facts["within 0…n−1"], "an index lies outside 0 … n−1"
    assert facts["indices handed out"] == 24, (
        f"{facts['indices handed out']} indices are handed out in an epoch of 24 examples"
    )


def check_sizes(student: Any, n: int, batch_size: int, seed: int) -> None:
    """Assert that an epoch's batches have the right sizes and hold every index."""
    facts = student.run(minibatch_facts, n, batch_size, seed)
    full, rest = divmod(n, batch_size)
    wanted = [batch_size] * full + [rest] * bool(rest)
    assert facts["sizes"] == wanted, (
        f"{n} examples in batches of {batch_size} should be batches of {wanted} examples, "
        f"not of {facts['sizes']}"
    )
    assert all(facts["different indices"]), "some index is handed out twice in an epoch"
    assert facts["within 0…n−1"], "an index lies outside 0 … n−1"


@exercise("minibatches", about="detail", stated="the last batch holds what is left")
def test_batch_sizes(student):
    """Every batch holds batch_size indices; only the last one holds what is left."""
    check_sizes(student, 23, 5, 4)
    check_sizes(student, 24, 6, 4)  # no empty batch after the last full one


@exercise("minibatches", stated="in a new random order")
def test_each_epoch_is_shuffled_anew(student):
    """The examples are shuffled before they are cut into batches, anew in every epoch."""
    facts = student.run(minibatch_facts, 40, 8, 5)
    assert not facts["in order"], "the indices come in their original order"
    assert not facts["batches are runs of neighbours"], (
        "each batch is a run of neighbouring indices: shuffle the examples, not the batches"
    )
    assert not facts["second epoch like the first"], "the second epoch repeats the first one"


@exercise("minibatches", about="detail", stated="the only source of randomness")
def test_the_generator_decides(student):
    """All randomness comes from `generator`: the same seed gives the same batches again."""
    assert student.run(minibatch_facts, 40, 8, 6)["same seed, same batches"], (
        "two generators with the same seed gave different batches: hand `generator` on to torch"
    )


@exercise(
    "minibatches", about="by hand", stated="DataLoader", weight=0.25,
    forbid=["torch.utils.data.DataLoader"],
)
def test_minibatches_by_hand(student):
    """Written by hand, without torch's DataLoader."""
    student.run(minibatch_facts, 8, 4, 1)


# -- 2 · PlainSGD


@exercise("PlainSGD", stated="p moves by −lr·p.grad")
def test_plain_steps(student, reference, walk):
    """Six steps: p ← p − lr·g, for every parameter."""
    follow(student, reference, "PlainSGD", walk)


@exercise("PlainSGD", about="detail", stated="read self.lr anew in each step")
def test_plain_scheduled(student, reference, scheduled):
    """While lr changes from step to step, each step takes the lr of now."""
    follow(student, reference, "PlainSGD", scheduled)


@exercise("PlainSGD", about="detail", stated="is left alone in that step")
def test_plain_absent_gradients(student, reference, gaps):
    """A parameter whose .grad is None is left alone in that step, and those after it are not."""
    follow(student, reference, "PlainSGD", gaps)


@exercise("PlainSGD", about="arguments", stated="leaves it as it was", weight=0.5)
def test_plain_leaves_gradients(student, walk):
    """The gradients are as they were after step()."""
    leave_gradients(student, "PlainSGD", walk)


@exercise(
    "PlainSGD", about="by hand", stated="torch.optim and its schedulers", weight=0.25,
    forbid=OPTIMIZERS,
)
def test_plain_by_hand(student, walk):
    """Written by hand, without torch.optim."""
    student.run(optimizer_path, "PlainSGD", walk.values, walk.gradients, walk.lrs)


# -- 3 · Momentum


@exercise("Momentum", stated="The velocity v ← momentum·v + p.grad starts from 0")
def test_momentum_steps(student, reference, walk):
    """Six steps with momentum 0.8: v ← μv + g, then p ← p − lr·v."""
    follow(student, reference, "Momentum", walk, momentum=0.8)


@exercise("Momentum", about="detail", stated="read self.lr anew in each step")
def test_momentum_scheduled(student, reference, scheduled):
    """While lr changes from step to step, each step takes the lr of now."""
    follow(student, reference, "Momentum", scheduled, momentum=0.8)


@exercise("Momentum", about="detail", stated="is left alone in that step")
def test_momentum_absent_gradients(student, reference, gaps):
    """A parameter whose .grad is None is left alone in that step: value and velocity."""
    follow(student, reference, "Momentum", gaps, momentum=0.8)


@exercise("Momentum", about="arguments", stated="leaves it as it was", weight=0.5)
def test_momentum_leaves_gradients(student, walk):
    """The gradients are as they were after step()."""
    leave_gradients(student, "Momentum", walk, momentum=0.8)


@exercise("Momentum", about="form", stated="parameter's device", weight=0.5)
def test_momentum_device(student, walk):
    """The velocity lives on its parameter's device, so it runs on a GPU as well."""
    stay_on_device(student, "Momentum", walk, momentum=0.8)


@exercise(
    "Momentum", about="by hand", stated="torch.optim and its schedulers", weight=0.25,
    forbid=OPTIMIZERS,
)
def test_momentum_by_hand(student, walk):
    """Written by hand, without torch.optim."""
    student.run(
        optimizer_path, "Momentum", walk.values, walk.gradients, walk.lrs, momentum=0.8
    )


# -- 4 · SGD


@exercise("SGD", stated="Without momentum p moves by −lr·g")
def test_sgd_plain(student, reference, walk):
    """Without options: p ← p − lr·g, for every parameter."""
    follow(student, reference, "SGD", walk)


@exercise("SGD", stated="the velocity is v ← momentum·v")
def test_sgd_momentum(student, reference, walk):
    """Momentum 0.8: v ← μv + g, then p ← p − lr·v."""
    follow(student, reference, "SGD", walk, momentum=0.8)


@exercise("SGD", about="detail", stated="read self.lr anew in each step")
def test_sgd_scheduled(student, reference, scheduled):
    """While lr changes from step to step, each step takes the lr of now."""
    follow(student, reference, "SGD", scheduled, momentum=0.8)


@exercise("SGD", about="detail", stated="a parameter's first velocity is the whole g")
def test_sgd_dampening(student, reference, walk):
    """Dampening 0.3: v ← μv + (1 − dampening)·g, but the first v is the whole gradient."""
    follow(student, reference, "SGD", walk, momentum=0.8, dampening=0.3)


@exercise("SGD", about="detail", stated="with nesterov by −lr·(g + momentum·v)")
def test_sgd_nesterov(student, reference, walk):
    """Nesterov: the step goes along g + μv, with the velocity that already holds g."""
    follow(student, reference, "SGD", walk, momentum=0.8, nesterov=True)


@exercise("SGD", about="detail", stated="g is p.grad + weight_decay·p")
def test_sgd_weight_decay(student, reference, walk):
    """Weight decay 0.08: λp is added to the gradient first, so the velocity holds it as well."""
    follow(student, reference, "SGD", walk, momentum=0.8, weight_decay=0.08)


@exercise("SGD", about="detail", stated="is left alone in that step")
def test_sgd_absent_gradients(student, reference, gaps):
    """A parameter whose .grad is None is left alone in that step: value, velocity and all."""
    follow(student, reference, "SGD", gaps, momentum=0.8, dampening=0.3, weight_decay=0.05)


@exercise("SGD", about="detail", stated="is a memory of its own", weight=0.5)
def test_sgd_velocity_is_its_own(student, reference, walk):
    """The velocity is a memory of its own: filling p.grad anew does not change it."""
    arguments = ("SGD", walk.values, walk.gradients, walk.lrs[0])
    seen = student.run(path_in_one_memory, *arguments, momentum=0.8)
    expected = _path_in_one_memory(reference, *arguments, momentum=0.8)
    assert_parameters_close(seen, expected, walk.values, f"after {len(walk.lrs)} steps")


@exercise("SGD", about="arguments", stated="leaves it as it was", weight=0.5)
def test_sgd_leaves_gradients(student, walk):
    """The gradients are as they were after step()."""
    leave_gradients(student, "SGD", walk, momentum=0.8, weight_decay=0.05)
    leave_gradients(student, "SGD", walk, momentum=0.8, nesterov=True)


@exercise("SGD", about="form", stated="parameter's device", weight=0.5)
def test_sgd_device(student, walk):
    """The velocity lives on its parameter's device, so SGD runs on a GPU as well."""
    stay_on_device(student, "SGD", walk, momentum=0.8, weight_decay=0.05)


@exercise("SGD", about="form", stated="in its dtype", weight=0.5)
def test_sgd_precision(student, reference, device):
    """The velocity is as precise as its parameter: float64 stays float64."""
    keep_precision(student, reference, "SGD", 0.8, rate=0.5, device=device, momentum=0.8)


@exercise(
    "SGD", about="by hand", stated="torch.optim and its schedulers", weight=0.25, forbid=OPTIMIZERS
)
def test_sgd_by_hand(student, walk):
    """Written by hand, without torch.optim."""
    student.run(optimizer_path, "SGD", walk.values, walk.gradients, walk.lrs)


# -- 5 · checkpoint: weight decay is L2 for SGD; what momentum does to the rate


@exercise(
    "sgd_identities", part="decay_factor",
    stated="What a step of plain SGD with ½λφ² in the loss multiplies φ by",
)
def test_decay_factor(student, reference, rng):
    """With ½λφ² in the loss, a step of plain SGD multiplies φ by this factor, apart from −η∇L."""
    numbers = [float(rng.uniform(0.1, 0.4)), float(rng.uniform(0.2, 0.8))]
    check_expression(student, reference, "decay_factor", "eta lam", numbers)


@exercise(
    "sgd_identities", part="velocity_after",
    stated="v_t when every gradient is g",
)
def test_velocity_after(student, reference, rng):
    """After t steps on the constant gradient g the velocity is the geometric sum's value."""
    numbers = [float(rng.uniform(1, 3)), float(rng.uniform(0.5, 0.9)), int(rng.integers(3, 8))]
    check_expression(student, reference, "velocity_after", "g mu t", numbers)


@exercise(
    "sgd_identities", part="effective_rate",
    stated="The limit of η·v_t / g for large t",
)
def test_effective_rate(student, reference, rng):
    """After many steps momentum multiplies the constant gradient by this effective rate."""
    numbers = [float(rng.uniform(0.2, 0.6)), float(rng.uniform(0.3, 0.45))]
    check_expression(student, reference, "effective_rate", "eta mu", numbers)


# -- 6 · momentum_dialects

DIALECTS = "The learning rate that gives, in dialect target, the path of lr in source"


@exercise("momentum_dialects", stated=DIALECTS)
def test_to_ema(student, reference, rng):
    """From torch's dialect to the averaging one, the path stays the same with this lr."""
    lr, mu = float(rng.uniform(0.1, 0.2)), float(rng.uniform(0.6, 0.9))
    agree(student, reference, "momentum_dialects", lr, mu, "torch", "ema", called="the lr")


@exercise("momentum_dialects", stated=DIALECTS)
def test_from_ema(student, reference, rng):
    """From the averaging dialect back to torch's, the path stays the same with this lr."""
    lr, mu = float(rng.uniform(0.3, 0.9)), float(rng.uniform(0.6, 0.9))
    agree(student, reference, "momentum_dialects", lr, mu, "ema", "torch", called="the lr")


@exercise("momentum_dialects", stated=DIALECTS)
def test_classical(student, reference, rng):
    """The classical dialect (lr inside the velocity) against torch's, both ways, at constant lr."""
    lr, mu = float(rng.uniform(0.1, 0.2)), float(rng.uniform(0.6, 0.9))
    for source, target in (("torch", "classical"), ("classical", "torch")):
        agree(
            student, reference, "momentum_dialects", lr, mu, source, target,
            called=f"the lr from {source} to {target}",
        )


# -- 7 · Adagrad


@exercise("Adagrad", stated="r ← r + g² starts from 0; then p moves by −lr·g / (√r + eps)")
def test_adagrad_steps(student, reference, walk):
    """Six steps with a tiny eps: r ← r + g², then p ← p − lr·g / √r, entry by entry."""
    follow(student, reference, "Adagrad", walk, eps=TINY)


@exercise("Adagrad", about="detail", stated="with eps after the root")
def test_adagrad_eps(student, reference, walk):
    """A large eps, 0.3, is added to √r: after the root."""
    follow(student, reference, "Adagrad", walk, eps=0.3)


@exercise("Adagrad", about="detail", stated="read self.lr anew in each step")
def test_adagrad_scheduled(student, reference, scheduled):
    """While lr changes from step to step, each step takes the lr of now."""
    follow(student, reference, "Adagrad", scheduled, eps=TINY)


@exercise("Adagrad", about="detail", stated="g is p.grad + weight_decay·p")
def test_adagrad_weight_decay(student, reference, walk):
    """Weight decay 0.08: λp is added to the gradient before it is squared."""
    follow(student, reference, "Adagrad", walk, eps=TINY, weight_decay=0.08)


@exercise("Adagrad", about="detail", stated="is left alone in that step")
def test_adagrad_absent_gradients(student, reference, gaps):
    """A parameter whose .grad is None is left alone in that step."""
    follow(student, reference, "Adagrad", gaps, eps=TINY, weight_decay=0.05)


@exercise("Adagrad", about="arguments", stated="leaves it as it was", weight=0.5)
def test_adagrad_leaves_gradients(student, walk):
    """The gradients are as they were after step()."""
    leave_gradients(student, "Adagrad", walk, weight_decay=0.05)


@exercise("Adagrad", about="form", stated="parameter's device", weight=0.5)
def test_adagrad_device(student, walk):
    """The accumulator lives on its parameter's device, so Adagrad runs on a GPU as well."""
    stay_on_device(student, "Adagrad", walk, weight_decay=0.05)


@exercise("Adagrad", about="form", stated="in its dtype", weight=0.5)
def test_adagrad_precision(student, reference, device):
    """State is as precise as its parameter: float64 stays float64."""
    keep_precision(student, reference, "Adagrad", 0.8, rate=0.5, device=device)


@exercise(
    "Adagrad", about="by hand", stated="torch.optim and its schedulers", weight=0.25,
    forbid=OPTIMIZERS,
)
def test_adagrad_by_hand(student, walk):
    """Written by hand, without torch.optim."""
    student.run(optimizer_path, "Adagrad", walk.values, walk.gradients, walk.lrs)


# -- 8 · RMSprop


@exercise("RMSprop", stated="r ← alpha·r + (1 − alpha)·g² starts from 0; then p moves by")
def test_rmsprop_steps(student, reference, walk):
    """Six steps with α = 0.8 and a tiny eps: r ← αr + (1 − α)g², then p ← p − lr·g / √r."""
    follow(student, reference, "RMSprop", walk, alpha=0.8, eps=TINY)


@exercise("RMSprop", about="detail", stated="with eps after the root")
def test_rmsprop_eps(student, reference, walk):
    """A large eps, 0.3, is added to √r: after the root."""
    follow(student, reference, "RMSprop", walk, alpha=0.8, eps=0.3)


@exercise("RMSprop", about="detail", stated="read self.lr anew in each step")
def test_rmsprop_scheduled(student, reference, scheduled):
    """While lr changes from step to step, each step takes the lr of now."""
    follow(student, reference, "RMSprop", scheduled, alpha=0.8, eps=TINY)


@exercise("RMSprop", about="detail", stated="g is p.grad + weight_decay·p")
def test_rmsprop_weight_decay(student, reference, walk):
    """Weight decay 0.08: λp is added to the gradient before it is squared."""
    follow(student, reference, "RMSprop", walk, alpha=0.9, eps=TINY, weight_decay=0.08)


@exercise("RMSprop", about="detail", stated="is left alone in that step")
def test_rmsprop_absent_gradients(student, reference, gaps):
    """A parameter whose .grad is None is left alone in that step."""
    follow(student, reference, "RMSprop", gaps, alpha=0.8, eps=TINY, weight_decay=0.05)


@exercise("RMSprop", about="arguments", stated="leaves it as it was", weight=0.5)
def test_rmsprop_leaves_gradients(student, walk):
    """The gradients are as they were after step()."""
    leave_gradients(student, "RMSprop", walk, weight_decay=0.05, alpha=0.8)


@exercise("RMSprop", about="form", stated="parameter's device", weight=0.5)
def test_rmsprop_device(student, walk):
    """The running average lives on its parameter's device, so RMSprop runs on a GPU as well."""
    stay_on_device(student, "RMSprop", walk, weight_decay=0.05, alpha=0.8)


@exercise("RMSprop", about="form", stated="in its dtype", weight=0.5)
def test_rmsprop_precision(student, reference, device):
    """State is as precise as its parameter: float64 stays float64."""
    keep_precision(student, reference, "RMSprop", 0.8, rate=0.5, device=device, alpha=0.8)


@exercise(
    "RMSprop", about="by hand", stated="torch.optim and its schedulers", weight=0.25,
    forbid=OPTIMIZERS,
)
def test_rmsprop_by_hand(student, walk):
    """Written by hand, without torch.optim."""
    student.run(optimizer_path, "RMSprop", walk.values, walk.gradients, walk.lrs)


# -- 9 · checkpoint: the bias of a moving average


@exercise(
    "bias_of_moments", part="ema_weight",
    stated="The weight of g_i in m_t, for 1 ≤ i ≤ t",
)
def test_ema_weight(student, reference, rng):
    """The weight of g_i in m_t, where m ← βm + (1 − β)g has started from m_0 = 0."""
    t = int(rng.integers(5, 9))
    numbers = [float(rng.uniform(0.6, 0.85)), 2, t]
    check_expression(student, reference, "ema_weight", "beta i t", numbers)


@exercise(
    "bias_of_moments", part="ema_mean",
    stated="E[m_t] when E[g_i] = mean for all i",
)
def test_ema_mean(student, reference, rng):
    """E[m_t], when every gradient has the same mean."""
    numbers = [float(rng.uniform(0.7, 0.9)), int(rng.integers(3, 7)), float(rng.uniform(1, 3))]
    check_expression(student, reference, "ema_mean", "beta t mean", numbers)


@exercise(
    "bias_of_moments", part="bias_corrected",
    stated="The corrected copy of m = m_t, whose mean is that of the gradients",
)
def test_bias_corrected(student, reference, rng):
    """What Adam divides out: the corrected moment's mean is the gradients' mean."""
    beta, t, mean = float(rng.uniform(0.7, 0.9)), int(rng.integers(3, 7)), float(rng.uniform(1, 3))
    moment = reference.ema_mean(beta, t, mean)
    seen = student.run(expression, "bias_corrected", "m beta t", [moment, beta, t])
    assert_close(seen, mean, name=f"the corrected moment at t = {t}, β = {beta:.3g}")


# -- 10 · Adam


@exercise("Adam", stated="p moves by −lr·m̂ / (√v̂ + eps)")
def test_adam_steps(student, reference, walk):
    """Six steps with β = (0.8, 0.95) and a tiny eps, on two tensors: p ← p − lr·m̂ / √v̂."""
    follow(student, reference, "Adam", walk, betas=(0.8, 0.95), eps=TINY)


@exercise("Adam", stated="their copies m̂ and v̂ are corrected as in Exercise 9")
def test_adam_first_step(student, reference, walk):
    """In the first step every entry moves by lr·g/|g|: both moments are corrected by 1 − β."""
    first = Walk(walk.values, walk.gradients[:1], walk.lrs[:1])
    follow(student, reference, "Adam", first, betas=(0.7, 0.9), eps=TINY)


@exercise("Adam", about="detail", stated="with eps after the root")
def test_adam_eps(student, reference, walk):
    """A large eps, 0.3, is added to √v̂: after the correction and after the root."""
    follow(student, reference, "Adam", walk, betas=(0.8, 0.95), eps=0.3)


@exercise("Adam", about="detail", stated="read self.lr anew in each step")
def test_adam_scheduled(student, reference, scheduled):
    """While lr changes from step to step, each step takes the lr of now."""
    follow(student, reference, "Adam", scheduled, betas=(0.8, 0.95), eps=TINY)


@exercise("Adam", about="detail", stated="In both moments g is p.grad + weight_decay·p")
def test_adam_weight_decay(student, reference, walk):
    """Weight decay 0.08 is L2 here: λp joins the gradient, and with it both moments."""
    follow(student, reference, "Adam", walk, betas=(0.8, 0.95), eps=TINY, weight_decay=0.08)


@exercise("Adam", about="detail", stated="t counts the steps of this very parameter")
def test_adam_absent_gradients(student, reference, gaps):
    """Each parameter counts its own steps: t grows only when that parameter has a gradient."""
    follow(student, reference, "Adam", gaps, betas=(0.8, 0.95), eps=TINY)


@exercise("Adam", about="arguments", stated="leaves it as it was", weight=0.5)
def test_adam_leaves_gradients(student, walk):
    """The gradients are as they were after step()."""
    leave_gradients(student, "Adam", walk, weight_decay=0.05, betas=(0.8, 0.95))


@exercise("Adam", about="form", stated="parameter's device", weight=0.5)
def test_adam_device(student, walk):
    """Both moments live on their parameter's device, so Adam runs on a GPU as well."""
    stay_on_device(student, "Adam", walk, weight_decay=0.05, betas=(0.8, 0.95))


@exercise("Adam", about="form", stated="in its dtype", weight=0.5)
def test_adam_precision(student, reference, device):
    """State is as precise as its parameter: float64 stays float64."""
    keep_precision(student, reference, "Adam", 0.8, rate=1e4, device=device, betas=(0.8, 0.95))


@exercise(
    "Adam", about="by hand", stated="torch.optim and its schedulers", weight=0.25,
    forbid=OPTIMIZERS,
)
def test_adam_by_hand(student, walk):
    """Written by hand, without torch.optim."""
    student.run(optimizer_path, "Adam", walk.values, walk.gradients, walk.lrs)


# -- 11 · checkpoint: where λφ goes


def _first_step_numbers(rng: np.random.Generator) -> list[float]:
    bounds = [(1.0, 3.0), (0.3, 1.0), (0.1, 0.2), (0.3, 0.8), (0.05, 0.1)]
    return [float(rng.uniform(low, high)) for low, high in bounds]


@exercise(
    "where_decay_goes", part="adam_l2_first_step",
    stated="φ after the first step of Adam with λφ in the gradient",
)
def test_adam_l2_first_step(student, reference, rng):
    """φ after the first step of Adam with L2: λφ is in the gradient, and rescaled with it."""
    phi, g, *others = _first_step_numbers(rng)
    for sign in (1, -1):
        numbers = [sign * phi, sign * g, *others]
        check_expression(student, reference, "adam_l2_first_step", "phi g eta lam eps", numbers)


@exercise(
    "where_decay_goes", part="adamw_first_step",
    stated="φ after the first step of AdamW",
)
def test_adamw_first_step(student, reference, rng):
    """φ after the first step of AdamW: the gradient alone is rescaled, φ decays by ηλφ."""
    phi, g, *others = _first_step_numbers(rng)
    for sign in (1, -1):
        numbers = [sign * phi, sign * g, *others]
        check_expression(student, reference, "adamw_first_step", "phi g eta lam eps", numbers)


# -- 12 · AdamW


@exercise("AdamW", stated="is first multiplied by the decay factor of Exercise 5")
def test_adamw_steps(student, reference, walk):
    """Weight decay 0.08, β = (0.8, 0.95), a tiny eps: p ← (1 − lr·λ)p, then Adam's step."""
    follow(student, reference, "AdamW", walk, betas=(0.8, 0.95), eps=TINY, weight_decay=0.08)


@exercise("AdamW", stated="Then comes Adam's step")
def test_adamw_without_decay(student, reference, walk):
    """With weight decay 0 AdamW is Adam."""
    follow(student, reference, "AdamW", walk, betas=(0.7, 0.9), eps=TINY, weight_decay=0.0)


@exercise("AdamW", about="detail", stated="eps after the root")
def test_adamw_eps(student, reference, walk):
    """A large eps, 0.3, is added to √v̂: after the correction and after the root."""
    follow(student, reference, "AdamW", walk, betas=(0.8, 0.95), eps=0.3, weight_decay=0.08)


@exercise("AdamW", about="detail", stated="read self.lr anew in each step")
def test_adamw_scheduled(student, reference, scheduled):
    """While lr changes from step to step, decay and step take the lr of now."""
    follow(student, reference, "AdamW", scheduled, betas=(0.8, 0.95), eps=TINY, weight_decay=0.08)


@exercise("AdamW", about="detail", stated="it neither moves nor decays")
def test_adamw_absent_gradients(student, reference, gaps):
    """A parameter whose .grad is None neither moves nor decays, and counts no step."""
    follow(student, reference, "AdamW", gaps, betas=(0.8, 0.95), eps=TINY, weight_decay=0.07)


@exercise("AdamW", about="arguments", stated="leaves it as it was", weight=0.5)
def test_adamw_leaves_gradients(student, walk):
    """The gradients are as they were after step()."""
    leave_gradients(student, "AdamW", walk, weight_decay=0.05, betas=(0.8, 0.95))


@exercise("AdamW", about="form", stated="parameter's device", weight=0.5)
def test_adamw_device(student, walk):
    """Both moments live on their parameter's device, so AdamW runs on a GPU as well."""
    stay_on_device(student, "AdamW", walk, weight_decay=0.05, betas=(0.8, 0.95))


@exercise("AdamW", about="form", stated="in its dtype", weight=0.5)
def test_adamw_precision(student, reference, device):
    """State is as precise as its parameter: float64 stays float64."""
    options = {"betas": (0.8, 0.95), "weight_decay": 0.0}
    keep_precision(student, reference, "AdamW", 0.8, rate=1e4, device=device, **options)


@exercise(
    "AdamW", about="by hand", stated="torch.optim and its schedulers", weight=0.25,
    forbid=OPTIMIZERS,
)
def test_adamw_by_hand(student, walk):
    """Written by hand, without torch.optim."""
    student.run(optimizer_path, "AdamW", walk.values, walk.gradients, walk.lrs)


# -- 13 · parameter_groups


def _often(times: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(times, f"{times} times")


# What becomes of the parameters of every model of the probe `groups`.
PARAMETERS = {
    "mlp": {
        "0.weight": "decays", "0.bias": "stays", "1.weight": "stays", "1.bias": "stays",
        "2.weight": "decays", "2.bias": "stays",
    },
    "nested": {
        "0.weight": "decays", "0.bias": "stays", "1.kernel": "decays",
        "1.weight_of_skip": "stays", "1.bias": "decays", "1.scale": "stays",
        "1.inner.0.weight": "decays", "1.inner.0.bias": "stays", "1.inner.1.weight": "stays",
        "1.inner.1.bias": "stays", "2.weight": "decays",
    },
    "tied": {
        "embed.weight": "decays", "norm.weight": "stays", "norm.bias": "stays",
        "decode.bias": "stays",
    },
    "frozen": {
        "0.weight": "frozen", "0.bias": "frozen", "1.weight": "stays", "1.bias": "stays",
        "2.weight": "decays", "2.bias": "stays",
    },
}  # fmt: skip


def check_groups(student: Any, kind: str, device: Any, weight_decay: float = 0.06) -> None:
    """Assert which parameters of a model are handed over, and which of them decay."""
    seen = student.run(groups, kind, weight_decay, str(device))
    assert seen.keys() == PARAMETERS[kind].keys(), "the parameters are not those of the model"
    for name, facts in seen.items():
        times, fate = facts["times handed over"], PARAMETERS[kind][name]
        wanted = int(fate != "frozen")
        assert times == wanted, f"{name} is handed over {_often(times)}, not {_often(wanted)}"
        decays = fate == "decays"
        expected = 1 - 0.5 * weight_decay if decays else 1.0  # AdamW multiplies by 1 − lr·λ
        assert abs(facts["factor of a decay step"] - expected) < 1e-5, (
            f"{name} ({facts['dimensions']} dimensions) should "
            f"{'decay' if decays else 'not decay'}; a step at lr = 0.5, λ = {weight_decay} "
            f"multiplies it by {facts['factor of a decay step']:.4g}"
        )


@exercise("parameter_groups", stated="matrices decay, biases and norm parameters do not")
def test_groups_mlp(student, device):
    """In an MLP with batch norm the weight matrices decay; biases and norm parameters do not."""
    check_groups(student, "mlp", device)


@exercise("parameter_groups", stated="at any depth of the model and whatever its name")
def test_groups_nested(student, device):
    """It goes by dimensions at any depth, whatever a parameter is called."""
    check_groups(student, "nested", device)


@exercise("parameter_groups", about="detail", stated="A shared parameter is handed over once")
def test_groups_tied(student, device):
    """A matrix shared by two layers is handed over once."""
    check_groups(student, "tied", device)


@exercise("parameter_groups", about="detail", stated="one with requires_grad=False not at all")
def test_groups_frozen(student, device):
    """A parameter with requires_grad=False is not trained, and not handed over."""
    check_groups(student, "frozen", device)


# -- 14 · clip_grad_norm


@pytest.fixture
def long_gradients(rng: np.random.Generator, device: torch.device) -> list[torch.Tensor]:
    """Gradients of two dtypes with a total norm above 3."""
    first, second = make_walk(rng, device, steps=1, shapes=((3, 4), (6,))).gradients[0]
    assert first is not None and second is not None
    return [first * 2.0, second]


def check_clipping(
    student: Any, reference: Any, name: str, gradients: list[Any], limit: float, **options: Any
) -> None:
    """Assert that the gradients are torch's after clipping."""
    seen = student.run(clipped, name, gradients, limit, **options)
    expected = _clipped(reference, name, gradients, limit)
    for number, (g, torch_g) in enumerate(zip(seen, expected, strict=True), start=1):
        if torch_g is None:
            assert g is None, f"parameter {number} had no gradient, and has one after clipping"
            continue
        # torch takes the norms of float32 gradients in float32, whatever stands beside them.
        assert_close(g, torch_g, name=f"the gradient of parameter {number}", rtol=2e-5)


def check_returned_norm(
    student: Any, reference: Any, gradients: list[Any], limit: float
) -> None:
    """Assert that the returned number is the norm from before clipping."""
    seen = student.run(returned_norm, gradients, limit)
    expected = _returned_norm(reference, gradients, limit)
    assert_close(seen, expected, name="the returned norm", rtol=2e-5)


@exercise("clip_grad_norm", stated="All are multiplied by the one factor")
def test_long_gradients_are_scaled(student, reference, long_gradients):
    """Too long a gradient is multiplied by c / (‖g‖ + 1e-6), with the norm over all parameters."""
    check_clipping(student, reference, "clip_grad_norm", long_gradients, 1.5)


@exercise("clip_grad_norm", stated="min(1, c / (norm + 1e-6))")
def test_short_gradients_stay(student, reference, long_gradients):
    """A gradient shorter than c stays as it is."""
    # Twice the norm, which is above 3, lies below the norm's square.
    norm = float(sum((g.double() ** 2).sum() for g in long_gradients)) ** 0.5
    check_clipping(student, reference, "clip_grad_norm", long_gradients, 2 * norm)


@exercise("clip_grad_norm", about="detail", stated="The common norm before clipping")
def test_the_norm_is_returned(student, reference, long_gradients):
    """What is returned is the norm from before clipping."""
    check_returned_norm(student, reference, long_gradients, 1.5)


@exercise("clip_grad_norm", about="detail", stated="(norm + 1e-6)")
def test_tiny_gradients(student, reference, long_gradients):
    """With norms near 1e-6 the constant in c / (‖g‖ + 1e-6) shows."""
    tiny = [1e-6 * g for g in long_gradients]
    check_clipping(student, reference, "clip_grad_norm", tiny, 1e-6)


@exercise("clip_grad_norm", about="detail", stated="those whose .grad is None are passed over")
def test_norm_without_gradient(student, reference, long_gradients):
    """A parameter whose .grad is None is passed over."""
    first, second = long_gradients
    check_clipping(student, reference, "clip_grad_norm", [first, None, second], 1.5)


@exercise("clip_grad_norm", about="detail", stated="which may be a generator")
def test_parameters_from_a_generator(student, reference, long_gradients):
    """`params` may be a generator, as model.parameters() is: it can be walked only once."""
    check_clipping(student, reference, "clip_grad_norm", long_gradients, 1.5, once=True)


@exercise(
    "clip_grad_norm", about="by hand", stated="functions of torch.nn.utils may not be called",
    weight=0.25, forbid=CLIPPERS,
)
def test_norm_clipping_by_hand(student, long_gradients):
    """Written by hand, without torch.nn.utils."""
    student.run(clipped, "clip_grad_norm", long_gradients, 1.0)


# -- 15 · clip_grad_value


@exercise("clip_grad_value", stated="every entry of every gradient into [−clip_value, clip_value]")
def test_values_are_clipped(student, reference, long_gradients):
    """Every entry is brought into [−c, c], from above and from below."""
    check_clipping(student, reference, "clip_grad_value", long_gradients, 0.5)


@exercise("clip_grad_value", stated="Entries inside stay as they are")
def test_small_values_stay(student, reference, rng, device):
    """Entries inside [−c, c] stay as they are, also beside entries outside."""
    gradient = torch.as_tensor([0.2, -0.3, 4.0, -5.0, 0.9], device=device)
    gradient = gradient * float(rng.uniform(0.9, 1.1))
    check_clipping(student, reference, "clip_grad_value", [gradient], 1.0)


@exercise(
    "clip_grad_value", about="detail", stated="parameters whose .grad is None are passed over"
)
def test_values_without_gradient(student, reference, long_gradients):
    """A parameter whose .grad is None is passed over."""
    check_clipping(student, reference, "clip_grad_value", [None, *long_gradients], 0.5)


@exercise(
    "clip_grad_value", about="by hand", stated="functions of torch.nn.utils may not be called",
    weight=0.25, forbid=CLIPPERS,
)
def test_value_clipping_by_hand(student, long_gradients):
    """Written by hand, without torch.nn.utils (torch.clamp is welcome)."""
    student.run(clipped, "clip_grad_value", long_gradients, 0.7)


# -- 16 · schedules


def check_curve(
    student: Any, reference: Any, name: str, last: int, *settings: Any, first: int = 0
) -> None:
    """Assert that a schedule has torch's learning rates at t = first … last."""
    steps = list(range(first, last + 1))
    expected = getattr(reference, name)(last, *settings)
    for t, seen, wanted in zip(
        steps, student.run(curve, name, steps, *settings), expected, strict=True
    ):
        assert_close(seen, wanted, name=f"the rate at t = {t}", rtol=1e-7)


def check_end(
    student: Any, reference: Any, name: str, lr0: float, lr_end: float, total: int
) -> None:
    """Assert that a schedule stays where it ends."""
    end = getattr(reference, name)(total, lr0, lr_end, total)[-1]
    steps = [total, total + 1, total + 3, 2 * total, 3 * total + 2]
    for t, seen in zip(
        steps, student.run(curve, name, steps, lr0, lr_end, total), strict=True
    ):
        assert_close(seen, end, name=f"the rate at t = {t}", rtol=1e-7)


@exercise("schedules", part="linear", stated="From lr0 at t = 0 in a straight line to lr_end")
def test_linear(student, reference, rng):
    """linear: (1 − t/K)·η₀ + (t/K)·η_K for t = 0 … K, as torch's LinearLR."""
    check_curve(student, reference, "linear_schedule", 6, float(rng.uniform(0.1, 0.2)), 0.02, 6)


@exercise("schedules", part="linear", about="detail", stated="at t = total, and lr_end after that")
def test_linear_stays_down(student, reference):
    """linear: after K steps it stays at η_K."""
    check_end(student, reference, "linear_schedule", 0.2, 0.05, 6)


@exercise("schedules", part="power", stated="lr0·(1 + t/scale)^power; power is negative")
def test_power(student, reference, rng):
    """power: η₀·(1 + t/s)^c with a negative c."""
    lr0, c = float(rng.uniform(0.1, 0.2)), -float(rng.uniform(0.4, 0.9))
    check_curve(student, reference, "power_schedule", 7, lr0, 2.5, c)


@exercise("schedules", part="exponential", stated="lr0·factor^(t/scale)")
def test_exponential(student, reference, rng):
    """exponential: η₀·c^(t/s), falling in every step, as torch's ExponentialLR with γ = c^(1/s)."""
    lr0, c = float(rng.uniform(0.1, 0.2)), float(rng.uniform(0.45, 0.7))
    check_curve(student, reference, "exponential_schedule", 7, lr0, c, 3.0)


@exercise("schedules", part="cosine", stated="Half a cosine wave from lr0 at t = 0 to lr_end")
def test_cosine(student, reference, rng):
    """cosine: half a wave from η₀ at t = 0 to η_K at t = K, as torch's CosineAnnealingLR."""
    check_curve(student, reference, "cosine_schedule", 8, float(rng.uniform(0.1, 0.2)), 0.03, 8)


@exercise("schedules", part="cosine", about="detail", stated="at t = total, and lr_end after that")
def test_cosine_stays_down(student, reference):
    """cosine: after K steps it stays at η_K."""
    check_end(student, reference, "cosine_schedule", 0.2, 0.05, 6)


@exercise("schedules", part="Noam", stated="d_model^(−1/2)·min(t^(−1/2), t·warmup^(−3/2))")
def test_noam(student, reference, rng):
    """Noam: d^(−½)·min(t^(−½), t·w^(−3/2)) for t = 1, 2, …: up in w steps, then down."""
    check_curve(student, reference, "noam_schedule", 14, int(rng.integers(16, 64)), 5, first=1)


@exercise(
    "schedules", part="linear", about="by hand", weight=0.25, forbid=SCHEDULERS,
    stated="torch.optim and its schedulers",
)
def test_linear_by_hand(student):
    """linear: written by hand, without torch's schedulers."""
    student.run(curve, "linear_schedule", [2], 0.1, 0.02, 6)


@exercise(
    "schedules", part="power", about="by hand", weight=0.25, forbid=SCHEDULERS,
    stated="torch.optim and its schedulers",
)
def test_power_by_hand(student):
    """power: written by hand, without torch's schedulers."""
    student.run(curve, "power_schedule", [2], 0.1, 2.5, -0.5)


@exercise(
    "schedules", part="exponential", about="by hand", weight=0.25, forbid=SCHEDULERS,
    stated="torch.optim and its schedulers",
)
def test_exponential_by_hand(student):
    """exponential: written by hand, without torch's schedulers."""
    student.run(curve, "exponential_schedule", [2], 0.1, 0.5, 3.0)


@exercise(
    "schedules", part="cosine", about="by hand", weight=0.25, forbid=SCHEDULERS,
    stated="torch.optim and its schedulers",
)
def test_cosine_by_hand(student):
    """cosine: written by hand, without torch's schedulers."""
    student.run(curve, "cosine_schedule", [2], 0.1, 0.02, 6)


# -- 17 · bug hunt: three published listings


class Published:
    """The three listings of the notebook, as they were published: each has a mistake."""

    @staticmethod
    def rmsprop(gradients, lr=0.1, alpha=0.9, eps=1e-2):
        w, r = torch.zeros_like(gradients[0]), torch.zeros_like(gradients[0])
        for g in gradients:
            r += alpha * r + (1 - alpha) * g * g
            w = w - lr * g / (r.sqrt() + eps)
        return w

    @staticmethod
    def adam(gradients, lr=0.1, beta1=0.9, beta2=0.99, eps=1e-2):
        w, v, s = (torch.zeros_like(gradients[0]) for _ in range(3))
        for t, g in enumerate(gradients, start=1):
            v = (beta1 * v + (1 - beta1) * g) / (1 - beta1**t)
            s = (beta2 * s + (1 - beta2) * g * g) / (1 - beta2**t)
            w = w - lr * v / (s.sqrt() + eps)
        return w

    @staticmethod
    def adagrad(gradients, lr=0.1, eps=1e-2):
        w, s = torch.zeros_like(gradients[0]), 0.0
        for g in gradients:
            s = s + ((g - g.mean()) ** 2).sum()
            w = w - lr * g / (s**0.5 + eps)
        return w


def torch_end(kind: Any, gradients: torch.Tensor, **options: Any) -> torch.Tensor:
    """Where one of torch's optimizers ends that starts from zero."""
    p = torch.nn.Parameter(torch.zeros_like(gradients[0]))
    optimizer = kind([p], **options)
    for g in gradients:
        p.grad = g.clone()
        optimizer.step()
    return p.detach()


RIGHT = {
    "rmsprop": lambda g, lr=0.1, alpha=0.9, eps=1e-2: torch_end(
        torch.optim.RMSprop, g, lr=lr, alpha=alpha, eps=eps
    ),
    "adam": lambda g, lr=0.1, beta1=0.9, beta2=0.99, eps=1e-2: torch_end(
        torch.optim.Adam, g, lr=lr, betas=(beta1, beta2), eps=eps
    ),
    "adagrad": lambda g, lr=0.1, eps=1e-2: torch_end(torch.optim.Adagrad, g, lr=lr, eps=eps),
}


def convicting(student: Any, bug: str, device: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Where the published listing and torch end on the student's gradients."""
    sequence = student.failing_gradients(bug)
    gradients = torch.as_tensor(sequence, dtype=torch.float64, device=device)
    assert gradients.ndim == 2, "return a (T, d) tensor: T gradients of d entries"
    assert 1 <= gradients.shape[0] <= 20 and 1 <= gradients.shape[1] <= 10, (
        f"at most 20 steps of at most 10 entries, please; this is {tuple(gradients.shape)}"
    )
    assert bool((gradients.abs() <= 10).all()), "every entry should lie within ±10"
    return getattr(Published, bug)(gradients), RIGHT[bug](gradients)


def check_conviction(student: Any, bug: str, device: Any) -> None:
    """Assert that the student's gradients tell the listing from torch."""
    wrong, right = convicting(student, bug, device)
    apart, size = float((wrong - right).norm()), float(right.norm())
    assert apart > 0.25 * size, (
        f"the listing ends at a distance of {apart:.3g} from torch, whose way is {size:.3g} long: "
        "on these gradients the mistake hardly shows (more than a quarter is asked)"
    )


def check_mended(
    student: Any, bug: str, rng: Any, device: Any, *, steps: int = 8, **options: Any
) -> None:
    """Assert that a mended listing ends where torch ends."""
    gradients = make_walk(rng, device, shapes=((7,), (4,)), steps=steps).gradients
    stacked = torch.stack([row[1] for row in gradients if row[1] is not None])
    seen = getattr(student, f"mended_{bug}")(stacked, **options)
    assert_close(seen, RIGHT[bug](stacked, **options), name="its end")


def check_left_alone(student: Any, bug: str, rng: Any, device: Any) -> None:
    """Assert that a mended listing does not change the gradients it is given."""
    row = make_walk(rng, device, steps=1, shapes=((4,), (5, 4))).gradients[0]
    getattr(student, f"mended_{bug}")(row[1])
    assert_unmodified(student)


@exercise("bug_hunt", part="failing_gradients", stated="on them it ends far from torch")
def test_rmsprop_is_convicted(student, device):
    """Listing A, `r += αr + …`, ends far from torch's RMSprop on your gradients."""
    check_conviction(student, "rmsprop", device)


@exercise("bug_hunt", part="failing_gradients", stated="on them it ends far from torch")
def test_adam_is_convicted(student, device):
    """Listing B, corrected moments fed back, ends far from torch's Adam on your gradients."""
    check_conviction(student, "adam", device)


@exercise("bug_hunt", part="failing_gradients", stated="on them it ends far from torch")
def test_adagrad_is_convicted(student, device):
    """Listing C, the squared distance from the mean, ends far from torch's Adagrad on yours."""
    check_conviction(student, "adagrad", device)


@exercise("bug_hunt", part="mended_rmsprop", stated="it ends where torch's RMSprop ends")
def test_rmsprop_is_mended(student, rng, device):
    """Mended listing A ends where torch's RMSprop ends."""
    check_mended(student, "rmsprop", rng, device, lr=0.1, alpha=0.8, eps=0.05)


@exercise("bug_hunt", part="mended_adam", stated="it ends where torch's Adam ends")
def test_adam_is_mended(student, rng, device):
    """Mended listing B ends where torch's Adam ends."""
    check_mended(student, "adam", rng, device, lr=0.1, beta1=0.8, beta2=0.95, eps=0.05)


@exercise("bug_hunt", part="mended_adagrad", stated="it ends where torch's Adagrad ends")
def test_adagrad_is_mended(student, rng, device):
    """Mended listing C ends where torch's Adagrad ends."""
    check_mended(student, "adagrad", rng, device, lr=0.1, eps=0.05)


@exercise(
    "bug_hunt", part="mended_rmsprop", about="arguments", weight=0.5,
    stated="leaves the gradients alone",
)
def test_mended_rmsprop_leaves_gradients(student, rng, device):
    """Mended listing A leaves the gradients as they were."""
    check_left_alone(student, "rmsprop", rng, device)


@exercise(
    "bug_hunt", part="mended_rmsprop", about="by hand", weight=0.25, forbid=OPTIMIZERS,
    stated="torch.optim and its schedulers",
)
def test_mended_rmsprop_by_hand(student, device):
    """Mended listing A is written by hand, without torch.optim."""
    student.mended_rmsprop(torch.ones(2, 3, dtype=torch.float64, device=device))


@exercise(
    "bug_hunt", part="mended_adam", about="arguments", weight=0.5,
    stated="leaves the gradients alone",
)
def test_mended_adam_leaves_gradients(student, rng, device):
    """Mended listing B leaves the gradients as they were."""
    check_left_alone(student, "adam", rng, device)


@exercise(
    "bug_hunt", part="mended_adam", about="by hand", weight=0.25, forbid=OPTIMIZERS,
    stated="torch.optim and its schedulers",
)
def test_mended_adam_by_hand(student, device):
    """Mended listing B is written by hand, without torch.optim."""
    student.mended_adam(torch.ones(2, 3, dtype=torch.float64, device=device))


@exercise(
    "bug_hunt", part="mended_adagrad", about="arguments", weight=0.5,
    stated="leaves the gradients alone",
)
def test_mended_adagrad_leaves_gradients(student, rng, device):
    """Mended listing C leaves the gradients as they were."""
    check_left_alone(student, "adagrad", rng, device)


@exercise(
    "bug_hunt", part="mended_adagrad", about="by hand", weight=0.25, forbid=OPTIMIZERS,
    stated="torch.optim and its schedulers",
)
def test_mended_adagrad_by_hand(student, device):
    """Mended listing C is written by hand, without torch.optim."""
    student.mended_adagrad(torch.ones(2, 3, dtype=torch.float64, device=device))


# -- 18 · break it: noise on which Adam+L2 forgets its decay

BREAK_LR, BREAK_DECAY = 0.05, 0.5


def broken_gradients(student: Any, device: Any, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """The student's noise, when it keeps to the rules."""
    gradients = torch.as_tensor(student.break_it(), dtype=dtype, device=device)
    assert gradients.ndim == 2, "return a (T, d) tensor: T gradients of d entries"
    assert 1 <= gradients.shape[0] <= 60 and 1 <= gradients.shape[1] <= 10, (
        f"at most 60 steps of at most 10 entries, please; this is {tuple(gradients.shape)}"
    )
    assert bool((gradients.abs() <= 100).all()), "every entry should lie within ±100"
    return gradients


def ends_apart(gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Where Adam+L2 and AdamW end that start from ones."""
    ends = []
    for kind in (torch.optim.Adam, torch.optim.AdamW):
        p = torch.nn.Parameter(torch.ones_like(gradients[0]))
        optimizer = kind([p], lr=BREAK_LR, weight_decay=BREAK_DECAY)
        for g in gradients:
            p.grad = g.clone()
            optimizer.step()
        ends.append(p.detach())
    return ends[0], ends[1]


@exercise("break_it", stated="every column sums to zero")
def test_gradients_are_noise(student, device):
    """Your gradients keep to the rules and sum to zero in every coordinate: noise, no direction."""
    gradients = broken_gradients(student, device, torch.float64)
    total = float(gradients.sum(0).abs().max())
    assert total < 1e-3, f"a column sums to {total:.3g}: the noise has a direction"


@exercise("break_it", stated="they end at least 0.6 apart on average", weight=2.0)
def test_they_end_apart(student, device):
    """From φ = 1, lr = 0.05, λ = 0.5, Adam+L2 and AdamW end at least 0.6 apart on average."""
    coupled, decoupled = ends_apart(broken_gradients(student, device))
    apart = float((coupled - decoupled).abs().mean())
    assert apart >= 0.6, f"Adam+L2 and AdamW end only {apart:.3g} apart"


HINTS: dict[str, list[str]] = {
    "minibatches": [
        "Shuffle first, cut afterwards: the cut itself needs no randomness.",
        "torch.randperm takes a generator; a slice past the end of a tensor is simply shorter.",
        "n = 23 in batches of 5 gives five batches, the last with 3 indices.",
    ],
    "PlainSGD": [
        "A loop over self.params: pass over the one that has no gradient, move the others.",
        "`continue` goes on with the next parameter. p -= … changes p itself.",
        "p = 1, lr = 0.1, g = 2: p is 0.8 after the step.",
    ],
    "Momentum": [
        "The plain step with v in g's place. v is kept from step to step, one for each parameter.",
        "self.state[p] is a dict: put the new v into it. A parameter without a v yet starts from "
        "torch.zeros_like(p).",
        "p = 1, lr = 0.1, μ = 0.8, g = 1 then 1: p is 0.9, then 0.72.",
    ],
    "SGD": [
        "Read g from p.grad, add λp to a copy of it, make the velocity from that, then step.",
        "lr multiplies the velocity when the parameter moves; it is never stored in the velocity. "
        "Keep one velocity a parameter in its state dict, made at its first gradient.",
        "p = 1, lr = 0.1, μ = 0.8, g = 1 then 1: p is 0.9, then 0.72. With dampening 0.3: 0.9, "
        "then 0.75. With Nesterov: 0.82, then 0.576.",
    ],
    "sgd_identities": [
        "Write φ − η·(∇L + λφ) and collect φ. For the velocity write out v₁, v₂, v₃.",
        "v_t = g·(1 + μ + … + μ^(t−1)): a geometric sum with t terms, the first of which is 1.",
        "η = 0.1, λ = 0.5: the factor is 0.95. g = 2, μ = 0.5, t = 3: v = 3.5. "
        "η = 0.1, μ = 0.9: the rate is 1.",
    ],
    "momentum_dialects": [
        "What is one gradient's total pull on the weights in each dialect, over all later steps?",
        "Go through torch's dialect: first turn `source` into it, then it into `target`.",
        "lr = 0.1, μ = 0.9: from torch to ema it is 1.0; from ema to torch 0.01.",
    ],
    "Adagrad": [
        "r has one entry for every entry of p, starts at zero and only grows.",
        "First r takes in this step's g², then the step is made. The root is of r alone; eps is "
        "added after the root.",
        "p = 1, lr = 0.1, eps = 0.1, g = 3, then 4: p is 0.9032, then 0.8248.",
    ],
    "RMSprop": [
        "Adagrad with a memory that fades: r is an average now, not a sum.",
        "α belongs to the old r, 1 − α to the new g². Assign with =, not with +=.",
        "p = 1, lr = 0.1, α = 0.75, eps = 0.1, g = 2, then 2: p is 0.8182, then 0.6776.",
    ],
    "bias_of_moments": [
        "Unroll m₃ by hand: the newest gradient has been multiplied by 1 − β only.",
        "The weights are (1 − β)·β^(age), with age 0 for i = t; their sum is again geometric.",
        "β = 0.5: the weight of g₁ in m₃ is 0.125; E[m₃] of mean 1 is 0.875.",
    ],
    "Adam": [
        "Two averages, m of g and v of g²; then *corrected copies* of both; then the step.",
        "t is counted per parameter and is 1 in a parameter's first step. eps is added to √v̂, "
        "after correction and after the root.",
        "p = 1, lr = 0.1, eps = 0.1, any betas: g = 0.4 gives p = 0.92 in the first step.",
    ],
    "where_decay_goes": [
        "In the first step m̂ is the gradient that enters the moments, and √v̂ its absolute value.",
        "Adam+L2: that gradient is g + λφ. AdamW: it is g, and ηλφ is taken off besides.",
        "φ = 2, g = 1, η = 0.1, λ = 0.5, eps = 1: Adam+L2 gives 1.9333, AdamW 1.85.",
    ],
    "AdamW": [
        "Your Adam without λ in the gradient, and one line more.",
        "The line multiplies p by 1 − lr·λ, before the Adam step, and only if p has a gradient.",
        "p = 1, lr = 0.1, λ = 0.5, eps = 0.1, g = 0.4: p is 0.87 after the first step.",
    ],
    "parameter_groups": [
        "A bias and a norm's scale are vectors; a weight is a matrix or has more dimensions still.",
        "model.parameters() walks all depths and yields a shared parameter once; look at p.ndim "
        "and p.requires_grad.",
        "nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)): one parameter decays, three do not.",
    ],
    "clip_grad_norm": [
        "One norm over all gradients together, one factor for all of them.",
        "The norm is the root of the sum of all squares. The factor is never more than 1.",
        "Gradients (3,) and (4,), c = 1: the norm is 5, they become 0.6 and 0.8.",
    ],
    "clip_grad_value": [
        "Each entry for itself: no norm here.",
        "Both bounds matter, −c and c; p.grad may be None.",
        "(0.2, −3, 5) with c = 1 becomes (0.2, −1, 1).",
    ],
    "schedules": [
        "Each is a formula in t alone: no memory, no multiplying on from the rate before.",
        "Put t = 0 and t = K in and look whether the ends are right. Noam counts from t = 1.",
        "cosine from 0.1 to 0 in 4 steps: 0.1, 0.0854, 0.05, 0.0146, 0. "
        "Noam with d = 16, w = 4: 0.03125 at t = 1, 0.125 at t = 4.",
    ],
    "bug_hunt": [
        "Work t = 1 and t = 2 out by hand, for the listing and for the right recursion.",
        "A and B are right at t = 1: one gradient convicts nobody. C looks at the gradient's mean: "
        "what if all entries are equal?",
        "On the gradients 1, 1, 1 (lr = 0.1, defaults) RMSprop ends at −0.7193, Adam at −0.2970, "
        "Adagrad at −0.2266.",
    ],
    "break_it": [
        "Which of the two divides its decay by the size of the gradients?",
        "Noise that is large against λφ = 0.5, and has no direction.",
        "AdamW multiplies φ by 1 − 0.05·0.5 = 0.975 a step: 0.22 is left after 60.",
    ],
}

DERIVATION: dict[str, str] = {
    "minibatches": "step 1: why the mean over a random batch is unbiased",
    "PlainSGD": "equation (2), and the loop around it",
    "Momentum": "equation (3): what the velocity holds",
    "SGD": "Exercise 4: the order of the four lines (decay, velocity, Nesterov, step)",
    "sgd_identities": "steps 2 and 3: collecting φ, and the geometric sum",
    "momentum_dialects": "step 4: the total pull of one gradient",
    "Adagrad": "equation (4): a sum of squares for every entry",
    "RMSprop": "equation (5): an average in place of the sum",
    "bias_of_moments": "steps 5 to 7: unrolling m_t, then the sum of its weights",
    "Adam": "Exercise 10: the four lines of Adam",
    "where_decay_goes": "steps 8 and 9: the first step, where m̂ = g and √v̂ = |g|",
    "AdamW": "Exercise 12: decoupling",
    "parameter_groups": "Exercise 13: what should decay",
    "clip_grad_norm": "equation (7): one norm and one factor",
    "clip_grad_value": "Exercise 15: entry by entry",
    "schedules": "Exercise 16: the five formulas",
    "bug_hunt": "equations (4) to (6), line by line",
    "break_it": "step 9: λφ inside the fraction or outside of it",
}
