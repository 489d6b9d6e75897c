"""Lab 03, public tests: slopes by hand, forward mode, reverse mode, and a network's backward pass.

Expected values are torch's own, computed while the test runs. Inputs are drawn afresh from ``rng``.
Graphs are handed over as lists of operations, so that the same expression runs on the student's
numbers and on torch's.
"""

import operator
from itertools import pairwise

import numpy as np
import torch
from torch.nn import functional

from course_utils.testing import agree, assert_close, assert_unmodified, evaluate, exercise, probe

ACTIVATIONS = [
    "numpy.tanh", "math.tanh", "torch.tanh", "torch.relu", "torch.prelu",
    "torch.nn.functional.tanh", "torch.nn.functional.relu", "torch.nn.functional.prelu",
    "torch.nn.functional.leaky_relu", "torch.nn.functional.silu", "torch.nn.functional.gelu",
]  # fmt: skip

UNARY = {"sin": torch.sin, "exp": torch.exp, "log": torch.log,
         "relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}  # fmt: skip


def tensor(value):
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


def slopes_of(function, z):
    """torch's slope of an elementwise function at every entry of z, by autograd."""
    z = torch.tensor(z, requires_grad=True)
    function(z).sum().backward()
    return z.grad.numpy()


class Reference:
    """The oracle: torch, with the exercises' signatures and NumPy arrays in and out."""

    @staticmethod
    def gradient(f, x):
        """The gradient of a function of torch tensors."""
        x = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        f(x).backward()
        return x.grad.numpy()

    @staticmethod
    def central_quotients(f, x, h):
        """What central differences of step h give, without rounding to speak of."""
        x = torch.tensor(x, dtype=torch.float64)
        shifts = torch.eye(x.numel(), dtype=torch.float64).reshape(-1, *x.shape) * h
        slopes = [(f(x + shift) - f(x - shift)) / (2 * h) for shift in shifts]
        return torch.stack(slopes).reshape(x.shape).numpy()

    @staticmethod
    def neuron(w, b, x, y, lam):
        """All numbers of the neuron's forward pass, with their gradients kept."""
        w, b = tensor(w), tensor(b)
        z = w * x + b
        u = torch.sigmoid(z)
        loss = 0.5 * (y - u) ** 2 + lam * w**2
        for v in (z, u):
            v.retain_grad()
        loss.backward()
        return {"w": w, "b": b, "z": z, "u": u, "loss": loss}

    @staticmethod
    def neuron_backward(w, b, x, y, lam):
        of = Reference.neuron(w, b, x, y, lam)
        return of["loss"].item(), of["w"].grad.item(), of["b"].grad.item()

    @staticmethod
    def tanh(z):
        return torch.tanh(torch.tensor(z)).numpy()

    @staticmethod
    def relu(z):
        return torch.relu(torch.tensor(z)).numpy()

    @staticmethod
    def prelu(z, alpha):
        z = torch.tensor(z)
        return torch.prelu(z, torch.tensor([alpha], dtype=z.dtype)).numpy()

    @staticmethod
    def silu(z):
        return functional.silu(torch.tensor(z)).numpy()

    @staticmethod
    def gelu(z):
        return functional.gelu(torch.tensor(z)).numpy()

    @staticmethod
    def tanh_slope(z):
        return slopes_of(torch.tanh, z)

    @staticmethod
    def relu_slope(z):
        return slopes_of(torch.relu, z)

    @staticmethod
    def prelu_slopes(z, alpha):
        z = torch.tensor(z, requires_grad=True)
        # One α for each entry: then its gradient shows entry by entry.
        alphas = torch.full_like(z, alpha).requires_grad_()
        for entry, own in zip(z.flatten(), alphas.flatten(), strict=True):
            torch.prelu(entry.reshape(1), own.reshape(1)).sum().backward(retain_graph=True)
        return z.grad.numpy(), alphas.grad.numpy()

    @staticmethod
    def silu_slope(z):
        return slopes_of(functional.silu, z)

    @staticmethod
    def gelu_slope(z):
        return slopes_of(functional.gelu, z)

    @staticmethod
    def run(program, values):
        """The value of a program at these inputs, and its gradient in them."""
        inputs = [tensor(value) for value in values]
        output = apply(program, inputs)
        output.backward()
        return output.item(), [0.0 if v.grad is None else v.grad.item() for v in inputs]

    @staticmethod
    def graph_gradients(nodes):
        """Gradients of the last node in all nodes of a graph given as (parents, slopes)."""
        values = []
        for parents, slopes in nodes:
            value = tensor(1.0) if not parents else sum(
                slope * values[parent] for parent, slope in zip(parents, slopes, strict=True)
            )
            if parents:
                value.retain_grad()
            values.append(value)
        values[-1].backward()
        return [0.0 if value.grad is None else value.grad.item() for value in values]

    @staticmethod
    def linear_backward(upstream, X, W):
        X, W = torch.tensor(X, requires_grad=True), torch.tensor(W, requires_grad=True)
        b = torch.zeros(W.shape[1], dtype=W.dtype, requires_grad=True)
        functional.linear(X, W.T, b).backward(torch.tensor(upstream))
        return X.grad.numpy(), W.grad.numpy(), b.grad.numpy()

    @staticmethod
    def network(X, weights, biases):
        """The pre-activations of a network, as tensors, and its parameters."""
        weights = [torch.tensor(W, requires_grad=True) for W in weights]
        biases = [torch.tensor(b, requires_grad=True) for b in biases]
        H, pre = torch.tensor(X), []
        for W, b in zip(weights, biases, strict=True):
            pre.append(functional.linear(H, W.T, b))
            H = torch.tanh(pre[-1])
        return pre, weights, biases

    @staticmethod
    def mlp_forward(X, weights, biases):
        return [Z.detach().numpy() for Z in Reference.network(X, weights, biases)[0]]

    @staticmethod
    def mlp_backward(delta, X, weights, biases):
        pre, weights, biases = Reference.network(X, weights, biases)
        pre[-1].backward(torch.tensor(delta))
        return [W.grad.numpy() for W in weights], [b.grad.numpy() for b in biases]


# ------------------------------------------------------------------------------ programs and graphs


def apply(program, inputs):
    """Run a program on torch tensors. A step is [operation, *operands]: an int is the number of an
    earlier value, a float is a constant."""
    values = list(inputs)
    for name, *operands in program:
        given = [values[one] if isinstance(one, int) else one for one in operands]
        values.append(UNARY[name](*given) if name in UNARY else getattr(operator, name)(*given))
    return values[-1]


# Every operation in each of its forms: "vc" is a value with a constant on its right.
FORMS = [(name, form) for name in ("add", "sub", "mul", "truediv") for form in ("vv", "vc", "cv")]
FORMS += [("pow", "v")]


def draw_program(rng, values):
    """A random program on these inputs, in which each operation occurs in each of its forms.

    No intermediate value is near 0 or large, and neither are its slopes. Operands are mostly
    recent results, so that expressions become deep, and one may be used several times. The output
    is a weighted sum of all results: none of them is drowned by others, or cancels.
    """
    inputs = [tensor(value) for value in values]
    program, known = [], list(inputs)
    waiting = [FORMS[int(i)] for i in rng.permutation(len(FORMS))]
    while waiting:
        name, form = waiting[0]
        places = [max(0, len(known) - int(rng.geometric(0.3))) for _ in form]
        constants = rng.uniform(0.5, 2.0, size=len(form))
        operands = [
            place if sign == "v" else float(constant)
            for sign, place, constant in zip(form, places, constants, strict=True)
        ]
        if name == "pow":
            operands.append(float(rng.choice([-1.0, 2.0, 3.0, 0.5])))
            if known[operands[0]].item() < 0:
                continue  # another draw of the same form
        given = [known[one] if isinstance(one, int) else one for one in operands]
        value = getattr(operator, name)(*given)
        slopes = torch.autograd.grad(value, inputs, retain_graph=True, materialize_grads=True)
        steepest = max(abs(slope.item()) for slope in slopes)
        if not (0.1 < abs(value.item()) < 8 and 0.1 < steepest < 20):
            continue
        del waiting[0]
        program.append([name, *operands])
        known.append(value)
    total = len(known) - 1
    for place, weight in enumerate(rng.uniform(0.5, 2.0, size=total).tolist()):
        program.append(["mul", place, weight])
        program.append(["add", total, len(values) + len(program) - 1])
        total = len(values) + len(program) - 1
    return program


def draw_graph(rng, nodes):
    """A random graph as a list of (parents, slopes), the output last; some parents occur twice.

    The output and its neighbours are fixed: one node is reached by a short way and a longer one,
    whichever parent one looks at first.
    """
    graph = [([], []), ([], [])]
    while len(graph) < nodes:
        count = int(rng.integers(1, 4))
        parents = [int(rng.integers(max(0, len(graph) - 5), len(graph))) for _ in range(count)]
        graph.append((parents, list(rng.choice([-1, 1], count) * rng.uniform(0.5, 1.5, count))))
    a = len(graph) - 1
    draw = lambda: float(rng.uniform(0.5, 1.5))  # noqa: E731
    graph.append(([a, a], [draw(), draw()]))
    graph.append(([a + 1], [draw()]))
    graph.append(([a, a + 2, a, 0, 1], [draw() for _ in range(5)]))
    return [(list(parents), [float(slope) for slope in slopes]) for parents, slopes in graph]


def away_from_zero(rng, *shape, low=0.3, high=2.5):
    """Entries of both signs, none near 0."""
    sizes = rng.uniform(low, high, size=shape)
    signs = rng.permutation(np.resize([1.0, -1.0], sizes.size)).reshape(shape)
    return sizes * signs


# ------------------------------------------------------------------------------------------ probes


@probe(values=True)
def tried_gradient(student, kind, x, h):
    """numerical_gradient of one of several functions."""
    functions = {
        "waves": lambda v: float(np.sum(np.sin(v) * np.exp(0.5 * v)) + np.prod(v)),
        "cubes": lambda v: float(np.sum(v**3) + np.sum(v) ** 3),
    }
    return student.numerical_gradient(functions[kind], x, **({"h": h} if h else {}))


@probe(values=True)
def dual_operations(student, name, cases):
    """An operation on pairs of sides, each a number or a list [value, dot]: all the results' values
    and dots."""
    import operator

    numbers = []
    for pair in cases:
        sides = [student.Dual(*side) if isinstance(side, list) else side for side in pair]
        result = getattr(operator, name)(*sides)
        numbers += [result.value, result.dot]
    return np.array(numbers, dtype=float)


@probe(values=True)
def run_duals(student, program, values, dots):
    """Run a program on Duals: the last one's two numbers."""
    import operator

    known = [student.Dual(value, dot) for value, dot in zip(values, dots, strict=True)]
    for name, *operands in program:
        given = [known[one] if isinstance(one, int) else one for one in operands]
        if name in ("sin", "exp", "log"):
            known.append(getattr(student, f"dual_{name}")(*given))
        else:
            known.append(getattr(operator, name)(*given))
    return [known[-1].value, known[-1].dot]


@probe(values=True)
def dual_function(student, name, value, dot):
    """A function of one Dual: the result's two numbers."""
    result = getattr(student, name)(student.Dual(value, dot))
    return [result.value, result.dot]


@probe(values=True)
def gradient_by_passes(student, program, x):
    """forward_gradient of a program that uses products, sums and differences alone."""
    import operator

    def f(*inputs):
        known = list(inputs)
        for name, *operands in program:
            given = [known[one] if isinstance(one, int) else one for one in operands]
            known.append(getattr(operator, name)(*given))
        return known[-1]

    return student.forward_gradient(f, x)


@probe(values=True)
def gradient_of_example(student, x):
    """forward_gradient of formula (5), written with the student's own functions."""

    def f(x1, x2):
        return x1 * x2 + student.dual_exp(x1 * x2) - student.dual_sin(x2)

    return student.forward_gradient(f, x)


@probe(values=True)
def value_operations(student, name, cases):
    """An operation on pairs of sides, each a number or a list [data]: all results, each with its
    slope in each side that is a Value."""
    import operator

    numbers = []
    for pair in cases:
        sides = [student.Value(*side) if isinstance(side, list) else side for side in pair]
        result = getattr(operator, name)(*sides)
        if len(result.parents) != len(result.slopes):
            raise ValueError("there must be one slope for each parent")
        numbers.append(result.data)
        for side in sides:
            if isinstance(side, student.Value):
                pairs = zip(result.parents, result.slopes, strict=True)
                numbers.append(sum(slope for parent, slope in pairs if parent is side))
    return np.array(numbers, dtype=float)


@probe(values=True)
def value_function(student, name, data):
    """A function of one Value: the result, and its slope in that Value."""
    v = student.Value(data)
    result = getattr(student, name)(v)
    if len(result.parents) != len(result.slopes):
        raise ValueError("there must be one slope for each parent")
    pairs = zip(result.parents, result.slopes, strict=True)
    return [result.data, sum(slope for parent, slope in pairs if parent is v)]


@probe(values=True)
def gradients_of_graph(student, graph, calls=1):
    """The grad of every node after backward from the last one."""
    nodes = []
    for parents, slopes in graph:
        nodes.append(student.Value(2.0, tuple(nodes[p] for p in parents), tuple(slopes)))
    for _ in range(calls):
        student.backward(nodes[-1])
    return [node.grad for node in nodes]


@probe(values=True)
def grad_of_a_bystander(student, slope):
    """The grad of a Value made of the same input as the output, but no part of it."""
    x = student.Value(2.0)
    bystander = student.Value(2.0, (x,), (slope,))
    student.backward(student.Value(2.0, (x,), (slope,)))
    return bystander.grad


@probe(values=True)
def recorded_expression(student, name):
    """The operations of a student's expression, a row each: its number (+ is 0, * is 1, ** is 2),
    the number of its left side (x is 0, the first result 1), and its right side, which is a
    constant where the last entry is 1. Differences and quotients are made as Value makes them."""
    rows = []

    class Recorder:
        def __init__(self, number=0):
            self.number = number

        def record(self, operation, other):
            constant = isinstance(other, (int, float))
            if not constant and not isinstance(other, Recorder):
                raise TypeError(f"{name} should use x, plain numbers and + − * / ** alone")
            rows.append([operation, self.number, other if constant else other.number, constant])
            return Recorder(len(rows))

        def __add__(self, other):
            return self.record(0, other)

        def __mul__(self, other):
            return self.record(1, other)

        def __pow__(self, exponent):
            return self.record(2, exponent)

        __radd__, __rmul__ = __add__, __mul__

        def __neg__(self):
            return self * -1

        def __sub__(self, other):
            return self + -other

        def __rsub__(self, other):
            return -self + other

        def __truediv__(self, other):
            return self * other**-1.0

        def __rtruediv__(self, other):
            return self**-1.0 * other

    result = getattr(student, name)(Recorder())
    if not isinstance(result, Recorder):
        raise TypeError(f"{name} should return an expression that is made of x")
    return [np.array(rows, dtype=float).reshape(-1, 4), result.number]


@probe
def checked(student, cases, seed):
    """What gradient_check says of each case [function, grad, x]."""
    functions = {
        "plane": lambda v: float(np.sum(v.ravel() * (2 + np.arange(v.size)) / 4)),
        "tiny": lambda v: float(1e-7 * np.sum(v.ravel() * (2 + np.arange(v.size)) / 4)),
        "huge": lambda v: float(1e7 * np.sum(v.ravel() * (2 + np.arange(v.size)) / 4)),
        "curved": lambda v: float(np.sum(np.sin(200 * v)) / 200),
        "constant": lambda v: 3.0,
    }
    rng = np.random.default_rng(seed)
    return [bool(student.gradient_check(functions[k], g, x, rng)) for k, g, x in cases]


# ------------------------------------------------------------------------------- numerical_gradient

TORCH_FUNCTIONS = {
    "waves": lambda v: torch.sum(torch.sin(v) * torch.exp(0.5 * v)) + torch.prod(v),
    "cubes": lambda v: torch.sum(v**3) + torch.sum(v) ** 3,
}


@exercise("numerical_gradient", stated="All slopes of f at x by central differences")
def test_numerical_gradient(student, reference, rng):
    """With a small step the quotients are the slopes, for each entry of a vector."""
    x = rng.uniform(0.5, 1.5, size=4)
    expected = reference.gradient(TORCH_FUNCTIONS["waves"], x)
    assert_close(student.run(tried_gradient, "waves", x, None), expected, rtol=1e-7,
                 name="the gradient")  # fmt: skip


@exercise("numerical_gradient", stated="h: how far each entry is moved, to either side")
def test_numerical_gradient_with_a_large_step(student, reference, rng):
    """With a large step it is the central quotient still: for x³ it is 3x² + h²."""
    x = rng.uniform(0.5, 1.5, size=3)
    expected = reference.central_quotients(TORCH_FUNCTIONS["cubes"], x, 0.5)
    assert_close(student.run(tried_gradient, "cubes", x, 0.5), expected, name="the gradient")


@exercise("numerical_gradient", about="detail", stated="an array of any shape")
def test_numerical_gradient_of_a_matrix(student, reference, rng):
    """For a matrix there is a slope for each of its entries, in the same place."""
    x = rng.uniform(0.5, 1.5, size=(2, 3))
    expected = reference.gradient(TORCH_FUNCTIONS["waves"], x)
    assert_close(student.run(tried_gradient, "waves", x, 1e-5), expected, rtol=1e-7,
                 name="the gradient")  # fmt: skip


@exercise("numerical_gradient", about="detail", stated="computed in float64 whatever x's dtype")
def test_numerical_gradient_at_a_float32_point(student, reference, rng):
    """At a float32 point the differences are taken in float64: in float32 they would be noise."""
    x = rng.uniform(0.5, 1.5, size=3).astype(np.float32)
    expected = reference.gradient(TORCH_FUNCTIONS["cubes"], x)
    assert_close(student.run(tried_gradient, "cubes", x, 1e-5), expected, rtol=1e-7,
                 name="the gradient")  # fmt: skip


@exercise("numerical_gradient", about="arguments", stated="it is the same after the call")
def test_numerical_gradient_restores_its_point(student, reference, rng):
    """x is the same after the call."""
    x = rng.uniform(0.5, 1.5, size=40)
    expected = reference.central_quotients(TORCH_FUNCTIONS["cubes"], x, 0.3)
    assert_close(student.run(tried_gradient, "cubes", x, 0.3), expected, name="the gradient")
    assert_unmodified(student)


# -------------------------------------------------------------------------------- checkpoint_neuron


def draw_neuron(rng):
    """w, b, x, y, λ for which no part of the gradient is small and u is away from ½."""
    w, x = float(rng.uniform(0.6, 1.2)), float(rng.uniform(0.5, 1.5)) * float(rng.choice([-1, 1]))
    b = float(rng.uniform(1.0, 1.5)) - w * x  # so that z lies between 1 and 1.5
    return w, b, x, float(rng.uniform(-1.0, 0.2)), float(rng.uniform(0.2, 0.6))


@exercise("checkpoint_neuron", part="u_bar", stated="Step 3: ∂L/∂u, written with y and u")
def test_u_bar(student, reference, rng):
    """∂L/∂u of ½(y − u)², with its sign."""
    drawn = [draw_neuron(rng) for _ in range(3)]
    all_of = [reference.neuron(*one) for one in drawn]
    points = [[one[3], of["u"].item()] for one, of in zip(drawn, all_of, strict=True)]
    expected = [of["u"].grad.item() for of in all_of]
    assert_close(student.run(evaluate, "u_bar", ["y", "u"], points), expected, name="u_bar")


@exercise("checkpoint_neuron", part="z_bar", stated="Step 4: ∂L/∂z, written with u_bar")
def test_z_bar(student, reference, rng):
    """∂L/∂z is ∂L/∂u times the slope of σ."""
    all_of = [reference.neuron(*draw_neuron(rng)) for _ in range(3)]
    points = [[of["u"].grad.item(), of["u"].item()] for of in all_of]
    expected = [of["z"].grad.item() for of in all_of]
    assert_close(student.run(evaluate, "z_bar", ["u_bar", "u"], points), expected, name="z_bar")


@exercise("checkpoint_neuron", part="w_bar", stated="Step 5: ∂L/∂w, written with z_bar")
def test_w_bar(student, reference, rng):
    """∂L/∂w is the sum over both of its paths."""
    drawn = [draw_neuron(rng) for _ in range(3)]
    all_of = [reference.neuron(*one) for one in drawn]
    points = [
        [of["z"].grad.item(), x, w, lam]
        for (w, _, x, _, lam), of in zip(drawn, all_of, strict=True)
    ]
    expected = [of["w"].grad.item() for of in all_of]
    values = student.run(evaluate, "w_bar", ["z_bar", "x", "w", "lam"], points)
    assert_close(values, expected, name="w_bar")


# ---------------------------------------------------------------------------------- neuron_backward


@exercise("neuron_backward", stated="(L, ∂L/∂w, ∂L/∂b), three numbers")
def test_neuron_backward(student, reference, rng):
    """The loss and both slopes are those that torch finds."""
    point = draw_neuron(rng)
    agree(student, reference, "neuron_backward", *point, called="(L, ∂L/∂w, ∂L/∂b)")


@exercise("neuron_backward", stated="its slopes in w and b", forbid=["autograd"])
def test_neuron_backward_without_penalty(student, reference, rng):
    """With λ = 0 the slopes are those of the squared error alone."""
    w, b, x, y, _ = draw_neuron(rng)
    agree(student, reference, "neuron_backward", w, b, x, y, 0.0, called="(L, ∂L/∂w, ∂L/∂b)")


@exercise("neuron_backward", about="edge", stated="wx + b may be of any size")
def test_neuron_backward_far_out(student, reference, rng):
    """Where wx + b is −900 nothing overflows."""
    w, x, lam = -30.0, 30.0, float(rng.uniform(0.1, 0.3))
    point = (w, 0.5, x, 1.0, lam)
    agree(student, reference, "neuron_backward", *point, called="(L, ∂L/∂w, ∂L/∂b)")


# -------------------------------------------------------------------------------------- activations

FINITE = "They stay finite for entries of any size"


@exercise("activations", part="tanh", stated="tanh of an array")
def test_tanh(student, reference, rng):
    """tanh of every entry of a matrix."""
    z = away_from_zero(rng, 3, 4)
    agree(student, reference, "tanh", z, called="tanh(z)")


@exercise("activations", part="tanh", about="edge", stated="finite for entries of any size")
def test_tanh_far_out(student, reference, rng):
    """At ±1000 tanh is ±1, and at 0 it is 0."""
    z = rng.permutation([-1000.0, 1000.0, 0.0, -1.0, 0.5])
    agree(student, reference, "tanh", z, called="tanh(z)")


@exercise("activations", part="tanh", about="by hand", weight=0.5, stated="without np.tanh",
          forbid=ACTIVATIONS)  # fmt: skip
def test_tanh_by_hand(student, reference, rng):
    """tanh is written with exp."""
    z = away_from_zero(rng, 5)
    agree(student, reference, "tanh", z, called="tanh(z)")


@exercise("activations", part="relu", stated="relu of an array")
def test_relu(student, reference, rng):
    """relu keeps what is positive, and makes the rest 0."""
    z = away_from_zero(rng, 3, 4)
    agree(student, reference, "relu", z, called="relu(z)")


@exercise("activations", part="prelu", stated="prelu of an array")
def test_prelu(student, reference, rng):
    """prelu multiplies the negative entries by α."""
    z, alpha = away_from_zero(rng, 3, 4), float(rng.uniform(0.1, 0.6))
    agree(student, reference, "prelu", z, alpha, called="prelu(z)")


@exercise("activations", part="prelu", about="detail", stated="negative, or above 1, too")
def test_prelu_for_any_alpha(student, reference, rng):
    """α may be above 1, or negative."""
    z = away_from_zero(rng, 8)
    for alpha in (float(rng.uniform(1.5, 3)), float(rng.uniform(-1, -0.3))):
        agree(student, reference, "prelu", z, alpha, called="prelu(z)")


@exercise("activations", part="silu", stated="silu of an array")
def test_silu(student, reference, rng):
    """silu is z σ(z)."""
    z = away_from_zero(rng, 3, 4)
    agree(student, reference, "silu", z, called="silu(z)")


@exercise("activations", part="gelu", stated="The exact gelu of an array")
def test_gelu(student, reference, rng):
    """gelu is z Φ(z), exactly."""
    z = away_from_zero(rng, 3, 4)
    agree(student, reference, "gelu", z, called="gelu(z)")


# -------------------------------------------------------------------------------- activation_slopes


@exercise("activation_slopes", part="tanh_slope", stated="Slope of tanh at every entry of z")
def test_tanh_slope(student, reference, rng):
    """The slope of tanh."""
    z = away_from_zero(rng, 3, 4)
    agree(student, reference, "tanh_slope", z, called="tanh_slope(z)")


@exercise("activation_slopes", part="relu_slope", stated="Slope of relu at every entry of z")
def test_relu_slope(student, reference, rng):
    """The slope of relu on either side of 0."""
    z = away_from_zero(rng, 3, 4)
    agree(student, reference, "relu_slope", z, called="relu_slope(z)")


@exercise("activation_slopes", part="relu_slope", about="edge", stated="0 at 0")
def test_relu_slope_at_zero(student, reference, rng):
    """At 0 the slope of relu is 0, as in torch."""
    z = rng.permutation([0.0, 1.0, -1.0, 0.0])
    agree(student, reference, "relu_slope", z, called="relu_slope(z)")


@exercise("activation_slopes", part="relu_slope", about="form", weight=0.5,
          stated="of z's dtype")  # fmt: skip
def test_relu_slope_keeps_float32(student, reference, rng):
    """The slope of relu at a float32 array is a float32 array."""
    z = away_from_zero(rng, 5).astype(np.float32)
    agree(student, reference, "relu_slope", z, called="relu_slope(z)")


@exercise("activation_slopes", part="prelu_slopes", stated="(slope in z, slope in α)")
def test_prelu_slopes(student, reference, rng):
    """prelu has a slope in z and one in α."""
    z, alpha = away_from_zero(rng, 11), float(rng.uniform(0.1, 0.6))
    agree(student, reference, "prelu_slopes", z, alpha, called="prelu_slopes(z, α)")


@exercise("activation_slopes", part="prelu_slopes", about="edge", stated="at 0 they are α and 0")
def test_prelu_slopes_at_zero(student, reference, rng):
    """At 0 prelu's slopes are those of the negative side."""
    z, alpha = rng.permutation([0.0, 0.7, -1.5]), float(rng.uniform(0.1, 0.6))
    agree(student, reference, "prelu_slopes", z, alpha, called="prelu_slopes(z, α)")


@exercise("activation_slopes", part="silu_slope", stated="Slope of silu at every entry of z")
def test_silu_slope(student, reference, rng):
    """The slope of silu: both terms of the product rule."""
    z = away_from_zero(rng, 3, 4)
    agree(student, reference, "silu_slope", z, called="silu_slope(z)")


@exercise("activation_slopes", part="gelu_slope", stated="Slope of the exact gelu")
def test_gelu_slope(student, reference, rng):
    """The slope of gelu: both terms of the product rule."""
    z = away_from_zero(rng, 3, 4)
    agree(student, reference, "gelu_slope", z, called="gelu_slope(z)")


# --------------------------------------------------------------------------------------------- Dual


def dual_reference(reference, name, left, right):
    """Value and slope of an operation on two sides, each a number or [value, dot]."""
    sides = [left, right]
    pairs = [side for side in sides if isinstance(side, list)]
    places = iter(range(len(pairs)))
    operands = (next(places) if isinstance(side, list) else float(side) for side in sides)
    program = [[name, *operands]]
    value, slopes = reference.run(program, [pair[0] for pair in pairs])
    return [value, sum(s * pair[1] for s, pair in zip(slopes, pairs, strict=True))]


def draw_pair(rng):
    """A value and a slope, as a list."""
    return [float(rng.uniform(0.5, 2.0)), float(away_from_zero(rng, 1)[0])]


def compare_duals(student, reference, name, *cases):
    expected = [number for pair in cases for number in dual_reference(reference, name, *pair)]
    found = student.run(dual_operations, name, [list(pair) for pair in cases])
    assert_close(found, np.array(expected), name="the values and dots")


def draw_cases(rng):
    """Three pairs of Duals."""
    return [(draw_pair(rng), draw_pair(rng)) for _ in range(3)]


@exercise("Dual", stated="self + other")
def test_dual_sums(student, reference, rng):
    """A sum adds the slopes, a difference subtracts them."""
    compare_duals(student, reference, "add", *draw_cases(rng))
    compare_duals(student, reference, "sub", *draw_cases(rng))


@exercise("Dual", stated="self · other, formula (4)")
def test_dual_product(student, reference, rng):
    """The slope of a product has two terms."""
    compare_duals(student, reference, "mul", *draw_cases(rng))


@exercise("Dual", stated="self / other")
def test_dual_quotient(student, reference, rng):
    """The slope of a quotient."""
    compare_duals(student, reference, "truediv", *draw_cases(rng))


@exercise("Dual", stated="self to a power; exponent is a plain number")
def test_dual_power(student, reference, rng):
    """The slope of a power with a constant exponent, whole, negative or broken."""
    cases = [(draw_pair(rng), exponent) for exponent in (3, -1.5, 2.0)]
    compare_duals(student, reference, "pow", *cases)


@exercise("Dual", about="detail", stated="Mixes with plain numbers on either side")
def test_dual_with_numbers(student, reference, rng):
    """A plain number on the right side is a constant."""
    for name in ("add", "sub", "mul", "truediv"):
        cases = [(draw_pair(rng), float(rng.uniform(1.5, 3.0))) for _ in range(3)]
        compare_duals(student, reference, name, *cases)


@exercise("Dual", about="detail", stated="Mixes with plain numbers on either side")
def test_dual_after_numbers(student, reference, rng):
    """A plain number on the left side is a constant: 2 − v and 2 / v."""
    for name in ("sub", "truediv", "add", "mul"):
        cases = [(float(rng.uniform(1.5, 3.0)), draw_pair(rng)) for _ in range(3)]
        compare_duals(student, reference, name, *cases)


# ----------------------------------------------------------------------------------- dual_functions


@exercise("dual_functions", part="dual_sin", stated="sin of a Dual, as a Dual")
def test_dual_sin(student, reference, rng):
    """sin hands on its slope times the slope of its argument."""
    v, dot = draw_pair(rng)
    value, slopes = reference.run([["sin", 0]], [v])
    assert_close(student.run(dual_function, "dual_sin", v, dot), [value, slopes[0] * dot],
                 name="[value, dot]")  # fmt: skip


@exercise("dual_functions", part="dual_exp", stated="e^v of a Dual, as a Dual")
def test_dual_exp(student, reference, rng):
    """exp hands on its slope times the slope of its argument."""
    v, dot = draw_pair(rng)
    value, slopes = reference.run([["exp", 0]], [v])
    assert_close(student.run(dual_function, "dual_exp", v, dot), [value, slopes[0] * dot],
                 name="[value, dot]")  # fmt: skip


@exercise("dual_functions", part="dual_log", stated="log of a Dual, as a Dual")
def test_dual_log(student, reference, rng):
    """log hands on its slope times the slope of its argument."""
    v, dot = draw_pair(rng)
    value, slopes = reference.run([["log", 0]], [v])
    assert_close(student.run(dual_function, "dual_log", v, dot), [value, slopes[0] * dot],
                 name="[value, dot]")  # fmt: skip


@exercise("dual_functions", part="forward_gradient", about="detail", weight=0.5,
          stated="f: takes as many Duals as x has entries")  # fmt: skip
def test_forward_gradient_of_the_example(student, reference, rng):
    """The gradient of x₁x₂ + exp(x₁x₂) − sin x₂, formula (5)."""
    x = rng.uniform(0.5, 1.5, size=2).tolist()
    program = [["mul", 0, 1], ["exp", 2], ["sin", 1], ["add", 2, 3], ["sub", 5, 4]]
    _, expected = reference.run(program, x)
    assert_close(student.run(gradient_of_example, x), np.array(expected), name="the gradient")


@exercise("dual_functions", part="forward_gradient",
          stated="The gradient of f at x by forward mode")  # fmt: skip
def test_forward_gradient(student, reference, rng):
    """One run for each input: three inputs, three slopes."""
    program = [["mul", 0, 1], ["mul", 3, 3], ["mul", 1, 2], ["sub", 4, 5], ["add", 6, 0]]
    x = rng.uniform(0.5, 2.0, size=3).tolist()
    _, expected = reference.run(program, x)
    assert_close(student.run(gradient_by_passes, program, x), np.array(expected),
                 name="the gradient")  # fmt: skip


# ------------------------------------------------------------------------------ checkpoint_adjoints


def adjoints(x1, x2):
    """All numbers of the trace of f = x₁x₂ + exp(x₁x₂) − sin x₂, with torch's gradients kept."""
    v = {1: tensor(x1), 2: tensor(x2)}
    v[3] = v[1] * v[2]
    v[4] = torch.sin(v[2])
    v[5] = torch.exp(v[3])
    v[6] = v[3] - v[4]
    v[7] = v[5] + v[6]
    for node in v.values():
        node.retain_grad()
    # The general rule, for output gradients other than 1: v̄₅ and v̄₆ differ.
    (1.7 * v[5] + 0.6 * v[6]).backward()
    return {i: (node.item(), None if node.grad is None else node.grad.item())
            for i, node in v.items()}  # fmt: skip


def adjoint_points(rng):
    return [adjoints(float(rng.uniform(0.3, 0.9)), float(rng.uniform(0.4, 1.2))) for _ in range(3)]


@exercise("checkpoint_adjoints", part="v4_bar", stated="∂f/∂v₄, written with v6_bar")
def test_v4_bar(student, rng):
    """v₄ has one child, v₆ = v₃ − v₄."""
    found = adjoint_points(rng)
    values = student.run(evaluate, "v4_bar", ["v6_bar"], [[v[6][1]] for v in found])
    assert_close(values, [v[4][1] for v in found], name="v4_bar")


@exercise("checkpoint_adjoints", part="v3_bar", stated="∂f/∂v₃, written with v5_bar, v6_bar")
def test_v3_bar(student, rng):
    """v₃ has two children, and collects from both."""
    found = adjoint_points(rng)
    points = [[v[5][1], v[6][1], v[5][0]] for v in found]
    values = student.run(evaluate, "v3_bar", ["v5_bar", "v6_bar", "v5"], points)
    assert_close(values, [v[3][1] for v in found], name="v3_bar")


@exercise("checkpoint_adjoints", part="v2_bar", stated="∂f/∂v₂, written with v3_bar, v4_bar")
def test_v2_bar(student, rng):
    """v₂ has two children, and collects from both."""
    found = adjoint_points(rng)
    points = [[v[3][1], v[4][1], v[1][0], v[2][0]] for v in found]
    values = student.run(evaluate, "v2_bar", ["v3_bar", "v4_bar", "v1", "v2"], points)
    assert_close(values, [v[2][1] for v in found], name="v2_bar")


# -------------------------------------------------------------------------------------------- Value


def value_reference(reference, name, left, right):
    """The result of an operation on two sides, and its slope in each that is a list [data]."""
    sides = [left, right]
    inputs = [side[0] for side in sides if isinstance(side, list)]
    places = iter(range(len(inputs)))
    operands = (next(places) if isinstance(side, list) else float(side) for side in sides)
    program = [[name, *operands]]
    value, slopes = reference.run(program, inputs)
    return [value, *slopes]


def compare_values(student, reference, name, *cases):
    expected = [number for pair in cases for number in value_reference(reference, name, *pair)]
    found = student.run(value_operations, name, [list(pair) for pair in cases])
    assert_close(found, np.array(expected), name="results and slopes")


def draw_datum(rng):
    return [float(rng.uniform(0.5, 2.0))]


@exercise("Value", stated="self + other, a new Value")
def test_value_sum(student, reference, rng):
    """A sum has the slope 1 in both of its parents."""
    cases = [(draw_datum(rng), draw_datum(rng)) for _ in range(3)]
    compare_values(student, reference, "add", *cases)


@exercise("Value", stated="self · other, a new Value")
def test_value_product(student, reference, rng):
    """A product's slopes in its two parents."""
    cases = [(draw_datum(rng), draw_datum(rng)) for _ in range(3)]
    compare_values(student, reference, "mul", *cases)


@exercise("Value", stated="self to a power, a new Value; exponent is a plain number")
def test_value_power(student, reference, rng):
    """The slope of a power with a constant exponent, whole, negative or broken."""
    cases = [(draw_datum(rng), exponent) for exponent in (3, -1.5, 2.0)]
    compare_values(student, reference, "pow", *cases)


@exercise("Value", about="detail", stated="other is a Value or a plain number")
def test_value_with_numbers(student, reference, rng):
    """Plain numbers may stand on either side."""
    for name in ("add", "mul"):
        numbers = rng.uniform(1.5, 3.0, size=4).tolist()
        cases = [(draw_datum(rng), number) for number in numbers[:2]]
        cases += [(number, draw_datum(rng)) for number in numbers[2:]]
        compare_values(student, reference, name, *cases)


# ---------------------------------------------------------------------------------- value_functions


def compare_function(student, reference, name, datum):
    value, slopes = reference.run([[name, 0]], [datum])
    assert_close(student.run(value_function, f"value_{name}", datum), [value, *slopes],
                 name="[data, slope]")  # fmt: skip


@exercise("value_functions", part="exp", stated="e^v, a new Value")
def test_value_exp(student, reference, rng):
    """exp and its slope."""
    compare_function(student, reference, "exp", float(rng.uniform(0.4, 1.6)))


@exercise("value_functions", part="relu", stated="relu(v), a new Value")
def test_value_relu(student, reference, rng):
    """relu and its slope on either side of 0."""
    compare_function(student, reference, "relu", float(rng.uniform(1.3, 2.0)))
    compare_function(student, reference, "relu", float(rng.uniform(-2.0, -1.3)))


@exercise("value_functions", part="relu", about="edge", stated="the slope at 0 is 0")
def test_value_relu_at_zero(student, reference):
    """At 0 the slope of relu is 0."""
    compare_function(student, reference, "relu", 0.0)


@exercise("value_functions", part="sigmoid", stated="σ(v), a new Value")
def test_value_sigmoid(student, reference, rng):
    """σ and its slope."""
    compare_function(student, reference, "sigmoid", float(rng.uniform(0.8, 1.6)))


@exercise("value_functions", part="sigmoid", about="edge", stated="for v of any size")
def test_value_sigmoid_far_out(student, reference):
    """At −1000 and 1000 nothing overflows."""
    compare_function(student, reference, "sigmoid", -1000.0)
    compare_function(student, reference, "sigmoid", 1000.0)


@exercise("value_functions", part="tanh", stated="tanh(v), a new Value")
def test_value_tanh(student, reference, rng):
    """tanh and its slope."""
    compare_function(student, reference, "tanh", float(rng.uniform(0.5, 1.2)))


# ----------------------------------------------------------------------------------------- backward


def compare_graph(student, reference, graph, **options):
    assert_close(
        student.run(gradients_of_graph, graph, **options), reference.graph_gradients(graph),
        name="the grad of each node",
    )


@exercise("backward", stated="v.grad is ∂output/∂v for output itself, its parents, their parents")
def test_backward_of_a_chain(student, reference, rng):
    """In a chain the slopes are multiplied from the output downwards."""
    slopes = away_from_zero(rng, 4).tolist()
    graph = [([], []), *(([i], [slope]) for i, slope in enumerate(slopes))]
    compare_graph(student, reference, graph)


@exercise("backward", stated="A Value may be used several times, even twice in one operation")
def test_backward_of_a_node_used_twice(student, reference, rng):
    """What a node hands down is added to what has arrived, also for x · x."""
    a, b, c, d = away_from_zero(rng, 4).tolist()
    graph = [([], []), ([], []), ([0, 0], [a, b]), ([1, 0], [c, d]), ([2, 3], [1.5, -0.5])]
    compare_graph(student, reference, graph)


@exercise("backward", stated="v.grad is ∂output/∂v for output itself, its parents, their parents")
def test_backward_in_the_right_order(student, reference, rng):
    """A node that is reached by a short way and a long one waits for both."""
    a, b, c, d, e, f = rng.uniform(0.5, 1.5, 6).tolist()
    graph = [([], []), ([0], [a]), ([1], [b]), ([2], [c]), ([1, 3, 1], [d, e, f])]
    compare_graph(student, reference, graph)


@exercise("backward", stated="A Value may be used several times")
def test_backward_of_a_random_graph(student, reference, rng):
    """A random graph of twelve nodes, as torch differentiates it."""
    compare_graph(student, reference, draw_graph(rng, 9))


@exercise("backward", about="detail", stated="from an earlier call, is forgotten")
def test_backward_called_again(student, reference, rng):
    """A second call on the same graph gives the same gradients."""
    compare_graph(student, reference, [([], []), ([0], [1.5]), ([1, 0], [0.5, -2.0])], calls=2)


@exercise("backward", about="edge", weight=0.5,
          stated="fill in grad of every Value that output was computed from")  # fmt: skip
def test_backward_leaves_other_values_alone(student, rng):
    """A Value that the output was not computed from gets nothing."""
    assert_close(student.run(grad_of_a_bystander, float(rng.uniform(0.5, 1.5))), 0.0,
                 name="the grad of a Value that is not in the graph")  # fmt: skip


# ----------------------------------------------------------------------------------------- break_it


def graph_of(rows, point):
    """The nodes of a recorded expression at a point, each as pairs (parent, slope)."""
    values, graph = [tensor(point)], [[]]
    for operation, left, right, is_constant in rows.tolist():
        parents = [int(left)] if is_constant else [int(left), int(right)]
        # Each operand is an input of its own, so that x · x has two slopes.
        own = [tensor(values[parent].item()) for parent in parents]
        result = (operator.add, operator.mul, operator.pow)[int(operation)](
            own[0], right if is_constant else own[1]
        )
        slopes = torch.autograd.grad(result, own)
        graph.append([(p, slope.item()) for p, slope in zip(parents, slopes, strict=True)])
        values.append(result)
    return graph


def swept(graph, output, *, hasty):
    """All gradients of a graph, by an engine that takes nodes as it meets them, or in order."""
    grads = torch.zeros(len(graph), dtype=torch.float64)
    grads[output] = 1.0
    order = [output] if hasty else list(range(output, -1, -1))
    for number in order:
        for parent, slope in graph[number]:
            grads[parent] += slope * grads[number]
            if hasty and parent not in order:
                order.append(parent)
    return grads.tolist()


def both_gradients(student, point):
    """(hasty, right) gradients in x of the student's expression."""
    rows, output = student.run(recorded_expression, "breaks_hasty_backward")
    graph = graph_of(rows, point)
    return tuple(swept(graph, output, hasty=hasty)[0] for hasty in (True, False))


@exercise("break_it", stated="hasty_backward's gradient of it is wrong at 0.5")
def test_hasty_backward_is_wrong(student):
    """On your expression the hasty engine's gradient is wrong by at least 1 %."""
    hasty, right = both_gradients(student, 0.5)
    assert abs(hasty - right) > 0.01 * abs(right), (
        f"both engines find the gradient {right:.4g}: let a node be used directly, and by a longer "
        "way"
    )


# ---------------------------------------------------------------------------------- linear_backward


@exercise("linear_backward", stated="(∂L/∂X, ∂L/∂W, ∂L/∂b)")
def test_linear_backward(student, reference, rng):
    """All three gradients of a layer with 4 inputs and 3 outputs, for 5 rows."""
    X, W, G = rng.normal(size=(5, 4)), rng.normal(size=(4, 3)), rng.normal(size=(5, 3))
    agree(student, reference, "linear_backward", G, X, W, called="(∂L/∂X, ∂L/∂W, ∂L/∂b)")


@exercise("linear_backward", stated="of the shapes of X, W and b")
def test_linear_backward_of_a_square_layer(student, reference, rng):
    """A square layer and a square batch: wrong products have the right shapes here."""
    X, W, G = (rng.normal(size=(4, 4)) for _ in range(3))
    agree(student, reference, "linear_backward", G, X, W, called="(∂L/∂X, ∂L/∂W, ∂L/∂b)")


@exercise("linear_backward", about="arguments", weight=0.5,
          stated="leave their arguments as they were")  # fmt: skip
def test_linear_backward_leaves_its_arguments_alone(student, reference, rng):
    """upstream, X and W are the same after the call."""
    X, W, G = rng.normal(size=(5, 4)), rng.normal(size=(4, 3)), rng.normal(size=(5, 3))
    agree(student, reference, "linear_backward", G, X, W, called="(∂L/∂X, ∂L/∂W, ∂L/∂b)")
    assert_unmodified(student)


# -------------------------------------------------------------------------------------- mlp_forward


def draw_network(rng, sizes, rows):
    """X, weights and biases; the pre-activations are neither tiny nor saturated."""
    X = rng.uniform(0.3, 1.2, size=(rows, sizes[0])) * rng.choice([-1, 1], size=(rows, sizes[0]))
    weights = [rng.normal(size=(a, b)) / np.sqrt(a) for a, b in pairwise(sizes)]
    return X, weights, [away_from_zero(rng, b, low=0.2, high=0.6) for b in sizes[1:]]


@exercise("mlp_forward", stated="The list of all L pre-activations Z_1 … Z_L")
def test_mlp_forward(student, reference, rng):
    """All pre-activations of a network of three layers."""
    X, weights, biases = draw_network(rng, [3, 5, 3, 2], 6)
    agree(student, reference, "mlp_forward", X, weights, biases, called="the pre-activations")


@exercise("mlp_forward", stated="a list of L ≥ 1 matrices")
def test_mlp_forward_of_one_layer(student, reference, rng):
    """A network of one layer is linear: no tanh before its output, none after it."""
    X, weights, biases = draw_network(rng, [3, 2], 4)
    agree(student, reference, "mlp_forward", X, weights, biases, called="the pre-activations")


@exercise("mlp_forward", about="arguments", weight=0.5, stated="leave their arguments as they were")
def test_mlp_forward_leaves_its_arguments_alone(student, reference, rng):
    """X, the weights and the biases are the same after the call."""
    X, weights, biases = draw_network(rng, [3, 4, 2], 5)
    agree(student, reference, "mlp_forward", X, weights, biases, called="the pre-activations")
    assert_unmodified(student)


# ------------------------------------------------------------------------------------- mlp_backward


def compare_network(student, reference, rng, sizes, rows):
    X, weights, biases = draw_network(rng, sizes, rows)
    delta = away_from_zero(rng, rows, sizes[-1])
    pre = reference.mlp_forward(X, weights, biases)
    assert_close(student.mlp_backward(delta, X, pre, weights),
                 reference.mlp_backward(delta, X, weights, biases),
                 name="(grads_W, grads_b)")  # fmt: skip


@exercise("mlp_backward", stated="two lists of L arrays, of the shapes of the weights and biases")
def test_mlp_backward_of_two_layers(student, reference, rng):
    """One hidden layer: the error goes back through the weights and through tanh."""
    compare_network(student, reference, rng, [3, 4, 2], 6)


@exercise("mlp_backward", stated="two lists of L arrays, of the shapes of the weights and biases")
def test_mlp_backward_of_square_layers(student, reference, rng):
    """Three hidden layers, all square: each error is made from the one after it."""
    compare_network(student, reference, rng, [3, 3, 3, 3, 3], 5)


@exercise("mlp_backward", about="edge", stated="the list of L matrices")
def test_mlp_backward_of_one_layer(student, reference, rng):
    """A network of one layer has no hidden error."""
    compare_network(student, reference, rng, [4, 3], 5)


@exercise("mlp_backward", about="arguments", weight=0.5,
          stated="leave their arguments as they were")  # fmt: skip
def test_mlp_backward_leaves_its_arguments_alone(student, reference, rng):
    """delta, X, the pre-activations and the weights are the same after the call."""
    compare_network(student, reference, rng, [3, 4, 2], 6)
    assert_unmodified(student)


# ----------------------------------------------------------------------------------- gradient_check

CHECKED = {
    "plane": lambda v: torch.sum(v.flatten() * (2 + torch.arange(v.numel())) / 4),
    "tiny": lambda v: 1e-7 * CHECKED["plane"](v),
    "huge": lambda v: 1e7 * CHECKED["plane"](v),
    "curved": lambda v: torch.sum(torch.sin(200 * v)) / 200,
    "constant": lambda v: 0 * torch.sum(v),
}


def case(reference, rng, kind, change=None, shape=(6,)):
    """[function, gradient, point], the gradient right or changed."""
    x = rng.uniform(0.2, 1.0, size=shape) * np.linspace(1, 1.6, int(np.prod(shape))).reshape(shape)
    if kind == "curved":
        # One entry, so that no direction is nearly flat; a slope of ½, and a curvature of 170.
        x = (rng.uniform(0.9, 1.1, size=1) + 2 * np.pi * rng.integers(1, 9, size=1)) / 200
    grad = reference.gradient(CHECKED[kind], x)
    return [kind, grad if change is None else change(grad), x]


def compare_verdicts(student, cases, verdicts, seed):
    says = student.run(checked, cases, seed)
    for given, right, (kind, _, _) in zip(says, verdicts, cases, strict=True):
        size = {"tiny": " of a very small function", "huge": " of a very large function"}
        what = ("right" if right else "wrong") + " gradient" + size.get(kind, "")
        assert given == right, f"a {what} {'fails' if right else 'passes'} your check"


def seed_of(rng):
    return int(rng.integers(2**31))


@exercise("gradient_check", stated="Whether grad is the gradient of f at x")
def test_gradient_check_passes_right_gradients(student, reference, rng):
    """Right gradients pass, those of vectors and of matrices."""
    cases = [case(reference, rng, "plane"), case(reference, rng, "plane", shape=(3, 2))]
    compare_verdicts(student, cases, [True, True], seed_of(rng))


@exercise("gradient_check", stated="Whether grad is the gradient of f at x")
def test_gradient_check_flags_wrong_gradients(student, reference, rng):
    """A sign, a factor 2, one wrong entry, and zeros are flagged."""

    def one_entry(grad):
        wrong = grad.copy()
        wrong[int(rng.integers(1, len(grad)))] *= 1.3
        return wrong

    changes = [lambda g: -g, lambda g: 2 * g, one_entry, np.zeros_like]
    cases = [case(reference, rng, "plane", change) for change in changes]
    compare_verdicts(student, cases, [False] * 4, seed_of(rng))


@exercise("gradient_check", stated="along each of 10 random directions")
def test_gradient_check_flags_swapped_entries(student, reference, rng):
    """A gradient in the wrong order is flagged: along (1, …, 1) it looks right."""
    cases = [case(reference, rng, "plane", lambda g: np.roll(g, 1))]
    compare_verdicts(student, cases, [False], seed_of(rng))


@exercise("gradient_check", stated="at most 1e-4 of the larger of their sizes")
def test_gradient_check_is_relative(student, reference, rng):
    """Wrong gradients of tiny functions are flagged, right ones of huge functions pass."""
    cases = [
        case(reference, rng, "tiny", lambda g: 1.5 * g), case(reference, rng, "tiny"),
        case(reference, rng, "huge"), case(reference, rng, "huge", lambda g: 1.01 * g),
    ]
    compare_verdicts(student, cases, [False, True, True, False], seed_of(rng))


@exercise("gradient_check", about="detail", stated="h = 1e-5, both sides")
def test_gradient_check_of_a_curved_function(student, reference, rng):
    """Where the slope changes quickly, a right gradient passes still."""
    cases = [case(reference, rng, "curved") for _ in range(3)]
    compare_verdicts(student, cases, [True] * 3, seed_of(rng))


@exercise("gradient_check", about="edge",
          stated="A gradient of zeros is right for a constant function")  # fmt: skip
def test_gradient_check_of_a_constant(student, reference, rng):
    """For a constant function zeros pass, and ones do not."""
    cases = [
        case(reference, rng, "constant"), case(reference, rng, "constant", np.ones_like),
    ]
    compare_verdicts(student, cases, [True, False], seed_of(rng))


# ------------------------------------------------------------------------------------------- hints

HINTS = {
    "numerical_gradient": [
        "In the difference of the two lines of (1), how often does h times the slope occur?",
        "Work on a float64 copy of x. Go through its entries with np.ndindex(x.shape); change one, "
        "call f twice, and put the entry back before you go on.",
        "For f(x) = x³ at x = 2 with h = 0.5 the quotient is 12.25: the slope 12, and h² too much.",
    ],
    "checkpoint_neuron": [
        "Each answer is what came from above times the slope of one line of (2).",
        "The inner derivative of y − u is −1. The slope of σ, with u = σ(z), is a product of u and "
        "something. In step 5 there are two paths: through z, with slope x, and through r.",
        "With y = 1 and u = 0.8: ū = −0.2 and z̄ = −0.032. With x = 2, w = 3, λ = 0.1 and this z̄: "
        "w̄ = −0.064 + 0.6 = 0.536.",
    ],
    "neuron_backward": [
        "First z, u and L as in (2), then your lines of steps 3 to 5, with numbers.",
        "b stands on one line of (2) only, z = wx + b, with the slope 1.",
        "For w = 3, b = −2, x = 1, y = 0, λ = 0.1: L ≈ 1.1672, ∂L/∂w ≈ 0.7437, ∂L/∂b ≈ 0.1437.",
    ],
    "activations": [
        "For tanh compute the value at |z| first. Which of e^(2|z|) and e^(−2|z|) never overflows?",
        "np.sign(z) puts the sign back. For prelu, np.where(z > 0, …, …); do not take a maximum of "
        "z and αz, for with α > 1 the smaller one is wanted.",
        "At z = −1.5: tanh −0.9051, relu 0, prelu (α = 0.2) −0.3, silu −0.2736, gelu −0.1002.",
    ],
    "activation_slopes": [
        "2σ(2z) = 1 + t: then 2(1 − σ(2z)) is 1 − t. Multiply the two.",
        "silu' = σ(z) + z·(slope of σ); gelu' = Φ(z) + z·φ(z). In α, prelu's slope is what α is "
        "multiplied by: something on the negative side, and nothing on the positive one.",
        "At z = −1.5: tanh 0.1807, relu 0, prelu (α = 0.2) 0.2 and −1.5, silu −0.0413, "
        "gelu −0.1275.",
    ],
    "Dual": [
        "Multiply (4) out. The term with ε² is 0; two terms carry ε.",
        "For the quotient: from ȧ = q̇b + qḃ follows q̇ = (ȧ − qḃ)/b. A number on the left side "
        "becomes Dual(other), and then your own operators do the rest.",
        "With a = Dual(3, 1) and b = Dual(2, 5): a·b is (6, 17), a/b is (1.5, −3.25), a**2 is "
        "(9, 6), 1/b is (0.5, −1.25).",
    ],
    "dual_functions": [
        "The new value is g(v), the new dot is g'(v) times the old dot.",
        "In forward_gradient, run f len(x) times; in run i, Dual number i starts with dot 1 and "
        "all others with 0.",
        "dual_exp(Dual(0, 3)) is (1, 3); dual_log(Dual(2, 3)) is (0.6931, 1.5). Of (5) at (2, 1) "
        "the gradient is about (8.389, 16.238).",
    ],
    "checkpoint_adjoints": [
        "Look for the variable on the right sides of (6): each line in which it stands is a child.",
        "v₃ stands in v₅ (slope e^(v₃) = v₅) and in v₆ (slope 1); v₂ stands in v₃ and in v₄. The "
        "slope of v₆ in v₄ is −1.",
        "With v̄₅ = 2, v̄₆ = 3 and v₅ = 4: v̄₃ = 11. With v̄₃ = 11, v̄₄ = −3, v₁ = 2 and v₂ = 0: "
        "v̄₂ = 19.",
    ],
    "Value": [
        "How much does a · b change when a changes a little? That is the slope in a.",
        "Value(result, (self, other), (slope in self, slope in other)). The power has one parent, "
        "so write (self,) and (slope,) with a comma.",
        "For a = Value(3.0) and b = Value(2.0): the slopes of a * b are (2.0, 3.0), and that of "
        "a ** 3 is 27.",
    ],
    "value_functions": [
        "Value(result, (v,), (slope at v.data,)). The slopes are those of Exercises 3 and 5.",
        "Compute the result first: exp's slope is the result itself, those of σ and tanh are "
        "written with the result alone.",
        "At 0.5 result and slope are: exp 1.6487 and 1.6487, σ 0.6225 and 0.2350, tanh 0.4621 and "
        "0.7864; relu at 0 has the slope 0.",
    ],
    "backward": [
        "Two walks. The first finds all nodes, sets their grads to 0 and prepares the order; the "
        "second hands gradients down, beginning with output.grad = 1.",
        "By counting: uses[parent] += 1 for each edge in the first walk. In the second, after "
        "parent.grad += slope · node.grad, count down; at 0 the parent is ready.",
        "a = Value(3.0); out = a * a + a: afterwards out.grad is 1 and a.grad is 7. If you get 1 "
        "or 3, you assigned where you should add.",
    ],
    "break_it": [
        "It goes wrong at a node that hands on before its gradient is finished.",
        "Let an inner node (not x itself: x hands nothing on) be a parent of the output and also "
        "a parent of another parent of the output.",
        "Name an inner node a = 3·x. In a sum of a and something made of a in two steps, "
        "hasty_backward takes a while its gradient is 1, although more will come.",
    ],
    "linear_backward": [
        "In Σ_k G_ik W_dk the index k is summed over. In a product A @ B the last index of A and "
        "the first of B are summed over: which of the two must be transposed?",
        "For W: Σ_i X_id G_ik has i in first place in both, so X is transposed. The bias has slope "
        "1 in every row.",
        "X = [[1, 2]], W = [[3], [4]], upstream = [[10]]: the gradients are [[30, 40]], "
        "[[10], [20]] and [10].",
    ],
    "mlp_forward": [
        "A loop over zip(weights, biases), with H as what goes into the next layer.",
        "Keep Z before tanh is applied. The first layer's input is X as it is.",
        "X = [[1.0]], weights [[[2.0]], [[3.0]]], biases [[0.0], [1.0]]: Z₁ = [[2]], "
        "Z₂ = [[3·tanh 2 + 1]] ≈ [[3.8921]].",
    ],
    "mlp_backward": [
        "Write down the inputs H of all layers first: X, and tanh of every pre-activation but the "
        "last. Then go through the layers from the last to the first.",
        "In each layer: Hᵀδ and the sum of δ over the rows; then, if there is a layer before it, "
        "the new δ is (δ Wᵀ) times the slope of tanh at that layer's pre-activation.",
        "The network of the last hint of mlp_forward with delta = [[1.0]]: grads_W are [[0.2120]] "
        "and [[0.9640]], grads_b are [0.2120] and [1.0].",
    ],
    "gradient_check": [
        "In each of 10 rounds draw u, and compare two numbers: a measured slope and a sum.",
        "measured = (f(x + h·u) − f(x − h·u)) / 2h, claimed = np.sum(grad · u). Wrong if their "
        "difference is larger than 1e-4 · max(|measured|, |claimed|).",
        "If the measured slope is 0.002 and the claimed one 0.003, the answer is False: they "
        "differ by a third of the larger one, though by 0.001 only. With 0 and 0 it goes on.",
    ],
}

DERIVATION = {
    "numerical_gradient": "step 1: the difference of the two lines of (1)",
    "checkpoint_neuron": "steps 3 to 5: what comes from above, times the slope of one line",
    "neuron_backward": "steps 2 to 5, in numbers",
    "activations": "formula (3), and tanh(−z) = −tanh z",
    "activation_slopes": "steps 6 to 8",
    "Dual": "step 9: formula (4) and the quotient from the product",
    "dual_functions": "step 10: the chain rule for one Dual",
    "checkpoint_adjoints": "step 11: formula (7), child by child",
    "Value": "the table: slopes of a single operation",
    "value_functions": "steps 4 and 6: slopes written with the result",
    "backward": "formula (7) from the giver's side, and step 12 for the order",
    "break_it": "step 12: who hands on before its gradient is finished?",
    "linear_backward": "step 13: sums with indices, as matrix products",
    "mlp_forward": "formula (8)",
    "mlp_backward": "steps 14 and 15: the error of a layer from the one after it",
    "gradient_check": "step 16: a random direction, and a relative comparison",
}
