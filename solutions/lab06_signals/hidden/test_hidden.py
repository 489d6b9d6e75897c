"""Lab 06, the tests that students do not see: other shapes, longer runs, the traps."""


import numpy as np
import torch
import torch.nn.functional as F

from course_utils.testing import (
    agree,
    assert_close,
    assert_expression,
    exercise,
    probe,
    public_tests,
)

public = public_tests(__file__)


@probe(values=True)
def trained_together(student, batches, weight, bias, mean, var, modes, momentum, eps):
    """The last result of several batches in a row."""
    mean, var = mean.clone(), var.clone()
    for x, training in zip(batches, modes, strict=True):
        y = student.batch_norm(
            x.clone(), weight.clone(), bias.clone(), mean, var, training, momentum, eps
        )
    return y.detach()


@probe(values=True)
def learnt_gradients(student, x, weight, bias, upstream, training):
    """The gradients in weight and bias that autograd finds through the student's batch_norm."""
    mean, var = torch.zeros_like(weight), torch.ones_like(weight)
    leaves = [weight.clone().requires_grad_(), bias.clone().requires_grad_()]
    y = student.batch_norm(x.clone(), *leaves, mean, var, training, 0.3, 0.1)
    if not y.requires_grad:
        return [torch.zeros_like(weight), torch.zeros_like(bias)]
    return list(torch.autograd.grad(y, leaves, upstream))


@probe
def accepts_one_row(student, x):
    """Whether a single row passes at evaluation."""
    d = x.shape[1]
    ones, zeros = x.new_ones(d), x.new_zeros(d)
    y = student.batch_norm(x.clone(), ones, zeros, zeros.clone(), ones.clone(), False, 0.1, 1e-5)
    return list(y.shape)


def _trained_layer(student, x, target, steps):
    """The state_dict after some steps of SGD on a layer, forwards and backwards."""
    layer = student.BatchNorm1d(x.shape[1]).to(x.device, x.dtype)
    with torch.no_grad():
        for name, value in (("weight", 1.5), ("bias", 0.5)):
            if isinstance(getattr(layer, name, None), torch.Tensor):
                getattr(layer, name).fill_(value)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.3)
    for _ in range(steps):
        optimizer.zero_grad()
        ((layer(x.clone()) - target) ** 2).mean().backward()
        optimizer.step()
    return {name: value.detach().double() for name, value in sorted(layer.state_dict().items())}


trained_layer = probe(values=True)(_trained_layer)


@probe
def model_after(student, X, y, seed):
    """Whether measuring leaves a model's weights, mode and gradient switches alone."""
    torch.manual_seed(seed)
    model = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.Tanh(), torch.nn.Linear(4, 3))
    model.to(X.device, X.dtype).eval()
    before = [p.detach().clone() for p in model.parameters()]
    student.gradient_norms_by_depth(model, X, y)
    same = all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
    switches = all(p.requires_grad for p in model.parameters())
    return {"weights": same, "mode": not model.training, "switches": switches}


# Exercises 1, 2, 7 and 11: other points.


@exercise("variance_steps", part="product_variance", stated="w has mean 0 and x any mean")
def test_product_variance_of_centred_inputs(student, reference):
    """With mean 0 only the variances are left."""
    points = [[2.5, 0.0, 0.4], [0.3, -1.5, 2.0]]
    expected = [reference.product_variance(*point) for point in points]
    assert_expression(
        student, "product_variance", ["var_w", "mean_x", "var_x"], points, expected, "the variance"
    )


@exercise("variance_steps", part="deep_moment", stated="each linear and then relu, from E[x²] = m")
def test_one_layer(student, reference, rng):
    """One layer is steps 2 and 3 once."""
    points = [[5, float(rng.uniform(1.2, 1.8)), float(rng.uniform(2, 3)), 1]]
    expected = [reference.deep_moment(*point) for point in points]
    assert_expression(
        student, "deep_moment", ["n", "var_w", "m", "layers"], points, expected, "E[x²]", rtol=1e-5
    )


@exercise("good_variances", part="glorot_variance", stated="compromise between forwards and back")
def test_glorot_is_symmetric(student, reference, rng):
    """Glorot's variance is the same forwards and backwards."""
    n, m = int(rng.integers(20, 30)), int(rng.integers(5, 10))
    public.assert_variance(
        student, reference, "glorot_variance", ["n_in", "n_out"], [[n, m], [m, n], [n, n]]
    )


