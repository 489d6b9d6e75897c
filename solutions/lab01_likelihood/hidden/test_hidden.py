"""Lab 01, hidden tests: other shapes, extreme values, and the traps."""

import numpy as np
import torch
from torch.distributions import Bernoulli, Normal
from torch.nn import functional

from course_utils.testing import agree, assert_close, assert_unmodified, evaluate, exercise, probe

LEFT_ALONE = "leave their arguments as they were"
DTYPE = "keep the dtype"


def signed(rng, *shape, low=0.5, high=2.0):
    signs = rng.permutation(np.resize([1.0, -1.0], np.prod(shape))).reshape(shape)
    return signs * rng.uniform(low, high, size=shape)


def distributions(rng, *shape):
    weights = rng.uniform(0.1, 1.0, size=shape) * rng.permutation(np.arange(1, shape[-1] + 1))
    return weights / weights.sum(axis=-1, keepdims=True)


def slopes(f, *points):
    found = []
    for first, *others in points:
        x = torch.tensor(first, dtype=torch.float64, requires_grad=True)
        f(x, *(torch.tensor(other, dtype=torch.float64) for other in others)).backward()
        found.append(float(x.grad))
    return found


# ------------------------------------------------------------------------- mse_loss and mse_grad


@exercise("mse_loss", stated="an array of any shape")
def test_mse_of_other_shapes(student, reference, rng):
    """The mean over all elements of a vector and of an array of three dimensions."""
    for shape in ((7,), (2, 5, 3)):
        pred, target = rng.normal(size=shape), rng.normal(size=shape)
        agree(student, reference, "mse_loss", pred, target)


@exercise("mse_loss", about="edge", stated="for \"none\" an array of pred's shape")
def test_mse_of_a_column_element_by_element(student, reference, rng):
    """For a column and a vector, either way round, the n losses have the prediction's shape."""
    for o, g in (((6, 1), (6,)), ((5,), (5, 1))):
        pred, target = rng.normal(size=o), rng.normal(size=g)
        agree(student, reference, "mse_loss", pred, target, reduction="none")


@exercise("mse_loss", about="arguments", weight=0.5, stated=LEFT_ALONE)
def test_mse_leaves_its_arguments_alone(student, rng):
    """Neither array is changed by the call."""
    student.mse_loss(rng.normal(size=(4, 1)), rng.normal(size=4))
    assert_unmodified(student)


@exercise("mse_grad", stated="An array of pred's shape")
def test_mse_grad_of_other_shapes(student, reference, rng):
    """The slopes of the mean for a vector and for an array of three dimensions."""
    for shape in ((7,), (2, 5, 3)):
        pred, target = rng.normal(size=shape), rng.normal(size=shape)
        agree(student, reference, "mse_grad", pred, target)


@exercise("mse_grad", about="form", weight=0.5, stated="the dtype is kept")
def test_mse_grad_keeps_float32(student, reference, rng):
    """float32 stays float32."""
    pred, target = rng.normal(size=(2, 6, 2)).astype(np.float32)
    agree(student, reference, "mse_grad", pred, target)


@exercise("mse_grad", about="arguments", weight=0.5, stated=LEFT_ALONE)
def test_mse_grad_leaves_its_arguments_alone(student, rng):
    """Neither array is changed by the call."""
    student.mse_grad(rng.normal(size=(4, 1)), rng.normal(size=4))
    assert_unmodified(student)


# ---------------------------------------------------------------------------------- gaussian_nll


@exercise("gaussian_nll", stated="the sum over the examples, the part without y included")
def test_gaussian_nll_of_many_features(student, reference, rng):
    """More features than examples, small and large noise."""
    X, w, y = signed(rng, 4, 6), signed(rng, 6), signed(rng, 4)
    for sigma in (0.005, 7.0):  # so small that a density is rounded to 0
        agree(student, reference, "gaussian_nll", X, y, w, sigma)
    assert_unmodified(student)


# ---------------------------------------------------------------------------- checkpoint_nll_mse


