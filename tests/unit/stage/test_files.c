#include "files_rig.h"

#include "io/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGE 700001 /* some bulk buffers, and no multiple of anything */

/* --- which file ----------------------------------------------------------------------------------------------------
 */

static void make_site(struct rig *rig)
{
    rig_write_text(rig, "web/index.html", "<p>start");
    rig_write_text(rig, "web/app.js", "let a");
    rig_write_text(rig, "web/docs/index.html", "<p>docs");
    rig_write_text(rig, "web/docs/a:b/index.html", "<p>colon");
    rig_write_text(rig, "web/empty/x", "x");
    rig_write_text(rig, "web/nothing.txt", "");
    rig_write_text(rig, "web/.env", "secret");
    rig_write_text(rig, "web/.well-known/security.txt", "Contact");
    rig_write_text(rig, "web/a b\xc3\xa9.txt", "space");
    rig_write_text(rig, "web/odd/index.html/x", "x");
    rig_write_text(rig, "secret", "secret");
    assert_int_equal(symlink("../secret", rig_path(rig, "web/out.txt")), 0);
    assert_int_equal(symlink("..", rig_path(rig, "web/up")), 0);
    assert_int_equal(symlink("/etc/passwd", rig_path(rig, "web/passwd")), 0);
    assert_int_equal(symlink("app.js", rig_path(rig, "web/link.js")), 0);
    assert_int_equal(mkfifo(rig_path(rig, "web/pipe"), 0600), 0);
}

static const struct {
    const char *method, *path;
    unsigned status;
    const char *body, *type, *location;
} SITE[] = {
    { "GET", "/", 200, "<p>start", "text/html; charset=utf-8", "" },
    { "GET", "/index.html", 200, "<p>start", "text/html; charset=utf-8", "" },
    { "GET", "/app.js?v=1", 200, "let a", "text/javascript; charset=utf-8", "" },
    { "GET", "/docs/", 200, "<p>docs", "text/html; charset=utf-8", "" },
    { "GET", "/a%20b%c3%a9.txt", 200, "space", "text/plain; charset=utf-8", "" },
    { "GET", "/nothing.txt", 200, "", "text/plain; charset=utf-8", "" },
    { "GET", "/link.js", 200, "let a", "text/javascript; charset=utf-8", "" },
    { "GET", "/.well-known/security.txt", 200, "Contact", "text/plain; charset=utf-8", "" },
    { "HEAD", "/app.js", 200, "", "text/javascript; charset=utf-8", "" },
    { "GET", "/docs", 301, "", "", "./docs/" },
    { "GET", "/docs?a=b&c", 301, "", "", "./docs/?a=b&c" },
    { "GET", "/docs/a%3Ab", 301, "", "", "./a%3Ab/" },
    { "GET", "/docs/a:b", 301, "", "", "./a:b/" },
    { "HEAD", "/docs", 301, "", "", "./docs/" },
    { "GET", "/none", 404, NULL, "application/problem+json", "" },
    { "HEAD", "/none", 404, NULL, "application/problem+json", "" },
    { "GET", "/app.js/", 404, NULL, "application/problem+json", "" },
    { "GET", "/app.js/x", 404, NULL, "application/problem+json", "" },
    { "GET", "/empty/", 404, NULL, "application/problem+json", "" },
    { "GET", "/odd/", 404, NULL, "application/problem+json", "" },
    { "GET", "/.env", 404, NULL, "application/problem+json", "" },
    { "GET", "/out.txt", 404, NULL, "application/problem+json", "" },
    { "GET", "/up/secret", 404, NULL, "application/problem+json", "" },
    { "GET", "/up/web/app.js", 404, NULL, "application/problem+json", "" },
    { "GET", "/passwd", 404, NULL, "application/problem+json", "" },
    { "GET", "/pipe", 404, NULL, "application/problem+json", "" },
    { "GET", "/../secret", 404, NULL, "application/problem+json", "" },
    { "GET", "/%2e%2e/secret", 404, NULL, "application/problem+json", "" },
    { "GET", "/..%2fsecret", 404, NULL, "application/problem+json", "" },
    { "GET", "//app.js", 404, NULL, "application/problem+json", "" },
    { "POST", "/app.js", 405, NULL, "application/problem+json", "" },
    { "DELETE", "/none", 405, NULL, "application/problem+json", "" },
    { "BREW", "/", 405, NULL, "application/problem+json", "" },
    { "OPTIONS", "/app.js", 204, "", "", "" },
};

