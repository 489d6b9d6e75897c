"""Lab 05, the tests that students do not see: other settings, the statistics, the traps."""


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
    values_at,
)

public = public_tests(__file__)


@probe
def masks_and_ratios(student, x, p, seed):
    """One call's ratios out / x, how many examples fall differently, and whether a second repeats.

    Along a second axis of channels the masks are counted too, where there is one.
    """
    generator = torch.Generator(device=x.device).manual_seed(seed)
    first, second = (student.dropout(x.clone(), p, True, generator) for _ in range(2))
    ratios = (first.double() / x.double()).cpu().numpy().round(4) + 0.0
    mask = (first != 0).cpu()
    return {
        "ratios": np.unique(ratios)[:6].tolist(),
        "distinct masks": [
            torch.unique(mask, dim=axis).shape[axis] for axis in range(min(x.ndim - 1, 2))
        ],
        "the same twice": bool((mask == (second != 0).cpu()).all()),
    }


@probe
def ratios_of_zeros(student, x, p, seed):
    """Whether entries that were 0 before are 0 afterwards."""
    generator = torch.Generator(device=x.device).manual_seed(seed)
    out = student.dropout(x.clone(), p, True, generator)
    return bool((out[x == 0] == 0).all())


@probe
def neighbours_dropped(student, p, seed, device):
    """The share of 125,000 pairs of neighbours of which both were dropped, to the nearest 0.02."""
    generator = torch.Generator(device=device).manual_seed(seed)
    out = student.dropout(torch.ones(1, 250_000, device=device), p, True, generator)
    both = (out.reshape(-1, 2) == 0).all(1).double().mean()
    return round(float(both) / 0.02) * 0.02


@probe
def dropout_gradient(student, x, upstream, p, seed):
    """Autograd through the student's dropout: the ratios where it kept and where it dropped."""
    generator = torch.Generator(device=x.device).manual_seed(seed)
    leaf = x.clone().requires_grad_()
    out = student.dropout(leaf * 1, p, True, generator)
    if not out.requires_grad:
        return "none"
    (gradient,) = torch.autograd.grad(out, leaf, upstream)
    ratios = (gradient / upstream).cpu().numpy().round(4) + 0.0
    alive = (out != 0).cpu().numpy()
    return [np.unique(ratios[alive])[:4].tolist(), np.unique(ratios[~alive])[:4].tolist()]


@probe
def module_errors(student, values):
    """For each p, the name of what making a layer with it raises, or None."""
    names = []
    for p in values:
        try:
            student.Dropout(p)
            names.append(None)
        except NotImplementedError:  # not written yet, which is another matter
            raise
        except Exception as error:
            names.append(type(error).__name__)
    return names


@probe
def module_generator(student, x, p, seed):
    """Whether a layer drops the same on its next call, and another from the same state."""
    masks = []
    for _ in range(2):
        generator = torch.Generator(device=x.device).manual_seed(seed)
        layer = student.Dropout(p, generator=generator)
        masks += [layer(x.clone()) != 0, layer(x.clone()) != 0]
        torch.rand(7, device=x.device)
    return [bool((masks[0] == masks[1]).all()), bool((masks[0] == masks[2]).all())]


@probe
def drop_connect_repeats(student, weight, p, seed):
    """Whether two calls on one generator, and two generators in one state, use the same mask."""
    basis = torch.eye(weight.shape[1], dtype=weight.dtype, device=weight.device)
    masks = []
    for _ in range(2):
        generator = torch.Generator(device=weight.device).manual_seed(seed)
        for _ in range(2):
            out = student.drop_connect(basis, weight.clone(), None, p, True, generator)
            masks.append(out != 0)
        torch.rand(7, device=weight.device)
    return [bool((masks[0] == masks[1]).all()), bool((masks[0] == masks[2]).all())]


@probe
def weight_gradient(student, weight, p, seed):
    """Which gradients reach the weights when every output is summed on unit vectors."""
    generator = torch.Generator(device=weight.device).manual_seed(seed)
    weight = weight.clone().requires_grad_()
    basis = torch.eye(weight.shape[1], dtype=weight.dtype, device=weight.device)
    out = student.drop_connect(basis, weight * 1, None, p, True, generator)
    (gradient,) = torch.autograd.grad(out.sum(), weight)
    return np.unique(gradient.cpu().numpy().round(4) + 0.0)[:6].tolist()


@probe(values=True)
def shared_penalty(student, weight):
    """The penalty of a model that uses one weight matrix in two places."""
    model = torch.nn.ModuleDict(
        {"in": torch.nn.Linear(*weight.shape[::-1]), "out": torch.nn.Linear(*weight.shape[::-1])}
    ).to(weight.device, weight.dtype)
    with torch.no_grad():
        model["in"].weight.copy_(weight)
    model["out"].weight = model["in"].weight
    return float(student.l2_penalty(model))


