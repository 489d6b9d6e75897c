"""Lab 02: named mistakes, as edits of the solution, each with what its author should be told."""

from functools import partial

from course_utils.testing import edit

# Where an exercise asks for several answers, a mistake in one costs that one.
of_three, of_two = partial(edit, cost=1 / 3), partial(edit, cost=1 / 2)

# What several functions of the lab have in common, in the words of their solutions.
X_MAX = "np.max(x, axis=axis, keepdims=True)"
ROW_MAX = "np.max(logits, axis=1, keepdims=True)"
LOG_H = "shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))"
LOG_SOFTMAX = "shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))"
SMOOTHED = "y = (1 - label_smoothing) * y + label_smoothing / num_classes"
OWN_MEAN = 'np.sum(losses) if reduction == "sum" else np.mean(losses[rows])'
CE_MEAN = '(np.sum(counts) if reduction == "mean" else 1)'

AXIS_IGNORED = (
    "axis is not used: your function always works along the last axis. Pass it on to max and to "
    "sum."
)
ALL_ENTRIES = (
    "The mean is taken over all n·K entries. Each row has one loss: divide by the number of rows "
    "that count."
)
IGNORED_IN_DENOMINATOR = (
    "The ignored rows add nothing to the sum, but you still divide by the number of all rows. The "
    "mean runs over the rows that were kept."
)
IGNORE_UNUSED = (
    "ignore_index has no effect: rows with that target count as if they were ordinary (−100 even "
    "counts from the end of the row, or is out of bounds). Leave them out."
)
IGNORE_FIXED = (
    "Rows are ignored at −100 only: ignore_index may be another number, even an ordinary class. "
    "Compare the targets with the argument."
)
SUM_FOR_MEAN = (
    "This is the sum of the losses also where the mean was asked: torch's default, and ours, is "
    "reduction='mean'."
)
MEAN_FOR_SUM = "reduction='sum' gives the mean: where the sum is asked, nothing is divided."
NONE_UNUSED = "reduction='none' gives one number. It asks for the losses of the rows, one each."
FROM_ONE = (
    "Your target entry is one column too far left (and class 0 wraps round): classes count from 0 "
    "here, not from 1 as in many lecture notes."
)
WHOLE_COLUMNS = (
    "Indexing with [:, targets] changes whole columns, in every row. Pair each row with its own "
    "target: [np.arange(n), targets]."
)
KEEPDIMS = (
    "max or sum drops the axis it works on, so the shapes no longer match, or match the wrong way "
    "round. keepdims=True leaves an axis of length 1."
)
IN_PLACE = (
    "The values are right, but x -= … writes into the caller's array, whose logits are gone after "
    "the call. Make a new array: x = x - …."
)
IGNORED_OVERWRITTEN = (
    "The values are right, but the ignored entries of the caller's targets are overwritten. Work "
    "on a copy, or use np.where."
)
FLOAT64 = (
    "The values are right, but float32 comes back as float64: an array on the way is made in "
    "float64. Give it the input's dtype (np.zeros_like, dtype=…)."
)
UPHILL = (
    "y − h points uphill: it is the gradient of the log-likelihood. The loss is its negative, so "
    "its gradient is h − y."
)
ONLY_H_AVERAGED = (
    "Only h is divided by n, and a whole 1 is subtracted afterwards: h/n − y. Subtract first, then "
    "divide: (h − y)/n."
)
OTHER_CLASSES = (
    "You share α among the K−1 other classes. Ours (and torch's) smoothing mixes in a uniform "
    "distribution over all K classes, the gold one included: α/K each."
)
EPS_IN_LOG = (
    "log(p + ε) and clipped probabilities hide the infinity: every hopeless class gets log ε, "
    "however hopeless it is. Use x − logsumexp(x), which needs no probability."
)


EPS = "np.finfo(float).eps"
OUTSIDE = (
    "The maximum is subtracted from the exponentials, e^x − m, where it belongs into the exponent, "
    "e^(x−m). Outside it changes the probabilities, and e^1000 has overflowed before."
)


def guarded(e, total):
    """The ways in which people keep a logarithm of ``e / total`` finite."""
    for eps in ("1e-12", "1e-15", "1e-10", "1e-9", "1e-8", "1e-7", "1e-6", "1e-5", EPS):
        yield f"np.log({e} / {total} + {eps})"
    for eps in ("1e-12", "1e-15", "1e-10", "1e-9", "1e-8", "1e-7", "1e-6", "1e-5"):
        yield f"np.log(np.clip({e} / {total}, {eps}, 1 - {eps}))"
        yield f"np.log(np.maximum({e} / {total}, {eps}))"


LOG_GUARDED = list(guarded("np.exp(shifted)", "np.sum(np.exp(shifted), axis=axis, keepdims=True)"))
CE_GUARDED = list(guarded("np.exp(shifted)", "np.sum(np.exp(shifted), axis=1, keepdims=True)"))

