#!/usr/bin/env python3
"""Runs every command line of the README, literally and in its order, in the folder where this is called.

    commands.py BUILD      the folder that the program was built in, for ctest

What takes hours, needs root or a network, or is this test itself, is not run but looked at: ELSEWHERE says why, a script
has to be there and be sound, and a pattern of ctest has to match. Ends with status 1 if something is not so.
"""
import os
import re
import subprocess
import sys

import markdown

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
PROGRAMS = ("lockstep", "mpirun", "srun", "bash", "ctest", "cmake", "sbatch")

# Beginnings of commands, and why they are not run here.
ELSEWHERE = {
    "bash jobs/quickstart.sh": "builds everything; tests/fresh.sh runs it on a bare system",
    "bash tests/run.sh": "runs this test",
    "bash tests/": "a test of its own, or a measurement of minutes to hours",
    "bash jobs/imagenet.sh": "downloads 34 MB; cli.foreign sees how it ends without a network",
    "bash jobs/": "a study of hours",
    "bash data/fetch.sh mnist": "downloads; cli.fetch runs it against a mirror",
    "ctest ": "a part of the tests, of which this is one",
    "cmake --install": "style/install.sh installs",
    "sbatch ": "needs Slurm; tests/cluster/test_slurm.sh submits it",
}


def commands(text):
    """Lines of fenced blocks, without their comments; then what stands in the text, unless it is cut short by dots, has a word
    for the reader to replace, or is no more than the name of a command."""
    for line in markdown.fenced(text):
        line = re.sub(r"\s+#.*", "", line).strip()
        if line:
            yield line
    for span in markdown.inline(text):
        words = span.split()
        if len(words) > 1 and words[0] in PROGRAMS and not re.search(r"\.\.\.|\b[A-Z_]{4,}\b|^lockstep \w+$", span):
            yield span


def look_at(command):
    """Empty if a command that is not run could be."""
    script = re.match(r"bash (\S+\.sh)", command) or re.match(r"sbatch (\S+)", command)
    if script:
        return subprocess.run(["bash", "-n", os.path.join(ROOT, script[1])], capture_output=True, text=True, check=False).stderr
    if command.startswith("ctest "):
        chosen = re.search(r"-[RL] '?([^' ]+)", command)
        listed = subprocess.run(["ctest", "--test-dir", sys.argv[1], "-N", *(chosen[0].replace("'", "").split() if chosen else ())],
                                capture_output=True, text=True, check=False).stdout
        return "" if re.search(r"Total Tests: [1-9]", listed) else "it matches no test"
    return ""


def run(command):
    limit = os.environ.get("LS_TEST_TIMEOUT", "500")
    done = subprocess.run(["timeout", "-k", "5", limit, "bash", "-c", command], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"status {done.returncode}\n{done.stdout[-1000:]}{done.stderr[-2000:]}"


with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as readme:
    wanted = list(dict.fromkeys(commands(readme.read())))
failed, used = 0, set()
for command in wanted:
    reasons = [start for start in ELSEWHERE if command.startswith(start)]
    used.update(reasons[:1])
    print(f"{'looking at' if reasons else 'running   '} {command}", flush=True)
    trouble = look_at(command) if reasons else run(command)
    if trouble:
        failed += 1
        print(f"FAILED: {command}: {trouble}", flush=True)
for start in ELSEWHERE.keys() - used:
    failed += 1
    print(f"FAILED: the README has no command '{start}' any more")
sys.exit(1 if failed or not wanted else 0)