@probe
def restore_twice(student, scores, seed, device):
    """Restore, go on training, restore again; a model with running statistics."""
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)).to(device)
    stopper = student.EarlyStopping(patience=9)
    for epoch, score in enumerate(scores):
        with torch.no_grad():
            model[0].weight.fill_(float(epoch))
            model[1].running_mean.fill_(10.0 * epoch)
        stopper.step(score, model)
    seen = []
    for _ in range(2):
        stopper.restore(model)
        seen += [float(model[0].weight[0, 0]), float(model[1].running_mean[0])]
        with torch.no_grad():
            model[0].weight.fill_(-1.0)
            model[1].running_mean.fill_(-1.0)
    return seen


@probe
def mixed_pairs(student, x, y, lam, seed):
    """mixup of separate examples: how far inputs and targets are from λ·own + (1 − λ)·partner."""
    generator = torch.Generator(device=x.device).manual_seed(seed)
    mixed, targets = student.mixup(x.clone(), y.clone(), lam, generator)
    flat = x.flatten(1)
    rest = mixed.flatten(1) - lam * flat
    distance = torch.cdist(rest / (1 - lam), flat)
    partner = distance.argmin(1)
    of_inputs = float(distance.min(1).values.max())
    of_targets = float(((targets - lam * y) / (1 - lam) - y[partner]).abs().max())
    return {
        "no partner for an input": of_inputs > 1e-3,
        "other partner for a target": of_targets > 1e-3,
    }


@probe
def cut_rates(student, count, places, grids, seed, device):
    """How often cutout of size 3 hits pixels of 5 × 5 images, each to a grid of its own."""
    generator = torch.Generator(device=device).manual_seed(seed)
    image = (torch.arange(25, device=device) + 1.0).square().reshape(5, 5)
    images = image.expand(count, 1, 5, 5).contiguous()
    hole = student.cutout(images.clone(), 3, generator)[:, 0] != image
    if bool((hole == hole[:1]).all()):
        return "one and the same hole in every image"
    rates = [float(hole[:, row, column].double().mean()) for row, column in places]
    return [round(rate / grid) * grid for rate, grid in zip(rates, grids, strict=True)]


@probe
def holes_follow_generator(student, seed, device):
    """Whether eight calls on one generator, and two generators in one state, cut the same holes."""
    images, runs = torch.arange(50 * 81.0, device=device).reshape(50, 1, 9, 9), []
    for _ in range(2):
        generator = torch.Generator(device=device).manual_seed(seed)
        runs.append([student.cutout(images.clone(), 3, generator) for _ in range(8)])
        torch.rand(7, device=device)
    again = all(bool((out == runs[0][0]).all()) for out in runs[0])
    return [again, bool((torch.cat(runs[0]) == torch.cat(runs[1])).all())]


@probe
def sum_of_targets(student, x, y, lam, seed):
    """The distinct sums of cutmix's targets."""
    generator = torch.Generator(device=x.device).manual_seed(seed)
    _, targets = student.cutmix(x.clone(), y.clone(), lam, generator)
    return sorted({round(float(v), 6) for v in targets.sum(1)})[:6]


# Exercise: dropout_moments


def _moment_at(student, reference, name, what, z, p):
    point = [p] if name == "dropout_scale" else [z, p]
    variables = ["p"] if name == "dropout_scale" else ["z", "p"]
    expected = [getattr(reference, name)(*point)]
    assert_expression(student, name, variables, [point], expected, what)


@exercise(
    "dropout_moments", part="masked_mean", weight=0.5, stated="E[m·z] for m ~ Bernoulli(1 − p)"
)
def test_mean_at_the_ends(student, reference, rng):
    """The mean holds at p = 0, where the mask is always 1, and for p near 1."""
    _moment_at(student, reference, "masked_mean", "the mean", float(rng.uniform(1.5, 3)), 0.0)
    _moment_at(student, reference, "masked_mean", "the mean", float(-rng.uniform(4, 6)), 0.97)


@exercise("dropout_moments", part="masked_var", weight=0.5, stated="Var[m·z] (step 2)")
def test_variance_at_the_ends(student, reference, rng):
    """The variance is 0 at p = 0, and holds for p near 1."""
    _moment_at(student, reference, "masked_var", "the variance", float(rng.uniform(1.5, 3)), 0.0)
    _moment_at(student, reference, "masked_var", "the variance", float(-rng.uniform(4, 6)), 0.97)


@exercise(
    "dropout_moments", part="dropout_scale", weight=0.5,
    stated="The factor c for which E[c·m·z] = z",
)
def test_scale_at_the_ends(student, reference, rng):
    """The factor is 1 at p = 0, and holds for p near 1."""
    for p in (0.0, float(rng.uniform(0.95, 0.98))):
        _moment_at(student, reference, "dropout_scale", "the factor", 1.0, p)


