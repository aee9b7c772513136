#include "chassis/url.h"

#include "chassis/percent.h"
#include "wire/http_chars.h"

static int parse_port(struct bytes digits, uint16_t *ret)
{
    uint64_t value;
    int r = bytes_to_u64(digits, &value);

    if (r < 0 || value == 0 || value > UINT16_MAX)
        return -EINVAL;
    *ret = (uint16_t)value;
    return 0;
}

static bool is_host(struct bytes host)
{
    bool bracketed = bytes_starts(host, BYTES("["));

    if (host.len == 0)
        return false;
    if (bracketed)
        host = bytes_slice(host, 1, host.len - 1);
    for (size_t i = 0; i < host.len; i++)
        if (!http_char_is(host.data[i], HTTP_CHAR_HOST) && !(bracketed && host.data[i] == ':'))
            return false;
    return host.len > 0;
}

static int parse_authority(struct bytes text, struct url *url)
{
    ssize_t end = bytes_starts(text, BYTES("[")) ? bytes_find_char(text, ']') + 1 : bytes_find_char(text, ':');
    size_t host_len = end < 0 ? text.len : (size_t)end;
    struct bytes port = bytes_skip(text, host_len);

    url->authority = text;
    url->host = bytes_slice(text, 0, host_len);
    url->port = 80;
    url->port_given = port.len > 0;
    if (!is_host(url->host))
        return -EINVAL;
    if (port.len == 0)
        return 0;
    return port.data[0] == ':' ? parse_port(bytes_skip(port, 1), &url->port) : -EINVAL;
}

static bool is_of(struct bytes text, unsigned classes)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] != '%' && !http_char_is(text.data[i], classes))
            return false;
    return percent_fine(text);
}

int url_parse(struct bytes text, struct url *ret)
{
    struct url url = { .port = 0 };
    ssize_t fragment = bytes_find_char(text, '#');
    struct bytes rest = fragment < 0 ? text : bytes_slice(text, 0, (size_t)fragment);
    size_t end = 0;
    ssize_t question;

    if (!bytes_equal_ci(bytes_slice(rest, 0, 7), BYTES("http://")))
        return -EINVAL;
    rest = bytes_skip(rest, 7);
    while (end < rest.len && rest.data[end] != '/' && rest.data[end] != '?')
        end++;
    if (parse_authority(bytes_slice(rest, 0, end), &url) < 0)
        return -EINVAL;
    rest = bytes_skip(rest, end);
    question = bytes_find_char(rest, '?');
    url.path = question < 0 ? rest : bytes_slice(rest, 0, (size_t)question);
    url.query = question < 0 ? BYTES_NONE : bytes_skip(rest, (size_t)question + 1);
    if (!is_of(url.path, HTTP_CHAR_PATH) || !is_of(url.query, HTTP_CHAR_QUERY))
        return -EINVAL;
    *ret = url;
    return 0;
}

bool url_names_service(const struct url *url)
{
    return !url->port_given && bytes_find_char(url->host, '.') < 0 && bytes_find_char(url->host, ':') < 0;
}
