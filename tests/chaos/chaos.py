#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Interrupt or damage a training run again and again, resume it each time, and compare its end with the uninterrupted run's.

Started by run.sh, in a folder with chaos.yaml, the dataset, and disk/, a small tmpfs where it can be had. Every
choice follows from the seed; where in the program a blow falls also depends on the machine's timing. The first
thing that is not as expected ends the session, so that the run directory is kept as it was then.
"""
import argparse
import contextlib
import csv
import dataclasses
import glob
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

RUN = "disk/run"
EPOCH_STEPS = 20
MOST_EPOCHS = 10000  # more than any machine does before it is stopped
HANG_S = 500  # a limit for what hangs alone


class Failure(Exception):
    pass


def check(holds, message):
    if not holds:
        raise Failure(message)


# ---- what is on the disk ----


def signature(path):
    info = os.stat(path)
    return info.st_ino, info.st_mtime_ns


def checkpoints():
    """{step: path}, newest first."""
    found = {}
    for path in glob.glob(f"{RUN}/checkpoint-*.h5"):
        found[int(re.search(r"-(\d+)\.h5$", path)[1])] = path
    return dict(sorted(found.items(), reverse=True))


def newest_step():
    return next(iter(checkpoints()), 0)


def intact(damaged):
    """The same without those that were damaged and not written anew since; `damaged` is {path: signature}."""
    return {step: path for step, path in checkpoints().items() if damaged.get(path) != signature(path)}


def temporaries():
    return {(path, signature(path)) for path in glob.glob(f"{RUN}/.*.tmp")}


def summary(folder):
    with open(f"{folder}/summary.json") as file:
        return json.load(file)


def metrics(folder):
    with open(f"{folder}/metrics.csv") as file:
        return [{key: row[key] for key in row if key != "seconds"} for row in csv.DictReader(file)]


def inspect(options, path):
    """The weights digest of a checkpoint, which has to be intact."""
    done = subprocess.run([options.lockstep, "inspect", path], capture_output=True, text=True)
    check(done.returncode == 0, f"{path}: {done.stderr}")
    return re.search(r"weights digest +(\w+)", done.stdout)[1]


# ---- jobs ----


def processes():
    """{pid: rank} of what our jobs have running; None for the launcher's own. Orphans are found as well."""
    mark = f"TMPDIR={os.path.abspath('tmp')}".encode()
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:
            variables = file.read().split(b"\0")
            if mark in variables:
                rank = [v.split(b"=")[1] for v in variables if v.startswith(b"OMPI_COMM_WORLD_RANK=")]
                found[int(pid)] = int(rank[0]) if rank else None
    return found


def command(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/comm") as file:
        return file.read().strip()


def send(number, pids):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


class Job:
    """One `lockstep train` under mpirun."""

    count = 0

    def __init__(self, options, ranks, threads, folder, *arguments):
        self.log = f"log/{Job.count}"
        self.size, self.threads = ranks, threads
        Job.count += 1
        here = os.path.abspath("tmp")
        environment = dict(os.environ, TMPDIR=here, OMPI_MCA_btl_vader_backing_directory=here,
                           OMP_NUM_THREADS=str(threads), OMP_WAIT_POLICY="passive", LS_TEST_TIMEOUT="3600")
        command = [options.mpirun, str(ranks), options.lockstep, "train", "chaos.yaml", "-o", folder,
                   f"train.epochs={options.epochs}", *arguments]
        with open(self.log + ".out", "w") as out, open(self.log + ".err", "w") as err:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                            env=environment)

    def text(self, stream):
        with open(f"{self.log}.{stream}") as file:
            return file.read()

    def runs(self):
        return self.process.poll() is None

    def wait_for(self, condition, seconds):
        """False if the job ends before the condition holds."""
        late = time.monotonic() + seconds
        while self.runs():
            if condition():
                return True
            check(time.monotonic() < late, f"{self.log}: neither an end nor progress in {seconds} s")
            time.sleep(0.001)
        return False

    def end(self, seconds):
        self.wait_for(lambda: False, seconds)
        late = time.monotonic() + seconds
        while left := processes():
            check(time.monotonic() < late, f"{self.log}: processes are left: {left}")
            time.sleep(0.01)
        return self.process.returncode

    def ranks(self):
        found = processes()
        return sorted((pid for pid in found if found[pid] is not None), key=found.get)


