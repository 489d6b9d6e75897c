"""Lab 06, the tests that you can read: variances, initializers, gradients by depth, normalization.

The oracle is torch, executed. What an initializer draws is judged by summaries of 250,000 numbers
or more, rounded so coarsely that a right answer is turned away less often than once in ten million
runs, in whatever order it draws.
"""

import math
from functools import cache

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from course_utils.testing import (
    Mismatch,
    agree,
    assert_close,
    assert_expression,
    assert_unmodified,
    exercise,
    probe,
)

HINTS = {
    "variance_steps": [
        "Var(a) = E[a²] − E[a]². What is E[a] of the product, and what is E[x²] in terms of mean "
        "and variance?",
        "E[x²] = Var(x) + E[x]². In step 3 half of z's values, and half of E[z²], survive. Step 4 "
        "applies step 2 and step 3 once in every layer: a power.",
        "product_variance(2, 3, 1) = 20; with n = 8, Var(w) = 0.5, m = 3 and 2 layers, step 4 "
        "gives 12.",
    ],
    "good_variances": [
        "Set the answer of step 2 equal to Var(x), and solve for the variance of the weights.",
        "Step 6: (n_in·Var(w) + n_out·Var(w))/2 = 1. Step 7: n_in·Var(w)/2 = 1. Step 8: the "
        "integral is a²/3. Step 9 is step 8 read from right to left.",
        "For 4 inputs and 12 outputs: 0.25, 0.125, 0.5; torch's 0.0833. A variance of 3 needs "
        "a = 3.",
    ],
    "fans": [
        "In torch, a weight has the outputs on its first axis.",
        "Multiply both numbers of channels by the product of weight.shape[2:], which is 1 for a "
        "matrix.",
        "(6, 4) gives (4, 6); (8, 3, 5, 5) gives (75, 200).",
    ],
    "initializers": [
        "weight.uniform_ and weight.normal_ fill a tensor, and both take generator=.",
        "uniform_ wants the bound √(3·variance), normal_ the standard deviation √variance. All "
        "inside torch.no_grad().",
        "For a weight (200, 600): bound 0.0866 and std 0.05 (Glorot), std 0.0577 (He), bound "
        "0.0408 (torch).",
    ],
    "saturation": [
        "A comparison gives a tensor of True and False; its mean, as numbers, is a share.",
        "Saturated is near +1 or near −1. A unit is a column: it is dead if all of its rows are 0.",
        "h = [[0.99, −0.98], [0.5, 0]]: saturation 0.5. h = [[0, 1], [0, 0]]: half of the units "
        "are dead.",
    ],
    "gradient_norms_by_depth": [
        "model.modules() walks through all layers, nested ones too; isinstance finds the linear "
        "ones.",
        "torch.autograd.grad(loss, weights) returns the gradients and leaves every .grad alone; "
        "with backward you have to zero them first.",
        "A single Linear(1, 2) of zeros, X = [[3.]], y = [0] has the norm 2.1213.",
    ],
    "symmetry": [
        "dL/df = f − y. What is f where both units are alike?",
        "The chain rule goes on through v₁·tanh(w₁x): its slope in w₁ is v₁(1 − tanh²(w₁x))·x, "
        "and in v₁ it is tanh(w₁x).",
        "At w = 1, v = 0.5, x = 1, y = 0: slope_in is 0.1599 and slope_out 0.58.",
    ],
    "batch_norm": [
        "Every column is normalized by its own mean and variance, over dim=0.",
        "((x − mean)²).mean(0) is the biased variance, and n/(n − 1) of it the unbiased one, which "
        "goes into running_var. copy_ or mul_ and add_ fill the running tensors.",
        "x = [[0.], [2.]], γ = 1, β = 0, ε = 3: y is ∓0.5. With α = 0.5 the running mean goes from "
        "0 to 0.5, the running variance from 1 to 1.5.",
    ],
    "break_it": [
        "The unbiased variance is the biased one times n/(n − 1). What is their difference, as a "
        "share of the biased one?",
        "1/(n − 1) is more than 1/4 for few rows, and less than 1/100 for many. A column without "
        "any variance has no difference either.",
        "With 3 rows the share is 1/2, with 128 it is 1/127.",
    ],
    "BatchNorm1d": [
        "torch.nn.Parameter for what is learnt, self.register_buffer(name, tensor) for what is "
        "remembered.",
        "Hand everything on to your batch_norm, self.training too. torch.tensor(0) is an int64 "
        "without axes.",
        "BatchNorm1d(3).state_dict() has five entries: weight, bias, running_mean, running_var and "
        "num_batches_tracked.",
    ],
    "norm_slopes": [
        "μ = (x₁ + … + x_n)/n, so one x_k has the share 1/n in it.",
        "∂s/∂x_k = (∂σ²/∂x_k)/(2s). In step 13 ∂x_i/∂x_k is 1 where i = k and else 0; put steps 11 "
        "and 12 in.",
        "n = 4, s = 2, x̂ = 1: scale_slope 0.25, same_slope 0.25; with x̂_i = −1, other_slope 0.",
    ],
    "batch_norm_backward": [
        "Put other_slope into the sum over i, and add what same_slope has more: g_k/s.",
        "Three terms, divided by s: g, minus a mean of g, minus x̂ times the mean of g·x̂. Means "
        "are over the rows.",
        "x = [[0.], [1.], [5.]], upstream [[1.], [0.], [0.]], γ = 1, ε = 0: ∂loss/∂x is "
        "[[0.1763], [−0.2204], [0.0441]].",
    ],
    "layer_norm": [
        "Now the numbers that belong together lie along the last axis.",
        "mean(dim=-1, keepdim=True): the axis of length 1 lets the row's mean be subtracted from "
        "the row.",
        "x = [[0, 2], [10, 30]], ε = 0: both rows become [−1, 1].",
    ],
    "layer_norm_backward": [
        "Take your batch_norm_backward. Which means go over the features now?",
        "All means along dim=-1 with keepdim=True. γ and β still serve all rows: sum over every "
        "axis but the last.",
        "x = [[0, 1, 5]], upstream [[1, 0, 0]], γ = 1, ε = 0: ∂loss/∂x is "
        "[[0.1763, −0.2204, 0.0441]].",
    ],
}

DERIVATION = {
    "variance_steps": "steps 1 to 4: one product, a sum of products, relu, and depth",
    "good_variances": "steps 5 to 9: set the factor of a layer to 1",
    "fans": "step 2: how many products are in one sum",
    "initializers": "steps 6 to 9: which variance, and which bound it needs",
    "saturation": "the text of Exercise 5: where tanh and relu have no slope",
    "gradient_norms_by_depth": "Part B: the gradient is a product over the other layers",
    "symmetry": "step 10: the chain rule through one of two equal units",
    "batch_norm": "formulas (1) and (2)",
    "break_it": "formula (2): biased times n/(n − 1) is unbiased",
    "BatchNorm1d": "Exercise 10: learnt is a parameter, remembered is a buffer",
    "norm_slopes": "steps 11 to 13: mean, scale, quotient rule",
    "batch_norm_backward": "step 13, summed over i with the weights g_i",
    "layer_norm": "formula (1), over the features of one example",
    "layer_norm_backward": "steps 11 to 13, with the d features of one example",
}

# What the exercises ask for by hand.
NO_INIT = [
    "torch.nn.init.xavier_uniform_", "torch.nn.init.xavier_normal_",
    "torch.nn.init.kaiming_uniform_", "torch.nn.init.kaiming_normal_",
    "torch.nn.init._calculate_fan_in_and_fan_out", "torch.nn.init._calculate_correct_fan",
]
NO_BATCH_NORM = [
    "torch.nn.functional.batch_norm", "torch.batch_norm", "torch.native_batch_norm",
    "torch.nn.BatchNorm1d", "torch.nn.functional.instance_norm",
]
NO_LAYER_NORM = [
    "torch.nn.functional.layer_norm", "torch.layer_norm", "torch.native_layer_norm",
    "torch.nn.LayerNorm", "torch.nn.functional.group_norm",
]


