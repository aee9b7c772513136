"""A service for tests of supervision: HTTP/1.1 on the socket that it was handed.

/who        who answers, as JSON
/hang       from now on /livez is never answered
/slow?s     answers after so many seconds
/env?N      the value of the environment variable N
/files      its limit of open files
/flood?n    writes lines for n seconds, as fast as they are taken
/eat?n      takes n MiB of memory
Arguments: --boot SECONDS (before it is ready), --never (it is never ready), --last TEXT (written before it ends at once),
--deaf (ignores SIGTERM).
"""
import argparse
import http.server
import json
import os
import resource
import signal
import socket
import socketserver
import sys
import threading
import time

parser = argparse.ArgumentParser()
parser.add_argument("--boot", type=float, default=0)
parser.add_argument("--never", action="store_true")
parser.add_argument("--last")
parser.add_argument("--deaf", action="store_true")
options = parser.parse_args()
born = time.monotonic()
state = {"hangs": False, "eaten": []}


def flood(seconds):
    end = time.monotonic() + seconds
    lines = b"".join(b"%06d the same story over and over again\n" % i for i in range(1000))
    while time.monotonic() < end:
        os.write(1, lines)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, text, status=200):
        body = text.encode()
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except BrokenPipeError:
            pass

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path == "/readyz":
            self.reply("", 503 if options.never or time.monotonic() - born < options.boot else 200)
        elif path == "/livez":
            while state["hangs"]:
                time.sleep(1)
            self.reply("")
        elif path == "/hang":
            state["hangs"] = True
            self.reply("")
        elif path == "/slow":
            time.sleep(float(query))
            self.reply("slow")
        elif path == "/env":
            self.reply(os.environ.get(query, "-"))
        elif path == "/files":
            self.reply(str(resource.getrlimit(resource.RLIMIT_NOFILE)[0]))
        elif path == "/flood":
            threading.Thread(target=flood, args=(float(query),), daemon=True).start()
            self.reply("")
        elif path == "/eat":
            state["eaten"].append(bytearray(int(query) << 20))
            self.reply("")
        else:
            self.reply(json.dumps({"pid": os.getpid(), "instance": os.environ["WEFT_INSTANCE"]}))


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def __init__(self, listener):
        socketserver.BaseServer.__init__(self, listener.getsockname(), Handler)
        self.socket = listener

    def get_request(self):
        connection, _ = self.socket.accept()
        return connection, ("peer", 0)


if options.deaf:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if options.last is not None:
    print("starting", flush=True)
    print(options.last, file=sys.stderr, flush=True)
    sys.exit(7)
print("hello from", os.environ["WEFT_INSTANCE"], flush=True)
Server(socket.socket(fileno=3)).serve_forever(poll_interval=0.05)
