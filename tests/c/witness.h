/* A visitor that believes nothing: every text must lie inside the input, every index must have been told before, and
 * the number of facts must be bounded by the size of the input. It ends the program when one of these does not hold. */
#ifndef WK_WITNESS_H
#define WK_WITNESS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wheelkit/scan.h"

typedef struct witness {
    const uint8_t *data;
    size_t size;
    size_t stop_after; /* facts after which the scan is stopped; 0: never */
    size_t facts, libraries, versions, imports, exports, slices;
    uint32_t libraries_of_slice, versions_of_slice;
    size_t sum; /* of all bytes of all texts, so that each is read */
    wk_slice last;
} witness;

#define WITNESS_REQUIRE(condition)                                                      \
    do {                                                                                \
        if (!(condition)) {                                                             \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                    \
        }                                                                               \
    } while (0)

static inline void witness_text(witness *w, wk_text text)
{
    if (text.data == NULL) {
        WITNESS_REQUIRE(text.size == 0);
        return;
    }
    const uint8_t *start = (const uint8_t *)text.data;
    WITNESS_REQUIRE(start >= w->data && start <= w->data + w->size);
    WITNESS_REQUIRE(text.size <= (size_t)(w->data + w->size - start));
    for (size_t i = 0; i < text.size; i++) {
        w->sum += start[i];
    }
}

static inline int witness_fact(witness *w)
{
    w->facts++;
    WITNESS_REQUIRE(w->facts <= 4096 + w->size);
    return w->stop_after != 0 && w->facts >= w->stop_after;
}

static inline int witness_library(void *context, const wk_library *library)
{
    witness *w = context;
    witness_text(w, library->name);
    w->libraries++;
    w->libraries_of_slice++;
    return witness_fact(w);
}

static inline int witness_rpath(void *context, const wk_rpath *rpath)
{
    witness *w = context;
    witness_text(w, rpath->path);
    return witness_fact(w);
}

static inline int witness_version(void *context, const wk_version *version)
{
    witness *w = context;
    witness_text(w, version->library);
    witness_text(w, version->version);
    w->versions++;
    w->versions_of_slice++;
    return witness_fact(w);
}

static inline int witness_import(void *context, const wk_import *import)
{
    witness *w = context;
    witness_text(w, import->name);
    WITNESS_REQUIRE(import->library == WK_NONE || import->library < w->libraries_of_slice);
    WITNESS_REQUIRE(import->version == WK_NONE || import->version < w->versions_of_slice);
    w->imports++;
    return witness_fact(w);
}

static inline int witness_export(void *context, const wk_text *parts, size_t count)
{
    witness *w = context;
    WITNESS_REQUIRE(count > 0);
    for (size_t i = 0; i < count; i++) {
        witness_text(w, parts[i]);
    }
    w->exports++;
    return witness_fact(w);
}

static inline int witness_slice(void *context, const wk_slice *slice)
{
    witness *w = context;
    witness_text(w, slice->name);
    witness_text(w, slice->interpreter);
    WITNESS_REQUIRE(slice->offset <= w->size && slice->size <= w->size - slice->offset);
    w->last = *slice;
    w->slices++;
    w->libraries_of_slice = 0;
    w->versions_of_slice = 0;
    return witness_fact(w);
}

static const wk_visitor WITNESS = {
    witness_library, witness_rpath, witness_version, witness_import, witness_export, witness_slice,
};

/* Scan, and hold the result to what the header promises. */
static inline wk_result witness_scan(witness *w, const uint8_t *data, size_t size, size_t stop_after)
{
    wk_error error;
    memset(w, 0, sizeof *w);
    w->data = data;
    w->size = size;
    w->stop_after = stop_after;
    const wk_result result = wk_scan(data, size, &WITNESS, w, &error);
    WITNESS_REQUIRE(result == error.result);
    WITNESS_REQUIRE(result != WK_RESULT_OK || w->slices > 0);
    WITNESS_REQUIRE(result == WK_RESULT_OK || (error.what != NULL && error.offset <= size));
    WITNESS_REQUIRE(result != WK_RESULT_STOPPED || stop_after != 0);
    return result;
}

#endif
