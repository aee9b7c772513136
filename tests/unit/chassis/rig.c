#include "rig.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct rig *rig_create(const struct weft_options *options)
{
    struct weft_options chosen = options ? *options : (struct weft_options){ .name = "test" };
    struct rig *rig = calloc(1, sizeof(*rig));

    assert_non_null(rig);
    if (!chosen.address)
        chosen.address = "127.0.0.1:0";
    chosen.address_only = true;
    chosen.keep_signals = true;
    assert_int_equal(weft_service_create(&chosen, &rig->service), 0);
    return rig;
}

static void *run(void *context)
{
    struct rig *rig = context;

    rig->code = weft_run(rig->service);
    return NULL;
}

void rig_start(struct rig *rig)
{
    assert_int_equal(weft_listen(rig->service), 0);
    assert_string_equal(weft_fault(rig->service), "");
    assert_int_equal(pthread_create(&rig->thread, NULL, run, rig), 0);
}

int rig_join(struct rig *rig)
{
    assert_int_equal(pthread_join(rig->thread, NULL), 0);
    return rig->code;
}

int rig_stop(struct rig *rig)
{
    weft_stop(rig->service);
    return rig_join(rig);
}

void rig_free(struct rig *rig)
{
    weft_service_free(rig->service);
    free(rig);
}

int rig_connect(struct rig *rig)
{
    const char *address = weft_address(rig->service), *colon = strrchr(address, ':');
    struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const struct timeval limit = { .tv_sec = 20 };
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_non_null(colon);
    name.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    assert_true(connection >= 0);
    assert_int_equal(setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    assert_int_equal(connect(connection, (struct sockaddr *)&name, sizeof(name)), 0);
    return connection;
}

void rig_send(int connection, const void *data, size_t len)
{
    const char *from = data;

    while (len > 0) {
        ssize_t n = send(connection, from, len, MSG_NOSIGNAL);

        if (n <= 0)
            return; /* the answer tells */
        from += n;
        len -= (size_t)n;
    }
}

int rig_receive(struct rig *rig, int connection)
{
    ssize_t n;

    rig->answer_len = 0;
    while ((n = recv(connection, rig->answer + rig->answer_len, RIG_ANSWER_MAX - 1 - rig->answer_len, 0)) > 0)
        rig->answer_len += (size_t)n;
    rig->answer[rig->answer_len] = '\0';
    (void)close(connection);
    if (rig->answer_len < 12 || memcmp(rig->answer, "HTTP/1.", 7) != 0)
        return 0;
    return (int)strtol(rig->answer + 9, NULL, 10);
}

int rig_ask(struct rig *rig, const char *request)
{
    int connection = rig_connect(rig);

    rig_send(connection, request, strlen(request));
    return rig_receive(rig, connection);
}

int rig_get(struct rig *rig, const char *path)
{
    char request[4096];

    (void)snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n", path);
    return rig_ask(rig, request);
}

const char *rig_body(const struct rig *rig)
{
    const char *end = strstr(rig->answer, "\r\n\r\n");

    return end ? end + 4 : "";
}

bool rig_said(const struct rig *rig, const char *part)
{
    return strstr(rig->answer, part) != NULL;
}
