"""Lab 03: named mistakes, each an edit of the solution, with what a student should be told."""

from course_utils.testing import edit

# The loop of the solution's backward, and the same in the order of a depth-first search.
LOOP = """    ready = [output]
    while ready:
        node = ready.pop()
        for parent, slope in zip(node.parents, node.slopes):
            parent.grad += slope * node.grad
            uses[parent] -= 1
            if uses[parent] == 0:
                ready.append(parent)"""
SEARCH = """    order, seen, stack = [], set(), [(output, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack += [(node, True)] + [(parent, False) for parent in node.parents]
"""
HAND_ON = """        for parent, slope in zip(node.parents, node.slopes):
            parent.grad {} slope * node.grad"""


MISTAKES = {
    "numerical_gradient": {
        "forward_difference": edit(
            "        x[i] = kept - h\n        below", "        x[i] = kept\n        below",
            ("/ (2 * h)", "/ h"),
            hint="That is the difference to one side, f(x+h) − f(x): its error is of size h, not "
            "h². Go the same way to both sides, as in (1).",
        ),
        "step_not_doubled": edit(
            "/ (2 * h)", "/ h",
            hint="Your slopes are twice too large: from x − h to x + h it is 2h, not h.",
        ),
        "divided_by_half_the_step": edit(
            "/ (2 * h)", "/ 2 * h",
            hint="/ 2 * h divides by 2 and then multiplies by h. Put the product into brackets.",
        ),
        "entry_not_put_back": edit(
            "        x[i] = kept\n        gradient", "        gradient",
            hint="After the second evaluation the entry is still moved, so all later slopes are "
            "taken at another point. Put it back before you go on.",
        ),
        "all_entries_moved_at_once": edit(
            "x[i] = kept + h\n", "x += h\n", ("x[i] = kept - h\n", "x -= 2 * h\n"),
            ("        x[i] = kept\n        gradient", "        x += h\n        gradient"),
            hint="All entries are moved together, which gives the sum of all slopes. Move one "
            "entry at a time, and leave the others where they are.",
        ),
        "only_the_first_axis": edit(
            "np.ndindex(x.shape)", "range(len(x))", about="detail",
            hint="You go along the first axis only: for a matrix that moves whole rows. "
            "np.ndindex(x.shape) goes through all entries.",
        ),
        "flat_index_on_a_table": edit(
            "np.ndindex(x.shape)", "range(x.size)", about="detail",
            hint="You count through x.size entries with one number, but on a table x[i] is a whole "
            "row, and there are fewer rows than entries. np.ndindex(x.shape) goes through entries "
            "of any shape.",
        ),
        "differences_in_float32": edit(
            "np.array(x, dtype=np.float64)", "np.array(x)", about="detail",
            hint="The differences are taken in the dtype of x. In float32 a step of 1e-5 is lost "
            "in rounding: copy x to float64 first.",
        ),
        "point_changed": edit(
            "x = np.array(x, dtype=np.float64)", "x = np.asarray(x, dtype=np.float64)",
            ("        x[i] = kept\n        gradient[i] = (above - below) / (2 * h)",
             "        gradient[i] = (above - below) / (2 * h)\n"
             "        x[i] = kept + 2 * h - 2 * h"),
            about="arguments",
            hint="You move the caller's own x, and after kept + h − h it is not exactly what it "
            "was. Work on a copy, np.array(x, dtype=np.float64).",
        ),
        "backward_difference": edit(
            "        x[i] = kept + h\n", "        x[i] = kept\n", ("/ (2 * h)", "/ h"),
            hint="That is a one-sided difference, from x − h to x. Both sides are needed for the "
            "error to be of order h².",
        ),
        "difference_turned_round": edit(
            "above - below", "below - above",
            hint="The difference is the wrong way round: f(x + h) comes first.",
        ),
        "step_too_short": edit(
            "kept + h\n", "kept + h / 2\n", ("kept - h\n", "kept - h / 2\n"),
            hint="Each side is moved by h/2, so that the two points are h apart, and you divide "
            "by 2h.",
        ),
        "own_step": edit(
            "    gradient = np.zeros_like(x)\n", "    gradient, h = np.zeros_like(x), 1e-4\n",
            about="detail", cost=0.75,
            also=[("    gradient = np.zeros_like(x)\n",
                   f"    gradient, h = np.zeros_like(x), {h}\n") for h in ("1e-5", "1e-6")],
            hint="The argument h is not used: your step is a fixed number.",
        ),
        "second_difference": edit(
            "(above - below) / (2 * h)", "(above - 2 * f(x) + below) / h**2",
            hint="That is the second derivative. The slope is the difference of the two values "
            "over 2h.",
        ),
    },
    "checkpoint_neuron": {
        "inner_derivative_lost": edit(
            "return u - y", "return y - u", cost=0.33,
            hint="The sign: the inner derivative of y − u with respect to u is −1.",
        ),
        "square_not_differentiated": edit(
            "return u - y", "return (y - u) ** 2 / 2", cost=0.33,
            hint="That is ℓ itself; its slope in u is asked for.",
        ),
        "half_forgotten": edit(
            "return u - y", "return 2 * (u - y)", cost=0.33,
            hint="The ½ in front of the square cancels the 2 of the power rule: it is there for "
            "that.",
        ),
        "slope_of_sigmoid_forgotten": edit(
            "return u_bar * u * (1 - u)", "return u_bar", cost=0.33,
            hint="What comes from above must be multiplied by the slope of this step, σ'(z).",
        ),
        "slope_of_sigmoid_alone": edit(
            "return u_bar * u * (1 - u)", "return u * (1 - u)", cost=0.33,
            hint="That is the slope of σ alone. Multiply it by what comes from above, ∂L/∂u.",
        ),
        "sigmoid_for_its_slope": edit(
            "return u_bar * u * (1 - u)", "return u_bar * u", cost=0.33,
            hint="You multiplied by σ(z) itself; its slope is u(1 − u).",
        ),
        "slope_at_the_output": edit(
            "return u_bar * u * (1 - u)",
            "return u_bar * sp.exp(-u) / (1 + sp.exp(-u)) ** 2", cost=0.33,
            hint="That is σ' at u. It belongs at z, and with u = σ(z) it is u(1 − u).",
        ),
        "penalty_counted_half": edit(
            "lam * 2 * w", "lam * w", cost=0.33,
            hint="The penalty is λw², without a ½: its slope is 2λw, not λw.",
        ),
        "penalty_forgotten": edit(
            "z_bar * x + lam * 2 * w", "z_bar * x", cost=0.33,
            hint="w acts on L by two paths, through z and through r = w². Yours has the first.",
        ),
        "weight_for_input": edit(
            "z_bar * x +", "z_bar * w +", cost=0.33,
            hint="The slope of z = wx + b in w is x, the other factor.",
        ),
        "penalty_multiplied": edit(
            "z_bar * x + lam * 2 * w", "z_bar * x * lam * 2 * w", cost=0.33,
            hint="Two paths from w to L are added, not multiplied.",
        ),
    },
    "neuron_backward": {
        "penalty_counted_half": edit(
            "+ 2 * lam * w,", "+ lam * w,",
            hint="The penalty is λw², without a ½: its slope is 2λw, not λw. (torch's "
            "weight_decay stands for ½λw².)",
        ),
        "penalty_forgotten": edit(
            " + 2 * lam * w,", ",",
            hint="w acts on the loss through the penalty as well: 2λw is missing in ∂L/∂w.",
        ),
        "sign_turned": edit(
            "grad_z = (u - y)", "grad_z = (y - u)",
            hint="The slope of ½(y − u)² in u is u − y: the inner derivative is −1.",
        ),
        "slope_of_sigmoid_forgotten": edit(
            "(u - y) * u * (1 - u)", "(u - y)",
            hint="σ' = u(1 − u) is missing. (It does drop out for cross-entropy, but this is a "
            "squared error.)",
        ),
        "bias_through_x": edit(
            "lam * w, grad_z", "lam * w, grad_z * x",
            hint="b stands in z = wx + b without a factor: its slope is 1, not x.",
        ),
        "bias_penalised": edit(
            "lam * w, grad_z", "lam * w, grad_z + 2 * lam * b",
            hint="The penalty is λw²: it does not contain b.",
        ),
        "half_forgotten": edit(
            "0.5 * (y - u) ** 2", "(y - u) ** 2",
            hint="Your gradient is that of ½(y − u)² + λw², but the loss that you return lacks the "
            "½.",
        ),
        "penalty_missing_in_the_loss": edit(
            " + lam * w**2", "",
            hint="The slopes contain the penalty, but the loss that you return does not.",
        ),
        "sigmoid_overflows": edit(
            "float(sigmoid(w * x + b))", "1 / (1 + math.exp(-(w * x + b)))", about="edge",
            hint="e^900 is more than a float holds. sigmoid of the first cell never takes the "
            "exponential of a positive number.",
        ),
        "half_forgotten_everywhere": edit(
            "0.5 * (y - u) ** 2", "(y - u) ** 2", ("grad_z = (u - y)", "grad_z = 2 * (u - y)"),
            hint="The ½ of formula (2) is forgotten, in the loss and in the slopes: the error "
            "counts twice as much against the penalty.",
        ),
        "slope_of_sigmoid_at_z": edit(
            "u * (1 - u)\n", "(w * x + b) * (1 - (w * x + b))\n",
            hint="The slope of σ is written with z in place of u. u(1 − u) needs u = σ(z).",
        ),
        "slope_of_sigmoid_at_u": edit(
            "u * (1 - u)\n", "float(sigmoid(u) * (1 - sigmoid(u)))\n",
            hint="σ is applied once more in its slope. u is σ(z) already, and the slope u(1 − u).",
        ),
        "weight_without_its_input": edit(
            "grad_z * x", "grad_z",
            hint="The slope in w lacks the factor x: z = wx + b, so w acts through x.",
        ),
        "bias_multiplied_by_itself": edit(
            "lam * w, grad_z", "lam * w, grad_z * b",
            hint="The slope in b has a factor b. z grows with b one to one: the factor is 1.",
        ),
        "cross_entropy_slope_and_loss": edit(
            "0.5 * (y - u) ** 2", "-(y * math.log(u) + (1 - y) * math.log(1 - u))",
            ("(u - y) * u * (1 - u)", "(u - y)"),
            hint="That is the binary cross-entropy. Formula (2) has the squared error.",
        ),
        "loss_for_the_error": edit(
            "grad_z = (u - y) *", "grad_z = 0.5 * (y - u) ** 2 *",
            also=[("grad_z = (u - y) *", "grad_z = loss *")],
            hint="The loss itself is handed back. What is handed back is its slope in u, u − y.",
        ),
        "sigmoid_left_out": edit(
            "u = float(sigmoid(w * x + b))", "u = w * x + b", ("(u - y) * u * (1 - u)", "(u - y)"),
            hint="The σ is missing: this neuron is a straight line.",
        ),
        "penalty_on_both": edit(
            "+ lam * w**2", "+ lam * (w**2 + b**2)",
            ("lam * w, grad_z", "lam * w, grad_z + 2 * lam * b"),
            hint="The bias is penalised as well. Formula (2) has λw² only.",
        ),
        "penalty_by_size": edit(
            "+ lam * w**2", "+ lam * abs(w)", ("2 * lam * w,", "lam * np.sign(w),"),
            hint="λ|w| is an L1 penalty. Formula (2) has λw².",
        ),
        "penalty_halved": edit(
            "+ lam * w**2", "+ 0.5 * lam * w**2", ("2 * lam * w,", "lam * w,"),
            hint="The penalty has a ½ in front. Formula (2) has λw² without it.",
        ),
    },
    "activations": {
        "tanh_overflows": edit(
            "e = np.exp(-2 * np.abs(z))\n    return np.sign(z) * (1 - e) / (1 + e)",
            "e = np.exp(-2 * z)\n    return (1 - e) / (1 + e)", about="edge",
            hint="Formula (3) as it stands: for z = −1000 it is ∞/∞. Compute at |z|, where the "
            "exponential is at most 1, and put the sign back.",
        ),
        "tanh_overflows_upwards": edit(
            "e = np.exp(-2 * np.abs(z))\n    return np.sign(z) * (1 - e) / (1 + e)",
            "return (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z))", about="edge",
            hint="e^1000 is infinite in float64, and ∞/∞ is NaN. Compute at |z| with e^(−2|z|), "
            "and put the sign back.",
        ),
        "tanh_at_half": edit(
            "np.exp(-2 * np.abs(z))", "np.exp(-np.abs(z))", cost=0.2,
            hint="The 2 in the exponent is missing, so this is tanh(z/2).",
        ),
        "tanh_without_its_sign": edit(
            "np.sign(z) * (1 - e)", "(1 - e)", cost=0.2,
            hint="That is tanh|z|: the sign must come back.",
        ),
        "relu_turned_round": edit(
            "np.maximum(z, 0)", "np.minimum(z, 0)", cost=0.2,
            hint="relu keeps what is positive; you keep what is negative.",
        ),
        "relu_as_size": edit(
            "np.maximum(z, 0)", "np.abs(z)", cost=0.2,
            hint="Negative entries become 0, not positive.",
        ),
        "prelu_on_the_wrong_side": edit(
            "np.where(z > 0, z, alpha * z)", "np.where(z > 0, alpha * z, z)", cost=0.2,
            hint="α belongs to the negative side; you multiply the positive one.",
        ),
        "prelu_without_a_negative_side": edit(
            "np.where(z > 0, z, alpha * z)", "np.where(z > 0, z, alpha)", cost=0.2,
            hint="On the negative side it is α times z, not α.",
        ),
        "prelu_as_a_maximum": edit(
            "np.where(z > 0, z, alpha * z)", "np.maximum(z, alpha * z)", about="detail",
            hint="max(z, αz) is prelu for α up to 1 only. Above 1 it takes the wrong one of the "
            "two on both sides.",
        ),
        "silu_without_z": edit(
            "z * sigmoid(z)", "sigmoid(z)", cost=0.2,
            hint="That is σ; silu is z times σ(z).",
        ),
        "silu_of_relu": edit(
            "z * sigmoid(z)", "np.maximum(z, 0) * sigmoid(z)", cost=0.2,
            hint="z itself is multiplied, negative entries too: silu dips below 0.",
        ),
        "gelu_by_tanh": edit(
            "0.5 * z * (1 + erf(z / math.sqrt(2)))",
            "0.5 * z * (1 + np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)))", cost=0.2,
            hint="That is the approximation with tanh. It is off in the fourth digit: use erf.",
        ),
        "gelu_by_sigmoid": edit(
            "0.5 * z * (1 + erf(z / math.sqrt(2)))", "z * sigmoid(1.702 * z)", cost=0.2,
            hint="zσ(1.702z) is an approximation of gelu. It is off in the second digit: use erf.",
        ),
        "gelu_without_the_root": edit(
            "erf(z / math.sqrt(2))", "erf(z)", cost=0.2,
            hint="erf belongs to a normal distribution of variance ½. For Φ, divide z by √2 first.",
        ),
        "gelu_is_the_distribution": edit(
            "0.5 * z * (1 + erf", "0.5 * (1 + erf", cost=0.2,
            hint="That is Φ(z); gelu is z times Φ(z).",
        ),
        "relu_leaks": edit(
            "np.maximum(z, 0)", "np.maximum(z, 0.01 * z)", cost=0.2,
            hint="A small slope is left below 0: that is the leaky relu. Formula (3) has 0 there.",
        ),
        "relu_for_its_slope": edit(
            "np.maximum(z, 0)", "(z > 0) * np.ones_like(z)", cost=0.2,
            hint="That is a step from 0 to 1, the slope of relu. relu keeps z above 0.",
        ),
        "prelu_with_minus": edit(
            "np.where(z > 0, z, alpha * z)", "np.where(z > 0, z, -alpha * z)", cost=0.2,
            hint="Below 0 the sign is turned round: prelu has αz there.",
        ),
        "prelu_as_elu": edit(
            "np.where(z > 0, z, alpha * z)", "np.where(z > 0, z, alpha * (np.exp(z) - 1))",
            cost=0.2,
            hint="That is ELU, with an exponential below 0. prelu is a straight line there.",
        ),
        "prelu_alpha_unused": edit(
            "np.where(z > 0, z, alpha * z)", "np.where(z > 0, z, 0.01 * z)", cost=0.2,
            hint="The slope below 0 is a fixed number. It is the argument alpha.",
        ),
        "silu_other_half": edit(
            "z * sigmoid(z)", "z * sigmoid(-z)", cost=0.2,
            hint="z is multiplied by σ(−z) = 1 − σ(z), and so it dies out where it should grow.",
        ),
        "silu_steeper": edit(
            "z * sigmoid(z)", "z * sigmoid(1.702 * z)", cost=0.2,
            hint="The factor 1.702 belongs to an approximation of gelu. silu has σ(z).",
        ),
        "silu_by_tanh": edit(
            "z * sigmoid(z)", "z * np.tanh(z)", cost=0.2,
            hint="z is multiplied by a tanh; in silu it is σ(z).",
        ),
        "silu_as_a_sum": edit(
            "z * sigmoid(z)", "z + sigmoid(z)", cost=0.2,
            hint="z and σ(z) are added. silu is their product.",
        ),
        "gelu_divided_by_two": edit(
            "erf(z / math.sqrt(2))", "erf(z / 2)", cost=0.2,
            hint="z is divided by 2 inside erf. It is divided by √2.",
        ),
        "gelu_multiplied_by_the_root": edit(
            "erf(z / math.sqrt(2))", "erf(z * math.sqrt(2))", cost=0.2,
            hint="z is multiplied by √2 inside erf. It is divided by it.",
        ),
        "gelu_without_one": edit(
            "(1 + erf(z / math.sqrt(2)))", "erf(z / math.sqrt(2))", cost=0.2,
            hint="The 1 beside erf is missing. Φ runs from 0 to 1, and erf from −1 to 1.",
        ),
    },
    "activation_slopes": {
        "tanh_not_squared": edit(
            "np.tanh(z) ** 2", "np.tanh(z)", cost=0.2,
            hint="1 + t and 1 − t are multiplied: t must come out squared.",
        ),
        "tanh_as_sigmoid": edit(
            "1 - np.tanh(z) ** 2", "np.tanh(z) * (1 - np.tanh(z))", cost=0.2,
            hint="t(1 − t) is the form that belongs to σ. For tanh it is (1 + t)(1 − t).",
        ),
        "relu_slope_one_at_zero": edit(
            "def relu_slope(z):\n"
            '    """Slope of relu at every entry of z, of z\'s dtype; 0 at 0."""\n'
            "    ### BEGIN SOLUTION\n    return np.where(z > 0",
            "def relu_slope(z):\n    return np.where(z >= 0",
            about="edge",
            hint="At 0 your slope is 1. torch takes 0 there, the slope of the side on which relu "
            "is flat.",
        ),
        "relu_for_its_slope": edit(
            "return np.where(z > 0, np.ones_like(z), np.zeros_like(z))",
            "return np.maximum(z, 0)", cost=0.2,
            hint="That is relu itself. Its slope on the positive side is 1, not z.",
        ),
        "prelu_slope_on_the_wrong_side": edit(
            "np.where(z > 0, np.ones_like(z), alpha * np.ones_like(z))",
            "np.where(z > 0, alpha * np.ones_like(z), np.ones_like(z))", cost=0.2,
            hint="The slope is 1 where z is positive and α where it is negative; yours are "
            "exchanged.",
        ),
        "alpha_has_no_slope": edit(
            "np.where(z > 0, np.zeros_like(z), z)", "np.zeros_like(z)", cost=0.2,
            hint="α is learnt, so it needs a slope. On the negative side prelu is α times z: what "
            "is its slope in α?",
        ),
        "alpha_slope_of_one": edit(
            "np.where(z > 0, np.zeros_like(z), z)",
            "np.where(z > 0, np.zeros_like(z), np.ones_like(z))", cost=0.2,
            hint="On the negative side prelu is α times z. Differentiate in α: z stays, as a "
            "factor.",
        ),
        "alpha_slope_on_both_sides": edit(
            "np.where(z > 0, np.zeros_like(z), z)", "z", cost=0.2,
            hint="Where z is positive α does not occur in prelu, so there its slope is 0.",
        ),
        "slope_in_alpha_is_alpha": edit(
            "np.where(z > 0, np.zeros_like(z), z)",
            "np.where(z > 0, np.zeros_like(z), alpha * z)", cost=0.2,
            hint="αz is prelu itself on the negative side; differentiated in α, z is left.",
        ),
        "prelu_slope_one_at_zero": edit(
            "in_z = np.where(z > 0", "in_z = np.where(z >= 0", about="edge",
            hint="At 0 take the negative side, as torch does: the slope in z is α there.",
        ),
        "silu_second_term_missing": edit(
            "return s + z * s * (1 - s)", "return s", cost=0.2,
            hint="The product rule has two terms: σ(z), and z times the slope of σ.",
        ),
        "silu_first_term_missing": edit(
            "return s + z * s * (1 - s)", "return z * s * (1 - s)", cost=0.2,
            hint="The product rule has two terms; the one in which z is differentiated is missing.",
        ),
        "silu_factor_lost": edit(
            "s + z * s * (1 - s)", "s + s * (1 - s)", cost=0.2,
            hint="In the second term of the product rule z stays, as a factor.",
        ),
        "gelu_second_term_missing": edit(
            "erf(z / math.sqrt(2))) + z * density", "erf(z / math.sqrt(2)))", cost=0.2,
            hint="The product rule has two terms: Φ(z), and z times the density.",
        ),
        "gelu_first_term_missing": edit(
            "return 0.5 * (1 + erf(z / math.sqrt(2))) + z * density", "return z * density",
            cost=0.2,
            hint="The product rule has two terms; the one in which z is differentiated, Φ(z), is "
            "missing.",
        ),
        "gelu_factor_lost": edit(
            "+ z * density", "+ density", cost=0.2,
            hint="In the second term of the product rule z stays, as a factor.",
        ),
        "density_not_normalised": edit(
            " / math.sqrt(2 * math.pi)", "", cost=0.2,
            hint="The normal density has the factor 1/√(2π); without it its area is not 1.",
        ),
        "density_without_half": edit(
            "np.exp(-(z**2) / 2)", "np.exp(-(z**2))", cost=0.2,
            hint="In the exponent of the normal density it is z²/2.",
        ),
        "tanh_slope_of_the_input": edit(
            "1 - np.tanh(z) ** 2", "1 - z**2", cost=0.2,
            hint="1 − t² is right for t = tanh z; you have z itself there.",
        ),
        "tanh_applied_twice": edit(
            "1 - np.tanh(z) ** 2", "1 - np.tanh(np.tanh(z)) ** 2", cost=0.2,
            hint="tanh is applied twice: the slope is taken at the output, and not at z.",
        ),
        "tanh_with_plus": edit(
            "1 - np.tanh(z) ** 2", "1 + np.tanh(z) ** 2", cost=0.2,
            hint="The sign is wrong: tanh is steepest at 0 and flat far out.",
        ),
        "relu_slope_as_the_sign": edit(
            "return np.where(z > 0, np.ones_like(z), np.zeros_like(z))", "return np.sign(z)",
            cost=0.2,
            hint="Below 0 the slope is −1: that is |z|. relu is flat there.",
        ),
        "prelu_slopes_exchanged": edit(
            "return in_z, in_alpha", "return in_alpha, in_z", cost=0.2,
            hint="The two slopes are exchanged: first that in z, then that in α.",
        ),
        "alpha_slope_of_alpha": edit(
            "np.where(z > 0, np.zeros_like(z), z)",
            "np.where(z > 0, np.zeros_like(z), alpha * np.ones_like(z))", cost=0.2,
            hint="Below 0 the slope in α is α in your code. αz is differentiated in α: what is "
            "left is z.",
        ),
        "alpha_slope_above_zero": edit(
            "np.where(z > 0, np.zeros_like(z), z)", "np.maximum(z, 0)", cost=0.2,
            hint="The slope in α is on the wrong side: α acts below 0.",
        ),
        "silu_as_a_sigmoid": edit(
            "return s + z * s * (1 - s)", "return s * (1 - s)", cost=0.2,
            hint="That is the slope of σ alone. silu is z·σ(z): the product rule gives two terms.",
        ),
        "silu_product_rule_with_minus": edit(
            "s + z * s * (1 - s)", "s - z * s * (1 - s)", cost=0.2,
            hint="The two terms of the product rule are added, and not subtracted.",
        ),
        "silu_z_on_the_wrong_term": edit(
            "s + z * s * (1 - s)", "z * s + s * (1 - s)", cost=0.2,
            hint="z stands at the wrong term. Where z is differentiated it is gone, and where σ "
            "is, z stays.",
        ),
        "silu_slope_of_sigmoid_halved": edit(
            "s + z * s * (1 - s)", "s + z * (1 - s)", cost=0.2,
            hint="In the second term a factor σ is lost: σ′ = σ(1 − σ).",
        ),
        "silu_of_its_own_value": edit(
            "s + z * s * (1 - s)", "z * s * (1 - z * s)", cost=0.2,
            hint="f(1 − f) is the rule of σ. silu is a product, and needs the product rule.",
        ),
        "density_with_another_root": edit(
            "math.sqrt(2 * math.pi)", "math.sqrt(math.pi)", cost=0.2,
            also=[("math.sqrt(2 * math.pi)", "(2 * math.pi)")],
            hint="The density is divided by another number than √(2π).",
        ),
        "density_grows": edit(
            "np.exp(-(z**2) / 2)", "np.exp(z**2 / 2)", cost=0.2,
            hint="The minus in the density's exponent is missing, so that it grows far out.",
        ),
        "slope_of_the_tanh_form": edit(
            "return 0.5 * (1 + erf(z / math.sqrt(2))) + z * density",
            "a = math.sqrt(2 / math.pi)\n    t = np.tanh(a * (z + 0.044715 * z**3))\n"
            "    inner = a * (1 + 3 * 0.044715 * z**2)\n"
            "    return 0.5 * (1 + t) + 0.5 * z * (1 - t**2) * inner", cost=0.2,
            hint="That is the slope of gelu's approximation by tanh. Asked for is the exact one.",
        ),
    },
    "Dual": {
        "product_of_slopes": edit(
            "self.dot * other.value + self.value * other.dot)", "self.dot * other.dot)",
            hint="The slope of a product is not the product of the slopes. Multiply (4) out: two "
            "terms carry ε.",
        ),
        "half_a_product_rule": edit(
            "self.dot * other.value + self.value * other.dot)", "self.dot * other.value)",
            hint="One of the two terms of the product rule is missing: the other factor changes "
            "as well.",
        ),
        "product_rule_with_minus": edit(
            "self.dot * other.value + self.value", "self.dot * other.value - self.value",
            hint="The two terms of the product rule are added; the minus belongs to quotients.",
        ),
        "factors_exchanged": edit(
            "self.dot * other.value + self.value * other.dot)",
            "self.dot * self.value + other.value * other.dot)",
            hint="Each slope is multiplied by the other factor, not by its own.",
        ),
        "quotient_of_slopes": edit(
            "(self.dot - quotient * other.dot) / other.value)", "self.dot / other.dot)",
            hint="The slope of a quotient is not the quotient of the slopes: solve "
            "ȧ = q̇b + qḃ for q̇.",
        ),
        "quotient_with_plus": edit(
            "self.dot - quotient * other.dot", "self.dot + quotient * other.dot",
            hint="A sign: from ȧ = q̇b + qḃ, the term qḃ goes to the other side with a minus.",
        ),
        "denominator_not_divided": edit(
            "(self.dot - quotient * other.dot) / other.value)",
            "self.dot - quotient * other.dot)",
            hint="The last division is missing: q̇ = (ȧ − qḃ)/b.",
        ),
        "numerator_for_quotient": edit(
            "self.dot - quotient * other.dot", "self.dot - self.value * other.dot",
            hint="In q̇ = (ȧ − qḃ)/b it is the quotient q that multiplies ḃ, not a.",
        ),
        "exponent_kept": edit(
            "self.value ** (exponent - 1)", "self.value**exponent",
            hint="In the power rule the exponent goes down by one: n·vⁿ⁻¹.",
        ),
        "exponent_not_in_front": edit(
            "slope = exponent * self.value", "slope = self.value",
            hint="In the power rule the exponent comes down as a factor: n·vⁿ⁻¹.",
        ),
        "power_without_inner_slope": edit(
            "slope * self.dot)", "slope)",
            hint="The power rule gives the outer slope only. The chain rule multiplies it by v̇.",
        ),
        "difference_adds_slopes": edit(
            "self.dot - other.dot)", "self.dot + other.dot)",
            hint="The slope of a difference is the difference of the slopes.",
        ),
        "reflected_difference_not_turned": edit(
            "return Dual(other) - self", "return self - other", about="detail",
            hint="2 − v calls v.__rsub__(2): self is on the right side. Yours computes v − 2.",
        ),
        "reflected_quotient_not_turned": edit(
            "return Dual(other) / self", "return self / other", about="detail",
            hint="2 / v calls v.__rtruediv__(2): self is the denominator. Yours computes v / 2.",
        ),
        "reflected_quotient_as_product": edit(
            "return Dual(other) / self", "return Dual(other) * self", about="detail",
            hint="2 / v calls v.__rtruediv__(2). Yours computes 2 · v.",
        ),
        "reflected_slope_kept": edit(
            "return Dual(other) - self", "return Dual(other - self.value, self.dot)",
            about="detail",
            hint="In 2 − v the number is a constant, and v comes with a minus: so does v̇.",
        ),
        "reflected_quotient_slope": edit(
            "return Dual(other) / self", "return Dual(other / self.value, other / self.dot)",
            about="detail",
            hint="The value of 2 / v is right, its slope is not: write Dual(other) / self, and "
            "your own division does it.",
        ),
        "power_of_the_slope": edit(
            "slope = exponent * self.value ** (exponent - 1)",
            "slope = exponent * self.dot ** (exponent - 1)", ("slope * self.dot)", "slope)"),
            also=[[("slope = exponent * self.value ** (exponent - 1)",
                    "slope = self.dot**exponent"), ("slope * self.dot)", "slope)")]],
            hint="The power is taken of the slope v̇. The power rule takes it of the value v, and "
            "v̇ is a factor.",
        ),
        "factor_inside_the_power": edit(
            "exponent * self.value ** (exponent - 1)", "(exponent * self.value) ** (exponent - 1)",
            hint="The factor in front of v is raised to the power, too. ** belongs to v alone.",
        ),
        "one_subtracted_from_the_power": edit(
            "exponent * self.value ** (exponent - 1)", "exponent * (self.value**exponent - 1)",
            also=[("exponent * self.value ** (exponent - 1)",
                   "exponent * self.value**exponent - 1")],
            hint="1 is subtracted from the power, or from the whole, where it belongs into the "
            "exponent: ** binds more tightly than −.",
        ),
        "exponential_rule_for_the_power": edit(
            "exponent * self.value ** (exponent - 1)",
            "self.value**exponent * math.log(abs(self.value))",
            hint="That is the slope of v^p in p. Here v changes and the exponent is constant.",
        ),
        "lowered_exponent_in_front": edit(
            "exponent * self.value ** (exponent - 1)",
            "(exponent - 1) * self.value ** (exponent - 1)",
            also=[("exponent * self.value ** (exponent - 1)",
                   "(exponent - 1) * self.value**exponent")],
            hint="In front stands the exponent as it was; only up there it is lowered by one.",
        ),
        "product_of_slopes_in_the_value": edit(
            "Dual(self.value * other.value, self.dot",
            "Dual(self.value * other.value + self.dot * other.dot, self.dot",
            hint="The value of a product has the term v̇₁·v̇₂ too many. ε² is 0.",
        ),
        "quotient_turned_round": edit(
            "(self.dot - quotient * other.dot) / other.value)",
            "(quotient * other.dot - self.dot) / other.value)",
            hint="The two terms of the quotient rule have changed places: that of the numerator's "
            "slope comes first, with a plus.",
        ),
        "divided_by_the_numerator": edit(
            "(self.dot - quotient * other.dot) / other.value)",
            "(self.dot * other.value - self.value * other.dot) / self.value**2)",
            hint="You divide by the square of the numerator. It is the denominator's.",
        ),
        "denominator_taken_as_constant": edit(
            "(self.dot - quotient * other.dot) / other.value)", "self.dot / other.value)",
            hint="The slope of the denominator is left out, as if that were a constant.",
        ),
        "slope_of_the_second_lost": edit(
            "self.dot + other.dot)", "self.dot)",
            hint="In a sum, the slope of the second term is lost.",
        ),
        "reflected_quotient_sign": edit(
            "return Dual(other) / self",
            "return Dual(other / self.value, other * self.dot / self.value**2)", about="detail",
            hint="c / v has a slope with the wrong sign: it falls where v grows.",
        ),
    },
    "dual_functions": {
        "sin_slope_sign": edit(
            "math.cos(v.value) * v.dot", "-math.cos(v.value) * v.dot", cost=0.25,
            hint="The slope of sin is cos, without a minus (that belongs to cos).",
        ),
        "sin_slope_of_sin": edit(
            "math.cos(v.value) * v.dot", "math.sin(v.dot)", cost=0.25,
            hint="Applying sin to the slope is not its derivative: it is cos(v)·v̇.",
        ),
        "exp_without_its_slope": edit(
            "Dual(value, value * v.dot)", "Dual(value, v.dot)", cost=0.25,
            hint="The slope of exp is exp itself: e^v·v̇. Yours hands v̇ on as if it were a sum.",
        ),
        "exp_of_the_slope": edit(
            "Dual(value, value * v.dot)", "Dual(value, math.exp(v.dot))", cost=0.25,
            hint="Applying exp to the slope is not its derivative: it is e^v·v̇.",
        ),
        "exp_as_a_power": edit(
            "Dual(value, value * v.dot)",
            "Dual(value, v.value * math.exp(v.value - 1) * v.dot)", cost=0.25,
            hint="The power rule is for vⁿ. In e^v it is the exponent that varies: its slope is "
            "e^v.",
        ),
        "exp_without_inner_slope": edit(
            "Dual(value, value * v.dot)", "Dual(value, value)", cost=0.25,
            hint="The outer slope e^v must be multiplied by the inner one, v̇.",
        ),
        "log_without_its_slope": edit(
            "v.dot / v.value)", "v.dot)", cost=0.25,
            hint="The slope of log is 1/v.",
        ),
        "log_of_the_slope": edit(
            "v.dot / v.value)", "1 / v.value)", cost=0.25,
            hint="The outer slope 1/v must be multiplied by the inner one, v̇.",
        ),
        "all_inputs_at_once": edit(
            "float(j == i)", "1.0", cost=0.25,
            hint="All inputs start with slope 1, so each run gives the sum of all slopes. In run i "
            "only input i has slope 1.",
        ),
        "gradient_stays_zero": edit(
            "Dual(value, float(j == i))", "Dual(value)", cost=0.25,
            also=[("gradient[i] = f(*inputs).dot", "f(*inputs)")],
            hint="The gradient is 0: either no input starts with slope 1 (in run i, input i does), "
            "or the slope that f finds is not kept.",
        ),
        "only_the_first_input": edit(
            "float(j == i)", "float(j == 0)", cost=0.25,
            hint="In every run it is the first input that has slope 1. In run i it is input i.",
        ),
        "values_for_slopes": edit(
            "f(*inputs).dot", "f(*inputs).value", cost=0.25,
            hint="You keep the value of f; its slope is in .dot.",
        ),
        "sin_without_inner_slope": edit(
            "math.cos(v.value) * v.dot", "math.cos(v.value)", cost=0.25,
            hint="In sin the inner slope v̇ is missing: the chain rule multiplies by it.",
        ),
        "sin_taken_at_the_slope": edit(
            "math.cos(v.value) * v.dot", "math.cos(v.dot)", cost=0.25,
            hint="The cosine is taken of the slope v̇. It is taken of the value, and multiplied by "
            "v̇.",
        ),
        "exp_slope_is_the_argument": edit(
            "Dual(value, value * v.dot)", "Dual(value, v.value * v.dot)", cost=0.25,
            hint="v̇ is multiplied by v. The slope of e^v is e^v itself.",
        ),
        "log_multiplied": edit(
            "v.dot / v.value)", "v.dot * v.value)", cost=0.25,
            hint="In log you multiply by v. Its slope is 1/v.",
        ),
        "log_of_the_value_below": edit(
            "v.dot / v.value)", "v.dot / math.log(v.value))", cost=0.25,
            hint="You divide by log v. The slope of log v is 1/v.",
        ),
        "earlier_inputs_still_marked": edit(
            "float(j == i)", "float(j <= i)", cost=0.25,
            hint="The slopes of earlier inputs are still 1, so that partial slopes add up. Only "
            "one input at a time has slope 1.",
        ),
        "input_for_its_slope": edit(
            "float(j == i)", "value * (j == i)", cost=0.25,
            hint="The input's slope is set to its value. In itself it has slope 1.",
        ),
    },
    "checkpoint_adjoints": {
        "minus_lost": edit(
            "return -v6_bar", "return v6_bar", cost=0.33,
            hint="v₆ = v₃ − v₄: the slope of v₆ in v₄ is −1.",
        ),
        "difference_ignored": edit(
            "return -v6_bar", "return 0 * v6_bar", cost=0.33,
            hint="v₄ does act on the output, through v₆ = v₃ − v₄.",
        ),
        "one_child_forgotten": edit(
            "v5_bar * v5 + v6_bar", "v5_bar * v5", cost=0.33,
            hint="v₃ stands in two lines, v₅ and v₆. You have the first.",
        ),
        "exponential_forgotten": edit(
            "v5_bar * v5 + v6_bar", "v6_bar", cost=0.33,
            hint="v₃ stands in two lines, v₅ and v₆. You have the second.",
        ),
        "exponential_without_slope": edit(
            "v5_bar * v5 + v6_bar", "v5_bar + v6_bar", cost=0.33,
            hint="The slope of e^(v₃) is not 1: it is e^(v₃), which the forward pass has stored.",
        ),
        "children_multiplied": edit(
            "v5_bar * v5 + v6_bar", "v5_bar * v5 * v6_bar", cost=0.33,
            hint="What arrives from different children is added, not multiplied.",
        ),
        "product_path_forgotten": edit(
            "v3_bar * v1 + v4_bar * sp.cos(v2)", "v4_bar * sp.cos(v2)", cost=0.33,
            hint="v₂ stands in v₃ = v₁v₂, too.",
        ),
        "sine_path_forgotten": edit(
            "v3_bar * v1 + v4_bar * sp.cos(v2)", "v3_bar * v1", cost=0.33,
            hint="v₂ stands in v₄ = sin v₂, too.",
        ),
        "own_factor": edit(
            "v3_bar * v1", "v3_bar * v2", cost=0.33,
            hint="The slope of v₁v₂ in v₂ is the other factor.",
        ),
        "sine_undifferentiated": edit(
            "sp.cos(v2)", "sp.sin(v2)", cost=0.33,
            hint="The slope of sin is cos.",
        ),
        "cosine_with_minus": edit(
            "+ v4_bar * sp.cos(v2)", "- v4_bar * sp.cos(v2)", cost=0.33,
            hint="The slope of sin is +cos. The minus of −sin is in v̄₄ already.",
        ),
    },
    "Value": {
        "factors_not_exchanged": edit(
            "(other.data, self.data))", "(self.data, other.data))",
            hint="The slope of a · b in a is b, the other factor; yours are the own ones.",
        ),
        "product_slopes_of_one": edit(
            "(other.data, self.data))", "(1.0, 1.0))",
            hint="Slopes of 1 belong to sums. If a grows by h, a · b grows by b·h.",
        ),
        "sum_with_slopes_of_a_product": edit(
            "(1.0, 1.0))", "(other.data, self.data))",
            hint="These slopes belong to a product. If a grows by h, a + b grows by h.",
        ),
        "second_parent_lost": edit(
            "(self, other), (1.0, 1.0)", "(self,), (1.0,)",
            hint="A sum has two parents: the gradient must get to the other one as well.",
        ),
        "second_factor_lost": edit(
            "(self, other), (other.data, self.data)", "(self,), (other.data,)",
            hint="A product has two parents: the gradient must get to the other one as well.",
        ),
        "exponent_kept": edit(
            "self.data ** (exponent - 1)", "self.data**exponent",
            hint="In the power rule the exponent goes down by one: n·vⁿ⁻¹.",
        ),
        "exponent_not_in_front": edit(
            "slope = exponent * self.data", "slope = self.data",
            hint="In the power rule the exponent comes down as a factor: n·vⁿ⁻¹.",
        ),
        "power_forgets_its_parent": edit(
            "(self,), (slope,))", "(), ())",
            hint="The result has no parent, so no gradient gets through a power: (self,) and "
            "(slope,).",
        ),
        "one_subtracted_from_the_power": edit(
            "exponent * self.data ** (exponent - 1)", "exponent * self.data**exponent - 1",
            hint="1 is subtracted from the whole, where it belongs into the exponent: ** binds "
            "more tightly than −.",
        ),
        "exponent_as_a_factor": edit(
            "exponent * self.data ** (exponent - 1)", "exponent * self.data * (exponent - 1)",
            hint="You multiply by the lowered exponent. It is a power: **, and not *.",
        ),
        "factor_inside_the_power": edit(
            "exponent * self.data ** (exponent - 1)", "(exponent * self.data) ** (exponent - 1)",
            hint="The factor in front is raised to the power, too. ** belongs to the base alone.",
        ),
        "exponential_rule_for_the_power": edit(
            "exponent * self.data ** (exponent - 1)",
            "self.data**exponent * math.log(abs(self.data))",
            hint="That is the slope in the exponent. Here the base changes and the exponent is "
            "constant.",
        ),
        "sum_without_slopes": edit(
            "(self, other), (1.0, 1.0))", "(self, other))",
            hint="The sum has parents, but no slopes, so that nothing is handed on. Each parent "
            "needs one.",
        ),
    },
    "value_functions": {
        "exp_as_a_power": edit(
            "Value(e, (v,), (e,))", "Value(e, (v,), (v.data * math.exp(v.data - 1),))", cost=0.25,
            hint="The power rule is for vⁿ. In e^v it is the exponent that varies: its slope is "
            "e^v.",
        ),
        "exp_slope_of_one": edit(
            "Value(e, (v,), (e,))", "Value(e, (v,), (1.0,))", cost=0.25,
            hint="The slope of exp is exp itself, the result.",
        ),
        "relu_slope_one_at_zero": edit(
            "float(v.data > 0)", "float(v.data >= 0)", about="edge",
            hint="At 0 your slope is 1. torch takes 0 there, the slope of the side on which relu "
            "is flat.",
        ),
        "relu_passes_everything": edit(
            "float(v.data > 0)", "1.0", cost=0.25,
            hint="Where v is negative relu is flat: its slope is 0 there.",
        ),
        "relu_slope_is_the_value": edit(
            "float(v.data > 0)", "max(v.data, 0.0)", cost=0.25,
            hint="That is relu itself. Its slope on the positive side is 1.",
        ),
        "sigmoid_slope_is_the_value": edit(
            "(u * (1 - u),)", "(u,)", cost=0.25,
            hint="The slope of σ is u(1 − u), not u.",
        ),
        "sigmoid_slope_at_the_output": edit(
            "(u * (1 - u),)", "(float(sigmoid(u) * (1 - sigmoid(u))),)", cost=0.25,
            hint="You applied σ once more: with u = σ(v) the slope is u(1 − u).",
        ),
        "sigmoid_slope_of_the_input": edit(
            "(u * (1 - u),)", "(v.data * (1 - v.data),)", cost=0.25,
            hint="u(1 − u) is written with the result u = σ(v), not with v.",
        ),
        "sigmoid_overflows": edit(
            "float(sigmoid(v.data))", "1 / (1 + math.exp(-v.data))", about="edge",
            hint="For v = −1000 this is e^1000, which no float holds. sigmoid of the first cell "
            "never takes the exponential of a positive number.",
        ),
        "tanh_not_squared": edit(
            "(1 - t**2,)", "(1 - t,)", cost=0.25,
            hint="The slope of tanh is (1 + t)(1 − t): t comes out squared.",
        ),
        "tanh_slope_of_the_input": edit(
            "(1 - t**2,)", "(1 - v.data**2,)", cost=0.25,
            hint="1 − t² is written with the result t = tanh v, not with v.",
        ),
        "tanh_slope_at_the_output": edit(
            "(1 - t**2,)", "(1 - math.tanh(t) ** 2,)", cost=0.25,
            hint="You applied tanh once more: with t = tanh v the slope is 1 − t².",
        ),
        "exp_slope_is_the_argument": edit(
            "Value(e, (v,), (e,))", "Value(e, (v,), (v.data,))", cost=0.25,
            hint="The slope of e^v is e^v, and not v.",
        ),
        "relu_leaks_backwards": edit(
            "float(v.data > 0)", "1.0 if v.data > 0 else 0.01", cost=0.25,
            hint="Below 0 a little is let through, as in a leaky relu. relu is flat there.",
        ),
        "sigmoid_one_factor_lost": edit(
            "(u * (1 - u),)", "(1 - u,)", cost=0.25,
            hint="A factor is lost: the slope of σ is u(1 − u).",
        ),
        "sigmoid_as_tanh": edit(
            "(u * (1 - u),)", "(1 - u**2,)", cost=0.25,
            hint="1 − u² is the slope of tanh. That of σ is u(1 − u).",
        ),
        "tanh_as_sigmoid": edit(
            "(1 - t**2,)", "(t * (1 - t),)", cost=0.25,
            hint="t(1 − t) is the rule of σ. The slope of tanh is 1 − t².",
        ),
        "tanh_slope_sign": edit(
            "(1 - t**2,)", "(t**2 - 1,)", cost=0.25,
            hint="The sign is turned round: tanh grows everywhere.",
        ),
    },
    "backward": {
        "assigned_instead_of_added": edit(
            "parent.grad += slope * node.grad", "parent.grad = slope * node.grad",
            hint="= forgets what other children have handed to this parent before. Gradients "
            "that meet are added: +=.",
        ),
        "no_topological_order": edit(
            "    while ready:\n        node = ready.pop()\n", "    for node in nodes:\n",
            hint="Nodes are taken in the order in which they are met. A node that is also reached "
            "by a longer way then hands on before its gradient is finished (step 12).",
        ),
        "visited_twice": edit(
            "            if uses[parent] == 0:\n                ready.append(parent)",
            "            ready.append(parent)",
            hint="A node hands on each time something arrives, so what came first is handed on "
            "twice. Each node hands on once, when all of its children have handed to it.",
        ),
        "first_child_decides": edit(
            "if uses[parent] == 0:", "if uses[parent] == 0 or len(ready) == 0:",
            hint="Some nodes hand on before their last child has handed to them. A node is ready "
            "when the number of uses that are still open is 0.",
        ),
        "output_not_started": edit(
            "    output.grad = 1.0\n", "",
            hint="All gradients are 0: the output must start with ∂output/∂output = 1.",
        ),
        "output_starts_with_its_data": edit(
            "output.grad = 1.0", "output.grad = output.data",
            hint="The output must start with ∂output/∂output, which is 1 whatever its value is.",
        ),
        "slope_not_handed_on": edit(
            "slope * node.grad", "node.grad",
            hint="The gradient is handed on as it is; on its way to a parent it must be multiplied "
            "by the slope.",
        ),
        "gradient_not_handed_on": edit(
            "slope * node.grad", "slope",
            hint="Only the slope of the last operation arrives: multiply it by what the node "
            "itself has received, node.grad.",
        ),
        "grads_not_reset": edit(
            "node.grad = 0.0", "node.grad += 0.0", about="detail",
            hint="The second call adds to what the first one left. Set all grads to 0 first (torch "
            "does not: there it is your task, zero_grad).",
        ),
        "assigned_in_depth_first_order": edit(
            LOOP, SEARCH + "    for node in reversed(order):\n" + HAND_ON.format("="),
            also=[(LOOP, SEARCH.replace("node.parents]", "node.parents[::-1]")
                   + "    for node in reversed(order):\n" + HAND_ON.format("="))],
            hint="A later use of a Value overwrites what an earlier one has brought. The slopes of "
            "all uses add up.",
        ),
        "inner_gradients_lost": edit(
            "                ready.append(parent)",
            "                ready.append(parent)\n    for node in nodes:\n"
            "        if node.parents:\n            node.grad = 0.0",
            also=[(
                "                ready.append(parent)",
                "                ready.append(parent)\n    for node in nodes[1:]:\n"
                "        if node.parents:\n            node.grad = 0.0",
            )],
            hint="Only the Values without parents keep a gradient. Those in between, and the "
            "output, have one too.",
        ),
        "only_the_direct_parents": edit(
            "            uses[parent] -= 1\n            if uses[parent] == 0:\n"
            "                ready.append(parent)",
            "            uses[parent] -= 1",
            also=[
                ("            parent.grad += slope * node.grad\n            uses[parent] -= 1\n"
                 "            if uses[parent] == 0:\n                ready.append(parent)",
                 "            parent.grad = slope"),
                (LOOP, SEARCH + "    for node in order:\n" + HAND_ON.format("+=")),
            ],
            hint="Only the output's own parents get a gradient. Do you stop there, or go from the "
            "inputs upwards, before anything has arrived at them? Begin at the output, and go on "
            "from its parents to theirs.",
        ),
        "handed_on_again_at_every_visit": edit(
            LOOP,
            "    def walk(node):\n"
            "        for parent, slope in zip(node.parents, node.slopes):\n"
            "            parent.grad += slope * node.grad\n            walk(parent)\n\n"
            "    walk(output)",
            also=[(LOOP, "    queue = [output]\n    while queue:\n        node = queue.pop(0)\n"
                   + HAND_ON.format("+=") + "\n            queue.append(parent)")],
            hint="Whenever a Value is reached, it hands on all that it has so far, and what came "
            "first is handed on again with what came later. Handle each node once, when all its "
            "uses are done.",
        ),
    },
    "break_it": {
        "input_used_twice": edit(
            "    a = x * 3.0\n    return a + (a * a) ** 2", "    return x * x + x",
            hint="x is used twice, but it hands nothing on, so it may be met at any time. It is "
            "an inner node that must be met too early.",
        ),
        "a_chain": edit(
            "    a = x * 3.0\n    return a + (a * a) ** 2", "    return (x * 3.0 + 1.0) ** 2",
            hint="In a chain there is only one order. Some node must be used twice.",
        ),
        "equally_long_ways": edit(
            "return a + (a * a) ** 2", "return a * a",
            hint="Your inner node is used twice, but by the same child, so all has arrived "
            "when it hands on. Let a shorter and a longer way lead to it.",
        ),
        "side_by_side": edit(
            "return a + (a * a) ** 2", "return a * 2.0 + a**3",
            hint="Both ways from your inner node to the output have the same length, so both have "
            "arrived when it hands on. Make one of them shorter.",
        ),
    },
    "linear_backward": {
        "weights_not_transposed": edit(
            "upstream @ W.T,", "upstream @ W,",
            hint="In Σ_k G_ik W_dk the second index of W is summed over: W must be transposed. "
            "For a square layer the shapes do not tell.",
        ),
        "inputs_not_transposed": edit(
            "X.T @ upstream,", "X @ upstream,",
            hint="∂L/∂W sums over the rows, the first index of X and of G: X must be transposed.",
        ),
        "gradient_of_weights_transposed": edit(
            "X.T @ upstream,", "upstream.T @ X,",
            hint="Your ∂L/∂W is the transpose of the right one: entry (d, k) belongs to W_dk.",
        ),
        "weights_and_inputs_exchanged": edit(
            "return upstream @ W.T, X.T @ upstream,", "return X.T @ upstream, upstream @ W.T,",
            hint="The first two results are exchanged: ∂L/∂X comes first.",
        ),
        "bias_summed_over_outputs": edit(
            "np.sum(upstream, axis=0)", "np.sum(upstream, axis=1)",
            hint="b_k acts on column k of every row, so the sum runs down the column: axis=0.",
        ),
        "bias_averaged": edit(
            "np.sum(upstream, axis=0)", "np.mean(upstream, axis=0)",
            hint="The gradient of b is a sum over the rows. If the loss is a mean, its 1/n is in "
            "upstream already.",
        ),
        "bias_not_summed": edit(
            "np.sum(upstream, axis=0)", "upstream",
            hint="∂L/∂b must have b's shape, (K,). b acts on every row: sum over them.",
        ),
        "weights_averaged": edit(
            "X.T @ upstream,", "X.T @ upstream / len(X),",
            hint="Your ∂L/∂W is divided by the number of rows. If the loss is a mean, its 1/n is "
            "in upstream already.",
        ),
        "factors_of_the_weights_exchanged": edit(
            "X.T @ upstream,", "upstream @ X.T,",
            hint="The factors of ∂L/∂W are in the wrong order, so that shapes do not fit (or the "
            "sum runs over the wrong index). Its shape is (D, K): D comes from X, K from upstream.",
        ),
        "order_of_the_three": edit(
            "return upstream @ W.T, X.T @ upstream, np.sum(upstream, axis=0)",
            "return X.T @ upstream, np.sum(upstream, axis=0), upstream @ W.T",
            hint="The three come back in another order. Asked for are ∂L/∂X, ∂L/∂W, ∂L/∂b.",
        ),
        "bias_slope_without_upstream": edit(
            "np.sum(upstream, axis=0)", "np.ones(W.shape[1], dtype=W.dtype)",
            hint="∂L/∂b is 1 everywhere: that is the slope of Z in b. It must be multiplied by "
            "upstream, and summed over the rows.",
        ),
        "upstream_unused": edit(
            "return upstream @ W.T, X.T @ upstream, np.sum(upstream, axis=0)",
            "return W.T, X.T, np.ones(W.shape[1], dtype=W.dtype)",
            hint="These are the slopes of Z alone; upstream does not occur. The chain rule "
            "multiplies by it.",
        ),
    },
    "mlp_forward": {
        "activations_returned": edit(
            "        pre_activations.append(Z)\n        H = np.tanh(Z)",
            "        H = np.tanh(Z)\n        pre_activations.append(H)",
            hint="You keep the numbers after tanh. The pre-activations Z are asked for, before it.",
        ),
        "no_activation": edit(
            "H = np.tanh(Z)", "H = Z",
            hint="There is no tanh between your layers: the whole network is one linear layer.",
        ),
        "input_activated": edit(
            "    H = X\n", "    H = np.tanh(X)\n",
            hint="tanh stands between layers; the first layer gets X as it is.",
        ),
        "bias_forgotten": edit(
            "Z = H @ W + b", "Z = H @ W",
            hint="The biases have no effect: Z = HW + b.",
        ),
        "every_layer_from_the_input": edit(
            "Z = H @ W + b", "Z = (X if X.shape[1] == len(W) else H) @ W + b",
            hint="A layer's input is the output of the one before it; some of yours take X again.",
        ),
        "only_the_output": edit(
            "return pre_activations", "return pre_activations[-1:]",
            hint="All L pre-activations are needed for the backward pass, not the last one only.",
        ),
        "last_not_kept": edit(
            "return pre_activations", "return pre_activations[:-1] + [H]",
            hint="After the last layer stands no tanh: its pre-activation is the output.",
        ),
        "relu_between_the_layers": edit(
            "H = np.tanh(Z)", "H = np.maximum(Z, 0)",
            hint="Between the layers stands a relu; formula (8) has tanh.",
        ),
        "sigmoid_between_the_layers": edit(
            "H = np.tanh(Z)", "H = 1 / (1 + np.exp(-Z))",
            hint="Between the layers stands σ; formula (8) has tanh.",
        ),
        "hidden_activations_returned": edit(
            "return pre_activations",
            "return [np.tanh(Z) for Z in pre_activations[:-1]] + pre_activations[-1:]",
            hint="The hidden layers come back after their tanh. Asked for are the "
            "pre-activations, before it.",
        ),
        "input_returned_as_well": edit(
            "    pre_activations = []\n", "    pre_activations = [X]\n",
            hint="The list begins with X. There is one entry for each layer: Z_1 … Z_L.",
        ),
        "last_layer_left_out": edit(
            "return pre_activations", "return pre_activations[:-1]",
            hint="The last layer is missing in the list.",
        ),
    },
    "mlp_backward": {
        "slope_at_the_output": edit(
            "np.tanh(pre_activations[l - 1]) ** 2",
            "np.tanh(np.tanh(pre_activations[l - 1])) ** 2",
            hint="tanh's slope is taken at H = tanh Z. It belongs at the pre-activation Z, where "
            "tanh was applied.",
        ),
        "pre_activation_for_activation": edit(
            "np.tanh(pre_activations[l - 1]) ** 2", "pre_activations[l - 1] ** 2",
            hint="1 − t² is written with t = tanh Z; you squared Z itself.",
        ),
        "activation_slope_forgotten": edit(
            "(delta @ weights[l].T) * slope", "delta @ weights[l].T",
            hint="The error goes back through the weights, but not through tanh: multiply by its "
            "slope, entry by entry.",
        ),
        "weights_not_transposed": edit(
            "weights[l].T", "weights[l]",
            hint="On the way back the weights are transposed: δ Wᵀ. For square layers the shapes "
            "do not tell.",
        ),
        "slope_on_the_output_layer": edit(
            "    for l in reversed", "    delta = delta * (1 - np.tanh(pre_activations[-1]) ** 2)\n"
            "    for l in reversed",
            hint="After the last layer stands no tanh: delta is ∂L/∂Z_L already.",
        ),
        "divided_by_rows_again": edit(
            "inputs[l].T @ delta)", "inputs[l].T @ delta / len(X))",
            ("np.sum(delta, axis=0))", "np.mean(delta, axis=0))"),
            hint="You divide by the number of rows. If the loss is a mean, its 1/n is in delta "
            "already; this makes 1/n².",
        ),
        "bias_summed_over_outputs": edit(
            "np.sum(delta, axis=0)", "np.sum(delta, axis=1)",
            hint="The gradient of a bias sums over the rows, axis=0; yours runs over the outputs.",
        ),
        "pre_activation_as_input": edit(
            "[np.tanh(Z) for Z in pre_activations[:-1]]", "pre_activations[:-1]",
            hint="A layer's input is H = tanh Z of the layer before, not Z.",
        ),
        "last_layer_first": edit(
            "grads_W.insert(0, inputs[l].T @ delta)", "grads_W.append(inputs[l].T @ delta)",
            ("grads_b.insert(0, np.sum(delta, axis=0))", "grads_b.append(np.sum(delta, axis=0))"),
            hint="Your lists begin with the last layer, the first one that the backward pass "
            "meets. Turn them round.",
        ),
        "error_not_handed_on": edit(
            "delta = (delta @ weights[l].T) * slope",
            "delta = (delta @ weights[l].T) * slope if l == len(weights) - 1 else "
            "delta[:, :1] * slope",
            hint="After the last hidden layer the recursion stops: each error is made from the "
            "one after it, through that layer's weights.",
        ),
        "slope_of_relu": edit(
            "slope = 1 - np.tanh(pre_activations[l - 1]) ** 2",
            "slope = pre_activations[l - 1] > 0",
            hint="The slope is that of a relu. Between the layers stands tanh.",
        ),
        "slope_of_sigmoid": edit(
            "slope = 1 - np.tanh(pre_activations[l - 1]) ** 2",
            "slope = inputs[l] * (1 - inputs[l])",
            hint="h(1 − h) is the slope of σ. Between the layers stands tanh.",
        ),
        "slope_not_squared": edit(
            "np.tanh(pre_activations[l - 1]) ** 2", "np.tanh(pre_activations[l - 1])",
            hint="The slope of tanh is one minus its *square*.",
        ),
    },
    "gradient_check": {
        "absolute_error": edit(
            "1e-4 * max(abs(measured), abs(claimed))", "1e-4",
            also=[
                ("1e-4 * max(abs(measured), abs(claimed))", limit)
                for limit in ("1e-3", "1e-5", "1e-6", "1e-7", "1e-8")
            ],
            hint="You compare with a fixed number: a wrong gradient of a tiny function passes and "
            "a right one of a huge function fails. Compare with the larger of the two slopes.",
        ),
        "other_limit": edit(
            "> 1e-4 * max", "> 1e-6 * max", about="detail",
            also=[
                ("> 1e-4 * max", f"> {limit} * max") for limit in ("1e-2", "1e-3", "1e-5", "1e-7")
            ],
            hint="Another limit than 1e-4 is used: a gradient that is wrong by half of that should "
            "pass, one that is wrong by a little more should not.",
        ),
        "relative_to_the_sum": edit(
            "max(abs(measured), abs(claimed))", "(abs(measured) + abs(claimed))", about="detail",
            hint="You compare with the sum of the two sizes, which is twice the larger one, so the "
            "limit is twice as wide as asked.",
        ),
        "floor_under_the_slopes": edit(
            "max(abs(measured), abs(claimed))", "max(abs(measured), abs(claimed), 1.0)",
            also=[("max(abs(measured), abs(claimed))", "(1.0 + abs(measured) + abs(claimed))")],
            hint="A fixed number stands beside the two slopes, and for a tiny function it decides: "
            "wrong gradients pass there. Compare with the larger of the slopes alone.",
        ),
        "first_axis_against_rows": edit(
            "for _ in range(10):\n        u = rng.normal(size=x.shape)",
            "for i in range(len(x)):\n        u = np.zeros(x.shape)\n        u[i] = 1",
            ("claimed = np.sum(grad * u)",
             "row = np.ravel(grad[i])\n        claimed = row[np.argmax(np.abs(measured - row))]"),
            about="idea",
            hint="You go along the first axis only, entry by entry of a vector; for a matrix that "
            "moves whole rows, and a right gradient fails. Random directions of x's shape work for "
            "any shape.",
        ),
        "direction_of_ones": edit(
            "u = rng.normal(size=x.shape)", "u = np.ones(x.shape)",
            hint="Along (1, …, 1) only the sum of the entries counts, so entries in the wrong "
            "order go unnoticed. Draw the direction at random.",
        ),
        "direction_of_the_gradient": edit(
            "u = rng.normal(size=x.shape)",
            "u = grad / max(float(np.sqrt(np.sum(grad**2))), 1e-300)",
            hint="Along the claimed gradient itself much goes unnoticed, and a gradient of zeros "
            "always passes. Draw the direction at random.",
        ),
        "sizes_compared": edit(
            "abs(measured - claimed)", "abs(abs(measured) - abs(claimed))",
            hint="You compare sizes only: a gradient with the wrong sign passes.",
        ),
        "one_sided_difference": edit(
            "(f(x + h * u) - f(x - h * u)) / (2 * h)", "(f(x + h * u) - f(x)) / h",
            about="detail",
            hint="Where the slope changes quickly, a right gradient fails: the slope is measured "
            "to one side, or the limit is far below 1e-4. Go to both sides, and allow 1e-4.",
        ),
        "step_not_doubled": edit(
            "/ (2 * h)", "/ h",
            hint="Every right gradient fails: from x − hu to x + hu it is 2h, not h.",
        ),
        "verdict_turned_round": edit(
            "return False", "return True", ("    return True", "    return False"),
            also=[("claimed) > 1e-4 *", "claimed) <= 1e-4 *")],
            hint="The answer is the wrong way round: True means that the gradient is right.",
        ),
        "zeros_always_fail": edit(
            "abs(measured - claimed) > 1e-4 *", "abs(measured - claimed) >= 1e-4 *", about="edge",
            hint="For a constant function both slopes are 0 and so is their difference: 0 is not "
            "larger than 0, so that must pass.",
        ),
        "always_satisfied": edit(
            "        if abs(measured - claimed) > 1e-4 * max(abs(measured), abs(claimed)):\n"
            "            return False\n", "",
            hint="Every gradient passes: the two slopes are never compared.",
        ),
        "one_direction_only": edit(
            "for _ in range(10)", "for _ in range(1)", about="detail",
            hint="Only one direction is tried (is there a return inside of the loop?). A wrong "
            "gradient may look right along it: all ten must agree.",
        ),
        "one_direction_is_enough": edit(
            "        if abs(measured - claimed) > 1e-4 * max(abs(measured), abs(claimed)):\n"
            "            return False\n    return True",
            "        if abs(measured - claimed) <= 1e-4 * max(abs(measured), abs(claimed)):\n"
            "            return True\n    return False", about="detail",
            hint="You return True as soon as one direction agrees. All ten must.",
        ),
    },
}
