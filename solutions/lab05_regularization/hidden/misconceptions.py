"""Lab 05: mistakes that people really make, as edits of the solution, and what they are told.

Guards are edits of their own (``nan_at_p_one``), so that a mistake is known with and without them.
"""

from course_utils.testing import edit

# What a mistake costs where it is in one of four expressions, or one of two.
QUARTER, HALF = 0.25, 0.5

# Longer pieces of the solution that several mistakes replace.
LAYER = "return dropout(x, self.p, self.training, self.generator)"
GUARD = "    if p == 1:\n        return torch.zeros_like({})\n"
CLONES = "{name: t.detach().clone() for name, t in model.state_dict().items()}"
WAIT = "        else:\n            self.waited += 1\n"
PERMUTED = "torch.randperm(len(x), generator=generator, device=x.device)"
MIXED_X, MIXED_Y = "lam * x + (1 - lam) * x[partner]", "lam * y + (1 - lam) * y[partner]"
PADDED = "padded = F.pad(x, [largest] * 4)"
CORNER = "top, left = cy - size // 2, cx - size // 2"
HOLE = "image[:, max(top, 0) : top + size, max(left, 0) : left + size] = 0"
BOX_CORNER = "top, left = cy - rows // 2, cx - columns // 2"
BOX_END = "min(top + rows, height), min(left + columns, width)"
ONE_CASE = "torch.tensor([[1.0, -2.0, 3.0]])"
FAILING = "return torch.tensor([1.0, 2.0]), torch.tensor([2.0]), 1.0"


def own_layer(drawn, scaled="/ (1 - self.p)"):
    """A layer's forward that draws for itself, without guards."""
    return (
        "if not self.training:\n            return x\n"
        "        mask = torch.rand(x.shape, generator=self.generator, device=x.device) "
        f"{drawn} self.p\n        return x * mask {scaled}"
    )