@exercise(
    "dropout_moments", part="scaled_var", weight=0.5, stated="Var[c·m·z] with that factor c"
)
def test_scaled_variance_at_the_ends(student, reference, rng):
    """The variance after scaling is 0 at p = 0, and grows without bound as p nears 1."""
    _moment_at(student, reference, "scaled_var", "the variance", float(rng.uniform(1.5, 3)), 0.0)
    _moment_at(student, reference, "scaled_var", "the variance", float(-rng.uniform(4, 6)), 0.97)


# Exercise: dropout


@exercise("dropout", weight=2, stated="floating-point tensor of any shape")
def test_dropout_elsewhere(student, reference, signs_and_sizes, seed):
    """For small and large p, in one, three and four dimensions, every entry is drawn for itself
    on every call, and survivors are x/(1 − p)."""
    # The likeliest coincidence: two of 20 masks of 180 entries agree, 190·0.82^180 < 1e-13.
    for p, shape in ((0.8, (400,)), (0.1, (20, 6, 30)), (0.6, (3, 5, 8, 9))):
        x = signs_and_sizes(*shape)
        seen = student.run(masks_and_ratios, x, p, seed)
        expected = public._survivor_ratios(reference, x, p, True, seed)
        public.assert_factors(seen["ratios"], expected, f"at p = {p:g}, the result divided by x")
        assert seen["distinct masks"] == list(shape[: min(len(shape) - 1, 2)]), (
            "examples or channels share their mask"
        )
        assert not seen["the same twice"], "two calls dropped the very same entries"


@exercise("dropout", stated="probability with which an entry is dropped")
def test_rates_at_other_p(student, seed, device):
    """The share of zeros is p for p = 0.1, 0.5 and 0.9."""
    # Rounded to 0.02 as in the public test: ten standard deviations at p = 0.5.
    for p in (0.1, 0.5, 0.9):
        share = student.run(public.drop_rate, p, seed, str(device))
        public.assert_share(share, p, f"the share of zeros at p = {p:g}")


@exercise("dropout", about="detail", weight=0.25, stated="each for itself")
def test_neighbours_are_independent(student, seed, device):
    """Two neighbours are both dropped with probability p²."""
    # At p = 0.4 the share is 0.16; 0.01 is nine and a half standard deviations: below 1e-20.
    share = student.run(neighbours_dropped, 0.4, seed, str(device))
    public.assert_share(share, 0.16, "the share of neighbours that are both 0")


@exercise("dropout", stated="False returns x unchanged, whatever p is")
def test_eval_ignores_p(student, signs_and_sizes, seed):
    """With training=False nothing is dropped or scaled, at p = 0.3 and at p = 1."""
    x = signs_and_sizes(20, 30)
    for p in (0.3, 1.0):
        seen = student.run(public.survivor_ratios, x, p, False, seed)
        public.assert_factors(seen, [1.0], "the result divided by x")


@exercise("dropout", about="edge", weight=0.25, stated="0, or x times the factor")
def test_zeros_stay(student, signs_and_sizes, seed):
    """Entries that were 0 are 0 afterwards."""
    x = F.relu(signs_and_sizes(20, 30))
    assert student.run(ratios_of_zeros, x, 0.3, seed), "entries that were 0 are not 0 any more"


@exercise("dropout", about="detail", stated="Gradients flow through it to x")
def test_gradient_flows(student, signs_and_sizes, seed):
    """Autograd goes through: 1/(1 − p) where an entry was kept, 0 where it was dropped."""
    # So many rows and columns that some are dropped even where whole ones are.
    x, upstream = signs_and_sizes(60, 60), signs_and_sizes(60, 60)
    seen = student.run(dropout_gradient, x, upstream, 0.3, seed)
    assert seen != "none", "no gradient reaches x"
    # What torch scales its survivors by is the slope it has there.
    public.assert_factors(seen[0], [max(_torch_ratios(x))], "the gradient of what was kept")
    public.assert_factors(seen[1], [0.0], "the gradient of what was dropped")


def _torch_ratios(x):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return (F.dropout(x, 0.3) / x).cpu().numpy().round(4).ravel().tolist()


@exercise("dropout", about="form", weight=0.5, stated="Tensor of x's shape, dtype and device")
def test_other_dtypes(student, signs_and_sizes, seed, device):
    """float64 and float16 inputs keep their dtype, in training and at evaluation."""
    for dtype in (torch.float64, torch.float16):
        for training in (True, False):
            x = signs_and_sizes(4, 6, dtype=dtype)
            seen = student.run(public.kind_of_result, x, 0.3, training, seed)
            public.assert_kind(seen, str(dtype), [4, 6], device.type)


# Exercise: dropout_backward


@exercise("dropout_backward", stated="∂loss/∂y, any shape")
def test_backward_of_survivors_elsewhere(as_in_autograd):
    """Survivors' gradients are right at p = 0.8, in three dimensions."""
    as_in_autograd((5, 12, 8), 0.8, survivors=True)


