/* {text, faults}: see test_load.c. */
{ "sytem: shop\n", "w:1:1: unknown key \"sytem\" (did you mean \"system\"?)\n" },
    { "system: Shop\n",
      "w:1:9: system: must be a name (a-z, 0-9 and inner hyphens, a letter first, at most 63 characters)\n" },
    { "system: 9\n",
      "w:1:9: system: must be a name (a-z, 0-9 and inner hyphens, a letter first, at most 63 characters)\n" },
    { "workers: -1\n", "w:1:10: workers: must be between 0 and 255 (is -1)\n" },
    { "workers: 256\n", "w:1:10: workers: must be between 0 and 255 (is 256)\n" },
    { "workers: many\n", "w:1:10: workers: must be an integer, found \"many\"\n" },
    { "gateway: http://0.0.0.0:8080\n", "w:1:10: gateway: must be a list, found \"http://0.0.0.0:8080\" (write [...] "
                                        "or lines that begin with \"- \")\n" },
    { "gateway: [ listen: https://0.0.0.0:8443 ]\n",
      "w:1:20: gateway[0].listen: https is not supported (put http://, and what speaks TLS before it)\n" },
    { "gateway: [ listen: 0.0.0.0:8080 ]\n",
      "w:1:20: gateway[0].listen: must be http://ADDRESS:PORT with an IP address (http://0.0.0.0:8080 is reached from "
      "everywhere, http://127.0.0.1:8080 from this machine)\n" },
    { "gateway: [ listen: http://0.0.0.0 ]\n",
      "w:1:20: gateway[0].listen: must be http://ADDRESS:PORT with an IP address (http://0.0.0.0:8080 is reached from "
      "everywhere, http://127.0.0.1:8080 from this machine)\n" },
    { "gateway: [ listen: \"http://*:8080\" ]\n",
      "w:1:20: gateway[0].listen: must be http://ADDRESS:PORT with an IP address (http://0.0.0.0:8080 is reached from "
      "everywhere, http://127.0.0.1:8080 from this machine)\n" },
    { "gateway: [ listen: http://example.com:80 ]\n",
      "w:1:20: gateway[0].listen: must be http://ADDRESS:PORT with an IP address (http://0.0.0.0:8080 is reached from "
      "everywhere, http://127.0.0.1:8080 from this machine)\n" },
    { "gateway: [ listen: http://0.0.0.0:0 ]\n",
      "w:1:20: gateway[0].listen: must be http://ADDRESS:PORT with an IP address (http://0.0.0.0:8080 is reached from "
      "everywhere, http://127.0.0.1:8080 from this machine)\n" },
    { "gateway: [ listen: http://0.0.0.0:65536 ]\n",
      "w:1:20: gateway[0].listen: must be http://ADDRESS:PORT with an IP address (http://0.0.0.0:8080 is reached from "
      "everywhere, http://127.0.0.1:8080 from this machine)\n" },
    { "gateway: [ listen: http://0.0.0.0:8080/api ]\n",
      "w:1:20: gateway[0].listen: must be http://ADDRESS:PORT with an IP address (http://0.0.0.0:8080 is reached from "
      "everywhere, http://127.0.0.1:8080 from this machine)\n" },
    { "gateway: [ listen: \"http://unix:/tmp/x\" ]\n",
      "w:1:20: gateway[0].listen: must be http://ADDRESS:PORT with an IP address (http://0.0.0.0:8080 is reached from "
      "everywhere, http://127.0.0.1:8080 from this machine)\n" },
    { "gateway: [ name: web ]\n",
      "w:1:12: gateway[0]: missing key \"listen\" (such as listen: http://0.0.0.0:8080)\n" },
    { "gateway: [ { listen: http://0.0.0.0:8080, name: Web } ]\n",
      "w:1:49: gateway[0].name: must be a name (a-z, 0-9 and inner hyphens, a letter first, at most 63 characters)\n" },
    { "gateway: [ { listen: http://0.0.0.0:8080, name: control } ]\n",
      "w:1:12: gateway: the name \"control\" is Weft's own\n" },
    { "gateway: [ { listen: http://0.0.0.0:8080, name: control-socket } ]\n",
      "w:1:12: gateway: the name \"control-socket\" is Weft's own\n" },
    { "gateway: [ { listen: http://0.0.0.0:8080 }, { listen: http://0.0.0.0:8080 } ]\n",
      "w:1:45: gateway: the listener \"http://0.0.0.0:8080\" is there already, at w:1:12\n" },
    { "gateway: [ { listen: http://0.0.0.0:80, name: a }, { listen: http://0.0.0.0:81, name: a } ]\n",
      "w:1:52: gateway: the name \"a\" is there already, at w:1:12\n" },
    { "gateway: [ { listen: http://0.0.0.0:80, name: gateway-1 }, { listen: http://0.0.0.0:81 } ]\n",
      "w:1:60: gateway: the name \"gateway-1\" is there already, at w:1:12\n" },
    { "gateway: [ listen: http://127.0.0.1:7070 ]\n",
      "w:1:12: gateway: http://127.0.0.1:7070 is where control listens\n" },
    { "control: { listen: 7070 }\n",
      "w:1:20: control.listen: must be ADDRESS:PORT with an IP address, or off (such as 127.0.0.1:7070)\n" },
    { "control: { listen: localhost }\n",
      "w:1:20: control.listen: must be ADDRESS:PORT with an IP address, or off (such as 127.0.0.1:7070)\n" },
    { "control: { listen: none }\n",
      "w:1:20: control.listen: must be ADDRESS:PORT with an IP address, or off (such as 127.0.0.1:7070)\n" },
    { "control: { lisen: off }\n", "w:1:12: control: unknown key \"lisen\" (did you mean \"listen\"?)\n" },
    { "log: { access: off }\n", "w:1:16: log.access: must be true or false, found \"off\" (write false)\n" },
    { "log: { access: \"true\" }\n",
      "w:1:16: log.access: must be true or false, found \"true\" (write it without quotes)\n" },
    { "log: on\n", "w:1:6: log: must be a mapping, found \"on\"\n" },
    { "clients: { head: 0s }\n", "w:1:18: clients.head: must be between 1ms and 1h (is 0s)\n" },
    { "clients: { head: 15 }\n",
      "w:1:18: clients.head: must be a duration, found \"15\" (such as 200ms, 15s or 1h30m)\n" },
    { "clients: { connections: 0 }\n", "w:1:25: clients.connections: must be between 1 and 200000 (is 0)\n" },
    { "clients: { connections: 200001 }\n", "w:1:25: clients.connections: must be between 1 and 200000 (is 200001)\n" },
    { "services: { Orders: { run: ./orders } }\n", "w:1:13: services: \"Orders\" is no name for this (a-z, 0-9 and "
                                                   "inner hyphens, a letter first, at most 63 characters)\n" },
    { "services: { orders: }\n",
      "w:1:21: services.orders: has neither run nor url (run starts it, url says where it runs already)\n" },
    { "services: { orders: {} }\n",
      "w:1:21: services.orders: has neither run nor url (run starts it, url says where it runs already)\n" },
    { "services: { orders: ./orders }\n", "w:1:21: services.orders: must be a mapping, found \"./orders\"\n" },
    { "services: { orders: { run: ./orders, url: http://10.0.0.1 } }\n",
      "w:1:21: services.orders: has both run and url (run starts it, url says where it runs already)\n" },
    { "services: { orders: { run: \"\" } }\n", "w:1:28: services.orders.run: must name a program\n" },
    { "services: { orders: { run: [] } }\n", "w:1:28: services.orders.run: must name a program\n" },
    { "services: { orders: { run: [\"\", x] } }\n", "w:1:28: services.orders.run: must name a program\n" },
    { "services: { orders: { run: \"./orders | tee log\" } }\n",
      "w:1:28: services.orders.run: holds |, but is not run by a shell (put it in quotes, or write [sh, -c, "
      "'...'])\n" },
    { "services: { orders: { run: \"./orders $HOME\" } }\n", "w:1:28: services.orders.run: holds $, but is not run by "
                                                             "a shell (put it in quotes, or write [sh, -c, '...'])\n" },
    { "services: { orders: { run: \"./orders 'x\" } }\n", "w:1:28: services.orders.run: a quote ' is not closed\n" },
    { "services: { orders: { run: \"./orders \\\\\" } }\n",
      "w:1:28: services.orders.run: nothing follows the last backslash\n" },
    { "services: { orders: { run: { a: b } } }\n", "w:1:28: services.orders.run: must be a string, found a mapping\n" },
    { "services: { orders: { run: ./orders, scale: 1001 } }\n",
      "w:1:45: services.orders.scale: must be between 0 and 1000 (is 1001)\n" },
    { "services: { orders: { run: ./orders, scale: -1 } }\n",
      "w:1:45: services.orders.scale: must be between 0 and 1000 (is -1)\n" },
    { "services: { orders: { run: ./orders, scale: two } }\n",
      "w:1:45: services.orders.scale: must be an integer, found \"two\"\n" },
    { "services: { orders: { run: ./orders, scael: 2 } }\n",
      "w:1:38: services.orders: unknown key \"scael\" (did you mean \"scale\"?)\n" },
    { "services: { orders: { run: ./orders, ready: readyz } }\n",
      "w:1:45: services.orders.ready: must be a path, such as /readyz\n" },
    { "services: { orders: { run: ./orders, ready: \"/ready z\" } }\n",
      "w:1:45: services.orders.ready: must be a path, such as /readyz\n" },
    { "services: { orders: { run: ./orders, policy: call } }\n",
      "w:1:46: services.orders.policy: no policy is named \"call\" (no policy is defined)\n" },
    { "services: { orders: { run: ./orders, balance: random } }\n",
      "w:1:47: services.orders.balance: must be one of round-robin, least-request, found \"random\"\n" },
    { "services: { orders: { run: ./orders, balance: least-requests } }\n",
      "w:1:47: services.orders.balance: must be one of round-robin, least-request, found \"least-requests\" (did you "
      "mean \"least-request\"?)\n" },
    { "services: { orders: { run: ./orders, env: { PORT: 80 } } }\n",
      "w:1:43: services.orders.env: PORT is set by Weft itself\n" },
    { "services: { orders: { run: ./orders, env: { WEFT_URL: x, LISTEN_FDS: 3 } } }\n",
      "w:1:43: services.orders.env: WEFT_URL is set by Weft itself\n"
      "w:1:43: services.orders.env: LISTEN_FDS is set by Weft itself\n" },
    { "services: { orders: { run: ./orders, env: { a-b: x } } }\n",
      "w:1:45: services.orders.env: \"a-b\" is no name for this (letters, digits and _, no digit first)\n" },
    { "services: { orders: { run: ./orders, env: [A=B] } }\n",
      "w:1:43: services.orders.env: must be a mapping, found a list\n" },
    { "services: { orders: { run: ./orders, directory: \"\" } }\n",
      "w:1:49: services.orders.directory: must not be empty\n" },
    { "services: { orders: { run: ./orders, port: yes } }\n",
      "w:1:44: services.orders.port: must be true or false, found \"yes\" (write true)\n" },
    { "services: { orders: { run: ./orders, connections: 0 } }\n",
      "w:1:51: services.orders.connections: must be between 1 and 65536 (is 0)\n" },
    { "services: { orders: { url: [] } }\n", "w:1:28: services.orders.url: must have at least one address\n" },
    { "services: { orders: { url: https://api.example.com } }\n",
      "w:1:28: services.orders.url: https is not supported (put http:// and a port without TLS)\n" },
    { "services: { orders: { url: ftp://api.example.com } }\n",
      "w:1:28: services.orders.url: must begin with http:// (such as http://10.0.0.5:9000 or "
      "http://api.example.com)\n" },
    { "services: { orders: { url: http://api.example.com/v1 } }\n",
      "w:1:28: services.orders.url: must have no path (requests keep theirs; write scheme, host and port only)\n" },
    { "services: { orders: { url: http://user@api.example.com } }\n",
      "w:1:28: services.orders.url: must have no user and password (such as http://10.0.0.5:9000 or "
      "http://api.example.com)\n" },
    { "services: { orders: { url: \"http://api.example.com:0\" } }\n",
      "w:1:28: services.orders.url: its port must be between 1 and 65535 (such as http://10.0.0.5:9000 or "
      "http://api.example.com)\n" },
    { "services: { orders: { url: \"http://api.example.com:http\" } }\n",
      "w:1:28: services.orders.url: its port must be between 1 and 65535 (such as http://10.0.0.5:9000 or "
      "http://api.example.com)\n" },
    { "services: { orders: { url: \"http://:80\" } }\n",
      "w:1:28: services.orders.url: must have a host name or an IP address (such as http://10.0.0.5:9000 or "
      "http://api.example.com)\n" },
    { "services: { orders: { url: \"http://a b\" } }\n",
      "w:1:28: services.orders.url: must have a host name or an IP address (such as http://10.0.0.5:9000 or "
      "http://api.example.com)\n" },
    { "services: { orders: { url: \"http://[::1\" } }\n",
      "w:1:28: services.orders.url: must have a host name or an IP address (such as http://10.0.0.5:9000 or "
      "http://api.example.com)\n" },
    { "services: { orders: { url: http://10.0.0.1, scale: 2, env: { A: b }, directory: x, port: true } }\n",
      "w:1:52: services.orders.scale: is for services that are started by run (one with url runs elsewhere)\n"
      "w:1:60: services.orders.env: is for services that are started by run (one with url runs elsewhere)\n"
      "w:1:81: services.orders.directory: is for services that are started by run (one with url runs elsewhere)\n"
      "w:1:90: services.orders.port: is for services that are started by run (one with url runs elsewhere)\n" },
    { "policies: { call: { tiemout: 2s } }\n",
      "w:1:21: policies.call: unknown setting \"tiemout\" (did you mean \"timeout\"?)\n" },
    { "policies: { call: { balance: round-robin } }\n",
      "w:1:21: policies.call: unknown setting \"balance\" (known: timeout, per-try, retry)\n" },
    { "policies: { call: { timeout: 2 } }\n",
      "w:1:30: policies.call.timeout: must be a duration, found \"2\" (such as 200ms, 15s or 1h30m)\n" },
    { "policies: { call: { per-try: {} } }\n", "w:1:30: policies.call.per-try: missing key \"limit\"\n" },
    { "policies: { call: { retry: { attempts: 0 } } }\n",
      "w:1:40: policies.call.retry.attempts: must be between 1 and 10 (is 0)\n" },
    { "policies: { call: { retry: { on: [503, never] } } }\n",
      "w:1:40: policies.call.retry.on[1]: must be unsent, unknown or a status from 400 to 599\n" },
    { "policies: { call: 2s }\n", "w:1:19: policies.call: must be a mapping, found \"2s\"\n" },
    { "policies: { CALL: {} }\n", "w:1:13: policies: \"CALL\" is no name for this (a-z, 0-9 and inner hyphens, a "
                                  "letter first, at most 63 characters)\n" },
    { "routes: { to: orders }\n",
      "w:1:9: routes: must be a list, found a mapping (write [...] or lines that begin with \"- \")\n" },
    { "routes: [ {} ]\n", "w:1:11: routes[0]: missing key \"to\" (such as to: orders)\n" },
    { "routes: [ { match: /a } ]\n", "w:1:11: routes[0]: missing key \"to\" (such as to: orders)\n" },
    { "routes: [ { match: { path: a }, to: { respond: 200 } } ]\n",
      "w:1:28: routes[0].match.path: must be a path: / first, no query, no dot segments\n" },
    { "routes: [ { match: { pth: /a }, to: { respond: 200 } } ]\n",
      "w:1:22: routes[0].match: unknown key \"pth\" (did you mean \"path\"?)\n" },
    { "routes: [ { match: { path: /a, method: [] , host: \"a b\" }, to: { respond: 200 } } ]\n",
      "w:1:51: routes[0].match.host: must be a host name without port, or *. and one\n" },
    { "routes: [ { to: { respond: 99 } } ]\n", "w:1:28: routes[0].to.respond: must be between 200 and 599 (is 99)\n" },
    { "routes: [ { to: { respnd: 404 } } ]\n",
      "w:1:19: routes[0].to: unknown target \"respnd\" (did you mean \"respond\"?)\n" },
    { "routes: [ { to: { respond: 404, timeout: 1s } } ]\n",
      "w:1:17: routes[0].to: must be a name or a mapping with one key that names a target, found 2 keys (one mapping "
      "holds one target)\n" },
    { "routes: [ { to: { timeout: 1s } } ]\n", "w:1:19: routes[0].to: unknown target \"timeout\" (known: respond)\n" },
    { "routes: [ { to: \"\" } ]\n", "w:1:17: routes[0].to: must not be empty\n" },
    { "routes: [ { to: orders } ]\n",
      "w:1:17: routes[0].to: no service is named \"orders\" (no service is defined)\n" },
    { "routes: [ { to: respond } ]\n",
      "w:1:17: routes[0].to: no service is named \"respond\" (no service is defined)\n" },
    { "routes: [ { name: A, to: { respond: 200 } } ]\n",
      "w:1:19: routes[0].name: must be a name (a-z, 0-9 and inner hyphens, a letter first, at most 63 characters)\n" },
    { "routes: [ { name: a, to: { respond: 200 } }, { name: a, to: { respond: 200 } } ]\n",
      "w:1:46: routes: the name \"a\" is there already, at w:1:11\n" },
    { "routes: [ { stages: { timeout: 1s }, to: { respond: 200 } } ]\n",
      "w:1:21: routes[0].stages: must be a list, found a mapping (write [...] or lines that begin with \"- \")\n" },
    { "routes: [ { stages: [ timeout ], to: { respond: 200 } } ]\n",
      "w:1:23: routes[0].stages[0]: must be a mapping with one key that names a stage, found \"timeout\" (write { "
      "timeout: {} })\n" },
    { "routes: [ { stages: [ { timeout: 1s, retry: 2 } ], to: { respond: 200 } } ]\n",
      "w:1:23: routes[0].stages[0]: must be a mapping with one key that names a stage, found 2 keys (one mapping holds "
      "one stage)\n" },
    { "routes: [ { stages: [ { limit: 1 } ], to: { respond: 200 } } ]\n",
      "w:1:25: routes[0].stages[0]: unknown stage \"limit\" (known: timeout, retry)\n" },
    { "routes: [ { stages: [ { retry: 99 } ], to: { respond: 200 } } ]\n",
      "w:1:32: routes[0].stages[0].retry: must be between 1 and 10 (is 99)\n" },
    { "routes: [ { stages: [ { per-try: 1s } ], to: { respond: 200 } } ]\n",
      "w:1:25: routes[0].stages[0]: unknown stage \"per-try\" (known: timeout, retry)\n" },
    { "include: nothing.yaml\n", "w:1:10: include: can't read nothing.yaml: no such file\n" },
    { "include: [more.yaml, more.yaml]\n", "w:1:22: include[1]: more.yaml is included already, at w:1:11\n" },
    { "services:\n"
      "  orders: { run: ./orders }\n"
      "routes:\n"
      "  - to: order\n",
      "w:4:9: routes[0].to: no service is named \"order\" (did you mean \"orders\"?)\n" },
    { "services:\n"
      "  orders: { run: ./orders, policy: cal }\n"
      "policies:\n"
      "  call: {}\n",
      "w:2:36: services.orders.policy: no policy is named \"cal\" (did you mean \"call\"?)\n" },
    { "services:\n"
      "  orders: { run: ./orders }\n"
      "  orders: { run: ./more }\n",
      "w:3:3: services: duplicate key \"orders\", first at line 2\n" },
    { "include: more.yaml\n"
      "services:\n"
      "  more: { run: ./mine }\n",
      "more.yaml:2:3: services.more: defined twice, first at w:3:3\n" },
    { "gateway:\n"
      "  - listen: http://0.0.0.0:${PORT}\n"
      "  - listen: http://0.0.0.0:8080\n",
      "w:3:5: gateway: the listener \"http://0.0.0.0:8080\" is there already, at w:2:5\n" },
    { "gateway:\n"
      "  - listen: http://0.0.0.0:${PORTS}\n",
      "w:2:13: gateway[0].listen: variable PORTS is not set (set it, or write ${PORTS:-default})\n" },
    { "system: shop\n"
      "workers: many\n"
      "gateway:\n"
      "  - lisen: http://0.0.0.0:8080\n"
      "services:\n"
      "  orders: { run: ./orders, scale: 5000 }\n"
      "routes:\n"
      "  - to: ordes\n",
      "w:2:10: workers: must be an integer, found \"many\"\n"
      "w:4:5: gateway[0]: unknown key \"lisen\" (did you mean \"listen\"?)\n"
      "w:4:5: gateway[0]: missing key \"listen\" (such as listen: http://0.0.0.0:8080)\n"
      "w:6:35: services.orders.scale: must be between 0 and 1000 (is 5000)\n"
      "w:8:9: routes[0].to: no service is named \"ordes\" (did you mean \"orders\"?)\n" },
