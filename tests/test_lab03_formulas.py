"""What the prose and the hints of lab 03 state, evaluated and compared with torch.

Each formula is quoted as it stands in the notebook, so that neither can change without the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from tiny import REPOSITORY

from course_utils.ground.cells import source
from course_utils.ground.lab import Lab
from course_utils.ground.solution import solution_namespace
from course_utils.testing.loading import load_module

LAB = Lab.find("lab03_backprop", REPOSITORY)
PROSE = "\n".join(source(cell) for cell in LAB.notebook["cells"] if cell["cell_type"] == "markdown")
HINTS: dict[str, list[str]] = load_module(LAB.test_public).HINTS

Z = torch.linspace(-3, 3, 13, dtype=torch.float64)
Formula = Callable[[], tuple[Any, Any]]


@pytest.fixture(scope="module")
def solution() -> dict[str, Any]:
    return solution_namespace(LAB)


def slope(function: Callable[[torch.Tensor], torch.Tensor], z: torch.Tensor) -> torch.Tensor:
    z = z.clone().requires_grad_()
    return torch.autograd.grad(function(z).sum(), z)[0]


def phi(z: torch.Tensor) -> torch.Tensor:
    return (1 + torch.erf(z / math.sqrt(2))) / 2


def taylor() -> tuple[Any, Any]:
    """Formula (1) for e^(sin x): what is left out is of fourth order."""
    x, h = torch.tensor(0.7, dtype=torch.float64, requires_grad=True), 1e-3
    derivatives = [torch.exp(torch.sin(x))]
    for _ in range(3):
        derivatives += torch.autograd.grad(derivatives[-1], x, create_graph=True)
    f, first, second, third = (d.item() for d in derivatives)
    found = [f + s * h * first + h**2 / 2 * second + s * h**3 / 6 * third for s in (1, -1)]
    return found, [math.exp(math.sin(0.7 + s * h)) for s in (1, -1)]


def neuron() -> tuple[Any, Any]:
    """Step 2: the gradients of ℓ and r."""
    lam = 0.3
    ell, r = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.4, 1.7))
    return [1.0, lam], torch.autograd.grad(ell + lam * r, (ell, r))


def prelu() -> tuple[Any, Any]:
    alpha = 1.4
    found = Z.clamp(min=0) + alpha * Z.clamp(max=0)
    return found, torch.prelu(Z, torch.tensor([alpha], dtype=Z.dtype))


def dual_quotient() -> tuple[Any, Any]:
    """ȧ = q̇b + qḃ, with q̇ from torch's slopes of a quotient."""
    a, b = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (1.3, 0.7))
    a_dot, b_dot, q = 0.4, -1.1, a / b
    in_a, in_b = torch.autograd.grad(q, (a, b))
    q_dot = in_a * a_dot + in_b * b_dot
    return (q_dot * b + q * b_dot).item(), a_dot


def trace_of_f(x1: torch.Tensor, x2: torch.Tensor) -> dict[int, torch.Tensor]:
    """Formula (6)."""
    v = {1: x1, 2: x2}
    v[3], v[4] = v[1] * v[2], torch.sin(v[2])
    v[5] = torch.exp(v[3])
    v[6] = v[3] - v[4]
    v[7] = v[5] + v[6]
    return v


def trace() -> tuple[Any, Any]:
    x1, x2 = torch.tensor(0.6, dtype=torch.float64), torch.tensor(1.2, dtype=torch.float64)
    return trace_of_f(x1, x2)[7], x1 * x2 + torch.exp(x1 * x2) - torch.sin(x2)


def adjoints() -> tuple[Any, Any]:
    """Rule (7) through (6), child by child: v̄₂ is v̄₃v₁ + v̄₄ cos v₂."""
    x1 = torch.tensor(0.6, dtype=torch.float64, requires_grad=True)
    x2 = torch.tensor(1.2, dtype=torch.float64, requires_grad=True)
    v = trace_of_f(x1, x2)
    expected = torch.autograd.grad(v[7], (x1, x2), retain_graph=True)
    bar = {7: 1.0, 6: 1.0, 5: 1.0}
    bar[4] = -bar[6]
    bar[3] = bar[5] * v[5].item() + bar[6]
    bar[2] = bar[3] * v[1].item() + bar[4] * math.cos(v[2].item())
    bar[1] = bar[3] * v[2].item()
    return [bar[1], bar[2]], expected