class Reference:
    """torch with the exercises' signatures."""

    BatchNorm1d = torch.nn.BatchNorm1d

    @staticmethod
    def product_variance(var_w, mean_x, var_x):
        w = torch.distributions.Normal(_double(0), _double(var_w).sqrt())
        x = torch.distributions.Normal(_double(mean_x), _double(var_x).sqrt())
        square = x.variance + x.mean.square()
        return float(w.variance * square)

    @staticmethod
    def layer_variance(n_in, var_w, var_x):
        products = [Reference.product_variance(var_w, 0.0, var_x) for _ in range(n_in)]
        return float(_double(products).sum())

    @staticmethod
    def relu_moment(var_z):
        z = torch.linspace(-1, 1, 200_001, dtype=torch.float64) * 12 * math.sqrt(var_z)
        density = torch.distributions.Normal(_double(0), _double(var_z).sqrt()).log_prob(z).exp()
        return float(torch.trapezoid(torch.relu(z).square() * density, z))

    @staticmethod
    def deep_moment(n, var_w, m, layers):
        for _ in range(layers):
            m = Reference.relu_moment(Reference.layer_variance(n, var_w, m))
        return m

    @staticmethod
    def scale_of(initializer, unit, shape):
        """By which factor an initializer's numbers are those of a unit distribution."""
        drawn, plain = torch.empty(shape).double(), torch.empty(shape).double()
        with torch.random.fork_rng():
            torch.manual_seed(1)
            initializer(drawn)
            torch.manual_seed(1)
            unit(plain)
        return float((drawn / plain).median())

    @staticmethod
    def lecun_variance(n_in):
        return Reference.scale_of(
            lambda w: torch.nn.init.kaiming_normal_(w, nonlinearity="linear"),
            torch.nn.init.normal_, (7, n_in),
        ) ** 2  # fmt: skip

    @staticmethod
    def glorot_variance(n_in, n_out):
        return Reference.scale_of(
            torch.nn.init.xavier_normal_, torch.nn.init.normal_, (n_out, n_in)
        ) ** 2  # fmt: skip

    @staticmethod
    def he_variance(n_in):
        return Reference.scale_of(
            lambda w: torch.nn.init.kaiming_normal_(w, nonlinearity="relu"),
            torch.nn.init.normal_, (7, n_in),
        ) ** 2  # fmt: skip

    @staticmethod
    def uniform_bound(var):
        unit = torch.distributions.Uniform(_double(-1), _double(1))
        return float((_double(var) / unit.variance).sqrt())

    @staticmethod
    def torch_variance(n_in):
        bound = Reference.scale_of(
            lambda w: torch.nn.init.kaiming_uniform_(w, a=math.sqrt(5)),
            lambda w: w.uniform_(-1, 1), (7, n_in),
        )  # fmt: skip
        return float(torch.distributions.Uniform(_double(-bound), _double(bound)).variance)

    @staticmethod
    def fans(weight):
        return torch.nn.init._calculate_fan_in_and_fan_out(weight)

    @staticmethod
    def glorot_uniform_(weight, generator=None):
        return torch.nn.init.xavier_uniform_(weight, generator=generator)

    @staticmethod
    def glorot_normal_(weight, generator=None):
        return torch.nn.init.xavier_normal_(weight, generator=generator)

    @staticmethod
    def he_normal_(weight, generator=None):
        return torch.nn.init.kaiming_normal_(weight, generator=generator)

    @staticmethod
    def torch_linear_default_(weight, generator=None):
        return torch.nn.init.kaiming_uniform_(weight, a=math.sqrt(5), generator=generator)

    @staticmethod
    def saturation(h, threshold=0.97):
        return float(torch.count_nonzero(F.hardshrink(h, threshold))) / h.numel()

    @staticmethod
    def dead_units(h):
        return 1 - float(torch.count_nonzero(h.amax(0))) / h.shape[1]

    @staticmethod
    def gradient_norms_by_depth(model, X, y):
        model.zero_grad()
        F.cross_entropy(model(X), y).backward()
        linear = [m for m in model.modules() if isinstance(m, torch.nn.Linear)]
        return [float(torch.linalg.vector_norm(m.weight.grad)) for m in linear]

    @staticmethod
    def slopes_of_two_units(w, v, x, y):
        """(∂L/∂w₁, ∂L/∂v₁) where both units are alike."""
        ws = _double([w, w]).requires_grad_()
        vs = _double([v, v]).requires_grad_()
        loss = (torch.dot(vs, torch.tanh(ws * x)) - y) ** 2 / 2
        return [float(g[0]) for g in torch.autograd.grad(loss, [ws, vs])]

    @staticmethod
    def batch_norm(
        x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5
    ):
        return F.batch_norm(x, running_mean, running_var, weight, bias, training, momentum, eps)

    @staticmethod
    def batch_norm_backward(upstream, x, weight, eps=1e-5):
        leaves = [t.clone().requires_grad_() for t in (x, weight, torch.zeros_like(weight))]
        y = F.batch_norm(leaves[0], None, None, leaves[1], leaves[2], True, 0.1, eps)
        return torch.autograd.grad(y, leaves, upstream)

    @staticmethod
    def layer_norm(x, weight, bias, eps=1e-5):
        return F.layer_norm(x, x.shape[-1:], weight, bias, eps)

    @staticmethod
    def layer_norm_backward(upstream, x, weight, eps=1e-5):
        leaves = [t.clone().requires_grad_() for t in (x, weight, torch.zeros_like(weight))]
        y = F.layer_norm(leaves[0], x.shape[-1:], leaves[1], leaves[2], eps)
        return torch.autograd.grad(y, leaves, upstream)

    @staticmethod
    def norm_jacobian(column, eps):
        """(n, s, x̂, ∂μ/∂x, ∂s/∂x, ∂x̂/∂x) of one column of numbers."""

        def mean(x):
            return x.mean()

        def scale(x):
            return torch.sqrt(torch.var(x, unbiased=False) + eps)

        def normalized(x):
            return F.batch_norm(x[:, None], None, None, training=True, eps=eps)[:, 0]

        jacobian = torch.autograd.functional.jacobian
        return (
            len(column), float(scale(column)), normalized(column).tolist(),
            jacobian(mean, column).tolist(), jacobian(scale, column).tolist(),
            jacobian(normalized, column).tolist(),
        )  # fmt: skip


def _double(value):
    return torch.as_tensor(value, dtype=torch.float64)


# Probes: they run next to your code. Where arguments are looked at, no copy of them is made.


@probe
def kinds_of_fans(student, weight):
    """What the fans of a weight are."""
    return [type(number).__name__ for number in student.fans(weight)]


def _drawn(student, name, shape, seed, device, what):
    """What 250,000 numbers or more, drawn by an initializer, look like; coarsely rounded."""
    generator = torch.Generator(device=device).manual_seed(seed)
    size, weights, drawn = 1, [], 0
    for length in shape:
        size *= length
    while drawn < 250_000:
        weight = torch.zeros(*shape, device=device)
        getattr(student, name)(weight, generator=generator)
        weights.append(weight.detach())
        drawn += size
    numbers = torch.nan_to_num(torch.cat([w.flatten().double() for w in weights]))
    scale = float(numbers.std()) or 1.0
    if what == "std":
        return round(float(numbers.std()), 3) + 0.0
    if what == "form":
        inside = round(float((numbers.abs() < scale).double().mean()) / 0.02) * 0.02
        return [inside, round(float(numbers.mean()) / scale / 0.03) * 0.03 + 0.0]
    if what == "far":
        return bool((numbers.abs() > 3 * scale).any())
    if what == "distinct":
        last = weights[-1].cpu()
        return [len(torch.unique(last, dim=0)), torch.unique(last, dim=1).shape[1]]
    return bool((weights[0] != weights[1]).any())


drawn = probe(_drawn)


@probe
def in_place(student, name, shape, seed, device):
    """What becomes of a parameter that an initializer is given."""
    generator = torch.Generator(device=device).manual_seed(seed)
    weight = torch.nn.Parameter(torch.zeros(*shape, device=device))
    returned = getattr(student, name)(weight, generator=generator)
    return {
        "returned": "it" if returned is weight else "nothing" if returned is None else "another",
        "recorded": weight.grad_fn is not None or not weight.is_leaf,
        "trainable": weight.requires_grad,
    }


@probe
def same_from_one_seed(student, name, shape, seed, device):
    """Whether two generators in one state give the same weight, other draws in between."""
    weights = []
    for _ in range(2):
        generator = torch.Generator(device=device).manual_seed(seed)
        weight = torch.zeros(*shape, device=device)
        getattr(student, name)(weight, generator=generator)
        weights.append(weight)
        torch.rand(7, device=device)
    return bool((weights[0] == weights[1]).all())


@probe
def on_one_device(student, name, tensors, options, seed=None):
    """Call a function on a pretend accelerator, which refuses to mix its tensors with others.

    Its tensors carry a tag; those made like a tagged one, or with a device given, are tagged too,
    and those made without a device are not. On a GPU the same difference ends in torch's own error.
    """
    from torch.overrides import TorchFunctionMode
    from torch.utils._pytree import tree_leaves

    here = tensors[0].device.type
    moves = ("to", "cuda", "cpu", "copy_", "type_as", "__set__")

    class Tagged(torch.Tensor):
        pass

    class Accelerator(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            kwargs = kwargs or {}
            leaves = tree_leaves((args, kwargs))
            tensors_in = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
            tagged = {isinstance(leaf, Tagged) for leaf in tensors_in if leaf.ndim > 0}
            named = [str(x).split(":")[0] for x in leaves if isinstance(x, (str, torch.device))]
            called = getattr(func, "__name__", "")
            if len(tagged) > 1 and called not in moves:
                raise RuntimeError(f"{called}: expected all tensors to be on the same device")
            if kwargs.get("generator") is not None and not tensors_in and here not in named:
                raise RuntimeError(f"{called}: the generator is not on the same device")
            result = func(*args, **kwargs)
            if isinstance(result, torch.Tensor) and here in named:
                return result.as_subclass(Tagged)
            return result

    options = dict(options)
    if seed is not None:
        options["generator"] = torch.Generator(device=here).manual_seed(seed)
    given = [t.clone().as_subclass(Tagged) for t in tensors]
    try:
        with Accelerator():
            getattr(student, name)(*given, **options)
    except RuntimeError as error:
        if "same device" not in str(error):
            raise
        return False
    return True


def _gradient_norms(student, kind, X, y, seed, stale):
    """gradient_norms_by_depth of a model that is built here, perhaps with gradients in it."""
    nn = torch.nn
    torch.manual_seed(seed)
    models = {
        "plain": lambda: nn.Sequential(
            nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 4), nn.Tanh(), nn.Linear(4, 3)
        ),
        "mixed": lambda: nn.Sequential(
            nn.Linear(5, 6, bias=False), nn.LayerNorm(6), nn.Sequential(nn.Tanh(), nn.Linear(6, 7)),
            nn.Unflatten(1, (7, 1)), nn.Conv1d(7, 4, 1), nn.Flatten(), nn.Linear(4, 3),
        ),
    }  # fmt: skip
    model = models[kind]().to(X.device, X.dtype)
    for p in model.parameters():
        p.grad = torch.full_like(p, stale) if stale else None
    return [float(norm) for norm in student.gradient_norms_by_depth(model, X, y)]


