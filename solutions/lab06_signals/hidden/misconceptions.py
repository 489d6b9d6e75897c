"""Lab 06: mistakes that people really make, as edits of the solution, and what they are told."""

from course_utils.testing import edit

# What a mistake costs where it is in one of two, four or five parts.
HALF, QUARTER, FIFTH = 0.5, 0.25, 0.2

# Longer pieces of the solution that several mistakes replace.
GLOROT_BOUND = "bound = math.sqrt(6 / (n_in + n_out))"
GLOROT_DRAW = "return weight.uniform_(-bound, bound, generator=generator)"
NORMAL_DRAW = "return weight.normal_(0, std, generator=generator)"
HE_DRAW = "return weight.normal_(0, math.sqrt(2 / fan_in), generator=generator)"
LIMIT_DRAW = "return weight.uniform_(-limit, limit, generator=generator)"
CPU_UNIFORM = "return weight.copy_((2 * torch.rand(weight.shape, generator=generator) - 1) * "
CPU_RANDN = "return weight.copy_(torch.randn(weight.shape, generator=generator) * "
CPU_GLOROT = (GLOROT_DRAW, CPU_UNIFORM + "bound)")
CPU_NORMAL = (NORMAL_DRAW, CPU_RANDN + "std)")
CPU_HE = (HE_DRAW, CPU_RANDN + "math.sqrt(2 / fan_in))")
CPU_DEFAULT = (LIMIT_DRAW, CPU_UNIFORM + "limit)")
ONE_ROW = (
    "        if n == 1:\n            raise ValueError("
    '"batch norm needs more than one row in training: x − μ would be 0")\n'
)
UPDATE_MEAN = "running_mean.copy_((1 - momentum) * running_mean + momentum * mean)"
UPDATE_VAR = "running_var.copy_((1 - momentum) * running_var + momentum * var * n / (n - 1))"
BATCH_VAR = "var = ((x - mean) ** 2).mean(dim=0)"
ROW_VAR = "var = ((x - mean) ** 2).mean(dim=-1, keepdim=True)"
OTHERWISE = "    else:\n        mean, var = running_mean, running_var\n"
MEAN_BUFFER = 'self.register_buffer("running_mean", torch.zeros(num_features))'
VAR_BUFFER = 'self.register_buffer("running_var", torch.ones(num_features))'
COUNTER = 'self.register_buffer("num_batches_tracked", torch.tensor(0))'
GRAD_X = "grad_x = (g - g.mean(dim=0) - x_hat * (g * x_hat).mean(dim=0)) / s"
ROW_GRAD_X = "grad_x = (g - centre - x_hat * along) / s"
SMALL_BATCH = "torch.eye(3)"
LARGE_BATCH = "torch.arange(256.0).reshape(128, 2)"

