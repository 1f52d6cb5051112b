#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes allocations of the program fail, one a run, at every site (allocations.c): the run must end as it does
undisturbed, with the same results, or with status 1 and one line that says why.

usage: allocations.py LOCKSTEP PRELOAD WORK [CASE...] [--stride N] [--jobs N] [--ranks N] [--skip LIBRARY]

Of each case's sites every Nth is tried, in the order of their first use. `all` are all cases.
"""
import argparse, concurrent.futures, json, os, re, shutil, subprocess, sys

TRAIN = ["train", "toy.yaml", "-o", "run"]
CASES = {  # name: (arguments, folders to start with, files that are results)
    "train": (TRAIN + ["train.early_stopping={patience: 1}", "train.ema=0.9", "data.augment.shift=0.1"], [], ["run"]),
    "adam": (TRAIN + ["train.optimizer={type: adamw, lr: 0.01}", "train.schedule={type: cosine, warmup_epochs: 1}",
                      "data.shuffle=shard", "train.adversarial={method: fgsm, epsilon: 0.1}"], [], ["run"]),
    "resume": (TRAIN + ["--resume", "train.epochs=3"], ["run"], ["run"]),
    "ensemble": (TRAIN + ["ensemble.members=2", "train.epochs=1"], [], []),
    "init": (TRAIN + ["model.init_from=run/best.h5", "-o", "next"], ["run"], ["next"]),
    "eval": (["eval", "run/best.h5", "--json"], ["run"], []),
    "vote": (["eval", "run/best.h5", "run/best.h5", "--tta", "--split", "validation"], ["run"], []),
    "predict": (["predict", "run/best.h5", "images/a.png", "images/b.png"], ["run", "images"], []),
    "predict-json": (["predict", "run/best.h5", "images/a.png", "images/b.png", "--json"], ["run", "images"], []),
    "predict-csv": (["predict", "run/best.h5", "images/a.png", "-o", "p.csv"], ["run", "images"], ["p.csv"]),
    "attack": (["attack", "run/best.h5", "--method", "pgd", "--epsilon", "0,0.1", "--json", "-o", "a"], ["run"], ["a"]),
    "attack-two": (["attack", "run/best.h5", "run/best.h5", "--method", "worst", "--epsilon", "0.1", "-o", "a"], ["run"], ["a"]),
    "attack-vote": (["attack", "run/best.h5", "run/best.h5", "--vote", "--method", "worst", "--epsilon", "0.1", "--json"], ["run"], []),
    "info": (["data", "info", "toy"], [], []),
    "info-json": (["data", "info", "toy.h5", "--json"], ["toy.h5"], []),
    "import": (["data", "import", "toy", "-o", "new.h5"], [], ["new.h5"]),
    "preview": (["data", "preview", "toy", "-o", "sheet.png"], [], ["sheet.png"]),
    "inspect": (["inspect", "run/best.h5"], ["run"], []),
    "inspect-json": (["inspect", "run/best.h5", "--json"], ["run"], []),
    "help": (["train", "--help-config"], [], []),
    "dry": (TRAIN + ["--dry-run"], [], []),
    "doctor": (["doctor", "--json"], [], []),
    "bench": (["bench", "toy.yaml", "--json", "--seconds", "0.01"], [], []),
    "scale": (["scale", "toy.yaml", "-o", "scaling", "--seconds", "0.01"], [], []),
    "refused": (["train", "toy.yaml", "train.epocs=3"], [], []),
}
# Times, and what is coped with and said: slower kernels, sums sent instead of shared.
FREE = re.compile(r"^.* samples/s.*$|in [0-9.]+ (s|min)\b|^[0-9].* s left.*$|, libxsmm.*$|, register tiles.*$|"
                  r"^the ranks of a host cannot share memory here.*\n", re.M)
MEASURED = {"seconds", "samples_per_second", "seconds_left", "balance"}


def untimed(value):
    if isinstance(value, dict):
        return {k: untimed(v) for k, v in value.items() if k not in MEASURED}
    return [untimed(v) for v in value] if isinstance(value, list) else value


def shape(value):
    """A document's keys, without what was measured."""
    if isinstance(value, dict):
        return {k: shape(v) for k, v in value.items()}
    return [shape(v) for v in value] if isinstance(value, list) else type(value).__name__


def content(path):
    """What of a result may not change."""
    if os.path.isdir(path):
        return {name: content(os.path.join(path, name)) for name in sorted(os.listdir(path)) if name != "lock"}
    data = open(path, "rb").read()
    if path.endswith(".json"):
        return untimed(json.loads(data))
    if path.endswith((".csv", ".h5")):  # epochs' seconds are in them
        return data.count(b"\n") if path.endswith(".csv") else True
    return data


