/* Names, templates and addresses: how texts of these kinds are formed, not what they stand for. */
#include "conf/context.h"

#include <errno.h>

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return is_lower(ascii_lower(c));
}

static bool in_text(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static bool label_ok(struct bytes name)
{
    if (!is_lower(name.data[0]) || name.data[name.len - 1] == '-' || name.len > CONF_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!is_lower(name.data[i]) && !is_digit(name.data[i]) && name.data[i] != '-')
            return false;
    return true;
}

bool conf_name_ok(enum conf_names names, struct bytes name)
{
    if (name.len == 0)
        return false;
    if (names == CONF_NAMES_LABEL)
        return label_ok(name);
    if (names == CONF_NAMES_VARIABLE && is_digit(name.data[0]))
        return false;
    for (size_t i = 0; i < name.len && names != CONF_NAMES_ANY; i++) {
        char c = name.data[i];

        if (!is_letter(c) && !is_digit(c) && !in_text(c, names == CONF_NAMES_VARIABLE ? "_" : "!#$%&'*+-.^_`|~"))
            return false;
    }
    return true;
}

const char *conf_names_phrase(enum conf_names names)
{
    switch (names) {
    case CONF_NAMES_LABEL: return "a-z, 0-9 and inner hyphens, a letter first, at most 63 characters";
    case CONF_NAMES_VARIABLE: return "letters, digits and _, no digit first";
    case CONF_NAMES_TOKEN: return "letters, digits and !#$%&'*+-.^_`|~";
    case CONF_NAMES_ANY: break;
    }
    return "at least one character";
}

const char *conf_names_pattern(enum conf_names names)
{
    switch (names) {
    case CONF_NAMES_LABEL: return "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$";
    case CONF_NAMES_VARIABLE: return "^[A-Za-z_][A-Za-z0-9_]*$";
    case CONF_NAMES_TOKEN: return "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$";
    case CONF_NAMES_ANY: break;
    }
    return "^[\\s\\S]";
}

/* What stands between two braces, such as header.x-user. */
static bool template_name_ok(struct bytes name)
{
    if (name.len == 0 || !is_letter(name.data[0]))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!is_letter(name.data[i]) && !is_digit(name.data[i]) && !in_text(name.data[i], "._-"))
            return false;
    return true;
}

int conf_template_check(struct bytes text, struct fault *fault)
{
    for (size_t at = 0; at < text.len; at++) {
        char c = text.data[at];
        struct bytes rest = bytes_skip(text, at + 1);
        ssize_t end;

        if (c != '{' && c != '}')
            continue;
        if (rest.len && rest.data[0] == c) {
            at++;
            continue;
        }
        end = bytes_find_char(rest, '}');
        if (c == '}' || end < 0) {
            fault_set(fault, "has a \"%c\" without its \"%c\"", c, c == '}' ? '{' : '}');
            fault_hint(fault, "write %c%c for the character itself", c, c);
            return -EINVAL;
        }
        if (!template_name_ok(bytes_slice(rest, 0, (size_t)end))) {
            fault_set(fault, "has \"{" BYTES_FMT "}\", which is no name",
                      BYTES_ARG(bytes_slice(rest, 0, MIN((size_t)end, CONF_NAME_MAX))));
            fault_hint(fault, "names are letters, digits, dots, _ and -; write {{ for a brace itself");
            return -EINVAL;
        }
        at += (size_t)end + 1;
    }
    return 0;
}

static bool port_ok(struct bytes text)
{
    uint64_t port;

    return bytes_to_u64(text, &port) == 0 && port <= 65535;
}

static bool host_ok(struct bytes host)
{
    bool brackets = bytes_starts(host, BYTES("["));

    if (brackets && (host.len < 4 || !bytes_ends(host, BYTES("]"))))
        return false;
    if (brackets)
        host = bytes_slice(host, 1, host.len - 1);
    for (size_t i = 0; i < host.len; i++) {
        char c = host.data[i];

        if (!is_digit(c) && !is_letter(c) && !in_text(c, brackets ? ":.%" : "-._"))
            return false;
    }
    return host.len > 0;
}

/* host:port, or with `port_optional` a host alone. */
static bool authority_ok(struct bytes text, bool port_optional)
{
    size_t host = text.len;

    while (host > 0 && is_digit(text.data[host - 1]))
        host--;
    if (host == 0 || text.data[host - 1] != ':')
        return port_optional && host_ok(text);
    return port_ok(bytes_skip(text, host)) && host_ok(bytes_slice(text, 0, host - 1));
}

int conf_address_check(struct bytes text, struct fault *fault)
{
    ssize_t scheme = bytes_find(text, BYTES("://"));
    struct bytes rest = bytes_skip(text, (size_t)(scheme + 3)), authority;
    bool ok;

    if (bytes_starts(text, BYTES("unix:"))) {
        ok = text.len > 5;
    } else if (scheme >= 0) {
        ok = scheme > 0;
        for (ssize_t i = 0; i < scheme; i++)
            ok &= is_lower(text.data[i]) || (i > 0 && (is_digit(text.data[i]) || in_text(text.data[i], "+-.")));
        authority = bytes_slice(rest, 0,
                                bytes_find_char(rest, '/') >= 0 ? (size_t)bytes_find_char(rest, '/') : rest.len);
        ok = ok && authority_ok(authority, true);
    } else {
        ok = authority_ok(text, false);
    }
    for (size_t i = 0; i < text.len; i++)
        ok &= (unsigned char)text.data[i] > 0x20 && text.data[i] != 0x7f;
    if (ok)
        return 0;
    fault_set(fault, "must be an address");
    fault_hint(fault, "such as %s", conf_type_example(CONF_ADDRESS));
    return -EINVAL;
}
