#include "supervise/messages.h"

#include "base/prng.h"
#include "io/io.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* Every field filled; which of them travel is the type's affair. */
static struct message filled(enum message_type type)
{
    return (struct message){ .type = type,
                             .id = 1,
                             .count = 2,
                             .worker = 3,
                             .pid = 4,
                             .restarts = 5,
                             .version = 6,
                             .limit_ns = INT64_MAX,
                             .ok = true,
                             .name = BYTES("na\"me\\\n\xc3\xa4"),
                             .service = BYTES("service"),
                             .address = BYTES("unix:/a b"),
                             .scheme = BYTES(""),
                             .state = BYTES("backing-off"),
                             .payload = BYTES("raw\0bytes\n{\"v\":9}\xff") };
}

static uint64_t number(const struct message_info *info, unsigned field, uint64_t value)
{
    return info->fields & field ? value : 0;
}

static struct bytes bytes_if(const struct message_info *info, unsigned field, struct bytes value)
{
    return info->fields & field ? value : BYTES_NONE;
}

static void assert_travelled(const struct message *sent, const struct message *got)
{
    const struct message_info *info = message_info(sent->type);

    assert_int_equal(got->type, sent->type);
    assert_int_equal(got->id, number(info, MESSAGE_ID, sent->id));
    assert_int_equal(got->count, number(info, MESSAGE_COUNT, sent->count));
    assert_int_equal(got->worker, number(info, MESSAGE_WORKER, sent->worker));
    assert_int_equal(got->pid, number(info, MESSAGE_PID, sent->pid));
    assert_int_equal(got->restarts, number(info, MESSAGE_RESTARTS, sent->restarts));
    assert_int_equal(got->version, number(info, MESSAGE_VERSION_FIELD, sent->version));
    assert_int_equal(got->limit_ns, number(info, MESSAGE_LIMIT_NS, sent->limit_ns));
    assert_int_equal(got->ok, number(info, MESSAGE_OK, sent->ok));
    assert_true(bytes_equal(got->name, bytes_if(info, MESSAGE_NAME, sent->name)));
    assert_true(bytes_equal(got->service, bytes_if(info, MESSAGE_SERVICE, sent->service)));
    assert_true(bytes_equal(got->address, bytes_if(info, MESSAGE_ADDRESS, sent->address)));
    assert_true(bytes_equal(got->scheme, bytes_if(info, MESSAGE_SCHEME, sent->scheme)));
    assert_true(bytes_equal(got->state, bytes_if(info, MESSAGE_STATE, sent->state)));
    assert_true(bytes_equal(got->payload, bytes_if(info, MESSAGE_PAYLOAD, sent->payload)));
}

static void every_type_travels(void **state)
{
    for (int i = 0; i < MESSAGE_TYPES; i++) {
        struct message sent = filled((enum message_type)i), got;
        enum message_sender sender = message_info(sent.type)->sender;
        char memory[1024];
        struct text text = text_into(memory, sizeof(memory));
        struct message_room room;

        message_encode(&text, &sent);
        assert_false(text.full);
        assert_int_equal(message_decode(text_bytes(&text), sender, &room, &got), 0);
        assert_travelled(&sent, &got);
        /* the other side may not say that */
        assert_int_equal(message_decode(text_bytes(&text), !sender, &room, &got), -ENOTSUP);
    }
}

static const struct {
    const char *text;
    int result;
} REFUSED[] = {
    { "", -EPROTO },
    { "x", -EPROTO },
    { "[]", -EPROTO },
    { "{}", -EPROTO },
    { "{", -EPROTO },
    { "\n{\"v\":1,\"type\":\"drain\",\"limit_ns\":1}", -EPROTO },
    { "{\"v\":1}", -EPROTO },
    { "{\"type\":\"drain\",\"limit_ns\":1}", -EPROTO },
    { "{\"v\":\"1\",\"type\":\"drain\",\"limit_ns\":1}", -EPROTO },
    { "{\"v\":2,\"type\":\"drain\",\"limit_ns\":1}", -EPROTONOSUPPORT },
    { "{\"v\":1,\"type\":\"drains\",\"limit_ns\":1}", -ENOTSUP },
    { "{\"v\":1,\"type\":7,\"limit_ns\":1}", -EPROTO },
    { "{\"v\":1,\"type\":\"drain\"}", -EPROTO },
    { "{\"v\":1,\"type\":\"drain\",\"limit_ns\":-1}", -EPROTO },
    { "{\"v\":1,\"type\":\"drain\",\"limit_ns\":1.5}", -EPROTO },
    { "{\"v\":1,\"type\":\"drain\",\"limit_ns\":99999999999999999999}", -EPROTO },
    { "{\"v\":1,\"type\":\"drain\",\"limit_ns\":\"1\"}", -EPROTO },
    { "{\"v\":1,\"type\":\"drain\",\"limit_ns\":1,\"limit_ns\":2}", -EPROTO },
    { "{\"v\":1,\"type\":\"drain\",\"limit_ns\":1} x", -EPROTO },
    { "{\"v\":1,\"type\":\"drain\",\"limit_ns\":1,\"more\":{}}", -EPROTO },
    { "{\"v\":1,\"type\":\"drain\",\"limit_ns\":1,\"more\":[]}", -EPROTO },
    { "{\"v\":1,\"type\":\"result\",\"id\":1,\"ok\":true}", -EPROTO }, /* no payload */
    { "{\"v\":1,\"type\":\"result\",\"id\":1,\"ok\":1}\n", -EPROTO },
    { "{\"v\":1,\"type\":\"start\",\"count\":1,\"pid\":1,\"name\":null}", -EPROTO },
    { "{\"v\":1,\"type\":\"start\",\"count\":1,\"pid\":1,\"name\":\"\xff\"}", -EPROTO },
};

