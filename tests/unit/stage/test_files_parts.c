/* What the stage `files` reads out of a request: paths, types, conditions, ranges, codings. */
#include "base/text.h"
#include "stage/files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define FIELDS_MAX 8

static struct bytes text_of(const char *text)
{
    return bytes_of_text(text);
}

/* "Name: value\nName: value" */
static void head_of(struct http_head *head, struct http_field *fields, const char *text)
{
    struct bytes rest = text_of(text), line, name;

    *head = (struct http_head){ .method = HTTP_GET, .fields = fields, .field_max = FIELDS_MAX };
    while (bytes_split(&rest, '\n', &line) && line.len > 0) {
        assert_true(bytes_split(&line, ':', &name));
        assert_int_equal(http_head_add_named(head, name, bytes_trim(line)), 0);
    }
}

/* --- paths ---------------------------------------------------------------------------------------------------- */

static const struct {
    const char *raw, *strip;
    bool hidden;
    const char *path; /* NULL: an error. With a slash at its end: a folder */
    int error;
} PATHS[] = {
    { "/a.css", "", false, "a.css", 0 },
    { "/a/b/c.js", "", false, "a/b/c.js", 0 },
    { "/", "", false, "/", 0 },
    { "/a/", "", false, "a/", 0 },
    { "/a%20b%C3%A9", "", false, "a b\xc3\xa9", 0 },
    { "/a%2eb", "", false, "a.b", 0 },
    { "/100%25", "", false, "100%", 0 },
    { "/a%5Cb", "", false, "a\\b", 0 },
    { "/a+b;c=d&e:f", "", false, "a+b;c=d&e:f", 0 },
    { "/...", "", true, "...", 0 },
    { "/a..b/c..", "", false, "a..b/c..", 0 },
    /* not once more: a percent sign is a character of a name */
    { "/%252e%252e/x", "", false, "%2e%2e/x", 0 },
    /* ways out */
    { "/..", "", true, NULL, -ENOENT },
    { "/../x", "", true, NULL, -ENOENT },
    { "/a/../../x", "", true, NULL, -ENOENT },
    { "/a/..", "", true, NULL, -ENOENT },
    { "/a/../b", "", true, NULL, -ENOENT },
    { "/%2e%2e/x", "", true, NULL, -ENOENT },
    { "/%2E./x", "", true, NULL, -ENOENT },
    { "/.%2e/x", "", true, NULL, -ENOENT },
    { "/a/%2e%2e%2fx", "", true, NULL, -ENOENT },
    { "/..%2fx", "", true, NULL, -ENOENT },
    { "/a%2fb", "", true, NULL, -ENOENT },
    { "/%2fetc/passwd", "", true, NULL, -ENOENT },
    { "/a%2F", "", true, NULL, -ENOENT },
    { "/./a", "", true, NULL, -ENOENT },
    { "/a/.", "", true, NULL, -ENOENT },
    { "/%2e", "", true, NULL, -ENOENT },
    { "//etc/passwd", "", true, NULL, -ENOENT },
    { "//", "", true, NULL, -ENOENT },
    { "///", "", true, NULL, -ENOENT },
    { "/a//b", "", true, NULL, -ENOENT },
    { "/a//", "", true, NULL, -ENOENT },
    { "*", "", true, NULL, -ENOENT },
    { "", "", true, NULL, -ENOENT },
    { "a", "", true, NULL, -ENOENT },
    /* malformed */
    { "/a%00", "", true, NULL, -EBADMSG },
    { "/%00/../x", "", true, NULL, -EBADMSG },
    { "/a%", "", true, NULL, -EBADMSG },
    { "/a%2", "", true, NULL, -EBADMSG },
    { "/a%g0", "", true, NULL, -EBADMSG },
    { "/a%0g", "", true, NULL, -EBADMSG },
    { "/%%35", "", true, NULL, -EBADMSG },
    { "/%u002e", "", true, NULL, -EBADMSG },
    /* hidden names */
    { "/.env", "", false, NULL, -ENOENT },
    { "/%2eenv", "", false, NULL, -ENOENT },
    { "/.git/config", "", false, NULL, -ENOENT },
    { "/a/.git/config", "", false, NULL, -ENOENT },
    { "/a/.env", "", true, "a/.env", 0 },
    { "/.well-known/security.txt", "", false, ".well-known/security.txt", 0 },
    { "/.well-known", "", false, ".well-known", 0 },
    { "/.well-known/.env", "", false, NULL, -ENOENT },
    { "/a/.well-known/x", "", false, NULL, -ENOENT },
    { "/.well-knownx", "", false, NULL, -ENOENT },
    /* the front */
    { "/assets/a.css", "/assets", false, "a.css", 0 },
    { "/assets/", "/assets", false, "/", 0 },
    { "/assets", "/assets", false, "", 0 },
    { "/%61ssets/b/", "/assets", false, "b/", 0 },
    { "/assetsx", "/assets", false, NULL, -ENOENT },
    { "/asset", "/assets", false, NULL, -ENOENT },
    { "/", "/assets", false, NULL, -ENOENT },
    { "/assets//etc/passwd", "/assets", false, NULL, -ENOENT },
    { "/assets//", "/assets", false, NULL, -ENOENT },
    { "/assets/..", "/assets", false, NULL, -ENOENT },
    { "/assets/.env", "/assets", false, NULL, -ENOENT },
    { "/a/b/c", "/a/b", false, "c", 0 },
};

