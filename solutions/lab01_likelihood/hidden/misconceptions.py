"""Lab 01: mistakes as edits of the solution, each with what a student should be told."""

from course_utils.testing import edit

# Longer pieces of the solution that several mistakes replace.
SIGMOID = "np.where(z >= 0, 1, e) / (1 + e)"
BCE = "np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))"
PROBABILITY = "1 / (1 + np.exp(-z))"
BEFORE_REDUCTION = '    if reduction == "none":\n        return losses\n    return np.sum('


def bce_of(p, y="y", eps=""):
    """Formula (7) as it is printed, of a probability."""
    return f"-{y} * np.log({p}{eps}) - (1 - {y}) * np.log(1 - {p}{eps})"


def bce_clipped(eps):
    return bce_of(f"np.clip({PROBABILITY}, {eps}, 1 - {eps})")


MISTAKES = {
    "mse_loss": {
        "sum_for_mean": edit(
            'if reduction == "sum" else np.mean(losses)',
            'if reduction == "sum" else np.sum(losses)',
            hint="This is the sum where the mean was asked: reduction='mean' is the default, "
            "torch's and ours.",
        ),
        "mean_over_rows_only": edit(
            "else np.mean(losses)", "else np.sum(losses) / len(losses)",
            hint="You divide by the number of rows. The mean runs over all elements: a table of "
            "shape (n, k) has n·k of them.",
        ),
        "half_the_square": edit(
            "losses = (pred - target.reshape(pred.shape)) ** 2",
            "losses = (pred - target.reshape(pred.shape)) ** 2 / 2",
            hint="There is a ½ in front. Some books have it, so that the slope has no 2; formula "
            "(1), and torch, do not.",
        ),
        "absolute_value": edit(
            "losses = (pred - target.reshape(pred.shape)) ** 2",
            "losses = np.abs(pred - target.reshape(pred.shape))",
            hint="That is the absolute error. Formula (1) squares it.",
        ),
        "root_of_the_mean": edit(
            "else np.mean(losses)", "else np.sqrt(np.mean(losses))",
            hint="You take the root in the end (RMSE). Formula (1) stops at the mean.",
        ),
        "column_minus_vector": edit(
            "target.reshape(pred.shape)", "target", about="edge",
            hint="(n, 1) minus (n,) broadcasts to a table of all n·n pairs, without an error. Give "
            "the target the prediction's shape first.",
        ),
        "sum_ignored": edit(
            'return np.sum(losses) if reduction == "sum" else np.mean(losses)',
            "return np.mean(losses)", about="detail",
            hint="reduction='sum' returns the mean: look at the argument.",
        ),
        "none_ignored": edit(
            "        return losses\n", "        return np.mean(losses)\n", about="detail",
            hint="With reduction='none' nothing is reduced: one loss for every element.",
        ),
        "half_over_the_rows": edit(
            "else np.mean(losses)", "else np.sum(losses) / (2 * len(losses))",
            hint="You divide by twice the number of rows. Formula (1) has no ½, and its mean runs "
            "over all elements.",
        ),
        "not_squared": edit(
            "losses = (pred - target.reshape(pred.shape)) ** 2",
            "losses = pred - target.reshape(pred.shape)",
            also=[(
                "losses = (pred - target.reshape(pred.shape)) ** 2",
                "losses = target.reshape(pred.shape) - pred",
            )],
            hint="The differences are not squared, so that too much and too little cancel.",
        ),
        "squared_after_the_sum": edit(
            'return np.sum(losses) if reduction == "sum" else np.mean(losses)',
            "total = np.sum(pred - target.reshape(pred.shape))\n"
            '    return total**2 if reduction == "sum" else (total / pred.size) ** 2',
            hint="You add up the differences first and square what is left: too much and too "
            "little cancel. Square each difference, then add.",
        ),
        "norm_of_the_differences": edit(
            'return np.sum(losses) if reduction == "sum" else np.mean(losses)',
            "norm = np.sqrt(np.sum(losses))\n"
            '    return norm if reduction == "sum" else norm / pred.size',
            also=[
                ("else np.mean(losses)", "else np.sqrt(np.sum(losses)) / pred.size"),
                ("else np.mean(losses)", "else np.sqrt(np.sum(losses)) / len(pred)"),
            ],
            hint="The root of the sum of squares is taken (np.linalg.norm does that too). Formula "
            "(1) has no root.",
        ),
    },
    "mse_grad": {
        "factor_2_lost": edit(
            "slopes = 2 * (pred", "slopes = (pred",
            hint="The factor 2 of the power is lost: the slope of (o − g)² in o is twice the "
            "difference.",
        ),
        "divided_by_rows": edit(
            "slopes / pred.size", "slopes / len(pred)",
            hint="You divide by the number of rows; the mean runs over all elements, pred.size of "
            "them.",
        ),
        "sign_flipped": edit(
            "2 * (pred - target.reshape(pred.shape))", "2 * (target.reshape(pred.shape) - pred)",
            hint="The sign is turned round: this points downhill. The gradient is positive where "
            "the output is too large.",
        ),
        "mean_not_divided": edit(
            'slopes / pred.size if reduction == "mean" else slopes', "slopes",
            hint="The 1/N in front of the mean stays when you differentiate. Without it this is "
            "the gradient of the sum.",
        ),
        "always_divided": edit(
            'slopes / pred.size if reduction == "mean" else slopes', "slopes / pred.size",
            about="detail",
            hint="With reduction='sum' there is no 1/N in the loss, and none in its gradient.",
        ),
        "gradient_of_column_minus_vector": edit(
            "target.reshape(pred.shape)", "target", about="edge",
            hint="(n, 1) minus (n,) broadcasts to a table of all pairs. Give the target the "
            "prediction's shape first.",
        ),
        "square_of_the_count": edit(
            "slopes / pred.size if", "slopes / pred.size**2 if",
            hint="You divide by the number of elements twice. The mean has one 1/N.",
        ),
        "difference_still_squared": edit(
            "slopes = 2 * (pred - target.reshape(pred.shape))",
            "slopes = 2 * (pred - target.reshape(pred.shape)) ** 2",
            also=[(
                "slopes = 2 * (pred - target.reshape(pred.shape))",
                "slopes = (pred - target.reshape(pred.shape)) ** 2",
            )],
            hint="The difference is still squared. A derivative lowers the exponent by one.",
        ),
        "times_the_output": edit(
            "slopes = 2 * (pred", "slopes = 2 * pred * (pred",
            also=[("slopes = 2 * (pred", "slopes = pred * (pred")],
            hint="There is a factor o too many. The inner derivative, that of o − g in o, is 1.",
        ),
        "sign_of_the_difference": edit(
            "slopes = 2 * (pred - target.reshape(pred.shape))",
            "slopes = np.sign(pred - target.reshape(pred.shape))",
            hint="Only the sign of the difference is left: that is the slope of |o − g|. The slope "
            "of the square grows with the difference.",
        ),
    },
    "gaussian_nll": {
        "sigma_for_variance": edit(
            "/ (2 * sigma**2)", "/ (2 * sigma)",
            hint="You divide the squares by 2σ. Formula (2) has 2σ², the variance.",
        ),
        "constant_dropped": edit(
            "len(y) * constant", "0 * constant",
            hint="The part without y is missing. It does not matter for the best w, but the "
            "likelihood of the data has it.",
        ),
        "log_variance_without_half": edit(
            "/ 2\n", "\n",
            hint="The root in formula (2) is lost: log √x is ½ log x.",
        ),
        "log_of_sigma": edit(
            "sigma**2) ", "sigma) ",
            hint="The logarithm is that of the variance σ²; yours has σ there.",
        ),
        "variance_outside_the_root": edit(
            "np.log(2 * np.pi * sigma**2) / 2", "np.log(np.sqrt(2 * np.pi) * sigma**2)",
            hint="σ² stands under the root together with 2π, so that outside the root it is σ.",
        ),
        "mean_for_sum": edit(
            "squares = ", "squares = 1 / len(y) * ", ("constant = ", "constant = 1 / len(y) * "),
            hint="This is the mean over the examples. The density of all targets is a product, "
            "and its logarithm a sum.",
        ),
        "constant_counted_once": edit(
            "len(y) * constant", "constant",
            hint="The part without y occurs once for each example, so n times; you have it once.",
        ),
        "counted_by_features": edit(
            "len(y) * constant", "X.shape[1] * constant",
            hint="The constant is counted once for each feature. It comes once for each example.",
        ),
        "half_of_the_exponent_lost": edit(
            "/ (2 * sigma**2)", "/ sigma**2",
            hint="The 2 in the exponent's denominator is lost: the squares are divided by 2σ².",
        ),
        "likelihood_instead_of_its_minus": edit(
            "len(y) * constant + np.sum(squares)", "-len(y) * constant - np.sum(squares)",
            hint="This is the log-likelihood itself. The loss is minus it, so that smaller is "
            "better.",
        ),
        "not_squared": edit(
            "squares = (y - X @ w) ** 2", "squares = np.abs(y - X @ w)",
            hint="The differences are not squared; in formula (2) they are.",
        ),
        "sigma_unused": edit(
            "squares = ", "sigma = 1.0\n    squares = ",
            hint="σ does not occur in what you compute: this is the NLL for noise with σ = 1. "
            "Formula (3) has σ² twice.",
        ),
        "squares_not_divided_by_the_variance": edit(
            "/ (2 * sigma**2)", "/ 2",
            hint="The squares are halved, but not divided by the variance σ²: noise of any size "
            "is punished alike.",
        ),
        "sigma_missing_in_the_constant": edit(
            "np.pi * sigma**2) ", "np.pi) ",
            hint="σ² is missing in the logarithm. A wide density is a low one, and that costs "
            "something.",
        ),
        "two_pi_missing": edit(
            "np.log(2 * np.pi * ", "np.log(",
            hint="The 2π of formula (2) is missing in the logarithm. It is the same for every w "
            "and σ, but the likelihood of the data has it.",
        ),
        "two_of_two_pi_lost": edit(
            "np.log(2 * np.pi", "np.log(np.pi",
            hint="In the logarithm stands π; formula (2) has 2π.",
        ),
        "half_for_sigma_only": edit(
            "np.log(2 * np.pi * sigma**2) / 2", "np.log(2 * np.pi * sigma)",
            hint="The root in formula (2) covers 2π as well as σ²; you have taken it from σ² "
            "only.",
        ),
        "constant_in_another_base": edit(
            "np.log(2", "np.log2(2", also=[("np.log(2", "np.log10(2")],
            hint="The logarithm of the constant has another base than e. The exponential of "
            "formula (2) is undone by the natural logarithm, and the constant needs the same.",
        ),
        "constant_subtracted": edit(
            "return len(y)", "return -len(y)",
            hint="The part without y has the wrong sign. The density is divided by √(2πσ²), so "
            "minus its logarithm grows with σ.",
        ),
        "squares_subtracted": edit(
            "constant + np", "constant - np",
            hint="The squares are subtracted. In formula (2) they stand in the exponent with a "
            "minus, and the minus of the NLL makes that a plus.",
        ),
        "squared_after_the_sum": edit(
            "np.sum(squares)", "np.sum(y - X @ w) ** 2",
            hint="You add up the differences first and square what is left: they cancel. Square "
            "each of them, then add.",
        ),
        "mean_squared_error": edit(
            "len(y) * constant + np.sum(squares) / (2 * sigma**2)", "np.mean(squares)",
            hint="That is the mean squared error. It has its minimum at the same w, but it is not "
            "the NLL: the sum, σ and the part without y are missing.",
        ),
        "column_minus_vector": edit(
            "(y - X @ w)", "(y[:, None] - X @ w)",
            hint="A column minus a vector is a table of all n·n pairs, without an error. Each "
            "target belongs to one prediction: give both the shape (n,).",
        ),
        "density_rounded_to_zero": edit(
            "return len(y) * constant + np.sum(squares) / (2 * sigma**2)",
            "return np.sum(-np.log(np.exp(-squares / (2 * sigma**2)) / np.exp(constant)))",
            also=[(
                "return len(y) * constant + np.sum(squares) / (2 * sigma**2)",
                "return -np.log(np.prod(np.exp(-squares / (2 * sigma**2)) / np.exp(constant)))",
            )],
            hint="A density is computed first, is rounded to 0 where a target is far off (or where "
            "many are multiplied), and log 0 is −∞. Take the logarithm of formula (2) on paper: "
            "the exponential disappears.",
        ),
    },
    "checkpoint_nll_mse": {
        "slope_sign": edit(
            "(mu - y) / sigma**2", "(y - mu) / sigma**2",
            hint="The inner derivative of y − μ is −1, and with it the sign turns round: a mean "
            "above the target has a positive slope.", cost=0.33,
        ),
        "slope_keeps_a_half": edit(
            "(mu - y) / sigma**2", "(mu - y) / (2 * sigma**2)", cost=0.33,
            hint="The 2 of the power cancels the 2 in the denominator; yours still has it.",
        ),
        "slope_with_sigma": edit(
            "(mu - y) / sigma**2", "(mu - y) / sigma", cost=0.33,
            hint="You divide by σ. The exponent of formula (2) has σ², the variance.",
        ),
        "number_of_examples_lost": edit(
            "n * mse / (2 * sigma**2)", "mse / (2 * sigma**2)", cost=0.33,
            hint="The NLL is a sum and the MSE a mean: the sum of squares is n·MSE.",
        ),
        "part_without_its_half": edit(
            "n * mse / (2 * sigma**2)", "n * mse / sigma**2", cost=0.33,
            hint="The squares in the NLL are divided by 2σ²; your 2 is missing.",
        ),
        "part_with_sigma": edit(
            "n * mse / (2 * sigma**2)", "n * mse / (2 * sigma)", cost=0.33,
            hint="You divide by 2σ. The exponent of formula (2) has σ², the variance.",
        ),
        "transpose_missing": edit(
            "X.T @ (X @ w - y)", "X @ (X @ w - y)", cost=0.33,
            hint="X(Xw − y): its shapes do not fit, unless X is square. The sum in (4) runs over "
            "the first index of X, so X must be transposed.",
        ),
        "residual_sign": edit(
            "X.T @ (X @ w - y)", "X.T @ (y - X @ w)", cost=0.33,
            hint="The sign is turned round: ∂L/∂μ is μ − y, the output minus the target.",
        ),
        "twos_not_cancelled": edit(
            "X.T @ (X @ w - y)", "2 * X.T @ (X @ w - y)", cost=0.33,
            hint="L has a ½ in front, which cancels the 2 of the square. Yours is twice as large.",
        ),
        "half_kept": edit(
            "X.T @ (X @ w - y)", "X.T @ (X @ w - y) / 2", cost=0.33,
            hint="The ½ in front of the squares cancels the 2 of the power; you have kept it.",
        ),
    },
    "linear_regression_fit": {
        "explicit_inverse": edit(
            "np.linalg.lstsq(A, y, rcond=None)[0]", "np.linalg.inv(A.T @ A) @ (A.T @ y)",
            about="edge",
            hint="You invert a square matrix, or solve with one. With useless or repeated features "
            "it has no inverse, and that of the normal equations squares the condition number. Use "
            "a least-squares solver on X itself.",
            also=[(
                "np.linalg.lstsq(A, y, rcond=None)[0]", "np.linalg.solve(A.T @ A, A.T @ y)"
            )],
        ),
        "bias_forgotten": edit(
            "solution = np.linalg.lstsq(A, y, rcond=None)[0]\n"
            "    return solution[:-1], solution[-1]",
            "return np.linalg.lstsq(X, y, rcond=None)[0], 0.0",
            hint="There is no bias in your model: its line goes through the origin. Give X a "
            "column of ones.",
            also=[("np.ones(len(X))", "np.zeros(len(X))")],
        ),
        "gram_matrix_of_the_rows": edit(
            "np.linalg.lstsq(A, y, rcond=None)[0]", "np.linalg.solve(A @ A.T, A.T @ y)",
            hint="X Xᵀ has one row for every example. The normal equations have one for every "
            "weight: their matrix is Xᵀ X.",
        ),
        "bias_first": edit(
            "solution[:-1], solution[-1]", "solution[1:], solution[0]",
            also=[
                ("[X, np.ones(len(X))]", "[np.ones(len(X)), X]"),
                ("solution[:-1], solution[-1]", "solution[-1], solution[:-1]"),
            ],
            hint="Weights and bias are mixed up. The bias is the weight of the column of ones, "
            "stands where that column stands, and is returned second.",
        ),
        "bias_as_the_mean": edit(
            "np.linalg.lstsq(A, y, rcond=None)[0]\n    return solution[:-1], solution[-1]",
            "np.linalg.lstsq(X, y - y.mean(), rcond=None)[0]\n    return solution, y.mean()",
            hint="You take the mean of y for the bias. That is right only if every feature has "
            "mean 0; here w and b must be found together.",
        ),
        "a_little_ridge": edit(
            "np.linalg.lstsq(A, y, rcond=None)[0]",
            "np.linalg.solve(A.T @ A + 1e-3 * np.eye(A.shape[1]), A.T @ y)",
            also=[
                ("np.linalg.lstsq(A, y, rcond=None)[0]",
                 f"np.linalg.solve(A.T @ A + {added} * np.eye(A.shape[1]), A.T @ y)")
                for added in ("1.0", "0.1", "0.01", "1e-4")
            ],
            hint="Something was added to the diagonal. That makes the matrix invertible, and the "
            "answer another one: not the smallest sum of squares.",
        ),
        "near_copies_taken_for_copies": edit(
            "np.linalg.lstsq(A, y, rcond=None)[0]", "np.linalg.pinv(A.T @ A) @ A.T @ y",
            about="edge",
            also=[
                ("np.linalg.lstsq(A, y, rcond=None)[0]", "np.linalg.pinv(A, rcond=1e-3) @ y"),
                ("np.linalg.lstsq(A, y, rcond=None)[0]",
                 "np.linalg.solve(A.T @ A + 1e-8 * np.eye(A.shape[1]), A.T @ y)"),
            ],
            hint="Two features that are nearly equal count as equal here. AᵀA squares the "
            "condition number, and what is added to it, or cut off, hides what is left of the "
            "difference. Use a least-squares solver on A itself.",
        ),
        "bias_afterwards": edit(
            "solution = np.linalg.lstsq(A, y, rcond=None)[0]\n"
            "    return solution[:-1], solution[-1]",
            "w = np.linalg.lstsq(X, y, rcond=None)[0]\n    return w, np.mean(y - X @ w)",
            hint="You find w for a line through the origin, and the bias afterwards. The best w "
            "depends on the bias: both must be found together.",
        ),
        "centred_first": edit(
            "solution = np.linalg.lstsq(A, y, rcond=None)[0]\n"
            "    return solution[:-1], solution[-1]",
            "centre = X.mean(axis=0)\n"
            "    w = np.linalg.lstsq(X - centre, y - y.mean(), rcond=None)[0]\n"
            "    return w, y.mean() - centre @ w",
            about="edge",
            hint="With centred features the bias does not count when the smallest solution is "
            "chosen. Where many fits are exact, w and b *together* should be smallest.",
        ),
        "one_feature_at_a_time": edit(
            "solution = np.linalg.lstsq(A, y, rcond=None)[0]\n"
            "    return solution[:-1], solution[-1]",
            "moved = X - X.mean(axis=0)\n"
            "    w = moved.T @ (y - y.mean()) / np.sum(moved**2, axis=0)\n"
            "    return w, y.mean() - X.mean(axis=0) @ w",
            hint="Each weight is found from its own feature alone, covariance over variance. That "
            "is right for a single feature; several share the work, and must be solved for "
            "together.",
        ),
        "weights_of_scaled_features": edit(
            "np.column_stack([X,", "np.column_stack([(X - X.mean(axis=0)) / X.std(axis=0),",
            also=[(
                "np.column_stack([X,",
                "np.column_stack([(X - X.mean(axis=0)) / (X.std(axis=0) + 1e-12),",
            )],
            hint="These weights belong to standardised features, and the caller has those of X. "
            "Fit on X as it is.",
        ),
    },
    "gradient_descent": {
        "uphill": edit(
            "w - lr * grad(w)", "w + lr * grad(w)",
            hint="The step goes uphill. The gradient points to where the loss grows: subtract it.",
        ),
        "in_place": edit(
            "w = w - lr * grad(w)", "w -= lr * grad(w)",
            hint="w -= … writes into the array that w0 is, and every entry of your list is that "
            "one array: all rows of the walk are the last one. Make a new array, w = w − ….",
        ),
        "writes_into_w0": edit(
            "w = w - lr * grad(w)\n        walk.append(w)",
            "w -= lr * grad(w)\n        walk.append(w.copy())",
            ("walk = [w0]", "walk = [w0.copy()]"), about="arguments",
            hint="The walk is right, but w -= … writes into the caller's w0. Begin with a copy.",
        ),
        "returns_after_one_step": edit(
            "        walk.append(w)\n    return", "        walk.append(w)\n        return",
            about="idea",
            hint="The return stands inside the loop, so that only one step is taken.",
        ),
        "only_the_end": edit(
            "np.array(walk)", "w",
            hint="You return the last weights only. All of them are asked for: a row for w0 and "
            "one for every step.",
        ),
        "beginning_left_out": edit(
            "walk = [w0]", "walk = []",
            hint="The first row of the walk is w0 itself; yours begins after the first step.",
        ),
        "gradient_at_the_beginning": edit(
            "w - lr * grad(w)", "w - lr * grad(w0)",
            hint="You use the gradient at w0 in every step. Take the slope where you are.",
        ),
        "one_step_too_few": edit(
            "range(steps)", "range(steps - 1)",
            hint="One step is missing: the walk has steps + 1 rows.",
        ),
        "stops_early": edit(
            "        w = w - lr * grad(w)\n",
            "        if np.linalg.norm(grad(w)) < 1e-6:\n            break\n"
            "        w = w - lr * grad(w)\n",
            also=[
                ("        walk.append(w)\n",
                 "        walk.append(w)\n        if np.linalg.norm(walk[-1] - walk[-2]) < 1e-6:\n"
                 "            break\n"),
            ], about="edge", cost=0.6,
            hint="Your loop ends as soon as the steps become small. Asked for are `steps` updates: "
            "the walk has steps + 1 rows, also where nothing moves any more.",
        ),
        "one_step_too_many": edit(
            "range(steps)", "range(steps + 1)",
            hint="There is one step too many: after w0 come `steps` updates.",
        ),
        "first_row_left_empty": edit(
            "np.array(walk)", "np.array([0 * w0] + walk[1:])",
            hint="The first row of the walk is 0. It should be w0.",
        ),
        "rate_forgotten": edit(
            "w - lr * grad(w)", "w - grad(w)",
            hint="The gradient is subtracted as it is. The learning rate says how much of it a "
            "step takes.",
        ),
        "rate_decays": edit(
            "for _ in range(steps):\n        w = w - lr * grad(w)",
            "for t in range(steps):\n        w = w - lr / (1 + t) * grad(w)",
            also=[
                ("for _ in range(steps):\n        w = w - lr * grad(w)",
                 f"for t in range(steps):\n        w = w - lr * {factor} * grad(w)")
                for factor in ("(1 + t) ** -0.5", "0.9**t", "0.99**t")
            ],
            hint="Your learning rate shrinks from step to step. In formula (5) η stays the same.",
        ),
        "unit_steps": edit(
            "w - lr * grad(w)", "w - lr * grad(w) / np.linalg.norm(grad(w))",
            also=[("w - lr * grad(w)", "w - lr * np.sign(grad(w))")],
            hint="Only the direction (or the signs) of the gradient is used, so that all steps are "
            "equally long. Its size belongs to the step.",
        ),
        "momentum_added": edit(
            "    for _ in range(steps):\n        w = w - lr * grad(w)",
            "    v = 0\n    for _ in range(steps):\n        v = 0.9 * v + grad(w)\n"
            "        w = w - lr * v",
            also=[(
                "    for _ in range(steps):\n        w = w - lr * grad(w)",
                "    v = 0\n    for _ in range(steps):\n        v = 0.9 * v + 0.1 * grad(w)\n"
                "        w = w - lr * v",
            )],
            hint="Earlier gradients are still at work in a step: that is momentum. Formula (5) "
            "takes the gradient at the present w only.",
        ),
        "difference_turned_round": edit(
            "w - lr * grad(w)", "lr * grad(w) - w",
            hint="The difference is the wrong way round: w is subtracted from the step.",
        ),
        "step_for_the_point": edit(
            "w - lr * grad(w)", "-lr * grad(w)",
            hint="That is the step alone. The new weights are the old ones plus the step.",
        ),
    },
    "sigmoid": {
        "textbook_overflow": edit(
            "e = np.exp(-np.abs(z))  # never above 1\n"
            "    return np.where(z >= 0, 1, e) / (1 + e)",
            "return 1 / (1 + np.exp(-z))", about="edge",
            hint="Somewhere e^1000 is computed, which overflows: formula (6) does that for "
            "z = −1000, and np.where does it because it computes both branches everywhere. Let "
            "the exponent be −|z|.",
            also=[(
                "e = np.exp(-np.abs(z))  # never above 1\n"
                "    return np.where(z >= 0, 1, e) / (1 + e)",
                "return np.where(z >= 0, 1 / (1 + np.exp(-z)), np.exp(z) / (1 + np.exp(z)))",
            )],
        ),
        "fraction_of_infinities": edit(
            "e = np.exp(-np.abs(z))  # never above 1\n"
            "    return np.where(z >= 0, 1, e) / (1 + e)",
            "return np.exp(z) / (1 + np.exp(z))", about="edge",
            hint="e^1000 is infinite, and ∞/∞ is NaN. Use a form whose exponent is never above 0.",
        ),
        "clipped": edit(
            "np.exp(-np.abs(z))  # never above 1", "np.exp(-np.clip(np.abs(z), 0, 10))",
            about="edge",
            also=[
                ("np.exp(-np.abs(z))  # never above 1", f"np.exp(-np.clip(np.abs(z), 0, {bound}))")
                for bound in (15, 20, 30, 40, 50, 60, 88, 100, 500, 600, 700, 709)
            ],
            hint="Clipping makes all logits beyond the bound equal, and their probabilities too. "
            "Nothing overflows if the exponent is never above 0.",
        ),
        "probability_clipped": edit(
            SIGMOID, f"np.clip({SIGMOID}, 1e-15, 1 - 1e-15)", about="edge",
            also=[
                (SIGMOID, f"np.clip({SIGMOID}, {eps}, 1 - {eps})")
                for eps in ("1e-7", "1e-8", "1e-10", "1e-12")
            ],
            hint="The probability itself is kept away from 0 and 1 (clipped, or moved by a small "
            "number). σ(−300) is tiny but no rounding error, and float64 holds it: give it back as "
            "it is.",
        ),
        "small_probabilities_cancel": edit(
            SIGMOID, "(1 + np.tanh(z / 2)) / 2", about="edge",
            also=[(SIGMOID, "1 - np.where(z >= 0, e, 1) / (1 + e)")],
            hint="A small probability comes out as the difference of two numbers near 1 (as in "
            "1 + tanh or 1 − σ(−z)), so that below 1e-16 nothing is left of it. Write a fraction "
            "whose numerator is small itself.",
        ),
        "sign_of_the_logit": edit(
            "np.where(z >= 0, 1, e)", "np.where(z >= 0, e, 1)", cost=0.6,
            hint="That is σ(−z): a large logit must give a probability near 1.",
            also=[("np.exp(-np.abs(z))  #", "np.exp(np.abs(z))  #")],
        ),
        "slope_of_the_slope": edit(
            "s = sigmoid(z)\n", "s = sigmoid(sigmoid(z))\n", cost=0.45,
            hint="σ is applied twice: you take the slope at σ(z) instead of at z.",
        ),
        "logit_taken_for_probability": edit(
            "s = sigmoid(z)\n", "s = z\n", cost=0.45,
            hint="s(1 − s) needs the probability s = σ(z), and you put the logit z into it.",
        ),
        "sign_of_the_factor": edit(
            "s * (1 - s)", "s * (s - 1)", cost=0.45,
            hint="The slope of a growing function is positive; yours has the other sign.",
        ),
        "only_one_factor": edit(
            "s * (1 - s)", "1 - s", cost=0.45,
            hint="One of the two fractions of step 9 is missing: 1 − σ must be multiplied by σ.",
        ),
        "slope_by_a_naive_quotient": edit(
            "s = sigmoid(z)\n    return s * (1 - s)",
            "return np.exp(-z) / (1 + np.exp(-z)) ** 2", about="edge",
            hint="e^1000 is infinite, and ∞/∞ is NaN. Write the slope with the stable σ.",
        ),
        "sign_of_z_lost": edit(
            "np.where(z >= 0, 1, e) / (1 + e)", "1 / (1 + e)",
            hint="With |z| alone, σ is the same for z and −z, and never below ½. A negative logit "
            "has a probability below ½.",
        ),
        "minus_in_the_denominator": edit(
            "e = np.exp(-np.abs(z))  # never above 1\n"
            "    return np.where(z >= 0, 1, e) / (1 + e)",
            "return 1 / (1 - np.exp(-z))",
            also=[(
                "e = np.exp(-np.abs(z))  # never above 1\n"
                "    return np.where(z >= 0, 1, e) / (1 + e)",
                "return np.exp(z) / (1 - np.exp(z))",
            )],
            hint="The denominator has a minus, so that it becomes 0 at z = 0 and negative beside "
            "it. Formula (6) has 1 + e^(−z).",
        ),
        "shifted_by_the_largest": edit(
            "e = np.exp(-np.abs(z))  # never above 1\n"
            "    return np.where(z >= 0, 1, e) / (1 + e)",
            "z = z - np.max(z)\n    return 1 / (1 + np.exp(-z))",
            hint="The largest logit is subtracted, as for softmax. σ does not allow that: it takes "
            "every logit by itself, and another z has another probability.",
        ),
        "softmax_of_all": edit(
            "e = np.exp(-np.abs(z))  # never above 1\n"
            "    return np.where(z >= 0, 1, e) / (1 + e)",
            "return np.exp(z) / np.sum(np.exp(z))",
            also=[(
                "e = np.exp(-np.abs(z))  # never above 1\n"
                "    return np.where(z >= 0, 1, e) / (1 + e)",
                "e = np.exp(z - np.max(z))\n    return e / np.sum(e)",
            )],
            hint="That is softmax: the logits compete, and the results sum to 1. σ takes every "
            "logit by itself.",
        ),
        "tanh_for_sigma": edit(
            SIGMOID, "np.tanh(z)", also=[(SIGMOID, "np.tanh(z / 2)")],
            hint="That is a tanh, which runs from −1 to 1. A probability lies between 0 and 1.",
        ),
        "tanh_of_the_whole_logit": edit(
            SIGMOID, "(1 + np.tanh(z)) / 2",
            hint="That is σ(2z): twice as steep. In the form with tanh stands half of the logit.",
        ),
        "slope_is_sigma": edit(
            "s * (1 - s)", "s", cost=0.45,
            hint="That is σ itself. One of the two fractions of step 9 is missing.",
        ),
        "odds_for_slope": edit(
            "s * (1 - s)", "s / (1 - s)", cost=0.45,
            hint="s/(1 − s) are the odds, which grow without bound. The slope is a product of the "
            "two, and at most ¼.",
        ),
        "slope_is_the_square": edit(
            "s * (1 - s)", "s**2", cost=0.45,
            hint="That is σ². Of the two factors of step 9, only one is σ.",
        ),
        "slope_of_tanh": edit(
            "s * (1 - s)", "1 - s**2", cost=0.45,
            hint="1 − t² is the slope of t = tanh z. That of σ has the factors of step 9.",
        ),
        "times_the_logit": edit(
            "s * (1 - s)", "z * s * (1 - s)", cost=0.45,
            hint="There is a factor z too many: that would be the slope in a weight whose input "
            "is z.",
        ),
        "logit_in_the_second_factor": edit(
            "s * (1 - s)", "s * (1 - z)", cost=0.45,
            also=[("s * (1 - s)", "z * (1 - s)")],
            hint="One of the two factors has the logit z where the probability σ(z) belongs.",
        ),
        "square_of_the_denominator_lost": edit(
            "s = sigmoid(z)\n    return s * (1 - s)",
            "e = np.exp(-np.abs(z))\n    return e / (1 + e)", cost=0.45,
            hint="The denominator of step 9 is squared; without that the slope at 0 is ½, and "
            "not ¼.",
        ),
    },
    "bce_with_logits": {
        "log_of_sigma": edit(
            BCE, bce_of(PROBABILITY), about="edge",
            hint="You take the logarithm of a probability that has already been rounded to 0 or 1. "
            "Never compute the probability: steps 11 and 12.",
        ),
        "log_of_sigma_plus_eps": edit(
            BCE, bce_of(PROBABILITY, eps=" + 1e-12"), about="edge",
            also=[
                *((BCE, bce_of(PROBABILITY, eps=f" + {eps}")) for eps in ("1e-10", "1e-15")),
                *((BCE, bce_clipped(eps)) for eps in ("1e-7", "1e-8", "1e-10", "1e-12", "1e-15")),
            ],
            hint="A small number in the logarithm, or a clipped probability, only hides the "
            "infinity: all hopeless examples now cost the same (27.6 with 1e-12), however hopeless "
            "they are. Never compute the probability: steps 11 and 12.",
        ),
        "large_eps_in_the_logarithm": edit(
            BCE, bce_of(PROBABILITY, eps=" + 1e-5"),
            also=[
                (BCE, bce_of(PROBABILITY, eps=f" + {eps}"))
                for eps in ("1e-3", "1e-4", "1e-6", "1e-7", "1e-8")
            ],
            hint="The number added in the logarithm is large enough to change every loss, and it "
            "only hides the infinity of hopeless examples. Never compute the probability: steps 11 "
            "and 12.",
        ),
        "target_in_the_logarithm": edit(
            BCE, bce_of("y", PROBABILITY),
            also=[
                (BCE, f"-y * np.log(y) - (1 - {PROBABILITY}) * np.log(1 - {PROBABILITY})"),
                *((BCE, bce_of("y", PROBABILITY, f" + {eps}"))
                  for eps in ("1e-7", "1e-8", "1e-10", "1e-12", "1e-15")),
            ],
            hint="The target stands inside a logarithm. In formula (7) the target is the weight, "
            "and the logarithm that of the predicted probability: the two have changed places.",
        ),
        "second_term_left_out": edit(
            BCE, f"-y * np.log({PROBABILITY})", also=[(BCE, "y * np.logaddexp(0, -z)")],
            hint="Only the examples with y = 1 cost something. Formula (7) has a second term, "
            "which is there for y = 0.",
        ),
        "first_term_left_out": edit(
            BCE, f"-(1 - y) * np.log(1 - {PROBABILITY})",
            also=[(BCE, "(1 - y) * np.logaddexp(0, z)")],
            hint="Only the examples with y = 0 cost something. Formula (7) has a first term, "
            "which is there for y = 1.",
        ),
        "probability_expected": edit(
            BCE, bce_of("z"), also=[(BCE, bce_of("np.clip(z, 1e-7, 1 - 1e-7)"))],
            hint="The logit z is treated as if it were a probability already. The σ between the "
            "two is missing: a logit may be negative, or above 1.",
        ),
        "sigma_applied_twice": edit(
            "    losses = ", f"    z = {PROBABILITY}\n    losses = ",
            hint="σ is applied twice: the loss is that of the logit σ(z). A hopeless example then "
            "costs next to nothing.",
        ),
        "bce_sign": edit(
            BEFORE_REDUCTION, "    losses = -losses\n" + BEFORE_REDUCTION,
            hint="The sign is turned round: logarithms of probabilities are negative, and a loss "
            "is minus them, at least 0.",
        ),
        "bce_in_bits": edit(
            BEFORE_REDUCTION, "    losses = losses / 0.6931471805599453\n" + BEFORE_REDUCTION,
            hint="Every loss is divided by log 2, as with logarithms to the base 2: those are "
            "bits. Asked for are nats, the natural logarithm.",
        ),
        "sign_of_the_product": edit(
            "np.maximum(z, 0) - z * y", "np.maximum(z, 0) + z * y",
            hint="The sign of z·y is turned round: for y = 1 a large logit must cost nothing.",
        ),
        "classes_swapped": edit(
            "    losses = ", "    y = 1 - y\n    losses = ",
            hint="The classes are swapped: your loss is small where a 0 has a large logit.",
        ),
        "absolute_value_missing": edit(
            "np.exp(-np.abs(z))", "np.exp(-z)",
            hint="For negative z the exponent left inside is not −z: with max(0, z) taken out it "
            "is −|z|.",
        ),
        "maximum_missing": edit(
            "np.maximum(z, 0) - z * y", "z - z * y",
            hint="You took z out of the logarithm for either sign, but kept |z| inside. What comes "
            "out is the larger of 0 and z.",
        ),
        "log_of_one_plus_little": edit(
            "np.log1p(np.exp(-np.abs(z)))", "np.log(1 + np.exp(-np.abs(z)))", about="edge",
            hint="Something tiny is added to 1 before the logarithm, or taken from it, and is "
            "lost: 1 + 1e-17 is 1 in floating point, and its logarithm 0. np.log1p keeps small "
            "losses.",
        ),
        "little_added_to_much": edit(
            "np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))",
            "np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))) - z * y", about="edge",
            hint="The small logarithm is added to max(0, z), where its digits are lost, and only "
            "then z·y is subtracted. Subtract first, and add the logarithm last.",
        ),
        "signed_labels": edit(
            BCE, "np.log1p(np.exp(-(2 * y - 1) * z))", about="edge",
            also=[(BCE, "np.logaddexp(0, -(2 * y - 1) * z)")],
            hint="log(1 + e^(−sz)) with s = 2y − 1 (or a sign chosen by y) is right for labels 0 "
            "and 1 only. A target between them is a mixture of both losses; and where e^(−sz) is "
            "computed as it stands, it overflows.",
        ),
        "bce_sum_for_mean": edit(
            "else np.mean(losses)", "else np.sum(losses)", about="detail",
            hint="reduction='mean' returns the sum: divide by the number of elements.",
        ),
        "bce_sum_ignored": edit(
            'return np.sum(losses) if reduction == "sum" else np.mean(losses)',
            "return np.mean(losses)", about="detail",
            hint="reduction='sum' returns the mean: look at the argument.",
        ),
        "hard_labels_only": edit(
            "    losses = ", "    y = np.where(y == 1, y, 0 * y)\n    losses = ", about="edge",
            hint="A target may be a probability between 0 and 1. Multiply by y instead of asking "
            "whether it is 1.",
        ),
        "exponential_overflows": edit(
            BCE, "np.log1p(np.exp(z)) - z * y", about="edge",
            also=[
                (BCE, "np.log(1 + np.exp(z)) - z * y"),
                (BCE, "(1 - y) * z + np.log1p(np.exp(-z))"),
                (BCE, "(1 - y) * z + np.log(1 + np.exp(-z))"),
                (BCE, "y * np.log(1 + np.exp(-z)) + (1 - y) * np.log(1 + np.exp(z))"),
                (BCE, "y * np.log1p(np.exp(-z)) + (1 - y) * np.log1p(np.exp(z))"),
            ],
            hint="e^z or e^(−z) is computed as it stands, and overflows for logits of some "
            "hundreds. Take the larger of 0 and z out of the logarithm: steps 11 and 12.",
        ),
        "maximum_dropped": edit(
            "np.maximum(z, 0) - z * y", "-z * y",
            hint="What was taken out of the logarithm is missing: with −|z| in the exponent, "
            "max(0, z) must be added again.",
        ),
        "minimum_for_maximum": edit(
            "np.maximum(z, 0)", "np.minimum(z, 0)",
            hint="You add the smaller of 0 and z. What is taken out of the logarithm is the larger "
            "one.",
        ),
        "largest_of_all_logits": edit(
            "np.maximum(z, 0)", "np.max(z)", also=[("np.maximum(z, 0)", "np.max(z, axis=-1)")],
            hint="np.max(z) is the largest of the logits, one number for many examples. Each "
            "logit is compared with 0 by itself.",
        ),
        "sign_of_the_exponent": edit(
            "np.exp(-np.abs(z))", "np.exp(np.abs(z))",
            hint="In the exponent stands +|z|, so that e^|z| grows and overflows. After max(0, z) "
            "is taken out, −|z| is left.",
        ),
        "squared_error_of_sigma": edit(
            BCE, f"({PROBABILITY} - y) ** 2",
            hint="That is the squared error of the probability. Formula (7) takes logarithms.",
        ),
        "second_term_sign": edit(
            BCE, f"-y * np.log({PROBABILITY}) + (1 - y) * np.log(1 - {PROBABILITY})",
            also=[(BCE, "y * np.logaddexp(0, -z) - (1 - y) * np.logaddexp(0, z)")],
            hint="The second term has the wrong sign (does the minus stand before the first one "
            "only?). Both logarithms are negative, and both count as a cost.",
        ),
    },
    "checkpoint_bce_slope": {
        "outer_slope_forgotten": edit(
            "return 1 - s", "return s * (1 - s)", cost=0.33,
            hint="That is σ′, the slope of s. The logarithm in front brings a factor 1/s.",
        ),
        "inner_slope_forgotten": edit(
            "return 1 - s", "return 1 / s", cost=0.33,
            hint="That is the slope of log s in s. You differentiate in z: times σ′.",
        ),
        "yes_sign": edit(
            "return 1 - s", "return s - 1", cost=0.33,
            hint="log σ grows with z, so its slope is positive.",
        ),
        "minus_of_the_inside_lost": edit(
            "return -s\n", "return s\n", cost=0.33,
            hint="The derivative of 1 − s is −σ′: the minus is lost.",
        ),
        "no_as_yes": edit(
            "return -s\n", "return -(1 - s)\n", cost=0.33,
            hint="1/(1 − s) cancels the factor 1 − s of σ′ and leaves the other one.",
        ),
        "no_keeps_both_factors": edit(
            "return -s\n", "return -s * (1 - s)\n", cost=0.33,
            hint="The factor 1/(1 − s) of the logarithm is missing.",
        ),
        "target_minus_probability": edit(
            "return s - y", "return y - s", cost=0.33,
            hint="y − s: the minus signs of (7) are lost. Where s is too large the slope of the "
            "loss is positive.",
        ),
        "second_term_dropped": edit(
            "return s - y", "return -y * (1 - s)", cost=0.33,
            hint="Only the first term of (7) is differentiated. The second is there as well, with "
            "the factor 1 − y.",
        ),
        "slope_in_s": edit(
            "return s - y", "return (s - y) / (s * (1 - s))", cost=0.33,
            hint="That is the slope of the loss in s. In z there is a factor σ′ more, which "
            "cancels the denominator.",
        ),
    },
    "checkpoint_saturation": {
        "sigmoid_slope_forgotten": edit(
            "2 * (s - y) * s * (1 - s)", "2 * (s - y)",
            hint="That is the slope in s. By the chain rule it is multiplied by σ′, and that "
            "factor is the whole point.",
        ),
        "factor_2_forgotten": edit(
            "2 * (s - y) * s * (1 - s)", "(s - y) * s * (1 - s)",
            hint="The factor 2 of the power is lost.",
        ),
        "squared_sign": edit(
            "2 * (s - y) * s * (1 - s)", "2 * (y - s) * s * (1 - s)",
            hint="The sign is turned round: the slope of (s − y)² in s is 2(s − y).",
        ),
        "ratio_without_2": edit(
            "return 2 * s * (1 - s)", "return s * (1 - s)",
            hint="The factor 2 of the square stays in the ratio.",
        ),
        "ratio_turned_round": edit(
            "return 2 * s * (1 - s)", "return 1 / (2 * s * (1 - s))",
            hint="That is the ratio the other way round: the squared error's slope stands above.",
        ),
        "ratio_of_the_slopes_in_s": edit(
            "return 2 * s * (1 - s)", "return sp.Integer(2)",
            hint="A constant ratio would mean that both losses learn alike. The factor σ′ is in "
            "one slope, and has cancelled in the other.",
        ),
    },
    "logistic_regression_grad": {
        "labels_minus_probabilities": edit(
            "(s - y)", "(y - s)",
            hint="The sign is turned round: this is the direction downhill, and the gradient "
            "points uphill.",
        ),
        "features_missing": edit(
            "X.T @ (s - y)", "s - y",
            hint="These are the slopes in the logits, one an example. Formula (4) carries them to "
            "the weights: Xᵀ is missing.",
        ),
        "divided_by_n": edit(
            "X.T @ (s - y)", "X.T @ (s - y) / len(y)",
            hint="This is the gradient of the mean; that of the sum was asked for.",
        ),
        "sigmoid_missing": edit(
            "X.T @ (s - y)", "X.T @ (X @ w - y)",
            hint="That is the gradient of linear regression. Here the output is the probability, "
            "σ of the logit.",
        ),
        "slope_of_the_squared_error": edit(
            "X.T @ (s - y)", "X.T @ ((s - y) * s * (1 - s))",
            hint="The factor σ′ belongs to the squared error. In the cross-entropy it has "
            "cancelled: step 14.",
        ),
        "not_transposed": edit(
            "X.T @ (s - y)", "X @ (s - y)",
            hint="X is not transposed: each weight collects its slope from all examples, along "
            "the first axis of X.",
        ),
        "overflow_in_the_sigmoid": edit(
            "np.where(X @ w >= 0, 1, e) / (1 + e)", "np.exp(X @ w) / (1 + np.exp(X @ w))",
            about="edge",
            hint="Your probability is NaN for large logits. Use your stable sigmoid.",
        ),
        "sigma_of_minus_the_logit": edit(
            "np.where(X @ w >= 0, 1, e)", "np.where(X @ w >= 0, e, 1)",
            hint="Your probability is σ(−Xw), that of the other class. A large logit speaks for "
            "y = 1.",
        ),
        "labels_taken_for_signs": edit(
            "return X.T @ (s - y)", "return -X.T @ (y / (1 + np.exp(y * (X @ w))))",
            hint="That is the gradient for labels −1 and 1. With 0 and 1, examples with y = 0 do "
            "not count at all.",
        ),
        "last_example_only": edit(
            "X.T @ (s - y)", "X[-1] * (s - y)[-1]",
            hint="Only the last example counts. In a loop, add to the gradient (+=) instead of "
            "setting it anew.",
        ),
        "size_of_the_error_only": edit(
            "(s - y)", "np.abs(s - y)",
            hint="The sign of the errors is lost. It says in which direction the weights must go.",
        ),
        "weights_added": edit(
            "return X.T @ (s - y)", "return X.T @ (s - y) + w",
            hint="The weights themselves are added to the gradient, as for a penalty. The "
            "cross-entropy has none.",
        ),
        "decisions_for_probabilities": edit(
            "(s - y)", "((s > 0.5) - y)",
            hint="You use the decision, 0 or 1, in place of the probability: that is the "
            "perceptron's rule. The gradient of the cross-entropy has σ.",
        ),
        "summed_over_the_features": edit(
            "X.T @ (s - y)", "np.sum((s - y)[:, None] * X, axis=1)",
            hint="You add up the features of each example. The sum runs over the examples, so that "
            "a number for each weight is left.",
        ),
        "one_row_per_example": edit(
            "X.T @ (s - y)", "(s - y)[:, None] * X",
            hint="That is a gradient for each example. The loss is their sum, and so is its "
            "gradient.",
        ),
    },
    "entropy": {
        "zero_gives_nan": edit(
            "p * np.log(safe)", "p * np.log(p)", about="edge", cost=0.1,
            hint="0·log 0 is NaN on a computer. A term with p = 0 is 0: keep the zero out of the "
            "logarithm.",
            also=[
                ("safe = np.where(p > 0, p, 1)", "safe = np.where(p >= 0, p, 1)"),
                ("safe = np.where(p > 0, p, 1)", "safe = np.where(p > 0, p, 0)"),
            ],
        ),
        "eps_in_the_logarithm": edit(
            "p * np.log(safe)", "p * np.log(p + 1e-6)", cost=0.33,
            hint="An ε in the logarithm changes every term a little. Only p = 0 needs care.",
        ),
        "tiny_eps_in_the_logarithm": edit(
            "safe = np.where(p > 0, p, 1)", "safe = p + 1e-12", about="edge", cost=0.1,
            also=[
                ("safe = np.where(p > 0, p, 1)", "safe = " + kept)
                for kept in (
                    "p + 1e-8", "p + 1e-9", "p + 1e-10", "p + 1e-15", "np.clip(p, 1e-8, 1)",
                    "np.clip(p, 1e-9, 1)", "np.clip(p, 1e-10, 1)", "np.clip(p, 1e-12, 1)",
                    "np.clip(p, 1e-15, 1)",
                )
            ],
            hint="A small number in the logarithm of the entropy (or a clipped p) changes the "
            "terms of very rare outcomes. Only p = 0 needs care.",
        ),
        "always_bits": edit(
            'nats = -np.sum(p * np.log(safe), axis=-1)\n'
            '    return nats / np.log(2) if unit == "bits" else nats',
            "return -np.sum(p * np.log2(safe), axis=-1)", cost=0.33,
            hint="log2 gives bits. Without unit='bits' the result is in nats.",
        ),
        "entropy_sign": edit(
            "nats = -np.sum(p * np.log(safe)", "nats = np.sum(p * np.log(safe)", cost=0.33,
            hint="The minus is missing: logarithms of probabilities are negative, entropy is not.",
        ),
        "entropy_of_everything": edit(
            "np.sum(p * np.log(safe), axis=-1)", "np.sum(p * np.log(safe))", cost=0.33,
            hint="You add up the whole array. Each row is a distribution: sum along the last axis.",
        ),
        "unit_ignored": edit(
            'return nats / np.log(2) if unit == "bits" else nats', "return nats",
            about="detail", cost=0.1,
            hint="unit='bits' changes nothing. A bit is log 2 nats, so divide by that.",
        ),
        "bits_multiplied": edit(
            "nats / np.log(2)", "nats * np.log(2)", about="detail", cost=0.1,
            hint="You multiply by log 2. A fair coin has log 2 nats and 1 bit: divide.",
        ),
        "arguments_swapped": edit(
            "p * np.log(expected)", "q * np.log(np.where(q > 0, p, 1))", cost=0.33,
            hint="p and q are swapped: outcomes come from p, the logarithm is that of q.",
        ),
        "impossible_costs_nothing": edit(
            "expected = np.where(p > 0, q, 1)", "expected = np.where(q > 0, q, 1)", about="edge",
            cost=0.1,
            hint="Where q is 0 but p is not, the impossible happened, which costs ∞. Only where p "
            "is 0 is the term 0.",
        ),
        "cross_entropy_zero_gives_nan": edit(
            "expected = np.where(p > 0, q, 1)", "expected = q", about="edge", cost=0.1,
            hint="Where p and q are both 0 you compute 0·(−∞), NaN. A term with p = 0 is 0.",
        ),
        "infinity_hidden_by_eps": edit(
            "expected = np.where(p > 0, q, 1)", "expected = q + 1e-12", about="edge", cost=0.1,
            also=[
                ("expected = np.where(p > 0, q, 1)", "expected = " + kept)
                for kept in (
                    "q + 1e-9", "q + 1e-10", "q + 1e-15", "np.clip(q, 1e-15, 1)",
                    "np.clip(q, 1e-12, 1)", "np.clip(q, 1e-10, 1)", "np.clip(q, 1e-9, 1)",
                    "np.clip(q, 1e-8, 1)", "np.clip(q, 1e-7, 1)",
                )
            ],
            hint="In the cross-entropy, a small number in the logarithm (or a clipped q) makes the "
            "impossible cost some twenty nats. It costs ∞; only where p is 0 is the term 0.",
        ),
        "cross_entropy_large_eps": edit(
            "expected = np.where(p > 0, q, 1)", "expected = q + 1e-5", cost=0.33,
            also=[
                ("expected = np.where(p > 0, q, 1)", f"expected = q + {eps}")
                for eps in ("1e-3", "1e-4", "1e-6", "1e-7", "1e-8")
            ],
            hint="In the cross-entropy, the number added in the logarithm is large enough to "
            "change every term, and it hides the ∞ of what q takes for impossible. Only where p "
            "is 0 is care needed: the term is 0.",
        ),
        "cross_entropy_of_everything": edit(
            "np.log(expected), axis=-1)", "np.log(expected))", cost=0.33,
            hint="The cross-entropy adds up the whole array. Each row is a distribution with a "
            "cross-entropy of its own: sum along the last axis.",
        ),
        "cross_entropy_averaged_over_rows": edit(
            "np.log(expected), axis=-1)", "np.log(expected)) / p.shape[0]", cost=0.33,
            hint="The cross-entropies of all rows become one mean, as for a loss of a batch. Each "
            "row is a distribution with a cross-entropy of its own: sum along the last axis, and "
            "average nothing.",
        ),
        "cross_entropy_sign": edit(
            "total = -np.sum(", "total = np.sum(", cost=0.33,
            hint="The minus of the cross-entropy is missing: logarithms of probabilities are "
            "negative, it is not.",
        ),
        "cross_entropy_unit_ignored": edit(
            'return total / np.log(2) if unit == "bits" else total', "return total",
            about="detail", cost=0.1,
            hint="unit='bits' changes nothing in the cross-entropy. Divide by log 2.",
        ),
        "cross_entropy_of_columns": edit(
            "np.sum(p * np.log(expected), axis=-1)", "np.sum(p * np.log(expected), axis=0)",
            cost=0.33,
            hint="You add up the columns. Each row is a distribution: sum along the last axis.",
        ),
        "cross_entropy_in_bits_always": edit(
            'return total / np.log(2) if unit == "bits" else total', "return total / np.log(2)",
            cost=0.33,
            hint="The cross-entropy is divided by log 2 whatever the unit. In nats it is not.",
        ),
        "divergence_swapped": edit(
            "np.sum(p * (np.log(true) - np.log(model)), axis=-1)",
            "np.sum(q * (np.log(np.where(q > 0, q, 1)) - np.log(np.where(q > 0, p, 1))), axis=-1)",
            cost=0.33,
            hint="That is D(q ‖ p). The divergence is not symmetric: the outcomes come from p.",
        ),
        "divergence_sign": edit(
            "np.log(true) - np.log(model)", "np.log(model) - np.log(true)", cost=0.33,
            hint="The sign is turned round: a divergence is never negative.",
        ),
        "cross_entropy_for_divergence": edit(
            "p * (np.log(true) - np.log(model))", "p * -np.log(model)", cost=0.33,
            hint="That is the cross-entropy. The divergence is what it exceeds the entropy by.",
            also=[
                ("true, model = np.where(p > 0, p, 1)", "true, model = np.where(p > 1, p, 1)"),
                ("true, model = np.where(p > 0, p, 1)", "true, model = np.where(p > 0, 1, p)"),
            ],
        ),
        "divergence_of_everything": edit(
            "np.log(model)), axis=-1)", "np.log(model)))", cost=0.33,
            hint="The divergence adds up the whole array. Each row is a distribution with a "
            "divergence of its own: sum along the last axis.",
        ),
        "divergence_zero_gives_nan": edit(
            "true, model = np.where(p > 0, p, 1), np.where(p > 0, q, 1)", "true, model = p, q",
            about="edge", cost=0.1,
            hint="In the divergence, 0·log 0 is NaN on a computer. Where p is 0 the term is 0: "
            "keep the zero out of the logarithm.",
        ),
        "divergence_infinity_hidden": edit(
            "true, model = np.where(p > 0, p, 1), np.where(p > 0, q, 1)",
            "true, model = p + 1e-12, q + 1e-12", about="edge", cost=0.1,
            also=[
                ("true, model = np.where(p > 0, p, 1), np.where(p > 0, q, 1)",
                 f"true, model = p + {eps}, q + {eps}") for eps in ("1e-9", "1e-10", "1e-15")
            ] + [
                ("true, model = np.where(p > 0, p, 1), np.where(p > 0, q, 1)",
                 f"true, model = np.clip(p, {eps}, 1), np.clip(q, {eps}, 1)")
                for eps in ("1e-7", "1e-8", "1e-10", "1e-12", "1e-15")
            ],
            hint="In the divergence, a small number in the logarithm (or a clipped q) makes the "
            "impossible cost some twenty nats. It costs ∞; only where p is 0 is the term 0.",
        ),
        "divergence_unit_ignored": edit(
            'return extra / np.log(2) if unit == "bits" else extra', "return extra",
            about="detail", cost=0.1,
            hint="unit='bits' changes nothing in the divergence. Divide by log 2.",
        ),
        "entropy_averaged": edit(
            "-np.sum(p * np.log(safe), axis=-1)", "-np.mean(p * np.log(safe), axis=-1)", cost=0.33,
            hint="The terms of the entropy are averaged. The probabilities in front are the "
            "weights of the mean already, so the terms are only added up.",
        ),
        "entropy_without_weights": edit(
            "np.sum(p * np.log(safe), axis=-1)", "np.sum(np.log(safe), axis=-1)", cost=0.33,
            also=[("np.sum(p * np.log(safe), axis=-1)", "np.mean(np.log(safe), axis=-1)")],
            hint="In the entropy the p in front of the logarithm is missing: a rare outcome "
            "surprises much, but seldom.",
        ),
        "binary_cross_entropy": edit(
            "total = -np.sum(p * np.log(expected), axis=-1)",
            "total = -np.sum(p * np.log(expected) + (1 - p) * np.log(1 - q), axis=-1)", cost=0.33,
            also=[
                ("total = -np.sum(p * np.log(expected), axis=-1)",
                 f"total = -np.sum(p * np.log(q + {eps}) + (1 - p) * np.log(1 - q + {eps}), "
                 "axis=-1)")
                for eps in ("1e-12", "1e-15")
            ],
            hint="That is the cross-entropy of many yes-or-no questions. For one outcome out of K "
            "there is no second term.",
        ),
        "entropies_added": edit(
            "np.log(true) - np.log(model)", "-np.log(true) - np.log(model)", cost=0.33,
            hint="You add the entropy to the cross-entropy. The divergence is what the latter has "
            "more.",
        ),
        "entropy_of_the_model_subtracted": edit(
            "p * (np.log(true) - np.log(model))",
            "q * np.log(np.where(q > 0, q, 1)) - p * np.log(model)", cost=0.33,
            hint="From the cross-entropy you subtract the entropy of q. What is subtracted is that "
            "of p, from which the outcomes come.",
        ),
        "divergence_weighted_by_q": edit(
            "np.sum(p * (np.log(true)", "np.sum(q * (np.log(true)", cost=0.33,
            hint="The logarithm of p/q is averaged with q. The outcomes come from p, so p is the "
            "weight.",
        ),
        "both_divergences": edit(
            "p * (np.log(true) - np.log(model))",
            "p * (np.log(true) - np.log(model)) + q * (np.log(np.where(q > 0, q, 1)) "
            "- np.log(np.where(q > 0, p, 1)))", cost=0.33,
            hint="You add D(p ‖ q) and D(q ‖ p). Asked for is the first alone; it is not "
            "symmetric.",
        ),
        "logarithm_of_q_forgotten": edit(
            "np.log(true) - np.log(model)", "np.log(true) - model", cost=0.33,
            hint="In the divergence q stands without its logarithm (torch's kl_div expects it "
            "there, this function does not).",
        ),
        "divergence_impossible_costs_nothing": edit(
            "np.where(p > 0, p, 1), np.where(p > 0, q, 1)",
            "np.where(p * q > 0, p, 1), np.where(p * q > 0, q, 1)", about="edge", cost=0.1,
            hint="In the divergence, outcomes with q = 0 are left out. Where p is not 0 the "
            "impossible happened, which costs ∞.",
        ),
    },
    "information": {
        "power_of_2_of_nats": edit(
            "np.exp(-np.sum(", "2 ** (-np.sum(", cost=0.45,
            hint="2 to the power of *nats*: the bases are mixed. What was taken with the natural "
            "logarithm is undone by the exponential.",
        ),
        "cross_entropy_not_undone": edit(
            "np.exp(-np.sum(p[seen] * np.log(q[seen])))", "-np.sum(p[seen] * np.log(q[seen]))",
            cost=0.45,
            hint="That is the cross-entropy. The perplexity undoes its logarithm.",
        ),
        "perplexity_of_p": edit(
            "np.log(q[seen])", "np.log(p[seen])", cost=0.45,
            hint="That is the perplexity of p about itself. The model that is surprised is q.",
        ),
        "perplexity_below_one": edit(
            "np.exp(-np.sum(p[seen]", "np.exp(np.sum(p[seen]", cost=0.45,
            hint="The minus of the entropy is lost: a perplexity is at least 1.",
        ),
        "perplexity_zero_gives_nan": edit(
            "np.exp(-np.sum(p[seen] * np.log(q[seen])))", "np.exp(-np.sum(p * np.log(q)))",
            about="edge",
            hint="Where p and q are both 0 you compute 0·(−∞), NaN. Leave out what never happens.",
            also=[("seen = p > 0", "seen = p >= 0")],
        ),
        "marginals_swapped": edit(
            "joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)",
            "np.outer(joint.sum(axis=0), joint.sum(axis=1)).reshape(joint.shape)",
            hint="The marginals are swapped: p(x) is one number for every row, so it sums over "
            "the columns, axis=1.",
        ),
        "information_sign": edit(
            "np.log(joint[seen] / independent[seen])", "np.log(independent[seen] / joint[seen])",
            hint="The fraction stands upside down: mutual information is never negative.",
        ),
        "joint_entropy": edit(
            "joint[seen] * np.log(joint[seen] / independent[seen])",
            "-joint[seen] * np.log(joint[seen])",
            hint="That is the entropy of the pair. Divide by the product of the marginals inside "
            "the logarithm.",
        ),
        "information_zero_gives_nan": edit(
            "nats = np.sum(joint[seen] * np.log(joint[seen] / independent[seen]))",
            "nats = np.sum(joint * np.log(joint / independent))", about="edge",
            hint="A pair with p(x, y) = 0 gives 0·(−∞), NaN. Leave it out.",
            also=[("seen = joint > 0", "seen = joint >= 0")],
        ),
        "information_unit_ignored": edit(
            'return nats / np.log(2) if unit == "bits" else nats', "return nats", about="detail",
            hint="unit='bits' changes nothing. A bit is log 2 nats, so divide by that.",
        ),
        "weighted_by_the_product": edit(
            "np.sum(joint[seen] * np.log", "np.sum(independent[seen] * np.log",
            hint="The mean is taken under the product of the marginals. The pairs come from the "
            "joint distribution.",
        ),
        "perplexity_without_weights": edit(
            "np.exp(-np.sum(p[seen] * np.log(q[seen])))", "np.exp(-np.mean(np.log(q[seen])))",
            cost=0.45, also=[(
                "np.exp(-np.sum(p[seen] * np.log(q[seen])))", "np.exp(-np.mean(np.log(q)))"
            )],
            hint="All outcomes count alike. They come from p, so p gives the weights of the mean.",
        ),
        "exponential_of_bits": edit(
            "* np.log(q[seen])", "* np.log2(q[seen])", cost=0.45,
            hint="log2 gives bits, and they are undone by 2 to the power of them, not by the "
            "exponential.",
        ),
        "power_of_10_of_nats": edit(
            "np.exp(-np.sum(", "10 ** (-np.sum(", cost=0.45,
            hint="10 to the power of *nats*: what was taken with the natural logarithm is undone "
            "by the exponential.",
        ),
        "perplexity_of_the_divergence": edit(
            "np.log(q[seen])", "np.log(q[seen] / p[seen])", cost=0.45,
            hint="That is the exponential of the divergence, which is 1 for a perfect model. The "
            "perplexity is that of the cross-entropy.",
        ),
        "perplexity_of_q": edit(
            "np.exp(-np.sum(p[seen] * np.log(q[seen])))",
            "np.exp(-np.sum(q[q > 0] * np.log(q[q > 0])))", cost=0.45,
            hint="That is the perplexity of q about itself. The outcomes come from p.",
        ),
        "perplexity_swapped": edit(
            "np.exp(-np.sum(p[seen] * np.log(q[seen])))",
            "np.exp(-np.sum(q[q > 0] * np.log(p[q > 0])))", cost=0.45,
            hint="p and q are swapped: the outcomes come from p, the logarithm is that of q.",
        ),
        "root_taken_twice": edit(
            "np.exp(-np.sum(p[seen] * np.log(q[seen])))",
            "np.exp(-np.mean(p[seen] * np.log(q[seen])))", cost=0.45,
            also=[(
                "np.exp(-np.sum(p[seen] * np.log(q[seen])))", "np.exp(-np.mean(p * np.log(q)))"
            )],
            hint="The terms p·log q are averaged. The p in front are the weights of the mean "
            "already, so the terms are only added up.",
        ),
        "perplexity_never_infinite": edit(
            "seen = p > 0", "seen = (p > 0) & (q > 0)", about="edge",
            hint="Outcomes that q excludes are left out. Where p does not exclude them, the "
            "surprise is infinite.",
        ),
        "marginal_entropies_added": edit(
            "np.log(joint[seen] / independent[seen])", "np.log(1 / independent[seen])",
            hint="That is H(x) + H(y). What both share is what this exceeds the entropy of the "
            "pair by.",
        ),
        "three_entropies_added": edit(
            "np.log(joint[seen] / independent[seen])", "-np.log(joint[seen] * independent[seen])",
            hint="The entropy of the pair is added to those of x and y; it must be subtracted.",
        ),
        "conditional_entropy": edit(
            "np.log(joint[seen] / independent[seen])",
            "np.log((joint.sum(axis=0) / joint)[seen])",
            also=[(
                "np.log(joint[seen] / independent[seen])",
                "np.log((joint.sum(axis=1, keepdims=True) / joint)[seen])",
            )],
            hint="That is a conditional entropy: what is still unknown of one variable when the "
            "other is known. The information is what has become known.",
        ),
        "marginals_added": edit(
            "joint.sum(axis=1, keepdims=True) * joint", "joint.sum(axis=1, keepdims=True) + joint",
            hint="The marginals are added. Independent probabilities multiply.",
        ),
        "information_without_weights": edit(
            "np.sum(joint[seen] * np.log(", "np.sum(np.log(",
            hint="The joint probability in front of the logarithm is missing: the pairs that occur "
            "often must count more.",
        ),
        "one_marginal_only": edit(
            "joint[seen] / independent[seen]", "(joint / joint.sum(axis=1, keepdims=True))[seen]",
            also=[("joint[seen] / independent[seen]", "(joint / joint.sum(axis=0))[seen]")],
            hint="You divide by one of the two marginals only. Independent pairs have the product "
            "of both.",
        ),
        "marginals_averaged": edit(
            "joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)",
            "joint.mean(axis=1, keepdims=True) * joint.mean(axis=0, keepdims=True)",
            hint="A marginal is the sum of the joint probabilities over the other variable, not "
            "their mean.",
        ),
        "information_normalised": edit(
            "    nats = np.sum(joint[seen] * np.log(joint[seen] / independent[seen]))",
            "    nats = np.sum(joint[seen] * np.log(joint[seen] / independent[seen]))\n"
            "    h = [-np.sum(p[p > 0] * np.log(p[p > 0])) for p in (joint.sum(1), joint.sum(0))]\n"
            "    nats /= np.sqrt(h[0] * h[1])",
            also=[(
                "    nats = np.sum(joint[seen] * np.log(joint[seen] / independent[seen]))",
                "    nats = np.sum(joint[seen] * np.log(joint[seen] / independent[seen]))\n"
                "    h = [-np.sum(p[p > 0] * np.log(p[p > 0])) for p in (joint.sum(1), "
                "joint.sum(0))]\n    nats *= 2 / (h[0] + h[1])",
            )],
            hint="The information is divided by entropies, as a score between 0 and 1. Formula (9) "
            "stops before that.",
        ),
        "information_bits_multiplied": edit(
            "nats / np.log(2)", "nats * np.log(2)", about="detail",
            hint="You multiply by log 2. A bit is log 2 nats, so divide.",
        ),
        "information_always_in_bits": edit(
            'return nats / np.log(2) if unit == "bits" else nats', "return nats / np.log(2)",
            cost=0.4,
            hint="The information comes in bits whatever the unit. Without unit='bits' it is in "
            "nats.",
        ),
    },
    "checkpoint_family": {
        "difference_the_wrong_way": edit(
            "return b - a", "return a - b", cost=0.25,
            hint="That is the probability of the first class. With a = 0 it must be σ(b).",
        ),
        "sum_for_difference": edit(
            "return b - a", "return a + b", cost=0.25,
            hint="Dividing exponentials subtracts their exponents; you have added them.",
        ),
        "ratio_of_logits": edit(
            "return b - a", "return b / a", cost=0.25,
            hint="Dividing e^b by e^a subtracts the exponents; it does not divide them.",
        ),
        "gaussian_sign": edit(
            "return z - g\n", "return g - z\n", cost=0.25,
            hint="A′ = z comes with a plus, and g with a minus.",
        ),
        "gaussian_half_kept": edit(
            "return z - g\n", "return z / 2 - g\n", cost=0.25,
            hint="The derivative of ½z² is z: the 2 of the power cancels the ½.",
        ),
        "minus_in_the_exponent_lost": edit(
            "1 / (1 + sp.exp(-z)) - g", "1 / (1 + sp.exp(z)) - g", cost=0.25,
            hint="That is σ(−z) − g: a minus is lost. e^z/(1 + e^z) is 1/(1 + e^−z).",
        ),
        "bernoulli_sign": edit(
            "1 / (1 + sp.exp(-z)) - g", "g - 1 / (1 + sp.exp(-z))", cost=0.25,
            hint="A′ comes with a plus, and g with a minus.",
        ),
        "categorical_sign": edit(
            "return e_k / S - g_k", "return g_k - e_k / S", cost=0.25,
            hint="A′ comes with a plus, and g_k with a minus.",
        ),
        "inner_exponential_forgotten": edit(
            "return e_k / S - g_k", "return 1 / S - g_k", cost=0.25,
            hint="The derivative of log S is 1/S times the derivative of S, and S contains "
            "e^(z_k).",
        ),
        "probability_of_the_others": edit(
            "return e_k / S - g_k", "return 1 - e_k / S - g_k", cost=0.25,
            hint="1 − e_k/S is the probability of all the other classes. A′ is that of class k.",
        ),
    },
    "break_it": {
        "too_near_for_a_yes": edit(
            "return -800.0", "return -40.0", cost=0.5,
            hint="At −40 the probability is 4e−18, which float64 holds with ease, and its "
            "logarithm is right. For s to become 0, e^(−z) must overflow.",
        ),
        "on_the_right_side": edit(
            "return -800.0", "return 800.0", cost=0.5,
            hint="At 800 with y = 1 the true loss is 0, and the published code gives 0·(−∞), NaN. "
            "Infinity needs a probability of 0.",
        ),
        "infinite_logit": edit(
            "return -800.0", "return -np.inf", cost=0.5,
            hint="−∞ is no logit: the true loss is infinite there too. Find a finite one.",
        ),
        "just_held": edit(
            "return -800.0", "return -709.0", cost=0.5,
            hint="Nearly: e^709 is still finite. The largest float64 is about e^709.8.",
        ),
        "too_near_for_a_no": edit(
            "return 38.0", "return 30.0", cost=0.5,
            hint="At 30, 1 − s is still 9e−14. It becomes 0 when 1 + e^(−z) is rounded to 1.",
        ),
        "no_on_the_wrong_side": edit(
            "return 38.0", "return -38.0", cost=0.5,
            hint="At −38 with y = 0 the classifier is right, and 1 − s is 1. Look where s is "
            "rounded to 1.",
        ),
        "beyond_the_bounds": edit(
            "return 38.0", "return 800.0", cost=0.5,
            hint="800 breaks it too, but the logit must lie between −40 and 40: 1 − s is rounded "
            "to 0 much earlier.",
        ),
    },
}