@exercise("dropout_backward", about="detail", stated="booleans or floating-point numbers")
def test_backward_with_a_float_mask(as_in_autograd):
    """A mask of zeros and ones in floating point works as a mask of booleans does."""
    for survivors in (True, False):
        as_in_autograd((30, 20), 0.6, survivors=survivors, mask_dtype=torch.float64)


@exercise("dropout_backward", about="form", weight=0.5, stated="of upstream's shape and dtype")
def test_backward_keeps_dtype(student, masked_batch):
    """A float32 gradient stays float32."""
    upstream, mask, _ = masked_batch((8, 5), 0.3, torch.float32)
    seen = student.run(public.backward_kind, upstream, mask, 0.3)
    public.assert_kind(seen, "torch.float32", [8, 5], what="the gradient")


# Exercise: Dropout


@exercise("Dropout", stated="on after train(), off after eval()")
def test_module_switches_by_itself(student, signs_and_sizes, seed):
    """layer.eval(), then model.train(), then model.eval(): the last switch counts."""
    modes = ["eval", "model.train", "model.eval", "model.train"]
    seen = student.run(public.module_drops, signs_and_sizes(20, 30), 0.6, seed, modes)
    public.assert_switches(seen, [False, True, False, True], modes)


@exercise("Dropout", about="detail", stated="generator: where the masks are drawn from")
def test_module_uses_its_generator(student, signs_and_sizes, seed):
    """A layer made with a generator draws its masks from it, another one every time."""
    repeats, follows = student.run(module_generator, signs_and_sizes(20, 30), 0.3, seed)
    assert not repeats, "two forward calls dropped the very same entries"
    assert follows, "the masks do not come from the layer's generator"


@exercise("Dropout", about="edge", weight=0.5, stated="survivors are scaled as in equation (1)")
def test_module_at_the_ends(student, signs_and_sizes, seed):
    """A layer with p = 0 changes nothing, and one with p = 1 leaves zeros, not NaN."""
    for p, factor in ((0.0, 1.0), (1.0, 0.0)):
        seen = student.run(public.module_ratios, signs_and_sizes(20, 30), p, seed, True)
        public.assert_factors(seen, [factor], f"at p = {p:g}, the result divided by x")


@exercise("Dropout", about="edge", weight=0.5, stated="outside of [0, 1] it is refused with a")
def test_module_refuses_impossible_p(student):
    """A p outside of [0, 1] is refused with a ValueError when the layer is made."""
    seen = student.run(module_errors, [0.0, -0.1, 1.5, 1.0])
    assert seen == [None, "ValueError", "ValueError", None], (
        "p = −0.1 and 1.5 should raise a ValueError, p = 0 and 1 should not"
    )


# Exercise: drop_connect


@exercise("drop_connect", stated="survivors are scaled by the factor c of Exercise 1")
def test_weights_are_scaled_elsewhere(student, reference, signs_and_sizes, seed):
    """At p = 0.8 too, one mask on the weights serves the batch, scaled by 1/(1 − p)."""
    weight = signs_and_sizes(80, 100)
    # Two of 100 columns of 80 agree by chance with probability 0.68^80·100²/2 < 1e-9.
    seen = student.run(public.effective_weights, weight, 0.8, True, seed)
    expected = public._survivor_ratios(reference, weight, 0.8, True, seed)
    public.assert_factors(seen["ratios"], expected, "a weight that was used over the one given")
    assert seen["the same for both halves"], "two equal examples met other weights"
    assert [seen["distinct rows"], seen["distinct columns"]] == [80, 100], "weights fall together"


@exercise("drop_connect", about="edge", weight=0.5, stated="At p = 1 no weight is left")
def test_drop_connect_at_p_one(student, signs_and_sizes, seed):
    """At p = 1 the output is the bias alone, a number everywhere."""
    seen = student.run(public.effective_weights, signs_and_sizes(8, 10), 1.0, True, seed)
    public.assert_factors(seen["ratios"], [0.0], "a weight that was used over the one given")


@exercise("drop_connect", about="detail", stated="generator: torch.Generator on weight's device")
def test_drop_connect_draws_every_time(student, signs_and_sizes, seed):
    """Every call draws new weights to drop, from the generator that is passed."""
    repeats, follows = student.run(drop_connect_repeats, signs_and_sizes(20, 30), 0.3, seed)
    assert not repeats, "two calls dropped the very same weights"
    assert follows, "the mask does not come from the generator that was passed"


@exercise("drop_connect", about="detail", weight=0.5, stated="Gradients flow through it to the")
def test_drop_connect_gradient(student, reference, signs_and_sizes, seed):
    """The gradient reaches the weights that were kept, scaled as they were, and no others."""
    weight = signs_and_sizes(30, 40)
    seen = student.run(weight_gradient, weight, 0.3, seed)
    expected = public._survivor_ratios(reference, weight, 0.3, True, seed)
    public.assert_factors(seen, expected, "the gradient of a weight")