static void site(struct rig *rig)
{
    struct rig_answer *answer = rig_answer_make();

    make_site(rig);
    for (size_t i = 0; i < ARRAY_LEN(SITE); i++) {
        rig_expect(rig, SITE[i].method, SITE[i].path, "", SITE[i].status, answer);
        if (SITE[i].body)
            assert_string_equal(answer->body, SITE[i].body);
        rig_expect_field(answer, "Content-Type", SITE[i].type);
        rig_expect_field(answer, "Location", SITE[i].location);
        rig_expect_field(answer, "Allow", SITE[i].status == 405 || SITE[i].status == 204 ? "GET, HEAD, OPTIONS" : "");
    }
    rig_ask(rig, "GET", "/a%00b", "", answer);
    assert_int_equal(answer->outcome, OUTCOME_BAD_REQUEST);
    rig_ask(rig, "GET", "/a%zz", "", answer);
    assert_int_equal(answer->outcome, OUTCOME_BAD_REQUEST);
    free(answer);
}

static void paths_find_files(void **state)
{
    rig_run(site, NULL);
}

static void heads(struct rig *rig)
{
    struct rig_answer *answer = rig_answer_make();
    char etag[64];

    rig_write_text(rig, "web/app.js", "let a");
    rig_expect(rig, "HEAD", "/app.js", "", 200, answer);
    assert_true(answer->has_length && answer->length == 5);
    snprintf(etag, sizeof(etag), "%s", rig_field(answer, "ETag"));
    rig_expect(rig, "GET", "/app.js", "", 200, answer);
    rig_expect_field(answer, "ETag", etag);
    rig_expect_field(answer, "Accept-Ranges", "bytes");
    rig_expect_field(answer, "X-Content-Type-Options", "nosniff");
    rig_expect_field(answer, "Cache-Control", "no-cache");
    rig_expect_field(answer, "Vary", "");
    assert_int_equal(strlen(rig_field(answer, "Last-Modified")), 29);
    rig_age(rig, "web/app.js", -3600); /* in the future: said to be now (RFC 9110, 8.8.2.1) */
    rig_expect(rig, "GET", "/app.js", "", 200, answer);
    assert_string_not_equal(rig_field(answer, "ETag"), etag);
    {
        char field[128];

        snprintf(field, sizeof(field), "If-Modified-Since: %s", rig_field(answer, "Last-Modified"));
        rig_age(rig, "web/app.js", 10);
        rig_expect(rig, "GET", "/app.js", field, 304, answer);
    }
    rig_age(rig, "web/app.js", INT64_C(100) * 365 * 86400); /* dates begin in 1970 */
    rig_expect(rig, "GET", "/app.js", "", 200, answer);
    rig_expect_field(answer, "Last-Modified", "Thu, 01 Jan 1970 00:00:00 GMT");
    rig->conf.cache_ns = 3600 * NS_PER_S;
    assert_int_equal(rig_configure(rig), 0);
    rig_expect(rig, "GET", "/app.js", "", 200, answer);
    rig_expect_field(answer, "Cache-Control", "max-age=3600");
    free(answer);
}

static void heads_say_what_it_is(void **state)
{
    rig_run(heads, NULL);
}

static void strip(struct rig *rig)
{
    struct rig_answer *answer = rig_answer_make();

    make_site(rig);
    rig->conf.strip = BYTES("/assets");
    assert_int_equal(rig_configure(rig), 0);
    rig_expect(rig, "GET", "/assets/app.js", "", 200, answer);
    rig_expect(rig, "GET", "/assets/", "", 200, answer);
    assert_string_equal(answer->body, "<p>start");
    rig_expect(rig, "GET", "/assets/docs", "", 301, answer);
    rig_expect_field(answer, "Location", "./docs/");
    rig_expect(rig, "GET", "/assets?a=b", "", 301, answer);
    rig_expect_field(answer, "Location", "./assets/?a=b");
    rig_expect(rig, "GET", "/app.js", "", 404, answer);
    free(answer);
}

