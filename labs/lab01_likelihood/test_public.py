"""Lab 01, public tests: losses from likelihoods, their gradients, and entropy.

Expected values are torch's own, computed while the test runs. Inputs are drawn afresh from ``rng``.
"""

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Categorical, Normal, kl_divergence
from torch.nn import functional

from course_utils.testing import (
    agree,
    assert_close,
    assert_unmodified,
    central_difference,
    evaluate,
    exercise,
    probe,
)

NO_BUILT_IN = "What computes a whole answer (SciPy, torch, scikit-learn) may not be called"
LEFT_ALONE = "leave their arguments as they were"


class Reference:
    """The oracle: torch, with the exercises' signatures and NumPy arrays in and out."""

    @staticmethod
    def mse_loss(pred, target, reduction="mean"):
        o = torch.tensor(pred)
        return functional.mse_loss(o, torch.tensor(target).view_as(o), reduction=reduction).numpy()

    @staticmethod
    def mse_grad(pred, target, reduction="mean"):
        o = torch.tensor(pred, requires_grad=True)
        functional.mse_loss(o, torch.tensor(target).view_as(o), reduction=reduction).backward()
        return o.grad.numpy()

    @staticmethod
    def gaussian_nll(X, y, w, sigma):
        outputs = Normal(torch.tensor(X) @ torch.tensor(w), sigma)
        return -outputs.log_prob(torch.tensor(y)).sum().numpy()

    @staticmethod
    def linear_regression_fit(X, y):
        A = torch.tensor(np.column_stack([X, np.ones(len(X))]))
        # The driver that allows A to have any rank, and returns the shortest solution.
        solution = torch.linalg.lstsq(A, torch.tensor(y)[:, None], driver="gelsd").solution
        return solution[:-1, 0].numpy(), solution[-1, 0].numpy()

    @staticmethod
    def gradient_descent(loss, w0, lr, steps):
        """The iterates of torch's SGD on a loss that is written in torch."""
        w = torch.tensor(w0, requires_grad=True)
        optimizer, walk = torch.optim.SGD([w], lr=lr), [np.array(w0)]
        for _ in range(steps):
            optimizer.zero_grad()
            loss(w).backward()
            optimizer.step()
            walk.append(w.detach().numpy().copy())
        return np.array(walk)

    @staticmethod
    def sigmoid(z):
        return torch.sigmoid(torch.tensor(z)).numpy()

    @staticmethod
    def sigmoid_grad(z):
        z = torch.tensor(z, requires_grad=True)
        torch.sigmoid(z).sum().backward()
        return z.grad.numpy()

    @staticmethod
    def bce_with_logits(z, y, reduction="mean"):
        return functional.binary_cross_entropy_with_logits(
            torch.tensor(z), torch.tensor(y), reduction=reduction
        ).numpy()

    @staticmethod
    def logistic_regression_grad(X, y, w):
        w = torch.tensor(w, requires_grad=True)
        functional.binary_cross_entropy_with_logits(
            torch.tensor(X) @ w, torch.tensor(y), reduction="sum"
        ).backward()
        return w.grad.numpy()

    @staticmethod
    def entropy(p, unit="nats"):
        return in_unit(torch.special.entr(torch.tensor(p)).sum(-1), unit)

    @staticmethod
    def cross_entropy(p, q, unit="nats"):
        return in_unit(-torch.special.xlogy(torch.tensor(p), torch.tensor(q)).sum(-1), unit)

    @staticmethod
    def kl_divergence(p, q, unit="nats"):
        p, q = (Categorical(probs=torch.tensor(probs)) for probs in (p, q))
        return in_unit(kl_divergence(p, q), unit)

    @staticmethod
    def perplexity(p, q):
        return torch.exp(-torch.special.xlogy(torch.tensor(p), torch.tensor(q)).sum()).numpy()

    @staticmethod
    def mutual_information(joint, unit="nats"):
        joint = torch.tensor(joint)
        parts = (joint.sum(1), joint.sum(0), joint.flatten())
        x, y, both = (torch.special.entr(part).sum() for part in parts)
        return in_unit(x + y - both, unit)


def in_unit(nats, unit):
    """Nats as an array in the unit that was asked for."""
    two = torch.tensor(2.0, dtype=nats.dtype)
    return (nats / torch.log(two) if unit == "bits" else nats).numpy()


# ---------------------------------------------------------------------------------- shared inputs


def away_from_zero(rng, *shape, low=0.4, high=1.6):
    """Random numbers, as many of either sign, none of them near 0: a lost term shows."""
    signs = rng.permutation(np.resize([1.0, -1.0], np.prod(shape))).reshape(shape)
    return signs * rng.uniform(low, high, size=shape)


def distributions(rng, *shape):
    """Random probability distributions along the last axis, far from uniform."""
    weights = rng.permuted(np.broadcast_to(2.0 ** np.arange(shape[-1]), shape), axis=-1)
    weights = weights * rng.uniform(0.8, 1.2, size=shape)
    return weights / weights.sum(axis=-1, keepdims=True)


@pytest.fixture
def regression(rng):
    """Nine examples, three features: X, y and weights that do not fit well."""
    X = away_from_zero(rng, 9, 3)
    w = away_from_zero(rng, 3)
    return X, X @ w + away_from_zero(rng, 9), w


@pytest.fixture
def labelled(rng):
    """Nine examples, three features, labels of both classes, and weights."""
    y = rng.permutation(np.array([0.0, 1.0] * 4 + [1.0]))
    return away_from_zero(rng, 9, 3), y, away_from_zero(rng, 3)


def slopes(f, *points):
    """df/dx of a torch function at (x, other arguments …), for each point."""
    found = []
    for first, *others in points:
        x = torch.tensor(first, dtype=torch.float64, requires_grad=True)
        f(x, *(torch.tensor(other, dtype=torch.float64) for other in others)).backward()
        found.append(float(x.grad))
    return found


# -------------------------------------------------------------------------------------- mse_loss