@exercise("drop_connect", about="form", weight=0.25, stated="what it returns has their dtype")
def test_drop_connect_keeps_dtype(student, normal, seed):
    """In float32 the output is float32."""
    x, weight, bias = (normal(*shape, dtype=torch.float32) for shape in ((4, 6), (3, 6), (3,)))
    seen = student.run(public.drop_connect_kind, x, weight, bias, 0.3, seed)
    public.assert_kind(seen, "torch.float32", [4, 3], what="the output")


# Exercise: map_l2


@exercise("map_l2", part="log_prior", weight=0.5, stated="log N(θ; 0, σ²) of one parameter")
def test_log_prior_of_negative_parameters(student, reference, rng):
    """The density is symmetric: a negative θ counts like a positive one."""
    points = [[float(-rng.uniform(2, 3)), float(rng.uniform(0.7, 0.9))]]
    expected = [reference.log_prior(*q) for q in points]
    assert_expression(
        student, "log_prior", ["theta", "sigma"], points, expected, "the log prior"
    )


@exercise("map_l2", part="map_objective", weight=0.5, stated="−log of (likelihood × prior)")
def test_objective_is_consistent(student, reference, rng):
    """The objective's curvature in θ is λ, for small and large σ."""
    variables = ["l_1", "l_2", "l_3", "theta", "sigma"]
    for sigma in (float(rng.uniform(0.1, 0.2)), float(rng.uniform(5, 6))):
        points = [[1.0, 2.0, 0.5, t, sigma] for t in (-1.0, 0.0, 1.0)]
        low, middle, high = student.run(values_at, "map_objective", variables, points)
        expected = reference.penalty_strength(sigma, 1)
        assert_close(low - 2 * middle + high, expected, name="the curvature", rtol=1e-6)


@exercise("map_l2", part="lambda_for_sum", weight=0.5, stated="λ for which Σ l_i + ½λθ²")
def test_lambda_of_a_sum_elsewhere(student, reference, rng):
    """λ holds for small and large σ."""
    points = [[float(rng.uniform(0.1, 0.2))], [float(rng.uniform(5, 6))]]
    expected = [reference.penalty_strength(q[0], 1) for q in points]
    assert_expression(student, "lambda_for_sum", ["sigma"], points, expected, "λ")


@exercise("map_l2", part="lambda_for_mean", weight=0.5, stated="λ for which (1/n)·Σ l_i + ½λθ²")
def test_lambda_of_a_mean_elsewhere(student, reference, rng):
    """λ for the mean holds for 128 examples."""
    points = [[float(rng.uniform(0.1, 0.2)), 128.0], [float(rng.uniform(5, 6)), 128.0]]
    expected = [reference.penalty_strength(*q) for q in points]
    assert_expression(student, "lambda_for_mean", ["sigma", "n"], points, expected, "λ")


# Exercise: l2_penalty


@exercise("l2_penalty", about="detail", stated="biases and the scales of normalizations have one")
def test_penalty_of_images_and_tables(student, signs_and_sizes):
    """Kernels of 2-D convolutions and embedding tables count, biases anywhere do not."""
    layers = [["Conv2d", 2, 3, 2], ["LayerNorm", 5], ["Embedding", 4, 3]]
    shapes = [(3, 2, 2, 2), (3,), (5,), (5,), (4, 3)]
    tensors = [signs_and_sizes(*shape) for shape in shapes]
    seen = student.run(public.penalty_and_gradients, layers, tensors)
    expected = public.torch_decay(tensors, [True, False, False, False, True])
    assert_close(seen["penalty"], expected["penalty"], name="the penalty")
    for got, want in zip(seen["gradients"], expected["gradients"], strict=True):
        assert_close(got, want, name="a gradient of the penalty")


@exercise("l2_penalty", about="edge", weight=0.5, stated="used in two places counts once")
def test_shared_weights_count_once(student, signs_and_sizes):
    """A matrix that the model uses in two places counts once."""
    weight = signs_and_sizes(3, 4)
    expected = public.torch_decay([weight], [True])["penalty"]
    assert_close(student.run(shared_penalty, weight), expected, name="the penalty")


# Exercise: l1_step


@exercise("l1_step", stated="tensor of any shape")
def test_l1_step_elsewhere(student, reference, rng, device):
    """Other steps, other shapes: the result is torch's soft threshold."""
    for dtype, lr, lam in ((torch.float32, 0.5, 0.8), (torch.float64, 0.02, 9.0)):
        values = rng.permutation([3.0, -2.0, 0.05, -0.07, 0.3, 0.9, -1.3, 0.11])
        theta = torch.as_tensor(values, dtype=dtype, device=device).reshape(2, 2, 2)
        agree(student, reference, "l1_step", theta, lr, lam)


