"""Lab 02, hidden tests: other shapes and axes, extreme values, and the traps."""

import numpy as np
import torch

from course_utils.testing import agree, assert_close, assert_unmodified, exercise, public_tests

public = public_tests(__file__)


def spread(rng, *shape, axis=-1, step=2000.0):
    """Logits whose slices along an axis lie ``step`` apart, far above zero and far below it.

    In every slice two entries compete within 2 of each other, and the others are 1.2 steps behind.
    Whatever the draw, one shift for several slices, or a slice's mean for its maximum, is fatal.
    """
    others, k = [n for i, n in enumerate(shape) if i != axis % len(shape)], shape[axis]
    slices = int(np.prod(others))
    levels = rng.permutation(step * (np.arange(slices) - slices // 2 + 0.25))
    behind = np.where(np.arange(k) < 2, 0.0, 1.2 * step)
    x = levels[:, None] - rng.permuted(np.tile(behind, (slices, 1)), axis=1)
    x += rng.uniform(-1, 1, size=x.shape)
    return np.ascontiguousarray(np.moveaxis(x.reshape(*others, k), -1, axis))


def repeated(rng, n, k):
    """n ≥ 5 targets; class 0 is missing, the last class occurs at least twice, others as well.

    Class 1 is among them always, and two rows at least are not of the last class if k ≥ 4.
    """
    return rng.permutation(np.concatenate([[1, 2, k - 1, k - 1], rng.integers(1, k, size=n - 4)]))


def distributions(rng, n, k):
    weights = rng.uniform(0.1, 1.0, size=(n, k)) * rng.permutation(np.arange(1, k + 1))
    return weights / weights.sum(axis=1, keepdims=True)


def moderate(rng, *shape):
    """Logits so close together that an ε of 1e-12 beside their probabilities does not show."""
    return rng.uniform(-2.5, 2.5, size=shape)


# ------------------------------------------------------------------------------ checkpoint_shift


def large_shifts(rng):
    """Two settings (logits, z) with shifts of several units, for few and for many classes."""
    return [
        (torch.tensor(rng.normal(size=classes)), float(rng.choice([-1, 1]) * rng.uniform(3, 6)))
        for classes in (2, 9)
    ]


@exercise("checkpoint_shift", part="shifted_numerator", stated="written with e_x = e^x and z")
def test_numerator_for_large_shifts(rng, values_of):
    """The numerator holds for shifts of several units, for other numbers of classes."""
    settings = large_shifts(rng)
    points = [[float(torch.exp(x[0])), z] for x, z in settings]
    expected = [float(torch.exp(x[0] - z)) for x, z in settings]
    values = values_of("shifted_numerator", ["e_x", "z"], points)
    assert_close(values, np.array(expected), name="shifted_numerator")


@exercise("checkpoint_shift", part="shifted_denominator", stated="written with S = Σ_j e^(x_j)")
def test_denominator_for_large_shifts(rng, values_of):
    """The denominator holds for shifts of several units, for other numbers of classes."""
    settings = large_shifts(rng)
    points = [[float(torch.exp(x).sum()), z] for x, z in settings]
    expected = [float(torch.exp(x - z).sum()) for x, z in settings]
    values = values_of("shifted_denominator", ["S", "z"], points)
    assert_close(values, np.array(expected), name="shifted_denominator")


@exercise(
    "checkpoint_shift", part="unshifted_logsumexp", stated="written with s = log Σ_j e^(x_j−z)"
)
def test_logsumexp_for_large_shifts(rng, values_of):
    """The logsumexp holds for shifts of several units, for other numbers of classes."""
    settings = large_shifts(rng)
    points = [[float(torch.logsumexp(x - z, 0)), z] for x, z in settings]
    expected = [float(torch.logsumexp(x, 0)) for x, z in settings]
    values = values_of("unshifted_logsumexp", ["s", "z"], points)
    assert_close(values, np.array(expected), name="unshifted_logsumexp")


# --------------------------------------------------------------------------------------- softmax


@exercise("softmax", about="detail", stated="the axis along which the results sum to 1")
def test_softmax_along_a_middle_axis(student, reference, rng):
    """For a three-dimensional array with axis=1 each shift belongs to its own slice."""
    x = spread(rng, 2, 5, 3, axis=1)
    agree(student, reference, "softmax", x, axis=1)


@exercise("softmax", about="detail", stated="logits, an array of any shape")
def test_softmax_of_a_vector(student, reference, rng):
    """A single vector of logits gives a single distribution."""
    x = 3.0 * rng.normal(size=6)
    agree(student, reference, "softmax", x)


@exercise("softmax", about="edge", stated="a logit of −∞ has the probability 0")
def test_softmax_of_impossible_classes(student, reference, rng):
    """A logit of −∞ gets the probability 0, and its rivals share 1."""
    x = rng.normal(size=(4, 5))
    x[np.arange(4), rng.integers(5, size=4)] = -np.inf
    agree(student, reference, "softmax", x)


@exercise("softmax", about="form", weight=0.5, stated="An array of x's shape and dtype")
def test_softmax_keeps_float32(student, reference, rng):
    """float32 logits give float32 probabilities."""
    x = spread(rng, 3, 4, step=200.0).astype(np.float32)
    agree(student, reference, "softmax", x)


# ------------------------------------------------------------------------------------- logsumexp


@exercise("logsumexp", about="detail", stated="the axis that is summed over, and disappears")
def test_logsumexp_along_a_middle_axis(student, reference, rng):
    """For a three-dimensional array with axis=1 the result has the other two axes."""
    x = spread(rng, 2, 5, 3, axis=1)
    agree(student, reference, "logsumexp", x, axis=1)


@exercise("logsumexp", about="detail", stated="an array of any shape")
def test_logsumexp_of_a_vector(student, reference, rng):
    """A single vector, all of it far below zero, gives a single finite number."""
    x = rng.uniform(-2, 2, size=6) - 2000.0
    agree(student, reference, "logsumexp", x)


@exercise("logsumexp", about="edge", stated="entries may be −∞")
def test_logsumexp_with_some_impossible_entries(student, reference, rng):
    """Entries of −∞ add nothing to the sum; a row of nothing else gives −∞."""
    x = rng.uniform(-2, 2, size=(4, 5)) + 900.0
    x[np.arange(4), rng.integers(5, size=4)] = -np.inf
    x[rng.integers(4)] = -np.inf
    agree(student, reference, "logsumexp", x)


@exercise(
    "logsumexp", about="form", weight=0.5,
    stated="An array of x's dtype, and of its shape without that axis",
)
def test_logsumexp_keeps_float32(student, reference, rng):
    """float32 logits give float32 results, beyond the 88 at which e^x overflows in float32."""
    x = (rng.uniform(-2, 2, size=(3, 4)) + 95.0).astype(np.float32)
    assert_close(np.ravel(student.logsumexp(x)), reference.logsumexp(x))


@exercise(
    "logsumexp", about="edge", weight=0.5,
    stated="An array of x's dtype, and of its shape without that axis",
)
def test_logsumexp_of_a_single_row(student, reference, rng):
    """A matrix of one row gives an array of one number: only the axis summed over disappears."""
    x = rng.uniform(-2, 2, size=(1, 6)) + 4.0
    agree(student, reference, "logsumexp", x)


# ----------------------------------------------------------------------------------- log_softmax


@exercise(
    "log_softmax", about="detail", stated="the axis along which the exponentials of the results"
)
def test_log_softmax_along_a_middle_axis(student, reference, rng):
    """For a three-dimensional array with axis=1, entries thousands apart, all is finite."""
    x = spread(rng, 2, 5, 3, axis=1)
    agree(student, reference, "log_softmax", x, axis=1)


@exercise("log_softmax", about="detail", stated="logits, an array of any shape")
def test_log_softmax_of_a_vector(student, reference, rng):
    """A single vector of logits gives a single vector, with a class at a log-probability of −40."""
    x = rng.uniform(-3, 3, size=6) + 1200.0
    x[rng.integers(6)] -= 40.0
    agree(student, reference, "log_softmax", x)


@exercise("log_softmax", stated="for finite logits of any size all its entries are finite")
def test_log_softmax_in_float32(student, reference, rng):
    """In float32 a class 150 below the largest keeps its log-probability near −150."""
    x = (rng.uniform(-1, 1, size=(3, 4)) + 3.0).astype(np.float32)
    x[np.arange(3), rng.integers(4, size=3)] -= 150.0
    agree(student, reference, "log_softmax", x)


@exercise("log_softmax", about="form", weight=0.5, stated="An array of x's shape and dtype")
def test_log_softmax_keeps_float32(student, reference, rng):
    """float32 logits give float32 log-probabilities."""
    x = rng.normal(size=(3, 4)).astype(np.float32)
    agree(student, reference, "log_softmax", x)


# -------------------------------------------------------------------------------------- nll_loss

IGNORED = "rows with this target have loss 0 and do not count"
ALONE = "leave their inputs as they were"


@exercise("nll_loss", about="detail", stated=IGNORED)
def test_nll_loss_with_another_ignore_index(student, reference, rng):
    """ignore_index may be an ordinary class: rows of that class are then left out."""
    log_probs, targets = reference.log_softmax(2 * rng.normal(size=(8, 9))), repeated(rng, 8, 9)
    counted = np.flatnonzero(targets != 8)[0]
    targets[[counted, 7]] = targets[[7, counted]]  # a counted row comes last
    for reduction in ("mean", "sum"):
        options = {"reduction": reduction, "ignore_index": 8}
        agree(student, reference, "nll_loss", log_probs, targets, **options)


@exercise("nll_loss", about="detail", stated=IGNORED)
def test_nll_loss_of_each_row_with_ignored_rows(student, reference, rng):
    """With reduction='none' ignored rows keep their place, with loss 0."""
    log_probs, targets = reference.log_softmax(rng.normal(size=(6, 3))), repeated(rng, 6, 3)
    # A counted row comes after the ignored ones, and its target is not its likeliest class.
    targets[rng.permutation(5)[:2]], targets[5] = -100, np.argmin(log_probs[5])
    agree(student, reference, "nll_loss", log_probs, targets, reduction="none")


@exercise("nll_loss", about="edge", stated="those of other classes may be −∞")
def test_nll_loss_beside_impossible_classes(student, reference, rng):
    """A class of probability 0 does no harm in rows whose target is another class."""
    log_probs, targets = reference.log_softmax(rng.normal(size=(5, 4))), repeated(rng, 5, 4)
    targets[4] = 1 + np.argmin(log_probs[4, 1:])  # one target is not its row's likeliest class
    log_probs[:, 0] = -np.inf
    agree(student, reference, "nll_loss", log_probs, targets)


@exercise("nll_loss", about="form", weight=0.5, stated="of shape (n,) and of log_probs' dtype")
def test_nll_loss_keeps_float32(student, reference, rng):
    """The losses of float32 log-probabilities are float32."""
    log_probs = reference.log_softmax(rng.normal(size=(1, 4)).astype(np.float32))
    targets = rng.integers(0, 4, size=1)
    assert_close(
        np.ravel(student.nll_loss(log_probs, targets, reduction="none")),
        reference.nll_loss(log_probs, targets, reduction="none"),
    )


# --------------------------------------------------------------------------------- smooth_labels


@exercise("smooth_labels", stated="Class indices as smoothed distributions, formula (5)")
def test_smooth_labels_strongly(student, reference, rng):
    """Strong smoothing, many classes, some of which no target belongs to."""
    targets = repeated(rng, 6, 7)
    agree(student, reference, "smooth_labels", targets, 9, 0.8)


@exercise(
    "smooth_labels", about="edge", stated="how much of the uniform distribution is mixed in, 0 … 1"
)
def test_smooth_labels_completely(student, reference, rng):
    """With α = 1 nothing of the label is left: every row is uniform."""
    targets = rng.integers(0, 3, size=4)
    agree(student, reference, "smooth_labels", targets, 3, 1.0)


@exercise("smooth_labels", about="arguments", weight=0.5, stated=ALONE)
def test_smooth_labels_leaves_its_targets_alone(student, rng):
    """The targets are the same after the call."""
    student.smooth_labels(rng.integers(0, 3, size=4), 3, 0.3)
    assert_unmodified(student)


# --------------------------------------------------------------------------------- cross_entropy


@exercise(
    "cross_entropy", about="detail", stated='"mean" (over the rows that count), "sum" or "none"'
)
def test_cross_entropy_summed_and_by_row(student, reference, rng):
    """reduction='sum' and 'none', for class indices and for distributions."""
    logits, targets = moderate(rng, 4, 6), rng.permutation(6)[:4]
    for y in (targets, distributions(rng, 4, 6)):
        for reduction in ("sum", "none"):
            agree(student, reference, "cross_entropy", logits, y, reduction=reduction)


@exercise("cross_entropy", about="detail", stated="ignored rows keep loss 0")
def test_cross_entropy_smooths_and_ignores(student, reference, rng):
    """label_smoothing and ignore_index together: ignored rows count nowhere."""
    logits, targets = moderate(rng, 8, 9), repeated(rng, 8, 9)
    for reduction in ("mean", "none"):
        options = {"reduction": reduction, "ignore_index": 8, "label_smoothing": 0.4}
        agree(student, reference, "cross_entropy", logits, targets, **options)


@exercise("cross_entropy", about="detail", stated="α of formula (5), for either kind of target")
def test_cross_entropy_smooths_distributions(student, reference, rng):
    """label_smoothing mixes distributions with the uniform one as well."""
    logits, y = moderate(rng, 5, 3), distributions(rng, 5, 3)
    agree(student, reference, "cross_entropy", logits, y, label_smoothing=0.6)


@exercise("cross_entropy", weight=0.5, stated="Cross-entropy of logits of any size")
def test_cross_entropy_in_float32(student, reference, rng):
    """float32 logits thousands apart give a finite loss, for hopeless targets too."""
    logits, hopeless = spread(rng, 6, 3).astype(np.float32), np.arange(6) % 3
    for row, place in zip(logits, hopeless, strict=True):
        row[:] = np.roll(row, place - np.argmin(row))
    targets = (hopeless + 1) % 3  # whoever counts classes from 1 hits the hopeless ones
    targets[0] = hopeless[0]
    targets[1] = np.bincount(np.argmax(logits, axis=1)).argmax()  # a class that wins in two rows
    agree(student, reference, "cross_entropy", logits, targets)


# ------------------------------------------------------------------- the checkpoints on the slopes


def jacobian_points(rng, slopes_of, classes):
    """One confident prediction, where the wrong forms are far from the right ones."""
    f = torch.tensor(rng.uniform(-0.5, 0.5, size=classes))
    f[0] += 2.5
    return torch.softmax(f, 0), torch.autograd.functional.jacobian(slopes_of, f)


def own_slopes(rng, slopes_of):
    """Points (h_i) and ∂·_i/∂f_i for the class far ahead and for one of the others."""
    h, slopes = jacobian_points(rng, slopes_of, 6)
    return [[float(h[i])] for i in (0, 3)], np.array([float(slopes[i, i]) for i in (0, 3)])


def rival_slopes(rng, slopes_of):
    """Points (h_i, h_k) and ∂·_i/∂f_k, once for i far ahead and once for k."""
    h, slopes = jacobian_points(rng, slopes_of, 6)
    points = [[float(h[0]), float(h[4])], [float(h[5]), float(h[0])]]
    return points, np.array([float(slopes[0, 4]), float(slopes[5, 0])])


@exercise("checkpoint_softmax_slope", part="dh_same", stated="∂h_i/∂f_i, written with h_i")
def test_dh_same_of_a_confident_prediction(rng, values_of):
    """∂h_i/∂f_i for six classes, one of them far ahead."""
    points, expected = own_slopes(rng, lambda f: torch.softmax(f, 0))
    assert_close(values_of("dh_same", ["h_i"], points), expected, name="dh_same")


@exercise("checkpoint_softmax_slope", part="dh_other", stated="∂h_i/∂f_k for k ≠ i, written with")
def test_dh_other_of_a_confident_prediction(rng, values_of):
    """∂h_i/∂f_k for six classes, one of them far ahead."""
    points, expected = rival_slopes(rng, lambda f: torch.softmax(f, 0))
    assert_close(values_of("dh_other", ["h_i", "h_k"], points), expected, name="dh_other")


@exercise("checkpoint_log_slope", part="dlog_same", stated="∂log h_i/∂f_i, written with h_i")
def test_dlog_same_of_a_confident_prediction(rng, values_of):
    """∂log h_i/∂f_i for six classes, one of them far ahead."""
    points, expected = own_slopes(rng, lambda f: torch.log_softmax(f, 0))
    assert_close(values_of("dlog_same", ["h_i"], points), expected, name="dlog_same")


@exercise("checkpoint_log_slope", part="dlog_other", stated="∂log h_i/∂f_k for k ≠ i")
def test_dlog_other_of_a_confident_prediction(rng, values_of):
    """∂log h_i/∂f_k for six classes, one of them far ahead."""
    points, expected = rival_slopes(rng, lambda f: torch.log_softmax(f, 0))
    assert_close(values_of("dlog_other", ["h_i", "h_k"], points), expected, name="dlog_other")


@exercise(
    "checkpoint_loss_gradient", part="dloss_any_target",
    stated="for any target whose entries have the sum Y",
)
def test_dloss_of_counts(rng, values_of):
    """The general form holds for counts, whose sum Y is 12."""
    f = torch.tensor(rng.uniform(-1, 1, size=3), requires_grad=True)
    h = torch.softmax(f, 0).detach()
    counts = torch.tensor(rng.permutation([2.0, 3.0, 7.0]))
    (-(counts * torch.log_softmax(f, 0)).sum()).backward()
    points = [[float(h[k]), float(counts[k]), 12.0] for k in range(3)]
    values = values_of("dloss_any_target", ["h_k", "y_k", "Y"], points)
    assert_close(values, f.grad.numpy(), name="dloss_any_target")


@exercise(
    "checkpoint_loss_gradient", part="dloss", stated="for a target that is a distribution"
)
def test_dloss_of_a_one_hot_target(rng, values_of):
    """The short form holds for a one-hot target."""
    f = torch.tensor(rng.uniform(-1, 1, size=3), requires_grad=True)
    h = torch.softmax(f, 0).detach()
    (-torch.log_softmax(f, 0)[1]).backward()
    points = [[float(h[k]), float(k == 1)] for k in range(3)]
    assert_close(values_of("dloss", ["h_k", "y_k"], points), f.grad.numpy(), name="dloss")


# ------------------------------------------------------------------------------ softmax_nll_grad


@exercise("softmax_nll_grad", stated="with respect to logits of any size")
def test_grad_of_extreme_logits(student, reference, rng):
    """Logits thousands apart give finite gradients, for more classes than rows."""
    logits, targets = spread(rng, 3, 8), rng.permutation(8)[:3]
    agree(student, reference, "softmax_nll_grad", logits, targets)


@exercise("softmax_nll_grad", stated="Classes may be missing, or occur several times")
def test_grad_for_repeated_targets(student, reference, rng):
    """Several rows may share a class, and a class may have no row at all."""
    logits, targets = rng.normal(size=(9, 4)), repeated(rng, 9, 4)
    agree(student, reference, "softmax_nll_grad", logits, targets)


@exercise("softmax_nll_grad", about="detail", stated='"mean" or "sum", that of the loss')
def test_grad_for_as_many_rows_as_classes(student, reference, rng):
    """A square batch, summed, with distributions as targets."""
    logits, y = rng.normal(size=(4, 4)), distributions(rng, 4, 4)
    agree(student, reference, "softmax_nll_grad", logits, y, reduction="sum")


@exercise(
    "softmax_nll_grad", about="form", weight=0.5, stated="An array of the logits' shape and dtype"
)
def test_grad_keeps_float32(student, reference, rng):
    """float32 logits give a float32 gradient."""
    logits = rng.normal(size=(6, 3)).astype(np.float32)
    targets = repeated(rng, 6, 3)
    agree(student, reference, "softmax_nll_grad", logits, targets)


# -------------------------------------------------------------------------------- gradient_error


@exercise("gradient_error", stated=public.HOW_WRONG)
def test_gradient_error_beside_small_slopes(student, reference, rng):
    """It is relative: near a flat place a small deviation is a large error."""
    x = rng.uniform(0.01, 0.03, size=(3, 2))
    right = public.true_gradient("cubes", x)
    grad = right + 0.01 * rng.permutation([1.0, -1.0, 0.5, -0.5, 0.2, 0.0]).reshape(3, 2)
    assert_close(
        student.run(public.measured_error, "cubes", x, grad, None),
        reference.gradient_error(public.TORCH_LOSSES["cubes"], x, grad), rtol=1e-5,
    )  # fmt: skip


@exercise("gradient_error", about="detail", stated="logits: where the gradient was taken")
def test_gradient_error_of_a_single_row(student, reference, rng):
    """One row of logits, with a step of 0.1."""
    x = rng.uniform(0.5, 1.5, size=(1, 4))
    grad = 0.9 * public.true_gradient("waves", x)
    assert_close(
        student.run(public.measured_error, "waves", x, grad, 0.1),
        reference.gradient_error(public.TORCH_LOSSES["waves"], x, grad, 0.1), rtol=1e-6,
    )  # fmt: skip


# ------------------------------------------------------------------------------ softmax_backward


@exercise("softmax_backward", stated="Vector–Jacobian product of softmax along the last axis")
def test_backward_of_a_wide_batch(student, reference, rng):
    """More classes than rows, with a large upstream gradient."""
    h, upstream = reference.softmax(2 * rng.normal(size=(3, 9))), 40 * rng.normal(size=(3, 9))
    agree(student, reference, "softmax_backward", upstream, h)


@exercise(
    "softmax_backward", about="detail",
    stated="an array of any shape with the classes on the last axis",
)
def test_backward_with_leading_axes(student, reference, rng):
    """For arrays of three dimensions the classes lie on the last axis, as in attention."""
    h, upstream = reference.softmax(rng.normal(size=(2, 3, 4))), rng.normal(size=(2, 3, 4))
    agree(student, reference, "softmax_backward", upstream, h)


# ---------------------------------------------------------------------- train_softmax_regression


@exercise(
    "train_softmax_regression", about="edge", stated="there may be classes that never occur in y"
)
def test_training_with_a_class_that_never_occurs(student, reference, rng, assert_same_model):
    """num_classes may be larger than the number of classes among the targets."""
    X, y = rng.normal(size=(10, 3)), rng.permutation(np.arange(10) % 4)
    assert_same_model(
        student.train_softmax_regression(X, y, 6, 0.2, 5),
        reference.train_softmax_regression(X, y, 6, 0.2, 5),
    )


@exercise(
    "train_softmax_regression", about="detail",
    stated="adds λW to the gradient of W, and nothing to that of b",
)
def test_training_decays_strongly(student, reference, rng, assert_same_model):
    """Forty steps with strong decay, lr·λ = 0.1: weights shrink, biases do not."""
    X, y = rng.normal(size=(16, 4)) - 1.0, rng.permutation(np.arange(16) % 3)
    assert_same_model(
        student.train_softmax_regression(X, y, 3, 0.2, 40, weight_decay=0.5),
        reference.train_softmax_regression(X, y, 3, 0.2, 40, weight_decay=0.5),
    )


@exercise(
    "train_softmax_regression", about="edge", weight=0.5, stated="0 gives the zero parameters back"
)
def test_training_for_no_steps(student, reference, rng, assert_same_model):
    """With steps=0 the zero weights come back."""
    X, y = rng.normal(size=(6, 2)), rng.permutation(np.arange(6) % 3)
    assert_same_model(
        student.train_softmax_regression(X, y, 3, 0.2, 0),
        reference.train_softmax_regression(X, y, 3, 0.2, 0),
    )


@exercise("train_softmax_regression", about="arguments", weight=0.5, stated=ALONE)
def test_training_leaves_its_inputs_alone(student, rng):
    """Features and classes are the same after the call."""
    X, y = rng.normal(size=(6, 2)), rng.permutation(np.arange(6) % 3)
    student.train_softmax_regression(X, y, 3, 0.2, 2, weight_decay=0.1)
    assert_unmodified(student)


# -------------------------------------------------------------------------------------- break_it


@exercise(
    "break_it", part="logits_below_zero", weight=0.5,
    stated="Finite logits, none above 0, on which naive_softmax in float64 gives NaN",
)
def test_stable_softmax_survives_the_first_logits(student, reference):
    """On logits_below_zero a right softmax still gives probability distributions."""
    rows = reference.softmax(np.atleast_2d(np.asarray(student.logits_below_zero(), np.float64)))
    assert_close(rows.sum(axis=-1), np.ones(len(rows)))


@exercise(
    "break_it", part="underflowing_logits", weight=0.5,
    stated="Finite logits on which log_of_softmax in float32 is off by more than 100",
)
def test_log_softmax_survives_the_second_logits(student, reference):
    """On underflowing_logits a right log_softmax is finite, with a value below −100."""
    rows = reference.log_softmax(
        np.atleast_2d(np.asarray(student.underflowing_logits(), np.float32))
    )
    assert np.isfinite(rows).all() and rows.min() < -100
