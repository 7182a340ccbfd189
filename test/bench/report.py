"""report: the figures as tables of Markdown and as a picture, with what they were measured on."""
import datetime
import math
import os
import platform
import re
import subprocess
from typing import NamedTuple

PACKAGES = ["libuv1-dev", "libevent-dev", "libasio-dev", "python3-tornado"]


class Table(NamedTuple):
    title: str
    columns: list  # the servers' names
    rows: list  # (what was done, [a cell for each column])


def show_time(ns):
    if ns is None:
        return "-"
    return f"{ns / 1000:.2f} us" if ns >= 1000 else f"{ns:.3g} ns"


def show_number(number):
    return "-" if number is None else f"{number:.4g}"


# The table


def markdown(tables, packages=PACKAGES):
    return machine(packages) + "\n\n" + "\n".join(map(markdown_table, tables))


def markdown_table(table):
    lines = [f"| {table.title} | " + " | ".join(table.columns) + " |",
             "|---|" + "---:|" * len(table.columns)]
    lines += [f"| {title} | " + " | ".join(cells) + " |" for title, cells in table.rows]
    return "\n".join(lines) + "\n"


def machine(packages):
    """Where and when, in a sentence."""
    cores = len(os.sched_getaffinity(0))
    compiler = first_line([os.environ.get("CXX", "g++"), "--version"])
    versions = ", ".join(filter(None, map(package, packages)))
    return "\n".join([
        f"{datetime.date.today()}: {cpu_model()}, {cores} cores; {distribution()}, "
        f"Linux {platform.release()};", f"{compiler}, -O2;", f"{versions}."])


def cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"model name\s*: (.*)", file.read())
    return model.group(1) if model else platform.machine()


def distribution():
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()


def package(name):
    version = first_line(["dpkg-query", "-W", "-f", "${Version}", name])
    return f"{name} {version}" if version else None


def first_line(command):
    try:
        output = subprocess.run(command, text=True, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
    return output.splitlines()[0] if output else ""


def publish(page, name, text):
    """Puts the text between the two marks of that name in a page."""
    mark = f"<!-- {name} -->"
    with open(page, encoding="utf-8") as file:
        before, _, after = file.read().split(mark)
    with open(page, "w", encoding="utf-8") as file:
        file.write(f"{before}{mark}\n{text}{mark}{after}")


# The picture: a group of bars for each load, as long as the logarithm of the ratio to raw

LABELS, PLOT, BAR, GAP, HEAD, FOOT = 260, 560, 9, 16, 62, 30
COLOURS = {  # families of servers have families of colours, which either background bears
    "raw again": "#8a8a8a", "callbacks": "#2f6fc4", "macro": "#4a8fe7", "co_await": "#1fa3c9",
    "co_await, each write awaited": "#7a7fd6", "telnet_rpc": "#1fa3c9", "libuv": "#3c9d57",
    "libevent": "#8aa12c", "asio callbacks": "#d97a1f", "asio stackless": "#e39b3c",
    "asio awaitable": "#c9622f", "Tornado": "#c0428a"}
STYLE = """
  text { font: 11px sans-serif; fill: #24292f; }
  .value { font-size: 8px; } .title { font-size: 14px; font-weight: bold; }
  .axis { stroke: #d0d7de; } .one { stroke: #57606a; }
  @media (prefers-color-scheme: dark) {
    text { fill: #c9d1d9; } .axis { stroke: #30363d; } .one { stroke: #8b949e; }
  }"""
LEAST = 0.5  # the left edge; a bar begins at 1, and goes left when raw costs more


def picture(title, groups):
    """An SVG of [(what was done, {server: ratio to raw})]; it needs nothing else to be shown."""
    most = max([2, *(ratio for _, ratios in groups for ratio in ratios.values())]) * 1.4
    names = [name for name in COLOURS if any(name in ratios for _, ratios in groups)]
    legend = HEAD - 20 + 16 * ((len(names) + 5) // 6)
    parts, top = [], legend + 22
    for what, ratios in groups:
        height = BAR * len(ratios)
        parts.append(label(what, LABELS - 8, top + height / 2 + 4, "end"))
        parts += bars(ratios, top, most)
        top += height + GAP
    width, height = LABELS + PLOT + 50, top + FOOT - GAP
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}">', f"<style>{STYLE}\n</style>",
        f'<text class="title" x="12" y="24">{escape(title)}</text>',
        *legend_of(names, width), *axis(most, legend + 14, top - GAP + 4), *parts, "</svg>", ""])


def place(ratio, most):
    """Where a ratio stands on the logarithmic axis."""
    span = math.log(most / LEAST)
    return LABELS + PLOT * math.log(max(ratio, LEAST) / LEAST) / span


def bars(ratios, top, most):
    one = place(1, most)
    for index, (name, ratio) in enumerate(ratios.items()):
        end, y = place(ratio, most), top + BAR * index
        left, length = min(one, end), max(abs(end - one), 1)
        yield (f'<rect x="{left:.1f}" y="{y}" width="{length:.1f}" height="{BAR - 1}" '
               f'fill="{COLOURS[name]}"><title>{escape(name)}: {ratio:.2f}</title></rect>')
        yield label(f"{ratio:.2f}", max(one, end) + 3, y + BAR - 2, "start", "value")


def axis(most, top, bottom):
    tick = LEAST
    while tick < most:
        x, kind = place(tick, most), "one" if tick == 1 else "axis"
        yield f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>'
        yield label(f"{tick:g}", x, bottom + 14, "middle")
        tick *= 2


def legend_of(names, width):
    step = (width - 24) / 6
    for index, name in enumerate(names):
        x, y = 12 + step * (index % 6), HEAD - 20 + 16 * (index // 6)
        yield f'<rect x="{x:.1f}" y="{y}" width="9" height="9" fill="{COLOURS[name]}"/>'
        yield label(name.replace("co_await, each write awaited", "each write awaited"), x + 13,
                    y + 9, "start")


def label(text, x, y, anchor, kind=None):
    css = f' class="{kind}"' if kind else ""
    return f'<text{css} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
