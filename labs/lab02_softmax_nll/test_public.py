"""Lab 02, public tests: softmax, the negative log-likelihood, and its gradient.

Expected values are torch's own, computed while the test runs. Inputs are drawn afresh from ``rng``.
"""

import numpy as np
import pytest
import torch
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

BY_HAND = [
    "torch.softmax", "torch.log_softmax", "torch.logsumexp", "torch.nn.functional.nll_loss",
    "torch.nn.functional.cross_entropy", "scipy.special.softmax", "scipy.special.log_softmax",
    "scipy.special.logsumexp",
]  # fmt: skip


class Reference:
    """The oracle: torch, with the exercises' signatures and NumPy arrays in and out."""

    @staticmethod
    def softmax(x, axis=-1):
        return torch.softmax(torch.tensor(x), dim=axis).numpy()

    @staticmethod
    def logsumexp(x, axis=-1):
        return torch.logsumexp(torch.tensor(x), dim=axis).numpy()

    @staticmethod
    def log_softmax(x, axis=-1):
        return torch.log_softmax(torch.tensor(x), dim=axis).numpy()

    @staticmethod
    def nll_loss(log_probs, targets, reduction="mean", ignore_index=-100):
        loss = functional.nll_loss(
            torch.tensor(log_probs), torch.tensor(targets),
            reduction=reduction, ignore_index=ignore_index,
        )
        return loss.numpy()

    @staticmethod
    def smooth_labels(targets, num_classes, alpha):
        # torch smooths inside its loss, whose gradient is h − target: so target = h − gradient.
        logits = torch.zeros(len(targets), num_classes, dtype=torch.float64, requires_grad=True)
        functional.cross_entropy(
            logits, torch.tensor(targets), reduction="sum", label_smoothing=alpha
        ).backward()
        return (torch.softmax(logits, dim=-1) - logits.grad).detach().numpy()

    @staticmethod
    def cross_entropy(
        logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0
    ):
        loss = functional.cross_entropy(
            torch.tensor(logits), torch.tensor(targets),
            reduction=reduction, ignore_index=ignore_index, label_smoothing=label_smoothing,
        )
        return loss.numpy()

    @staticmethod
    def softmax_nll_grad(logits, targets, reduction="mean"):
        f = torch.tensor(logits, requires_grad=True)
        functional.cross_entropy(f, torch.tensor(targets), reduction=reduction).backward()
        return f.grad.numpy()

    @staticmethod
    def gradient_error(loss, logits, grad, step=1e-5):
        """Central quotients of a loss that is written in torch, and how far grad is from them."""
        quotients = central_difference(lambda x: float(loss(torch.tensor(x))), logits, step)
        measured = torch.tensor(quotients)
        worst = torch.linalg.vector_norm(measured - torch.tensor(grad), torch.inf)
        return float(worst / torch.linalg.vector_norm(measured, torch.inf))

    @staticmethod
    def softmax_backward(upstream, h):
        f = torch.tensor(h).log().requires_grad_()  # softmax(log h) = h, as the rows of h sum to 1
        torch.softmax(f, dim=-1).backward(torch.tensor(upstream))
        return f.grad.numpy()

    @staticmethod
    def train_softmax_regression(X, y, num_classes, lr, steps, weight_decay=0.0):
        X, y = torch.tensor(X), torch.tensor(y)
        W = torch.zeros(X.shape[1], num_classes, dtype=X.dtype, requires_grad=True)
        b = torch.zeros(num_classes, dtype=X.dtype, requires_grad=True)
        groups = [
            {"params": [W], "weight_decay": weight_decay},
            {"params": [b], "weight_decay": 0.0},
        ]
        optimizer = torch.optim.SGD(groups, lr=lr)
        for _ in range(steps):
            optimizer.zero_grad()
            functional.cross_entropy(X @ W + b, y).backward()
            optimizer.step()
        return W.detach().numpy(), b.detach().numpy()


# ---------------------------------------------------------------------------------- shared inputs


