#!/usr/bin/env python3
"""nginx_web: nginx that answers OK, with all that it writes under a directory of its own."""
import argparse
import os
import shutil
import socket

CONFIGURATION = """
daemon off;
worker_processes 1;
pid nginx.pid;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  default_type text/plain;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {{
    listen 127.0.0.1:{port};
    location /index/ {{ return 200 OK; }}
  }}
}}
"""


def listen():
    """nginx takes no port 0: it inherits our socket, as it does from an nginx that it replaces."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    listener.setblocking(False)
    listener.set_inheritable(True)
    return listener


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--directory", required=True)
    directory = os.path.abspath(parser.parse_args().directory)
    os.makedirs(directory, exist_ok=True)
    listener = listen()
    port = listener.getsockname()[1]
    with open(f"{directory}/nginx.conf", "w", encoding="utf-8") as file:
        file.write(CONFIGURATION.format(port=port))
    program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    print(f"listening on 127.0.0.1:{port}", flush=True)
    os.execve(program, ["nginx", "-p", directory, "-c", "nginx.conf", "-e", "stderr"],
              {**os.environ, "NGINX": f"{listener.fileno()};"})


if __name__ == "__main__":
    main()
