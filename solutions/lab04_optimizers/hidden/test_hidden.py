"""Hidden tests of lab 04: other hyperparameters, later starts, real training, statistics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from course_utils.plugin import load_module
from course_utils.testing import assert_close, assert_mean, assert_rate, exercise, probe

public = load_module(Path(__file__).resolve().parents[1] / "test_public.py")


def _training(student, name, inputs, targets, weights, lrs, **options):
    """Train a two-layer network with an optimizer in torch's place; the loss before every step."""
    w1, b1, w2 = (torch.nn.Parameter(w.clone()) for w in weights)
    unused = torch.nn.Parameter(torch.ones_like(b1))
    optimizer = getattr(student, name)([w1, b1, unused, w2], lr=lrs[0], **options)
    losses = []
    for lr in lrs:
        optimizer.lr = lr
        optimizer.zero_grad()
        loss = ((torch.tanh(inputs @ w1 + b1) @ w2 - targets) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    return {"losses": losses, "unused": unused.detach().clone()}


training = probe(_training)


@pytest.fixture
def network(rng: np.random.Generator, device: torch.device) -> dict[str, Any]:
    """A small regression and the first weights of a network for it, in float64."""

    def draw(*shape: int) -> torch.Tensor:
        return torch.as_tensor(rng.normal(size=shape), device=device)

    return {
        "inputs": draw(12, 3),
        "targets": draw(12, 2),
        "weights": [draw(3, 5), draw(5), draw(5, 2)],
        "lrs": [0.05, 0.05, 0.1, 0.1, 0.02, 0.02, 0.01],
    }


def drop_in(student: Any, reference: Any, name: str, network: Any, **options: Any) -> None:
    """Assert that training with the student's optimizer gives torch's losses."""
    arguments = [network[key] for key in ("inputs", "targets", "weights", "lrs")]
    seen = student.run(training, name, *arguments, **options)
    expected = _training(reference, name, *arguments, **options)
    assert_close(seen["losses"], expected["losses"], name="the loss", rtol=1e-7)
    assert_close(seen["unused"], expected["unused"], name="a parameter that is not used")


@pytest.fixture
def many(rng: np.random.Generator, device: torch.device) -> Any:
    """Five tensors of 0 to 3 dimensions, one of which starts late and pauses twice."""
    return public.make_walk(
        rng, device, steps=9,
        shapes=((2, 3, 2), (4, 1), (), (6,), (3, 5)),
        absent=lambda parameter, step: parameter == 3 and step in (0, 1, 4, 6),
    )


# -- 1 · minibatches


@exercise("minibatches")
@pytest.mark.parametrize(("n", "batch_size"), [(12, 4), (5, 8), (6, 1), (17, 4)])
def test_other_sizes(student, n, batch_size):
    """Whatever n and batch_size, an epoch is every index once, in batches of the right sizes."""
    facts = student.run(public.minibatch_facts, n, batch_size, 11)
    full, rest = divmod(n, batch_size)
    assert_close(facts["sizes"], [batch_size] * full + [rest] * bool(rest))
    assert all(facts["different indices"])
    assert facts["within 0…n−1"]


@exercise("minibatches")
def test_every_index_is_as_likely_in_the_first_batch(student, rng):
    """Each index is in the first batch with probability B/n."""
    # Drawn with replacement, an index is in three of four with probability 0.58 instead of 0.75.
    drawn = student.run(public.epochs, 4, 3, int(rng.integers(2**31)), 500)
    for index in range(4):
        inside = sum(index in epoch[0] for epoch in drawn)
        assert_rate(inside, 500, 3 / 4, false_alarm=1e-8)


@exercise("minibatches")
def test_the_gradient_of_a_batch_is_unbiased(student, rng):
    """The mean of the first batch's gradient over many epochs is the whole set's gradient."""
    n, batch = 10, 4
    gradients = rng.normal(size=n)
    gradients[-1] += 100.0  # so that no single batch has the mean of all
    drawn = student.run(public.epochs, n, batch, int(rng.integers(2**31)), 400)
    means = [gradients[epoch[0]].mean() for epoch in drawn]
    # Without replacement the variance of a batch's mean is σ²/B · (n − B)/(n − 1).
    std = float(gradients.std() * np.sqrt((n - batch) / (n - 1) / batch))
    assert_mean(means, float(gradients.mean()), std, name="the mean gradient", false_alarm=1e-8)


# -- 2 · SGD


@exercise("SGD")
def test_sgd_all_options(student, reference, many, rng):
    """Momentum, dampening and weight decay together, on five tensors that start at other times."""
    options = {
        "momentum": float(rng.uniform(0.5, 0.95)),
        "dampening": float(rng.uniform(0.2, 0.6)),
        "weight_decay": float(rng.uniform(0.05, 0.2)),
    }
    public.follow(student, reference, "SGD", many, **options)


@exercise("SGD")
def test_sgd_nesterov_and_decay(student, reference, many, rng):
    """Nesterov with weight decay, on five tensors that start at other times."""
    momentum = float(rng.uniform(0.5, 0.95))
    public.follow(
        student, reference, "SGD", many, momentum=momentum, nesterov=True, weight_decay=0.08
    )


@exercise("SGD")
def test_sgd_trains_as_torch_does(student, reference, network):
    """Training a network with it gives torch's losses."""
    drop_in(
        student, reference, "SGD", network, momentum=0.9, nesterov=True, weight_decay=0.05
    )


# -- 3 · checkpoint


@exercise("sgd_identities")
def test_identities_elsewhere(student, reference, rng):
    """The three expressions hold at other values too, t = 1 among them."""
    eta, lam = float(rng.uniform(0.01, 0.1)), float(rng.uniform(1.0, 2.0))
    public.check_expression(student, reference, "decay_factor", "eta lam", [eta, lam])
    g, mu = -float(rng.uniform(1, 3)), float(rng.uniform(0.6, 0.9))
    for t in (1, 2, 9):
        public.check_expression(student, reference, "velocity_after", "g mu t", [g, mu, t])
    public.check_expression(student, reference, "effective_rate", "eta mu", [0.3, mu])


# -- 4 · momentum_dialects


@exercise("momentum_dialects")
@pytest.mark.parametrize("source", ["torch", "classical", "ema"])
def test_every_pair(student, reference, rng, source):
    """From this dialect into all three, itself among them."""
    lr, mu = float(rng.uniform(0.2, 0.4)), float(rng.uniform(0.6, 0.95))
    for target in ("torch", "classical", "ema"):
        seen = student.momentum_dialects(lr, mu, source, target)
        assert_close(seen, reference.momentum_dialects(lr, mu, source, target))


# -- 5, 6 · Adagrad, RMSprop


@exercise("Adagrad")
def test_adagrad_on_many_tensors(student, reference, many, rng):
    """A large eps and weight decay, on five tensors that start at other times."""
    eps, decay = float(rng.uniform(0.05, 0.2)), float(rng.uniform(0.05, 0.2))
    public.follow(student, reference, "Adagrad", many, eps=eps, weight_decay=decay)


@exercise("Adagrad")
def test_adagrad_trains_as_torch_does(student, reference, network):
    """Training a network with it gives torch's losses."""
    drop_in(student, reference, "Adagrad", network, eps=1e-3, weight_decay=0.05)


@exercise("RMSprop")
def test_rmsprop_on_many_tensors(student, reference, many, rng):
    """A large eps, another α and weight decay, on five tensors that start at other times."""
    options = {
        "alpha": float(rng.uniform(0.6, 0.97)),
        "eps": float(rng.uniform(0.03, 0.2)),
        "weight_decay": float(rng.uniform(0.05, 0.2)),
    }
    public.follow(student, reference, "RMSprop", many, **options)


@exercise("RMSprop")
def test_rmsprop_trains_as_torch_does(student, reference, network):
    """Training a network with it gives torch's losses."""
    drop_in(student, reference, "RMSprop", network, alpha=0.9, eps=1e-2, weight_decay=0.05)


# -- 7 · checkpoint


@exercise("bias_of_moments")
def test_bias_elsewhere(student, reference, rng):
    """The expressions hold for the first and the last gradient, and at t = 1."""
    beta = float(rng.uniform(0.5, 0.95))
    for i, t in ((1, 1), (1, 6), (6, 6)):
        public.check_expression(student, reference, "ema_weight", "beta i t", [beta, i, t])
    mean = -float(rng.uniform(1, 3))
    for t in (1, 2, 8):
        public.check_expression(student, reference, "ema_mean", "beta t mean", [beta, t, mean])
        moment = reference.ema_mean(beta, t, mean)
        seen = student.run(public.expression, "bias_corrected", "m beta t", [moment, beta, t])
        assert_close(seen, mean)


# -- 8 · Adam


def _adam_options(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "betas": (float(rng.uniform(0.5, 0.9)), float(rng.uniform(0.92, 0.99))),
        "eps": float(rng.uniform(0.02, 0.1)),
        "weight_decay": float(rng.uniform(0.05, 0.2)),
    }


@exercise("Adam")
def test_adam_on_many_tensors(student, reference, many, rng):
    """Other betas, a large eps and weight decay, on five tensors that start at other times."""
    public.follow(student, reference, "Adam", many, **_adam_options(rng))


@exercise("Adam")
def test_adam_with_first_beta_larger(student, reference, walk):
    """β₁ above β₂, which nobody uses and which tells the two apart."""
    public.follow(student, reference, "Adam", walk, betas=(0.95, 0.6), eps=0.1)


@exercise("Adam")
def test_adam_trains_as_torch_does(student, reference, network):
    """Training a network with it gives torch's losses."""
    drop_in(student, reference, "Adam", network, betas=(0.8, 0.95), eps=1e-2, weight_decay=0.05)


# -- 9 · checkpoint


@exercise("where_decay_goes")
def test_first_steps_elsewhere(student, reference, rng):
    """Both expressions hold where the gradient and φ have opposite signs, and for a large eps."""
    symbols = "phi g eta lam eps"
    for phi, g, eps in ((2.0, -0.7, 0.1), (-1.5, 0.4, 1.0), (3.0, -2.5, 0.01)):
        numbers = [phi, g, float(rng.uniform(0.1, 0.3)), float(rng.uniform(0.5, 0.9)), eps]
        public.check_expression(student, reference, "adam_l2_first_step", symbols, numbers)
        public.check_expression(student, reference, "adamw_first_step", symbols, numbers)


# -- 10 · AdamW


@exercise("AdamW")
def test_adamw_on_many_tensors(student, reference, many, rng):
    """Other betas, a large eps and weight decay, on five tensors that start at other times."""
    public.follow(student, reference, "AdamW", many, **_adam_options(rng))


@exercise("AdamW")
def test_adamw_default_decay(student, reference, walk):
    """Without weight_decay given, λ is 0.01, as torch's."""
    public.follow(student, reference, "AdamW", walk, betas=(0.8, 0.95), eps=1e-2)


@exercise("AdamW")
def test_adamw_trains_as_torch_does(student, reference, network):
    """Training a network with it gives torch's losses."""
    drop_in(student, reference, "AdamW", network, betas=(0.8, 0.95), eps=1e-2, weight_decay=0.2)


# -- 11 · parameter_groups


@exercise("parameter_groups")
@pytest.mark.parametrize("kind", ["mlp", "nested", "tied", "frozen"])
def test_groups_other_decay(student, device, rng, kind):
    """The decay that is asked for is the decay that the matrices get."""
    public.check_groups(student, kind, device, float(rng.uniform(0.1, 0.5)))


# -- 12, 13 · clipping


@exercise("clip_grad_norm")
def test_three_parameters(student, reference, rng, device):
    """The norm is taken over all parameters, the factor is one for all, at any limit."""
    row = public.make_walk(rng, device, steps=1, shapes=((2, 5), (3,), (4, 1, 2))).gradients[0]
    for limit in (0.3, 2.0, 500.0):
        public.check_clipping(student, reference, "clip_grad_norm", [*row, None], limit)


@exercise("clip_grad_norm")
def test_short_gradients_with_small_limit(student, reference, rng, device):
    """A norm below 1 and a limit below it: what counts is their ratio."""
    gradient = torch.as_tensor(rng.uniform(0.02, 0.05, (3, 3)), device=device)
    public.check_clipping(student, reference, "clip_grad_norm", [gradient, gradient[0]], 0.05)


@exercise("clip_grad_value")
def test_value_limits(student, reference, rng, device):
    """Entries on both sides, tensors of two dtypes, any limit."""
    row = public.make_walk(rng, device, steps=1, shapes=((2, 5), (7,))).gradients[0]
    for limit in (0.1, 0.9, 3.0):
        public.check_clipping(student, reference, "clip_grad_value", [None, *row], limit)


# -- 14 · schedules


@exercise("schedules", weight=2.0)
def test_other_settings(student, reference, rng):
    """All five at other settings, rising linear and a constant cosine among them."""
    check = public.check_curve
    check(student, reference, "linear_schedule", 12, 0.05, float(rng.uniform(0.1, 0.3)), 9)
    check(student, reference, "power_schedule", 12, 0.3, float(rng.uniform(3, 8)), -1.0)
    check(student, reference, "exponential_schedule", 9, 0.3, float(rng.uniform(0.45, 0.8)), 7.0)
    check(student, reference, "cosine_schedule", 11, 0.3, float(rng.uniform(0.02, 0.1)), 11)
    check(student, reference, "noam_schedule", 20, 512, int(rng.integers(2, 9)), first=1)


@exercise("schedules")
def test_cosine_stays_down(student, reference):
    """After K steps the cosine schedule stays at its end."""
    end = reference.cosine_schedule(6, 0.2, 0.05, 6)[-1]
    rates = student.run(public.curve, "cosine_schedule", [6, 7, 9, 12, 20], 0.2, 0.05, 6)
    assert_close(rates, [end] * 5, rtol=1e-7)


# -- 15 · bug hunt


@exercise("bug_hunt", forbid=public.OPTIMIZERS)
def test_mended_elsewhere(student, rng, device):
    """The mended listings hold at other settings, and are mended by hand."""
    public.check_mended(student, "rmsprop", rng, device, lr=0.2, alpha=0.6, eps=0.1)
    public.check_mended(student, "adam", rng, device, lr=0.2, beta1=0.6, beta2=0.9, eps=0.1)
    public.check_mended(student, "adagrad", rng, device, lr=0.2, eps=0.1)


@exercise("bug_hunt", weight=0.5)
def test_a_single_gradient_is_enough(student, rng, device):
    """The mended listings walk through a single gradient as well as through many."""
    public.check_mended(student, "rmsprop", rng, device, steps=1, alpha=0.7)
    public.check_mended(student, "adam", rng, device, steps=1, beta1=0.7, beta2=0.9)
    public.check_mended(student, "adagrad", rng, device, steps=1, eps=0.1)


# -- 16 · break it


@exercise("break_it")
def test_apart_in_every_coordinate(student, device):
    """In every coordinate Adam+L2 has kept more of the start than AdamW has."""
    coupled, decoupled = public.ends_apart(
        public.broken_gradients(student, device, torch.float64)
    )
    assert bool((coupled - decoupled >= 0.5).all())
