#!/usr/bin/env -S python3 -B
"""snow's page in a real browser. Argument: the program `snow`."""

import contextlib
import http.client
import re
import socket
import subprocess
import sys
import unittest

from webdriver import PATIENCE, Browser

TAB, ENTER = "\ue004", "\ue007"

ROWS = "[...document.querySelectorAll('#parked tbody tr')]"
CLIENTS = f"{ROWS}.map(row => row.cells[1].textContent)"
ANSWERS = "[...document.querySelectorAll('#mine tbody tr')].map(row => row.cells[1].textContent)"

SNOW = sys.argv.pop(1) if len(sys.argv) > 1 else "build/demo/snow"


def text_is(selector, text):
    return f"document.querySelector('{selector}').textContent === '{text}'"


class Snow:
    """A server of its own; it would wait for ever for who does not go."""

    def __init__(self, port=0):
        command = [SNOW, "--port", str(port), "--drain-timeout", "86400", "--log-level", "off"]
        self._program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        ready = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", self._program.stdout.readline())
        self.port = int(ready[1])
        self.url = f"http://127.0.0.1:{self.port}/"

    def stop(self):
        """The exit code of a server that is asked to stop."""
        self._program.terminate()
        return self._program.wait(PATIENCE)

    def close(self):
        self._program.kill()
        self._program.wait()
        self._program.stdout.close()

    @contextlib.contextmanager
    def parked_request(self):
        """Another client's; gives how the server calls it."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as client:
            client.sendall(b"GET /req/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
            yield "{}:{}".format(*client.getsockname())

    def release(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request("GET", "/stop/")
            return connection.getresponse().read()


class SnowPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        self.snow = Snow()
        self.addCleanup(self.snow.close)
        self.expected_in_console = None  # a pattern, of what the network is to blame for
        self.browser.open(self.snow.url)
        self.browser.wait_until(text_is("#link", "live"))

    def tearDown(self):
        said = self.browser.take_log()
        self.browser.open("about:blank")  # before the server goes, which it would complain of
        for entry in said:
            expected = self.expected_in_console and entry["source"] == "network"
            self.assertRegex(entry["message"], self.expected_in_console if expected else "^$")

    def wait_for_rows(self, number):
        self.browser.wait_until(f"{ROWS}.length === {number}")

    def test_is_empty_where_nothing_waits(self):
        self.assertEqual(self.browser.evaluate("document.title"), "snow")
        self.browser.wait_until(text_is("#count", "nothing"))
        self.wait_for_rows(0)
        self.assertFalse(self.browser.evaluate("document.querySelector('table').checkVisibility()"))

    def test_shows_what_waits_and_the_answer_when_it_comes(self):
        self.browser.click("#park")
        self.wait_for_rows(1)
        self.assertEqual(self.browser.evaluate(ANSWERS), ["waiting"])
        with self.snow.parked_request() as client:
            self.wait_for_rows(2)
            self.assertEqual(self.browser.evaluate(CLIENTS)[1], client)
            self.assertRegex(self.browser.evaluate(f"{ROWS}[1].textContent"), r"^2.*\d s$")
            self.browser.wait_until(text_is("#count", "2 requests"))
            self.browser.click("#release")
            self.browser.wait_until(text_is("#notice", "stop"))
            self.browser.wait_until(f"{ANSWERS}[0] === 'done'")
            self.wait_for_rows(1)
            self.assertEqual(self.browser.evaluate(CLIENTS), [client])

    def test_who_leaves_disappears(self):
        with self.snow.parked_request():
            self.wait_for_rows(1)
        self.wait_for_rows(0)

    def test_another_client_releases_too(self):
        self.browser.click("#park")
        self.wait_for_rows(1)
        self.assertEqual(self.snow.release(), b"stop")
        self.browser.wait_until(f"{ANSWERS}[0] === 'done'")

    def test_says_that_nothing_is_waiting(self):
        self.expected_in_console = "/stop/.* 409"
        self.browser.click("#release")
        self.browser.wait_until(text_is("#notice", "nothing is waiting"))

    def test_parks_no_more_than_the_browser_has_connections_for(self):
        for number in range(1, 5):
            self.browser.click("#park")
            self.wait_for_rows(number)
        self.browser.wait_until("document.querySelector('#hint').checkVisibility()")
        self.browser.click("#park")
        self.assertEqual(self.browser.evaluate(f"{ANSWERS}.length"), 4)
        self.browser.click("#release")
        self.wait_for_rows(3)
        self.browser.wait_until("!document.querySelector('#hint').checkVisibility()")
        self.browser.click("#park")
        self.wait_for_rows(4)

    def test_tells_how_many_it_does_not_show(self):
        with contextlib.ExitStack() as clients:
            for _ in range(101):
                clients.enter_context(self.snow.parked_request())
            self.browser.wait_until(text_is("#count", "101 requests"))
            self.wait_for_rows(100)
            self.browser.wait_until(text_is("#others", "and 1 more"))

    def test_the_keyboard_is_enough(self):
        self.browser.press(TAB)
        self.browser.press(ENTER)
        self.wait_for_rows(1)
        self.browser.press(TAB)
        self.browser.press(ENTER)
        self.wait_for_rows(0)
        self.browser.wait_until(text_is("#notice", "stop"))

    def test_a_page_that_is_open_does_not_hold_up_the_end_and_lives_on_with_the_next_server(self):
        self.expected_in_console = "ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET"
        with self.snow.parked_request():
            self.wait_for_rows(1)
        self.wait_for_rows(0)
        self.assertEqual(self.snow.stop(), 0)
        self.browser.wait_until(text_is("#link", "disconnected"))
        self.browser.click("#release")
        self.browser.wait_until(text_is("#notice", "The server cannot be reached."))
        next_server = Snow(self.snow.port)
        self.addCleanup(next_server.close)
        self.browser.wait_until(text_is("#link", "live"))
        with next_server.parked_request() as client:
            self.browser.wait_until(f"{CLIENTS}[0] === '{client}'")


if __name__ == "__main__":
    unittest.main()
