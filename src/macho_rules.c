/* What dyld refuses although it can read it: the checks of dyld's mach_o/Header.cpp (dyld-1285, macOS 15.4
 * and later) that a library has to pass before it is mapped. Many of them hold only for files that were built
 * with a new SDK, as mach_o/Policy.cpp says. */
#include "macho.h"

enum { SG_READ_ONLY = 0x10, READ = 1, WRITE = 2, EXECUTE = 4 };
static const uint32_t REQUIRED = 0x80000000;

/* The SDKs from which on dyld applies a rule; see wk_slice.sdk. */
#define VERSION(major, minor) ((uint32_t)(major) << 16 | (uint32_t)(minor) << 8)
static const uint32_t SDK_LINKEDIT = VERSION(10, 11);
static const uint32_t SDK_TEXT = VERSION(10, 15);
static const uint32_t SDK_ORDER = VERSION(10, 15);
static const uint32_t SDK_UUID = VERSION(12, 0);
static const uint32_t SDK_LIBRARIES = VERSION(15, 4);
static const uint32_t SDK_DATA = VERSION(26, 0);

/* The sizes of commands that have only one, and the numbers of all that a loader must not ignore. */
static const struct {
    uint32_t number, size;
} COMMANDS[] = {
    {0x2, 24},        {0xb, 80},        {0x1b, 24},       {0x1e, 16},       {0x22, 48},
    {0x24, 16},       {0x25, 16},       {0x26, 16},       {0x2f, 16},       {0x30, 16},
    {0x80000018, 0},  {0x8000001c, 0},  {0x8000001f, 0},  {0x80000022, 48}, {0x80000023, 0},
    {0x80000028, 24}, {0x80000033, 16}, {0x80000034, 16}, {0x80000035, 0},
};

/* A segment, as far as the rules look at it. */
typedef struct segment {
    const uint8_t *name; /* 16 bytes, padded with NULs */
    uint64_t address, memory, offset, size;
    uint32_t protection, flags;
} segment;

/* Return whether a slice can be a library for a system that is supported. */
static bool is_checked(const wk_slice *facts)
{
    return !facts->big && facts->wide && (facts->kind == WK_KIND_SHARED || facts->kind == WK_KIND_BUNDLE);
}

void wk_macho_check_command(wk_macho *macho, uint32_t number, uint32_t size)
{
    /* Commands of systems that came after these rules. */
    bool known = (number & REQUIRED) == 0 || (number & ~REQUIRED) > 0x36;
    for (size_t i = 0; i < sizeof COMMANDS / sizeof COMMANDS[0]; i++) {
        if (COMMANDS[i].number == number) {
            known = COMMANDS[i].size == 0 || COMMANDS[i].size == size;
        }
    }
    if (!known && is_checked(macho->facts)) {
        wk_macho_refuse(macho, "it has a load command of a wrong kind or size");
    }
}

static segment read_segment(wk_cursor *commands, size_t end)
{
    segment s;
    s.name = wk_take(commands, 16);
    s.address = wk_word(commands);
    s.memory = wk_word(commands);
    s.offset = wk_word(commands);
    s.size = wk_word(commands);
    (void)wk_u32(commands); /* maximum protection */
    s.protection = wk_u32(commands);
    (void)wk_u32(commands); /* number of sections */
    s.flags = wk_u32(commands);
    wk_seek(commands, end);
    return s;
}

/* Move to the next segment, and read it. Return false at the end. */
static bool next_segment(wk_cursor *commands, segment *s)
{
    while (commands->at < commands->size && wk_ok(commands->state)) {
        const size_t start = commands->at;
        if (!wk_use_budget(commands, 8)) {
            return false;
        }
        const uint32_t number = wk_u32(commands);
        const size_t end = start + wk_u32(commands);
        if (number == 0x1 || number == 0x19) {
            *s = read_segment(commands, end);
            return wk_ok(commands->state);
        }
        wk_seek(commands, end);
    }
    return false;
}

static bool is_named(const segment *s, const char *name)
{
    return strncmp((const char *)s->name, name, 16) == 0;
}

/* Return whether a segment is never mapped, which frees it from all further rules. */
static bool is_unmapped(const segment *s)
{
    return s->size > s->memory && s->memory == 0 && s->protection == 0;
}

