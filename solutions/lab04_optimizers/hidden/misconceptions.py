"""What people really write in lab 04's exercises, each with what a student should be told.

The optimizers are put together from small rules, so that each mistake is one rule replaced: ``o``
is the optimizer (its ``lr`` is the one of now), ``s`` the state of the parameter ``p``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import sympy
import torch

from course_utils.testing import misconception


class _Optimizer:
    """Walks over the parameters with a gradient and applies ``rule(o, p, g, s)`` to each."""

    def __init__(self, params: Any, lr: float, rule: Callable, absent: Callable | None = None):
        self.params, self.lr, self.rule, self.absent = list(params), lr, rule, absent
        self.state: list[dict[str, Any]] = [{} for _ in self.params]

    @torch.no_grad()
    def step(self) -> None:
        for p, s in zip(self.params, self.state, strict=True):
            if p.grad is not None:
                self.rule(self, p, p.grad, s)
            elif self.absent is not None:
                self.absent(self, p, torch.zeros_like(p), s)

    def zero_grad(self) -> None:
        for p in self.params:
            p.grad = None


def _fresh(s: dict[str, Any], name: str, p: torch.Tensor) -> torch.Tensor:
    return s.setdefault(name, torch.zeros_like(p))


# -- minibatches


@misconception(
    "minibatches",
    hint="You draw indices *with* replacement: in an epoch some examples come twice and others "
    "not at all. Shuffle all n indices once and cut.",
)
def with_replacement(n, batch_size, generator):
    drawn = torch.randint(n, (n,), generator=generator)
    return list(drawn.split(batch_size))


@misconception(
    "minibatches",
    hint="The examples that do not fill a whole batch are thrown away. The last batch may be "
    "smaller; it belongs to the epoch.",
)
def drops_the_last_batch(n, batch_size, generator):
    order = torch.randperm(n, generator=generator)
    return [order[i * batch_size : (i + 1) * batch_size] for i in range(n // batch_size)]


@misconception(
    "minibatches",
    hint="Your last batch is filled up with indices from the start of the epoch, which are then "
    "seen twice. Let it be smaller.",
)
def fills_up_the_last_batch(n, batch_size, generator):
    order = torch.randperm(n, generator=generator)
    order = torch.cat([order, order, order[:1].repeat(batch_size)])
    return [order[i : i + batch_size] for i in range(0, n, batch_size)]


@misconception(
    "minibatches",
    hint="The batches are cut from the data as they lie. If the file is sorted by class, each "
    "batch sees one class: shuffle before cutting.",
)
def not_shuffled(n, batch_size, generator):
    return list(torch.arange(n).split(batch_size))


@misconception(
    "minibatches",
    hint="Every epoch repeats the same order, because a fresh generator with the same seed is made "
    "in every call. Use the `generator` that you are given: it moves on.",
)
def shuffled_once_for_all(n, batch_size, generator):
    return list(torch.randperm(n, generator=torch.Generator().manual_seed(0)).split(batch_size))


@misconception(
    "minibatches",
    hint="You shuffle the batches, not the examples: neighbours in the file always stay together. "
    "Shuffle first, cut afterwards.",
)
def shuffles_whole_batches(n, batch_size, generator):
    batches = torch.arange(n).split(batch_size)
    full = [b for b in batches if len(b) == batch_size]
    order = torch.randperm(len(full), generator=generator)
    return [full[i] for i in order] + [b for b in batches if len(b) < batch_size]


@misconception(
    "minibatches",
    hint="The shuffle draws from torch's global generator, so the given `generator` decides "
    "nothing and the run cannot be repeated. Hand it on to torch.randperm.",
)
def ignores_the_generator(n, batch_size, generator):
    return list(torch.randperm(n).split(batch_size))


# -- SGD


def _l2(o: Any, p: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
    return g + o.weight_decay * p


def _first_whole(o: Any, p: torch.Tensor, g: torch.Tensor, s: dict[str, Any]) -> torch.Tensor:
    v = s.get("v")
    s["v"] = g.clone() if v is None else o.momentum * v + (1 - o.dampening) * g
    return s["v"]


def _along(o: Any, g: torch.Tensor, v: torch.Tensor, old: Any) -> torch.Tensor:
    return g + o.momentum * v if o.nesterov else v


def _downhill(o: Any, p: torch.Tensor, d: torch.Tensor) -> None:
    p.sub_(o.lr * d)


def _sgd(
    params: Any,
    lr: float,
    momentum: float = 0.0,
    dampening: float = 0.0,
    nesterov: bool = False,
    weight_decay: float = 0.0,
    *,
    gradient: Callable = _l2,
    velocity: Callable = _first_whole,
    direction: Callable = _along,
    move: Callable = _downhill,
    absent_as_zero: bool = False,
) -> _Optimizer:
    """SGD with one of its rules replaced."""

    def rule(o, p, g, s):
        g = gradient(o, p, g)
        if o.momentum:
            old = s.get("v", torch.zeros_like(p))
            g = direction(o, g, velocity(o, p, g, s), old)
        move(o, p, g)

    optimizer = _Optimizer(params, lr, rule, rule if absent_as_zero else None)
    optimizer.momentum, optimizer.dampening = momentum, dampening
    optimizer.nesterov, optimizer.weight_decay = nesterov, weight_decay
    return optimizer


@misconception(
    "SGD",
    hint="Your velocity holds lr·g, so old learning rates live on in it: when lr changes, the next "
    "step is not torch's. Keep plain gradients in v and multiply by lr when p moves.",
)
def velocity_holds_lr(params, lr, **options):
    def velocity(o, p, g, s):
        v = s.get("v")
        g = o.lr * g
        s["v"] = g if v is None else o.momentum * v + (1 - o.dampening) * g
        return s["v"]

    def direction(o, g, v, old):
        return o.lr * g + o.momentum * v if o.nesterov else v

    def move(o, p, d):
        p.sub_(d if o.momentum else o.lr * d)

    return _sgd(params, lr, velocity=velocity, direction=direction, move=move, **options)


@misconception(
    "SGD",
    hint="v ← μv + (1 − μ)g is the averaging dialect: its steps are 1 − μ times torch's. torch "
    "adds the whole gradient (apart from dampening).",
)
def averages_the_gradient(params, lr, **options):
    def velocity(o, p, g, s):
        s["v"] = o.momentum * _fresh(s, "v", p) + (1 - o.momentum) * g
        return s["v"]

    return _sgd(params, lr, velocity=velocity, **options)


@misconception(
    "SGD",
    hint="Your first velocity is (1 − dampening)·g. torch takes the whole g at a parameter's first "
    "gradient, and dampens from the second on.",
)
def first_step_dampened(params, lr, **options):
    def velocity(o, p, g, s):
        s["v"] = o.momentum * _fresh(s, "v", p) + (1 - o.dampening) * g
        return s["v"]

    return _sgd(params, lr, velocity=velocity, **options)


@misconception(
    "SGD",
    hint="Dampening never enters: the new gradient's share of the velocity is 1 − dampening.",
)
def ignores_dampening(params, lr, dampening=0.0, **options):
    return _sgd(params, lr, dampening=0.0, **options)


@misconception(
    "SGD",
    hint="Whether this is the first step is remembered once for the whole optimizer. A parameter "
    "whose gradient comes later has its own first step: look whether *it* has a velocity.",
)
def one_first_step_for_all(params, lr, **options):
    def velocity(o, p, g, s):
        s["v"] = g.clone() if o.young else o.momentum * _fresh(s, "v", p) + (1 - o.dampening) * g
        return s["v"]

    optimizer = _sgd(params, lr, velocity=velocity, **options)
    optimizer.young, step = True, optimizer.step

    def step_and_age():
        step()
        optimizer.young = False

    optimizer.step = step_and_age
    return optimizer


@misconception(
    "SGD",
    hint="The decay is applied to p after the step, and never reaches the velocity. For torch's "
    "SGD weight decay is L2: λp is part of the gradient, from the first line on.",
)
def decay_after_the_step(params, lr, **options):
    def move(o, p, d):
        p.sub_(o.lr * d)
        p.mul_(1 - o.lr * o.weight_decay)

    return _sgd(params, lr, gradient=lambda o, p, g: g, move=move, **options)


@misconception(
    "SGD",
    hint="You shrink p beside the velocity. Without momentum that is the same as L2, with momentum "
    "it is not: λp belongs into the gradient, so that the velocity holds it.",
)
def decay_beside_the_velocity(params, lr, **options):
    def move(o, p, d):
        p.mul_(1 - o.lr * o.weight_decay)
        p.sub_(o.lr * d)

    return _sgd(params, lr, gradient=lambda o, p, g: g, move=move, **options)


@misconception(
    "SGD",
    hint="You multiply p by 1 − λ. The step of ½λp² is −lr·λp: the learning rate belongs to it, "
    "and λp belongs into the gradient.",
)
def decay_without_lr(params, lr, **options):
    def move(o, p, d):
        p.mul_(1 - o.weight_decay)
        p.sub_(o.lr * d)

    return _sgd(params, lr, gradient=lambda o, p, g: g, move=move, **options)


@misconception(
    "SGD",
    hint="Your decay has the wrong sign and makes weights grow: the gradient of ½λp² is +λp.",
)
def decay_with_wrong_sign(params, lr, **options):
    return _sgd(params, lr, gradient=lambda o, p, g: g - o.weight_decay * p, **options)


@misconception(
    "SGD",
    hint="Weight decay never enters: λp is to be added to the gradient.",
)
def ignores_weight_decay(params, lr, **options):
    return _sgd(params, lr, gradient=lambda o, p, g: g, **options)


@misconception(
    "SGD",
    hint="The learning rate of the first step is used for ever: read self.lr in every step, "
    "because schedules change it.",
)
def keeps_the_first_lr(params, lr, **options):
    return _sgd(params, lr, move=lambda o, p, d: p.sub_(lr * d), **options)


@misconception(
    "SGD",
    hint="Weight decay is added *into* p.grad, in place. Whoever looks at the gradients next (a "
    "log, clipping, another backward pass) finds them changed: make a new tensor, g = g + λp.",
)
def writes_into_the_gradient(params, lr, **options):
    return _sgd(params, lr, gradient=lambda o, p, g: g.add_(o.weight_decay * p), **options)


@misconception(
    "SGD",
    hint="Your first velocity *is* p.grad, the same memory: when the gradient is filled anew, the "
    "velocity changes with it. Keep a clone.",
)
def velocity_is_the_gradient(params, lr, **options):
    def gradient(o, p, g):
        return g + o.weight_decay * p if o.weight_decay else g

    def velocity(o, p, g, s):
        if "v" not in s:
            s["v"] = g
        else:
            s["v"].mul_(o.momentum).add_(g, alpha=1 - o.dampening)
        return s["v"]

    return _sgd(params, lr, gradient=gradient, velocity=velocity, **options)


@misconception(
    "SGD",
    hint="`nesterov` changes nothing. With it the step goes along g + μv, where v holds g already; "
    "with the v from before this step, g + μv is just the usual velocity.",
)
def nesterov_without_effect(params, lr, **options):
    return _sgd(params, lr, direction=lambda o, g, v, old: g + o.momentum * old, **options)


@misconception(
    "SGD",
    hint="Your look ahead starts from v instead of g: the step goes along g + μv, not v + μv.",
)
def nesterov_counts_the_past_twice(params, lr, **options):
    def direction(o, g, v, old):
        return v + o.momentum * v if o.nesterov else v

    return _sgd(params, lr, direction=direction, **options)


@misconception(
    "SGD",
    hint="A gradient of None is taken for zero, so velocity and decay carry the parameter on. "
    "None means that it took no part: leave it alone altogether.",
)
def absent_gradient_is_zero(params, lr, **options):
    return _sgd(params, lr, absent_as_zero=True, **options)


@misconception(
    "SGD",
    hint="You step uphill: the gradient points to where the loss grows, so lr·v is subtracted.",
)
def steps_uphill(params, lr, **options):
    return _sgd(params, lr, move=lambda o, p, d: p.add_(o.lr * d), **options)


@misconception(
    "SGD",
    hint="The new value is put into a new tensor (p = p − …), so the model's own parameter never "
    "moves. Change p in place: p -= …, or p.sub_(…).",
)
def moves_a_new_tensor(params, lr, **options):
    return _sgd(params, lr, move=lambda o, p, d: p - o.lr * d, **options)


@misconception(
    "SGD",
    hint="The velocity is made by torch.zeros(p.shape), so it lies on the CPU wherever p lies. "
    "torch.zeros_like(p) follows p, to a GPU as well.",
)
def state_on_the_default_device(params, lr, **options):
    def velocity(o, p, g, s):
        if "v" not in s:
            s["v"] = torch.zeros(p.shape, dtype=p.dtype)
            s["v"] += g
        else:
            s["v"] = o.momentum * s["v"] + (1 - o.dampening) * g
        return s["v"]

    return _sgd(params, lr, velocity=velocity, **options)


# -- checkpoint: sgd_identities


@misconception(
    "sgd_identities", replaces="decay_factor",
    hint="1 − λ forgets the learning rate: the step of ½λφ² is −η·λφ.",
)
def decay_factor_without_eta(eta, lam):
    return 1 - lam


@misconception(
    "sgd_identities", replaces="decay_factor",
    hint="The derivative of ½λφ² is λφ: the ½ is there to take the 2 away.",
)
def decay_factor_with_two(eta, lam):
    return 1 - 2 * eta * lam


@misconception(
    "sgd_identities", replaces="decay_factor",
    hint="With 1 + ηλ weights would grow: the gradient is subtracted.",
)
def decay_factor_grows(eta, lam):
    return 1 + eta * lam


@misconception(
    "sgd_identities", replaces="decay_factor",
    hint="ηλ is what φ *loses*. What is left, the factor, is one minus that.",
)
def decay_factor_is_the_loss(eta, lam):
    return eta * lam


@misconception(
    "sgd_identities", replaces="velocity_after",
    hint="g/(1 − μ) is the limit for many steps. After t steps the geometric sum has t terms.",
)
def velocity_is_the_limit(g, mu, t):
    return g / (1 - mu)


@misconception(
    "sgd_identities", replaces="velocity_after",
    hint="Your sum has one term too many: v₁ = g, so the last power is μ^(t−1).",
)
def one_term_too_many(g, mu, t):
    return g * (1 - mu ** (t + 1)) / (1 - mu)


@misconception(
    "sgd_identities", replaces="velocity_after",
    hint="(1 − μ^t)·g is the averaging dialect's velocity. In v ← μv + g nothing multiplies the "
    "new gradient by 1 − μ.",
)
def velocity_of_the_average(g, mu, t):
    return g * (1 - mu**t)


@misconception(
    "sgd_identities", replaces="effective_rate",
    hint="Your sum begins with μ. Its first term is 1: the newest gradient counts whole.",
)
def sum_begins_with_mu(eta, mu):
    return eta * mu / (1 - mu)


@misconception(
    "sgd_identities", replaces="effective_rate",
    hint="You multiply by 1 − μ where the sum 1 + μ + μ² + … = 1/(1 − μ) divides by it.",
)
def rate_multiplied(eta, mu):
    return eta * (1 - mu)


@misconception(
    "sgd_identities", replaces="effective_rate",
    hint="That is the sum alone; the step is η times it.",
)
def eta_forgotten(eta, mu):
    return 1 / (1 - mu)


# -- momentum_dialects


@misconception(
    "momentum_dialects",
    hint="You convert the wrong way round: the averaging dialect takes only 1 − μ of each "
    "gradient, so it needs the *larger* rate.",
)
def wrong_way_round(lr, momentum, source, target):
    lr = lr / (1 - momentum) if source == "ema" else lr
    return lr * (1 - momentum) if target == "ema" else lr


@misconception(
    "momentum_dialects",
    hint="You take the rates for equal. Add up what one gradient does over all later steps: in "
    "the averaging dialect it is 1 − μ times as much.",
)
def takes_all_for_equal(lr, momentum, source, target):
    return lr


@misconception(
    "momentum_dialects",
    hint="You divide by μ. What differs is the new gradient's share of the velocity, 1 against "
    "1 − μ.",
)
def divides_by_mu(lr, momentum, source, target):
    lr = lr * momentum if source == "ema" else lr
    return lr / momentum if target == "ema" else lr


@misconception(
    "momentum_dialects",
    hint="You convert the classical dialect like the averaging one. With lr inside the velocity "
    "and constant, nothing changes: the same lr gives the same path as torch's.",
)
def converts_classical_too(lr, momentum, source, target):
    lr = lr * (1 - momentum) if source != "torch" else lr
    return lr / (1 - momentum) if target != "torch" else lr


@misconception(
    "momentum_dialects",
    hint="You look only at `target`: the given lr is one of `source`, and has to be brought into "
    "torch's dialect first.",
)
def ignores_the_source(lr, momentum, source, target):
    return lr / (1 - momentum) if target == "ema" else lr


@misconception(
    "momentum_dialects",
    hint="The classical dialect's minus sign stands inside the velocity; the learning rate itself "
    "stays positive.",
)
def negative_rate_for_classical(lr, momentum, source, target):
    lr = lr * (1 - momentum) if source == "ema" else lr
    lr = lr / (1 - momentum) if target == "ema" else lr
    return -lr if (source == "classical") != (target == "classical") else lr


# -- Adagrad and RMSprop


def _root_then_eps(o: Any, r: torch.Tensor) -> torch.Tensor:
    return r.sqrt() + o.eps


def _add_square(o: Any, r: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
    return r + g * g


def _fading_square(o: Any, r: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
    return o.alpha * r + (1 - o.alpha) * g * g


def _zeros(p: torch.Tensor, g: torch.Tensor) -> torch.Tensor:
    return torch.zeros_like(p)


def _rescaled(
    params: Any,
    lr: float,
    accumulate: Callable,
    eps: float,
    weight_decay: float,
    alpha: float = 0.0,
    *,
    gradient: Callable = _l2,
    denominator: Callable = _root_then_eps,
    start: Callable = _zeros,
    stale: bool = False,
    beside: bool = False,
    absent_as_zero: bool = False,
) -> _Optimizer:
    """Adagrad or RMSprop with one of their rules replaced."""

    def rule(o, p, g, s):
        g = g if beside else gradient(o, p, g)
        r = s.get("r")
        old = start(p, g) if r is None else r
        s["r"] = accumulate(o, old, g)
        if beside:
            p.mul_(1 - o.lr * o.weight_decay)
        p.sub_(o.lr * g / denominator(o, old if stale else s["r"]))

    optimizer = _Optimizer(params, lr, rule, rule if absent_as_zero else None)
    optimizer.eps, optimizer.weight_decay, optimizer.alpha = eps, weight_decay, alpha
    return optimizer


def _adagrad(params, lr=0.01, eps=1e-10, weight_decay=0.0, accumulate=_add_square, **rules):
    return _rescaled(params, lr, accumulate, eps, weight_decay, **rules)


def _rmsprop(
    params, lr=0.01, alpha=0.99, eps=1e-8, weight_decay=0.0, accumulate=_fading_square, **rules
):
    return _rescaled(params, lr, accumulate, eps, weight_decay, alpha, **rules)


def _eps_in_root(o, r):
    return (r + o.eps).sqrt()


def _on_default_device(p, g):
    return torch.zeros(p.shape, dtype=p.dtype)


@misconception(
    "Adagrad",
    hint="eps stands inside the root, where 0.01 acts like 0.1: it belongs after it, √r + eps. "
    "A widely read textbook has it as you do; torch does not.",
)
def adagrad_eps_inside_the_root(params, **options):
    return _adagrad(params, denominator=_eps_in_root, **options)


@misconception(
    "Adagrad",
    hint="You fade the old squares: that is RMSprop. Adagrad adds up, r ← r + g².",
)
def adagrad_forgets(params, **options):
    return _adagrad(params, accumulate=lambda o, r, g: 0.9 * r + 0.1 * g * g, **options)


@misconception(
    "Adagrad",
    hint="You keep one number a tensor, ‖g‖². Adagrad's point is a rate for every *entry*: r has "
    "the shape of p.",
)
def one_rate_per_tensor(params, **options):
    return _adagrad(params, accumulate=lambda o, r, g: r + (g * g).sum(), **options)


@misconception(
    "Adagrad",
    hint="You divide by r, not by its root: g/r has the wrong unit, and shrinks when all "
    "gradients grow.",
)
def adagrad_without_root(params, **options):
    return _adagrad(params, denominator=lambda o, r: r + o.eps, **options)


@misconception(
    "Adagrad",
    hint="You step first and add g² afterwards: the first step is then divided by eps alone. "
    "r takes in this step's gradient before it is used.",
)
def adagrad_accumulates_after_the_step(params, **options):
    return _adagrad(params, stale=True, **options)


@misconception(
    "Adagrad",
    hint="You add up |g|, not g²: under a root that is of the wrong unit.",
)
def adds_sizes_not_squares(params, **options):
    return _adagrad(params, accumulate=lambda o, r, g: r + g.abs(), **options)


@misconception(
    "Adagrad",
    hint="You square the distance from the mean gradient. What is accumulated is plain g², entry "
    "by entry; no mean is subtracted.",
)
def adagrad_distance_from_the_mean(params, **options):
    return _adagrad(params, accumulate=lambda o, r, g: r + (g - g.mean()) ** 2, **options)


@misconception(
    "Adagrad",
    hint="r is overwritten by this step's g² and remembers nothing: add to it.",
)
def adagrad_overwrites(params, **options):
    return _adagrad(params, accumulate=lambda o, r, g: g * g, **options)


@misconception(
    "Adagrad",
    hint="Weight decay never enters: add λp to the gradient before squaring.",
)
def adagrad_ignores_weight_decay(params, **options):
    return _adagrad(params, gradient=lambda o, p, g: g, **options)


@misconception(
    "Adagrad",
    hint="You shrink p beside the step, as AdamW does. In torch's Adagrad λp is part of the "
    "gradient, and is squared and rescaled with it.",
)
def adagrad_decay_beside_the_step(params, **options):
    return _adagrad(params, beside=True, **options)


@misconception(
    "Adagrad",
    hint="A gradient of None is taken for zero, so the parameter still decays. Pass it over.",
)
def adagrad_absent_gradient_is_zero(params, **options):
    return _adagrad(params, absent_as_zero=True, **options)


@misconception(
    "Adagrad",
    hint="r is made by torch.zeros(p.shape), so it lies on the CPU wherever p lies. "
    "torch.zeros_like(p) follows p, to a GPU as well.",
)
def adagrad_state_on_the_default_device(params, **options):
    return _adagrad(params, start=_on_default_device, **options)


@misconception(
    "RMSprop",
    hint="eps stands inside the root, where 0.01 acts like 0.1: it belongs after it, √r + eps.",
)
def rmsprop_eps_inside_the_root(params, **options):
    return _rmsprop(params, denominator=_eps_in_root, **options)


@misconception(
    "RMSprop",
    hint="`r += αr + …` makes r grow by 1 + α in every step (published notes have it so). An "
    "average assigns: r = αr + (1 − α)g².",
)
def adds_the_average_to_itself(params, **options):
    return _rmsprop(
        params, accumulate=lambda o, r, g: r + o.alpha * r + (1 - o.alpha) * g * g, **options
    )


@misconception(
    "RMSprop",
    hint="α and 1 − α are swapped: α (near 1) belongs to the memory, 1 − α to the new square.",
)
def alpha_swapped(params, **options):
    return _rmsprop(
        params, accumulate=lambda o, r, g: (1 - o.alpha) * r + o.alpha * g * g, **options
    )


@misconception(
    "RMSprop",
    hint="Your r never forgets: that is Adagrad. Fade the old value, r ← αr + (1 − α)g².",
)
def rmsprop_never_forgets(params, **options):
    return _rmsprop(params, accumulate=_add_square, **options)


@misconception(
    "RMSprop",
    hint="The old r is not faded by α; only the new square has its 1 − α.",
)
def old_squares_not_faded(params, **options):
    return _rmsprop(params, accumulate=lambda o, r, g: r + (1 - o.alpha) * g * g, **options)


@misconception(
    "RMSprop",
    hint="The new g² enters whole; its share is 1 − α, so that r settles at the mean of g².",
)
def new_square_not_weighted(params, **options):
    return _rmsprop(params, accumulate=lambda o, r, g: o.alpha * r + g * g, **options)


@misconception(
    "RMSprop",
    hint="You average the squared distance from the mean gradient. The second moment is about "
    "zero: plain g², entry by entry.",
)
def rmsprop_distance_from_the_mean(params, **options):
    return _rmsprop(
        params,
        accumulate=lambda o, r, g: o.alpha * r + (1 - o.alpha) * (g - g.mean()) ** 2,
        **options,
    )


@misconception(
    "RMSprop",
    hint="You start r at the first g². RMSprop starts at zero (and does not correct for it).",
)
def starts_at_the_first_square(params, **options):
    return _rmsprop(params, start=lambda p, g: g * g, **options)


@misconception(
    "RMSprop",
    hint="You correct r for its start at zero, as Adam does. RMSprop does not.",
)
def corrects_like_adam(params, lr=0.01, alpha=0.99, eps=1e-8, weight_decay=0.0):
    def rule(o, p, g, s):
        g = g + weight_decay * p
        s["t"] = s.get("t", 0) + 1
        s["r"] = alpha * _fresh(s, "r", p) + (1 - alpha) * g * g
        p.sub_(o.lr * g / ((s["r"] / (1 - alpha ** s["t"])).sqrt() + eps))

    return _Optimizer(params, lr, rule)


@misconception(
    "RMSprop",
    hint="You step first and average afterwards, so each step is divided by the r of the step "
    "before (the first one by eps alone).",
)
def rmsprop_accumulates_after_the_step(params, **options):
    return _rmsprop(params, stale=True, **options)


@misconception(
    "RMSprop",
    hint="Weight decay never enters: add λp to the gradient before squaring.",
)
def rmsprop_ignores_weight_decay(params, **options):
    return _rmsprop(params, gradient=lambda o, p, g: g, **options)


@misconception(
    "RMSprop",
    hint="You shrink p beside the step, as AdamW does. In torch's RMSprop λp is part of the "
    "gradient, and is squared and rescaled with it.",
)
def rmsprop_decay_beside_the_step(params, **options):
    return _rmsprop(params, beside=True, **options)


@misconception(
    "RMSprop",
    hint="A gradient of None is taken for zero: the parameter still decays and its r fades. Pass "
    "it over.",
)
def rmsprop_absent_gradient_is_zero(params, **options):
    return _rmsprop(params, absent_as_zero=True, **options)


@misconception(
    "RMSprop",
    hint="r is made by torch.zeros(p.shape), so it lies on the CPU wherever p lies. "
    "torch.zeros_like(p) follows p, to a GPU as well.",
)
def rmsprop_state_on_the_default_device(params, **options):
    return _rmsprop(params, start=_on_default_device, **options)


# -- checkpoint: bias_of_moments


@misconception(
    "bias_of_moments", replaces="ema_weight",
    hint="g_i has been multiplied by β once for every *later* step: t − i times.",
)
def one_power_too_many(beta, i, t):
    return (1 - beta) * beta ** (t - i + 1)


@misconception(
    "bias_of_moments", replaces="ema_weight",
    hint="The factor 1 − β is missing, with which g_i entered in the first place.",
)
def share_forgotten(beta, i, t):
    return beta ** (t - i)


@misconception(
    "bias_of_moments", replaces="ema_weight",
    hint="β^i would make old gradients count more than new ones: the power is the age, t − i.",
)
def power_of_the_index(beta, i, t):
    return (1 - beta) * beta**i


@misconception(
    "bias_of_moments", replaces="ema_mean",
    hint="1 − β is the weight of the newest gradient alone. Sum the weights of all t of them.",
)
def only_the_newest(beta, t, mean):
    return (1 - beta) * mean


@misconception(
    "bias_of_moments", replaces="ema_mean",
    hint="β^t is what is *missing* from the sum of the weights; the sum is one minus that.",
)
def what_is_missing(beta, t, mean):
    return beta**t * mean


@misconception(
    "bias_of_moments", replaces="ema_mean",
    hint="Your sum has t − 1 terms: count again from i = 1 to i = t.",
)
def one_step_behind(beta, t, mean):
    return (1 - beta ** (t - 1)) * mean


@misconception(
    "bias_of_moments", replaces="ema_mean",
    hint="The average is biased: it starts at 0, and its weights do not add up to 1 yet.",
)
def takes_it_for_unbiased(beta, t, mean):
    return mean


@misconception(
    "bias_of_moments", replaces="bias_corrected",
    hint="You multiply where you should divide: the moment is too small, not too large.",
)
def multiplied(m, beta, t):
    return m * (1 - beta**t)


@misconception(
    "bias_of_moments", replaces="bias_corrected",
    hint="1 − β is right at t = 1 only; the bias fades as t grows.",
)
def corrected_for_the_first_step(m, beta, t):
    return m / (1 - beta)


@misconception(
    "bias_of_moments", replaces="bias_corrected",
    hint="(1 − β)^t and 1 − β^t are different things: the power belongs to β alone.",
)
def power_of_the_difference(m, beta, t):
    return m / (1 - beta) ** t


# -- Adam and AdamW


def _own_count(o: Any, s: dict[str, Any]) -> int:
    s["t"] = s.get("t", 0) + 1
    return s["t"]


def _correct(x: torch.Tensor, beta: float, t: int) -> torch.Tensor:
    return x / (1 - beta**t)


def _corrected_root(o: Any, v: torch.Tensor, beta: float, t: int) -> torch.Tensor:
    return o.correct(v, beta, t).sqrt() + o.eps


def _nothing(o: Any, p: torch.Tensor) -> None:
    return None


def _moments(
    params: Any,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    *,
    into_first: Callable = _l2,
    into_second: Callable = _l2,
    count: Callable = _own_count,
    square: Callable = torch.square,
    blend: Callable = lambda x, beta, new: beta * x + (1 - beta) * new,
    correct: Callable = _correct,
    denominator: Callable = _corrected_root,
    numerator: Callable = lambda o, p, m_hat: m_hat,
    before: Callable = _nothing,
    after: Callable = _nothing,
    start: Callable = torch.zeros_like,
    rate: Callable = lambda o: o.lr,
    absent: Callable | None = None,
) -> _Optimizer:
    """Adam with one of its rules replaced."""
    b1, b2 = betas

    def rule(o, p, g, s):
        if "m" not in s:
            s["m"], s["v"] = start(p), start(p)
        t = count(o, s)
        first, second = into_first(o, p, g), into_second(o, p, g)
        s["m"] = blend(s["m"], b1, first)
        s["v"] = blend(s["v"], b2, square(second))
        before(o, p)
        top = numerator(o, p, correct(s["m"], b1, t))
        p.sub_(rate(o) * top / denominator(o, s["v"], b2, t))
        after(o, p)

    optimizer = _Optimizer(params, lr, rule, rule if absent == "as zero" else absent)
    optimizer.eps, optimizer.weight_decay, optimizer.t = eps, weight_decay, 0
    optimizer.correct = correct
    return optimizer


def _global_count(optimizer: _Optimizer) -> _Optimizer:
    """Counts the optimizer's steps, for all parameters together."""
    step = optimizer.step

    def counted() -> None:
        optimizer.t += 1
        step()

    optimizer.step = counted
    return optimizer


