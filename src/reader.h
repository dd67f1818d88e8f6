/* The bounded cursor, through which every byte of the input is read.
 *
 * A cursor is a window into the input, with a position in it. A read that does not fit returns zero and
 * records an error in the state of the scan, which all cursors share. Only the first error is kept. Parsers
 * can therefore read a whole structure and check wk_ok() once before they use it. Every loop
 * checks wk_ok().
 */
#ifndef WK_READER_H
#define WK_READER_H

#include <string.h>

#include "wheelkit/scan.h"

typedef struct wk_state {
    const uint8_t *data; /* the whole input */
    const wk_visitor *visitor;
    void *context;
    uint64_t budget; /* remaining units of work */
    wk_error error;
} wk_state;

typedef struct wk_cursor {
    wk_state *state;
    const char *what; /* the structure to name in errors */
    const uint8_t *data;
    size_t size;
    size_t at; /* position in the window; at most `size` */
    bool big;
    bool wide; /* wk_word() reads 8 bytes instead of 4 */
} wk_cursor;

/* Return whether the scan has not failed. */
static inline bool wk_ok(const wk_state *state)
{
    return state->error.result == WK_RESULT_OK;
}

/* Record a failure, unless one is already recorded. */
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

/* Return the offset in the input of position `at` in the cursor's window. */
static inline uint64_t wk_offset_at(const wk_cursor *cursor, uint64_t at)
{
    return (uint64_t)(cursor->data - cursor->state->data) + at;
}

/* Record a failure at the position of the cursor. */
static inline void wk_fail_here(const wk_cursor *cursor, wk_result result, uint64_t value)
{
    wk_fail(cursor->state, result, cursor->what, wk_offset_at(cursor, cursor->at), value);
}

/* Use `units` of the work budget. If it is exceeded, fail the scan and return false. */
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

/* Return the next `count` bytes and move past them. If they do not fit, fail the scan and return NULL. */
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

/* Move past the next `count` bytes. */
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

/* Load a 32-bit number from four bytes, at any alignment. */
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

/* Read a number of the width of an address: 8 bytes if the cursor is wide, 4 bytes otherwise. */
static inline uint64_t wk_word(wk_cursor *cursor)
{
    return cursor->wide ? wk_u64(cursor) : wk_u32(cursor);
}

/* Read an unsigned LEB128 number (DWARF 5, section 7.6) of at most ten bytes, enough for any 64-bit value. */
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

/* Move to a position in the window. The end of the window is a valid position. */
static inline void wk_seek(wk_cursor *cursor, uint64_t at)
{
    if (at > cursor->size) {
        wk_fail(cursor->state, WK_RESULT_BAD_OFFSET, cursor->what, wk_offset_at(cursor, cursor->at), at);
        cursor->at = cursor->size;
    } else {
        cursor->at = (size_t)at;
    }
}

/* Return a window of `size` bytes at `offset` of another window, with the same byte order and word size. If
 * it does not fit, fail the scan and return an empty window. */
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

/* Return a window from `offset` to the end of another window. */
static inline wk_cursor wk_rest(const wk_cursor *from, uint64_t offset, const char *what)
{
    return wk_window(from, offset, offset > from->size ? 0 : from->size - offset, what);
}

/* Return a window of `count` entries of `entry` bytes each. */
static inline wk_cursor wk_table(const wk_cursor *from, uint64_t offset, uint64_t count, uint32_t entry,
                                 const char *what)
{
    if (offset <= from->size && count > (from->size - offset) / entry) {
        wk_fail(from->state, WK_RESULT_BAD_COUNT, what, wk_offset_at(from, offset), count);
        count = 0;
    }
    return wk_window(from, offset, count * entry, what);
}

/* Return the NUL-terminated string at `offset` of a string table, without the NUL. The length of the
 * string counts as work. */
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

/* Return whether a string starts with a NUL-terminated prefix. */
static inline bool wk_starts_with(wk_text text, const char *prefix)
{
    const size_t size = strlen(prefix);
    return text.size >= size && memcmp(text.data, prefix, size) == 0;
}

#endif