static void what_is_no_message_is_refused(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(REFUSED); i++) {
        struct message message = { .id = 77 };
        struct message_room room;
        int r = message_decode(bytes_of_text(REFUSED[i].text), MESSAGE_BY_SUPERVISOR, &room, &message);

        if (r != REFUSED[i].result)
            fail_msg("%s: %d", REFUSED[i].text, r);
        assert_int_equal(message.id, 77); /* untouched */
    }
}

static void what_is_new_is_ignored(void **state)
{
    struct bytes text = BYTES("{\"later\":\"[{\",\"v\":1,\"limit_ns\":5,\"type\":\"drain\",\"id\":\"text\"}\nrest");
    struct message message;
    struct message_room room;

    assert_int_equal(message_decode(text, MESSAGE_BY_SUPERVISOR, &room, &message), 0);
    assert_int_equal(message.type, MESSAGE_DRAIN);
    assert_int_equal(message.limit_ns, 5);
    assert_int_equal(message.id, 0);
    assert_int_equal(message.payload.len, 0);
}

/* Nesting is found before the parser can recurse over it. */
static void deep_nesting_is_refused(void **state)
{
    static char text[IO_MESSAGE_MAX];
    struct message message;
    struct message_room room;
    int len = snprintf(text, sizeof(text), "{\"v\":1,\"type\":\"drain\",\"limit_ns\":1,\"x\":");

    memset(text + len, '[', sizeof(text) - (size_t)len);
    assert_int_equal(message_decode(bytes_of(text, sizeof(text)), MESSAGE_BY_SUPERVISOR, &room, &message), -EPROTO);
}

static void texts_have_a_bound(void **state)
{
    static char name[MESSAGE_TEXTS_MAX + 1], memory[MESSAGE_TEXTS_MAX + 256];
    struct message message = { .type = MESSAGE_START, .count = 1, .name = bytes_of(name, MESSAGE_TEXTS_MAX) }, got;
    struct message_room room;

    memset(name, 'a', sizeof(name));
    for (int over = 0; over < 2; over++) {
        struct text text = text_into(memory, sizeof(memory));

        message.name.len = MESSAGE_TEXTS_MAX + (size_t)over;
        message_encode(&text, &message);
        assert_false(text.full);
        assert_int_equal(message_decode(text_bytes(&text), MESSAGE_BY_SUPERVISOR, &room, &got), over ? -ENOSPC : 0);
    }
}

/* Bytes that were changed, cut and repeated: any result will do, but a message that is there fulfils its type. */
static void changed_bytes_do_no_harm(void **state)
{
    struct prng prng;

    prng_seed(&prng, 1);
    for (int run = 0; run < 50000; run++) {
        struct message sent = filled((enum message_type)(prng_next(&prng) % MESSAGE_TYPES)), got;
        const struct message_info *info = message_info(sent.type);
        struct message_room room;
        char memory[1024];
        struct text text = text_into(memory, sizeof(memory));
        size_t len;

        message_encode(&text, &sent);
        for (uint64_t n = prng_next(&prng) % 4; n > 0; n--)
            memory[prng_next(&prng) % text.len] = (char)prng_next(&prng);
        len = prng_next(&prng) % 4 == 0 ? prng_next(&prng) % (text.len + 1) : text.len;
        if (message_decode(bytes_of(memory, len), info->sender, &room, &got) < 0)
            continue;
        assert_true((int)got.type >= 0 && got.type < MESSAGE_TYPES);
        assert_int_equal(message_info(got.type)->sender, info->sender);
        assert_true(got.payload.len <= len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_travels),     cmocka_unit_test(what_is_no_message_is_refused),
        cmocka_unit_test(what_is_new_is_ignored), cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(texts_have_a_bound),     cmocka_unit_test(changed_bytes_do_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
