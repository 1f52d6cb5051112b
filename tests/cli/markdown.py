"""What stands in a Markdown document as code."""
import re


def fenced(text):
    """The lines of its fenced blocks without a language, those that end in a backslash joined with the next."""
    lines, is_inside, is_plain = [], False, False
    for line in re.sub(r" *\\\n *", " ", text).splitlines():
        if line.startswith("```"):
            is_inside, is_plain = not is_inside, line == "```"
        elif is_inside and is_plain:
            lines.append(line)
    return lines


def inline(text):
    """What stands between backticks elsewhere, in one line each."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    return [span.replace("\n", " ") for span in re.findall(r"`([^`]+)`", prose)]
