"""Lab 06: other right implementations, torch's built-ins among them; all get full marks."""

import math

import numpy as np
import sympy as sp
import torch
import torch.nn.functional as F

from course_utils.testing import variant

# Exercise: variance_steps


@variant("variance_steps", replaces="product_variance")
def by_second_moments(var_w, mean_x, var_x):
    second_moment = var_x + mean_x * mean_x
    return second_moment * var_w


@variant("variance_steps", replaces="layer_variance")
def as_a_sum(n_in, var_w, var_x):
    j = sp.Symbol("j")
    return sp.Sum(var_w * var_x, (j, 1, n_in)).doit()


@variant("variance_steps", replaces="relu_moment")
def by_the_integral(var_z):
    z = sp.Symbol("z", real=True)
    v = sp.Symbol("v", positive=True)
    density = sp.exp(-(z**2) / (2 * v)) / sp.sqrt(2 * sp.pi * v)
    return sp.integrate(z**2 * density, (z, 0, sp.oo)).subs(v, var_z)


@variant("variance_steps", replaces="deep_moment")
def with_powers_apart(n, var_w, m, layers):
    return m * n**layers * var_w**layers / 2**layers


# Exercise: good_variances


@variant("good_variances", replaces="lecun_variance")
def lecun_as_power(n_in):
    return n_in**-1


@variant("good_variances", replaces="glorot_variance")
def glorot_by_solving(n_in, n_out):
    v = sp.Symbol("v")
    return sp.solve((n_in * v + n_out * v) / 2 - 1, v)[0]


@variant("good_variances", replaces="he_variance")
def he_as_quotient(n_in):
    return 1 / (n_in / 2)


@variant("good_variances", replaces="uniform_bound")
def bound_as_product(var):
    return sp.sqrt(var) * sp.sqrt(3)


@variant("good_variances", replaces="torch_variance")
def torch_by_the_width(n_in):
    return (2 / sp.sqrt(n_in)) ** 2 / 12


# Exercise: fans


@variant("fans", built_in=True)
def torch_fans(weight):
    return torch.nn.init._calculate_fan_in_and_fan_out(weight)


@variant("fans")
def by_counting(weight):
    n_out, n_in = weight.shape[:2]
    kernel = weight[0, 0].numel()
    return n_in * kernel, n_out * kernel


@variant("fans")
def by_a_loop(weight):
    n_out, n_in, *axes = weight.shape
    for length in axes:
        n_in *= length
        n_out *= length
    return n_in, n_out


# Exercise: initializers


@variant("initializers", replaces="glorot_uniform_", built_in=True)
def torch_xavier_uniform(weight, generator=None):
    return torch.nn.init.xavier_uniform_(weight, generator=generator)


@variant("initializers", replaces="glorot_normal_", built_in=True)
def torch_xavier_normal(weight, generator=None):
    return torch.nn.init.xavier_normal_(weight, generator=generator)


@variant("initializers", replaces="he_normal_", built_in=True)
def torch_kaiming_normal(weight, generator=None):
    return torch.nn.init.kaiming_normal_(weight, generator=generator)


@variant("initializers", replaces="torch_linear_default_", built_in=True)
def torch_kaiming_uniform(weight, generator=None):
    return torch.nn.init.kaiming_uniform_(weight, a=math.sqrt(5), generator=generator)


def fans(weight):
    kernel = math.prod(weight.shape[2:])
    return weight.shape[1] * kernel, weight.shape[0] * kernel


@variant("initializers", replaces="glorot_uniform_")
def uniform_by_copy(weight, generator=None):
    fan_in, fan_out = fans(weight)
    a = (6 / (fan_in + fan_out)) ** 0.5
    with torch.no_grad():
        unit = torch.rand(weight.shape, generator=generator, device=weight.device)
        weight.copy_((2 * unit - 1) * a)
    return weight


@variant("initializers", replaces="glorot_normal_")
def normal_by_copy(weight, generator=None):
    fan_in, fan_out = fans(weight)
    std = (2 / (fan_in + fan_out)) ** 0.5
    with torch.no_grad():
        weight.copy_(torch.randn(weight.shape, generator=generator, device=weight.device) * std)
    return weight


@variant("initializers", replaces="he_normal_")
def he_through_data(weight, generator=None):
    n_in = fans(weight)[0]
    weight.data.normal_(generator=generator).mul_((2 / n_in) ** 0.5)
    return weight


@variant("initializers", replaces="torch_linear_default_")
def default_by_copy(weight, generator=None):
    n_in, _ = fans(weight)
    with torch.no_grad():
        weight.copy_(torch.rand(weight.shape, generator=generator, device=weight.device))
        return weight.sub_(0.5).mul_(2 / n_in**0.5)


# Exercise: saturation


@variant("saturation", replaces="saturation")
def saturation_by_counting(h, threshold=0.97):
    return torch.count_nonzero(torch.abs(h) > threshold).item() / h.numel()


@variant("saturation", replaces="saturation")
def saturation_on_both_sides(h, threshold=0.97):
    far = (h > threshold) | (h < -threshold)
    return far.double().mean()