@exercise("symmetry", part="slope_in", stated="∂L/∂w₁ where both units have the weights w and v")
def test_no_slope_at_zero(student, reference):
    """With v = 0 there is no slope in w₁."""
    points = [[0.7, 0.0, 1.2, 0.5], [0.5, 1.5, -0.8, 0.0]]
    expected = [reference.slopes_of_two_units(*point)[0] for point in points]
    assert_expression(student, "slope_in", ["w", "v", "x", "y"], points, expected, "∂L/∂w₁")


@exercise("norm_slopes", part="same_slope", stated="∂x̂_k/∂x_k (step 13)")
def test_same_slope_of_many(student, reference, rng):
    """The same slope in a longer column, for every entry."""
    column = rng.permutation(np.arange(7.0)) + rng.uniform(-0.2, 0.2, 7)
    n, s, x_hat, _, _, J = reference.norm_jacobian(torch.as_tensor(column), 0.5)
    points = [[n, s, x_hat[k]] for k in range(n)]
    expected = [J[k][k] for k in range(n)]
    assert_expression(
        student, "same_slope", ["n", "s", "xhat_k"], points, expected, "∂x̂_k/∂x_k"
    )


# Exercises 3 and 4.


@exercise("fans", about="detail", stated="with a kernel of any number of axes")
def test_fans_of_other_kernels(student, reference, device):
    """Kernels of one and of three axes."""
    for shape in ((6, 4, 3), (2, 5, 3, 2, 4)):
        public.assert_fans(student, reference, shape, device)


@exercise("initializers", part="glorot_normal_", about="detail", weight=0.5,
          stated="a weight of any shape that fans takes")  # fmt: skip
def test_glorot_normal_kernel(student, seed, device):
    """glorot_normal_ counts the entries of a kernel."""
    public.assert_drawn(student, "glorot_normal_", public.KERNELS, seed, device, "std")


@exercise("initializers", part="torch_linear_default_", about="detail", weight=0.5,
          stated="a weight of any shape that fans takes")  # fmt: skip
def test_torch_default_kernel(student, seed, device):
    """torch_linear_default_ counts the entries of a kernel."""
    shape = [50, 16, 5, 5]
    public.assert_drawn(student, "torch_linear_default_", shape, seed, device, "std")


@exercise("initializers", part="he_normal_", about="detail",
          stated="Entries are drawn independently")  # fmt: skip
def test_he_normal_entries(student, seed, device):
    """The entries of he_normal_ are drawn independently, and large ones occur."""
    public.assert_own_entries(student, "he_normal_", public.HE_WIDE, seed, device)
    public.assert_drawn(student, "he_normal_", public.HE_WIDE, seed, device, "far")


@exercise("initializers", part="glorot_normal_", about="detail",
          stated="Entries are drawn independently")  # fmt: skip
def test_glorot_normal_entries(student, seed, device):
    """The entries of glorot_normal_ are drawn independently, and large ones occur."""
    public.assert_own_entries(student, "glorot_normal_", public.WIDE, seed, device)
    public.assert_drawn(student, "glorot_normal_", public.WIDE, seed, device, "far")


@exercise("initializers", part="glorot_uniform_", about="detail",
          stated="Entries are drawn independently")  # fmt: skip
def test_glorot_uniform_entries(student, seed, device):
    """The entries of glorot_uniform_ are drawn independently."""
    public.assert_own_entries(student, "glorot_uniform_", public.WIDE, seed, device)


@exercise("initializers", part="torch_linear_default_", about="detail",
          stated="Entries are drawn independently")  # fmt: skip
def test_torch_default_entries(student, seed, device):
    """The entries of torch_linear_default_ are drawn independently."""
    public.assert_own_entries(student, "torch_linear_default_", [300, 400], seed, device)


def assert_initializer_on_device(student, name, seed, device):
    weight = torch.zeros(4, 3, device=device)
    public.assert_on_device(student, name, [weight], seed=seed)


@exercise("initializers", part="glorot_uniform_", about="form", weight=0.5,
          stated="live on their device")  # fmt: skip
def test_glorot_uniform_on_device(student, seed, device):
    """glorot_uniform_ draws on the weight's device."""
    assert_initializer_on_device(student, "glorot_uniform_", seed, device)


@exercise("initializers", part="glorot_normal_", about="form", weight=0.5,
          stated="live on their device")  # fmt: skip
def test_glorot_normal_on_device(student, seed, device):
    """glorot_normal_ draws on the weight's device."""
    assert_initializer_on_device(student, "glorot_normal_", seed, device)


@exercise("initializers", part="he_normal_", about="form", weight=0.5,
          stated="live on their device")  # fmt: skip
def test_he_normal_on_device(student, seed, device):
    """he_normal_ draws on the weight's device."""
    assert_initializer_on_device(student, "he_normal_", seed, device)


