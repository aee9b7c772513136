/* tests/unit/stage/files_rig.h - the stage `files` on a real loop, over a folder of the real disk.
 *
 * rig_run() makes the folder, runs `body` on a fiber, and takes everything down; a file that stays open fails, and so
 * does memory that was not given back.
 */
#ifndef WEFT_TESTS_STAGE_FILES_RIG_H
#define WEFT_TESTS_STAGE_FILES_RIG_H

#include "exchange/snapshot.h"
#include "stage/files.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define RIG_BODY_MAX (1024 * 1024)
#define RIG_FIELDS_MAX 2048

struct rig {
    struct loop *loop;
    struct worker worker;
    struct worker_limits limits;
    struct files_conf conf;
    struct list_node snapshots;
    uint64_t version;
    char folder[64];
    void (*body)(struct rig *rig);
};

/* What came of a request. */
struct rig_answer {
    enum outcome outcome;
    unsigned status;
    uint64_t length;
    bool has_length, cut_off; /* cut off: the body failed */
    enum outcome cut_outcome;
    char fields[RIG_FIELDS_MAX]; /* "Name: value\n" in order */
    size_t len;
    char body[RIG_BODY_MAX + 1];
};

void rig_run(void (*body)(struct rig *rig), const struct worker_limits *limits);
void rig_run_sim(void (*body)(struct rig *rig)); /* in the simulated world, on files of its own */

/* A worker with the stage as its only one; rig_run() has done so already. */
int rig_start(struct rig *rig) MUST_CHECK;
void rig_stop(struct rig *rig);
int rig_configure(struct rig *rig) MUST_CHECK; /* rig->conf has changed */

const char *rig_path(struct rig *rig, const char *name); /* one at a time */
void rig_write(struct rig *rig, const char *name, struct bytes content);
void rig_write_text(struct rig *rig, const char *name, const char *text);
void rig_age(struct rig *rig, const char *name, int64_t seconds); /* its time, so long ago */
unsigned rig_descriptors(struct rig *rig);

/* Byte n of what rig_write_pattern() writes. */
char rig_byte(uint64_t at);
void rig_write_pattern(struct rig *rig, const char *name, uint64_t len);

/* `fields`: "Name: value\nName: value". The exchange is to be ended by exchange_end(). */
struct exchange *rig_begin(struct rig *rig, const char *method, const char *path, const char *fields,
                           enum outcome *ret_outcome);
void rig_ask(struct rig *rig, const char *method, const char *path, const char *fields, struct rig_answer *ret);
const char *rig_field(struct rig_answer *answer, const char *name); /* "": not there */

struct rig_answer *rig_answer_make(void); /* too large for a fiber's stack; free() it */

/* Asks, and fails the test on another status or outcome. */
void rig_expect(struct rig *rig, const char *method, const char *path, const char *fields, unsigned status,
                struct rig_answer *ret);
void rig_expect_field(struct rig_answer *answer, const char *name, const char *value);
void rig_expect_pattern(const struct rig_answer *answer, uint64_t from, uint64_t len); /* of rig_byte() */

#endif