@exercise("mse_loss", stated="Squared error, formula (1)")
def test_mse_is_a_mean(student, reference, rng):
    """With reduction='mean' it is the mean of (o − g)² over all elements of a table."""
    pred, target = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    agree(student, reference, "mse_loss", pred, target, called="the loss")


@exercise("mse_loss", about="detail", stated='"mean" (over all elements), "sum" or "none"')
def test_mse_summed(student, reference, rng):
    """With reduction='sum' it is the sum."""
    pred, target = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    agree(student, reference, "mse_loss", pred, target, reduction="sum", called="the loss")


@exercise("mse_loss", about="detail", stated='for "none" an array of pred\'s shape')
def test_mse_of_each_element(student, reference, rng):
    """With reduction='none' there is one loss for every element."""
    pred, target = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    agree(student, reference, "mse_loss", pred, target, reduction="none", called="the losses")


@exercise("mse_loss", about="edge", weight=2, stated="(n,) fits a pred of shape (n, 1)")
def test_mse_of_a_column_and_a_vector(student, reference, rng):
    """A prediction of shape (n, 1) and a target of shape (n,) are n pairs, not n²."""
    pred, target = rng.normal(size=(6, 1)), rng.normal(size=6) + 1.0
    agree(student, reference, "mse_loss", pred, target, called="the loss")


@exercise(
    "mse_loss", about="by hand", weight=0.5, stated=NO_BUILT_IN,
    forbid=["torch.nn.functional.mse_loss", "sklearn.metrics.mean_squared_error"],
)  # fmt: skip
def test_mse_by_hand(student, reference, rng):
    """The loss is written by hand."""
    pred, target = rng.normal(size=(4, 2)), rng.normal(size=(4, 2))
    agree(student, reference, "mse_loss", pred, target)


# -------------------------------------------------------------------------------------- mse_grad


@exercise("mse_grad", stated="∂mse_loss/∂pred, step 1")
def test_mse_grad_of_the_mean(student, reference, rng):
    """The slope of the mean over all elements, for a table of outputs."""
    pred, target = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    agree(student, reference, "mse_grad", pred, target, called="the gradient")


@exercise("mse_grad", stated="∂mse_loss/∂pred, step 1")
def test_mse_grad_by_differences(student, rng):
    """It agrees with central differences of torch's loss."""
    pred, target = rng.normal(size=(3, 2)), rng.normal(size=(3, 2))
    expected = central_difference(lambda o: float(Reference.mse_loss(o, target)), pred)
    assert_close(student.mse_grad(pred, target), expected, rtol=1e-6, name="the gradient")


@exercise("mse_grad", about="detail", stated='"mean" (over all elements) or "sum"')
def test_mse_grad_of_the_sum(student, reference, rng):
    """With reduction='sum' nothing is divided by a number of elements."""
    pred, target = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    agree(student, reference, "mse_grad", pred, target, reduction="sum", called="the gradient")


@exercise("mse_grad", about="edge", weight=2, stated="pred, target: as in mse_loss")
def test_mse_grad_of_a_column_and_a_vector(student, reference, rng):
    """For a prediction of shape (n, 1) and a target of shape (n,) there are n slopes."""
    pred, target = rng.normal(size=(6, 1)), rng.normal(size=6) + 1.0
    agree(student, reference, "mse_grad", pred, target, called="the gradient")


# ---------------------------------------------------------------------------------- gaussian_nll


@exercise("gaussian_nll", stated="Negative log-likelihood of linear regression, formula (3)")
def test_gaussian_nll(student, reference, regression):
    """It is minus the log-density of all targets together, σ well away from 1."""
    X, y, w = regression
    for sigma in (0.4, 2.5):
        agree(student, reference, "gaussian_nll", X, y, w, sigma, called="the NLL")


@exercise("gaussian_nll", stated="the part without y included")
def test_gaussian_nll_of_a_perfect_fit(student, reference, regression):
    """Where every prediction is exact, the part without y is left; it may be negative."""
    X, _, w = regression
    for sigma in (0.1, 3.0):
        agree(student, reference, "gaussian_nll", X, X @ w, w, sigma, called="the NLL")


@exercise("gaussian_nll", stated="the sum over the examples")
def test_gaussian_nll_adds_up(student, reference, regression):
    """It is a sum: the NLL of five examples and that of four more make that of all nine."""
    X, y, w = regression
    parts = [student.gaussian_nll(X[rows], y[rows], w, 0.6) for rows in (slice(5), slice(5, 9))]
    assert_close(float(sum(parts)), float(reference.gaussian_nll(X, y, w, 0.6)), name="the NLL")


# ---------------------------------------------------------------------------- checkpoint_nll_mse


@exercise("checkpoint_nll_mse", part="term_slope", stated="∂/∂μ of one example's −log p(y)")
def test_term_slope(student, rng):
    """The slope of one example's −log p(y) with respect to its mean."""
    points = [
        [mu, mu + sign * rng.uniform(0.5, 2), sigma]
        for sign, sigma in ((1, 0.5), (-1, 1.7), (1, 2.5))
        for mu in [rng.normal()]
    ]
    expected = slopes(lambda mu, y, sigma: -Normal(mu, sigma).log_prob(y), *points)
    values = student.run(evaluate, "term_slope", ["mu", "y", "sigma"], points)
    assert_close(values, expected, name="term_slope")


def nll_parts(rng, *settings):
    """(MSE, n, σ) of random targets, and by how much the NLL exceeds that of a perfect fit."""
    points, expected = [], []
    for n, sigma in settings:
        o, g = torch.tensor(rng.normal(size=n)), torch.tensor(rng.normal(size=n) + 1.0)
        nll = -Normal(o, sigma).log_prob(g).sum()
        points.append([float(functional.mse_loss(o, g)), n, sigma])
        expected.append(float(nll + Normal(g, sigma).log_prob(g).sum()))
    return points, expected


@exercise("checkpoint_nll_mse", part="nll_part", stated="c·MSE of step 5")
def test_nll_part(student, rng):
    """What of the NLL depends on the weights, written with the MSE, n and σ."""
    points, expected = nll_parts(rng, (3, 0.4), (7, 1.6), (10, 3.0))
    values = student.run(evaluate, "nll_part", ["mse", "n", "sigma"], points)
    assert_close(values, expected, name="nll_part")