MISTAKES = {
    "variance_steps": {
        "mean_of_x_forgotten": edit(
            "return var_w * (var_x + mean_x**2)", "return var_w * var_x", cost=QUARTER,
            hint="That is right for inputs of mean 0 only. The weights' sign flips the mean of x "
            "too: E[x²] = Var(x) + E[x]².",
        ),
        "mean_not_squared": edit(
            "var_x + mean_x**2", "var_x + mean_x", cost=QUARTER,
            also=[("var_x + mean_x * mean_x", "var_x + mean_x")],
            hint="E[x²] is Var(x) plus the *square* of the mean; you have added the mean itself.",
        ),
        "mean_subtracted": edit(
            "var_x + mean_x**2", "var_x - mean_x**2", cost=QUARTER,
            also=[("var_x + mean_x * mean_x", "var_x - mean_x * mean_x")],
            hint="Var(x) = E[x²] − E[x]², so the square of the mean is *added* to get E[x²].",
        ),
        "variances_of_factors_added": edit(
            "return var_w * (var_x + mean_x**2)", "return var_w + var_x", cost=QUARTER,
            hint="Variances add for a sum. Here w and x are multiplied, and E[w²x²] = E[w²]·E[x²].",
        ),
        "variance_of_w_squared": edit(
            "return var_w * (", "return var_w**2 * (", cost=QUARTER,
            hint="var_w is a variance already, E[w²]; do not square it once more.",
        ),
        "number_of_inputs_forgotten": edit(
            "return n_in * var_w * var_x", "return var_w * var_x", cost=QUARTER,
            hint="That is one product. A unit adds n_in of them, and the variances add.",
        ),
        "sum_taken_for_a_mean": edit(
            "return n_in * var_w * var_x", "return var_w * var_x / n_in", cost=QUARTER,
            hint="Dividing by n_in is the variance of a *mean*. A unit computes a sum.",
        ),
        "number_of_inputs_squared": edit(
            "return n_in * var_w * var_x", "return n_in**2 * var_w * var_x", cost=QUARTER,
            hint="n_in² would be right if all products were one and the same number. They are "
            "uncorrelated: their variances add, n_in of them.",
        ),
        "number_of_inputs_under_a_root": edit(
            "return n_in * var_w * var_x", "return sp.sqrt(n_in) * var_w * var_x", cost=QUARTER,
            hint="√n_in is what the *standard deviation* grows by; the variance grows by n_in.",
        ),
        "relu_leaves_all": edit(
            "return var_z / 2", "return var_z", cost=QUARTER,
            hint="relu sets the negative half of z to 0, and that half of E[z²] is lost.",
        ),
        "relu_leaves_a_quarter": edit(
            "return var_z / 2", "return var_z / 4", cost=QUARTER,
            hint="Half of the values survive, and they are not made smaller: half of E[z²] is "
            "left, not a quarter.",
        ),
        "variance_after_relu": edit(
            "return var_z / 2", "return var_z * (1 - 1 / sp.pi) / 2", cost=QUARTER,
            hint="That is the *variance* of relu(z). The next layer's variance goes with E[relu²], "
            "from which the square of the mean is not subtracted (step 1).",
        ),
        "standard_deviation_halved": edit(
            "return var_z / 2", "return sp.sqrt(var_z) / 2", cost=QUARTER,
            hint="You have taken a root: E[relu(z)²] goes with the variance of z, not with its "
            "standard deviation.",
        ),
        "relu_forgotten_in_depth": edit(
            "(n * var_w / 2) ** layers", "(n * var_w) ** layers", cost=QUARTER,
            also=[("* n**layers * var_w**layers / 2**layers", "* n**layers * var_w**layers")],
            hint="Each layer has a relu, which leaves half: there is a factor ½ in every layer.",
        ),
        "relu_once_for_all_layers": edit(
            "(n * var_w / 2) ** layers", "(n * var_w) ** layers / 2", cost=QUARTER,
            also=[("var_w**layers / 2**layers", "var_w**layers / 2")],
            hint="The ½ of relu comes in every layer, not once: it belongs inside of the power.",
        ),
        "layers_multiplied": edit(
            "(n * var_w / 2) ** layers", "(n * var_w / 2) * layers", cost=QUARTER,
            hint="Each layer multiplies by the same factor, so D layers give its D-th *power*, "
            "not D times the factor.",
        ),
        "start_forgotten": edit(
            "return m * (n * var_w / 2)", "return (n * var_w / 2)", cost=QUARTER,
            also=[("return m * n**layers", "return n**layers")],
            hint="The signal begins with E[x²] = m, which is still a factor at the end.",
        ),
        "start_squared": edit(
            "return m * (n * var_w / 2)", "return m**2 * (n * var_w / 2)", cost=QUARTER,
            hint="m is E[x²] already; do not square it once more.",
        ),
        "one_layer_short": edit(
            "/ 2) ** layers", "/ 2) ** (layers - 1)", cost=QUARTER,
            hint="There is one factor for each layer, D of them; you have D − 1.",
        ),
    },
    "good_variances": {
        "lecun_standard_deviation": edit(
            "return 1 / n_in\n", "return 1 / sp.sqrt(n_in)\n", cost=FIFTH,
            hint="1/√n_in is LeCun's standard deviation; a variance was asked for.",
        ),
        "lecun_with_relu": edit(
            "return 1 / n_in\n", "return 2 / n_in + 0\n", cost=FIFTH,
            hint="2/n_in makes up for a relu (step 7). In step 5 there is none.",
        ),
        "lecun_upside_down": edit(
            "return 1 / n_in\n", "return n_in\n", cost=FIFTH,
            hint="n_in·Var(w)·Var(x) = Var(x): solve for Var(w). More inputs need smaller weights.",
        ),
        "glorot_without_two": edit(
            "return 2 / (n_in + n_out)", "return 1 / (n_in + n_out)", cost=FIFTH,
            hint="The mean of n_in·Var(w) and n_out·Var(w) is (n_in + n_out)·Var(w)/2; setting it "
            "to 1 leaves a 2 on top.",
        ),
        "glorot_standard_deviation": edit(
            "return 2 / (n_in + n_out)", "return sp.sqrt(2 / (n_in + n_out))", cost=FIFTH,
            hint="That is Glorot's standard deviation; a variance was asked for.",
        ),
        "glorot_of_the_bound": edit(
            "return 2 / (n_in + n_out)", "return 6 / (n_in + n_out)", cost=FIFTH,
            hint="6/(n_in + n_out) is the square of the *bound* of uniform weights (step 8), three "
            "times their variance.",
        ),
        "glorot_product_of_fans": edit(
            "return 2 / (n_in + n_out)", "return 2 / (n_in * n_out)", cost=FIFTH,
            hint="You have multiplied n_in and n_out; the compromise has their sum.",
        ),
        "glorot_mean_of_variances": edit(
            "return 2 / (n_in + n_out)", "return (1 / n_in + 1 / n_out) / 2", cost=FIFTH,
            hint="You have averaged the two variances 1/n_in and 1/n_out. Step 6 asks for the "
            "Var(w) for which the *products* n_in·Var(w) and n_out·Var(w) average to 1.",
        ),
        "he_without_two": edit(
            "return 2 / n_in\n", "return 1 / n_in + 0\n", cost=FIFTH,
            hint="1/n_in keeps the variance without relu. relu takes half of E[x²] in every layer: "
            "n_in·Var(w)/2 has to be 1.",
        ),
        "he_standard_deviation": edit(
            "return 2 / n_in\n", "return sp.sqrt(2 / n_in)\n", cost=FIFTH,
            hint="√(2/n_in) is He's standard deviation; a variance was asked for.",
        ),
        "he_halved": edit(
            "return 2 / n_in\n", "return 1 / (2 * n_in)\n", cost=FIFTH,
            also=[("return 1 / (n_in / 2)", "return 1 / (n_in * 2)")],
            hint="relu halves, so the weights have to be *larger*: twice the variance, not half.",
        ),
        "bound_is_the_standard_deviation": edit(
            "return sp.sqrt(3 * var)", "return sp.sqrt(var)", cost=FIFTH,
            also=[("return sp.sqrt(var) * sp.sqrt(3)", "return sp.sqrt(var)")],
            hint="√var is the standard deviation. Uniform numbers from (−a, a) have the variance "
            "a²/3, so the bound is larger.",
        ),
        "bound_squared": edit(
            "return sp.sqrt(3 * var)", "return 3 * var", cost=FIFTH,
            hint="3·var is a². Take the root.",
        ),
        "whole_width": edit(
            "return sp.sqrt(3 * var)", "return sp.sqrt(12 * var)", cost=FIFTH,
            hint="√(12·var) is the width of the interval, 2a. The bound is half of that.",
        ),
        "three_outside_the_root": edit(
            "return sp.sqrt(3 * var)", "return 3 * sp.sqrt(var)", cost=FIFTH,
            hint="The 3 belongs under the root: var = a²/3, so a = √(3·var).",
        ),
        "torch_bound_for_deviation": edit(
            "return 1 / (3 * n_in)", "return 1 / n_in + 0", cost=FIFTH,
            hint="1/n_in is the square of the bound. Uniform numbers from (−a, a) have a third of "
            "a² as their variance.",
        ),
        "torch_interval_half_as_wide": edit(
            "return 1 / (3 * n_in)", "return 1 / (12 * n_in)", cost=FIFTH,
            also=[("(2 / sp.sqrt(n_in)) ** 2 / 12", "(1 / sp.sqrt(n_in)) ** 2 / 12")],
            hint="width²/12 is right, but the interval from −1/√n_in to 1/√n_in has the width "
            "2/√n_in.",
        ),
        "torch_standard_deviation": edit(
            "return 1 / (3 * n_in)", "return 1 / sp.sqrt(3 * n_in)", cost=FIFTH,
            hint="That is the standard deviation; a variance was asked for.",
        ),
    },
    "fans": {
        "fans_swapped": edit(
            "return weight.shape[1] * kernel, weight.shape[0] * kernel",
            "return weight.shape[0] * kernel, weight.shape[1] * kernel",
            also=[("n_out, n_in = weight.shape[:2]", "n_in, n_out = weight.shape[:2]"),
                  ("n_out, n_in, *axes = weight.shape", "n_in, n_out, *axes = weight.shape")],
            hint="fan_in and fan_out are exchanged: torch's weight is (n_out, n_in), the outputs "
            "first.",
        ),
        "channels_on_the_last_axes": edit(
            "math.prod(weight.shape[2:])", "math.prod(weight.shape[:-2])",
            ("return weight.shape[1] * kernel, weight.shape[0] * kernel",
             "return weight.shape[-2] * kernel, weight.shape[-1] * kernel"),
            hint="You read the weight as (…, n_in, n_out), as some other libraries lay it out. "
            "torch's is (n_out, n_in, …): outputs first, then inputs, then the kernel.",
        ),
        "kernel_ignored": edit(
            "return weight.shape[1] * kernel, weight.shape[0] * kernel",
            "return weight.shape[1], weight.shape[0]", about="detail",
            also=[("return n_in * kernel, n_out * kernel", "return n_in, n_out"),
                  ("weight.shape[2:]", "weight.shape[4:]")],
            hint="The entries of the kernel are not counted: each output sums over all of them, "
            "for every input channel.",
        ),
        "kernel_counts_for_inputs_only": edit(
            ", weight.shape[0] * kernel", ", weight.shape[0]", about="detail",
            also=[("n_out * kernel", "n_out"), ("        n_out *= length\n", "")],
            hint="The kernel counts in fan_in only. An input is part of as many sums as the kernel "
            "has entries, for every output channel.",
        ),
        "kernel_counts_for_outputs_only": edit(
            "weight.shape[1] * kernel,", "weight.shape[1],", about="detail",
            also=[("n_in * kernel", "n_in"), ("        n_in *= length\n", "")],
            hint="The kernel counts in fan_out only. One sum has a product for every entry of the "
            "kernel, too.",
        ),
        "first_axis_of_the_kernel_only": edit(
            "weight.shape[2:]", "weight.shape[2:3]", about="detail",
            hint="Only the first axis of the kernel is counted; it may have more.",
        ),
        "kernel_taken_for_square": edit(
            "math.prod(weight.shape[2:])", "(weight.shape[2] ** 2 if weight.ndim > 2 else 1)",
            about="detail",
            hint="You have squared the kernel's first axis: kernels need be neither square nor of "
            "two axes.",
        ),
        "kernel_added_up": edit(
            "math.prod(weight.shape[2:])", "(sum(weight.shape[2:]) or 1)", about="detail",
            hint="The kernel's axes are added. A kernel of 5 × 5 has 25 entries, not 10.",
        ),
        "last_axes_for_channels": edit(
            "return weight.shape[1] * kernel, weight.shape[0] * kernel",
            "return weight.shape[-1], weight.shape[-2]", about="detail",
            hint="The last two axes of a convolution's weight are its kernel's; the channels are "
            "the first two.",
        ),
        "number_of_entries": edit(
            "return weight.shape[1] * kernel, weight.shape[0] * kernel",
            "return weight.numel(), weight.numel()",
            hint="That is the number of all weights. One sum has only fan_in of them.",
        ),
        "not_whole_numbers": edit(
            "return weight.shape[1] * kernel, weight.shape[0] * kernel",
            "return float(weight.shape[1] * kernel), float(weight.shape[0] * kernel)",
            about="form",
            hint="The fans come back as floats; they count something, so they are ints.",
        ),
    },
    "initializers": {
        "glorot_uniform_with_the_deviation": edit(
            "math.sqrt(6 / (n_in + n_out))", "math.sqrt(2 / (n_in + n_out))", cost=QUARTER,
            hint="√(2/(n_in + n_out)) is Glorot's standard deviation. As the bound of uniform "
            "numbers it has to be √3 times as large.",
        ),
        "glorot_uniform_fan_in_only": edit(
            "math.sqrt(6 / (n_in + n_out))", "math.sqrt(6 / n_in)", cost=QUARTER,
            hint="Only n_in is in your bound (that is He's). Glorot's compromise has n_in + n_out.",
        ),
        "glorot_uniform_lecun": edit(
            "math.sqrt(6 / (n_in + n_out))", "math.sqrt(3 / n_in)", cost=QUARTER,
            hint="Only n_in is in your bound (that is LeCun's). Glorot's compromise has "
            "n_in + n_out.",
        ),
        "glorot_uniform_without_two": edit(
            "math.sqrt(6 / (n_in + n_out))", "math.sqrt(3 / (n_in + n_out))", cost=QUARTER,
            hint="With √(3/(n_in + n_out)) the variance is 1/(n_in + n_out). Glorot's is twice as "
            "large.",
        ),
        "glorot_uniform_with_torchs_bound": edit(
            "math.sqrt(6 / (n_in + n_out))", "math.sqrt(1 / n_in)", cost=QUARTER,
            hint="1/√n_in is the bound that torch uses by default. Glorot's comes from the "
            "variance 2/(n_in + n_out), by step 8.",
        ),
        "glorot_uniform_without_root": edit(
            "math.sqrt(6 / (n_in + n_out))", "6 / (n_in + n_out)", cost=QUARTER,
            hint="6/(n_in + n_out) is the square of the bound: take the root.",
        ),
        "glorot_uniform_one_sided": edit(
            "weight.uniform_(-bound, bound,", "weight.uniform_(0, bound,", cost=QUARTER,
            also=[("(2 * unit - 1) * a", "unit * a")],
            hint="Your numbers lie between 0 and the bound, so all weights are positive: they must "
            "have mean 0.",
        ),
        "glorot_uniform_drawn_normal": edit(
            GLOROT_DRAW,
            "return weight.normal_(0, bound / math.sqrt(3), generator=generator)", cost=QUARTER,
            hint="The variance is right, but the numbers are normal; uniform ones were asked for.",
        ),
        "glorot_uniform_new_tensor": edit(
            GLOROT_DRAW,
            "return (torch.rand(weight.shape, generator=generator, device=weight.device) * 2 - 1)"
            " * bound", cost=QUARTER,
            hint="A new tensor is returned, and the weight itself is as it was. A trailing _ "
            "promises to fill the tensor that is given: weight.copy_(…) or weight.uniform_(…).",
        ),
        "glorot_uniform_generator_ignored": edit(
            "-bound, bound, generator=generator", "-bound, bound", about="detail", cost=0.03,
            hint="The numbers come from torch's global generator; hand on the one that was passed: "
            "generator=generator.",
        ),
        "glorot_uniform_returns_nothing": edit(
            GLOROT_DRAW, "weight.uniform_(-bound, bound, generator=generator)", about="detail",
            cost=0.03,
            hint="glorot_uniform_ fills the weight and returns None; it should return the weight.",
        ),
        "glorot_normal_with_the_variance": edit(
            "std = math.sqrt(2 / sum(fans(weight)))", "std = 2 / sum(fans(weight))", cost=QUARTER,
            also=[("std = (2 / (fan_in + fan_out)) ** 0.5", "std = 2 / (fan_in + fan_out)")],
            hint="The variance stands where the standard deviation belongs: take the root.",
        ),
        "glorot_normal_without_two": edit(
            "math.sqrt(2 / sum(fans(weight)))", "math.sqrt(1 / sum(fans(weight)))", cost=QUARTER,
            also=[("(2 / (fan_in + fan_out)) ** 0.5", "(1 / (fan_in + fan_out)) ** 0.5")],
            hint="The 2 of Glorot's variance, 2/(n_in + n_out), is missing.",
        ),
        "glorot_normal_with_the_bound": edit(
            "math.sqrt(2 / sum(fans(weight)))", "math.sqrt(6 / sum(fans(weight)))", cost=QUARTER,
            also=[("(2 / (fan_in + fan_out)) ** 0.5", "(6 / (fan_in + fan_out)) ** 0.5")],
            hint="√(6/(n_in + n_out)) is the bound of the uniform numbers. Normal ones take the "
            "standard deviation, without the 3.",
        ),
        "glorot_normal_is_he": edit(
            "math.sqrt(2 / sum(fans(weight)))", "math.sqrt(2 / fans(weight)[0])", cost=QUARTER,
            also=[("std = (2 / (fan_in + fan_out)) ** 0.5", "std = (2 / fan_in) ** 0.5")],
            hint="That is He's standard deviation, with n_in alone. Glorot's has n_in + n_out.",
        ),
        "glorot_normal_is_lecun": edit(
            "math.sqrt(2 / sum(fans(weight)))", "math.sqrt(1 / fans(weight)[0])", cost=QUARTER,
            also=[("std = (2 / (fan_in + fan_out)) ** 0.5", "std = (1 / fan_in) ** 0.5")],
            hint="That is LeCun's variance, 1/n_in, which looks at the way forwards only. Glorot's "
            "(Xavier's) compromise has n_out as well: 2/(n_in + n_out).",
        ),
        "glorot_normal_with_relus_gain": edit(
            "math.sqrt(2 / sum(fans(weight)))", "math.sqrt(4 / sum(fans(weight)))", cost=QUARTER,
            also=[("(2 / (fan_in + fan_out)) ** 0.5", "(4 / (fan_in + fan_out)) ** 0.5")],
            hint="Your variance is 4/(n_in + n_out), twice Glorot's. A factor that makes up for "
            "relu belongs to He's.",
        ),
        "divided_by_the_deviation": edit(
            "return weight.normal_(0, std,", "return weight.normal_(0, 1 / std,",
            ("normal_(0, math.sqrt(2 / fan_in)", "normal_(0, 1 / math.sqrt(2 / fan_in)"), cost=0.33,
            also=[("return weight.normal_(0, std,", "return weight.normal_(0, 1 / std,"),
                  ("normal_(0, math.sqrt(2 / fan_in)", "normal_(0, 1 / math.sqrt(2 / fan_in)")],
            hint="The standard deviation is upside down: the more inputs a unit has, the larger "
            "your weights. Numbers of deviation 1 have to be multiplied by it, not divided.",
        ),
        "glorot_normal_drawn_uniform": edit(
            NORMAL_DRAW,
            "return weight.uniform_(-std * 3**0.5, std * 3**0.5, generator=generator)",
            cost=QUARTER,
            hint="The variance is right, but the numbers are uniform; normal ones were asked for.",
        ),
        "glorot_normal_new_tensor": edit(
            NORMAL_DRAW,
            "return torch.randn(weight.shape, generator=generator, device=weight.device) * std",
            cost=QUARTER,
            hint="A new tensor is returned, and the weight itself is as it was. A trailing _ "
            "promises to fill the tensor that is given.",
        ),
        "glorot_normal_generator_ignored": edit(
            "normal_(0, std, generator=generator)", "normal_(0, std)", about="detail", cost=0.03,
            hint="The numbers come from torch's global generator; hand on the one that was passed: "
            "generator=generator.",
        ),
        "he_fan_out": edit(
            "fan_in, _ = fans(weight)", "_, fan_in = fans(weight)", cost=QUARTER,
            also=[("n_in = fans(weight)[0]", "n_in = fans(weight)[1]")],
            hint="You have used fan_out. He keeps the signal on its way forwards, and there n_in "
            "products are added.",
        ),
        "he_without_relu": edit(
            "math.sqrt(2 / fan_in)", "math.sqrt(1 / fan_in)", cost=QUARTER,
            also=[("mul_((2 / n_in) ** 0.5)", "mul_((1 / n_in) ** 0.5)")],
            hint="That is LeCun's standard deviation. He's variance is twice as large, because "
            "relu leaves half.",
        ),
        "he_is_glorot": edit(
            "math.sqrt(2 / fan_in)", "math.sqrt(2 / sum(fans(weight)))", cost=QUARTER,
            also=[("mul_((2 / n_in) ** 0.5)", "mul_((2 / sum(fans(weight))) ** 0.5)")],
            hint="That is Glorot's (Xavier's) standard deviation. He's has n_in alone.",
        ),
        "he_with_the_variance": edit(
            "math.sqrt(2 / fan_in)", "2 / fan_in", cost=QUARTER,
            also=[("mul_((2 / n_in) ** 0.5)", "mul_(2 / n_in)")],
            hint="The variance stands where the standard deviation belongs: take the root.",
        ),
        "he_with_the_bound": edit(
            "math.sqrt(2 / fan_in)", "math.sqrt(6 / fan_in)", cost=QUARTER,
            also=[("mul_((2 / n_in) ** 0.5)", "mul_((6 / n_in) ** 0.5)")],
            hint="√(6/n_in) is the bound of uniform numbers with He's variance. Normal ones take "
            "the standard deviation, without the 3.",
        ),
        "he_truncated": edit(
            HE_DRAW,
            HE_DRAW.replace("generator=generator)", "generator=generator).clamp_(\n"
            "            -2 * math.sqrt(2 / fan_in), 2 * math.sqrt(2 / fan_in))"),
            cost=QUARTER,
            hint="Your numbers are cut off at two standard deviations, so their variance is "
            "smaller than He's. Leave the tails in.",
        ),
        "he_drawn_uniform": edit(
            HE_DRAW,
            "return weight.uniform_(-math.sqrt(6 / fan_in), math.sqrt(6 / fan_in), "
            "generator=generator)", cost=QUARTER,
            hint="The variance is right, but the numbers are uniform; normal ones were asked for.",
        ),
        "he_new_tensor": edit(
            HE_DRAW,
            "return torch.randn(weight.shape, generator=generator, device=weight.device) "
            "* math.sqrt(2 / fan_in)", cost=QUARTER,
            hint="A new tensor is returned, and the weight itself is as it was. A trailing _ "
            "promises to fill the tensor that is given.",
        ),
        "he_recorded_by_autograd": edit(
            "fan_in, _ = fans(weight)\n    with torch.no_grad():",
            "fan_in, _ = fans(weight)\n    if True:", about="detail", cost=0.04,
            hint="A parameter may not be changed in place while autograd is watching: fill it "
            "inside of torch.no_grad().",
        ),
        "he_generator_ignored": edit(
            "math.sqrt(2 / fan_in), generator=generator", "math.sqrt(2 / fan_in)",
            about="detail", cost=0.03,
            also=[("normal_(generator=generator).mul_", "normal_().mul_")],
            hint="The numbers come from torch's global generator; hand on the one that was passed: "
            "generator=generator.",
        ),
        "he_seeded_inside": edit(
            HE_DRAW,
            "generator = torch.Generator(weight.device).manual_seed(0)\n        " + HE_DRAW,
            about="detail", cost=0.03,
            hint="The generator is seeded anew inside of the function, so every layer gets the "
            "same numbers. Draw from the generator that is passed.",
        ),
        "drawn_on_the_cpu": edit(
            *CPU_GLOROT, CPU_NORMAL, CPU_HE, CPU_DEFAULT, about="form", cost=0.1,
            also=[[CPU_GLOROT, CPU_NORMAL, CPU_HE], [CPU_NORMAL, CPU_HE], CPU_HE, CPU_NORMAL,
                  CPU_GLOROT, CPU_DEFAULT],
            hint="torch.rand and torch.randn without device= draw on the CPU, and refuse a "
            "generator of a GPU: say device=weight.device, or fill the weight with uniform_ or "
            "normal_.",
        ),
        "default_without_root": edit(
            "limit = 1 / math.sqrt(fans(weight)[0])", "limit = 1 / fans(weight)[0]", cost=QUARTER,
            hint="The bound is 1/√n_in, and you have left the root out.",
        ),
        "default_fan_out": edit(
            "limit = 1 / math.sqrt(fans(weight)[0])", "limit = 1 / math.sqrt(fans(weight)[1])",
            cost=QUARTER,
            also=[("n_in, _ = fans(weight)", "_, n_in = fans(weight)")],
            hint="You have used fan_out; torch's bound is 1/√n_in.",
        ),
        "default_with_variance_one_over_n": edit(
            "limit = 1 / math.sqrt(fans(weight)[0])", "limit = math.sqrt(3 / fans(weight)[0])",
            cost=QUARTER,
            hint="With √(3/n_in) the variance is 1/n_in. torch's bound is 1/√n_in, its variance "
            "a third of that.",
        ),
        "default_is_he": edit(
            "limit = 1 / math.sqrt(fans(weight)[0])", "limit = math.sqrt(6 / fans(weight)[0])",
            cost=QUARTER,
            hint="√(6/n_in) is the bound for He's variance. torch's default is smaller: 1/√n_in.",
        ),
        "default_drawn_normal": edit(
            LIMIT_DRAW, "return weight.normal_(0, limit, generator=generator)", cost=QUARTER,
            hint="Your numbers are normal with the standard deviation 1/√n_in. torch draws uniform "
            "ones, and 1/√n_in is their bound.",
        ),
        "default_one_sided": edit(
            LIMIT_DRAW, "return weight.uniform_(0, limit, generator=generator)", cost=QUARTER,
            also=[("return weight.sub_(0.5).mul_(2 / n_in**0.5)",
                   "return weight.mul_(1 / n_in**0.5)")],
            hint="Your numbers lie between 0 and the bound, so all weights are positive: they must "
            "have mean 0.",
        ),
        "default_interval_half_as_wide": edit(
            "weight.uniform_(-limit, limit,", "weight.uniform_(-limit / 2, limit / 2,",
            cost=QUARTER,
            also=[("mul_(2 / n_in**0.5)", "mul_(1 / n_in**0.5)")],
            hint="Your interval has the width 1/√n_in; it reaches from −1/√n_in to 1/√n_in.",
        ),
        "default_new_tensor": edit(
            LIMIT_DRAW,
            "return (torch.rand(weight.shape, generator=generator, device=weight.device) - 0.5)"
            " * 2 * limit", cost=QUARTER,
            hint="A new tensor is returned, and the weight itself is as it was. A trailing _ "
            "promises to fill the tensor that is given.",
        ),
    },
    "saturation": {
        "positive_side_only": edit(
            "h.abs() > threshold", "h > threshold", cost=HALF,
            also=[("torch.abs(h) > threshold", "h > threshold"),
                  ("(h > threshold) | (h < -threshold)", "h > threshold")],
            hint="Only activations near +1 are counted. tanh is as flat near −1.",
        ),
        "share_that_is_not_saturated": edit(
            "h.abs() > threshold", "h.abs() < threshold", cost=HALF,
            also=[("torch.abs(h) > threshold", "torch.abs(h) < threshold")],
            hint="That is the share of activations that are *not* saturated.",
        ),
        "threshold_on_tanh_again": edit(
            "h.abs() > threshold", "h.tanh().abs() > threshold", cost=HALF,
            also=[("torch.abs(h) > threshold", "torch.tanh(h).abs() > threshold")],
            hint="h is an activation already: tanh must not be applied to it once more.",
        ),
        "threshold_on_pre_activation": edit(
            "h.abs() > threshold", "torch.atanh(h).abs() > threshold", cost=HALF,
            also=[("torch.abs(h) > threshold", "torch.atanh(h).abs() > threshold")],
            hint="The threshold is held against pre-activations. It is meant for activations: "
            "|tanh z| > 0.97, not |z| > 0.97.",
        ),
        "slope_against_threshold": edit(
            "h.abs() > threshold", "(1 - h**2) > threshold", cost=HALF,
            also=[("torch.abs(h) > threshold", "1 - h**2 > threshold")],
            hint="1 − h² is the slope, which is *small* where tanh is saturated. Compare |h| with "
            "the threshold.",
        ),
        "count_for_share": edit(
            "(h.abs() > threshold).float().mean()", "(h.abs() > threshold).sum()", cost=HALF,
            also=[("torch.abs(h) > threshold).item() / h.numel()",
                   "torch.abs(h) > threshold).item()")],
            hint="That is how many activations are saturated; divide by how many there are.",
        ),
        "count_a_row": edit(
            "(h.abs() > threshold).float().mean()",
            "(h.abs() > threshold).float().sum() / h.shape[0]", cost=HALF,
            also=[("/ h.numel()", "/ len(h)")],
            hint="You have divided by the number of rows. A share is of all entries, n·d of them.",
        ),
        "threshold_wired": edit(
            "h.abs() > threshold", "h.abs() > 0.97", about="detail", cost=0.15,
            also=[("torch.abs(h) > threshold", "torch.abs(h) > 0.97")],
            hint="0.97 is wired into your function: use the argument threshold.",
        ),
        "threshold_included": edit(
            "h.abs() > threshold", "h.abs() >= threshold", about="edge", cost=0.1,
            also=[("torch.abs(h) > threshold", "torch.abs(h) >= threshold")],
            hint="An activation at the threshold itself is counted; |h| > threshold leaves it out.",
        ),
        "share_of_zeros": edit(
            "(h == 0).all(dim=0).float().mean()", "(h == 0).float().mean()", cost=HALF,
            hint="That is the share of zeros. With relu about half of all entries are 0, which is "
            "no harm. A unit is dead if it is 0 for *every* example.",
        ),
        "ever_zero": edit(
            "(h == 0).all(dim=0)", "(h == 0).any(dim=0)", cost=HALF,
            also=[("if not unit.any():", "if not unit.all():")],
            hint="You count units that are 0 for *some* example. A dead unit is 0 for all of them.",
        ),
        "dead_examples": edit(
            "(h == 0).all(dim=0)", "(h == 0).all(dim=1)", cost=HALF,
            hint="That is the share of examples for which all units are 0. A unit is a column: "
            "look along dim=0.",
        ),
        "share_of_the_living": edit(
            "(h == 0).all(dim=0)", "(h != 0).any(dim=0)", cost=HALF,
            also=[("if not unit.any():", "if unit.any():")],
            hint="That is the share of units that are alive.",
        ),
        "dead_counted": edit(
            "(h == 0).all(dim=0).float().mean()", "(h == 0).all(dim=0).sum()", cost=HALF,
            also=[("return dead / h.shape[1]", "return dead")],
            hint="That is how many units are dead; divide by how many there are.",
        ),
        "small_taken_for_dead": edit(
            "(h == 0).all(dim=0)", "(h < 0.01).all(dim=0)", cost=HALF,
            hint="A unit with a tiny activation still passes a gradient on. Dead is exactly 0, for "
            "all examples.",
        ),
    },
    "gradient_norms_by_depth": {
        "norms_of_weights": edit(
            "[float(g.norm()) for g in gradients]", "[float(w.norm()) for w in weights]",
            hint="Those are the norms of the weights, which say nothing about the loss. The norms "
            "of their gradients were asked for.",
        ),
        "old_gradients_added": edit(
            "gradients = torch.autograd.grad(loss, weights)",
            "loss.backward()\n    gradients = [w.grad for w in weights]", about="detail",
            also=[("    model.zero_grad()\n", "")],
            hint="backward *adds* to what is in .grad from before. Zero the gradients first, or "
            "use torch.autograd.grad.",
        ),
        "norm_squared": edit(
            "float(g.norm())", "float((g**2).sum())",
            also=[("layer.weight.grad.norm().item()", "layer.weight.grad.square().sum().item()"),
                  ("math.sqrt(float((g**2).sum()))", "float((g**2).sum())")],
            hint="The root is missing: that is the square of the norm.",
        ),
        "sum_of_sizes": edit(
            "float(g.norm())", "float(g.abs().sum())",
            also=[("layer.weight.grad.norm().item()", "layer.weight.grad.norm(1).item()")],
            hint="You have added |g|. The norm here is √(Σ g²).",
        ),
        "mean_size": edit(
            "float(g.norm())", "float(g.abs().mean())",
            also=[("layer.weight.grad.norm().item()", "layer.weight.grad.abs().mean().item()")],
            hint="That is the mean of |g|, not the norm √(Σ g²).",
        ),
        "root_mean_square": edit(
            "float(g.norm())", "float((g**2).mean().sqrt())",
            also=[("math.sqrt(float((g**2).sum()))", "math.sqrt(float((g**2).mean()))")],
            hint="You have taken the mean of g² under the root; the norm has the sum.",
        ),
        "largest_entry": edit(
            "float(g.norm())", "float(g.abs().max())",
            hint="That is the largest entry of the gradient, not the norm √(Σ g²).",
        ),
        "spread_of_gradients": edit(
            "float(g.norm())", "float(g.std())",
            hint="That is the standard deviation of the gradient's entries, not the norm √(Σ g²).",
        ),
        "summed_loss": edit(
            "F.cross_entropy(model(X), y)", "F.cross_entropy(model(X), y, reduction='sum')",
            also=[("[torch.arange(len(y)), y].mean()", "[torch.arange(len(y)), y].sum()")],
            hint="Your gradients are too large by the number of examples: the loss is the *mean* "
            "cross-entropy.",
        ),
        "softmax_twice": edit(
            "F.cross_entropy(model(X), y)", "F.cross_entropy(model(X).softmax(dim=1), y)",
            hint="cross_entropy takes logits and applies the softmax itself; you have applied it "
            "before.",
        ),
        "deepest_first": edit(
            "for g in gradients]", "for g in gradients[::-1]]",
            hint="The list begins with the last layer; the first one should come first.",
        ),
        "biases_too": edit(
            "[m.weight for m in model.modules() if isinstance(m, torch.nn.Linear)]",
            "list(model.parameters())",
            hint="You measure every parameter, biases too. The weights of the linear layers were "
            "asked for.",
        ),
        "all_matrices_and_kernels": edit(
            "[m.weight for m in model.modules() if isinstance(m, torch.nn.Linear)]",
            "[m.weight for m in model.modules() if hasattr(m, 'weight')]", about="detail",
            hint="Every layer with a weight is in your list, norm layers and convolutions too. "
            "Only torch.nn.Linear was asked for.",
        ),
        "top_layers_only": edit(
            "model.modules()", "model.children()", about="detail",
            also=[("in model.modules()\n        if isinstance(layer",
                   "in model.children()\n        if isinstance(layer")],
            hint="model.children() are the layers on top only; model.modules() finds those "
            "inside of others, too.",
        ),
        "bias_in_the_norm": edit(
            "return [float(g.norm()) for g in gradients]",
            "biases = [m.bias for m in model.modules() if isinstance(m, torch.nn.Linear)]\n"
            "    return [\n"
            "        float(g.norm()) if b is None\n"
            "        else math.hypot(g.norm(), torch.autograd.grad(\n"
            "            F.cross_entropy(model(X), y), b)[0].norm())\n"
            "        for g, b in zip(gradients, biases)\n    ]",
            hint="The bias's gradient is in your norms, too; the weight's alone was asked for.",
        ),
    },
    "symmetry": {
        "slope_in_of_one_unit": edit(
            "(2 * v * sp.tanh(w * x) - y) * v", "(v * sp.tanh(w * x) - y) * v", cost=HALF,
            hint="Both units are in f: where they are alike, f is 2v·tanh(wx).",
        ),
        "slope_in_outer_weight_forgotten": edit(
            "- y) * v * (1 -", "- y) * (1 -", cost=HALF,
            hint="The way from f to unit 1 leads over v₁: its factor v is missing.",
        ),
        "slope_in_tanh_slope_forgotten": edit(
            "* v * (1 - sp.tanh(w * x) ** 2) * x", "* v * x", cost=HALF,
            hint="The slope of tanh is missing: 1 − tanh²(wx).",
        ),
        "slope_in_sigmoid_slope": edit(
            "(1 - sp.tanh(w * x) ** 2)", "sp.tanh(w * x) * (1 - sp.tanh(w * x))", cost=HALF,
            hint="h(1 − h) is the slope of the sigmoid. That of tanh is 1 − h².",
        ),
        "slope_in_input_forgotten": edit(
            "(1 - sp.tanh(w * x) ** 2) * x", "(1 - sp.tanh(w * x) ** 2)", cost=HALF,
            hint="The inner derivative is missing: wx has the slope x in w.",
        ),
        "slope_in_of_both": edit(
            "return (2 * v * sp.tanh(w * x) - y) * v",
            "return 2 * (2 * v * sp.tanh(w * x) - y) * v", cost=HALF,
            hint="You have differentiated in a w that both units share. w₁ belongs to unit 1 "
            "alone, so its slope is half of that.",
        ),
        "slope_in_sign": edit(
            "return (2 * v * sp.tanh(w * x) - y) * v", "return (y - 2 * v * sp.tanh(w * x)) * v",
            cost=HALF,
            hint="The sign is wrong: the slope of ½(f − y)² in f is f − y.",
        ),
        "slope_out_of_one_unit": edit(
            "return (2 * v * sp.tanh(w * x) - y) * sp.tanh",
            "return (v * sp.tanh(w * x) - y) * sp.tanh", cost=HALF,
            hint="Both units are in f: where they are alike, f is 2v·tanh(wx).",
        ),
        "slope_out_of_both": edit(
            "return (2 * v * sp.tanh(w * x) - y) * sp.tanh(w * x)",
            "return (2 * v * sp.tanh(w * x) - y) * 2 * sp.tanh(w * x)", cost=HALF,
            hint="You have differentiated in a v that both units share. v₁ belongs to unit 1 "
            "alone, so its slope is half of that.",
        ),
        "slope_out_sign": edit(
            "return (2 * v * sp.tanh(w * x) - y) * sp.tanh(w * x)",
            "return (y - 2 * v * sp.tanh(w * x)) * sp.tanh(w * x)", cost=HALF,
            hint="The sign is wrong: the slope of ½(f − y)² in f is f − y.",
        ),
        "slope_out_activation_forgotten": edit(
            "return (2 * v * sp.tanh(w * x) - y) * sp.tanh(w * x)",
            "return 2 * v * sp.tanh(w * x) - y", cost=HALF,
            hint="The last factor is missing: v₁·tanh(w₁x) has the slope tanh(w₁x) in v₁.",
        ),
        "slope_out_input_for_activation": edit(
            "return (2 * v * sp.tanh(w * x) - y) * sp.tanh(w * x)",
            "return (2 * v * sp.tanh(w * x) - y) * x", cost=HALF,
            hint="v₁ is multiplied by the activation tanh(w₁x), not by the input x.",
        ),
    },
    "batch_norm": {
        "unbiased_variance_for_all": edit(
            BATCH_VAR, "var = x.var(dim=0)", ("momentum * var * n / (n - 1)", "momentum * var"),
            also=[("var = x.var(0, unbiased=False)", "var = x.var(0)")],
            hint="You normalize with the unbiased variance, which x.var gives by default. The "
            "layer divides by n: x.var(0, unbiased=False). Only running_var gets the unbiased one.",
        ),
        "running_var_biased": edit(
            "momentum * var * n / (n - 1)", "momentum * var", about="detail",
            also=[("add_(x.var(0).detach(), alpha=momentum)", "add_(var.detach(), alpha=momentum)"),
                  ("/ (len(x) - 1)", "/ len(x)")],
            hint="running_var gets the batch's biased variance. It is an estimate for other data, "
            "so it gets the unbiased one: times n/(n − 1).",
        ),
        "running_var_corrected_the_wrong_way": edit(
            "var * n / (n - 1)", "var * (n - 1) / n", about="detail",
            hint="From biased to unbiased the factor is n/(n − 1), which is more than 1; you have "
            "its inverse.",
        ),
        "momentum_of_the_old": edit(
            UPDATE_MEAN, "running_mean.copy_(momentum * running_mean + (1 - momentum) * mean)",
            (UPDATE_VAR, "running_var.copy_(momentum * running_var + (1 - momentum) * var * n / "
             "(n - 1))"),
            about="detail",
            also=[[("running_mean.mul_(1 - momentum).add_(mean.detach(), alpha=momentum)",
                    "running_mean.mul_(momentum).add_(mean.detach(), alpha=1 - momentum)"),
                   ("running_var.mul_(1 - momentum).add_(x.var(0).detach(), alpha=momentum)",
                    "running_var.mul_(momentum).add_(x.var(0).detach(), alpha=1 - momentum)")]],
            hint="Your momentum is the share of the *old* value, as other libraries have it. In "
            "torch's dialect it is the share of the new one.",
        ),
        "momentum_always_a_tenth": edit(
            UPDATE_MEAN, "running_mean.copy_(0.9 * running_mean + 0.1 * mean)",
            (UPDATE_VAR, "running_var.copy_(0.9 * running_var + 0.1 * var * n / (n - 1))"),
            about="detail",
            hint="The shares 0.9 and 0.1 are written into your update, so the argument momentum is "
            "never used.",
        ),
        "running_mean_of_one_batch": edit(
            UPDATE_MEAN, "running_mean.copy_(mean)",
            (UPDATE_VAR, "running_var.copy_(var * n / (n - 1))"),
            hint="The running statistics are those of the last batch alone. They are averages: "
            "(1 − α)·old + α·new.",
        ),
        "running_statistics_summed": edit(
            UPDATE_MEAN, "running_mean.add_(momentum * mean)",
            (UPDATE_VAR, "running_var.add_(momentum * var * n / (n - 1))"),
            also=[[("running_mean.mul_(1 - momentum).add_(", "running_mean.add_("),
                   ("running_var.mul_(1 - momentum).add_(", "running_var.add_(")]],
            hint="The old value is kept whole, so the statistics grow from batch to batch. It has "
            "the weight 1 − α.",
        ),
        "running_statistics_renamed": edit(
            UPDATE_MEAN, "running_mean = (1 - momentum) * running_mean + momentum * mean",
            (UPDATE_VAR,
             "running_var = (1 - momentum) * running_var + momentum * var * n / (n - 1)"),
            hint="running_mean = … gives a new tensor the old name; the caller's tensor never "
            "changes. Fill it in place: running_mean.copy_(…).",
        ),
        "running_mean_forgotten": edit(
            "            " + UPDATE_MEAN + "\n", "",
            also=[("        running_mean.lerp_(mean.detach(), momentum)\n", "")],
            hint="running_mean is never updated, so evaluation subtracts what it was at the start.",
        ),
        "running_var_forgotten": edit(
            "            " + UPDATE_VAR + "\n", "", about="detail",
            also=[("        running_var.lerp_(unbiased.detach(), momentum)\n", "")],
            hint="running_var is never updated, so evaluation divides by what it was at the start.",
        ),
        "running_var_holds_deviation": edit(
            "momentum * var * n / (n - 1))", "momentum * (var * n / (n - 1)).sqrt())",
            about="detail",
            hint="running_var holds standard deviations in yours; it is a variance.",
        ),
        "running_deviation": edit(
            UPDATE_VAR, UPDATE_VAR.replace("var * n / (n - 1)", "torch.sqrt(var)"),
            (OTHERWISE, "    else:\n        mean, var = running_mean, running_var**2\n"),
            also=[[(UPDATE_VAR, UPDATE_VAR.replace("var * n / (n - 1)", "torch.sqrt(var + eps)")),
                   (OTHERWISE,
                    "    else:\n        mean, var = running_mean, running_var**2 - eps\n")]],
            hint="You keep an average of standard deviations and divide by it at evaluation. What "
            "is remembered in running_var is the variance; the root is taken when dividing.",
        ),
        "running_deviation_without_eps": edit(
            UPDATE_VAR, UPDATE_VAR.replace("var * n / (n - 1)", "torch.sqrt(var)"),
            (OTHERWISE + "    x_hat = (x - mean) / torch.sqrt(var + eps)\n",
             "    else:\n        mean, var = running_mean, running_var**2\n"
             "    x_hat = (x - mean) / torch.sqrt(var)\n"),
            hint="You divide by standard deviations without eps, and keep an average of them for "
            "evaluation. What is remembered in running_var is the variance; eps is added to it, "
            "and then the root is taken.",
        ),
        "root_forgotten_at_evaluation": edit(
            OTHERWISE,
            "    else:\n        mean, var = running_mean, (running_var + eps) ** 2 - eps\n",
            also=[("* torch.rsqrt(running_var + eps)", "/ (running_var + eps)")],
            hint="At evaluation you divide by the running variance itself. Formula (1) divides by "
            "its root there, too.",
        ),
        "training_ignored": edit(
            "    if training:\n        n = len(x)", "    if True:\n        n = len(x)",
            also=[("    if not training:\n        return (x - running_mean)",
                   "    if False:\n        return (x - running_mean)")],
            hint="training is not looked at: at evaluation the batch still normalizes itself, and "
            "the running statistics move.",
        ),
        "batch_statistics_at_evaluation": edit(
            "        mean, var = running_mean, running_var\n",
            "        mean, var = x.mean(dim=0), x.var(dim=0, unbiased=False)\n",
            hint="At evaluation you normalize with the batch's own statistics, so an example's "
            "output depends on its neighbours. Use the running ones.",
        ),
        "training_turned_round": edit(
            "    if training:\n        n = len(x)", "    if not training:\n        n = len(x)",
            hint="The switch is turned round: your batch statistics work at evaluation, and the "
            "running ones in training.",
        ),
        "running_statistics_in_training": edit(
            OTHERWISE, "    mean, var = running_mean, running_var\n",
            hint="In training, too, you normalize with the running statistics. There the batch's "
            "own mean and variance do it.",
        ),
        "over_the_features": edit(
            "mean = x.mean(dim=0)\n        " + BATCH_VAR,
            "mean = x.mean(dim=1, keepdim=True)\n"
            "        var = ((x - mean) ** 2).mean(dim=1, keepdim=True)",
            hint="You take mean and variance over the features of each example: that is layer "
            "norm. Here they go over the rows, dim=0.",
        ),
        "over_the_whole_batch": edit(
            "mean = x.mean(dim=0)\n        " + BATCH_VAR,
            "mean = x.mean()\n        var = ((x - mean) ** 2).mean()",
            also=[[("mean = x.mean(0)\n", "mean = x.mean()\n"),
                   ("var = x.var(0, unbiased=False)", "var = x.var(unbiased=False)")]],
            hint="One mean and one variance are taken for the whole batch. Each column has its "
            "own: dim=0.",
        ),
        "variance_without_mean": edit(
            BATCH_VAR, "var = (x**2).mean(dim=0)",
            hint="That is the mean of x². A variance is the mean of (x − μ)².",
        ),
        "variance_not_averaged": edit(
            BATCH_VAR, "var = ((x - mean) ** 2).sum(dim=0)",
            hint="The squares are added and not divided by n.",
        ),
        "root_forgotten": edit(
            "torch.sqrt(var + eps)", "(var + eps)",
            hint="You divide by the variance; the standard deviation, its root, belongs there.",
        ),
        "mean_not_subtracted": edit(
            "x_hat = (x - mean) /", "x_hat = x /",
            hint="The mean is not subtracted: x̂ = (x − μ)/√(σ² + ε).",
        ),
        "eps_outside_the_root": edit(
            "torch.sqrt(var + eps)", "(torch.sqrt(var) + eps)", about="detail",
            hint="eps is added to the standard deviation. It belongs inside of the root, to the "
            "variance.",
        ),
        "eps_forgotten": edit(
            "torch.sqrt(var + eps)", "torch.sqrt(var)", about="detail",
            hint="eps is missing: a column without variance would be divided by 0.",
        ),
        "eps_wired": edit(
            "torch.sqrt(var + eps)", "torch.sqrt(var + 1e-5)", about="detail",
            hint="1e-5 is wired into your function: use the argument eps.",
        ),
        "eps_in_training_only": edit(
            OTHERWISE, "    else:\n        mean, var = running_mean, running_var - eps\n",
            about="detail",
            hint="At evaluation eps is missing; formula (1) holds there, too.",
        ),
        "eps_squared": edit(
            "torch.sqrt(var + eps)", "torch.sqrt(var + eps**2)", about="detail",
            hint="eps is squared in yours; it is added to the variance as it is.",
        ),
        "eps_remembered": edit(
            UPDATE_VAR, UPDATE_VAR.replace("* var *", "* (var + eps) *"), about="detail",
            hint="running_var holds the variance plus eps. eps is added when dividing, and only "
            "then.",
        ),
        "weight_forgotten": edit(
            "return weight * x_hat + bias", "return x_hat + bias", about="detail",
            hint="γ is missing: y = γ·x̂ + β.",
        ),
        "bias_forgotten": edit(
            "return weight * x_hat + bias", "return weight * x_hat", about="detail",
            also=[[("(running_var + eps) * weight + bias", "(running_var + eps) * weight"),
                   ("rsqrt(var + eps) * weight + bias", "rsqrt(var + eps) * weight")],
                  ("return bias + weight *", "return weight *")],
            hint="β is missing: y = γ·x̂ + β.",
        ),
        "bias_scaled": edit(
            "return weight * x_hat + bias", "return weight * (x_hat + bias)", about="detail",
            hint="β is added before the multiplication, so it is scaled by γ. First γ·x̂, then + β.",
        ),
        "bias_subtracted": edit(
            "return weight * x_hat + bias", "return weight * x_hat - bias", about="detail",
            hint="β is subtracted; y = γ·x̂ + β.",
        ),
        "weight_and_bias_in_training_only": edit(
            OTHERWISE,
            "    else:\n        return (x - running_mean) / torch.sqrt(running_var + eps)\n",
            about="detail",
            hint="At evaluation γ and β are missing; they belong to both.",
        ),
        "one_row_accepted": edit(
            ONE_ROW, "", about="edge",
            also=[('    if x.shape[0] < 2:\n        raise ValueError("one row has no variance")\n',
                   ""),
                  ('        if len(x) == 1:\n            raise ValueError("batch norm cannot train '
                   'on one row")\n', "")],
            hint="A batch of one row is accepted in training: x̂ is 0 whatever x is, and "
            "running_var becomes NaN. Raise a ValueError.",
        ),
        "one_row_refused_always": edit(
            "    if training:\n        n = len(x)\n" + ONE_ROW,
            "    n = len(x)\n" + ONE_ROW.replace("            raise", "        raise").replace(
                "        if", "    if") + "    if training:\n", about="edge",
            hint="A single row is refused at evaluation, too. There the running statistics "
            "normalize, and one row is fine.",
        ),
        "one_row_asserted": edit(
            ONE_ROW, "        assert n > 1, 'more than one row is needed'\n", about="edge",
            hint="An assertion raises an AssertionError (and vanishes under python -O). A bad "
            "argument is a ValueError: raise it.",
        ),
        "graph_kept": edit(
            "with torch.no_grad():", "if True:", about="detail",
            also=[[("add_(mean.detach(), alpha=momentum)", "add_(mean, alpha=momentum)"),
                   ("add_(x.var(0).detach(), alpha=momentum)", "add_(x.var(0), alpha=momentum)")],
                  [("lerp_(mean.detach(), momentum)", "lerp_(mean, momentum)"),
                   ("lerp_(unbiased.detach(), momentum)", "lerp_(unbiased, momentum)")]],
            hint="The running statistics are part of the graph, so every batch's graph is kept. "
            "Update them inside of torch.no_grad(), or detach.",
        ),
        "statistics_detached": edit(
            "mean = x.mean(dim=0)\n        " + BATCH_VAR,
            "mean = x.mean(dim=0).detach()\n        var = ((x - mean) ** 2).mean(dim=0).detach()",
            about="detail",
            hint="μ and σ² are detached, so the backward pass takes them for constants. They "
            "depend on x, and gradients flow through them.",
        ),
        "variance_detached": edit(
            BATCH_VAR, BATCH_VAR + ".detach()", about="detail",
            hint="σ² is detached, so the backward pass takes it for a constant.",
        ),
        "no_gradients_at_all": edit(
            "    x_hat = (x - mean) / torch.sqrt(var + eps)\n    return weight * x_hat + bias",
            "    with torch.no_grad():\n"
            "        x_hat = (x - mean) / torch.sqrt(var + eps)\n"
            "        return weight * x_hat + bias", about="detail",
            hint="The output is computed inside of torch.no_grad(), so nothing before the layer "
            "can learn. Only the running statistics go in there.",
        ),
        "statistics_move_at_evaluation": edit(
            OTHERWISE,
            "    else:\n        mean, var = running_mean.clone(), running_var\n"
            "        running_mean.copy_((1 - momentum) * running_mean + momentum * "
            "x.mean(dim=0))\n", about="detail",
            hint="At evaluation running_mean moves, too. What is evaluated must leave no trace.",
        ),
        "x_changed": edit(
            "x_hat = (x - mean) / torch.sqrt(var + eps)",
            "x_hat = x.sub_(mean).div_(torch.sqrt(var + eps))", about="arguments",
            hint="The caller's x is changed: sub_, div_, −= and /= write into the tensor that they "
            "are given. Make a new one.",
        ),
        "constant_on_the_cpu": edit(
            "torch.sqrt(var + eps)",
            "torch.sqrt(var + torch.full((x.shape[1],), eps, dtype=x.dtype))", about="form",
            hint="torch.full without device= makes a tensor on the CPU, and on a GPU the sum "
            "fails. A plain number fits everywhere.",
        ),
    },
    "break_it": {
        "just_a_quarter": edit(
            SMALL_BATCH, "torch.tensor([[0.0], [1.0], [3.0], [2.0], [7.0]])", cost=HALF,
            hint="With 5 rows the difference is exactly a quarter of the biased variance. More "
            "than a quarter was asked for.",
        ),
        "large_numbers": edit(
            SMALL_BATCH, "1000.0 * torch.arange(24.0).reshape(12, 2) ** 2", cost=HALF,
            hint="Large numbers make both variances large; their ratio n/(n − 1) depends on the "
            "number of rows alone.",
        ),
        "column_without_variance": edit(
            SMALL_BATCH, "torch.tensor([[0.0, 1.0], [1.0, 1.0], [3.0, 1.0]])", cost=HALF,
            hint="One of your columns has no variance at all: 0 and 0 do not differ. *Every* "
            "column was asked for.",
        ),
        "single_row": edit(
            SMALL_BATCH, "torch.tensor([[0.0, 1.0]])", cost=HALF,
            hint="One row has no unbiased variance, and training refuses it: take two at least.",
        ),
        "exactly_a_hundredth": edit(
            LARGE_BATCH, "torch.arange(202.0).reshape(101, 2)", cost=HALF,
            hint="With 101 rows the difference is exactly a hundredth: 1/(n − 1) with n − 1 = 100.",
        ),
        "hundred_rows": edit(
            LARGE_BATCH, "torch.arange(200.0).reshape(100, 2)", cost=HALF,
            hint="With 100 rows the difference is 1/99, a little more than a hundredth.",
        ),
        "many_columns": edit(
            LARGE_BATCH, "torch.arange(256.0).reshape(2, 128) ** 2", cost=HALF,
            hint="Many columns do not help: what counts is the number of rows.",
        ),
        "all_equal": edit(
            LARGE_BATCH, "torch.ones(200, 2)", cost=HALF,
            hint="Your columns have no variance at all, so there is nothing to compare: 0 < … was "
            "asked for.",
        ),
    },
    "BatchNorm1d": {
        "running_statistics_as_attributes": edit(
            MEAN_BUFFER, "self.running_mean = torch.zeros(num_features)",
            (VAR_BUFFER, "self.running_var = torch.ones(num_features)"),
            hint="running_mean and running_var are plain attributes: they are not saved, and they "
            "stay behind when the model moves to a GPU. Register them as buffers.",
        ),
        "statistics_and_counter_as_attributes": edit(
            MEAN_BUFFER, "self.running_mean = torch.zeros(num_features)",
            (VAR_BUFFER, "self.running_var = torch.ones(num_features)"),
            (COUNTER, "self.num_batches_tracked = torch.tensor(0)"),
            hint="running_mean, running_var and num_batches_tracked are plain tensors: they are "
            "not saved, and they stay behind when the model moves to a GPU. Register all three as "
            "buffers.",
        ),
        "plain_tensors_only": edit(
            MEAN_BUFFER, "self.running_mean = torch.zeros(num_features)",
            (VAR_BUFFER, "self.running_var = torch.ones(num_features)"),
            (COUNTER, "self.num_batches_tracked = 0"),
            ("self.weight = torch.nn.Parameter(torch.ones(num_features))",
             "self.weight = torch.ones(num_features)"),
            ("self.bias = torch.nn.Parameter(torch.zeros(num_features))",
             "self.bias = torch.zeros(num_features)"),
            hint="All that the layer keeps are plain tensors: nothing is trained, saved, or moved "
            "with the model. What is learnt is a Parameter, what is only remembered a buffer.",
        ),
        "named_as_in_a_textbook": edit(
            "self.weight = torch.nn.Parameter", "self.gamma = torch.nn.Parameter",
            ("self.bias = torch.nn.Parameter", "self.beta = torch.nn.Parameter"),
            ("x, self.weight, self.bias,", "x, self.gamma, self.beta,"),
            (MEAN_BUFFER, "self.moving_mean = torch.zeros(num_features)"),
            (VAR_BUFFER, "self.moving_var = torch.ones(num_features)"),
            ("self.running_mean, self.running_var,", "self.moving_mean, self.moving_var,"),
            ("        " + COUNTER + "\n", ""),
            ("        if self.training:\n            self.num_batches_tracked += 1\n", ""),
            hint="Two things at once: your parameters are not called weight and bias, as torch's "
            "are, and the running statistics are plain tensors. torch's are buffers, running_mean, "
            "running_var and num_batches_tracked; only what is registered is saved, and names "
            "decide what is loaded.",
        ),
        "running_statistics_as_parameters": edit(
            MEAN_BUFFER, "self.running_mean = torch.nn.Parameter(torch.zeros(num_features))",
            (VAR_BUFFER, "self.running_var = torch.nn.Parameter(torch.ones(num_features))"),
            about="detail",
            hint="The running statistics are parameters, so an optimizer would train them. They "
            "are remembered, not learnt: buffers.",
        ),
        "running_statistics_as_frozen_parameters": edit(
            MEAN_BUFFER,
            "self.running_mean = torch.nn.Parameter(torch.zeros(num_features), False)",
            (VAR_BUFFER,
             "self.running_var = torch.nn.Parameter(torch.ones(num_features), False)"),
            about="detail",
            hint="The running statistics are parameters without a gradient. They are still in "
            "layer.parameters(), which optimizers are given; what is only remembered is a buffer.",
        ),
        "buffers_not_saved": edit(
            MEAN_BUFFER,
            'self.register_buffer("running_mean", torch.zeros(num_features), persistent=False)',
            (VAR_BUFFER,
             'self.register_buffer("running_var", torch.ones(num_features), persistent=False)'),
            hint="persistent=False keeps the buffers out of state_dict: after loading, the running "
            "statistics are lost.",
        ),
        "weight_and_bias_as_tensors": edit(
            "self.weight = torch.nn.Parameter(torch.ones(num_features))",
            "self.weight = torch.ones(num_features)",
            ("self.bias = torch.nn.Parameter(torch.zeros(num_features))",
             "self.bias = torch.zeros(num_features)"),
            hint="weight and bias are plain tensors: no optimizer finds them, and they are not "
            "saved. Make them torch.nn.Parameter.",
        ),
        "weight_and_bias_as_buffers": edit(
            "self.weight = torch.nn.Parameter(torch.ones(num_features))",
            'self.register_buffer("weight", torch.ones(num_features))',
            ("self.bias = torch.nn.Parameter(torch.zeros(num_features))",
             'self.register_buffer("bias", torch.zeros(num_features))'),
            hint="weight and bias are buffers, which no optimizer trains. They are learnt: "
            "parameters.",
        ),
        "named_gamma_and_beta": edit(
            "self.weight = torch.nn.Parameter", "self.gamma = torch.nn.Parameter",
            ("self.bias = torch.nn.Parameter", "self.beta = torch.nn.Parameter"),
            ("x, self.weight, self.bias,", "x, self.gamma, self.beta,"),
            hint="Your parameters are called gamma and beta. In torch's state_dict they are weight "
            "and bias, and names decide what is loaded.",
        ),
        "named_moving": edit(
            '"running_mean"', '"moving_mean"', ('"running_var"', '"moving_var"'),
            ("self.running_mean, self.running_var,", "self.moving_mean, self.moving_var,"),
            hint="Your buffers are called moving_mean and moving_var; torch's are running_mean and "
            "running_var, and names decide what is loaded.",
        ),
        "no_counter": edit(
            "        " + COUNTER + "\n", "",
            ("        if self.training:\n            self.num_batches_tracked += 1\n", ""),
            also=[(COUNTER, "self.num_batches_tracked = 0")],
            hint="num_batches_tracked is not in your state_dict, so torch's does not fit in. A "
            "plain number is not saved either: register a buffer.",
        ),
        "never_counted": edit(
            "        if self.training:\n            self.num_batches_tracked += 1\n", "",
            about="detail",
            hint="num_batches_tracked stays 0: count every batch of training.",
        ),
        "counted_at_evaluation": edit(
            "        if self.training:\n            self.num_batches_tracked += 1\n",
            "        self.num_batches_tracked += 1\n", about="detail",
            hint="Batches of evaluation are counted, too; count those of training only.",
        ),
        "examples_counted": edit(
            "self.num_batches_tracked += 1", "self.num_batches_tracked += len(x)", about="detail",
            hint="You count examples; num_batches_tracked counts batches.",
        ),
        "counter_with_an_axis": edit(
            "torch.tensor(0)", "torch.zeros(1, dtype=torch.long)", about="form",
            also=[("torch.zeros((), dtype=torch.long)", "torch.zeros(1, dtype=torch.long)")],
            hint="num_batches_tracked has the shape (1,) in yours; torch's has no axes, and a "
            "load would fail.",
        ),
        "counter_is_a_float": edit(
            "torch.tensor(0)", "torch.tensor(0.0)", about="form",
            also=[("torch.zeros((), dtype=torch.long)", "torch.zeros(())")],
            hint="num_batches_tracked is a float; it counts, so it is an int64.",
        ),
        "variance_begins_at_zero": edit(
            "torch.ones(num_features))\n        self.register_buffer(\"num",
            "torch.zeros(num_features))\n        self.register_buffer(\"num", about="detail",
            hint="running_var begins at 0; before any data it is 1, so that evaluation changes "
            "nothing.",
        ),
        "mean_begins_at_one": edit(
            MEAN_BUFFER, MEAN_BUFFER.replace("zeros", "ones"), about="detail",
            hint="running_mean begins at 1; before any data it is 0.",
        ),
        "weight_begins_at_zero": edit(
            "self.weight = torch.nn.Parameter(torch.ones(num_features))",
            "self.weight = torch.nn.Parameter(torch.zeros(num_features))", about="detail",
            hint="γ begins at 0, so the layer's output is 0 and nothing before it gets a gradient. "
            "It begins at 1.",
        ),
        "weight_begins_random": edit(
            "self.weight = torch.nn.Parameter(torch.ones(num_features))",
            "self.weight = torch.nn.Parameter(torch.rand(num_features))", about="detail",
            hint="γ begins with random numbers. The layer begins as a plain normalization: γ = 1.",
        ),
        "bias_begins_at_one": edit(
            "self.bias = torch.nn.Parameter(torch.zeros(num_features))",
            "self.bias = torch.nn.Parameter(torch.ones(num_features))", about="detail",
            hint="β begins at 1; it begins at 0.",
        ),
        "always_training": edit(
            "self.training, self.momentum", "True, self.momentum",
            also=[[("self.eps = eps\n", "self.eps = eps\n        self.mode = self.training\n"),
                   ("self.training, self.momentum", "self.mode, self.momentum")]],
            hint="After eval() the batch still normalizes itself. Hand on self.training, and read "
            "it in forward: in __init__ it is always True.",
        ),
        "always_evaluating": edit(
            "self.training, self.momentum", "False, self.momentum",
            hint="False is handed on as training, so the batch never normalizes and nothing is "
            "remembered. Hand on self.training.",
        ),
        "mode_turned_round": edit(
            "self.training, self.momentum", "not self.training, self.momentum",
            hint="The switch is turned round: after train() the running statistics normalize, "
            "after eval() the batch.",
        ),
        "options_not_handed_on": edit(
            "self.training, self.momentum, self.eps,", "self.training,", about="detail",
            hint="eps and momentum are not handed on, so the defaults are used whatever the layer "
            "was made with.",
        ),
        "eps_not_handed_on": edit(
            "self.momentum, self.eps,", "self.momentum,", about="detail",
            hint="eps is not handed on, so 1e-5 is used whatever the layer was made with.",
        ),
        "momentum_not_handed_on": edit(
            "self.training, self.momentum, self.eps,", "self.training, eps=self.eps,",
            about="detail",
            hint="momentum is not handed on, so 0.1 is used whatever the layer was made with.",
        ),
        "options_exchanged": edit(
            "self.training, self.momentum, self.eps,", "self.training, self.eps, self.momentum,",
            hint="eps and momentum are handed on in the wrong order: your running statistics "
            "hardly move, and eps is far too large.",
        ),
    },
    "norm_slopes": {
        "mean_slope_one": edit(
            "return 1 / n\n", "return 1 + 0 / n\n", cost=QUARTER,
            hint="Moving one of n numbers moves their mean by a share only.",
        ),
        "mean_slope_negative": edit(
            "return 1 / n\n", "return -1 / n\n", cost=QUARTER,
            hint="The sign is wrong: if x_k grows, so does the mean. The minus comes in step 13.",
        ),
        "mean_slope_unbiased": edit(
            "return 1 / n\n", "return 1 / (n - 1)\n", cost=QUARTER,
            hint="n − 1 belongs to the unbiased variance; the mean is over n.",
        ),
        "scale_slope_with_two": edit(
            "return xhat_k / n\n", "return 2 * xhat_k / n\n", cost=QUARTER,
            hint="The root has the slope 1/(2s), and its 2 takes away the 2 of the square.",
        ),
        "scale_slope_halved": edit(
            "return xhat_k / n\n", "return xhat_k / (2 * n)\n", cost=QUARTER,
            hint="The 2 of the root is there, but the 2 of the square is missing: they cancel.",
        ),
        "scale_slope_without_n": edit(
            "return xhat_k / n\n", "return xhat_k\n", cost=QUARTER,
            hint="The 1/n of the variance is missing.",
        ),
        "scale_slope_unbiased": edit(
            "return xhat_k / n\n", "return xhat_k / (n - 1)\n", cost=QUARTER,
            hint="n − 1 belongs to the unbiased variance; the layer uses the biased one.",
        ),
        "scale_slope_squared": edit(
            "return xhat_k / n\n", "return xhat_k**2 / n\n", cost=QUARTER,
            hint="∂σ²/∂x_k holds x_k − μ once, so x̂_k comes once, too.",
        ),
        "same_statistics_constant": edit(
            "(1 - 1 / n - xhat_k**2 / n) / s", "1 / s", cost=QUARTER,
            also=[("(n - 1 - xhat_k**2) / (n * s)", "1 / s")],
            hint="You have taken μ and s for constants. Moving x_k moves them, too.",
        ),
        "same_scale_constant": edit(
            "(1 - 1 / n - xhat_k**2 / n) / s", "(1 - 1 / n) / s", cost=QUARTER,
            also=[("(n - 1 - xhat_k**2) / (n * s)", "(n - 1) / (n * s)")],
            hint="You have taken s for a constant: the last term of the quotient rule is missing.",
        ),
        "same_mean_constant": edit(
            "(1 - 1 / n - xhat_k**2 / n) / s", "(1 - xhat_k**2 / n) / s", cost=QUARTER,
            also=[("(n - 1 - xhat_k**2) / (n * s)", "(n - xhat_k**2) / (n * s)")],
            hint="You have taken μ for a constant: −1/n is missing.",
        ),
        "same_scale_term_added": edit(
            "(1 - 1 / n - xhat_k**2 / n) / s", "(1 - 1 / n + xhat_k**2 / n) / s", cost=QUARTER,
            also=[("(n - 1 - xhat_k**2) / (n * s)", "(n - 1 + xhat_k**2) / (n * s)")],
            hint="The last term of the quotient rule is subtracted.",
        ),
        "same_not_divided": edit(
            "(1 - 1 / n - xhat_k**2 / n) / s", "1 - 1 / n - xhat_k**2 / n", cost=QUARTER,
            hint="The 1/s is missing: x̂ = (x − μ)/s.",
        ),
        "same_scale_term_not_divided": edit(
            "(1 - 1 / n - xhat_k**2 / n) / s", "(1 - 1 / n) / s - xhat_k**2 / n", cost=QUARTER,
            hint="The last term of the quotient rule has a 1/s, too.",
        ),
        "other_is_zero": edit(
            "(-1 / n - xhat_i * xhat_k / n) / s", "0 * s", cost=QUARTER,
            hint="Another number's x̂_i does move: x_k is part of its mean and of its scale.",
        ),
        "other_with_one": edit(
            "(-1 / n - xhat_i * xhat_k / n) / s", "(1 - 1 / n - xhat_i * xhat_k / n) / s",
            cost=QUARTER,
            hint="The 1 is ∂x_i/∂x_k, which is 0 for i ≠ k.",
        ),
        "other_scale_constant": edit(
            "(-1 / n - xhat_i * xhat_k / n) / s", "-1 / n / s", cost=QUARTER,
            also=[("-(1 + xhat_i * xhat_k) / (n * s)", "-1 / (n * s)")],
            hint="You have taken s for a constant: the last term of the quotient rule is missing.",
        ),
        "other_mean_constant": edit(
            "(-1 / n - xhat_i * xhat_k / n) / s", "-xhat_i * xhat_k / n / s", cost=QUARTER,
            also=[("-(1 + xhat_i * xhat_k) / (n * s)", "-xhat_i * xhat_k / (n * s)")],
            hint="You have taken μ for a constant: −1/n is missing.",
        ),
        "other_sign": edit(
            "(-1 / n - xhat_i * xhat_k / n) / s", "(1 / n + xhat_i * xhat_k / n) / s",
            cost=QUARTER,
            hint="The sign is wrong: both terms are subtracted in the quotient rule.",
        ),
        "other_with_one_square": edit(
            "xhat_i * xhat_k / n) / s", "xhat_k**2 / n) / s", cost=QUARTER,
            hint="The last term has x̂_i from the quotient rule and x̂_k from ∂s/∂x_k; you have the "
            "same one twice.",
        ),
    },
    "batch_norm_backward": {
        "statistics_as_constants": edit(
            GRAD_X, "grad_x = g / s",
            hint="You have taken mean and variance for constants. Moving x_k moves both, and with "
            "them every row: two terms are missing.",
        ),
        "mean_as_constant": edit(
            "(g - g.mean(dim=0) - x_hat", "(g - x_hat",
            hint="The term of the mean is missing: minus the mean of g over the rows.",
        ),
        "variance_as_constant": edit(
            "g - g.mean(dim=0) - x_hat * (g * x_hat).mean(dim=0)", "g - g.mean(dim=0)",
            hint="The term of the variance is missing: minus x̂ times the mean of g·x̂.",
        ),
        "sums_for_means": edit(
            "g - g.mean(dim=0) - x_hat * (g * x_hat).mean(dim=0)",
            "g - g.sum(dim=0) - x_hat * (g * x_hat).sum(dim=0)",
            hint="The two last terms are sums over the rows; with the 1/n of step 13 they are "
            "means.",
        ),
        "divided_by_the_features": edit(
            "g - g.mean(dim=0) - x_hat * (g * x_hat).mean(dim=0)",
            "g - g.sum(dim=0) / x.shape[1] - x_hat * (g * x_hat).sum(dim=0) / x.shape[1]",
            hint="The sums over the rows are divided by the number of features. They become means "
            "over the rows, so divide by n, the number of rows.",
        ),
        "mean_term_not_divided": edit(
            "(g - g.mean(dim=0) - x_hat", "(g - g.sum(dim=0) - x_hat",
            also=[("+ d_mean / n", "+ d_mean")],
            hint="The term of the mean is a sum over the rows. One row has the share 1/n in μ, so "
            "it is to be divided by n.",
        ),
        "variance_term_not_divided": edit(
            "- x_hat * (g * x_hat).mean(dim=0)", "- x_hat * (g * x_hat).sum(dim=0)",
            also=[("d_var * 2 * centred / n", "d_var * 2 * centred")],
            hint="The term of the variance is a sum over the rows. One row has the share 1/n in "
            "σ², so it is to be divided by n.",
        ),
        "variance_term_halved": edit(
            "- x_hat * (g * x_hat).mean(dim=0)", "- x_hat * (g * x_hat).mean(dim=0) / 2",
            also=[("d_var * 2 * centred", "d_var * centred")],
            hint="The term of the variance is half of what it should be: the root has a ½, and the "
            "2 of the square takes it away.",
        ),
        "variance_term_doubled": edit(
            "- x_hat * (g * x_hat).mean(dim=0)", "- x_hat * (g * x_hat).mean(dim=0) * 2",
            also=[("* -0.5 * inverse**3", "* -inverse**3")],
            hint="The term of the variance is twice what it should be: the square has a 2, and the "
            "½ of the root takes it away.",
        ),
        "terms_added": edit(
            "g - g.mean(dim=0) - x_hat * (g * x_hat).mean(dim=0)",
            "g + g.mean(dim=0) + x_hat * (g * x_hat).mean(dim=0)",
            hint="Both terms of the statistics are subtracted: they are −1/n and −x̂_i·x̂_k/n.",
        ),
        "x_for_x_hat": edit(
            "- x_hat * (g * x_hat).mean(dim=0)", "- x * (g * x).mean(dim=0)",
            hint="x stands where the normalized x̂ belongs.",
        ),
        "x_hat_outside_forgotten": edit(
            "- x_hat * (g * x_hat).mean(dim=0)", "- (g * x_hat).mean(dim=0)",
            hint="The mean of g·x̂ is multiplied by x̂_k: that factor is missing.",
        ),
        "x_hat_inside_forgotten": edit(
            "- x_hat * (g * x_hat).mean(dim=0)", "- x_hat * g.mean(dim=0)",
            hint="The second mean is that of g·x̂, not of g.",
        ),
        "scale_forgotten": edit(
            "(g * x_hat).mean(dim=0)) / s", "(g * x_hat).mean(dim=0))",
            hint="The 1/s is missing: both slopes of step 13 have it.",
        ),
        "scale_squared": edit(
            "(g * x_hat).mean(dim=0)) / s", "(g * x_hat).mean(dim=0)) / s**2",
            hint="You divide by the variance; s is its root.",
        ),
        "scale_multiplied": edit(
            "(g * x_hat).mean(dim=0)) / s", "(g * x_hat).mean(dim=0)) * s",
            hint="You multiply by s; the slopes of step 13 are divided by it.",
        ),
        "weight_ignored": edit(
            "g = upstream * weight", "g = upstream",
            hint="γ is missing: upstream reaches x̂ with the factor γ.",
        ),
        "divided_by_weight": edit(
            "g = upstream * weight", "g = upstream / weight",
            hint="You divide by γ; y = γ·x̂ + β has the slope γ in x̂.",
        ),
        "unbiased_variance_backward": edit(
            BATCH_VAR, "var = x.var(dim=0)",
            also=[("var = x.var(0, unbiased=False)", "var = x.var(0)"),
                  [(BATCH_VAR, "var = x.var(dim=0)"),
                   ("(g * x_hat).mean(dim=0)", "(g * x_hat).sum(dim=0) / (len(x) - 1)")]],
            hint="You use the unbiased variance, which x.var gives by default. The layer "
            "normalizes with the biased one.",
        ),
        "over_the_features_backward": edit(
            GRAD_X,
            "grad_x = (g - g.mean(dim=1, keepdim=True)\n"
            "              - x_hat * (g * x_hat).mean(dim=1, keepdim=True)) / s",
            hint="Your means go over the features. In batch norm the rows belong together: dim=0.",
        ),
        "eps_forgotten_backward": edit(
            "s = torch.sqrt(var + eps)", "s = torch.sqrt(var)", about="detail",
            hint="eps is missing in s = √(σ² + ε).",
        ),
        "eps_wired_backward": edit(
            "s = torch.sqrt(var + eps)", "s = torch.sqrt(var + 1e-5)", about="detail",
            hint="1e-5 is wired into your function: use the argument eps.",
        ),
        "eps_outside_backward": edit(
            "s = torch.sqrt(var + eps)", "s = torch.sqrt(var) + eps", about="detail",
            hint="eps is added to the standard deviation. It belongs inside of the root.",
        ),
        "weight_gradient_averaged": edit(
            "(upstream * x_hat).sum(dim=0)", "(upstream * x_hat).mean(dim=0)", about="detail",
            hint="The gradient of γ is averaged over the rows. All rows share γ, so their "
            "contributions are added.",
        ),
        "weight_gradient_of_x": edit(
            "(upstream * x_hat).sum(dim=0)", "(upstream * x).sum(dim=0)", about="detail",
            hint="γ multiplies x̂, not x: the gradient of γ holds x̂.",
        ),
        "weight_gradient_without_x_hat": edit(
            "(upstream * x_hat).sum(dim=0)", "upstream.sum(dim=0) * 1", about="detail",
            hint="That is the gradient of β. γ multiplies x̂, which is missing.",
        ),
        "weight_gradient_with_weight": edit(
            "(upstream * x_hat).sum(dim=0)", "(g * x_hat).sum(dim=0)", about="detail",
            hint="The gradient of γ has no factor γ: take upstream, not g.",
        ),
        "weight_gradient_not_summed": edit(
            "(upstream * x_hat).sum(dim=0)", "upstream * x_hat", about="detail",
            hint="The gradient of γ has a row for every example; γ serves them all, so add the "
            "rows up.",
        ),
        "weight_gradient_over_features": edit(
            "(upstream * x_hat).sum(dim=0)", "(upstream * x_hat).sum(dim=1)", about="detail",
            hint="The gradient of γ is summed over the features. γ has one entry for each feature "
            "and serves all rows: sum over the rows, dim=0.",
        ),
        "bias_gradient_over_features": edit(
            "grad_bias = upstream.sum(dim=0)", "grad_bias = upstream.sum(dim=1)", about="detail",
            hint="The gradient of β is summed over the features. β has one entry for each feature "
            "and serves all rows: sum over the rows, dim=0.",
        ),
        "bias_gradient_averaged": edit(
            "grad_bias = upstream.sum(dim=0)", "grad_bias = upstream.mean(dim=0)", about="detail",
            hint="The gradient of β is averaged over the rows. All rows share β, so their "
            "contributions are added.",
        ),
        "bias_gradient_with_weight": edit(
            "grad_bias = upstream.sum(dim=0)", "grad_bias = g.sum(dim=0)", about="detail",
            hint="γ is in the gradient of β, but β is added after γ has done its work: take "
            "upstream.",
        ),
        "bias_gradient_not_summed": edit(
            "grad_bias = upstream.sum(dim=0)", "grad_bias = upstream", about="detail",
            hint="The gradient of β has a row for every example; β serves them all, so add the "
            "rows up.",
        ),
        "order_of_gradients": edit(
            "return grad_x, grad_weight, grad_bias", "return grad_x, grad_bias, grad_weight",
            about="detail",
            hint="The gradients of weight and bias come back in the wrong order.",
        ),
        "ones_on_the_cpu": edit(
            "g = upstream * weight",
            "g = upstream * weight * torch.ones(x.shape, dtype=x.dtype)", about="form",
            hint="torch.ones without device= makes a tensor on the CPU, and on a GPU the product "
            "fails.",
        ),
    },
    "layer_norm": {
        "over_the_batch": edit(
            "mean = x.mean(dim=-1, keepdim=True)\n    " + ROW_VAR,
            "mean = x.mean(dim=0)\n    var = ((x - mean) ** 2).mean(dim=0)",
            hint="You take mean and variance over the batch: that is batch norm. Here each example "
            "is normalized separately, over its features.",
        ),
        "over_everything": edit(
            "mean = x.mean(dim=-1, keepdim=True)\n    " + ROW_VAR,
            "mean = x.mean()\n    var = ((x - mean) ** 2).mean()",
            hint="One mean and one variance are taken for the whole tensor. Every example has its "
            "own.",
        ),
        "keepdim_forgotten": edit(
            "mean = x.mean(dim=-1, keepdim=True)\n    " + ROW_VAR,
            "mean = x.mean(dim=-1)\n    var = x.var(dim=-1, unbiased=False)",
            also=[[("x.mean(-1).unsqueeze(-1)", "x.mean(-1)"),
                   ("x.var(-1, unbiased=False).unsqueeze(-1)", "x.var(-1, unbiased=False)")]],
            hint="Without keepdim=True the means of the rows lie along the wrong axis when they "
            "are subtracted (and for a square batch nothing complains).",
        ),
        "second_axis_for_the_last": edit(
            "mean = x.mean(dim=-1, keepdim=True)\n    " + ROW_VAR,
            "mean = x.mean(dim=1, keepdim=True)\n"
            "    var = ((x - mean) ** 2).mean(dim=1, keepdim=True)", about="detail",
            hint="dim=1 is the last axis of a matrix only. With more axes in front it is dim=-1.",
        ),
        "all_axes_but_the_first": edit(
            "mean = x.mean(dim=-1, keepdim=True)\n    " + ROW_VAR,
            "axes = tuple(range(1, x.ndim))\n    mean = x.mean(dim=axes, keepdim=True)\n"
            "    var = ((x - mean) ** 2).mean(dim=axes, keepdim=True)", about="detail",
            hint="With three axes you normalize over two of them. Only the last one belongs "
            "together.",
        ),
        "unbiased_rows": edit(
            ROW_VAR, "var = x.var(dim=-1, keepdim=True)",
            also=[("x.var(-1, unbiased=False)", "x.var(-1)")],
            hint="You use the unbiased variance, which x.var gives by default; layers normalize "
            "with the biased one.",
        ),
        "rows_root_forgotten": edit(
            "torch.sqrt(var + eps)", "(var + eps)",
            hint="You divide by the variance; the standard deviation, its root, belongs there.",
        ),
        "rows_variance_not_averaged": edit(
            "((x - mean) ** 2).mean(", "((x - mean) ** 2).sum(",
            hint="You divide by the root of the *sum* of squares. The variance is their mean over "
            "the d features.",
        ),
        "root_mean_square_norm": edit(
            "((x - mean) ** 2).mean(", "(x**2).mean(", ("x_hat = (x - mean) /", "x_hat = x /"),
            hint="The mean is never subtracted, and you divide by the root of the mean square: "
            "that is RMSNorm. Layer norm subtracts the mean first, in both places.",
        ),
        "rows_mean_not_subtracted": edit(
            "x_hat = (x - mean) /", "x_hat = x /",
            hint="The mean is not subtracted: x̂ = (x − μ)/√(σ² + ε). (Without it, it is nearly "
            "what is called RMS norm.)",
        ),
        "rows_eps_outside": edit(
            "torch.sqrt(var + eps)", "(torch.sqrt(var) + eps)", about="detail",
            hint="eps is added to the standard deviation. It belongs inside of the root.",
        ),
        "rows_eps_wired": edit(
            "torch.sqrt(var + eps)", "torch.sqrt(var + 1e-5)", about="detail",
            hint="1e-5 is wired into your function: use the argument eps.",
        ),
        "rows_eps_squared": edit(
            "torch.sqrt(var + eps)", "torch.sqrt(var + eps**2)", about="detail",
            hint="eps is squared in yours; it is added to the variance as it is.",
        ),
        "rows_eps_forgotten": edit(
            "torch.sqrt(var + eps)", "torch.sqrt(var)", about="detail",
            hint="eps is missing: an example with equal features would be divided by 0.",
        ),
        "rows_weight_forgotten": edit(
            "return weight * x_hat + bias", "return x_hat + bias", about="detail",
            hint="γ is missing: y = γ·x̂ + β.",
        ),
        "rows_bias_forgotten": edit(
            "return weight * x_hat + bias", "return weight * x_hat", about="detail",
            also=[("* weight + bias", "* weight"), ("    out += bias\n", "")],
            hint="β is missing: y = γ·x̂ + β.",
        ),
        "rows_bias_scaled": edit(
            "return weight * x_hat + bias", "return weight * (x_hat + bias)", about="detail",
            hint="β is added before the multiplication, so it is scaled by γ.",
        ),
        "rows_changed": edit(
            "x_hat = (x - mean) / torch.sqrt(var + eps)",
            "x_hat = x.sub_(mean).div_(torch.sqrt(var + eps))", about="arguments",
            hint="The caller's x is changed: sub_, div_, −= and /= write into the tensor that they "
            "are given. Make a new one.",
        ),
        "rows_eps_on_the_cpu": edit(
            "torch.sqrt(var + eps)", "torch.sqrt(var + torch.full((1,), eps, dtype=x.dtype))",
            about="form",
            hint="torch.full without device= makes a tensor on the CPU, and on a GPU the sum "
            "fails.",
        ),
    },
    "layer_norm_backward": {
        "rows_statistics_as_constants": edit(
            ROW_GRAD_X, "grad_x = g / s",
            hint="You have taken mean and variance for constants; two terms are missing.",
        ),
        "rows_mean_as_constant": edit(
            "(g - centre - x_hat * along)", "(g - x_hat * along)",
            hint="The term of the mean is missing: minus the mean of g over the features.",
        ),
        "rows_variance_as_constant": edit(
            "(g - centre - x_hat * along)", "(g - centre)",
            hint="The term of the variance is missing: minus x̂ times the mean of g·x̂.",
        ),
        "rows_sums_for_means": edit(
            "g.mean(dim=-1, keepdim=True)", "g.sum(dim=-1, keepdim=True)",
            ("(g * x_hat).mean(dim=-1, keepdim=True)", "(g * x_hat).sum(dim=-1, keepdim=True)"),
            hint="The two last terms are sums over the features; with the 1/n of step 13 they are "
            "means.",
        ),
        "divided_by_the_rows": edit(
            "g.mean(dim=-1, keepdim=True)", "g.sum(dim=-1, keepdim=True) / len(x)",
            ("(g * x_hat).mean(dim=-1, keepdim=True)",
             "(g * x_hat).sum(dim=-1, keepdim=True) / len(x)"),
            hint="The sums over the features are divided by the number of rows. They become means "
            "over the features, so divide by d, the length of the last axis.",
        ),
        "batch_norms_gradient": edit(
            "centre = g.mean(dim=-1, keepdim=True)", "centre = g.mean(dim=0, keepdim=True)",
            ("along = (g * x_hat).mean(dim=-1, keepdim=True)",
             "along = (g * x_hat).mean(dim=0, keepdim=True)"),
            hint="Your means go over the rows, as in batch norm. Here the features of one example "
            "belong together: dim=-1.",
        ),
        "rows_terms_added": edit(
            "(g - centre - x_hat * along)", "(g + centre + x_hat * along)",
            hint="Both terms of the statistics are subtracted.",
        ),
        "rows_weight_ignored": edit(
            "g = upstream * weight", "g = upstream",
            hint="γ is missing: upstream reaches x̂ with the factor γ, before the means are taken.",
        ),
        "rows_weight_at_the_end": edit(
            "g = upstream * weight", "g = upstream",
            (ROW_GRAD_X, "grad_x = weight * (g - centre - x_hat * along) / s"),
            hint="γ comes in after the means. In batch norm that does no harm, for a column has "
            "one γ; here the features of a mean have different ones, so multiply first.",
        ),
        "rows_mean_term_not_divided": edit(
            "centre = g.mean(dim=-1, keepdim=True)", "centre = g.sum(dim=-1, keepdim=True)",
            hint="The term of the mean is a sum over the features. One feature has the share 1/d "
            "in μ, so it is to be divided by d.",
        ),
        "rows_variance_term_not_divided": edit(
            "(g * x_hat).mean(dim=-1, keepdim=True)", "(g * x_hat).sum(dim=-1, keepdim=True)",
            hint="The term of the variance is a sum over the features. One feature has the share "
            "1/d in σ², so it is to be divided by d.",
        ),
        "rows_scale_multiplied": edit(
            "(g - centre - x_hat * along) / s", "(g - centre - x_hat * along) * s",
            hint="You multiply by s; the slopes of step 13 are divided by it.",
        ),
        "rows_x_hat_outside_forgotten": edit(
            "(g - centre - x_hat * along)", "(g - centre - along)",
            hint="The mean of g·x̂ is multiplied by x̂: that factor is missing.",
        ),
        "rows_x_hat_inside_forgotten": edit(
            "along = (g * x_hat).mean", "along = g.mean",
            hint="The second mean is that of g·x̂, not of g.",
        ),
        "rows_scale_squared": edit(
            "(g - centre - x_hat * along) / s", "(g - centre - x_hat * along) / s**2",
            hint="You divide by the variance; s is its root.",
        ),
        "rows_scale_forgotten": edit(
            "(g - centre - x_hat * along) / s", "g - centre - x_hat * along",
            hint="The 1/s is missing.",
        ),
        "rows_unbiased_backward": edit(
            ROW_VAR, "var = x.var(dim=-1, keepdim=True)",
            hint="You use the unbiased variance; layers normalize with the biased one.",
        ),
        "rows_eps_forgotten_backward": edit(
            "s = torch.sqrt(var + eps)", "s = torch.sqrt(var)", about="detail",
            hint="eps is missing in s = √(σ² + ε).",
        ),
        "rows_eps_outside_backward": edit(
            "s = torch.sqrt(var + eps)", "s = torch.sqrt(var) + eps", about="detail",
            hint="eps is added to the standard deviation. It belongs inside of the root.",
        ),
        "learnt_summed_over_features": edit(
            "grad_weight = (upstream * x_hat).flatten(0, -2).sum(dim=0)",
            "grad_weight = (upstream * x_hat).sum(dim=-1)",
            ("grad_bias = upstream.flatten(0, -2).sum(dim=0)", "grad_bias = upstream.sum(dim=-1)"),
            about="detail",
            hint="The gradients of γ and β are summed over the features. γ and β belong to the "
            "features and serve all rows: sum over the rows.",
        ),
        "learnt_summed_over_one_axis": edit(
            "(upstream * x_hat).flatten(0, -2).sum(dim=0)", "(upstream * x_hat).sum(dim=0)",
            ("upstream.flatten(0, -2).sum(dim=0)", "upstream.sum(dim=0)"), about="detail",
            hint="With three axes, the gradients of γ and β must be summed over two of them: over "
            "all but the last.",
        ),
        "rows_weight_gradient_averaged": edit(
            "(upstream * x_hat).flatten(0, -2).sum(dim=0)",
            "(upstream * x_hat).flatten(0, -2).mean(dim=0)", about="detail",
            hint="The gradient of γ is averaged over the rows; it is a sum.",
        ),
        "rows_weight_gradient_of_x": edit(
            "grad_weight = (upstream * x_hat)", "grad_weight = (upstream * x)", about="detail",
            hint="γ multiplies x̂, not x: the gradient of γ holds x̂.",
        ),
        "rows_weight_gradient_with_weight": edit(
            "grad_weight = (upstream * x_hat)", "grad_weight = (g * x_hat)", about="detail",
            hint="The gradient of γ has no factor γ: take upstream, not g.",
        ),
        "rows_bias_gradient_averaged": edit(
            "upstream.flatten(0, -2).sum(dim=0)", "upstream.flatten(0, -2).mean(dim=0)",
            about="detail",
            hint="The gradient of β is averaged over the rows; it is a sum.",
        ),
        "rows_bias_gradient_with_weight": edit(
            "grad_bias = upstream.flatten(0, -2)", "grad_bias = g.flatten(0, -2)", about="detail",
            hint="γ is in the gradient of β, but β is added after γ has done its work.",
        ),
        "rows_order_of_gradients": edit(
            "return grad_x, grad_weight, grad_bias", "return grad_x, grad_bias, grad_weight",
            about="detail",
            hint="The gradients of weight and bias come back in the wrong order.",
        ),
        "rows_ones_on_the_cpu": edit(
            "g = upstream * weight",
            "g = upstream * weight * torch.ones(x.shape, dtype=x.dtype)", about="form",
            hint="torch.ones without device= makes a tensor on the CPU, and on a GPU the product "
            "fails.",
        ),
    },
}