def _uncorrected(x, beta, t):
    return x


def _plain_root(o, v, beta, t):
    return v.sqrt() + o.eps


def _eps_in_corrected_root(o, v, beta, t):
    return (_correct(v, beta, t) + o.eps).sqrt()


def _eps_before_correction(o, v, beta, t):
    return (v.sqrt() + o.eps) / math.sqrt(1 - beta**t)


def _pure(o, p, g):
    return g


def _shrink(o, p):
    p.mul_(1 - o.lr * o.weight_decay)


@misconception(
    "Adam",
    hint="The moments are used uncorrected: in the first steps, both being far too small, their "
    "ratio is off. Divide copies by 1 − β^t.",
)
def no_bias_correction(params, **options):
    return _moments(params, correct=_uncorrected, **options)


@misconception(
    "Adam",
    hint="Only m is corrected. v starts at zero as well, and needs its own 1 − β₂^t.",
)
def corrects_the_first_moment_only(params, **options):
    return _moments(params, denominator=_plain_root, **options)


@misconception(
    "Adam",
    hint="Your t is 0 in the first step: 1 − β⁰ = 0, and 0/0 is NaN. Count first, then correct.",
)
def counts_from_zero(params, **options):
    def count(o, s):
        s["t"] = s.get("t", -1) + 1
        return s["t"]

    return _moments(params, count=count, **options)


