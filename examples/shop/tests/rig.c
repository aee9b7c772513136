#include "rig.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[32];
static struct weft_test_answer last;

void rig_init(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/weft-shop-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(setenv("WEFT_DATA", folder, 1), 0);
}

void rig_done(void)
{
    DIR *files = opendir(folder);
    const struct dirent *file;
    char path[512];

    weft_test_free(&last);
    assert_non_null(files);
    while ((file = readdir(files)) != NULL) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, file->d_name);
        if (file->d_name[0] != '.')
            assert_int_equal(unlink(path), 0);
    }
    (void)closedir(files);
    assert_int_equal(rmdir(folder), 0);
}

const char *rig_ask(struct weft_service *service, const char *method, const char *path, const char *json,
                    unsigned status)
{
    const struct weft_test_request request = { .method = method, .path = path, .json = json };

    weft_test_free(&last);
    assert_int_equal(weft_test(service, &request, &last), 0);
    if (last.status != status)
        fail_msg("%s %s: status %u instead of %u: %s", method, path, last.status, status, last.body.data);
    return last.body.data;
}

void rig_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no %s in %s", part, text);
}
