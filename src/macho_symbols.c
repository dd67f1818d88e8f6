/* The symbol table and the export trie of Mach-O files. */
#include "macho.h"
#include "sink.h"

enum { N_STAB = 0xe0, N_PEXT = 0x10, N_TYPE = 0x0e, N_EXT = 0x01, N_UNDF = 0, N_PBUD = 0xc };
enum { N_WEAK_REF = 0x40 };
enum { SELF_LIBRARY_ORDINAL = 0, DYNAMIC_LOOKUP_ORDINAL = 0xfe, EXECUTABLE_ORDINAL = 0xff };
enum { TRIE_DEPTH = 512 }; /* real tries need a few dozen */

typedef struct symbol {
    uint32_t name;
    uint8_t type;
    uint16_t description;
} symbol;

static symbol read_symbol(wk_cursor *symbols)
{
    symbol s;
    s.name = wk_u32(symbols);
    s.type = wk_u8(symbols);
    (void)wk_u8(symbols); /* section */
    s.description = wk_u16(symbols);
    (void)wk_word(symbols);
    return s;
}

/* Return a name without the underscore that C compilers prepend. */
static wk_text without_underscore(wk_text name)
{
    if (name.size > 0 && name.data[0] == '_') {
        name.data++;
        name.size--;
    }
    return name;
}

/* Return the index of the library that must provide a symbol. Return WK_NONE if any library may. */
static uint32_t library_of(const wk_macho *macho, const wk_cursor *symbols, uint16_t description)
{
    const uint32_t ordinal = description >> 8;
    if (!macho->two_level || ordinal == SELF_LIBRARY_ORDINAL || ordinal == DYNAMIC_LOOKUP_ORDINAL ||
        ordinal == EXECUTABLE_ORDINAL) {
        return WK_NONE;
    }
    if (ordinal > macho->library_count) {
        wk_fail(symbols->state, WK_RESULT_BAD_VALUE, "Mach-O library ordinal",
                wk_offset_at(symbols, symbols->at), ordinal);
        return WK_NONE;
    }
    return ordinal - 1;
}

/* Emit a symbol as an import if it is undefined, or as an export if other files can use it and there is no
 * export trie. */
static void emit_symbol(const wk_macho *macho, const wk_cursor *symbols, const wk_cursor *strings,
                        const symbol *s)
{
    const uint8_t type = s->type & N_TYPE;
    if ((s->type & N_STAB) != 0 || (s->type & N_EXT) == 0 || s->name == 0) {
        return;
    }
    if (type == N_UNDF || type == N_PBUD) {
        const wk_import import = {without_underscore(wk_string(strings, s->name)), 0,
                                  library_of(macho, symbols, s->description), WK_NONE,
                                  (s->description & N_WEAK_REF) != 0};
        wk_emit_import(symbols, &import);
    } else if (!macho->has_trie && (s->type & N_PEXT) == 0) {
        const wk_text name = without_underscore(wk_string(strings, s->name));
        wk_emit_export(symbols, &name, 1);
    }
}

void wk_parse_macho_symbols(wk_macho *macho)
{
    const uint32_t entry = macho->file.wide ? 16 : 12;
    wk_cursor symbols =
        wk_table(&macho->file, macho->symbols_offset, macho->symbol_count, entry, "Mach-O symbol table");
    const wk_cursor strings =
        wk_window(&macho->file, macho->strings_offset, macho->strings_size, "Mach-O string table");
    (void)wk_use_budget(&symbols, symbols.size);
    while (symbols.at < symbols.size && wk_ok(symbols.state)) {
        const symbol s = read_symbol(&symbols);
        emit_symbol(macho, &symbols, &strings, &s);
    }
    if (macho->symbol_count > 0 && wk_ok(symbols.state)) {
        /* The table does not separate the strings of local symbols, so these get a proportional share. */
        const uint64_t locals = macho->has_local_count ? macho->local_count : macho->symbol_count;
        if (locals > macho->symbol_count) {
            wk_fail(symbols.state, WK_RESULT_BAD_COUNT, "Mach-O local symbols", wk_offset_at(&symbols, 0),
                    locals);
        }
        macho->facts->symbol_bytes =
            locals * entry + (uint64_t)macho->strings_size * locals / macho->symbol_count;
    }
}