gradient_norms = probe(values=True)(_gradient_norms)


def _norms_twice(student, X, y, seed):
    """What a second call on the same model and batch returns."""
    torch.manual_seed(seed)
    model = torch.nn.Sequential(
        torch.nn.Linear(5, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3)
    ).to(X.device, X.dtype)  # fmt: skip
    student.gradient_norms_by_depth(model, X, y)
    return [float(norm) for norm in student.gradient_norms_by_depth(model, X, y)]


norms_twice = probe(values=True)(_norms_twice)


@probe(values=True)
def normalized(student, x, weight, bias, mean, var, training, momentum, eps):
    """batch_norm's result alone."""
    y = student.batch_norm(
        x.clone(), weight.clone(), bias.clone(), mean.clone(), var.clone(), training, momentum, eps
    )
    return y.detach()


def _running(student, batches, mean, var, modes, momentum, which):
    """A running statistic after several batches."""
    mean, var = mean.clone(), var.clone()
    weight, bias = torch.ones_like(mean), torch.zeros_like(mean)
    for x, training in zip(batches, modes, strict=True):
        student.batch_norm(x.clone(), weight, bias, mean, var, training, momentum, 1e-5)
    return (mean if which == "mean" else var).detach()


running = probe(values=True)(_running)


@probe
def refusal(student, x):
    """The name of the error that a batch raises in training, or None."""
    d = x.shape[1]
    ones, zeros = torch.ones(d).to(x), torch.zeros(d).to(x)
    try:
        student.batch_norm(x, ones, zeros, zeros.clone(), ones.clone(), True, 0.1, 1e-5)
    except NotImplementedError:  # not written yet, which is another matter
        raise
    except Exception as error:
        return type(error).__name__
    return None


@probe
def running_graphs(student, x, weight, bias):
    """Whether the running statistics carry a graph after a batch that has one."""
    mean, var = torch.zeros_like(weight), torch.ones_like(weight)
    leaf = x.clone().requires_grad_()
    student.batch_norm(leaf * 1, weight, bias, mean, var, True, 0.3, 1e-5)
    return [mean.requires_grad, var.requires_grad]


@probe(values=True)
def through_autograd(student, x, weight, bias, upstream):
    """The gradient in x that autograd finds through the student's batch_norm."""
    mean, var = torch.zeros_like(weight), torch.ones_like(weight)
    leaf = x.clone().requires_grad_()
    y = student.batch_norm(leaf * 1, weight, bias, mean, var, True, 0.3, 1e-5)
    if not y.requires_grad:
        return torch.zeros_like(x)
    return torch.autograd.grad(y, leaf, upstream)[0]


@probe
def leaves_alone(student, x, weight, bias):
    """batch_norm with x, weight and bias themselves passed on."""
    mean, var = torch.zeros_like(weight), torch.ones_like(weight)
    student.batch_norm(x, weight, bias, mean, var, True, 0.3, 1e-5)


def _layer(student, batches, modes, options, what):
    """Build a layer, run batches through it; its last result, or its state_dict."""
    d = batches[0].shape[1]
    layer = student.BatchNorm1d(d, **options).to(batches[0].device, batches[0].dtype)
    model = torch.nn.Sequential(torch.nn.Sequential(layer))
    start = {
        "weight": (0.5, 2.0), "bias": (0.5, 2.0), "running_mean": (0, 0), "running_var": (1, 1),
    }  # fmt: skip
    with torch.no_grad():  # how a layer begins is a matter of its own
        for name, ends in start.items():
            if isinstance(getattr(layer, name, None), torch.Tensor):
                getattr(layer, name).copy_(torch.linspace(*ends, d))
    for x, training in zip(batches, modes, strict=True):
        model.train(training)
        y = model(x.clone())
    if what == "y":
        return y.detach()
    return {name: value.detach() for name, value in layer.state_dict().items()}


layer_run = probe(values=True)(_layer)


@probe
def fresh_layer(student, d, what):
    """What a new layer holds."""
    layer = student.BatchNorm1d(d)
    state = layer.state_dict()
    if what == "kinds":
        return {
            name: [str(value.dtype), list(value.shape)] for name, value in sorted(state.items())
        }
    if what == "values":
        return {
            name: value.double() for name, value in sorted(state.items()) if "num" not in name
        }
    return {name: p.requires_grad for name, p in sorted(layer.named_parameters())}


@probe
def state_names(student, names):
    """Which of torch's names are missing in the layer's state_dict, and which it has besides."""
    state = student.BatchNorm1d(3).state_dict()
    return {"missing": sorted(set(names) - set(state)), "more": sorted(set(state) - set(names))}


@probe(values=True)
def loaded_prediction(student, state, x):
    """What a layer with a state of torch's says at evaluation."""
    layer = student.BatchNorm1d(x.shape[1]).to(x.device, x.dtype)
    state.pop("num_batches_tracked")  # is of no use for this, and is judged elsewhere
    layer.load_state_dict(state, strict=False)
    return layer.eval()(x.clone()).detach()


@probe
def state_moves(student, d):
    """Which entries of the layer's state stay behind when the layer is moved."""
    layer = student.BatchNorm1d(d)
    layer.to("meta")
    tensors = {**vars(layer), **dict(layer.named_parameters()), **dict(layer.named_buffers())}
    return sorted(
        name for name, value in tensors.items()
        if isinstance(value, torch.Tensor) and value.device.type != "meta"
    )  # fmt: skip


# Comparisons, in words.


@cache
def as_torch_draws(name, shape, what):
    """What torch's initializer draws; rounded as it is, that is the same for every seed."""
    return _drawn(Reference, name, shape, 0, "cpu", what)


def assert_drawn(student, name, shape, seed, device, what):
    """Compare what an initializer draws with what torch's draws."""
    seen = student.run(drawn, name, shape, seed, str(device), what)
    right = as_torch_draws(name, tuple(shape), what)
    size = f"a weight {tuple(shape)}"
    if what == "std":
        assert abs(seen - right) < 5e-4, (
            f"the standard deviation of {size} is {seen:.3f}; it should be {right:.3f}"
        )
    elif what == "far":
        assert seen == right, (
            f"of {size} {'some' if seen else 'no'} entries are beyond three standard deviations; "
            f"of such numbers {'a few' if right else 'none'} should be"
        )
    else:
        assert abs(seen[1] - right[1]) < 0.015, (
            f"the mean of {size} is {seen[1]:.2f} standard deviations; it should be 0"
        )
        assert abs(seen[0] - right[0]) < 0.01, (
            f"{seen[0]:.0%} of the entries of {size} are smaller than one standard deviation; of "
            f"such numbers it should be {right[0]:.0%}"
        )


def assert_own_entries(student, name, shape, seed, device):
    """Assert that no row or column of a drawn weight repeats another."""
    rows, columns = student.run(drawn, name, shape, seed, str(device), "distinct")
    assert rows > 1 or columns > 1, "all entries of the weight are one number"
    assert rows == shape[0], f"only {rows} of {shape[0]} rows of the weight are different"
    assert columns == shape[1], f"only {columns} of {shape[1]} columns of the weight are different"


def assert_in_place(student, name, seed, device):
    """Assert that a parameter comes back filled, as a parameter."""
    seen = student.run(in_place, name, [4, 3], seed, str(device))
    assert not seen["recorded"], (
        "autograd has recorded the filling: the parameter is no leaf any more"
    )
    assert seen["trainable"], "the parameter is no longer trainable"
    assert seen["returned"] == "it", {
        "nothing": f"{name} returns None; it should return the tensor it has filled",
        "another": f"{name} returns another tensor than the one it was given",
    }[seen["returned"]]


def assert_generator(student, name, seed, device):
    """Assert that the numbers come from the generator, and are new at each call."""
    follows = student.run(same_from_one_seed, name, [30, 20], seed, str(device))
    assert follows, "the numbers do not come from the generator that was passed"
    fresh = student.run(drawn, name, [30, 20], seed, str(device), "fresh")
    assert fresh, "two calls, one after the other, leave the very same numbers in the weight"


def assert_on_device(student, name, tensors, options=None, seed=None):
    """Assert that nothing is made on the default device."""
    assert student.run(on_one_device, name, tensors, options or {}, seed), (
        f"{name} mixes tensors of two devices: one is made without saying where, so on a GPU it "
        "would lie on the CPU. Say device=x.device, or use torch.zeros_like and its relatives"
    )


# Where a claim is not about eps, eps is SMALL and the values need only be ROUGHLY right, so that
# what is wrong with eps shows in the claims about it alone.
SMALL, ROUGHLY = 1e-5, 1e-3
GRADIENTS = ("the gradient in x", "the gradient in weight", "the gradient in bias")


