"""Lab 03, hidden tests: the same claims elsewhere, random expressions, and the edges."""

from itertools import islice

import numpy as np

from course_utils.testing import (
    agree,
    assert_close,
    assert_unmodified,
    evaluate,
    exercise,
    probe,
    public_tests,
)

public = public_tests(__file__)
away_from_zero, draw_pair = public.away_from_zero, public.draw_pair


@probe(values=True)
def graph_of_program(student, program, values):
    """Run a program of operators on Values. The result, and its graph in four flat lists: how many
    parents each node has, their numbers, the slopes, and the numbers of the inputs."""
    import operator

    known = [student.Value(value) for value in values]
    for name, *operands in program:
        given = [known[one] if isinstance(one, int) else one for one in operands]
        known.append(getattr(operator, name)(*given))
    nodes, numbers, waiting = [], {}, [known[-1]]
    while waiting:
        missing = [p for p in waiting[-1].parents if id(p) not in numbers]
        if missing:
            waiting += missing
            continue
        node = waiting.pop()
        if id(node) not in numbers:
            numbers[id(node)] = len(nodes)
            nodes.append(node)
    return [
        known[-1].data,
        [len(node.parents) for node in nodes],
        [numbers[id(p)] for node in nodes for p in node.parents],
        [float(slope) for node in nodes for slope in node.slopes],
        [numbers.get(id(v), -1) for v in known[: len(values)]],
    ]