@exercise("checkpoint_nll_mse", part="term_slope", stated="written with mu, y and sigma")
def test_term_slope_for_other_noise(student, rng):
    """The slope for very small and very large noise, on both sides of the target."""
    points = [[0.3, 1.4, 0.1], [2.0, -1.0, 5.0], [-1.0, float(rng.uniform(1, 2)), 0.7]]
    expected = slopes(lambda mu, y, sigma: -Normal(mu, sigma).log_prob(y), *points)
    assert_close(student.run(evaluate, "term_slope", ["mu", "y", "sigma"], points), expected)


@exercise("checkpoint_nll_mse", part="nll_part", stated="n is the number of examples")
def test_nll_part_for_one_example(student, rng):
    """For a single example and for a hundred."""
    points, expected = [], []
    for n, sigma in ((1, 0.3), (100, 2.0)):
        o, g = torch.tensor(rng.normal(size=n)), torch.tensor(rng.normal(size=n) + 2.0)
        excess = Normal(g, sigma).log_prob(g).sum() - Normal(o, sigma).log_prob(g).sum()
        points.append([float(functional.mse_loss(o, g)), n, sigma])
        expected.append(float(excess))
    assert_close(student.run(evaluate, "nll_part", ["mse", "n", "sigma"], points), expected)


@probe(values=True)
def least_squares_grad(student, X, y, w):
    """The value of least_squares_grad for matrices of numbers."""
    import sympy as sp

    result = student.least_squares_grad(sp.Matrix(X), sp.Matrix(y), sp.Matrix(w))
    return np.array(sp.Matrix(result).tolist(), dtype=np.float64)


@exercise(
    "checkpoint_nll_mse", part="least_squares_grad", stated="the result has shape (d, 1)"
)
def test_least_squares_grad_of_a_wide_matrix(student, rng):
    """More features than examples."""
    X, y, w = signed(rng, 2, 4), signed(rng, 2), signed(rng, 4)
    leaf = torch.tensor(w[:, None], requires_grad=True)
    (0.5 * (torch.tensor(y[:, None]) - torch.tensor(X) @ leaf).square().sum()).backward()
    assert_close(student.run(least_squares_grad, X, y, w), leaf.grad.numpy())


# ------------------------------------------------------------------------- linear_regression_fit


@exercise("linear_regression_fit", stated="The w and b with the smallest sum of squares")
def test_fit_of_one_feature(student, reference, rng):
    """A line through noisy points far from the origin."""
    X = rng.uniform(2, 5, size=(12, 1))
    y = -3.0 * X[:, 0] + 20.0 + rng.normal(size=12)
    agree(student, reference, "linear_regression_fit", X, y, rtol=1e-6)
    assert_unmodified(student)


@exercise("linear_regression_fit", about="edge", weight=2, stated="may be ill-conditioned")
def test_fit_of_nearly_equal_features(student, rng):
    """Two features that differ by a billionth: w is recovered where the data hold it exactly."""
    base, other = signed(rng, 30), signed(rng, 30)
    X = np.stack([base, base + 1e-9 * other], axis=1)
    # Powers of two, so that y is exact but for its last digit and the answer known.
    y = X @ np.array([2.0, -1.0]) + 0.5
    w, b = student.linear_regression_fit(X, y)
    assert_close(X @ w + b, y, rtol=1e-4, name="the prediction")
    assert_close(np.asarray(w), np.array([2.0, -1.0]), rtol=1e-3, name="w")


@exercise("linear_regression_fit", about="edge", stated="features may repeat one another")
def test_fit_with_a_repeated_feature(student, reference, rng):
    """A feature that occurs twice shares its weight with its copy."""
    X = signed(rng, 10, 2)
    X = np.stack([X[:, 0], X[:, 1], X[:, 0]], axis=1)
    y = signed(rng, 10)
    agree(student, reference, "linear_regression_fit", X, y, rtol=1e-6, atol=1e-9)


# ------------------------------------------------------------------------------ gradient_descent


@probe(values=True)
def gradient_descent(student, w0, lr, steps):
    """The student's walk on Σ log cosh w, whose slope is no straight line."""
    return student.gradient_descent(lambda w: np.tanh(w), w0, lr, steps)


@exercise("gradient_descent", stated="The iterates of gradient descent, formula (5)")
def test_descent_on_a_curve(student, reference, rng):
    """Twelve steps on a function that is no parabola, with a large learning rate."""
    w0 = signed(rng, 5)
    assert_close(
        student.run(gradient_descent, w0, 0.8, 12),
        reference.gradient_descent(lambda w: torch.log(torch.cosh(w)).sum(), w0, 0.8, 12),
        name="the walk",
    )


