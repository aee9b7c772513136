"""How each program is configured and started. All do the same: one worker, three origins in turn, upstream connections
kept and shared, X-Forwarded-For added, access log off unless the scenario is about the log."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from .processes import BenchError, Server

PROXIES = ("weft", "nginx", "haproxy")
LIMIT = "limit"  # the blind forwarder: no proxy, and never "the better peer"
BLIND = "blind"  # weft that neither logs nor remembers: what sight costs is the difference


@dataclass
class Bench:
    """What all servers of a run share."""

    directory: Path  # generated files and logs
    programs: Path  # our own programs
    weft: Path | None
    proxy_cpu: int
    client_cpu: int
    descriptors: int
    ports: object
    origins: list = field(default_factory=list)

    def write(self, name, text):
        path = self.directory / name
        path.write_text(text)
        return path


def weft_yaml(bench, port, log, traffic=True):
    """The one place that knows how weft.yaml is written."""
    urls = ", ".join(f'"http://127.0.0.1:{origin}"' for origin in bench.origins)
    return f"""\
system: bench
workers: 1
control: {{ listen: "off" }}
log: {{ access: {"true" if log else "false"}, traffic: {"true" if traffic else "false"} }}
gateway:
  - listen: http://127.0.0.1:{port}
services:
  origin: {{ url: [{urls}], balance: round-robin }}
routes:
  - match: {{ path: /, prefix: true }}
    to: origin
"""


def nginx_conf(bench, port, log):
    user = "user root;\n" if os.geteuid() == 0 else ""
    servers = " ".join(f"server 127.0.0.1:{origin};" for origin in bench.origins)
    access = f"{bench.directory}/nginx.access combined buffer=64k flush=1s" if log else "off"
    temporary = "".join(f"  {name}_temp_path {bench.directory}/nginx.{name};\n"
                        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"""\
{user}daemon off;
worker_processes 1;
worker_rlimit_nofile {bench.descriptors};
pid {bench.directory}/nginx.pid;
error_log {bench.directory}/nginx.error;
events {{ worker_connections {min(16000, bench.descriptors - 100)}; multi_accept on; }}
http {{
  access_log {access};
  sendfile on; tcp_nopush on; tcp_nodelay on;
  keepalive_requests 1000000000; keepalive_timeout 1h;
{temporary}\
  upstream origin {{ {servers} keepalive 512; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_buffers 16 16k; proxy_buffer_size 16k; proxy_busy_buffers_size 64k; proxy_max_temp_file_size 0;
    }}
  }}
}}
"""


def haproxy_cfg(bench, port, log):
    servers = "".join(f"    server s{number} 127.0.0.1:{origin}\n" for number, origin in enumerate(bench.origins))
    logging = "    log global\n    option httplog\n" if log else ""
    return f"""\
global
    nbthread 1
    maxconn 11000
    no strict-limits
    log stdout format raw local0 info
defaults
    mode http
    option http-keep-alive
    option forwardfor
    http-reuse always
    maxconn 11000
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    default-server pool-max-conn 512
    balance roundrobin
frontend front
    bind 127.0.0.1:{port} backlog 4096
{logging}\
    default_backend origin
backend origin
{servers}"""


def _weft_command(bench, port, log):
    if bench.weft is None:
        raise BenchError("no weft to measure")
    return [bench.weft, "up", "-f", bench.write("weft.yaml", weft_yaml(bench, port, log))]


def _blind_command(bench, port, log):
    if bench.weft is None:
        raise BenchError("no weft to measure")
    folder = bench.directory / "blind"  # a system each: they would share .weft
    folder.mkdir(exist_ok=True)
    return [bench.weft, "up", "-f", bench.write("blind/weft.yaml", weft_yaml(bench, port, False, traffic=False))]


def _nginx_command(bench, port, log):
    conf = bench.write("nginx.conf", nginx_conf(bench, port, log))
    return ["nginx", "-c", conf, "-e", bench.directory / "nginx.error"]


def _haproxy_command(bench, port, log):
    return ["haproxy", "-db", "-f", bench.write("haproxy.cfg", haproxy_cfg(bench, port, log))]


def _limit_command(bench, port, log):
    return [bench.programs / "forward", port, *bench.origins]


_COMMANDS = {"weft": _weft_command, BLIND: _blind_command, "nginx": _nginx_command, "haproxy": _haproxy_command, LIMIT: _limit_command}


def start(bench, name, body, log=False):
    """Starts the program and waits until it answers; the caller stops it."""
    port = bench.ports.take()
    server = Server(name, _COMMANDS[name](bench, port, log), port, bench.proxy_cpu, bench.directory)
    try:
        server.wait_ready(body)
    except BaseException:
        server.stop()
        raise
    return server


def start_origin(bench):
    bench.origins = [bench.ports.take() for _ in range(3)]
    server = Server("origin", [bench.programs / "origin", *bench.origins], bench.origins[0], bench.client_cpu,
                    bench.directory)
    try:
        server.wait_ready(1024)
    except BaseException:
        server.stop()
        raise
    return server


def access_log(bench, server):
    """The file that holds the access log of a server started with log=True."""
    return bench.directory / "nginx.access" if server.name == "nginx" else server.output
