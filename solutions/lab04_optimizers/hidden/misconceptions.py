"""What people really write in lab 04's exercises: edits of the solution, each with its hint.

What several optimizers have in common stands in a table of its own and enters ``MISTAKES`` under
a prefix. A mistake in one of an exercise's parts costs between half of that part and all of it.
"""

from __future__ import annotations

from functools import partial

from course_utils.testing import edit

half, third, quarter, fifth = (partial(edit, cost=0.75 / parts) for parts in (2, 3, 4, 5))


def prefixed(prefix, table):
    return {prefix + name: mistake for name, mistake in table.items()}


# -- what SGD, Adagrad, RMSprop, Adam and AdamW have in common

STEP = {
    "steps_uphill": edit(
        "p -= self.lr", "p += self.lr",
        hint="You step uphill: the gradient points to where the loss grows, so the step is "
        "subtracted from p.",
    ),
    "moves_a_new_tensor": edit(
        "p -= self.lr", "p = p - self.lr",
        hint="The new value is put into a new tensor (p = p - …), so the model's own parameter "
        "never moves. Change p in place: p -= …, or p.sub_(…).",
    ),
    "keeps_the_first_lr": edit(
        "p -= self.lr", "p -= self.first_lr",
        ("params, lr)\n        self", "params, lr)\n        self.first_lr = lr\n        self"),
        about="detail",
        hint="The learning rate of the first step is used for ever: read self.lr in every step, "
        "because schedules change it.",
    ),
    "absent_gradient_is_zero": edit(
        "continue", "p.grad = torch.zeros_like(p)", about="detail",
        hint="A gradient of None is taken for zero, so that memory and decay carry the parameter "
        "on. None means that it took no part in this step: pass it over altogether.",
    ),
    "stops_at_the_first_missing_gradient": edit(
        "continue", "return", about="detail",
        hint="At the first parameter without a gradient the whole step ends (return or break), "
        "and those after it never move. Pass over this one only: continue.",
    ),
    "passes_over_those_with_a_gradient": edit(
        "if p.grad is None:", "if p.grad is not None:",
        hint="You pass over the parameters that *have* a gradient: pass over those whose .grad is "
        "None.",
    ),
    "no_thought_of_none": edit(
        "if p.grad is None:\n                continue\n            ", "", about="detail",
        hint="A parameter whose .grad is None stops you. Pass it over.",
    ),
}

# What can go wrong where nothing is remembered. (None taken for zero does no harm there.)
ONE_STEP = (
    "steps_uphill", "moves_a_new_tensor", "stops_at_the_first_missing_gradient",
    "passes_over_those_with_a_gradient", "no_thought_of_none",
)

L2 = {
    "ignores_weight_decay": edit(
        " + self.weight_decay * p", "", about="detail",
        hint="Weight decay never enters: λp is to be added to the gradient, before anything is "
        "done with it.",
    ),
    "decay_with_wrong_sign": edit(
        "p.grad + self.weight_decay", "p.grad - self.weight_decay", about="detail",
        hint="Your decay has the wrong sign and makes weights grow: the gradient of ½λp² is +λp.",
    ),
    "decay_doubled": edit(
        "p.grad + self.weight_decay", "p.grad + 2 * self.weight_decay", about="detail",
        hint="Your decay is twice as strong: the gradient of ½λp² is λp. The ½ takes the 2 away.",
    ),
    "writes_into_the_gradient": edit(
        "p.grad + self.weight_decay * p", "p.grad.add_(self.weight_decay * p)", about="arguments",
        hint="Weight decay is added *into* p.grad, in place. Whoever looks at the gradients next "
        "(a log, clipping, another backward pass) finds them changed: make a new tensor, "
        "g = p.grad + λp.",
    ),
}


def decay_beside(how, where, factor="1 - self.lr * self.weight_decay", **options):
    """Weight decay taken out of the gradient: p is multiplied by a factor instead."""
    shrink = f"p *= {factor}"
    place = {
        "before": ("p -= self.lr", f"{shrink}\n            p -= self.lr"),
        "after": ("### END SOLUTION", f"    {shrink}"),
    }[where]
    return edit(" + self.weight_decay * p", "", place, hint=how, about="detail", **options)


BESIDE = decay_beside(
    "You shrink p beside the step, as AdamW does. In this optimizer weight decay is L2: λp is part "
    "of the gradient, and is rescaled with it.",
    "before",
)

# -- what Adagrad and RMSprop have in common

RESCALED = {
    "decay_in_the_step_only": edit(
        " + self.weight_decay * p", "",
        ("self.lr * g /", "self.lr * (g + self.weight_decay * p) /"), about="detail",
        hint="λp comes in only when p moves, after r was made of p.grad alone. Here λp is part of "
        "the gradient from the start: r takes (p.grad + λp)².",
    ),
    "decay_in_the_squares_only": edit(
        "self.lr * g /", "self.lr * p.grad /", about="detail",
        hint="λp goes into r but not into the step: the same g = p.grad + λp belongs into both.",
    ),
    "eps_inside_the_root": edit(
        "(r.sqrt() + self.eps)", "(r + self.eps).sqrt()", about="detail",
        hint="eps stands inside the root, where 0.01 acts like 0.1: it belongs after it, √r + eps. "
        "The Deep Learning book (algorithm 8.5) has it as you do; torch does not.",
    ),
    "eps_forgotten": edit(
        " + self.eps", "", about="detail",
        hint="The eps that you are given never enters: it is left out, or a number of your own "
        "stands in its place. The step is divided by √r + eps.",
    ),
    "without_root": edit(
        "r.sqrt()", "r",
        hint="You divide by r, not by its root: g/r has the wrong unit, and shrinks when all "
        "gradients grow.",
    ),
    "root_in_place": edit(
        "r.sqrt()", "r.sqrt_()",
        hint="The root is taken in place (sqrt_), so the memory itself is replaced by its root in "
        "every step. Take the root of r without the underscore, into a new tensor.",
    ),
    "accumulates_after_the_step": edit(
        'state["r"] = r =', 'state["r"] =',
        hint="You step with the r of the step before: the first step is then divided by eps "
        "alone. r takes in this step's gradient before it is used.",
    ),
    "distance_from_the_mean": edit(
        "g**2", "(g - g.mean()) ** 2",
        hint="You square the distance from the mean gradient. The second moment is about zero: "
        "plain g², entry by entry.",
    ),
    "overwrites": edit(
        "r = self.alpha * r + (1 - self.alpha) * g**2", "r = g**2",
        hint="r is overwritten by this step's g² and remembers nothing.",
    ),
    "starts_at_one": edit(
        "torch.zeros_like(p)", "torch.ones_like(p)",
        hint="r starts from 1 in every entry. It starts from 0, and the first step is divided by "
        "the root of what the first gradient puts in.",
    ),
    "state_on_the_default_device": edit(
        "torch.zeros_like(p)", "torch.zeros(p.shape)", about="form",
        hint="r is made by torch.zeros(p.shape), so it lies on the CPU, in float32, whatever p "
        "is. torch.zeros_like(p) follows p in both.",
    ),
    "decay_beside_the_step": BESIDE,
}

# -- what Adam and AdamW have in common

