"""micro: what the steps of an event loop cost, in eddy and in other libraries, as a table.

A microbenchmark's name is "work/library": a row and a column. Each is run several times, in an order
that is drawn anew; a cell is the median, and a ratio is the median of the ratios of single rounds.
"""
import json
import statistics
import subprocess
import sys

OURS = ["eddy", "eddy, macro"]
PEERS = ["libuv", "libevent", "asio", "asio, stackless"]
FURTHER = ["wake-ups per batch", "bytes each"]  # counters that make rows of their own

SIZES = ["100,000", "10,000,000"]  # of ours, what a hundred times as many timers cost

NOTES = """\
Nanoseconds for one piece of work and, after a comma, heap allocations where there are any. Where two
threads or only parts of the work count, it is the time of the clock; elsewhere CPU time of the thread.
The ratio is eddy to the best of the others in the same round; below 1.00 eddy is the faster one.

What is not quite the same thing:

- A callback on the loop's thread. eddy and asio take any function object; libuv starts an idle handle
  and libevent activates an event, both of which the program keeps and which call a plain function.
  libevent runs what its callbacks activate at once, without a look at descriptors in between; the
  others look once in a thousand callbacks. asio locks a mutex for each of them.
- A callback from another thread. libuv and libevent have none: the program keeps a vector of
  std::function behind a mutex, and rings by uv_async_send and by an eventfd. Such a batch is run
  whole, and so is eddy's when its place in line comes; asio puts each callback in line by itself. "In
  turn" is the work of both threads, one after the other; "at the same time" runs from the first post to the last call, and
  depends on how soon the kernel wakes the loop.
- A hop. A coroutine of eddy stands in the loop's queue by itself; asio posts a completion handler.
  asio's awaitables are bound to the loop's own executor; with its default one they cost more.
- Await. A Future of eddy may be kept, copied, and awaited or cancelled by others than who made it;
  asio's awaitable is the call itself, which begins when it is awaited. For one that is set later, an
  operation of asio is completed by a handler that is posted, as asio asks of its operations.
- Timers are due at random. Of a thousand that are far from each other in memory, all are cancelled,
  then all are started, and so starting finds in the cache what cancelling has brought there. eddy,
  asio and libevent read the clock at each start; libuv reads it once a turn. asio's cancelled waits are
  called, which belongs to cancelling. The bytes are the heap's for a timer that waits, with what the
  program keeps of it (eddy's Id, the others' handles); where they stand in vectors, reserve included.
- Pipes. Each byte is one read and one write by the program, except with asio, which reads by itself,
  and a second time in vain.
"""


class Results:
    """By work and library: the benchmark's rounds, as they were reported."""

    def __init__(self, names, benchmarks):
        self.rounds = {self.place(name)[0]: {} for name in names}  # in the program's own order
        for one in benchmarks:
            if one["run_type"] == "iteration":
                work, library = self.place(one["name"])
                self.rounds[work].setdefault(library, []).append(one)

    @staticmethod
    def place(name):
        work, library, *options = name.split("/")
        if options and options[0].isdigit():
            work = work.replace("{}", f"{int(options[0]):,}")
        return work, library

    def times(self, work, library):
        """Nanoseconds for one piece, round by round."""
        rounds = sorted(self.rounds.get(work, {}).get(library, []),
                        key=lambda one: one["repetition_index"])
        return [1e9 / one["items_per_second"] for one in rounds]

    def counter(self, work, library, name):
        values = [one[name] for one in self.rounds[work].get(library, []) if name in one]
        return statistics.median(values) if values else None

    def libraries(self):
        return [library for library in OURS + PEERS
                if any(library in row for row in self.rounds.values())]


def short(value):
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def cell(results, work, library):
    times = results.times(work, library)
    if not times:
        return ""
    allocations = round(results.counter(work, library, "allocations"), 2)
    return short(statistics.median(times)) + (f", {allocations:g}" if allocations else "")


def median_ratio(above, below):
    return statistics.median(one / other for one, other in zip(above, below))


def ratios(results, work):
    """Each face of ours to the best peer."""
    peers = [results.times(work, peer) for peer in PEERS if results.times(work, peer)]
    if not peers:
        return ""
    best = [min(of_a_round) for of_a_round in zip(*peers)]
    shown = [f"{median_ratio(results.times(work, own), best):.2f}"
             for own in OURS if results.times(work, own)]
    return ", ".join(shown)


def further_rows(results, work, libraries):
    for name in FURTHER:
        values = [results.counter(work, library, name) for library in libraries]
        if any(value is not None for value in values):
            yield [f"{work}: {name}"] + ["" if value is None else short(value)
                                         for value in values] + [""]


def table(results):
    libraries = results.libraries()
    rows = [["in process: ns", *libraries, "ratio"], ["---"] + ["---:"] * (len(libraries) + 1)]
    for work in results.rounds:
        rows.append([work, *(cell(results, work, library) for library in libraries),
                     ratios(results, work)])
        rows.extend(further_rows(results, work, libraries))
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def growth(results):
    """What eddy's timers cost when there are a hundred times as many."""
    shown = []
    for verb in ("start", "cancel", "fire"):
        few, many = (results.times(f"{verb} a timer among {size}", "eddy") for size in SIZES)
        if few and many:
            shown.append(f"{verb} {median_ratio(many, few):.2f}")
    if not shown:
        return ""
    return (f"\neddy's timers among {SIZES[1]}, to those among {SIZES[0]}: {', '.join(shown)}. Only the "
            "next few\nhundred stand in a heap; the others and their slots are in no cache: each step "
            "there is a miss.\n")


def measure(program, quick):
    """The table as Markdown, and what one must know to read it."""
    results = run(program, "-/10000000" if quick else ".", quick)
    return table(results) + growth(results) + "\n" + NOTES


def run(program, wanted, quick):
    command = [program, f"--benchmark_filter={wanted}"]
    names = output([*command, "--benchmark_list_tests"]).splitlines()
    rounds = output([*command, "--benchmark_format=json",
                     f"--benchmark_min_time={0.02 if quick else 0.25}",
                     f"--benchmark_repetitions={1 if quick else 5}",
                     "--benchmark_enable_random_interleaving=true"])
    return Results(names, json.loads(rounds)["benchmarks"])


def output(command):
    finished = subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True)
    if finished.returncode != 0 or not finished.stdout:
        sys.exit(f"{command[0]} failed")
    return finished.stdout