static void paths_are_read(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(PATHS); i++) {
        char memory[FILES_PATH_MAX], said[64];
        struct files_path path = { .path = BYTES("untouched") };
        int r = files_path_read(text_of(PATHS[i].raw), text_of(PATHS[i].strip), PATHS[i].hidden, memory, &path);

        snprintf(said, sizeof(said), BYTES_FMT "%s", BYTES_ARG(path.path), path.folder ? "/" : "");
        if (r != PATHS[i].error || strcmp(said, PATHS[i].path ? PATHS[i].path : "untouched") != 0)
            fail_msg("%s: %d, %s", PATHS[i].raw, r, said);
    }
}

static void paths_are_bounded(void **state)
{
    static char raw[FILES_PATH_MAX * 3 + 3];
    char memory[FILES_PATH_MAX];
    struct files_path path;

    memset(raw, 'a', sizeof(raw));
    raw[0] = '/';
    assert_int_equal(files_path_read(bytes_of(raw, FILES_PATH_MAX), BYTES_NONE, false, memory, &path), 0);
    assert_int_equal(path.path.len, FILES_PATH_MAX - 1);
    assert_int_equal(files_path_read(bytes_of(raw, FILES_PATH_MAX + 1), BYTES_NONE, false, memory, &path), -ENOENT);
    for (size_t i = 1; i + 2 < sizeof(raw); i += 3)
        memcpy(raw + i, "%61", 3);
    assert_int_equal(files_path_read(bytes_of(raw, 1 + (FILES_PATH_MAX - 1) * 3), BYTES_NONE, false, memory, &path), 0);
    assert_int_equal(files_path_read(bytes_of(raw, 1 + FILES_PATH_MAX * 3), BYTES_NONE, false, memory, &path), -ENOENT);
}

/* --- types ---------------------------------------------------------------------------------------------------- */