/* The path from the root of the trie to the current node. */
typedef struct trie_walk {
    wk_cursor trie;
    size_t depth;               /* nodes on the path, including the root */
    uint64_t name_size;         /* total size of the labels on the path */
    size_t at[TRIE_DEPTH];      /* offset of each node */
    size_t resume[TRIE_DEPTH];  /* offset of the next edge of each node */
    unsigned edges[TRIE_DEPTH]; /* remaining edges of each node */
    wk_text labels[TRIE_DEPTH]; /* label of the edge to each node; the label of the root is empty */
} trie_walk;

/* Emit the name that the labels on the path form. */
static void emit_current_name(trie_walk *walk)
{
    size_t first = 0;
    while (first < walk->depth && walk->labels[first].size == 0) {
        first++;
    }
    if (first < walk->depth && wk_use_budget(&walk->trie, walk->name_size + walk->depth)) {
        const wk_text label = walk->labels[first];
        walk->labels[first] = without_underscore(label);
        wk_emit_export(&walk->trie, walk->labels + first, walk->depth - first);
        walk->labels[first] = label;
    }
}

/* Move to a node. Return false, and fail the scan, if it is on the path already or the path is full. */
static bool move_to_node(trie_walk *walk, uint64_t at)
{
    wk_cursor *trie = &walk->trie;
    wk_seek(trie, at);
    for (size_t i = 0; i < walk->depth; i++) {
        if (walk->at[i] == at) {
            wk_fail_here(trie, WK_RESULT_LOOP, at);
        }
    }
    if (walk->depth == TRIE_DEPTH) {
        wk_fail_here(trie, WK_RESULT_TOO_COMPLEX, walk->depth);
    }
    return wk_ok(trie->state) && wk_use_budget(trie, walk->depth);
}

/* Append a node to the path, emit its name if it has one, and find its edges. */
static void enter_node(trie_walk *walk, uint64_t at, wk_text label)
{
    wk_cursor *trie = &walk->trie;
    const size_t level = walk->depth;
    if (!move_to_node(walk, at)) {
        return;
    }
    walk->at[level] = (size_t)at;
    walk->labels[level] = label;
    walk->name_size += label.size;
    walk->depth++;
    const uint64_t info_size = wk_uleb(trie);
    const wk_cursor payload = wk_window(trie, trie->at, info_size, trie->what);
    if (info_size > 0 && wk_ok(trie->state)) {
        emit_current_name(walk);
    }
    wk_seek(trie, trie->at + (uint64_t)payload.size);
    walk->edges[level] = wk_u8(trie);
    walk->resume[level] = trie->at;
}

void wk_parse_macho_trie(const wk_macho *macho)
{
    static const wk_text no_label = {NULL, 0};
    trie_walk walk;
    walk.trie = wk_window(&macho->file, macho->trie_offset, macho->trie_size, "Mach-O export trie");
    walk.depth = 0;
    walk.name_size = 0;
    if (walk.trie.size > 0) {
        enter_node(&walk, 0, no_label);
    }
    while (walk.depth > 0 && wk_ok(walk.trie.state)) {
        const size_t top = walk.depth - 1;
        if (walk.edges[top] == 0) {
            walk.name_size -= walk.labels[top].size;
            walk.depth--;
            continue;
        }
        walk.edges[top]--;
        const wk_text label = wk_string(&walk.trie, walk.resume[top]);
        wk_seek(&walk.trie, (uint64_t)walk.resume[top] + label.size + 1);
        const uint64_t child = wk_uleb(&walk.trie);
        walk.resume[top] = walk.trie.at;
        enter_node(&walk, child, label);
    }
}
