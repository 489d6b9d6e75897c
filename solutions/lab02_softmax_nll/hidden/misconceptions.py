"""Lab 02: named wrong implementations, each with what a student who wrote it should be told."""

import numpy as np
import sympy as sp

from course_utils.testing import misconception

# Overflow and log 0 are what some of these mistakes are about; their warnings are not.
quiet = np.errstate(all="ignore")


def right_softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def right_log_softmax(x, axis=-1):
    return x - np.logaddexp.reduce(x, axis=axis, keepdims=True)


def as_rows(targets, like):
    """Targets as distributions, one a row, for arrays of logits like ``like``."""
    if targets.ndim == 2:
        return targets
    return np.eye(like.shape[1], dtype=like.dtype)[np.where(targets < 0, 0, targets)]


def reduced(losses, keep, reduction):
    """What is left to do when each row has its loss."""
    losses = np.where(keep, losses, 0)
    if reduction == "none":
        return losses
    return losses.sum() / (keep.sum() if reduction == "mean" else 1)


# ------------------------------------------------------------------------------ checkpoint_shift


@misconception(
    "checkpoint_shift", replaces="shifted_numerator",
    hint="e^(x−z) is e^x·e^(−z): the minus of the exponent stays in the factor. Yours grows with z "
    "where it should shrink.",
)
def minus_of_the_exponent_lost(e_x, z):
    return e_x * sp.exp(z)


@misconception(
    "checkpoint_shift", replaces="shifted_numerator",
    hint="That is e^x − e^z. An exponential turns a difference into a quotient, not into a "
    "difference.",
)
def difference_of_exponentials(e_x, z):
    return e_x - sp.exp(z)


@misconception(
    "checkpoint_shift", replaces="shifted_numerator",
    hint="You subtracted z from e^x itself; the shift happens in the exponent, before exp.",
)
def shift_after_the_exponential(e_x, z):
    return e_x - z


@misconception(
    "checkpoint_shift", replaces="shifted_denominator",
    hint="The denominator came out unshifted: its terms are e^(x_j−z) too, and it is because both "
    "parts of the fraction change alike that softmax does not change.",
)
def denominator_not_shifted(S, z):
    return S


@misconception(
    "checkpoint_shift", replaces="shifted_denominator",
    hint="Every term has the factor e^(−z), so it comes out of the sum as it is, e^(−z)·S. Yours "
    "is as if it came out with the other sign.",
)
def denominator_grows_with_the_shift(S, z):
    return S * sp.exp(z)


@misconception(
    "checkpoint_shift", replaces="unshifted_logsumexp",
    hint="The sign is turned round: each x_j is z more than x_j − z, so the logsumexp of the x_j "
    "is z more as well.",
)
def shift_taken_away_twice(s, z):
    return s - z


@misconception(
    "checkpoint_shift", replaces="unshifted_logsumexp",
    hint="log(e^z · Σ…) is a sum of two logarithms, not a product: the shift comes back as a "
    "term.",
)
def logarithm_of_product_as_product(s, z):
    return s * z


@misconception(
    "checkpoint_shift", replaces="unshifted_logsumexp",
    hint="You returned s as it came. Softmax does not notice a shift, but logsumexp does: the "
    "shift must be added back.",
)
def logsumexp_taken_as_invariant(s, z):
    return s


# --------------------------------------------------------------------------------------- softmax


@misconception(
    "softmax",
    hint="No maximum is subtracted before the exponential. e^710 is already infinite in float64 "
    "and ∞/∞ is NaN; far below zero it is 0/0. See the shift identity.",
)
@quiet
def no_max_shift(x, axis=-1):
    e = np.exp(x)
    return e / e.sum(axis=axis, keepdims=True)


@misconception(
    "softmax",
    hint="You subtract the maximum of the whole array. A row far below it becomes all zeros and "
    "0/0 is NaN; every row needs its own maximum.",
)
@quiet
def global_max_shift(x, axis=-1):
    e = np.exp(x - x.max())
    return e / e.sum(axis=axis, keepdims=True)


