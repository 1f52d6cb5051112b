#!/usr/bin/env python3
"""Checks what the documents say against the tree and the program: files, keys, options, lists, figures; and the files
that comments of the sources name.

    documents.py LOCKSTEP      the program; run it where the names of the datasets lead to something

Prints a line for each thing that is not so, and ends with status 1 if there is one.
"""
import glob
import os
import re
import subprocess
import sys

import markdown

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "configs/README.md", "jobs/README.md"]
COMMANDS = ["train", "eval", "predict", "attack", "scale", "bench", "inspect", "export", "doctor", "data info", "data import",
            "data preview"]
PATH = re.compile(r"^[A-Za-z0-9_.*\[\]{},<>-]+(/[A-Za-z0-9_.*\[\]{},<>-]+)*/?$")
# What runs write, systems have, or a reader is to replace.
ELSEWHERE = re.compile(r"^(runs|DIR|RUN_DIR|/etc|/usr|build|data/mnist|emnist|data/cifar)\b|[<>]|FILE|NAME|^CONFIG\.|"
                       r"^(best|metrics|checkpoint|summary|config|ensemble|reliability|scaling|results|curve|model|mnist|mine)"
                       r"[-\w]*\.(h5|csv|json|svg|yaml|png|pt|npz|onnx|safetensors)$")
FILE = re.compile(r"\.(c|h|sh|py|md|yaml|sbatch|txt|in|cmake)$")
complaints = []


def complain(where, what):
    complaints.append(f"{where}: {what}")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def lockstep(*arguments):
    return subprocess.run([sys.argv[1], *arguments], capture_output=True, text=True, check=True).stdout


def exists(document, name):
    """A path from the root, from src/, include/, tests/ or the document's own folder, or the name of a file anywhere in src/
    and tests/; braces and stars as the shell has them."""
    alternatives = re.findall(r"\{([^}]*)\}", name)
    names = [name] if not alternatives else [re.sub(r"\{[^}]*\}", word, name) for word in alternatives[0].split(",")]
    bases = ["", "src", "include", "tests", os.path.dirname(document)] + ([] if "/" in name else ["src/**", "tests/**"])
    return all(any(glob.glob(os.path.join(ROOT, base, one), recursive=True) for base in bases) for one in names)


def check_paths(document, text):
    inline, lines = markdown.inline(text), markdown.fenced(text)
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in target and not os.path.exists(os.path.join(ROOT, os.path.dirname(document), target)):
            complain(document, f"a link leads to '{target}', which is not there")
    for span in inline + lines:
        for word in span.split():
            word = word.strip("'\",;:()")
            if not PATH.match(word) or ELSEWHERE.search(word):
                continue
            if (FILE.search(word) or re.match(r"(src|tests|jobs|configs|include|cmake)/", word)) and \
                    not exists(document, word.rstrip("/")):
                complain(document, f"there is no '{word}'")


def check_keys(document, text, keys):
    """Keys of the configuration, wherever they stand with their section."""
    sections = {key[:i] for key in keys for i in range(len(key)) if key[i] == "."}
    inline, lines = markdown.inline(text), markdown.fenced(text)
    for span in inline + lines:
        for key in re.findall(r"(?<![\w./-])((?:train|data|model|checkpoint|ensemble)(?:\.[a-z_0-9]+)+)(?=[\s=:,;)'\"]|$)", span):
            if key not in keys and key not in sections and not key.startswith("model.layers.") and \
                    not re.match(r"train\.(optimizer|schedule|loss)\.", key) and not FILE.search(key) and \
                    not re.search(r"\.(h5|json|pt|npz|onnx|safetensors)$", key):
                complain(document, f"there is no key '{key}'")
        for owner, key in re.findall(r"train\.(optimizer|schedule|loss)\.([a-z_]+)", span):
            if key not in KIND_KEYS[owner]:
                complain(document, f"there is no key 'train.{owner}.{key}'")


def check_options(document, text, options):
    inline, lines = markdown.inline(text), markdown.fenced(text)
    for line in inline + lines:
        for command, rest in re.findall(r"lockstep (data \w+|\w+)([^|;&`]*)", line):
            if command not in options:
                if command not in ("COMMAND", "data", "has", "says") and re.match(r"^lockstep ", line):
                    complain(document, f"there is no command 'lockstep {command}'")
                continue
            for option in re.findall(r"(?<!\S)--([a-z][a-z-]+)", rest.split("#")[0]):
                if option not in options[command]:
                    complain(document, f"`lockstep {command}` has no --{option}")
    for span in inline:
        match = re.match(r"^--([a-z][a-z-]+)", span)
        foreign = ("map-by", "bind-to", "mpi", "mca", "signal", "ntasks", "cpus-per-task", "hint", "kill-on-bad-exit", "nodes")
        if match and match[1] not in foreign and not any(match[1] in of for of in options.values()):
            complain(document, f"no command has --{match[1]}")


