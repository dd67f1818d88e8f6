/* A visitor that checks what the scanner passes. It aborts the program unless every string is inside the
 * input, every index refers to an earlier fact, and the number of facts is bounded by the size of the
 * input. */
#ifndef WK_SCAN_CHECKER_H
#define WK_SCAN_CHECKER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wheelkit/scan.h"

/* The context of the visitor. */
typedef struct scan_checker {
    const uint8_t *data;
    size_t size;
    size_t stop_after; /* number of facts after which to stop the scan, or 0 */
    size_t facts, libraries, versions, definitions, imports, exports, slices;
    uint32_t libraries_of_slice, versions_of_slice;
    size_t sum; /* sum of all bytes of all strings, so that each byte is read */
    wk_slice last;
} scan_checker;

#define REQUIRE(condition)                                                                      \
    do {                                                                                        \
        if (!(condition)) {                                                                     \
            fprintf(stderr, "%s:%d: requirement failed: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                            \
        }                                                                                       \
    } while (0)

static inline void check_text(scan_checker *c, wk_text text)
{
    if (text.data == NULL) {
        REQUIRE(text.size == 0);
        return;
    }
    const uint8_t *start = (const uint8_t *)text.data;
    REQUIRE(start >= c->data && start <= c->data + c->size);
    REQUIRE(text.size <= (size_t)(c->data + c->size - start));
    for (size_t i = 0; i < text.size; i++) {
        c->sum += start[i];
    }
}

/* Count a fact. Return nonzero if the scan should stop. */
static inline int check_fact(scan_checker *c)
{
    c->facts++;
    REQUIRE(c->facts <= 4096 + c->size);
    return c->stop_after != 0 && c->facts >= c->stop_after;
}

static inline int check_library(void *context, const wk_library *library)
{
    scan_checker *c = context;
    check_text(c, library->name);
    c->libraries++;
    c->libraries_of_slice++;
    return check_fact(c);
}

static inline int check_rpath(void *context, const wk_rpath *rpath)
{
    scan_checker *c = context;
    check_text(c, rpath->path);
    return check_fact(c);
}

static inline int check_version(void *context, const wk_version *version)
{
    scan_checker *c = context;
    check_text(c, version->library);
    check_text(c, version->version);
    c->versions++;
    c->versions_of_slice++;
    return check_fact(c);
}

static inline int check_definition(void *context, const wk_text *version)
{
    scan_checker *c = context;
    check_text(c, *version);
    c->definitions++;
    return check_fact(c);
}

static inline int check_import(void *context, const wk_import *import)
{
    scan_checker *c = context;
    check_text(c, import->name);
    REQUIRE(import->library == WK_NONE || import->library < c->libraries_of_slice);
    REQUIRE(import->version == WK_NONE || import->version < c->versions_of_slice);
    c->imports++;
    return check_fact(c);
}

static inline int check_export(void *context, const wk_text *parts, size_t count)
{
    scan_checker *c = context;
    REQUIRE(count > 0);
    for (size_t i = 0; i < count; i++) {
        check_text(c, parts[i]);
    }
    c->exports++;
    return check_fact(c);
}

static inline int check_digest(void *context, const wk_digest *digest)
{
    scan_checker *c = context;
    REQUIRE(digest->algorithm != NULL && digest->chunk > 0 && digest->digest_size > 0);
    REQUIRE(digest->offset <= c->size && digest->size <= c->size - digest->offset);
    const uint64_t count = (digest->size + digest->chunk - 1) / digest->chunk;
    REQUIRE(digest->digests <= c->size && count <= (c->size - digest->digests) / digest->digest_size);
    return check_fact(c);
}

static inline int check_slice(void *context, const wk_slice *slice)
{
    scan_checker *c = context;
    check_text(c, slice->name);
    check_text(c, slice->interpreter);
    REQUIRE(slice->offset <= c->size && slice->size <= c->size - slice->offset);
    c->last = *slice;
    c->slices++;
    c->libraries_of_slice = 0;
    c->versions_of_slice = 0;
    return check_fact(c);
}

static const wk_visitor CHECKING_VISITOR = {
    .library = check_library,
    .rpath = check_rpath,
    .version = check_version,
    .definition = check_definition,
    .import = check_import,
    .export_name = check_export,
    .slice = check_slice,
    .digest = check_digest,
};

/* Scan a file with the checking visitor, and check that the result matches the public header. */
static inline wk_result checked_scan(scan_checker *c, const uint8_t *data, size_t size, size_t stop_after)
{
    wk_error error;
    memset(c, 0, sizeof *c);
    c->data = data;
    c->size = size;
    c->stop_after = stop_after;
    const wk_result result = wk_scan(data, size, &CHECKING_VISITOR, c, &error);
    REQUIRE(result == error.result);
    REQUIRE(result != WK_RESULT_OK || c->slices > 0);
    REQUIRE(result == WK_RESULT_OK || (error.what != NULL && error.offset <= size));
    REQUIRE(result != WK_RESULT_STOPPED || stop_after != 0);
    return result;
}

#endif