static const struct {
    const char *path, *type;
    bool packed;
} TYPES[] = {
    { "index.html", "text/html; charset=utf-8", false },
    { "a/INDEX.HTML", "text/html; charset=utf-8", false },
    { "a.htm", "text/html; charset=utf-8", false },
    { "a.css", "text/css; charset=utf-8", false },
    { "a.min.js", "text/javascript; charset=utf-8", false },
    { "a.mjs", "text/javascript; charset=utf-8", false },
    { "a.js.map", "application/json", false },
    { "a.json", "application/json", false },
    { "a.webmanifest", "application/manifest+json", false },
    { "a.svg", "image/svg+xml", false },
    { "a.wasm", "application/wasm", false },
    { "a.woff2", "font/woff2", true },
    { "a.ttf", "font/ttf", false },
    { "a.png", "image/png", true },
    { "a.jpg", "image/jpeg", true },
    { "a.jpeg", "image/jpeg", true },
    { "a.webp", "image/webp", true },
    { "a.avif", "image/avif", true },
    { "a.gif", "image/gif", true },
    { "favicon.ico", "image/vnd.microsoft.icon", false },
    { "robots.txt", "text/plain; charset=utf-8", false },
    { "README.md", "text/markdown; charset=utf-8", false },
    { "a.xml", "application/xml", false },
    { "a.pdf", "application/pdf", false },
    { "a.csv", "text/csv; charset=utf-8", false },
    { "a.mp4", "video/mp4", true },
    { "a.webm", "video/webm", true },
    { "a.mp3", "audio/mpeg", true },
    { "a.zip", "application/zip", true },
    { "a.tar.gz", "application/gzip", true },
    { "a.7z", "application/x-7z-compressed", true },
    { "a.zst", "application/zstd", true },
    { "noextension", "application/octet-stream", false },
    { "a.html/b", "application/octet-stream", false },
    { "a.unknown", "application/octet-stream", false },
    { "a.", "application/octet-stream", false },
    { "a.webmanifestx", "application/octet-stream", false },
    { "", "application/octet-stream", false },
    { ".html", "text/html; charset=utf-8", false },
};

static void types_are_right(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(TYPES); i++) {
        const struct files_type *type = files_type_of(text_of(TYPES[i].path));

        if (strcmp(type->type, TYPES[i].type) != 0 || type->packed != TYPES[i].packed)
            fail_msg("%s: %s", TYPES[i].path, type->type);
    }
}

/* --- conditions ------------------------------------------------------------------------------------------------ */

#define MODIFIED 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */
#define SAME "Sun, 06 Nov 1994 08:49:37 GMT"
#define EARLIER "Sun, 06 Nov 1994 08:49:36 GMT"
#define LATER "Mon, 07 Nov 1994 08:49:37 GMT"

static const struct {
    const char *fields;
    enum files_verdict verdict;
} CONDITIONS[] = {
    { "", FILES_SEND },
    /* alone */
    { "If-None-Match: \"a\"", FILES_NOT_MODIFIED },
    { "if-none-match: \"b\"", FILES_SEND },
    { "If-None-Match: W/\"a\"", FILES_NOT_MODIFIED },
    { "If-None-Match: *", FILES_NOT_MODIFIED },
    { "If-None-Match: \"b\", \"a\"", FILES_NOT_MODIFIED },
    { "If-None-Match: \"b\" ,, W/\"a\"", FILES_NOT_MODIFIED },
    { "If-None-Match: \"b\"\nIf-None-Match: \"a\"", FILES_NOT_MODIFIED },
    { "If-None-Match: \"b,\", \"a\"", FILES_NOT_MODIFIED },
    { "If-None-Match: \"b\\\", \"a\"", FILES_NOT_MODIFIED }, /* a backslash is a character of a tag */
    { "If-None-Match: a", FILES_SEND },
    { "If-None-Match: \"a", FILES_SEND },
    { "If-None-Match: \"a\"b", FILES_SEND },
    { "If-None-Match: w/\"a\"", FILES_SEND },
    { "If-None-Match:", FILES_SEND },
    { "If-Match: \"a\"", FILES_SEND },
    { "If-Match: *", FILES_SEND },
    { "If-Match: W/\"a\"", FILES_FAILED },
    { "If-Match: \"b\"", FILES_FAILED },
    { "If-Match: \"b\", \"a\"", FILES_SEND },
    { "If-Match: nonsense", FILES_FAILED },
    { "If-Modified-Since: " SAME, FILES_NOT_MODIFIED },
    { "If-Modified-Since: " LATER, FILES_NOT_MODIFIED },
    { "If-Modified-Since: " EARLIER, FILES_SEND },
    { "If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT", FILES_NOT_MODIFIED },
    { "If-Modified-Since: Sun Nov  6 08:49:37 1994", FILES_NOT_MODIFIED },
    { "If-Modified-Since: yesterday", FILES_SEND },
    { "If-Unmodified-Since: " SAME, FILES_SEND },
    { "If-Unmodified-Since: " LATER, FILES_SEND },
    { "If-Unmodified-Since: " EARLIER, FILES_FAILED },
    { "If-Unmodified-Since: yesterday", FILES_SEND },
    /* If-None-Match over If-Modified-Since */
    { "If-None-Match: \"b\"\nIf-Modified-Since: " SAME, FILES_SEND },
    { "If-None-Match: \"a\"\nIf-Modified-Since: " EARLIER, FILES_NOT_MODIFIED },
    /* If-Match over If-Unmodified-Since */
    { "If-Match: \"a\"\nIf-Unmodified-Since: " EARLIER, FILES_SEND },
    { "If-Match: \"b\"\nIf-Unmodified-Since: " LATER, FILES_FAILED },
    /* 412 before 304 */
    { "If-Match: \"b\"\nIf-None-Match: \"a\"", FILES_FAILED },
    { "If-Match: \"a\"\nIf-None-Match: \"a\"", FILES_NOT_MODIFIED },
    { "If-Unmodified-Since: " EARLIER "\nIf-None-Match: \"a\"", FILES_FAILED },
    { "If-Unmodified-Since: " SAME "\nIf-Modified-Since: " SAME, FILES_NOT_MODIFIED },
};

