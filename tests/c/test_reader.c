/* Test the cursor: all widths in both byte orders, and all bounds. */
#include "reader.h"

#include "check.h"

static const uint8_t BYTES[9] = {0x01, 0x82, 0x03, 0x84, 0x05, 0x86, 0x07, 0x88, 0x09};

static wk_cursor cursor(wk_state *state, size_t size, bool big, bool wide)
{
    const wk_cursor c = {state, "bytes", BYTES, size, 0, big, wide};
    state->data = BYTES;
    state->budget = 1000;
    return c;
}

static void test_widths(void)
{
    static const struct {
        bool big, wide;
        uint64_t u16, u32, u64, word;
    } EXPECTED[] = {
        {false, false, 0x8201, 0x84038201, 0x8807860584038201, 0x84038201},
        {false, true, 0x8201, 0x84038201, 0x8807860584038201, 0x8807860584038201},
        {true, false, 0x0182, 0x01820384, 0x0182038405860788, 0x01820384},
        {true, true, 0x0182, 0x01820384, 0x0182038405860788, 0x0182038405860788},
    };
    for (size_t i = 0; i < sizeof EXPECTED / sizeof EXPECTED[0]; i++) {
        wk_state state = {0};
        const wk_cursor start = cursor(&state, 8, EXPECTED[i].big, EXPECTED[i].wide);
        wk_cursor c = start;
        CHECK(wk_u8(&c) == 0x01 && c.at == 1);
        c = start;
        CHECK(wk_u16(&c) == EXPECTED[i].u16 && c.at == 2);
        c = start;
        CHECK(wk_u32(&c) == EXPECTED[i].u32 && c.at == 4);
        c = start;
        CHECK(wk_u64(&c) == EXPECTED[i].u64 && c.at == 8);
        c = start;
        CHECK(wk_word(&c) == EXPECTED[i].word && c.at == (EXPECTED[i].wide ? 8 : 4));
        CHECK(wk_ok(&state));
    }
}

/* A read of `width` bytes works if that many remain. With one byte less it fails and returns 0. */
static void test_ends(void)
{
    for (size_t width = 1; width <= 8; width *= 2) {
        for (size_t missing = 0; missing < 2; missing++) {
            wk_state state = {0};
            wk_cursor c = cursor(&state, width - missing, true, true);
            const uint64_t value = width == 1   ? wk_u8(&c)
                                   : width == 2 ? wk_u16(&c)
                                   : width == 4 ? wk_u32(&c)
                                                : wk_u64(&c);
            CHECK((value == 0) == (missing == 1));
            CHECK(wk_ok(&state) == (missing == 0));
            CHECK(c.at == c.size);
            if (missing == 1) {
                CHECK(state.error.result == WK_RESULT_TRUNCATED && state.error.value == width &&
                      state.error.offset == 0);
            }
        }
    }
}

static void test_first_error_is_kept(void)
{
    wk_state state = {0};
    wk_cursor c = cursor(&state, 4, false, false);
    wk_seek(&c, 5);
    CHECK(state.error.result == WK_RESULT_BAD_OFFSET && state.error.value == 5);
    CHECK(wk_u8(&c) == 0);
    wk_skip(&c, 100);
    CHECK(state.error.result == WK_RESULT_BAD_OFFSET && state.error.value == 5);
}

static void test_seek_and_skip(void)
{
    wk_state state = {0};
    wk_cursor c = cursor(&state, 4, false, false);
    wk_seek(&c, 4);
    wk_skip(&c, 0);
    CHECK(wk_ok(&state) && c.at == 4);
    wk_seek(&c, 1);
    wk_skip(&c, 3);
    CHECK(wk_ok(&state) && c.at == 4);
    wk_skip(&c, 1);
    CHECK(state.error.result == WK_RESULT_TRUNCATED && state.error.offset == 4);
}

/* Windows are rejected even if the sum of offset and size wraps around. */
static void test_windows(void)
{
    static const struct {
        uint64_t offset, size;
        wk_result result;
    } CASES[] = {
        {0, 8, WK_RESULT_OK},
        {8, 0, WK_RESULT_OK},
        {3, 5, WK_RESULT_OK},
        {0, 9, WK_RESULT_TRUNCATED},
        {3, 6, WK_RESULT_TRUNCATED},
        {9, 0, WK_RESULT_BAD_OFFSET},
        {UINT64_MAX, 2, WK_RESULT_BAD_OFFSET},
        {2, UINT64_MAX, WK_RESULT_TRUNCATED},
        {2, UINT64_MAX - 1, WK_RESULT_TRUNCATED},
        {UINT32_MAX, 2, WK_RESULT_BAD_OFFSET},
        {2, UINT32_MAX, WK_RESULT_TRUNCATED},
        {(uint64_t)1 << 32, 1, WK_RESULT_BAD_OFFSET},
        {1, (uint64_t)1 << 32, WK_RESULT_TRUNCATED},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        wk_state state = {0};
        const wk_cursor c = cursor(&state, 8, false, false);
        const wk_cursor window = wk_window(&c, CASES[i].offset, CASES[i].size, "window");
        CHECK(state.error.result == CASES[i].result);
        CHECK(window.size == (CASES[i].result == WK_RESULT_OK ? CASES[i].size : 0));
        CHECK(CASES[i].result != WK_RESULT_OK || window.data == BYTES + CASES[i].offset);
    }
}

