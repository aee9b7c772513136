"""A service for tests: HTTP/1.1 on the socket that it was handed (LISTEN_FDS) or on PORT.

/who     who answers, as JSON
/slow?s  answers after so many seconds
/drip?n  answers with n bytes, one in half a second
/env?N   the value of the environment variable N
/call?s/p what $WEFT_URL/s/p says, called with the traceparent that came; its status is passed on
/later?s/p the same, after a second
/status?n answers with that status
/exit    ends the process at once
/orphan  starts a process in a session of its own whose parent ends at once; it ends soon after
Arguments: --say TEXT (part of /who), --fork (a grandchild in a session of its own), --crash (ends at once),
--deaf (ignores SIGTERM), --not-ready (answers readiness checks with 503),
--drop INSTANCE (which closes connections without an answer, but for checks).
"""
import argparse
import http.server
import json
import os
import signal
import socket
import socketserver
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

parser = argparse.ArgumentParser()
parser.add_argument("--say", default="")
parser.add_argument("--fork", action="store_true")
parser.add_argument("--crash", action="store_true")
parser.add_argument("--deaf", action="store_true")
parser.add_argument("--not-ready", action="store_true")
parser.add_argument("--drop", default="")
options = parser.parse_args()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, text, status=200):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def call(self, what):
        headers = {"traceparent": self.headers["traceparent"]} if self.headers["traceparent"] else {}
        request = urllib.request.Request(f"{os.environ['WEFT_URL']}/{what}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                self.reply(answer.read().decode(), answer.status)
        except urllib.error.HTTPError as error:
            self.reply(error.read().decode(), error.code)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        query = urllib.parse.unquote(query)
        if options.drop == os.environ["WEFT_INSTANCE"] and path != "/readyz":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif path == "/readyz":
            self.reply("", 503 if options.not_ready else 200)
        elif path == "/slow":
            time.sleep(float(query))
            self.reply("slow")
        elif path == "/drip":
            self.send_response(200)
            self.send_header("Content-Length", query)
            self.end_headers()
            for _ in range(int(query)):
                self.wfile.write(b".")
                time.sleep(0.5)
        elif path == "/call":
            self.call(query)
        elif path == "/status":
            self.reply("", int(query))
        elif path == "/env":
            self.reply(os.environ.get(query, ""))
        elif path == "/later":
            time.sleep(1)
            self.call(query)
        elif path == "/orphan":
            subprocess.run(["sh", "-c", "setsid sleep 0.3 &"], check=True)
            self.reply("orphan")
        elif path == "/exit":
            os._exit(3)
        else:
            self.reply(json.dumps({
                "pid": os.getpid(),
                "service": os.environ.get("WEFT_SERVICE"),
                "instance": os.environ.get("WEFT_INSTANCE"),
                "say": options.say,
                "path": self.path,
            }))


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def __init__(self, listener):
        socketserver.BaseServer.__init__(self, listener.getsockname(), Handler)
        self.socket = listener

    def get_request(self):
        connection, _ = self.socket.accept()
        return connection, ("peer", 0)


def listener():
    if "PORT" in os.environ:
        return socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
    assert os.environ["LISTEN_FDS"] == "1" and os.environ["LISTEN_PID"] == str(os.getpid())
    return socket.socket(fileno=3)


if options.crash:
    sys.exit(7)
if options.deaf:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if options.fork:
    subprocess.Popen(["sleep", "600"], start_new_session=True, close_fds=True)
print("hello from", os.environ["WEFT_INSTANCE"], flush=True)
Server(listener()).serve_forever(poll_interval=0.05)
