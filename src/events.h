/* A visitor that collects all facts of a scan in one buffer, without the lock of the interpreter. */
#ifndef WK_EVENTS_H
#define WK_EVENTS_H

#include "wheelkit/scan.h"

typedef enum wk_event_kind {
    WK_EVENT_KIND_LIBRARY,
    WK_EVENT_KIND_RPATH,
    WK_EVENT_KIND_VERSION,
    WK_EVENT_KIND_DEFINITION,
    WK_EVENT_KIND_IMPORT,
    WK_EVENT_KIND_EXPORT,
    WK_EVENT_KIND_DIGEST,
    WK_EVENT_KIND_SLICE
} wk_event_kind;

/* The number of facts of each kind in a slice. */
typedef struct wk_counts {
    size_t libraries, rpaths, versions, definitions, imports, exports, digests;
} wk_counts;

/* One fact. Its strings point into the input, except for the names that follow their events. */
typedef struct wk_event {
    wk_event_kind kind;
    size_t next; /* position of the next event in the buffer */
    union {
        wk_library library;
        wk_rpath rpath;
        wk_version version;
        wk_text definition;
        wk_import import;
        wk_text export_name; /* if `data` is NULL, the name follows the event */
        wk_digest digest;
        struct {
            wk_slice facts;
            wk_counts counts;
        } slice;
    } value;
} wk_event;

/* The collected events. Each slice event follows the other events of its slice. */
typedef struct wk_events {
    unsigned char *data;
    size_t size, capacity;
    wk_counts counts; /* of the current slice */
    size_t slice_count;
    bool out_of_memory;
} wk_events;

/* Scan a file and collect its facts. Parameters and results are those of wk_scan(). If memory runs out,
 * set out_of_memory and return WK_RESULT_STOPPED. The caller must call wk_events_free() after any result,
 * and keep the input as long as it uses the events. */
wk_result wk_collect(const uint8_t *data, size_t size, wk_events *events, wk_error *error);

/* Return the event at a position. The first event is at 0; each event contains the position of the next
 * one. The events end at position events->size. The event is valid until wk_events_free(). */
const wk_event *wk_event_at(const wk_events *events, size_t at);

/* Return the name in an event of kind WK_EVENT_KIND_EXPORT. It is valid as long as the event and the input
 * are. */
wk_text wk_event_export_name(const wk_event *event);

/* Free the events and reset them to an empty collection. */
void wk_events_free(wk_events *events);

#endif