@probe(values=True)
def least_squares_grad(student, X, y, w):
    """The value of least_squares_grad for matrices of numbers."""
    import sympy as sp

    X, y, w = sp.Matrix(X), sp.Matrix(y), sp.Matrix(w)
    result = sp.Matrix(student.least_squares_grad(X, y, w))
    return np.array(result.tolist(), dtype=np.float64)


def least_squares_slopes(X, y, w):
    w = torch.tensor(w[:, None], requires_grad=True)
    (0.5 * (torch.tensor(y[:, None]) - torch.tensor(X) @ w).square().sum()).backward()
    return w.grad.numpy()


@exercise("checkpoint_nll_mse", part="least_squares_grad", stated="∂/∂w of ½‖y − Xw‖², step 6")
def test_least_squares_grad(student, regression):
    """The gradient of ½‖y − Xw‖², a column of the shape of w."""
    X, y, w = regression
    assert_close(
        student.run(least_squares_grad, X, y, w), least_squares_slopes(X, y, w),
        name="the gradient",
    )


@exercise("checkpoint_nll_mse", part="least_squares_grad", stated="∂/∂w of ½‖y − Xw‖², step 6")
def test_least_squares_grad_of_a_square_matrix(student, rng):
    """With as many examples as features, shapes no longer tell X from its transpose."""
    X, y, w = away_from_zero(rng, 3, 3), away_from_zero(rng, 3), away_from_zero(rng, 3)
    X[0, 1], X[1, 0] = 2.0, -1.0
    assert_close(
        student.run(least_squares_grad, X, y, w), least_squares_slopes(X, y, w),
        name="the gradient",
    )


# ------------------------------------------------------------------------- linear_regression_fit


@exercise("linear_regression_fit", stated="The w and b with the smallest sum of squares")
def test_fit(student, reference, regression):
    """w and b are those of torch's least squares, on data with noise."""
    X, y, _ = regression
    agree(student, reference, "linear_regression_fit", X, y + 3.0, called="(w, b)", rtol=1e-6)


@exercise("linear_regression_fit", stated="The w and b with the smallest sum of squares")
def test_fit_of_as_many_examples_as_weights(student, reference, rng):
    """With four examples and four weights every target is met exactly."""
    X = rng.permutation(np.eye(4)[:, :3]) * rng.uniform(1, 2, size=3)
    X, y = X + rng.uniform(-0.1, 0.1, size=(4, 3)), away_from_zero(rng, 4)
    agree(student, reference, "linear_regression_fit", X, y, called="(w, b)", rtol=1e-6)


@exercise("linear_regression_fit", about="edge", stated="features may repeat one another")
def test_fit_with_a_useless_feature(student, reference, regression):
    """A feature that is 0 in every row gets the weight 0, and the rest is fitted."""
    X, y, _ = regression
    X = np.insert(X, 1, 0.0, axis=1)
    agree(student, reference, "linear_regression_fit", X, y, called="(w, b)", rtol=1e-6, atol=1e-9)


@exercise(
    "linear_regression_fit", about="edge",
    stated="for which the sum of the squares of w and b is smallest",
)  # fmt: skip
def test_fit_with_fewer_examples_than_weights(student, reference, rng):
    """With three examples and six weights, of all exact fits the shortest."""
    X, y = away_from_zero(rng, 3, 5), away_from_zero(rng, 3)
    agree(student, reference, "linear_regression_fit", X, y, called="(w, b)", rtol=1e-6, atol=1e-9)


@exercise(
    "linear_regression_fit", about="by hand", weight=0.5, stated=NO_BUILT_IN,
    forbid=["torch.linalg.lstsq", "scipy.linalg.lstsq", "sklearn.linear_model.LinearRegression"],
)  # fmt: skip
def test_fit_by_hand(student, reference, regression):
    """The fit is NumPy's work and your own."""
    X, y, _ = regression
    agree(student, reference, "linear_regression_fit", X, y, rtol=1e-6)


# ------------------------------------------------------------------------------ gradient_descent


@probe(values=True)
def gradient_descent(student, H, b, w0, lr, steps):
    """The student's walk on a bowl with the gradient Hw − b."""
    return student.gradient_descent(lambda w: H @ w - b, w0, lr, steps)


def bowl(rng, d):
    """A random bowl: H, b, and the same as a loss in torch."""
    M = rng.normal(size=(d, d))
    H, b = M @ M.T / d + np.eye(d), away_from_zero(rng, d)
    H_, b_ = torch.tensor(H), torch.tensor(b)
    return H, b, lambda w: 0.5 * w @ H_ @ w - b_ @ w


@exercise("gradient_descent", stated="The iterates of gradient descent, formula (5)")
def test_descent_takes_a_step(student, reference, rng):
    """One step from w0: the walk is w0, and w0 − lr·gradient."""
    H, b, loss = bowl(rng, 3)
    w0 = away_from_zero(rng, 3)
    assert_close(
        student.run(gradient_descent, H, b, w0, 0.3, 1),
        reference.gradient_descent(loss, w0, 0.3, 1),
        name="the walk",
    )


@exercise("gradient_descent", stated="w0 first, then the weights after every update")
def test_descent_takes_many_steps(student, reference, rng):
    """After every one of eight steps the weights are those of torch.optim.SGD."""
    H, b, loss = bowl(rng, 4)
    w0 = away_from_zero(rng, 4)
    assert_close(
        student.run(gradient_descent, H, b, w0, 0.1, 8),
        reference.gradient_descent(loss, w0, 0.1, 8),
        name="the walk",
    )


@exercise("gradient_descent", about="arguments", stated=LEFT_ALONE)
def test_descent_leaves_w0_alone(student, reference, rng):
    """The array w0 is the same after the call."""
    H, b, loss = bowl(rng, 3)
    w0 = away_from_zero(rng, 3)
    assert_close(
        student.run(gradient_descent, H, b, w0, 0.1, 3),
        reference.gradient_descent(loss, w0, 0.1, 3),
    )
    assert_unmodified(student)