@misconception(
    "softmax",
    hint="You subtract the mean, which keeps nothing from overflowing: an entry can still lie "
    "hundreds above it. Subtract the maximum, and every exponent is at most 0.",
)
@quiet
def mean_shift(x, axis=-1):
    e = np.exp(x - x.mean(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


@misconception(
    "softmax",
    hint="axis is not used: your function always works along the last axis. Pass it on to max and "
    "to sum.",
)
def axis_ignored(x, axis=-1):
    return right_softmax(x, axis=-1)


@misconception(
    "softmax",
    hint="Your columns sum to 1, not your rows. A row is one example, so by default the sum runs "
    "along the last axis.",
)
def columns_normalised(x, axis=0):
    return right_softmax(x, axis=0 if axis == -1 else axis)


@misconception(
    "softmax",
    hint="You divide by the sum of the whole array, so that all rows together sum to 1. Each row "
    "is a distribution of its own: sum along axis, with keepdims=True.",
)
def sum_of_everything(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum()


@misconception(
    "softmax",
    hint="max and sum drop the axis they work on, so the shapes no longer match, or match the "
    "wrong way round. keepdims=True leaves an axis of length 1.",
)
def keepdims_forgotten(x, axis=-1):
    e = np.exp(x - x.max(axis=axis))
    return e / e.sum(axis=axis)


@misconception(
    "softmax",
    hint="The values are right, but x -= … writes into the caller's array, whose logits are gone "
    "after the call. Bind a new array: x = x - ….",
)
def input_modified(x, axis=-1):
    x -= x.max(axis=axis, keepdims=True)
    e = np.exp(x)
    return e / e.sum(axis=axis, keepdims=True)


@misconception(
    "softmax",
    hint="Clipping the logits avoids infinities, but all logits beyond the bound become equal, "
    "and so do their probabilities. A shift changes nothing; clipping does.",
)
def logits_clipped(x, axis=-1):
    e = np.exp(np.clip(x, -50, 50))
    return e / e.sum(axis=axis, keepdims=True)


# ------------------------------------------------------------------------------------- logsumexp


@misconception(
    "logsumexp",
    hint="The maximum was taken out of the sum and never came back: this is Σ_j e^(x_j−m) in "
    "logarithms, m short of what was asked.",
)
@quiet
def max_not_added_back(x, axis=-1):
    m = x.max(axis=axis, keepdims=True)
    m = np.where(np.isfinite(m), m, 0)
    result = np.log(np.exp(x - m).sum(axis=axis))
    return result


@misconception(
    "logsumexp",
    hint="You take the maximum of the whole array. In a row far below it every exponential is 0, "
    "and log 0 is −∞; every row needs its own maximum.",
)
@quiet
def logsumexp_with_global_max(x, axis=-1):
    m = x.max()
    return m + np.log(np.exp(x - m).sum(axis=axis))


@misconception(
    "logsumexp",
    hint="This is the formula as it stands, and e^1000 is infinite in floating point. Take the "
    "maximum out of the sum before the exponential.",
)
@quiet
def raw_exponentials(x, axis=-1):
    return np.log(np.exp(x).sum(axis=axis))


@misconception(
    "logsumexp",
    hint="Ordinary rows are right. In a row of −∞ the maximum is −∞, and −∞ − (−∞) is NaN: shift "
    "such a row by 0 instead.",
)
@quiet
def impossible_row_gives_nan(x, axis=-1):
    m = x.max(axis=axis, keepdims=True)
    return m.squeeze(axis) + np.log(np.exp(x - m).sum(axis=axis))


@misconception(
    "logsumexp",
    hint="axis is not used: your function always works along the last axis. Pass it on to max and "
    "to sum.",
)
def logsumexp_axis_ignored(x, axis=-1):
    return np.logaddexp.reduce(x, axis=-1)


@misconception(
    "logsumexp",
    hint="This is the maximum alone. logsumexp lies between the maximum and the maximum + log K; "
    "the other classes count too.",
)
def only_the_maximum(x, axis=-1):
    return x.max(axis=axis)


@misconception(
    "logsumexp",
    hint="This is the logarithm of the mean of the exponentials, log K short of the sum's.",
)
def mean_for_sum(x, axis=-1):
    return np.logaddexp.reduce(x, axis=axis) - np.log(x.shape[axis])


# ----------------------------------------------------------------------------------- log_softmax


@misconception(
    "log_softmax",
    hint="You take the logarithm of a probability that has already been rounded to 0, which gives "
    "−∞. Never compute the probability: x − logsumexp(x) needs none.",
)
@quiet
def log_of_softmax(x, axis=-1):
    return np.log(right_softmax(x, axis=axis))


@misconception(
    "log_softmax",
    hint="log(softmax + ε) hides the infinity and returns log ε for every hopeless class, however "
    "hopeless: a loss that is too small with a gradient that is wrong. Use x − logsumexp(x).",
)
def log_of_softmax_plus_eps(x, axis=-1):
    return np.log(right_softmax(x, axis=axis) + 1e-12)


@misconception(
    "log_softmax",
    hint="The maximum is subtracted twice: once from x, and once more inside a logsumexp that "
    "had added it back. Use either shifted x with the shifted sum, or x with logsumexp(x).",
)
def shift_subtracted_twice(x, axis=-1):
    shifted = x - x.max(axis=axis, keepdims=True)
    return shifted - np.logaddexp.reduce(x, axis=axis, keepdims=True)


@misconception(
    "log_softmax",
    hint="The sum was shifted by the maximum, but x in front of it was not: both must be, or "
    "neither. Your exponentials do not sum to 1.",
)
def shift_in_the_sum_only(x, axis=-1):
    m = x.max(axis=axis, keepdims=True)
    return x - np.log(np.exp(x - m).sum(axis=axis, keepdims=True))


@misconception(
    "log_softmax",
    hint="The right difference, but the exponentials are not shifted, so that rows far from zero "
    "overflow or vanish. Subtract each row's maximum first.",
)
@quiet
def log_softmax_without_shift(x, axis=-1):
    return x - np.log(np.exp(x).sum(axis=axis, keepdims=True))


@misconception(
    "log_softmax",
    hint="axis is not used: your function always works along the last axis. Pass it on to max and "
    "to sum.",
)
def log_softmax_axis_ignored(x, axis=-1):
    return right_log_softmax(x, axis=-1)


@misconception(
    "log_softmax",
    hint="One maximum for the whole array: rows far below it have only zeros in their sum, and "
    "log 0 is −∞. Every row needs its own maximum.",
)
@quiet
def log_softmax_with_global_max(x, axis=-1):
    shifted = x - x.max()
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


# -------------------------------------------------------------------------------------- nll_loss


@misconception(
    "nll_loss",
    hint="This is the sum of the losses also where the mean was asked: torch's default, and ours, "
    "is reduction='mean'.",
)
def nll_sum_for_mean(log_probs, targets, reduction="mean", ignore_index=-100):
    keep = targets != ignore_index
    losses = -log_probs[np.arange(len(targets)), np.where(keep, targets, 0)]
    return reduced(losses, keep, "sum" if reduction == "mean" else reduction)


@misconception(
    "nll_loss",
    hint="The ignored rows add nothing to the sum, but you still divide by the number of all "
    "rows. The mean runs over the rows that were kept.",
)
def nll_ignored_rows_in_the_denominator(
    log_probs, targets, reduction="mean", ignore_index=-100
):
    keep = targets != ignore_index
    losses = -log_probs[np.arange(len(targets)), np.where(keep, targets, 0)]
    total = reduced(losses, keep, reduction)
    return total * keep.mean() if reduction == "mean" else total


@misconception(
    "nll_loss",
    hint="ignore_index has no effect: rows with that target count as if they were ordinary (−100 "
    "even counts from the end of the row, or is out of bounds). Leave them out.",
)
def nll_ignore_index_unused(log_probs, targets, reduction="mean", ignore_index=-100):
    losses = -log_probs[np.arange(len(targets)), targets]
    return reduced(losses, np.ones(len(targets), dtype=bool), reduction)


@misconception(
    "nll_loss",
    hint="You take another logarithm. The input holds log-probabilities already, and the "
    "logarithm of a negative number is NaN.",
)
@quiet
def nll_logarithm_taken_again(log_probs, targets, reduction="mean", ignore_index=-100):
    return nll_row_losses(np.log(log_probs), targets, reduction, ignore_index)


@misconception(
    "nll_loss",
    hint="The minus is missing: log-probabilities are at most 0, a loss is at least 0.",
)
def nll_without_minus(log_probs, targets, reduction="mean", ignore_index=-100):
    return nll_row_losses(-log_probs, targets, reduction, ignore_index)


@misconception(
    "nll_loss",
    hint="This is −p, not −log p: you went back to probabilities. A loss of −p hardly minds a "
    "confident mistake; the likelihood asks for the logarithm.",
)
def nll_of_probabilities(log_probs, targets, reduction="mean", ignore_index=-100):
    return nll_row_losses(np.exp(log_probs), targets, reduction, ignore_index)


@misconception(
    "nll_loss",
    hint="log_probs[:, targets] takes all the target columns from every row, an (n, n) array. "
    "Pair each row with its own target: log_probs[np.arange(n), targets].",
)
def nll_all_pairs_of_rows_and_targets(
    log_probs, targets, reduction="mean", ignore_index=-100
):
    losses = -log_probs[:, targets[targets != ignore_index]]
    if reduction == "none":
        return losses
    return losses.sum() if reduction == "sum" else losses.mean()


@misconception(
    "nll_loss",
    hint="The mean is taken over all n·K entries of a table that is mostly zeros. Divide by the "
    "number of rows, not by the number of entries.",
)
def nll_mean_over_all_entries(log_probs, targets, reduction="mean", ignore_index=-100):
    total = nll_row_losses(log_probs, targets, reduction, ignore_index)
    return total / log_probs.shape[1] if reduction == "mean" else total


@misconception(
    "nll_loss",
    hint="Multiplying by a one-hot row picks the right entry until another entry is −∞, for "
    "0·(−∞) is NaN. Index the target's entry instead.",
)
@quiet
def nll_one_hot_product(log_probs, targets, reduction="mean", ignore_index=-100):
    keep = targets != ignore_index
    losses = -(as_rows(np.where(keep, targets, 0), log_probs) * log_probs).sum(axis=1)
    return reduced(losses, keep, reduction)


def nll_row_losses(log_probs, targets, reduction, ignore_index):
    keep = targets != ignore_index
    losses = -log_probs[np.arange(len(targets)), np.where(keep, targets, 0)]
    return reduced(losses, keep, reduction)


# --------------------------------------------------------------------------------- smooth_labels


@misconception(
    "smooth_labels",
    hint="You share α among the K−1 other classes. Ours (and torch's) smoothing mixes in a uniform "
    "distribution over all K classes, the gold one included: α/K each.",
)
def alpha_over_the_other_classes(targets, num_classes, alpha):
    y = np.eye(num_classes)[targets]
    return (1 - alpha) * y + alpha / (num_classes - 1) * (1 - y)


@misconception(
    "smooth_labels",
    hint="The gold class gets 1−α without its share α/K, so that a row sums to 1 − α/K. Mix, do "
    "not replace: α/K goes to every class.",
)
def gold_without_its_share(targets, num_classes, alpha):
    y = np.eye(num_classes)[targets]
    return np.where(y == 1, 1 - alpha, alpha / num_classes)


@misconception(
    "smooth_labels",
    hint="α/K is added to one-hot rows that still hold a whole 1: each row sums to 1+α. What is "
    "given to all classes must be taken from the gold one.",
)
def nothing_taken_from_gold(targets, num_classes, alpha):
    return np.eye(num_classes)[targets] + alpha / num_classes


@misconception(
    "smooth_labels",
    hint="α is added to every class where α/K should be: K classes share α.",
)
def alpha_for_every_class(targets, num_classes, alpha):
    return (1 - alpha) * np.eye(num_classes)[targets] + alpha


@misconception(
    "smooth_labels",
    hint="α and 1−α have changed places: with α = 0 nothing of the label is left. The one-hot "
    "part carries 1−α.",
)
def alpha_and_one_minus_alpha_swapped(targets, num_classes, alpha):
    return alpha * np.eye(num_classes)[targets] + (1 - alpha) / num_classes


@misconception(
    "smooth_labels",
    hint="Your gold entry is one column too far left (and class 0 wraps round): classes count "
    "from 0 here, not from 1 as in many lecture notes.",
)
def classes_counted_from_one(targets, num_classes, alpha):
    return (1 - alpha) * np.eye(num_classes)[targets - 1] + alpha / num_classes


# --------------------------------------------------------------------------------- cross_entropy


def ce_from(log_h, logits, targets, reduction, ignore_index, label_smoothing):
    """Cross-entropy for given log-probabilities, right from there on."""
    y = as_rows(targets, logits)
    y = (1 - label_smoothing) * y + label_smoothing / logits.shape[1]
    return reduced(-(y * log_h).sum(axis=1), kept(targets, ignore_index), reduction)


def kept(targets, ignore_index):
    return targets != ignore_index if targets.ndim == 1 else np.ones(len(targets), dtype=bool)


@misconception(
    "cross_entropy",
    hint="Softmax is applied twice: log_softmax gets probabilities where it wants logits. The loss "
    "can then never come near 0, as the second softmax sees numbers between 0 and 1 only.",
)
def softmax_applied_twice(
    logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0
):
    log_h = right_log_softmax(right_softmax(logits))
    return ce_from(log_h, logits, targets, reduction, ignore_index, label_smoothing)


@misconception(
    "cross_entropy",
    hint="The logits are used as if they were log-probabilities: log_softmax is missing before the "
    "target's entry is taken.",
)
def log_softmax_forgotten(
    logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0
):
    return ce_from(logits, logits, targets, reduction, ignore_index, label_smoothing)


@misconception(
    "cross_entropy",
    hint="log(softmax(x)) is −∞ as soon as a probability underflows to 0, and 0·(−∞) is NaN. "
    "Compute log-probabilities as x − logsumexp(x).",
)
@quiet
def cross_entropy_by_log_of_softmax(
    logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0
):
    log_h = np.log(right_softmax(logits))
    return ce_from(log_h, logits, targets, reduction, ignore_index, label_smoothing)


@misconception(
    "cross_entropy",
    hint="Smoothing adds 1/K to every class where it should add α/K: the target rows sum to 2−α "
    "instead of 1.",
)
def smoothing_adds_one_over_k(
    logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0
):
    y = as_rows(targets, logits)
    if label_smoothing:
        y = (1 - label_smoothing) * y + 1 / logits.shape[1]
    losses = -(y * right_log_softmax(logits)).sum(axis=1)
    return reduced(losses, kept(targets, ignore_index), reduction)


@misconception(
    "cross_entropy",
    hint="α is shared among the K−1 other classes. torch mixes in a uniform distribution over all "
    "K classes, the gold one included: α/K each.",
)
def smoothing_over_the_other_classes(
    logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0
):
    y = as_rows(targets, logits)
    y = (1 - label_smoothing) * y + label_smoothing * (1 - y) / (logits.shape[1] - 1)
    losses = -(y * right_log_softmax(logits)).sum(axis=1)
    return reduced(losses, kept(targets, ignore_index), reduction)


@misconception(
    "cross_entropy",
    hint="The mean is taken over all n·K entries. Each row has one loss, a sum over its classes; "
    "the mean runs over the rows.",
)
def cross_entropy_mean_over_all_entries(
    logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0
):
    log_h = right_log_softmax(logits)
    loss = ce_from(log_h, logits, targets, reduction, ignore_index, label_smoothing)
    return loss / logits.shape[1] if reduction == "mean" else loss


@misconception(
    "cross_entropy",
    hint="The ignored rows add nothing to the sum, but you still divide by the number of all "
    "rows. The mean runs over the rows that were kept.",
)
def cross_entropy_ignored_rows_in_the_denominator(
    logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0
):
    log_h = right_log_softmax(logits)
    loss = ce_from(log_h, logits, targets, reduction, ignore_index, label_smoothing)
    return loss * kept(targets, ignore_index).mean() if reduction == "mean" else loss


@misconception(
    "cross_entropy",
    hint="This is the sum of the losses also where the mean was asked: torch's default, and ours, "
    "is reduction='mean'.",
)
def cross_entropy_sum_for_mean(
    logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0
):
    log_h = right_log_softmax(logits)
    wanted = "sum" if reduction == "mean" else reduction
    return ce_from(log_h, logits, targets, wanted, ignore_index, label_smoothing)


@misconception(
    "cross_entropy",
    hint="Distributions are turned into class indices by argmax, which throws all their other "
    "entries away. Every class counts with its weight: −Σ_k y_k log h_k.",
)
def distributions_reduced_to_argmax(
    logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0
):
    indices = targets.argmax(axis=1) if targets.ndim == 2 else targets
    log_h = right_log_softmax(logits)
    return ce_from(log_h, logits, indices, reduction, ignore_index, label_smoothing)


@misconception(
    "cross_entropy",
    hint="label_smoothing works for class indices only. torch smooths distributions too: mix the "
    "rows with the uniform distribution whichever kind they are.",
)
def distributions_not_smoothed(
    logits, targets, reduction="mean", ignore_index=-100, label_smoothing=0.0
):
    alpha = 0.0 if targets.ndim == 2 else label_smoothing
    log_h = right_log_softmax(logits)
    return ce_from(log_h, logits, targets, reduction, ignore_index, alpha)


# ------------------------------------------------------------------- the checkpoints on the slopes


@misconception(
    "checkpoint_softmax_slope", replaces="dh_same",
    hint="That is 1 − h_i, the slope of log h_i. The slope of h_i itself has one more factor h_i.",
)
def slope_of_the_logarithm(h_i):
    return 1 - h_i


@misconception(
    "checkpoint_softmax_slope", replaces="dh_same",
    hint="You differentiated the numerator only. The denominator contains e^(f_i) as well, which "
    "gives the second term of the quotient rule.",
)
def denominator_held_constant(h_i):
    return h_i


@misconception(
    "checkpoint_softmax_slope", replaces="dh_same",
    hint="The sign is turned round: a larger f_i makes h_i larger, so this slope is positive.",
)
def own_slope_with_wrong_sign(h_i):
    return h_i**2 - h_i


@misconception(
    "checkpoint_softmax_slope", replaces="dh_other",
    hint="The minus is missing. When a rival's logit rises, the denominator grows and h_i falls.",
)
def rival_slope_without_minus(h_i, h_k):
    return h_i * h_k


@misconception(
    "checkpoint_softmax_slope", replaces="dh_other",
    hint="A rival's logit does matter: f_k stands in the denominator of every h_i.",
)
def rival_without_influence(h_i, h_k):
    return 0


@misconception(
    "checkpoint_softmax_slope", replaces="dh_other",
    hint="That is −h_k, the slope of log h_i. The slope of h_i itself has one more factor h_i.",
)
def rival_slope_of_the_logarithm(h_i, h_k):
    return -h_k


@misconception(
    "checkpoint_log_slope", replaces="dlog_same",
    hint="That is h_i(1−h_i): you have differentiated h_i, not log h_i. The chain rule divides it "
    "by h_i.",
)
def slope_of_the_probability(h_i):
    return h_i * (1 - h_i)


@misconception(
    "checkpoint_log_slope", replaces="dlog_same",
    hint="1/h_i is the derivative of the logarithm with respect to h_i. The chain goes on: times "
    "∂h_i/∂f_i.",
)
def chain_rule_stopped_halfway(h_i):
    return 1 / h_i


@misconception(
    "checkpoint_log_slope", replaces="dlog_same",
    hint="That is the case i ≠ k. For i = k the term f_i of log h_i = f_i − log S has the slope 1, "
    "which is missing here (the δ in δ_ik − h_k).",
)
def delta_forgotten(h_i):
    return -h_i


@misconception(
    "checkpoint_log_slope", replaces="dlog_same",
    hint="The sign is turned round: a larger f_i makes log h_i larger, so this slope is positive.",
)
def own_log_slope_with_wrong_sign(h_i):
    return h_i - 1


@misconception(
    "checkpoint_log_slope", replaces="dlog_other",
    hint="That is −h_i·h_k: you have differentiated h_i, not log h_i. The chain rule divides it "
    "by h_i.",
)
def rival_slope_of_the_probability(h_i, h_k):
    return -h_i * h_k


@misconception(
    "checkpoint_log_slope", replaces="dlog_other",
    hint="The wrong probability: h_i cancels, and what is left is the probability of the class "
    "whose logit was moved, k.",
)
def probability_of_the_wrong_class(h_i, h_k):
    return -h_i


@misconception(
    "checkpoint_log_slope", replaces="dlog_other",
    hint="The minus is missing. When a rival's logit rises, h_i falls, and so does its logarithm.",
)
def rival_log_slope_without_minus(h_i, h_k):
    return h_k


@misconception(
    "checkpoint_loss_gradient", replaces="dloss_any_target",
    hint="You have used Σy = 1 already. Here the entries of y add up to Y: it multiplies h_k.",
)
def sum_of_targets_taken_as_one(h_k, y_k, Y):
    return h_k - y_k


@misconception(
    "checkpoint_loss_gradient", replaces="dloss_any_target",
    hint="The sign is turned round: L has a minus in front of its sum, which turns the slopes of "
    "log h round.",
)
def general_gradient_with_wrong_sign(h_k, y_k, Y):
    return y_k - Y * h_k


@misconception(
    "checkpoint_loss_gradient", replaces="dloss_any_target",
    hint="The term with i = k has the slope 1 − h_k, and you gave it −h_k like all the others: "
    "the y_k is missing.",
)
def own_term_treated_as_a_rival(h_k, y_k, Y):
    return Y * h_k


@misconception(
    "checkpoint_loss_gradient", replaces="dloss_any_target",
    hint="The sum over i ≠ k is right, but the term with i = k contributes −y_k(1 − h_k), and its "
    "part with h_k was dropped.",
)
def own_share_of_the_sum_dropped(h_k, y_k, Y):
    return (Y - y_k) * h_k - y_k


@misconception(
    "checkpoint_loss_gradient", replaces="dloss",
    hint="y − h points uphill: that is the gradient of the log-likelihood. The loss is its "
    "negative, so its gradient is h − y.",
)
def gradient_of_the_likelihood(h_k, y_k):
    return y_k - h_k


@misconception(
    "checkpoint_loss_gradient", replaces="dloss",
    hint="You kept only the term with i = k. The other terms y_i·h_k matter as well: even a class "
    "with y_k = 0 is pushed down.",
)
def only_the_gold_term(h_k, y_k):
    return y_k * (h_k - 1)


@misconception(
    "checkpoint_loss_gradient", replaces="dloss",
    hint="The target has vanished: the y_k of the term with i = k is missing.",
)
def target_vanished(h_k, y_k):
    return h_k


# ------------------------------------------------------------------------------ softmax_nll_grad


def rows_in(logits, reduction):
    return len(logits) if reduction == "mean" else 1


@misconception(
    "softmax_nll_grad",
    hint="y − h points uphill: it is the gradient of the log-likelihood. The loss is its "
    "negative, so its gradient is h − y.",
)
def sign_flipped(logits, targets, reduction="mean"):
    return (as_rows(targets, logits) - right_softmax(logits)) / rows_in(logits, reduction)


@misconception(
    "softmax_nll_grad",
    hint="h − y is the gradient of one row's loss. The mean over the batch divides every row by "
    "n; without it the step grows with the batch.",
)
def one_over_n_missing(logits, targets, reduction="mean"):
    return right_softmax(logits) - as_rows(targets, logits)


@misconception(
    "softmax_nll_grad",
    hint="You divide by n twice (or by n for 'sum' too): each row's share in the mean loss "
    "is 1/n, once.",
)
def one_over_n_twice(logits, targets, reduction="mean"):
    n = len(logits)
    return (right_softmax(logits) - as_rows(targets, logits)) / n / rows_in(logits, reduction)


@misconception(
    "softmax_nll_grad",
    hint="This is h alone: the targets are never subtracted.",
)
def probabilities_only(logits, targets, reduction="mean"):
    return right_softmax(logits) / rows_in(logits, reduction)


@misconception(
    "softmax_nll_grad",
    hint="The one-hot table was built as (K, n) and forced into shape (n, K): reshape does not "
    "transpose, so the ones lie in the wrong cells. Row i has its 1 in column targets[i].",
)
def one_hot_on_the_wrong_axis(logits, targets, reduction="mean"):
    y = as_rows(targets, logits).T.reshape(logits.shape)
    return (right_softmax(logits) - y) / rows_in(logits, reduction)


@misconception(
    "softmax_nll_grad",
    hint="h[:, targets] -= 1 takes 1 from whole columns, in every row. Pair each row with its own "
    "target: h[np.arange(n), targets] -= 1.",
)
def whole_columns_reduced(logits, targets, reduction="mean"):
    h = right_softmax(logits)
    if targets.ndim == 1:
        h[:, targets] -= 1
    else:
        h -= targets
    return h / rows_in(logits, reduction)


@misconception(
    "softmax_nll_grad",
    hint="You divide by the number of entries n·K. The loss is a mean over rows, so the factor is "
    "1/n.",
)
def divided_by_all_entries(logits, targets, reduction="mean"):
    g = right_softmax(logits) - as_rows(targets, logits)
    return g / g.size if reduction == "mean" else g


@misconception(
    "softmax_nll_grad",
    hint="You multiply by the slope h(1−h) once more. In h − y the softmax is differentiated "
    "already: its slopes have cancelled against the 1/h of the logarithm.",
)
def slope_of_softmax_multiplied_again(logits, targets, reduction="mean"):
    h = right_softmax(logits)
    return (h - as_rows(targets, logits)) * h * (1 - h) / rows_in(logits, reduction)


@misconception(
    "softmax_nll_grad",
    hint="The formula is right, but its softmax is not shifted: large logits give NaN gradients. "
    "Subtract each row's maximum first.",
)
@quiet
def gradient_with_naive_softmax(logits, targets, reduction="mean"):
    e = np.exp(logits)
    h = e / e.sum(axis=1, keepdims=True)
    return (h - as_rows(targets, logits)) / rows_in(logits, reduction)


# ------------------------------------------------------------------------------ softmax_backward


@misconception(
    "softmax_backward",
    hint="h(1−h)·u uses the Jacobian's diagonal only. Every logit also moves the other "
    "probabilities, −h_i·h_k: the row sum brings them in.",
)
def diagonal_only(upstream, h):
    return h * (1 - h) * upstream


@misconception(
    "softmax_backward",
    hint="h·u is the first half. The second, −h_k Σ_i u_i h_i, is missing: a constant upstream "
    "gradient has to give 0.",
)
def row_sum_missing(upstream, h):
    return h * upstream


@misconception(
    "softmax_backward",
    hint="The row sum must be weighted: Σ_i u_i h_i, the mean of u under h, not Σ_i u_i.",
)
def row_sum_not_weighted(upstream, h):
    return h * (upstream - upstream.sum(axis=-1, keepdims=True))


@misconception(
    "softmax_backward",
    hint="The second term lacks its factor h_k: what is subtracted is h_k times the row sum, more "
    "for likely classes and less for unlikely ones.",
)
def row_sum_without_its_factor(upstream, h):
    return h * upstream - (h * upstream).sum(axis=-1, keepdims=True)


@misconception(
    "softmax_backward",
    hint="You sum down the columns, over the examples. Examples do not mix: the sum runs over the "
    "classes of one row, the last axis.",
)
def sum_over_the_batch(upstream, h):
    return h * (upstream - (upstream * h).sum(axis=0, keepdims=True))


@misconception(
    "softmax_backward",
    hint="One sum for the whole array: examples do not mix. Sum along the last axis, with "
    "keepdims=True, so that each row has its own.",
)
def one_sum_for_all_rows(upstream, h):
    return h * (upstream - (upstream * h).sum())


@misconception(
    "softmax_backward",
    hint="The sign is turned round: it is the upstream gradient minus its mean under h.",
)
def backward_sign_flipped(upstream, h):
    return h * ((upstream * h).sum(axis=-1, keepdims=True) - upstream)


@misconception(
    "softmax_backward",
    hint="The values are right, but upstream is changed in place; whoever called you may still "
    "need it. Bind a new array.",
)
def upstream_modified(upstream, h):
    upstream -= (upstream * h).sum(axis=-1, keepdims=True)
    return h * upstream


# ---------------------------------------------------------------------- train_softmax_regression


def trained(
    X, y, num_classes, lr, steps, weight_decay, *,
    decay_bias=False, average=True, order="together", decay="gradient", sign=-1.0, use_bias=True,
):  # fmt: skip
    """Softmax regression with one thing done differently."""
    n, Y = len(X), np.eye(num_classes)[y]
    W, b = np.zeros((X.shape[1], num_classes)), np.zeros(num_classes)
    for _ in range(steps):
        G = (right_softmax(X @ W + b) - Y) / (n if average else 1)
        factor = {"gradient": weight_decay, "doubled": 2 * weight_decay}.get(decay, 0.0)
        step = X.T @ G + factor * W
        if decay == "without_lr":
            W = W * (1 - weight_decay)
        W = W + sign * lr * step
        if decay == "afterwards":
            W = W - lr * weight_decay * W
        if order == "weights_first":
            G = (right_softmax(X @ W + b) - Y) / n
        if use_bias:
            b = b + sign * lr * (G.sum(axis=0) + (weight_decay * b if decay_bias else 0))
    return W, b


@misconception(
    "train_softmax_regression",
    hint="The biases are decayed too. A bias does not make the function wiggly, it only places "
    "it: weight decay is for W.",
)
def bias_decayed(X, y, num_classes, lr, steps, weight_decay=0.0):
    return trained(X, y, num_classes, lr, steps, weight_decay, decay_bias=True)


@misconception(
    "train_softmax_regression",
    hint="The gradient is summed over the batch, not averaged: it is n times too large, so every "
    "step is too.",
)
def gradient_not_averaged(X, y, num_classes, lr, steps, weight_decay=0.0):
    return trained(X, y, num_classes, lr, steps, weight_decay, average=False)


@misconception(
    "train_softmax_regression",
    hint="W is updated before the gradient for b is computed, so b sees new weights. Compute both "
    "gradients at the old parameters, then update both.",
)
def weights_updated_before_the_bias_gradient(X, y, num_classes, lr, steps, weight_decay=0.0):
    return trained(X, y, num_classes, lr, steps, weight_decay, order="weights_first")


@misconception(
    "train_softmax_regression",
    hint="Decay is applied without the learning rate, W·(1−λ). In torch's SGD λW is part of the "
    "gradient, so a step shrinks W by lr·λ.",
)
def decay_without_learning_rate(X, y, num_classes, lr, steps, weight_decay=0.0):
    return trained(X, y, num_classes, lr, steps, weight_decay, decay="without_lr")


@misconception(
    "train_softmax_regression",
    hint="Your decay is twice torch's: 2λW is the gradient of λ‖W‖², but weight_decay stands for "
    "½λ‖W‖², whose gradient is λW.",
)
def decay_doubled(X, y, num_classes, lr, steps, weight_decay=0.0):
    return trained(X, y, num_classes, lr, steps, weight_decay, decay="doubled")


@misconception(
    "train_softmax_regression",
    hint="Decay acts on the weights after the gradient step. In torch's SGD λW is added to the "
    "gradient, so it is the old W that decays.",
)
def decay_after_the_step(X, y, num_classes, lr, steps, weight_decay=0.0):
    return trained(X, y, num_classes, lr, steps, weight_decay, decay="afterwards")


@misconception(
    "train_softmax_regression",
    hint="weight_decay has no effect: λW belongs to the gradient of W.",
)
def decay_unused(X, y, num_classes, lr, steps, weight_decay=0.0):
    return trained(X, y, num_classes, lr, steps, 0.0)


@misconception(
    "train_softmax_regression",
    hint="The parameters climb: you add the gradient where it must be subtracted.",
)
def uphill(X, y, num_classes, lr, steps, weight_decay=0.0):
    return trained(X, y, num_classes, lr, steps, weight_decay, sign=1.0)


@misconception(
    "train_softmax_regression",
    hint="b stays zero: it has a gradient too, the sum of (h − y)/n over the rows.",
)
def bias_not_trained(X, y, num_classes, lr, steps, weight_decay=0.0):
    return trained(X, y, num_classes, lr, steps, weight_decay, use_bias=False)


@misconception(
    "train_softmax_regression",
    hint="There is one step too few (or the last one is computed and not kept): steps counts the "
    "updates.",
)
def one_step_too_few(X, y, num_classes, lr, steps, weight_decay=0.0):
    return trained(X, y, num_classes, lr, steps - 1, weight_decay)


# -------------------------------------------------------------------------------------- break_it


@misconception(
    "break_it", replaces="overflowing_logits",
    hint="e^100 overflows in float32 but not in float64, whose largest number is about e^709.8. "
    "The naive softmax here runs in float64.",
)
def limit_of_float32():
    return np.array([100.0, 0.0, -1.0])


@misconception(
    "break_it", replaces="overflowing_logits",
    hint="One logit far below the others is harmless: its exponential becomes 0, which is right to "
    "all digits. NaN needs a denominator that is infinite, or 0.",
)
def one_class_far_below():
    return np.array([0.0, -1000.0])


@misconception(
    "break_it", replaces="overflowing_logits",
    hint="Infinity is not a logit: the right softmax gives NaN for it as well. Find finite "
    "numbers.",
)
def infinite_logit():
    return np.array([np.inf, 0.0])


@misconception(
    "break_it", replaces="underflowing_logits",
    hint="The logits are large, but equal: after the shift they are all 0 and log(softmax) is "
    "right. It is a large gap that it cannot stand.",
)
def large_but_equal():
    return np.array([1000.0, 1000.0, 1000.0])


@misconception(
    "break_it", replaces="underflowing_logits",
    hint="Nearly: below e^−87 float32 goes on with subnormal numbers, coarser and coarser, down to "
    "about e^−103. Make the gap a little larger.",
)
def saved_by_subnormal_numbers():
    return np.array([95.0, 0.0])


@misconception(
    "break_it", replaces="underflowing_logits",
    hint="A gap of 50 leaves a probability of e^−50, which float32 holds with ease. The loss is "
    "large there, but right.",
)
def gap_too_small():
    return np.array([0.0, -50.0])


@misconception(
    "break_it", replaces="underflowing_logits",
    hint="−∞ is not a logit, and log_softmax is −∞ there as well. Find finite numbers.",
)
def minus_infinite_logit():
    return np.array([0.0, -np.inf])
