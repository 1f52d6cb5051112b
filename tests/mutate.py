"""What tests/mutate.sh runs: small random changes to C files, one at a time, and which of them the tests notice."""

import argparse
import difflib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Optimized, so that most changes that mean nothing give the same object code, and with assertions.
CONFIGURE = ["-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DCMAKE_C_FLAGS_RELWITHDEBINFO=-O1",
             "-DCMAKE_C_FLAGS=-Werror=incompatible-pointer-types -Werror=int-conversion"]

# ---- changes ----

SWAPS = {"<": ["<=", ">"], "<=": ["<", ">"], ">": [">=", "<"], ">=": [">", "<"], "==": ["!="], "!=": ["=="],
         "&&": ["||"], "||": ["&&"], "+": ["-"], "-": ["+"], "*": ["/"], "/": ["*"], "%": ["/"],
         "+=": ["-=", "="], "-=": ["+="], "|=": ["="], "true": ["false"], "false": ["true"], "continue": ["break"],
         "ls_size_min": ["ls_size_max"], "ls_size_max": ["ls_size_min"], "fmin": ["fmax"], "fmax": ["fmin"]}
TOKEN = re.compile(r"(?<=[\w)\]] )(?:<=|>=|==|!=|&&|\|\||\+=|-=|\|=|[-+*/%<>])(?= )"
                   r"|\b(?:true|false|continue|ls_size_min|ls_size_max|fmin|fmax)\b")
NUMBER = re.compile(r"(?<![\w.\"])([1-9]\d*|0)(?![\w.\"])")
STATEMENT = re.compile(r"^\s+(?:[\w.>\[\]*-]+(?: [-+*/|&]?= .*|\+\+|--)|[a-z]\w*\(.*\)|\+\+\w.*|continue|break);$")
RELEASE = re.compile(r"\b(?:\w*_)?(?:free|fini|close|release|destroy)\(|\w+_free\b") # what leaks, the sanitizers see
CHECKED = re.compile(r"\b(LS_PASS|LS_TRY|LS_GO|LS_AGREE|LS_ROOT)\((.*)\);$")
CONDITION = re.compile(r"\b(if|while) \((.*)\)( \{|$| [\w*(].*;$)")