@misconception(
    "Adam",
    hint="t stays at 1: every step is corrected like the first. Store the count back into the "
    "state.",
)
def time_stands_still(params, **options):
    return _moments(params, count=lambda o, s: 1, **options)


@misconception(
    "Adam",
    hint="t runs one ahead: it is 2 in the first step. Start from 0 and count once.",
)
def time_runs_ahead(params, **options):
    return _moments(params, count=lambda o, s: _own_count(o, s) + 1, **options)


@misconception(
    "Adam",
    hint="Your count grows with every *tensor*, because it is increased inside the loop over "
    "parameters: the second tensor believes itself a step older. Keep t in each parameter's state.",
)
def counts_tensors(params, **options):
    def count(o, s):
        o.t += 1
        return o.t

    return _moments(params, count=count, **options)


@misconception(
    "Adam",
    hint="One count serves all parameters. A parameter that had no gradient in some steps is "
    "younger than that: t belongs into each parameter's own state.",
)
def one_count_for_all(params, **options):
    return _global_count(_moments(params, count=lambda o, s: o.t, **options))


@misconception(
    "Adam",
    hint="eps stands inside the root. It belongs after it, √v̂ + eps: a size of gradient, not of "
    "its square.",
)
def eps_inside_the_root(params, **options):
    return _moments(params, denominator=_eps_in_corrected_root, **options)