class Trial:
    def __init__(self, given, name, folder):
        self.given, self.name, self.folder = given, name, folder
        self.arguments, self.starts, self.results = CASES[name]

    def run(self, environment):
        """Exit status, output and results of the case in a new folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(os.path.join(self.folder, "tmp"))
        for start in ["toy.yaml", "toy"] + self.starts:
            source, goal = os.path.join(self.given.work, start), os.path.join(self.folder, start)
            if start == "run" or start == "toy.yaml":
                shutil.copytree(source, goal) if os.path.isdir(source) else shutil.copy(source, goal)
            else:
                os.symlink(source, goal)
        preload = {"LD_PRELOAD": self.given.preload, "OMP_NUM_THREADS": "1", "TMPDIR": os.path.join(self.folder, "tmp"),
                   **environment}
        if self.given.skip:
            preload["LS_ALLOC_SKIP"] = self.given.skip
        command = ["env"] + [f"{k}={v}" for k, v in preload.items()] + [self.given.lockstep] + self.arguments
        if self.given.ranks > 1:
            command = [os.path.join(os.path.dirname(__file__), "..", "mpirun.sh"), str(self.given.ranks)] + command
        try:
            done = subprocess.run(command, cwd=self.folder, capture_output=True, timeout=120)
        except subprocess.TimeoutExpired as late:
            return "none within 120 s", b"", (late.stderr or b"").decode(errors="replace"), None
        return done.returncode, done.stdout, done.stderr.decode(errors="replace"), self.made(done)

    def made(self, done):
        if done.returncode != 0:
            return None
        try:
            if self.name in ("bench", "scale"):
                out = shape(json.loads(done.stdout)) if self.name == "bench" else done.stdout.count(b"\n")
            else:
                out = FREE.sub("", done.stdout.decode())
            return out, [content(os.path.join(self.folder, result)) for result in self.results]
        except (OSError, ValueError) as wrong:
            return f"unreadable: {wrong}"

    def judge(self, undisturbed, site):
        """What is wrong with a run in which `site` fails; None if nothing is."""
        status, out, err, made = self.run({"LS_ALLOC_FAIL": site, **self.given.rank})
        lines = errors(err)
        said = "; ".join(lines) or err[-300:]
        if status == undisturbed[0] == 0 and made != undisturbed[3]:
            return f"status 0, other results: {said} {difference(undisturbed[3], made)}"
        if status == undisturbed[0] == 0 or (status in (1, undisturbed[0]) and len(lines) == 1):
            return None
        return f"status {status}: {said}"


def errors(err):
    """Lines that tell an error; warnings, and which of several members failed or pictures were passed over, apart."""
    lines = [line for line in err.splitlines() if line.startswith("lockstep")]
    return [line for line in lines if not re.match("lockstep: (warning|member [0-9]+): ", line)]


def difference(expected, found):
    expected, found = ascii(str(expected)), ascii(str(found))
    at = next((i for i, (a, b) in enumerate(zip(expected, found)) if a != b), min(len(expected), len(found)))
    return f"{expected[max(0, at - 40):at + 60]!r} became {found[max(0, at - 40):at + 60]!r}"


def try_case(given, name):
    list_of_sites = os.path.join(given.work, f"sites-{name}")
    if os.path.exists(list_of_sites):
        os.remove(list_of_sites)
    trial = Trial(given, name, os.path.join(given.work, f"try-{name}"))
    status, out, err, made = trial.run({"LS_ALLOC_SITES": list_of_sites, **given.rank})
    undisturbed = status, out, err, made
    if status != (2 if name == "refused" else 0):
        print(f"{name}: undisturbed it ends with {status}: {err}", flush=True)
        return [name]
    sites = open(list_of_sites).read().split()
    if not sites:
        print(f"{name}: no allocation was seen", flush=True)
        return [name]
    chosen = sites[::given.stride]

    def one(site):
        trial = Trial(given, name, os.path.join(given.work, f"try-{name}-{site}"))
        wrong = trial.judge(undisturbed, site)
        shutil.rmtree(trial.folder, ignore_errors=True)
        return wrong and f"{name}: LS_ALLOC_FAIL={site}: {wrong}"

    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        wrong = [text for text in pool.map(one, chosen) if text]
    print(f"{name}: {len(chosen)} of {len(sites)} sites, {len(wrong)} wrong", flush=True)
    for text in wrong:
        print("  " + text, flush=True)
    return wrong


def prepare(given):
    """What the cases start from."""
    def lockstep(*arguments):
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run([given.lockstep, *arguments], cwd=given.work, env=environment, check=True, capture_output=True)
    for name in os.listdir(given.work):
        path = os.path.join(given.work, name)
        if name not in ("toy", "toy.yaml"):
            shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
    lockstep(*TRAIN)
    lockstep("data", "import", "toy", "-o", "toy.h5")
    lockstep("data", "preview", "toy", "-o", "sheet.png")
    images = os.path.join(given.work, "images")
    os.makedirs(images, exist_ok=True)
    for name in ("a.png", "b.png"):
        shutil.copy(os.path.join(given.work, "sheet.png"), os.path.join(images, name))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lockstep"), parser.add_argument("preload"), parser.add_argument("work")
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--stride", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--skip", help="a library that is let alone")
    given = parser.parse_args()
    given.work, given.rank = os.path.abspath(given.work), {"LS_ALLOC_RANK": "1"} if given.ranks > 1 else {}
    prepare(given)
    cases = given.cases
    if cases in ([], ["all"]):
        cases = [name for name in CASES if name != "scale" or given.ranks > 1]
    wrong = [text for name in cases for text in try_case(given, name)]
    sys.exit(1 if wrong else 0)


main()