@exercise("gradient_descent", about="edge", stated="how many updates, 0 or more")
def test_descent_of_no_steps(student, rng):
    """With steps=0 the walk is w0 alone, in one row."""
    w0 = signed(rng, 3)
    assert_close(student.run(gradient_descent, w0, 0.5, 0), w0[None], name="the walk")


@exercise("gradient_descent", about="edge", stated="how many updates, 0 or more")
def test_descent_where_nothing_moves(student, reference, rng):
    """All steps are taken, also where the slopes cancel one another, or are 0."""
    w = rng.uniform(0.5, 2)
    for w0 in (np.array([w, -w]), np.zeros(2)):
        assert_close(
            student.run(gradient_descent, w0, 0.8, 4),
            reference.gradient_descent(lambda w: torch.log(torch.cosh(w)).sum(), w0, 0.8, 4),
            name="the walk",
        )


# --------------------------------------------------------------------------------------- sigmoid


@probe(values=True)
def magnified(student, name, values, factor):
    """What a student's function returns, times a factor: tiny values at the size of others."""
    return getattr(student, name)(values) * factor


@exercise("sigmoid", part="sigmoid", about="edge", stated="for logits of any size")
def test_sigmoid_of_small_probabilities(student, reference, rng):
    """At logits from −700 to −40 the probability is tiny, and right in all its digits."""
    for level in (-40.0, -300.0, -700.0):
        z = level + rng.uniform(-2, 2, size=3)
        factor = np.exp(-level)
        seen = student.run(magnified, "sigmoid", z, factor)
        assert_close(seen, reference.sigmoid(z) * factor)


@exercise(
    "sigmoid", part="sigmoid", about="form", weight=0.5, stated="An array of z's shape and dtype"
)
def test_sigmoid_keeps_float32(student, reference, rng):
    """float32 stays float32, also at ±100 where e^z overflows in it."""
    z = np.array([[-100.0, 100.0], [0.5, -2.0]], dtype=np.float32)
    agree(student, reference, "sigmoid", z)
    agree(student, reference, "sigmoid_grad", z)


@exercise("sigmoid", part="sigmoid", about="arguments", weight=0.5, stated=LEFT_ALONE)
def test_sigmoid_leaves_its_argument_alone(student, rng):
    """z is not changed by the call."""
    student.sigmoid(signed(rng, 4))
    assert_unmodified(student)


@exercise("sigmoid", part="sigmoid_grad", about="edge", stated="any shape and any size")
def test_sigmoid_grad_in_the_left_tail(student, reference, rng):
    """At logits near −40 and −300 the slope is tiny, and right in all its digits."""
    for level in (-40.0, -300.0):
        z = level + rng.uniform(-2, 2, size=(2, 2))
        factor = np.exp(-level)
        seen = student.run(magnified, "sigmoid_grad", z, factor)
        assert_close(seen, reference.sigmoid_grad(z) * factor)


# ------------------------------------------------------------------------------- bce_with_logits


@exercise("bce_with_logits", stated="Binary cross-entropy of logits, formula (7)")
def test_bce_of_a_table(student, reference, rng):
    """Logits and labels in a table: one loss for every element."""
    z = signed(rng, 4, 3, high=4.0)
    y = rng.permutation(np.arange(12.0) % 2).reshape(4, 3)
    agree(student, reference, "bce_with_logits", z, y, reduction="none")


@exercise("bce_with_logits", about="detail", stated='"mean" (over all elements), "sum" or "none"')
def test_bce_of_a_table_reduced(student, reference, rng):
    """The mean and the sum of a table run over all its elements."""
    z = signed(rng, 4, 3, high=4.0)
    y = rng.permutation(np.arange(12.0) % 2).reshape(4, 3)
    for reduction in ("mean", "sum"):
        agree(student, reference, "bce_with_logits", z, y, reduction=reduction)