@exercise("l1_step", about="edge", weight=0.5, stated="but no further than 0")
def test_l1_step_at_zero(student, reference, device):
    """An entry that is 0 stays 0, with λ = 0 as well."""
    theta = torch.tensor([0.0, 2.0, 0.0, -1.0], dtype=torch.float64, device=device)
    for lam in (3.0, 0.0):
        agree(student, reference, "l1_step", theta, 0.1, lam)


@exercise("l1_step", about="form", weight=0.25, stated="what it returns has their dtype")
def test_l1_step_keeps_dtype(student, reference, rng, device):
    """float32 stays float32."""
    theta = torch.as_tensor(rng.uniform(1, 2, (2, 3)), dtype=torch.float32, device=device)
    agree(student, reference, "l1_step", theta, 0.1, 3.0)


@exercise("l1_step", about="edge", weight=0.5, stated="but no further than 0")
def test_l1_steps_reach_zero(student, reference, rng, device):
    """Step after step every entry reaches 0 and stays there."""
    theta = torch.as_tensor(rng.uniform(0.4, 0.9, 6) * [1, -1, 1, -1, 1, -1], device=device)
    expected = theta
    for _ in range(4):
        theta, expected = student.l1_step(theta, 0.1, 3.0), reference.l1_step(expected, 0.1, 3.0)
        assert_close(theta, expected, name="the result of the step", atol=1e-12)


# Exercise: EarlyStopping


@exercise("EarlyStopping", stated="True when training should stop")
def test_run_without_stop(student, reference, unit, device):
    """A run that is not stopped is restored to its best epoch all the same."""
    scores, options = [unit * s for s in (5, 4, 3, 2, 2.5, 2.4)], {"patience": 3}
    seen = student.run(public.stop_early, scores, options, str(device))
    public.assert_run(seen, reference.early_stopping(scores, **options))


@exercise("EarlyStopping", about="edge", weight=0.5, stated="nor is NaN")
def test_nan_is_no_progress(student, reference, unit, device):
    """A score that is NaN counts as an epoch without progress."""
    scores, options = [unit * 3, unit * 2, float("nan"), float("nan"), unit], {"patience": 2}
    seen = student.run(public.stop_early, scores, options, str(device))
    public.assert_run(seen, reference.early_stopping(scores, **options))


@exercise("EarlyStopping", about="detail", stated="the weights (and running statistics) of the")
def test_restored_copy_is_kept(student, unit, device):
    """Running statistics are restored too, and a second restore gives the same weights."""
    scores = [unit * s for s in (5, 2, 3, 4)]
    first, statistic, second, again = student.run(restore_twice, scores, 0, str(device))
    assert first == 1.0, "restore did not bring back the best epoch's weights"
    assert statistic == 10.0, "restore did not bring back the running statistics"
    assert (second, again) == (1.0, 10.0), "a second restore brings back something else"


@exercise("EarlyStopping", about="detail", stated="beats the best one by more than this")
def test_min_delta_with_mode_max(student, reference, unit, device):
    """min_delta widens the gap in the right direction when larger is better."""
    scores = [-unit * s for s in public.CREEPING]
    options = {"patience": 3, "min_delta": unit, "mode": "max"}
    seen = student.run(public.stop_early, scores, options, str(device))
    public.assert_run(seen, reference.early_stopping(scores, **options))


# Exercise: mixup


@exercise("mixup", about="detail", stated="inputs (n, …)")
def test_mixup_of_images(student, normal, seed):
    """Images of several channels and soft targets are mixed with one partner."""
    x, y = 5.0 * normal(40, 2, 4, 3), torch.softmax(5.0 * normal(40, 6), 1)
    for lam in (0.25, 0.9):
        seen = student.run(mixed_pairs, x, y, lam, seed)
        assert not seen["no partner for an input"], "an input is no mixture with another one"
        assert not seen["other partner for a target"], "a target has another partner than its input"


@exercise("mixup", about="edge", weight=0.5, stated="λ in [0, 1]")
def test_mixup_swaps_at_zero(student, seed, device):
    """λ = 0 exchanges every example for its partner; targets remain distributions."""
    what = ["other shares", "sums of targets"]
    seen = student.run(public.mixup_shares, 40, 0.0, what, seed, str(device))
    public.assert_factors(seen["other shares"], [0.0, 1.0], "at λ = 0, the share of others")
    public.assert_factors(seen["sums of targets"], [1.0], "at λ = 0, the sum of a target")


# Exercise: cutout


@exercise("cutout", about="detail", stated="all pixels being equally likely")
def test_cutout_is_uniform(student, reference, seed, device):
    """Every pixel is the centre with the same probability: corners are cut less than the middle."""
    # The rates are 0.16 and 0.36, in the middle of what is rounded to them: 0.08 and 0.06 away is
    # at least 6.8 standard deviations of 3,000 images, a false alarm below 1e-11.
    places = [[0, 0], [2, 2]]
    seen = student.run(cut_rates, 3000, places, [0.16, 0.12], seed, str(device))
    assert not isinstance(seen, str), seen
    masks = reference.cut_masks(5, 5, 3, 3).double()
    for rate, (row, column), where in zip(seen, places, ("corner", "middle"), strict=True):
        right = float(masks[:, row, column].mean())
        public.assert_share(rate, right, f"the share of images whose {where} is cut")


