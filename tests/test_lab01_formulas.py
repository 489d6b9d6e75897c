"""Lab 01: the key formulas of the prose, as it prints them, evaluated and compared with torch."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from tiny import REPOSITORY
from torch.nn import functional

from course_utils.ground.cells import source
from course_utils.ground.lab import Lab

Array = npt.NDArray[np.float64]

# torch's distributions have no types of their own.
_distributions: Any = torch.distributions
Bernoulli, Categorical = _distributions.Bernoulli, _distributions.Categorical
Normal, kl_divergence = _distributions.Normal, _distributions.kl_divergence

RNG = np.random.default_rng(11)
X, W, Y = RNG.normal(size=(6, 3)), RNG.normal(size=3), RNG.normal(size=6)
Z, LABELS = RNG.normal(size=6), np.array([0.0, 1.0, 1.0, 0.0, 1.0, 0.0])
P, Q = (row / row.sum() for row in RNG.uniform(0.1, 1.0, size=(2, 5)))
JOINT = RNG.uniform(0.1, 1.0, size=(3, 4))
JOINT /= JOINT.sum()
SIGMA = 0.7
MU = X @ W


def tensor(values: Array) -> torch.Tensor:
    return torch.tensor(values, requires_grad=True)


def sigmoid(z: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-z)))


def slope(f: Callable[[torch.Tensor], torch.Tensor], at: Array) -> Array:
    x = tensor(at)
    f(x).sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    return np.asarray(x.grad.numpy())


@lru_cache(maxsize=1)
def prose() -> str:
    lab = Lab.find("lab01_likelihood", REPOSITORY)
    texts = (source(cell) for cell in lab.notebook["cells"] if cell["cell_type"] == "markdown")
    return " ".join(" ".join(texts).split())


def squares_slope() -> Array:
    """Formula (4) with ∂L/∂μ of ½ Σ (μ − y)² by torch."""
    outputs = slope(lambda mu: 0.5 * (mu - torch.tensor(Y)).square(), MU)
    return np.array([np.sum(outputs * X[:, k]) for k in range(3)])


S = sigmoid(Z)

# What the prose prints; what it says, evaluated; what torch computes.
FORMULAS: dict[str, tuple[str, Any, Any]] = {
    "mean squared error (1)": (
        r"\mathrm{MSE} = \frac1N \sum_i (o_i - g_i)^2",
        np.sum((MU - Y) ** 2) / 6,
        functional.mse_loss(torch.tensor(MU), torch.tensor(Y)),
    ),
    "Gaussian density (2)": (
        r"p(y_i) = \frac{1}{\sqrt{2\pi\sigma^2}}\, "
        r"\exp\!\Big(-\frac{(y_i - \mu_i)^2}{2\sigma^2}\Big)",
        1 / np.sqrt(2 * np.pi * SIGMA**2) * np.exp(-((Y - MU) ** 2) / (2 * SIGMA**2)),
        Normal(torch.tensor(MU), SIGMA).log_prob(torch.tensor(Y)).exp(),
    ),
    "chain rule through Xw (4)": (
        r"\frac{\partial L}{\partial w_k} = \sum_i \frac{\partial L}{\partial \mu_i}\, X_{ik}",
        squares_slope(),
        slope(lambda w: 0.5 * (torch.tensor(Y) - torch.tensor(X) @ w).square(), W),
    ),
    "sigmoid (6)": (
        r"\sigma(z) = \frac{1}{1 + e^{-z}}", sigmoid(Z), torch.sigmoid(torch.tensor(Z)),
    ),
    "slope of the sigmoid (step 9)": (
        r"$e^{-z}/(1+e^{-z})^2$",
        np.exp(-Z) / (1 + np.exp(-Z)) ** 2, slope(torch.sigmoid, Z),
    ),
    "likelihood of a label (step 10)": (
        r"$P(y) = s^{y} (1-s)^{1-y}$",
        S**LABELS * (1 - S) ** (1 - LABELS),
        Bernoulli(logits=torch.tensor(Z)).log_prob(torch.tensor(LABELS)).exp(),
    ),
    "binary cross-entropy (7)": (
        r"\ell = -y \log s - (1-y) \log (1-s)",
        -LABELS * np.log(S) - (1 - LABELS) * np.log(1 - S),
        functional.binary_cross_entropy_with_logits(
            torch.tensor(Z), torch.tensor(LABELS), reduction="none"
        ),
    ),
    "minus log of a no (step 11)": (
        r"$-\log(1-s) = \log(1 + e^{z})$",
        np.log(1 + np.exp(Z)), -functional.logsigmoid(-torch.tensor(Z)),
    ),
    "minus log of a yes (step 11)": (
        r"it becomes $\log(1 + e^{z}) - z$",
        np.log(1 + np.exp(Z)) - Z, -functional.logsigmoid(torch.tensor(Z)),
    ),
    "slope of log σ (step 13)": (
        r"\dfrac{\partial \log s}{\partial z} = \dfrac1s \cdot \sigma'(z)",
        slope(torch.sigmoid, Z) / S, slope(functional.logsigmoid, Z),
    ),
    "entropy (8)": (
        r"H(p) = -\sum_k p_k \log p_k",
        -np.sum(P * np.log(P)), Categorical(torch.tensor(P)).entropy(),
    ),
    "cross-entropy (8)": (
        r"H(p, q) = -\sum_k p_k \log q_k",
        -np.sum(P * np.log(Q)),
        functional.cross_entropy(torch.tensor(Q).log(), torch.tensor(P)),
    ),
    "divergence": (
        r"is what the wrong expectation costs: the second minus the first",
        -np.sum(P * np.log(Q)) + np.sum(P * np.log(P)),
        kl_divergence(Categorical(torch.tensor(P)), Categorical(torch.tensor(Q))),
    ),
    "mutual information (9)": (
        r"I(x; y) = \sum_{x, y} p(x, y) \log \frac{p(x, y)}{p(x)\, p(y)}",
        np.sum(JOINT * np.log(JOINT / np.outer(JOINT.sum(1), JOINT.sum(0)))),
        kl_divergence(
            Categorical(torch.tensor(JOINT.ravel())),
            Categorical(torch.tensor(np.outer(JOINT.sum(1), JOINT.sum(0)).ravel())),
        ),
    ),
    "two classes (step 18)": (
        r"$e^b/(e^a + e^b)$",
        np.exp(Z[1]) / (np.exp(Z[0]) + np.exp(Z[1])), torch.softmax(torch.tensor(Z[:2]), 0)[1],
    ),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_formula_is_printed_and_true(name: str) -> None:
    printed, value, expected = FORMULAS[name]
    assert " ".join(printed.split()) in prose(), f"the prose no longer says {printed}"
    np.testing.assert_allclose(value, torch.as_tensor(expected).detach().numpy(), rtol=1e-10)


def test_the_three_losses_have_one_form() -> None:
    """ℓ = A(z) − g·z + const (10): the difference to torch's loss is the same at every z."""
    assert r"\ell = A(z) - g \cdot z + \text{const}" in prose()
    assert r"A = \tfrac12 z^2, \quad \log(1 + e^z), \quad \log \sum_j e^{z_j}" in prose()
    z, g, y = torch.tensor(Z), torch.tensor(LABELS), torch.tensor(2.5, dtype=torch.float64)
    gaussian = z**2 / 2 - y * z + Normal(z, 1.0).log_prob(y)
    assert float(gaussian.max() - gaussian.min()) < 1e-12
    bernoulli = torch.log(1 + torch.exp(z)) - g * z + Bernoulli(logits=z).log_prob(g)
    assert float(bernoulli.abs().max()) < 1e-12
    one_hot = functional.one_hot(torch.tensor(4), 6)
    categorical = torch.log(torch.exp(z).sum()) - (one_hot * z).sum()
    np.testing.assert_allclose(categorical, functional.cross_entropy(z, torch.tensor(4)))