MISTAKES = {
    "dropout_moments": {
        "mean_with_p_as_keep": edit(
            "return (1 - p) * z", "return p * z", cost=QUARTER,
            hint="p is the probability of being dropped, so m is 1 with probability 1 − p; your "
            "mean is that of a mask that keeps with probability p.",
        ),
        "mean_forgets_the_mask": edit(
            "return (1 - p) * z", "return z", cost=QUARTER,
            hint="z is the mean after scaling. Before it, the mask is 0 in a share p of all cases: "
            "E[mz] = E[m]·z.",
        ),
        "variance_without_square": edit(
            "return z**2 * p * (1 - p)", "return sp.Abs(z) * p * (1 - p)", cost=QUARTER,
            also=[("return z**2 * p * (1 - p)", "return z * p * (1 - p)")],
            hint="That is Var(m) times z. The fixed factor z leaves a variance squared, "
            "Var(z·m) = z²·Var(m).",
        ),
        "variance_of_the_mask_alone": edit(
            "return z**2 * p * (1 - p)", "return p * (1 - p)", cost=QUARTER,
            hint="That is Var(m), the variance of the mask. It is multiplied by z, which leaves "
            "the variance squared.",
        ),
        "second_moment_for_variance": edit(
            "return z**2 * p * (1 - p)", "return z**2 * (1 - p)", cost=QUARTER,
            also=[("(1 - p) * z**2 - ((1 - p) * z) ** 2", "(1 - p) * z**2")],
            hint="That is E[(mz)²]. A variance still subtracts the square of the mean.",
        ),
        "mean_subtracted_unsquared": edit(
            "return z**2 * p * (1 - p)", "return z**2 * (1 - p) - z * (1 - p)", cost=QUARTER,
            also=[("- ((1 - p) * z) ** 2", "- (1 - p) * z")],
            hint="A variance subtracts the *square* of the mean: E[(mz)²] − (E[mz])².",
        ),
        "scale_one_over_p": edit(
            "return 1 / (1 - p)", "return 1 / p", cost=QUARTER,
            also=[("(1 - p) ** -1", "p**-1")],
            hint="1/p undoes a mask that keeps with probability p. Here p is the probability of "
            "being dropped, and E[m] = 1 − p.",
        ),
        "keep_probability_at_training": edit(
            "return 1 / (1 - p)", "return 1 - p", cost=QUARTER,
            hint="1 − p is the factor for evaluation in the older form, which does not scale in "
            "training. In training the mean has to be brought back up: the factor is above 1.",
        ),
        "scaled_variance_with_factor_once": edit(
            "return z**2 * p / (1 - p)", "return z**2 * p", cost=QUARTER,
            hint="The factor leaves the variance squared; you have multiplied z²p(1 − p) by it "
            "once only.",
        ),
        "scaling_leaves_variance": edit(
            "return z**2 * p / (1 - p)", "return p * (1 - p) * z**2", cost=QUARTER,
            hint="That is the variance before scaling. Multiplying by 1/(1 − p) restores the mean "
            "and makes the variance larger.",
        ),
        "scaled_variance_without_square": edit(
            "return z**2 * p / (1 - p)", "return sp.Abs(z) * p / (1 - p)", cost=QUARTER,
            also=[("return z**2 * p / (1 - p)", "return z * p / (1 - p)")],
            hint="The variance goes with z², the square of the activation, and you have z.",
        ),
        "scaled_second_moment": edit(
            "return z**2 * p / (1 - p)", "return z**2 / (1 - p)", cost=QUARTER,
            also=[("z**2 / (1 - p) - z**2", "z**2 / (1 - p)")],
            hint="That is E[(cmz)²]. The square of the mean, z², still has to be subtracted.",
        ),
    },
    "dropout": {
        "scale_by_one_over_p": edit(
            "/ (1 - p)", "/ p", also=[("/ (1.0 - p)", "/ p"), ("/ keep", "/ p")],
            hint="The survivors are multiplied by 1/p. p is the probability of being dropped: the "
            "survivors' share is 1 − p, and that is what has to be undone. At p = 0.5 nobody "
            "notices.",
        ),
        "not_scaled": edit(
            " / (1 - p)", "", also=[(" / (1.0 - p)", ""), (" / keep", "")],
            hint="The survivors are not scaled, so the layer's mean shrinks in training and jumps "
            "at evaluation. Which factor makes E[y] = x?",
        ),
        "multiplied_by_one_minus_p": edit(
            "/ (1 - p)", "* (1 - p)", also=[("/ (1.0 - p)", "* (1.0 - p)"), ("/ keep", "* keep")],
            hint="The survivors are multiplied by 1 − p, which makes the mean smaller still. "
            "Dividing by 1 − p brings it back to x.",
        ),
        "doubled_always": edit(
            "/ (1 - p)", "* 2", also=[("/ (1.0 - p)", "/ 0.5"), ("/ keep", "* 2")],
            hint="The survivors are doubled whatever p is. 2 is 1/(1 − p) for p = 0.5 only.",
        ),
        "p_is_keep": edit(
            ">= p", "< p", ("/ (1 - p)", "/ p"),
            also=[
                [(") > p", ") < p"), ("/ (1 - p)", "/ p")],
                [(") > p", ") < p"), ("/ (1.0 - p)", "/ p")],
                [("torch.full(x.shape, 1 - p", "torch.full(x.shape, p"), ("/ (1 - p)", "/ p")],
                ("keep = 1 - p", "keep = p"),
            ],
            hint="You keep an entry with probability p and scale by 1/p: p is meant as the "
            "probability of being dropped, as in torch.",
        ),
        "mask_turned_round": edit(
            ">= p", "< p",
            also=[
                (") > p", ") < p"), ("< keep", "> keep"),
                ("torch.full(x.shape, 1 - p", "torch.full(x.shape, p"),
                ("device) < p", "device) > p"),
            ],
            hint="Keep and drop are exchanged: your mask keeps with probability p. The factor "
            "1/(1 − p) is the one for a mask that drops with probability p.",
        ),
        "older_form_with_keep": edit(
            ">= p", "< p", (" / (1 - p)", ""),
            ("if not training:\n        return x\n", "if not training:\n        return x * p\n"),
            # Nothing is divided there, so that nobody guards p = 1.
            ("    if p == 1:\n        return x * 0  # nobody survives, and 1/(1 − p) is not a "
             "number\n", ""),
            also=[[(") > p", ") < p"), (" / (1.0 - p)", ""),
                   ("if not training:\n        return x\n",
                    "if not training:\n        return x * p\n")]],
            hint="That is the older form, with p as the probability of being *kept*: nothing is "
            "scaled in training, and evaluation multiplies by p. Here p is the share that is "
            "dropped, training divides by 1 − p, and evaluation returns x.",
        ),
        "scaled_at_eval": edit(
            "if not training:\n        return x\n",
            "if not training:\n        return x * (1 - p)\n",
            hint="With training=False you multiply by 1 − p. That belongs to the form without "
            "scaling in training; here training already scales, and evaluation returns x as it is.",
        ),
        "scaled_at_eval_instead": edit(
            " / (1 - p)", "",
            ("if not training:\n        return x\n",
             "if not training:\n        return x * (1 - p)\n"),
            also=[[(" / (1.0 - p)", ""),
                   ("if not training:\n        return x\n",
                    "if not training:\n        return x * (1.0 - p)\n")]],
            hint="That is the older form: nothing is scaled in training, and evaluation multiplies "
            "by 1 − p. Inverted dropout, asked for here, divides by 1 − p in training, and "
            "evaluation returns x as it is.",
        ),
        "mask_returned": edit(
            "return x * kept", "return torch.ones_like(x) * kept",
            also=[("return x * kept", "return kept"), ("return mask * x", "return mask")],
            hint="You return the mask (or its scaled form) without x: the entries of x never reach "
            "the result. Multiply x by it.",
        ),
        "training_ignored": edit(
            "    if not training:\n        return x\n", "",
            also=[("if not training or keep == 1:", "if keep == 1:"),
                  ("if not training or p == 0:", "if p == 0:")],
            hint="training is not looked at: your dropout drops at evaluation too, where it should "
            "return x.",
        ),
        "training_turned_round": edit(
            "if not training", "if training",
            hint="The switch is turned round: your dropout drops at evaluation and does nothing in "
            "training.",
        ),
        "one_mask_row_for_the_batch": edit(
            "torch.rand(x.shape,", "torch.rand(x.shape[-1],",
            also=[("torch.rand(x.shape,", "torch.rand(x.shape[1:],"),
                  ("torch.full(x.shape,", "torch.full(x.shape[1:],")],
            hint="One row of the mask is drawn and broadcast over the batch, so all examples lose "
            "the same units. Draw a mask of x's whole shape.",
        ),
        "whole_examples_dropped": edit(
            "torch.rand(x.shape,", "torch.rand(x.shape[:1] + (1,) * (x.ndim - 1),",
            hint="One number is drawn for each example, so its entries fall all together or not at "
            "all. Draw a mask of x's whole shape.",
        ),
        "same_mask_every_call": edit(
            "generator=generator,", "generator=torch.Generator(x.device).manual_seed(42),",
            also=[[("    if not training", "    torch.manual_seed(0)\n    if not training"),
                   ("generator=generator,", "generator=None,")]],
            hint="The generator is seeded anew inside of the function, so every call drops the "
            "very same entries. Draw from the generator that is passed, and leave its state to it.",
        ),
        "generator_ignored": edit(
            "generator=generator,", "generator=None,", about="detail",
            hint="The mask comes from torch's global generator; the one that was passed is not "
            "used, so nobody can repeat your run. Hand generator= on to the draw.",
        ),
        "half_dropped_whatever_p": edit(
            ">= p", ">= 0.5",
            hint="Half of the entries are dropped, whatever p is: the limit in your mask is 0.5 "
            "(rounding a uniform number sets it there, too).",
        ),
        "normal_for_uniform": edit(
            "torch.rand(", "torch.randn(",
            hint="randn draws normal numbers, which lie below p far more often than in a share p "
            "of all cases. rand draws uniform ones from [0, 1).",
        ),
        "exactly_pn_entries": edit(
            "torch.rand(x.shape, generator=generator, device=x.device) >= p",
            "torch.randperm(x.numel(), generator=generator, device=x.device).reshape(x.shape)"
            " >= round(p * x.numel())", about="detail",
            hint="You drop exactly p·n entries every time. Dropout tosses a coin for each entry on "
            "its own; how many fall varies.",
        ),
        "nan_at_p_one": edit(
            "    if p == 1:\n        return x * 0  # nobody survives, and 1/(1 − p) is not a "
            "number\n", "", about="edge",
            also=[(GUARD.format("x"), ""),
                  ("    if keep == 0:\n        return torch.zeros_like(x)\n", "")],
            hint="At p = 1 you divide by 0, which gives NaN or an error. Where nobody survives, "
            "nothing has to be scaled: treat p = 1 on its own.",
        ),
        "p_one_keeps_all": edit(
            "return x * 0 ", "return x ", about="edge",
            also=[(GUARD.format("x"), "    if p == 1:\n        return x\n")],
            hint="At p = 1 everything is dropped: the result is all zeros, and yours is x.",
        ),
        "graph_lost": edit(
            "return x * kept", "return x.detach() * kept", about="detail",
            also=[("return mask * x", "return mask * x.data")],
            hint="The result has lost its graph (.data or .detach()): no gradient reaches x, and "
            "the layers before it would learn nothing.",
        ),
        "half_precision_lost": edit(
            "* kept", "* kept.float()", about="form", also=[(".to(x.dtype)", ".float()")],
            hint="A mask in float32 turns a float16 input into float32. Use the booleans as they "
            "are, or bring the mask to x's dtype.",
        ),
        "changes_its_input_at_p_one": edit(
            "return x * 0 ", "return x.zero_() ", about="arguments",
            also=[(GUARD.format("x"), "    if p == 1:\n        return x.zero_()\n")],
            hint="At p = 1 you set x itself to 0 (zero_), which the caller still needs. "
            "torch.zeros_like(x) is a new tensor.",
        ),
        "changes_its_input": edit(
            "return x * kept", "x *= kept\n    return x", about="arguments",
            also=[("return x * kept", "x[~kept] = 0\n    return x"),
                  ("return mask * x", "return x.mul_(mask)"),
                  ("x.masked_fill(", "x.masked_fill_(")],
            hint="x itself is changed: *=, x[…] = 0 and masked_fill_ write into the tensor that "
            "you were given, and the caller still needs it. Work on a new one.",
        ),
    },
    "classic_dropout": {
        "scaled_in_training_too": edit(
            "return x * kept", "return x * kept / (1 - p)",
            hint="You scale in training *and* at evaluation. In this form training only drops.",
        ),
        "inverted_form": edit(
            "return x * kept", "return x * kept / (1 - p)", ("return (1 - p) * x", "return x"),
            hint="That is inverted dropout, equation (1). Here training only drops, and the "
            "evaluation makes up for it.",
        ),
        "evaluation_forgets": edit(
            "return (1 - p) * x", "return x",
            hint="At evaluation you return x, but the next layer has learnt from a mean that is "
            "smaller: multiply by the mean of the mask.",
        ),
        "evaluation_times_p": edit(
            "return (1 - p) * x", "return p * x",
            hint="At evaluation you multiply by p, the share that is dropped. The mean is what is "
            "left. (With p as the probability of keeping it would be right.)",
        ),
        "evaluation_divides": edit(
            "return (1 - p) * x", "return x / (1 - p)",
            hint="At evaluation you divide by 1 − p, which makes the mean larger still. In "
            "training it is smaller than x.",
        ),
        "mask_turned_round": edit(
            ">= p", "< p",
            hint="Your mask keeps with probability p. Here p is the probability of being dropped.",
        ),
        "one_mask_for_all_rows": edit(
            "torch.rand(x.shape,", "torch.rand(x.shape[1:],",
            hint="One mask serves all rows of the batch. Each entry gets its own coin toss: draw "
            "a number for each of x's entries.",
        ),
        "returns_doubles": edit(
            "return x * kept", "return x * kept.double()", about="form",
            also=[("return (1 - p) * x", "return (1 - p) * x.double()")],
            hint="float32 comes back as float64. Keep x's dtype.",
        ),
        "drops_in_place": edit(
            "return x * kept", "return x.mul_(kept)", about="arguments",
            hint="x itself is changed, and whoever needs it afterwards finds zeros in it. Return a "
            "new tensor.",
        ),
    },
    "dropout_backward": {
        "mask_not_reused": edit(
            "mask != 0", "torch.rand_like(upstream) >= p",
            hint="A new mask is drawn in the backward pass. The units that were dropped going "
            "forward are the ones that get no gradient: use the mask that you are given.",
        ),
        "scaled_twice": edit(
            "/ (1 - p)", "/ (1 - p) ** 2",
            hint="The factor 1/(1 − p) is there twice. y = m·z/(1 − p) is linear in z, and its "
            "slope holds the factor once.",
        ),
        "gradient_not_scaled": edit(
            " / (1 - p)", "", also=[(" / keep", "")],
            hint="The gradient is masked but not scaled: the survivors' values were multiplied by "
            "1/(1 − p), so their slope is 1/(1 − p) too.",
        ),
        "gradient_over_p": edit(
            "/ (1 - p)", "/ p", also=[("keep = 1 - p", "keep = p")],
            hint="The survivors' gradient is divided by p. They were scaled by 1/(1 − p) going "
            "forward.",
        ),
        "gradient_times_one_minus_p": edit(
            "/ (1 - p)", "* (1 - p)", also=[("/ keep", "* keep")],
            hint="The survivors' gradient is multiplied by 1 − p. They were divided by it going "
            "forward, and the slope of y = m·z/(1 − p) is its factor.",
        ),
        "mask_forgotten": edit(
            "upstream * survived", "upstream", also=[("upstream * mask", "upstream")],
            hint="Every entry gets a gradient, also those that were dropped; their value was 0 "
            "whatever z was, so their gradient is 0.",
        ),
        "mask_read_as_dropped": edit(
            "mask != 0", "mask == 0", also=[("upstream * mask", "upstream * (1 - mask.double())")],
            hint="The mask is read the wrong way round: it is 1 where an entry survived.",
        ),
        "mask_for_the_gradient": edit(
            "return upstream * survived", "return survived", also=[("upstream * mask", "mask")],
            hint="The gradient that comes from above is missing: by the chain rule, upstream is "
            "multiplied by the slope.",
        ),
        "complement_of_the_mask": edit(
            "return upstream * survived", "return upstream - upstream * survived",
            hint="You subtract the survivors' part from the upstream gradient, which keeps the "
            "gradient of the entries that were dropped. Those get 0, and the survivors theirs, "
            "scaled as in the forward pass.",
        ),
        "backward_nan_at_p_one": edit(
            GUARD.format("upstream"), "", about="edge",
            also=[("    if keep == 0:\n        return torch.zeros_like(upstream)\n", "")],
            hint="At p = 1 you divide by 0, which gives NaN or an error. Nobody survived: every "
            "gradient is 0.",
        ),
        "backward_in_place": edit(
            "return upstream * survived", "return upstream.mul_(survived)", about="arguments",
            also=[("return upstream * survived", "upstream[~survived] = 0\n    return upstream"),
                  ("(upstream * mask /", "(upstream.mul_(mask) /")],
            hint="upstream itself is changed: *=, mul_ and upstream[…] = 0 write into the tensor "
            "that you were given. Return a new one.",
        ),
        "gradient_in_float64": edit(
            "mask != 0", "(mask != 0).double()", about="form",
            hint="A mask in float64 turns a float32 gradient into float64. Use booleans, or bring "
            "the mask to upstream's dtype.",
        ),
    },
    "Dropout": {
        "always_on": edit(
            "self.p, self.training,", "self.p, True,",
            also=[("if self.training:", "if True:"), ("if not self.training or ", "if ")],
            hint="Your layer drops after eval() too: pass self.training on, the switch that every "
            "nn.Module has. (F.dropout with its default training=True does the same.)",
        ),
        "own_switch": edit(
            "self.generator = generator", "self.generator = generator\n        self.active = True",
            (LAYER, LAYER.replace("self.training", "self.active")
             + "\n\n    def train(self, mode=True):\n        self.active = self.active or mode"
             "\n        return super().train(mode)"
             "\n\n    def eval(self):\n        self.active = False\n        return super().eval()"),
            hint="You keep a switch of your own. model.eval() on the model around it never calls "
            "your eval(); it sets self.training on every layer: look at that.",
        ),
        "mask_drawn_once": edit(
            LAYER,
            "if not self.training:\n            return x\n"
            "        if getattr(self, 'mask', None) is None or self.mask.shape != x.shape:\n"
            "            self.mask = dropout(torch.ones_like(x), self.p, True, self.generator)\n"
            "        return x * self.mask",
            hint="The mask is drawn once and kept. Dropout helps because every forward pass meets "
            "another thinned network: draw in forward, every time.",
        ),
        "scales_down_at_eval": edit(
            LAYER, LAYER + " if self.training else x * (1 - self.p)",
            also=[("else x * 0\n        return x", "else x * 0\n        return x * self.keep")],
            hint="At evaluation your layer multiplies by 1 − p. Training scales up already, so "
            "evaluation returns x unchanged.",
        ),
        "functional_default": edit(
            LAYER, "return dropout(x, training=self.training, generator=self.generator)",
            about="detail",
            hint="Whatever p the layer was made with, it drops half: the function's default "
            "p = 0.5 is at work. Hand self.p on.",
        ),
        "keeps_with_p": edit(
            LAYER, own_layer("<", "/ self.p"), about="detail",
            also=[(LAYER, LAYER.replace("self.p", "1 - self.p")),
                  ("self.keep, self.source = 1 - p", "self.keep, self.source = p")],
            hint="The layer keeps entries with probability p and scales by 1/p. p is the "
            "probability of being dropped.",
        ),
        "layer_mask_turned_round": edit(
            LAYER, own_layer("<"), about="detail",
            also=[(") > self.p", ") < self.p"), ("< self.keep", "> self.keep")],
            hint="Keep and drop are exchanged: the layer's mask keeps with probability p.",
        ),
        "layer_scaled_by_one_over_p": edit(
            LAYER, own_layer(">=", "/ self.p"), about="detail",
            also=[("/ (1.0 - self.p)", "/ self.p")],
            hint="The layer's survivors are multiplied by 1/p. Their share is 1 − p, and that is "
            "what has to be undone. (If forward calls your dropout, mend it there.)",
        ),
        "layer_not_scaled": edit(
            LAYER, own_layer(">=", ""), about="detail",
            also=[(" / (1.0 - self.p)", ""), ("x * mask / self.keep", "x * mask")],
            hint="The layer's survivors are not scaled by 1/(1 − p), so its mean jumps when you "
            "switch to evaluation. (If forward calls your dropout, mend it there.)",
        ),
        "layer_nan_at_p_one": edit(
            LAYER, own_layer(">="), about="edge",
            also=[("        if self.p == 1:\n            return torch.zeros_like(x)\n", ""),
                  (" if self.keep else x * 0", "")],
            hint="With p = 1 the layer divides by 0, which gives NaN or an error. Where nobody "
            "survives, the result is 0.",
        ),
        "layer_generator_not_handed_on": edit(
            "self.training, self.generator)", "self.training)", about="detail",
            also=[("generator=self.generator", "generator=None"),
                  ("generator=self.source", "generator=None")],
            hint="The generator that the layer was made with is never used. Hand self.generator on "
            "to the draw.",
        ),
        "p_as_parameter": edit(
            "self.p = p", "self.p = torch.nn.Parameter(torch.tensor(float(p)))", about="detail",
            also=[("self.p = p", 'self.register_buffer("p", torch.tensor(float(p)))')],
            hint="p is stored as an nn.Parameter or buffer, so it turns up in state_dict (and an "
            "optimizer would train it). It is a setting: store a plain number.",
        ),
        "p_not_checked": edit(
            "        if not 0 <= p <= 1:\n"
            '            raise ValueError(f"p is a probability, but {p} was given")\n', "",
            about="edge",
            also=[('        if p < 0 or p > 1:\n            raise ValueError("p must be a '
                   'probability")\n', "")],
            hint="A layer with p = 1.5 or −0.1 can be made. Refuse it in __init__ with a "
            "ValueError: an error far from its cause costs an evening.",
        ),
        "p_checked_by_assert": edit(
            "        if not 0 <= p <= 1:\n"
            '            raise ValueError(f"p is a probability, but {p} was given")\n',
            "        assert 0 <= p <= 1\n", about="edge",
            hint="An impossible p ends in an AssertionError. Raise a ValueError, as asked: that is "
            "what callers catch, and assert is switched off by python -O.",
        ),
        "p_refused_by_another_error": edit(
            "raise ValueError(", "raise TypeError(", about="edge",
            hint="An impossible p ends in another error than was asked for. The type of p is "
            "right, and its value is wrong: that is a ValueError.",
        ),
        "only_too_large_refused": edit(
            "if not 0 <= p <= 1", "if p > 1", about="edge",
            hint="A negative p is taken. A probability has two ends: refuse what is below 0, too.",
        ),
        "only_negative_refused": edit(
            "if not 0 <= p <= 1", "if p < 0", about="edge",
            hint="A p above 1 is taken. A probability has two ends: refuse what is above 1, too.",
        ),
        "ends_refused": edit(
            "if not 0 <= p <= 1", "if not 0 < p < 1", about="edge",
            also=[("p < 0 or p > 1", "p <= 0 or p >= 1"), ("0 <= p <= 1", "0 <= p < 1")],
            hint="p = 0 and p = 1 are probabilities too: the layer should accept them.",
        ),
    },
    "drop_connect": {
        "activations_dropped": edit(
            "torch.rand(weight.shape", "torch.rand(x.shape",
            ("weight = weight * kept", "x = x * kept"), ("else weight * 0", "else x * 0"),
            hint="You drop entries of x: that is dropout on the inputs. DropConnect drops entries "
            "of the weight matrix, and every example of the batch meets the same thinned matrix.",
        ),
        "outputs_dropped": edit(
            "    if training:\n",
            "    out = x @ weight.T\n    out = out if bias is None else out + bias\n"
            "    if training:\n",
            ("torch.rand(weight.shape", "torch.rand(out.shape"),
            ("weight = weight * kept", "out = out * kept"), ("else weight * 0", "else out * 0"),
            ("    out = x @ weight.T\n    return out if bias is None else out + bias",
             "    return out"),
            hint="You drop entries of the output, after the product (and the bias with them). "
            "DropConnect drops weights, before it.",
        ),
        "weights_not_scaled": edit(
            " / (1 - p)", "",
            hint="The weights that stay are not scaled, so the layer's mean shrinks in training: "
            "E[m·w] = (1 − p)·w.",
        ),
        "weights_over_p": edit(
            "/ (1 - p)", "/ p",
            hint="The weights that stay are scaled by 1/p; the share that stays is 1 − p.",
        ),
        "weights_kept_with_p": edit(
            ">= p", "< p",
            also=[("weight.T.shape, 1 - p", "weight.T.shape, p"), (") > p", ") < p")],
            hint="Keep and drop are exchanged: a weight stays with probability p in yours.",
        ),
        "bias_dropped_too": edit(
            "    out = x @ weight.T",
            "    if training and bias is not None:\n"
            "        bias = bias * (torch.rand(bias.shape, generator=generator, device=bias.device)"
            " >= p) / (1 - p)\n    out = x @ weight.T", about="detail",
            hint="The bias is dropped too. Only the weight matrix is thinned; the bias is added "
            "whole.",
        ),
        "bias_scaled": edit(
            "out + bias", "out + (bias / (1 - p) if training and p < 1 else bias)",
            about="detail",
            hint="The bias is divided by 1 − p as well: you scale the output, not the weights. The "
            "bias is never dropped, so nothing has to make up for it.",
        ),
        "bias_forgotten": edit(
            "return out if bias is None else out + bias", "return out", about="detail",
            hint="The bias is missing: y = x·Wᵀ + b.",
        ),
        "whole_examples_dropped": edit(
            "    if training:\n",
            "    out = x @ weight.T\n    out = out if bias is None else out + bias\n"
            "    if training:\n",
            ("torch.rand(weight.shape", "torch.rand((len(out), 1)"),
            ("weight = weight * kept", "out = out * kept"), ("else weight * 0", "else out * 0"),
            ("    out = x @ weight.T\n    return out if bias is None else out + bias",
             "    return out"),
            hint="One coin is tossed for each example, and its whole output falls or stays (that "
            "is stochastic depth, which some libraries call drop_connect). Here single weights are "
            "dropped, the same ones for all examples.",
        ),
        "whole_rows_dropped": edit(
            "torch.rand(weight.shape,", "torch.rand(weight.shape[0], 1,",
            hint="Whole rows of the weight matrix fall together, which drops output units. Draw a "
            "mask of the matrix's full shape.",
        ),
        "whole_columns_dropped": edit(
            "torch.rand(weight.shape,", "torch.rand(weight.shape[1],",
            hint="Whole columns of the weight matrix fall together, which is dropout on the "
            "inputs. Draw a mask of the matrix's full shape.",
        ),
        "mask_per_example": edit(
            "torch.rand(weight.shape,", "torch.rand((len(x), *weight.shape),",
            ("x @ weight.T", "(x.unsqueeze(1) * weight).sum(-1)"),
            hint="Every example meets a mask of its own. Here one mask is drawn a call and shared "
            "by the batch.",
        ),
        "drop_connect_always_on": edit(
            "    if training:\n", "    if True:\n",
            hint="Weights are dropped at evaluation too: look at training.",
        ),
        "weights_scaled_at_eval": edit(
            "    out = x @ weight.T",
            "    if not training:\n        weight = weight * (1 - p)\n    out = x @ weight.T",
            hint="With training=False you multiply the weights by 1 − p. Training scales up "
            "already, so evaluation uses them as they are.",
        ),
        "drop_connect_same_mask": edit(
            "generator=generator", "generator=torch.Generator(weight.device).manual_seed(0)",
            about="detail",
            hint="The generator is seeded anew inside of the function, so every call drops the "
            "very same weights. Draw from the generator that is passed.",
        ),
        "drop_connect_generator_ignored": edit(
            "generator=generator", "generator=None", about="detail",
            hint="The mask comes from torch's global generator; the one that was passed is not "
            "used, so nobody can repeat your run.",
        ),
        "drop_connect_nan_at_p_one": edit(
            " if p < 1 else weight * 0", "", about="edge",
            also=[(" if p < 1 else mask)", ")")],
            hint="At p = 1 you divide by 0, which gives NaN or an error. No weight is left there, "
            "and the output is the bias.",
        ),
        "weight_changed": edit(
            "weight = weight * kept", "weight *= kept", ("else weight * 0", "else 0"),
            about="arguments",
            also=[("weight = weight * kept", "weight.mul_(kept)\n        weight = weight")],
            hint="weight itself is changed, so what was dropped is lost for good: the next call "
            "thins what is left. Work on a new tensor.",
        ),
    },
    "break_it": {
        "agree_because_p_is_small": edit(
            f"return 0.5, {ONE_CASE}", f"return 0.1, {ONE_CASE}", cost=HALF,
            also=[(f"return 0.5, {ONE_CASE}", f"return 0.9, {ONE_CASE}")],
            hint="At a small p hardly anything is dropped, but the survivors are multiplied by "
            "1/p, a large number. The factors agree where p = 1 − p.",
        ),
        "agree_on_zeros": edit(
            f"return 0.5, {ONE_CASE}", "return 0.3, torch.zeros(2, 3)", cost=HALF,
            hint="The batch is all zeros, on which any factor is right. Look for a p at which they "
            "agree on every batch.",
        ),
        "agree_at_the_end": edit(
            f"return 0.5, {ONE_CASE}", f"return 0.0, {ONE_CASE}", cost=HALF,
            also=[(f"return 0.5, {ONE_CASE}", f"return 1.0, {ONE_CASE}")],
            hint="p must lie between 0.1 and 0.9: at p = 0 or 1 one of the factors is infinite.",
        ),
        "differ_by_a_large_batch": edit(
            f"return 0.8, {ONE_CASE}", "return 0.5, torch.full((4, 5), 1000.0)", cost=HALF,
            hint="At p = 0.5 both factors are 2, whatever the batch. Choose another p.",
        ),
        "differ_on_zeros": edit(
            f"return 0.8, {ONE_CASE}", "return 0.8, torch.zeros(2, 3)", cost=HALF,
            hint="On a batch of zeros no factor can be told from another.",
        ),
        "differ_by_a_hair": edit(
            f"return 0.8, {ONE_CASE}", f"return 0.51, {ONE_CASE}", cost=HALF,
            hint="So near to 0.5 the two factors differ by less than 10 %. Move further away.",
        ),
    },
    "map_l2": {
        "root_of_variance_forgotten": edit(
            "sp.log(2 * sp.pi * sigma**2) / 2", "sp.log(2 * sp.pi * sigma**2)", cost=QUARTER,
            hint="log(2πσ²) comes from a square root, so it carries a factor ½.",
        ),
        "half_missing_in_exponent": edit(
            "- theta**2 / (2 * sigma**2)", "- theta**2 / sigma**2", cost=QUARTER,
            hint="The exponent of the Gaussian is −θ²/(2σ²); the 2 is missing in yours.",
        ),
        "constant_left_out": edit(
            "-sp.log(2 * sp.pi * sigma**2) / 2 - theta**2", "-(theta**2)", cost=QUARTER,
            hint="The constant of the density is missing. In this step it is asked for: "
            "−½·log(2πσ²).",
        ),
        "sigma_not_squared_in_the_constant": edit(
            "sp.log(2 * sp.pi * sigma**2) / 2", "sp.log(2 * sp.pi * sigma) / 2", cost=QUARTER,
            hint="The density's constant is 1/√(2πσ²), with the variance under the root.",
        ),
        "prior_once_per_example": edit(
            "l_3 + theta**2 / (2 * sigma**2)", "l_3 + 3 * theta**2 / (2 * sigma**2)", cost=QUARTER,
            hint="The prior stands inside the sum over the examples, so it is counted three times. "
            "There is one set of parameters and one prior, however many examples there are.",
        ),
        "prior_as_reward": edit(
            "l_3 + theta**2", "l_3 - theta**2", cost=QUARTER,
            hint="The prior's term has the wrong sign: −log of exp(−θ²/2σ²) is +θ²/2σ², a penalty. "
            "Yours rewards large parameters.",
        ),
        "losses_as_log_likelihoods": edit(
            "return l_1 + l_2 + l_3 +", "return -l_1 - l_2 - l_3 +", cost=QUARTER,
            hint="The losses l_i are already −log p(x_i; θ), so they are added as they are.",
        ),
        "sigma_for_variance_in_objective": edit(
            "l_3 + theta**2 / (2 * sigma**2)", "l_3 + theta**2 / (2 * sigma)", cost=QUARTER,
            hint="You divide by 2σ where the density has 2σ², the variance.",
        ),
        "half_missing_in_objective": edit(
            "l_3 + theta**2 / (2 * sigma**2)", "l_3 + theta**2 / sigma**2", cost=QUARTER,
            hint="The prior's term is θ²/(2σ²); the 2 is missing in yours.",
        ),
        "sigma_for_variance": edit(
            "return 1 / sigma**2", "return 1 / sigma", cost=QUARTER,
            hint="λ is one over the variance, 1/σ²; you have one over the standard deviation.",
        ),
        "half_counted_twice": edit(
            "return 1 / sigma**2", "return 1 / (2 * sigma**2)", cost=QUARTER,
            hint="The ½ is counted twice: the penalty is ½λθ², so θ²/(2σ²) means λ = 1/σ².",
        ),
        "variance_for_precision": edit(
            "return 1 / sigma**2", "return sigma**2", cost=QUARTER,
            hint="A wide prior (large σ) should penalise little. Yours does the opposite: "
            "λ = 1/σ².",
        ),
        "mean_keeps_lambda": edit(
            "return 1 / (n * sigma**2)", "return sigma**-2", cost=QUARTER,
            hint="Dividing the objective by n divides the prior's term too: λ for the mean of the "
            "losses is 1/(nσ²). Otherwise the prior weighs as much as if it stood once for each "
            "example.",
        ),
        "mean_multiplies_lambda": edit(
            "return 1 / (n * sigma**2)", "return n / sigma**2", cost=QUARTER,
            hint="You multiply by n where the mean divides by n: with more data the prior matters "
            "less.",
        ),
    },
    "bug_hunt": {
        "one_example": edit(
            FAILING, "return torch.tensor([1.5]), torch.tensor([2.0]), 1.0", cost=HALF,
            hint="With one example “once for each example” is once: the printed code is right "
            "there. Take two.",
        ),
        "parameters_at_zero": edit(
            FAILING, "return torch.tensor([1.0, 2.0]), torch.zeros(4), 1.0", cost=HALF,
            hint="At θ = 0 the prior's term is 0, however often it is counted.",
        ),
        "prior_too_wide": edit(
            FAILING, "return torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0]), 100.0", cost=HALF,
            hint="With so large a σ the prior weighs next to nothing, and counting it several "
            "times does not show. Take a smaller one.",
        ),
        "still_once_per_example": edit(
            "nll.sum() + (theta**2).sum() / (2 * sigma**2)",
            "(nll + (theta**2).sum() / (2 * sigma**2)).sum()", cost=HALF,
            hint="The prior is still counted once for each example: the sum over the examples "
            "should end before it.",
        ),
        "mean_of_losses": edit(
            "nll.sum()", "nll.mean()", cost=HALF,
            hint="The losses have become a mean, but the prior's term is that of the sum: now the "
            "prior weighs n times too much. Sum the losses.",
        ),
        "prior_left_out": edit(
            "return nll.sum() + (theta**2).sum() / (2 * sigma**2)", "return nll.sum()", cost=HALF,
            hint="The prior is gone altogether. It stays, once.",
        ),
        "sigma_not_squared": edit(
            "/ (2 * sigma**2)", "/ (2 * sigma)", cost=HALF,
            hint="You divide by 2σ where the Gaussian has 2σ².",
        ),
        "half_lost_in_the_prior": edit(
            "/ (2 * sigma**2)", "/ sigma**2", cost=HALF,
            hint="The prior's term is Σθ²/(2σ²); the 2 is missing in yours.",
        ),
        "prior_averaged": edit(
            "(theta**2).sum()", "(theta**2).mean()", cost=HALF,
            hint="The prior is averaged over the parameters. Every parameter has its own factor in "
            "the prior, so their squares are summed.",
        ),
        "prior_divided_by_n": edit(
            "/ (2 * sigma**2)", "/ (2 * sigma**2 * len(nll))", cost=HALF,
            hint="The prior's term is divided by the number of examples. That belongs to the mean "
            "of the losses; with their sum it stands undivided.",
        ),
        "theta_squared_in_place": edit(
            "(theta**2)", "theta.pow_(2)", about="arguments",
            hint="pow_ squares theta itself, and the caller's parameters are gone. Write theta**2.",
        ),
    },
    "l2_penalty": {
        "biases_in": edit(
            " if w.ndim > 1", "", also=[(" if w.ndim >= 2", ""), (" if len(w.shape) != 1", "")],
            hint="Biases (and the scales of normalizations) are in your sum. They move the output "
            "without making it steeper, so they are left out: sum over parameters with two or "
            "more axes.",
        ),
        "half_missing": edit(
            " / 2", "", also=[("0.5 * ", "")],
            hint="The factor ½ is missing; with it the gradient is w, which is what torch's weight "
            "decay adds.",
        ),
        "norm_not_squared": edit(
            "return sum(", "return torch.sqrt(sum(", (" / 2", ")"),
            also=[[("return sum(", "return torch.sqrt(sum("), (" / 2", ") / 2")],
                  (" ** 2 / 2", " / 2")],
            hint="That is the norm itself. The penalty is the square of the norm: no root.",
        ),
        "norms_summed": edit(
            "(w**2).sum()", "w.norm()",
            also=[("(w**2).sum() for w in model.parameters() if w.ndim > 1) / 2",
                   "w.norm() for w in model.parameters())")],
            hint="You sum the norms of the matrices. The penalty sums their squares: no root.",
        ),
        "mean_of_squares": edit(
            "(w**2).sum()", "(w**2).mean()", also=[('reduction="sum"', 'reduction="mean"')],
            hint="You take the mean of the squares, so a large matrix is penalised like a small "
            "one. Sum them.",
        ),
        "graph_lost": edit(
            "(w**2)", "(w.detach() ** 2)",
            also=[("(w**2)", "(w.data**2)"), ("(w**2).sum()", "(w**2).sum().item()")],
            hint="The value is right but has lost its graph (.data, .detach() or .item()): "
            "backward() would not penalise anything.",
        ),
        "linear_layers_only": edit(
            "for w in model.parameters() if w.ndim > 1",
            "for w in [m.weight for m in model.modules() if isinstance(m, torch.nn.Linear)]",
            about="detail",
            hint="You go by the kind of layer (nn.Linear alone, or what has a .weight). Kernels, "
            "embedding tables and matrices of another name are weights too: go by the number of "
            "axes.",
        ),
        "matrices_only": edit(
            "w.ndim > 1", "w.ndim == 2", about="detail", also=[("w.ndim >= 2", "w.ndim == 2")],
            hint="Only parameters with exactly two axes are counted. Kernels of convolutions have "
            "three or four, and are weights too.",
        ),
        "everything_called_weight": edit(
            "for w in model.parameters() if w.ndim > 1",
            'for name, w in model.named_parameters() if "weight" in name', about="detail",
            also=[("for w in model.parameters() if w.ndim > 1",
                   'for name, w in model.named_parameters() if "bias" not in name')],
            hint="You go by names. The scale of a normalization is called weight, too. "
            "It has one axis, like a bias: leave it out.",
        ),
        "absolute_values": edit(
            "(w**2).sum()", "w.abs().sum()",
            hint="That is the sum of absolute values, the L1 norm. The penalty sums the squares.",
        ),
    },
    "l1_step": {
        "crosses_zero": edit(
            "theta.abs().clamp(max=lr * lam)", "lr * lam",
            also=[("torch.clamp(torch.abs(theta) - lr * lam, min=0)",
                   "(torch.abs(theta) - lr * lam)")],
            hint="An entry nearer to 0 than ηλ jumps over it and changes its sign; from then on it "
            "swings about 0 and never gets there. Move by min(ηλ, |θ|).",
        ),
        "shrinks_by_sign_only": edit(
            "max=lr * lam", "max=1.0",
            hint="The step is min(1, |θ|)·sign θ: neither the learning rate nor λ is in it.",
        ),
        "learning_rate_forgotten": edit(
            "max=lr * lam", "max=lam",
            also=[("torch.abs(theta) - lr * lam", "torch.abs(theta) - lam")],
            hint="The step has the length λ; an SGD step multiplies it by the learning rate: ηλ.",
        ),
        "step_of_lambda": edit(
            "theta.abs().clamp(max=lr * lam)", "lam",
            hint="The step has the length λ: the learning rate is missing, and nothing stops an "
            "entry at 0. Move by min(ηλ, |θ|).",
        ),
        "rate_outside_the_minimum": edit(
            "theta.abs().clamp(max=lr * lam)", "lr * theta.abs().clamp(max=lam)",
            hint="You take the smaller of λ and |θ|, and multiply by the learning rate afterwards: "
            "small entries then shrink by a share, and never reach 0. ηλ belongs into the minimum.",
        ),
        "larger_of_the_two": edit(
            "clamp(max=lr * lam)", "clamp(min=lr * lam)",
            hint="You move by the larger of ηλ and |θ|, which takes large entries to 0 and small "
            "ones across it. It is the smaller of the two.",
        ),
        "small_entries_stay": edit(
            "return theta - step * torch.sign(theta)",
            "return torch.where(step < lr * lam, theta, theta - step * torch.sign(theta))",
            hint="Entries nearer to 0 than ηλ stay where they are. They are the ones that L1 sets "
            "to 0.",
        ),
        "step_returned": edit(
            "theta - step", "step",
            hint="You return the step. What is asked for is θ after it: subtract the step from θ.",
        ),
        "lambda_forgotten": edit(
            "max=lr * lam", "max=lr",
            also=[("torch.abs(theta) - lr * lam", "torch.abs(theta) - lr")],
            hint="The step has the length η; λ, the strength of the penalty, is missing: ηλ.",
        ),
        "threshold_halved": edit(
            "max=lr * lam", "max=lr * lam / 2",
            also=[("torch.abs(theta) - lr * lam", "torch.abs(theta) - lr * lam / 2")],
            hint="Your step is ½ηλ. A ½ belongs to L2, where it meets a square; the slope of "
            "λ|θ| is λ.",
        ),
        "size_for_its_sign": edit(
            "step * torch.sign(theta)", "lr * lam * theta.abs()",
            hint="You subtract ηλ|θ|. The slope of |θ| is its *sign*, so every entry moves by the "
            "same length ηλ, towards 0.",
        ),
        "l2_instead_of_l1": edit(
            "step * torch.sign(theta)", "lr * lam * theta",
            hint="Every entry shrinks in proportion to its size: that is L2. L1 moves all entries "
            "by the same length.",
        ),
        "hard_threshold": edit(
            "theta - step * torch.sign(theta)", "theta * (theta.abs() > lr * lam)",
            hint="Small entries are set to 0 and the others stay as they are (a hard threshold). "
            "The others move towards 0 too, by ηλ.",
        ),
        "positive_side_only": edit(
            "theta - step * torch.sign(theta)", "(theta - lr * lam).clamp(min=0.0)",
            also=[("torch.relu(theta - lr * lam) - torch.relu(-theta - lr * lam)",
                   "torch.relu(theta - lr * lam)")],
            hint="Negative entries are pushed to 0 or away from it: your step forgets the sign. It "
            "goes towards 0 from both sides.",
        ),
        "sign_forgotten": edit(
            "step * torch.sign(theta)", "step",
            hint="Every entry is moved down by the step, negative ones away from 0. The step goes "
            "towards 0 from both sides: times sign θ.",
        ),
        "sign_lost": edit(
            "theta - step * torch.sign(theta)", "theta.abs() - step",
            also=[("torch.sign(theta) * torch.clamp", "torch.clamp")],
            hint="The sizes are right, but negative entries come back positive: give them their "
            "sign again.",
        ),
        "grows": edit(
            "theta - step", "theta + step",
            hint="The entries move away from 0: the gradient of λ|θ| is λ·sign θ, and a step goes "
            "against it.",
        ),
        "nan_at_zero": edit(
            "torch.sign(theta)", "theta / theta.abs()", about="edge",
            also=[("theta - step * torch.sign(theta)",
                   "theta * (1 - lr * lam / theta.abs()).clamp(min=0)")],
            hint="You divide by |θ|: for an entry that is 0 that can be 0/0, which is NaN. "
            "torch.sign gives 0 there, and nothing has to be divided.",
        ),
        "changes_theta": edit(
            "return theta - step * torch.sign(theta)",
            "theta -= step * torch.sign(theta)\n    return theta", about="arguments",
            also=[("out = theta.clone()", "out = theta")],
            hint="theta itself is changed. Return a new tensor.",
        ),
    },
    "EarlyStopping": {
        "patience_not_reset": edit(
            "self.best, self.waited = score, 0", "self.best = score",
            hint="The count of bad epochs is not set back when a new best comes; patience means "
            "bad epochs in a row.",
        ),
        "counts_from_start": edit(
            "self.best, self.waited = score, 0", "self.best = score",
            (WAIT, "        self.waited += 1\n"),
            hint="You count epochs from the start of training. Patience counts those since the "
            "last best one.",
        ),
        "best_epoch_counts": edit(
            WAIT, "        self.waited += 1\n", also=[("= score, 0", "= score, 1")],
            hint="The best epoch itself is counted as one without progress, so training stops one "
            "epoch too early.",
        ),
        "one_epoch_too_many": edit(
            "self.waited >= self.patience", "self.waited > self.patience",
            hint="Your training goes one epoch further: it should stop at the patience-th bad "
            "epoch, not after it.",
        ),
        "keeps_last": edit(
            f"            self.weights = {CLONES}\n{WAIT}",
            f"{WAIT}        self.weights = {CLONES}\n",
            hint="The weights are kept at every epoch, so restore gives back the last ones. Keep "
            "them only when the score is a new best.",
        ),
        "reference_instead_of_copy": edit(
            CLONES, "model.state_dict()",
            also=[(".detach().clone()", ""), (".detach().clone()", ".detach()"),
                  (CLONES, "model.state_dict().copy()"),
                  ("copy.deepcopy(model.state_dict())", "copy.copy(model.state_dict())")],
            hint="state_dict() hands out the model's own tensors, and training goes on changing "
            "them: what you restore is the last epoch. Keep clones (or copy.deepcopy).",
        ),
        "parameters_only": edit(
            "model.state_dict().items()", "model.named_parameters()",
            ("(self.weights)", "(self.weights, strict=False)"), about="detail",
            hint="Only the parameters are kept; a model's buffers (running statistics) belong to "
            "the epoch too. state_dict() has both.",
        ),
        "restore_does_nothing": edit(
            "model.load_state_dict(self.weights)", "model.state_dict().update(self.weights)",
            hint="restore leaves the model as it is. load_state_dict puts weights back, when "
            "restore is called. (state_dict() is a dict made for you: changing it changes no "
            "model.)",
        ),
        "min_delta_ignored": edit(
            " - self.min_delta", "", about="detail", also=[("gain > self.min_delta", "gain > 0")],
            hint="Any improvement counts as better for you, however small: what counts has to beat "
            "the best score by more than min_delta.",
        ),
        "min_delta_for_the_patience": edit(
            " - self.min_delta", "",
            (WAIT, WAIT.replace(
                "else:", "elif self.sign * score > self.sign * self.best + self.min_delta:"
            )),
            about="detail",
            hint="min_delta stands on the wrong side: any small improvement counts as better, and "
            "only an epoch that is worse by more than min_delta is counted as bad. It says by how "
            "much the best must be beaten; every other epoch is a bad one.",
        ),
        "min_delta_turned_round_for_max": edit(
            "- self.min_delta", "- self.sign * self.min_delta", about="detail",
            hint="With mode='max' your min_delta has the wrong sign: scores a little below the "
            "best count as better.",
        ),
        "any_change_is_better": edit(
            "if self.sign * score < self.sign * self.best - self.min_delta",
            "if abs(score - self.best) > self.min_delta",
            hint="You look how far the score has moved, and not which way: a much worse one counts "
            "as better, too.",
        ),
        "max_compared_like_min": edit(
            "if self.sign * score < self.sign * self.best", "if score < self.best",
            about="detail",
            hint="With mode='max' no score is ever better in yours: `best` starts at the wrong "
            "end, or the comparison is the one for 'min'.",
        ),
        "weights_of_small_improvements": edit(
            "        if self.sign * score < self.sign * self.best - self.min_delta:",
            "        if self.sign * score < self.sign * self.best:\n"
            f"            self.weights = {CLONES}\n"
            "        if self.sign * score < self.sign * self.best - self.min_delta:",
            about="detail",
            hint="Weights are kept also for a score that beats the best by less than min_delta. "
            "`best` and the weights belong to one epoch: change both together.",
        ),
        "best_and_weights_creep": edit(
            "        return self.waited",
            "        if self.sign * score < self.sign * self.best:\n            self.best = score\n"
            f"            self.weights = {CLONES}\n        return self.waited", about="detail",
            hint="`best` and the weights follow every small improvement; min_delta decides for the "
            "patience alone. A score that does not beat the best by more than min_delta is not "
            "better, and changes nothing.",
        ),
        "says_nothing": edit(
            "return self.waited >= self.patience", "self.stop = self.waited >= self.patience",
            hint="step returns nothing, and None counts as False: training never stops. Return "
            "whether it should.",
        ),
        "min_delta_turned_round": edit(
            "- self.min_delta", "+ self.min_delta", about="detail",
            hint="min_delta has the wrong sign: scores that are a little worse than the best count "
            "as better.",
        ),
        "best_creeps": edit(
            "        return self.waited",
            "        if self.sign * score < self.sign * self.best:\n            self.best = score\n"
            "        return self.waited", about="detail",
            hint="The best score follows every small improvement, also those that min_delta does "
            "not count. Slow but steady progress then never adds up to one step.",
        ),
        "best_is_negated": edit(
            'self.best = self.sign * float("inf")', 'self.best = -float("inf")',
            ("if self.sign * score < self.sign * self.best - self.min_delta",
             "if -self.sign * score >= self.best + self.min_delta"),
            ("= score, 0", "= -self.sign * score, 0"), about="detail",
            also=[[('self.best = self.sign * float("inf")', 'self.best = -float("inf")'),
                   ("if self.sign * score < self.sign * self.best - self.min_delta",
                    "if -self.sign * score > self.best + self.min_delta"),
                   ("= score, 0", "= -self.sign * score, 0")]],
            hint="You turn the score's sign round and keep that: `best` is −score, and should be "
            "the score that came. (The widely copied class does so, and there a tie counts as "
            "better too.)",
        ),
        "mode_ignored": edit(
            '1 if mode == "min" else -1', "1", about="detail",
            also=[('score - self.best if self.higher else self.best - score', "self.best - score")],
            hint="mode is not looked at: with mode='max' larger scores are better.",
        ),
        "compares_with_previous": edit(
            "self.best, self.waited = score, 0", "self.waited = 0",
            ("        return self.waited", "        self.best = score\n        return self.waited"),
            hint="A score is compared with that of the epoch before, and should be compared with "
            "the best so far: half a recovery after a set-back is no progress.",
        ),
        "best_never_updated": edit(
            "self.best, self.waited = score, 0", "self.waited = 0",
            hint="The best score is never taken down, so every epoch looks like a new best.",
        ),
        "best_starts_at_zero": edit(
            'self.best = self.sign * float("inf")', "self.best = 0.0",
            hint="The best score starts at 0, and a loss never gets below that. Start with ∞ (or "
            "with the first score).",
        ),
        "ties_count_as_better": edit(
            "score < self.sign", "score <= self.sign", about="edge",
            also=[("gain > self", "gain >= self")],
            hint="A score that equals the best counts as better for you. Without progress there is "
            "nothing to wait for: compare with < (or >).",
        ),
        "nan_is_best": edit(
            "if self.sign * score < self.sign * self.best - self.min_delta:",
            "if not self.sign * score >= self.sign * self.best - self.min_delta:", about="edge",
            hint="A NaN counts as a new best: every comparison with it is false, so 'not worse' is "
            "true. Ask whether the score is better.",
        ),
    },
    "random_shift": {
        "wraps_around": edit(
            PADDED, "padded = F.pad(x, [largest] * 4, mode='circular')",
            hint="Pixels that leave at one side come in again at the other (torch.roll does that): "
            "a digit's foot would stand above its head. What is uncovered is 0.",
        ),
        "border_repeated": edit(
            PADDED, "padded = F.pad(x, [largest] * 4, mode='replicate')",
            hint="What is uncovered repeats the border. Here it is 0.",
        ),
        "one_shift_for_the_batch": edit(
            "(len(x), 2), generator=generator, device=x.device\n    )",
            "(1, 2), generator=generator, device=x.device\n    ).expand(len(x), 2)",
            hint="All images move alike: you draw two numbers for the whole batch. Draw two for "
            "every image.",
        ),
        "towards_two_sides_only": edit(
            "2 * largest + 1, (", "largest + 1, (", about="detail",
            also=[("-largest, largest + 1,", "0, largest + 1,")],
            hint="Images move to two sides only. Both numbers go from −largest to largest.",
        ),
        "last_place_never": edit(
            "2 * largest + 1, (", "2 * largest, (", about="detail",
            also=[("-largest, largest + 1,", "-largest, largest,")],
            hint="The upper end of torch.randint is not included, so one place at the side is "
            "never reached: there are 2·largest + 1.",
        ),
        "only_along_the_diagonal": edit(
            "(top, left) in", "(top, _) in",
            ("left : left + width", "top : top + width"), about="detail",
            hint="The same number moves an image down and to the right, so it moves along the "
            "diagonal only. Draw two.",
        ),
        "shift_generator_ignored": edit(
            "generator=generator, ", "", about="detail",
            hint="The numbers come from torch's global generator; the one that was passed is not "
            "used, so nobody can repeat your run.",
        ),
        "returns_doubles": edit(
            "padded = F.pad(x,", "padded = F.pad(x.double(),", about="form",
            hint="float32 comes back as float64. Keep x's dtype.",
        ),
        "overwrites_the_batch": edit(
            "return torch.stack([", "x[:] = torch.stack([",
            ("tolist())\n    ])", "tolist())\n    ])\n    return x"), about="arguments",
            hint="The images that you were given are overwritten. Return new ones: the next epoch "
            "shifts the originals again.",
        ),
    },
    "mixup_share": {
        "uniform_share": edit(
            "beta.ppf(u.item(), alpha, alpha)", "u.item()",
            hint="α never enters: your share is uniform, which is Beta(1, 1). Send u through the "
            "inverse distribution function of Beta(α, α).",
        ),
        "not_inverted": edit(
            "beta.ppf(", "beta.cdf(",
            hint="You send u through the distribution function itself. Its inverse, ppf, turns "
            "uniform numbers into Beta ones.",
        ),
        "one_sided": edit(
            "alpha, alpha)", "alpha, 1.0)",
            hint="That is Beta(α, 1), which is not symmetrical. Both parameters are α.",
        ),
        "larger_of_the_two": edit(
            "return float(beta.ppf(u.item(), alpha, alpha))",
            "share = float(beta.ppf(u.item(), alpha, alpha))\n    return max(share, 1 - share)",
            hint="You take the larger of λ and 1 − λ. Some code does, to keep most of each "
            "example; here λ is as it was drawn.",
        ),
        "share_generator_ignored": edit(
            "generator=generator, ", "", about="detail",
            hint="The uniform number comes from torch's global generator; the one that was passed "
            "is not used, so nobody can repeat your run.",
        ),
        "share_as_a_tensor": edit(
            "return float(beta", "return torch.tensor(beta", about="form",
            hint="λ comes back as a tensor. A plain float was asked for.",
        ),
    },
    "mixup": {
        "two_permutations": edit(
            "y[partner]", f"y[{PERMUTED}]",
            hint="Inputs and targets are mixed with different partners: a second permutation is "
            "drawn for the targets. Draw one and use it twice.",
        ),
        "targets_not_mixed": edit(
            MIXED_Y, "y", also=[("torch.lerp(y[order], y, lam)", "y")],
            hint="The targets are not mixed. An input that is 30 % of another class should say so "
            "in its target.",
        ),
        "targets_get_the_other_share": edit(
            MIXED_Y, "(1 - lam) * y + lam * y[partner]",
            also=[("torch.lerp(y[order], y, lam)", "torch.lerp(y, y[order], lam)")],
            hint="The partner's share in the targets is another one than in the inputs: λ and "
            "1 − λ are exchanged, say, or the partner's target is taken alone. Mix both alike.",
        ),
        "shares_exchanged": edit(
            MIXED_X, "(1 - lam) * x + lam * x[partner]",
            (MIXED_Y, "(1 - lam) * y + lam * y[partner]"),
            also=[[("torch.lerp(x[order], x, lam)", "torch.lerp(x, x[order], lam)"),
                   ("torch.lerp(y[order], y, lam)", "torch.lerp(y, y[order], lam)")]],
            hint="λ and 1 − λ are exchanged: λ is the share that an example keeps of itself.",
        ),
        "mixup_generator_ignored": edit(
            "generator=generator,", "", about="detail",
            hint="The partners come from torch's global generator; the one that was passed is not "
            "used, so nobody can repeat your run.",
        ),
        "partner_is_not_random": edit(
            PERMUTED, "torch.arange(len(x) - 1, -1, -1, device=x.device)",
            also=[(PERMUTED, "torch.arange(len(x), device=x.device).roll(1)")],
            about="detail",
            hint="Every example is mixed with its mirror image in the batch (or its neighbour), in "
            "every call the same way. Partners are drawn: a random permutation.",
        ),
        "partners_with_replacement": edit(
            "torch.randperm(len(x),", "torch.randint(len(x), (len(x),),", about="detail",
            also=[("torch.randperm(len(x),", "torch.randint(len(x), (1,),")],
            hint="Partners are drawn with replacement (or one for all), so some examples are used "
            "several times and others never. A permutation uses each of them once.",
        ),
        "shares_do_not_sum_to_one": edit(
            "(1 - lam) * x[partner]", "lam * x[partner]",
            ("(1 - lam) * y[partner]", "lam * y[partner]"),
            hint="The two shares do not add up to 1: the partner's share is 1 − λ.",
        ),
        "lambda_at_least_a_half": edit(
            f"    partner = {PERMUTED}", f"    lam = max(lam, 1 - lam)\n    partner = {PERMUTED}",
            about="detail",
            hint="You take the larger of λ and 1 − λ. Here λ is used as it is given, below ½ too.",
        ),
        "partners_taken_after_scaling": edit(
            f"    return {MIXED_X}, ",
            "    x = lam * x\n    x = x + (1 - lam) * x[partner]\n    return x, ",
            also=[(f"    return {MIXED_X}, ",
                   "    x *= lam\n    x += (1 - lam) * x[partner]\n    return x, "),
                  (f"    return {MIXED_X}, {MIXED_Y}",
                   "    x *= lam\n    x += (1 - lam) * x[partner]\n"
                   "    y *= lam\n    y += (1 - lam) * y[partner]\n    return x, y")],
            hint="x is scaled by λ before the partners are read from it, so their share is "
            "λ(1 − λ). Compute the mixture into a new tensor.",
        ),
        "inputs_changed": edit(
            f"    return {MIXED_X}, ", f"    x[:] = {MIXED_X}\n    return x, ", about="arguments",
            also=[[(f"    return {MIXED_X}, {MIXED_Y}",
                    f"    x[:], y[:] = {MIXED_X}, {MIXED_Y}\n    return x, y")]],
            hint="The batch that you were given is overwritten with the mixture. Return new "
            "tensors: the next epoch needs the examples as they are.",
        ),
    },
    "cutout": {
        "box_outside": edit(
            "max(top, 0) :", "top :", ("max(left, 0) :", "left :"), about="detail",
            also=[("max(top, 0) :", "top :"),
                  [("max(0, top) :", "top :"), ("max(0, left) :", "left :")]],
            hint="A box that starts before the image's edge cuts nothing in yours: a negative "
            "start in a slice counts from the other end. Clip the start to 0.",
        ),
        "box_kept_inside": edit(
            "torch.randint(height,", "torch.randint(max(height - size, 0) + 1,",
            ("torch.randint(width,", "torch.randint(max(width - size, 0) + 1,"),
            (CORNER, "top, left = cy, cx"), about="detail",
            also=[[("torch.randint(height,", "torch.randint(max(height - size, 1),"),
                   ("torch.randint(width,", "torch.randint(max(width - size, 1),"),
                   (CORNER, "top, left = cy, cx")],
                  (CORNER, "top = min(max(cy - size // 2, 0), max(height - size, 0))\n"
                           "        left = min(max(cx - size // 2, 0), max(width - size, 0))")],
            hint="Your box always lies inside of the image as a whole. Every pixel may be its "
            "centre, and at the border part of the box is lost.",
        ),
        "one_pixel_short": edit(
            "top + size", "top + size // 2 * 2", ("left + size", "left + size // 2 * 2"),
            about="detail",
            also=[[("top + size", "cy + size // 2"), ("left + size", "cx + size // 2")]],
            hint="An odd square comes out one pixel too small: from cy − size//2 to cy + size//2 "
            "are 2·(size//2) pixels. The end is the start plus size.",
        ),
        "one_pixel_up_and_left": edit(
            CORNER, "top, left = cy - (size + 1) // 2, cx - (size + 1) // 2", about="detail",
            hint="An odd square lies one pixel too far up and to the left: size / 2 and then int() "
            "round its start the other way. The start is cy − size//2.",
        ),
        "box_is_empty": edit(
            "max(left, 0) : left + size", "max(left, 0) : max(left, 0)",
            also=[("max(top, 0) : top + size", "max(top, 0) : max(top, 0)")],
            hint="Nothing is cut out: start and end of a slice are the same. The end is the start "
            "plus size.",
        ),
        "cutout_generator_ignored": edit(
            "randint(height, (1,), generator=generator,", "randint(height, (1,),",
            ("randint(width, (1,), generator=generator,", "randint(width, (1,),"), about="detail",
            also=[[("int(torch.randint(height, (1,), generator=generator, device=x.device))",
                    '__import__("random").randrange(height)'),
                   ("int(torch.randint(width, (1,), generator=generator, device=x.device))",
                    '__import__("random").randrange(width)')]],
            hint="The generator that was passed does not draw the centres (torch's global one "
            "does, or Python's or NumPy's), so nobody can repeat your run.",
        ),
        "one_pixel_too_many": edit(
            "top + size", "top + size + 1", ("left + size", "left + size + 1"), about="detail",
            also=[[("top + size", "cy + size // 2 + 1"), ("left + size", "cx + size // 2 + 1")]],
            hint="The square comes out one pixel too large: a slice ends before its second number.",
        ),
        "one_box_for_the_batch": edit(
            "    for image in out:\n        cy =", "    cy =", ("        cx =", "    cx ="),
            ("        top, left", "    top, left"), ("        image[:,", "    out[:, :,"),
            also=[[("randint(height, (n, 1", "randint(height, (1, 1"),
                   ("randint(width, (n, 1", "randint(width, (1, 1")]],
            hint="The same box is cut out of all images of the batch: draw a centre for each of "
            "them.",
        ),
        "last_pixels_never_the_centre": edit(
            "torch.randint(height,", "torch.randint(height - 1,",
            ("torch.randint(width,", "torch.randint(width - 1,"), about="detail",
            hint="The last row and the last column are never the centre: torch.randint leaves its "
            "upper end out already.",
        ),
        "centre_outside": edit(
            "torch.randint(height,", "torch.randint(height + 1,",
            ("torch.randint(width,", "torch.randint(width + 1,"), about="detail",
            hint="Your centre may lie one pixel beyond the image. Pixels are counted from 0, and "
            "torch.randint leaves its upper end out.",
        ),
        "centres_on_the_diagonal": edit(
            "cx = int(torch.randint(width, (1,), generator=generator, device=x.device))", "cx = cy",
            hint="One number serves as row and as column, so the centres lie on the diagonal. Draw "
            "two.",
        ),
        "height_and_width_exchanged": edit(
            "height, width = x.shape", "width, height = x.shape", about="detail",
            hint="Height and width are exchanged: images are (n, C, H, W), rows come first.",
        ),
        "whole_square_from_the_clipped_corner": edit(
            "top + size", "max(top, 0) + size", ("left + size", "max(left, 0) + size"),
            about="detail",
            hint="Where the box begins outside of the image, yours is moved inside instead of cut "
            "off: the end is counted from the clipped start. Take the end first, then clip.",
        ),
        "size_as_half_width": edit(
            CORNER, "top, left = cy - size, cx - size", ("top + size", "top + 2 * size"),
            ("left + size", "left + 2 * size"),
            hint="The hole has a side of 2·size (about): size is the whole side, so the box "
            "reaches size//2 to either side of the centre.",
        ),
        "centre_as_corner": edit(
            CORNER, "top, left = cy, cx", about="detail",
            hint="The centre is the box's upper left corner in yours: the box should reach size//2 "
            "to either side of the pixel that was drawn.",
        ),
        "scattered_pixels": edit(
            HOLE,
            "hole = torch.rand((height, width), generator=generator, device=x.device)\n"
            "        image[:, hole < min(size**2 / (height * width), 1)] = 0",
            hint="Single pixels are dropped all over the image (that is dropout). Cutout removes "
            "one connected square.",
        ),
        "hole_per_channel": edit(
            "for image in out:", "for image in out.flatten(0, 1).unsqueeze(1):",
            hint="The channels do not have the same hole: each its own, or only some have one. An "
            "object that is covered is covered in all of them.",
        ),
        "all_but_the_box": edit(
            HOLE, "outside = torch.ones_like(image)\n        outside"
            + HOLE.removeprefix("image") + "\n        image[outside == 1] = 0",
            also=[("masked_fill(hole,", "masked_fill(~hole,")],
            hint="You keep the square and delete the rest of the image. Cutout deletes the square.",
        ),
        "filled_with_the_mean": edit(
            HOLE, HOLE.removesuffix("0") + "image.mean()", about="detail",
            also=[(HOLE, HOLE.removesuffix("0") + "0.5"), (HOLE, HOLE.removesuffix("0") + "1")],
            hint="The hole is filled with another value. Here it is set to 0.",
        ),
        "cuts_the_original": edit(
            "x.clone()", "x", about="arguments", also=[("x.masked_fill(", "x.masked_fill_(")],
            hint="The images that you were given are changed. Work on x.clone().",
        ),
    },
    "cutmix": {
        "lambda_not_recomputed": edit(
            "(bottom - top) * (right - left) / (height * width)", "1 - lam",
            also=[("box.to(y.dtype).mean()", "1 - lam")],
            hint="The labels' weights are not the shares of the pixels: λ as it was asked for, "
            "say, although less is pasted where the box is clipped. Count the pixels that were "
            "pasted, and weigh the labels by them.",
        ),
        "area_before_clipping": edit(
            "(bottom - top) * (right - left) /", "rows * columns /",
            hint="Your area is too large: that of the box before it was clipped, say. At the "
            "border less is pasted: take what is left of the box.",
        ),
        "partners_drawn_twice": edit(
            "y[partner]", f"y[{PERMUTED}]",
            hint="What is in the box is not what the labels' partner has there: the labels have a "
            "second permutation, say. Draw one, use it twice, and paste its pixels as they are.",
        ),
        "label_weights_exchanged": edit(
            "(1 - pasted) * y + pasted * y[partner]", "pasted * y + (1 - pasted) * y[partner]",
            also=[("torch.lerp(y, y[order], share)", "torch.lerp(y[order], y, share)")],
            hint="The labels' weights are exchanged: the pasted area is the partner's share.",
        ),
        "labels_not_mixed": edit(
            "(1 - pasted) * y + pasted * y[partner]", "y",
            also=[("torch.lerp(y, y[order], share)", "y")],
            hint="The labels stay as they were, although part of the picture is another one.",
        ),
        "labels_of_the_partner": edit(
            "(1 - pasted) * y + pasted * y[partner]", "y[partner]",
            hint="The labels are the partners' alone, although only a box comes from them. They "
            "are mixed by the shares of the pixels.",
        ),
        "pasted_box_from_its_corner": edit(
            BOX_CORNER, "top, left = cy, cx", about="detail",
            hint="The pixel that was drawn is the box's upper left corner in yours. It is the "
            "centre: the box reaches half of its sides to either side.",
        ),
        "pasted_box_one_pixel_larger": edit(
            "mixed[:, :, top:bottom, left:right] = x[partner, :, top:bottom, left:right]",
            "mixed[:, :, top : bottom + 1, left : right + 1] = "
            "x[partner, :, top : bottom + 1, left : right + 1]",
            hint="One row and one column too many are pasted: a slice ends before its second "
            "number, so nothing has to be added to it.",
        ),
        "square_box": edit(
            "int(width * (1 - lam) ** 0.5)", "int(height * (1 - lam) ** 0.5)",
            hint="Your box is a square, made from the height alone. Its columns are a share of the "
            "width.",
        ),
        "sides_without_root": edit(
            "int(height * (1 - lam) ** 0.5), int(width * (1 - lam) ** 0.5)",
            "int(height * (1 - lam)), int(width * (1 - lam))",
            also=[("int(height * math.sqrt(1 - lam)), int(width * math.sqrt(1 - lam))",
                   "int(height * (1 - lam)), int(width * (1 - lam))")],
            hint="The box's sides are (1 − λ) of the image's, so its area is (1 − λ)². For an area "
            "of 1 − λ each side takes the square root.",
        ),
        "box_of_the_share_lambda": edit(
            "int(height * (1 - lam) ** 0.5), int(width * (1 - lam) ** 0.5)",
            "int(height * lam**0.5), int(width * lam**0.5)",
            hint="The box has the share λ of the area. λ is what an image keeps of itself: the box "
            "has the share 1 − λ.",
        ),
        "sides_rounded": edit(
            "int(height * (1 - lam) ** 0.5), int(width * (1 - lam) ** 0.5)",
            "round(height * (1 - lam) ** 0.5), round(width * (1 - lam) ** 0.5)", about="detail",
            hint="The box's sides are rounded. int() cuts the fraction off, as the docstring asks.",
        ),
        "box_one_pixel_short": edit(
            BOX_END, "min(cy + rows // 2, height), min(cx + columns // 2, width)", about="detail",
            hint="An odd side comes out one pixel too small: from cy − rows//2 to cy + rows//2 are "
            "2·(rows//2) pixels. (Published code does so; here the end is the start plus rows.)",
        ),
        "pasted_box_kept_inside": edit(
            BOX_CORNER, "top = min(max(cy - rows // 2, 0), height - rows)\n"
            "    left = min(max(cx - columns // 2, 0), width - columns)", about="detail",
            also=[[(BOX_CORNER, "top = cy * (height - rows + 1) // height\n"
                                "    left = cx * (width - columns + 1) // width")]],
            hint="Your box always lies inside of the image. Every pixel may be its centre, and "
            "what sticks out is clipped.",
        ),
        "pasted_box_outside": edit(
            BOX_END, "top + rows, left + columns",
            ("    top, left = max(top, 0), max(left, 0)\n", ""),
            also=[("    top, left = max(top, 0), max(left, 0)\n", "")],
            hint="A box that starts before the image's edge pastes nothing in yours: a negative "
            "start in a slice counts from the other end. Clip it to 0 before you slice and before "
            "you take the area.",
        ),
        "end_not_clipped": edit(
            BOX_END, "top + rows, left + columns",
            hint="The box's far end is not clipped. The slice does not mind, but the area then "
            "counts pixels that lie outside of the image.",
        ),
        "rows_and_columns_exchanged": edit(
            "mixed[:, :, top:bottom, left:right] = x[partner, :, top:bottom, left:right]",
            "mixed[:, :, left:right, top:bottom] = x[partner, :, left:right, top:bottom]",
            hint="Rows and columns are exchanged: images are (n, C, H, W), rows come first.",
        ),
        "zeros_pasted": edit(
            "= x[partner, :, top:bottom, left:right]", "= 0",
            also=[("torch.where(box, x[order], x)", "torch.where(box, 0.0, x)")],
            hint="The box is filled with zeros (that is cutout), and yet the labels are mixed. "
            "Paste the partner's pixels.",
        ),
        "cutmix_generator_ignored": edit(
            "torch.randperm(n, generator=generator,", "torch.randperm(n,", about="detail",
            also=[[("torch.randperm(n, generator=generator,", "torch.randperm(n,"),
                   ("randint(height, (1,), generator=generator,", "randint(height, (1,),"),
                   ("randint(width, (1,), generator=generator,", "randint(width, (1,),")]],
            hint="Partners or box come from torch's global generator; the one that was passed is "
            "not used, so nobody can repeat your run.",
        ),
        "partner_not_drawn": edit(
            "torch.randperm(n, generator=generator, device=x.device)",
            "torch.arange(n - 1, -1, -1, device=x.device)", about="detail",
            hint="Every image's partner is its mirror image in the batch, in every call. Partners "
            "are drawn: a random permutation.",
        ),
        "images_changed": edit(
            "x.clone()", "x", about="arguments",
            hint="The box is pasted into the images that you were given. Work on x.clone(): "
            "another image's partner may be one that is already changed.",
        ),
    },
    "ensemble_variance": {
        "forgot_to_add_the_variances": edit(
            "return var / n", "return var / n**2", cost=HALF,
            hint="1/n comes out squared, and n variances add: n·v/n². You have left out that there "
            "are n of them.",
        ),
        "factor_not_squared": edit(
            "return var / n", "return var", cost=HALF,
            hint="The variances add up to n·v, but the factor 1/n comes out of the variance "
            "squared.",
        ),
        "standard_deviation_rate": edit(
            "return var / n", "return var / sp.sqrt(n)", cost=HALF,
            hint="√n belongs to the standard deviation; the variance falls like 1/n.",
        ),
        "covariances_left_out": edit(
            "return rho * var + (1 - rho) * var / n", "return 1 / n * var", cost=HALF,
            hint="The covariances are left out. Each pair contributes ρ·v, and there are n(n − 1) "
            "of them.",
        ),
        "diagonal_counted_twice": edit(
            "(1 - rho) * var / n", "1 / n * var", cost=HALF,
            hint="You have n² covariances; n of those pairs are a model with itself and have the "
            "full variance v, counted already.",
        ),
        "pairs_counted_once": edit(
            "rho * var + (1 - rho) * var / n", "1 / n * var + (n - 1) * rho * var / (2 * n)",
            cost=HALF,
            hint="Each pair is counted once, but Cov(ε_i, ε_j) and Cov(ε_j, ε_i) both stand in the "
            "variance of the sum: n(n − 1) ordered pairs.",
        ),
        "correlated_part_averaged_out": edit(
            "return rho * var + (1 - rho)", "return (1 - rho)", cost=HALF,
            hint="The correlated part ρ·v does not average out: only the rest is divided by n.",
        ),
    },
    "bootstrap": {
        "without_replacement": edit(
            "torch.randint(n, (n,),", "torch.randperm(n,",
            hint="A permutation has every example exactly once, so all models see the same data. "
            "Draw with replacement.",
        ),
        "half_a_sample": edit(
            "(n,), generator", "(n // 2,), generator",
            hint="Your sample has n/2 indices. It has n, of which some come several times.",
        ),
        "the_same_index": edit(
            "torch.randint(n, (n,), generator=generator, device=generator.device)",
            "torch.randint(n, (1,), generator=generator, device=generator.device).repeat(n)",
            hint="One index is drawn and repeated n times. Draw n of them.",
        ),
        "last_one_never": edit(
            "torch.randint(n, (n,),", "torch.randint(max(n - 1, 1), (n,),", about="detail",
            hint="The last example never comes: the upper end of torch.randint is not included "
            "anyway.",
        ),
        "bootstrap_generator_ignored": edit(
            "generator=generator, ", "", about="detail",
            hint="The sample comes from torch's global generator; the one that was passed is not "
            "used, so nobody can repeat your run.",
        ),
        "indices_as_floats": edit(
            "device=generator.device)", "device=generator.device).float()", about="form",
            hint="Indices are whole numbers, int64; yours are floating-point numbers.",
        ),
    },
    "average_checkpoints": {
        "sum_for_mean": edit(
            ".mean(dim=0)", ".sum(dim=0)",
            hint="You add the checkpoints up. Divide by how many there are.",
        ),
        "last_checkpoint_only": edit(
            "torch.stack([state[name] for state in states]).mean(dim=0)", "last.clone()",
            hint="The last checkpoint comes back, and the others never enter.",
        ),
        "first_and_last": edit(
            "for state in states]", "for state in (states[0], states[-1])]",
            hint="Only the first and the last checkpoint enter. Average all of them.",
        ),
        "running_average": edit(
            "averaged[name] = torch.stack([state[name] for state in states]).mean(dim=0)",
            "total = states[0][name]\n            for state in states[1:]:\n"
            "                total = (total + state[name]) / 2\n"
            "            averaged[name] = total.clone()",
            hint="You halve again and again, so the last checkpoint weighs ½, the one before ¼. In "
            "a mean all weigh the same.",
        ),
        "counts_averaged": edit(
            "if last.is_floating_point():", "if True:",
            ("torch.stack([state[name] for state in states])",
             "torch.stack([state[name] for state in states]).to("
             "last.dtype if last.is_floating_point() else torch.float32)"),
            about="detail",
            hint="The count of batches is averaged, too, and becomes a fraction. What is not "
            "floating-point comes from the last checkpoint.",
        ),
        "counts_left_out": edit(
            "    averaged[name] = last.clone()", "    pass", about="detail",
            hint="What is not floating-point is missing, so load_state_dict would complain. Take "
            "it from the last checkpoint.",
        ),
        "first_count": edit(
            "= last.clone()", "= states[0][name].clone()", about="detail",
            hint="The count is that of the first checkpoint. Take the last one's.",
        ),
        "counts_shared": edit(
            "last.clone()", "last", about="detail",
            hint="The count *is* the last checkpoint's tensor, the same memory. Return a copy.",
        ),
        "adds_into_the_first": edit(
            "averaged[name] = torch.stack([state[name] for state in states]).mean(dim=0)",
            "averaged[name] = states[0][name]\n            for state in states[1:]:\n"
            "                averaged[name] += state[name]\n"
            "            averaged[name] = averaged[name] / len(states)",
            about="arguments",
            hint="You add into the first checkpoint's own tensors, so it holds the sum afterwards. "
            "Start from a copy.",
        ),
    },
    "ensemble_predict": {
        "mean_of_logits": edit(
            "torch.softmax(model(X), dim=-1)", "model(X)",
            hint="You return the mean of the logits. Each model's logits become probabilities "
            "first, then the mean is taken.",
        ),
        "softmax_of_mean_logits": edit(
            "torch.softmax(model(X), dim=-1)", "model(X)",
            ("return total / len(models)", "return torch.softmax(total / len(models), dim=-1)"),
            hint="The softmax is taken of the mean of the logits: one model with large logits "
            "outvotes the others. Take each model's softmax, then the mean.",
        ),
        "mean_of_log_probabilities": edit(
            "torch.softmax(", "torch.log_softmax(",
            ("return total / len(models)", "return torch.exp(total / len(models))"),
            also=[("torch.softmax(", "torch.log_softmax(")],
            hint="You average log-probabilities, which is a geometric mean: one model that finds a "
            "class impossible rules it out. Average the probabilities.",
        ),
        "outputs_as_they_come": edit(
            "        model.eval()\n", "",
            ("torch.softmax(model(X), dim=-1)", "model(X)"),
            hint="You average what the models give as they come: logits, in the mode in which they "
            "are. What is wanted are probabilities, predicted in evaluation mode.",
        ),
        "logits_and_mode_not_given_back": edit(
            "        model.train(was_training)\n", "",
            ("torch.softmax(model(X), dim=-1)", "model(X)"),
            hint="You average logits, and leave all models in evaluation mode. Take probabilities, "
            "and give every model back in the mode it came in.",
        ),
        "sigmoid_for_softmax": edit(
            "torch.softmax(model(X), dim=-1)", "torch.sigmoid(model(X))",
            hint="You take the sigmoid of every logit for itself, so a row does not sum to 1. "
            "Classes that exclude each other share one softmax.",
        ),
        "softmax_once_more": edit(
            "return total / len(models)", "return torch.softmax(total / len(models), dim=-1)",
            hint="A softmax is taken of what are probabilities already, which makes them nearly "
            "equal. Their mean sums to 1 as it is.",
        ),
        "majority_vote": edit(
            "torch.softmax(model(X), dim=-1)",
            "(lambda out: F.one_hot(out.argmax(-1), out.shape[-1]))(model(X))",
            hint="You count votes, and throw away how sure each model is. Average the "
            "probabilities.",
        ),
        "train_mode_left_on": edit(
            "        model.eval()\n", "",
            hint="The models predict in the mode in which they came, so dropout is at work: call "
            "eval() before predicting.",
        ),
        "mode_not_given_back": edit(
            "        model.train(was_training)\n", "", about="detail",
            also=[("dim=1))\n        model.train(mode)\n", "dim=1))\n")],
            hint="After your call all models are in evaluation mode, and the training that follows "
            "runs without dropout. Put every model back into the mode it came in.",
        ),
        "always_left_in_train_mode": edit(
            "model.train(was_training)", "model.train()", about="detail",
            also=[("model.train(mode)", "model.train()")],
            hint="After your call all models are in training mode, also those that came in "
            "evaluation mode. Put every model back into the mode it came in.",
        ),
        "graph_kept": edit(
            "        with torch.no_grad():\n            total", "        total", about="form",
            hint="The prediction drags a graph along: predict under torch.no_grad().",
        ),
        "softmax_over_examples": edit(
            "dim=-1", "dim=0", also=[("dim=1)", "dim=0)")],
            hint="The softmax runs over the examples and not over the classes: the last axis is K.",
        ),
        "sum_for_mean": edit(
            "return total / len(models)", "return total",
            also=[(".mean(dim=0)", ".sum(dim=0)")],
            hint="The probabilities are summed; divide by the number of models, so that rows sum "
            "to 1.",
        ),
        "only_the_last_model": edit(
            "total = total +", "total =",
            hint="Each model's probabilities overwrite those before. Add them up.",
        ),
    },
}