MISTAKES = {
    "checkpoint_shift": {
        "minus_of_the_exponent_lost": of_three("e_x * sp.exp(-z)", "e_x * sp.exp(z)",
            hint="e^(x−z) is e^x·e^(−z): the minus of the exponent stays in the factor. Yours "
            "grows with z where it should shrink."),
        "difference_of_exponentials": of_three("e_x * sp.exp(-z)", "e_x - sp.exp(z)",
            hint="That is e^x − e^z. An exponential turns a difference into a quotient, not into a "
            "difference."),
        "shift_after_the_exponential": of_three("e_x * sp.exp(-z)", "e_x - z",
            hint="You subtracted z from e^x itself; the shift happens in the exponent, before "
            "exp."),
        "denominator_not_shifted": of_three("S * sp.exp(-z)", "S",
            hint="The denominator came out unshifted: its terms are e^(x_j−z) too, and it is "
            "because both parts of the fraction change alike that softmax does not change."),
        "denominator_grows_with_the_shift": of_three("S * sp.exp(-z)", "S * sp.exp(z)",
            hint="Every term has the factor e^(−z), so it comes out of the sum as it is, e^(−z)·S. "
            "Yours is as if it came out with the other sign."),
        "shift_taken_away_twice": of_three("s + z", "s - z",
            hint="The sign is turned round: each x_j is z more than x_j − z, so the logsumexp of "
            "the x_j is z more as well."),
        "logarithm_of_product_as_product": of_three("s + z", "s * z",
            hint="log(e^z · Σ…) is a sum of two logarithms, not a product: the shift comes back as "
            "a term."),
        "exponential_of_the_shift_added": of_three("s + z", "s + sp.exp(z)",
            hint="The factor that comes out of the sum is e^z, but the logarithm is taken of it as "
            "well: log e^z = z."),
        "logsumexp_taken_as_invariant": of_three("s + z", "s",
            hint="You returned s as it came. Softmax does not notice a shift, but logsumexp does: "
            "the shift must be added back."),
    },
    "softmax": {
        "no_max_shift": edit(f"x - {X_MAX}", "x",
            hint="No maximum is subtracted before the exponential. e^710 is already infinite in "
            "float64 and ∞/∞ is NaN; far below zero it is 0/0. See the shift identity."),
        "global_max_shift": edit(X_MAX, "np.max(x)",
            hint="You subtract the maximum of the whole array. A row far below it becomes all "
            "zeros and 0/0 is NaN; every row needs its own maximum."),
        "mean_shift": edit("np.max(", "np.mean(",
            also=[("np.max(", "np.min(")],
            hint="You subtract the mean (or the smallest entry), which keeps nothing from "
            "overflowing: an entry can still lie hundreds above it. Subtract the maximum, and "
            "every exponent is at most 0."),
        "maximum_outside_the_exponential": edit("np.exp(x - ", "(np.exp(x) - ", hint=OUTSIDE),
        "divided_by_the_maximum": edit(f"x - {X_MAX}", f"x / {X_MAX}",
            hint="You divide by the maximum, which changes the gaps between the logits and so the "
            "probabilities. Only a difference leaves softmax as it is: subtract the maximum."),
        "axis_ignored": edit("np.max(x, axis=axis", "np.max(x, axis=-1",
            ("np.sum(e, axis=axis", "np.sum(e, axis=-1"), about="detail",
            also=[[("np.max(x, axis=axis", "np.max(x, axis=1"),
                  ("np.sum(e, axis=axis", "np.sum(e, axis=1")]],
            hint=AXIS_IGNORED),
        "columns_normalised": edit("axis=-1", "axis=0",
            also=[[("np.max(x, axis=axis", "np.max(x, axis=0"),
                  ("np.sum(e, axis=axis", "np.sum(e, axis=0")],
                  ("np.sum(e, axis=axis", "np.sum(e, axis=0")],
            hint="Your columns sum to 1, not your rows. A row is one example, so by default the "
            "sum runs along the last axis."),
        "sum_of_everything": edit("np.sum(e, axis=axis, keepdims=True)", "np.sum(e)",
            hint="You divide by the sum of the whole array, so that all rows together sum to 1. "
            "Each row is a distribution of its own: sum along axis, with keepdims=True."),
        "not_normalised": edit("e / np.sum(e, axis=axis, keepdims=True)", "e",
            hint="The exponentials are not divided by their sum: your rows do not sum to 1."),
        "keepdims_forgotten": edit(X_MAX, "np.max(x, axis=axis)",
            ("axis=axis, keepdims=True)\n", "axis=axis)\n"),
            also=[(X_MAX, "np.max(x, axis=axis)"), ("axis=axis, keepdims=True)\n", "axis=axis)\n")],
            hint=KEEPDIMS),
        "input_modified": edit(f"e = np.exp(x - {X_MAX})", f"x -= {X_MAX}\n    e = np.exp(x)",
            about="arguments", hint=IN_PLACE),
        "logits_clipped": edit(f"x - {X_MAX}", "np.clip(x, -50, 50)",
            also=[(f"x - {X_MAX}", f"np.clip(x, -{bound}, {bound})") for bound in (100, 500, 700)],
            hint="Clipping the logits avoids infinities, but all logits beyond the bound become "
            "equal, and so do their probabilities. A shift changes nothing; clipping does."),
        "float32_becomes_float64": edit("np.exp(x -", "np.exp(x.astype(np.float64) -", about="form",
            hint=FLOAT64),
        "one_added_to_the_sum": edit("np.sum(e, axis=axis, keepdims=True)",
            "(1 + np.sum(e, axis=axis, keepdims=True))",
            hint="1 is added to the denominator, as if there were one more class with the largest "
            "logit. The probabilities must sum to 1."),
        "sigmoid_of_each_logit": edit("e / np.sum(e, axis=axis, keepdims=True)",
            "1 / (1 + np.exp(-x))",
            hint="That is σ of each logit by itself. Softmax divides by a sum over all classes, so "
            "that they compete."),
        "logits_divided_by_their_sum": edit("e / np.sum(e, axis=axis, keepdims=True)",
            "x / np.sum(x, axis=axis, keepdims=True)",
            hint="The logits themselves are divided by their sum; they may be negative, or sum to "
            "0. The exponential is missing."),
        "exponent_turned_round": edit("np.exp(x - ", "np.exp(-x - ",
            (X_MAX, "np.max(-x, axis=axis, keepdims=True)"),
            also=[(f"np.exp(x - {X_MAX})", f"np.exp({X_MAX} - x)")],
            hint="The exponent has the wrong sign: the largest logit gets the smallest "
            "probability."),
        "powers_of_two": edit("np.exp(", "2.0 ** (",
            hint="The base is 2, and not e. Softmax takes exponentials."),
        "divided_by_the_norm": edit("np.sum(e, axis=axis, keepdims=True)",
            "np.linalg.norm(e, axis=axis, keepdims=True)",
            hint="You divide by the length of the row, so that its *squares* sum to 1. Divide by "
            "the sum."),
        "exponentials_averaged": edit("np.sum(e,", "np.mean(e,",
            hint="You divide by the mean of the exponentials: the results sum to K, the number of "
            "classes."),
        "logits_standardised": edit(f"x - {X_MAX}",
            "(x - np.mean(x, axis=axis, keepdims=True)) / np.std(x, axis=axis, keepdims=True)",
            hint="The logits are divided by their spread, which changes the gaps between them. A "
            "shift is allowed, a scale is not."),
        "only_the_largest": edit("return e / np.sum(e, axis=axis, keepdims=True)",
            "return (e == 1).astype(x.dtype)",
            hint="That is argmax as a one-hot row: the largest takes all. Softmax leaves something "
            "for each class."),
        "largest_of_the_sizes": edit("np.max(x,", "np.max(np.abs(x),",
            hint="You subtract the largest *absolute* value. Where all logits are far below zero, "
            "the exponentials all become 0, and 0/0 is NaN."),
        "log_probabilities_returned": edit("e / np.sum(e, axis=axis, keepdims=True)",
            "np.log(e / np.sum(e, axis=axis, keepdims=True))",
            hint="These are the logarithms of the probabilities; log_softmax comes later."),
        "denominator_not_shifted": edit("np.sum(e, axis", "np.sum(np.exp(x), axis",
            hint="The numerator is shifted by the maximum and the denominator is not. Both must "
            "be, or the factor e^(−m) does not cancel."),
        "numerator_not_shifted": edit("return e /", "return np.exp(x) /",
            hint="The denominator is shifted by the maximum and the numerator is not. Both must "
            "be, or the factor e^(−m) does not cancel."),
    },
    "logsumexp": {
        "max_not_added_back": edit("m + np.log(", "np.log(",
            also=[("result + np.squeeze(m, axis=axis)", "result")],
            hint="The maximum was taken out of the sum and never came back: this is Σ_j e^(x_j−m) "
            "in logarithms, m short of what was asked."),
        "logsumexp_with_global_max": edit(X_MAX, "np.max(x)",
            hint="You take the maximum of the whole array. In a row far below it every exponential "
            "is 0, and log 0 is −∞; every row needs its own maximum."),
        "raw_exponentials": edit("m + np.log(np.sum(np.exp(x - m)", "np.log(np.sum(np.exp(x)",
            hint="This is the formula as it stands, and e^1000 is infinite in floating point. Take "
            "the maximum out of the sum before the exponential."),
        "finite_and_infinite_exchanged": edit("np.isfinite(m), m, np.zeros_like(m)",
            "np.isfinite(m), np.zeros_like(m), m",
            hint="np.where(condition, a, b) takes a where the condition holds. Yours shifts by 0 "
            "where the maximum is finite, and by −∞ where it is not."),
        "impossible_row_gives_nan": edit("    m = np.where(np.isfinite(m), m, np.zeros_like(m))\n",
            "", about="edge", also=[("    m[~np.isfinite(m)] = 0\n", "")],
            hint="Ordinary rows are right. In a row of −∞ the maximum is −∞, and −∞ − (−∞) is NaN: "
            "shift such a row by 0 instead."),
        "eps_inside_the_logarithm": edit("axis=axis, keepdims=True))",
            "axis=axis, keepdims=True) + 1e-12)", about="edge",
            also=[("axis=axis, keepdims=True))", f"axis=axis, keepdims=True) + {eps})")
                  for eps in ("1e-10", "1e-15")],
            hint="The ε inside the logarithm turns the log 0 of an impossible row, −∞, into log ε. "
            "Here log 0 is wanted; everywhere else the sum is at least 1."),
        "logsumexp_axis_ignored": edit("np.max(x, axis=axis", "np.max(x, axis=-1",
            ("np.sum(np.exp(x - m), axis=axis", "np.sum(np.exp(x - m), axis=-1"),
            ("np.squeeze(result, axis=axis)", "np.squeeze(result, axis=-1)"), about="detail",
            hint=AXIS_IGNORED),
        "only_the_maximum": edit("m + np.log(np.sum(np.exp(x - m), axis=axis, keepdims=True))", "m",
            hint="This is the maximum alone. logsumexp lies between the maximum and the maximum + "
            "log K; the other classes count too."),
        "mean_for_sum": edit("np.sum(", "np.mean(",
            hint="This is the logarithm of the mean of the exponentials, log K short of the "
            "sum's."),
        "logarithm_forgotten": edit("np.log(np.sum(np.exp(x - m), axis=axis, keepdims=True))",
            "np.sum(np.exp(x - m), axis=axis, keepdims=True)",
            hint="The sum is added to the maximum without its logarithm: m + log Σ_j e^(x_j−m)."),
        "axis_left_in_place": edit("np.squeeze(result, axis=axis)", "result",
            hint="The axis that is summed over is still there, with length 1. keepdims=True was "
            "for the subtraction; remove the axis from the result."),
        "all_short_axes_removed": edit("np.squeeze(result, axis=axis)", "np.squeeze(result)",
            about="edge",
            hint="squeeze without an axis removes every axis of length 1, so that a matrix of one "
            "row gives a bare number. Name the axis: np.squeeze(…, axis=axis)."),
        "logsumexp_keepdims_forgotten": edit(X_MAX, "np.max(x, axis=axis)",
            also=[[("np.exp(x - m), axis=axis, keepdims=True)", "np.exp(x - m), axis=axis)"),
                  ("np.squeeze(result, axis=axis)", "result")]],
            hint=KEEPDIMS),
        "logsumexp_input_modified": edit('    with np.errstate(divide="ignore"):',
            '    x -= m\n    with np.errstate(divide="ignore"):', ("np.exp(x - m)", "np.exp(x)"),
            about="arguments", hint=IN_PLACE),
        "logsumexp_in_float64": edit("np.zeros_like(m)", "np.zeros(m.shape)", about="form",
            hint=FLOAT64),
        "maximum_subtracted_again": edit("m + np.log(", "-m + np.log(",
            hint="The maximum comes back with a minus. It was taken out of the sum as a factor "
            "e^m, and the logarithm of that is +m."),
        "maximum_as_a_factor": edit("m + np.log(", "m * np.log(",
            hint="The logarithm is multiplied by the maximum. The logarithm of a product is a sum: "
            "log(e^m · S) = m + log S."),
        "sum_of_the_logarithms": edit("m + np.log(np.sum(np.exp(x - m), axis=axis, keepdims=True))",
            "np.sum(x, axis=axis, keepdims=True)",
            hint="This is the sum of the entries, Σ log e^x. The logarithm is taken of the whole "
            "sum, and not of each term."),
        "one_added_to_the_sum": edit("np.log(np.sum(", "np.log1p(np.sum(",
            hint="log1p adds 1 to the sum before it takes the logarithm, one term too many."),
        "logarithm_to_base_two": edit("np.log(np.sum(", "np.log2(np.sum(",
            hint="The logarithm has base 2. It undoes exponentials, so it must be the natural "
            "one."),
        "maximum_added_inside": edit("m + np.log(np.sum(np.exp(x - m), axis=axis, keepdims=True))",
            "np.log(m + np.sum(np.exp(x - m), axis=axis, keepdims=True))",
            hint="The maximum is added inside the logarithm. It stands in front of it: "
            "m + log Σ e^(x−m)."),
        "maximum_outside_the_exponential": edit("np.exp(x - m)", "np.exp(x) - m", hint=OUTSIDE),
        "shifted_by_the_smallest": edit("np.max(", "np.min(", cost=0.11,
            hint="You shift by the smallest entry, so that exponents grow large and overflow. "
            "Shift by the largest, and none is above 0."),
    },
    "log_softmax": {
        "log_of_softmax": edit("shifted - np.log(np.sum(", "np.log(np.exp(shifted) / np.sum(",
            hint="You take the logarithm of a probability that has already been rounded to 0, "
            "which gives −∞. Never compute the probability: x − logsumexp(x) needs none."),
        "log_of_softmax_plus_eps": edit(LOG_SOFTMAX, LOG_GUARDED[0],
            also=[(LOG_SOFTMAX, other) for other in LOG_GUARDED[1:]], hint=EPS_IN_LOG),
        "shift_subtracted_twice": edit("shifted - np.log(", f"shifted - {X_MAX} - np.log(",
            hint="The maximum is subtracted twice: once from x, and once more inside a logsumexp "
            "that had added it back. Use either shifted x with the shifted sum, or x with "
            "logsumexp(x)."),
        "maximum_added_instead": edit("return shifted -", f"return x + {X_MAX} -",
            hint="The maximum has the wrong sign: log Σ e^x = m + log Σ e^(x−m), and all of that "
            "is subtracted from x, so that m is subtracted too."),
        "shift_in_the_sum_only": edit("return shifted -", "return x -",
            hint="The sum was shifted by the maximum, but x in front of it was not: both must be, "
            "or neither. Your exponentials do not sum to 1."),
        "log_softmax_without_shift": edit(f"x - {X_MAX}", "x",
            hint="The right difference, but the exponentials are not shifted, so that rows far "
            "from zero overflow or vanish. Subtract each row's maximum first."),
        "log_softmax_axis_ignored": edit("np.max(x, axis=axis", "np.max(x, axis=-1",
            ("np.exp(shifted), axis=axis", "np.exp(shifted), axis=-1"), about="detail",
            also=[[("np.max(x, axis=axis", "np.max(x, axis=1"),
                  ("np.exp(shifted), axis=axis", "np.exp(shifted), axis=1")]],
            hint=AXIS_IGNORED),
        "log_softmax_of_columns": edit("axis=-1", "axis=0",
            hint="The exponentials of your columns sum to 1, not those of your rows. A row is one "
            "example, so by default the sum runs along the last axis."),
        "log_softmax_with_global_max": edit(X_MAX, "np.max(x)",
            hint="One maximum for the whole array: rows far below it have only zeros in their sum, "
            "and log 0 is −∞. Every row needs its own maximum."),
        "sum_over_the_whole_array": edit("np.sum(np.exp(shifted), axis=axis, keepdims=True)",
            "np.sum(np.exp(shifted))",
            hint="The sum runs over the whole array, so that all rows share one. Sum along axis, "
            "with keepdims=True."),
        "logarithm_of_the_sum_forgotten": edit(
            "np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))",
            "np.sum(np.exp(shifted), axis=axis, keepdims=True)",
            hint="The sum of the exponentials is subtracted without its logarithm: log(e^x/S) = x "
            "− log S."),
        "quotient_of_logarithms": edit("shifted - np.log(", "shifted / np.log(",
            hint="You divide one logarithm by another. The logarithm of a quotient is the "
            "*difference* of the logarithms."),
        "probabilities_returned": edit(
            "shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))",
            "np.exp(shifted) / np.sum(np.exp(shifted), axis=axis, keepdims=True)",
            hint="These are the probabilities. Their logarithms were asked for: x − logsumexp(x)."),
        "log_softmax_keepdims_forgotten": edit(X_MAX, "np.max(x, axis=axis)",
            ("np.exp(shifted), axis=axis, keepdims=True", "np.exp(shifted), axis=axis"),
            also=[(X_MAX, "np.max(x, axis=axis)"),
            ("np.exp(shifted), axis=axis, keepdims=True", "np.exp(shifted), axis=axis")],
            hint=KEEPDIMS),
        "log_softmax_input_modified": edit(f"shifted = x - {X_MAX}",
            f"x -= {X_MAX}\n    shifted = x", about="arguments", hint=IN_PLACE),
        "log_softmax_in_float64": edit("shifted = x -", "shifted = x.astype(np.float64) -",
            about="form", hint=FLOAT64),
        "logarithm_of_the_sum_added": edit("shifted - np.log(", "shifted + np.log(",
            hint="The logarithm of the sum is added. The sum stands in the denominator, so its "
            "logarithm is subtracted."),
        "negative_log_softmax": edit("return shifted - ", "return -shifted + ",
            hint="The sign is turned round: these are −log h, the losses. Log-probabilities are at "
            "most 0."),
        "exponential_forgotten": edit("np.sum(np.exp(shifted),", "np.sum(shifted,",
            hint="Inside the logarithm the entries themselves are summed, and they are at most 0: "
            "the exponential is missing."),
        "sum_of_the_logarithms": edit("np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))",
            "np.sum(shifted, axis=axis, keepdims=True)",
            hint="You subtract Σ log e^x, the sum of the entries. The logarithm is taken of the "
            "whole sum: log Σ e^x."),
        "mean_of_the_exponentials": edit("np.sum(np.exp", "np.mean(np.exp",
            hint="You take the logarithm of the mean of the exponentials: every result is log K "
            "too large."),
        "logarithm_to_base_two": edit("np.log(np.sum(", "np.log2(np.sum(",
            hint="The logarithm has base 2. It undoes exponentials, so it must be the natural "
            "one."),
        "shifted_logits_only": edit(LOG_SOFTMAX, "shifted",
            hint="This is x minus its maximum. It is not normalised yet: the logarithm of the sum "
            "is missing."),
        "softmax_taken_before": edit("shifted = x -",
            f"x = np.exp(x - {X_MAX})\n    x = x / np.sum(x, axis=axis, keepdims=True)\n"
            "    shifted = x -",
            hint="The probabilities go into log_softmax in place of the logits: softmax is applied "
            "twice."),
    },
    "nll_loss": {
        "nll_sum_for_mean": edit(OWN_MEAN, "np.sum(losses)", hint=SUM_FOR_MEAN),
        "nll_mean_for_sum": edit(OWN_MEAN, "np.mean(losses[rows])", about="detail",
            hint=MEAN_FOR_SUM),
        "nll_none_unused": edit('if reduction == "none":\n        return losses\n    ', "",
            about="detail", hint=NONE_UNUSED),
        "nll_ignored_rows_in_the_denominator": edit("np.mean(losses[rows])", "np.mean(losses)",
            about="detail", hint=IGNORED_IN_DENOMINATOR),
        "nll_ignored_rows_dropped": edit("return losses", "return losses[rows]", about="detail",
            hint="With reduction='none' the ignored rows are gone. Each keeps its place, with loss "
            "0, so that losses and rows still belong together."),
        "nll_ignore_index_unused": edit("targets != ignore_index",
            "np.ones(len(targets), dtype=bool)", about="detail", hint=IGNORE_UNUSED),
        "nll_ignore_index_fixed": edit("targets != ignore_index", "targets != -100", about="detail",
            hint=IGNORE_FIXED),
        "nll_logarithm_taken_again": edit("-log_probs[rows, targets[rows]]",
            "-np.log(log_probs[rows, targets[rows]])",
            also=[("-log_probs[rows, targets[rows]]",
                   f"-np.log(log_probs[rows, targets[rows]] + {eps})")
                  for eps in ("1e-12", "1e-9", "1e-8")],
            hint="You take another logarithm. The input holds log-probabilities already, and the "
            "logarithm of a negative number is NaN."),
        "nll_without_minus": edit("-log_probs[", "log_probs[",
            hint="The minus is missing: log-probabilities are at most 0, a loss is at least 0."),
        "nll_of_probabilities": edit("-log_probs[rows, targets[rows]]",
            "-np.exp(log_probs[rows, targets[rows]])",
            hint="This is −p, not −log p: you went back to probabilities. A loss of −p hardly "
            "minds a confident mistake; the likelihood asks for the logarithm."),
        "nll_of_the_mean_probability": edit(OWN_MEAN,
            'np.sum(losses) if reduction == "sum" else -np.log(np.mean(np.exp(-losses[rows])))',
            hint="This is the logarithm of the mean probability. The mean of the logarithms was "
            "asked for: first −log p of each row, then the mean."),
        "nll_all_pairs_of_rows_and_targets": edit("losses[rows] = -log_probs[rows, targets[rows]]",
            "losses = -log_probs[:, targets[rows]]", ("np.mean(losses[rows])", "np.mean(losses)"),
            also=[[("losses[rows] = -log_probs[rows, targets[rows]]",
                    "losses = -log_probs[:, targets[rows]]"),
                   ("np.mean(losses[rows])", "np.sum(losses) / len(rows)")]],
            hint="log_probs[:, targets] takes all the target columns from every row, an (n, n) "
            "array. Pair each row with its own target: log_probs[np.arange(n), targets]."),
        "nll_mean_over_all_entries": edit("np.mean(losses[rows])",
            "np.mean(losses[rows]) / log_probs.shape[1]",
            also=[("np.mean(losses[rows])", "np.sum(losses) / log_probs.size")], hint=ALL_ENTRIES),
        "nll_divided_by_the_classes": edit("np.mean(losses[rows])",
            "np.sum(losses) / log_probs.shape[1]",
            hint="You divide by K, the number of classes. The mean runs over the rows that count."),
        "nll_one_hot_product": edit("-log_probs[rows, targets[rows]]",
            "-np.sum(np.eye(log_probs.shape[1])[targets[rows]] * log_probs[rows], axis=1)",
            about="edge",
            hint="Multiplying by a one-hot row picks the right entry until another entry is −∞, "
            "for 0·(−∞) is NaN. Index the target's entry instead."),
        "nll_classes_counted_from_one": edit("targets[rows]]", "targets[rows] - 1]", hint=FROM_ONE),
        "nll_targets_overwritten": edit("    rows = np.flatnonzero(counts)",
            "    targets[~counts] = 0\n    rows = np.flatnonzero(counts)", about="arguments",
            hint=IGNORED_OVERWRITTEN),
        "nll_in_float64": edit(", dtype=log_probs.dtype", "", about="form", hint=FLOAT64),
        "nll_of_the_most_likely_class": edit("-log_probs[rows, targets[rows]]",
            "-np.max(log_probs[rows], axis=1)",
            hint="You take the largest log-probability of each row. The loss is that of the "
            "*target's* entry, however likely it was held."),
        "nll_of_all_classes": edit("-log_probs[rows, targets[rows]]",
            "-np.sum(log_probs[rows], axis=1)",
            also=[("-log_probs[rows, targets[rows]]", "-np.mean(log_probs[rows], axis=1)")],
            hint="The log-probabilities of all classes are added up (or averaged). Only that of "
            "the target counts."),
        "nll_one_minus_the_probability": edit("-log_probs[rows, targets[rows]]",
            "1 - np.exp(log_probs[rows, targets[rows]])",
            hint="This is 1 − p. The loss is −log p, which has no bound for a confident mistake."),
        "nll_one_over_the_probability": edit("-log_probs[rows, targets[rows]]",
            "np.exp(-log_probs[rows, targets[rows]])",
            hint="This is 1/p, the exponential of the loss. Asked for is −log p itself."),
        "nll_ignored_rows_counted_as_class_0": edit("rows = np.flatnonzero(counts)",
            "targets = np.where(counts, targets, 0)\n    rows = np.arange(len(targets))",
            about="detail",
            also=[[("rows = np.flatnonzero(counts)",
                    "targets = np.where(counts, targets, 0)\n    rows = np.arange(len(targets))"),
                   ("np.mean(losses[rows])", "np.sum(losses) / np.sum(counts)")]],
            hint="Ignored rows get class 0 as a stand-in, and the loss of class 0 with it. Set "
            "their losses to 0 afterwards."),
        "nll_stops_at_an_ignored_row": edit("counts = targets != ignore_index",
            "counts = np.cumprod(targets != ignore_index) > 0", about="detail",
            hint="Everything after the first ignored row is left out as well (break for "
            "continue?). Only that row is."),
    },
    "smooth_labels": {
        "alpha_over_the_other_classes": edit("+ alpha / num_classes",
            "+ alpha / (num_classes - 1) * (1 - one_hot)", hint=OTHER_CLASSES),
        "alpha_over_one_class_less": edit("+ alpha / num_classes", "+ alpha / (num_classes - 1)",
            hint="Every class gets α/(K−1), so that a row sums to more than 1. The uniform "
            "distribution over K classes gives α/K to each."),
        "gold_without_its_share": edit("+ alpha / num_classes",
            "+ alpha / num_classes * (1 - one_hot)",
            hint="The gold class gets 1−α without its share α/K, so that a row sums to 1 − α/K. "
            "Mix, do not replace: α/K goes to every class."),
        "alpha_over_the_rows": edit("alpha / num_classes", "alpha / len(targets)",
            hint="You divide α by the number of examples (shape[0]). It is shared by the K "
            "classes, the columns: α/K."),
        "one_over_k_for_the_others": edit("+ alpha / num_classes",
            "+ (alpha * one_hot + (1 - one_hot)) / num_classes",
            hint="Every other class gets a whole 1/K, where α/K is its share: what all classes "
            "get together is α."),
        "nothing_taken_from_gold": edit("(1 - alpha) * one_hot", "one_hot",
            hint="α/K is added to one-hot rows that still hold a whole 1: each row sums to 1+α. "
            "What is given to all classes must be taken from the gold one."),
        "alpha_for_every_class": edit("+ alpha / num_classes", "+ alpha",
            hint="α is added to every class where α/K should be: K classes share α."),
        "alpha_and_one_minus_alpha_swapped": edit("(1 - alpha) * one_hot + alpha",
            "alpha * one_hot + (1 - alpha)",
            hint="α and 1−α have changed places: with α = 0 nothing of the label is left. The "
            "one-hot part carries 1−α."),
        "classes_counted_from_one": edit("targets] = 1", "targets - 1] = 1", hint=FROM_ONE),
        "whole_columns_set": edit("one_hot[np.arange(len(targets)), targets]",
            "one_hot[:, targets]", hint=WHOLE_COLUMNS),
        "uniform_part_missing": edit(" + alpha / num_classes", "",
            hint="The gold class gives α away, and nobody gets it: the rows sum to 1−α. Every "
            "class gets α/K."),
        "smoothing_not_done": edit("(1 - alpha) * one_hot + alpha / num_classes", "one_hot",
            about="detail", cost=0.77,
            hint="α has no effect: these are one-hot rows."),
        "alpha_halved_for_all": edit("alpha / num_classes", "alpha / 2",
            hint="Every class gets α/2, as if there were two of them. K classes share α."),
        "uniform_part_subtracted": edit("* one_hot + alpha", "* one_hot - alpha",
            hint="α/K is subtracted from every class. It is what they are given."),
        "normalised_afterwards": edit("(1 - alpha) * one_hot + alpha / num_classes",
            "(one_hot + alpha) / (1 + alpha * num_classes)",
            hint="α is added to all classes and each row is divided by its sum. The rows sum to 1, "
            "but the uniform part is then not α of them."),
        "alpha_for_the_others": edit("(1 - alpha) * one_hot + alpha / num_classes",
            "np.where(one_hot == 1, 1 - alpha, alpha)",
            hint="Every other class gets a whole α. They share it with the gold one: α/K each."),
        "other_classes_without_the_golds_share": edit("+ alpha / num_classes",
            "+ alpha / num_classes * one_hot + alpha / (num_classes - 1) * (1 - one_hot)",
            hint="The gold class has the share α/K, the others have α/(K−1), and the row sums to "
            "more than 1. The uniform distribution gives every class the same α/K."),
        "labels_clipped": edit("(1 - alpha) * one_hot + alpha / num_classes",
            "np.clip(one_hot, alpha / num_classes, 1 - alpha / num_classes)",
            hint="The labels are clipped, and the gold class gives away one share only. It must "
            "give all that the other classes get: each row sums to 1."),
        "divided_by_the_classes_squared": edit("alpha / num_classes", "alpha / num_classes**2",
            hint="You divide by K twice. The uniform distribution has 1/K for each class."),
    },
    "cross_entropy": {
        "softmax_applied_twice": edit("    shifted = logits",
            f"    logits = np.exp(logits - {ROW_MAX})\n"
            "    logits = logits / np.sum(logits, axis=1, keepdims=True)\n    shifted = logits",
            hint="Softmax is applied twice: log_softmax gets probabilities where it wants logits. "
            "The loss can then never come near 0, as the second softmax sees numbers between 0 and "
            "1 only."),
        "log_softmax_forgotten": edit("y * log_h", "y * logits",
            hint="The logits are used as if they were log-probabilities: log_softmax is missing "
            "before the target's entry is taken."),
        "cross_entropy_of_probabilities": edit("y * log_h", "y * np.exp(log_h)",
            hint="This is −Σ y·h: the logarithm of the probabilities is missing."),
        "logarithm_of_the_summed_probabilities": edit("-np.sum(y * log_h, axis=1)",
            "-np.log(np.sum(y * np.exp(log_h), axis=1))",
            hint="The logarithm is taken last, −log Σ y·h. For one-hot targets that is the same, "
            "for distributions it is not: each class has its own logarithm, −Σ y·log h."),
        "cross_entropy_by_log_of_softmax": edit("shifted - np.log(np.sum(",
            "np.log(np.exp(shifted) / np.sum(",
            also=[[("shifted - np.log(np.sum(", "np.log(np.exp(shifted) / np.sum("),
                   ("y * log_h", "np.where(y > 0, y * log_h, 0)")]],
            hint="log(softmax(x)) is −∞ as soon as a probability underflows to 0, and 0·(−∞) is "
            "NaN: never take the logarithm of a probability. Compute log-probabilities as "
            "x − logsumexp(x)."),
        "binary_cross_entropy_of_each_class": edit("y * log_h",
            "y * log_h + (1 - y) * np.log1p(-np.exp(log_h))",
            hint="Each class costs −log(1 − h) as well where it is not the target, as in the "
            "binary cross-entropy. With softmax the classes compete already: only −Σ y·log h is "
            "summed."),
        "squared_error_of_probabilities": edit("-np.sum(y * log_h, axis=1)",
            "np.sum((y - np.exp(log_h)) ** 2, axis=1)",
            hint="That is the squared error of the probabilities. The cross-entropy is "
            "−Σ y·log h."),
        "cross_entropy_arguments_exchanged": edit("y * log_h", "np.exp(log_h) * np.log(y + 1e-12)",
            also=[("y * log_h", f"np.exp(log_h) * np.log(y + {eps})")
                  for eps in ("0", "1e-15", "1e-10", "1e-9", "1e-8", "1e-7")],
            hint="The target stands in the logarithm, and the probability in front of it. It is "
            "the other way round: −Σ y·log h."),
        "cross_entropy_with_eps": edit(LOG_H, CE_GUARDED[0],
            also=[(LOG_H, other) for other in CE_GUARDED[1:]], hint=EPS_IN_LOG),
        "cross_entropy_without_shift": edit(f"logits - {ROW_MAX}", "logits",
            hint="The exponentials are not shifted: logits of 1,000 overflow, and those of −1,000 "
            "vanish. Subtract each row's maximum first."),
        "cross_entropy_with_global_max": edit(ROW_MAX, "np.max(logits)",
            hint="You subtract the maximum of the whole batch. A row far below it has only zeros "
            "in its sum, and log 0 is −∞; every row needs its own maximum."),
        "cross_entropy_keepdims_forgotten": edit(ROW_MAX, "np.max(logits, axis=1)",
            ("axis=1, keepdims=True))\n", "axis=1))\n"),
            also=[(ROW_MAX, "np.max(logits, axis=1)"), ("axis=1, keepdims=True))\n", "axis=1))\n")],
            hint=KEEPDIMS),
        "cross_entropy_along_the_columns": edit("np.exp(shifted), axis=1",
            "np.exp(shifted), axis=0",
            also=[[("np.exp(shifted), axis=1", "np.exp(shifted), axis=0"),
                  (ROW_MAX, "np.max(logits, axis=0, keepdims=True)")]],
            hint="The sum of the exponentials runs down the columns, over the examples. A row is "
            "one example: sum along axis 1."),
        "smoothing_adds_one_over_k": edit("label_smoothing / num_classes",
            "(label_smoothing > 0) / num_classes", about="detail",
            also=[("label_smoothing / num_classes", "1 / num_classes")],
            hint="Smoothing adds 1/K to every class where it should add α/K: the target rows sum "
            "to 2−α instead of 1."),
        "smoothing_adds_alpha": edit("label_smoothing / num_classes", "label_smoothing",
            about="detail",
            hint="Smoothing adds α to every class where α/K should be: K classes share α."),
        "smoothing_over_the_other_classes": edit("label_smoothing / num_classes",
            "label_smoothing * (1 - y) / (num_classes - 1)", about="detail", hint=OTHER_CLASSES),
        "smoothing_takes_nothing_from_gold": edit("(1 - label_smoothing) * y", "y", about="detail",
            hint="α/K is added to targets that still have the sum 1: what is given to all classes "
            "must be taken from the target row, which keeps 1−α."),
        "smoothing_unused": edit(f"    {SMOOTHED}\n", "", about="detail",
            hint="label_smoothing has no effect: mix each target row with the uniform "
            "distribution, formula (5)."),
        "distributions_not_smoothed": edit(SMOOTHED, f"if targets.ndim == 1:\n        {SMOOTHED}",
            about="detail",
            hint="label_smoothing works for class indices only. torch smooths distributions too: "
            "mix the rows with the uniform distribution whichever kind they are."),
        "ignored_rows_smoothed": edit("np.where(counts, -np.sum(y * log_h, axis=1), 0)",
            "-np.sum(y * log_h, axis=1)", about="detail",
            hint="The ignored rows are left out until labels are smoothed: then α/K stands in them "
            "as well and they have a loss. Set their losses to 0."),
        "cross_entropy_without_minus": edit("-np.sum(y * log_h", "np.sum(y * log_h",
            also=[("return np.sum(losses)", "return -np.sum(losses)")],
            hint="The minus is missing: log-probabilities are at most 0, a loss is at least 0."),
        "cross_entropy_mean_over_all_entries": edit("np.sum(counts) if",
            "np.sum(counts) * num_classes if", also=[("np.sum(counts) if", "logits.size if"),
                ("-np.sum(y * log_h", "-np.mean(y * log_h")],
            hint=ALL_ENTRIES),
        "cross_entropy_divided_by_the_classes": edit("np.sum(counts) if", "num_classes if",
            hint="You divide by K, the number of classes. The mean runs over the rows that count."),
        "cross_entropy_divided_twice": edit("np.sum(counts) if", "np.sum(counts) ** 2 if",
            hint="The mean is divided by the number of rows once more: the losses are summed and "
            "divided by it once."),
        "cross_entropy_of_the_first_row": edit("return np.sum(losses)", "return losses[0]",
            also=[(f"np.sum(losses) / {CE_MEAN}", "losses[0]")],
            hint="One row's loss is taken for that of the whole batch: sum the losses of all rows "
            "(is there a [0], or a return inside of a loop?)."),
        "cross_entropy_ignored_rows_in_the_denominator": edit("np.sum(counts) if", "n if",
            about="detail", hint=IGNORED_IN_DENOMINATOR),
        "cross_entropy_ignore_index_unused": edit("targets != ignore_index",
            "np.ones(n, dtype=bool)", about="detail", hint=IGNORE_UNUSED),
        "cross_entropy_ignore_index_fixed": edit("targets != ignore_index", "targets != -100",
            about="detail", hint=IGNORE_FIXED),
        "cross_entropy_sum_for_mean": edit(f" / {CE_MEAN}", "", hint=SUM_FOR_MEAN),
        "cross_entropy_mean_for_sum": edit(CE_MEAN, "np.sum(counts)", about="detail",
            hint=MEAN_FOR_SUM),
        "cross_entropy_none_unused": edit('if reduction == "none":\n        return losses\n    ',
            "", about="detail", hint=NONE_UNUSED),
        "distributions_reduced_to_argmax": edit("y = targets",
            "y = np.eye(num_classes)[targets.argmax(axis=1)]",
            hint="Distributions are turned into class indices by argmax, which throws all their "
            "other entries away. Every class counts with its weight: −Σ_k y_k log h_k."),
        "cross_entropy_classes_counted_from_one": edit("targets[counts]]", "targets[counts] - 1]",
            hint=FROM_ONE),
        "cross_entropy_whole_columns": edit("y[counts, targets[counts]]", "y[:, targets[counts]]",
            hint=WHOLE_COLUMNS),
        "cross_entropy_logits_modified": edit("shifted = logits -", "logits -=",
            ("shifted - np.log", "logits - np.log"), ("np.exp(shifted)", "np.exp(logits)"),
            about="arguments", hint=IN_PLACE),
        "cross_entropy_distributions_modified": edit(SMOOTHED,
            "y *= 1 - label_smoothing\n    y += label_smoothing / num_classes", about="arguments",
            hint="The values are right, but y is the caller's own array of distributions, and y *= "
            "… smooths it in place. Make a new array: y = (1 − α) * y + α / K."),
        "cross_entropy_targets_overwritten": edit("        y[counts, targets[counts]] = 1",
            "        y[counts, targets[counts]] = 1\n        targets[~counts] = 0",
            about="arguments", hint=IGNORED_OVERWRITTEN),
        "cross_entropy_sum_of_exponentials_forgotten": edit("y * log_h", "y * shifted",
            hint="The logits are shifted, but the logarithm of the sum of exponentials is not "
            "subtracted: these are no log-probabilities yet."),
        "cross_entropy_of_raw_logits": edit("y * log_h", "y * np.log(logits + 1e-12)",
            hint="You take the logarithm of the logits, as if they were probabilities. They may be "
            "negative: softmax comes first."),
        "divergence_for_cross_entropy": edit("y * log_h",
            "y * (log_h - np.log(np.where(y > 0, y, 1)))", about="detail", cost=0.77,
            hint="The entropy of the target is subtracted: that is the divergence. For one-hot "
            "targets it is the same, for others it is not what torch gives."),
        "cross_entropy_targets_summed": edit("y * log_h", "log_h",
            hint="The log-probabilities of all classes are added up, and the target does not say "
            "which of them count."),
        "gold_replaced_by_one_minus_alpha": edit(SMOOTHED,
            "y = np.where(y == 1, 1 - label_smoothing, label_smoothing / num_classes) "
            "if targets.ndim == 1 and label_smoothing else "
            "(1 - label_smoothing) * y + label_smoothing / num_classes", about="detail",
            hint="With smoothing the gold class gets 1−α without its share α/K. Mix, do not "
            "replace: α/K goes to every class."),
        "cross_entropy_ignored_rows_dropped": edit("        return losses\n",
            "        return losses[counts]\n", about="detail",
            hint="With reduction='none' the ignored rows are gone. Each keeps its place, with loss "
            "0."),
    },
    "checkpoint_softmax_slope": {
        "slope_of_the_logarithm": edit("h_i * (1 - h_i)", "1 - h_i",
            hint="That is 1 − h_i, the slope of log h_i. The slope of h_i itself has one more "
            "factor h_i."),
        "denominator_held_constant": edit("h_i * (1 - h_i)", "h_i",
            hint="You differentiated the numerator only. The denominator contains e^(f_i) as well, "
            "which gives the second term of the quotient rule."),
        "own_slope_with_wrong_sign": edit("h_i * (1 - h_i)", "h_i * (h_i - 1)",
            hint="The sign is turned round: a larger f_i makes h_i larger, so this slope is "
            "positive."),
        "own_slope_taken_for_a_rivals": edit("h_i * (1 - h_i)", "-h_i * h_i",
            hint="That is the case i ≠ k. For i = k the numerator moves as well, which adds h_i."),
        "rival_slope_without_minus": edit("-h_i * h_k", "h_i * h_k",
            hint="The minus is missing. When a rival's logit rises, the denominator grows and h_i "
            "falls."),
        "rival_without_influence": edit("-h_i * h_k", "0",
            hint="A rival's logit does matter: f_k stands in the denominator of every h_i."),
        "rival_slope_of_the_logarithm": edit("-h_i * h_k", "-h_k",
            hint="That is −h_k, the slope of log h_i. The slope of h_i itself has one more factor "
            "h_i."),
        "rival_slope_taken_for_its_own": edit("-h_i * h_k", "h_i * (1 - h_k)",
            hint="That is the numerator's share added where it does not belong: for k ≠ i the "
            "numerator e^(f_i) does not contain f_k."),
    },
    "checkpoint_log_slope": {
        "slope_of_the_probability": edit("1 - h_i", "h_i * (1 - h_i)",
            hint="That is h_i(1−h_i): you have differentiated h_i, not log h_i. The chain rule "
            "divides it by h_i."),
        "chain_rule_stopped_halfway": edit("1 - h_i", "1 / h_i",
            hint="1/h_i is the derivative of the logarithm with respect to h_i. The chain goes on: "
            "times ∂h_i/∂f_i."),
        "delta_forgotten": edit("1 - h_i", "-h_i",
            hint="That is the case i ≠ k. For i = k the term f_i of log h_i = f_i − log S has the "
            "slope 1, which is missing here (the δ in δ_ik − h_k)."),
        "own_log_slope_with_wrong_sign": edit("1 - h_i", "h_i - 1",
            hint="The sign is turned round: a larger f_i makes log h_i larger, so this slope is "
            "positive."),
        "rival_slope_of_the_probability": edit("-h_k", "-h_i * h_k",
            hint="That is −h_i·h_k: you have differentiated h_i, not log h_i. The chain rule "
            "divides it by h_i."),
        "probability_of_the_wrong_class": edit("-h_k", "-h_i",
            hint="The wrong probability: h_i cancels, and what is left is the probability of the "
            "class whose logit was moved, k."),
        "rival_log_slope_without_minus": edit("-h_k", "h_k",
            hint="The minus is missing. When a rival's logit rises, h_i falls, and so does its "
            "logarithm."),
    },
    "checkpoint_loss_gradient": {
        "sum_of_targets_taken_as_one": edit("Y * h_k - y_k", "h_k - y_k",
            hint="You have used Σy = 1 already. Here the entries of y add up to Y: it multiplies "
            "h_k."),
        "general_gradient_with_wrong_sign": edit("Y * h_k - y_k", "y_k - Y * h_k",
            hint="The sign is turned round: L has a minus in front of its sum, which turns the "
            "slopes of log h round."),
        "own_term_treated_as_a_rival": edit("Y * h_k - y_k", "Y * h_k",
            hint="The term with i = k has the slope 1 − h_k, and you gave it −h_k like all the "
            "others: the y_k is missing."),
        "own_share_of_the_sum_dropped": edit("Y * h_k - y_k", "(Y - y_k) * h_k - y_k",
            hint="The sum over i ≠ k is right, but the term with i = k contributes −y_k(1 − h_k), "
            "and its part with h_k was dropped."),
        "sum_multiplies_everything": edit("Y * h_k - y_k", "Y * (h_k - y_k)",
            hint="Y multiplies h_k alone: −y_k comes from the single term with i = k, and no sum "
            "stands in front of it."),
        "gradient_of_the_likelihood": edit("return h_k - y_k", "return y_k - h_k",
            hint="y − h points uphill: that is the gradient of the log-likelihood. The loss is its "
            "negative, so its gradient is h − y."),
        "only_the_gold_term": edit("return h_k - y_k", "return y_k * (h_k - 1)",
            hint="You kept only the term with i = k. The other terms y_i·h_k matter as well: even "
            "a class with y_k = 0 is pushed down."),
        "target_vanished": edit("return h_k - y_k", "return h_k",
            hint="The target has vanished: the y_k of the term with i = k is missing."),
    },
    "softmax_nll_grad": {
        "sign_flipped": edit("grad = h - y", "grad = y - h", hint=UPHILL),
        "one_over_n_missing": edit('grad / n if reduction == "mean" else grad', "grad",
            hint="h − y is the gradient of one row's loss. The mean over the batch divides every "
            "row by n; without it the step grows with the batch."),
        "one_over_n_twice": edit("grad = h - y", "grad = (h - y) / n",
            hint="You divide by n twice (or by n for 'sum' too): each row's share in the mean loss "
            "is 1/n, once."),
        "one_over_n_for_the_sum_too": edit('grad / n if reduction == "mean" else grad', "grad / n",
            about="detail",
            hint="reduction='sum' is divided by n as well. The gradient of the summed loss is h − "
            "y in every row."),
        "only_probabilities_divided_by_n": edit('grad / n if reduction == "mean" else grad',
            'h / n - y if reduction == "mean" else grad', hint=ONLY_H_AVERAGED),
        "probabilities_only": edit("grad = h - y", "grad = h",
            hint="This is h alone: the targets are never subtracted."),
        "slope_in_the_probabilities": edit("grad = h - y", "grad = -y / h",
            hint="−y/h is the gradient in the probabilities. The chain goes on through softmax to "
            "the logits, and what comes out is h − y."),
        "gradient_max_outside_the_exponential": edit("np.exp(logits - ", "(np.exp(logits) - ",
            hint=OUTSIDE),
        "targets_added": edit("grad = h - y", "grad = h + y",
            hint="The targets are added. The gradient is prediction *minus* target."),
        "one_hot_on_the_wrong_axis": edit("y[np.arange(n), targets] = 1",
            "y[np.arange(n), targets] = 1\n        y = y.T.reshape(logits.shape)",
            hint="The one-hot table was built as (K, n) and forced into shape (n, K): reshape does "
            "not transpose, so the ones lie in the wrong cells. Row i has its 1 in column "
            "targets[i]."),
        "whole_columns_reduced": edit("y[np.arange(n), targets]", "y[:, targets]",
            also=[("grad[np.arange(n), targets]", "grad[:, targets]")],
            hint=WHOLE_COLUMNS),
        "grad_classes_counted_from_one": edit("np.arange(n), targets]",
            "np.arange(n), targets - 1]", hint=FROM_ONE),
        "grad_for_the_most_likely_class": edit("y = targets",
            "y = np.eye(logits.shape[1])[targets.argmax(axis=1)]",
            hint="Distributions are turned into one-hot rows by argmax, which throws all their "
            "other entries away. h − y holds for the distribution itself."),
        "divided_by_all_entries": edit("grad / n", "grad / grad.size",
            hint="You divide by the number of entries n·K. The loss is a mean over rows, so the "
            "factor is 1/n."),
        "divided_by_the_classes": edit("grad / n", "grad / logits.shape[1]",
            hint="You divide by K, the number of classes. The loss is a mean over rows, so the "
            "factor is 1/n."),
        "slope_of_softmax_multiplied_again": edit("grad = h - y", "grad = (h - y) * h * (1 - h)",
            hint="You multiply by the slope h(1−h) once more. In h − y the softmax is "
            "differentiated already: its slopes have cancelled against the 1/h of the logarithm."),
        "gradient_with_naive_softmax": edit(f"logits - {ROW_MAX}", "logits",
            hint="The formula is right, but its softmax is not shifted: large logits give NaN "
            "gradients. Subtract each row's maximum first."),
        "gradient_with_global_max": edit(ROW_MAX, "np.max(logits)",
            hint="The formula is right, but its softmax subtracts the maximum of the whole batch: "
            "a row far below it becomes 0/0. Every row needs its own maximum."),
        "gradient_normalised_along_the_columns": edit("np.sum(e, axis=1", "np.sum(e, axis=0",
            hint="The softmax inside sums down the columns, over the examples. A row is one "
            "example: sum along axis 1."),
        "gradient_normalised_over_everything": edit("np.sum(e, axis=1, keepdims=True)", "np.sum(e)",
            hint="The softmax inside divides by the sum of the whole array. Each row is a "
            "distribution of its own: sum along axis 1, with keepdims=True."),
        "grad_keepdims_forgotten": edit(ROW_MAX, "np.max(logits, axis=1)",
            ("np.sum(e, axis=1, keepdims=True)", "np.sum(e, axis=1)"),
            also=[(ROW_MAX, "np.max(logits, axis=1)"),
            ("np.sum(e, axis=1, keepdims=True)", "np.sum(e, axis=1)")], hint=KEEPDIMS),
        "grad_logits_modified": edit(f"e = np.exp(logits - {ROW_MAX})",
            f"logits -= {ROW_MAX}\n    e = np.exp(logits)", about="arguments", hint=IN_PLACE),
        "grad_in_float64": edit("np.zeros_like(logits)", "np.zeros(logits.shape)", about="form",
            hint=FLOAT64),
        "gradient_times_h": edit("grad = h - y", "grad = h * (h - y)",
            hint="h − y is multiplied by h once more. Softmax is differentiated already."),
        "slope_of_softmax_only": edit("grad = h - y", "grad = h * (1 - h)",
            hint="h(1−h) is the slope of softmax alone, and the target does not occur. The loss in "
            "front of it is missing."),
        "own_class_only": edit("grad = h - y", "grad = y * (h - 1)",
            also=[("grad = h - y", "grad = y * (h - y)")],
            hint="Only the target's logit gets a gradient. The others share the denominator: their "
            "slope is h."),
        "logits_for_probabilities": edit("grad = h - y", "grad = logits - y",
            hint="You subtract the target from the logits. It is the probabilities, softmax of "
            "the logits, from which it is subtracted."),
        "log_probabilities_for_probabilities": edit("grad = h - y", "grad = np.log(h) - y",
            hint="You subtract the target from the log-probabilities. The gradient has the "
            "probabilities h."),
        "sigmoid_for_softmax": edit("grad = h - y", "grad = 1 / (1 + np.exp(-logits)) - y",
            hint="You take σ of each logit by itself. In h − y, h is the softmax: the classes "
            "compete."),
        "loss_for_the_gradient": edit("grad = h - y", "grad = -y * np.log(h)",
            hint="These are the losses themselves, −y·log h, and not their slopes."),
        "product_of_both": edit("grad = h - y", "grad = h * y",
            hint="Prediction and target are multiplied. The gradient is their difference."),
        "gold_entry_turned_round": edit("grad = h - y",
            "grad = np.where(y == 1, 1 - h, h - y)",
            hint="The target's own entry has the wrong sign: it is h − 1, below 0, so that a step "
            "downhill raises the logit."),
    },
    "softmax_backward": {
        "diagonal_only": edit("h * (upstream - mean)", "h * (1 - h) * upstream",
            hint="h(1−h)·u uses the Jacobian's diagonal only. Every logit also moves the other "
            "probabilities, −h_i·h_k: the row sum brings them in."),
        "row_sum_missing": edit("h * (upstream - mean)", "h * upstream",
            hint="h·u is the first half. The second, −h_k Σ_i u_i h_i, is missing: a constant "
            "upstream gradient has to give 0."),
        "backward_of_log_softmax": edit("return h * (upstream - mean)",
            "return upstream - h * np.sum(upstream, axis=-1, keepdims=True)",
            hint="u − h·Σu is the backward pass of log_softmax. Softmax's own has the factor h in "
            "front of both terms, and weights the sum: h (u − Σ_i u_i h_i)."),
        "row_sum_not_weighted": edit("upstream * h, axis", "upstream, axis",
            hint="The row sum must be weighted: Σ_i u_i h_i, the mean of u under h, not Σ_i u_i."),
        "plain_mean_for_the_weighted": edit("np.sum(upstream * h, axis", "np.mean(upstream, axis",
            hint="This subtracts the plain mean of u. The mean under h weights each u_i with its "
            "probability: Σ_i u_i h_i."),
        "weighted_sum_averaged": edit("np.sum(", "np.mean(",
            hint="Σ_i u_i h_i is divided by K. The probabilities are the weights of this mean "
            "already: it is a sum."),
        "row_sum_without_its_factor": edit("h * (upstream - mean)", "h * upstream - mean",
            hint="The second term lacks its factor h_k: what is subtracted is h_k times the row "
            "sum, more for likely classes and less for unlikely ones."),
        "centred_without_the_factor": edit("h * (upstream - mean)", "upstream - mean",
            hint="The factor h_k in front of both terms is missing: h_k (u_k − Σ_i u_i h_i)."),
        "sum_over_the_batch": edit("axis=-1", "axis=0",
            hint="You sum down the columns, over the examples. Examples do not mix: the sum runs "
            "over the classes of one row, the last axis."),
        "one_sum_for_all_rows": edit("np.sum(upstream * h, axis=-1, keepdims=True)",
            "np.sum(upstream * h)",
            hint="One sum for the whole array: examples do not mix. Sum along the last axis, with "
            "keepdims=True, so that each row has its own."),
        "second_axis_for_the_last": edit("axis=-1", "axis=1", about="detail",
            hint="The sum runs along axis 1, which is the last axis of a matrix only. With more "
            "axes the classes still lie on the last one: axis=-1."),
        "backward_keepdims_forgotten": edit("axis=-1, keepdims=True", "axis=-1",
            hint=KEEPDIMS.replace("max or sum", "sum")),
        "backward_sign_flipped": edit("upstream - mean", "mean - upstream",
            hint="The sign is turned round: it is the upstream gradient minus its mean under h."),
        "terms_added": edit("upstream - mean", "upstream + mean",
            hint="The two terms are added. The slope of a rival is −h_i·h_k, so the weighted sum "
            "is subtracted."),
        "upstream_modified": edit("return h * (upstream - mean)",
            "upstream -= mean\n    return h * upstream", about="arguments",
            hint="The values are right, but upstream is changed in place; whoever called you may "
            "still need it. Make a new array."),
        "probabilities_modified": edit("return h * (upstream - mean)",
            "h *= upstream - mean\n    return h", about="arguments",
            hint="The values are right, but h is changed in place; the layers around softmax still "
            "need it. Make a new array."),
        "examples_mixed_in_one_jacobian": edit("h * (upstream - mean)",
            "np.diagflat(h) - np.outer(h, h)",
            hint="This is a Jacobian of all entries at once, and upstream is not in it. Each row "
            "has its own, and what is asked for is its product with upstream."),
        "softmax_of_upstream": edit("    mean = ",
            "    h = np.exp(upstream) / np.sum(np.exp(upstream), axis=-1, keepdims=True)\n"
            "    mean = ",
            hint="You take the softmax of the upstream gradient. h is what the forward pass gave, "
            "and upstream only multiplies."),
        "softmax_applied_to_h": edit("    mean = ",
            "    h = np.exp(h) / np.sum(np.exp(h), axis=-1, keepdims=True)\n    mean = ",
            hint="h is softmax's output already, and you apply softmax to it once more. Use it as "
            "it is."),
        "upstream_unused": edit("h * (upstream - mean)", "h * (1 - h)",
            hint="The upstream gradient does not occur. h(1−h) is the diagonal of the Jacobian; "
            "the chain rule multiplies the whole of it by upstream."),
        "h_minus_upstream": edit("h * (upstream - mean)", "h - upstream",
            hint="That is h − u, which looks like the gradient of the cross-entropy. Here upstream "
            "is any gradient, and no target."),
        "passed_through": edit("h * (upstream - mean)", "upstream",
            hint="The gradient is passed on as it came. Softmax has slopes of its own."),
        "rivals_only": edit("h * (upstream - mean)", "-h * mean",
            hint="Only the second half is there, −h_k Σ_i u_i h_i. The first, h_k u_k, is "
            "missing."),
        "sum_of_upstream_times_h_squared": edit("h * (upstream - mean)",
            "h * upstream - h**2 * np.sum(upstream, axis=-1, keepdims=True)",
            hint="In the second half each u_i has its own h_i as a factor, inside the sum; you "
            "have h_k there."),
        "h_and_upstream_exchanged": edit("h * (upstream - mean)", "upstream * (h - mean)",
            also=[("h * (upstream - mean)",
                   "upstream * (h - np.sum(h * h, axis=-1, keepdims=True))")],
            hint="h and upstream have changed places: the factor in front is h, and what is "
            "centred is upstream."),
    },
    "train_softmax_regression": {
        "bias_decayed": edit("np.sum(G, axis=0)", "np.sum(G, axis=0) + weight_decay * b",
            about="detail",
            hint="The biases are decayed too. A bias does not make the function wiggly, it only "
            "places it: weight decay is for W."),
        "classes_counted_in_y": edit("n, D = X.shape",
            "n, D = X.shape\n    num_classes = len(np.unique(y))", about="edge",
            also=[("n, D = X.shape", "n, D = X.shape\n    num_classes = y.max() + 1")],
            hint="The number of classes is taken from y, where a class may never occur. It is "
            "given: num_classes."),
        "gradient_not_averaged": edit("- one_hot) / n", "- one_hot)",
            hint="The gradient is summed over the batch, not averaged: it is n times too large, so "
            "every step is too."),
        "gradient_divided_by_the_classes": edit("- one_hot) / n", "- one_hot) / num_classes",
            hint="The gradient is divided by K, the number of classes. The mean runs over the n "
            "examples."),
        "gradient_divided_by_all_entries": edit("- one_hot) / n", "- one_hot) / (n * num_classes)",
            hint="The gradient is divided by the number of entries n·K. The mean runs over the n "
            "examples."),
        "only_probabilities_averaged": edit("(e / np.sum(e, axis=1, keepdims=True) - one_hot) / n",
            "e / np.sum(e, axis=1, keepdims=True) / n - one_hot", hint=ONLY_H_AVERAGED),
        "bias_gradient_averaged": edit("np.sum(G, axis=0)", "np.mean(G, axis=0)",
            hint="The gradient of b is averaged once more. G holds the 1/n already: add its rows "
            "up."),
        "weights_updated_before_the_bias_gradient": edit("        b = b - lr * grad_b",
            "        logits = X @ W + b\n"
            "        e = np.exp(logits - logits.max(axis=1, keepdims=True))\n"
            "        G = (e / e.sum(axis=1, keepdims=True) - one_hot) / n\n"
            "        b = b - lr * np.sum(G, axis=0)",
            hint="W is updated before the gradient for b is computed, so b sees new weights. "
            "Compute both gradients at the old parameters, then update both."),
        "decay_without_learning_rate": edit("X.T @ G + weight_decay * W", "X.T @ G",
            ("W - lr * grad_W", "W - weight_decay * W - lr * grad_W"), about="detail",
            hint="Decay is applied without the learning rate, W·(1−λ). In torch's SGD λW is part "
            "of the gradient, so a step shrinks W by lr·λ."),
        "decay_doubled": edit("+ weight_decay * W", "+ 2 * weight_decay * W", about="detail",
            hint="Your decay is twice torch's: 2λW is the gradient of λ‖W‖², but weight_decay "
            "stands for ½λ‖W‖², whose gradient is λW."),
        "decay_halved": edit("+ weight_decay * W", "+ 0.5 * weight_decay * W", about="detail",
            hint="Your decay is half of torch's. The penalty is ½λ‖W‖²; its gradient is λW, "
            "without the ½."),
        "decay_divided_by_n": edit("+ weight_decay * W", "+ weight_decay * W / n", about="detail",
            hint="The decay is divided by the number of examples. Only the losses are averaged; λW "
            "is added as it is."),
        "decay_subtracted": edit("+ weight_decay * W", "- weight_decay * W", about="detail",
            hint="The decay makes the weights grow: λW is *added* to the gradient, so that a step "
            "shrinks W."),
        "decay_after_the_step": edit("X.T @ G + weight_decay * W", "X.T @ G",
            ("W = W - lr * grad_W", "W = (1 - lr * weight_decay) * (W - lr * grad_W)"),
            about="detail",
            hint="Decay acts on the weights after the gradient step. In torch's SGD λW is added to "
            "the gradient, so it is the old W that decays."),
        "decay_unused": edit("X.T @ G + weight_decay * W", "X.T @ G", about="detail",
            hint="weight_decay has no effect: λW belongs to the gradient of W."),
        "uphill": edit("W - lr * grad_W", "W + lr * grad_W", ("b - lr * grad_b", "b + lr * grad_b"),
            also=[("(e / np.sum(e, axis=1, keepdims=True) - one_hot)",
                   "(one_hot - e / np.sum(e, axis=1, keepdims=True))")],
            hint="The parameters climb: you add the gradient where it must be subtracted."),
        "bias_not_trained": edit("        b = b - lr * grad_b\n", "",
            also=[("np.sum(G, axis=0)", "np.sum(G)")],
            hint="b stays zero: it has a gradient too, the sum of (h − y)/n over the rows. (The "
            "sum over rows and classes is 0.)"),
        "one_step_too_few": edit("range(steps)", "range(steps - 1)",
            hint="There is one step too few (or the last one is computed and not kept): steps "
            "counts the updates."),
        "one_step_too_many": edit("range(steps)", "range(steps + 1)",
            hint="There is one step too many: steps counts the updates."),
        "random_start": edit("W, b = np.zeros((D, num_classes))",
            "W, b = 0.01 * np.random.randn(D, num_classes)",
            hint="W starts from random numbers. This problem is convex and needs none: start from "
            "zero, as the exercise asks."),
        "training_without_the_rows_maxima": edit(f"logits - {ROW_MAX}", "logits", about="detail",
            also=[(ROW_MAX, "np.max(logits)")],
            hint="The softmax inside does not subtract each row's own maximum: logits past 710 "
            "overflow, rows far below a common maximum become 0/0, and W and b are NaN."),
        "training_normalised_along_the_columns": edit("np.sum(e, axis=1", "np.sum(e, axis=0",
            hint="The softmax inside sums down the columns, over the examples. A row is one "
            "example: sum along axis 1."),
        "divided_by_n_once_more": edit("X.T @ G + weight_decay", "X.T @ G / n + weight_decay",
            ("np.sum(G, axis=0)", "np.sum(G, axis=0) / n"),
            hint="The gradient is divided by n twice: the mean loss has one 1/n, and G holds it "
            "already."),
        "example_by_example": edit("    for _ in range(steps):\n        logits = X @ W + b\n",
            "    data, labels = X, one_hot\n    for t in range(steps * n):\n"
            "        X, one_hot, n = data[t % len(data)][None], labels[t % len(data)][None], 1\n"
            "        logits = X @ W + b\n",
            hint="The parameters are updated after every example. Asked for is one update from all "
            "examples at once: full-batch descent."),
        "bias_left_out_of_the_logits": edit("logits = X @ W + b", "logits = X @ W",
            hint="b is trained, but not added to the logits, so that its gradient never learns "
            "what it has done."),
        "squared_error_trained": edit(
            "G = (e / np.sum(e, axis=1, keepdims=True) - one_hot) / n",
            "G = (logits - one_hot) / n",
            hint="The target is subtracted from the logits: that trains a linear regression. "
            "Softmax comes in between."),
        "sigmoids_trained": edit(
            "G = (e / np.sum(e, axis=1, keepdims=True) - one_hot) / n",
            "G = (1 / (1 + np.exp(-logits)) - one_hot) / n",
            hint="Each class has a σ of its own: these are K logistic regressions. In softmax "
            "regression the classes compete."),
        "learning_rate_shrinks": edit("for _ in range(steps):\n",
            "rate = lr\n    for t in range(steps):\n        lr = rate / (1 + t)\n",
            hint="The learning rate shrinks from step to step. Here it stays the same."),
        "training_stops_early": edit("        W = W - lr * grad_W\n",
            "        if np.max(np.abs(grad_W)) < 1e-2:\n            break\n"
            "        W = W - lr * grad_W\n", about="detail",
            hint="The loop ends as soon as the gradient is small. Asked for are `steps` updates."),
        "old_gradient_kept": edit("logits = X @ W + b", "logits = 0 * (X @ W + b)",
            hint="The probabilities are those of the zero parameters in every step. Compute them "
            "anew, inside the loop, from the present W and b."),
        "start_from_ones": edit("np.zeros((D, num_classes)), np.zeros(num_classes)",
            "np.ones((D, num_classes)), np.ones(num_classes)",
            hint="W and b start from ones. Start from zero, as the exercise asks."),
        "features_standardised": edit("n, D = X.shape",
            "X = (X - X.mean(axis=0)) / (X.std(axis=0) + 1e-8)\n    n, D = X.shape",
            hint="The features are standardised first, so that W and b belong to other features "
            "than the caller's. Use X as it is."),
        "decay_of_the_signs": edit("+ weight_decay * W", "+ weight_decay * np.sign(W)",
            about="detail",
            hint="λ·sign(W) is the gradient of an L1 penalty. Formula (9) has λW."),
    },
    "break_it": {
        "limit_of_float32": of_two("[[1000.0, 1001.0, 1002.0]]", "[100.0, 0.0, -1.0]",
            hint="e^100 overflows in float32 but not in float64, whose largest number is about "
            "e^709.8. The naive softmax here runs in float64."),
        "one_class_far_below": of_two("[[1000.0, 1001.0, 1002.0]]", "[0.0, -1000.0]",
            hint="One logit far below the others is harmless: its exponential becomes 0, which is "
            "right to all digits. NaN needs a denominator that is infinite, or 0."),
        "infinite_logit": edit("[[1000.0, 1001.0, 1002.0]]", "[np.inf, 0.0]",
            hint="Infinity is not a logit: the right softmax gives NaN for it as well. Find finite "
            "numbers."),
        "large_but_equal": edit("[[0.0, 1.0, -200.0]]", "[1000.0, 1000.0, 1000.0]",
            hint="The logits are large, but equal: after the shift they are all 0 and log(softmax) "
            "is right. It is a large gap that it cannot stand."),
        "saved_by_subnormal_numbers": edit("[[0.0, 1.0, -200.0]]", "[95.0, 0.0]",
            hint="Nearly: below e^−87 float32 goes on with subnormal numbers, coarser and coarser, "
            "down to about e^−103. Make the gap a little larger."),
        "gap_too_small": edit("[[0.0, 1.0, -200.0]]", "[0.0, -50.0]",
            hint="A gap of 50 leaves a probability of e^−50, which float32 holds with ease. The "
            "loss is large there, but right."),
        "minus_infinite_logit": edit("[[0.0, 1.0, -200.0]]", "[0.0, -np.inf]",
            hint="−∞ is not a logit, and log_softmax is −∞ there as well. Find finite numbers."),
    },
}
