#!/usr/bin/python3
"""tornado_web: Tornado's web server, which answers OK."""
import asyncio

import tornado.httpserver
import tornado.netutil
import tornado.web


class Index(tornado.web.RequestHandler):
    def get(self):
        self.write("OK")


async def main():
    application = tornado.web.Application([("/index/", Index)], log_function=lambda handler: None)
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    tornado.httpserver.HTTPServer(application).add_sockets(sockets)
    print(f"listening on 127.0.0.1:{sockets[0].getsockname()[1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