static void conditions_have_an_order(void **state)
{
    const struct files_form form = { BYTES("\"a\""), MODIFIED, INT64_C(1795237200) * NS_PER_S };

    for (size_t i = 0; i < ARRAY_LEN(CONDITIONS); i++) {
        struct http_field fields[FIELDS_MAX];
        struct http_head head;

        head_of(&head, fields, CONDITIONS[i].fields);
        if (files_conditions(&head, &form) != CONDITIONS[i].verdict)
            fail_msg("%s: %d", CONDITIONS[i].fields, (int)files_conditions(&head, &form));
    }
}

static const struct {
    const char *fields;
    int64_t age_s; /* since the change */
    bool follow;
} IF_RANGES[] = {
    { "", 0, true },
    { "If-Range: \"a\"", 0, true },
    { "If-Range: \"b\"", 0, false },
    { "If-Range: W/\"a\"", 0, false },
    { "If-Range: *", 0, false },
    { "If-Range: " SAME, 100, true },
    { "If-Range: " SAME, 2, true },
    { "If-Range: " SAME, 1, false }, /* its second may not be over: two changes could have been made */
    { "If-Range: " LATER, 100, false },
    { "If-Range: " EARLIER, 100, false },
    { "If-Range: yesterday", 100, false },
    { "If-Range:", 100, false },
};

static void ranges_need_the_same_form(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(IF_RANGES); i++) {
        struct files_form form = { BYTES("\"a\""), MODIFIED, (MODIFIED + IF_RANGES[i].age_s) * NS_PER_S };
        struct http_field fields[FIELDS_MAX];
        struct http_head head;

        head_of(&head, fields, IF_RANGES[i].fields);
        if (files_if_range(&head, &form) != IF_RANGES[i].follow)
            fail_msg("%s", IF_RANGES[i].fields);
    }
}

