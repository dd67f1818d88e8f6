/* ELF program headers, and the translation of memory addresses to file content. */
#include "elf.h"

/* The smallest pages of the systems that load ELF files. */
enum { PAGE = 4096 };

wk_segment wk_elf_segment(wk_cursor *segments)
{
    wk_segment s;
    s.type = wk_u32(segments);
    s.flags = segments->wide ? wk_u32(segments) : 0;
    s.offset = wk_word(segments);
    s.vaddr = wk_word(segments);
    (void)wk_word(segments); /* physical address */
    s.filesz = wk_word(segments);
    s.memsz = wk_word(segments);
    s.flags = segments->wide ? s.flags : wk_u32(segments);
    s.align = wk_word(segments);
    return s;
}

/* Widen a segment to what is mapped of the file: whole pages. The rest of the last page is filled with zeros
 * if the segment is longer in memory. */
static wk_segment mapped(const wk_elf *elf, wk_segment s)
{
    const uint64_t before = s.vaddr % PAGE;
    if (s.offset % PAGE == before && s.filesz <= elf->file.size && s.offset <= elf->file.size) {
        const uint64_t after = (PAGE - (before + s.filesz) % PAGE) % PAGE;
        const uint64_t left = elf->file.size - s.offset > s.filesz ? elf->file.size - s.offset - s.filesz : 0;
        s.vaddr -= before;
        s.offset -= before;
        s.filesz += before;
        if (s.filesz > before && s.memsz <= s.filesz - before) {
            s.filesz += after < left ? after : left;
        }
    }
    return s;
}

wk_cursor wk_elf_at(const wk_elf *elf, uint64_t address, const char *what)
{
    wk_cursor segments = elf->segments;
    wk_segment last = {0};
    segments.at = 0;
    (void)wk_use_budget(&segments, segments.size);
    while (segments.at < segments.size && wk_ok(segments.state)) {
        wk_segment s = wk_elf_segment(&segments);
        if (s.type == WK_PT_LOAD) {
            s = mapped(elf, s);
            last = address >= s.vaddr && address - s.vaddr < s.filesz ? s : last;
        }
    }
    if (last.type == WK_PT_LOAD) {
        const wk_cursor loaded = wk_window(&elf->file, last.offset, last.filesz, "ELF load segment");
        return wk_rest(&loaded, address - last.vaddr, what);
    }
    wk_fail(elf->file.state, WK_RESULT_BAD_ADDRESS, what, wk_offset_at(&elf->dynamic, elf->dynamic.at),
            address);
    return wk_window(&elf->file, 0, 0, what);
}

bool wk_elf_is_mapped(const wk_elf *elf, uint64_t address)
{
    wk_cursor segments = elf->segments;
    segments.at = 0;
    (void)wk_use_budget(&segments, segments.size);
    while (segments.at < segments.size && wk_ok(segments.state)) {
        const wk_segment s = wk_elf_segment(&segments);
        const uint64_t size = s.memsz > s.filesz ? s.memsz : s.filesz;
        const uint64_t before = s.vaddr % PAGE;
        const uint64_t pages = (before + size + PAGE - 1) / PAGE;
        const uint64_t start = s.vaddr - before;
        if (s.type == WK_PT_LOAD && size > 0 && address >= start && (address - start) / PAGE < pages) {
            return true;
        }
    }
    return false;
}