def assert_gradient(seen, expected, which, rtol=None):
    """Compare one of the three gradients."""
    if not isinstance(seen, (list, tuple)) or len(seen) != 3:
        raise AssertionError("return three gradients: in x, in weight and in bias")
    assert_close(seen[which], expected[which], name=GRADIENTS[which], rtol=rtol)


# Fixtures.


@pytest.fixture
def seed(rng):
    """A seed for the generator that a probe makes."""
    return int(rng.integers(2**31))


@pytest.fixture
def normal(rng, device):
    """Draws normal tensors: normal(4, 3), or with another dtype."""

    def draw(*shape, dtype=torch.float64):
        return torch.as_tensor(rng.normal(size=shape), dtype=dtype, device=device)

    return draw


@pytest.fixture
def apart(rng, device):
    """Draws tensors of which no entry is near 0 or ±1, of both signs."""

    def draw(*shape, dtype=torch.float64):
        size = rng.uniform(1.3, 2.5, shape) * rng.choice([-1.0, 1.0], shape)
        return torch.as_tensor(size, dtype=dtype, device=device)

    return draw


@pytest.fixture
def columns(rng, device):
    """Draws batches whose columns have means far from 0 and variances far from 1, all different."""

    def draw(n, d, dtype=torch.float64):
        # Evenly spread numbers, shuffled by column: no batch is without variance by chance.
        grid = np.stack([rng.permutation(n) - (n - 1) / 2 for _ in range(d)], axis=1)
        grid = grid + rng.uniform(-0.3, 0.3, (n, d))
        scale = rng.permutation(np.linspace(0.5, 3.0, d)) * rng.uniform(0.9, 1.1)
        mean = rng.permutation(np.linspace(4.0, 20.0, d)) * rng.choice([-1.0, 1.0], d)
        return torch.as_tensor(grid * scale + mean, dtype=dtype, device=device)

    return draw


@pytest.fixture
def plain():
    """γ = 1, β = 0, running mean 0 and running variance 1 for a batch."""

    def make(x):
        d = x.shape[1]
        ones, zeros = x.new_ones(d), x.new_zeros(d)
        return {"weight": ones, "bias": zeros, "mean": zeros, "var": ones}

    return make


@pytest.fixture
def logits_batch(rng, device):
    """Inputs and class indices for the models of gradient_norms."""

    def draw(n):
        X = torch.as_tensor(rng.normal(size=(n, 5)), device=device)
        return X, torch.as_tensor(rng.integers(0, 3, n), device=device)

    return draw


# Exercise: variance_steps


@exercise("variance_steps", part="product_variance", stated="Var(w·x), where w has mean 0 and x")
def test_product_variance(student, reference, rng):
    """The variance of w·x holds the mean of x, too."""
    points = [
        [float(rng.uniform(2, 3)), float(sign * rng.uniform(2, 3)), float(rng.uniform(0.3, 0.7))]
        for sign in (1, -1)
    ]
    expected = [reference.product_variance(*point) for point in points]
    assert_expression(
        student, "product_variance", ["var_w", "mean_x", "var_x"], points, expected, "the variance"
    )


@exercise("variance_steps", part="layer_variance", stated="Var(z) of a sum of n_in products")
def test_layer_variance(student, reference, rng):
    """Var(z) is the sum of the variances of n_in products."""
    points = [
        [int(rng.integers(3, 9)), float(rng.uniform(2, 3)), float(rng.uniform(0.3, 0.7))]
        for _ in range(2)
    ]
    expected = [reference.layer_variance(*point) for point in points]
    assert_expression(
        student, "layer_variance", ["n_in", "var_w", "var_x"], points, expected, "the variance"
    )


@exercise("variance_steps", part="relu_moment", stated="E[relu(z)²] for a normal z with mean 0")
def test_relu_moment(student, reference, rng):
    """What relu leaves of E[z²]."""
    points = [[float(rng.uniform(2, 3))], [float(rng.uniform(0.2, 0.5))]]
    expected = [reference.relu_moment(*point) for point in points]
    assert_expression(student, "relu_moment", ["var_z"], points, expected, "E[relu(z)²]", rtol=1e-6)


@exercise(
    "variance_steps", part="deep_moment", stated="E[x²] after that many layers of n units",
)
def test_deep_moment(student, reference, rng):
    """E[x²] after D layers has one factor for every layer."""
    points = [
        [int(rng.integers(3, 6)), float(rng.uniform(1.2, 1.8)), float(rng.uniform(2, 3)), layers]
        for layers in (3, 5)
    ]
    expected = [reference.deep_moment(*point) for point in points]
    assert_expression(
        student, "deep_moment", ["n", "var_w", "m", "layers"], points, expected, "E[x²]", rtol=1e-5
    )


# Exercise: good_variances


@pytest.fixture
def two_fans(rng):
    """Two numbers of inputs and outputs, far from each other and from 1, one larger, one smaller"""
    small, large = rng.integers(3, 6, 2), rng.integers(9, 14, 2)
    return [[int(small[0]), int(large[0])], [int(large[1]), int(small[1])]]


def assert_variance(student, reference, name, variables, points, what="the variance"):
    expected = [getattr(reference, name)(*point) for point in points]
    # torch's scales are read off numbers that it draws, so they have a few digits less.
    assert_expression(student, name, variables, points, expected, what, rtol=1e-6)


@exercise("good_variances", part="lecun_variance", stated="weights for which Var(z) = Var(x)")
def test_lecun(student, reference, two_fans):
    """With LeCun's variance, Var(z) = Var(x)."""
    points = [[n_in] for n_in, _ in two_fans]
    assert_variance(student, reference, "lecun_variance", ["n_in"], points)


@exercise("good_variances", part="glorot_variance", stated="compromise between forwards and back")
def test_glorot(student, reference, two_fans):
    """Glorot's variance is a compromise between n_in and n_out."""
    assert_variance(student, reference, "glorot_variance", ["n_in", "n_out"], two_fans)


@exercise("good_variances", part="he_variance", stated="keeps E[x²] from layer to layer with relu")
def test_he(student, reference, two_fans):
    """He's variance makes up for what relu takes away."""
    points = [[n_in] for n_in, _ in two_fans]
    assert_variance(student, reference, "he_variance", ["n_in"], points)


@exercise("good_variances", part="uniform_bound", stated="The a for which uniform numbers from")
def test_uniform_bound(student, reference, rng):
    """Uniform numbers from (−a, a) have the given variance."""
    points = [[float(rng.uniform(2, 4))], [float(rng.uniform(0.2, 0.5))]]
    assert_variance(student, reference, "uniform_bound", ["var"], points, "the bound")


@exercise("good_variances", part="torch_variance", stated="variance of the weights of torch.nn.L")
def test_torch_variance(student, reference, two_fans):
    """The variance of what torch.nn.Linear draws."""
    points = [[n_in] for n_in, _ in two_fans]
    assert_variance(student, reference, "torch_variance", ["n_in"], points)


# Exercise: fans


def assert_fans(student, reference, shape, device):
    weight = torch.zeros(*shape, device=device)
    seen = student.fans(weight)
    assert isinstance(seen, (list, tuple)) and len(seen) == 2, "return two numbers"
    right = reference.fans(weight)
    assert_close(list(seen), [float(n) for n in right], name=f"the fans of {tuple(shape)}")


@exercise("fans", stated="weight: (n_out, n_in)")
def test_fans_of_a_matrix(student, reference, device):
    """A matrix has fan_in on its second axis and fan_out on its first."""
    assert_fans(student, reference, (7, 3), device)


@exercise("fans", about="detail", weight=2, stated="its entries count on both sides")
def test_fans_of_a_convolution(student, reference, device):
    """The entries of a kernel count on both sides, whatever its shape."""
    assert_fans(student, reference, (5, 3, 2, 4), device)


@exercise("fans", about="form", weight=0.5, stated="two ints")
def test_fans_are_ints(student, device):
    """Both numbers are ints."""
    kinds = student.run(kinds_of_fans, torch.zeros(7, 3, 2, device=device))
    assert kinds == ["int", "int"], f"return two ints; yours are {' and '.join(kinds)}"


# Exercise: initializers

# Sizes for which the standard deviation falls between two roundings to 0.001, seven of its own
# standard errors or more away from either: (n_out, n_in), and for convolutions (out, in, 5, 5).
WIDE, KERNELS = [200, 600], [8, 24, 5, 5]


@exercise(
    "initializers", part="glorot_uniform_", weight=2,
    stated="Fills weight with uniform numbers of Glorot's variance",
)
def test_glorot_uniform_scale(student, seed, device):
    """glorot_uniform_ fills a weight with numbers of Glorot's variance."""
    assert_drawn(student, "glorot_uniform_", WIDE, seed, device, "std")


@exercise("initializers", part="glorot_uniform_", stated="uniform numbers of Glorot's variance")
def test_glorot_uniform_is_uniform(student, seed, device):
    """The numbers of glorot_uniform_ are uniform, and around 0."""
    assert_drawn(student, "glorot_uniform_", WIDE, seed, device, "form")


@exercise(
    "initializers", part="glorot_uniform_", about="detail", weight=0.5,
    stated="a weight of any shape that fans takes",
)
def test_glorot_uniform_kernel(student, seed, device):
    """glorot_uniform_ counts the entries of a kernel."""
    assert_drawn(student, "glorot_uniform_", KERNELS, seed, device, "std")


