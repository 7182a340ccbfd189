#!/usr/bin/python3
"""tornado_server: the benchmark's conversations on Tornado itself."""
import argparse
import asyncio

import tornado.iostream
import tornado.netutil
import tornado.tcpserver


async def echo_lines(stream):
    while True:
        line = await stream.read_until(b"\n")
        await stream.write(line)


async def echo(stream):
    while True:
        data = await stream.read_bytes(65536, partial=True)
        await stream.write(data)


async def sink(stream):
    """Tornado closes both sides when the peer ends its own: the answer leaves by another way."""
    memory = bytearray(65536)
    count = 0
    with stream.socket.dup() as way_out:
        try:
            while True:
                count += await stream.read_into(memory, partial=True)
        except tornado.iostream.StreamClosedError:
            way_out.send(b"%d\n" % count)


async def take_messages(stream):
    while True:
        length = await stream.read_until(b"\n", max_bytes=32)
        message = await stream.read_bytes(int(length))
        await stream.write(b"%d\n" % len(message))


async def take_headers(stream):
    while True:
        header = await stream.read_until_regex(rb"\r?\n\r?\n", max_bytes=65536)
        await stream.write(b"%d\n" % len(header))


CONVERSATIONS = {"lines": echo_lines, "echo": echo, "sink": sink, "message": take_messages,
                 "header": take_headers}


class Server(tornado.tcpserver.TCPServer):
    def __init__(self, conversation):
        super().__init__()
        self.conversation = conversation

    async def handle_stream(self, stream, address):
        stream.set_nodelay(True)
        try:
            await self.conversation(stream)
        except tornado.iostream.StreamClosedError:
            stream.close()


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--serve", choices=CONVERSATIONS, default="lines")
    arguments = parser.parse_args()
    server = Server(CONVERSATIONS[arguments.serve])
    sockets = tornado.netutil.bind_sockets(arguments.port, "127.0.0.1", backlog=4096)
    server.add_sockets(sockets)
    print(f"listening on 127.0.0.1:{sockets[0].getsockname()[1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
