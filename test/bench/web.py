"""web: what a request costs demo/snow, beside web servers that answer the same, as a table.

wrk asks on 50 connections that stay, on each of them again when the answer has come. All servers
run from the first round to the last, so that only the first finds one cold; within a round each is
measured after the next.
"""
import contextlib
import http.client
import os
import re
import statistics
import subprocess
import sys
from typing import NamedTuple

from measure import Server, pin
from report import Table, show_time

PEERS = f"{os.path.dirname(os.path.abspath(__file__))}/peers"
PACKAGES = ["wrk", "nginx", "python3-tornado", "nodejs"]
PATH = "/index/"
CONNECTIONS = 50
FULL, QUICK = (9, 2), (3, 1)  # rounds, and seconds of each server in each


def servers(build):
    """[(name, command)] of snow and those that are installed; says which are not."""
    snow = [f"{build}/demo/snow", "--port", "0"]
    peers = [  # and a command that succeeds where it is installed
        ("nginx", [f"{PEERS}/nginx_web.py", "--directory", f"{build}/bench/nginx"],
         ["env", f"PATH={os.environ['PATH']}:/usr/sbin", "nginx", "-v"]),
        ("Tornado", [f"{PEERS}/tornado_web.py"], ["/usr/bin/python3", "-c", "import tornado"]),
        ("Node", [f"{PEERS}/node_web.js"], ["node", "--version"]),
    ]
    chosen = [("snow", snow), ("snow again", snow)]
    for name, command, question in peers:
        if succeeds(question):
            chosen.append((name, command))
        else:
            say(f"{name} is left out: it is not installed")
    return chosen


def say(what):
    print(what, file=sys.stderr, flush=True)


def succeeds(command):
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def check_answers(server):
    """Two on one connection: a server whose answers are others' ends the benchmark."""
    client = http.client.HTTPConnection("127.0.0.1", int(server.port), timeout=10)
    for _ in range(2):
        client.request("GET", PATH)
        answer = client.getresponse()
        found = (answer.status, answer.read(), answer.getheader("Content-Length"))
        if found != (200, b"OK", "2") or not answer.getheader("Date") or answer.will_close:
            sys.exit(f"{server.process.args}: {found}, {answer.getheaders()}")
    client.close()


class Result(NamedTuple):
    """Of one server in one round."""
    rate: float  # requests in a second
    cpu: float  # nanoseconds of the server, for each
    busy: float  # the share of its core that the server used


def load(server, seconds):
    command = ["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration",
               f"{seconds}s", f"http://127.0.0.1:{server.port}{PATH}"]
    before = server.cpu_ns()
    said = subprocess.run(command, capture_output=True, text=True, check=True,
                          preexec_fn=lambda: pin(1)).stdout
    spent = server.cpu_ns() - before
    if "Socket errors" in said or "Non-2xx" in said:
        sys.exit(f"{server.process.args}: {said}")
    requests = int(re.search(r"(\d+) requests in", said).group(1))
    rate = float(re.search(r"Requests/sec: +([\d.]+)", said).group(1))
    return Result(rate, spent / requests, spent * rate / requests / 1e9)


def measure_rounds(commands, rounds, seconds):
    """{name: [Result, round by round]}."""
    results = {name: [] for name, _ in commands}
    with contextlib.ExitStack() as stack:
        running = [(name, stack.enter_context(Server(command, core=0)))
                   for name, command in commands]
        for _, server in running:
            check_answers(server)
        for turn in range(rounds):
            first = turn % len(running)  # nobody always runs after the same other
            for name, server in running[first:] + running[:first]:
                results[name].append(load(server, seconds))
            say(f"HTTP, round {turn + 1}")
    return results


def median(results, figure):
    return statistics.median(getattr(result, figure) for result in results)


def ratios(results, figure):
    """Of each server to snow, as the median of the rounds' own ratios."""
    for name, own in list(results.items())[1:]:
        yield statistics.median(getattr(one, figure) / getattr(snow, figure)
                                for one, snow in zip(own, results["snow"]))


def measure(build, quick):
    """The table; None where there is no wrk."""
    if not succeeds(["which", "wrk"]):
        return say("HTTP is left out: wrk is not installed")
    results = measure_rounds(servers(build), *(QUICK if quick else FULL))
    rows = [(title, [show(median(results["snow"], figure)),
                     *(f"{ratio:.2f}" for ratio in ratios(results, figure))])
            for title, figure, show in (("CPU for a request", "cpu", show_time),
                                        ("requests in a second", "rate", "{:,.0f}".format))]
    rows.append(("share of its core in use",
                 [f"{median(own, 'busy'):.0%}" for own in results.values()]))
    return Table(f"HTTP, {CONNECTIONS} connections: snow, and ratios to it", list(results), rows)