@exercise(
    "initializers", part="glorot_uniform_", about="detail", weight=0.5,
    stated="a parameter too, without a trace in autograd's graph",
)
def test_glorot_uniform_in_place(student, seed, device):
    """glorot_uniform_ fills a parameter in place, and returns it."""
    assert_in_place(student, "glorot_uniform_", seed, device)


@exercise(
    "initializers", part="glorot_uniform_", about="detail", weight=0.5,
    stated="Random numbers come from the torch.Generator that is passed in",
)
def test_glorot_uniform_generator(student, seed, device):
    """The numbers of glorot_uniform_ come from the generator."""
    assert_generator(student, "glorot_uniform_", seed, device)


@exercise(
    "initializers", part="glorot_normal_", weight=2,
    stated="Fills weight with normal numbers of Glorot's variance",
)
def test_glorot_normal_scale(student, seed, device):
    """glorot_normal_ fills a weight with numbers of Glorot's variance."""
    assert_drawn(student, "glorot_normal_", WIDE, seed, device, "std")


@exercise("initializers", part="glorot_normal_", stated="normal numbers of Glorot's variance")
def test_glorot_normal_is_normal(student, seed, device):
    """The numbers of glorot_normal_ are normal, and around 0."""
    assert_drawn(student, "glorot_normal_", WIDE, seed, device, "form")


@exercise(
    "initializers", part="glorot_normal_", about="detail", weight=0.5,
    stated="a parameter too, without a trace in autograd's graph",
)
def test_glorot_normal_in_place(student, seed, device):
    """glorot_normal_ fills a parameter in place, and returns it."""
    assert_in_place(student, "glorot_normal_", seed, device)


@exercise(
    "initializers", part="glorot_normal_", about="detail", weight=0.5,
    stated="Random numbers come from the torch.Generator that is passed in",
)
def test_glorot_normal_generator(student, seed, device):
    """The numbers of glorot_normal_ come from the generator."""
    assert_generator(student, "glorot_normal_", seed, device)


HE_WIDE, HE_KERNELS = [200, 800], [100, 32, 5, 5]


@exercise(
    "initializers", part="he_normal_", weight=2,
    stated="Fills weight with normal numbers of He's variance",
)
def test_he_normal_scale(student, seed, device):
    """he_normal_ fills a weight with numbers of He's variance."""
    assert_drawn(student, "he_normal_", HE_WIDE, seed, device, "std")


@exercise("initializers", part="he_normal_", stated="normal numbers of He's variance")
def test_he_normal_is_normal(student, seed, device):
    """The numbers of he_normal_ are normal, and around 0."""
    assert_drawn(student, "he_normal_", HE_WIDE, seed, device, "form")


@exercise(
    "initializers", part="he_normal_", about="detail", weight=0.5,
    stated="a weight of any shape that fans takes",
)
def test_he_normal_kernel(student, seed, device):
    """he_normal_ counts the entries of a kernel."""
    assert_drawn(student, "he_normal_", HE_KERNELS, seed, device, "std")


@exercise(
    "initializers", part="he_normal_", about="detail", weight=0.5,
    stated="a parameter too, without a trace in autograd's graph",
)
def test_he_normal_in_place(student, seed, device):
    """he_normal_ fills a parameter in place, and returns it."""
    assert_in_place(student, "he_normal_", seed, device)


@exercise(
    "initializers", part="he_normal_", about="detail", weight=0.5,
    stated="Random numbers come from the torch.Generator that is passed in",
)
def test_he_normal_generator(student, seed, device):
    """The numbers of he_normal_ come from the generator."""
    assert_generator(student, "he_normal_", seed, device)


TORCH_WIDE = [100, 400]


@exercise(
    "initializers", part="torch_linear_default_", weight=2,
    stated="Fills weight with uniform numbers as a new torch.nn.Linear does",
)
def test_torch_default_scale(student, seed, device):
    """torch_linear_default_ fills a weight with numbers of torch's variance."""
    assert_drawn(student, "torch_linear_default_", TORCH_WIDE, seed, device, "std")


@exercise(
    "initializers", part="torch_linear_default_",
    stated="Fills weight with uniform numbers as a new torch.nn.Linear does",
)
def test_torch_default_is_uniform(student, seed, device):
    """The numbers of torch_linear_default_ are uniform, and around 0."""
    assert_drawn(student, "torch_linear_default_", TORCH_WIDE, seed, device, "form")


@exercise(
    "initializers", part="torch_linear_default_", about="detail", weight=0.5,
    stated="a parameter too, without a trace in autograd's graph",
)
def test_torch_default_in_place(student, seed, device):
    """torch_linear_default_ fills a parameter in place, and returns it."""
    assert_in_place(student, "torch_linear_default_", seed, device)


@exercise(
    "initializers", part="torch_linear_default_", about="detail", weight=0.5,
    stated="Random numbers come from the torch.Generator that is passed in",
)
def test_torch_default_generator(student, seed, device):
    """The numbers of torch_linear_default_ come from the generator."""
    assert_generator(student, "torch_linear_default_", seed, device)


@exercise(
    "initializers", part="glorot_uniform_", about="by hand", weight=0.5, forbid=NO_INIT,
    stated="are written by hand, without torch.nn.init",
)
def test_glorot_uniform_by_hand(student, seed, device):
    """glorot_uniform_ is written by hand, without torch.nn.init."""
    student.run(in_place, "glorot_uniform_", [4, 3], seed, str(device))


@exercise(
    "initializers", part="glorot_normal_", about="by hand", weight=0.5, forbid=NO_INIT,
    stated="are written by hand, without torch.nn.init",
)
def test_glorot_normal_by_hand(student, seed, device):
    """glorot_normal_ is written by hand, without torch.nn.init."""
    student.run(in_place, "glorot_normal_", [4, 3], seed, str(device))


@exercise(
    "initializers", part="he_normal_", about="by hand", weight=0.5, forbid=NO_INIT,
    stated="are written by hand, without torch.nn.init",
)
def test_he_normal_by_hand(student, seed, device):
    """he_normal_ is written by hand, without torch.nn.init."""
    student.run(in_place, "he_normal_", [4, 3], seed, str(device))


@exercise(
    "initializers", part="torch_linear_default_", about="by hand", weight=0.5, forbid=NO_INIT,
    stated="are written by hand, without torch.nn.init",
)
def test_torch_default_by_hand(student, seed, device):
    """torch_linear_default_ is written by hand, without torch.nn.init."""
    student.run(in_place, "torch_linear_default_", [4, 3], seed, str(device))


# Exercise: saturation


@pytest.fixture
def tanh_layer(rng, device):
    """Activations of tanh, of both signs: a fifth near ±1, a fifth near ±0.75, the others small."""

    def draw(n, d):
        size = np.resize([0.985, 0.75, 0.25, 0.25, 0.25], n * d) + rng.uniform(-0.01, 0.01, n * d)
        sign = np.resize([1.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0], n * d)
        h = rng.permutation(size * sign).reshape(n, d)
        return torch.as_tensor(h, dtype=torch.float32, device=device)

    return draw


@pytest.fixture
def relu_layer(rng, device):
    """Activations of relu: some units dead, one all but dead, one example without any signal."""

    def draw(n, d, dead):
        h = rng.uniform(0.5, 2.0, (n, d)) * rng.choice([0, 1], (n, d))
        which = rng.permutation(d)
        h[1] = rng.uniform(0.5, 2.0, d)
        h[0] = 0
        h[:, which[:dead]] = 0
        h[:, which[-1]] = 0
        h[n - 1, which[-1]] = 1e-3
        return torch.as_tensor(h, dtype=torch.float32, device=device)

    return draw


@exercise("saturation", part="saturation", stated="The share of activations with |h| > threshold")
def test_saturation(student, reference, tanh_layer):
    """Activations near +1 and near −1 count, as a share of all."""
    h = tanh_layer(15, 7)
    agree(student, reference, "saturation", h, called="the share", rtol=1e-5)


@exercise("saturation", part="saturation", about="detail", stated="threshold: between 0 and 1")
def test_saturation_threshold(student, reference, tanh_layer):
    """Another threshold gives another share."""
    h = tanh_layer(15, 7)
    agree(student, reference, "saturation", h, 0.7, called="the share beyond 0.7", rtol=1e-5)


@exercise(
    "saturation", part="dead_units", weight=2,
    stated="The share of units that are 0 for all examples",
)
def test_dead_units(student, reference, relu_layer):
    """A unit is dead if it is 0 for every example; one example is enough to be alive."""
    h = relu_layer(9, 8, 3)
    agree(student, reference, "dead_units", h, called="the share", rtol=1e-5)


# Exercise: gradient_norms_by_depth


def assert_norms(student, kind, batch, seed, stale):
    X, y = batch
    seen = student.run(gradient_norms, kind, X, y, seed, stale)
    right = _gradient_norms(Reference, kind, X, y, seed, stale)
    assert len(seen) == len(right), (
        f"{len(seen)} numbers for a model with {len(right)} linear layers: one for each of their "
        "weights, and no other"
    )
    assert_close(np.array(seen), np.array(right), name="the norms")


@exercise("gradient_norms_by_depth", weight=2, stated="√(Σ g²) over the gradient g in its weight")
def test_norms_of_gradients(student, logits_batch, seed):
    """One norm for every linear layer, of the gradient in its weight, first layer first."""
    assert_norms(student, "plain", logits_batch(6), seed, 0.0)


