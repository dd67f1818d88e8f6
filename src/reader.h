/* The bounded cursor through which every byte of the input is read.
 *
 * A cursor is a window into the input with a position. A read that does not fit yields zero and records the
 * error in the scan that all cursors share; the first error stays. Parsers therefore read whole structures
 * and look at wk_ok() once before they use them, and in every loop.
 */
#ifndef WK_READER_H
#define WK_READER_H

#include <string.h>

#include "wheelkit/scan.h"

typedef struct wk_state {
    const uint8_t *data; /* the whole input */
    const wk_visitor *visitor;
    void *context;
    uint64_t budget; /* units of work that are left */
    wk_error error;
} wk_state;

typedef struct wk_cursor {
    wk_state *state;
    const char *what; /* the structure that is being read, for errors */
    const uint8_t *data;
    size_t size;
    size_t at;
    bool big;
    bool wide; /* wk_word() is 8 bytes */
} wk_cursor;

static inline bool wk_ok(const wk_state *state)
{
    return state->error.result == WK_RESULT_OK;
}

/* Record a failure unless there is one already. */
static inline void wk_fail(wk_state *state, wk_result result, const char *what, uint64_t offset,
                           uint64_t value)
{
    if (wk_ok(state)) {
        state->error.result = result;
        state->error.what = what;
        state->error.offset = offset;
        state->error.value = value;
    }
}

/* The position of `at` bytes into the cursor's window, from the start of the input. */
static inline uint64_t wk_offset_at(const wk_cursor *cursor, uint64_t at)
{
    return (uint64_t)(cursor->data - cursor->state->data) + at;
}

static inline void wk_fail_here(const wk_cursor *cursor, wk_result result, uint64_t value)
{
    wk_fail(cursor->state, result, cursor->what, wk_offset_at(cursor, cursor->at), value);
}

/* Pay for `units` of work; false once more was asked for than the size of the file allows. */
static inline bool wk_use_budget(const wk_cursor *cursor, uint64_t units)
{
    wk_state *state = cursor->state;
    if (units > state->budget) {
        state->budget = 0;
        wk_fail_here(cursor, WK_RESULT_TOO_COMPLEX, units);
        return false;
    }
    state->budget -= units;
    return true;
}

/* The next `count` bytes, or NULL (and the error) when they are not all there. */
static inline const uint8_t *wk_take(wk_cursor *cursor, size_t count)
{
    if (count > cursor->size - cursor->at) {
        wk_fail_here(cursor, WK_RESULT_TRUNCATED, count);
        cursor->at = cursor->size;
        return NULL;
    }
    const uint8_t *bytes = cursor->data + cursor->at;
    cursor->at += count;
    return bytes;
}

static inline void wk_skip(wk_cursor *cursor, size_t count)
{
    (void)wk_take(cursor, count);
}

static inline uint8_t wk_u8(wk_cursor *cursor)
{
    const uint8_t *b = wk_take(cursor, 1);
    return b ? b[0] : 0;
}

static inline uint16_t wk_u16(wk_cursor *cursor)
{
    const uint8_t *b = wk_take(cursor, 2);
    if (!b) {
        return 0;
    }
    return (uint16_t)(cursor->big ? b[0] << 8 | b[1] : b[1] << 8 | b[0]);
}

static inline uint32_t wk_load32(const uint8_t *b, bool big)
{
    return big ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]
               : (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

static inline uint32_t wk_u32(wk_cursor *cursor)
{
    const uint8_t *b = wk_take(cursor, 4);
    return b ? wk_load32(b, cursor->big) : 0;
}

static inline uint64_t wk_u64(wk_cursor *cursor)
{
    const uint8_t *b = wk_take(cursor, 8);
    if (!b) {
        return 0;
    }
    const uint64_t first = wk_load32(b, cursor->big);
    const uint64_t second = wk_load32(b + 4, cursor->big);
    return cursor->big ? first << 32 | second : second << 32 | first;
}

/* A number as wide as an address of the file. */
static inline uint64_t wk_word(wk_cursor *cursor)
{
    return cursor->wide ? wk_u64(cursor) : wk_u32(cursor);
}

/* An unsigned LEB128 number (DWARF 5, section 7.6) of at most ten bytes, which is all that 64 bits can need.
 */
static inline uint64_t wk_uleb(wk_cursor *cursor)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        const uint8_t byte = wk_u8(cursor);
        const uint64_t bits = byte & 0x7f;
        if (shift == 63 && bits > 1) {
            break;
        }
        value |= bits << shift;
        if ((byte & 0x80) == 0) {
            return value;
        }
    }
    wk_fail_here(cursor, WK_RESULT_BAD_VALUE, value);
    return 0;
}

/* Move to an absolute position in the window; its end is allowed. */
static inline void wk_seek(wk_cursor *cursor, uint64_t at)
{
    if (at > cursor->size) {
        wk_fail(cursor->state, WK_RESULT_BAD_OFFSET, cursor->what, wk_offset_at(cursor, cursor->at), at);
        cursor->at = cursor->size;
    } else {
        cursor->at = (size_t)at;
    }
}

/* A window of `size` bytes at `offset` of another, read in the same way; empty, with the error, if it does
 * not fit. */
static inline wk_cursor wk_window(const wk_cursor *from, uint64_t offset, uint64_t size, const char *what)
{
    wk_cursor window = *from;
    window.what = what;
    window.at = 0;
    if (offset > from->size) {
        wk_fail(from->state, WK_RESULT_BAD_OFFSET, what, wk_offset_at(from, from->at), offset);
    } else if (size > from->size - offset) {
        wk_fail(from->state, WK_RESULT_TRUNCATED, what, wk_offset_at(from, offset), size);
    } else {
        window.data = from->data + (size_t)offset;
        window.size = (size_t)size;
        return window;
    }
    window.size = 0;
    return window;
}

/* A window from `offset` to the end of another. */
static inline wk_cursor wk_rest(const wk_cursor *from, uint64_t offset, const char *what)
{
    return wk_window(from, offset, offset > from->size ? 0 : from->size - offset, what);
}

/* A window on `count` entries of `entry` bytes each. */
static inline wk_cursor wk_table(const wk_cursor *from, uint64_t offset, uint64_t count, uint32_t entry,
                                 const char *what)
{
    if (offset <= from->size && count > (from->size - offset) / entry) {
        wk_fail(from->state, WK_RESULT_BAD_COUNT, what, wk_offset_at(from, offset), count);
        count = 0;
    }
    return wk_window(from, offset, count * entry, what);
}

/* The NUL-terminated string at `offset` of a table of strings. */
static inline wk_text wk_string(const wk_cursor *table, uint64_t offset)
{
    wk_text text = {NULL, 0};
    if (offset >= table->size) {
        wk_fail(table->state, WK_RESULT_BAD_OFFSET, table->what, wk_offset_at(table, 0), offset);
        return text;
    }
    const uint8_t *start = table->data + (size_t)offset;
    const uint8_t *end = memchr(start, 0, table->size - (size_t)offset);
    if (end == NULL) {
        wk_fail(table->state, WK_RESULT_BAD_STRING, table->what, wk_offset_at(table, offset), 0);
        return text;
    }
    if (wk_use_budget(table, (uint64_t)(end - start) + 1)) {
        text.data = (const char *)start;
        text.size = (size_t)(end - start);
    }
    return text;
}

static inline bool wk_starts_with(wk_text text, const char *prefix)
{
    const size_t size = strlen(prefix);
    return text.size >= size && memcmp(text.data, prefix, size) == 0;
}

#endif