class Resumed(Job):
    """A job that has to go on from the newest intact checkpoint of RUN."""

    def __init__(self, options, damaged):
        self.files = {signature(path) for path in checkpoints().values()}
        self.stale = temporaries()
        self.start = next(iter(intact(damaged)), 0)
        self.skipped = [path for step, path in checkpoints().items() if step > self.start]
        self.resumed_at = None
        super().__init__(options, random.randint(1, 4), random.randint(1, 2), RUN, "--resume")

    def resumes(self):
        if not self.resumed_at and re.search(r"^(resuming from|no checkpoint in) .*\n", self.text("out"), re.M):
            self.resumed_at = time.monotonic()
        return self.resumed_at is not None

    def check_resume(self):
        """After its end, if it came so far: what it went on from, and what it cleared away."""
        if not self.resumes():
            return False
        out = self.text("out")
        skipped = re.findall(r"^skipping checkpoint '(.*?)': .+", out, re.M)
        check(skipped == self.skipped, f"{self.log}: skipped {skipped}, not {self.skipped}")
        found = re.search(r"^resuming from (.*): (\d+) steps? (?:is|are) done: ", out, re.M)
        step = int(found[2]) if found else 0
        check(step == self.start, f"{self.log}: went on from step {step}, not {self.start}")
        fresh = [path for path in checkpoints().values() if signature(path) not in self.files]
        left = self.stale & temporaries()
        check(len(fresh) < 2 or not left, f"{self.log}: temporary files of an earlier job are left: {left}")
        return True


# ---- injuries: each is a context in which the job ends ----


@contextlib.contextmanager
def kill_one(job):
    send(signal.SIGKILL, [random.choice(job.ranks())])
    yield


@contextlib.contextmanager
def kill_all(job):
    send(signal.SIGKILL, job.ranks())
    yield


@contextlib.contextmanager
def kill_launcher(job):
    send(signal.SIGKILL, [pid for pid in processes() if command(pid) == "mpirun"])
    yield


@contextlib.contextmanager
def kill_in_write(job):
    writer = job.ranks()[:1]
    while job.runs() and not any(re.fullmatch(r"\..*\.h5\..*\.tmp", name) for name in os.listdir(RUN)):
        pass
    send(signal.SIGKILL, writer)
    yield


@contextlib.contextmanager
def stop_request(job):
    ranks = job.ranks()
    send(signal.SIGTERM, random.choice([ranks, ranks[:1], ranks[-1:]]))
    yield
    stopped = re.search(rf"^lockstep: stopped on request after step (\d+) .*; go on with --resume -o {RUN}$",
                        job.text("err"), re.M)
    if job.process.returncode == 75:
        check(stopped and int(stopped[1]) in checkpoints(), f"{job.log}: no checkpoint, or no word how to go on")


@contextlib.contextmanager
def full_disk(job):
    """What pruning frees is taken at once, up to less than a checkpoint needs."""
    space = random.randrange(200000)
    late = time.monotonic() + HANG_S
    with open("disk/filler", "ab", 0) as filler:
        while job.runs() and time.monotonic() < late:
            disk = os.statvfs("disk")
            with contextlib.suppress(OSError):
                filler.write(bytes(max(0, disk.f_bavail * disk.f_frsize - space)))
            time.sleep(0.0005)
    yield
    os.unlink("disk/filler")


@contextlib.contextmanager
def read_only(job):
    if os.path.ismount("disk"):
        while subprocess.run(["mount", "-o", "remount,ro", "disk"], capture_output=True).returncode != 0:
            check(job.runs(), "disk/ cannot be made read-only")  # busy while a file is being written
    else:
        os.chmod(RUN, 0o555)
    yield
    if os.path.ismount("disk"):
        subprocess.run(["mount", "-o", "remount,rw", "disk"], check=True)
    else:
        os.chmod(RUN, 0o755)


@contextlib.contextmanager
def remove_folder(job):
    """A job would follow a folder that is moved: its files get names elsewhere, and the folder goes."""
    ranks = job.ranks()
    send(signal.SIGSTOP, ranks)
    os.mkdir(RUN + ".away")
    for name in os.listdir(RUN):
        os.link(f"{RUN}/{name}", f"{RUN}.away/{name}")
    shutil.rmtree(RUN)
    send(signal.SIGCONT, ranks)
    yield
    check(not os.path.exists(RUN), f"{RUN} was made anew by a running job")
    os.rename(RUN + ".away", RUN)


