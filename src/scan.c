/* Which format is it. */
#include "macho.h"
#include "parser.h"

/* The work that a file may cause: so many units, and so many more for each of its bytes. A string costs its
 * length, an entry of a table about its size, and a fact FACT_COST on top. Of several hundred real libraries
 * none needs a tenth. */
enum { BUDGET_BASE = 1 << 16, BUDGET_PER_BYTE = 8 };

/* The parsers by the first bytes of a file. A parser may still find that it is another kind of file after
 * all. */
static void parse(wk_cursor file)
{
    wk_slice facts = {0};
    facts.size = file.size;
    wk_cursor start = file;
    start.big = true;
    const uint32_t magic = file.size >= 4 ? wk_u32(&start) : 0;
    const uint32_t dos = magic >> 16;

    if (magic == 0x7f454c46) { /* "\x7fELF" */
        wk_parse_elf(file, &facts);
    } else if (wk_macho_is_thin(magic)) {
        wk_parse_macho(file, &facts);
    } else if (magic == WK_MACHO_FAT_32 || magic == WK_MACHO_FAT_64) {
        wk_parse_fat_macho(file);
    } else if (dos == 0x4d5a) { /* "MZ" */
        wk_parse_pe(file, &facts);
    } else {
        wk_fail_here(&file, WK_RESULT_NOT_A_BINARY, magic);
    }
}

wk_result wk_scan(const uint8_t *data, size_t size, const wk_visitor *visitor, void *context, wk_error *error)
{
    static const uint8_t nothing[1] = {0};
    wk_state state = {0};
    state.data = size > 0 ? data : nothing;
    state.visitor = visitor;
    state.context = context;
    state.budget = BUDGET_BASE + (uint64_t)size * BUDGET_PER_BYTE;

    const wk_cursor file = {&state, "file", state.data, size, 0, false, false};
    parse(file);
    if (error) {
        *error = state.error;
    }
    return state.error.result;
}