def far_apart(rng, rows=3, columns=4):
    """Logits whose rows lie 1,000 apart: e^1000 overflows and e^−1000 is 0, in float64 too."""
    offsets = 1000.0 * (np.arange(rows) - rows // 2)
    return rng.normal(size=(rows, columns)) + rng.permutation(offsets)[:, None]


def all_classes(rng, n, k):
    """n ≥ k targets in random order among which every class occurs, some more than once."""
    return rng.permutation(np.concatenate([np.arange(k), rng.integers(0, k, size=n - k)]))


def distributions(rng, n, k):
    """n random probability distributions over k classes."""
    weights = rng.uniform(0.2, 1.0, size=(n, k)) * rng.permutation(np.arange(1, k + 1))
    return weights / weights.sum(axis=1, keepdims=True)


def moderate(rng, *shape):
    """Logits between −5 and 5: whatever the draw, no class is hopeless."""
    return 2.0 * rng.normal(size=shape).clip(-2.5, 2.5)


@pytest.fixture
def logits(rng):
    """Seven examples, four classes."""
    return moderate(rng, 7, 4)


@pytest.fixture
def targets(rng):
    """Class indices for ``logits``; one class of the four never occurs."""
    return rng.permutation(4)[rng.permutation([0, 0, 1, 1, 2, 2, 2])]


@pytest.fixture
def log_probs(logits):
    return Reference.log_softmax(logits)


@pytest.fixture
def values_of(student):
    """The values of an expression of the student's, as a function of its name and of points."""

    def values(name, symbols, points):
        return np.array(student.run(evaluate, name, symbols, points))

    return values


@pytest.fixture
def assert_same_model():
    """A comparison of (W, b) that says which of the two is off."""

    def compare(actual, expected):
        assert isinstance(actual, (list, tuple)) and len(actual) == 2, (
            "return two arrays, W and b, as a tuple (W, b)"
        )
        for name, mine, right in zip(("W", "b"), actual, expected, strict=True):
            assert_close(mine, right, name=name)

    return compare


# The Conventions box asks for these of every function.
HAND = "Everything is written by hand with NumPy"
ALONE = "leave their inputs as they were"

# ------------------------------------------------------------------------------ checkpoint_shift


def shift_points(rng):
    """Three settings: logits x, a shift z well away from 0, and an index i."""
    return [
        (torch.tensor(rng.uniform(-1, 1, size=5)), sign * rng.uniform(0.5, 1.5), rng.integers(5))
        for sign in (1.0, -1.0, 1.0)
    ]


@exercise("checkpoint_shift", part="shifted_numerator", stated="written with e_x = e^x and z")
def test_shifted_numerator(rng, values_of):
    """Shifting a logit by z multiplies its exponential: e^(x−z) written with e^x and z."""
    settings = shift_points(rng)
    points = [[float(torch.exp(x[i])), float(z)] for x, z, i in settings]
    expected = [float(torch.exp(x[i] - z)) for x, z, i in settings]
    values = values_of("shifted_numerator", ["e_x", "z"], points)
    assert_close(values, np.array(expected), name="shifted_numerator")


@exercise("checkpoint_shift", part="shifted_denominator", stated="written with S = Σ_j e^(x_j)")
def test_shifted_denominator(rng, values_of):
    """The shifted denominator Σ_j e^(x_j−z), written with S = Σ_j e^(x_j) and z."""
    settings = shift_points(rng)
    points = [[float(torch.exp(x).sum()), float(z)] for x, z, _ in settings]
    expected = [float(torch.exp(x - z).sum()) for x, z, _ in settings]
    values = values_of("shifted_denominator", ["S", "z"], points)
    assert_close(values, np.array(expected), name="shifted_denominator")


@exercise(
    "checkpoint_shift", part="unshifted_logsumexp", stated="written with s = log Σ_j e^(x_j−z)"
)
def test_unshifted_logsumexp(rng, values_of):
    """log Σ_j e^(x_j), recovered from s = log Σ_j e^(x_j−z) and z."""
    settings = shift_points(rng)
    points = [[float(torch.logsumexp(x - z, 0)), float(z)] for x, z, _ in settings]
    expected = [float(torch.logsumexp(x, 0)) for x, z, _ in settings]
    values = values_of("unshifted_logsumexp", ["s", "z"], points)
    assert_close(values, np.array(expected), name="unshifted_logsumexp")


# --------------------------------------------------------------------------------------- softmax


@exercise("softmax", stated="Probabilities from logits, formula (1)")
def test_softmax_of_rows(student, reference, logits):
    """softmax(x)_i = e^(x_i) / Σ_j e^(x_j), for every row of a matrix."""
    agree(student, reference, "softmax", logits, called="softmax(x)")


@exercise("softmax", stated="Probabilities from logits, formula (1)")
def test_softmax_keeps_the_order(student, rng):
    """The order of the logits is the order of the probabilities."""
    x = rng.permuted(np.tile([-3.0, -1.0, 0.0, 1.0, 3.0], (3, 1)), axis=1)
    x = x + rng.permutation([-0.4, 0.0, 0.4])[:, None]
    places = np.argsort(torch.tensor(x).sort(dim=1).indices.numpy(), axis=1)
    ranks = np.argsort(np.argsort(student.softmax(x), axis=1), axis=1)
    assert_close(ranks, places, name="the order of the probabilities")


@exercise("softmax", about="detail", stated="the axis along which the results sum to 1")
def test_softmax_along_first_axis(student, reference, rng):
    """With axis=0 it is the entries of a column that sum to 1."""
    x = 2.0 * rng.normal(size=(3, 5))
    agree(student, reference, "softmax", x, axis=0, called="softmax(x, axis=0)")


@exercise("softmax", stated="stable for logits of any size")
def test_softmax_of_rows_far_apart(student, reference, rng):
    """Rows that lie 1,000 apart all give finite probabilities: every row has its own shift."""
    x = far_apart(rng)
    agree(student, reference, "softmax", x, called="softmax(x)")


@exercise("softmax", stated="stable for logits of any size")
def test_softmax_of_a_clear_winner(student, reference, rng):
    """In a row where one logit is 2,000 ahead, its probability is 1 and nothing overflows."""
    x = rng.normal(size=(2, 5))
    x[[0, 1], rng.integers(5, size=2)] += 2000.0
    agree(student, reference, "softmax", x, called="softmax(x)")


@exercise("softmax", about="arguments", stated=ALONE)
def test_softmax_leaves_its_input_alone(student, logits):
    """The array that is passed in is the same after the call."""
    student.softmax(logits)
    assert_unmodified(student)


@exercise("softmax", about="by hand", stated=HAND, weight=0.5, forbid=BY_HAND)
def test_softmax_is_written_by_hand(student, reference, logits):
    """softmax is written with exp and sum, without torch's or SciPy's softmax."""
    agree(student, reference, "softmax", logits, called="softmax(x)")


# ------------------------------------------------------------------------------------- logsumexp


@exercise("logsumexp", stated="log Σ e^x along an axis, formula (2)")
def test_logsumexp_of_rows(student, reference, logits):
    """logsumexp(x) = log Σ_j e^(x_j), one number for every row."""
    agree(student, reference, "logsumexp", logits, called="logsumexp(x)")


@exercise("logsumexp", about="detail", stated="the axis that is summed over, and disappears")
def test_logsumexp_along_first_axis(student, reference, rng):
    """With axis=0 there is one number for every column."""
    x = 2.0 * rng.normal(size=(3, 5))
    agree(student, reference, "logsumexp", x, axis=0, called="logsumexp(x, axis=0)")


@exercise("logsumexp", stated="stable for entries of any size")
def test_logsumexp_of_rows_far_apart(student, reference, rng):
    """Rows that lie 1,000 apart all give a finite number near their largest entry."""
    x = far_apart(rng)
    agree(student, reference, "logsumexp", x, called="logsumexp(x)")


@exercise("logsumexp", about="edge", stated="−∞ where all entries are −∞")
def test_logsumexp_of_an_impossible_row(student, reference, rng):
    """A row in which every entry is −∞ gives −∞ (the log of a sum of zeros), not NaN."""
    x = rng.normal(size=(3, 4))
    x[rng.integers(3)] = -np.inf
    agree(student, reference, "logsumexp", x, called="logsumexp(x)")


@exercise("logsumexp", about="arguments", stated=ALONE)
def test_logsumexp_leaves_its_input_alone(student, logits):
    """The array that is passed in is the same after the call."""
    student.logsumexp(logits)
    assert_unmodified(student)


@exercise("logsumexp", about="by hand", stated=HAND, weight=0.5, forbid=BY_HAND)
def test_logsumexp_is_written_by_hand(student, reference, logits):
    """logsumexp is written with max, exp, sum and log, without torch's or SciPy's."""
    agree(student, reference, "logsumexp", logits, called="logsumexp(x)")


# ----------------------------------------------------------------------------------- log_softmax


@exercise("log_softmax", stated="Log-probabilities from logits, formula (3)")
def test_log_softmax_of_rows(student, reference, logits):
    """log_softmax(x)_i = x_i − logsumexp(x), for every row."""
    agree(student, reference, "log_softmax", logits, called="log_softmax(x)")


@exercise(
    "log_softmax", about="detail", stated="the axis along which the exponentials of the results"
)
def test_log_softmax_along_first_axis(student, reference, rng):
    """With axis=0 the exponentials of every column sum to 1."""
    x = moderate(rng, 3, 5)
    agree(student, reference, "log_softmax", x, axis=0, called="log_softmax(x, axis=0)")


@exercise("log_softmax", stated="for finite logits of any size all its entries are finite")
def test_log_softmax_of_hopeless_classes(student, reference, rng):
    """A class 800 below the largest keeps its log-probability near −800, though e^−800 is 0."""
    x = rng.normal(size=(3, 4))
    x[np.arange(3), rng.integers(4, size=3)] -= 800.0
    agree(student, reference, "log_softmax", x, called="log_softmax(x)")


@exercise("log_softmax", stated="for finite logits of any size all its entries are finite")
def test_log_softmax_of_rows_far_apart(student, reference, rng):
    """Rows that lie 1,000 apart all give finite log-probabilities."""
    x = far_apart(rng)
    agree(student, reference, "log_softmax", x, called="log_softmax(x)")


@exercise("log_softmax", about="arguments", stated=ALONE)
def test_log_softmax_leaves_its_input_alone(student, logits):
    """The array that is passed in is the same after the call."""
    student.log_softmax(logits)
    assert_unmodified(student)


@exercise("log_softmax", about="by hand", stated=HAND, weight=0.5, forbid=BY_HAND)
def test_log_softmax_is_written_by_hand(student, reference, logits):
    """log_softmax is written by hand, without torch's or SciPy's."""
    agree(student, reference, "log_softmax", logits, called="log_softmax(x)")


# -------------------------------------------------------------------------------------- nll_loss

REDUCTION = '"mean" (over the rows that count), "sum" or "none"'
IGNORED = "rows with this target have loss 0 and do not count"


@exercise("nll_loss", stated="Negative log-likelihood of class indices, formula (4)")
def test_nll_loss_is_a_mean(student, reference, log_probs, targets):
    """With reduction='mean' the loss is the mean over the rows of −log p of the target class."""
    agree(student, reference, "nll_loss", log_probs, targets, called="the loss")


@exercise("nll_loss", about="detail", stated=REDUCTION)
def test_nll_loss_summed(student, reference, log_probs, targets):
    """With reduction='sum' the loss is the sum over the rows."""
    agree(student, reference, "nll_loss", log_probs, targets, reduction="sum", called="the loss")


@exercise("nll_loss", about="detail", stated=REDUCTION)
def test_nll_loss_of_each_row(student, reference, log_probs, targets):
    """With reduction='none' there is one loss for every row."""
    agree(
        student, reference, "nll_loss", log_probs, targets, reduction="none",
        called="the array of losses",
    )


@exercise("nll_loss", about="detail", stated=IGNORED)
def test_nll_loss_ignores_rows(student, reference, rng, log_probs, targets):
    """Rows whose target is ignore_index count neither in the sum nor in the mean's denominator."""
    ignored = rng.permutation(7)[:2]
    targets[ignored - (ignored.min() > 4)] = -100  # a row that counts comes after one of them
    agree(student, reference, "nll_loss", log_probs, targets, called="the loss")


@exercise("nll_loss", about="arguments", stated=ALONE)
def test_nll_loss_leaves_its_inputs_alone(student, rng, log_probs, targets):
    """Log-probabilities and targets, ignored ones among them, are the same after the call."""
    targets[rng.permutation(7)[:2]] = -100
    student.nll_loss(log_probs, targets)
    assert_unmodified(student)


@exercise("nll_loss", about="by hand", stated=HAND, weight=0.5, forbid=BY_HAND)
def test_nll_loss_is_written_by_hand(student, reference, log_probs, targets):
    """nll_loss is written by hand, without torch's nll_loss."""
    agree(student, reference, "nll_loss", log_probs, targets, called="the loss")


# --------------------------------------------------------------------------------- smooth_labels


@exercise("smooth_labels", stated="Class indices as smoothed distributions, formula (5)")
def test_smooth_labels(student, reference, rng):
    """Target rows are (1−α)·one-hot + α/K: the gold class keeps a share of α too."""
    targets = all_classes(rng, 6, 4)  # a fifth class never occurs
    agree(
        student, reference, "smooth_labels", targets, 5, 0.3, called="the array of smoothed targets"
    )


@exercise("smooth_labels", about="detail", stated="0 gives one-hot rows")
def test_smooth_labels_without_smoothing(student, reference, rng):
    """With α = 0 the rows are one-hot: a 1 at the target class and 0 elsewhere."""
    targets = all_classes(rng, 6, 4)  # a fifth class never occurs
    agree(
        student, reference, "smooth_labels", targets, 5, 0.0, called="the array of one-hot targets"
    )


@exercise("smooth_labels", stated="whose rows sum to 1")
def test_smooth_labels_are_distributions(student, rng):
    """Every row of smoothed targets sums to 1."""
    rows = student.smooth_labels(all_classes(rng, 5, 3), 3, 0.6)
    assert_close(np.sum(rows, axis=1), np.ones(5), name="the sum of each row")


# --------------------------------------------------------------------------------- cross_entropy


@exercise("cross_entropy", stated="formula (6), for indices or distributions")
def test_cross_entropy_of_class_indices(student, reference, logits, targets):
    """For class indices: the mean over the rows of −log softmax(logits) at the target class."""
    agree(student, reference, "cross_entropy", logits, targets, called="the loss")


@exercise("cross_entropy", stated="formula (6), for indices or distributions")
def test_cross_entropy_of_distributions(student, reference, rng, logits):
    """For distributions: the mean over the rows of −Σ_k y_k log h_k."""
    y = distributions(rng, 7, 4)
    agree(student, reference, "cross_entropy", logits, y, called="the loss")


@exercise("cross_entropy", about="detail", stated="α of formula (5), for either kind of target")
def test_cross_entropy_with_label_smoothing(student, reference, logits, targets):
    """label_smoothing=α replaces one-hot targets by (1−α)·one-hot + α/K."""
    agree(
        student, reference, "cross_entropy", logits, targets, label_smoothing=0.3, called="the loss"
    )


@exercise("cross_entropy", about="detail", stated=IGNORED)
def test_cross_entropy_ignores_rows(student, reference, rng, logits, targets):
    """Rows whose target is ignore_index count neither in the sum nor in the mean's denominator."""
    targets[rng.permutation(7)[:2]] = -100
    agree(student, reference, "cross_entropy", logits, targets, called="the loss")


@exercise("cross_entropy", stated="Cross-entropy of logits of any size")
def test_cross_entropy_of_extreme_logits(student, reference, rng):
    """Logits of ±1000 give a finite loss of the right size, with no NaN and no infinity."""
    near = rng.normal(size=(7, 3)) + 1000.0  # any shift by a maximum will do here
    y = rng.permutation([0, 0, 1, 1, 2, 2, 2])
    agree(student, reference, "cross_entropy", near, y, called="the loss")
    logits = rng.normal(size=(5, 3)) - 1000.0
    # One clear winner a row; every class is a target, and classes 0 and 1 win twice.
    logits[np.arange(1, 5), rng.permutation([0, 1, 1, 2])] += 2000.0
    logits[0], targets = [1000.0, -1000.0, 0.0], np.append(1, rng.permutation([0, 0, 2, 2]))
    # The right class of row 0 is at −1000: its probability is 0 in floating point.
    agree(student, reference, "cross_entropy", logits, targets, called="the loss")


@exercise("cross_entropy", stated="Cross-entropy of logits of any size")
def test_cross_entropy_of_rows_far_apart(student, reference, rng):
    """Rows whose logits lie 1,000 apart all give an ordinary loss: each has its own shift."""
    logits, y = far_apart(rng, rows=5), distributions(rng, 5, 4)
    agree(student, reference, "cross_entropy", logits, y, called="the loss")


@exercise("cross_entropy", about="arguments", stated=ALONE)
def test_cross_entropy_leaves_its_inputs_alone(student, rng, logits, targets):
    """Logits and targets of both kinds are the same after the call."""
    targets[rng.permutation(7)[:2]] = -100
    student.cross_entropy(logits, targets, label_smoothing=0.2)
    student.cross_entropy(logits, distributions(rng, 7, 4), label_smoothing=0.2)
    assert_unmodified(student)


@exercise("cross_entropy", about="by hand", stated=HAND, weight=0.5, forbid=BY_HAND)
def test_cross_entropy_is_written_by_hand(student, reference, logits, targets):
    """cross_entropy is written by hand, without torch's cross_entropy or log_softmax."""
    agree(student, reference, "cross_entropy", logits, targets, called="the loss")


# ------------------------------------------------------------------- the checkpoints on the slopes


def slope_points(rng, slopes_of):
    """Three settings (h, the matrix of slopes ∂·_i/∂f_k by autograd, i, k ≠ i)."""
    settings = []
    for _ in range(3):
        f = torch.tensor(rng.permutation([-0.9, -0.3, 0.2, 0.7]) + rng.uniform(-0.1, 0.1, size=4))
        i, k = (int(index) for index in rng.permutation(4)[:2])
        slopes = torch.autograd.functional.jacobian(slopes_of, f)
        settings.append((torch.softmax(f, 0), slopes, i, k))
    return settings


def softmax_slopes(f):
    return torch.softmax(f, 0)


def log_softmax_slopes(f):
    return torch.log_softmax(f, 0)


@exercise("checkpoint_softmax_slope", part="dh_same", stated="∂h_i/∂f_i, written with h_i")
def test_dh_same(rng, values_of):
    """∂h_i/∂f_i, the slope of a probability with respect to its own logit."""
    settings = slope_points(rng, softmax_slopes)
    points = [[float(h[i])] for h, _, i, _ in settings]
    expected = [float(slopes[i, i]) for _, slopes, i, _ in settings]
    assert_close(values_of("dh_same", ["h_i"], points), np.array(expected), name="dh_same")


@exercise("checkpoint_softmax_slope", part="dh_other", stated="∂h_i/∂f_k for k ≠ i, written with")
def test_dh_other(rng, values_of):
    """∂h_i/∂f_k for k ≠ i, the slope of a probability with respect to a rival's logit."""
    settings = slope_points(rng, softmax_slopes)
    points = [[float(h[i]), float(h[k])] for h, _, i, k in settings]
    expected = [float(slopes[i, k]) for _, slopes, i, k in settings]
    values = values_of("dh_other", ["h_i", "h_k"], points)
    assert_close(values, np.array(expected), name="dh_other")


@exercise("checkpoint_log_slope", part="dlog_same", stated="∂log h_i/∂f_i, written with h_i")
def test_dlog_same(rng, values_of):
    """∂log h_i/∂f_i, the slope of a log-probability with respect to its own logit."""
    settings = slope_points(rng, log_softmax_slopes)
    points = [[float(h[i])] for h, _, i, _ in settings]
    expected = [float(slopes[i, i]) for _, slopes, i, _ in settings]
    assert_close(values_of("dlog_same", ["h_i"], points), np.array(expected), name="dlog_same")


@exercise("checkpoint_log_slope", part="dlog_other", stated="∂log h_i/∂f_k for k ≠ i")
def test_dlog_other(rng, values_of):
    """∂log h_i/∂f_k for k ≠ i, the slope of a log-probability with respect to a rival's logit."""
    settings = slope_points(rng, log_softmax_slopes)
    points = [[float(h[i]), float(h[k])] for h, _, i, k in settings]
    expected = [float(slopes[i, k]) for _, slopes, i, k in settings]
    values = values_of("dlog_other", ["h_i", "h_k"], points)
    assert_close(values, np.array(expected), name="dlog_other")


def loss_points(rng, totals):
    """For each total Σy: (h_k, y_k, Σy) and ∂(−Σ_i y_i log h_i)/∂f_k by autograd."""
    points, expected = [], []
    for total in totals:
        f = torch.tensor(rng.uniform(-1, 1, size=4), requires_grad=True)
        y = total * torch.tensor(distributions(rng, 1, 4)[0])
        k = int(rng.integers(4))
        (-(y * torch.log_softmax(f, 0)).sum()).backward()
        points.append([float(torch.softmax(f.detach(), 0)[k]), float(y[k]), total])
        expected.append(float(f.grad[k]))
    return points, np.array(expected)


@exercise(
    "checkpoint_loss_gradient", part="dloss_any_target",
    stated="for any target whose entries have the sum Y",
)
def test_dloss_of_any_target(rng, values_of):
    """∂L/∂f_k for any target y, whose entries add up to Y (which need not be 1)."""
    points, expected = loss_points(rng, (0.4, 1.7, 3.0))
    values = values_of("dloss_any_target", ["h_k", "y_k", "Y"], points)
    assert_close(values, expected, name="dloss_any_target")


@exercise(
    "checkpoint_loss_gradient", part="dloss", stated="for a target that is a distribution"
)
def test_dloss_of_a_distribution(rng, values_of):
    """∂L/∂f_k for a target that is a probability distribution."""
    points, expected = loss_points(rng, (1.0, 1.0, 1.0))
    values = values_of("dloss", ["h_k", "y_k"], [point[:2] for point in points])
    assert_close(values, expected, name="dloss")


# ------------------------------------------------------------------------------ softmax_nll_grad

GRADIENT = "Gradient of the cross-entropy with respect to logits"
OF_ANY_SIZE = "with respect to logits of any size"


@exercise("softmax_nll_grad", stated=GRADIENT)
def test_grad_of_the_mean_loss(student, reference, logits, targets):
    """With reduction='mean' the gradient with respect to the logits is (h − y) / n."""
    agree(student, reference, "softmax_nll_grad", logits, targets, called="the gradient")


@exercise("softmax_nll_grad", about="detail", stated='"mean" or "sum", that of the loss')
def test_grad_of_the_summed_loss(student, reference, logits, targets):
    """With reduction='sum' every row of the gradient is h − y, not divided by anything."""
    agree(
        student, reference, "softmax_nll_grad", logits, targets, reduction="sum",
        called="the gradient",
    )


@exercise("softmax_nll_grad", stated="or distributions of shape (n, K)")
def test_grad_for_distributions(student, reference, rng, logits):
    """Targets may be distributions, one a row: the gradient is still (h − y) / n."""
    y = distributions(rng, 7, 4)
    agree(student, reference, "softmax_nll_grad", logits, y, called="the gradient")


@exercise("softmax_nll_grad", stated=GRADIENT)
def test_grad_by_differences(student, logits, targets):
    """The gradient agrees with central differences of torch's mean loss, entry by entry."""

    def loss(f):
        return float(functional.cross_entropy(torch.tensor(f), torch.tensor(targets)))

    assert_close(
        student.softmax_nll_grad(logits, targets), central_difference(loss, logits), rtol=1e-6,
        name="the gradient",
    )


@exercise("softmax_nll_grad", stated=OF_ANY_SIZE)
def test_grad_of_large_logits(student, reference, rng, targets):
    """Logits around 1,000 give a finite gradient: the softmax inside is shifted."""
    logits = rng.normal(size=(7, 4)) + 1000.0
    agree(student, reference, "softmax_nll_grad", logits, targets, called="the gradient")


@exercise("softmax_nll_grad", stated=OF_ANY_SIZE)
def test_grad_of_rows_far_apart(student, reference, rng, targets):
    """Rows whose logits lie 1,000 apart all give a finite gradient: each has its own shift."""
    logits = far_apart(rng, rows=7)
    agree(student, reference, "softmax_nll_grad", logits, targets, called="the gradient")


@exercise("softmax_nll_grad", about="arguments", stated=ALONE)
def test_grad_leaves_its_inputs_alone(student, rng, logits, targets):
    """Logits and targets of both kinds are the same after the call."""
    student.softmax_nll_grad(logits, targets)
    student.softmax_nll_grad(logits, distributions(rng, 7, 4))
    assert_unmodified(student)


@exercise(
    "softmax_nll_grad", about="by hand", stated=HAND, weight=0.5, forbid=["autograd", *BY_HAND]
)
def test_grad_is_written_by_hand(student, reference, logits, targets):
    """The gradient is written by hand: neither autograd nor torch's softmax."""
    agree(student, reference, "softmax_nll_grad", logits, targets, called="the gradient")


# -------------------------------------------------------------------------------- gradient_error

HOW_WRONG = "the largest |measured − grad| of all entries, divided by the largest |measured|"
TORCH_LOSSES = {
    "cubes": lambda x: torch.sum(x**3) + torch.sum(x) ** 2,
    "waves": lambda x: torch.sum(torch.sin(x) * torch.exp(x / 2)) + torch.prod(x),
}


@probe(values=True)
def measured_error(student, loss, logits, grad, step):
    """gradient_error for one of two losses, with the usual step or another one."""
    losses = {
        "cubes": lambda x: float(np.sum(x**3) + np.sum(x) ** 2),
        "waves": lambda x: float(np.sum(np.sin(x) * np.exp(x / 2)) + np.prod(x)),
    }
    return student.gradient_error(losses[loss], logits, grad, **({"step": step} if step else {}))


def true_gradient(loss, logits):
    x = torch.tensor(logits, requires_grad=True)
    TORCH_LOSSES[loss](x).backward()
    return x.grad.numpy()


@exercise("gradient_error", stated=HOW_WRONG)
def test_gradient_error_of_wrong_gradients(student, reference, rng):
    """Of a wrong gradient it is the largest deviation, beside the largest slope."""
    x = rng.uniform(0.5, 1.5, size=(2, 3))
    right = true_gradient("cubes", x)
    largest = right == right.max()
    off = np.where(largest, right, -rng.uniform(0.1, 0.3, size=x.shape) * right)
    for grad in (right + off, right - off):
        assert_close(
            student.run(measured_error, "cubes", x, grad, None),
            reference.gradient_error(TORCH_LOSSES["cubes"], x, grad), rtol=1e-6, name="the error",
        )  # fmt: skip


@exercise("gradient_error", stated="How wrong a gradient is, measured by formula (8)")
def test_gradient_error_of_a_right_gradient(student, rng):
    """Of a right gradient it is next to nothing: both sides are measured."""
    x = rng.uniform(0.5, 1.5, size=(3, 2))
    for loss in TORCH_LOSSES:
        error = student.run(measured_error, loss, x, true_gradient(loss, x), None)
        assert_close(error, 0.0, atol=1e-7, name="the error")


@exercise("gradient_error", about="detail", stated="how far each logit is moved")
def test_gradient_error_with_a_large_step(student, reference, rng):
    """With a step of 0.5 the logits are moved so far, and the quotient is still central."""
    x = rng.uniform(0.5, 1.5, size=(2, 3))
    grad = true_gradient("cubes", x)
    assert_close(
        student.run(measured_error, "cubes", x, grad, 0.5),
        reference.gradient_error(TORCH_LOSSES["cubes"], x, grad, 0.5), rtol=1e-6, name="the error",
    )  # fmt: skip


@exercise("gradient_error", about="arguments", stated=ALONE)
def test_gradient_error_leaves_its_inputs_alone(student, reference, rng):
    """Logits and gradient are the same after the call, to the last digit."""
    x = rng.uniform(0.5, 1.5, size=(8, 5))
    grad = 1.3 * true_gradient("cubes", x)
    assert_close(
        student.run(measured_error, "cubes", x, grad, 0.3),
        reference.gradient_error(TORCH_LOSSES["cubes"], x, grad, 0.3), rtol=1e-6, name="the error",
    )  # fmt: skip
    assert_unmodified(student, by="gradient_error")


# ------------------------------------------------------------------------------ softmax_backward

PRODUCT = "Vector–Jacobian product of softmax along the last axis, formula (9)"


@exercise("softmax_backward", stated=PRODUCT)
def test_backward_of_random_upstream(student, reference, rng, logits):
    """For a random upstream gradient u the result is Jᵀu, row by row, as autograd has it."""
    h, upstream = reference.softmax(logits), rng.normal(size=(7, 4))
    agree(student, reference, "softmax_backward", upstream, h, called="the gradient")


@exercise("softmax_backward", stated=PRODUCT)
def test_backward_of_constant_upstream(student, rng):
    """A constant upstream gradient gives 0: the probabilities cannot all rise at once."""
    # Powers of 2, so that the zeros are exact and no rounding is left to tell answers apart.
    h = rng.permuted(np.tile([0.125, 0.125, 0.25, 0.5], (7, 1)), axis=1)
    assert_close(
        student.softmax_backward(np.full((7, 4), 3.0), h), np.zeros((7, 4)), atol=1e-12,
        name="the gradient",
    )


@exercise("softmax_backward", stated=PRODUCT)
def test_backward_of_one_row(student, reference, rng):
    """A single row of six classes, upstream 1 for one class and 0 for the others."""
    h, upstream = reference.softmax(rng.normal(size=(1, 6))), np.zeros((1, 6))
    upstream[0, rng.integers(6)] = 1.0
    agree(student, reference, "softmax_backward", upstream, h, called="the gradient")


@exercise("softmax_backward", about="arguments", stated=ALONE)
def test_backward_leaves_its_inputs_alone(student, reference, rng, logits):
    """Neither upstream nor h is changed by the call."""
    student.softmax_backward(rng.normal(size=(7, 4)), reference.softmax(logits))
    assert_unmodified(student)


@exercise("softmax_backward", about="by hand", stated=HAND, weight=0.5, forbid=["autograd"])
def test_backward_is_written_by_hand(student, reference, rng, logits):
    """The vector–Jacobian product is written by hand, without autograd."""
    h, upstream = reference.softmax(logits), rng.normal(size=(7, 4))
    agree(student, reference, "softmax_backward", upstream, h, called="the gradient")


# ---------------------------------------------------------------------- train_softmax_regression

DESCENT = "Full-batch gradient descent on the mean cross-entropy, formulas (7) and (10)"


@pytest.fixture
def problem(rng):
    """Twelve examples with five features, in four classes of unequal size."""
    # In classes of equal size the first gradient of b would be 0 up to rounding.
    return rng.normal(size=(12, 5)) + 0.5, rng.permutation(np.repeat(np.arange(4), [5, 4, 2, 1]))


@exercise("train_softmax_regression", stated=DESCENT)
def test_training_takes_one_step(student, reference, problem, assert_same_model):
    """One step from zero weights moves W and b by −lr times the gradient of the mean loss."""
    X, y = problem
    assert_same_model(
        student.train_softmax_regression(X, y, 4, 0.5, 1),
        reference.train_softmax_regression(X, y, 4, 0.5, 1),
    )


@exercise("train_softmax_regression", stated=DESCENT)
def test_training_takes_many_steps(student, reference, problem, assert_same_model):
    """After 20 full-batch steps W and b equal torch.optim.SGD's."""
    X, y = problem
    assert_same_model(
        student.train_softmax_regression(X, y, 4, 0.3, 20),
        reference.train_softmax_regression(X, y, 4, 0.3, 20),
    )


@exercise(
    "train_softmax_regression", about="detail", weight=2,
    stated="adds λW to the gradient of W, and nothing to that of b",
)
def test_training_decays_weights_only(student, reference, problem, assert_same_model):
    """weight_decay=λ adds λW to the gradient of W and nothing to that of b."""
    X, y = problem
    assert_same_model(
        student.train_softmax_regression(X, y, 4, 0.4, 8, weight_decay=0.08),
        reference.train_softmax_regression(X, y, 4, 0.4, 8, weight_decay=0.08),
    )


@exercise(
    "train_softmax_regression", about="detail",
    stated="large ones make large logits, and all stays finite",
)
def test_training_on_large_features(student, reference, rng, assert_same_model):
    """Features of several hundred make logits of many thousands: W and b stay finite."""
    X = rng.choice([-1.0, 1.0], size=(8, 3)) * rng.uniform(200, 600, size=(8, 3))
    y = rng.permutation(3)[[0, 1, *rng.permutation([0, 0, 1, 2, 2, 2])]]
    X[1] = X[0]  # two classes for the same features: in no step is the gradient 0
    assert_same_model(
        student.train_softmax_regression(X, y, 3, 0.5, 3),
        reference.train_softmax_regression(X, y, 3, 0.5, 3),
    )


@exercise(
    "train_softmax_regression", about="by hand", stated=HAND, weight=0.5,
    forbid=["autograd", "torch.optim.SGD", *BY_HAND],
)
def test_training_is_written_by_hand(student, reference, problem, assert_same_model):
    """Gradient and update are written by hand: neither autograd nor torch.optim."""
    X, y = problem
    assert_same_model(
        student.train_softmax_regression(X, y, 4, 0.5, 3),
        reference.train_softmax_regression(X, y, 4, 0.5, 3),
    )


# -------------------------------------------------------------------------------------- break_it


def naive_softmax(x):
    """The textbook formula, typed in as it stands."""
    with np.errstate(all="ignore"):
        e = np.exp(x)
        return e / e.sum(axis=-1, keepdims=True)


def log_of_softmax(x):
    """A careful softmax, and then the logarithm of what it returned."""
    with np.errstate(all="ignore"):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return np.log(e / e.sum(axis=-1, keepdims=True))


def as_logits(value, dtype):
    """What a student returned, as an array; a sentence where it cannot be one."""
    with np.errstate(over="ignore"):
        x = np.asarray(value).astype(dtype)
    assert x.ndim in (1, 2) and 2 <= x.size <= 1000 and x.shape[-1] >= 2, (
        f"return one row of logits or a few (at least two classes, at most 1000 numbers), "
        f"not an array of shape {x.shape}"
    )
    assert np.isfinite(x).all(), (
        f"{x[~np.isfinite(x)][0]} is among the logits (in {x.dtype}): find finite numbers, for "
        "which a right implementation gives a right answer"
    )
    return x


@exercise(
    "break_it", part="logits_below_zero",
    stated="Finite logits, none above 0, on which naive_softmax in float64 gives NaN",
)
def test_naive_softmax_gives_nan(student):
    """On your logits_below_zero, finite and none above 0, the naive softmax gives a NaN."""
    x = as_logits(student.logits_below_zero(), np.float64)
    assert x.max() <= 0, f"{x.max():g} is above 0: find logits that are not, where it fails too"
    assert np.isnan(naive_softmax(x)).any(), (
        f"no NaN: the naive denominators are {np.exp(x).sum(axis=-1)}. NaN needs ∞/∞ or 0/0 in "
        "float64"
    )


@exercise(
    "break_it", part="underflowing_logits",
    stated="Finite logits on which log_of_softmax in float32 is off by more than 100",
)
def test_log_of_softmax_is_far_off(student, reference):
    """On your underflowing_logits, all finite, log(softmax) in float32 is off by over 100."""
    x = as_logits(student.underflowing_logits(), np.float32)
    right, wrong = reference.log_softmax(x), log_of_softmax(x)
    error = np.abs(wrong - right)
    assert np.max(error) > 100, (
        f"the largest error is {np.max(error):.3g}: the smallest log-probability is "
        f"{right.min():.4g}, and its probability is still a number above 0 in float32"
    )


# ----------------------------------------------------------------------------------------- hints

HINTS = {
    "checkpoint_shift": [
        "An exponential turns a sum into a product: what is e^(a+b)? Here b = −z.",
        "Every term of the denominator carries the same factor, so it can be taken out of the "
        "sum once, however many terms there are. For the third expression take the logarithm.",
        "With e_x = 2 and z = 1 the numerator is 2·e^−1 ≈ 0.7358; with s = 0.5 and z = 3 the "
        "logsumexp is 3.5.",
    ],
    "softmax": [
        "Subtract something from every row first. What, so that no exponential can overflow?",
        "The row's own maximum, x.max(axis=axis, keepdims=True). keepdims leaves an axis of "
        "length 1, so that it is subtracted from its own row.",
        "softmax([[0, log 3]]) is [[0.25, 0.75]], and so is softmax([[1000, 1000 + log 3]]).",
    ],
    "logsumexp": [
        "The shift identity of Exercise 1: take the maximum out of the sum, add it back after "
        "the logarithm.",
        "A row of −∞ has the maximum −∞, and −∞ − (−∞) is NaN. Which other shift could you use "
        "for such a row? np.where and np.isfinite help; np.errstate(divide='ignore') keeps "
        "log 0 quiet.",
        "logsumexp([[0, 0, 0, 0]]) = [log 4] ≈ [1.3863]; logsumexp([[1000, 1000]]) ≈ [1000.6931].",
    ],
    "log_softmax": [
        "Do not compute a probability at all: the logarithm of a quotient is a difference.",
        "log h_i = x_i − logsumexp(x). With x − max in hand, the maximum cancels: "
        "(x_i − m) − log Σ_j e^(x_j − m).",
        "log_softmax([[0, log 3]]) ≈ [[−1.3863, −0.2877]]; "
        "log_softmax([[0, −800]]) is [[0, −800]].",
    ],
    "nll_loss": [
        "From each row take one number: the log-probability at that row's target. Two integer "
        "arrays as index do that.",
        "log_probs[np.arange(n), targets] pairs row i with targets[i]. Drop the ignored rows "
        "before you sum, and divide by how many you kept.",
        "For log_probs = log [[0.5, 0.5], [0.25, 0.75]] and targets [0, 0] the mean is "
        "(0.6931 + 1.3863)/2 ≈ 1.0397; with targets [0, −100] it is 0.6931.",
    ],
    "smooth_labels": [
        "Mix two distributions: one-hot with weight 1−α, uniform with weight α.",
        "The uniform part gives α/K to every class, to the gold class as well.",
        "For K = 4 and α = 0.2 the gold class gets 0.85 and each other class 0.05.",
    ],
    "cross_entropy": [
        "Turn every kind of target into a distribution over the classes, and there is one "
        "formula left: −Σ_k y_k log h_k.",
        "Smoothing acts on the target rows, whichever kind they were. Ignored rows (class "
        "indices only) get loss 0 and leave the mean's denominator.",
        "For logits [[0, 0, 0]] the loss is log 3 ≈ 1.0986 whatever the target and the "
        "smoothing. For [[2, 0]], target 0: 0.1269; with label_smoothing=0.5: 0.6269.",
    ],
    "checkpoint_softmax_slope": [
        "Quotient rule on e^(f_i)/S with S = Σ_j e^(f_j). What is ∂S/∂f_k?",
        "∂S/∂f_k = e^(f_k). If k = i the numerator moves as well; if not, only S does.",
        "With h_i = 0.2 the first slope is 0.16; with h_i = 0.2, h_k = 0.5 the second is −0.1.",
    ],
    "checkpoint_log_slope": [
        "Chain rule: ∂log h_i/∂f_k = (1/h_i)·∂h_i/∂f_k.",
        "Or differentiate log h_i = f_i − log S directly: the first term is there only if k = i.",
        "With h_i = 0.2 the first is 0.8; with h_i = 0.2 and h_k = 0.5 the second is −0.5.",
    ],
    "checkpoint_loss_gradient": [
        "Write L = −Σ_i y_i log h_i and put in the slopes of Exercise 9: one term has i = k, the "
        "others have i ≠ k.",
        "−y_k(1 − h_k) + Σ_{i≠k} y_i h_k. Collect what multiplies h_k: which sum is it?",
        "With h_k = 0.5, y_k = 1 and Y = 3 it is 0.5; for a distribution with h_k = 0.3 and "
        "y_k = 1 it is −0.7.",
    ],
    "softmax_nll_grad": [
        "Compute h = softmax(logits), write the targets as rows y, subtract.",
        "In which cell of row i does the one-hot y have its 1? Then think what 'mean' does to "
        "the gradient, and how many rows there are.",
        "For logits [[0, 0], [0, 0]] and targets [0, 1] the mean's gradient is "
        "[[−0.25, 0.25], [0.25, −0.25]].",
    ],
    "gradient_error": [
        "Move one logit at a time: a matrix of zeros with the step in one place, added once and "
        "taken away once. np.ndindex(logits.shape) goes through all places.",
        "From F − ΔE to F + ΔE it is 2Δ, so (above − below)/(2Δ) is the slope in that place. Keep "
        "all slopes in an array, then compare: np.abs, np.max.",
        "For loss(F) = F², logits [[3]] and grad [[5]] the measured slope is 6 and the error 1/6 "
        "≈ 0.1667.",
    ],
    "softmax_backward": [
        "(Jᵀu)_k = Σ_i u_i ∂h_i/∂f_k. Put both slopes of Exercise 8 into this sum.",
        "The terms are u_k h_k from δ, and −h_k Σ_i u_i h_i from the product. The sum runs over "
        "the row's classes: one number for each row.",
        "For h = [[0.5, 0.5]] and upstream [[1, 0]] the result is [[0.25, −0.25]].",
    ],
    "train_softmax_regression": [
        "Logits F = XW + b. You know ∂L/∂F; W and b follow by the chain rule.",
        "G = (h − y)/n has shape (n, K). ∂L/∂W = XᵀG has W's shape; for b add G's rows up. "
        "Compute both gradients before you change either parameter.",
        "For X = [[1], [−1]], y = [0, 1], K = 2, lr = 1, one step: W = [[0.5, −0.5]], b = [0, 0].",
    ],
    "break_it": [
        "∞/∞ is one way to a NaN. Which is the other, and what must all exponentials of the row "
        "be? For the second: what is the smallest positive float32?",
        "Below which x is np.exp(x) rounded to exactly 0? Subnormal numbers count: "
        "np.finfo(dtype).smallest_subnormal, and its logarithm.",
        "np.exp(−745) is 5e−324 in float64, still above 0; np.exp(np.float32(−100)) is 3.8e−44, "
        "and np.exp(np.float32(−110)) is 0.",
    ],
}

DERIVATION = {
    "checkpoint_shift": "step 1: e^(x−z) = e^x·e^(−z), and the factor cancels",
    "softmax": "step 1: the shift identity, with z = each row's own maximum",
    "logsumexp": "step 2: the shift comes back as a term, log(e^z·S) = z + log S",
    "log_softmax": "step 3: the logarithm of a quotient is a difference",
    "nll_loss": "step 4: from the likelihood of the data to the mean of −log p",
    "smooth_labels": "step 5: a mixture of one-hot and uniform",
    "cross_entropy": "step 6: cross-entropy of two distributions, and what happens for one-hot",
    "checkpoint_softmax_slope": "step 7: the quotient rule, two cases i = k and i ≠ k",
    "checkpoint_log_slope": "step 8: the chain rule divides the slopes of step 7 by h_i",
    "checkpoint_loss_gradient": "step 9: the sum over i, split at i = k",
    "softmax_nll_grad": "step 9 for one row, then the 1/n of the mean",
    "gradient_error": "step 10: how far apart the two points of the quotient are",
    "softmax_backward": "step 11: both cases of step 7, put into one sum",
    "train_softmax_regression": "step 12: from the slope in the logits to that in the weights",
    "break_it": "steps 1 and 3: which intermediate number leaves the range of floating point",
}