# --------------------------------------------------------------------------------------- sigmoid


# Probes have the name of the function that they call: students read it where theirs raises.


@probe
def sigmoid(student, z):
    """What the student's sigmoid returns where every overflow on the way is an error."""
    with np.errstate(over="raise"):
        return student.sigmoid(z)


SIGMOID = ["torch.sigmoid", "torch.nn.functional.sigmoid", "scipy.special.expit"]
ANY_SIZE = "without overflow for logits of any size"


@exercise("sigmoid", part="sigmoid", weight=2, stated="σ(z), formula (6)")
def test_sigmoid(student, reference, rng):
    """σ(z) for logits of either sign, in a table."""
    z = away_from_zero(rng, 3, 4, high=5.0)
    agree(student, reference, "sigmoid", z, called="σ(z)")


@exercise("sigmoid", part="sigmoid", about="edge", stated=ANY_SIZE)
def test_sigmoid_of_large_logits(student, reference, rng):
    """At ±1000 it is 1 and 0, and nothing overflows on the way."""
    z = rng.permutation([-1000.0, 1000.0, -3.0, 0.0, 2.0])
    assert_close(student.run(sigmoid, z), reference.sigmoid(z), name="σ(z)")


@exercise(
    "sigmoid", part="sigmoid", about="by hand", weight=0.5, stated=NO_BUILT_IN, forbid=SIGMOID
)
def test_sigmoid_by_hand(student, reference, rng):
    """The sigmoid is written by hand."""
    z = rng.normal(size=4)
    agree(student, reference, "sigmoid", z)


@exercise("sigmoid", part="sigmoid_grad", weight=2, stated="σ′(z), step 9")
def test_sigmoid_grad(student, reference, rng):
    """σ′(z) at logits of either sign, as autograd has it."""
    z = away_from_zero(rng, 3, 4, high=4.0)
    agree(student, reference, "sigmoid_grad", z, called="σ′(z)")


@exercise("sigmoid", part="sigmoid_grad", about="edge", stated="any shape and any size")
def test_sigmoid_grad_of_large_logits(student, reference, rng):
    """At ±1000 the slope is 0, and it is finite everywhere."""
    z = rng.permutation([-1000.0, 1000.0, -1.0, 0.0, 0.5])
    agree(student, reference, "sigmoid_grad", z, called="σ′(z)")


# ------------------------------------------------------------------------------- bce_with_logits


def logits_and_labels(rng, n):
    """Moderate logits with labels of both classes, the classifier often wrong."""
    return away_from_zero(rng, n, high=3.0), rng.permutation(np.arange(n) % 2).astype(float)


BCE = [
    "torch.nn.functional.binary_cross_entropy_with_logits",
    "torch.nn.functional.binary_cross_entropy", "sklearn.metrics.log_loss",
]  # fmt: skip


@exercise("bce_with_logits", stated="Binary cross-entropy of logits, formula (7)")
def test_bce_of_each_example(student, reference, rng):
    """The loss of every example, for labels 0 and 1 (reduction='none')."""
    z, y = logits_and_labels(rng, 8)
    agree(student, reference, "bce_with_logits", z, y, reduction="none", called="the losses")


@exercise("bce_with_logits", about="detail", stated='"mean" (over all elements), "sum" or "none"')
def test_bce_is_a_mean(student, reference, rng):
    """By default it is the mean over the examples."""
    z, y = logits_and_labels(rng, 8)
    agree(student, reference, "bce_with_logits", z, y, called="the loss")


@exercise("bce_with_logits", about="detail", stated='"mean" (over all elements), "sum" or "none"')
def test_bce_summed(student, reference, rng):
    """With reduction='sum' it is the sum."""
    z, y = logits_and_labels(rng, 8)
    agree(student, reference, "bce_with_logits", z, y, reduction="sum", called="the loss")


@exercise("bce_with_logits", about="edge", stated="stable for logits of any size")
def test_bce_of_hopeless_examples(student, reference, rng):
    """A logit of 800 on the wrong side costs 800, whichever side it is."""
    z = np.array([-800.0, 800.0, 45.0, -45.0]) + rng.uniform(-3, 3, size=4)
    y = np.array([1.0, 0.0, 0.0, 1.0])
    agree(student, reference, "bce_with_logits", z, y, reduction="none", called="the losses")


@exercise("bce_with_logits", about="edge", stated="accurate for tiny losses too")
def test_bce_of_many_tiny_losses(student, reference, rng):
    """In float32, ten thousand losses of 0.00000016 have the right sum."""
    # Here 1 + e^−z lies between two float32 numbers, always nearer to the lower one.
    z = rng.uniform(15.58, 15.70, size=10_000).astype(np.float32)
    y = np.ones_like(z)
    agree(student, reference, "bce_with_logits", z, y, reduction="sum", called="the loss")


@exercise("bce_with_logits", about="edge", stated="0, 1, or a probability between")
def test_bce_of_soft_labels(student, reference, rng):
    """A target may be a probability, 0.3 for instance."""
    z, y = away_from_zero(rng, 6, high=3.0), rng.uniform(0.1, 0.9, size=6)
    agree(student, reference, "bce_with_logits", z, y, reduction="none", called="the losses")


@exercise("bce_with_logits", about="by hand", weight=0.5, stated=NO_BUILT_IN, forbid=BCE)
def test_bce_by_hand(student, reference, rng):
    """The loss is written by hand."""
    z, y = logits_and_labels(rng, 6)
    agree(student, reference, "bce_with_logits", z, y)


# ----------------------------------------------------- the slopes of the two losses (checkpoints)


def probabilities(*logits):
    return [float(torch.sigmoid(torch.tensor(z, dtype=torch.float64))) for z in logits]


def logits_of_both_signs(rng, n=3):
    return [*away_from_zero(rng, n - 1, low=0.5, high=2.5), float(rng.uniform(0.5, 2.0))]


