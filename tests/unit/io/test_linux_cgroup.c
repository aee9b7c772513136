/* Control groups, by a folder that stands for one: what is written where. The kernel's part is a system test's. */
#include "io/linux/cgroup.h"

#include "linux_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const char *text)
{
    FILE *file = fopen(in_folder(name), "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void assert_holds(const char *name, const char *text)
{
    char found[256] = "";
    FILE *file = fopen(in_folder(name), "r");

    assert_non_null(file);
    found[fread(found, 1, sizeof(found) - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);
    assert_string_equal(found, text);
}

/* The files that the kernel makes in a group. */
static void make_group(const char *name)
{
    static const char *const FILES[] = { "cgroup.procs", "memory.max", "memory.oom.group", "cpu.max", "memory.events" };
    char path[128];

    if (name[0])
        assert_int_equal(mkdir(in_folder(name), 0755), 0);
    for (size_t i = 0; i < ARRAY_LEN(FILES); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", name, FILES[i]);
        put(path, "");
    }
}

static int setup(void **state)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/weft-cgroup-XXXXXX");
    assert_non_null(mkdtemp(folder));
    make_group("");
    make_group("weft");
    put("cgroup.controllers", "cpuset cpu io memory pids\n");
    put("cgroup.subtree_control", "");
    return 0;
}

static int teardown(void **state)
{
    char command[128];

    (void)snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

static void ours_is_divided(void **state)
{
    struct cgroups cgroups;

    io_linux_cgroups_open_at(&cgroups, folder, 77);
    assert_true(cgroups.memory && cgroups.cpu);
    assert_string_equal(cgroups.why, "");
    assert_holds("weft/cgroup.procs", "07"); /* a plain file keeps both writes: first 77, then 0 for ourselves */
    assert_holds("cgroup.subtree_control", "+cpuory"); /* likewise */
}

static void limits_are_written(void **state)
{
    const struct process_limits limits = { .memory = 1 << 20, .cpu_ppm = 1500000 };
    struct cgroups cgroups;
    int descriptor = -1;

    make_group("orders-0");
    io_linux_cgroups_open_at(&cgroups, folder, 0);
    assert_int_equal(io_linux_cgroup_make(&cgroups, "orders-0", &limits, &descriptor), 0);
    assert_true(descriptor >= 0);
    assert_int_equal(close(descriptor), 0);
    assert_holds("orders-0/memory.max", "1048576");
    assert_holds("orders-0/memory.oom.group", "1");
    assert_holds("orders-0/cpu.max", "150000 100000");
    put("orders-0/memory.events", "low 0\nhigh 0\nmax 12\noom 2\noom_kill 3\noom_group_kill 1\n");
    assert_int_equal(io_linux_cgroup_kills(&cgroups, "orders-0"), 3);
    assert_int_equal(io_linux_cgroup_kills(&cgroups, "none"), 0);
    assert_int_equal(mkdir(in_folder("empty"), 0755), 0);
    io_linux_cgroup_remove(&cgroups, "empty");
    assert_int_equal(access(in_folder("empty"), F_OK), -1);
}

static void what_is_missing_is_told(void **state)
{
    struct cgroups cgroups;
    const struct process_limits limits = { .memory = 1 << 20 };
    int descriptor;

    put("cgroup.controllers", "hugetlb\n");
    io_linux_cgroups_open_at(&cgroups, folder, 0);
    assert_false(cgroups.memory || cgroups.cpu);
    assert_non_null(strstr(cgroups.why, "has no memory and cpu controller"));
    assert_int_equal(io_linux_cgroup_make(&cgroups, "orders-0", &limits, &descriptor), -ENOTSUP);
    put("cgroup.controllers", "cpu\n");
    io_linux_cgroups_open_at(&cgroups, folder, 0);
    assert_true(cgroups.cpu && !cgroups.memory);
    assert_string_equal(cgroups.why, "the control group has no memory controller");
    put("cgroup.controllers", "memory\n");
    io_linux_cgroups_open_at(&cgroups, folder, 0);
    assert_true(cgroups.memory && !cgroups.cpu);
    assert_string_equal(cgroups.why, "the control group has no cpu controller");
    assert_int_equal(unlink(in_folder("weft/cgroup.procs")), 0);
    io_linux_cgroups_open_at(&cgroups, folder, 0);
    assert_non_null(strstr(cgroups.why, "belongs to somebody else"));
    io_linux_cgroups_open_at(&cgroups, "/tmp/weft-no-such-group", 0);
    assert_string_equal(cgroups.why, "the control group can't be opened");
    io_linux_cgroups_close(&cgroups);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ours_is_divided, setup, teardown),
        cmocka_unit_test_setup_teardown(limits_are_written, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_missing_is_told, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
