"""Hidden tests of lab 04: other hyperparameters, later starts, real training, statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from course_utils.testing import (
    agree,
    assert_close,
    assert_mean,
    assert_rate,
    exercise,
    follow,
    probe,
    public_tests,
)

public = public_tests(__file__)


def _training(student, name, inputs, targets, weights, lrs, **options):
    """Train a two-layer network with an optimizer in torch's place; the loss before every step."""
    w1, b1, w2 = (torch.nn.Parameter(w.clone()) for w in weights)
    unused = torch.nn.Parameter(torch.ones_like(b1))  # so that its gradient is None
    optimizer = getattr(student, name)([w1, b1, unused, w2], lr=lrs[0], **options)
    losses = []
    for lr in lrs:
        optimizer.lr = lr
        optimizer.zero_grad()
        loss = ((torch.tanh(inputs @ w1 + b1) @ w2 - targets) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    return losses


training = probe(values=True)(_training)


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
    for step, (loss, torch_loss) in enumerate(zip(seen, expected, strict=True), start=1):
        assert_close(loss, torch_loss, name=f"the loss before step {step}", rtol=1e-6)


@pytest.fixture
def many(rng: np.random.Generator, device: torch.device) -> Any:
    """Five tensors of 0 to 3 dimensions, one of which starts late and pauses twice."""
    return public.make_walk(
        rng, device, steps=9, scheduled=True,
        shapes=((2, 3, 2), (4, 1), (), (6,), (3, 5)),
        absent=lambda parameter, step: parameter == 3 and step in (0, 1, 4, 6),
    )


# -- 1 · minibatches


@exercise("minibatches", about="detail", stated="the last batch holds what is left")
@pytest.mark.parametrize(("n", "batch_size"), [(12, 4), (5, 8), (6, 1), (17, 4)])
def test_other_sizes(student, n, batch_size):
    """Whatever n and batch_size, an epoch is every index once, in batches of the right sizes."""
    public.check_sizes(student, n, batch_size, 11)


@probe
def first_batches(student, n, batch_size, seed, count):
    """The first mini-batch of each of some epochs, as a list of indices."""
    generator = torch.Generator().manual_seed(seed)
    epochs = (list(student.minibatches(n, batch_size, generator)) for _ in range(count))
    return [torch.as_tensor(epoch[0]).tolist() for epoch in epochs]


@exercise("minibatches", stated="in a new random order")
def test_every_index_is_as_likely_in_the_first_batch(student, rng):
    """Each index is in the first batch with probability B/n."""
    # Drawn with replacement, an index is in three of four with probability 0.58 instead of 0.75.
    drawn = student.run(first_batches, 4, 3, int(rng.integers(2**31)), 500)
    for index in range(4):
        inside = sum(index in batch for batch in drawn)
        assert_rate(inside, 500, 3 / 4, false_alarm=1e-8)


@exercise("minibatches", stated="in a new random order")
def test_the_gradient_of_a_batch_is_unbiased(student, rng):
    """The mean of the first batch's gradient over many epochs is the whole set's gradient."""
    n, batch = 10, 4
    gradients = rng.normal(size=n)
    gradients[-1] += 100.0  # so that no single batch has the mean of all
    drawn = student.run(first_batches, n, batch, int(rng.integers(2**31)), 1600)
    means = [gradients[indices].mean() for indices in drawn]
    # Without replacement the variance of a batch's mean is σ²/B · (n − B)/(n − 1).
    std = float(gradients.std() * np.sqrt((n - batch) / (n - 1) / batch))
    assert_mean(means, float(gradients.mean()), std, name="the mean gradient", false_alarm=1e-8)


# -- 2, 3 · PlainSGD, Momentum


@exercise("PlainSGD", about="detail", stated="is left alone in that step")
def test_plain_on_many_tensors(student, reference, many):
    """Five tensors of 0 to 3 dimensions that start at other times, at changing rates."""
    follow(student, reference, "PlainSGD", many)


@exercise("PlainSGD", about="detail", stated="p moves by −lr·p.grad")
def test_plain_trains_as_torch_does(student, reference, network):
    """Training a network with it gives torch's losses."""
    drop_in(student, reference, "PlainSGD", network)


@exercise("Momentum", about="detail", stated="is left alone in that step")
def test_momentum_on_many_tensors(student, reference, many, rng):
    """Another momentum, on five tensors that start at other times, at changing rates."""
    follow(student, reference, "Momentum", many, momentum=float(rng.uniform(0.5, 0.95)))


@exercise("Momentum", stated="The velocity v ← momentum·v + p.grad")
def test_momentum_other_shares(student, reference, walk, rng):
    """Other momenta, 0.1 to 0.95."""
    for momentum in (float(rng.uniform(0.1, 0.5)), float(rng.uniform(0.85, 0.95))):
        follow(student, reference, "Momentum", walk, momentum=momentum)


@exercise("Momentum", about="detail", stated="The dialect is torch's")
def test_momentum_trains_as_torch_does(student, reference, network):
    """Training a network with it gives torch's losses."""
    drop_in(student, reference, "Momentum", network, momentum=0.9)


# -- 4 · SGD


@exercise("SGD", stated="the velocity is v ← momentum·v")
def test_sgd_other_momentum(student, reference, walk, rng):
    """Other momenta, 0.1 to 0.95."""
    for momentum in (float(rng.uniform(0.1, 0.5)), float(rng.uniform(0.85, 0.95))):
        follow(student, reference, "SGD", walk, momentum=momentum)


@exercise("SGD", about="detail", stated="v ← momentum·v + (1 − dampening)·g")
def test_sgd_all_options(student, reference, many, rng):
    """Momentum, dampening and weight decay together, on five tensors that start at other times."""
    options = {
        "momentum": float(rng.uniform(0.5, 0.95)),
        "dampening": float(rng.uniform(0.2, 0.6)),
        "weight_decay": float(rng.uniform(0.05, 0.2)),
    }
    follow(student, reference, "SGD", many, **options)


@exercise("SGD", about="detail", stated="with nesterov by −lr·(g + momentum·v)")
def test_sgd_nesterov_and_decay(student, reference, many, rng):
    """Nesterov with weight decay, on five tensors that start at other times."""
    momentum = float(rng.uniform(0.5, 0.95))
    follow(
        student, reference, "SGD", many, momentum=momentum, nesterov=True, weight_decay=0.08
    )


@exercise("SGD", about="detail", stated="The dialect is torch's")
def test_sgd_trains_as_torch_does(student, reference, network):
    """Training a network with it gives torch's losses."""
    drop_in(
        student, reference, "SGD", network, momentum=0.9, nesterov=True, weight_decay=0.05
    )


# -- 5 · checkpoint


@exercise(
    "sgd_identities", part="decay_factor",
    stated="What a step of plain SGD with ½λφ² in the loss multiplies φ by",
)
def test_decay_factor_elsewhere(student, reference, rng):
    """decay_factor holds at other values too."""
    eta, lam = float(rng.uniform(0.01, 0.1)), float(rng.uniform(1.0, 2.0))
    public.check_expression(student, reference, "decay_factor", "eta lam", [eta, lam])


@exercise("sgd_identities", part="velocity_after", stated="v_t when every gradient is g")
def test_velocity_after_elsewhere(student, reference, rng):
    """velocity_after holds at other values too, t = 1 among them."""
    g, mu = -float(rng.uniform(1, 3)), float(rng.uniform(0.6, 0.9))
    for t in (1, 2, 9):
        public.check_expression(student, reference, "velocity_after", "g mu t", [g, mu, t])


@exercise("sgd_identities", part="effective_rate", stated="The limit of η·v_t / g for large t")
def test_effective_rate_elsewhere(student, reference, rng):
    """effective_rate holds at other values too."""
    numbers = [0.3, float(rng.uniform(0.6, 0.9))]
    public.check_expression(student, reference, "effective_rate", "eta mu", numbers)


# -- 6 · momentum_dialects


@exercise("momentum_dialects", stated=public.DIALECTS)
@pytest.mark.parametrize("source", ["torch", "classical", "ema"])
def test_every_pair(student, reference, rng, source):
    """From this dialect into all three, itself among them."""
    lr, mu = float(rng.uniform(0.2, 0.4)), float(rng.uniform(0.6, 0.95))
    for target in ("torch", "classical", "ema"):
        agree(
            student, reference, "momentum_dialects", lr, mu, source, target,
            called=f"the lr from {source} to {target}",
        )


# -- 7, 8 · Adagrad, RMSprop


@exercise("Adagrad", about="detail", stated="r ← r + g² starts from 0")
def test_adagrad_on_many_tensors(student, reference, many, rng):
    """A large eps and weight decay, on five tensors that start at other times."""
    eps, decay = float(rng.uniform(0.05, 0.2)), float(rng.uniform(0.05, 0.2))
    follow(student, reference, "Adagrad", many, eps=eps, weight_decay=decay)


@exercise("Adagrad", about="detail", stated="The dialect is torch's")
def test_adagrad_trains_as_torch_does(student, reference, network):
    """Training a network with it gives torch's losses."""
    drop_in(student, reference, "Adagrad", network, eps=1e-3, weight_decay=0.05)


@exercise("RMSprop", stated="r ← alpha·r + (1 − alpha)·g² starts from 0")
def test_rmsprop_other_memory(student, reference, walk, rng):
    """Other α, from 0.3 to 0.97."""
    for alpha in (float(rng.uniform(0.3, 0.5)), float(rng.uniform(0.9, 0.97))):
        follow(student, reference, "RMSprop", walk, alpha=alpha, eps=public.TINY)


@exercise("RMSprop", about="detail", stated="r ← alpha·r + (1 − alpha)·g² starts from 0")
def test_rmsprop_on_many_tensors(student, reference, many, rng):
    """A large eps, another α and weight decay, on five tensors that start at other times."""
    options = {
        "alpha": float(rng.uniform(0.6, 0.97)),
        "eps": float(rng.uniform(0.03, 0.2)),
        "weight_decay": float(rng.uniform(0.05, 0.2)),
    }
    follow(student, reference, "RMSprop", many, **options)


@exercise("RMSprop", about="detail", stated="The dialect is torch's")
def test_rmsprop_trains_as_torch_does(student, reference, network):
    """Training a network with it gives torch's losses."""
    drop_in(student, reference, "RMSprop", network, alpha=0.9, eps=1e-2, weight_decay=0.05)


# -- 9 · checkpoint


@exercise(
    "bias_of_moments", part="ema_weight", stated="The weight of g_i in m_t, for 1 ≤ i ≤ t"
)
def test_ema_weight_elsewhere(student, reference, rng):
    """ema_weight holds for the first and the last gradient, and at t = 1."""
    beta = float(rng.uniform(0.5, 0.95))
    for i, t in ((1, 1), (1, 6), (6, 6)):
        public.check_expression(student, reference, "ema_weight", "beta i t", [beta, i, t])


@exercise("bias_of_moments", part="ema_mean", stated="E[m_t] when E[g_i] = mean for all i")
def test_ema_mean_elsewhere(student, reference, rng):
    """ema_mean holds for other means, and at t = 1."""
    beta, mean = float(rng.uniform(0.5, 0.95)), -float(rng.uniform(1, 3))
    for t in (1, 2, 8):
        public.check_expression(student, reference, "ema_mean", "beta t mean", [beta, t, mean])


@exercise(
    "bias_of_moments", part="bias_corrected",
    stated="The corrected copy of m = m_t, whose mean is that of the gradients",
)
def test_bias_corrected_elsewhere(student, reference, rng):
    """bias_corrected holds for other means, and at t = 1."""
    beta, mean = float(rng.uniform(0.5, 0.95)), -float(rng.uniform(1, 3))
    for t in (1, 2, 8):
        moment = reference.ema_mean(beta, t, mean)
        seen = student.run(public.expression, "bias_corrected", "m beta t", [moment, beta, t])
        assert_close(seen, mean, name=f"the corrected moment at t = {t}, β = {beta:.3g}")


# -- 10 · Adam


def _adam_options(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "betas": (float(rng.uniform(0.5, 0.9)), float(rng.uniform(0.92, 0.99))),
        "eps": float(rng.uniform(0.02, 0.1)),
        "weight_decay": float(rng.uniform(0.05, 0.2)),
    }


@exercise("Adam", about="detail", stated="t counts the steps of this very parameter")
def test_adam_on_many_tensors(student, reference, many, rng):
    """Other betas, a large eps and weight decay, on five tensors that start at other times."""
    follow(student, reference, "Adam", many, **_adam_options(rng))


@exercise("Adam", stated="p moves by −lr·m̂ / (√v̂ + eps)")
def test_adam_with_first_beta_larger(student, reference, walk):
    """β₁ above β₂, which nobody uses and which tells the two apart."""
    follow(student, reference, "Adam", walk, betas=(0.95, 0.6), eps=public.TINY)


@exercise("Adam", about="detail", stated="The dialect is torch's")
def test_adam_trains_as_torch_does(student, reference, network):
    """Training a network with it gives torch's losses."""
    drop_in(student, reference, "Adam", network, betas=(0.8, 0.95), eps=1e-2, weight_decay=0.05)


# -- 11 · checkpoint


def _check_first_steps(student: Any, reference: Any, rng: Any, name: str) -> None:
    for phi, g, eps in ((2.0, -0.7, 0.1), (-1.5, 0.4, 1.0), (3.0, -2.5, 0.01)):
        numbers = [phi, g, float(rng.uniform(0.1, 0.3)), float(rng.uniform(0.5, 0.9)), eps]
        public.check_expression(student, reference, name, "phi g eta lam eps", numbers)


@exercise(
    "where_decay_goes", part="adam_l2_first_step",
    stated="φ after the first step of Adam with λφ in the gradient",
)
def test_adam_l2_first_step_elsewhere(student, reference, rng):
    """adam_l2_first_step holds for gradients against φ, and for a large eps."""
    _check_first_steps(student, reference, rng, "adam_l2_first_step")


@exercise(
    "where_decay_goes", part="adamw_first_step", stated="φ after the first step of AdamW"
)
def test_adamw_first_step_elsewhere(student, reference, rng):
    """adamw_first_step holds for gradients against φ, and for a large eps."""
    _check_first_steps(student, reference, rng, "adamw_first_step")


# -- 12 · AdamW


@exercise("AdamW", about="detail", stated="is first multiplied by the decay factor of Exercise 5")
def test_adamw_on_many_tensors(student, reference, many, rng):
    """Other betas, a large eps and weight decay, on five tensors that start at other times."""
    follow(student, reference, "AdamW", many, **_adam_options(rng))


@exercise("AdamW", about="detail", stated="weight_decay=1e-2")
def test_adamw_default_decay(student, reference, walk):
    """Without weight_decay given, λ is 0.01, as torch's."""
    follow(student, reference, "AdamW", walk, betas=(0.8, 0.95), eps=public.TINY)


@exercise("AdamW", stated="moments of p.grad alone, corrected copies")
def test_adamw_with_first_beta_larger(student, reference, walk):
    """β₁ above β₂, which nobody uses and which tells the two apart; weight decay 0.2."""
    options = {"betas": (0.95, 0.6), "eps": public.TINY, "weight_decay": 0.2}
    follow(student, reference, "AdamW", walk, **options)


@exercise("AdamW", about="detail", stated="The dialect is torch's")
def test_adamw_trains_as_torch_does(student, reference, network):
    """Training a network with it gives torch's losses."""
    drop_in(student, reference, "AdamW", network, betas=(0.8, 0.95), eps=1e-2, weight_decay=0.2)


# -- 13 · parameter_groups


@exercise("parameter_groups", stated="matrices decay, biases and norm parameters do not")
@pytest.mark.parametrize("kind", ["mlp", "nested"])
def test_groups_other_decay(student, device, rng, kind):
    """The decay that is asked for is the decay that the matrices get."""
    public.check_groups(student, kind, device, float(rng.uniform(0.1, 0.5)))


# -- 14, 15 · clipping


@exercise("clip_grad_norm", stated="All are multiplied by the one factor")
def test_three_parameters(student, reference, rng, device):
    """The norm is taken over all parameters, the factor is one for all, at any limit."""
    row = public.make_walk(rng, device, steps=1, shapes=((2, 5), (3,), (4, 1, 2))).gradients[0]
    for limit in (0.3, 2.0, 500.0):
        public.check_clipping(student, reference, "clip_grad_norm", row, limit)


@exercise("clip_grad_norm", about="detail", stated="The common norm before clipping")
def test_the_norm_of_three(student, reference, rng, device):
    """The norm from before is returned at any limit."""
    row = public.make_walk(rng, device, steps=1, shapes=((2, 5), (3,), (4, 1, 2))).gradients[0]
    for limit in (0.3, 2.0, 500.0):
        public.check_returned_norm(student, reference, row, limit)


@exercise("clip_grad_norm", stated="min(1, c / (norm + 1e-6))")
def test_short_gradients_with_small_limit(student, reference, rng, device):
    """A norm below 1 and a limit below it: what counts is their ratio."""
    gradient = torch.as_tensor(rng.uniform(0.02, 0.05, (3, 3)), device=device)
    public.check_clipping(student, reference, "clip_grad_norm", [gradient, gradient[0]], 0.05)


@exercise("clip_grad_value", stated="every entry of every gradient into [−clip_value, clip_value]")
def test_value_limits(student, reference, rng, device):
    """Entries on both sides, tensors of two dtypes, any limit."""
    row = public.make_walk(rng, device, steps=1, shapes=((2, 5), (7,))).gradients[0]
    for limit in (0.1, 0.9, 3.0):
        public.check_clipping(student, reference, "clip_grad_value", row, limit)


# -- 16 · schedules


@exercise("schedules", part="linear", stated="From lr0 at t = 0 in a straight line to lr_end")
def test_linear_elsewhere(student, reference, rng):
    """linear: it may rise, too."""
    end = float(rng.uniform(0.1, 0.3))
    public.check_curve(student, reference, "linear_schedule", 9, 0.05, end, 9)


@exercise("schedules", part="power", stated="lr0·(1 + t/scale)^power")
def test_power_elsewhere(student, reference, rng):
    """power: other settings."""
    scale = float(rng.uniform(3, 8))
    public.check_curve(student, reference, "power_schedule", 12, 0.3, scale, -1.0)


@exercise("schedules", part="exponential", stated="lr0·factor^(t/scale)")
def test_exponential_elsewhere(student, reference, rng):
    """exponential: other settings."""
    factor = float(rng.uniform(0.45, 0.8))
    public.check_curve(student, reference, "exponential_schedule", 9, 0.3, factor, 7.0)


@exercise("schedules", part="cosine", stated="Half a cosine wave from lr0 at t = 0 to lr_end")
def test_cosine_elsewhere(student, reference, rng):
    """cosine: other settings."""
    end = float(rng.uniform(0.02, 0.1))
    public.check_curve(student, reference, "cosine_schedule", 11, 0.3, end, 11)


@exercise("schedules", part="Noam", stated="d_model^(−1/2)·min(t^(−1/2), t·warmup^(−3/2))")
def test_noam_elsewhere(student, reference, rng):
    """Noam: other settings."""
    warmup = int(rng.integers(2, 9))
    public.check_curve(student, reference, "noam_schedule", 20, 512, warmup, first=1)


# -- 17 · bug hunt


@exercise("bug_hunt", part="mended_rmsprop", stated="it ends where torch's RMSprop ends")
def test_rmsprop_is_mended_elsewhere(student, rng, device):
    """Mended listing A holds at other settings."""
    public.check_mended(student, "rmsprop", rng, device, lr=0.2, alpha=0.6, eps=0.1)


@exercise(
    "bug_hunt", part="mended_rmsprop", about="edge", weight=0.5,
    stated="it ends where torch's RMSprop ends",
)
def test_rmsprop_of_a_single_gradient(student, rng, device):
    """Mended listing A walks along a single gradient as well as along many."""
    public.check_mended(student, "rmsprop", rng, device, steps=1, alpha=0.7)


@exercise("bug_hunt", part="mended_adam", stated="it ends where torch's Adam ends")
def test_adam_is_mended_elsewhere(student, rng, device):
    """Mended listing B holds at other settings."""
    public.check_mended(student, "adam", rng, device, lr=0.2, beta1=0.6, beta2=0.9, eps=0.1)


@exercise(
    "bug_hunt", part="mended_adam", about="edge", weight=0.5,
    stated="it ends where torch's Adam ends",
)
def test_adam_of_a_single_gradient(student, rng, device):
    """Mended listing B walks along a single gradient as well as along many."""
    public.check_mended(student, "adam", rng, device, steps=1, beta1=0.7, beta2=0.9)


@exercise("bug_hunt", part="mended_adagrad", stated="it ends where torch's Adagrad ends")
def test_adagrad_is_mended_elsewhere(student, rng, device):
    """Mended listing C holds at other settings."""
    public.check_mended(student, "adagrad", rng, device, lr=0.2, eps=0.1)


@exercise(
    "bug_hunt", part="mended_adagrad", about="edge", weight=0.5,
    stated="it ends where torch's Adagrad ends",
)
def test_adagrad_of_a_single_gradient(student, rng, device):
    """Mended listing C walks along a single gradient as well as along many."""
    public.check_mended(student, "adagrad", rng, device, steps=1, eps=0.1)


# -- 18 · break it


@exercise("break_it", stated="by at least 0.5 in every coordinate")
def test_apart_in_every_coordinate(student, device):
    """In every coordinate Adam+L2 has kept more of the start than AdamW has."""
    coupled, decoupled = public.ends_apart(
        public.broken_gradients(student, device, torch.float64)
    )
    least = float((coupled - decoupled).min())
    assert least >= 0.5, f"in one coordinate Adam+L2 ends only {least:.3g} above AdamW"