@exercise("initializers", part="torch_linear_default_", about="form", weight=0.5,
          stated="live on their device")  # fmt: skip
def test_torch_default_on_device(student, seed, device):
    """torch_linear_default_ draws on the weight's device."""
    assert_initializer_on_device(student, "torch_linear_default_", seed, device)


# Exercises 5 and 6.


@exercise("saturation", part="saturation", about="edge", stated="|h| > threshold")
def test_saturation_at_the_threshold(student, device):
    """An activation at the threshold itself is not beyond it."""
    h = torch.tensor([[0.5, -0.5], [0.75, -0.25]], device=device)
    assert_close(student.saturation(h, 0.5), 0.25, name="the share beyond 0.5")


@exercise("saturation", part="dead_units", about="edge", stated="units that are 0 for all examples")
def test_all_and_none_dead(student, device):
    """All units dead, and none."""
    h = torch.zeros(4, 3, device=device)
    assert_close(student.dead_units(h), 1.0, name="the share")
    assert_close(student.dead_units(h + 1), 0.0, name="the share")


@exercise("gradient_norms_by_depth", about="detail", stated="hold from before do not count")
def test_norms_of_a_second_call(student, reference, logits_batch, seed):
    """A second call on the same model and batch says the same as the first."""
    X, y = logits_batch(7)
    seen = student.run(public.norms_twice, X, y, seed)
    right = public._norms_twice(reference, X, y, seed)
    assert_close(np.array(seen), np.array(right), name="the norms at the second call")


@exercise("gradient_norms_by_depth", about="detail", stated="maps X to logits")
def test_model_is_left_alone(student, logits_batch, seed):
    """The model keeps its weights and its mode."""
    X, y = logits_batch(7)
    seen = student.run(model_after, X, y, seed)
    assert seen["weights"], "measuring has changed the model's weights"
    assert seen["mode"], "the model came in evaluation mode and is in training mode afterwards"
    assert seen["switches"], "a parameter no longer requires a gradient"


# Exercise 8: batch_norm


@exercise("batch_norm", about="detail", stated="with the batch's mean and its unbiased variance")
def test_train_then_evaluate(student, reference, columns, plain):
    """After several batches of training, evaluation uses what was remembered."""
    batches = [columns(6, 3) for _ in range(5)]
    given = plain(batches[0])
    arguments = (given["weight"], given["bias"], given["mean"], given["var"])
    modes = [True] * 4 + [False]
    seen = student.run(trained_together, batches, *arguments, modes, 0.3, public.SMALL)
    mean, var = (t.clone() for t in arguments[2:])
    for x, training in zip(batches, modes, strict=True):
        right = reference.batch_norm(x, *arguments[:2], mean, var, training, 0.3, public.SMALL)
    assert_close(seen, right, name="y at evaluation", rtol=public.ROUGHLY)


@exercise("batch_norm", about="detail", stated="weight, bias: γ and β, (d,)")
def test_gradients_of_weight_and_bias(student, columns, apart):
    """Gradients reach weight and bias, in training and at evaluation."""
    x, weight, bias, upstream = columns(5, 3), apart(3), apart(3), apart(5, 3)
    for training in (True, False):
        seen = student.run(learnt_gradients, x, weight, bias, upstream, training)
        leaves = [weight.clone().requires_grad_(), bias.clone().requires_grad_()]
        y = F.batch_norm(
            x, torch.zeros_like(weight), torch.ones_like(weight), *leaves, training, 0.3, 0.1
        )
        right = list(torch.autograd.grad(y, leaves, upstream))
        for which, name in enumerate(("weight", "bias")):
            assert_close(seen[which], right[which], name=f"the gradient in {name}")


@exercise("batch_norm", about="edge", weight=0.5, stated="In training a single row is refused")
def test_one_row_at_evaluation(student, columns):
    """At evaluation a single row is welcome."""
    shape = student.run(accepts_one_row, columns(4, 3)[:1])
    assert shape == [1, 3], f"a single row comes back with the shape {tuple(shape)}"


@exercise("batch_norm", about="edge", weight=0.5, stated="the batch's own statistics normalize")
def test_two_rows(student, reference, columns, plain):
    """Two rows are enough; so is a square batch."""
    for shape in ((2, 4), (3, 3)):
        x = columns(*shape)
        public.assert_normalized(student, reference, x, plain(x), True, public.SMALL)


@exercise("batch_norm", about="form", weight=0.5, stated="live on their device")
def test_batch_norm_on_device(student, columns, apart):
    """Everything batch_norm makes lies on x's device."""
    tensors = [columns(4, 3), apart(3), apart(3), apart(3), apart(3).square()]
    public.assert_on_device(student, "batch_norm", tensors, {"training": True, "momentum": 0.3})