def layer() -> tuple[Any, Any]:
    """Step 13, as the sums over entries that are printed."""
    rng = np.random.default_rng(0)
    X, W, G = rng.normal(size=(4, 3)), rng.normal(size=(3, 2)), rng.normal(size=(4, 2))
    x, w = torch.tensor(X, requires_grad=True), torch.tensor(W, requires_grad=True)
    in_w, in_x = torch.autograd.grad(x @ w, (w, x), torch.tensor(G))
    W_bar = [[sum(X[i, d] * G[i, k] for i in range(4)) for k in range(2)] for d in range(3)]
    X_bar = [[sum(G[i, k] * W[d, k] for k in range(2)) for d in range(3)] for i in range(4)]
    return [*np.ravel(W_bar), *np.ravel(X_bar)], [*in_w.flatten(), *in_x.flatten()]


FORMULAS: dict[str, Formula] = {
    r"\frac{h^3}{6}\frac{\partial^3 f}{\partial x_i^3}": taylor,
    r"$\bar\ell = 1$ and $\bar r = \lambda$": neuron,
    r"\tanh z = \frac{1 - e^{-2z}}{1 + e^{-2z}}": lambda: (
        (1 - torch.exp(-2 * Z)) / (1 + torch.exp(-2 * Z)), torch.tanh(Z)),
    r"\max(z,0) + \alpha \min(z,0)": prelu,
    r"\mathrm{silu}(z) = z\,\sigma(z)": lambda: (
        Z * torch.sigmoid(Z), torch.nn.functional.silu(Z)),
    r"\Phi(z) = \tfrac12\bigl(1 + \mathrm{erf}(z/\sqrt2)\bigr)": lambda: (
        Z * phi(Z), torch.nn.functional.gelu(Z)),
    r"\tanh(-z) = -\tanh z": lambda: (torch.tanh(-Z), -torch.tanh(Z)),
    r"\tanh z = 2\sigma(2z) - 1": lambda: (2 * torch.sigmoid(2 * Z) - 1, torch.tanh(Z)),
    r"4\,\sigma(2z)\,(1-\sigma(2z))": lambda: (
        4 * torch.sigmoid(2 * Z) * (1 - torch.sigmoid(2 * Z)), slope(torch.tanh, Z)),
    r"\varphi(z) = e^{-z^2/2}/\sqrt{2\pi}": lambda: (
        torch.exp(-(Z**2) / 2) / math.sqrt(2 * math.pi), slope(phi, Z)),
    r"\dot a = \dot q\,b + q\,\dot b": dual_quotient,
    r"v_6 = v_3 - v_4,\quad v_7 = v_5 + v_6": trace,
    r"\sum_{j\,\in\,\mathrm{children}(i)} \bar v_j\,\frac{\partial v_j}{\partial v_i}": adjoints,
    r"\bar W_{dk} = \sum_i X_{id}\,G_{ik}": layer,
    "two million evaluations, *33 minutes*": lambda: (round(2e6 * 1e-3 / 60), 33),
}  # fmt: skip


@pytest.mark.parametrize("quoted", FORMULAS)
def test_formula_holds(quoted: str) -> None:
    assert quoted in PROSE
    found, expected = FORMULAS[quoted]()
    expected = torch.as_tensor(expected, dtype=torch.float64)
    torch.testing.assert_close(
        torch.as_tensor(found, dtype=torch.float64), expected, rtol=1e-10, atol=1e-10
    )


