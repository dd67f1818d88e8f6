/* Collecting the facts of a scan. */
#include "events.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

/* Return the size of an event of a kind. It does not include the rest of the union, whose largest member
 * by far is a slice. */
static size_t event_size(wk_event_kind kind)
{
    const size_t head = offsetof(wk_event, value);
    switch (kind) {
    case WK_EVENT_KIND_LIBRARY: return head + sizeof(wk_library);
    case WK_EVENT_KIND_RPATH: return head + sizeof(wk_rpath);
    case WK_EVENT_KIND_VERSION: return head + sizeof(wk_version);
    case WK_EVENT_KIND_DEFINITION: return head + sizeof(wk_text);
    case WK_EVENT_KIND_IMPORT: return head + sizeof(wk_import);
    case WK_EVENT_KIND_EXPORT: return head + sizeof(wk_text);
    case WK_EVENT_KIND_DIGEST: return head + sizeof(wk_digest);
    case WK_EVENT_KIND_SLICE: break;
    }
    return sizeof(wk_event);
}

/* Make room for more bytes in the buffer. Return false if memory runs out. */
static bool reserve(wk_events *events, size_t more)
{
    if (more <= events->capacity - events->size) {
        return true;
    }
    const size_t doubled = events->capacity > SIZE_MAX / 2 ? SIZE_MAX : events->capacity * 2;
    size_t capacity = doubled < 4096 ? 4096 : doubled;
    if (capacity - events->size < more) {
        capacity = more > SIZE_MAX - events->size ? SIZE_MAX : events->size + more;
    }
    unsigned char *data = realloc(events->data, capacity);
    if (data == NULL) {
        events->out_of_memory = true;
        return false;
    }
    events->data = data;
    events->capacity = capacity;
    return true;
}

/* Append an event, followed by `extra` bytes. Return NULL if memory runs out. */
static wk_event *append(wk_events *events, wk_event_kind kind, size_t extra)
{
    const size_t align = alignof(wk_event);
    const size_t size = event_size(kind);
    if (extra > SIZE_MAX - size - align || !reserve(events, (size + extra + align - 1) / align * align)) {
        events->out_of_memory = true;
        return NULL;
    }
    wk_event *event = (wk_event *)(void *)(events->data + events->size);
    events->size += (size + extra + align - 1) / align * align;
    event->kind = kind;
    event->next = events->size;
    return event;
}

static int on_library(void *context, const wk_library *library)
{
    wk_events *events = context;
    wk_event *event = append(events, WK_EVENT_KIND_LIBRARY, 0);
    if (event) {
        event->value.library = *library;
        events->counts.libraries++;
    }
    return event == NULL;
}

static int on_rpath(void *context, const wk_rpath *rpath)
{
    wk_events *events = context;
    wk_event *event = append(events, WK_EVENT_KIND_RPATH, 0);
    if (event) {
        event->value.rpath = *rpath;
        events->counts.rpaths++;
    }
    return event == NULL;
}

static int on_version(void *context, const wk_version *version)
{
    wk_events *events = context;
    wk_event *event = append(events, WK_EVENT_KIND_VERSION, 0);
    if (event) {
        event->value.version = *version;
        events->counts.versions++;
    }
    return event == NULL;
}

static int on_definition(void *context, const wk_text *version)
{
    wk_events *events = context;
    wk_event *event = append(events, WK_EVENT_KIND_DEFINITION, 0);
    if (event) {
        event->value.definition = *version;
        events->counts.definitions++;
    }
    return event == NULL;
}

static int on_import(void *context, const wk_import *import)
{
    wk_events *events = context;
    wk_event *event = append(events, WK_EVENT_KIND_IMPORT, 0);
    if (event) {
        event->value.import = *import;
        events->counts.imports++;
    }
    return event == NULL;
}

/* Return the total size of the parts of a name, or SIZE_MAX if it is too large. */
static size_t total_size(const wk_text *parts, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].size > SIZE_MAX / 2 - size) {
            return SIZE_MAX;
        }
        size += parts[i].size;
    }
    return size;
}

/* Copy the parts of a name, one after the other. */
static void join(unsigned char *end, const wk_text *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (parts[i].size > 0) {
            memcpy(end, parts[i].data, parts[i].size);
            end += parts[i].size;
        }
    }
}

/* A name of one part stays in the input. Parts of a longer name are copied behind the event. */
static int on_export(void *context, const wk_text *parts, size_t count)
{
    wk_events *events = context;
    wk_text name = {count == 1 ? parts[0].data : NULL, total_size(parts, count)};
    if (name.size == SIZE_MAX) {
        events->out_of_memory = true;
        return 1;
    }
    wk_event *event = append(events, WK_EVENT_KIND_EXPORT, count == 1 ? 0 : name.size);
    if (event == NULL) {
        return 1;
    }
    if (count != 1) {
        join((unsigned char *)event + event_size(WK_EVENT_KIND_EXPORT), parts, count);
    }
    event->value.export_name = name;
    events->counts.exports++;
    return 0;
}

static int on_digest(void *context, const wk_digest *digest)
{
    wk_events *events = context;
    wk_event *event = append(events, WK_EVENT_KIND_DIGEST, 0);
    if (event) {
        event->value.digest = *digest;
        events->counts.digests++;
    }
    return event == NULL;
}

static int on_slice(void *context, const wk_slice *slice)
{
    static const wk_counts no_counts;
    wk_events *events = context;
    wk_event *event = append(events, WK_EVENT_KIND_SLICE, 0);
    if (event) {
        event->value.slice.facts = *slice;
        event->value.slice.counts = events->counts;
        events->counts = no_counts;
        events->slice_count++;
    }
    return event == NULL;
}

wk_result wk_collect(const uint8_t *data, size_t size, wk_events *events, wk_error *error)
{
    static const wk_visitor visitor = {
        .library = on_library,
        .rpath = on_rpath,
        .version = on_version,
        .definition = on_definition,
        .import = on_import,
        .export_name = on_export,
        .slice = on_slice,
        .digest = on_digest,
    };
    memset(events, 0, sizeof *events);
    return wk_scan(data, size, &visitor, events, error);
}

const wk_event *wk_event_at(const wk_events *events, size_t at)
{
    return (const wk_event *)(const void *)(events->data + at);
}

wk_text wk_event_export_name(const wk_event *event)
{
    wk_text name = event->value.export_name;
    if (name.data == NULL) {
        name.data = (const char *)event + event_size(WK_EVENT_KIND_EXPORT);
    }
    return name;
}

void wk_events_free(wk_events *events)
{
    free(events->data);
    memset(events, 0, sizeof *events);
}