def test_gaussian_nll_is_a_constant_and_a_part_by_the_mse() -> None:
    """NLL = constant + c·MSE with c > 0 (step 5), so both order all weights alike."""
    assert r"\mathrm{NLL} = \text{constant} + c\cdot\mathrm{MSE}" in prose()
    weights = torch.tensor(RNG.normal(size=(20, 3)))
    outputs, y = weights @ torch.tensor(X).T, torch.tensor(Y)
    mse = (outputs - y).square().mean(1)
    nll = -Normal(outputs, SIGMA).log_prob(y).sum(1)
    c, constant = np.polyfit(mse.numpy(), nll.numpy(), 1)
    assert c > 0
    np.testing.assert_allclose(nll, constant + c * mse)
    assert torch.equal(mse.argsort(), nll.argsort())


def test_the_opening_tells_the_truth() -> None:
    """A thousand steps with the squared error move the logit nowhere; 21 with the other do."""
    assert "after a thousand steps with learning rate 1 the logit is still −20.00" in prose()
    assert "it is positive after 21 steps" in prose()

    def steps(loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor], count: int) -> float:
        z = torch.tensor(-20.0, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.SGD([z], lr=1.0)
        for _ in range(count):
            optimizer.zero_grad()
            loss(z, torch.ones_like(z)).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        return float(z.detach())

    assert f"{steps(lambda z, y: (torch.sigmoid(z) - y).square(), 1000):.2f}" == "-20.00"
    bce = functional.binary_cross_entropy_with_logits
    assert steps(bce, 20) <= 0 < steps(bce, 21)