@probe(values=True)
def ends_of_chain(student, slopes):
    """The grad at the far end of a chain of operations, and half-way."""
    nodes = [student.Value(1.0)]
    for slope in slopes:
        nodes.append(student.Value(1.0, (nodes[-1],), (slope,)))
    student.backward(nodes[-1])
    return [nodes[0].grad, nodes[len(nodes) // 2].grad, nodes[-1].grad]


@probe
def check_once(student, grad, x, seed):
    """gradient_check of one gradient, on the very arrays that were sent."""

    def f(v):
        return float(np.sum(v.ravel() * (2 + np.arange(v.size)) / 4))

    return bool(student.gradient_check(f, grad, x, np.random.default_rng(seed)))


# ------------------------------------------------------------------------------- numerical_gradient


@exercise("numerical_gradient", about="detail", stated="an array of any shape")
def test_numerical_gradient_of_three_dimensions(student, reference, rng):
    """An array of three dimensions, and a step of 0.1."""
    x = rng.uniform(0.5, 1.5, size=(2, 1, 3))
    expected = reference.central_quotients(public.TORCH_FUNCTIONS["cubes"], x, 0.1)
    assert_close(student.run(public.tried_gradient, "cubes", x, 0.1), expected)


# -------------------------------------------------------------------------------- checkpoint_neuron


@exercise("checkpoint_neuron", part="u_bar", stated="Step 3: ∂L/∂u, written with y and u")
def test_u_bar_on_the_other_side(student, reference):
    """∂L/∂u where the target lies above the output."""
    of = reference.neuron(0.5, -1.0, 0.4, 2.0, 0.3)
    values = student.run(evaluate, "u_bar", ["y", "u"], [[2.0, of["u"].item()]])
    assert_close(values, [of["u"].grad.item()])


@exercise("checkpoint_neuron", part="z_bar", stated="Step 4: ∂L/∂z, written with u_bar")
def test_z_bar_of_a_saturated_neuron(student, reference):
    """∂L/∂z where σ is nearly flat."""
    of = reference.neuron(2.0, 1.0, 1.5, -1.0, 0.3)
    points = [[of["u"].grad.item(), of["u"].item()]]
    assert_close(student.run(evaluate, "z_bar", ["u_bar", "u"], points),
                 [of["z"].grad.item()])  # fmt: skip


@exercise("checkpoint_neuron", part="w_bar", stated="Step 5: ∂L/∂w, written with z_bar")
def test_w_bar_of_a_negative_weight(student, reference):
    """∂L/∂w for a negative weight."""
    of = reference.neuron(-1.3, 0.2, 0.7, -1.0, 0.8)
    points = [[of["z"].grad.item(), 0.7, -1.3, 0.8]]
    assert_close(student.run(evaluate, "w_bar", ["z_bar", "x", "w", "lam"], points),
                 [of["w"].grad.item()])  # fmt: skip


# ---------------------------------------------------------------------------------- neuron_backward


@exercise("neuron_backward", stated="(L, ∂L/∂w, ∂L/∂b), three numbers")
def test_neuron_backward_elsewhere(student, reference, rng):
    """A negative weight, and a target above the output."""
    point = (-1.1, 0.3, float(rng.uniform(0.5, 1.5)), float(rng.uniform(1.5, 2.5)), 0.7)
    agree(student, reference, "neuron_backward", *point)


# -------------------------------------------------------------------------------------- activations


def compare_activation(student, reference, name, z, *alpha):
    assert_close(getattr(student, name)(z, *alpha), getattr(reference, name)(z, *alpha))


def vector(rng):
    """Entries between −6 and 6, among them 0."""
    return rng.permutation(np.append(away_from_zero(rng, 6, low=0.2, high=6.0), 0.0))


@exercise("activations", part="tanh", stated="tanh of an array")
def test_tanh_of_a_vector(student, reference, rng):
    """tanh of entries of all sizes, 0 among them."""
    compare_activation(student, reference, "tanh", vector(rng))


@exercise("activations", part="relu", stated="relu of an array")
def test_relu_of_a_vector(student, reference, rng):
    """relu of entries of all sizes, 0 among them."""
    compare_activation(student, reference, "relu", vector(rng))


@exercise("activations", part="prelu", stated="prelu of an array")
def test_prelu_of_a_vector(student, reference, rng):
    """prelu of entries of all sizes, 0 among them."""
    compare_activation(student, reference, "prelu", vector(rng), float(rng.uniform(0.1, 0.6)))


@exercise("activations", part="silu", stated="silu of an array")
def test_silu_of_a_vector(student, reference, rng):
    """silu of entries of all sizes, 0 among them."""
    compare_activation(student, reference, "silu", vector(rng))


@exercise("activations", part="silu", about="edge", stated=public.FINITE)
def test_silu_far_out(student, reference, rng):
    """At −1000 silu is 0, at 1000 it is 1000."""
    compare_activation(student, reference, "silu", rng.permutation([-1000.0, 1000.0, 1.0]))


@exercise("activations", part="gelu", stated="The exact gelu of an array")
def test_gelu_of_a_vector(student, reference, rng):
    """gelu of entries of all sizes, 0 among them."""
    compare_activation(student, reference, "gelu", vector(rng))


@exercise("activations", part="gelu", about="form", weight=0.5, stated="keep the dtype")
def test_gelu_keeps_float32(student, reference, rng):
    """float32 stays float32."""
    compare_activation(student, reference, "gelu", away_from_zero(rng, 5).astype(np.float32))


@exercise("activations", part="tanh", about="form", weight=0.5, stated="keep the dtype")
def test_tanh_keeps_float32(student, reference, rng):
    """float32 stays float32."""
    compare_activation(student, reference, "tanh", away_from_zero(rng, 5).astype(np.float32))


# -------------------------------------------------------------------------------- activation_slopes


@exercise("activation_slopes", part="tanh_slope", stated="Slope of tanh at every entry of z")
def test_tanh_slope_of_a_vector(student, reference, rng):
    """The slope of tanh where it is flat, and at 0."""
    compare_activation(student, reference, "tanh_slope", vector(rng))


@exercise("activation_slopes", part="relu_slope", stated="Slope of relu at every entry of z")
def test_relu_slope_of_large_entries(student, reference, rng):
    """The slope of relu does not grow with z."""
    compare_activation(student, reference, "relu_slope", away_from_zero(rng, 7, low=20, high=90))


@exercise("activation_slopes", part="prelu_slopes", stated="(slope in z, slope in α)")
def test_prelu_slopes_for_any_alpha(student, reference, rng):
    """Both slopes for α above 1 and below 0."""
    for alpha in (float(rng.uniform(1.5, 3.0)), float(rng.uniform(-1.0, -0.3))):
        compare_activation(student, reference, "prelu_slopes", away_from_zero(rng, 7), alpha)


@exercise("activation_slopes", part="silu_slope", stated="Slope of silu at every entry of z")
def test_silu_slope_of_a_vector(student, reference, rng):
    """The slope of silu where it is flat, and at 0."""
    compare_activation(student, reference, "silu_slope", vector(rng))


@exercise("activation_slopes", part="gelu_slope", stated="Slope of the exact gelu")
def test_gelu_slope_of_a_vector(student, reference, rng):
    """The slope of gelu where it is flat, and at 0."""
    compare_activation(student, reference, "gelu_slope", vector(rng))


@exercise("activation_slopes", part="gelu_slope", about="form", weight=0.5, stated="keep the dtype")
def test_gelu_slope_keeps_float32(student, reference, rng):
    """The slope of gelu at a float32 array is a float32 array."""
    compare_activation(student, reference, "gelu_slope", away_from_zero(rng, 5).astype(np.float32))


# --------------------------------------------------------------------------------------------- Dual


@exercise("Dual", about="detail", stated="A number with its slope")
def test_dual_in_random_expressions(student, reference, rng):
    """Random expressions of + − * / and **, in a random direction."""
    values, dots = rng.uniform(0.5, 2.0, size=3).tolist(), away_from_zero(rng, 3).tolist()
    program = public.draw_program(rng, values)
    last = len(values) + len(program) - 1
    # A square, which may be drawn, is the one power that (2v)¹ gets right.
    program += [["pow", 0, 3.0], ["add", last, last + 1]]
    value, slopes = reference.run(program, values)
    expected = [value, sum(s * dot for s, dot in zip(slopes, dots, strict=True))]
    assert_close(student.run(public.run_duals, program, values, dots), expected)


@exercise("Dual", about="detail", stated="Mixes with plain numbers on either side")
def test_dual_with_negative_numbers(student, reference, rng):
    """Negative numbers and whole ones, on either side."""
    for name in ("sub", "truediv"):
        cases = [(-3, draw_pair(rng)), (draw_pair(rng), -2), (-1.5, draw_pair(rng))]
        public.compare_duals(student, reference, name, *cases)


# ----------------------------------------------------------------------------------- dual_functions


def compare_dual_function(student, reference, name, v, dot):
    value, slopes = reference.run([[name, 0]], [v])
    expected = [value, slopes[0] * dot]
    assert_close(student.run(public.dual_function, f"dual_{name}", v, dot), expected)


@exercise("dual_functions", part="dual_sin", stated="sin of a Dual, as a Dual")
def test_dual_sin_elsewhere(student, reference, rng):
    """sin beyond π/2."""
    v, dot = float(rng.uniform(2.0, 2.6)), draw_pair(rng)[1]
    compare_dual_function(student, reference, "sin", v, dot)


@exercise("dual_functions", part="dual_exp", stated="e^v of a Dual, as a Dual")
def test_dual_exp_elsewhere(student, reference, rng):
    """exp below 0."""
    v, dot = -float(rng.uniform(0.5, 2.0)), draw_pair(rng)[1]
    compare_dual_function(student, reference, "exp", v, dot)


@exercise("dual_functions", part="dual_log", stated="log of a Dual, as a Dual")
def test_dual_log_elsewhere(student, reference, rng):
    """log between 0 and 1."""
    v, dot = float(rng.uniform(0.1, 0.6)), draw_pair(rng)[1]
    compare_dual_function(student, reference, "log", v, dot)


@exercise(
    "dual_functions", part="forward_gradient", stated="The gradient of f at x by forward mode"
)
def test_forward_gradient_of_one_input(student, reference, rng):
    """One input, one run; six inputs, six runs."""
    for n in (1, 6):
        x = rng.uniform(0.5, 1.5, size=n).tolist()
        program = [["mul", 0, n - 1]]
        program += [["mul", n + i, i] for i in range(n)]
        _, expected = reference.run(program, x)
        assert_close(student.run(public.gradient_by_passes, program, x), np.array(expected))


# ------------------------------------------------------------------------------ checkpoint_adjoints


@exercise("checkpoint_adjoints", part="v4_bar", stated="∂f/∂v₄, written with v6_bar")
def test_v4_bar_elsewhere(student):
    """v̄₄ at another point."""
    v = public.adjoints(-0.4, 2.5)
    assert_close(student.run(evaluate, "v4_bar", ["v6_bar"], [[v[6][1]]]), [v[4][1]])


@exercise("checkpoint_adjoints", part="v3_bar", stated="∂f/∂v₃, written with v5_bar, v6_bar")
def test_v3_bar_elsewhere(student):
    """v̄₃ at another point."""
    v = public.adjoints(-0.4, 2.5)
    points = [[v[5][1], v[6][1], v[5][0]]]
    values = student.run(evaluate, "v3_bar", ["v5_bar", "v6_bar", "v5"], points)
    assert_close(values, [v[3][1]])


@exercise("checkpoint_adjoints", part="v2_bar", stated="∂f/∂v₂, written with v3_bar, v4_bar")
def test_v2_bar_elsewhere(student):
    """v̄₂ at another point, where the cosine is negative."""
    v = public.adjoints(-0.4, 2.5)
    points = [[v[3][1], v[4][1], v[1][0], v[2][0]]]
    values = student.run(evaluate, "v2_bar", ["v3_bar", "v4_bar", "v1", "v2"], points)
    assert_close(values, [v[2][1]])


# -------------------------------------------------------------------------------------------- Value


@exercise("Value", stated="self · other, a new Value")
def test_value_operations_below_zero(student, reference, rng):
    """Sums, products and powers of negative numbers."""
    a, b = [-float(rng.uniform(0.5, 2.0))], [float(rng.uniform(0.5, 2.0))]
    public.compare_values(student, reference, "add", (a, b), (b, a))
    public.compare_values(student, reference, "mul", (b, a), (a, b))
    public.compare_values(student, reference, "pow", (a, 3), (a, 2))


@exercise("Value", about="detail", stated="other is a Value or a plain number")
def test_value_with_whole_numbers(student, reference, rng):
    """Whole numbers and negative ones, on either side."""
    for name in ("add", "mul"):
        cases = [(-3, public.draw_datum(rng)), (public.draw_datum(rng), -2)]
        public.compare_values(student, reference, name, *cases)


@exercise("Value", about="detail", stated="A number that remembers what it was computed from")
def test_values_in_random_expressions(student, reference, rng):
    """The graph of a random expression of all operators leads to the right gradient."""
    values = rng.uniform(0.5, 2.0, size=3).tolist()
    program = public.draw_program(rng, values)
    value, slopes = reference.run(program, values)
    result, counts, parents, edges, inputs = student.run(graph_of_program, program, values)
    pairs = iter(zip(parents, edges, strict=True))
    grads = public.swept([list(islice(pairs, n)) for n in counts], len(counts) - 1, hasty=False)
    found = [grads[number] if number >= 0 else 0.0 for number in inputs]
    assert_close([result, np.array(found)], [value, np.array(slopes)])


# ---------------------------------------------------------------------------------- value_functions


@exercise("value_functions", part="exp", stated="e^v, a new Value")
def test_value_exp_below_zero(student, reference, rng):
    """exp of a negative number."""
    public.compare_function(student, reference, "exp", -float(rng.uniform(0.5, 2.0)))


@exercise("value_functions", part="relu", stated="relu(v), a new Value")
def test_value_relu_near_zero(student, reference, rng):
    """relu near 0, on either side."""
    for sign in (-1, 1):
        public.compare_function(student, reference, "relu", sign * float(rng.uniform(0.01, 0.4)))


@exercise("value_functions", part="sigmoid", stated="σ(v), a new Value")
def test_value_sigmoid_below_zero(student, reference, rng):
    """σ of a negative number."""
    public.compare_function(student, reference, "sigmoid", -float(rng.uniform(0.5, 2.0)))


@exercise("value_functions", part="tanh", stated="tanh(v), a new Value")
def test_value_tanh_below_zero(student, reference, rng):
    """tanh of a negative number."""
    public.compare_function(student, reference, "tanh", -float(rng.uniform(0.5, 1.2)))


# ----------------------------------------------------------------------------------------- backward


@exercise("backward", stated="A Value may be used several times, even twice in one operation")
def test_backward_of_large_random_graphs(student, reference, rng):
    """Random graphs of twenty nodes."""
    for _ in range(2):
        public.compare_graph(student, reference, public.draw_graph(rng, 17))


@exercise("backward", stated="fill in grad of every Value that output was computed from")
def test_backward_of_the_output_alone(student, reference, rng):
    """The output's own gradient is 1, also where nothing was computed."""
    public.compare_graph(student, reference, [([], [])])


@exercise("backward", about="detail", weight=0.5, stated="Chains of 500 operations are no problem")
def test_backward_of_a_long_chain(student, reference, rng):
    """A chain of 500 operations."""
    slopes = rng.uniform(0.99, 1.01, size=500).tolist()
    graph = [([], []), *(([i], [slope]) for i, slope in enumerate(slopes))]
    expected = reference.graph_gradients(graph)
    assert_close(student.run(ends_of_chain, slopes), [expected[0], expected[250], expected[-1]])


@exercise("backward", about="detail", weight=0.5, seconds=2,
          stated="each node is handled once, however many paths lead to it")  # fmt: skip
def test_backward_of_many_paths(student, reference):
    """Forty doublings: 41 nodes, and more than 10¹² paths."""
    graph = [([], []), *(([i, i], [1.0, 1.0]) for i in range(40))]
    public.compare_graph(student, reference, graph)


# ----------------------------------------------------------------------------------------- break_it


@exercise("break_it", about="edge", stated="An expression of the Value x")
def test_expression_has_a_gradient(student):
    """At 0.5 the right gradient of your expression is a finite number."""
    _, right = public.both_gradients(student, 0.5)
    assert np.isfinite(right), "the gradient of your expression is not a finite number"


# ---------------------------------------------------------------------------------- linear_backward


@exercise("linear_backward", stated="(∂L/∂X, ∂L/∂W, ∂L/∂b)")
def test_linear_backward_of_one_row(student, reference, rng):
    """A single row, and a layer with a single output."""
    for n, d, k in ((1, 4, 3), (6, 3, 1)):
        X, W, G = rng.normal(size=(n, d)), rng.normal(size=(d, k)), rng.normal(size=(n, k))
        agree(student, reference, "linear_backward", G, X, W)


@exercise("linear_backward", about="form", weight=0.5, stated="keep the dtype")
def test_linear_backward_keeps_float32(student, reference, rng):
    """float32 stays float32."""
    X, W, G = (rng.normal(size=shape).astype(np.float32) for shape in ((5, 4), (4, 3), (5, 3)))
    dtypes = {str(np.asarray(gradient).dtype) for gradient in student.linear_backward(G, X, W)}
    assert dtypes == {"float32"}, "from float32 arguments come gradients of another dtype"


# -------------------------------------------------------------------------------------- mlp_forward


@exercise("mlp_forward", stated="The list of all L pre-activations Z_1 … Z_L")
def test_mlp_forward_of_five_layers(student, reference, rng):
    """Five layers, all square."""
    X, weights, biases = public.draw_network(rng, [4, 4, 4, 4, 4, 4], 3)
    agree(student, reference, "mlp_forward", X, weights, biases)


# ------------------------------------------------------------------------------------- mlp_backward


@exercise("mlp_backward", stated="two lists of L arrays, of the shapes of the weights and biases")
def test_mlp_backward_of_five_layers(student, reference, rng):
    """Five layers of different widths."""
    public.compare_network(student, reference, rng, [3, 5, 2, 4, 6, 3], 7)


@exercise("mlp_backward", stated="two lists of L arrays, of the shapes of the weights and biases")
def test_mlp_backward_of_one_row(student, reference, rng):
    """A single example."""
    public.compare_network(student, reference, rng, [2, 3, 3, 1], 1)


# ----------------------------------------------------------------------------------- gradient_check


@exercise("gradient_check", stated="Whether grad is the gradient of f at x")
def test_gradient_check_of_a_matrix(student, reference, rng):
    """A matrix's gradient passes, and does not when its rows are exchanged."""
    cases = [
        public.case(reference, rng, "plane", shape=(3, 4)),
        public.case(reference, rng, "plane", lambda g: g[::-1].copy(), shape=(3, 4)),
    ]
    (_, right, _), (_, wrong, _) = cases
    public.compare_verdicts(student, cases, [True, False], telling_seed(rng, right, wrong))


def telling_seed(rng, right, wrong):
    """A seed under which no direction that is drawn by normal(size=…) nearly hides the difference:
    one in two thousand would, and a check that is content with one direction would see no fault."""
    while True:
        seed = public.seed_of(rng)
        directions = np.random.default_rng(seed).normal(size=(20, *right.shape))
        slopes = [np.tensordot(directions, grad, axes=grad.ndim) for grad in (right, wrong)]
        if np.all(np.abs(slopes[0] - slopes[1]) > 1e-3 * np.max(np.abs(slopes), axis=0)):
            return seed


@exercise("gradient_check", about="detail", stated="at most 1e-4 of the larger of their sizes")
def test_gradient_check_has_its_limit_at_one_in_ten_thousand(student, reference, rng):
    """A gradient that is wrong by half of the limit passes, one that is wrong by more does not."""
    cases = [
        public.case(reference, rng, "plane", wrong)
        for wrong in [lambda g: 1.00005 * g, lambda g: 1.00015 * g] * 6
    ]
    public.compare_verdicts(student, cases, [True, False] * 6, public.seed_of(rng))


@exercise("gradient_check", about="detail", stated="along each of 10 random directions")
def test_gradient_check_asks_every_direction(student, reference, rng):
    """A gradient that is a little wrong, and looks right along some directions, is flagged."""

    def tilted(grad):
        across = rng.normal(size=grad.shape)
        across -= grad * np.sum(across * grad) / np.sum(grad**2)
        return grad + 3e-4 * across * np.sqrt(np.sum(grad**2) / np.sum(across**2))

    cases = [public.case(reference, rng, "plane", tilted) for _ in range(30)]
    public.compare_verdicts(student, cases, [False] * 30, public.seed_of(rng))


@exercise("gradient_check", about="arguments", weight=0.5,
          stated="leave their arguments as they were")  # fmt: skip
def test_gradient_check_leaves_its_point_alone(student, reference, rng):
    """x and grad are the same after the call."""
    _, grad, x = public.case(reference, rng, "plane")
    student.run(check_once, grad, x, public.seed_of(rng))
    assert_unmodified(student)