static void roots(struct rig *rig)
{
    struct rig_answer *answer = rig_answer_make();
    char absolute[96];

    make_site(rig);
    rig->conf.hidden = true;
    snprintf(absolute, sizeof(absolute), "%s/web", rig->folder);
    rig->conf.root = bytes_of_text(absolute);
    assert_int_equal(rig_configure(rig), 0);
    rig_expect(rig, "GET", "/.env", "", 200, answer);
    rig->conf.root = BYTES("none");
    assert_int_equal(rig_configure(rig), 0);
    rig_expect(rig, "GET", "/app.js", "", 500, answer);
    assert_non_null(strstr(answer->body, "`root`"));
    rig->conf.root = BYTES("secret"); /* a file */
    assert_int_equal(rig_configure(rig), 0);
    rig_expect(rig, "GET", "/app.js", "", 500, answer);
    assert_int_equal(symlink("web", rig_path(rig, "current")), 0);
    rig->conf.root = BYTES("current"); /* the root itself may be a link, as releases are switched */
    assert_int_equal(rig_configure(rig), 0);
    rig_expect(rig, "GET", "/app.js", "", 200, answer);
    if (geteuid() != 0) {
        assert_int_equal(chmod(rig_path(rig, "web/app.js"), 0), 0);
        rig_expect(rig, "GET", "/app.js", "", 403, answer);
    }
    free(answer);
}

/* A file is found below the root, wherever that is. */
static void prefixes_are_taken_off(void **state)
{
    rig_run(strip, NULL);
}

static void roots_count_from_the_folder(void **state)
{
    rig_run(roots, NULL);
}

/* --- the fallback ----------------------------------------------------------------------------------------------------
 */

static const struct {
    const char *path, *fields;
    unsigned status;
    const char *vary;
} FALLBACKS[] = {
    { "/users/7", "", 200, "Accept" },
    { "/users/7/", "Accept: text/html", 200, "Accept" },
    { "/users/jane.doe", "Accept: text/html,*/*;q=0.8", 200, "Accept" },
    { "/.hidden", "Accept: text/html", 404, "Accept" }, /* no path of a file at all */
    { "/logo.png", "Accept: image/webp,*/*", 404, "Accept" },
    { "/app.1234.js", "Accept: */*", 404, "Accept" },
    { "/api/users", "Accept: application/json", 404, "Accept" },
    { "/app.js", "Accept: application/json", 200, "" },
    { "/app.js/below", "Accept: text/html", 200, "Accept" },
    { "/empty/", "", 200, "Accept" },
};

static void fallback(struct rig *rig)
{
    struct rig_answer *answer = rig_answer_make();

    make_site(rig);
    rig->conf.fallback = BYTES("index.html");
    rig->conf.cache_ns = 3600 * NS_PER_S;
    assert_int_equal(rig_configure(rig), 0);
    for (size_t i = 0; i < ARRAY_LEN(FALLBACKS); i++) {
        bool page = FALLBACKS[i].status == 200 && FALLBACKS[i].vary[0];

        rig_expect(rig, "GET", FALLBACKS[i].path, FALLBACKS[i].fields, FALLBACKS[i].status, answer);
        rig_expect_field(answer, "Vary", FALLBACKS[i].vary);
        if (page) {
            assert_string_equal(answer->body, "<p>start");
            rig_expect_field(answer, "Cache-Control", "no-cache");
            rig_expect_field(answer, "Content-Type", "text/html; charset=utf-8");
        }
    }
    rig_expect(rig, "GET", "/", "", 200, answer);
    rig_expect_field(answer, "Cache-Control", "max-age=3600");
    rig->conf.fallback = BYTES("none.html");
    assert_int_equal(rig_configure(rig), 0);
    rig_expect(rig, "GET", "/users/7", "", 404, answer);
    rig->conf.fallback = BYTES("docs");
    assert_int_equal(rig_configure(rig), 0);
    rig_expect(rig, "GET", "/users/7", "", 404, answer);
    free(answer);
}

static void a_page_stands_in(void **state)
{
    rig_run(fallback, NULL);
}

/* --- variants --------------------------------------------------------------------------------------------------------
 */

