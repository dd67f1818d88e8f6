/* ELF relocations: whether the loader can apply them, and which symbols they refer to. */
#include "elf.h"

enum { DT_RELA = 7, DT_REL = 17 };
/* Pages are mapped as a whole, so one relocation stands for all in its page. */
enum { PAGE = 4096 };

/* Return whether a table has its size and the size of its entries; `entry` is 0 if it shares the latter. */
static bool fits(const wk_elf_relocations *table, uint64_t entry)
{
    return !table->present || (table->sized && table->entry == entry);
}

/* Return whether a table is in the file, apart from bytes of its last word: zeros that the loader fills the
 * page with take their place, and are what they mostly are. */
static bool is_loaded(const wk_elf *elf, const wk_elf_relocations *table)
{
    const uint64_t loaded = wk_elf_at(elf, table->address, "ELF relocations").size;
    return table->size <= loaded || table->size - loaded < (elf->file.wide ? 8 : 4);
}

bool wk_elf_can_relocate(const wk_elf *elf, const wk_elf_dynamic *d)
{
    const uint64_t word = elf->file.wide ? 8 : 4;
    const bool sizes_fit =
        fits(&d->rela, 3 * word) && fits(&d->rel, 2 * word) && fits(&d->relr, word) && fits(&d->plt, 0);
    /* 64-bit processors have addends, except for MIPS. */
    const bool may_lack_addends = !elf->file.wide || elf->machine == WK_EM_MIPS;
    const bool is_known = d->plt_kind == DT_RELA || (d->plt_kind == DT_REL && may_lack_addends);
    const bool kind_fits = !d->has_plt_kind || (d->plt.present && is_known);
    return sizes_fit && kind_fits && (!d->relr.present || is_loaded(elf, &d->relr));
}

/* Return how many bytes of a table are in the file. The addend of the last relocation may be missing: zeros
 * that the loader fills the page with take its place. */
static uint64_t loaded_size(const wk_elf *elf, const wk_elf_relocations *table, const wk_cursor *rest)
{
    const uint64_t word = elf->file.wide ? 8 : 4;
    const bool zeros = table->entry == 3 * word && table->size > rest->size &&
                       table->size - rest->size <= word &&
                       wk_elf_is_mapped(elf, table->address + table->size - 1);
    return zeros ? rest->size / table->entry * table->entry : table->size;
}

/* The symbols that relocations refer to, and how many relocations apply to addresses that the loader calls.
 */
typedef struct tally {
    uint64_t symbols, calls;
} tally;

/* Count a table. A relocation of what is not loaded is a fault; neighbours are mostly in one page. */
static void count_table(const wk_elf *elf, const wk_elf_dynamic *d, const wk_elf_relocations *relocations,
                        bool addends, tally *count)
{
    if (!relocations->present || relocations->size == 0 || elf->machine == WK_EM_MIPS) {
        return;
    }
    const wk_cursor rest = wk_elf_at(elf, relocations->address, "ELF relocations");
    wk_cursor table = wk_window(&rest, 0, loaded_size(elf, relocations, &rest), rest.what);
    uint64_t page = UINT64_MAX;
    (void)wk_use_budget(&table, table.size);
    while (table.at < table.size && wk_ok(table.state)) {
        const uint64_t place = wk_word(&table);
        const uint64_t info = wk_word(&table);
        const uint64_t symbol = table.wide ? info >> 32 : info >> 8;
        count->symbols = symbol >= count->symbols ? symbol + 1 : count->symbols;
        count->calls += place - d->init_array < d->init_array_size ? 1 : 0;
        if (place / PAGE != page) {
            page = place / PAGE;
            elf->facts->faults |= wk_elf_is_mapped(elf, place) ? 0u : WK_FAULT_TABLES;
        }
        if (addends) {
            (void)wk_word(&table);
        }
    }
}

uint64_t wk_elf_count_by_relocations(const wk_elf *elf, const wk_elf_dynamic *d)
{
    tally count = {0, 0};
    count_table(elf, d, &d->rela, true, &count);
    count_table(elf, d, &d->rel, false, &count);
    if (d->has_plt_kind) {
        const bool addends = d->plt_kind == DT_RELA;
        wk_elf_relocations plt = d->plt;
        plt.entry = addends ? d->rela.entry : d->rel.entry;
        count_table(elf, d, &plt, addends, &count);
    }
    const bool unread = d->relr.present || elf->machine == WK_EM_MIPS || elf->type != WK_ET_DYN;
    if (d->init_array_size > 0 && count.calls == 0 && !unread) {
        elf->facts->faults |= WK_FAULT_TABLES;
    }
    return count.symbols;
}