@exercise("checkpoint_bce_slope", part="dlog_yes", stated="∂ log s/∂z, written with s = σ(z)")
def test_dlog_yes(student, rng):
    """The slope of log σ(z), written with s = σ(z)."""
    z = logits_of_both_signs(rng)
    values = student.run(evaluate, "dlog_yes", ["s"], [[s] for s in probabilities(*z)])
    assert_close(values, slopes(functional.logsigmoid, *([x] for x in z)), name="dlog_yes")


@exercise("checkpoint_bce_slope", part="dlog_no", stated="∂ log(1 − s)/∂z, written with s = σ(z)")
def test_dlog_no(student, rng):
    """The slope of log(1 − σ(z)), written with s = σ(z)."""
    z = logits_of_both_signs(rng)
    values = student.run(evaluate, "dlog_no", ["s"], [[s] for s in probabilities(*z)])
    expected = slopes(lambda x: torch.log(1 - torch.sigmoid(x)), *([x] for x in z))
    assert_close(values, expected, name="dlog_no")


@exercise("checkpoint_bce_slope", part="dbce", stated="∂ℓ/∂z of formula (7)")
def test_dbce(student, rng):
    """The slope of the loss, for labels 0 and 1 and one between."""
    z, y = logits_of_both_signs(rng), [0.0, 1.0, float(rng.uniform(0.2, 0.8))]
    points = [[s, label] for s, label in zip(probabilities(*z), y, strict=True)]
    expected = slopes(functional.binary_cross_entropy_with_logits, *zip(z, y, strict=True))
    assert_close(student.run(evaluate, "dbce", ["s", "y"], points), expected, name="dbce")


def squared_error(z, y):
    return functional.mse_loss(torch.sigmoid(z), y)


@exercise("checkpoint_saturation", part="dsquared", stated="∂(s − y)²/∂z, written with s = σ(z)")
def test_dsquared(student, rng):
    """The slope of the squared error in the logit, for labels 0 and 1 and one between."""
    z, y = logits_of_both_signs(rng), [0.0, 1.0, 0.25]
    points = [[s, label] for s, label in zip(probabilities(*z), y, strict=True)]
    expected = slopes(squared_error, *zip(z, y, strict=True))
    assert_close(student.run(evaluate, "dsquared", ["s", "y"], points), expected, name="dsquared")


def ratios(z, y):
    """The slope of the squared error over that of the cross-entropy, both by autograd."""
    points = list(zip(z, y, strict=True))
    squares = slopes(squared_error, *points)
    bces = slopes(functional.binary_cross_entropy_with_logits, *points)
    return [a / b for a, b in zip(squares, bces, strict=True)]


@exercise(
    "checkpoint_saturation", part="slope_ratio",
    stated="The slope of the squared error over that of the cross-entropy",
)  # fmt: skip
def test_slope_ratio(student, rng):
    """The ratio of the two slopes, the same for either label."""
    z = logits_of_both_signs(rng)
    values = student.run(evaluate, "slope_ratio", ["s"], [[s] for s in probabilities(*z)])
    assert_close(values, ratios(z, [0.0, 1.0, 1.0]), name="slope_ratio")


# ---------------------------------------------------------------------- logistic_regression_grad


@exercise("logistic_regression_grad", stated="The gradient in w of the summed cross-entropy")
def test_logistic_grad(student, reference, labelled):
    """The gradient of the summed loss with respect to the weights."""
    agree(student, reference, "logistic_regression_grad", *labelled, called="the gradient")


@exercise("logistic_regression_grad", stated="An array of w's shape")
def test_logistic_grad_of_a_square_matrix(student, reference, rng):
    """With as many examples as features, shapes no longer tell X from its transpose."""
    X, y, w = away_from_zero(rng, 4, 4), rng.permutation([0.0, 1.0, 1.0, 0.0]), rng.normal(size=4)
    X[0, 1], X[1, 0] = 3.0, -1.0
    agree(student, reference, "logistic_regression_grad", X, y, w, called="the gradient")


@exercise("logistic_regression_grad", stated="of the sum over the examples, not of the mean")
def test_logistic_grad_adds_up(student, reference, labelled):
    """It is a sum: the gradients of five examples and of four more make that of all nine."""
    X, y, w = labelled
    parts = [
        student.logistic_regression_grad(X[rows], y[rows], w) for rows in (slice(5), slice(5, 9))
    ]
    assert_close(
        np.add(*parts), reference.logistic_regression_grad(X, y, w), name="the gradient"
    )


@exercise(
    "logistic_regression_grad", about="by hand", weight=0.5, stated=NO_BUILT_IN,
    forbid=["autograd", *BCE],
)  # fmt: skip
def test_logistic_grad_by_hand(student, reference, labelled):
    """The gradient is written by hand, without autograd."""
    agree(student, reference, "logistic_regression_grad", *labelled)


# --------------------------------------------------------------------------------------- entropy

ENTROPY = ["scipy.stats.entropy", "scipy.special.entr", "scipy.special.rel_entr"]
ZERO = "0·log 0 = 0"
UNIT = '"nats" or "bits"'


@exercise("entropy", part="entropy", stated="H(p), formula (8)")
def test_entropy(student, reference, rng):
    """H(p) in nats, for every row of a table of distributions."""
    p = distributions(rng, 3, 4)
    agree(student, reference, "entropy", p, called="H(p)")


@exercise("entropy", part="entropy", about="detail", stated=UNIT)
def test_entropy_in_bits(student, reference, rng):
    """With unit='bits' a fair coin has the entropy 1."""
    p = distributions(rng, 2, 4)
    fair = np.array([0.5, 0.5])
    agree(student, reference, "entropy", fair, unit="bits", called="H")
    agree(student, reference, "entropy", p, unit="bits", called="H(p)")


@exercise("entropy", part="entropy", about="edge", stated=ZERO)
def test_entropy_with_zeros(student, reference, rng):
    """What never happens adds nothing; a certain outcome has the entropy 0."""
    p = np.array([[0.0, 1.0, 0.0], [0.25, 0.0, 0.75]])[:, rng.permutation(3)]
    agree(student, reference, "entropy", p, called="H(p)")