/* --- ranges ------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *value;
    uint64_t size;
    const char *ranges; /* "from+len ..."; "": the whole; NULL: none of it */
} RANGES[] = {
    { "bytes=0-0", 10, "0+1" },
    { "bytes=2-5", 10, "2+4" },
    { "bytes=2-", 10, "2+8" },
    { "bytes=-3", 10, "7+3" },
    { "bytes=-100", 10, "0+10" },
    { "bytes=0-", 10, "0+10" },
    { "bytes=0-100", 10, "0+10" },
    { "bytes=9-9", 10, "9+1" },
    { "BYTES=2-5", 10, "2+4" },
    { "bytes= 2-5 ", 10, "2+4" },
    { "bytes=0-18446744073709551615", 10, "0+10" },
    { "bytes=0-99999999999999999999999", 10, "0+10" },
    { "bytes=-99999999999999999999999", 10, "0+10" },
    { "bytes=0-1,4-5", 10, "0+2 4+2" },
    { "bytes=4-5, 0-1", 10, "4+2 0+2" },
    { "bytes=0-1,,4-5,", 10, "0+2 4+2" },
    { "bytes=0-1,20-30", 10, "0+2" },
    { "bytes=0-1,-2", 10, "0+2 8+2" },
    { "bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14", 100, "0+1 2+1 4+1 6+1 8+1 10+1 12+1 14+1" },
    /* nothing of it */
    { "bytes=10-", 10, NULL },
    { "bytes=10-20", 10, NULL },
    { "bytes=-0", 10, NULL },
    { "bytes=20-30,40-50", 10, NULL },
    { "bytes=0-", 0, NULL },
    { "bytes=-5", 0, NULL },
    { "bytes=99999999999999999999999-", 10, NULL },
    { "bytes=18446744073709551615-", 10, NULL },
    /* the whole */
    { "", 10, "" },
    { "bytes", 10, "" },
    { "bytes=", 10, "" },
    { "bytes=,", 10, "" },
    { "lines=0-1", 10, "" },
    { "bytes=5-2", 10, "" },
    { "bytes=a-b", 10, "" },
    { "bytes=1", 10, "" },
    { "bytes=-", 10, "" },
    { "bytes=--1", 10, "" },
    { "bytes=1-2-3", 10, "" },
    { "bytes=0x1-2", 10, "" },
    { "bytes=1 - 2", 10, "" },
    { "bytes=+1-2", 10, "" },
    { "bytes=0-1,x", 10, "" },
    { "bytes=0-1;4-5", 10, "" },
    { "bytes=0-5,3-7", 10, "" }, /* they overlap */
    { "bytes=0-1,0-1", 10, "" },
    { "bytes=0-,-1", 10, "" },
    { "bytes=0-4,5-9", 10, "" },                                      /* that is all of it */
    { "bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16", 100, "" }, /* FILES_RANGES_MAX */
    { "bytes=200-,200-,200-,200-,200-,200-,200-,200-,200-", 100, "" },
};

static void ranges_are_read(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(RANGES); i++) {
        struct files_range ranges[FILES_RANGES_MAX];
        char said[256] = "";
        int count = files_ranges(text_of(RANGES[i].value), RANGES[i].size, ranges);

        for (int k = 0; k < count; k++)
            snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s%llu+%llu", k ? " " : "",
                     (unsigned long long)ranges[k].from, (unsigned long long)ranges[k].len);
        if ((count < 0) != (RANGES[i].ranges == NULL) || (count < 0 && count != -ERANGE) ||
            (count >= 0 && strcmp(said, RANGES[i].ranges) != 0))
            fail_msg("%s: %d: %s", RANGES[i].value, count, said);
    }
}

/* --- codings and pages ---------------------------------------------------------------------------------------------
 */

