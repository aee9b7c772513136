/* greeter - a small service in C on weft.h.
 *
 *     GET  /              a page for the browser
 *     GET  /hello/{name}  who greets, and how often it has
 *     POST /echo          the body, as it came, while it comes
 *     GET  /slow/{ms}     answers after so many milliseconds
 *
 * It listens on the socket that it was given, or on PORT, or on 127.0.0.1:8081.
 */
#include <weft.h>

#include <stdlib.h>
#include <string.h>

#define SLOW_MAX_MS 20000 /* shorter than the service's own limit */

/* What the handlers share. All run on one thread, so it needs no lock. */
struct greeter {
    unsigned long greetings;
};

static const char PAGE[] =
    "<!doctype html>\n"
    "<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Weft: first</title>\n"
    "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:3em auto;padding:0 1em}\n"
    "td,th{text-align:left;padding:.1em 2em .1em 0}button{font:inherit;padding:.2em 1em}</style></head>\n"
    "<body><h1>Who answers?</h1>\n"
    "<p>The gateway shares requests out to the instances that are ready. Ask a few times, end one of them\n"
    "(<code>kill -9</code>), and ask again.</p>\n"
    "<p><button id=\"ask\">Ask 30 times</button> <span id=\"state\"></span></p>\n"
    "<table><thead><tr><th>instance</th><th>answers</th></tr></thead><tbody id=\"who\"></tbody></table>\n"
    "<script>\n"
    "async function ask() {\n"
    "  const counts = new Map();\n"
    "  let failed = 0;\n"
    "  for (let i = 0; i < 30; i++) {\n"
    "    try {\n"
    "      const answer = await fetch('/hello/browser', { cache: 'no-store' });\n"
    "      if (!answer.ok) throw new Error(answer.status);\n"
    "      const who = (await answer.json()).instance;\n"
    "      counts.set(who, (counts.get(who) || 0) + 1);\n"
    "    } catch (error) { failed++; }\n"
    "    const rows = [...counts].sort().map(([who, count]) => {\n"
    "      const row = document.createElement('tr');\n"
    "      for (const text of [who, count]) row.appendChild(document.createElement('td')).textContent = text;\n"
    "      return row;\n"
    "    });\n"
    "    document.getElementById('who').replaceChildren(...rows);\n"
    "    document.getElementById('state').textContent = `${i + 1} asked, ${failed} failed`;\n"
    "  }\n"
    "}\n"
    "document.getElementById('ask').onclick = ask;\n"
    "ask();\n"
    "</script></body></html>\n";

static int page(struct weft_call *call, void *user)
{
    return weft_answer(call, 200, "text/html; charset=utf-8", PAGE, sizeof(PAGE) - 1);
}

static int hello(struct weft_call *call, void *user)
{
    struct greeter *greeter = user;
    const char *name = weft_path_value(call, "name");

    greeter->greetings++;
    weft_log(call, WEFT_INFO, "greets %s", name);
    return weft_answer_format(call, 200, "application/json", "{\"greeting\":%s,\"instance\":%s,\"greetings\":%lu}\n",
                              weft_json_text(call, weft_format(call, "hello, %s", name)),
                              weft_json_text(call, weft_instance(call)), greeter->greetings);
}

static int echo(struct weft_call *call, void *user)
{
    struct weft_bytes part;
    int r = weft_answer_begin(call, 200, weft_header(call, "Content-Type"));

    while (r == 0 && (r = weft_body_read(call, &part)) > 0)
        r = weft_write(call, part.data, part.len);
    return r;
}

static int slow(struct weft_call *call, void *user)
{
    char *end;
    const char *text = weft_path_value(call, "ms");
    long ms = strtol(text, &end, 10);
    int r;

    if (*end != '\0' || ms < 0 || ms > SLOW_MAX_MS)
        return weft_answer_problem(call, 400, "bad-time", "the path ends with milliseconds, 20000 at most");
    r = weft_sleep(call, (int)ms);
    if (r < 0)
        return r;
    return weft_answer_format(call, 200, NULL, "%s slept for %ld ms\n", weft_instance(call), ms);
}

int main(void)
{
    struct weft_options options = { .name = "greeter", .address = "127.0.0.1:8081" };
    struct greeter greeter = { .greetings = 0 };
    struct weft_service *service;
    int code;

    if (weft_service_create(&options, &service) < 0)
        return 1;
    weft_route(service, "GET", "/", page, NULL);
    weft_route(service, "GET", "/hello/{name}", hello, &greeter);
    weft_route(service, "POST", "/echo", echo, NULL);
    weft_route(service, "GET", "/slow/{ms}", slow, NULL);
    code = weft_run(service);
    weft_service_free(service);
    return code;
}
