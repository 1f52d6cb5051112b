#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes calls of the program fail, one a run, at every site: the run must end as it does undisturbed, with the same
results, or with status 1 and one line that says why, and leave no temporary file.

usage: walk.py LOCKSTEP WORK [CASE...] [--stride N] [--jobs N] [--ranks N] [--rank R]
               [--every | --preload LIBRARY [--skip LIBRARY]]

What fails are the fault points of the program (src/base/fault.h): the first call of each site, with --every each call.
With --preload they are allocations, of libraries as well (tests/preload/allocations.c). `--rank` says whose. A site that
several cases have is tried in the first of them; of all, every Nth in the order of their first use. `all` are all cases.
"""
import argparse, concurrent.futures, json, os, re, shutil, subprocess, sys

TRAIN = ["train", "toy.yaml", "-o", "run", "train.reduction=exact"]
CASES = {  # name: (arguments, folders to start with, files that are results)
    "train": (TRAIN + ["train.early_stopping={patience: 1}", "train.ema=0.9", "data.augment.shift=0.1"], [], ["run"]),
    "adam": (TRAIN + ["train.optimizer={type: adamw, lr: 0.01}", "train.schedule={type: cosine, warmup_epochs: 1}",
                      "data.shuffle=shard", "train.adversarial={method: fgsm, epsilon: 0.1}"], [], ["run"]),
    "resume": (TRAIN + ["--resume", "train.epochs=3", "checkpoint.keep=1"], ["run"], ["run"]),
    "ensemble": (TRAIN + ["ensemble.members=2", "train.epochs=1"], [], []),
    "init": (TRAIN + ["model.init_from=run/best.h5", "-o", "next"], ["run"], ["next"]),
    "eval": (["eval", "run/best.h5", "--json"], ["run"], []),
    "vote": (["eval", "run/best.h5", "run/best.h5", "--tta", "--split", "validation"], ["run"], []),
    "predict": (["predict", "run/best.h5", "images/a.png", "images/b.png"], ["run", "images"], []),
    "predict-json": (["predict", "run/best.h5", "images/a.png", "images/b.png", "--json"], ["run", "images"], []),
    "predictions": (["eval", "run/best.h5", "--predictions", "p.csv"], ["run"], ["p.csv"]),
    "attack": (["attack", "run/best.h5", "--method", "pgd", "--epsilon", "0,0.1", "--json", "-o", "a"], ["run"], ["a"]),
    "attack-two": (["attack", "run/best.h5", "run/best.h5", "--method", "worst", "--epsilon", "0.1", "-o", "a"], ["run"], ["a"]),
    "attack-vote": (["attack", "run/best.h5", "run/best.h5", "--vote", "--method", "worst", "--epsilon", "0.1", "--json"], ["run"], []),
    "info": (["data", "info", "toy"], [], []),
    "info-json": (["data", "info", "toy.h5", "--json"], ["toy.h5"], []),
    "import": (["data", "import", "toy", "-o", "new.h5"], [], ["new.h5"]),
    "preview": (["data", "preview", "toy", "-o", "sheet.png"], [], ["sheet.png"]),
    "inspect": (["inspect", "run/best.h5"], ["run"], []),
    "inspect-config": (["inspect", "run/best.h5", "--config"], ["run"], []),
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


class Points:
    """Fault points: a fault is POINT:N, a site the point and where it is called."""

    def __init__(self, every):
        self.every = every

    def listing(self, path):
        return {"LS_FAULT_LIST": path}

    def failing(self, fault):
        return {"LS_FAULT": fault}

    def read(self, path):
        calls = [line.rstrip("\n").split(" ", 2) for line in open(path)]
        return [(f"{point}:{n}", f"{point}:{n}" if self.every else f"{point} {site}") for point, n, site in calls]

    def may_leave_files(self, fault):  # the other ranks are ended by force
        return fault.startswith(("message:", "remove:"))


class Allocations:
    """Allocations, distinguished by the stack."""

    def __init__(self, library, skip):
        self.library = {"LD_PRELOAD": library, **({"LS_ALLOC_SKIP": skip} if skip else {})}

    def listing(self, path):
        return {"LS_ALLOC_SITES": path, **self.library}

    def failing(self, fault):
        return {"LS_ALLOC_FAIL": fault, **self.library}

    def read(self, path):
        return [(site, site) for site in open(path).read().split()]

    def may_leave_files(self, fault):
        return False


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
        plain = [f"{k}={v}" for k, v in {"OMP_NUM_THREADS": "1", "TMPDIR": os.path.join(self.folder, "tmp")}.items()]
        armed = [f"{k}={v}" for k, v in environment.items()]
        ranks = [["env", *plain, *(armed if r == self.given.rank else []), self.given.lockstep, *self.arguments]
                 for r in range(self.given.ranks)]
        command = ranks[0]
        if self.given.ranks > 1:
            command = [os.path.join(os.path.dirname(__file__), "..", "mpirun.sh"), "1"] + ranks[0]
            for rank in ranks[1:]:
                command += [":", "-n", "1"] + rank
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

    def find_fault(self, undisturbed, fault):
        """What is wrong with a run that has this fault; None if nothing is."""
        status, out, err, made = self.run(self.given.kind.failing(fault))
        lines = errors(err)
        said = "; ".join(lines) or err[-300:]
        left = [name for _, _, names in os.walk(self.folder) for name in names if name.endswith(".tmp")]
        if left and not self.given.kind.may_leave_files(fault):
            return f"leaves {' '.join(left)}: {said}"
        if status == undisturbed[0] == 0 and made != undisturbed[3]:
            return f"status 0, other results: {said} {difference(undisturbed[3], made)}"
        if status == undisturbed[0] == 0 or (status in (1, undisturbed[0]) and len(lines) == 1):
            return None
        return f"status {status}: {said}"


def errors(err):
    """Lines that report an error; warnings, which of several members failed or pictures were passed over, and that the
    launcher has ended a rank because another one failed, apart."""
    lines = [line for line in err.splitlines() if line.startswith("lockstep")]
    other = r"lockstep: (warning: |member [0-9]+: |ended on request \(SIGTERM\))"
    return [line for line in lines if not re.match(other, line)]


def difference(expected, found):
    expected, found = ascii(str(expected)), ascii(str(found))
    at = next((i for i, (a, b) in enumerate(zip(expected, found)) if a != b), min(len(expected), len(found)))
    return f"{expected[max(0, at - 40):at + 60]!r} became {found[max(0, at - 40):at + 60]!r}"


def try_case(given, name, known):
    """Faults of a case at sites that are not known yet; what is wrong."""
    listed = os.path.join(given.work, f"sites-{name}")
    if os.path.exists(listed):
        os.remove(listed)
    trial = Trial(given, name, os.path.join(given.work, f"try-{name}"))
    undisturbed = status, out, err, made = trial.run(given.kind.listing(listed))
    if status != (2 if name == "refused" else 0):
        print(f"{name}: undisturbed it ends with {status}: {err}", flush=True)
        return [name]
    calls = given.kind.read(listed) if os.path.exists(listed) else []
    if not calls:
        print(f"{name}: no call was seen", flush=True)
        return [name]
    sites = {}
    for fault, site in calls:
        sites.setdefault(site, fault)
    fresh = [fault for site, fault in sites.items() if site not in known]
    known.update(sites)
    chosen = fresh[::given.stride]

    def one(fault):
        trial = Trial(given, name, os.path.join(given.work, f"try-{name}-{fault}"))
        wrong = trial.find_fault(undisturbed, fault)
        shutil.rmtree(trial.folder, ignore_errors=True)
        return wrong and f"{name}: {fault}: {wrong}"

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
    parser.add_argument("lockstep"), parser.add_argument("work"), parser.add_argument("cases", nargs="*")
    parser.add_argument("--stride", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--rank", type=int, default=0, help="the one whose calls fail")
    parser.add_argument("--every", action="store_true", help="every call of a point, not one of each site")
    parser.add_argument("--preload", help="tests/preload/allocations.so")
    parser.add_argument("--skip", help="a library whose own allocations are let alone")
    given = parser.parse_args()
    given.work = os.path.abspath(given.work)
    given.kind = Allocations(given.preload, given.skip) if given.preload else Points(given.every)
    prepare(given)
    cases = given.cases
    if cases in ([], ["all"]):
        cases = [name for name in CASES if name != "scale" or given.ranks > 1]
    known = set()
    wrong = [text for name in cases for text in try_case(given, name, known)]
    sys.exit(1 if wrong else 0)


main()
