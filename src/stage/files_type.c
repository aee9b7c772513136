#include "stage/files.h"

#include <stdlib.h>

#define TEXT(extension, type)                    \
    {                                            \
        extension, type "; charset=utf-8", false \
    }
#define PLAIN(extension, type) \
    {                          \
        extension, type, false \
    }
#define PACKED(extension, type) \
    {                           \
        extension, type, true   \
    }

/* By extension, in order. Names as registered by IANA; scripts as RFC 9239 has them. */
static const struct files_type TYPES[] = {
    PACKED("7z", "application/x-7z-compressed"),
    PACKED("aac", "audio/aac"),
    PACKED("apng", "image/apng"),
    PLAIN("atom", "application/atom+xml"),
    PACKED("avi", "video/x-msvideo"),
    PACKED("avif", "image/avif"),
    PLAIN("bin", "application/octet-stream"),
    PLAIN("bmp", "image/bmp"),
    PACKED("br", "application/octet-stream"),
    PACKED("bz2", "application/x-bzip2"),
    TEXT("c", "text/plain"),
    TEXT("cjs", "text/javascript"),
    TEXT("conf", "text/plain"),
    TEXT("css", "text/css"),
    TEXT("csv", "text/csv"),
    PACKED("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    PLAIN("eot", "application/vnd.ms-fontobject"),
    PACKED("epub", "application/epub+zip"),
    PACKED("flac", "audio/flac"),
    PLAIN("geojson", "application/geo+json"),
    PACKED("gif", "image/gif"),
    PLAIN("glb", "model/gltf-binary"),
    PLAIN("gltf", "model/gltf+json"),
    PACKED("gz", "application/gzip"),
    TEXT("h", "text/plain"),
    PACKED("heic", "image/heic"),
    TEXT("htm", "text/html"),
    TEXT("html", "text/html"),
    PLAIN("ico", "image/vnd.microsoft.icon"),
    TEXT("ics", "text/calendar"),
    PACKED("jar", "application/java-archive"),
    PACKED("jpeg", "image/jpeg"),
    PACKED("jpg", "image/jpeg"),
    TEXT("js", "text/javascript"),
    PLAIN("json", "application/json"),
    PLAIN("jsonld", "application/ld+json"),
    PACKED("jxl", "image/jxl"),
    TEXT("log", "text/plain"),
    PACKED("m4a", "audio/mp4"),
    PACKED("m4v", "video/mp4"),
    PLAIN("map", "application/json"),
    TEXT("md", "text/markdown"),
    TEXT("mjs", "text/javascript"),
    PACKED("mkv", "video/x-matroska"),
    PACKED("mov", "video/quicktime"),
    PACKED("mp3", "audio/mpeg"),
    PACKED("mp4", "video/mp4"),
    PACKED("mpeg", "video/mpeg"),
    PACKED("oga", "audio/ogg"),
    PACKED("ogg", "audio/ogg"),
    PACKED("ogv", "video/ogg"),
    PACKED("opus", "audio/ogg"),
    PLAIN("otf", "font/otf"),
    PLAIN("pdf", "application/pdf"),
    PACKED("png", "image/png"),
    PACKED("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    PLAIN("rss", "application/rss+xml"),
    PLAIN("rtf", "application/rtf"),
    PLAIN("svg", "image/svg+xml"),
    PLAIN("tar", "application/x-tar"),
    PACKED("tgz", "application/gzip"),
    PLAIN("tif", "image/tiff"),
    PLAIN("tiff", "image/tiff"),
    TEXT("toml", "text/plain"),
    PLAIN("ttf", "font/ttf"),
    TEXT("txt", "text/plain"),
    TEXT("vtt", "text/vtt"),
    PLAIN("wasm", "application/wasm"),
    PLAIN("wav", "audio/wav"),
    PACKED("weba", "audio/webm"),
    PACKED("webm", "video/webm"),
    PLAIN("webmanifest", "application/manifest+json"),
    PACKED("webp", "image/webp"),
    PACKED("woff", "font/woff"),
    PACKED("woff2", "font/woff2"),
    PLAIN("xhtml", "application/xhtml+xml"),
    PACKED("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    PLAIN("xml", "application/xml"),
    PACKED("xz", "application/x-xz"),
    PLAIN("yaml", "application/yaml"),
    PLAIN("yml", "application/yaml"),
    PACKED("zip", "application/zip"),
    PACKED("zst", "application/zstd"),
};

static const struct files_type UNKNOWN = { "", "application/octet-stream", false };

#define EXTENSION_MAX 11 /* "webmanifest" */

static int compare(const void *key, const void *member)
{
    return strcmp(key, ((const struct files_type *)member)->extension);
}

static struct bytes extension_of(struct bytes path)
{
    for (size_t i = path.len; i > 0 && path.data[i - 1] != '/'; i--)
        if (path.data[i - 1] == '.')
            return bytes_skip(path, i);
    return BYTES_NONE;
}

const struct files_type *files_type_of(struct bytes path)
{
    struct bytes extension = extension_of(path);
    char lower[EXTENSION_MAX + 1];
    const struct files_type *found;

    if (extension.len == 0 || extension.len > EXTENSION_MAX)
        return &UNKNOWN;
    for (size_t i = 0; i < extension.len; i++)
        lower[i] = ascii_lower(extension.data[i]);
    lower[extension.len] = '\0';
    found = bsearch(lower, TYPES, ARRAY_LEN(TYPES), sizeof(TYPES[0]), compare);
    return found ? found : &UNKNOWN;
}