@exercise("bce_with_logits", about="edge", stated="accurate for tiny losses too")
def test_bce_of_examples_long_since_right(student, reference, rng):
    """Losses of 1e−8 and of 1e−20 are right in all their digits, and not 0."""
    # Each by itself: beside a larger loss a smaller one would not be seen. The label is 1, as
    # torch loses these digits itself where it is 0.
    for level in (18.0, 45.0):
        z = np.array([level + rng.uniform(-1, 1)])
        agree(student, reference, "bce_with_logits", z, np.ones(1), reduction="none")


@exercise("bce_with_logits", about="edge", stated="stable for logits of any size")
def test_bce_of_a_soft_label_far_out(student, reference, rng):
    """Soft labels at logits of ±1000."""
    z, y = np.array([1000.0, -1000.0, 1000.0]), rng.uniform(0.2, 0.8, size=3)
    agree(student, reference, "bce_with_logits", z, y, reduction="none")
    assert_unmodified(student)


@exercise("bce_with_logits", about="form", weight=0.5, stated=DTYPE)
def test_bce_keeps_float32(student, reference, rng):
    """float32 stays float32."""
    z = signed(rng, 6).astype(np.float32)
    y = rng.permutation(np.arange(6) % 2).astype(np.float32)
    agree(student, reference, "bce_with_logits", z, y, reduction="none")


# ----------------------------------------------------- the slopes of the two losses (checkpoints)


def sigma(z):
    return float(torch.sigmoid(torch.tensor(z, dtype=torch.float64)))


@exercise("checkpoint_bce_slope", part="dlog_yes", stated="written with s = σ(z)")
def test_dlog_yes_of_sure_classifiers(student):
    """Where the classifier is nearly certain, on either side."""
    z = [-3.0, 4.0]
    expected = slopes(functional.logsigmoid, *([x] for x in z))
    assert_close(student.run(evaluate, "dlog_yes", ["s"], [[sigma(x)] for x in z]), expected)


@exercise("checkpoint_bce_slope", part="dlog_no", stated="written with s = σ(z)")
def test_dlog_no_of_sure_classifiers(student):
    """Where the classifier is nearly certain, on either side."""
    z = [-3.0, 4.0]
    expected = slopes(lambda x: functional.logsigmoid(-x), *([x] for x in z))
    assert_close(student.run(evaluate, "dlog_no", ["s"], [[sigma(x)] for x in z]), expected)


@exercise("checkpoint_bce_slope", part="dbce", stated="written with s = σ(z) and y")
def test_dbce_of_sure_classifiers(student):
    """Where the classifier is nearly certain, right and wrong."""
    pairs = [(-3.0, 1.0), (4.0, 1.0), (4.0, 0.0), (-3.0, 0.5)]
    expected = slopes(functional.binary_cross_entropy_with_logits, *pairs)
    points = [[sigma(z), y] for z, y in pairs]
    assert_close(student.run(evaluate, "dbce", ["s", "y"], points), expected)


@exercise("checkpoint_saturation", part="dsquared", stated="written with s = σ(z) and y")
def test_dsquared_of_sure_classifiers(student):
    """Where the classifier is nearly certain, right and wrong."""
    pairs = [(-3.0, 1.0), (4.0, 1.0), (4.0, 0.0)]
    expected = slopes(lambda z, y: (torch.sigmoid(z) - y).square(), *pairs)
    points = [[sigma(z), y] for z, y in pairs]
    assert_close(student.run(evaluate, "dsquared", ["s", "y"], points), expected)


@exercise("checkpoint_saturation", part="slope_ratio", stated="written with s")
def test_slope_ratio_of_sure_classifiers(student):
    """Where the classifier is nearly certain, the ratio is nearly 0."""
    pairs = [(-4.0, 1.0), (5.0, 0.0), (-4.0, 0.0)]
    squares = slopes(lambda z, y: (torch.sigmoid(z) - y).square(), *pairs)
    bces = slopes(functional.binary_cross_entropy_with_logits, *pairs)
    values = student.run(evaluate, "slope_ratio", ["s"], [[sigma(z)] for z, _ in pairs])
    assert_close(values, [a / b for a, b in zip(squares, bces, strict=True)])


# ---------------------------------------------------------------------- logistic_regression_grad


@exercise("logistic_regression_grad", stated="An array of w's shape")
def test_logistic_grad_of_a_wide_matrix(student, reference, rng):
    """More features than examples."""
    X, y, w = signed(rng, 3, 5), rng.permutation([0.0, 1.0, 1.0]), signed(rng, 5)
    agree(student, reference, "logistic_regression_grad", X, y, w)
    assert_unmodified(student)