static void test_tables(void)
{
    static const struct {
        uint64_t offset, count;
        uint32_t entry;
        wk_result result;
    } CASES[] = {
        {0, 2, 4, WK_RESULT_OK},
        {4, 1, 4, WK_RESULT_OK},
        {8, 0, 4, WK_RESULT_OK},
        {0, 3, 4, WK_RESULT_BAD_COUNT},
        {5, 1, 4, WK_RESULT_BAD_COUNT},
        {0, UINT32_MAX, 4, WK_RESULT_BAD_COUNT},
        {0, UINT64_MAX, 4, WK_RESULT_BAD_COUNT},
        {0, (uint64_t)1 << 62, 4, WK_RESULT_BAD_COUNT},
        {9, 0, 4, WK_RESULT_BAD_OFFSET},
        {UINT64_MAX, UINT64_MAX, 4, WK_RESULT_BAD_OFFSET},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        wk_state state = {0};
        const wk_cursor c = cursor(&state, 8, false, false);
        const wk_cursor table = wk_table(&c, CASES[i].offset, CASES[i].count, CASES[i].entry, "table");
        CHECK(state.error.result == CASES[i].result);
        CHECK(table.size == (CASES[i].result == WK_RESULT_OK ? CASES[i].count * CASES[i].entry : 0));
    }
}

static void test_offsets_count_from_the_input(void)
{
    wk_state state = {0};
    const wk_cursor c = cursor(&state, 8, false, false);
    const wk_cursor middle = wk_rest(&c, 2, "middle");
    wk_cursor end = wk_window(&middle, 3, 2, "end");
    wk_skip(&end, 2);
    CHECK(wk_u8(&end) == 0);
    CHECK(state.error.offset == 7 && strcmp(state.error.what, "end") == 0);
}

static void test_strings(void)
{
    static const uint8_t text[] = {'a', 'b', 0, 0, 'c', 'd'};
    wk_state state = {0};
    wk_cursor table = cursor(&state, sizeof text, false, false);
    table.data = text;
    state.data = text;
    const wk_text ab = wk_string(&table, 0);
    CHECK(ab.size == 2 && ab.data == (const char *)text);
    const wk_text empty = wk_string(&table, 3);
    CHECK(empty.size == 0 && empty.data != NULL && wk_ok(&state));
    CHECK(state.budget == 1000 - 4);
    CHECK(wk_string(&table, 4).data == NULL);
    CHECK(state.error.result == WK_RESULT_BAD_STRING && state.error.offset == 4);
}

static void test_string_outside(void)
{
    wk_state state = {0};
    const wk_cursor table = cursor(&state, 4, false, false);
    CHECK(wk_string(&table, 4).data == NULL);
    CHECK(state.error.result == WK_RESULT_BAD_OFFSET && state.error.value == 4);
}

static void test_budget(void)
{
    wk_state state = {0};
    const wk_cursor c = cursor(&state, 4, false, false);
    CHECK(wk_use_budget(&c, 1000) && state.budget == 0 && wk_ok(&state));
    CHECK(!wk_use_budget(&c, 1));
    CHECK(state.error.result == WK_RESULT_TOO_COMPLEX);
}

static void test_uleb(void)
{
    static const struct {
        uint8_t bytes[11];
        size_t size;
        uint64_t value;
        wk_result result;
    } CASES[] = {
        {{0x00}, 1, 0, WK_RESULT_OK},
        {{0x7f}, 1, 127, WK_RESULT_OK},
        {{0xe5, 0x8e, 0x26}, 3, 624485, WK_RESULT_OK},
        {{0x80, 0x80, 0x00}, 3, 0, WK_RESULT_OK},
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 10, UINT64_MAX, WK_RESULT_OK},
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02}, 10, 0, WK_RESULT_BAD_VALUE},
        {{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00}, 11, 0, WK_RESULT_BAD_VALUE},
        {{0x80}, 1, 0, WK_RESULT_TRUNCATED},
        {{0}, 0, 0, WK_RESULT_TRUNCATED},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        wk_state state = {0};
        wk_cursor c = cursor(&state, CASES[i].size, false, false);
        c.data = CASES[i].bytes;
        state.data = CASES[i].bytes;
        CHECK(wk_uleb(&c) == CASES[i].value);
        CHECK(state.error.result == CASES[i].result);
    }
}

int main(void)
{
    test_widths();
    test_ends();
    test_first_error_is_kept();
    test_seek_and_skip();
    test_windows();
    test_tables();
    test_offsets_count_from_the_input();
    test_strings();
    test_string_outside();
    test_budget();
    test_uleb();
    return 0;
}