@exercise("cutout", about="edge", weight=0.5, stated="side of the square in pixels, ≥ 0")
def test_cutout_large_and_none(student, reference, seed, device):
    """A box larger than the image is clipped on all sides, and size 0 cuts nothing."""
    # Each of the two sizes has probability 1/2 an image: 2·(1/2)^400 < 1e-100.
    for size, expected in ((5, reference.cut_sizes(3, 4, 5, 5)), (0, [[0, 0]])):
        seen = student.run(public.cutout_sizes, 400, 3, 4, size, seed, str(device))
        public.assert_sizes(seen, expected, f"holes for size {size} on 3 × 4 pixels")


@exercise("cutout", about="detail", weight=0.5, stated="others at the next call")
def test_cutout_follows_the_generator(student, seed, device):
    """Every call cuts elsewhere, and the generator decides where."""
    repeats, follows = student.run(holes_follow_generator, seed, str(device))
    assert not repeats, "every call cut the same holes"
    assert follows, "the holes do not come from the generator that was passed"


# Exercise: cutmix


@exercise("cutmix", weight=2, stated="A target's weights are the shares of the pixels")
def test_cutmix_labels_elsewhere(student, seed, device):
    """Labels follow the pixels for other λ and image sizes, where the sides are cut to integers."""
    # The smallest boxes have probability 4/35 and 2/35 a call: (33/35)^300 < 3e-8.
    for lam, height, width in ((0.4, 7, 5), (0.8, 5, 7)):
        seen = student.run(
            public.cutmix_sources, 300, height, width, lam, ["labels"], seed, str(device)
        )
        public.assert_labels(seen["labels"])


@exercise("cutmix", about="detail", stated="int(H√(1 − λ)) rows and int(W√(1 − λ)) columns")
def test_cutmix_box_elsewhere(student, reference, seed, device):
    """Elsewhere too the box has the image's proportions, its sides cut to integers."""
    # The rarest size has probability 4/91 a call: 8·(87/91)^450 < 2e-8; 1/21 and 1/9 for the
    # others. With λ below ½ the larger share is the partner's.
    boxes = ((14, 6, 0.75, (7, 3)), (13, 7, 0.7, (7, 3)), (6, 6, 0.3, (5, 5)))
    for height, width, lam, box in boxes:
        seen = student.run(
            public.cutmix_sources, 450, height, width, lam, ["sizes"], seed, str(device)
        )
        public.assert_sizes(seen["sizes"], reference.cut_sizes(height, width, *box), "boxes")


@exercise("cutmix", about="detail", weight=0.5, stated="targets (n, K), each row a distribution")
def test_cutmix_soft_targets(student, normal, seed):
    """Soft targets remain distributions."""
    x, y = normal(30, 3, 6, 8), torch.softmax(normal(30, 5), 1)
    seen = student.run(sum_of_targets, x, y, 0.5, seed)
    public.assert_factors(seen, [1.0], "the sum of a target")


# Exercise: ensemble_variance


@exercise(
    "ensemble_variance", part="uncorrelated_var", weight=0.5,
    stated="Variance of the mean of n errors of variance var",
)
def test_uncorrelated_elsewhere(student, reference, rng):
    """With one model the variance is its own; 200 leave a two-hundredth."""
    var = float(rng.uniform(2, 5))
    points = [[var, 1.0], [var, 200.0]]
    expected = [reference.ensemble_variance(v, int(n), 0.0) for v, n in points]
    assert_expression(
        student, "uncorrelated_var", ["var", "n"], points, expected, "the variance", rtol=1e-5
    )


@exercise(
    "ensemble_variance", part="correlated_var", weight=0.5,
    stated="any two of the errors have the correlation ρ",
)
def test_limits_of_correlation(student, reference, rng):
    """One model has its own variance; ρ = 0 averages it down to v/n, ρ = 1 not at all; many
    models leave ρ·v."""
    var = float(rng.uniform(2, 5))
    points = [[var, 1.0, 0.3], [var, 9.0, 0.0], [var, 9.0, 1.0], [var, 200.0, 0.4]]
    expected = [reference.ensemble_variance(v, int(n), r) for v, n, r in points]
    assert_expression(
        student, "correlated_var", ["var", "n", "rho"], points, expected, "the variance", rtol=1e-5
    )


# Exercise: ensemble_predict


@exercise("ensemble_predict", stated="The mean of the models' class probabilities")
def test_confident_model_does_not_outvote(student, normal):
    """One model with huge logits counts as much as the others, and rows sum to one."""
    weights, biases = [normal(3, 6) for _ in range(3)], [normal(3) for _ in range(3)]
    weights[1] = 200.0 * weights[1]
    X = normal(9, 6)
    seen = student.run(public.ensemble_prediction, weights, biases, X, 0.0, False)
    assert_close(seen, public.mixture_of(weights, biases, X), name="the prediction", rtol=1e-6)