@exercise("entropy", part="cross_entropy", stated="outcomes come from p, expected was q")
def test_cross_entropy(student, reference, rng):
    """H(p, q) in nats, for every row of two tables."""
    p, q = distributions(rng, 3, 4), distributions(rng, 3, 4)[:, ::-1].copy()
    agree(student, reference, "cross_entropy", p, q, called="H(p, q)")


@exercise("entropy", part="cross_entropy", about="detail", stated=UNIT)
def test_cross_entropy_in_bits(student, reference, rng):
    """H(p, q) in bits: the logarithm has base 2."""
    p, q = distributions(rng, 3, 4), distributions(rng, 3, 4)
    agree(student, reference, "cross_entropy", p, q, unit="bits", called="H(p, q)")


@exercise("entropy", part="cross_entropy", about="edge", stated="∞ where q is 0 but p is not")
def test_cross_entropy_with_zeros(student, reference, rng):
    """A q of 0 costs nothing where p is 0 too, and ∞ where it is not."""
    p = np.array([[0.0, 0.4, 0.6], [0.4, 0.6, 0.0], [0.3, 0.3, 0.4]])
    q = np.array([[0.0, 0.7, 0.3], [0.7, 0.2, 0.1], [0.5, 0.0, 0.5]])
    columns = rng.permutation(3)
    p, q = p[:, columns], q[:, columns]
    agree(student, reference, "cross_entropy", p, q, called="H(p, q)")


@exercise(
    "entropy", part="kl_divergence",
    stated="what expecting q costs when outcomes come from p",
)  # fmt: skip
def test_kl_divergence(student, reference, rng):
    """D(p ‖ q) in nats, for every row of two tables."""
    p, q = distributions(rng, 3, 4), np.full((3, 4), 0.25)
    q[1:] = distributions(rng, 2, 4)
    agree(student, reference, "kl_divergence", p, q, called="D(p ‖ q)")


@exercise("entropy", part="kl_divergence", about="detail", stated=UNIT)
def test_kl_divergence_in_bits(student, reference, rng):
    """D(p ‖ q) in bits: the logarithm has base 2."""
    p, q = distributions(rng, 3, 4), np.full((3, 4), 0.25)
    agree(student, reference, "kl_divergence", p, q, unit="bits", called="D(p ‖ q)")


@exercise("entropy", part="kl_divergence", about="edge", stated="p, q: as in cross_entropy")
def test_kl_divergence_with_zeros(student, reference, rng):
    """What never happens adds nothing; ∞ where q excludes what happens."""
    p = np.array([[0.0, 0.4, 0.6], [0.4, 0.6, 0.0], [0.3, 0.3, 0.4]])
    q = np.array([[0.0, 0.7, 0.3], [0.7, 0.2, 0.1], [0.5, 0.0, 0.5]])
    columns = rng.permutation(3)
    p, q = p[:, columns], q[:, columns]
    agree(student, reference, "kl_divergence", p, q, called="D(p ‖ q)")


@exercise(
    "entropy", part="entropy", about="by hand", weight=0.5, stated=NO_BUILT_IN, forbid=ENTROPY
)
def test_entropy_by_hand(student, reference, rng):
    """The entropy is written by hand."""
    p = distributions(rng, 2, 3)
    agree(student, reference, "entropy", p)


# ----------------------------------------------------------------------------------- information


@exercise("information", part="perplexity", stated="The perplexity of the model q")
def test_perplexity(student, reference, rng):
    """The number of equally likely sides that would surprise as much as q does."""
    p, q = distributions(rng, 5), distributions(rng, 5)
    agree(student, reference, "perplexity", p, q, called="the perplexity")


@exercise("information", part="perplexity", stated="K if q is uniform, whatever p is")
def test_perplexity_of_a_fair_die(student, reference, rng):
    """A model that holds six outcomes for equally likely has perplexity 6."""
    p, q = distributions(rng, 6), np.full(6, 1 / 6)
    agree(student, reference, "perplexity", p, q, called="the perplexity")


@exercise("information", part="perplexity", about="edge", stated=ZERO)
def test_perplexity_with_zeros(student, reference, rng):
    """An outcome that neither p nor q allows changes nothing."""
    p, q = np.insert(distributions(rng, 2, 4), 2, 0.0, axis=1)
    agree(student, reference, "perplexity", p, q, called="the perplexity")


@exercise("information", part="mutual_information", stated="I(x; y), formula (9)")
def test_mutual_information(student, reference, rng):
    """I(x; y) in nats, for a joint table of three rows and four columns."""
    joint = distributions(rng, 12).reshape(3, 4)
    agree(student, reference, "mutual_information", joint, called="I(x; y)")


@exercise("information", part="mutual_information", stated="0 if x and y are independent")
def test_mutual_information_of_independent_variables(student, rng):
    """Two independent variables tell nothing about one another."""
    joint = np.outer(distributions(rng, 3), distributions(rng, 4))
    assert_close(student.mutual_information(joint), 0.0, atol=1e-12, name="I(x; y)")


@exercise("information", part="mutual_information", about="detail", stated=UNIT)
def test_mutual_information_in_bits(student, reference, rng):
    """I(x; y) in bits: the logarithm has base 2."""
    joint = distributions(rng, 12).reshape(4, 3)
    agree(student, reference, "mutual_information", joint, unit="bits", called="I(x; y)")


@exercise("information", part="mutual_information", about="edge", stated=ZERO)
def test_mutual_information_with_zeros(student, reference, rng):
    """Pairs that never occur add nothing; if y is a copy of x, I(x; y) is the entropy of x."""
    joint = np.roll(np.diag(distributions(rng, 4)), int(rng.choice([1, 3])), axis=1)
    agree(student, reference, "mutual_information", joint, called="I(x; y)")


# ----------------------------------------------------------------------------- checkpoint_family


@probe
def two_class_logit(student, pairs):
    """The values of two_class_logit at pairs (a, b)."""
    import sympy as sp

    a, b = sp.symbols("a b", real=True)
    expression = sp.sympify(student.two_class_logit(a, b))
    return [float(expression.subs({a: first, b: second})) for first, second in pairs]