@variant("saturation", replaces="dead_units")
def dead_by_the_largest(h):
    return (h.max(dim=0).values <= 0).double().mean().item()


@variant("saturation", replaces="dead_units")
def dead_by_a_loop(h):
    dead = 0
    for unit in h.T:
        if not unit.any():
            dead += 1
    return dead / h.shape[1]


# Exercise: gradient_norms_by_depth


@variant("gradient_norms_by_depth")
def zero_then_backward(model, X, y):
    model.zero_grad()
    loss = F.cross_entropy(model(X), y)
    loss.backward()
    return [
        layer.weight.grad.norm().item()
        for layer in model.modules()
        if isinstance(layer, torch.nn.Linear)
    ]


@variant("gradient_norms_by_depth")
def by_squares(model, X, y):
    loss = -torch.log_softmax(model(X), dim=1)[torch.arange(len(y)), y].mean()
    norms = []
    for layer in model.modules():
        if isinstance(layer, torch.nn.Linear):
            (g,) = torch.autograd.grad(loss, layer.weight, retain_graph=True)
            norms.append(math.sqrt(float((g**2).sum())))
    return norms


# Exercise: symmetry


@variant("symmetry", replaces="slope_in")
def slope_in_by_sympy(w, v, x, y):
    w_1, v_1 = sp.symbols("w_1 v_1")
    loss = (v_1 * sp.tanh(w_1 * x) + v * sp.tanh(w * x) - y) ** 2 / 2
    return sp.diff(loss, w_1).subs({w_1: w, v_1: v})


@variant("symmetry", replaces="slope_out")
def slope_out_by_sympy(w, v, x, y):
    v_1 = sp.Symbol("v_1")
    loss = (v_1 * sp.tanh(w * x) + v * sp.tanh(w * x) - y) ** 2 / 2
    return sp.diff(loss, v_1).subs(v_1, v)


# Exercise: batch_norm


@variant("batch_norm", built_in=True)
def torch_functional(
    x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5
):
    return F.batch_norm(x, running_mean, running_var, weight, bias, training, momentum, eps)


@variant("batch_norm")
def with_var_mean(
    x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5
):
    if not training:
        return (x - running_mean) * torch.rsqrt(running_var + eps) * weight + bias
    if x.shape[0] < 2:
        raise ValueError("one row has no variance")
    mean = x.mean(0)
    var = x.var(0, unbiased=False)
    running_mean.mul_(1 - momentum).add_(mean.detach(), alpha=momentum)
    running_var.mul_(1 - momentum).add_(x.var(0).detach(), alpha=momentum)
    return (x - mean) * torch.rsqrt(var + eps) * weight + bias


@variant("batch_norm")
def with_lerp(
    x, weight, bias, running_mean, running_var, training=True, momentum=0.1, eps=1e-5
):
    mean, var = running_mean, running_var
    if training:
        if len(x) == 1:
            raise ValueError("batch norm cannot train on one row")
        mean = torch.mean(x, dim=0)
        var = torch.mean((x - mean) ** 2, dim=0)
        unbiased = torch.sum((x - mean) ** 2, dim=0) / (len(x) - 1)
        running_mean.lerp_(mean.detach(), momentum)
        running_var.lerp_(unbiased.detach(), momentum)
    std = torch.sqrt(var + eps)
    return bias + weight * (x - mean) / std


# Exercise: break_it


@variant("break_it", replaces="far_apart")
def two_rows():
    return torch.tensor([[1.0], [-1.0]])


@variant("break_it", replaces="far_apart")
def four_rows():
    return np.array([[0.0, 5.0], [1.0, 4.0], [2.0, 7.0], [4.0, 8.0]])


@variant("break_it", replaces="nearly_equal")
def many_rows():
    return torch.randn(1000, 3)


@variant("break_it", replaces="nearly_equal")
def just_enough_rows():
    return torch.linspace(-1, 1, 102)[:, None]


# Exercise: BatchNorm1d


@variant("BatchNorm1d", built_in=True)
class TorchBatchNorm1d(torch.nn.BatchNorm1d):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__(num_features, eps=eps, momentum=momentum)


