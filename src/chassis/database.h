/* chassis/database.h - the databases of a service, and their ends. Private to chassis/. */
#ifndef WEFT_CHASSIS_DATABASE_H
#define WEFT_CHASSIS_DATABASE_H

#include "chassis/service.h"
#include "db/database.h"

#define CHASSIS_DATABASE_MAGIC 0xdabadabau
#define CHASSIS_SQL_MAGIC 0x5c11ab1eu

struct weft_database {
    uint32_t magic;
    struct weft_service *service;
    struct list_node node;     /* in service->databases */
    struct database *database; /* NULL: closed */
    char path[];               /* as it was opened */
};

struct kept_cell {
    enum sql_kind kind;
    int64_t integer;
    double number;
    struct bytes bytes; /* ends with a zero; also of what is no text */
};

struct kept_row {
    struct kept_row *next;
    struct kept_cell cells[];
};

/* Either of a statement that runs, or kept in the memory of a call. */
struct weft_rows {
    struct sql_rows *live;      /* NULL: they are kept */
    const struct kept_row *now; /* NULL: none */
    const struct kept_row *rest;
    unsigned columns; /* of kept ones */
};

/* On the stack of the database's thread. */
struct weft_sql {
    uint32_t magic;
    struct sql *sql;
    struct weft_rows rows[DB_ROWS_OPEN_MAX];
};

/* Values as db/ has them; `to` has room for DB_VALUES_MAX. False: there are more. */
bool database_values(struct weft_values values, struct sql_value *to, struct sql_values *ret);

#endif