@exercise(
    "checkpoint_family", part="two_class_logit",
    stated="The argument of σ in softmax([a, b])_second = σ(…)",
)  # fmt: skip
def test_two_class_logit(student, rng):
    """σ of it is the probability of the second of two classes."""
    pairs = [[float(a), float(a + gap)] for a, gap in zip(rng.normal(size=3), (1.3, -0.7, 2.1),
                                                          strict=True)]  # fmt: skip
    probabilities = torch.softmax(torch.tensor(pairs, dtype=torch.float64), 1)[:, 1]
    values = student.run(two_class_logit, pairs)
    assert_close(values, torch.logit(probabilities).tolist(), name="two_class_logit")


@exercise(
    "checkpoint_family", part="gaussian_slope",
    stated="∂ℓ/∂z of formula (10) for a Gaussian output",
)  # fmt: skip
def test_gaussian_slope(student, rng):
    """The slope for a number with Gaussian noise of standard deviation 1."""
    points = [[float(z), float(z + gap)] for z, gap in zip(away_from_zero(rng, 3), (0.7, -1.2, 2.0),
                                                           strict=True)]  # fmt: skip
    expected = slopes(lambda z, g: -Normal(z, 1.0).log_prob(g), *points)
    values = student.run(evaluate, "gaussian_slope", ["z", "g"], points)
    assert_close(values, expected, name="gaussian_slope")


@exercise(
    "checkpoint_family", part="bernoulli_slope",
    stated="∂ℓ/∂z of formula (10) for a yes or no, written with z and g",
)  # fmt: skip
def test_bernoulli_slope(student, rng):
    """The slope for a yes or no, for both labels."""
    points = [[float(z), g] for z, g in zip(away_from_zero(rng, 3), (0.0, 1.0, 1.0), strict=True)]
    expected = slopes(lambda z, g: -Bernoulli(logits=z).log_prob(g), *points)
    values = student.run(evaluate, "bernoulli_slope", ["z", "g"], points)
    assert_close(values, expected, name="bernoulli_slope")


def categorical_points(rng, classes):
    """(e^z_k, Σ e^z_j, g_k) of a random row of logits for every class k, and its slopes."""
    z = torch.tensor(away_from_zero(rng, classes), requires_grad=True)
    gold = int(rng.integers(classes))
    (-Categorical(logits=z).log_prob(torch.tensor(gold))).backward()
    e = torch.exp(z.detach())
    points = [[float(e[k]), float(e.sum()), float(k == gold)] for k in range(classes)]
    return points, z.grad.tolist()


@exercise(
    "checkpoint_family", part="categorical_slope",
    stated="∂ℓ/∂z_k of formula (10) for a class, written with e_k = e^(z_k)",
)  # fmt: skip
def test_categorical_slope(student, rng):
    """The slope for a class among four, for the gold class and for the others."""
    points, expected = categorical_points(rng, 4)
    values = student.run(evaluate, "categorical_slope", ["e_k", "S", "g_k"], points)
    assert_close(values, expected, name="categorical_slope")


# -------------------------------------------------------------------------------------- break_it


def published_bce(z, y):
    """The loss as it is often typed in, from the probability."""
    with np.errstate(all="ignore"):
        s = 1 / (1 + np.exp(-z))
        return -(y * np.log(s) + (1 - y) * np.log(1 - s))


def as_logit(value):
    """What a student returned, as a number in float64; a sentence where it cannot be one."""
    z = np.asarray(value, dtype=np.float64)
    assert z.size == 1, f"return one number, not {z.size} numbers"
    assert np.isfinite(z).all(), f"{z.item()} is no finite logit: find a number"
    return z.reshape(())


def assert_broken(z, y):
    loss, right = published_bce(z, y), float(Reference.bce_with_logits(z, np.float64(y)))
    assert np.isinf(loss), (
        f"at the logit {z.item():g} with y = {y} the published code gives {loss:.6g}, and the "
        f"true loss is {right:.6g}: find a logit at which it is infinite"
    )


@exercise(
    "break_it", part="lost_yes",
    stated="A finite logit z at which published_bce(z, 1) is infinite (and not NaN)",
)  # fmt: skip
def test_published_code_loses_a_yes(student):
    """At your lost_yes, with y = 1, the published loss is infinite."""
    assert_broken(as_logit(student.lost_yes()), 1)


@exercise(
    "break_it", part="lost_no",
    stated="A logit z between −40 and 40 at which published_bce(z, 0) is infinite",
)  # fmt: skip
def test_published_code_loses_a_no(student):
    """At your lost_no, between −40 and 40, with y = 0, the published loss is infinite."""
    z = as_logit(student.lost_no())
    assert abs(z) <= 40, f"{z.item():g} does not lie between −40 and 40: there is one nearer to 0"
    assert_broken(z, 0)


# ----------------------------------------------------------------------------------------- hints