# Exercise 9: break_it


@exercise("break_it", part="far_apart", stated="A batch (n, d), n ≥ 2")
def test_predictions_part(student):
    """With the biased variance remembered, predictions come out more than a tenth larger."""
    biased, unbiased = public.two_variances(student.far_apart())
    ratio = float((unbiased / biased).sqrt().min())
    assert ratio > 1.1, f"predictions differ by the factor {ratio:.3f} only"


@exercise("break_it", part="nearly_equal", stated="A batch (n, d)")
def test_predictions_agree(student):
    """On the other batch they differ by less than half a hundredth."""
    biased, unbiased = public.two_variances(student.nearly_equal())
    ratio = float((unbiased / biased).sqrt().max())
    assert ratio < 1.005, f"predictions differ by the factor {ratio:.4f}"


# Exercise 10: BatchNorm1d


@exercise("BatchNorm1d", stated="its state_dict is that of torch.nn.BatchNorm1d")
def test_layer_trains_as_torchs(student, columns, apart):
    """After some steps of SGD weight and bias are those of torch's layer."""
    x, target = columns(6, 3), apart(6, 3)
    seen = student.run(trained_layer, x, target, 3)
    right = _trained_layer(torch.nn, x, target, 3)
    for name in ("weight", "bias"):
        assert name in seen, f"the state_dict has no {name}"
        assert_close(seen[name], right[name], name=f"{name} after three steps")


# Exercises 12 to 14


@exercise("batch_norm_backward", about="edge", stated="x: (n, d), n ≥ 2")
def test_gradient_of_other_shapes(student, reference, columns, apart):
    """Two rows, a square batch, and many columns."""
    for shape in ((2, 3), (4, 4), (3, 7)):
        given = (apart(*shape), columns(*shape), apart(shape[1]), 0.2)
        seen, right = student.batch_norm_backward(*given), reference.batch_norm_backward(*given)
        for which in range(3):
            public.assert_gradient(seen, right, which)


@exercise("batch_norm_backward", about="form", weight=0.5, stated="Results keep their dtype")
def test_gradients_keep_float32(student, reference, columns, apart):
    """float32 stays float32."""
    given = (
        apart(5, 3, dtype=torch.float32), columns(5, 3, dtype=torch.float32),
        apart(3, dtype=torch.float32), public.SMALL,
    )  # fmt: skip
    seen, right = student.batch_norm_backward(*given), reference.batch_norm_backward(*given)
    public.assert_gradient(seen, right, 0, rtol=1e-2)


@exercise("batch_norm_backward", about="form", weight=0.5, stated="live on their device")
def test_batch_norm_backward_on_device(student, columns, apart):
    """Everything lies on x's device."""
    tensors = [apart(4, 3), columns(4, 3), apart(3)]
    public.assert_on_device(student, "batch_norm_backward", tensors, {"eps": 0.1})


@exercise("layer_norm", about="edge", weight=0.5, stated="every x[i, …] is normalized separately")
def test_layer_norm_of_one_row(student, reference, rows, apart):
    """One row is no special case; nor is a square batch."""
    for shape in ((1, 5), (4, 4)):
        x, d = rows(*shape), shape[1]
        ones, zeros = x.new_ones(d), x.new_zeros(d)
        agree(
            student, reference, "layer_norm", x, ones, zeros, public.SMALL,
            called="y", rtol=public.ROUGHLY,
        )


@exercise("layer_norm", about="form", weight=0.5, stated="live on their device")
def test_layer_norm_on_device(student, rows, apart):
    """Everything lies on x's device."""
    public.assert_on_device(student, "layer_norm", [rows(5, 4), apart(4), apart(4)], {"eps": 0.1})


@exercise("layer_norm_backward", about="edge", weight=0.5, stated="(n, d) or (n, length, d)")
def test_layer_norm_gradients_of_other_shapes(student, reference, rows, apart):
    """A single row, and a square batch."""
    for shape in ((1, 5), (4, 4)):
        given = (apart(*shape), rows(*shape), apart(shape[1]), 0.2)
        seen, right = student.layer_norm_backward(*given), reference.layer_norm_backward(*given)
        for which in range(3):
            public.assert_gradient(seen, right, which)


@exercise("layer_norm_backward", about="form", weight=0.5, stated="live on their device")
def test_layer_norm_backward_on_device(student, rows, apart):
    """Everything lies on x's device."""
    tensors = [apart(5, 4), rows(5, 4), apart(4)]
    public.assert_on_device(student, "layer_norm_backward", tensors, {"eps": 0.1})