static const struct {
    const char *path, *fields, *body, *coding, *vary;
} VARIANTS[] = {
    { "/a.js", "", "plain", "", "Accept-Encoding" },
    { "/a.js", "Accept-Encoding: gzip", "gz", "gzip", "Accept-Encoding" },
    { "/a.js", "Accept-Encoding: gzip, br, zstd", "br", "br", "Accept-Encoding" },
    { "/a.js", "Accept-Encoding: br;q=0.1, zstd", "zst", "zstd", "Accept-Encoding" },
    { "/a.js", "Accept-Encoding: br;q=0, zstd;q=0, gzip;q=0", "plain", "", "Accept-Encoding" },
    { "/a.js", "Accept-Encoding: identity;q=1, *;q=0.1", "plain", "", "Accept-Encoding" },
    { "/only.css", "Accept-Encoding: br, gzip", "gz", "gzip", "Accept-Encoding" },
    { "/stale.js", "Accept-Encoding: br, gzip", "new", "", "Accept-Encoding" },
    { "/picture.png", "Accept-Encoding: gzip", "png", "", "" }, /* packed as it is */
    { "/folder.js", "Accept-Encoding: gzip", "js", "", "Accept-Encoding" },
    { "/a.js.gz", "Accept-Encoding: gzip", "gz", "", "" }, /* asked for by its own name */
    { "/", "Accept-Encoding: gzip", "start", "gzip", "Accept-Encoding" },
    { "/users/7", "Accept-Encoding: gzip", "start", "gzip", "Accept, Accept-Encoding" },
};

static void variants(struct rig *rig)
{
    static const char *const FILES[][2] = {
        { "a.js", "plain" },          { "a.js.br", "br" },      { "a.js.zst", "zst" },     { "a.js.gz", "gz" },
        { "only.css", "css" },        { "only.css.gz", "gz" },  { "stale.js.br", "old" },  { "picture.png", "png" },
        { "picture.png.gz", "gz" },   { "folder.js", "js" },    { "folder.js.gz/x", "x" }, { "index.html", "plain" },
        { "index.html.gz", "start" }, { "stale.js.gz", "old" }, { "stale.js", "new" },
    };
    struct rig_answer *answer = rig_answer_make();
    char name[64], plain[64], coded[64];

    for (size_t i = 0; i < ARRAY_LEN(FILES); i++) {
        snprintf(name, sizeof(name), "web/%s", FILES[i][0]);
        rig_write_text(rig, name, FILES[i][1]);
        rig_age(rig, name, strcmp(FILES[i][0], "stale.js") == 0 ? 50 : 100);
    }
    rig_expect(rig, "GET", "/a.js", "Accept-Encoding: gzip", 200, answer);
    assert_string_equal(answer->body, "plain"); /* not asked for in the settings */
    rig->conf.precompressed = true;
    rig->conf.fallback = BYTES("index.html");
    assert_int_equal(rig_configure(rig), 0);
    for (size_t i = 0; i < ARRAY_LEN(VARIANTS); i++) {
        rig_expect(rig, "GET", VARIANTS[i].path, VARIANTS[i].fields, 200, answer);
        assert_string_equal(answer->body, VARIANTS[i].body);
        rig_expect_field(answer, "Content-Encoding", VARIANTS[i].coding);
        rig_expect_field(answer, "Vary", VARIANTS[i].vary);
    }
    rig_expect(rig, "GET", "/a.js", "Accept-Encoding: gzip", 200, answer);
    rig_expect_field(answer, "Content-Type", "text/javascript; charset=utf-8");
    snprintf(coded, sizeof(coded), "%s", rig_field(answer, "ETag"));
    rig_expect(rig, "GET", "/a.js", "", 200, answer);
    snprintf(plain, sizeof(plain), "%s", rig_field(answer, "ETag"));
    assert_string_not_equal(plain, coded);
    assert_true(bytes_ends(bytes_of_text(coded), BYTES("-gzip\"")));
    {
        char field[160];

        snprintf(field, sizeof(field), "Accept-Encoding: gzip\nIf-None-Match: %s", coded);
        rig_expect(rig, "GET", "/a.js", field, 304, answer);
        rig_expect_field(answer, "Vary", "Accept-Encoding");
        snprintf(field, sizeof(field), "Accept-Encoding: gzip\nIf-None-Match: %s", plain);
        rig_expect(rig, "GET", "/a.js", field, 200, answer); /* that was another form */
        snprintf(field, sizeof(field), "Accept-Encoding: gzip\nRange: bytes=0-0\nIf-Range: %s", plain);
        rig_expect(rig, "GET", "/a.js", field, 200, answer);
        snprintf(field, sizeof(field), "Accept-Encoding: gzip\nRange: bytes=1-\nIf-Range: %s", coded);
        rig_expect(rig, "GET", "/a.js", field, 206, answer);
        assert_string_equal(answer->body, "z"); /* of the variant */
        rig_expect_field(answer, "Content-Encoding", "gzip");
        rig_expect_field(answer, "Content-Range", "bytes 1-1/2");
    }
    free(answer);
}

