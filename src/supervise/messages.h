/* supervise/messages.h - the messages between supervisor and serving process, on a SOCK_SEQPACKET pair.
 *
 *     {"v":1,"type":"text","version":3,"name":"weft.yaml"}\nsystem: shop ...
 *
 * (1) One message is one flat JSON object, and after a line feed the payload, if the type has one: raw bytes.
 * (2) The types and their fields are the table in messages.def; a field that the type does not name is ignored, one
 *     that it names must be there.
 * (3) Decoding never trusts: whatever bytes come, it fails with an errno or gives a message that fulfils (2).
 * (4) At most IO_MESSAGE_MAX bytes a message; the texts of one take MESSAGE_TEXTS_MAX at most, without the payload.
 */
#ifndef WEFT_SUPERVISE_MESSAGES_H
#define WEFT_SUPERVISE_MESSAGES_H

#include "base/limits.h"
#include "base/text.h"

#define MESSAGE_VERSION 1 /* of this protocol */

enum message_type {
#define MESSAGE(identifier, name, sender, fields, descriptors) MESSAGE_##identifier,
#include "supervise/messages.def"
#undef MESSAGE
    MESSAGE_TYPES,
};

enum message_sender { MESSAGE_BY_SUPERVISOR, MESSAGE_BY_SERVING };

enum message_field {
    MESSAGE_ID = 1,
    MESSAGE_COUNT = 2,
    MESSAGE_WORKER = 4,
    MESSAGE_PID = 8,
    MESSAGE_RESTARTS = 16,
    MESSAGE_VERSION_FIELD = 32,
    MESSAGE_LIMIT_NS = 64,
    MESSAGE_OK = 128,
    MESSAGE_NAME = 256,
    MESSAGE_SERVICE = 512,
    MESSAGE_ADDRESS = 1024,
    MESSAGE_SCHEME = 2048,
    MESSAGE_STATE = 4096,
    MESSAGE_PAYLOAD = 8192,
};

/* Fields that the type does not name are 0, false, empty. */
struct message {
    enum message_type type;
    uint64_t id, count, worker, pid, restarts, version, limit_ns;
    bool ok;
    struct bytes name, service, address, scheme, state;
    struct bytes payload;
};

struct message_info {
    struct bytes name;
    enum message_sender sender;
    unsigned fields; /* enum message_field */
    unsigned descriptors;
};

const struct message_info *message_info(enum message_type type);

/* Writes the message; text->full tells that it did not fit. Bytes in texts that are no UTF-8 become U+FFFD. */
void message_encode(struct text *text, const struct message *message);

/* Room for the texts of a decoded message. */
struct message_room {
    char data[MESSAGE_TEXTS_MAX];
};

/* Reads a message. Its texts lie in *room, its payload in `data`. -EPROTO: no such object or a field is missing or of
 * the wrong kind; -EPROTONOSUPPORT: another version of the protocol; -ENOTSUP: a type that this side does not know or
 * that the other side may not send; -ENOSPC: the texts are too long; -ENOMEM. */
int message_decode(struct bytes data, enum message_sender sender, struct message_room *room,
                   struct message *ret) MUST_CHECK;

#endif