def check_lists(document, text, kinds):
    """Sentences that list all kinds of a family."""
    for family, plural in (("layer", "Layers"), ("optimizer", "Optimizers"), ("schedule", "Schedules"),
                           ("loss", "Losses")):
        for match in re.findall(rf"(?:^|\. ){plural}: ([^.]+?)(?:, all with\s+warm-up)?\.", text, re.M):
            listed = set(re.findall(r"[a-z_0-9]+", re.sub(r"(softmax) last, which the loss contains", r"\1", match)))
            if listed != kinds[family]:
                complain(document, f"{plural}: {', '.join(sorted(listed ^ kinds[family]))} in the list or the program alone")


def check_thread_locals(document, text):
    """What is kept between calls is documented: ARCHITECTURE names each file that has some."""
    for file in glob.glob(os.path.join(ROOT, "src", "**", "*.c"), recursive=True):
        if "_Thread_local" in read(file) and os.path.relpath(file, ROOT) not in text:
            complain(document, f"{os.path.relpath(file, ROOT)} has a _Thread_local of which nothing is said")


def check_comments(source):
    """Files that comments name. h and c are dimensions of shapes, too: in.h, out.c."""
    system = set(re.findall(r"#include *<([^>]+)>", source))
    for file in sources():
        path = os.path.relpath(file, ROOT)
        for comment in re.findall(r"/\*.*?\*/", read(path), re.S):
            for word in re.findall(r"(?<![\w./*<>-])[\w./-]+\.(?:c|h|sh|py)\b", comment):
                if not re.match(r"(in|out|shape)\.[ch]$", word) and word not in system and not exists(path, word):
                    complain(path, f"a comment names '{word}', which is not there")


def check_identifiers(document, text, source):
    for span in markdown.inline(text):
        for name in re.findall(r"\b(?:ls|LS)_\w+", span):
            if not re.search(rf"\b{name}\b", source):
                complain(document, f"nothing in the tree is called '{name}'")


def epochs_of(config, overrides):
    found = re.search(r"^  epochs: (\d+)", read(f"configs/{config}.yaml"), re.M)
    return overrides.get(config, found[1] if found else "10")


def check_tables(document, text):
    """Parameters and epochs of the tables of configurations."""
    overrides = dict(re.findall(r'"(\w+) \w+ train\.epochs=(\d+)"', read("tests/bench/accuracy.sh")))
    columns = None
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if "parameters" in cells and "epochs" in cells:
            columns = cells
        named = re.match(r"\[(\w+)\]\((?:configs/)?\w+\.yaml\)", cells[0])
        if not columns or not named or len(cells) != len(columns):
            continue
        row = dict(zip(columns, cells))
        source = "fashion-mnist" if "Fashion" in row["data"] else "cifar10" if "CIFAR" in row["data"] else "mnist"
        said = lockstep("train", os.path.join(ROOT, "configs", f"{named[1]}.yaml"), f"data.source={source}", "--dry-run")
        count = re.search(r"^total +([\d,]+)", said, re.M)
        if count[1] != row["parameters"]:
            complain(document, f"{named[1]} has {count[1]} parameters, not {row['parameters']}")
        epochs = epochs_of(named[1], overrides if document == "README.md" else {})
        if epochs != row["epochs"]:
            complain(document, f"{named[1]} trains for {epochs} epochs, not {row['epochs']}")


def sources():
    return glob.glob(os.path.join(ROOT, "src", "**", "*.[ch]"), recursive=True) + \
        glob.glob(os.path.join(ROOT, "include", "**", "*.h"), recursive=True)


def all_source():
    files = sources()
    files += glob.glob(os.path.join(ROOT, "**", "CMakeLists.txt"), recursive=True)
    files += glob.glob(os.path.join(ROOT, "tests", "**", "*.[ch]"), recursive=True)
    return "\n".join(read(file) for file in files)


help_config = lockstep("train", "--help-config")
KEYS = set(re.findall(r"^  ((?:name|seed|data|model|train|checkpoint|ensemble)(?:\.[a-z_.0-9]+)?):", help_config, re.M))
KINDS = {family: set(re.findall(rf"^{family} (\w+):", help_config, re.M)) for family in ("layer", "optimizer", "schedule", "loss")}
KIND_KEYS = {family: {"type"} for family in KINDS}
for block in re.split(r"\n\n", help_config):
    found = re.match(r"(layer|optimizer|schedule|loss) \w+:", block)
    if found:
        KIND_KEYS[found[1]] |= set(re.findall(r"^  ([a-z_0-9]+):", block, re.M))
OPTIONS = {command: set(re.findall(r"--([a-z][a-z-]+)", lockstep(*command.split(), "--help"))) | {"help"} for command in COMMANDS}
SOURCE = all_source()
for name in DOCUMENTS:
    content = read(name)
    check_paths(name, content)
    check_keys(name, content, KEYS)
    check_options(name, content, OPTIONS)
    check_lists(name, content, KINDS)
    check_identifiers(name, content, SOURCE)
    check_tables(name, content)
check_thread_locals("ARCHITECTURE.md", read("ARCHITECTURE.md"))
check_comments(SOURCE)
print("\n".join(complaints))
sys.exit(1 if complaints else 0)