MOMENTS = {
    "no_bias_correction": edit(
        "m / (1 - beta1**t)", "m", ("v / (1 - beta2**t)", "v"),
        hint="The moments are used uncorrected: in the first steps, both being far too small, "
        "their ratio is off. Divide copies by 1 − β^t.",
    ),
    "corrects_the_first_moment_only": edit(
        "v / (1 - beta2**t)", "v",
        hint="Only m is corrected. v starts at zero as well, and needs its own 1 − β₂^t.",
    ),
    "corrects_the_second_moment_only": edit(
        "m / (1 - beta1**t)", "m",
        hint="Only v is corrected. m starts at zero as well, and needs its own 1 − β₁^t.",
    ),
    "corrects_both_with_beta1": edit(
        "1 - beta2**t", "1 - beta1**t",
        hint="v is corrected with β₁, m's number. It fades with β₂, so 1 − β₂^t is what it lacks.",
    ),
    "corrects_the_root_by_the_whole": edit(
        "v / (1 - beta2**t)", "v / (1 - beta2**t) ** 2",
        also=[
            [
                ("math.sqrt(1 - beta2**t) / (1", "(1 - beta2**t) / (1"),
                ("self.eps * math.sqrt(1 - beta2**t)", "self.eps"),
            ]
        ],
        hint="You divide √v by 1 − β₂^t, or multiply the step by it. It is v that lacks this "
        "factor, so √v lacks its root, √(1 − β₂^t).",
    ),
    "counts_from_zero": edit(
        "t=0", "t=-1",
        hint="Your t is 0 in the first step: 1 − β⁰ = 0, and 0/0 is NaN. Count first, then "
        "correct.",
    ),
    "time_stands_still": edit(
        't = state["t"] + 1', "t = 1",
        also=[[("beta1**t", "beta1"), ("beta2**t", "beta2")]],
        hint="Every step is corrected like the first, by 1 − β: t stays at 1, or does not enter. "
        "Store the count back into the state, and correct by 1 − β^t.",
    ),
    "time_runs_ahead": edit(
        "beta1**t", "beta1 ** (t + 1)", ("beta2**t", "beta2 ** (t + 1)"), also=[("t=0", "t=1")],
        hint="t runs one ahead: it is 2 in the first step. Start from 0 and count once.",
    ),
    "counts_tensors": edit(
        't = state["t"] + 1', 't = self.t = getattr(self, "t", 0) + 1',
        hint="Your count grows with every *tensor*, because it is increased inside the loop over "
        "parameters: the second tensor believes itself a step older. Keep t in each parameter's "
        "state.",
    ),
    "one_count_for_all": edit(
        't = state["t"] + 1', "t = self.t",
        ("= self.betas\n", '= self.betas\n        self.t = getattr(self, "t", 0) + 1\n'),
        about="detail",
        hint="One count serves all parameters. A parameter that had no gradient in some steps is "
        "younger than that: t belongs into each parameter's own state.",
    ),
    "eps_inside_the_root": edit(
        "(v_hat.sqrt() + self.eps)", "(v_hat + self.eps).sqrt()", about="detail",
        hint="eps stands inside the root. It belongs after it, √v̂ + eps: a size of gradient, not "
        "of its square.",
    ),
    "eps_before_the_correction": edit(
        "(v_hat.sqrt() + self.eps)", "(v_hat.sqrt() + self.eps / (1 - beta2**t) ** 0.5)",
        about="detail",
        hint="eps is added to the root of the *uncorrected* v, so the correction multiplies it "
        "too and it is much larger in the first steps. Correct v, take the root, then add eps "
        "(with the correction inside the rate, that is eps·√(1 − β₂^t)).",
    ),
    "eps_inside_the_uncorrected_root": edit(
        "(v_hat.sqrt() + self.eps)", "(v_hat + self.eps / (1 - beta2**t)).sqrt()", about="detail",
        hint="eps is added to the uncorrected v, inside the root. Correct v, take the root, and "
        "add eps last: √v̂ + eps.",
    ),
    "eps_forgotten": edit(
        " + self.eps", "", about="detail",
        hint="The eps that you are given never enters: it is left out, or a number of your own "
        "stands in its place. The step is divided by √v̂ + eps.",
    ),
    "feeds_corrected_moments_back": edit(
        "m_hat =", 'state["m"] = m_hat =', ("v_hat =", 'state["v"] = v_hat ='),
        hint="The corrected moments are stored and fed back into the recursion, so each step "
        "corrects what was corrected already. Correct *copies*.",
    ),
    "squares_the_distance_from_the_mean": edit(
        "g**2", "(g - g.mean()) ** 2",
        hint="You average (g − mean(g))². v is called a variance at times, but it is the second "
        "moment about zero: plain g².",
    ),
    "averages_sizes": edit(
        "g**2", "g.abs()",
        hint="v averages |g|, not g²: under the root that is of the wrong unit.",
    ),
    "one_rate_per_tensor": edit(
        "g**2", "(g**2).mean()", also=[("g**2", "(g**2).sum()")],
        hint="The squares of a whole tensor are brought together in one number, so all its entries "
        "get one rate. v has the shape of p: g², entry by entry.",
    ),
    "squares_the_first_moment": edit(
        "g**2", "m**2",
        hint="v averages m², the square of what was averaged already. The gradient of this step is "
        "what is squared.",
    ),
    "squares_the_distance_from_m": edit(
        "g**2", "(g - m) ** 2",
        hint="v averages (g − m)², the distance from the running mean (a later method, AdaBelief, "
        "does so). Adam's second moment is about zero: plain g².",
    ),
    "looks_ahead": edit(
        "m / (1 - beta1**t)", "(beta1 * m + (1 - beta1) * g) / (1 - beta1**t)",
        hint="The gradient of now goes into the first moment a second time, a look ahead as in "
        "NAdam. Adam's step uses m alone, corrected.",
    ),
    "betas_of_its_own": edit(
        "beta1, beta2 = self.betas", "beta1, beta2 = 0.9, 0.999",
        hint="The betas that you are given never enter: 0.9 and 0.999 are written into your step. "
        "They are in self.betas.",
    ),
    "remembers_nothing": edit(
        "state = self.state[p]", "state = {}",
        hint="Every step begins with moments of zero and t = 1, so nothing is remembered. They "
        "must last from step to step: keep them in self.state[p].",
    ),
    "starts_at_the_first_gradient": edit(
        "m=torch.zeros_like(p), v=torch.zeros_like(p)", "m=g.clone(), v=g**2",
        hint="Your moments begin with the first gradient and its square. They begin with 0, and "
        "the correction by 1 − β^t makes up for that.",
    ),
    "averages_g_twice": edit(
        "g**2", "g",
        hint="v averages g itself, not g²: under the root it may even be negative.",
    ),
    "betas_swapped": edit(
        "beta1, beta2 = self.betas", "beta2, beta1 = self.betas",
        hint="The betas are swapped: β₁ belongs to the mean of g, β₂ to the mean of g².",
    ),
    "one_beta_for_both": edit(
        'beta2 * state["v"] + (1 - beta2)', 'beta1 * state["v"] + (1 - beta1)',
        hint="v is averaged with β₁, m's number: the mean of g² has its own β₂.",
    ),
    "memory_and_news_swapped": edit(
        'beta1 * state["m"] + (1 - beta1)', '(1 - beta1) * state["m"] + beta1',
        ('beta2 * state["v"] + (1 - beta2)', '(1 - beta2) * state["v"] + beta2'),
        hint="β and 1 − β are swapped: β (near 1) belongs to the memory, 1 − β to what is new.",
    ),
    "adds_the_moments_to_themselves": edit(
        "m = beta1 *", "m = (1 + beta1) *", ("v = beta2 *", "v = (1 + beta2) *"),
        hint="`m += β₁m + …` adds the average to itself (published notes have it so). An average "
        "assigns: m = β₁m + (1 − β₁)g.",
    ),
    "news_not_weighted": edit(
        "(1 - beta1) * g", "g", ("(1 - beta2) * g**2", "g**2"),
        hint="The new g and g² enter whole; their shares are 1 − β₁ and 1 − β₂, so that the "
        "moments are averages.",
    ),
    "product_instead_of_power": edit(
        "beta1**t", "beta1 * t", ("beta2**t", "beta2 * t"),
        hint="You correct by 1 − β·t instead of 1 − β^t: a power, as each step multiplies by β "
        "anew.",
    ),
    "no_root": edit(
        "v_hat.sqrt()", "v_hat",
        hint="You divide by v̂ itself, without the root: then the step has the unit of 1/g.",
    ),
    "no_first_moment": edit(
        "m_hat / (v_hat", "g / (v_hat",
        hint="The step goes along g, not along m̂: that is RMSprop with a correction. Adam's step "
        "is the corrected mean of the gradients over the root of v̂.",
    ),
    "state_on_the_default_device": edit(
        "m=torch.zeros_like(p), v=torch.zeros_like(p)",
        "m=torch.zeros(p.shape), v=torch.zeros(p.shape)",
        about="form",
        hint="The moments are made by torch.zeros(p.shape), so they lie on the CPU, in float32, "
        "whatever p is. torch.zeros_like(p) follows p in both.",
    ),
}


# -- the exercises