@contextlib.contextmanager
def flip_bytes(job):
    with kill_all(job):
        yield
    with open(checkpoints()[newest_step()], "r+b") as file:
        size = os.fstat(file.fileno()).st_size
        for _ in range(random.randint(1, 4)):
            at = random.randrange(size)
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 1 << random.randrange(8)]))


@contextlib.contextmanager
def truncate(job):
    with kill_all(job):
        yield
    path = checkpoints()[newest_step()]
    os.truncate(path, random.randrange(os.path.getsize(path)))


@dataclasses.dataclass(frozen=True)
class Kind:
    name: str
    hurt: object
    status: object = "not 0"
    reason: str = ""  # that the one error gives
    anytime: bool = False  # also before training starts
    damages: bool = False  # the newest checkpoint


DISK_FULL = Kind("disk full", full_disk, status=1, reason="No space left on device")
READ_ONLY = Kind("read-only folder", read_only, status=1, reason="Read-only file system|Permission denied")
KINDS = [
    Kind("one rank killed", kill_one, anytime=True),
    Kind("all ranks killed", kill_all, anytime=True),
    Kind("mpirun killed", kill_launcher, anytime=True),
    Kind("killed while writing", kill_in_write),
    Kind("SIGTERM", stop_request, status=75),
    DISK_FULL,
    READ_ONLY,
    Kind("folder removed", remove_folder, status=1, reason="was removed"),
    Kind("bytes flipped", flip_bytes, damages=True),
    Kind("truncated", truncate, damages=True),
]


def check_end(job, kind):
    """The exit status and the words that a kind of injury must lead to."""
    status = job.process.returncode
    expected = status != 0 if kind.status == "not 0" else status == kind.status
    check(expected, f"{job.log}: {kind.name}: exit status {status}, not {kind.status}")
    if kind.reason:
        errors = re.findall(r"^lockstep: (?!warning:).*", job.text("err"), re.M)
        check(len(errors) == 1, f"{job.log}: {kind.name}: {len(errors)} errors: {errors}")
        check(re.search(rf"'{RUN}.*({kind.reason})", errors[0]), f"{job.log}: {kind.name}: {errors[0]}")


# ---- the whole ----


@dataclasses.dataclass
class Row:
    """A kind's line of the table."""

    times: int = 0
    survived: int = 0
    seconds: float = 0.0  # from the blow to training again
    steps: int = 0  # from the newest checkpoint, damaged or not, to the one gone on from