static void variants_are_chosen(void **state)
{
    rig_run(variants, NULL);
}

/* --- conditions ------------------------------------------------------------------------------------------------------
 */

static void conditions(struct rig *rig)
{
    struct rig_answer *answer = rig_answer_make();
    char etag[64], date[64], field[160];

    rig_write_text(rig, "web/a.css", "css");
    rig_expect(rig, "GET", "/a.css", "", 200, answer);
    snprintf(etag, sizeof(etag), "%s", rig_field(answer, "ETag"));
    snprintf(date, sizeof(date), "%s", rig_field(answer, "Last-Modified"));
    snprintf(field, sizeof(field), "If-None-Match: %s", etag);
    for (unsigned i = 0; i < 2; i++) {
        rig_expect(rig, i ? "HEAD" : "GET", "/a.css", field, 304, answer);
        assert_int_equal(answer->len, 0);
        assert_false(answer->has_length);
        rig_expect_field(answer, "ETag", etag);
        rig_expect_field(answer, "Last-Modified", date);
        rig_expect_field(answer, "Cache-Control", "no-cache");
        rig_expect_field(answer, "Content-Type", "");
    }
    snprintf(field, sizeof(field), "If-Modified-Since: %s\nRange: bytes=0-0", date);
    rig_expect(rig, "GET", "/a.css", field, 304, answer);
    snprintf(field, sizeof(field), "If-Match: \"other\"");
    rig_expect(rig, "GET", "/a.css", field, 412, answer);
    rig_expect_field(answer, "Content-Type", "application/problem+json");
    snprintf(field, sizeof(field), "If-Match: %s\nRange: bytes=1-1", etag);
    rig_expect(rig, "GET", "/a.css", field, 206, answer);
    assert_string_equal(answer->body, "s");
    assert_int_equal(fiber_sleep(20 * NS_PER_MS), 0); /* files.h (4): longer than a tick of the kernel's clock */
    rig_write_text(rig, "web/a.css", "CSS");          /* of the same length */
    snprintf(field, sizeof(field), "If-None-Match: %s", etag);
    rig_expect(rig, "GET", "/a.css", field, 200, answer);
    rig_expect(rig, "GET", "/none.css", "If-Match: *", 404, answer);
    free(answer);
}

static void conditions_save_the_body(void **state)
{
    rig_run(conditions, NULL);
}

/* --- ranges ----------------------------------------------------------------------------------------------------------
 */

static const struct {
    const char *range;
    unsigned status;
    uint64_t from, len;
} RANGES[] = {
    { "bytes=0-0", 206, 0, 1 },
    { "bytes=0-", 206, 0, LARGE },
    { "bytes=16383-16384", 206, 16383, 2 },
    { "bytes=16384-", 206, 16384, LARGE - 16384 },
    { "bytes=262143-524288", 206, 262143, 262146 },
    { "bytes=-1", 206, LARGE - 1, 1 },
    { "bytes=-300000", 206, LARGE - 300000, 300000 },
    { "bytes=700000-9999999", 206, 700000, 1 },
    { "bytes=5-1", 200, 0, LARGE },
    { "lines=0-1", 200, 0, LARGE },
    { "bytes=0-400000,300000-500000", 200, 0, LARGE },
};