HINTS = {
    "mse_loss": [
        "Pair the numbers first: what shape has pred − target, and what shape should it have?",
        "target.reshape(pred.shape) pairs them. Then square, and take np.mean, np.sum or neither.",
        "For pred [[1], [2]] and target [0, 4] the mean is (1 + 4)/2 = 2.5.",
    ],
    "mse_grad": [
        "Differentiate one term, (o − g)². What comes down from the exponent?",
        "With 'mean' every slope is divided by the number of elements, pred.size; with 'sum' by "
        "nothing.",
        "For pred [[1, 2]] and target [[0, 4]] the slopes of the mean are [[1, −2]].",
    ],
    "gaussian_nll": [
        "Take −log of formula (2) for one example; it falls into two terms.",
        "log √(2πσ²) = ½ log(2πσ²), once for each example. The other factor is what the square is "
        "divided by in the exponent.",
        "With one example, X = [[1]], y = [2], w = [0] and σ = 1 it is 0.9189 + 2 = 2.9189.",
    ],
    "checkpoint_nll_mse": [
        "−log p(y) = constant + (y − μ)²/(2σ²). For step 5: n·MSE is the sum of squares.",
        "Step 6: ∂L/∂μ_i is a column of n numbers. Which of X and X.T, on which side of it, has "
        "d rows after the product?",
        "term_slope(1, 3, 2) = −0.5; nll_part(4, 3, 2) = 1.5; for X = [[2]], y = [[1]], w = [[3]] "
        "the gradient is [[10]].",
    ],
    "linear_regression_fit": [
        "Put a column of ones beside X: the bias is then one more weight.",
        "np.column_stack builds it. np.linalg.lstsq and np.linalg.pinv both find the shortest "
        "solution, without an inverse of a product. Split the result into w and b.",
        "For X = [[0], [1], [2]] and y = [1, 3, 5] it is w = [2], b = 1.",
    ],
    "gradient_descent": [
        "A loop of steps updates; keep every w in a list, w0 too.",
        "w = w − lr·grad(w) makes a new array. w −= … would write into the caller's w0, and into "
        "every entry of your list.",
        "For grad(w) = 2w, w0 = [1], lr = 0.25 and two steps the walk is [[1], [0.5], [0.25]].",
    ],
    "sigmoid": [
        "Which of 1/(1 + e^−z) and e^z/(1 + e^z) is safe for z > 0, which for z < 0?",
        "Both contain the exponential of −|z|, which never exceeds 1: compute that one, then "
        "choose the numerator with np.where. The slope is σ times something like it.",
        "σ(log 3) = 0.75, and σ′(log 3) = 0.1875.",
    ],
    "bce_with_logits": [
        "Collect step 11: y·(log(1 + e^z) − z) + (1 − y)·log(1 + e^z). What is left?",
        "log(1 + e^z) is max(0, z) plus the log of 1 + e^(minus the size of z): np.maximum, "
        "np.abs, np.log1p.",
        "For z = 0 the loss is log 2 ≈ 0.6931 whatever y is; for z = 100 and y = 0 it is 100.",
    ],
    "checkpoint_bce_slope": [
        "σ′ written with s is the answer of step 9.",
        "(1/s)·s(1 − s), and −(1/(1 − s))·s(1 − s). For dbce: minus y times the first, minus "
        "(1 − y) times the second.",
        "At s = 0.8: dlog_yes = 0.2, dlog_no = −0.8; dbce(0.8, 1) = −0.2.",
    ],
    "checkpoint_saturation": [
        "Chain rule: the slope of the square in s, times the slope of s in z.",
        "The outer slope is 2(s − y), the inner one is σ′ of step 9. In the ratio s − y cancels.",
        "dsquared(0.5, 1) = −0.25; slope_ratio(0.5) = 0.5, and it is nowhere larger.",
    ],
    "logistic_regression_grad": [
        "Formula (4) holds here too, with z in place of μ.",
        "∂L/∂z is a vector of n slopes, one an example: step 14. Then the matrix of step 6 in "
        "front of it, and no division.",
        "For X = [[2]], y = [1], w = [0] the gradient is [−1].",
    ],
    "entropy": [
        "The sum runs along the last axis. What has to happen with p = 0 before the logarithm?",
        "np.where(p > 0, p, 1) makes the logarithm 0 where p is 0. In the cross-entropy put the 1 "
        "where p is 0 (not where q is). For bits divide by log 2.",
        "entropy([0.5, 0.25, 0.25, 0], unit='bits') = 1.5; with q = [0.25, 0.25, 0.25, 0.25] the "
        "cross-entropy is 2 bits and the divergence 0.5.",
    ],
    "information": [
        "Perplexity: a cross-entropy, and the function that undoes its logarithm. Mutual "
        "information: first the two marginals.",
        "np.exp for nats. joint.sum(axis=1, keepdims=True) is p(x), one number a row; times "
        "joint.sum(axis=0, keepdims=True) it is the table of independent variables.",
        "For p = q = [0.5, 0.25, 0.25] the perplexity is 2^1.5 ≈ 2.8284; for joint = [[0.5, 0], "
        "[0, 0.5]] the mutual information is 1 bit.",
    ],
    "checkpoint_family": [
        "e^b/(e^a + e^b) = 1/(e^a/e^b + 1). For step 19 differentiate A, then subtract the slope "
        "of g·z.",
        "e^a/e^b = e^(a − b): compare it with the e^(−z) of formula (6). In log Σ_j e^(z_j) "
        "exactly one term of the sum contains z_k.",
        "two_class_logit(1, 3) = 2; gaussian_slope(1, 3) = −2; bernoulli_slope(0, 1) = −0.5; "
        "categorical_slope(1, 4, 0) = 0.25.",
    ],
    "break_it": [
        "For y = 1 the loss is −log s: s must become 0. For y = 0 it is −log(1 − s): when is "
        "1 − s rounded to 0?",
        "np.exp overflows beyond 709.8. But 1 + e^−z is rounded to 1 much earlier: how small is "
        "np.finfo(np.float64).eps?",
        "At z = 36, e^−z is 2.3e−16 and 1 − s is just above 0. A little further.",
    ],
}

DERIVATION = {
    "mse_loss": "formula (1): pairs of numbers, squared, over all elements",
    "mse_grad": "step 1: one term of the sum contains o_i",
    "gaussian_nll": "steps 2 and 3: from the product of densities to a sum of two parts",
    "checkpoint_nll_mse": "steps 4 to 6: slope of a term, what the NLL has of the MSE, chain rule",
    "linear_regression_fit": "step 7: the gradient is zero, and nothing need be inverted",
    "gradient_descent": "formula (5): downhill, with the slope taken where you are",
    "sigmoid": "step 8: the form that is safe on each side; step 9: the quotient rule",
    "bce_with_logits": "steps 10 to 12: a coin's likelihood, without s, the larger exponential out",
    "checkpoint_bce_slope": "steps 13 and 14: the chain rule, and s(1 − s) cancels",
    "checkpoint_saturation": "step 15: outer slope times inner slope",
    "logistic_regression_grad": "step 16: step 14 for the logits, step 6 for the weights",
    "entropy": "formula (8), and step 17 for the zeros",
    "information": "formula (9); perplexity undoes the logarithm of formula (8)",
    "checkpoint_family": "steps 18 and 19: two classes; ℓ = A(z) − g·z",
    "break_it": "steps 8 and 11: which intermediate number leaves the range of floating point",
}