@exercise("logistic_regression_grad", about="edge", stated="finite for logits of any size")
def test_logistic_grad_of_large_logits(student, reference, rng):
    """Logits of thousands on both sides give a finite gradient."""
    X = np.array([[3000.0, 0.0], [-3000.0, 0.0], [1.0, 2.0]])
    w, y = np.array([1.0, 0.5]) * rng.uniform(0.8, 1.2), np.array([0.0, 1.0, 1.0])
    agree(student, reference, "logistic_regression_grad", X, y, w)


# --------------------------------------------------------------------------------------- entropy


@exercise("entropy", part="entropy", stated="an array whose last axis sums to 1")
def test_entropy_of_other_shapes(student, reference, rng):
    """One number for a single distribution; a table for an array of three dimensions."""
    for shape in ((5,), (2, 3, 4)):
        p = distributions(rng, *shape)
        agree(student, reference, "entropy", p)


@exercise("entropy", part="entropy", about="edge", stated="0·log 0 = 0")
def test_entropy_of_nearly_impossible_outcomes(student, reference):
    """Probabilities of 1e−12 and 1e−300 count for what they are."""
    for tiny in (1e-12, 1e-300):
        p = np.array([[tiny, 1.0, 0.0], [1.0, 0.0, 0.0]])
        seen = student.run(magnified, "entropy", p, 1 / tiny)
        assert_close(seen, reference.entropy(p) / tiny, rtol=1e-9)


@exercise("entropy", part="entropy", about="detail", stated='"nats" or "bits"')
def test_units_of_a_certain_outcome(student, reference, rng):
    """Bits with zeros among the probabilities."""
    p = np.array([0.0, *distributions(rng, 4)])
    agree(student, reference, "entropy", p, unit="bits")
    assert_unmodified(student)


@exercise("entropy", part="cross_entropy", stated="An array of p's shape without the last axis")
def test_cross_entropy_of_other_shapes(student, reference, rng):
    """One number for a pair of distributions; a table for arrays of three dimensions."""
    for shape in ((5,), (2, 3, 4)):
        p, q = distributions(rng, *shape), distributions(rng, *shape)
        agree(student, reference, "cross_entropy", p, q)


@exercise("entropy", part="cross_entropy", about="edge", stated="0·log 0 = 0")
def test_cross_entropy_of_unlikely_outcomes(student, reference, rng):
    """A q of 1e−300 costs about 690 nats, not ∞ and not 27."""
    p, q = distributions(rng, 3), np.array([1e-300, 0.4, 0.6])
    agree(student, reference, "cross_entropy", p, q)
    assert_unmodified(student)


@exercise("entropy", part="kl_divergence", stated="An array of p's shape without the last axis")
def test_kl_divergence_of_other_shapes(student, reference, rng):
    """One number for a pair of distributions; a table for arrays of three dimensions."""
    for shape in ((5,), (2, 3, 4)):
        p, q = distributions(rng, *shape), np.flip(distributions(rng, *shape), -1).copy()
        agree(student, reference, "kl_divergence", p, q)


@exercise("entropy", part="kl_divergence", about="edge", stated="p, q: as in cross_entropy")
def test_kl_divergence_from_itself(student, rng):
    """The right expectation costs nothing, with zeros too."""
    p = np.stack([distributions(rng, 4), np.array([0.0, 0.5, 0.5, 0.0])])
    assert_close(student.kl_divergence(p, p.copy()), np.zeros(2), atol=1e-12)
    assert_unmodified(student)


# ----------------------------------------------------------------------------------- information


@exercise("information", part="perplexity", stated="The perplexity of the model q")
def test_perplexity_of_the_right_model(student, reference, rng):
    """With q = p it lies between 1 and K."""
    p = distributions(rng, 7)
    assert_close(student.perplexity(p, p.copy()), reference.perplexity(p, p))
    assert_unmodified(student)


@exercise("information", part="perplexity", about="edge", stated="zeros are allowed")
def test_perplexity_of_a_model_that_excludes_what_happens(student):
    """Where q excludes an outcome that happens, the perplexity is ∞."""
    p, q = np.array([0.5, 0.25, 0.25, 0.0]), np.array([0.5, 0.5, 0.0, 0.0])
    assert_close(student.perplexity(p, q), np.inf)


