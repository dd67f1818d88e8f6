/* Fat Mach-O files, which contain several thin files. */
#include "macho.h"
#include "parser.h"

/* Java class files have the magic number of fat files, followed by a version number of at least 45. Fat
 * files have the number of slices there. */
enum { FIRST_JAVA_VERSION = 45 };
static const uint64_t ARCHIVE_MAGIC = 0x213c617263683e0a; /* "!<arch>\n" */

typedef struct fat_arch {
    uint32_t cpu, subtype;
    uint64_t offset, size;
} fat_arch;

static fat_arch read_arch(wk_cursor *table)
{
    fat_arch a;
    a.cpu = wk_u32(table);
    a.subtype = wk_u32(table);
    a.offset = wk_word(table);
    a.size = wk_word(table);
    wk_skip(table, table->wide ? 8 : 4); /* alignment */
    return a;
}

/* Fail the scan if a slice overlaps the header or a slice that comes earlier in the table. */
static void check_overlap(const wk_cursor *table, const fat_arch *current, size_t current_at)
{
    wk_cursor earlier = *table;
    earlier.at = 0;
    if (current->offset < wk_offset_at(table, table->size)) {
        wk_fail(table->state, WK_RESULT_OVERLAP, "fat Mach-O slice", wk_offset_at(table, current_at), 0);
    }
    while (earlier.at < current_at && wk_ok(table->state)) {
        const fat_arch other = read_arch(&earlier);
        if (current->offset < other.offset + other.size && other.offset < current->offset + current->size) {
            wk_fail(table->state, WK_RESULT_OVERLAP, "fat Mach-O slice", wk_offset_at(table, current_at),
                    other.offset);
        }
    }
}

static void check_table(const wk_cursor *file, wk_cursor table)
{
    while (table.at < table.size && wk_ok(table.state)) {
        const size_t at = table.at;
        const fat_arch a = read_arch(&table);
        (void)wk_window(file, a.offset, a.size, "fat Mach-O slice");
        check_overlap(&table, &a, at);
    }
}

/* Return whether a slice does not start where dyld can map it (Universal::validSlice in its mach_o). */
static bool misaligned(const fat_arch *a)
{
    enum { CPU_ARM64_32 = 0x0200000c };
    const bool large = a->cpu == WK_MACHO_CPU_ARM64 || a->cpu == CPU_ARM64_32;
    return a->offset % (large ? 0x4000 : 0x1000) != 0;
}

/* Parse one slice. A fat file that contains static libraries, which are archives, is not a binary. */
static void parse_slice(const wk_cursor *file, const fat_arch *a)
{
    wk_slice facts = {0};
    facts.fat = true;
    facts.refusal = misaligned(a) ? "its slice does not start at a page of the fat file" : NULL;
    facts.offset = a->offset;
    facts.size = a->size;
    wk_cursor slice = wk_window(file, a->offset, a->size, "fat Mach-O slice");
    wk_cursor start = slice;
    if (start.size >= 8 && wk_u64(&start) == ARCHIVE_MAGIC) {
        wk_fail_here(&slice, WK_RESULT_NOT_A_BINARY, 0);
    }
    start.at = 0;
    const uint32_t magic = wk_u32(&start);
    start.big = wk_macho_is_big(magic);
    const uint32_t cpu = wk_u32(&start);
    if (!wk_macho_is_thin(magic)) {
        wk_fail_here(&slice, WK_RESULT_BAD_VALUE, magic);
    } else if (cpu != a->cpu) {
        wk_fail_here(&slice, WK_RESULT_BAD_VALUE, cpu);
    }
    if (wk_ok(slice.state)) {
        wk_parse_macho(slice, &facts);
    }
}

void wk_parse_fat_macho(wk_cursor file)
{
    file.what = "fat Mach-O header";
    file.big = true;
    const uint32_t magic = wk_u32(&file);
    const uint32_t count = wk_u32(&file);
    file.wide = magic == WK_MACHO_FAT_64;
    if (wk_ok(file.state) && count >= FIRST_JAVA_VERSION) {
        wk_fail_here(&file, WK_RESULT_NOT_A_BINARY, count);
    } else if (wk_ok(file.state) && count == 0) {
        wk_fail_here(&file, WK_RESULT_BAD_VALUE, count);
    }
    const wk_cursor table = wk_table(&file, file.at, count, file.wide ? 32 : 20, "fat Mach-O slice table");
    check_table(&file, table);
    for (wk_cursor next = table; next.at < next.size && wk_ok(next.state);) {
        const fat_arch a = read_arch(&next);
        parse_slice(&file, &a);
    }
}
