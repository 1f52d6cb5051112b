#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Make optimizers.txt and schedules.txt: what PyTorch's optimizers and schedules do, as small tables.

Run from any folder with a Python that has torch (made with 2.13). The files are committed; tests read them, so
no test needs PyTorch. A case is the configuration as a user writes it, followed by what PyTorch makes of it, in
float64. What PyTorch has not (lars, lion, lamb) is written down here from its paper.
"""
import math
import os
import warnings

import torch
from torch.optim import lr_scheduler

warnings.filterwarnings("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))
STEPS = 5
INPUTS, UNITS = 4, 3  # a dense layer: weight [UNITS, INPUTS], then bias [UNITS]
SCALE = 0.5  # factor on the gradient, as clipping applies it


def write_row(out, word, values, digits=9):  # nine: float32
    out.write(word + "".join(" %.*g" % (digits, v) for v in values) + "\n")


def options_of(text):
    """"{type: sgd, lr: 0.1}" -> {"type": "sgd", "lr": 0.1}"""
    pairs = (pair.split(": ") for pair in text.strip("{}").split(", "))
    words = {"true": True, "false": False}
    return {k: words.get(v, v) if not v[0].isdigit() else float(v) for k, v in pairs}


def pair_of(options, first, second):
    """The betas of an optimizer."""
    return options.pop("beta1", first), options.pop("beta2", second)


OPTIMIZERS = [
    "{type: sgd}",
    "{type: sgd, lr: 0.1}",
    "{type: sgd, lr: 0.1, weight_decay: 0.05}",
    "{type: sgd, lr: 0.1, momentum: 0.9}",
    "{type: sgd, lr: 0.1, momentum: 0.9, weight_decay: 0.05}",
    "{type: sgd, lr: 0.1, momentum: 0.9, nesterov: true, weight_decay: 0.05}",
    "{type: sgd, lr: 0.1, momentum: 0.9, weight_decay: 0.05, decay_bias_and_norm: true}",
    "{type: adam}",
    "{type: adam, lr: 0.02, weight_decay: 0.1}",
    "{type: adam, lr: 0.02, beta1: 0.8, beta2: 0.95, epsilon: 0.001}",
    "{type: adam, lr: 0.02, weight_decay: 0.1, decay_bias_and_norm: true}",
    "{type: adamw}",
    "{type: adamw, lr: 0.02, weight_decay: 0.1}",
    "{type: adamw, lr: 0.02, beta1: 0.8, beta2: 0.95, weight_decay: 0.3, decay_bias_and_norm: true}",
    "{type: rmsprop}",
    "{type: rmsprop, lr: 0.02, alpha: 0.9, epsilon: 0.001, weight_decay: 0.1}",
    "{type: rmsprop, lr: 0.02, epsilon: 0.1, momentum: 0.9, weight_decay: 0.1, decay_bias_and_norm: true}",
    "{type: rmsprop, lr: 0.02, alpha: 0.95, epsilon: 0.1, centered: true}",
    "{type: rmsprop, lr: 0.02, alpha: 0.8, epsilon: 0.1, momentum: 0.5, centered: true, weight_decay: 0.1}",
    "{type: adagrad}",
    "{type: adagrad, lr: 0.1, weight_decay: 0.1}",
    "{type: adagrad, lr: 0.1, lr_decay: 0.3, initial_accumulator_value: 0.5, epsilon: 0.01}",
    "{type: adagrad, lr: 0.1, weight_decay: 0.1, decay_bias_and_norm: true}",
    "{type: adadelta}",
    "{type: adadelta, lr: 0.5, rho: 0.7, epsilon: 0.01, weight_decay: 0.1}",
    "{type: adadelta, lr: 0.5, epsilon: 0.001, weight_decay: 0.1, decay_bias_and_norm: true}",
    "{type: nadam}",
    "{type: nadam, lr: 0.02, weight_decay: 0.1}",
    "{type: nadam, lr: 0.02, weight_decay: 0.1, decoupled_weight_decay: true}",
    "{type: nadam, lr: 0.02, beta1: 0.8, beta2: 0.95, epsilon: 0.001, momentum_decay: 0}",
    "{type: nadam, lr: 0.02, momentum_decay: 5, weight_decay: 0.1, decay_bias_and_norm: true}",
    "{type: lion}",
    "{type: lion, lr: 0.02, weight_decay: 0.1}",
    "{type: lion, lr: 0.02, beta1: 0.5, beta2: 0.8, weight_decay: 0.3, decay_bias_and_norm: true}",
    "{type: lars}",
    "{type: lars, lr: 0.5, momentum: 0.8, weight_decay: 0.1, trust: 0.02}",
    "{type: lars, lr: 0.5, momentum: 0, trust: 0.1}",
    "{type: lamb}",
    "{type: lamb, lr: 0.1, weight_decay: 0}",
    "{type: lamb, lr: 0.1, beta1: 0.8, beta2: 0.95, epsilon: 0.001, weight_decay: 0.3}",
]


class Lars(torch.optim.Optimizer):
    """Algorithm 1 of You, Gitman, Ginsburg 2017, on the weight alone; PyTorch has none of its own."""

    def __init__(self, groups, lr=1.0, momentum=0.9, weight_decay=0.0, trust=0.001):
        groups[1].update(weight_decay=0, trust=None)
        super().__init__(groups, dict(lr=lr, momentum=momentum, weight_decay=weight_decay, trust=trust))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            trust, decay = group["trust"], group["weight_decay"]
            for p in group["params"]:
                local = trust * p.norm() / (p.grad.norm() + decay * p.norm()) if trust else 1.0
                buffer = self.state[p].setdefault("momentum_buffer", torch.zeros_like(p))
                buffer.mul_(group["momentum"]).add_(group["lr"] * local * (p.grad + decay * p))
                p.sub_(buffer)


class Lion(torch.optim.Optimizer):
    """Algorithm 2 of Chen et al. 2023."""

    def __init__(self, groups, lr=0.0001, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(groups, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].get("exp_avg", torch.zeros_like(p))
                c = beta1 * m + (1 - beta1) * p.grad
                p.sub_(group["lr"] * (c.sign() + group["weight_decay"] * p))
                self.state[p]["exp_avg"] = beta2 * m + (1 - beta2) * p.grad


class Lamb(torch.optim.Optimizer):
    """Algorithm 2 of You et al. 2020 on the weight, with phi the identity; on the bias without the ratio of norms."""

    def __init__(self, groups, lr=0.001, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.01):
        groups[0]["adapts"], groups[1]["adapts"] = True, False
        super().__init__(groups, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                s = self.state[p]
                t = s["step"] = s.get("step", 0) + 1
                m = s["exp_avg"] = beta1 * s.get("exp_avg", torch.zeros_like(p)) + (1 - beta1) * p.grad
                v = s["exp_avg_sq"] = beta2 * s.get("exp_avg_sq", torch.zeros_like(p)) + (1 - beta2) * p.grad ** 2
                r = (m / (1 - beta1 ** t)) / ((v / (1 - beta2 ** t)).sqrt() + group["eps"])
                d = r + group["weight_decay"] * p
                ratio = p.norm() / d.norm() if group["adapts"] else 1.0
                p.sub_(group["lr"] * ratio * d)


MAKERS = {"sgd": torch.optim.SGD, "rmsprop": torch.optim.RMSprop, "adagrad": torch.optim.Adagrad,
          "adadelta": torch.optim.Adadelta, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW,
          "nadam": torch.optim.NAdam, "lion": Lion, "lars": Lars, "lamb": Lamb}


def make_optimizer(options, weight, bias):
    o = dict(options)
    kind, everything = o.pop("type"), o.pop("decay_bias_and_norm", False)
    if kind == "sgd":
        o.setdefault("lr", 0.01)  # in 1.13 torch.optim.SGD had no default
    if kind in ("adam", "adamw", "nadam", "lamb"):
        o["betas"] = pair_of(o, 0.9, 0.999)
    if kind == "lion":
        o["betas"] = pair_of(o, 0.9, 0.99)
    if "epsilon" in o:
        o["eps"] = o.pop("epsilon")
    groups = [{"params": [weight]}, {"params": [bias]}]
    if not everything:
        groups[1]["weight_decay"] = 0
    return MAKERS[kind](groups, **o)


def write_optimizers(path):
    generator = torch.Generator().manual_seed(1)
    count = UNITS * INPUTS + UNITS
    initial = torch.randn(count, generator=generator)
    gradients = torch.randn(STEPS, count, generator=generator)
    with open(path, "w") as out:
        out.write("# made by make_optim_goldens.py with PyTorch %s\n" % torch.__version__)
        out.write("# dense layer, %d inputs, %d units: weight, then bias; gradients are scaled by %g\n"
                  % (INPUTS, UNITS, SCALE))
        write_row(out, "initial", initial)
        for gradient in gradients:
            write_row(out, "gradient", gradient)
        for case in OPTIMIZERS:
            out.write("case %s\n" % case)
            weight = initial[:UNITS * INPUTS].double().requires_grad_()
            bias = initial[UNITS * INPUTS:].double().requires_grad_()
            optimizer = make_optimizer(options_of(case), weight, bias)
            for gradient in gradients:
                weight.grad = SCALE * gradient[:UNITS * INPUTS].double()
                bias.grad = SCALE * gradient[UNITS * INPUTS:].double()
                optimizer.step()
                write_row(out, "params", torch.cat([weight, bias]).detach())
            for name, value in optimizer.state[weight].items():
                if torch.is_tensor(value) and value.shape == weight.shape:
                    write_row(out, name, torch.cat([optimizer.state[p][name] for p in (weight, bias)]))


# steps of an epoch, epochs, learning rate, schedule
SCHEDULES = [
    (3, 4, 0.1, "{type: constant}"),
    (4, 3, 0.1, "{type: constant, warmup_epochs: 1.25}"),
    (3, 7, 0.1, "{type: step, step_epochs: 2}"),
    (3, 7, 0.1, "{type: step, step_epochs: 3, gamma: 0.5, warmup_epochs: 1}"),
    (3, 5, 0.2, "{type: exponential, gamma: 0.9}"),
    (3, 5, 0.2, "{type: exponential, gamma: 0.5, warmup_epochs: 2}"),
    (5, 4, 0.1, "{type: cosine}"),
    (5, 4, 0.1, "{type: cosine, min_lr: 0.01}"),
    (5, 4, 0.1, "{type: cosine, min_lr: 0.001, warmup_epochs: 1}"),
    (5, 6, 0.1, "{type: cosine, min_lr: 0.01, cycles: 3}"),
    (5, 7, 0.1, "{type: cosine, cycles: 2, warmup_epochs: 1}"),
    (5, 4, 0.1, "{type: onecycle, max_lr: 0.4}"),
    (7, 3, 0.1, "{type: onecycle, max_lr: 0.4, pct_start: 0.25, div_factor: 10, final_div_factor: 100}"),
    (1, 2, 0.1, "{type: onecycle, max_lr: 0.4}"),
]


def make_schedule(options, optimizer, epoch_steps, epochs):
    """The scheduler, and whether it is stepped per epoch."""
    o = dict(options)
    kind, warmup = o.pop("type"), round(o.pop("warmup_epochs", 0) * epoch_steps)
    total = epoch_steps * epochs - warmup
    if kind == "onecycle":
        after = lr_scheduler.OneCycleLR(optimizer, total_steps=total, cycle_momentum=False, **o)
    elif kind == "cosine" and "cycles" in o:
        after = lr_scheduler.CosineAnnealingWarmRestarts(optimizer, total // int(o["cycles"]),
                                                         eta_min=o.get("min_lr", 0))
    elif kind == "cosine":
        after = lr_scheduler.CosineAnnealingLR(optimizer, total, eta_min=o.get("min_lr", 0))
    elif kind == "step":
        after = lr_scheduler.StepLR(optimizer, int(o["step_epochs"]) * epoch_steps, o.get("gamma", 0.1))
    elif kind == "exponential":
        after = lr_scheduler.StepLR(optimizer, epoch_steps, o["gamma"])  # per epoch, stepped per step
    else:
        after = lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    if not warmup:
        return after
    before = lr_scheduler.LinearLR(optimizer, 1 / (warmup + 1), total_iters=warmup)
    return lr_scheduler.SequentialLR(optimizer, [before, after], [warmup])


PLATEAU_METRICS = [2.0, 1.5, 1.49999, 1.6, 1.4, 1.41, 1.42, 1.43, 1.2, 1.3, 1.3, math.nan, 1.3, 1.3, 1.3, 1.3,
                   1.1999, 1.3, 1.3, 1.3]
PLATEAUS = [
    (0.1, "{type: plateau, patience: 2}"),
    (0.1, "{type: plateau}"),
    (0.1, "{type: plateau, patience: 0, factor: 0.5, threshold: 0.1, min_lr: 0.01}"),
    (0.1, "{type: plateau, metric: accuracy, patience: 1, factor: 0.5}"),
]


def new_optimizer(lr):
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)


def write_schedules(path):
    with open(path, "w") as out:
        out.write("# made by make_optim_goldens.py with PyTorch %s\n" % torch.__version__)
        out.write("# case: steps of an epoch, epochs, learning rate, schedule; a rate for each step\n")
        for epoch_steps, epochs, lr, case in SCHEDULES:
            out.write("case %d %d %g %s\n" % (epoch_steps, epochs, lr, case))
            optimizer = new_optimizer(lr)
            schedule = make_schedule(options_of(case), optimizer, epoch_steps, epochs)
            rates = []
            for step in range(epoch_steps * epochs):
                rates.append(optimizer.param_groups[0]["lr"])
                optimizer.step()
                if step + 1 < epoch_steps * epochs:
                    schedule.step()
            write_row(out, "rates", rates, digits=12)
        out.write("# plateau: the metric that each epoch ended with, and each epoch's rate\n")
        write_row(out, "metrics", PLATEAU_METRICS)
        for lr, case in PLATEAUS:
            o = options_of(case)
            out.write("case 1 %d %g %s\n" % (len(PLATEAU_METRICS), lr, case))
            optimizer = new_optimizer(lr)
            schedule = lr_scheduler.ReduceLROnPlateau(
                optimizer, mode="max" if o.get("metric") == "accuracy" else "min", factor=o.get("factor", 0.1),
                patience=int(o.get("patience", 10)), threshold=o.get("threshold", 1e-4),
                min_lr=o.get("min_lr", 0))
            rates = []
            for metric in PLATEAU_METRICS:
                rates.append(optimizer.param_groups[0]["lr"])
                schedule.step(metric)
            write_row(out, "rates", rates, digits=12)


write_optimizers(os.path.join(HERE, "optimizers.txt"))
write_schedules(os.path.join(HERE, "schedules.txt"))