@exercise(
    "gradient_norms_by_depth", about="detail", weight=2,
    stated="Gradients that its parameters hold from before do not count",
)
def test_norms_without_the_past(student, logits_batch, seed):
    """Gradients that the model holds from before do not count."""
    assert_norms(student, "plain", logits_batch(6), seed, 3.0)


@exercise(
    "gradient_norms_by_depth", about="detail", stated="Biases and other layers are left out",
)
def test_norms_of_linear_layers(student, logits_batch, seed):
    """Linear layers only, wherever they are in the model."""
    assert_norms(student, "mixed", logits_batch(6), seed, 0.0)


# Exercise: symmetry


@pytest.fixture
def equal_units(rng):
    """Two points (w, v, x, y) at which nothing is near 0."""
    return [
        [float(s * rng.uniform(0.6, 0.9)), float(rng.uniform(1.2, 1.6)),
         float(rng.uniform(0.6, 0.9)), float(-s * rng.uniform(2.0, 3.0))]
        for s in (1, -1)
    ]  # fmt: skip


@exercise("symmetry", part="slope_in", stated="∂L/∂w₁ where both units have the weights w and v")
def test_slope_in(student, reference, equal_units):
    """The slope in w₁, where both units are alike."""
    expected = [reference.slopes_of_two_units(*point)[0] for point in equal_units]
    assert_expression(student, "slope_in", ["w", "v", "x", "y"], equal_units, expected, "∂L/∂w₁")


@exercise("symmetry", part="slope_out", weight=2, stated="∂L/∂v₁ there")
def test_slope_out(student, reference, equal_units):
    """The slope in v₁, where both units are alike."""
    expected = [reference.slopes_of_two_units(*point)[1] for point in equal_units]
    assert_expression(student, "slope_out", ["w", "v", "x", "y"], equal_units, expected, "∂L/∂v₁")


# Exercise: batch_norm


def assert_normalized(student, reference, x, given, training, eps, name="y"):
    seen = student.run(
        normalized, x, given["weight"], given["bias"], given["mean"], given["var"],
        training, 0.5, eps,
    )  # fmt: skip
    right = reference.batch_norm(
        x, given["weight"], given["bias"], given["mean"].clone(), given["var"].clone(),
        training, 0.5, eps,
    )  # fmt: skip
    assert_close(seen, right, name=name, rtol=ROUGHLY if eps == SMALL else None)


@exercise("batch_norm", weight=2, stated="whether the batch's own statistics normalize")
def test_training_normalizes_by_the_batch(student, reference, columns, plain):
    """In training every column is normalized by its own mean and biased variance."""
    x = columns(4, 3)
    assert_normalized(student, reference, x, plain(x), True, SMALL)


@exercise("batch_norm", weight=2, stated="batch's own statistics normalize, or the running ones")
def test_evaluation_uses_running_statistics(student, reference, columns, plain, apart):
    """At evaluation the running statistics normalize, whatever the batch."""
    x = columns(4, 3)
    given = plain(x) | {"mean": apart(3), "var": apart(3).square()}
    assert_normalized(student, reference, x, given, False, SMALL)


def assert_running(student, batches, given, modes, momentum, which):
    start = (given["mean"], given["var"])
    seen = student.run(running, batches, *start, modes, momentum, which)
    right = _running(Reference, batches, *start, modes, momentum, which)
    assert_close(seen, right, name=f"running_{which}")


@exercise("batch_norm", weight=2, stated="Training updates them in place, with the batch's mean")
def test_running_mean_follows(student, columns, apart):
    """In training running_mean moves towards the batch's mean, in place."""
    x, old = columns(4, 3), apart(3)
    seen = student.run(running, [x], old, old.square(), [True], 0.5, "mean")
    assert seen.shape == old.shape, "running_mean has another shape after a batch"
    # How far it moves is a matter of momentum, which has a claim of its own.
    parts = ((seen - old) / (x.mean(dim=0) - old)).tolist()
    assert min(parts) > 0.01 and max(parts) < 0.99 and max(parts) - min(parts) < 1e-6, (
        "after a batch running_mean should have moved a part of the way from its old value to the "
        "batch's mean, the same part in every column; yours has moved these parts: "
        + ", ".join(f"{part + 0.0:.3g}" for part in parts)  # no "-0"
    )


@exercise("batch_norm", about="detail", stated="its unbiased variance")
def test_running_var_is_unbiased(student, columns, plain):
    """running_var follows the batches' unbiased variances."""
    batches = [columns(4, 3) for _ in range(3)]
    assert_running(student, batches, plain(batches[0]), [True] * 3, 0.5, "var")


@exercise("batch_norm", about="detail", stated="the share of the new value in a running average")
def test_momentum_is_the_share_of_the_new(student, columns, plain):
    """momentum is the weight of the new value, not of the old one."""
    batches = [columns(4, 3) for _ in range(2)]
    assert_running(student, batches, plain(batches[0]), [True] * 2, 0.3, "mean")


@exercise("batch_norm", about="detail", stated="evaluation reads them and leaves them alone")
def test_evaluation_leaves_running_statistics(student, columns, plain, apart):
    """Evaluation does not change the running statistics."""
    given = plain(columns(4, 3)) | {"mean": apart(3), "var": apart(3).square()}
    assert_running(student, [columns(4, 3)], given, [False], 0.5, "mean")
    assert_running(student, [columns(4, 3)], given, [False], 0.5, "var")


@exercise("batch_norm", about="detail", stated="weight, bias: γ and β")
def test_weight_and_bias(student, reference, columns, plain, apart):
    """x̂ is multiplied by weight, and bias is added."""
    x = columns(4, 3)
    given = plain(x) | {"weight": apart(3), "bias": apart(3)}
    assert_normalized(student, reference, x, given, True, SMALL, "y in training")
    assert_normalized(student, reference, x, given, False, SMALL, "y at evaluation")


@exercise("batch_norm", about="detail", stated="inside the root")
def test_eps_is_inside_the_root(student, reference, columns, plain):
    """eps is added to the variance, inside the root, in training and at evaluation."""
    x = columns(4, 3)
    given = plain(x) | {"var": x.new_full((3,), 0.25)}
    assert_normalized(student, reference, x, given, True, 0.3, "y in training")
    assert_normalized(student, reference, x, given, False, 0.3, "y at evaluation")


@exercise("batch_norm", about="edge", stated="In training a single row is refused with a ValueErr")
def test_one_row_is_refused(student, columns):
    """In training a batch of one row raises a ValueError."""
    seen = student.run(refusal, columns(4, 3)[:1])
    assert seen is not None, "a single row is accepted in training; it should raise a ValueError"
    assert seen == "ValueError", f"a single row raises a {seen}; it should be a ValueError"


@exercise("batch_norm", about="detail", stated="without a graph")
def test_running_statistics_have_no_graph(student, columns, apart):
    """The running statistics carry no graph after training."""
    graphs = student.run(running_graphs, columns(4, 3), apart(3), apart(3))
    assert not any(graphs), (
        "the running statistics require gradients after a training step, so the graph of every "
        "batch is kept for ever"
    )


@exercise("batch_norm", about="detail", stated="In training gradients flow through μ and σ² too")
def test_gradients_flow(student, reference, columns, apart):
    """Gradients flow back to x, through the batch's statistics as well."""
    x, weight, bias, upstream = columns(4, 3), apart(3), apart(3), apart(4, 3)
    seen = student.run(through_autograd, x, weight, bias, upstream)
    right = reference.batch_norm_backward(upstream, x, weight, SMALL)[0]
    assert_close(seen, right, name="the gradient in x", rtol=ROUGHLY)


@exercise("batch_norm", about="form", weight=0.5, stated="Results keep their dtype")
def test_batch_norm_keeps_float32(student, reference, columns, plain):
    """float32 stays float32."""
    x = columns(5, 3, dtype=torch.float32)
    seen = student.run(
        normalized, x, *(plain(x)[k] for k in ("weight", "bias", "mean", "var")), True, 0.5, 1e-5
    )
    right = reference.batch_norm(x, *(plain(x)[k].clone() for k in (
        "weight", "bias", "mean", "var")), True, 0.5, 1e-5)  # fmt: skip
    assert_close(seen, right, name="y", rtol=1e-4)


@exercise("batch_norm", about="arguments", stated="Other tensors are left as they are")
def test_batch_norm_leaves_its_arguments(student, columns, apart):
    """x, weight and bias are not changed."""
    student.run(leaves_alone, x=columns(4, 3), weight=apart(3), bias=apart(3))
    assert_unmodified(student, by="batch_norm")


@exercise(
    "batch_norm", about="by hand", forbid=NO_BATCH_NORM,
    stated="normalization and its backward pass are written by hand",
)
def test_batch_norm_by_hand(student, columns, apart):
    """Batch norm is written by hand, without torch's own."""
    student.run(leaves_alone, columns(4, 3), apart(3), apart(3))


# Exercise: break_it


def two_variances(batch):
    """Biased and unbiased variances of a batch's columns, the latter as torch remembers it."""
    x = torch.as_tensor(batch).double()
    assert x.ndim == 2, f"return a batch with two axes, (n, d), not one of shape {tuple(x.shape)}"
    assert len(x) >= 2, "a batch of fewer than two rows is refused in training: take more"
    assert x.shape[1] >= 1, "the batch has no columns"
    assert bool(torch.isfinite(x).all()), "the batch holds NaN or infinite numbers"
    d = x.shape[1]
    running_var = torch.zeros(d, dtype=torch.float64, device=x.device)
    F.batch_norm(x, torch.zeros_like(running_var), running_var, training=True, momentum=1.0)
    biased = torch.var(x, dim=0, unbiased=False)
    assert bool((biased > 0).all()), "a column has no variance at all: 0 and 0 are equal"
    return biased, running_var


