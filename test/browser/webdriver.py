"""A browser that does what it is told: Chromium, through chromedriver.

WebDriver is HTTP and JSON, and Python brings both. Nothing here waits without a deadline.
"""

import contextlib
import http.client
import json
import os
import shutil
import subprocess
import tempfile

PATIENCE = 20  # seconds
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver's name for what names one

# Nobody's profile, no display, and no conversation with anybody but the page's own server.
FLAGS = ["--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]

# Looks whenever the page changes, and not in between.
UNTIL = """
const holds = () => (%s);
const tell = arguments[0];
const look = () => holds() && (observer.disconnect(), tell(true));
const observer = new MutationObserver(look);
observer.observe(document, {attributes: true, characterData: true, childList: true, subtree: true});
look();
"""


class BrowserError(Exception):
    pass


class Browser:
    def __init__(self):
        self._ending = contextlib.ExitStack()
        with contextlib.ExitStack() as ending:
            profile = ending.enter_context(tempfile.TemporaryDirectory(prefix="eddy-browser-"))
            self._driver = self._start_driver(ending)
            self._session = self._begin_session(profile)
            ending.callback(self._call, "DELETE", "")
            self._ending = ending.pop_all()

    def close(self):
        self._ending.close()

    def _start_driver(self, ending):
        program = subprocess.Popen([shutil.which("chromedriver"), "--port=0"], text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        ending.callback(program.stdout.close)
        ending.callback(program.wait)
        ending.callback(program.terminate)
        for line in program.stdout:
            if "started successfully on port" in line:
                return int(line.rstrip(".\n").rsplit(" ", 1)[1])
        raise BrowserError("chromedriver does not start")

    def _begin_session(self, profile):
        flags = FLAGS + [f"--user-data-dir={profile}"]
        if os.getuid() == 0:  # whom Chromium's sandbox refuses
            flags.append("--no-sandbox")
        self._session = ""
        wishes = {"goog:chromeOptions": {"args": flags, "binary": shutil.which("chromium")},
                  "goog:loggingPrefs": {"browser": "ALL"},
                  "timeouts": {"script": PATIENCE * 1000, "pageLoad": PATIENCE * 1000}}
        answer = self._call("POST", "", {"capabilities": {"alwaysMatch": wishes}})
        return "/" + answer["sessionId"]

    def _call(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self._driver, timeout=2 * PATIENCE)
        with contextlib.closing(connection):
            connection.request(method, f"/session{self._session}{path}",
                               json.dumps(body) if body is not None else None)
            value = json.load(connection.getresponse())["value"]
        if isinstance(value, dict) and "error" in value:
            raise BrowserError(f"{value['error']}: {value['message'].splitlines()[0]}")
        return value

    def open(self, url):
        self._call("POST", "/url", {"url": url})

    def evaluate(self, expression):
        return self._call("POST", "/execute/sync", {"script": f"return {expression}", "args": []})

    def wait_until(self, condition):
        """Until this expression of JavaScript holds."""
        try:
            self._call("POST", "/execute/async", {"script": UNTIL % condition, "args": []})
        except BrowserError as error:
            text = self.evaluate("document.body.innerText")
            raise AssertionError(f"never so: {condition} ({error}); the page says\n{text}") from error

    def click(self, selector):
        found = self._call("POST", "/element", {"using": "css selector", "value": selector})
        self._call("POST", f"/element/{found[ELEMENT]}/click", {})

    def press(self, key):
        """A key, wherever the focus is."""
        strokes = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self._call("POST", "/actions",
                   {"actions": [{"type": "key", "id": "keyboard", "actions": strokes}]})

    def take_log(self):
        """What the browser's console has said since it was last asked."""
        return self._call("POST", "/se/log", {"type": "browser"})
