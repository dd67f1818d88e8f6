/* The entry point, which selects the parser for the format of a file. */
#include "macho.h"
#include "parser.h"

/* The work budget of a scan: a fixed part, and a part in proportion to the size of the file. A string
 * counts for its length, a table entry for about its size, and a fact for the cost set in sink.c. Real
 * libraries use less than a tenth of the budget. */
enum { BUDGET_BASE = 1 << 16, BUDGET_PER_BYTE = 8 };

/* Select the parser by the first bytes of the file. The parser may still find that the file is of another
 * kind. */
static void parse(wk_cursor file)
{
    wk_slice facts = {0};
    facts.size = file.size;
    wk_cursor start = file;
    start.big = true;
    const uint32_t magic = file.size >= 4 ? wk_u32(&start) : 0;
    const uint32_t dos = magic >> 16;

    if (magic == 0x7f454c46) { /* "\177ELF" */
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
    static const uint8_t empty[1] = {0};
    wk_state state = {0};
    state.data = size > 0 ? data : empty;
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