@exercise("break_it", part="far_apart", stated="in every column unbiased − biased > biased / 4")
def test_far_apart(student):
    """On your far_apart the two variances differ by more than a quarter in every column."""
    biased, unbiased = two_variances(student.far_apart())
    share = float(((unbiased - biased) / biased).min())
    assert share > 0.25 + 1e-9, (
        f"the unbiased variance is larger by {share:.3f} of the biased one; it should be more "
        "than 0.25"
    )


@exercise("break_it", part="nearly_equal", stated="0 < unbiased − biased < biased / 100")
def test_nearly_equal(student):
    """On your nearly_equal they differ by less than a hundredth in every column."""
    biased, unbiased = two_variances(student.nearly_equal())
    share = float(((unbiased - biased) / biased).max())
    assert share < 0.01 - 1e-9, (
        f"the unbiased variance is larger by {share:.4f} of the biased one; it should be less "
        "than 0.01"
    )


# Exercise: BatchNorm1d


@exercise(
    "BatchNorm1d",
    stated="of the layer or of a model around it, the batch normalizes and is counted",
)
def test_layer_follows_train_and_eval(student, columns):
    """The batch normalizes after train(), the running statistics after eval()."""
    batches = [columns(6, 3) for _ in range(3)]
    for modes in ([True, True, True], [True, True, False]):
        seen = student.run(layer_run, batches, modes, {}, "y")
        right = _layer(Reference, batches, modes, {}, "y")
        name = "y in training" if modes[-1] else "y at evaluation"
        assert_close(seen, right, name=name, rtol=ROUGHLY)


@exercise("BatchNorm1d", stated="its state_dict is that of torch.nn.BatchNorm1d")
def test_state_has_torchs_names(student):
    """The layer's state_dict has the names of torch's, so that torch's fits in."""
    seen = student.run(state_names, list(torch.nn.BatchNorm1d(3).state_dict()))
    assert not seen["missing"], (
        f"your state_dict lacks {' and '.join(seen['missing'])}, which torch's has"
    )
    assert not seen["more"], (
        f"your state_dict has {' and '.join(seen['more'])}, which torch's does not have"
    )


@exercise("BatchNorm1d", stated="its state_dict is that of torch.nn.BatchNorm1d")
def test_layer_loads_torchs_weights(student, columns, apart):
    """With torch's state_dict loaded, the layer predicts as torch's."""
    x = columns(6, 3)
    layer = torch.nn.BatchNorm1d(3).to(x.device, x.dtype)
    with torch.no_grad():
        layer.weight.copy_(apart(3))
        layer.bias.copy_(apart(3))
        layer.running_mean.copy_(apart(3))
        layer.running_var.copy_(apart(3).square())
    seen = student.run(loaded_prediction, layer.state_dict(), x)
    assert_close(seen, layer.eval()(x).detach(), name="y at evaluation", rtol=ROUGHLY)


@exercise("BatchNorm1d", about="detail", weight=2, stated="Before the first batch γ is 1 and β is")
def test_layer_begins_as_torchs(student):
    """A new layer begins with the values of torch's."""
    seen = student.run(fresh_layer, 3, "values")
    right = {k: v.double() for k, v in sorted(torch.nn.BatchNorm1d(3).state_dict().items())}
    for name in set(seen) & set(right):
        assert_close(seen[name], right[name], name=name)


@exercise("BatchNorm1d", about="detail", weight=2, stated="the batch normalizes and is counted")
def test_layer_counts_batches(student, columns):
    """num_batches_tracked counts the batches of training, and those only."""
    batches, modes = [columns(6, 3) for _ in range(5)], [True, False, True, True, False]
    state = student.run(layer_run, batches, modes, {}, "state")
    assert "num_batches_tracked" in state, "the state_dict has no num_batches_tracked"
    assert int(state["num_batches_tracked"]) == 3, (
        f"after three batches in training and two at evaluation num_batches_tracked is "
        f"{int(state['num_batches_tracked'])}; it should be 3"
    )


@exercise("BatchNorm1d", about="detail", weight=2, stated="(parameters weight and bias)")
def test_layer_parameters(student):
    """weight and bias are learnt, and nothing else."""
    learns = student.run(fresh_layer, 3, "parameters")
    assert list(learns) == ["bias", "weight"], (
        f"layer.parameters() holds {' and '.join(learns) or 'nothing'}; it should hold bias and "
        "weight, and what is only remembered is a buffer"
    )
    frozen = [name for name in learns if not learns[name]]
    assert not frozen, (
        f"requires_grad is False for {' and '.join(frozen)}, so no gradient is recorded"
    )


def assert_option(student, batches, modes, **options):
    seen = student.run(layer_run, batches, modes, options, "y")
    right = _layer(Reference, batches, modes, options, "y")
    named = " and ".join(f"{name} = {value}" for name, value in options.items())
    assert_close(seen, right, name=f"y with {named}", rtol=ROUGHLY)


@exercise("BatchNorm1d", about="detail", stated="eps=1e-5, momentum=0.1")
def test_layer_hands_eps_on(student, columns):
    """The eps that the layer was made with is used."""
    assert_option(student, [columns(6, 3)], [True], eps=0.4)


@exercise("BatchNorm1d", about="detail", stated="eps=1e-5, momentum=0.1")
def test_layer_hands_momentum_on(student, columns):
    """The momentum that the layer was made with is used."""
    assert_option(student, [columns(6, 3), columns(6, 3)], [True, False], momentum=0.7)


@exercise("BatchNorm1d", about="form", stated="its state_dict is that of torch.nn.BatchNorm1d")
def test_state_has_torchs_kinds(student):
    """Every entry of the state_dict has torch's shape and dtype."""
    seen = student.run(fresh_layer, 3, "kinds")
    for name, value in sorted(torch.nn.BatchNorm1d(3).state_dict().items()):
        if name not in seen:
            continue  # which names there are is a claim of its own
        dtype, shape = seen[name]
        assert dtype == str(value.dtype), f"the dtype of {name} is {dtype}, not {value.dtype}"
        assert shape == list(value.shape), f"the shape of {name} is {shape}, not that of torch's"


@exercise("BatchNorm1d", about="detail", weight=0.5, stated="(buffers)")
def test_layer_moves_as_a_whole(student):
    """All tensors of the layer move with it to another device."""
    stay = student.run(state_moves, 3)
    assert not stay, f"left behind when the layer moves to another device: {' and '.join(stay)}"


@exercise(
    "BatchNorm1d", about="by hand", forbid=NO_BATCH_NORM,
    stated="normalization and its backward pass are written by hand",
)
def test_layer_by_hand(student, columns):
    """The layer is written by hand, without torch's own batch norm."""
    student.run(layer_run, [columns(6, 3)], [True], {}, "y")


# Exercise: norm_slopes


@pytest.fixture
def column_slopes(reference, rng):
    """A column of numbers, its normalized form and torch's slopes; |x̂| of two entries is large."""
    column = rng.permutation([-2.0, 0.7, 1.1, 3.4]) + rng.uniform(-0.2, 0.2, 4)
    n, s, x_hat, of_mean, of_scale, of_x_hat = reference.norm_jacobian(_double(column), 0.3)
    large = np.argsort(-np.abs(x_hat))
    return {"n": n, "s": s, "x̂": x_hat, "μ": of_mean, "scale": of_scale, "J": of_x_hat,
            "i": int(large[0]), "k": int(large[1])}  # fmt: skip


@exercise("norm_slopes", part="mean_slope", stated="∂μ/∂x_k (step 11)")
def test_mean_slope(student, column_slopes):
    """The slope of the mean in one of n numbers."""
    c = column_slopes
    assert_expression(student, "mean_slope", ["n"], [[c["n"]]], [c["μ"][0]], "∂μ/∂x_k")


@exercise("norm_slopes", part="scale_slope", stated="∂s/∂x_k in terms of x̂_k (step 12)")
def test_scale_slope(student, column_slopes):
    """The slope of s = √(σ² + ε)."""
    c = column_slopes
    points = [[c["n"], c["x̂"][k]] for k in (c["i"], c["k"])]
    expected = [c["scale"][k] for k in (c["i"], c["k"])]
    assert_expression(student, "scale_slope", ["n", "xhat_k"], points, expected, "∂s/∂x_k")


@exercise("norm_slopes", part="same_slope", stated="∂x̂_k/∂x_k (step 13)")
def test_same_slope(student, column_slopes):
    """The slope of x̂_k in x_k itself."""
    c = column_slopes
    points = [[c["n"], c["s"], c["x̂"][k]] for k in (c["i"], c["k"])]
    expected = [c["J"][k][k] for k in (c["i"], c["k"])]
    assert_expression(student, "same_slope", ["n", "s", "xhat_k"], points, expected, "∂x̂_k/∂x_k")


