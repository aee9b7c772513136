/* http/connection.h - one client's connection. Private to http/; the laws are in http/server.h.
 *
 *   PARKED --head complete, fiber free--> ACTIVE --answered, kept alive--> PARKED
 *   PARKED --head complete, none free--> STARVED --one is free--> ACTIVE
 *   ACTIVE, or a bad head --answered while the client sends on--> LINGERING --it has ended--> closed
 *   any --> closed: connection_close()
 */
#ifndef WEFT_HTTP_CONNECTION_H
#define WEFT_HTTP_CONNECTION_H

#include "http/server.h"
#include "net/conn.h"
#include "wire/http1.h"

enum connection_state {
    CONNECTION_PARKED,    /* in server->idle: no request, or a part of a head */
    CONNECTION_STARVED,   /* in server->starved: a request waits for a fiber, an exchange or a buffer */
    CONNECTION_ACTIVE,    /* in server->active: a fiber runs it */
    CONNECTION_LINGERING, /* in server->lingering: answered and half closed; what comes is dropped */
};

/* The client's address, small: there may be hundreds of thousands. */
struct peer {
    uint8_t family; /* enum address_family */
    uint16_t port;
    uint8_t ip[16];
};

struct http_connection {
    struct source source; /* of its exchanges */
    struct conn conn;
    struct http_server *server;
    struct http_listener *listener;
    struct list_node node;
    struct wake wake;
    struct timer timer;
    struct task task;
    char *buffer;            /* NULL, a piece of HTTP_PARTIAL_SIZE, or a buffer of BUFFER_SIZE */
    uint32_t have, capacity; /* bytes in it; its size */
    uint32_t head_len;       /* of the request being served */
    uint8_t state;
    bool close_after; /* this exchange is the connection's last */
    bool linger;      /* when it is closed, bytes of the client may be unread */
    bool tunnel;
    struct exchange *x;
    int64_t since_ns; /* ACTIVE: the exchange's start; PARKED: the first byte of a part */
    struct peer peer;
};

struct http_listener {
    struct listener listener;
    struct http_server *server;
    struct list_node node;
    unsigned connections; /* that came by it; it is freed after the last one */
    bool kept;            /* http_listener_keep() */
    bool credentials;     /* http_listener_take_credentials() */
    bool stopped;
    struct bytes gateway, scheme;
    char names[];
};

extern const struct source_ops CONNECTION_SOURCE; /* serve.c */

/* server.c: frees a stopped listener when its last connection has gone */
void http_listener_settle(struct http_listener *listener);

/* connection.c: parked, on the loop's stack */
void connection_accept(struct http_listener *listener, struct io_socket socket, const struct address *peer);
void connection_close(struct http_connection *c);
void connection_drain(struct http_connection *c); /* parked: closed soon, unless a request comes */
void connection_feed(struct http_server *server); /* starts starved ones that have what they need now */

/* serve.c: on a fiber */
int connection_run(struct task *task);
void connection_ran(struct task *task);

/* connection.c: looks for a request in the buffer. 1: c->x is there. 0: a part. -EAGAIN: complete, but no room for it.
 * -EPROTO: *ret_error says what is wrong. */
int connection_parse(struct http_connection *c, enum http1_error *ret_error);
int connection_room(struct http_connection *c); /* a whole buffer. -EAGAIN: none is free */

/* request_body.c */
struct request_body;
int request_body_create(struct http_connection *c, struct exchange *x, bool tunnel, struct body **ret);
size_t request_body_rest(struct body *body, struct bytes *ret_rest); /* what came behind it */

#endif
