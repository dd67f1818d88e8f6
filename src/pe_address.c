/* PE section headers, and the translation of memory addresses to file content. */
#include "pe.h"

wk_pe_section wk_pe_read_section(wk_cursor *sections)
{
    wk_pe_section s;
    s.name = wk_take(sections, 8);
    s.virtual_size = wk_u32(sections);
    s.address = wk_u32(sections);
    s.size = wk_u32(sections);
    s.offset = wk_u32(sections);
    wk_skip(sections, 12); /* relocations and line numbers, which only object files have */
    s.flags = wk_u32(sections);
    return s;
}

static bool range_contains(const wk_pe_range *range, uint64_t address)
{
    return address >= range->address && address - range->address < range->size;
}

bool wk_pe_contains(const wk_pe *pe, uint64_t address)
{
    wk_cursor sections = pe->sections;
    sections.at = 0;
    while (sections.at < sections.size && wk_ok(sections.state)) {
        const wk_pe_section s = wk_pe_read_section(&sections);
        const wk_pe_range range = {s.address, s.offset, s.offset != 0 ? s.size : 0};
        if (range_contains(&range, address)) {
            return true;
        }
    }
    return false;
}

wk_cursor wk_pe_at(wk_pe *pe, uint64_t address, const char *what)
{
    const wk_pe_range headers = {0, 0, pe->headers_size};
    wk_cursor sections = pe->sections;
    sections.at = 0;
    while (!range_contains(&pe->last_range, address) && sections.at < sections.size &&
           wk_ok(sections.state)) {
        const wk_pe_section s = wk_pe_read_section(&sections);
        const wk_pe_range range = {s.address, s.offset, s.offset != 0 ? s.size : 0};
        (void)wk_use_budget(&sections, WK_PE_SECTION_SIZE);
        pe->last_range = range;
    }
    if (!range_contains(&pe->last_range, address)) {
        pe->last_range = headers;
    }
    if (!range_contains(&pe->last_range, address)) {
        wk_fail(pe->file.state, WK_RESULT_BAD_ADDRESS, what, wk_offset_at(&pe->sections, 0), address);
        return wk_window(&pe->file, 0, 0, what);
    }
    const wk_cursor bytes = wk_window(&pe->file, pe->last_range.offset, pe->last_range.size, "PE section");
    return wk_rest(&bytes, address - pe->last_range.address, what);
}
