/* The facts of a scan, kept in one growing buffer, so that they can be collected without the interpreter's
 * lock. */
#ifndef WK_EVENTS_H
#define WK_EVENTS_H

#include "wheelkit/scan.h"

typedef enum wk_event_kind {
    WK_EVENT_KIND_LIBRARY,
    WK_EVENT_KIND_RPATH,
    WK_EVENT_KIND_VERSION,
    WK_EVENT_KIND_IMPORT,
    WK_EVENT_KIND_EXPORT,
    WK_EVENT_KIND_SLICE
} wk_event_kind;

/* How many facts of each kind a slice has, for lists of the right length. */
typedef struct wk_counts {
    size_t libraries, rpaths, versions, imports, exports;
} wk_counts;

typedef struct wk_event {
    wk_event_kind kind;
    size_t next; /* where the next event stands in the buffer */
    union {
        wk_library library;
        wk_rpath rpath;
        wk_version version;
        wk_import import;
        wk_text export_name; /* data is NULL when the name had to be put together; it follows this event */
        struct {
            wk_slice facts;
            wk_counts counts;
        } slice;
    } value;
} wk_event;

typedef struct wk_events {
    unsigned char *data;
    size_t size, capacity;
    wk_counts counts; /* of the slice under way */
    size_t slice_count;
    bool out_of_memory;
} wk_events;

/* Scan and collect. Ends with WK_RESULT_STOPPED and out_of_memory set when memory runs out. */
wk_result wk_collect(const uint8_t *data, size_t size, wk_events *events, wk_error *error);

/* The event at a position, as `next` gives it; the first is at 0, and the last one's `next` is events->size.
 */
const wk_event *wk_event_at(const wk_events *events, size_t at);

/* The name that an event of kind WK_EVENT_KIND_EXPORT tells. */
wk_text wk_event_export_name(const wk_event *event);

void wk_events_free(wk_events *events);

#endif
