/* ELF segments: what the loader maps, and how. */
#include "elf.h"

enum {
    PT_DYNAMIC = 2,
    PT_INTERP = 3,
    PT_NOTE = 4,
    PT_TLS = 7,
    PT_GNU_STACK = 0x6474e551,
    PT_GNU_RELRO = 0x6474e552,
    PT_GNU_PROPERTY = 0x6474e553
};
enum { PF_X = 1, PF_W = 2 };
enum { NT_GNU_PROPERTY_TYPE_0 = 5, GNU_NAME_SIZE = 4 };
/* The x86-64 psABI, "Program property": a bit for each level, from x86-64 to x86-64-v4. */
static const uint32_t X86_ISA_1_NEEDED = 0xc0008002;
enum { ISA_LEVELS = 4 };
enum { EM_386 = 3, EM_X86_64 = 62 };

/* The smallest pages of the systems that load ELF files. */
enum { PAGE = 4096 };

/* The largest page size that is told of segments whose offset is their address. */
static const uint64_t LARGEST_PAGE = (uint64_t)1 << 31;

/* The range of addresses of the load segments so far. */
typedef struct span {
    bool any;
    uint64_t first, lowest;  /* start of the first segment, and the lowest start */
    uint64_t last, highest;  /* end of the last segment in memory, and the highest end, in the file as well */
    uint64_t previous_start; /* of the last segment */
} span;

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Compare a load segment with those before it. glibc reserves the addresses from the start of the first
 * segment to the end of the last one. */
static void extend_span(span *all, const wk_segment *s, wk_slice *facts)
{
    const uint64_t end = s->vaddr + s->memsz;
    if (s->filesz > s->memsz || (all->any && s->vaddr < all->last && end > all->previous_start)) {
        facts->faults |= WK_FAULT_OVERLAP;
    }
    all->lowest = all->any ? min_u64(all->lowest, s->vaddr) : s->vaddr;
    all->first = all->any ? all->first : s->vaddr;
    all->highest = end > all->highest ? end : all->highest;
    all->highest = s->vaddr + s->filesz > all->highest ? s->vaddr + s->filesz : all->highest;
    all->last = end;
    all->previous_start = s->vaddr;
    all->any = true;
}

/* Check that the content of a loaded segment is in the file, and update the facts about all of them. */
static void read_load_segment(wk_elf *elf, const wk_segment *s, span *all)
{
    wk_slice *facts = elf->facts;
    const uint64_t distance = s->vaddr - s->offset;
    const uint64_t page = distance == 0 ? LARGEST_PAGE : min_u64(distance & (~distance + 1), LARGEST_PAGE);
    const uint64_t align = s->align == 0 ? 1 : s->align;
    (void)wk_window(&elf->file, s->offset, s->filesz, "ELF load segment");
    facts->page_size = all->any ? min_u64(facts->page_size, page) : page;
    facts->alignment = all->any ? min_u64(facts->alignment, align) : align;
    if ((align & (align - 1)) != 0 || (distance & (align - 1)) != 0) {
        facts->faults |= WK_FAULT_ALIGNMENT;
    }
    extend_span(all, s, facts);
    if ((s->flags & PF_W) != 0 && (s->flags & PF_X) != 0) {
        facts->writable_executable++;
    }
    if (!elf->has_sections && (s->flags & PF_X) != 0) {
        facts->code_bytes += s->filesz;
    } else if (!elf->has_sections) {
        facts->data_bytes += s->filesz;
    }
}

/* Make a copy of the state for a part of the file whose damage is no damage to the whole. */
static wk_cursor on_trial(const wk_elf *elf, wk_state *trial)
{
    wk_cursor file = elf->file;
    *trial = *elf->file.state;
    file.state = trial;
    return file;
}

/* Read the program interpreter. The loader ignores it in a library. */
static void read_interpreter(wk_elf *elf, const wk_segment *s)
{
    wk_state trial;
    const wk_cursor file = on_trial(elf, &trial);
    const wk_cursor bytes = wk_window(&file, s->offset, s->filesz, "ELF interpreter");
    const wk_text path = wk_string(&bytes, 0);
    elf->file.state->budget = trial.budget;
    elf->facts->interpreter = wk_ok(&trial) ? path : elf->facts->interpreter;
}

