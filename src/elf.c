/* The ELF header. What the loader uses is read from the segments. */
#include "elf.h"
#include "parser.h"
#include "sink.h"

enum { CLASS_32 = 1, CLASS_64 = 2, LITTLE = 1, BIG = 2 };
enum { EM_ARM = 40, EF_ARM_ABI_FLOAT_HARD = 0x400 };
enum { PN_XNUM = 0xffff };
enum { ELFOSABI_NONE = 0, ELFOSABI_GNU = 3, ELFOSABI_ARM = 97 };

typedef struct arch {
    uint16_t machine;
    bool wide, big;
    bool stack_is_executable; /* in files without PT_GNU_STACK: DEFAULT_STACK_PERMS of glibc for this
                                 processor */
    const char *name;
} arch;

/* Map e_machine, class and byte order to the names that platform tags use. */
static const arch ARCHES[] = {
    {3, false, false, true, "i686"},
    {62, true, false, true, "x86_64"},
    {62, false, false, true, "x32"},
    {183, true, false, false, "aarch64"},
    {183, true, true, false, "aarch64_be"},
    {EM_ARM, false, false, true, "armv7l"},
    {EM_ARM, false, true, true, "armv7b"},
    {21, true, false, false, "ppc64le"},
    {21, true, true, false, "ppc64"},
    {20, false, true, true, "ppc"},
    {WK_EM_S390, true, true, true, "s390x"},
    {WK_EM_S390, false, true, true, "s390"},
    {243, true, false, true, "riscv64"},
    {243, false, false, true, "riscv32"},
    {258, true, false, false, "loongarch64"},
    {258, false, false, false, "loongarch32"},
    {WK_EM_MIPS, true, false, true, "mips64el"},
    {WK_EM_MIPS, true, true, true, "mips64"},
    {WK_EM_MIPS, false, false, true, "mipsel"},
    {WK_EM_MIPS, false, true, true, "mips"},
};

static const arch *find_arch(uint16_t machine, bool wide, bool big)
{
    for (size_t i = 0; i < sizeof ARCHES / sizeof ARCHES[0]; i++) {
        if (ARCHES[i].machine == machine && ARCHES[i].wide == wide && ARCHES[i].big == big) {
            return &ARCHES[i];
        }
    }
    return NULL;
}

/* Return the name of a value of EI_OSABI, or NULL. */
static const char *os_name(uint8_t number)
{
    switch (number) {
    case 0: return "none";
    case 1: return "hpux";
    case 2: return "netbsd";
    case 3: return "gnu";
    case 6: return "solaris";
    case 7: return "aix";
    case 9: return "freebsd";
    case 12: return "openbsd";
    case 97: return "arm";
    default: return NULL;
    }
}

/* Return whether glibc accepts the OS ABI and its version, as its loader was seen to do. Versions of the GNU
 * ABI count what the loader has to know, such as unique symbols. MIPS counts otherwise. */
static bool is_accepted(uint32_t os, uint8_t version, uint16_t machine)
{
    switch (os) {
    case ELFOSABI_NONE: return version == 0 || machine == WK_EM_MIPS;
    case ELFOSABI_GNU: return version < 4 || machine == WK_EM_MIPS;
    case ELFOSABI_ARM: return machine == EM_ARM; /* of its old ABI */
    default: return false;
    }
}

/* Read the 16 bytes of e_ident, which determine how the other fields are read. */
static void read_ident(wk_elf *elf)
{
    wk_cursor *file = &elf->file;
    file->what = "ELF header";
    wk_skip(file, 4);
    const uint8_t class = wk_u8(file);
    const uint8_t order = wk_u8(file);
    const uint8_t version = wk_u8(file);
    const uint8_t os = wk_u8(file);
    elf->os_version = wk_u8(file);
    const bool padded = (wk_u8(file) | wk_u16(file) | wk_u32(file)) != 0;
    if (!wk_ok(file->state)) {
        return;
    }
    if (class != CLASS_32 && class != CLASS_64) {
        wk_fail(file->state, WK_RESULT_UNSUPPORTED, "ELF class", wk_offset_at(file, 4), class);
    } else if (order != LITTLE && order != BIG) {
        wk_fail(file->state, WK_RESULT_UNSUPPORTED, "ELF byte order", wk_offset_at(file, 5), order);
    } else if (version != 1) {
        wk_fail(file->state, WK_RESULT_UNSUPPORTED, "ELF version", wk_offset_at(file, 6), version);
    }
    file->wide = class == CLASS_64;
    file->big = order == BIG;
    elf->facts->wide = file->wide;
    elf->facts->big = file->big;
    if (padded) {
        elf->facts->faults |= WK_FAULT_IDENT;
    }
    elf->facts->os = os_name(os);
    elf->facts->os_number = os;
}