@exercise("norm_slopes", part="other_slope", stated="∂x̂_i/∂x_k for i ≠ k (step 13)")
def test_other_slope(student, column_slopes):
    """The slope of x̂_i in another number x_k."""
    c = column_slopes
    i, k = c["i"], c["k"]
    other = next(j for j in range(c["n"]) if c["x̂"][j] * c["x̂"][i] < 0)
    points = [[c["n"], c["s"], c["x̂"][i], c["x̂"][j]] for j in (other, k)]
    expected = [c["J"][i][other], c["J"][i][k]]
    assert_expression(
        student, "other_slope", ["n", "s", "xhat_i", "xhat_k"], points, expected, "∂x̂_i/∂x_k"
    )


# Exercise: batch_norm_backward


@exercise("batch_norm_backward", weight=2, stated="(∂loss/∂x, ∂loss/∂weight, ∂loss/∂bias)")
def test_batch_norm_gradient_in_x(student, reference, columns, apart):
    """The gradient in x is the one that autograd finds, mean and variance included."""
    given = (apart(4, 3), columns(4, 3), apart(3), SMALL)
    seen, right = student.batch_norm_backward(*given), reference.batch_norm_backward(*given)
    assert_gradient(seen, right, 0, ROUGHLY)


@exercise("batch_norm_backward", about="detail", stated="(∂loss/∂x, ∂loss/∂weight, ∂loss/∂bias)")
def test_batch_norm_gradient_in_weight(student, reference, columns, apart):
    """The gradient in weight is a sum over the rows, of upstream times x̂."""
    given = (apart(4, 3), columns(4, 3), apart(3), SMALL)
    seen, right = student.batch_norm_backward(*given), reference.batch_norm_backward(*given)
    assert_gradient(seen, right, 1, ROUGHLY)


@exercise("batch_norm_backward", about="detail", stated="(∂loss/∂x, ∂loss/∂weight, ∂loss/∂bias)")
def test_batch_norm_gradient_in_bias(student, reference, columns, apart):
    """The gradient in bias is a sum over the rows."""
    given = (apart(4, 3), columns(4, 3), apart(3), SMALL)
    seen, right = student.batch_norm_backward(*given), reference.batch_norm_backward(*given)
    assert_gradient(seen, right, 2, ROUGHLY)


@exercise("batch_norm_backward", about="detail", stated="eps: ε of formula (1)")
def test_batch_norm_gradient_with_eps(student, reference, columns, apart):
    """A large eps counts, inside the root."""
    given = (apart(4, 3), columns(4, 3), apart(3), 0.1)
    seen, right = student.batch_norm_backward(*given), reference.batch_norm_backward(*given)
    assert_gradient(seen, right, 0)


@exercise("batch_norm_backward", about="arguments", weight=0.5, stated="Other tensors are left as")
def test_batch_norm_backward_leaves_its_arguments(student, columns, apart):
    """upstream, x and weight are not changed."""
    student.batch_norm_backward(apart(4, 3), columns(4, 3), apart(3), 1e-5)
    if student.modified:
        raise Mismatch(
            "batch_norm_backward changes its arguments in place; work on new tensors",
            kind="modified",
        )


@exercise(
    "batch_norm_backward", about="by hand", forbid=["autograd", *NO_BATCH_NORM],
    stated="in the backward pass, without autograd",
)
def test_batch_norm_backward_by_hand(student, columns, apart):
    """The gradients are written out, without autograd."""
    student.batch_norm_backward(apart(4, 3), columns(4, 3), apart(3), 1e-5)


# Exercise: layer_norm


@pytest.fixture
def rows(columns):
    """Draws batches whose rows have means far from 0 and different variances."""

    def draw(*shape, dtype=torch.float64):
        n = math.prod(shape[:-1])
        return columns(shape[-1], n, dtype=dtype).T.contiguous().reshape(shape)

    return draw


@exercise("layer_norm", weight=2, stated="Layer normalization over the last axis")
def test_layer_norm_by_rows(student, reference, rows):
    """Every row is normalized by its own mean and biased variance."""
    x = rows(5, 4)
    ones, zeros = x.new_ones(4), x.new_zeros(4)
    agree(student, reference, "layer_norm", x, ones, zeros, SMALL, called="y", rtol=ROUGHLY)


@exercise("layer_norm", about="detail", stated="weight, bias: γ and β")
def test_layer_norm_weight_and_bias(student, reference, rows, apart):
    """weight and bias belong to the features."""
    x, weight, bias = rows(5, 4), apart(4), apart(4)
    agree(student, reference, "layer_norm", x, weight, bias, SMALL, called="y", rtol=ROUGHLY)


@exercise("layer_norm", about="detail", stated="inside the root")
def test_layer_norm_eps(student, reference, rows):
    """eps is added to the variance, inside the root."""
    x = rows(5, 4)
    ones, zeros = x.new_ones(4), x.new_zeros(4)
    agree(student, reference, "layer_norm", x, ones, zeros, 0.3, called="y")


@exercise("layer_norm", about="detail", stated="or with more axes in front")
def test_layer_norm_of_sequences(student, reference, rows, apart):
    """With more axes in front, each place is normalized separately."""
    x = rows(2, 3, 4)
    ones, zeros = x.new_ones(4), x.new_zeros(4)
    agree(student, reference, "layer_norm", x, ones, zeros, SMALL, called="y", rtol=ROUGHLY)


@exercise("layer_norm", about="form", weight=0.5, stated="Results keep their dtype")
def test_layer_norm_keeps_float32(student, reference, rows):
    """float32 stays float32."""
    x = rows(5, 4, dtype=torch.float32)
    ones, zeros = x.new_ones(4), x.new_zeros(4)
    agree(student, reference, "layer_norm", x, ones, zeros, 1e-5, called="y", rtol=1e-4)


@exercise("layer_norm", about="arguments", weight=0.5, stated="Other tensors are left as they are")
def test_layer_norm_leaves_its_arguments(student, rows, apart):
    """x, weight and bias are not changed."""
    student.layer_norm(rows(5, 4), apart(4), apart(4), 1e-5)
    if student.modified:
        raise Mismatch(
            "layer_norm changes its arguments in place; work on a new tensor", kind="modified"
        )


@exercise(
    "layer_norm", about="by hand", forbid=NO_LAYER_NORM,
    stated="normalization and its backward pass are written by hand",
)
def test_layer_norm_by_hand(student, rows, apart):
    """Layer norm is written by hand, without torch's own."""
    student.layer_norm(rows(5, 4), apart(4), apart(4), 1e-5)


# Exercise: layer_norm_backward


@exercise("layer_norm_backward", weight=2, stated="(∂loss/∂x, ∂loss/∂weight, ∂loss/∂bias)")
def test_layer_norm_gradient_in_x(student, reference, rows, apart):
    """The gradient in x is the one that autograd finds."""
    given = (apart(5, 4), rows(5, 4), apart(4), SMALL)
    seen, right = student.layer_norm_backward(*given), reference.layer_norm_backward(*given)
    assert_gradient(seen, right, 0, ROUGHLY)


@exercise("layer_norm_backward", about="detail", stated="(∂loss/∂x, ∂loss/∂weight, ∂loss/∂bias)")
def test_layer_norm_gradient_in_weight(student, reference, rows, apart):
    """The gradient in weight is a sum over all rows."""
    given = (apart(5, 4), rows(5, 4), apart(4), SMALL)
    seen, right = student.layer_norm_backward(*given), reference.layer_norm_backward(*given)
    assert_gradient(seen, right, 1, ROUGHLY)


@exercise("layer_norm_backward", about="detail", stated="(∂loss/∂x, ∂loss/∂weight, ∂loss/∂bias)")
def test_layer_norm_gradient_in_bias(student, reference, rows, apart):
    """The gradient in bias is a sum over all rows."""
    given = (apart(5, 4), rows(5, 4), apart(4), SMALL)
    seen, right = student.layer_norm_backward(*given), reference.layer_norm_backward(*given)
    assert_gradient(seen, right, 2, ROUGHLY)


@exercise("layer_norm_backward", about="detail", stated="(n, d) or (n, length, d)")
def test_layer_norm_gradients_of_sequences(student, reference, rows, apart):
    """With an axis more, weight and bias collect over both axes in front."""
    given = (apart(2, 3, 4), rows(2, 3, 4), apart(4), SMALL)
    seen, right = student.layer_norm_backward(*given), reference.layer_norm_backward(*given)
    for which in range(3):
        assert_gradient(seen, right, which, ROUGHLY)


@exercise("layer_norm_backward", about="detail", stated="eps: ε of formula (1)")
def test_layer_norm_gradient_with_eps(student, reference, rows, apart):
    """A large eps counts, inside the root."""
    given = (apart(5, 4), rows(5, 4), apart(4), 0.1)
    seen, right = student.layer_norm_backward(*given), reference.layer_norm_backward(*given)
    assert_gradient(seen, right, 0)


@exercise("layer_norm_backward", about="arguments", weight=0.5, stated="Other tensors are left as")
def test_layer_norm_backward_leaves_its_arguments(student, rows, apart):
    """upstream, x and weight are not changed."""
    student.layer_norm_backward(apart(5, 4), rows(5, 4), apart(4), 1e-5)
    if student.modified:
        raise Mismatch(
            "layer_norm_backward changes its arguments in place; work on new tensors",
            kind="modified",
        )


@exercise(
    "layer_norm_backward", about="by hand", forbid=["autograd", *NO_LAYER_NORM],
    stated="in the backward pass, without autograd",
)
def test_layer_norm_backward_by_hand(student, rows, apart):
    """The gradients are written out, without autograd."""
    student.layer_norm_backward(apart(5, 4), rows(5, 4), apart(4), 1e-5)