@exercise("information", part="mutual_information", stated="I(x; y), formula (9)")
def test_mutual_information_of_a_square_table(student, reference, rng):
    """As many rows as columns, and marginals that differ."""
    joint = distributions(rng, 9).reshape(3, 3)
    agree(student, reference, "mutual_information", joint)
    assert_unmodified(student)


@exercise("information", part="mutual_information", about="edge", stated="zeros are allowed")
def test_mutual_information_with_an_impossible_row(student, reference, rng):
    """A value of x that never occurs changes nothing; bits."""
    joint = np.insert(distributions(rng, 6).reshape(2, 3), 1, 0.0, axis=0)
    agree(student, reference, "mutual_information", joint, unit="bits")


# ----------------------------------------------------------------------------- checkpoint_family


@probe
def two_class_logit(student, pairs):
    """The values of two_class_logit at pairs (a, b)."""
    import sympy as sp

    a, b = sp.symbols("a b", real=True)
    expression = sp.sympify(student.two_class_logit(a, b))
    return [float(expression.subs({a: first, b: second})) for first, second in pairs]


@exercise("checkpoint_family", part="two_class_logit", stated="softmax([a, b])_second")
def test_two_class_logit_against_zero(student, rng):
    """With a = 0 it is b; with b = 0 it is −a."""
    x = float(rng.uniform(0.5, 2))
    pairs = [[0.0, x], [x, 0.0], [0.0, -x]]
    probabilities = torch.softmax(torch.tensor(pairs, dtype=torch.float64), 1)[:, 1]
    assert_close(student.run(two_class_logit, pairs), torch.logit(probabilities).tolist())


@exercise("checkpoint_family", part="gaussian_slope", stated="for a Gaussian output")
def test_gaussian_slope_far_out(student):
    """Far from the target, on both sides."""
    points = [[10.0, -3.0], [-8.0, 2.5]]
    expected = slopes(lambda z, g: -Normal(z, 1.0).log_prob(g), *points)
    assert_close(student.run(evaluate, "gaussian_slope", ["z", "g"], points), expected)


@exercise("checkpoint_family", part="bernoulli_slope", stated="for a yes or no")
def test_bernoulli_slope_far_out(student):
    """Nearly certain, right and wrong."""
    points = [[4.0, 0.0], [-4.0, 1.0], [-4.0, 0.0]]
    expected = slopes(lambda z, g: -Bernoulli(logits=z).log_prob(g), *points)
    assert_close(student.run(evaluate, "bernoulli_slope", ["z", "g"], points), expected)


@exercise("checkpoint_family", part="categorical_slope", stated="for a class")
def test_categorical_slope_of_many_classes(student, rng):
    """Nine classes, one of them far ahead, and not the gold one."""
    z = torch.tensor(signed(rng, 9))
    z[3] += 4.0
    z.requires_grad_()
    functional.cross_entropy(z[None], torch.tensor([5])).backward()
    e = torch.exp(z.detach())
    points = [[float(e[k]), float(e.sum()), float(k == 5)] for k in (3, 5, 8)]
    expected = [float(z.grad[k]) for k in (3, 5, 8)]
    assert_close(student.run(evaluate, "categorical_slope", ["e_k", "S", "g_k"], points), expected)


# -------------------------------------------------------------------------------------- break_it


def assert_ordinary(value, y, reference):
    z = np.asarray(value, dtype=np.float64).reshape(())
    loss = float(reference.bce_with_logits(z, np.float64(y)))
    assert np.isfinite(loss) and loss > 30, f"the true loss at {z.item():g} is {loss:g}"


@exercise("break_it", part="lost_yes", weight=0.5, stated="A finite logit z")
def test_true_loss_of_the_lost_yes(student, reference):
    """At lost_yes the true loss is an ordinary number."""
    assert_ordinary(student.lost_yes(), 1, reference)


@exercise("break_it", part="lost_no", weight=0.5, stated="A logit z between −40 and 40")
def test_true_loss_of_the_lost_no(student, reference):
    """At lost_no the true loss is an ordinary number."""
    assert_ordinary(student.lost_no(), 0, reference)