/* Return the rule that the protection of a segment breaks, or NULL. */
static const char *protection_problem(const segment *s, uint32_t sdk)
{
    const uint32_t p = s->protection;
    const bool data = is_named(s, "__DATA") || is_named(s, "__DATA_CONST");
    if ((p & ~(uint32_t)(READ | WRITE | EXECUTE)) != 0 ||
        (sdk >= SDK_TEXT && is_named(s, "__TEXT") && p != (READ | EXECUTE)) ||
        (sdk >= SDK_LINKEDIT && is_named(s, "__LINKEDIT") && p != READ) ||
        (sdk >= SDK_DATA && data && p != (READ | WRITE))) {
        return "a segment has a protection that it must not have";
    }
    return NULL;
}

static bool overlap(uint64_t first, uint64_t first_size, uint64_t second, uint64_t second_size)
{
    return second < first + first_size && first < second + second_size;
}

/* Return the rule that a segment breaks together with one that comes earlier, or NULL. */
static const char *pair_problem(const segment *earlier, const segment *s)
{
    if (overlap(earlier->address, earlier->memory, s->address, s->memory)) {
        return "two of its segments overlap in memory";
    }
    return overlap(earlier->offset, earlier->size, s->offset, s->size) ? "two of its segments share bytes"
                                                                       : NULL;
}

static const char *segment_problem(const segment *s, uint32_t sdk, uint64_t commands_end)
{
    if (s->size > s->memory) {
        return "a segment has more bytes than it takes in memory";
    }
    if (s->address + s->memory < s->address) {
        return "a segment ends beyond the address space";
    }
    if (is_named(s, "__TEXT") && (s->offset != 0 || s->size < commands_end)) {
        return "its __TEXT segment does not begin with the header and the load commands";
    }
    return protection_problem(s, sdk);
}

/* Check each segment, alone and with the earlier ones. The last but one may be out of order. */
static void check_segments(wk_macho *macho, wk_cursor commands, uint32_t sdk, uint64_t commands_end)
{
    segment s, earlier;
    const char *order = NULL;
    const wk_cursor first = commands;
    bool has_text = false;
    while (next_segment(&commands, &s)) {
        wk_macho_refuse(macho, order);
        wk_macho_refuse(macho, is_unmapped(&s) ? NULL : segment_problem(&s, sdk, commands_end));
        has_text = has_text || is_named(&s, "__TEXT");
        order = NULL;
        for (wk_cursor before = first; before.at < commands.at && next_segment(&before, &earlier);) {
            if (before.at == commands.at) {
                break;
            }
            wk_macho_refuse(macho, pair_problem(&earlier, &s));
            const bool moved = s.address < earlier.address || (s.offset < earlier.offset && s.size > 0);
            order = moved && sdk >= SDK_ORDER ? "its segments are out of order" : NULL;
        }
    }
    if (!has_text) {
        wk_macho_refuse(macho, "it has no __TEXT segment");
    }
}

/* Return the SDK by which the rules go: of files for other systems than macOS none is known. */
static uint32_t ruling_sdk(const wk_macho *macho)
{
    const wk_slice *facts = macho->facts;
    if (facts->os_number != WK_MACHO_PLATFORM_MACOS) {
        return 0;
    }
    return facts->sdk != 0 ? facts->sdk : facts->min_os;
}

void wk_macho_check_rules(wk_macho *macho, wk_cursor commands, uint64_t commands_end)
{
    const uint32_t sdk = ruling_sdk(macho);
    const wk_slice *facts = macho->facts;
    if (!is_checked(facts)) {
        return;
    }
    if (macho->name_count != (facts->kind == WK_KIND_SHARED ? 1u : 0u)) {
        wk_macho_refuse(macho, facts->kind == WK_KIND_SHARED
                                   ? "it is a library without an install name, or with two"
                                   : "it has an install name, but is no library");
    }
    if (macho->uuid_count != 1 && (macho->uuid_count > 1 || sdk >= SDK_UUID)) {
        wk_macho_refuse(macho, "it has no UUID, or more than one");
    }
    if (macho->library_count == 0 && sdk >= SDK_LIBRARIES) {
        wk_macho_refuse(macho, "it needs no library, not even libSystem");
    }
    check_segments(macho, commands, sdk, commands_end);
}