@misconception(
    "Adam",
    hint="eps is added before v is corrected, so it is divided by √(1 − β₂^t) too, and is much "
    "larger in the first steps. Correct v, take the root, then add eps.",
)
def eps_before_the_correction(params, **options):
    return _moments(params, denominator=_eps_before_correction, **options)


@misconception(
    "Adam",
    hint="The corrected moments are stored and fed back into the recursion, so each step corrects "
    "what was corrected already. Correct *copies*.",
)
def feeds_corrected_moments_back(params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
    def rule(o, p, g, s):
        g = g + weight_decay * p
        t = _own_count(o, s)
        s["m"] = _correct(betas[0] * _fresh(s, "m", p) + (1 - betas[0]) * g, betas[0], t)
        s["v"] = _correct(betas[1] * _fresh(s, "v", p) + (1 - betas[1]) * g * g, betas[1], t)
        p.sub_(o.lr * s["m"] / (s["v"].sqrt() + eps))

    return _Optimizer(params, lr, rule)


@misconception(
    "Adam",
    hint="You average (g − mean(g))². v is called a variance at times, but it is the second moment "
    "about zero: plain g².",
)
def squares_the_distance_from_the_mean(params, **options):
    return _moments(params, square=lambda g: (g - g.mean()) ** 2, **options)


@misconception(
    "Adam",
    hint="The betas are swapped: β₁ belongs to the mean of g, β₂ to the mean of g².",
)
def betas_swapped(params, betas=(0.9, 0.999), **options):
    return _moments(params, betas=(betas[1], betas[0]), **options)


@misconception(
    "Adam",
    hint="β and 1 − β are swapped: β (near 1) belongs to the memory, 1 − β to what is new.",
)
def memory_and_news_swapped(params, **options):
    return _moments(params, blend=lambda x, beta, new: (1 - beta) * x + beta * new, **options)


@misconception(
    "Adam",
    hint="`m += β₁m + …` adds the average to itself (published notes have it so). An average "
    "assigns: m = β₁m + (1 − β₁)g.",
)
def adds_the_moments_to_themselves(params, **options):
    return _moments(params, blend=lambda x, beta, new: x + beta * x + (1 - beta) * new, **options)


@misconception(
    "Adam",
    hint="You correct by 1 − β·t instead of 1 − β^t: a power, as each step multiplies by β anew.",
)
def product_instead_of_power(params, **options):
    return _moments(params, correct=lambda x, beta, t: x / (1 - beta * t), **options)


@misconception(
    "Adam",
    hint="You divide by v̂ itself, without the root: then the step has the unit of 1/g.",
)
def no_root(params, **options):
    def denominator(o, v, beta, t):
        return _correct(v, beta, t) + o.eps

    return _moments(params, denominator=denominator, **options)


@misconception(
    "Adam",
    hint="You shrink the weights beside the step: that is AdamW. Here weight decay is L2, so λp is "
    "added to the gradient and runs through both moments.",
)
def decoupled_decay(params, **options):
    return _moments(params, into_first=_pure, into_second=_pure, before=_shrink, **options)


@misconception(
    "Adam",
    hint="λp enters m but not v. It is part of the gradient, and v averages its square.",
)
def decay_in_the_first_moment_only(params, **options):
    return _moments(params, into_second=_pure, **options)


@misconception(
    "Adam",
    hint="Weight decay never enters: add λp to the gradient, before the moments.",
)
def adam_ignores_weight_decay(params, **options):
    return _moments(params, into_first=_pure, into_second=_pure, **options)


@misconception(
    "Adam",
    hint="Your decay has the wrong sign: the gradient of ½λp² is +λp.",
)
def adam_decay_with_wrong_sign(params, **options):
    def grown(o, p, g):
        return g - o.weight_decay * p

    return _moments(params, into_first=grown, into_second=grown, **options)


@misconception(
    "Adam",
    hint="The learning rate of the first step is used for ever: read self.lr in every step.",
)
def adam_keeps_the_first_lr(params, lr=1e-3, **options):
    return _moments(params, lr=lr, rate=lambda o: lr, **options)


@misconception(
    "Adam",
    hint="A gradient of None is taken for zero, so the moments fade and t grows while the "
    "parameter takes no part. Pass it over.",
)
def adam_absent_gradient_is_zero(params, **options):
    return _moments(params, absent="as zero", **options)


@misconception(
    "Adam",
    hint="Weight decay is added *into* p.grad, in place: the gradients are not as they were. Make "
    "a new tensor, g = g + λp.",
)
def adam_writes_into_the_gradient(params, **options):
    return _moments(
        params, into_first=lambda o, p, g: g.add_(o.weight_decay * p), into_second=_pure, **options
    )


@misconception(
    "Adam",
    hint="The moments are made by torch.zeros(p.shape), so they lie on the CPU wherever p lies. "
    "torch.zeros_like(p) follows p, to a GPU as well.",
)
def adam_state_on_the_default_device(params, **options):
    return _moments(params, start=lambda p: torch.zeros(p.shape, dtype=p.dtype), **options)


def _adamw(params, weight_decay=1e-2, into_first=_pure, into_second=_pure, before=_shrink, **rules):
    return _moments(
        params, weight_decay=weight_decay, into_first=into_first, into_second=into_second,
        before=before, **rules,
    )


@misconception(
    "AdamW",
    hint="λp is still in the gradient: that is Adam with L2, where the decay is divided by √v̂. "
    "Decoupled decay multiplies p itself by 1 − lr·λ.",
)
def coupled_l2(params, **options):
    return _adamw(params, into_first=_l2, into_second=_l2, before=_nothing, **options)


@misconception(
    "AdamW",
    hint="Nothing decays: p *= 1 − lr·λ is missing.",
)
def no_decay(params, **options):
    return _adamw(params, before=_nothing, **options)


@misconception(
    "AdamW",
    hint="You multiply by 1 − λ. torch scales the decay by the learning rate, 1 − lr·λ, so that a "
    "schedule lowers both together.",
)
def adamw_decay_without_lr(params, **options):
    return _adamw(params, before=lambda o, p: p.mul_(1 - o.weight_decay), **options)


@misconception(
    "AdamW",
    hint="With 1 + lr·λ the weights grow: decay takes off.",
)
def adamw_decay_with_wrong_sign(params, **options):
    return _adamw(params, before=lambda o, p: p.mul_(1 + o.lr * o.weight_decay), **options)


@misconception(
    "AdamW",
    hint="You decay after the Adam step, and so shrink that very step as well. Shrink p first.",
)
def adamw_decay_after_the_step(params, **options):
    return _adamw(params, before=_nothing, after=_shrink, **options)


@misconception(
    "AdamW",
    hint="λp is added to m̂ inside the fraction and so divided by √v̂, as everything there. "
    "Decoupled means outside: p loses lr·λ·p, undivided.",
)
def decay_inside_the_fraction(params, **options):
    return _adamw(
        params, before=_nothing, numerator=lambda o, p, m: m + o.weight_decay * p, **options
    )


@misconception(
    "AdamW",
    hint="λp goes through the first moment: it is averaged and divided with the gradient. Neither "
    "moment may see the decay.",
)
def decay_through_the_first_moment(params, **options):
    return _adamw(params, into_first=_l2, before=_nothing, **options)


@misconception(
    "AdamW",
    hint="You decay twice: λp in the gradient *and* the shrinking of p. (One published listing "
    "does so.) AdamW has the second only.",
)
def decays_twice(params, **options):
    return _adamw(params, into_first=_l2, into_second=_l2, **options)


@misconception(
    "AdamW",
    hint="You spare vectors from the decay. Sensible, but not the optimizer's business: torch "
    "decays all it is given, and parameter groups say what is given.",
)
def spares_vectors(params, **options):
    return _adamw(params, before=lambda o, p: _shrink(o, p) if p.ndim > 1 else None, **options)


@misconception(
    "AdamW",
    hint="Parameters without a gradient decay as well. torch passes them over altogether.",
)
def decays_without_gradient(params, **options):
    return _adamw(params, absent=lambda o, p, g, s: _shrink(o, p), **options)


@misconception(
    "AdamW",
    hint="The decay always uses the first learning rate: read self.lr in every step.",
)
def decay_keeps_the_first_lr(params, lr=1e-3, **options):
    return _adamw(params, lr=lr, before=lambda o, p: p.mul_(1 - lr * o.weight_decay), **options)


@misconception(
    "AdamW",
    hint="The moments are used uncorrected: divide copies by 1 − β^t, as in Adam.",
)
def adamw_no_bias_correction(params, **options):
    return _adamw(params, correct=_uncorrected, **options)


@misconception(
    "AdamW",
    hint="One count serves all parameters. t belongs into each parameter's own state.",
)
def adamw_one_count_for_all(params, **options):
    return _global_count(_adamw(params, count=lambda o, s: o.t, **options))


@misconception(
    "AdamW",
    hint="eps stands inside the root. It belongs after it: √v̂ + eps.",
)
def adamw_eps_inside_the_root(params, **options):
    return _adamw(params, denominator=_eps_in_corrected_root, **options)


@misconception(
    "AdamW",
    hint="eps is added before v is corrected. Correct v, take the root, then add eps.",
)
def adamw_eps_before_the_correction(params, **options):
    return _adamw(params, denominator=_eps_before_correction, **options)


@misconception(
    "AdamW",
    hint="The moments are made by torch.zeros(p.shape), so they lie on the CPU wherever p lies. "
    "torch.zeros_like(p) follows p, to a GPU as well.",
)
def adamw_state_on_the_default_device(params, **options):
    return _adamw(params, start=lambda p: torch.zeros(p.shape, dtype=p.dtype), **options)


# -- checkpoint: where_decay_goes


@misconception(
    "where_decay_goes", replaces="adam_l2_first_step",
    hint="That is AdamW. In Adam + L2 the λφ is part of the gradient, and is divided with it.",
)
def adam_l2_decoupled(phi, g, eta, lam, eps):
    return (1 - eta * lam) * phi - eta * g / (sympy.Abs(g) + eps)


@misconception(
    "where_decay_goes", replaces="adam_l2_first_step",
    hint="λφ stands on top but not below: √v̂ is the size of the *whole* gradient, g + λφ.",
)
def adam_l2_on_top_only(phi, g, eta, lam, eps):
    return phi - eta * (g + lam * phi) / (sympy.Abs(g) + eps)


@misconception(
    "where_decay_goes", replaces="adam_l2_first_step",
    hint="Where is the decay? The gradient of the loss with ½λφ² is g + λφ.",
)
def adam_without_l2(phi, g, eta, lam, eps):
    return phi - eta * g / (sympy.Abs(g) + eps)


@misconception(
    "where_decay_goes", replaces="adamw_first_step",
    hint="That is Adam + L2. In AdamW only g enters the moments; φ loses ηλφ besides.",
)
def adamw_is_coupled(phi, g, eta, lam, eps):
    h = g + lam * phi
    return phi - eta * h / (sympy.Abs(h) + eps)


@misconception(
    "where_decay_goes", replaces="adamw_first_step",
    hint="Both at once: λφ is in the gradient and taken off besides, so it decays twice.",
)
def adamw_both_at_once(phi, g, eta, lam, eps):
    h = g + lam * phi
    return (1 - eta * lam) * phi - eta * h / (sympy.Abs(h) + eps)


@misconception(
    "where_decay_goes", replaces="adamw_first_step",
    hint="The decay forgets the learning rate: φ loses ηλφ, not λφ.",
)
def adamw_lambda_without_eta(phi, g, eta, lam, eps):
    return (1 - lam) * phi - eta * g / (sympy.Abs(g) + eps)


@misconception(
    "where_decay_goes", replaces="adamw_first_step",
    hint="With +ηλφ the weight grows: decay takes off.",
)
def adamw_plus_sign(phi, g, eta, lam, eps):
    return (1 + eta * lam) * phi - eta * g / (sympy.Abs(g) + eps)


@misconception(
    "where_decay_goes", replaces="adamw_first_step",
    hint="You shrink φ after the step, and the step with it: the factor 1 − ηλ is φ's alone.",
)
def adamw_shrinks_the_step(phi, g, eta, lam, eps):
    return (1 - eta * lam) * (phi - eta * g / (sympy.Abs(g) + eps))


# -- parameter_groups


def _split(parameters, weight_decay, decays):
    parameters = list(parameters)
    return [
        {"params": [p for name, p in parameters if decays(name, p)], "weight_decay": weight_decay},
        {"params": [p for name, p in parameters if not decays(name, p)], "weight_decay": 0.0},
    ]


def _trained(model, **options):
    return [(name, p) for name, p in model.named_parameters(**options) if p.requires_grad]


@misconception(
    "parameter_groups",
    hint="The two groups are swapped: vectors decay and matrices do not.",
)
def groups_swapped(model, weight_decay):
    return _split(_trained(model), weight_decay, lambda name, p: p.ndim < 2)


@misconception(
    "parameter_groups",
    hint="Everything decays, biases and norm parameters too: only what has two or more dimensions "
    "should.",
)
def decays_everything(model, weight_decay):
    return _split(_trained(model), weight_decay, lambda name, p: True)


@misconception(
    "parameter_groups",
    hint="You go by the name 'weight'. A norm's scale has that name too, and a matrix may be "
    "called something else: go by the number of dimensions.",
)
def by_the_name_weight(model, weight_decay):
    return _split(_trained(model), weight_decay, lambda name, p: name.endswith("weight"))


@misconception(
    "parameter_groups",
    hint="You spare biases only. The scale of a normalization is no matrix either: go by the "
    "number of dimensions.",
)
def spares_biases_only(model, weight_decay):
    return _split(_trained(model), weight_decay, lambda name, p: not name.endswith("bias"))


@misconception(
    "parameter_groups",
    hint="Only what decays is handed over: biases and norm parameters are in no group and would "
    "never be trained. Give them a group with weight_decay 0.",
)
def forgets_the_rest(model, weight_decay):
    return _split(_trained(model), weight_decay, lambda name, p: p.ndim >= 2)[:1]


@misconception(
    "parameter_groups",
    hint="A parameter shared by two layers is handed over twice, and would be moved twice a step. "
    "model.parameters() yields it once.",
)
def shared_parameter_twice(model, weight_decay):
    parameters = _trained(model, remove_duplicate=False)
    return _split(parameters, weight_decay, lambda name, p: p.ndim >= 2)


@misconception(
    "parameter_groups",
    hint="You walk over the model's direct children only: what lies deeper, or belongs to the "
    "model itself, is missed. model.parameters() walks all depths.",
)
def direct_children_only(model, weight_decay):
    met, parameters = set(), []
    for child in model.children():
        for name, p in child.named_parameters(recurse=False):
            if p.requires_grad and id(p) not in met:
                met.add(id(p))
                parameters.append((name, p))
    return _split(parameters, weight_decay, lambda name, p: p.ndim >= 2)


@misconception(
    "parameter_groups",
    hint="The second group does not say what its decay is, so it gets the optimizer's default, "
    "which for AdamW is 0.01. Write weight_decay 0.0 into it.",
)
def second_group_says_nothing(model, weight_decay):
    first, second = _split(_trained(model), weight_decay, lambda name, p: p.ndim >= 2)
    return [first, {"params": second["params"]}]


@misconception(
    "parameter_groups",
    hint="Parameters with requires_grad=False are handed over too. They are not trained: leave "
    "them out.",
)
def hands_over_the_frozen(model, weight_decay):
    return _split(model.named_parameters(), weight_decay, lambda name, p: p.ndim >= 2)


# -- clipping


def _norm(gradients):
    return math.sqrt(sum(float((g.double() ** 2).sum()) for g in gradients))


def _scaled_by(factor, returned=_norm):
    """A norm clipping whose factor is worked out by ``factor(gradients, c)``."""

    def clip(params, max_norm):
        gradients = [p.grad for p in params if p.grad is not None]
        before = returned(gradients)
        by = factor(gradients, max_norm)
        for g in gradients:
            g.mul_(by)
        return before

    return clip


@misconception(
    "clip_grad_norm",
    hint="You always rescale, so short gradients are made *longer*. The factor is never more than "
    "1: min(1, c/(‖g‖ + 1e-6)).",
)
def always_rescales(params, max_norm):
    return _scaled_by(lambda gradients, c: c / (_norm(gradients) + 1e-6))(params, max_norm)


@misconception(
    "clip_grad_norm",
    hint="Each tensor is clipped by its own norm, which bends the direction of the whole step. "
    "There is one norm over all parameters, and one factor.",
)
def a_norm_for_each_tensor(params, max_norm):
    gradients = [p.grad for p in params if p.grad is not None]
    norm = _norm(gradients)
    for g in gradients:
        g.mul_(min(1.0, max_norm / (_norm([g]) + 1e-6)))
    return norm


@misconception(
    "clip_grad_norm",
    hint="You divide by the *squared* norm: the root of the sum is missing.",
)
def squared_norm(params, max_norm):
    def squared(gradients):
        return _norm(gradients) ** 2

    clip = _scaled_by(lambda g, c: min(1.0, c / (squared(g) + 1e-6)), squared)
    return clip(params, max_norm)


@misconception(
    "clip_grad_norm",
    hint="The tensors' norms are added. Squares add up, norms do not: take the root of the sum of "
    "all squares.",
)
def adds_the_norms(params, max_norm):
    def total(gradients):
        return sum(_norm([g]) for g in gradients)

    return _scaled_by(lambda g, c: min(1.0, c / (total(g) + 1e-6)), total)(params, max_norm)


@misconception(
    "clip_grad_norm",
    hint="The gradients are right, but you return the norm from after clipping. The one from "
    "before is what one logs: it tells whether clipping was needed.",
)
def returns_the_norm_afterwards(params, max_norm):
    params = list(params)
    _scaled_by(lambda g, c: min(1.0, c / (_norm(g) + 1e-6)))(params, max_norm)
    return _norm([p.grad for p in params if p.grad is not None])


@misconception(
    "clip_grad_norm",
    hint="Your factor is c/‖g‖, without torch's 1e-6 below it. On tiny gradients it shows.",
)
def without_the_small_constant(params, max_norm):
    return _scaled_by(lambda g, c: min(1.0, c / _norm(g)))(params, max_norm)


@misconception(
    "clip_grad_norm",
    hint="You compare with the largest entry. The norm asked for is the Euclidean one.",
)
def largest_entry(params, max_norm):
    def largest(gradients):
        return max(float(g.abs().max()) for g in gradients)

    return _scaled_by(lambda g, c: min(1.0, c / (largest(g) + 1e-6)), largest)(params, max_norm)


@misconception(
    "clip_grad_norm",
    hint="`params` may be a generator, and after the first loop it is empty: the second loop, "
    "which should scale, finds nothing. Make a list of it first.",
)
def walks_a_generator_twice(params, max_norm):
    norm = _norm([p.grad for p in params if p.grad is not None])
    for p in params:
        if p.grad is not None:
            p.grad.mul_(min(1.0, max_norm / (norm + 1e-6)))
    return norm


@misconception(
    "clip_grad_norm",
    hint="You clip each entry: that is clipping by value. Here one common factor keeps the "
    "direction.",
)
def clips_the_values(params, max_norm):
    gradients = [p.grad for p in params if p.grad is not None]
    norm = _norm(gradients)
    for g in gradients:
        g.clamp_(-max_norm, max_norm)
    return norm


@misconception(
    "clip_grad_value",
    hint="Only the upper bound is kept: large negative entries go through. Clip to [−c, c].",
)
def upper_bound_only(params, clip_value):
    for p in params:
        if p.grad is not None:
            p.grad.clamp_(max=clip_value)


@misconception(
    "clip_grad_value",
    hint="The sign is lost: you clip |g|, and negative entries come out positive.",
)
def sign_is_lost(params, clip_value):
    for p in params:
        if p.grad is not None:
            p.grad.abs_().clamp_(max=clip_value)


@misconception(
    "clip_grad_value",
    hint="Entries beyond the limit are set to zero. They should be set *to the limit*, with their "
    "sign.",
)
def drops_what_is_too_large(params, clip_value):
    for p in params:
        if p.grad is not None:
            p.grad.masked_fill_(p.grad.abs() > clip_value, 0.0)


@misconception(
    "clip_grad_value",
    hint="The whole tensor is scaled until its largest entry fits. Clipping by value leaves the "
    "entries inside the limits as they are.",
)
def scales_the_tensor(params, clip_value):
    for p in params:
        if p.grad is not None:
            p.grad.mul_(min(1.0, clip_value / float(p.grad.abs().max())))


@misconception(
    "clip_grad_value",
    hint="You bring the *norm* to the limit. Here every entry is clipped for itself.",
)
def clips_the_norm(params, clip_value):
    _scaled_by(lambda g, c: min(1.0, c / (_norm(g) + 1e-6)))(params, clip_value)


@misconception(
    "clip_grad_value",
    hint="A parameter whose .grad is None stops you. Pass it over.",
)
def no_thought_of_none(params, clip_value):
    for p in params:
        p.grad.clamp_(-clip_value, clip_value)


@misconception(
    "clip_grad_value",
    hint="torch.clamp without the underscore makes a new tensor, which is then dropped: the "
    "gradients are as they were. Use clamp_, or assign to p.grad.",
)
def clamps_a_copy(params, clip_value):
    for p in params:
        if p.grad is not None:
            torch.clamp(p.grad, -clip_value, clip_value)


# -- schedules


@misconception(
    "schedules", replaces="linear_schedule",
    hint="linear: you are a step ahead, η₀ never occurs. At t = 0 the rate is η₀.",
)
def linear_a_step_ahead(t, lr0, lr_end, total):
    done = min((t + 1) / total, 1.0)
    return (1 - done) * lr0 + done * lr_end


@misconception(
    "schedules", replaces="linear_schedule",
    hint="linear: after K steps the line goes on falling, even below zero. Stop at η_K.",
)
def linear_without_end(t, lr0, lr_end, total):
    return (1 - t / total) * lr0 + t / total * lr_end


@misconception(
    "schedules", replaces="linear_schedule",
    hint="linear: each step multiplies the rate *before* it, so the factors compound. The line is "
    "a formula in t and η₀ alone.",
)
def linear_compounds(t, lr0, lr_end, total):
    rate = lr0
    for step in range(1, min(t, total) + 1):
        done = step / total
        rate = (1 - done) * rate + done * lr_end
    return rate


@misconception(
    "schedules", replaces="linear_schedule",
    hint="linear: the two ends are swapped; it begins at η₀.",
)
def linear_backwards(t, lr0, lr_end, total):
    done = min(t / total, 1.0)
    return done * lr0 + (1 - done) * lr_end


@misconception(
    "schedules", replaces="power_schedule",
    hint="power: the exponent is negative already; with another minus sign the rate grows.",
)
def power_grows(t, lr0, scale, power):
    return lr0 * (1 + t / scale) ** -power


@misconception(
    "schedules", replaces="power_schedule",
    hint="power: t is not divided by s, so the fall comes s times too soon.",
)
def power_without_scale(t, lr0, scale, power):
    return lr0 * (1 + t) ** power


@misconception(
    "schedules", replaces="power_schedule",
    hint="power: the 1 + stands outside the power. At t = 0 the rate is η₀·1^c = η₀.",
)
def one_outside_the_power(t, lr0, scale, power):
    return lr0 / (1 + (t / scale) ** -power)


@misconception(
    "schedules", replaces="exponential_schedule",
    hint="exponential: the factor c belongs to s steps together, not to each one: c^(t/s).",
)
def exponential_every_step(t, lr0, factor, scale):
    return lr0 * factor**t


@misconception(
    "schedules", replaces="exponential_schedule",
    hint="exponential: you round t/s down, which makes a staircase. Divide with /, not //.",
)
def exponential_staircase(t, lr0, factor, scale):
    return lr0 * factor ** (t // scale)


@misconception(
    "schedules", replaces="exponential_schedule",
    hint="exponential: e^(−t/s) ignores the factor c; after s steps the rate is c·η₀.",
)
def exponential_of_e(t, lr0, factor, scale):
    return lr0 * math.exp(-t / scale)


@misconception(
    "schedules", replaces="cosine_schedule",
    hint="cosine: a whole wave goes down and up again. From t = 0 to K it is *half* a wave, πt/K.",
)
def cosine_whole_wave(t, lr0, lr_end, total):
    return lr_end + 0.5 * (lr0 - lr_end) * (1 + math.cos(2 * math.pi * min(t, total) / total))


@misconception(
    "schedules", replaces="cosine_schedule",
    hint="cosine: it ends at 0 instead of η_K. Only the difference η₀ − η_K follows the wave.",
)
def cosine_to_zero(t, lr0, lr_end, total):
    return 0.5 * lr0 * (1 + math.cos(math.pi * min(t, total) / total))


@misconception(
    "schedules", replaces="cosine_schedule",
    hint="cosine: the wave has the height η₀ and stands on η_K, so it begins too high. Its height "
    "is η₀ − η_K.",
)
def cosine_too_high(t, lr0, lr_end, total):
    return lr_end + 0.5 * lr0 * (1 + math.cos(math.pi * min(t, total) / total))


@misconception(
    "schedules", replaces="noam_schedule",
    hint="Noam: with the larger of the two branches it falls from far above and then grows for "
    "ever. Take the minimum.",
)
def noam_takes_the_larger(t, d_model, warmup):
    return d_model**-0.5 * max(t**-0.5, t * warmup**-1.5)


@misconception(
    "schedules", replaces="noam_schedule",
    hint="Noam: you are a step ahead. Here t is 1 in the first step already.",
)
def noam_a_step_ahead(t, d_model, warmup):
    return d_model**-0.5 * min((t + 1) ** -0.5, (t + 1) * warmup**-1.5)


@misconception(
    "schedules", replaces="noam_schedule",
    hint="Noam: the two branches do not meet at t = w: the warm-up has the power −3/2, not −1/2.",
)
def noam_branches_do_not_meet(t, d_model, warmup):
    return d_model**-0.5 * min(t**-0.5, t * warmup**-0.5)


@misconception(
    "schedules", replaces="noam_schedule",
    hint="Noam: the factor d^(−1/2) is missing: larger models get smaller rates.",
)
def noam_without_the_width(t, d_model, warmup):
    return min(t**-0.5, t * warmup**-1.5)


# -- bug hunt


@misconception(
    "bug_hunt", replaces="failing_gradients",
    hint="A single gradient convicts neither A nor B: at t = 1 the old r, v and s are zero, and "
    "what is done to them makes no difference. Give several.",
)
def a_single_gradient(bug):
    return torch.ones(1, 3) + torch.arange(3.0)


@misconception(
    "bug_hunt", replaces="failing_gradients",
    hint="On gradients of zero nothing moves, neither in the listing nor in torch: no mistake can "
    "show.",
)
def zero_gradients(bug):
    return torch.zeros(10, 2)


@misconception(
    "bug_hunt", replaces="failing_gradients",
    hint="These entries are so small that eps drowns them: compare them with √r + eps.",
)
def drowned_by_eps(bug):
    return torch.full((15, 2), 1e-7)


@misconception(
    "bug_hunt", replaces="mended_rmsprop",
    hint="Listing A: the old r is added unfaded now. The mended line is r = αr + (1 − α)g².",
)
def r_is_not_faded(gradients, lr=0.1, alpha=0.9, eps=1e-2):
    w, r = torch.zeros_like(gradients[0]), torch.zeros_like(gradients[0])
    for g in gradients:
        r += (1 - alpha) * g * g
        w = w - lr * g / (r.sqrt() + eps)
    return w


@misconception(
    "bug_hunt", replaces="mended_rmsprop",
    hint="Listing A is not mended: `+=` still adds αr to r itself.",
)
def listing_a_unchanged(gradients, lr=0.1, alpha=0.9, eps=1e-2):
    w, r = torch.zeros_like(gradients[0]), torch.zeros_like(gradients[0])
    for g in gradients:
        r += alpha * r + (1 - alpha) * g * g
        w = w - lr * g / (r.sqrt() + eps)
    return w


def _adam_end(gradients, lr, beta1, beta2, eps, v_end, s_end):
    w, v, s = (torch.zeros_like(gradients[0]) for _ in range(3))
    for t, g in enumerate(gradients, start=1):
        v = beta1 * v + (1 - beta1) * g
        s = beta2 * s + (1 - beta2) * g * g
        w = w - lr * v_end(v, t) / (s_end(s, t).sqrt() + eps)
    return w


@misconception(
    "bug_hunt", replaces="mended_adam",
    hint="Listing B: the correction is gone altogether. Keep it, but on copies.",
)
def correction_thrown_out(gradients, lr=0.1, beta1=0.9, beta2=0.99, eps=1e-2):
    return _adam_end(gradients, lr, beta1, beta2, eps, lambda v, t: v, lambda s, t: s)


@misconception(
    "bug_hunt", replaces="mended_adam",
    hint="Listing B is mended for v only: s is still fed back corrected.",
)
def second_moment_still_fed_back(gradients, lr=0.1, beta1=0.9, beta2=0.99, eps=1e-2):
    w, v, s = (torch.zeros_like(gradients[0]) for _ in range(3))
    for t, g in enumerate(gradients, start=1):
        v = beta1 * v + (1 - beta1) * g
        s = (beta2 * s + (1 - beta2) * g * g) / (1 - beta2**t)
        w = w - lr * v / (1 - beta1**t) / (s.sqrt() + eps)
    return w


@misconception(
    "bug_hunt", replaces="mended_adagrad",
    hint="Listing C: it is entry by entry now, but the mean is still subtracted.",
)
def mean_still_subtracted(gradients, lr=0.1, eps=1e-2):
    w, s = torch.zeros_like(gradients[0]), torch.zeros_like(gradients[0])
    for g in gradients:
        s = s + (g - g.mean()) ** 2
        w = w - lr * g / (s.sqrt() + eps)
    return w


@misconception(
    "bug_hunt", replaces="mended_adagrad",
    hint="Listing C: the mean is gone, but all entries still share one sum. Leave .sum() out.",
)
def one_sum_for_all(gradients, lr=0.1, eps=1e-2):
    w, s = torch.zeros_like(gradients[0]), 0.0
    for g in gradients:
        s = s + (g**2).sum()
        w = w - lr * g / (s**0.5 + eps)
    return w


@misconception(
    "bug_hunt", replaces="mended_adagrad",
    hint="Listing C: the in-place sum starts *as* the first gradient's memory, so you change the "
    "gradients that you were given. Start from zeros.",
)
def sum_begins_in_the_gradient(gradients, lr=0.1, eps=1e-2):
    w, s = torch.zeros_like(gradients[0]), None
    for g in gradients:
        kept = g.clone()
        s = g.square_() if s is None else s.add_(g**2)
        w = w - lr * kept / (s.sqrt() + eps)
    return w


# -- break it


@misconception(
    "break_it",
    hint="On gradients of zero Adam + L2 decays too, at its own pace. What robs it of its decay is "
    "a large √v̂.",
)
def no_noise():
    return torch.zeros(60, 3)


@misconception(
    "break_it",
    hint="Your noise is too small: λφ = 0.5 is larger than it, so that the decay still leads in "
    "√v̂. Make it large.",
)
def noise_too_small():
    return torch.ones(60, 3) * (1 - 2 * (torch.arange(60) % 2))[:, None]


@misconception(
    "break_it",
    hint="These gradients have a direction, and both optimizers run along it. Let every column sum "
    "to zero.",
)
def noise_with_a_direction():
    return torch.full((60, 3), 100.0)


@misconception(
    "break_it",
    hint="Too few steps: AdamW takes 2.5 % off in each, so it needs most of the 60.",
)
def too_few_steps():
    return 100.0 * torch.tensor([[1.0], [-1.0]]).repeat(5, 2)


@misconception(
    "break_it",
    hint="First all up, then all down: the columns sum to zero, but Adam follows each half like a "
    "direction. Let the signs alternate.",
)
def first_up_then_down():
    return torch.cat([torch.full((30, 3), 100.0), torch.full((30, 3), -100.0)])