MISTAKES = {
    "minibatches": {
        "with_replacement": edit(
            "torch.randperm(n, generator=generator)", "torch.randint(n, (n,), generator=generator)",
            hint="You draw indices *with* replacement: in an epoch some examples come twice and "
            "others not at all. Shuffle all n indices once and cut.",
        ),
        "each_batch_drawn_anew": edit(
            "order[i : i + batch_size]", "torch.randperm(n, generator=generator)[:batch_size]",
            hint="Each batch is drawn from all n indices anew, so an epoch has some examples "
            "twice and others not at all. Shuffle once an epoch and cut.",
        ),
        "drops_the_last_batch": edit(
            "range(0, n, batch_size)", "range(0, n - n % batch_size, batch_size)", about="detail",
            hint="The examples that do not fill a whole batch are thrown away. The last batch may "
            "be smaller; it belongs to the epoch.",
        ),
        "drops_the_last_full_batch": edit(
            "range(0, n, batch_size)", "range(0, n - batch_size, batch_size)",
            hint="Your last batch never comes, even where it is full: the range ends too early. It "
            "runs to n.",
        ),
        "batch_size_for_their_number": edit(
            "[order[i : i + batch_size] for i in range(0, n, batch_size)]",
            "list(order.chunk(batch_size))",
            hint="You cut the epoch into batch_size parts (torch.chunk does so). batch_size says "
            "how many examples are in a batch, not how many batches there are.",
        ),
        "batches_evened_out": edit(
            "[order[i : i + batch_size] for i in range(0, n, batch_size)]",
            "list(order.chunk(max(n // batch_size, 1)))",
            also=[
                (
                    "[order[i : i + batch_size] for i in range(0, n, batch_size)]",
                    "list(order.tensor_split(-(-n // batch_size)))",
                )
            ],
            hint="You cut the epoch into a number of batches of about equal size. Every batch but "
            "the last has batch_size examples exactly, and the last one has what is left.",
        ),
        "first_batch_only": edit(
            "range(0, n, batch_size)", "range(0, 1, batch_size)",
            hint="Only one batch comes back. An epoch has all of them: every index comes once.",
        ),
        "batches_overlap": edit(
            "range(0, n, batch_size)", "range(n)",
            hint="A batch begins at every index, so that they overlap and examples come many "
            "times. The next batch begins where the last one ended.",
        ),
        "one_index_lost_a_batch": edit(
            "order[i : i + batch_size]", "order[i : i + batch_size - 1]",
            hint="Every batch is one example short. The end of a slice is not in it: take one "
            "more.",
        ),
        "shuffles_inside_the_batches": edit(
            "torch.randperm(n, generator=generator)", "torch.arange(n)",
            (
                "order[i : i + batch_size]",
                "(b := order[i : i + batch_size])[torch.randperm(len(b), generator=generator)]",
            ),
            hint="The data are cut as they lie, and only the order inside a batch is shuffled: "
            "neighbours in the file always stay together. Shuffle first, cut afterwards.",
        ),
        "empty_batch_at_the_end": edit(
            "range(0, n, batch_size)", "range(0, n + 1, batch_size)", about="detail",
            hint="Where batch_size divides n, an empty batch follows the last full one. Only what "
            "is left makes another batch, and here nothing is.",
        ),
        "fills_up_the_last_batch": edit(
            "order[i : i + batch_size]", "order[torch.arange(i, i + batch_size) % n]",
            about="detail",
            hint="Your last batch is filled up with indices from the start of the epoch, which "
            "are then seen twice. Let it be smaller.",
        ),
        "indices_from_one": edit(
            "order[i : i + batch_size]", "order[i : i + batch_size] + 1",
            hint="Your indices run from 1 to n. Python counts from 0: they are 0 … n−1.",
        ),
        "not_shuffled": edit(
            "torch.randperm(n, generator=generator)", "torch.arange(n)",
            hint="The batches are cut from the data as they lie. If the file is sorted by class, "
            "each batch sees one class: shuffle before cutting.",
        ),
        "shuffled_once_for_all": edit(
            "generator=generator", "generator=torch.Generator().manual_seed(0)",
            hint="Every epoch repeats the same order, because a fresh generator with the same seed "
            "is made in every call. Use the `generator` that you are given: it moves on.",
        ),
        "shuffles_whole_batches": edit(
            "torch.randperm(n, generator=generator)", "torch.arange(n)",
            (
                "range(0, n, batch_size)",
                "(torch.randperm(-(-n // batch_size), generator=generator) * batch_size).tolist()",
            ),
            hint="You shuffle the batches, not the examples: neighbours in the file always stay "
            "together. Shuffle first, cut afterwards.",
        ),
        "ignores_the_generator": edit(
            "n, generator=generator", "n", about="detail",
            hint="The shuffle does not draw from the `generator` that you are given, so the run "
            "cannot be repeated. Hand it on to torch.randperm.",
        ),
    },
    "PlainSGD": {
        **{name: STEP[name] for name in ONE_STEP},
        "keeps_the_first_lr": edit(
            "p -= self.lr", "p -= self.first_lr",
            ("for p", "self.first_lr = getattr(self, 'first_lr', self.lr)\n        for p"),
            about="detail",
            hint="The learning rate of the first step is used for ever: read self.lr in every "
            "step, because schedules change it.",
        ),
        "step_of_fixed_length": edit(
            "self.lr * p.grad", "self.lr * p.grad / p.grad.norm()",
            hint="You divide the gradient by its length, so that every step is lr long. The step "
            "is −lr·g itself: long where the slope is steep.",
        ),
        "sign_only": edit(
            "self.lr * p.grad", "self.lr * p.grad.sign()",
            hint="Only the gradient's sign enters, so all entries move by lr. Multiply lr by the "
            "gradient itself.",
        ),
        "clears_the_gradients": edit(
            "p -= self.lr * p.grad", "p -= self.lr * p.grad\n            p.grad.zero_()",
            about="arguments",
            hint="After the step you set p.grad to zero. That is zero_grad's work, and whoever "
            "logs gradients after a step finds none: leave p.grad as it was.",
        ),
    },
    "Momentum": {
        **{name: STEP[name] for name in (*ONE_STEP, "absent_gradient_is_zero")},
        "steps_uphill": edit(
            "p -= self.lr", "p += self.lr",
            also=[("self.momentum * v + p.grad", "self.momentum * v - p.grad")],
            hint="You step uphill: the gradient points to where the loss grows. It is added to the "
            "velocity, and the step is subtracted from p.",
        ),
        "moves_a_new_tensor": edit(
            "p -= self.lr", "p = p - self.lr",
            also=[('state["v"] = v = self.momentum * v + p.grad', "pass")],
            hint="The parameters never move. Is the new value put into a new tensor (p = p - …)? "
            "Change p in place. Or does the velocity never take in a gradient?",
        ),
        "velocity_holds_lr": edit(
            "self.momentum * v + p.grad", "self.momentum * v + self.lr * p.grad",
            ("p -= self.lr * v", "p -= v"), about="detail",
            hint="Your velocity holds lr·g, so old learning rates live on in it: when lr changes, "
            "the next step is not torch's. Keep plain gradients in v and multiply by lr when p "
            "moves.",
        ),
        "averages_the_gradient": edit(
            "self.momentum * v + p.grad", "self.momentum * v + (1 - self.momentum) * p.grad",
            hint="v ← μv + (1 − μ)g is an average: its steps are 1 − μ times those of equation "
            "(3), in which the whole gradient is added.",
        ),
        "velocity_is_not_kept": edit(
            'state["v"] = v = self', "v = self",
            hint="The new velocity is not put back into the state, so that every step starts from "
            "0 again and momentum has no effect.",
        ),
        "keeps_the_gradient_only": edit(
            'state["v"] = v = self.momentum * v + p.grad',
            'v = self.momentum * v + p.grad\n            state["v"] = p.grad.clone()',
            hint="You keep the last gradient, not the velocity, so that only one step is "
            "remembered. What is kept is v.",
        ),
        "looks_ahead": edit(
            "p -= self.lr * v", "p -= self.lr * (p.grad + self.momentum * v)",
            hint="That is Nesterov's step, g + μv. It comes in the next exercise: here p moves "
            "along v.",
        ),
        "moves_before_the_news": edit(
            'state["v"] = v = self', 'state["v"] = self',
            hint="p moves along the velocity from before this step, so the first step goes "
            "nowhere. First v takes in the gradient, then p moves along it.",
        ),
        "clears_the_gradients": edit(
            "p -= self.lr * v", "p -= self.lr * v\n            p.grad.zero_()",
            about="arguments",
            hint="After the step you set p.grad to zero. That is zero_grad's work, and whoever "
            "logs gradients after a step finds none: leave p.grad as it was.",
        ),
        "state_on_the_default_device": edit(
            "torch.zeros_like(p)", "torch.zeros(p.shape)", about="form",
            hint="The velocity is made by torch.zeros(p.shape), so it lies on the CPU, in float32, "
            "whatever p is. torch.zeros_like(p) follows p in both.",
        ),
    },
    "SGD": {
        **STEP,
        **L2,
        "velocity_holds_lr": edit(
            "(1 - self.dampening) * g", "(1 - self.dampening) * self.lr * g",
            ("g.clone()", "self.lr * g"),
            ("d = g + self.momentum", "d = self.lr * g + self.momentum"),
            ("p -= self.lr * d", "p -= d if self.momentum else self.lr * d"),
            about="detail",
            hint="Your velocity holds lr·g, so old learning rates live on in it: when lr changes, "
            "the next step is not torch's. Keep plain gradients in v and multiply by lr when p "
            "moves.",
        ),
        "momentum_without_effect": edit(
            "if self.momentum:", "if False:",
            hint="Momentum has no effect: every step goes along the gradient of now. The new "
            "velocity must be put back into the state (in a loop, `v = μ·v + g` gives a new tensor "
            "to the loop's variable only), and p moves along it.",
        ),
        "spares_vectors": edit(
            "self.weight_decay * p", "(self.weight_decay * p if p.ndim > 1 else 0)",
            about="detail",
            hint="Vectors do not decay in yours. This optimizer decays every parameter that it is "
            "given; who is spared is decided by parameter groups.",
        ),
        "classical_momentum_alone": edit(
            "(1 - self.dampening) * g", "self.lr * g", ("g.clone()", "self.lr * g"),
            ("if self.nesterov else", "if False else"),
            ("p -= self.lr * d", "p -= d if self.momentum else self.lr * d"), about="detail",
            hint="That is classical momentum alone, v ← μv + lr·g: the learning rate lives on in "
            "v, and dampening and nesterov never enter. Keep plain gradients in v, multiply by lr "
            "when p moves, and look at both options.",
        ),
        "options_without_effect": edit(
            " + self.weight_decay * p", "", ("(1 - self.dampening) * g", "g"),
            ("if self.nesterov else", "if False else"), about="detail",
            hint="Momentum is right, but weight_decay, dampening and nesterov never enter: λp is "
            "added to the gradient, the new gradient's share of v is 1 − dampening, and with "
            "nesterov the step goes along g + μv.",
        ),
        "averages_the_gradient": edit(
            "(1 - self.dampening) * g", "(1 - self.momentum) * g",
            ("g.clone()", "(1 - self.momentum) * g"),
            also=[("(1 - self.dampening) * g", "(1 - self.momentum) * g")],
            hint="v ← μv + (1 − μ)g is the averaging dialect: its steps are 1 − μ times torch's. "
            "torch adds the whole gradient (apart from dampening).",
        ),
        "momentum_and_its_rest_swapped": edit(
            'self.momentum * state["v"] + (1 - self.dampening) * g',
            '(1 - self.momentum) * state["v"] + self.momentum * g',
            also=[
                [
                    (
                        'self.momentum * state["v"] + (1 - self.dampening) * g',
                        '(1 - self.momentum) * state["v"] + self.momentum * g',
                    ),
                    ("g.clone()", "self.momentum * g"),
                ]
            ],
            hint="Your old velocity is multiplied by 1 − μ and the gradient by μ. It is μ, near 1, "
            "that keeps the old velocity, and the gradient is not multiplied by it.",
        ),
        "moves_along_the_old_velocity": edit(
            'if "v" in state:', 'old = state.get("v", g)\n                if "v" in state:',
            ('if self.nesterov else state["v"]', "if self.nesterov else old"),
            hint="p moves along the velocity of the step before, and this step's gradient comes in "
            "one step late. First make the new velocity, then move.",
        ),
        "dampens_the_old_velocity": edit(
            'self.momentum * state["v"] + (1 - self.dampening) * g',
            'self.momentum * (1 - self.dampening) * state["v"] + g',
            about="detail",
            hint="Your dampening makes the old velocity smaller. It belongs to the new gradient: "
            "its share is 1 − dampening.",
        ),
        "velocity_of_the_last_step_only": edit(
            'self.momentum * state["v"] + (1 - self.dampening) * g',
            "self.momentum * g + (1 - self.dampening) * g",
            hint="Your velocity never looks at the old velocity, so nothing adds up: v ← μv + g.",
        ),
        "first_step_dampened": edit(
            "g.clone()", "(1 - self.dampening) * g", about="detail",
            hint="Your first velocity is (1 − dampening)·g. torch takes the whole g at a "
            "parameter's first gradient, and dampens from the second on.",
        ),
        "ignores_dampening": edit(
            "(1 - self.dampening) * g", "g", about="detail",
            hint="Dampening never enters: the new gradient's share of the velocity is "
            "1 − dampening.",
        ),
        "dampening_without_one_minus": edit(
            "(1 - self.dampening) * g", "(self.dampening or 1) * g", about="detail",
            hint="The new gradient is multiplied by the dampening. Its share is what the "
            "dampening leaves of it, 1 − dampening.",
        ),
        "one_first_step_for_all": edit(
            'if "v" in state:',
            'state.setdefault("v", torch.zeros_like(p))\n                if self.old:',
            ("for p", "self.old = hasattr(self, 'old')\n        for p"),
            about="detail",
            hint="Whether this is the first step is remembered once for the whole optimizer. A "
            "parameter whose gradient comes later has its own first step: look whether *it* has a "
            "velocity.",
        ),
        "decay_after_the_step": decay_beside(
            "The decay is applied to p after the step, and never reaches the velocity. For torch's "
            "SGD weight decay is L2: λp is part of the gradient, from the first line on.",
            "after",
        ),
        "decay_beside_the_velocity": decay_beside(
            "You shrink p beside the velocity. Without momentum that is the same as L2, with "
            "momentum it is not: λp belongs into the gradient, so that the velocity holds it.",
            "before",
        ),
        "decay_without_lr": decay_beside(
            "You multiply p by 1 − λ. The step of ½λp² is −lr·λp: the learning rate belongs to "
            "it, and λp belongs into the gradient.",
            "before", "1 - self.weight_decay",
        ),
        "velocity_is_the_gradient": edit(
            "p.grad + self.weight_decay * p",
            "p.grad + self.weight_decay * p if self.weight_decay else p.grad",
            ("g.clone()", "g"),
            also=[
                [
                    ("g = p.grad.add(p", "g = p.grad if not self.weight_decay else p.grad.add(p"),
                    ("g.clone()", "g"),
                ]
            ],
            about="detail",
            hint="Your first velocity *is* p.grad, the same memory: when the gradient is filled "
            "anew, the velocity changes with it. Keep a clone.",
        ),
        "nesterov_without_effect": edit(
            "if self.nesterov else", "if False else", about="detail",
            also=[
                [
                    ("state = self.state[p]", "state = self.state[p]\n                old = "
                     "state.get('v', 0.0)"),
                    (
                        'g + self.momentum * state["v"]',
                        "(1 - self.dampening) * g + self.momentum * old",
                    ),
                ]
            ],
            hint="`nesterov` changes nothing. With it the step goes along g + μv, where v holds g "
            "already; with the v from before this step, g + μv is just the usual velocity.",
        ),
        "nesterov_always": edit(
            ' if self.nesterov else state["v"]', "",
            hint="You look ahead in every step with momentum. Only with `nesterov` the step goes "
            "along g + μv; without it the step goes along v.",
        ),
        "nesterov_counts_the_past_twice": edit(
            "d = g + self.momentum", 'd = state["v"] + self.momentum', about="detail",
            hint="Your look ahead starts from v instead of g: the step goes along g + μv, not "
            "v + μv.",
        ),
        "nesterov_forgets_the_gradient": edit(
            "d = g + self.momentum", "d = self.momentum", about="detail",
            hint="Your look ahead goes along μv alone; the gradient of now is missing: g + μv.",
        ),
        "state_on_the_default_device": edit(
            "g.clone()", "torch.zeros(p.shape).add_(g)", about="form",
            hint="The velocity is made by torch.zeros(p.shape), so it lies on the CPU, in float32, "
            "whatever p is. torch.zeros_like(p) follows p in both.",
        ),
    },
    "sgd_identities": {
        "decay_factor_without_eta": third(
            "1 - eta * lam", "1 - lam",
            hint="1 − λ forgets the learning rate: the step of ½λφ² is −η·λφ.",
        ),
        "decay_factor_with_two": third(
            "1 - eta * lam", "1 - 2 * eta * lam",
            hint="The derivative of ½λφ² is λφ: the ½ is there to take the 2 away.",
        ),
        "decay_factor_grows": third(
            "1 - eta * lam", "1 + eta * lam",
            hint="With 1 + ηλ weights would grow: the gradient is subtracted.",
        ),
        "decay_factor_is_the_loss": third(
            "1 - eta * lam", "eta * lam",
            hint="ηλ is what φ *loses*. What is left, the factor, is one minus that.",
        ),
        "velocity_is_the_limit": third(
            "(1 - mu**t) / (1 - mu)", "1 / (1 - mu)",
            hint="g/(1 − μ) is the limit for many steps. After t steps the geometric sum has t "
            "terms.",
        ),
        "one_term_too_many": third(
            "mu**t", "mu ** (t + 1)",
            hint="Your sum has one term too many: v₁ = g, so the last power is μ^(t−1).",
        ),
        "one_term_too_few": third(
            "mu**t", "mu ** (t - 1)",
            hint="Your sum has one term too few: from μ⁰ to μ^(t−1) there are t of them.",
        ),
        "velocity_of_the_average": third(
            "(1 - mu**t) / (1 - mu)", "(1 - mu**t)",
            hint="(1 − μ^t)·g is the averaging dialect's velocity. In v ← μv + g nothing "
            "multiplies the new gradient by 1 − μ.",
        ),
        "sum_begins_with_mu": third(
            "eta / (1 - mu)", "eta * mu / (1 - mu)",
            hint="Your sum begins with μ. Its first term is 1: the newest gradient counts whole.",
        ),
        "rate_multiplied": third(
            "eta / (1 - mu)", "eta * (1 - mu)",
            hint="You multiply by 1 − μ where the sum 1 + μ + μ² + … = 1/(1 − μ) divides by it.",
        ),
        "eta_forgotten": third(
            "eta / (1 - mu)", "1 / (1 - mu)",
            hint="That is the sum alone; the step is η times it.",
        ),
    },
    "momentum_dialects": {
        "wrong_way_round": edit(
            "lr * (1 - momentum)", "lr / (1 - momentum)",
            ("pull / (1 - momentum)", "pull * (1 - momentum)"),
            hint="You convert the wrong way round: the averaging dialect takes only 1 − μ of each "
            "gradient, so it needs the *larger* rate.",
        ),
        "same_way_in_both_directions": edit(
            'pull = lr * (1 - momentum) if source == "ema" else lr\n', "pull = lr\n",
            ('if target == "ema" else pull', "if source != target else pull"),
            hint="Between two different dialects you always divide by 1 − μ. Back from the "
            "averaging one it is the other way round, and from torch's to the classical one "
            "nothing changes.",
        ),
        "averaging_into_itself": edit(
            'if target == "ema" else', 'if target == "ema" and source != "ema" else',
            hint="From the averaging dialect into itself the rate must stay as it is. Yours is "
            "multiplied on the way in, and not divided on the way out.",
        ),
        "takes_all_for_equal": edit(
            'pull / (1 - momentum) if target == "ema" else pull', "lr",
            hint="You take the rates for equal. Add up what one gradient does over all later "
            "steps: in the averaging dialect it is 1 − μ times as much.",
        ),
        "divides_by_mu": edit(
            "lr * (1 - momentum)", "lr * momentum", ("pull / (1 - momentum)", "pull / momentum"),
            hint="You divide by μ. What differs is the new gradient's share of the velocity, 1 "
            "against 1 − μ.",
        ),
        "converts_classical_too": edit(
            'source == "ema"', 'source != "torch"', ('target == "ema"', 'target != "torch"'),
            hint="You convert the classical dialect like the averaging one. With lr inside the "
            "velocity and constant, nothing changes: the same lr gives the same path as torch's.",
        ),
        "ignores_the_source": edit(
            'lr * (1 - momentum) if source == "ema" else lr', "lr",
            hint="You look only at `target`: the given lr is one of `source`, and has to be "
            "brought into torch's dialect first.",
        ),
        "ignores_the_target": edit(
            'pull / (1 - momentum) if target == "ema" else pull', "pull",
            hint="You bring the rate into torch's dialect and stop there: `target` may be the "
            "averaging one, which needs 1/(1 − μ) times as much.",
        ),
        "negative_rate_for_classical": edit(
            "return pull",
            'pull *= -1 if (source == "classical") != (target == "classical") else 1\n    '
            "return pull",
            hint="The classical dialect's minus sign stands inside the velocity; the learning "
            "rate itself stays positive.",
        ),
    },
    "Adagrad": {
        **prefixed(
            "adagrad_",
            {
                **STEP,
                **L2,
                **RESCALED,
                "overwrites": edit(
                    "r = r + g**2", "r = g**2",
                    hint="r is overwritten by this step's g² and remembers nothing: add to it.",
                ),
                "forgets": edit(
                    "r = r + g**2", "r = 0.9 * r + 0.1 * g**2",
                    hint="You fade the old squares: that is RMSprop. Adagrad adds up, r ← r + g².",
                ),
            },
        ),
        "one_rate_per_tensor": edit(
            "g**2", "(g**2).sum()", also=[("g**2", "(g**2).mean()")],
            hint="The squares of a whole tensor are brought together in one number, so all its "
            "entries get one rate. Adagrad's point is a rate for every *entry*: r has the shape "
            "of p.",
        ),
        "adds_sizes_not_squares": edit(
            "g**2", "g.abs()",
            hint="You add up |g|, not g²: under a root that is of the wrong unit.",
        ),
    },
    "RMSprop": {
        **prefixed("rmsprop_", {**STEP, **L2, **RESCALED}),
        "adds_the_average_to_itself": edit(
            "r = self.alpha * r", "r = r + self.alpha * r",
            hint="`r += αr + …` makes r grow by 1 + α in every step (published notes have it so). "
            "An average assigns: r = αr + (1 − α)g².",
        ),
        "alpha_of_its_own": edit(
            "self.alpha * r + (1 - self.alpha)", "0.9 * r + 0.1",
            also=[("self.alpha * r + (1 - self.alpha)", "0.99 * r + 0.01")],
            hint="The α that you are given never enters: 0.9 or 0.99 is written into your step. "
            "It is in self.alpha.",
        ),
        "averages_sizes": edit(
            "g**2", "g.abs()",
            hint="r averages |g|, not g²: under the root that is of the wrong unit.",
        ),
        "one_rate_per_tensor": edit(
            "g**2", "(g**2).mean()", also=[("g**2", "(g**2).sum()")],
            hint="The squares of a whole tensor are brought together in one number, so all its "
            "entries get one rate. r has the shape of p: g², entry by entry.",
        ),
        "centred": edit(
            "p -= self.lr",
            'state["mean"] = self.alpha * state.get("mean", 0.0) + (1 - self.alpha) * g\n'
            '            r = r - state["mean"] ** 2\n            p -= self.lr',
            hint="You take the square of the average gradient off r: that is centred RMSprop. "
            "Plain RMSprop divides by the root of the average square alone.",
        ),
        "alpha_swapped": edit(
            "self.alpha * r + (1 - self.alpha)", "(1 - self.alpha) * r + self.alpha",
            hint="α and 1 − α are swapped: α (near 1) belongs to the memory, 1 − α to the new "
            "square.",
        ),
        "rmsprop_never_forgets": edit(
            "self.alpha * r + (1 - self.alpha) * g**2", "r + g**2",
            hint="Your r never forgets: that is Adagrad. Fade the old value, r ← αr + (1 − α)g².",
        ),
        "old_squares_not_faded": edit(
            "r = self.alpha * r", "r = r",
            hint="The old r is not faded by α; only the new square has its 1 − α.",
        ),
        "new_square_not_weighted": edit(
            "(1 - self.alpha) * g**2", "g**2",
            hint="The new g² enters whole; its share is 1 − α, so that r settles at the mean of "
            "g².",
        ),
        "starts_at_the_first_square": edit(
            "torch.zeros_like(p)", "g**2",
            hint="You start r at the first g². RMSprop starts at zero (and does not correct for "
            "it).",
        ),
        "corrects_like_adam": edit(
            "(r.sqrt() + self.eps)", '((r / (1 - self.alpha ** state["t"])).sqrt() + self.eps)',
            (
                "state = self.state[p]\n",
                'state = self.state[p]\n            state["t"] = state.get("t", 0) + 1\n',
            ),
            hint="You correct r for its start at zero, as Adam does. RMSprop does not.",
        ),
    },
    "bias_of_moments": {
        "one_power_too_many": third(
            "beta ** (t - i)", "beta ** (t - i + 1)",
            hint="g_i has been multiplied by β once for every *later* step: t − i times.",
        ),
        "share_forgotten": third(
            "(1 - beta) * beta **", "beta **",
            hint="The factor 1 − β is missing, with which g_i entered in the first place.",
        ),
        "power_of_the_index": third(
            "beta ** (t - i)", "beta**i",
            hint="β^i would make old gradients count more than new ones: the power is the age, "
            "t − i.",
        ),
        "only_the_newest": third(
            "(1 - beta**t) * mean", "(1 - beta) * mean",
            hint="1 − β is the weight of the newest gradient alone. Sum the weights of all t of "
            "them.",
        ),
        "what_is_missing": third(
            "(1 - beta**t) * mean", "beta**t * mean",
            hint="β^t is what is *missing* from the sum of the weights; the sum is one minus "
            "that.",
        ),
        "one_step_behind": third(
            "(1 - beta**t) * mean", "(1 - beta ** (t - 1)) * mean",
            hint="Your sum has t − 1 terms: count again from i = 1 to i = t.",
        ),
        "takes_it_for_unbiased": third(
            "(1 - beta**t) * mean", "mean",
            hint="The average is biased: it starts at 0, and its weights do not add up to 1 yet.",
        ),
        "multiplied": third(
            "m / (1 - beta**t)", "m * (1 - beta**t)",
            hint="You multiply where you should divide: the moment is too small, not too large.",
        ),
        "corrected_for_the_first_step": third(
            "m / (1 - beta**t)", "m / (1 - beta)",
            hint="1 − β is right at t = 1 only; the bias fades as t grows.",
        ),
        "power_of_the_difference": third(
            "m / (1 - beta**t)", "m / (1 - beta) ** t",
            hint="(1 − β)^t and 1 − β^t are different things: the power belongs to β alone.",
        ),
    },
    "Adam": {
        **MOMENTS,
        **prefixed("adam_", {**STEP, **L2}),
        "decoupled_decay": decay_beside(
            "You shrink the weights beside the step: that is AdamW. Here weight decay is L2, so "
            "λp is added to the gradient and runs through both moments.",
            "before",
        ),
        "decay_after_the_step": decay_beside(
            "You shrink the weights after the step, which is not even AdamW. Here weight decay is "
            "L2, so λp is added to the gradient and runs through both moments.",
            "after",
        ),
        "decay_beside_the_first_moment": edit(
            " + self.weight_decay * p", "", ("* m_hat /", "* (m_hat + self.weight_decay * p) /"),
            about="detail",
            hint="λp is added to m̂ when p moves, and neither moment has seen it. Here it is part "
            "of the gradient from the start: m and v are made of p.grad + λp.",
        ),
        "decay_in_the_first_moment_only": edit(
            "(1 - beta2) * g**2", "(1 - beta2) * p.grad**2", about="detail",
            hint="λp enters m but not v. It is part of the gradient, and v averages its square.",
        ),
    },
    "where_decay_goes": {
        "adam_l2_decoupled": half(
            "h = g + lam * phi\n    return phi -", "h = g\n    return (1 - eta * lam) * phi -",
            hint="That is AdamW. In Adam + L2 the λφ is part of the gradient, and is divided with "
            "it.",
        ),
        "adam_l2_on_top_only": half(
            "(sympy.Abs(h) + eps)", "(sympy.Abs(g) + eps)",
            hint="λφ stands on top but not below: √v̂ is the size of the *whole* gradient, "
            "g + λφ.",
        ),
        "adam_without_l2": half(
            "h = g + lam * phi", "h = g",
            hint="Where is the decay? The gradient of the loss with ½λφ² is g + λφ.",
        ),
        "adamw_is_coupled": half(
            "(1 - eta * lam) * phi - eta * g / (sympy.Abs(g) + eps)",
            "phi - eta * (g + lam * phi) / (sympy.Abs(g + lam * phi) + eps)",
            hint="That is Adam + L2. In AdamW only g enters the moments; φ loses ηλφ besides.",
        ),
        "adamw_both_at_once": half(
            "eta * g / (sympy.Abs(g) + eps)",
            "eta * (g + lam * phi) / (sympy.Abs(g + lam * phi) + eps)",
            hint="Both at once: λφ is in the gradient and taken off besides, so it decays twice.",
        ),
        "adamw_lambda_without_eta": half(
            "(1 - eta * lam) * phi", "(1 - lam) * phi",
            hint="The decay forgets the learning rate: φ loses ηλφ, not λφ.",
        ),
        "adamw_plus_sign": half(
            "(1 - eta * lam) * phi", "(1 + eta * lam) * phi",
            hint="With +ηλφ the weight grows: decay takes off.",
        ),
        "adamw_shrinks_the_step": half(
            "(1 - eta * lam) * phi - eta * g / (sympy.Abs(g) + eps)",
            "(1 - eta * lam) * (phi - eta * g / (sympy.Abs(g) + eps))",
            hint="You shrink φ after the step, and the step with it: the factor 1 − ηλ is φ's "
            "alone.",
        ),
        "size_forgotten": half(
            "(sympy.Abs(h) + eps)", "(h + eps)", also=[("(sympy.Abs(g) + eps)", "(g + eps)")],
            hint="You divide by the gradient itself. √v̂ is its *size*: the sign of the step "
            "would be lost.",
        ),
    },
    "AdamW": {
        **prefixed("adamw_", {**STEP, **MOMENTS}),
        "coupled_l2": edit(
            "g = p.grad", "g = p.grad + self.weight_decay * p",
            ("p *= 1 - self.lr * self.weight_decay\n            ", ""),
            hint="λp is still in the gradient: that is Adam with L2, where the decay is divided "
            "by √v̂. Decoupled decay multiplies p itself by 1 − lr·λ.",
        ),
        "no_decay": edit(
            "p *= 1 - self.lr * self.weight_decay\n            ", "",
            hint="Nothing decays: p *= 1 − lr·λ is missing.",
        ),
        "shrinks_a_new_tensor": edit(
            "p *= 1 - self.lr * self.weight_decay",
            "p = p * (1 - self.lr * self.weight_decay)",
            hint="The shrunken value is a new tensor (p = p * …), and all that follows moves that "
            "one: the model's own parameter stays where it was. Change p in place.",
        ),
        "decay_doubled": edit(
            "1 - self.lr * self.weight_decay", "1 - 2 * self.lr * self.weight_decay",
            hint="Your decay takes off twice as much as it should: the factor is 1 − lr·λ.",
        ),
        "adamw_decay_without_lr": edit(
            "1 - self.lr * self.weight_decay", "1 - self.weight_decay",
            hint="You multiply by 1 − λ. torch scales the decay by the learning rate, 1 − lr·λ, "
            "so that a schedule lowers both together.",
        ),
        "adamw_decay_with_wrong_sign": edit(
            "1 - self.lr * self.weight_decay", "1 + self.lr * self.weight_decay",
            hint="With 1 + lr·λ the weights grow: decay takes off.",
        ),
        "adamw_decay_with_the_corrected_rate": edit(
            "1 - self.lr * self.weight_decay",
            "1 - self.lr * (1 - beta2**t) ** 0.5 / (1 - beta1**t) * self.weight_decay",
            hint="Your decay is multiplied by the rate with the bias corrections in it. They "
            "belong to the moments: the decay is lr·λ·p.",
        ),
        "adamw_decay_after_the_step": edit(
            "p *= 1 - self.lr * self.weight_decay\n            ", "",
            ("### END SOLUTION", "    p *= 1 - self.lr * self.weight_decay"),
            hint="You decay after the Adam step, and so shrink that very step as well. Shrink p "
            "first.",
        ),
        "decay_inside_the_fraction": edit(
            "p *= 1 - self.lr * self.weight_decay\n            ", "",
            ("* m_hat /", "* (m_hat + self.weight_decay * p) /"),
            hint="λp is added to m̂ inside the fraction and so divided by √v̂, as everything "
            "there. Decoupled means outside: p loses lr·λ·p, undivided.",
        ),
        "decay_through_the_first_moment": edit(
            "p *= 1 - self.lr * self.weight_decay\n            ", "",
            ("(1 - beta1) * g", "(1 - beta1) * (g + self.weight_decay * p)"),
            hint="λp goes through the first moment: it is averaged and divided with the gradient. "
            "Neither moment may see the decay.",
        ),
        "decays_twice": edit(
            "g = p.grad", "g = p.grad + self.weight_decay * p",
            hint="You decay twice: λp in the gradient *and* the shrinking of p. (One published "
            "listing does so.) AdamW has the second only.",
        ),
        "spares_vectors": edit(
            "1 - self.lr * self.weight_decay",
            "1 - self.lr * self.weight_decay if p.ndim > 1 else 1",
            hint="You spare vectors from the decay. Sensible, but not the optimizer's business: "
            "torch decays all it is given, and parameter groups say what is given.",
        ),
        "decays_without_gradient": edit(
            "if p.grad is None:\n", "p *= 1 - self.lr * self.weight_decay\n"
            "            if p.grad is None:\n",
            ("p *= 1 - self.lr * self.weight_decay\n            p -=", "p -="),
            about="detail",
            hint="Parameters without a gradient decay as well. torch passes them over altogether.",
        ),
        "decay_keeps_the_first_lr": edit(
            "1 - self.lr * self.weight_decay", "1 - self.first_lr * self.weight_decay",
            ("params, lr)\n        self", "params, lr)\n        self.first_lr = lr\n        self"),
            about="detail",
            hint="The decay always uses the first learning rate: read self.lr in every step.",
        ),
        "squares_the_gradient_in_place": edit(
            "g**2", "g.square_()", about="arguments",
            hint="The gradient is squared in place (g.square_(), g.pow_(2), g *= g), so p.grad is "
            "not as it was: make a new tensor, g**2.",
        ),
    },
    "parameter_groups": {
        "groups_swapped": edit(
            "p.ndim >= 2", "p.ndim < 2", ("p.ndim < 2", "p.ndim >= 2"),
            hint="The two groups are swapped: vectors decay and matrices do not.",
        ),
        "decays_everything": edit(
            'p.ndim < 2], "weight_decay": 0.0', 'p.ndim < 2], "weight_decay": weight_decay',
            hint="Everything decays, biases and norm parameters too: only what has two or more "
            "dimensions should.",
        ),
        "matrices_only": edit(
            "p.ndim >= 2", "p.ndim == 2", ("p.ndim < 2", "p.ndim != 2"),
            hint="You ask for exactly two dimensions. A convolution's kernel has more, and decays "
            "too: two *or more*.",
        ),
        "spares_vectors_only": edit(
            "p.ndim >= 2", "p.ndim != 1", ("p.ndim < 2", "p.ndim == 1"),
            hint="A parameter without axes, one scale for a whole layer say, has ndim 0 and is no "
            "matrix either: p.ndim >= 2 decays, everything below does not.",
        ),
        "spares_what_is_called_bias": edit(
            'return [\n        {"params": [p for p in trained if ',
            'return [\n        {"params": [p for p in trained if id(p) not in biases and ',
            ('weight_decay},\n        {"params": [p for p in trained if ',
             'weight_decay},\n        {"params": [p for p in trained if id(p) in biases or '),
            ("    trained = [", "    named = model.named_parameters()\n"
             '    biases = {id(p) for n, p in named if n.endswith("bias")}\n    trained = ['),
            hint="You go by the name too, and a matrix may be called bias: only the number of "
            "dimensions counts.",
        ),
        "by_the_name_weight": edit(
            "p for p in model.parameters()", "(name, p) for name, p in model.named_parameters()",
            ("p in trained if p.ndim >= 2", 'name, p in trained if name.endswith("weight")'),
            ("p in trained if p.ndim < 2", 'name, p in trained if not name.endswith("weight")'),
            hint="You go by the name 'weight'. A norm's scale has that name too, and a matrix may "
            "be called something else: go by the number of dimensions.",
        ),
        "linear_weights_only": edit(
            "trained if p.ndim >= 2", "trained if id(p) in linear",
            ("trained if p.ndim < 2", "trained if id(p) not in linear"),
            ("    trained = [", "    linear = {id(m.weight) for m in model.modules() "
             "if isinstance(m, torch.nn.Linear)}\n    trained = ["),
            hint="Only the weights of nn.Linear decay in yours. Convolutions and embeddings have "
            "matrices too, and so may a module of one's own: go by the number of dimensions.",
        ),
        "decay_of_its_own": edit(
            'p.ndim >= 2], "weight_decay": weight_decay', 'p.ndim >= 2], "weight_decay": 0.01',
            hint="The decay that is asked for never enters: a number of your own stands in its "
            "place.",
        ),
        "spares_biases_only": edit(
            "p for p in model.parameters()", "(name, p) for name, p in model.named_parameters()",
            ("p in trained if p.ndim >= 2", 'name, p in trained if not name.endswith("bias")'),
            ("p in trained if p.ndim < 2", 'name, p in trained if name.endswith("bias")'),
            hint="You spare what has 'bias' (or the name of a certain layer) in its name. Other "
            "normalizations' scales then decay, and a matrix called bias does not: go by the "
            "number of dimensions, not by names.",
        ),
        "forgets_the_rest": edit(
            '{"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},', "",
            hint="Only what decays is handed over: biases and norm parameters are in no group and "
            "would never be trained. Give them a group with weight_decay 0.",
        ),
        "shared_parameter_twice": edit(
            "p in model.parameters()", "_, p in model.named_parameters(remove_duplicate=False)",
            about="detail",
            hint="A parameter shared by two layers is handed over twice, and would be moved twice "
            "a step. model.parameters() yields it once.",
        ),
        "direct_children_only": edit(
            "model.parameters()",
            "{p: p for child in model.children() for p in child.parameters(recurse=False)}",
            hint="You walk over the model's direct children only: what lies deeper, or belongs to "
            "the model itself, is missed. model.parameters() walks all depths.",
        ),
        "second_group_says_nothing": edit(
            'p.ndim < 2], "weight_decay": 0.0', "p.ndim < 2]",
            hint="The second group does not say what its decay is, so it gets the optimizer's "
            "default, which for AdamW is 0.01. Write weight_decay 0.0 into it.",
        ),
        "hands_over_the_frozen": edit(
            " if p.requires_grad", "", about="detail",
            hint="Parameters with requires_grad=False are handed over too. They are not trained: "
            "leave them out.",
        ),
    },
    "clip_grad_norm": {
        "always_rescales": edit(
            "min(1.0, max_norm", "(max_norm",
            hint="You always rescale, so short gradients are made *longer*. The factor is never "
            "more than 1: min(1, c/(‖g‖ + 1e-6)).",
        ),
        "takes_the_larger_factor": edit(
            "min(1.0", "max(1.0",
            hint="With the larger of 1 and c/(‖g‖ + 1e-6), long gradients stay and short ones are "
            "made longer. Take the smaller.",
        ),
        "a_norm_for_each_tensor": edit(
            "g *= factor", "g *= min(1.0, max_norm / (float(g.norm()) + 1e-6))",
            hint="Each tensor is clipped by its own norm, which bends the direction of the whole "
            "step. There is one norm over all parameters, and one factor.",
        ),
        "squared_norm": edit(
            " ** 0.5", "",
            hint="You divide by the *squared* norm: the root of the sum is missing.",
        ),
        "adds_the_norms": edit(
            "sum((g.double() ** 2).sum() for g in gradients) ** 0.5",
            "sum(g.double().norm() for g in gradients)",
            hint="The tensors' norms are added. Squares add up, norms do not: take the root of the "
            "sum of all squares.",
        ),
        "adds_the_sizes": edit(
            "(g.double() ** 2).sum() for g in gradients) ** 0.5",
            "g.double().abs().sum() for g in gradients)",
            hint="You add up the sizes of all entries. The norm asked for is the Euclidean one: "
            "the root of the sum of squares.",
        ),
        "largest_entry": edit(
            "sum((g.double() ** 2).sum() for g in gradients) ** 0.5",
            "max(g.double().abs().max() for g in gradients)",
            hint="You compare with the largest entry. The norm asked for is the Euclidean one.",
        ),
        "root_of_the_mean_square": edit(
            "for g in gradients) ** 0.5",
            "for g in gradients) ** 0.5 / sum(g.numel() for g in gradients) ** 0.5",
            hint="You take the root of the *mean* square. The norm is the root of the sum: with "
            "more entries it grows.",
        ),
        "largest_norm_of_a_tensor": edit(
            "sum((g.double() ** 2).sum() for g in gradients) ** 0.5",
            "max(g.double().norm() for g in gradients)",
            hint="You take the largest of the tensors' norms. All entries of all tensors make one "
            "vector, and its norm is wanted.",
        ),
        "clips_to_length_one": edit(
            "min(1.0, max_norm / (float(norm) + 1e-6))",
            "1.0 / (float(norm) + 1e-6) if norm > max_norm else 1.0",
            hint="Gradients that are too long are brought to the length 1, whatever the limit is. "
            "They are brought to c, the limit itself.",
        ),
        "norm_of_the_parameters": edit(
            "gradients = [p.grad", "params = list(params)\n    gradients = [p.grad",
            (
                "(g.double() ** 2).sum() for g in gradients",
                "(p.double() ** 2).sum() for p in params",
            ),
            hint="That is the norm of the parameters themselves: what is clipped, and measured, "
            "are their gradients.",
        ),
        "clips_the_values": edit(
            "g *= factor", "g.clamp_(-max_norm, max_norm)",
            hint="You clip each entry: that is clipping by value. Here one common factor keeps "
            "the direction.",
        ),
        "scales_a_copy": edit(
            "g *= factor", "g = g * factor",
            hint="The parameters keep their old gradients: a new tensor is scaled (g = g * factor "
            "makes one), or something else than p.grad. Scale the gradients themselves, in place.",
        ),
        "returns_the_norm_afterwards": edit(
            "return norm", "return sum((g.double() ** 2).sum() for g in gradients) ** 0.5",
            about="detail",
            hint="The gradients are right, but you return the norm from after clipping. The one "
            "from before is what one logs: it tells whether clipping was needed.",
        ),
        "returns_the_factor": edit(
            "return norm", "return factor", about="detail",
            hint="The gradients are right, but you return the factor. What is asked for, and what "
            "one logs, is the norm from before clipping.",
        ),
        "returns_nothing": edit(
            "return norm", "return None", about="detail",
            hint="The gradients are right, but nothing is returned: return the norm from before "
            "clipping, which is what one logs.",
        ),
        "without_the_small_constant": edit(
            "(float(norm) + 1e-6)", "float(norm)", about="detail",
            also=[("1e-6", eps) for eps in ("1e-7", "1e-8", "1e-12")],
            hint="Your factor is not c/(‖g‖ + 1e-6), as asked (and as torch has it): the constant "
            "below is missing, or another one. On tiny gradients it shows.",
        ),
        "walks_a_generator_twice": edit(
            "for g in gradients:\n        g *= factor",
            "for p in params:\n        if p.grad is not None:\n            p.grad *= factor",
            about="detail",
            hint="`params` may be a generator, and after the first loop it is empty: the second "
            "loop, which should scale, finds nothing. Make a list of it first.",
        ),
        "no_thought_of_none": edit(
            " if p.grad is not None", "", about="detail",
            also=[
                [(" if p.grad is not None", ""), ("(g.double() ** 2)", squares)]
                for squares in ("(g**2)", "g.pow(2)", "g.norm() ** 2", "g.data.norm(2) ** 2",
                                "g.detach().norm() ** 2")
            ],
            hint="A parameter whose .grad is None stops you. Pass it over.",
        ),
    },
    "clip_grad_value": {
        "upper_bound_only": edit(
            "clamp_(-clip_value, clip_value)", "clamp_(max=clip_value)",
            hint="Only the upper bound is kept: large negative entries go through. Clip to "
            "[−c, c].",
        ),
        "lower_bound_only": edit(
            "clamp_(-clip_value, clip_value)", "clamp_(min=-clip_value)",
            hint="Only the lower bound is kept: large positive entries go through. Clip to "
            "[−c, c].",
        ),
        "negative_entries_lost": edit(
            "clamp_(-clip_value, clip_value)", "clamp_(0, clip_value)",
            hint="Negative entries become 0: your lower bound is 0. It is −c.",
        ),
        "limit_of_one": edit(
            "clamp_(-clip_value, clip_value)", "clamp_(-1.0, 1.0)",
            hint="You clip to [−1, 1], whatever the limit is: clip_value never enters.",
        ),
        "stops_at_the_first_missing_gradient": edit(
            "if p.grad is not None:\n            p.grad",
            "if p.grad is None:\n            break\n        p.grad", about="detail",
            hint="At the first parameter without a gradient you end (return or break), and those "
            "after it are not clipped. Pass over this one only.",
        ),
        "sign_is_lost": edit(
            "clamp_(-clip_value, clip_value)", "abs_().clamp_(max=clip_value)",
            hint="The sign is lost: you clip |g|, and negative entries come out positive.",
        ),
        "drops_what_is_too_large": edit(
            "clamp_(-clip_value, clip_value)", "masked_fill_(p.grad.abs() > clip_value, 0.0)",
            hint="Entries beyond the limit are set to zero. They should be set *to the limit*, "
            "with their sign.",
        ),
        "scales_the_tensor": edit(
            "clamp_(-clip_value, clip_value)",
            "mul_(min(1.0, clip_value / float(p.grad.abs().max())))",
            hint="The whole tensor is scaled until its largest entry fits. Clipping by value "
            "leaves the entries inside the limits as they are.",
        ),
        "clips_the_norm": edit(
            "clamp_(-clip_value, clip_value)",
            "mul_(min(1.0, clip_value / (float(p.grad.norm()) + 1e-6)))",
            hint="You bring the *norm* to the limit. Here every entry is clipped for itself.",
        ),
        "clamps_a_copy": edit(
            "p.grad.clamp_", "p.grad.clamp",
            hint="The gradients are as they were: a new tensor is clipped (torch.clamp without the "
            "underscore makes one), or something else than p.grad. Put what is clipped back into "
            "p.grad, or use clamp_ on it.",
        ),
        "no_thought_of_none": edit(
            "if p.grad is not None:\n            p.grad", "p.grad", about="detail",
            hint="A parameter whose .grad is None stops you. Pass it over.",
        ),
    },
    "schedules": {
        "linear_a_step_ahead": fifth(
            "done = min(t / total, 1.0)", "done = min((t + 1) / total, 1.0)",
            hint="linear: you are a step ahead, η₀ never occurs. At t = 0 the rate is η₀.",
        ),
        "linear_without_end": fifth(
            "done = min(t / total, 1.0)", "done = t / total", about="detail",
            hint="linear: after K steps the line goes on falling, even below zero. Stop at η_K.",
        ),
        "linear_compounds": fifth(
            "done = min(t / total, 1.0)\n    return (1 - done) * lr0 + done * lr_end",
            "for step in range(1, min(t, total) + 1):\n"
            "        lr0 = (1 - step / total) * lr0 + step / total * lr_end\n    return lr0",
            hint="linear: each step multiplies the rate *before* it, so the factors compound. The "
            "line is a formula in t and η₀ alone.",
        ),
        "linear_backwards": fifth(
            "(1 - done) * lr0 + done * lr_end", "done * lr0 + (1 - done) * lr_end",
            hint="linear: the two ends are swapped; it begins at η₀.",
        ),
        "linear_to_zero": fifth(
            "(1 - done) * lr0 + done * lr_end", "(1 - done) * lr0",
            hint="linear: it ends at 0 instead of η_K, which takes over as η₀ fades.",
        ),
        "linear_on_top_of_the_end": fifth(
            "(1 - done) * lr0 + done * lr_end", "(1 - done) * lr0 + lr_end",
            hint="linear: η_K is added from the start, so the line begins too high. Its height is "
            "η₀ − η_K.",
        ),
        "linear_too_short": fifth(
            "done = min(t / total, 1.0)", "done = min(t / (total - 1), 1.0)",
            hint="linear: η_K is reached a step too early. It is reached at t = K, so t is divided "
            "by K, not by K − 1.",
        ),
        "linear_clipped_at_the_end": fifth(
            "(1 - done) * lr0 + done * lr_end", "max((1 - done) * lr0, lr_end)",
            hint="linear: your line runs to 0 and is cut off at η_K. It should run to η_K, and "
            "reach it at t = K.",
        ),
        "power_grows": fifth(
            "(1 + t / scale) ** power", "(1 + t / scale) ** -power",
            hint="power: the exponent is negative already; with another minus sign the rate "
            "grows.",
        ),
        "power_without_scale": fifth(
            "(1 + t / scale) ** power", "(1 + t) ** power",
            hint="power: t is not divided by s, so the fall comes s times too soon.",
        ),
        "power_staircase": fifth(
            "(1 + t / scale) ** power", "(1 + t // scale) ** power",
            hint="power: you round t/s down, which makes a staircase. Divide with /, not //.",
        ),
        "inverse_time": fifth(
            "* (1 + t / scale) ** power", "/ (1 + power * t / scale)",
            also=[("* (1 + t / scale) ** power", "/ (1 - power * t / scale)")],
            hint="power: c is a factor of t/s in yours (inverse time decay). It is the exponent: "
            "η₀(1 + t/s)^c.",
        ),
        "one_outside_the_power": fifth(
            "* (1 + t / scale) ** power", "/ (1 + (t / scale) ** -power)",
            hint="power: the 1 + stands outside the power. At t = 0 the rate is η₀·1^c = η₀.",
        ),
        "exponential_every_step": fifth(
            "factor ** (t / scale)", "factor**t",
            hint="exponential: the factor c belongs to s steps together, not to each one: c^(t/s).",
        ),
        "exponential_staircase": fifth(
            "factor ** (t / scale)", "factor ** (t // scale)",
            hint="exponential: you round t/s down, which makes a staircase. Divide with /, not //.",
        ),
        "exponential_rate": fifth(
            "factor ** (t / scale)", "2.718281828459045 ** (-factor * t / scale)",
            also=[("factor ** (t / scale)", "2.718281828459045 ** (-t * factor)")],
            hint="exponential: c stands in the exponent of e, as a rate. It is what η₀ is "
            "multiplied by in s steps: c^(t/s).",
        ),
        "exponential_of_e": fifth(
            "factor ** (t / scale)", "2.718281828459045 ** (-t / scale)",
            hint="exponential: e^(−t/s) ignores the factor c; after s steps the rate is c·η₀.",
        ),
        "cosine_a_step_ahead": fifth(
            "torch.tensor(min(t / total", "torch.tensor(min((t + 1) / total",
            hint="cosine: you are a step ahead, η₀ never occurs. At t = 0 the rate is η₀.",
        ),
        "cosine_whole_wave": fifth(
            "torch.pi * done", "2 * torch.pi * done",
            hint="cosine: a whole wave goes down and up again. From t = 0 to K it is *half* a "
            "wave, πt/K.",
        ),
        "cosine_upside_down": fifth(
            "(1 + torch.cos", "(1 - torch.cos",
            hint="cosine: 1 − cos makes the wave run the other way, from η_K up to η₀.",
        ),
        "cosine_quarter_wave": fifth(
            "0.5 * (lr0 - lr_end) * (1 + torch.cos(torch.pi * done).item())",
            "(lr0 - lr_end) * torch.cos(torch.pi / 2 * done).item()",
            hint="cosine: you take a quarter of a wave, cos from 1 to 0. It is half a wave, cos "
            "from 1 to −1, which falls slowly at both ends.",
        ),
        "cosine_does_not_stand_on_the_end": fifth(
            "lr_end + 0.5", "0.5",
            hint="cosine: the wave has the right height but ends at 0: it stands on η_K, which is "
            "to be added.",
        ),
        "cosine_to_zero": fifth(
            "lr_end + 0.5 * (lr0 - lr_end)", "0.5 * lr0",
            hint="cosine: it ends at 0 instead of η_K. Only the difference η₀ − η_K follows the "
            "wave.",
        ),
        "cosine_too_high": fifth(
            "0.5 * (lr0 - lr_end)", "0.5 * lr0",
            hint="cosine: the wave has the height η₀ and stands on η_K, so it begins too high. "
            "Its height is η₀ − η_K.",
        ),
        "cosine_without_half": fifth(
            "0.5 * (lr0 - lr_end)", "(lr0 - lr_end)",
            hint="cosine: 1 + cos runs from 2 to 0, so half of it is wanted: ½(η₀ − η_K)(1 + cos).",
        ),
        "cosine_comes_up_again": fifth(
            "torch.tensor(min(t / total, 1.0)", "torch.tensor(t / total", about="detail",
            hint="cosine: after K steps the wave rises again. Stop at η_K: t is never more than "
            "K.",
        ),
        "cosine_restarts": fifth(
            "min(t / total, 1.0), dtype", "t % total / total, dtype", about="detail",
            hint="cosine: at t = K it jumps back to η₀ (t % K is a warm restart). It stays at "
            "η_K.",
        ),
        "noam_takes_the_larger": fifth(
            "min(t**-0.5, t * warmup**-1.5)", "max(t**-0.5, t * warmup**-1.5)",
            hint="Noam: with the larger of the two branches it falls from far above and then "
            "grows for ever. Take the minimum.",
        ),
        "noam_a_step_ahead": fifth(
            "min(t**-0.5, t * warmup**-1.5)", "min((t + 1) ** -0.5, (t + 1) * warmup**-1.5)",
            hint="Noam: you are a step ahead. Here t is 1 in the first step already.",
        ),
        "noam_branches_do_not_meet": fifth(
            "warmup**-1.5", "warmup**-0.5",
            hint="Noam: the two branches do not meet at t = w: the warm-up has the power −3/2, "
            "not −1/2.",
        ),
        "noam_linear_warmup_to_one": fifth(
            "t * warmup**-1.5", "t / warmup",
            hint="Noam: your warm-up t/w rises to 1, where the other branch is at w^(−1/2): they "
            "do not meet. The power of w is −3/2.",
        ),
        "noam_without_the_width": fifth(
            "d_model**-0.5 * min", "min",
            hint="Noam: the factor d^(−1/2) is missing: larger models get smaller rates.",
        ),
    },
    "bug_hunt": {
        "a_single_gradient": quarter(
            "torch.ones(15, 2)", "torch.ones(1, 2)",
            hint="A single gradient convicts neither A nor B: at t = 1 the old r, v and s are "
            "zero, and what is done to them makes no difference. Give several.",
        ),
        "zero_gradients": quarter(
            "torch.ones(15, 2)", "torch.zeros(15, 2)", ("torch.ones(5, 3)", "torch.zeros(5, 3)"),
            hint="On gradients of zero nothing moves, neither in the listing nor in torch: no "
            "mistake can show.",
        ),
        "drowned_by_eps": quarter(
            "torch.ones(15, 2)", "1e-5 * torch.ones(15, 2)",
            ("torch.ones(5, 3)", "1e-5 * torch.ones(5, 3)"),
            hint="These entries are so small that eps drowns them: compare them with √r + eps.",
        ),
        "r_is_not_faded": quarter(
            "r = alpha * r +", "r = r +",
            hint="Listing A: the old r is added unfaded now. The mended line is "
            "r = αr + (1 − α)g².",
        ),
        "listing_a_unchanged": quarter(
            "r = alpha * r +", "r += alpha * r +",
            hint="Listing A is not mended: `+=` still adds αr to r itself.",
        ),
        "correction_thrown_out": quarter(
            "v_hat, s_hat = v / (1 - beta1**t), s / (1 - beta2**t)", "v_hat, s_hat = v, s",
            hint="Listing B: the correction is gone altogether. Keep it, but on copies.",
        ),
        "listing_b_unchanged": quarter(
            "v_hat, s_hat =", "v, s = v_hat, s_hat =",
            hint="Listing B is not mended: the corrected moments are still what the next step "
            "starts from. Correct copies.",
        ),
        "second_moment_still_fed_back": quarter(
            "v_hat, s_hat =", "v_hat, s = _, s_hat =",
            hint="Listing B is mended for v only: s is still fed back corrected.",
        ),
        "mean_still_subtracted": quarter(
            "s + g**2", "s + (g - g.mean()) ** 2",
            hint="Listing C: it is entry by entry now, but the mean is still subtracted.",
        ),
        "one_sum_for_all": quarter(
            "s + g**2", "s + (g**2).sum()",
            hint="Listing C: the mean is gone, but all entries still share one sum. Leave .sum() "
            "out.",
        ),
        "sum_begins_in_the_gradient": edit(
            "s = s + g**2\n        w = w - lr * g /",
            "kept = g.clone()\n        s = g.square_() if s is None else s.add_(g**2)\n        "
            "w = w - lr * kept /",
            (
                "w, s = torch.zeros_like(gradients[0]), torch.zeros_like(gradients[0])",
                "w, s = torch.zeros_like(gradients[0]), None",
            ),
            about="arguments",
            hint="Listing C: the in-place sum starts *as* the first gradient's memory, so you "
            "change the gradients that you were given. Start from zeros.",
        ),
    },
    "break_it": {
        "no_noise": edit(
            "100.0 * signs", "0.0 * signs",
            hint="On gradients of zero Adam + L2 decays too, at its own pace. What robs it of its "
            "decay is a large √v̂.",
        ),
        "noise_too_small": edit(
            "100.0 * signs", "1.0 * signs",
            hint="Your noise is too small: λφ = 0.5 is not small beside it, so that the decay "
            "still counts in √v̂. Make it large.",
        ),
        "noise_with_a_direction": edit(
            "1.0 - 2.0 * (torch.arange(60) % 2)", "torch.ones(60)",
            hint="These gradients have a direction, and both optimizers run along it. Let every "
            "column sum to zero.",
        ),
        "too_few_steps": edit(
            "torch.arange(60)", "torch.arange(10)",
            hint="Too few steps: AdamW takes 2.5 % off in each, so it needs most of the 60.",
        ),
        "first_up_then_down": edit(
            "torch.arange(60) % 2", "torch.arange(60) // 30",
            hint="First all up, then all down: the columns sum to zero, but Adam follows each "
            "half like a direction. Let the signs alternate.",
        ),
    },
}
