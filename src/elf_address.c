/* ELF program headers, and the translation of memory addresses to file content. */
#include "elf.h"

wk_segment wk_elf_segment(wk_cursor *segments)
{
    wk_segment s;
    s.type = wk_u32(segments);
    s.flags = segments->wide ? wk_u32(segments) : 0;
    s.offset = wk_word(segments);
    s.vaddr = wk_word(segments);
    (void)wk_word(segments); /* physical address */
    s.filesz = wk_word(segments);
    (void)wk_word(segments); /* size in memory */
    s.flags = segments->wide ? s.flags : wk_u32(segments);
    (void)wk_word(segments); /* alignment */
    return s;
}

wk_cursor wk_elf_at(const wk_elf *elf, uint64_t address, const char *what)
{
    wk_cursor segments = elf->segments;
    segments.at = 0;
    (void)wk_use_budget(&segments, segments.size);
    while (segments.at < segments.size && wk_ok(segments.state)) {
        const wk_segment s = wk_elf_segment(&segments);
        if (s.type == WK_PT_LOAD && address >= s.vaddr && address - s.vaddr < s.filesz) {
            const wk_cursor loaded = wk_window(&elf->file, s.offset, s.filesz, "ELF load segment");
            return wk_rest(&loaded, address - s.vaddr, what);
        }
    }
    wk_fail(elf->file.state, WK_RESULT_BAD_ADDRESS, what, wk_offset_at(&elf->dynamic, elf->dynamic.at),
            address);
    return wk_window(&elf->file, 0, 0, what);
}