class Chaos:
    def __init__(self, options):
        self.options = options
        self.rows = {kind: Row() for kind in KINDS}
        self.skipped = {}
        if not os.path.ismount("disk"):
            self.skipped[DISK_FULL] = "no tmpfs can be mounted here"
            if os.geteuid() == 0:
                self.skipped[READ_ONLY] = "root ignores modes, and no tmpfs can be mounted here"
        self.damaged = {}
        self.wounds = []  # injuries that no job has gone on from yet: kind, moment, newest step
        self.caught = 0  # writes that left a temporary file

    def count(self):
        return sum(row.times for row in self.rows.values())

    def reference(self):
        job = Job(self.options, 1, 1, "reference", "checkpoint.every_steps=0")
        check(job.end(HANG_S) == 0, f"{job.log}: the uninterrupted run fails")

    def heal(self, job):
        """A job that is over had gone on from the injuries before it, if it came so far."""
        if not job.check_resume():
            return
        for kind, moment, newest in self.wounds:
            row = self.rows[kind]
            row.survived += 1
            row.seconds += job.resumed_at - moment
            row.steps += newest - job.start
        self.wounds = []

    def finish(self, job):
        """The run is complete: is it what it would have been?"""
        self.heal(job)
        check(job.process.returncode == 0, f"{job.log}: exit status {job.process.returncode} without an injury")
        ours, theirs = summary(RUN), summary("reference")
        for value in ("weights_digest", "epochs", "steps"):
            check(ours[value] == theirs[value], f"{value}: {ours[value]}, not {theirs[value]}")
        check(ours["test"] == theirs["test"], f"test: {ours['test']}, not {theirs['test']}")
        check(len(metrics(RUN)) == self.options.epochs, f"{len(metrics(RUN))} epochs in metrics.csv")
        check(metrics(RUN) == metrics("reference"), "metrics.csv is not the uninterrupted run's")
        check(not temporaries(), f"temporary files are left: {temporaries()}")
        for path in intact(self.damaged).values():
            inspect(self.options, path)
        best, expected = (inspect(self.options, f"{folder}/best.h5") for folder in (RUN, "reference"))
        check(best == expected, f"best.h5: weights {best}, not {expected}")
        print(f"complete: weights {ours['weights_digest']} as in the uninterrupted run", flush=True)

    def moment(self, job, kind):
        """Wait for the time to strike; False if the job ends before."""
        if kind.anytime and random.random() < 0.25:
            job.wait_for(lambda: len(job.ranks()) == job.size, HANG_S)
            delay_s = random.random()
        else:
            ahead = random.randint(1, EPOCH_STEPS * self.options.epochs // self.options.kills)
            if not job.wait_for(lambda: job.resumes() and newest_step() >= job.start + ahead, HANG_S):
                return False
            delay_s = 0.03 * random.random()
        late = time.monotonic() + delay_s
        return job.wait_for(lambda: time.monotonic() >= late, HANG_S)

    def strike(self, kind):
        """One injury; False if the run is complete before it falls."""
        job = Resumed(self.options, self.damaged)
        if not self.moment(job, kind):
            job.end(HANG_S)
            self.finish(job)
            return False
        struck = time.monotonic()
        with kind.hurt(job):
            job.end(HANG_S)
        if job.process.returncode == 0:  # too late: it was about to end
            self.finish(job)
            return False
        self.heal(job)
        self.rows[kind].times += 1
        check_end(job, kind)
        self.wounds.append((kind, struck, next(iter(intact(self.damaged)), 0)))
        if kind.damages:
            path = checkpoints()[newest_step()]
            self.damaged[path] = signature(path)
        self.caught += kind.hurt is kill_in_write and bool(temporaries() - job.stale)
        print(f"{self.count():3d} {kind.name:20s} {job.size} x {job.threads} ranks x threads, from step {job.start} "
              f"to {newest_step()}, exit {job.process.returncode} in {time.monotonic() - struck:.1f} s", flush=True)
        return True

    def session(self):
        self.reference()
        deck = []
        while self.count() < self.options.kills:
            if not deck:
                deck = [kind for kind in KINDS if kind not in self.skipped]
                random.shuffle(deck)
            if self.strike(deck[-1]):
                deck.pop()
            else:  # the machine was too fast: another run, that is longer
                check(self.options.epochs < MOST_EPOCHS, f"{deck[-1].name}: no run ends by it")
                shutil.rmtree(RUN)
                shutil.rmtree("reference")
                self.damaged = {}
                self.options.epochs *= 4
                self.reference()
        job = Resumed(self.options, self.damaged)
        job.wait_for(job.resumes, HANG_S)
        job.end(HANG_S)
        self.finish(job)

    def table(self):
        print(f"\n{'mean of':35s} {'seconds to':>12s} {'checkpointed':>12s}\n"
              f"{'injury':20s} {'times':>5s} {'survived':>8s} {'go on':>12s} {'steps lost':>12s}")
        for kind, row in self.rows.items():
            if kind in self.skipped:
                print(f"{kind.name:20s} skipped: {self.skipped[kind]}")
                continue
            count = max(1, row.survived)
            print(f"{kind.name:20s} {row.times:5d} {row.survived:8d} {row.seconds / count:12.2f} "
                  f"{row.steps / count:12.1f}")
        print(f"({self.caught} of the kills while writing left a temporary file)")


def main():
    parser = argparse.ArgumentParser(prog="run.sh", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=len(KINDS), help="injuries (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of every choice (default: %(default)s)")
    parser.add_argument("lockstep", help=argparse.SUPPRESS)
    parser.add_argument("mpirun", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.epochs = 10 + 4 * options.kills
    random.seed(options.seed)
    print(f"seed {options.seed}, {options.kills} injuries, {options.epochs} epochs", flush=True)
    chaos = Chaos(options)
    failed = 0
    try:
        chaos.session()
    except Failure as failure:
        print(f"FAILED: {failure}")
        for path in sorted(glob.glob("log/*"), key=os.path.getmtime)[-2:]:  # of the last job
            with open(path) as file:
                print(f"the end of {path}:\n{''.join(file.readlines()[-20:])}")
        failed = 1
    chaos.table()
    print(f"{max(0, chaos.count() - failed)} survived, {failed} failed")
    return failed


if __name__ == "__main__":
    sys.exit(main())