/* Return the needed level of the processor from the properties in a note; 0 if there is none. */
static uint32_t isa_level(wk_cursor *properties, size_t align)
{
    uint32_t level = 0;
    while (properties->size - properties->at >= 8 && wk_ok(properties->state)) {
        const uint32_t type = wk_u32(properties);
        const uint32_t size = wk_u32(properties);
        const size_t start = properties->at;
        const uint32_t bits = type == X86_ISA_1_NEEDED && size == 4 ? wk_u32(properties) : 0;
        for (uint32_t bit = 0; bit < ISA_LEVELS; bit++) {
            level = (bits >> bit & 1) != 0 && bit + 1 > level ? bit + 1 : level;
        }
        wk_seek(properties, start);
        wk_seek(properties, start + ((uint64_t)size + align - 1) / align * align);
    }
    return level;
}

/* Read the GNU property notes of a segment. A note with damage ends the notes, as in glibc. */
static void read_properties(wk_elf *elf, const wk_segment *s)
{
    wk_state trial;
    const wk_cursor file = on_trial(elf, &trial);
    const size_t align = elf->file.wide ? 8 : 4;
    wk_cursor notes = wk_window(&file, s->offset, s->filesz, "ELF notes");
    if (elf->machine != EM_X86_64 && elf->machine != EM_386) {
        return;
    }
    while (notes.size - notes.at >= 12 && wk_ok(&trial) && wk_use_budget(&notes, 16)) {
        const uint32_t name_size = wk_u32(&notes);
        const uint32_t size = wk_u32(&notes);
        const uint32_t type = wk_u32(&notes);
        const uint64_t start = notes.at + ((uint64_t)name_size + 3) / 4 * 4;
        wk_cursor properties = wk_window(&notes, start, size, "ELF properties");
        if (type == NT_GNU_PROPERTY_TYPE_0 && name_size == GNU_NAME_SIZE && wk_ok(&trial)) {
            const uint32_t level = isa_level(&properties, align);
            elf->facts->isa = level > elf->facts->isa ? level : elf->facts->isa;
        }
        wk_seek(&notes, start + ((uint64_t)size + align - 1) / align * align);
    }
    elf->file.state->budget = trial.budget;
}

/* Read a segment that is not loaded for its own sake. */
static void read_other_segment(wk_elf *elf, const wk_segment *s, wk_segment *dynamic)
{
    switch (s->type) {
    case PT_DYNAMIC: *dynamic = *s; break;
    case PT_INTERP: read_interpreter(elf, s); break;
    case PT_NOTE:
    case PT_GNU_PROPERTY: read_properties(elf, s); break;
    case PT_TLS: elf->facts->tls_bytes = s->memsz; break;
    case PT_GNU_STACK:
        elf->facts->executable_stack = (s->flags & PF_X) != 0 ? WK_TRISTATE_YES : WK_TRISTATE_NO;
        break;
    case PT_GNU_RELRO: elf->facts->relro = WK_RELRO_PARTIAL; break;
    default: break;
    }
}

/* Find the dynamic section as the loader does, by its address. Tools often use the offset. */
static void find_dynamic(wk_elf *elf, const wk_segment *dynamic)
{
    if (dynamic->filesz == 0) {
        elf->facts->faults |= WK_FAULT_NO_DYNAMIC;
        return;
    }
    elf->dynamic = wk_elf_at(elf, dynamic->vaddr, "ELF dynamic segment");
    if (wk_offset_at(&elf->dynamic, 0) != wk_offset_at(&elf->file, 0) + dynamic->offset) {
        elf->facts->faults |= WK_FAULT_OFFSET;
    }
}

void wk_parse_elf_segments(wk_elf *elf, wk_tristate stack)
{
    wk_cursor *segments = &elf->segments;
    wk_segment dynamic = {0};
    span all = {0};
    elf->facts->executable_stack = stack;
    while (segments->at < segments->size && wk_ok(segments->state)) {
        const wk_segment s = wk_elf_segment(segments);
        if (s.type == WK_PT_LOAD) {
            read_load_segment(elf, &s, &all);
        } else {
            read_other_segment(elf, &s, &dynamic);
        }
    }
    if (elf->type != WK_ET_DYN && elf->type != WK_ET_EXEC) {
        return;
    }
    if (!all.any) {
        elf->facts->faults |= WK_FAULT_NO_SEGMENTS;
    }
    if (all.any &&
        (all.lowest / PAGE < all.first / PAGE || (all.highest - 1) / PAGE > (all.last - 1) / PAGE)) {
        elf->facts->faults |= WK_FAULT_ORDER;
    }
    if (wk_ok(elf->file.state)) {
        find_dynamic(elf, &dynamic);
    }
}