static const struct {
    const char *fields, *codings;
} CODINGS[] = {
    { "", "" },
    { "Accept-Encoding:", "" },
    { "Accept-Encoding: gzip", "gzip" },
    { "Accept-Encoding: x-gzip", "gzip" },
    { "Accept-Encoding: gzip, deflate, br, zstd", "br zstd gzip" },
    { "accept-encoding: GZIP, Br", "br gzip" },
    { "Accept-Encoding: gzip\nAccept-Encoding: br", "br gzip" },
    { "Accept-Encoding: gzip;q=1, br;q=0.5", "gzip br" },
    { "Accept-Encoding: gzip;q=0.001, br;q=0.002, zstd;q=0.003", "zstd br gzip" },
    { "Accept-Encoding: gzip;q=0, br", "br" },
    { "Accept-Encoding: gzip;q=0.000, br;Q=0", "" },
    { "Accept-Encoding: *", "br zstd gzip" },
    { "Accept-Encoding: *;q=0", "" },
    { "Accept-Encoding: *;q=0, gzip", "gzip" },
    { "Accept-Encoding: br;q=0, *", "zstd gzip" },
    { "Accept-Encoding: identity", "" },
    { "Accept-Encoding: identity, gzip", "gzip" },
    { "Accept-Encoding: identity;q=1, gzip;q=0.5", "" }, /* it would rather have none */
    { "Accept-Encoding: identity;q=0.5, gzip;q=0.5, br;q=0.4", "gzip" },
    { "Accept-Encoding: identity;q=0, gzip", "gzip" },
    { "Accept-Encoding: gzip ; q=0.5 , br ; q=0.8", "br gzip" },
    { "Accept-Encoding: gzip;q=2", "" },
    { "Accept-Encoding: gzip;q=1.001", "" },
    { "Accept-Encoding: gzip;q=0.1234", "" },
    { "Accept-Encoding: gzip;q=", "" },
    { "Accept-Encoding: gzip;q=x", "" },
    { "Accept-Encoding: gzip;q=-1", "" },
    { "Accept-Encoding: gzip;q=1.", "gzip" },
    { "Accept-Encoding: gzip;q=0.", "" },
    { "Accept-Encoding: gzip;q=10", "" },
    { "Accept-Encoding: deflate, compress", "" },
    { "Accept-Encoding: gzipx", "" },
};

static void codings_are_chosen(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(CODINGS); i++) {
        enum files_coding order[FILES_CODINGS];
        struct http_field fields[FIELDS_MAX];
        struct http_head head;
        char said[64] = "";
        unsigned count;

        head_of(&head, fields, CODINGS[i].fields);
        count = files_codings(&head, order);
        for (unsigned k = 0; k < count; k++)
            snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s" BYTES_FMT, k ? " " : "",
                     BYTES_ARG(files_coding_name(order[k])));
        if (strcmp(said, CODINGS[i].codings) != 0)
            fail_msg("%s: %s", CODINGS[i].fields, said);
    }
}

static const struct {
    const char *fields, *path;
    bool page;
} PAGES[] = {
    { "", "users/7", true },
    { "", "", true },
    { "", "app.js", false },
    { "", "v1.2/users", true },
    { "Accept: */*", "users/7", true },
    { "Accept: */*", "app.js", false },
    { "Accept: text/*", "users/7", true },
    { "Accept: text/html,application/xhtml+xml,*/*;q=0.8", "users/jane.doe", true },
    { "Accept: TEXT/HTML", "users/jane.doe", true },
    { "Accept: text/html;level=1;q=0.5", "users/jane.doe", true },
    { "Accept: text/html;q=0, */*", "users/7", false },
    { "Accept: text/*;q=0, */*", "users/7", false },
    { "Accept: text/*, */*;q=0", "users/7", true },
    { "Accept: */*;q=0", "users/7", false },
    { "Accept: application/json", "users/7", false },
    { "Accept: image/avif,image/webp,*/*;q=0.8", "logo.png", false },
    { "Accept: application/json\nAccept: text/html", "users/7", true },
    { "Accept:", "users/7", false },
};

static void pages_stand_in_for_pages(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(PAGES); i++) {
        struct http_field fields[FIELDS_MAX];
        struct http_head head;

        head_of(&head, fields, PAGES[i].fields);
        if (files_wants_page(&head, text_of(PAGES[i].path)) != PAGES[i].page)
            fail_msg("%s of %s", PAGES[i].fields, PAGES[i].path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_read),
        cmocka_unit_test(paths_are_bounded),
        cmocka_unit_test(types_are_right),
        cmocka_unit_test(conditions_have_an_order),
        cmocka_unit_test(ranges_need_the_same_form),
        cmocka_unit_test(ranges_are_read),
        cmocka_unit_test(codings_are_chosen),
        cmocka_unit_test(pages_stand_in_for_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