static void ranges(struct rig *rig)
{
    struct rig_answer *answer = rig_answer_make();
    char field[128], wanted[64];

    rig_write_pattern(rig, "web/large.bin", LARGE);
    for (size_t i = 0; i < ARRAY_LEN(RANGES); i++) {
        snprintf(field, sizeof(field), "Range: %s", RANGES[i].range);
        rig_expect(rig, "GET", "/large.bin", field, RANGES[i].status, answer);
        rig_expect_pattern(answer, RANGES[i].from, RANGES[i].len);
        snprintf(wanted, sizeof(wanted), "bytes %llu-%llu/%d", (unsigned long long)RANGES[i].from,
                 (unsigned long long)(RANGES[i].from + RANGES[i].len - 1), LARGE);
        rig_expect_field(answer, "Content-Range", RANGES[i].status == 206 ? wanted : "");
    }
    rig_expect(rig, "HEAD", "/large.bin", "Range: bytes=0-0", 200, answer); /* it is for GET alone */
    assert_int_equal(answer->length, LARGE);
    rig_expect(rig, "GET", "/large.bin", "Range: bytes=0-0\nRange: bytes=1-1", 200, answer);
    rig_expect(rig, "GET", "/large.bin", "Range: bytes=0-0\nIf-Range: \"other\"", 200, answer);
    rig_expect(rig, "GET", "/large.bin", "Range: bytes=700001-", 416, answer);
    rig_expect_field(answer, "Content-Range", "bytes */700001");
    rig_write_text(rig, "web/nothing.bin", "");
    rig_expect(rig, "GET", "/nothing.bin", "Range: bytes=0-", 416, answer);
    rig_expect_field(answer, "Content-Range", "bytes */0");
    free(answer);
}

static void ranges_are_sent(void **state)
{
    rig_run(ranges, NULL);
}

/* Takes a part off: its head must say where it is from, its bytes must be those. */
static const char *take_part(const char *at, const char *boundary, uint64_t from, uint64_t len)
{
    char head[256];

    snprintf(head, sizeof(head),
             "--%s\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes %llu-%llu/%d\r\n"
             "\r\n",
             boundary, (unsigned long long)from, (unsigned long long)(from + len - 1), LARGE);
    assert_memory_equal(at, head, strlen(head));
    at += strlen(head);
    for (uint64_t i = 0; i < len; i++)
        assert_int_equal(at[i], rig_byte(from + i));
    assert_memory_equal(at + len, "\r\n", 2);
    return at + len + 2;
}

static void parts(struct rig *rig)
{
    static const char BEGINS[] = "multipart/byteranges; boundary=";
    struct rig_answer *answer = rig_answer_make();
    char boundary[64], field[FILES_RANGES_MAX * 16] = "Range: bytes=0-0";
    const char *at;

    rig_write_pattern(rig, "web/large.bin", LARGE);
    rig_expect(rig, "GET", "/large.bin", "Range: bytes=600000-699999, 10-19, -1", 206, answer);
    assert_memory_equal(rig_field(answer, "Content-Type"), BEGINS, strlen(BEGINS));
    snprintf(boundary, sizeof(boundary), "%s", rig_field(answer, "Content-Type") + strlen(BEGINS));
    assert_int_equal(answer->length, answer->len);
    at = take_part(answer->body, boundary, 600000, 100000);
    at = take_part(at, boundary, 10, 10);
    at = take_part(at, boundary, LARGE - 1, 1);
    snprintf(field, sizeof(field), "--%s--\r\n", boundary);
    assert_string_equal(at, field);
    rig_expect_field(answer, "Content-Range", "");
    snprintf(field, sizeof(field), "Range: bytes=0-0");
    for (unsigned i = 1; i < FILES_RANGES_MAX; i++)
        snprintf(field + strlen(field), sizeof(field) - strlen(field), ",%u-%u", i * 2, i * 2);
    rig_expect(rig, "GET", "/large.bin", field, 206, answer);
    snprintf(field + strlen(field), sizeof(field) - strlen(field), ",99-99");
    rig_expect(rig, "GET", "/large.bin", field, 200, answer); /* FILES_RANGES_MAX */
    rig_write_text(rig, "web/small.txt", "0123456789");
    rig_expect(rig, "GET", "/small.txt", "Range: bytes=8-, 0-1", 206, answer);
    assert_non_null(strstr(answer->body, "\r\n\r\n89\r\n--"));
    assert_non_null(strstr(answer->body, "\r\n\r\n01\r\n--"));
    free(answer);
}

static void several_ranges_are_parts(void **state)
{
    rig_run(parts, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_find_files),         cmocka_unit_test(heads_say_what_it_is),
        cmocka_unit_test(prefixes_are_taken_off),   cmocka_unit_test(roots_count_from_the_folder),
        cmocka_unit_test(a_page_stands_in),         cmocka_unit_test(variants_are_chosen),
        cmocka_unit_test(conditions_save_the_body), cmocka_unit_test(ranges_are_sent),
        cmocka_unit_test(several_ranges_are_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