@exercise("ensemble_predict", about="form", weight=0.5, stated="what it returns has their dtype")
def test_ensemble_in_float32(student, normal):
    """float32 models give float32 probabilities."""
    weights, biases = [normal(4, 6, dtype=torch.float32)], [normal(4, dtype=torch.float32)]
    X = normal(9, 6, dtype=torch.float32)
    seen = student.run(public.ensemble_prediction, weights, biases, X, 0.0, False)
    assert_close(seen, public.mixture_of(weights, biases, X), name="the prediction")


# Exercise: break_it


@exercise(
    "break_it", part="where_they_agree", weight=0.5, stated="p in [0.1, 0.9], and a batch without"
)
def test_agreement_needs_no_luck(student, device):
    """The first case holds for another batch too: the choice of p decides, not the numbers."""
    p, _ = student.where_they_agree()
    other = torch.linspace(1.0, 2.0, 12, device=device)
    assert public.scales_apart(p, other) < 1e-6, "on another batch the two factors differ"


@exercise(
    "break_it", part="where_they_differ", weight=0.5, stated="the outputs are more than 10 % apart"
)
def test_difference_needs_no_luck(student, device):
    """The second case holds for another batch too."""
    p, _ = student.where_they_differ()
    other = torch.linspace(1.0, 2.0, 12, device=device)
    assert public.scales_apart(p, other) > 0.1, "on another batch the two factors agree"


# Exercise: bug_hunt


@exercise("bug_hunt", part="map_loss", stated="−log posterior, for any number of examples")
def test_mended_for_many_examples(student, reference, rng, device):
    """With 500 examples and matrix-shaped parameters the prior still counts once."""
    theta = torch.as_tensor(rng.uniform(1, 2, (3, 4)), device=device)
    nll = torch.as_tensor(rng.uniform(0, 1, 500), device=device)
    for sigma in (0.2, 3.0):
        agree(student, reference, "map_loss", nll, theta, sigma, called="the objective", rtol=1e-7)


# Exercises: classic_dropout, random_shift, mixup_share, bootstrap, average_checkpoints


@exercise("classic_dropout", about="detail", stated="probability with which an entry is dropped")
def test_classic_at_another_rate(student, reference, signs_and_sizes, seed):
    """At p = 0.8, too, entries are dropped at that rate and the others are as they were."""
    x = signs_and_sizes(1, 250_000)
    seen = student.run(public.classic_masks, x, 0.8, seed)
    public.assert_share(seen["share of zeros"], 0.8, "the share of zeros at p = 0.8")
    # Two wide rows: a mask for the row alone would drop all of it with probability 0.8^400 < 1e-38.
    ratios = student.run(public.classic_ratios, signs_and_sizes(2, 400), 0.8, True, seed)
    public.assert_factors(ratios, [0.0, 1.0], "at p = 0.8 in training, the result divided by x")


@exercise("random_shift", about="detail", stated="Each image moves by its own two whole")
def test_shift_by_one_pixel(student, reference, signs_and_sizes, seed):
    """With largest = 1 on tall images, the nine places occur and no other."""
    # One of 9 places is missing among 300 with probability 9·(8/9)^300 < 1e-14.
    seen = public.shift_facts(student, reference, signs_and_sizes(3, 7, 4), 1, 300, seed)
    assert seen["all are shifts"], "some results are not the image moved by at most 1 pixel"
    assert seen["places"] == 9, "not all of the nine places within ±1 pixel occur"


@exercise("mixup_share", about="detail", stated="Draws λ ~ Beta(α, α)")
def test_share_is_uniform_at_one(student, seed, device):
    """For α = 1 all shares are equally likely."""
    seen = student.run(public.shares_drawn, 1.0, 0.2, seed, str(device))
    assert abs(seen["below"] - 0.2) < 0.05, "for α = 1, 20 % of the shares are below 0.2"
    assert abs(seen["above"] - 0.2) < 0.05, "for α = 1, 20 % of the shares are above 0.8"


@exercise("bootstrap", about="detail", stated="n indices from 0 … n−1")
def test_bootstrap_of_one(student, seed, device):
    """Of a single example there is a single sample."""
    assert student.run(public.ever_drawn, 1, 3, seed, str(device)) == 1, "n = 1 has one index, 0"


@exercise("average_checkpoints", about="detail", stated="list of state_dicts with the same names")
def test_average_of_two_and_five(student, reference, normal):
    """Other numbers of checkpoints, one among them."""
    for number in (1, 2, 5):
        states = [{"w": normal(2, 3)} for _ in range(number)]
        seen = student.average_checkpoints(states)
        expected = reference.average_checkpoints(states)
        assert_close(seen["w"], expected["w"], name=f"the mean of {number} checkpoints")