@variant("BatchNorm1d")
class CountedOutOfPlace(torch.nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.options = {"momentum": momentum, "eps": eps}
        self.weight = torch.nn.Parameter(torch.empty(num_features).fill_(1.0))
        self.bias = torch.nn.Parameter(torch.empty(num_features).fill_(0.0))
        for name, value in (("running_mean", 0.0), ("running_var", 1.0)):
            self.register_buffer(name, torch.full((num_features,), value))
        self.register_buffer("num_batches_tracked", torch.zeros((), dtype=torch.long))

    def forward(self, x):
        if self.training:
            self.num_batches_tracked.add_(1)
            if len(x) == 1:
                raise ValueError("one row has no variance")
            mean, var = x.mean(0), x.var(0, unbiased=False)
            m = self.options["momentum"]
            with torch.no_grad():
                self.running_mean += m * (mean - self.running_mean)
                self.running_var += m * (x.var(0) - self.running_var)
        else:
            mean, var = self.running_mean, self.running_var
        return (x - mean) / torch.sqrt(var + self.options["eps"]) * self.weight + self.bias


# Exercise: norm_slopes


@variant("norm_slopes", replaces="mean_slope")
def mean_slope_by_sympy(n):
    x = sp.Symbol("x_k")
    return sp.diff(x / n, x)


@variant("norm_slopes", replaces="scale_slope")
def scale_slope_by_the_chain(n, xhat_k):
    s = sp.Symbol("s", positive=True)
    return sp.simplify((2 / n) * s * xhat_k / (2 * s))


@variant("norm_slopes", replaces="same_slope")
def same_slope_over_n(n, s, xhat_k):
    return (n - 1 - xhat_k**2) / (n * s)


@variant("norm_slopes", replaces="other_slope")
def other_slope_over_n(n, s, xhat_i, xhat_k):
    return -(1 + xhat_i * xhat_k) / (n * s)


# Exercise: batch_norm_backward


@variant("batch_norm_backward", built_in=True)
def by_autograd(upstream, x, weight, eps=1e-5):
    leaves = [t.clone().requires_grad_() for t in (x, weight, torch.zeros_like(weight))]
    y = F.batch_norm(leaves[0], None, None, leaves[1], leaves[2], True, 0.1, eps)
    return torch.autograd.grad(y, leaves, upstream)


@variant("batch_norm_backward")
def with_sums(upstream, x, weight, eps=1e-5):
    n = len(x)
    centred = x - x.sum(0) / n
    s = ((centred**2).sum(0) / n + eps) ** 0.5
    x_hat = centred / s
    grad_bias = upstream.sum(0)
    grad_weight = (upstream * x_hat).sum(0)
    grad_x = weight / (n * s) * (n * upstream - grad_bias - x_hat * grad_weight)
    return grad_x, grad_weight, grad_bias


@variant("batch_norm_backward")
def step_by_step(upstream, x, weight, eps=1e-5):
    n = x.shape[0]
    centred = x - x.mean(0)
    var = x.var(0, unbiased=False)
    inverse = 1 / torch.sqrt(var + eps)
    g = upstream * weight
    d_var = (g * centred).sum(0) * -0.5 * inverse**3
    d_mean = -(g * inverse).sum(0)
    grad_x = g * inverse + d_var * 2 * centred / n + d_mean / n
    return grad_x, (upstream * centred * inverse).sum(0), upstream.sum(0)


# Exercise: layer_norm


@variant("layer_norm", built_in=True)
def torch_layer_norm(x, weight, bias, eps=1e-5):
    return F.layer_norm(x, (x.shape[-1],), weight, bias, eps)


@variant("layer_norm")
def with_unsqueeze(x, weight, bias, eps=1e-5):
    mean = x.mean(-1).unsqueeze(-1)
    var = x.var(-1, unbiased=False).unsqueeze(-1)
    return (x - mean) * torch.rsqrt(var + eps) * weight + bias


@variant("layer_norm")
def in_place_on_a_copy(x, weight, bias, eps=1e-5):
    out = x - x.mean(dim=-1, keepdim=True)
    out /= (out.square().mean(dim=-1, keepdim=True) + eps).sqrt()
    out *= weight
    out += bias
    return out


# Exercise: layer_norm_backward


@variant("layer_norm_backward", built_in=True)
def layer_norm_by_autograd(upstream, x, weight, eps=1e-5):
    leaves = [t.clone().requires_grad_() for t in (x, weight, torch.zeros_like(weight))]
    y = F.layer_norm(leaves[0], x.shape[-1:], leaves[1], leaves[2], eps)
    return torch.autograd.grad(y, leaves, upstream)


@variant("layer_norm_backward")
def through_batch_norm(upstream, x, weight, eps=1e-5):
    d = x.shape[-1]
    rows, u = x.reshape(-1, d), upstream.reshape(-1, d)
    ones = torch.ones(len(rows), dtype=x.dtype, device=x.device)
    grad, _, _ = batch_norm_backward((u * weight).T, rows.T, ones, eps)  # noqa: F821
    s = torch.sqrt(rows.var(dim=1, unbiased=False, keepdim=True) + eps)
    x_hat = (rows - rows.mean(dim=1, keepdim=True)) / s
    return grad.T.reshape(x.shape), (u * x_hat).sum(0), u.sum(0)


@variant("layer_norm_backward")
def layer_norm_with_sums(upstream, x, weight, eps=1e-5):
    d = x.shape[-1]
    centred = x - x.mean(-1, keepdim=True)
    inverse = torch.rsqrt(centred.square().mean(-1, keepdim=True) + eps)
    x_hat = centred * inverse
    g = upstream * weight
    first = g.sum(-1, keepdim=True)
    second = (g * x_hat).sum(-1, keepdim=True)
    grad_x = inverse / d * (d * g - first - x_hat * second)
    front = tuple(range(x.ndim - 1))
    return grad_x, (upstream * x_hat).sum(front), upstream.sum(front)