def test_numbers_in_hints(solution: dict[str, Any]) -> None:
    """The last hint of each exercise gives a number: the solution gives it too."""
    s, one = solution, np.array([-1.5])
    x, w = s["Value"](3.0), s["Value"](2.0)
    out = x * x + x
    s["backward"](out)
    product = x * w
    a, b = s["Dual"](3, 1), s["Dual"](2, 5)

    def pair(dual: Any) -> list[float]:
        return [dual.value, dual.dot]

    def f(x1: Any, x2: Any) -> Any:
        return x1 * x2 + s["dual_exp"](x1 * x2) - s["dual_sin"](x2)

    network = [np.array([[2.0]]), np.array([[3.0]])]
    Zs = s["mlp_forward"](np.array([[1.0]]), network, [np.array([0.0]), np.array([1.0])])
    grads_W, grads_b = s["mlp_backward"](np.array([[1.0]]), np.array([[1.0]]), Zs, network)
    layer_grads = s["linear_backward"](
        np.array([[10.0]]), np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]])
    )
    stated: dict[str, list[tuple[Any, Any]]] = {
        "numerical_gradient": [(s["numerical_gradient"](lambda v: v[0] ** 3, one * -4 / 3, 0.5),
                                [12.25])],
        "checkpoint_neuron": [
            (float(s["u_bar"](1, 0.8)), -0.2), (float(s["z_bar"](-0.2, 0.8)), -0.032),
            (float(s["w_bar"](-0.032, 2, 3, 0.1)), 0.536),
        ],
        "neuron_backward": [(s["neuron_backward"](3, -2, 1, 0, 0.1), (1.1672, 0.7437, 0.1437))],
        "activations": [
            (s["tanh"](one), [-0.9051]), (s["relu"](one), [0]), (s["prelu"](one, 0.2), [-0.3]),
            (s["silu"](one), [-0.2736]), (s["gelu"](one), [-0.1002]),
        ],
        "activation_slopes": [
            (s["tanh_slope"](one), [0.1807]), (s["prelu_slopes"](one, 0.2), ([0.2], [-1.5])),
            (s["silu_slope"](one), [-0.0413]), (s["gelu_slope"](one), [-0.1275]),
        ],
        "Dual": [(pair(a * b), [6, 17]), (pair(a / b), [1.5, -3.25]), (pair(a**2), [9, 6]),
                 (pair(1 / b), [0.5, -1.25])],
        "dual_functions": [
            (pair(s["dual_exp"](s["Dual"](0, 3))), [1, 3]),
            (pair(s["dual_log"](s["Dual"](2, 3))), [0.6931, 1.5]),
            (s["forward_gradient"](f, [2.0, 1.0]), [8.389, 16.238]),
        ],
        "checkpoint_adjoints": [(float(s["v3_bar"](2, 3, 4)), 11),
                                (float(s["v2_bar"](11, -3, 2, 0)), 19)],
        "Value": [(product.slopes, (2.0, 3.0)), ((x**3).slopes, (27,))],
        "value_functions": [
            ((s[name](s["Value"](0.5)).data, *s[name](s["Value"](0.5)).slopes), numbers)
            for name, numbers in (("value_exp", (1.6487, 1.6487)),
                                  ("value_sigmoid", (0.6225, 0.2350)),
                                  ("value_tanh", (0.4621, 0.7864)))
        ],
        "backward": [((out.grad, x.grad), (1, 7))],
        "linear_backward": [(layer_grads[0], [[30, 40]]), (layer_grads[1], [[10], [20]]),
                            (layer_grads[2], [10])],
        "mlp_forward": [(Zs[0], [[2]]), (Zs[1], [[3.8921]])],
        "mlp_backward": [(grads_W, ([[0.2120]], [[0.9640]])), (grads_b, ([0.2120], [1.0]))],
    }  # fmt: skip
    for exercise, pairs in stated.items():
        for found, expected in pairs:
            np.testing.assert_allclose(found, expected, atol=6e-4 if "dual_f" in exercise else 6e-5)
            for number in np.abs(np.ravel(expected)):
                assert f"{number:g}" in HINTS[exercise][-1], f"{number:g} is not in {exercise}"