def blanked(text):
    """The text with comments, strings and preprocessor lines blanked, so that places stay."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    text = re.sub(r"/\*.*?\*/|//[^\n]*", blank, text, flags=re.S)
    text = re.sub(r'"(?:\\.|[^"\\\n])*"' + r"|'(?:\\.|[^'\\\n])'", lambda m: m.group(0)[0] + "_" * (len(m.group(0)) - 2)
                  + m.group(0)[-1], text)
    return re.sub(r"^#(?:[^\n]*\\\n)*[^\n]*", blank, text, flags=re.M)


def split_arguments(text):
    """Top-level parts of an argument list, with their places."""
    parts, depth, begin = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in "([{") - (c in ")]}")
        if c == "," and depth == 0:
            parts.append((begin, i))
            begin = i + 1
    return parts + [(begin, len(text))]


def closing(text, at):
    """Where the parenthesis that opens at `at` closes on this line; -1: it does not."""
    depth = 0
    for i in range(at, len(text)):
        depth += (text[i] == "(") - (text[i] == ")")
        if depth == 0:
            return i
    return -1


def swapped_arguments(code, line):
    for match in re.finditer(r"\b\w+\(", code):
        end = closing(code, match.end() - 1)
        if end < 0:
            continue
        begin = match.end()
        parts = split_arguments(code[begin:end])
        for (a, b), (c, d) in zip(parts, parts[1:]):
            first, second = line[begin + a:begin + b].strip(), line[begin + c:begin + d].strip()
            if first != second and not first.startswith("LS_E") and '"' not in first + second:
                yield (line[:begin + a] + (" " if a else "") + second + ", " + first + line[begin + d:],
                       "swapped arguments")


def changes_of(code, line):
    """(changed line, what was done) for each change of a line that there is; `code` is the line blanked."""
    for match in TOKEN.finditer(code):
        for other in SWAPS[match.group(0)]:
            yield line[:match.start()] + other + line[match.end():], f"{match.group(0)} becomes {other}"
    for match in NUMBER.finditer(code):
        value = int(match.group(1))
        for other in {value + 1, max(value - 1, 0)} - {value}:
            yield line[:match.start()] + str(other) + line[match.end():], f"{value} becomes {other}"
    if RELEASE.search(code):
        return
    if STATEMENT.match(code) and code.count("(") == code.count(")"):
        yield re.match(r"\s*", line).group(0) + ";", "statement removed"
    checked = CHECKED.search(code)
    if checked:
        first = split_arguments(checked.group(2))[0 if checked.group(1) not in ("LS_AGREE", "LS_ROOT") else 1]
        call = line[checked.start(2) + first[0]:checked.start(2) + first[1]].strip()
        yield f"{line[:checked.start(1)]}{{ if ({call}) {{}} }}", "status dropped"
        yield f"{line[:checked.start(1)]};", "call removed"
    condition = CONDITION.search(code)
    if condition:
        end = closing(code, condition.start(2) - 1)
        if end > 0:
            yield f"{line[:condition.start(2)]}!({line[condition.start(2):end]}){line[end:]}", "condition negated"
            yield f"{line[:condition.start(2)]}0 && ({line[condition.start(2):end]}){line[end:]}", "branch never taken"
    value = re.match(r"^\s+return ((?!LS_|ls_fail)[^;]*(?:==|!=|<|>|&&|\|\|)[^;]*);$", code)
    if value:
        yield f"{line[:value.start(1)]}!({line[value.start(1):value.end(1)]});", "result negated"
    yield from swapped_arguments(code, line)


def places_of(path):
    """(number, line, changes) of each line of a file that can be changed."""
    text = path.read_text()
    lines, codes = text.split("\n"), blanked(text).split("\n")
    depth = 0
    for i, (line, code) in enumerate(zip(lines, codes)):
        inside = depth > 0
        depth += code.count("{") - code.count("}")
        if inside and not re.match(r"^\s*(static const|enum|#|LS_E_)", code) and not re.match(r"^\s*\.(doc|name)\b", code):
            changes = sorted(set(changes_of(code, line)))
            if changes:
                yield i, line, changes


# ---- building and testing, in a copy ----

class Copy:
    """A copy of the working tree, and its build."""

    def __init__(self, root, folder):
        self.root, self.folder = root, folder
        self.build = folder / "build" / "mutate"
        self.log = folder / "mutate.log"

    def refresh(self):
        listed = self.run(["git", "-C", self.root, "ls-files", "-z", "-co", "--exclude-standard"], 60).stdout
        wanted = {name for name in listed.split("\0") if name and (self.root / name).is_file()}
        if (self.folder / "src").is_dir():
            for old in [p for part in ("src", "tests") for p in (self.folder / part).rglob("*")]:
                if old.is_file() and str(old.relative_to(self.folder)) not in wanted:
                    old.unlink()
        for name in wanted:
            source, target = self.root / name, self.folder / name
            if not target.exists() or source.read_bytes() != target.read_bytes():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
                os.utime(target)
        if self.run(["cmake", "-S", self.folder, "-B", self.build, *CONFIGURE], 600).returncode != 0 or not self.make([]):
            sys.exit(f"the copy does not build; see {self.log}")

    def run(self, command, limit_s):
        """Run in a session of its own, whose processes all end with it or with the limit."""
        process = subprocess.Popen([str(word) for word in command], cwd=self.folder, text=True, errors="replace",
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   start_new_session=True)
        try:
            out, _ = process.communicate(timeout=limit_s)
        except BaseException as error: # too long, or we are to end
            os.killpg(process.pid, signal.SIGKILL)
            out, _ = process.communicate()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
        self.log.write_text(out)
        return subprocess.CompletedProcess(command, process.returncode, out)

    def make(self, targets):
        return self.run(["ninja", "-C", self.build, "-j1", *targets], 1800).returncode == 0

    def object_of(self, path):
        module = path.relative_to(self.folder / "src").parts[0]
        target = "lockstep" if module == "cli" else f"ls_{module}"
        return f"src/CMakeFiles/{target}.dir/{path.relative_to(self.folder / 'src')}.o"

    def passes(self, name, limit_s):
        """Run a test, and see whether it passes within a limit."""
        return self.run(["ctest", "--test-dir", self.build, "-R", f"^{re.escape(name)}$", "--timeout", limit_s],
                        limit_s + 60).returncode == 0


class Tests:
    """The tests that concern a file, the likeliest first. One that fails or is skipped without any change is left out,
    and its time without one says when it hangs."""

    def __init__(self, copy, options):
        self.copy, self.options = copy, options
        self.usual_s = {}
        listed = copy.run(["ctest", "--test-dir", copy.build, "-N"], 60).stdout
        names = re.findall(r"Test +#\d+: (\S+)", listed)
        self.names = [name for name in names if not options.skip or not re.search(options.skip, name)]

    def usable(self, name):
        if name not in self.usual_s:
            began = time.monotonic()
            passed = self.copy.passes(name, 1800) and "***Skipped" not in self.copy.log.read_text()
            self.usual_s[name] = time.monotonic() - began if passed else None
            if not passed:
                print(f"left out, since it does not pass as it is: {name}", flush=True)
        return self.usual_s[name] is not None

    def measure(self, files):
        """Run all that will be needed once."""
        for path in files:
            for names in self.of(path):
                for name in names:
                    self.usable(name)

    def of(self, path):
        relative = path.relative_to(self.copy.folder / "src")
        module = relative.parts[0]
        unit = [name for name in self.names if name.startswith(f"unit.{module}.")]
        yield sorted(unit, key=lambda name: (relative.stem not in name, self.usual_s.get(name) or 0))
        if self.options.others:
            yield [name for name in self.names if name.startswith("unit.") and name not in unit]
        if self.options.parallel:
            yield [name for name in self.names if re.fullmatch(r"parallel\..*\.2", name)]
        if self.options.cli:
            words = words_of(relative)
            cli = [name for name in self.names if name.startswith("cli.") and re.search(self.options.cli, name)]
            yield sorted(cli, key=lambda name: (-len(words & set(re.findall("[a-z]+", name))), self.usual_s.get(name) or 0))

    def notice(self, path):
        """Build and run what concerns a changed file: the first test that fails; None: all pass; "-": it does not build."""
        for names in self.of(path):
            names = [name for name in names if self.usable(name)]
            if names and not self.copy.make(sorted({program_of(name) for name in names})):
                return "-"
            for name in names:
                if not self.copy.passes(name, int(20 + 5 * self.usual_s[name])):
                    return name
        return None


def program_of(test):
    kind = test.split(".")[0]
    return {"unit": test.replace(".", "_"), "parallel": test.rsplit(".", 1)[0].replace(".", "_")}.get(kind, "lockstep")


def words_of(path):
    return set(re.findall(r"[a-z]+", str(path))) - {"src", "cli", "c", "h", "cmd", "report", "data", "train", "arguments"}


def try_change(copy, tests, path, number, changed):
    """'-': it does not count; the name of the test that notices it; None: no test does."""
    original = path.read_text()
    lines = original.split("\n")
    lines[number] = changed
    before = (copy.build / copy.object_of(path)).read_bytes()
    try:
        path.write_text("\n".join(lines))
        if not copy.make([copy.object_of(path)]):
            return "-"
        if (copy.build / copy.object_of(path)).read_bytes() == before:
            return "-"
        return tests.notice(path)
    finally:
        path.write_text(original)
        copy.make([copy.object_of(path)])


def show(path, number, changed, copy):
    original = path.read_text().split("\n")
    altered = list(original)
    altered[number] = changed
    name = str(path.relative_to(copy.folder))
    print("\n".join(difflib.unified_diff(original, altered, name, name, n=2, lineterm="")), flush=True)


def files_of(copy, names):
    files = []
    for name in names:
        path = copy.folder / os.path.relpath(os.path.abspath(name), copy.root)
        files += sorted(path.rglob("*.c")) if path.is_dir() else [path]
    for path in files:
        if path.suffix != ".c" or not path.is_file() or copy.folder / "src" not in path.parents:
            sys.exit(f"{path}: no C file of src/")
    return files


def draw(files, seed):
    """Random changes, each line and then each change of it as likely as another."""
    choice = random.Random(seed)
    places = [(path, *place) for path in files for place in places_of(path)]
    choice.shuffle(places)
    for path, number, line, changes in places:
        yield path, number, *choice.choice(changes)


def main():
    parser = argparse.ArgumentParser(prog="tests/mutate.sh")
    parser.add_argument("root", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("files", nargs="+", metavar="FILE|FOLDER", help="below src/")
    parser.add_argument("--seed", type=int, default=1, help="of the random choices")
    parser.add_argument("--count", type=int, default=20, help="changes that count")
    parser.add_argument("--others", action="store_true", help="unit tests of other modules too")
    parser.add_argument("--parallel", action="store_true", help="tests on two ranks too")
    parser.add_argument("--cli", metavar="REGEX", help="tests of the command line of such names too; . for all")
    parser.add_argument("--skip", metavar="REGEX", help="no tests of such names")
    parser.add_argument("--work", type=Path, help="folder for the copy, which is kept; default: a temporary one")
    options = parser.parse_args()
    folder = options.work.resolve() if options.work else Path(tempfile.mkdtemp(prefix="lockstep-mutate-"))
    folder.mkdir(parents=True, exist_ok=True)
    copy = Copy(options.root.resolve(), folder)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        copy.refresh()
        tests, files = Tests(copy, options), files_of(copy, options.files)
        tests.measure(files)
        count = caught = 0
        for path, number, changed, what in draw(files, options.seed):
            if count == options.count:
                break
            began = time.monotonic()
            found = try_change(copy, tests, path, number, changed)
            if found == "-":
                continue
            count += 1
            caught += found is not None
            place = f"{path.relative_to(folder)}:{number + 1}: {what}"
            print(f"{place}: {'survives' if found is None else found} ({time.monotonic() - began:.0f} s)", flush=True)
            if found is None:
                show(path, number, changed, copy)
        print(f"{count} changes, {caught} caught ({100 * caught / max(count, 1):.0f} %)")
    finally:
        if not options.work:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