/* Return the program header table. A file without it stores 0 as its offset. Loaders reject an unexpected
 * entry size. */
static wk_cursor program_headers(const wk_elf *elf, uint64_t offset, uint64_t count, uint32_t entry)
{
    static const char what[] = "ELF program header table";
    const uint32_t expected = elf->file.wide ? 56 : 32;
    if (offset == 0 || count == 0) {
        return wk_window(&elf->file, 0, 0, what);
    }
    if (entry != expected) {
        wk_fail(elf->file.state, WK_RESULT_BAD_VALUE, what, wk_offset_at(&elf->file, elf->file.at), entry);
    }
    return wk_table(&elf->file, offset, count, expected, what);
}

/* Read the rest of the header and locate both tables. If the number of program headers does not fit in 16
 * bits, the first section stores it. */
static void read_header(wk_elf *elf)
{
    wk_cursor *file = &elf->file;
    elf->type = wk_u16(file);
    elf->machine = wk_u16(file);
    const uint32_t version = wk_u32(file);
    if (version != 1 || !is_accepted(elf->facts->os_number, elf->os_version, elf->machine)) {
        elf->facts->faults |= WK_FAULT_IDENT;
    }
    (void)wk_word(file); /* entry point */
    const uint64_t phoff = wk_word(file);
    elf->sections_offset = wk_word(file);
    const uint32_t flags = wk_u32(file);
    wk_skip(file, 2);
    const uint16_t phentsize = wk_u16(file);
    uint64_t phnum = wk_u16(file);
    elf->section_size = wk_u16(file);
    elf->sections_count = wk_u16(file);
    elf->names_index = wk_u16(file);
    if (elf->sections_offset != 0 && phnum == PN_XNUM) {
        phnum = wk_elf_first_section_info(elf);
    }
    elf->segments = program_headers(elf, phoff, phnum, phentsize);
    if (elf->machine == EM_ARM && (flags & EF_ARM_ABI_FLOAT_HARD) != 0) {
        elf->facts->flags |= WK_FLAG_HARD_FLOAT;
    }
}

/* Distinguish position-independent executables from shared libraries, which have the same file type. An
 * executable has the PIE flag, or it has an interpreter and no name. */
static wk_kind kind_of(const wk_elf *elf)
{
    switch (elf->type) {
    case WK_ET_REL: return WK_KIND_OBJECT;
    case WK_ET_EXEC: return WK_KIND_EXECUTABLE;
    case WK_ET_DYN: break;
    default: return WK_KIND_OTHER;
    }
    const bool looks_executable = elf->facts->interpreter.data != NULL && elf->facts->name.data == NULL;
    return looks_executable || (elf->facts->flags & WK_FLAG_PIE) != 0 ? WK_KIND_EXECUTABLE : WK_KIND_SHARED;
}

/* Return whether a file without PT_GNU_STACK makes the stack executable. */
static wk_tristate default_stack(const wk_elf *elf, const arch *known)
{
    if (known == NULL || (elf->type != WK_ET_EXEC && elf->type != WK_ET_DYN)) {
        return WK_TRISTATE_UNKNOWN;
    }
    return known->stack_is_executable ? WK_TRISTATE_YES : WK_TRISTATE_NO;
}

void wk_parse_elf(wk_cursor file, wk_slice *facts)
{
    wk_elf elf = {0};
    elf.file = file;
    elf.facts = facts;
    facts->format = WK_FORMAT_ELF;
    facts->is_signed = WK_TRISTATE_UNKNOWN;
    read_ident(&elf);
    if (!wk_ok(file.state)) {
        return;
    }
    read_header(&elf);
    const arch *known = find_arch(elf.machine, facts->wide, facts->big);
    facts->arch = known ? known->name : NULL;
    facts->arch_number = elf.machine;
    elf.dynamic = wk_window(&elf.file, 0, 0, "ELF dynamic segment");
    wk_parse_elf_sections(&elf);
    wk_parse_elf_segments(&elf, default_stack(&elf, known));
    if (elf.dynamic.size > 0 && wk_ok(file.state)) {
        wk_parse_elf_dynamic(&elf);
    }
    facts->kind = kind_of(&elf);
    if (facts->kind == WK_KIND_EXECUTABLE) {
        facts->flags |= elf.type == WK_ET_DYN ? WK_FLAG_PIE : 0u;
        facts->flags |= facts->interpreter.data == NULL ? WK_FLAG_STATIC : 0u;
    }
    if (elf.type != WK_ET_DYN) {
        facts->faults |= WK_FAULT_PROGRAM;
    }
    if (wk_ok(file.state)) {
        wk_emit_slice(&elf.file, facts);
    }
}
